//! What statements cannot reach, and whose configuration counts.

use headwater_warehouse::{Allow, EngineError, Pool, PoolConfig, Request};

use crate::{ask, config, error_name, pool, text};

/// A configuration of clickhouse-local as a hostile project would hold it.
const HOSTILE: &str = "<clickhouse><max_server_memory_usage>123456789</max_server_memory_usage></clickhouse>";

#[test]
fn configuration_files_lying_around_are_not_read() {
    let folder = tempfile::tempdir().expect("a folder");
    let home = folder.path().join(".clickhouse-local");
    std::fs::create_dir(&home).expect("a folder");
    for file in ["config.xml", "config.yaml", ".clickhouse-local/config.xml"] {
        std::fs::write(folder.path().join(file), HOSTILE).expect("a file");
    }
    // The program that asks is started in that folder with that home, by a process of its own.
    let output = std::process::Command::new(std::env::current_exe().expect("a path"))
        .args(["--exact", "fence::helper_ask_for_the_memory_limit", "--nocapture"])
        .current_dir(folder.path())
        .env("HOME", folder.path())
        .env(crate::HELPER, "1")
        .output()
        .expect("it starts");
    let output = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.contains("limit 4000000000 "), "{output}");
}

/// Started by the test above; by itself it does nothing.
#[test]
fn helper_ask_for_the_memory_limit() {
    if !crate::is_helper() {
        return;
    }
    let pool = pool();
    println!(
        "limit {} ",
        ask(&pool, "SELECT value FROM system.server_settings WHERE name = 'max_server_memory_usage'")
    );
}

#[test]
fn our_own_configuration_counts() {
    let mut config = config();
    config.server_memory = 3_000_000_000;
    assert_eq!(ask(&Pool::new(config), "SELECT getServerSetting('max_server_memory_usage')"), "3000000000");
}

#[test]
fn files_networks_and_the_process_are_out_of_reach() {
    let folder = tempfile::tempdir().expect("a folder");
    let secret = folder.path().join("secret.txt");
    std::fs::write(&secret, "secret").expect("a file");
    let path = secret.display();
    let pool = pool();
    ask(&pool, "SELECT 1");
    for sql in [
        format!("SELECT * FROM file('{path}', 'LineAsString')"),
        format!("SELECT * FROM file('{path}', 'LineAsString', 'a String')"),
        format!("SELECT * FROM default.`{path}`"),
        "SELECT * FROM url('http://127.0.0.1:9/', 'LineAsString', 'a String')".to_owned(),
        "SELECT * FROM s3('http://localhost:9/bucket/k.csv', 'CSV', 'a String')".to_owned(),
        "SELECT * FROM remote('127.0.0.1:9', 'system', 'one')".to_owned(),
        "SELECT * FROM mysql('127.0.0.1:9', 'd', 't', 'u', 'p')".to_owned(),
        "SELECT * FROM postgresql('127.0.0.1:9', 'd', 't', 'u', 'p')".to_owned(),
        "SELECT * FROM system.users".to_owned(),
        "CREATE TABLE x (a String) ENGINE = URL('http://127.0.0.1:9/', 'CSV')".to_owned(),
        "CREATE TABLE x (a String) ENGINE = File(CSV)".to_owned(),
        "CREATE TABLE x (a String) ENGINE = S3('http://127.0.0.1:9/b/k', 'NOSIGN', 'CSV')".to_owned(),
        "CREATE TABLE x (a String) ENGINE = Kafka('127.0.0.1:9', 't', 'g', 'CSV')".to_owned(),
        "CREATE TABLE x AS file('x.csv', 'CSV', 'a String')".to_owned(),
        "CREATE DATABASE other".to_owned(),
        "CREATE DATABASE other ENGINE = MySQL('127.0.0.1:9', 'd', 'u', 'p')".to_owned(),
        "CREATE FUNCTION f AS a -> a + 1".to_owned(),
        "CREATE USER u".to_owned(),
        "CREATE NAMED COLLECTION n AS a = 1".to_owned(),
        format!(
            "CREATE DICTIONARY d (a UInt64) PRIMARY KEY a SOURCE(FILE(path '{path}' format 'CSV')) LIFETIME(0) LAYOUT(FLAT())"
        ),
        "SYSTEM SHUTDOWN".to_owned(),
        "SYSTEM KILL".to_owned(),
        "SYSTEM DROP MARK CACHE".to_owned(),
        "SYSTEM ENABLE FAILPOINT replicated_merge_tree_commit_zk_fail_after_op".to_owned(),
        format!("INSERT INTO FUNCTION file('{path}', 'CSV', 'a String') SELECT 'x'"),
        format!("BACKUP DATABASE work TO File('{path}.zip')"),
        "ATTACH TABLE x FROM '/tmp/x' (a Int8) ENGINE = Memory".to_owned(),
    ] {
        // Even for statements of our own: these are the grants, behind the classes.
        let name = error_name(&pool, Request::new(&sql).allow(Allow::Anything));
        assert!(["ACCESS_DENIED", "PATH_ACCESS_DENIED"].contains(&name.as_str()), "{name}: {sql}");
    }
    assert_eq!(std::fs::read_to_string(&secret).expect("a file"), "secret");
    let answer = pool.query(Request::new("SELECT 1")).expect("an answer");
    assert_eq!(answer.worker.life, 1, "none of them ended the process");
}

/// An engine that only its grants hold back: what they leave open is what the layer behind them is for.
fn unconfined() -> Pool {
    let mut config = config();
    config.confine = false;
    Pool::new(config)
}

