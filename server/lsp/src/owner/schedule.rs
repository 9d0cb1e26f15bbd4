//! Requests: queued, run, retried, cancelled, parked.

use std::collections::VecDeque;
use std::sync::Arc;

use salsa::{CancellationToken, Database as _};
use serde_json::Value;
use tokio::sync::oneshot;
use tower_lsp::jsonrpc::{Error, ErrorCode, Id};

use super::{Arrival, Owner};
use crate::client::{Level, Reply};
use crate::dispatch::{Class, Handler, Retry};
use crate::snapshot::{Memory, Snapshot};
use crate::worker::{Done, Job, Task, WORKERS};

/// A request that is not being worked on. Only data: a snapshot is made when it runs.
pub(super) struct Pending {
    id: Id,
    route: usize,
    params: Arc<Value>,
    reply: oneshot::Sender<Reply>,
    memory: Arc<Memory>,
    /// Its document and that one's version when the request came.
    document: Option<(String, Option<i32>)>,
}

impl Pending {
    /// Whether it is the request of that id.
    pub(super) fn is(&self, id: &Id) -> bool {
        self.id == *id
    }
}

pub(super) enum Work {
    Request(Pending),
    Push {
        open: bool,
    },
    Dialects,
    /// What there is to ask the engine.
    Questions,
    /// Which tests an edit may touch.
    Tests,
}

pub(super) struct Queue {
    pub(super) latency: VecDeque<Work>,
    pub(super) worker: VecDeque<Work>,
}

pub(super) struct Running {
    work: Work,
    class: Class,
    /// The change count of its snapshot.
    revision: u64,
    pub(super) token: CancellationToken,
}

/// `ServerCancelled`: the server gives up; the client need not ask again.
const SERVER_CANCELLED: i64 = -32802;

impl Owner {
    pub(super) fn request(&mut self, arrival: Arrival) {
        let Arrival { id, route, params, reply } = arrival;
        if self.shut_down {
            return;
        }
        if let Handler::Owner(run) = self.table.route(route).handler {
            let _ = reply.send(Ok(run(self).into()));
            return;
        }
        let document = params.pointer("/textDocument/uri").and_then(Value::as_str).map(|uri| {
            let version = self.documents.version(uri);
            (uri.to_owned(), version)
        });
        let pending =
            Pending { id, route, params: Arc::new(params), reply, memory: Arc::default(), document };
        self.enqueue(pending, false);
    }

    fn enqueue(&mut self, pending: Pending, first: bool) {
        let queue = match self.table.route(pending.route).class {
            Class::Latency => &mut self.queue.latency,
            Class::Worker | Class::Owner => &mut self.queue.worker,
        };
        if first {
            queue.push_front(Work::Request(pending));
        } else {
            queue.push_back(Work::Request(pending));
        }
    }

    /// tower-lsp has answered the client already; here the work stops.
    pub(super) fn cancel(&mut self, id: &Id) {
        let is_it = |work: &Work| matches!(work, Work::Request(pending) if pending.id == *id);
        self.queue.latency.retain(|work| !is_it(work));
        self.queue.worker.retain(|work| !is_it(work));
        self.parked.retain(|pending| pending.id != *id);
        self.cancel_preview(id);
        self.cancel_tests(id);
        for running in self.running.values().filter(|running| is_it(&running.work)) {
            running.token.cancel();
        }
    }

    /// Gives work to whoever is free.
    pub(super) fn schedule(&mut self) {
        if self.loading > 0 {
            return;
        }
        let is_push = |work: &Work| matches!(work, Work::Push { .. });
        let pushing = self.running.values().any(|running| is_push(&running.work))
            || self.queue.latency.iter().chain(&self.queue.worker).any(is_push);
        if self.profile.push && self.push_due && !pushing {
            self.push_due = false;
            self.queue.latency.push_back(Work::Push { open: true });
        }
        loop {
            let slow = self.running.values().filter(|running| running.class == Class::Worker).count();
            let free = WORKERS - self.running.len().min(WORKERS);
            let next = if free == 0 {
                None
            } else if let Some(work) = self.queue.latency.pop_front() {
                Some((Class::Latency, work))
            } else if slow + 1 < WORKERS {
                self.queue.worker.pop_front().map(|work| (Class::Worker, work))
            } else {
                None
            };
            let Some((class, work)) = next else { break };
            self.start(class, work);
        }
    }

    fn start(&mut self, class: Class, work: Work) {
        let (task, memory) = match &work {
            Work::Request(pending) => {
                if pending.reply.is_closed() {
                    return;
                }
                if self.lost_its_text(pending) {
                    self.answer(work, Err(Error::content_modified()));
                    return;
                }
                (Task::Request(pending.route, pending.params.clone()), pending.memory.clone())
            }
            Work::Push { open } => {
                (Task::Push { open: *open, published: self.published.clone() }, Arc::default())
            }
            Work::Dialects => (Task::Dialects, Arc::default()),
            Work::Questions => (Task::Questions(self.oracle.known()), Arc::default()),
            Work::Tests => (Task::Tests { opened: self.tests_are_known() }, Arc::default()),
        };
        let snapshot = Snapshot {
            world: self.world.clone(),
            profile: self.profile.clone(),
            client: self.client.clone(),
            memory,
            tokens: self.tokens.clone(),
            hooks: self.options.hooks.clone(),
            now: (self.options.now)(),
            db: self.db.clone(),
        };
        let key = self.next_key;
        self.next_key += 1;
        let token = snapshot.db.cancellation_token();
        self.running.insert(key, Running { work, class, revision: self.revision, token });
        // Fails only when every worker is gone, which a panic cannot cause.
        let _ = self.jobs.send(Job { key, task, snapshot });
    }

