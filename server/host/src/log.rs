//! The host's log: one JSON object a line, in files that are exchanged when they grow.
//!
//! What goes in is chosen field by field. Query strings, bodies, statements and tokens never do: the format allows a token
//! in the query string, and a statement may hold anything.

use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::{Map, Value};

use crate::clock::{Clock, rfc3339};
use crate::files;

/// How much an event matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Level {
    /// All is well.
    Info,
    /// Somebody should look at it.
    Warning,
    /// Something that was asked for was not done.
    Error,
}

impl Level {
    fn name(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

/// Where events go. A log that cannot be written stops nothing; what was lost is counted.
pub struct Log {
    clock: Arc<dyn Clock>,
    file: Mutex<Option<Rotating>>,
    to_stderr: bool,
    lost: AtomicU64,
}

impl Log {
    /// Files of at most this many bytes; the last one is exceeded by at most one line.
    pub const FILE_BYTES: u64 = 10_000_000;
    /// This many old ones are kept.
    pub const KEPT: usize = 4;

    /// Into `host.log` in `folder`, and on standard error as well if `to_stderr`.
    ///
    /// # Errors
    ///
    /// When folder or file cannot be made.
    pub fn open(folder: &Path, clock: Arc<dyn Clock>, to_stderr: bool) -> Result<Self, String> {
        let file = files::private_folder(folder)
            .and_then(|()| Rotating::open(folder.join("host.log"), Self::FILE_BYTES, Self::KEPT))
            .map_err(|e| format!("no log can be written below {}: {e}", folder.display()))?;
        Ok(Self { clock, file: Mutex::new(Some(file)), to_stderr, lost: AtomicU64::new(0) })
    }

    /// Nowhere. For tests.
    pub fn nowhere(clock: Arc<dyn Clock>) -> Self {
        Self { clock, file: Mutex::new(None), to_stderr: false, lost: AtomicU64::new(0) }
    }

    /// Writes an event with its fields.
    pub fn event<const N: usize>(&self, level: Level, event: &str, fields: [(&str, Value); N]) {
        let mut line = Map::new();
        line.insert("time".to_owned(), rfc3339(self.clock.unix_millis()).into());
        line.insert("level".to_owned(), level.name().into());
        line.insert("event".to_owned(), event.into());
        for (name, value) in fields {
            line.insert(name.to_owned(), value);
        }
        let mut text = Value::Object(line).to_string();
        text.push('\n');
        if self.to_stderr {
            let _ = io::stderr().write_all(text.as_bytes());
        }
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        if file.as_mut().is_some_and(|f| f.write(text.as_bytes()).is_err()) {
            self.lost.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// How many events could not be written.
    pub fn lost(&self) -> u64 {
        self.lost.load(Ordering::Relaxed)
    }
}

/// A file that gives way to a new one.
struct Rotating {
    path: PathBuf,
    file: File,
    size: u64,
    limit: u64,
    kept: usize,
}

impl Rotating {
    fn open(path: PathBuf, limit: u64, kept: usize) -> io::Result<Self> {
        let file = files::append(&path)?;
        let size = file.metadata()?.len();
        Ok(Self { path, file, size, limit, kept })
    }

    fn write(&mut self, line: &[u8]) -> io::Result<()> {
        if self.size > 0 && self.size + line.len() as u64 > self.limit {
            self.rotate()?;
        }
        self.file.write_all(line)?;
        self.size += line.len() as u64;
        Ok(())
    }

    fn rotate(&mut self) -> io::Result<()> {
        let old = |n: usize| self.path.with_extension(format!("log.{n}"));
        let _ = std::fs::remove_file(old(self.kept));
        for n in (1..self.kept).rev() {
            let _ = std::fs::rename(old(n), old(n + 1));
        }
        std::fs::rename(&self.path, old(1))?;
        self.file = files::append(&self.path)?;
        self.size = 0;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::System;

    #[test]
    fn lines_are_json_and_old_files_are_kept_up_to_a_number() {
        let dir = tempfile::tempdir().expect("a folder");
        let mut file = Rotating::open(dir.path().join("host.log"), 20, 2).expect("a file");
        for n in 0..9 {
            file.write(format!("line {n} 45678\n").as_bytes()).expect("written");
        }
        let mut names: Vec<_> = std::fs::read_dir(dir.path())
            .expect("a folder")
            .map(|e| e.expect("an entry").file_name().into_string().expect("UTF-8"))
            .collect();
        names.sort();
        assert_eq!(names, ["host.log", "host.log.1", "host.log.2"]);
        assert_eq!(std::fs::read_to_string(dir.path().join("host.log.1")).expect("there"), "line 7 45678\n");

        let folder = dir.path().join("log");
        let log = Log::open(&folder, Arc::new(System::new()), false).expect("a log");
        log.event(Level::Warning, "odd \"thing\"\n", [("n", 1.into())]);
        let text = std::fs::read_to_string(folder.join("host.log")).expect("there");
        let line: Value = serde_json::from_str(text.trim_end()).expect("JSON");
        assert_eq!(line["event"], "odd \"thing\"\n");
        assert_eq!((&line["level"], &line["n"], text.lines().count()), (&"warning".into(), &1.into(), 1));
    }
}
