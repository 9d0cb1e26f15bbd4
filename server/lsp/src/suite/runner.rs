//! The thread that runs tests. Like the one for previews it has a database of its own, since a snapshot of the owner's would hold
//! up every edit for as long as the engine works; the texts come with each job.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use camino::{Utf8Path, Utf8PathBuf};
use crossbeam_channel::{Receiver, RecvTimeoutError, Sender};
use headwater_analysis::{Config, Content, Database, ProjectFacts, Setter, settle_dialect};
use headwater_engine::Cancel;
use headwater_engine::compile::session_statement;
use headwater_engine::fixtures::Raw;
use headwater_engine::run::{Bench, RunOptions, Stage};
use headwater_engine::suite::Case;
use headwater_project::{Change, FileSystem, Loaded, ProjectRoot, Scan};
use headwater_warehouse::{Pool, PoolConfig};
use rustc_hash::FxHashMap;
use serde_json::Value;
use tower_lsp::gen_lsp_types::Range;
use tower_lsp::jsonrpc::Error;

use super::Known;
use crate::owner::Event;
use crate::requests::preview::failed;

/// Tests of one project, with all that they are run on.
pub(crate) struct Job {
    pub(crate) root: Utf8PathBuf,
    pub(crate) config: Arc<Config>,
    pub(crate) facts: ProjectFacts,
    /// Every file of the project, as editors have it.
    pub(crate) files: Vec<(Utf8PathBuf, Content)>,
    /// Samples that an editor holds, by path from the root.
    pub(crate) inputs: Vec<(Utf8PathBuf, Arc<str>)>,
    /// How many changes of samples were told so far.
    pub(crate) touched: u64,
    /// Somebody waits for it: samples are read again also when nobody told of a change.
    pub(crate) asked: bool,
    pub(crate) wanted: Vec<Wanted>,
}

/// What a client wants to be run, and its name for the run.
pub(crate) struct Asked {
    pub(crate) run: Value,
    pub(crate) jobs: Vec<Job>,
}

/// One test of a run.
pub(crate) struct Wanted {
    /// What it is about.
    pub(crate) about: u64,
    /// Its file and its name there, as clients know them.
    pub(crate) uri: String,
    pub(crate) id: String,
    /// Where it was named when the run began.
    pub(crate) range: Range,
    /// `None` when it cannot be read, and then it is known what becomes of it.
    pub(crate) case: Option<Case>,
    pub(crate) known: Option<Arc<Known>>,
}

/// A run on its way.
pub(crate) struct Task {
    pub(crate) key: u64,
    pub(crate) jobs: Vec<Part>,
    pub(crate) cancel: Cancel,
}

/// A job, and the number that its first test has in the run.
pub(crate) struct Part {
    pub(crate) job: Job,
    pub(crate) first: usize,
}

/// What the thread says.
pub(crate) enum Said {
    /// What became of the test of this number.
    Ended(usize, Known),
    /// The run is over.
    Over(Result<(), Error>),
}

/// An engine and tables that nobody needs for this long are let go.
const IDLE: Duration = Duration::from_secs(300);

/// Projects whose tables are kept.
const ROOMS: usize = 3;

/// Engines at work at the same time, and tests from which on a second one is worth its start.
const WORKERS: usize = 2;
const PARALLEL_FROM: usize = 12;

/// Starts the thread; its engines start with the first task. It ends when the sender of `tasks` is dropped.
///
/// # Errors
/// When the system gives no more threads.
pub(crate) fn start(
    mut config: PoolConfig,
    fs: Arc<dyn FileSystem>,
    tasks: Receiver<Task>,
    owner: Sender<Event>,
) -> std::io::Result<()> {
    config.prelude = vec![session_statement()];
    config.workers = WORKERS;
    let work = move || {
        let mut rooms: Vec<Room> = Vec::new();
        loop {
            let Task { key, jobs, cancel } = match tasks.recv_timeout(IDLE) {
                Ok(task) => task,
                Err(RecvTimeoutError::Timeout) => {
                    rooms.clear();
                    continue;
                }
                Err(RecvTimeoutError::Disconnected) => return,
            };
            let mut over = Ok(());
            for Part { job, first } in jobs {
                if over.is_err() || cancel.is_cancelled() {
                    break;
                }
                let mut room = match rooms.iter().position(|room| room.loaded.root.path == job.root) {
                    Some(at) => rooms.remove(at),
                    None => Room::new(&config, &job.root),
                };
                let said = |n: usize, known: Known| {
                    let _ = owner.send(Event::Tested(key, Said::Ended(first + n, known)));
                };
                // A bug costs this run and the room, not the thread.
                match catch_unwind(AssertUnwindSafe(|| room.run(&*fs, &job, &cancel, &said))) {
                    Ok(result) => {
                        over = result;
                        rooms.push(room);
                        if rooms.len() > ROOMS {
                            rooms.remove(0);
                        }
                    }
                    Err(_) => over = Err(Error::internal_error()),
                }
            }
            if cancel.is_cancelled() {
                over = Err(Error::request_cancelled());
            }
            if owner.send(Event::Tested(key, Said::Over(over))).is_err() {
                return;
            }
        }
    };
    std::thread::Builder::new()
        .name("headwater-tests".into())
        .stack_size(crate::worker::STACK)
        .spawn(work)?;
    Ok(())
}

