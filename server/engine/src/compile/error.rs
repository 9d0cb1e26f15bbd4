//! Why something of a project is no statement.

use std::fmt;

use headwater_analysis::{File, TextRange};
use headwater_template::{ErrorKind, RenderError};

/// Why there is no query.
#[derive(Debug, Clone, PartialEq)]
pub struct CompileError {
    /// For people: what is wrong and what to do. Of an endpoint, the text of its answer's `error`.
    pub message: String,
    /// The HTTP status an endpoint answers with.
    pub status: u16,
    /// The whole body of the answer, where a template gives it: `custom_error`.
    pub body: Option<String>,
    /// Whose words the message are.
    pub origin: ErrorOrigin,
    /// The node, and the place in its text.
    pub place: Option<(File, usize, TextRange)>,
}

/// Whose words an error's message are: texts of the platform are not the same everywhere, a project's own are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ErrorOrigin {
    /// The project's: `error()` and `custom_error()`.
    Project,
    /// Of this program, about a request; the words that any wording has to hold: names of parameters, values.
    Request(Vec<String>),
    /// Of this program, about the project's files.
    Files,
}

impl CompileError {
    pub(super) fn project(message: String) -> Self {
        Self { message, status: 400, body: None, origin: ErrorOrigin::Files, place: None }
    }

    pub(super) fn forbidden(message: String) -> Self {
        Self { status: 403, ..Self::project(message) }
    }

    pub(super) fn render(error: RenderError, at: Option<(File, usize)>) -> Self {
        let (body, origin) = match &error.kind {
            ErrorKind::User => (None, ErrorOrigin::Project),
            ErrorKind::Custom { body } => (Some(body.clone()), ErrorOrigin::Project),
            ErrorKind::MissingParameters(names) => (None, ErrorOrigin::Request(names.clone())),
            ErrorKind::Validation { parameter } => {
                (None, ErrorOrigin::Request(parameter.iter().cloned().collect()))
            }
            ErrorKind::Null | ErrorKind::Evaluation | ErrorKind::Limit(_) => {
                (None, ErrorOrigin::Request(Vec::new()))
            }
            _ => (None, ErrorOrigin::Files),
        };
        let place = at.map(|(file, node)| (file, node, error.range));
        Self { message: error.message, status: error.status, body, origin, place }
    }
}

impl fmt::Display for CompileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for CompileError {}
