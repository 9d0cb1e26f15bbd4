//! Materialized views: what becomes of a target when the queries that fill it change.

use std::collections::BTreeSet;
use std::sync::Arc;

use headwater_analysis::NodeType;
use headwater_analysis::semantics::node_meaning;

use crate::change::{Change, Class, Fix, FixEdit};
use crate::compare::{Cx, Recast};
use crate::forward::{self, ForwardQuery};
use crate::pipe::may_have_star;
use crate::recompute::obstacle;
use crate::release::{Key, NodeRef, Release, Table, Wiring, compiled_sql, ddl, of_table};
use crate::{rules, whole};

/// What becomes of the rows of a target whose views changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Fate {
    /// It is filled anew by its views.
    Recompute,
    /// Its rows stay; new ones are made by the new query.
    Carry,
    /// It cannot be deployed.
    Refuse,
}

/// How a view differs from what it was.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Difference {
    /// It was not there.
    New,
    /// Its query, or one that it is made of.
    Sql,
    /// Only what its stars stand for, and only by columns that are new.
    Star(Vec<String>),
    /// Values that it reads, of this source.
    Source(String),
    /// It wrote another data source.
    Target(String),
}

/// Decides about a data source that both projects have, and says so of its views.
pub(crate) fn fate(cx: &mut Cx<'_>, target: &Key) -> Option<Fate> {
    let views = cx.new.views(cx.after, target);
    let differences: Vec<(NodeRef, Difference)> =
        views.iter().filter_map(|v| Some((v.clone(), difference(cx, v)?))).collect();
    let table = cx.after.table(target)?.clone();
    let mut fate = None;
    for (view, difference) in &differences {
        let decided = decide(cx, target, &table, &views, view, difference);
        fate = match (fate, decided) {
            (Some(Fate::Refuse), _) | (_, Some(Fate::Refuse)) => Some(Fate::Refuse),
            (Some(Fate::Recompute), _) | (_, Some(Fate::Recompute)) => Some(Fate::Recompute),
            (known, decided) => decided.or(known),
        };
    }
    if fate == Some(Fate::Recompute) {
        cx.recast.insert(target.clone(), Recast::All);
        for view in views.iter().filter(|v| differences.iter().all(|(d, _)| d != *v)) {
            let reason =
                format!("another view of `{}` changed, so it is filled anew by all of them", target.name);
            let mut change = cx.change(&view.pipe, rules::SHARED_TARGET, Class::Recompute, reason);
            change.subject = Some(target.name.clone());
            change.sql = vec![insert(cx, target, &table, view)];
            cx.changes.push(change);
        }
    }
    fate
}

/// The views of a data source that is new.
pub(crate) fn new_target(cx: &mut Cx<'_>, target: &Key, table: &Table) {
    for view in cx.new.views(cx.after, target) {
        let was = before_view(cx, &view).and_then(|v| cx.before.target(&v)).map(|key| key.name);
        let (rule, class, lead) = match was.filter(|was| *was != target.name) {
            Some(was) => {
                (rules::VIEW_TARGET, Class::Recompute, format!("it wrote `{was}`, whose rows stay there; "))
            }
            None if before_view(cx, &view).is_some() => continue,
            None => (rules::CREATE_VIEW, Class::Create, String::new()),
        };
        let sources = sources(cx, &view);
        let (reason, sql) = match (table.backfill_skip, obstacle(cx, &view, target, table)) {
            (true, _) => ("BACKFILL skip: it starts with the rows that come from now on".to_owned(), None),
            (false, None) => (
                format!("`{}` is filled from all that {sources} holds", target.name),
                Some(insert(cx, target, table, &view)),
            ),
            (false, Some(why)) => {
                (format!("it starts with the rows that come from now on, because {why}"), None)
            }
        };
        let class = if rule == rules::VIEW_TARGET && sql.is_none() { Class::Carry } else { class };
        let mut change = cx.change(&view.pipe, rule, class, format!("{lead}{reason}"));
        change.subject = Some(target.name.clone());
        change.sql = sql.into_iter().collect();
        change.dependents = cx.dependents(target);
        estimate_from_sources(cx, &view, &mut change);
        cx.changes.push(change);
    }
}

