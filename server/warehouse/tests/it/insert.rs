//! Rows that go in: whatever bytes they are, all of them or none.

use std::time::{Duration, Instant};

use headwater_warehouse::{Allow, EngineError, InputFormat, Insert, Limits, Pool, Request, Session};

use crate::{config, pool, text};

const EVENTS: &str = "CREATE TABLE events (a Int64, s String, d DateTime DEFAULT '2020-01-02 03:04:05') ENGINE = MergeTree ORDER BY a";

fn session_with(pool: &Pool, table: &str) -> Session {
    let session = pool.session();
    session.query(Request::new(table).allow(Allow::Changes)).expect("made");
    session
}

fn ask(session: &Session, sql: &str) -> String {
    text(session.query(Request::new(sql)))
}

fn rows(format: InputFormat, data: impl Into<Vec<u8>>) -> Insert {
    Insert::new("events", ["a", "s"], format, data)
}

fn refused(result: Result<headwater_warehouse::Answer, EngineError>) -> headwater_warehouse::StatementError {
    match result {
        Err(EngineError::Statement(e)) => e,
        other => panic!("expected the engine's refusal, got {other:?}"),
    }
}

#[test]
fn hostile_rows_are_rows() {
    let pool = pool();
    let session = session_with(&pool, EVENTS);
    let hostile = [
        "x\n\nDROP TABLE events;\n",
        "'); DROP TABLE events; --",
        ";\n;\n;",
        "\\'\\\\\"\\\"",
        "a\0b\0",
        "\u{feff}\u{2028}é\r\n\t",
        "` /* -- */ # $$",
        "FORMAT JSONEachRow {\"a\":1}",
        "{a:String} {{ b }}",
    ];
    let mut payload = Vec::new();
    for (n, value) in hostile.iter().enumerate() {
        let quoted: String = value
            .chars()
            .map(|c| match c {
                '"' | '\\' => format!("\\{c}"),
                c if c < ' ' => format!("\\u{:04x}", c as u32),
                c => c.to_string(),
            })
            .collect();
        payload.extend_from_slice(
            format!("\n\n  {{\"a\": {n}, \"s\": \"{quoted}\"}}\r\n\n;\n").replace(";\n", "\n").as_bytes(),
        );
    }
    let answer = session.insert(rows(InputFormat::JsonEachRow, payload)).expect("written");
    assert_eq!(answer.stats.written_rows, hostile.len() as u64);
    for (n, value) in hostile.iter().enumerate() {
        let request = Request::new("SELECT s = {v:String}, d FROM events WHERE a = {n:Int64}");
        // Parameters come in the engine's escaped form.
        let escaped =
            value.replace('\\', "\\\\").replace('\t', "\\t").replace('\n', "\\n").replace('\0', "\\0");
        let answer = session.query(request.param("v", escaped).param("n", n.to_string()));
        assert_eq!(text(answer), "1\t2020-01-02 03:04:05", "{value:?}");
    }
    // As CSV and as bare lines, with the bytes themselves.
    session
        .insert(rows(InputFormat::Csv, &b"100,\"a;\n\nDROP TABLE events;\0\xff\"\n"[..]))
        .expect("written");
    assert_eq!(
        ask(&session, "SELECT hex(s) FROM events WHERE a = 100"),
        hex(b"a;\n\nDROP TABLE events;\0\xff")
    );
    let lines =
        Insert::new("events", ["s"], InputFormat::LineAsString, &b"SELECT 1;\n\nDROP TABLE events\n"[..]);
    session.insert(lines).expect("written");
    assert_eq!(
        ask(
            &session,
            "SELECT groupArray(s) FROM (SELECT s FROM events WHERE a = 0 AND s != '' AND s LIKE '%E%' ORDER BY s)"
        ),
        "['DROP TABLE events','SELECT 1;','x\\n\\nDROP TABLE events;\\n']"
    );
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02X}")).collect()
}

#[test]
fn names_are_names() {
    let pool = pool();
    let session =
        session_with(&pool, "CREATE TABLE `a;b``c\\\\ 'd'` (`x y` Int8, `;--` String) ENGINE = Memory");
    let insert = Insert::new("a;b`c\\ 'd'", ["x y", ";--"], InputFormat::Csv, "1,a\n").database("work");
    session.insert(insert).expect("written");
    assert_eq!(ask(&session, "SELECT * FROM `a;b``c\\\\ 'd'`"), "1\ta");
}

