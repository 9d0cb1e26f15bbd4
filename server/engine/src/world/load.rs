//! Samples into tables.

use headwater_analysis::{File, resource_name};
use headwater_template::Parameters;
use headwater_warehouse::{Allow, EngineError, Format, InputFormat, Insert};

use super::{LOADING, Note, Rows, Trouble, World, quoted};
use crate::compile::{Around, TableId};
use crate::fixtures::{SampleFormat, unpacked};
use crate::ingest::{Batch, Quarantined, Schema};
use crate::json::{push_quoted, quote};

impl World<'_> {
    /// Reads rows by the rules of ingestion and puts them into their data source.
    pub(super) fn load(&mut self, file: File, rows: &Rows) -> Result<(), Trouble> {
        let fail = |why: String| Trouble::Tables(format!("{} cannot be loaded: {why}", rows.origin));
        let table = self.compiler.table(file).map_err(|error| fail(error.to_string()))?;
        let schema = Schema::new(&table).map_err(|(column, e)| fail(format!("column `{column}`: {e}")))?;
        let unpacked = rows.packed.then(|| unpacked(&rows.bytes)).transpose().map_err(fail)?;
        let bytes = unpacked.as_ref().unwrap_or(&rows.bytes);
        let mut batch = match rows.format {
            SampleFormat::Json => schema.ndjson(bytes),
            SampleFormat::Csv => schema.csv(bytes),
            SampleFormat::Parquet => self.parquet(&schema, bytes).map_err(|t| fail_with(&fail, t))?,
            SampleFormat::Sql => {
                let bytes = self.generated(bytes).map_err(|t| fail_with(&fail, t))?;
                schema.ndjson(&bytes)
            }
        };
        let name = self.compiler.table_name(&TableId::Source(file));
        let columns: Vec<String> = table.columns.iter().map(|c| c.name.clone()).collect();
        let list: Vec<String> = columns.iter().map(|c| quoted(c)).collect();
        let list = list.join(", ");
        let layout = &self.compiler.options().layout;
        if self.starts_views(file) {
            let block = self.new_block(file)?;
            let bare = self.last_bare();
            self.insert(file, &bare, &schema, &columns, &mut batch).map_err(|t| fail_with(&fail, t))?;
            self.insert_select(&name, &list, &format!("SELECT {list} FROM {block}"), &[])
                .map_err(|t| fail_with(&fail, t))?;
            self.blocks.entry(file).or_default().push(block);
        } else {
            let bare = layout.bare(self.compiler.db(), &TableId::Source(file));
            self.insert(file, &bare, &schema, &columns, &mut batch).map_err(|t| fail_with(&fail, t))?;
        }
        if !batch.quarantined.is_empty() {
            self.notes.push(Note(quarantine_note(rows, resource_name(self.compiler.db(), file), &batch)));
            self.quarantined.entry(file).or_default().append(&mut batch.quarantined);
        }
        Ok(())
    }

    /// The bare name of the block that was made last.
    fn last_bare(&self) -> String {
        format!("{}block {}", self.compiler.options().layout.prefix, self.made.len() - 1)
    }

    /// Inserts the rows that fit as one block. Rows that the engine refuses leave the batch for the quarantine.
    fn insert(
        &mut self,
        file: File,
        bare: &str,
        schema: &Schema,
        columns: &[String],
        batch: &mut Batch,
    ) -> Result<(), Trouble> {
        if batch.starts.is_empty() {
            return Ok(());
        }
        match self.insert_rows(bare, columns, batch.rows.clone()) {
            Err(Trouble::Refused { .. }) => {}
            other => return other,
        }
        // One of them is at fault: a table that keeps nothing takes them part by part.
        let check = format!("{bare} check");
        let database = &self.compiler.options().layout.database;
        let name = format!("{}.{}", quoted(database), quoted(&check));
        let create = self.compiler.create_block(file, &name).map_err(|e| Trouble::Tables(e.to_string()))?;
        self.run(&create.replacen("ENGINE = Memory", "ENGINE = Null", 1))?;
        self.made.push(name);
        let mut refused = Vec::new();
        self.sift(&check, columns, batch, 0..batch.starts.len(), &mut refused)?;
        let mut kept = Batch::default();
        for (n, (start, line)) in batch.starts.iter().enumerate() {
            let text = row(batch, n);
            match refused.iter().find(|(at, _)| *at == n) {
                Some((_, why)) => {
                    let text = String::from_utf8_lossy(text);
                    batch.quarantined.push(schema.refused(*line, text.trim_end(), why.clone()));
                }
                None => {
                    kept.starts.push((kept.rows.len(), *line));
                    kept.rows.extend_from_slice(text);
                }
            }
            debug_assert!(*start <= batch.rows.len());
        }
        batch.rows = kept.rows;
        batch.starts = kept.starts;
        if batch.starts.is_empty() { Ok(()) } else { self.insert_rows(bare, columns, batch.rows.clone()) }
    }

    /// Finds the rows of a range that the engine refuses, by halves. Takes a logarithm of statements for each of them.
    fn sift(
        &mut self,
        check: &str,
        columns: &[String],
        batch: &Batch,
        range: std::ops::Range<usize>,
        refused: &mut Vec<(usize, String)>,
    ) -> Result<(), Trouble> {
        if range.is_empty() {
            return Ok(());
        }
        let from = batch.starts[range.start].0;
        let to = batch.starts.get(range.end).map_or(batch.rows.len(), |(start, _)| *start);
        match self.insert_rows(check, columns, batch.rows[from..to].to_vec()) {
            Ok(()) => Ok(()),
            Err(Trouble::Refused { message, name, .. }) if range.len() == 1 => {
                refused.push((range.start, format!("{} ({name})", plain(&message))));
                Ok(())
            }
            Err(Trouble::Refused { .. }) => {
                let middle = range.start + range.len() / 2;
                self.sift(check, columns, batch, range.start..middle, refused)?;
                self.sift(check, columns, batch, middle..range.end, refused)
            }
            Err(other) => Err(other),
        }
    }

    fn insert_rows(&mut self, bare: &str, columns: &[String], rows: Vec<u8>) -> Result<(), Trouble> {
        self.insert_as(bare, columns, InputFormat::JsonEachRow, rows)
    }

    pub(super) fn insert_as(
        &mut self,
        bare: &str,
        columns: &[String],
        format: InputFormat,
        rows: Vec<u8>,
    ) -> Result<(), Trouble> {
        let insert = Insert::new(bare, columns.iter(), format, rows)
            .database(self.compiler.options().layout.database.clone())
            .limits(LOADING);
        match self.cancel.wait(|| self.session.submit_insert(insert)) {
            Ok(answer) => {
                self.written += answer.stats.written_rows;
                Ok(())
            }
            Err(EngineError::Invalid(why)) => Err(Trouble::Tables(why)),
            Err(error) => Err(Trouble::of(error)),
        }
    }

    /// The rows that a query makes (specification §16.4).
    fn generated(&mut self, sql: &[u8]) -> Result<Vec<u8>, Trouble> {
        let sql = String::from_utf8_lossy(sql);
        let statement = self
            .compiler
            .query(&sql, Around::default(), &Parameters::new())
            .map_err(|error| Trouble::Tables(error.to_string()))?;
        self.prepare(&statement)?;
        let answer =
            self.send(&statement.sql, &statement.params, Format::JsonEachRow, LOADING, Allow::Reads)?;
        Ok(answer.body)
    }

    /// The table of rows that did not fit.
    pub(super) fn make_quarantine(&mut self, file: File) -> Result<(), Trouble> {
        self.ensure(&TableId::Source(file))?;
        let id = TableId::Quarantine(file);
        self.create(&id)?;
        let rows = self.quarantined.get(&file).cloned().unwrap_or_default();
        if rows.is_empty() {
            return Ok(());
        }
        let table = self.compiler.table(file).map_err(|e| Trouble::Tables(e.to_string()))?;
        let names: Vec<String> = table.columns.iter().map(|c| c.name.clone()).collect();
        let now = self.compiler.options().clock.map(|clock| clock.text());
        let mut lines = String::new();
        for row in &rows {
            quarantined_row(row, &names, now.as_deref(), &mut lines);
        }
        let mut columns = names;
        columns.extend(["c__error_column", "c__error", "c__import_id"].map(str::to_owned));
        if now.is_some() {
            columns.push("insertion_date".to_owned());
        }
        let bare = self.compiler.options().layout.bare(self.compiler.db(), &id);
        self.insert_rows(&bare, &columns, lines.into_bytes())
    }
}

