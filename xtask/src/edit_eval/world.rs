//! A project in memory, which edits change and which is put back.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use anyhow::Result;
use camino::{Utf8Path, Utf8PathBuf};
use headwater_analysis::{Database, Diagnostic, File, Severity, diagnostics, interface};
use headwater_ide::{Change, TextEdit, apply};
use headwater_project::{Loaded, MemoryFileSystem, ProjectRoot, is_datafile, load};
use headwater_warehouse::PoolConfig;

use crate::mutation_eval::subject::{Judgement, Place, Subject};

/// Files by their absolute path.
pub(super) type Texts = BTreeMap<Utf8PathBuf, Vec<u8>>;

/// Larger files are data.
const MAX_BYTES: u64 = 4 * 1024 * 1024;

pub(super) struct World {
    pub(super) subject: Subject,
    pub(super) loaded: Loaded,
    pub(super) files: Texts,
    fs: MemoryFileSystem,
    /// What the engine said, by the fingerprint of what it was asked about.
    said: HashMap<u64, Judgement>,
}

/// What we and the engine think of a project.
#[derive(Debug, Clone, Default)]
pub(super) struct Seen {
    /// Errors and warnings of the project.
    pub(super) remarks: usize,
    /// How many errors of each code a file has, and one of the messages.
    errors: BTreeMap<(Utf8PathBuf, &'static str), (usize, String)>,
    /// Data sources and nodes of each file, in order.
    places: BTreeMap<Utf8PathBuf, Vec<SeenPlace>>,
}

#[derive(Debug, Clone)]
struct SeenPlace {
    node: Option<usize>,
    name: String,
    judgement: Judgement,
}

impl World {
    /// Reads a project from the disk.
    pub(super) fn read(root: &ProjectRoot, name: String, config: PoolConfig) -> Result<Self> {
        let mut files = Texts::new();
        collect(root.path.as_std_path(), 0, &mut files)?;
        for path in root.marker.iter().chain([&root.config_path()]) {
            if let Ok(bytes) = std::fs::read(path) {
                files.insert(path.clone(), bytes);
            }
        }
        let fs = MemoryFileSystem::new();
        for (path, bytes) in &files {
            fs.write(path, bytes.clone());
        }
        let mut db = Database::default();
        let loaded = load(&mut db, &fs, root);
        let subject = Subject::over(db, loaded.project, name, config);
        Ok(Self { subject, loaded, files, fs, said: HashMap::new() })
    }

    pub(super) fn db(&self) -> &Database {
        &self.subject.db
    }

    /// Every datafile and test, in order of path.
    pub(super) fn members(&self) -> Vec<File> {
        self.subject.project.files(self.db()).to_vec()
    }

    pub(super) fn path(&self, file: File) -> Utf8PathBuf {
        self.loaded.root.path.join(file.path(self.db()))
    }

    /// The file at an absolute path.
    pub(super) fn file(&self, path: &Utf8Path) -> Option<File> {
        self.loaded.file(self.db(), path.strip_prefix(&self.loaded.root.path).ok()?)
    }

    /// The files as a change leaves them. What somebody has to agree to first is done only when `agreed`.
    ///
    /// # Errors
    /// Why the change cannot be made.
    pub(super) fn changed(&self, change: &Change, agreed: bool) -> Result<Texts, String> {
        let mut files = self.files.clone();
        let root = &self.loaded.root.path;
        for (path, text) in &change.created {
            if files.insert(root.join(path), text.clone().into_bytes()).is_some() {
                return Err(format!("{path} is there already"));
            }
        }
        for (file, edits) in &change.edits {
            let text = file.text(self.db());
            let new = edited(&text, edits, change, agreed)?;
            files.insert(self.path(*file), new.into_bytes());
        }
        for outside in &change.outside {
            let path = root.join(&outside.path);
            let Some(bytes) = files.get(&path) else { return Err(format!("{path} is not there")) };
            let Some(rest) = bytes.strip_prefix(outside.text.as_bytes()) else {
                return Err(format!("{path} has another text"));
            };
            let mut new = edited(&outside.text, &outside.edits, change, agreed)?.into_bytes();
            new.extend_from_slice(rest);
            files.insert(path, new);
        }
        for (from, to) in &change.renamed {
            let Some(bytes) = files.remove(&root.join(from)) else {
                return Err(format!("{from} is to be moved and is not there"));
            };
            if files.insert(root.join(to), bytes).is_some() {
                return Err(format!("{to} is there already"));
            }
        }
        Ok(files)
    }

    /// From now on the project has these files.
    pub(super) fn set(&mut self, files: Texts) {
        let mut touched = Vec::new();
        for (path, bytes) in &self.files {
            if !files.contains_key(path) {
                self.fs.remove(path);
                touched.push(path.clone());
            } else if files[path] != *bytes {
                touched.push(path.clone());
            }
        }
        touched.extend(files.keys().filter(|path| !self.files.contains_key(*path)).cloned());
        for path in touched.iter().filter(|path| files.contains_key(*path)) {
            self.fs.write(path, files[path].clone());
        }
        self.loaded.apply_changes(&mut self.subject.db, &self.fs, &touched);
        self.files = files;
    }

