//! Columns that get another type.

use headwater_catalog::{Conversion, Type, conversion};

use crate::change::{Class, Rule};
use crate::compare::Cx;
use crate::release::{Column, ddl};
use crate::rules;
use crate::whole::people;

use super::readers::{Loss, broken_readers};
use super::{Pair, named_by};

/// How one type becomes another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Only how values are stored differs.
    Encoding,
    /// NULL may come; every value stays.
    Nullable,
    /// Every value arrives.
    Widening,
    /// NULL has to become something.
    NotNull,
    /// Some values may not arrive.
    Narrowing,
}

/// What a change of type does to values. Where nothing is known, values may be lost.
pub fn step(from: &str, to: &str) -> Step {
    let (Ok(a), Ok(b)) = (Type::parse(from), Type::parse(to)) else { return Step::Narrowing };
    if a.is_nullable() && !b.is_nullable() {
        return Step::NotNull;
    }
    let same_but_for_storage = a.without_any_low_cardinality() == b.without_any_low_cardinality() && a != b;
    if same_but_for_storage {
        return Step::Encoding;
    }
    let becomes_nullable = !a.is_nullable() && b.is_nullable();
    let (bare_a, bare_b) = (a.bare(), b.bare());
    if becomes_nullable && bare_a == bare_b {
        return Step::Nullable;
    }
    // States and what holds them: one function's states are no other's.
    if matches!(bare_a, Type::AggregateFunction(_) | Type::SimpleAggregateFunction(_))
        || matches!(bare_b, Type::AggregateFunction(_) | Type::SimpleAggregateFunction(_))
    {
        return Step::Narrowing;
    }
    match conversion(&a, &b) {
        Conversion::Lossless if becomes_nullable => Step::Widening,
        Conversion::Lossless => Step::Widening,
        _ => Step::Narrowing,
    }
}

pub(super) fn classify(cx: &Cx<'_>, pair: &mut Pair<'_>) {
    let pairs: Vec<(Column, Column)> = pair
        .new
        .columns
        .iter()
        .filter_map(|c| Some((pair.old.column(&c.name)?.clone(), c.clone())))
        .filter(|(old, new)| old.ty != new.ty)
        .collect();
    for (old, new) in pairs {
        retyped(cx, pair, &old, &new);
    }
}

fn retyped(cx: &Cx<'_>, pair: &mut Pair<'_>, old: &Column, new: &Column) {
    let name = &new.name;
    let step = step(&old.ty, &new.ty);
    let (rule, what): (&'static Rule, String) = match step {
        Step::Encoding => (rules::LOW_CARDINALITY, format!("{} and {} hold the same values", old.ty, new.ty)),
        Step::Nullable => (rules::NULLABLE_COLUMN, "every value stays, and NULL may come".to_owned()),
        Step::Widening => (rules::WIDEN_COLUMN, format!("every {} is a {}", old.ty, new.ty)),
        Step::NotNull => (
            rules::NOT_NULL_COLUMN,
            format!("{} has to become {}; FORWARD_QUERY must say what NULL becomes", old.ty, new.ty),
        ),
        Step::Narrowing => (
            rules::RETYPE_COLUMN,
            format!(
                "not every {} is a {}; FORWARD_QUERY must say what becomes of the others",
                old.ty, new.ty
            ),
        ),
    };
    let broken = broken_readers(cx, pair.key, name, Loss::Retyped { from: &old.ty, to: &new.ty });
    if !broken.is_empty() {
        let reason = format!(
            "as {}, `{name}` does not fit in {}: the engine refuses the query",
            new.ty,
            people(&broken)
        );
        pair.push(cx, rule, Class::Refuse, Some(name), reason).dependents = broken;
        return;
    }
    if !pair.stores() {
        let sql = format!("ALTER TABLE {} MODIFY COLUMN {} {}", pair.name(), ddl::identifier(name), new.ty);
        let reason = "the table stores nothing: it only gets another shape";
        pair.push(cx, rule, Class::Alter, Some(name), reason).sql = vec![sql];
        return;
    }
    if matches!(step, Step::NotNull | Step::Narrowing) {
        pair.recast.insert(name.clone());
        let change = pair.push(cx, rule, Class::Refuse, Some(name), what);
        let path = change.path.clone();
        let fix = pair.forward_fix(&path);
        let last = pair.changes.len() - 1;
        if fix.is_none() {
            let way_out = if cx.new.views(cx.after, pair.key).is_empty() {
                "keep the column, and add one of the new type beside it"
            } else {
                "only the view that fills the table can make these values anew"
            };
            pair.changes[last].reason =
                format!("no expression makes {} out of {}: {way_out}", new.ty, old.ty);
        }
        pair.changes[last].fix = fix;
        return;
    }
    // The engine does not change the type of a column that parts are sorted or split by, or that an index holds.
    let keys = named_by(pair.old, name);
    let keys: Vec<_> = keys.into_iter().filter(|k| !k.starts_with("the DEFAULT")).collect();
    if !keys.is_empty() {
        let reason = format!("{what}, but {} uses it, so it cannot be changed in place", keys.join(", "));
        pair.push(cx, rule, Class::Rewrite, Some(name), reason);
        return;
    }
    let sql = format!("ALTER TABLE {} MODIFY COLUMN {} {}", pair.name(), ddl::identifier(name), new.ty);
    let reason = format!("{what}; this one column is rewritten");
    pair.push(cx, rule, Class::Mutate, Some(name), reason).sql = vec![sql];
}
