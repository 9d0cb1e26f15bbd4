//! The pipeline as others see it.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, RwLock};
use std::thread::JoinHandle;
use std::time::Duration;

use crossbeam_channel::{Receiver, unbounded};
use headwater_log::{
    Audience, Body, Consumer, Cursors, Draft, Journal, Log, Options, Range, ReleaseId, Storage,
};
use serde::{Deserialize, Serialize};

use crate::block::Maker;
use crate::chain::Running;
use crate::clock::{Clock, Entropy};
use crate::effect::Effect;
use crate::error::{AcceptError, InstallError, OpenError, SkipError, Waited};
use crate::fault::{Fault, Planted};
use crate::hot::Hot;
use crate::install::{make_tables, try_views};
use crate::ledger::Ledger;
use crate::payload::{Context, Format, IdempotencyKey, Payload, RULES, Receipt, read, verdicts};
use crate::release::Release;
use crate::release::volatile::ROW_BITS;
use crate::sql::{Sql, Tables};
use crate::status::{ConsumerStatus, Kind, Lagging, State};
use crate::stream::{ConsumerState, Stream};
use crate::{consumer, cutter, quarantine, spool};

/// What a pipeline stands on.
pub struct Parts {
    /// The folder of log, cursors, releases and kept results. Nobody else writes to it.
    pub disk: Arc<dyn Storage>,
    /// Connections that change data, of a store that [`prepare`](crate::prepare) has seen.
    pub engine: Arc<dyn Tables>,
    /// What time it is.
    pub clock: Arc<dyn Clock>,
    /// Chance.
    pub entropy: Arc<dyn Entropy>,
    /// Sizes and bounds.
    pub limits: Limits,
    /// Told of each of [`POINTS`] as it is reached: for tests that stop everything there.
    pub probe: Option<Arc<dyn Fn(&'static str) + Send + Sync>>,
}

/// Sizes and bounds.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Rows of a block; a single record with more is one block all the same.
    pub block_rows: u64,
    /// Bytes of payload of a block, likewise.
    pub block_bytes: u64,
    /// Bytes of rows that are remembered between acceptance and consumers.
    pub hot_bytes: usize,
    /// Bytes of the log from which on records that every consumer has applied are let go. Idempotency keys go with them.
    pub keep_bytes: u64,
    /// The log's. Its salt is chosen here.
    pub log: Options,
}

/// How often a large log is looked at for what can go.
const TRIM_EVERY: Duration = Duration::from_secs(10);

impl Default for Limits {
    /// 100,000 rows or 32 MiB a block, 64 MiB remembered, the log's own defaults within 16 GiB, of which 4 are kept.
    fn default() -> Self {
        Self {
            block_rows: 100_000,
            block_bytes: 32 << 20,
            hot_bytes: 64 << 20,
            keep_bytes: 4 << 30,
            log: Options { total_bytes: 16 << 30, ..Options::default() },
        }
    }
}

/// The points that [`Parts::probe`] is told of; those of [`fsck::mend`](crate::fsck::mend) come beside them.
pub const POINTS: [&str; 23] = [
    "accept.before",
    "accept.after",
    "declare.before",
    "declare.after",
    "block.before",
    "block.inside",
    "block.after",
    "view.before",
    "view.after",
    "spool.before",
    "spool.inside",
    "spool.after",
    "insert.before",
    "insert.inside",
    "insert.after",
    "quarantine.before",
    "quarantine.after",
    "effect.before",
    "effect.after",
    "advance.before",
    "advance.after",
    "skip.before",
    "skip.after",
];

