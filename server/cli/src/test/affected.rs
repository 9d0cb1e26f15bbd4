//! Tests that a change may touch.

use std::sync::Arc;

use camino::{Utf8Path, Utf8PathBuf};
use headwater_analysis::flow::{Vertex, graph};
use headwater_analysis::{Database, File, FileKind, interface};
use headwater_engine::compile::{Compiler, Options};
use headwater_engine::fixtures::{is_sample, sample_name};
use headwater_engine::suite::asked;
use headwater_project::{
    CommitId, FileSystem, Found, GitRevisions, Loaded, OsFileSystem, ProjectRoot, Revisions, load,
};
use rustc_hash::FxHashSet;

use super::{Suite, content, walk};
use crate::CannotRun;

/// Keeps the tests that differ from a revision, or whose pipes have something upstream that does.
pub(super) fn keep(
    db: &mut Database,
    loaded: &Loaded,
    suite: &mut Suite,
    revision: &str,
) -> Result<(), CannotRun> {
    let folder = &loaded.root.path;
    let fail =
        |error: headwater_project::RevisionError| CannotRun(format!("--affected {revision}: {}", error.0));
    let commit: CommitId = match GitRevisions.find(folder, revision).map_err(fail)? {
        Found::Commit(commit) => commit,
        Found::NoRepository => {
            return Err(CannotRun(format!("--affected {revision}: {folder} lies in no git repository")));
        }
        Found::NoCommit => {
            return Err(CannotRun(format!("--affected {revision}: the repository has no commit yet")));
        }
    };
    let then = GitRevisions.open(folder, &commit).map_err(fail)?;
    let root = ProjectRoot { path: folder.clone(), marker: loaded.root.marker.clone() };
    let old = load(db, &*then, &root);
    let changed = changed_files(db, loaded, &old, &*then, folder);
    if let Some(error) = then.failure() {
        return Err(fail(error));
    }
    retain(db, loaded, suite, &changed);
    Ok(())
}

/// Paths from the root that are not equal on both sides: datafiles, tests, samples.
fn changed_files(
    db: &Database,
    new: &Loaded,
    old: &Loaded,
    then: &dyn FileSystem,
    root: &Utf8Path,
) -> FxHashSet<Utf8PathBuf> {
    let mut changed = FxHashSet::default();
    let texts = |loaded: &Loaded| -> Vec<(Utf8PathBuf, Option<Arc<str>>)> {
        loaded.project.files(db).iter().map(|f| (f.path(db).clone(), content(db, *f))).collect()
    };
    let (a, b) = (texts(old), texts(new));
    for (path, text) in a.iter().chain(&b) {
        let other = |side: &[(Utf8PathBuf, Option<Arc<str>>)]| {
            side.iter().find(|(p, _)| p == path).and_then(|(_, t)| t.clone())
        };
        if other(&a) != other(&b) || text.is_none() {
            changed.insert(path.clone());
        }
    }
    let mut paths = Vec::new();
    for fs in [then, &OsFileSystem as &dyn FileSystem] {
        for folder in ["tests", "fixtures", "datasources"] {
            walk(fs, root, Utf8Path::new(folder), 0, &mut paths);
        }
    }
    paths.sort();
    paths.dedup();
    for path in paths {
        let at = root.join(&path);
        if then.read(&at).ok() != OsFileSystem.read(&at).ok() {
            changed.insert(path);
        }
    }
    changed
}

/// Keeps the tests that any of these files may touch.
pub(super) fn retain(db: &Database, loaded: &Loaded, suite: &mut Suite, changed: &FxHashSet<Utf8PathBuf>) {
    let project = loaded.project;
    let compiler = Compiler::new(db, project, Options::default());
    let graph = graph(db, project);
    // Configuration and secrets may touch anything.
    let everything =
        changed.iter().any(|p| p.as_str().starts_with(".env") || p.file_name() == Some("headwater.toml"));
    let includes = |file: File| {
        let parsed = headwater_analysis::datafile(db, file);
        parsed.includes.iter().any(|i| i.target.is_some_and(|t| changed.contains(t.path(db))))
    };
    let is_changed = |file: File| changed.contains(file.path(db)) || includes(file);
    let mut starts: Vec<Vertex> = Vec::new();
    for file in project.files(db).iter() {
        if !is_changed(*file) {
            continue;
        }
        match file.kind(db) {
            Some(FileKind::Pipe) => {
                let count = interface(db, *file).as_ref().map_or(0, |face| face.nodes.len());
                starts.extend((0..count).map(|n| Vertex { file: *file, node: Some(n) }));
            }
            Some(FileKind::Datasource) => starts.push(Vertex { file: *file, node: None }),
            _ => {}
        }
    }
    for path in changed.iter().filter(|p| is_sample(p)) {
        let mut name = sample_name(path).map(|(stem, ..)| stem).unwrap_or_default();
        loop {
            if let Some(file) = compiler.source(&name) {
                starts.push(Vertex { file, node: None });
                break;
            }
            match name.rsplit_once('_') {
                Some((shorter, _)) if !shorter.is_empty() => name = shorter.to_owned(),
                _ => break,
            }
        }
    }
    let mut reached: FxHashSet<File> = starts.iter().map(|v| v.file).collect();
    reached.extend(graph.downstream_of(&starts).into_iter().map(|v| v.file));
    suite.cases.retain(|case| {
        let result = Utf8PathBuf::from(format!("{}.result", case.path));
        everything
            || changed.contains(&case.path)
            || changed.contains(&result)
            || asked(&compiler, case).into_iter().any(|file| file.is_none_or(|file| reached.contains(&file)))
    });
    suite.faults.retain(|fault| everything || changed.contains(&fault.path));
}
