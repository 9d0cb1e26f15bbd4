//! A project's tests, for editors: which there are, what each is about, and what became of it.
//!
//! An outcome is kept under the number of what it is about ([`Subjects`]): an edit makes it invisible without a write, a late one
//! shows nowhere, and a text that comes back finds its outcome again.

pub(crate) mod look;
pub(crate) mod runner;
pub(crate) mod text;

use std::hash::{Hash, Hasher};
use std::sync::Arc;
use std::time::Duration;

use camino::Utf8PathBuf;
use headwater_analysis::{Db, File, TextRange, TextSize};
use headwater_engine::run::{Outcome, Status};
use headwater_engine::suite::compare::Difference;
use headwater_engine::suite::{Case, Check, FileError, Subjects, is_yaml_file, read};
use rustc_hash::{FxHashMap, FxHashSet, FxHasher};

use crate::snapshot::Snapshot;

/// A test of a file, or what is wrong with it.
#[derive(Debug, PartialEq)]
pub(crate) struct Test {
    /// Its name; later ones of the same name in the file have a number behind it.
    pub(crate) id: String,
    /// Where it is named.
    pub(crate) place: TextRange,
    /// All of it.
    pub(crate) extent: TextRange,
    pub(crate) case: Result<Case, FileError>,
}

/// The tests of a file. Linear in its text.
#[salsa::tracked]
pub(crate) fn tests(db: &dyn Db, file: File) -> Arc<Vec<Test>> {
    let path = file.path(db);
    if !is_yaml_file(path) {
        return Arc::default();
    }
    let text = file.text(db);
    let mut seen: FxHashMap<String, usize> = FxHashMap::default();
    let test = |case: Result<Case, FileError>| {
        let name = match &case {
            Ok(case) => case.name.clone(),
            Err(fault) => fault.name.clone().unwrap_or_else(|| format!("line {}", fault.line)),
        };
        let count = seen.entry(name.clone()).or_default();
        *count += 1;
        let id = if *count == 1 { name } else { format!("{name} ({count})") };
        let (place, extent) = match &case {
            Ok(case) => (bytes(&case.place), bytes(&case.extent)),
            Err(fault) => {
                let line = line(&text, fault.line);
                (line, line)
            }
        };
        Test { id, place, extent, case }
    };
    Arc::new(read(path, &text, None).into_iter().map(test).collect())
}

fn bytes(range: &std::ops::Range<usize>) -> TextRange {
    let at = |n: usize| TextSize::from(u32::try_from(n).unwrap_or(u32::MAX));
    TextRange::new(at(range.start), at(range.end.max(range.start)))
}

/// A line, from 1, without what is blank around it.
fn line(text: &str, number: usize) -> TextRange {
    let start: usize = text.split_inclusive('\n').take(number.saturating_sub(1)).map(str::len).sum();
    let line = text[start..].lines().next().unwrap_or_default();
    let indent = line.len() - line.trim_start().len();
    bytes(&(start + indent..start + line.trim_end().len().max(indent)))
}

/// Answers that are longer are not kept, in bytes.
const LONGEST: usize = 1 << 20;

/// What became of a test.
#[derive(Debug)]
pub(crate) struct Known {
    pub(crate) status: Status,
    pub(crate) elapsed: Duration,
    /// Of a failure, what differs or what to do; of a skipped test, why.
    pub(crate) detail: String,
    pub(crate) difference: Option<Difference>,
    pub(crate) notes: Vec<String>,
    /// The answer that the file expects.
    pub(crate) expected: Option<String>,
    /// The answer, and its status when it is an error.
    pub(crate) actual: Option<(String, Option<u16>)>,
}

impl Known {
    pub(crate) fn new(outcome: Outcome, case: &Case) -> Self {
        let has_failed = outcome.status == Status::Failed;
        let expected = match &case.check {
            Check::Request { expected, .. } | Check::Output { expected, .. } => expected.clone(),
            Check::Nothing { .. } => None,
        };
        // What passes was expected, and what nobody can look at is not kept.
        let actual = outcome.actual.filter(|actual| has_failed && actual.body.len() <= LONGEST);
        let actual = actual.map(|actual| (actual.body, (actual.status >= 400).then_some(actual.status)));
        let expected = expected.filter(|_| actual.is_some());
        Self {
            status: outcome.status,
            elapsed: outcome.elapsed,
            detail: outcome.detail,
            difference: outcome.difference,
            notes: outcome.notes,
            expected,
            actual,
        }
    }

    /// Of a test that cannot be read.
    pub(crate) fn unreadable(fault: &FileError) -> Self {
        Self {
            status: Status::Failed,
            elapsed: Duration::ZERO,
            detail: fault.message.clone(),
            difference: None,
            notes: Vec::new(),
            expected: None,
            actual: None,
        }
    }

    /// In a few words.
    pub(crate) fn brief(&self) -> String {
        match (&self.difference, self.detail.lines().next()) {
            (Some(difference), _) => difference.brief(),
            (None, Some(line)) => match line.char_indices().nth(80) {
                Some((at, _)) => format!("{}…", &line[..at]),
                None => line.to_owned(),
            },
            (None, None) => self.status.name().to_owned(),
        }
    }
}

/// Outcomes, by what they are about.
pub(crate) type Results = FxHashMap<u64, Arc<Known>>;

/// How often files beside the datafiles have changed: by the project's folder, and by path from there.
pub(crate) type Touched = FxHashMap<Utf8PathBuf, FxHashMap<Utf8PathBuf, u64>>;

/// What a snapshot knows of outcomes.
#[derive(Debug, Clone, Default)]
pub(crate) struct Ledger {
    pub(crate) results: Arc<Results>,
    pub(crate) touched: Arc<Touched>,
    /// What every test was about when the project was opened.
    pub(crate) opened: Arc<FxHashSet<u64>>,
}

/// What a test is about, whether it can be read or not.
pub(crate) fn subject(subjects: &mut Subjects<'_>, test: &Test, text: &str) -> u64 {
    match &test.case {
        Ok(case) => subjects.of(case, text),
        Err(fault) => {
            let mut hasher = FxHasher::default();
            (&fault.path, fault.line, &fault.message).hash(&mut hasher);
            hasher.finish()
        }
    }
}

impl Snapshot {
    /// What tests of a project are about.
    pub(crate) fn subjects(&self, project: headwater_analysis::Project) -> Subjects<'_> {
        static NONE: std::sync::LazyLock<FxHashMap<Utf8PathBuf, u64>> =
            std::sync::LazyLock::new(FxHashMap::default);
        let touched = self.world.ledger.touched.get(project.root(&self.db)).unwrap_or(&NONE);
        Subjects::new(&self.db, project, touched)
    }

    /// The tests of a file, each with what became of it as everything stands.
    pub(crate) fn outcomes(&self, file: File) -> Vec<(usize, Option<Arc<Known>>)> {
        let results = &self.world.ledger.results;
        let tests = tests(&self.db, file);
        if results.is_empty() {
            return (0..tests.len()).map(|n| (n, None)).collect();
        }
        let mut subjects = self.subjects(file.project(&self.db));
        let text = file.text(&self.db);
        let known =
            |(n, test): (usize, &Test)| (n, results.get(&subject(&mut subjects, test, &text)).cloned());
        tests.iter().enumerate().map(known).collect()
    }
}
