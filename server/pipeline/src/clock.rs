//! Time and chance, passed in so that tests decide about both.

use std::time::Duration;

/// What time it is.
pub trait Clock: Send + Sync {
    /// Milliseconds since 1970, as people have them: it may jump.
    fn unix_millis(&self) -> u64;
    /// Time since some moment, never going back.
    fn elapsed(&self) -> Duration;
}

/// Numbers that nobody can guess.
pub trait Entropy: Send + Sync {
    /// The next one.
    fn random(&self) -> u64;
}
