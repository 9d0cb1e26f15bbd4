//! The thread that shows what nodes give. It has a database of its own, since a snapshot of the owner's would hold up every edit for
//! as long as the engine works; what editors hold unsaved comes with each request.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use camino::{Utf8Path, Utf8PathBuf};
use crossbeam_channel::{Receiver, RecvTimeoutError, Sender};
use headwater_analysis::{Database, TextRange};
use headwater_engine::compile::{Compiler, session_statement};
use headwater_engine::fixtures::Raw;
use headwater_engine::preview::{
    Asker, Cancel, Cost, Outcome, Question, QuestionError, Shape, What, profile_steps,
};
use headwater_engine::run::{Bench, RunOptions, is_input};
use headwater_engine::world::{Kept, Trouble, World};
use headwater_project::{EntryKind, FileSystem, Loaded, Remembered, Shared, discover, load};
use headwater_template::Parameters;
use headwater_warehouse::{EngineError, Pool, PoolConfig, Session};
use serde_json::{Value, json};
use tower_lsp::jsonrpc::Error;

use crate::owner::Event;
use crate::requests::preview::{PreviewColumn, PreviewCost, PreviewResult, PreviewStep, failed};

/// What a client wants to see.
pub(crate) struct Job {
    pub(crate) root: Utf8PathBuf,
    /// What editors hold, by path from the root.
    pub(crate) open: Vec<(Utf8PathBuf, Arc<str>)>,
    pub(crate) wanted: Wanted,
    pub(crate) parameters: Vec<(String, String)>,
    pub(crate) limit: usize,
    pub(crate) profile: bool,
    pub(crate) estimate: bool,
    pub(crate) form: Form,
}

/// How the answer is wanted.
pub(crate) enum Form {
    /// As rows.
    Rows,
    /// As a text with this address.
    Text(String),
    /// As a document.
    Document,
}

/// A part of a project, by paths: the thread's database has files of its own.
pub(crate) enum Wanted {
    /// A node; what the pipe gives when none is named.
    Node(Utf8PathBuf, Option<usize>),
    Cte(Utf8PathBuf, Option<usize>, String),
    Selection(Utf8PathBuf, usize, TextRange),
    Sql(String, Option<Utf8PathBuf>),
}

/// One request on its way.
pub(crate) struct Task {
    pub(crate) key: u64,
    pub(crate) job: Box<Job>,
    pub(crate) cancel: Cancel,
}

/// A worker and samples that nobody looks at for this long are let go.
const IDLE: Duration = Duration::from_secs(300);

/// Rounds of a profile.
const ROUNDS: usize = 3;

/// Folders whose samples are looked at, and how deep below them.
const FOLDERS: [&str; 2] = ["fixtures", "datasources"];
const DEPTH: usize = 6;

/// Starts the thread; its worker starts with the first task. It ends when the sender of `tasks` is dropped.
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
    let work = move || {
        let mut showing: Option<Showing> = None;
        loop {
            let Task { key, job, cancel } = match tasks.recv_timeout(IDLE) {
                Ok(task) => task,
                Err(RecvTimeoutError::Timeout) => {
                    showing = None;
                    continue;
                }
                Err(RecvTimeoutError::Disconnected) => return,
            };
            if showing.as_ref().is_none_or(|showing| showing.loaded.root.path != job.root) {
                showing = Showing::new(&config, fs.clone(), &job.root);
            }
            let answer = match &mut showing {
                _ if cancel.is_cancelled() => Err(Error::request_cancelled()),
                Some(showing) => showing.show(&job, &cancel),
                None => Err(failed("request", "the project is not on the disk")),
            };
            if owner.send(Event::Previewed(key, answer)).is_err() {
                return;
            }
        }
    };
    std::thread::Builder::new()
        .name("headwater-preview".into())
        .stack_size(crate::worker::STACK)
        .spawn(work)?;
    Ok(())
}

/// One project with its samples on an engine.
struct Showing {
    /// What was read once is not read again, so that a preview of large samples costs what its query costs.
    fs: Remembered<Arc<dyn FileSystem>>,
    db: Database,
    loaded: Loaded,
    /// Tables that are filled, and a hash of what they are made of.
    kept: Option<(u64, Kept)>,
    session: Session,
    // Ends with its sessions.
    _pool: Pool,
}

