//! Questions put to a session.

use std::time::Duration;

use headwater_warehouse::{Allow, Answer, EngineError, Format, Limits, Request, Session};

use super::{Question, Rows};
use crate::Cancel;
use crate::json::Json;

/// How rows are wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// As cells.
    Cells,
    /// As JSON: one object with `meta`, `data` as objects, `rows`, `statistics`, like an endpoint's answer.
    Json,
    /// As JSON: an object on each line.
    Ndjson,
}

/// What a question cost, by the engine's own count.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Cost {
    /// Time in the engine.
    pub elapsed: Duration,
    /// Rows read from tables.
    pub rows_read: u64,
    /// Bytes read from tables, uncompressed.
    pub bytes_read: u64,
}

/// What came of a question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// Cells.
    Rows(Rows, Cost),
    /// A text in the shape that was wanted, and how many rows are in it.
    Text(String, usize, Cost),
}

impl Outcome {
    /// What it cost.
    pub fn cost(&self) -> Cost {
        match self {
            Self::Rows(_, cost) | Self::Text(_, _, cost) => *cost,
        }
    }
}

/// What a preview may cost.
pub(super) const LIMITS: Limits = Limits {
    time: Duration::from_secs(30),
    memory: 2_000_000_000,
    result_rows: 1_000_000,
    result_bytes: 64_000_000,
};

/// Asks questions on a session whose tables are there.
pub struct Asker<'s> {
    session: &'s Session,
    cancel: Cancel,
    limits: Limits,
}

impl<'s> Asker<'s> {
    /// Asks on this session, within the limits of previews.
    pub fn new(session: &'s Session, cancel: Cancel) -> Self {
        Self { session, cancel, limits: LIMITS }
    }

    /// The first `limit` rows.
    ///
    /// # Errors
    /// The engine's verdict, or what became of it; [`EngineError::Invalid`] when the engine reads the query otherwise than it was
    /// approved.
    pub fn ask(&self, question: &Question, limit: usize, shape: Shape) -> Result<Outcome, EngineError> {
        self.confirm(question)?;
        let format = if shape == Shape::Cells { Format::TsvWithNamesAndTypes } else { Format::JsonCompact };
        let answer = self.limited(question, limit, format)?;
        let cost = cost(&answer);
        let text = answer.text();
        let unreadable = || EngineError::Invalid("the engine's answer cannot be read".to_owned());
        if shape == Shape::Cells {
            let mut rows = Rows::parse(&text, question.has_totals).ok_or_else(unreadable)?;
            rows.cut(limit);
            return Ok(Outcome::Rows(rows, cost));
        }
        let (text, rows) = objects(&text, limit, shape, cost).ok_or_else(unreadable)?;
        Ok(Outcome::Text(text, rows, cost))
    }

    /// The first `limit` rows as a Parquet file.
    ///
    /// # Errors
    /// As [`Self::ask`]; [`EngineError::Invalid`] for an explanation, which has no columns to be stored.
    pub fn parquet(&self, question: &Question, limit: usize) -> Result<Vec<u8>, EngineError> {
        if !question.is_select() {
            return Err(EngineError::Invalid("an explanation is no table; take another format".to_owned()));
        }
        self.confirm(question)?;
        // Through a subquery, since rows beyond the limit cannot be cut off afterwards.
        let sql = format!("SELECT * FROM (\n{}\n) LIMIT {limit} FORMAT Parquet", question.statement.sql);
        self.send(&sql, question, Format::Tsv).map(|answer| answer.body)
    }

    /// What the engine would read of each table: parts, rows, marks.
    ///
    /// # Errors
    /// As [`Self::ask`].
    pub fn estimate(&self, question: &Question) -> Result<Rows, EngineError> {
        self.confirm(question)?;
        let sql = format!("EXPLAIN ESTIMATE {}", question.statement.sql);
        let answer = self.send(&sql, question, Format::TsvWithNamesAndTypes)?;
        Rows::parse(&answer.text(), false)
            .ok_or_else(|| EngineError::Invalid("the engine's answer cannot be read".to_owned()))
    }

