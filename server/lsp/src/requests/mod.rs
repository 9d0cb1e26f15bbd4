//! One file per request. A handler is a function of a snapshot and its parameters; it has no way to wait for anything.

pub(crate) mod code_action;
pub(crate) mod code_lens;
pub(crate) mod completion;
pub(crate) mod definition;
pub(crate) mod diagnostic;
pub(crate) mod document_highlight;
pub(crate) mod document_link;
pub(crate) mod document_symbol;
pub(crate) mod editing;
pub(crate) mod folding_range;
pub(crate) mod formatting;
pub(crate) mod hierarchy;
pub(crate) mod hover;
pub(crate) mod inlay_hint;
pub(crate) mod preview;
pub(crate) mod references;
pub(crate) mod rename;
pub(crate) mod semantic_tokens;
pub(crate) mod signature_help;
pub(crate) mod status;
pub(crate) mod tests;
pub(crate) mod views;
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
