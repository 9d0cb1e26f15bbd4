//! A file system in memory, for tests.

use std::collections::BTreeMap;
use std::io;
use std::sync::{Mutex, MutexGuard, PoisonError};

use camino::{Utf8Path, Utf8PathBuf};

use crate::fs::{Entry, EntryKind, FileSystem, path_of};

/// Files, links and files that refuse to be read, by absolute path. Folders exist because something is in them.
#[derive(Debug, Default)]
pub struct MemoryFileSystem {
    nodes: Mutex<BTreeMap<Utf8PathBuf, Node>>,
}

#[derive(Debug, Clone)]
enum Node {
    File(Vec<u8>),
    Link(Utf8PathBuf),
    Denied,
}

impl MemoryFileSystem {
    /// An empty one.
    pub fn new() -> Self {
        Self::default()
    }

    /// Writes a file, over whatever was there.
    pub fn write(&self, path: impl AsRef<Utf8Path>, bytes: impl Into<Vec<u8>>) -> &Self {
        self.put(path.as_ref(), Node::File(bytes.into()))
    }

    /// Makes `path` a symbolic link to the absolute path `target`.
    pub fn link(&self, path: impl AsRef<Utf8Path>, target: impl AsRef<Utf8Path>) -> &Self {
        self.put(path.as_ref(), Node::Link(path_of(target.as_ref())))
    }

    /// Makes `path` a file that nobody may read.
    pub fn deny(&self, path: impl AsRef<Utf8Path>) -> &Self {
        self.put(path.as_ref(), Node::Denied)
    }

    /// Removes a file, or a folder with all that is in it.
    pub fn remove(&self, path: impl AsRef<Utf8Path>) -> &Self {
        let path = path_of(path.as_ref());
        self.nodes().retain(|at, _| !at.starts_with(&path));
        self
    }

    fn put(&self, path: &Utf8Path, node: Node) -> &Self {
        self.nodes().insert(path_of(path), node);
        self
    }

    fn nodes(&self) -> MutexGuard<'_, BTreeMap<Utf8PathBuf, Node>> {
        self.nodes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn resolve(&self, path: &Utf8Path) -> io::Result<Utf8PathBuf> {
        let nodes = self.nodes();
        let mut done = Utf8PathBuf::new();
        let mut rest: Vec<String> = path_of(path).components().rev().map(|c| c.as_str().to_owned()).collect();
        let mut hops = 0;
        while let Some(part) = rest.pop() {
            done.push(part);
            if let Some(Node::Link(target)) = nodes.get(&done) {
                hops += 1;
                if hops > 40 {
                    return Err(io::Error::other("too many levels of symbolic links"));
                }
                rest.extend(target.components().rev().map(|c| c.as_str().to_owned()));
                done = Utf8PathBuf::new();
            }
        }
        Ok(done)
    }

    fn kind_at(&self, path: &Utf8Path) -> io::Result<EntryKind> {
        let path = self.resolve(path)?;
        let nodes = self.nodes();
        match nodes.get(&path) {
            Some(Node::File(bytes)) => Ok(EntryKind::File(bytes.len() as u64)),
            Some(Node::Denied) => Ok(EntryKind::File(1)),
            Some(Node::Link(_)) => Ok(EntryKind::Other),
            None if nodes.keys().any(|at| at.starts_with(&path)) => Ok(EntryKind::Directory),
            None => Err(io::ErrorKind::NotFound.into()),
        }
    }
}

impl FileSystem for MemoryFileSystem {
    fn kind(&self, path: &Utf8Path) -> io::Result<EntryKind> {
        self.kind_at(path)
    }

    fn read(&self, path: &Utf8Path) -> io::Result<Vec<u8>> {
        let path = self.resolve(path)?;
        match self.nodes().get(&path) {
            Some(Node::File(bytes)) => Ok(bytes.clone()),
            Some(Node::Denied) => Err(io::ErrorKind::PermissionDenied.into()),
            _ => Err(io::ErrorKind::NotFound.into()),
        }
    }

    fn entries(&self, directory: &Utf8Path) -> io::Result<Vec<Entry>> {
        let real = self.resolve(directory)?;
        let mut names = BTreeMap::new();
        for (path, node) in self.nodes().iter() {
            let Ok(below) = path.strip_prefix(&real) else { continue };
            let mut parts = below.components();
            let Some(name) = parts.next() else { continue };
            let link = parts.next().is_none() && matches!(node, Node::Link(_));
            names.insert(name.as_str().to_owned(), link);
        }
        if names.is_empty() {
            return Err(io::ErrorKind::NotFound.into());
        }
        let entry = |(name, link): (String, bool)| {
            let kind = self.kind_at(&real.join(&name)).unwrap_or(EntryKind::Other);
            Entry { name, kind, link }
        };
        Ok(names.into_iter().map(entry).collect())
    }

    fn canonical(&self, path: &Utf8Path) -> io::Result<Utf8PathBuf> {
        let real = self.resolve(path)?;
        self.kind_at(&real).map(|_| real)
    }
}
