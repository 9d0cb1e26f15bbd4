//! One file per request. A handler is a function of a snapshot and its parameters; it has no way to wait for anything.

pub(crate) mod code_lens;
pub(crate) mod definition;
pub(crate) mod diagnostic;
pub(crate) mod document_link;
pub(crate) mod document_symbol;
pub(crate) mod folding_range;
pub(crate) mod formatting;
pub(crate) mod hover;
pub(crate) mod inlay_hint;
pub(crate) mod references;
pub(crate) mod status;
pub(crate) mod workspace_diagnostic;
pub(crate) mod workspace_symbol;

use serde::Deserialize;
use tower_lsp::gen_lsp_types::TextDocumentIdentifier;

/// The parameters of requests about a whole document.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct DocumentParams {
    pub(crate) text_document: TextDocumentIdentifier,
}
