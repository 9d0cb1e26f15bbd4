//! One statement at a time on a server: the thread that gives it work, watches the clock, and takes it back.

use std::sync::Arc;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, after, bounded, never, select};

use super::call::Client;
use crate::driver::{Job, Task};
use crate::error::EngineError;
use crate::insert::Work;
use crate::request::{Answer, WorkerId};
use crate::wire::Outcome;

pub(super) struct Driver {
    client: Arc<Client>,
    queue: Receiver<Task>,
    /// Ends with the server's handle.
    stopped: Receiver<()>,
}

/// A session of the server: it begins with the first statement.
struct Session {
    id: String,
    is_known: bool,
}

impl Driver {
    pub(super) fn new(client: Arc<Client>, queue: Receiver<Task>, stopped: Receiver<()>) -> Self {
        Self { client, queue, stopped }
    }

    /// Until the server's handle is dropped.
    pub(super) fn run(self) {
        loop {
            let task = select! {
                recv(self.queue) -> task => task,
                recv(self.stopped) -> _ => return,
            };
            match task {
                Ok(Task::Job(job)) => self.job(job, None),
                Ok(Task::Session(jobs)) => self.session(&jobs),
                Err(_) => return,
            }
        }
    }

    fn session(&self, jobs: &Receiver<Job>) {
        let new = || Session { id: self.client.name(), is_known: false };
        let mut session = new();
        loop {
            let job = select! {
                recv(jobs) -> job => job,
                recv(self.stopped) -> _ => return,
            };
            let Ok(job) = job else { break };
            if matches!(*job.work, [Work::Reset]) {
                self.leave(&session);
                session = new();
                job.answer(Ok(Answer::empty(WORKER)));
            } else {
                self.job(job, Some(&mut session));
            }
        }
        self.leave(&session);
    }

    fn leave(&self, session: &Session) {
        if session.is_known {
            self.client.leave(&session.id);
        }
    }

    fn job(&self, mut job: Job, mut session: Option<&mut Session>) {
        for work in std::mem::take(&mut job.work) {
            if job.is_cancelled() {
                job.answer(Err(EngineError::Cancelled));
                continue;
            }
            let result = self.one(work, &job, session.as_deref());
            if let Some(session) = session.as_deref_mut() {
                session.is_known |= !matches!(result, Err(EngineError::Unavailable(_)));
            }
            job.answer(result.map(|o| Answer {
                body: o.body,
                class: o.class,
                stats: o.stats,
                worker: WORKER,
            }));
        }
    }

    fn one(&self, work: Work, job: &Job, session: Option<&Session>) -> Result<Outcome, EngineError> {
        let id = self.client.name();
        let grace = self.client.grace() + work.transfer();
        let limit = work.limits().time + grace;
        let (done, result) = bounded(1);
        let call = {
            let (client, id, pieces) = (self.client.clone(), id.clone(), job.pieces.clone());
            let session = session.map(|s| (s.id.clone(), s.is_known));
            move || {
                let session = session.as_ref().map(|(id, is_known)| (id.as_str(), *is_known));
                let _ = done.send(client.call(&work, &id, session, pieces.as_ref()));
            }
        };
        std::thread::Builder::new()
            .name("clickhouse-call".to_owned())
            .spawn(call)
            .map_err(|e| EngineError::Unavailable(format!("no thread for a request: {e}")))?;
        let mut deadline = Instant::now() + limit;
        let mut cancelled = job.cancelled.clone();
        let mut verdict = None;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            let pause = if verdict.is_some() { left.min(Duration::from_millis(200)) } else { left };
            select! {
                recv(result) -> result => {
                    let result = result.unwrap_or_else(|_| Err(EngineError::Crashed("the request's thread ended".to_owned())));
                    return match (result, verdict) {
                        (Err(EngineError::Cancelled | EngineError::TimedOut(_)), Some(verdict)) => Err(verdict),
                        (Err(EngineError::TimedOut(_)), None) => Err(EngineError::TimedOut(limit)),
                        (result, _) => result,
                    };
                }
                recv(cancelled) -> _ => {
                    cancelled = never();
                    verdict = Some(EngineError::Cancelled);
                    deadline = deadline.min(Instant::now() + grace);
                }
                recv(self.stopped) -> _ => {
                    self.client.kill(&id);
                    return Err(EngineError::Cancelled);
                }
                recv(after(pause)) -> _ => if Instant::now() >= deadline {
                    // Nobody waits for it any more; its thread ends with the request's own limit.
                    if let Some(verdict) = verdict {
                        return Err(verdict);
                    }
                    verdict = Some(EngineError::TimedOut(limit));
                    deadline = Instant::now() + grace;
                },
            }
            self.client.kill(&id);
        }
    }
}

/// A server is one, and lives on.
const WORKER: WorkerId = WorkerId { slot: 0, life: 0 };
