//! Why a statement has no answer.

use std::fmt;
use std::time::Duration;

use crate::request::{Allow, Class};

/// Why a statement has no answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EngineError {
    /// The engine refused it or failed at it; the worker lives on.
    Statement(StatementError),
    /// The text holds this many statements. Send them one by one.
    SeveralStatements(u32),
    /// The text holds no statement: it is blank, or only comments.
    NoStatement,
    /// The statement does more than the request allows. It was not run.
    NotAllowed {
        /// What it does.
        class: Class,
        /// What it may do.
        allow: Allow,
    },
    /// The answer is larger than the request allows.
    TooLarge {
        /// Its size, bytes.
        bytes: u64,
        /// The limit, bytes.
        limit: u64,
    },
    /// The rows of an insert are more bytes than are allowed. Nothing was sent.
    InsertTooLarge {
        /// Their size, bytes.
        bytes: u64,
        /// The limit, bytes.
        limit: u64,
    },
    /// The request makes no statement: an insert without columns, a setting with an impossible name.
    Invalid(String),
    /// The session's worker is gone, and its tables with it. [`Session::reset`](crate::Session::reset) begins anew.
    SessionLost(String),
    /// The engine did not end in time by itself, so its process was ended.
    TimedOut(Duration),
    /// The caller took the request back.
    Cancelled,
    /// The worker died while this statement was in it. A new one takes its place.
    Crashed(String),
    /// There is no engine: it is not installed, does not load, or dies again and again. The text says what to do.
    Unavailable(String),
}

/// The engine's own words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatementError {
    /// The engine's number of the error, 62 for a syntax error.
    pub code: i32,
    /// Its name, such as `UNKNOWN_IDENTIFIER`; empty when the engine gave none.
    pub name: String,
    /// What it says, without number and name.
    pub message: String,
    /// Where, as a byte offset into the statement; only syntax errors have one.
    pub position: Option<u32>,
}

impl StatementError {
    /// Takes the engine's text apart: `Code: 62. DB::Exception: … failed at position 8 … (SYNTAX_ERROR)`.
    pub(crate) fn parse(text: &str) -> Self {
        let mut rest = text.trim();
        let mut code = 0;
        // Errors that crossed a thread are wrapped again: the same head twice.
        while let Some((number, behind)) = rest.strip_prefix("Code: ").and_then(|t| t.split_once(". ")) {
            let Ok(number) = number.parse() else { break };
            code = number;
            rest = behind.trim_start_matches("DB::Exception: ");
        }
        let mut name = "";
        while let Some((head, tail)) = rest.strip_suffix(')').and_then(|t| t.rsplit_once(" (")) {
            if tail.starts_with("version ") {
                rest = head;
            } else if !tail.is_empty()
                && tail.bytes().all(|b| b.is_ascii_uppercase() || b == b'_' || b.is_ascii_digit())
            {
                name = tail;
                rest = head;
            } else {
                break;
            }
        }
        let position = rest.split_once("failed at position ").and_then(|(_, behind)| {
            let digits: String = behind.chars().take_while(char::is_ascii_digit).collect();
            digits.parse::<u32>().ok()?.checked_sub(1)
        });
        Self { code, name: name.to_owned(), message: rest.trim_end().to_owned(), position }
    }

    /// Which row of an insert's data could not be read, counted from 1. Text formats say so.
    pub fn row(&self) -> Option<u64> {
        let (_, behind) = self.message.rsplit_once("(at row ")?;
        behind.split_once(')')?.0.parse().ok()
    }
}

impl fmt::Display for StatementError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.message)?;
        if !self.name.is_empty() {
            write!(f, " ({})", self.name)?;
        }
        Ok(())
    }
}

impl fmt::Display for EngineError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Statement(error) => error.fmt(f),
            Self::SeveralStatements(count) => {
                write!(
                    f,
                    "this is {count} statements; one at a time is run: remove what is behind the first `;`"
                )
            }
            Self::NoStatement => f.write_str("there is no statement here, only blanks or comments"),
            Self::NotAllowed { class, allow } => {
                let does = match class {
                    Class::Reads => "reads",
                    Class::Changes => "changes tables",
                    Class::ChangesGlobals => "changes functions, users or named collections",
                    Class::Control => "changes the session or writes outside the engine",
                    Class::Unknown => "is of a kind this version does not know",
                };
                let may = match allow {
                    Allow::Parse => "it may only be parsed",
                    Allow::Reads => {
                        "only SELECT, SHOW, DESCRIBE and EXPLAIN are allowed, without INTO OUTFILE"
                    }
                    Allow::Changes => "only reading and changing tables is allowed",
                    Allow::Anything => "it cannot be allowed",
                };
                write!(f, "the statement {does}; here {may}")
            }
            Self::TooLarge { bytes, limit } => {
                write!(
                    f,
                    "the answer has {bytes} bytes, {limit} are allowed: add a LIMIT, or read fewer columns"
                )
            }
            Self::InsertTooLarge { bytes, limit } => {
                write!(
                    f,
                    "the rows have {bytes} bytes, {limit} are allowed in one insert: send them in parts"
                )
            }
            Self::Invalid(why) => f.write_str(why),
            Self::SessionLost(why) => {
                write!(f, "the engine of this session is gone, and its tables with it: {why}")
            }
            Self::TimedOut(after) => {
                write!(
                    f,
                    "the engine did not stop by itself and was ended after {:.1} s",
                    after.as_secs_f64()
                )
            }
            Self::Cancelled => f.write_str("cancelled"),
            Self::Crashed(detail) => {
                write!(f, "the engine died under this statement and was started again: {detail}")
            }
            Self::Unavailable(why) => f.write_str(why),
        }
    }
}

impl std::error::Error for StatementError {}
impl std::error::Error for EngineError {}

#[cfg(test)]
mod tests {
    use super::StatementError;

    fn parse(text: &str) -> (i32, String, String, Option<u32>) {
        let e = StatementError::parse(text);
        (e.code, e.name, e.message, e.position)
    }

    #[test]
    fn the_engines_text_is_taken_apart() {
        assert_eq!(
            parse(
                "Code: 62. DB::Exception: Syntax error: failed at position 18 (end of query): . Expected one of: x (y). (SYNTAX_ERROR)"
            ),
            (
                62,
                "SYNTAX_ERROR".into(),
                "Syntax error: failed at position 18 (end of query): . Expected one of: x (y).".into(),
                Some(17)
            )
        );
        assert_eq!(
            parse("Code: 452. DB::Exception: Code: 452. DB::Exception: Setting a is b. (SETTING_CONSTRAINT_VIOLATION) (version 26.7.2.1). (SETTING_CONSTRAINT_VIOLATION)").1,
            "SETTING_CONSTRAINT_VIOLATION"
        );
        assert_eq!(
            parse("something else (entirely)"),
            (0, String::new(), "something else (entirely)".into(), None)
        );
        let row = StatementError::parse(
            "Code: 27. DB::Exception: Cannot parse input: expected ',' before: 'x (at row 9)}\\n': (at row 500001)\n: While executing JSONEachRowRowInputFormat. (CANNOT_PARSE_INPUT_ASSERTION_FAILED) (version 26.7.2.1)",
        );
        assert_eq!((row.row(), row.code), (Some(500_001), 27));
        assert_eq!(StatementError::parse("(at row x)").row(), None);
        assert_eq!(parse("Code: x. y"), (0, String::new(), "Code: x. y".into(), None));
        assert_eq!(parse(""), (0, String::new(), String::new(), None));
    }
}