fn decide(
    cx: &mut Cx<'_>,
    target: &Key,
    table: &Table,
    views: &[NodeRef],
    view: &NodeRef,
    difference: &Difference,
) -> Option<Fate> {
    let name = &target.name;
    let keeps = cx.after.node(view).is_some_and(|n| n.keeps_history);
    let (rule, lead) = match difference {
        Difference::New => {
            let reason = format!(
                "rows that come from now on go into `{name}` too; the rows that it has are not touched, and none are made of what the source holds already"
            );
            let mut change = cx.change(&view.pipe, rules::CREATE_VIEW, Class::Create, reason);
            change.subject = Some(name.clone());
            change.dependents = cx.dependents(target);
            cx.changes.push(change);
            return None;
        }
        Difference::Star(columns) => {
            let list = whole::list(columns.iter().map(String::as_str));
            let reason = format!(
                "its `*` also stands for {list}: rows that `{name}` has get the default, as the rows of the source do"
            );
            let mut change = cx.change(&view.pipe, rules::VIEW_SQL, Class::Carry, reason);
            change.subject = Some(name.clone());
            change.dependents = cx.dependents(target);
            cx.changes.push(change);
            return Some(Fate::Carry);
        }
        Difference::Sql => (rules::VIEW_SQL, "its query changed".to_owned()),
        Difference::Source(source) => {
            (rules::VIEW_SOURCE, format!("values that it reads from `{source}` change"))
        }
        Difference::Target(was) => (rules::VIEW_TARGET, format!("it wrote `{was}`, whose rows stay there")),
    };
    let old_table = cx.before.table(target).cloned();
    let forward = old_table.as_ref().and_then(|old| forward::read(old, table, name));
    let moved = matches!(difference, Difference::Target(_));
    let why = obstacle(cx, view, target, table);
    let (class, fate, reason) = if keeps {
        let reason = format!(
            "{lead}; DEPLOYMENT_METHOD alter keeps the rows of `{name}`, only new ones are made by it"
        );
        (Class::Carry, Some(Fate::Carry), reason)
    } else if forward.as_ref().is_some_and(ForwardQuery::is_valid) {
        let reason = format!(
            "{lead}; the FORWARD_QUERY of `{name}` carries its rows over, only new ones are made by it"
        );
        (Class::Carry, Some(Fate::Carry), reason)
    } else if views.len() > 1 && !moved {
        let others = views.iter().filter(|v| *v != view);
        let blocked = others.clone().find_map(|v| Some((v, obstacle(cx, v, target, table)?)));
        match (why, blocked) {
            (None, None) => {
                let reason = format!("{lead}; `{name}` is filled anew by all of its views");
                (Class::Recompute, Some(Fate::Recompute), reason)
            }
            (why, blocked) => {
                let because = match (why, blocked) {
                    (Some(why), _) => why,
                    (None, Some((other, why))) => format!("of `{}`: {why}", other.pipe.name),
                    (None, None) => String::new(),
                };
                refuse_shared(cx, target, view, &lead, &because, views);
                return Some(Fate::Refuse);
            }
        }
    } else {
        match why {
            None => {
                let sources = sources(cx, view);
                let reason = format!("{lead}; `{name}` is filled anew from all that {sources} holds");
                (Class::Recompute, Some(Fate::Recompute), reason)
            }
            Some(why) => {
                let reason = format!(
                    "{lead}; the rows of `{name}` are carried over and only new ones are made by it, because {why}"
                );
                (Class::Carry, Some(Fate::Carry), reason)
            }
        }
    };
    let mut change = cx.change(&view.pipe, rule, class, reason);
    change.subject = Some(name.clone());
    if class == Class::Recompute {
        change.sql =
            vec![ddl::create_table(&next_name(target, table), table), insert(cx, target, table, view)];
        estimate_from_sources(cx, view, &mut change);
    }
    change.dependents = cx.dependents(target);
    cx.changes.push(change);
    fate
}

