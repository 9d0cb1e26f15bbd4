//! Limits and cancellation: nothing runs longer, or answers more, than it may.

use std::time::{Duration, Instant};

use headwater_warehouse::{Allow, EngineError, Format, Limits, Pool, Request};

use crate::{ask, config, error_name, pool};

const ENDLESS: &str = "SELECT sum(sipHash64(number)) FROM numbers(1000000000000)";

/// Far above what is measured (docs/internals/bars.md), far below "it was not stopped".
const SOON: Duration = Duration::from_secs(5);

fn long() -> Limits {
    Limits { time: Duration::from_secs(60), ..Limits::default() }
}

#[test]
fn time_is_limited() {
    let pool = pool();
    ask(&pool, "SELECT 1");
    let start = Instant::now();
    let limits = Limits { time: Duration::from_millis(300), ..Limits::default() };
    assert_eq!(error_name(&pool, Request::new(ENDLESS).limits(limits)), "TIMEOUT_EXCEEDED");
    // In the statement itself more time cannot be had than the pool allows, and not "no limit" either.
    for more in ["SETTINGS max_execution_time = 0", "SETTINGS max_execution_time = 61"] {
        let request = Request::new(format!("{ENDLESS} {more}")).limits(limits);
        assert_eq!(error_name(&pool, request), "SETTING_CONSTRAINT_VIOLATION");
    }
    let shorter_answers =
        "SELECT number FROM numbers(10) SETTINGS max_result_rows = 5, result_overflow_mode = 'break'";
    assert_eq!(error_name(&pool, Request::new(shorter_answers)), "SETTING_CONSTRAINT_VIOLATION");
    assert!(start.elapsed() < SOON);
    assert_eq!(ask(&pool, "SELECT 1"), "1");
}

#[test]
fn a_worker_that_does_not_stop_by_itself_is_ended() {
    let mut config = config();
    config.fault = "hang:2".to_owned();
    let pool = Pool::new(config);
    ask(&pool, "SELECT 1");
    let limits = Limits { time: Duration::from_millis(200), ..Limits::default() };
    let start = Instant::now();
    let answers = pool.query_batch(["SELECT 2", "SELECT 3"].map(|q| Request::new(q).limits(limits)).to_vec());
    assert_eq!(answers[0], Err(EngineError::TimedOut(Duration::from_millis(700))));
    let third = answers[1].as_ref().expect("an answer of the next worker");
    assert_eq!((third.text().as_ref(), third.worker.life), ("3\n", 2));
    assert!(start.elapsed() < SOON);
}

#[test]
fn results_are_limited() {
    let pool = pool();
    let limits = Limits { result_rows: 1000, result_bytes: 100_000, memory: 50_000_000, ..Limits::default() };
    let ask = |sql: &str| error_name(&pool, Request::new(sql).limits(limits).format(Format::JsonEachRow));
    assert_eq!(ask("SELECT number FROM numbers(1000000000)"), "TOO_MANY_ROWS_OR_BYTES");
    assert_eq!(ask("SELECT repeat('x', 1000 + number % 2) FROM numbers(900)"), "TOO_MANY_ROWS_OR_BYTES");
    assert_eq!(ask("SELECT groupArray(number) FROM numbers(100000000)"), "MEMORY_LIMIT_EXCEEDED");
    // Small for the engine, which counts whole blocks, and large as text: the name of the column is in every row.
    let name = "n".repeat(10_000);
    let wide = Request::new(format!("SELECT number AS {name} FROM numbers(1000)")).limits(limits);
    match pool.query(wide.format(Format::JsonEachRow)) {
        Err(EngineError::TooLarge { bytes, limit }) => assert!(bytes > limit && limit == 100_000),
        other => panic!("{other:?}"),
    }
    assert_eq!(crate::ask(&pool, "SELECT 1"), "1");
}

#[test]
fn text_far_beyond_the_limits_does_not_take_the_memory() {
    let pool = pool();
    let name = "n".repeat(100_000);
    // 10 GB as text.
    let sql = format!("SELECT number AS {name} FROM numbers(100000)");
    let result = pool.query(Request::new(sql).format(Format::JsonEachRow));
    assert!(result.is_err(), "{:?}", result.map(|a| a.body.len()));
    assert_eq!(ask(&pool, "SELECT 1"), "1");
}

#[test]
fn a_cancelled_statement_frees_its_worker() {
    let pool = pool();
    ask(&pool, "SELECT 1");
    for pause in [0, 1, 5, 20, 100] {
        let ticket = pool.submit(Request::new(ENDLESS).limits(long()));
        let behind = pool.submit(Request::new("SELECT 2"));
        let canceller = ticket.canceller();
        std::thread::sleep(Duration::from_millis(pause));
        let start = Instant::now();
        canceller.cancel();
        assert_eq!(ticket.wait(), Err(EngineError::Cancelled));
        assert!(start.elapsed() < Duration::from_millis(500), "whoever waits is told at once");
        assert_eq!(behind.wait().expect("an answer").text(), "2\n");
        assert!(start.elapsed() < SOON, "after {pause} ms");
    }
}

#[test]
fn cancelling_keeps_the_workers_tables() {
    let pool = pool();
    pool.query(Request::new("CREATE TABLE t (a Int8) ENGINE = Memory").allow(Allow::Changes)).expect("made");
    let ticket = pool.submit(Request::new(ENDLESS).limits(long()));
    std::thread::sleep(Duration::from_millis(300));
    ticket.canceller().cancel();
    assert_eq!(ask(&pool, "EXISTS TABLE t"), "1");
}

#[test]
fn a_hanging_worker_is_cancelled_too() {
    let mut config = config();
    config.fault = "hang".to_owned();
    let pool = Pool::new(config);
    let ticket = pool.submit(Request::new("SELECT 1").limits(long()));
    std::thread::sleep(Duration::from_millis(100));
    let start = Instant::now();
    drop(ticket);
    // The next worker hangs too, so this one is cancelled while it waits for its turn, or later.
    let ticket = pool.submit(Request::new("SELECT 1").limits(long()));
    ticket.canceller().cancel();
    assert_eq!(ticket.wait(), Err(EngineError::Cancelled));
    drop(pool);
    assert!(start.elapsed() < SOON);
}

#[test]
fn a_batch_is_dropped_with_its_pool() {
    let start = Instant::now();
    let pool = pool();
    let ticket = pool.submit(Request::new(ENDLESS).limits(long()));
    std::thread::sleep(Duration::from_millis(300));
    drop(pool);
    assert_eq!(ticket.wait(), Err(EngineError::Cancelled));
    assert!(start.elapsed() < SOON);
}
