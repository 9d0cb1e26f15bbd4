//! The values that functions are probed with: columns of a table, and constants.

use anyhow::{Context as _, Result};
use headwater_catalog::table::class::Class;
use headwater_catalog::{Constant, Type, Unit};

/// One of them.
#[derive(Debug, Clone)]
pub(crate) struct Instance {
    /// How a statement names it.
    pub(crate) sql: String,
    pub(crate) ty: Type,
    pub(crate) class: Class,
    /// Its value, of a literal.
    pub(crate) constant: Option<Constant>,
    /// Whether it has one value for all rows.
    pub(crate) is_constant: bool,
    /// Classes that functions mostly take or refuse together.
    pub(crate) group: &'static str,
    /// Whether it stands for its group when a function is first looked at.
    pub(crate) represents: bool,
}

/// Columns: group, types, how many of them represent it.
const COLUMNS: &[(&str, usize, &[&str])] = &[
    ("unsigned", 2, &["UInt8", "UInt64", "UInt16", "UInt32", "UInt128", "UInt256", "Bool"]),
    ("signed", 1, &["Int32", "Int8", "Int16", "Int64", "Int128", "Int256"]),
    ("float", 1, &["Float64", "Float32", "BFloat16"]),
    (
        "decimal",
        1,
        &[
            "Decimal(18, 5)",
            "Decimal(15, 3)",
            "Decimal(9, 2)",
            "Decimal(7, 4)",
            "Decimal(38, 10)",
            "Decimal(30, 2)",
            "Decimal(76, 3)",
            "Decimal(50, 20)",
        ],
    ),
    ("string", 1, &["String"]),
    ("fixed", 1, &["FixedString(16)", "FixedString(2)"]),
    ("date", 1, &["Date", "Date32"]),
    ("datetime", 1, &["DateTime", "DateTime('Asia/Tokyo')"]),
    (
        "datetime64",
        1,
        &["DateTime64(3)", "DateTime64(6, 'UTC')", "DateTime64(0, 'Asia/Tokyo')", "DateTime64(9)"],
    ),
    ("time", 1, &["Time", "Time64(3)", "Time64(6)"]),
    (
        "interval",
        2,
        &[
            "IntervalDay",
            "IntervalMillisecond",
            "IntervalHour",
            "IntervalMinute",
            "IntervalSecond",
            "IntervalWeek",
            "IntervalMonth",
            "IntervalQuarter",
            "IntervalYear",
            "IntervalMicrosecond",
            "IntervalNanosecond",
        ],
    ),
    (
        "enum",
        1,
        &["Enum8('a' = 1, 'b' = 2)", "Enum8('x' = 1)", "Enum16('a' = 1, 'b' = 1000)", "Enum16('y' = 300)"],
    ),
    ("uuid", 1, &["UUID"]),
    ("ip", 2, &["IPv4", "IPv6"]),
    ("json", 1, &["JSON", "JSON(a UInt8)"]),
    ("dynamic", 1, &["Dynamic"]),
    ("variant", 0, &["Variant(String, UInt8)", "Variant(Date, UInt64)"]),
    (
        "tuple",
        1,
        &[
            "Tuple(UInt8, Float64)",
            "Tuple(a Date, b Nullable(String))",
            "Tuple(x Int32, y Float64)",
            "Tuple(String, Array(UInt8))",
        ],
    ),
    ("map", 1, &["Map(String, UInt64)", "Map(String, String)", "Map(UInt8, Nullable(Float64))"]),
    ("state", 1, &["AggregateFunction(uniq, String)", "AggregateFunction(sum, UInt64)"]),
    ("bitmap", 1, &["AggregateFunction(groupBitmap, UInt32)", "AggregateFunction(groupBitmap, UInt8)"]),
    ("point", 1, &["Point"]),
    ("shape", 0, &["Ring", "LineString", "MultiLineString", "Polygon", "MultiPolygon", "Geometry"]),
    ("qbit", 0, &["QBit(Float32, 8)"]),
    (
        "array of numbers",
        1,
        &[
            "Array(UInt8)",
            "Array(UInt16)",
            "Array(UInt32)",
            "Array(UInt64)",
            "Array(UInt128)",
            "Array(UInt256)",
            "Array(Int8)",
            "Array(Int16)",
            "Array(Int32)",
            "Array(Int64)",
            "Array(Int128)",
            "Array(Int256)",
            "Array(Float32)",
            "Array(Float64)",
            "Array(BFloat16)",
            "Array(Bool)",
            "Array(Decimal(18, 5))",
            "Array(Decimal(15, 3))",
            "Array(Decimal(9, 2))",
            "Array(Decimal(38, 10))",
            "Array(Decimal(76, 3))",
        ],
    ),
    ("array of strings", 1, &["Array(String)"]),
    (
        "array of others",
        1,
        &[
            "Array(Date)",
            "Array(FixedString(16))",
            "Array(FixedString(2))",
            "Array(Date32)",
            "Array(DateTime)",
            "Array(DateTime('Asia/Tokyo'))",
            "Array(DateTime64(3))",
            "Array(DateTime64(6, 'UTC'))",
            "Array(Enum8('a' = 1, 'b' = 2))",
            "Array(Enum8('x' = 1))",
            "Array(UUID)",
            "Array(IPv4)",
            "Array(IPv6)",
            "Array(Point)",
        ],
    ),
    (
        "array of nullables",
        0,
        &[
            "Array(Nullable(UInt8))",
            "Array(Nullable(UInt64))",
            "Array(Nullable(Int32))",
            "Array(Nullable(Int64))",
            "Array(Nullable(Float64))",
            "Array(Nullable(Decimal(18, 5)))",
            "Array(Nullable(String))",
            "Array(Nullable(Date))",
            "Array(Nullable(DateTime))",
            "Array(Nullable(DateTime64(3)))",
        ],
    ),
    ("array of arrays", 1, &["Array(Array(UInt8))", "Array(Array(String))"]),
    (
        "array of tuples",
        1,
        &["Array(Tuple(UInt8, String))", "Array(Tuple(a Date, b Float64))", "Array(Tuple(Float64, Float64))"],
    ),
    ("array of maps", 0, &["Array(Map(String, UInt8))", "Array(Map(UInt8, String))"]),
    // At the end, since columns are named by their number, and answers are kept by names.
    ("map", 0, &["Map(String, UInt8)", "Map(String, Float32)"]),
    (
        "array of nullables",
        0,
        &[
            "Array(Nullable(UInt16))",
            "Array(Nullable(UInt32))",
            "Array(Nullable(Int8))",
            "Array(Nullable(Int16))",
            "Array(Nullable(Float32))",
            "Array(Nullable(Bool))",
            "Array(Nullable(UUID))",
            "Array(Nullable(Decimal(9, 2)))",
            "Array(Nullable(Enum8('a' = 1, 'b' = 2)))",
            "Array(Nullable(FixedString(2)))",
        ],
    ),
];

