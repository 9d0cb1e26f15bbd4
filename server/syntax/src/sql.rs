//! Where a query names its tables.
//!
//! The text is SQL, or a variant of a template: `{{ }}` may stand in it, control tags are blanked. Trees come from
//! the tree-sitter grammar and are walked with an explicit cursor, so nesting depth costs no stack.

pub mod ast;
mod statements;

use std::cell::RefCell;
use std::ops::ControlFlow;
use std::sync::LazyLock;

use rustc_hash::FxHashSet;
use text_size::TextRange;
use tree_sitter::{Node, ParseOptions, Parser, Tree};

use crate::range;

pub use statements::{Statement, SyntaxError, statements};

/// How a query uses a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum TableUse {
    /// First table of a FROM clause.
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

fn parse_with(parser: &mut Parser, text: &str) -> Option<Tree> {
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

/// Every table that `text` reads, in order of position; `None` when [`parse`] gives up. Linear.
pub fn table_references(text: &str) -> Option<Vec<TableReference>> {
    let tree = parse(text)?;
    let mut walk = Walk { text, scopes: vec![FxHashSet::default()], out: Vec::new() };
    let mut cursor = tree.walk();
    walk.enter(cursor.node());
    loop {
        if cursor.goto_first_child() {
            walk.enter(cursor.node());
            continue;
        }
        loop {
            walk.leave(cursor.node());
            if cursor.goto_next_sibling() {
                walk.enter(cursor.node());
                break;
            }
            if !cursor.goto_parent() {
                return Some(walk.out);
            }
        }
    }
}

/// The kinds of node that matter here. Looked up by number: comparing names was a tenth of a cold start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Query,
    Cte,
    ScalarCte,
    TableRef,
    In,
    Call,
    Other,
}

static KINDS: LazyLock<Vec<Kind>> = LazyLock::new(|| {
    let language = tree_sitter::Language::from(headwater_grammar::SQL);
    let count = u16::try_from(language.node_kind_count()).unwrap_or(u16::MAX);
    let named = |id| match language.node_kind_for_id(id) {
        Some("subquery" | "statement") => Kind::Query,
        Some("cte") => Kind::Cte,
        Some("scalar_cte") => Kind::ScalarCte,
        Some("table_ref") => Kind::TableRef,
        Some("in_expression") => Kind::In,
        Some("function_call") => Kind::Call,
        _ => Kind::Other,
    };
    (0..count).map(named).collect()
});

impl Kind {
    fn of(node: Node<'_>) -> Self {
        KINDS.get(usize::from(node.kind_id())).copied().unwrap_or(Self::Other)
    }
}

struct Walk<'t> {
    text: &'t str,
    /// Names that WITH defines, innermost query last. A CTE sees those before it, not itself: in
    /// `WITH events AS (SELECT * FROM events)` the inner name is the table.
    scopes: Vec<FxHashSet<String>>,
    out: Vec<TableReference>,
}

/// Functions whose first argument names a table or dictionary in a string.
const NAME_TAKING: &[&str] =
    &["joinget", "joingetornull", "dictget", "dictgetordefault", "dictgetornull", "dicthas"];

