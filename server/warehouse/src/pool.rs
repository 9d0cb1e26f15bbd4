//! Workers behind one queue.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use crossbeam_channel::{Receiver, Sender, TryRecvError, bounded, select, unbounded};

use crate::config;
use crate::driver::{Driver, Job, Task};
use crate::error::EngineError;
use crate::insert::{Insert, Work};
use crate::request::{Answer, Limits, Request};
use crate::scratch;
use crate::session::Session;

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
            fault: String::new(),
        }
    }
}

/// Workers that answer requests. Dropping it ends them.
///
/// Requests are independent of each other: any worker may take any. What belongs together goes into a [`Session`]. A pool of
/// one worker that holds none is a session itself, whose tables live until its worker dies; see [`Answer::worker`].
pub struct Pool {
    tasks: Option<Sender<Task>>,
    pids: Arc<[AtomicU32]>,
    most: Most,
    /// Dropped first, which ends whatever runs.
    stop: Option<Sender<()>>,
    drivers: Vec<JoinHandle<()>>,
}

impl Pool {
    /// Requests of a batch travel to a worker in groups of this many.
    const GROUP: usize = 64;

    /// Makes a pool. It does not fail: what is wrong with engine or library is said to each request, since it may be
    /// mended while the pool lives.
    pub fn new(mut config: PoolConfig) -> Self {
        config.workers = config.workers.max(1);
        scratch::sweep(&config.scratch);
        let (tasks, queue) = unbounded();
        let (stop, stopped) = bounded(0);
        let pids: Arc<[AtomicU32]> = (0..config.workers).map(|_| AtomicU32::new(0)).collect();
        let config = Arc::new(config);
        let drivers = (0..config.workers).filter_map(|slot| {
            let driver = Driver::new(slot, config.clone(), queue.clone(), stopped.clone(), pids.clone());
            std::thread::Builder::new().name(format!("engine-{slot}")).spawn(move || driver.run()).ok()
        });
        let drivers = drivers.collect();
        let most = Most { limits: config.most, insert: config.most_insert };
        Self { tasks: Some(tasks), pids, most, stop: Some(stop), drivers }
    }

    /// Runs one statement and waits for its answer.
    ///
    /// # Errors
    ///
    /// See [`EngineError`]: the engine's verdict on the statement, or what became of the worker.
    pub fn query(&self, request: Request) -> Result<Answer, EngineError> {
        self.submit(request).wait()
    }

    /// Runs independent statements and waits for all answers, in order. They spread over the workers and travel in
    /// groups, so that many cheap statements cost little more than the engine's own time.
    pub fn query_batch(&self, requests: Vec<Request>) -> Vec<Result<Answer, EngineError>> {
        let total = requests.len();
        // Small batches spread too.
        let group = Self::GROUP.min(total.div_ceil(self.pids.len())).max(1);
        let mut requests = requests.into_iter();
        let tickets: Vec<_> = std::iter::from_fn(|| {
            let group: Vec<_> = requests.by_ref().take(group).collect();
            (!group.is_empty()).then(|| self.submit_group(group))
        })
        .collect();
        let mut answers = Vec::with_capacity(total);
        for (ticket, length) in tickets {
            answers.extend((0..length).map(|_| ticket.next()));
        }
        answers
    }

    /// Queues one statement.
    pub fn submit(&self, request: Request) -> Ticket {
        self.submit_group(vec![request]).0
    }

    /// Inserts rows and waits until they are written. In a pool of several workers only that one has them: inserts belong
    /// into a [`Session`].
    ///
    /// # Errors
    ///
    /// See [`EngineError`].
    pub fn insert(&self, insert: Insert) -> Result<Answer, EngineError> {
        self.submit_all(vec![insert.into()]).0.wait()
    }

    /// A worker for one caller alone, with tables of its own: as soon as one is free, and until it is dropped. As many
    /// sessions can work at a time as the pool has workers; the requests of one more wait for their turn.
    pub fn session(&self) -> Session {
        let (jobs, queue) = unbounded();
        if let Some(tasks) = &self.tasks {
            let _ = tasks.send(Task::Session(queue));
        }
        Session::new(jobs, self.most)
    }

    /// The processes that run now. For status pages, and for tests that end them.
    pub fn pids(&self) -> Vec<u32> {
        self.pids.iter().map(|p| p.load(Ordering::Acquire)).filter(|p| *p != 0).collect()
    }

    fn submit_group(&self, requests: Vec<Request>) -> (Ticket, usize) {
        self.submit_all(requests.into_iter().map(Work::from).collect())
    }

    fn submit_all(&self, work: Vec<Work>) -> (Ticket, usize) {
        let length = work.len();
        let ticket = submit(work, self.most, |job| {
            if let Some(tasks) = &self.tasks {
                let _ = tasks.send(Task::Job(job));
            }
        });
        (ticket, length)
    }
}

/// What no work of a pool may exceed.
#[derive(Clone, Copy)]
pub(crate) struct Most {
    limits: Limits,
    /// Bytes of rows.
    insert: u64,
}

/// Clamps and queues `work`. What is too large is refused here, before it is sent anywhere.
pub(crate) fn submit(mut work: Vec<Work>, most: Most, queue: impl FnOnce(Job)) -> Ticket {
    let (reply, answers) = bounded(work.len());
    let (cancel, cancelled) = bounded(0);
    let canceller = Canceller(Arc::new(Mutex::new(Some(cancel))));
    let ticket = Ticket { answers, cancelled: cancelled.clone(), canceller };
    for one in &mut work {
        if let Some(limits) = one.limits_mut() {
            *limits = config::clamp(*limits, most.limits);
        }
        if let Work::Insert(insert) = one
            && insert.data.len() as u64 > most.insert
        {
            let too_large =
                EngineError::InsertTooLarge { bytes: insert.data.len() as u64, limit: most.insert };
            let _ = reply.send(Err(too_large));
            return ticket;
        }
    }
    queue(Job { work, reply, cancelled });
    ticket
}

impl Drop for Pool {
    fn drop(&mut self) {
        self.tasks = None;
        self.stop = None;
        for driver in self.drivers.drain(..) {
            let _ = driver.join();
        }
    }
}

/// A statement under way. Dropping it cancels the statement.
pub struct Ticket {
    answers: Receiver<Result<Answer, EngineError>>,
    /// Never carries anything; its end is the signal.
    cancelled: Receiver<()>,
    canceller: Canceller,
}

impl Ticket {
    /// Waits for the answer. A cancelled statement is not waited for.
    ///
    /// # Errors
    ///
    /// See [`EngineError`].
    pub fn wait(self) -> Result<Answer, EngineError> {
        self.next()
    }

    /// What cancels this statement from another thread.
    pub fn canceller(&self) -> Canceller {
        self.canceller.clone()
    }

    pub(crate) fn next(&self) -> Result<Answer, EngineError> {
        let gone = || Err(EngineError::Cancelled);
        match self.answers.try_recv() {
            Ok(answer) => return answer,
            Err(TryRecvError::Disconnected) => return gone(),
            Err(TryRecvError::Empty) => {}
        }
        select! {
            recv(self.answers) -> answer => answer.unwrap_or_else(|_| gone()),
            recv(self.cancelled) -> _ => self.answers.try_recv().unwrap_or_else(|_| gone()),
        }
    }
}

/// Cancels a statement.
#[derive(Clone)]
pub struct Canceller(Arc<Mutex<Option<Sender<()>>>>);

impl Canceller {
    /// Takes the statement back, wherever it is: whoever waits for it is told at once, and its worker is free within the
    /// pool's grace.
    pub fn cancel(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }
}
