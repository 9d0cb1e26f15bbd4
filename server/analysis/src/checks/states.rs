//! States of aggregate functions that leave the project unfinished.

use std::sync::Arc;

use headwater_syntax::FileKind;

use super::{Diagnostic, Sink};
use crate::codes;
use crate::db::Db;
use crate::facts::{NodeType, interface};
use crate::inputs::{Content, File};
use crate::parse::datafile;
use crate::query::{OutputColumn, state_of};
use crate::semantics::{node_meaning, selected};

/// The columns of endpoints and sinks that are states. Looks at texts only where there is one.
#[salsa::tracked]
pub(super) fn state_faults(db: &dyn Db, file: File) -> Arc<Vec<Diagnostic>> {
    let mut out = Vec::new();
    let is_pipe = file.kind(db) == Some(FileKind::Pipe) && matches!(file.content(db), Content::Text(_));
    let Some(face) = interface(db, file).as_ref().filter(|_| is_pipe) else { return Arc::new(out) };
    let parsed = datafile(db, file);
    let mut sink = Sink::new(parsed, &mut out);
    for (view, node) in parsed.datafile.nodes().iter().zip(&face.nodes) {
        let Some((entry, sql)) = view.sql() else { continue };
        if !matches!(node.ty, NodeType::Endpoint | NodeType::Sink) {
            continue;
        }
        let is_state = |c: &OutputColumn| c.ty.as_ref().and_then(state_of).is_some();
        let facts = &node_meaning(db, file, view.index).facts;
        if !facts.iter().any(|facts| facts.columns.iter().any(is_state)) {
            continue;
        }
        let mut places = Vec::new();
        for column in selected(db, file, view.index) {
            let Some(function) = column.ty.as_ref().and_then(state_of) else { continue };
            if places.contains(&column.range) {
                continue;
            }
            places.push(column.range);
            let name = column.name.as_deref().unwrap_or("a column");
            let message = format!(
                "`{name}` is a state of {function}, which only the engine can read; finish it with {function}Merge(…), or finalizeAggregation(…)"
            );
            sink.in_body(entry, &sql, &codes::UNMERGED_STATE, column.range, message);
        }
    }
    Arc::new(out)
}
