//! One list of cases, over everything that runs statements: a private engine, stored data, HTTP with and without compression,
//! and a server of the user's where `HEADWATER_TEST_CLICKHOUSE_URL` names one.
#![cfg(unix)]

mod cases;
mod http;

use std::path::PathBuf;
use std::time::{Duration, Instant};

use headwater_clickhouse_shim::{Shim, User};
use headwater_warehouse::{
    Allow, ClickHouse, ClickHouseConfig, EngineError, Insert, Limits, Places, Pool, PoolConfig, Program,
    Request, Session, Store, StoreConfig, Warehouse,
};

use cases::{CASES, Case, Step};

fn pool_config() -> PoolConfig {
    let library = match Places::from_env().library() {
        Ok(library) => library.path().to_owned(),
        Err(why) => panic!("these tests need the SQL engine; `cargo xtask test` brings it. {why}"),
    };
    let path = PathBuf::from(env!("CARGO_BIN_EXE_headwater-clickhouse-shim"));
    PoolConfig::new(Program { path, args: vec!["engine-worker".to_owned()] }, library)
}

/// A server over stored data, with its folder.
pub(crate) struct Served {
    shim: Option<Shim>,
    _store: Store,
    _dir: tempfile::TempDir,
}

impl Served {
    fn new(user: User) -> Self {
        let dir = tempfile::tempdir().expect("a folder");
        let mut config = StoreConfig::new(pool_config(), dir.path());
        config.writable = vec!["hw_*".to_owned()];
        config.writers = 4;
        let store = Store::open(config).unwrap_or_else(|e| panic!("{e}"));
        let shim = Shim::start(store.writers().clone(), user).expect("it starts");
        Self { shim: Some(shim), _store: store, _dir: dir }
    }

    fn config(&self) -> ClickHouseConfig {
        ClickHouseConfig::new(self.shim.as_ref().expect("it runs").url())
    }
}

#[test]
fn a_private_engine_conforms() {
    let pool = Pool::new(pool_config());
    run_all("a private engine", pool.warehouse());
}

#[test]
fn stored_data_conforms() {
    let dir = tempfile::tempdir().expect("a folder");
    let store = Store::open(StoreConfig::new(pool_config(), dir.path())).unwrap_or_else(|e| panic!("{e}"));
    run_all("stored data", store.writers());
}

#[test]
fn http_conforms() {
    let served = Served::new(User::default());
    for compress in [true, false] {
        let server = ClickHouse::new(ClickHouseConfig { compress, ..served.config() }).expect("an address");
        run_all(if compress { "HTTP, compressed" } else { "HTTP" }, server.warehouse());
    }
}

/// Counted and named in the output where there is none: nothing is skipped silently.
#[test]
fn a_real_server_conforms() {
    let Ok(url) = std::env::var("HEADWATER_TEST_CLICKHOUSE_URL") else {
        println!("NOT RUN: {} cases on a real server; HEADWATER_TEST_CLICKHOUSE_URL names none", CASES.len());
        return;
    };
    let variable = |name: &str| std::env::var(name).unwrap_or_default();
    let mut config = ClickHouseConfig::new(url);
    if !variable("HEADWATER_TEST_CLICKHOUSE_USER").is_empty() {
        config.user = variable("HEADWATER_TEST_CLICKHOUSE_USER");
    }
    config.password = variable("HEADWATER_TEST_CLICKHOUSE_PASSWORD");
    let server = ClickHouse::new(config.clone()).expect("an address");
    let database = format!("hw_conformance_{}", std::process::id());
    let change =
        |sql: String| server.warehouse().query(Request::new(sql).allow(Allow::Changes)).expect("done");
    change(format!("CREATE DATABASE {database}"));
    config.database.clone_from(&database);
    let there = ClickHouse::new(config).expect("an address");
    let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        run_all("a real server", there.warehouse());
    }));
    change(format!("DROP DATABASE {database}"));
    result.expect("it conforms");
}

