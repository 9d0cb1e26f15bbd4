//! A project in the database, and which input stands for which path.

use std::sync::Arc;

use camino::{Utf8Path, Utf8PathBuf};
use headwater_analysis::samples::Surroundings;
use headwater_analysis::{
    Config, ConfigProblem, Content, Database, File, Project, ProjectFacts, Setter, settle_dialect,
};
use rustc_hash::FxHashMap;

use crate::baseline::Texts;
use crate::content::read_content;
use crate::discover::ProjectRoot;
use crate::fs::{EntryKind, FileSystem, path_of};
use crate::scan::{self, Scan, ScannedFile, scan};

/// Something that happened on disk, already read. Paths are relative to the root.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// A datafile has this content now; [`Content::Deleted`] also stands for a whole folder that is gone.
    File(Utf8PathBuf, Content),
    /// `headwater.toml` has this text now, or is gone.
    Config(Option<String>),
    /// The marks beside the datafiles.
    Facts(ProjectFacts),
    /// Samples and names of secrets.
    Surroundings(Surroundings),
    /// The whole project was scanned anew.
    Everything(Box<Scan>),
}

/// A project whose inputs are in a database. Belongs to the thread that owns the database.
#[derive(Debug)]
pub struct Loaded {
    /// The project input.
    pub project: Project,
    /// Where it was read.
    pub root: ProjectRoot,
    /// What `headwater.toml` says that has no effect.
    pub config_problems: Vec<ConfigProblem>,
    /// The text those problems are places in.
    pub config_text: Option<String>,
    /// The scan stopped at its bounds.
    pub truncated: bool,
    /// New inputs are expected to change seldom.
    durable: bool,
    /// Every input ever made, also of files that are gone: salsa inputs live for ever, so a file that comes back gets
    /// its old one.
    inputs: FxHashMap<Utf8PathBuf, File>,
    /// What is on disk under the files that are open in an editor.
    beneath: FxHashMap<Utf8PathBuf, Content>,
}

/// Reads a project and puts it into the database.
pub fn load(db: &mut Database, fs: &dyn FileSystem, root: &ProjectRoot) -> Loaded {
    Loaded::new(db, root.clone(), scan(fs, root))
}

/// Reads what is on disk now at these absolute paths. Paths that are none of the project's business yield nothing.
pub fn read_changes(fs: &dyn FileSystem, root: &ProjectRoot, paths: &[Utf8PathBuf]) -> Vec<Change> {
    let mut changes = Vec::new();
    let mut datafiles = Vec::new();
    let mut folder_came = false;
    let mut around = false;
    let config = root.config_path();
    for path in paths {
        let path = path_of(path);
        let name = path.file_name().unwrap_or_default();
        if path == config {
            changes.push(Change::Config(scan::config_text(fs, root)));
        }
        if matches!(name, ".tinyenv" | "tinybird.config.json" | "tinybird.json") {
            changes.push(Change::Facts(scan::facts(fs, root)));
        }
        let Ok(below) = path.strip_prefix(&root.path) else { continue };
        if crate::surroundings::is_one(below) {
            around = true;
        }
        if is_hidden(below) {
            continue;
        }
        if scan::is_read(below) {
            datafiles.push(below.to_owned());
        } else {
            match fs.kind(&path) {
                // A folder moved in: one event, many files.
                Ok(EntryKind::Directory) => folder_came = true,
                Ok(_) => {}
                // A folder moved out, perhaps: whoever knows the files decides.
                Err(_) => changes.push(Change::File(below.to_owned(), Content::Deleted)),
            }
        }
    }
    if folder_came {
        // It covers all the rest, and one is enough for any number of folders.
        return vec![Change::Everything(Box::new(scan(fs, root)))];
    }
    if around {
        changes.push(Change::Surroundings(crate::surroundings::read(fs, &root.path)));
    }
    datafiles.sort_unstable();
    datafiles.dedup();
    let contents = scan::read_all(fs, &root.path, &datafiles, &Texts::default());
    changes.extend(datafiles.into_iter().zip(contents).map(|(path, content)| Change::File(path, content)));
    changes
}

impl Loaded {
    /// Puts a scanned project into the database.
    pub fn new(db: &mut Database, root: ProjectRoot, scan: Scan) -> Self {
        let project = Project::empty(db, root.path.clone());
        Self::with(db, project, root, scan, false)
    }

    /// Puts a project into the database that nobody edits: a baseline.
    pub fn durable(db: &mut Database, root: ProjectRoot, scan: Scan) -> Self {
        let project = Project::durable(db, root.path.clone());
        Self::with(db, project, root, scan, true)
    }

