//! Rows, quarantine, defaults, effects.

use headwater_log::AppendError;
use headwater_pipeline::{AcceptError, Effect};

use crate::support::{MOMENT, World};

const EVENTS: &str = "\
//- datasources/events.datasource
SCHEMA >
    `id` UInt64 `json:$.id`,
    `name` String `json:$.name` DEFAULT 'none',
    `amount` Decimal(10, 2) `json:$.amount` DEFAULT 0

ENGINE MergeTree
ENGINE_PARTITION_KEY id % 3
ENGINE_SORTING_KEY id
";

pub(crate) fn rows() {
    let folder = tempfile::tempdir().expect("a folder");
    let world = World::new(folder.path(), EVENTS);
    let receipt = world.send(
        "events",
        "{\"id\": 1, \"name\": \"a\", \"amount\": 1.25}\n{\"id\": \"x\"}\nnot json\n{\"id\": 2}\n{\"name\": \"b\"}\n",
    );
    assert_eq!((receipt.rows, receipt.quarantined, receipt.verdicts.len()), (2, 3, 3));
    assert_eq!(receipt.verdicts[0].column.as_deref(), Some("id"));
    world.applied("events", &receipt);
    assert_eq!(world.ask("SELECT id, name, amount FROM {events} ORDER BY id"), "1\ta\t1.25\n2\tnone\t0");
    assert_eq!(
        world.ask("SELECT id, name, c__error_column, c__import_id, insertion_date FROM {events!} ORDER BY c__import_id"),
        "x\t\\N\t['id']\t1:2\t2025-07-15 10:01:02\n\\N\t\\N\t[]\t1:3\t2025-07-15 10:01:02\n\\N\tb\t['id']\t1:5\t2025-07-15 10:01:02"
    );
    // Nothing is no record.
    let receipt = world.send("events", "\n \n");
    assert_eq!((receipt.rows, receipt.position), (0, 1));
    assert!(matches!(world.try_send("evnts", "{}", None), Err(AcceptError::Unknown(_))));
    for status in world.pipeline.status() {
        assert_eq!((status.lag_records, status.position), (Some(0), 1), "{status:?}");
    }
}

pub(crate) fn refused_by_the_engine() {
    let folder = tempfile::tempdir().expect("a folder");
    let project = "\
//- datasources/moments.datasource
SCHEMA >
    `id` UInt32 `json:$.id`,
    `at` DateTime `json:$.at`,
    `pair` Tuple(UInt8, String) `json:$.pair`

ENGINE MergeTree
ENGINE_SORTING_KEY id
";
    let world = World::new(folder.path(), project);
    let row = |id: u32, pair: &str| format!("{{\"id\":{id},\"at\":\"15 Jul 2025 10:00\",\"pair\":{pair}}}\n");
    let mut text = String::new();
    for id in 0..50 {
        text += &row(id, if id == 17 || id == 40 { "[\"many\", 1]" } else { "[1, \"a\"]" });
    }
    let receipt = world.send("moments", text);
    assert_eq!((receipt.rows, receipt.quarantined), (50, 0));
    world.applied("moments", &receipt);
    assert_eq!(world.ask("SELECT count(), min(at) FROM {moments}"), "48\t2025-07-15 10:00:00");
    assert_eq!(
        world.ask("SELECT groupArray(id), countIf(notEmpty(c__error)) FROM {moments!}"),
        "['17','40']\t2"
    );
}

pub(crate) fn blank_lines() {
    let folder = tempfile::tempdir().expect("a folder");
    let world = World::new(folder.path(), EVENTS);
    let receipt = world.send("events", "{\"id\": 1}\n\n\nDROP DATABASE data;\n{\"id\": 2}\n\n");
    assert_eq!((receipt.rows, receipt.quarantined), (2, 1));
    world.applied("events", &receipt);
    assert_eq!(world.ask("SELECT sum(id) FROM {events}"), "3");
}

pub(crate) fn keys() {
    let folder = tempfile::tempdir().expect("a folder");
    let world = World::new(folder.path(), EVENTS);
    let first = world.try_send("events", "{\"id\": 1}", Some("a")).expect("taken");
    let again = world.try_send("events", "{\"id\": 1}", Some("a")).expect("known");
    assert_eq!((again.position, again.repeated), (first.position, true));
    let other = world.try_send("events", "{\"id\": 2}", Some("a"));
    assert!(matches!(other, Err(AcceptError::Log(AppendError::KeyReused { .. }))), "{other:?}");
    // The same rows without a key are other rows.
    world.send("events", "{\"id\": 1}");
    let last = world.send("events", "{\"id\": 1}");
    world.applied("events", &last);
    assert_eq!(world.ask("SELECT count() FROM {events}"), "3");
}

