//! `headwater/tests/…`: which tests there are, running them, and taking what came back for right. A worker says what is to be run;
//! a thread of its own ([`crate::suite::runner`]) asks the engine, so that nothing waits for it but the client.

use headwater_analysis::{File, Project, access};
use headwater_engine::run::Status;
use headwater_engine::suite::asked;
use headwater_engine::suite::compare::Difference;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tower_lsp::gen_lsp_types::{Range, TextDocumentIdentifier};
use tower_lsp::jsonrpc::Error;

use super::preview::failed;
use crate::snapshot::Snapshot;
use crate::suite::look::job;
use crate::suite::runner::Asked;
use crate::suite::{Known, subject, tests, text};

// protocol: begin
/// Parameters of `headwater/tests/discover`.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct DiscoverParams {
    /// A file with tests; every file of every project when there is none.
    #[serde(default)]
    pub(crate) text_document: Option<TextDocumentIdentifier>,
}

/// Result of `headwater/tests/discover`.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Discovered {
    pub(crate) files: Vec<TestFile>,
}

#[derive(Debug, Clone, Serialize)]
pub(crate) struct TestFile {
    pub(crate) uri: String,
    /// The project's folder.
    pub(crate) project: String,
    /// From the project's folder.
    pub(crate) path: String,
    pub(crate) tests: Vec<TestItem>,
}

#[derive(Debug, Clone, Serialize)]
pub(crate) struct TestItem {
    /// The name; later ones of the same name in a file have a number behind it.
    pub(crate) id: String,
    /// All of it.
    pub(crate) range: Range,
    /// Where it is named.
    pub(crate) place: Range,
    /// The pipe that it asks.
    pub(crate) pipe: Option<String>,
    /// Why it is not run.
    pub(crate) skip: Option<String>,
    /// Why it cannot be read: such a test fails.
    pub(crate) problem: Option<String>,
    /// What became of it, as everything stands now.
    pub(crate) result: Option<TestResult>,
}

/// What became of a test.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct TestResult {
    pub(crate) uri: String,
    pub(crate) id: String,
    /// `passed`, `failed`, `skipped`
    pub(crate) status: &'static str,
    /// Seconds, the making of its tables included.
    pub(crate) elapsed: f64,
    /// In a few words: `2 rows differ`.
    pub(crate) brief: String,
    /// Of a failure, what differs or what to do; of a skipped test, why.
    pub(crate) message: String,
    pub(crate) difference: Option<TestDifference>,
    /// The answer that the file expects, and the one that came; cut when they are very long.
    pub(crate) expected: Option<String>,
    pub(crate) actual: Option<String>,
    /// What a person should know all the same.
    pub(crate) notes: Vec<String>,
    /// Where the test is named; `null` when the text has changed since.
    pub(crate) place: Option<Range>,
}

#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct TestDifference {
    /// Another number of rows, another order.
    pub(crate) summary: Option<String>,
    /// `rows` or `lines`: what the parts are.
    pub(crate) of: &'static str,
    /// How many differ; `parts` has the first dozen.
    pub(crate) count: usize,
    pub(crate) parts: Vec<DifferentPart>,
}

#[derive(Debug, Clone, Serialize)]
pub(crate) struct DifferentPart {
    /// From 1.
    pub(crate) number: usize,
    pub(crate) expected: Option<String>,
    pub(crate) actual: Option<String>,
    /// Where both are about the same columns: those that differ.
    pub(crate) cells: Vec<DifferentCell>,
}

#[derive(Debug, Clone, Serialize)]
pub(crate) struct DifferentCell {
    pub(crate) name: String,
    /// JSON.
    pub(crate) expected: Option<String>,
    pub(crate) actual: Option<String>,
}

/// Parameters of `headwater/tests/run`. Without `tests` and `affected` every test is run.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct RunParams {
    /// The client's name for the run: its results carry it.
    pub(crate) run: Value,
    pub(crate) tests: Option<Vec<Chosen>>,
    /// Only those that something has touched since the project was opened.
    #[serde(default)]
    pub(crate) affected: bool,
}

