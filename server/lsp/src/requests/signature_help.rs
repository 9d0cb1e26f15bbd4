//! `textDocument/signatureHelp`.

use serde_json::{Value, json};
use tower_lsp::gen_lsp_types::TextDocumentPositionParams;

use crate::snapshot::Snapshot;

pub(crate) fn run(snapshot: &Snapshot, params: &TextDocumentPositionParams) -> Value {
    let Some((file, offset)) = snapshot.place(params) else { return Value::Null };
    let Some(help) = headwater_ide::signature_help(&snapshot.db, file, offset) else { return Value::Null };
    let profile = &snapshot.profile;
    let signatures = help.signatures.iter().map(|signature| {
        let parameters = signature.arguments.iter().map(|(from, to)| {
            // Clients that do not know offsets look for the words in the label.
            let label = if profile.signature_offsets {
                // Offsets in a label are UTF-16, whatever positions are.
                let units = |end: usize| signature.label[..end].encode_utf16().count();
                json!([units(*from), units(*to)])
            } else {
                json!(signature.label[*from..*to])
            };
            json!({ "label": label })
        });
        let mut value = json!({ "label": signature.label, "parameters": parameters.collect::<Vec<_>>() });
        if let Some(documentation) = &signature.documentation {
            let kind = if profile.markdown { "markdown" } else { "plaintext" };
            value["documentation"] = json!({ "kind": kind, "value": documentation });
        }
        value
    });
    let mut value = json!({ "signatures": signatures.collect::<Vec<_>>(), "activeSignature": 0 });
    if let Some(active) = help.active {
        value["activeParameter"] = json!(active);
    }
    value
}
