//! Data sources that both projects have: what of them changed, and how that is carried out.
//!
//! Each file decides about one part of a definition and pushes changes; here they are put together: the heaviest decides
//! which physical table the others are carried out on.

mod columns;
mod connector;
mod engine;
mod keys;
mod readers;
mod retype;
mod ttl;

use std::collections::BTreeSet;

use headwater_catalog::find;
use headwater_syntax::sql;
use headwater_syntax::sql::ast::{self, FunctionCall};

use crate::change::{Change, Class, Fix, FixEdit, Rule};
use crate::compare::{Cx, Recast};
use crate::forward::{self, ForwardQuery};
use crate::release::{Column, Key, Table, ddl};
use crate::rules;
use crate::view::{self, Fate};

pub use retype::{Step, step};

/// Both definitions of a data source, and what is known of the way from one to the other.
pub(crate) struct Pair<'a> {
    pub(crate) key: &'a Key,
    pub(crate) old: &'a Table,
    pub(crate) new: &'a Table,
    /// Old and new name of columns that were recognised under another one.
    pub(crate) renamed: Vec<(String, String)>,
    /// The new project's `FORWARD_QUERY`, if it can be used.
    pub(crate) forward: Option<ForwardQuery>,
    /// Its views fill it anew.
    pub(crate) is_recomputed: bool,
    /// Its views changed and its rows stay.
    pub(crate) is_carried: bool,
    /// Columns whose stored values change.
    pub(crate) recast: BTreeSet<String>,
    pub(crate) changes: Vec<Change>,
}

impl Pair<'_> {
    /// Adds a change and returns it for more.
    pub(crate) fn push(
        &mut self,
        cx: &Cx<'_>,
        rule: &'static Rule,
        class: Class,
        subject: Option<&str>,
        reason: impl Into<String>,
    ) -> &mut Change {
        let mut change = cx.change(self.key, rule, class, reason);
        change.subject = subject.map(str::to_owned);
        self.changes.push(change);
        let last = self.changes.len() - 1;
        &mut self.changes[last]
    }

    /// The table that in-place statements are for.
    pub(crate) fn name(&self) -> String {
        ddl::identifier(&self.key.name)
    }

    /// Whether rows are stored at all.
    pub(crate) fn stores(&self) -> bool {
        self.old.engine.name != "Null"
    }

    /// The fix that is the exact `FORWARD_QUERY`.
    pub(crate) fn forward_fix(&self, path: &str) -> Option<Fix> {
        let query = forward::exact(self.old, self.new, &self.renamed)?;
        Some(Fix {
            title: "write FORWARD_QUERY".to_owned(),
            path: path.to_owned(),
            text: forward::block(&query),
            edit: FixEdit::ForwardQuery,
        })
    }
}

/// What becomes of a data source.
pub(crate) fn classify(cx: &mut Cx<'_>, key: &Key, old: &Table, new: &Table, fate: Option<&Fate>) {
    let forward = forward::read(old, new, &key.name);
    let mut pair = Pair {
        key,
        old,
        new,
        renamed: columns::renamed(old, new),
        forward,
        is_recomputed: fate == Some(&Fate::Recompute),
        is_carried: fate == Some(&Fate::Carry),
        recast: BTreeSet::new(),
        changes: Vec::new(),
    };
    columns::classify(cx, &mut pair);
    retype::classify(cx, &mut pair);
    keys::classify(cx, &mut pair);
    engine::classify(cx, &mut pair);
    ttl::classify(cx, &mut pair);
    connector::classify(cx, &mut pair);
    forward_query(cx, &mut pair);
    settle(cx, &mut pair);
    let recast = std::mem::take(&mut pair.recast);
    if !recast.is_empty() && !pair.is_recomputed {
        cx.recast.insert(key.clone(), Recast::Columns(recast));
    }
    let makes_new = |c: &Change| matches!(c.class, Class::Mutate | Class::Rewrite);
    if pair.is_recomputed || pair.changes.iter().any(makes_new) {
        cx.replaced.insert(key.clone());
    }
    cx.changes.append(&mut pair.changes);
}

