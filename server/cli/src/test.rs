//! `headwater test`: the tests of a project, on the engine, without a service.

mod affected;
mod report;
mod select;
mod watch;

use std::sync::Arc;

use camino::{Utf8Path, Utf8PathBuf};
use headwater_analysis::{Content, Database};
use headwater_engine::compile::{Clock, session_statement};
use headwater_engine::fixtures::Raw;
use headwater_engine::run::{Bench, Outcome, RunOptions, Status, is_input};
use headwater_engine::suite::{Case, Expectation, FileError, is_command_file, is_yaml_file, read, updated};
use headwater_project::{EntryKind, FileSystem, Loaded, OsFileSystem};
use headwater_warehouse::{Pool, PoolConfig, Request};

use crate::args::TestArgs;
use crate::project::load_one;
use crate::{CannotRun, Verdict, engine, print, write_whole};

/// Workers of the engine: as many as small machines have cores.
const WORKERS: usize = 2;

/// Tests from which on a second worker is worth its start.
const PARALLEL_FROM: usize = 12;

pub(crate) fn run(args: &TestArgs) -> Result<Verdict, CannotRun> {
    let clock = match &args.now {
        Some(text) => Some(text.parse::<Clock>().map_err(|error| CannotRun(format!("--now: {error}")))?),
        None => None,
    };
    let options = RunOptions { clock, exact: args.exact };
    let pool = Pool::new(pool_config()?);
    // An engine that does not start is no failure of any test.
    pool.query(Request::new("SELECT 1")).map_err(|error| CannotRun(error.to_string()))?;
    if args.watch {
        return watch::run(args, &options, &pool);
    }
    let mut db = Database::default();
    let loaded = load_one(&mut db, args.project.as_deref())?;
    let mut suite = Suite::read(&OsFileSystem, &loaded)?;
    suite.select(&args.names)?;
    if let Some(revision) = &args.affected {
        affected::keep(&mut db, &loaded, &mut suite, revision)?;
    }
    let outcomes = suite.run(&db, &loaded, &options, &pool, &|_| {});
    let updated = if args.update { suite.update(&loaded, &outcomes)? } else { Vec::new() };
    print(&report::render(args.format, &suite, &outcomes, &updated));
    let failed =
        outcomes.iter().any(|o| o.status == Status::Failed && !updated.contains(&(o.path.clone(), o.index)));
    Ok(if failed { Verdict::Faults } else { Verdict::Fine })
}

/// Workers with the settings that projects rely on.
pub(crate) fn pool_config() -> Result<PoolConfig, CannotRun> {
    let mut config = engine::required()?;
    config.workers = WORKERS;
    config.start_early = true;
    config.prelude = vec![session_statement()];
    Ok(config)
}

/// The tests of a project and the files that they need.
pub(crate) struct Suite {
    /// Where paths start.
    pub(crate) root: Utf8PathBuf,
    pub(crate) cases: Vec<Case>,
    /// Files, and tests of them, that cannot be read. Each counts as a failed test.
    pub(crate) faults: Vec<FileError>,
    pub(crate) inputs: Vec<Raw>,
    /// Texts of test files, to be written again.
    texts: Vec<(Utf8PathBuf, Arc<str>)>,
}

impl Suite {
    /// Reads all tests and samples of a project.
    pub(crate) fn read(fs: &dyn FileSystem, loaded: &Loaded) -> Result<Self, CannotRun> {
        let root = loaded.root.path.clone();
        let mut suite = Self {
            root: root.clone(),
            cases: Vec::new(),
            faults: Vec::new(),
            inputs: Vec::new(),
            texts: Vec::new(),
        };
        let mut paths = Vec::new();
        for folder in ["tests", "fixtures", "datasources"] {
            walk(fs, &root, Utf8Path::new(folder), 0, &mut paths);
        }
        paths.extend(
            [".env", ".env.local"].map(Utf8PathBuf::from).into_iter().filter(|p| fs.exists(&root.join(p))),
        );
        paths.sort();
        for path in &paths {
            if is_input(path) {
                let bytes = fs
                    .read(&root.join(path))
                    .map_err(|e| CannotRun(format!("{path} cannot be read: {e}")))?;
                suite.inputs.push(Raw::new(path.clone(), Arc::new(bytes)));
            }
            if is_yaml_file(path) || is_command_file(path) {
                let result = format!("{path}.result");
                let has_result = paths.iter().any(|p| *p == result);
                let texts = text(fs, &root, path.as_str()).and_then(|text| {
                    Ok((text, has_result.then(|| self::text(fs, &root, &result)).transpose()?))
                });
                // One that cannot be read fails, and the others run.
                match texts {
                    Ok((text, result)) => {
                        suite.add(path, &text, result.as_deref());
                        suite.texts.push((path.clone(), text.into()));
                    }
                    Err(message) => {
                        suite.faults.push(FileError { path: path.clone(), line: 1, name: None, message });
                    }
                }
            }
        }
        Ok(suite)
    }

