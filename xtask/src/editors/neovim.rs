//! Sessions in Neovim: headless ones for what it knows, a terminal for what it shows.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, ensure};

use super::install::Neovim;
use super::session::{self, Folder, Input, read};
use super::terminal::Terminal;
use super::{Outcome, SessionResult, process};

/// The newest and the oldest supported Neovim, and one look at a screen.
pub(super) fn sessions(input: &Input<'_>) -> Vec<SessionResult> {
    let mut results = Vec::new();
    for (what, nvim) in [("neovim", Neovim::current()), ("neovim-oldest", Neovim::oldest())] {
        match nvim {
            Ok(nvim) => {
                let name = format!("neovim-{}", nvim.label);
                results.extend(read(&name, headless(&nvim, &name, input)));
            }
            Err(e) => results.push(SessionResult::new(what, "session", Outcome::of(Err(e)))),
        }
    }
    let screen = Neovim::current()
        .and_then(|nvim| screen(&nvim, input, "neovim-screen"))
        .and_then(|s| shows(&s, input));
    results.push(SessionResult::new("neovim-screen", "lens and directives are drawn", Outcome::of(screen)));
    results
}

fn headless(nvim: &Neovim, name: &str, input: &Input<'_>) -> Result<String> {
    let folder = Folder::new()?;
    let mut command = configured(nvim, &folder, input, name)?;
    command.env("HEADWATER_SESSION", super::root()?.join("tests/editors/nvim/session.lua"));
    process::output(
        command.arg("--headless"),
        &input.out.join(format!("{name}.log")),
        Duration::from_secs(90),
    )
}

/// Neovim with our plugin, the tapped server and nothing of the user's.
fn configured(nvim: &Neovim, folder: &Folder, input: &Input<'_>, name: &str) -> Result<Command> {
    let scripts = super::root()?.join("tests/editors");
    let plugin = super::target()?.join("nvim");
    super::build_nvim(&plugin)?;
    let mut command = nvim.command();
    for dir in ["CONFIG", "DATA", "STATE", "CACHE"] {
        command.env(format!("XDG_{dir}_HOME"), folder.path.join(dir.to_lowercase()));
    }
    session::engine(&mut command);
    command
        .env("HEADWATER_NVIM", plugin)
        .env("HEADWATER_SERVER", folder.tapped(input.server, &input.out.join(format!("{name}.jsonl")))?)
        .env("HEADWATER_PROJECT", folder.project(input.project)?)
        .env("HEADWATER_EXPECTATIONS", scripts.join("expectations.json"))
        .arg("-u")
        .arg(scripts.join("nvim/init.lua"));
    Ok(command)
}

/// What a terminal of 100 × 22 shows, with colours as escape sequences, once the lens is there.
pub(super) fn screen(nvim: &Neovim, input: &Input<'_>, name: &str) -> Result<String> {
    let folder = Folder::new()?;
    let ready = folder.path.join("ready");
    let mut command = configured(nvim, &folder, input, name)?;
    command.env("HEADWATER_READY", &ready);
    command.arg("-S").arg(super::root()?.join("tests/editors/nvim/screen.lua"));
    let terminal = Terminal::start(&command, &folder, 100, 22)?;
    let shown =
        process::wait(Duration::from_secs(30), || Ok(ready.is_file())).context("the screen never got ready");
    let capture = terminal.capture();
    drop(terminal);
    shown?;
    capture
}

/// The lens is on the screen, and so are colours.
fn shows(screen: &str, input: &Input<'_>) -> Result<()> {
    std::fs::write(input.out.join("neovim-screen.ansi"), screen)?;
    ensure!(screen.contains('→'), "no lens on the screen; see {}", show(input.out));
    ensure!(screen.contains("\u{1b}["), "no colours on the screen; see {}", show(input.out));
    Ok(())
}

fn show(out: &Path) -> String {
    out.join("neovim-screen.ansi").display().to_string()
}
