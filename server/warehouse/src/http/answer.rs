//! What a server's answer says: errors in a body, and counts in a header.

use std::time::Duration;

use crate::error::{EngineError, StatementError};
use crate::request::Stats;

/// An error as the server writes it: `Code: 62. DB::Exception: … (SYNTAX_ERROR) (version 26.7.2.1 (official build))`.
pub(super) fn error(text: &str, code_header: Option<i32>) -> EngineError {
    let text = text.trim();
    // The version has brackets of its own.
    let cut = text.rfind(" (version ").filter(|at| text[*at..].ends_with(')')).unwrap_or(text.len());
    let mut error = StatementError::parse(&text[..cut]);
    if error.code == 0 {
        error.code = code_header.unwrap_or(0);
    }
    if error.code == 62 && error.message.contains("Multi-statements are not allowed") {
        return EngineError::SeveralStatements(2);
    }
    if error.code == 62
        && (error.message.contains("Empty query") || error.message.contains("Empty statement"))
    {
        return EngineError::NoStatement;
    }
    match error.code {
        QUERY_WAS_CANCELLED => EngineError::Cancelled,
        SESSION_NOT_FOUND => EngineError::SessionLost(error.message),
        AUTHENTICATION_FAILED
        | REQUIRED_PASSWORD
        | UNKNOWN_USER
        | WRONG_PASSWORD
        | IP_ADDRESS_NOT_ALLOWED => {
            EngineError::Unavailable(format!("the server does not let us in: {}", error.message))
        }
        _ => EngineError::Statement(error),
    }
}

const UNKNOWN_USER: i32 = 192;
const WRONG_PASSWORD: i32 = 193;
const REQUIRED_PASSWORD: i32 = 194;
const IP_ADDRESS_NOT_ALLOWED: i32 = 195;
const SESSION_NOT_FOUND: i32 = 372;
const QUERY_WAS_CANCELLED: i32 = 394;
const AUTHENTICATION_FAILED: i32 = 516;

/// Codes with which a server says that it has not begun: asking again does nothing twice.
pub(super) fn is_not_begun(error: &EngineError) -> bool {
    // TOO_MANY_SIMULTANEOUS_QUERIES
    matches!(error, EngineError::Statement(e) if e.code == 202)
}

/// The counts of `X-ClickHouse-Summary`, an object whose values are digits in quotes.
pub(super) fn summary(header: &str, elapsed: Duration) -> Stats {
    let number = |name: &str| {
        let behind = header.split_once(&format!("\"{name}\":")).map_or("", |(_, behind)| behind);
        let digits = behind.trim_start_matches([' ', '"']);
        let end = digits.find(|c: char| !c.is_ascii_digit()).unwrap_or(digits.len());
        digits[..end].parse::<u64>().ok()
    };
    Stats {
        elapsed: number("elapsed_ns").filter(|n| *n > 0).map_or(elapsed, Duration::from_nanos),
        result_rows: number("result_rows").unwrap_or(0),
        read_rows: number("read_rows").unwrap_or(0),
        read_bytes: number("read_bytes").unwrap_or(0),
        written_rows: number("written_rows").unwrap_or(0),
        written_bytes: number("written_bytes").unwrap_or(0),
    }
}

/// Cuts an answer that arrives bit by bit into pieces of whole rows, and finds the error that a server writes behind rows that
/// it has sent already.
pub(super) struct Cutter {
    /// Of newer servers: what an error is framed with, different in every answer.
    tag: Option<String>,
    held: Vec<u8>,
}

/// What is held back because it may be the beginning of an error, bytes.
const TAIL: usize = 32 << 10;
/// Pieces have about this size.
const PIECE: usize = 1 << 20;

impl Cutter {
    pub(super) fn new(tag: Option<String>) -> Self {
        Self { tag, held: Vec::new() }
    }

    /// Takes bytes, and gives whole rows when there are enough.
    pub(super) fn take(&mut self, bytes: &[u8]) -> Option<Vec<u8>> {
        self.held.extend_from_slice(bytes);
        if self.held.len() < PIECE + TAIL {
            return None;
        }
        let end = self.held[..self.held.len() - TAIL].iter().rposition(|b| *b == b'\n')? + 1;
        let rest = self.held.split_off(end);
        Some(std::mem::replace(&mut self.held, rest))
    }

