//! Errors as clients see them.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};

use crate::protocol::ErrorBody;

/// A request that is not answered, in the format's shape: `{"error": …, "documentation": …}`.
#[derive(Debug)]
pub(super) struct Failure {
    status: StatusCode,
    message: String,
    /// The section of the page that explains it.
    section: &'static str,
}

const PAGE: &str = "docs/reference/http.md";

impl Failure {
    pub(super) fn new(status: StatusCode, section: &'static str, message: impl Into<String>) -> Self {
        Self { status, message: message.into(), section }
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let body = ErrorBody { error: self.message, documentation: Some(format!("{PAGE}#{}", self.section)) };
        let mut response = json(self.status, &body);
        if self.status == StatusCode::UNAUTHORIZED {
            response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}

/// `value` as an answer.
pub(super) fn json(status: StatusCode, value: &impl serde::Serialize) -> Response {
    let (status, text) = match serde_json::to_string(value) {
        Ok(text) => (status, text),
        Err(e) => {
            (StatusCode::INTERNAL_SERVER_ERROR, serde_json::json!({ "error": e.to_string() }).to_string())
        }
    };
    (status, [(header::CONTENT_TYPE, HeaderValue::from_static("application/json"))], text + "\n")
        .into_response()
}
