//! What the SQL engine costs: `cargo xtask bench --engine`.

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use headwater_warehouse::{
    Allow, Format, InputFormat, Insert, Limits, Pool, PoolConfig, Program, Request, Store, StoreConfig,
};

use super::Times;
use crate::build_server;

const AGGREGATE: &str = "SELECT a, b, count() FROM t WHERE x = 1 GROUP BY a, b ORDER BY 1";
const ENDLESS: &str = "SELECT sum(sipHash64(number)) FROM numbers(1000000000000)";

pub(crate) fn run(quick: bool) -> Result<()> {
    let server = build_server(true)?;
    let library = crate::engine::library()?;
    let config = |workers| {
        let program = Program { path: server.clone(), args: vec!["engine-worker".to_owned()] };
        let mut config = PoolConfig::new(program, &library);
        config.workers = workers;
        config
    };
    // The first start brings the library into the file cache.
    ensure!(Pool::new(config(1)).query(Request::new("SELECT 1")).is_ok(), "the engine does not run");
    let (rounds, batch) = if quick { (10, 1000) } else { (40, 8000) };
    let first = times(rounds, || {
        let pool = Pool::new(config(1));
        let start = Instant::now();
        let answer = pool.query(Request::new("SELECT 1"));
        (start.elapsed(), answer.is_ok())
    })?;
    first.print("worker started → first answer, warm", "≤ 150 ms");

    let pool = Pool::new(config(1));
    pool.query_batch(vec![Request::new("SELECT 1"); 100]);
    let single = times(500, || timed(|| pool.query(Request::new("SELECT 1")).is_ok()))?;
    single.print("SELECT 1, one by one", "");
    let cancelled = times(10, || {
        let limits = Limits { time: Duration::from_secs(60), ..Limits::default() };
        let ticket = pool.submit(Request::new(ENDLESS).limits(limits));
        std::thread::sleep(Duration::from_millis(200));
        ticket.canceller().cancel();
        timed(|| pool.query(Request::new("SELECT 1")).is_ok())
    })?;
    cancelled.print("a running statement cancelled → the next answer", "");

    for workers in [1, 2] {
        let pool = Pool::new(config(workers));
        pool.query_batch(vec![Request::new("SELECT 1"); 200]);
        for (what, sql, allow) in [
            ("parsed only", AGGREGATE.to_owned(), Allow::Parse),
            ("EXPLAIN AST", format!("EXPLAIN AST {AGGREGATE}"), Allow::Reads),
            ("EXPLAIN AST of broken text", format!("EXPLAIN AST {AGGREGATE} ("), Allow::Reads),
            ("SELECT 1", "SELECT 1".to_owned(), Allow::Reads),
        ] {
            let requests = vec![Request::new(sql).allow(allow); batch];
            let start = Instant::now();
            let answers = pool.query_batch(requests);
            let each = start.elapsed().as_secs_f64() * 1e3 / answers.len() as f64;
            println!("{:<58} {each:.3} ms each", format!("batch of {batch}, {workers} worker(s): {what}"));
        }
    }
    sessions(&Pool::new(config(1)), if quick { 20 } else { 100 })?;
    stored(&config(1))
}

/// What a test of a project does: tables, rows, a question, and all gone again.
fn sessions(pool: &Pool, rounds: usize) -> Result<()> {
    let rows = b"{\"a\":1,\"s\":\"some text\"}\n".repeat(100);
    let held = times(rounds, || {
        let session = pool.session();
        timed(|| {
            (0..5).all(|n| {
                let table = format!("t{n}");
                let create =
                    format!("CREATE TABLE {table} (a Int64, s String) ENGINE = MergeTree ORDER BY a");
                session.query(Request::new(create).allow(Allow::Changes)).is_ok()
                    && session
                        .insert(Insert::new(table, ["a", "s"], InputFormat::JsonEachRow, rows.clone()))
                        .is_ok()
            })
        })
    })?;
    held.print("a session's 5 tables with 100 rows each", "");
    let reset = times(rounds, || {
        let session = pool.session();
        let create = "CREATE TABLE t (a Int64) ENGINE = MergeTree ORDER BY a";
        let made = session.query(Request::new(create).allow(Allow::Changes)).is_ok();
        let (time, fine) = timed(|| session.reset().is_ok());
        (time, made && fine)
    })?;
    reset.print("a session reset", "");
    Ok(())
}

/// Stored data: to open it, to write, and to read much.
fn stored(engine: &PoolConfig) -> Result<()> {
    let folder = std::env::temp_dir().join(format!("headwater-bench-{}", std::process::id()));
    let open = || Store::open(StoreConfig::new(engine.clone(), &folder)).map_err(anyhow::Error::from);
    let store = open()?;
    let create = "CREATE TABLE t (a Int64, s String) ENGINE = MergeTree ORDER BY a";
    ensure!(store.writers().query(Request::new(create).allow(Allow::Changes)).is_ok(), "no table");
    for count in [1_000, 10_000, 100_000] {
        let rows: String =
            (0..count).map(|n| format!("{{\"a\":{n},\"s\":\"{}\"}}\n", "x".repeat(100))).collect();
        let insert = Insert::new("t", ["a", "s"], InputFormat::JsonEachRow, rows);
        let written = times(10, || timed(|| store.writers().insert(insert.clone()).is_ok()))?;
        written.print(&format!("{count} rows of JSON inserted"), "");
    }
    let limits = Limits { time: Duration::from_secs(60), result_rows: 10_000_000, ..Limits::default() };
    let large = Request::new("SELECT number, toString(number) AS s FROM numbers(5000000)");
    let large = large.format(Format::JsonEachRow).limits(Limits { result_bytes: 250_000_000, ..limits });
    let start = Instant::now();
    let mut rows = store.readers().stream(large);
    let first = rows.next().map(|_| start.elapsed());
    let bytes: usize = rows.by_ref().map_while(Result::ok).map(|piece| piece.len()).sum();
    ensure!(rows.stats().is_some(), "the stream broke off");
    let memory = store.pids().first().and_then(|pid| super::resident(*pid));
    println!(
        "{:<58} {:.1} ms; {} MB in {:.2} s; the process holds {:?} MB",
        "5,000,000 rows streamed: first piece",
        first.unwrap_or_default().as_secs_f64() * 1e3,
        bytes / 1_000_000,
        start.elapsed().as_secs_f64(),
        memory.map(|m| m / 1_000_000)
    );
    drop(store);
    let opened = times(10, || {
        let start = Instant::now();
        let store = open();
        (start.elapsed(), store.is_ok())
    })?;
    opened.print("stored data opened", "");
    std::fs::remove_dir_all(&folder)?;
    Ok(())
}

fn timed(run: impl FnOnce() -> bool) -> (Duration, bool) {
    let start = Instant::now();
    let fine = run();
    (start.elapsed(), fine)
}

fn times(rounds: usize, mut run: impl FnMut() -> (Duration, bool)) -> Result<Times> {
    let mut times = Vec::new();
    for _ in 0..rounds {
        let (time, fine) = run();
        ensure!(fine, "the engine gave no answer");
        times.push(time);
    }
    Ok(Times::new(times))
}
