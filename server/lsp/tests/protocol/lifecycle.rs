//! Hello, goodbye, and everything said at the wrong time.

use std::time::Duration;

use headwater_lsp::testing::{TestClient, document, opened, place};
use headwater_lsp::{Ended, Options};
use serde_json::{Value, json};

use crate::{EVENTS, Fixture, pipe, pull, uri};

fn client() -> TestClient {
    TestClient::start(Options::default())
}

#[tokio::test]
async fn the_server_says_who_it_is_and_ends_in_order() {
    let fixture = Fixture::new(&[], pull()).await;
    assert_eq!(fixture.hello["serverInfo"]["name"], "headwater");
    assert_eq!(fixture.hello["serverInfo"]["version"], env!("CARGO_PKG_VERSION"));
    assert_eq!(fixture.hello["capabilities"]["experimental"]["headwaterProtocol"], 1);
    assert_eq!(fixture.hello["capabilities"]["positionEncoding"], "utf-16");
    fixture.client.shut_down().await;
}

#[tokio::test]
async fn requests_before_initialize_are_refused_and_the_server_still_starts() {
    let mut client = client();
    client.notify("textDocument/didOpen", opened("file:///p/a.pipe", 1, "")).await;
    let id = client.send("textDocument/hover", place("file:///p/a.pipe", 0, 0)).await;
    assert_eq!(client.answer(id).await.unwrap_err()["code"], -32002);
    let id = client.send("nonsense", json!({})).await;
    client.answer(id).await.unwrap_err();
    client.initialize(json!({})).await;
    client.shut_down().await;
}

#[tokio::test]
async fn ids_of_any_length_are_answered() {
    let mut client = client();
    client.initialize(json!({})).await;
    for length in [1, 20, 60, 100, 130, 2_000] {
        for letter in ["a", "\u{1}", "é"] {
            let id = letter.repeat(length);
            let params = json!({ "textDocument": { "uri": "file:///nowhere/a.pipe" } });
            let method = "textDocument/diagnostic";
            let body = json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params }).to_string();
            client.raw(format!("Content-Length: {}\r\n\r\n{body}", body.len()).as_bytes()).await;
            assert_eq!(client.result_of(&id).await, json!({ "kind": "full", "items": [] }));
        }
    }
    client.shut_down().await;
}

#[tokio::test]
async fn a_refused_initialize_may_be_tried_again_and_a_second_one_is_an_error() {
    let mut client = client();
    let id = client.send("initialize", json!({ "capabilities": 7 })).await;
    assert_eq!(client.answer(id).await.unwrap_err()["code"], -32602);
    client.initialize(json!({})).await;
    let id = client.send("initialize", json!({ "capabilities": {} })).await;
    assert_eq!(client.answer(id).await.unwrap_err()["code"], -32600);
    client.shut_down().await;
}

#[tokio::test]
async fn unknown_methods_and_bad_parameters_get_their_errors() {
    let mut fixture = Fixture::new(&[], pull()).await;
    let client = &mut fixture.client;
    for (method, params, code) in [
        ("textDocument/nonsense", json!({}), -32601),
        ("textDocument/hover", json!({ "position": 1 }), -32602),
        ("textDocument/hover", json!([]), -32602),
        ("textDocument/diagnostic", Value::Null, -32602),
    ] {
        let id = client.send(method, params).await;
        assert_eq!(client.answer(id).await.unwrap_err()["code"], code, "{method}");
    }
    client.notify("$/nonsense", json!({})).await;
    client.notify("textDocument/didChange", json!({ "textDocument": 3 })).await;
    client.notify("textDocument/didOpen", json!([])).await;
    // Log lines and answers take different ways.
    while client.log.len() < 2 {
        client.call("headwater/status", json!({})).await;
    }
    assert_eq!(client.log.iter().filter(|line| line.contains("malformed")).count(), 2);
    fixture.client.shut_down().await;
}

#[tokio::test]
async fn malformed_frames_are_answered_and_survived() {
    let mut fixture = Fixture::new(&[], pull()).await;
    let client = &mut fixture.client;
    let deep = format!(
        "{{\"jsonrpc\":\"2.0\",\"method\":\"x\",\"params\":{}1{}}}",
        "[".repeat(9999),
        "]".repeat(9999)
    );
    for (frame, code) in [
        ("Content-Length: 9\r\n\r\n{\"jsonrpc".as_bytes(), -32700),
        (b"Content-Length: 2\r\n\r\n[]", -32600),
        (b"Content-Length: 4\r\n\r\nnull", -32600),
        (b"Content-Length: 16\r\n\r\n{\"jsonrpc\":\"1.0\"}", -32700),
        (b"Content-Length: 17\r\n\r\n{\"jsonrpc\":\"2.0\"}", -32600),
        (b"Content-Length: 3\r\n\r\n\xff\xfe\x00", -32700),
        (b"Content-Length: many\r\n\r\n", -32700),
        (b"Content-Length: 99999999999999999999\r\n\r\n", -32700),
        (b"X: 1\r\n\r\n", -32700),
        (format!("Content-Length: {}\r\n\r\n{deep}", deep.len()).as_bytes(), -32700),
        // The next frame is swallowed by a length that is too long, and found again.
        (b"Content-Length: 60\r\n\r\n{}", -32700),
    ] {
        client.raw(frame).await;
        client.call_after_garbage("headwater/status").await;
        let error = client.answer_to_null().await;
        assert_eq!(error["code"], code, "{}", String::from_utf8_lossy(&frame[..frame.len().min(60)]));
    }
    client.raw(&[b'x'; 20_000]).await;
    assert_eq!(client.answer_to_null().await["code"], -32700);
    client.raw(b"\r\n\r\n").await;
    // Headers may be spelt freely and come in any number.
    let body = br#"{"jsonrpc":"2.0","method":"$/nothing"}"#;
    client.raw(format!("A: b\r\ncontent-length:{}\r\nC: d\r\nE: f\r\n\r\n", body.len()).as_bytes()).await;
    client.raw(body).await;
    client.call("headwater/status", json!({})).await;
    client.ignore_errors();
    fixture.client.shut_down().await;
}

