//! What tests read beside the datafiles.

use std::sync::Arc;

use camino::{Utf8Path, Utf8PathBuf};
use headwater_engine::fixtures::Raw;
use headwater_engine::run::is_input;
use headwater_project::{EntryKind, FileSystem};

/// Folders whose samples are looked at, and how deep below them.
const FOLDERS: [&str; 3] = ["fixtures", "datasources", "tests"];
const DEPTH: usize = 6;

/// Samples and secrets of a folder, as they are on the disk.
pub(crate) fn read(fs: &dyn FileSystem, root: &Utf8Path) -> Vec<Raw> {
    let mut paths: Vec<Utf8PathBuf> = [".env", ".env.local"].map(Utf8PathBuf::from).into();
    for folder in FOLDERS {
        walk(fs, root, Utf8Path::new(folder), DEPTH, &mut paths);
    }
    paths.sort();
    let raw = |path: Utf8PathBuf| {
        let bytes = fs.read(&root.join(&path)).ok()?;
        Some(Raw::new(path, Arc::new(bytes)))
    };
    paths.into_iter().filter(|path| is_input(path)).filter_map(raw).collect()
}

fn walk(fs: &dyn FileSystem, root: &Utf8Path, folder: &Utf8Path, depth: usize, out: &mut Vec<Utf8PathBuf>) {
    let Ok(entries) = fs.entries(&root.join(folder)) else { return };
    for entry in entries {
        let path = folder.join(&entry.name);
        match entry.kind {
            EntryKind::File(_) => out.push(path),
            EntryKind::Directory if depth > 0 && !entry.link => walk(fs, root, &path, depth - 1, out),
            _ => {}
        }
    }
}
