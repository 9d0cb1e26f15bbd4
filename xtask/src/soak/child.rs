//! The program that is killed: a pipeline over a folder, with writers.

use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result, anyhow};
use headwater_log::{Disk, Storage, StoredFile};
use headwater_pipeline::{
    Clock, DATABASE, Effect, Entropy, Fault, Format, IdempotencyKey, Limits, Parts, Payload, Pipeline,
    Release, State, Waited, fsck, prepare,
};
use headwater_warehouse::{PoolConfig, Program, Request, Store, StoreConfig};

use super::events::batch;
use super::shape::Shape;

/// Batches that each writer sends in a life.
const BATCHES: u64 = 6;

/// `FOLDER SEED SHAPE NEXT,NEXT… PLAN FAULT`
pub(crate) fn run(args: &[String]) -> ExitCode {
    match life(args) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            println!("wrong: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn life(args: &[String]) -> Result<()> {
    let [folder, seed, shape, next, plan, fault] = args else { anyhow::bail!("what is to be done?") };
    let folder = Path::new(folder);
    let (seed, shape): (u64, Shape) = (seed.parse()?, shape.parse()?);
    let fault = Fault::ALL.into_iter().find(|known| format!("{known:?}") == *fault);
    let killer = Arc::new(Killer::parse(plan, folder));
    let store = open_store(folder, &killer, fault)?;
    killer.engine.store(store.pids().first().copied().unwrap_or(0), Ordering::SeqCst);
    let at = killer.clone();
    let parts = Parts {
        disk: Arc::new(Watched { disk: Disk::open(&folder.join("log"))?, killer: killer.clone() }),
        engine: Arc::new(store.writers().clone()),
        clock: Arc::new(System(Instant::now())),
        entropy: Arc::new(Dice(Mutex::new(fastrand::Rng::new()))),
        limits: Limits { block_rows: 2000, ..Limits::default() },
        probe: Some(Arc::new(move |point| at.at(point))),
    };
    let pipeline = match fault {
        Some(fault) => Pipeline::with_fault(parts, fault)?,
        None => Pipeline::open(parts)?,
    };
    pipeline.install(Release::compile(shape.project())?)?;
    note_tables(&store, folder)?;
    killer.live.store(true, Ordering::SeqCst);
    killer.start_clock();
    let (pipeline, sending) = (&pipeline, AtomicBool::new(true));
    std::thread::scope(|scope| -> Result<()> {
        let writers: Vec<_> = next
            .split(',')
            .enumerate()
            .map(|(writer, next)| {
                scope.spawn(move || send(pipeline, seed, &shape, writer as u64, next.parse()?))
            })
            .collect();
        let (killer, store, sending) = (&killer, &store, &sending);
        let watching = scope.spawn(move || {
            while sending.load(Ordering::SeqCst) {
                killer.engine.store(store.pids().first().copied().unwrap_or(0), Ordering::SeqCst);
                skip_poison(pipeline);
                std::thread::sleep(Duration::from_millis(20));
            }
        });
        let mut sent: Result<()> = Ok(());
        for writer in writers {
            sent = sent.and(writer.join().unwrap_or_else(|_| Err(anyhow!("a writer died"))));
        }
        let settled = sent.and_then(|()| settle(pipeline));
        sending.store(false, Ordering::SeqCst);
        let _ = watching.join();
        settled
    })?;
    println!("skips");
    for consumer in pipeline.status() {
        for skipped in consumer.skipped {
            println!("skipped {} {}", skipped.range.from, skipped.range.to);
        }
    }
    println!("settled");
    std::io::stdout().flush()?;
    // The parent lets go when it has read that.
    let _ = std::io::stdin().read(&mut [0])?;
    Ok(())
}

fn open_store(folder: &Path, killer: &Arc<Killer>, fault: Option<Fault>) -> Result<Store> {
    let library = crate::engine::library()?;
    let mut config = StoreConfig::new(PoolConfig::new(Program::current()?, library), folder.join("store"));
    prepare(&mut config);
    let at = killer.clone();
    config.before_start =
        (fault != Some(Fault::NoFsck)).then(|| -> Arc<dyn Fn(&Path) -> Result<(), String> + Send + Sync> {
            Arc::new(move |data| fsck::mend(data, &|point| at.at(point)).map(drop).map_err(|e| e.to_string()))
        });
    Ok(Store::open(config)?)
}

/// Where each table lies, for whoever looks at what was under way.
fn note_tables(store: &Store, folder: &Path) -> Result<()> {
    let sql = format!("SELECT name, data_paths[1] FROM system.tables WHERE database = '{DATABASE}'");
    let answer = store.writers().query(Request::new(sql))?;
    std::fs::write(folder.join("tables"), answer.body)?;
    Ok(())
}

fn send(pipeline: &Pipeline, seed: u64, shape: &Shape, writer: u64, next: u64) -> Result<()> {
    for nth in next..next + BATCHES {
        let batch = batch(seed, writer, nth, shape.poison);
        let payload = Payload { bytes: batch.text.into_bytes(), format: Format::Ndjson };
        let key = IdempotencyKey(format!("{writer}:{nth}").into_bytes().into());
        let receipt = pipeline.accept("events", payload, Some(key))?;
        if let Some(id) = batch.deletes {
            pipeline.effect("events", Effect::Delete { condition: format!("id = {id}") })?;
        }
        println!("took {writer} {nth} {}", receipt.position);
    }
    Ok(())
}

/// Has the view that throws leave out what it throws on.
fn skip_poison(pipeline: &Pipeline) {
    for consumer in pipeline.status() {
        if let (State::Failing { error, .. }, Some(range)) = (&consumer.state, consumer.next)
            && error.contains("thirteen")
        {
            // Another one may come before it: it is looked at again.
            let _ = pipeline.skip(&consumer.consumer, range, "thirteen");
        }
    }
}

fn settle(pipeline: &Pipeline) -> Result<()> {
    let deadline = Instant::now() + Duration::from_secs(300);
    let position = pipeline.head();
    loop {
        match pipeline.wait(position, "events", Duration::from_millis(500))? {
            Waited::Applied => return Ok(()),
            Waited::Lagging(all) if Instant::now() > deadline => {
                anyhow::bail!("it does not come to its end: {all:?}")
            }
            Waited::Lagging(_) => {}
        }
    }
}

/// Kills at a point, the n-th time that it is reached.
struct Killer {
    point: String,
    left: AtomicU64,
    is_engine: bool,
    engine: AtomicU32,
    /// Points before the writers' start count only where there are no others.
    live: AtomicBool,
    folder: PathBuf,
}

impl Killer {
    fn parse(plan: &str, folder: &Path) -> Self {
        let mut parts = plan.split(':');
        let point = parts.next().unwrap_or_default().to_owned();
        let left = parts.next().and_then(|n| n.parse().ok()).unwrap_or(0);
        Self {
            point,
            left: AtomicU64::new(left),
            is_engine: parts.next() == Some("engine"),
            engine: AtomicU32::new(0),
            live: AtomicBool::new(false),
            folder: folder.to_owned(),
        }
    }

    /// A random moment is a point, too.
    fn start_clock(self: &Arc<Self>) {
        if self.point == "random" {
            let me = self.clone();
            std::thread::spawn(move || {
                std::thread::sleep(Duration::from_millis(me.left.swap(0, Ordering::SeqCst)));
                me.kill();
            });
        }
    }

    fn at(self: &Arc<Self>, point: &str) {
        let counts = self.live.load(Ordering::SeqCst) || point.starts_with("fsck");
        if point != self.point || !counts {
            return;
        }
        let before = self.left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1));
        if before != Ok(1) {
            return;
        }
        if point == "insert.inside" {
            // A little later, the statement is under way.
            let me = self.clone();
            std::thread::spawn(move || {
                std::thread::sleep(Duration::from_micros(fastrand::u64(0..6000)));
                me.kill();
            });
        } else {
            self.kill();
        }
    }

    fn kill(&self) {
        use rustix::process::{Pid, Signal, getpid, kill_process};
        let victim = if self.is_engine { "engine" } else { "program" };
        if self.is_engine {
            let pid = i32::try_from(self.engine.load(Ordering::SeqCst)).ok().and_then(Pid::from_raw);
            if pid.is_some_and(|pid| kill_process(pid, Signal::KILL).is_ok()) {
                println!("kill {} {victim}", self.point);
            }
            return;
        }
        if self.point == "insert.after" {
            let _ = self.note_in_flight();
        }
        // Without the lock of the standard output, which somebody may hold for ever.
        let line = format!("\nkill {} {victim}\n", self.point);
        let _ = rustix::io::write(rustix::stdio::stdout(), line.as_bytes());
        let _ = kill_process(getpid(), Signal::KILL);
        std::thread::sleep(Duration::from_secs(60));
    }

    /// The folder of the table whose insert this thread has just made: threads of consumers are named after them.
    fn note_in_flight(&self) -> Result<()> {
        let thread = std::thread::current();
        let table = thread.name().and_then(|name| name.strip_prefix("consumer ")).context("a consumer")?;
        let tables = std::fs::read_to_string(self.folder.join("tables"))?;
        let path = tables.lines().find_map(|line| line.strip_prefix(table)?.strip_prefix('\t'));
        std::fs::write(self.folder.join("in-flight"), path.context("a table")?)?;
        Ok(())
    }
}