fn refuse_shared(
    cx: &mut Cx<'_>,
    target: &Key,
    view: &NodeRef,
    lead: &str,
    because: &str,
    views: &[NodeRef],
) {
    let name = &target.name;
    let others = views.iter().filter(|v| *v != view).map(|v| v.pipe.name.as_str());
    let reason = format!(
        "{lead}, and {} {} `{name}` too: it would have to be filled anew by all of them, which cannot be done because {because}",
        whole::list(others),
        if views.len() == 2 { "writes" } else { "write" },
    );
    let mut change = cx.change(&view.pipe, rules::SHARED_TARGET, Class::Refuse, reason);
    change.subject = Some(name.clone());
    change.dependents = views.iter().filter(|v| *v != view).map(|v| cx.dependent(v)).collect();
    let node = cx.after.node(view).map(|n| n.name.clone()).unwrap_or_default();
    change.fix = Some(Fix {
        title: format!("keep the rows of `{name}` and use the new query from now on"),
        path: change.path.clone(),
        text: "DEPLOYMENT_METHOD alter\n".to_owned(),
        edit: FixEdit::DeploymentMethod { node },
    });
    cx.changes.push(change);
}

/// The same view in the old project: by its pipe, also under the pipe's old name.
pub(crate) fn before_view(cx: &Cx<'_>, view: &NodeRef) -> Option<NodeRef> {
    let pipe = cx.renamed.get(&view.pipe).unwrap_or(&view.pipe);
    let nodes = &cx.before.get(pipe)?.pipe()?.nodes;
    let name = cx.after.node(view).map(|n| n.name.as_str());
    let is_view = |n: usize| nodes[n].ty == NodeType::Materialized;
    let index = (0..nodes.len())
        .find(|n| is_view(*n) && Some(nodes[*n].name.as_str()) == name)
        .or_else(|| (0..nodes.len()).find(|n| is_view(*n)))?;
    Some(NodeRef { pipe: pipe.clone(), index })
}

fn difference(cx: &Cx<'_>, view: &NodeRef) -> Option<Difference> {
    let Some(was) = before_view(cx, view) else { return Some(Difference::New) };
    let (old_target, new_target) = (cx.before.target(&was), cx.after.target(view));
    if old_target != new_target {
        return Some(Difference::Target(old_target.map(|key| key.name).unwrap_or_default()));
    }
    let (old, new) = (written(cx.before, &cx.old, &was), written(cx.after, &cx.new, view));
    let old_inputs = cx.old.chain(&was).tables;
    let new_inputs = cx.new.chain(view).tables;
    if old != new || old_inputs != new_inputs {
        return Some(Difference::Sql);
    }
    if new.iter().any(|sql| may_have_star(sql))
        && compiled(cx, cx.before, &cx.old, &was) != compiled(cx, cx.after, &cx.new, view)
    {
        return Some(star(cx, &new, &new_inputs));
    }
    new_inputs.iter().find(|t| reads_recast(cx, view, t)).map(|t| Difference::Source(t.name.clone()))
}

/// Columns that only came, with the same default on both sides, change no row that is there.
fn star(cx: &Cx<'_>, texts: &[String], sources: &BTreeSet<Key>) -> Difference {
    let mut added = Vec::new();
    for source in sources {
        let (Some(old), Some(new)) = (cx.before.table(source), cx.after.table(source)) else {
            return Difference::Sql;
        };
        let kept = old.columns.iter().all(|c| new.column(&c.name).is_some_and(|n| n.ty == c.ty));
        if !kept {
            return Difference::Sql;
        }
        added.extend(new.columns.iter().filter(|c| old.column(&c.name).is_none()).cloned());
    }
    let is_row_wise = !texts.iter().any(|t| t.contains("GROUP BY") || t.contains("DISTINCT"));
    let is_plain =
        added.iter().all(|c| !crate::table::default_is_volatile(c) && !crate::table::default_reads(c));
    if is_row_wise && is_plain && !added.is_empty() {
        Difference::Star(added.into_iter().map(|c| c.name).collect())
    } else {
        Difference::Sql
    }
}

/// The queries of a view and of the nodes that it is made of, as written.
fn written(release: &Release<'_>, wiring: &Wiring, view: &NodeRef) -> Vec<String> {
    wiring.chain(view).nodes.iter().filter_map(|n| release.node(n).map(|n| n.sql.clone())).collect()
}

fn compiled(cx: &Cx<'_>, release: &Release<'_>, wiring: &Wiring, view: &NodeRef) -> Vec<Arc<str>> {
    let nodes = wiring.chain(view).nodes;
    let text = |n: &NodeRef| Some(compiled_sql(cx.db, release.entries.get(&n.pipe)?.file, n.index).clone());
    nodes.iter().filter_map(text).collect()
}