    /// Looks at everything. The engine is asked only about what it was not asked before.
    pub(super) fn look(&mut self) -> Seen {
        let places = self.subject.places();
        let prints: Vec<u64> = places.iter().map(|place| self.subject.fingerprint(*place)).collect();
        let open: Vec<(Place, u64)> = places
            .iter()
            .copied()
            .zip(prints.iter().copied())
            .filter(|(_, print)| !self.said.contains_key(print))
            .collect();
        if !open.is_empty() {
            let asked: Vec<Place> = open.iter().map(|(place, _)| *place).collect();
            let judgements = self.subject.judge(&asked);
            self.said.extend(open.iter().map(|(_, print)| *print).zip(judgements));
        }
        let db = self.db();
        let mut seen = Seen::default();
        for (place, print) in places.into_iter().zip(prints) {
            let face = interface(db, place.file).as_ref();
            let name = place.node.and_then(|n| Some(face?.nodes.get(n)?.name.clone())).unwrap_or_default();
            let judgement = self.said.get(&print).cloned().unwrap_or(Judgement::Silent);
            let list = seen.places.entry(self.path(place.file)).or_default();
            list.push(SeenPlace { node: place.node, name, judgement });
        }
        for file in self.members() {
            let all = diagnostics(db, file);
            let is_remark = |d: &&Diagnostic| matches!(d.severity, Severity::Error | Severity::Warning);
            seen.remarks += all.iter().filter(is_remark).count();
            for diagnostic in all.iter().filter(|d| d.severity == Severity::Error) {
                let of_code = seen.errors.entry((self.path(file), diagnostic.code.name)).or_default();
                of_code.0 += 1;
                of_code.1.clone_from(&diagnostic.message);
            }
        }
        seen
    }
}

/// A text with the edits of a change.
fn edited(text: &str, edits: &[TextEdit], change: &Change, agreed: bool) -> Result<String, String> {
    let made: Vec<TextEdit> = edits.iter().filter(|e| agreed || is_made(e, change)).cloned().collect();
    for pair in made.windows(2) {
        if pair[1].range.start() < pair[0].range.end() {
            return Err(format!("two edits overlap: `{}` and `{}`", pair[0].text, pair[1].text));
        }
    }
    Ok(apply(text, &made))
}

/// Whether an edit is made without asking.
pub(super) fn is_made(edit: &TextEdit, change: &Change) -> bool {
    edit.annotation.is_none_or(|n| !change.annotations.get(n).is_some_and(|a| a.needs_confirmation))
}

/// What is worse than before: errors that were not there, and what the engine took and does not take any more. Of what it was
/// not asked in full, `partly` says whether it counts: an action may make it possible to ask.
pub(super) fn worse(
    before: &Seen,
    after: &Seen,
    moved: &BTreeMap<Utf8PathBuf, Utf8PathBuf>,
    partly: bool,
) -> Vec<String> {
    let now = |path: &Utf8PathBuf| moved.get(path).unwrap_or(path).clone();
    let mut old: BTreeMap<(Utf8PathBuf, &str), usize> = BTreeMap::new();
    for ((path, code), (count, _)) in &before.errors {
        *old.entry((now(path), code)).or_default() += count;
    }
    let mut out = Vec::new();
    for ((path, code), (count, message)) in &after.errors {
        let was = old.get(&(path.clone(), *code)).copied().unwrap_or(0);
        if *count > was {
            out.push(format!("error[{code}] in {}: {message}", path.file_name().unwrap_or_default()));
        }
    }
    for (path, was) in &before.places {
        let Some(is) = after.places.get(&now(path)) else { continue };
        for place in was
            .iter()
            .filter(|p| p.judgement == Judgement::Takes || partly && p.judgement == Judgement::Partly)
        {
            let same = if was.len() == is.len() {
                is.iter().find(|p| p.node == place.node)
            } else {
                is.iter().find(|p| p.name == place.name && p.node.is_some() == place.node.is_some())
            };
            let words = match same.map(|p| &p.judgement) {
                Some(Judgement::Refuses(words)) => words,
                Some(Judgement::Unreadable(words)) => words,
                _ => continue,
            };
            let words: String =
                words.split_whitespace().collect::<Vec<_>>().join(" ").chars().take(300).collect();
            out.push(format!(
                "the engine refuses {}:{}: {words}",
                path.file_name().unwrap_or_default(),
                place.name
            ));
        }
    }
    out
}

/// Files that may belong to a project.
fn collect(folder: &Path, depth: usize, out: &mut Texts) -> Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let Ok(path) = Utf8PathBuf::from_path_buf(entry.path()) else { continue };
        let name = path.file_name().unwrap_or_default();
        let kind = entry.file_type()?;
        if kind.is_dir() && depth < 8 && !name.starts_with('.') && name != "node_modules" {
            collect(path.as_std_path(), depth + 1, out)?;
        }
        let counts = is_datafile(&path)
            || matches!(path.extension(), Some("yaml" | "yml" | "ndjson" | "csv" | "json"))
            || matches!(name, "headwater.toml" | ".tinyenv" | ".env" | ".env.local");
        if kind.is_file() && counts && entry.metadata()?.len() <= MAX_BYTES {
            out.insert(path.clone(), std::fs::read(&path)?);
        }
    }
    Ok(())
}
