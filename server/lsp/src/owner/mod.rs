//! The thread that owns everything that changes: the database, the open documents, the queue.
//!
//! It takes events one by one, in wire order, and after each burst *settles*: edits go into the database in one write
//! per document, then requests go to workers with fresh snapshots. It never waits for the disk, the client or a worker;
//! the one thing it may wait for is that cancelled workers drop their snapshots when it writes.

mod baseline;
mod oracle;
mod preview;
mod projects;
mod publish;
mod schedule;
mod sync;
mod tests;

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use camino::Utf8PathBuf;
use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, unbounded};
use headwater_analysis::Database;
use rustc_hash::{FxHashMap, FxHashSet};
use serde_json::Value;
use tokio::sync::oneshot;
use tower_lsp::jsonrpc::{Error, Id};

use crate::Options;
use crate::capabilities::Profile;
use crate::client::{Client, Level, Reply};
use crate::disk::{self, Read};
use crate::dispatch::Table;
use crate::documents::Documents;
use crate::history::{self, Learned};
use crate::oracle::Answered;
use crate::snapshot::World;
use crate::suite::runner::Said;
use crate::worker::{self, Done, Job, Published};
pub(crate) use oracle::ROUND;
use projects::Entry;
use publish::Loading;
use schedule::{Pending, Queue, Running};

/// A turn of the loop longer than this is a bug worth a line in the log.
const SLOW_TURN: Duration = Duration::from_millis(20);

/// Events are taken in bursts, but no burst may hold back what it caused for longer than this.
const LONGEST_BURST: Duration = Duration::from_millis(30);

/// Everything that can happen.
pub(crate) enum Event {
    Initialize(Box<Profile>),
    Initialized,
    Notification(String, Value),
    Request(Arrival),
    Cancel(Id),
    ClientAnswer(Id, Result<Value, Error>),
    Read(Read),
    Learned(Learned),
    Answered(Vec<Answered>),
    Previewed(u64, Result<Value, Error>),
    Tested(u64, Said),
    Done(u64, Done),
    Shutdown,
    Exit,
}

impl Event {
    fn name(&self) -> &str {
        match self {
            Self::Initialize(_) => "initialize",
            Self::Initialized => "initialized",
            Self::Notification(method, _) => method,
            Self::Request(_) => "a request",
            Self::Cancel(_) => "$/cancelRequest",
            Self::ClientAnswer(..) => "an answer of the client",
            Self::Read(Read::Folders(..) | Read::Around(..)) => "a project that was read",
            Self::Read(Read::Changes(_)) => "files that were read",
            Self::Learned(_) => "history that was read",
            Self::Answered(_) => "the engine's opinion",
            Self::Previewed(..) => "a preview",
            Self::Tested(..) => "a test",
            Self::Done(..) => "a finished job",
            Self::Shutdown => "shutdown",
            Self::Exit => "exit",
        }
    }
}

/// A request, as it came off the wire.
pub(crate) struct Arrival {
    pub(crate) id: Id,
    pub(crate) route: usize,
    pub(crate) params: Value,
    pub(crate) reply: oneshot::Sender<Reply>,
}

/// The state. Its methods are in the modules beside this one, by concern.
pub(crate) struct Owner {
    db: Database,
    profile: Arc<Profile>,
    client: Client,
    table: Arc<Table>,
    options: Options,
    jobs: Sender<Job>,
    disk: Sender<disk::Task>,
    history_tasks: Sender<history::Task>,
    to_self: Sender<Event>,

    // sync, projects
    documents: Documents,
    projects: Vec<Entry>,
    folders: Vec<Utf8PathBuf>,
    /// Paths the client says have changed, not yet read.
    touched: FxHashSet<Utf8PathBuf>,
    disk_busy: bool,
    /// Reads of whole projects that are under way. Requests wait for them: an answer from half a project is wrong.
    loading: usize,
    searched: FxHashSet<Utf8PathBuf>,
    history: baseline::History,
    oracle: oracle::Oracle,
    previews: preview::Previews,
    tests: tests::Tests,

