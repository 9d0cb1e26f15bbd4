//! Stored data under kill -9: of the engine's process in the middle of everything, and of its owner.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use headwater_warehouse::{
    Allow, EngineError, InputFormat, Insert, Limits, Request, Store, StoreConfig, Warehouse,
};

use crate::{config, text};

/// How often the engine is killed: 40 times, or what this says.
const KILLS: &str = "HEADWATER_TEST_KILLS";

/// Numbers that are the same in every run.
struct Seeded(u64);

impl Seeded {
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % end
    }
}

fn kill(pid: u32) -> bool {
    let pid = i32::try_from(pid).ok().and_then(rustix::process::Pid::from_raw);
    pid.is_some_and(|pid| rustix::process::kill_process(pid, rustix::process::Signal::KILL).is_ok())
}

fn change(warehouse: &Warehouse, sql: &str) -> Result<(), EngineError> {
    warehouse.query(Request::new(sql).allow(Allow::Changes)).map(drop)
}

#[test]
fn kills_in_the_middle_of_everything_leave_nothing_and_lose_nothing() {
    let kills: u64 = std::env::var(KILLS).ok().and_then(|n| n.parse().ok()).unwrap_or(40);
    let dir = tempfile::tempdir().expect("a folder");
    let scratch = tempfile::tempdir().expect("a folder");
    let mut engine = config();
    engine.scratch = scratch.path().to_owned();
    let mut config = StoreConfig::new(engine, dir.path());
    (config.writers, config.readers) = (2, 2);
    let store = Store::open(config.clone()).unwrap_or_else(|e| panic!("{e}"));
    let (writers, readers) = (store.writers(), store.readers());
    change(writers, "CREATE TABLE events (batch Int64, n Int64) ENGINE = MergeTree ORDER BY (batch, n)")
        .expect("made");

    let done = AtomicBool::new(false);
    let (answered, lost) = (AtomicU64::new(0), AtomicU64::new(0));
    // Size and fate of every batch.
    let batches = Mutex::new(BTreeMap::<u64, (u64, bool)>::new());
    let count = |result: Result<(), EngineError>| match result {
        Ok(()) => drop(answered.fetch_add(1, Ordering::Relaxed)),
        Err(EngineError::Crashed(_)) => drop(lost.fetch_add(1, Ordering::Relaxed)),
        // Killed several times before its first answer, the engine is given a rest.
        Err(EngineError::Unavailable(why)) if why.contains("it is tried again") => {
            std::thread::sleep(Duration::from_millis(20));
        }
        Err(other) => panic!("{other:?}"),
    };
    let mut pids = Vec::new();
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let mut random = Seeded(1);
            while !done.load(Ordering::Relaxed) {
                let rows = 1 + random.below(300_000);
                let sql = format!("SELECT sum(number) FROM numbers({rows})");
                count(readers.query(Request::new(sql)).map(|answer| {
                    assert_eq!(answer.text(), format!("{}\n", rows * (rows - 1) / 2));
                }));
            }
        });
        scope.spawn(|| {
            let mut random = Seeded(2);
            while !done.load(Ordering::Relaxed) {
                let rows = 1 + random.below(400_000);
                let mut lines = 0;
                let whole = readers
                    .stream(Request::new(format!("SELECT number FROM numbers({rows})")).limits(large()))
                    .try_for_each(|piece| {
                        lines += piece?.iter().filter(|b| **b == b'\n').count() as u64;
                        Ok(())
                    });
                // What is not whole says so.
                assert!(whole.is_err() || lines == rows, "{lines} of {rows}");
                count(whole);
            }
        });
        scope.spawn(|| {
            let mut random = Seeded(3);
            for batch in 0.. {
                if done.load(Ordering::Relaxed) {
                    return;
                }
                let rows = 1 + random.below(30_000);
                let data: String = (0..rows).map(|n| format!("{batch},{n}\n")).collect();
                let insert = Insert::new("events", ["batch", "n"], InputFormat::Csv, data);
                let result = writers.insert(insert);
                batches.lock().expect("whole").insert(batch, (rows, result.is_ok()));
                count(result.map(drop));
            }
        });
        scope.spawn(|| {
            let mut random = Seeded(4);
            while !done.load(Ordering::Relaxed) {
                let table = format!("t{}", random.below(3));
                let sql = format!("CREATE OR REPLACE TABLE {table} (a Int64) ENGINE = MergeTree ORDER BY a");
                count(change(writers, &sql));
                // A session's temporary table is gone with its process, and that is said.
                let session = writers.session();
                let steps = [
                    session.query(Request::new("CREATE TEMPORARY TABLE tt (a Int64)").allow(Allow::Anything)),
                    session.insert(Insert::new("tt", ["a"], InputFormat::Csv, "1\n2\n")),
                    session.query(Request::new("SELECT sum(a) FROM tt")),
                ];
                for step in steps {
                    match step {
                        Err(EngineError::SessionLost(_)) => {}
                        other => count(other.map(drop)),
                    }
                }
            }
        });
        let mut random = Seeded(42);
        while (pids.len() as u64) < kills {
            std::thread::sleep(Duration::from_millis(random.below(120)));
            let before = answered.load(Ordering::Relaxed);
            if let Some(pid) = store.pids().first().copied().filter(|pid| kill(*pid)) {
                pids.push(pid);
            }
            // The next statement works, each time.
            let start = Instant::now();
            while answered.load(Ordering::Relaxed) == before {
                assert!(start.elapsed() < Duration::from_secs(30), "nothing works any more");
                std::thread::sleep(Duration::from_millis(1));
            }
        }
        done.store(true, Ordering::Relaxed);
    });

    let batches = batches.into_inner().expect("whole");
    check(readers, &batches);
    let (answered, lost) = (answered.into_inner(), lost.into_inner());
    let acked = batches.values().filter(|(_, acked)| *acked).count();
    println!(
        "{kills} kills: {answered} answered, {lost} lost in flight, {acked} of {} batches acknowledged",
        batches.len()
    );
    // Four connections: no more than one statement in each is lost by a kill.
    assert!(lost <= 4 * kills && lost > 0 && answered > kills, "that was no test");
    pids.extend(store.pids());
    drop(store);
    // No process, no folder, no lock.
    for pid in pids {
        assert!(!Path::new(&format!("/proc/{pid}/exe")).exists(), "{pid} lives on");
    }
    assert_eq!(std::fs::read_dir(scratch.path()).expect("a folder").count(), 0);
    let store = Store::open(config).unwrap_or_else(|e| panic!("{e}"));
    check(store.readers(), &batches);
}

