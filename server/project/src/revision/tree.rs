//! One commit's folders and files as a file system.

use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use camino::{Utf8Path, Utf8PathBuf};
use gix_hash::ObjectId;
use gix_object::tree::EntryKind as Mode;
use gix_object::{Find, Kind, TreeRefIter};
use gix_odb::{HandleArc, Header};
use rustc_hash::FxHashMap;

use super::git::guarded;
use super::limits::{MAX_ENTRIES, MAX_READ_FILES, MAX_TOTAL_BYTES};
use super::{CommittedFiles, RevisionError};
use crate::content::MAX_BYTES;
use crate::fs::{Entry, EntryKind, FileSystem, path_of};

/// A commit's files at the paths of the working copy. Symbolic links and submodules are not there: what they lead to is
/// not part of the commit.
pub(super) struct CommittedTree {
    shared: Mutex<Shared>,
    root: ObjectId,
    mount: Utf8PathBuf,
    below: Utf8PathBuf,
    missing: String,
}

/// The library's handle has caches for one thread; inflating is cheap beside the lock.
struct Shared {
    objects: HandleArc,
    buffer: Vec<u8>,
    /// By hash: a tree that stands under many names is read once.
    listings: FxHashMap<ObjectId, Arc<[Node]>>,
    entries: usize,
    files: usize,
    bytes: u64,
    failure: Option<RevisionError>,
}

/// A folder or a file, by name.
#[derive(Clone)]
struct Node {
    name: String,
    is_folder: bool,
    id: ObjectId,
}

impl CommittedTree {
    pub(super) fn new(
        objects: HandleArc,
        root: ObjectId,
        mount: Utf8PathBuf,
        below: Utf8PathBuf,
        missing: String,
    ) -> Self {
        let shared = Shared {
            objects,
            buffer: Vec::new(),
            listings: FxHashMap::default(),
            entries: 0,
            files: 0,
            bytes: 0,
            failure: None,
        };
        Self { shared: Mutex::new(shared), root, mount, below, missing }
    }

    fn shared(&self) -> MutexGuard<'_, Shared> {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Runs `work` on what is at `path`, and remembers why it failed.
    fn at<T>(
        &self,
        path: &Utf8Path,
        work: impl FnOnce(&mut Shared, Node) -> Result<io::Result<T>, RevisionError>,
    ) -> io::Result<T> {
        let path = path_of(path);
        let Ok(inside) = path.strip_prefix(&self.mount) else { return Err(io::ErrorKind::NotFound.into()) };
        let inside = self.below.join(inside);
        let mut shared = self.shared();
        let shared = &mut *shared;
        // What follows a failure is thrown away: it should not take long.
        if let Some(failure) = &shared.failure {
            return Err(io::Error::other(failure.clone()));
        }
        let result = guarded(|| {
            let mut node = Node { name: String::new(), is_folder: true, id: self.root };
            for part in inside.components() {
                if !node.is_folder {
                    return Ok(Err(io::ErrorKind::NotADirectory.into()));
                }
                let listing = shared.listing(node.id, &self.missing)?;
                match listing.binary_search_by(|child| child.name.as_str().cmp(part.as_str())) {
                    Ok(at) => node = listing[at].clone(),
                    Err(_) => return Ok(Err(io::ErrorKind::NotFound.into())),
                }
            }
            work(shared, node)
        });
        result.unwrap_or_else(|error| {
            let message = error.0.clone();
            shared.failure.get_or_insert(RevisionError(format!("{path} cannot be read: {message}")));
            Err(io::Error::other(message))
        })
    }
}

impl Shared {
    /// What is in a folder, by name.
    fn listing(&mut self, id: ObjectId, missing: &str) -> Result<Arc<[Node]>, RevisionError> {
        if let Some(listing) = self.listings.get(&id) {
            return Ok(listing.clone());
        }
        self.load(id, Kind::Tree, missing)?;
        let mut nodes = Vec::new();
        for entry in TreeRefIter::from_bytes(&self.buffer, id.kind()) {
            let entry = entry.map_err(|error| RevisionError(format!("a folder is damaged ({error})")))?;
            let is_folder = match entry.mode.kind() {
                Mode::Tree => true,
                Mode::Blob | Mode::BlobExecutable => false,
                Mode::Link | Mode::Commit => continue,
            };
            // As on disk, names that are not Unicode are left out; and what is no name is none.
            let Ok(name) = std::str::from_utf8(entry.filename) else { continue };
            if name.is_empty() || name == "." || name == ".." || name.contains('/') {
                continue;
            }
            nodes.push(Node { name: name.to_owned(), is_folder, id: entry.oid.to_owned() });
        }
        nodes.sort_unstable_by(|a, b| a.name.cmp(&b.name));
        nodes.dedup_by(|a, b| a.name == b.name);
        self.count(nodes.len())?;
        let listing: Arc<[Node]> = nodes.into();
        self.listings.insert(id, listing.clone());
        Ok(listing)
    }

