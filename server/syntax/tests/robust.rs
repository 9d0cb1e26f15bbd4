//! No text makes a parser panic, lose its place, or take long.

use headwater_syntax::template::{self, expr};
use headwater_syntax::{Datafile, Dialect, FileKind, TextRange, indexes, line, range, scan, schema, sql};
use proptest::prelude::*;

const KINDS: [FileKind; 5] =
    [FileKind::Datasource, FileKind::Pipe, FileKind::Connection, FileKind::Include, FileKind::Token];

/// Words that mean something to one of the parsers, and characters that are awkward in text.
const SOUP: &[&str] = &[
    "\n",
    "\r\n",
    "\r",
    " ",
    "\t",
    "    ",
    "#",
    "--",
    ">",
    "\"",
    "'",
    "`",
    "\\",
    "%",
    "{{",
    "}}",
    "{%",
    "%}",
    "{#",
    "#}",
    "{{!",
    "{",
    "}",
    "(",
    ")",
    "[",
    "]",
    ",",
    ".",
    ":",
    "=",
    "==",
    "+",
    "-",
    "*",
    "/",
    "|",
    "!",
    "é",
    "\u{2028}",
    "\u{feff}",
    "😀",
    "\0",
    "NODE a",
    "SQL >",
    "SQL>",
    "TYPE endpoint",
    "SCHEMA >",
    "INDEXES >",
    "DESCRIPTION >",
    "ENGINE MergeTree",
    "TOKEN t READ",
    "INCLUDE x",
    "FOO",
    "if",
    "elif",
    "else",
    "end",
    "endif",
    "for x in y",
    "while",
    "try",
    "except",
    "set a = 1",
    "comment",
    "defined(a)",
    "Int32(a, 1)",
    "lambda x",
    "not",
    "and",
    "or",
    "in",
    "None",
    "1.5",
    "f'x'",
    "a",
    "`a` String",
    "Array(",
    "Nullable(",
    "Tuple(",
    "json:$.a",
    "DEFAULT 1",
    "CODEC(ZSTD(1))",
    "TYPE minmax",
    "GRANULARITY 1",
    "SELECT",
    "FROM t",
    "JOIN u USING a",
    "WITH c AS (",
    "WHERE a IN b",
    "UNION ALL",
    "/*",
    "*/",
];

fn soup() -> impl Strategy<Value = String> {
    prop::collection::vec(prop::sample::select(SOUP), 0..60).prop_map(|words| words.concat())
}

fn any_text() -> impl Strategy<Value = String> {
    prop_oneof![
        3 => soup(),
        1 => prop::collection::vec(any::<u8>(), 0..200).prop_map(|b| String::from_utf8_lossy(&b).into_owned()),
    ]
}

fn inside(text: &str, range: TextRange) {
    assert!(
        text.get(usize::from(range.start())..usize::from(range.end())).is_some(),
        "{range:?} in {text:?}"
    );
}

fn datafile(text: &str) {
    for kind in KINDS {
        for dialect in [Dialect::Forward, Dialect::Classic] {
            let mut behind = 0;
            for entry in scan::scan(text, kind, dialect) {
                inside(text, entry.full_range());
                assert!(usize::from(entry.line.start()) >= behind, "entries are in order");
                behind = entry.full_range().end().into();
                let body = entry.body(text);
                let whole = range(0, body.text.len());
                inside(text, body.to_source(whole));
                entry.value(text);
            }
            let file = Datafile::parse(text.into(), kind, dialect);
            file.description();
            for node in file.nodes() {
                node.name();
                node.node_type();
                inside(text, node.range());
            }
        }
    }
}

fn words(text: &str) {
    let mut next = 0;
    for line in line::lines(text) {
        assert_eq!(usize::from(line.range.start()), next, "lines leave nothing out");
        next = line.next as usize;
        for word in line::words(text, line.range).words {
            inside(text, word);
        }
    }
    assert_eq!(next, text.len());
}

fn templates(text: &str) {
    let tree = template::parse(text);
    for error in &tree.errors {
        inside(text, error.range);
    }
    for parameter in template::parameters(text, &tree) {
        inside(text, parameter.range);
    }
    let (tree, errors) = expr::parse(text, range(0, text.len()));
    expression(text, &tree);
    for error in errors {
        inside(text, error.range);
    }
}

fn expression(text: &str, expr: &template::Expr) {
    inside(text, expr.range);
    for child in expr.children() {
        expression(text, child);
    }
}

fn tables(text: &str) {
    for reference in sql::table_references(text).unwrap_or_default() {
        inside(text, reference.range);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn datafiles_never_panic(text in any_text()) {
        datafile(&text);
        words(&text);
    }

    #[test]
    fn blocks_never_panic(text in any_text()) {
        schema::parse(&text);
        indexes::parse(&text);
    }

    #[test]
    fn templates_never_panic(text in any_text()) {
        templates(&text);
    }

    #[test]
    fn queries_never_panic(text in any_text()) {
        tables(&text);
    }
}
