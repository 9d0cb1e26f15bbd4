//! Slow requests, edits and cancellations at the same time. "Held" requests stand in a worker with a live snapshot.

use std::time::{Duration, Instant};

use headwater_lsp::testing::{document, opened, place, replaced};
use serde_json::{Value, json};

use crate::{EVENTS, Fixture, pipe, pull, uri};

/// Far below what any test here holds a request for, and far above what a busy machine adds.
const PROMPT: Duration = Duration::from_millis(500);

async fn fixture() -> Fixture {
    let files = [("events.datasource", EVENTS), ("a.pipe", &pipe("events"))];
    let mut fixture = Fixture::new(&files, pull()).await;
    fixture.client.notify("textDocument/didOpen", opened(&uri("a.pipe"), 1, &pipe("events"))).await;
    fixture.client.call("textDocument/diagnostic", document(&uri("a.pipe"))).await;
    fixture
}

fn references() -> Value {
    let mut params = place(&uri("a.pipe"), 2, 21);
    params["context"] = json!({ "includeDeclaration": true });
    params
}

#[tokio::test]
async fn four_held_requests_delay_neither_an_edit_nor_a_cancel() {
    let mut fixture = fixture().await;
    let (hooks, client) = (&fixture.hooks, &mut fixture.client);
    hooks.hold("textDocument/hover");
    let mut held = Vec::new();
    for _ in 0..4 {
        held.push(client.send("textDocument/hover", place(&uri("a.pipe"), 2, 21)).await);
    }
    // Every worker is taken and the fourth waits in the queue.
    assert!(hooks.wait_for("textDocument/hover", 3).await);

    let started = Instant::now();
    client.cancel(held[0]).await;
    assert_eq!(client.answer(held[0]).await.unwrap_err()["code"], -32800);
    assert!(started.elapsed() < PROMPT, "the cancel took {:?}", started.elapsed());

    // The edit takes their text away from the others: they end although nobody releases them.
    let started = Instant::now();
    client.notify("textDocument/didChange", replaced(&uri("a.pipe"), 2, "NODE second\n")).await;
    for id in &held[1..] {
        assert_eq!(client.answer(*id).await.unwrap_err()["code"], -32801);
    }
    assert!(started.elapsed() < PROMPT, "the edit took {:?}", started.elapsed());

    let symbols = client.call("textDocument/documentSymbol", document(&uri("a.pipe"))).await;
    assert!(symbols.to_string().contains("second") && !symbols.to_string().contains("first"));
    fixture.client.shut_down().await;
}

#[tokio::test]
async fn requests_about_whole_documents_run_again_on_the_new_text() {
    let mut fixture = fixture().await;
    let (hooks, client) = (&fixture.hooks, &mut fixture.client);
    hooks.hold("textDocument/documentSymbol");
    let id = client.send("textDocument/documentSymbol", document(&uri("a.pipe"))).await;
    assert!(hooks.wait_for("textDocument/documentSymbol", 1).await);
    for version in 2..20 {
        let text = format!("NODE n{version}\nSQL >\n    SELECT 1\n");
        client.notify("textDocument/didChange", replaced(&uri("a.pipe"), version, &text)).await;
    }
    assert!(!client.answered_within(id, Duration::from_millis(50)).await);
    hooks.release("textDocument/documentSymbol");
    let symbols = client.answer(id).await.unwrap();
    assert!(symbols.to_string().contains("n19"), "{symbols}");
    fixture.client.shut_down().await;
}

#[tokio::test]
async fn an_edit_elsewhere_does_not_cost_a_position_request_its_answer() {
    let mut fixture = fixture().await;
    let (hooks, client) = (&fixture.hooks, &mut fixture.client);
    client.notify("textDocument/didOpen", opened(&uri("b.pipe"), 1, &pipe("events"))).await;
    hooks.hold("textDocument/hover");
    let id = client.send("textDocument/hover", place(&uri("a.pipe"), 2, 21)).await;
    assert!(hooks.wait_for("textDocument/hover", 1).await);
    client.notify("textDocument/didChange", replaced(&uri("b.pipe"), 2, "NODE other\n")).await;
    client.call("textDocument/documentSymbol", document(&uri("b.pipe"))).await;
    hooks.release("textDocument/hover");
    client.answer(id).await.unwrap();
    fixture.client.shut_down().await;
}

