//! Answers to probes, kept in the cache folder: the generator may be changed and run again without asking twice.

use std::collections::HashMap;
use std::fs::{File, OpenOptions};
use std::io::{BufRead as _, BufReader, BufWriter, Write as _};
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use headwater_warehouse::{EngineError, Format, Limits, Request};

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
        Ok(Self { engine, from, known, file, asked: 0, known_only })
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
        let limits = Limits { time: Duration::from_secs(3), ..Limits::default() };
        for group in new.chunks(8192) {
            let requests = group.iter().map(|expression| {
                Request::new(format!("SELECT toTypeName({expression}){}", self.from))
                    .format(Format::TsvRaw)
                    .limits(limits)
            });
            let answers = self.engine.pool.query_batch(requests.collect());
            self.asked += group.len();
            for (expression, answer) in group.iter().zip(answers) {
                let verdict = match answer {
                    Ok(answer) => Verdict::Type(answer.text().trim_end_matches('\n').to_owned()),
                    Err(EngineError::Statement(error)) => {
                        let mut words = error.message.replace(['\t', '\n'], " ");
                        if let Some(at) = words.find(": In scope ") {
                            words.truncate(at);
                        }
                        words.truncate(
                            (0..=300.min(words.len()))
                                .rev()
                                .find(|n| words.is_char_boundary(*n))
                                .unwrap_or(0),
                        );
                        Verdict::Refused(error.code, words)
                    }
                    Err(EngineError::Unavailable(why)) => bail!("the engine is needed: {why}"),
                    Err(_) => Verdict::Lost,
                };
                let (kind, text) = match &verdict {
                    Verdict::Type(text) => ("t".to_owned(), text.as_str()),
                    Verdict::Refused(code, words) => (code.to_string(), words.as_str()),
                    Verdict::Lost => ("l".to_owned(), ""),
                };
                writeln!(self.file, "{expression}\t{kind}\t{text}\t.")?;
                self.known.insert(expression.clone(), verdict);
            }
            self.file.flush()?;
        }
        Ok(())
    }
}
