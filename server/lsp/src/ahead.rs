//! A second pair of hands for whole-project answers.
//!
//! Two threads take the next file in turn, so that what is at hand for one file is still at hand for its neighbours, and
//! the database remembers for both what either has computed.

use std::panic::AssertUnwindSafe;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use headwater_analysis::File;
use salsa::{CancellationToken, Cancelled, Database as _};

use crate::snapshot::Snapshot;
use crate::worker::STACK;

/// Fewer files than this are answered before a thread is up.
const WORTHWHILE: usize = 64;

/// Ends the second thread when the first is done, also when it unwinds: the thread holds a clone of the database, and
/// while that lives, every write waits.
struct StopOnDrop<'a> {
    stop: &'a AtomicBool,
    /// What the second thread is in the middle of.
    work: Option<CancellationToken>,
}

impl Drop for StopOnDrop<'_> {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        // Nobody wants the answer any more, and the worker is not free before the other thread is: not behind its file, which
        // may be a large one, but behind its query.
        if std::thread::panicking()
            && let Some(work) = &self.work
        {
            work.cancel();
        }
    }
}

/// What `one` says of every file, on two threads. This one hands what there is to `meanwhile`, with its place among the
/// files; nothing is handed over twice.
pub(crate) fn each<T: Send>(
    snapshot: &Snapshot,
    files: &[File],
    one: impl Fn(&Snapshot, File) -> T + Sync,
    mut meanwhile: impl FnMut(Vec<(usize, T)>),
) {
    let next = AtomicUsize::new(0);
    let stop = AtomicBool::new(false);
    let ready: Mutex<Vec<(usize, T)>> = Mutex::default();
    let push = |item: (usize, T)| ready.lock().unwrap_or_else(PoisonError::into_inner).push(item);
    let take = || std::mem::take(&mut *ready.lock().unwrap_or_else(PoisonError::into_inner));
    // The file that the second thread has in its hands, if it did not get to the end of it.
    let unfinished: Mutex<Option<usize>> = Mutex::default();
    std::thread::scope(|scope| {
        let other = (files.len() >= WORTHWHILE).then(|| snapshot.again());
        let work = other.as_ref().map(|other| other.db.cancellation_token());
        let _stop = StopOnDrop { stop: &stop, work };
        if let Some(other) = other {
            let (one, next, stop, push, unfinished) = (&one, &next, &stop, &push, &unfinished);
            let work = move || {
                let hold = |file| *unfinished.lock().unwrap_or_else(PoisonError::into_inner) = file;
                // A write ends it early, and so does whatever a query panics with: the answering thread meets the same
                // query and reports it.
                let _ = std::panic::catch_unwind(AssertUnwindSafe(|| {
                    Cancelled::catch(AssertUnwindSafe(|| {
                        while !stop.load(Ordering::Relaxed) {
                            let n = next.fetch_add(1, Ordering::Relaxed);
                            let Some(file) = files.get(n) else { break };
                            hold(Some(n));
                            push((n, one(&other, *file)));
                            hold(None);
                        }
                    }))
                }));
            };
            // Without a thread the answer takes longer, and that is all.
            let _ = std::thread::Builder::new().stack_size(STACK).spawn_scoped(scope, work);
        }
        loop {
            let n = next.fetch_add(1, Ordering::Relaxed);
            let Some(file) = files.get(n) else { break };
            push((n, one(snapshot, *file)));
            meanwhile(take());
        }
    });
    if let Some(n) = unfinished.into_inner().unwrap_or_else(PoisonError::into_inner) {
        push((n, one(snapshot, files[n])));
    }
    meanwhile(take());
}