/// What `FORWARD_QUERY` has to do with it.
fn forward_query(cx: &Cx<'_>, pair: &mut Pair<'_>) {
    let is_edited = pair.old.forward_query != pair.new.forward_query;
    let Some(forward) = pair.forward.clone() else {
        if is_edited {
            let reason = "FORWARD_QUERY is gone: it has no effect once it was deployed";
            pair.push(cx, rules::FORWARD_QUERY_STALE, Class::None, None, reason);
        }
        return;
    };
    let path = pair.changes.first().map(|c| c.path.clone());
    let path = path.unwrap_or_else(|| cx.change(pair.key, rules::FORWARD_QUERY, Class::None, "").path);
    let drop = || Fix {
        title: "drop stale FORWARD_QUERY".to_owned(),
        path: path.clone(),
        text: String::new(),
        edit: FixEdit::DropForwardQuery,
    };
    let is_structural = pair.changes.iter().any(|c| !matches!(c.class, Class::None | Class::Metadata));
    let needs = pair.changes.iter().any(wants_forward);
    if !is_structural || pair.is_recomputed || (!is_edited && !needs) {
        if !is_edited && !is_structural {
            return;
        }
        let reason = if pair.is_recomputed {
            "its views fill it anew, so FORWARD_QUERY is not used"
        } else {
            "nothing here needs FORWARD_QUERY: left in the file, it will not fit the next schema"
        };
        let change = pair.push(cx, rules::FORWARD_QUERY_STALE, Class::None, None, reason);
        change.fix = Some(drop());
        return;
    }
    if !forward.is_valid() {
        let reason = format!(
            "FORWARD_QUERY {}: it is read against the live schema and has to give every column of the new one",
            forward.complaint()
        );
        let fix = pair.forward_fix(&path);
        let change = pair.push(cx, rules::FORWARD_QUERY_INCOMPLETE, Class::Refuse, None, reason);
        change.fix = fix;
        return;
    }
    let is_needed = needs
        || pair.is_carried
        || !forward.made.is_empty()
        || pair.changes.iter().any(|c| c.class == Class::Rewrite);
    let passed = &forward.passed;
    let recast: Vec<_> =
        pair.new.columns.iter().map(|c| c.name.clone()).filter(|name| !passed.contains(name)).collect();
    pair.recast.extend(recast);
    let reason = if is_needed {
        "FORWARD_QUERY makes the rows of the new table out of the live ones"
    } else {
        "FORWARD_QUERY copies every row, and nothing here needs it: without it this is done in place"
    };
    let (sql, is_reversible) = (rewrite_sql(pair, true), true);
    let change = pair.push(cx, rules::FORWARD_QUERY, Class::Rewrite, None, reason);
    change.sql = sql;
    change.is_reversible = is_reversible;
    if !is_needed {
        change.fix = Some(drop());
    }
}

/// Whether a change is refused for want of a `FORWARD_QUERY`, and for nothing else.
fn wants_forward(change: &Change) -> bool {
    matches!(change.fix.as_ref().map(|f| &f.edit), Some(FixEdit::ForwardQuery))
        || change.rule == rules::RETYPE_COLUMN
        || change.rule == rules::NOT_NULL_COLUMN
        || change.rule == rules::RENAME_COLUMN
}

