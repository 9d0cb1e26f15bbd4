//! What changes several places at once: renames and code actions.

use headwater_lsp::testing::replaced;
use serde_json::{Value, json};

use super::{EVENTS, PIPE, SOURCE, TOP, at, server, spot};
use crate::uri;

#[tokio::test]
async fn rename_edits_every_file_and_refuses_with_the_reason() {
    let mut fixture = server().await;
    let client = &mut fixture.client;
    let here = spot(SOURCE, EVENTS, "who", 0);
    let prepared = client.call("textDocument/prepareRename", here.clone()).await;
    assert_eq!(prepared["placeholder"], "who");
    let mut params = here.clone();
    params["newName"] = json!("person");
    let edit = client.call("textDocument/rename", params.clone()).await;
    let documents: Vec<_> = edit["documentChanges"]
        .as_array()
        .unwrap()
        .iter()
        .map(|d| d["textDocument"]["uri"].as_str().unwrap())
        .collect();
    assert_eq!(documents.len(), 3, "{edit}");
    assert!(
        edit["changeAnnotations"].as_object().unwrap().values().any(|a| a["needsConfirmation"] == true),
        "{edit}"
    );
    params["newName"] = json!("ts");
    let id = client.send("textDocument/rename", params).await;
    let refused = client.answer(id).await.unwrap_err();
    assert_eq!(refused["code"], -32803);
    assert!(refused["message"].as_str().unwrap().contains("already"), "{refused}");
    let mut params = spot(PIPE, TOP, "events", 0);
    params["newName"] = json!("visits");
    let edit = client.call("textDocument/rename", params).await;
    assert!(edit["documentChanges"].as_array().unwrap().iter().any(|d| d["kind"] == "rename"), "{edit}");
    fixture.client.shut_down().await;
}

#[tokio::test]
async fn files_that_get_other_names_are_followed() {
    let mut fixture = server().await;
    let client = &mut fixture.client;
    let files =
        json!({ "files": [{ "oldUri": uri(SOURCE), "newUri": uri("datasources/visits.datasource") }] });
    let edit = client.call("workspace/willRenameFiles", files).await;
    assert_eq!(edit["documentChanges"][0]["edits"][0]["newText"], "visits", "{edit}");
    let files = json!({ "files": [{ "oldUri": uri(SOURCE), "newUri": uri("other/events.datasource") }] });
    assert_eq!(client.call("workspace/willRenameFiles", files).await, Value::Null);
    fixture.client.shut_down().await;
}

fn action_params(path: &str, text: &str, needle: &str) -> Value {
    let (line, character) = at(text, needle, 0);
    let here = json!({ "line": line, "character": character });
    json!({ "textDocument": { "uri": uri(path) }, "range": { "start": here, "end": here }, "context": { "diagnostics": [] } })
}

#[tokio::test]
async fn code_actions_are_resolved_when_they_are_chosen() {
    let mut fixture = server().await;
    let client = &mut fixture.client;
    let text = "NODE n\nSQL >\n    SELECT * FROM evnets\nTYPE endpoint\n";
    client.notify("textDocument/didChange", replaced(&uri(PIPE), 2, text)).await;
    let actions = client.call("textDocument/codeAction", action_params(PIPE, text, "evnets")).await;
    let fix =
        actions.as_array().unwrap().iter().find(|a| a["title"] == "Change to `events`").unwrap().clone();
    assert_eq!((&fix["kind"], &fix["isPreferred"]), (&json!("quickfix"), &json!(true)));
    assert!(fix.get("edit").is_none());
    let resolved = client.call("codeAction/resolve", fix).await;
    assert_eq!(resolved["edit"]["documentChanges"][0]["edits"][0]["newText"], "events");
    let create = actions
        .as_array()
        .unwrap()
        .iter()
        .find(|a| a["title"] == "Create the data source `evnets`")
        .unwrap()
        .clone();
    let resolved = client.call("codeAction/resolve", create).await;
    assert_eq!(resolved["edit"]["documentChanges"][0]["kind"], "create", "{resolved}");
    fixture.client.shut_down().await;
}

#[tokio::test]
async fn everything_safe_is_fixed_at_once() {
    let mut fixture = server().await;
    let client = &mut fixture.client;
    let text = "NODE n\nSQL>\n    SELECT {{Int32(x, 1)}}\nTYPE endpoint\n";
    client.notify("textDocument/didChange", replaced(&uri(PIPE), 2, text)).await;
    let mut params = action_params(PIPE, text, "NODE");
    params["context"]["only"] = json!(["source.fixAll"]);
    let actions = client.call("textDocument/codeAction", params).await;
    assert_eq!(actions.as_array().map(Vec::len), Some(1), "{actions}");
    let resolved = client.call("codeAction/resolve", actions[0].clone()).await;
    assert!(!resolved["edit"].is_null(), "{resolved}");
    fixture.client.shut_down().await;
}
