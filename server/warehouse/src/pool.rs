//! Workers behind one queue.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use crossbeam_channel::{Receiver, Sender, bounded};

use crate::config::DATABASE;
use crate::driver::{Driver, Hook, Place};
use crate::error::EngineError;
use crate::insert::Insert;
use crate::process::Role;
use crate::request::{Answer, Limits, Request};
use crate::scratch;
use crate::session::Session;
use crate::warehouse::{Most, Ticket, Warehouse};

/// The program that becomes a worker: it must call [`worker_main`](crate::worker_main) and nothing else.
#[derive(Debug, Clone)]
pub struct Program {
    /// The executable.
    pub path: PathBuf,
    /// What to pass it.
    pub args: Vec<String>,
}

impl Program {
    /// The running executable as `… engine-worker`.
    ///
    /// # Errors
    ///
    /// When the system does not tell which executable that is.
    pub fn current() -> std::io::Result<Self> {
        Ok(Self { path: std::env::current_exe()?, args: vec!["engine-worker".to_owned()] })
    }
}

/// How a pool is set up.
#[derive(Debug, Clone)]
pub struct PoolConfig {
    /// What a worker is.
    pub program: Program,
    /// The engine's library. From the user's environment or our own installation, never from a project.
    pub library: PathBuf,
    /// How many workers, at least 1. Each takes about 35 MB of memory of its own.
    pub workers: usize,
    /// Start them now instead of at the first request.
    pub start_early: bool,
    /// Our own statements, run whenever a worker starts: after a crash the tables they make are there again.
    pub prelude: Vec<String>,
    /// Settings of every connection, those that read too, besides the ones that answers depend on.
    pub settings: Vec<(String, String)>,
    /// What no request may exceed.
    pub most: Limits,
    /// How many bytes of rows one insert may carry. They are held three times: here, in the pipe's other end, and in the
    /// engine.
    pub most_insert: u64,
    /// Memory of one worker as a whole, bytes.
    pub server_memory: u64,
    /// Where the workers' private folders are made.
    pub scratch: PathBuf,
    /// How long a worker may take to start.
    pub start_limit: Duration,
    /// How long a worker may ignore its limits, or a cancellation, before its process is ended.
    pub grace: Duration,
    /// The system keeps workers to their own folders and off networks and other processes, as far as it can
    /// ([`Pool::unconfined`]). Only tests of the other layers turn it off.
    pub confine: bool,
    /// A named fault, for tests; empty for none.
    pub fault: String,
}

impl PoolConfig {
    /// One worker, started at the first request; at most 60 s, 2 GB, 10 million rows and 256 MB a statement.
    pub fn new(program: Program, library: impl Into<PathBuf>) -> Self {
        Self {
            program,
            library: library.into(),
            workers: 1,
            start_early: false,
            prelude: Vec::new(),
            settings: Vec::new(),
            most: Limits {
                time: Duration::from_secs(60),
                memory: 2_000_000_000,
                result_rows: 10_000_000,
                result_bytes: 256_000_000,
            },
            most_insert: 256_000_000,
            server_memory: 4_000_000_000,
            scratch: std::env::temp_dir(),
            start_limit: Duration::from_secs(30),
            grace: Duration::from_millis(500),
            confine: true,
            fault: String::new(),
        }
    }
}

/// Workers that answer requests, each with an engine that stores nothing. Dropping it ends them.
///
/// Requests are independent of each other: any worker may take any. What belongs together goes into a [`Session`]. A pool of
/// one worker that holds none is a session itself, whose tables live until its worker dies; see [`Answer::worker`].
pub struct Pool {
    warehouse: Warehouse,
    threads: Threads,
}

impl Pool {
    /// Makes a pool. It does not fail: what is wrong with engine or library is said to each request, since it may be
    /// mended while the pool lives.
    pub fn new(mut config: PoolConfig) -> Self {
        config.workers = config.workers.max(1);
        scratch::sweep(&config.scratch);
        let (warehouse, queue) = Warehouse::new(Most::of(&config), config.workers);
        let mut threads = Threads::new(config.workers);
        let role = Role { database: DATABASE.to_owned(), writers: 1, ..Role::default() };
        let config = Arc::new(config);
        for slot in 0..config.workers {
            let place = threads.place(slot, config.clone(), role.clone(), None);
            threads.start(Driver::new(place, 0, queue.clone()));
        }
        Self { warehouse, threads }
    }