    // schedule
    world: Arc<World>,
    /// Counts changes, so that a job can be told to be older than one.
    revision: u64,
    queue: Queue,
    running: FxHashMap<u64, Running>,
    parked: Vec<Pending>,
    /// Whether `workspace/diagnostic` was answered once.
    polled: bool,
    next_key: u64,
    /// What clients were sent as semantic tokens, by URI.
    tokens: Arc<dashmap::DashMap<String, (u64, Arc<Vec<u32>>)>>,
    shut_down: bool,

    // publish
    changed: bool,
    changed_outside: bool,
    push_due: bool,
    published: Arc<Published>,
    config_published: FxHashSet<Utf8PathBuf>,
    load_shown: Loading,
    configuration_request: Option<i64>,
    open_only: bool,
}

/// Starts the owner with its workers and its disk thread. It ends with [`Event::Exit`]; what is returned resolves then.
///
/// # Errors
/// When the system gives no more threads.
pub(crate) fn start(
    events: Receiver<Event>,
    to_self: &Sender<Event>,
    client: Client,
    table: Arc<Table>,
    options: Options,
) -> std::io::Result<oneshot::Receiver<()>> {
    let (jobs, job_queue) = unbounded();
    let (disk, disk_queue) = unbounded();
    worker::start(&job_queue, to_self, &table, &options.hooks)?;
    disk::start(options.fs.clone(), disk_queue, to_self.clone())?;
    let (history_tasks, history_queue) = unbounded();
    history::start(options.revisions.clone(), options.calm, history_queue, to_self.clone())?;
    // While projects are read, nobody can ask for anything else. Without the thread the first completion does it.
    let _ = std::thread::Builder::new().name("headwater-prefetch".into()).spawn(headwater_ide::prefetch);
    let (alive, ended) = oneshot::channel();
    let to_self = to_self.clone();
    std::thread::Builder::new().name("headwater-owner".into()).stack_size(16 * 1024 * 1024).spawn(
        move || {
            // Dropped with the thread, however that ends.
            let _alive: oneshot::Sender<()> = alive;
            // Nothing is known before `initialize`; what comes earlier is refused by tower-lsp and ignored here.
            let profile = loop {
                match events.recv() {
                    Ok(Event::Initialize(profile)) => break profile,
                    Ok(Event::Exit) | Err(_) => return,
                    Ok(_) => {}
                }
            };
            watch_client(profile.process_id, to_self.clone());
            let threads = (disk, history_tasks, to_self);
            let mut owner = Owner::new(*profile, client, table, options, jobs, threads);
            owner.start_oracle();
            owner.open_folders();
            owner.run(&events);
        },
    )?;
    Ok(ended)
}

/// Ends the server when the client's process is gone, as the protocol asks; an editor that crashes may leave its pipes
/// to somebody else. Only Linux lets us look without unsafe code, and everywhere else the end of input has to do.
fn watch_client(process_id: Option<u32>, owner: Sender<Event>) {
    let Some(process) = process_id.map(|id| std::path::PathBuf::from(format!("/proc/{id}"))) else { return };
    if !process.exists() {
        // Another system, or a client in another container.
        return;
    }
    let watch = move || {
        while process.exists() {
            std::thread::sleep(Duration::from_secs(3));
        }
        let _ = owner.send(Event::Exit);
    };
    // Without the thread the server works as well.
    let _ = std::thread::Builder::new().name("headwater-client".into()).stack_size(64 * 1024).spawn(watch);
}

