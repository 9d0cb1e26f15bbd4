//! What runs on the user's machine, for clients that said that they run it.

use headwater_lsp::testing::{document, opened};
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
async fn tests_are_listed_and_what_needs_an_engine_says_so() {
    let options = json!({ "clientCommands": ["headwater.runTest"], "trusted": true });
    let params = json!({ "capabilities": everything(), "initializationOptions": options });
    let mut fixture = Fixture::with(FILES, params).await;
    let client = &mut fixture.client;
    let test = uri("tests/top.yaml");
    let listed = client.call("headwater/tests/discover", json!({})).await;
    assert_eq!(listed["files"][0]["uri"], test);
    assert_eq!(listed["files"][0]["tests"][0]["id"], "a");
    assert_eq!(client.call("headwater/tests/discover", document(&uri(PIPE))).await["files"], json!([]));
    // The start has been looked at once the server is told of another list.
    let text = "- name: a\n  parameters: ''\n- name: a\n  wrong: 1\n";
    client.notify("textDocument/didOpen", opened(&test, 1, text)).await;
    client.call("headwater/status", json!({})).await;
    let listed = client.call("headwater/tests/discover", document(&test)).await;
    let tests = &listed["files"][0]["tests"];
    assert_eq!((&tests[0]["id"], &tests[1]["id"]), (&json!("a"), &json!("a (2)")));
    assert!(tests[1]["problem"].as_str().is_some_and(|p| p.contains("`wrong` is no key")), "{tests}");
    let run = json!({ "run": 1, "tests": [{ "uri": test, "ids": ["b"] }] });
    let id = client.send("headwater/tests/run", run).await;
    assert_eq!(client.answer(id).await.unwrap_err()["data"]["kind"], "request");
    let id = client.send("headwater/tests/run", json!({ "run": 1 })).await;
    let refused = client.answer(id).await.unwrap_err();
    assert_eq!(refused["data"]["kind"], "unavailable", "{refused}");
    // Nothing is offered that was not run.
    let id = client.send("headwater/tests/accept", json!({ "tests": [{ "uri": test }] })).await;
    assert_eq!(client.answer(id).await.unwrap_err()["data"]["kind"], "request");
    client.ignore_all();
    fixture.client.shut_down().await;
}

#[tokio::test]
async fn a_preview_knows_the_parameters_of_its_request() {
    let mut fixture = server_for(json!(["headwater.preview"])).await;
    let client = &mut fixture.client;
    let text = "NODE a\nSQL >\n    %\n    SELECT {{Int32(least, 3, description='from here')}} AS x, {{String(who)}} AS w\nTYPE endpoint\n";
    client.notify("textDocument/didOpen", opened(&uri(PIPE), 1, text)).await;
    let found = client.call("headwater/preview/parameters", document(&uri(PIPE))).await;
    let least = json!({
        "name": "least", "type": "Int32", "required": false, "default": "3", "description": "from here",
        "values": [], "value": null,
    });
    assert_eq!(found["parameters"][0], least);
    assert_eq!(
        (&found["parameters"][1]["name"], &found["parameters"][1]["required"]),
        (&json!("who"), &json!(true))
    );
    let id = client
        .send("headwater/preview/parameters", json!({ "textDocument": { "uri": uri(PIPE) }, "node": "b" }))
        .await;
    assert_eq!(client.answer(id).await.unwrap_err()["data"]["kind"], "request");
    client.ignore_all();
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