/// A disk that tells what is written and not yet durable.
struct Watched {
    disk: Disk,
    killer: Arc<Killer>,
}

struct WatchedFile {
    file: Arc<dyn StoredFile>,
    point: Option<&'static str>,
    killer: Arc<Killer>,
}

impl Watched {
    fn file(&self, name: &str, file: Arc<dyn StoredFile>) -> Arc<dyn StoredFile> {
        let point = match name {
            "cursors" => Some("disk.cursors"),
            name if name.ends_with(".log") => Some("disk.log"),
            _ => None,
        };
        Arc::new(WatchedFile { file, point, killer: self.killer.clone() })
    }
}

impl Storage for Watched {
    fn list(&self) -> std::io::Result<Vec<String>> {
        self.disk.list()
    }

    fn open(&self, name: &str) -> std::io::Result<Arc<dyn StoredFile>> {
        Ok(self.file(name, self.disk.open(name)?))
    }

    fn create(&self, name: &str) -> std::io::Result<Arc<dyn StoredFile>> {
        Ok(self.file(name.trim_end_matches(".new"), self.disk.create(name)?))
    }

    fn rename(&self, from: &str, to: &str) -> std::io::Result<()> {
        self.disk.rename(from, to)
    }

    fn remove(&self, name: &str) -> std::io::Result<()> {
        self.disk.remove(name)
    }

    fn sync(&self) -> std::io::Result<()> {
        self.disk.sync()
    }
}

impl StoredFile for WatchedFile {
    fn size(&self) -> std::io::Result<u64> {
        self.file.size()
    }

    fn read(&self, offset: u64, buffer: &mut [u8]) -> std::io::Result<()> {
        self.file.read(offset, buffer)
    }

    fn write(&self, offset: u64, bytes: &[u8]) -> std::io::Result<()> {
        self.file.write(offset, bytes)
    }

    fn truncate(&self, size: u64) -> std::io::Result<()> {
        self.file.truncate(size)
    }

    fn sync(&self) -> std::io::Result<()> {
        if let Some(point) = self.point {
            self.killer.at(point);
        }
        self.file.sync()
    }
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
