//! Why a template does not become SQL.

use std::fmt;

use text_size::TextRange;

/// A failed render: what, where, and what to do.
///
/// Values of secrets are in none of its parts; the renderer never sees them as text.
#[derive(Debug, Clone, PartialEq)]
pub struct RenderError {
    /// The place in the template that is to blame.
    pub range: TextRange,
    /// What went wrong.
    pub kind: ErrorKind,
    /// For people: what is wrong, and what to do about it.
    pub message: String,
    /// The HTTP status of the answer.
    pub status: u16,
}

/// What can go wrong.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The template does not parse, or its statements are none.
    Syntax,
    /// A function, method, operator or name that templates may not use there.
    Forbidden,
    /// The request lacks these parameters, in order of use: all that are certain to be needed.
    MissingParameters(Vec<String>),
    /// A value that its type function refuses.
    Validation {
        /// The parameter, where the value is one's.
        parameter: Option<String>,
    },
    /// `{{ }}` of a value that is `None`.
    Null,
    /// An operation that its values do not allow: `1 + 'a'`, an index outside of a list.
    Evaluation,
    /// A secret that does not exist and has no default.
    UnknownSecret {
        /// Its name.
        name: String,
    },
    /// `error(message)`.
    User,
    /// `custom_error(object, status)`.
    Custom {
        /// The object as JSON: the body of the answer.
        body: String,
    },
    /// The template prints nothing but white space.
    Empty,
    /// A limit of [`Limits`](crate::Limits).
    Limit(LimitKind),
}

/// The limits that a render can meet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum LimitKind {
    /// The caller's clock.
    Time,
    /// Steps of work.
    Steps,
    /// Rounds of loops.
    Rounds,
    /// Bytes of SQL.
    Output,
    /// Bytes of a text.
    Text,
    /// Items of a list.
    Items,
    /// Nesting of values and expressions.
    Depth,
    /// Bits of a whole number.
    Integer,
}

impl fmt::Display for RenderError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for RenderError {}

/// Why an expression has no value.
#[derive(Debug, Clone)]
pub(crate) enum Stop {
    /// Nobody knows without the request or what the template did before.
    Unknown,
    /// The render fails here, unless a `try` catches it.
    Fault(Box<Fault>),
}

/// An error on its way to the place that knows the range.
#[derive(Debug, Clone)]
pub(crate) struct Fault {
    pub(crate) kind: ErrorKind,
    /// The class that `except` catches it by: Python's name, or empty for what nothing catches.
    pub(crate) class: &'static str,
    pub(crate) message: String,
    pub(crate) status: u16,
    pub(crate) range: Option<TextRange>,
}

impl Fault {
    #[expect(clippy::new_ret_no_self, reason = "a fault is only ever on its way up")]
    pub(crate) fn new(kind: ErrorKind, class: &'static str, message: impl Into<String>) -> Stop {
        let status = if kind == ErrorKind::Limit(LimitKind::Time) { 408 } else { 400 };
        Stop::Fault(Box::new(Self { kind, class, message: message.into(), status, range: None }))
    }

    /// An operation that its values do not allow, with Python's class for it.
    pub(crate) fn python(class: &'static str, message: impl Into<String>) -> Stop {
        Self::new(ErrorKind::Evaluation, class, message)
    }

    pub(crate) fn validation(parameter: Option<&str>, message: impl Into<String>) -> Stop {
        let kind = ErrorKind::Validation { parameter: parameter.map(str::to_owned) };
        Self::new(kind, "ValueError", message)
    }

    /// The error, at `range` if nothing more exact is known.
    pub(crate) fn at(self, range: TextRange) -> RenderError {
        RenderError {
            range: self.range.unwrap_or(range),
            kind: self.kind,
            message: self.message,
            status: self.status,
        }
    }

    /// Whether `except class` catches it.
    pub(crate) fn is_a(&self, class: &str) -> bool {
        !self.class.is_empty()
            && (matches!(class, "" | "Exception" | "BaseException")
                || class == self.class
                || class == "LookupError" && matches!(self.class, "KeyError" | "IndexError")
                || class == "ArithmeticError" && matches!(self.class, "ZeroDivisionError" | "OverflowError"))
    }
}

impl Stop {
    /// The same with a place, if it has none yet.
    pub(crate) fn at(mut self, range: TextRange) -> Self {
        if let Self::Fault(fault) = &mut self {
            fault.range.get_or_insert(range);
        }
        self
    }
}

/// `value` as messages quote it: what a request passed may be long, and may hold anything.
pub(crate) fn quoted(value: &str) -> String {
    const SHOWN: usize = 60;
    let mut out: String = value.chars().take(SHOWN).flat_map(char::escape_debug).collect();
    if value.chars().nth(SHOWN).is_some() {
        out.push('…');
    }
    format!("'{out}'")
}
