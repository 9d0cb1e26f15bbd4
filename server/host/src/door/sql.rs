//! `/v0/sql`: one statement of a user, over the names of the live release.

use std::sync::Arc;

use axum::Extension;
use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use headwater_engine::compile::{Around, Mention};
use headwater_template::Parameters;
use headwater_warehouse::Format;

use super::Door;
use super::answer::{self, Question, compile, compile_failure, content_type};
use super::failure::Failure;
use super::guard::must;
use super::input::{self, Fields};
use crate::gate::Readable;
use crate::tokens::{Access, Holder, Rows, Scope};

const SECTION: &str = "sql";

/// What decides about statements of users: nothing reaches the engine that it did not pass.
pub trait Gate: Send + Sync {
    /// Whether `sql` may run over these tables.
    ///
    /// # Errors
    ///
    /// Why it may not, in words for whoever wrote it.
    fn check(&self, sql: &str, tables: &Readable) -> Result<Passed, String>;

    /// Whether the engine reads the statement as the gate did; `reading` is its `EXPLAIN AST`.
    ///
    /// # Errors
    ///
    /// How the readings differ.
    fn confirm(&self, passed: &Passed, tables: &Readable, reading: &str) -> Result<(), String>;
}

/// A statement that passed.
pub struct Passed {
    /// The format that it asks for itself.
    pub format: Option<String>,
    /// What the gate needs to compare readings.
    pub reading: Box<dyn std::any::Any + Send + Sync>,
}

pub(super) async fn answer(
    State(door): State<Arc<Door>>,
    Extension(holder): Extension<Holder>,
    request: Request,
) -> Result<Response, Failure> {
    let reads =
        holder.access.scopes().iter().any(|scope| matches!(scope, Scope::Read { .. } | Scope::Pipe(_)));
    must(&holder, reads || holder.access.may_read_all(), "run queries", "DATASOURCES:READ:NAME")?;
    let (head, content) = request.into_parts();
    let (mut fields, raw) = input::read(&door, &head, content, SECTION).await?;
    let sql = statement(&mut fields, raw)?;
    let format = match fields.take("default_format") {
        Some(name) => named_format(&name)?,
        None => Format::Tsv,
    };
    let pipeline = fields.take("pipeline");
    let limits = door.limits.query;
    let access = holder.access.clone();
    let question = compile(&door, &holder.access, move |compiler, workspace| {
        let pipe = match &pipeline {
            Some(name) => Some(compiler.pipe(name).ok_or_else(|| {
                Failure::new(StatusCode::NOT_FOUND, SECTION, format!("there is no pipe `{name}`"))
            })?),
            None => None,
        };
        let around = Around { pipe, aliases: &[] };
        let parameters = Parameters::from_pairs(fields.pairs().iter().map(|(n, v)| (n.as_str(), v.as_str())));
        let may = |mention: Mention<'_>| may_read(&access, mention);
        let statement = compiler.query_for(&sql, around, &parameters, Some(&may));
        let statement = statement.map_err(|e| compile_failure(e, SECTION))?;
        Ok(Question::new(compiler, workspace, &access, statement, format, limits))
    });
    let answered = answer::ask(&door, &question.await?).await?;
    let kind = HeaderValue::from_static(content_type(&answered.format));
    Ok(([(header::CONTENT_TYPE, kind)], Body::from(answered.answer.body)).into_response())
}

/// Whether a query may say a name.
pub(super) fn may_read(access: &Access, mention: Mention<'_>) -> Result<(), String> {
    let (may, scope) = match mention {
        Mention::Source(name) => (access.rows(name).is_some(), format!("DATASOURCES:READ:{name}")),
        Mention::Pipe(name) => (access.may_ask(name), format!("PIPES:READ:{name}")),
        Mention::Quarantine(name) => {
            (access.rows(name) == Some(Rows::All), format!("DATASOURCES:READ:{name} without a filter"))
        }
        // What a pipe does not publish, and what is about everybody.
        Mention::Node(_) | Mention::Service(..) => (access.may_read_all(), "WORKSPACE:READ_ALL".to_owned()),
    };
    if may { Ok(()) } else { Err(format!("this token may not read {mention}: that takes the scope {scope}")) }
}

/// The format of that name.
pub(super) fn named_format(name: &str) -> Result<Format, Failure> {
    let known = Format::ALL.iter().find(|f| f.name().eq_ignore_ascii_case(name));
    known.copied().ok_or_else(|| {
        let names: Vec<&str> = Format::ALL.iter().map(|f| f.name()).collect();
        let message = format!("`default_format` is one of {}", names.join(", "));
        Failure::new(StatusCode::BAD_REQUEST, SECTION, message)
    })
}

/// The statement of a request: `q` of the query string or of a form, or the body.
fn statement(fields: &mut Fields, raw: Option<Bytes>) -> Result<String, Failure> {
    let refuse = |message: &str| Err(Failure::new(StatusCode::BAD_REQUEST, SECTION, message));
    let mut found: Vec<String> = fields.all("q").map(str::to_owned).collect();
    fields.take("q");
    if let Some(raw) = raw.filter(|r| !r.is_empty()) {
        let Ok(text) = String::from_utf8(raw.to_vec()) else { return refuse("the statement is not UTF-8") };
        found.push(text);
    }
    match found.len() {
        1 => Ok(found.remove(0)),
        0 => refuse("there is no statement: send it as `q`, or as the body"),
        _ => refuse("there are several statements; send one, as `q` or as the body"),
    }
}
