//! A second pair of hands for whole-project answers.
//!
//! The database remembers what any clone of it has computed, so a thread that works through the files from the far end
//! halves the time of the one that answers from the near end.

use std::panic::AssertUnwindSafe;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::Scope;

use headwater_analysis::{Database, File, diagnostics};
use salsa::Cancelled;

use crate::worker::STACK;

/// Fewer files than this are answered before a thread is up.
const WORTHWHILE: usize = 64;

/// The flag that ends the second thread.
#[derive(Default)]
pub(crate) struct Ahead {
    stop: AtomicBool,
}

/// Ends the second thread when the first is done, also when it unwinds: the thread holds a clone of the database, and
/// while that lives, every write waits.
pub(crate) struct StopOnDrop<'a>(&'a AtomicBool);

impl Drop for StopOnDrop<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

impl Ahead {
    /// Works through `files` from the last to the first until the returned guard is dropped.
    pub(crate) fn start<'scope>(
        &'scope self,
        scope: &'scope Scope<'scope, '_>,
        db: &Database,
        files: &'scope [File],
    ) -> StopOnDrop<'scope> {
        let guard = StopOnDrop(&self.stop);
        if files.len() >= WORTHWHILE {
            let db = db.clone();
            let work = move || {
                // A write ends it early, and so does whatever a query panics with: the answering thread meets the same
                // query and reports it.
                let _ = std::panic::catch_unwind(AssertUnwindSafe(|| {
                    Cancelled::catch(AssertUnwindSafe(|| {
                        for file in files.iter().rev() {
                            if self.stop.load(Ordering::Relaxed) {
                                return;
                            }
                            diagnostics(&db, *file);
                        }
                    }))
                }));
            };
            // Without a thread the answer takes longer, and that is all.
            let _ = std::thread::Builder::new().stack_size(STACK).spawn_scoped(scope, work);
        }
        guard
    }
}
