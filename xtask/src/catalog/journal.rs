//! Answers to probes, kept in the cache folder: the generator may be changed and run again without asking twice.

use std::collections::HashMap;
use std::fs::{File, OpenOptions};
use std::io::{BufRead as _, BufReader, BufWriter, Write as _};
use std::ops::Range;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use headwater_warehouse::{Answer, EngineError, Format, Limits, Request};

use super::engine::Engine;

/// What the engine said of an expression.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Its type.
    Type(String),
    /// The error's number and words.
    Refused(i32, String),
    /// It hung or died: nothing is known.
    Lost,
}

/// Asks, and remembers.
pub(crate) struct Journal {
    engine: Engine,
    /// What stands behind the expression: ` FROM p`.
    from: &'static str,
    known: HashMap<String, Verdict>,
    file: BufWriter<File>,
    /// How many were really asked.
    pub(crate) asked: usize,
    /// Whether nothing new is asked: what is not known stays so.
    known_only: bool,
    /// The share of each function's answers of late that were types.
    accepted: HashMap<String, f64>,
}

impl Journal {
    /// With the answers of earlier runs of the same name.
    pub(crate) fn open(engine: Engine, name: &str, from: &'static str, known_only: bool) -> Result<Self> {
        let version = engine.rows("SELECT version() AS version")?;
        let version = super::engine::text(&version[0], "version")?.to_owned();
        let folder = crate::fetch::cache_dir()?.join("catalog");
        std::fs::create_dir_all(&folder)?;
        let path: PathBuf = folder.join(format!("{name}-{version}.tsv"));
        let mut known = HashMap::new();
        if let Ok(file) = File::open(&path) {
            for line in BufReader::new(file).lines() {
                let line = line?;
                // A line that was cut off by an end of the program is asked again.
                let cells: Vec<&str> = line.split('\t').collect();
                if let [expression, kind, text, "."] = cells[..] {
                    let verdict = match kind {
                        "t" => Verdict::Type(text.to_owned()),
                        "l" => Verdict::Lost,
                        code => match code.parse() {
                            Ok(code) => Verdict::Refused(code, text.to_owned()),
                            Err(_) => continue,
                        },
                    };
                    known.insert(expression.to_owned(), verdict);
                }
            }
        }
        let file = OpenOptions::new().create(true).append(true).open(&path);
        let file = BufWriter::new(file.with_context(|| format!("opening {}", path.display()))?);
        Ok(Self { engine, from, known, file, asked: 0, known_only, accepted: HashMap::new() })
    }

    /// The verdict on an expression that was asked before.
    pub(crate) fn get(&self, expression: &str) -> &Verdict {
        self.known.get(expression).unwrap_or(&Verdict::Lost)
    }

    /// How many of these are not known yet.
    pub(crate) fn unknown(&self, expressions: &[String]) -> usize {
        expressions.iter().filter(|e| !self.known.contains_key(*e)).count()
    }

    /// Asks what is not known yet.
    pub(crate) fn ask(&mut self, expressions: impl IntoIterator<Item = String>) -> Result<()> {
        if self.known_only {
            return Ok(());
        }
        let mut new: Vec<String> = expressions.into_iter().filter(|e| !self.known.contains_key(e)).collect();
        new.sort_unstable();
        new.dedup();
        for group in new.chunks(8192) {
            // Runs of one function, as long as its answers so far let hope that none of them fails the rest.
            let mut open: Vec<Range<usize>> = Vec::new();
            for (n, expression) in group.iter().enumerate() {
                let most = self.statement_size(expression);
                match open.last_mut() {
                    Some(run) if run.len() < most && function(&group[run.start]) == function(expression) => {
                        run.end = n + 1;
                    }
                    _ => open.push(n..n + 1),
                }
            }
            while !open.is_empty() {
                open = self.round(group, open)?;
            }
            self.file.flush()?;
        }
        Ok(())
    }

    /// How many expressions of a function are put into one statement.
    fn statement_size(&self, expression: &str) -> usize {
        match self.accepted.get(function(expression)) {
            Some(share) if *share > 0.98 => 32,
            Some(share) if *share > 0.95 => 8,
            _ => 1,
        }
    }

    /// Asks each range of the group in one statement; what failed together is to be asked in halves.
    fn round(&mut self, group: &[String], open: Vec<Range<usize>>) -> Result<Vec<Range<usize>>> {
        let limits = Limits { time: Duration::from_secs(3), ..Limits::default() };
        let requests = open.iter().map(|range| {
            let calls: Vec<String> =
                group[range.clone()].iter().map(|e| format!("toTypeName({e})")).collect();
            Request::new(format!("SELECT {}{}", calls.join(", "), self.from))
                .format(Format::TsvRaw)
                .limits(limits)
        });
        let answers = self.engine.pool.query_batch(requests.collect());
        let mut again = Vec::new();
        for (range, answer) in open.into_iter().zip(answers) {
            let expressions = &group[range.clone()];
            if let [expression] = expressions {
                let verdict = verdict(answer)?;
                self.note(expression, verdict)?;
                continue;
            }
            let text = answer.map(|a| a.text().into_owned()).unwrap_or_default();
            let types: Vec<&str> = text.trim_end_matches('\n').split('\t').collect();
            if types.len() == expressions.len() && !types.iter().any(|t| t.contains('\n')) {
                for (expression, ty) in expressions.iter().zip(types) {
                    self.note(expression, Verdict::Type(ty.to_owned()))?;
                }
            } else {
                let middle = range.start + range.len() / 2;
                again.extend([range.start..middle, middle..range.end]);
            }
        }
        Ok(again)
    }

    fn note(&mut self, expression: &str, verdict: Verdict) -> Result<()> {
        let (kind, text) = match &verdict {
            Verdict::Type(text) => ("t".to_owned(), text.as_str()),
            Verdict::Refused(code, words) => (code.to_string(), words.as_str()),
            Verdict::Lost => ("l".to_owned(), ""),
        };
        writeln!(self.file, "{expression}\t{kind}\t{text}\t.")?;
        let share = self.accepted.entry(function(expression).to_owned()).or_default();
        // The last fifty or so count.
        *share = 0.98 * *share + if matches!(verdict, Verdict::Type(_)) { 0.02 } else { 0.0 };
        self.known.insert(expression.to_owned(), verdict);
        self.asked += 1;
        Ok(())
    }
}

/// The function that an expression calls.
fn function(expression: &str) -> &str {
    expression.split_once('(').map_or(expression, |(name, _)| name)
}

/// What an answer to one expression says.
fn verdict(answer: Result<Answer, EngineError>) -> Result<Verdict> {
    Ok(match answer {
        // An array that is joined makes several rows, all of one type.
        Ok(answer) => Verdict::Type(answer.text().lines().next().unwrap_or_default().to_owned()),
        Err(EngineError::Statement(error)) => {
            let mut words = error.message.replace(['\t', '\n'], " ");
            if let Some(at) = words.find(": In scope ") {
                words.truncate(at);
            }
            words
                .truncate((0..=300.min(words.len())).rev().find(|n| words.is_char_boundary(*n)).unwrap_or(0));
            Verdict::Refused(error.code, words)
        }
        Err(EngineError::Unavailable(why)) => bail!("the engine is needed: {why}"),
        Err(_) => Verdict::Lost,
    })
}
