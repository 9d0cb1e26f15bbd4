//! The repository around a project, read with a library and nothing else.
//!
//! A cloned repository is untrusted, so what is *not* here matters: no program is started; hooks, filters, aliases,
//! `fsmonitor`, attributes, replacement objects and includes are not looked at; of `config` only two facts about the
//! format are taken; environment variables of git are ignored. That is also why it does not matter who owns the
//! repository (git's `safe.directory`): nothing that an owner could have planted is obeyed.
//!
//! Texts are what was committed. `autocrlf`, `eol` and filters are *not* applied, so a working copy that git converts
//! differs in line endings, and large-file pointers stay pointers: whoever compares texts decides what counts.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use camino::{Utf8Path, Utf8PathBuf};
use gix_hash::{Kind, ObjectId};
use gix_odb::HandleArc;

use super::limits::{MAX_OBJECT_BYTES, MAX_SMALL_FILE};
use super::tree::CommittedTree;
use super::{CommitId, CommittedFiles, Found, RevisionError, Revisions, Watch};
use crate::fs::path_of;

/// The git repositories on this machine's disk.
#[derive(Debug, Clone, Copy, Default)]
pub struct GitRevisions;

impl Revisions for GitRevisions {
    fn find(&self, folder: &Utf8Path, revision: &str) -> Result<Found, RevisionError> {
        guarded(|| match Repository::around(folder)? {
            Some(repository) => repository.find(revision),
            None => Ok(Found::NoRepository),
        })
    }

    fn open(&self, folder: &Utf8Path, commit: &CommitId) -> Result<Box<dyn CommittedFiles>, RevisionError> {
        guarded(|| {
            let Some(repository) = Repository::around(folder)? else {
                return Err(RevisionError(format!("{folder} lies in no git repository any more")));
            };
            Ok(Box::new(repository.open(commit)?) as Box<dyn CommittedFiles>)
        })
    }

    fn watches(&self, folder: &Utf8Path) -> Vec<Watch> {
        let Ok(Some(repository)) = Repository::around(folder) else { return Vec::new() };
        let at = |folder: &Path, glob| Some(Watch { folder: Utf8Path::from_path(folder)?.to_owned(), glob });
        let (git_dir, common_dir) = (&repository.git_dir, &repository.common_dir);
        let head = at(git_dir, "HEAD");
        let shared = at(common_dir, "{packed-refs,refs/**}");
        head.into_iter().chain(shared).collect()
    }
}

/// A repository that is damaged in a way the library did not think of costs an answer, never a thread.
pub(super) fn guarded<T>(work: impl FnOnce() -> Result<T, RevisionError>) -> Result<T, RevisionError> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|_| {
        Err(RevisionError("the git repository is damaged; `git fsck` says where".to_owned()))
    })
}

/// Where the parts of a repository are.
pub(super) struct Repository {
    /// `HEAD` and what else a worktree has for itself.
    pub(super) git_dir: PathBuf,
    /// Objects and shared references; the same folder unless this is a linked worktree.
    pub(super) common_dir: PathBuf,
    pub(super) kind: Kind,
    /// Where the caller sees a folder of the repository, and which one that is.
    mount: Utf8PathBuf,
    below: Utf8PathBuf,
}

impl Repository {
    /// The repository that holds `folder`: the nearest `.git` decides, like for [`discover`](crate::discover()), so a
    /// submodule is its own repository and a broken one does not make the outer one answer for it.
    pub(super) fn around(folder: &Utf8Path) -> Result<Option<Self>, RevisionError> {
        // A folder that is reached over a link belongs to the repository that it really lies in.
        let Ok(real) = folder.canonicalize_utf8() else { return Ok(None) };
        for top in real.ancestors() {
            let dot_git = top.join(".git");
            let git_dir = match std::fs::metadata(&dot_git) {
                Ok(metadata) if metadata.is_dir() => dot_git.into_std_path_buf(),
                Ok(_) => {
                    let link = small_file(dot_git.as_std_path())?;
                    let Some(target) = link.as_deref().and_then(git_dir_of) else {
                        return Err(RevisionError(format!(
                            "{dot_git} names no repository; `git worktree repair` or `git submodule update` mends it"
                        )));
                    };
                    top.as_std_path().join(target)
                }
                Err(_) => continue,
            };
            return Self::at(git_dir, folder, top, &real).map(Some);
        }
        Ok(None)
    }

    fn at(
        git_dir: PathBuf,
        folder: &Utf8Path,
        top: &Utf8Path,
        real: &Utf8Path,
    ) -> Result<Self, RevisionError> {
        let common_dir = match small_file(&git_dir.join("commondir"))? {
            Some(path) => git_dir.join(path_of_bytes(&path)),
            None => git_dir.clone(),
        };
        let whole = git_dir.join("HEAD").is_file() && common_dir.join("objects").is_dir();
        if !whole {
            return Err(RevisionError(format!(
                "{} is no whole git repository: it has no HEAD or no objects. Clone it anew, or remove it",
                git_dir.display()
            )));
        }
        let kind = object_format(&common_dir)?;
        let below = real.strip_prefix(top).unwrap_or(Utf8Path::new(""));
        let folder = path_of(folder);
        // Markers may lie above the project: show the whole repository where the caller's path spells its folders
        // out, and the project alone where it arrives over a link.
        let (mount, below) = match folder.as_str().strip_suffix(below.as_str()) {
            Some(above) if !below.as_str().is_empty() && above.ends_with('/') => {
                (Utf8PathBuf::from(above.trim_end_matches('/')), Utf8PathBuf::new())
            }
            _ => (folder, below.to_owned()),
        };
        let mount = if mount.as_str().is_empty() { Utf8PathBuf::from("/") } else { mount };
        Ok(Self { git_dir, common_dir, kind, mount, below })
    }

