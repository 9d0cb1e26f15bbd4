//! What can go wrong, and what to do then.

use std::io;

/// The log, a journal or the cursors cannot be opened or read.
#[derive(Debug)]
#[non_exhaustive]
pub enum LogError {
    /// Another process has the folder open.
    Taken,
    /// The disk said no.
    Io {
        /// The file.
        file: String,
        /// What it said.
        error: io::Error,
    },
    /// Bytes that were durable are not what was written.
    Damaged {
        /// The file.
        file: String,
        /// Where in it.
        offset: u64,
        /// What is wrong.
        what: &'static str,
    },
    /// The records of these positions are in no file.
    Lost {
        /// The first position that is missing.
        from: u64,
        /// The last one.
        to: u64,
    },
    /// A file was written by a version that this one does not know.
    Unknown {
        /// The file.
        file: String,
        /// The version in it.
        version: u16,
    },
    /// What is asked for was let go by retention.
    Gone {
        /// The oldest position that is still there.
        oldest: u64,
    },
}

impl LogError {
    pub(crate) fn io(file: &str, error: io::Error) -> Self {
        Self::Io { file: file.into(), error }
    }
}

impl std::fmt::Display for LogError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Taken => {
                f.write_str("another process has this folder open; stop it first, or ask it instead")
            }
            Self::Io { file, error } => write!(f, "{file}: {error}"),
            Self::Damaged { file, offset, what } => write!(
                f,
                "{file} is damaged at byte {offset}: {what}. This is not what a crash leaves behind; restore the file from \
                 a copy, or move it away to go on without what follows in it"
            ),
            Self::Lost { from, to } => {
                write!(
                    f,
                    "the records {from} to {to} are in no file; restore the segment that held them from a copy"
                )
            }
            Self::Unknown { file, version } => {
                write!(
                    f,
                    "{file} has format {version}, which this version does not know; use the one that wrote it"
                )
            }
            Self::Gone { oldest } => {
                write!(f, "this was let go by retention; the oldest record that is still there is {oldest}")
            }
        }
    }
}

impl std::error::Error for LogError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Io { error, .. } => Some(error),
            _ => None,
        }
    }
}

/// A record was not accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum AppendError {
    /// Too much is waiting to become durable. Nothing was kept; try again a little later.
    Busy,
    /// Consumers are so far behind that the log is at its size. Nothing was kept.
    Full,
    /// The disk is full. Nothing was kept; it works again once there is room.
    DiskFull,
    /// The record is larger than a segment. Nothing was kept.
    TooLarge {
        /// Its size in bytes.
        size: u64,
        /// The largest that is accepted.
        limit: u64,
    },
    /// The idempotency key was used for another payload. Nothing was kept.
    KeyReused {
        /// The position of the record that has the key.
        position: u64,
    },
    /// Writing failed. Nothing was kept.
    Failed(String),
    /// The disk failed while the record was made durable: it may be kept or not, and no more are accepted until the log is
    /// opened anew. Sending it again with its idempotency key is safe.
    Unsure(String),
    /// The log is closed.
    Closed,
}

impl AppendError {
    /// The record is certainly not in the log.
    #[must_use]
    pub const fn kept_nothing(&self) -> bool {
        !matches!(self, Self::Unsure(_))
    }
}

impl std::fmt::Display for AppendError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Busy => f.write_str("too much is waiting to be written; try again"),
            Self::Full => {
                f.write_str("consumers are too far behind, the log is at its size; see their status")
            }
            Self::DiskFull => f.write_str("the disk is full; free some space, nothing was lost"),
            Self::TooLarge { size, limit } => {
                write!(f, "{size} bytes are more than the {limit} of one record; send less at once")
            }
            Self::KeyReused { position } => write!(
                f,
                "this idempotency key was used for another payload (record {position}); use a new key for new data"
            ),
            Self::Failed(why) => write!(f, "the record could not be written: {why}"),
            Self::Unsure(why) => write!(
                f,
                "the disk failed while the record was written ({why}): send it again with the same idempotency key"
            ),
            Self::Closed => f.write_str("the log is closed"),
        }
    }
}

impl std::error::Error for AppendError {}
