//! A project as it is at a commit.
//!
//! Two steps, because the first is cheap and asked often: [`Revisions::find`] says which commit a revision names now,
//! [`Revisions::open`] shows that commit's files as a [`FileSystem`], so that the scan rules are those of the disk.

mod git;
mod limits;
mod memory;
mod names;
mod tree;

use std::fmt;

use camino::{Utf8Path, Utf8PathBuf};

use crate::fs::FileSystem;

pub use git::GitRevisions;
pub use memory::MemoryRevisions;

/// A commit, by its full hash in lower-case hexadecimal.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CommitId(Box<str>);

impl CommitId {
    /// The commit with this hash. Not checked: whoever opens it finds out.
    pub fn new(hash: impl Into<Box<str>>) -> Self {
        Self(hash.into())
    }

    /// The whole hash.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The beginning of the hash, as people are shown it.
    pub fn short(&self) -> &str {
        self.0.get(..10).unwrap_or(&self.0)
    }
}

impl fmt::Display for CommitId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.short())
    }
}

/// What a revision names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found {
    /// The folder lies in no repository.
    NoRepository,
    /// The repository has no commit yet.
    NoCommit,
    /// This one.
    Commit(CommitId),
}

/// Why a revision cannot be had: a sentence for people that says what to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RevisionError(pub String);

impl fmt::Display for RevisionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for RevisionError {}

/// A place to watch to hear that a revision may name another commit.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Watch {
    /// An absolute folder.
    pub folder: Utf8PathBuf,
    /// A glob below it, as editors understand them.
    pub glob: &'static str,
}

/// The files of one commit, at the paths where the working copy has them.
///
/// A file system cannot say that *some* of it is unreadable: a scan goes on without. Whoever has scanned this one asks
/// [`CommittedFiles::failure`] whether it saw everything.
pub trait CommittedFiles: FileSystem {
    /// The first thing that could not be read or was refused, if there was one.
    fn failure(&self) -> Option<RevisionError>;
}

/// Read access to the history of the repositories that folders lie in. Implementations are shared between threads.
pub trait Revisions: Send + Sync {
    /// Which commit `revision` names for the project in `folder`: a branch, a tag, a hash or its beginning, `HEAD`, and
    /// any of these followed by `~n` and `^n`.
    ///
    /// # Errors
    /// When there is no such revision, it cannot be understood, or the repository is damaged.
    fn find(&self, folder: &Utf8Path, revision: &str) -> Result<Found, RevisionError>;

    /// The files of that commit, at paths that start like `folder`.
    ///
    /// # Errors
    /// When the repository is gone or damaged.
    fn open(&self, folder: &Utf8Path, commit: &CommitId) -> Result<Box<dyn CommittedFiles>, RevisionError>;

    /// Where to look for changes of what revisions name. Empty when the folder lies in no repository.
    fn watches(&self, folder: &Utf8Path) -> Vec<Watch>;
}
