//! One place of a pool: its process, and the threads that give its connections work, watch the clock, and replace it.

use std::ops::Range;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, Sender, TryRecvError, after, never, select};

use crate::backoff::Backoff;
use crate::error::EngineError;
use crate::insert::Work;
use crate::pool::PoolConfig;
use crate::process::{NoWorker, Process, Role};
use crate::request::{Allow, Answer, WorkerId};
use crate::wire::{Frame, LANES, Outcome, ToPool, ToWorker};

/// What a worker's thread is given.
pub(crate) enum Task {
    Job(Job),
    /// The jobs of one session: nothing else is done in between, and nothing stays behind.
    Session(Receiver<Job>),
}

/// Work that travels together; it is done and answered in order.
pub(crate) struct Job {
    pub(crate) work: Vec<Work>,
    pub(crate) reply: Sender<Result<Answer, EngineError>>,
    /// Where the pieces of a streamed answer go.
    pub(crate) pieces: Option<Sender<Piece>>,
    /// Ends when they are taken back, or when nobody waits for them.
    pub(crate) cancelled: Receiver<()>,
}

/// A piece of an answer.
pub(crate) struct Piece {
    pub(crate) bytes: Vec<u8>,
    /// To be called when it was taken: then another one may come.
    pub(crate) taken: Option<Box<dyn FnOnce() + Send>>,
}

impl Job {
    pub(crate) fn is_cancelled(&self) -> bool {
        matches!(self.cancelled.try_recv(), Err(TryRecvError::Disconnected))
    }

    pub(crate) fn answer(&self, result: Result<Answer, EngineError>) {
        // Nobody may be waiting any more.
        let _ = self.reply.send(result);
    }
}

/// One place for a process, shared by the threads of its connections.
pub(crate) struct Place {
    slot: usize,
    config: Arc<PoolConfig>,
    role: Role,
    /// Called before each start; its error keeps the process from being started.
    before_start: Option<Hook>,
    /// Ends with the pool.
    stopped: Receiver<()>,
    pids: Arc<[AtomicU32]>,
    now: Mutex<Now>,
}

/// What is done before stored data is opened.
pub(crate) type Hook = Arc<dyn Fn() -> Result<(), String> + Send + Sync>;

#[derive(Default)]
struct Now {
    process: Option<Arc<Process>>,
    life: u64,
    backoff: Backoff,
    last_death: String,
}

impl Place {
    pub(crate) fn new(
        slot: usize,
        config: Arc<PoolConfig>,
        role: Role,
        before_start: Option<Hook>,
        stopped: Receiver<()>,
        pids: Arc<[AtomicU32]>,
    ) -> Arc<Self> {
        let now = Mutex::default();
        Arc::new(Self { slot, config, role, before_start, stopped, pids, now })
    }

    /// What the system does not keep the process from, when one runs and there is something.
    pub(crate) fn unconfined(&self) -> Option<String> {
        let process = self.now().process.clone()?;
        Some(process.open().to_owned()).filter(|open| !open.is_empty())
    }

    fn now(&self) -> MutexGuard<'_, Now> {
        self.now.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The process that runs and its number, after starting one where none does; or why there is none.
    fn ensure(&self) -> Result<(Arc<Process>, u64), String> {
        let mut now = self.now();
        loop {
            if let Some(process) = &now.process {
                return Ok((process.clone(), now.life));
            }
            let wait = now.backoff.wait(Instant::now());
            if !wait.is_zero() {
                let deaths = now.backoff.deaths();
                let last = &now.last_death;
                let seconds = wait.as_secs_f64();
                return Err(format!(
                    "there is no engine after {deaths} attempts; it is tried again in {seconds:.1} s. {last}"
                ));
            }
            let prepared = self.before_start.as_ref().map_or(Ok(()), |hook| hook());
            match prepared
                .map_err(NoWorker::Impossible)
                .and_then(|()| Process::start(&self.config, &self.role))
            {
                Ok(process) => {
                    now.life += 1;
                    self.pids[self.slot].store(process.pid(), Ordering::Release);
                    now.process = Some(Arc::new(process));
                }
                Err(NoWorker::Died(why)) => {
                    now.backoff.died(Instant::now());
                    now.last_death = format!("The engine died while it started: {why}");
                }
                Err(NoWorker::Impossible(why)) => {
                    now.backoff.hopeless(Instant::now());
                    now.last_death.clone_from(&why);
                    return Err(why);
                }
            }
        }
    }

