//! The client of a host, for commands: small and blocking.

#[cfg(unix)]
mod local;
mod remote;
#[cfg(unix)]
mod unix;

use std::fmt;
use std::io::Read;
use std::time::Duration;

use headwater_warehouse::Format;
use serde::de::DeserializeOwned;
use serde_json::Value;
use ureq::tls::{RootCerts, TlsConfig};

use crate::protocol::{ErrorBody, Health, Status, Version};

#[cfg(unix)]
pub use local::{Local, stop};
pub use remote::{TOKEN_VARIABLE, check_url, remote};

/// A host that can be asked.
pub struct HostClient {
    agent: ureq::Agent,
    /// `http://…`, without a slash at the end.
    base: String,
    token: String,
    /// What people call it.
    name: String,
}

/// Why a host did not do what it was asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HostError {
    /// It cannot be reached.
    Unreachable(String),
    /// It answered that it does not.
    Refused {
        /// The HTTP status.
        status: u16,
        /// Its words.
        message: String,
    },
    /// It answered what no host answers.
    Strange(String),
}

impl fmt::Display for HostError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreachable(why) | Self::Strange(why) => f.write_str(why),
            Self::Refused { message, .. } => f.write_str(message),
        }
    }
}

impl std::error::Error for HostError {}

/// Answers that are not rows are short.
const SHORT: u64 = 1_000_000;
/// Rows are limited by the host; this only stops one that went wrong.
const LONG: u64 = 1 << 30;

impl HostClient {
    fn new(agent: ureq::Agent, base: &str, token: &str, name: &str) -> Self {
        let base = base.trim_end_matches('/').to_owned();
        Self { agent, base, token: token.to_owned(), name: name.to_owned() }
    }

    /// What every agent of ours has: no redirects, which would carry the token to somebody else, limits in time, and the
    /// system's certificates, among which a company's own are.
    fn config() -> ureq::config::ConfigBuilder<ureq::typestate::AgentScope> {
        ureq::Agent::config_builder()
            .tls_config(TlsConfig::builder().root_certs(RootCerts::PlatformVerifier).build())
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .user_agent("headwater")
            .timeout_connect(Some(Duration::from_secs(10)))
            .timeout_send_request(Some(Duration::from_secs(30)))
            .timeout_send_body(Some(Duration::from_secs(60)))
            .timeout_recv_response(Some(Duration::from_secs(90)))
    }

    /// What people call it.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// `GET /v0/version`: the handshake.
    ///
    /// # Errors
    ///
    /// See [`HostError`]; so of all others.
    pub fn version(&self) -> Result<Version, HostError> {
        self.get("/v0/version")
    }

    /// `GET /v0/status`.
    ///
    /// # Errors
    ///
    /// See [`HostError`].
    pub fn status(&self) -> Result<Status, HostError> {
        self.get("/v0/status")
    }

    /// `GET /health`.
    ///
    /// # Errors
    ///
    /// See [`HostError`].
    pub fn health(&self) -> Result<Health, HostError> {
        self.get("/health")
    }

    /// Runs a statement that only reads. The answer is in the format that the statement asks for, else in `format`, by the
    /// engine's name of it.
    ///
    /// # Errors
    ///
    /// See [`HostError`].
    pub fn sql(&self, statement: &str, format: Format) -> Result<Vec<u8>, HostError> {
        self.post(&format!("/v0/sql?default_format={}", format.name()), statement, LONG)
    }

    /// Asks for something as JSON: `GET`, `POST`, `PUT` or `DELETE`, with a body or none.
    ///
    /// # Errors
    ///
    /// See [`HostError`].
    pub fn call(&self, method: &str, path: &str, body: Option<&Value>) -> Result<Value, HostError> {
        let (status, bytes) = self.exchange(method, path, body)?;
        if status.is_success() { self.value(path, &bytes) } else { Err(self.refused(status, &bytes)) }
    }

    /// Deploys a project. An answer that it has faults is an answer.
    ///
    /// # Errors
    ///
    /// See [`HostError`].
    pub fn deploy(&self, project: &Value) -> Result<Value, HostError> {
        let path = "/v1/deploy";
        let (status, bytes) = self.exchange("POST", path, Some(project))?;
        if status.is_success() {
            return self.value(path, &bytes);
        }
        match serde_json::from_slice::<Value>(&bytes) {
            Ok(value) if value["result"] == "failed" => Ok(value),
            _ => Err(self.refused(status, &bytes)),
        }
    }

