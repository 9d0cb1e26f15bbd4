//! Tables and columns that no file declares: the product's own data sources, what the engine adds to tables, what Kafka
//! adds to messages (specification §4.4, §20).

use std::sync::{Arc, LazyLock};

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

/// What the product adds to data sources that it reads out of DynamoDB. The specification gives no types.
const DYNAMODB: &[Entry] =
    &[("_event_name", ""), ("_is_deleted", ""), ("_old_record", ""), ("_record", ""), ("_timestamp", "")];

/// What a table that DynamoDB fills may have without declaring it.
pub(crate) fn dynamodb_columns() -> Vec<Column> {
    columns(DYNAMODB)
}

fn columns(entries: &[Entry]) -> Vec<Column> {
    entries.iter().map(|(name, ty)| Column::new(*name, Type::parse(ty).ok())).collect()
}

/// What a query may ask of any stored table. All tables share one list.
pub(crate) fn virtual_columns() -> Arc<[Column]> {
    static ALL: LazyLock<Arc<[Column]>> = LazyLock::new(|| columns(VIRTUAL).into());
    ALL.clone()
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
    let mut all = columns(service_columns(name)?);
    // Those of an organization say which workspace a row is from.
    if database == Some("organization") {
        all.push(Column::new("workspace_id", None));
    }
    Some(Arc::new(Relation { columns: all, ..Relation::default() }))
}

/// What a row is kept with that did not fit (specification §19.5).
const QUARANTINE: &[Entry] = &[
    ("c__error_column", "Array(String)"),
    ("c__error", "Array(String)"),
    ("c__import_id", "Nullable(String)"),
    ("insertion_date", "DateTime"),
];

/// The table of a data source's rows that did not fit: its columns as texts, and why.
pub(crate) fn quarantine(of: &Relation) -> Relation {
    let text = || Type::parse("Nullable(String)").ok();
    let own = of.columns.iter().filter_map(|c| Some(Column::new(c.name.clone()?, text())));
    // Where the service columns stand among the others, the specification does not say.
    let virtuals = of.virtuals.iter().cloned().chain(columns(QUARANTINE)).collect();
    Relation {
        columns: own.collect(),
        virtuals,
        complete: of.complete,
        star_may_show_more: true,
        ..Relation::default()
    }
}

