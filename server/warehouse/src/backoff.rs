//! When a worker that died may be started again. No clock of its own.

use std::time::{Duration, Instant};

/// Deaths in a row without one answer in between.
#[derive(Debug, Default)]
pub(crate) struct Backoff {
    deaths: u32,
    not_before: Option<Instant>,
}

impl Backoff {
    /// This many restarts in a row come at once.
    const FREE: u32 = 3;
    const FIRST: Duration = Duration::from_millis(200);
    const MOST: Duration = Duration::from_secs(10);

    /// A statement was answered: all is well.
    pub(crate) fn answered(&mut self) {
        *self = Self::default();
    }

    /// The worker died at `now`.
    pub(crate) fn died(&mut self, now: Instant) {
        self.deaths += 1;
        if self.deaths > Self::FREE {
            let doublings = (self.deaths - Self::FREE - 1).min(10);
            self.not_before = Some(now + (Self::FIRST * 2u32.pow(doublings)).min(Self::MOST));
        }
    }

    /// The worker said itself that it cannot work: starting it again at once would say the same.
    pub(crate) fn hopeless(&mut self, now: Instant) {
        self.deaths = self.deaths.max(Self::FREE);
        self.died(now);
    }

    /// How long to wait at `now`; zero when it may start.
    pub(crate) fn wait(&self, now: Instant) -> Duration {
        self.not_before.map_or(Duration::ZERO, |t| t.saturating_duration_since(now))
    }

    pub(crate) fn deaths(&self) -> u32 {
        self.deaths
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_at_once_then_slower_until_an_answer() {
        let now = Instant::now();
        let mut backoff = Backoff::default();
        let mut waits = Vec::new();
        for _ in 0..12 {
            backoff.died(now);
            waits.push(backoff.wait(now).as_millis());
        }
        assert_eq!(waits, [0, 0, 0, 200, 400, 800, 1600, 3200, 6400, 10000, 10000, 10000]);
        assert_eq!(backoff.wait(now + Duration::from_secs(11)), Duration::ZERO);
        backoff.answered();
        assert_eq!(backoff.wait(now), Duration::ZERO);
        backoff.hopeless(now);
        assert_eq!(backoff.wait(now).as_millis(), 200);
    }
}
