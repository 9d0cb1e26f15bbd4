//! Statements and their answers.

use headwater_warehouse::{Allow, Class, EngineError, Format, Request};

use crate::{ask, config, error_name, pool, text};

#[test]
fn answers_come_in_the_format_that_was_asked_for() {
    let pool = pool();
    assert_eq!(ask(&pool, "SELECT 1"), "1");
    assert_eq!(ask(&pool, "SELECT 1;"), "1");
    assert_eq!(ask(&pool, "SELECT 1 -- ;\n;"), "1");
    let json = |sql: &str| text(pool.query(Request::new(sql).format(Format::JsonEachRow)));
    assert_eq!(json("SELECT 18446744073709551615 AS n, 'é' AS t"), r#"{"n":18446744073709551615,"t":"é"}"#);
    // Metrics have columns of their own.
    let metrics = "SELECT 'hits' AS name, 1 AS value";
    let metrics = text(pool.query(Request::new(metrics).format(Format::Prometheus)));
    assert!(metrics.contains("hits 1"), "{metrics}");
    for format in Format::ALL.into_iter().filter(|format| *format != Format::Prometheus) {
        assert!(!text(pool.query(Request::new("SELECT 1 AS a").format(format))).is_empty(), "{format:?}");
    }
    let nul = pool.query(Request::new("SELECT 'a\0b'").format(Format::TsvRaw)).expect("an answer");
    assert_eq!(nul.body, b"a\0b\n");
}

#[test]
fn parameters_are_values_and_never_text() {
    let pool = pool();
    let hostile = "x'); DROP TABLE t; --";
    let request = Request::new("SELECT {a:String}, {b:UInt8} + 1").param("a", hostile).param("b", "3");
    assert_eq!(text(pool.query(request.format(Format::TsvRaw))), format!("{hostile}\t4"));
    assert_eq!(error_name(&pool, Request::new("SELECT {a:String}")), "UNKNOWN_QUERY_PARAMETER");
}

#[test]
fn one_statement_at_a_time() {
    let pool = pool();
    let change = |sql: &str| pool.query(Request::new(sql).allow(Allow::Changes));
    change("CREATE TABLE t (a Int32) ENGINE = MergeTree ORDER BY a").expect("made");
    for two in [
        "SELECT 1; SELECT 2",
        "SELECT 1; DROP TABLE t",
        "SELECT 1;\n-- a comment\nDROP TABLE t;",
        "EXPLAIN AST SELECT 1; DROP TABLE t",
        "INSERT INTO t VALUES (1); DROP TABLE t",
        "DROP TABLE t PARALLEL WITH DROP TABLE t",
    ] {
        assert_eq!(change(two), Err(EngineError::SeveralStatements(2)), "{two}");
    }
    // The engine would run the first statement and then trip over the second: the text must not be run to find out.
    for broken in ["DROP TABLE t; (((", "DROP TABLE t; SELECT '", "DROP TABLE t; /* ", "DROP TABLE t; 1 +"] {
        assert!(matches!(change(broken), Err(EngineError::Statement(e)) if e.code == 62), "{broken}");
    }
    for none in ["", "  \n", "-- only a comment", "/* and */ ; ;"] {
        assert!(
            matches!(change(none), Err(EngineError::NoStatement | EngineError::Statement(_))),
            "{none:?}"
        );
    }
    assert_eq!(ask(&pool, "EXISTS TABLE t"), "1");
}

#[test]
fn a_statement_does_no_more_than_it_may() {
    let pool = pool();
    let class = |sql: &str, allow| pool.query(Request::new(sql).allow(allow)).map(|a| a.class);
    let refused = |class, allow| Err(EngineError::NotAllowed { class, allow });
    let (reads, changes) = (Allow::Reads, Allow::Changes);
    assert_eq!(class("CREATE TABLE t (a Int8) ENGINE = Null", reads), refused(Class::Changes, reads));
    assert_eq!(class("CREATE TABLE t (a Int8) ENGINE = Null", changes), Ok(Class::Changes));
    assert_eq!(class("SET max_threads = 1", changes), refused(Class::Control, changes));
    assert_eq!(class("SET max_threads = 1", Allow::Anything), Ok(Class::Control));
    assert_eq!(class("KILL QUERY WHERE 1", changes), refused(Class::Control, changes));
    assert_eq!(class("SELECT 1 INTO OUTFILE 'x.txt'", changes), refused(Class::Control, changes));
    assert_eq!(class("EXPLAIN SELECT 1 INTO OUTFILE 'x.txt'", changes), refused(Class::Control, changes));
    assert_eq!(class("INSERT INTO FUNCTION file('x') SELECT 1", changes), refused(Class::Control, changes));
    // Only parsed: nothing is run, and what may not be run is still told.
    assert_eq!(class("DROP TABLE t", Allow::Parse), Ok(Class::Changes));
    assert_eq!(class("SYSTEM SHUTDOWN", Allow::Parse), Ok(Class::Control));
    assert_eq!(ask(&pool, "EXISTS TABLE t"), "1");
    // The embedded engine's own default takes this for a SELECT.
    assert!(matches!(class("1 + 1", Allow::Parse), Err(EngineError::Statement(_))));
}

#[test]
fn errors_are_values() {
    let pool = pool();
    let Err(EngineError::Statement(e)) = pool.query(Request::new("SELECT a FROM t WHERE")) else {
        panic!("accepted")
    };
    assert_eq!((e.code, e.name.as_str()), (62, "SYNTAX_ERROR"));
    assert_eq!(e.position, Some(21), "{e}");
    assert!(e.message.starts_with("Syntax error") && !e.message.contains("formatQuery"), "{e}");
    let Err(EngineError::Statement(e)) = pool.query(Request::new("SELECT nope")) else { panic!("accepted") };
    assert_eq!((e.code, e.name.as_str(), e.position), (47, "UNKNOWN_IDENTIFIER", None));
    assert!(!e.message.starts_with("Code:"), "{e}");
}

#[test]
fn batches_are_answered_in_order() {
    let mut config = config();
    config.workers = 2;
    let pool = headwater_warehouse::Pool::new(config);
    let requests: Vec<_> = (0..500)
        .map(|n| Request::new(if n % 7 == 0 { "SELECT (".to_owned() } else { format!("SELECT {n}") }))
        .collect();
    let answers = pool.query_batch(requests);
    assert_eq!(answers.len(), 500);
    let mut slots = [0, 0];
    for (n, answer) in answers.into_iter().enumerate() {
        match answer {
            Ok(answer) => {
                slots[answer.worker.slot] += 1;
                assert_eq!(answer.text(), format!("{n}\n"));
            }
            Err(EngineError::Statement(e)) => assert!(n % 7 == 0 && e.code == 62),
            Err(other) => panic!("{n}: {other}"),
        }
    }
    assert!(slots.iter().all(|s| *s > 0), "{slots:?}");
    assert!(pool.query_batch(Vec::new()).is_empty());
}

#[test]
fn the_prelude_is_there_and_tables_live_as_long_as_their_worker() {
    let mut config = config();
    config.prelude = vec!["CREATE TABLE events (ts DateTime) ENGINE = MergeTree ORDER BY ts".to_owned()];
    let pool = headwater_warehouse::Pool::new(config);
    assert_eq!(
        ask(&pool, "SELECT name FROM system.columns WHERE database = 'work' AND table = 'events'"),
        "ts"
    );
    pool.query(Request::new("CREATE VIEW v AS SELECT ts FROM events").allow(Allow::Changes)).expect("made");
    assert_eq!(ask(&pool, "SHOW TABLES"), "events\nv");
}
