//! sqlglot, in an interpreter of its own that keeps its own time.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use crate::parsers::Parser;

const SCRIPT: &str = include_str!("sqlglot.py");

/// An interpreter that answers one line of JSON by another.
pub(crate) struct SqlGlot {
    name: String,
    child: Child,
    stdin: ChildStdin,
    stdout: BufReader<ChildStdout>,
}

impl SqlGlot {
    /// `name` without the version, which it says itself.
    pub(crate) fn start(name: &str, program: &Path) -> Result<Self> {
        let mut child = Command::new(program)
            .args(["-c", SCRIPT])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .with_context(|| format!("cannot start {}", program.display()))?;
        let stdin = child.stdin.take().context("no input")?;
        let mut stdout = BufReader::new(child.stdout.take().context("no output")?);
        let mut version = String::new();
        stdout.read_line(&mut version)?;
        ensure!(!version.trim().is_empty(), "{} has no sqlglot", program.display());
        Ok(Self { name: format!("{name} {}", version.trim()), child, stdin, stdout })
    }

    fn ask(&mut self, question: &Value) -> Result<Vec<Value>> {
        writeln!(self.stdin, "{question}")?;
        self.stdin.flush()?;
        let mut line = String::new();
        self.stdout.read_line(&mut line)?;
        serde_json::from_str(&line).with_context(|| format!("{} ended", self.name))
    }
}

impl Parser for SqlGlot {
    fn name(&self) -> &str {
        &self.name
    }

    fn clean(&mut self, texts: &[String]) -> Result<Vec<bool>> {
        let answers = self.ask(&json!({ "clean": texts }))?;
        answers.iter().map(|a| a.as_bool().context("no answer")).collect()
    }

    fn pass(&mut self, texts: &[&str]) -> Result<Vec<Duration>> {
        let answers = self.ask(&json!({ "pass": texts }))?;
        answers.iter().map(|a| Ok(Duration::from_nanos(a.as_u64().context("no time")?))).collect()
    }
}

impl Drop for SqlGlot {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