impl Showing {
    fn new(config: &PoolConfig, fs: Arc<dyn FileSystem>, root: &Utf8Path) -> Option<Self> {
        let fs = Remembered::new(fs, SystemTime::now);
        let found = discover(&fs, root)?;
        let mut db = Database::default();
        let loaded = load(&mut db, &fs, &found);
        let pool = Pool::new(config.clone());
        Some(Self { fs, db, loaded, kept: None, session: pool.session(), _pool: pool })
    }

    fn show(&mut self, job: &Job, cancel: &Cancel) -> Result<Value, Error> {
        self.read(&job.open);
        let inputs = self.inputs();
        let bench = Bench::new(&self.db, self.loaded.project, inputs, RunOptions::default());
        let key = bench.fingerprint();
        let kept = match self.kept.take() {
            Some((old, kept)) if old == key => Some(kept),
            Some(_) => {
                self.session.reset().map_err(|error| failure(Failure::Engine(error)))?;
                None
            }
            None => None,
        };
        let mut world = bench.world(&self.session, kept).cancelled_by(cancel.clone());
        let asking = Asking { session: &self.session, job, cancel, loaded: &self.loaded, db: bench.db() };
        let result = asking.ask(&mut world);
        let is_lost = matches!(&result, Err(Failure::Lost(_)))
            || matches!(&result, Err(Failure::Engine(error)) if is_gone(error));
        if is_lost {
            // The next one begins anew.
            drop(world);
            let _ = self.session.reset();
        } else {
            self.kept = Some((key, world.suspend()));
        }
        let result = result.map_err(failure)?;
        Ok(match &job.form {
            Form::Rows => serde_json::to_value(result).map_err(|_| Error::internal_error())?,
            Form::Text(address) => json!({ "text": result.text(), "uri": address }),
            Form::Document => json!({ "text": result.text() }),
        })
    }

    /// What is on the disk, and over it what editors hold.
    fn read(&mut self, open: &[(Utf8PathBuf, Arc<str>)]) {
        self.loaded.reload(&mut self.db, &self.fs);
        for path in self.loaded.open_paths() {
            if !open.iter().any(|(open, _)| *open == path) {
                self.loaded.close(&mut self.db, &path);
            }
        }
        for (path, text) in open {
            self.loaded.set_open(&mut self.db, path, text.clone());
        }
    }

    /// Samples and secrets.
    fn inputs(&self) -> Vec<Raw> {
        let mut paths: Vec<Utf8PathBuf> = [".env", ".env.local"].map(Utf8PathBuf::from).into();
        for folder in FOLDERS {
            self.walk(Utf8Path::new(folder), DEPTH, &mut paths);
        }
        paths.sort();
        let raw = |path: Utf8PathBuf| {
            let Shared { bytes, hash } = self.fs.shared(&self.loaded.root.path.join(&path)).ok()?;
            Some(Raw::known(path, bytes, hash))
        };
        paths.into_iter().filter(|path| is_input(path)).filter_map(raw).collect()
    }

    fn walk(&self, folder: &Utf8Path, depth: usize, out: &mut Vec<Utf8PathBuf>) {
        let Ok(entries) = self.fs.entries(&self.loaded.root.path.join(folder)) else { return };
        for entry in entries {
            let path = folder.join(&entry.name);
            match entry.kind {
                EntryKind::File(_) => out.push(path),
                EntryKind::Directory if depth > 0 && !entry.link => self.walk(&path, depth - 1, out),
                _ => {}
            }
        }
    }
}

/// Why there is nothing to be shown.
enum Failure {
    Question(QuestionError),
    Request(String),
    Tables(String),
    Engine(EngineError),
    /// The engine is gone, and the tables with it.
    Lost(String),
}

impl From<Trouble> for Failure {
    fn from(trouble: Trouble) -> Self {
        match trouble {
            Trouble::Lost(why) => Self::Lost(why),
            other => Self::Tables(other.to_string()),
        }
    }
}

fn is_gone(error: &EngineError) -> bool {
    !matches!(error, EngineError::Statement(_) | EngineError::TooLarge { .. } | EngineError::Invalid(_))
}

