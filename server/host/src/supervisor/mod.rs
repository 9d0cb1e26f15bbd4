//! The engine child: found, started, watched, replaced. The door asks through [`Engine`] and never notices more of a crash
//! than one failed statement.

mod embedded;
mod server;

use std::sync::{Arc, Mutex, PoisonError};

use headwater_warehouse::{Answer, Canceller, EngineError, Request, Ticket};

use crate::protocol::EngineHealth;

pub use embedded::Embedded;
pub use server::Server;

/// What runs statements.
pub trait Engine: Send + Sync {
    /// Queues a statement that only reads. Does not block.
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

    /// One whose `submit` may block, for an engine that has to be started first.
    fn of(submit: impl FnOnce() -> Result<Ticket, EngineError> + Send + 'static) -> Self {
        #[derive(Default)]
        struct Cell {
            is_cancelled: bool,
            canceller: Option<Canceller>,
        }
        let cell = Arc::new(Mutex::new(Cell::default()));
        let cancelled = cell.clone();
        let wait = move || {
            if cell.lock().unwrap_or_else(PoisonError::into_inner).is_cancelled {
                return Err(EngineError::Cancelled);
            }
            let ticket = submit()?;
            {
                let mut cell = cell.lock().unwrap_or_else(PoisonError::into_inner);
                if cell.is_cancelled {
                    return Err(EngineError::Cancelled);
                }
                cell.canceller = Some(ticket.canceller());
            }
            ticket.wait()
        };
        let cancel = move || {
            let mut cell = cancelled.lock().unwrap_or_else(PoisonError::into_inner);
            cell.is_cancelled = true;
            if let Some(canceller) = &cell.canceller {
                canceller.cancel();
            }
        };
        Self::new(wait, cancel)
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

/// What the last statements say about an engine.
#[derive(Debug, Default)]
struct Pulse(Mutex<Option<String>>);

impl Pulse {
    /// Notes what an answer says: only that there is no engine is a fault of the engine.
    fn note<T>(&self, answer: &Result<T, EngineError>) {
        let mut failing = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *failing = match answer {
            Err(EngineError::Unavailable(why)) => Some(why.clone()),
            // A cancelled or late statement says nothing about the engine.
            Err(EngineError::Cancelled | EngineError::TimedOut(_)) => return,
            _ => None,
        };
    }

    fn failing(&self) -> Option<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
