//! Errors as clients see them.

use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};

use crate::protocol::ErrorBody;

/// A request that is not answered, in the format's shape: `{"error": …, "documentation": …}`.
#[derive(Debug)]
pub(super) struct Failure {
    status: StatusCode,
    message: String,
    /// The section of the page that explains it.
    section: &'static str,
    /// The whole answer, in the project's own words.
    body: Option<String>,
    headers: Vec<(HeaderName, HeaderValue)>,
}

const PAGE: &str = "docs/reference/http.md";

impl Failure {
    pub(super) fn new(status: StatusCode, section: &'static str, message: impl Into<String>) -> Self {
        Self { status, message: message.into(), section, body: None, headers: Vec::new() }
    }

    /// An answer that the project itself gives: JSON.
    pub(super) fn custom(status: StatusCode, body: String) -> Self {
        Self { body: Some(body), ..Self::new(status, "", "") }
    }

    /// The same with what had been done before.
    pub(super) fn after(mut self, what: &str) -> Self {
        self.message = format!("{}. {what}", self.message);
        self
    }

    /// The same with a header.
    pub(super) fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.push((name, value));
        self
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let mut response = match self.body {
            Some(body) => {
                let kind = HeaderValue::from_static("application/json");
                (self.status, [(header::CONTENT_TYPE, kind)], body + "\n").into_response()
            }
            None => {
                let documentation = Some(format!("{PAGE}#{}", self.section));
                json(self.status, &ErrorBody { error: self.message, documentation })
            }
        };
        response.headers_mut().extend(self.headers);
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