/// Tests of a file.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Chosen {
    /// A file with tests, or a pipe: the tests that ask it.
    pub(crate) uri: String,
    /// These of them; else all.
    pub(crate) ids: Option<Vec<String>>,
}

/// Parameters of the notification `headwater/tests/result`.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct ResultParams {
    /// The run's name; `null` for tests that run because of an edit.
    pub(crate) run: Value,
    pub(crate) result: TestResult,
}

/// Result of `headwater/tests/run`.
#[derive(Debug, Clone, Default, Serialize)]
pub(crate) struct RunResult {
    pub(crate) passed: usize,
    pub(crate) failed: usize,
    pub(crate) skipped: usize,
    /// Seconds.
    pub(crate) elapsed: f64,
}

/// Parameters of the notification `headwater/tests/changed`: files that have other tests now, or tests at other places.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct ChangedParams {
    pub(crate) uris: Vec<String>,
}

/// Parameters of `headwater/tests/accept`, whose result is a `WorkspaceEdit`.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct AcceptParams {
    pub(crate) tests: Vec<Chosen>,
}
// protocol: end

/// Texts beyond this are cut on their way to a client.
const LONGEST: usize = 100_000;
/// The same of one row of a difference.
const LONGEST_ROW: usize = 4_000;

fn cut(text: &str, longest: usize) -> String {
    match text.char_indices().nth(longest) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text.to_owned(),
    }
}

/// An outcome as clients have it.
pub(crate) fn result(uri: &str, id: &str, place: Option<Range>, known: &Known) -> TestResult {
    let row = |text: &String| cut(text, LONGEST_ROW);
    let difference = |difference: &Difference| TestDifference {
        summary: difference.summary.clone(),
        of: if difference.is_rows { "rows" } else { "lines" },
        count: difference.count,
        parts: difference
            .parts
            .iter()
            .map(|part| DifferentPart {
                number: part.number,
                expected: part.expected.as_ref().map(row),
                actual: part.actual.as_ref().map(row),
                cells: part
                    .cells
                    .iter()
                    .map(|cell| DifferentCell {
                        name: cell.name.clone(),
                        expected: cell.expected.as_ref().map(row),
                        actual: cell.actual.as_ref().map(row),
                    })
                    .collect(),
            })
            .collect(),
    };
    let failed = known.status == Status::Failed;
    TestResult {
        uri: uri.to_owned(),
        id: id.to_owned(),
        status: known.status.name(),
        elapsed: known.elapsed.as_secs_f64(),
        brief: known.brief(),
        message: cut(&known.detail, LONGEST),
        difference: known.difference.as_ref().map(difference),
        expected: known.expected.as_deref().filter(|_| failed).map(|text| cut(text, LONGEST)),
        actual: known.actual.as_ref().filter(|_| failed).map(|(text, _)| cut(text, LONGEST)),
        notes: known.notes.clone(),
        place,
    }
}

pub(crate) fn discover(snapshot: &Snapshot, params: &DiscoverParams) -> Discovered {
    let files: Vec<File> = match &params.text_document {
        Some(document) => snapshot.file(&document.uri.0).into_iter().collect(),
        None => snapshot.files().collect(),
    };
    Discovered { files: files.into_iter().filter_map(|file| of_file(snapshot, file)).collect() }
}

fn of_file(snapshot: &Snapshot, file: File) -> Option<TestFile> {
    let db = &snapshot.db;
    let all = tests(db, file);
    if all.is_empty() {
        return None;
    }
    let uri = snapshot.uri(&snapshot.path(file));
    let outcomes = snapshot.outcomes(file);
    let items = all.iter().zip(outcomes).map(|(test, (_, known))| {
        let place = snapshot.range(file, test.place);
        let case = test.case.as_ref().ok();
        TestItem {
            id: test.id.clone(),
            range: snapshot.range(file, test.extent),
            place,
            pipe: case.map(|case| case.subject.clone()),
            skip: case.and_then(|case| case.skip.clone()),
            problem: test.case.as_ref().err().map(|fault| fault.message.clone()),
            result: known.map(|known| result(&uri, &test.id, Some(place), &known)),
        }
    });
    Some(TestFile {
        project: crate::uri::from_path(file.project(db).root(db)),
        path: file.path(db).to_string(),
        tests: items.collect(),
        uri,
    })
}