/// One project with its tables on engines.
struct Room {
    db: Database,
    loaded: Loaded,
    /// What was put into the database.
    files: FxHashMap<Utf8PathBuf, Content>,
    /// Samples as they were read last, and how many changes of them were known then.
    inputs: Option<(u64, Vec<Raw>)>,
    stages: Vec<Stage>,
    // Ends with its sessions.
    pool: Pool,
}

impl Room {
    fn new(config: &PoolConfig, root: &Utf8Path) -> Self {
        let mut db = Database::default();
        let loaded = Loaded::new(&mut db, ProjectRoot::at(root), Scan::default());
        let pool = Pool::new(config.clone());
        Self { db, loaded, files: FxHashMap::default(), inputs: None, stages: Vec::new(), pool }
    }

    fn run(
        &mut self,
        fs: &dyn FileSystem,
        job: &Job,
        cancel: &Cancel,
        said: &(dyn Fn(usize, Known) + Sync),
    ) -> Result<(), Error> {
        let (numbers, cases): (Vec<usize>, Vec<Case>) =
            job.wanted.iter().enumerate().filter_map(|(n, w)| Some((n, w.case.clone()?))).unzip();
        if cases.is_empty() {
            return Ok(());
        }
        self.read(job);
        let inputs = self.inputs(fs, job);
        let wanted = if cases.len() < PARALLEL_FROM { 1 } else { WORKERS };
        while self.stages.len() < wanted {
            self.stages.push(Stage::new(self.pool.session()));
        }
        // An engine that does not start is no failure of any test.
        self.stages[0].ready().map_err(|error| failed("unavailable", &error.to_string()))?;
        let bench = Bench::new(&self.db, self.loaded.project, inputs, RunOptions::default());
        bench.run_on(&mut self.stages[..wanted], &cases, cancel, &|n, outcome| {
            said(numbers[n], Known::new(outcome, &cases[n]));
        });
        Ok(())
    }

    /// Brings the database to what editors have.
    fn read(&mut self, job: &Job) {
        let project = self.loaded.project;
        if *project.config(&self.db) != job.config {
            project.set_config(&mut self.db).to(job.config.clone());
            settle_dialect(&mut self.db, project);
        }
        let mut changes = vec![Change::Facts(job.facts)];
        let mut old = std::mem::take(&mut self.files);
        for (path, content) in &job.files {
            if old.remove(path).as_ref() != Some(content) {
                changes.push(Change::File(path.clone(), content.clone()));
            }
            self.files.insert(path.clone(), content.clone());
        }
        changes.extend(old.into_keys().map(|path| Change::File(path, Content::Deleted)));
        self.loaded.apply(&mut self.db, changes);
    }

    /// Samples and secrets.
    fn inputs(&mut self, fs: &dyn FileSystem, job: &Job) -> Vec<Raw> {
        let known = self.inputs.take().filter(|(touched, _)| !job.asked && *touched == job.touched);
        let (_, inputs) =
            self.inputs.insert(known.unwrap_or_else(|| (job.touched, crate::inputs::read(fs, &job.root))));
        let mut all = inputs.clone();
        for (path, text) in &job.inputs {
            let bytes = Arc::new(text.as_bytes().to_vec());
            match all.iter_mut().find(|raw| raw.path == *path) {
                Some(raw) => *raw = Raw::new(path.clone(), bytes),
                None => all.push(Raw::new(path.clone(), bytes)),
            }
        }
        all
    }
}