/// Constants: group, texts, how many of them represent it.
const CONSTANTS: &[(&str, usize, &[&str])] = &[
    ("constant number", 1, &["2", "1", "5", "300", "0"]),
    ("constant negative", 0, &["-1", "-300"]),
    ("constant float", 1, &["0.5", "1.5"]),
    (
        "constant string",
        3,
        &[
            "'a'",
            "'day'",
            "'UTC'",
            "'Asia/Tokyo'",
            "'second'",
            "'minute'",
            "'hour'",
            "'week'",
            "'month'",
            "'quarter'",
            "'year'",
            "'millisecond'",
            "'microsecond'",
            "'nanosecond'",
            "'2020-01-01'",
            "'2020-01-01 00:00:00'",
            "'1'",
            "'1.5'",
            "'%Y-%m-%d'",
            "'00000000-0000-0000-0000-000000000001'",
            "'1.1.1.1'",
            "'::1'",
            "'b'",
            "'[1]'",
        ],
    ),
    ("constant array of numbers", 1, &["[1, 2]"]),
    ("constant array of strings", 1, &["['a', 'b']"]),
];

/// All instances: columns first, named `c0`, `c1` in order.
pub(crate) fn all() -> Result<Vec<Instance>> {
    let mut out = Vec::new();
    for (group, representatives, types) in COLUMNS {
        for (n, text) in types.iter().enumerate() {
            let ty = Type::parse(text).with_context(|| format!("the type {text}"))?;
            out.push(Instance {
                sql: format!("c{}", out.len()),
                class: Class::of(&ty),
                ty,
                constant: None,
                is_constant: false,
                group,
                represents: n < *representatives,
            });
        }
    }
    for (group, representatives, texts) in CONSTANTS {
        for (n, text) in texts.iter().enumerate() {
            let constant = constant(text).with_context(|| format!("the constant {text}"))?;
            let ty = constant.ty().with_context(|| format!("the type of {text}"))?;
            out.push(Instance {
                sql: (*text).to_owned(),
                class: Class::of(&ty),
                ty,
                constant: Some(constant),
                is_constant: true,
                group,
                represents: n < *representatives,
            });
        }
    }
    for (n, unit) in Unit::ALL.into_iter().enumerate() {
        let ty = Type::Interval(unit);
        out.push(Instance {
            sql: format!("toInterval{}(1)", unit.name()),
            class: Class::of(&ty),
            ty,
            constant: None,
            is_constant: true,
            group: "constant interval",
            represents: n == 6,
        });
    }
    Ok(out)
}

