//! `cargo xtask grammar-eval DIR…`: our SQL grammar, judged by the engine.
//!
//! Statements that start a SELECT are taken from the folders' files and put to the engine (`EXPLAIN AST`). Of those that
//! it accepts, ours must parse without an error, and both trees must hold the same functions, tables and identifiers
//! once the engine's desugaring ([`desugar`]) is applied. Then statements are broken, one token each, and the syntax
//! errors of both are compared. Queries of datafiles are parsed in every variant of their template.

pub(crate) mod collect;
mod desugar;
mod items;
mod judge;
mod mutants;
mod ours;
mod theirs;
pub(crate) mod tokens;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Result, ensure};
use headwater_syntax::sql;

use judge::{Judge, Verdict};

/// What to do.
pub(crate) struct Options {
    folders: Vec<PathBuf>,
    mutants: usize,
    seed: u64,
    worst: usize,
    verdicts: Option<PathBuf>,
}

impl Options {
    /// Reads `DIR… [--mutants N] [--seed N] [--worst N] [--verdicts FILE]`.
    pub(crate) fn parse(args: &[String]) -> Result<Self> {
        let mut options = Self { folders: Vec::new(), mutants: 20_000, seed: 1, worst: 20, verdicts: None };
        let mut args = args.iter();
        while let Some(arg) = args.next() {
            let mut value = || args.next().ok_or_else(|| anyhow::anyhow!("{arg} needs a value"));
            let mut number = || -> Result<usize> { Ok(value()?.parse()?) };
            match arg.as_str() {
                "--mutants" => options.mutants = number()?,
                "--seed" => options.seed = number()? as u64,
                "--worst" => options.worst = number()?,
                "--verdicts" => options.verdicts = Some(value()?.into()),
                folder => options.folders.push(folder.into()),
            }
        }
        ensure!(!options.folders.is_empty(), "grammar-eval needs a folder or file with SQL");
        Ok(options)
    }
}

/// Judges everything in the folders, and prints what came of it.
pub(crate) fn run(options: &Options) -> Result<()> {
    let judge = &mut Judge::new(options.verdicts.as_deref())?;
    // Our comparison follows trees down; some statements nest thousands deep.
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().stack_size(1 << 30);
        let handle = thread.spawn_scoped(scope, || all(options, judge))?;
        handle.join().unwrap_or_else(|_| Err(anyhow::anyhow!("the evaluation failed")))
    })
}

fn all(options: &Options, judge: &mut Judge) -> Result<()> {
    let mut total = Tally::default();
    let mut accepted: Vec<String> = Vec::new();
    for folder in &options.folders {
        let found = collect::collect(folder)?;
        println!("\n{}", folder.display());
        if found.unreadable > 0 {
            println!("  {} files are no UTF-8 and were left out", found.unreadable);
        }
        if !found.variants.is_empty() {
            variants(&found.variants, options.worst);
        }
        if found.selects.is_empty() {
            continue;
        }
        let tally = statements(folder, &found.selects, judge, options.worst, &mut accepted)?;
        println!("{tally}");
        total.add(&tally);
    }
    println!("\nAll folders\n{total}");
    if options.mutants > 0 && !accepted.is_empty() {
        broken(options, judge, &accepted)?;
    }
    Ok(())
}

/// Every variant of every template must parse.
fn variants(found: &[collect::Text], worst: usize) {
    let bad: Vec<_> = found.iter().filter_map(|v| Some((v, errors(&v.sql)?))).collect();
    println!("  node variants          {:>8}", found.len());
    println!(
        "  without an error       {:>8}  {}",
        found.len() - bad.len(),
        percent(found.len() - bad.len(), found.len())
    );
    for (text, error) in bad.iter().take(worst) {
        println!("    {}: {}", text.file.display(), around(&text.sql, error.range.start().into()));
    }
}

