//! Which files belong to a project: the format's scan rules, and every file's content.

use std::sync::atomic::{AtomicUsize, Ordering};

use camino::{Utf8Path, Utf8PathBuf};
use headwater_analysis::samples::Surroundings;
use headwater_analysis::{Content, FileKind, ProjectFacts};
use rustc_hash::FxHashSet;

use crate::baseline::{Texts, shared};
use crate::content::read_content;
use crate::discover::ProjectRoot;
use crate::fs::{Entry, EntryKind, FileSystem};

/// How many folders below the project the vendor's tool looks into. Files further down are loaded all the same, because
/// a definition that is silently ignored is the harder surprise; [`ScannedFile::beyond_depth`] marks them.
pub const DEFAULT_DEPTH: usize = 3;

/// Bounds of one scan, so that a project whose root is by accident a home folder still ends.
const MAX_DIRECTORIES: usize = 50_000;
const MAX_NESTING: usize = 24;

/// Below this many files a second thread costs more than it saves.
const PARALLEL_FROM: usize = 64;

/// One datafile or test file of a project.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScannedFile {
    /// Path from the project's root, with `/`.
    pub path: Utf8PathBuf,
    /// Its text, or why there is none.
    pub content: Content,
    /// The vendor's tool does not look this deep ([`DEFAULT_DEPTH`]).
    pub beyond_depth: bool,
}

/// What a scan found. Every list is ordered by path.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Scan {
    /// The datafiles, `tests/**/*.yaml` and `.yml`, and sample rows that are small enough to be looked at.
    pub files: Vec<ScannedFile>,
    /// Sample data and its generators.
    pub fixtures: Vec<Utf8PathBuf>,
    /// What the folder says besides its datafiles.
    pub facts: ProjectFacts,
    /// The text of `headwater.toml`, if there is one.
    pub config: Option<String>,
    /// The scan stopped at its bounds: the folder is far larger than a data project.
    pub truncated: bool,
    /// Samples and names of secrets.
    pub surroundings: Surroundings,
}

/// Whether a file of this name is scanned as a datafile. Extensions are case-sensitive and hidden files do not match, as
/// with the vendor's glob.
pub fn is_datafile(path: &Utf8Path) -> bool {
    path.extension().and_then(FileKind::from_extension).is_some()
        && path.file_name().is_some_and(|name| !name.starts_with('.'))
}

/// Finds and reads every datafile of a project.
pub fn scan(fs: &dyn FileSystem, root: &ProjectRoot) -> Scan {
    scan_sharing(fs, root, &Texts::default())
}

/// [`scan`], with the known strings in place of equal ones.
pub(crate) fn scan_sharing(fs: &dyn FileSystem, root: &ProjectRoot, known: &Texts) -> Scan {
    let mut walk = walk(fs, &root.path, MAX_NESTING, MAX_DIRECTORIES);
    let mut scan = Scan {
        facts: facts(fs, root),
        config: config_text(fs, root),
        surroundings: crate::surroundings::read(fs, &root.path),
        truncated: walk.truncated,
        ..Scan::default()
    };
    walk.files.sort_unstable();
    let mut datafiles = Vec::new();
    for path in walk.files {
        if is_fixture(&path) {
            scan.fixtures.push(path.clone());
        }
        if is_read(&path) {
            datafiles.push(path);
        }
    }
    let contents = read_all(fs, &root.path, &datafiles, known);
    scan.files = datafiles
        .into_iter()
        .zip(contents)
        .map(|(path, content)| ScannedFile { beyond_depth: is_beyond_depth(&path), path, content })
        .collect();
    scan
}

/// Whether the text of the file at `path` (from the root) is read.
pub(crate) fn is_read(path: &Utf8Path) -> bool {
    is_datafile(path) || is_test(path) || is_sample(path)
}

/// Whether `path` (from the root) is a test file.
pub fn is_test(path: &Utf8Path) -> bool {
    path.starts_with("tests") && matches!(path.extension(), Some("yaml" | "yml"))
}

/// Whether `path` (from the root) holds sample rows of a data source.
fn is_sample(path: &Utf8Path) -> bool {
    path.parent() == Some(Utf8Path::new("fixtures")) && path.extension() == Some("ndjson")
}

/// Sample rows beyond this are data, and not looked at.
const MAX_SAMPLE: u64 = 256 * 1024;

fn is_fixture(path: &Utf8Path) -> bool {
    (path.starts_with("fixtures") || path.starts_with("datasources/fixtures"))
        && matches!(path.extension(), Some("ndjson" | "csv" | "sql" | "json" | "parquet"))
}

pub(crate) fn is_beyond_depth(path: &Utf8Path) -> bool {
    // `vendor/<workspace>/` has its own two levels.
    let levels = path.components().count() - 1;
    levels > DEFAULT_DEPTH
}

