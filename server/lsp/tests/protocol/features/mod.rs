//! Every editor feature over the wire, from a client that can do everything. Each test is named in
//! docs/reference/editor-features.md; every frame is held against the protocol by the client.

mod changes;
mod matrix;
mod navigation;
mod reading;
mod running;
mod views;
mod writing;

use headwater_lsp::testing::{opened, place};
use serde_json::{Value, json};

use crate::{Fixture, uri};

/// A client that knows all of 3.18.
pub(crate) fn everything() -> Value {
    json!({
        "general": { "positionEncodings": ["utf-16"] },
        "window": { "workDoneProgress": true },
        "workspace": {
            "workspaceEdit": {
                "documentChanges": true,
                "resourceOperations": ["create", "rename", "delete"],
                "changeAnnotationSupport": {},
            },
            "fileOperations": { "willRename": true },
            "textDocumentContent": {},
            "diagnostics": { "refreshSupport": true },
        },
        "textDocument": {
            "diagnostic": {},
            "completion": { "completionItem": {
                "snippetSupport": true, "labelDetailsSupport": true, "documentationFormat": ["markdown"],
            } },
            "hover": { "contentFormat": ["markdown"] },
            "signatureHelp": { "signatureInformation": {
                "documentationFormat": ["markdown"], "parameterInformation": { "labelOffsetSupport": true } } },
            "definition": { "linkSupport": true },
            "documentSymbol": { "hierarchicalDocumentSymbolSupport": true },
            "codeAction": {
                "codeActionLiteralSupport": { "codeActionKind": { "valueSet": ["quickfix"] } },
                "dataSupport": true,
                "resolveSupport": { "properties": ["edit"] },
            },
            "rename": { "prepareSupport": true },
            "inlayHint": { "resolveSupport": { "properties": ["tooltip"] } },
            "semanticTokens": {
                "requests": { "full": { "delta": true }, "range": true },
                "tokenTypes": [], "tokenModifiers": [], "formats": ["relative"],
            },
            "selectionRange": {}, "linkedEditingRange": {}, "callHierarchy": {}, "typeHierarchy": {},
            "onTypeFormatting": {},
        },
    })
}

const EVENTS: &str = "SCHEMA >\n    `ts` DateTime `json:$.ts`,\n    `who` String `json:$.who`\n\nENGINE MergeTree\nENGINE_SORTING_KEY ts\n";

const TOP: &str = "NODE base\nSQL >\n    %\n    SELECT who, ts FROM events WHERE ts > {{DateTime(since, '2024-01-01 00:00:00')}}\nNODE out\nSQL >\n    SELECT who, count() AS hits FROM base GROUP BY who ORDER BY hits\nTYPE endpoint\n";

const TEST: &str = "- name: a\n  parameters: since=2024-01-01 00:00:00\n  expected_result: |\n    {\"who\":\"b\",\"hits\":1}\n";

const FILES: &[(&str, &str)] = &[
    ("tinybird.config.json", "{}"),
    ("datasources/events.datasource", EVENTS),
    ("endpoints/top.pipe", TOP),
    ("tests/top.yaml", TEST),
    ("fixtures/orders.csv", "id,at\n1,2024-01-01 00:00:00\n"),
    ("fixtures/raw.ndjson", "{\"id\": 1, \"label\": \"x\"}\n"),
    (".env.local", "KAFKA_KEY=abc\n"),
];

const PIPE: &str = "endpoints/top.pipe";

const SOURCE: &str = "datasources/events.datasource";

async fn server() -> Fixture {
    let mut fixture = Fixture::new(FILES, everything()).await;
    fixture.client.notify("textDocument/didOpen", opened(&uri(PIPE), 1, TOP)).await;
    fixture.client.notify("textDocument/didOpen", opened(&uri(SOURCE), 1, EVENTS)).await;
    fixture
}

/// The place of the `n`th time that a text stands in another.
fn at(text: &str, needle: &str, n: usize) -> (u32, u32) {
    let (offset, _) = text.match_indices(needle).nth(n).expect("it is there");
    let before = &text[..offset];
    let line = before.matches('\n').count();
    let column = offset - before.rfind('\n').map_or(0, |n| n + 1);
    (u32::try_from(line).unwrap(), u32::try_from(column).unwrap())
}

fn spot(path: &str, text: &str, needle: &str, n: usize) -> Value {
    let (line, character) = at(text, needle, n);
    place(&uri(path), line, character)
}

fn labels(answer: &Value) -> Vec<&str> {
    answer["items"].as_array().into_iter().flatten().filter_map(|i| i["label"].as_str()).collect()
}

/// A client that says nothing of itself is offered what needs no saying, and gets plain answers.
#[tokio::test]
async fn a_client_that_can_little_is_asked_for_little() {
    let mut fixture = Fixture::new(FILES, json!({})).await;
    let offer = fixture.hello["capabilities"].clone();
    for missing in [
        "semanticTokensProvider",
        "codeActionProvider",
        "callHierarchyProvider",
        "linkedEditingRangeProvider",
    ] {
        assert!(offer.get(missing).is_none(), "{missing}");
    }
    assert_eq!(offer["renameProvider"], true);
    let client = &mut fixture.client;
    client.notify("textDocument/didOpen", opened(&uri(PIPE), 1, TOP)).await;
    let answer = client.call("textDocument/completion", spot(PIPE, TOP, "count", 0)).await;
    for item in answer["items"].as_array().unwrap() {
        assert!(
            item.get("insertTextFormat").is_none()
                && !item["textEdit"]["newText"].as_str().unwrap().contains('$'),
            "{item}"
        );
    }
    let mut params = spot(SOURCE, EVENTS, "who", 0);
    params["newName"] = json!("person");
    let edit = client.call("textDocument/rename", params).await;
    assert!(edit.get("changes").is_some() && !edit.to_string().contains("FORWARD_QUERY"), "{edit}");
    client.ignore("textDocument/publishDiagnostics");
    client.call("headwater/status", json!({})).await;
    client.ignore("textDocument/publishDiagnostics");
    let id = client.send("shutdown", Value::Null).await;
    client.answer(id).await.unwrap();
    client.ignore("textDocument/publishDiagnostics");
    fixture.client.notify("exit", Value::Null).await;
    fixture.client.ended().await;
    fixture.client.ignore("textDocument/publishDiagnostics");
}
