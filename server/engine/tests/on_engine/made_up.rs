//! Made-up rows of every kind of type, on their way into the engine: all of them fit.

use std::fmt::Write as _;
use std::sync::Arc;

use headwater_engine::compile::{Compiler, Options};
use headwater_engine::fixtures::Raw;
use headwater_engine::mock::{MockOptions, mock};
use headwater_warehouse::Pool;

use crate::Given;

/// Types of columns. Not here: states of aggregates and `Nothing`, which rows cannot fill, and `Nested`, which is several columns.
const TYPES: &[&str] = &[
    "Int8",
    "Int16",
    "Int32",
    "Int64",
    "Int128",
    "Int256",
    "UInt8",
    "UInt16",
    "UInt32",
    "UInt64",
    "UInt128",
    "UInt256",
    "Float32",
    "Float64",
    "BFloat16",
    "Decimal(9, 2)",
    "Decimal32(3)",
    "Decimal64(5)",
    "Decimal128(10)",
    "Decimal256(20)",
    "Decimal(76, 10)",
    "Bool",
    "String",
    "FixedString(5)",
    "UUID",
    "Date",
    "Date32",
    "DateTime",
    "DateTime('Europe/Madrid')",
    "DateTime64(3)",
    "DateTime64(9, 'UTC')",
    "Time",
    "Time64(3)",
    "Enum('a', 'b')",
    "Enum8('x' = -1, 'y' = 5)",
    "Enum16('p' = 1000)",
    "IPv4",
    "IPv6",
    "LowCardinality(String)",
    "LowCardinality(Nullable(String))",
    "LowCardinality(FixedString(2))",
    "Nullable(Int32)",
    "Nullable(DateTime)",
    "Nullable(Decimal(10, 2))",
    "Nullable(UUID)",
    "Array(String)",
    "Array(Array(Int32))",
    "Array(Nullable(Float64))",
    "Array(LowCardinality(String))",
    "Array(DateTime64(3))",
    "Array(Tuple(a UInt8, b Array(String)))",
    "Map(String, UInt64)",
    "Map(String, Array(String))",
    "Map(LowCardinality(String), String)",
    "Map(UInt32, String)",
    "Tuple(UInt8, String)",
    "Tuple(a UInt8, b String)",
    "JSON",
    "JSON(a UInt32)",
    "Variant(String, UInt64)",
    "Dynamic",
    "Point",
    "Ring",
    "LineString",
    "MultiLineString",
    "Polygon",
    "MultiPolygon",
    "IntervalDay",
    "QBit(Float32, 4)",
    "SimpleAggregateFunction(sum, UInt64)",
    "SimpleAggregateFunction(max, DateTime)",
    "SimpleAggregateFunction(anyLast, String)",
];

const ROWS: u64 = 60;

pub(crate) fn all_types(pool: &Pool) {
    let mut schema = String::from("SCHEMA >\n    `id` UInt32 `json:$.id`");
    for (n, ty) in TYPES.iter().enumerate() {
        let list = if ty.starts_with("Array") { "[:]" } else { "" };
        let _ = write!(schema, ",\n    `c{n}` {ty} `json:$.c{n}{list}`");
    }
    let mut given = Given::new(&format!(
        "//- datasources/all.datasource\n{schema}\n\nENGINE \"MergeTree\"\nENGINE_SORTING_KEY \"id\"\n\
         //- pipes/counted.pipe\nNODE e\nSQL >\n    SELECT count() AS rows, (SELECT arrayFlatten(groupArray(arrayConcat(c__error_column, c__error))) FROM all_quarantine) AS wrong FROM all\nTYPE endpoint\n\
         //- tests/counted.yaml\n- name: every row fits\n  parameters: ''\n  expected_result: |\n    {{\"rows\":{ROWS},\"wrong\":[]}}\n"
    ));
    let compiler = Compiler::new(&given.db, given.project, Options::default());
    let table = compiler.source("all").and_then(|file| compiler.table(file).ok()).expect("a table");
    let made = |seed: u64| {
        let now = "2025-01-31".parse().expect("a moment");
        let mut rows = String::new();
        mock("all", &table, MockOptions { rows: ROWS, seed, now }, |row| {
            rows.push_str(row);
            rows.push('\n');
        })
        .expect("rows");
        rows
    };
    assert_eq!(made(3), made(3), "equal seeds make equal rows");
    assert_ne!(made(3), made(4));
    let rows = made(3).into_bytes();
    given.files.push(Raw::new("fixtures/all.ndjson", Arc::new(rows)));
    given.passes(pool);
}
