//! The threads that read.
//!
//! A job brings its snapshot and the snapshot ends with it. Whatever happens inside (a write elsewhere, a cancelled
//! request, a bug), the thread goes on and the owner hears one word about it.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use camino::Utf8PathBuf;
use crossbeam_channel::{Receiver, Sender};
use headwater_oracle::{Known, Pass};
use rustc_hash::FxHashMap;
use salsa::{Cancelled, Database as _};
use serde_json::Value;
use tower_lsp::gen_lsp_types::{PublishDiagnosticsParams, Uri};
use tower_lsp::jsonrpc::Error;

use crate::client::{Body, Reply};
use crate::dispatch::{Answer, Handler, Table};
use crate::hooks::TestHooks;
use crate::owner::{Event, ROUND};
use crate::snapshot::Snapshot;
use crate::suite::look::{Look, look};

/// Two for anything, one for what somebody waits for at the cursor.
pub(crate) const WORKERS: usize = 3;

/// SQL nests: a parser of ten thousand parentheses needs room that the default stack does not have.
pub(crate) const STACK: usize = 16 * 1024 * 1024;

/// Where a test may hold the look for questions to the engine.
const QUESTIONS: &str = "headwater/questions";

/// Where a test may hold the look for tests.
const TESTS: &str = "headwater/tests";

pub(crate) struct Job {
    pub(crate) key: u64,
    pub(crate) task: Task,
    pub(crate) snapshot: Snapshot,
}

pub(crate) enum Task {
    /// A request's route and parameters.
    Request(usize, Arc<Value>),
    /// Compare with what was published; of the open documents, or of all the rest.
    Push { open: bool, published: Arc<Published> },
    /// Which dialect each project is, and why, for `headwater/status`.
    Dialects,
    /// What there is to ask the engine that is not known.
    Questions(Arc<Known>),
    /// Which tests an edit may touch; `opened` when the start has been looked at.
    Tests { opened: bool },
}

/// What the client shows, by path: the report's id, and the version it was said for.
pub(crate) type Published = FxHashMap<Utf8PathBuf, (u64, Option<i32>)>;

/// One notification to be sent.
pub(crate) struct Publication {
    pub(crate) path: Utf8PathBuf,
    pub(crate) id: u64,
    pub(crate) params: PublishDiagnosticsParams,
}

/// How a job ended.
pub(crate) enum Done {
    Answer(Reply),
    Park,
    /// The preview thread goes on with it.
    Show(Box<crate::preview::Job>),
    /// The thread for tests goes on with it.
    Run(crate::suite::runner::Asked),
    /// To be done again: a write made the snapshot stale.
    Stale,
    /// The client cancelled.
    Cancelled,
    Panicked(String),
    Pushed(Vec<Publication>),
    Dialects(Vec<(Utf8PathBuf, String)>),
    Questions(Vec<(Utf8PathBuf, Pass)>),
    Tests(Box<Look>),
}

/// Starts the workers. They end when the sender of `jobs` is dropped.
///
/// # Errors
/// When the system gives no more threads.
pub(crate) fn start(
    jobs: &Receiver<Job>,
    owner: &Sender<Event>,
    table: &Arc<Table>,
    hooks: &TestHooks,
) -> std::io::Result<()> {
    for number in 0..WORKERS {
        let (jobs, owner, table, hooks) = (jobs.clone(), owner.clone(), table.clone(), hooks.clone());
        std::thread::Builder::new().name(format!("headwater-worker-{number}")).stack_size(STACK).spawn(
            move || {
                for job in jobs {
                    let key = job.key;
                    let done = run(job, &table, &hooks);
                    if owner.send(Event::Done(key, done)).is_err() {
                        break;
                    }
                }
            },
        )?;
    }
    Ok(())
}

fn run(job: Job, table: &Table, hooks: &TestHooks) -> Done {
    let Job { task, snapshot, .. } = job;
    let work = || {
        Cancelled::catch(AssertUnwindSafe(|| {
            // One scope around everything: salsa forgets a cancellation when the outermost scope ends, so without it
            // one that arrives between two queries would be lost.
            salsa::attach(&snapshot.db, || perform(&task, &snapshot, table, hooks))
        }))
    };
    let done = match catch_unwind(AssertUnwindSafe(work)) {
        Ok(Ok(done)) => done,
        Ok(Err(Cancelled::Local)) => Done::Cancelled,
        // A write; or a query that this one waited for ended in another worker, by a panic or because *its* request was
        // cancelled (salsa 0.28.5 does not tell them apart). On the next attempt this worker runs that query itself:
        // then it succeeds, or the panic is its own and has a message.
        Ok(Err(_)) => Done::Stale,
        Err(payload) => Done::Panicked(message_of(payload.as_ref())),
    };
    // Before the owner hears of it: the owner's next write must not wait for us.
    drop(snapshot);
    done
}

