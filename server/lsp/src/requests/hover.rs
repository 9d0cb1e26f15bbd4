//! `textDocument/hover`.

use tower_lsp::gen_lsp_types::{Hover, MarkupContent, MarkupKind, TextDocumentPositionParams};

use crate::snapshot::Snapshot;

pub(crate) fn run(snapshot: &Snapshot, params: &TextDocumentPositionParams) -> Option<Hover> {
    let (file, offset) = snapshot.place(params)?;
    let hover = headwater_ide::hover(&snapshot.db, file, offset, snapshot.now);
    let deployment = headwater_ide::deployment_at(&snapshot.db, file, offset);
    let range = hover.as_ref().map(|h| h.range).or(deployment.as_ref().map(|d| d.range))?;
    let parts = hover.map(|h| h.markdown).into_iter();
    let parts: Vec<_> =
        parts.chain(deployment.map(|d| format!("**{}**\n\n{}", d.title, d.markdown))).collect();
    let kind = if snapshot.profile.markdown { MarkupKind::Markdown } else { MarkupKind::PlainText };
    Some(Hover {
        contents: MarkupContent { kind, value: parts.join("\n---\n\n") }.into(),
        range: Some(snapshot.range(file, range)),
    })
}
