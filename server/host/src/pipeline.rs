//! What the door needs of whoever keeps rows: the live release, and a way to the first one.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;

use crate::project::ProjectFiles;

/// The release that requests see.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Live {
    /// The project that it was made of.
    pub files: Arc<ProjectFiles>,
    /// Its name: a hash of these files.
    pub id: String,
    /// The database of its tables.
    pub database: String,
    /// What tables are called there, by the names of the project.
    pub tables: Arc<BTreeMap<String, String>>,
}

/// Why a release was not installed. Nothing has changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum InstallError {
    /// It would change what is there.
    Refused(String),
    /// Its tables cannot be made; the engine's words, or ours.
    Failed(String),
    /// There is no engine, or it cannot be reached.
    Unavailable(String),
}

impl fmt::Display for InstallError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused(why) | Self::Failed(why) | Self::Unavailable(why) => f.write_str(why),
        }
    }
}

impl std::error::Error for InstallError {}

/// How rows are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RowFormat {
    /// Objects, one a line; one object, or a list of them, over several lines too.
    Ndjson,
    /// Comma-separated values; the first line may name the columns.
    Csv,
}

/// What happens to rows that are there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RowEffect {
    /// All go.
    Truncate,
    /// Those go for which the expression holds.
    Delete(String),
}

/// What became of rows.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Accepted {
    /// Where they stand in the log.
    pub position: u64,
    /// Rows that fit.
    pub rows: u64,
    /// Rows that do not, and were put aside.
    pub quarantined: u64,
    /// Why, as far as it is told.
    pub verdicts: Vec<RowVerdict>,
    /// They had been accepted before, under the same key.
    pub repeated: bool,
}

/// Why a row does not fit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RowVerdict {
    /// Its line, from 1.
    pub line: usize,
    /// The column; `None` when it is the row as a whole.
    pub column: Option<String>,
    /// Why.
    pub reason: String,
}

/// Why rows are not accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AcceptError {
    /// There is no release, or no such data source in it.
    Missing(String),
    /// The request makes no sense.
    Invalid(String),
    /// Not now: there is no room, or the disk does not work. Nothing was kept.
    Busy(String),
    /// Whether they were kept, nobody knows; sent again under the same key they are kept once.
    Unsure(String),
}

impl fmt::Display for AcceptError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing(why) | Self::Invalid(why) | Self::Busy(why) | Self::Unsure(why) => f.write_str(why),
        }
    }
}

impl std::error::Error for AcceptError {}

/// A consumer as status pages show it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ConsumerInfo {
    /// Its name.
    pub consumer: String,
    /// The data source whose rows it takes.
    pub datasource: String,
    /// The data source that it fills.
    pub fills: String,
    /// `landing`, `quarantine`, `view`.
    pub kind: String,
    /// How far it is.
    pub position: u64,
    /// Records that it has not applied, where that is known.
    pub lag_records: Option<u64>,
    /// How old the first of them is, in seconds.
    pub lag_seconds: u64,
    /// The range that it is to apply next, first and last position.
    pub next: Option<(u64, u64)>,
    /// `idle`, `working`, `failing`.
    pub state: String,
    /// Why it fails.
    pub error: Option<String>,
}

/// Keeps rows. Methods may block, and are called where that is fine.
pub trait Pipeline: Send + Sync {
    /// The live release, if there is one.
    fn live(&self) -> Option<Arc<Live>>;

    /// Makes the tables of a project and makes it live: the first one, or one with the tables and views of the one that is.
    ///
    /// # Errors
    ///
    /// See [`InstallError`].
    fn install(&self, files: Arc<ProjectFiles>) -> Result<Arc<Live>, InstallError>;

    /// Takes rows for a data source. What it answers is durable.
    ///
    /// # Errors
    ///
    /// See [`AcceptError`].
    fn accept(
        &self,
        source: &str,
        bytes: Vec<u8>,
        format: RowFormat,
        key: Option<&str>,
    ) -> Result<Accepted, AcceptError>;

    /// Takes rows away: those that were accepted before.
    ///
    /// # Errors
    ///
    /// See [`AcceptError`].
    fn effect(&self, source: &str, effect: RowEffect) -> Result<Accepted, AcceptError>;

    /// Waits until all that a data source feeds has applied everything up to a position, and says who has not when time is
    /// up: consumers, and why they fail.
    ///
    /// # Errors
    ///
    /// See [`AcceptError`].
    fn wait(
        &self,
        source: &str,
        position: u64,
        at_most: Duration,
    ) -> Result<Vec<(String, Option<String>)>, AcceptError>;

    /// How the consumers are.
    fn consumers(&self) -> Vec<ConsumerInfo>;

    /// Has a consumer leave out the range that it stands before, for this reason.
    ///
    /// # Errors
    ///
    /// Why it does not, for people.
    fn skip(&self, consumer: &str, range: (u64, u64), reason: &str) -> Result<(), String>;

    /// Ends what goes on in the background. Nothing is accepted any more.
    fn stop(&self) {}
}

/// A host that keeps no rows.
#[derive(Debug, Default)]
pub struct NoPipeline;

const KEEPS_NONE: &str =
    "this host keeps no rows of its own: data in a ClickHouse server is read, and not written";

impl Pipeline for NoPipeline {
    fn live(&self) -> Option<Arc<Live>> {
        None
    }

    fn install(&self, _: Arc<ProjectFiles>) -> Result<Arc<Live>, InstallError> {
        Err(InstallError::Refused(KEEPS_NONE.to_owned()))
    }

    fn accept(&self, _: &str, _: Vec<u8>, _: RowFormat, _: Option<&str>) -> Result<Accepted, AcceptError> {
        Err(AcceptError::Missing(KEEPS_NONE.to_owned()))
    }

    fn effect(&self, _: &str, _: RowEffect) -> Result<Accepted, AcceptError> {
        Err(AcceptError::Missing(KEEPS_NONE.to_owned()))
    }

    fn wait(&self, _: &str, _: u64, _: Duration) -> Result<Vec<(String, Option<String>)>, AcceptError> {
        Err(AcceptError::Missing(KEEPS_NONE.to_owned()))
    }

    fn consumers(&self) -> Vec<ConsumerInfo> {
        Vec::new()
    }

    fn skip(&self, _: &str, _: (u64, u64), _: &str) -> Result<(), String> {
        Err(KEEPS_NONE.to_owned())
    }
}
