//! Rows on their way into a data source: bytes in; rows that fit as the engine reads them, and rows that do not with the
//! reasons, out. No row is lost.
//!
//! Pure: no engine is asked. What is certain to be refused is found here, column by column. Where only the engine knows (a
//! moment in an unusual spelling, a tuple), the row passes, and whoever inserts it asks the engine row by row when it
//! refuses a batch.

mod cells;
mod path;
mod value;

use std::borrow::Cow;

use headwater_catalog::Type;
use headwater_plan::Table;

pub use cells::{LineEnds, MARK};
pub use path::{Path, PathError};

use crate::json::{Json, push_quoted};
use path::Found;

/// A column as rows enter it.
#[derive(Debug, Clone)]
pub struct Column {
    /// Its name.
    pub name: String,
    /// Its type; `None` when it is not understood: then the engine decides.
    pub ty: Option<Type>,
    /// Where its values are in a JSON row; `None` for columns that rows do not fill.
    pub path: Option<Path>,
    /// It has a DEFAULT.
    pub has_default: bool,
}

/// How rows of one data source are read.
#[derive(Debug, Clone)]
pub struct Schema {
    columns: Vec<Column>,
}

/// Rows as they come out.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Batch {
    /// Rows that fit, one JSON object a line, with the columns' names: what the engine reads as `JSONEachRow`. A column that
    /// is not in a row gets its DEFAULT.
    pub rows: Vec<u8>,
    /// For each of them, where it starts in `rows`, and the line of the input it comes from, from 1.
    pub starts: Vec<(usize, usize)>,
    /// Rows that do not fit.
    pub quarantined: Vec<Quarantined>,
}

/// A row that does not fit, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Quarantined {
    /// Line of the input, from 1.
    pub line: usize,
    /// For each column of the schema, the value as a text; `None` where there is none.
    pub values: Vec<Option<String>>,
    /// Columns that do not fit; empty when it is the row as a whole.
    pub columns: Vec<String>,
    /// A reason for each of them.
    pub reasons: Vec<String>,
}

/// The cells of each line of comma-separated values, blank lines left out. Never fails. Linear.
pub fn csv_lines(bytes: &[u8]) -> Vec<Vec<String>> {
    cells::lines(bytes).into_iter().map(|line| line.cells).collect()
}

/// Why a value does not fit.
pub(crate) type Reason = String;

/// A value of a column as it will stand in a row.
enum Slot<'v> {
    /// The engine gives the column's DEFAULT.
    Default,
    /// This JSON.
    Value(Cow<'v, str>),
}

impl Schema {
    /// How rows enter a data source. Where no column has a path, rows go by the names of the columns.
    ///
    /// # Errors
    /// A path that cannot be read, with its column.
    pub fn new(table: &Table) -> Result<Self, (String, PathError)> {
        let by_name = table.columns.iter().all(|c| c.jsonpath.is_none());
        let columns = table.columns.iter().map(|c| {
            let path = match &c.jsonpath {
                Some(path) => Some(Path::parse(path).map_err(|e| (c.name.clone(), e))?),
                None => by_name.then(|| Path::key(&c.name)),
            };
            let ty = Type::parse(&c.ty).ok();
            Ok(Column { name: c.name.clone(), ty, path, has_default: c.default.is_some() })
        });
        Ok(Self { columns: columns.collect::<Result<_, _>>()? })
    }

    /// The columns.
    pub fn columns(&self) -> &[Column] {
        &self.columns
    }

    /// Rows as lines of JSON. A whole file that is one list of objects, or objects over several lines, is read too. Linear.
    pub fn ndjson(&self, bytes: &[u8]) -> Batch {
        let mut batch = Batch::default();
        let text = String::from_utf8_lossy(bytes);
        let text = text.trim_start_matches('\u{feff}');
        let first = text.lines().find(|l| !l.trim().is_empty()).unwrap_or_default();
        if Json::parse(first).is_err() || first.trim_start().starts_with('[') {
            let values = Json::parse_many(text).unwrap_or_default();
            let rows = match <[Json<'_>; 1]>::try_from(values) {
                Ok([Json::Array(_, items)]) => items,
                Ok([one]) => vec![one],
                Err(several) => several,
            };
            if !rows.is_empty() && rows.iter().all(|row| matches!(row, Json::Object(..))) {
                for (n, row) in rows.iter().enumerate() {
                    self.row(&mut batch, n + 1, row);
                }
                return batch;
            }
        }
        for (n, line) in text.lines().enumerate().filter(|(_, l)| !l.trim().is_empty()) {
            match Json::parse(line) {
                Ok(row @ Json::Object(..)) => self.row(&mut batch, n + 1, &row),
                Ok(_) => self.refuse(&mut batch, n + 1, line, "the line is JSON, but no object".to_owned()),
                Err(error) => self.refuse(&mut batch, n + 1, line, format!("the line is no JSON: {error}")),
            }
        }
        batch
    }

