//! The private folder of a worker: its working directory and all that the engine writes.
//!
//! A worker that is killed leaves its files behind; its parent removes the folder. A parent that is killed leaves the
//! folder behind: the next one sweeps it. A lock inside tells the dead from the living, since the system drops it with
//! the process that holds it.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tempfile::TempDir;

const PREFIX: &str = "headwater-engine-";
const LOCK: &str = "owner.lock";

/// Removed when dropped.
#[derive(Debug)]
pub(crate) struct Scratch {
    dir: TempDir,
    _lock: File,
}

impl Scratch {
    /// Makes one below `parent`, readable by this user only.
    pub(crate) fn new(parent: &Path) -> io::Result<Self> {
        let dir = tempfile::Builder::new().prefix(PREFIX).tempdir_in(parent)?;
        // It has the name only once it is locked: whoever sweeps at this moment would find it free.
        let young = dir.path().join("owner.new");
        let lock = File::create(&young)?;
        lock.lock()?;
        fs::rename(young, dir.path().join(LOCK))?;
        for name in ["tmp", "files", "scripts"] {
            fs::create_dir(dir.path().join(name))?;
        }
        Ok(Self { dir, _lock: lock })
    }

    pub(crate) fn path(&self) -> &Path {
        self.dir.path()
    }
}

/// Removes the folders below `parent` whose owners are gone, and says which.
pub(crate) fn sweep(parent: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(parent) else { return Vec::new() };
    let ours = entries.flatten().map(|e| e.path()).filter(|path| {
        let name = path.file_name().and_then(|n| n.to_str()).unwrap_or_default();
        name.starts_with(PREFIX) && path.is_dir() && !path.is_symlink() && is_abandoned(path)
    });
    ours.filter(|path| fs::remove_dir_all(path).is_ok()).collect()
}

fn is_abandoned(dir: &Path) -> bool {
    match File::open(dir.join(LOCK)) {
        Ok(lock) => lock.try_lock().is_ok(),
        // Perhaps its owner is just making it.
        Err(_) => {
            let age = fs::metadata(dir).and_then(|m| m.modified()).ok().and_then(|t| t.elapsed().ok());
            age.is_some_and(|age| age > Duration::from_secs(3600))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_dead_are_swept_and_the_living_stay() {
        let parent = tempfile::tempdir().expect("a folder");
        let living = Scratch::new(parent.path()).expect("a folder");
        let dead = parent.path().join(format!("{PREFIX}dead"));
        fs::create_dir(&dead).expect("a folder");
        fs::write(dead.join(LOCK), "").expect("a file");
        let young = parent.path().join(format!("{PREFIX}young"));
        fs::create_dir(&young).expect("a folder");
        let other = parent.path().join("other");
        fs::create_dir(&other).expect("a folder");
        assert_eq!(sweep(parent.path()), [dead]);
        assert!(living.path().is_dir() && young.is_dir() && other.is_dir());
        let path = living.path().to_owned();
        drop(living);
        assert!(!path.exists());
    }
}