/// Who is told of points.
#[derive(Clone)]
pub(crate) struct Probe(Option<Arc<dyn Fn(&'static str) + Send + Sync>>);

impl Probe {
    pub(crate) fn at(&self, point: &'static str) {
        if let Some(tell) = &self.0 {
            tell(point);
        }
    }
}

/// What was decided about releases.
#[derive(Serialize, Deserialize)]
enum Entry {
    /// A release, as it was compiled.
    Compiled(Box<Release>),
    /// This one is live from here on.
    Live([u8; 32]),
}

const JOURNAL: &str = "releases";

/// A release at work over a log and an engine. Dropping it stops its consumers; what they were at is repeated by the next.
pub struct Pipeline {
    inner: Arc<Inner>,
    threads: Mutex<Vec<JoinHandle<()>>>,
}

pub(crate) struct Inner {
    pub(crate) maker: Maker,
    pub(crate) ledger: Ledger,
    pub(crate) clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    limits: Limits,
    journal: Mutex<Journal<Entry>>,
    /// Releases under which records were accepted.
    running: RwLock<BTreeMap<ReleaseId, Arc<Running>>>,
    live: RwLock<Option<Arc<Running>>>,
    streams: RwLock<BTreeMap<String, Arc<Stream>>>,
    /// Why a data source's records cannot be cut.
    cut_errors: Mutex<BTreeMap<String, String>>,
    pub(crate) stopping: AtomicBool,
    /// The newest moment of acceptance: records' moments do not go back, even when the clock does.
    newest: AtomicU64,
    /// When the log was last trimmed, in Unix milliseconds.
    trimmed: AtomicU64,
}

impl Pipeline {
    /// Opens it, and goes on where it was. The engine is asked by the consumers, as soon as they have something to do.
    ///
    /// # Errors
    /// See [`OpenError`].
    pub fn open(parts: Parts) -> Result<Self, OpenError> {
        Self::open_planted(parts, Planted::default())
    }

    /// The same with a rule left out, to see that its absence is noticed.
    ///
    /// # Errors
    /// See [`OpenError`].
    #[cfg(feature = "faults")]
    pub fn with_fault(parts: Parts, fault: Fault) -> Result<Self, OpenError> {
        Self::open_planted(parts, Planted(Some(fault)))
    }

    fn open_planted(parts: Parts, fault: Planted) -> Result<Self, OpenError> {
        let Parts { disk, engine, clock, entropy, limits, probe } = parts;
        let salt = entropy.random();
        let log = Log::open(Arc::clone(&disk), Options { salt, ..limits.log.clone() })?;
        let mut cursors = Cursors::open(Arc::clone(&disk), salt, log.head())?;
        if fault.is(Fault::CutAnew) {
            cut_anew(&mut cursors);
        }
        let (journal, entries) = Journal::open(Arc::clone(&disk), JOURNAL, salt)?;
        let (mut running, mut live) = (BTreeMap::new(), None);
        for entry in entries {
            match entry {
                Entry::Compiled(release) => {
                    let release = Running::new(*release).map_err(OpenError::Release)?;
                    running.insert(release.release.id(), Arc::new(release));
                }
                Entry::Live(id) => live = running.get(&ReleaseId(id)).cloned(),
            }
        }
        let (goes, gone) = unbounded();
        let maker = Maker {
            sql: Sql::new(engine),
            log: Arc::new(log),
            hot: Hot::new(limits.hot_bytes),
            storage: disk,
            probe: Probe(probe),
            goes,
            life: entropy.random(),
            names: AtomicU64::new(0),
            columns: Mutex::default(),
            settings: OnceLock::new(),
            fault,
        };
        let inner = Arc::new(Inner {
            maker,
            ledger: Ledger::new(cursors),
            clock,
            entropy,
            limits,
            journal: Mutex::new(journal),
            running: RwLock::new(running),
            live: RwLock::new(None),
            streams: RwLock::default(),
            cut_errors: Mutex::default(),
            stopping: AtomicBool::new(false),
            newest: AtomicU64::new(0),
            trimmed: AtomicU64::new(0),
        });
        let pipeline = Self { inner, threads: Mutex::default() };
        pipeline.spawn("block-drops", move |inner| drop_blocks(inner, &gone)).map_err(OpenError::Threads)?;
        if let Some(live) = live {
            pipeline.begin(live)?;
        }
        Ok(pipeline)
    }

    /// Makes a release live: the first one, or one with the same tables and views as the one that is. The one that is live
    /// already is installed again by doing nothing.
    ///
    /// # Errors
    /// See [`InstallError`]; nothing is live then that was not, though tables may be there that nobody uses.
    pub fn install(&self, release: Release) -> Result<(), InstallError> {
        let mut journal = lock(&self.inner.journal);
        let before = self.release();
        if let Some(before) = &before {
            if before.id() == release.id() {
                return Ok(());
            }
            if let Some(what) = difference(before, &release) {
                return Err(InstallError::Different(what));
            }
        }
        let running = Running::new(release).map_err(InstallError::Refused)?;
        let sql = &self.inner.maker.sql;
        make_tables(sql, &running.release, self.inner.maker.fault)?;
        try_views(sql, &running.release)?;
        let names: Vec<Consumer> = running.consumers().map(|consumer| consumer.name.clone()).collect();
        if before.is_none() {
            let head = self.inner.maker.log.head();
            self.inner.ledger.cursors().begin_all(&names, head).map_err(InstallError::Journal)?;
        }
        let id = running.release.id();
        let entries = [Entry::Compiled(Box::new(running.release.clone())), Entry::Live(id.0)];
        journal.append_all(&entries).map_err(InstallError::Journal)?;
        let running = Arc::new(running);
        write(&self.inner.running).insert(id, Arc::clone(&running));
        if before.is_none() {
            self.begin(running).map_err(|error| InstallError::Engine(error.to_string()))?;
        } else {
            *write(&self.inner.live) = Some(running);
        }
        Ok(())
    }

    /// The release that is live.
    #[must_use]
    pub fn release(&self) -> Option<Arc<Release>> {
        let live = self.inner.live.read().unwrap_or_else(PoisonError::into_inner);
        live.as_ref().map(|running| Arc::new(running.release.clone()))
    }

    /// Accepts rows for a data source. What it answers is durable. Linear in the bytes.
    ///
    /// # Errors
    /// See [`AcceptError`]. Unless the log says that it is not sure, nothing was kept.
    pub fn accept(
        &self,
        datasource: &str,
        payload: Payload,
        key: Option<IdempotencyKey>,
    ) -> Result<Receipt, AcceptError> {
        let inner = &self.inner;
        let running = inner.live().ok_or(AcceptError::NoRelease)?;
        let Some(schema) = running.schemas.get(datasource) else {
            return Err(AcceptError::Unknown(datasource.to_owned()));
        };
        let batch = Arc::new(read(schema, payload.format, &payload.bytes));
        let (rows, quarantined) = (batch.starts.len() as u64, batch.quarantined.len() as u64);
        if rows + quarantined >= 1 << ROW_BITS {
            let most = (1u64 << ROW_BITS) - 1;
            return Err(AcceptError::Invalid(format!(
                "{rows} rows are more than the {most} of one record; send less at once"
            )));
        }
        if rows + quarantined == 0 {
            let position = inner.maker.log.head();
            return Ok(Receipt { position, rows, quarantined, verdicts: Vec::new(), repeated: false });
        }
        let seed = inner.entropy.random();
        let body = Body::Rows { rows: rows + quarantined };
        let context = Context { format: payload.format, seed, rules: RULES };
        let verdicts = verdicts(&batch.quarantined);
        inner.maker.hot.put(seed, batch);
        let ack = self.append(&running, datasource, body, context, payload.bytes, key);
        if !matches!(ack, Ok(ack) if !ack.repeated) {
            inner.maker.hot.take(seed);
        }
        let ack = ack?;
        Ok(Receipt { position: ack.position, rows, quarantined, verdicts, repeated: ack.repeated })
    }

    /// Accepts something that happens to a data source's rows. It happens behind all that was accepted before it, and before
    /// all that comes.
    ///
    /// # Errors
    /// See [`AcceptError`].
    pub fn effect(&self, datasource: &str, effect: Effect) -> Result<Receipt, AcceptError> {
        let inner = &self.inner;
        let running = inner.live().ok_or(AcceptError::NoRelease)?;
        match running.release.source(datasource) {
            None => return Err(AcceptError::Unknown(datasource.to_owned())),
            Some(source) if source.engine == "Null" => {
                return Err(AcceptError::Invalid(format!("`{datasource}` stores no rows that could go")));
            }
            // Views write on their own account: which of their rows came before, no position tells, and a repeated delete
            // would take later ones.
            Some(_) if running.release.views.iter().any(|view| view.target == datasource) => {
                return Err(AcceptError::Invalid(format!(
                    "views fill `{datasource}`, and which of their rows came before this cannot be told: take the rows out of what the views read, and deploy the views anew"
                )));
            }
            Some(_) => {}
        }
        let effect = effect.fixed(inner.clock.unix_millis()).map_err(AcceptError::Invalid)?;
        let payload =
            postcard::to_allocvec(&effect).map_err(|error| AcceptError::Invalid(error.to_string()))?;
        let context = Context { format: Format::Ndjson, seed: 0, rules: RULES };
        let ack = self.append(&running, datasource, Body::Effect, context, payload, None)?;
        Ok(Receipt {
            position: ack.position,
            rows: 0,
            quarantined: 0,
            verdicts: Vec::new(),
            repeated: ack.repeated,
        })
    }

    fn append(
        &self,
        running: &Running,
        datasource: &str,
        body: Body,
        context: Context,
        payload: Vec<u8>,
        key: Option<IdempotencyKey>,
    ) -> Result<headwater_log::Ack, AcceptError> {
        let inner = &self.inner;
        let now = inner.clock.unix_millis();
        self.make_room(now);
        let draft = Draft {
            stream: datasource.into(),
            release: running.release.id(),
            audience: Audience::Live,
            accepted_at: now.max(inner.newest.fetch_max(now, Ordering::Relaxed)),
            key: key.map(|key| key.0).filter(|_| !inner.maker.fault.is(Fault::ForgetKeys)),
            body,
            context: postcard::to_allocvec(&context)
                .map_err(|error| AcceptError::Invalid(error.to_string()))?
                .into(),
            payload: payload.into(),
        };
        inner.maker.probe.at("accept.before");
        let ack = inner.maker.log.append(draft)?;
        inner.maker.probe.at("accept.after");
        if let Some(stream) = inner.stream(datasource) {
            self.start(&stream);
        }
        inner.ledger.wake();
        Ok(ack)
    }

    /// Lets go of what nobody needs once the log is large, now and then: without it a host that runs for long would refuse
    /// rows for ever.
    fn make_room(&self, now: u64) {
        let inner = &self.inner;
        if self.log_bytes() <= inner.limits.keep_bytes {
            return;
        }
        let last = inner.trimmed.load(Ordering::Relaxed);
        let is_time = now.saturating_sub(last) >= TRIM_EVERY.as_millis() as u64;
        if is_time && inner.trimmed.compare_exchange(last, now, Ordering::Relaxed, Ordering::Relaxed).is_ok()
        {
            // A log that cannot be trimmed says so by being full.
            let _ = self.trim(self.head());
        }
    }

    /// Waits until all consumers of a data source have applied everything of it up to a position, at most so long.
    ///
    /// # Errors
    /// [`AcceptError::NoRelease`], [`AcceptError::Unknown`].
    pub fn wait(&self, position: u64, datasource: &str, at_most: Duration) -> Result<Waited, AcceptError> {
        let inner = &self.inner;
        let stream = match inner.stream(datasource) {
            Some(stream) => stream,
            None if inner.live().is_none() => return Err(AcceptError::NoRelease),
            None => return Err(AcceptError::Unknown(datasource.to_owned())),
        };
        let deadline = inner.clock.elapsed() + at_most;
        loop {
            let moves = inner.ledger.moves();
            let lagging = inner.lagging(&stream, position);
            if lagging.is_empty() {
                return Ok(Waited::Applied);
            }
            let left = deadline.saturating_sub(inner.clock.elapsed());
            if left.is_zero() || inner.stopping.load(Ordering::Relaxed) {
                return Ok(Waited::Lagging(lagging));
            }
            inner.ledger.wait(moves, left.min(Duration::from_millis(200)));
        }
    }

    /// How every consumer is, in order of data sources. Reads the first record that each has not applied.
    #[must_use]
    pub fn status(&self) -> Vec<ConsumerStatus> {
        let streams: Vec<Arc<Stream>> = read_lock(&self.inner.streams).values().cloned().collect();
        let mut out = Vec::new();
        for stream in streams {
            out.extend(stream.consumers.iter().map(|consumer| self.inner.status(&stream, consumer)));
        }
        out
    }

    /// Has a consumer leave out the range that it stands before. The rows that a data source's own table does not get come
    /// into its quarantine, with the reason. Waits for an attempt that is under way.
    ///
    /// # Errors
    /// See [`SkipError`]; the range is still to be applied then.
    pub fn skip(&self, consumer: &str, range: (u64, u64), reason: &str) -> Result<(), SkipError> {
        let inner = &self.inner;
        let streams: Vec<Arc<Stream>> = read_lock(&inner.streams).values().cloned().collect();
        let found = streams.iter().find_map(|stream| {
            let state = stream.consumers.iter().find(|state| *state.planned.name == *consumer)?;
            Some((stream, state))
        });
        let Some((stream, state)) = found else { return Err(SkipError::Unknown(consumer.to_owned())) };
        let hand = lock(&state.hand);
        let next = match inner.ledger.next(consumer) {
            Some(next) if (next.from, next.to) == range => next,
            Some(next) => {
                return Err(SkipError::NotNext(format!(
                    "{consumer} stands before {}–{}, not before {}–{}",
                    next.from, next.to, range.0, range.1
                )));
            }
            None => return Err(SkipError::NotNext(format!("{consumer} has nothing before it"))),
        };
        inner.maker.probe.at("skip.before");
        if state.planned.kind == Kind::Landing && !next.effect {
            inner.set_aside(stream, &next, reason).map_err(SkipError::Quarantine)?;
        }
        inner.ledger.cursors().skip(consumer, reason).map_err(SkipError::Journal)?;
        inner.maker.probe.at("skip.after");
        state.set_failing(None);
        drop(hand);
        inner.over(stream, &next);
        inner.ledger.wake();
        Ok(())
    }

    /// Lets go of whole segments of the log that no consumer needs and whose records are all before `at_most`. Says the oldest
    /// position that is still there. Idempotency keys of what is let go are forgotten with the next start: what may still be
    /// sent again must not go.
    ///
    /// # Errors
    /// Why it cannot be noted, or removed; what is needed is there then.
    pub fn trim(&self, at_most: u64) -> Result<u64, String> {
        let inner = &self.inner;
        let streams: Vec<Arc<Stream>> = read_lock(&inner.streams).values().cloned().collect();
        for stream in &streams {
            inner.pass_idle(stream).map_err(|error| error.to_string())?;
        }
        let needed = inner.ledger.cursors().needed().unwrap_or(u64::MAX);
        inner.maker.log.trim(needed.min(at_most)).map_err(|error| error.to_string())
    }

    /// The last position that is durable.
    #[must_use]
    pub fn head(&self) -> u64 {
        self.inner.maker.log.head()
    }

    /// The bytes of the log.
    #[must_use]
    pub fn log_bytes(&self) -> u64 {
        self.inner.maker.log.total_bytes()
    }

    /// Stops the consumers and closes the log. Waits for statements that are under way.
    pub fn shutdown(self) {
        drop(self);
    }

    fn begin(&self, running: Arc<Running>) -> Result<(), OpenError> {
        let inner = &self.inner;
        let mut streams = BTreeMap::new();
        for (name, chain) in &running.chains {
            let cursors = inner.ledger.cursors();
            let ends = chain.consumers.iter().map(|consumer| {
                let applied = cursors.progress(&consumer.name).map_or(0, |progress| progress.applied);
                cursors.declared(&consumer.name).last().map_or(applied, |range| range.to)
            });
            let cut = ends.max().unwrap_or(0);
            drop(cursors);
            streams.insert(name.clone(), Arc::new(Stream::new(name, chain.clone(), cut)));
        }
        let needed = |output: &str| {
            running.chains.values().find_map(|chain| {
                let nth = chain.outputs.iter().position(|other| other.id == output)?;
                chain.users(nth).map(|consumer| inner.ledger.applied(&consumer.name)).min()
            })
        };
        spool::sweep(&*inner.maker.storage, &needed).map_err(|error| {
            OpenError::Log(headwater_log::LogError::Io { file: "kept results".into(), error })
        })?;
        *write(&inner.streams) = streams.clone();
        *write(&inner.live) = Some(running);
        for stream in streams.values() {
            let cut = *lock(&stream.cut);
            let cursors = inner.ledger.cursors();
            let is_behind =
                stream.consumers.iter().any(|c| cursors.declared(&c.planned.name).next().is_some());
            drop(cursors);
            let has_more = inner.maker.log.count(&stream.source, cut + 1).map_or(true, |count| count > 0);
            if is_behind || has_more {
                self.start(stream);
            }
        }
        Ok(())
    }

    /// Starts a data source's threads, if they do not run.
    fn start(&self, stream: &Arc<Stream>) {
        if stream.started.swap(true, Ordering::SeqCst) {
            return;
        }
        let cutting = Arc::clone(stream);
        let mut started = self.spawn("cutter", move |inner| cutter::run(inner, &cutting));
        for consumer in &stream.consumers {
            let name = format!("consumer {}", consumer.planned.table);
            let (stream, consumer) = (Arc::clone(stream), Arc::clone(consumer));
            started = started
                .and_then(|()| self.spawn(&name, move |inner| consumer::run(inner, &stream, &consumer)));
        }
        if let Err(error) = started {
            self.inner.note_cut_error(stream, Some(format!("no thread can be started: {error}")));
        }
    }

    fn spawn(&self, name: &str, run: impl FnOnce(&Inner) + Send + 'static) -> Result<(), std::io::Error> {
        let inner = Arc::clone(&self.inner);
        let thread = std::thread::Builder::new().name(name.to_owned()).spawn(move || run(&inner))?;
        lock(&self.threads).push(thread);
        Ok(())
    }
}

impl Drop for Pipeline {
    fn drop(&mut self) {
        self.inner.stopping.store(true, Ordering::SeqCst);
        self.inner.ledger.wake();
        for thread in std::mem::take(&mut *lock(&self.threads)) {
            let _ = thread.join();
        }
    }
}

impl Inner {
    pub(crate) fn running(&self, id: ReleaseId) -> Option<Arc<Running>> {
        read_lock(&self.running).get(&id).cloned()
    }

    pub(crate) fn chance(&self) -> u64 {
        self.entropy.random()
    }

    fn live(&self) -> Option<Arc<Running>> {
        read_lock(&self.live).clone()
    }

    fn stream(&self, name: &str) -> Option<Arc<Stream>> {
        read_lock(&self.streams).get(name).cloned()
    }

    pub(crate) fn cut_limits(&self) -> headwater_log::Limits {
        headwater_log::Limits { rows: self.limits.block_rows, bytes: self.limits.block_bytes }
    }

    pub(crate) fn note_cut_error(&self, stream: &Stream, error: Option<String>) {
        let mut errors = lock(&self.cut_errors);
        match error {
            Some(error) => drop(errors.insert(stream.source.clone(), error)),
            None => drop(errors.remove(&stream.source)),
        }
    }

    /// Waits, or until everything stops.
    pub(crate) fn pause(&self, at_most: Duration) {
        let end = self.clock.elapsed() + at_most;
        while !self.stopping.load(Ordering::Relaxed) {
            let left = end.saturating_sub(self.clock.elapsed());
            if left.is_zero() {
                return;
            }
            std::thread::sleep(left.min(Duration::from_millis(50)));
        }
    }

    /// A consumer has a range behind it: what nobody needs any more goes.
    pub(crate) fn over(&self, stream: &Stream, range: &Range) {
        let applied: Vec<u64> =
            stream.consumers.iter().map(|c| self.ledger.applied(&c.planned.name)).collect();
        stream.sets.let_go(applied.iter().copied().min().unwrap_or(0));
        let Some(running) = self.running(range.release) else { return };
        for (nth, output) in stream.chain.outputs.iter().enumerate() {
            if running.release.views.get(output.view).is_some_and(|view| view.kept.is_some()) {
                let is_over =
                    stream.chain.users(nth).all(|consumer| self.ledger.applied(&consumer.name) >= range.to);
                // What stays is swept away with the next start.
                let _ = is_over.then(|| spool::remove(&*self.maker.storage, &output.id, range));
            }
        }
    }

    fn lagging(&self, stream: &Stream, position: u64) -> Vec<Lagging> {
        let cut_error = lock(&self.cut_errors).get(&stream.source).cloned();
        let mut out = Vec::new();
        for consumer in &stream.consumers {
            let applied = self.ledger.applied(&consumer.planned.name);
            // A position may be another data source's: what counts is that nothing is left of this one.
            let is_behind = applied < position
                && self.maker.log.count(&stream.source, applied + 1).map_or(true, |n| n > 0);
            if is_behind {
                out.push(Lagging {
                    consumer: consumer.planned.name.to_string(),
                    position: applied,
                    why: consumer.failing().map(|failing| failing.error).or_else(|| cut_error.clone()),
                });
            }
        }
        out
    }

    fn status(&self, stream: &Stream, consumer: &ConsumerState) -> ConsumerStatus {
        let planned = &consumer.planned;
        let cursors = self.ledger.cursors();
        let progress = cursors.progress(&planned.name);
        let (position, next) = progress.map_or((0, None), |progress| (progress.applied, progress.declared));
        let skipped = cursors.skipped(&planned.name).to_vec();
        drop(cursors);
        let lag_records = self.maker.log.count(&stream.source, position + 1).ok();
        let lag = match lag_records {
            Some(0) => Duration::ZERO,
            _ => {
                let first = self.maker.log.read(&stream.source, position + 1).next().ok().flatten();
                let at = first.map(|record| record.draft.accepted_at);
                at.map_or(Duration::ZERO, |at| {
                    Duration::from_millis(self.clock.unix_millis().saturating_sub(at))
                })
            }
        };
        let cut_error = lock(&self.cut_errors).get(&stream.source).cloned();
        let state = match (consumer.failing(), cut_error) {
            (Some(failing), _) => State::Failing {
                error: failing.error,
                attempts: failing.attempts,
                retry_in: failing.again_at.saturating_sub(self.clock.elapsed()),
            },
            (None, Some(error)) => State::Failing { error, attempts: 1, retry_in: Duration::ZERO },
            (None, None) if consumer.is_busy() || next.is_some() || lag_records != Some(0) => State::Working,
            (None, None) => State::Idle,
        };
        ConsumerStatus {
            consumer: planned.name.to_string(),
            table: planned.table.clone(),
            datasource: stream.source.clone(),
            fills: planned.fills.clone(),
            kind: planned.kind,
            position,
            lag_records,
            lag,
            next: next.map(|range| (range.from, range.to)),
            state,
            skipped,
        }
    }

    /// Puts the rows of a range into the quarantine, with a reason.
    fn set_aside(&self, stream: &Stream, range: &Range, reason: &str) -> Result<(), String> {
        let running = self.running(range.release).ok_or("the release of the range is not known")?;
        let (source, schema) = (&running.release.sources[&stream.source], &running.schemas[&stream.source]);
        let mut misfits = Vec::new();
        for record in self.maker.records(&stream.source, range).map_err(|trouble| trouble.to_string())? {
            let (_, batch) = self.maker.rows(schema, &record).map_err(|trouble| trouble.to_string())?;
            for (nth, (start, line)) in batch.starts.iter().enumerate() {
                let end = batch.starts.get(nth + 1).map_or(batch.rows.len(), |(start, _)| *start);
                let text = String::from_utf8_lossy(&batch.rows[*start..end]);
                misfits.push(quarantine::Misfit {
                    at: record.draft.accepted_at,
                    position: record.position,
                    row: schema.refused(*line, text.trim_end(), format!("skipped: {reason}")),
                });
            }
        }
        if misfits.is_empty() {
            return Ok(());
        }
        let token = format!("{}:skipped:{}-{}", source.quarantine, range.from, range.to);
        let rows = quarantine::lines(source, &misfits);
        consumer::quarantine_insert(self, &source.quarantine, source, &token, rows)
            .map_err(|trouble| trouble.to_string())
    }

    /// Says durably of a data source without anything to do that there is nothing for it up to the log's end.
    fn pass_idle(&self, stream: &Stream) -> Result<(), headwater_log::AppendError> {
        // The cutter must not cut meanwhile.
        let mut cut = lock(&stream.cut);
        let mut cursors = self.ledger.cursors();
        let head = self.maker.log.head();
        let names = stream.names();
        let is_idle = names.iter().all(|name| cursors.declared(name).next().is_none());
        if is_idle && head > *cut && matches!(self.maker.log.count(&stream.source, *cut + 1), Ok(0)) {
            cursors.begin_all(&names, head)?;
            *cut = head;
        }
        Ok(())
    }
}

/// What of the tables or views of two releases is different.
fn difference(before: &Release, after: &Release) -> Option<String> {
    let named = |name: &String| Some(format!("`{name}`"));
    for (name, source) in &after.sources {
        if before.sources.get(name) != Some(source) {
            return named(name);
        }
    }
    if let Some(name) = before.sources.keys().find(|name| !after.sources.contains_key(*name)) {
        return named(name);
    }
    let (was, is) = (&before.views, &after.views);
    let changed =
        is.iter().find(|view| !was.contains(view)).or_else(|| was.iter().find(|view| !is.contains(view)));
    changed
        .map(|view| format!("the view in `{}`", view.pipe))
        .or_else(|| (was != is).then(|| "the order of views".to_owned()))
}

/// What ranges that were declared must not become: one that is cut at other places.
fn cut_anew(cursors: &mut Cursors) {
    let all: Vec<(Consumer, u64)> = cursors.iter().map(|(name, p)| (name.clone(), p.applied)).collect();
    for (name, applied) in all {
        let declared: Vec<Range> = cursors.declared(&name).collect();
        if let [first, .., last] = declared[..]
            && declared.iter().all(|range| !range.effect && range.release == first.release)
        {
            let joined = Range { to: last.to, ..first };
            let _ = cursors.begin(&name, applied, true).and_then(|()| cursors.declare(&name, joined));
        }
    }
}

/// Drops tables of blocks that nobody holds.
fn drop_blocks(inner: &Inner, gone: &Receiver<String>) {
    while !inner.stopping.load(Ordering::Relaxed) {
        if let Ok(table) = gone.recv_timeout(Duration::from_millis(200)) {
            // Lost with the engine's process, it need not be dropped.
            let _ = inner.maker.sql.run(format!("DROP TABLE IF EXISTS {table}"));
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn read_lock<T>(lock: &RwLock<T>) -> std::sync::RwLockReadGuard<'_, T> {
    lock.read().unwrap_or_else(PoisonError::into_inner)
}

fn write<T>(lock: &RwLock<T>) -> std::sync::RwLockWriteGuard<'_, T> {
    lock.write().unwrap_or_else(PoisonError::into_inner)
}
