//! Inputs: what the outside world tells the database.

// The input macro adds accessors of its own, which it does not document.
#![expect(missing_docs)]

use std::sync::Arc;

use camino::Utf8PathBuf;
use headwater_syntax::FileKind;

use crate::config::Config;
use crate::db::{Database, Db};

/// One data project: a folder with datafiles.
#[salsa::input(debug)]
#[derive(PartialOrd, Ord)]
pub struct Project {
    /// The folder. Only for messages: no query opens it.
    pub root: Utf8PathBuf,
    /// Every datafile and test file, ordered by path.
    pub files: Arc<Vec<File>>,
    /// `headwater.toml`, or defaults.
    pub config: Arc<Config>,
    /// What the folder says besides its datafiles.
    #[returns(copy)]
    pub facts: ProjectFacts,
    /// The same project as it was, for questions about what an edit changes: at a commit, or as another folder has it.
    /// A project of its own, whose files are in no list of this one; it has no baseline itself.
    #[returns(copy)]
    pub baseline: Option<Project>,
}

/// Marks beside the datafiles.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct ProjectFacts {
    /// `.tinyenv` exists: Classic.
    pub tinyenv: bool,
    /// `tinybird.config.json` or `tinybird.json` exists: Forward.
    pub config_json: bool,
}

/// One file of a project. Files that disappear keep their input with [`Content::Deleted`] and leave the project's list.
#[salsa::input(debug)]
pub struct File {
    /// The project it belongs to.
    #[returns(copy)]
    pub project: Project,
    /// Path from the project's root, with `/`.
    pub path: Utf8PathBuf,
    /// The text, or why there is none.
    pub content: Content,
}

/// What a file holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Content {
    /// Its text.
    Text(Arc<str>),
    /// It cannot be read as text; the reason is for people and says what to do.
    Unreadable(String),
    /// It is gone.
    Deleted,
}

impl Project {
    /// A project without files.
    pub fn empty(db: &Database, root: Utf8PathBuf) -> Self {
        Self::new(db, root, Arc::default(), Arc::default(), ProjectFacts::default(), None)
    }

    /// A project without files that is expected to change seldom, so that an edit elsewhere does not make salsa look
    /// through everything that was derived from it.
    pub fn durable(db: &Database, root: Utf8PathBuf) -> Self {
        Self::builder(root, Arc::default(), Arc::default(), ProjectFacts::default(), None)
            .durability(salsa::Durability::HIGH)
            .new(db)
    }
}

impl File {
    /// A file of a [durable](Project::durable) project.
    pub fn durable(db: &Database, project: Project, path: Utf8PathBuf, content: Content) -> Self {
        Self::builder(project, path, content).durability(salsa::Durability::HIGH).new(db)
    }

    /// What the file defines, by its extension; `None` for a file that is no datafile.
    pub fn kind(self, db: &dyn Db) -> Option<FileKind> {
        FileKind::from_extension(self.path(db).extension()?)
    }

    /// The text; empty when there is none.
    pub fn text(self, db: &dyn Db) -> Arc<str> {
        match self.content(db) {
            Content::Text(text) => text.clone(),
            Content::Unreadable(_) | Content::Deleted => "".into(),
        }
    }

    /// The file's name without folder and extension.
    pub fn stem(self, db: &dyn Db) -> &str {
        self.path(db).file_stem().unwrap_or_default()
    }
}
