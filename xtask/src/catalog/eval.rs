//! `cargo xtask catalog-eval [DIR…] [--seed N] [--calls N]`: the catalog's answers beside the engine's.
//!
//! Random calls, over columns of types that were mostly never probed, nested up to three deep. Functions are drawn as often
//! as the files of the folders use them, and evenly without folders. What the engine accepts must not be a fault of ours;
//! how often the types are equal is counted, and *unknown* is not equal.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, ensure};
use headwater_catalog::{Argument, Call, Constant, Inference, Type, find, function_names, infer};
use headwater_warehouse::{EngineError, Format, Request};

use super::Random;
use super::engine::Engine;

/// Types of columns.
const COLUMNS: &[&str] = &[
    "String",
    "String",
    "String",
    "UInt8",
    "UInt32",
    "UInt64",
    "Int64",
    "Int32",
    "Int16",
    "Float64",
    "Float32",
    "Date",
    "DateTime",
    "DateTime",
    "DateTime('Europe/Berlin')",
    "DateTime64(3)",
    "DateTime64(1, 'America/New_York')",
    "Decimal(12, 4)",
    "Decimal(38, 6)",
    "Bool",
    "UUID",
    "FixedString(7)",
    "Enum8('red' = 1, 'green' = 2)",
    "IPv4",
    "LowCardinality(String)",
    "LowCardinality(String)",
    "LowCardinality(Nullable(String))",
    "Nullable(String)",
    "Nullable(UInt32)",
    "Nullable(Int64)",
    "Nullable(Float64)",
    "Nullable(DateTime)",
    "Nullable(Date)",
    "Nullable(DateTime64(6, 'UTC'))",
    "Nullable(Decimal(10, 2))",
    "Array(String)",
    "Array(UInt32)",
    "Array(Int64)",
    "Array(Float64)",
    "Array(LowCardinality(String))",
    "Array(Nullable(UInt16))",
    "Array(DateTime)",
    "Array(Array(String))",
    "Array(Tuple(a UInt8, b String))",
    "Tuple(String, UInt64)",
    "Tuple(lat Float64, lon Float64)",
    "Map(String, String)",
    "Map(String, UInt32)",
    "Map(LowCardinality(String), Float64)",
    "AggregateFunction(sum, UInt32)",
    "AggregateFunction(uniq, String)",
    "AggregateFunction(count)",
    "AggregateFunction(argMax, String, DateTime)",
    "AggregateFunction(quantiles(0.5, 0.9), Float64)",
    "AggregateFunction(uniqIf, UInt64, UInt8)",
    "AggregateFunction(avg, Nullable(Float64))",
    "AggregateFunction(groupArray, String)",
    "AggregateFunction(topK(10), String)",
    "SimpleAggregateFunction(sum, UInt64)",
    "SimpleAggregateFunction(max, DateTime)",
    "SimpleAggregateFunction(anyLast, Nullable(String))",
];

const CONSTANTS: &[&str] = &[
    "1",
    "2",
    "0",
    "10",
    "100",
    "1000",
    "-1",
    "0.5",
    "0.95",
    "'a'",
    "','",
    "'day'",
    "'hour'",
    "'month'",
    "'UTC'",
    "'Europe/Madrid'",
    "'key'",
    "'%Y-%m-%d'",
    "'2024-01-01'",
    "'2024-01-01 10:00:00'",
    "'Int64'",
    "'Array(String)'",
    "'Nullable(Float64)'",
    "'x.y'",
    "NULL",
    "true",
    "['a', 'b']",
    "[1, 2, 3]",
];

/// Combinators that are put on aggregate functions, and how the arguments grow.
const COMBINATORS: &[(&str, usize)] =
    &[("If", 1), ("State", 0), ("Merge", 0), ("OrNull", 0), ("Distinct", 0), ("SimpleState", 0)];

/// What to do.
pub(crate) struct Options {
    folders: Vec<PathBuf>,
    seed: u64,
    calls: usize,
    worst: usize,
}

