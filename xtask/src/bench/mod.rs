//! `cargo xtask bench`: the figures of `docs/internals/bars.md`, taken at a stdio client.

mod baseline;
mod cancel;
mod client;
mod editing;
pub(crate) mod engine;
mod generate;
pub(crate) mod grammar;
pub(crate) mod ingest;
mod oracle;
mod peer;
mod plan;
pub(crate) mod preview;
pub(crate) mod tests;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use crate::build_server;
use client::{Client, file_uri};

/// Times of one measurement, sorted.
pub(crate) struct Times(Vec<Duration>);

impl Times {
    pub(crate) fn new(mut times: Vec<Duration>) -> Self {
        times.sort_unstable();
        Self(times)
    }

    fn at(&self, percent: usize) -> f64 {
        let index = (self.0.len() * percent / 100).min(self.0.len().saturating_sub(1));
        self.0.get(index).map_or(f64::NAN, |t| t.as_secs_f64() * 1e3)
    }

    pub(crate) fn print(&self, what: &str, bar: &str) {
        println!("{what:<58} p50 {:>8.2} ms   p95 {:>8.2} ms   {bar}", self.at(50), self.at(95));
    }
}

/// What a plan costs.
pub(crate) fn plans() -> Result<()> {
    let base = std::env::temp_dir().join(format!("headwater-bench-{}", std::process::id()));
    let project = made(&base, 500)?;
    let result = plan::run(&project);
    std::fs::remove_dir_all(&base).ok();
    result
}

/// Writes the project of 5,000 files that the figures are taken on, for profilers and for trying things out.
pub(crate) fn write_project(dir: &Path) -> Result<()> {
    generate::project(dir, 5_000)
}

pub(crate) fn run(quick: bool) -> Result<()> {
    let server = build_server(true)?;
    let base = std::env::temp_dir().join(format!("headwater-bench-{}", std::process::id()));
    let rounds = if quick { 50 } else { 300 };
    println!("server: {} · {} rounds · whole times at the client over stdio", version(&server)?, rounds);

    let small = made(&base, 300)?;
    keystrokes(&server, &small, rounds)?;
    cold_start(&server, &small, 300, "≤ 60 ms")?;

    let middle = made(&base, 1_000)?;
    let edits = if quick { 2_000 } else { 20_000 };
    memory(&server, &middle, edits)?;
    column_memory(&server, &middle, edits)?;
    ripple(&server, &middle, 1_000, rounds / 3, "p50 ≤ 10, p95 ≤ 25")?;
    editing::run(&server, &middle, rounds)?;

    let large = made(&base, 5_000)?;
    cold_start(&server, &large, 5_000, "≤ 150 ms")?;
    whole_project(&server, &large)?;
    cancel::run(&server, &large, if quick { 20 } else { 60 })?;
    ripple(&server, &large, 5_000, rounds / 3, "p50 ≤ 40")?;

    peer::ty(&base, rounds)?;
    std::fs::remove_dir_all(&base).ok();
    Ok(())
}

/// What editor features cost, alone.
pub(crate) fn features(quick: bool) -> Result<()> {
    let server = build_server(true)?;
    let base = std::env::temp_dir().join(format!("headwater-bench-{}", std::process::id()));
    println!("server: {} · whole times at the client over stdio", version(&server)?);
    let project = made(&base, 1_000)?;
    editing::run(&server, &project, if quick { 50 } else { 300 })?;
    std::fs::remove_dir_all(&base).ok();
    Ok(())
}

/// What editing costs while the engine is asked for its opinion.
pub(crate) fn oracles(quick: bool) -> Result<()> {
    let server = build_server(true)?;
    let base = std::env::temp_dir().join(format!("headwater-bench-{}", std::process::id()));
    println!("server: {} · whole times at the client over stdio", version(&server)?);
    let small = made(&base, 300)?;
    let middle = made(&base, 1_000)?;
    let result = oracle::run(&server, &small, &middle, quick);
    std::fs::remove_dir_all(&base).ok();
    result
}

/// What a baseline costs.
pub(crate) fn baselines() -> Result<()> {
    let server = build_server(true)?;
    let base = std::env::temp_dir().join(format!("headwater-bench-{}", std::process::id()));
    println!("server: {} · whole times at the client over stdio", version(&server)?);
    for (files, bar) in [(1_000, "no bar"), (5_000, "≤ 150 ms")] {
        let project = made(&base, files)?;
        baseline::run(&server, &project, files, bar)?;
    }
    std::fs::remove_dir_all(&base).ok();
    Ok(())
}

