//! Shapes: the columns of tables, subqueries and results.

use std::sync::Arc;

use headwater_catalog::Type;
use headwater_syntax::TextRange;

use super::Source;

/// The columns of a table.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Relation {
    /// In order.
    pub columns: Vec<Column>,
    /// Columns that may be asked for but are not part of `*`.
    pub virtuals: Arc<[Column]>,
    /// Whether there are no other columns.
    pub complete: bool,
    /// Whether `*` shows some of the [virtual](Self::virtuals) columns, or may.
    pub star_may_show_more: bool,
    /// Whether `FINAL` may stand behind its name; `None` where that is not known.
    pub takes_final: Option<bool>,
    /// Whether `SAMPLE` may.
    pub takes_sample: Option<bool>,
    /// Whether it is that of a query which gives exactly one row.
    pub is_one_row: bool,
    /// Whether it is that of a node which gives other columns or types for other requests.
    pub by_request: bool,
}

/// A column of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    /// Its name; `None` where only the engine knows how it is called.
    pub name: Option<String>,
    /// Its type, if it is known.
    pub ty: Option<Type>,
    /// The types that it has in one request or another, when it is not the same in all.
    pub either: Option<Arc<[Type]>>,
    /// Where a query asks for it; `None` in tables.
    pub range: Option<TextRange>,
    /// What its value is computed from, sorted. Empty in tables: there a column is its own source.
    pub sources: Arc<[Source]>,
}

impl Column {
    /// A column of a table.
    pub fn new(name: impl Into<String>, ty: Option<Type>) -> Self {
        Self { name: Some(name.into()), ty, either: None, range: None, sources: Arc::new([]) }
    }
}

impl Relation {
    /// A table of which everything is known.
    pub fn of(columns: Vec<Column>) -> Self {
        Self { columns, complete: true, ..Self::default() }
    }

    /// A table of which nothing is known.
    pub fn unknown() -> Self {
        Self::default()
    }

    /// The column of that name. Linear in the number of columns.
    pub fn column(&self, name: &str) -> Option<&Column> {
        self.column_by(|own| own == name)
    }

    /// The first column whose name is meant.
    pub(super) fn column_by(&self, is_meant: impl Fn(&str) -> bool) -> Option<&Column> {
        let is_it = |c: &&Column| c.name.as_deref().is_some_and(&is_meant);
        self.columns.iter().find(is_it).or_else(|| self.virtuals.iter().find(is_it))
    }

    /// Whether a name that it does not have may still be one of its columns.
    pub fn may_have_more(&self) -> bool {
        !self.complete || self.columns.iter().any(|c| c.name.is_none())
    }
}
