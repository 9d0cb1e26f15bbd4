//! Pipes: what they publish, what jobs they run, and what only others read.
//!
//! What becomes of a view's target is decided with the target, in [`crate::view`].

mod endpoint;
mod job;
mod output;
mod target;

use std::sync::Arc;

use headwater_analysis::NodeType;

use crate::change::{Class, ResourceKind};
use crate::compare::{Cx, kind_of};
use crate::release::{Key, NodeRef, Pipe, Release, Wiring, compiled_sql};
use crate::whole::{people, still_named};
use crate::{rules, view, whole};

/// A pipe of either project, changed itself or behind something that is.
pub(crate) fn classify(cx: &mut Cx<'_>, key: &Key, is_changed: bool) {
    let old = cx.before.get(key).and_then(|d| d.pipe()).cloned();
    let new = cx.after.get(key).and_then(|d| d.pipe()).cloned();
    let count = cx.changes.len();
    match (&old, &new) {
        (Some(old), Some(new)) => {
            if old.ty() != new.ty() {
                published_otherwise(cx, key, old);
            }
            for index in 0..new.nodes.len() {
                let node = NodeRef { pipe: key.clone(), index };
                let was = same_node(old, new, key, index);
                match new.nodes[index].ty {
                    NodeType::Endpoint => match was {
                        Some(was) => endpoint::classify(cx, &was, &node, is_changed),
                        None => created(cx, key, NodeType::Endpoint),
                    },
                    NodeType::Copy | NodeType::Sink => match was {
                        Some(was) => job::classify(cx, &was, &node),
                        None => created(cx, key, new.nodes[index].ty),
                    },
                    NodeType::Materialized => materialized(cx, was.as_ref(), &node),
                    NodeType::Standard => {}
                }
                target::classify(cx, &node);
            }
            gone_views(cx, key, old, new);
            if is_changed {
                output::classify(cx, key);
            }
        }
        (None, Some(new)) => {
            if new.ty() == NodeType::Standard || cx.before.get(key).is_none() {
                let view = new.nodes.iter().any(|n| n.ty == NodeType::Materialized);
                if !view {
                    created(cx, key, new.ty());
                }
            }
            for index in 0..new.nodes.len() {
                let node = NodeRef { pipe: key.clone(), index };
                if new.nodes[index].ty == NodeType::Materialized {
                    materialized(cx, None, &node);
                }
                target::classify(cx, &node);
            }
            let was = cx.renamed.get(key).map(|k| k.name.clone());
            if let Some(was) = was.filter(|_| cx.changes.iter().all(|c| c.resource != key.name)) {
                let reason = format!(
                    "it was called `{was}`; its target is fed by the same query, and no row is touched"
                );
                let change = cx.change(key, rules::RENAME_RESOURCE, Class::Metadata, reason);
                cx.changes.push(change);
            }
        }
        (Some(old), None) => deleted(cx, key, old),
        (None, None) => {}
    }
    if let (Some(old), Some(new), true) = (old, new, is_changed) {
        let is_said = cx.changes[count..].iter().any(|c| c.resource == key.name)
            || cx.changes.iter().any(|c| c.resource == key.name && c.kind == ResourceKind::Materialized);
        if old != new && !is_said {
            only_queries(cx, key);
        }
    }
}

/// The node that was the same one: by name and type, else the only one of its type.
fn same_node(old: &Pipe, new: &Pipe, key: &Key, index: usize) -> Option<NodeRef> {
    let node = &new.nodes[index];
    let same_type = |n: &usize| old.nodes[*n].ty == node.ty;
    let found = (0..old.nodes.len())
        .find(|n| same_type(n) && old.nodes[*n].name == node.name)
        .or_else(|| (0..old.nodes.len()).find(same_type))?;
    Some(NodeRef { pipe: key.clone(), index: found })
}

fn only_queries(cx: &mut Cx<'_>, key: &Key) {
    let dependents = cx.dependents(key);
    let reason = if dependents.is_empty() {
        "nothing that is stored or published is made of it".to_owned()
    } else {
        let verb = if dependents.len() == 1 { "sees" } else { "see" };
        format!("it stores nothing: {} {verb} it at the next read", people(&dependents))
    };
    let mut change = cx.change(key, rules::PIPE_SQL, Class::Metadata, reason);
    change.dependents = dependents;
    cx.changes.push(change);
}