fn perform(task: &Task, snapshot: &Snapshot, table: &Table, hooks: &TestHooks) -> Done {
    match task {
        Task::Request(route, params) => {
            let route = table.route(*route);
            hooks.pass(route.method, || snapshot.db.unwind_if_revision_cancelled());
            match &route.handler {
                Handler::Read(read) => match read(snapshot, params) {
                    Ok(Answer::Result(value)) => Done::Answer(Ok(value.into())),
                    Ok(Answer::Text(text)) => Done::Answer(Ok(Body::Text(text))),
                    Ok(Answer::Park) => Done::Park,
                    Ok(Answer::Show(job)) => Done::Show(job),
                    Ok(Answer::Run(asked)) => Done::Run(asked),
                    Err(error) => Done::Answer(Err(error)),
                },
                Handler::Owner(_) => Done::Answer(Err(Error::internal_error())),
            }
        }
        Task::Push { open: true, published } => Done::Pushed(push_open(snapshot, published)),
        Task::Push { open: false, published } => Done::Pushed(push_rest(snapshot, published)),
        Task::Dialects => {
            let dialect = |(root, project): &(Utf8PathBuf, _)| {
                let facts = headwater_analysis::dialect(&snapshot.db, *project);
                (root.clone(), format!("{:?}, because {}", facts.dialect, facts.why))
            };
            Done::Dialects(snapshot.world.projects.iter().map(dialect).collect())
        }
        Task::Questions(known) => {
            hooks.pass(QUESTIONS, || snapshot.db.unwind_if_revision_cancelled());
            let open: Vec<_> = snapshot.world.open.values().map(|open| open.file).collect();
            let pass = |(root, project): &(Utf8PathBuf, _)| {
                (root.clone(), Pass::new(&snapshot.db, *project, known, &open, ROUND))
            };
            Done::Questions(snapshot.world.projects.iter().map(pass).collect())
        }
        Task::Tests { opened } => {
            hooks.pass(TESTS, || snapshot.db.unwind_if_revision_cancelled());
            Done::Tests(Box::new(look(snapshot, *opened)))
        }
    }
}

/// Every version of an open document is answered, also when nothing changed: clients drop what they have for older ones.
fn push_open(snapshot: &Snapshot, published: &Published) -> Vec<Publication> {
    let mut publications = Vec::new();
    for (path, open) in &snapshot.world.open {
        let report = snapshot.report(open.file);
        if published.get(path) != Some(&(report.id, Some(open.version))) {
            let params = PublishDiagnosticsParams {
                uri: Uri(open.uri.clone()),
                version: Some(open.version),
                diagnostics: report.to_lsp(snapshot),
            };
            publications.push(Publication { path: path.clone(), id: report.id, params });
        }
    }
    publications
}

fn push_rest(snapshot: &Snapshot, published: &Published) -> Vec<Publication> {
    let mut publications = Vec::new();
    let mut left: FxHashMap<&Utf8PathBuf, u64> =
        published.iter().map(|(path, (id, _))| (path, *id)).collect();
    let files = snapshot.files().filter(|_| !snapshot.world.open_only);
    for file in files {
        let path = snapshot.path(file);
        let before = left.remove(&path).unwrap_or(0);
        if snapshot.world.open.contains_key(&path) {
            continue;
        }
        let report = snapshot.report(file);
        if report.id != before {
            let uri = Uri(crate::uri::from_path(&path));
            let params =
                PublishDiagnosticsParams { uri, version: None, diagnostics: report.to_lsp(snapshot) };
            publications.push(Publication { path, id: report.id, params });
        }
    }
    for (path, id) in left {
        if id != 0 && !snapshot.world.open.contains_key(path) {
            let uri = Uri(crate::uri::from_path(path));
            let params = PublishDiagnosticsParams { uri, version: None, diagnostics: Vec::new() };
            publications.push(Publication { path: path.clone(), id: 0, params });
        }
    }
    publications
}

fn message_of(payload: &(dyn std::any::Any + Send)) -> String {
    let text = payload.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| payload.downcast_ref::<String>().cloned()).unwrap_or_else(|| "no message".into())
}
