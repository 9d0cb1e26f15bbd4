//! Running tests: those that a client asks for, and those that an edit may touch, behind everybody's back.
//!
//! When nothing has changed for a moment, a worker looks which tests are about something new; a thread of its own runs them. What
//! comes back is kept under what it is about, so that it shows nowhere once that has changed.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use camino::{Utf8Path, Utf8PathBuf};
use crossbeam_channel::Sender;
use headwater_engine::Cancel;
use headwater_engine::run::{Status, is_input};
use rustc_hash::{FxHashMap, FxHashSet};
use serde_json::{Value, json};
use tower_lsp::gen_lsp_types::Range;
use tower_lsp::jsonrpc::{Error, Id};

use super::Owner;
use super::schedule::{Pending, Work};
use crate::client::Level;
use crate::requests::preview::failed;
use crate::requests::tests::{ChangedParams, ResultParams, RunResult, result};
use crate::suite::look::Look;
use crate::suite::runner::{Asked, Job, Part, Said, Task};
use crate::suite::{Known, Ledger};

/// How long edits must rest before tests are looked at: as long as two fast keystrokes are apart, and no longer.
pub(super) const PAUSE: Duration = Duration::from_millis(50);

/// How often outcomes of a long run are shown.
const SHOWN_EVERY: Duration = Duration::from_millis(100);

/// Outcomes that are remembered; the oldest go first.
const REMEMBERED: usize = 10_000;

/// What is known and under way.
#[derive(Default)]
pub(super) struct Tests {
    /// To the thread, once something is to be run.
    tasks: Option<Sender<Task>>,
    running: FxHashMap<u64, Run>,
    ledger: Ledger,
    /// What outcomes are about, oldest first.
    order: VecDeque<u64>,
    /// The start has been looked at.
    opened: bool,
    shapes: Option<FxHashMap<Utf8PathBuf, u64>>,
    /// When to look, if somebody should.
    due: Option<Instant>,
    looking: bool,
    /// The user does not want tests to run by themselves.
    manual: bool,
    /// Why tests did not run by themselves.
    failed: Option<String>,
    /// Outcomes that the world does not have yet, and when it got the last ones.
    news: bool,
    shown: Option<Instant>,
    /// Counts changes of texts.
    texts: u64,
    /// The count when the last look began.
    looked: u64,
}

/// A run on its way.
struct Run {
    /// `None` for tests that run by themselves.
    pending: Option<(Pending, Value)>,
    tests: Vec<Place>,
    cancel: Cancel,
    tally: RunResult,
    begun: Instant,
    /// The count of texts when it began.
    texts: u64,
}

/// One test of a run.
struct Place {
    about: u64,
    uri: String,
    id: String,
    range: Range,
}

impl Tests {
    /// The moment to wake the owner at.
    pub(super) fn wake(&self) -> Option<Instant> {
        self.due.filter(|due| !self.looking && *due > Instant::now())
    }

    pub(super) fn ledger(&self) -> Ledger {
        self.ledger.clone()
    }

    fn asked_runs(&self) -> bool {
        self.running.values().any(|run| run.pending.is_some())
    }
}

impl Owner {
    /// A text changed: outcomes may be about something that is gone.
    pub(super) fn tests_may_differ(&mut self) {
        self.tests.texts += 1;
        if self.profile.runs_tests {
            self.tests.due = Some(Instant::now() + PAUSE);
        }
    }

    /// A file beside the datafiles changed, here or on the disk. Says whether tests depend on such files.
    pub(super) fn touch_input(&mut self, path: &Utf8Path) -> bool {
        let Some((project, below)) = self.home_of_input(path) else { return false };
        let touched = Arc::make_mut(&mut self.tests.ledger.touched);
        let root = self.projects[project].loaded.root.path.clone();
        *touched.entry(root).or_default().entry(below).or_default() += 1;
        true
    }

    /// The project whose tests read the file at a path.
    fn home_of_input(&self, path: &Utf8Path) -> Option<(usize, Utf8PathBuf)> {
        self.projects.iter().enumerate().find_map(|(number, entry)| {
            let below = path.strip_prefix(&entry.loaded.root.path).ok()?;
            is_input(below).then(|| (number, below.to_owned()))
        })
    }

    /// Texts of samples that editors hold.
    pub(super) fn open_inputs(&self) -> FxHashMap<Utf8PathBuf, Arc<str>> {
        let open = self.documents.iter().filter_map(|document| {
            let path = document.path.as_ref()?;
            self.home_of_input(path)?;
            Some((path.clone(), document.text()))
        });
        open.collect()
    }

    /// Whether tests run by themselves is the user's choice.
    pub(super) fn set_automatic_tests(&mut self, automatic: bool) {
        self.tests.manual = !automatic;
        if !automatic {
            self.stop_automatic_tests();
        }
    }

