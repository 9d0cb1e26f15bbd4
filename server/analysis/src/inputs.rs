//! Inputs: what the outside world tells the database.

// The input macro adds accessors of its own, which it does not document.
#![expect(missing_docs)]

use std::sync::Arc;

use camino::Utf8PathBuf;
use headwater_syntax::FileKind;
use salsa::{Durability, Setter as _};

use crate::config::Config;
use crate::db::{Database, Db};
use crate::dialects::DialectFacts;
use crate::opinions::Opinion;

/// One data project: a folder with datafiles.
#[salsa::input(debug)]
#[derive(PartialOrd, Ord)]
pub struct Project {
    /// The folder. Only for messages: no query opens it.
    pub root: Utf8PathBuf,
    /// Every datafile, test file and small sample of rows, ordered by path.
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
    /// The dialect, when whoever writes the files keeps it up to date with [`settle_dialect`](crate::settle_dialect).
    ///
    /// Every file's tree depends on the dialect, and the dialect on every file. As an input it is as durable as the
    /// project, so that a keystroke in one file does not make salsa look at the trees of all others.
    pub settled: Option<Arc<DialectFacts>>,
    /// What lies around the datafiles.
    pub surroundings: Arc<crate::samples::Surroundings>,
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
    /// What the engine said of its nodes' queries, where it was asked.
    #[default]
    pub opinions: Arc<Vec<Opinion>>,
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

// How durable inputs are decides what salsa looks through after an edit. A keystroke changes the text of a document that is
// open in an editor, and nothing else: what depends on closed files only, or on a baseline, is not looked at.

impl Project {
    /// A project without files.
    pub fn empty(db: &Database, root: Utf8PathBuf) -> Self {
        Self::made(db, root, Durability::MEDIUM)
    }

    /// A project without files that is expected to change seldom: a baseline.
    pub fn durable(db: &Database, root: Utf8PathBuf) -> Self {
        Self::made(db, root, Durability::HIGH)
    }

    fn made(db: &Database, root: Utf8PathBuf, durability: Durability) -> Self {
        Self::builder(
            root,
            Arc::default(),
            Arc::default(),
            ProjectFacts::default(),
            None,
            None,
            Arc::default(),
        )
        .durability(durability)
        .root_durability(Durability::NEVER_CHANGE)
        .new(db)
    }
}

impl Project {
    /// How many parts the project's files have for queries that look at all of them: such a query asks part by part, so
    /// that an edit makes salsa look through one part and not through a large project.
    pub(crate) fn parts(self, db: &dyn Db) -> usize {
        self.files(db).len().div_ceil(PART)
    }

    /// The files of a part.
    pub(crate) fn part(self, db: &dyn Db, part: usize) -> &[File] {
        let files = self.files(db);
        &files[(part * PART).min(files.len())..((part + 1) * PART).min(files.len())]
    }
}

/// Files in a part: near the root of what a large project has, so that neither parts nor files in one are many.
const PART: usize = 64;

impl File {
    /// A file as it is on disk.
    pub fn closed(db: &Database, project: Project, path: Utf8PathBuf, content: Content) -> Self {
        Self::made(db, project, path, content, Durability::MEDIUM)
    }

    /// A file of a [durable](Project::durable) project.
    pub fn durable(db: &Database, project: Project, path: Utf8PathBuf, content: Content) -> Self {
        Self::made(db, project, path, content, Durability::HIGH)
    }

    /// A file whose text an editor holds: it changes with every keystroke.
    pub fn open(db: &Database, project: Project, path: Utf8PathBuf, content: Content) -> Self {
        Self::made(db, project, path, content, Durability::LOW)
    }

    fn made(
        db: &Database,
        project: Project,
        path: Utf8PathBuf,
        content: Content,
        durability: Durability,
    ) -> Self {
        Self::builder(project, path, content)
            .durability(Durability::NEVER_CHANGE)
            .content_durability(durability)
            .opinions_durability(Durability::MEDIUM)
            .new(db)
    }

    /// Sets the text that an editor holds.
    pub fn set_open(self, db: &mut Database, content: Content) {
        self.set_content(db).with_durability(Durability::LOW).to(content);
    }

    /// Sets the text that is on disk.
    pub fn set_closed(self, db: &mut Database, content: Content) {
        self.set_content(db).with_durability(Durability::MEDIUM).to(content);
    }

    /// Sets what the engine said, unless that is said already. Says whether it was not.
    pub fn hear(self, db: &mut Database, opinions: Arc<Vec<Opinion>>) -> bool {
        let is_news = *self.opinions(db) != opinions;
        if is_news {
            self.set_opinions(db).with_durability(Durability::MEDIUM).to(opinions);
        }
        is_news
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
