//! What helps while writing: completion, signatures, linked names, indentation.

use headwater_lsp::testing::{opened, place, replaced};
use serde_json::{Value, json};

use super::{PIPE, TOP, at, labels, server, spot};
use crate::uri;

#[tokio::test]
async fn completion_is_ranked_and_resolves_its_documentation() {
    let mut fixture = server().await;
    let client = &mut fixture.client;
    let text = TOP.replace("SELECT who, ts FROM", "SELECT who, t FROM");
    client.notify("textDocument/didChange", replaced(&uri(PIPE), 2, &text)).await;
    let (line, character) = at(&text, "t FROM", 0);
    let answer = client.call("textDocument/completion", place(&uri(PIPE), line, character + 1)).await;
    assert_eq!(labels(&answer)[0], "ts", "{answer}");
    assert_eq!(answer["items"][0]["detail"], "DateTime");
    assert_eq!(answer["items"][0]["labelDetails"]["description"], "events");
    let function = answer["items"].as_array().unwrap().iter().find(|i| i["kind"] == 3).unwrap().clone();
    assert!(function.get("documentation").is_none());
    let resolved = client.call("completionItem/resolve", function).await;
    assert!(resolved["documentation"]["value"].as_str().is_some_and(|v| v.len() > 20), "{resolved}");
    fixture.client.shut_down().await;
}

#[tokio::test]
async fn completion_works_in_configuration_tests_fixtures_and_secrets() {
    let mut fixture = server().await;
    let client = &mut fixture.client;
    client.notify("textDocument/didOpen", opened(&uri("headwater.toml"), 1, "[impact]\nbase")).await;
    let answer = client.call("textDocument/completion", place(&uri("headwater.toml"), 1, 4)).await;
    assert_eq!(labels(&answer), ["baseline"]);
    let test = "- name: a\n  parameters: \n";
    client.notify("textDocument/didOpen", opened(&uri("tests/top.yaml"), 1, test)).await;
    let answer = client.call("textDocument/completion", place(&uri("tests/top.yaml"), 1, 14)).await;
    assert_eq!(labels(&answer), ["since"]);
    let raw = "SCHEMA >\n    ";
    client.notify("textDocument/didOpen", opened(&uri("datasources/raw.datasource"), 1, raw)).await;
    let answer =
        client.call("textDocument/completion", place(&uri("datasources/raw.datasource"), 1, 4)).await;
    assert_eq!(labels(&answer)[..2], ["id", "label"]);
    let bus = "TYPE kafka\nKAFKA_KEY {{ tb_secret(\"\") }}\n";
    client.notify("textDocument/didOpen", opened(&uri("bus.connection"), 1, bus)).await;
    let answer = client.call("textDocument/completion", place(&uri("bus.connection"), 1, 24)).await;
    assert_eq!(labels(&answer), ["KAFKA_KEY"]);
    fixture.client.shut_down().await;
}

#[tokio::test]
async fn a_blank_opens_a_list_only_where_a_name_is_wanted() {
    let mut fixture = server().await;
    let client = &mut fixture.client;
    let text = "NODE n\nSQL >\n    SELECT who FROM \nTYPE endpoint\n";
    client.notify("textDocument/didChange", replaced(&uri(PIPE), 2, text)).await;
    let ask = |character: u32| {
        let mut params = place(&uri(PIPE), 2, character);
        params["context"] = json!({ "triggerKind": 2, "triggerCharacter": " " });
        params
    };
    let tables = client.call("textDocument/completion", ask(20)).await;
    assert!(labels(&tables).contains(&"events"), "{tables}");
    assert_eq!(client.call("textDocument/completion", ask(15)).await, Value::Null);
    fixture.client.shut_down().await;
}

#[tokio::test]
async fn signature_help_marks_the_argument() {
    let mut fixture = server().await;
    let client = &mut fixture.client;
    let text = "NODE n\nSQL >\n    SELECT dateDiff('day', \n";
    client.notify("textDocument/didChange", replaced(&uri(PIPE), 2, text)).await;
    let help = client.call("textDocument/signatureHelp", place(&uri(PIPE), 2, 27)).await;
    assert_eq!(help["activeParameter"], 1, "{help}");
    let signature = &help["signatures"][0];
    let label = signature["label"].as_str().unwrap();
    let range = &signature["parameters"][1]["label"];
    let (from, to) = (range[0].as_u64().unwrap(), range[1].as_u64().unwrap());
    assert_eq!(&label[usize::try_from(from).unwrap()..usize::try_from(to).unwrap()], "startdate");
    fixture.client.shut_down().await;
}

#[tokio::test]
async fn selections_linked_names_and_indentation() {
    let mut fixture = server().await;
    let client = &mut fixture.client;
    let (line, character) = at(TOP, "who", 0);
    let params = json!({ "textDocument": { "uri": uri(PIPE) }, "positions": [{ "line": line, "character": character }, { "line": 0, "character": 0 }] });
    let chains = client.call("textDocument/selectionRange", params).await;
    assert_eq!(chains.as_array().map(Vec::len), Some(2));
    assert!(chains[0]["parent"]["range"].is_object());
    let text = "NODE n\nSQL >\n    %\n    SELECT {{Int32(days, 7)}} {% if defined(days) %}1{% end %}\nTYPE endpoint\n";
    client.notify("textDocument/didChange", replaced(&uri(PIPE), 2, text)).await;
    let linked = client.call("textDocument/linkedEditingRange", spot(PIPE, text, "days", 0)).await;
    assert_eq!(linked["ranges"].as_array().map(Vec::len), Some(2));
    let text = "NODE n\nSQL >\n";
    client.notify("textDocument/didChange", replaced(&uri(PIPE), 3, text)).await;
    let mut params = place(&uri(PIPE), 2, 0);
    params["ch"] = json!("\n");
    params["options"] = json!({ "tabSize": 4, "insertSpaces": true });
    let edits = client.call("textDocument/onTypeFormatting", params).await;
    assert_eq!(edits[0]["newText"], "    ");
    fixture.client.shut_down().await;
}
