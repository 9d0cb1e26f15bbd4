//! Projects: found, read, followed, forgotten.

use std::sync::Arc;
use std::time::Instant;

use camino::{Utf8Path, Utf8PathBuf};
use headwater_analysis::Content;
use headwater_oracle::Tally;
use headwater_project::{Change, Loaded, ProjectRoot, Scan};

use super::Owner;
use super::baseline::Baseline;
use super::publish::Loading;
use crate::disk::{self, Read};
use crate::hooks::Fault;
use crate::snapshot::{OpenFile, World};

/// A project the server has.
pub(crate) struct Entry {
    pub(super) loaded: Loaded,
    /// It belongs to a workspace folder, and goes with it. The others were opened file by file.
    from_folder: bool,
    /// Its dialect and why, once somebody has looked.
    pub(super) dialect: Option<String>,
    pub(super) baseline: Baseline,
    /// What the engine thinks of its queries, once it was asked.
    pub(super) opinions: Option<Tally>,
}

/// The project a path belongs to and the path from its root: the innermost one, if several hold it.
pub(super) fn home(projects: &[Entry], path: &Utf8Path) -> Option<(usize, Utf8PathBuf)> {
    let mut best: Option<(usize, Utf8PathBuf)> = None;
    for (number, entry) in projects.iter().enumerate() {
        let Ok(below) = path.strip_prefix(&entry.loaded.root.path) else { continue };
        let hidden = |part: &str| part.starts_with('.') || part == "node_modules";
        if !below.components().any(|part| hidden(part.as_str()))
            && best.as_ref().is_none_or(|(_, other)| below.as_str().len() < other.as_str().len())
        {
            best = Some((number, below.to_owned()));
        }
    }
    best
}

impl Owner {
    pub(super) fn home(&self, path: &Utf8Path) -> Option<(usize, Utf8PathBuf)> {
        home(&self.projects, path)
    }

    /// Reads all workspace folders, again.
    pub(super) fn open_folders(&mut self) {
        self.loading += 1;
        if matches!(self.load_shown, Loading::No) {
            self.load_shown = Loading::Since(Instant::now() + self.options.progress_after);
        }
        let _ = self.disk.send(disk::Task::Folders(self.folders.clone()));
    }

    /// A datafile that no project on disk holds makes one of its own, in its folder.
    pub(super) fn open_alone(&mut self, path: &Utf8Path) {
        let folder = path.parent().unwrap_or(Utf8Path::new("/"));
        self.put(ProjectRoot::at(folder), Scan::default(), false);
    }

    /// Asks the disk thread about everything the client said has changed, in one go.
    pub(super) fn read_touched(&mut self) {
        if self.touched.is_empty() || self.disk_busy || self.loading > 0 {
            return;
        }
        let touched = std::mem::take(&mut self.touched);
        let mut batches: Vec<(ProjectRoot, Vec<Utf8PathBuf>)> =
            self.projects.iter().map(|entry| (entry.loaded.root.clone(), Vec::new())).collect();
        let mut rediscover = false;
        for path in touched {
            let name = path.file_name().unwrap_or_default();
            rediscover |=
                matches!(name, "tinybird.config.json" | "tinybird.json" | "headwater.toml" | ".tinyenv")
                    && !self.projects.iter().any(|entry| entry.loaded.root.config_path() == path);
            match self.home(&path) {
                Some((project, _)) => batches[project].1.push(path),
                None => {
                    // A first datafile may be the birth of a project.
                    rediscover |= headwater_project::is_datafile(&path)
                        && self.folders.iter().any(|folder| path.starts_with(folder));
                    for (root, paths) in &mut batches {
                        if root.config_path() == path || root.marker.as_ref() == Some(&path) {
                            paths.push(path.clone());
                        }
                    }
                }
            }
        }
        batches.retain(|(_, paths)| !paths.is_empty());
        if rediscover {
            self.open_folders();
        }
        if !batches.is_empty() {
            self.disk_busy = true;
            let _ = self.disk.send(disk::Task::Changes(batches));
        }
    }

