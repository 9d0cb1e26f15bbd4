//! `cargo xtask complete-eval DIR…`: completion at words of real projects, as if they were being typed.
//!
//! A word is taken out of a file and its first letters are put back, as many as a die says; half of the time the rest of the
//! line is gone too, as when somebody writes it for the first time. The word that was there should be offered, and early.
//! What is printed: how often it is, at which rank, by what it is, and what was offered instead.

use std::collections::BTreeMap;
use std::path::PathBuf;

use anyhow::{Context, Result, ensure};
use camino::Utf8PathBuf;
use headwater_analysis::{Content, Database, Directive, File, FileKind, TextSize};
use headwater_ide::completion;
use headwater_project::{OsFileSystem, load, workspace_roots};

use crate::catalog::Random;

/// What to do.
pub(crate) struct Options {
    folders: Vec<PathBuf>,
    count: usize,
    seed: u64,
    worst: usize,
}

impl Options {
    /// Reads `DIR… [--count N] [--seed N] [--worst N]`; `N` places of each project.
    pub(crate) fn parse(args: &[String]) -> Result<Self> {
        let mut options = Self { folders: Vec::new(), count: 40, seed: 1, worst: 40 };
        let mut args = args.iter();
        while let Some(arg) = args.next() {
            let mut number = || -> Result<usize> { Ok(args.next().context("a number is missing")?.parse()?) };
            match arg.as_str() {
                "--count" => options.count = number()?,
                "--seed" => options.seed = number()? as u64,
                "--worst" => options.worst = number()?,
                folder => options.folders.push(folder.into()),
            }
        }
        ensure!(!options.folders.is_empty(), "complete-eval needs a folder with projects");
        Ok(options)
    }
}

/// An item further down is found by nobody.
const FURTHEST: usize = 50;

#[derive(Default)]
struct Tally {
    places: usize,
    empty: usize,
    /// By letters typed: places, and the sum of reciprocal ranks.
    by_letters: BTreeMap<usize, (usize, f64)>,
    /// By what the offered item is.
    by_kind: BTreeMap<String, (usize, f64)>,
    missed: Vec<String>,
    late: Vec<(usize, String)>,
}

/// Completes, and prints what came of it. A panic is the only failure: what is meant is nobody's to know.
pub(crate) fn run(options: &Options) -> Result<()> {
    let mut tally = Tally::default();
    for folder in &options.folders {
        let folder = Utf8PathBuf::from_path_buf(std::path::absolute(folder)?)
            .map_err(|p| anyhow::anyhow!("{} is not UTF-8", p.display()))?;
        for root in workspace_roots(&OsFileSystem, &folder) {
            let mut db = Database::default();
            let loaded = load(&mut db, &OsFileSystem, &root);
            let files: Vec<File> = loaded
                .project
                .files(&db)
                .iter()
                .copied()
                .filter(|f| matches!(f.kind(&db), Some(FileKind::Pipe | FileKind::Datasource)))
                .collect();
            let mut random = Random::new(options.seed);
            for _ in 0..options.count.min(files.len() * 20) {
                let file = files[random.below(files.len())];
                place(&mut db, file, &mut random, &mut tally);
            }
        }
    }
    println!("{}", tally.report(options.worst));
    ensure!(tally.places > 0, "there are no places");
    Ok(())
}

