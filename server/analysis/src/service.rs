//! Tables and columns that no file declares: the product's own data sources, what the engine adds to tables, what Kafka
//! adds to messages (specification §4.4, §20).

use std::sync::Arc;

use headwater_catalog::Type;

use crate::query::{Column, Relation};

/// A column by name and type.
type Entry = (&'static str, &'static str);

/// Columns that every stored table has besides its own; read off the engine (26.7).
const VIRTUAL: &[Entry] = &[
    ("_part", "LowCardinality(String)"),
    ("_part_index", "UInt64"),
    ("_part_starting_offset", "UInt64"),
    ("_part_uuid", "UUID"),
    ("_partition_id", "LowCardinality(String)"),
    ("_sample_factor", "Float64"),
    ("_part_offset", "UInt64"),
    ("_part_granule_offset", "UInt64"),
    ("_part_data_version", "UInt64"),
    ("_row_exists", "UInt8"),
    ("_block_number", "UInt64"),
    ("_block_offset", "UInt64"),
    ("_disk_name", "LowCardinality(String)"),
    ("_table", "LowCardinality(String)"),
    ("_database", "LowCardinality(String)"),
    ("_partition_value", ""),
    ("_distance", "Float32"),
];

const KAFKA: &[Entry] = &[
    ("__topic", "LowCardinality(String)"),
    ("__partition", "Int16"),
    ("__offset", "Int64"),
    ("__timestamp", "DateTime"),
    ("__key", "String"),
    ("__value", "String"),
    ("__headers", "Map(String, String)"),
];

fn columns(entries: &[Entry]) -> Vec<Column> {
    entries.iter().map(|(name, ty)| Column::new(*name, Type::parse(ty).ok())).collect()
}

/// What a query may ask of any stored table.
pub(crate) fn virtual_columns() -> Vec<Column> {
    columns(VIRTUAL)
}

/// What a table that Kafka fills may have without declaring it.
pub(crate) fn kafka_columns() -> Vec<Column> {
    columns(KAFKA)
}

/// A data source of the product, or an allowed table of the engine's. The product adds columns to its own without
/// notice, so they are never complete.
pub(crate) fn relation(database: Option<&str>, name: &str) -> Option<Arc<Relation>> {
    if database == Some("system") {
        return match name {
            "one" => Some(Arc::new(Relation::of(columns(&[("dummy", "UInt8")])))),
            "numbers" | "numbers_mt" => Some(Arc::new(Relation::of(columns(&[("number", "UInt64")])))),
            _ => None,
        };
    }
    let (_, entries) = SERVICE.iter().find(|(n, _)| *n == name)?;
    Some(Arc::new(Relation { columns: columns(entries), virtuals: Vec::new(), complete: false }))
}

/// The columns that the specification gives a type for.
const SERVICE: &[(&str, &[Entry])] = &[
    (
        "pipe_stats_rt",
        &[
            ("start_datetime", "DateTime"),
            ("duration", "Float32"),
            ("read_bytes", "UInt64"),
            ("cpu_time", "Float32"),
            ("url", "Nullable(String)"),
            ("error", "UInt8"),
            ("error_message", "Nullable(String)"),
            ("status_code", "Int32"),
            ("parameters", "Map(String, String)"),
            ("resource_tags", "Array(String)"),
        ],
    ),
    ("pipe_stats", &[("date", "DateTime"), ("avg_duration_state", "AggregateFunction(avg, Float32)")]),
    ("datasources_ops_log", &[("Options.Names", "Array(String)"), ("Options.Values", "Array(String)")]),
    (
        "kafka_ops_log",
        &[
            ("partition", "Int16"),
            ("lag", "Int64"),
            ("time_read", "Float32"),
            ("time_process", "Float32"),
            ("time_write", "Float32"),
        ],
    ),
    (
        "datasources_storage",
        &[
            ("bytes", "SimpleAggregateFunction(max, UInt64)"),
            ("rows", "SimpleAggregateFunction(max, UInt64)"),
            ("bytes_quarantine", "SimpleAggregateFunction(max, UInt64)"),
            ("rows_quarantine", "SimpleAggregateFunction(max, UInt64)"),
        ],
    ),
    (
        "jobs_log",
        &[("created_at", "DateTime64(3)"), ("started_at", "DateTime64(3)"), ("updated_at", "DateTime64(3)")],
    ),
];
