//! `textDocument/inlayHint`.

use headwater_analysis::{HintKind, TextRange};
use serde::Deserialize;
use tower_lsp::gen_lsp_types::{InlayHint, InlayHintKind, Label, Range, TextDocumentIdentifier};

use crate::position::line_index;
use crate::snapshot::Snapshot;

/// The parameters of the request.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Params {
    text_document: TextDocumentIdentifier,
    range: Range,
}

pub(crate) fn run(snapshot: &Snapshot, params: &Params) -> Option<Vec<InlayHint>> {
    let file = snapshot.file(&params.text_document.uri.0)?;
    let index = line_index(&snapshot.db, file, snapshot.profile.encoding);
    let (start, end) = (index.offset(params.range.start), index.offset(params.range.end));
    let range = TextRange::new(start.min(end), end.max(start));
    let hints = headwater_ide::inlay_hints(&snapshot.db, file, range).into_iter().map(|hint| InlayHint {
        position: index.position(hint.offset),
        label: Label::String(hint.label),
        kind: (hint.kind == HintKind::Type).then_some(InlayHintKind::Type),
        padding_left: Some(hint.kind == HintKind::Impact),
        padding_right: None,
        text_edits: None,
        tooltip: None,
        data: None,
    });
    Some(hints.collect())
}
