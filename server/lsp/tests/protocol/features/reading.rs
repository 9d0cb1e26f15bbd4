//! What helps to read: hovers, hints, words, outlines, lenses.

use headwater_lsp::testing::{document, opened, replaced};
use serde_json::json;

use super::{PIPE, SOURCE, TOP, server, spot};
use crate::uri;

#[tokio::test]
async fn hover_tells_types_origins_parameters_and_schedules() {
    let mut fixture = server().await;
    let client = &mut fixture.client;
    let column = client.call("textDocument/hover", spot(PIPE, TOP, "who", 0)).await;
    let text = column["contents"]["value"].as_str().unwrap();
    assert!(text.contains("who String") && text.contains("data source `events`"), "{text}");
    let function = client.call("textDocument/hover", spot(PIPE, TOP, "count", 0)).await;
    let text = function["contents"]["value"].as_str().unwrap();
    assert!(text.contains("→ UInt64") && text.contains("**Examples**"), "{text}");
    let parameter = client.call("textDocument/hover", spot(PIPE, TOP, "since", 0)).await;
    assert!(parameter["contents"]["value"].as_str().unwrap().contains("since: DateTime"), "{parameter}");
    let copy = "NODE n\nSQL >\n    SELECT 1\nTYPE copy\nTARGET_DATASOURCE events\nCOPY_SCHEDULE 0 4 * * *\n";
    client.notify("textDocument/didOpen", opened(&uri("c.pipe"), 1, copy)).await;
    let schedule = client.call("textDocument/hover", spot("c.pipe", copy, "0 4", 0)).await;
    let text = schedule["contents"]["value"].as_str().unwrap();
    assert!(text.contains("at 04:00, every day") && text.contains("2024-02-29 04:00 UTC"), "{text}");
    fixture.client.shut_down().await;
}

#[tokio::test]
async fn hints_explain_themselves() {
    let mut fixture = server().await;
    let client = &mut fixture.client;
    let range = json!({ "start": { "line": 0, "character": 0 }, "end": { "line": 99, "character": 0 } });
    let hints = client
        .call("textDocument/inlayHint", json!({ "textDocument": { "uri": uri(SOURCE) }, "range": range }))
        .await;
    let hint = hints[0].clone();
    assert!(hint["label"].as_str().unwrap().contains("endpoint"), "{hints}");
    let resolved = client.call("inlayHint/resolve", hint).await;
    assert!(resolved["tooltip"]["value"].as_str().unwrap().contains("ts DateTime"), "{resolved}");
    fixture.client.shut_down().await;
}

#[tokio::test]
async fn semantic_tokens_come_whole_in_parts_and_as_differences() {
    let mut fixture = server().await;
    let client = &mut fixture.client;
    let full = client.call("textDocument/semanticTokens/full", document(&uri(PIPE))).await;
    let data = full["data"].as_array().unwrap().clone();
    assert!(data.len() > 100 && data.len() % 5 == 0);
    let range = json!({ "start": { "line": 0, "character": 0 }, "end": { "line": 0, "character": 9 } });
    let part = client
        .call(
            "textDocument/semanticTokens/range",
            json!({ "textDocument": { "uri": uri(PIPE) }, "range": range }),
        )
        .await;
    assert_eq!(part["data"].as_array().unwrap()[..], data[..10]);
    client.notify("textDocument/didChange", replaced(&uri(PIPE), 2, &TOP.replace("hits", "h"))).await;
    let params = json!({ "textDocument": { "uri": uri(PIPE) }, "previousResultId": full["resultId"] });
    let delta = client.call("textDocument/semanticTokens/full/delta", params).await;
    let mut made = data;
    for edit in delta["edits"].as_array().unwrap() {
        let start = usize::try_from(edit["start"].as_u64().unwrap()).unwrap();
        let removed = usize::try_from(edit["deleteCount"].as_u64().unwrap()).unwrap();
        made.splice(start..start + removed, edit["data"].as_array().unwrap().iter().cloned());
    }
    let again = client.call("textDocument/semanticTokens/full", document(&uri(PIPE))).await;
    assert_eq!(again["data"].as_array().unwrap()[..], made[..]);
    // A result that nobody knows any more is answered in full.
    let params = json!({ "textDocument": { "uri": uri(PIPE) }, "previousResultId": "old" });
    assert!(client.call("textDocument/semanticTokens/full/delta", params).await["data"].is_array());
    fixture.client.shut_down().await;
}

#[tokio::test]
async fn outlines_folds_and_links_of_a_document() {
    let mut fixture = server().await;
    let client = &mut fixture.client;
    let outline = client.call("textDocument/documentSymbol", document(&uri(PIPE))).await;
    let names: Vec<_> = outline.as_array().unwrap().iter().map(|s| s["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["base", "out"]);
    let folds = client.call("textDocument/foldingRange", document(&uri(PIPE))).await;
    assert!(folds.as_array().unwrap().iter().any(|f| f["startLine"] == 4 && f["endLine"] == 7), "{folds}");
    let links = client.call("textDocument/documentLink", document(&uri(PIPE))).await;
    assert_eq!(links[0]["target"], uri(SOURCE), "{links}");
    assert_eq!(links[0]["range"]["start"]["line"], 3);
    fixture.client.shut_down().await;
}

#[tokio::test]
async fn lenses_say_what_is_downstream() {
    let mut fixture = server().await;
    let lenses = fixture.client.call("textDocument/codeLens", document(&uri(SOURCE))).await;
    assert_eq!(lenses[0]["command"]["title"], "→ 1 node · 1 endpoint", "{lenses}");
    assert_eq!(lenses[0]["command"]["command"], "", "this client runs no command of ours");
    fixture.client.shut_down().await;
}

#[tokio::test]
async fn symbols_of_the_project_are_found_by_some_letters() {
    let mut fixture = server().await;
    let client = &mut fixture.client;
    let found = client.call("workspace/symbol", json!({ "query": "evts" })).await;
    assert_eq!(found[0]["name"], "events", "{found}");
    let found = client.call("workspace/symbol", json!({ "query": "who" })).await;
    assert_eq!((&found[0]["name"], &found[0]["containerName"]), (&json!("who"), &json!("events")), "{found}");
    assert_eq!(found[0]["location"]["range"]["start"]["line"], 2);
    fixture.client.shut_down().await;
}
