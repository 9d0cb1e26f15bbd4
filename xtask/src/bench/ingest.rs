//! What it costs that rows go through the log and consumers: `cargo run --release -p xtask -- bench --ingest`.
//!
//! Against rows that a client inserts into the engine directly, in the same run and the same process, alternately, so that the
//! machine is the same for both.

use std::path::Path;
use std::sync::Arc;
use std::sync::Mutex;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use anyhow::{Result, ensure};
use headwater_log::Disk;
use headwater_pipeline::{
    Clock, Entropy, Files, Format, Limits, Parts, Payload, Pipeline, Release, Waited, prepare,
};
use headwater_warehouse::{Allow, InputFormat, Insert, PoolConfig, Program, Request, Store, StoreConfig};

/// Rows of a batch.
const ROWS: u64 = 10_000;

const SCHEMA: &str = "SCHEMA >
    `id` UInt64 `json:$.id`,
    `at` DateTime `json:$.at`,
    `user` String `json:$.user`,
    `kind` LowCardinality(String) `json:$.kind`,
    `path` String `json:$.path`,
    `amount` Float64 `json:$.amount`

ENGINE MergeTree
ENGINE_PARTITION_KEY toYYYYMM(at)
ENGINE_SORTING_KEY kind, at
";

const HOURS: &str = "SCHEMA >
    `hour` DateTime,
    `kind` LowCardinality(String),
    `rows` SimpleAggregateFunction(sum, UInt64),
    `amount` SimpleAggregateFunction(sum, Float64)

ENGINE AggregatingMergeTree
ENGINE_SORTING_KEY kind, hour
";

const DAYS: &str = "SCHEMA >
    `day` Date,
    `rows` SimpleAggregateFunction(sum, UInt64)

ENGINE AggregatingMergeTree
ENGINE_SORTING_KEY day
";

const TO_HOURS: &str = "SELECT toStartOfHour(at) AS hour, kind, toUInt64(count()) AS rows, sum(amount) AS amount FROM events GROUP BY hour, kind";
const TO_DAYS: &str = "SELECT toDate(hour) AS day, sum(rows) AS rows FROM hours GROUP BY day";

pub(crate) fn run(quick: bool) -> Result<()> {
    let library = crate::engine::library()?;
    let batches = if quick { 20 } else { 100 };
    println!("{ROWS} rows of JSON a batch, {batches} batches, one sender");
    for (name, has_views) in [("no view", false), ("two views, one behind the other", true)] {
        let (mut direct, mut piped) = (Duration::ZERO, Duration::ZERO);
        // Twice each, in turn: what one leaves in caches the other finds.
        for round in 0..2 {
            direct += directly(&library, has_views, batches, round)?;
            piped += through(&library, has_views, batches, round)?;
        }
        let rate = |time: Duration| 2.0 * (ROWS * batches) as f64 / time.as_secs_f64();
        println!(
            "{name:<36} direct {:>8.0} rows/s, through log and consumers {:>8.0} rows/s: {:.2} (bar 0.75)",
            rate(direct),
            rate(piped),
            direct.as_secs_f64() / piped.as_secs_f64()
        );
    }
    Ok(())
}

fn rows(batch: u64) -> Vec<u8> {
    let mut dice = fastrand::Rng::with_seed(batch);
    let mut out = String::new();
    for n in 0..ROWS {
        let id = batch * ROWS + n;
        let (second, user, kind) = (1_750_000_000 + id / 10, dice.u32(0..50_000), dice.u8(0..20));
        let (path, amount) = (dice.u32(0..1000), f64::from(dice.u32(0..100_000)) / 100.0);
        out += &format!(
            "{{\"id\":{id},\"at\":{second},\"user\":\"user-{user}\",\"kind\":\"kind-{kind}\",\"path\":\"/shop/items/{path}\",\"amount\":{amount}}}\n"
        );
    }
    out.into_bytes()
}

fn store(folder: &Path, library: &Path, is_prepared: bool) -> Result<Store> {
    let mut config = StoreConfig::new(PoolConfig::new(Program::current()?, library), folder.join("store"));
    if is_prepared {
        prepare(&mut config);
    }
    Ok(Store::open(config)?)
}

