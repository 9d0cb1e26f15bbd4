use super::*;

fn print(text: &str) -> String {
    match Type::parse(text) {
        Ok(ty) => ty.to_string(),
        Err(error) => format!("! {error}"),
    }
}

/// What the engine's `toTypeName` prints, or that it refuses.
#[test]
fn types_are_read_and_printed_as_the_engine_does() {
    let table = "\
Tuple(a Int8, b String) | Tuple(a Int8, b String)
Array(int) | Array(Int32)
DECIMAL(10) | Decimal(10, 0)
dec(5,1) | Decimal(5, 1)
Decimal32(3) | Decimal(9, 3)
varchar(30) | String
binary(5) | FixedString(5)
BINARY LARGE OBJECT(5) | String
INT  /* c */ UNSIGNED | UInt32
double precision | Float64
Enum('a'=1,'b') | Enum8('a' = 1, 'b' = 2)
Enum('a','b'=5) | Enum8('a' = 1, 'b' = 5)
Enum('a'=127,'b') | Enum16('a' = 127, 'b' = 128)
enum('x\\'y'=-3,'b') | Enum8('x\\'y' = -3, 'b' = -2)
datetime64 | DateTime64(3)
timestamp(3) | DateTime64(3)
DateTime(3,'UTC') | DateTime64(3, 'UTC')
DateTime('') | DateTime
Time(3) | Time64(3)
Variant(UInt8,String,String) | Variant(String, UInt8)
Dynamic(max_types=3) | Dynamic(max_types=3)
JSON(max_dynamic_paths=8, a.b UInt32, SKIP c.d, SKIP REGEXP 'x.*') | JSON(max_dynamic_paths=8, `a.b` UInt32, SKIP `c.d`, SKIP REGEXP 'x.*')
JSON(max_dynamic_types=32) | JSON
AggregateFunction(SUM, UInt64) | AggregateFunction(sum, UInt64)
AggregateFunction(sumMap, Array(UInt8), Array(UInt8)) | AggregateFunction(1, sumMap, Array(UInt8), Array(UInt8))
AggregateFunction(quantiles(0.50, 1.0), Nullable(UInt8)) | AggregateFunction(quantiles(0.5, 1.), Nullable(UInt8))
AggregateFunction(SumIf, UInt8, UInt8) | AggregateFunction(sumIf, UInt8, UInt8)
AggregateFunction(first_value, String) | AggregateFunction(any, String)
AggregateFunction(array_agg, String) | AggregateFunction(groupArray, String)
AggregateFunction(count) | AggregateFunction(count)
SimpleAggregateFunction(any_value, String) | SimpleAggregateFunction(any, String)
Tuple(table UInt8, `a b` UInt8) | Tuple(`table` UInt8, `a b` UInt8)
Tuple(INT UNSIGNED) | Tuple(INT UInt64)
Tuple() | Tuple()
Nested(a UInt8,) | Nested(a UInt8)
QBit(Float32, 8) | QBit(Float32, 8)
LowCardinality(Nullable(String)) | LowCardinality(Nullable(String))
\"String\" | String";
    let ours: Vec<String> = table
        .lines()
        .map(|line| {
            let text = line.split(" | ").next().unwrap_or_default();
            format!("{text} | {}", print(text))
        })
        .collect();
    assert_eq!(ours.join("\n"), table);
}

#[test]
fn what_the_engine_refuses_is_refused() {
    for text in [
        "",
        "uint8",
        "array(UInt8)",
        "BINARY",
        "Date(1)",
        "Decimal(77,2)",
        "Decimal(9,10)",
        "FixedString(0)",
        "Nullable(Array(UInt8))",
        "Nullable(LowCardinality(String))",
        "LowCardinality(DateTime64(3))",
        "Map(Nullable(String), UInt8)",
        "Tuple(a UInt8, String)",
        "Tuple(a UInt8, a UInt8)",
        "Nested(UInt8)",
        "Enum8('a'=200)",
        "Enum('a'=1,'b','c'=1)",
        "Enum()",
        "Variant(Nullable(String))",
        "Dynamic(max_types=300)",
        "AggregateFunction(nothing_of_the_kind, UInt8)",
        "SimpleAggregateFunction(sum)",
        "DateTime64(10)",
        "Time64(3,'UTC')",
        "Array(UInt8",
        "Array(UInt8))",
        "UInt8 UInt8",
        "Int32 UNSIGNED",
        "JSON(a String, a UInt8)",
        "Array(UInt8,UInt8)",
        "INTERVAL DAY",
        "'String'",
        "Tuple(a.b UInt8)",
        "String(1,2)",
        "`INT UNSIGNED`",
    ] {
        assert!(Type::parse(text).is_err(), "{text} is read as {}", print(text));
    }
}

#[test]
fn nesting_has_an_end() {
    let nested = |depth: usize| format!("{}UInt8{}", "Array(".repeat(depth), ")".repeat(depth));
    assert!(Type::parse(&nested(MAX_DEPTH)).is_ok());
    assert_eq!(Type::parse(&nested(1_000_000)), Err(TypeError::TooDeep));
}

/// The table of names is the engine's list.
#[test]
fn families_are_those_of_the_engine() {
    for entry in crate::type_families() {
        let canonical = entry.alias_for.unwrap_or(entry.name);
        // The engine lists this one's upper case as an alias of itself.
        let canonical = if canonical == "ENUM" { "Enum" } else { canonical };
        assert_eq!(family(entry.name), Some(canonical), "{}", entry.name);
        if entry.any_case {
            assert_eq!(family(&entry.name.to_lowercase()), Some(canonical), "{}", entry.name);
        }
    }
    assert_eq!(family("array"), None);
    assert_eq!(family("geometry"), None);
}
