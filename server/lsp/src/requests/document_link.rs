//! `textDocument/documentLink`.

use tower_lsp::gen_lsp_types::DocumentLink;

use super::DocumentParams;
use crate::snapshot::Snapshot;

pub(crate) fn run(snapshot: &Snapshot, params: &DocumentParams) -> Option<Vec<DocumentLink>> {
    let file = snapshot.file(&params.text_document.uri.0)?;
    let links = headwater_ide::document_links(&snapshot.db, file).into_iter().map(|link| DocumentLink {
        range: snapshot.range(file, link.range),
        target: Some(snapshot.file_uri(link.file)),
        tooltip: Some(link.tooltip),
        data: None,
    });
    Some(links.collect())
}
