//! `FORWARD_QUERY`: what it makes of live rows, and what it would have to be.

use std::collections::BTreeSet;
use std::sync::Arc;

use headwater_analysis::query::{self, Facts, FaultKind, Relation, Tables, insertable};
use headwater_catalog::{Conversion, Type, conversion};
use headwater_syntax::sql;

use crate::release::{Column, Table, ddl};

/// A `FORWARD_QUERY` read against the live schema and the new one.
#[derive(Debug, Clone, Default)]
pub(crate) struct ForwardQuery {
    /// Columns of the new schema that it does not give.
    pub(crate) missing: Vec<String>,
    /// Columns that it gives and the new schema does not have.
    pub(crate) needless: Vec<String>,
    /// What the live schema does not have.
    pub(crate) unknown: Vec<String>,
    /// Columns whose type cannot become the declared one.
    pub(crate) misfits: Vec<String>,
    /// Columns that it passes on as they are.
    pub(crate) passed: BTreeSet<String>,
    /// Columns that it makes of others, or of a value that is not the type's own default.
    pub(crate) made: BTreeSet<String>,
    /// Live columns that it names.
    pub(crate) reads: BTreeSet<String>,
}

impl ForwardQuery {
    /// Whether the engine would take it.
    pub(crate) fn is_valid(&self) -> bool {
        self.missing.is_empty()
            && self.unknown.is_empty()
            && self.misfits.is_empty()
            && self.needless.is_empty()
    }

    /// What is wrong with it, as a sentence.
    pub(crate) fn complaint(&self) -> String {
        let list = |names: &[String]| crate::whole::list(names.iter().map(String::as_str));
        let mut parts = Vec::new();
        if !self.unknown.is_empty() {
            parts.push(format!("names {}, which live rows do not have", list(&self.unknown)));
        }
        if !self.missing.is_empty() {
            parts.push(format!("does not give {}", list(&self.missing)));
        }
        if !self.needless.is_empty() {
            parts.push(format!("gives {}, which the schema does not have", list(&self.needless)));
        }
        if !self.misfits.is_empty() {
            parts.push(format!("gives a type that does not convert for {}", list(&self.misfits)));
        }
        parts.join(", and ")
    }
}

struct Live<'a> {
    name: &'a str,
    relation: Arc<Relation>,
}

impl Tables for Live<'_> {
    fn relation(&self, database: Option<&str>, name: &str) -> Option<Arc<Relation>> {
        (database.is_none() && name == self.name).then(|| self.relation.clone())
    }
}

/// Reads the query of the new schema; `None` when there is none.
pub(crate) fn read(old: &Table, new: &Table, name: &str) -> Option<ForwardQuery> {
    let text = new.forward_query.as_ref()?.trim().trim_end_matches(';');
    let columns = old.columns.iter().map(|c| query::Column::new(c.name.clone(), Type::parse(&c.ty).ok()));
    let live = Live { name, relation: Arc::new(Relation::of(columns.collect())) };
    // The live table is read by the product itself; some write it all the same.
    let has_from = sql::parse(text).is_some_and(|t| {
        sql::ast::nodes(t.root_node()).any(|n| sql::ast::Kind::of(n).name() == "from_clause")
    });
    let whole = if has_from { text.to_owned() } else { format!("{text}\nFROM {}", ddl::identifier(name)) };
    let facts = sql::parse(&whole).map(|tree| query::analyze(&whole, &tree, &live)).unwrap_or_default();
    Some(judged(&facts, &whole, new))
}

fn judged(facts: &Facts, text: &str, new: &Table) -> ForwardQuery {
    let given: Vec<&str> = facts.columns.iter().filter_map(|c| c.name.as_deref()).collect();
    let is_understood = facts.complete && given.len() == facts.columns.len();
    let mut out = ForwardQuery::default();
    for fault in &facts.faults {
        if let FaultKind::UnknownColumn { name, .. } = &fault.kind
            && !out.unknown.contains(name)
        {
            out.unknown.push(name.clone());
        }
    }
    out.reads = facts.bases.iter().map(|b| b.column.clone()).collect();
    for column in &facts.columns {
        let Some(name) = &column.name else { continue };
        match column.sources.as_slice() {
            [source] if source.is_copy && facts.bases[source.base].column == *name => {
                out.passed.insert(name.clone());
            }
            [] if is_default(&text[column.range]) => {}
            _ => {
                out.made.insert(name.clone());
            }
        }
    }
    if !is_understood {
        return out;
    }
    let missing = new.columns.iter().filter(|c| !given.contains(&c.name.as_str()));
    out.missing = missing.map(|c| c.name.clone()).collect();
    out.needless = given.iter().filter(|g| new.column(g).is_none()).map(|g| (*g).to_owned()).collect();
    for column in &facts.columns {
        let target = column.name.as_ref().and_then(|n| new.column(n)).and_then(|c| Type::parse(&c.ty).ok());
        let (Some(from), Some(to)) = (&column.ty, target) else { continue };
        if insertable(from, &to) == Some(false) {
            out.misfits.extend(column.name.clone());
        }
    }
    out
}