pub(crate) fn volatile_defaults() {
    let folder = tempfile::tempdir().expect("a folder");
    let project = "\
//- datasources/stamped.datasource
SCHEMA >
    `id` UInt32 `json:$.id`,
    `at` DateTime `json:$.at` DEFAULT now(),
    `fine` DateTime64(3) `json:$.fine` DEFAULT now64(3),
    `day` Date `json:$.day` DEFAULT today(),
    `chance` UInt32 `json:$.chance` DEFAULT rand(),
    `key` UUID `json:$.key` DEFAULT generateUUIDv4(),
    `later` UUID `json:$.later` DEFAULT generateUUIDv7(),
    `sum` UInt64 `json:$.sum` DEFAULT id + 1

ENGINE MergeTree
ENGINE_SORTING_KEY id
//- datasources/copied.datasource
SCHEMA >
    `id` UInt32,
    `key` UUID,
    `seen` DateTime DEFAULT now(),
    `own` UUID DEFAULT generateUUIDv4()

ENGINE ReplacingMergeTree
ENGINE_SORTING_KEY id
//- pipes/copying.pipe
NODE copying
SQL >
    SELECT id, key FROM stamped
TYPE materialized
DATASOURCE copied
";
    let world = World::new(folder.path(), project);
    world.send("stamped", "{\"id\": 1}\n{\"id\": 2}\n");
    world.set_clock(MOMENT + 3_600_000);
    let last =
        world.send("stamped", "{\"id\": 3}\n{\"id\": 4, \"at\": \"2020-01-01 00:00:00\", \"sum\": 9}\n");
    world.applied("stamped", &last);
    assert_eq!(
        world.ask("SELECT id, at, fine, day, sum FROM {stamped} ORDER BY id"),
        "1\t2025-07-15 10:01:02\t2025-07-15 10:01:02.250\t2025-07-15\t2\n\
         2\t2025-07-15 10:01:02\t2025-07-15 10:01:02.250\t2025-07-15\t3\n\
         3\t2025-07-15 11:01:02\t2025-07-15 11:01:02.250\t2025-07-15\t4\n\
         4\t2020-01-01 00:00:00\t2025-07-15 11:01:02.250\t2025-07-15\t9"
    );
    assert_eq!(
        world.ask("SELECT uniqExact(chance), uniqExact(key), uniqExact(later), countIf(substring(toString(key), 15, 1) = '4'), countIf(substring(toString(later), 15, 1) = '7') FROM {stamped}"),
        "4\t4\t4\t4\t4"
    );
    assert_eq!(
        world.ask("SELECT count() FROM {copied} AS c JOIN {stamped} AS s ON c.id = s.id AND c.key = s.key"),
        "4"
    );
    // A row that a view made has the moment of its range.
    assert_eq!(
        world.ask("SELECT uniqExact(own), min(seen) >= '2025-07-15 10:01:02', max(seen) FROM {copied}"),
        "4\t1\t2025-07-15 11:01:02"
    );
    assert_eq!(world.ask("SELECT * FROM {copied} WHERE id = 1").split('\t').count(), 4);
    assert_eq!(
        world.ask("SELECT uniqExact(__headwater_position), min(__headwater_position) > 0 FROM {copied}"),
        "4\t1"
    );
}

pub(crate) fn position() {
    let folder = tempfile::tempdir().expect("a folder");
    let project = "\
//- datasources/latest.datasource
SCHEMA >
    `id` UInt32 `json:$.id`,
    `value` String `json:$.value`

ENGINE ReplacingMergeTree
ENGINE_SORTING_KEY id
";
    let world = World::new(folder.path(), project);
    world.send("latest", "{\"id\": 1, \"value\": \"a\"}\n{\"id\": 2, \"value\": \"b\"}");
    let last = world.send("latest", "{\"id\": 3, \"value\": \"c\"}\n");
    world.applied("latest", &last);
    // Never visible through a star.
    assert_eq!(world.ask("SELECT * FROM {latest} ORDER BY id"), "1\ta\n2\tb\n3\tc");
    let places = world.ask("SELECT bitShiftRight(__headwater_position, 24), bitAnd(__headwater_position, 16777215) FROM {latest} ORDER BY id");
    assert_eq!(places, "1\t0\n1\t1\n2\t0");
}

pub(crate) fn effects() {
    let folder = tempfile::tempdir().expect("a folder");
    let world = World::new(folder.path(), EVENTS);
    let delete =
        |condition: &str| world.pipeline.effect("events", Effect::Delete { condition: condition.to_owned() });
    world.send("events", "{\"id\": 1}\n{\"id\": 2}\n{\"id\": 3}");
    delete("id >= 2").expect("taken");
    // A row that comes behind the delete stays, though it looks like those that went.
    world.send("events", "{\"id\": 2}\n{\"id\": 4}");
    let third = delete("id = 4").expect("taken");
    world.applied("events", &third);
    assert_eq!(world.ask("SELECT groupArray(id) FROM (SELECT id FROM {events} ORDER BY id)"), "[1,2]");
    world.pipeline.effect("events", Effect::Truncate).expect("taken");
    let last = world.send("events", "{\"id\": 5}");
    world.applied("events", &last);
    assert_eq!(world.ask("SELECT groupArray(id) FROM {events}"), "[5]");
    for condition in
        ["rand() = 1", "id IN (SELECT id FROM other)", "1; DROP DATABASE data", "file('/etc/passwd') = ''"]
    {
        assert!(matches!(delete(condition), Err(AcceptError::Invalid(_))), "{condition}");
    }
    // Refused by the engine, it stops the table and says so, and can be left out.
    let bad = delete("no_such_column = 1").expect("only the engine knows");
    let waited = world.pipeline.wait(bad.position, "events", std::time::Duration::from_millis(1500));
    let waited = format!("{waited:?}");
    assert!(waited.contains("no_such_column"), "{waited}");
    let table = world.pipeline.release().expect("live").sources["events"].table.clone();
    world.pipeline.skip(&table, (bad.position, bad.position), "a typing error").expect("it stands before it");
    let last = world.send("events", "{\"id\": 6}");
    world.applied("events", &last);
    assert_eq!(world.ask("SELECT sum(id) FROM {events}"), "11");
    let status = world.pipeline.status();
    let landing = status.iter().find(|s| s.consumer == table).expect("there");
    assert_eq!(&*landing.skipped[0].why, "a typing error");
}
