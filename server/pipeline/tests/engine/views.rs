//! Views: chains, arms, targets, failures.

use std::time::Duration;

use headwater_pipeline::{Kind, State, Waited};

use crate::support::World;

const EVENTS: &str = "\
//- datasources/events.datasource
SCHEMA >
    `id` UInt64 `json:$.id`,
    `kind` String `json:$.kind`,
    `value` Int64 `json:$.value`

ENGINE MergeTree
ENGINE_PARTITION_KEY id % 7
ENGINE_SORTING_KEY id
";

fn batch(from: u64, to: u64) -> String {
    (from..to).map(|id| format!("{{\"id\":{id},\"kind\":\"k{}\",\"value\":{}}}\n", id % 3, id % 5)).collect()
}

pub(crate) fn chains() {
    let folder = tempfile::tempdir().expect("a folder");
    let project = format!(
        "{EVENTS}\
//- datasources/doubled.datasource
SCHEMA >
    `id` UInt64,
    `kind` LowCardinality(String),
    `twice` Int64,
    `note` String DEFAULT concat(kind, '!')

ENGINE MergeTree
ENGINE_PARTITION_KEY id % 2
ENGINE_SORTING_KEY id
//- datasources/by_kind.datasource
SCHEMA >
    `kind` LowCardinality(String),
    `note` String,
    `rows` AggregateFunction(count),
    `sum` SimpleAggregateFunction(sum, Int64)

ENGINE AggregatingMergeTree
ENGINE_SORTING_KEY kind, note
//- datasources/total.datasource
SCHEMA >
    `rows` AggregateFunction(count)

ENGINE AggregatingMergeTree
ENGINE_SORTING_KEY tuple()
//- pipes/doubling.pipe
NODE plain
SQL >
    SELECT id, kind, value FROM events WHERE value >= 0
NODE doubling
SQL >
    SELECT id, kind, value * 2 AS twice FROM plain
TYPE materialized
DATASOURCE doubled
//- pipes/counting.pipe
NODE counting
SQL >
    SELECT kind, note, countState() AS rows, sum(twice) AS sum FROM doubled GROUP BY kind, note
TYPE materialized
DATASOURCE by_kind
//- pipes/totalling.pipe
NODE totalling
SQL >
    SELECT countMergeState(rows) AS rows FROM by_kind
TYPE materialized
DATASOURCE total
"
    );
    let world = World::new(folder.path(), &project);
    let mut last = None;
    for n in 0..20 {
        last = Some(world.send("events", batch(n * 100, n * 100 + 100)));
    }
    world.applied("events", &last.expect("sent"));
    assert_eq!(world.ask("SELECT count(), uniqExact(id), sum(value) FROM {events}"), "2000\t2000\t4000");
    assert_eq!(
        world.ask("SELECT count(), uniqExact(id), sum(twice), uniqExact(note) FROM {doubled}"),
        "2000\t2000\t8000\t3"
    );
    assert_eq!(
        world.ask(
            "SELECT kind, note, countMerge(rows), sum(sum) FROM {by_kind} GROUP BY kind, note ORDER BY kind"
        ),
        "k0\tk0!\t667\t2666\nk1\tk1!\t667\t2670\nk2\tk2!\t666\t2664"
    );
    assert_eq!(world.ask("SELECT countMerge(rows) FROM {total}"), "2000");
    // Straight into a data source that views fill, too.
    let direct = world.send("doubled", "{\"id\":1,\"kind\":\"x\",\"twice\":5}");
    world.applied("doubled", &direct);
    assert_eq!(world.ask("SELECT countMerge(rows), any(note) FROM {by_kind} WHERE kind = 'x'"), "1\tx!");
    assert_eq!(world.ask("SELECT countMerge(rows) FROM {total}"), "2001");
}

pub(crate) fn union_all() {
    let folder = tempfile::tempdir().expect("a folder");
    let project = format!(
        "{EVENTS}\
//- datasources/both.datasource
SCHEMA >
    `id` UInt64,
    `side` String

ENGINE MergeTree
ENGINE_SORTING_KEY id
//- pipes/splitting.pipe
NODE splitting
SQL >
    SELECT id, 'left' AS side FROM events
    UNION ALL
    SELECT id, 'right' AS side FROM events WHERE value > 0
TYPE materialized
DATASOURCE both
"
    );
    let world = World::new(folder.path(), &project);
    world.send("events", batch(0, 10));
    let last = world.send("events", batch(10, 20));
    world.applied("events", &last);
    assert_eq!(
        world.ask("SELECT side, count() FROM {both} GROUP BY side ORDER BY side"),
        "left\t20\nright\t16"
    );
}

