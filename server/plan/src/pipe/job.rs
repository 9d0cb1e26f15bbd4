//! Copies and sinks: what runs, when, and where it writes.

use std::collections::BTreeSet;

use headwater_analysis::NodeType;

use crate::change::Class;
use crate::compare::Cx;
use crate::release::NodeRef;
use crate::{rules, whole};

use super::effective;

/// A job that both projects have.
pub(super) fn classify(cx: &mut Cx<'_>, was: &NodeRef, is: &NodeRef) {
    let (Some(old), Some(new)) = (cx.before.node(was).cloned(), cx.after.node(is).cloned()) else { return };
    let is_copy = new.ty == NodeType::Copy;
    if old.writes != new.writes {
        let name = |n: &Option<String>| n.clone().unwrap_or_default();
        let reason = format!(
            "the next run writes `{}`; the rows that it wrote into `{}` stay there",
            name(&new.writes),
            name(&old.writes)
        );
        let mut change = cx.change(&is.pipe, rules::COPY_TARGET, Class::Metadata, reason);
        change.subject.clone_from(&new.writes);
        cx.changes.push(change);
    }
    if effective(cx, cx.before, &cx.old, was) != effective(cx, cx.after, &cx.new, is) {
        let reason = if is_copy {
            "the next run uses it; rows that were copied stay as they are"
        } else {
            "the next run uses it; what was written stays as it is"
        };
        let mut change = cx.change(&is.pipe, rules::PIPE_SQL, Class::Metadata, reason);
        change.subject.clone_from(&new.writes);
        cx.changes.push(change);
    }
    let names: BTreeSet<&str> = old.job.keys().chain(new.job.keys()).copied().collect();
    let mut rest = Vec::new();
    for name in names.into_iter().filter(|n| old.job.get(n) != new.job.get(n)) {
        match name {
            "COPY_MODE" => {
                let replaces = new.job.get(name).is_some_and(|m| m == "replace");
                let target = new.writes.clone().unwrap_or_default();
                let is_default = |m: Option<&String>| m.is_none_or(|m| m == "append");
                if is_default(old.job.get(name)) && is_default(new.job.get(name)) {
                    continue;
                }
                let reason = if replaces {
                    format!(
                        "the next run replaces every row of `{target}`; the deployment itself touches none"
                    )
                } else {
                    format!("the next run adds to the rows that `{target}` has")
                };
                let mut change = cx.change(&is.pipe, rules::COPY_MODE, Class::Metadata, reason);
                change.subject = Some(target);
                change.is_reversible = !replaces;
                change.is_breaking = false;
                cx.changes.push(change);
            }
            "COPY_SCHEDULE" | "EXPORT_SCHEDULE" => {
                let shown =
                    |v: Option<&String>| v.map_or_else(|| "on demand".to_owned(), |v| format!("`{v}`"));
                let reason =
                    format!("it ran {} and runs {}", shown(old.job.get(name)), shown(new.job.get(name)));
                let change = cx.change(&is.pipe, rules::CHANGE_SCHEDULE, Class::Metadata, reason);
                cx.changes.push(change);
            }
            "ON_DEMAND_COMPUTE" => {
                let reason = "it runs on other machines; what it writes is the same";
                let change = cx.change(&is.pipe, rules::CHANGE_SCHEDULE, Class::Metadata, reason);
                cx.changes.push(change);
            }
            other => rest.push(other),
        }
    }
    if !rest.is_empty() {
        let reason = format!(
            "{}: the next run writes as they say; what was written stays",
            whole::list(rest.into_iter())
        );
        let mut change = cx.change(&is.pipe, rules::CHANGE_SINK, Class::Metadata, reason);
        // Whoever reads the bucket or topic looks at the old place.
        change.is_breaking = true;
        cx.changes.push(change);
    }
}
