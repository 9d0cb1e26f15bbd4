//! One place of a pool: its process, and the thread that gives it work, watches the clock, and replaces it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, Sender, TryRecvError, after, never, select};

use crate::backoff::Backoff;
use crate::error::EngineError;
use crate::pool::PoolConfig;
use crate::process::{NoWorker, Process};
use crate::request::{Answer, Request, WorkerId};
use crate::wire::{Frame, ToPool, ToWorker};

/// Requests that travel together; they are run and answered in order.
pub(crate) struct Job {
    pub(crate) requests: Vec<Request>,
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
    queue: Receiver<Job>,
    /// Ends with the pool.
    stopped: Receiver<()>,
    pids: Arc<[AtomicU32]>,
    process: Option<Process>,
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
        queue: Receiver<Job>,
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
            let job = select! {
                recv(self.queue) -> job => job,
                recv(self.stopped) -> _ => return,
                recv(dead) -> _ => {
                    // It died while idle: the next statement shall not pay for the restart.
                    self.lost(true);
                    let _ = self.ensure();
                    continue;
                }
            };
            let Ok(job) = job else { return };
            self.work(&job);
        }
    }

    fn work(&mut self, job: &Job) {
        let mut first = 0;
        while first < job.requests.len() {
            let rest = &job.requests[first..];
            if job.is_cancelled() {
                return rest.iter().for_each(|_| job.answer(Err(EngineError::Cancelled)));
            }
            if let Err(why) = self.ensure() {
                return rest.iter().for_each(|_| job.answer(Err(EngineError::Unavailable(why.clone()))));
            }
            first += self.work_in_one_life(job, rest);
        }
    }

    /// Answers as many of `requests` as one process does, the one included that it died of.
    fn work_in_one_life(&mut self, job: &Job, requests: &[Request]) -> usize {
        let Some(process) = &self.process else { return 0 };
        let base = self.next_id;
        self.next_id += requests.len() as u64;
        for (id, request) in (base..).zip(requests) {
            process.send(Frame::run(id, request));
        }
        for (n, request) in requests.iter().enumerate() {
            let id = base + n as u64;
            let limit = request.limits.time + self.config.grace;
            let verdict = match self.wait(job, id, base + requests.len() as u64, Instant::now() + limit) {
                Event::Message(ToPool::Done(answered, result)) if answered == id => {
                    self.backoff.answered();
                    let worker = WorkerId { slot: self.slot, life: self.life };
                    job.answer(result.map(|(class, body)| Answer { body, class, worker }));
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
        requests.len()
    }

    /// Waits for the answer to `id` until `deadline`. When the job is taken back, asks the worker to stop everything up
    /// to `end` and gives it the grace to do so.
    fn wait(&self, job: &Job, id: u64, end: u64, deadline: Instant) -> Event {
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
                    deadline = deadline.min(Instant::now() + self.config.grace);
                }
                recv(self.stopped) -> _ => return Event::Stopped,
                recv(after(pause)) -> _ => if Instant::now() >= deadline {
                    return if is_cancelled { Event::Cancelled } else { Event::Late };
                },
            }
            if is_cancelled {
                (id..end).for_each(|id| process.send(Frame::to_worker(&ToWorker::Cancel(id))));
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
