//! The disk changes under the server: watched files, folders, files without a project.

use headwater_lsp::testing::{document, opened};
use serde_json::{Value, json};

use crate::{EVENTS, Fixture, pipe, pull, unknown, uri};

async fn unknown_in(fixture: &mut Fixture, uri: &str) -> Vec<String> {
    let answer = fixture.client.call("textDocument/diagnostic", document(uri)).await;
    unknown(&answer["items"])
}

/// Waits until the pulled diagnostics are as wanted: the disk is read behind the server's back.
async fn until(fixture: &mut Fixture, path: &str, wanted: usize) {
    for _ in 0..400 {
        if unknown_in(fixture, &uri(path)).await.len() == wanted {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
    panic!("{path} never had {wanted}");
}

#[tokio::test]
async fn the_client_is_asked_to_watch_only_if_it_can() {
    let capabilities = json!({ "textDocument": { "diagnostic": {} }, "workspace": {
        "didChangeWatchedFiles": { "dynamicRegistration": true },
        "didChangeConfiguration": { "dynamicRegistration": true } } });
    let mut fixture = Fixture::new(&[], capabilities).await;
    let asked = fixture.client.expect("client/registerCapability").await;
    let methods: Vec<_> =
        asked["registrations"].as_array().unwrap().iter().map(|r| r["method"].clone()).collect();
    assert_eq!(methods, ["workspace/didChangeWatchedFiles", "workspace/didChangeConfiguration"]);
    fixture.client.shut_down().await;
}

#[tokio::test]
async fn a_checkout_of_five_hundred_files_is_one_change() {
    let mut fixture = Fixture::new(&[("pipes/a.pipe", &pipe("d499"))], pull()).await;
    assert_eq!(unknown_in(&mut fixture, &uri("pipes/a.pipe")).await.len(), 1);
    let paths: Vec<_> = (0..500).map(|i| format!("datasources/d{i}.datasource")).collect();
    for path in &paths {
        fixture.fs.write(format!("/p/{path}"), EVENTS);
    }
    // Half of them in one notification, the others one by one, as clients differ.
    let (bulk, single) = paths.split_at(250);
    fixture.touched(&bulk.iter().map(String::as_str).collect::<Vec<_>>()).await;
    for path in single {
        fixture.touched(&[path]).await;
    }
    until(&mut fixture, "pipes/a.pipe", 0).await;
    let status = fixture.client.call("headwater/status", json!({})).await;
    assert!(status["text"].as_str().unwrap().contains("**Files**: 501"), "{status}");

    fixture.fs.remove("/p/datasources");
    fixture.touched(&["datasources"]).await;
    until(&mut fixture, "pipes/a.pipe", 1).await;
    fixture.client.shut_down().await;
}

#[tokio::test]
async fn a_file_deleted_while_open_lives_on_in_the_editor() {
    let files = [("events.datasource", EVENTS), ("a.pipe", &pipe("events"))];
    let mut fixture = Fixture::new(&files, pull()).await;
    fixture.client.notify("textDocument/didOpen", opened(&uri("events.datasource"), 1, EVENTS)).await;
    fixture.fs.remove("/p/events.datasource");
    fixture.touched(&["events.datasource"]).await;
    assert_eq!(unknown_in(&mut fixture, &uri("a.pipe")).await.len(), 0);
    fixture.client.notify("textDocument/didClose", document(&uri("events.datasource"))).await;
    until(&mut fixture, "a.pipe", 1).await;
    fixture.client.shut_down().await;
}

#[tokio::test]
async fn the_editors_text_wins_over_the_disk_until_it_is_closed() {
    let files = [("events.datasource", EVENTS), ("a.pipe", &pipe("events"))];
    let mut fixture = Fixture::new(&files, pull()).await;
    fixture.client.notify("textDocument/didOpen", opened(&uri("a.pipe"), 1, &pipe("nowhere"))).await;
    fixture.fs.write("/p/a.pipe", pipe("gone"));
    fixture.touched(&["a.pipe"]).await;
    assert!(unknown_in(&mut fixture, &uri("a.pipe")).await[0].contains("nowhere"));
    fixture.fs.write("/p/a.pipe", pipe("events"));
    // Not announced: closing looks at the disk by itself.
    fixture.client.notify("textDocument/didClose", document(&uri("a.pipe"))).await;
    until(&mut fixture, "a.pipe", 0).await;
    fixture.client.shut_down().await;
}

#[tokio::test]
async fn folders_come_and_go_and_projects_do_not_see_each_other() {
    let fs =
        [("one/events.datasource", EVENTS), ("one/a.pipe", &pipe("events")), ("two/b.pipe", &pipe("events"))];
    let folder = |name: &str| json!({ "uri": uri(name), "name": name });
    let params = json!({ "capabilities": pull(), "workspaceFolders": [folder("one"), folder("two")] });
    let mut fixture = Fixture::with(&fs, params).await;
    assert_eq!(unknown_in(&mut fixture, &uri("one/a.pipe")).await.len(), 0);
    assert_eq!(unknown_in(&mut fixture, &uri("two/b.pipe")).await.len(), 1);

    let change = |added: Value, removed: Value| json!({ "event": { "added": added, "removed": removed } });
    let method = "workspace/didChangeWorkspaceFolders";
    fixture.client.notify(method, change(json!([]), json!([folder("two")]))).await;
    assert_eq!(unknown_in(&mut fixture, &uri("two/b.pipe")).await.len(), 0, "no project has it now");
    fixture.client.notify(method, change(json!([folder("two")]), json!([folder("one")]))).await;
    assert_eq!(unknown_in(&mut fixture, &uri("two/b.pipe")).await.len(), 1);
    let status = fixture.client.call("headwater/status", json!({})).await;
    let text = status["text"].as_str().unwrap();
    assert!(text.contains("## /p/two") && !text.contains("## /p/one"), "{text}");
    fixture.client.shut_down().await;
}

#[tokio::test]
async fn a_project_below_the_folder_is_found_and_one_may_be_born() {
    let files = [("packages/tb/pipes/a.pipe", &*pipe("events")), ("src/main.ts", ""), (".git/HEAD", "")];
    let mut fixture = Fixture::new(&files, pull()).await;
    assert_eq!(unknown_in(&mut fixture, &uri("packages/tb/pipes/a.pipe")).await.len(), 1);
    fixture.fs.write("/p/other/pipes/b.pipe", pipe("nothing"));
    fixture.touched(&["other/pipes/b.pipe"]).await;
    until(&mut fixture, "other/pipes/b.pipe", 1).await;
    fixture.client.shut_down().await;
}

#[tokio::test]
async fn a_file_outside_every_folder_gets_its_own_project() {
    let mut fixture = Fixture::new(&[("a.pipe", &pipe("a"))], pull()).await;
    fixture.fs.write("/elsewhere/pipes/x.pipe", pipe("events")).write("/elsewhere/pipes/y.pipe", pipe("x"));
    let x = "file:///elsewhere/pipes/x.pipe";
    fixture.client.notify("textDocument/didOpen", opened(x, 1, &pipe("events"))).await;
    assert_eq!(unknown_in(&mut fixture, x).await.len(), 1);
    assert_eq!(unknown_in(&mut fixture, "file:///elsewhere/pipes/y.pipe").await.len(), 0);

    // In no folder on disk, and hidden inside a project: alone.
    for alone in ["file:///nowhere/z.pipe", &uri(".hidden/z.pipe")] {
        fixture.client.notify("textDocument/didOpen", opened(alone, 1, &pipe("events"))).await;
        assert_eq!(unknown_in(&mut fixture, alone).await.len(), 1, "{alone}");
    }
    fixture.client.shut_down().await;
}

#[tokio::test]
async fn unreadable_files_say_so_and_hurt_nobody() {
    let mut fixture = Fixture::new(&[("a.pipe", &pipe("bad"))], pull()).await;
    fixture
        .fs
        .write("/p/bad.datasource", b"SCHEMA >\n \xff".to_vec())
        .write("/p/binary.pipe", b"\0\0".to_vec());
    fixture.fs.deny("/p/denied.pipe").link("/p/loop", "/p");
    fixture.touched(&["bad.datasource", "binary.pipe", "denied.pipe"]).await;
    until(&mut fixture, "a.pipe", 0).await;
    for path in ["bad.datasource", "binary.pipe", "denied.pipe"] {
        let answer = fixture.client.call("textDocument/diagnostic", document(&uri(path))).await;
        assert!(!answer["items"].as_array().unwrap().is_empty(), "{path}");
    }
    fixture.client.shut_down().await;
}