fn version(server: &Path) -> Result<String> {
    let out = Command::new(server).arg("--version").output()?;
    Ok(String::from_utf8_lossy(&out.stdout).trim().to_owned())
}

fn made(base: &Path, files: usize) -> Result<PathBuf> {
    let dir = base.join(format!("project-{files}"));
    generate::project(&dir, files)?;
    Ok(dir)
}

/// A session without the engine, whether there is one on this machine or not: see [`oracles`].
fn start(server: &Path, project: &Path) -> Result<Client> {
    Client::start(Command::new(server).args(["lsp", "--offline"]), project)
}

fn open(client: &mut Client, path: &Path) -> Result<(String, String)> {
    let (uri, text) = (file_uri(path), std::fs::read_to_string(path)?);
    let document = json!({ "uri": uri, "languageId": "headwater-pipe", "version": 1, "text": text });
    client.notify("textDocument/didOpen", &json!({ "textDocument": document }))?;
    Ok((uri, text))
}

fn pull(client: &mut Client, uri: &str) -> Result<Vec<Value>> {
    let report = client.request("textDocument/diagnostic", &json!({ "textDocument": { "uri": uri } }))?;
    Ok(report["items"].as_array().cloned().unwrap_or_default())
}

/// Types one character and takes it back, in a comment-free spot of a query: each is an edit and a pull.
fn type_and_pull(client: &mut Client, uri: &str, text: &str, rounds: usize) -> Result<Times> {
    let line = text.lines().position(|l| l.contains("WHERE")).context("the file has a WHERE")?;
    let column = text.lines().nth(line).map_or(0, str::len);
    let mut times = Vec::new();
    for round in 0..rounds {
        let insert = round % 2 == 0;
        let (end, new) = if insert { (column, "1") } else { (column + 1, "") };
        let range = json!({ "start": { "line": line, "character": column }, "end": { "line": line, "character": end } });
        let change = json!({
            "textDocument": { "uri": uri, "version": round + 2 },
            "contentChanges": [{ "range": range, "text": new }],
        });
        let begin = Instant::now();
        client.notify("textDocument/didChange", &change)?;
        pull(client, uri)?;
        times.push(begin.elapsed());
    }
    Ok(Times::new(times))
}

fn keystrokes(server: &Path, project: &Path, rounds: usize) -> Result<()> {
    let mut client = start(server, project)?;
    let (uri, text) = open(&mut client, &project.join(generate::EDITED))?;
    pull(&mut client, &uri)?;
    type_and_pull(&mut client, &uri, &text, 20)?;
    let times = type_and_pull(&mut client, &uri, &text, rounds)?;
    times.print("keystroke → diagnostics, 300 files", "(bar: p50 ≤ 1.5, p95 ≤ 3)");
    let mut times = Vec::new();
    let line =
        text.lines().position(|l| l.contains("FROM events")).context("the file reads a data source")?;
    let column = text.lines().nth(line).and_then(|l| l.find("events")).unwrap_or(0) + 2;
    for _ in 0..rounds {
        let place =
            json!({ "textDocument": { "uri": uri }, "position": { "line": line, "character": column } });
        let begin = Instant::now();
        let hover = client.request("textDocument/hover", &place)?;
        times.push(begin.elapsed());
        ensure!(
            hover["contents"]["value"].as_str().is_some_and(|t| t.contains("data source")),
            "no hover: {hover}"
        );
    }
    Times::new(times).print("hover on a data source, 300 files", "(bar: p95 ≤ 1)");
    let (uri, text) = open(&mut client, &project.join(generate::LARGE))?;
    pull(&mut client, &uri)?;
    let times = type_and_pull(&mut client, &uri, &text, rounds)?;
    times.print("keystroke → diagnostics, in the 46 KB file", "(bar: p95 ≤ 15)");
    formatting(&mut client, &uri, rounds)?;
    client.stop()
}

/// Lays the file out, from the request to the edits. Nothing is applied, so each round does all the work.
fn formatting(client: &mut Client, uri: &str, rounds: usize) -> Result<()> {
    let options = json!({ "tabSize": 4, "insertSpaces": true });
    let params = json!({ "textDocument": { "uri": uri }, "options": options });
    let mut times = Vec::new();
    for _ in 0..rounds {
        let begin = Instant::now();
        let edits = client.request("textDocument/formatting", &params)?;
        times.push(begin.elapsed());
        ensure!(
            edits.as_array().is_some_and(|edits| !edits.is_empty()),
            "the file is laid out already: {edits}"
        );
    }
    Times::new(times).print("formatting the 46 KB file", "(bar: p95 ≤ 10)");
    Ok(())
}