/// What is to be run; errors are for people.
pub(crate) fn prepare(snapshot: &Snapshot, params: &RunParams) -> Result<Asked, Error> {
    if !snapshot.profile.trusted {
        return Err(failed(
            "untrusted",
            "the folder is not trusted, so no test of it is run; trust the workspace and run them again",
        ));
    }
    let db = &snapshot.db;
    let mut out = Vec::new();
    for (_, project) in &snapshot.world.projects {
        let chosen = match &params.tests {
            Some(chosen) => chosen_of(snapshot, *project, chosen)?,
            None => all_of(snapshot, *project),
        };
        let mut subjects = snapshot.subjects(*project);
        let mut wanted = Vec::new();
        for (file, n) in chosen {
            let (tests, text) = (tests(db, file), file.text(db));
            let Some(test) = tests.get(n) else { continue };
            let about = subject(&mut subjects, test, &text);
            if !params.affected || !snapshot.world.ledger.opened.contains(&about) {
                wanted.push((file, n, about));
            }
        }
        if !wanted.is_empty() {
            out.push(job(snapshot, *project, &wanted, true));
        }
    }
    if out.is_empty() && params.tests.as_ref().is_some_and(|chosen| !chosen.is_empty()) && !params.affected {
        return Err(failed("request", "there is no such test"));
    }
    Ok(Asked { run: params.run.clone(), jobs: out })
}

fn all_of(snapshot: &Snapshot, project: Project) -> Vec<(File, usize)> {
    let db = &snapshot.db;
    let files = project.files(db).iter().copied();
    files.flat_map(|file| (0..tests(db, file).len()).map(move |n| (file, n))).collect()
}

/// The tests that a client means, those of this project.
fn chosen_of(snapshot: &Snapshot, project: Project, chosen: &[Chosen]) -> Result<Vec<(File, usize)>, Error> {
    let db = &snapshot.db;
    let mut out: Vec<(File, usize)> = Vec::new();
    for Chosen { uri, ids } in chosen {
        let file = snapshot.file(uri).ok_or_else(|| failed("request", "the file belongs to no project"))?;
        if file.project(db) != project {
            continue;
        }
        let compiler = headwater_engine::compile::Compiler::new(db, project, Default::default());
        let is_meant = |(of, n): &(File, usize)| {
            let tests = tests(db, *of);
            let Some(test) = tests.get(*n) else { return false };
            let is_its = if access::is_test(db, file) {
                *of == file
            } else {
                test.case.as_ref().is_ok_and(|case| asked(&compiler, case).contains(&Some(file)))
            };
            is_its && ids.as_ref().is_none_or(|ids| ids.contains(&test.id))
        };
        let all = all_of(snapshot, project);
        out.extend(all.into_iter().filter(is_meant));
    }
    out.sort_by(|a, b| (a.0.path(db), a.1).cmp(&(b.0.path(db), b.1)));
    out.dedup();
    Ok(out)
}

/// `headwater/tests/accept`
pub(crate) fn accept(snapshot: &Snapshot, params: &AcceptParams) -> Result<Value, Error> {
    let db = &snapshot.db;
    let mut files: Vec<(File, Vec<usize>)> = Vec::new();
    for (_, project) in &snapshot.world.projects {
        for (file, n) in chosen_of(snapshot, *project, &params.tests)? {
            match files.last_mut() {
                Some((last, numbers)) if *last == file => numbers.push(n),
                _ => files.push((file, vec![n])),
            }
        }
    }
    let mut change = headwater_ide::Change::default();
    for (file, numbers) in &files {
        change.edits.extend(text::accepted(snapshot, *file, numbers).map(|edit| (*file, vec![edit])));
    }
    let project = files.first().map(|(file, _)| file.project(db));
    let edit = project
        .filter(|_| !change.edits.is_empty())
        .and_then(|project| snapshot.workspace_edit(project, &change));
    edit.ok_or_else(|| {
        failed("request", "there is no new result to accept; run the test first, as everything stands now")
    })
}
