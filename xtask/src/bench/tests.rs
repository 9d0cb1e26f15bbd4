//! What a project's tests cost: `cargo xtask bench --tests`.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Instant;

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use super::Times;
use super::client::{Client, file_uri};
use crate::build_server;

/// Pipes, each with tests of its own.
const PIPES: usize = 30;

/// Tests of each pipe.
const TESTS: usize = 10;

/// Rows of the sample.
const ROWS: usize = 2_000;

/// Measures whole runs of the program, its start and the engine's included, over 300 tests that write what they expect
/// themselves first.
pub(crate) fn run() -> Result<()> {
    let server = build_server(true)?;
    let library = crate::engine::library()?;
    let base = std::env::temp_dir().join(format!("headwater-bench-tests-{}", std::process::id()));
    write(&base)?;
    let call = |args: &[&str]| {
        let mut command = Command::new(&server);
        command.arg("test").args(args).current_dir(&base).env("HEADWATER_CHDB", &library);
        command.output().context("the program runs")
    };
    let passed = |output: &std::process::Output| {
        let report: Value = serde_json::from_slice(&output.stdout).context("the answer is JSON")?;
        report["summary"]["passed"].as_u64().context("a number")
    };
    call(&["--update"])?;
    let mut times = Vec::new();
    for _ in 0..7 {
        let start = Instant::now();
        let output = call(&["--format", "json"])?;
        times.push(start.elapsed());
        let passed = passed(&output)?;
        ensure!(passed == (PIPES * TESTS) as u64, "only {passed} tests passed");
    }
    Times::new(times).print("headwater test, 300 tests, whole run", "≤ 6000 ms");
    let mut times = Vec::new();
    for _ in 0..7 {
        let start = Instant::now();
        let output = call(&["pipe_3:test 1", "--format", "json"])?;
        times.push(start.elapsed());
        ensure!(passed(&output)? == 1, "the one test did not pass");
    }
    Times::new(times).print("headwater test, one test of them, whole run", "");
    in_an_editor(&server, &library, &base)?;
    fs::remove_dir_all(&base).ok();
    Ok(())
}

/// What an edit costs until the one test that it touches has its outcome at the client, and what a keystroke costs meanwhile.
fn in_an_editor(server: &Path, library: &Path, base: &Path) -> Result<()> {
    let options = json!({ "trusted": true, "clientCommands": ["headwater.runTest"] });
    let mut command = Command::new(server);
    command.arg("lsp").env("HEADWATER_CHDB", library);
    let mut client = Client::start_with(&mut command, base, &options)?;
    // A pipe of which one test is left: what is measured is one affected test among three hundred.
    let test = base.join("tests/pipe_3.yaml");
    let all = fs::read_to_string(&test)?;
    let one = all.split("\n- name:").next().context("a test")?.to_owned() + "\n";
    fs::write(&test, &one)?;
    let pipe = base.join("endpoints/pipe_3.pipe");
    let text = fs::read_to_string(&pipe)?;
    let uri = file_uri(&pipe);
    let document = json!({ "uri": uri, "languageId": "headwater-pipe", "version": 1, "text": text });
    client.notify("textDocument/didOpen", &json!({ "textDocument": document }))?;
    let files = json!({ "changes": [{ "uri": file_uri(&test), "type": 2 }] });
    client.notify("workspace/didChangeWatchedFiles", &files)?;
    // The start is looked at a moment after it; a run brings the tables.
    std::thread::sleep(std::time::Duration::from_secs(2));
    let whole = client.request("headwater/tests/run", &json!({ "run": "all" }))?;
    ensure!(whole["failed"] == 0, "{whole}");
    println!("headwater/tests/run, {} tests in an editor: {:.0} ms", whole["passed"], milliseconds(&whole));
    std::thread::sleep(std::time::Duration::from_millis(500));
    let (mut edits, mut pulls) = (Vec::new(), Vec::new());
    for round in 0..60 {
        client.forget();
        // Each edit is a new text: an outcome that is known would be told at once.
        let edited = text.replace("NODE endpoint", &format!("# {round}\nNODE endpoint"));
        let change = json!({ "textDocument": { "uri": uri, "version": round + 2 }, "contentChanges": [{ "text": edited }] });
        let start = Instant::now();
        client.notify("textDocument/didChange", &change)?;
        client.request("textDocument/diagnostic", &json!({ "textDocument": { "uri": uri } }))?;
        pulls.push(start.elapsed());
        let result = client.wait_for("headwater/tests/result")?;
        edits.push(start.elapsed());
        ensure!(result["result"]["status"] == "passed" && result["run"].is_null(), "{result}");
        std::thread::sleep(std::time::Duration::from_millis(100));
    }
    Times::new(edits.split_off(10))
        .print("edit → outcome of the one test it touches, of 291, warm", "≤ 150 ms");
    Times::new(pulls.split_off(10)).print("the same edit → its diagnostics", "");
    client.stop()
}

