//! The cursors, shared by the threads of consumers. Those that finish at the same time share one `fsync`.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use headwater_log::{AppendError, Consumer, Cursors, Range};

pub(crate) struct Ledger {
    cursors: Mutex<Cursors>,
    /// Who has finished and is not noted.
    finished: Mutex<Vec<Finished>>,
    /// Counts what has moved.
    moves: Mutex<u64>,
    moved: Condvar,
}

struct Finished {
    consumer: Consumer,
    noted: Arc<OnceLock<Result<(), AppendError>>>,
}

impl Ledger {
    pub(crate) fn new(cursors: Cursors) -> Self {
        Self {
            cursors: Mutex::new(cursors),
            finished: Mutex::default(),
            moves: Mutex::new(0),
            moved: Condvar::new(),
        }
    }

    /// The cursors, for questions and for what is seldom.
    pub(crate) fn cursors(&self) -> MutexGuard<'_, Cursors> {
        self.cursors.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The range that a consumer is to apply next.
    pub(crate) fn next(&self, consumer: &str) -> Option<Range> {
        self.cursors().progress(consumer)?.declared
    }

    pub(crate) fn applied(&self, consumer: &str) -> u64 {
        self.cursors().progress(consumer).map_or(0, |progress| progress.applied)
    }

    /// Says durably what comes next for these.
    pub(crate) fn declare(&self, consumers: &[Consumer], range: Range) -> Result<(), AppendError> {
        self.cursors().declare_for(consumers, range)?;
        self.wake();
        Ok(())
    }

    /// A consumer's range is applied, and that is durable when this returns.
    pub(crate) fn finish(&self, consumer: &Consumer) -> Result<(), AppendError> {
        let noted = Arc::new(OnceLock::new());
        let finished = || self.finished.lock().unwrap_or_else(PoisonError::into_inner);
        finished().push(Finished { consumer: consumer.clone(), noted: noted.clone() });
        let mut cursors = self.cursors();
        // Whoever held the cursors meanwhile may have noted this one too.
        let all = std::mem::take(&mut *finished());
        if !all.is_empty() {
            let names: Vec<Consumer> = all.iter().map(|one| one.consumer.clone()).collect();
            let result = cursors.applied_all(&names);
            for one in all {
                let _ = one.noted.set(result.clone());
            }
        }
        drop(cursors);
        self.wake();
        noted.get().cloned().unwrap_or(Err(AppendError::Closed))
    }

    /// Tells everybody who waits that something has moved.
    pub(crate) fn wake(&self) {
        *self.moves.lock().unwrap_or_else(PoisonError::into_inner) += 1;
        self.moved.notify_all();
    }

    /// What has moved so far: to be asked before one looks, so that no move is missed between looking and waiting.
    pub(crate) fn moves(&self) -> u64 {
        *self.moves.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until something has moved since, at most so long.
    pub(crate) fn wait(&self, since: u64, at_most: Duration) {
        let moves = self.moves.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = self.moved.wait_timeout_while(moves, at_most, |moves| *moves == since);
        drop(waited);
    }
}