fn created(cx: &mut Cx<'_>, key: &Key, ty: NodeType) {
    let was = cx.renamed.get(key).map(|k| k.name.clone());
    let mut reason = match ty {
        NodeType::Endpoint => "its address answers from the deployment on".to_owned(),
        NodeType::Copy => "it runs as its schedule says; nothing is copied by the deployment".to_owned(),
        NodeType::Sink => "it runs as its schedule says; nothing is written by the deployment".to_owned(),
        _ => "others can read it".to_owned(),
    };
    if let Some(was) = was {
        reason = format!("it looks like `{was}` under another name; {reason}");
    }
    let change = cx.change(key, rules::CREATE_PIPE, Class::Create, reason);
    cx.changes.push(change);
}

fn deleted(cx: &mut Cx<'_>, key: &Key, old: &Pipe) {
    if cx.after.get(key).is_some() {
        return;
    }
    let readers = still_named(cx, key);
    if !readers.is_empty() {
        return whole::still_read(cx, key, readers);
    }
    let new_name = cx.renamed.iter().find(|(_, was)| *was == key).map(|(new, _)| new.name.clone());
    let kind = kind_of(cx.before, key);
    let is_view = kind == ResourceKind::Materialized;
    let target = targets(cx.before, key, old).next().map(|t| t.name).unwrap_or_default();
    let (rule, class, reason) = match (&new_name, kind) {
        (Some(new), ResourceKind::Endpoint) => (
            rules::RENAME_RESOURCE,
            Class::Delete,
            format!("it looks like it is called `{new}` now: callers of the old address get an error"),
        ),
        (Some(new), ResourceKind::Materialized) => (
            rules::RENAME_RESOURCE,
            Class::Metadata,
            format!("it is called `{new}` now; `{target}` is fed by the same query, and no row is touched"),
        ),
        (Some(new), _) => (rules::RENAME_RESOURCE, Class::Metadata, format!("it is called `{new}` now")),
        (None, ResourceKind::Materialized) => (
            rules::DELETE_VIEW,
            Class::Delete,
            format!("`{target}` keeps its rows and gets no new ones from it"),
        ),
        (None, ResourceKind::Endpoint) => {
            (rules::DELETE_PIPE, Class::Delete, "callers of its address get an error".to_owned())
        }
        (None, ResourceKind::Copy | ResourceKind::Sink) => {
            (rules::DELETE_PIPE, Class::Delete, "its job does not run any more; no row is touched".to_owned())
        }
        (None, _) => (rules::DELETE_PIPE, Class::Delete, "nothing reads it; no row is touched".to_owned()),
    };
    let mut change = cx.change(key, rule, class, reason);
    change.is_breaking = kind == ResourceKind::Endpoint;
    // A query comes back with its file; what a view did not see meanwhile does not.
    change.is_reversible = true;
    if is_view {
        change.subject = Some(target.clone());
        change.dependents = cx.dependents(&Key::table(target));
    }
    cx.changes.push(change);
}

/// What a pipe publishes is of another kind now.
fn published_otherwise(cx: &mut Cx<'_>, key: &Key, old: &Pipe) {
    let word = |release: &Release<'_>| kind_of(release, key).noun();
    let mut reason = format!("it was a {} and is a {}", word(cx.before), word(cx.after))
        .replace(" a endpoint", " an endpoint");
    let loses = match old.ty() {
        NodeType::Endpoint => Some("callers of its address get an error"),
        NodeType::Materialized => Some("what it fed keeps its rows and gets no new ones"),
        NodeType::Copy | NodeType::Sink => Some("its job does not run any more"),
        NodeType::Standard => None,
    };
    if let Some(loses) = loses {
        reason = format!("{reason}: {loses}");
    }
    let is_destructive = matches!(old.ty(), NodeType::Endpoint | NodeType::Materialized);
    let class = if is_destructive { Class::Delete } else { Class::Metadata };
    let mut change = cx.change(key, rules::KIND_CHANGE, class, reason);
    change.is_breaking = old.ty() == NodeType::Endpoint;
    change.is_reversible = true;
    change.dependents = cx.dependents(key);
    cx.changes.push(change);
}