fn place(db: &mut Database, file: File, random: &mut Random, tally: &mut Tally) {
    let text = file.text(db);
    let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let words: Vec<(usize, &str)> = text
        .split(|c: char| !is_word(c))
        .map(|w| (w.as_ptr() as usize - text.as_ptr() as usize, w))
        .filter(|(at, w)| {
            let line = text[..*at].rfind('\n').map_or(0, |n| n + 1);
            let before = text[line..*at].trim_start();
            // Names that are given here, comments and descriptions are nobody's to guess.
            let names = before.starts_with('#')
                || before.contains("--")
                || before.contains(" #")
                // A schema's names are new ones.
                || before.trim_end_matches('`').is_empty() && is_schema(&text[..line])
                || before.ends_with("NODE ")
                || before.starts_with("DESCRIPTION");
            let is_given = before.to_uppercase().ends_with(" AS ") || in_description(&text[..line]);
            w.len() > 2
                && w.starts_with(|c: char| c.is_ascii_alphabetic())
                && !names
                && !is_given
                && !before.is_empty()
        })
        .collect();
    if words.is_empty() {
        return;
    }
    let (at, word) = words[random.below(words.len())];
    // In texts there is nothing to complete but units and the like.
    let line_start = text[..at].rfind('\n').map_or(0, |n| n + 1);
    if text[line_start..at].matches('\'').count() % 2 == 1
        || text[line_start..at].matches('"').count() % 2 == 1
    {
        return;
    }
    let letters = random.below(4).min(word.len() - 1);
    let cuts_line = random.below(2) == 0;
    let end = at + word.len();
    let rest = if cuts_line { text[end..].find('\n').map_or(text.len(), |n| end + n) } else { end };
    let typed = format!("{}{}{}", &text[..at], &word[..letters], &text[rest..]);
    let offset = TextSize::try_from(at + letters).unwrap_or_default();
    let shown = format!(
        "{}▮  ({word}, {})",
        text[line_start..at].trim_start().to_owned() + &word[..letters],
        file.path(db)
    );
    file.set_open(db, Content::Text(typed.as_str().into()));
    let found = completion(db, file, offset).items;
    let word = word.to_owned();
    file.set_open(db, Content::Text(text));
    tally.places += 1;
    tally.empty += usize::from(found.is_empty());
    let says = |label: &str| {
        label.trim_matches('`') == word
            || label.rsplit('.').next().is_some_and(|l| l.trim_matches('`') == word)
            || label.eq_ignore_ascii_case(&word)
            || label
                .split(|c: char| !is_word(c))
                .find(|w| !w.is_empty())
                .is_some_and(|w| w.eq_ignore_ascii_case(&word))
            || label.strip_suffix('=') == Some(&word)
    };
    let rank = found.iter().position(|i| says(&i.label)).filter(|n| *n < FURTHEST);
    let score = rank.map_or(0.0, |n| 1.0 / (n + 1) as f64);
    let by_letters = tally.by_letters.entry(letters).or_default();
    by_letters.0 += 1;
    by_letters.1 += score;
    let kind = rank.map_or_else(|| "not offered".to_owned(), |n| format!("{:?}", found[n].kind));
    let by_kind = tally.by_kind.entry(kind).or_default();
    by_kind.0 += 1;
    by_kind.1 += score;
    let first: Vec<&str> = found.iter().take(4).map(|i| i.label.as_str()).collect();
    let line = format!("{shown} [{}]", first.join(" | "));
    match rank {
        None => tally.missed.push(line),
        Some(n) if n > 3 => tally.late.push((n + 1, line)),
        Some(_) => {}
    }
}

/// Whether a text ends in the block, or at the line, of a description.
fn in_description(before: &str) -> bool {
    opener(before) == Some(Directive::Description)
}

/// Whether a text ends in the block of a schema.
fn is_schema(before: &str) -> bool {
    opener(before) == Some(Directive::Schema)
}

/// The directive of the last line that begins with one.
fn opener(before: &str) -> Option<Directive> {
    before
        .lines()
        .rev()
        .filter(|l| !l.starts_with(char::is_whitespace))
        .find_map(|line| Directive::named(line.split_whitespace().next()?.trim_end_matches('>')))
}

impl Tally {
    fn report(&self, worst: usize) -> String {
        use std::fmt::Write as _;
        let mut out = String::new();
        let total: f64 = self.by_letters.values().map(|(_, sum)| sum).sum();
        let mean = |(count, sum): &(usize, f64)| sum / (*count).max(1) as f64;
        let _ = writeln!(
            out,
            "{} places, mean reciprocal rank {:.3}; {} not offered, {} lists empty",
            self.places,
            total / self.places.max(1) as f64,
            self.missed.len(),
            self.empty
        );
        for (letters, entry) in &self.by_letters {
            let _ = writeln!(out, "  {letters} letters: {} places, {:.3}", entry.0, mean(entry));
        }
        for (kind, entry) in &self.by_kind {
            let _ = writeln!(out, "  {kind}: {} places, {:.3}", entry.0, mean(entry));
        }
        let _ = writeln!(out, "not offered");
        for line in self.missed.iter().take(worst) {
            let _ = writeln!(out, "    {line}");
        }
        let _ = writeln!(out, "offered late");
        let mut late = self.late.clone();
        late.sort_by_key(|(rank, _)| std::cmp::Reverse(*rank));
        for (rank, line) in late.iter().take(worst) {
            let _ = writeln!(out, "  {rank:>3} {line}");
        }
        out
    }
}