    fn add(&mut self, path: &Utf8Path, text: &str, result: Option<&str>) {
        for case in read(path, text, result) {
            match case {
                Ok(case) => self.cases.push(case),
                Err(fault) => self.faults.push(fault),
            }
        }
    }

    /// Runs what is left of the tests.
    pub(crate) fn run(
        &self,
        db: &Database,
        loaded: &Loaded,
        options: &RunOptions,
        pool: &Pool,
        told: &(dyn Fn(&Outcome) + Sync),
    ) -> Vec<Outcome> {
        let bench = Bench::new(db, loaded.project, self.inputs.clone(), options.clone());
        let workers = if self.cases.len() < PARALLEL_FROM { 1 } else { WORKERS };
        let mut outcomes = bench.run(pool, workers, &self.cases, told);
        outcomes.extend(self.faults.iter().map(fault));
        outcomes
    }

    /// Writes what came back into the files of failed tests. Returns those that were changed.
    fn update(&self, loaded: &Loaded, outcomes: &[Outcome]) -> Result<Vec<(Utf8PathBuf, usize)>, CannotRun> {
        let mut done = Vec::new();
        for (path, text) in &self.texts {
            let failed: Vec<&Outcome> = outcomes
                .iter()
                .filter(|o| o.path == *path && o.status == Status::Failed && o.actual.is_some())
                .collect();
            if failed.is_empty() {
                continue;
            }
            let (target, text) = if is_command_file(path) {
                let printed = failed[0].actual.as_ref().map(|a| a.body.clone()).unwrap_or_default();
                (Utf8PathBuf::from(format!("{path}.result")), printed)
            } else {
                let new = failed.iter().filter_map(|o| {
                    let actual = o.actual.as_ref()?;
                    let status = (actual.status >= 400).then_some(actual.status);
                    Some(Expectation { index: o.index, result: actual.body.clone(), status })
                });
                let new: Vec<Expectation> = new.collect();
                let Some(text) = updated(text, &new) else {
                    return Err(CannotRun(format!(
                        "{path} cannot be written anew: it is no list of tests any more"
                    )));
                };
                (path.clone(), text)
            };
            write_whole(&loaded.root.path.join(&target), text.as_bytes())
                .map_err(|e| CannotRun(format!("{target} cannot be written: {e}")))?;
            done.extend(failed.iter().map(|o| (o.path.clone(), o.index)));
        }
        Ok(done)
    }
}

/// A file's text, or what is wrong with it.
fn text(fs: &dyn FileSystem, root: &Utf8Path, path: &str) -> Result<String, String> {
    let bytes = fs.read(&root.join(path)).map_err(|e| format!("{path} cannot be read: {e}"))?;
    String::from_utf8(bytes).map_err(|_| format!("{path} is not UTF-8 text; save it as UTF-8"))
}

fn fault(fault: &FileError) -> Outcome {
    Outcome {
        path: fault.path.clone(),
        line: fault.line,
        index: usize::MAX,
        name: fault.name.clone().unwrap_or_else(|| "the file".to_owned()),
        pipe: fault.path.file_stem().unwrap_or_default().to_owned(),
        status: Status::Failed,
        detail: fault.message.clone(),
        difference: None,
        notes: Vec::new(),
        elapsed: std::time::Duration::ZERO,
        actual: None,
    }
}

/// Folders inside folders that are looked into.
const MAX_NESTING: usize = 8;

/// Files below a folder, from the root, hidden ones left out.
fn walk(fs: &dyn FileSystem, root: &Utf8Path, folder: &Utf8Path, depth: usize, out: &mut Vec<Utf8PathBuf>) {
    if depth > MAX_NESTING {
        return;
    }
    for entry in fs.entries(&root.join(folder)).unwrap_or_default() {
        if entry.name.starts_with('.') || entry.name == "node_modules" {
            continue;
        }
        let path = folder.join(&entry.name);
        match entry.kind {
            EntryKind::Directory if !entry.link => walk(fs, root, &path, depth + 1, out),
            EntryKind::File(_) => out.push(path),
            _ => {}
        }
    }
}

/// The text of a datafile as it was read, for comparisons.
fn content(db: &Database, file: headwater_analysis::File) -> Option<Arc<str>> {
    match file.content(db) {
        Content::Text(text) => Some(text.clone()),
        Content::Unreadable(_) | Content::Deleted => None,
    }
}
