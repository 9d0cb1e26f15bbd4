//! Stored data: one owner, several connections, nothing lost with a process.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use headwater_warehouse::{
    Allow, Answer, Class, EngineError, Format, InputFormat, Insert, Limits, Request, Store, StoreConfig,
    StoreError, Warehouse,
};

use crate::{config, text};

fn open(path: &Path) -> Store {
    match Store::open(StoreConfig::new(config(), path)) {
        Ok(store) => store,
        Err(error) => panic!("not opened: {error}"),
    }
}

fn change(warehouse: &Warehouse, sql: &str) -> Result<Answer, EngineError> {
    warehouse.query(Request::new(sql).allow(Allow::Changes))
}

fn ask(warehouse: &Warehouse, sql: &str) -> String {
    text(warehouse.query(Request::new(sql)))
}

fn with_events(path: &Path) -> Store {
    let store = open(path);
    change(store.writers(), "CREATE TABLE events (a Int64, s String) ENGINE = MergeTree ORDER BY a")
        .expect("made");
    store
}

fn rows(data: impl Into<Vec<u8>>) -> Insert {
    Insert::new("events", ["a", "s"], InputFormat::Csv, data)
}

fn kill(store: &Store) {
    let pid = rustix::process::Pid::from_raw(store.pids()[0].cast_signed()).expect("a process");
    rustix::process::kill_process(pid, rustix::process::Signal::KILL).expect("killed");
}

const ENDLESS: &str = "SELECT count() FROM numbers(1000000000000) WHERE NOT ignore(sipHash64(number))";

fn endless() -> Request {
    Request::new(ENDLESS).limits(Limits { time: Duration::from_secs(50), ..Limits::default() })
}

#[test]
fn data_stays_and_has_one_owner() {
    let dir = tempfile::tempdir().expect("a folder");
    let store = with_events(dir.path());
    store.writers().insert(rows("1,x\n2,y\n")).expect("written");
    match Store::open(StoreConfig::new(config(), dir.path())).err() {
        Some(error @ StoreError::Taken { .. }) => {
            let me = format!("in use by process {}", std::process::id());
            assert!(error.to_string().contains(&me), "{error}");
        }
        other => panic!("{other:?}"),
    }
    // The owner is not disturbed by that.
    assert_eq!(ask(store.readers(), "SELECT groupArray(a) FROM events"), "[1,2]");
    drop(store);
    let store = open(dir.path());
    assert_eq!(ask(store.readers(), "SELECT groupArray(a) FROM events"), "[1,2]");
    // The engine's own lock stands behind ours: somebody else's engine is refused too.
    std::fs::remove_file(dir.path().join("owner.lock")).expect("removed");
    let mut second = StoreConfig::new(config(), dir.path());
    second.patience = Duration::from_millis(100);
    match Store::open(second).err() {
        Some(StoreError::Engine(EngineError::Unavailable(why))) => {
            assert!(why.contains("Cannot lock file") && why.contains("already running"), "{why}");
        }
        other => panic!("{other:?}"),
    }
    assert_eq!(ask(store.readers(), "SELECT count() FROM events"), "2");
}

/// An embedded engine's defaults are not a server's, and both change with versions.
#[test]
fn what_differs_between_engines_is_pinned() {
    let dir = tempfile::tempdir().expect("a folder");
    let store = open(dir.path());
    let tables = "SELECT name, value, changed FROM system.merge_tree_settings WHERE name IN ('non_replicated_deduplication_window', 'fsync_after_insert', 'fsync_part_directory', 'old_parts_lifetime') ORDER BY name";
    let session = "SELECT name, value FROM system.settings WHERE name IN ('async_insert', 'deduplicate_insert', 'deduplicate_insert_select', 'deduplicate_blocks_in_dependent_materialized_views', 'mutations_sync', 'date_time_input_format', 'implicit_select', 'session_timezone') ORDER BY name";
    for warehouse in [store.writers(), store.readers()] {
        assert_eq!(
            ask(warehouse, session),
            "async_insert\t0\ndate_time_input_format\tbest_effort\ndeduplicate_blocks_in_dependent_materialized_views\t1\ndeduplicate_insert\tenable\ndeduplicate_insert_select\tenable_when_possible\nimplicit_select\t0\nmutations_sync\t2\nsession_timezone\tUTC"
        );
    }
    // `changed`: the file says so, and not the engine's default.
    let pinned = ask(store.writers(), tables);
    assert_eq!(pinned.lines().count(), 4, "{pinned}");
    assert!(pinned.lines().all(|line| line.ends_with("\t0\t1")), "{pinned}");
}

