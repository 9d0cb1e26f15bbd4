//! `/v0/sql`: one statement of a user, past the gate, on the engine.

use std::sync::Arc;

use axum::Extension;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use headwater_warehouse::{Answer, EngineError, Format, Limits};

use super::Door;
use super::failure::Failure;
use super::{body, guard};
use crate::log::Level;
use crate::tokens::Holder;

/// What decides about statements of users: nothing reaches the engine that it did not pass.
pub trait Gate: Send + Sync {
    /// Whether `sql` may run.
    ///
    /// # Errors
    ///
    /// Why it may not, in words for whoever wrote it.
    fn check(&self, sql: &str) -> Result<Passed, String>;

    /// Whether the engine reads the statement as the gate did; `reading` is its `EXPLAIN AST`.
    ///
    /// # Errors
    ///
    /// How the readings differ.
    fn confirm(&self, passed: &Passed, reading: &str) -> Result<(), String>;
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
    guard::admin(&holder)?;
    let (sql, default_format) = statement(&door, request).await?;
    let refuse = |why: String| Failure::new(StatusCode::BAD_REQUEST, "sql", why);
    let passed = door.gate.check(&sql).map_err(refuse)?;
    let reading = format!("EXPLAIN AST {}", sql.trim_end_matches([';', ' ', '\n']));
    let reading = ask(&door, &reading, Format::TsvRaw).await.map_err(|e| failure(&e))?;
    door.gate.confirm(&passed, &reading.text()).map_err(refuse)?;
    let answer = ask(&door, &sql, default_format).await.map_err(|e| failure(&e))?;
    let kind =
        HeaderValue::from_static(content_type(passed.format.as_deref().unwrap_or(default_format.name())));
    Ok(([(header::CONTENT_TYPE, kind)], Body::from(answer.body)).into_response())
}

/// Asks the engine, and asks again when it died: a statement that reads may run twice, and it may have died of another one,
/// or of nothing that anybody here did.
async fn ask(door: &Door, sql: &str, format: Format) -> Result<Answer, EngineError> {
    let once = || {
        let request = headwater_warehouse::Request::new(sql).format(format).limits(Limits::default());
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

/// The statement of a request, `q` of the query string or of a form, or the body; and the format of the answer when the
/// statement has none.
async fn statement(door: &Door, request: Request) -> Result<(String, Format), Failure> {
    let refuse = |status, message: &str| Err(Failure::new(status, "sql", message));
    let (head, content) = request.into_parts();
    let mut fields = pairs(head.uri.query().unwrap_or_default().as_bytes());
    let mut raw = None;
    if head.method == Method::POST {
        let bytes = body::read(&head.headers, content, door.limits.sql_bytes, door.limits.body).await?;
        let kind = head.headers.get(header::CONTENT_TYPE).map_or(&b""[..], HeaderValue::as_bytes);
        let kind = kind.split(|b| *b == b';').next().unwrap_or_default().trim_ascii().to_ascii_lowercase();
        match kind.as_slice() {
            b"application/x-www-form-urlencoded" => fields.extend(pairs(&bytes)),
            b"" | b"text/plain" => raw = Some(bytes),
            _ => {
                let message = "send the statement as text/plain, or as `q` of a form";
                return refuse(StatusCode::UNSUPPORTED_MEDIA_TYPE, message);
            }
        }
    }
    let mut found: Vec<String> = Vec::new();
    let mut default_format = Format::Tsv;
    for (name, value) in fields {
        match name.as_str() {
            "q" => found.push(value),
            "default_format" => {
                let known = Format::ALL.iter().find(|f| f.name().eq_ignore_ascii_case(&value));
                let Some(known) = known else {
                    let names: Vec<&str> = Format::ALL.iter().map(|f| f.name()).collect();
                    let message = format!("`default_format` is one of {}", names.join(", "));
                    return refuse(StatusCode::BAD_REQUEST, &message);
                };
                default_format = *known;
            }
            "pipeline" => {
                let message = "`pipeline` is not understood here: name the pipe in the statement";
                return refuse(StatusCode::BAD_REQUEST, message);
            }
            _ => {}
        }
    }
    if let Some(raw) = raw.filter(|r| !r.is_empty()) {
        let Ok(text) = String::from_utf8(raw.to_vec()) else {
            return refuse(StatusCode::BAD_REQUEST, "the statement is not UTF-8");
        };
        found.push(text);
    }
    match found.as_slice() {
        [one] if one.trim_start().starts_with('%') => {
            refuse(StatusCode::BAD_REQUEST, "templates are not rendered here: send the SQL itself")
        }
        [one] => Ok((one.clone(), default_format)),
        [] => refuse(StatusCode::BAD_REQUEST, "there is no statement: send it as `q`, or as the body"),
        _ => refuse(StatusCode::BAD_REQUEST, "there are several statements; send one, as `q` or as the body"),
    }
}

fn pairs(text: &[u8]) -> Vec<(String, String)> {
    form_urlencoded::parse(text).map(|(n, v)| (n.into_owned(), v.into_owned())).collect()
}

fn failure(error: &EngineError) -> Failure {
    let status = match error {
        EngineError::TimedOut(_) => StatusCode::REQUEST_TIMEOUT,
        // The engine's own clock: TIMEOUT_EXCEEDED.
        EngineError::Statement(e) if e.code == 159 => StatusCode::REQUEST_TIMEOUT,
        EngineError::Crashed(_) => StatusCode::INTERNAL_SERVER_ERROR,
        EngineError::Unavailable(_) => StatusCode::SERVICE_UNAVAILABLE,
        _ => StatusCode::BAD_REQUEST,
    };
    Failure::new(status, "sql", error.to_string())
}

/// The media type of the engine's format.
fn content_type(format: &str) -> &'static str {
    let format = format.to_ascii_lowercase();
    match format.as_str() {
        f if f.starts_with("json") && (f.contains("eachrow") || f == "jsonlines") => "application/x-ndjson",
        "ndjson" => "application/x-ndjson",
        f if f.starts_with("json") => "application/json",
        f if f.starts_with("csv") => "text/csv; charset=utf-8",
        f if f.starts_with("tsv") || f.starts_with("tabseparated") => {
            "text/tab-separated-values; charset=utf-8"
        }
        "parquet" | "arrow" | "arrowstream" | "native" | "rowbinary" => "application/octet-stream",
        _ => "text/plain; charset=utf-8",
    }
}

#[cfg(test)]
mod tests {
    use super::content_type;

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
            ("Parquet", "application/octet-stream"),
            ("Pretty", "text/plain; charset=utf-8"),
        ] {
            assert_eq!(content_type(format), kind, "{format}");
        }
    }
}
