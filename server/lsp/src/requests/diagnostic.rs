//! `textDocument/diagnostic`: pull for one document. Result ids are hashes of what the client sees, so "unchanged" is
//! said also after edits that change nothing visible.

use serde::{Deserialize, Serialize};
use tower_lsp::gen_lsp_types::{Diagnostic, TextDocumentIdentifier};

use crate::snapshot::Snapshot;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Params {
    text_document: TextDocumentIdentifier,
    previous_result_id: Option<String>,
}

/// The answer.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Answer {
    kind: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    result_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    items: Option<Vec<Diagnostic>>,
}

pub(crate) fn run(snapshot: &Snapshot, params: &Params) -> Answer {
    let Some(file) = snapshot.file(&params.text_document.uri.0) else {
        return Answer { kind: "full", result_id: None, items: Some(Vec::new()) };
    };
    let report = snapshot.report(file);
    let id = report.result_id();
    if params.previous_result_id.as_ref() == Some(&id) {
        return Answer { kind: "unchanged", result_id: Some(id), items: None };
    }
    Answer { kind: "full", result_id: Some(id), items: Some(report.to_lsp(snapshot)) }
}