#[test]
fn names_that_are_none_and_folders_that_are_none_are_refused() {
    let dir = tempfile::tempdir().expect("a folder");
    for (database, writable) in [("a b", "x"), ("a", "x.*"), ("a", "*"), ("a", "b`"), ("", "x")] {
        let mut config = StoreConfig::new(config(), dir.path());
        config.database = database.to_owned();
        config.writable = vec![writable.to_owned()];
        assert!(matches!(Store::open(config).err(), Some(StoreError::Name(_))), "{database} {writable}");
    }
    let file = dir.path().join("file");
    std::fs::write(&file, "").expect("written");
    assert!(matches!(Store::open(StoreConfig::new(config(), &file)).err(), Some(StoreError::Folder(..))));
}

#[test]
fn a_killed_engine_loses_only_what_was_in_flight() {
    let dir = tempfile::tempdir().expect("a folder");
    let starts = Arc::new(AtomicU64::new(0));
    let mut config = StoreConfig::new(config(), dir.path());
    let counted = starts.clone();
    config.before_start = Some(Arc::new(move |data| {
        assert!(data.ends_with("engine"));
        counted.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }));
    let store = Store::open(config).expect("opened");
    change(store.writers(), "CREATE TABLE events (a Int64, s String) ENGINE = MergeTree ORDER BY a")
        .expect("made");
    for n in 0..5 {
        store.writers().insert(rows(format!("{n},x\n"))).expect("written");
        let ticket = store.readers().submit(endless());
        std::thread::sleep(Duration::from_millis(50));
        kill(&store);
        assert!(matches!(ticket.wait(), Err(EngineError::Crashed(_))));
        assert_eq!(ask(store.readers(), "SELECT count() FROM events"), (n + 1).to_string());
    }
    assert_eq!(starts.load(Ordering::Relaxed), 6);
}

