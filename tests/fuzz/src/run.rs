//! The loop: choose, mutate, try, shrink, report.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::Context;
use fastrand::Rng;
use rustc_hash::FxHashSet;

use crate::finding::Finding;
use crate::growth::{self, Growth};
use crate::targets::{ast, scanner};
use crate::trial::{Failure, Trace, trial};
use crate::{corpus, minimize, mutate, server};

/// What is fuzzed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Target {
    /// Lines, directives, blocks.
    Scanner,
    /// Schemas, indexes, templates, expressions, SQL.
    Ast,
    /// The language server.
    Server,
}

impl Target {
    /// The name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Scanner => "scanner",
            Self::Ast => "ast",
            Self::Server => "server",
        }
    }

    /// The functions whose time must be linear.
    pub fn functions(self) -> &'static [growth::Function] {
        match self {
            Self::Scanner => growth::SCANNER,
            Self::Ast => growth::AST,
            Self::Server => server::growth::FUNCTIONS,
        }
    }
}

/// When a run ends.
#[derive(Debug, Clone, Copy)]
pub enum Limit {
    /// After so many attempts: the same everywhere.
    Runs(u64),
    /// After this long.
    Time(Duration),
}

/// What to do.
#[derive(Debug, Clone)]
pub struct Settings {
    /// What is fuzzed.
    pub target: Target,
    /// Makes the run: the same seed makes the same inputs.
    pub seed: u64,
    /// When it ends.
    pub limit: Limit,
    /// Measure how time grows, besides: now and then a random unit.
    pub growth: bool,
    /// Where the input is kept while it is tried, for a crash that takes the process along.
    pub current: Option<PathBuf>,
}

/// What came of it.
#[derive(Debug, Default)]
pub struct Report {
    /// Attempts made.
    pub runs: u64,
    /// How long it took.
    pub took: Duration,
    /// Texts in the corpus at the end.
    pub corpus: usize,
    /// Observations made of the code under test.
    pub observations: usize,
    /// Failures, one for each place.
    pub findings: Vec<Finding>,
    /// Units that take too long when repeated.
    pub growths: Vec<Growth>,
}

/// Tries one input: a text, or a session as JSON.
///
/// # Errors
/// How it failed.
pub fn replay(target: Target, input: &str) -> Result<(), Failure> {
    match target {
        Target::Scanner => trial(|| scanner::check(input)),
        Target::Ast => trial(|| ast::check(input)),
        Target::Server => server::attempt(&server::Session::from_json(input)),
    }
}

/// How often the code is asked while a finding is shrunk.
const SHRINKING: usize = 20_000;

/// Texts kept besides the repository's own.
const MAX_KEPT: usize = 5000;

/// Between two units that are measured, this many texts are tried.
const GROWTH_EVERY: u64 = 200;

/// Fuzzes one target.
///
/// # Errors
/// When the corpus cannot be read or the current input cannot be kept.
pub fn run(settings: &Settings) -> anyhow::Result<Report> {
    let start = Instant::now();
    let mut report = Report::default();
    let going = |runs: u64| match settings.limit {
        Limit::Runs(limit) => runs < limit,
        Limit::Time(limit) => start.elapsed() < limit,
    };
    let mut rng = Rng::with_seed(settings.seed);
    if settings.target == Target::Server {
        while going(report.runs) {
            report.runs += 1;
            let session = server::session::random(&mut rng);
            keep(settings, &session.to_json())?;
            if let Err(failure) = server::attempt(&session) {
                note(&mut report, settings, failure, |failure| {
                    let shrunk = server::shrink(&session, failure);
                    ("headwater_fuzz::server::check".to_owned(), shrunk.to_json())
                });
            }
        }
    } else {
        texts(settings, &mut rng, &mut report, going)?;
    }
    report.took = start.elapsed();
    Ok(report)
}

fn texts(
    settings: &Settings,
    rng: &mut Rng,
    report: &mut Report,
    going: impl Fn(u64) -> bool,
) -> anyhow::Result<()> {
    let (observe, call): (fn(&str, &mut Trace), _) = match settings.target {
        Target::Scanner => (scanner::observe, "headwater_fuzz::targets::scanner::check"),
        _ => (ast::observe, "headwater_fuzz::targets::ast::check"),
    };
    let mut texts = corpus::load()?;
    let own = texts.len();
    let mut seen = FxHashSet::default();
    while going(report.runs) {
        let number = report.runs;
        report.runs += 1;
        if settings.growth && number % GROWTH_EVERY == GROWTH_EVERY - 1 {
            // Its own dice: what is measured must not change which texts are tried.
            let mut dice = Rng::with_seed(settings.seed ^ number);
            report.growths.extend(growth::random(&mut dice, settings.target.functions()));
        }
        // The corpus itself first, as it is.
        let text = match texts.get(usize::try_from(number)?).filter(|_| number < own as u64) {
            Some(text) => text.clone(),
            None => {
                let base = rng.usize(..texts.len());
                mutate::mutated(rng, &texts[base], &texts)
            }
        };
        keep(settings, &text)?;
        let mut trace = Trace::default();
        match trial(|| observe(&text, &mut trace)) {
            Ok(()) => {
                if trace.merge_into(&mut seen) && number >= own as u64 && texts.len() < own + MAX_KEPT {
                    texts.push(text);
                }
            }
            Err(failure) => note(report, settings, failure, |failure| {
                let same = |t: &str| {
                    trial(|| observe(t, &mut Trace::default())).is_err_and(|f| f.place == failure.place)
                };
                (call.to_owned(), minimize::text(&text, &mut { SHRINKING }, same))
            }),
        }
    }
    report.corpus = texts.len();
    report.observations = seen.len();
    Ok(())
}

/// Counts a failure; a new one is shrunk and kept.
fn note(
    report: &mut Report,
    settings: &Settings,
    failure: Failure,
    shrink: impl FnOnce(&Failure) -> (String, String),
) {
    if let Some(known) = report.findings.iter_mut().find(|f| f.failure.place == failure.place) {
        known.repeats += 1;
        return;
    }
    let (call, input) = shrink(&failure);
    let target = settings.target.name();
    let (seed, attempt) = (settings.seed, report.runs);
    report.findings.push(Finding { target, seed, attempt, failure, input, call, repeats: 0 });
}

fn keep(settings: &Settings, input: &str) -> anyhow::Result<()> {
    let Some(path) = &settings.current else { return Ok(()) };
    std::fs::write(path, input).with_context(|| format!("{} cannot be written", path.display()))
}