#[tokio::test]
async fn shutdown_in_the_middle_ends_long_polls_and_refuses_what_follows() {
    let mut fixture =
        Fixture::new(&[("events.datasource", EVENTS), ("a.pipe", &pipe("events"))], pull()).await;
    let client = &mut fixture.client;
    client.call("workspace/diagnostic", json!({ "previousResultIds": [] })).await;
    let parked = client.send("workspace/diagnostic", json!({ "previousResultIds": [] })).await;
    fixture.hooks.hold("textDocument/hover");
    let held = client.send("textDocument/hover", place(&uri("a.pipe"), 0, 0)).await;
    assert!(fixture.hooks.wait_for("textDocument/hover", 1).await);
    client.call("shutdown", Value::Null).await;
    if let Err(error) = client.answer(parked).await {
        assert_eq!(error["code"], -32802);
    }
    let late = client.send("textDocument/hover", place(&uri("a.pipe"), 0, 0)).await;
    assert_eq!(client.answer(late).await.unwrap_err()["code"], -32600);
    client.notify("exit", Value::Null).await;
    assert_eq!(client.ended().await, Ended { orderly: true });
    client.forget(held);
}

#[tokio::test]
async fn exit_without_shutdown_and_a_closed_pipe_are_not_orderly() {
    let mut fixture = Fixture::new(&[], pull()).await;
    fixture.client.notify("exit", Value::Null).await;
    assert_eq!(fixture.client.ended().await, Ended { orderly: false });

    let mut fixture = Fixture::new(&[("events.datasource", EVENTS)], pull()).await;
    let first = fixture.client.call("workspace/diagnostic", json!({ "previousResultIds": [] })).await;
    assert_eq!(first, json!({ "items": [] }), "nothing is wrong, and that is an answer");
    let parked = fixture.client.send("workspace/diagnostic", json!({ "previousResultIds": [] })).await;
    assert!(!fixture.client.answered_within(parked, Duration::from_millis(100)).await);
    assert_eq!(fixture.client.hang_up().await, Ended { orderly: false });
}

#[tokio::test]
async fn status_tells_what_a_person_wants_to_know() {
    let files = [("events.datasource", EVENTS), ("a.pipe", &pipe("events"))];
    let mut fixture = Fixture::new(&files, pull()).await;
    let client = &mut fixture.client;
    client.notify("textDocument/didOpen", opened(&uri("a.pipe"), 1, &pipe("events"))).await;
    client.call("textDocument/diagnostic", document(&uri("a.pipe"))).await;
    let mut text = String::new();
    for _ in 0..200 {
        let status = client.call("headwater/status", json!({})).await;
        text = status["text"].as_str().unwrap().to_owned();
        if text.contains("**Dialect**") {
            break;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    for part in [
        "# Headwater",
        "## /p",
        "**Files**: 2",
        "**Open documents**: 1",
        "**Dialect**",
        "**Trusted folder**: no",
    ] {
        assert!(text.contains(part), "{part} in {text}");
    }
    fixture.client.shut_down().await;
}

#[tokio::test]
async fn reading_that_takes_long_is_shown() {
    let capabilities = json!({ "window": { "workDoneProgress": true } });
    let fs = std::sync::Arc::new(SlowFileSystem);
    let options = Options { fs, progress_after: Duration::from_millis(1), ..Options::default() };
    let mut client = TestClient::start(options);
    let folders = json!([{ "uri": "file:///p", "name": "p" }]);
    client.initialize(json!({ "capabilities": capabilities, "workspaceFolders": folders })).await;
    let token = client.expect("window/workDoneProgress/create").await["token"].take();
    for kind in ["begin", "end"] {
        let progress = client.expect("$/progress").await;
        assert_eq!((&progress["token"], &progress["value"]["kind"]), (&token, &json!(kind)));
    }
    client.shut_down().await;
}

struct SlowFileSystem;

impl headwater_project::FileSystem for SlowFileSystem {
    fn kind(&self, _: &camino::Utf8Path) -> std::io::Result<headwater_project::EntryKind> {
        Err(std::io::ErrorKind::NotFound.into())
    }
    fn read(&self, _: &camino::Utf8Path) -> std::io::Result<Vec<u8>> {
        Err(std::io::ErrorKind::NotFound.into())
    }
    fn entries(&self, _: &camino::Utf8Path) -> std::io::Result<Vec<headwater_project::Entry>> {
        std::thread::sleep(Duration::from_millis(150));
        Ok(Vec::new())
    }
    fn canonical(&self, path: &camino::Utf8Path) -> std::io::Result<camino::Utf8PathBuf> {
        Ok(path.to_owned())
    }
}