#[tokio::test]
async fn slow_requests_leave_a_worker_to_what_somebody_waits_for() {
    let mut fixture = fixture().await;
    let (hooks, client) = (&fixture.hooks, &mut fixture.client);
    hooks.hold("textDocument/references");
    let mut held = Vec::new();
    for _ in 0..8 {
        held.push(client.send("textDocument/references", references()).await);
    }
    assert!(hooks.wait_for("textDocument/references", 2).await);
    let started = Instant::now();
    client.call("textDocument/hover", place(&uri("a.pipe"), 2, 21)).await;
    let status = client.call("headwater/status", json!({})).await;
    assert!(started.elapsed() < PROMPT, "{:?}", started.elapsed());
    assert!(status["text"].as_str().unwrap().contains("2 running, 6 queued"), "{status}");
    hooks.release("textDocument/references");
    for id in held {
        client.answer(id).await.unwrap();
    }
    fixture.client.shut_down().await;
}

#[tokio::test]
async fn a_cancelled_request_frees_its_worker() {
    let mut fixture = fixture().await;
    let (hooks, client) = (&fixture.hooks, &mut fixture.client);
    hooks.hold("textDocument/references");
    for _ in 0..2 {
        let id = client.send("textDocument/references", references()).await;
        client.cancel(id).await;
    }
    let third = client.send("textDocument/references", references()).await;
    assert!(hooks.wait_for("textDocument/references", 1).await);
    hooks.release("textDocument/references");
    client.answer(third).await.unwrap();
    // Cancelling what is long answered, or never was, does nothing.
    client.notify("$/cancelRequest", json!({ "id": third })).await;
    client.notify("$/cancelRequest", json!({ "id": "nobody" })).await;
    client.notify("$/cancelRequest", json!({})).await;
    client.call("headwater/status", json!({})).await;
    fixture.client.shut_down().await;
}

#[tokio::test]
async fn two_hundred_edits_behind_held_requests_are_all_applied() {
    let mut fixture = fixture().await;
    let (hooks, client) = (&fixture.hooks, &mut fixture.client);
    hooks.hold("workspace/symbol");
    let mut held = Vec::new();
    for _ in 0..6 {
        held.push(client.send("workspace/symbol", json!({ "query": "a" })).await);
    }
    assert!(hooks.wait_for("workspace/symbol", 2).await);
    let started = Instant::now();
    client.notify("textDocument/didChange", replaced(&uri("a.pipe"), 2, "NODE \n")).await;
    for i in 0..200 {
        let end = json!({ "line": 0, "character": 5 + i });
        client
            .notify(
                "textDocument/didChange",
                json!({
                    "textDocument": { "uri": uri("a.pipe"), "version": 3 + i },
                    "contentChanges": [{ "range": { "start": end, "end": end }, "text": "x" }],
                }),
            )
            .await;
    }
    let symbols = client.call("textDocument/documentSymbol", document(&uri("a.pipe"))).await;
    assert!(symbols.to_string().contains(&"x".repeat(200)), "{symbols}");
    assert!(started.elapsed() < PROMPT * 2, "{:?}", started.elapsed());
    hooks.release("workspace/symbol");
    for id in held {
        client.answer(id).await.unwrap();
    }
    fixture.client.shut_down().await;
}

#[tokio::test]
async fn a_bug_costs_one_answer_and_says_where() {
    let mut fixture = fixture().await;
    let (hooks, client) = (&fixture.hooks, &mut fixture.client);
    for _ in 0..5 {
        hooks.panic_once("textDocument/hover");
        let id = client.send("textDocument/hover", place(&uri("a.pipe"), 2, 21)).await;
        let error = client.answer(id).await.unwrap_err();
        assert_eq!(error["code"], -32603);
        let message = error["message"].as_str().unwrap();
        for part in ["textDocument/hover", "a.pipe", env!("CARGO_PKG_VERSION"), "a test asked for it"] {
            assert!(message.contains(part), "{part} in {message}");
        }
    }
    client.call("textDocument/hover", place(&uri("a.pipe"), 2, 21)).await;
    assert!(client.log.iter().any(|line| line.contains("a test asked for it")));
    fixture.client.shut_down().await;
}
