//! `textDocument/references`.

use tower_lsp::gen_lsp_types::{Location, ReferenceParams};

use crate::snapshot::Snapshot;

pub(crate) fn run(snapshot: &Snapshot, params: &ReferenceParams) -> Option<Vec<Location>> {
    let (file, offset) = snapshot.place(&params.text_document_position_params)?;
    let targets = headwater_ide::references(&snapshot.db, file, offset, params.context.include_declaration);
    Some(targets.iter().map(|target| snapshot.location(target)).collect())
}
