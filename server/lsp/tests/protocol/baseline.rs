//! What a project is compared with: a commit that comes late, moves, goes, and shows nowhere but in the status.

use std::sync::Arc;

use headwater_lsp::testing::{document, opened, replaced};
use headwater_project::MemoryRevisions;
use serde_json::{Value, json};

use crate::{EVENTS, Fixture, pipe, pull, unknown, uri};

/// Waits until the status says this of what the project is compared with: history is read behind the server's back.
async fn until(fixture: &mut Fixture, wanted: &str) {
    let mut text = String::new();
    for _ in 0..1000 {
        let status = fixture.client.call("headwater/status", json!({})).await;
        text = status["text"].as_str().unwrap().to_owned();
        if text.contains(&format!("**Compared with**: {wanted}")) {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
    panic!("never {wanted}: {text}");
}

async fn saved(fixture: &mut Fixture, path: &str) {
    fixture.client.notify("textDocument/didSave", document(&uri(path))).await;
}

async fn start(files: &[(&str, &str)], revisions: MemoryRevisions) -> Fixture {
    Fixture::with_history(files, Arc::new(revisions), json!({ "capabilities": pull() })).await
}

#[tokio::test]
async fn the_baseline_follows_head_and_goes_with_git() {
    let revisions = MemoryRevisions::new();
    revisions.init("/p");
    let mut fixture = start(&[("a.pipe", &pipe("events"))], revisions).await;
    until(&mut fixture, "none: the repository has no commit yet").await;

    fixture.revisions.commit("/p", "1111111111aaaa", &[("a.pipe", "")]);
    saved(&mut fixture, "a.pipe").await;
    until(&mut fixture, "HEAD, commit 1111111111, 1 files").await;

    fixture.revisions.commit("/p", "2222222222bbbb", &[("a.pipe", ""), ("b.pipe", ""), ("c.pipe", "")]);
    fixture.touched(&[".git/HEAD"]).await;
    until(&mut fixture, "HEAD, commit 2222222222, 3 files").await;

    // The same commit again is not read again, whatever happens.
    let opened_before = fixture.revisions.opened("/p");
    for _ in 0..5 {
        saved(&mut fixture, "a.pipe").await;
        until(&mut fixture, "HEAD, commit 2222222222, 3 files").await;
    }
    assert_eq!(fixture.revisions.opened("/p"), opened_before);

    fixture.revisions.name("/p", "HEAD", "1111111111aaaa");
    fixture.client.notify("textDocument/didOpen", opened(&uri("a.pipe"), 1, &pipe("events"))).await;
    until(&mut fixture, "HEAD, commit 1111111111, 1 files").await;

    fixture.revisions.remove("/p");
    saved(&mut fixture, "a.pipe").await;
    until(&mut fixture, "none: the folder lies in no git repository").await;
    fixture.client.shut_down().await;
}

#[tokio::test]
async fn headwater_toml_chooses_it() {
    let revisions = MemoryRevisions::new();
    revisions.commit("/p", "1111111111aaaa", &[]).name("/p", "release", "1111111111aaaa");
    revisions.commit("/p", "2222222222bbbb", &[]);
    let files = [("a.pipe", &*pipe("events")), ("headwater.toml", "[impact]\nbaseline = 'release'\n")];
    let mut fixture = start(&files, revisions).await;
    until(&mut fixture, "release, commit 1111111111, 0 files").await;
    for (text, wanted) in [
        ("[impact]\nbaseline = 'off'\n", "none: headwater.toml says so"),
        ("", "HEAD, commit 2222222222, 0 files"),
        ("[impact]\nbaseline = 'mian'\n", "none: there is no revision `mian`"),
        ("[impact]\nbaseline = '1111111111aaaa'\n", "1111111111aaaa, commit 1111111111"),
    ] {
        fixture.fs.write("/p/headwater.toml", text);
        fixture.touched(&["headwater.toml"]).await;
        until(&mut fixture, wanted).await;
    }
    fixture.client.shut_down().await;
}

#[tokio::test]
async fn a_damaged_repository_is_said_once_and_hurts_nobody() {
    let revisions = MemoryRevisions::new();
    revisions.commit("/p", "1111111111aaaa", &[]).damage("/p", "a folder is damaged");
    let mut fixture = start(&[("a.pipe", &pipe("nowhere"))], revisions).await;
    for _ in 0..3 {
        saved(&mut fixture, "a.pipe").await;
        until(&mut fixture, "none: a folder is damaged").await;
    }
    let answer = fixture.client.call("textDocument/diagnostic", document(&uri("a.pipe"))).await;
    assert_eq!(unknown(&answer["items"]).len(), 1);
    let said = fixture.client.log.iter().filter(|line| line.contains("a folder is damaged")).count();
    assert_eq!(said, 1, "{:?}", fixture.client.log);
    fixture.client.shut_down().await;
}

/// The commit has another text for the open file, files that are gone, and faults of its own.
#[tokio::test]
async fn its_files_are_in_no_answer() {
    let revisions = MemoryRevisions::new();
    let old = pipe("no_such_table");
    let commit = [
        ("events.datasource", EVENTS),
        ("a.pipe", &*old),
        ("gone.pipe", &pipe("events")),
        ("broken.pipe", "NODE\nNONSENSE\n"),
        ("only_then.datasource", EVENTS),
    ];
    revisions.commit("/p", "1111111111aaaa", &commit);
    let files = [("events.datasource", EVENTS), ("a.pipe", &*pipe("only_then"))];
    let with = |revisions: MemoryRevisions| start(&files, revisions);
    let mut without = with(MemoryRevisions::new()).await;
    until(&mut without, "none: the folder lies in no git repository").await;
    let mut beside = with(revisions).await;
    until(&mut beside, "HEAD, commit 1111111111, 5 files").await;

    for fixture in [&mut without, &mut beside] {
        let client = &mut fixture.client;
        client.notify("textDocument/didOpen", opened(&uri("a.pipe"), 1, &pipe("only_then"))).await;
        client.notify("textDocument/didChange", replaced(&uri("a.pipe"), 2, &pipe("events"))).await;
    }
    let at = |line: u32, character: u32, path: &str| {
        json!({ "textDocument": { "uri": uri(path) }, "position": { "line": line, "character": character },
            "context": { "includeDeclaration": true } })
    };
    let requests: &[(&str, Value)] = &[
        ("workspace/diagnostic", json!({ "previousResultIds": [] })),
        ("workspace/symbol", json!({ "query": "" })),
        ("workspace/symbol", json!({ "query": "gone" })),
        ("textDocument/diagnostic", document(&uri("a.pipe"))),
        ("textDocument/diagnostic", document(&uri("gone.pipe"))),
        ("textDocument/documentSymbol", document(&uri("a.pipe"))),
        ("textDocument/documentSymbol", document(&uri("gone.pipe"))),
        ("textDocument/codeLens", document(&uri("events.datasource"))),
        ("textDocument/references", at(0, 0, "events.datasource")),
        ("textDocument/definition", at(2, 21, "a.pipe")),
        ("textDocument/references", at(2, 21, "a.pipe")),
        ("textDocument/hover", at(2, 21, "a.pipe")),
    ];
    for (method, params) in requests {
        let expected = without.client.call(method, params.clone()).await;
        let answer = beside.client.call(method, params.clone()).await;
        assert_eq!(answer, expected, "{method} {params}");
        assert!(
            !answer.to_string().contains("gone.pipe") && !answer.to_string().contains("only_then"),
            "{answer}"
        );
    }
    let answer = beside.client.call("textDocument/definition", at(2, 21, "a.pipe")).await;
    assert!(answer.to_string().contains("events.datasource"), "the requests meet something: {answer}");
    without.client.shut_down().await;
    beside.client.shut_down().await;
}

#[tokio::test]
async fn impact_is_shown_where_an_edit_is_made_before_it_is_saved() {
    let revisions = MemoryRevisions::new();
    let files = [("events.datasource", EVENTS), ("a.pipe", &*pipe("events"))];
    revisions.commit("/p", "1111111111aaaa", &files);
    let mut fixture = start(&files, revisions).await;
    until(&mut fixture, "HEAD, commit 1111111111, 2 files").await;
    let edited = EVENTS.replace("`id`", "`other`").replace("\"id\"", "\"other\"");
    fixture.client.notify("textDocument/didOpen", opened(&uri("events.datasource"), 1, &edited)).await;
    let answer = fixture.client.call("textDocument/diagnostic", document(&uri("events.datasource"))).await;
    let all = answer["items"].as_array().unwrap();
    let impact = all.iter().find(|d| d["code"] == "breaks-downstream").unwrap_or_else(|| panic!("{answer}"));
    assert!(impact["message"].as_str().unwrap().contains("`id`"), "{impact}");
    fixture.client.shut_down().await;
}

#[tokio::test]
async fn it_waits_until_nobody_waits() {
    let revisions = MemoryRevisions::new();
    revisions.commit("/p", "1111111111aaaa", &[("a.pipe", "")]);
    let files = [("a.pipe", &*pipe("events"))];
    let fixture = start(&files, revisions);
    let mut fixture = fixture.await;
    fixture.hooks.hold("textDocument/hover");
    let slow = fixture.client.send("textDocument/hover", place()).await;
    assert!(fixture.hooks.wait_for("textDocument/hover", 1).await);
    fixture.revisions.commit("/p", "2222222222bbbb", &[("a.pipe", ""), ("b.pipe", "")]);
    for _ in 0..20 {
        saved(&mut fixture, "a.pipe").await;
        let status = fixture.client.call("headwater/status", json!({})).await;
        assert!(!status["text"].as_str().unwrap().contains("2222222222"), "{status}");
        tokio::time::sleep(std::time::Duration::from_millis(1)).await;
    }
    // The slow request still stands where it stood: no write has made it start over.
    assert!(fixture.hooks.wait_for("textDocument/hover", 1).await);
    fixture.hooks.release("textDocument/hover");
    fixture.client.answer(slow).await.unwrap();
    until(&mut fixture, "HEAD, commit 2222222222, 2 files").await;
    fixture.client.shut_down().await;
}

fn place() -> Value {
    headwater_lsp::testing::place(&uri("a.pipe"), 0, 0)
}

#[tokio::test]
async fn the_client_is_asked_to_watch_the_repository_once() {
    let revisions = MemoryRevisions::new();
    revisions.commit("/", "1111111111aaaa", &[]);
    let capabilities = json!({ "textDocument": { "diagnostic": {} }, "workspace": {
        "didChangeWatchedFiles": { "dynamicRegistration": true, "relativePatternSupport": true } } });
    let params = json!({ "capabilities": capabilities });
    let mut fixture = Fixture::with_history(&[("a.pipe", "")], Arc::new(revisions), params).await;
    fixture.client.expect("client/registerCapability").await;
    // Others ask for other things before; without the question this waits until the client gives up.
    let repository = json!({ "baseUri": "file:///.git", "pattern": "HEAD" });
    loop {
        let asked = fixture.client.expect("client/registerCapability").await;
        if asked["registrations"][0]["registerOptions"]["watchers"][0]["globPattern"] == repository {
            break;
        }
    }
    fixture.revisions.commit("/", "2222222222bbbb", &[]);
    fixture.touched(&["../.git/HEAD"]).await;
    until(&mut fixture, "HEAD, commit 2222222222").await;
    // Anything asked twice would be a message that nobody reads.
    fixture.client.shut_down().await;
}
