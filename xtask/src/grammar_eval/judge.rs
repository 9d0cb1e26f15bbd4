//! The engine's opinion of statements.

use std::time::Duration;

use super::tokens::{Kind, tokens};
use anyhow::{Result, bail};
use headwater_warehouse::{EngineError, Format, Limits, Pool, Request};

/// The code of a syntax error.
const SYNTAX_ERROR: i32 = 62;

/// What the engine says to a statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It parses; the tree as `EXPLAIN AST` prints it.
    Accepted(String),
    /// It parses, and is refused for another reason before there is a tree: an unknown setting, an unset parameter.
    AcceptedWithoutTree,
    /// It does not parse; the byte where.
    SyntaxError(Option<u32>),
    /// The engine gave no opinion: it ran out of time, or died.
    None(String),
}

/// Asks about many statements at once.
pub(super) fn judge(pool: &Pool, statements: &[&str]) -> Result<Vec<Verdict>> {
    const PREFIX: &str = "EXPLAIN AST ";
    let limits = Limits { time: Duration::from_secs(5), ..Limits::default() };
    let mut out = Vec::with_capacity(statements.len());
    for group in statements.chunks(4096) {
        let requests = group.iter().map(|sql| {
            Request::new(format!("{PREFIX}{}", without_format(sql))).format(Format::TsvRaw).limits(limits)
        });
        for answer in pool.query_batch(requests.collect()) {
            out.push(match answer {
                // A FORMAT clause of the statement itself, or one that prints nothing.
                Ok(answer) => match answer.text() {
                    text if text.starts_with("Select") || text.starts_with("Explain") => {
                        Verdict::Accepted(text.into_owned())
                    }
                    _ => Verdict::AcceptedWithoutTree,
                },
                Err(EngineError::Statement(e)) if e.code == SYNTAX_ERROR => Verdict::SyntaxError(
                    e.position.map(|p| p.saturating_sub(u32::try_from(PREFIX.len()).unwrap_or(0))),
                ),
                Err(EngineError::Statement(_) | EngineError::NotAllowed { .. }) => {
                    Verdict::AcceptedWithoutTree
                }
                Err(EngineError::SeveralStatements(_) | EngineError::NoStatement) => {
                    Verdict::SyntaxError(None)
                }
                Err(EngineError::Unavailable(why)) => bail!("the engine is needed as the judge: {why}"),
                Err(other) => Verdict::None(other.to_string()),
            });
        }
    }
    Ok(out)
}

/// The statement without a `FORMAT` clause at its end, which would say how to print its tree.
fn without_format(sql: &str) -> &str {
    let solid: Vec<_> = tokens(sql).into_iter().filter(|(kind, _)| *kind != Kind::Space).collect();
    let word = |n: usize| solid.len().checked_sub(n).and_then(|n| solid.get(n)).filter(|t| t.0 == Kind::Word);
    match (word(2), word(1)) {
        (Some((_, range)), Some(_))
            if sql[range.clone()].eq_ignore_ascii_case("format") && range.start > 0 =>
        {
            &sql[..range.start]
        }
        _ => sql,
    }
}