pub(crate) fn shared_target() {
    let folder = tempfile::tempdir().expect("a folder");
    let project = format!(
        "{EVENTS}\
//- datasources/all.datasource
SCHEMA >
    `id` UInt64,
    `from` String

ENGINE MergeTree
ENGINE_SORTING_KEY id
//- datasources/other.datasource
SCHEMA >
    `id` UInt64 `json:$.id`

ENGINE MergeTree
ENGINE_SORTING_KEY id
//- pipes/one.pipe
NODE one
SQL >
    SELECT id, 'one' AS from FROM events
TYPE materialized
DATASOURCE all
//- pipes/two.pipe
NODE two
SQL >
    SELECT id, 'two' AS from FROM events
TYPE materialized
DATASOURCE all
//- pipes/three.pipe
NODE three
SQL >
    SELECT id, 'three' AS from FROM other
TYPE materialized
DATASOURCE all
"
    );
    let world = World::new(folder.path(), &project);
    let mut last = None;
    for n in 0..10 {
        world.send("other", format!("{{\"id\":{n}}}"));
        last = Some(world.send("events", batch(n, n + 1)));
    }
    world.applied("events", &last.expect("sent"));
    world.settle("other");
    assert_eq!(
        world.ask("SELECT from, count(), uniqExact(id) FROM {all} GROUP BY from ORDER BY from"),
        "one\t10\t10\nthree\t10\t10\ntwo\t10\t10"
    );
}

pub(crate) fn coarser() {
    let folder = tempfile::tempdir().expect("a folder");
    let target = |name: &str, partition: &str| {
        format!(
            "//- datasources/{name}.datasource\nSCHEMA >\n    `id` UInt64\n\nENGINE MergeTree\n{partition}ENGINE_SORTING_KEY id\n\
             //- pipes/into_{name}.pipe\nNODE into\nSQL >\n    SELECT id FROM events\nTYPE materialized\nDATASOURCE {name}\n"
        )
    };
    let project = format!(
        "{EVENTS}{}{}{}",
        target("none", ""),
        target("coarse", "ENGINE_PARTITION_KEY id % 2\n"),
        target("fine", "ENGINE_PARTITION_KEY id % 50\n")
    );
    let world = World::new(folder.path(), &project);
    for n in 0..10 {
        world.send("events", batch(n * 60, n * 60 + 60));
    }
    world.settle("events");
    for name in ["events", "none", "coarse", "fine"] {
        assert_eq!(
            world.ask(&format!("SELECT count(), uniqExact(id) FROM {{{name}}}")),
            "600\t600",
            "{name}"
        );
    }
}

fn throwing_project() -> String {
    format!(
        "{EVENTS}\
//- datasources/checked.datasource
SCHEMA >
    `id` UInt64,
    `ok` UInt8

ENGINE MergeTree
ENGINE_SORTING_KEY id
//- datasources/plain.datasource
SCHEMA >
    `id` UInt64

ENGINE MergeTree
ENGINE_SORTING_KEY id
//- pipes/checking.pipe
NODE checking
SQL >
    SELECT id, throwIf(value = 13, 'thirteen') AS ok FROM events
TYPE materialized
DATASOURCE checked
//- pipes/copying.pipe
NODE copying
SQL >
    SELECT id FROM events
TYPE materialized
DATASOURCE plain
"
    )
}

pub(crate) fn throwing() {
    let folder = tempfile::tempdir().expect("a folder");
    let world = World::new(folder.path(), &throwing_project());
    let first = world.send("events", batch(0, 10));
    world.applied("events", &first);
    let bad = world.send("events", "{\"id\":100,\"kind\":\"k\",\"value\":13}");
    let waited = world.pipeline.wait(bad.position, "events", Duration::from_millis(1500)).expect("known");
    let Waited::Lagging(lagging) = waited else { panic!("it throws") };
    assert_eq!(lagging.len(), 1, "the others go on: {lagging:?}");
    assert!(lagging[0].why.as_deref().is_some_and(|why| why.contains("thirteen")), "{lagging:?}");
    let next = world.send("events", batch(10, 20));
    let _ = world.pipeline.wait(next.position, "events", Duration::from_millis(1500));
    assert_eq!(world.ask("SELECT count() FROM {events}"), "21");
    assert_eq!(world.ask("SELECT count() FROM {plain}"), "21");
    assert_eq!(world.ask("SELECT count() FROM {checked}"), "10");
    let status = world.pipeline.status();
    let failing: Vec<_> = status.iter().filter(|s| matches!(s.state, State::Failing { .. })).collect();
    assert_eq!(failing.len(), 1);
    let failing = failing[0];
    assert_eq!((failing.kind, failing.fills.as_str(), failing.lag_records), (Kind::View, "checked", Some(2)));
    let name = failing.consumer.clone();
    let range = failing.next.expect("declared");
    let refused = world.pipeline.skip(&name, (range.0, range.1 + 1), "no").expect_err("another range");
    assert!(refused.to_string().contains("stands before"), "{refused}");
    assert!(world.pipeline.skip("nobody", range, "no").is_err());
    world.pipeline.skip(&name, range, "thirteen is no value").expect("it stands before it");
    world.applied("events", &next);
    assert_eq!(world.ask("SELECT count(), max(id) FROM {checked}"), "20\t19");
    let folder = world.close();
    let world = World::open(&folder, 2, None);
    let status = world.pipeline.status();
    let skipped = &status.iter().find(|s| s.consumer == name).expect("there").skipped;
    assert_eq!((skipped.len(), &*skipped[0].why), (1, "thirteen is no value"));
}