    /// What computing all rows costs, and how many there are. Nothing is sent back.
    ///
    /// # Errors
    /// As [`Self::ask`].
    pub fn measure(&self, question: &Question, rounds: usize) -> Result<(u64, Cost), EngineError> {
        self.confirm(question)?;
        let counting = format!("SELECT count() FROM (\n{}\n)", question.statement.sql);
        let counted = self.send(&counting, question, Format::Tsv)?;
        let rows = counted.text().trim().parse().unwrap_or(0);
        let sql = format!("SELECT * FROM (\n{}\n) FORMAT Null", question.statement.sql);
        let mut best: Option<Cost> = None;
        for _ in 0..rounds.max(1) {
            let cost = cost(&self.send(&sql, question, Format::Tsv)?);
            if best.is_none_or(|best| cost.elapsed < best.elapsed) {
                best = Some(cost);
            }
        }
        Ok((rows, best.unwrap_or_default()))
    }

    /// The engine has to read the query as the gate did.
    fn confirm(&self, question: &Question) -> Result<(), EngineError> {
        let sql = format!("EXPLAIN AST {}", question.statement.sql);
        // What it cannot read it will refuse in its own words.
        let Ok(tree) = self.send(&sql, question, Format::TsvRaw) else { return self.alive() };
        headwater_gate::confirm(&question.approved, &question.allowed, &tree.text()).map_err(|why| {
            EngineError::Invalid(format!(
                "not run: the engine reads {why} in this query, which is not what was approved"
            ))
        })
    }

    fn alive(&self) -> Result<(), EngineError> {
        if self.cancel.is_cancelled() { Err(EngineError::Cancelled) } else { Ok(()) }
    }

    fn limited(&self, question: &Question, limit: usize, format: Format) -> Result<Answer, EngineError> {
        let sql = &question.statement.sql;
        // One more tells that there are more.
        let rows = limit.saturating_add(1);
        if question.is_select() && question.is_set {
            return self.send(&format!("SELECT * FROM (\n{sql}\n) LIMIT {rows}"), question, format);
        }
        if !question.is_select() {
            return self.send(sql, question, format);
        }
        // A setting, and no text: the query's own ORDER BY, LIMIT and SETTINGS stay what they are.
        self.set(&format!("SET limit = {rows}"))?;
        let answer = self.send(sql, question, format);
        let unset = self.set("SET limit = 0");
        let answer = answer?;
        unset.map(|()| answer)
    }

    fn set(&self, sql: &str) -> Result<(), EngineError> {
        self.session.query(Request::new(sql).allow(Allow::Anything)).map(drop)
    }

    fn send(&self, sql: &str, question: &Question, format: Format) -> Result<Answer, EngineError> {
        let mut request = Request::new(sql).format(format).limits(self.limits);
        for (name, value) in &question.statement.params {
            request = request.param(name, value);
        }
        self.cancel.wait(|| self.session.submit(request))
    }
}

fn cost(answer: &Answer) -> Cost {
    let stats = answer.stats;
    Cost { elapsed: stats.elapsed, rows_read: stats.read_rows, bytes_read: stats.read_bytes }
}

/// The engine's compact JSON as objects, and how many rows that are.
fn objects(text: &str, limit: usize, shape: Shape, cost: Cost) -> Option<(String, usize)> {
    let answer = Json::parse(text).ok()?;
    let Json::Array(_, meta) = answer.get("meta")? else { return None };
    let Json::Array(_, data) = answer.get("data")? else { return None };
    let names: Vec<String> = meta
        .iter()
        .map(|column| Some(crate::json::quote(&column.get("name")?.said())))
        .collect::<Option<_>>()?;
    let object = |row: &Json<'_>| {
        let Json::Array(_, cells) = row else { return None };
        let pairs: Vec<String> =
            names.iter().zip(cells).map(|(name, cell)| format!("{name}:{}", cell.raw())).collect();
        Some(format!("{{{}}}", pairs.join(",")))
    };
    let rows: Vec<String> = data.iter().take(limit).map(object).collect::<Option<_>>()?;
    let count = rows.len();
    if shape == Shape::Ndjson {
        let mut out = rows.join("\n");
        if count > 0 {
            out.push('\n');
        }
        return Some((out, count));
    }
    let meta: Vec<&str> = meta.iter().map(Json::raw).collect();
    let totals = match answer.get("totals") {
        Some(row) => format!(",\"totals\":{}", object(row)?),
        None => String::new(),
    };
    let out = format!(
        "{{\"meta\":[{}],\"data\":[{}]{totals},\"rows\":{count},\"more\":{},\"statistics\":{{\"elapsed\":{},\"rows_read\":{},\"bytes_read\":{}}}}}\n",
        meta.join(","),
        rows.join(","),
        data.len() > limit,
        cost.elapsed.as_secs_f64(),
        cost.rows_read,
        cost.bytes_read
    );
    Some((out, count))
}