    fn with(db: &mut Database, project: Project, root: ProjectRoot, scan: Scan, durable: bool) -> Self {
        let mut loaded = Self {
            project,
            durable,
            root,
            config_problems: Vec::new(),
            config_text: None,
            truncated: false,
            inputs: FxHashMap::default(),
            beneath: FxHashMap::default(),
        };
        loaded.apply(db, vec![Change::Everything(Box::new(scan))]);
        loaded
    }

    /// The file at this path from the root, if the project has it now.
    pub fn file(&self, db: &Database, path: &Utf8Path) -> Option<File> {
        self.inputs.get(path).copied().filter(|file| *file.content(db) != Content::Deleted)
    }

    /// Reads these absolute paths and applies what changed. Says whether anything did.
    pub fn apply_changes(&mut self, db: &mut Database, fs: &dyn FileSystem, paths: &[Utf8PathBuf]) -> bool {
        let changes = read_changes(fs, &self.root, paths);
        self.apply(db, changes)
    }

    /// Scans the whole project again and applies what changed. Says whether anything did.
    pub fn reload(&mut self, db: &mut Database, fs: &dyn FileSystem) -> bool {
        let scan = scan(fs, &self.root);
        self.apply(db, vec![Change::Everything(Box::new(scan))])
    }

    /// Applies what was read. Files that are open in an editor keep the editor's text. Says whether anything changed.
    pub fn apply(&mut self, db: &mut Database, changes: Vec<Change>) -> bool {
        let mut changed = false;
        let mut members = false;
        for change in changes {
            match change {
                Change::File(path, content) => {
                    changed |= self.put_disk(db, &path, content, &mut members);
                }
                Change::Config(text) => changed |= self.set_config(db, text),
                Change::Facts(facts) => {
                    if self.project.facts(db) != facts {
                        self.project.set_facts(db).to(facts);
                        changed = true;
                    }
                }
                Change::Surroundings(surroundings) => changed |= self.set_surroundings(db, surroundings),
                Change::Everything(scan) => changed |= self.apply_scan(db, *scan, &mut members),
            }
        }
        if changed || members {
            self.settle(db, members);
        }
        changed || members
    }

    /// The editor's text replaces the disk's, until [`Self::close`]. Also how a file that is not on disk joins.
    pub fn set_open(&mut self, db: &mut Database, path: &Utf8Path, text: Arc<str>) -> File {
        let opens = !self.beneath.contains_key(path);
        if opens {
            let disk = self.inputs.get(path).map_or(Content::Deleted, |file| file.content(db).clone());
            self.beneath.insert(path.to_owned(), disk);
        }
        let mut members = false;
        let text = Content::Text(text);
        match self.inputs.get(path).filter(|_| opens && !self.durable).copied() {
            // From now on it changes often, whether it does so now or not.
            Some(file) if *file.content(db) == text => file.set_open(db, text),
            _ => {
                if self.put(db, path, text, true, &mut members) {
                    self.settle(db, members);
                }
            }
        }
        self.inputs[path]
    }

    /// The disk's content counts again, as far as it is known. Says whether that changes anything.
    pub fn close(&mut self, db: &mut Database, path: &Utf8Path) -> bool {
        let Some(disk) = self.beneath.remove(path) else { return false };
        let mut members = false;
        let changed = match self.inputs.get(path).filter(|_| !self.durable).copied() {
            Some(file) if *file.content(db) == disk => {
                file.set_closed(db, disk);
                false
            }
            _ => self.put(db, path, disk, false, &mut members),
        };
        if changed {
            self.settle(db, members);
        }
        changed
    }

    /// After writes: what follows from all files together.
    fn settle(&self, db: &mut Database, members: bool) {
        if members {
            self.publish_members(db);
        }
        settle_dialect(db, self.project);
    }

    /// The files whose text an editor holds.
    pub fn open_paths(&self) -> Vec<Utf8PathBuf> {
        self.beneath.keys().cloned().collect()
    }

    /// Every text as the disk has it, for a scan of the same project at a commit to share.
    pub fn texts(&self, db: &Database) -> Texts {
        let text =
            |(path, file): (&Utf8PathBuf, &File)| match self.beneath.get(path).unwrap_or(file.content(db)) {
                Content::Text(text) => Some((path.clone(), text.clone())),
                Content::Unreadable(_) | Content::Deleted => None,
            };
        self.inputs.iter().filter_map(text).collect()
    }