impl Options {
    /// What the gate runs: one seed, all functions alike.
    pub(crate) fn gate() -> Self {
        Self { folders: Vec::new(), seed: 1, calls: 6_000, worst: 5 }
    }

    /// Reads `[DIR…] [--seed N] [--calls N] [--worst N]`.
    pub(crate) fn parse(args: &[String]) -> Result<Self> {
        let mut options = Self { folders: Vec::new(), seed: 1, calls: 30_000, worst: 40 };
        let mut args = args.iter();
        while let Some(arg) = args.next() {
            let mut number = || -> Result<usize> {
                Ok(args.next().with_context(|| format!("{arg} needs a number"))?.parse()?)
            };
            match arg.as_str() {
                "--seed" => options.seed = number()? as u64,
                "--calls" => options.calls = number()?,
                "--worst" => options.worst = number()?,
                folder => options.folders.push(folder.into()),
            }
        }
        Ok(options)
    }
}

/// An expression with what we think of it.
#[derive(Clone)]
struct Expression {
    sql: String,
    argument: Argument,
    inference: Inference,
    /// The function called, for the summary.
    function: String,
}

#[derive(Default, Clone, Copy)]
struct Tally {
    accepted: usize,
    equal: usize,
    unknown: usize,
    refused: usize,
    refused_by_us: usize,
}

/// Compares, prints, and fails when a fault of ours is none.
pub(crate) fn run(options: &Options) -> Result<()> {
    super::eval_types::run(options.seed, options.calls / 10)?;
    let functions = weights(&options.folders)?;
    let columns: Vec<String> = COLUMNS.iter().enumerate().map(|(n, ty)| format!("c{n} {ty}")).collect();
    let prelude = vec![
        "SET print_pretty_type_names = 0".to_owned(),
        format!("CREATE TABLE e ({}) ENGINE = Memory", columns.join(", ")),
        "INSERT INTO e (c3) VALUES (1)".to_owned(),
    ];
    let engine = Engine::with_prelude(2, prelude)?;
    let mut pool = leaves()?;
    let mut random = Random::new(options.seed);
    let mut by_function: BTreeMap<String, Tally> = BTreeMap::new();
    let (mut faults, mut others, mut silent) = (Vec::new(), Vec::new(), Vec::new());
    for depth in 1..=3 {
        let calls: Vec<Expression> =
            (0..options.calls / 3).map(|_| call(&mut random, &functions, &pool, depth)).collect();
        let requests = calls
            .iter()
            .map(|c| Request::new(format!("SELECT toTypeName({}) FROM e", c.sql)).format(Format::TsvRaw));
        let mut accepted = Vec::new();
        let mut total = Tally::default();
        for (call, answer) in calls.iter().zip(engine.pool.query_batch(requests.collect())) {
            let tally = by_function.entry(call.function.clone()).or_default();
            match answer {
                Ok(answer) => {
                    let text = answer.text().trim_end_matches('\n').to_owned();
                    // No row is left when an array is joined that is empty.
                    if text.is_empty() {
                        continue;
                    }
                    total.accepted += 1;
                    tally.accepted += 1;
                    match &call.inference {
                        Inference::Type(ty) if ty.to_string() == text => {
                            total.equal += 1;
                            tally.equal += 1;
                        }
                        Inference::Type(ty) => others.push(format!("{}: {text}, not {ty}", call.sql)),
                        Inference::Unknown => {
                            total.unknown += 1;
                            tally.unknown += 1;
                            silent.push(format!("{}: {text}", call.sql));
                        }
                        Inference::Fault(fault) => {
                            faults.push(format!("{}: {text}, not {fault:?}", call.sql));
                        }
                    }
                    accepted.push(call.clone());
                }
                Err(EngineError::Statement(_)) => {
                    total.refused += 1;
                    total.refused_by_us += usize::from(matches!(call.inference, Inference::Fault(_)));
                }
                // It ran out of time or died: no opinion.
                Err(_) => {}
            }
        }
        println!(
            "depth {depth}: {} calls, {} accepted, equal {}, unknown {}; {} refused, of which by us {}",
            calls.len(),
            total.accepted,
            percent(total.equal, total.accepted),
            percent(total.unknown, total.accepted),
            total.refused,
            percent(total.refused_by_us, total.refused),
        );
        pool.extend(accepted);
    }
    summary(options, &by_function, &faults, &others, &silent);
    ensure!(faults.is_empty(), "{} calls that the engine accepts are faults to us", faults.len());
    Ok(())
}

