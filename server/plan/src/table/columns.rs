//! Columns that are new, gone, renamed, in other places, or differ in all but their type.

use crate::change::{Class, Fix, FixEdit};
use crate::compare::Cx;
use crate::release::{Column, Table, ddl};
use crate::rules;
use crate::whole::people;

use super::readers::{Loss, broken_readers};
use super::{Pair, default_is_volatile, default_reads, named_by};

/// Columns that are gone while one of the same type came in their place, or with their JSONPath: old and new name.
pub(super) fn renamed(old: &Table, new: &Table) -> Vec<(String, String)> {
    let gone: Vec<(usize, &Column)> =
        old.columns.iter().enumerate().filter(|(_, c)| new.column(&c.name).is_none()).collect();
    let came: Vec<(usize, &Column)> =
        new.columns.iter().enumerate().filter(|(_, c)| old.column(&c.name).is_none()).collect();
    let mut out: Vec<(String, String)> = Vec::new();
    for (at, column) in &gone {
        let matches = |(to, other): &&(usize, &Column)| {
            let is_taken = out.iter().any(|(_, name)| *name == other.name);
            let same_path = column.jsonpath.is_some() && column.jsonpath == other.jsonpath;
            let same_place = before(old, *at) == before(new, *to) && behind(old, *at) == behind(new, *to);
            !is_taken && column.ty == other.ty && (same_path || same_place)
        };
        if let Some((_, other)) = came.iter().find(matches) {
            out.push((column.name.clone(), other.name.clone()));
        }
    }
    out
}

fn before(table: &Table, at: usize) -> Option<&str> {
    at.checked_sub(1).map(|n| table.columns[n].name.as_str())
}

fn behind(table: &Table, at: usize) -> Option<&str> {
    table.columns.get(at + 1).map(|c| c.name.as_str())
}

pub(super) fn classify(cx: &Cx<'_>, pair: &mut Pair<'_>) {
    let (old, new) = (pair.old, pair.new);
    for (at, column) in new.columns.iter().enumerate() {
        match old.column(&column.name) {
            None if pair.renamed.iter().any(|(_, to)| *to == column.name) => {}
            None => added(cx, pair, at, column),
            Some(was) => changed(cx, pair, was, column),
        }
    }
    for column in old.columns.iter().filter(|c| new.column(&c.name).is_none()) {
        let to = pair.renamed.iter().find(|(from, _)| *from == column.name).map(|(_, to)| to.clone());
        match to {
            Some(to) => renamed_to(cx, pair, column, &to),
            None => dropped(cx, pair, column),
        }
    }
    let kept = |table: &Table, other: &Table| -> Vec<String> {
        table.columns.iter().filter(|c| other.column(&c.name).is_some()).map(|c| c.name.clone()).collect()
    };
    if kept(old, new) != kept(new, old) {
        let reason = "columns have no order in storage: `SELECT *` and files without names show the new one";
        pair.push(cx, rules::REORDER_COLUMNS, Class::Metadata, None, reason);
    }
}

fn added(cx: &Cx<'_>, pair: &mut Pair<'_>, at: usize, column: &Column) {
    let place = match at.checked_sub(1).map(|n| &pair.new.columns[n].name) {
        Some(previous) => format!(" AFTER {}", ddl::identifier(previous)),
        None => " FIRST".to_owned(),
    };
    let sql = format!("ALTER TABLE {} ADD COLUMN {}{place}", pair.name(), ddl::column(column));
    if !pair.stores() {
        let reason = "the table stores nothing: it only gets another shape";
        pair.push(cx, rules::ADD_COLUMN, Class::Alter, Some(&column.name), reason).sql = vec![sql];
        return;
    }
    if default_is_volatile(column) {
        let default = column.default.as_deref().unwrap_or_default();
        let reason = format!(
            "`{default}` differs from read to read, so the rows that are there get one value that stays"
        );
        let next =
            format!("ALTER TABLE {} MATERIALIZE COLUMN {}", pair.name(), ddl::identifier(&column.name));
        let change = pair.push(cx, rules::ADD_VOLATILE_COLUMN, Class::Mutate, Some(&column.name), reason);
        change.sql = vec![sql, next];
        return;
    }
    let reason = match &column.default {
        Some(default) if default_reads(column) => {
            format!("rows that are there compute it when they are read: `{default}`")
        }
        Some(default) => format!("rows that are there read `{default}`; none is rewritten"),
        None => "rows that are there read the type's own default; none is rewritten".to_owned(),
    };
    pair.push(cx, rules::ADD_COLUMN, Class::Alter, Some(&column.name), reason).sql = vec![sql];
}