/// What was acknowledged is there, and what was not is there as a whole or not at all.
fn check(warehouse: &Warehouse, batches: &BTreeMap<u64, (u64, bool)>) {
    let counts = text(warehouse.query(
        Request::new("SELECT batch, count(), uniqExact(n) FROM events GROUP BY batch").limits(large()),
    ));
    let mut found = BTreeMap::new();
    for line in counts.lines() {
        let numbers: Vec<u64> = line.split('\t').map(|n| n.parse().expect("a number")).collect();
        assert_eq!(numbers[1], numbers[2], "doubled: {line}");
        found.insert(numbers[0], numbers[1]);
    }
    for (batch, (rows, acked)) in batches {
        match found.remove(batch) {
            Some(there) => assert_eq!(there, *rows, "batch {batch} is torn"),
            None => assert!(!acked, "batch {batch} was acknowledged and is gone"),
        }
    }
    assert!(found.is_empty(), "{found:?}");
}

fn large() -> Limits {
    Limits {
        time: Duration::from_secs(60),
        result_rows: 1_000_000,
        result_bytes: 100_000_000,
        ..Limits::default()
    }
}

/// The owner is killed, with a statement under way: whoever comes next opens the data, at once.
#[test]
fn an_owner_that_is_killed_leaves_the_data_to_the_next() {
    let dir = tempfile::tempdir().expect("a folder");
    for round in 1..=3_u64 {
        let mut owner = std::process::Command::new(std::env::current_exe().expect("a path"))
            .args(["--exact", "campaign::helper_an_owner_to_be_killed", "--nocapture"])
            .env(crate::HELPER, dir.path())
            .stdout(std::process::Stdio::piped())
            .spawn()
            .expect("it starts");
        let output = std::io::BufReader::new(owner.stdout.take().expect("a pipe"));
        let ready = std::io::BufRead::lines(output).map_while(Result::ok).any(|l| l.contains("engine "));
        assert!(ready, "it has the data");
        std::thread::sleep(Duration::from_millis(100));
        match Store::open(StoreConfig::new(config(), dir.path())).err().map(|e| e.to_string()) {
            Some(why) => assert!(why.contains(&format!("in use by process {}", owner.id())), "{why}"),
            None => panic!("two owners"),
        }
        owner.kill().expect("it ran");
        owner.wait().expect("it ended");
        let store = Store::open(StoreConfig::new(config(), dir.path())).unwrap_or_else(|e| panic!("{e}"));
        let sum = store.readers().query(Request::new("SELECT sum(a) FROM events"));
        assert_eq!(text(sum), round.to_string());
    }
}

/// Started by the test above; by itself it does nothing.
#[test]
fn helper_an_owner_to_be_killed() {
    let Some(dir) = std::env::var_os(crate::HELPER).filter(|dir| Path::new(dir).is_dir()) else { return };
    let store = Store::open(StoreConfig::new(config(), &dir)).unwrap_or_else(|e| panic!("{e}"));
    change(store.writers(), "CREATE TABLE IF NOT EXISTS events (a Int64) ENGINE = MergeTree ORDER BY a")
        .expect("made");
    store.writers().insert(Insert::new("events", ["a"], InputFormat::Csv, "1\n")).expect("written");
    let endless = "SELECT count() FROM numbers(1000000000000) WHERE NOT ignore(sipHash64(number))";
    let ticket = store.readers().submit(Request::new(endless).limits(large()));
    println!("engine {}", store.pids()[0]);
    let _ = ticket.wait();
}
