//! The little of a file system that reading a project needs.

use std::io;
use std::time::{Duration, SystemTime};

use camino::{Utf8Path, Utf8PathBuf};

/// What a path names once symbolic links are followed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EntryKind {
    /// A regular file of this many bytes.
    File(u64),
    /// A folder.
    Directory,
    /// A socket, a pipe, a device: opening one may block for ever.
    Other,
}

/// One name in a folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The name, without the folder.
    pub name: String,
    /// What it names, links followed; a dangling link is [`EntryKind::Other`].
    pub kind: EntryKind,
    /// The name is a symbolic link.
    pub link: bool,
}

/// How a file looks from outside: its length, when it was written, and, where the system says it, which file it is and when anything
/// of it was changed, which nobody can set. Different for a file that was written in between, unless both times lie within one tick of
/// the file system's clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stamp {
    length: u64,
    modified: Option<SystemTime>,
    /// Device, file, and the time of its last change in seconds and nanoseconds.
    inode: Option<(u64, u64, i64, i64)>,
}

impl Stamp {
    /// Of a file with this length that was written at this time.
    pub fn new(length: u64, modified: SystemTime) -> Self {
        Self { length, modified: Some(modified), inode: None }
    }

    /// When it was written last: the later one of both times.
    pub fn last_written(&self) -> Option<SystemTime> {
        let changed = self.inode.and_then(|(_, _, seconds, nanos)| {
            let since = Duration::new(seconds.try_into().ok()?, nanos.try_into().ok()?);
            SystemTime::UNIX_EPOCH.checked_add(since)
        });
        self.modified.max(changed)
    }
}

/// Read access to files. Implementations are shared between threads.
pub trait FileSystem: Send + Sync {
    /// What `path` names, links followed.
    ///
    /// # Errors
    /// As the system reports them; `NotFound` for a path that is not there.
    fn kind(&self, path: &Utf8Path) -> io::Result<EntryKind>;

    /// The file's bytes.
    ///
    /// # Errors
    /// As the system reports them.
    fn read(&self, path: &Utf8Path) -> io::Result<Vec<u8>>;

    /// The file's first bytes, at most so many.
    ///
    /// # Errors
    /// As the system reports them.
    fn read_head(&self, path: &Utf8Path, limit: usize) -> io::Result<Vec<u8>> {
        let mut bytes = self.read(path)?;
        bytes.truncate(limit);
        Ok(bytes)
    }

    /// The file's last bytes, at most so many.
    ///
    /// # Errors
    /// As the system reports them.
    fn read_tail(&self, path: &Utf8Path, limit: usize) -> io::Result<Vec<u8>> {
        let bytes = self.read(path)?;
        Ok(bytes[bytes.len().saturating_sub(limit)..].to_vec())
    }

    /// The names in a folder, in no particular order. Names that are not Unicode are left out.
    ///
    /// # Errors
    /// As the system reports them.
    fn entries(&self, directory: &Utf8Path) -> io::Result<Vec<Entry>>;

    /// The path without links, `.` and `..`: equal for two names of one folder.
    ///
    /// # Errors
    /// As the system reports them.
    fn canonical(&self, path: &Utf8Path) -> io::Result<Utf8PathBuf>;

    /// What tells one state of a file from another without reading it; `None` where there is no such thing, or no file.
    fn stamp(&self, path: &Utf8Path) -> Option<Stamp> {
        let _ = path;
        None
    }

    /// Whether there is something at `path`.
    fn exists(&self, path: &Utf8Path) -> bool {
        self.kind(path).is_ok()
    }
}

impl<F: FileSystem + ?Sized> FileSystem for std::sync::Arc<F> {
    fn kind(&self, path: &Utf8Path) -> io::Result<EntryKind> {
        (**self).kind(path)
    }

    fn read(&self, path: &Utf8Path) -> io::Result<Vec<u8>> {
        (**self).read(path)
    }

    fn read_head(&self, path: &Utf8Path, limit: usize) -> io::Result<Vec<u8>> {
        (**self).read_head(path, limit)
    }

    fn read_tail(&self, path: &Utf8Path, limit: usize) -> io::Result<Vec<u8>> {
        (**self).read_tail(path, limit)
    }

    fn entries(&self, directory: &Utf8Path) -> io::Result<Vec<Entry>> {
        (**self).entries(directory)
    }

    fn canonical(&self, path: &Utf8Path) -> io::Result<Utf8PathBuf> {
        (**self).canonical(path)
    }

