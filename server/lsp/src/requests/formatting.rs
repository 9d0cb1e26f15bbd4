//! `textDocument/formatting` and `textDocument/rangeFormatting`.
//!
//! The client's tab size is not asked: what the editor writes must be what `headwater fmt --check` accepts, and that is
//! the project's choice.

use headwater_analysis::{File, TextRange};
use serde::Deserialize;
use tower_lsp::gen_lsp_types::{Range, TextDocumentIdentifier, TextEdit};

use super::DocumentParams;
use crate::position::line_index;
use crate::snapshot::Snapshot;

/// The parameters of the request about a range.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct RangeParams {
    text_document: TextDocumentIdentifier,
    range: Range,
}

pub(crate) fn document(snapshot: &Snapshot, params: &DocumentParams) -> Option<Vec<TextEdit>> {
    let file = snapshot.file(&params.text_document.uri.0)?;
    Some(edits(snapshot, file, None))
}

pub(crate) fn range(snapshot: &Snapshot, params: &RangeParams) -> Option<Vec<TextEdit>> {
    let file = snapshot.file(&params.text_document.uri.0)?;
    let index = line_index(&snapshot.db, file, snapshot.profile.encoding);
    let (start, end) = (index.offset(params.range.start), index.offset(params.range.end));
    Some(edits(snapshot, file, Some(TextRange::new(start.min(end), end.max(start)))))
}

fn edits(snapshot: &Snapshot, file: File, within: Option<TextRange>) -> Vec<TextEdit> {
    let index = line_index(&snapshot.db, file, snapshot.profile.encoding);
    headwater_ide::format(&snapshot.db, file, within)
        .into_iter()
        .map(|edit| TextEdit {
            range: Range { start: index.position(edit.range.start()), end: index.position(edit.range.end()) },
            new_text: edit.text,
        })
        .collect()
}
