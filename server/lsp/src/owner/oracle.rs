//! The engine's second opinion, behind everybody's back.
//!
//! When nothing has changed for a while and nobody waits for anything, a worker looks for queries that the engine was not
//! asked about; a thread of its own asks; what it learned enters the database when nobody waits again. Each step gives way
//! to an edit: a look is cancelled like any other work, an answer that comes late is about a text that is gone, and counts
//! when that text comes back.

use std::sync::Arc;
use std::time::Instant;

use camino::Utf8PathBuf;
use crossbeam_channel::Sender;
use headwater_oracle::{Disagreement, Known, Pass, Tally};
use rustc_hash::FxHashSet;

use super::Owner;
use super::schedule::Work;
use crate::client::Level;
use crate::oracle::{Answered, Question};

/// Texts in one round. The engine takes a millisecond or two for each, so that an edit's own questions wait no longer than
/// a moment behind a project that was opened just now.
pub(crate) const ROUND: usize = 100;

/// How many disagreements are remembered.
const TOLD: usize = 1_000;

/// What is known and under way.
#[derive(Default)]
pub(super) struct Oracle {
    /// To its thread; `None` while the layer is off.
    tasks: Option<Sender<Vec<Question>>>,
    /// Why the layer is off.
    off: String,
    /// Why the last question was not answered.
    failed: Option<String>,
    /// When to look for questions, if somebody should.
    due: Option<Instant>,
    looking: bool,
    asking: bool,
    known: Arc<Known>,
    /// Looked at and answered, and waiting for a quiet moment.
    ready: Vec<(Utf8PathBuf, Pass)>,
    /// Disagreements are logged once, as long as there are not more than [`TOLD`].
    told: FxHashSet<Disagreement>,
    /// The change that is being settled is an opinion.
    is_own_change: bool,
}

impl Oracle {
    pub(super) fn off(reason: String) -> Self {
        Self { off: reason, ..Self::default() }
    }

    pub(super) fn on(tasks: Sender<Vec<Question>>) -> Self {
        Self { tasks: Some(tasks), ..Self::default() }
    }

    /// The moment to wake the owner at: one that has passed waits for work to end, which is an event of its own.
    pub(super) fn wake(&self) -> Option<Instant> {
        self.due.filter(|due| !self.looking && !self.asking && *due > Instant::now())
    }

    pub(super) fn known(&self) -> Arc<Known> {
        self.known.clone()
    }
}

impl Owner {
    /// Something changed: there may be more to ask when it has settled.
    pub(super) fn oracle_may_be_asked(&mut self) {
        if std::mem::take(&mut self.oracle.is_own_change) {
            return;
        }
        if self.oracle.tasks.is_some() {
            self.oracle.due = Some(Instant::now() + self.options.calm);
        }
    }

    /// Looks for questions, when it is time.
    pub(super) fn look_at_oracle(&mut self) {
        let oracle = &self.oracle;
        let is_time = oracle.due.is_some_and(|due| due <= Instant::now());
        if !is_time || oracle.looking || oracle.asking || !oracle.ready.is_empty() || !self.is_quiet() {
            return;
        }
        self.oracle.due = None;
        self.oracle.looking = true;
        self.queue.worker.push_back(Work::Questions);
        self.schedule();
    }

    /// An edit came before the look was over.
    pub(super) fn look_was_stale(&mut self) {
        self.oracle.looking = false;
        self.oracle.due = Some(Instant::now() + self.options.calm);
    }

    /// The look ended with a bug; the next change tries again.
    pub(super) fn look_failed(&mut self) {
        self.oracle.looking = false;
    }

    /// A worker looked at every project.
    pub(super) fn looked(&mut self, passes: Vec<(Utf8PathBuf, Pass)>) {
        self.oracle.looking = false;
        let seen: FxHashSet<u64> = passes.iter().flat_map(|(_, pass)| pass.fingerprints()).collect();
        Arc::make_mut(&mut self.oracle.known).keep(&seen);
        let (settled, open): (Vec<_>, Vec<_>) = passes.into_iter().partition(|(_, pass)| pass.is_settled());
        self.oracle.ready.extend(settled);
        if !open.is_empty()
            && let Some(tasks) = &self.oracle.tasks
        {
            self.oracle.asking = true;
            let questions = open.into_iter().map(|(root, pass)| Question { root, pass });
            let _ = tasks.send(questions.collect());
        }
    }

