//! A ClickHouse server in the engine's place.

use std::sync::{Arc, Mutex, PoisonError};

use headwater_warehouse::{ClickHouse, ClickHouseConfig, EngineError, Request};

use super::{Engine, Pulse, Statement};
use crate::protocol::EngineHealth;

/// A ClickHouse server, over its HTTP interface.
pub struct Server {
    server: Mutex<Option<ClickHouse>>,
    pulse: Arc<Pulse>,
}

impl Server {
    /// The server that `config` names. It is asked with the first statement.
    ///
    /// # Errors
    ///
    /// When its address is none.
    pub fn new(config: ClickHouseConfig) -> Result<Self, String> {
        let server = ClickHouse::new(config).map_err(|e| e.to_string())?;
        Ok(Self { server: Mutex::new(Some(server)), pulse: Arc::new(Pulse::default()) })
    }
}

impl Engine for Server {
    fn submit(&self, request: Request) -> Statement {
        let warehouse = {
            let server = self.server.lock().unwrap_or_else(PoisonError::into_inner);
            server.as_ref().map(|s| s.warehouse().clone())
        };
        let pulse = self.pulse.clone();
        let statement = Statement::of(move || {
            let ending = || EngineError::Unavailable("the host is ending".to_owned());
            Ok(warehouse.ok_or_else(ending)?.submit(request))
        });
        Statement {
            wait: Box::new(move || {
                let answer = (statement.wait)();
                pulse.note(&answer);
                answer
            }),
            cancel: statement.cancel,
        }
    }

    fn health(&self) -> EngineHealth {
        let message = self.pulse.failing();
        let state = if message.is_some() { "failing" } else { "running" };
        EngineHealth { kind: "clickhouse".to_owned(), state: state.to_owned(), message, unconfined: None }
    }

    fn pids(&self) -> Vec<u32> {
        Vec::new()
    }

    fn starts(&self) -> u64 {
        0
    }

    fn stop(&self) {
        drop(self.server.lock().unwrap_or_else(PoisonError::into_inner).take());
    }
}