/// A client's inserts, with views as the engine's own triggers.
fn directly(library: &Path, has_views: bool, batches: u64, round: u64) -> Result<Duration> {
    let dir = tempfile::tempdir()?;
    let store = store(dir.path(), library, false)?;
    let change = |sql: &str| store.writers().query(Request::new(sql).allow(Allow::Changes));
    change(
        "CREATE TABLE events (id UInt64, at DateTime, user String, kind LowCardinality(String), path String, amount Float64) \
         ENGINE = MergeTree PARTITION BY toYYYYMM(at) ORDER BY (kind, at)",
    )?;
    if has_views {
        change(
            "CREATE TABLE hours (hour DateTime, kind LowCardinality(String), rows SimpleAggregateFunction(sum, UInt64), \
             amount SimpleAggregateFunction(sum, Float64)) ENGINE = AggregatingMergeTree ORDER BY (kind, hour)",
        )?;
        change(
            "CREATE TABLE days (day Date, rows SimpleAggregateFunction(sum, UInt64)) ENGINE = AggregatingMergeTree ORDER BY day",
        )?;
        change(&format!("CREATE MATERIALIZED VIEW to_hours TO hours AS {TO_HOURS}"))?;
        change(&format!("CREATE MATERIALIZED VIEW to_days TO days AS {TO_DAYS}"))?;
    }
    let all: Vec<Vec<u8>> = (0..batches).map(|batch| rows(round * batches + batch)).collect();
    let columns = ["id", "at", "user", "kind", "path", "amount"];
    let start = Instant::now();
    for rows in all {
        store.writers().insert(Insert::new("events", columns, InputFormat::JsonEachRow, rows))?;
    }
    let time = start.elapsed();
    let count = store.writers().query(Request::new("SELECT count() FROM events"))?;
    ensure!(count.text().trim() == (ROWS * batches).to_string(), "rows are missing");
    Ok(time)
}

/// The same rows through the log, until every table has them.
fn through(library: &Path, has_views: bool, batches: u64, round: u64) -> Result<Duration> {
    let dir = tempfile::tempdir()?;
    let store = store(dir.path(), library, true)?;
    let pipeline = Pipeline::open(Parts {
        disk: Arc::new(Disk::open(&dir.path().join("log"))?),
        engine: Arc::new(store.writers().clone()),
        clock: Arc::new(System(Instant::now())),
        entropy: Arc::new(Dice(Mutex::new(fastrand::Rng::new()))),
        limits: Limits::default(),
        probe: None,
    })?;
    let mut files = Files::new();
    files.insert("datasources/events.datasource".into(), SCHEMA.into());
    if has_views {
        files.insert("datasources/hours.datasource".into(), HOURS.into());
        files.insert("datasources/days.datasource".into(), DAYS.into());
        for (name, target, sql) in [("to_hours", "hours", TO_HOURS), ("to_days", "days", TO_DAYS)] {
            let text = format!("NODE {name}\nSQL >\n    {sql}\nTYPE materialized\nDATASOURCE {target}\n");
            files.insert(format!("pipes/{name}.pipe"), text);
        }
    }
    pipeline.install(Release::compile(files)?)?;
    let all: Vec<Vec<u8>> = (0..batches).map(|batch| rows(round * batches + batch)).collect();
    let start = Instant::now();
    let mut last = 0;
    for bytes in all {
        last = pipeline.accept("events", Payload { bytes, format: Format::Ndjson }, None)?.position;
    }
    let accepted = start.elapsed();
    let waited = pipeline.wait(last, "events", Duration::from_secs(600))?;
    let time = start.elapsed();
    ensure!(waited == Waited::Applied, "{waited:?}");
    let table = pipeline.release().and_then(|r| Some(r.source("events")?.table.clone())).unwrap_or_default();
    let count = store.writers().query(Request::new(format!("SELECT count() FROM data.`{table}`")))?;
    ensure!(count.text().trim() == (ROWS * batches).to_string(), "rows are missing");
    println!(
        "    acknowledged after {:.2} s, applied after {:.2} s",
        accepted.as_secs_f64(),
        time.as_secs_f64()
    );
    Ok(time)
}

struct System(Instant);

impl Clock for System {
    fn unix_millis(&self) -> u64 {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
    }

    fn elapsed(&self) -> Duration {
        self.0.elapsed()
    }
}

struct Dice(Mutex<fastrand::Rng>);

impl Entropy for Dice {
    fn random(&self) -> u64 {
        self.0.lock().map_or_else(|broken| broken.into_inner().u64(..), |mut dice| dice.u64(..))
    }
}
