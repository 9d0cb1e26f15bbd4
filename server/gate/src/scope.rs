//! Names that a query gives with `WITH`, as far as the engine sees them.

use rustc_hash::FxHashSet;

/// What a name stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Given {
    /// `name AS (SELECT …)`: a table.
    Table,
    /// `expression AS name`: a value, or a function when the expression is a lambda.
    Value,
}

#[derive(Debug, Default)]
struct Scope {
    names: FxHashSet<(String, Given)>,
    /// Whether its `WITH` is recursive: then each entry sees itself.
    recursive: bool,
}

/// Scopes around a place, innermost last. An entry sees those before it, not itself: in `WITH events AS (SELECT * FROM events)`
/// the inner name is the table. (The engine lets it see later ones too; here they are tables, which refuses more.)
#[derive(Debug, Default)]
pub(crate) struct Scopes(Vec<Scope>);

impl Scopes {
    pub(crate) fn enter(&mut self) {
        self.0.push(Scope::default());
    }

    /// Ends the innermost scope. What the first `SELECT` of a `UNION` defines, the others see too: then the names go to the scope
    /// around it.
    pub(crate) fn leave(&mut self, keep: bool) {
        let Some(inner) = self.0.pop() else { return };
        if let Some(outer) = self.0.last_mut().filter(|_| keep) {
            outer.names.extend(inner.names);
        }
    }

    pub(crate) fn recursive(&mut self) {
        if let Some(scope) = self.0.last_mut() {
            scope.recursive = true;
        }
    }

    pub(crate) fn is_recursive(&self) -> bool {
        self.0.last().is_some_and(|scope| scope.recursive)
    }

    pub(crate) fn define(&mut self, name: String, given: Given) {
        if let Some(scope) = self.0.last_mut() {
            scope.names.insert((name, given));
        }
    }

    pub(crate) fn has(&self, name: &str, given: Given) -> bool {
        let key = (name.to_owned(), given);
        self.0.iter().any(|scope| scope.names.contains(&key))
    }
}
