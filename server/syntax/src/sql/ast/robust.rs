//! No tree makes an accessor panic, or find something outside of its node.

use proptest::prelude::*;

use super::generated::every_accessor;
use super::*;
use crate::sql::parse;

fn walk(text: &str) {
    let Some(tree) = parse(text) else { return };
    let root = tree.root_node();
    for node in nodes(root) {
        assert!(text.get(node.byte_range()).is_some(), "{node:?} in {text:?}");
        let mut see =
            |found: Node<'_>| assert!(place(node).contains_range(place(found)), "{found:?} of {node:?}");
        every_accessor(node, &mut see);
        every_helper(node, text);
    }
    for offset in (0..text.len()).step_by(text.len() / 8 + 1) {
        let offset = text_size::TextSize::try_from(offset).expect("short");
        for definition in definitions_at(root, offset, text) {
            definition.plain_name(text);
        }
    }
}

fn every_helper(node: Node<'_>, text: &str) {
    if let Some(expression) = Expression::cast(node) {
        if let Some(call) = expression.call(text) {
            assert!(place(node).contains_range(call.name_range), "{call:?}");
        }
        expression.output_name(text);
        expression.literal(text);
        expression.identifier();
    }
    if let Some(query) = Query::cast(node) {
        for branch in query.branches(text) {
            assert!(place(node).contains_range(branch.select.range()));
        }
    }
    if let Some(select) = SelectQuery::cast(node) {
        for source in select.sources() {
            assert!(place(node).contains_range(source.table.range()));
        }
        select.items().for_each(|item| drop(item.output_name(text)));
        select.definitions().for_each(|definition| drop(definition.plain_name(text)));
    }
    if let Some(table) = TableName::cast(node) {
        table.plain(text);
    }
    if let Some(column) = ColumnRef::cast(node) {
        column.parts(text);
    }
}

/// The queries of the grammar's corpus.
fn corpus() -> Vec<String> {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../grammar/sql/test/corpus");
    let files = std::fs::read_dir(folder).expect("a corpus");
    let mut paths: Vec<_> = files.map(|file| file.expect("readable").path()).collect();
    paths.sort();
    let files: Vec<_> = paths.iter().map(|path| std::fs::read_to_string(path).expect("text")).collect();
    // `=== name === query --- tree`
    let cases = files.iter().flat_map(|file| file.split("\n---\n"));
    cases.filter_map(|case| case.rsplit("===\n").next()).map(str::to_owned).collect()
}

const PIECES: &[&str] = &[
    "(",
    ")",
    "[",
    "]",
    "{",
    "}",
    "'",
    "`",
    ",",
    ".",
    "::",
    "*",
    "SELECT ",
    " FROM ",
    " WITH ",
    " AS ",
    " JOIN ",
    " UNION ALL ",
    " IN ",
    " CASE ",
    " END ",
    " BETWEEN ",
    " NOT ",
    "{{x}}",
    "{% if a %}",
    "{% end %}",
    "é",
    "\0",
    "--",
    "/*",
    "$$",
    "INTERVAL ",
];

#[test]
fn the_corpus_is_walked() {
    let corpus = corpus();
    assert!(corpus.len() > 20, "only {} queries", corpus.len());
    for text in corpus {
        walk(&text);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn broken_queries_are_walked(
        text in prop::sample::select(corpus()),
        edits in prop::collection::vec((any::<prop::sample::Index>(), 0..12usize, prop::sample::select(PIECES)), 0..6),
    ) {
        let mut text: Vec<char> = text.chars().collect();
        for (at, cut, piece) in edits {
            let at = at.index(text.len() + 1);
            let end = (at + cut).min(text.len());
            text.splice(at..end, piece.chars());
        }
        walk(&text.into_iter().collect::<String>());
    }
}
