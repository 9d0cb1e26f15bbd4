//! `textDocument/documentHighlight`.

use serde_json::{Value, json};
use tower_lsp::gen_lsp_types::TextDocumentPositionParams;

use crate::snapshot::Snapshot;

pub(crate) fn run(snapshot: &Snapshot, params: &TextDocumentPositionParams) -> Option<Vec<Value>> {
    let (file, offset) = snapshot.place(params)?;
    let highlights = headwater_ide::highlights(&snapshot.db, file, offset).into_iter();
    let highlights = highlights
        .map(|h| json!({ "range": snapshot.range(file, h.range), "kind": if h.is_write { 3 } else { 2 } }));
    Some(highlights.collect())
}
