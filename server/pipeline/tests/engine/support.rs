//! A pipeline over a real engine, in a folder that outlives both.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use headwater_log::Disk;
use headwater_pipeline::{
    AcceptError, Clock, Entropy, Files, Format, IdempotencyKey, Limits, Parts, Payload, Pipeline, Receipt,
    Release, Waited, prepare,
};
use headwater_warehouse::{Allow, Places, PoolConfig, Program, Request, Store, StoreConfig, Warehouse};

/// The engine of these tests, whose worker is this program.
pub(crate) fn engine() -> PoolConfig {
    let library = match Places::from_env().library() {
        Ok(library) => library.path().to_owned(),
        Err(why) => panic!("this test needs the SQL engine; `cargo xtask test` brings it. {why}"),
    };
    PoolConfig::new(Program::current().expect("a path"), library)
}

/// A store that nothing of the pipeline has touched.
pub(crate) fn bare_store(folder: &Path) -> StoreConfig {
    StoreConfig::new(engine(), folder.join("store"))
}

/// Runs a statement that changes something.
pub(crate) fn change(warehouse: &Warehouse, sql: &str) -> Result<(), String> {
    warehouse.query(Request::new(sql).allow(Allow::Anything)).map(drop).map_err(|error| error.to_string())
}

/// Asks, and says the answer without its last line break.
pub(crate) fn ask(warehouse: &Warehouse, sql: &str) -> String {
    match warehouse.query(Request::new(sql)) {
        Ok(answer) => answer.text().trim_end_matches('\n').to_owned(),
        Err(error) => panic!("{sql}: {error}"),
    }
}

pub(crate) struct TestClock {
    start: Instant,
    millis: AtomicU64,
}

impl Clock for TestClock {
    fn unix_millis(&self) -> u64 {
        self.millis.load(Ordering::Relaxed)
    }

    fn elapsed(&self) -> Duration {
        self.start.elapsed()
    }
}

struct Dice(std::sync::Mutex<fastrand::Rng>);

impl Entropy for Dice {
    fn random(&self) -> u64 {
        self.0.lock().expect("whole").u64(..)
    }
}

/// 2025-07-15 10:01:02.250 UTC.
pub(crate) const MOMENT: u64 = 1_752_573_662_250;

pub(crate) struct World {
    pub(crate) folder: PathBuf,
    pub(crate) store: Store,
    pub(crate) pipeline: Pipeline,
    pub(crate) clock: Arc<TestClock>,
}

/// The files of a project from one text: `//- path` starts one.
pub(crate) fn files(text: &str) -> Files {
    let mut files = BTreeMap::new();
    for part in text.split("//- ").skip(1) {
        let (path, text) = part.split_once('\n').expect("a path and a text");
        files.insert(path.trim().to_owned(), text.to_owned());
    }
    files
}

pub(crate) type Probe = Option<Arc<dyn Fn(&'static str) + Send + Sync>>;

impl World {
    /// Opens what is in the folder, and nothing more.
    pub(crate) fn open(folder: &Path, seed: u64, probe: Probe) -> Self {
        let mut config = bare_store(folder);
        prepare(&mut config);
        let store = Store::open(config).unwrap_or_else(|error| panic!("{error}"));
        let clock = Arc::new(TestClock { start: Instant::now(), millis: AtomicU64::new(MOMENT) });
        let parts = Parts {
            disk: Arc::new(Disk::open(&folder.join("log")).expect("a folder")),
            engine: Arc::new(store.writers().clone()),
            clock: clock.clone(),
            entropy: Arc::new(Dice(fastrand::Rng::with_seed(seed).into())),
            limits: Limits { block_rows: 1000, ..Limits::default() },
            probe,
        };
        let pipeline = Pipeline::open(parts).unwrap_or_else(|error| panic!("{error}"));
        Self { folder: folder.to_owned(), store, pipeline, clock }
    }

    /// Opens a new folder's, with a project.
    pub(crate) fn new(folder: &Path, project: &str) -> Self {
        let world = Self::open(folder, 1, None);
        world.install(project).unwrap_or_else(|error| panic!("{error}"));
        world
    }

    pub(crate) fn install(&self, project: &str) -> Result<(), String> {
        let release = Release::compile(files(project)).map_err(|faults| faults.to_string())?;
        self.pipeline.install(release).map_err(|error| error.to_string())
    }

    /// Closes all of it, as a program does that ends.
    pub(crate) fn close(self) -> PathBuf {
        self.pipeline.shutdown();
        drop(self.store);
        self.folder
    }

    pub(crate) fn set_clock(&self, millis: u64) {
        self.clock.millis.store(millis, Ordering::Relaxed);
    }

    pub(crate) fn send(&self, source: &str, rows: impl Into<Vec<u8>>) -> Receipt {
        self.try_send(source, rows, None).unwrap_or_else(|error| panic!("{error}"))
    }

    pub(crate) fn try_send(
        &self,
        source: &str,
        rows: impl Into<Vec<u8>>,
        key: Option<&str>,
    ) -> Result<Receipt, AcceptError> {
        let payload = Payload { bytes: rows.into(), format: Format::Ndjson };
        self.pipeline.accept(source, payload, key.map(|key| IdempotencyKey(key.as_bytes().into())))
    }

    /// Waits until everything is applied that was accepted.
    pub(crate) fn settle(&self, source: &str) {
        let waited = self.pipeline.wait(self.pipeline.head(), source, Duration::from_secs(60));
        assert_eq!(waited, Ok(Waited::Applied));
    }

    /// Waits for a receipt.
    pub(crate) fn applied(&self, source: &str, receipt: &Receipt) {
        let waited = self.pipeline.wait(receipt.position, source, Duration::from_secs(60));
        assert_eq!(waited, Ok(Waited::Applied));
    }

    /// Asks; `{name}` is the table of a data source, `{name!}` its quarantine.
    pub(crate) fn ask(&self, sql: &str) -> String {
        ask(self.store.readers(), &self.named(sql))
    }

    pub(crate) fn named(&self, sql: &str) -> String {
        let release = self.pipeline.release().expect("one is live");
        let mut sql = sql.to_owned();
        for (name, source) in &release.sources {
            sql = sql.replace(&format!("{{{name}}}"), &format!("data.`{}`", source.table));
            sql = sql.replace(&format!("{{{name}!}}"), &format!("data.`{}`", source.quarantine));
        }
        sql
    }
}
