//! Random changes of data sources: every kind of change, on every resource that somebody really wrote.

use headwater_plan::{Column, Index, Table};

use crate::catalog::Random;

/// Kinds of change, by the names that reports use.
pub(super) const KINDS: &[&str] = &[
    "add a column",
    "drop a column",
    "rename a column",
    "reorder columns",
    "retype a column",
    "make a column nullable, or not",
    "use a dictionary, or not",
    "change a default",
    "change a codec",
    "change a JSONPath",
    "change the TTL",
    "change an index",
    "change a setting",
    "change the engine",
    "change the sorting key",
    "change the partition key",
    "change the primary key",
    "change the version column",
    "write a FORWARD_QUERY that is incomplete",
    "write a FORWARD_QUERY that is needless",
];

const TYPES: &[&str] = &[
    "String",
    "UInt8",
    "UInt32",
    "UInt64",
    "Int64",
    "Float64",
    "DateTime",
    "DateTime64(3)",
    "Date",
    "UUID",
    "Array(String)",
    "Map(String, String)",
    "LowCardinality(String)",
    "Nullable(Int32)",
    "FixedString(16)",
    "Decimal(18, 4)",
    "SimpleAggregateFunction(sum, UInt64)",
];

const DEFAULTS: &[&str] = &["''", "0", "now()", "now64()", "generateUUIDv4()", "'none'", "1 + 1"];

const ENGINES: &[&str] =
    &["MergeTree", "ReplacingMergeTree", "SummingMergeTree", "AggregatingMergeTree", "Null"];

/// Changes the table as `kind` says; `false` where it cannot be done.
pub(super) fn change(table: &mut Table, kind: &str, random: &mut Random) -> bool {
    if table.columns.is_empty() {
        return false;
    }
    let at = random.below(table.columns.len());
    let mut any = |list: &[&'static str]| list[random.below(list.len())];
    match kind {
        "add a column" if table.column("headwater_new").is_none() => {
            let default = if any(&["a", "b"]) == "a" { None } else { Some(any(DEFAULTS).to_owned()) };
            let ty = match default.as_deref() {
                Some("now()") => "DateTime",
                Some("now64()") => "DateTime64(3)",
                Some("generateUUIDv4()") => "UUID",
                Some("''" | "'none'") => "String",
                Some(_) => "UInt64",
                None => any(TYPES),
            };
            let jsonpath =
                table.columns.iter().any(|c| c.jsonpath.is_some()).then(|| "$.headwater_new".to_owned());
            table.columns.insert(
                at,
                Column {
                    name: "headwater_new".to_owned(),
                    ty: ty.to_owned(),
                    default,
                    codec: None,
                    jsonpath,
                },
            );
        }
        "drop a column" => {
            if table.columns.len() < 2 {
                return false;
            }
            table.columns.remove(at);
        }
        "rename a column" => table.columns[at].name += "_was",
        "reorder columns" => {
            let other = random.below(table.columns.len());
            if at == other {
                return false;
            }
            table.columns.swap(at, other);
        }
        "retype a column" => {
            let ty = any(TYPES);
            table.columns[at].default = None;
            table.columns[at].ty = ty.to_owned();
        }
        "make a column nullable, or not" => return wrapped(&mut table.columns[at].ty, "Nullable"),
        "use a dictionary, or not" => return wrapped(&mut table.columns[at].ty, "LowCardinality"),
        "change a default" => {
            let column = &mut table.columns[at];
            column.default = match (&column.default, column.ty.as_str()) {
                (Some(_), _) => None,
                (None, "String" | "LowCardinality(String)") => Some("'none'".to_owned()),
                (None, "DateTime" | "DateTime64(3)") => Some("now()".to_owned()),
                (None, ty) if ty.starts_with("UInt") || ty.starts_with("Int") || ty.starts_with("Float") => {
                    Some("1".to_owned())
                }
                _ => return false,
            };
        }
        "change a codec" => {
            let column = &mut table.columns[at];
            column.codec = if column.codec.is_some() { None } else { Some("ZSTD(3)".to_owned()) };
        }
        "change a JSONPath" => match &mut table.columns[at].jsonpath {
            Some(path) => path.push_str("_other"),
            None => return false,
        },
        _ => return storage(table, kind, at, random),
    }
    true
}

/// Takes a wrapper off, or puts it on.
fn wrapped(ty: &mut String, with: &str) -> bool {
    let inner = ty.strip_prefix(with).and_then(|t| t.strip_prefix('(')).and_then(|t| t.strip_suffix(')'));
    let refused = ["AggregateFunction", "SimpleAggregateFunction", "Array", "Map", "Tuple", "JSON", "Nested"];
    *ty = match inner {
        Some(inner) => inner.to_owned(),
        None if refused.iter().any(|r| ty.starts_with(r)) => return false,
        None if with == "Nullable" && ty.starts_with("LowCardinality") => return false,
        None if with == "LowCardinality" && !ty.ends_with("String") && !ty.ends_with("String)") => {
            return false;
        }
        None => format!("{with}({ty})"),
    };
    true
}

fn storage(table: &mut Table, kind: &str, at: usize, random: &mut Random) -> bool {
    let moment =
        table.columns.iter().find(|c| ["DateTime", "Date", "DateTime64(3)"].contains(&c.ty.as_str()));
    let moment = moment.map(|c| c.name.clone());
    let name = table.columns[at].name.clone();
    let engine = &mut table.engine;
    let is_stored = engine.name != "Null";
    match kind {
        "change the TTL" => {
            let Some(moment) = moment.filter(|_| is_stored) else { return false };
            engine.ttl = match (&engine.ttl, random.below(3)) {
                (Some(_), 0) => None,
                (_, n) => Some(format!("toDateTime({moment}) + INTERVAL {} DAY", [30, 90, 3_650][n])),
            };
        }
        "change an index" => {
            if table.indexes.pop().is_none() {
                if !is_stored {
                    return false;
                }
                table.indexes.push(Index {
                    name: "headwater_index".to_owned(),
                    expression: name,
                    ty: "minmax".to_owned(),
                    granularity: "4".to_owned(),
                });
            }
        }
        "change a setting" => {
            let (setting, value) = [
                ("index_granularity", "1024"),
                ("merge_max_block_size", "4096"),
                ("min_bytes_for_wide_part", "0"),
            ][random.below(3)];
            if !is_stored || engine.settings.remove(setting).is_some() {
                return is_stored;
            }
            engine.settings.insert(setting.to_owned(), value.to_owned());
        }
        "change the engine" => {
            let next = ENGINES[random.below(ENGINES.len())];
            if next == engine.name {
                return false;
            }
            engine.name = next.to_owned();
            engine.arguments.clear();
            if next == "Null" {
                engine.ttl = None;
                table.indexes.clear();
                engine.settings.clear();
            } else if engine.sorting_key.is_empty() {
                engine.sorting_key = vec![name];
            }
        }
        "change the sorting key" if is_stored => {
            engine.primary_key.clear();
            match random.below(3) {
                0 if engine.sorting_key.len() > 1 => drop(engine.sorting_key.pop()),
                1 if engine.sorting_key.len() > 1 => engine.sorting_key.reverse(),
                _ => engine.sorting_key.push(name),
            }
        }
        "change the partition key" if is_stored => {
            engine.partition_key = match (engine.partition_key.is_empty(), moment) {
                (false, _) => Vec::new(),
                (true, Some(moment)) => vec![format!("toYYYYMM({moment})")],
                (true, None) => return false,
            };
        }
        "change the primary key" if is_stored && engine.sorting_key.len() > 1 => {
            let is_own = !engine.primary_key.is_empty() && engine.primary_key != engine.sorting_key;
            engine.primary_key = if is_own { Vec::new() } else { engine.sorting_key[..1].to_vec() };
        }
        "change the version column" if engine.name == "ReplacingMergeTree" => {
            if engine.arguments.remove("ENGINE_VER").is_none() {
                engine.arguments.insert("ENGINE_VER", name);
            }
        }
        "write a FORWARD_QUERY that is incomplete" if table.columns.len() > 1 => {
            let given = table.columns.iter().enumerate().filter(|(n, _)| *n != at).map(|(_, c)| c);
            table.forward_query = Some(list(given));
        }
        "write a FORWARD_QUERY that is needless" => table.forward_query = Some(list(table.columns.iter())),
        _ => return false,
    }
    true
}

fn list<'c>(columns: impl Iterator<Item = &'c Column>) -> String {
    let names: Vec<_> = columns.map(|c| format!("`{}`", c.name)).collect();
    format!("SELECT {}", names.join(", "))
}

