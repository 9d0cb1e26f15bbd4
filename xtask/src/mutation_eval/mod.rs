//! `cargo xtask mutation-eval DIR…`: clean projects, broken at random, and whether we notice without the engine.
//!
//! A mutation is one edit that a parser takes: a column dropped, renamed or retyped, a function swapped, a state broken.
//! Its *victims* are the nodes and data sources that the engine took before and refuses now ([`subject`]). Each must be
//! reported; what the engine still takes must not be. The project as it was is the baseline, so that what is said at
//! the edited place is judged too. [`proof`] shows first that the harness would notice if our rules were worse.

pub(crate) mod mutate;
mod proof;
pub(crate) mod subject;

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use anyhow::{Context, Result, ensure};
use camino::Utf8PathBuf;
use headwater_project::{OsFileSystem, workspace_roots};
use headwater_warehouse::{PoolConfig, Program};

use crate::catalog::Random;
use mutate::{Mutation, sites};
use subject::{Outcome, Subject};

/// What to do.
pub(crate) struct Options {
    folders: Vec<PathBuf>,
    count: usize,
    seed: u64,
    worst: usize,
    proves: bool,
}

/// The gate's floor, in percent of the victims. The bar is 95 % on the listed projects; these are few and small, and one
/// function that is not known yet is several percent of them.
const FLOOR: usize = 92;

impl Options {
    /// Reads `DIR… [--count N] [--seed N] [--worst N] [--prove]`.
    pub(crate) fn parse(args: &[String]) -> Result<Self> {
        let mut options = Self { folders: Vec::new(), count: 800, seed: 1, worst: 40, proves: false };
        let mut args = args.iter();
        while let Some(arg) = args.next() {
            let mut number = || -> Result<u64> { Ok(args.next().context("a number is missing")?.parse()?) };
            match arg.as_str() {
                "--prove" => options.proves = true,
                "--count" => options.count = number()? as usize,
                "--seed" => options.seed = number()?,
                "--worst" => options.worst = number()? as usize,
                folder => options.folders.push(folder.into()),
            }
        }
        ensure!(!options.folders.is_empty(), "mutation-eval needs a folder with projects");
        Ok(options)
    }
}

/// The repository's own projects, with a fixed seed: an error when a victim goes unnoticed too often, something is reported
/// that the engine takes, or the harness misses a planted fault.
pub(crate) fn gate() -> Result<()> {
    let folders = vec![crate::root().join("tests/projects")];
    let options = Options { folders, count: 250, seed: 1, worst: 10, proves: true };
    let (mut subjects, runs) = judge(&options)?;
    let tally = Tally::of(&runs);
    println!("{}", tally.report(options.worst));
    ensure!(tally.false_alarms.is_empty(), "we report faults that the engine does not have");
    ensure!(tally.found() * 100 >= tally.victims * FLOOR, "fewer than {FLOOR} % of the victims are reported");
    proof::run(&mut subjects, &runs)
}

/// Breaks the projects in the folders, and prints what came of it.
pub(crate) fn run(options: &Options) -> Result<()> {
    let (mut subjects, runs) = judge(options)?;
    println!("{}", Tally::of(&runs).report(options.worst));
    if options.proves { proof::run(&mut subjects, &runs) } else { Ok(()) }
}

/// One mutation and what it did.
pub(super) struct Run {
    subject: usize,
    mutation: Mutation,
    label: String,
    outcome: Outcome,
}

fn judge(options: &Options) -> Result<(Vec<Subject>, Vec<Run>)> {
    let library = crate::engine::library()?;
    let mut subjects = Vec::new();
    for folder in &options.folders {
        let folder = Utf8PathBuf::from_path_buf(std::path::absolute(folder)?)
            .map_err(|p| anyhow::anyhow!("{} is not UTF-8", p.display()))?;
        for root in workspace_roots(&OsFileSystem, &folder) {
            let below = root.path.strip_prefix(folder.parent().unwrap_or(&folder)).unwrap_or(&root.path);
            // One engine a project, which sleeps until it is asked.
            let config = PoolConfig::new(Program::current()?, library.clone());
            subjects.push(Subject::new(&root, below.to_string(), config));
        }
    }
    let mut random = Random::new(options.seed);
    let all: Vec<_> = subjects.iter().map(|s| sites(&s.db, s.project)).collect();
    let kinds: BTreeSet<&str> = all.iter().flatten().flat_map(mutate::Sites::kinds).collect();
    let kinds: Vec<&str> = kinds.into_iter().collect();
    ensure!(!kinds.is_empty(), "there is nothing to break");
    let mut runs = Vec::new();
    // Every kind as often as the others, in files where it can be.
    for n in 0..options.count {
        let kind = kinds[n % kinds.len()];
        let places: Vec<(usize, usize)> = all
            .iter()
            .enumerate()
            .flat_map(|(s, sites)| {
                sites
                    .iter()
                    .enumerate()
                    .filter(|(_, f)| f.kinds().any(|k| k == kind))
                    .map(move |(f, _)| (s, f))
            })
            .collect();
        let (subject, file) = places[random.below(places.len())];
        let Some(mutation) = all[subject][file].pick(kind, &mut random) else { continue };
        let (label, outcome) = mutated(&mut subjects[subject], &mutation, |_| {});
        runs.push(Run { subject, mutation, label, outcome });
    }
    Ok((subjects, runs))
}

