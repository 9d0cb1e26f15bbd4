//! Ways from one place to another, and lineage as hierarchies.

use serde_json::{Value, json};

use super::{EVENTS, PIPE, SOURCE, TOP, server, spot};

#[tokio::test]
async fn definitions_declarations_types_and_implementations_lead_somewhere() {
    let mut fixture = server().await;
    let client = &mut fixture.client;
    let target = |answer: &Value| {
        let first = &answer[0];
        let range = &first["targetSelectionRange"]["start"];
        format!(
            "{}:{}",
            first["targetUri"].as_str().unwrap_or("none").trim_start_matches("file:///p/"),
            range["line"]
        )
    };
    let column = spot(PIPE, TOP, "who", 1);
    for (method, expected) in [
        ("textDocument/definition", "endpoints/top.pipe:3"),
        ("textDocument/declaration", "datasources/events.datasource:2"),
        ("textDocument/typeDefinition", "endpoints/top.pipe:0"),
        ("textDocument/implementation", "datasources/events.datasource:2"),
    ] {
        let answer = client.call(method, column.clone()).await;
        assert_eq!(target(&answer), expected, "{method} {answer}");
    }
    fixture.client.shut_down().await;
}

#[tokio::test]
async fn columns_have_references_and_highlights() {
    let mut fixture = server().await;
    let client = &mut fixture.client;
    let mut params = spot(SOURCE, EVENTS, "who", 0);
    params["context"] = json!({ "includeDeclaration": true });
    let found = client.call("textDocument/references", params).await;
    assert_eq!(found.as_array().map(Vec::len), Some(2), "{found}");
    let marked = client.call("textDocument/documentHighlight", spot(PIPE, TOP, "hits", 0)).await;
    assert!(!marked.as_array().unwrap().is_empty(), "{marked}");
    fixture.client.shut_down().await;
}

#[tokio::test]
async fn resources_are_a_call_hierarchy_and_columns_a_type_hierarchy() {
    let mut fixture = server().await;
    let client = &mut fixture.client;
    let items = client.call("textDocument/prepareCallHierarchy", spot(SOURCE, EVENTS, "SCHEMA", 0)).await;
    assert_eq!(items[0]["name"], "events");
    let readers = client.call("callHierarchy/incomingCalls", json!({ "item": items[0] })).await;
    assert_eq!(readers[0]["from"]["name"], "top:base", "{readers}");
    assert_eq!(readers[0]["fromRanges"].as_array().map(Vec::len), Some(1));
    let sources = client.call("callHierarchy/outgoingCalls", json!({ "item": readers[0]["from"] })).await;
    assert_eq!(sources[0]["to"]["name"], "events");
    let columns = client.call("textDocument/prepareTypeHierarchy", spot(PIPE, TOP, "who", 2)).await;
    assert_eq!(columns[0]["name"], "top:base.who", "{columns}");
    let above = client.call("typeHierarchy/supertypes", json!({ "item": columns[0] })).await;
    assert_eq!(above[0]["name"], "events.who");
    let below = client.call("typeHierarchy/subtypes", json!({ "item": columns[0] })).await;
    assert_eq!(below[0]["name"], "top.who");
    fixture.client.shut_down().await;
}
