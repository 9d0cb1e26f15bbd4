//! Definitions as the engine's statements.

use super::{Column, Index, Table};

/// A name in back-ticks.
pub fn identifier(name: &str) -> String {
    format!("`{}`", name.replace('\\', "\\\\").replace('`', "\\`"))
}

/// A column as it stands in `CREATE TABLE` and `ADD COLUMN`.
pub fn column(column: &Column) -> String {
    let mut out = identifier(&column.name);
    if !column.ty.is_empty() {
        out += &format!(" {}", column.ty);
    }
    if let Some(default) = &column.default {
        out += &format!(" DEFAULT {default}");
    }
    if let Some(codec) = &column.codec {
        out += &format!(" CODEC({codec})");
    }
    out
}

/// An index as it stands in `CREATE TABLE` and `ADD INDEX`.
pub fn index(index: &Index) -> String {
    format!(
        "{} {} TYPE {} GRANULARITY {}",
        identifier(&index.name),
        index.expression,
        index.ty,
        index.granularity
    )
}

/// The statement that makes a table, clauses in the format's order (specification §4.5).
pub fn create_table(name: &str, table: &Table) -> String {
    let engine = &table.engine;
    let lines = table.columns.iter().map(column);
    let lines: Vec<_> = lines.chain(table.indexes.iter().map(|i| format!("INDEX {}", index(i)))).collect();
    let arguments: Vec<_> = ["ENGINE_SIGN", "ENGINE_VER", "ENGINE_VERSION", "ENGINE_IS_DELETED"]
        .iter()
        .filter_map(|d| engine.arguments.get(d).cloned())
        .chain(engine.arguments.get("ENGINE_COLUMNS").map(|list| format!("({list})")))
        .collect();
    let mut out = format!(
        "CREATE TABLE {}\n(\n    {}\n)\nENGINE = {}",
        identifier(name),
        lines.join(",\n    "),
        engine.name
    );
    if !arguments.is_empty() {
        out += &format!("({})", arguments.join(", "));
    }
    if !engine.name.ends_with("MergeTree") {
        return out;
    }
    for (clause, key) in [
        ("PARTITION BY", &engine.partition_key),
        ("ORDER BY", &engine.sorting_key),
        ("PRIMARY KEY", &engine.primary_key),
        ("SAMPLE BY", &engine.sampling_key),
    ] {
        match (clause, key.as_slice()) {
            ("ORDER BY", []) => out += "\nORDER BY tuple()",
            (_, []) => {}
            (_, [one]) if clause != "ORDER BY" => out += &format!("\n{clause} {one}"),
            (_, parts) => out += &format!("\n{clause} ({})", parts.join(", ")),
        }
    }
    if let Some(ttl) = &engine.ttl {
        out += &format!("\nTTL {ttl}");
    }
    let mut settings: Vec<_> =
        engine.settings.iter().map(|(name, value)| format!("{name} = {value}")).collect();
    // The format has always let such columns be; the engine does since 26.7 only when it is told that they are meant.
    if has_loose_columns(table) && !engine.settings.contains_key(LOOSE) {
        settings.push(format!("{LOOSE} = 1"));
    }
    if !settings.is_empty() {
        out += &format!("\nSETTINGS {}", settings.join(", "));
    }
    out
}

/// The setting that allows columns which are neither a part of the sorting key nor states.
const LOOSE: &str = "allow_dimensions_outside_sorting_key";

/// Whether merges keep an arbitrary value of some column.
fn has_loose_columns(table: &Table) -> bool {
    let is_state =
        |ty: &str| ty.starts_with("AggregateFunction") || ty.starts_with("SimpleAggregateFunction");
    let engine = &table.engine;
    let is_key = |name: &String| engine.sorting_key.contains(name) || engine.partition_key.contains(name);
    engine.name == "AggregatingMergeTree"
        && table.columns.iter().any(|c| !is_state(&c.ty) && !is_key(&c.name))
}
