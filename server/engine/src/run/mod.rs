//! Tests, run: every one, on workers of an engine, with tables of their own.

mod answer;
mod judge;

use std::hash::{Hash, Hasher};
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use camino::{Utf8Path, Utf8PathBuf};
use headwater_analysis::{Database, File, FileKind, Project};
use headwater_template::{Parameters, Secrets};
use headwater_warehouse::{EngineError, Pool, Request, Session};
use rustc_hash::{FxHashMap, FxHasher};

use crate::Cancel;
use crate::compile::{Clock, Compiler, Layout, Options, View, secrets};
use crate::fixtures::{Raw, Sample, SampleFormat, choose, sample_name};
use crate::suite::compare::Difference;
use crate::suite::{Case, CaseFixture};
use crate::world::{Kept, Note, Rows, World};

pub use answer::{Actual, Source};

/// How tests are run.
#[derive(Debug, Clone, Default)]
pub struct RunOptions {
    /// What the clock shows, where a case does not say.
    pub clock: Option<Clock>,
    /// Answers are compared text for text.
    pub exact: bool,
}

/// What became of a test.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// The answer is what was expected.
    Passed,
    /// It is not, or there is none.
    Failed,
    /// The file says that it is not to be run.
    Skipped,
}

impl Status {
    /// In words.
    pub fn name(self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Failed => "failed",
            Self::Skipped => "skipped",
        }
    }
}

/// A test and what became of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Outcome {
    /// Its file, from the project's root.
    pub path: Utf8PathBuf,
    /// Its line, from 1.
    pub line: usize,
    /// Which item of its file.
    pub index: usize,
    /// Its name.
    pub name: String,
    /// The pipe that it is about.
    pub pipe: String,
    /// What became of it.
    pub status: Status,
    /// Of a failure, what differs or what to do; of a skipped test, why.
    pub detail: String,
    /// The same part by part, where an answer was compared with an expectation.
    pub difference: Option<Difference>,
    /// What a person should know all the same.
    pub notes: Vec<String>,
    /// How long it took, the making of its tables included.
    pub elapsed: Duration,
    /// What came back, for a new expectation.
    pub actual: Option<Actual>,
}

/// All that a run needs to know of a project.
pub struct Bench {
    db: Database,
    project: Project,
    rows: FxHashMap<File, Rows>,
    files: Vec<Raw>,
    secrets: Secrets,
    options: RunOptions,
}

/// A file of environment variables.
fn is_environment(path: &Utf8Path) -> bool {
    matches!(path.as_str(), ".env" | ".env.local")
}

/// Whether a run reads the file at a path (from the project's root): samples, secrets, and what tests name.
pub fn is_input(path: &Utf8Path) -> bool {
    is_environment(path)
        || crate::fixtures::is_sample(path)
        || path.starts_with("tests") && sample_name(path).is_some()
}

impl Bench {
    /// A project with its samples and secrets: `files` are those for which [`is_input`] holds.
    pub fn new(db: &Database, project: Project, files: Vec<Raw>, options: RunOptions) -> Self {
        let mut texts: Vec<(&Utf8Path, String)> = files
            .iter()
            .filter(|f| is_environment(&f.path))
            .map(|f| (f.path.as_path(), String::from_utf8_lossy(&f.bytes).into_owned()))
            .collect();
        // `.env.local` counts over `.env`.
        texts.sort_unstable();
        let secrets = secrets(texts.iter().map(|(_, text)| text.as_str()));
        let compiler = Compiler::new(db, project, Options::default());
        let rows = choose(&files, &|name| compiler.source(name).is_some())
            .into_iter()
            .filter_map(|(sample, file)| {
                Some((compiler.source(&sample.source)?, rows_of(&sample, file, false)))
            })
            .collect();
        Self { db: db.clone(), project, rows, files, secrets, options }
    }

