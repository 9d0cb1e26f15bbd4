//! A ClickHouse server, or a service like one, over its HTTP interface: the same statements, answers and errors as an engine
//! of our own.
//!
//! Raw HTTP, not a client library: what a host sends are statements and rows as bytes, and what it needs back are bytes and
//! the headers beside them (exception code, summary). The official client's answers are typed rows of Rust structs.

mod answer;
mod call;
mod driver;
mod kind;

use std::fmt;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use crossbeam_channel::{Sender, bounded};

use crate::error::EngineError;
use crate::request::{Limits, Request};
use crate::warehouse::{Most, Warehouse};
use call::Client;
use driver::Driver;

/// Which server, and how it is spoken to.
#[derive(Clone)]
pub struct ClickHouseConfig {
    /// `http://host:8123` or `https://host:8443`, with a path where a proxy wants one. Certificates are checked against the
    /// system's, or against what `SSL_CERT_FILE` names.
    pub url: String,
    /// Who asks.
    pub user: String,
    /// Sent in a header, never in the address. Not shown by `Debug`.
    pub password: String,
    /// The database that unqualified names mean; the user's own when it is empty.
    pub database: String,
    /// How many statements run at a time.
    pub connections: usize,
    /// What no request may exceed.
    pub most: Limits,
    /// How many bytes of rows one insert may carry.
    pub most_insert: u64,
    /// Further settings of every statement.
    pub settings: Vec<(String, String)>,
    /// Compress rows on their way there, and ask for compressed answers.
    pub compress: bool,
    /// How long to wait for a connection.
    pub connect_limit: Duration,
    /// How long a statement may ignore its limits, or a cancellation, before nobody waits for it any more.
    pub grace: Duration,
}

impl fmt::Debug for ClickHouseConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClickHouseConfig")
            .field("url", &self.url)
            .field("user", &self.user)
            .field("database", &self.database)
            .field("connections", &self.connections)
            .finish_non_exhaustive()
    }
}

impl ClickHouseConfig {
    /// The server at `url`, as the user `default` without a password; four statements at a time, with the limits of a
    /// pool.
    pub fn new(url: impl Into<String>) -> Self {
        Self {
            url: url.into(),
            user: "default".to_owned(),
            password: String::new(),
            database: String::new(),
            connections: 4,
            most: Limits {
                time: Duration::from_secs(600),
                memory: 16_000_000_000,
                result_rows: 10_000_000,
                result_bytes: 256_000_000,
            },
            most_insert: 256_000_000,
            settings: Vec::new(),
            compress: true,
            connect_limit: Duration::from_secs(5),
            grace: Duration::from_secs(2),
        }
    }
}

/// A server. Dropping it takes back what still runs there.
pub struct ClickHouse {
    warehouse: Warehouse,
    client: Arc<Client>,
    /// Dropped first, which ends the threads.
    stop: Option<Sender<()>>,
    threads: Vec<JoinHandle<()>>,
}

impl ClickHouse {
    /// Makes connections when they are needed; that the server is not there is said to each request.
    ///
    /// # Errors
    ///
    /// [`EngineError::Invalid`] when the address is none.
    pub fn new(config: ClickHouseConfig) -> Result<Self, EngineError> {
        let most = Most { limits: config.most, insert: config.most_insert };
        let connections = config.connections.max(1);
        let client = Arc::new(Client::new(config)?);
        let (warehouse, queue) = Warehouse::new(most, connections);
        let (stop, stopped) = bounded(0);
        let threads = (0..connections).filter_map(|n| {
            let driver = Driver::new(client.clone(), queue.clone(), stopped.clone());
            std::thread::Builder::new().name(format!("clickhouse-{n}")).spawn(move || driver.run()).ok()
        });
        let threads = threads.collect();
        Ok(Self { warehouse, client, stop: Some(stop), threads })
    }

    /// Where statements go.
    pub fn warehouse(&self) -> &Warehouse {
        &self.warehouse
    }

    /// Whether the server is there and takes our name: its version.
    ///
    /// # Errors
    ///
    /// [`EngineError::Unavailable`] with what to mend.
    pub fn version(&self) -> Result<String, EngineError> {
        self.client.ping()?;
        let answer = self.warehouse.query(Request::new("SELECT version()"))?;
        Ok(answer.text().trim().to_owned())
    }
}

impl Drop for ClickHouse {
    fn drop(&mut self) {
        self.stop = None;
        for thread in self.threads.drain(..) {
            let _ = thread.join();
        }
    }
}