#[test]
fn an_error_on_the_way_leaves_nothing() {
    let pool = pool();
    let session = session_with(&pool, EVENTS);
    let count = || ask(&session, "SELECT count() FROM events");
    // More than the engine's own size of a block, so that it would have been cut.
    let mut many: Vec<u8> = (0..1_500_000).flat_map(|n| format!("{n},s\n").into_bytes()).collect();
    many.extend_from_slice(b"oops,s\n");
    let error = refused(session.insert(rows(InputFormat::Csv, many.clone())));
    assert_eq!(error.row(), Some(1_500_001), "{error}");
    assert!(error.message.contains("oops"), "{error}");
    assert_eq!(count(), "0");
    // Without the settings that make it one block, the test would not see the difference.
    let mut cut = rows(InputFormat::Csv, many);
    for (name, value) in [("max_insert_block_size", "100000"), ("min_insert_block_size_rows", "0")] {
        cut = cut.setting(name, value);
    }
    refused(session.insert(cut));
    assert_ne!(count(), "0", "small blocks are committed one by one");
    // Half a row, an unknown table, an unknown column, an unknown setting, broken files.
    let wrong = [
        rows(InputFormat::JsonEachRow, "{\"a\":1,\"s\":\"x"),
        Insert::new("nowhere", ["a"], InputFormat::Csv, "1\n"),
        Insert::new("events", ["nope"], InputFormat::Csv, "1\n"),
        rows(InputFormat::Csv, "1,x\n").setting("no_such_setting", "1"),
        rows(InputFormat::Parquet, "PAR1 but not really"),
        rows(InputFormat::Native, vec![255; 100]),
        rows(InputFormat::Csv, "1,x\n").setting("max_memory_usage", "0"),
    ];
    let before = count();
    for insert in wrong {
        let shown = format!("{insert:?}");
        let error = refused(session.insert(insert));
        assert!(error.code > 0 && !error.message.is_empty(), "{shown}: {error:?}");
        assert_eq!(count(), before, "{shown}");
    }
    let none = session.insert(Insert::new("events", [] as [&str; 0], InputFormat::Csv, "1\n"));
    assert!(matches!(none, Err(EngineError::Invalid(_))), "{none:?}");
    // No rows are no error.
    assert_eq!(session.insert(rows(InputFormat::JsonEachRow, "")).expect("nothing").stats.written_rows, 0);
    assert_eq!(
        session.query(Request::new("SELECT 1")).expect("an answer").worker.life,
        1,
        "the first worker still"
    );
}

#[test]
fn fifty_megabytes_go_in_at_once() {
    let pool = pool();
    let session = session_with(&pool, EVENTS);
    let line = format!("{{\"a\":1,\"s\":\"{}\"}}\n", "x; ".repeat(330));
    let count = 52_000_000 / line.len();
    let insert = rows(InputFormat::JsonEachRow, line.repeat(count))
        .limits(Limits { time: Duration::from_secs(60), ..Limits::default() });
    assert!(insert.data.len() > 50_000_000);
    let answer = session.insert(insert.clone()).expect("written");
    assert_eq!(answer.stats.written_rows, count as u64);
    assert_eq!(ask(&session, "SELECT count(), uniqExact(_part) FROM events"), format!("{count}\t1"));
    // Its memory is limited like a statement's.
    let small = insert.limits(Limits { memory: 20_000_000, ..Limits::default() });
    assert_eq!(refused(session.insert(small)).name, "MEMORY_LIMIT_EXCEEDED");
    assert_eq!(ask(&session, "SELECT count() FROM events"), count.to_string());
}

#[test]
fn too_much_is_refused_before_it_is_sent() {
    let mut config = config();
    config.most_insert = 10;
    let pool = Pool::new(config);
    let session = session_with(&pool, EVENTS);
    let result = session.insert(rows(InputFormat::Csv, "1,xxxxxxxxx\n"));
    assert_eq!(result, Err(EngineError::InsertTooLarge { bytes: 12, limit: 10 }));
    session.insert(rows(InputFormat::Csv, "1,x\n")).expect("written");
}

#[test]
fn a_token_counts_once() {
    let pool = pool();
    let session = session_with(
        &pool,
        "CREATE TABLE events (a Int64, s String) ENGINE = MergeTree ORDER BY a SETTINGS non_replicated_deduplication_window = 100",
    );
    for (token, expected) in [("t1", "1"), ("t1", "1"), ("t2", "2"), ("it's\\;", "3"), ("it's\\;", "3")] {
        session.insert(rows(InputFormat::Csv, "1,x\n").token(token)).expect("written");
        assert_eq!(ask(&session, "SELECT count() FROM events"), expected, "{token}");
    }
}

#[test]
fn a_cancelled_insert_writes_nothing_and_keeps_the_session() {
    let pool = pool();
    let session = session_with(&pool, EVENTS);
    let data: Vec<u8> = (0..6_000_000).flat_map(|n| format!("{n},some text\n").into_bytes()).collect();
    let insert =
        rows(InputFormat::Csv, data).limits(Limits { time: Duration::from_secs(60), ..Limits::default() });
    for pause in [0, 20, 100, 300] {
        let ticket = session.submit_insert(insert.clone());
        std::thread::sleep(Duration::from_millis(pause));
        let start = Instant::now();
        ticket.canceller().cancel();
        assert_eq!(ticket.wait(), Err(EngineError::Cancelled), "after {pause} ms");
        assert_eq!(ask(&session, "SELECT count() FROM events"), "0", "after {pause} ms");
        assert!(start.elapsed() < Duration::from_secs(10));
    }
}
