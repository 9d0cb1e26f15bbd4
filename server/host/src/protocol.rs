//! What door and client say to each other, as types: the shapes of the JSON that `docs/reference/http.md` documents.

use serde::{Deserialize, Serialize};

/// The version of the protocol. It rises when a client of the version before could misunderstand an answer; the shapes of
/// [`Version`] and of `/v0/stop` never change.
pub const PROTOCOL: u32 = 1;

/// `GET /v0/version`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Version {
    /// [`PROTOCOL`] of the door.
    pub protocol: u32,
    /// The version of the program.
    pub build: String,
    /// Whether it was started by a command that needed it, and may be replaced by one.
    pub on_demand: bool,
}

/// What a client must do about the host that it found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fit {
    /// They understand each other.
    Fits,
    /// The host is older and was started on demand: end it and start our own.
    Replace,
    /// The host is older and somebody runs it: that somebody has to update it.
    UpdateHost,
    /// The host is newer than this program.
    UpdateUs,
}

impl Version {
    /// What a client of `protocol` must do.
    pub fn fit(&self, protocol: u32) -> Fit {
        match self.protocol.cmp(&protocol) {
            std::cmp::Ordering::Equal => Fit::Fits,
            std::cmp::Ordering::Greater => Fit::UpdateUs,
            std::cmp::Ordering::Less if self.on_demand => Fit::Replace,
            std::cmp::Ordering::Less => Fit::UpdateHost,
        }
    }
}

/// `GET /health`: nothing in it is secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Health {
    /// `ok`, or `degraded` when there is no engine: the door answers, queries do not.
    pub status: String,
    /// The engine.
    pub engine: EngineHealth,
}

/// How the engine is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EngineHealth {
    /// `embedded`, or `clickhouse` for a server.
    pub kind: String,
    /// `idle` (it starts with the first statement), `running`, `missing`, `failing`.
    pub state: String,
    /// What to do, when it is missing or failing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// What the system does not keep the engine's process from, when one runs and there is something.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unconfined: Option<String>,
}

/// `GET /v0/status`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Status {
    /// The same as of `/v0/version`.
    #[serde(flatten)]
    pub version: Version,
    /// The door's process.
    pub pid: u32,
    /// When it started, RFC 3339.
    pub started: String,
    /// Seconds since.
    pub uptime_seconds: u64,
    /// The data folder.
    pub data: String,
    /// Addresses of TCP listeners.
    pub listen: Vec<String>,
    /// The engine.
    pub engine: EngineHealth,
    /// The engine's process, while one runs.
    pub engine_pid: Option<u32>,
    /// How many engine processes were started.
    pub engine_starts: u64,
    /// Requests being answered, this one left out.
    pub running_requests: u64,
    /// Why it does not end when nobody asks anything: `listener`, and later schedules, deployments, fed chains.
    pub holds: Vec<String>,
    /// Seconds of silence after which it ends, when it was started on demand and nothing holds it.
    pub idle_exit_seconds: Option<u64>,
}

/// Every error, in the shape of the format's API.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ErrorBody {
    /// What is wrong, and what to do.
    pub error: String,
    /// Where it is explained.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub documentation: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_is_replaced_only_when_it_is_older_and_nobodys() {
        let fit = |protocol, on_demand| Version { protocol, build: "1".to_owned(), on_demand }.fit(2);
        assert_eq!(
            [fit(2, false), fit(1, true), fit(1, false), fit(3, true), fit(3, false)],
            [Fit::Fits, Fit::Replace, Fit::UpdateHost, Fit::UpdateUs, Fit::UpdateUs]
        );
    }
}
