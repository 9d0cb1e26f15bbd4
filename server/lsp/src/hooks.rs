//! Places where a test may stop the server.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
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
}

#[derive(Debug, Default)]
struct Point {
    held: bool,
    panics: bool,
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

    /// The next request of this method panics, like a bug would.
    pub fn panic_once(&self, point: &str) {
        self.change(|points| points.entry(point.to_owned()).or_default().panics = true);
    }

    /// Waits until this many requests stand at the point. Says whether they do, after at most five seconds.
    pub async fn wait_for(&self, point: &str, count: usize) -> bool {
        let Some(shared) = &self.0 else { return count == 0 };
        for _ in 0..5000 {
            if shared.lock().get(point).map_or(0, |p| p.waiting) >= count {
                return true;
            }
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        false
    }

    /// Stops here while the point is held. `check` runs every millisecond and may unwind.
    pub(crate) fn pass(&self, point: &str, check: impl Fn()) {
        let Some(shared) = &self.0 else { return };
        let panics = shared.lock().get_mut(point).is_some_and(|p| std::mem::take(&mut p.panics));
        assert!(!panics, "a test asked for it");
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
        }
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Point>> {
        self.points.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
