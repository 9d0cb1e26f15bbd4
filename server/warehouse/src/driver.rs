//! One place of a pool: its process, and the thread that gives it work, watches the clock, and replaces it.

use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, Sender, TryRecvError, after, never, select};

use crate::backoff::Backoff;
use crate::error::EngineError;
use crate::insert::Work;
use crate::pool::PoolConfig;
use crate::process::{NoWorker, Process};
use crate::request::{Allow, Answer, WorkerId};
use crate::wire::{Frame, ToPool, ToWorker};

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
    /// Ends when they are taken back, or when nobody waits for them.
    pub(crate) cancelled: Receiver<()>,
}

impl Job {
    fn is_cancelled(&self) -> bool {
        matches!(self.cancelled.try_recv(), Err(TryRecvError::Disconnected))
    }

    fn answer(&self, result: Result<Answer, EngineError>) {
        // Nobody may be waiting any more.
        let _ = self.reply.send(result);
    }
}

pub(crate) struct Driver {
    slot: usize,
    config: Arc<PoolConfig>,
    queue: Receiver<Task>,
    /// Ends with the pool.
    stopped: Receiver<()>,
    pids: Arc<[AtomicU32]>,
    process: Option<Process>,
    /// Whether something may have left tables or settings in it.
    is_used: bool,
    life: u64,
    next_id: u64,
    backoff: Backoff,
    last_death: String,
}

/// What ended the wait for an answer.
enum Event {
    Message(ToPool),
    Died,
    Cancelled,
    Stopped,
    Late,
}

impl Driver {
    pub(crate) fn new(
        slot: usize,
        config: Arc<PoolConfig>,
        queue: Receiver<Task>,
        stopped: Receiver<()>,
        pids: Arc<[AtomicU32]>,
    ) -> Self {
        Self {
            slot,
            config,
            queue,
            stopped,
            pids,
            process: None,
            is_used: false,
            life: 0,
            next_id: 0,
            backoff: Backoff::default(),
            last_death: String::new(),
        }
    }

