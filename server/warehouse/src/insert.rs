//! Rows on their way into a table. They travel as bytes beside the statement, never in it: inline rows with a blank line
//! between them had the rest run as SQL.

use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use crate::error::EngineError;
use crate::request::{Limits, Request};

/// Rows for one table, and how they are read.
///
/// They are written as **one block**: an error in the last row leaves nothing of the first. That holds for one partition of
/// a table without materialized views: the parts of several partitions, and those of views, are committed one after another,
/// so a process that is killed in between leaves some of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Insert {
    /// The database; the worker's own when there is none.
    pub database: Option<String>,
    /// The table's name, as it is: it is quoted here.
    pub table: String,
    /// The columns that the rows carry, by name. All others get their `DEFAULT`.
    pub columns: Vec<String>,
    /// How `data` is to be read.
    pub format: InputFormat,
    /// Settings of this insert alone, over those that make it one block. The last of a name counts.
    pub settings: Vec<(String, String)>,
    /// The rows. Shared, so that it can be sent again without a copy.
    pub data: Arc<Vec<u8>>,
    /// What it may cost. Those of results have no meaning here.
    pub limits: Limits,
}

impl Insert {
    /// Rows for `columns` of `table`, within the default limits.
    pub fn new<C: Into<String>>(
        table: impl Into<String>,
        columns: impl IntoIterator<Item = C>,
        format: InputFormat,
        data: impl Into<Vec<u8>>,
    ) -> Self {
        Self {
            database: None,
            table: table.into(),
            columns: columns.into_iter().map(Into::into).collect(),
            format,
            settings: Vec::new(),
            data: Arc::new(data.into()),
            limits: Limits::default(),
        }
    }

    /// The same into a table of another database.
    #[must_use]
    pub fn database(mut self, database: impl Into<String>) -> Self {
        self.database = Some(database.into());
        self
    }

    /// The same with a setting.
    #[must_use]
    pub fn setting(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.settings.push((name.into(), value.into()));
        self
    }

    /// The same with a token: a table with a deduplication window takes rows with the same token once.
    #[must_use]
    pub fn token(self, token: impl Into<String>) -> Self {
        self.setting("insert_deduplication_token", token)
    }

    /// The same with other limits.
    #[must_use]
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// `INSERT INTO … (…)`, without settings, format and rows.
    ///
    /// # Errors
    ///
    /// [`EngineError::Invalid`] when no column is named.
    pub(crate) fn head(&self) -> Result<String, EngineError> {
        if self.columns.is_empty() {
            return Err(EngineError::Invalid(format!(
                "an insert into {} names no columns: name those that the rows carry",
                self.table
            )));
        }
        let mut sql = String::from("INSERT INTO ");
        if let Some(database) = &self.database {
            let _ = write!(sql, "{}.", identifier(database));
        }
        let _ = write!(sql, "{} (", identifier(&self.table));
        for (n, column) in self.columns.iter().enumerate() {
            let _ = write!(sql, "{}{}", if n == 0 { "" } else { ", " }, identifier(column));
        }
        sql.push(')');
        Ok(sql)
    }

    /// `INSERT INTO … (…) SETTINGS …`, without format and rows.
    ///
    /// # Errors
    ///
    /// [`EngineError::Invalid`] when no column is named, or a setting's name is none.
    pub(crate) fn statement(&self) -> Result<String, EngineError> {
        let mut sql = self.head()?;
        sql.push_str(" SETTINGS ");
        let own = |name: &str| self.settings.iter().any(|(n, _)| n == name);
        let block = ONE_BLOCK.iter().filter(|(name, _)| !own(name)).map(|(n, v)| (*n, *v));
        // The engine takes the last of several values of a name; one is clearer, and says so to readers of its log.
        let settings = self.settings.iter().enumerate();
        let settings =
            settings.filter(|(n, (name, _))| self.settings[n + 1..].iter().all(|(later, _)| later != name));
        let settings = settings.map(|(_, (name, value))| (name.as_str(), value.as_str()));
        for (n, (name, value)) in block.chain(settings).enumerate() {
            if !is_setting(name) {
                return Err(EngineError::Invalid(format!("`{name}` is no name of a setting")));
            }
            let _ = write!(sql, "{}{name} = {}", if n == 0 { "" } else { ", " }, literal(value));
        }
        Ok(sql)
    }
}

/// What makes an insert one block of one part (per partition), whatever its size.
pub(crate) const ONE_BLOCK: [(&str, &str); 9] = [
    ("async_insert", "0"),
    ("max_threads", "1"),
    ("max_insert_threads", "1"),
    ("input_format_parallel_parsing", "0"),
    ("max_insert_block_size", "100000000"),
    ("min_insert_block_size_rows", "100000000"),
    ("min_insert_block_size_bytes", "0"),
    ("max_partitions_per_insert_block", "0"),
    ("insert_null_as_default", "0"),
];

