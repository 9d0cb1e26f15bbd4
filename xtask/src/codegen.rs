//! Regenerates the tree-sitter parsers under `grammar/`.
//!
//! The generator is a pinned library, so the output depends on nothing but the lock file and the
//! grammar sources (plus a Node.js that can run them).

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

/// Regenerates all parsers in place, or with `check` generates them aside and fails if what is
/// committed differs.
///
/// # Errors
///
/// If a grammar does not compile, a parser exceeds its budget, or (with `check`) files drifted.
pub(crate) fn run(check: bool) -> anyhow::Result<()> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../grammar");
    let scratch = std::env::temp_dir().join(format!("headwater-codegen-{}", std::process::id()));
    let result = generate_all(&root, check.then_some(scratch.as_path()));
    if check {
        // Left-overs in the temporary directory are no reason to fail.
        let _ = fs::remove_dir_all(&scratch);
    }
    let drifted = result?;
    if !drifted.is_empty() {
        bail!(
            "generated files differ from what is committed; run `cargo xtask codegen`:\n  {}",
            drifted.join("\n  ")
        );
    }
    Ok(())
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