    /// What this project is compared with from now on. Says whether that is something else than before.
    pub fn set_baseline(&mut self, db: &mut Database, baseline: Option<Project>) -> bool {
        let changed = self.project.baseline(db) != baseline;
        if changed {
            self.project.set_baseline(db).to(baseline);
        }
        changed
    }

    /// How many files the project has.
    pub fn len(&self, db: &Database) -> usize {
        self.project.files(db).len()
    }

    /// Whether it has none.
    pub fn is_empty(&self, db: &Database) -> bool {
        self.len(db) == 0
    }

    fn apply_scan(&mut self, db: &mut Database, scan: Scan, members: &mut bool) -> bool {
        let mut changed = self.set_config(db, scan.config);
        changed |= self.set_surroundings(db, scan.surroundings);
        self.truncated = scan.truncated;
        if self.project.facts(db) != scan.facts {
            self.project.set_facts(db).to(scan.facts);
            changed = true;
        }
        let mut gone: FxHashMap<Utf8PathBuf, ()> =
            self.inputs.keys().map(|path| (path.clone(), ())).collect();
        for ScannedFile { path, content, .. } in scan.files {
            gone.remove(&path);
            changed |= self.put_disk(db, &path, content, members);
        }
        for path in gone.into_keys() {
            changed |= self.put_disk(db, &path, Content::Deleted, members);
        }
        changed
    }

    /// The disk changed: under an open file it is only remembered.
    fn put_disk(&mut self, db: &mut Database, path: &Utf8Path, content: Content, members: &mut bool) -> bool {
        if let Some(beneath) = self.beneath.get_mut(path) {
            *beneath = content;
            return false;
        }
        if content == Content::Deleted && !self.inputs.contains_key(path) {
            let below: Vec<_> = self.inputs.keys().filter(|p| p.starts_with(path)).cloned().collect();
            let mut changed = false;
            for path in below {
                changed |= self.put_disk(db, &path, Content::Deleted, members);
            }
            return changed;
        }
        self.put(db, path, content, false, members)
    }

    fn put(
        &mut self,
        db: &mut Database,
        path: &Utf8Path,
        content: Content,
        open: bool,
        members: &mut bool,
    ) -> bool {
        let Some(file) = self.inputs.get(path).copied() else {
            let new = match (self.durable, open) {
                (true, _) => File::durable,
                (false, true) => File::open,
                (false, false) => File::closed,
            };
            let file = new(db, self.project, path.to_owned(), content);
            self.inputs.insert(path.to_owned(), file);
            *members = true;
            return true;
        };
        let before = file.content(db);
        // Every write starts a new revision and cancels whatever is being computed.
        if *before == content {
            return false;
        }
        *members |= (*before == Content::Deleted) != (content == Content::Deleted);
        match (self.durable, open) {
            (true, _) => {
                file.set_content(db).to(content);
            }
            (false, true) => file.set_open(db, content),
            (false, false) => file.set_closed(db, content),
        }
        true
    }

    fn publish_members(&self, db: &mut Database) {
        let mut files: Vec<(&Utf8PathBuf, File)> = self
            .inputs
            .iter()
            .map(|(path, file)| (path, *file))
            .filter(|(_, file)| *file.content(db) != Content::Deleted)
            .collect();
        files.sort_unstable_by(|a, b| a.0.cmp(b.0));
        let files = files.into_iter().map(|(_, file)| file).collect();
        self.project.set_files(db).to(Arc::new(files));
    }

    fn set_surroundings(&mut self, db: &mut Database, surroundings: Surroundings) -> bool {
        let changed = **self.project.surroundings(db) != surroundings;
        if changed {
            self.project.set_surroundings(db).to(Arc::new(surroundings));
        }
        changed
    }

    fn set_config(&mut self, db: &mut Database, text: Option<String>) -> bool {
        let (config, problems) = text.as_deref().map_or_else(Default::default, Config::parse);
        let changed = **self.project.config(db) != config || self.config_problems != problems;
        if **self.project.config(db) != config {
            self.project.set_config(db).to(Arc::new(config));
        }
        self.config_problems = problems;
        self.config_text = text;
        changed
    }
}

/// Whether a part of the path is hidden or a package folder: the scan would not go there.
fn is_hidden(below: &Utf8Path) -> bool {
    below.components().any(|part| part.as_str().starts_with('.') || part.as_str() == "node_modules")
}

/// Reads the single file at `path` as a change of the project that holds it.
impl Change {
    /// What is on disk at this path from the root now.
    pub fn read(fs: &dyn FileSystem, root: &ProjectRoot, path: &Utf8Path) -> Self {
        Self::File(path.to_owned(), read_content(fs, &root.path.join(path)))
    }
}