/// Formats of rows that come in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InputFormat {
    /// One object per line.
    JsonEachRow,
    /// One array per line.
    JsonCompactEachRow,
    /// One object per line, whole, as the value of one `String` column.
    JsonAsString,
    /// One line, as the value of one `String` column.
    LineAsString,
    /// Comma-separated, no header.
    Csv,
    /// Comma-separated, names first.
    CsvWithNames,
    /// Tab-separated, escaped, no header.
    Tsv,
    /// Tab-separated, names first.
    TsvWithNames,
    /// A file of the columnar format, of any of its compressions.
    Parquet,
    /// The engine's own blocks.
    Native,
    /// The engine's values, row by row.
    RowBinary,
}

impl InputFormat {
    /// All of them.
    pub const ALL: [Self; 11] = [
        Self::JsonEachRow,
        Self::JsonCompactEachRow,
        Self::JsonAsString,
        Self::LineAsString,
        Self::Csv,
        Self::CsvWithNames,
        Self::Tsv,
        Self::TsvWithNames,
        Self::Parquet,
        Self::Native,
        Self::RowBinary,
    ];

    /// The engine's name for it.
    pub fn name(self) -> &'static str {
        match self {
            Self::JsonEachRow => "JSONEachRow",
            Self::JsonCompactEachRow => "JSONCompactEachRow",
            Self::JsonAsString => "JSONAsString",
            Self::LineAsString => "LineAsString",
            Self::Csv => "CSV",
            Self::CsvWithNames => "CSVWithNames",
            Self::Tsv => "TSV",
            Self::TsvWithNames => "TSVWithNames",
            Self::Parquet => "Parquet",
            Self::Native => "Native",
            Self::RowBinary => "RowBinary",
        }
    }
}

/// What a worker is given to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Work {
    Query(Request),
    /// The same, answered piece by piece.
    Stream(Request),
    Insert(Insert),
    /// Everything that earlier work left is dropped: tables, temporary tables, settings.
    Reset,
}

impl Work {
    pub(crate) fn limits(&self) -> Limits {
        match self {
            Self::Query(request) | Self::Stream(request) => request.limits,
            Self::Insert(insert) => insert.limits,
            Self::Reset => Limits::default(),
        }
    }

    /// How long its way to the worker may take, before the engine has seen it: a cancellation travels behind its rows.
    pub(crate) fn transfer(&self) -> Duration {
        match self {
            Self::Insert(insert) => Duration::from_micros(insert.data.len() as u64 / 20),
            _ => Duration::ZERO,
        }
    }

    pub(crate) fn limits_mut(&mut self) -> Option<&mut Limits> {
        match self {
            Self::Query(request) | Self::Stream(request) => Some(&mut request.limits),
            Self::Insert(insert) => Some(&mut insert.limits),
            Self::Reset => None,
        }
    }
}

impl From<Request> for Work {
    fn from(request: Request) -> Self {
        Self::Query(request)
    }
}

impl From<Insert> for Work {
    fn from(insert: Insert) -> Self {
        Self::Insert(insert)
    }
}

/// `name` as a quoted identifier, whatever is in it.
pub fn identifier(name: &str) -> String {
    format!("`{}`", name.replace('\\', "\\\\").replace('`', "\\`"))
}

/// `text` as a string literal, whatever is in it.
pub fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\\', "\\\\").replace('\'', "\\'"))
}

pub(crate) fn is_setting(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_alphabetic())
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_values_stay_what_they_are() {
        let insert = Insert::new("a`b\\", ["c d", "e"], InputFormat::Csv, "").database("x.y").token("it's\\");
        let sql = insert.statement().expect("whole");
        assert!(
            sql.starts_with("INSERT INTO `x.y`.`a\\`b\\\\` (`c d`, `e`) SETTINGS async_insert = '0', "),
            "{sql}"
        );
        assert!(sql.ends_with(", insert_deduplication_token = 'it\\'s\\\\'"), "{sql}");
    }

    #[test]
    fn the_last_of_a_setting_counts() {
        let insert = Insert::new("t", ["a"], InputFormat::Csv, "");
        let sql = insert.setting("max_threads", "2").setting("max_threads", "3").statement().expect("whole");
        assert!(sql.matches("max_threads").count() == 1 && sql.contains("max_threads = '3'"), "{sql}");
    }

    #[test]
    fn what_is_no_insert_is_refused() {
        let none = Insert::new("t", [] as [&str; 0], InputFormat::Csv, "").statement();
        assert!(matches!(none, Err(EngineError::Invalid(why)) if why.contains("names no columns")));
        for name in ["", "a b", "a = 1, b", "1a", "é"] {
            let bad = Insert::new("t", ["a"], InputFormat::Csv, "").setting(name, "1").statement();
            assert!(matches!(bad, Err(EngineError::Invalid(_))), "{name}");
        }
    }
}
