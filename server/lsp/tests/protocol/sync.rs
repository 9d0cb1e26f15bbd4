//! Documents and positions.

use headwater_lsp::testing::{document, opened, place, replaced};
use serde_json::{Value, json};

use crate::{EVENTS, Fixture, pipe, pull, unknown, uri};

fn edit(version: i64, line: u32, from: u32, to: u32, text: &str) -> Value {
    json!({
        "textDocument": { "uri": uri("a.pipe"), "version": version },
        "contentChanges": [{
            "range": {
                "start": { "line": line, "character": from },
                "end": { "line": line, "character": to },
            },
            "text": text,
        }],
    })
}

/// Edits behind an emoji in a CRLF file, in every encoding; the diagnostic comes back in the same units.
#[tokio::test]
async fn positions_count_in_the_units_that_were_agreed() {
    for (offered, units) in [(json!(["utf-16"]), 2), (json!(["utf-16", "utf-8"]), 4), (json!(["utf-32"]), 1)]
    {
        let capabilities =
            json!({ "general": { "positionEncodings": offered }, "textDocument": { "diagnostic": {} } });
        let mut fixture = Fixture::new(&[("events.datasource", EVENTS)], capabilities).await;
        let client = &mut fixture.client;
        let text = "NODE first\r\nSQL >\r\n    SELECT '😀' AS id FROM nowhere\r\n\r\nTYPE endpoint\r\n";
        client.notify("textDocument/didOpen", opened(&uri("a.pipe"), 1, text)).await;
        let start = 11 + 1 + units + 1 + " AS id FROM ".len() as u32;
        let answer = client.call("textDocument/diagnostic", document(&uri("a.pipe"))).await;
        let range = json!({
            "start": { "line": 2, "character": start },
            "end": { "line": 2, "character": start + 7 },
        });
        let found =
            answer["items"].as_array().unwrap().iter().find(|d| d["code"] == "unknown-resource").unwrap();
        assert_eq!(found["range"], range, "{offered}");

        client.notify("textDocument/didChange", edit(2, 2, start, start + 7, "events")).await;
        let answer = client.call("textDocument/diagnostic", document(&uri("a.pipe"))).await;
        assert_eq!(unknown(&answer["items"]), [""; 0], "{offered}");
        fixture.client.shut_down().await;
    }
}

#[tokio::test]
async fn places_outside_the_text_are_harmless() {
    let mut fixture = Fixture::new(&[("events.datasource", EVENTS)], pull()).await;
    let client = &mut fixture.client;
    client.notify("textDocument/didOpen", opened(&uri("a.pipe"), 1, "NODE 😀\r\r\n")).await;
    for (line, character) in [(0, 6), (0, 99), (1, 1), (7, 0), (u32::MAX, u32::MAX)] {
        client.call("textDocument/hover", place(&uri("a.pipe"), line, character)).await;
    }
    client.notify("textDocument/didChange", edit(2, u32::MAX - 1, 5, u32::MAX, "x")).await;
    client.notify("textDocument/didChange", edit(3, 0, 9, 2, "y")).await;
    client.call("textDocument/documentSymbol", document(&uri("a.pipe"))).await;
    fixture.client.shut_down().await;
}

#[tokio::test]
async fn documents_that_are_not_open_or_not_ours_are_harmless() {
    let mut fixture = Fixture::new(&[("events.datasource", EVENTS)], pull()).await;
    let client = &mut fixture.client;
    client.notify("textDocument/didChange", replaced(&uri("a.pipe"), 1, "x")).await;
    client.notify("textDocument/didClose", document(&uri("a.pipe"))).await;
    for uri in ["untitled:Untitled-1", "git:/p/a.pipe", "file:///p/readme.md", "", "file:///%FF"] {
        client.notify("textDocument/didOpen", opened(uri, 1, &pipe("nowhere"))).await;
        client.notify("textDocument/didChange", replaced(uri, 2, "x")).await;
        for method in ["textDocument/diagnostic", "textDocument/documentSymbol", "textDocument/codeLens"] {
            client.call(method, document(uri)).await;
        }
        assert_eq!(client.call("textDocument/hover", place(uri, 0, 0)).await, Value::Null, "{uri}");
    }
    fixture.client.shut_down().await;
}

#[tokio::test]
async fn every_request_about_a_document_is_answered_with_its_own_uri() {
    let files = [("events.datasource", EVENTS), ("with space.pipe", &pipe("events"))];
    let capabilities = json!({ "textDocument": { "diagnostic": {}, "hover": { "contentFormat": ["markdown"] },
        "documentSymbol": { "hierarchicalDocumentSymbolSupport": true } } });
    let options = json!({ "clientCommands": ["headwater.showDownstream"], "trusted": true });
    let mut fixture =
        Fixture::with(&files, json!({ "capabilities": capabilities, "initializationOptions": options }))
            .await;
    let client = &mut fixture.client;
    // An unusual spelling of the same file.
    let odd = "file:///p/%77ith%20space.pipe";
    client.notify("textDocument/didOpen", opened(odd, 1, &pipe("events"))).await;
    let definition = client.call("textDocument/definition", place(odd, 2, 20)).await;
    assert_eq!(definition[0]["uri"], uri("events.datasource"));
    let mut params = place(&uri("events.datasource"), 0, 0);
    params["context"] = json!({ "includeDeclaration": false });
    client.call("textDocument/references", params).await;
    let symbols = client.call("textDocument/documentSymbol", document(odd)).await;
    assert!(symbols.to_string().contains("first"), "{symbols}");
    assert!(symbols[0].get("selectionRange").is_some());
    let found = client.call("workspace/symbol", json!({ "query": "events" })).await;
    assert_eq!(found[0]["location"]["uri"], uri("events.datasource"));
    for method in ["textDocument/documentLink", "textDocument/foldingRange"] {
        assert!(client.call(method, document(odd)).await.is_array());
    }
    let lenses = client.call("textDocument/codeLens", document(&uri("events.datasource"))).await;
    for lens in lenses.as_array().unwrap() {
        if lens["command"]["command"] == "headwater.showDownstream" {
            assert_eq!(lens["command"]["arguments"][0], uri("events.datasource"));
            assert!(lens["command"]["arguments"][2].is_array());
        }
    }
    fixture.client.shut_down().await;
}
