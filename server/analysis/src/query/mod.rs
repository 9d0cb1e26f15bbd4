//! What a query means: the columns that it gives, what each is made of, and what is wrong.
//!
//! **Knows**: one text of SQL, its tree, and the shapes of the tables that it may name ([`Tables`]).
//!
//! **Must not know**: files, nodes, templates, salsa. Whoever asks puts names of tables into shapes, and places in the
//! text back into a file.
//!
//! The rules are those of the engine's analyzer (26.7), found by asking it. Where a table's columns are not known, or
//! text is broken or made by a template, nothing is said: a fault is reported only when the engine refuses the query.

mod aggregation;
mod comparison;
mod convert;
mod expression;
mod fault;
mod from;
mod identifier;
mod json;
mod probe;
mod relation;
mod scope;
mod select;
mod settings;
mod star;
#[cfg(test)]
mod tests;
mod typing;

use std::sync::Arc;

use headwater_catalog::Type;
use headwater_syntax::sql::ast::{self, AstNode};
use headwater_syntax::{TextRange, TextSize, sql};

pub(crate) use comparison::is_readable as may_be_read_as;
pub(crate) use convert::is_scalar;
pub use convert::{insertable, state_of};
pub use fault::{Fault, FaultKind};
pub use probe::{Around, VisibleTable, around, around_in_expressions};
pub use relation::{Column, Relation};
pub(crate) use settings::refuses as setting_refuses;

use scope::Analyzer;

/// Where a query's tables come from.
pub trait Tables {
    /// The shape of a table that no CTE of the query defines; `None` when nothing is known about it.
    fn relation(&self, database: Option<&str>, name: &str) -> Option<Arc<Relation>>;
}

/// What one query means.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Facts {
    /// The columns it gives, in order.
    pub columns: Vec<OutputColumn>,
    /// Whether these are all of them.
    pub complete: bool,
    /// Columns of tables that the text mentions, directly or through subqueries; lineage and uses refer to them.
    pub bases: Vec<BaseColumn>,
    /// Every mention of one of them, in order of position.
    pub uses: Vec<Use>,
    /// What is wrong, in order of position.
    pub faults: Vec<Fault>,
    /// Stars of which all columns are known, in order of position.
    pub stars: Vec<Expansion>,
}

impl Facts {
    /// Adds what is true for one request, that of the text: `these` are the facts over tables as that request has them.
    pub(crate) fn learn(&mut self, these: Self) {
        let is_same = self.columns.len() == these.columns.len()
            && self.columns.iter().zip(&these.columns).all(|(a, b)| a.name == b.name);
        if is_same {
            for (column, known) in self.columns.iter_mut().zip(these.columns) {
                if column.ty.is_none() && column.either.is_none() {
                    column.ty = known.ty;
                }
            }
        }
        for fault in these.faults {
            if !self.faults.iter().any(|known| known.range == fault.range && known.kind == fault.kind) {
                self.faults.push(Fault { needs_request: true, ..fault });
            }
        }
        self.faults.sort_by_key(|f| (f.range.start(), f.range.end()));
    }
}

/// The columns that a `*`, `t.*` or `COLUMNS(…)` stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expansion {
    /// The star with its modifiers.
    pub range: TextRange,
    /// In order; empty where the same star stands for different columns.
    pub columns: Vec<StarColumn>,
}

/// A column that a star stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StarColumn {
    /// How the query calls its table, where several could be meant.
    pub table: Option<String>,
    /// Its own name.
    pub own: String,
    /// What it is called in the result.
    pub called: String,
}

/// A column of the result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutputColumn {
    /// How the engine calls it; `None` where only the engine knows.
    pub name: Option<String>,
    /// Its type, when it is known.
    pub ty: Option<Type>,
    /// The types that it has in one request or another, when it is not the same in all.
    pub either: Option<Arc<[Type]>>,
    /// Where it is asked for.
    pub range: TextRange,
    /// Indexes of the base columns that its value is computed from, sorted.
    pub sources: Vec<Source>,
}

/// A base column in a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Source {
    /// Index into [`Facts::bases`].
    pub base: usize,
    /// Whether the value is the column itself, not something computed from it.
    pub is_copy: bool,
}

/// A column of a table that is read.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct BaseColumn {
    /// What stands before the table's dot.
    pub database: Option<String>,
    /// The table.
    pub table: String,
    /// The column.
    pub column: String,
}

/// What a column is used for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum UseKind {
    /// It is part of a value of the result.
    Value,
    /// It decides which rows count: `WHERE`, `HAVING`, `QUALIFY`, `PREWHERE`.
    Filter,
    /// It decides which rows meet.
    Join,
    /// It decides which rows are put together.
    Group,
    /// It decides about order, or what `LIMIT BY` keeps.
    Order,
}

