//! Whole data sources: new, gone, under another name, of another kind.

use crate::change::{Class, Dependent, Fix, FixEdit};
use crate::compare::Cx;
use crate::release::{Body, Definition, Input, Key, NodeRef, Table, ddl};
use crate::{rules, view};

/// A data source that was not there.
pub(crate) fn created_table(cx: &mut Cx<'_>, key: &Key, new: &Table) {
    let was = cx.renamed.get(key).cloned();
    let views = cx.new.views(cx.after, key);
    let reason = match (&was, views.as_slice()) {
        (Some(was), _) => format!(
            "it looks like `{}` under another name: a name is what rows belong to, so it starts empty",
            was.name
        ),
        (None, []) => "it starts empty".to_owned(),
        (None, views) => format!("views fill it: {}", list(views.iter().map(|v| v.pipe.name.as_str()))),
    };
    let mut change = cx.change(key, rules::CREATE_DATASOURCE, Class::Create, reason);
    change.sql = vec![ddl::create_table(&key.name, new)];
    if new.engine.name == "Null" {
        change.reason = "it stores nothing: rows only pass through to views".to_owned();
    }
    cx.changes.push(change);
    view::new_target(cx, key, new);
}

/// A data source that is no more.
pub(crate) fn deleted_table(cx: &mut Cx<'_>, key: &Key) {
    let readers = still_named(cx, key);
    let new_name = cx.renamed.iter().find(|(_, old)| *old == key).map(|(new, _)| new.name.clone());
    let is_other_kind = cx.after.get(key).is_some();
    if !readers.is_empty() && !is_other_kind {
        return still_read(cx, key, readers);
    }
    let (rule, reason) = match &new_name {
        Some(new) => (
            rules::RENAME_RESOURCE,
            format!(
                "it looks like it is called `{new}` now: its rows stay behind and are gone after the rollback window"
            ),
        ),
        None => (rules::DELETE_DATASOURCE, "its rows are gone after the rollback window".to_owned()),
    };
    let mut change = cx.change(key, rule, Class::Delete, reason);
    change.kind = crate::change::ResourceKind::Datasource;
    change.sql = vec![format!("DROP TABLE {}", ddl::identifier(&key.name))];
    if let Some(new) = new_name {
        change.fix = Some(Fix {
            title: format!("keep `{}` for one deployment and copy its rows", key.name),
            path: format!("copies/{new}_from_{}.pipe", key.name),
            text: format!(
                "NODE rows\nSQL >\n    SELECT * FROM {}\n\nTYPE copy\nTARGET_DATASOURCE {new}\nCOPY_SCHEDULE @on-demand\n",
                key.name
            ),
            edit: FixEdit::CopyInto { target: new },
        });
    }
    let stats = cx.stats.and_then(|s| s.tables.get(&key.name));
    change.estimate.rows = stats.map(|s| s.rows);
    change.estimate.bytes = stats.map(|s| s.bytes);
    cx.changes.push(change);
}

/// Refuses that something goes away which others name.
pub(crate) fn still_read(cx: &mut Cx<'_>, key: &Key, readers: Vec<Dependent>) {
    let reason = format!(
        "{} still {} it: the engine refuses a query on a table that is not there",
        people(&readers),
        if readers.len() == 1 { "names" } else { "name" }
    );
    let mut change = cx.change(key, rules::DELETE_READ, Class::Refuse, reason);
    change.fix = Some(Fix {
        title: format!("bring `{}` back, or change {}", key.name, people(&readers)),
        path: change.path.clone(),
        text: String::new(),
        edit: FixEdit::Manual,
    });
    change.dependents = readers;
    cx.changes.push(change);
}

/// A name that stood for something of another kind; what it is now has a change of its own.
pub(crate) fn kind_changed(cx: &mut Cx<'_>, key: &Key) {
    let word = |release: &crate::release::Release<'_>| crate::compare::kind_of(release, key).noun();
    let reason = format!("`{}` was a {} and is a {}", key.name, word(cx.before), word(cx.after));
    let was_table = matches!(cx.before.get(key).map(|d| &d.body), Some(Body::Table(_)));
    let class = if was_table { Class::Delete } else { Class::Metadata };
    let mut change = cx.change(key, rules::KIND_CHANGE, class, reason);
    change.is_breaking = true;
    change.dependents = cx.dependents(key);
    cx.changes.push(change);
}

/// Who names something that is not there any more.
pub(crate) fn still_named(cx: &Cx<'_>, key: &Key) -> Vec<Dependent> {
    let mut out: Vec<Dependent> = Vec::new();
    // A name without Classic's version means the latest one; when there is none left, it means nothing.
    let base = headwater_analysis::scope::split_version(&key.name).map(|(base, _)| base);
    let means_it = |name: &str| name == key.name || Some(name) == base;
    for (pipe, entry) in cx.after.who_may_name(key) {
        let Some(body) = entry.definition().and_then(Definition::pipe) else { continue };
        for (index, node) in body.nodes.iter().enumerate() {
            let here = NodeRef { pipe: pipe.clone(), index };
            let is_it = |input: &Input| matches!(input, Input::Foreign(name) if means_it(name));
            let writes_it = cx.after.target(&here).is_some_and(|target| means_it(&target.name));
            if cx.new.inputs(&here).iter().any(is_it) || node.writes.is_some() && writes_it {
                out.push(cx.dependent(&here));
            }
        }
    }
    out
}

/// Names for a sentence: one, two, or the first and a count.
pub(crate) fn people(dependents: &[Dependent]) -> String {
    let mut names: Vec<&str> = dependents.iter().map(|d| d.resource.as_str()).collect();
    names.dedup();
    list(names.into_iter())
}

/// `` `a`, `b` and 3 more ``.
pub(crate) fn list<'n>(names: impl Iterator<Item = &'n str>) -> String {
    const SHOWN: usize = 4;
    let names: Vec<_> = names.collect();
    let quoted: Vec<_> = names.iter().take(SHOWN).map(|n| format!("`{n}`")).collect();
    match (quoted.split_last(), names.len().saturating_sub(SHOWN)) {
        (None, _) => "nothing".to_owned(),
        (Some((last, [])), 0) => last.clone(),
        (Some((last, first)), 0) => format!("{} and {last}", first.join(", ")),
        (Some(_), more) => format!("{} and {more} more", quoted.join(", ")),
    }
}
