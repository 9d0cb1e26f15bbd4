//! What senders send, and what they are told.

use headwater_engine::ingest::{Batch, Quarantined, Schema};
use headwater_plan::{Engine, Table};
use serde::{Deserialize, Serialize};

use crate::release::Source;

/// How a payload is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Format {
    /// Objects, one a line; one object or a list of them over several lines is read too.
    Ndjson,
    /// Comma-separated values; the first line may name the columns.
    Csv,
}

/// Rows as they were sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Payload {
    /// The bytes, unpacked.
    pub bytes: Vec<u8>,
    /// How they are written.
    pub format: Format,
}

/// A sender's name for a payload: what is sent again under the same name is not kept again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdempotencyKey(pub Box<[u8]>);

/// What became of a payload.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receipt {
    /// Its record's position; of a payload without rows the last position that there was.
    pub position: u64,
    /// Rows that fit.
    pub rows: u64,
    /// Rows that do not, for reasons that are known before the engine is asked; it may refuse further ones later.
    pub quarantined: u64,
    /// Why, row by row, the first [`VERDICTS`].
    pub verdicts: Vec<Verdict>,
    /// It had been accepted before, under the same key.
    pub repeated: bool,
}

/// Why a row does not fit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// Its line, from 1.
    pub line: usize,
    /// The column; `None` when it is the row as a whole.
    pub column: Option<String>,
    /// Why.
    pub reason: String,
}

/// So many reasons are told.
pub(crate) const VERDICTS: usize = 100;

/// What a record says besides its payload: all that rows depend on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Context {
    pub(crate) format: Format,
    /// Chance, for defaults that ask for it.
    pub(crate) seed: u64,
    /// Which rules of reading: there is one set of them so far.
    pub(crate) rules: u16,
}

/// The rules of reading that this version has. Times without a zone are UTC.
pub(crate) const RULES: u16 = 1;

/// How rows of a data source are read.
pub(crate) fn schema(source: &Source) -> Result<Schema, String> {
    let columns = source.columns.iter().map(|column| headwater_plan::Column {
        name: column.name.clone(),
        ty: column.ty.clone(),
        default: column.default.clone(),
        codec: None,
        jsonpath: column.jsonpath.clone(),
    });
    let table = Table {
        columns: columns.collect(),
        engine: Engine {
            name: source.engine.clone(),
            arguments: Default::default(),
            sorting_key: Vec::new(),
            partition_key: Vec::new(),
            primary_key: Vec::new(),
            sampling_key: Vec::new(),
            ttl: None,
            settings: Default::default(),
        },
        indexes: Vec::new(),
        connector: Default::default(),
        forward_query: None,
        backfill_skip: false,
    };
    Schema::new(&table).map_err(|(column, error)| format!("column `{column}`: {error}"))
}

/// A payload as rows.
pub(crate) fn read(schema: &Schema, format: Format, bytes: &[u8]) -> Batch {
    match format {
        Format::Ndjson => schema.ndjson(bytes),
        Format::Csv => schema.csv(bytes),
    }
}

pub(crate) fn verdicts(quarantined: &[Quarantined]) -> Vec<Verdict> {
    let all = quarantined.iter().flat_map(|row| {
        let whole = row.columns.is_empty().then(|| Verdict {
            line: row.line,
            column: None,
            reason: row.reasons.first().cloned().unwrap_or_default(),
        });
        let each = row.columns.iter().zip(&row.reasons).map(|(column, reason)| Verdict {
            line: row.line,
            column: Some(column.clone()),
            reason: reason.clone(),
        });
        whole.into_iter().chain(each)
    });
    all.take(VERDICTS).collect()
}
