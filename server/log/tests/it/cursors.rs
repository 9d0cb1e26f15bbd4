//! Consumers: ranges that are cut once, and what a crash leaves of them.

use std::sync::Arc;

use headwater_log::simulated::SimulatedDisk;
use headwater_log::{
    AppendError, Audience, Body, Cursors, Draft, Limits, Log, LogError, Next, Progress, Range, Record,
    ReleaseId, cut,
};

use crate::support::{draft, open};

const LIMITS: Limits = Limits { rows: 3, bytes: 1_000 };

fn cursors(disk: &SimulatedDisk, head: u64) -> Result<Cursors, LogError> {
    Cursors::open(Arc::new(disk.clone()), 7, head)
}

/// Cuts until there is nothing more; one line for each range.
fn cut_all(log: &Log, accept: &dyn Fn(&Record) -> bool) -> Vec<String> {
    let mut reader = log.read("hits", 1);
    let (mut applied, mut lines) = (0, Vec::new());
    loop {
        let (range, what) = match cut(&mut reader, applied, LIMITS, accept).expect("whole") {
            Next::Rows(range, records) => (range, format!("{} records", records.len())),
            Next::Effect(range, _) => (range, "effect".into()),
            Next::Nothing(up_to) => {
                lines.push(format!("nothing up to {up_to}"));
                return lines;
            }
        };
        lines.push(format!("{} {what}", range.token("hits_1")));
        applied = range.to;
    }
}

