//! The judge: an engine with the project's tables, empty.

use std::path::Path;
use std::time::Duration;

use anyhow::Result;
use headwater_analysis::{Database, File, FileKind, Interface, Project, interface, resource_name};
use headwater_warehouse::{Allow, EngineError, Format, Limits, Pool, PoolConfig, Program, Request};

/// What the engine says to a query.
pub(super) enum Verdict {
    /// Names and types of its columns.
    Columns(Vec<(String, String)>),
    /// It refuses: the code and the message.
    Refused(i32, String),
    /// It gave no opinion.
    Broken(String),
}

pub(super) struct Engine {
    pool: Pool,
}

/// What a data source's table is called: its file's name, and the workspace of a shared one before it.
pub(super) fn table_name(db: &Database, file: File) -> String {
    resource_name(db, file).clone()
}

impl Engine {
    /// An engine with a table for every data source that it can make one of.
    pub(super) fn new(db: &Database, project: Project, library: &Path, server: &Path) -> Result<Self> {
        let program = Program { path: server.to_owned(), args: vec!["engine-worker".to_owned()] };
        let mut config = PoolConfig::new(program.clone(), library.to_owned());
        config.workers = 1;
        let probe = Pool::new(config);
        let mut prelude = Vec::new();
        for file in project.files(db).iter().filter(|f| f.kind(db) == Some(FileKind::Datasource)) {
            let Some(face) = interface(db, *file) else { continue };
            for statement in [create(db, *file, face, true), create(db, *file, face, false)] {
                let request = Request::new(statement.clone()).allow(Allow::Changes);
                if probe.query(request).is_ok() {
                    prelude.push(statement);
                    break;
                }
            }
        }
        let mut config = PoolConfig::new(program, library.to_owned());
        config.workers = 1;
        config.prelude = prelude;
        Ok(Self { pool: Pool::new(config) })
    }

    /// What it says to each query.
    pub(super) fn describe(&self, queries: &[String]) -> Vec<Verdict> {
        let limits = Limits { time: Duration::from_secs(10), ..Limits::default() };
        let requests = queries.iter().map(|sql| {
            let sql = sql.trim().trim_end_matches(';');
            let mut request = Request::new(format!("DESCRIBE TABLE (\n{sql}\n)"))
                .format(Format::JsonCompact)
                .limits(limits);
            for name in placeholders(sql) {
                request = request.param(name, "");
            }
            request
        });
        let answers = self.pool.query_batch(requests.collect());
        answers
            .into_iter()
            .map(|answer| match answer {
                Ok(answer) => columns(&answer.text()),
                Err(EngineError::Statement(e)) => Verdict::Refused(e.code, e.message),
                Err(other) => Verdict::Broken(other.to_string()),
            })
            .collect()
    }
}

/// `{name: String}` in a query.
fn placeholders(sql: &str) -> Vec<String> {
    let mut names = Vec::new();
    for (at, _) in sql.match_indices('{') {
        let Some((name, rest)) = sql[at + 1..].split_once(':') else { continue };
        let name = name.trim();
        let is_name = !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || c == '_');
        if is_name && rest.trim_start().starts_with("String") && !names.iter().any(|n| n == name) {
            names.push(name.to_owned());
        }
    }
    names
}

fn columns(answer: &str) -> Verdict {
    let parsed: Option<Vec<(String, String)>> = (|| {
        let answer: serde_json::Value = serde_json::from_str(answer).ok()?;
        let rows = answer.get("data")?.as_array()?;
        rows.iter()
            .map(|row| Some((row.get(0)?.as_str()?.to_owned(), row.get(1)?.as_str()?.to_owned())))
            .collect()
    })();
    parsed.map_or_else(|| Verdict::Broken("an answer that is none".to_owned()), Verdict::Columns)
}

/// The statement that makes a data source's table; with its own engine and keys, or with the plainest.
fn create(db: &Database, file: File, face: &Interface, faithful: bool) -> String {
    let columns: Vec<_> = face
        .columns
        .iter()
        .map(|c| {
            let default = c.default.as_ref().filter(|_| faithful);
            let default = default.map_or_else(String::new, |d| format!(" DEFAULT {d}"));
            format!("`{}` {}{default}", c.name, c.ty)
        })
        .collect();
    let engine = match &face.engine {
        Some(engine) if faithful => {
            let name = if engine.name.contains('(') { "MergeTree".to_owned() } else { engine.name.clone() };
            let key = engine.sorting_key.as_deref().unwrap_or("tuple()");
            let is_stored = !name.eq_ignore_ascii_case("Null");
            if is_stored { format!("{name} ORDER BY ({key})") } else { name }
        }
        _ => "MergeTree ORDER BY tuple()".to_owned(),
    };
    format!("CREATE TABLE `{}` ({}) ENGINE = {engine}", table_name(db, file), columns.join(", "))
}
