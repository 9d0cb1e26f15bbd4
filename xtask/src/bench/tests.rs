//! What a project's tests cost: `cargo xtask bench --tests`.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Instant;

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use super::Times;
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
    fs::remove_dir_all(&base).ok();
    Ok(())
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