/// Puts the changes of a table together.
fn settle(cx: &Cx<'_>, pair: &mut Pair<'_>) {
    let uses_forward =
        pair.changes.iter().any(|c| c.rule == rules::FORWARD_QUERY && c.class == Class::Rewrite);
    if uses_forward || pair.is_recomputed {
        let by = if uses_forward { rules::FORWARD_QUERY } else { rules::VIEW_SQL };
        let reads = pair.forward.as_ref().map(|f| f.reads.clone()).unwrap_or_default();
        for change in pair.changes.iter_mut().filter(|c| c.rule != by) {
            // What breaks others, no query of rows mends.
            if change.class == Class::Refuse && (!wants_forward(change) || !change.dependents.is_empty()) {
                continue;
            }
            if change.class == Class::Hide
                && !reads.is_empty()
                && change.subject.as_ref().is_some_and(|s| reads.contains(s))
            {
                change.reason =
                    "FORWARD_QUERY reads it for the last time: the new table does not have it".to_owned();
            }
            if matches!(change.class, Class::Refuse | Class::Alter | Class::Mutate | Class::Rewrite) {
                change.class = if uses_forward { Class::Rewrite } else { Class::Recompute };
                change.part_of = Some(by.name);
                change.sql.clear();
                change.fix = None;
                if matches!(change.rule.name, "retype-column" | "not-null-column") {
                    change.reason = format!(
                        "{}; {} makes the new values",
                        subject_reason(change),
                        if uses_forward { "FORWARD_QUERY" } else { "its view" }
                    );
                } else if change.rule == rules::RENAME_COLUMN {
                    change.reason =
                        format!("{}; FORWARD_QUERY carries the values over", subject_reason(change));
                }
            }
        }
        return estimate(cx, pair);
    }
    let heaviest = pair.changes.iter().map(|c| c.class).filter(|c| *c != Class::Refuse).max();
    match heaviest {
        Some(Class::Rewrite) => {
            let first = pair.changes.iter().position(|c| c.class == Class::Rewrite).unwrap_or_default();
            let by = pair.changes[first].rule.name;
            let sql = rewrite_sql(pair, false);
            for (n, change) in pair.changes.iter_mut().enumerate() {
                if n != first && matches!(change.class, Class::Alter | Class::Mutate | Class::Rewrite) {
                    change.part_of = Some(by);
                    change.sql.clear();
                    if change.class == Class::Alter {
                        // What an ALTER would spare is not spared.
                        change.reason = subject_reason(change);
                    }
                }
            }
            pair.changes[first].sql = sql;
        }
        Some(Class::Mutate) => {
            // The clone is made once; every statement is for it.
            let next = ddl::identifier(&view::next_name(pair.key, pair.new));
            let live = pair.name();
            let first = pair.changes.iter().position(|c| c.class == Class::Mutate).unwrap_or_default();
            for change in &mut pair.changes {
                for statement in &mut change.sql {
                    *statement = statement.replacen(
                        &format!("ALTER TABLE {live} "),
                        &format!("ALTER TABLE {next} "),
                        1,
                    );
                }
            }
            pair.changes[first].sql.insert(0, format!("CREATE TABLE {next} CLONE AS {live}"));
            // The clone is made before anything is altered, whichever change comes first.
            let mutate = pair.changes.remove(first);
            pair.changes.insert(0, mutate);
        }
        _ => {}
    }
    estimate(cx, pair);
}

fn subject_reason(change: &Change) -> String {
    change.reason.split(';').next().unwrap_or_default().to_owned()
}

/// The new table, and every row in it.
fn rewrite_sql(pair: &Pair<'_>, by_forward_query: bool) -> Vec<String> {
    let next = view::next_name(pair.key, pair.new);
    let columns: Vec<_> = pair.new.columns.iter().map(|c| ddl::identifier(&c.name)).collect();
    let columns = columns.join(", ");
    let source = if by_forward_query {
        let text = pair.new.forward_query.as_deref().unwrap_or_default().trim().trim_end_matches(';');
        format!("SELECT {columns} FROM ({text} FROM {})", pair.name())
    } else {
        let kept = forward::exact(pair.old, pair.new, &[]).unwrap_or_else(|| format!("SELECT {columns}"));
        format!("{} FROM {}", kept.split_whitespace().collect::<Vec<_>>().join(" "), pair.name())
    };
    vec![
        ddl::create_table(&next, pair.new),
        format!("INSERT INTO {} ({columns}) {source}", ddl::identifier(&next)),
    ]
}