#[test]
fn a_range_crosses_no_effect_and_no_release() {
    let log = open(&SimulatedDisk::new()).expect("an empty disk");
    let send = |draft: Draft| log.append(draft).expect("there is room");
    for at in 0..5 {
        send(draft("hits", format!("{at}")));
        send(draft("events", "of another stream"));
    }
    send(Draft { body: Body::Effect, ..draft("hits", "delete") });
    send(draft("hits", "after"));
    send(Draft { release: ReleaseId([2; 32]), ..draft("hits", "of the next release") });
    send(draft("hits", vec![1; 800]));
    send(draft("hits", vec![1; 800]));
    send(Draft { audience: Audience::Staging(4), ..draft("hits", "staged") });
    expect_test::expect![[r#"
        hits_1:1-5 3 records
        hits_1:6-9 2 records
        hits_1:10-11 effect
        hits_1:12-12 1 records
        hits_1:13-13 1 records
        hits_1:14-14 1 records
        hits_1:15-15 1 records
        nothing up to 16"#]]
    .assert_eq(&cut_all(&log, &|record| record.draft.audience == Audience::Live).join("\n"));
}

#[test]
fn a_declared_range_is_never_cut_anew() {
    let disk = SimulatedDisk::new();
    let log = open(&disk).expect("an empty disk");
    for at in 0..4 {
        log.append(draft("hits", format!("{at}"))).expect("there is room");
    }
    let mut consumers = cursors(&disk, log.head()).expect("none yet");
    consumers.begin("hits_1", 0, true).expect("there is room");
    let Next::Rows(range, first) = cut(&mut log.read("hits", 1), 0, LIMITS, &|_| true).expect("whole") else {
        panic!("there are rows")
    };
    consumers.declare("hits_1", range).expect("there is room");
    // More arrives; a crash; more would fit now, and is not taken.
    log.append(draft("hits", "late")).expect("there is room");
    let disk = disk.after_crash(&mut fastrand::Rng::with_seed(3));
    let log = open(&disk).expect("whole");
    let mut consumers = cursors(&disk, log.head()).expect("whole");
    assert_eq!(
        consumers.progress("hits_1"),
        Some(Progress { applied: 0, declared: Some(range), pins: true })
    );
    let wider = Range { to: 5, ..range };
    assert!(matches!(consumers.declare("hits_1", wider), Err(AppendError::Failed(_))));
    consumers.declare("hits_1", range).expect("the same again");
    let again: Vec<Record> = {
        let mut reader = log.read("hits", range.from);
        std::iter::from_fn(|| reader.next().expect("whole"))
            .take_while(|record| record.position <= range.to)
            .collect()
    };
    assert_eq!(again, first);
    consumers.applied("hits_1").expect("there is room");
    assert!(matches!(consumers.applied("hits_1"), Err(AppendError::Failed(_))));
    assert_eq!(
        cursors(&disk, log.head()).expect("whole").progress("hits_1").map(|it| it.applied),
        Some(range.to)
    );
}

#[test]
fn what_comes_next_is_what_comes_next() {
    let disk = SimulatedDisk::new();
    let mut consumers = cursors(&disk, 100).expect("none yet");
    let range = |from, to| Range { from, to, release: ReleaseId::default(), effect: false };
    assert!(
        matches!(consumers.declare("hits_1", range(1, 2)), Err(AppendError::Failed(_))),
        "nobody of this name"
    );
    consumers.begin("hits_1", 10, true).expect("there is room");
    for wrong in [range(10, 12), range(12, 13), range(11, 10)] {
        assert!(matches!(consumers.declare("hits_1", wrong), Err(AppendError::Failed(_))), "{wrong:?}");
    }
    consumers.declare("hits_1", range(11, 13)).expect("it is next");
    consumers.pass("hits_1", 50);
    assert_eq!(
        consumers.progress("hits_1").map(|it| it.applied),
        Some(10),
        "nothing is passed while a range is open"
    );
    consumers.skip("hits_1", "its rows are in quarantine").expect("there is room");
    consumers.pass("hits_1", 50);
    consumers.begin("branch", 5, false).expect("there is room");
    assert_eq!(consumers.needed(), Some(51), "a branch does not hold the log");
    consumers.end("hits_1").expect("it is there");
    assert_eq!(consumers.needed(), None);
}

#[test]
fn a_log_that_lost_its_end_is_found_out() {
    let disk = SimulatedDisk::new();
    let mut consumers = cursors(&disk, 100).expect("none yet");
    consumers.begin("hits_1", 90, true).expect("there is room");
    drop(consumers);
    assert!(matches!(cursors(&disk, 80), Err(LogError::Lost { from: 81, to: 90 })));
}

/// Whatever the crash, a cursor is where it was acknowledged to be, or one step ahead.
#[test]
fn cursors_survive_a_crash_at_every_operation() {
    let run = |disk: &SimulatedDisk| {
        let mut reached = (0, None);
        let Ok(mut consumers) = cursors(disk, 1_000) else { return None };
        if consumers.begin("hits_1", 0, true).is_err() {
            return None;
        }
        for step in 0..20 {
            let range =
                Range { from: step * 3 + 1, to: step * 3 + 3, release: ReleaseId::default(), effect: false };
            if consumers.declare("hits_1", range).is_err() {
                break;
            }
            reached = (step * 3, Some(range));
            if consumers.applied("hits_1").is_err() {
                break;
            }
            reached = (step * 3 + 3, None);
        }
        Some(reached)
    };
    let whole = SimulatedDisk::new();
    run(&whole);
    for stop in 1..=whole.operations() {
        for seed in 0..6 {
            let disk = SimulatedDisk::new();
            disk.stop_at(stop);
            let reached = run(&disk);
            let disk = disk.after_crash(&mut fastrand::Rng::with_seed(seed));
            let found = cursors(&disk, 1_000).expect("a crash is no damage").progress("hits_1");
            let Some((applied, declared)) = reached else { continue };
            let found = found.expect("it was begun");
            let next =
                Range { from: applied + 1, to: applied + 3, release: ReleaseId::default(), effect: false };
            let possible = match declared {
                None => [(applied, None), (applied, Some(next))],
                Some(range) => [(applied, Some(range)), (range.to, None)],
            };
            assert!(possible.contains(&(found.applied, found.declared)), "{found:?}, but {possible:?}");
        }
    }
}

#[test]
fn the_file_of_cursors_stays_small() {
    let disk = SimulatedDisk::new();
    let mut consumers = cursors(&disk, 1_000_000).expect("none yet");
    consumers.begin("hits_1", 0, true).expect("there is room");
    for step in 0..9_000 {
        let range = Range { from: step + 1, to: step + 1, release: ReleaseId::default(), effect: false };
        consumers.declare("hits_1", range).expect("it is next");
        consumers.applied("hits_1").expect("there is room");
    }
    let size = disk.content("cursors").expect("a file").len();
    assert!(size < 1_100_000, "{size} bytes");
    assert_eq!(
        cursors(&disk, 1_000_000).expect("whole").progress("hits_1").map(|it| it.applied),
        Some(9_000)
    );
}

#[test]
fn consumers_of_one_cut_stay_behind_each_other_and_skip_by_themselves() {
    let disk = SimulatedDisk::new();
    let log = open(&disk).expect("an empty disk");
    for at in 0..6 {
        log.append(draft("hits", format!("{at}"))).expect("there is room");
    }
    let mut consumers = cursors(&disk, log.head()).expect("none yet");
    let names: [Arc<str>; 2] = ["hits_1".into(), "view_1".into()];
    for name in &names {
        consumers.begin(name, 0, true).expect("there is room");
    }
    let range = |from, to| Range { from, to, release: ReleaseId::default(), effect: false };
    consumers.declare_for(&names, range(1, 2)).expect("the first");
    consumers.declare_for(&names, range(3, 4)).expect("the next, though nobody has applied the first");
    assert!(consumers.declare_for(&names, range(6, 6)).is_err(), "a hole");
    consumers.applied("hits_1").expect("declared");
    consumers.applied_all(&names).expect("declared for both");
    assert!(consumers.applied_all(&names).is_err(), "the first has applied all");
    consumers.skip("view_1", "a division by zero").expect("declared");
    consumers.declare_for(&names, range(5, 6)).expect("the next");
    let check = |consumers: &Cursors| {
        let applied = names.each_ref().map(|name| consumers.progress(name).expect("known").applied);
        assert_eq!(applied, [4, 4]);
        let declared: Vec<Range> = consumers.declared("view_1").collect();
        assert_eq!(declared, [range(5, 6)]);
        let skipped = consumers.skipped("view_1");
        assert_eq!(
            (skipped.len(), skipped[0].range, &*skipped[0].why),
            (1, range(3, 4), "a division by zero")
        );
        assert_eq!(consumers.needed(), Some(5));
    };
    check(&consumers);
    let disk = disk.after_crash(&mut fastrand::Rng::with_seed(3));
    check(&cursors(&disk, log.head()).expect("whole"));
    assert_eq!(log.count("hits", 3).expect("whole"), 4);
    assert_eq!(log.count("others", 1).expect("whole"), 0);
}
