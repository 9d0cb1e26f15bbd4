//! The door: HTTP on a Unix socket, and on TCP where somebody listens. It answers whatever the engine does.
//!
//! Every request passes [`guard`]: an id, the Host and Origin of TCP requests, a token. There are no exceptions, on loopback
//! neither: any page in a browser can send requests there.

mod answer;
mod arriving;
mod body;
mod consumers;
mod datasources;
mod deploy;
mod events;
mod failure;
mod guard;
mod input;
mod listen;
mod metrics;
mod openapi;
mod pieces;
mod pipes;
mod rate;
mod routes;
mod rows;
mod secrets;
pub mod sql;
mod tokens;

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::routing::{get, post, put};
use headwater_warehouse::Limits;
use tokio::sync::{Semaphore, watch};
use tower_http::compression::CompressionLayer;

use crate::clock::{Clock, Entropy};
use crate::idle::Activity;
use crate::log::{Level, Log};
use crate::pipeline::Pipeline;
use crate::protocol::Version;
use crate::secrets::SecretStore;
use crate::supervisor::Engine;
use crate::tokens::{Holder, Tokens};
use crate::workspace::{Workspace, Workspaces};

pub use answer::Approvals;
pub use guard::Rules;
pub(crate) use listen::{Bound, accept};
pub use metrics::Metrics;
pub use rate::{Rate, Rates};

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
    /// Bytes of a project that is deployed.
    pub deploy_bytes: usize,
    /// What a query may cost: of an endpoint, or of `/v0/sql`.
    pub query: Limits,
    /// How often one token may ask one endpoint.
    pub endpoint_rate: Option<Rate>,
    /// Bytes of events at once, as they are sent.
    pub events_bytes: usize,
    /// Bytes of a file of rows, unpacked.
    pub upload_bytes: u64,
    /// How often rows may come to one data source.
    pub events_rate: Option<Rate>,
    /// Requests whose rows are held in memory at a time; a quarter as many files, but one at least, besides them.
    pub ingesting: usize,
    /// Requests that wait at a time until their rows show; others are told at once who has not come so far.
    pub waiting: usize,
    /// Whether parameters that an endpoint does not have are an error.
    pub strict_parameters: bool,
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
            deploy_bytes: 64 << 20,
            query: Limits {
                time: Duration::from_secs(10),
                memory: 2_000_000_000,
                result_rows: 1_000_000,
                result_bytes: 100_000_000,
            },
            endpoint_rate: None,
            events_bytes: 10_000_000,
            upload_bytes: 32 << 30,
            events_rate: Some(Rate { per_second: 1_000, burst: 2_000 }),
            ingesting: 16,
            waiting: 64,
            strict_parameters: false,
            connections: 512,
            drain: Duration::from_secs(5),
        }
    }
}

/// Everything that answers share.
pub struct Door {
    /// Who may enter.
    pub tokens: Tokens,
    /// Secrets of templates.
    pub secrets: SecretStore,
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
    /// How often somebody asked.
    pub rates: Rates,
    /// Places of requests whose rows are held in memory.
    pub ingesting: Arc<Semaphore>,
    /// Places of files that arrive, of which pieces are held in memory.
    pub uploading: Arc<Semaphore>,
    /// Places of requests that wait until their rows show.
    pub waiting: Arc<Semaphore>,
    /// Who keeps rows.
    pub pipeline: Arc<dyn Pipeline>,
    /// The live release, to be asked.
    pub workspaces: Workspaces,
    /// Statements that passed already.
    pub approvals: Approvals,
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

impl Door {
    /// The live release, to be asked. Takes time when another one has become live.
    pub(crate) fn workspace(&self) -> Arc<Workspace> {
        let (workspace, is_new) = self.workspaces.of(self.pipeline.live());
        if is_new {
            self.tokens.declare(workspace.declared_tokens());
        }
        workspace
    }

    /// Notes who did what to what: of everything that changes what others may do or see.
    pub(crate) fn audit(&self, holder: &Holder, action: &str, subject: &str) {
        self.log.event(
            Level::Info,
            "audit",
            [("action", action.into()), ("token", holder.name.as_str().into()), ("subject", subject.into())],
        );
    }
}

impl Door {
    /// Notes a deployment with what whoever made it says about it.
    pub(crate) fn log_deployment(
        &self,
        holder: &Holder,
        release: &str,
        why: Option<&str>,
        commit: Option<&str>,
    ) {
        let short = |text: Option<&str>| text.map(|t| t.chars().take(500).collect::<String>());
        self.log.event(
            Level::Info,
            "deployment",
            [
                ("release", release.into()),
                ("token", holder.name.as_str().into()),
                ("why", short(why).into()),
                ("commit", short(commit).into()),
            ],
        );
    }
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
        .route("/v0/tokens", get(tokens::list).post(tokens::create))
        .route("/v0/tokens/{name}", get(tokens::show).delete(tokens::remove))
        .route("/v0/tokens/{name}/refresh", post(tokens::refresh))
        .route("/v0/variables", get(secrets::list).post(secrets::create))
        .route("/v0/variables/{name}", put(secrets::update).delete(secrets::remove))
        .route("/v0/events", post(events::events))
        .route("/v0/pipes", get(pipes::list))
        .route("/v0/pipes/{name}", get(pipes::one).post(pipes::one))
        .route("/v0/datasources", get(datasources::list).post(rows::by_mode))
        .route("/v0/datasources/{name}", get(datasources::show))
        .route("/v0/datasources/{name}/truncate", post(rows::truncate))
        .route("/v0/datasources/{name}/delete", post(rows::delete))
        .route("/v1/datasources/{name}/append", post(rows::by_name))
        .route("/v1/datasources/{name}/replace", post(rows::replace))
        .route("/v0/consumers", get(consumers::list))
        .route("/v0/consumers/{name}/skip", post(consumers::skip))
        .route("/v1/deploy", post(deploy::deploy))
        .route("/v1/deployments", get(deploy::list))
        .route("/v0/sql", get(sql::answer).post(sql::answer))
        .fallback(routes::unknown)
        .method_not_allowed_fallback(routes::wrong_method)
        .layer(axum::middleware::from_fn_with_state(door.clone(), guard::guard))
        .layer(CompressionLayer::new())
        .with_state(door)
}
