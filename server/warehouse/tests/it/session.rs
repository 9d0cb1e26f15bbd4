//! One worker for one caller: its tables are its own, and gone with it.

use std::time::{Duration, Instant};

use headwater_warehouse::{Allow, EngineError, InputFormat, Insert, Limits, Pool, Request, Session};

use crate::{config, pool, text};

fn change(session: &Session, sql: &str) {
    session.query(Request::new(sql).allow(Allow::Anything)).expect("done");
}

fn ask(session: &Session, sql: &str) -> String {
    text(session.query(Request::new(sql)))
}

#[test]
fn what_a_session_made_is_gone_with_it_and_the_worker_stays() {
    let mut config = config();
    config.prelude = vec!["CREATE TABLE base (a Int8) ENGINE = MergeTree ORDER BY a".to_owned()];
    let pool = Pool::new(config);
    let mut worker = None;
    for round in 0..5 {
        let session = pool.session();
        assert_eq!(ask(&session, "SHOW TABLES"), "base", "round {round}");
        assert_eq!(ask(&session, "SELECT count() FROM base"), "0");
        change(&session, "CREATE TABLE t (a Int8) ENGINE = MergeTree ORDER BY a");
        change(&session, "CREATE MATERIALIZED VIEW v ENGINE = MergeTree ORDER BY a AS SELECT a FROM t");
        change(&session, "CREATE TEMPORARY TABLE tt (a Int8) ENGINE = Memory");
        change(&session, "SET max_block_size = 7");
        session.insert(Insert::new("t", ["a"], InputFormat::Csv, "1\n2\n")).expect("written");
        session.insert(Insert::new("base", ["a"], InputFormat::Csv, "3\n")).expect("written");
        assert_eq!(ask(&session, "SELECT count() FROM v"), "2");
        let answer = session.query(Request::new("SELECT 1")).expect("an answer");
        assert_eq!(*worker.get_or_insert(answer.worker), answer.worker, "the same process");
        session.reset().expect("reset");
        assert_eq!(ask(&session, "SHOW TABLES"), "base");
        assert_eq!(ask(&session, "SELECT getSetting('max_block_size') != 7"), "1");
        assert!(
            matches!(session.query(Request::new("SELECT * FROM tt")), Err(EngineError::Statement(e)) if e.name == "UNKNOWN_TABLE")
        );
        change(&session, "CREATE TABLE left_over (a Int8) ENGINE = Memory");
    }
    // Whoever asks without a session finds it clean as well.
    assert_eq!(text(pool.query(Request::new("SHOW TABLES"))), "base");
}

#[test]
fn sessions_do_not_meet() {
    let mut config = config();
    config.workers = 2;
    let pool = Pool::new(config);
    let (one, other) = (pool.session(), pool.session());
    change(&one, "CREATE TABLE t (a Int8) ENGINE = Memory");
    change(&other, "CREATE TABLE t (b String) ENGINE = Memory");
    assert_eq!(ask(&one, "SELECT name FROM system.columns WHERE table = 't' AND database = 'work'"), "a");
    assert_eq!(ask(&other, "SELECT name FROM system.columns WHERE table = 't' AND database = 'work'"), "b");
    // A third one waits until one of them is given back.
    let third = pool.session();
    let ticket = third.submit(Request::new("SHOW TABLES"));
    std::thread::sleep(Duration::from_millis(50));
    drop(other);
    assert_eq!(text(ticket.wait()), "");
    assert_eq!(ask(&one, "SHOW TABLES"), "t");
}

#[test]
fn a_session_whose_worker_died_says_so_until_it_is_reset() {
    let mut config = config();
    config.fault = "query:3".to_owned();
    let pool = Pool::new(config);
    let session = pool.session();
    change(&session, "CREATE TABLE t (a Int8) ENGINE = Memory");
    let answers = session.query_batch((0..4).map(|_| Request::new("EXISTS TABLE t")).collect());
    assert_eq!(answers[0].as_ref().expect("an answer").text(), "1\n");
    assert!(
        matches!(&answers[1], Err(EngineError::Crashed(why)) if why.contains("as asked for")),
        "{answers:?}"
    );
    for lost in &answers[2..] {
        let Err(EngineError::SessionLost(why)) = lost else { panic!("{answers:?}") };
        assert!(why.contains("as asked for"), "{why}");
    }
    let insert = || session.insert(Insert::new("t", ["a"], InputFormat::Csv, "1\n"));
    assert!(matches!(insert(), Err(EngineError::SessionLost(_))));
    session.reset().expect("reset");
    assert_eq!(ask(&session, "EXISTS TABLE t"), "0");
}

#[test]
fn an_idle_session_that_dies_is_lost_only_when_it_had_something() {
    let pool = pool();
    let session = pool.session();
    let kill = |session: &Session| {
        ask(session, "SELECT 1");
        let pid = rustix::process::Pid::from_raw(pool.pids()[0].cast_signed()).expect("a process");
        rustix::process::kill_process(pid, rustix::process::Signal::KILL).expect("killed");
        let start = Instant::now();
        while !pool.pids().is_empty() && start.elapsed() < Duration::from_secs(10) {
            std::thread::sleep(Duration::from_millis(2));
        }
    };
    kill(&session);
    assert_eq!(ask(&session, "SELECT 2"), "2");
    change(&session, "CREATE TABLE t (a Int8) ENGINE = Memory");
    kill(&session);
    assert!(matches!(session.query(Request::new("SELECT 3")), Err(EngineError::SessionLost(_))));
}

#[test]
fn a_cancelled_or_endless_statement_keeps_the_tables() {
    let pool = pool();
    let session = pool.session();
    change(&session, "CREATE TABLE t (a Int8) ENGINE = Memory");
    let limits = Limits { time: Duration::from_millis(200), ..Limits::default() };
    let endless =
        || Request::new("SELECT count() FROM numbers(1000000000000) WHERE NOT ignore(sipHash64(number))");
    assert!(
        matches!(session.query(endless().limits(limits)), Err(EngineError::Statement(e)) if e.name == "TIMEOUT_EXCEEDED")
    );
    let ticket = session.submit(endless());
    std::thread::sleep(Duration::from_millis(100));
    ticket.canceller().cancel();
    assert_eq!(ticket.wait(), Err(EngineError::Cancelled));
    assert_eq!(ask(&session, "EXISTS TABLE t"), "1");
}

#[test]
fn a_session_outlives_its_pool_without_hanging() {
    let pool = pool();
    let session = pool.session();
    change(&session, "CREATE TABLE t (a Int8) ENGINE = Memory");
    drop(pool);
    assert_eq!(session.query(Request::new("SELECT 1")), Err(EngineError::Cancelled));
    assert_eq!(session.reset(), Err(EngineError::Cancelled));
}
