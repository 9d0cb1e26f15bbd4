//! Queries: their branches, what they read, and the names that `WITH` gives.

use text_size::TextSize;

use super::support::{AstNode, words};
use super::walk::nodes;
use super::{
    Cte, FromClause, Join, JoinedTables, Kind, Node, Query, ScalarCte, SelectItem, SelectQuery, SetOperation,
    Subquery, TableRef, TableSource, WithClause, place,
};

/// How the rows of two queries are put together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SetKind {
    /// `UNION`
    Union,
    /// `EXCEPT`
    Except,
    /// `INTERSECT`
    Intersect,
    /// The branches of a template stand one after the other: one of them is the query.
    Alternative,
}

/// One `SELECT` of a query.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Branch<'t> {
    /// What stands before it; `None` for the first.
    pub joined_by: Option<SetKind>,
    /// The query.
    pub select: SelectQuery<'t>,
}

impl<'t> Query<'t> {
    /// Every `SELECT` of set operations, parentheses and template branches, in order of position. The first names the
    /// columns. Depth costs no stack.
    pub fn branches(self, source: &str) -> Vec<Branch<'t>> {
        let mut out = Vec::new();
        let mut todo = vec![(None, self)];
        while let Some((joined_by, query)) = todo.pop() {
            match query {
                Self::SelectQuery(select) => out.push(Branch { joined_by, select }),
                Self::Subquery(subquery) => {
                    todo.extend(subquery.inner().map(|q| (joined_by, q)));
                }
                Self::SetOperation(set) => {
                    todo.extend(set.right().map(|right| (set.kind(source), right)));
                    todo.extend(set.left().map(|left| (joined_by, left)));
                }
                Self::QueryAlternatives(both) => {
                    let queries: Vec<Self> = super::Children::all(both.node()).collect();
                    for (n, query) in queries.into_iter().enumerate().rev() {
                        todo.push((if n == 0 { joined_by } else { Some(SetKind::Alternative) }, query));
                    }
                }
                // Grammars may know more queries than these.
                #[allow(unreachable_patterns)]
                _ => {}
            }
        }
        out
    }

    /// The query without parentheses around it.
    pub fn peeled(self) -> Self {
        let mut query = self;
        while let Self::Subquery(subquery) = query
            && let Some(inner) = subquery.inner()
        {
            query = inner;
        }
        query
    }
}

impl<'t> SetOperation<'t> {
    /// Which operation it is.
    pub fn kind(self, source: &str) -> Option<SetKind> {
        words(self.node(), source).find_map(|word| match word.as_str() {
            "UNION" => Some(SetKind::Union),
            "EXCEPT" => Some(SetKind::Except),
            "INTERSECT" => Some(SetKind::Intersect),
            _ => None,
        })
    }

    /// Whether equal rows are kept (`ALL`) or not (`DISTINCT`); `None` when settings decide.
    pub fn keeps_duplicates(self, source: &str) -> Option<bool> {
        words(self.node(), source).find_map(|word| match word.as_str() {
            "ALL" => Some(true),
            "DISTINCT" => Some(false),
            _ => None,
        })
    }
}

/// How a table comes into a `FROM`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place<'t> {
    /// The first one.
    First,
    /// Behind a comma, or as another branch of a template.
    Comma,
    /// By a join.
    Join(Join<'t>),
}

/// A table that a `FROM` reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Source<'t> {
    /// The table, with its alias.
    pub table: TableRef<'t>,
    /// How it comes in.
    pub place: Place<'t>,
}

impl<'t> SelectQuery<'t> {
    /// The columns asked for.
    pub fn items(self) -> impl Iterator<Item = SelectItem<'t>> {
        self.select_lists().flat_map(|list| list.select_items())
    }

    /// Every table of its `FROM`, in order of position; tables in parentheses (`FROM (a JOIN b …)`) one by one.
    pub fn sources(self) -> Vec<Source<'t>> {
        self.from_clauses().flat_map(FromClause::sources).collect()
    }

    /// What `WITH` defines, in order: each entry sees those before it.
    pub fn definitions(self) -> impl Iterator<Item = Definition<'t>> {
        self.with_clauses().flat_map(|with| super::Children::all(with.node()))
    }
}

impl<'t> FromClause<'t> {
    /// Every table of it, in order of position.
    pub fn sources(self) -> Vec<Source<'t>> {
        let mut out = Vec::new();
        let mut todo = tables_in(self.node(), Place::First);
        todo.reverse();
        while let Some(source) = todo.pop() {
            match source.table.source() {
                Some(TableSource::JoinedTables(inner)) => {
                    todo.extend(JoinedTables::sources(inner, source.place).into_iter().rev());
                }
                _ => out.push(source),
            }
        }
        out
    }
}

