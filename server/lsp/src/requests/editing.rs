//! What goes with typing: selection ranges, linked editing, indentation.

use serde::Deserialize;
use serde_json::{Value, json};
use tower_lsp::gen_lsp_types::{Position, TextDocumentIdentifier, TextDocumentPositionParams};

use crate::snapshot::Snapshot;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct SelectionParams {
    text_document: TextDocumentIdentifier,
    positions: Vec<Position>,
}

/// `textDocument/selectionRange`: one chain for each place.
pub(crate) fn selection_range(snapshot: &Snapshot, params: &SelectionParams) -> Option<Vec<Value>> {
    let file = snapshot.file(&params.text_document.uri.0)?;
    let chain = |position: &Position| {
        let offset = snapshot.offset(file, *position);
        let ranges = headwater_ide::selection_ranges(&snapshot.db, file, offset);
        let outwards = ranges.iter().rev().fold(Value::Null, |parent, range| {
            let range = snapshot.range(file, *range);
            if parent.is_null() {
                json!({ "range": range })
            } else {
                json!({ "range": range, "parent": parent })
            }
        });
        let empty = || json!({ "range": { "start": position, "end": position } });
        if outwards.is_null() { empty() } else { outwards }
    };
    Some(params.positions.iter().map(chain).collect())
}

/// `textDocument/linkedEditingRange`.
pub(crate) fn linked_editing(snapshot: &Snapshot, params: &TextDocumentPositionParams) -> Value {
    let Some((file, offset)) = snapshot.place(params) else { return Value::Null };
    let ranges = headwater_ide::linked_ranges(&snapshot.db, file, offset);
    if ranges.is_empty() {
        return Value::Null;
    }
    let ranges: Vec<_> = ranges.iter().map(|r| snapshot.range(file, *r)).collect();
    json!({ "ranges": ranges, "wordPattern": "[A-Za-z_][A-Za-z0-9_]*" })
}

/// `textDocument/onTypeFormatting`: a line break was typed.
pub(crate) fn on_type(snapshot: &Snapshot, params: &TextDocumentPositionParams) -> Option<Vec<Value>> {
    let (file, offset) = snapshot.place(params)?;
    let edits = headwater_ide::on_new_line(&snapshot.db, file, offset);
    Some(edits.iter().map(|e| json!({ "range": snapshot.range(file, e.range), "newText": e.text })).collect())
}