/// A mention of a base column.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Use {
    /// Where.
    pub range: TextRange,
    /// Index into [`Facts::bases`].
    pub base: usize,
    /// What for.
    pub kind: UseKind,
    /// Whether the text says the column's own name, not that of something made of it.
    pub is_name: bool,
}

/// Analyses the first query of a text. Time grows with the text and the number of columns that its stars stand for.
pub fn analyze(text: &str, tree: &sql::Tree, tables: &dyn Tables) -> Facts {
    let query = ast::descendants::<ast::Statement<'_>>(tree.root_node()).find_map(|s| s.query());
    let Some(query) = query else { return Facts::default() };
    // A broken tree is read for its columns and uses; what is wrong with them might be the parser's guess.
    let is_broken = tree.has_error() || tree.is_recovered();
    let mut analyzer = Analyzer::new(text, tables);
    let relation = analyzer.query(query);
    analyzer.settings(tree.root_node());
    let mut facts = analyzer.finish();
    if is_broken {
        facts.faults.clear();
    }
    facts.complete = relation.complete && !is_broken;
    facts.columns = relation
        .columns
        .iter()
        .map(|column| OutputColumn {
            name: column.name.clone(),
            ty: column.ty.clone(),
            either: column.either.clone(),
            range: column.range.unwrap_or_else(|| query.range()),
            sources: column.sources.to_vec(),
        })
        .collect();
    facts
}

/// What expressions mean that stand for themselves, over the columns of one table: keys, defaults, expiry. Each gives one
/// column of the result. `None` when the text is too large to be looked at.
pub fn analyze_expressions(text: &str, table: Arc<Relation>) -> Option<Facts> {
    let (whole, shift) = as_expressions(text);
    let tree = sql::parse(&whole)?;
    let root = tree.root_node();
    let is_broken = tree.has_error() || tree.is_recovered();
    let mut analyzer = Analyzer::new(&whole, &Nowhere);
    let columns = analyzer.expressions(expressions(root), table);
    let mut facts = analyzer.finish();
    if is_broken {
        facts.faults.clear();
    }
    facts.complete = !is_broken;
    facts.columns = columns;
    let back = |range: &mut TextRange| {
        *range = TextRange::new(
            range.start().checked_sub(shift).unwrap_or_default(),
            range.end().checked_sub(shift).unwrap_or_default(),
        );
    };
    facts.columns.iter_mut().for_each(|c| back(&mut c.range));
    facts.uses.iter_mut().for_each(|u| back(&mut u.range));
    facts.faults.iter_mut().for_each(|f| back(&mut f.range));
    Some(facts)
}

/// The columns that a key names, in order.
pub fn columns_of_key(key: &str) -> Vec<String> {
    let (whole, _) = as_expressions(key.trim().trim_matches(['"', '\'']));
    let Some(tree) = sql::parse(&whole) else { return Vec::new() };
    let columns = ast::descendants::<ast::ColumnRef<'_>>(tree.root_node());
    columns.filter_map(|c| Some(c.single(&whole)?.into_owned())).collect()
}

/// A text that is parsed as expressions, and how far they are moved in it: two names alone could be columns with types.
/// What only expiry has (`TO DISK`, `DELETE WHERE`) is no part of a SELECT and stays as it is.
fn as_expressions(text: &str) -> (String, TextSize) {
    const SELECT: &str = "SELECT ";
    let is_simple = text.split(|c: char| !c.is_alphanumeric() && c != '_').all(|word| {
        !["DELETE", "TO", "WHERE", "RECOMPRESS", "SET", "DESC", "ASC"]
            .iter()
            .any(|w| w.eq_ignore_ascii_case(word))
    });
    if is_simple {
        (format!("{SELECT}{text}"), TextSize::of(SELECT))
    } else {
        (text.to_owned(), TextSize::from(0))
    }
}

/// The expressions of such a text.
fn expressions(root: ast::Node<'_>) -> Vec<ast::Expression<'_>> {
    match ast::descendants::<ast::SelectQuery<'_>>(root).next() {
        Some(select) => select.items().filter_map(|item| item.value()).collect(),
        None => {
            let lists = ast::descendants::<ast::Expressions<'_>>(root).take(1);
            lists.flat_map(|list| list.expressions()).collect()
        }
    }
}

/// No tables but those of the text.
struct Nowhere;

impl Tables for Nowhere {
    fn relation(&self, _: Option<&str>, _: &str) -> Option<Arc<Relation>> {
        None
    }
}
