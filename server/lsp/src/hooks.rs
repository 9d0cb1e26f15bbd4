//! Places where a test may stop the server.

use std::collections::BTreeMap;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Named hold points, handed in with the [`Options`](crate::Options) and never global. By default nothing is held.
///
/// A worker stops at the point named like the request's method, with its snapshot alive, and behaves there like a slow
/// but well-behaved query: it leaves as soon as salsa cancels it.
#[derive(Clone, Debug, Default)]
pub struct TestHooks(Option<Arc<Shared>>);

#[derive(Debug, Default)]
struct Shared {
    points: Mutex<BTreeMap<String, Point>>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct Point {
    held: bool,
    waiting: usize,
}

impl TestHooks {
    /// Hooks that can hold.
    pub fn new() -> Self {
        Self(Some(Arc::default()))
    }

    /// From now on requests of this method stop.
    pub fn hold(&self, point: &str) {
        self.change(|points| points.entry(point.to_owned()).or_default().held = true);
    }

    /// Lets them go on, and later ones pass.
    pub fn release(&self, point: &str) {
        self.change(|points| points.entry(point.to_owned()).or_default().held = false);
    }

    /// Waits until this many requests stand at the point. Says whether they do, after at most five seconds.
    pub fn wait_for(&self, point: &str, count: usize) -> bool {
        let Some(shared) = &self.0 else { return count == 0 };
        let waiting = |points: &mut BTreeMap<String, Point>| points.get(point).map_or(0, |p| p.waiting) < count;
        let lock = shared.lock();
        let (_lock, timeout) = shared
            .changed
            .wait_timeout_while(lock, Duration::from_secs(5), waiting)
            .unwrap_or_else(PoisonError::into_inner);
        !timeout.timed_out()
    }

    /// Stops here while the point is held. `check` runs every millisecond and may unwind.
    pub(crate) fn pass(&self, point: &str, check: impl Fn()) {
        let Some(shared) = &self.0 else { return };
        if !shared.lock().get(point).is_some_and(|p| p.held) {
            return;
        }
        // Counts itself out also when `check` unwinds.
        struct Waiting<'a>(&'a TestHooks, &'a str);
        impl Drop for Waiting<'_> {
            fn drop(&mut self) {
                self.0.change(|points| points.entry(self.1.to_owned()).or_default().waiting -= 1);
            }
        }
        self.change(|points| points.entry(point.to_owned()).or_default().waiting += 1);
        let _waiting = Waiting(self, point);
        while shared.lock().get(point).is_some_and(|p| p.held) {
            check();
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    fn change(&self, f: impl FnOnce(&mut BTreeMap<String, Point>)) {
        if let Some(shared) = &self.0 {
            f(&mut shared.lock());
            shared.changed.notify_all();
        }
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Point>> {
        self.points.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
