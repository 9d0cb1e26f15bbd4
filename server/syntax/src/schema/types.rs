//! Column types: which names are types, and which of those the format refuses.

use super::{SchemaError, SchemaErrorKind};
use crate::range;

/// Reports what the format refuses in a type, looking through the wrappers that take one type per argument.
pub(super) fn check_type(text: &str, offset: usize, errors: &mut Vec<SchemaError>) {
    let lead = text.len() - text.trim_start().len();
    let (text, offset) = (text.trim(), offset + lead);
    let (name, args) = match text.find('(') {
        Some(open) => (text[..open].trim_end(), text.get(open + 1..text.len().saturating_sub(1))),
        None => (text, None),
    };
    let mut push = |kind| errors.push(SchemaError { range: range(offset, offset + name.len()), kind });
    match name {
        "Boolean" => push(SchemaErrorKind::BooleanType),
        "DateTime64" if args.is_none_or(|a| a.trim().is_empty()) => {
            push(SchemaErrorKind::DateTime64Precision);
        }
        "Int" | "UInt" => push(SchemaErrorKind::IntWidth(name.to_owned())),
        _ if !is_known_family(name) => push(SchemaErrorKind::UnknownType(name.to_owned())),
        _ => {}
    }
    let Some(args) = args else { return };
    let base = offset + text.find('(').unwrap_or(0) + 1;
    if matches!(name, "Array" | "Nullable" | "LowCardinality" | "Map") {
        for (at, arg) in split_arguments(args) {
            check_type(arg, base + at, errors);
        }
    } else {
        // Arguments of other types need not be types, but this word is refused wherever it stands.
        let is_part = |c: char| c.is_alphanumeric() || c == '_';
        for (at, word) in args.match_indices("Boolean") {
            if !args[..at].ends_with(is_part) && !args[at + word.len()..].starts_with(is_part) {
                let range = range(base + at, base + at + word.len());
                errors.push(SchemaError { range, kind: SchemaErrorKind::BooleanType });
            }
        }
    }
}

/// Splits at commas outside quotes and parentheses, with the offset of each part.
pub fn split_arguments(text: &str) -> Vec<(usize, &str)> {
    let mut parts = Vec::new();
    let (mut depth, mut start, mut quote) = (0i32, 0, None);
    for (at, c) in text.char_indices() {
        match (quote, c) {
            (Some(q), c) if c == q => quote = None,
            (Some(_), _) => {}
            (None, '\'' | '"' | '`') => quote = Some(c),
            (None, '(' | '[') => depth += 1,
            (None, ')' | ']') => depth -= 1,
            (None, ',') if depth == 0 => {
                parts.push((start, &text[start..at]));
                start = at + 1;
            }
            _ => {}
        }
    }
    parts.push((start, &text[start..]));
    parts
}

/// ClickHouse type families, canonical names. The engine also knows SQL-standard aliases in any case.
pub const TYPE_FAMILIES: &[&str] = &[
    "AggregateFunction",
    "Array",
    "BFloat16",
    "Bool",
    "Date",
    "Date32",
    "DateTime",
    "DateTime32",
    "DateTime64",
    "Decimal",
    "Decimal32",
    "Decimal64",
    "Decimal128",
    "Decimal256",
    "Dynamic",
    "Enum",
    "Enum8",
    "Enum16",
    "FixedString",
    "Float32",
    "Float64",
    "Geometry",
    "IPv4",
    "IPv6",
    "Int8",
    "Int16",
    "Int32",
    "Int64",
    "Int128",
    "Int256",
    "IntervalDay",
    "IntervalHour",
    "IntervalMicrosecond",
    "IntervalMillisecond",
    "IntervalMinute",
    "IntervalMonth",
    "IntervalNanosecond",
    "IntervalQuarter",
    "IntervalSecond",
    "IntervalWeek",
    "IntervalYear",
    "JSON",
    "LineString",
    "LowCardinality",
    "Map",
    "MultiLineString",
    "MultiPolygon",
    "Nested",
    "Nothing",
    "Nullable",
    "Object",
    "Point",
    "Polygon",
    "QBit",
    "Ring",
    "SimpleAggregateFunction",
    "String",
    "Time",
    "Time64",
    "Tuple",
    "UInt8",
    "UInt16",
    "UInt32",
    "UInt64",
    "UInt128",
    "UInt256",
    "UUID",
    "Variant",
];

/// SQL-standard aliases, which ClickHouse reads in any case.
const ALIASES: &[&str] = &[
    "BIGINT",
    "BINARY",
    "BIT",
    "BLOB",
    "BOOL",
    "BYTE",
    "BYTEA",
    "CHAR",
    "CHARACTER",
    "CLOB",
    "DATE",
    "DATE32",
    "DATETIME",
    "DATETIME32",
    "DATETIME64",
    "DEC",
    "DECIMAL",
    "DECIMAL32",
    "DECIMAL64",
    "DECIMAL128",
    "DECIMAL256",
    "DOUBLE",
    "ENUM",
    "FIXED",
    "FLOAT",
    "GEOMETRY",
    "INET4",
    "INET6",
    "INT",
    "INTEGER",
    "INT1",
    "IPV4",
    "IPV6",
    "JSON",
    "LONGBLOB",
    "LONGTEXT",
    "MEDIUMBLOB",
    "MEDIUMINT",
    "MEDIUMTEXT",
    "NCHAR",
    "NUMERIC",
    "NVARCHAR",
    "REAL",
    "SET",
    "SIGNED",
    "SINGLE",
    "SMALLINT",
    "STRING",
    "TEXT",
    "TIME",
    "TIMESTAMP",
    "TINYBLOB",
    "TINYINT",
    "TINYTEXT",
    "UNSIGNED",
    "UUID",
    "VARBINARY",
    "VARCHAR",
    "VARCHAR2",
    "YEAR",
];

fn is_known_family(name: &str) -> bool {
    TYPE_FAMILIES.contains(&name) || ALIASES.iter().any(|a| a.eq_ignore_ascii_case(name))
}
