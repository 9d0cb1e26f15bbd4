//! A history in memory, for tests.

use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use camino::{Utf8Path, Utf8PathBuf};

use super::{CommitId, CommittedFiles, Found, RevisionError, Revisions, Watch};
use crate::fs::{Entry, EntryKind, FileSystem, path_of};
use crate::memory::MemoryFileSystem;

/// Repositories by their top folder: commits, and what names them.
#[derive(Debug, Default)]
pub struct MemoryRevisions {
    repositories: Mutex<BTreeMap<Utf8PathBuf, Repository>>,
}

#[derive(Debug, Default)]
struct Repository {
    names: BTreeMap<String, String>,
    commits: BTreeMap<String, Arc<MemoryFileSystem>>,
    broken: Option<String>,
    opened: usize,
}

impl MemoryRevisions {
    /// No repository anywhere.
    pub fn new() -> Self {
        Self::default()
    }

    /// A repository without commits.
    pub fn init(&self, top: &str) -> &Self {
        self.repositories().entry(top.into()).or_default();
        self
    }

    /// Records a commit under a hash of the test's choice, with files below `top`, and moves `HEAD` to it.
    pub fn commit(&self, top: &str, hash: &str, files: &[(&str, &str)]) -> &Self {
        let fs = MemoryFileSystem::new();
        for (path, text) in files {
            fs.write(Utf8Path::new(top).join(path), *text);
        }
        let mut repositories = self.repositories();
        let repository = repositories.entry(top.into()).or_default();
        repository.commits.insert(hash.to_owned(), Arc::new(fs));
        repository.names.insert("HEAD".to_owned(), hash.to_owned());
        drop(repositories);
        self
    }

    /// Gives a commit another name, or moves that name.
    pub fn name(&self, top: &str, name: &str, hash: &str) -> &Self {
        let mut repositories = self.repositories();
        repositories.entry(top.into()).or_default().names.insert(name.to_owned(), hash.to_owned());
        drop(repositories);
        self
    }

    /// From now on every question about this repository fails, with this message.
    pub fn damage(&self, top: &str, message: &str) -> &Self {
        self.repositories().entry(top.into()).or_default().broken = Some(message.to_owned());
        self
    }

    /// The repository is gone.
    pub fn remove(&self, top: &str) -> &Self {
        self.repositories().remove(Utf8Path::new(top));
        self
    }

    /// How often commits of this repository were opened.
    pub fn opened(&self, top: &str) -> usize {
        self.repositories().get(Utf8Path::new(top)).map_or(0, |repository| repository.opened)
    }

    fn repositories(&self) -> MutexGuard<'_, BTreeMap<Utf8PathBuf, Repository>> {
        self.repositories.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn with<T>(
        &self,
        folder: &Utf8Path,
        work: impl FnOnce(&mut Repository) -> Result<T, RevisionError>,
    ) -> Result<Option<T>, RevisionError> {
        let folder = path_of(folder);
        let mut repositories = self.repositories();
        let around = folder.ancestors().find(|top| repositories.contains_key(*top)).map(Utf8Path::to_owned);
        let Some(repository) = around.and_then(|top| repositories.get_mut(&top)) else { return Ok(None) };
        match &repository.broken {
            Some(message) => Err(RevisionError(message.clone())),
            None => work(repository).map(Some),
        }
    }
}

impl Revisions for MemoryRevisions {
    fn find(&self, folder: &Utf8Path, revision: &str) -> Result<Found, RevisionError> {
        let found = self.with(folder, |repository| {
            if let Some(hash) = repository.names.get(revision) {
                return Ok(Found::Commit(CommitId::new(hash.as_str())));
            }
            match repository.commits.contains_key(revision) {
                true => Ok(Found::Commit(CommitId::new(revision))),
                false if revision == "HEAD" => Ok(Found::NoCommit),
                false => Err(RevisionError(format!("there is no revision `{revision}`"))),
            }
        })?;
        Ok(found.unwrap_or(Found::NoRepository))
    }

    fn open(&self, folder: &Utf8Path, commit: &CommitId) -> Result<Box<dyn CommittedFiles>, RevisionError> {
        let opened = self.with(folder, |repository| {
            repository.opened += 1;
            let files = repository.commits.get(commit.as_str()).cloned();
            files.ok_or_else(|| RevisionError(format!("commit {commit} is not in the repository")))
        })?;
        match opened {
            Some(files) => Ok(Box::new(MemoryCommit(files))),
            None => Err(RevisionError(format!("{folder} lies in no git repository any more"))),
        }
    }

    fn watches(&self, folder: &Utf8Path) -> Vec<Watch> {
        let folder = path_of(folder);
        let repositories = self.repositories();
        let top = folder.ancestors().find(|top| repositories.contains_key(*top));
        top.map(|top| Watch { folder: top.join(".git"), glob: "HEAD" }).into_iter().collect()
    }
}

struct MemoryCommit(Arc<MemoryFileSystem>);

impl FileSystem for MemoryCommit {
    fn kind(&self, path: &Utf8Path) -> io::Result<EntryKind> {
        self.0.kind(path)
    }

    fn read(&self, path: &Utf8Path) -> io::Result<Vec<u8>> {
        self.0.read(path)
    }

    fn entries(&self, directory: &Utf8Path) -> io::Result<Vec<Entry>> {
        self.0.entries(directory)
    }

    fn canonical(&self, path: &Utf8Path) -> io::Result<Utf8PathBuf> {
        self.0.canonical(path)
    }
}

impl CommittedFiles for MemoryCommit {
    fn failure(&self) -> Option<RevisionError> {
        None
    }
}
