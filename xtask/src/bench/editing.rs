//! Editor features in a project of 1,000 files: completion, hovers, signature help, rename, semantic tokens.

use std::path::Path;
use std::time::Instant;

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use super::client::{Client, file_uri};
use super::{Times, generate, open, pull, start};

/// Measures them one after the other.
pub(super) fn run(server: &Path, project: &Path, rounds: usize) -> Result<()> {
    completion(server, project, rounds)?;
    rename(server, project, rounds / 10)?;
    tokens(server, project, rounds)
}

fn position(line: usize, character: usize) -> Value {
    json!({ "line": line, "character": character })
}

/// A letter is typed in a SELECT list, a list asked for; and the letter is taken back.
fn completion(server: &Path, project: &Path, rounds: usize) -> Result<()> {
    let mut client = start(server, project)?;
    let (uri, text) = open(&mut client, &project.join(generate::EDITED))?;
    let (line, content) =
        text.lines().enumerate().find(|(_, l)| l.contains("count()")).context("the file counts")?;
    let column = content.find("count()").unwrap_or(0);
    let mut version = 2;
    let mut type_letter = |client: &mut Client, insert: bool| {
        let end = if insert { column } else { column + 3 };
        let new = if insert { "t, " } else { "" };
        let range = json!({ "start": position(line, column), "end": position(line, end) });
        version += 1;
        client.notify(
            "textDocument/didChange",
            &json!({ "textDocument": { "uri": uri, "version": version }, "contentChanges": [{ "range": range, "text": new }] }),
        )
    };
    let ask = |client: &mut Client, method: &str, character: usize| {
        client.request(
            method,
            &json!({ "textDocument": { "uri": uri }, "position": position(line, character) }),
        )
    };
    // The first one, with nothing known but the names of the files.
    type_letter(&mut client, true)?;
    let begin = Instant::now();
    ask(&mut client, "textDocument/completion", column + 1)?;
    Times::new(vec![begin.elapsed()]).print("completion, the first, 1,000 files", "(bar: ≤ 30)");
    type_letter(&mut client, false)?;
    pull(&mut client, &uri)?;
    let mut times = Vec::new();
    for _ in 0..rounds {
        type_letter(&mut client, true)?;
        let begin = Instant::now();
        let list = ask(&mut client, "textDocument/completion", column + 1)?;
        times.push(begin.elapsed());
        ensure!(list["items"].as_array().is_some_and(|l| !l.is_empty()), "an empty list");
        type_letter(&mut client, false)?;
    }
    Times::new(times).print("completion behind a letter, 1,000 files", "(bar: p95 ≤ 5)");
    // On the function's name, and between its brackets.
    for (method, at) in [("textDocument/hover", 1), ("textDocument/signatureHelp", "count(".len())] {
        let mut times = Vec::new();
        for _ in 0..rounds {
            let begin = Instant::now();
            let answer = ask(&mut client, method, column + at)?;
            times.push(begin.elapsed());
            ensure!(!answer.is_null(), "{method} has no answer");
        }
        let name = method.trim_start_matches("textDocument/");
        Times::new(times).print(&format!("{name}, 1,000 files"), "(bar: p95 ≤ 1)");
    }
    client.stop()
}

/// The column of a data source that many files read.
fn rename(server: &Path, project: &Path, rounds: usize) -> Result<()> {
    let mut client = start(server, project)?;
    client.request("workspace/diagnostic", &json!({ "previousResultIds": [] }))?;
    let uri = file_uri(&project.join(generate::ROOT));
    let text = std::fs::read_to_string(project.join(generate::ROOT))?;
    let line = text.lines().position(|l| l.contains("`id`")).context("the schema has an id")?;
    let column = text.lines().nth(line).and_then(|l| l.find("id")).unwrap_or(0);
    let mut times = Vec::new();
    let mut files = 0;
    for _ in 0..rounds.max(5) {
        let params = json!({ "textDocument": { "uri": uri }, "position": position(line, column), "newName": "identity" });
        let begin = Instant::now();
        let edit = client.request("textDocument/rename", &params)?;
        times.push(begin.elapsed());
        files = edit["documentChanges"]
            .as_array()
            .map(Vec::len)
            .or(edit["changes"].as_object().map(serde_json::Map::len))
            .unwrap_or(0);
    }
    ensure!(files >= 10, "the rename reaches {files} files only");
    Times::new(times).print(&format!("rename of a column over {files} files"), "(bar: p95 ≤ 30)");
    client.stop()
}

/// The 46 KB file: whole, after an edit; and as a difference.
fn tokens(server: &Path, project: &Path, rounds: usize) -> Result<()> {
    let mut client = start(server, project)?;
    let (uri, text) = open(&mut client, &project.join(generate::LARGE))?;
    pull(&mut client, &uri)?;
    let line = text.lines().position(|l| l.contains("WHERE")).context("the file has a WHERE")?;
    let column = text.lines().nth(line).map_or(0, str::len);
    let mut full = Vec::new();
    let mut delta = Vec::new();
    let mut id = Value::Null;
    for round in 0..rounds {
        let insert = round % 2 == 0;
        let (end, new) = if insert { (column, "1") } else { (column + 1, "") };
        let range = json!({ "start": position(line, column), "end": position(line, end) });
        let change = json!({ "textDocument": { "uri": uri, "version": round + 2 }, "contentChanges": [{ "range": range, "text": new }] });
        client.notify("textDocument/didChange", &change)?;
        // What the diagnostics need is there when an editor asks for words.
        pull(&mut client, &uri)?;
        let begin = Instant::now();
        let answer =
            client.request("textDocument/semanticTokens/full", &json!({ "textDocument": { "uri": uri } }))?;
        full.push(begin.elapsed());
        ensure!(answer["data"].as_array().is_some_and(|d| d.len() > 5_000), "few tokens");
        id = answer["resultId"].clone();
        let begin = Instant::now();
        let params = json!({ "textDocument": { "uri": uri }, "previousResultId": id });
        client.request("textDocument/semanticTokens/full/delta", &params)?;
        delta.push(begin.elapsed());
    }
    ensure!(!id.is_null(), "no result id");
    Times::new(full).print("semantic tokens of the 46 KB file, whole, after an edit", "(bar: p95 ≤ 5)");
    Times::new(delta).print("semantic tokens of the 46 KB file, difference", "(bar: p95 ≤ 1)");
    client.stop()
}
