//! What the tables must hold: the list of events, by plain SQL in a private engine.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result};
use headwater_warehouse::{
    Allow, InputFormat, Insert, Limits, Pool, PoolConfig, Program, Request, Store, StoreConfig, Warehouse,
};

use super::events::{Writer, batch};
use super::shape::Shape;

/// What a table is asked, and what the model is asked instead: over `rows`, of which `gone` were deleted later, and `unseen`
/// were left out by the view that throws.
const QUESTIONS: [(&str, u8, &str, &str); 10] = [
    (
        "events",
        0,
        "SELECT count(), sum(cityHash64(id, writer, kind, value)) FROM {events}",
        "SELECT count(), sum(cityHash64(id, writer, kind, value)) FROM rows WHERE NOT gone",
    ),
    (
        "events_quarantine",
        0,
        "SELECT count(), uniqExact(c__import_id) FROM {events_quarantine}",
        "SELECT sum(n), sum(n) FROM misfits",
    ),
    (
        "twice",
        1,
        "SELECT count(), sum(cityHash64(id, kind, twice)) FROM {twice}",
        "SELECT count(), sum(cityHash64(id, kind, toInt64(value * 2))) FROM rows",
    ),
    ("chance", 1, "SELECT count(), uniqExact(id) FROM {chance}", "SELECT count(), count() FROM rows"),
    (
        "both",
        1,
        "SELECT side, count(), sum(cityHash64(id)) FROM {both} GROUP BY side ORDER BY side",
        "SELECT side, count(), sum(cityHash64(id)) FROM rows ARRAY JOIN if(value > 0, ['left', 'right', 'third'], ['left', 'right']) AS side GROUP BY side ORDER BY side",
    ),
    (
        "checked",
        1,
        "SELECT count(), sum(cityHash64(id)) FROM {checked}",
        "SELECT count(), sum(cityHash64(id)) FROM rows WHERE NOT unseen",
    ),
    (
        "sums",
        2,
        "SELECT kind, sum(rows), sum(total) FROM {sums} GROUP BY kind ORDER BY kind",
        "SELECT kind, count(), sum(value * 2) FROM rows GROUP BY kind ORDER BY kind",
    ),
    ("behind", 2, "SELECT count(), uniqExact(id) FROM {behind}", "SELECT count(), count() FROM rows"),
    (
        "behind and chance",
        2,
        "SELECT count() FROM {behind} AS a JOIN {chance} AS b ON a.id = b.id AND a.chance = b.chance",
        "SELECT count() FROM rows",
    ),
    ("totals", 3, "SELECT sum(rows), sum(total) FROM {totals}", "SELECT count(), sum(value * 2) FROM rows"),
];

/// What is wrong, if something is.
pub(super) fn compare(
    folder: &Path,
    library: &Path,
    shape: &Shape,
    writers: &[Writer],
    seed: u64,
    skipped: &[(u64, u64)],
) -> Result<Option<String>> {
    let engine = PoolConfig::new(Program::current()?, library);
    let model = Pool::new(engine.clone());
    fill(model.warehouse(), shape, writers, seed, skipped)?;
    let store = Store::open(StoreConfig {
        database: "data".to_owned(),
        ..StoreConfig::new(engine, folder.join("store"))
    })?;
    let tables = tables(&store)?;
    let mut wrong = Vec::new();
    for (name, depth, actual, expected) in QUESTIONS {
        if depth > shape.depth {
            continue;
        }
        let mut sql = actual.to_owned();
        for (logical, physical) in &tables {
            sql = sql.replace(&format!("{{{logical}}}"), &format!("data.`{physical}`"));
        }
        let is = ask(store.writers(), &sql).with_context(|| sql.clone())?;
        let should = ask(model.warehouse(), expected)?;
        if is != should {
            wrong.push(format!("{name} is {is:?} and should be {should:?}"));
        }
    }
    Ok((!wrong.is_empty()).then(|| wrong.join("; ")))
}

/// Logical names of physical tables: what stands before a print and a number.
fn tables(store: &Store) -> Result<BTreeMap<String, String>> {
    let all = ask(store.writers(), "SELECT name FROM system.tables WHERE database = 'data'")?;
    let logical = |name: &str| {
        let (rest, number) = name.rsplit_once('_')?;
        let (logical, print) = rest.rsplit_once('_')?;
        let is_physical = number.parse::<u32>().is_ok() && print.len() == 16;
        is_physical.then(|| (logical.to_owned(), name.to_owned()))
    };
    Ok(all.lines().filter_map(logical).collect())
}

fn fill(
    model: &Warehouse,
    shape: &Shape,
    writers: &[Writer],
    seed: u64,
    skipped: &[(u64, u64)],
) -> Result<()> {
    let columns = "id UInt64, writer UInt64, kind String, value Int64, gone UInt8, unseen UInt8";
    for sql in [
        format!("CREATE TABLE rows ({columns}) ENGINE = Memory"),
        "CREATE TABLE misfits (n UInt64) ENGINE = Memory".to_owned(),
    ] {
        model.query(Request::new(sql).allow(Allow::Changes))?;
    }
    let (mut text, mut misfits, mut deleted) = (String::new(), 0, BTreeSet::new());
    let batches = writers.iter().enumerate().flat_map(|(writer, it)| {
        it.positions.iter().map(move |(nth, position)| (writer as u64, *nth, *position))
    });
    let batches: Vec<_> =
        batches.map(|(writer, nth, position)| (batch(seed, writer, nth, shape.poison), position)).collect();
    for (batch, _) in &batches {
        misfits += batch.misfits;
        deleted.extend(batch.deletes);
    }
    for (batch, position) in &batches {
        let unseen = skipped.iter().any(|(from, to)| (from..=to).contains(&position));
        for row in &batch.rows {
            let gone = deleted.contains(&row.id);
            let _ = writeln!(
                text,
                "{},{},{},{},{},{}",
                row.id,
                row.writer,
                row.kind,
                row.value,
                u8::from(gone),
                u8::from(unseen)
            );
        }
    }
    if !text.is_empty() {
        let names = ["id", "writer", "kind", "value", "gone", "unseen"];
        model.insert(Insert::new("rows", names, InputFormat::Csv, text))?;
    }
    model.insert(Insert::new("misfits", ["n"], InputFormat::Csv, format!("{misfits}\n")))?;
    Ok(())
}

fn ask(warehouse: &Warehouse, sql: &str) -> Result<String> {
    let limits = Limits { time: Duration::from_secs(60), ..Limits::default() };
    Ok(warehouse.query(Request::new(sql).limits(limits))?.text().trim_end().to_owned())
}
