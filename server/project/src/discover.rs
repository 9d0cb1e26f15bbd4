//! Where a project begins.

use camino::{Utf8Path, Utf8PathBuf};
use rustc_hash::FxHashSet;

use crate::content::read_content;
use crate::fs::{Entry, EntryKind, FileSystem, path_of};
use crate::scan::is_datafile;

/// The folders that `tb init` creates, and those that Classic projects have. A folder with datafiles in one of these is a
/// project; the names alone mean nothing.
const FOLDERS: &[&str] = &[
    "datasources",
    "pipes",
    "endpoints",
    "materializations",
    "copies",
    "sinks",
    "connections",
    "playgrounds",
    "includes",
    "tokens",
    "vendor",
];

/// Bounds of the search below a workspace folder.
const MAX_DIRECTORIES: usize = 20_000;
const MAX_NESTING: usize = 8;

/// A folder that holds a data project.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ProjectRoot {
    /// The folder all paths of the project are relative to.
    pub path: Utf8PathBuf,
    /// The file that says so; `None` when only its datafiles do.
    pub marker: Option<Utf8PathBuf>,
}

impl ProjectRoot {
    /// A project at `path` without a marker.
    pub fn at(path: impl Into<Utf8PathBuf>) -> Self {
        Self { path: path_of(&path.into()), marker: None }
    }

    /// Where `headwater.toml` is, or would be. Beside the marker, which may be above the datafiles.
    pub fn config_path(&self) -> Utf8PathBuf {
        let beside = self.marker.as_deref().and_then(Utf8Path::parent).unwrap_or(&self.path);
        beside.join("headwater.toml")
    }
}

/// The project that `start` belongs to: looks at `start` and the folders above it, up to the one that holds `.git`.
///
/// The nearest marker file wins over datafiles further down, so that a sub-folder of a project never becomes one of its
/// own. `.tinyb` alone is no marker: the vendor's tool leaves it wherever somebody logged in.
pub fn discover(fs: &dyn FileSystem, start: &Utf8Path) -> Option<ProjectRoot> {
    let start = path_of(start);
    let mut shaped: Option<ProjectRoot> = None;
    let mut loose: Option<ProjectRoot> = None;
    let mut marked = None;
    for directory in start.ancestors() {
        let Ok(entries) = fs.entries(directory) else { continue };
        if let Some(root) = marked_root(fs, directory, &entries) {
            marked = Some(root);
            break;
        }
        if shaped.is_none() && has_project_shape(fs, directory, &entries) {
            shaped = Some(ProjectRoot::at(directory));
        }
        if loose.is_none() && holds_datafiles(&entries) {
            loose = Some(ProjectRoot::at(directory));
        }
        if entries.iter().any(|entry| entry.name == ".git") {
            break;
        }
    }
    let by_files = shaped.or(loose);
    // A `folder` key may point beside `start`, into another project of the same repository.
    match (marked, by_files) {
        (Some(root), Some(other)) if !start.starts_with(&root.path) => Some(other),
        (Some(root), _) => Some(root),
        (None, other) => other,
    }
}

/// Every project in and below `folder`, outermost first: a monorepo may hold several. Bounded in depth and number of
/// folders; hidden folders, `node_modules` and tool output are not entered.
pub fn discover_below(fs: &dyn FileSystem, folder: &Utf8Path) -> Vec<ProjectRoot> {
    let mut roots = Vec::new();
    let mut level = vec![path_of(folder)];
    let mut seen = FxHashSet::default();
    for _ in 0..MAX_NESTING {
        let mut next = Vec::new();
        for directory in level {
            let canonical = fs.canonical(&directory).unwrap_or_else(|_| directory.clone());
            if !seen.insert(canonical) || seen.len() > MAX_DIRECTORIES {
                continue;
            }
            let Ok(entries) = fs.entries(&directory) else { continue };
            if let Some(root) = marked_root(fs, &directory, &entries) {
                roots.push(root);
                continue;
            }
            if has_project_shape(fs, &directory, &entries) || holds_datafiles(&entries) {
                roots.push(ProjectRoot::at(directory));
                continue;
            }
            if entries.iter().any(|e| matches!(e.name.as_str(), "CACHEDIR.TAG" | "pyvenv.cfg")) {
                continue;
            }
            for entry in entries {
                let enter = entry.kind == EntryKind::Directory && !entry.name.starts_with('.');
                if enter && entry.name != "node_modules" && !entry.link {
                    next.push(directory.join(entry.name));
                }
            }
        }
        next.sort_unstable();
        level = next;
    }
    outermost(roots)
}