    /// The engine has spoken, or there is none.
    pub(super) fn answered(&mut self, all: Vec<Answered>) {
        self.oracle.asking = false;
        let mut failed = None;
        for Answered { root, pass, answers } in all {
            match answers {
                Ok(answers) => {
                    Arc::make_mut(&mut self.oracle.known).learn(answers);
                    if pass.is_partial {
                        self.oracle.due = Some(Instant::now());
                    }
                    self.oracle.ready.push((root, pass));
                }
                Err(why) => failed = Some(why),
            }
        }
        if let Some(why) = failed.as_ref().filter(|_| self.oracle.failed != failed) {
            self.client.log(Level::Warning, &format!("the engine gives no opinion: {why}"));
        }
        self.oracle.failed = failed;
    }

    /// Puts opinions into the database, when that disturbs nobody.
    pub(super) fn apply_opinions(&mut self) {
        if self.oracle.ready.is_empty() || !self.is_quiet() {
            return;
        }
        let mut is_changed = false;
        let known = self.oracle.known();
        for (root, pass) in std::mem::take(&mut self.oracle.ready) {
            let Some(entry) = self.projects.iter_mut().find(|entry| entry.loaded.root.path == root) else {
                continue;
            };
            entry.opinions = Some(pass.tally(&known));
            for (file, opinions) in pass.opinions(&known) {
                is_changed |= file.hear(&mut self.db, opinions);
            }
            for disagreement in pass.disagreements(&known) {
                // Each edit can bring new ones; a line that is told again is better than a server that grows.
                if self.oracle.told.len() >= TOLD {
                    self.oracle.told.clear();
                }
                if self.oracle.told.insert(disagreement.clone()) {
                    let message = format!(
                        "not reported in {root}/{}, since the engine takes it: {}. Please report this line",
                        disagreement.node, disagreement.ours
                    );
                    self.client.log(Level::Warning, &message);
                }
            }
        }
        self.oracle.is_own_change = is_changed && !self.changed;
        self.changed |= is_changed;
        self.changed_outside |= is_changed;
    }

    /// For `headwater/status`: of the server, and of one project.
    pub(super) fn describe_oracle(&self) -> String {
        match (&self.oracle.tasks, &self.oracle.failed) {
            (None, _) => format!("not asked: {}", self.oracle.off),
            (Some(_), Some(why)) => format!("not asked: {why}"),
            (Some(_), None) => "asked when nothing else goes on".to_owned(),
        }
    }

    /// The client says that the user trusts the folder now.
    pub(super) fn trust(&mut self) {
        if !self.profile.knows_trust || self.profile.trusted {
            return;
        }
        Arc::make_mut(&mut self.profile).trusted = true;
        self.start_oracle();
        self.oracle_may_be_asked();
    }

    /// Starts the layer, if there is an engine and the user trusts the folder.
    pub(super) fn start_oracle(&mut self) {
        self.oracle = if !self.profile.trusted {
            Oracle::off("the folder is not trusted".to_owned())
        } else {
            match &self.options.engine {
                crate::EngineChoice::Off(reason) => Oracle::off(reason.clone()),
                crate::EngineChoice::Use(config) => {
                    let (tasks, queue) = crossbeam_channel::unbounded();
                    match crate::oracle::start((**config).clone(), queue, self.to_self.clone()) {
                        Ok(()) => Oracle::on(tasks),
                        Err(error) => Oracle::off(format!("the system gives no thread for it: {error}")),
                    }
                }
            }
        };
    }
}

/// For `headwater/status`.
pub(super) fn describe(tally: Option<&Tally>) -> Option<String> {
    let Tally { judged, agreed, missed, disagreed, open } = *tally?;
    let mut text = format!("{judged} query texts judged");
    for (count, what) in
        [(agreed, "refused as here"), (missed, "refused by it alone"), (disagreed, "taken against our rules")]
    {
        if count > 0 {
            text += &format!(", {count} {what}");
        }
    }
    if open > 0 {
        text += &format!(", {open} nodes to go");
    }
    Some(text)
}
