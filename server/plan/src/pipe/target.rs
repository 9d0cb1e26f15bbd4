//! A view's columns and those of its target.

use headwater_analysis::NodeType;
use headwater_analysis::query::{Relation, insertable};
use headwater_analysis::semantics::{node_relation, relation};

use crate::change::{Class, Fix, FixEdit};
use crate::compare::Cx;
use crate::release::{Key, NodeRef, ddl};
use crate::rules;
use crate::whole::list;

/// Refuses a view whose columns are not those of its target, unless they were not before either.
pub(super) fn classify(cx: &mut Cx<'_>, node: &NodeRef) {
    if cx.after.node(node).is_none_or(|n| n.ty != NodeType::Materialized) {
        return;
    }
    let Some(target) = cx.after.target(node) else { return };
    let Some(complaint) = complaint(cx, cx.after, node, &target) else { return };
    let was = crate::view::before_view(cx, node);
    let before = was.and_then(|was| self::complaint(cx, cx.before, &was, &target));
    if before.as_deref() == Some(complaint.as_str()) {
        return;
    }
    let reason = format!("{complaint}: a view and its target have the same columns");
    let mut change = cx.change(&node.pipe, rules::VIEW_COLUMNS, Class::Refuse, reason);
    change.subject = Some(target.name.clone());
    change.dependents = vec![crate::change::Dependent {
        resource: target.name.clone(),
        kind: crate::change::ResourceKind::Datasource,
        node: None,
    }];
    change.fix = matching_schema(cx, node, &target);
    cx.changes.push(change);
}

fn complaint(
    cx: &Cx<'_>,
    release: &crate::release::Release<'_>,
    node: &NodeRef,
    target: &Key,
) -> Option<String> {
    let view = node_relation(cx.db, release.entries.get(&node.pipe)?.file, node.index);
    let table = relation(cx.db, release.entries.get(target)?.file);
    if !view.complete || !table.complete || view.columns.iter().any(|c| c.name.is_none()) {
        return None;
    }
    let only = |a: &Relation, b: &Relation| -> Vec<String> {
        let names = a.columns.iter().filter_map(|c| c.name.clone());
        names.filter(|n| b.columns.iter().all(|c| c.name.as_ref() != Some(n))).collect()
    };
    let (extra, missing) = (only(view, table), only(table, view));
    let misfits: Vec<String> = view
        .columns
        .iter()
        .filter(|c| {
            let there = c.name.as_ref().and_then(|n| table.column(n)).and_then(|t| t.ty.as_ref());
            c.ty.as_ref().zip(there).is_some_and(|(a, b)| insertable(a, b) == Some(false))
        })
        .filter_map(|c| c.name.clone())
        .collect();
    let shown = |names: &[String]| list(names.iter().map(String::as_str));
    let mut parts = Vec::new();
    if !extra.is_empty() {
        parts.push(format!("its query gives {}, which `{}` does not have", shown(&extra), target.name));
    }
    if !missing.is_empty() {
        parts.push(format!("`{}` has {}, which its query does not give", target.name, shown(&missing)));
    }
    if !misfits.is_empty() {
        parts.push(format!("the type of {} does not convert", shown(&misfits)));
    }
    (!parts.is_empty()).then(|| parts.join(", and "))
}

/// The target's columns as the view gives them; what the target says of a column beside its type stays.
pub(crate) fn matching_schema(cx: &Cx<'_>, node: &NodeRef, target: &Key) -> Option<Fix> {
    let entry = cx.after.entries.get(target)?;
    let table = entry.definition()?.table()?;
    let view = node_relation(cx.db, cx.after.entries.get(&node.pipe)?.file, node.index);
    let lines: Option<Vec<String>> = view
        .columns
        .iter()
        .map(|c| {
            let name = c.name.as_ref()?;
            Some(match table.column(name) {
                Some(own) => format!("    {}", ddl::column(own)),
                None => format!("    {} {}", ddl::identifier(name), c.ty.as_ref()?),
            })
        })
        .collect();
    Some(Fix {
        title: format!("make `{}` match the view", target.name),
        path: entry.file.path(cx.db).to_string(),
        text: format!("SCHEMA >\n{}\n", lines?.join(",\n")),
        edit: FixEdit::Schema,
    })
}
