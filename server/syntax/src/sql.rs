//! Where a query names its tables.
//!
//! The text is SQL, or a variant of a template: `{{ }}` may stand in it, control tags are blanked. Trees come from
//! the tree-sitter grammar and are walked with an explicit cursor, so nesting depth costs no stack.

pub mod ast;
mod faults;
mod statements;
mod strict;
mod tables;
mod tree;

use std::cell::RefCell;
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use text_size::TextRange;
use tree_sitter::{ParseOptions, Parser};

pub use faults::{Reading, SyntaxError, as_read, errors, read};
pub use statements::{Statement, statements};
pub use tables::table_references_in;
pub use tree::{Node, Tree};

/// How a query uses a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum TableUse {
    /// First table of a FROM clause, or of parentheses in one.
    From,
    /// Right side of a JOIN or behind a comma.
    Join,
    /// `x IN name`: a table, unless the name is an alias or a column, which only types can tell.
    In,
    /// First argument of `joinGet`, `dictGet` and the like.
    Argument,
}

/// A name in table position that no CTE of the query defines.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct TableReference {
    /// The part before the dot.
    pub database: Option<String>,
    /// The table's name without quotes.
    pub name: String,
    /// The whole reference in the text.
    pub range: TextRange,
    /// Where it stands in the query.
    pub usage: TableUse,
}

/// Queries beyond this are not parsed. The largest real one seen has 60 KB; a megabyte of SQL is data in disguise, and
/// parsing it would hold a worker for a second.
pub const MAX_BYTES: usize = 1 << 20;

/// Parses SQL, or a template's variant. `None` when the text is longer than [`MAX_BYTES`], or needs more work than its
/// length can justify: both bound the time that hostile input can take.
pub fn parse(text: &str) -> Option<Tree> {
    parse_raw(text).map(|tree| Tree::of(&tree))
}

/// What [`parse`] copies: the parser's own tree, for tools that look at the grammar.
pub fn parse_raw(text: &str) -> Option<tree_sitter::Tree> {
    if text.len() > MAX_BYTES {
        return None;
    }
    PARSER.with_borrow_mut(|parser| parse_with(parser.as_mut()?, text))
}

thread_local! {
    /// One parser a thread: it keeps its buffers from text to text.
    static PARSER: RefCell<Option<Parser>> = RefCell::new({
        let mut parser = Parser::new();
        parser.set_language(&headwater_grammar::SQL.into()).ok().map(|()| parser)
    });
}

fn parse_with(parser: &mut Parser, text: &str) -> Option<tree_sitter::Tree> {
    // A parse that was given up leaves a state behind which the next one would resume.
    parser.reset();
    // The parser asks about once per hundred steps; clean SQL takes a few steps per byte.
    let mut budget = 2_000 + text.len();
    let mut progress = |_: &tree_sitter::ParseState| {
        budget = budget.saturating_sub(1);
        if budget == 0 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    };
    let options = ParseOptions::new().progress_callback(&mut progress);
    let bytes = text.as_bytes();
    parser.parse_with_options(&mut |at, _| bytes.get(at..).unwrap_or_default(), None, Some(options))
}

/// Parses `text` until `stopped` is set, telling `log` about every step.
fn parse_logged(text: &str, log: Box<dyn FnMut(tree_sitter::LogType, &str) + Send>, stopped: &AtomicBool) {
    let mut parser = Parser::new();
    if parser.set_language(&headwater_grammar::SQL.into()).is_err() {
        return;
    }
    parser.set_logger(Some(log));
    let mut budget = 2_000 + text.len();
    let mut progress = |_: &tree_sitter::ParseState| {
        budget = budget.saturating_sub(1);
        if budget == 0 || stopped.load(Relaxed) { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    };
    let options = ParseOptions::new().progress_callback(&mut progress);
    let bytes = text.as_bytes();
    parser.parse_with_options(&mut |at, _| bytes.get(at..).unwrap_or_default(), None, Some(options));
}

/// Every table that `text` reads, in order of position; `None` when [`parse`] gives up. Linear.
pub fn table_references(text: &str) -> Option<Vec<TableReference>> {
    Some(table_references_in(&parse(text)?, text))
}

/// An identifier without its quotes and escapes.
pub fn unquote(identifier: &str) -> String {
    ast::unquote(identifier).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(sql: &str, expected: &[&str]) {
        let got: Vec<_> = table_references(sql)
            .expect("short texts are parsed")
            .into_iter()
            .map(|r| {
                let database = r.database.map(|d| format!("{d}.")).unwrap_or_default();
                format!("{database}{} {:?}", r.name, r.usage)
            })
            .collect();
        assert_eq!(got, expected, "{sql}");
    }

    #[test]
    fn tables_stand_in_from_join_and_in() {
        check(
            "SELECT a FROM t1 x LEFT JOIN `t2` USING (a), ws.t3 WHERE b IN t4 AND c IN (SELECT d FROM t5)",
            &["t1 From", "t2 Join", "ws.t3 Join", "t4 In", "t5 From"],
        );
        check("SELECT joinGet('j', 'v', k) FROM numbers(10)", &["j Argument"]);
        check("SELECT * FROM (SELECT * FROM a UNION ALL SELECT * FROM b) FINAL", &["a From", "b From"]);
        check("SELECT 1 FROM {{table(x)}} ANY INNER JOIN b ON 1", &["b Join"]);
    }

    #[test]
    fn a_cte_hides_a_table_but_not_inside_itself() {
        check("WITH e AS (SELECT * FROM e) SELECT * FROM e", &["e From"]);
        check("WITH a AS (SELECT 1), b AS (SELECT * FROM a) SELECT * FROM b JOIN c USING x", &["c Join"]);
        check("WITH a AS (SELECT 1) SELECT * FROM a UNION ALL SELECT * FROM a", &[]);
        check("SELECT * FROM (WITH a AS (SELECT 1) SELECT * FROM a) JOIN a USING x", &["a Join"]);
        check("WITH [1] AS s SELECT x IN s FROM t", &["t From"]);
        check("WITH RECURSIVE r AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM r) SELECT * FROM r", &[]);
    }

    #[test]
    fn nesting_costs_no_stack() {
        let n = 10_000;
        table_references(&format!("SELECT {}1{} FROM t", "(".repeat(n), ")".repeat(n)));
        table_references(&"(SELECT ".repeat(n));
    }
}