/// From starting the process to the opened file's complete diagnostics, which must be what `check` says.
fn cold_start(server: &Path, project: &Path, files: usize, bar: &str) -> Result<()> {
    let out = Command::new(server)
        .args(["check", "--offline", "--format", "json"])
        .current_dir(project)
        .output()?;
    let checked: Value = serde_json::from_slice(&out.stdout)?;
    let expected = checked["diagnostics"].as_array().into_iter().flatten();
    let mut expected: Vec<_> = expected.filter(|d| d["path"] == generate::EDITED).map(key).collect();
    expected.sort();
    ensure!(!expected.is_empty(), "the edited file of the benchmark has a fault");
    let mut times = Vec::new();
    for _ in 0..9 {
        let begin = Instant::now();
        let mut client = start(server, project)?;
        let (uri, _) = open(&mut client, &project.join(generate::EDITED))?;
        let found = pull(&mut client, &uri)?;
        times.push(begin.elapsed());
        let mut found: Vec<_> = found.iter().map(key).collect();
        found.sort();
        ensure!(found == expected, "the first answer is not complete:\n{found:?}\n{expected:?}");
        client.stop()?;
    }
    let what = format!("start → complete diagnostics of the open file, {files} files");
    Times::new(times).print(&what, &format!("(bar: {bar})"));
    Ok(())
}

fn key(diagnostic: &Value) -> String {
    format!("{} {} {}", diagnostic["range"], diagnostic["code"], diagnostic["message"])
}

fn whole_project(server: &Path, project: &Path) -> Result<()> {
    let mut times = Vec::new();
    for _ in 0..3 {
        let begin = Instant::now();
        let mut client = start(server, project)?;
        let report = client.request("workspace/diagnostic", &json!({ "previousResultIds": [] }))?;
        times.push(begin.elapsed());
        let count = report["items"].as_array().map_or(0, Vec::len);
        ensure!(count >= 1, "a project with a fault reports at least its file");
        client.stop()?;
    }
    Times::new(times).print("start → diagnostics of the whole project, 5,000 files", "(bar: ≤ 1500)");
    Ok(())
}

fn memory(server: &Path, project: &Path, edits: usize) -> Result<()> {
    let mut client = start(server, project)?;
    client.request("workspace/diagnostic", &json!({ "previousResultIds": [] }))?;
    let (uri, text) = open(&mut client, &project.join(generate::EDITED))?;
    type_and_pull(&mut client, &uri, &text, 500)?;
    let before = resident(client.pid());
    if let Some(before) = before {
        let what = "resident memory, 1,000 files";
        println!("{what:<58} {:>8.1} MiB                        (bar: ≤ 80)", mib(before));
    }
    type_and_pull(&mut client, &uri, &text, edits)?;
    drift("drift of resident memory", before, resident(client.pid()), edits);
    client.stop()
}

/// Renames a column again and again, each time to a name that was never there, and asks for a reader in turn: nothing of a
/// name may stay behind that no text has any more.
fn column_memory(server: &Path, project: &Path, edits: usize) -> Result<()> {
    let mut client = start(server, project)?;
    client.request("workspace/diagnostic", &json!({ "previousResultIds": [] }))?;
    let (before, after) = renamed_columns(&mut client, project, edits, &mut |_| Ok(()))?;
    drift("drift, a column renamed to a new name each time", before, after, edits);
    client.stop()
}

/// Memory before and after these many renames; `pause` is called before each.
fn renamed_columns(
    client: &mut Client,
    project: &Path,
    edits: usize,
    pause: &mut dyn FnMut(&mut Client) -> Result<()>,
) -> Result<(Option<u64>, Option<u64>)> {
    let (uri, text) = open(client, &project.join(generate::ROOT))?;
    let readers = readers_of_root(project)?;
    let (line, column) = id_column(&text)?;
    let mut end = column + 2;
    let mut before = None;
    // Until every reader has been asked for twice, the server learns.
    let first = 2 * readers.len();
    for round in 0..first + edits {
        if round == first {
            before = resident(client.pid());
        }
        pause(client)?;
        let name = format!("id_{round}");
        let range = json!({ "start": { "line": line, "character": column }, "end": { "line": line, "character": end } });
        end = column + name.len();
        let change = json!({
            "textDocument": { "uri": uri, "version": round + 2 },
            "contentChanges": [{ "range": range, "text": name }],
        });
        client.notify("textDocument/didChange", &change)?;
        pull(client, &uri)?;
        let found = pull(client, &readers[round % readers.len()])?;
        ensure!(found.iter().any(|d| d["code"] == "unknown-column"), "the reader is broken");
    }
    Ok((before, resident(client.pid())))
}

