//! One connection and its rules: one statement, only what is allowed, within limits.

use crate::config::{self, limit_statement};
use crate::error::{EngineError, StatementError};
use crate::ffi::{Connection, Library};
use crate::insert::{Insert, Work, identifier};
use crate::request::{Allow, Class, Limits, Request, Stats};
use crate::wire::Outcome;

/// How connections to this process's engine are opened.
pub(super) struct Opening {
    pub(super) library: Library,
    pub(super) args: Vec<String>,
    pub(super) kind: Kind,
    /// The database that unqualified names mean.
    pub(super) database: String,
    /// Our own statements, run in each new session of the first connection.
    pub(super) prelude: Vec<String>,
}

/// What a connection is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// A private engine: what its database holds is dropped when it is reset.
    Scratch,
    /// Stored data, to be changed.
    Writer,
    /// Stored data, to be read.
    Reader,
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
        session.prepare(true)?;
        Ok(session)
    }

    fn prepare(&mut self, is_first: bool) -> Result<(), String> {
        let Opening { kind, prelude, .. } = &self.opening;
        let database = identifier(&self.opening.database);
        let mut own = Vec::new();
        match kind {
            Kind::Scratch => {}
            Kind::Writer => own.push(format!("SET ROLE {}", config::WRITER)),
            Kind::Reader => own.push(format!("SET ROLE {}", config::READER)),
        }
        if *kind != Kind::Reader {
            own.push(format!("CREATE DATABASE IF NOT EXISTS {database} ENGINE = Atomic"));
        }
        own.push(format!("USE {database}"));
        if *kind == Kind::Reader {
            // The mode that still takes limits, within their ceilings. It cannot be left.
            own.push("SET readonly = 2".to_owned());
        }
        if *kind == Kind::Scratch || is_first {
            own.extend(prelude.iter().cloned());
        }
        for statement in own {
            self.connection
                .query(&statement, &[], "Null")
                .map_err(|e| format!("{e}\nwhile preparing with: {statement}"))?;
        }
        Ok(())
    }

    /// Begins anew: the connection, with its settings and temporary tables, is gone, and of a private engine the database
    /// too. The engine removes what the tables stored later, by itself.
    fn reset(&mut self) -> Result<(), String> {
        self.limits = None;
        self.connection = self.opening.library.connect(&self.opening.args)?;
        if self.opening.kind == Kind::Scratch {
            let drop = format!("DROP DATABASE IF EXISTS {}", identifier(&self.opening.database));
            self.connection.query(&drop, &[], "Null")?;
        }
        self.prepare(false)
    }

    /// The first query, so that whoever is told "ready" does not pay for it.
    pub(super) fn warm(&mut self) -> Result<(), String> {
        self.connection.query("SELECT version()", &[], "TSVRaw").map(drop)
    }

    /// Does it. `out` is asked whether to go on, and takes the pieces of an answer that is streamed.
    pub(super) fn run(&mut self, work: &Work, out: &mut dyn Out) -> Result<Outcome, EngineError> {
        let nothing = |class| Outcome { class, body: Vec::new(), stats: Stats::default() };
        match work {
            Work::Query(request) => {
                let class = self.check(request)?;
                if request.allow == Allow::Parse {
                    return Ok(nothing(class));
                }
                self.limit(request.limits)?;
                let result = self.connection.query(&request.sql, &request.params, request.format.name());
                if !matches!(class, Class::Reads | Class::Changes) {
                    self.limits = None;
                }
                let (body, stats) = result.map_err(statement)?;
                let (bytes, limit) = (body.len() as u64, request.limits.result_bytes);
                if bytes > limit {
                    return Err(EngineError::TooLarge { bytes, limit });
                }
                Ok(Outcome { class, body, stats })
            }
            Work::Stream(request) => self.stream(request, out),
            Work::Insert(insert) => self.insert(insert, || out.go_on()),
            Work::Reset => match self.reset() {
                Ok(()) => Ok(nothing(Class::Control)),
                Err(why) => Err(statement(why)),
            },
        }
    }

    /// Whether it is one statement, and one that it may be.
    fn check(&mut self, request: &Request) -> Result<Class, EngineError> {
        let found = self.connection.classify(&request.sql);
        match found.statements {
            0 => return Err(self.not_a_statement(&request.sql)),
            1 => {}
            several => return Err(EngineError::SeveralStatements(several)),
        }
        let most = if self.opening.kind == Kind::Reader { Allow::Reads } else { Allow::Anything };
        let allow = request.allow.min(most);
        if allow == Allow::Parse || found.class.is_allowed(allow) {
            return Ok(found.class);
        }
        Err(EngineError::NotAllowed { class: found.class, allow })
    }

    fn stream(&mut self, request: &Request, out: &mut dyn Out) -> Result<Outcome, EngineError> {
        let class = self.check(request)?;
        if class != Class::Reads || request.allow == Allow::Parse {
            return Err(EngineError::NotAllowed { class, allow: Allow::Reads });
        }
        self.limit(request.limits)?;
        let limit = request.limits.result_bytes;
        let mut bytes = 0;
        let result = self.connection.stream(&request.sql, &request.params, request.format.name(), |piece| {
            bytes += piece.len() as u64;
            bytes <= limit && out.piece(piece)
        });
        if !matches!(result, Ok(Some(_))) {
            // One that was killed and then taken back stays in the engine's list until the connection's next statement.
            let _ = self.connection.query("SELECT 1", &[], "Null");
        }
        match result.map_err(statement)? {
            Some(stats) => Ok(Outcome { class, body: Vec::new(), stats }),
            None if bytes > limit => Err(EngineError::TooLarge { bytes, limit }),
            None => Err(EngineError::Cancelled),
        }
    }

    fn insert(&mut self, insert: &Insert, go_on: impl FnMut() -> bool) -> Result<Outcome, EngineError> {
        if self.opening.kind == Kind::Reader {
            return Err(EngineError::NotAllowed { class: Class::Changes, allow: Allow::Reads });
        }
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

/// Where the pieces of an answer go.
pub(super) trait Out {
    /// Whether somebody still waits for the answer.
    fn go_on(&self) -> bool;
    /// Sends a piece, when there is room for it; `false` when nobody waits any more.
    fn piece(&mut self, bytes: Vec<u8>) -> bool;
}

fn statement(text: impl AsRef<str>) -> EngineError {
    EngineError::Statement(StatementError::parse(text.as_ref()))
}
