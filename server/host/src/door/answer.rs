//! Statements on their way to the engine and back: compiled for whoever asks, past the gate, within limits.

use std::sync::{Arc, Mutex, PoisonError};

use axum::http::StatusCode;
use hashlink::LruCache;
use headwater_engine::compile::{CompileError, Compiler, ErrorOrigin, Statement, TableId};
use headwater_warehouse::{Answer, EngineError, Format, Limits};

use super::Door;
use super::failure::Failure;
use crate::gate::Readable;
use crate::log::Level;
use crate::tokens::Access;
use crate::workspace::Workspace;

/// Statements that passed are remembered up to this many, none longer than [`LONGEST_REMEMBERED`].
const REMEMBERED: usize = 512;
const LONGEST_REMEMBERED: usize = 16_384;

/// Statements that passed the gate and were confirmed by the engine: the same text over the same tables passes again. With
/// the format that it asks for.
pub struct Approvals(Mutex<LruCache<(String, Readable), Option<String>>>);

impl Default for Approvals {
    fn default() -> Self {
        Self(Mutex::new(LruCache::new(REMEMBERED)))
    }
}

/// A statement over tables, and how it is answered.
#[derive(Debug, Clone)]
pub(super) struct Question {
    pub(super) statement: Statement,
    pub(super) tables: Readable,
    /// Where the statement has none of its own.
    pub(super) format: Format,
    pub(super) limits: Limits,
    /// What tables are called to people, by what the engine calls them.
    names: Vec<(String, String)>,
}

/// What came back.
pub(super) struct Answered {
    pub(super) answer: Answer,
    /// The engine's name of the format.
    pub(super) format: String,
}

impl Question {
    pub(super) fn new(
        compiler: &Compiler<'_>,
        workspace: &Workspace,
        access: &Access,
        statement: Statement,
        format: Format,
        limits: Limits,
    ) -> Self {
        let layout = &compiler.options().layout;
        let physical = |id: &TableId| layout.bare(compiler.db(), id);
        let named = |id: &TableId| match id {
            TableId::Source(file) => headwater_analysis::resource_name(compiler.db(), *file).clone(),
            TableId::Quarantine(file) => {
                format!("{}_quarantine", headwater_analysis::resource_name(compiler.db(), *file))
            }
            TableId::Service(database, name) => format!("{database}.{name}"),
        };
        let names = statement.tables.iter().map(|id| (physical(id), named(id))).collect();
        let tables = Readable {
            database: workspace.database().to_owned(),
            names: statement.tables.iter().map(physical).collect(),
            named: statement.named,
            is_opaque: !compiler.options().filters.is_empty() || !access.may_read_all(),
        };
        Self { statement, tables, format, limits, names }
    }

    /// An engine's words as whoever asked may read them: names of the project, no values of secrets, nothing of the query
    /// that stands around theirs.
    fn shown(&self, message: &str) -> String {
        let mut text = message.to_owned();
        if let Some(at) =
            [" in scope ", ". In scope ", ": In scope ", ": While "].iter().filter_map(|m| text.find(m)).min()
        {
            let hint = text[at..].find("Maybe you meant").map(|n| text[at + n..].to_owned());
            text.truncate(at);
            text.extend(hint.map(|hint| format!(". {hint}")));
        }
        for (_, secret) in self.statement.params.iter().filter(|(_, value)| !value.is_empty()) {
            text = text.replace(secret.as_str(), "…");
        }
        for (physical, name) in &self.names {
            text =
                text.replace(&format!("{}.{physical}", self.tables.database), name).replace(physical, name);
        }
        text
    }
}

/// Compiles on a thread that may take its time.
pub(super) async fn compile<T: Send + 'static>(
    door: &Arc<Door>,
    access: &Access,
    ask: impl FnOnce(&Compiler<'_>, &Workspace) -> Result<T, Failure> + Send + 'static,
) -> Result<T, Failure> {
    let (door, access) = (door.clone(), access.clone());
    let made = tokio::task::spawn_blocking(move || {
        let workspace = door.workspace();
        let asked = workspace.compiled(&access, &door.secrets.reveal(), |compiler| ask(compiler, &workspace));
        asked.unwrap_or_else(|why| {
            Err(Failure::new(
                StatusCode::FORBIDDEN,
                "tokens",
                format!("a filter of this token is none: {why}"),
            ))
        })
    });
    made.await.unwrap_or_else(|_| {
        Err(Failure::new(StatusCode::INTERNAL_SERVER_ERROR, "sql", "the query could not be compiled"))
    })
}

/// Asks the engine.
pub(super) async fn ask(door: &Door, question: &Question) -> Result<Answered, Failure> {
    let sql = &question.statement.sql;
    let refuse = |why: String| Failure::new(StatusCode::BAD_REQUEST, "sql", question.shown(&why));
    let format = match door.approvals.find(question) {
        Some(format) => format,
        None => {
            let passed = door.gate.check(sql, &question.tables).map_err(refuse)?;
            let reading = format!("EXPLAIN AST {}", sql.trim_end_matches([';', ' ', '\n']));
            let reading =
                run(door, &reading, question, Format::TsvRaw).await.map_err(|e| failure(&e, question))?;
            door.gate.confirm(&passed, &question.tables, &reading.text()).map_err(refuse)?;
            door.approvals.remember(question, passed.format.clone());
            passed.format
        }
    };
    let answer = run(door, sql, question, question.format).await.map_err(|e| failure(&e, question))?;
    Ok(Answered { answer, format: format.unwrap_or_else(|| question.format.name().to_owned()) })
}