/// How a column comes back into the schema.
fn restore(pair: &Pair<'_>, path: String, column: &Column) -> Fix {
    let at = pair.old.columns.iter().position(|c| c.name == column.name).unwrap_or_default();
    let earlier = pair.old.columns[..at].iter().rev();
    let after = earlier.map(|c| c.name.clone()).find(|name| pair.new.column(name).is_some());
    let mut text = ddl::identifier(&column.name);
    if !column.ty.is_empty() {
        text += &format!(" {}", column.ty);
    }
    if let Some(path) = &column.jsonpath {
        text += &format!(" `json:{path}`");
    }
    if let Some(default) = &column.default {
        text += &format!(" DEFAULT {default}");
    }
    if let Some(codec) = &column.codec {
        text += &format!(" CODEC({codec})");
    }
    Fix {
        title: format!("keep the old column `{}`", column.name),
        path,
        text,
        edit: FixEdit::RestoreColumn { after },
    }
}

fn dropped(cx: &Cx<'_>, pair: &mut Pair<'_>, column: &Column) {
    let name = &column.name;
    if key_names_it(cx, pair, column) {
        return;
    }
    let broken = broken_readers(cx, pair.key, name, Loss::Gone);
    if !broken.is_empty() {
        let verb = if broken.len() == 1 { "reads" } else { "read" };
        let reason = format!("{} still {verb} `{name}`: the engine refuses the query", people(&broken));
        let change = pair.push(cx, rules::DROP_COLUMN_READ, Class::Refuse, Some(name), reason);
        change.dependents = broken;
        let path = change.path.clone();
        let fix = restore(pair, path, column);
        let last = pair.changes.len() - 1;
        pair.changes[last].fix = Some(fix);
        return;
    }
    let sql = format!("ALTER TABLE {} DROP COLUMN {}", pair.name(), ddl::identifier(name));
    if !pair.stores() {
        let reason = "the table stores nothing: it only gets another shape";
        pair.push(cx, rules::DROP_COLUMN, Class::Alter, Some(name), reason).sql = vec![sql];
        return;
    }
    let reason = "not declared any more; its values are gone when the rollback window ends";
    pair.push(cx, rules::DROP_COLUMN, Class::Hide, Some(name), reason).sql = vec![sql];
}

/// Refuses when what remains of the definition names the column that is gone.
fn key_names_it(cx: &Cx<'_>, pair: &mut Pair<'_>, column: &Column) -> bool {
    let name = &column.name;
    let named = named_by(pair.new, name);
    if named.is_empty() {
        return false;
    }
    let reason = format!("{} still names `{name}`, which is gone", named.join(", "));
    pair.push(cx, rules::KEY_COLUMN, Class::Refuse, Some(name), reason);
    let path = pair.changes[pair.changes.len() - 1].path.clone();
    let fix = restore(pair, path, column);
    let last = pair.changes.len() - 1;
    pair.changes[last].fix = Some(fix);
    true
}

