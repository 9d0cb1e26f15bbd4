//! Reads data projects from disk and keeps their salsa inputs in step with it.
//!
//! **Knows**: folders, markers, the format's scan rules, how to turn bytes into a [`Content`](headwater_analysis::Content), which input stands
//! for which path, and how to read all that from a commit of a git repository instead. This is the only crate below `lsp` and `cli` that reads a project from disk.
//!
//! **Must not know**: what a datafile says, positions, editors, LSP, threads that outlive a call.
//!
//! Two halves that may run on different threads: *reading* ([`discover()`], [`scan()`], [`read_changes()`]) touches the
//! disk and no database; *applying* ([`Loaded`]) touches the database and no disk. [`load()`] and
//! [`Loaded::apply_changes`] are both halves in a row, for callers with one thread; so is [`load_at`] for
//! [`Revisions::find`], [`scan_at`] and [`Loaded::durable`].

mod against;
mod baseline;
mod content;
mod discover;
mod fs;
mod loaded;
mod memory;
mod parquet;
mod remembered;
mod revision;
mod scan;
mod surroundings;

pub use against::{Against, AgainstError, Other};
pub use baseline::{Texts, load_at, scan_at};
pub use content::{MAX_BYTES, read_content};
pub use discover::{ProjectRoot, discover, discover_below, workspace_roots};
pub use fs::{Entry, EntryKind, FileSystem, OsFileSystem, Stamp, path_of};
pub use loaded::{Change, Loaded, load, read_changes};
pub use memory::MemoryFileSystem;
pub use remembered::{Remembered, Shared};
pub use revision::{
    CommitId, CommittedFiles, Found, GitRevisions, MemoryRevisions, RevisionError, Revisions, Watch,
};
pub use scan::{DEFAULT_DEPTH, Scan, ScannedFile, is_datafile, is_test, scan};
