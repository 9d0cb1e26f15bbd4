//! What the engine lists: functions, settings, formats and the rest, and their documentation.
//!
//! The format is that of `server/catalog/src/data.rs`: lines of columns between tabs, in sections.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::Write as _;

use anyhow::{Context as _, Result, ensure};
use flate2::{Compression, write::DeflateEncoder};
use serde_json::Value;

use super::engine::{Engine, flag, text};

/// Raw bytes of documentation that are decoded together.
const BLOCK: usize = 96 * 1024;

/// All lists, in one compressed text.
pub(crate) fn lists(engine: &Engine) -> Result<Vec<u8>> {
    let mut out = Sections::default();
    let version = engine.rows("SELECT version() AS version")?;
    out.section("engine", vec![text(&version[0], "version")?.to_owned()])?;
    let functions = engine.rows(
        "SELECT name, is_aggregate, case_insensitive, alias_to, deterministic, higher_order, introduced_in, categories
         FROM system.functions WHERE origin = 'System' ORDER BY name",
    )?;
    let lines = functions.iter().map(|row| {
        let name = text(row, "name")?;
        let mut flags = String::new();
        if flag(row, "is_aggregate")? {
            flags.push(if WINDOW_ONLY.contains(&name) { 'w' } else { 'a' });
        }
        if flag(row, "case_insensitive")? {
            flags.push('i');
        }
        match &row["deterministic"] {
            Value::Null => {}
            _ => flags.push(if flag(row, "deterministic")? { 'd' } else { 'n' }),
        }
        if flag(row, "higher_order")? {
            flags.push('h');
        }
        let alias = text(row, "alias_to")?;
        Ok(line(&[name, &flags, alias, text(row, "introduced_in")?, text(row, "categories")?]))
    });
    out.section("functions", lines.collect::<Result<_>>()?)?;
    let combinators =
        "SELECT name FROM system.aggregate_function_combinators WHERE NOT is_internal ORDER BY name";
    out.columns(engine, "combinators", combinators, &["name"])?;
    let families = "SELECT name, case_insensitive, alias_to FROM system.data_type_families ORDER BY name";
    out.columns(engine, "types", families, &["name", "case_insensitive", "alias_to"])?;
    let settings = "SELECT name, type, `default`, tier, alias_for FROM system.settings ORDER BY name";
    out.columns(engine, "settings", settings, &["name", "type", "default", "tier", "alias_for"])?;
    let merge_tree = "SELECT name, type, `default`, tier FROM system.merge_tree_settings ORDER BY name";
    out.columns(engine, "merge_tree_settings", merge_tree, &["name", "type", "default", "tier"])?;
    let formats = "SELECT name, is_input, is_output, content_type FROM system.formats ORDER BY name";
    out.columns(engine, "formats", formats, &["name", "is_input", "is_output", "content_type"])?;
    let codecs = "SELECT name, is_compression, is_experimental FROM system.codecs ORDER BY name";
    out.columns(engine, "codecs", codecs, &["name", "is_compression", "is_experimental"])?;
    let table_functions = "SELECT name, allow_readonly FROM system.table_functions ORDER BY name";
    out.columns(engine, "table_functions", table_functions, &["name", "allow_readonly"])?;
    let columns = [
        "name",
        "supports_settings",
        "supports_skipping_indices",
        "supports_projections",
        "supports_sort_order",
        "supports_ttl",
        "supports_replication",
        "syntax",
    ];
    let engines = format!("SELECT {} FROM system.table_engines ORDER BY name", columns.join(", "));
    out.columns(engine, "table_engines", &engines, &columns)?;
    let indices = "SELECT name FROM system.documentation WHERE type = 'Data Skipping Index' ORDER BY name";
    out.columns(engine, "skipping_indices", indices, &["name"])?;
    let keywords = "SELECT keyword FROM system.keywords ORDER BY keyword";
    out.columns(engine, "keywords", keywords, &["keyword"])?;
    let zones = "SELECT time_zone FROM system.time_zones ORDER BY time_zone";
    out.columns(engine, "time_zones", zones, &["time_zone"])?;
    deflate(out.text.as_bytes())
}

