//! Requests that the preview thread answers.

use std::sync::Arc;

use crossbeam_channel::Sender;
use headwater_engine::preview::Cancel;
use rustc_hash::FxHashMap;
use serde_json::Value;
use tower_lsp::jsonrpc::{Error, Id};

use super::Owner;
use super::schedule::Pending;
use crate::preview::{Job, Task, Wanted};
use crate::requests::preview::{Remembered, failed};

/// What is under way.
#[derive(Default)]
pub(super) struct Previews {
    /// To the thread, once somebody wants to see something.
    tasks: Option<Sender<Task>>,
    running: FxHashMap<u64, (Pending, Cancel)>,
    remembered: Arc<Remembered>,
}

impl Previews {
    pub(super) fn remembered(&self) -> Arc<Remembered> {
        self.remembered.clone()
    }
}

impl Owner {
    /// A worker has found out what is to be asked.
    pub(super) fn start_preview(&mut self, pending: Pending, job: Box<Job>) {
        let tasks = match self.preview_thread() {
            Ok(tasks) => tasks,
            Err(error) => return self.end_preview(pending, Err(error)),
        };
        self.remember(&job);
        let key = self.next_key;
        self.next_key += 1;
        let cancel = Cancel::new();
        if tasks.send(Task { key, job, cancel: cancel.clone() }).is_err() {
            self.previews.tasks = None;
            let gone = failed("unavailable", "the thread for previews has ended; ask again");
            return self.end_preview(pending, Err(gone));
        }
        self.previews.running.insert(key, (pending, cancel));
    }

    /// The values are offered when the pipe is asked again.
    fn remember(&mut self, job: &Job) {
        let path = match &job.wanted {
            Wanted::Node(path, _) | Wanted::Cte(path, ..) | Wanted::Selection(path, ..) => path,
            Wanted::Sql(_, Some(path)) => path,
            Wanted::Sql(_, None) => return,
        };
        if job.parameters.is_empty() {
            return;
        }
        let remembered = Arc::make_mut(&mut self.previews.remembered);
        remembered.insert((job.root.clone(), path.clone()), job.parameters.clone());
        self.rebuild_world();
    }

    /// The thread's answer.
    pub(super) fn previewed(&mut self, key: u64, answer: Result<Value, Error>) {
        if let Some((pending, _)) = self.previews.running.remove(&key) {
            self.end_preview(pending, answer.map(Into::into));
        }
    }

    /// The client takes a request back, if it is one of these.
    pub(super) fn cancel_preview(&mut self, id: &Id) {
        let found =
            self.previews.running.iter().find(|(_, (pending, _))| pending.is(id)).map(|(key, _)| *key);
        if let Some((pending, cancel)) = found.and_then(|key| self.previews.running.remove(&key)) {
            cancel.cancel();
            self.end_preview(pending, Err(Error::request_cancelled()));
        }
    }

    fn preview_thread(&mut self) -> Result<Sender<Task>, Error> {
        if let Some(tasks) = &self.previews.tasks {
            return Ok(tasks.clone());
        }
        let config = match &self.options.engine {
            crate::EngineChoice::Off(why) => {
                return Err(failed("unavailable", &format!("there is no engine: {why}")));
            }
            crate::EngineChoice::Use(config) => (**config).clone(),
        };
        let (tasks, queue) = crossbeam_channel::unbounded();
        crate::preview::start(config, self.options.fs.clone(), queue, self.to_self.clone())
            .map_err(|error| failed("unavailable", &format!("the system gives no thread for it: {error}")))?;
        self.previews.tasks = Some(tasks.clone());
        Ok(tasks)
    }
}
