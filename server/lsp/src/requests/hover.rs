//! `textDocument/hover`.

use tower_lsp::gen_lsp_types::{Hover, MarkupContent, MarkupKind, TextDocumentPositionParams};

use crate::snapshot::Snapshot;

pub(crate) fn run(snapshot: &Snapshot, params: &TextDocumentPositionParams) -> Option<Hover> {
    let (file, offset) = snapshot.place(params)?;
    let hover = headwater_ide::hover(&snapshot.db, file, offset)?;
    let kind = if snapshot.profile.markdown { MarkupKind::Markdown } else { MarkupKind::PlainText };
    Some(Hover {
        contents: MarkupContent { kind, value: hover.markdown }.into(),
        range: Some(snapshot.range(file, hover.range)),
    })
}
