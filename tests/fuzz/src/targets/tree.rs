//! Syntax trees of the tree-sitter grammars, and what is read from the SQL one.

use std::cell::RefCell;
use std::ops::ControlFlow;

use headwater_syntax::{range, sql};
use tree_sitter::{Language, Node, ParseOptions, Parser, Tree};

use super::{inside, ordered, within};
use crate::trial::Trace;

pub(super) fn sql(text: &str, trace: &mut Trace) {
    if let Some(tree) = sql::parse_raw(text) {
        structure(text, &tree, trace);
    }
    assert_eq!(sql::parse(text), sql::parse(text), "parsing SQL is deterministic");
    let whole = range(0, text.len());
    let references = sql::table_references(text);
    assert_eq!(references, sql::table_references(text), "reading tables is deterministic");
    for reference in references.iter().flatten() {
        let written = inside(text, reference.range);
        // A quoted name may have escapes, which are no part of it.
        let plain = written.contains(&reference.name) || written.contains(['`', '"', '\\']);
        assert!(plain, "{:?} is not in {written:?}", reference.name);
        trace.saw((reference.usage as u8, reference.database.is_some()));
    }
    let statements = sql::statements(text);
    ordered(statements.iter().map(|s| s.range), "statements");
    for statement in &statements {
        inside(text, statement.range);
        trace.saw(&statement.kind);
        for error in &statement.errors {
            inside(text, error.range);
            within(error.range, whole, "an error");
        }
    }
}

thread_local! {
    static PARSERS: RefCell<Vec<Parser>> = RefCell::new(
        [headwater_grammar::PIPE, headwater_grammar::DATASOURCE, headwater_grammar::CONNECTION]
            .into_iter()
            .map(|language| {
                let mut parser = Parser::new();
                parser.set_language(&Language::from(language)).expect("the grammar fits the runtime");
                parser
            })
            .collect(),
    );
}

/// The grammars of whole files, which editors colour with.
pub(super) fn datafile(text: &str, trace: &mut Trace) {
    PARSERS.with_borrow_mut(|parsers| {
        for parser in parsers {
            parser.reset();
            if let Some(tree) = bounded(parser, text) {
                structure(text, &tree, trace);
            }
        }
    });
}

/// Parses with an end: a grammar's hang is a finding of [`crate::growth`], and must not end the run.
fn bounded(parser: &mut Parser, text: &str) -> Option<Tree> {
    let mut budget = 10_000 + 4 * text.len();
    let mut progress = |_: &tree_sitter::ParseState| {
        budget = budget.saturating_sub(1);
        if budget == 0 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    };
    let options = ParseOptions::new().progress_callback(&mut progress);
    let bytes = text.as_bytes();
    parser.parse_with_options(&mut |at, _| bytes.get(at..).unwrap_or_default(), None, Some(options))
}

/// Nodes lie in their parents, in order, between characters; what no node covers is white space.
fn structure(text: &str, tree: &Tree, trace: &mut Trace) {
    let root = tree.root_node();
    let mut cursor = root.walk();
    // Each open node, with where its last child ended.
    let mut open: Vec<(Node<'_>, usize)> = Vec::new();
    loop {
        let node = cursor.node();
        inside(text, range(node.start_byte(), node.end_byte()));
        assert!(node.start_byte() <= node.end_byte(), "a node does not end before it starts");
        if let Some((parent, end)) = open.last_mut() {
            assert!(
                node.start_byte() >= parent.start_byte() && node.end_byte() <= parent.end_byte(),
                "{node:?} is not within {parent:?}"
            );
            assert!(node.start_byte() >= *end, "{node:?} overlaps its neighbour");
            gap(text, *parent, *end, node.start_byte());
            *end = node.end_byte();
            trace.saw((parent.kind_id(), node.kind_id(), node.is_missing()));
        }
        if cursor.goto_first_child() {
            open.push((node, node.start_byte()));
            continue;
        }
        while !cursor.goto_next_sibling() {
            if !cursor.goto_parent() {
                return;
            }
            if let Some((parent, end)) = open.pop() {
                gap(text, parent, end, parent.end_byte());
            }
        }
    }
}

/// Text of a node that none of its children covers. Recovery throws text away and says so by its error node.
fn gap(text: &str, parent: Node<'_>, from: usize, to: usize) {
    // A name around template outputs consists of pieces that have no nodes of their own.
    if parent.is_error() || parent.kind() == "templated_name" || from >= to {
        return;
    }
    let between = &text[from..to];
    let blank =
        between.chars().all(|c| c.is_whitespace() || c == '\u{feff}' || c == '\u{200b}' || c == '\u{2060}');
    assert!(blank, "{between:?} in {parent:?} is in no node");
}
