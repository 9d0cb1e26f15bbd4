//! Measurements of a live deployment, from which costs are estimated.

use std::collections::BTreeMap;

use serde::Deserialize;

/// What is known of live tables. What is missing is not estimated.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Stats {
    /// By data source.
    #[serde(default)]
    pub tables: BTreeMap<String, TableStats>,
    /// Rows that a copy into another sorting order writes in a second, measured on this machine.
    #[serde(default)]
    pub rows_per_second: Option<f64>,
}

/// What is known of one table.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TableStats {
    /// Rows.
    pub rows: u64,
    /// Bytes on disk.
    pub bytes: u64,
    /// Active parts.
    #[serde(default)]
    pub parts: Option<u64>,
    /// Bytes on disk by column.
    #[serde(default)]
    pub columns: BTreeMap<String, u64>,
}

impl Stats {
    /// Reads a snapshot.
    ///
    /// # Errors
    /// What is wrong with the text, with its line.
    pub fn parse(text: &str) -> Result<Self, String> {
        serde_json::from_str(text).map_err(|error| error.to_string())
    }
}