    /// Looks at the tests, when it is time.
    pub(super) fn look_at_tests(&mut self) {
        let tests = &self.tests;
        let is_time = tests.due.is_some_and(|due| due <= Instant::now());
        if !is_time || tests.looking || tests.asked_runs() || self.loading > 0 || self.shut_down {
            return;
        }
        self.tests.due = None;
        self.tests.looking = true;
        self.tests.looked = self.tests.texts;
        self.queue.worker.push_back(Work::Tests);
        self.schedule();
    }

    /// Whether the start has been looked at.
    pub(super) fn tests_are_known(&self) -> bool {
        self.tests.opened
    }

    /// An edit came before the look was over, or the look ended with a bug: the next change tries again.
    pub(super) fn tests_look_ended(&mut self, again: bool) {
        self.tests.looking = false;
        if again {
            self.tests.due = Some(Instant::now() + PAUSE);
        }
    }

    /// A worker looked at every test.
    pub(super) fn looked_at_tests(&mut self, look: Look) {
        // An edit came while the answer was on its way: its places are those of another text.
        if self.tests.looked != self.tests.texts {
            return self.tests_look_ended(true);
        }
        self.tests.looking = false;
        let new = look.shapes;
        let mut uris = Vec::new();
        // Whoever wants to know what there is at the start asks.
        if let Some(old) = &self.tests.shapes {
            let gone = old.keys().filter(|path| !new.contains_key(*path));
            let other =
                new.iter().filter(|(path, shape)| old.get(*path) != Some(shape)).map(|(path, _)| path);
            uris.extend(gone.chain(other).map(|path| self.world.uri(path)));
            uris.sort_unstable();
        }
        self.tests.shapes = Some(new);
        if !self.tests.opened {
            self.tests.opened = true;
            self.tests.ledger.opened = Arc::new(look.subjects);
            self.rebuild_world();
        }
        if !uris.is_empty() {
            self.client.notify("headwater/tests/changed", ChangedParams { uris });
        }
        if look.affected.is_empty() || self.tests.manual || !self.profile.trusted {
            return;
        }
        self.stop_automatic_tests();
        match self.tests_thread() {
            Ok(tasks) => self.begin_run(&tasks, None, look.affected),
            Err(error) => self.tests.failed = Some(error.message.into_owned()),
        }
    }

    /// Takes back what runs by itself.
    fn stop_automatic_tests(&mut self) {
        for run in self.tests.running.values().filter(|run| run.pending.is_none()) {
            run.cancel.cancel();
        }
    }

    /// A worker has found out what a client wants to be run.
    pub(super) fn start_tests(&mut self, pending: Pending, Asked { run, jobs }: Asked) {
        // Somebody waits for these; what is left of the others is found again by the next look.
        self.stop_automatic_tests();
        if jobs.is_empty() {
            return self.end_tests(pending, &Ok(RunResult::default()));
        }
        match self.tests_thread() {
            Ok(tasks) => self.begin_run(&tasks, Some((pending, run)), jobs),
            Err(error) => self.end_tests(pending, &Err(error)),
        }
    }

    fn begin_run(&mut self, tasks: &Sender<Task>, pending: Option<(Pending, Value)>, jobs: Vec<Job>) {
        let key = self.next_key;
        self.next_key += 1;
        let cancel = Cancel::new();
        let mut tests = Vec::new();
        let mut parts = Vec::new();
        let mut known = Vec::new();
        for job in jobs {
            let first = tests.len();
            for (n, wanted) in job.wanted.iter().enumerate() {
                tests.push(Place {
                    about: wanted.about,
                    uri: wanted.uri.clone(),
                    id: wanted.id.clone(),
                    range: wanted.range,
                });
                known.extend(wanted.known.clone().map(|outcome| (first + n, outcome)));
            }
            parts.push(Part { job, first });
        }
        let is_sent = tasks.send(Task { key, jobs: parts, cancel: cancel.clone() }).is_ok();
        let run = Run {
            pending,
            tests,
            cancel,
            tally: RunResult::default(),
            begun: Instant::now(),
            texts: self.tests.texts,
        };
        self.tests.running.insert(key, run);
        for (n, outcome) in known {
            self.test_ended(key, n, outcome);
        }
        if !is_sent {
            self.tests.tasks = None;
            let gone = failed("unavailable", "the thread for tests has ended; run them again");
            self.run_over(key, Err(gone));
        }
    }

    /// The thread speaks.
    pub(super) fn tested(&mut self, key: u64, said: Said) {
        match said {
            Said::Ended(n, known) => self.test_ended(key, n, Arc::new(known)),
            Said::Over(over) => self.run_over(key, over),
        }
    }

