//! Answers and exceptions as a server writes them.

use std::io::Write;

use axum::body::Body;
use axum::http::{HeaderValue, StatusCode};
use axum::response::Response;
use flate2::Compression;
use flate2::write::GzEncoder;
use headwater_warehouse::{EngineError, Stats};

/// The version that the shim claims, in the brackets behind exceptions.
const VERSION: &str = "26.7.2.1 (shim)";

/// An exception: status, header, and text.
pub(super) fn refusal(status: StatusCode, code: i32, name: &str, message: &str) -> Response {
    let mut response = Response::new(Body::from(text(code, name, message)));
    *response.status_mut() = status;
    put(&mut response, "x-clickhouse-exception-code", &code.to_string());
    response
}

fn text(code: i32, name: &str, message: &str) -> String {
    format!("Code: {code}. DB::Exception: {message} ({name}) (version {VERSION})\n")
}

/// An engine's error as an exception.
pub(super) fn error(error: &EngineError) -> Response {
    let (code, name, message) = exception(error);
    let status = match code {
        62 | 36 | 48 => StatusCode::BAD_REQUEST,
        60 | 81 => StatusCode::NOT_FOUND,
        _ => StatusCode::INTERNAL_SERVER_ERROR,
    };
    refusal(status, code, &name, &message)
}

fn exception(error: &EngineError) -> (i32, String, String) {
    let (code, name, message) = match error {
        EngineError::Statement(e) => return (e.code, e.name.clone(), e.message.clone()),
        EngineError::SeveralStatements(_) => (
            62,
            "SYNTAX_ERROR",
            "Syntax error (Multi-statements are not allowed): failed at position 1 (end of query)."
                .to_owned(),
        ),
        EngineError::NoStatement => (62, "SYNTAX_ERROR", "Syntax error: Empty query.".to_owned()),
        EngineError::NotAllowed { .. } => {
            (164, "READONLY", "Cannot execute query in readonly mode.".to_owned())
        }
        EngineError::Cancelled => (394, "QUERY_WAS_CANCELLED", "Query was cancelled.".to_owned()),
        EngineError::TimedOut(_) => (159, "TIMEOUT_EXCEEDED", error.to_string()),
        EngineError::TooLarge { .. } => (396, "TOO_MANY_ROWS_OR_BYTES", error.to_string()),
        EngineError::InsertTooLarge { .. } | EngineError::Invalid(_) => {
            (36, "BAD_ARGUMENTS", error.to_string())
        }
        EngineError::SessionLost(_) => (372, "SESSION_NOT_FOUND", error.to_string()),
        EngineError::Crashed(_) | EngineError::Unavailable(_) => (1001, "STD_EXCEPTION", error.to_string()),
    };
    (code, name.to_owned(), message)
}

/// An exception behind rows that are sent already: framed, so that no row is taken for one.
pub(super) fn late(error: &EngineError, tag: &str) -> Vec<u8> {
    let (code, name, message) = exception(error);
    let text = text(code, &name, &message);
    format!("\r\n__exception__\r\n{tag}\r\n{text}{} {tag}\r\n__exception__\r\n", text.len()).into_bytes()
}

/// An answer with its counts.
pub(super) fn answer(body: Body, stats: &Stats, id: &str, format: &str) -> Response {
    let mut response = Response::new(body);
    let summary = format!(
        r#"{{"read_rows":"{}","read_bytes":"{}","written_rows":"{}","written_bytes":"{}","total_rows_to_read":"0","result_rows":"{}","elapsed_ns":"{}"}}"#,
        stats.read_rows,
        stats.read_bytes,
        stats.written_rows,
        stats.written_bytes,
        stats.result_rows,
        stats.elapsed.as_nanos()
    );
    put(&mut response, "x-clickhouse-summary", &summary);
    put(&mut response, "x-clickhouse-query-id", id);
    put(&mut response, "x-clickhouse-format", format);
    response
}

/// Sets a header. What cannot be one is left out.
pub(super) fn put(response: &mut Response, name: &'static str, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        response.headers_mut().insert(name, value);
    }
}

/// `bytes`, compressed where the client wants it. Members may follow each other.
pub(super) fn pack(bytes: Vec<u8>, is_packed: bool) -> Vec<u8> {
    if !is_packed {
        return bytes;
    }
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    let packed = encoder.write_all(&bytes).and_then(|()| encoder.finish());
    packed.unwrap_or_default()
}
