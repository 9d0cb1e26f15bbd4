//! Who breaks when a column is gone, called otherwise, or of another type.

use std::collections::BTreeSet;

use headwater_analysis::Vertex;
use headwater_analysis::impact::{ChangeKind, ColumnChange, victims};
use headwater_analysis::semantics::node_meaning;

use crate::change::Dependent;
use crate::compare::Cx;
use crate::release::{Key, NodeRef};

/// What happened to a column.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Loss<'a> {
    /// There is none of its name.
    Gone,
    /// It has another name.
    Renamed(&'a str),
    /// It has another type.
    Retyped {
        /// Before.
        from: &'a str,
        /// Now.
        to: &'a str,
    },
}

/// The nodes of the new project that the engine refuses because of it.
pub(crate) fn broken_readers(cx: &Cx<'_>, table: &Key, column: &str, loss: Loss<'_>) -> Vec<Dependent> {
    let Some(entry) = cx.after.entries.get(table) else { return Vec::new() };
    let kind = match loss {
        Loss::Gone => ChangeKind::Removed,
        Loss::Renamed(to) => ChangeKind::Renamed { to: to.to_owned() },
        Loss::Retyped { from, to } => ChangeKind::Retyped { from: from.to_owned(), to: to.to_owned() },
    };
    let change =
        ColumnChange { vertex: Vertex { file: entry.file, node: None }, column: column.to_owned(), kind };
    let mut broken: BTreeSet<NodeRef> = BTreeSet::new();
    for victim in victims(cx.db, &change) {
        if let Some((pipe, index)) = cx.after.key_of(victim.vertex.file).zip(victim.vertex.node) {
            broken.insert(NodeRef { pipe, index });
        }
    }
    if !matches!(loss, Loss::Retyped { .. }) {
        broken.extend(unchanged_readers(cx, table, column));
    }
    broken.iter().map(|node| cx.dependent(node)).collect()
}

/// Readers that named the column and were not touched: where something else in their query is not known, no fault is
/// found in it, but what they name is gone all the same.
fn unchanged_readers(cx: &Cx<'_>, table: &Key, column: &str) -> Vec<NodeRef> {
    let mut out = Vec::new();
    for reader in cx.old.readers(table) {
        let (Some(was), Some(is)) = (cx.before.node(reader), cx.after.node(reader)) else { continue };
        if was.sql != is.sql || was.name != is.name || cx.old.inputs(reader) != cx.new.inputs(reader) {
            continue;
        }
        let files = cx.before.entries.get(&reader.pipe).zip(cx.after.entries.get(&reader.pipe));
        let Some((before, after)) = files else { continue };
        let names_it = |file| {
            node_meaning(cx.db, file, reader.index).facts.iter().any(|facts| {
                facts.uses.iter().any(|u| {
                    let base = &facts.bases[u.base];
                    u.is_name && base.column == column
                })
            })
        };
        let of_table = node_meaning(cx.db, before.file, reader.index).facts.iter().any(|facts| {
            facts.uses.iter().any(|u| {
                let base = &facts.bases[u.base];
                u.is_name && base.column == column && base.database.is_none() && base.table == table.name
            })
        });
        // Another table of the query may have a column of that name now.
        if of_table && !names_it(after.file) {
            out.push(reader.clone());
        }
    }
    out
}
