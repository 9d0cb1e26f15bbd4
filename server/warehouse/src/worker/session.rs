//! One connection and its rules: one statement, only what is allowed, within limits.

use crate::config::{DATABASE, limit_statement};
use crate::error::{EngineError, StatementError};
use crate::ffi::Connection;
use crate::request::{Allow, Class, Limits, Request};

pub(super) struct Session {
    connection: Connection,
    /// What the session has now; unknown after a statement that may have changed it.
    limits: Option<Limits>,
}

impl Session {
    /// Makes the database and runs `prelude`, whose statements are ours and are not classified.
    pub(super) fn open(mut connection: Connection, prelude: &[String]) -> Result<Self, String> {
        let own =
            [format!("CREATE DATABASE IF NOT EXISTS {DATABASE} ENGINE = Atomic"), format!("USE {DATABASE}")];
        for statement in own.iter().chain(prelude) {
            connection
                .query(statement, &[], "Null")
                .map_err(|e| format!("{e}\nwhile preparing with: {statement}"))?;
        }
        Ok(Self { connection, limits: None })
    }

    /// The engine's version; also the first query, so that whoever is told "ready" does not pay for it.
    pub(super) fn version(&mut self) -> Result<String, String> {
        let bytes = self.connection.query("SELECT version()", &[], "TSVRaw")?;
        Ok(String::from_utf8_lossy(&bytes).trim().to_owned())
    }

    pub(super) fn run(&mut self, request: &Request) -> Result<(Class, Vec<u8>), EngineError> {
        let found = self.connection.classify(&request.sql);
        match found.statements {
            0 => return Err(self.not_a_statement(&request.sql)),
            1 => {}
            several => return Err(EngineError::SeveralStatements(several)),
        }
        if request.allow == Allow::Parse {
            return Ok((found.class, Vec::new()));
        }
        if !found.class.is_allowed(request.allow) {
            return Err(EngineError::NotAllowed { class: found.class, allow: request.allow });
        }
        if self.limits != Some(request.limits) {
            self.limits = None;
            self.connection.query(&limit_statement(request.limits), &[], "Null").map_err(statement)?;
            self.limits = Some(request.limits);
        }
        let result = self.connection.query(&request.sql, &request.params, request.format.name());
        if !matches!(found.class, Class::Reads | Class::Changes) {
            self.limits = None;
        }
        let body = result.map_err(statement)?;
        let (bytes, limit) = (body.len() as u64, request.limits.result_bytes);
        if bytes > limit {
            return Err(EngineError::TooLarge { bytes, limit });
        }
        Ok((found.class, body))
    }

    /// Why a text holds no statement. It must not be run to find out: the engine runs everything in front of the place
    /// that it does not understand. `formatQuery` has the same parser and runs nothing.
    fn not_a_statement(&mut self, sql: &str) -> EngineError {
        // Values of parameters are read in the engine's escaped text form.
        let escaped = sql.replace('\\', "\\\\").replace('\t', "\\t").replace('\n', "\\n");
        let params = [("sql".to_owned(), escaped)];
        match self.connection.query("SELECT formatQuery({sql:String}) FORMAT Null", &params, "Null") {
            Ok(_) => EngineError::NotAllowed { class: Class::Unknown, allow: Allow::Anything },
            Err(text) => {
                let mut error = StatementError::parse(&text);
                if let Some(end) = error.message.find(": In scope SELECT formatQuery") {
                    error.message.truncate(end);
                }
                if error.message.contains("Empty query") {
                    EngineError::NoStatement
                } else {
                    EngineError::Statement(error)
                }
            }
        }
    }
}

fn statement(text: impl AsRef<str>) -> EngineError {
    EngineError::Statement(StatementError::parse(text.as_ref()))
}
