//! What a worker sees: one moment of everything.

use std::sync::Arc;
use std::sync::Mutex;

use camino::{Utf8Path, Utf8PathBuf};
use dashmap::DashMap;
use headwater_analysis::{Database, File, Project, TextSize};
use headwater_ide::Moment;
use rustc_hash::FxHashMap;
use serde_json::Value;
use tower_lsp::gen_lsp_types::{Position, TextDocumentPositionParams};

use crate::capabilities::Profile;
use crate::client::Client;
use crate::hooks::TestHooks;
use crate::position::line_index;
use crate::requests::preview::Remembered;
use crate::suite::Ledger;

/// The projects and open documents, as of one turn of the owner.
#[derive(Debug, Clone, Default)]
pub(crate) struct World {
    pub(crate) projects: Vec<(Utf8PathBuf, Project)>,
    /// Open documents that belong to a project, by path.
    pub(crate) open: FxHashMap<Utf8PathBuf, OpenFile>,
    pub(crate) path_of_uri: FxHashMap<String, Utf8PathBuf>,
    /// The user wants diagnostics of open documents only.
    pub(crate) open_only: bool,
    /// Open `headwater.toml` files, by URI. They are no files of the database.
    pub(crate) configs: FxHashMap<String, Arc<str>>,
    /// Samples that are open, by path. They are no files of the database either.
    pub(crate) inputs: FxHashMap<Utf8PathBuf, Arc<str>>,
    /// What pipes were asked with last.
    pub(crate) remembered: Arc<Remembered>,
    /// What is known of tests.
    pub(crate) ledger: Ledger,
}

impl World {
    /// The URI of a file: the client's own spelling if it is open.
    pub(crate) fn uri(&self, path: &Utf8Path) -> String {
        self.open.get(path).map_or_else(|| crate::uri::from_path(path), |open| open.uri.clone())
    }
}

#[derive(Debug, Clone)]
pub(crate) struct OpenFile {
    pub(crate) uri: String,
    pub(crate) version: i32,
    pub(crate) file: File,
}

/// What a request remembers over its attempts.
#[derive(Debug, Default)]
pub(crate) struct Memory {
    /// Result ids that partial results have carried to the client already.
    pub(crate) sent: Mutex<FxHashMap<Utf8PathBuf, u64>>,
}

/// A database clone and what is needed to answer in the client's terms. It lives inside one job and nowhere else: while
/// it lives, every write waits.
pub(crate) struct Snapshot {
    pub(crate) world: Arc<World>,
    pub(crate) profile: Arc<Profile>,
    pub(crate) client: Client,
    pub(crate) memory: Arc<Memory>,
    /// What clients were sent as semantic tokens, by URI: for deltas.
    pub(crate) tokens: Arc<DashMap<String, (u64, Arc<Vec<u32>>)>>,
    /// What a test wants.
    pub(crate) hooks: TestHooks,
    /// When the request was given to a worker.
    pub(crate) now: Option<Moment>,
    // Last, so that it is dropped last: a write that waits for it may then rely on all the rest being gone.
    pub(crate) db: Database,
}

impl Snapshot {
    /// The same moment, for another thread of the same job.
    pub(crate) fn again(&self) -> Self {
        Self {
            world: self.world.clone(),
            profile: self.profile.clone(),
            client: self.client.clone(),
            memory: self.memory.clone(),
            tokens: self.tokens.clone(),
            now: self.now,
            hooks: self.hooks.clone(),
            db: self.db.clone(),
        }
    }

    /// The file a client's URI means, if a project has it.
    pub(crate) fn file(&self, uri: &str) -> Option<File> {
        if let Some(open) = self.world.path_of_uri.get(uri).and_then(|path| self.world.open.get(path)) {
            return Some(open.file);
        }
        self.file_at(&crate::uri::to_path(uri)?)
    }

    /// The text of an open `headwater.toml`.
    pub(crate) fn config_text(&self, uri: &str) -> Option<&str> {
        self.world.configs.get(uri).map(|text| &**text)
    }

    pub(crate) fn file_at(&self, path: &Utf8Path) -> Option<File> {
        if let Some(open) = self.world.open.get(path) {
            return Some(open.file);
        }
        self.world.projects.iter().find_map(|(root, project)| {
            let below = path.strip_prefix(root).ok()?;
            let files = project.files(&self.db);
            let at = files.binary_search_by(|file| file.path(&self.db).as_path().cmp(below)).ok()?;
            Some(files[at])
        })
    }

    /// The file and the offset a position request is about.
    pub(crate) fn place(&self, params: &TextDocumentPositionParams) -> Option<(File, TextSize)> {
        let file = self.file(&params.text_document.uri.0)?;
        Some((file, self.offset(file, params.position)))
    }

    pub(crate) fn offset(&self, file: File, position: Position) -> TextSize {
        line_index(&self.db, file, self.profile.encoding).offset(position)
    }

    /// Every file of every project.
    pub(crate) fn files(&self) -> impl Iterator<Item = File> {
        self.world.projects.iter().flat_map(|(_, project)| project.files(&self.db).iter().copied())
    }

    pub(crate) fn path(&self, file: File) -> Utf8PathBuf {
        file.project(&self.db).root(&self.db).join(file.path(&self.db))
    }

    /// The URI of a file: the client's own spelling if it is open.
    pub(crate) fn uri(&self, path: &Utf8Path) -> String {
        self.world.uri(path)
    }

    /// Sends a part of a result ahead of the answer.
    pub(crate) fn partial(&self, token: &Value, value: &Value) {
        self.client.notify("$/progress", serde_json::json!({ "token": token, "value": value }));
    }
}
