//! What a client must have said before it is asked something.

use serde_json::Value;

/// Where a client says that it can be told about this method later.
const REGISTRATIONS: &[(&str, &str)] = &[
    ("workspace/didChangeWatchedFiles", "/workspace/didChangeWatchedFiles/dynamicRegistration"),
    ("workspace/didChangeConfiguration", "/workspace/didChangeConfiguration/dynamicRegistration"),
    ("textDocument/diagnostic", "/textDocument/diagnostic/dynamicRegistration"),
    ("textDocument/formatting", "/textDocument/formatting/dynamicRegistration"),
    ("textDocument/rangeFormatting", "/textDocument/rangeFormatting/dynamicRegistration"),
    ("textDocument/onTypeFormatting", "/textDocument/onTypeFormatting/dynamicRegistration"),
    ("textDocument/semanticTokens", "/textDocument/semanticTokens/dynamicRegistration"),
    ("workspace/willRenameFiles", "/workspace/fileOperations/dynamicRegistration"),
    ("workspace/textDocumentContent", "/workspace/textDocumentContent/dynamicRegistration"),
];

/// The capability that is missing for a request of the server; `None` when it may be asked.
pub(super) fn refused(capabilities: &Value, method: &str, params: &Value) -> Option<String> {
    let can = |path: &str| capabilities.pointer(path).and_then(Value::as_bool).unwrap_or(false);
    let needed = |path: &str| (!can(path)).then(|| path.to_owned());
    match method {
        "client/registerCapability" => params["registrations"].as_array()?.iter().find_map(|registration| {
            let method = registration["method"].as_str().unwrap_or_default();
            match REGISTRATIONS.iter().find(|(name, _)| *name == method) {
                Some((_, path)) => needed(path),
                None => Some(format!("{method} is no method that is registered")),
            }
        }),
        // Whoever registered it may take it back.
        "client/unregisterCapability" => None,
        "workspace/configuration" => needed("/workspace/configuration"),
        "window/workDoneProgress/create" => needed("/window/workDoneProgress"),
        "workspace/codeLens/refresh" => needed("/workspace/codeLens/refreshSupport"),
        "workspace/inlayHint/refresh" => needed("/workspace/inlayHint/refreshSupport"),
        "workspace/semanticTokens/refresh" => needed("/workspace/semanticTokens/refreshSupport"),
        // The specification names the field in the singular and in the plural.
        "workspace/diagnostic/refresh" if can("/workspace/diagnostic/refreshSupport") => None,
        "workspace/diagnostic/refresh" => needed("/workspace/diagnostics/refreshSupport"),
        other => Some(format!("{other} is asked of no client")),
    }
}
