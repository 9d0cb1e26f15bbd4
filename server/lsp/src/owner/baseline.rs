//! What each project is compared with: the commit that `headwater.toml` names, `HEAD` unless it says otherwise.
//!
//! Nothing here is on the way of an answer. Repositories are asked when nothing else goes on, read on a thread of their
//! own, and what was read enters the database when no worker is running, so that no request is started over for it.

use camino::Utf8PathBuf;
use headwater_analysis::BaselineChoice;
use headwater_project::{Change, CommitId, Found, Loaded, Scan, Watch};
use rustc_hash::FxHashSet;
use serde_json::json;

use super::Owner;
use crate::client::Level;
use crate::history::{Answer, Learned, Task};
use crate::hooks::Fault;

/// One project's baseline.
#[derive(Default)]
pub(super) struct Baseline {
    state: State,
    /// Also while there is no baseline: inputs live for ever, so the next one gets them.
    loaded: Option<Loaded>,
}

#[derive(Default, PartialEq, Eq)]
enum State {
    #[default]
    Unknown,
    /// There is none, for this reason.
    Without(String),
    Reading(CommitId),
    At(CommitId),
}

/// What is known and under way, over all projects.
#[derive(Default)]
pub(super) struct History {
    /// Revisions may name other commits than when we last asked.
    due: bool,
    asking: bool,
    /// Read, and waiting for a quiet moment.
    ready: Vec<(Utf8PathBuf, CommitId, Scan)>,
    watched: FxHashSet<Watch>,
}

/// For clients that watch their folders only.
pub(super) const WATCHED: &str = "**/.git/{HEAD,packed-refs,refs/heads/**}";

impl Baseline {
    /// For `headwater/status`.
    pub(super) fn describe(&self, choice: &BaselineChoice, count: impl FnOnce(&Loaded) -> usize) -> String {
        let revision = match choice {
            BaselineChoice::Off => "off",
            BaselineChoice::Revision(revision) => revision,
        };
        match (&self.state, &self.loaded) {
            (State::Unknown, _) => "not looked for yet".to_owned(),
            (State::Without(reason), _) => format!("none: {reason}"),
            (State::Reading(commit), _) => format!("{revision} is commit {commit}, which is being read"),
            (State::At(commit), Some(loaded)) => {
                format!("{revision}, commit {commit}, {} files", count(loaded))
            }
            (State::At(commit), None) => format!("{revision}, commit {commit}"),
        }
    }
}

impl Owner {
    /// Something happened that goes along with commits and checkouts.
    pub(super) fn history_may_have_moved(&mut self) {
        self.history.due = true;
    }

    /// Nobody waits for anything.
    pub(super) fn is_quiet(&self) -> bool {
        let (running, queued, _) = self.counts();
        running + queued == 0 && self.loading == 0 && !self.shut_down
    }

    /// Asks the repositories, when it is time.
    pub(super) fn look_at_history(&mut self) {
        if !self.history.due || self.history.asking || !self.is_quiet() {
            return;
        }
        self.history.due = false;
        let mut questions = Vec::new();
        for number in 0..self.projects.len() {
            let loaded = &self.projects[number].loaded;
            match loaded.project.config(&self.db).baseline.clone() {
                BaselineChoice::Off => self.go_without(number, "headwater.toml says so".to_owned()),
                BaselineChoice::Revision(revision) => questions.push((loaded.root.path.clone(), revision)),
            }
        }
        if !questions.is_empty() {
            self.history.asking = true;
            let _ = self.history_tasks.send(Task::Find(questions));
        }
    }

    pub(super) fn learned(&mut self, learned: Learned) {
        match learned {
            Learned::Found(answers) => {
                self.history.asking = false;
                for answer in answers {
                    self.found(answer);
                }
            }
            Learned::Read(folder, commit, Ok(scan)) => self.history.ready.push((folder, commit, scan)),
            Learned::Read(folder, commit, Err(error)) => {
                let reading =
                    |number: &usize| self.projects[*number].baseline.state == State::Reading(commit.clone());
                if let Some(number) = self.project_at(&folder).filter(reading) {
                    self.warn_and_go_without(number, error.0);
                }
            }
        }
    }