/// Asks the engine, and asks again when it died: a statement that reads may run twice, and it may have died of another one,
/// or of nothing that anybody here did.
async fn run(door: &Door, sql: &str, question: &Question, format: Format) -> Result<Answer, EngineError> {
    let once = || {
        let mut request = headwater_warehouse::Request::new(sql).format(format).limits(question.limits);
        request.params.clone_from(&question.statement.params);
        door.engine.submit(request).answer()
    };
    match once().await {
        Err(EngineError::Crashed(why)) => {
            door.log.event(Level::Warning, "engine-died", [("why", why.into())]);
            once().await
        }
        other => other,
    }
}

impl Approvals {
    fn find(&self, question: &Question) -> Option<Option<String>> {
        let key = (question.statement.sql.clone(), question.tables.clone());
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(&key).cloned()
    }

    fn remember(&self, question: &Question, format: Option<String>) {
        if question.statement.sql.len() <= LONGEST_REMEMBERED {
            let key = (question.statement.sql.clone(), question.tables.clone());
            self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(key, format);
        }
    }
}

/// An error of a project or of a request, with the status that it says.
pub(super) fn compile_failure(error: CompileError, section: &'static str) -> Failure {
    let status = StatusCode::from_u16(error.status).unwrap_or(StatusCode::BAD_REQUEST);
    match (error.body, &error.origin) {
        (Some(body), ErrorOrigin::Project) => Failure::custom(status, body),
        _ => Failure::new(status, section, error.message),
    }
}

fn failure(error: &EngineError, question: &Question) -> Failure {
    let status = match error {
        EngineError::TimedOut(_) => StatusCode::REQUEST_TIMEOUT,
        // The engine's own clock: TIMEOUT_EXCEEDED.
        EngineError::Statement(e) if e.code == 159 => StatusCode::REQUEST_TIMEOUT,
        EngineError::Crashed(_) => StatusCode::INTERNAL_SERVER_ERROR,
        EngineError::Unavailable(_) => StatusCode::SERVICE_UNAVAILABLE,
        _ => StatusCode::BAD_REQUEST,
    };
    Failure::new(status, "sql", question.shown(&error.to_string()))
}

/// The media type of the engine's format.
pub(super) fn content_type(format: &str) -> &'static str {
    let format = format.to_ascii_lowercase();
    match format.as_str() {
        f if f.starts_with("json") && (f.contains("eachrow") || f == "jsonlines") => "application/x-ndjson",
        "ndjson" => "application/x-ndjson",
        f if f.starts_with("json") => "application/json",
        f if f.starts_with("csv") => "text/csv; charset=utf-8",
        f if f.starts_with("tsv") || f.starts_with("tabseparated") => {
            "text/tab-separated-values; charset=utf-8"
        }
        "parquet" => "application/vnd.apache.parquet",
        "arrow" | "arrowstream" | "native" | "rowbinary" => "application/octet-stream",
        "prometheus" => "text/plain; version=0.0.4; charset=utf-8",
        _ => "text/plain; charset=utf-8",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_say_what_they_are() {
        for (format, kind) in [
            ("TSV", "text/tab-separated-values; charset=utf-8"),
            ("TSVWithNames", "text/tab-separated-values; charset=utf-8"),
            ("JSON", "application/json"),
            ("JSONCompact", "application/json"),
            ("JSONEachRow", "application/x-ndjson"),
            ("JSONCompactEachRow", "application/x-ndjson"),
            ("CSVWithNames", "text/csv; charset=utf-8"),
            ("Parquet", "application/vnd.apache.parquet"),
            ("Pretty", "text/plain; charset=utf-8"),
        ] {
            assert_eq!(content_type(format), kind, "{format}");
        }
    }

    #[test]
    fn the_engines_words_say_nothing_that_is_not_theirs() {
        let question = Question {
            statement: Statement {
                params: vec![("KEY".to_owned(), "hunter2".to_owned())],
                ..Statement::default()
            },
            tables: Readable { database: "data".to_owned(), ..Readable::default() },
            format: Format::Tsv,
            limits: Limits::default(),
            names: vec![("events_ab12_1".to_owned(), "events".to_owned())],
        };
        for (said, shown) in [
            ("Table data.events_ab12_1 does not exist", "Table events does not exist"),
            ("Cannot parse 'hunter2' as number", "Cannot parse '…' as number"),
            (
                "Unknown expression identifier `secre` in scope SELECT secre FROM view(SELECT * FROM t WHERE org = 'a'). Maybe you meant: ['secret']",
                "Unknown expression identifier `secre`. Maybe you meant: ['secret']",
            ),
            ("Division by zero: While executing FunctionDivide", "Division by zero"),
        ] {
            assert_eq!(question.shown(said), shown);
        }
    }
}
