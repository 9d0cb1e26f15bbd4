//! The walk that finds where a query names its tables.

use rustc_hash::FxHashSet;
use text_size::TextRange;

use super::ast::{
    AstNode, ColumnRef, Cte, Event, Expression, FunctionCall, InExpression, Kind, Literal, Name, Node,
    ScalarCte, TableName, TableRef, Walk, WithClause,
};
use super::{TableReference, TableUse, Tree};
use crate::Spanned;

/// Functions whose first argument names a table or dictionary in a string.
const NAME_TAKING: &[&str] =
    &["joinget", "joingetornull", "dictget", "dictgetordefault", "dictgetornull", "dicthas"];

/// Every table that the query in `tree` reads, in order of position. Linear.
pub fn table_references_in(tree: &Tree, text: &str) -> Vec<TableReference> {
    let mut tables = Tables { text, scopes: vec![Scope::default()], out: Vec::new() };
    // Kinds of the nodes around, and whether a comma was the last thing seen: a walk knows what it would take a node
    // long to find out.
    let mut around: Vec<Kind> = Vec::new();
    let mut behind_comma = false;
    for event in Walk::new(tree.root_node()) {
        match event {
            Event::Enter(node) => {
                let kind = Kind::of(node);
                if let Some(table) = TableRef::cast(node) {
                    let joins = behind_comma || around.last() == Some(&Kind::Join);
                    tables.table(table, if joins { TableUse::Join } else { TableUse::From });
                } else {
                    tables.enter(kind, node);
                }
                behind_comma = false;
                around.push(kind);
            }
            Event::Leave(node) => {
                around.pop();
                let kind = Kind::of(node);
                behind_comma = kind == Kind::Token && node.kind() == ",";
                tables.leave(kind, node);
            }
        }
    }
    tables.out
}

/// The names of one query.
#[derive(Default)]
struct Scope {
    names: FxHashSet<String>,
    /// Whether its WITH is recursive: then each CTE sees itself.
    recursive: bool,
}

struct Tables<'t> {
    text: &'t str,
    /// Names that WITH defines, innermost query last. A CTE sees those before it, not itself: in
    /// `WITH events AS (SELECT * FROM events)` the inner name is the table.
    scopes: Vec<Scope>,
    out: Vec<TableReference>,
}

impl Tables<'_> {
    fn enter(&mut self, kind: Kind, node: Node<'_>) {
        match kind {
            Kind::Subquery | Kind::Statement => self.scopes.push(Scope::default()),
            Kind::WithClause => {
                let recursive = WithClause::cast(node).is_some_and(|with| with.is_recursive(self.text));
                if let Some(scope) = self.scopes.last_mut() {
                    scope.recursive = recursive;
                }
            }
            Kind::Cte => {
                if self.scopes.last().is_some_and(|scope| scope.recursive) {
                    self.define(Cte::cast(node).and_then(|cte| cte.plain_name(self.text)));
                }
                self.scopes.push(Scope::default());
            }
            Kind::InExpression => {
                InExpression::cast(node).and_then(|e| self.in_expression(e));
            }
            Kind::FunctionCall => {
                FunctionCall::cast(node).and_then(|call| self.function_call(call));
            }
            _ => {}
        }
    }

    fn leave(&mut self, kind: Kind, node: Node<'_>) {
        match kind {
            Kind::Subquery | Kind::Statement => {
                self.scopes.pop();
            }
            Kind::Cte => {
                self.scopes.pop();
                self.define(Cte::cast(node).and_then(|cte| cte.plain_name(self.text)));
            }
            Kind::ScalarCte => self.define(ScalarCte::cast(node).and_then(|cte| cte.plain_name(self.text))),
            _ => {}
        }
    }

    fn define(&mut self, name: Option<Spanned<String>>) {
        if let (Some(name), Some(scope)) = (name, self.scopes.last_mut()) {
            scope.names.insert(name.value);
        }
    }

    fn push(&mut self, database: Option<String>, name: String, range: TextRange, usage: TableUse) {
        let hidden = database.is_none() && self.scopes.iter().any(|scope| scope.names.contains(&name));
        if !hidden {
            self.out.push(TableReference { database, name, range, usage });
        }
    }

    fn table(&mut self, table: TableRef<'_>, usage: TableUse) {
        let source = table.source().and_then(|source| TableName::cast(source.node()));
        if let Some(table) = source.and_then(|table| table.plain(self.text)) {
            self.push(table.database, table.name, table.range, usage);
        }
    }

    /// `x IN name` and `x IN database.name`.
    fn in_expression(&mut self, e: InExpression<'_>) -> Option<()> {
        let Expression::ColumnRef(right) = e.right()? else { return None };
        let (database, name) = two(right, self.text)?;
        self.push(database, name, right.range(), TableUse::In);
        Some(())
    }

    fn function_call(&mut self, call: FunctionCall<'_>) -> Option<()> {
        let name = Name::cast(call.name()?.node())?.text(self.text);
        NAME_TAKING.iter().find(|function| function.eq_ignore_ascii_case(name))?;
        let argument = call.first_string()?;
        let Literal::String(value) = argument.value(self.text) else { return None };
        let (database, name) = match value.split_once('.') {
            Some((database, name)) => (Some(database.to_owned()), name.to_owned()),
            None => (None, value),
        };
        let quotes = argument.range();
        let range =
            crate::range(usize::from(quotes.start()) + 1, usize::from(quotes.end()).saturating_sub(1));
        // Strings know nothing of CTEs.
        if !name.is_empty() {
            self.out.push(TableReference { database, name, range, usage: TableUse::Argument });
        }
        Some(())
    }
}

/// A name of one part or two.
fn two(column: ColumnRef<'_>, text: &str) -> Option<(Option<String>, String)> {
    let mut parts = column.parts(text)?.into_iter().map(|part| part.value);
    match (parts.next(), parts.next(), parts.next()) {
        (Some(name), None, None) => Some((None, name)),
        (Some(database), Some(name), None) => Some((Some(database), name)),
        _ => None,
    }
}
