//! `textDocument/diagnostic`: pull for one document. Result ids are hashes of what the client sees, so "unchanged" is
//! said also after edits that change nothing visible.

use serde::Deserialize;
use serde_json::{Value, json};
use tower_lsp::gen_lsp_types::TextDocumentIdentifier;

use crate::snapshot::Snapshot;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Params {
    text_document: TextDocumentIdentifier,
    previous_result_id: Option<String>,
}

pub(crate) fn run(snapshot: &Snapshot, params: &Params) -> Value {
    let Some(file) = snapshot.file(&params.text_document.uri.0) else {
        return json!({ "kind": "full", "items": [] });
    };
    let report = snapshot.report(file);
    let id = report.result_id();
    if params.previous_result_id.as_ref() == Some(&id) {
        return json!({ "kind": "unchanged", "resultId": id });
    }
    json!({ "kind": "full", "resultId": id, "items": report.to_lsp(snapshot) })
}