#[test]
fn what_stands_before_the_start_can_keep_it_from_starting() {
    let dir = tempfile::tempdir().expect("a folder");
    let mut config = StoreConfig::new(config(), dir.path());
    config.before_start = Some(Arc::new(|_| Err("the log of tokens is unreadable".to_owned())));
    match Store::open(config).err() {
        Some(StoreError::Engine(EngineError::Unavailable(why))) => {
            assert!(why.contains("unreadable"), "{why}");
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn readers_read_what_is_declared_and_nothing_else() {
    let dir = tempfile::tempdir().expect("a folder");
    let mut config = StoreConfig::new(config(), dir.path());
    config.writable = vec!["hw_*".to_owned()];
    config.readable = vec!["data".to_owned(), "hw_live*".to_owned()];
    let store = Store::open(config).expect("opened");
    let (writers, readers) = (store.writers(), store.readers());
    for database in ["hw_live1", "hw_inner"] {
        change(writers, &format!("CREATE DATABASE {database} ENGINE = Atomic")).expect("made");
        change(writers, &format!("CREATE TABLE {database}.t (a Int8) ENGINE = MergeTree ORDER BY a"))
            .expect("made");
        writers.insert(Insert::new("t", ["a"], InputFormat::Csv, "1\n").database(database)).expect("written");
    }
    let denied =
        |warehouse: &Warehouse, sql: &str, allow| match warehouse.query(Request::new(sql).allow(allow)) {
            Err(EngineError::Statement(e)) => assert!(
                ["ACCESS_DENIED", "CANNOT_EXTRACT_TABLE_STRUCTURE"].contains(&e.name.as_str()),
                "{sql}: {e:?}"
            ),
            other => panic!("{sql}: {other:?}"),
        };
    assert_eq!(ask(readers, "SELECT * FROM hw_live1.t"), "1");
    assert_eq!(ask(readers, "SELECT sum(number) FROM numbers(4)"), "6");
    assert_eq!(ask(readers, "SHOW TABLES FROM hw_live1"), "t");
    denied(readers, "SELECT * FROM hw_inner.t", Allow::Reads);
    denied(readers, "SELECT * FROM merge('hw_inner', '.*')", Allow::Reads);
    assert_eq!(ask(readers, "SELECT count() FROM system.tables WHERE database = 'hw_inner'"), "0");
    // A hole that is known: the engine's own tables that belong to no database are everybody's, and all connections are one
    // user. The gate for user SQL has no system tables.
    assert_eq!(ask(readers, "SELECT count() FROM system.processes"), "1");
    denied(writers, "CREATE DATABASE other ENGINE = Atomic", Allow::Changes);
    denied(writers, "SYSTEM SHUTDOWN", Allow::Anything);
    for fence in [
        "SELECT * FROM file('/etc/passwd', LineAsString)",
        "SELECT * FROM default.`/etc/passwd`",
        "SELECT * FROM url('http://127.0.0.1:1', CSV, 'a Int8')",
    ] {
        denied(writers, fence, Allow::Reads);
        denied(readers, fence, Allow::Reads);
    }
    // What is granted to the other role cannot be had, even by what only we would send.
    for sql in [
        "SET ROLE writer",
        "SET readonly = 0",
        "DROP TABLE hw_live1.t",
        "INSERT INTO hw_live1.t VALUES (1)",
        "CREATE TEMPORARY TABLE x (a Int8)",
        "KILL QUERY WHERE 1",
    ] {
        let result = readers.query(Request::new(sql).allow(Allow::Anything));
        assert!(
            matches!(result, Err(EngineError::NotAllowed { allow: Allow::Reads, .. })),
            "{sql}: {result:?}"
        );
    }
    let insert = readers.insert(Insert::new("t", ["a"], InputFormat::Csv, "1\n").database("hw_live1"));
    assert!(matches!(insert, Err(EngineError::NotAllowed { class: Class::Changes, allow: Allow::Reads })));
    // Limits hold as everywhere.
    let result = readers.query(Request::new("SELECT 1 SETTINGS max_result_rows = 0"));
    assert!(matches!(result, Err(EngineError::Statement(e)) if e.name == "SETTING_CONSTRAINT_VIOLATION"));
    let result = readers.query(Request::new("SELECT 1 SETTINGS log_comment = 'lane-0'"));
    assert!(matches!(result, Err(EngineError::Statement(e)) if e.name == "SETTING_CONSTRAINT_VIOLATION"));
}

#[test]
fn connections_work_side_by_side_and_are_cancelled_one_by_one() {
    let dir = tempfile::tempdir().expect("a folder");
    let store = with_events(dir.path());
    let tickets = [store.readers().submit(endless()), store.readers().submit(endless())];
    std::thread::sleep(Duration::from_millis(200));
    // The writer is not held up by readers; a third reader waits.
    store.writers().insert(rows("1,x\n")).expect("written");
    let waiting = store.readers().submit(Request::new("SELECT count() FROM events"));
    let [first, second] = tickets;
    first.canceller().cancel();
    assert_eq!(text(waiting.wait()), "1");
    second.canceller().cancel();
    assert_eq!(second.wait(), Err(EngineError::Cancelled));
    let answer = store.readers().query(Request::new("SELECT 1")).expect("an answer");
    assert_eq!(answer.worker.life, 1, "nobody had to be killed");
}

#[test]
fn a_session_on_stored_data_leaves_settings_and_not_tables() {
    let dir = tempfile::tempdir().expect("a folder");
    let store = with_events(dir.path());
    let session = store.writers().session();
    session.query(Request::new("SET max_block_size = 7").allow(Allow::Anything)).expect("set");
    session.query(Request::new("CREATE TEMPORARY TABLE tt (a Int8)").allow(Allow::Anything)).expect("made");
    session.insert(rows("1,x\n")).expect("written");
    assert_eq!(text(session.query(Request::new("SELECT getSetting('max_block_size')"))), "7");
    drop(session);
    assert_eq!(ask(store.writers(), "SELECT getSetting('max_block_size') != 7, count() FROM events"), "1\t1");
    assert!(store.writers().query(Request::new("SELECT * FROM tt")).is_err());
    // A reader's session too.
    let session = store.readers().session();
    assert_eq!(text(session.query(Request::new("SELECT count() FROM events"))), "1");
    session.reset().expect("reset");
    assert_eq!(
        text(session.query(Request::new("SELECT currentRoles(), getSetting('readonly')"))),
        "['reader']\t2"
    );
}

fn large(rows: u64) -> Request {
    let limits = Limits {
        time: Duration::from_secs(60),
        result_rows: 10_000_000,
        result_bytes: 250_000_000,
        ..Limits::default()
    };
    Request::new(format!("SELECT number, toString(number) AS s FROM numbers({rows})"))
        .format(Format::JsonEachRow)
        .limits(limits)
}

#[test]
fn large_answers_come_in_pieces() {
    let dir = tempfile::tempdir().expect("a folder");
    let store = open(dir.path());
    let mut stream = store.readers().stream(large(3_000_000));
    let (mut lines, mut pieces) = (0_u64, 0);
    for piece in &mut stream {
        let piece = piece.expect("a piece");
        assert_eq!(piece.last(), Some(&b'\n'), "whole rows");
        lines += piece.iter().filter(|b| **b == b'\n').count() as u64;
        pieces += 1;
    }
    assert_eq!(lines, 3_000_000);
    assert!(pieces > 20, "{pieces}");
    let stats = stream.stats().expect("at the end");
    assert_eq!((stats.result_rows, stats.read_rows), (3_000_000, 3_000_000));
    assert!(stream.next().is_none());
    // None, with parameters, and what is no stream.
    let none = store.readers().stream(Request::new("SELECT {a:Int8} WHERE 0").param("a", "1")).count();
    assert_eq!(none, 0);
    let with: Vec<_> = store.readers().stream(Request::new("SELECT {a:Int8}").param("a", "1")).collect();
    assert_eq!(with, [Ok(b"1\n".to_vec())]);
    for (request, refusal) in [
        (Request::new("SELECT 1").format(Format::JsonCompact), "Invalid"),
        (Request::new("DROP TABLE x").allow(Allow::Anything), "NotAllowed"),
        (Request::new("SELECT 1; SELECT 2"), "SeveralStatements"),
        (Request::new("SELECT nope"), "UNKNOWN_IDENTIFIER"),
    ] {
        let all: Vec<_> = store.writers().stream(request).collect();
        assert!(matches!(&all[..], [Err(e)] if format!("{e:?}").contains(refusal)), "{all:?}");
    }
}

#[test]
fn a_stream_waits_for_its_reader_and_ends_when_nobody_reads() {
    let dir = tempfile::tempdir().expect("a folder");
    let store = open(dir.path());
    let mut stream = store.readers().stream(large(5_000_000));
    stream.next().expect("a piece").expect("no error");
    std::thread::sleep(Duration::from_millis(500));
    // While it waits, the other connections work, and its process holds no more than the window.
    assert_eq!(ask(store.readers(), "SELECT 1"), "1");
    assert_eq!(
        ask(
            store.writers(),
            "SELECT read_rows < 2000000 FROM system.processes WHERE query LIKE '%toString(number)%' AND query NOT LIKE '%processes%'"
        ),
        "1"
    );
    drop(stream);
    let start = Instant::now();
    while ask(
        store.writers(),
        "SELECT count() FROM system.processes WHERE query LIKE '%toString(number)%' AND query NOT LIKE '%processes%'",
    ) != "0"
    {
        assert!(start.elapsed() < Duration::from_secs(10));
    }
    // The connection is as good as before, many times.
    for _ in 0..10 {
        let mut stream = store.readers().stream(large(5_000_000));
        stream.next().expect("a piece").expect("no error");
    }
    assert_eq!(ask(store.readers(), "SELECT 1"), "1");
    // An error on the way is the last item.
    let failing =
        Request::new("SELECT throwIf(number = 900000) FROM numbers(1000000)").limits(large(1).limits);
    let all: Vec<_> = store.readers().stream(failing).collect();
    let Some((Err(EngineError::Statement(e)), before)) = all.split_last() else { panic!("{}", all.len()) };
    assert!(e.code == 395 && before.iter().all(Result::is_ok) && !before.is_empty());
    // Too much, cancelled, too slow: the process lives on in every case.
    let small = Limits { result_bytes: 3_000_000, ..large(1).limits };
    let last = store.readers().stream(large(1_000_000).limits(small)).last();
    assert!(matches!(last, Some(Err(EngineError::TooLarge { .. } | EngineError::Statement(_)))), "{last:?}");
    let mut stream = store.readers().stream(large(5_000_000));
    stream.next().expect("a piece").expect("no error");
    stream.canceller().cancel();
    assert_eq!(stream.last(), Some(Err(EngineError::Cancelled)));
    let quick = Limits { time: Duration::from_millis(300), ..large(1).limits };
    let mut stream = store.readers().stream(large(5_000_000).limits(quick));
    stream.next().expect("a piece").expect("no error");
    std::thread::sleep(Duration::from_millis(1500));
    let last = stream.last();
    assert!(matches!(last, Some(Err(EngineError::TimedOut(_) | EngineError::Statement(_)))), "{last:?}");
    assert_eq!(store.readers().query(Request::new("SELECT 1")).expect("an answer").worker.life, 1);
}