    fn found(&mut self, answer: Answer) {
        let Answer { folder, revision, found, watches } = answer;
        let Some(number) = self.project_at(&folder) else { return };
        let entry = &self.projects[number];
        if entry.loaded.project.config(&self.db).baseline != BaselineChoice::Revision(revision) {
            // `headwater.toml` has changed meanwhile.
            self.history.due = true;
            return;
        }
        self.watch_history(watches);
        let entry = &mut self.projects[number];
        match found {
            Ok(Found::Commit(commit)) => {
                let known =
                    matches!(&entry.baseline.state, State::Reading(at) | State::At(at) if *at == commit);
                let stays = matches!(entry.baseline.state, State::At(_))
                    && self.options.hooks.has(Fault::BaselineStays);
                if stays {
                    // As if it had been read.
                    entry.baseline.state = State::At(commit);
                } else if !known {
                    entry.baseline.state = State::Reading(commit.clone());
                    let texts = entry.loaded.texts(&self.db);
                    let _ = self.history_tasks.send(Task::Read(entry.loaded.root.clone(), commit, texts));
                }
            }
            Ok(Found::NoRepository) => {
                self.go_without(number, "the folder lies in no git repository".to_owned());
            }
            Ok(Found::NoCommit) => self.go_without(number, "the repository has no commit yet".to_owned()),
            Err(error) => self.warn_and_go_without(number, error.0),
        }
    }

    /// Puts what was read into the database, when that disturbs nobody.
    pub(super) fn apply_baselines(&mut self) {
        if self.history.ready.is_empty() || !self.is_quiet() {
            return;
        }
        for (folder, commit, scan) in std::mem::take(&mut self.history.ready) {
            let Some(number) = self.project_at(&folder) else { continue };
            let entry = &mut self.projects[number];
            if entry.baseline.state != State::Reading(commit.clone()) {
                continue;
            }
            entry.baseline.state = State::At(commit);
            let read = match &mut entry.baseline.loaded {
                Some(loaded) => loaded.apply(&mut self.db, vec![Change::Everything(Box::new(scan))]),
                none => {
                    *none = Some(Loaded::durable(&mut self.db, entry.loaded.root.clone(), scan));
                    true
                }
            };
            let project = entry.baseline.loaded.as_ref().map(|loaded| loaded.project);
            let set = entry.loaded.set_baseline(&mut self.db, project);
            self.changed |= read | set;
            self.changed_outside |= read | set;
        }
    }

    fn warn_and_go_without(&mut self, number: usize, reason: String) {
        let entry = &self.projects[number];
        if entry.baseline.state != State::Without(reason.clone()) {
            let message = format!("{} has no baseline: {reason}", entry.loaded.root.path);
            self.client.log(Level::Warning, &message);
        }
        self.go_without(number, reason);
    }

    fn go_without(&mut self, number: usize, reason: String) {
        let changed = self.forget_baseline(number);
        self.projects[number].baseline.state = State::Without(reason);
        self.changed |= changed;
        self.changed_outside |= changed;
    }

    /// Takes a project's baseline away and frees its texts. Says whether there was one.
    pub(super) fn forget_baseline(&mut self, number: usize) -> bool {
        let entry = &mut self.projects[number];
        if let Some(loaded) = &mut entry.baseline.loaded {
            loaded.apply(&mut self.db, vec![Change::Everything(Box::default())]);
        }
        entry.loaded.set_baseline(&mut self.db, None)
    }

    fn project_at(&self, folder: &Utf8PathBuf) -> Option<usize> {
        self.projects.iter().position(|entry| entry.loaded.root.path == *folder)
    }

    /// A repository usually begins above the folder that the editor has open, where a plain glob does not reach.
    fn watch_history(&mut self, watches: Vec<Watch>) {
        if !self.profile.watches_files || !self.profile.watches_anywhere {
            return;
        }
        let mut watchers = Vec::new();
        for watch in watches {
            let base = crate::uri::from_path(&watch.folder);
            let pattern = json!({ "baseUri": base, "pattern": watch.glob });
            if self.history.watched.insert(watch) {
                watchers.push(json!({ "globPattern": pattern }));
            }
        }
        if !watchers.is_empty() {
            let registration = json!({
                "id": format!("headwater/history/{}", self.history.watched.len()),
                "method": "workspace/didChangeWatchedFiles",
                "registerOptions": { "watchers": watchers },
            });
            self.client.request("client/registerCapability", json!({ "registrations": [registration] }));
        }
    }
}
