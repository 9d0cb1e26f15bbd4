//! The files of statements, and the holes that they find.

use headwater_gate::policy::functions::{Decision, of_name};
use headwater_gate::{Approved, Fault, Gate, Refusal, confirm};
use headwater_warehouse::{Answer, EngineError};

use crate::Failures;
use crate::canary::{Canary, Project};

/// A hostile statement, with the code of the rule that refuses it.
pub(crate) struct Hostile {
    pub(crate) rule: String,
    pub(crate) sql: String,
}

/// Both files, with this run's canaries in them.
pub(crate) struct Statements {
    pub(crate) hostile: Vec<Hostile>,
    pub(crate) benign: Vec<String>,
}

impl Statements {
    pub(crate) fn read(canary: &Canary) -> Self {
        let lines = |text: &'static str| text.lines().filter(|l| !l.is_empty() && !l.starts_with("--"));
        let hostile = lines(include_str!("hostile.sql")).map(|line| {
            let (rule, sql) = line.split_once(": ").unwrap_or_else(|| panic!("no rule: {line}"));
            Hostile { rule: rule.to_owned(), sql: canary.fill(sql) }
        });
        let benign = lines(include_str!("benign.sql")).map(|line| canary.fill(line));
        Self { hostile: hostile.collect(), benign: benign.collect() }
    }
}

/// Whether the gate lets a text through.
pub(crate) fn check(sql: &str) -> Result<Approved, Refusal> {
    Gate::new(&Project).check(sql)
}

/// Each is refused, by its own rule.
pub(crate) fn hostile(_: &Canary, statements: &Statements) -> (String, Failures) {
    let mut failures = Failures::new();
    for Hostile { rule, sql } in &statements.hostile {
        match check(sql) {
            Ok(_) => failures.push(format!("passes: {sql}")),
            Err(refusal) if refusal.rule.code() != rule => {
                failures.push(format!("refused by {}, not {rule}: {sql} ({refusal})", refusal.rule.code()));
            }
            Err(refusal) if refusal.reason.is_empty() || refusal.advice.is_empty() => {
                failures.push(format!("refused without a word: {sql}"));
            }
            Err(_) => {}
        }
    }
    let total = statements.hostile.len();
    if total < 200 {
        failures.push(format!("only {total} hostile statements"));
    }
    (format!("{} of {total} refused by their rule", total - failures.len()), failures)
}

/// Each passes; the engine takes it, reads it as we do, and leaks nothing.
pub(crate) fn benign(canary: &Canary, statements: &Statements) -> (String, Failures) {
    let mut failures = Failures::new();
    for sql in &statements.benign {
        let approved = match check(sql) {
            Ok(approved) => approved,
            Err(refusal) => {
                failures.push(format!("refused by {}: {sql} ({refusal})", refusal.rule.code()));
                continue;
            }
        };
        let answers = canary.ask(vec![Canary::request(&tree_of(sql)), Canary::request(sql)]);
        if let Err(why) = confirmed(&approved, &answers[0]) {
            failures.push(format!("the engine reads {why}: {sql}"));
        }
        if let Err(error) = &answers[1] {
            failures.push(format!("the engine does not take it: {sql} ({error})"));
        }
        failures.extend(Canary::leak(&answers[1]).map(|leak| format!("{leak}: {sql}")));
    }
    let total = statements.benign.len();
    (format!("{} of {total} pass and are taken", total - failures.len()), failures)
}

/// What asks the engine for its reading.
pub(crate) fn tree_of(sql: &str) -> String {
    format!("EXPLAIN AST {}", sql.trim_end().trim_end_matches(';'))
}

/// Whether the engine's reading is the approved one. A text that the engine cannot read is harmless.
pub(crate) fn confirmed(approved: &Approved, tree: &Result<Answer, EngineError>) -> Result<bool, String> {
    match tree {
        Ok(answer) => confirm(approved, &Project, &answer.text()).map(|()| true),
        Err(_) => Ok(false),
    }
}

/// Every hole planted in the gate lets statements through that the list holds. How many of them harm a canary, and how many the
/// engine's own reading gives away, is counted too: these are the layers behind.
pub(crate) fn holes(canary: &Canary, statements: &Statements) -> (String, Failures) {
    let mut failures = Failures::new();
    let mut out = String::new();
    for fault in Fault::ALL {
        let gate = Gate::with_fault(&Project, fault);
        let through: Vec<_> =
            statements.hostile.iter().filter_map(|h| Some((h, gate.check(&h.sql).ok()?))).collect();
        if through.is_empty() {
            failures.push(format!("the hole {fault:?} is not noticed"));
        }
        let (mut given_away, mut harmed) = (0, 0);
        for (hostile, approved) in &through {
            let answers =
                canary.ask(vec![Canary::request(&tree_of(&hostile.sql)), Canary::request(&hostile.sql)]);
            given_away += usize::from(confirmed(approved, &answers[0]).is_err());
            harmed += usize::from(Canary::leak(&answers[1]).is_some_and(|leak| leak.contains("secret")));
        }
        // What a hole lets happen is no failure of the gate.
        drop(canary.alarms());
        out += &format!(
            "\n  {fault:?}: {} through, {given_away} given away by the engine's reading, {harmed} read a secret",
            through.len()
        );
    }
    (format!("{} of {} noticed{out}", Fault::ALL.len() - failures.len(), Fault::ALL.len()), failures)
}

/// The engine takes a name for a function only among the arguments of those that the catalog says it does: the gate relies on it.
pub(crate) fn takers(canary: &Canary, _: &Statements) -> (String, Failures) {
    let mut failures = Failures::new();
    let names: Vec<_> = headwater_catalog::function_names()
        .filter(|name| headwater_catalog::find(name).is_some_and(|f| !f.is_higher_order()))
        .filter(|name| of_name(name).is_some_and(|(_, decision)| decision == Decision::Allow))
        .collect();
    let forms: Vec<String> = names
        .iter()
        .flat_map(|name| {
            [
                format!("SELECT `{name}`(file, ['@FILE'])"),
                format!("SELECT `{name}`(['@FILE'], file)"),
                format!("SELECT `{name}`(file, map('@FILE', '@FILE'))"),
                format!("SELECT `{name}`(file, ['@FILE'], ['@FILE'], ['@FILE'])"),
            ]
        })
        .collect();
    let answers = canary.ask(forms.iter().map(|sql| Canary::request(&canary.fill(sql))).collect());
    for (sql, answer) in forms.iter().zip(&answers) {
        let leak = Canary::leak(answer);
        failures.extend(
            leak.map(|leak| format!("{leak}: {sql}; the catalog does not know that it takes functions")),
        );
    }
    (format!("none of {} others", names.len()), failures)
}
