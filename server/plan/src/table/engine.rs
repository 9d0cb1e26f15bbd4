//! The engine, its columns, settings and indexes.

use std::collections::BTreeSet;

use crate::change::Class;
use crate::compare::Cx;
use crate::release::{FIXED_SETTINGS, ddl};
use crate::rules;

use super::{Pair, names_in};

pub(super) fn classify(cx: &Cx<'_>, pair: &mut Pair<'_>) {
    kind(cx, pair);
    settings(cx, pair);
    indexes(cx, pair);
}

fn kind(cx: &Cx<'_>, pair: &mut Pair<'_>) {
    let (old, new) = (&pair.old.engine, &pair.new.engine);
    if old.name != new.name {
        match (old.name.as_str(), new.name.as_str()) {
            (_, "Null") => {
                let reason = format!(
                    "{} becomes Null, which stores nothing: the rows are gone after the rollback window",
                    old.name
                );
                pair.push(cx, rules::CHANGE_ENGINE, Class::Delete, None, reason).sql =
                    vec![format!("DROP TABLE {}", pair.name())];
            }
            ("Null", to) => {
                let reason =
                    format!("Null stored nothing: as {to} it starts with the rows that come from now on");
                let sql = vec![ddl::create_table(&crate::view::next_name(pair.key, pair.new), pair.new)];
                pair.push(cx, rules::CHANGE_ENGINE, Class::Create, None, reason).sql = sql;
            }
            (from, to) => {
                let mut reason = format!("{from} becomes {to}: all rows are written anew");
                let merges = ["Replacing", "Summing", "Aggregating", "Collapsing"];
                let is_merging = merges.iter().any(|m| to.contains(m)) && from == "MergeTree";
                if is_merging {
                    reason += ", and rows with one sorting key are merged";
                }
                pair.push(cx, rules::CHANGE_ENGINE, Class::Rewrite, None, reason).is_reversible = true;
            }
        }
        return;
    }
    let names: BTreeSet<_> = old.arguments.keys().chain(new.arguments.keys()).copied().collect();
    for directive in names.into_iter().filter(|d| old.arguments.get(d) != new.arguments.get(d)) {
        let shown = |value: Option<&String>| value.map_or_else(|| "nothing".to_owned(), |v| format!("`{v}`"));
        let value = new.arguments.get(directive);
        let unknown = value.iter().flat_map(|v| names_in(v)).find(|n| pair.new.column(n).is_none());
        if let Some(unknown) = unknown {
            let reason = format!("{directive} names `{unknown}`, which is no column of the schema");
            pair.push(cx, rules::KEY_COLUMN, Class::Refuse, Some(&unknown), reason);
            continue;
        }
        let reason = format!(
            "{directive} was {} and is {}: which rows survive a merge changes, so all are written anew",
            shown(old.arguments.get(directive)),
            shown(value)
        );
        pair.push(cx, rules::CHANGE_ENGINE_COLUMN, Class::Rewrite, Some(directive), reason);
    }
}

fn settings(cx: &Cx<'_>, pair: &mut Pair<'_>) {
    let (old, new) = (&pair.old.engine.settings, &pair.new.engine.settings);
    let names: BTreeSet<_> = old.keys().chain(new.keys()).cloned().collect();
    for name in names.into_iter().filter(|n| old.get(n) != new.get(n)) {
        if FIXED_SETTINGS.contains(&name.as_str()) && pair.stores() {
            let reason = format!("`{name}` shapes parts when they are written: all are written anew");
            pair.push(cx, rules::CHANGE_SETTINGS, Class::Rewrite, Some(&name), reason);
            continue;
        }
        let statement = match new.get(&name) {
            Some(value) => format!("ALTER TABLE {} MODIFY SETTING {name} = {value}", pair.name()),
            None => format!("ALTER TABLE {} RESET SETTING {name}", pair.name()),
        };
        let reason = "parts that are there stay as they are";
        pair.push(cx, rules::CHANGE_SETTINGS, Class::Alter, Some(&name), reason).sql = vec![statement];
    }
}

fn indexes(cx: &Cx<'_>, pair: &mut Pair<'_>) {
    let (old, new) = (&pair.old.indexes, &pair.new.indexes);
    let table = pair.name();
    for index in new {
        let was = old.iter().find(|i| i.name == index.name);
        if was == Some(index) {
            continue;
        }
        let mut sql = Vec::new();
        if was.is_some() {
            sql.push(format!("ALTER TABLE {table} DROP INDEX {}", ddl::identifier(&index.name)));
        }
        sql.push(format!("ALTER TABLE {table} ADD INDEX {}", ddl::index(index)));
        sql.push(format!("ALTER TABLE {table} MATERIALIZE INDEX {}", ddl::identifier(&index.name)));
        let unknown = names_in(&index.expression)
            .into_iter()
            .find(|n| pair.new.column(n).is_none() && !n.contains('.'));
        if let Some(unknown) = unknown.filter(|u| pair.old.column(u).is_none()) {
            let reason =
                format!("the index `{}` names `{unknown}`, which is no column of the schema", index.name);
            pair.push(cx, rules::KEY_COLUMN, Class::Refuse, Some(&index.name), reason);
            continue;
        }
        let state = pair.new.column(&index.expression).filter(|c| c.ty.starts_with("AggregateFunction"));
        if let Some(state) = state {
            let reason = format!(
                "the index `{}` is over `{}`, which holds states ({}): they have no order and are no texts",
                index.name, state.name, state.ty
            );
            pair.push(cx, rules::KEY_COLUMN, Class::Refuse, Some(&index.name), reason);
            continue;
        }
        let reason = "built beside the parts that are there; queries work meanwhile";
        pair.push(cx, rules::CHANGE_INDEX, Class::Alter, Some(&index.name), reason).sql = sql;
    }
    for index in old.iter().filter(|i| new.iter().all(|n| n.name != i.name)) {
        let reason = "rows stay; queries that it made short read more";
        pair.push(cx, rules::CHANGE_INDEX, Class::Alter, Some(&index.name), reason).sql =
            vec![format!("ALTER TABLE {table} DROP INDEX {}", ddl::identifier(&index.name))];
    }
}
