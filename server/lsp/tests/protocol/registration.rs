//! What is asked of a client, and when: only what it said that it can. The client itself refuses everything else
//! (`headwater_lsp::testing`), in every test; here are the two extremes.

use headwater_lsp::testing::{document, opened, replaced};
use serde_json::{Value, json};

use crate::features::everything;
use crate::{EVENTS, Fixture, pipe, uri};

/// [`everything`], and all of it may be told later.
fn dynamic() -> Value {
    let mut all = everything();
    for feature in ["diagnostic", "formatting", "rangeFormatting", "onTypeFormatting", "semanticTokens"] {
        all["textDocument"][feature]["dynamicRegistration"] = json!(true);
    }
    for feature in
        ["didChangeWatchedFiles", "didChangeConfiguration", "fileOperations", "textDocumentContent"]
    {
        all["workspace"][feature]["dynamicRegistration"] = json!(true);
    }
    all["workspace"]["configuration"] = json!(true);
    all
}

/// The registrations of one request: method and options.
fn registered(params: &Value) -> Vec<(String, Value)> {
    let list = params["registrations"].as_array().unwrap().iter();
    list.map(|r| (r["method"].as_str().unwrap().to_owned(), r["registerOptions"].clone())).collect()
}

#[tokio::test]
async fn what_can_be_told_later_is_told_once() {
    let mut fixture = Fixture::new(&[("events.datasource", EVENTS)], dynamic()).await;
    let offer = fixture.hello["capabilities"].clone();
    for field in ["diagnosticProvider", "semanticTokensProvider", "documentOnTypeFormattingProvider"] {
        assert!(offer.get(field).is_none(), "{field} is offered twice");
    }
    assert_eq!(offer["documentFormattingProvider"], false);
    assert!(offer["workspace"].get("textDocumentContent").is_none());
    let asked = fixture.client.expect("client/registerCapability").await;
    let all = registered(&asked);
    for method in [
        "textDocument/diagnostic",
        "textDocument/formatting",
        "textDocument/rangeFormatting",
        "textDocument/onTypeFormatting",
        "textDocument/semanticTokens",
        "workspace/willRenameFiles",
        "workspace/textDocumentContent",
        "workspace/didChangeWatchedFiles",
    ] {
        assert_eq!(all.iter().filter(|(m, _)| m == method).count(), 1, "{method} in {asked}");
    }
    let formatting = all.iter().find(|(m, _)| m == "textDocument/formatting").unwrap();
    assert!(!formatting.1["documentSelector"].to_string().contains("yaml"), "YAML has formatters of its own");
    fixture.client.ignore_all();
    fixture.client.shut_down().await;
}

#[tokio::test]
async fn diagnostics_are_registered_as_the_user_wants_them() {
    let mut fixture = Fixture::new(&[("events.datasource", EVENTS)], dynamic()).await;
    let client = &mut fixture.client;
    let asked = registered(&client.expect("client/registerCapability").await);
    let of = |all: &[(String, Value)]| {
        all.iter()
            .find(|(m, _)| m == "textDocument/diagnostic")
            .map(|(_, o)| o["workspaceDiagnostics"].clone())
    };
    assert_eq!(of(&asked), Some(json!(true)));
    client.settings = json!({ "diagnosticMode": "openFiles" });
    client.notify("workspace/didChangeConfiguration", json!({ "settings": null })).await;
    let gone = client.expect("client/unregisterCapability").await;
    assert_eq!(gone["unregisterations"][0]["method"], "textDocument/diagnostic");
    let asked = registered(&client.expect("client/registerCapability").await);
    assert_eq!(of(&asked), Some(json!(false)));
    // What the new mode changes is told as well, before or after.
    fixture.client.call("headwater/status", json!({})).await;
    fixture.client.expect("workspace/diagnostic/refresh").await;
    fixture.client.ignore_all();
    fixture.client.shut_down().await;
}

/// A client that says nothing of itself is asked nothing, whatever happens.
#[tokio::test]
async fn a_client_without_capabilities_is_never_asked() {
    let files =
        [("events.datasource", EVENTS), ("a.pipe", &*pipe("events")), ("headwater.toml", "nonsense = 1\n")];
    let mut fixture = Fixture::new(&files, json!({})).await;
    fixture.revisions.commit("/p", "1111111111aaaa", &[("a.pipe", "")]);
    fixture.client.notify("textDocument/didOpen", opened(&uri("a.pipe"), 1, &pipe("nowhere"))).await;
    fixture.client.notify("textDocument/didChange", replaced(&uri("a.pipe"), 2, &pipe("events"))).await;
    fixture.fs.write("/p/b.pipe", pipe("gone"));
    fixture.fs.write("/p/headwater.toml", "[diagnostics]\nunused-node = \"off\"\n");
    fixture.touched(&["b.pipe", "headwater.toml", ".git/HEAD", "a.pipe"]).await;
    let client = &mut fixture.client;
    client.notify("textDocument/didSave", document(&uri("a.pipe"))).await;
    client
        .notify(
            "workspace/didChangeConfiguration",
            json!({ "settings": { "headwater": { "trusted": true } } }),
        )
        .await;
    let folders = json!({ "event": { "added": [{ "uri": "file:///q", "name": "q" }], "removed": [] } });
    client.notify("workspace/didChangeWorkspaceFolders", folders).await;
    // Pushed at last: everything before has been read.
    while !client.pushed(&uri("b.pipe"), None).await.iter().any(|m| m.contains("gone")) {}
    for _ in 0..20 {
        client.call("headwater/status", json!({})).await;
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
    assert_eq!(client.asked_of_us, Vec::<String>::new());
    client.ignore_all();
    let id = client.send("shutdown", Value::Null).await;
    client.answer(id).await.unwrap();
    client.ignore_all();
    client.notify("exit", Value::Null).await;
    client.ended().await;
    client.ignore_all();
}
