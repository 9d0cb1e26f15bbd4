//! Documents that are on no disk.

use serde_json::json;

use super::{PIPE, server};
use crate::uri;

#[tokio::test]
async fn virtual_documents_and_their_commands_say_the_same() {
    let mut fixture = server().await;
    let client = &mut fixture.client;
    for (view, part) in [
        ("rendered", "SELECT who, ts FROM events WHERE ts > '2025-01-01 00:00:00'"),
        ("compiled", "WITH\n    base AS ("),
        ("openapi", "openapi: 3.1.0"),
        ("lineage", "events · data source"),
        ("plan", "There is nothing to compare with"),
    ] {
        let node = (view == "rendered").then_some("base");
        let argument =
            json!({ "uri": uri(PIPE), "node": node, "parameters": { "since": "2025-01-01 00:00:00" } });
        let command = json!({ "command": format!("headwater.view.{view}"), "arguments": [argument] });
        let by_command = client.call("workspace/executeCommand", command).await;
        assert!(by_command["text"].as_str().unwrap().contains(part), "{view}: {by_command}");
        let content = client.call("workspace/textDocumentContent", json!({ "uri": by_command["uri"] })).await;
        assert_eq!(content["text"], by_command["text"], "{view}");
    }
    let id = client.send("workspace/textDocumentContent", json!({ "uri": "headwater:/nonsense/x" })).await;
    assert_eq!(client.answer(id).await.unwrap_err()["code"], -32602);
    fixture.client.shut_down().await;
}
