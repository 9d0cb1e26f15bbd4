//! The engine as the generator asks it.

use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use headwater_warehouse::{Format, Limits, Pool, PoolConfig, Program, Request};
use serde_json::Value;

/// Workers of this very program.
pub(crate) struct Engine {
    pub(crate) pool: Pool,
}

impl Engine {
    /// `workers` of them, without tables.
    pub(crate) fn new(workers: usize) -> Result<Self> {
        Self::with_prelude(workers, Vec::new())
    }

    /// Each worker first runs these statements.
    pub(crate) fn with_prelude(workers: usize, prelude: Vec<String>) -> Result<Self> {
        let library = crate::engine::library()?;
        let mut config = PoolConfig::new(Program::current()?, library);
        config.workers = workers;
        config.prelude = prelude;
        Ok(Self { pool: Pool::new(config) })
    }

    /// The rows of a statement as objects.
    pub(crate) fn rows(&self, sql: &str) -> Result<Vec<Value>> {
        let limits = Limits { time: Duration::from_secs(30), result_bytes: 64_000_000, ..Limits::default() };
        let answer = self
            .pool
            .query(Request::new(sql).format(Format::JsonEachRow).limits(limits))
            .with_context(|| format!("asking {sql}"))?;
        answer.text().lines().map(|line| Ok(serde_json::from_str(line)?)).collect()
    }
}

/// A column of text.
pub(crate) fn text<'a>(row: &'a Value, column: &str) -> Result<&'a str> {
    row[column].as_str().with_context(|| format!("no text in column {column}"))
}

/// A column that says yes or no.
pub(crate) fn flag(row: &Value, column: &str) -> Result<bool> {
    match &row[column] {
        Value::Bool(value) => Ok(*value),
        Value::Number(number) => Ok(number.as_u64() != Some(0)),
        Value::Null => Ok(false),
        other => bail!("column {column} is {other}"),
    }
}
