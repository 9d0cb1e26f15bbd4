//! The grammars as WebAssembly, for web pages and for editors that load no native code.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result};
use serde_json::json;

use super::package::{self, Grammar};
use super::session::{Input, read};
use super::{SessionResult, process};
use crate::fetch::{self, Node};

/// What loads such files: the tree-sitter project's own binding.
const RUNTIME: &str = "web-tree-sitter@0.27.1";

/// A compiler, a linker, and the headers of a C library: scanners use its string functions, which the runtime brings.
const PACKAGES: [&str; 3] = ["clang-19", "lld-19", "wasi-libc"];

/// Compiles every grammar into `to` as `NAME.wasm`; returns the files.
pub(crate) fn build_wasm(to: &Path) -> Result<Vec<PathBuf>> {
    fetch::debian(&PACKAGES)?;
    fs::create_dir_all(to)?;
    let mut built = Vec::new();
    for grammar in package::grammars(&super::root()?.join("grammar"))? {
        let file = to.join(format!("{}.wasm", grammar.name));
        let dir = fetch::cache_dir()?.join("wasm").join(&grammar.name);
        fs::create_dir_all(dir.parent().unwrap_or(&dir))?;
        let stamp = format!("{} {}", package::fingerprint(&grammar.source, &[])?, PACKAGES.join(" "));
        fetch::once(&dir, &stamp, |fresh| compile(&grammar, &fresh.join("parser.wasm")))?;
        fs::copy(dir.join("parser.wasm"), &file)?;
        built.push(file);
    }
    Ok(built)
}

/// As `tree-sitter build --wasm` does it, without its download of a toolchain.
fn compile(grammar: &Grammar, to: &Path) -> Result<()> {
    let mut command = Command::new("clang-19");
    command.args(["--target=wasm32-wasi", "-isystem", "/usr/include/wasm32-wasi", "-o"]).arg(to);
    command.args([
        "-fPIC",
        "-shared",
        "-Os",
        "-w",
        "-std=c11",
        "-nostdlib",
        "-fno-exceptions",
        "-fvisibility=hidden",
    ]);
    command.arg(format!("-Wl,--export=tree_sitter_{}", grammar.name));
    command.args(["-Wl,--allow-undefined", "-Wl,--no-entry", "-I"]).arg(&grammar.source);
    command.arg(grammar.source.join("parser.c"));
    let scanner = grammar.source.join("scanner.c");
    if scanner.is_file() {
        command.arg(scanner);
    }
    fetch::run(&mut command).map(drop)
}

/// Every grammar, loaded by the runtime, must give the tree that the native one gives.
pub(super) fn session(input: &Input<'_>) -> Vec<SessionResult> {
    read("wasm", compare(input))
}

fn compare(input: &Input<'_>) -> Result<String> {
    let files = build_wasm(&super::target()?.join("wasm"))?;
    let node = Node::get()?;
    let modules = fetch::cache_dir()?.join("web-tree-sitter");
    node.packages(&modules, &[RUNTIME])?;
    let mut cases = Vec::new();
    for (grammar, file) in headwater_grammar::GRAMMARS
        .iter()
        .map(|g| (g, files.iter().find(|f| f.ends_with(format!("{}.wasm", g.name)))))
    {
        let mut parser = tree_sitter::Parser::new();
        parser.set_language(&grammar.language.into())?;
        let mut texts = Vec::new();
        for text in texts_for(grammar.name, input.project)? {
            let tree = parser.parse(&text, None).context("no tree")?;
            // How an error is mended depends on lengths, which are of UTF-16 there and of UTF-8 here.
            if !tree.root_node().has_error() {
                texts.push(json!({ "text": text, "tree": tree.root_node().to_sexp() }));
            }
        }
        cases.push(json!({ "name": grammar.name, "wasm": file.context("a grammar was not compiled")?, "texts": texts }));
    }
    let list = input.out.join("wasm.json");
    fs::write(&list, serde_json::to_string(&cases)?)?;
    let mut command = node.node();
    command.arg(super::root()?.join("tests/editors/wasm/compare.mjs")).arg(&modules).arg(&list);
    process::output(&mut command, &input.out.join("wasm.log"), Duration::from_secs(60))
}

/// The cases of the grammar's own corpus, and the project's files of that kind.
fn texts_for(name: &str, project: &Path) -> Result<Vec<String>> {
    let kind = name.trim_start_matches("headwater_");
    let root = super::root()?.join("grammar");
    let corpus = [root.join("datafile").join(kind), root.join(kind)].map(|d| d.join("test/corpus"));
    let mut texts = Vec::new();
    let mut open: Vec<PathBuf> = corpus.into_iter().filter(|d| d.is_dir()).collect();
    open.push(project.to_owned());
    while let Some(dir) = open.pop() {
        for entry in fs::read_dir(&dir).with_context(|| format!("cannot read {}", dir.display()))? {
            let path = entry?.path();
            let extension = path.extension().and_then(|e| e.to_str()).unwrap_or_default();
            if path.is_dir() {
                open.push(path);
            } else if extension == "txt" {
                texts.extend(cases(&fs::read_to_string(path)?));
            } else if extension == kind {
                texts.push(fs::read_to_string(path)?);
            }
        }
    }
    Ok(texts)
}

/// The inputs of a corpus file: each between a title, ruled above and below by `=`, and a line of `-`.
fn cases(corpus: &str) -> Vec<String> {
    let rule = |line: &str, sign: char| line.len() >= 3 && line.chars().all(|c| c == sign);
    let mut out = Vec::new();
    let (mut rules, mut input) = (0, String::new());
    for line in corpus.lines() {
        if rule(line, '=') {
            rules += 1;
            input.clear();
        } else if rules > 0 && rules % 2 == 0 && rule(line, '-') {
            out.push(std::mem::take(&mut input));
            rules = 0;
        } else if rules > 0 && rules % 2 == 0 {
            input += line;
            input.push('\n');
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_corpus_gives_its_inputs() {
        let corpus =
            "===\nOne\n:flag\n===\nSELECT 1\n\nx\n---\n(a)\n\n====\nTwo\n====\n\n-- x\n-----\n(b\n  (c))\n";
        assert_eq!(cases(corpus), ["SELECT 1\n\nx\n", "\n-- x\n"]);
    }
}
