//! The engine child: found, started, watched, replaced. The door asks through [`Engine`] and never notices more of a crash
//! than one failed statement.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use crossbeam_channel::{Receiver, Sender, bounded};
use headwater_warehouse::{Answer, EngineError, Places, Pool, PoolConfig, Request};

use crate::log::{Level, Log};
use crate::protocol::EngineHealth;

/// What runs statements.
pub trait Engine: Send + Sync {
    /// Queues a statement.
    fn submit(&self, request: Request) -> Statement;
    /// How it is, without waking it.
    fn health(&self) -> EngineHealth;
    /// Its processes.
    fn pids(&self) -> Vec<u32>;
    /// How many processes were started.
    fn starts(&self) -> u64;
    /// Ends it, and what runs in it.
    fn stop(&self);
}

/// A statement under way. One that is not waited for any more is cancelled.
pub struct Statement {
    wait: Box<dyn FnOnce() -> Result<Answer, EngineError> + Send>,
    cancel: Box<dyn Fn() + Send + Sync>,
}

impl Statement {
    /// `wait` blocks until there is an answer, `cancel` makes it come soon.
    pub fn new(
        wait: impl FnOnce() -> Result<Answer, EngineError> + Send + 'static,
        cancel: impl Fn() + Send + Sync + 'static,
    ) -> Self {
        Self { wait: Box::new(wait), cancel: Box::new(cancel) }
    }

    /// Waits for the answer. Dropping the future, as happens when the client goes away, cancels the statement.
    ///
    /// # Errors
    ///
    /// See [`EngineError`].
    pub async fn answer(self) -> Result<Answer, EngineError> {
        struct Cancel(Option<Box<dyn Fn() + Send + Sync>>);
        impl Drop for Cancel {
            fn drop(&mut self) {
                if let Some(cancel) = &self.0 {
                    cancel();
                }
            }
        }
        let mut guard = Cancel(Some(self.cancel));
        let answer = tokio::task::spawn_blocking(self.wait).await;
        guard.0 = None;
        answer.unwrap_or_else(|_| Err(EngineError::Crashed("whoever waited for it failed".to_owned())))
    }
}

/// The embedded engine in a child process.
pub struct Embedded(Arc<Inner>);

struct Inner {
    places: Places,
    /// Everything but the library, which may be installed while the host runs.
    config: PoolConfig,
    log: Arc<Log>,
    state: Mutex<State>,
    starts: AtomicU64,
    /// Ends the watcher.
    stop: Mutex<Option<Sender<()>>>,
}

#[derive(Default)]
struct State {
    pool: Option<Arc<Pool>>,
    stopped: bool,
    /// Why the last statement found no engine.
    failing: Option<String>,
}

impl Embedded {
    /// How often its processes are looked at.
    const PULSE: Duration = Duration::from_millis(250);

    /// An engine whose library is where `places` say, and everything else as in `config`. It starts with the first
    /// statement, or now if the configuration says so and there is a library.
    pub fn new(places: Places, config: PoolConfig, log: Arc<Log>) -> Self {
        let early = config.start_early;
        let (stop, stopped) = bounded(0);
        let inner = Arc::new(Inner {
            places,
            config,
            log,
            state: Mutex::new(State::default()),
            starts: AtomicU64::new(0),
            stop: Mutex::new(Some(stop)),
        });
        let watched = Arc::downgrade(&inner);
        let watcher = std::thread::Builder::new().name("engine-watch".to_owned());
        if let Err(e) = watcher.spawn(move || watch(&watched, &stopped)) {
            inner.log.event(Level::Warning, "engine-unwatched", [("why", e.to_string().into())]);
        }
        if early {
            let _ = inner.pool();
        }
        Self(inner)
    }
}

impl Inner {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn pool(&self) -> Result<Arc<Pool>, String> {
        let mut state = self.lock();
        if state.stopped {
            return Err("the host is ending".to_owned());
        }
        if let Some(pool) = &state.pool {
            return Ok(pool.clone());
        }
        let library = self.places.library()?;
        let config = PoolConfig { library: library.path().to_owned(), ..self.config.clone() };
        Ok(state.pool.insert(Arc::new(Pool::new(config))).clone())
    }

    fn note(&self, answer: &Result<Answer, EngineError>) {
        let mut state = self.lock();
        state.failing = match answer {
            Err(EngineError::Unavailable(why)) => Some(why.clone()),
            // A cancelled or late statement says nothing about the engine.
            Err(EngineError::Cancelled | EngineError::TimedOut(_)) => return,
            _ => None,
        };
    }
}

impl Engine for Embedded {
    fn submit(&self, request: Request) -> Statement {
        let pool = match self.0.pool() {
            Ok(pool) => pool,
            Err(why) => return Statement::new(move || Err(EngineError::Unavailable(why)), || ()),
        };
        let ticket = pool.submit(request);
        let canceller = ticket.canceller();
        let inner = self.0.clone();
        Statement::new(
            move || {
                let answer = ticket.wait();
                inner.note(&answer);
                answer
            },
            move || canceller.cancel(),
        )
    }

    fn health(&self) -> EngineHealth {
        let (state, message) = match (self.0.places.library(), &self.0.lock().failing) {
            (Err(why), _) => ("missing", Some(why)),
            (Ok(_), Some(why)) => ("failing", Some(why.clone())),
            (Ok(_), None) => ("", None),
        };
        let state = match state {
            "" if self.pids().is_empty() => "idle",
            "" => "running",
            other => other,
        };
        EngineHealth { kind: "embedded".to_owned(), state: state.to_owned(), message }
    }

    fn pids(&self) -> Vec<u32> {
        self.0.lock().pool.as_ref().map(|p| p.pids()).unwrap_or_default()
    }

    fn starts(&self) -> u64 {
        self.0.starts.load(Ordering::Relaxed)
    }

    fn stop(&self) {
        *self.0.stop.lock().unwrap_or_else(PoisonError::into_inner) = None;
        let pool = {
            let mut state = self.0.lock();
            state.stopped = true;
            state.pool.take()
        };
        // Its processes end here, unless somebody still submits; whoever does holds it for a moment.
        drop(pool);
    }
}

impl Drop for Embedded {
    fn drop(&mut self) {
        self.stop();
    }
}

/// Tells the log about processes that came and went, until the engine is dropped or stopped.
fn watch(inner: &Weak<Inner>, stopped: &Receiver<()>) {
    let mut known: Vec<u32> = Vec::new();
    loop {
        let Some(inner) = inner.upgrade() else { return };
        let pids = inner.lock().pool.as_ref().map(|p| p.pids()).unwrap_or_default();
        for pid in pids.iter().filter(|p| !known.contains(p)) {
            inner.starts.fetch_add(1, Ordering::Relaxed);
            inner.log.event(Level::Info, "engine-started", [("pid", (*pid).into())]);
        }
        for pid in known.iter().filter(|p| !pids.contains(p)) {
            inner.log.event(Level::Warning, "engine-ended", [("pid", (*pid).into())]);
        }
        known = pids;
        drop(inner);
        if !matches!(stopped.recv_timeout(Embedded::PULSE), Err(crossbeam_channel::RecvTimeoutError::Timeout))
        {
            return;
        }
    }
}
