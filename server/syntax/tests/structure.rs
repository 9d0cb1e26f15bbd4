//! Two readers of one structure: the line scanner decides what a file means, the tree-sitter grammars show it in
//! editors. They must see the same directives and the same blocks in every file of the example projects, and in every
//! example of the documentation.

use std::path::{Path, PathBuf};

use headwater_syntax::scan::scan;
use headwater_syntax::{Dialect, FileKind};
use tree_sitter::{Node, Parser};

/// A directive as both readers see it: its word, and the lines of its block that count.
type Seen = (String, Option<Vec<String>>);

fn by_scanner(text: &str, kind: FileKind, dialect: Dialect) -> Vec<Seen> {
    let entries = scan(text, kind, dialect);
    let lines = |b: &headwater_syntax::scan::Block| {
        let kept = b.lines.iter().filter(|l| !l.dropped);
        kept.map(|l| text[l.range].trim().to_owned()).collect::<Vec<_>>()
    };
    let block = |b: &headwater_syntax::scan::Block| Some(lines(b)).filter(|l| !l.is_empty());
    // With an unclosed quote the whole line is one word; editors still show its first word as what was meant.
    let word = |keyword: headwater_syntax::TextRange| {
        text[keyword].split_whitespace().next().unwrap_or_default().to_owned()
    };
    entries.iter().map(|e| (word(e.keyword), e.block.as_ref().and_then(block))).collect()
}

fn by_grammar(text: &str, kind: FileKind) -> Vec<Seen> {
    let language = match kind {
        FileKind::Datasource => headwater_grammar::DATASOURCE,
        FileKind::Pipe => headwater_grammar::PIPE,
        _ => headwater_grammar::CONNECTION,
    };
    let mut parser = Parser::new();
    parser.set_language(&language.into()).expect("the grammar fits the runtime");
    let tree = parser.parse(text, None).expect("no limit was set");
    let mut seen = Vec::new();
    visit(text, tree.root_node(), &mut seen);
    seen
}

fn visit(text: &str, node: Node<'_>, seen: &mut Vec<Seen>) {
    if matches!(node.kind(), "directive" | "block_directive" | "node_header") {
        if let Some(name) = node.child_by_field_name("name") {
            let body = node.child_by_field_name("body").map(|b| kept_lines(&text[b.byte_range()]));
            seen.push((text[name.byte_range()].to_owned(), body));
        }
        return;
    }
    let mut cursor = node.walk();
    for child in node.children(&mut cursor) {
        visit(text, child, seen);
    }
}

fn kept_lines(body: &str) -> Vec<String> {
    let lines = body.split(['\n', '\r']).map(str::trim);
    lines.filter(|l| !l.is_empty() && !l.starts_with('#')).map(str::to_owned).collect()
}

fn files_below(folder: &Path, out: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).expect("readable") {
        let path = entry.expect("readable").path();
        if path.is_dir() {
            files_below(&path, out);
        } else {
            out.push(path);
        }
    }
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn kind_of(path: &str) -> Option<FileKind> {
    let kind = FileKind::from_extension(path.rsplit('.').next()?)?;
    matches!(kind, FileKind::Datasource | FileKind::Pipe | FileKind::Connection).then_some(kind)
}

fn compare(name: &str, text: &str, kind: FileKind, dialect: Dialect) {
    // The tree-sitter runtime passes over a byte order mark; the format does not, and a diagnostic says so.
    let text = text.trim_start_matches('\u{feff}');
    assert_eq!(by_grammar(text, kind), by_scanner(text, kind, dialect), "{name}");
}

#[test]
fn the_example_projects_are_read_alike() {
    let mut count = 0;
    for (project, dialect) in
        [("web-analytics", Dialect::Forward), ("kitchen-sink", Dialect::Forward), ("shop", Dialect::Classic)]
    {
        let mut files = Vec::new();
        files_below(&root().join("tests/projects").join(project), &mut files);
        for path in files {
            let name = path.display().to_string();
            if let Some(kind) = kind_of(&name) {
                compare(&name, &std::fs::read_to_string(&path).expect("text"), kind, dialect);
                count += 1;
            }
        }
    }
    assert!(count > 30, "only {count} files");
}

#[test]
fn the_documentation_s_examples_are_read_alike() {
    let mut files = Vec::new();
    files_below(&root().join("docs/reference/diagnostics"), &mut files);
    let mut count = 0;
    for page in files {
        let text = std::fs::read_to_string(&page).expect("text");
        for block in text.split("```headwater\n").skip(1).filter_map(|b| b.split("```").next()) {
            let is_classic = block.contains(".tinyenv");
            for part in block.split("//- ").skip(1) {
                let (name, body) = part.split_once('\n').unwrap_or((part, ""));
                let annotation = |l: &&str| !l.trim_start().starts_with('^');
                let body: String = body.split_inclusive('\n').filter(annotation).collect();
                if let Some(kind) = kind_of(name.trim()).filter(|_| !is_classic) {
                    compare(&format!("{} {name}", page.display()), &body, kind, Dialect::Forward);
                    count += 1;
                }
            }
        }
    }
    assert!(count > 100, "only {count} examples");
}

#[test]
fn odd_texts_are_read_alike() {
    for (kind, text) in [
        (FileKind::Pipe, "NODE a\nSQL >\n    SELECT 1\nTYP endpoint\nTYPE endpoint\n"),
        (FileKind::Pipe, "NODE a\nSQL > lost\n\n  SELECT 1\n# note\n\n\nNODE b\nSQL >\n  SELECT 2"),
        (FileKind::Pipe, "node a\r\nsql >\r\n  SELECT 1\r\ntype endpoint\r\n"),
        (FileKind::Pipe, "NODE a\nSQL >\nSELECT 1\nFROM t\nWHERE x\n"),
        (FileKind::Pipe, "SQL>\n  SELECT 1\n"),
        (FileKind::Datasource, "SCHEMA >\n  a String,\n\tb String\n  ENGINE x\nENGINE MergeTree\n"),
        (FileKind::Datasource, "SCHEMA >\n  a String\nNODE x\nTTL y\n"),
        (FileKind::Datasource, "  ENGINE MergeTree\n\n\n# c\nDESCRIPTION >\n"),
        (FileKind::Connection, "TYPE kafka\nKAFKA_KEY \"a#b\" # c\nFOO >\n  x\nKAFKA_SECRET y\n"),
        (FileKind::Datasource, ""),
    ] {
        compare(text, text, kind, Dialect::Forward);
    }
}