/// Applies a mutation, looks, and takes it back.
fn mutated(subject: &mut Subject, mutation: &Mutation, look: impl FnOnce(&mut Subject)) -> (String, Outcome) {
    let text = subject.text(mutation.file);
    let label = format!("{}: {}", subject.name, mutation.describe(&subject.db, &text));
    subject.set_text(mutation.file, mutation.apply(&text).into());
    let outcome = subject.outcome(mutation.file, look);
    subject.set_text(mutation.file, text);
    (label, outcome)
}

/// Counts.
#[derive(Default)]
struct Tally {
    mutations: usize,
    harmless: usize,
    victims: usize,
    missed: Vec<String>,
    false_alarms: Vec<String>,
    by_kind: BTreeMap<&'static str, (usize, usize)>,
    /// Edits of columns that break other files, and those that say so.
    impact: (usize, usize),
    silent: Vec<String>,
    loud: Vec<String>,
}

impl Tally {
    fn of(runs: &[Run]) -> Self {
        let mut tally = Self { mutations: runs.len(), ..Self::default() };
        for Run { mutation, label, outcome, .. } in runs {
            tally.harmless += usize::from(outcome.victims.is_empty());
            let of_kind = tally.by_kind.entry(mutation.kind).or_default();
            for (victim, words, codes) in &outcome.victims {
                tally.victims += 1;
                of_kind.0 += 1;
                if codes.is_empty() {
                    tally.missed.push(format!("{label}\n      {victim}: {}", short(words)));
                } else {
                    of_kind.1 += 1;
                }
            }
            for alarm in &outcome.false_alarms {
                tally.false_alarms.push(format!("{label}\n      {alarm}"));
            }
            if mutation.is_about_columns() {
                if outcome.breaks_others {
                    tally.impact.0 += 1;
                    tally.impact.1 += usize::from(outcome.says_so);
                    if !outcome.says_so {
                        tally.silent.push(label.clone());
                    }
                } else if outcome.says_so && outcome.victims.is_empty() && outcome.is_whole {
                    tally.loud.push(label.clone());
                }
            }
        }
        tally
    }

    fn found(&self) -> usize {
        self.victims - self.missed.len()
    }

    fn report(&self, worst: usize) -> String {
        use std::fmt::Write as _;
        let percent = |n: usize, of: usize| if of == 0 { 100.0 } else { 100.0 * n as f64 / of as f64 };
        let mut out = String::new();
        let _ = writeln!(out, "mutations                 {}", self.mutations);
        let _ = writeln!(out, "  without a victim        {}", self.harmless);
        let _ = writeln!(out, "victims                   {}", self.victims);
        let _ = writeln!(
            out,
            "  reported                {}  {:.2} %",
            self.found(),
            percent(self.found(), self.victims)
        );
        let _ = writeln!(out, "false alarms              {}", self.false_alarms.len());
        let _ = writeln!(out, "columns that break others {}", self.impact.0);
        let _ = writeln!(
            out,
            "  said where it is edited {}  {:.2} %",
            self.impact.1,
            percent(self.impact.1, self.impact.0)
        );
        let _ = writeln!(out, "  said without a victim   {}", self.loud.len());
        for (kind, (victims, found)) in &self.by_kind {
            let _ = writeln!(out, "    {kind:<26} {found} of {victims}");
        }
        for (title, list) in [
            ("Missed", &self.missed),
            ("False alarms", &self.false_alarms),
            ("Breaks others, and is silent", &self.silent),
            ("Says that it breaks others, and does not", &self.loud),
        ] {
            if !list.is_empty() {
                let _ = writeln!(out, "\n{title} ({})", list.len());
                for line in list.iter().take(worst) {
                    let _ = writeln!(out, "  {line}");
                }
            }
        }
        out
    }
}

fn short(text: &str) -> String {
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if text.chars().count() > 300 { text.chars().take(300).chain(['…']).collect() } else { text }
}