    /// Runs tests, each once, on as many workers as the pool has; `told` hears of each as it ends. The outcomes are in the
    /// order of the tests.
    pub fn run(
        &self,
        pool: &Pool,
        workers: usize,
        cases: &[Case],
        told: &(dyn Fn(&Outcome) + Sync),
    ) -> Vec<Outcome> {
        let outcomes: Mutex<Vec<Option<Outcome>>> = Mutex::new(vec![None; cases.len()]);
        let mut stages: Vec<Stage> = (0..workers.max(1)).map(|_| Stage::new(pool.session())).collect();
        self.run_on(&mut stages, cases, &Cancel::new(), &|n, outcome| {
            told(&outcome);
            outcomes.lock().unwrap_or_else(std::sync::PoisonError::into_inner)[n] = Some(outcome);
        });
        let outcomes = outcomes.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
        let lost = |case: &Case| Outcome {
            status: Status::Failed,
            detail: "no thread could be started to run it".to_owned(),
            ..blank(case)
        };
        outcomes.into_iter().zip(cases).map(|(outcome, case)| outcome.unwrap_or_else(|| lost(case))).collect()
    }

    /// Runs tests, each once, on these stages, as many at a time as there are; `told` hears the number of each and what became of
    /// it as it ends. Tables that an earlier run left on a stage serve again while they are what the project makes. Once the run
    /// is taken back nothing is told any more.
    pub fn run_on(
        &self,
        stages: &mut [Stage],
        cases: &[Case],
        cancel: &Cancel,
        told: &(dyn Fn(usize, Outcome) + Sync),
    ) {
        // Tests of one file need the same tables.
        let mut groups: Vec<Vec<usize>> = Vec::new();
        for (n, case) in cases.iter().enumerate() {
            match groups.last_mut() {
                Some(group) if cases[group[0]].path == case.path => group.push(n),
                _ => groups.push(vec![n]),
            }
        }
        let next = AtomicUsize::new(0);
        let views = {
            let compiler = Compiler::new(&self.db, self.project, self.compile_options(None));
            Arc::new(compiler.views())
        };
        let key = self.fingerprint();
        let wanted = groups.len().max(1);
        std::thread::scope(|scope| {
            for stage in stages.iter_mut().take(wanted) {
                let (groups, next, views) = (&groups, &next, views.clone());
                let bench = self.clone_for_thread();
                let work = move || {
                    let kept = stage.keep(key);
                    let mut worker = Worker::new(&bench, &stage.session, views, kept, cancel);
                    while let Some(group) = groups.get(next.fetch_add(1, Ordering::Relaxed)) {
                        for n in group {
                            let outcome = worker.run(&cases[*n]);
                            if cancel.is_cancelled() {
                                // Whatever came of it, the session may have stopped half way.
                                let _ = stage.session.reset();
                                return;
                            }
                            told(*n, outcome);
                        }
                    }
                    stage.kept = Some((key, worker.world.suspend()));
                };
                // SQL nests, so threads get room for it. A thread that cannot be had leaves its share to the others.
                let _ = std::thread::Builder::new().stack_size(STACK).spawn_scoped(scope, work);
            }
        });
    }

    /// The project's tables on a session, for questions beside tests. `kept` are those that are there already.
    pub fn world<'b>(&'b self, session: &'b Session, kept: Option<Kept>) -> World<'b> {
        let compiler = Compiler::new(&self.db, self.project, self.compile_options(None));
        let views = Arc::new(compiler.views());
        World::resume(compiler, session, views, self.rows.clone(), kept)
    }

    /// The database that its project is in.
    pub fn db(&self) -> &Database {
        &self.db
    }

    /// A hash of everything that tables and their rows are made of: equal for equal tables.
    pub fn fingerprint(&self) -> u64 {
        let mut hasher = FxHasher::default();
        let compiler = Compiler::new(&self.db, self.project, self.compile_options(None));
        for file in self.project.files(&self.db).iter() {
            if file.kind(&self.db) == Some(FileKind::Datasource) {
                file.path(&self.db).hash(&mut hasher);
                file.text(&self.db).hash(&mut hasher);
                if let Some(rows) = self.rows.get(file) {
                    rows.origin.hash(&mut hasher);
                    (rows.hash, rows.packed).hash(&mut hasher);
                }
            }
        }
        for view in compiler.views() {
            (view.source, view.target).hash(&mut hasher);
            let query = compiler.view_query(&view, "block").map(|statement| statement.sql);
            query.map_err(|error| error.message).hash(&mut hasher);
        }
        hasher.finish()
    }

