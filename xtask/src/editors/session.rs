//! What every session has: a folder with a copy of the project, and the server behind a tap.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};

use anyhow::{Context, Result};

use super::{Outcome, SessionResult};

/// What the caller of the sessions gave.
pub(super) struct Input<'a> {
    pub(super) server: &'a Path,
    pub(super) project: &'a Path,
    pub(super) out: &'a Path,
}

/// Names the engine to a session, where there is one: tests and previews run on it, and are skipped without.
pub(super) fn engine(command: &mut Command) {
    if let Ok(library) = crate::engine::library() {
        command.env(crate::engine::VARIABLE, library);
    }
}

/// A folder that goes when the session does. Its path is short: code-server keeps a Unix socket in it, whose path may
/// have 108 bytes.
pub(super) struct Folder {
    pub(super) path: PathBuf,
}

impl Folder {
    pub(super) fn new() -> Result<Self> {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let name = format!("hw{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        let path = std::env::temp_dir().canonicalize()?.join(name);
        std::fs::create_dir(&path).with_context(|| format!("cannot create {}", path.display()))?;
        Ok(Self { path })
    }

    /// A copy of the project, since sessions edit it, under its own name, since pictures show it.
    pub(super) fn project(&self, from: &Path) -> Result<PathBuf> {
        let to = self.path.join(from.file_name().unwrap_or("project".as_ref()));
        copy(from, &to)?;
        Ok(to)
    }

    /// A program that is `server` with everything it says and hears recorded in `log`.
    #[cfg(unix)]
    pub(super) fn tapped(&self, server: &Path, log: &Path) -> Result<PathBuf> {
        use std::os::unix::fs::PermissionsExt;
        let _ = std::fs::remove_file(log);
        let me = std::env::current_exe()?;
        let path = self.path.join("headwater");
        let [me, log, server] = [&me, log, server].map(|p| format!("'{}'", p.display()));
        std::fs::write(
            &path,
            format!("#!/bin/sh\nexec {me} {} {log} -- {server} \"$@\"\n", super::tap::COMMAND),
        )?;
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755))?;
        Ok(path)
    }

    #[cfg(not(unix))]
    pub(super) fn tapped(&self, _: &Path, _: &Path) -> Result<PathBuf> {
        crate::fetch::unavailable("editor sessions need a Unix system")
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.path);
    }
}

/// Copies a folder tree.
pub(super) fn copy(from: &Path, to: &Path) -> Result<()> {
    std::fs::create_dir_all(to)?;
    for entry in std::fs::read_dir(from).with_context(|| format!("cannot read {}", from.display()))? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy(&entry.path(), &target)?;
        } else {
            std::fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}

/// Reads a script's lines: `ok NAME`, `FAIL NAME: WHY`, `skip NAME: WHY`, and `end` when it came to its end.
pub(super) fn read(session: &str, said: Result<String>) -> Vec<SessionResult> {
    let said = match said {
        Ok(said) => said,
        Err(e) => return vec![SessionResult::new(session, "session", Outcome::of(Err(e)))],
    };
    let mut results = Vec::new();
    for line in said.lines() {
        let Some((verdict, rest)) = line.split_once(' ') else { continue };
        let (name, why) = match verdict {
            "ok" => (rest, ""),
            // A name may hold a colon, hence colon *and* blank.
            "FAIL" | "skip" => rest.split_once(": ").unwrap_or((rest, "no reason given")),
            _ => continue,
        };
        let outcome = match verdict {
            "ok" => Outcome::Passed,
            "FAIL" => Outcome::Failed(why.to_owned()),
            _ => Outcome::NotRun(why.to_owned()),
        };
        results.push(SessionResult::new(session, name, outcome));
    }
    if said.lines().last().is_none_or(|l| l.trim() != "end") {
        let why = "the script stopped before its end".to_owned();
        results.push(SessionResult::new(session, "end", Outcome::Failed(why)));
    }
    results
}
