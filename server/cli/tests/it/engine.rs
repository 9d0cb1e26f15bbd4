//! The engine's second opinion, with the real engine: in `headwater check`, and in the server behind the editor's back.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;
use std::time::{Duration, Instant};

use headwater_lsp::testing::{TestClient, document, messages, opened, replaced};
use headwater_lsp::{EngineChoice, Options};
use headwater_project::MemoryFileSystem;
use headwater_test_fixture::Fixture;
use headwater_warehouse::{Places, PoolConfig, Program};
use serde_json::{Value, json};
use tokio::process::{Child, Command};

use crate::{Folder, headwater, json as json_of, stdout};

const HITS: &str = "SCHEMA >\n    `ts` DateTime\n\nENGINE \"MergeTree\"\nENGINE_SORTING_KEY \"ts\"\n";

/// A query that only the engine's own tables of the world can refuse.
fn days(zone: &str) -> String {
    format!(
        "NODE by_day\nSQL >\n    SELECT toStartOfDay(ts, '{zone}') AS day, count() AS hits\n    FROM hits\n    GROUP BY day\n\nTYPE endpoint\n"
    )
}

pub(crate) fn library() -> PathBuf {
    match Places::from_env().library() {
        Ok(library) => library.path().to_owned(),
        Err(why) => panic!("this test needs the SQL engine; `cargo xtask test` brings it. {why}"),
    }
}

fn project(name: &str, zone: &str) -> Folder {
    let folder = Folder::new(name);
    folder.write("datasources/hits.datasource", HITS);
    folder.write("endpoints/days.pipe", days(zone));
    folder
}

#[test]
fn a_check_shows_what_only_the_engine_refuses() {
    let folder = project("engine-check", "Europe/Barcelona");
    let check = |args: &[&str], library: Option<&Path>| {
        let mut command = headwater();
        command.arg("check").args(args).current_dir(&folder.0);
        if let Some(library) = library {
            command.env("HEADWATER_CHDB", library);
        }
        command.output().expect("the binary runs")
    };
    let report = json_of(&check(&["--format", "json"], Some(&library())));
    let found = &report["diagnostics"][0];
    assert_eq!(found["code"], "refused-by-engine", "{report}");
    // At the name that the engine says, not at the query's first word.
    assert_eq!(found["range"]["start"], json!({ "line": 2, "character": 29 }), "{report}");
    assert_eq!(report["summary"]["engine"], "asked");

    let offline = check(&["--offline"], Some(&library()));
    assert_eq!(stdout(&offline), "Checked 2 files in 1 project: nothing to report.\n");
    let without = stdout(&check(&[], None));
    assert!(without.contains("without the engine (`headwater setup` installs it)"), "{without}");
    let wrong = check(&[], Some(Path::new("/nowhere/libchdb.so")));
    assert_eq!(wrong.status.code(), Some(0), "{wrong:?}");
    assert!(String::from_utf8_lossy(&wrong.stderr).contains("checked without the engine"), "{wrong:?}");
}

/// The page shows words that the engine said once; here it says them again.
#[test]
fn the_pages_words_are_the_engines() {
    let page = include_str!("../../../../docs/reference/diagnostics/refused-by-engine.md");
    let blocks = page.split("```headwater\n").skip(1).filter_map(|rest| Some(rest.split_once("\n```")?.0));
    let library = library();
    for (n, block) in blocks.enumerate() {
        let fixture = Fixture::parse(block);
        let folder = Folder::new(&format!("engine-page-{n}"));
        for (path, text) in &fixture.files {
            folder.write(path, text);
        }
        let output = headwater()
            .args(["check", "--format", "json"])
            .current_dir(&folder.0)
            .env("HEADWATER_CHDB", &library)
            .output()
            .expect("the binary runs");
        let report = json_of(&output);
        let said: Vec<&str> = report["diagnostics"]
            .as_array()
            .expect("an array")
            .iter()
            .filter_map(|d| d["message"].as_str())
            .collect();
        let shown: Vec<&str> = fixture.annotations.iter().map(|a| a.text.as_str()).collect();
        assert_eq!(said, shown, "{report}");
    }
}

/// The real server over its pipes.
struct Server {
    child: Child,
    client: TestClient,
    root: PathBuf,
}

