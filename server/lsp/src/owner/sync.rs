//! What the client says about documents, files and folders.

use camino::Utf8PathBuf;
use serde::Deserialize;
use serde_json::Value;
use tower_lsp::gen_lsp_types::{
    DidChangeTextDocumentParams, DidChangeWatchedFilesParams, DidChangeWorkspaceFoldersParams,
    DidCloseTextDocumentParams, DidOpenTextDocumentParams, DidSaveTextDocumentParams,
};

use super::Owner;
use crate::client::Level;
use crate::disk;
use crate::documents::Document;
use crate::hooks::Fault;

impl Owner {
    /// A notification. Malformed and unknown ones change nothing, as there is nobody to answer.
    pub(super) fn notified(&mut self, method: &str, params: Value) {
        let understood = match method {
            "textDocument/didOpen" => self.take(params, Self::did_open),
            "textDocument/didChange" => self.take(params, Self::did_change),
            "textDocument/didClose" => self.take(params, Self::did_close),
            "textDocument/didSave" => self.take(params, Self::did_save),
            "workspace/didChangeWatchedFiles" => self.take(params, Self::did_change_files),
            "workspace/didChangeWorkspaceFolders" => self.take(params, Self::did_change_folders),
            "workspace/didChangeConfiguration" => {
                if params.pointer("/settings/headwater/trusted").and_then(Value::as_bool) == Some(true) {
                    self.trust();
                }
                self.ask_for_configuration();
                true
            }
            _ => true,
        };
        if !understood {
            self.client.log(Level::Warning, &format!("{method} has malformed parameters and was ignored"));
        }
    }

    fn take<P: for<'a> Deserialize<'a>>(&mut self, params: Value, f: fn(&mut Self, P)) -> bool {
        match serde_json::from_value(params) {
            Ok(params) => {
                f(self, params);
                true
            }
            Err(_) => false,
        }
    }

    fn did_open(&mut self, params: DidOpenTextDocumentParams) {
        let opened = params.text_document;
        self.documents.open(Document::new(opened.uri.0, opened.version, &opened.text));
        self.history_may_have_moved();
    }

    fn did_change(&mut self, params: DidChangeTextDocumentParams) {
        let uri = params.text_document.text_document_identifier.uri.0;
        let encoding = self.profile.encoding;
        match self.documents.get_mut(&uri) {
            Some(document) => document.edit(params.text_document.version, params.content_changes, encoding),
            None => {
                self.client.log(Level::Warning, &format!("an edit of {uri}, which is not open, was ignored"));
            }
        }
    }

    fn did_close(&mut self, params: DidCloseTextDocumentParams) {
        let uri = params.text_document.uri.0;
        let Some(closed) = self.documents.close(&uri) else { return };
        self.tokens.remove(&uri);
        self.changed = true;
        let Some(path) = closed.path else { return };
        // The same file may be open under another spelling of its URI.
        if self.documents.iter().any(|other| other.path.as_ref() == Some(&path)) {
            return;
        }
        if let Some((project, below)) = self.home(&path)
            && !self.options.hooks.has(Fault::ClosedTextStays)
        {
            self.projects[project].loaded.close(&mut self.db, &below);
        }
        // What is known of the disk may be old: a client without file watching never told.
        self.touched.insert(path);
    }

    fn did_save(&mut self, params: DidSaveTextDocumentParams) {
        let uri = params.text_document.uri.0;
        if let Some(path) = crate::uri::to_path(&uri) {
            self.changed |= self.touch_input(&path);
            self.touched.insert(path);
        }
        self.refresh_lenses();
        self.history_may_have_moved();
    }

    fn did_change_files(&mut self, params: DidChangeWatchedFilesParams) {
        let paths = params.changes.into_iter().filter_map(|change| crate::uri::to_path(&change.uri.0));
        let is_work = |path: &Utf8PathBuf| !path.components().any(|part| part.as_str() == ".git");
        for path in paths.filter(is_work) {
            self.changed |= self.touch_input(&path);
            self.touched.insert(path);
        }
        self.history_may_have_moved();
    }

    fn did_change_folders(&mut self, params: DidChangeWorkspaceFoldersParams) {
        let event = params.event;
        let path = |uri: &str| crate::uri::to_path(uri);
        let removed: Vec<_> = event.removed.iter().filter_map(|folder| path(&folder.uri.0)).collect();
        self.folders.retain(|folder| !removed.contains(folder));
        for folder in event.added.iter().filter_map(|folder| path(&folder.uri.0)) {
            if !self.folders.contains(&folder) {
                self.folders.push(folder);
            }
        }
        self.searched.clear();
        self.open_folders();
    }

    /// Puts every edited document's text into the database: one write each, however many edits there were.
    pub(super) fn write_edits(&mut self) {
        if self.loading > 0 {
            return;
        }
        let mut homeless = Vec::new();
        let mut beside: Vec<Utf8PathBuf> = Vec::new();
        for document in self.documents.iter_mut().filter(|document| document.dirty) {
            let home = |path: &Utf8PathBuf| super::projects::home(&self.projects, path);
            let belongs = |path: &&Utf8PathBuf| {
                // A test file is one only where its project's folder begins.
                headwater_project::is_datafile(path)
                    || home(path).is_some_and(|(_, below)| headwater_project::is_test(&below))
            };
            let Some(path) = document.path.as_ref().filter(belongs) else {
                // Workers read an open `headwater.toml` from the world, and tests the samples that are open.
                beside.extend(document.path.clone());
                document.dirty = false;
                continue;
            };
            match super::projects::home(&self.projects, path) {
                Some(_) if document.version % 5 == 0 && self.options.hooks.has(Fault::LostEdit) => {
                    document.dirty = false;
                }
                Some((project, below)) => {
                    let text = document.text();
                    self.projects[project].loaded.set_open(&mut self.db, &below, text);
                    document.dirty = false;
                    self.changed = true;
                }
                None => homeless.push(path.clone()),
            }
        }
        for path in beside {
            self.changed |= path.file_name() == Some("headwater.toml") || self.touch_input(&path);
        }
        for path in homeless {
            if self.searched.insert(path.clone()) {
                self.loading += 1;
                let _ = self.disk.send(disk::Task::Around(path));
            } else {
                self.open_alone(&path);
                self.write_edits();
                return;
            }
        }
    }
}
