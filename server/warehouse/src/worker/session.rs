//! One connection and its rules: one statement, only what is allowed, within limits.

use crate::config::{DATABASE, limit_statement};
use crate::error::{EngineError, StatementError};
use crate::ffi::{Connection, Library};
use crate::insert::{Insert, Work};
use crate::request::{Allow, Class, Limits, Request, Stats};
use crate::wire::Outcome;

/// How connections to this process's engine are opened.
pub(super) struct Opening {
    pub(super) library: Library,
    pub(super) args: Vec<String>,
    /// Our own statements, run in each new session.
    pub(super) prelude: Vec<String>,
}

pub(super) struct Session {
    opening: Opening,
    connection: Connection,
    /// What the session has now; unknown after a statement that may have changed it.
    limits: Option<Limits>,
}

impl Session {
    /// Makes the database and runs the prelude, whose statements are ours and are not classified.
    pub(super) fn open(opening: Opening) -> Result<Self, String> {
        let connection = opening.library.connect(&opening.args)?;
        let mut session = Self { opening, connection, limits: None };
        session.prepare()?;
        Ok(session)
    }

    fn prepare(&mut self) -> Result<(), String> {
        let own =
            [format!("CREATE DATABASE IF NOT EXISTS {DATABASE} ENGINE = Atomic"), format!("USE {DATABASE}")];
        for statement in own.iter().chain(&self.opening.prelude) {
            self.connection
                .query(statement, &[], "Null")
                .map_err(|e| format!("{e}\nwhile preparing with: {statement}"))?;
        }
        Ok(())
    }

    /// Begins anew: the connection, with its settings and temporary tables, and the database are gone. The engine removes
    /// what the tables stored later, by itself.
    fn reset(&mut self) -> Result<(), String> {
        self.limits = None;
        self.connection = self.opening.library.connect(&self.opening.args)?;
        self.connection.query(&format!("DROP DATABASE IF EXISTS {DATABASE}"), &[], "Null")?;
        self.prepare()
    }

    /// The engine's version; also the first query, so that whoever is told "ready" does not pay for it.
    pub(super) fn version(&mut self) -> Result<String, String> {
        let (bytes, _) = self.connection.query("SELECT version()", &[], "TSVRaw")?;
        Ok(String::from_utf8_lossy(&bytes).trim().to_owned())
    }

    /// Does it. `go_on` is asked now and then: at the first `false` an insert is taken back.
    pub(super) fn run(&mut self, work: &Work, go_on: impl FnMut() -> bool) -> Result<Outcome, EngineError> {
        match work {
            Work::Query(request) => self.query(request),
            Work::Insert(insert) => self.insert(insert, go_on),
            Work::Reset => match self.reset() {
                Ok(()) => Ok(Outcome { class: Class::Control, body: Vec::new(), stats: Stats::default() }),
                Err(why) => Err(statement(why)),
            },
        }
    }

    fn query(&mut self, request: &Request) -> Result<Outcome, EngineError> {
        let found = self.connection.classify(&request.sql);
        match found.statements {
            0 => return Err(self.not_a_statement(&request.sql)),
            1 => {}
            several => return Err(EngineError::SeveralStatements(several)),
        }
        if request.allow == Allow::Parse {
            return Ok(Outcome { class: found.class, body: Vec::new(), stats: Stats::default() });
        }
        if !found.class.is_allowed(request.allow) {
            return Err(EngineError::NotAllowed { class: found.class, allow: request.allow });
        }
        self.limit(request.limits)?;
        let result = self.connection.query(&request.sql, &request.params, request.format.name());
        if !matches!(found.class, Class::Reads | Class::Changes) {
            self.limits = None;
        }
        let (body, stats) = result.map_err(statement)?;
        let (bytes, limit) = (body.len() as u64, request.limits.result_bytes);
        if bytes > limit {
            return Err(EngineError::TooLarge { bytes, limit });
        }
        Ok(Outcome { class: found.class, body, stats })
    }

    fn insert(&mut self, insert: &Insert, go_on: impl FnMut() -> bool) -> Result<Outcome, EngineError> {
        let sql = insert.statement()?;
        self.limit(insert.limits)?;
        match self.connection.insert(&sql, insert.format.name(), &insert.data, go_on) {
            Ok(Some(stats)) => Ok(Outcome { class: Class::Changes, body: Vec::new(), stats }),
            Ok(None) => Err(EngineError::Cancelled),
            Err(text) => Err(statement(text)),
        }
    }

    fn limit(&mut self, limits: Limits) -> Result<(), EngineError> {
        if self.limits != Some(limits) {
            self.limits = None;
            self.connection.query(&limit_statement(limits), &[], "Null").map_err(statement)?;
            self.limits = Some(limits);
        }
        Ok(())
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