    /// Adds the rows of a file to a data source. `format` is `csv` or `ndjson`, `packing` is `gzip`, `zstd` or nothing.
    ///
    /// # Errors
    ///
    /// See [`HostError`].
    pub fn append(
        &self,
        source: &str,
        format: &str,
        packing: Option<&str>,
        key: Option<&str>,
        file: &std::fs::File,
    ) -> Result<Value, HostError> {
        let path = format!("/v1/datasources/{source}/append?wait=true&format={format}");
        let mut request = self
            .agent
            .post(format!("{}{path}", self.base))
            .config()
            .timeout_send_body(None)
            .timeout_recv_response(Some(Duration::from_secs(600)))
            .build()
            .header("Authorization", self.bearer())
            .content_type("application/octet-stream");
        if let Some(packing) = packing {
            request = request.header("Content-Encoding", packing);
        }
        if let Some(key) = key {
            request = request.header("Idempotency-Key", key);
        }
        let bytes = self.read(request.send(file), SHORT)?;
        self.value(&path, &bytes)
    }

    fn value(&self, path: &str, bytes: &[u8]) -> Result<Value, HostError> {
        serde_json::from_slice(bytes).map_err(|e| {
            HostError::Strange(format!("{} answered what no host answers at {path}: {e}", self.name))
        })
    }

    fn exchange(
        &self,
        method: &str,
        path: &str,
        body: Option<&Value>,
    ) -> Result<(ureq::http::StatusCode, Vec<u8>), HostError> {
        let mut request = ureq::http::Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.base))
            .header("Authorization", self.bearer());
        if body.is_some() {
            request = request.header("Content-Type", "application/json");
        }
        let text = body.map(Value::to_string).unwrap_or_default();
        let request = request
            .body(text)
            .map_err(|e| HostError::Strange(format!("{path} is nothing that can be asked: {e}")))?;
        self.answer(self.agent.run(request), SHORT)
    }

    fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, HostError> {
        let request = self.agent.get(format!("{}{path}", self.base)).header("Authorization", self.bearer());
        let bytes = self.read(request.call(), SHORT)?;
        serde_json::from_slice(&bytes).map_err(|e| {
            HostError::Strange(format!("{} answered what no host answers at {path}: {e}", self.name))
        })
    }

    fn post(&self, path: &str, body: &str, limit: u64) -> Result<Vec<u8>, HostError> {
        let request = self
            .agent
            .post(format!("{}{path}", self.base))
            .header("Authorization", self.bearer())
            .content_type("text/plain; charset=utf-8");
        self.read(request.send(body), limit)
    }

    fn bearer(&self) -> String {
        format!("Bearer {}", self.token)
    }

    fn read(
        &self,
        response: Result<ureq::http::Response<ureq::Body>, ureq::Error>,
        limit: u64,
    ) -> Result<Vec<u8>, HostError> {
        let (status, bytes) = self.answer(response, limit)?;
        if status.is_success() { Ok(bytes) } else { Err(self.refused(status, &bytes)) }
    }

    fn answer(
        &self,
        response: Result<ureq::http::Response<ureq::Body>, ureq::Error>,
        limit: u64,
    ) -> Result<(ureq::http::StatusCode, Vec<u8>), HostError> {
        let unreachable = |why: &dyn fmt::Display| {
            HostError::Unreachable(format!("{} cannot be reached: {why}", self.name))
        };
        let response = response.map_err(|e| unreachable(&e))?;
        let status = response.status();
        let mut bytes = Vec::new();
        response
            .into_body()
            .into_reader()
            .take(limit + 1)
            .read_to_end(&mut bytes)
            .map_err(|e| unreachable(&e))?;
        if bytes.len() as u64 > limit {
            return Err(HostError::Strange(format!("{} answers without end", self.name)));
        }
        Ok((status, bytes))
    }

    fn refused(&self, status: ureq::http::StatusCode, bytes: &[u8]) -> HostError {
        let message = match serde_json::from_slice::<ErrorBody>(bytes) {
            Ok(body) => body.error,
            Err(_) => format!("{} answered {status}; is there a host at this address?", self.name),
        };
        HostError::Refused { status: status.as_u16(), message }
    }
}
