//! Pushed and pulled.

use std::time::Duration;

use headwater_lsp::testing::{document, opened, replaced};
use serde_json::{Value, json};

use crate::{EVENTS, Fixture, pipe, pull, unknown, uri};

#[tokio::test]
async fn without_pull_every_version_is_answered_and_closed_files_too() {
    let files = [("events.datasource", EVENTS), ("closed.pipe", &pipe("nowhere"))];
    let mut fixture = Fixture::new(&files, json!({})).await;
    assert!(fixture.hello["capabilities"].get("diagnosticProvider").is_none());
    let client = &mut fixture.client;
    let closed = client.pushed(&uri("closed.pipe"), None).await;
    assert!(closed.iter().any(|message| message.contains("nowhere")), "{closed:?}");

    let a = uri("a.pipe");
    client.notify("textDocument/didOpen", opened(&a, 1, &pipe("missing"))).await;
    assert!(client.pushed(&a, Some(1)).await.iter().any(|message| message.contains("missing")));
    client.notify("textDocument/didChange", replaced(&a, 2, &pipe("events"))).await;
    assert!(!client.pushed(&a, Some(2)).await.iter().any(|message| message.contains("missing")));
    client.notify("textDocument/didChange", replaced(&a, 3, &pipe("missing"))).await;
    client.pushed(&a, Some(3)).await;

    // It was never on disk: closing it takes its diagnostics away.
    client.notify("textDocument/didClose", document(&a)).await;
    assert_eq!(client.pushed(&a, None).await, [""; 0]);
    fixture.fs.remove("/p/closed.pipe");
    fixture.touched(&["closed.pipe"]).await;
    assert_eq!(fixture.client.pushed(&uri("closed.pipe"), None).await, [""; 0]);
    fixture.client.shut_down().await;
}

#[tokio::test]
async fn pull_answers_unchanged_until_something_visible_changes() {
    let files = [("events.datasource", EVENTS), ("a.pipe", &pipe("nowhere"))];
    let mut fixture = Fixture::new(&files, pull()).await;
    let client = &mut fixture.client;
    let a = uri("a.pipe");
    client.notify("textDocument/didOpen", opened(&a, 1, &pipe("nowhere"))).await;
    let first = client.call("textDocument/diagnostic", document(&a)).await;
    assert_eq!((&first["kind"], unknown(&first["items"]).len()), (&json!("full"), 1));

    let mut again = document(&a);
    again["previousResultId"] = first["resultId"].clone();
    client.notify("textDocument/didChange", replaced(&a, 2, &(pipe("nowhere") + "\n"))).await;
    let same = client.call("textDocument/diagnostic", again.clone()).await;
    assert_eq!((&same["kind"], &same["resultId"]), (&json!("unchanged"), &first["resultId"]));

    client.notify("textDocument/didChange", replaced(&a, 3, &format!("\n{}", pipe("nowhere")))).await;
    let moved = client.call("textDocument/diagnostic", again).await;
    assert_eq!(moved["kind"], "full");
    fixture.client.shut_down().await;
}

#[tokio::test]
async fn creating_a_resource_clears_the_diagnostics_of_its_readers() {
    let capabilities = json!({ "textDocument": { "diagnostic": {} },
        "workspace": { "diagnostics": { "refreshSupport": true }, "codeLens": { "refreshSupport": true } } });
    let mut fixture = Fixture::new(&[("a.pipe", &pipe("events"))], capabilities).await;
    let a = document(&uri("a.pipe"));
    let before = fixture.client.call("textDocument/diagnostic", a.clone()).await;
    assert_eq!(unknown(&before["items"]).len(), 1);
    fixture.fs.write("/p/datasources/events.datasource", EVENTS);
    fixture.touched(&["datasources/events.datasource"]).await;
    fixture.client.expect("workspace/diagnostic/refresh").await;
    fixture.client.expect("workspace/codeLens/refresh").await;
    let after = fixture.client.call("textDocument/diagnostic", a).await;
    assert_eq!(unknown(&after["items"]).len(), 0);
    fixture.client.shut_down().await;
}

fn previous(answer: &Value) -> Value {
    let id = |item: &Value| item.get("resultId").map(|value| json!({ "uri": item["uri"], "value": value }));
    answer["items"].as_array().unwrap().iter().filter_map(id).collect::<Vec<_>>().into()
}