    /// Where statements go: the same kind of handle that stored data and servers have.
    pub fn warehouse(&self) -> &Warehouse {
        &self.warehouse
    }

    /// Runs one statement and waits for its answer.
    ///
    /// # Errors
    ///
    /// See [`EngineError`]: the engine's verdict on the statement, or what became of the worker.
    pub fn query(&self, request: Request) -> Result<Answer, EngineError> {
        self.warehouse.query(request)
    }

    /// Runs independent statements and waits for all answers, in order. See [`Warehouse::query_batch`].
    pub fn query_batch(&self, requests: Vec<Request>) -> Vec<Result<Answer, EngineError>> {
        self.warehouse.query_batch(requests)
    }

    /// Queues one statement.
    pub fn submit(&self, request: Request) -> Ticket {
        self.warehouse.submit(request)
    }

    /// Inserts rows and waits until they are written. In a pool of several workers only that one has them: inserts belong
    /// into a [`Session`].
    ///
    /// # Errors
    ///
    /// See [`EngineError`].
    pub fn insert(&self, insert: Insert) -> Result<Answer, EngineError> {
        self.warehouse.insert(insert)
    }

    /// A worker for one caller alone, with tables of its own: as soon as one is free, and until it is dropped. As many
    /// sessions can work at a time as the pool has workers; the requests of one more wait for their turn.
    pub fn session(&self) -> Session {
        self.warehouse.session()
    }

    /// The processes that run now. For status pages, and for tests that end them.
    pub fn pids(&self) -> Vec<u32> {
        self.threads.pids()
    }

    /// What the system does not keep the running workers from, in words; `None` when they are confined, or none runs.
    pub fn unconfined(&self) -> Option<String> {
        self.threads.unconfined()
    }
}

/// The threads of a pool, and how they are told to end. Dropping it ends them, and whatever they have running.
pub(crate) struct Threads {
    /// Dropped first, which ends whatever runs.
    stop: Option<Sender<()>>,
    stopped: Receiver<()>,
    pids: Arc<[AtomicU32]>,
    threads: Vec<JoinHandle<()>>,
    places: Vec<Arc<Place>>,
}

impl Threads {
    pub(crate) fn new(places: usize) -> Self {
        let (stop, stopped) = bounded(0);
        let pids = (0..places).map(|_| AtomicU32::new(0)).collect();
        Self { stop: Some(stop), stopped, pids, threads: Vec::new(), places: Vec::new() }
    }

    pub(crate) fn place(
        &mut self,
        slot: usize,
        config: Arc<PoolConfig>,
        role: Role,
        before_start: Option<Hook>,
    ) -> Arc<Place> {
        let place = Place::new(slot, config, role, before_start, self.stopped.clone(), self.pids.clone());
        self.places.push(place.clone());
        place
    }

    pub(crate) fn start(&mut self, driver: Driver) {
        let name = format!("engine-{}", self.threads.len());
        self.threads.extend(std::thread::Builder::new().name(name).spawn(move || driver.run()));
    }

    pub(crate) fn pids(&self) -> Vec<u32> {
        self.pids.iter().map(|p| p.load(Ordering::Acquire)).filter(|p| *p != 0).collect()
    }

    pub(crate) fn unconfined(&self) -> Option<String> {
        self.places.iter().find_map(|place| place.unconfined())
    }

    /// Ends all work; then lets the processes close what they have open, as long as `patience`.
    pub(crate) fn close(&mut self, patience: Duration) {
        self.stop = None;
        for thread in self.threads.drain(..) {
            let _ = thread.join();
        }
        for place in self.places.drain(..) {
            place.close(patience);
        }
    }
}

impl Drop for Threads {
    fn drop(&mut self) {
        self.close(Duration::ZERO);
    }
}
