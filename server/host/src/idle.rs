//! When a host may end by itself: it was started on demand, nobody has asked anything for a while, nothing is being
//! answered, and nothing holds it.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::clock::Clock;

/// What goes on in a host.
pub struct Activity {
    clock: Arc<dyn Clock>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    running: u64,
    last: Duration,
    holds: BTreeMap<&'static str, u64>,
}

impl Activity {
    /// Nothing yet.
    pub fn new(clock: Arc<dyn Clock>) -> Arc<Self> {
        let state = State { last: clock.elapsed(), ..State::default() };
        Arc::new(Self { clock, state: Mutex::new(state) })
    }

    /// A request is being answered until the guard is dropped.
    pub fn request(self: &Arc<Self>) -> Running {
        let mut state = self.lock();
        state.running += 1;
        state.last = self.clock.elapsed();
        Running(self.clone())
    }

    /// Something needs the host until the guard is dropped: a listener, a schedule, a deployment, a fed chain.
    pub fn hold(self: &Arc<Self>, why: &'static str) -> Hold {
        *self.lock().holds.entry(why).or_default() += 1;
        Hold { activity: self.clone(), why }
    }

    /// How many requests are being answered.
    pub fn running(&self) -> u64 {
        self.lock().running
    }

    /// What holds the host.
    pub fn holds(&self) -> Vec<String> {
        self.lock().holds.keys().map(|why| (*why).to_owned()).collect()
    }

    /// Whether nothing has gone on for `silence`.
    pub fn is_idle(&self, silence: Duration) -> bool {
        let state = self.lock();
        state.running == 0
            && state.holds.is_empty()
            && self.clock.elapsed().saturating_sub(state.last) >= silence
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// See [`Activity::request`].
pub struct Running(Arc<Activity>);

impl Drop for Running {
    fn drop(&mut self) {
        let mut state = self.0.lock();
        state.running -= 1;
        state.last = self.0.clock.elapsed();
    }
}

/// See [`Activity::hold`].
pub struct Hold {
    activity: Arc<Activity>,
    why: &'static str,
}

impl Drop for Hold {
    fn drop(&mut self) {
        let mut state = self.activity.lock();
        if let Some(count) = state.holds.get_mut(self.why) {
            *count -= 1;
            if *count == 0 {
                state.holds.remove(self.why);
            }
        }
        state.last = self.activity.clock.elapsed();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering};

    use super::*;

    #[derive(Default)]
    struct Hand(AtomicU64);

    impl Clock for Hand {
        fn unix_millis(&self) -> i64 {
            0
        }
        fn elapsed(&self) -> Duration {
            Duration::from_secs(self.0.load(Ordering::Relaxed))
        }
    }

    #[test]
    fn silence_counts_from_the_end_of_what_went_on() {
        let clock = Arc::new(Hand::default());
        let activity = Activity::new(clock.clone());
        let idle = || activity.is_idle(Duration::from_secs(10));
        let to = |seconds| clock.0.store(seconds, Ordering::Relaxed);
        assert!(!idle());
        to(10);
        assert!(idle());
        let request = activity.request();
        to(100);
        assert!(!idle());
        drop(request);
        to(109);
        assert!(!idle());
        to(110);
        assert!(idle());
        let (hold, same) = (activity.hold("listener"), activity.hold("listener"));
        drop(same);
        assert_eq!(activity.holds(), ["listener"]);
        to(1000);
        assert!(!idle());
        drop(hold);
        assert!(!idle() && activity.holds().is_empty());
        to(1010);
        assert!(idle());
    }
}