pub(crate) fn facts(fs: &dyn FileSystem, root: &ProjectRoot) -> ProjectFacts {
    // The marker was there when the project was found; it may be what has just gone.
    let marker = root.marker.as_ref().filter(|marker| fs.exists(marker));
    let beside =
        |name: &str| fs.exists(&root.path.join(name)) || marker.is_some_and(|marker| marker.ends_with(name));
    ProjectFacts {
        tinyenv: beside(".tinyenv"),
        config_json: beside("tinybird.config.json") || beside("tinybird.json"),
    }
}

pub(crate) fn config_text(fs: &dyn FileSystem, root: &ProjectRoot) -> Option<String> {
    match read_content(fs, &root.config_path()) {
        Content::Text(text) => Some(text.to_string()),
        Content::Unreadable(_) | Content::Deleted => None,
    }
}

/// Reads the files in order of `paths`, on two threads when there are many.
pub(crate) fn read_all(
    fs: &dyn FileSystem,
    root: &Utf8Path,
    paths: &[Utf8PathBuf],
    known: &Texts,
) -> Vec<Content> {
    let read_one = |path: &Utf8PathBuf| {
        let at = root.join(path);
        let is_large = |kind| matches!(kind, Ok(EntryKind::File(length)) if length > MAX_SAMPLE);
        if is_sample(path) && is_large(fs.kind(&at)) {
            return Content::Text("".into());
        }
        shared(read_content(fs, &at), known.get(path))
    };
    if paths.len() < PARALLEL_FROM {
        return paths.iter().map(read_one).collect();
    }
    let next = AtomicUsize::new(0);
    let read = || {
        let mut mine = Vec::new();
        loop {
            // A batch at a time: the counter is touched seldom and neighbours in a folder stay on one thread.
            let start = next.fetch_add(32, Ordering::Relaxed);
            let Some(batch) = paths.get(start..paths.len().min(start + 32)) else { break };
            if batch.is_empty() {
                break;
            }
            mine.extend(batch.iter().enumerate().map(|(i, path)| (start + i, read_one(path))));
        }
        mine
    };
    let mut indexed = std::thread::scope(|scope| {
        let other = scope.spawn(read);
        let mut all = read();
        all.extend(other.join().unwrap_or_default());
        all
    });
    indexed.sort_unstable_by_key(|(index, _)| *index);
    indexed.into_iter().map(|(_, content)| content).collect()
}

pub(crate) struct Walk {
    /// Every file that is not hidden, from the root.
    pub(crate) files: Vec<Utf8PathBuf>,
    pub(crate) truncated: bool,
}

/// All files below `root`. Real folders are visited before linked ones, so that a file keeps the name a person gave it;
/// a linked folder that was already visited, or that leads to the root or above it, is a loop and is left out.
pub(crate) fn walk(fs: &dyn FileSystem, root: &Utf8Path, max_nesting: usize, max_directories: usize) -> Walk {
    let base = fs.canonical(root).unwrap_or_else(|_| root.to_owned());
    let mut result = Walk { files: Vec::new(), truncated: false };
    let mut seen: FxHashSet<Utf8PathBuf> = FxHashSet::default();
    let mut real = vec![(Utf8PathBuf::new(), base.clone())];
    let mut linked: Vec<(Utf8PathBuf, Utf8PathBuf)> = Vec::new();
    while let Some((below, canonical)) = real.pop().or_else(|| linked.pop()) {
        if base.starts_with(&canonical) && !below.as_str().is_empty() || !seen.insert(canonical.clone()) {
            continue;
        }
        if seen.len() > max_directories || below.components().count() > max_nesting {
            result.truncated = true;
            continue;
        }
        let at = if below.as_str().is_empty() { root.to_owned() } else { root.join(&below) };
        let Ok(entries) = fs.entries(&at) else { continue };
        if !below.as_str().is_empty() && is_foreign(&entries) {
            continue;
        }
        for entry in entries {
            if entry.name.starts_with('.') {
                continue;
            }
            let path =
                if below.as_str().is_empty() { entry.name.clone().into() } else { below.join(&entry.name) };
            match entry.kind {
                EntryKind::Directory if entry.name == "node_modules" => {}
                EntryKind::Directory if entry.link => {
                    if let Ok(target) = fs.canonical(&root.join(&path)) {
                        linked.push((path, target));
                    }
                }
                EntryKind::Directory => real.push((path, canonical.join(&entry.name))),
                EntryKind::File(_) => result.files.push(path),
                // Dangling links and devices are listed: a datafile among them deserves a reason, not silence.
                EntryKind::Other => result.files.push(path),
            }
        }
    }
    result
}

/// Folders that say of themselves that they are a tool's output, and folders that are a Headwater project of their own.
pub(crate) fn is_foreign(entries: &[Entry]) -> bool {
    entries.iter().any(|e| matches!(e.name.as_str(), "CACHEDIR.TAG" | "pyvenv.cfg" | "headwater.toml"))
}
