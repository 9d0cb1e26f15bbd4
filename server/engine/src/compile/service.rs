//! The product's own data sources (specification §20) as empty tables: what they hold is of a service, and none runs here.

use headwater_analysis::service_columns;

use super::table::quoted;

/// The statement that makes one. A table that the specification does not name has one column, which no query asks for: the
/// engine then refuses by name what it cannot know.
pub(super) fn create(name: &str, database: &str, table: &str) -> String {
    let columns: Vec<String> = match service_columns(table) {
        Some(columns) => columns.iter().map(|(column, ty)| column_of(column, ty)).collect(),
        None => vec![format!("{} String", quoted(&format!("columns of {database}.{table} are not known")))],
    };
    format!(
        "CREATE TABLE {name}\n(\n    {}\n)\nENGINE = MergeTree\nORDER BY tuple()",
        columns.join(",\n    ")
    )
}

fn column_of(column: &str, ty: &str) -> String {
    format!("{} {}", quoted(column), if ty.is_empty() { guess(column) } else { ty })
}

/// A type for a column that the specification only names, by what columns of that name hold where it does say.
fn guess(column: &str) -> &'static str {
    let ends = |endings: &[&str]| endings.iter().any(|e| column.ends_with(e));
    let starts = |starts: &[&str]| starts.iter().any(|s| column.starts_with(s));
    if column == "quantile_timing_state" {
        "AggregateFunction(quantilesTiming(0.9, 0.95, 0.99), Float32)"
    } else if ends(&["_time", "_sum"]) && starts(&["elapsed", "cpu", "processing"]) {
        "Float32"
    } else if ends(&["_rows", "_bytes", "_count", "_lines", "_offset", "_sum", "memory_usage"])
        || matches!(column, "rows" | "bytes" | "rows_quarantine" | "offset" | "lag")
        || starts(&["read_rows", "read_bytes", "written_", "committed_", "processed_"])
    {
        "UInt64"
    } else if ends(&["timestamp", "_datetime"]) {
        "DateTime"
    } else if ends(&[".Names", ".Values", "_tags", "blocks_ids"]) {
        "Array(String)"
    } else if matches!(column, "parameters" | "options") {
        "Map(String, String)"
    } else {
        "String"
    }
}

#[cfg(test)]
mod tests {
    use super::create;

    #[test]
    fn columns_have_types_that_queries_can_compute_with() {
        let sql = create("`work`.`t`", "tinybird", "pipe_stats_rt");
        assert!(sql.contains("`duration` Float32"), "{sql}");
        assert!(sql.contains("`read_rows` UInt64"), "{sql}");
        assert!(create("t", "tinybird", "nobody").contains("columns of tinybird.nobody are not known"));
    }
}
