//! Types beside the engine: random spellings, and what pairs have in common.

use anyhow::{Result, ensure};
use headwater_catalog::{Supertype, Type, narrow_supertype, supertype};
use headwater_warehouse::{EngineError, Format, Request};

use super::Random;
use super::engine::Engine;

/// Types for pairs: every family, several of those with parameters.
const PAIRED: &[&str] = &[
    "Bool",
    "UInt8",
    "UInt16",
    "UInt32",
    "UInt64",
    "UInt128",
    "UInt256",
    "Int8",
    "Int16",
    "Int32",
    "Int64",
    "Int128",
    "Int256",
    "BFloat16",
    "Float32",
    "Float64",
    "Decimal(9, 2)",
    "Decimal(5, 2)",
    "Decimal(18, 5)",
    "Decimal(38, 10)",
    "Decimal(76, 3)",
    "String",
    "FixedString(2)",
    "FixedString(3)",
    "Date",
    "Date32",
    "Time",
    "Time64(3)",
    "DateTime",
    "DateTime('UTC')",
    "DateTime('Asia/Tokyo')",
    "DateTime64(3)",
    "DateTime64(6, 'UTC')",
    "IntervalDay",
    "IntervalHour",
    "Enum8('a' = 1)",
    "Enum8('a' = 1, 'b' = 2)",
    "Enum16('a' = 1000)",
    "UUID",
    "IPv4",
    "IPv6",
    "Nullable(UInt8)",
    "Nullable(Int64)",
    "Nullable(String)",
    "Nullable(DateTime)",
    "Nullable(Decimal(9, 2))",
    "LowCardinality(String)",
    "LowCardinality(Nullable(String))",
    "LowCardinality(UInt8)",
    "Array(UInt8)",
    "Array(String)",
    "Array(Nullable(Int8))",
    "Array(Array(UInt8))",
    "Map(String, UInt8)",
    "Map(String, String)",
    "Map(String, Nullable(Int32))",
    "Tuple(UInt8, String)",
    "Tuple(a UInt8, b String)",
    "Tuple(x Int8, b String)",
    "JSON",
    "Dynamic",
    "Variant(String, UInt8)",
    "AggregateFunction(sum, UInt8)",
    "SimpleAggregateFunction(sum, UInt64)",
    "Point",
];

/// Compares; fails when we name a type that the engine does not give.
pub(crate) fn run(seed: u64, count: usize) -> Result<()> {
    let columns: Vec<String> = PAIRED.iter().enumerate().map(|(n, ty)| format!("c{n} {ty}")).collect();
    let engine = Engine::with_prelude(
        2,
        vec![
            "SET print_pretty_type_names = 0, allow_suspicious_low_cardinality_types = 1".to_owned(),
            format!("CREATE TABLE t ({}) ENGINE = Memory", columns.join(", ")),
            "INSERT INTO t (c1) VALUES (1)".to_owned(),
        ],
    )?;
    let mut wrong = pairs(&engine)?;
    wrong.extend(spellings(&engine, seed, count)?);
    for line in &wrong {
        println!("    {line}");
    }
    ensure!(wrong.is_empty(), "{} answers about types are not the engine's", wrong.len());
    Ok(())
}

fn pairs(engine: &Engine) -> Result<Vec<String>> {
    let types: Vec<Type> = PAIRED.iter().map(|t| Type::parse(t)).collect::<Result<_, _>>()?;
    let all: Vec<(usize, usize)> =
        (0..types.len()).flat_map(|a| (0..types.len()).map(move |b| (a, b))).collect();
    let ask = |form: fn(usize, usize) -> String| {
        let requests = all.iter().map(|(a, b)| {
            Request::new(format!("SELECT toTypeName({}) FROM t", form(*a, *b))).format(Format::TsvRaw)
        });
        engine.pool.query_batch(requests.collect())
    };
    let mut wrong = Vec::new();
    let (mut equal, mut unknown) = (0, 0);
    for ((a, b), answer) in all.iter().zip(ask(|a, b| format!("[c{a}, c{b}]"))) {
        let ours = supertype(&[types[*a].clone(), types[*b].clone()]);
        match (answer, ours) {
            (Ok(answer), Supertype::Type(ty)) => {
                let text = answer.text().trim_end_matches('\n').to_owned();
                if text == format!("Array({ty})") {
                    equal += 1;
                } else {
                    wrong.push(format!("[{}, {}]: {text}, not Array({ty})", types[*a], types[*b]));
                }
            }
            (Ok(_), Supertype::None) => {
                wrong.push(format!("[{}, {}] is accepted", types[*a], types[*b]));
            }
            (Ok(_), Supertype::Unknown) => unknown += 1,
            (Err(_), _) => {}
        }
    }
    println!("arrays of two types: {equal} equal, {unknown} unknown");
    for ((a, b), answer) in all.iter().zip(ask(|a, b| format!("arrayConcat([c{a}], [c{b}])"))) {
        let plain = |n: usize| types[n].without_any_low_cardinality();
        if let (Ok(_), Supertype::None) = (&answer, narrow_supertype(&[plain(*a), plain(*b)])) {
            wrong.push(format!("arrayConcat of {} and {} is accepted", types[*a], types[*b]));
        }
    }
    Ok(wrong)
}

