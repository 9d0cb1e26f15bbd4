//! Runs SQL on a real engine, in processes of its own.
//!
//! **Knows**: how to get the engine's library onto this machine, how to load it, how to keep workers alive, what a
//! statement may do and cost, and what the engine's errors say.
//!
//! **Must not know**: projects, datafiles, releases, editors, LSP. No path, URL or command comes from an opened folder: the
//! library is named by the user's environment or by the folder that `headwater setup` fills.
//!
//! A [`Pool`] starts worker processes ([`worker_main`]), each with one engine over an empty database named
//! [`DATABASE`], and sends them [`Request`]s. The process that owns the pool never loads the library, so it may fork, and no crash
//! of the engine reaches it.
//!
//! # What protects the machine from a statement, and what does not
//!
//! - The engine's own parser counts and classifies each text before it is run: several statements, `INTO OUTFILE`, `SET`
//!   and `SYSTEM` are refused unless [`Allow`] says otherwise.
//! - Grants deny files, URLs, other servers, other databases, table engines that reach outside, `SYSTEM SHUTDOWN`.
//! - Ceilings on time, memory and results hold against a statement's own `SETTINGS`. The process as a whole has a memory
//!   cap, and the pool's clock ends it when it does not end by itself.
//! - The environment is empty but for a private folder, which is also the working directory and goes with the worker.
//!
//! **Holes that remain**: the scalar function `file('/path')` reads any file that the user can read, and no grant stops
//! it; statements of one worker see each other's tables. Untrusted SQL must pass the SQL gate, which works on syntax
//! trees, before it comes here.

mod backoff;
mod config;
mod driver;
mod error;
mod ffi;
mod http;
mod insert;
mod locate;
mod pool;
mod process;
mod request;
mod scratch;
mod session;
pub mod setup;
mod store;
mod warehouse;
mod wire;
mod worker;

pub use config::DATABASE;
pub use error::{EngineError, StatementError};
pub use http::{ClickHouse, ClickHouseConfig};
pub use insert::{InputFormat, Insert, identifier, literal};
pub use locate::{Found, LIBRARY_VARIABLE, Places};
pub use pool::{Pool, PoolConfig, Program};
pub use request::{Allow, Answer, Class, Format, Limits, Request, Stats, WorkerId};
pub use session::Session;
pub use store::{Store, StoreConfig, StoreError};
pub use warehouse::{Canceller, Rows, Ticket, Warehouse};
pub use worker::worker_main;
