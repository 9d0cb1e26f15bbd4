//! Random mixtures: pieces of hostile statements in harmless ones and the other way round, in other letters, with other blanks,
//! quotes and comments. Whatever the gate lets through, the engine must read as approved, and no canary may suffer.

use std::cell::{Cell, RefCell};

use headwater_gate::Approved;
use headwater_warehouse::EngineError;
use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

use crate::Failures;
use crate::canary::{Canary, Project};
use crate::statements::{Statements, check, confirmed, tree_of};

/// How many texts are tried by default. A minute or so.
const CASES: u32 = 4_000;

/// Texts that go to the engine together.
const BATCH: usize = 64;

/// A step from one text to another.
#[derive(Debug, Clone)]
enum Step {
    /// Tokens of another text at this place, in place of so many.
    Splice { other: usize, from: usize, length: usize, at: usize, over: usize },
    /// A token in other letters.
    Case { at: usize },
    /// Something between two tokens.
    Between { at: usize, what: &'static str },
    /// A word in quotes.
    Quote { at: usize, quote: char },
    /// A word with one of its letters as an escape, in quotes.
    Escape { at: usize },
    /// A token is left out.
    Drop { at: usize },
    /// Something around a token.
    Around { at: usize, before: &'static str, after: &'static str },
}

const BETWEEN: [&str; 16] = [
    " ",
    "\n",
    "\t",
    "/**/",
    "/* ' */",
    "-- '\n",
    "# \n",
    "--x\n",
    "\u{a0}",
    "\u{3000}",
    ",",
    "(",
    ")",
    ".",
    "AS",
    "/*/*x*/*/",
];

const AROUND: [(&str, &str); 9] = [
    ("(", ")"),
    ("(SELECT ", ")"),
    ("[", "]"),
    ("arrayMap(", ", ['x'])"),
    ("view(SELECT * FROM ", ")"),
    ("(SELECT * FROM ", ")"),
    ("x -> ", ""),
    ("'x' IN ", ""),
    ("$$", "$$"),
];

fn step() -> impl Strategy<Value = Step> {
    let place = 0usize..1000;
    prop_oneof![
        4 => (any::<usize>(), place.clone(), 1usize..14, place.clone(), 0usize..4)
            .prop_map(|(other, from, length, at, over)| Step::Splice { other, from, length, at, over }),
        1 => place.clone().prop_map(|at| Step::Case { at }),
        2 => (place.clone(), prop::sample::select(&BETWEEN[..])).prop_map(|(at, what)| Step::Between { at, what }),
        1 => (place.clone(), prop::sample::select(&['`', '"', '\''][..])).prop_map(|(at, quote)| Step::Quote { at, quote }),
        1 => place.clone().prop_map(|at| Step::Escape { at }),
        1 => place.clone().prop_map(|at| Step::Drop { at }),
        2 => (place, prop::sample::select(&AROUND[..]))
            .prop_map(|(at, (before, after))| Step::Around { at, before, after }),
    ]
}

/// Words, quoted texts, blanks and signs.
fn tokens(text: &str) -> Vec<String> {
    let mut out: Vec<String> = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let is_word = |c: char| c.is_alphanumeric() || c == '_';
        let end = match first {
            c if is_word(c) => rest.find(|c| !is_word(c)).unwrap_or(rest.len()),
            '\'' | '"' | '`' => rest[1..].find(first).map_or(rest.len(), |n| n + 2),
            c if c.is_whitespace() => rest.find(|c: char| !c.is_whitespace()).unwrap_or(rest.len()),
            c => c.len_utf8(),
        };
        out.push(rest[..end].to_owned());
        rest = &rest[end..];
    }
    out
}

fn apply(tokens_of: &[Vec<String>], text: &mut Vec<String>, step: &Step) {
    if text.is_empty() {
        return;
    }
    let length_of_text = text.len();
    let at = |at: &usize| at % length_of_text;
    match step {
        Step::Splice { other, from, length, at: place, over } => {
            let other = &tokens_of[other % tokens_of.len()];
            let from = from % other.len().max(1);
            let piece: Vec<_> = other[from..(from + length).min(other.len())].to_vec();
            let start = at(place);
            let end = (start + over).min(length_of_text);
            text.splice(start..end, std::iter::once(" ".to_owned()).chain(piece).chain([" ".to_owned()]));
        }
        Step::Case { at: place } => {
            let token = &mut text[at(place)];
            let is_lower = token.chars().any(char::is_lowercase);
            *token = if is_lower { token.to_uppercase() } else { token.to_lowercase() };
        }
        Step::Between { at: place, what } => text.insert(at(place), (*what).to_owned()),
        Step::Quote { at: place, quote } => {
            let token = &mut text[at(place)];
            *token = format!("{quote}{token}{quote}");
        }
        Step::Escape { at: place } => {
            let token = &mut text[at(place)];
            if let Some(first) = token.chars().next().filter(char::is_ascii_alphabetic) {
                *token = format!("`\\x{:02x}{}`", first as u32, &token[1..]);
            }
        }
        Step::Drop { at: place } => drop(text.remove(at(place))),
        Step::Around { at: place, before, after } => {
            let token = &mut text[at(place)];
            *token = format!("{before}{token}{after}");
        }
    }
}