    /// The rest of the rows, or the error behind them.
    pub(super) fn finish(self) -> Result<Vec<u8>, EngineError> {
        let text = String::from_utf8_lossy(&self.held);
        if let Some(tag) = &self.tag {
            let marker = format!("__exception__\r\n{tag}\r\n");
            if let Some((_, behind)) = text.split_once(&marker) {
                // Behind the message are its length and the tag again.
                let end = behind.rfind(&format!(" {tag}")).unwrap_or(behind.len());
                let message = behind[..end].trim_end_matches(|c: char| c.is_ascii_digit());
                return Err(error(message, None));
            }
            return Ok(self.held);
        }
        let at = text.rfind("Code: ").filter(|at| {
            let tail = text[*at..].trim_end();
            tail.contains(". DB::Exception: ") && tail.contains(" (version ") && tail.ends_with(')')
        });
        match at {
            Some(at) => Err(error(&text[at..], None)),
            None => Ok(self.held),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_keep_number_name_and_text() {
        let text = "Code: 60. DB::Exception: Unknown table expression identifier 'x' in scope SELECT 1. (UNKNOWN_TABLE) (version 25.8.1.1 (official build))\n";
        let EngineError::Statement(e) = error(text, None) else { panic!() };
        assert_eq!((e.code, e.name.as_str()), (60, "UNKNOWN_TABLE"));
        assert!(e.message.ends_with("SELECT 1."), "{e:?}");
        assert!(matches!(error("what", Some(7)), EngineError::Statement(e) if e.code == 7));
        let several = "Code: 62. DB::Exception: Syntax error (Multi-statements are not allowed): failed at position 9 (end of query). (SYNTAX_ERROR) (version 26.7.2.1)";
        assert_eq!(error(several, None), EngineError::SeveralStatements(2));
        let denied = "Code: 516. DB::Exception: default: Authentication failed. (AUTHENTICATION_FAILED)";
        assert!(
            matches!(error(denied, None), EngineError::Unavailable(why) if why.contains("does not let us in"))
        );
    }

    #[test]
    fn counts_are_digits_in_quotes() {
        let header = r#"{"read_rows":"12","read_bytes":"96","written_rows":"0","total_rows_to_read":"0","result_rows":"3","elapsed_ns":"1500"}"#;
        let stats = summary(header, Duration::ZERO);
        assert_eq!(
            (stats.read_rows, stats.read_bytes, stats.result_rows, stats.written_rows),
            (12, 96, 3, 0)
        );
        assert_eq!(stats.elapsed, Duration::from_nanos(1500));
        assert_eq!(summary("nonsense", Duration::from_secs(1)).elapsed, Duration::from_secs(1));
    }

    #[test]
    fn pieces_are_whole_rows_and_errors_are_found_behind_them() {
        let row = b"some row of text\n";
        let mut cutter = Cutter::new(None);
        let mut got = Vec::new();
        for _ in 0..200_000 {
            if let Some(piece) = cutter.take(row) {
                assert_eq!(piece.last(), Some(&b'\n'));
                got.extend(piece);
            }
        }
        got.extend(cutter.finish().expect("rows"));
        assert_eq!(got, row.repeat(200_000));
        let mut old = Cutter::new(None);
        old.take(b"1\n2\nCode: 395. DB::Exception: Value: while. (FUNCTION_THROW_IF_VALUE_IS_NON_ZERO) (version 24.3.1.1 (official build))\n");
        assert!(matches!(old.finish(), Err(EngineError::Statement(e)) if e.code == 395));
        let mut new = Cutter::new(Some("abc".to_owned()));
        new.take(b"1\n\r\n__exception__\r\nabc\r\nCode: 159. DB::Exception: Timeout exceeded. (TIMEOUT_EXCEEDED) (version 26.1)\n93 abc\r\n__exception__\r\n");
        assert!(matches!(new.finish(), Err(EngineError::Statement(e)) if e.name == "TIMEOUT_EXCEEDED"));
        let mut text = Cutter::new(Some("abc".to_owned()));
        text.take(b"Code: 1. DB::Exception: x (version 1)\n");
        assert!(
            text.finish().is_ok(),
            "rows that look like an error are rows where the server says how errors look"
        );
    }
}
