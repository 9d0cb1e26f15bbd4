//! Packs our own plugins.

use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};

use super::session::copy;
use crate::fetch::{self, Node};

/// The VS Code extension as a file, with `server` inside it when given (it is then for this platform only).
pub(crate) fn build_vsix(server: Option<&Path>) -> Result<PathBuf> {
    let node = Node::get()?;
    let source = super::root()?.join("editors/vscode");
    let packed = super::target()?.join("headwater.vsix");

    let bundled = source.join("server");
    let _ = fs::remove_dir_all(&bundled);
    if let Some(server) = server {
        fs::create_dir_all(&bundled)?;
        fs::copy(server, bundled.join(format!("headwater{}", std::env::consts::EXE_SUFFIX)))?;
    }
    let stamp = fingerprint(&source, &["node_modules", "dist"])?;
    let marker = packed.with_extension("vsix.of");
    if packed.is_file() && fs::read_to_string(&marker).is_ok_and(|m| m == stamp) {
        return Ok(packed);
    }

    let lock = fs::read_to_string(source.join("package-lock.json"))?;
    let installed = source.join("node_modules/.lock");
    if fs::read_to_string(&installed).ok().as_deref() != Some(&lock) {
        fetch::run(node.npm().args(["ci", "--ignore-scripts"]).current_dir(&source)).map_err(|e| {
            fetch::Unavailable(format!("npm cannot fetch the extension's dependencies: {e:#}"))
        })?;
        fs::write(&installed, &lock)?;
    }
    let vsce = source.join("node_modules/@vscode/vsce/vsce");
    let package = ["package", "--no-dependencies", "--skip-license", "--allow-missing-repository", "--out"];
    let mut command = node.node();
    command.arg(vsce).args(package).arg(&packed);
    if server.is_some() {
        command.args(["--target", platform()?]);
    }
    fetch::run(command.current_dir(&source))?;
    fs::write(marker, stamp)?;
    Ok(packed)
}

/// This platform as VS Code names it.
fn platform() -> Result<&'static str> {
    Ok(match (std::env::consts::OS, std::env::consts::ARCH) {
        ("linux", "x86_64") => "linux-x64",
        ("linux", "aarch64") => "linux-arm64",
        ("macos", "x86_64") => "darwin-x64",
        ("macos", "aarch64") => "darwin-arm64",
        ("windows", "x86_64") => "win32-x64",
        (os, arch) => anyhow::bail!("no extension for {os} on {arch}"),
    })
}

/// The Neovim plugin made whole in `to`: our Lua, and from `grammar/` the queries and the compiled parsers. Without a
/// C compiler it has no parsers and falls back to its Vim syntax file.
pub(crate) fn build_nvim(to: &Path) -> Result<()> {
    let root = super::root()?;
    let _ = fs::remove_dir_all(to);
    copy(&root.join("editors/nvim"), to)?;
    let Some(cc) = fetch::on_path(&["cc", "gcc", "clang"]) else { return Ok(()) };
    for grammar in grammars(&root.join("grammar"))? {
        if grammar.queries.is_dir() {
            copy(&grammar.queries, &to.join("queries").join(&grammar.name))?;
        }
        fs::create_dir_all(to.join("parser"))?;
        fs::copy(parser(&cc, &grammar)?, to.join(format!("parser/{}.so", grammar.name)))?;
    }
    Ok(())
}

/// One generated grammar.
pub(super) struct Grammar {
    /// `headwater_pipe`
    pub(super) name: String,
    /// Where its `parser.c` is.
    pub(super) source: PathBuf,
    /// Where its queries are.
    pub(super) queries: PathBuf,
}

/// Every folder below `dir` with a generated parser.
pub(super) fn grammars(dir: &Path) -> Result<Vec<Grammar>> {
    let mut found = Vec::new();
    let mut open = vec![dir.to_path_buf()];
    while let Some(folder) = open.pop() {
        let source = folder.join("src");
        if source.join("parser.c").is_file() {
            let name = language(&source)?;
            // The queries of `headwater_pipe` are in `queries/pipe`: the prefix only keeps the name unique in an editor.
            let queries = dir.join("queries").join(name.trim_start_matches("headwater_"));
            found.push(Grammar { name, source, queries });
            continue;
        }
        for entry in fs::read_dir(&folder).with_context(|| format!("cannot read {}", folder.display()))? {
            let path = entry?.path();
            if path.is_dir() && path.file_name().is_none_or(|n| n != "node_modules") {
                open.push(path);
            }
        }
    }
    found.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(found)
}

/// The language that a generated parser is for: it is in the name of its one exported function.
fn language(source: &Path) -> Result<String> {
    let code = fs::read_to_string(source.join("parser.c"))?;
    let name = code.rsplit("TSLanguage *tree_sitter_").next().and_then(|r| r.split('(').next());
    let name = name.filter(|n| n.chars().all(|c| c.is_alphanumeric() || c == '_'));
    Ok(name.with_context(|| format!("no language in {}", source.display()))?.to_owned())
}

/// The compiled parser, from the cache when its sources have not changed.
pub(super) fn parser(cc: &Path, grammar: &Grammar) -> Result<PathBuf> {
    let dir = fetch::cache_dir()?.join("parsers").join(&grammar.name);
    fs::create_dir_all(dir.parent().unwrap_or(&dir))?;
    fetch::once(&dir, &fingerprint(&grammar.source, &[])?, |fresh| {
        let mut command = Command::new(cc);
        command.args(["-shared", "-fPIC", "-O1", "-w", "-o"]).arg(fresh.join("parser.so"));
        command.arg("-I").arg(&grammar.source).arg(grammar.source.join("parser.c"));
        let scanner = grammar.source.join("scanner.c");
        if scanner.is_file() {
            command.arg(scanner);
        }
        fetch::run(&mut command).map(drop)
    })?;
    let built = dir.join("parser.so");
    ensure!(built.is_file(), "{} is missing", built.display());
    Ok(built)
}

/// Changes when a file below `dir` does. For telling whether to build again, not for security.
pub(super) fn fingerprint(dir: &Path, except: &[&str]) -> Result<String> {
    let mut hasher = DefaultHasher::new();
    let mut open = vec![dir.to_path_buf()];
    let mut files = Vec::new();
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(&folder)? {
            let entry = entry?;
            if entry.file_type()?.is_file() {
                files.push(entry.path());
            } else if !except.iter().any(|n| entry.file_name() == *n) {
                open.push(entry.path());
            }
        }
    }
    files.sort();
    for file in files {
        file.strip_prefix(dir)?.hash(&mut hasher);
        fs::read(&file)?.hash(&mut hasher);
    }
    Ok(format!("{:016x}", hasher.finish()))
}
