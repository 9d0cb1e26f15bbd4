//! Planted faults: our rules made worse in this process, so that a harness that notices nothing is noticed.
//!
//! A rule is switched off the way a user does it, in the project's configuration; a belief about a column is made wrong by
//! showing our rules another text than the engine. For each fault there is a mutation of the run whose outcome must get
//! worse: a victim missed, or an alarm that is false.

use std::sync::Arc;

use anyhow::{Result, ensure};
use headwater_analysis::{ALL_CODES, Setter, Severity};

use super::subject::{ENGINE_RULES, Outcome, Subject};
use super::{Run, mutated};

/// At least so many faults must be caught.
const ENOUGH: usize = 10;

/// Plants every fault, and says which were caught.
pub(super) fn run(subjects: &mut [Subject], runs: &[Run]) -> Result<()> {
    let mut caught = Vec::new();
    let mut missed = Vec::new();
    let mut note = |name: String, is_caught: Option<bool>| match is_caught {
        Some(true) => caught.push(name),
        Some(false) => missed.push(name),
        None => {}
    };
    for code in ALL_CODES {
        // A victim that this rule alone reports.
        let alone =
            |run: &&Run| run.outcome.victims.iter().any(|(_, _, codes)| codes.iter().eq([&code.name]));
        let Some(run) = runs.iter().find(alone) else { continue };
        let off = |subject: &mut Subject| {
            let mut config = (**subject.project.config(&subject.db)).clone();
            config.severities.insert(code.name.to_owned(), Severity::Off);
            subject.project.set_config(&mut subject.db).to(Arc::new(config));
        };
        let subject = &mut subjects[run.subject];
        let config = subject.project.config(&subject.db).clone();
        let (_, outcome) = mutated(subject, &run.mutation, off);
        subject.project.set_config(&mut subject.db).to(config);
        note(format!("the rule {} is off", code.name), Some(misses(&outcome) > misses(&run.outcome)));
    }
    for kind in ["drop a column", "rename a column", "retype a column", "break a state"] {
        // The engine sees the edit and our rules do not.
        let seen = |run: &&Run| run.mutation.kind == kind && misses(&run.outcome) < run.outcome.victims.len();
        let blind = runs.iter().find(seen).map(|run| {
            let subject = &mut subjects[run.subject];
            let before = subject.text(run.mutation.file);
            let (_, outcome) = mutated(subject, &run.mutation, |s| s.set_text(run.mutation.file, before));
            misses(&outcome) > misses(&run.outcome)
        });
        note(format!("our rules do not see: {kind}"), blind);
        // Our rules see an edit that was not made: whoever reads the column is accused.
        let lie = runs.iter().filter(|run| {
            let mut codes = run.outcome.victims.iter().flat_map(|(_, _, codes)| codes);
            run.mutation.kind == kind && codes.any(|code| ENGINE_RULES.contains(code))
        });
        let mut is_caught = None;
        for run in lie.take(8) {
            let subject = &mut subjects[run.subject];
            let truth = subject.text(run.mutation.file);
            let outcome = subject.falsely(&run.mutation, &truth);
            is_caught = Some(is_caught == Some(true) || !outcome.false_alarms.is_empty());
        }
        // Types of the repository's own columns are refused in keys and targets only, where a lie looks like a rule of the
        // format.
        if kind != "retype a column" {
            note(format!("our rules imagine: {kind}"), is_caught);
        }
    }
    for name in &caught {
        println!("caught   {name}");
    }
    for name in &missed {
        println!("MISSED   {name}");
    }
    ensure!(missed.is_empty(), "the harness does not notice {} planted faults", missed.len());
    ensure!(caught.len() >= ENOUGH, "only {} faults could be planted", caught.len());
    Ok(())
}

fn misses(outcome: &Outcome) -> usize {
    outcome.victims.iter().filter(|(_, _, codes)| codes.is_empty()).count()
}