    fn lost_its_text(&self, pending: &Pending) -> bool {
        self.table.route(pending.route).retry == Retry::SameText
            && pending.document.as_ref().is_some_and(|(uri, version)| self.documents.version(uri) != *version)
    }

    pub(super) fn done(&mut self, key: u64, done: Done) {
        let Some(Running { work, revision, .. }) = self.running.remove(&key) else { return };
        match (done, work) {
            (Done::Answer(answer), work) => {
                if let Work::Request(pending) = &work {
                    self.polled |= self.table.route(pending.route).method == "workspace/diagnostic";
                }
                self.answer(work, answer);
            }
            (Done::Cancelled, work) => self.answer(work, Err(Error::request_cancelled())),
            (Done::Stale, Work::Request(pending)) => self.enqueue(pending, true),
            (Done::Stale, Work::Push { .. }) => self.push_due = true,
            (Done::Stale, Work::Dialects) => self.queue.worker.push_back(Work::Dialects),
            (Done::Stale, Work::Questions) => self.look_was_stale(),
            (Done::Stale, Work::Tests) => self.tests_look_ended(true),
            (Done::Park, Work::Request(pending)) if self.shut_down => self.end_poll(pending),
            (Done::Park, Work::Request(pending)) if revision != self.revision => {
                // Something changed between its last look and now.
                self.enqueue(pending, true);
            }
            (Done::Park, work @ Work::Request(_)) if !self.polled => {
                // Whoever asks for the first time wants to hear that all is well; only who asks again can wait for news.
                self.polled = true;
                self.answer(work, Ok(serde_json::json!({ "items": [] }).into()));
            }
            (Done::Park, Work::Request(pending)) => self.parked.push(pending),
            (Done::Show(job), Work::Request(pending)) => self.start_preview(pending, job),
            (Done::Run(asked), Work::Request(pending)) => self.start_tests(pending, asked),
            (Done::Pushed(publications), Work::Push { open }) => {
                self.publish(publications);
                if open {
                    self.queue.worker.push_back(Work::Push { open: false });
                }
            }
            (Done::Dialects(dialects), _) => self.learn_dialects(dialects),
            (Done::Questions(passes), _) => self.looked(passes),
            (Done::Tests(look), _) => self.looked_at_tests(*look),
            (Done::Panicked(message), work) => self.panicked(work, &message),
            (Done::Park | Done::Show(_) | Done::Run(_) | Done::Pushed(_), _) => {}
        }
    }

    fn panicked(&mut self, work: Work, panic: &str) {
        let what = match &work {
            Work::Request(pending) => {
                let uri = pending.document.as_ref().map_or("the workspace", |(uri, _)| uri.as_str());
                format!("{} for {uri}", self.table.route(pending.route).method)
            }
            Work::Push { .. } => "checking for diagnostics".to_owned(),
            Work::Dialects => "looking for the dialect".to_owned(),
            Work::Questions => {
                self.look_failed();
                "looking for questions to the engine".to_owned()
            }
            Work::Tests => {
                self.tests_look_ended(false);
                "looking for tests".to_owned()
            }
        };
        let message = format!(
            "headwater {} failed in {what}: {panic}. The server goes on; please report this line.",
            env!("CARGO_PKG_VERSION")
        );
        self.client.log(Level::Error, &message);
        let mut error = Error::internal_error();
        error.message = message.into();
        self.answer(work, Err(error));
    }

    fn answer(&mut self, work: Work, reply: Reply) {
        let Work::Request(pending) = work else { return };
        // Partial results left through the client's queue; the answer must not overtake them.
        let streamed = pending.memory.sent.lock().is_ok_and(|sent| !sent.is_empty());
        if streamed {
            self.client.answer_in_order(pending.reply, reply);
        } else {
            let _ = pending.reply.send(reply);
        }
    }

    /// Answers a request behind all that was said so far.
    pub(super) fn answer_in_order(&mut self, pending: Pending, answer: Reply) {
        self.client.answer_in_order(pending.reply, answer);
    }

    /// Sends what the preview thread, or the lack of it, has to say.
    pub(super) fn end_preview(&mut self, pending: Pending, answer: Reply) {
        self.answer(Work::Request(pending), answer);
    }

    pub(super) fn resume_parked(&mut self) {
        for pending in std::mem::take(&mut self.parked) {
            self.enqueue(pending, false);
        }
    }

    /// After this the client only sends `exit`. Long polls end; what is running may finish.
    pub(super) fn shut_down(&mut self) {
        self.shut_down = true;
        for pending in std::mem::take(&mut self.parked) {
            self.end_poll(pending);
        }
    }

    fn end_poll(&mut self, pending: Pending) {
        let mut error = Error::new(ErrorCode::ServerError(SERVER_CANCELLED));
        error.message = "the server is shutting down".into();
        error.data = Some(serde_json::json!({ "retriggerRequest": false }));
        self.answer(Work::Request(pending), Err(error));
    }

    pub(super) fn counts(&self) -> (usize, usize, usize) {
        (self.running.len(), self.queue.latency.len() + self.queue.worker.len(), self.parked.len())
    }

    pub(super) fn look_for_dialects(&mut self) {
        if !self.queue.worker.iter().any(|work| matches!(work, Work::Dialects)) {
            self.queue.worker.push_back(Work::Dialects);
        }
    }
}