    fn clone_for_thread(&self) -> Self {
        Self {
            db: self.db.clone(),
            project: self.project,
            rows: self.rows.clone(),
            files: self.files.clone(),
            secrets: self.secrets.clone(),
            options: self.options.clone(),
        }
    }

    fn compile_options(&self, clock: Option<Clock>) -> Options {
        Options { clock: clock.or(self.options.clock), secrets: self.secrets.clone(), ..Options::default() }
    }
}

const STACK: usize = 16 << 20;

fn rows_of(sample: &Sample, file: &Raw, always: bool) -> Rows {
    Rows {
        origin: file.path.to_string(),
        format: sample.format,
        bytes: file.bytes.clone(),
        packed: sample.packed,
        hash: file.hash,
        always,
    }
}

fn blank(case: &Case) -> Outcome {
    Outcome {
        path: case.path.clone(),
        line: case.line,
        index: case.index,
        name: case.name.clone(),
        pipe: case.subject.clone(),
        status: Status::Passed,
        detail: String::new(),
        difference: None,
        notes: Vec::new(),
        elapsed: Duration::ZERO,
        actual: None,
    }
}

/// A session with the tables of the last run, for the next one.
pub struct Stage {
    session: Session,
    /// What is on it, and a hash of what that is made of.
    kept: Option<(u64, Kept)>,
}

impl Stage {
    /// Nothing is on the session yet.
    pub fn new(session: Session) -> Self {
        Self { session, kept: None }
    }

    /// Whether there is an engine: starts it where it does not run yet.
    ///
    /// # Errors
    /// Why there is none.
    pub fn ready(&self) -> Result<(), EngineError> {
        self.session.query(Request::new("SELECT 1")).map(drop)
    }

    /// What is there of tables with this hash; all others go.
    fn keep(&mut self, key: u64) -> Option<Kept> {
        match self.kept.take() {
            Some((old, kept)) if old == key => Some(kept),
            Some(_) => {
                // An engine that cannot be had shows at the first test.
                let _ = self.session.reset();
                None
            }
            None => None,
        }
    }
}

/// One session and what is on it.
struct Worker<'b> {
    bench: &'b Bench,
    session: &'b Session,
    views: Arc<Vec<View>>,
    cancel: &'b Cancel,
    world: World<'b>,
    /// Worlds of single cases so far: their tables have names of their own.
    own: usize,
}

impl<'b> Worker<'b> {
    fn new(
        bench: &'b Bench,
        session: &'b Session,
        views: Arc<Vec<View>>,
        kept: Option<Kept>,
        cancel: &'b Cancel,
    ) -> Self {
        let compiler = Compiler::new(&bench.db, bench.project, bench.compile_options(None));
        let world = World::resume(compiler, session, views.clone(), bench.rows.clone(), kept)
            .cancelled_by(cancel.clone());
        Self { bench, session, views, cancel, world, own: 0 }
    }

    /// The tables are gone with the engine's process: the next test makes them again.
    fn begin_anew(&mut self) {
        if self.session.reset().is_ok() {
            let compiler = self.world.compiler().with_layout(Layout::default());
            self.world = World::new(compiler, self.session, self.views.clone(), self.bench.rows.clone())
                .cancelled_by(self.cancel.clone());
        }
    }

    fn run(&mut self, case: &Case) -> Outcome {
        let start = Instant::now();
        let mut outcome = blank(case);
        if let Some(why) = &case.skip {
            outcome.status = Status::Skipped;
            outcome.detail.clone_from(why);
            return outcome;
        }
        let verdict = if case.fixtures.is_empty() && case.copies.is_empty() && case.clock.is_none() {
            let verdict = self.judge_in_shared(case);
            outcome.notes.extend(notes(&mut self.world));
            verdict
        } else {
            self.judge_alone(case, &mut outcome.notes)
        };
        outcome.status = if verdict.failure.is_none() { Status::Passed } else { Status::Failed };
        outcome.detail = verdict.failure.unwrap_or_default();
        outcome.difference = verdict.difference;
        outcome.notes.extend(verdict.notes);
        outcome.actual = verdict.actual;
        outcome.elapsed = start.elapsed();
        outcome
    }

