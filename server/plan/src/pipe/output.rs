//! What a pipe gives to those that read it.

use std::collections::{BTreeMap, BTreeSet};

use headwater_analysis::impact::{ChangeKind, column_changes, victims};

use crate::change::{Class, Fix, FixEdit};
use crate::compare::Cx;
use crate::release::{Key, NodeRef};
use crate::rules;
use crate::whole::people;

/// Refuses a pipe whose readers name a column that it does not give any more, or cannot do with it what they did.
pub(super) fn classify(cx: &mut Cx<'_>, key: &Key) {
    let Some(entry) = cx.after.entries.get(key) else { return };
    // A column that several nodes hand on is lost once.
    let mut lost: BTreeMap<String, (String, BTreeSet<NodeRef>)> = BTreeMap::new();
    for change in column_changes(cx.db, entry.file).iter() {
        let broken: Vec<NodeRef> = victims(cx.db, change)
            .into_iter()
            .filter_map(|v| Some(NodeRef { pipe: cx.after.key_of(v.vertex.file)?, index: v.vertex.node? }))
            .collect();
        if broken.is_empty() {
            continue;
        }
        let what = match &change.kind {
            ChangeKind::Removed => format!("it does not give `{}` any more", change.column),
            ChangeKind::Renamed { to } => format!("`{}` is called `{to}` now", change.column),
            ChangeKind::Retyped { from, to } => format!("`{}` was {from} and is {to}", change.column),
        };
        lost.entry(change.column.clone()).or_insert_with(|| (what, BTreeSet::new())).1.extend(broken);
    }
    for (column, (what, broken)) in lost {
        let readers: Vec<_> = broken.iter().map(|node| cx.dependent(node)).collect();
        let verb = if readers.len() == 1 { "reads" } else { "read" };
        let reason =
            format!("{what}, and {} still {verb} it: the engine refuses the query", people(&readers));
        let mut change = cx.change(key, rules::PIPE_COLUMN_READ, Class::Refuse, reason);
        change.fix = Some(Fix {
            title: format!("give `{column}` as before, or change {}", people(&readers)),
            path: change.path.clone(),
            text: String::new(),
            edit: FixEdit::Manual,
        });
        change.subject = Some(column);
        change.dependents = readers;
        cx.changes.push(change);
    }
}
