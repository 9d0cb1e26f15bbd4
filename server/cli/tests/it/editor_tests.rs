//! Tests run in editors, with the real engine: `headwater/tests/…`, what an edit touches, diffs, and accepting.

use std::path::PathBuf;
use std::process::Stdio;

use headwater_lsp::testing::{TestClient, document, opened, replaced};
use headwater_warehouse::Places;
use serde_json::{Value, json};
use tokio::process::{Child, Command};

use crate::Folder;

const EVENTS: &str = "SCHEMA >\n    `n` UInt32 `json:$.n`,\n    `country` String `json:$.country`\n\nENGINE \"MergeTree\"\nENGINE_SORTING_KEY \"n\"\n";

const TOP: &str = "NODE counted\nSQL >\n    %\n    SELECT country, count() AS hits\n    FROM events\n    WHERE n >= {{UInt32(least, 0)}}\n    GROUP BY country\n    ORDER BY country\n\nTYPE endpoint\n";

const TESTS: &str = "\
# What the page shows.
- name: all
  parameters: ''
  expected_result: |
    {\"country\":\"at\",\"hits\":2}
    {\"country\":\"de\",\"hits\":1}

- name: few   # the newest
  parameters: least=3
  expected_result: |
    {\"country\":\"at\",\"hits\":7}

- name: later
  parameters: ''
  expected_result: ''
  skip: not yet
";

fn library() -> PathBuf {
    match Places::from_env().library() {
        Ok(library) => library.path().to_owned(),
        Err(why) => panic!("this test needs the SQL engine; `cargo xtask test` brings it. {why}"),
    }
}

fn project(name: &str) -> Folder {
    let folder = Folder::new(name);
    folder.write("datasources/events.datasource", EVENTS);
    folder.write("datasources/others.datasource", EVENTS);
    folder.write("endpoints/top.pipe", TOP);
    folder
        .write("endpoints/other.pipe", "NODE n\nSQL >\n    SELECT count() AS c FROM others\nTYPE endpoint\n");
    folder.write(
        "fixtures/events.ndjson",
        "{\"n\":1,\"country\":\"de\"}\n{\"n\":2,\"country\":\"at\"}\n{\"n\":3,\"country\":\"at\"}\n",
    );
    folder.write("tests/top.yaml", TESTS);
    folder.write("tests/other.yaml", "- name: none\n  parameters: ''\n  expected_result: |\n    {\"c\":0}\n");
    folder
}

struct Editor {
    _child: Child,
    client: TestClient,
    root: String,
}

impl Editor {
    async fn start(folder: &Folder, trusted: bool, library: Option<PathBuf>) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_headwater"));
        command.arg("lsp").env_remove("HEADWATER_CHDB").env("XDG_DATA_HOME", "/nowhere");
        if let Some(library) = library {
            command.env("HEADWATER_CHDB", library);
        }
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .expect("the binary runs");
        let (stdin, stdout) = (child.stdin.take().expect("piped"), child.stdout.take().expect("piped"));
        let mut client = TestClient::over(Box::new(stdout), Box::new(stdin));
        let root = format!("file://{}", folder.0.display());
        let commands = ["headwater.runTest", "headwater.showView"];
        client
            .initialize(json!({
                "workspaceFolders": [{ "uri": root, "name": "p" }],
                "capabilities": {
                    "workspace": {
                        "configuration": true,
                        "workspaceEdit": { "documentChanges": true },
                        "codeLens": { "refreshSupport": true },
                    },
                    "textDocument": {
                        "diagnostic": {},
                        "codeAction": { "codeActionLiteralSupport": { "codeActionKind": { "valueSet": [] } } },
                    },
                },
                "initializationOptions": { "trusted": trusted, "clientCommands": commands },
            }))
            .await;
        Self { _child: child, client, root }
    }

    fn uri(&self, path: &str) -> String {
        format!("{}/{path}", self.root)
    }

    async fn run(&mut self, mut params: Value) -> (Value, Vec<Value>) {
        params["run"] = json!("r1");
        let answer = self.client.call("headwater/tests/run", params).await;
        let count = ["passed", "failed", "skipped"].iter().map(|k| answer[k].as_u64().expect("a number"));
        let mut results = Vec::new();
        for _ in 0..count.sum() {
            // They came before the answer.
            let params = self.client.expect("headwater/tests/result").await;
            assert_eq!(params["run"], "r1", "{params}");
            results.push(params["result"].clone());
        }
        (answer, results)
    }

    async fn failures(&mut self, path: &str) -> Vec<(u64, String)> {
        let report = self.client.call("textDocument/diagnostic", document(&self.uri(path))).await;
        let items = report["items"].as_array().cloned().unwrap_or_default();
        let ours = items.into_iter().filter(|item| item["code"] == "test-failed");
        ours.map(|item| {
            assert_eq!(item["source"], "headwater test", "{item}");
            let line = item["range"]["start"]["line"].as_u64().expect("a line");
            (line, item["message"].as_str().expect("a message").to_owned())
        })
        .collect()
    }

    async fn lenses(&mut self, path: &str) -> Vec<(String, Value)> {
        let lenses = self.client.call("textDocument/codeLens", document(&self.uri(path))).await;
        let lenses = lenses.as_array().cloned().unwrap_or_default();
        lenses
            .into_iter()
            .map(|lens| (lens["command"]["title"].as_str().unwrap_or("").to_owned(), lens["command"].clone()))
            .collect()
    }

    async fn change(&mut self, path: &str, version: i64, text: &str) {
        let uri = self.uri(path);
        let message = if version == 1 { opened(&uri, 1, text) } else { replaced(&uri, version, text) };
        let method = if version == 1 { "textDocument/didOpen" } else { "textDocument/didChange" };
        self.client.notify(method, message).await;
    }

    /// The next outcome of a test that ran because of an edit.
    async fn by_itself(&mut self) -> Value {
        let params = self.client.expect("headwater/tests/result").await;
        assert_eq!(params["run"], Value::Null, "{params}");
        params["result"].clone()
    }

    async fn status(&mut self) -> String {
        let status = self.client.call("headwater/status", json!({})).await;
        status["text"].as_str().expect("a text").to_owned()
    }

    async fn end(mut self) {
        self.client.call("shutdown", Value::Null).await;
        self.client.ignore_all();
        self.client.notify("exit", Value::Null).await;
    }
}

#[tokio::test]
async fn tests_are_found_run_shown_and_accepted() {
    let folder = project("editor-tests");
    let mut editor = Editor::start(&folder, true, Some(library())).await;
    let found = editor.client.call("headwater/tests/discover", json!({})).await;
    let files = found["files"].as_array().expect("files");
    let paths: Vec<_> = files.iter().map(|f| f["path"].as_str().expect("a path")).collect();
    assert_eq!(paths, ["tests/other.yaml", "tests/top.yaml"]);
    assert_eq!(files[1]["project"], json!(editor.root));
    let ids: Vec<_> = files[1]["tests"].as_array().expect("tests").iter().map(|t| t["id"].clone()).collect();
    assert_eq!(ids, ["all", "few", "later"]);
    let few = &files[1]["tests"][1];
    assert_eq!(
        (&few["pipe"], &few["place"]["start"]),
        (&json!("top"), &json!({ "line": 7, "character": 8 }))
    );
    assert_eq!(few["range"]["end"]["line"], 10, "{few}");
    assert_eq!((&few["result"], &files[1]["tests"][2]["skip"]), (&Value::Null, &json!("not yet")));

    let (answer, results) = editor.run(json!({})).await;
    assert_eq!(
        (&answer["passed"], &answer["failed"], &answer["skipped"]),
        (&json!(2), &json!(1), &json!(1)),
        "{answer} {results:?}"
    );
    let few = results.iter().find(|r| r["id"] == "few").expect("a result");
    assert_eq!((&few["status"], &few["brief"]), (&json!("failed"), &json!("1 row differs")), "{few}");
    assert_eq!(
        few["difference"],
        json!({
            "summary": null,
            "of": "rows",
            "count": 1,
            "parts": [{
                "number": 1,
                "expected": "{\"country\":\"at\",\"hits\":7}",
                "actual": "{\"country\":\"at\",\"hits\":1}",
                "cells": [{ "name": "hits", "expected": "7", "actual": "1" }],
            }],
        })
    );
    assert_eq!(few["place"]["start"]["line"], 7, "{few}");

    // One failure: a diagnostic at the test's name, a lens that opens what differs, and an action.
    let top = "tests/top.yaml";
    assert_eq!(editor.failures(top).await, [(7, "row 1:\n  hits: expected 7, got 1".to_owned())]);
    let lenses = editor.lenses(top).await;
    assert!(lenses.iter().any(|(title, _)| title.starts_with("✓ passed ")), "{lenses:?}");
    let (_, shows) =
        lenses.iter().find(|(title, _)| title == "✗ 1 row differs — show diff").expect("a lens").clone();
    assert_eq!(shows["command"], "headwater.showView");
    let view = &shows["arguments"][0];
    assert_eq!(view["language"], "diff");
    let command = json!({ "command": view["command"], "arguments": [view["argument"]] });
    let shown = editor.client.call("workspace/executeCommand", command).await;
    let text = shown["text"].as_str().expect("a text");
    assert!(text.contains("-{\"country\":\"at\",\"hits\":7}\n+{\"country\":\"at\",\"hits\":1}\n"), "{text}");
    assert_eq!(shown["uri"], view["uri"]);
    let content = editor.client.call("workspace/textDocumentContent", json!({ "uri": view["uri"] })).await;
    assert_eq!(content["text"], shown["text"]);
    // As VS Code writes addresses: a query is encoded as a whole.
    let (path, query) = view["uri"].as_str().and_then(|uri| uri.split_once('?')).expect("a query");
    let query = query.replace('=', "%3D").replace('&', "%26");
    let address = json!({ "uri": format!("{path}?{query}") });
    let content = editor.client.call("workspace/textDocumentContent", address).await;
    assert_eq!(content["text"], shown["text"]);
    let here = json!({ "line": 8, "character": 3 });
    let params = json!({
        "textDocument": { "uri": editor.uri(top) },
        "range": { "start": here, "end": here },
        "context": { "diagnostics": [] },
    });
    let actions = editor.client.call("textDocument/codeAction", params).await;
    let accept = actions
        .as_array()
        .expect("actions")
        .iter()
        .find(|a| a["title"] == "Accept the new result of `few`")
        .expect("the action")
        .clone();
    let command = json!({
        "command": "headwater.acceptResult",
        "arguments": [{ "uri": editor.uri(top), "ids": ["few"] }],
    });
    let by_command = editor.client.call("workspace/executeCommand", command).await;
    assert_eq!(accept["edit"], by_command);
    let edit = &by_command["documentChanges"][0]["edits"][0];
    assert_eq!(edit["newText"], "    {\"country\":\"at\",\"hits\":1}\n");
    assert_eq!(edit["range"]["start"], json!({ "line": 10, "character": 0 }));

    // The text of the test changes: what was known of it is gone at once, and comes back with the text.
    let other = TESTS.replace("least=3", "least=2");
    editor.change(top, 1, &other).await;
    assert_eq!(editor.failures(top).await, []);
    // It ran by itself, with the editor's text.
    let result = editor.by_itself().await;
    assert_eq!(
        (&result["id"], &result["difference"]["parts"][0]["cells"][0]["actual"]),
        (&json!("few"), &json!("2"))
    );
    editor.change(top, 2, &format!("\n\n{TESTS}")).await;
    assert_eq!(editor.failures(top).await, [(9, "row 1:\n  hits: expected 7, got 1".to_owned())]);
    let accepted = TESTS.replace("\"hits\":7", "\"hits\":1");
    editor.change(top, 3, &accepted).await;
    let result = editor.by_itself().await;
    assert_eq!((&result["id"], &result["status"]), (&json!("few"), &json!("passed")));
    assert_eq!(editor.failures(top).await, []);
    editor.end().await;
}

#[tokio::test]
async fn an_edit_runs_what_it_may_touch_and_nothing_else() {
    let folder = project("editor-affected");
    let mut editor = Editor::start(&folder, true, Some(library())).await;
    // What there is at the start has been looked at.
    editor.change("endpoints/top.pipe", 1, TOP).await;
    let (answer, _) =
        editor.run(json!({ "tests": [{ "uri": editor.uri("endpoints/top.pipe"), "ids": ["all"] }] })).await;
    assert_eq!(answer["passed"], 1, "{answer}");
    editor.client.call("textDocument/diagnostic", document(&editor.uri("tests/top.yaml"))).await;
    let (answer, _) = editor.run(json!({ "affected": true })).await;
    assert_eq!(answer["passed"], 0, "{answer}");

    let doubled = TOP.replace("count() AS hits", "count() * 2 AS hits");
    editor.change("endpoints/top.pipe", 2, &doubled).await;
    let mut ids = Vec::new();
    for _ in 0..3 {
        let result = editor.by_itself().await;
        ids.push(format!(
            "{} {}",
            result["id"].as_str().expect("a name"),
            result["brief"].as_str().expect("brief")
        ));
    }
    assert_eq!(ids, ["all 2 rows differ", "few 1 row differs", "later not yet"]);
    assert_eq!(editor.failures("tests/top.yaml").await.len(), 2);
    assert_eq!(editor.failures("tests/other.yaml").await, []);
    // Back again: nothing has to run to know it.
    editor.change("endpoints/top.pipe", 3, TOP).await;
    assert_eq!(editor.failures("tests/top.yaml").await, []);
    let lenses = editor.lenses("tests/top.yaml").await;
    assert!(lenses.iter().any(|(title, _)| title.starts_with("✓ passed ")), "{lenses:?}");
    // Rows are part of it, also those that only an editor has.
    let rows = "{\"n\":9,\"country\":\"de\"}\n{\"n\":9,\"country\":\"at\"}\n{\"n\":9,\"country\":\"at\"}\n";
    editor.change("fixtures/events.ndjson", 1, rows).await;
    let result = editor.by_itself().await;
    assert_eq!((&result["id"], &result["status"]), (&json!("all"), &json!("passed")), "{result}");
    let result = editor.by_itself().await;
    assert_eq!(
        result["message"],
        "expected 1 row, got 2 rows\nrow 1:\n  hits: expected 7, got 2\nrow 2: + {\"country\":\"de\",\"hits\":1}"
    );
    editor.by_itself().await;

    // Switched off, an edit runs nothing; a test of another name is told all the same.
    editor.client.settings = json!({ "tests": { "automatic": false } });
    editor.client.notify("workspace/didChangeConfiguration", json!({ "settings": {} })).await;
    while !editor.status().await.contains("**Tests**: run when somebody asks") {
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    editor.change("tests/top.yaml", 1, &TESTS.replace("name: all", "name: every")).await;
    let changed = editor.client.expect("headwater/tests/changed").await;
    assert_eq!(changed["uris"], json!([editor.uri("tests/top.yaml")]));
    editor.end().await;
}

#[tokio::test]
async fn a_run_is_taken_back_and_the_next_one_works() {
    let folder = project("editor-cancel");
    folder.write(
        "endpoints/slow.pipe",
        "NODE n\nSQL >\n    SELECT count() AS c FROM numbers(1000000000000) WHERE sipHash64(number) = 1\nTYPE endpoint\n",
    );
    folder.write("tests/slow.yaml", "- name: slow\n  parameters: ''\n  expected_result: ''\n");
    let mut editor = Editor::start(&folder, true, Some(library())).await;
    let slow = json!({ "run": 1, "tests": [{ "uri": editor.uri("tests/slow.yaml") }] });
    let id = editor.client.send("headwater/tests/run", slow).await;
    // Long enough for the engine to be at work on most machines; it is taken back in any case.
    tokio::time::sleep(std::time::Duration::from_millis(700)).await;
    editor.client.cancel(id).await;
    assert_eq!(editor.client.answer(id).await.expect_err("cancelled")["code"], -32800);
    let (answer, _) =
        editor.run(json!({ "tests": [{ "uri": editor.uri("tests/top.yaml"), "ids": ["all"] }] })).await;
    assert_eq!(answer["passed"], 1, "{answer}");
    assert_eq!(editor.failures("tests/slow.yaml").await, []);
    editor.end().await;
}

#[tokio::test]
async fn what_may_not_run_says_what_to_do() {
    let folder = project("editor-refused");
    for (trusted, library, kind, says) in [
        (false, Some(library()), "untrusted", "trust the workspace"),
        (true, None, "unavailable", "headwater setup"),
    ] {
        let mut editor = Editor::start(&folder, trusted, library).await;
        let id = editor.client.send("headwater/tests/run", json!({ "run": 1 })).await;
        let error = editor.client.answer(id).await.expect_err("an error");
        assert_eq!((&error["code"], &error["data"]["kind"]), (&json!(-32803), &json!(kind)));
        assert!(error["message"].as_str().is_some_and(|m| m.contains(says)), "{error}");
        // Finding them needs neither.
        let found =
            editor.client.call("headwater/tests/discover", document(&editor.uri("tests/top.yaml"))).await;
        assert_eq!(found["files"][0]["tests"].as_array().map(Vec::len), Some(3));
        let accept = json!({ "tests": [{ "uri": editor.uri("tests/top.yaml") }] });
        let id = editor.client.send("headwater/tests/accept", accept).await;
        let error = editor.client.answer(id).await.expect_err("an error");
        assert!(error["message"].as_str().is_some_and(|m| m.contains("run the test first")), "{error}");
        editor.end().await;
    }
}
