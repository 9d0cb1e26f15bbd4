//! What can go wrong, and what to do then.

use std::fmt;

use headwater_log::{AppendError, LogError};

use crate::status::Lagging;

/// The pipeline cannot be opened.
#[derive(Debug)]
pub enum OpenError {
    /// The log, its cursors, or the journal of releases.
    Log(LogError),
    /// The journal holds what this version does not read.
    Release(String),
    /// The system gives no threads.
    Threads(std::io::Error),
}

impl From<LogError> for OpenError {
    fn from(error: LogError) -> Self {
        Self::Log(error)
    }
}

impl fmt::Display for OpenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Log(error) => error.fmt(f),
            Self::Release(why) => {
                write!(f, "the release in the journal cannot be read ({why}); use the version that wrote it")
            }
            Self::Threads(error) => write!(f, "no thread can be started: {error}"),
        }
    }
}

impl std::error::Error for OpenError {}

/// A release is not installed.
#[derive(Debug)]
pub enum InstallError {
    /// There is another one.
    Different(String),
    /// The engine refuses something of it: what, and its words.
    Refused(String),
    /// There is no engine, or it went away.
    Engine(String),
    /// It cannot be noted durably.
    Journal(AppendError),
}

impl fmt::Display for InstallError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Different(what) => write!(
                f,
                "another release is live, and this one changes {what}; changing tables is the work of a deployment"
            ),
            Self::Refused(why) | Self::Engine(why) => f.write_str(why),
            Self::Journal(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for InstallError {}

/// Rows or an effect are not accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AcceptError {
    /// No release is live.
    NoRelease,
    /// The release has no such data source.
    Unknown(String),
    /// The request makes no sense: why.
    Invalid(String),
    /// The log does not take it.
    Log(AppendError),
}

impl From<AppendError> for AcceptError {
    fn from(error: AppendError) -> Self {
        Self::Log(error)
    }
}

impl fmt::Display for AcceptError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoRelease => f.write_str("nothing is deployed here yet; deploy a project first"),
            Self::Unknown(name) => write!(f, "the project has no data source `{name}`"),
            Self::Invalid(why) => f.write_str(why),
            Self::Log(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for AcceptError {}

/// A range is not skipped.
#[derive(Debug)]
pub enum SkipError {
    /// There is no such consumer.
    Unknown(String),
    /// It is not that range which the consumer stands before.
    NotNext(String),
    /// Its rows cannot be put into the quarantine.
    Quarantine(String),
    /// It cannot be noted durably.
    Journal(AppendError),
}

impl fmt::Display for SkipError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown(name) => write!(f, "there is no consumer `{name}`; see the status for their names"),
            Self::NotNext(why) => f.write_str(why),
            Self::Quarantine(why) => write!(f, "its rows cannot be put into the quarantine: {why}"),
            Self::Journal(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for SkipError {}

/// How waiting for a position ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Waited {
    /// Every consumer of the data source has applied everything up to there.
    Applied,
    /// Time was up; these have not.
    Lagging(Vec<Lagging>),
}
