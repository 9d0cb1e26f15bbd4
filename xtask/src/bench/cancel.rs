//! How soon a cancelled request gives its worker back.
//!
//! tower-lsp answers the client of a cancelled request at once, whatever the server does, so that answer says nothing. What
//! counts is when somebody else is served: every place for long requests is held by an answer about the whole project, which
//! nothing is known of, and a small request waits behind them. Then the long ones are cancelled.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use super::client::Client;
use super::{Times, generate, open, pull, start};

/// Requests that may run at once and take long: one worker is kept for the cursor.
const PLACES: usize = 2;

/// Measures a project so large that the long requests do not end by themselves meanwhile; a new server each time.
pub(super) fn run(server: &Path, project: &Path, rounds: usize) -> Result<()> {
    let (mut freed, mut untouched) = (Vec::new(), Vec::new());
    for round in 0..rounds {
        let mut client = start(server, project)?;
        let (uri, _) = open(&mut client, &project.join(generate::EDITED))?;
        pull(&mut client, &uri)?;
        let whole =
            json!({ "start": { "line": 0, "character": 0 }, "end": { "line": 1_000, "character": 0 } });
        let small = ("textDocument/inlayHint", json!({ "textDocument": { "uri": uri }, "range": whole }));
        // What it computes is remembered: behind this it costs next to nothing.
        client.requests(std::slice::from_ref(&small))?;
        let long = ("workspace/diagnostic", json!({ "previousResultIds": [] }));
        let first = client.ask(&vec![long; PLACES])?;
        let waiting = client.ask(std::slice::from_ref(&small))?;
        wait_for(&mut client, "2 running, 1 queued")?;
        // Wherever in their work they are.
        std::thread::sleep(Duration::from_millis(20 + 13 * (round as u64 % 20)));
        let begin = Instant::now();
        for id in first..waiting {
            client.notify("$/cancelRequest", &json!({ "id": id }))?;
        }
        let answer = answer_to(&mut client, waiting)?;
        freed.push(begin.elapsed());
        ensure!(answer.get("error").is_none(), "the request that waited was refused: {answer}");
        let begin = Instant::now();
        client.requests(std::slice::from_ref(&small))?;
        untouched.push(begin.elapsed());
        client.stop()?;
    }
    Times::new(freed).print("$/cancelRequest of two → one behind them answered, 5,000", "(bar: ≤ 5)");
    Times::new(untouched).print("the same request with nothing before it", "(part of it)");
    Ok(())
}

/// Waits until the server says so of its requests.
fn wait_for(client: &mut Client, what: &str) -> Result<()> {
    let begin = Instant::now();
    loop {
        let id = client.ask(&[("headwater/status", json!({}))])?;
        let status = answer_to(client, id)?;
        let text = status["result"]["text"].as_str().context("a status")?.to_owned();
        if text.contains(what) {
            return Ok(());
        }
        ensure!(begin.elapsed() < Duration::from_secs(5), "never {what}:\n{text}");
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// The answer to a request, whatever else is answered before.
fn answer_to(client: &mut Client, wanted: i64) -> Result<Value> {
    loop {
        let (id, answer) = client.answer()?;
        if id == wanted {
            return Ok(answer);
        }
    }
}
