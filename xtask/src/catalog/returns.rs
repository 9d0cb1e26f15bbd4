//! The table of return types: which functions are probed, and the rules of each.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use anyhow::Result;
use headwater_catalog::table::class::{Class, Classes};
use headwater_catalog::table::template::Template;
use headwater_catalog::table::{
    self, Answer, Arity, Position, Refusal, Rule, Rules, Wrapping, by_table, by_table_aggregate,
};
use headwater_catalog::{Argument, CASTS, Type, find};

use super::Options;
use super::engine::{Engine, flag, text};
use super::fit;
use super::instances::{self, Instance};
use super::journal::{Journal, Verdict};
use super::probe::{MOST, Prober, State, Subject, TYPE_CODES};

/// Functions that are never called: they sleep, read files, reach the network, stop something, or look into the engine.
pub(super) fn is_left_alone(name: &str, categories: &str) -> bool {
    const NAMES: [&str; 24] = [
        "sleep",
        "sleepEachRow",
        "file",
        "filesystemAvailable",
        "filesystemCapacity",
        "filesystemUnreserved",
        "reverseDNSQuery",
        "throwIf",
        "aggThrow",
        "catboostEvaluate",
        "hasColumnInTable",
        "generateSerialID",
        "isMergeTreePartCoveredBy",
        "evalMLMethod",
        "showCertificate",
        "getServerPort",
        "getServerSetting",
        "tcpPort",
        "fuzzQuery",
        "executable",
        "initializeAggregation",
        "estimateCompressionRatio",
        "nested",
        "logTrace",
    ];
    NAMES.contains(&name)
        || name.starts_with('_')
        || ["AI", "Internal", "Introspection", "Dictionary", "Embedded Dictionary", "Machine Learning"]
            .iter()
            .any(|c| categories.split(", ").any(|category| category == *c))
}

/// Kinds of functions that are looked at with fewer types: there are many of them and few are in use.
fn is_coarse(categories: &str) -> bool {
    const CATEGORIES: [&str; 10] = [
        "Geo",
        "Geo Polygon",
        "Encryption",
        "Hash",
        "Random Number",
        "NumericIndexedVector",
        "Time Series",
        "QBit",
        "Financial",
        "UUID",
    ];
    CATEGORIES.iter().any(|c| categories.split(", ").any(|category| category == *c))
}

/// Kinds of functions whose results hang on both of two types.
fn is_thorough(categories: &str) -> bool {
    ["Arithmetic", "Comparison", "Bit"].iter().any(|c| categories.split(", ").any(|category| category == *c))
}

/// Parameters that aggregate functions are tried with; the first that one takes is used for all of its probes.
const PARAMETERS: [&str; 12] = [
    "",
    "(0.5)",
    "(2)",
    "(2, 2)",
    "(0.5, 0.9)",
    "('a')",
    "(2, 0.5)",
    "(0, 100, 10, 5)",
    "('(?1)')",
    "('forward', 'head')",
    "('a', 'b')",
    "(0.01, 0.5)",
];

/// All rules as a text.
pub(crate) fn returns(engine: &Engine, options: &Options) -> Result<String> {
    let only = options.only.as_deref();
    let instances = instances::all()?;
    let prelude = instances::table(&instances);
    let mut journal =
        Journal::open(Engine::with_prelude(2, prelude)?, "probes", " FROM p", options.known_only)?;
    let rows = engine.rows(
        "SELECT name, is_aggregate, categories, higher_order FROM system.functions
         WHERE alias_to = '' AND origin = 'System' ORDER BY name",
    )?;
    let mut scalars = Vec::new();
    let mut aggregates = Vec::new();
    for row in &rows {
        let (name, categories) = (text(row, "name")?, text(row, "categories")?);
        if is_left_alone(name, categories) || only.is_some_and(|only| !name.contains(only)) {
            continue;
        }
        if headwater_catalog::has_own_rule(name) {
            continue;
        }
        if flag(row, "is_aggregate")? {
            aggregates.push(name);
        } else if !flag(row, "higher_order")? || TAKES_PLAIN.contains(&name) {
            scalars.push(Subject::new(name, "", is_coarse(categories), is_thorough(categories)));
        }
    }
    let mut prober = Prober { instances: &instances, journal: &mut journal };
    let aggregates = parameters(&mut prober, &aggregates)?;
    let used = used(&options.first)?;
    let is_used = |s: &Subject| used.contains(&s.name);
    let (first_scalars, scalars): (Vec<_>, Vec<_>) = scalars.into_iter().partition(is_used);
    let (first_aggregates, aggregates): (Vec<_>, Vec<_>) = aggregates.into_iter().partition(is_used);
    let mut functions = BTreeMap::new();
    for (mut subjects, apply) in [
        (first_scalars, by_table as Apply),
        (first_aggregates, by_table_aggregate as Apply),
        (scalars, by_table as Apply),
        (aggregates, by_table_aggregate as Apply),
    ] {
        println!("{} functions", subjects.len());
        prober.run(&mut subjects)?;
        wrappers(&mut prober, &subjects, apply, &mut functions, only.is_some())?;
    }
    functions.insert(CASTS.to_owned(), casts(&mut prober)?);
    println!("{} probes asked in this run", journal.asked);
    Ok(table::write(&functions))
}

