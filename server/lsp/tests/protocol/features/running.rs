//! What runs on the user's machine, for clients that said that they run it.

use headwater_lsp::testing::document;
use serde_json::{Value, json};

use super::{FILES, PIPE, TOP, everything, spot};
use crate::{Fixture, uri};

async fn server_for(commands: Value) -> Fixture {
    let options = json!({ "clientCommands": commands });
    Fixture::with(FILES, json!({ "capabilities": everything(), "initializationOptions": options })).await
}

fn commands(answer: &Value) -> Vec<(String, Value)> {
    let list = answer.as_array().into_iter().flatten().map(|item| item["command"].clone());
    let named = list.filter(|c| c["command"].as_str().is_some_and(|c| !c.is_empty()));
    named.map(|c| (c["command"].as_str().unwrap().to_owned(), c["arguments"].clone())).collect()
}

#[tokio::test]
async fn tests_previews_and_branches_are_offered_to_clients_that_run_them() {
    let all = json!(["headwater.runTest", "headwater.preview", "headwater.openBranch"]);
    let mut fixture = server_for(all).await;
    let client = &mut fixture.client;
    let lenses = commands(&client.call("textDocument/codeLens", document(&uri(PIPE))).await);
    let offered = |name: &str, part: Value| {
        let wanted = (name.to_owned(), json!([uri(PIPE), "top", part]));
        assert!(lenses.contains(&wanted), "{wanted:?} in {lenses:?}");
    };
    offered("headwater.preview", json!("base"));
    offered("headwater.preview", Value::Null);
    offered("headwater.runTest", Value::Null);
    let test = uri("tests/top.yaml");
    let cases = commands(&client.call("textDocument/codeLens", document(&test)).await);
    assert_eq!(cases, [("headwater.runTest".to_owned(), json!([test, "top", "a"]))]);
    // The same without lenses.
    let mut params = spot(PIPE, TOP, "base", 0);
    let here = params["position"].take();
    let params = json!({ "textDocument": { "uri": uri(PIPE) }, "range": { "start": here, "end": here }, "context": { "diagnostics": [] } });
    let actions = commands(&client.call("textDocument/codeAction", params).await);
    for name in ["headwater.preview", "headwater.openBranch"] {
        assert!(actions.iter().any(|(command, _)| command == name), "{name} in {actions:?}");
    }
    fixture.client.shut_down().await;

    let mut fixture = server_for(json!([])).await;
    let lenses = fixture.client.call("textDocument/codeLens", document(&uri(PIPE))).await;
    assert_eq!(commands(&lenses), []);
    fixture.client.shut_down().await;
}

#[tokio::test]
async fn a_sample_becomes_a_data_source() {
    let mut fixture = server_for(json!([])).await;
    let client = &mut fixture.client;
    for (sample, column) in
        [("fixtures/orders.csv", "`at` DateTime"), ("fixtures/raw.ndjson", "`label` String")]
    {
        let command =
            json!({ "command": "headwater.datasourceFromSample", "arguments": [{ "uri": uri(sample) }] });
        let edit = client.call("workspace/executeCommand", command).await;
        assert_eq!(edit["documentChanges"][0]["kind"], "create");
        let text = edit["documentChanges"][1]["edits"][0]["newText"].as_str().unwrap();
        assert!(text.contains(column), "{text}");
    }
    let command = json!({ "command": "headwater.datasourceFromSample", "arguments": [{ "uri": uri("fixtures/none.csv") }] });
    let id = client.send("workspace/executeCommand", command).await;
    let refused = client.answer(id).await.unwrap_err();
    assert!(refused["message"].as_str().unwrap().contains("no sample"), "{refused}");
    fixture.client.shut_down().await;
}
