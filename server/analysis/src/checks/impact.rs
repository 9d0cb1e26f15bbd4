//! What an edit breaks elsewhere, shown where it is made.

use std::sync::Arc;

use headwater_syntax::{Directive, TextRange, schema};
use rustc_hash::FxHashSet;

use super::{Diagnostic, Related, Remedy, Sink};
use crate::codes;
use crate::db::Db;
use crate::facts::{NodeType, interface};
use crate::impact::{ChangeKind, ColumnChange, column_changes, victims};
use crate::inputs::{Content, File};
use crate::parse::{Parsed, datafile};
use crate::semantics::selected;

/// More places than this say no more.
const MAX_RELATED: usize = 20;

/// What the file's changes since the baseline break. Looks at others only when a column changed.
#[salsa::tracked]
pub(super) fn impact_faults(db: &dyn Db, file: File) -> Arc<Vec<Diagnostic>> {
    let mut out = Vec::new();
    let changes = column_changes(db, file);
    if !changes.is_empty() && matches!(file.content(db), Content::Text(_)) {
        let parsed = datafile(db, file);
        let mut sink = Sink::new(parsed, &mut out);
        for change in changes.iter() {
            report(db, file, parsed, change, &mut sink);
        }
    }
    Arc::new(out)
}

fn report(db: &dyn Db, file: File, parsed: &Parsed, change: &ColumnChange, sink: &mut Sink<'_>) {
    let Some((source, range)) = place(db, parsed, change) else { return };
    let column = &change.column;
    let what = match &change.kind {
        ChangeKind::Removed => format!("`{column}` is gone"),
        ChangeKind::Renamed { to } => format!("`{column}` is called `{to}`"),
        ChangeKind::Retyped { from, to } => format!("`{column}` was {from} and is {to}"),
    };
    let victims = victims(db, change);
    if !victims.is_empty() {
        let resources: FxHashSet<File> = victims.iter().map(|v| v.vertex.file).collect();
        let plural = |n: usize, word: &str| if n == 1 { format!("1 {word}") } else { format!("{n} {word}s") };
        let message = format!(
            "{what} since the baseline: this breaks {} in {}; mend them too, or keep the column",
            plural(victims.len(), "place"),
            plural(resources.len(), "resource")
        );
        let diagnostic = sink.push_in(source, &codes::BREAKS_DOWNSTREAM, range, message);
        // A pipe's own names are changed where they are given; those of a schema are written by hand.
        diagnostic.remedy(match &change.kind {
            ChangeKind::Renamed { .. } if source == 0 => Some(Remedy::WasCalled(column.clone())),
            _ => None,
        });
        diagnostic.related.extend(victims.iter().take(MAX_RELATED).map(|victim| Related {
            file: victim.vertex.file,
            range: victim.range,
            message: format!("names `{column}`"),
        }));
    }
    // Who calls an endpoint is in no file.
    let node = change.vertex.node.and_then(|n| interface(db, file).as_ref()?.nodes.get(n));
    if node.is_some_and(|n| n.ty == NodeType::Endpoint) {
        let message =
            format!("{what} since the baseline, in what this endpoint answers; its callers must know");
        sink.push_in(source, &codes::ENDPOINT_CONTRACT, range, message);
    }
}

/// Where a change is shown: at the column as it is now, else at the list that it is gone from.
fn place(db: &dyn Db, parsed: &Parsed, change: &ColumnChange) -> Option<(usize, TextRange)> {
    let now = match &change.kind {
        ChangeKind::Removed => None,
        ChangeKind::Renamed { to } => Some(to),
        ChangeKind::Retyped { .. } => Some(&change.column),
    };
    match change.vertex.node {
        None => {
            let entry = parsed.datafile.last(Directive::Schema)?;
            let body = entry.entry.body(parsed.datafile.source_of(entry));
            let columns = schema::parse(&body.text).columns;
            let column = now.and_then(|name| columns.into_iter().find(|c| c.name.value == *name));
            let range = column.map_or(entry.entry.keyword, |c| body.to_source(c.name.range));
            Some((entry.source, range))
        }
        Some(index) => {
            let view = parsed.datafile.nodes().into_iter().find(|n| n.index == index)?;
            let (entry, body) = view.sql()?;
            let selected = selected(db, change.vertex.file, index);
            let column = now.and_then(|name| selected.into_iter().find(|c| c.name.as_ref() == Some(name)));
            let range = column.map_or(entry.entry.keyword, |c| body.to_source(c.range));
            Some((entry.source, range))
        }
    }
}
