//! Workers that die: only the statement in them is lost, nothing stays behind, and a sick engine is not started for ever.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use headwater_warehouse::{EngineError, Limits, Pool, Request};

use crate::{ask, config};

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

#[test]
fn a_hundred_kills_lose_only_what_was_in_flight() {
    const KILLS: u64 = 100;
    let mut config = config();
    config.workers = 2;
    let pool = Pool::new(config);
    let done = AtomicBool::new(false);
    let (answered, lost) = (AtomicU64::new(0), AtomicU64::new(0));
    let kills = std::thread::scope(|scope| {
        for thread in 0..4_u64 {
            let (pool, done, answered, lost) = (&pool, &done, &answered, &lost);
            scope.spawn(move || {
                let mut random = Seeded(thread);
                let mut n = thread;
                while !done.load(Ordering::Relaxed) {
                    n += 4;
                    let rows = 1 + random.below(200_000);
                    // Alone and in groups: what waits behind a statement that is lost is not lost.
                    let several = if random.below(4) == 0 { 20 } else { 1 };
                    let requests = (n..n + several)
                        .map(|n| Request::new(format!("SELECT {n}, sum(number) FROM numbers({rows})")))
                        .collect();
                    let mut lost_here = 0;
                    for (n, answer) in (n..).zip(pool.query_batch(requests)) {
                        match answer {
                            Ok(answer) => {
                                assert_eq!(answer.text(), format!("{n}\t{}\n", rows * (rows - 1) / 2));
                                answered.fetch_add(1, Ordering::Relaxed);
                            }
                            Err(EngineError::Crashed(_)) => lost_here += 1,
                            // On a busy machine one worker may be killed several times before its first answer.
                            Err(EngineError::Unavailable(why)) if why.contains("it is tried again") => {
                                std::thread::sleep(Duration::from_millis(20));
                            }
                            Err(other) => panic!("{other}"),
                        }
                    }
                    lost.fetch_add(lost_here, Ordering::Relaxed);
                }
            });
        }
        let mut random = Seeded(42);
        let mut kills = 0;
        while kills < KILLS {
            std::thread::sleep(Duration::from_millis(random.below(120)));
            let before = answered.load(Ordering::Relaxed);
            let pids = pool.pids();
            let slot = usize::try_from(random.below(2)).expect("small");
            if pids.get(slot).is_some_and(|pid| kill(*pid)) {
                kills += 1;
            }
            // "During use": what is between two kills answers something.
            let start = Instant::now();
            while answered.load(Ordering::Relaxed) == before && start.elapsed() < Duration::from_secs(20) {
                std::thread::sleep(Duration::from_millis(1));
            }
        }
        done.store(true, Ordering::Relaxed);
        kills
    });
    let (answered, lost) = (answered.into_inner(), lost.into_inner());
    println!("{kills} kills, {lost} lost, {answered} answered");
    assert!(lost <= kills, "{lost} lost by {kills} kills");
    assert!(lost > 0 && answered > 10 * kills, "{lost} lost, {answered} answered: that was no test");
    assert_eq!(ask(&pool, "SELECT 1"), "1");
}

#[test]
fn a_death_says_what_was_seen_of_it_and_the_rest_of_the_batch_is_answered() {
    for point in ["query:3", "answer:3"] {
        let mut config = config();
        config.fault = point.to_owned();
        let pool = Pool::new(config);
        let batch = (0..5).map(|n| Request::new(format!("SELECT {n}"))).collect();
        let answers = pool.query_batch(batch);
        let kept: Vec<_> =
            answers.iter().map(|a| a.as_ref().map(|a| (a.text().into_owned(), a.worker.life))).collect();
        assert_eq!((&kept[0], &kept[1]), (&Ok(("0\n".into(), 1)), &Ok(("1\n".into(), 1))));
        let Err(EngineError::Crashed(why)) = &answers[2] else { panic!("{:?}", answers[2]) };
        assert!(why.contains("signal: 6") && why.contains("as asked for"), "{why}");
        assert_eq!((&kept[3], &kept[4]), (&Ok(("3\n".into(), 2)), &Ok(("4\n".into(), 2))));
    }
}

#[test]
fn a_statement_in_which_every_worker_dies_does_not_start_workers_for_ever() {
    let mut config = config();
    config.fault = "query:1".to_owned();
    let pool = Pool::new(config);
    let start = Instant::now();
    let answers = pool.query_batch((0..50).map(|_| Request::new("SELECT 1")).collect());
    let crashed = answers.iter().filter(|a| matches!(a, Err(EngineError::Crashed(_)))).count();
    assert_eq!(crashed, 4, "then it is given a rest");
    let Some(Err(EngineError::Unavailable(why))) = answers.last() else { panic!("{:?}", answers.last()) };
    assert!(why.contains("tried again in") && why.contains("last words"), "{why}");
    assert!(start.elapsed() < Duration::from_secs(20));
}