/// Costs, from what is measured of the live table.
fn estimate(cx: &Cx<'_>, pair: &mut Pair<'_>) {
    let Some(stats) = cx.stats.and_then(|s| s.tables.get(&pair.key.name)) else { return };
    let speed = cx.stats.and_then(|s| s.rows_per_second);
    for change in &mut pair.changes {
        let column = change.subject.as_ref().and_then(|s| stats.columns.get(s)).copied();
        let estimate = &mut change.estimate;
        match change.class {
            Class::Rewrite if change.part_of.is_none() => {
                estimate.rows = Some(stats.rows);
                estimate.bytes = Some(stats.bytes);
                estimate.extra_bytes = Some(stats.bytes);
                estimate.seconds = speed.map(|speed| stats.rows as f64 / speed);
                estimate.pause_ms = stats.parts.map(view::pause_ms);
            }
            Class::Mutate => {
                estimate.rows = Some(stats.rows);
                estimate.bytes = column;
                estimate.extra_bytes = column;
                estimate.pause_ms = stats.parts.map(view::pause_ms);
            }
            Class::Hide => estimate.bytes = column,
            Class::Alter => estimate.rows = Some(0),
            _ => {}
        }
    }
}

/// Whether a default gives another value at each read.
pub(crate) fn default_is_volatile(column: &Column) -> bool {
    let Some(default) = &column.default else { return false };
    calls(default).iter().any(|name| {
        find(name).is_some_and(|f| f.is_deterministic() == Some(false))
            || [
                "now",
                "now64",
                "today",
                "yesterday",
                "rand",
                "rand32",
                "rand64",
                "generateuuidv4",
                "generateuuidv7",
            ]
            .contains(&name.to_ascii_lowercase().as_str())
    })
}

/// Whether a default is computed from other columns.
pub(crate) fn default_reads(column: &Column) -> bool {
    column.default.as_deref().is_some_and(|d| !names_in(d).is_empty())
}

fn calls(expression: &str) -> Vec<String> {
    let text = format!("SELECT {expression}");
    let Some(tree) = sql::parse(&text) else { return Vec::new() };
    let calls = ast::descendants::<FunctionCall<'_>>(tree.root_node());
    calls.filter_map(|c| Some(c.plain_name(&text)?.value)).collect()
}

/// The columns that an expression names.
pub(crate) fn names_in(expression: &str) -> Vec<String> {
    // In parentheses, since quotes around the whole of it are those of a text here and not of a directive's value.
    headwater_analysis::query::columns_of_key(&format!("({expression})"))
}

/// Which parts of a definition name a column: keys, expiry, indexes, engine columns, defaults of others.
pub(crate) fn named_by(table: &Table, column: &str) -> Vec<String> {
    let mut out = Vec::new();
    let names = |texts: &[String]| texts.iter().any(|t| names_in(t).iter().any(|n| n == column));
    let engine = &table.engine;
    for (what, key) in [
        ("ENGINE_SORTING_KEY", &engine.sorting_key),
        ("ENGINE_PARTITION_KEY", &engine.partition_key),
        ("ENGINE_PRIMARY_KEY", &engine.primary_key),
        ("ENGINE_SAMPLING_KEY", &engine.sampling_key),
    ] {
        if names(key) {
            out.push(what.to_owned());
        }
    }
    for (directive, value) in &engine.arguments {
        if names(std::slice::from_ref(value)) {
            out.push((*directive).to_owned());
        }
    }
    if engine.ttl.as_ref().is_some_and(|ttl| names(std::slice::from_ref(ttl))) {
        out.push("ENGINE_TTL".to_owned());
    }
    for index in &table.indexes {
        if names(std::slice::from_ref(&index.expression)) {
            out.push(format!("the index `{}`", index.name));
        }
    }
    for other in table.columns.iter().filter(|c| c.name != column) {
        if other.default.as_ref().is_some_and(|d| names(std::slice::from_ref(d))) {
            out.push(format!("the DEFAULT of `{}`", other.name));
        }
    }
    out
}
