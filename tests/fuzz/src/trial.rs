//! One attempt: runs code on an input and says how it failed, if it did.

use std::any::Any;
use std::cell::RefCell;
use std::hash::{BuildHasher, Hash};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Mutex, Once, PoisonError};

use rustc_hash::{FxBuildHasher, FxHashSet};

/// What an input made the code under test do, as far as the outside shows: kinds of nodes and errors that met. An input
/// that shows something new joins the corpus.
#[derive(Debug, Default)]
pub struct Trace {
    seen: FxHashSet<u64>,
}

impl Trace {
    /// Notes one observation.
    pub fn saw(&mut self, what: impl Hash) {
        self.seen.insert(FxBuildHasher.hash_one(what));
    }

    /// Moves the observations into `all`; true when one of them was new there.
    pub fn merge_into(self, all: &mut FxHashSet<u64>) -> bool {
        let before = all.len();
        all.extend(self.seen);
        all.len() > before
    }
}

/// How an attempt failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// File and line of the panic: what makes two failures the same one.
    pub place: String,
    /// Its message.
    pub message: String,
}

thread_local! {
    /// The last panic of this thread, while a trial runs in it.
    static LAST: RefCell<Option<Failure>> = const { RefCell::new(None) };
    static TRYING: RefCell<bool> = const { RefCell::new(false) };
}

/// Panics of the server's own threads, which a trial in another thread never sees unwinding.
static ELSEWHERE: Mutex<Vec<Failure>> = Mutex::new(Vec::new());

/// Panics of threads whose name starts so are collected for [`panics_elsewhere`].
const SERVER_THREADS: &str = "headwater-";

fn install_hook() {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            let place = info.location().map_or_else(String::new, |l| format!("{}:{}", l.file(), l.line()));
            let message = message_of(info.payload());
            let failure = Failure { place, message };
            let is_server = std::thread::current().name().is_some_and(|n| n.starts_with(SERVER_THREADS));
            if is_server {
                ELSEWHERE.lock().unwrap_or_else(PoisonError::into_inner).push(failure);
            } else if TRYING.with_borrow(|t| *t) {
                LAST.set(Some(failure));
            } else {
                before(info);
            }
        }));
    });
}

fn message_of(payload: &dyn Any) -> String {
    let text = payload.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| payload.downcast_ref::<String>().cloned()).unwrap_or_else(|| "no message".into())
}

/// Runs `attempt`; a panic in it is the failure.
///
/// # Errors
/// Where it panicked, and with what message.
pub fn trial<T>(attempt: impl FnOnce() -> T) -> Result<T, Failure> {
    install_hook();
    let outer = TRYING.replace(true);
    let result = catch_unwind(AssertUnwindSafe(attempt));
    TRYING.set(outer);
    result.map_err(|_| {
        let unknown = || Failure { place: "unknown".into(), message: "no message".into() };
        LAST.take().unwrap_or_else(unknown)
    })
}

/// Takes the panics that the server's threads had since the last call.
pub fn panics_elsewhere() -> Vec<Failure> {
    install_hook();
    std::mem::take(&mut ELSEWHERE.lock().unwrap_or_else(PoisonError::into_inner))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_a_failure_with_a_place() {
        assert_eq!(trial(|| 1), Ok(1));
        let failure = trial(|| panic!("as {}", "asked")).expect_err("it panicked");
        assert_eq!(failure.message, "as asked");
        assert!(failure.place.contains("trial.rs:"), "{}", failure.place);
    }

    #[test]
    fn only_new_observations_count() {
        let mut all = FxHashSet::default();
        let trace = |n: u8| {
            let mut trace = Trace::default();
            trace.saw(n);
            trace
        };
        assert!(trace(1).merge_into(&mut all));
        assert!(!trace(1).merge_into(&mut all));
        assert!(trace(2).merge_into(&mut all));
    }
}