fn summary(
    options: &Options,
    by_function: &BTreeMap<String, Tally>,
    faults: &[String],
    others: &[String],
    silent: &[String],
) {
    let print = |title: &str, lines: &[String]| {
        println!("{title}: {}", lines.len());
        for line in lines.iter().take(options.worst) {
            println!("    {line}");
        }
    };
    print("faults that are none", faults);
    print("another type", others);
    print("unknown", silent);
    let mut worst: Vec<(&String, &Tally)> =
        by_function.iter().filter(|(_, t)| t.accepted > t.equal).collect();
    worst.sort_by_key(|(name, t)| (std::cmp::Reverse(t.accepted - t.equal), (*name).clone()));
    let worst: Vec<String> = worst
        .iter()
        .take(options.worst)
        .map(|(name, t)| format!("{name} {}/{}", t.accepted - t.equal, t.accepted))
        .collect();
    println!("not equal, by function: {}", worst.join(", "));
    let all = by_function.values().fold((0, 0), |(a, e), t| (a + t.accepted, e + t.equal));
    println!("equal types: {} of {}, {}", all.1, all.0, percent(all.1, all.0));
}

fn percent(count: usize, of: usize) -> String {
    if of == 0 { "–".to_owned() } else { format!("{:.2} %", 100.0 * count as f64 / of as f64) }
}

/// Columns and constants.
fn leaves() -> Result<Vec<Expression>> {
    let mut out = Vec::new();
    let mut push = |sql: String, argument: Argument| {
        let inference = argument.ty.clone().map_or(Inference::Unknown, Inference::Type);
        out.push(Expression { sql, argument, inference, function: String::new() });
    };
    for (n, ty) in COLUMNS.iter().enumerate() {
        push(format!("c{n}"), Argument::column(Type::parse(ty)?));
    }
    for text in CONSTANTS {
        push(
            (*text).to_owned(),
            Argument::literal(constant(text).with_context(|| format!("the constant {text}"))?),
        );
    }
    Ok(out)
}

fn constant(text: &str) -> Option<Constant> {
    match text {
        "NULL" => return Some(Constant::Null),
        "true" => return Some(Constant::Bool(true)),
        _ => {}
    }
    if let Some(inner) = text.strip_prefix('[').and_then(|t| t.strip_suffix(']')) {
        return Some(Constant::Array(inner.split(", ").map(constant).collect::<Option<Vec<_>>>()?.into()));
    }
    match text.strip_prefix('\'').and_then(|t| t.strip_suffix('\'')) {
        Some(inner) => Some(Constant::String(inner.into())),
        None => Constant::number(text),
    }
}

