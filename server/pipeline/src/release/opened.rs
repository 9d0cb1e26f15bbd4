//! A release's project in a database.

use std::collections::BTreeMap;
use std::sync::Arc;

use headwater_analysis::{Database, Project};
use headwater_engine::compile::{Compiler, Layout, Options};
use headwater_project::{Loaded, MemoryFileSystem, ProjectRoot, load};
use headwater_template::Secrets;

use super::{Files, Release};
use crate::sql::DATABASE;

/// A release's project in a database of its own. It belongs to one thread at a time.
pub struct Opened {
    db: Database,
    loaded: Loaded,
    layout: Layout,
}

/// Where the files are put. It means nothing.
const ROOT: &str = "/project";

impl Opened {
    pub(crate) fn new(files: &Files, layout: Layout) -> Self {
        let fs = MemoryFileSystem::new();
        for (path, text) in files {
            fs.write(format!("{ROOT}/{path}"), text.as_bytes());
        }
        let mut db = Database::default();
        let loaded = load(&mut db, &fs, &ProjectRoot::at(ROOT));
        Self { db, loaded, layout }
    }

    /// The database.
    #[must_use]
    pub fn db(&self) -> &Database {
        &self.db
    }

    /// The project in it.
    #[must_use]
    pub fn project(&self) -> Project {
        self.loaded.project
    }

    /// What compiles its queries: for endpoints whose requests make them, and for queries of people.
    #[must_use]
    pub fn compiler(&self, secrets: Secrets) -> Compiler<'_> {
        let options = Options { secrets, layout: self.layout.clone(), ..Options::default() };
        Compiler::new(&self.db, self.loaded.project, options)
    }
}

impl Release {
    /// The names of this release's tables, for a compiler.
    #[must_use]
    pub fn layout(&self) -> Layout {
        let mut renamed = BTreeMap::new();
        for (name, source) in &self.sources {
            renamed.insert(name.clone(), source.table.clone());
            renamed.insert(format!("{name}_quarantine"), source.quarantine.clone());
        }
        layout(renamed)
    }
}

/// Tokens that a table remembers; more than the partitions that a range can have is what counts.
pub(crate) const WINDOW: u64 = 10_000;

pub(crate) fn layout(renamed: BTreeMap<String, String>) -> Layout {
    Layout {
        database: DATABASE.to_owned(),
        expires: true,
        renamed: Arc::new(renamed),
        settings: Arc::new(settings()),
        ..Layout::default()
    }
}

/// Settings of every table: that it remembers tokens, and that what it has taken is durable.
pub(crate) fn settings() -> BTreeMap<String, String> {
    let settings = [
        ("non_replicated_deduplication_window", WINDOW.to_string()),
        ("fsync_after_insert", "1".to_owned()),
        ("fsync_part_directory", "1".to_owned()),
    ];
    settings.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}