/// Functions that the engine lists as aggregates and that work over windows only.
const WINDOW_ONLY: [&str; 18] = [
    "cume_dist",
    "denseRank",
    "dense_rank",
    "exponentialTimeDecayedAvg",
    "exponentialTimeDecayedCount",
    "exponentialTimeDecayedMax",
    "exponentialTimeDecayedSum",
    "lag",
    "lagInFrame",
    "lead",
    "leadInFrame",
    "nonNegativeDerivative",
    "nth_value",
    "ntile",
    "percentRank",
    "percent_rank",
    "rank",
    "row_number",
];

#[derive(Default)]
struct Sections {
    text: String,
}

impl Sections {
    fn section(&mut self, name: &str, lines: Vec<String>) -> Result<()> {
        ensure!(!lines.is_empty(), "the engine lists no {name}");
        let _ = writeln!(self.text, "[{name}]");
        for line in lines {
            ensure!(!line.starts_with('['), "{name}: a line that looks like a section: {line}");
            self.text.push_str(&line);
            self.text.push('\n');
        }
        Ok(())
    }

    fn columns(&mut self, engine: &Engine, name: &str, sql: &str, columns: &[&str]) -> Result<()> {
        let rows = engine.rows(sql)?;
        let lines = rows.iter().map(|row| {
            let cells = columns.iter().map(|column| {
                Ok(match &row[*column] {
                    Value::String(text) => text.clone(),
                    Value::Null => String::new(),
                    other => other.to_string(),
                })
            });
            let cells: Vec<String> = cells.collect::<Result<_>>()?;
            Ok(line(&cells.iter().map(String::as_str).collect::<Vec<_>>()))
        });
        self.section(name, lines.collect::<Result<_>>()?)
    }
}

/// Cells between tabs; line breaks inside of one are written `\n`.
fn line(cells: &[&str]) -> String {
    let cells: Vec<String> = cells
        .iter()
        .map(|c| c.trim().replace('\\', "\\\\").replace('\n', "\\n").replace('\t', " "))
        .collect();
    cells.join("\t").trim_end_matches('\t').to_owned()
}

/// Documentation: an index line per entry (kind, name, block, start, length), then the blocks, each compressed alone.
///
/// Layout: length of the compressed index and number of blocks as `u32`, length of each compressed block, index, blocks.
pub(crate) fn docs(engine: &Engine) -> Result<Vec<u8>> {
    const KINDS: [(&str, &str); 11] = [
        ("f", "Function"),
        ("f", "Aggregate Function"),
        ("tf", "Table Function"),
        ("te", "Table Engine"),
        ("t", "Data Type"),
        ("c", "Aggregate Function Combinator"),
        ("i", "Data Skipping Index"),
        ("s", "Setting"),
        ("m", "MergeTree Setting"),
        ("o", "Format"),
        ("k", "Compression Codec"),
    ];
    // Equal texts, of aliases mostly, are stored once.
    let mut seen: BTreeMap<String, (usize, usize, usize)> = BTreeMap::new();
    let mut blocks = vec![String::new()];
    let mut index = String::new();
    for (short, kind) in KINDS {
        let rows = engine.rows(&format!(
            "SELECT name, description FROM system.documentation WHERE type = '{kind}' ORDER BY name"
        ))?;
        ensure!(!rows.is_empty(), "no documentation of kind {kind}");
        for row in rows {
            let body = text(&row, "description")?.trim().to_owned();
            if body.is_empty() {
                continue;
            }
            let at = *seen.entry(body).or_insert_with_key(|body| {
                if blocks.last().is_some_and(|b| b.len() >= BLOCK) {
                    blocks.push(String::new());
                }
                let block = blocks.len() - 1;
                let start = blocks[block].len();
                blocks[block].push_str(body);
                (block, start, body.len())
            });
            let _ = writeln!(index, "{short}\t{}\t{}\t{}\t{}", text(&row, "name")?, at.0, at.1, at.2);
        }
    }
    let index = deflate(index.as_bytes())?;
    let blocks = blocks.iter().map(|b| deflate(b.as_bytes())).collect::<Result<Vec<_>>>()?;
    let mut out = Vec::new();
    let number = |n: usize| u32::try_from(n).map(u32::to_le_bytes).context("data beyond 4 GiB");
    out.extend(number(index.len())?);
    out.extend(number(blocks.len())?);
    for block in &blocks {
        out.extend(number(block.len())?);
    }
    out.extend(index);
    out.extend(blocks.concat());
    Ok(out)
}

pub(crate) fn deflate(bytes: &[u8]) -> Result<Vec<u8>> {
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes)?;
    Ok(encoder.finish()?)
}