    fn count(&mut self, entries: usize) -> Result<(), RevisionError> {
        self.entries = self.entries.saturating_add(entries);
        if self.entries > MAX_ENTRIES {
            return Err(RevisionError(format!(
                "more than {MAX_ENTRIES} files and folders are no data project"
            )));
        }
        Ok(())
    }

    fn size(&self, id: &ObjectId, missing: &str) -> Result<u64, RevisionError> {
        match self.objects.try_header(id) {
            Ok(Some(header)) => Ok(header.size()),
            Ok(None) => Err(RevisionError(missing.to_owned())),
            Err(error) => Err(RevisionError(format!("{missing} ({error})"))),
        }
    }

    /// Puts an object's bytes into the buffer.
    fn load(&mut self, id: ObjectId, kind: Kind, missing: &str) -> Result<(), RevisionError> {
        match self.objects.try_find(&id, &mut self.buffer) {
            // The library unpacks without looking at checksums; a flipped bit would become a change that nobody made.
            Ok(Some(object)) if object.kind == kind => match object.verify_checksum(&id) {
                Ok(_) => Ok(()),
                Err(error) => Err(RevisionError(format!("the git repository is damaged ({error})"))),
            },
            Ok(Some(object)) => Err(RevisionError(format!("a {} stands for a {kind}", object.kind))),
            Ok(None) => Err(RevisionError(missing.to_owned())),
            Err(error) => Err(RevisionError(format!("{missing} ({error})"))),
        }
    }
}

impl FileSystem for CommittedTree {
    fn kind(&self, path: &Utf8Path) -> io::Result<EntryKind> {
        self.at(path, |shared, node| {
            if node.is_folder {
                return Ok(Ok(EntryKind::Directory));
            }
            Ok(Ok(EntryKind::File(shared.size(&node.id, &self.missing)?)))
        })
    }

    fn read(&self, path: &Utf8Path) -> io::Result<Vec<u8>> {
        self.at(path, |shared, node| {
            if node.is_folder {
                return Ok(Err(io::ErrorKind::IsADirectory.into()));
            }
            let size = shared.size(&node.id, &self.missing)?;
            shared.bytes = shared.bytes.saturating_add(size);
            shared.files += 1;
            if size > MAX_BYTES || shared.bytes > MAX_TOTAL_BYTES || shared.files > MAX_READ_FILES {
                return Err(RevisionError("all files together are too large for a data project".to_owned()));
            }
            shared.load(node.id, Kind::Blob, &self.missing)?;
            // A copy, so that the buffer serves the next file: most texts are dropped again for the working copy's.
            Ok(Ok(shared.buffer.clone()))
        })
    }

    fn entries(&self, directory: &Utf8Path) -> io::Result<Vec<Entry>> {
        self.at(directory, |shared, node| {
            if !node.is_folder {
                return Ok(Err(io::ErrorKind::NotADirectory.into()));
            }
            let listing = shared.listing(node.id, &self.missing)?;
            // Also when it was read before: the same folder under many names becomes many names.
            shared.count(listing.len())?;
            let entry = |node: &Node| Entry {
                name: node.name.clone(),
                kind: if node.is_folder { EntryKind::Directory } else { EntryKind::File(0) },
                link: false,
            };
            Ok(Ok(listing.iter().map(entry).collect()))
        })
    }

    fn canonical(&self, path: &Utf8Path) -> io::Result<Utf8PathBuf> {
        self.at(path, |_, _| Ok(Ok(())))?;
        Ok(path_of(path))
    }
}

impl CommittedFiles for CommittedTree {
    fn failure(&self) -> Option<RevisionError> {
        self.shared().failure.clone()
    }
}
