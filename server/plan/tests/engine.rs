//! The engine as the judge of plans: every statement of every case in `docs/reference/plan` is run on a table with rows,
//! and what is refused is asked for.
//!
//! The test is its own worker of the engine; `cargo xtask test` brings the library, and without it this fails and says so.

mod on_engine;

use std::fs;
use std::path::Path;
use std::process::ExitCode;

use headwater_plan::{Step, step};
use headwater_test_fixture::Fixture;
use headwater_warehouse::Program;
use on_engine::{Counts, Engine, Run};

fn main() -> ExitCode {
    if std::env::args().nth(1).as_deref() == Some("engine-worker") {
        return headwater_warehouse::worker_main();
    }
    // What the test runner asks of every test program.
    if std::env::args().any(|a| a == "--list") {
        println!("engine: test");
        return ExitCode::SUCCESS;
    }
    let library = match headwater_warehouse::Places::from_env().library() {
        Ok(library) => library.path().to_owned(),
        Err(why) => panic!("these tests need the SQL engine; `cargo xtask test` brings it. {why}"),
    };
    let own = std::env::current_exe().expect("a program has a path");
    let engine = Engine::new(Program { path: own, args: vec!["engine-worker".to_owned()] }, library);
    let mut failures = Vec::new();
    let cases = cases();
    assert!(cases.len() > 100, "only {} cases were found", cases.len());
    let mut counts = Counts::default();
    for case in &cases {
        let (db, project, _) = Fixture::parse(&case.fixture).load();
        let before = project.baseline(&db).expect("a case has a baseline");
        let plan = headwater_plan::plan(&db, before, project, None);
        let mut run = Run {
            engine: &engine,
            name: &case.name,
            is_strict: true,
            failures: &mut failures,
            counts: &mut counts,
        };
        run.all(&db, before, project, &plan);
    }
    let (pairs, lossless) = lossless(&engine, &mut failures);
    println!("{counts:?}; {lossless} of {pairs} pairs of types are called lossless");
    for failure in &failures {
        println!("FAILED {failure}");
    }
    let is_thorough =
        counts.altered > 10 && counts.rewritten > 10 && counts.recomputed > 3 && counts.rejected > 3;
    if failures.is_empty() && is_thorough {
        println!("test result: ok. every plan of {} cases holds on the engine", cases.len());
        ExitCode::SUCCESS
    } else {
        println!("test result: FAILED. {} failures", failures.len());
        ExitCode::FAILURE
    }
}

struct Case {
    name: String,
    fixture: String,
}

fn cases() -> Vec<Case> {
    let pages = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/reference/plan");
    let mut names: Vec<_> =
        fs::read_dir(pages).expect("the pages exist").map(|e| e.expect("readable").path()).collect();
    names.sort();
    let mut out = Vec::new();
    for path in names {
        let page = fs::read_to_string(&path).expect("readable");
        let mut rest = page.as_str();
        while let Some((_, block)) = rest.split_once("```headwater\n") {
            let (text, after) = block.split_once("\n```").expect("blocks are closed");
            let stem = path.file_stem().unwrap_or_default().to_string_lossy();
            out.push(Case { name: format!("{stem} {}", out.len()), fixture: format!("{text}\n") });
            rest = after;
        }
    }
    out
}

/// Types whose order the engine and the plan are asked about, each with each.
const TYPES: &[&str] = &[
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
    "Float32",
    "Float64",
    "String",
    "FixedString(8)",
    "FixedString(16)",
    "UUID",
    "Bool",
    "Date",
    "Date32",
    "DateTime",
    "DateTime('UTC')",
    "DateTime64(3)",
    "DateTime64(6)",
    "Decimal(9, 2)",
    "Decimal(18, 2)",
    "Decimal(18, 4)",
    "Decimal(38, 4)",
    "IPv4",
    "IPv6",
    "Enum8('a' = 1)",
    "Enum8('a' = 1, 'b' = 2)",
    "Array(UInt8)",
    "Array(UInt32)",
    "Array(String)",
    "Array(Nullable(String))",
    "Map(String, UInt8)",
    "Map(String, UInt64)",
    "Tuple(UInt8, String)",
    "Tuple(UInt64, String)",
    "Nullable(UInt8)",
    "Nullable(UInt64)",
    "Nullable(String)",
    "LowCardinality(String)",
    "LowCardinality(Nullable(String))",
    "Nullable(DateTime)",
    "Nullable(DateTime64(3))",
];

/// Whatever is called lossless is so to the engine: the common type of both is the new one, dictionaries aside.
fn lossless(engine: &Engine, failures: &mut Vec<String>) -> (usize, usize) {
    let (mut pairs, mut lossless) = (0, 0);
    let plain = |ty: &str| -> String {
        let mut ty = ty.to_owned();
        while let Some(at) = ty.find("LowCardinality(") {
            let inner = &ty[at + "LowCardinality(".len()..];
            let mut depth = 1;
            let end = inner.find(|c| {
                depth += match c {
                    '(' => 1,
                    ')' => -1,
                    _ => 0,
                };
                depth == 0
            });
            let Some(end) = end else { break };
            ty = format!("{}{}{}", &ty[..at], &inner[..end], &inner[end + 1..]);
        }
        ty
    };
    for from in TYPES {
        for to in TYPES.iter().filter(|to| *to != from) {
            pairs += 1;
            if !matches!(step(from, to), Step::Encoding | Step::Nullable | Step::Widening) {
                continue;
            }
            lossless += 1;
            let quoted = |ty: &str| ty.replace('\'', "\\'");
            let sql = format!(
                "SELECT toTypeName([CAST(defaultValueOfTypeName('{0}'), '{0}'), CAST(defaultValueOfTypeName('{1}'), '{1}')])",
                quoted(&plain(from)),
                quoted(&plain(to))
            );
            let expected = format!("Array({})", plain(to));
            match engine.run(&sql) {
                Ok(found) if found.replace("\\'", "'") == expected => {}
                found => {
                    failures.push(format!("{from} to {to} is called lossless, the engine says {found:?}"));
                }
            }
        }
    }
    (pairs, lossless)
}