impl Server {
    async fn start(folder: &Folder, args: &[&str], library: Option<&Path>, trusted: bool) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_headwater"));
        command
            .arg("lsp")
            .args(args)
            .env_remove("HEADWATER_CHDB")
            .env("XDG_DATA_HOME", folder.0.join("no-data"));
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
        let uri = format!("file://{}", folder.0.display());
        client
            .initialize(json!({
                "workspaceFolders": [{ "uri": uri, "name": "p" }],
                "capabilities": { "textDocument": { "diagnostic": {} } },
                "initializationOptions": { "trusted": trusted },
            }))
            .await;
        Self { child, client, root: folder.0.clone() }
    }

    fn uri(&self, path: &str) -> String {
        format!("file://{}", self.root.join(path).display())
    }

    async fn codes(&mut self, path: &str) -> Vec<String> {
        let report = self.client.call("textDocument/diagnostic", document(&self.uri(path))).await;
        let items = report["items"].as_array().cloned().unwrap_or_default();
        items.iter().map(|item| item["code"].as_str().unwrap_or_default().to_owned()).collect()
    }

    async fn status(&mut self) -> String {
        let status = self.client.call("headwater/status", json!({})).await;
        status["text"].as_str().unwrap_or_default().to_owned()
    }

    /// Waits until the file has exactly these diagnostics.
    async fn until(&mut self, path: &str, wanted: &[&str]) {
        let deadline = Instant::now() + Duration::from_secs(120);
        let mut codes = Vec::new();
        while Instant::now() < deadline {
            codes = self.codes(path).await;
            if codes == wanted {
                return;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        panic!("{codes:?}, never {wanted:?}: {}", self.status().await);
    }

    /// The engine's process, once there is one other than `not`.
    async fn worker(&self, not: Option<u32>) -> u32 {
        let server = self.child.id().expect("it runs");
        for _ in 0..6000 {
            if let Some(pid) = children(server).into_iter().find(|pid| Some(*pid) != not) {
                return pid;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        panic!("no worker");
    }

    async fn end(mut self) {
        self.client.call("shutdown", Value::Null).await;
        self.client.ignore("textDocument/publishDiagnostics");
        self.client.notify("exit", Value::Null).await;
        assert_eq!(self.child.wait().await.expect("it ends").code(), Some(0));
    }
}

/// Processes that this one started.
pub(crate) fn children(of: u32) -> Vec<u32> {
    let tasks = std::fs::read_dir(format!("/proc/{of}/task")).into_iter().flatten().flatten();
    let lists = tasks.filter_map(|task| std::fs::read_to_string(task.path().join("children")).ok());
    lists
        .flat_map(|list| list.split_whitespace().filter_map(|pid| pid.parse().ok()).collect::<Vec<u32>>())
        .collect()
}

fn signal(pid: u32, name: &str) {
    let status = std::process::Command::new("kill").args([&format!("-{name}"), &pid.to_string()]).status();
    assert!(status.is_ok_and(|s| s.success()), "kill -{name} {pid}");
}

const PIPE: &str = "endpoints/days.pipe";

#[tokio::test]
async fn the_editor_learns_what_only_the_engine_refuses() {
    let folder = project("engine-lsp", "Europe/Barcelona");
    let mut server = Server::start(&folder, &[], Some(&library()), true).await;
    server.until(PIPE, &["refused-by-engine"]).await;
    let status = server.status().await;
    assert!(status.contains("1 query texts judged, 1 refused by it alone"), "{status}");
    // Mended in the editor, it is gone at once: the opinion was about another text.
    let uri = server.uri(PIPE);
    server.client.notify("textDocument/didOpen", opened(&uri, 1, &days("Europe/Madrid"))).await;
    assert_eq!(server.codes(PIPE).await, Vec::<String>::new());
    server.client.notify("textDocument/didChange", replaced(&uri, 2, &days("Europe/Nowhere"))).await;
    server.until(PIPE, &["refused-by-engine"]).await;
    server.end().await;
}

#[tokio::test]
async fn a_worker_that_hangs_delays_no_keystroke_and_one_that_dies_is_replaced() {
    let folder = project("engine-held", "Europe/Madrid");
    let mut server = Server::start(&folder, &[], Some(&library()), true).await;
    let worker = server.worker(None).await;
    for _ in 0..6000 {
        if server.status().await.contains("query texts judged") {
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    // Held: whatever is asked now is not answered.
    signal(worker, "STOP");
    let uri = server.uri(PIPE);
    server.client.notify("textDocument/didOpen", opened(&uri, 1, &days("Europe/Nowhere"))).await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    let mut slowest = Duration::ZERO;
    for version in 2..40 {
        let table = if version % 2 == 0 { "hitz" } else { "hits" };
        let text = days("Europe/Nowhere").replace("FROM hits", &format!("FROM {table}"));
        let started = Instant::now();
        server.client.notify("textDocument/didChange", replaced(&uri, version, &text)).await;
        let codes = server.codes(PIPE).await;
        slowest = slowest.max(started.elapsed());
        let wanted: &[&str] = if version % 2 == 0 { &["unknown-resource"] } else { &[] };
        assert_eq!(codes, wanted, "version {version}");
    }
    // Far below what the engine's own limits are, and far above what a busy machine adds.
    assert!(slowest < Duration::from_secs(3), "a keystroke waited {slowest:?}");
    // Dead: another one takes its place, with the tables, and the question is asked again.
    signal(worker, "KILL");
    server.until(PIPE, &["refused-by-engine"]).await;
    assert_ne!(server.worker(Some(worker)).await, worker);
    server.end().await;
}

#[tokio::test]
async fn without_an_engine_only_its_opinion_is_missing() {
    let folder = project("engine-none", "Europe/Barcelona");
    folder.write("endpoints/broken.pipe", "NODE a\nSQL >\n    SELECT nope FROM hits\n\nTYPE endpoint\n");
    let library = library();
    for (args, library, trusted, why) in [
        (&[][..], None, true, "not asked: the engine is not installed: run `headwater setup`"),
        (&[], Some(Path::new("/nowhere/libchdb.so")), true, "which is no file"),
        (&["--offline"], Some(library.as_path()), true, "not asked: `--offline` was given"),
        (&[], Some(library.as_path()), false, "not asked: the folder is not trusted"),
    ] {
        let mut server = Server::start(&folder, args, library, trusted).await;
        assert_eq!(server.codes("endpoints/broken.pipe").await, ["unknown-column"]);
        // Longer than the calm that it waits for.
        tokio::time::sleep(Duration::from_millis(900)).await;
        let status = server.status().await;
        assert!(status.contains(&format!("**Engine**: {why}")) || status.contains(why), "{why}: {status}");
        assert_eq!(server.codes(PIPE).await, Vec::<String>::new());
        assert_eq!(children(server.child.id().expect("it runs")), Vec::<u32>::new(), "no process is started");
        server.end().await;
    }
}

/// Two editors on one project, each with its engine and previews, and tests from a terminal: nobody waits for a lock of another, and
/// everybody is answered as if alone.
#[tokio::test]
async fn two_editors_and_a_command_at_once() {
    let folder = project("engine-two", "Europe/Barcelona");
    folder.write("fixtures/hits.ndjson", "{\"ts\":\"2025-01-01 10:00:00\"}\n");
    folder
        .write("endpoints/all.pipe", "NODE e\nSQL >\n    SELECT count() AS hits FROM hits\nTYPE endpoint\n");
    folder.write("tests/all.yaml", "- name: all\n  parameters: ''\n  expected_result: |\n    {\"hits\":1}\n");
    let library = library();
    let commands: Vec<_> = (0..2)
        .map(|_| {
            let mut command = headwater();
            command.args(["test", "--format", "json"]).current_dir(&folder.0).env("HEADWATER_CHDB", &library);
            command.stdout(Stdio::piped()).spawn().expect("the binary runs")
        })
        .collect();
    let mut editors = Vec::new();
    for _ in 0..2 {
        editors.push(Server::start(&folder, &[], Some(&library), true).await);
    }
    let uri = format!("file://{}", folder.0.join("endpoints/all.pipe").display());
    for round in 0..3 {
        for editor in &mut editors {
            editor.until(PIPE, &["refused-by-engine"]).await;
            let params = json!({ "textDocument": { "uri": uri } });
            let preview = editor.client.call("headwater/preview", params).await;
            assert_eq!(preview["rows"], json!([["1"]]), "in round {round}: {preview}");
        }
    }
    for command in commands {
        let output = command.wait_with_output().expect("it ends");
        let report = json_of(&output);
        assert_eq!((&report["summary"]["passed"], output.status.code()), (&json!(1), Some(0)), "{report}");
    }
    for editor in editors {
        editor.end().await;
    }
}

#[tokio::test]
async fn trust_that_comes_later_starts_it() {
    let folder = project("engine-trust", "Europe/Barcelona");
    let mut server = Server::start(&folder, &[], Some(&library()), false).await;
    assert_eq!(server.codes(PIPE).await, Vec::<String>::new());
    let settings = json!({ "settings": { "headwater": { "trusted": true } } });
    server.client.notify("workspace/didChangeConfiguration", settings).await;
    server.until(PIPE, &["refused-by-engine"]).await;
    server.end().await;
}

#[tokio::test]
async fn what_the_engine_takes_is_not_reported_whatever_our_rules_say() {
    let fs = Arc::new(MemoryFileSystem::new());
    fs.write("/p/hits.datasource", HITS);
    let query = "SELECT ts FROM hits JOIN (SELECT ts AS other FROM hits) ON ts = other";
    fs.write("/p/joined.pipe", format!("NODE pairs\nSQL >\n    {query}\n\nTYPE endpoint\n"));
    let program =
        Program { path: env!("CARGO_BIN_EXE_headwater").into(), args: vec!["engine-worker".to_owned()] };
    let mut config = PoolConfig::new(program, library());
    // An engine that is less strict than our rules believe.
    config.prelude = vec!["SET joined_subquery_requires_alias = 0".to_owned()];
    let options = Options {
        fs,
        calm: Duration::from_millis(50),
        engine: EngineChoice::Use(Box::new(config)),
        ..Options::default()
    };
    let mut client = TestClient::start(options);
    client
        .initialize(json!({
            "workspaceFolders": [{ "uri": "file:///p", "name": "p" }],
            "capabilities": { "textDocument": { "diagnostic": {} } },
            "initializationOptions": { "trusted": true },
        }))
        .await;
    let uri = "file:///p/joined.pipe";
    let mut said = Vec::new();
    for round in 0..6000 {
        let report = client.call("textDocument/diagnostic", document(uri)).await;
        said = messages(&report["items"]);
        if said.is_empty() {
            break;
        }
        assert!(round > 0 || said[0].contains("needs an alias"), "our own rules come first: {said:?}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(said, Vec::<String>::new());
    client.call("headwater/status", json!({})).await;
    assert!(client.log.iter().any(|line| line.contains("since the engine takes it")), "{:?}", client.log);
    client.shut_down().await;
}
