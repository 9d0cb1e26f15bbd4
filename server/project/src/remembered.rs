//! Files that are read once, as long as nothing says that they were written since.

use std::hash::{Hash, Hasher};
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use camino::{Utf8Path, Utf8PathBuf};
use rustc_hash::{FxHashMap, FxHasher};

use crate::fs::{Entry, EntryKind, FileSystem, Stamp};

/// A file that was written less than this before it was read may have been written again within one tick of the file system's
/// clock, and look the same: it is read again.
const SETTLED: Duration = Duration::from_secs(2);

/// A file system that remembers what it read. A file's [stamp](Stamp) is looked at each time; its bytes are read again when the stamp
/// is another one, when it is young, and where there are no stamps.
pub struct Remembered<F> {
    fs: F,
    now: fn() -> SystemTime,
    files: Mutex<FxHashMap<Utf8PathBuf, Known>>,
}

/// Bytes that several may hold, and a hash of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shared {
    /// The file's bytes.
    pub bytes: Arc<Vec<u8>>,
    /// Equal for equal bytes within one run of the program.
    pub hash: u64,
}

struct Known {
    stamp: Stamp,
    content: Shared,
}

impl<F: FileSystem> Remembered<F> {
    /// Nothing is known yet. `now` is the clock that files' times are compared with.
    pub fn new(fs: F, now: fn() -> SystemTime) -> Self {
        Self { fs, now, files: Mutex::default() }
    }

    /// The file's bytes, without copying what is known.
    ///
    /// # Errors
    /// As the system reports them.
    pub fn shared(&self, path: &Utf8Path) -> io::Result<Shared> {
        let stamp = self.fs.stamp(path);
        if let Some(stamp) = stamp
            && let Some(known) = self.files().get(path)
            && known.stamp == stamp
        {
            return Ok(known.content.clone());
        }
        let before = (self.now)();
        let bytes = self.fs.read(path).inspect_err(|_| {
            self.files().remove(path);
        })?;
        let mut hasher = FxHasher::default();
        bytes.hash(&mut hasher);
        let content = Shared { bytes: Arc::new(bytes), hash: hasher.finish() };
        let is_settled = |stamp: Stamp| {
            stamp.last_written().is_some_and(|at| before.duration_since(at).is_ok_and(|age| age > SETTLED))
        };
        match stamp {
            // The same before and after, so it was not written in between.
            Some(stamp) if is_settled(stamp) && self.fs.stamp(path) == Some(stamp) => {
                self.files().insert(path.to_owned(), Known { stamp, content: content.clone() });
            }
            _ => {
                self.files().remove(path);
            }
        }
        Ok(content)
    }

