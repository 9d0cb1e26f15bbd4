//! What the server tells the client unasked: diagnostics, progress, refreshes, registrations.

use std::sync::Arc;
use std::time::Instant;

use serde_json::{Value, json};
use tower_lsp::gen_lsp_types::Position;
use tower_lsp::jsonrpc::{Error, Id};

use super::Owner;
use crate::capabilities::DIAGNOSTICS;
use crate::position::LineIndex;
use crate::worker::Publication;

/// What external changes are watched for. `.tinyenv` has no extension of its own.
const WATCHED: &[&str] = &[
    "**/*.{datasource,pipe,connection,incl,token,toml,yaml,yml,json,ndjson}",
    "**/.tinyenv",
    "**/fixtures/*.{jsonl,csv,parquet,sql,gz}",
    "**/tests/*.{jsonl,csv,parquet,sql,gz,test,result}",
    "**/.env{,.local}",
];

/// The settings this server reads.
const SECTION: &str = "headwater";

/// Work-done progress of reading projects: shown only if it lasts.
pub(super) enum Loading {
    No,
    /// To be shown at this moment, if it is still going on.
    Since(Instant),
    /// The client was asked for a progress bar with this request.
    Asked(i64, String),
    Shown(String),
}

impl Loading {
    pub(super) fn due(&self) -> Option<Instant> {
        match self {
            Self::Since(due) => Some(*due),
            _ => None,
        }
    }
}

/// What `headwater/status` shows.
pub(crate) struct Facts {
    pub(crate) client: String,
    pub(crate) encoding: &'static str,
    pub(crate) push: bool,
    pub(crate) trusted: bool,
    pub(crate) open_documents: usize,
    pub(crate) running: usize,
    pub(crate) queued: usize,
    pub(crate) parked: usize,
    pub(crate) loading: bool,
    pub(crate) engine: String,
    pub(crate) tests: String,
    pub(crate) projects: Vec<ProjectFacts>,
}

pub(crate) struct ProjectFacts {
    pub(crate) root: String,
    pub(crate) files: usize,
    pub(crate) dialect: Option<String>,
    pub(crate) baseline: String,
    pub(crate) opinions: Option<String>,
    pub(crate) truncated: bool,
}

impl Owner {
    /// After `initialized`: asks for what the client must be asked for, if it can.
    pub(super) fn register(&mut self) {
        let mut registrations = self.profile.registrations(self.open_only);
        if self.profile.watches_files {
            let history = (!self.profile.watches_anywhere).then_some(super::baseline::WATCHED);
            let globs = WATCHED.iter().copied().chain(history);
            let watchers: Vec<_> = globs.map(|glob| json!({ "globPattern": glob })).collect();
            registrations.push(json!({
                "id": "headwater/files",
                "method": "workspace/didChangeWatchedFiles",
                "registerOptions": { "watchers": watchers },
            }));
        }
        if self.profile.registers_configuration {
            registrations.push(json!({
                "id": "headwater/configuration",
                "method": "workspace/didChangeConfiguration",
                "registerOptions": { "section": SECTION },
            }));
        }
        if !registrations.is_empty() {
            self.client.request("client/registerCapability", json!({ "registrations": registrations }));
        }
        self.ask_for_configuration();
    }

    /// Whether clients should ask for the whole project is the user's choice, and part of the registration.
    fn register_diagnostics_again(&mut self) {
        if !self.profile.registers.diagnostics {
            return;
        }
        let old = json!({ "id": DIAGNOSTICS, "method": "textDocument/diagnostic" });
        // The protocol spells it so.
        self.client.request("client/unregisterCapability", json!({ "unregisterations": [old] }));
        let mut registrations = self.profile.registrations(self.open_only);
        registrations.retain(|r| r["id"] == DIAGNOSTICS);
        self.client.request("client/registerCapability", json!({ "registrations": registrations }));
    }

    pub(super) fn ask_for_configuration(&mut self) {
        if self.profile.answers_configuration {
            let params = json!({ "items": [{ "section": SECTION }] });
            self.configuration_request = Some(self.client.request("workspace/configuration", params));
        }
    }

    pub(super) fn client_answered(&mut self, id: &Id, answer: Result<Value, Error>) {
        let Id::Number(id) = *id else { return };
        if self.configuration_request == Some(id) {
            self.configuration_request = None;
            let settings =
                answer.ok().and_then(|mut value| Some(value.get_mut(0)?.take())).unwrap_or_default();
            let open_only = settings["diagnosticMode"] == "openFiles";
            self.set_automatic_tests(settings["tests"]["automatic"] != false);
            if open_only != self.open_only {
                self.open_only = open_only;
                self.register_diagnostics_again();
                self.changed = true;
                self.changed_outside = true;
            }
            return;
        }
        if let Loading::Asked(asked, token) = &self.load_shown
            && *asked == id
        {
            let token = token.clone();
            self.load_shown = Loading::No;
            if answer.is_ok() && self.loading > 0 {
                let begin = json!({ "kind": "begin", "title": "Headwater", "message": "reading projects" });
                self.client.notify("$/progress", json!({ "token": token, "value": begin }));
                self.load_shown = Loading::Shown(token);
            }
        }
    }