    fn test_ended(&mut self, key: u64, n: usize, known: Arc<Known>) {
        let Some(run) = self.tests.running.get_mut(&key) else { return };
        let Some(test) = run.tests.get(n) else { return };
        if run.cancel.is_cancelled() {
            return;
        }
        match known.status {
            Status::Passed => run.tally.passed += 1,
            Status::Failed => run.tally.failed += 1,
            Status::Skipped => run.tally.skipped += 1,
        }
        let place = (run.texts == self.tests.texts).then_some(test.range);
        let name = run.pending.as_ref().map_or(Value::Null, |(_, run)| run.clone());
        let params = ResultParams { run: name, result: result(&test.uri, &test.id, place, &known) };
        let about = test.about;
        self.client.notify("headwater/tests/result", params);
        let tests = &mut self.tests;
        if Arc::make_mut(&mut tests.ledger.results).insert(about, known).is_none() {
            tests.order.push_back(about);
        }
        while tests.order.len() > REMEMBERED
            && let Some(oldest) = tests.order.pop_front()
        {
            Arc::make_mut(&mut tests.ledger.results).remove(&oldest);
        }
        tests.news = true;
    }

    fn run_over(&mut self, key: u64, over: Result<(), Error>) {
        let Some(mut run) = self.tests.running.remove(&key) else { return };
        run.tally.elapsed = run.begun.elapsed().as_secs_f64();
        match run.pending {
            Some((pending, _)) => self.end_tests(pending, &over.map(|()| run.tally)),
            None => {
                let failed =
                    over.err().filter(|_| !run.cancel.is_cancelled()).map(|e| e.message.into_owned());
                if let Some(why) = failed.as_ref().filter(|_| self.tests.failed != failed) {
                    self.client.log(Level::Warning, &format!("tests do not run by themselves: {why}"));
                }
                let is_stuck = failed.is_some();
                self.tests.failed = failed;
                // What cannot run now is not tried again and again: the next edit asks anew.
                if is_stuck {
                    return self.show_outcomes(true);
                }
            }
        }
        // Edits may have come meanwhile, and a run that was taken back has left something.
        if self.profile.runs_tests {
            self.tests.due.get_or_insert_with(Instant::now);
        }
        self.show_outcomes(true);
    }

    /// Puts new outcomes where requests see them, at the end of a run and now and then before.
    pub(super) fn show_outcomes(&mut self, at_once: bool) {
        let is_due = self.tests.shown.is_none_or(|shown| shown.elapsed() >= SHOWN_EVERY);
        if !self.tests.news || !(at_once || is_due) {
            return;
        }
        self.tests.news = false;
        self.tests.shown = Some(Instant::now());
        self.revision += 1;
        self.rebuild_world();
        self.push_due = true;
        self.resume_parked();
        if self.profile.refreshes_diagnostics && !self.profile.push {
            self.client.request("workspace/diagnostic/refresh", Value::Null);
        }
        if self.profile.refreshes_lenses {
            self.client.request("workspace/codeLens/refresh", Value::Null);
        }
    }

    fn end_tests(&mut self, pending: Pending, answer: &Result<RunResult, Error>) {
        // What the run said left through the client's queue; the answer must not overtake it.
        let reply = match answer {
            Ok(tally) => Ok(json!(tally).into()),
            Err(error) => Err(error.clone()),
        };
        self.answer_in_order(pending, reply);
    }

    /// The client takes a request back, if it is one of these.
    pub(super) fn cancel_tests(&mut self, id: &Id) {
        let is_it = |run: &Run| run.pending.as_ref().is_some_and(|(pending, _)| pending.is(id));
        if let Some(run) = self.tests.running.values().find(|run| is_it(run)) {
            run.cancel.cancel();
        }
    }

    fn tests_thread(&mut self) -> Result<Sender<Task>, Error> {
        if let Some(tasks) = &self.tests.tasks {
            return Ok(tasks.clone());
        }
        let config = match &self.options.engine {
            crate::EngineChoice::Off(why) => {
                return Err(failed("unavailable", &format!("there is no engine: {why}")));
            }
            crate::EngineChoice::Use(config) => (**config).clone(),
        };
        let (tasks, queue) = crossbeam_channel::unbounded();
        let fs = self.options.fs.clone();
        crate::suite::runner::start(config, fs, queue, self.to_self.clone())
            .map_err(|error| failed("unavailable", &format!("the system gives no thread for it: {error}")))?;
        self.tests.tasks = Some(tasks.clone());
        Ok(tasks)
    }

    /// For `headwater/status`.
    pub(super) fn describe_tests(&self) -> String {
        let known = self.tests.ledger.results.len();
        let how = match (&self.options.engine, &self.tests.failed) {
            _ if !self.profile.trusted => "not run, as the folder is not trusted".to_owned(),
            (crate::EngineChoice::Off(why), _) => format!("not run: {why}"),
            (_, Some(why)) => format!("not run by themselves: {why}"),
            _ if self.tests.manual || !self.profile.runs_tests => "run when somebody asks".to_owned(),
            _ => "run when an edit may touch them".to_owned(),
        };
        format!("{how}; {known} outcomes known, {} runs under way", self.tests.running.len())
    }

    /// The subjects of everything that was there at the start are of no use once the projects are others.
    pub(super) fn forget_opened_tests(&mut self) {
        self.tests.opened = false;
        self.tests.ledger.opened = Arc::new(FxHashSet::default());
    }
}
