//! Runs the corpus files in the format of `tree-sitter test`, which itself needs a command-line tool
//! that this repository does not depend on.
//!
//! `UPDATE_CORPUS=1` writes the trees found into the files instead of comparing them.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, ensure};
use headwater_grammar::{CONNECTION, DATASOURCE, PIPE, SQL};
use tree_sitter::Parser;
use tree_sitter_language::LanguageFn;

struct Case {
    name: String,
    /// Whether the tree is expected to hold errors (`:error` below the name).
    error: bool,
    input: String,
    expected: String,
}

/// Splits a corpus file: a name between two lines of `=`, the input, a line of `-`, the tree.
fn parse_corpus(text: &str) -> anyhow::Result<Vec<Case>> {
    let is_rule = |line: &str, c: char| line.len() >= 3 && line.chars().all(|x| x == c);
    let mut cases = Vec::new();
    let mut lines = text.lines().peekable();
    while let Some(line) = lines.next() {
        if !is_rule(line, '=') {
            ensure!(line.trim().is_empty(), "text outside a case: {line:?}");
            continue;
        }
        let mut name = String::new();
        let mut error = false;
        for line in lines.by_ref().take_while(|line| !is_rule(line, '=')) {
            match line.trim() {
                ":error" => error = true,
                other => name = other.to_owned(),
            }
        }
        let input: Vec<_> = lines.by_ref().take_while(|line| !is_rule(line, '-')).collect();
        let mut expected = String::new();
        while let Some(line) = lines.next_if(|line| !is_rule(line, '=')) {
            expected.push_str(line);
            expected.push('\n');
        }
        cases.push(Case { name, error, input: input.join("\n"), expected });
    }
    Ok(cases)
}

/// The length of the quoted text that `text` starts with; the quote in `'''` is not escaped.
fn closing_quote(text: &str, quote: char) -> usize {
    let end = format!("{quote})");
    text[1..].find(&end).map_or(text.len(), |at| at + 2)
}

/// One node per line, indented, so that trees compare and read well whatever their white space.
fn format_tree(tree: &str) -> String {
    let mut out = String::new();
    let mut depth = 0_usize;
    let mut after_field = false;
    let mut rest = tree.trim_start();
    while let Some(first) = rest.chars().next() {
        let length = match first {
            '(' | ')' => 1,
            // `MISSING ")"` and `UNEXPECTED ' '` quote what would otherwise look like structure.
            '"' | '\'' => closing_quote(rest, first),
            _ => rest.find(|c: char| c.is_whitespace() || c == '(' || c == ')').unwrap_or(rest.len()),
        };
        let (word, tail) = rest.split_at(length);
        rest = tail.trim_start();
        match word {
            "(" => {
                if !after_field && !out.is_empty() {
                    out.push('\n');
                    out.push_str(&"  ".repeat(depth));
                }
                out.push('(');
                depth += 1;
                after_field = false;
            }
            ")" => {
                out.push(')');
                depth = depth.saturating_sub(1);
            }
            field if field.ends_with(':') => {
                out.push('\n');
                out.push_str(&"  ".repeat(depth));
                out.push_str(field);
                out.push(' ');
                after_field = true;
            }
            name => {
                if !out.ends_with('(') {
                    out.push(' ');
                }
                out.push_str(name);
            }
        }
    }
    out
}

fn run(language: LanguageFn, directory: &str) -> anyhow::Result<()> {
    let mut parser = Parser::new();
    parser.set_language(&language.into())?;
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join(directory).join("test/corpus");
    let mut files: Vec<PathBuf> = fs::read_dir(&directory)
        .with_context(|| format!("reading {}", directory.display()))?
        .map(|entry| Ok(entry?.path()))
        .collect::<std::io::Result<_>>()?;
    files.sort();
    ensure!(!files.is_empty(), "no corpus in {}", directory.display());

    let update = std::env::var_os("UPDATE_CORPUS").is_some();
    let mut failures = Vec::new();
    for file in files {
        let text = fs::read_to_string(&file)?;
        let mut updated = String::new();
        for case in parse_corpus(&text).with_context(|| file.display().to_string())? {
            let tree = parser.parse(&case.input, None).context("no tree")?;
            let found = format_tree(&tree.root_node().to_sexp());
            let rule = "=".repeat(80);
            let marker = if case.error { "\n:error" } else { "" };
            updated += &format!("{rule}\n{}{marker}\n{rule}\n{}\n---\n\n{found}\n\n", case.name, case.input);

            let label = format!("{}: {}", file.file_name().unwrap_or_default().display(), case.name);
            if tree.root_node().has_error() != case.error {
                failures.push(format!("{label}: has errors: {}\n{found}", !case.error));
            } else if !update && format_tree(&case.expected) != found {
                failures.push(format!("{label}\nexpected {}\nfound {found}", case.expected.trim()));
            }
        }
        if update {
            fs::write(&file, updated.trim_end().to_owned() + "\n")?;
        }
    }
    ensure!(failures.is_empty(), "{} cases failed\n\n{}", failures.len(), failures.join("\n\n"));
    Ok(())
}

#[test]
fn datasource() -> anyhow::Result<()> {
    run(DATASOURCE, "datafile/datasource")
}

#[test]
fn pipe() -> anyhow::Result<()> {
    run(PIPE, "datafile/pipe")
}

#[test]
fn connection() -> anyhow::Result<()> {
    run(CONNECTION, "datafile/connection")
}

#[test]
fn sql() -> anyhow::Result<()> {
    run(SQL, "sql")
}