#[derive(Default)]
struct Counts {
    tried: Cell<usize>,
    approved: Cell<usize>,
    read: Cell<usize>,
    taken: Cell<usize>,
}

pub(crate) fn run(canary: &Canary, statements: &Statements) -> (String, Failures) {
    let number = |name: &str| std::env::var(name).ok().and_then(|v| v.parse::<u64>().ok());
    let cases = number("HEADWATER_GATE_CASES").and_then(|n| u32::try_from(n).ok()).unwrap_or(CASES);
    let seed = number("HEADWATER_GATE_SEED").unwrap_or(1);
    let mut texts: Vec<Vec<String>> = statements.hostile.iter().map(|h| tokens(&h.sql)).collect();
    let hostile = texts.len();
    texts.extend(statements.benign.iter().map(|sql| tokens(sql)));
    // Half of them start from a harmless one: a hostile one is seldom made harmless by chance.
    let start = prop_oneof![2 => hostile..texts.len(), 1 => 0..hostile];
    let strategy = (start, prop::collection::vec(step(), 1..5));
    let counts = Counts::default();
    let failures = RefCell::new(Failures::new());
    let pending: RefCell<Vec<(String, Approved)>> = RefCell::default();
    let mut bytes = [0u8; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &bytes);
    let config = Config { cases, failure_persistence: None, max_shrink_iters: 0, ..Config::default() };
    let life = canary.life();
    let mut runner = TestRunner::new_with_rng(config, rng);
    let result = runner.run(&strategy, |(start, steps)| {
        let mut text = texts[start].clone();
        steps.iter().for_each(|step| apply(&texts, &mut text, step));
        let sql = text.concat();
        counts.tried.set(counts.tried.get() + 1);
        if let Ok(approved) = check(&sql) {
            counts.approved.set(counts.approved.get() + 1);
            pending.borrow_mut().push((sql, approved));
            if pending.borrow().len() == BATCH {
                failures.borrow_mut().extend(judge(canary, &pending.take(), &counts));
            }
        }
        Ok(())
    });
    let mut failures = failures.into_inner();
    failures.extend(judge(canary, &pending.take(), &counts));
    if let Err(error) = result {
        failures.push(format!("a panic: {error}"));
    }
    if canary.life() != life {
        failures.push("the engine's process died".to_owned());
    }
    // Otherwise nothing was tried at all.
    if counts.approved.get() * 20 < counts.tried.get() || counts.taken.get() == 0 {
        failures.push("hardly any text passes: the mixtures are no test".to_owned());
    }
    let summary = format!(
        "{} texts (seed {seed}), {} pass, the engine reads {} of them and takes {}",
        counts.tried.get(),
        counts.approved.get(),
        counts.read.get(),
        counts.taken.get()
    );
    (summary, failures)
}

/// What is wrong about texts that passed.
fn judge(canary: &Canary, texts: &[(String, Approved)], counts: &Counts) -> Failures {
    let mut out = Failures::new();
    let trees = canary.ask(texts.iter().map(|(sql, _)| Canary::request(&tree_of(sql))).collect());
    let answers = canary.ask(texts.iter().map(|(sql, _)| Canary::request(sql)).collect());
    let plans: Vec<_> = texts
        .iter()
        .map(|(sql, _)| {
            let sql = sql.trim_end().trim_end_matches(';');
            Canary::request(&format!("EXPLAIN QUERY TREE {sql}"))
        })
        .collect();
    let plans = canary.ask(plans);
    for (n, (sql, approved)) in texts.iter().enumerate() {
        match confirmed(approved, &trees[n]) {
            Ok(is_read) => counts.read.set(counts.read.get() + usize::from(is_read)),
            Err(why) => out.push(format!("the engine reads {why}: {sql}")),
        }
        match &answers[n] {
            Ok(_) => counts.taken.set(counts.taken.get() + 1),
            Err(EngineError::SeveralStatements(_) | EngineError::NotAllowed { .. }) => {
                out.push(format!("the engine takes it for something else: {sql} ({:?})", answers[n]));
            }
            Err(_) => {}
        }
        out.extend(
            Canary::leak(&answers[n])
                .filter(|l| !l.contains("did not answer: no statement"))
                .map(|l| format!("{l}: {sql}")),
        );
        // What the engine resolved the names to.
        if let Ok(plan) = &plans[n] {
            for table in plan.text().split("table_name: ").skip(1) {
                let table = table.split([',', '\n', '"']).next().unwrap_or_default();
                if !is_ours(table) && !approved.defines(table) {
                    out.push(format!("the engine reads the table {table}: {sql}"));
                }
            }
        }
    }
    out.extend(canary.alarms());
    out
}

fn is_ours(table: &str) -> bool {
    use headwater_gate::Tables as _;
    let system = ["system.one", "system.numbers", "system.numbers_mt", "system.functions"];
    match table.split_once('.') {
        Some(("work", name)) => Project.may_read(None, name),
        // What the query makes while it runs: of table functions, and of a recursive WITH.
        Some(("_table_function" | "_temporary_and_external_tables", _)) => true,
        Some(_) => system.contains(&table),
        None => Project.may_read(None, table),
    }
}