fn renamed_to(cx: &Cx<'_>, pair: &mut Pair<'_>, column: &Column, to: &str) {
    let name = &column.name;
    if key_names_it(cx, pair, column) {
        return;
    }
    let broken = broken_readers(cx, pair.key, name, Loss::Renamed(to));
    if !broken.is_empty() {
        let verb = if broken.len() == 1 { "reads" } else { "read" };
        let reason = format!(
            "`{name}` looks like it is called `{to}` now, and {} still {verb} `{name}`",
            people(&broken)
        );
        let change = pair.push(cx, rules::RENAME_COLUMN, Class::Refuse, Some(name), reason);
        change.dependents = broken;
        change.is_breaking = true;
        let path = change.path.clone();
        let fix = pair.forward_fix(&path);
        let last = pair.changes.len() - 1;
        pair.changes[last].fix = fix;
        return;
    }
    if !pair.stores() {
        let reason = "the table stores nothing: it only gets another shape";
        pair.push(cx, rules::RENAME_COLUMN, Class::Alter, Some(name), reason).sql = vec![format!(
            "ALTER TABLE {} RENAME COLUMN {} TO {}",
            pair.name(),
            ddl::identifier(name),
            ddl::identifier(to)
        )];
        return;
    }
    // A query that makes the new column of something has said what is meant.
    let is_told = pair.forward.as_ref().is_some_and(|f| f.is_valid());
    let reason = format!(
        "`{name}` looks like it is called `{to}` now; without a FORWARD_QUERY its values would stay behind, and `{to}` would hold defaults"
    );
    let change = pair.push(cx, rules::RENAME_COLUMN, Class::Refuse, Some(name), reason);
    let path = change.path.clone();
    let fix = pair.forward_fix(&path);
    pair.recast.insert(to.to_owned());
    let last = pair.changes.len() - 1;
    pair.changes[last].fix = fix.filter(|_| !is_told);
}

/// A column that stays: its default, codec and JSONPath.
fn changed(cx: &Cx<'_>, pair: &mut Pair<'_>, was: &Column, column: &Column) {
    let name = &column.name;
    let (table, quoted) = (pair.name(), ddl::identifier(name));
    if was.default != column.default {
        let mut sql = Vec::new();
        let mut words = Vec::new();
        if was.default.is_some() && pair.stores() {
            // Rows that never stored it would read the new one otherwise.
            sql.push(format!("ALTER TABLE {table} MATERIALIZE COLUMN {quoted}"));
            words.push(
                "rows that are there keep the value that they have: the old default is written down first",
            );
        } else if column.default.is_some() {
            // Added later than its rows, the column may be missing in them.
            // Columns of keys are always there, and the engine does not update them.
            let is_key = named_by(pair.old, name).iter().any(|by| by.ends_with("_KEY"));
            if pair.stores() && !is_key {
                sql.push(format!("ALTER TABLE {table} UPDATE {quoted} = {quoted} WHERE true"));
            }
            words.push("only rows that come from now on get it: what the others read is written down first");
        }
        sql.push(match &column.default {
            Some(default) => format!("ALTER TABLE {table} MODIFY COLUMN {quoted} DEFAULT {default}"),
            None => format!("ALTER TABLE {table} MODIFY COLUMN {quoted} REMOVE DEFAULT"),
        });
        if column.default.is_none() {
            words.push("rows without a value get the type's own default from now on");
        }
        let reason = words.join("; ");
        pair.push(cx, rules::CHANGE_DEFAULT, Class::Alter, Some(name), reason).sql = sql;
    }
    if was.codec != column.codec {
        let statement = match &column.codec {
            Some(codec) => format!("ALTER TABLE {table} MODIFY COLUMN {quoted} CODEC({codec})"),
            None => format!("ALTER TABLE {table} MODIFY COLUMN {quoted} REMOVE CODEC"),
        };
        let reason = "parts that are there keep theirs until they are merged";
        pair.push(cx, rules::CHANGE_CODEC, Class::Alter, Some(name), reason).sql = vec![statement];
    }
    if was.jsonpath != column.jsonpath {
        let reason = match (&was.jsonpath, &column.jsonpath) {
            (_, Some(path)) => format!("rows that come from now on are read at `{path}`; stored ones stay"),
            _ => "rows that come from now on are not read from JSON; stored ones stay".to_owned(),
        };
        pair.push(cx, rules::CHANGE_JSONPATH, Class::Metadata, Some(name), reason);
    }
}
