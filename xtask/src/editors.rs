//! Real editors: installs them, packs our plugins, drives sessions in them and takes their pictures.
//!
//! Scripts that run *inside* an editor or a browser are in `tests/editors/`; this side prepares a folder, starts
//! processes with a time limit and reads `ok` / `FAIL` / `skip` lines. What cannot be had on a machine (no Debian, no
//! registry) is [`Outcome::NotRun`] with a reason, for the caller to count and to name.

mod code_server;
mod frames;
mod helix;
mod helix_queries;
mod install;
mod neovim;
mod package;
mod pictures;
mod process;
mod session;
mod tap;
mod terminal;
mod vscode;
mod wasm;

use std::path::{Path, PathBuf};

use anyhow::Result;

use crate::fetch::Unavailable;

pub(crate) use helix::build_helix;
pub(crate) use package::{build_nvim, build_vsix};
pub(crate) use tap::tap;
pub(crate) use wasm::build_wasm;

/// What became of one check.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// It held.
    Passed,
    /// It did not, and why.
    Failed(String),
    /// It could not be tried on this machine, and why.
    NotRun(String),
}

impl Outcome {
    /// An error is a failure, unless it says that something cannot be had here.
    fn of(result: Result<()>) -> Self {
        match result {
            Ok(()) => Self::Passed,
            Err(e) if e.is::<Unavailable>() => Self::NotRun(format!("{e:#}")),
            Err(e) => Self::Failed(format!("{e:#}")),
        }
    }
}

/// One check of one session.
#[derive(Clone, Debug)]
pub(crate) struct SessionResult {
    /// `neovim-0.12.4: hover`
    pub(crate) name: String,
    /// What became of it.
    pub(crate) outcome: Outcome,
}

impl SessionResult {
    fn new(session: &str, check: &str, outcome: Outcome) -> Self {
        Self { name: format!("{session}: {check}"), outcome }
    }
}

/// An editor that [`install`] can put into the cache.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Editor {
    /// VS Code's workbench (code-server) with a headless browser.
    VsCode,
    /// Neovim: the newest packaged, and the oldest that the plugin supports.
    Neovim,
    /// Helix, in a terminal.
    Helix,
}

impl Editor {
    /// Every one.
    pub(crate) const ALL: [Self; 3] = [Self::VsCode, Self::Neovim, Self::Helix];
}

/// Puts `which` into the cache folder, or finds them there. One result per program.
pub(crate) fn install(which: &[Editor]) -> Vec<SessionResult> {
    let result = |name: &str, got: Result<()>| SessionResult::new("install", name, Outcome::of(got));
    let mut results = Vec::new();
    if which.contains(&Editor::Neovim) {
        results.push(result("Neovim", install::Neovim::current().map(drop)));
        results.push(result("Neovim, oldest supported", install::Neovim::oldest().map(drop)));
    }
    if which.contains(&Editor::Helix) {
        results.push(result("Helix", install::Helix::current().map(drop)));
    }
    if which.contains(&Editor::Neovim) || which.contains(&Editor::Helix) {
        results.push(result("tmux", install::tmux().map(drop)));
    }
    if which.contains(&Editor::VsCode) {
        results.push(result("VS Code", install::VsCode::get().map(drop)));
    }
    results
}

/// What [`sessions`] can be told to drive.
pub(crate) const SESSIONS: [&str; 4] = ["neovim", "helix", "vscode", "wasm"];

/// Drives the editors `which` ([`SESSIONS`]; every one when empty) over a copy of `project` with `server` behind it.
/// Logs, recorded traffic and pictures of failures go to `out`.
pub(crate) fn sessions(
    server: &Path,
    project: &Path,
    out: &Path,
    which: &[String],
) -> Result<Vec<SessionResult>> {
    if let Some(other) = which.iter().find(|w| !SESSIONS.contains(&w.as_str())) {
        anyhow::bail!("no sessions are called {other}; there are {}", SESSIONS.join(", "));
    }
    std::fs::create_dir_all(out)?;
    let (server, project, out) = (server.canonicalize()?, project.canonicalize()?, out.canonicalize()?);
    // Recordings of an earlier run would be checked again.
    for old in std::fs::read_dir(&out)?.flatten().map(|e| e.path()) {
        if old.extension().is_some_and(|e| e == "jsonl") {
            std::fs::remove_file(old)?;
        }
    }
    let input = session::Input { server: &server, project: &project, out: &out };
    let run = [neovim::sessions, helix::sessions, vscode::sessions, wasm::session];
    let wanted = |name: &str| which.is_empty() || which.iter().any(|w| w == name);
    let chosen = SESSIONS.iter().zip(run).filter(|(name, _)| wanted(name));
    let mut results: Vec<_> = chosen.flat_map(|(_, run)| run(&input)).collect();
    if which.iter().any(|w| w != "wasm") || which.is_empty() {
        results.extend(frames::check(&out));
    }
    Ok(results)
}

/// Takes `vscode.png` and `nvim.png` into `images`.
pub(crate) fn screenshots(server: &Path, project: &Path, images: &Path) -> Result<Vec<SessionResult>> {
    std::fs::create_dir_all(images)?;
    let (server, project, images) = (server.canonicalize()?, project.canonicalize()?, images.canonicalize()?);
    let input = session::Input { server: &server, project: &project, out: &images };
    Ok(vec![
        SessionResult::new("picture", "vscode.png", Outcome::of(pictures::vscode(&input))),
        SessionResult::new("picture", "nvim.png", Outcome::of(pictures::nvim(&input))),
    ])
}

/// The clone this program works in: the nearest folder above the current one that has our editors.
fn root() -> Result<PathBuf> {
    let here = std::env::current_dir()?;
    let above = here.ancestors().find(|d| d.join("editors/vscode/package.json").is_file());
    above.map(Path::to_path_buf).ok_or_else(|| anyhow::anyhow!("{} is not inside the clone", here.display()))
}

/// Where our packed plugins go.
fn target() -> Result<PathBuf> {
    let dir = root()?.join("target/editors");
    std::fs::create_dir_all(&dir)?;
    Ok(dir)
}
