//! What the engine does when somebody does without a rule: each was found on it, and each is the reason for the rule. When one
//! of these fails, the engine has changed, and the rule may go.

use headwater_pipeline::fsck;
use headwater_warehouse::{InputFormat, Insert, Store, Warehouse};

use crate::support::{World, ask, bare_store, change};

fn store(folder: &std::path::Path) -> Store {
    Store::open(bare_store(folder)).unwrap_or_else(|error| panic!("{error}"))
}

/// Settings of an insert of a block, without those that make it one.
fn insert(writers: &Warehouse, table: &str, token: &str, numbers: &str, more: &str) -> Result<(), String> {
    change(
        writers,
        &format!(
            "INSERT INTO {table} (id) SETTINGS insert_deduplication_token = '{token}', deduplicate_insert = 'enable', \
             deduplicate_insert_select = 'force_enable'{more} SELECT number FROM {numbers} ORDER BY ALL"
        ),
    )
}

const WINDOW: &str = "SETTINGS non_replicated_deduplication_window = 1000";

pub(crate) fn cut_anew() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = store(folder.path());
    let writers = store.writers();
    change(writers, &format!("CREATE TABLE t (id UInt64) ENGINE = MergeTree ORDER BY id {WINDOW}"))
        .expect("made");
    insert(writers, "t", "t:1-10", "numbers(10)", "").expect("written");
    // The same token is nothing new; a range that begins as it did and ends elsewhere is.
    insert(writers, "t", "t:1-10", "numbers(10)", "").expect("known");
    assert_eq!(ask(writers, "SELECT count() FROM t"), "10");
    insert(writers, "t", "t:1-25", "numbers(25)", "").expect("written");
    assert_eq!(ask(writers, "SELECT count() FROM t"), "35", "ten of 25 are there twice");
    // Closed by: a range that was declared is the one that is declared (`headwater_log::Cursors`).
}

pub(crate) fn no_ordinal() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = store(folder.path());
    let writers = store.writers();
    change(writers, &format!("CREATE TABLE t (id UInt64) ENGINE = MergeTree ORDER BY id {WINDOW}"))
        .expect("made");
    // A range that somebody applies in parts, a token for all of them: parts behind the first are swallowed.
    for part in 0..6 {
        insert(writers, "t", "t:1-60", &format!("numbers({}, 10)", part * 10), "").expect("taken");
    }
    assert_eq!(ask(writers, "SELECT count() FROM t"), "10", "ten of sixty");
    // Closed by: a range is one insert.
}

pub(crate) fn trigger() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = store(folder.path());
    let writers = store.writers();
    for sql in [
        "CREATE TABLE s (id UInt64) ENGINE = MergeTree ORDER BY id",
        "CREATE TABLE t (id UInt64) ENGINE = MergeTree ORDER BY id",
        "CREATE MATERIALIZED VIEW v TO t AS SELECT id + throwIf(id = 13) AS id FROM s UNION ALL SELECT id + 100 AS id FROM s",
    ] {
        change(writers, sql).unwrap_or_else(|error| panic!("{error}"));
    }
    let rows = |from: u64, to: u64| (from..to).map(|id| format!("{id}\n")).collect::<String>();
    writers.insert(Insert::new("s", ["id"], InputFormat::Csv, rows(0, 5))).expect("written");
    assert_eq!(ask(writers, "SELECT count() FROM t"), "5", "the second arm is left out without a word");
    assert!(
        writers.insert(Insert::new("s", ["id"], InputFormat::Csv, rows(10, 15))).is_err(),
        "its source takes nothing"
    );
    // Closed by: views are no triggers (`views::throwing`, `views::union_all`).
}

