//! Sorting, partition, primary and sampling keys.

use crate::change::Class;
use crate::compare::Cx;
use crate::rules;

use super::{Pair, names_in};

pub(super) fn classify(cx: &Cx<'_>, pair: &mut Pair<'_>) {
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