fn drift(what: &str, before: Option<u64>, after: Option<u64>, edits: usize) {
    let (Some(before), Some(after)) = (before, after) else {
        println!("{what}: not measured (no /proc on this system)");
        return;
    };
    let drift = (after as f64 - before as f64) / edits as f64;
    println!("{what:<58} {drift:>8.0} B/edit over {edits}          (bar: flat)");
}

/// The files that read [`generate::ROOT`], as URIs.
fn readers_of_root(project: &Path) -> Result<Vec<String>> {
    let readers: Vec<String> = std::fs::read_dir(project.join("endpoints"))?
        .filter_map(|entry| entry.ok().map(|e| e.path()))
        .filter(|path| std::fs::read_to_string(path).is_ok_and(|t| t.contains("FROM events_0 ")))
        .map(|path| file_uri(&path))
        .collect();
    ensure!(readers.len() >= 10, "only {} files read the data source", readers.len());
    Ok(readers)
}

/// Line and column of the name `id` in the schema of [`generate::ROOT`].
fn id_column(text: &str) -> Result<(usize, usize)> {
    let line = text.lines().position(|l| l.contains("`id`")).context("the schema has an id")?;
    Ok((line, text.lines().nth(line).and_then(|l| l.find("id")).unwrap_or(0)))
}

/// Renames a column of a data source that many files read, and back: until the client has the diagnostics of every
/// reader and the hints of the data source.
fn ripple(server: &Path, project: &Path, files: usize, rounds: usize, bar: &str) -> Result<()> {
    let mut client = start(server, project)?;
    client.request("workspace/diagnostic", &json!({ "previousResultIds": [] }))?;
    let (uri, text) = open(&mut client, &project.join(generate::ROOT))?;
    let readers = readers_of_root(project)?;
    let (line, column) = id_column(&text)?;
    let column = column + 2;
    let whole = json!({ "start": { "line": 0, "character": 0 }, "end": { "line": text.lines().count(), "character": 0 } });
    // An editor asks for all documents that it shows at once, and does not wait for one answer to ask the next.
    let documents = std::iter::once(&uri).chain(&readers);
    let mut asked: Vec<(&str, Value)> =
        documents.map(|uri| ("textDocument/diagnostic", json!({ "textDocument": { "uri": uri } }))).collect();
    asked.push(("textDocument/inlayHint", json!({ "textDocument": { "uri": uri }, "range": whole })));
    let mut times = Vec::new();
    for round in 0..rounds {
        let insert = round % 2 == 0;
        let (end, new) = if insert { (column, "x") } else { (column + 1, "") };
        let range = json!({ "start": { "line": line, "character": column }, "end": { "line": line, "character": end } });
        let change = json!({
            "textDocument": { "uri": uri, "version": round + 2 },
            "contentChanges": [{ "range": range, "text": new }],
        });
        let begin = Instant::now();
        client.notify("textDocument/didChange", &change)?;
        let mut answers = client.requests(&asked)?;
        times.push(begin.elapsed());
        let hints = answers.pop().unwrap_or_default();
        let is_broken = |report: &&Value| {
            report["items"].as_array().into_iter().flatten().any(|d| d["code"] == "unknown-column")
        };
        let broken = answers[1..].iter().filter(is_broken).count();
        ensure!(broken == if insert { readers.len() } else { 0 }, "{broken} of {} readers", readers.len());
        ensure!(hints.as_array().is_some_and(|h| !h.is_empty()), "no hints");
    }
    let what = format!("a root column renamed → {} readers and hints, {files} files", readers.len());
    Times::new(times).print(&what, &format!("(bar: {bar})"));
    let hints = asked.last().context("the hints are asked for")?.clone();
    let mut times = Vec::new();
    for _ in 0..rounds {
        let begin = Instant::now();
        client.requests(std::slice::from_ref(&hints))?;
        times.push(begin.elapsed());
    }
    let what = format!("what depends on each of its columns, {files} files");
    Times::new(times).print(&what, "(bar for one column: ≤ 5)");
    client.stop()
}

fn mib(bytes: u64) -> f64 {
    bytes as f64 / 1024.0 / 1024.0
}

fn resident(pid: u32) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status.lines().find(|l| l.starts_with("VmRSS:"))?;
    line.split_whitespace().nth(1)?.parse::<u64>().ok().map(|kib| kib * 1024)
}