    /// Rows as comma-separated values. The first line may name the columns; cells go by position otherwise. Linear.
    pub fn csv(&self, bytes: &[u8]) -> Batch {
        let mut batch = Batch::default();
        let lines = cells::lines(bytes);
        let Some(first) = lines.first() else { return batch };
        let names: Vec<&str> = first.cells.iter().map(|c| c.trim()).collect();
        let known = names.iter().filter(|name| self.columns.iter().any(|c| c.name == **name)).count();
        // A row of data seldom says the names of half the columns.
        let has_header = known * 2 >= names.len() && known > 0;
        // Columns that no cell of the header names get what is missing.
        let order: Vec<Option<usize>> = if has_header {
            names.iter().map(|name| self.columns.iter().position(|c| c.name == *name)).collect()
        } else {
            (0..self.columns.len()).map(Some).collect()
        };
        for line in &lines[usize::from(has_header)..] {
            self.cells(&mut batch, &order, line);
        }
        batch
    }

    /// A row of cells; `order` says for each cell which column it is for. `\N` is NULL. Where nothing stands between two
    /// separators a column has its DEFAULT, of texts too: an empty text is written as two quotes then.
    fn cells(&self, batch: &mut Batch, order: &[Option<usize>], line: &cells::Line) {
        let cells::Line { number: line, cells, blank } = line;
        let line = *line;
        if cells.len() > order.len() {
            let reason = format!("the line has {} cells, the table has {} columns", cells.len(), order.len());
            return self.refuse(batch, line, &cells.join(","), reason);
        }
        let mut texts: Vec<Option<&str>> = vec![None; self.columns.len()];
        let mut defaults = vec![false; self.columns.len()];
        for ((cell, column), is_blank) in cells.iter().zip(order).zip(blank) {
            if let Some(column) = column {
                texts[*column] = Some(cell);
                defaults[*column] = *is_blank && self.columns[*column].has_default;
            }
        }
        self.texts_or(batch, line, &texts, &defaults);
    }

    /// A row whose values are texts, for each column of the schema; `None` where there is none.
    pub fn texts(&self, batch: &mut Batch, line: usize, texts: &[Option<&str>]) {
        self.texts_or(batch, line, texts, &[]);
    }

    /// The same; columns for which `defaults` holds get their DEFAULT.
    fn texts_or(&self, batch: &mut Batch, line: usize, texts: &[Option<&str>], defaults: &[bool]) {
        let slot = |(n, (column, text)): (usize, (&Column, &Option<&str>))| {
            if defaults.get(n).is_some_and(|d| *d) {
                return Ok(Slot::Default);
            }
            let is_text = column.ty.as_ref().is_some_and(value::holds_texts);
            let is_nullable = column.ty.as_ref().is_some_and(value::takes_null);
            match text {
                Some(text) if *text != "\\N" && (!text.is_empty() || is_text && !is_nullable) => {
                    let quoted = crate::json::quote(text);
                    column.slot(&Found::One(&Json::Text(&quoted))).map(Slot::into_owned)
                }
                _ => column.slot(&Found::Missing).map(Slot::into_owned),
            }
        };
        let slots: Vec<_> = self.columns.iter().zip(texts).enumerate().map(slot).collect();
        let values = || texts.iter().map(|t| t.map(str::to_owned)).collect();
        self.finish(batch, line, slots, values);
    }