fn run_all(name: &str, warehouse: &Warehouse) {
    let mut failed = Vec::new();
    for case in CASES {
        let session = warehouse.session();
        let result = case.steps.iter().try_for_each(|step| {
            run(step, warehouse, &session).map_err(|e| format!("{name}: {}: {e}\n    in {step:?}", case.name))
        });
        failed.extend(result.err());
        for table in tables(case) {
            let drop = Request::new(format!("DROP TABLE IF EXISTS {table}")).allow(Allow::Changes);
            failed.extend(session.query(drop).err().map(|e| format!("{name}: {}: {e}", case.name)));
        }
    }
    println!("{name}: {} cases, {} failed", CASES.len(), failed.len());
    assert!(failed.is_empty(), "{}", failed.join("\n"));
}

/// What a case makes.
fn tables(case: &Case) -> impl Iterator<Item = &'static str> {
    case.steps.iter().filter_map(|step| match step {
        Step::Change(sql) => sql.strip_prefix("CREATE TABLE ").and_then(|r| r.split(' ').next()),
        _ => None,
    })
}

fn run(step: &Step, warehouse: &Warehouse, session: &Session) -> Result<(), String> {
    let text = |result: Result<headwater_warehouse::Answer, EngineError>| match result {
        Ok(answer) => Ok(answer.text().trim_end_matches('\n').to_owned()),
        Err(error) => Err(error),
    };
    let same = |got: Result<String, EngineError>, expected: &str| match got {
        Ok(got) if got == expected => Ok(()),
        other => Err(format!("expected {expected:?}, got {other:?}")),
    };
    let fails = |got: Result<String, EngineError>, expected: &str| match got {
        Err(error) if kind(&error) == expected => Ok(()),
        other => Err(format!("expected to fail with {expected}, got {other:?}")),
    };
    match step {
        Step::Change(sql) => {
            session.query(Request::new(*sql).allow(Allow::Changes)).map(drop).map_err(|e| format!("{e:?}"))
        }
        Step::Set(sql) => {
            session.query(Request::new(*sql).allow(Allow::Anything)).map(drop).map_err(|e| format!("{e:?}"))
        }
        Step::Ask(sql, expected) => same(text(session.query(Request::new(*sql))), expected),
        Step::AskAs(format, sql, expected) => {
            same(text(session.query(Request::new(*sql).format(*format))), expected)
        }
        Step::AskWith(params, sql, expected) => {
            let request = params.iter().fold(Request::new(*sql), |r, (name, value)| r.param(*name, *value));
            same(text(session.query(request)), expected)
        }
        Step::Fails(sql, expected) => fails(text(session.query(Request::new(*sql))), expected),
        Step::FailsWithin(limits, sql, expected) => {
            fails(text(session.query(Request::new(*sql).limits(limits.limits()))), expected)
        }
        Step::Insert(table, columns, format, rows, written) => {
            let insert = Insert::new(*table, columns.iter().copied(), *format, *rows);
            let answer = session.insert(insert).map_err(|e| format!("{e:?}"))?;
            let got = answer.stats.written_rows;
            (got == *written).then_some(()).ok_or_else(|| format!("{got} rows written, expected {written}"))
        }
        Step::InsertWith(table, columns, rows, settings) => {
            let insert =
                Insert::new(*table, columns.iter().copied(), headwater_warehouse::InputFormat::Csv, *rows);
            let insert = settings.iter().fold(insert, |i, (name, value)| i.setting(*name, *value));
            session.insert(insert).map(drop).map_err(|e| format!("{e:?}"))
        }
        Step::InsertFails(table, columns, format, rows, expected, row) => {
            match session.insert(Insert::new(*table, columns.iter().copied(), *format, *rows)) {
                Err(error) if kind(&error) == *expected => match &error {
                    EngineError::Statement(e) if e.row() != *row => Err(format!("row {:?}: {e:?}", e.row())),
                    _ => Ok(()),
                },
                other => Err(format!("expected to fail with {expected}, got {other:?}")),
            }
        }
        Step::InsertMany(table, count, bad) => {
            let mut rows: Vec<u8> =
                (0..*count).flat_map(|n| format!("{n},text of a row\n").into_bytes()).collect();
            if *bad {
                rows.extend_from_slice(b"oops,x\n");
            }
            let insert = Insert::new(*table, ["a", "s"], headwater_warehouse::InputFormat::Csv, rows);
            let long = Limits { time: Duration::from_secs(60), ..Limits::default() };
            match (session.insert(insert.limits(long)), bad) {
                (Ok(answer), false) if answer.stats.written_rows == *count => Ok(()),
                (Err(EngineError::Statement(e)), true) if e.row() == Some(count + 1) => Ok(()),
                (other, _) => Err(format!("{other:?}")),
            }
        }
        Step::Stream(sql, lines) => {
            let long = Limits { time: Duration::from_secs(60), result_rows: 5_000_000, ..Limits::default() };
            let long = Limits { result_bytes: 200_000_000, ..long };
            let mut rows = session.stream(Request::new(*sql).limits(long));
            let mut got = 0;
            for piece in &mut rows {
                let piece = piece.map_err(|e| format!("{e:?}"))?;
                if piece.last() != Some(&b'\n') {
                    return Err("a piece ends within a row".to_owned());
                }
                got += piece.iter().filter(|b| **b == b'\n').count() as u64;
            }
            let counted = rows.stats().map(|s| s.result_rows);
            ((got, counted) == (*lines, Some(*lines)))
                .then_some(())
                .ok_or_else(|| format!("{got} lines, counted {counted:?}, expected {lines}"))
        }
        Step::StreamFails(sql, expected) => match session.stream(Request::new(*sql)).last() {
            Some(Err(error)) if kind(&error) == *expected => Ok(()),
            other => Err(format!("expected to fail with {expected}, got {other:?}")),
        },
        Step::StreamIsLeft(sql) => {
            let mut rows = session.stream(Request::new(*sql));
            rows.next().ok_or("no piece")?.map_err(|e| format!("{e:?}"))?;
            drop(rows);
            same(text(session.query(Request::new("SELECT 1"))), "1")
        }
        Step::Cancel(sql) => {
            let long = Limits { time: Duration::from_secs(50), ..Limits::default() };
            for pause in [0, 30, 300] {
                let ticket = warehouse.submit(Request::new(*sql).limits(long));
                let start = Instant::now();
                std::thread::sleep(Duration::from_millis(pause));
                ticket.canceller().cancel();
                if ticket.wait() != Err(EngineError::Cancelled) || start.elapsed() > Duration::from_secs(2) {
                    return Err("whoever waits is told at once".to_owned());
                }
            }
            let start = Instant::now();
            same(text(session.query(Request::new("SELECT 1"))), "1")?;
            (start.elapsed() < Duration::from_secs(10)).then_some(()).ok_or_else(|| "not freed".to_owned())
        }
        Step::Reset => session.reset().map_err(|e| format!("{e:?}")),
    }
}

/// What an error is called in the cases: the engine's name, or ours.
fn kind(error: &EngineError) -> &str {
    match error {
        EngineError::Statement(e) => &e.name,
        EngineError::SeveralStatements(_) => "several statements",
        EngineError::NoStatement => "no statement",
        EngineError::NotAllowed { .. } => "not allowed",
        EngineError::TooLarge { .. } => "too large",
        EngineError::InsertTooLarge { .. } => "insert too large",
        EngineError::Invalid(_) => "invalid",
        EngineError::SessionLost(_) => "session lost",
        EngineError::TimedOut(_) => "timed out",
        EngineError::Cancelled => "cancelled",
        EngineError::Crashed(_) => "crashed",
        EngineError::Unavailable(_) => "unavailable",
    }
}