fn constant(text: &str) -> Option<Constant> {
    if let Some(inner) = text.strip_prefix('[').and_then(|t| t.strip_suffix(']')) {
        let elements = inner.split(", ").map(constant).collect::<Option<Vec<_>>>()?;
        return Some(Constant::Array(elements.into()));
    }
    match text.strip_prefix('\'').and_then(|t| t.strip_suffix('\'')) {
        Some(inner) => Some(Constant::String(inner.into())),
        None => Constant::number(text),
    }
}

/// Wrappers of a column: suffix of its name, and the type if there is one.
pub(crate) fn wrapped(ty: &Type) -> Vec<(char, Type)> {
    let nullable = ty.clone().nullable();
    let mut out = Vec::new();
    if nullable != *ty && !matches!(ty, Type::Tuple(_)) {
        out.push(('n', nullable.clone()));
    }
    match ty {
        Type::Array(element) if **element == Type::String => {
            out.push(('l', Type::array(Type::String.low_cardinality())));
        }
        Type::Map(kv) if kv.0 == Type::String => {
            out.push(('l', Type::map(Type::String.low_cardinality(), kv.1.clone())));
        }
        _ => {}
    }
    if ty.may_be_low_cardinality() {
        out.push(('l', ty.clone().low_cardinality()));
        out.push(('m', nullable.low_cardinality()));
    }
    out
}

/// Statements that make the table `p` of all columns, plain and wrapped, with one row.
pub(crate) fn table(instances: &[Instance]) -> Vec<String> {
    let mut columns = Vec::new();
    for instance in instances.iter().filter(|i| !i.is_constant) {
        columns.push(format!("{} {}", instance.sql, instance.ty));
        for (suffix, ty) in wrapped(&instance.ty) {
            columns.push(format!("{}{suffix} {ty}", instance.sql));
        }
    }
    let relaxed = [
        "allow_suspicious_low_cardinality_types",
        "allow_suspicious_variant_types",
        "allow_suspicious_fixed_string_types",
    ];
    let mut out: Vec<String> = relaxed.iter().map(|s| format!("SET {s} = 1")).collect();
    // Named tuples would be printed over several lines.
    out.push("SET print_pretty_type_names = 0".to_owned());
    out.push(format!("CREATE TABLE p ({}) ENGINE = Memory", columns.join(", ")));
    out.push("INSERT INTO p (c0) VALUES (1)".to_owned());
    out
}
