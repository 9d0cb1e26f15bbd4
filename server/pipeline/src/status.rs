//! What people are told about consumers.

use std::time::Duration;

use headwater_log::Skipped;

/// What a consumer is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// The rows of a data source.
    Landing,
    /// The rows that do not fit.
    Quarantine,
    /// What views make of the rows.
    View,
}

/// How a consumer is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum State {
    /// It has nothing to do.
    Idle,
    /// It is at work.
    Working,
    /// Its last attempt failed.
    Failing {
        /// Why.
        error: String,
        /// How often, one after the other.
        attempts: u32,
        /// When it tries again.
        retry_in: Duration,
    },
}

/// A consumer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConsumerStatus {
    /// Its name.
    pub consumer: String,
    /// The physical table that it fills.
    pub table: String,
    /// The data source whose records it takes.
    pub datasource: String,
    /// The data source whose table it fills.
    pub fills: String,
    /// What it is for.
    pub kind: Kind,
    /// Everything up to this position is applied.
    pub position: u64,
    /// Records that it has not applied; `None` when the log cannot tell.
    pub lag_records: Option<u64>,
    /// How long ago the first of these was accepted.
    pub lag: Duration,
    /// The range that it is to apply next, first and last position.
    pub next: Option<(u64, u64)>,
    /// How it is.
    pub state: State,
    /// What it was told to leave out, oldest first.
    pub skipped: Vec<Skipped>,
}

/// A consumer that has not come as far as somebody waits for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lagging {
    /// Its name.
    pub consumer: String,
    /// How far it is.
    pub position: u64,
    /// Why its last attempt failed; `None` when it is only busy.
    pub why: Option<String>,
}