pub(crate) fn blank_line() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = store(folder.path());
    let writers = store.writers();
    change(writers, "CREATE TABLE t (id UInt64) ENGINE = MergeTree ORDER BY id").expect("made");
    let inline = change(writers, "INSERT INTO t FORMAT JSONEachRow {\"id\":1}\n\nDROP TABLE t");
    let there = ask(writers, "EXISTS TABLE t");
    assert!(inline.is_err() || there == "0", "what stands behind a blank line is no row");
    if there == "0" {
        change(writers, "CREATE TABLE t (id UInt64) ENGINE = MergeTree ORDER BY id").expect("made");
    }
    let rows = "{\"id\":1}\n\n{\"id\":2}\n";
    writers
        .insert(Insert::new("t", ["id"], InputFormat::JsonEachRow, rows))
        .expect("rows beside the statement are rows");
    assert_eq!(ask(writers, "SELECT sum(id) FROM t"), "3");
}

/// Removes the part of a table that holds its only rows, as a process does that is killed between token and part.
fn lose_part(folder: &std::path::Path) {
    let mut lost = 0;
    let groups = std::fs::read_dir(folder.join("store/engine/store")).expect("data").flatten();
    for table in groups.flat_map(|group| std::fs::read_dir(group.path()).expect("tables").flatten()) {
        let part = table.path().join("all_1_1_0");
        if table.path().join("deduplication_logs").is_dir() && part.is_dir() {
            std::fs::remove_dir_all(part).expect("removed");
            lost += 1;
        }
    }
    assert_eq!(lost, 1);
}

pub(crate) fn orphan() {
    for is_mended in [false, true] {
        let folder = tempfile::tempdir().expect("a folder");
        let first = store(folder.path());
        change(
            first.writers(),
            &format!("CREATE TABLE t (id UInt64) ENGINE = MergeTree ORDER BY id {WINDOW}"),
        )
        .expect("made");
        insert(first.writers(), "t", "t:1-10", "numbers(10)", "").expect("written");
        drop(first);
        lose_part(folder.path());
        if is_mended {
            let report =
                fsck::mend(&folder.path().join("store/engine"), &|_| {}).expect("the format is known");
            assert_eq!((report.tables, report.orphans, report.mended), (1, 1, 1));
        }
        let store = store(folder.path());
        insert(store.writers(), "t", "t:1-10", "numbers(10)", "").expect("taken");
        let rows = if is_mended { "10" } else { "0" };
        assert_eq!(ask(store.writers(), "SELECT count() FROM t"), rows, "mended: {is_mended}");
    }
}

pub(crate) fn window() {
    let folder = tempfile::tempdir().expect("a folder");
    let bare = store(folder.path());
    let writers = bare.writers();
    let create = |window: u32| {
        format!(
            "CREATE TABLE t{window} (id UInt64) ENGINE = MergeTree PARTITION BY id % 5 ORDER BY id SETTINGS \
             non_replicated_deduplication_window = {window}"
        )
    };
    for window in [2, 1000] {
        change(writers, &create(window)).expect("made");
        for _ in 0..2 {
            insert(writers, &format!("t{window}"), "t:1-50", "numbers(50)", "").expect("taken");
        }
    }
    assert_ne!(ask(writers, "SELECT count() FROM t2"), "50", "it remembers two of five");
    assert_eq!(ask(writers, "SELECT count() FROM t1000"), "50");
    drop(bare);
    // Closed by: every table's window is above the partitions of a range.
    let folder = tempfile::tempdir().expect("a folder");
    let world = World::new(
        folder.path(),
        "//- datasources/a.datasource\nSCHEMA >\n    `id` UInt64 `json:$.id`\n\nENGINE MergeTree\nENGINE_SORTING_KEY id\nENGINE_SETTINGS non_replicated_deduplication_window=2\n",
    );
    let source = world.pipeline.release().expect("live").sources["a"].clone();
    for create in [source.create, source.create_quarantine] {
        assert!(create.contains("non_replicated_deduplication_window = 10000"), "{create}");
        assert!(create.contains("fsync_after_insert = 1"), "{create}");
    }
}
