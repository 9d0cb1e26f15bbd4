//! Who owns a data folder. One door at a time; which one, the system's lock says, never a file that a crash leaves behind.

use std::fs::{File, OpenOptions};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use crate::files;
use crate::places::DataFolder;

/// The right to a data folder, until it is dropped or the process ends, however it ends.
#[derive(Debug)]
pub struct Ownership {
    _lock: File,
}

/// Where a door listens.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DoorFile {
    /// Its process.
    pub pid: u32,
    /// Its socket.
    pub socket: PathBuf,
}

impl DoorFile {
    /// What the folder's last door wrote. It may be gone.
    pub fn read(folder: &DataFolder) -> Option<Self> {
        serde_json::from_slice(&std::fs::read(folder.door()).ok()?).ok()
    }

    pub(crate) fn write(&self, folder: &DataFolder) -> Result<(), String> {
        let path = folder.door();
        let text = serde_json::to_vec(self).map_err(|e| e.to_string())?;
        files::write(&path, &text).map_err(|e| format!("{} cannot be written: {e}", path.display()))
    }

    /// Takes it away, if it is still this one.
    pub(crate) fn remove(&self, folder: &DataFolder) {
        if Self::read(folder).as_ref() == Some(self) {
            let _ = std::fs::remove_file(folder.door());
        }
    }
}

impl Ownership {
    /// Takes the folder, waiting up to `patience` for a door that is just ending.
    ///
    /// # Errors
    ///
    /// When another door owns it, with its process.
    pub fn take(folder: &DataFolder, patience: Duration) -> Result<Self, String> {
        let lock = open_lock(&folder.lock())?;
        if !wait_for(&lock, patience) {
            let who = DoorFile::read(folder).map(|d| format!(" (process {})", d.pid)).unwrap_or_default();
            return Err(format!(
                "another host{who} owns the data folder {}. Use that one, end it with `headwater serve --stop --data {}`, or name another folder with --data",
                folder.path().display(),
                folder.path().display()
            ));
        }
        Ok(Self { _lock: lock })
    }
}

/// Opens a file to be locked.
pub(crate) fn open_lock(path: &Path) -> Result<File, String> {
    OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(path)
        .map_err(|e| format!("{} cannot be opened: {e}", path.display()))
}

/// Takes a lock within `patience`.
pub(crate) fn wait_for(lock: &File, patience: Duration) -> bool {
    let deadline = Instant::now() + patience;
    loop {
        if lock.try_lock().is_ok() {
            return true;
        }
        if Instant::now() >= deadline {
            return false;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_has_one_owner() {
        let dir = tempfile::tempdir().expect("a folder");
        let folder = DataFolder::make(dir.path()).expect("a folder");
        let first = Ownership::take(&folder, Duration::ZERO).expect("free");
        DoorFile { pid: 77, socket: "/s".into() }.write(&folder).expect("written");
        let why = Ownership::take(&folder, Duration::from_millis(20)).expect_err("taken");
        assert!(why.contains("process 77") && why.contains("--stop"), "{why}");
        drop(first);
        Ownership::take(&folder, Duration::ZERO).expect("free again");
    }

    #[test]
    fn a_door_removes_its_own_file_only() {
        let dir = tempfile::tempdir().expect("a folder");
        let folder = DataFolder::make(dir.path()).expect("a folder");
        let (old, new) = (DoorFile { pid: 1, socket: "/s".into() }, DoorFile { pid: 2, socket: "/s".into() });
        new.write(&folder).expect("written");
        old.remove(&folder);
        assert_eq!(DoorFile::read(&folder), Some(new.clone()));
        new.remove(&folder);
        assert_eq!(DoorFile::read(&folder), None);
    }
}