/// Known holes of the grants. When the engine closes one, this fails and the crate's page can be shortened.
#[test]
fn the_holes_that_the_crates_page_names() {
    let folder = tempfile::tempdir().expect("a folder");
    let secret = folder.path().join("secret.txt");
    std::fs::write(&secret, "secret").expect("a file");
    let pool = unconfined();
    assert_eq!(ask(&pool, &format!("SELECT file('{}')", secret.display())), "secret");
    let out = folder.path().join("out.csv");
    let sql = format!("SELECT 'x' INTO OUTFILE '{}' FORMAT CSV", out.display());
    let _ = pool.query(Request::new(sql).allow(Allow::Anything));
    assert!(out.exists(), "INTO OUTFILE writes");
}

/// The same holes, behind the system's own rules. Where the kernel has none, that is said and shown by the test above.
#[test]
#[cfg(target_os = "linux")]
fn the_system_keeps_the_engine_to_its_folder() {
    let folder = tempfile::tempdir().expect("a folder");
    let secret = folder.path().join("secret.txt");
    std::fs::write(&secret, "secret").expect("a file");
    let pool = pool();
    ask(&pool, "SELECT 1");
    if let Some(open) = pool.unconfined() {
        println!("not tested here: {open}");
        return;
    }
    let parent = std::process::id();
    for path in [
        secret.display().to_string(),
        "/etc/passwd".to_owned(),
        "/etc/hostname".to_owned(),
        format!("/proc/{parent}/environ"),
        format!("/proc/{parent}/cmdline"),
        std::env::current_exe().expect("a path").display().to_string(),
    ] {
        let answer = pool.query(Request::new(format!("SELECT length(file('{path}'))")));
        assert!(matches!(&answer, Err(EngineError::Statement(_))), "{path}: {answer:?}");
    }
    let out = folder.path().join("out.csv");
    for path in [out.display().to_string(), "/tmp/headwater-outfile".to_owned()] {
        let sql = format!("SELECT 'x' INTO OUTFILE '{path}' FORMAT CSV");
        let answer = pool.query(Request::new(sql).allow(Allow::Anything));
        assert!(matches!(&answer, Err(EngineError::Statement(_))), "{path}: {answer:?}");
        assert!(!std::path::Path::new(&path).exists(), "{path}");
    }
    assert_eq!(std::fs::read_to_string(&secret).expect("a file"), "secret");
    let answer = pool.query(Request::new("SELECT 1")).expect("an answer");
    assert_eq!(answer.worker.life, 1, "none of them ended the process");
    let pid = pool.pids()[0];
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).expect("its status");
    for line in ["NoNewPrivs:\t1", "Seccomp:\t2", "Seccomp_filters:\t2"] {
        assert!(status.contains(line), "{line} is not in {status}");
    }
}

#[test]
fn nothing_of_the_environment_reaches_the_engine() {
    let pool = pool();
    let environment = ask(&pool, "SELECT file('/proc/self/environ')").replace("\\0", "\n");
    let names: Vec<_> = environment.lines().filter_map(|l| l.split_once('=').map(|(name, _)| name)).collect();
    assert_eq!(names, ["HOME", "LANG", "TMPDIR", "TZ"]);
}

#[test]
fn harmless_tables_and_functions_work() {
    let pool = pool();
    let change = |sql: &str| text(pool.query(Request::new(sql).allow(Allow::Changes)));
    change(
        "CREATE TABLE events (ts DateTime, country LowCardinality(String)) ENGINE = MergeTree PARTITION BY toYYYYMM(ts) ORDER BY ts",
    );
    change(
        "CREATE TABLE daily (day Date, hits AggregateFunction(count)) ENGINE = AggregatingMergeTree ORDER BY day",
    );
    change(
        "CREATE MATERIALIZED VIEW mv TO daily AS SELECT toDate(ts) AS day, countState() AS hits FROM events GROUP BY day",
    );
    change("INSERT INTO events VALUES ('2026-01-01 00:00:00', 'at'), ('2026-01-02 00:00:00', 'de')");
    assert_eq!(ask(&pool, "SELECT countMerge(hits) FROM daily"), "2");
    change("ALTER TABLE events ADD COLUMN city String");
    change("CREATE TABLE landing (a Int8) ENGINE = Null");
    assert_eq!(ask(&pool, "SELECT sum(a) FROM values('a Int8', 1, 2)"), "3");
    assert_eq!(ask(&pool, "SELECT count() FROM numbers(3)"), "3");
    assert_eq!(ask(&pool, "SELECT sum(a) FROM format(JSONEachRow, '{\"a\":1}')"), "1");
    assert!(ask(&pool, "DESCRIBE (SELECT ts, count() FROM events GROUP BY ts)").starts_with("ts\tDateTime"));
    assert!(ask(&pool, "EXPLAIN AST SELECT 1").starts_with("SelectWithUnionQuery"));
    change("DROP TABLE mv");
}

#[test]
fn a_statement_cannot_change_the_limits_of_the_next() {
    let pool = pool();
    let own = Request::new("SET max_result_rows = 9000000").allow(Allow::Anything);
    pool.query(own).expect("within what the pool allows");
    let many = Request::new("SELECT number FROM numbers(200000)");
    assert_eq!(error_name(&pool, many), "TOO_MANY_ROWS_OR_BYTES");
    let other: PoolConfig = config();
    let more =
        Request::new(format!("SET max_memory_usage = {}", other.most.memory + 1)).allow(Allow::Anything);
    assert!(
        matches!(pool.query(more), Err(EngineError::Statement(e)) if e.name == "SETTING_CONSTRAINT_VIOLATION")
    );
}