    /// Until the pool is dropped.
    pub(crate) fn run(mut self) {
        if self.config.start_early {
            let _ = self.ensure();
        }
        loop {
            let dead = self.process.as_ref().map_or_else(never, |p| p.messages.clone());
            let task = select! {
                recv(self.queue) -> task => task,
                recv(self.stopped) -> _ => return,
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
            let dead = self.process.as_ref().map_or_else(never, |p| p.messages.clone());
            let job = select! {
                recv(jobs) -> job => job,
                recv(self.stopped) -> _ => return,
                recv(dead) -> _ => {
                    self.lost(true);
                    lost = self.is_used.then(|| self.last_death.clone());
                    continue;
                }
            };
            let Ok(job) = job else { break };
            if matches!(*job.work, [Work::Reset]) {
                lost = None;
                self.clean();
                let worker = WorkerId { slot: self.slot, life: self.life };
                job.answer(Ok(Answer::empty(worker)));
                continue;
            }
            let mut first = 0;
            while first < job.work.len() {
                let rest = &job.work[first..];
                if let Some(why) = &lost {
                    rest.iter().for_each(|_| job.answer(Err(EngineError::SessionLost(why.clone()))));
                    break;
                }
                if let Some(why) = self.refusal(&job) {
                    rest.iter().for_each(|_| job.answer(Err(why.clone())));
                    break;
                }
                first += self.work_in_one_life(&job, rest);
                if self.process.is_none() && self.is_used {
                    lost = Some(self.last_death.clone());
                }
            }
        }
        self.clean();
    }

    /// Makes the worker as good as new for whoever comes next.
    fn clean(&mut self) {
        if !std::mem::take(&mut self.is_used) {
            return;
        }
        let Some(process) = &self.process else { return };
        let id = self.next_id;
        self.next_id += 1;
        process.send(Frame::run(id, &Work::Reset));
        let limit = Work::Reset.limits().time + self.config.grace;
        let is_clean = select! {
            recv(process.messages) -> message => matches!(message, Ok(ToPool::Done(done, Ok(_))) if done == id),
            recv(self.stopped) -> _ => false,
            recv(after(limit)) -> _ => false,
        };
        if !is_clean {
            self.lost(false);
        }
    }

    /// Why nothing of `job` can be done now, if so. Otherwise there is a worker.
    fn refusal(&mut self, job: &Job) -> Option<EngineError> {
        if job.is_cancelled() {
            return Some(EngineError::Cancelled);
        }
        self.ensure().err().map(EngineError::Unavailable)
    }

    fn work(&mut self, job: &Job) {
        let mut first = 0;
        while first < job.work.len() {
            let rest = &job.work[first..];
            if let Some(why) = self.refusal(job) {
                return rest.iter().for_each(|_| job.answer(Err(why.clone())));
            }
            first += self.work_in_one_life(job, rest);
        }
    }

    /// Answers as much of `all` as one process does, the one included that it died of.
    fn work_in_one_life(&mut self, job: &Job, all: &[Work]) -> usize {
        let Some(process) = &self.process else { return 0 };
        let base = self.next_id;
        self.next_id += all.len() as u64;
        for (id, work) in (base..).zip(all) {
            self.is_used |= !matches!(work, Work::Query(r) if r.allow <= Allow::Reads);
            process.send(Frame::run(id, work));
        }
        for (n, work) in all.iter().enumerate() {
            let id = base + n as u64;
            let grace = self.config.grace + work.transfer();
            let limit = work.limits().time + grace;
            let verdict = match self.wait(job, id..base + all.len() as u64, Instant::now() + limit, grace) {
                Event::Message(ToPool::Done(answered, result)) if answered == id => {
                    self.backoff.answered();
                    let worker = WorkerId { slot: self.slot, life: self.life };
                    job.answer(result.map(|o| Answer {
                        body: o.body,
                        class: o.class,
                        stats: o.stats,
                        worker,
                    }));
                    continue;
                }
                Event::Message(_) => EngineError::Crashed("the worker answered something else".to_owned()),
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

    /// Waits for the answer to the first of `ids` until `deadline`. When the job is taken back, asks the worker to stop all
    /// of them and gives it the `grace` to do so.
    fn wait(&self, job: &Job, ids: Range<u64>, deadline: Instant, grace: Duration) -> Event {
        let Some(process) = &self.process else { return Event::Died };
        let mut deadline = deadline;
        let mut cancelled = job.cancelled.clone();
        let mut is_cancelled = false;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            // A statement that is just being started may not hear the first call.
            let pause = if is_cancelled { left.min(Duration::from_millis(50)) } else { left };
            select! {
                recv(process.messages) -> message => return message.map_or(Event::Died, Event::Message),
                recv(cancelled) -> _ => {
                    cancelled = never();
                    is_cancelled = true;
                    deadline = deadline.min(Instant::now() + grace);
                }
                recv(self.stopped) -> _ => return Event::Stopped,
                recv(after(pause)) -> _ => if Instant::now() >= deadline {
                    return if is_cancelled { Event::Cancelled } else { Event::Late };
                },
            }
            if is_cancelled {
                ids.clone().for_each(|id| process.send(Frame::to_worker(&ToWorker::Cancel(id))));
            }
        }
    }

    /// Makes sure that a worker runs, or says why none does.
    fn ensure(&mut self) -> Result<(), String> {
        while self.process.is_none() {
            let wait = self.backoff.wait(Instant::now());
            if !wait.is_zero() {
                let deaths = self.backoff.deaths();
                let last = &self.last_death;
                let seconds = wait.as_secs_f64();
                return Err(format!(
                    "there is no engine after {deaths} attempts; it is tried again in {seconds:.1} s. {last}"
                ));
            }
            match Process::start(&self.config) {
                Ok(process) => {
                    self.life += 1;
                    self.is_used = false;
                    self.pids[self.slot].store(process.pid(), Ordering::Release);
                    self.process = Some(process);
                }
                Err(NoWorker::Died(why)) => {
                    self.backoff.died(Instant::now());
                    self.last_death = format!("The engine died while it started: {why}");
                }
                Err(NoWorker::Impossible(why)) => {
                    self.backoff.hopeless(Instant::now());
                    self.last_death.clone_from(&why);
                    return Err(why);
                }
            }
        }
        Ok(())
    }

    /// Ends what is left of the process, and says how it ended.
    fn lost(&mut self, sick: bool) -> String {
        let Some(mut process) = self.process.take() else { return String::new() };
        self.pids[self.slot].store(0, Ordering::Release);
        let end = process.end();
        if sick {
            self.backoff.died(Instant::now());
        }
        self.last_death = format!("The last one ended with {end}");
        end
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        self.pids[self.slot].store(0, Ordering::Release);
    }
}
