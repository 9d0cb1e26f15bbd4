//! Reads data projects from disk and keeps their salsa inputs in step with it.
//!
//! **Knows**: folders, markers, the format's scan rules, how to turn bytes into a [`Content`](headwater_analysis::Content), and which input stands
//! for which path. This is the only crate below `lsp` and `cli` that reads a project from disk.
//!
//! **Must not know**: what a datafile says, positions, editors, LSP, threads that outlive a call.
//!
//! Two halves that may run on different threads: *reading* ([`discover()`], [`scan()`], [`read_changes()`]) touches the
//! disk and no database; *applying* ([`Loaded`]) touches the database and no disk. [`load()`] and
//! [`Loaded::apply_changes`] are both halves in a row, for callers with one thread.

mod content;
mod discover;
mod fs;
mod loaded;
mod memory;
mod scan;

pub use content::{MAX_BYTES, read_content};
pub use discover::{ProjectRoot, discover, discover_below, workspace_roots};
pub use fs::{Entry, EntryKind, FileSystem, OsFileSystem, path_of};
pub use loaded::{Change, Loaded, load, read_changes};
pub use memory::MemoryFileSystem;
pub use scan::{DEFAULT_DEPTH, Scan, ScannedFile, is_datafile, scan};