/// Canonical names of the functions that files in these folders use.
fn used(folders: &[PathBuf]) -> Result<BTreeSet<String>> {
    if folders.is_empty() {
        return Ok(BTreeSet::new());
    }
    let names = super::eval::weights(folders)?;
    Ok(names.iter().filter_map(|(name, _)| Some(find(name)?.base().to_owned())).collect())
}

/// Which classes are cast to which: the value is as the engine's own conversions have it.
fn casts(prober: &mut Prober<'_>) -> Result<Rules> {
    let columns: Vec<&Instance> = prober.instances.iter().filter(|i| !i.is_constant).collect();
    let call = |from: &Instance, to: &Instance| {
        format!("CAST({}, '{}')", from.sql, to.ty.to_string().replace('\\', "\\\\").replace('\'', "\\'"))
    };
    let pairs = || columns.iter().flat_map(|from| columns.iter().map(move |to| (*from, *to)));
    prober.journal.ask(pairs().map(|(from, to)| call(from, to)).collect::<Vec<_>>())?;
    // What some types of a class accept is not refused for the class, nor what fails for another reason.
    let (mut accepted, mut refused) = (BTreeMap::new(), BTreeMap::new());
    for (from, to) in pairs() {
        let entry = refused.entry((from.class, to.class)).or_insert(true);
        match prober.journal.get(&call(from, to)) {
            Verdict::Type(_) => {
                accepted.insert((from.class, to.class), ());
                *entry = false;
            }
            Verdict::Refused(code, _) => *entry &= TYPE_CODES.contains(code),
            Verdict::Lost => *entry = false,
        }
    }
    let rows = |pairs: Vec<(Class, Class)>| -> Vec<Vec<Classes>> {
        let mut by_first: BTreeMap<Class, Classes> = BTreeMap::new();
        for (from, to) in pairs {
            by_first.entry(from).or_default().insert(to);
        }
        let mut equal: BTreeMap<Classes, Classes> = BTreeMap::new();
        for (from, to) in by_first {
            equal.entry(to).or_default().insert(from);
        }
        equal.into_iter().map(|(to, from)| vec![from, to]).collect()
    };
    let rule = |row: Vec<Classes>| Rule {
        positions: row.into_iter().map(Position::Classes).collect(),
        template: Template::Argument(1),
    };
    let refused = refused.into_iter().filter(|(_, refused)| *refused).map(|(pair, _)| pair).collect();
    let arity = Arity {
        rules: rows(accepted.into_keys().collect()).into_iter().map(rule).collect(),
        refused: rows(refused).into_iter().map(|classes| Refusal { classes, argument: None }).collect(),
    };
    Ok(Rules { arities: vec![(2, arity)], ..Rules::default() })
}

/// Higher-order functions that also work without a lambda.
const TAKES_PLAIN: [&str; 22] = [
    "arrayAvg",
    "arrayCount",
    "arrayCumSum",
    "arrayCumSumNonNegative",
    "arrayDifference",
    "arrayMax",
    "arrayMin",
    "arrayPartialReverseSort",
    "arrayPartialSort",
    "arrayProduct",
    "arrayReverseSort",
    "arraySort",
    "arraySum",
    "arrayCompact",
    "arrayAll",
    "arrayExists",
    "arrayFilter",
    "arrayFirst",
    "arrayLast",
    "mapSort",
    "mapReverseSort",
    "arrayFirstIndex",
];

type Apply = fn(&Rules, &[Argument], &[Type]) -> Answer;

/// The parameters with which each aggregate function takes anything at all.
fn parameters(prober: &mut Prober<'_>, names: &[&str]) -> Result<Vec<Subject>> {
    let kinds: Vec<String> = ["UInt8", "String", "DateTime", "Array(UInt8)", "Point"]
        .iter()
        .filter_map(|t| prober.instances.iter().find(|i| i.ty.to_string() == *t).map(|i| i.sql.clone()))
        .collect();
    let calls = |name: &str, parameters: &str| -> Vec<String> {
        let mut out = vec![format!("{name}{parameters}()")];
        for a in &kinds {
            out.push(format!("{name}{parameters}({a})"));
            for b in &kinds {
                out.push(format!("{name}{parameters}({a}, {b})"));
                out.push(format!("{name}{parameters}({a}, {b}, {b})"));
            }
        }
        out
    };
    let mut found: BTreeMap<&str, &str> = BTreeMap::new();
    for parameters in PARAMETERS {
        let open: Vec<&str> = names.iter().copied().filter(|n| !found.contains_key(n)).collect();
        prober.journal.ask(open.iter().flat_map(|n| calls(n, parameters)).collect::<Vec<_>>())?;
        for name in open {
            let works = |call: &String| matches!(prober.journal.get(call), Verdict::Type(_));
            if calls(name, parameters).iter().any(works) {
                found.insert(name, parameters);
            }
        }
    }
    // Whether the plain ones refuse parameters.
    let plain = names.iter().filter(|n| found.get(*n) == Some(&""));
    prober
        .journal
        .ask(plain.flat_map(|n| [calls(n, "(0.5)"), calls(n, "(2)")].concat()).collect::<Vec<_>>())?;
    Ok(names
        .iter()
        .map(|name| Subject::new(name, found.get(name).copied().unwrap_or_default(), false, false))
        .collect())
}