    pub(super) fn disk_read(&mut self, read: Read) {
        match read {
            Read::Folders(folders, scanned) => {
                self.loading -= 1;
                // A later read of other folders is on its way: this one is history.
                if folders == self.folders {
                    let roots: Vec<_> = scanned.iter().map(|(root, _)| root.path.clone()).collect();
                    self.forget_projects(&roots);
                    for (root, scan) in scanned {
                        self.put(root, scan, true);
                    }
                }
            }
            Read::Around(path, scanned) => {
                self.loading -= 1;
                if let Some((root, scan)) = scanned {
                    let known = self.projects.iter().any(|entry| entry.loaded.root.path == root.path);
                    if !known {
                        self.put(root, scan, false);
                    }
                }
                if self.home(&path).is_none() {
                    self.open_alone(&path);
                }
            }
            Read::Changes(batches) => {
                self.disk_busy = false;
                let hooks = &self.options.hooks;
                for (root, mut changes) in batches {
                    changes.retain(|change| match change {
                        Change::File(_, Content::Deleted) => !hooks.has(Fault::GoneFileStays),
                        Change::Config(_) => !hooks.has(Fault::ConfigurationStays),
                        _ => true,
                    });
                    let Some(entry) = self.projects.iter_mut().find(|entry| entry.loaded.root.path == root)
                    else {
                        continue;
                    };
                    let changed = entry.loaded.apply(&mut self.db, changes);
                    self.changed |= changed;
                    self.changed_outside |= changed;
                }
            }
        }
        self.history_may_have_moved();
        if self.loading == 0 {
            self.loaded();
        }
    }

    fn put(&mut self, root: ProjectRoot, scan: Scan, from_folder: bool) {
        self.changed = true;
        self.changed_outside = true;
        let known = self.projects.iter_mut().find(|entry| entry.loaded.root.path == root.path);
        match known {
            Some(entry) => {
                entry.from_folder |= from_folder;
                entry.loaded.root = root;
                entry.loaded.apply(&mut self.db, vec![Change::Everything(Box::new(scan))]);
            }
            None => {
                let loaded = Loaded::new(&mut self.db, root, scan);
                self.forget_opened_tests();
                self.projects.push(Entry {
                    loaded,
                    from_folder,
                    dialect: None,
                    baseline: Baseline::default(),
                    opinions: None,
                });
                // Documents that had another home, or none, may have a better one now.
                for document in self.documents.iter_mut() {
                    document.dirty = true;
                }
            }
        }
    }

    /// Drops the folders' projects that are none any more.
    fn forget_projects(&mut self, roots: &[Utf8PathBuf]) {
        let gone = |entry: &Entry| entry.from_folder && !roots.contains(&entry.loaded.root.path);
        for number in
            (0..self.projects.len()).filter(|number| gone(&self.projects[*number])).collect::<Vec<_>>()
        {
            self.forget_baseline(number);
        }
        let db = &mut self.db;
        let before = self.projects.len();
        self.projects.retain_mut(|entry| {
            if !gone(entry) {
                return true;
            }
            // Inputs live as long as the database; their texts need not.
            for path in entry.loaded.open_paths() {
                entry.loaded.close(db, &path);
            }
            entry.loaded.apply(db, vec![Change::Everything(Box::default())]);
            false
        });
        if self.projects.len() != before {
            self.changed = true;
            self.changed_outside = true;
            for document in self.documents.iter_mut() {
                document.dirty = true;
            }
        }
    }

    pub(super) fn learn_dialects(&mut self, dialects: Vec<(Utf8PathBuf, String)>) {
        for (root, dialect) in dialects {
            if let Some(entry) = self.projects.iter_mut().find(|entry| entry.loaded.root.path == root) {
                entry.dialect = Some(dialect);
            }
        }
    }

    pub(super) fn rebuild_world(&mut self) {
        let mut world = World { open_only: self.open_only, ..World::default() };
        world.ledger = self.tests.ledger();
        world.remembered = self.previews.remembered();
        world.inputs = self.open_inputs();
        world.projects = self
            .projects
            .iter()
            .map(|entry| (entry.loaded.root.path.clone(), entry.loaded.project))
            .collect();
        for document in self.documents.iter() {
            let Some(path) = &document.path else { continue };
            if path.file_name() == Some("headwater.toml") {
                world.configs.insert(document.uri.clone(), document.text());
                continue;
            }
            let Some((project, below)) = self.home(path) else { continue };
            let Some(file) = self.projects[project].loaded.file(&self.db, &below) else { continue };
            let open = OpenFile { uri: document.uri.clone(), version: document.version, file };
            world.path_of_uri.insert(document.uri.clone(), path.clone());
            world.open.insert(path.clone(), open);
        }
        self.world = Arc::new(world);
    }
}