    fn judge_in_shared(&mut self, case: &Case) -> judge::Verdict {
        let verdict = judge::judge(&mut self.world, case, self.bench.options.exact);
        if verdict.lost {
            self.begin_anew();
        }
        verdict
    }

    /// A case with rows, copies or a clock of its own gets tables of its own.
    fn judge_alone(&mut self, case: &Case, all_notes: &mut Vec<String>) -> judge::Verdict {
        self.own += 1;
        let options = Options {
            layout: Layout::prefixed(format!("case {} ", self.own)),
            ..self.bench.compile_options(case.clock)
        };
        let compiler = Compiler::new(&self.bench.db, self.bench.project, options);
        let mut rows = self.bench.rows.clone();
        for fixture in &case.fixtures {
            match self.rows_for(&compiler, case, fixture) {
                Ok((file, own)) => {
                    rows.insert(file, own);
                }
                Err(why) => return judge::Verdict::failed(why),
            }
        }
        let mut world =
            World::new(compiler, self.session, self.views.clone(), rows).cancelled_by(self.cancel.clone());
        let failed = copied(&mut world, case);
        let verdict = failed.unwrap_or_else(|| judge::judge(&mut world, case, self.bench.options.exact));
        all_notes.extend(notes(&mut world));
        if verdict.lost {
            self.begin_anew();
        } else {
            // Also after a failure: another run may use these names on the same session.
            world.drop_tables();
        }
        verdict
    }

    fn rows_for(
        &self,
        compiler: &Compiler<'_>,
        case: &Case,
        fixture: &CaseFixture,
    ) -> Result<(File, Rows), String> {
        let (CaseFixture::Rows { source, .. } | CaseFixture::File { source, .. }) = fixture;
        let file = compiler
            .source(source)
            .ok_or_else(|| format!("`{source}` under `fixtures` is no data source of this project"))?;
        match fixture {
            CaseFixture::Rows { ndjson, .. } => {
                let origin = format!("the rows of `{source}` in {}:{}", case.path, case.line);
                let raw = Raw::new(origin, Arc::new(ndjson.clone().into_bytes()));
                let sample = Sample { source: source.clone(), format: SampleFormat::Json, packed: false };
                Ok((file, rows_of(&sample, &raw, true)))
            }
            CaseFixture::File { path, .. } => {
                let beside = case.path.parent().map(|folder| folder.join(path));
                let found =
                    self.bench.files.iter().find(|f| f.path == *path || Some(&f.path) == beside.as_ref());
                let found = found.ok_or_else(|| {
                    format!("{path} is not there; files with rows are looked for in fixtures/ and tests/")
                })?;
                let (_, format, packed) = sample_name(&found.path).ok_or_else(|| {
                    format!("{path} holds no rows: name a .ndjson, .csv, .parquet or .sql file")
                })?;
                let sample = Sample { source: source.clone(), format, packed };
                Ok((file, rows_of(&sample, found, true)))
            }
        }
    }
}

/// Runs the copies that a case asks for; what became of the case when one of them does not run.
fn copied(world: &mut World<'_>, case: &Case) -> Option<judge::Verdict> {
    let copies = world.compiler().copies();
    case.copies.iter().find_map(|name| {
        let pipe = world.compiler().pipe(name);
        let Some(copy) = copies.iter().find(|c| Some(c.pipe) == pipe) else {
            return Some(judge::Verdict::failed(format!("`{name}` is no copy pipe of this project")));
        };
        let trouble = world.copy(copy).err()?;
        Some(judge::Verdict::trouble(&format!("the copy `{name}` does not run: "), &trouble))
    })
}

fn notes(world: &mut World<'_>) -> Vec<String> {
    world.take_notes().into_iter().map(|Note(text)| text).collect()
}

/// A request's parameters as templates get them.
pub(crate) fn parameters(pairs: &[(String, String)]) -> Parameters {
    Parameters::from_pairs(pairs.iter().map(|(name, value)| (name.as_str(), value.as_str())))
}