fn milliseconds(answer: &Value) -> f64 {
    answer["elapsed"].as_f64().unwrap_or(0.0) * 1e3
}

/// A landing table, a view, nodes in chains, and templates with arms.
fn write(dir: &Path) -> Result<()> {
    let put = |path: String, text: String| -> Result<()> {
        let path = dir.join(path);
        fs::create_dir_all(path.parent().context("a folder")?)?;
        Ok(fs::write(path, text)?)
    };
    fs::create_dir_all(dir.join(".git"))?;
    put(
        "datasources/events.datasource".to_owned(),
        "SCHEMA >\n    `ts` DateTime64(3) `json:$.ts`,\n    `user` String `json:$.user.id`,\n    `country` LowCardinality(String) `json:$.user.country` DEFAULT 'xx',\n    `amount` Float64 `json:$.amount`,\n    `tags` Array(String) `json:$.tags[:]`\n\nENGINE \"MergeTree\"\nENGINE_SORTING_KEY \"country, ts\"\n".to_owned(),
    )?;
    put(
        "datasources/daily.datasource".to_owned(),
        "SCHEMA >\n    `day` Date,\n    `country` LowCardinality(String),\n    `amount` AggregateFunction(sum, Float64),\n    `users` AggregateFunction(uniq, String)\n\nENGINE \"AggregatingMergeTree\"\nENGINE_SORTING_KEY \"day, country\"\n".to_owned(),
    )?;
    put(
        "materializations/to_daily.pipe".to_owned(),
        "NODE states\nSQL >\n    SELECT toDate(ts) AS day, country, sumState(amount) AS amount, uniqState(user) AS users FROM events GROUP BY day, country\nTYPE materialized\nDATASOURCE daily\n".to_owned(),
    )?;
    let countries = ["de", "es", "fr", "us"];
    let mut rows = String::new();
    for n in 0..ROWS {
        writeln!(
            rows,
            "{{\"ts\":\"2025-06-{:02} {:02}:00:00\",\"user\":{{\"id\":\"u{}\",\"country\":\"{}\"}},\"amount\":{}.5,\"tags\":[\"a\",\"t{}\"]}}",
            n % 28 + 1,
            n % 24,
            n % 97,
            countries[n % 4],
            n % 50,
            n % 7
        )?;
    }
    put("fixtures/events.ndjson".to_owned(), rows)?;
    for pipe in 0..PIPES {
        let (table, day, amount, user) = if pipe % 2 == 0 {
            ("events", "toDate(ts)", "sum(amount)", "uniq(user)")
        } else {
            ("daily", "day", "sumMerge(amount)", "uniqMerge(users)")
        };
        put(
            format!("endpoints/pipe_{pipe}.pipe"),
            format!(
                "NODE chosen\nSQL >\n    %\n    SELECT *, {pipe} AS number FROM {table}\n    WHERE 1\n    {{% if defined(country) %}} AND country IN {{{{ Array(country) }}}} {{% end %}}\n\nNODE grouped\nSQL >\n    %\n    SELECT {day} AS d, country, {amount} AS total, {user} AS users, any(number) AS number\n    FROM chosen WHERE d >= {{{{ Date(since, '2025-06-01') }}}} GROUP BY d, country\n\nNODE endpoint\nSQL >\n    %\n    SELECT d, country, total, users, number, total / users AS share,\n        sum(total) OVER (PARTITION BY country ORDER BY d) AS so_far\n    FROM grouped ORDER BY d, country LIMIT {{{{ Int32(n, 20) }}}}\nTYPE endpoint\n"
            ),
        )?;
        let mut tests = String::new();
        for test in 0..TESTS {
            writeln!(
                tests,
                "- name: test {test}\n  parameters: n={}&country={}&since=2025-06-{:02}\n  expected_result: ''\n",
                test + 1,
                countries[test % 4],
                test * 2 + 1
            )?;
        }
        put(format!("tests/pipe_{pipe}.yaml"), tests)?;
    }
    Ok(())
}