/// Fits every function's rules, and finds out what it does with wrappers.
fn wrappers(
    prober: &mut Prober<'_>,
    subjects: &[Subject],
    apply: Apply,
    functions: &mut BTreeMap<String, Rules>,
    is_verbose: bool,
) -> Result<()> {
    let aggregate = apply as usize == by_table_aggregate as Apply as usize;
    let fitted: Vec<Rules> = subjects.iter().map(|s| fit::fit(prober, s)).collect();
    let mut plans: Vec<Vec<(String, Vec<Argument>, bool)>> = Vec::new();
    for subject in subjects {
        let mut plan = Vec::new();
        for count in 1..=MOST {
            for cell in prober.wrapped_seeds(subject, count) {
                plan.extend(variants(prober.instances, subject, &cell));
            }
        }
        plans.push(plan);
    }
    prober.journal.ask(plans.iter().flatten().map(|(call, ..)| call.clone()))?;
    for ((subject, mut rules), plan) in subjects.iter().zip(fitted).zip(plans) {
        let answers = |low: bool| -> Vec<(Vec<Argument>, Type)> {
            plan.iter()
                .filter(|(_, _, is_low)| *is_low == low)
                .filter_map(|(call, arguments, _)| match prober.journal.get(call) {
                    Verdict::Type(text) => Some((arguments.clone(), Type::parse(text).ok()?)),
                    Verdict::Refused(..) | Verdict::Lost => None,
                })
                .collect()
        };
        rules.nulls = fit::wrapping(&rules, &answers(false), apply, |r, mode| r.nulls = mode, is_verbose);
        rules.low_cardinality = if aggregate {
            Wrapping::Default
        } else {
            fit::wrapping(&rules, &answers(true), apply, |r, mode| r.low_cardinality = mode, is_verbose)
        };
        if aggregate {
            rules.parameters = no_parameters(prober, subject);
        }
        functions.insert(subject.name.clone(), rules);
    }
    Ok(())
}

/// A cell with one argument wrapped, in every way; whether the wrapper is `LowCardinality`.
fn variants(instances: &[Instance], subject: &Subject, cell: &[usize]) -> Vec<(String, Vec<Argument>, bool)> {
    let argument = |n: &usize| {
        let instance = &instances[*n];
        match &instance.constant {
            Some(constant) => Argument::literal(constant.clone()),
            None => {
                Argument { is_constant: Some(instance.is_constant), ..Argument::column(instance.ty.clone()) }
            }
        }
    };
    let mut out = Vec::new();
    for (place, n) in cell.iter().enumerate() {
        if instances[*n].is_constant {
            continue;
        }
        for (suffix, ty) in instances::wrapped(&instances[*n].ty) {
            let mut arguments: Vec<Argument> = cell.iter().map(argument).collect();
            arguments[place] = Argument::column(ty);
            let texts: Vec<String> = cell
                .iter()
                .enumerate()
                .map(|(at, n)| match at == place {
                    true => format!("{}{suffix}", instances[*n].sql),
                    false => instances[*n].sql.clone(),
                })
                .collect();
            let call = format!("{}{}({})", subject.name, subject.parameters, texts.join(", "));
            out.push((call, arguments, suffix != 'n'));
        }
    }
    out
}

/// `0` to `0` when the engine says that the function takes none.
fn no_parameters(prober: &Prober<'_>, subject: &Subject) -> Option<(usize, Option<usize>)> {
    /// `AGGREGATE_FUNCTION_DOESNT_ALLOW_PARAMETERS`
    const CODE: i32 = 133;
    let mut cells = subject.cells.iter().filter(|c| c.len() <= 2);
    let refused = cells.any(|cell| {
        let plain = prober.expression(subject, cell);
        prober.state(subject, cell) == State::Accepted
            && ["(0.5)", "(2)"].iter().all(|p| {
                let call = plain.replacen(&subject.name, &format!("{}{p}", subject.name), 1);
                matches!(prober.journal.get(&call), Verdict::Refused(CODE, _))
            })
    });
    (subject.parameters.is_empty() && refused).then_some((0, Some(0)))
}