impl<'t> JoinedTables<'t> {
    fn sources(self, place: Place<'t>) -> Vec<Source<'t>> {
        tables_in(self.node(), place)
    }
}

/// The tables directly in a `FROM` or in parentheses; `first` is how the first of them comes in.
fn tables_in<'t>(node: Node<'t>, first: Place<'t>) -> Vec<Source<'t>> {
    let mut out = Vec::new();
    for child in node.children() {
        if let Some(table) = TableRef::cast(child) {
            out.push(Source { table, place: if out.is_empty() { first } else { Place::Comma } });
        } else if let Some(join) = Join::cast(child)
            && let Some(table) = join.right()
        {
            out.push(Source { table, place: Place::Join(join) });
        }
    }
    out
}

impl Join<'_> {
    /// The words of the join in capitals, without `JOIN`, `ON` and `USING`: `LEFT`, `ANY`, `ASOF`…
    pub fn modifiers(self, source: &str) -> Vec<String> {
        words(self.node(), source).take_while(|word| word != "JOIN").collect()
    }
}

ast_enum! {
    /// An entry of `WITH`.
    Definition {
        /// `name AS (SELECT …)`: a table.
        Cte = Cte,
        /// `expression AS name`: a value.
        ScalarCte = ScalarCte,
    }
}

impl Definition<'_> {
    /// The name it defines, unquoted.
    pub fn plain_name(self, source: &str) -> Option<crate::Spanned<String>> {
        match self {
            Self::Cte(cte) => cte.plain_name(source),
            Self::ScalarCte(scalar) => scalar.plain_name(source),
        }
    }
}

impl WithClause<'_> {
    /// Whether its queries may read themselves.
    pub fn is_recursive(self, source: &str) -> bool {
        words(self.node(), source).take(2).any(|word| word == "RECURSIVE")
    }
}

/// The names that `WITH` gives to the text at `offset`, innermost first. In
/// `WITH events AS (SELECT * FROM events)` the inner name is the table, not itself, unless the `WITH` is `RECURSIVE`.
/// What the first `SELECT` of a `UNION` defines, the others see too. Takes time with the depth of the tree.
pub fn definitions_at<'t>(root: Node<'t>, offset: TextSize, source: &str) -> Vec<Definition<'t>> {
    let mut found: Vec<Vec<Definition<'t>>> = Vec::new();
    let at = usize::from(offset);
    let mut node = root;
    loop {
        if let Some(select) = SelectQuery::cast(node) {
            found.push(before(select, offset, source));
        } else if let Some(set) = SetOperation::cast(node)
            && !set.left().is_some_and(|left| left.range().contains_inclusive(offset))
        {
            // Here the first one is not on the way down.
            let first =
                nodes(node).map(Kind::of).zip(nodes(node)).find(|(kind, _)| *kind == Kind::SelectQuery);
            let first = first.and_then(|(_, node)| SelectQuery::cast(node));
            let in_parentheses = set.left().is_some_and(|left| matches!(leftmost(left), Query::Subquery(_)));
            found.extend(first.filter(|_| !in_parentheses).map(|select| before(select, offset, source)));
        }
        let inner = node.children().find(|child| child.end_byte() > at);
        let Some(inner) = inner.filter(|child| place(*child).contains_inclusive(offset)) else { break };
        node = inner;
    }
    found.into_iter().rev().flat_map(|definitions| definitions.into_iter().rev()).collect()
}

fn leftmost(query: Query<'_>) -> Query<'_> {
    let mut query = query;
    while let Query::SetOperation(set) = query
        && let Some(left) = set.left()
    {
        query = left;
    }
    query
}

/// What a `SELECT` defines for the text at `offset`: entries that end before it, or hold it and are recursive.
fn before<'t>(select: SelectQuery<'t>, offset: TextSize, source: &str) -> Vec<Definition<'t>> {
    let recursive = select.with_clause().is_some_and(|with| with.is_recursive(source));
    let sees = |d: &Definition<'t>| d.range().end() < offset || recursive && d.range().start() < offset;
    select.definitions().filter(sees).collect()
}

impl<'t> Subquery<'t> {
    /// The query in the parentheses.
    pub fn inner(self) -> Option<Query<'t>> {
        Query::cast(self.query()?.node())
    }
}

impl<'t> Cte<'t> {
    /// The query that fills the table.
    pub fn inner(self) -> Option<Query<'t>> {
        Query::cast(self.query()?.node()).map(Query::peeled)
    }
}
