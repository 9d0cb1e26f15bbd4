//! Regenerates the tree-sitter parsers under `grammar/`, and the typed SQL AST that follows from them.
//!
//! The generator is a pinned library, so the output depends on nothing but the lock file and the
//! grammar sources (plus a Node.js that can run them).

mod ast;

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, bail};
use tree_sitter_generate::{OptLevel, generate_parser_in_directory};

/// Directories below `grammar/` that hold a `grammar.js`.
const GRAMMARS: [&str; 4] = ["datafile/datasource", "datafile/pipe", "datafile/connection", "sql"];

/// Everything the generator writes, relative to a grammar's `src`.
const GENERATED: [&str; 6] = [
    "grammar.json",
    "node-types.json",
    "parser.c",
    "tree_sitter/alloc.h",
    "tree_sitter/array.h",
    "tree_sitter/parser.h",
];

/// The oldest ABI all current editors load; the grammars need nothing newer.
const ABI: usize = 14;

/// The most a `parser.c` may weigh, in bytes. Build time and binary size follow it.
const BUDGET: u64 = 3 * 1024 * 1024;

/// Regenerates all parsers and the AST in place, or with `check` generates them aside and fails if what is
/// committed differs.
///
/// # Errors
///
/// If a grammar does not compile, a parser exceeds its budget, or (with `check`) files drifted.
pub(crate) fn run(check: bool) -> anyhow::Result<()> {
    let root = grammars();
    let scratch = std::env::temp_dir().join(format!("headwater-codegen-{}", std::process::id()));
    let result = generate_all(&root, check.then_some(scratch.as_path()));
    if check {
        // Left-overs in the temporary directory are no reason to fail.
        let _ = fs::remove_dir_all(&scratch);
    }
    let mut drifted = result?;
    drifted.extend(write_ast(&root, check)?);
    if !drifted.is_empty() {
        bail!(
            "generated files differ from what is committed; run `cargo xtask codegen`:\n  {}",
            drifted.join("\n  ")
        );
    }
    Ok(())
}

fn grammars() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../grammar")
}

/// Writes the typed AST alone, which takes no time.
///
/// # Errors
///
/// As [`run`].
pub(crate) fn run_ast() -> anyhow::Result<()> {
    write_ast(&grammars(), false).map(|_| ())
}

/// Writes the typed AST for the committed SQL parser, or with `check` only compares; names the file if it differs.
///
/// # Errors
///
/// If the parser cannot be read, or a hand-written table names what the grammar has not.
fn write_ast(root: &Path, check: bool) -> anyhow::Result<Option<String>> {
    let text = ast::generate(&root.join("sql/src"), &root.join("README.md"))?;
    let path = root.join("..").join(ast::OUTPUT);
    if check {
        // Git may have given the file other line ends.
        let committed = fs::read_to_string(&path).unwrap_or_default().replace("\r\n", "\n");
        return Ok((committed != text).then(|| ast::OUTPUT.to_owned()));
    }
    fs::write(&path, text).with_context(|| format!("writing {}", path.display()))?;
    Ok(None)
}

/// Generates every grammar, into `aside` if given, and returns the files that differ from the
/// committed ones (always none without `aside`).
fn generate_all(root: &Path, aside: Option<&Path>) -> anyhow::Result<Vec<String>> {
    let mut drifted = Vec::new();
    for name in GRAMMARS {
        let committed = root.join(name).join("src");
        let out = aside.map_or_else(|| committed.clone(), |dir| dir.join(name));
        generate(&root.join(name), &out).with_context(|| format!("generating grammar/{name}"))?;

        let parser = out.join("parser.c");
        let size = fs::metadata(&parser).with_context(|| format!("reading {}", parser.display()))?.len();
        if size > BUDGET {
            bail!("grammar/{name}: parser.c has {size} bytes, the budget is {BUDGET}");
        }
        if aside.is_some() {
            drifted.extend(
                GENERATED
                    .iter()
                    .filter(|file| fs::read(out.join(file)).ok() != fs::read(committed.join(file)).ok())
                    .map(|file| format!("grammar/{name}/src/{file}")),
            );
        }
    }
    Ok(drifted)
}

fn generate(grammar: &Path, out: &Path) -> anyhow::Result<()> {
    let mut diagnostics = Vec::new();
    let result = generate_parser_in_directory(
        grammar,
        Some(out),
        None::<PathBuf>,
        ABI,
        None,
        Some("node"),
        true,
        OptLevel::default(),
        &mut diagnostics,
    );
    for diagnostic in diagnostics {
        eprintln!("{}: {diagnostic}", grammar.display());
    }
    result?;
    Ok(())
}