    fn files(&self) -> MutexGuard<'_, FxHashMap<Utf8PathBuf, Known>> {
        self.files.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<F: FileSystem> FileSystem for Remembered<F> {
    fn kind(&self, path: &Utf8Path) -> io::Result<EntryKind> {
        self.fs.kind(path)
    }

    fn read(&self, path: &Utf8Path) -> io::Result<Vec<u8>> {
        self.shared(path).map(|content| Arc::unwrap_or_clone(content.bytes))
    }

    fn read_head(&self, path: &Utf8Path, limit: usize) -> io::Result<Vec<u8>> {
        self.fs.read_head(path, limit)
    }

    fn read_tail(&self, path: &Utf8Path, limit: usize) -> io::Result<Vec<u8>> {
        self.fs.read_tail(path, limit)
    }

    fn entries(&self, directory: &Utf8Path) -> io::Result<Vec<Entry>> {
        self.fs.entries(directory)
    }

    fn canonical(&self, path: &Utf8Path) -> io::Result<Utf8PathBuf> {
        self.fs.canonical(path)
    }

    fn stamp(&self, path: &Utf8Path) -> Option<Stamp> {
        self.fs.stamp(path)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering};

    use super::*;

    /// One file, whose bytes, length and time are set by hand.
    struct One {
        bytes: Mutex<Vec<u8>>,
        written: AtomicU64,
        reads: AtomicU64,
    }

    impl One {
        fn new(bytes: &[u8], written: u64) -> Self {
            Self { bytes: Mutex::new(bytes.to_vec()), written: written.into(), reads: 0.into() }
        }

        fn write(&self, bytes: &[u8], written: u64) {
            *self.bytes.lock().expect("not poisoned") = bytes.to_vec();
            self.written.store(written, Ordering::SeqCst);
        }
    }

    impl FileSystem for &One {
        fn kind(&self, _: &Utf8Path) -> io::Result<EntryKind> {
            Ok(EntryKind::File(0))
        }

        fn read(&self, _: &Utf8Path) -> io::Result<Vec<u8>> {
            self.reads.fetch_add(1, Ordering::SeqCst);
            Ok(self.bytes.lock().expect("not poisoned").clone())
        }

        fn entries(&self, _: &Utf8Path) -> io::Result<Vec<Entry>> {
            Ok(Vec::new())
        }

        fn canonical(&self, path: &Utf8Path) -> io::Result<Utf8PathBuf> {
            Ok(path.to_owned())
        }

        fn stamp(&self, _: &Utf8Path) -> Option<Stamp> {
            let length = self.bytes.lock().expect("not poisoned").len() as u64;
            let written = Duration::from_secs(self.written.load(Ordering::SeqCst));
            Some(Stamp::new(length, SystemTime::UNIX_EPOCH + written))
        }
    }

    fn noon() -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000)
    }

    #[test]
    fn an_old_file_is_read_once_and_again_when_it_looks_different() {
        let one = One::new(b"a", 10);
        let fs = Remembered::new(&one, noon);
        let path = Utf8Path::new("/f");
        let first = fs.shared(path).expect("a file");
        assert_eq!(fs.shared(path).expect("a file"), first);
        assert_eq!(one.reads.load(Ordering::SeqCst), 1);
        one.write(b"b", 11);
        let second = fs.shared(path).expect("a file");
        assert_eq!(second.bytes.as_slice(), b"b");
        assert_ne!(first.hash, second.hash);
        // Longer, with the old time: as of `cp --preserve`.
        one.write(b"cc", 11);
        assert_eq!(fs.read(path).expect("a file"), b"cc");
        assert_eq!(one.reads.load(Ordering::SeqCst), 3);
    }

    #[test]
    fn a_young_file_and_one_of_the_future_are_read_each_time() {
        for written in [999_999, 1_000_000, 2_000_000] {
            let one = One::new(b"a", written);
            let fs = Remembered::new(&one, noon);
            let path = Utf8Path::new("/f");
            assert_eq!(fs.read(path).expect("a file"), b"a");
            // Within the same tick, with the same length.
            one.write(b"b", written);
            assert_eq!(fs.read(path).expect("a file"), b"b");
        }
    }

    #[test]
    fn files_on_the_disk_have_stamps_that_writing_changes() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = Utf8PathBuf::from_path_buf(folder.path().join("f")).expect("UTF-8");
        std::fs::write(&path, "a").expect("a file");
        let first = crate::OsFileSystem.stamp(&path).expect("it is there");
        assert_eq!(crate::OsFileSystem.stamp(&path), Some(first));
        // Another file under the same name, with the same length and time.
        let other = path.with_file_name("g");
        std::fs::write(&other, "b").expect("a file");
        let time = std::fs::metadata(&path).and_then(|m| m.modified()).expect("a time");
        std::fs::File::options().write(true).open(&other).and_then(|f| f.set_modified(time)).expect("set");
        std::fs::rename(&other, &path).expect("renamed");
        if cfg!(unix) {
            assert_ne!(crate::OsFileSystem.stamp(&path), Some(first));
        }
        assert_eq!(crate::OsFileSystem.stamp(&path.with_file_name("none")), None);
    }
}
