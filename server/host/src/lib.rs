//! The host: the long-lived service that owns a data folder, and the client that commands speak to it with.
//!
//! **Knows**: HTTP, sockets, tokens, who owns a data folder, how a host is started on demand, found again, watched and
//! ended. It keeps an engine running ([`supervisor`]), holds the live release as a project that can be asked ([`workspace`]),
//! and hands the engine statements that passed the [gate](door::sql).
//!
//! **Must not know**: what datafiles say, trees of SQL, plans, LSP: whatever is about a project it asks `headwater_engine`. It
//! stores nothing itself but tokens, sealed secrets and its log: data and releases belong to whoever keeps rows
//! ([`pipeline`]).
//!
//! A host is two processes. The **door** ([`serve`]) answers HTTP and never loads the engine's library, so no crash of the
//! engine reaches it, and it may start processes. The **engine child** is a worker of `headwater_warehouse`; it ends when the
//! door's pipe closes, whatever closed it.
//!
//! Clock and randomness are passed in ([`clock`]), folders too ([`places`]), and the engine is a trait
//! ([`supervisor::Engine`]).

//!
//! Where there are no Unix sockets there is the client of hosts elsewhere, and no host.

pub mod client;
pub mod protocol;

#[cfg(unix)]
pub mod clock;
#[cfg(unix)]
pub mod door;
#[cfg(unix)]
mod files;
#[cfg(unix)]
pub mod gate;
#[cfg(unix)]
pub mod idle;
#[cfg(unix)]
pub mod log;
#[cfg(unix)]
pub mod owner;
#[cfg(unix)]
pub mod piped;
#[cfg(unix)]
pub mod pipeline;
#[cfg(unix)]
pub mod places;
#[cfg(unix)]
pub mod project;
#[cfg(unix)]
pub mod secrets;
#[cfg(unix)]
pub mod serve;
#[cfg(unix)]
pub mod supervisor;
#[cfg(unix)]
pub mod tokens;
#[cfg(unix)]
pub mod workspace;
