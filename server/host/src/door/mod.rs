//! The door: HTTP on a Unix socket, and on TCP where somebody listens. It answers whatever the engine does.
//!
//! Every request passes [`guard`]: an id, the Host and Origin of TCP requests, a token. There are no exceptions, on loopback
//! neither: any page in a browser can send requests there.

mod body;
mod failure;
mod guard;
mod listen;
mod metrics;
mod routes;
pub mod sql;

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::routing::{get, post};
use tokio::sync::watch;
use tower_http::compression::CompressionLayer;

use crate::clock::{Clock, Entropy};
use crate::idle::Activity;
use crate::log::Log;
use crate::protocol::Version;
use crate::supervisor::Engine;
use crate::tokens::Tokens;

pub use guard::Rules;
pub(crate) use listen::{Bound, accept};
pub use metrics::Metrics;

/// What a request may cost before the engine sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HttpLimits {
    /// For a head to arrive, and for a kept connection to say something.
    pub head: Duration,
    /// For a body to arrive.
    pub body: Duration,
    /// Bytes of a head.
    pub head_bytes: usize,
    /// Bytes of a statement.
    pub sql_bytes: usize,
    /// Connections of a listener at a time; others wait.
    pub connections: usize,
    /// How long running requests are waited for at the end.
    pub drain: Duration,
}

impl Default for HttpLimits {
    fn default() -> Self {
        Self {
            head: Duration::from_secs(15),
            body: Duration::from_secs(30),
            head_bytes: 32_768,
            sql_bytes: 1_000_000,
            connections: 512,
            drain: Duration::from_secs(5),
        }
    }
}

/// Everything that answers share.
pub struct Door {
    /// Who may enter.
    pub tokens: Tokens,
    /// From where.
    pub rules: Rules,
    /// At which cost.
    pub limits: HttpLimits,
    /// What goes on.
    pub activity: Arc<Activity>,
    /// What went on.
    pub log: Arc<Log>,
    /// How much of it.
    pub metrics: Metrics,
    /// The engine.
    pub engine: Arc<dyn Engine>,
    /// What decides about statements of users.
    pub gate: Arc<dyn sql::Gate>,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Chance, for ids of requests.
    pub entropy: Arc<dyn Entropy>,
    /// Who we are.
    pub about: About,
    /// Set to `true` to end the host.
    pub stop: watch::Sender<bool>,
}

/// What a door says about itself.
#[derive(Debug, Clone)]
pub struct About {
    /// Protocol and build.
    pub version: Version,
    /// When it started, milliseconds since 1970.
    pub started: i64,
    /// The same on the clock that never goes back.
    pub started_elapsed: Duration,
    /// The data folder.
    pub data: String,
    /// Addresses on TCP.
    pub listen: Vec<String>,
    /// When it ends by itself.
    pub idle_exit: Option<Duration>,
}

/// All routes, behind the guard.
pub fn router(door: Arc<Door>) -> Router {
    Router::new()
        .route("/health", get(routes::health))
        .route("/metrics", get(routes::metrics))
        .route("/v0/version", get(routes::version))
        .route("/v0/status", get(routes::status))
        .route("/v0/stop", post(routes::stop))
        .route("/v0/sql", get(sql::answer).post(sql::answer))
        .fallback(routes::unknown)
        .method_not_allowed_fallback(routes::wrong_method)
        .layer(axum::middleware::from_fn_with_state(door.clone(), guard::guard))
        .layer(CompressionLayer::new())
        .with_state(door)
}