#[tokio::test]
async fn workspace_pull_waits_until_there_is_something_to_say() {
    let files = [("events.datasource", EVENTS), ("a.pipe", &pipe("nowhere")), ("b.pipe", &pipe("missing"))];
    let mut fixture = Fixture::new(&files, pull()).await;
    let client = &mut fixture.client;
    let all = client.call("workspace/diagnostic", json!({ "previousResultIds": [] })).await;
    let uris: Vec<_> =
        all["items"].as_array().unwrap().iter().filter(|i| !unknown(&i["items"]).is_empty()).collect();
    assert_eq!(uris.len(), 2);

    let poll = client.send("workspace/diagnostic", json!({ "previousResultIds": previous(&all) })).await;
    assert!(!client.answered_within(poll, Duration::from_millis(150)).await, "nothing changed");
    // Opening a file with the text it has on disk changes nothing either.
    client.notify("textDocument/didOpen", opened(&uri("a.pipe"), 1, &pipe("nowhere"))).await;
    assert!(!client.answered_within(poll, Duration::from_millis(150)).await, "nothing changed");

    client.notify("textDocument/didChange", replaced(&uri("a.pipe"), 2, &pipe("events"))).await;
    let changed = client.answer(poll).await.unwrap();
    let item = |name: &str| {
        changed["items"].as_array().unwrap().iter().find(|item| item["uri"] == uri(name)).cloned().unwrap()
    };
    assert_eq!((&item("a.pipe")["kind"], item("a.pipe")["version"].as_i64()), (&json!("full"), Some(2)));
    assert_eq!(unknown(&item("a.pipe")["items"]).len(), 0);
    assert_eq!(item("b.pipe")["kind"], "unchanged");

    let mut known = previous(&changed);
    let poll = client.send("workspace/diagnostic", json!({ "previousResultIds": known })).await;
    fixture.fs.remove("/p/b.pipe");
    fixture.touched(&["b.pipe"]).await;
    let gone = fixture.client.answer(poll).await.unwrap();
    let gone =
        gone["items"].as_array().unwrap().iter().find(|item| item["uri"] == uri("b.pipe")).cloned().unwrap();
    assert_eq!(gone["items"], json!([]));
    assert!(gone.get("resultId").is_none());

    // A parked request can be cancelled.
    known.as_array_mut().unwrap().retain(|id| id["uri"] != uri("b.pipe"));
    let poll = fixture.client.send("workspace/diagnostic", json!({ "previousResultIds": known })).await;
    assert!(!fixture.client.answered_within(poll, Duration::from_millis(50)).await);
    fixture.client.cancel(poll).await;
    assert_eq!(fixture.client.answer(poll).await.unwrap_err()["code"], -32800);
    fixture.client.shut_down().await;
}

#[tokio::test]
async fn workspace_pull_streams_when_it_is_given_a_token() {
    let files: Vec<(String, String)> =
        (0..300).map(|i| (format!("pipes/p{i}.pipe"), pipe(&format!("nowhere_{i}")))).collect();
    let files: Vec<(&str, &str)> = files.iter().map(|(path, text)| (path.as_str(), text.as_str())).collect();
    let mut fixture = Fixture::new(&files, pull()).await;
    let client = &mut fixture.client;
    let params = json!({ "previousResultIds": [], "partialResultToken": "stream" });
    let id = client.send("workspace/diagnostic", params).await;
    let mut seen = std::collections::BTreeSet::new();
    while seen.len() < 300 {
        let part = client.expect("$/progress").await;
        assert_eq!(part["token"], "stream");
        assert!(!client.answered_within(id, Duration::ZERO).await || seen.len() < 300);
        for item in part["value"]["items"].as_array().unwrap() {
            assert!(seen.insert(item["uri"].as_str().unwrap().to_owned()), "twice: {}", item["uri"]);
        }
    }
    assert_eq!(client.answer(id).await.unwrap(), json!({ "items": [] }));
    fixture.client.shut_down().await;
}

#[tokio::test]
async fn the_user_may_want_diagnostics_of_open_files_only() {
    let files = [("a.pipe", &*pipe("nowhere")), ("b.pipe", &*pipe("missing"))];
    let capabilities = json!({ "workspace": { "configuration": true } });
    let fs = std::sync::Arc::new(headwater_project::MemoryFileSystem::new());
    for (path, text) in files {
        fs.write(format!("/p/{path}"), text);
    }
    let mut client = headwater_lsp::testing::TestClient::start(headwater_lsp::Options {
        fs,
        ..headwater_lsp::Options::default()
    });
    let folders = json!([{ "uri": "file:///p", "name": "p" }]);
    client.initialize(json!({ "capabilities": capabilities, "workspaceFolders": folders })).await;
    for name in ["a.pipe", "b.pipe"] {
        assert!(!client.pushed(&uri(name), None).await.is_empty());
    }
    client.settings = json!({ "diagnosticMode": "openFiles" });
    client.notify("workspace/didChangeConfiguration", json!({ "settings": null })).await;
    for name in ["a.pipe", "b.pipe"] {
        assert!(client.pushed(&uri(name), None).await.is_empty());
    }
    client.shut_down().await;
}

#[tokio::test]
async fn neovim_that_cannot_refresh_is_pushed_to() {
    let params = json!({ "clientInfo": { "name": "Neovim", "version": "0.11.3" }, "capabilities": pull() });
    let mut fixture = Fixture::with(&[("a.pipe", &pipe("nowhere"))], params).await;
    assert!(fixture.hello["capabilities"].get("diagnosticProvider").is_none());
    assert!(!fixture.client.pushed(&uri("a.pipe"), None).await.is_empty());
    fixture.client.shut_down().await;
}

#[tokio::test]
async fn problems_of_the_configuration_are_shown_and_cleared() {
    let files = [("headwater.toml", "nonsense = 1\n"), ("events.datasource", EVENTS)];
    let mut fixture = Fixture::new(&files, pull()).await;
    assert_eq!(fixture.client.pushed(&uri("headwater.toml"), None).await.len(), 1);
    fixture.fs.write("/p/headwater.toml", "");
    fixture.touched(&["headwater.toml"]).await;
    assert!(fixture.client.pushed(&uri("headwater.toml"), None).await.is_empty());
    fixture.client.shut_down().await;
}
