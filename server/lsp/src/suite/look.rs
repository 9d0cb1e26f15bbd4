//! What changed for tests since somebody looked last: which files have other ones, and which of them an edit may touch.

use std::hash::{Hash, Hasher};
use std::sync::Arc;

use camino::Utf8PathBuf;
use headwater_analysis::{File, Project};
use rustc_hash::{FxHashMap, FxHashSet, FxHasher};

use super::runner::{Job, Wanted};
use super::{Known, subject, tests};
use crate::snapshot::Snapshot;

/// What a look found.
pub(crate) struct Look {
    /// Of each file with tests, a number that stays as long as its list of tests does.
    pub(crate) shapes: FxHashMap<Utf8PathBuf, u64>,
    /// What each test is about.
    pub(crate) subjects: FxHashSet<u64>,
    /// Tests that nothing is known of as everything stands, and that were about something else when the project was opened.
    pub(crate) affected: Vec<Job>,
}

/// Tests that are run without being asked for, in one go: who changes everything asks for a run.
const MOST: usize = 500;

/// Looks at every test of every project. `opened` says whether what was there at the start is known.
pub(crate) fn look(snapshot: &Snapshot, opened: bool) -> Look {
    let db = &snapshot.db;
    let ledger = &snapshot.world.ledger;
    let mut out = Look { shapes: FxHashMap::default(), subjects: FxHashSet::default(), affected: Vec::new() };
    let mut left = MOST;
    for (_, project) in &snapshot.world.projects {
        let with_tests = project.files(db).iter().filter(|file| !tests(db, **file).is_empty());
        let with_tests: Vec<File> = with_tests.copied().collect();
        if with_tests.is_empty() {
            continue;
        }
        let mut subjects = snapshot.subjects(*project);
        let mut wanted = Vec::new();
        for file in &with_tests {
            let tests = tests(db, *file);
            let text = file.text(db);
            let mut hasher = FxHasher::default();
            for (n, test) in tests.iter().enumerate() {
                (&test.id, test.extent, test.case.is_ok()).hash(&mut hasher);
                let about = subject(&mut subjects, test, &text);
                out.subjects.insert(about);
                let is_affected = opened
                    && !ledger.opened.contains(&about)
                    && !ledger.results.contains_key(&about)
                    && wanted.len() < left;
                if is_affected {
                    wanted.push((*file, n, about));
                }
            }
            out.shapes.insert(snapshot.path(*file), hasher.finish());
        }
        left -= wanted.len();
        if !wanted.is_empty() {
            out.affected.push(job(snapshot, *project, &wanted, false));
        }
    }
    out
}

/// What the runner needs for these tests of a project; `asked` when somebody waits for them, so that also what nobody told us of is
/// read again.
pub(crate) fn job(snapshot: &Snapshot, project: Project, wanted: &[(File, usize, u64)], asked: bool) -> Job {
    let db = &snapshot.db;
    let root = project.root(db).clone();
    let place = |(file, n, about): &(File, usize, u64)| {
        let tests = tests(db, *file);
        let test = tests.get(*n)?;
        let known = test.case.as_ref().err().map(|fault| Arc::new(Known::unreadable(fault)));
        Some(Wanted {
            about: *about,
            uri: snapshot.uri(&snapshot.path(*file)),
            id: test.id.clone(),
            range: snapshot.range(*file, test.place),
            case: test.case.as_ref().ok().cloned(),
            known,
        })
    };
    let files = project.files(db).iter().map(|file| (file.path(db).clone(), file.content(db).clone()));
    let inputs = snapshot.world.inputs.iter().filter_map(|(path, text)| {
        let path = path.strip_prefix(&root).ok()?.to_owned();
        Some((path, text.clone()))
    });
    let touched = snapshot.world.ledger.touched.get(&root);
    Job {
        config: project.config(db).clone(),
        facts: project.facts(db),
        files: files.collect(),
        inputs: inputs.collect(),
        touched: touched.map_or(0, |touched| touched.values().sum()),
        asked,
        wanted: wanted.iter().filter_map(place).collect(),
        root,
    }
}