/// The first fault that we see in a text.
fn errors(text: &str) -> Option<sql::SyntaxError> {
    sql::statements(text).into_iter().flat_map(|s| s.errors).min_by_key(|e| e.range.start())
}

#[derive(Default)]
struct Tally {
    statements: usize,
    no_opinion: usize,
    accepted: usize,
    accepted_clean: usize,
    compared: usize,
    equal: usize,
    refused: usize,
    refused_by_us: usize,
}

impl Tally {
    fn add(&mut self, other: &Self) {
        self.statements += other.statements;
        self.no_opinion += other.no_opinion;
        self.accepted += other.accepted;
        self.accepted_clean += other.accepted_clean;
        self.compared += other.compared;
        self.equal += other.equal;
        self.refused += other.refused;
        self.refused_by_us += other.refused_by_us;
    }
}

impl std::fmt::Display for Tally {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut line = |what: &str, count: usize, of: usize| {
            writeln!(
                f,
                "  {what:<22} {count:>8}  {}",
                if of > 0 { percent(count, of) } else { String::new() }
            )
        };
        line("SELECT statements", self.statements, 0)?;
        line("no opinion", self.no_opinion, 0)?;
        line("the engine accepts", self.accepted, 0)?;
        line("  we do too", self.accepted_clean, self.accepted)?;
        line("    trees compared", self.compared, 0)?;
        line("      equal", self.equal, self.compared)?;
        line("the engine refuses", self.refused, 0)?;
        line("  we do too", self.refused_by_us, self.refused)
    }
}

fn statements(
    folder: &Path,
    found: &[collect::Text],
    judge: &mut Judge,
    worst: usize,
    accepted: &mut Vec<String>,
) -> Result<Tally> {
    let mut tally = Tally { statements: found.len(), ..Tally::default() };
    let texts: Vec<&str> = found.iter().map(|t| t.sql.as_str()).collect();
    let mut failed = Vec::new();
    let mut unequal = Vec::new();
    for (text, verdict) in found.iter().zip(judge.judge(&texts)?) {
        let error = errors(&text.sql);
        let name = || text.file.strip_prefix(folder).unwrap_or(&text.file).display().to_string();
        match verdict {
            Verdict::None(_) => tally.no_opinion += 1,
            Verdict::SyntaxError(_) => {
                tally.refused += 1;
                tally.refused_by_us += usize::from(error.is_some());
            }
            Verdict::Accepted(_) | Verdict::AcceptedWithoutTree => {
                tally.accepted += 1;
                if let Some(error) = error {
                    failed.push(format!("{}: {}", name(), around(&text.sql, error.range.start().into())));
                    continue;
                }
                tally.accepted_clean += 1;
                accepted.push(text.sql.clone());
                let Verdict::Accepted(tree) = verdict else { continue };
                tally.compared += 1;
                match difference(&text.sql, &tree) {
                    None => tally.equal += 1,
                    Some(difference) => {
                        unequal.push(format!("{}: {difference}\n      {}", name(), around(&text.sql, 0)));
                    }
                }
            }
        }
    }
    print_worst("Not parsed", &failed, worst);
    print_worst("Another tree (- only the engine's, + only ours)", &unequal, worst);
    Ok(tally)
}

/// How our tree differs from the engine's; `None` when it does not.
fn difference(sql: &str, tree: &str) -> Option<String> {
    let theirs = theirs::items(tree);
    let ours = ours::items(sql)?;
    // The engine copies a WITH clause into every branch of a set operation.
    let with = sql.as_bytes().windows(4).any(|w| w.eq_ignore_ascii_case(b"with"));
    let as_sets = with && ["Union", "Intersect", "Except"].iter().any(|word| tree.contains(word));
    let (missing, extra) = (theirs.beyond(&ours, as_sets), ours.beyond(&theirs, as_sets));
    let parts: Vec<_> =
        missing.iter().map(|m| format!("- {m}")).chain(extra.iter().map(|e| format!("+ {e}"))).collect();
    (!parts.is_empty()).then(|| parts.join(", "))
}

