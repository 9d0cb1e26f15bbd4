//! What the SQL engine costs: `cargo xtask bench --engine`.

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use headwater_warehouse::{Allow, Limits, Pool, PoolConfig, Program, Request};

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