/// The table as a datafile.
pub(super) fn written(table: &Table) -> String {
    let columns: Vec<_> = table
        .columns
        .iter()
        .map(|c| {
            let mut line = format!("    `{}`", c.name);
            if !c.ty.is_empty() {
                line += &format!(" {}", c.ty);
            }
            if let Some(path) = &c.jsonpath {
                line += &format!(" `json:{path}`");
            }
            if let Some(default) = &c.default {
                line += &format!(" DEFAULT {default}");
            }
            if let Some(codec) = &c.codec {
                line += &format!(" CODEC({codec})");
            }
            line
        })
        .collect();
    let mut out = format!("SCHEMA >\n{}\n\n", columns.join(",\n"));
    let engine = &table.engine;
    let mut say = |name: &str, value: &str| out += &format!("{name} {value}\n");
    say("ENGINE", &engine.name);
    for (name, parts) in [
        ("ENGINE_PARTITION_KEY", &engine.partition_key),
        ("ENGINE_SORTING_KEY", &engine.sorting_key),
        ("ENGINE_PRIMARY_KEY", &engine.primary_key),
        ("ENGINE_SAMPLING_KEY", &engine.sampling_key),
    ] {
        if !parts.is_empty() {
            say(name, &parts.join(", "));
        }
    }
    for (name, value) in &engine.arguments {
        say(name, value);
    }
    if let Some(ttl) = &engine.ttl {
        say("ENGINE_TTL", ttl);
    }
    if !engine.settings.is_empty() {
        let settings: Vec<_> =
            engine.settings.iter().map(|(name, value)| format!("{name}={value}")).collect();
        say("ENGINE_SETTINGS", &settings.join(", "));
    }
    for (name, value) in &table.connector {
        say(name, value);
    }
    if table.backfill_skip {
        say("BACKFILL", "skip");
    }
    if !table.indexes.is_empty() {
        out += "\nINDEXES >\n";
        for index in &table.indexes {
            out += &format!(
                "    {} {} TYPE {} GRANULARITY {}\n",
                index.name, index.expression, index.ty, index.granularity
            );
        }
    }
    if let Some(query) = &table.forward_query {
        let lines: Vec<_> = query.trim().lines().map(|l| format!("    {}", l.trim())).collect();
        out += &format!("\nFORWARD_QUERY >\n{}\n", lines.join("\n"));
    }
    out
}
