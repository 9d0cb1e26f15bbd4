//! The server as a client sees it: real frames over an in-process pipe, projects in memory.

mod baseline;
mod concurrency;
mod diagnostics;
mod equivalence;
mod features;
mod files;
mod formatting;
mod lifecycle;
mod plans;
mod registration;
mod soak;
mod sync;

use std::sync::Arc;
use std::time::Duration;

use headwater_lsp::testing::TestClient;
use headwater_lsp::{EngineChoice, Options, TestHooks};
use headwater_project::{MemoryFileSystem, MemoryRevisions};
use serde_json::{Value, json};

/// A data source nothing is wrong with.
const EVENTS: &str =
    "SCHEMA >\n    `id` String `json:$.id`\n\nENGINE \"MergeTree\"\nENGINE_SORTING_KEY \"id\"\n";

/// A pipe that reads `resource`.
fn pipe(resource: &str) -> String {
    format!("NODE first\nSQL >\n    SELECT id FROM {resource}\n\nTYPE endpoint\n")
}

const PULL: &str = r#"{ "textDocument": { "diagnostic": {} } }"#;

fn pull() -> Value {
    serde_json::from_str(PULL).unwrap()
}

/// A project in memory, its server and a client that has said hello.
struct Fixture {
    fs: Arc<MemoryFileSystem>,
    revisions: Arc<MemoryRevisions>,
    hooks: TestHooks,
    client: TestClient,
    hello: Value,
}

impl Fixture {
    /// `files` are paths under `/p`, which is the workspace folder.
    async fn new(files: &[(&str, &str)], capabilities: Value) -> Self {
        Self::with(files, json!({ "capabilities": capabilities })).await
    }

    async fn with(files: &[(&str, &str)], params: Value) -> Self {
        Self::with_history(files, Arc::default(), params).await
    }

    /// With these repositories; there are none otherwise.
    async fn with_history(
        files: &[(&str, &str)],
        revisions: Arc<MemoryRevisions>,
        mut params: Value,
    ) -> Self {
        let fs = Arc::new(MemoryFileSystem::new());
        for (path, text) in files {
            fs.write(format!("/p/{path}"), *text);
        }
        let hooks = TestHooks::new();
        // No test is about progress unless it says so.
        let options = Options {
            fs: fs.clone(),
            revisions: revisions.clone(),
            calm: Duration::ZERO,
            engine: EngineChoice::default(),
            hooks: hooks.clone(),
            progress_after: Duration::from_secs(60),
            // A quiet hour on a leap day.
            now: || Some(headwater_ide::Moment { year: 2024, month: 2, day: 29, hour: 3, minute: 0 }),
        };
        let mut client = TestClient::start(options);
        if params.get("workspaceFolders").is_none() {
            params["workspaceFolders"] = json!([{ "uri": "file:///p", "name": "p" }]);
        }
        let hello = client.initialize(params).await;
        Self { fs, revisions, hooks, client, hello }
    }

    /// Tells the server that these paths under `/p` changed.
    async fn touched(&mut self, paths: &[&str]) {
        let changes: Vec<_> = paths.iter().map(|path| json!({ "uri": uri(path), "type": 2 })).collect();
        self.client.notify("workspace/didChangeWatchedFiles", json!({ "changes": changes })).await;
    }
}

fn uri(path: &str) -> String {
    format!("file:///p/{path}")
}

/// The diagnostics that say a resource does not exist: their messages.
fn unknown(diagnostics: &Value) -> Vec<String> {
    let list = diagnostics.as_array().map_or(&[][..], Vec::as_slice);
    let is_it = |item: &&Value| item["code"] == "unknown-resource";
    list.iter().filter(is_it).map(|item| item["message"].as_str().unwrap().to_owned()).collect()
}
