//! What deploying an edit does, over the wire: lens, hover, diagnostics, fixes and the document that explains it.

use std::sync::Arc;

use headwater_lsp::testing::{document, opened, place, replaced};
use headwater_project::MemoryRevisions;
use serde_json::{Value, json};

use crate::{Fixture, uri};

const WAS: &str = "SCHEMA >\n    `ts` DateTime,\n    `amount` Nullable(UInt32)\n\nENGINE MergeTree\nENGINE_SORTING_KEY ts\n";
const PATH: &str = "events.datasource";

async fn edited(commands: &[&str]) -> (Fixture, String) {
    let revisions = MemoryRevisions::new();
    revisions.commit("/p", "1111111111aaaa", &[(PATH, WAS)]);
    let mut capabilities = crate::features::everything();
    // No test of these is about being asked again.
    capabilities["workspace"]["diagnostics"] = json!({});
    let hello = json!({
        "capabilities": capabilities,
        "initializationOptions": { "clientCommands": commands },
    });
    let mut fixture = Fixture::with_history(&[(PATH, WAS)], Arc::new(revisions), hello).await;
    let text = WAS.replace("Nullable(UInt32)", "UInt32");
    fixture.client.notify("textDocument/didOpen", opened(&uri(PATH), 1, WAS)).await;
    fixture.client.notify("textDocument/didChange", replaced(&uri(PATH), 2, &text)).await;
    // History is read behind the server's back.
    for _ in 0..1000 {
        if !lenses(&mut fixture).await.is_empty() {
            return (fixture, text);
        }
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
    panic!("the edit is never compared with the commit");
}

async fn lenses(fixture: &mut Fixture) -> Vec<Value> {
    let lenses = fixture.client.call("textDocument/codeLens", document(&uri(PATH))).await;
    let is_plan =
        |lens: &&Value| lens["command"]["title"].as_str().is_some_and(|t| t.starts_with("deploying"));
    lenses.as_array().into_iter().flatten().filter(is_plan).cloned().collect()
}

async fn actions(fixture: &mut Fixture) -> Vec<Value> {
    let spot = json!({ "line": 2, "character": 6 });
    let params = json!({
        "textDocument": { "uri": uri(PATH) },
        "range": { "start": spot, "end": spot },
        "context": { "diagnostics": [] },
    });
    let actions = fixture.client.call("textDocument/codeAction", params).await;
    actions.as_array().cloned().unwrap_or_default()
}

#[tokio::test]
async fn an_edit_says_what_deploying_it_does_and_explains_it() {
    let (mut fixture, text) = edited(&["headwater.showView"]).await;
    let lens = lenses(&mut fixture).await.remove(0);
    assert_eq!(lens["command"]["title"], "deploying this: refuse", "{lens}");
    assert_eq!(lens["range"]["start"]["line"], 2);
    assert_eq!(lens["command"]["command"], "headwater.showView");
    let hover = fixture.client.call("textDocument/hover", place(&uri(PATH), 2, 6)).await;
    assert!(hover.to_string().contains("Rule `not-null-column`"), "{hover}");
    let report = fixture.client.call("textDocument/diagnostic", document(&uri(PATH))).await;
    assert!(report.to_string().contains("plan-refused"), "{report}");

    let actions = actions(&mut fixture).await;
    let named = |title: &str| actions.iter().find(|a| a["title"] == title).cloned().unwrap_or_default();
    let explain = named("Explain what deploying this does");
    let argument = &explain["command"]["arguments"][0];
    assert_eq!(
        (&explain["command"]["command"], &argument["language"]),
        (&json!("headwater.showView"), &json!("markdown"))
    );
    // Both ways give the same document.
    let content =
        fixture.client.call("workspace/textDocumentContent", json!({ "uri": argument["uri"] })).await;
    let run = json!({ "command": argument["command"], "arguments": [argument["argument"]] });
    let by_command = fixture.client.call("workspace/executeCommand", run).await;
    assert_eq!(content["text"], by_command["text"]);
    let shown = content["text"].as_str().unwrap_or_default();
    assert!(
        shown.contains("FORWARD_QUERY must say what NULL becomes") && shown.contains("**not-null-column**"),
        "{shown}"
    );

    let fix = named("Write FORWARD_QUERY");
    assert_eq!((&fix["kind"], &fix["isPreferred"]), (&json!("quickfix"), &json!(true)), "{fix}");
    let resolved = fixture.client.call("codeAction/resolve", fix).await;
    let edit = &resolved["edit"]["documentChanges"][0]["edits"][0];
    let mended = format!("{text}{}", edit["newText"].as_str().unwrap_or_default());
    fixture.client.notify("textDocument/didChange", replaced(&uri(PATH), 3, &mended)).await;
    let lens = lenses(&mut fixture).await.remove(0);
    assert_eq!(lens["command"]["title"], "deploying this: rewrite with forward-query · reversible", "{lens}");
    fixture.client.shut_down().await;
}

#[tokio::test]
async fn a_client_that_shows_no_documents_is_offered_none() {
    let (mut fixture, _) = edited(&[]).await;
    assert_eq!(lenses(&mut fixture).await[0]["command"]["command"], "");
    let titles: Vec<_> = actions(&mut fixture).await.iter().map(|a| a["title"].clone()).collect();
    assert!(titles.contains(&json!("Write FORWARD_QUERY")), "{titles:?}");
    assert!(!titles.contains(&json!("Explain what deploying this does")), "{titles:?}");
    fixture.client.shut_down().await;
}