    /// The objects. Opening lists the packs; nothing is read before it is asked for.
    pub(super) fn objects(&self) -> Result<HandleArc, RevisionError> {
        let options = gix_odb::store::init::Options {
            alloc_limit_bytes: Some(MAX_OBJECT_BYTES),
            current_dir: Some(self.common_dir.clone()),
            ..Default::default()
        };
        let objects = self.common_dir.join("objects");
        let store = gix_odb::Store::at_opts(objects, self.kind, &mut std::iter::empty(), options);
        store.map(|store| Arc::new(store).to_cache_arc()).map_err(|error| self.damaged(&error))
    }

    fn open(&self, commit: &CommitId) -> Result<CommittedTree, RevisionError> {
        let id = ObjectId::from_hex(commit.as_str().as_bytes()).map_err(|error| self.damaged(&error))?;
        let objects = self.objects()?;
        let tree = self.tree_of(&objects, &id)?;
        let missing = self.why_missing();
        Ok(CommittedTree::new(objects, tree, self.mount.clone(), self.below.clone(), missing))
    }

    /// What to say of an object that is not there.
    pub(super) fn why_missing(&self) -> String {
        let objects = self.common_dir.join("objects");
        let partial = std::fs::read_dir(objects.join("pack")).is_ok_and(|entries| {
            entries.flatten().any(|entry| entry.path().extension().is_some_and(|e| e == "promisor"))
        });
        if self.common_dir.join("shallow").is_file() {
            "the clone is shallow and does not reach that far; `git fetch --unshallow` completes it"
                .to_owned()
        } else if partial {
            "the clone is partial and git has not fetched it yet; `git fetch --refetch --no-filter` completes it"
                .to_owned()
        } else {
            "the git repository is damaged; `git fsck` says where".to_owned()
        }
    }

    pub(super) fn damaged(&self, error: &dyn std::fmt::Display) -> RevisionError {
        let place = self.common_dir.display();
        RevisionError(format!(
            "the git repository at {place} cannot be read ({error}); `git fsck` says where"
        ))
    }
}

/// The hash that objects are named by, from the two facts of `config` that say how to read a repository.
fn object_format(common_dir: &Path) -> Result<Kind, RevisionError> {
    let path = common_dir.join("config");
    let Some(bytes) = small_file(&path)? else { return Ok(Kind::Sha1) };
    let meta = gix_config::file::Metadata::api();
    let config = gix_config::File::from_bytes_no_includes(&bytes, meta, Default::default());
    let config = config.map_err(|error| {
        RevisionError(format!("{} cannot be understood ({error}); git would not either", path.display()))
    })?;
    let extension = |name: &str| {
        let value = config.string(format!("extensions.{name}").as_str())?;
        Some(value.to_string().to_ascii_lowercase())
    };
    if let Some(storage) = extension("refStorage").filter(|storage| storage != "files") {
        return Err(RevisionError(format!(
            "{} keeps its references as `{storage}`, which Headwater does not read; `git refs migrate --ref-format=files` \
             changes it",
            common_dir.display()
        )));
    }
    match extension("objectFormat").as_deref() {
        None | Some("sha1") => Ok(Kind::Sha1),
        Some("sha256") => Ok(Kind::Sha256),
        Some(other) => Err(RevisionError(format!(
            "{} names objects by `{other}`, which is unknown",
            common_dir.display()
        ))),
    }
}

/// The bytes of a regular file, if it is there. Opening a pipe that somebody left in its place would wait for ever.
fn small_file(path: &Path) -> Result<Option<Vec<u8>>, RevisionError> {
    let refused =
        |why: &dyn std::fmt::Display| RevisionError(format!("{} cannot be read: {why}", path.display()));
    match std::fs::metadata(path) {
        Ok(metadata) if !metadata.is_file() => Err(refused(&"it is no regular file")),
        Ok(metadata) if metadata.len() > MAX_SMALL_FILE => Err(refused(&"it is too large")),
        Ok(_) => std::fs::read(path).map(Some).map_err(|error| refused(&error)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(refused(&error)),
    }
}

/// The path in a `.git` file of a worktree or submodule.
fn git_dir_of(bytes: &[u8]) -> Option<PathBuf> {
    let path = path_of_bytes(bytes.strip_prefix(b"gitdir:")?.trim_ascii_start());
    (!path.as_os_str().is_empty()).then_some(path)
}

fn path_of_bytes(bytes: &[u8]) -> PathBuf {
    // Names that are not Unicode are not found, here as in every other path.
    PathBuf::from(String::from_utf8_lossy(bytes.trim_ascii_end()).into_owned())
}