    fn row(&self, batch: &mut Batch, line: usize, row: &Json<'_>) {
        let found: Vec<Found<'_, '_>> = self
            .columns
            .iter()
            .map(|c| c.path.as_ref().map_or(Found::Unfilled, |path| path.find(row)))
            .collect();
        let slots = self.columns.iter().zip(&found).map(|(column, found)| column.slot(found)).collect();
        let values = || found.iter().map(Found::text).collect();
        self.finish(batch, line, slots, values);
    }

    fn finish(
        &self,
        batch: &mut Batch,
        line: usize,
        slots: Vec<Result<Slot<'_>, Reason>>,
        values: impl FnOnce() -> Vec<Option<String>>,
    ) {
        if slots.iter().any(Result::is_err) {
            let (columns, reasons) = self
                .columns
                .iter()
                .zip(slots)
                .filter_map(|(column, slot)| Some((column.name.clone(), slot.err()?)))
                .unzip();
            batch.quarantined.push(Quarantined { line, values: values(), columns, reasons });
            return;
        }
        let mut text = String::from("{");
        for (column, slot) in self.columns.iter().zip(slots) {
            if let Ok(Slot::Value(value)) = slot {
                if text.len() > 1 {
                    text.push(',');
                }
                push_quoted(&column.name, &mut text);
                text.push(':');
                text.push_str(&value);
            }
        }
        text.push_str("}\n");
        batch.starts.push((batch.rows.len(), line));
        batch.rows.extend_from_slice(text.as_bytes());
    }

    /// A row of which nothing can be read. The text itself is kept among the reasons: there is no column for it.
    fn refuse(&self, batch: &mut Batch, line: usize, text: &str, reason: Reason) {
        let values = vec![None; self.columns.len()];
        let reasons = vec![reason, format!("the line: {}", text.trim_end())];
        batch.quarantined.push(Quarantined { line, values, columns: Vec::new(), reasons });
    }

    /// A row that the engine refused, with its words. `row` is its text in [`Batch::rows`].
    pub fn refused(&self, line: usize, row: &str, reason: Reason) -> Quarantined {
        let json = Json::parse(row).ok();
        let value = |column: &Column| {
            let value = json.as_ref()?.get(&column.name)?;
            (*value != Json::Null).then(|| value.said().into_owned())
        };
        let values = self.columns.iter().map(value).collect();
        // The engine names the column in some of its words.
        let named = self.columns.iter().filter(|c| {
            let quoted = [format!("`{}`", c.name), format!("'{}'", c.name), format!("key {})", c.name)];
            quoted.iter().any(|name| reason.contains(name.as_str()))
        });
        let columns = named.map(|c| c.name.clone()).collect();
        Quarantined { line, values, columns, reasons: vec![reason] }
    }
}

impl Slot<'_> {
    fn into_owned(self) -> Slot<'static> {
        match self {
            Self::Default => Slot::Default,
            Slot::Value(value) => Slot::Value(Cow::Owned(value.into_owned())),
        }
    }
}

impl Column {
    /// What a value becomes (specification §4.3, §19.5): missing and null become the DEFAULT or NULL, else they do not
    /// fit.
    fn slot<'v>(&self, found: &Found<'_, 'v>) -> Result<Slot<'v>, Reason> {
        let takes_null = self.ty.as_ref().is_none_or(value::takes_null);
        match found {
            Found::Unfilled => Ok(Slot::Default),
            Found::Missing if self.has_default || takes_null => Ok(Slot::Default),
            Found::Missing => {
                Err("the value is missing, and the column has no DEFAULT and is not Nullable".to_owned())
            }
            Found::One(Json::Null) if takes_null => Ok(Slot::Value(Cow::Borrowed("null"))),
            Found::One(Json::Null) if self.has_default => Ok(Slot::Default),
            Found::One(Json::Null) => {
                Err("the value is null, and the column has no DEFAULT and is not Nullable".to_owned())
            }
            Found::One(json) => match &self.ty {
                Some(ty) => value::convert(ty, json).map(Slot::Value),
                None => Ok(Slot::Value(Cow::Owned(json.raw().to_owned()))),
            },
            Found::Many(items) => match &self.ty {
                Some(ty) => value::convert_list(ty, items).map(Slot::Value),
                None => Err("the type is not understood".to_owned()),
            },
        }
    }
}

#[cfg(test)]
mod tests;