impl Owner {
    fn new(
        profile: Profile,
        client: Client,
        table: Arc<Table>,
        options: Options,
        jobs: Sender<Job>,
        (disk, history_tasks, to_self): (Sender<disk::Task>, Sender<history::Task>, Sender<Event>),
    ) -> Self {
        let folders = profile.folders.iter().filter_map(|uri| crate::uri::to_path(uri)).collect();
        Self {
            db: Database::default(),
            profile: Arc::new(profile),
            client,
            table,
            options,
            jobs,
            disk,
            history_tasks,
            to_self,
            documents: Documents::default(),
            projects: Vec::new(),
            folders,
            touched: FxHashSet::default(),
            disk_busy: false,
            loading: 0,
            searched: FxHashSet::default(),
            history: baseline::History::default(),
            oracle: oracle::Oracle::default(),
            previews: preview::Previews::default(),
            tests: tests::Tests::default(),
            world: Arc::default(),
            revision: 0,
            queue: Queue { latency: VecDeque::new(), worker: VecDeque::new() },
            running: FxHashMap::default(),
            parked: Vec::new(),
            polled: false,
            next_key: 0,
            tokens: Arc::default(),
            shut_down: false,
            changed: false,
            changed_outside: false,
            push_due: false,
            published: Arc::default(),
            config_published: FxHashSet::default(),
            load_shown: Loading::No,
            configuration_request: None,
            open_only: false,
        }
    }

    fn run(&mut self, events: &Receiver<Event>) {
        loop {
            let wakes = self.load_shown.due().into_iter().chain(self.oracle.wake()).chain(self.tests.wake());
            let wake = wakes.min();
            let event = match wake {
                Some(deadline) => match events.recv_deadline(deadline) {
                    Ok(event) => Some(event),
                    Err(RecvTimeoutError::Timeout) => None,
                    Err(RecvTimeoutError::Disconnected) => return,
                },
                None => match events.recv() {
                    Ok(event) => Some(event),
                    Err(_) => return,
                },
            };
            let turn = Instant::now();
            let Some(event) = event else {
                if self.load_shown.due().is_some_and(|due| due <= turn) {
                    self.show_loading();
                }
                self.look_at_tests();
                self.look_at_oracle();
                continue;
            };
            let mut slowest = (Duration::ZERO, String::new());
            let mut next = Some(event);
            while let Some(event) = next {
                let name = event.name().to_owned();
                let started = Instant::now();
                if self.handle(event) {
                    return;
                }
                if started.elapsed() >= slowest.0 {
                    slowest = (started.elapsed(), name);
                }
                next = if turn.elapsed() < LONGEST_BURST { events.try_recv().ok() } else { None };
            }
            self.settle();
            if turn.elapsed() > SLOW_TURN {
                let message =
                    format!("a turn took {} ms, most of it {}", turn.elapsed().as_millis(), slowest.1);
                self.client.log(Level::Warning, &message);
            }
        }
    }

    /// Takes one event. Says whether it was the last.
    fn handle(&mut self, event: Event) -> bool {
        match event {
            Event::Initialize(_) => {}
            Event::Initialized => self.register(),
            Event::Notification(method, params) => self.notified(&method, params),
            Event::Request(arrival) => self.request(arrival),
            Event::Cancel(id) => self.cancel(&id),
            Event::ClientAnswer(id, answer) => self.client_answered(&id, answer),
            Event::Read(read) => self.disk_read(read),
            Event::Learned(learned) => self.learned(learned),
            Event::Answered(answers) => self.answered(answers),
            Event::Previewed(key, answer) => self.previewed(key, answer),
            Event::Tested(key, said) => self.tested(key, said),
            Event::Done(key, done) => self.done(key, done),
            Event::Shutdown => self.shut_down(),
            Event::Exit => {
                // Whatever is left is answered by dropping its reply.
                for running in self.running.values() {
                    running.token.cancel();
                }
                return true;
            }
        }
        false
    }

    /// Brings the database, the requests and the client up to date with what happened in this turn.
    fn settle(&mut self) {
        self.write_edits();
        self.read_touched();
        self.apply_baselines();
        self.apply_opinions();
        if std::mem::take(&mut self.changed) {
            self.revision += 1;
            self.rebuild_world();
            self.push_due = true;
            self.resume_parked();
            self.tests_may_differ();
            self.oracle_may_be_asked();
        }
        if std::mem::take(&mut self.changed_outside) && self.loading == 0 {
            self.after_outside_change();
        }
        self.show_outcomes(false);
        self.schedule();
        self.look_at_tests();
        self.look_at_history();
        self.look_at_oracle();
    }
}
