//! What editing costs with the engine's second opinion on, and with the lenses of plans: the latencies of the first
//! section of `docs/internals/bars.md` must hold all the same.
//!
//! The engine is asked when nothing was edited for half a second. So edits come in bursts with pauses between them: each
//! burst begins while the server looks for questions, or while the engine answers.

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use super::client::Client;
use super::{Times, baseline, drift, generate, open, pull, renamed_columns, resident};

/// Edits without a pause.
const BURST: usize = 10;

/// Long enough for the server to begin to ask.
const PAUSE: Duration = Duration::from_millis(550);

/// Measures a project of 300 files, then one of 1,000.
pub(super) fn run(server: &Path, small: &Path, middle: &Path, quick: bool) -> Result<()> {
    let bursts = if quick { 10 } else { 40 };
    let mut times = Vec::new();
    for _ in 0..9 {
        let begin = Instant::now();
        let mut client = start(server, small)?;
        let (uri, _) = open(&mut client, &small.join(generate::EDITED))?;
        pull(&mut client, &uri)?;
        times.push(begin.elapsed());
        client.stop()?;
    }
    Times::new(times).print("start → diagnostics of the open file, 300 files", "(bar: ≤ 60)");

    let mut client = start(server, small)?;
    client.request("workspace/diagnostic", &json!({ "previousResultIds": [] }))?;
    first_opinion(&mut client)?;
    let mut editor = Editor::open(&mut client, &small.join(generate::EDITED))?;
    let mut times = Vec::new();
    for _ in 0..bursts {
        std::thread::sleep(PAUSE);
        for _ in 0..BURST {
            times.push(editor.key(&mut client, &[])?);
        }
    }
    Times::new(times).print("keystroke → diagnostics, in bursts, 300 files", "(bar: p50 ≤ 1.5, p95 ≤ 3)");
    let mut times = Vec::new();
    let place = editor.place_of("FROM events", 7)?;
    for _ in 0..bursts {
        std::thread::sleep(PAUSE);
        editor.key(&mut client, &[])?;
        for _ in 0..BURST {
            let begin = Instant::now();
            let hover = client.request("textDocument/hover", &place)?;
            times.push(begin.elapsed());
            ensure!(!hover.is_null(), "no hover");
        }
    }
    Times::new(times).print("hover on a data source, in bursts, 300 files", "(bar: p95 ≤ 1)");
    println!("   {}", opinion(&mut client)?);
    client.stop()?;

    lenses(server, small, bursts)?;
    memory(server, middle, if quick { 2_000 } else { 20_000 })
}

/// Each keystroke is followed by what an editor asks for: diagnostics and lenses, at once. The project has a baseline, and
/// the file differs from it.
fn lenses(server: &Path, project: &Path, bursts: usize) -> Result<()> {
    baseline::git(project, &["init", "--quiet", "--initial-branch=main"])?;
    baseline::git(project, &["add", "--all"])?;
    baseline::git(project, &["commit", "--quiet", "-m", "all"])?;
    for (name, label) in [(generate::EDITED, "a pipe"), (generate::ROOT, "a data source")] {
        let mut client = start(server, project)?;
        let mut editor = Editor::open(&mut client, &project.join(name))?;
        wait(&mut client, "a baseline", |status| {
            status.contains("files") && !status.contains("not looked for")
        })?;
        client.request("workspace/diagnostic", &json!({ "previousResultIds": [] }))?;
        let lens = ("textDocument/codeLens", json!({ "textDocument": { "uri": editor.uri } }));
        let (mut alone, mut both) = (Vec::new(), Vec::new());
        for _ in 0..bursts {
            std::thread::sleep(PAUSE);
            for _ in 0..BURST {
                both.push(editor.key(&mut client, std::slice::from_ref(&lens))?);
                alone.push(editor.key(&mut client, &[])?);
            }
        }
        let what = format!("keystroke in {label} → diagnostics and lenses, 300 files");
        Times::new(both).print(&what, "(bar: p50 ≤ 1.5, p95 ≤ 3)");
        Times::new(alone)
            .print(&format!("keystroke in {label} → diagnostics, with a baseline"), "(the same)");
        client.stop()?;
    }
    Ok(())
}

/// Columns renamed to new names, with pauses in which the engine is asked about what they break.
fn memory(server: &Path, project: &Path, edits: usize) -> Result<()> {
    let mut client = start(server, project)?;
    client.request("workspace/diagnostic", &json!({ "previousResultIds": [] }))?;
    first_opinion(&mut client)?;
    let mut count = 0;
    let mut asked = 0;
    let mut pause = |client: &mut Client| {
        count += 1;
        if count % 200 == 0 {
            std::thread::sleep(PAUSE);
            let begin = Instant::now();
            while begin.elapsed() < Duration::from_secs(2) && asking(client)? {
                std::thread::sleep(Duration::from_millis(50));
            }
            asked += 1;
        }
        Ok(())
    };
    let (before, after) = renamed_columns(&mut client, project, edits, &mut pause)?;
    drift("drift, a column renamed each time, the engine asked", before, after, edits);
    println!("   asked in {asked} pauses; {}", opinion(&mut client)?);
    if let Some(now) = resident(client.pid()) {
        println!("   resident memory at the end: {:.1} MiB", super::mib(now));
    }
    client.stop()
}

