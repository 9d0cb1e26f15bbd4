//! Taking back what runs on an engine.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use headwater_warehouse::{Answer, Canceller, EngineError, Ticket};
use rustc_hash::FxHashMap;

/// Takes back what runs, from any thread, on however many sessions.
#[derive(Clone, Default)]
pub struct Cancel(Arc<State>);

#[derive(Default)]
struct State {
    is_cancelled: AtomicBool,
    next: AtomicU64,
    running: Mutex<FxHashMap<u64, Canceller>>,
}

impl Cancel {
    /// Nothing to cancel yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// From here on nothing runs: neither what runs now nor what would be next.
    pub fn cancel(&self) {
        self.0.is_cancelled.store(true, Ordering::SeqCst);
        let running = std::mem::take(&mut *self.0.running.lock().unwrap_or_else(PoisonError::into_inner));
        for (_, running) in running {
            running.cancel();
        }
    }

    /// Whether somebody took it back.
    pub fn is_cancelled(&self) -> bool {
        self.0.is_cancelled.load(Ordering::SeqCst)
    }

    /// Waits for what `submit` sends to a session.
    pub(crate) fn wait(&self, submit: impl FnOnce() -> Ticket) -> Result<Answer, EngineError> {
        if self.is_cancelled() {
            return Err(EngineError::Cancelled);
        }
        let ticket = submit();
        let key = self.0.next.fetch_add(1, Ordering::Relaxed);
        let lock = || self.0.running.lock().unwrap_or_else(PoisonError::into_inner);
        lock().insert(key, ticket.canceller());
        // It may have come in between.
        if self.is_cancelled() {
            self.cancel();
        }
        let answer = ticket.wait();
        lock().remove(&key);
        if self.is_cancelled() { Err(EngineError::Cancelled) } else { answer }
    }
}