#[test]
fn what_cannot_start_says_why() {
    let unavailable = |config| match Pool::new(config).query(Request::new("SELECT 1")) {
        Err(EngineError::Unavailable(why)) => why,
        other => panic!("{other:?}"),
    };
    let mut none = config();
    none.library = "/nowhere/libchdb.so".into();
    assert!(unavailable(none).contains("/nowhere/libchdb.so does not load"));
    let mut other = config();
    other.library = std::env::current_exe().expect("a path");
    let why = unavailable(other);
    assert!(why.contains("does not load") || why.contains("chdb_connect"), "{why}");
    let mut program = config();
    program.program.path = "/nowhere/worker".into();
    assert!(unavailable(program).contains("/nowhere/worker cannot be started"));
    let mut dies = config();
    dies.fault = "start".to_owned();
    let why = unavailable(dies);
    assert!(why.contains("died while it started") && why.contains("as asked for"), "{why}");
    let mut prelude = config();
    prelude.prelude = vec!["CREATE TABLE x (a Nope) ENGINE = Null".to_owned()];
    assert!(unavailable(prelude).contains("CREATE TABLE x (a Nope)"));
}

#[test]
fn an_idle_worker_that_dies_costs_no_statement() {
    let pool = crate::pool();
    ask(&pool, "SELECT 1");
    let pids = pool.pids();
    assert!(kill(pids[0]));
    let start = Instant::now();
    while pool.pids() == pids || pool.pids().is_empty() {
        assert!(start.elapsed() < Duration::from_secs(20), "it is replaced before anybody asks");
        std::thread::sleep(Duration::from_millis(1));
    }
    assert_eq!(ask(&pool, "SELECT 1"), "1");
}

#[test]
fn noise_on_standard_output_breaks_nothing() {
    let mut config = config();
    config.fault = "noise:2".to_owned();
    let pool = Pool::new(config);
    for n in 1..5 {
        let answer = pool.query(Request::new(format!("SELECT {n}"))).expect("an answer");
        assert_eq!((answer.text().into_owned(), answer.worker.life), (format!("{n}\n"), 1));
    }
}

#[test]
fn nothing_stays_behind() {
    let folder = tempfile::tempdir().expect("a folder");
    let entries = || std::fs::read_dir(folder.path()).expect("readable").count();
    let mut config = config();
    config.scratch = folder.path().to_owned();
    let pool = Pool::new(config.clone());
    ask(&pool, "SELECT 1");
    assert_eq!(entries(), 1);
    let first = pool.pids()[0];
    kill(first);
    // The one in flight may be lost: this asks until one is answered.
    while pool.query(Request::new("SELECT 1")).is_err() {}
    assert_eq!(entries(), 1, "the folder of the dead one is gone");
    let last = pool.pids()[0];
    drop(pool);
    assert_eq!(entries(), 0);
    assert!(!kill(first) && !kill(last), "and so are the processes");
}

#[test]
fn a_worker_does_not_outlive_its_input() {
    use std::process::{Command, Stdio};
    let program = config().program.path;
    let mut child = Command::new(program)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("it starts");
    drop(child.stdin.take());
    let start = Instant::now();
    while child.try_wait().expect("its state").is_none() {
        assert!(start.elapsed() < Duration::from_secs(20));
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn a_worker_ends_with_its_parent_even_in_the_middle_of_a_statement() {
    // A parent of its own: this test's program, told to be it, and then killed.
    let mut parent = std::process::Command::new(std::env::current_exe().expect("a path"))
        .args(["--exact", "crash::helper_a_parent_to_be_killed", "--nocapture"])
        .env(crate::HELPER, "1")
        .stdout(std::process::Stdio::piped())
        .spawn()
        .expect("it starts");
    let output = std::io::BufReader::new(parent.stdout.take().expect("a pipe"));
    let line = std::io::BufRead::lines(output)
        .map_while(Result::ok)
        .find_map(|l| l.split_once("worker ").map(|(_, n)| n.to_owned()));
    let worker: u32 = line.expect("its worker").trim().parse().expect("a number");
    std::thread::sleep(Duration::from_millis(300));
    parent.kill().expect("it ran");
    parent.wait().expect("it ended");
    let pid = rustix::process::Pid::from_raw(i32::try_from(worker).expect("small")).expect("a number");
    let start = Instant::now();
    while rustix::process::test_kill_process(pid).is_ok() && !is_zombie(worker) {
        assert!(start.elapsed() < Duration::from_secs(20), "the worker lives on without its parent");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Dead, and nobody asked how: an orphan's new parent may take its time, or never ask in a container.
fn is_zombie(pid: u32) -> bool {
    std::fs::read_to_string(format!("/proc/{pid}/stat")).is_ok_and(|s| s.contains(") Z "))
}

/// Started by the test above; by itself it does nothing.
#[test]
fn helper_a_parent_to_be_killed() {
    if !crate::is_helper() {
        return;
    }
    let pool = crate::pool();
    ask(&pool, "SELECT 1");
    println!("worker {}", pool.pids()[0]);
    let limits = Limits { time: Duration::from_secs(60), ..Limits::default() };
    let _ =
        pool.query(Request::new("SELECT sum(sipHash64(number)) FROM numbers(1000000000000)").limits(limits));
}
