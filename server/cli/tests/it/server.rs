//! `headwater lsp` over its pipes.

use std::path::Path;
use std::process::Stdio;

use headwater_lsp::testing::TestClient;
use serde_json::{Value, json};
use tokio::process::{Child, Command};

use crate::{example, json, run};

fn start() -> (Child, TestClient) {
    let mut child = Command::new(env!("CARGO_BIN_EXE_headwater"))
        .arg("lsp")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .expect("the binary runs");
    let (stdin, stdout) = (child.stdin.take().expect("piped"), child.stdout.take().expect("piped"));
    (child, TestClient::over(Box::new(stdout), Box::new(stdin)))
}

fn uri(path: &Path) -> String {
    format!("file://{}", path.canonicalize().expect("it exists").display())
}

fn key(path: &str, diagnostic: &Value) -> String {
    format!("{path} {} {} {}", diagnostic["range"], diagnostic["code"], diagnostic["message"])
}

#[tokio::test]
async fn editor_and_command_line_agree() {
    for name in ["web-analytics", "shop", "kitchen-sink", "broken", "broken-classic"] {
        let root = example(name).canonicalize().expect("it exists");
        let report = json(&run(&root, &["check", "--format", "json"]));
        let all = report["diagnostics"].as_array().expect("an array").iter();
        let mut expected: Vec<_> = all
            .filter(|d| d["path"] != "headwater.toml")
            .map(|d| key(d["path"].as_str().expect("a path"), d))
            .collect();
        expected.sort();

        let (mut child, mut client) = start();
        client
            .initialize(json!({
                "workspaceFolders": [{ "uri": uri(&root), "name": name }],
                "capabilities": { "textDocument": { "diagnostic": {} } },
            }))
            .await;
        let mut found = Vec::new();
        for path in files(&root) {
            let report = client
                .call("textDocument/diagnostic", json!({ "textDocument": { "uri": uri(&root.join(&path)) } }))
                .await;
            for item in report["items"].as_array().into_iter().flatten() {
                found.push(key(&path, item));
            }
        }
        found.sort();
        assert_eq!(found, expected, "{name}");
        client.call("shutdown", Value::Null).await;
        // What headwater.toml gets wrong is pushed: no client pulls for a file that is no datafile.
        client.ignore("textDocument/publishDiagnostics");
        client.notify("exit", Value::Null).await;
        assert_eq!(child.wait().await.expect("it ends").code(), Some(0));
    }
}

/// Paths of all files below `root`, from it.
fn files(root: &Path) -> Vec<String> {
    let mut out = Vec::new();
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).expect("readable") {
            let path = entry.expect("readable").path();
            if path.is_dir() {
                folders.push(path);
            } else {
                out.push(path.strip_prefix(root).expect("below").display().to_string());
            }
        }
    }
    out
}

#[tokio::test]
async fn leaving_without_a_word_is_no_success() {
    let (mut child, mut client) = start();
    client.initialize(json!({})).await;
    client.notify("exit", Value::Null).await;
    assert_eq!(child.wait().await.expect("it ends").code(), Some(1));

    let (mut child, mut client) = start();
    client.initialize(json!({})).await;
    drop(client);
    assert_eq!(child.wait().await.expect("a closed pipe ends it").code(), Some(1));
}
