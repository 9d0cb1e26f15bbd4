//! Whether frames are what the protocol says: every request, answer and notification is read into the types that are
//! generated from the 3.18 metamodel, and what does not come back is no part of them.

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use tower_lsp::gen_lsp_types::{self as lsp, Notification, Request};

/// What is wrong with the parameters of a request or notification; `None` also for methods that are no part of the
/// protocol.
pub fn params(method: &str, value: &Value) -> Option<String> {
    fault(method, value, true)
}

/// What is wrong with the answer to a request.
pub fn result(method: &str, value: &Value) -> Option<String> {
    fault(method, value, false)
}

macro_rules! known {
    ($method:ident, $value:ident, $is_params:ident; requests: $($request:ident)+; notifications: $($notification:ident)+) => {
        $(
            if $method == lsp::$request::METHOD.as_str() {
                return if $is_params {
                    mismatch::<<lsp::$request as Request>::Params>($value)
                } else {
                    mismatch::<<lsp::$request as Request>::Result>($value)
                };
            }
        )+
        $(
            if $method == lsp::$notification::METHOD.as_str() {
                return mismatch::<<lsp::$notification as Notification>::Params>($value);
            }
        )+
    };
}

fn fault(method: &str, value: &Value, is_params: bool) -> Option<String> {
    known! { method, value, is_params;
        requests:
            InitializeRequest ShutdownRequest RegistrationRequest UnregistrationRequest ConfigurationRequest
            WorkDoneProgressCreateRequest DiagnosticRefreshRequest CodeLensRefreshRequest InlayHintRefreshRequest
            SemanticTokensRefreshRequest
            CompletionRequest CompletionResolveRequest HoverRequest SignatureHelpRequest DeclarationRequest
            DefinitionRequest TypeDefinitionRequest ImplementationRequest ReferencesRequest DocumentHighlightRequest
            DocumentSymbolRequest WorkspaceSymbolRequest CodeActionRequest CodeActionResolveRequest CodeLensRequest
            DocumentLinkRequest FoldingRangeRequest SelectionRangeRequest LinkedEditingRangeRequest
            DocumentOnTypeFormattingRequest PrepareRenameRequest RenameRequest WillRenameFilesRequest
            CallHierarchyPrepareRequest CallHierarchyIncomingCallsRequest CallHierarchyOutgoingCallsRequest
            TypeHierarchyPrepareRequest TypeHierarchySupertypesRequest TypeHierarchySubtypesRequest
            SemanticTokensRequest SemanticTokensDeltaRequest SemanticTokensRangeRequest
            InlayHintRequest InlayHintResolveRequest DocumentDiagnosticRequest WorkspaceDiagnosticRequest
            TextDocumentContentRequest ExecuteCommandRequest;
        notifications:
            PublishDiagnosticsNotification LogMessageNotification ShowMessageNotification DidOpenTextDocumentNotification
            DidChangeTextDocumentNotification DidCloseTextDocumentNotification DidSaveTextDocumentNotification
    }
    None
}

fn mismatch<T: Serialize + DeserializeOwned>(value: &Value) -> Option<String> {
    let read: T = match serde_json::from_value(value.clone()) {
        Ok(read) => read,
        Err(error) => return Some(format!("{error}: {value}")),
    };
    let back = serde_json::to_value(read).unwrap_or_default();
    lost(value, &back, "$")
}

/// The first part of a value that the typed one does not have.
fn lost(value: &Value, back: &Value, path: &str) -> Option<String> {
    match (value, back) {
        (Value::Object(fields), Value::Object(kept)) => fields.iter().find_map(|(key, inner)| {
            let path = format!("{path}.{key}");
            match kept.get(key) {
                Some(kept) => lost(inner, kept, &path),
                None if inner.is_null() => None,
                // Of the kinds of edits the types try the plain one first, which leaves this out.
                None if key == "annotationId" => None,
                None => Some(format!("{path} is no part of the protocol")),
            }
        }),
        (Value::Array(items), Value::Array(kept)) if items.len() == kept.len() => {
            items.iter().zip(kept).enumerate().find_map(|(n, (a, b))| lost(a, b, &format!("{path}[{n}]")))
        }
        _ => (value != back).then(|| format!("{path} is {value}, which is read as {back}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_is_no_part_of_the_protocol_is_found() {
        let range = json!({ "start": { "line": 0, "character": 0 }, "end": { "line": 0, "character": 1 } });
        let hover = json!({ "contents": { "kind": "markdown", "value": "x" }, "range": range });
        assert_eq!(result("textDocument/hover", &hover), None);
        assert_eq!(result("textDocument/hover", &Value::Null), None);
        assert!(result("textDocument/hover", &json!({ "contents": 7 })).is_some());
        let stray = json!({ "contents": { "kind": "markdown", "value": "x" }, "rnage": range });
        assert!(result("textDocument/hover", &stray).is_some_and(|e| e.contains("rnage")));
        assert!(params("textDocument/hover", &json!({})).is_some());
        assert_eq!(params("headwater/status", &json!({ "anything": 1 })), None);
    }
}
