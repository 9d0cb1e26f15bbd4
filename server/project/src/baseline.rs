//! A project beside itself: as it is at a commit, in the same database.

use std::sync::Arc;

use camino::Utf8PathBuf;
use headwater_analysis::{Content, Database};
use rustc_hash::FxHashMap;

use crate::discover::ProjectRoot;
use crate::loaded::Loaded;
use crate::revision::{CommitId, Found, RevisionError, Revisions};
use crate::scan::{Scan, scan_sharing};

/// Texts by path from the project's root.
pub type Texts = FxHashMap<Utf8PathBuf, Arc<str>>;

/// Reads the project in `root` as it is at a commit. Where a file's text is the one in `known`, that very string is
/// used: a baseline then costs what differs.
///
/// # Errors
/// When anything of it cannot be read. A baseline with holes would show files as new that are not.
pub fn scan_at(
    revisions: &dyn Revisions,
    root: &ProjectRoot,
    commit: &CommitId,
    known: &Texts,
) -> Result<Scan, RevisionError> {
    let files = revisions.open(&root.path, commit)?;
    let scan = scan_sharing(&*files, root, known);
    match files.failure() {
        Some(failure) => Err(failure),
        None if scan.truncated => {
            Err(RevisionError(format!("{} has too many folders to be read at {commit}", root.path)))
        }
        None => Ok(scan),
    }
}

/// Reads the project that `working` is, as it is at `revision`, and puts it into the same database. It becomes nobody's
/// baseline by that: see [`Loaded::set_baseline`].
///
/// A project that the commit does not have yet is loaded without files.
///
/// # Errors
/// When there is no repository, no such revision, or it cannot be read.
pub fn load_at(
    db: &mut Database,
    revisions: &dyn Revisions,
    working: &Loaded,
    revision: &str,
) -> Result<(Loaded, CommitId), RevisionError> {
    let root = &working.root;
    match revisions.find(&root.path, revision)? {
        Found::NoRepository => {
            Err(RevisionError(format!("{} lies in no git repository, so it has no revisions", root.path)))
        }
        Found::NoCommit => {
            Err(RevisionError(format!("the git repository around {} has no commit yet", root.path)))
        }
        Found::Commit(commit) => {
            let scan = scan_at(revisions, root, &commit, &working.texts(db))?;
            Ok((Loaded::durable(db, root.clone(), scan), commit))
        }
    }
}

/// The known text if it is the same one.
pub(crate) fn shared(content: Content, known: Option<&Arc<str>>) -> Content {
    match (content, known) {
        (Content::Text(text), Some(known)) if text == *known => Content::Text(known.clone()),
        (content, _) => content,
    }
}