fn broken(options: &Options, judge: &mut Judge, accepted: &[String]) -> Result<()> {
    // Statements of a megabyte say nothing about syntax.
    let bases: Vec<&String> = accepted.iter().filter(|s| s.len() < 4_000).collect();
    ensure!(!bases.is_empty(), "no statement to break");
    let mut random = mutants::Random(options.seed);
    let mut all = Vec::with_capacity(options.mutants);
    while all.len() < options.mutants {
        let base = bases[random.below(bases.len())];
        all.extend(mutants::mutate(base, &mut random));
    }
    let texts: Vec<&str> = all.iter().map(|m| m.sql.as_str()).collect();
    let (mut both, mut only_engine, mut only_ours, mut neither, mut near) = (0, 0, 0, 0, 0);
    let (mut missed, mut wrong, mut far) = (Vec::new(), Vec::new(), Vec::new());
    let mut operations: BTreeMap<&str, (usize, usize)> = BTreeMap::new();
    for (mutant, verdict) in all.iter().zip(judge.judge(&texts)?) {
        let error = errors(&mutant.sql);
        let line = || format!("{} at {}: {}", mutant.operation, mutant.at, around(&mutant.sql, mutant.at));
        match (verdict, error) {
            (Verdict::None(_), _) => {}
            (Verdict::SyntaxError(_), Some(error)) => {
                both += 1;
                let found = usize::from(error.range.start());
                if mutants::distance(&mutant.sql, mutant.at, found) <= 2 {
                    near += 1;
                } else {
                    far.push(format!(
                        "{}; {} at {found}: {}",
                        line(),
                        error.message,
                        around(&mutant.sql, found)
                    ));
                }
                operations.entry(mutant.operation).or_default().0 += 1;
            }
            (Verdict::SyntaxError(_), None) => {
                only_engine += 1;
                operations.entry(mutant.operation).or_default().1 += 1;
                missed.push(line());
            }
            (_, Some(_)) => {
                only_ours += 1;
                wrong.push(line());
            }
            (_, None) => neither += 1,
        }
    }
    println!("\n{} statements with one token wrong (seed {})", all.len(), options.seed);
    println!("                     we refuse   we accept");
    println!(
        "  engine refuses      {both:>9}   {only_engine:>9}   recall    {}",
        percent(both, both + only_engine)
    );
    println!(
        "  engine accepts      {only_ours:>9}   {neither:>9}   precision {}",
        percent(both, both + only_ours)
    );
    println!("  found within two tokens: {}", percent(near, both));
    for (operation, (found, missed)) in operations {
        println!("  {operation:<10} recall {}", percent(found, found + missed));
    }
    print_worst("Refused by the engine only", &missed, options.worst);
    print_worst("Refused by us only", &wrong, options.worst);
    print_worst("Found far from where the statement was broken", &far, options.worst);
    Ok(())
}

fn print_worst(title: &str, lines: &[String], worst: usize) {
    if lines.is_empty() || worst == 0 {
        return;
    }
    println!("  {title} ({}):", lines.len());
    for line in lines.iter().take(worst) {
        println!("    {line}");
    }
}

/// A line of text around a byte, with the byte marked.
fn around(text: &str, at: usize) -> String {
    let at = (0..=at.min(text.len())).rev().find(|n| text.is_char_boundary(*n)).unwrap_or(0);
    let before: String = text[..at].chars().rev().take(60).collect::<Vec<_>>().into_iter().rev().collect();
    let after: String = text[at..].chars().take(100).collect();
    let one_line = |s: &str| s.replace(char::is_whitespace, " ");
    format!("{}»{}", one_line(&before), one_line(&after))
}

fn percent(count: usize, of: usize) -> String {
    if of == 0 {
        return "–".to_owned();
    }
    format!("{:.2} %", 100.0 * count as f64 / of as f64)
}