pub(crate) fn skipping_rows() {
    let folder = tempfile::tempdir().expect("a folder");
    let project = "\
//- datasources/numbers.datasource
SCHEMA >
    `id` UInt64 `json:$.id`,
    `text` String `json:$.text`

ENGINE MergeTree
ENGINE_PARTITION_KEY throwIf(text = 'poison', 'poison')
ENGINE_SORTING_KEY id
";
    let world = World::new(folder.path(), project);
    let bad = world.send("numbers", "{\"id\":1,\"text\":\"poison\"}\n{\"id\":2,\"text\":\"fine\"}");
    let waited = world.pipeline.wait(bad.position, "numbers", Duration::from_millis(1500)).expect("known");
    assert!(matches!(waited, Waited::Lagging(_)));
    let status = world.pipeline.status();
    let landing = status.iter().find(|s| s.kind == Kind::Landing).expect("there");
    let range = landing.next.expect("declared");
    world.pipeline.skip(&landing.consumer, range, "poisoned").expect("it stands before it");
    let last = world.send("numbers", "{\"id\":3,\"text\":\"fine\"}");
    world.applied("numbers", &last);
    assert_eq!(world.ask("SELECT groupArray(id) FROM {numbers}"), "[3]");
    assert_eq!(
        world.ask("SELECT id, text, c__error FROM {numbers!} ORDER BY id"),
        "1\tpoison\t['skipped: poisoned']\n2\tfine\t['skipped: poisoned']"
    );
}

pub(crate) fn kept() {
    let folder = tempfile::tempdir().expect("a folder");
    let project = format!(
        "{EVENTS}\
//- datasources/names.datasource
SCHEMA >
    `kind` String `json:$.kind`,
    `name` String `json:$.name`

ENGINE MergeTree
ENGINE_SORTING_KEY kind
//- datasources/named.datasource
SCHEMA >
    `id` UInt64,
    `name` String,
    `chance` UInt64

ENGINE MergeTree
ENGINE_PARTITION_KEY id % 5
ENGINE_SORTING_KEY id
//- datasources/behind.datasource
SCHEMA >
    `id` UInt64,
    `chance` UInt64

ENGINE MergeTree
ENGINE_SORTING_KEY id
//- pipes/naming.pipe
NODE naming
SQL >
    SELECT e.id AS id, n.name AS name, rand64() AS chance FROM events AS e LEFT JOIN names AS n ON e.kind = n.kind
TYPE materialized
DATASOURCE named
//- pipes/behind.pipe
NODE behind
SQL >
    SELECT id, chance FROM named
TYPE materialized
DATASOURCE behind
"
    );
    let world = World::new(folder.path(), &project);
    let release = world.pipeline.release().expect("live");
    let kept = |pipe: &str| release.views.iter().find(|v| v.pipe == pipe).expect("there").kept.clone();
    assert_eq!(kept("naming").as_deref(), Some("it reads `names`"));
    assert_eq!(kept("behind"), None);
    let names =
        world.send("names", "{\"kind\":\"k0\",\"name\":\"zero\"}\n{\"kind\":\"k1\",\"name\":\"one\"}");
    world.applied("names", &names);
    for n in 0..5 {
        world.send("events", batch(n * 20, n * 20 + 20));
    }
    world.settle("events");
    assert_eq!(
        world.ask("SELECT name, count() FROM {named} GROUP BY name ORDER BY name"),
        "\t33\none\t33\nzero\t34"
    );
    assert_eq!(
        world.ask(
            "SELECT count() FROM {named} AS a JOIN {behind} AS b ON a.id = b.id AND a.chance = b.chance"
        ),
        "100",
        "a view behind it sees the same values"
    );
    let left: Vec<_> = std::fs::read_dir(folder.path().join("log"))
        .expect("a folder")
        .filter_map(|e| e.ok()?.file_name().into_string().ok())
        .filter(|name| name.starts_with("spool-"))
        .collect();
    assert!(left.is_empty(), "{left:?}");
}

/// Rows in more partitions than a table remembers tokens of.
pub(crate) fn many_partitions() {
    let folder = tempfile::tempdir().expect("a folder");
    let project = "\
//- datasources/spread.datasource
SCHEMA >
    `id` UInt64 `json:$.id`

ENGINE MergeTree
ENGINE_PARTITION_KEY id
ENGINE_SORTING_KEY id
";
    let world = World::new(folder.path(), project);
    let rows: String = (0..10_001).map(|id| format!("{{\"id\":{id}}}\n")).collect();
    let bad = world.send("spread", rows);
    let waited = world.pipeline.wait(bad.position, "spread", Duration::from_secs(3)).expect("known");
    let waited = format!("{waited:?}");
    assert!(waited.contains("10001 partitions") && waited.contains("choose a partition key"), "{waited}");
    assert_eq!(world.ask("SELECT count() FROM {spread}"), "0");
}