impl Walk<'_> {
    fn enter(&mut self, node: Node<'_>) {
        match Kind::of(node) {
            Kind::Query => self.scopes.push(FxHashSet::default()),
            Kind::Cte => {
                if is_recursive(node) {
                    self.define(node);
                }
                self.scopes.push(FxHashSet::default());
            }
            Kind::TableRef => self.table_ref(node),
            Kind::In => self.in_expression(node),
            Kind::Call => self.function_call(node),
            Kind::ScalarCte | Kind::Other => {}
        }
    }

    fn leave(&mut self, node: Node<'_>) {
        match Kind::of(node) {
            Kind::Query => {
                self.scopes.pop();
            }
            Kind::Cte => {
                self.scopes.pop();
                self.define(node);
            }
            Kind::ScalarCte => self.define(node),
            _ => {}
        }
    }

    fn define(&mut self, cte: Node<'_>) {
        if let (Some(name), Some(scope)) = (cte.child_by_field_name("name"), self.scopes.last_mut()) {
            scope.insert(unquote(&self.text[name.byte_range()]));
        }
    }

    fn is_defined(&self, name: &str) -> bool {
        self.scopes.iter().any(|s| s.contains(name))
    }

    fn table_ref(&mut self, node: Node<'_>) {
        let Some(source) = node.child_by_field_name("source").filter(|n| n.kind() == "table_name") else {
            return;
        };
        let Some(table) = source.child_by_field_name("table").filter(|n| n.kind() == "identifier") else {
            return;
        };
        let database = source.child_by_field_name("database");
        if database.is_some_and(|d| d.kind() != "identifier") {
            return;
        }
        let in_join = node.parent().is_some_and(|p| p.kind() == "join");
        let behind_comma = node.prev_sibling().is_some_and(|s| s.kind() == ",");
        let usage = if in_join || behind_comma { TableUse::Join } else { TableUse::From };
        self.push(database, table, source, usage);
    }

    fn push(&mut self, database: Option<Node<'_>>, table: Node<'_>, whole: Node<'_>, usage: TableUse) {
        let name = unquote(&self.text[table.byte_range()]);
        let database = database.map(|d| unquote(&self.text[d.byte_range()]));
        if name.is_empty() || database.is_none() && self.is_defined(&name) {
            return;
        }
        let range = range(whole.start_byte(), whole.end_byte());
        self.out.push(TableReference { database, name, range, usage });
    }

    fn in_expression(&mut self, node: Node<'_>) {
        let Some(right) = node.child_by_field_name("right") else { return };
        let parts: Vec<_> = match right.kind() {
            "identifier" => vec![right],
            "column_ref" | "table_name" => {
                let mut cursor = right.walk();
                right.named_children(&mut cursor).collect()
            }
            _ => return,
        };
        match parts.as_slice() {
            [table] if table.kind() == "identifier" => self.push(None, *table, right, TableUse::In),
            [database, table] if database.kind() == "identifier" && table.kind() == "identifier" => {
                self.push(Some(*database), *table, right, TableUse::In);
            }
            _ => {}
        }
    }

    fn function_call(&mut self, node: Node<'_>) {
        let Some(name) = node.child_by_field_name("name") else { return };
        let name = self.text[name.byte_range()].to_ascii_lowercase();
        if !NAME_TAKING.contains(&name.as_str()) {
            return;
        }
        let Some(argument) = node.child_by_field_name("arguments").and_then(|a| a.named_child(0)) else {
            return;
        };
        let argument =
            if argument.kind() == "string" { argument } else { argument.named_child(0).unwrap_or(argument) };
        let literal = &self.text[argument.byte_range()];
        if argument.kind() == "string" && literal.len() > 2 {
            let inner = literal.trim_matches('\'');
            let (database, name) = match inner.split_once('.') {
                Some((database, name)) => (Some(database.to_owned()), name),
                None => (None, inner),
            };
            let range = range(argument.start_byte() + 1, argument.end_byte() - 1);
            let usage = TableUse::Argument;
            self.out.push(TableReference { database, name: name.to_owned(), range, usage });
        }
    }
}

fn is_recursive(cte: Node<'_>) -> bool {
    let Some(with) = cte.parent() else { return false };
    let mut cursor = with.walk();
    with.children(&mut cursor).take(3).any(|n| n.kind().to_ascii_lowercase().contains("recursive"))
}

/// An identifier without its quotes. Escapes inside quoted identifiers are as rare as they are unwise, and kept.
pub fn unquote(identifier: &str) -> String {
    let quoted = |q: char| identifier.strip_prefix(q).and_then(|s| s.strip_suffix(q));
    quoted('`').or_else(|| quoted('"')).unwrap_or(identifier).to_owned()
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
