//! Rows that do not fit, as rows of the quarantine.

use headwater_engine::ingest::Quarantined;
use headwater_engine::json::{push_quoted, quote};

use crate::release::Source;

/// A row that does not fit, and where it came from.
#[derive(Debug, Clone)]
pub(crate) struct Misfit {
    /// When it was accepted, in milliseconds since 1970.
    pub(crate) at: u64,
    /// Its record.
    pub(crate) position: u64,
    pub(crate) row: Quarantined,
}

/// Columns of a quarantine's rows, in order.
pub(crate) fn columns(source: &Source) -> Vec<String> {
    let own = source.columns.iter().map(|column| column.name.clone());
    own.chain(["c__error_column", "c__error", "c__import_id", "insertion_date"].map(str::to_owned)).collect()
}

/// The rows as lines of JSON. Their moment is that of acceptance, so that they are the same when they are made again.
pub(crate) fn lines(source: &Source, misfits: &[Misfit]) -> Vec<u8> {
    let mut out = String::new();
    for misfit in misfits {
        out.push('{');
        for (column, value) in source.columns.iter().zip(&misfit.row.values) {
            push_quoted(&column.name, &mut out);
            out.push(':');
            match value {
                Some(text) => push_quoted(text, &mut out),
                None => out.push_str("null"),
            }
            out.push(',');
        }
        out.push_str(&format!(
            "\"c__error_column\":{},\"c__error\":{},\"c__import_id\":\"{}:{}\",\"insertion_date\":{}}}\n",
            list(&misfit.row.columns),
            list(&misfit.row.reasons),
            misfit.position,
            misfit.row.line,
            misfit.at / 1000,
        ));
    }
    out.into_bytes()
}

fn list(texts: &[String]) -> String {
    let texts: Vec<String> = texts.iter().map(|text| quote(text)).collect();
    format!("[{}]", texts.join(","))
}
