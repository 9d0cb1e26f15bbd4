//! The engine's opinion of statements.

use std::collections::HashMap;
use std::fs::{File, OpenOptions};
use std::io::{BufRead, BufReader, BufWriter, Write};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use super::tokens::{Kind, tokens};
use anyhow::{Context, Result, bail};
use headwater_warehouse::{EngineError, Format, Limits, Pool, PoolConfig, Program, Request};
use serde_json::{Value, json};

/// The code of a syntax error.
const SYNTAX_ERROR: i32 = 62;

/// What the engine says to a statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It parses; the tree as `EXPLAIN AST` prints it.
    Accepted(Arc<str>),
    /// It parses, and is refused for another reason before there is a tree: an unknown setting, an unset parameter.
    AcceptedWithoutTree,
    /// It does not parse; the byte where.
    SyntaxError(Option<u32>),
    /// The engine gave no opinion: it ran out of time, or died.
    None(String),
}

/// The engine, and the answers it gave before.
pub(super) struct Judge {
    pool: Option<Pool>,
    known: HashMap<String, Verdict>,
    file: Option<BufWriter<File>>,
}

impl Judge {
    /// With the answers of `file`, to which new ones are added. Whoever works on the grammar asks the same questions over
    /// and over, and the engine takes half a millisecond for each.
    pub(super) fn new(file: Option<&Path>) -> Result<Self> {
        let mut known = HashMap::new();
        let Some(path) = file else { return Ok(Self { pool: None, known, file: None }) };
        if path.is_file() {
            for line in BufReader::new(File::open(path)?).lines() {
                let line: Value = serde_json::from_str(&line?).context("no file of verdicts")?;
                if let (Some(sql), Some(verdict)) = (line[0].as_str(), Verdict::from_json(&line)) {
                    known.insert(sql.to_owned(), verdict);
                }
            }
        }
        let file = OpenOptions::new().create(true).append(true).open(path)?;
        Ok(Self { pool: None, known, file: Some(BufWriter::new(file)) })
    }

    /// Asks about many statements at once.
    pub(super) fn judge(&mut self, statements: &[&str]) -> Result<Vec<Verdict>> {
        let new: Vec<&str> = statements.iter().copied().filter(|s| !self.known.contains_key(*s)).collect();
        for group in new.chunks(4096) {
            let pool = match &self.pool {
                Some(pool) => pool,
                None => self.pool.insert(start()?),
            };
            for (sql, verdict) in group.iter().zip(ask(pool, group)?) {
                if let Some(file) = &mut self.file {
                    writeln!(file, "{}", verdict.to_json(sql))?;
                }
                self.known.insert((*sql).to_owned(), verdict);
            }
        }
        if let Some(file) = &mut self.file {
            file.flush()?;
        }
        statements
            .iter()
            .map(|s| self.known.get(*s).cloned().context("every statement has an answer"))
            .collect()
    }
}

impl Verdict {
    fn to_json(&self, sql: &str) -> Value {
        match self {
            Self::Accepted(tree) => json!([sql, "accepted", **tree]),
            Self::AcceptedWithoutTree => json!([sql, "accepted"]),
            Self::SyntaxError(at) => json!([sql, "refused", at]),
            Self::None(why) => json!([sql, "none", why]),
        }
    }

    fn from_json(line: &Value) -> Option<Self> {
        let text = line[2].as_str().map(str::to_owned);
        Some(match line[1].as_str()? {
            "accepted" => text.map_or(Self::AcceptedWithoutTree, |tree| Self::Accepted(tree.into())),
            "refused" => Self::SyntaxError(line[2].as_u64().and_then(|at| u32::try_from(at).ok())),
            "none" => Self::None(text?),
            _ => return None,
        })
    }
}

fn start() -> Result<Pool> {
    let library = crate::engine::library()?;
    let mut config = PoolConfig::new(Program { path: crate::build_worker()?, args: Vec::new() }, library);
    config.workers = 2;
    Ok(Pool::new(config))
}

fn ask(pool: &Pool, statements: &[&str]) -> Result<Vec<Verdict>> {
    const PREFIX: &str = "EXPLAIN AST ";
    let limits = Limits { time: Duration::from_secs(5), ..Limits::default() };
    let requests = statements.iter().map(|sql| {
        Request::new(format!("{PREFIX}{}", without_format(sql))).format(Format::TsvRaw).limits(limits)
    });
    let mut out = Vec::with_capacity(statements.len());
    for answer in pool.query_batch(requests.collect()) {
        out.push(match answer {
            // A FORMAT clause of the statement itself, or one that prints nothing.
            Ok(answer) => match answer.text() {
                text if text.starts_with("Select") || text.starts_with("Explain") => {
                    Verdict::Accepted(text.into())
                }
                _ => Verdict::AcceptedWithoutTree,
            },
            Err(EngineError::Statement(e)) if e.code == SYNTAX_ERROR => Verdict::SyntaxError(
                e.position.map(|p| p.saturating_sub(u32::try_from(PREFIX.len()).unwrap_or(0))),
            ),
            Err(EngineError::Statement(_) | EngineError::NotAllowed { .. }) => Verdict::AcceptedWithoutTree,
            Err(EngineError::SeveralStatements(_) | EngineError::NoStatement) => Verdict::SyntaxError(None),
            Err(EngineError::Unavailable(why)) => bail!("the engine is needed as the judge: {why}"),
            Err(other) => Verdict::None(other.to_string()),
        });
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