/// The columns that the specification names, with a type where it gives one.
const SERVICE: &[(&str, &[Entry])] = &[
    (
        "pipe_stats_rt",
        &[
            ("start_datetime", "DateTime"),
            ("pipe_id", ""),
            ("pipe_name", ""),
            ("token", ""),
            ("token_name", ""),
            ("duration", "Float32"),
            ("read_bytes", "UInt64"),
            ("read_rows", ""),
            ("cpu_time", "Float32"),
            ("result_rows", ""),
            ("url", "Nullable(String)"),
            ("error", "UInt8"),
            ("error_message", "Nullable(String)"),
            ("status_code", "Int32"),
            ("request_id", ""),
            ("parameters", "Map(String, String)"),
            ("method", ""),
            ("release", ""),
            ("user_agent", ""),
            ("client_ip", ""),
            ("resource_tags", "Array(String)"),
            ("memory_usage", ""),
            ("replica", ""),
        ],
    ),
    (
        "pipe_stats",
        &[
            ("date", "DateTime"),
            ("pipe_id", ""),
            ("pipe_name", ""),
            ("avg_duration_state", "AggregateFunction(avg, Float32)"),
            ("error_count", ""),
            ("view_count", ""),
            ("quantile_timing_state", ""),
            ("read_bytes_sum", ""),
            ("read_rows_sum", ""),
            ("cpu_time_sum", ""),
            ("resource_tags", ""),
        ],
    ),
    (
        "datasources_ops_log",
        &[
            ("timestamp", ""),
            ("event_type", ""),
            ("datasource_id", ""),
            ("datasource_name", ""),
            ("result", ""),
            ("elapsed_time", ""),
            ("error", ""),
            ("Options.Names", "Array(String)"),
            ("Options.Values", "Array(String)"),
            ("request_id", ""),
            ("import_id", ""),
            ("job_id", ""),
            ("rows", ""),
            ("rows_quarantine", ""),
            ("blocks_ids", ""),
            ("operation_id", ""),
            ("read_rows", ""),
            ("read_bytes", ""),
            ("cpu_time", ""),
            ("memory_usage", ""),
            ("written_rows", ""),
            ("written_bytes", ""),
            ("written_rows_quarantine", ""),
            ("written_bytes_quarantine", ""),
        ],
    ),
    (
        "block_log",
        &[
            ("timestamp", ""),
            ("request_id", ""),
            ("import_id", ""),
            ("job_id", ""),
            ("source", ""),
            ("block_id", ""),
            ("status", ""),
            ("datasource_id", ""),
            ("datasource_name", ""),
            ("start_offset", ""),
            ("end_offset", ""),
            ("rows", ""),
            ("parser", ""),
            ("quarantine_lines", ""),
            ("empty_lines", ""),
            ("bytes", ""),
            ("processing_time", ""),
            ("processing_error", ""),
        ],
    ),
    (
        "endpoint_errors",
        &[
            ("start_datetime", ""),
            ("request_id", ""),
            ("pipe_id", ""),
            ("pipe_name", ""),
            ("params", ""),
            ("url", ""),
            ("status_code", ""),
            ("error", ""),
            ("resource_tags", ""),
        ],
    ),
    (
        "kafka_ops_log",
        &[
            ("timestamp", ""),
            ("datasource_id", ""),
            ("topic", ""),
            ("partition", "Int16"),
            ("msg_type", ""),
            ("lag", "Int64"),
            ("processed_messages", ""),
            ("processed_bytes", ""),
            ("committed_messages", ""),
            ("time_read", "Float32"),
            ("time_process", "Float32"),
            ("time_write", "Float32"),
            ("msg", ""),
        ],
    ),
    (
        "datasources_storage",
        &[
            ("datasource_id", ""),
            ("datasource_name", ""),
            ("timestamp", ""),
            ("bytes", "SimpleAggregateFunction(max, UInt64)"),
            ("rows", "SimpleAggregateFunction(max, UInt64)"),
            ("bytes_quarantine", "SimpleAggregateFunction(max, UInt64)"),
            ("rows_quarantine", "SimpleAggregateFunction(max, UInt64)"),
        ],
    ),
    (
        "sinks_ops_log",
        &[
            ("timestamp", ""),
            ("job_id", ""),
            ("service", ""),
            ("pipe_name", ""),
            ("pipe_id", ""),
            ("result", ""),
            ("error", ""),
            ("elapsed_time", ""),
            ("read_rows", ""),
            ("written_rows", ""),
            ("read_bytes", ""),
            ("written_bytes", ""),
            ("cpu_time", ""),
            ("output", ""),
            ("parameters", ""),
            ("options", ""),
            ("token_name", ""),
        ],
    ),
    (
        "jobs_log",
        &[
            ("job_id", ""),
            ("job_type", ""),
            ("status", ""),
            ("error", ""),
            ("workspace_id", ""),
            ("request_id", ""),
            ("pipe_id", ""),
            ("datasource_id", ""),
            ("created_at", "DateTime64(3)"),
            ("started_at", "DateTime64(3)"),
            ("updated_at", "DateTime64(3)"),
            ("job_metadata", ""),
        ],
    ),
    (
        "releases_log",
        &[
            ("timestamp", ""),
            ("event_type", ""),
            ("commit", ""),
            ("semver", ""),
            ("token", ""),
            ("token_name", ""),
            ("result", ""),
            ("error", ""),
        ],
    ),
];

/// Names of the product's data sources, or of the engine's tables that may be read, under this name before the dot.
pub fn service_tables(database: &str) -> Vec<&'static str> {
    match database {
        "system" => vec!["numbers", "one", "functions"],
        "tinybird" | "organization" => SERVICE.iter().map(|(name, _)| *name).collect(),
        _ => Vec::new(),
    }
}

/// The columns of a data source of the product, as the specification names them: name and type, which is empty where it
/// says none. `None` for tables that it does not name.
pub fn service_columns(name: &str) -> Option<&'static [(&'static str, &'static str)]> {
    SERVICE.iter().find(|(n, _)| *n == name).map(|(_, columns)| *columns)
}
