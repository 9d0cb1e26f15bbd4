//! What was accepted, in the order in which it was accepted: an append-only log of records, and how far each of its
//! consumers has come.
//!
//! **Knows**: records and their positions, segments on disk, when a record is durable, what a crash can leave behind, which
//! ranges a consumer has declared, and which segments nobody needs any more.
//!
//! **Must not know**: SQL, tables, datafiles, HTTP, what a payload says, what a release is. It has no clock and no
//! randomness; its disk is a [`Storage`] that is passed in.
//!
//! # Promises
//!
//! - [`Log::append`] returns after the record is durable, and then its [position](Record::position) never changes. Records
//!   that wait at the same time share one `fsync`.
//! - After a crash the log holds every acknowledged record, whole, and of those that were not acknowledged all or nothing of
//!   each group. Damage in front of an acknowledged record is not taken for a crash: opening refuses, and says where.
//! - A consumer's range is durable before anybody acts on it ([`Cursors::declare`]) and is never cut anew: who repeats
//!   it after a crash repeats the same records under the same [token](Range::token).
//! - A range never holds an effect together with rows, nor rows that were accepted under two releases.
//!
//! # What it costs
//!
//! A record in memory is its place in the segment that is written to (24 bytes); sealed segments cost nothing until a
//! reader walks through one, and then the places of its own stream. Opening reads the last segment once, and of older
//! ones no more than idempotency keys need.

mod cursors;
mod disk;
mod error;
mod frame;
mod idempotency;
mod index;
mod journal;
mod log;
mod range;
mod reader;
mod record;
mod recovery;
mod segment;
#[cfg(feature = "simulated")]
pub mod simulated;
mod storage;
mod tail;
mod writer;

pub use cursors::{Consumer, Cursors, Progress, Skipped};
pub use disk::Disk;
pub use error::{AppendError, LogError};
pub use journal::Journal;
pub use log::{Ack, Log, Options, Ticket};
pub use range::{Limits, Next, Range, cut};
pub use reader::Reader;
pub use record::{Audience, Body, Draft, Record, ReleaseId};
pub use storage::{Storage, StoredFile};