/// A view's own part: what its target says is said there.
fn materialized(cx: &mut Cx<'_>, was: Option<&NodeRef>, node: &NodeRef) {
    let Some(target) = cx.after.target(node).map(|key| key.name) else { return };
    let is_said = cx
        .changes
        .iter()
        .any(|c| c.resource == node.pipe.name && c.subject.as_deref() == Some(target.as_str()));
    if is_said {
        return;
    }
    if cx.after.table(&Key::table(&target)).is_none() {
        // The target is shared into this workspace, or a fault that `check` reports.
        if was.is_none() && view::before_view(cx, node).is_none() {
            let reason = format!("it feeds `{target}`, which the project does not define");
            let mut change = cx.change(&node.pipe, rules::CREATE_VIEW, Class::Create, reason);
            change.subject = Some(target);
            cx.changes.push(change);
        } else if was
            .is_some_and(|w| effective(cx, cx.before, &cx.old, w) != effective(cx, cx.after, &cx.new, node))
        {
            let reason = format!(
                "its query changed; `{target}`, which the project does not define, keeps its rows and only new ones are made by it"
            );
            let mut change = cx.change(&node.pipe, rules::VIEW_SQL, Class::Carry, reason);
            change.subject = Some(target);
            cx.changes.push(change);
        }
        return;
    }
    let keeps = |release: &Release<'_>, node: &NodeRef| release.node(node).is_some_and(|n| n.keeps_history);
    if let Some(was) = was
        && keeps(cx.before, was) != keeps(cx.after, node)
    {
        let reason = if keeps(cx.after, node) {
            "the next change of its query keeps the rows of its target"
        } else {
            "the next change of its query fills its target anew, where that can be done"
        };
        let change = cx.change(&node.pipe, rules::DEPLOYMENT_METHOD, Class::Metadata, reason);
        cx.changes.push(change);
    }
}

/// Views of a pipe that stays while they go.
fn gone_views(cx: &mut Cx<'_>, key: &Key, old: &Pipe, new: &Pipe) {
    if old.ty() != new.ty() {
        return;
    }
    let views = |pipe: &Pipe| pipe.nodes.iter().filter(|n| n.ty == NodeType::Materialized).count();
    if views(new) < views(old) {
        let fed: Vec<Key> = targets(cx.after, key, new).collect();
        let left: Vec<Key> = targets(cx.before, key, old).filter(|t| !fed.contains(t)).collect();
        let name = whole::list(left.iter().map(|t| t.name.as_str()));
        let verb = if left.len() == 1 { "keeps its rows and gets" } else { "keep their rows and get" };
        let reason = format!("{name} {verb} no new ones from it");
        let change = cx.change(key, rules::DELETE_VIEW, Class::Delete, reason);
        cx.changes.push(change);
    }
}

/// What the nodes of a pipe write.
fn targets(release: &Release<'_>, key: &Key, pipe: &Pipe) -> impl Iterator<Item = Key> {
    (0..pipe.nodes.len()).filter_map(|index| release.target(&NodeRef { pipe: key.clone(), index }))
}

/// Whether a query may have a star: cheap, and never wrong about those that have one.
pub(crate) fn may_have_star(sql: &str) -> bool {
    sql.contains('*') || sql.to_ascii_uppercase().contains("COLUMNS")
}

/// The queries that a node is made of, stars written out where that may differ.
pub(crate) fn effective(
    cx: &Cx<'_>,
    release: &Release<'_>,
    wiring: &Wiring,
    node: &NodeRef,
) -> Vec<Arc<str>> {
    let chain = wiring.chain(node);
    let text = |n: &NodeRef| -> Option<Arc<str>> {
        let entry = release.entries.get(&n.pipe)?;
        let sql = &release.node(n)?.sql;
        Some(if may_have_star(sql) {
            compiled_sql(cx.db, entry.file, n.index).clone()
        } else {
            sql.as_str().into()
        })
    };
    chain.nodes.iter().filter_map(text).collect()
}
