//! Sorting, partition, primary and sampling keys.

use crate::change::{Class, Fix, FixEdit};
use crate::compare::Cx;
use crate::release::{Engine, Table};
use crate::rules;

use super::{Pair, names_in};

pub(super) fn classify(cx: &Cx<'_>, pair: &mut Pair<'_>) {
    nullable(cx, pair);
    repeated(cx, pair);
    let (old, new) = (&pair.old.engine, &pair.new.engine);
    // Null has no keys; becoming it, or something else than it, is a change of the engine.
    if old.name == "Null" || new.name == "Null" {
        return;
    }
    let shown =
        |key: &[String]| if key.is_empty() { "nothing".to_owned() } else { format!("`{}`", key.join(", ")) };
    // A primary key that is the sorting key is none of its own.
    let primary = |engine: &crate::release::Engine| {
        if engine.primary_key == engine.sorting_key { Vec::new() } else { engine.primary_key.clone() }
    };
    let keys = [
        (
            rules::SORTING_KEY,
            "ENGINE_SORTING_KEY",
            "sorted by",
            old.sorting_key.clone(),
            new.sorting_key.clone(),
        ),
        (
            rules::PARTITION_KEY,
            "ENGINE_PARTITION_KEY",
            "split by",
            old.partition_key.clone(),
            new.partition_key.clone(),
        ),
        (rules::PRIMARY_KEY, "ENGINE_PRIMARY_KEY", "indexed by", primary(old), primary(new)),
        (
            rules::SAMPLING_KEY,
            "ENGINE_SAMPLING_KEY",
            "sampled by",
            old.sampling_key.clone(),
            new.sampling_key.clone(),
        ),
    ];
    for (rule, directive, verb, was, is) in keys {
        let unknown = is
            .iter()
            .flat_map(|k| names_in(k))
            .find(|n| pair.new.column(n).is_none() && pair.old.column(n).is_none() && !n.contains('.'));
        if let Some(unknown) = unknown.filter(|_| was != is) {
            let reason = format!("{directive} names `{unknown}`, which is no column of the schema");
            pair.push(cx, rules::KEY_COLUMN, Class::Refuse, Some(&unknown), reason);
            continue;
        }
        if was == is {
            continue;
        }
        let reason = format!(
            "rows that are {verb} {} have to be {verb} {}: all are written anew",
            shown(&was),
            shown(&is)
        );
        pair.push(cx, rule, Class::Rewrite, None, reason);
    }
}

/// Functions that make something of NULL.
const NULL_ENDS: &[&str] =
    &["assumeNotNull", "ifNull", "coalesce", "isNull", "isNotNull", "if", "multiIf", "tuple", "nullIf"];

/// Refuses keys that may be NULL, which the engine does not make a table with; unless they were so before.
fn nullable(cx: &Cx<'_>, pair: &mut Pair<'_>) {
    let is_allowed = |table: &Table| {
        table.engine.settings.get("allow_nullable_key").is_some_and(|value| value != "0")
            || table.engine.name == "Null"
    };
    if is_allowed(pair.new) {
        return;
    }
    for (directive, of) in [
        ("ENGINE_SORTING_KEY", (|e| &e.sorting_key) as fn(&Engine) -> &Vec<String>),
        ("ENGINE_PARTITION_KEY", |e| &e.partition_key),
    ] {
        let was = if is_allowed(pair.old) { Vec::new() } else { nulls(pair.old, of(&pair.old.engine)) };
        for name in nulls(pair.new, of(&pair.new.engine)).into_iter().filter(|n| !was.contains(n)) {
            let ty = pair.new.column(&name).map(|c| c.ty.clone()).unwrap_or_default();
            let reason = format!(
                "{directive} has `{name}`, which is {ty}: the engine makes no table with a key that may be NULL"
            );
            let change = pair.push(cx, rules::KEY_COLUMN, Class::Refuse, Some(&name), reason);
            change.fix = Some(Fix {
                title: format!("give `{name}` a DEFAULT instead of NULL, or take it out of {directive}"),
                path: change.path.clone(),
                text: String::new(),
                edit: FixEdit::Manual,
            });
        }
    }
}

/// Refuses a sorting key that says something twice, unless it did before.
fn repeated(cx: &Cx<'_>, pair: &mut Pair<'_>) {
    let twice = |key: &[String]| {
        key.iter().enumerate().find(|(n, part)| key[..*n].contains(part)).map(|(_, part)| part.clone())
    };
    let (old, new) = (&pair.old.engine.sorting_key, &pair.new.engine.sorting_key);
    let Some(part) = twice(new).filter(|_| pair.new.engine.name != "Null" && twice(old).is_none()) else {
        return;
    };
    let reason = format!("ENGINE_SORTING_KEY has `{part}` twice: the engine makes no table with such a key");
    pair.push(cx, rules::KEY_COLUMN, Class::Refuse, Some("ENGINE_SORTING_KEY"), reason);
}

/// The columns of a key that may be NULL there.
fn nulls(table: &Table, key: &[String]) -> Vec<String> {
    let is_ended = |part: &str| NULL_ENDS.iter().any(|function| part.contains(&format!("{function}(")));
    let names = key.iter().filter(|part| !is_ended(part)).flat_map(|part| names_in(part));
    let is_null = |name: &String| {
        table
            .column(name)
            .is_some_and(|c| c.ty.starts_with("Nullable(") || c.ty.starts_with("LowCardinality(Nullable("))
    };
    names.filter(is_null).collect()
}