/// The engine's words without where in its pipeline they were said, and without the row: there is one.
fn plain(message: &str) -> &str {
    let line = message.lines().next().unwrap_or_default();
    let line = line.strip_suffix(": (at row 1)").unwrap_or(line);
    line.strip_suffix("(at row 1)").unwrap_or(line).trim_end_matches([' ', ':'])
}

fn fail_with(fail: &dyn Fn(String) -> Trouble, trouble: Trouble) -> Trouble {
    match trouble {
        Trouble::Lost(why) => Trouble::Lost(why),
        other => fail(other.to_string()),
    }
}

fn row(batch: &Batch, n: usize) -> &[u8] {
    let from = batch.starts[n].0;
    let to = batch.starts.get(n + 1).map_or(batch.rows.len(), |(start, _)| *start);
    &batch.rows[from..to]
}

fn quarantined_row(row: &Quarantined, names: &[String], now: Option<&str>, out: &mut String) {
    let list = |texts: &[String]| {
        let texts: Vec<String> = texts.iter().map(|t| quote(t)).collect();
        format!("[{}]", texts.join(","))
    };
    out.push('{');
    for (name, value) in names.iter().zip(&row.values) {
        push_quoted(name, out);
        out.push(':');
        match value {
            Some(text) => push_quoted(text, out),
            None => out.push_str("null"),
        }
        out.push(',');
    }
    out.push_str(&format!(
        "\"c__error_column\":{},\"c__error\":{},\"c__import_id\":null",
        list(&row.columns),
        list(&row.reasons)
    ));
    if let Some(now) = now {
        out.push_str(&format!(",\"insertion_date\":{}", quote(now)));
    }
    out.push_str("}\n");
}

fn quarantine_note(rows: &Rows, name: &str, batch: &Batch) -> String {
    let bad = batch.quarantined.len();
    let all = bad + batch.starts.len();
    let first = batch.quarantined.first();
    let why = first.map_or_else(String::new, |row| {
        let reason = row.reasons.first().map_or("", String::as_str);
        match row.columns.first() {
            Some(column) => format!(": line {}, `{column}`: {reason}", row.line),
            None => format!(": line {}: {reason}", row.line),
        }
    });
    format!("{}: {bad} of {all} rows went to `{name}_quarantine`{why}", rows.origin)
}