fn failure(failure: Failure) -> Error {
    match failure {
        Failure::Question(QuestionError::Compile(error)) => failed("request", &error.message),
        Failure::Question(error @ QuestionError::Refused(..)) => failed("refused", &error.to_string()),
        Failure::Question(QuestionError::Part(why)) | Failure::Request(why) => failed("request", &why),
        Failure::Tables(why) => failed("samples", &why),
        Failure::Engine(EngineError::Cancelled) => Error::request_cancelled(),
        Failure::Engine(EngineError::Unavailable(why)) | Failure::Lost(why) => failed("unavailable", &why),
        Failure::Engine(error) => failed("engine", &error.to_string()),
    }
}

struct Asking<'a> {
    session: &'a Session,
    job: &'a Job,
    cancel: &'a Cancel,
    loaded: &'a Loaded,
    db: &'a Database,
}

impl Asking<'_> {
    fn ask(&self, world: &mut World<'_>) -> Result<PreviewResult, Failure> {
        let job = self.job;
        let what = self.what(world.compiler())?;
        let pairs = job.parameters.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        let parameters = Parameters::from_pairs(pairs);
        let question = Question::new(world.compiler(), &what, &parameters).map_err(Failure::Question)?;
        world.prepare(&question.statement)?;
        let asker = Asker::new(self.session, self.cancel.clone());
        let outcome = if job.estimate {
            Outcome::Rows(asker.estimate(&question).map_err(Failure::Engine)?, Cost::default())
        } else {
            asker.ask(&question, job.limit, Shape::Cells).map_err(Failure::Engine)?
        };
        let steps = match &what {
            What::Node(pipe, node) if job.profile => {
                profile_steps(world.compiler(), *pipe, *node, &parameters).map_err(Failure::Question)?
            }
            _ => Vec::new(),
        };
        for step in &steps {
            world.prepare(&step.question.statement)?;
        }
        let profile = asker.profile(&steps, ROUNDS).map_err(Failure::Engine)?;
        let Outcome::Rows(rows, cost) = outcome else {
            return Err(Failure::Request("the engine answered in another shape".to_owned()));
        };
        Ok(PreviewResult {
            title: question.title,
            columns: rows.columns.into_iter().map(|c| PreviewColumn { name: c.name, ty: c.ty }).collect(),
            rows: rows.rows,
            totals: rows.totals,
            more: rows.more,
            cost: spent(cost),
            profile: profile
                .into_iter()
                .map(|p| PreviewStep {
                    name: p.name,
                    rows: p.rows,
                    own: p.own.as_secs_f64(),
                    cost: spent(p.cost),
                })
                .collect(),
            notes: world.take_notes().into_iter().map(|note| note.0).collect(),
        })
    }

    /// The part that is meant, in this database.
    fn what(&self, compiler: &Compiler<'_>) -> Result<What, Failure> {
        let gone = |path: &Utf8Path| Failure::Request(format!("{path} is not part of the project any more"));
        let pipe = |path: &Utf8PathBuf| self.loaded.file(self.db, path).ok_or_else(|| gone(path));
        let node = |file, node: Option<usize>| match node {
            Some(node) => Ok(node),
            None => compiler
                .output(file)
                .map(|(node, _)| node)
                .ok_or_else(|| Failure::Request("the pipe has no node".to_owned())),
        };
        Ok(match &self.job.wanted {
            Wanted::Node(path, n) => {
                let file = pipe(path)?;
                What::Node(file, node(file, *n)?)
            }
            Wanted::Cte(path, n, name) => {
                let file = pipe(path)?;
                What::Cte(file, node(file, *n)?, name.clone())
            }
            Wanted::Selection(path, n, range) => What::Selection(pipe(path)?, *n, *range),
            Wanted::Sql(sql, path) => What::Sql(sql.clone(), path.as_ref().map(pipe).transpose()?),
        })
    }
}

fn spent(cost: Cost) -> PreviewCost {
    PreviewCost {
        elapsed: cost.elapsed.as_secs_f64(),
        rows_read: cost.rows_read,
        bytes_read: cost.bytes_read,
    }
}