/// Whether an expression is what a new column holds anyway.
fn is_default(expression: &str) -> bool {
    let lower = expression.trim_start().to_ascii_lowercase();
    lower.starts_with("defaultvalueoftypename")
        || ["''", "0", "null", "[]"].iter().any(|v| {
            lower.strip_prefix(v).is_some_and(|rest| rest.is_empty() || rest.starts_with([' ', '\n']))
        })
}

/// The `FORWARD_QUERY` that keeps all that can be kept: each new column from the live one of its name, of the name that
/// it had, or from its default. `None` where no expression makes the one from the other.
pub(crate) fn exact(old: &Table, new: &Table, renamed: &[(String, String)]) -> Option<String> {
    let mut lines = Vec::new();
    for column in &new.columns {
        let was = renamed.iter().find(|(_, to)| *to == column.name).map(|(from, _)| from.as_str());
        let source = old.column(was.unwrap_or(&column.name));
        lines.push(match source {
            Some(source) => value(source, column)?,
            None => format!("{} AS {}", start_value(column)?, ddl::identifier(&column.name)),
        });
    }
    Some(format!("SELECT\n    {}", lines.join(",\n    ")))
}

/// The block as it stands in a file.
pub(crate) fn block(query: &str) -> String {
    let body: Vec<_> = query.lines().map(|line| format!("    {line}")).collect();
    format!("FORWARD_QUERY >\n{}\n", body.join("\n"))
}

/// What a new column holds in rows that are there.
fn start_value(column: &Column) -> Option<String> {
    match &column.default {
        Some(default) if column.ty.is_empty() => Some(default.clone()),
        Some(default) => Some(format!("CAST({default}, '{}')", quoted(&column.ty))),
        None if column.ty.is_empty() => None,
        // A state of no rows cannot be written down as a value.
        None if column.ty.starts_with("AggregateFunction") => None,
        None => Some(format!("defaultValueOfTypeName('{}')", quoted(&column.ty))),
    }
}

fn quoted(ty: &str) -> String {
    ty.replace('\\', "\\\\").replace('\'', "\\'")
}

/// A live column as the new one.
fn value(old: &Column, new: &Column) -> Option<String> {
    let (from, to) = (ddl::identifier(&old.name), ddl::identifier(&new.name));
    if old.ty == new.ty || new.ty.is_empty() || old.ty.is_empty() {
        return Some(if old.name == new.name { from } else { format!("{from} AS {to}") });
    }
    let expression = match (Type::parse(&old.ty).ok(), Type::parse(&new.ty).ok()) {
        (Some(a), Some(b)) => converted(&from, &a, &b, &new.ty, new.default.as_deref())?,
        _ => format!("CAST({from}, '{}')", quoted(&new.ty)),
    };
    Some(format!("{expression} AS {to}"))
}

/// An expression of the new type. What does not fit fails the backfill instead of becoming another value.
fn converted(column: &str, from: &Type, to: &Type, spelled: &str, default: Option<&str>) -> Option<String> {
    let is_state = |ty: &Type| matches!(ty, Type::AggregateFunction(_));
    let is_impossible =
        conversion(from, to) == Conversion::Impossible || insertable(from.bare(), to.bare()) == Some(false);
    if (is_state(from) || is_state(to)) && conversion(from, to) != Conversion::Same || is_impossible {
        return None;
    }
    let ty = quoted(spelled);
    if from.is_nullable() && !to.is_nullable() {
        let bare = quoted(&to.without_any_low_cardinality().to_string());
        let fallback = match default {
            Some(default) => format!("CAST({default}, '{bare}')"),
            None => format!("defaultValueOfTypeName('{bare}')"),
        };
        let inner = accurate(&format!("assumeNotNull({column})"), from.bare(), to, &bare);
        return Some(format!("CAST(if(isNull({column}), {fallback}, {inner}), '{ty}')"));
    }
    Some(accurate(column, from, to, &ty))
}

fn accurate(column: &str, from: &Type, to: &Type, ty: &str) -> String {
    let lossless = matches!(conversion(from, to), Conversion::Same | Conversion::Lossless);
    let is_scalar = |ty: &Type| {
        ty.bare().is_integer()
            || ty.bare().is_float()
            || matches!(ty.bare(), Type::Date | Type::Date32 | Type::DateTime(_))
    };
    // The engine's CAST lets numbers overflow.
    if !lossless && is_scalar(to) && (is_scalar(from) || from.bare().is_string()) {
        format!("accurateCast({column}, '{ty}')")
    } else {
        format!("CAST({column}, '{ty}')")
    }
}
