//! Bodies of requests, within a number of bytes and a time.

use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, StatusCode, header};
use http_body_util::{BodyExt, LengthLimitError, Limited};

use super::failure::Failure;

/// Reads a body whole.
pub(super) async fn read(
    headers: &HeaderMap,
    body: Body,
    limit: usize,
    time: Duration,
) -> Result<Bytes, Failure> {
    let plain =
        headers.get(header::CONTENT_ENCODING).is_none_or(|e| e.as_bytes().eq_ignore_ascii_case(b"identity"));
    if !plain {
        let message = "compressed bodies are not read here: send it without Content-Encoding";
        return Err(Failure::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "sql", message));
    }
    match tokio::time::timeout(time, Limited::new(body, limit).collect()).await {
        Ok(Ok(body)) => Ok(body.to_bytes()),
        Ok(Err(e)) if e.is::<LengthLimitError>() => {
            let message = format!("the body is longer than {limit} bytes");
            Err(Failure::new(StatusCode::PAYLOAD_TOO_LARGE, "limits", message))
        }
        Ok(Err(e)) => {
            Err(Failure::new(StatusCode::BAD_REQUEST, "limits", format!("the body cannot be read: {e}")))
        }
        Err(_) => {
            let message = format!("the body did not arrive within {} s", time.as_secs_f64());
            Err(Failure::new(StatusCode::REQUEST_TIMEOUT, "limits", message))
        }
    }
}