/// The projects of a workspace folder: the one it lies in, if any, and those below it.
pub fn workspace_roots(fs: &dyn FileSystem, folder: &Utf8Path) -> Vec<ProjectRoot> {
    let folder = path_of(folder);
    let mut roots = discover_below(fs, &folder);
    if let Some(root) = discover(fs, &folder) {
        let related = folder.starts_with(&root.path) || root.path.starts_with(&folder);
        // A folder that lies in somebody's project is part of it; a mere neighbour above it is not ours to open.
        if related {
            roots.push(root);
        }
    }
    outermost(roots)
}

fn outermost(mut roots: Vec<ProjectRoot>) -> Vec<ProjectRoot> {
    // `Some` sorts after `None`: of two entries for one folder the marked one is kept.
    roots.sort_unstable_by(|a, b| (&a.path, b.marker.is_some()).cmp(&(&b.path, a.marker.is_some())));
    let mut kept: Vec<ProjectRoot> = Vec::new();
    for root in roots {
        let own_project = root.marker.as_ref().is_some_and(|m| m.ends_with("headwater.toml"));
        let inside = |outer: &ProjectRoot| root.path.starts_with(&outer.path);
        let repeats = |outer: &ProjectRoot| root.path == outer.path;
        if kept.iter().any(|outer| repeats(outer) || inside(outer) && !own_project) {
            continue;
        }
        kept.push(root);
    }
    kept
}

fn marked_root(fs: &dyn FileSystem, directory: &Utf8Path, entries: &[Entry]) -> Option<ProjectRoot> {
    let has = |name: &str| entries.iter().any(|entry| entry.name == name);
    for name in ["tinybird.config.json", "tinybird.json"] {
        if has(name) {
            let marker = directory.join(name);
            let path = configured_folder(fs, &marker).unwrap_or_else(|| directory.to_owned());
            return Some(ProjectRoot { path, marker: Some(marker) });
        }
    }
    for name in ["headwater.toml", ".tinyenv"] {
        if has(name) {
            return Some(ProjectRoot { path: directory.to_owned(), marker: Some(directory.join(name)) });
        }
    }
    let here = has(".tinyb") && (holds_datafiles(entries) || has_project_shape(fs, directory, entries));
    here.then(|| ProjectRoot { path: directory.to_owned(), marker: Some(directory.join(".tinyb")) })
}

/// The `folder` key, when it names a folder that exists inside the one that holds the file. A cloned repository must
/// not be able to make us read elsewhere.
fn configured_folder(fs: &dyn FileSystem, marker: &Utf8Path) -> Option<Utf8PathBuf> {
    let headwater_analysis::Content::Text(text) = read_content(fs, marker) else { return None };
    let value: serde_json::Value = serde_json::from_str(&text).ok()?;
    let base = marker.parent()?;
    let folder = path_of(&base.join(value.get("folder")?.as_str()?));
    let usable = folder.starts_with(base) && fs.kind(&folder).ok()? == EntryKind::Directory;
    usable.then_some(folder)
}

fn holds_datafiles(entries: &[Entry]) -> bool {
    entries.iter().any(|e| matches!(e.kind, EntryKind::File(_)) && is_datafile(e.name.as_str().into()))
}

/// One of the customary folders has datafiles, directly or one folder further down.
fn has_project_shape(fs: &dyn FileSystem, directory: &Utf8Path, entries: &[Entry]) -> bool {
    let customary = |e: &&Entry| e.kind == EntryKind::Directory && FOLDERS.contains(&e.name.as_str());
    entries.iter().filter(customary).any(|entry| {
        let child = directory.join(&entry.name);
        let Ok(entries) = fs.entries(&child) else { return false };
        holds_datafiles(&entries)
            || entries
                .iter()
                .filter(|e| e.kind == EntryKind::Directory && !e.name.starts_with('.'))
                .any(|e| fs.entries(&child.join(&e.name)).is_ok_and(|entries| holds_datafiles(&entries)))
    })
}