    /// Ends `process`, unless another connection's thread was faster, and says how it ended.
    fn lost(&self, process: &Arc<Process>, sick: bool) -> String {
        let mut now = self.now();
        if now.process.as_ref().is_some_and(|p| Arc::ptr_eq(p, process)) {
            now.process = None;
            self.pids[self.slot].store(0, Ordering::Release);
            let end = process.end();
            if sick {
                now.backoff.died(Instant::now());
            }
            now.last_death = format!("The last one ended with {end}");
        }
        now.last_death.strip_prefix("The last one ended with ").unwrap_or(&now.last_death).to_owned()
    }

    fn answered(&self) {
        self.now().backoff.answered();
    }

    /// Lets the process close its data. For when no driver works any more.
    pub(crate) fn close(&self, patience: Duration) {
        if let Some(process) = self.now().process.take() {
            self.pids[self.slot].store(0, Ordering::Release);
            process.close(patience);
        }
    }
}

/// One connection of a place's process: the thread that gives it work and watches the clock.
pub(crate) struct Driver {
    place: Arc<Place>,
    lane: usize,
    queue: Receiver<Task>,
    attached: Option<Attached>,
    /// Whether something may have left tables or settings in it.
    is_used: bool,
    next: u64,
    last_death: String,
}

/// The process that this connection is of.
#[derive(Clone)]
struct Attached {
    process: Arc<Process>,
    messages: Receiver<ToPool>,
    life: u64,
}

/// What ended the wait for an answer.
enum Event {
    Done(Result<Outcome, EngineError>),
    /// Not what was asked.
    Nonsense,
    Died,
    Cancelled,
    Stopped,
    Late,
}

impl Driver {
    pub(crate) fn new(place: Arc<Place>, lane: usize, queue: Receiver<Task>) -> Self {
        Self { place, lane, queue, attached: None, is_used: false, next: 0, last_death: String::new() }
    }

    /// Until the pool is dropped.
    pub(crate) fn run(mut self) {
        if self.place.config.start_early {
            let _ = self.ensure();
        }
        loop {
            let dead = self.attached.as_ref().map_or_else(never, |a| a.messages.clone());
            let task = select! {
                recv(self.queue) -> task => task,
                recv(self.place.stopped) -> _ => return,
                recv(dead) -> _ => {
                    // It died while idle: the next statement shall not pay for the restart.
                    self.lost(true);
                    let _ = self.ensure();
                    continue;
                }
            };
            match task {
                Ok(Task::Job(job)) => self.work(&job),
                Ok(Task::Session(jobs)) => self.session(&jobs),
                Err(_) => return,
            }
        }
    }

    /// Until the session is dropped. When its process dies, so does the session: a new process has none of its tables.
    fn session(&mut self, jobs: &Receiver<Job>) {
        self.clean();
        let mut lost = None;
        loop {
            let dead = self.attached.as_ref().map_or_else(never, |a| a.messages.clone());
            let job = select! {
                recv(jobs) -> job => job,
                recv(self.place.stopped) -> _ => return,
                recv(dead) -> _ => {
                    self.lost(true);
                    lost = self.is_used.then(|| self.last_death.clone());
                    continue;
                }
            };
            let Ok(job) = job else { break };
            if self.is_stale() {
                self.lost(true);
                lost = self.is_used.then(|| self.last_death.clone());
            }
            if matches!(*job.work, [Work::Reset]) {
                lost = None;
                self.clean();
                job.answer(Ok(Answer::empty(self.worker())));
                continue;
            }
            let mut first = 0;
            while first < job.work.len() {
                let rest = &job.work[first..];
                if let Some(why) = &lost {
                    rest.iter().for_each(|_| job.answer(Err(EngineError::SessionLost(why.clone()))));
                    break;
                }
                let attached = match self.begin(&job) {
                    Ok(attached) => attached,
                    Err(why) => {
                        rest.iter().for_each(|_| job.answer(Err(why.clone())));
                        break;
                    }
                };
                first += self.work_in_one_life(&attached, &job, rest);
                if self.attached.is_none() && self.is_used {
                    lost = Some(self.last_death.clone());
                }
            }
        }
        self.clean();
    }