/// A random call. With each depth, more of its arguments are calls themselves.
fn call(random: &mut Random, functions: &[(String, usize)], pool: &[Expression], depth: usize) -> Expression {
    let total: usize = functions.iter().map(|(_, weight)| weight).sum();
    let mut at = random.below(total.max(1));
    let mut name = functions[0].0.clone();
    for (function, weight) in functions {
        if at < *weight {
            name.clone_from(function);
            break;
        }
        at -= weight;
    }
    let aggregate = find(&name).is_some_and(|f| f.kind() != headwater_catalog::Kind::Scalar);
    let mut count = [1, 1, 1, 2, 2, 2, 3, 3, 0, 4][random.below(10)];
    if aggregate && random.below(3) == 0 {
        let (combinator, more) = COMBINATORS[random.below(COMBINATORS.len())];
        name.push_str(combinator);
        count += more;
    }
    let leaves = COLUMNS.len() + CONSTANTS.len();
    let arguments: Vec<&Expression> = (0..count)
        .map(|n| {
            let nested = pool.len() > leaves && random.below(4) < depth - 1;
            let constant = n > 0 && random.below(2) == 0;
            match (nested, constant) {
                (true, _) => &pool[leaves + random.below(pool.len() - leaves)],
                (false, true) => &pool[COLUMNS.len() + random.below(CONSTANTS.len())],
                (false, false) => &pool[random.below(COLUMNS.len())],
            }
        })
        .collect();
    let mut parameters: Vec<Constant> = Vec::new();
    if name.starts_with("quantile") && random.below(2) == 0 {
        parameters.extend(Constant::number("0.9"));
    } else if (name.starts_with("topK") || name.starts_with("groupArray")) && random.below(2) == 0 {
        parameters.extend(Constant::number("5"));
    }
    let given: Vec<Argument> = arguments.iter().map(|a| a.argument.clone()).collect();
    let inference = infer(&Call { name: &name, parameters: &parameters, arguments: &given });
    let texts: Vec<&str> = arguments.iter().map(|a| a.sql.as_str()).collect();
    let written: Vec<String> = parameters.iter().map(ToString::to_string).collect();
    let written = if written.is_empty() { String::new() } else { format!("({})", written.join(", ")) };
    let is_constant = if given.is_empty() || aggregate {
        None
    } else if given.iter().any(|a| a.is_constant == Some(false)) {
        Some(false)
    } else {
        None
    };
    Expression {
        sql: format!("{name}{written}({})", texts.join(", ")),
        argument: Argument {
            ty: match &inference {
                Inference::Type(ty) => Some(ty.clone()),
                Inference::Unknown | Inference::Fault(_) => None,
            },
            constant: None,
            is_constant,
            is_lambda: false,
        },
        inference,
        function: name,
    }
}

/// Functions, each with the number of files that call it; one for all without folders.
pub(super) fn weights(folders: &[PathBuf]) -> Result<Vec<(String, usize)>> {
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for folder in folders {
        files(folder, &mut |text| {
            let mut seen = std::collections::BTreeSet::new();
            for (at, _) in text.match_indices('(') {
                let head = text[..at].trim_end();
                let letters =
                    head.bytes().rev().take_while(|b| b.is_ascii_alphanumeric() || *b == b'_').count();
                let word = &head[head.len() - letters..];
                if seen.insert(word) && is_safe(word) {
                    *counts.entry(word.to_owned()).or_default() += 1;
                }
            }
        })?;
    }
    if folders.is_empty() {
        counts = function_names().filter(|n| is_safe(n)).map(|n| (n.to_owned(), 1)).collect();
    }
    ensure!(!counts.is_empty(), "no calls in these folders");
    // Few functions would be all there is otherwise.
    Ok(counts.into_iter().map(|(name, count)| (name, 1 + count.min(60))).collect())
}

/// Whether calling it leaves no trace and needs nothing.
fn is_safe(name: &str) -> bool {
    find(name).is_some_and(|f| {
        f.kind() != headwater_catalog::Kind::Window
            && !super::returns::is_left_alone(f.base(), f.categories())
    })
}

fn files(folder: &Path, read: &mut impl FnMut(&str)) -> Result<()> {
    for entry in std::fs::read_dir(folder).with_context(|| format!("reading {}", folder.display()))? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if path.is_dir() && !name.starts_with('.') && name != "node_modules" {
            files(&path, read)?;
        } else if [".pipe", ".datasource", ".sql"].iter().any(|e| name.ends_with(e))
            && let Ok(text) = std::fs::read_to_string(&path)
        {
            read(&text);
        }
    }
    Ok(())
}
