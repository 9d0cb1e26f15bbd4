//! Endpoints: what callers pass and what they get.

use std::collections::BTreeMap;

use headwater_analysis::ParameterFact;
use headwater_analysis::semantics::node_relation;

use crate::change::Class;
use crate::compare::Cx;
use crate::release::{NodeRef, Release, Wiring};
use crate::rules;

use super::{effective, may_have_star};

/// An endpoint that both projects have.
pub(super) fn classify(cx: &mut Cx<'_>, was: &NodeRef, is: &NodeRef, is_changed: bool) {
    if !is_changed && !may_differ(cx, was, is) {
        return;
    }
    let (old, new) = (effective(cx, cx.before, &cx.old, was), effective(cx, cx.after, &cx.new, is));
    let mut said = false;
    let mut added = Vec::new();
    for break_ in breaks(cx, was, is, &mut added) {
        let mut change = cx.change(&is.pipe, rules::ENDPOINT_BREAKING, Class::Metadata, break_.reason);
        change.subject = Some(break_.subject);
        change.is_breaking = true;
        cx.changes.push(change);
        said = true;
    }
    if said && added.is_empty() {
        return;
    }
    // What it reads may differ without its own doing: that is said where it was done.
    if is_changed && old != new || !added.is_empty() {
        let reason = match (added.as_slice(), said) {
            ([], _) => "another query gives the same columns for the same parameters".to_owned(),
            (added, _) => format!("callers that do not ask for it see no difference: {}", added.join(", ")),
        };
        let change = cx.change(&is.pipe, rules::ENDPOINT_COMPATIBLE, Class::Metadata, reason);
        cx.changes.push(change);
    }
}

/// Whether what an endpoint is made of can have changed what it answers. Columns that came are seen by stars alone; asking
/// that first spares the analysis of every reader when one is added.
fn may_differ(cx: &Cx<'_>, was: &NodeRef, is: &NodeRef) -> bool {
    let (old, new) = (cx.old.chain(was), cx.new.chain(is));
    let same_nodes = old.nodes.len() == new.nodes.len()
        && old
            .nodes
            .iter()
            .zip(&new.nodes)
            .all(|(a, b)| cx.before.node(a).map(|n| &n.sql) == cx.after.node(b).map(|n| &n.sql));
    if !same_nodes || old.tables != new.tables {
        return true;
    }
    let has_star = new.nodes.iter().filter_map(|n| cx.after.node(n)).any(|n| may_have_star(&n.sql));
    new.tables.iter().any(|key| match (cx.before.table(key), cx.after.table(key)) {
        (Some(a), Some(b)) => {
            let kept = a.columns.iter().all(|c| b.column(&c.name).is_some_and(|n| n.ty == c.ty));
            !kept || has_star && a.columns.len() != b.columns.len()
        }
        _ => true,
    })
}

struct Break {
    subject: String,
    reason: String,
}

/// What callers have to change for, and in `added` what they may use.
fn breaks(cx: &Cx<'_>, was: &NodeRef, is: &NodeRef, added: &mut Vec<String>) -> Vec<Break> {
    let mut out = Vec::new();
    parameters(cx, was, is, &mut out, added);
    columns(cx, was, is, &mut out, added);
    out
}

fn parameters(cx: &Cx<'_>, was: &NodeRef, is: &NodeRef, out: &mut Vec<Break>, added: &mut Vec<String>) {
    let (old, new) = (accepted(cx.before, &cx.old, was), accepted(cx.after, &cx.new, is));
    for (name, parameter) in &new {
        let Some(before) = old.get(name) else {
            if parameter.is_required {
                let reason = format!("callers have to pass `{name}` now");
                out.push(Break { subject: name.clone(), reason });
            } else {
                added.push(format!("parameter `{name}`"));
            }
            continue;
        };
        if parameter.is_required && !before.is_required {
            let reason = format!("`{name}` has no default any more: callers have to pass it");
            out.push(Break { subject: name.clone(), reason });
        }
        if let (Some(a), Some(b)) = (&before.ty, &parameter.ty)
            && a != b
        {
            let reason =
                format!("`{name}` was read as {a} and is read as {b}: what callers pass may be refused");
            out.push(Break { subject: name.clone(), reason });
        }
    }
    for name in old.keys().filter(|name| !new.contains_key(*name)) {
        let reason = format!("`{name}` has no effect any more: callers that pass it get other rows");
        out.push(Break { subject: name.clone(), reason });
    }
}

#[derive(Debug, Default)]
struct Accepted {
    ty: Option<String>,
    is_required: bool,
}

/// The parameters of an endpoint: those of its node and of all that it is made of.
fn accepted(release: &Release<'_>, wiring: &Wiring, node: &NodeRef) -> BTreeMap<String, Accepted> {
    let mut out: BTreeMap<String, Accepted> = BTreeMap::new();
    for part in wiring.chain(node).nodes {
        let Some(own) = release.node(&part) else { continue };
        // Where a template asks whether a parameter was passed, callers may leave it out.
        let guarded = |p: &ParameterFact| own.sql.contains(&format!("defined({})", p.name));
        for parameter in &own.parameters {
            let entry = out.entry(parameter.name.clone()).or_default();
            if entry.ty.is_none() {
                entry.ty.clone_from(&parameter.ty);
            }
            entry.is_required |= parameter.ty.is_some() && parameter.default.is_none() && !guarded(parameter);
        }
    }
    // A default in one place is one for the request only where it stands; a place without one still asks for it.
    out
}

fn columns(cx: &Cx<'_>, was: &NodeRef, is: &NodeRef, out: &mut Vec<Break>, added: &mut Vec<String>) {
    let files = cx.before.entries.get(&was.pipe).zip(cx.after.entries.get(&is.pipe));
    let Some((before, after)) = files else { return };
    let (old, new) =
        (node_relation(cx.db, before.file, was.index), node_relation(cx.db, after.file, is.index));
    if !old.complete || !new.complete {
        return;
    }
    for column in &old.columns {
        let Some(name) = &column.name else { continue };
        match new.column(name) {
            None => {
                let reason = format!("`{name}` is not in the answer any more");
                out.push(Break { subject: name.clone(), reason });
            }
            Some(now) => {
                if let (Some(a), Some(b)) = (&column.ty, &now.ty)
                    && shown(a) != shown(b)
                {
                    let reason = format!("`{name}` was {a} and is {b} in the answer");
                    out.push(Break { subject: name.clone(), reason });
                }
            }
        }
    }
    for column in &new.columns {
        if let Some(name) = column.name.as_ref().filter(|n| old.column(n).is_none()) {
            added.push(format!("column `{name}`"));
        }
    }
}

/// What of a type callers see: dictionaries are a matter of storage.
fn shown(ty: &headwater_catalog::Type) -> String {
    ty.without_any_low_cardinality().to_string()
}
