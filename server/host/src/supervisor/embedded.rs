//! The embedded engine, in a child process over the data folder.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, bounded};
use headwater_warehouse::{
    EngineError, Places, PoolConfig, Request, Store, StoreConfig, StoreError, Warehouse,
};

use super::{Engine, Pulse, Statement};
use crate::log::{Level, Log};
use crate::protocol::EngineHealth;

/// The embedded engine in a child process.
pub struct Embedded(Arc<Inner>);

struct Inner {
    places: Places,
    /// Everything but the library, which may be installed while the host runs.
    config: PoolConfig,
    path: PathBuf,
    log: Arc<Log>,
    /// Held while the data is being opened, by one statement; others wait for it.
    opening: Mutex<Option<Instant>>,
    state: Mutex<State>,
    starts: AtomicU64,
    pulse: Pulse,
    /// Ends the watcher.
    stop: Mutex<Option<Sender<()>>>,
}

#[derive(Default)]
struct State {
    store: Option<Arc<Store>>,
    stopped: bool,
}

impl Embedded {
    /// How often its processes are looked at.
    const PULSE: Duration = Duration::from_millis(250);
    /// Connections that read.
    const READERS: usize = 4;
    /// How long what failed to open is not opened again.
    const PAUSE: Duration = Duration::from_millis(500);

    /// An engine over the data in `path`, whose library is where `places` say, and everything else as in `config`. It
    /// starts with the first statement, or now if the configuration says so.
    pub fn new(places: Places, config: PoolConfig, path: PathBuf, log: Arc<Log>) -> Self {
        let early = config.start_early;
        let (stop, stopped) = bounded(0);
        let inner = Arc::new(Inner {
            places,
            config,
            path,
            log,
            opening: Mutex::new(None),
            state: Mutex::new(State::default()),
            starts: AtomicU64::new(0),
            pulse: Pulse::default(),
            stop: Mutex::new(Some(stop)),
        });
        let watched = Arc::downgrade(&inner);
        inner.spawn("engine-watch", move || watch(&watched, &stopped));
        if early {
            let opener = inner.clone();
            inner.spawn("engine-open", move || {
                let opened = opener.store();
                opener.pulse.note(&opened);
            });
        }
        Self(inner)
    }
}

impl Inner {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn spawn(&self, name: &str, run: impl FnOnce() + Send + 'static) {
        if let Err(e) = std::thread::Builder::new().name(name.to_owned()).spawn(run) {
            self.log.event(
                Level::Warning,
                "no-thread",
                [("name", name.into()), ("why", e.to_string().into())],
            );
        }
    }

    /// What is open, without opening it.
    fn open_store(&self) -> Result<Option<Arc<Store>>, EngineError> {
        let state = self.lock();
        if state.stopped {
            return Err(EngineError::Unavailable("the host is ending".to_owned()));
        }
        Ok(state.store.clone())
    }

    /// The data, opened if it is not. Blocks while it is.
    fn store(&self) -> Result<Arc<Store>, EngineError> {
        if let Some(store) = self.open_store()? {
            return Ok(store);
        }
        let mut failed = self.opening.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(store) = self.open_store()? {
            return Ok(store);
        }
        let library = self.places.library().map_err(EngineError::Unavailable)?;
        if let (Some(at), Some(why)) = (*failed, self.pulse.failing())
            && at.elapsed() < Embedded::PAUSE
        {
            return Err(EngineError::Unavailable(why));
        }
        let pool = PoolConfig { library: library.path().to_owned(), ..self.config.clone() };
        let mut config = StoreConfig::new(pool, &self.path);
        config.readers = Embedded::READERS;
        // What consumers need of it, and the check of what a crash left.
        headwater_pipeline::prepare(&mut config);
        let store = match Store::open(config) {
            Ok(store) => Arc::new(store),
            Err(error) => {
                *failed = Some(Instant::now());
                self.log.event(Level::Error, "engine-not-open", [("why", error.to_string().into())]);
                return Err(match error {
                    StoreError::Engine(error) => error,
                    other => EngineError::Unavailable(other.to_string()),
                });
            }
        };
        *failed = None;
        let mut state = self.lock();
        if state.stopped {
            return Err(EngineError::Unavailable("the host is ending".to_owned()));
        }
        Ok(state.store.insert(store).clone())
    }
}

/// Where consumers send what changes tables: opened when it is not.
impl headwater_pipeline::Tables for Embedded {
    fn warehouse(&self) -> Result<Warehouse, EngineError> {
        let store = self.0.store();
        self.0.pulse.note(&store);
        Ok(store?.writers().clone())
    }
}

impl Engine for Embedded {
    fn submit(&self, request: Request) -> Statement {
        let inner = self.0.clone();
        let noted = self.0.clone();
        let statement = Statement::of(move || Ok(inner.store()?.readers().submit(request)));
        Statement {
            wait: Box::new(move || {
                let answer = (statement.wait)();
                noted.pulse.note(&answer);
                answer
            }),
            cancel: statement.cancel,
        }
    }

    fn health(&self) -> EngineHealth {
        let (state, message) = match (self.0.places.library(), self.0.pulse.failing()) {
            (Err(why), _) => ("missing", Some(why)),
            (Ok(_), Some(why)) => ("failing", Some(why)),
            (Ok(_), None) if self.pids().is_empty() => ("idle", None),
            (Ok(_), None) => ("running", None),
        };
        let unconfined = self.0.lock().store.as_ref().and_then(|s| s.unconfined());
        EngineHealth { kind: "embedded".to_owned(), state: state.to_owned(), message, unconfined }
    }

    fn pids(&self) -> Vec<u32> {
        self.0.lock().store.as_ref().map(|s| s.pids()).unwrap_or_default()
    }

    fn starts(&self) -> u64 {
        self.0.starts.load(Ordering::Relaxed)
    }

    fn stop(&self) {
        *self.0.stop.lock().unwrap_or_else(PoisonError::into_inner) = None;
        let store = {
            let mut state = self.0.lock();
            state.stopped = true;
            state.store.take()
        };
        // The data is closed here, unless a statement still holds it: it is about to be cancelled.
        drop(store);
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
        let pids = inner.lock().store.as_ref().map(|s| s.pids()).unwrap_or_default();
        for pid in pids.iter().filter(|p| !known.contains(p)) {
            inner.starts.fetch_add(1, Ordering::Relaxed);
            inner.log.event(Level::Info, "engine-started", [("pid", (*pid).into())]);
        }
        for pid in known.iter().filter(|p| !pids.contains(p)) {
            inner.log.event(Level::Warning, "engine-ended", [("pid", (*pid).into())]);
        }
        known = pids;
        drop(inner);
        if !matches!(stopped.recv_timeout(Embedded::PULSE), Err(RecvTimeoutError::Timeout)) {
            return;
        }
    }
}
