//! SQL out of the files of a folder: scripts, Markdown, string literals of test programs, datafiles.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use headwater_syntax::{Datafile, Dialect, Directive, FileKind, template};

use super::tokens::{starts_select, statements};

/// What a folder holds.
#[derive(Default)]
pub(crate) struct Found {
    /// Statements that start a SELECT, each once.
    pub(crate) selects: Vec<Text>,
    /// Statements that start otherwise.
    pub(crate) others: Vec<Text>,
    /// Variants of the queries of datafiles' nodes.
    pub(crate) variants: Vec<Text>,
    /// Files that are no UTF-8.
    pub(crate) unreadable: usize,
}

/// A piece of SQL and the file it is from.
pub(crate) struct Text {
    pub(crate) file: PathBuf,
    pub(crate) sql: String,
}

/// Reads a folder or file.
pub(crate) fn collect(path: &Path) -> Result<Found> {
    let mut found = Found::default();
    let mut pending = vec![path.to_owned()];
    while let Some(path) = pending.pop() {
        if path.is_dir() {
            let entries =
                std::fs::read_dir(&path).with_context(|| format!("cannot read {}", path.display()))?;
            let mut paths = entries.map(|e| e.map(|e| e.path())).collect::<Result<Vec<_>, _>>()?;
            paths.retain(|p| !p.is_symlink() && !p.ends_with(".git") && !p.ends_with("node_modules"));
            paths.sort();
            pending.extend(paths.into_iter().rev());
        } else {
            file(&path, &mut found);
        }
    }
    let mut seen = std::collections::HashSet::new();
    found.selects.retain(|s| seen.insert(s.sql.clone()));
    Ok(found)
}

fn file(path: &Path, found: &mut Found) {
    let extension = path.extension().and_then(|e| e.to_str()).unwrap_or_default();
    let reader: fn(&str) -> Vec<String> = match extension {
        "sql" => |text| statements(text).into_iter().map(str::to_owned).collect(),
        "md" | "mdx" => fences,
        "py" | "rs" | "go" => literals,
        "pipe" | "datasource" => |_| Vec::new(),
        _ => return,
    };
    let Ok(text) = std::fs::read_to_string(path) else {
        found.unreadable += 1;
        return;
    };
    let of_file = |sql: String| Text { file: path.to_owned(), sql };
    let (selects, others): (Vec<_>, Vec<_>) = reader(&text).into_iter().partition(|s| starts_select(s));
    found.selects.extend(selects.into_iter().map(of_file));
    found.others.extend(others.into_iter().map(of_file));
    if let Some(kind) = FileKind::from_extension(extension) {
        found.variants.extend(variants(&text, kind).into_iter().map(of_file));
    }
}

/// Statements of the fenced blocks that are marked as SQL.
fn fences(text: &str) -> Vec<String> {
    let mut out = Vec::new();
    let mut block: Option<String> = None;
    for line in text.lines() {
        match (line.trim_start().strip_prefix("```"), &mut block) {
            (Some(_), Some(_)) => {
                let text = block.take().unwrap_or_default();
                out.extend(statements(&text).into_iter().map(str::to_owned));
            }
            (Some(language), None) if language.trim().to_ascii_lowercase().starts_with("sql") => {
                block = Some(String::new());
            }
            (None, Some(block)) => {
                block.push_str(line);
                block.push('\n');
            }
            _ => {}
        }
    }
    out
}

/// String literals of a Python, Rust or Go program that hold a SELECT.
fn literals(text: &str) -> Vec<String> {
    let mut out = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.find(['"', '\'', '`']) {
        let (open, raw) = ["\"\"\"", "'''", "\"#", "\"", "'", "`"]
            .into_iter()
            .find(|q| rest[at..].starts_with(*q))
            .map_or(("\"", false), |q| (q, q != "\"" && q != "'"));
        let close = if open == "\"#" { "\"" } else { open };
        let body = &rest[at + open.len()..];
        let mut escaped = false;
        let end = body.char_indices().find(|(n, c)| {
            let is_end = !escaped && body[*n..].starts_with(close);
            escaped = !raw && !escaped && *c == '\\';
            is_end
        });
        let Some((len, _)) = end else {
            rest = body;
            continue;
        };
        let literal = &body[..len];
        // An apostrophe in prose is no literal: those end on their line.
        if !raw && literal.contains('\n') {
            rest = body;
            continue;
        }
        let sql = if raw { literal.to_owned() } else { unescape(literal) };
        if sql.trim_start().get(..4).is_some_and(|w| {
            w.eq_ignore_ascii_case("sele") || w.eq_ignore_ascii_case("with") || w.eq_ignore_ascii_case("(sel")
        }) {
            out.extend(statements(&sql).into_iter().map(str::to_owned));
        }
        rest = &body[len + close.len()..];
    }
    out
}

fn unescape(literal: &str) -> String {
    let mut out = String::with_capacity(literal.len());
    let mut chars = literal.chars();
    while let Some(c) = chars.next() {
        match c {
            '\\' => match chars.next() {
                Some('n') => out.push('\n'),
                Some('t') => out.push('\t'),
                Some(c @ ('\\' | '\'' | '"')) => out.push(c),
                Some(c) => out.extend(['\\', c]),
                None => {}
            },
            c => out.push(c),
        }
    }
    out
}

/// Every variant of every query of a datafile.
fn variants(text: &str, kind: FileKind) -> Vec<String> {
    let tree = Datafile::parse(text.into(), kind, Dialect::Forward);
    let mut out = Vec::new();
    for entry in tree.entries.iter().filter(|e| e.entry.directive == Some(Directive::Sql)) {
        let body = entry.entry.body(tree.source_of(entry));
        if template::is_template(&body.text) {
            let parsed = template::parse(&body.text);
            out.extend(
                headwater_template::variants(&body.text, &parsed).into_iter().flatten().map(|v| v.text),
            );
        } else {
            out.push(body.text.to_string());
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fences_and_literals_give_their_statements() {
        assert_eq!(
            fences("x\n```sql\nSELECT 1;\nSELECT 2\n```\n```json\n{}\n```\n"),
            ["SELECT 1", "SELECT 2"]
        );
        let program = "a(\"SELECT \\\"x\\\"\"); b('SELECT \\'y\\''); c(r#\"SELECT '\"'\"#); isn't; d(\"no\")";
        assert_eq!(literals(program)[..2], ["SELECT \"x\"", "SELECT 'y'"]);
    }
}