/// A session in a folder that the user trusts, with the engine.
fn start(server: &Path, project: &Path) -> Result<Client> {
    let mut client =
        Client::start_with(Command::new(server).arg("lsp"), project, &json!({ "trusted": true }))?;
    let status = status(&mut client)?;
    ensure!(
        status.contains("asked when nothing else goes on"),
        "the engine is not there; run `headwater setup` first:\n{status}"
    );
    Ok(client)
}

fn status(client: &mut Client) -> Result<String> {
    let status = client.request("headwater/status", &json!({}))?;
    Ok(status["text"].as_str().context("a status")?.to_owned())
}

/// What the engine said so far, for people.
fn opinion(client: &mut Client) -> Result<String> {
    let status = status(client)?;
    let line = status.lines().find(|line| line.contains("The engine's opinion"));
    Ok(line.unwrap_or("the engine has said nothing yet").trim_start_matches("- ").to_owned())
}

/// Waits until the engine has spoken: before that, what is measured is a server without one.
fn first_opinion(client: &mut Client) -> Result<()> {
    let begin = Instant::now();
    while opinion(client)?.contains("nothing yet") {
        ensure!(begin.elapsed() < Duration::from_secs(60), "the engine says nothing");
        std::thread::sleep(Duration::from_millis(50));
    }
    Ok(())
}

/// Whether there are nodes that were not asked about.
fn asking(client: &mut Client) -> Result<bool> {
    let opinion = opinion(client)?;
    Ok(opinion.contains("to go") || opinion.contains("nothing yet"))
}

fn wait(client: &mut Client, what: &str, is_there: impl Fn(&str) -> bool) -> Result<()> {
    let begin = Instant::now();
    loop {
        let status = status(client)?;
        if status.lines().filter(|l| l.contains("Compared with")).any(&is_there) {
            return Ok(());
        }
        ensure!(begin.elapsed() < Duration::from_secs(30), "{what} never came:\n{status}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// A document in which one character is typed and taken back.
struct Editor {
    uri: String,
    text: String,
    line: usize,
    column: usize,
    version: usize,
    typed: bool,
}

impl Editor {
    fn open(client: &mut Client, path: &Path) -> Result<Self> {
        let (uri, text) = open(client, path)?;
        pull(client, &uri)?;
        // In a query behind a condition; in a schema behind a column's name, so that its readers break.
        let find = |word: &str| text.lines().position(|l| l.contains(word));
        let (line, column) = match (find("WHERE"), find("`id`")) {
            (Some(line), _) => (line, text.lines().nth(line).map_or(0, str::len)),
            (None, Some(line)) => {
                (line, text.lines().nth(line).and_then(|l| l.find("id`")).map_or(0, |at| at + 2))
            }
            (None, None) => anyhow::bail!("the file has no place to type at"),
        };
        Ok(Self { uri, text, line, column, version: 1, typed: false })
    }

    /// One keystroke, until the diagnostics and the answers to `more` are there.
    fn key(&mut self, client: &mut Client, more: &[(&str, Value)]) -> Result<Duration> {
        let (line, column) = (self.line, self.column);
        let (end, new) = if self.typed { (column + 1, "") } else { (column, "1") };
        self.typed = !self.typed;
        self.version += 1;
        let range = json!({ "start": { "line": line, "character": column }, "end": { "line": line, "character": end } });
        let change = json!({
            "textDocument": { "uri": self.uri, "version": self.version },
            "contentChanges": [{ "range": range, "text": new }],
        });
        let mut asked = vec![("textDocument/diagnostic", json!({ "textDocument": { "uri": self.uri } }))];
        asked.extend_from_slice(more);
        let begin = Instant::now();
        client.notify("textDocument/didChange", &change)?;
        client.requests(&asked)?;
        Ok(begin.elapsed())
    }

    /// A position in the text, behind the beginning of `word`.
    fn place_of(&self, word: &str, behind: usize) -> Result<Value> {
        let line = self.text.lines().position(|l| l.contains(word)).context("the text has the word")?;
        let column = self.text.lines().nth(line).and_then(|l| l.find(word)).unwrap_or(0) + behind;
        Ok(json!({ "textDocument": { "uri": self.uri }, "position": { "line": line, "character": column } }))
    }
}
