//! What a consumer takes at once.

use serde::{Deserialize, Serialize};

use crate::error::LogError;
use crate::reader::Reader;
use crate::record::{Body, Record, ReleaseId};

/// Consecutive positions that a consumer applies as one. It is cut once and for all: who repeats it repeats the same records.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Range {
    /// The position after the last one that was applied. Records of other streams lie between.
    pub from: u64,
    /// The position of the last record in it.
    pub to: u64,
    /// The release under which all of its records were accepted.
    pub release: ReleaseId,
    /// It is one effect; else it is rows.
    pub effect: bool,
}

impl Range {
    /// The name under which the engine remembers that the range was inserted into a table.
    #[must_use]
    pub fn token(&self, table: &str) -> String {
        format!("{table}:{}-{}", self.from, self.to)
    }
}

/// How much a consumer takes at once. The first record is always taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Rows, as the records' senders counted them.
    pub rows: u64,
    /// Bytes of payload.
    pub bytes: u64,
}

/// What comes next for a consumer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Next {
    /// Rows, to be inserted as one.
    Rows(Range, Vec<Record>),
    /// One effect.
    Effect(Range, Record),
    /// Nothing up to this position, which can be passed.
    Nothing(u64),
}

/// Cuts the next range behind `applied`. Only records that `accept` takes are for this consumer; what it says of a record
/// must never change, or a repeated range would be another one.
///
/// The reader must stand behind `applied`, as it does after the previous cut.
///
/// # Errors
/// As [`Reader::next`].
pub fn cut(
    reader: &mut Reader,
    applied: u64,
    limits: Limits,
    accept: &dyn Fn(&Record) -> bool,
) -> Result<Next, LogError> {
    let mut taken: Vec<Record> = Vec::new();
    let (mut rows, mut bytes) = (0u64, 0u64);
    while let Some(record) = reader.next()? {
        if !accept(&record) {
            continue;
        }
        let (effect, more_rows) = match record.draft.body {
            Body::Rows { rows } => (false, rows),
            Body::Effect => (true, 0),
        };
        let more_bytes = record.draft.payload.len() as u64;
        if let Some(first) = taken.first() {
            let full = rows.saturating_add(more_rows) > limits.rows
                || bytes.saturating_add(more_bytes) > limits.bytes;
            if effect || full || first.draft.release != record.draft.release {
                reader.put_back(record);
                break;
            }
        } else if effect {
            let range =
                Range { from: applied + 1, to: record.position, release: record.draft.release, effect };
            return Ok(Next::Effect(range, record));
        }
        rows = rows.saturating_add(more_rows);
        bytes = bytes.saturating_add(more_bytes);
        taken.push(record);
    }
    Ok(match (taken.first(), taken.last()) {
        (Some(first), Some(last)) => {
            let release = first.draft.release;
            Next::Rows(Range { from: applied + 1, to: last.position, release, effect: false }, taken)
        }
        _ => Next::Nothing(reader.position()),
    })
}