    /// Makes the connection as good as new for whoever comes next.
    fn clean(&mut self) {
        if !std::mem::take(&mut self.is_used) {
            return;
        }
        let Some(Attached { process, messages, .. }) = self.attached.clone() else { return };
        let id = self.ids(1).start;
        process.send(Frame::run(self.id(id), &Work::Reset));
        let limit = Work::Reset.limits().time + self.place.config.grace;
        let is_clean = select! {
            recv(messages) -> message => {
                matches!(message, Ok(ToPool::Done(done, Ok(_))) if done == self.id(id))
            }
            recv(self.place.stopped) -> _ => false,
            recv(after(limit)) -> _ => false,
        };
        if !is_clean {
            self.lost(false);
        }
    }

    /// Numbers for work, still without the connection in them.
    fn ids(&mut self, count: usize) -> Range<u64> {
        let first = self.next;
        self.next += count as u64;
        first..self.next
    }

    /// What the process calls a number of this connection.
    fn id(&self, number: u64) -> u64 {
        number * LANES as u64 + self.lane as u64
    }

    fn worker(&self) -> WorkerId {
        let life = self.attached.as_ref().map_or_else(|| self.place.now().life, |a| a.life);
        WorkerId { slot: self.place.slot, life }
    }

    /// The process that shall do `job`, or why nothing of it can be done now.
    fn begin(&mut self, job: &Job) -> Result<Attached, EngineError> {
        if job.is_cancelled() {
            return Err(EngineError::Cancelled);
        }
        self.ensure().map_err(EngineError::Unavailable)
    }

    fn work(&mut self, job: &Job) {
        let mut first = 0;
        while first < job.work.len() {
            let rest = &job.work[first..];
            let attached = match self.begin(job) {
                Ok(attached) => attached,
                Err(why) => return rest.iter().for_each(|_| job.answer(Err(why.clone()))),
            };
            first += self.work_in_one_life(&attached, job, rest);
        }
    }

    /// Answers as much of `all` as one process does, the one included that it died of.
    fn work_in_one_life(&mut self, attached: &Attached, job: &Job, all: &[Work]) -> usize {
        let ids = self.ids(all.len());
        for (id, work) in ids.clone().zip(all) {
            self.is_used |= !matches!(work, Work::Query(r) | Work::Stream(r) if r.allow <= Allow::Reads);
            attached.process.send(Frame::run(self.id(id), work));
        }
        for (n, work) in all.iter().enumerate() {
            let left = ids.start + n as u64..ids.end;
            let grace = self.place.config.grace + work.transfer();
            let limit = work.limits().time + grace;
            let verdict = match self.wait(attached, job, left, limit, grace) {
                Event::Done(result) => {
                    self.place.answered();
                    let worker = self.worker();
                    job.answer(result.map(|o| Answer {
                        body: o.body,
                        class: o.class,
                        stats: o.stats,
                        worker,
                    }));
                    continue;
                }
                Event::Nonsense => EngineError::Crashed("the worker answered something else".to_owned()),
                Event::Died => EngineError::Crashed(String::new()),
                Event::Cancelled | Event::Stopped => EngineError::Cancelled,
                Event::Late => EngineError::TimedOut(limit),
            };
            // A process that we end ourselves is no sign of a sick engine.
            let sick = matches!(verdict, EngineError::Crashed(_));
            let end = self.lost(sick);
            job.answer(Err(match verdict {
                EngineError::Crashed(detail) if detail.is_empty() => EngineError::Crashed(end),
                other => other,
            }));
            return n + 1;
        }
        all.len()
    }

