//! What a project is compared with, as people name it on a command line.

use std::fmt;
use std::str::FromStr;

use camino::{Utf8Path, Utf8PathBuf};
use headwater_analysis::Database;

use crate::baseline::load_at;
use crate::discover::{ProjectRoot, discover, workspace_roots};
use crate::fs::{EntryKind, FileSystem, path_of};
use crate::loaded::{Loaded, load};
use crate::revision::Revisions;

/// The value of `--against`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Against {
    /// `git:REVISION`: the same project at a commit.
    Revision(String),
    /// Another folder.
    Folder(Utf8PathBuf),
}

/// Why there is nothing to compare with: a sentence for people that says what to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AgainstError(pub String);

impl fmt::Display for AgainstError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for AgainstError {}

impl FromStr for Against {
    type Err = AgainstError;

    fn from_str(value: &str) -> Result<Self, AgainstError> {
        match value.strip_prefix("git:").map(str::trim) {
            Some("") => {
                let message = "`git:` needs a revision, for example `git:HEAD` or `git:origin/main`";
                Err(AgainstError(message.to_owned()))
            }
            Some(revision) => Ok(Self::Revision(revision.to_owned())),
            None if value.is_empty() => {
                Err(AgainstError("name a folder, or a commit as `git:REVISION`".to_owned()))
            }
            None => Ok(Self::Folder(value.into())),
        }
    }
}

/// The other side of a comparison, and what it is called in output.
#[derive(Debug)]
pub struct Other {
    /// The project. Not yet anybody's baseline.
    pub loaded: Loaded,
    /// For people: the folder, or the revision with its commit.
    pub title: String,
}

impl Against {
    /// Loads the other side into the database of `working`. A relative folder is looked for in `here`.
    ///
    /// # Errors
    /// When there is no such folder, project or revision, or it cannot be read.
    pub fn load(
        &self,
        db: &mut Database,
        fs: &dyn FileSystem,
        revisions: &dyn Revisions,
        working: &Loaded,
        here: &Utf8Path,
    ) -> Result<Other, AgainstError> {
        match self {
            Self::Revision(revision) => {
                let (loaded, commit) =
                    load_at(db, revisions, working, revision).map_err(|error| AgainstError(error.0))?;
                Ok(Other { loaded, title: format!("{revision} ({commit})") })
            }
            Self::Folder(folder) => {
                let root = project_in(fs, &path_of(&here.join(folder)), folder)?;
                let title = root.path.to_string();
                Ok(Other { loaded: load(db, fs, &root), title })
            }
        }
    }
}

fn project_in(fs: &dyn FileSystem, at: &Utf8Path, given: &Utf8Path) -> Result<ProjectRoot, AgainstError> {
    if !matches!(fs.kind(at), Ok(EntryKind::Directory)) {
        return Err(AgainstError(format!(
            "`{given}` is no folder; name the folder that holds the other project, or a commit as `git:{given}`"
        )));
    }
    if let Some(root) = discover(fs, at).filter(|root| root.path == at) {
        return Ok(root);
    }
    match workspace_roots(fs, at).as_slice() {
        [] => Err(AgainstError(format!("`{given}` holds no data project"))),
        [one] => Ok(one.clone()),
        several => {
            let list: Vec<_> = several.iter().map(|root| format!("  {}", root.path)).collect();
            Err(AgainstError(format!("`{given}` holds several projects; name one:\n{}", list.join("\n"))))
        }
    }
}
