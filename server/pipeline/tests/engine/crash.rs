//! What is closed, killed and opened again.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use headwater_pipeline::POINTS;

use crate::support::World;

const PROJECT: &str = "\
//- datasources/events.datasource
SCHEMA >
    `id` UInt64 `json:$.id`,
    `value` Int64 `json:$.value`

ENGINE MergeTree
ENGINE_PARTITION_KEY id % 4
ENGINE_SORTING_KEY id
//- datasources/chance.datasource
SCHEMA >
    `id` UInt64,
    `chance` UInt64

ENGINE MergeTree
ENGINE_PARTITION_KEY id % 6
ENGINE_SORTING_KEY id
//- datasources/sums.datasource
SCHEMA >
    `chance` UInt64,
    `id` UInt64,
    `rows` SimpleAggregateFunction(sum, UInt64)

ENGINE AggregatingMergeTree
ENGINE_SORTING_KEY id, chance
//- pipes/chancing.pipe
NODE chancing
SQL >
    SELECT id, rand64() AS chance FROM events
TYPE materialized
DATASOURCE chance
//- pipes/summing.pipe
NODE summing
SQL >
    SELECT id, chance, toUInt64(count()) AS rows FROM chance GROUP BY id, chance
TYPE materialized
DATASOURCE sums
";

fn batch(from: u64, to: u64) -> String {
    (from..to).map(|id| format!("{{\"id\":{id},\"value\":{}}}\n", id % 5)).collect()
}

fn check(world: &World, rows: u64) {
    let each = format!("{rows}\t{rows}");
    assert_eq!(world.ask("SELECT count(), uniqExact(id) FROM {events}"), each);
    assert_eq!(world.ask("SELECT count(), uniqExact(id) FROM {chance}"), each);
    assert_eq!(world.ask("SELECT sum(rows), uniqExact(id) FROM {sums}"), each);
    let same = world
        .ask("SELECT count() FROM {chance} AS a JOIN {sums} AS b ON a.id = b.id AND a.chance = b.chance");
    assert_eq!(same, rows.to_string(), "both come from one run");
}

pub(crate) fn reopened() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut world = World::new(folder.path(), PROJECT);
    for n in 0..6 {
        // Closed at once: some is applied, some is not.
        for part in 0..5 {
            let from = n * 100 + part * 20;
            world.send("events", batch(from, from + 20));
        }
        let folder = world.close();
        world = World::open(&folder, n + 2, None);
    }
    world.settle("events");
    check(&world, 600);
}

/// The engine's process is killed as each point is reached, and goes on.
pub(crate) fn engine_killed() {
    let folder = tempfile::tempdir().expect("a folder");
    let pid = Arc::new(AtomicU32::new(0));
    let (armed, hits) = (Arc::new(AtomicU64::new(u64::MAX)), Arc::new(AtomicU64::new(0)));
    let (victim, aim, count) = (pid.clone(), armed.clone(), hits.clone());
    let probe = move |point: &'static str| {
        let nth = aim.load(Ordering::SeqCst);
        if POINTS.get(usize::try_from(nth).unwrap_or(usize::MAX)) == Some(&point) {
            aim.store(u64::MAX, Ordering::SeqCst);
            let pid =
                i32::try_from(victim.load(Ordering::SeqCst)).ok().and_then(rustix::process::Pid::from_raw);
            if pid
                .is_some_and(|pid| rustix::process::kill_process(pid, rustix::process::Signal::KILL).is_ok())
            {
                count.fetch_add(1, Ordering::SeqCst);
            }
        }
    };
    let world = World::open(folder.path(), 1, Some(Arc::new(probe)));
    world.install(PROJECT).unwrap_or_else(|error| panic!("{error}"));
    let mut sent = 0;
    for nth in 0..POINTS.len() as u64 {
        pid.store(world.store.pids().first().copied().unwrap_or(0), Ordering::SeqCst);
        armed.store(nth, Ordering::SeqCst);
        for _ in 0..3 {
            world.send("events", format!("{}{{\"id\":\"x\"}}\n", batch(sent, sent + 40)));
            sent += 40;
        }
        world.settle("events");
        armed.store(u64::MAX, Ordering::SeqCst);
    }
    // Points of effects and skips have their own tests.
    let kills = hits.load(Ordering::SeqCst);
    assert!(kills >= 19, "{kills} kills");
    check(&world, sent);
    assert_eq!(world.ask("SELECT count() FROM {events!}"), (3 * POINTS.len()).to_string());
}

pub(crate) fn trimmed() {
    let folder = tempfile::tempdir().expect("a folder");
    let project = format!(
        "{PROJECT}//- datasources/idle.datasource\nSCHEMA >\n    `id` UInt64 `json:$.id`\n\nENGINE MergeTree\nENGINE_SORTING_KEY id\n"
    );
    let world = World::new(folder.path(), &project);
    world.send("idle", "{\"id\":1}");
    world.settle("idle");
    for n in 0..5 {
        world.send("events", batch(n * 10, n * 10 + 10));
    }
    world.settle("events");
    world.pipeline.trim(u64::MAX).expect("nothing is needed");
    // What has long nothing to do holds nothing back, and takes what comes.
    for status in world.pipeline.status() {
        assert_eq!(status.position, 6, "{status:?}");
    }
    world.send("idle", "{\"id\":2}");
    let folder = world.close();
    let world = World::open(&folder, 2, None);
    world.settle("idle");
    assert_eq!(world.ask("SELECT groupArray(id) FROM (SELECT id FROM {idle} ORDER BY id)"), "[1,2]");
    check(&world, 50);
}
