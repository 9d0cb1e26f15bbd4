//! The pipeline at work: a release's physical tables, and the consumers that fill them from the log, exactly once.
//!
//! **Knows**: what a project's tables are called on the engine ([`Release`]), how rows are accepted ([`Pipeline::accept`]), how
//! records of the log become blocks of rows, and how every table takes each block once, whatever is killed meanwhile.
//!
//! **Must not know**: HTTP, tokens' secrets, sockets, how a release follows another one (that is the deployment's work), where a
//! disk or an engine comes from. Disk, engine, clock and randomness are passed in ([`Parts`]).
//!
//! # Promises
//!
//! - What [`Pipeline::accept`] answered is durable, and every row of it comes into its data source's table or into its
//!   quarantine, once. Sent again under the same key it is not kept again.
//! - Every table is filled by consumers of its own: one whose statements fail stops alone, says why ([`Pipeline::status`]),
//!   tries again, and can be told to leave a range out ([`Pipeline::skip`]).
//! - A view sees each block of rows of its source once, also a view behind a view, and sees the same block when it is repeated.
//! - After a crash of the engine, of this process, or of both, everything goes on where it was; [`fsck`] has to run before each
//!   start of the engine for that ([`prepare`] sees to it).
//!
//! # For callers
//!
//! ```no_run
//! # fn f(mut store: headwater_warehouse::StoreConfig, parts: headwater_pipeline::Parts) -> Result<(), Box<dyn std::error::Error>> {
//! use headwater_pipeline::{Format, Payload, Pipeline, Release, prepare};
//! use std::time::Duration;
//!
//! prepare(&mut store);                                        // databases, and the check before each start
//! let pipeline = Pipeline::open(parts)?;                      // goes on where it was
//! # let files = Default::default();
//! pipeline.install(Release::compile(files)?)?;                // the first release; the same one again does nothing
//! let payload = Payload { bytes: b"{\"id\": 1}".to_vec(), format: Format::Ndjson };
//! let receipt = pipeline.accept("events", payload, None)?;    // durable now
//! pipeline.wait(receipt.position, "events", Duration::from_secs(5))?; // and visible in every table
//! # Ok(()) }
//! ```

mod block;
mod chain;
mod clock;
mod consumer;
mod cutter;
mod effect;
mod error;
mod fault;
pub mod fsck;
mod hot;
mod install;
mod ledger;
mod payload;
mod pipeline;
mod quarantine;
mod release;
mod spool;
mod sql;
mod status;
mod stream;

pub use clock::{Clock, Entropy};
pub use effect::Effect;
pub use error::{AcceptError, InstallError, OpenError, SkipError, Waited};
#[cfg(feature = "faults")]
pub use fault::Fault;
pub use payload::{Format, IdempotencyKey, Payload, Receipt, Verdict};
pub use pipeline::{Limits, POINTS, Parts, Pipeline};
pub use release::{
    Declared, Endpoint, Faults, Files, Opened, Problem, Release, Schedule, Source, Token, View,
};
pub use sql::{BLOCKS, DATABASE, Tables, prepare};
pub use status::{ConsumerStatus, Kind, Lagging, State};