    /// Waits for the answer to the first of `ids` as long as `limit`. When that is over, asks the worker to stop it; when the
    /// job is taken back, to stop all of them; and gives it the `grace` to do so.
    fn wait(
        &self,
        attached: &Attached,
        job: &Job,
        ids: Range<u64>,
        limit: Duration,
        grace: Duration,
    ) -> Event {
        let id = self.id(ids.start);
        let mut deadline = Instant::now() + limit;
        let mut cancelled = job.cancelled.clone();
        let (mut is_cancelled, mut is_late) = (false, false);
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            // A statement that is just being started may not hear the first call.
            let pause = if is_cancelled || is_late { left.min(Duration::from_millis(50)) } else { left };
            select! {
                recv(attached.messages) -> message => match message {
                    Ok(ToPool::Done(answered, Err(EngineError::Cancelled))) if answered == id && is_late => {
                        return Event::Done(Err(EngineError::TimedOut(limit)));
                    }
                    Ok(ToPool::Done(answered, result)) if answered == id => return Event::Done(result),
                    Ok(ToPool::Piece(of, bytes)) if of == id => {
                        let Some(pieces) = &job.pieces else { return Event::Nonsense };
                        let more = attached.process.sender();
                        let taken: Box<dyn FnOnce() + Send> =
                            Box::new(move || drop(more.send(Frame::to_worker(&ToWorker::More(id)))));
                        // Nobody may be taking them any more: then the cancellation is on its way.
                        let _ = pieces.send(Piece { bytes, taken: Some(taken) });
                        continue;
                    }
                    Ok(_) => return Event::Nonsense,
                    Err(_) => return Event::Died,
                },
                recv(cancelled) -> _ => {
                    cancelled = never();
                    is_cancelled = true;
                    deadline = deadline.min(Instant::now() + grace);
                }
                recv(self.place.stopped) -> _ => return Event::Stopped,
                recv(after(pause)) -> _ => if Instant::now() >= deadline {
                    if is_cancelled {
                        return Event::Cancelled;
                    }
                    if is_late {
                        return Event::Late;
                    }
                    // Other connections of the process shall not suffer: first it is asked to stop.
                    is_late = true;
                    deadline = Instant::now() + grace;
                },
            }
            if is_cancelled || is_late {
                let end = if is_cancelled { ids.end } else { ids.start + 1 };
                for id in ids.start..end {
                    attached.process.send(Frame::to_worker(&ToWorker::Cancel(self.id(id))));
                }
            }
        }
    }

    /// Whether the process that this connection is of is known to be gone.
    fn is_stale(&self) -> bool {
        self.attached.as_ref().is_some_and(|attached| {
            let is_current =
                self.place.now().process.as_ref().is_some_and(|p| Arc::ptr_eq(p, &attached.process));
            !is_current || matches!(attached.messages.try_recv(), Err(TryRecvError::Disconnected))
        })
    }

    /// The process that runs, or why none does.
    fn ensure(&mut self) -> Result<Attached, String> {
        if self.is_stale() {
            self.lost(true);
        }
        if let Some(attached) = &self.attached {
            return Ok(attached.clone());
        }
        let (process, life) = self.place.ensure()?;
        let messages = process.messages(self.lane);
        self.is_used = false;
        Ok(self.attached.insert(Attached { process, messages, life }).clone())
    }

    /// Ends what is left of the process, and says how it ended.
    fn lost(&mut self, sick: bool) -> String {
        let Some(attached) = self.attached.take() else { return String::new() };
        let end = self.place.lost(&attached.process, sick);
        self.last_death = format!("The last one ended with {end}");
        end
    }
}