    fn stamp(&self, path: &Utf8Path) -> Option<Stamp> {
        (**self).stamp(path)
    }
}

/// The machine's own file system.
#[derive(Debug, Clone, Copy, Default)]
pub struct OsFileSystem;

impl FileSystem for OsFileSystem {
    fn kind(&self, path: &Utf8Path) -> io::Result<EntryKind> {
        match std::fs::metadata(path) {
            Ok(metadata) => Ok(kind_of(&metadata)),
            // A link that leads nowhere is there, other than a file that is not.
            Err(_) if std::fs::symlink_metadata(path).is_ok_and(|m| m.is_symlink()) => Ok(EntryKind::Other),
            Err(error) => Err(error),
        }
    }

    fn read(&self, path: &Utf8Path) -> io::Result<Vec<u8>> {
        std::fs::read(path)
    }

    fn read_head(&self, path: &Utf8Path, limit: usize) -> io::Result<Vec<u8>> {
        use std::io::Read as _;
        // Opening a pipe may block for ever.
        if !std::fs::metadata(path)?.is_file() {
            return Err(io::ErrorKind::InvalidInput.into());
        }
        let mut bytes = Vec::new();
        std::fs::File::open(path)?.take(u64::try_from(limit).unwrap_or(u64::MAX)).read_to_end(&mut bytes)?;
        Ok(bytes)
    }

    fn read_tail(&self, path: &Utf8Path, limit: usize) -> io::Result<Vec<u8>> {
        use std::io::{Read as _, Seek as _, SeekFrom};
        let metadata = std::fs::metadata(path)?;
        if !metadata.is_file() {
            return Err(io::ErrorKind::InvalidInput.into());
        }
        let limit = u64::try_from(limit).unwrap_or(u64::MAX);
        let mut file = std::fs::File::open(path)?;
        file.seek(SeekFrom::Start(metadata.len().saturating_sub(limit)))?;
        let mut bytes = Vec::new();
        file.take(limit).read_to_end(&mut bytes)?;
        Ok(bytes)
    }

    fn entries(&self, directory: &Utf8Path) -> io::Result<Vec<Entry>> {
        let mut entries = Vec::new();
        for entry in std::fs::read_dir(directory)? {
            let entry = entry?;
            let Ok(name) = entry.file_name().into_string() else { continue };
            let Ok(file_type) = entry.file_type() else { continue };
            let link = file_type.is_symlink();
            let kind = if file_type.is_dir() {
                EntryKind::Directory
            } else if file_type.is_file() {
                // The length is looked up again by whoever reads the file: most names here are never read.
                EntryKind::File(0)
            } else if link {
                std::fs::metadata(entry.path()).map_or(EntryKind::Other, |metadata| kind_of(&metadata))
            } else {
                EntryKind::Other
            };
            entries.push(Entry { name, kind, link });
        }
        Ok(entries)
    }

    fn canonical(&self, path: &Utf8Path) -> io::Result<Utf8PathBuf> {
        path.canonicalize_utf8()
    }

    fn stamp(&self, path: &Utf8Path) -> Option<Stamp> {
        let metadata = std::fs::metadata(path).ok().filter(std::fs::Metadata::is_file)?;
        #[cfg(unix)]
        let inode = {
            use std::os::unix::fs::MetadataExt as _;
            Some((metadata.dev(), metadata.ino(), metadata.ctime(), metadata.ctime_nsec()))
        };
        #[cfg(not(unix))]
        let inode = None;
        Some(Stamp { length: metadata.len(), modified: metadata.modified().ok(), inode })
    }
}

/// A path with forward slashes and without `.` and `..`, as paths are compared everywhere in Headwater. Purely textual:
/// links are not looked at.
pub fn path_of(path: &Utf8Path) -> Utf8PathBuf {
    use camino::Utf8Component as Part;
    let mut clean = Utf8PathBuf::new();
    for part in path.components() {
        match part {
            Part::CurDir => {}
            Part::ParentDir => {
                clean.pop();
            }
            part => clean.push(part),
        }
    }
    if cfg!(windows) { Utf8PathBuf::from(clean.as_str().replace('\\', "/")) } else { clean }
}

fn kind_of(metadata: &std::fs::Metadata) -> EntryKind {
    if metadata.is_dir() {
        EntryKind::Directory
    } else if metadata.is_file() {
        EntryKind::File(metadata.len())
    } else {
        EntryKind::Other
    }
}