    /// Reading takes long enough to be shown.
    pub(super) fn show_loading(&mut self) {
        self.load_shown = if self.profile.shows_progress && self.loading > 0 {
            let token = format!("headwater/load/{}", self.next_key);
            self.next_key += 1;
            let asked = self.client.request("window/workDoneProgress/create", json!({ "token": token }));
            Loading::Asked(asked, token)
        } else {
            Loading::No
        };
    }

    /// All reading is done.
    pub(super) fn loaded(&mut self) {
        match std::mem::replace(&mut self.load_shown, Loading::No) {
            Loading::Shown(token) => {
                self.client.notify("$/progress", json!({ "token": token, "value": { "kind": "end" } }));
            }
            // The client's answer will find nothing going on and start nothing.
            asked @ Loading::Asked(..) => self.load_shown = asked,
            Loading::No | Loading::Since(_) => {}
        }
    }

    /// The disk, the folders or the settings changed: clients that pull have no way to know.
    pub(super) fn after_outside_change(&mut self) {
        self.publish_config_problems();
        self.look_for_dialects();
        if self.profile.refreshes_diagnostics && !self.profile.push && self.revision > 1 {
            self.client.request("workspace/diagnostic/refresh", Value::Null);
        }
        if self.revision > 1 {
            self.refresh_lenses();
        }
    }

    /// Lenses and hints speak of other files, and clients ask again only for the one that was edited.
    pub(super) fn refresh_lenses(&mut self) {
        if self.profile.refreshes_lenses {
            self.client.request("workspace/codeLens/refresh", Value::Null);
        }
        if self.profile.refreshes_hints {
            self.client.request("workspace/inlayHint/refresh", Value::Null);
        }
    }

    pub(super) fn publish(&mut self, publications: Vec<Publication>) {
        let published = Arc::make_mut(&mut self.published);
        for publication in publications {
            if publication.id == 0 && publication.params.version.is_none() {
                published.remove(&publication.path);
            } else {
                published.insert(publication.path, (publication.id, publication.params.version));
            }
            self.client.notify("textDocument/publishDiagnostics", publication.params);
        }
    }

    /// `headwater.toml` is no datafile and no client pulls for it, so its problems are always pushed.
    fn publish_config_problems(&mut self) {
        let configs: Vec<_> = self.projects.iter().map(|entry| entry.loaded.root.config_path()).collect();
        let client = &self.client;
        self.config_published.retain(|path| {
            let stays = configs.contains(path);
            if !stays {
                let cleared = json!({ "uri": crate::uri::from_path(path), "diagnostics": [] });
                client.notify("textDocument/publishDiagnostics", cleared);
            }
            stays
        });
        for entry in &self.projects {
            let loaded = &entry.loaded;
            let path = loaded.root.config_path();
            let shown = self.config_published.contains(&path);
            if loaded.config_problems.is_empty() && !shown {
                continue;
            }
            let text = loaded.config_text.clone().unwrap_or_default();
            let index = LineIndex::new(text.into(), self.profile.encoding);
            let start = Position { line: 0, character: 0 };
            let items: Vec<_> = loaded
                .config_problems
                .iter()
                .map(|problem| {
                    let range = problem.range.map(|range| index.range(range));
                    json!({
                        "range": range.unwrap_or(tower_lsp::gen_lsp_types::Range { start, end: start }),
                        "severity": 2,
                        "source": "headwater",
                        "message": problem.message,
                    })
                })
                .collect();
            if items.is_empty() {
                self.config_published.remove(&path);
            } else {
                self.config_published.insert(path.clone());
            }
            let uri = crate::uri::from_path(&path);
            self.client
                .notify("textDocument/publishDiagnostics", json!({ "uri": uri, "diagnostics": items }));
        }
    }

    /// For `headwater/status`.
    pub(crate) fn facts(&self) -> Facts {
        let (running, queued, parked) = self.counts();
        let projects = self.projects.iter().map(|entry| ProjectFacts {
            root: entry.loaded.root.path.to_string(),
            files: entry.loaded.len(&self.db),
            dialect: entry.dialect.clone(),
            baseline: entry
                .baseline
                .describe(&entry.loaded.project.config(&self.db).baseline, |loaded| loaded.len(&self.db)),
            opinions: super::oracle::describe(entry.opinions.as_ref()),
            truncated: entry.loaded.truncated,
        });
        Facts {
            client: self.profile.client.clone(),
            encoding: self.profile.encoding.name(),
            push: self.profile.push,
            trusted: self.profile.trusted,
            open_documents: self.documents.len(),
            running,
            queued,
            parked,
            loading: self.loading > 0,
            engine: self.describe_oracle(),
            tests: self.describe_tests(),
            projects: projects.collect(),
        }
    }
}