/// Whether a node, or one that it is made of, reads a column of `source` whose values change.
pub(crate) fn reads_recast(cx: &Cx<'_>, node: &NodeRef, source: &Key) -> bool {
    let columns = match cx.recast.get(source) {
        None => return false,
        Some(Recast::All) => return true,
        Some(Recast::Columns(columns)) => columns,
    };
    cx.new.chain(node).nodes.iter().any(|part| {
        let Some(entry) = cx.after.entries.get(&part.pipe) else { return false };
        let meaning = node_meaning(cx.db, entry.file, part.index);
        let mut bases = meaning.facts.iter().flat_map(|f| &f.bases);
        bases.any(|b| b.table == source.name && columns.contains(&b.column))
    })
}

fn sources(cx: &Cx<'_>, view: &NodeRef) -> String {
    let tables = cx.new.chain(view).tables;
    whole::list(tables.iter().map(|t| t.name.as_str()))
}

/// What the physical table that replaces a live one is called here.
pub(crate) fn next_name(key: &Key, table: &Table) -> String {
    format!("{}_{}", key.name, &of_table(table).to_string()[..8])
}

/// The view's query over everything, with the nodes that it is made of in front.
fn insert(cx: &Cx<'_>, target: &Key, table: &Table, view: &NodeRef) -> String {
    let chain = cx.new.chain(view);
    let text = |n: &NodeRef| {
        let entry = cx.after.entries.get(&n.pipe)?;
        Some(compiled_sql(cx.db, entry.file, n.index).to_string())
    };
    let own = text(view).unwrap_or_default();
    let called = |n: &NodeRef| {
        let node = cx.after.node(n).map(|n| n.name.clone()).unwrap_or_default();
        if n.pipe == view.pipe { node } else { n.pipe.name.clone() }
    };
    // Rows of a table that is replaced are read from the new one, under the name that queries know.
    let replaced = chain.tables.iter().filter(|key| cx.replaced.contains(*key)).filter_map(|key| {
        let next = ddl::identifier(&next_name(key, cx.after.table(key)?));
        Some(format!("{} AS (SELECT * FROM {next})", ddl::identifier(&key.name)))
    });
    let nodes = chain.nodes[1..].iter().rev();
    let nodes =
        nodes.map(|n| format!("{} AS ({})", ddl::identifier(&called(n)), text(n).unwrap_or_default()));
    let parts: Vec<String> = replaced.chain(nodes).collect();
    let query = match (parts.as_slice(), own.strip_prefix("WITH ")) {
        ([], _) => own,
        (parts, Some(rest)) => format!("WITH {}, {rest}", parts.join(", ")),
        (parts, None) => format!("WITH {} {own}", parts.join(", ")),
    };
    let columns: Vec<_> = table.columns.iter().map(|c| ddl::identifier(&c.name)).collect();
    let is_new = cx.before.table(target).is_none();
    let name = if is_new { target.name.clone() } else { next_name(target, table) };
    // By name, not by place: a view's columns may stand in any order.
    format!(
        "INSERT INTO {} ({columns}) SELECT {columns} FROM ({query})",
        ddl::identifier(&name),
        columns = columns.join(", ")
    )
}

/// What a recomputation reads.
fn estimate_from_sources(cx: &Cx<'_>, view: &NodeRef, change: &mut Change) {
    let Some(stats) = cx.stats else { return };
    let tables = cx.new.chain(view).tables;
    let known: Vec<_> = tables.iter().filter_map(|t| stats.tables.get(&t.name)).collect();
    if known.len() != tables.len() || known.is_empty() || change.sql.is_empty() {
        return;
    }
    let rows: u64 = known.iter().map(|s| s.rows).sum();
    change.estimate.rows = Some(rows);
    change.estimate.bytes = Some(known.iter().map(|s| s.bytes).sum());
    change.estimate.seconds = stats.rows_per_second.map(|speed| rows as f64 / speed);
    let parts: Option<u64> = known.iter().map(|s| s.parts).sum();
    change.estimate.pause_ms = parts.map(pause_ms);
}

/// How long new rows wait while a snapshot is taken: 20 ms and one for each part, as measured on the engine.
pub(crate) fn pause_ms(parts: u64) -> u64 {
    20 + parts
}