fn spellings(engine: &Engine, seed: u64, count: usize) -> Result<Vec<String>> {
    let mut random = Random::new(seed);
    let texts: Vec<String> = (0..count).map(|_| spelling(&mut random, 0)).collect();
    let requests = texts.iter().map(|text| {
        Request::new("SELECT toTypeName(defaultValueOfTypeName({t:String}))")
            .param("t", text.replace('\\', "\\\\"))
            .format(Format::TsvRaw)
    });
    let mut wrong = Vec::new();
    let (mut equal, mut refused) = (0, 0);
    for (text, answer) in texts.iter().zip(engine.pool.query_batch(requests.collect())) {
        match (answer, Type::parse(text)) {
            (Ok(answer), ours) => {
                let theirs = answer.text().trim_end_matches('\n').to_owned();
                match ours {
                    Ok(ours) if ours.to_string() == theirs => equal += 1,
                    Ok(ours) => wrong.push(format!("{text}: {theirs}, not {ours}")),
                    Err(error) => wrong.push(format!("{text}: {theirs}, not {error}")),
                }
            }
            // Types without a default value, and what we do not check: functions inside.
            (Err(EngineError::Statement(_)), _) => refused += 1,
            (Err(_), _) => {}
        }
    }
    println!("spellings of types: {equal} equal, {refused} refused by the engine");
    Ok(wrong)
}

fn spelling(random: &mut Random, depth: usize) -> String {
    const PLAIN: &[&str] = &[
        "String",
        "UInt8",
        "Int64",
        "Float32",
        "Date",
        "DateTime",
        "varchar(20)",
        "INT",
        "int unsigned",
        "BIGINT",
        "double precision",
        "Bool",
        "boolean",
        "UUID",
        "IPv4",
        "DateTime64(6)",
        "DateTime('UTC')",
        "datetime",
        "DECIMAL(10,2)",
        "Decimal64(3)",
        "numeric",
        "FixedString(8)",
        "Enum('a','b')",
        "Enum8('x'=-1,'y')",
        "text",
        "timestamp",
        "JSON",
        "json(a.b UInt8, skip c)",
        "Dynamic",
        "Point",
        "Int256",
        "BFloat16",
        "Time",
        "Time64(2)",
        "AggregateFunction(sum, UInt8)",
        "SimpleAggregateFunction(max, DateTime)",
        "AggregateFunction(uniqIf, String, UInt8)",
        "AggregateFunction(quantilesState(0.50, .9), Float64)",
        "LowCardinality(String)",
        "Enum16('q'=7)",
        "uint8",
        "Nothing",
        "AggregateFunction(count)",
        "Decimal(76, 20)",
        "IntervalHour",
        "CHAR VARYING(3)",
        "Date32",
        "DateTime64(3, 'Asia/Tokyo')",
    ];
    const NAMES: &[&str] = &["a", "b", "`c d`", "select", "Total", "e1", "\"f\"", "values", "_x"];
    let inner = |random: &mut Random| spelling(random, depth + 1);
    if depth == 4 {
        return PLAIN[random.below(PLAIN.len())].to_owned();
    }
    match random.below(12) {
        0 => format!("Array({})", inner(random)),
        1 => format!("Nullable( {} )", inner(random)),
        2 => format!("LowCardinality({})", inner(random)),
        3 => format!("Map({},{})", inner(random), inner(random)),
        4 => format!("Tuple({}, {})", inner(random), inner(random)),
        5 => {
            let names = [NAMES[random.below(4)], NAMES[4 + random.below(5)]];
            format!("Tuple({} {}, {} {})", names[0], inner(random), names[1], inner(random))
        }
        6 => format!("Variant({}, {})", inner(random), inner(random)),
        7 => format!("Nested({} {})", NAMES[random.below(4)], inner(random)),
        8 => format!(
            "JSON({} {}, max_dynamic_paths={})",
            NAMES[random.below(4)],
            inner(random),
            random.below(2000)
        ),
        _ => PLAIN[random.below(PLAIN.len())].to_owned(),
    }
}
