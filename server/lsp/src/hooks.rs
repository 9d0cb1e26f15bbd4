//! Places where a test may stop the server, and faults that it may have.

use std::collections::BTreeMap;
#[cfg(feature = "testing")]
use std::collections::BTreeSet;
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
    #[cfg(feature = "testing")]
    faults: Mutex<BTreeSet<Fault>>,
}

/// Something that a server forgets, for tests of tests. Built into no server that people use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Fault {
    /// Every fifth version of a document does not reach the database.
    LostEdit,
    /// A document that is closed keeps the editor's text.
    ClosedTextStays,
    /// A file that is gone from the disk stays in the project.
    GoneFileStays,
    /// `headwater.toml` is read once.
    ConfigurationStays,
    /// The baseline stays at the first commit.
    BaselineStays,
    /// Differences of semantic tokens begin at an older list than the client's.
    OldWords,
}

impl Fault {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::LostEdit,
        Self::ClosedTextStays,
        Self::GoneFileStays,
        Self::ConfigurationStays,
        Self::BaselineStays,
        Self::OldWords,
    ];
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

    /// From now on the server has this fault.
    #[cfg(feature = "testing")]
    pub fn plant(&self, fault: Fault) {
        if let Some(shared) = &self.0 {
            shared.faults.lock().unwrap_or_else(PoisonError::into_inner).insert(fault);
        }
    }

    /// Whether the server has this fault.
    #[cfg(feature = "testing")]
    pub(crate) fn has(&self, fault: Fault) -> bool {
        let planted = |shared: &Arc<Shared>| {
            shared.faults.lock().unwrap_or_else(PoisonError::into_inner).contains(&fault)
        };
        self.0.as_ref().is_some_and(planted)
    }

    /// No server that people use has a fault that was planted.
    #[cfg(not(feature = "testing"))]
    #[allow(clippy::unused_self, reason = "the other one asks")]
    pub(crate) const fn has(&self, _: Fault) -> bool {
        false
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
