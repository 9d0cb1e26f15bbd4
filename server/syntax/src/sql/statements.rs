//! A text of one or more statements, summarised: what each calls, reads and names, and where it does not parse.

use text_size::TextRange;

use super::ast::{AstNode, Event, FunctionCall, Identifier, Kind, Node, Walk, place, text as text_of};
use super::{Reading, SyntaxError, Tree, read, table_references_in};
use crate::range;

/// One statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statement {
    /// Where it stands.
    pub range: TextRange,
    /// What it is: `select`, `explain`…, or a directive's name for datafiles.
    pub kind: String,
    /// Where it does not parse.
    pub errors: Vec<SyntaxError>,
    /// Functions called, in order, as written.
    pub functions: Vec<String>,
    /// Tables read, `database.table`, in order.
    pub tables: Vec<String>,
    /// Columns and aliases used, in order, dots kept.
    pub identifiers: Vec<String>,
}

impl Statement {
    /// A statement about which nothing is known yet.
    pub fn empty(kind: String, range: TextRange) -> Self {
        let (errors, functions, tables, identifiers) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        Self { range, kind, errors, functions, tables, identifiers }
    }
}

/// Summaries of all statements of `text`, as the engine reads it. Linear.
pub fn statements(text: &str) -> Vec<Statement> {
    let Some(Reading { tree, errors }) = read(text) else {
        let whole = range(0, text.len());
        let mut statement = Statement::empty("unknown".to_owned(), whole);
        let message = "this text takes more work to parse than its length justifies; simplify it".to_owned();
        statement.errors.push(SyntaxError { range: whole, message });
        return vec![statement];
    };
    let mut out: Vec<Statement> = Vec::new();
    let root = tree.root_node();
    for child in root.children() {
        match Kind::of(child) {
            Kind::Statement => out.push(Statement::empty(kind(child), place(child))),
            // What recovery left outside of any statement is one of its own.
            _ if child.is_error() || child.is_missing() => {
                out.push(Statement::empty("error".to_owned(), place(child)));
            }
            _ => {}
        }
    }
    visit(text, &tree, &mut out);
    for error in errors {
        // Where no statement is, the one before is not complete; where none is before, this is one.
        let before = out.partition_point(|s| s.range.start() <= error.range.start());
        if before == 0 {
            out.insert(0, Statement::empty("error".to_owned(), error.range));
        }
        out[before.saturating_sub(1)].errors.push(error);
    }
    for reference in table_references_in(&tree, text) {
        let name = reference.database.map(|d| format!("{d}.")).unwrap_or_default() + &reference.name;
        if let Some(statement) = at(&mut out, reference.range) {
            statement.tables.push(name);
        }
    }
    out
}

fn kind(statement: Node<'_>) -> String {
    let inner = statement.named_children().next().map_or("statement", Node::kind);
    match inner {
        "select_query" | "set_operation" | "subquery" => "select".to_owned(),
        other => other.trim_end_matches("_statement").to_owned(),
    }
}

/// The first statement that holds `range`. They are in order, so it takes O(log n): there may be as many as nodes.
fn at(statements: &mut [Statement], range: TextRange) -> Option<&mut Statement> {
    let first = statements.partition_point(|s| s.range.end() < range.start());
    let mut near = statements[first..].iter_mut().take_while(|s| s.range.start() <= range.start());
    near.find(|s| s.range.contains_range(range))
}

fn visit(text: &str, tree: &Tree, out: &mut [Statement]) {
    let many = out.len() > 1;
    let mut walk = Walk::new(tree.root_node());
    while let Some(event) = walk.next() {
        let Event::Enter(node) = event else { continue };
        let kind = Kind::of(node);
        if kind == Kind::Token {
            continue;
        }
        if let Some(statement) = at(out, place(node)) {
            match kind {
                Kind::FunctionCall => {
                    let name = FunctionCall::cast(node).and_then(|call| call.name()).map(AstNode::node);
                    statement.functions.extend(name.map(|name| match Identifier::cast(name) {
                        Some(identifier) => identifier.name(text).into_owned(),
                        None => text_of(name, text).to_owned(),
                    }));
                }
                Kind::ColumnRef => statement.identifiers.push(text_of(node, text).to_owned()),
                _ => {}
            }
        }
        // What is inside an error is guesswork.
        if kind == Kind::Error && many {
            walk.skip_inside();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statements_are_summarised() {
        let found = statements("SELECT uniqIf(a.b, c > 1) FROM db.t; SELECT 1");
        assert_eq!(found.len(), 2);
        assert_eq!(found[0].functions, ["uniqIf"]);
        assert_eq!(found[0].tables, ["db.t"]);
        assert_eq!(found[0].identifiers, ["a.b", "c"]);
        assert_eq!(found[0].kind, "select");
        assert!(found.iter().all(|s| s.errors.is_empty()), "{found:?}");
    }

    #[test]
    fn errors_have_places() {
        let found = statements("SELECT (a FROM t WHERE");
        assert!(found.iter().any(|s| !s.errors.is_empty()));
        assert_eq!(statements("SELECT a FROM t WHERE")[0].errors[0].message, "an expression is missing here");
        assert_eq!(statements(""), []);
    }
}
