//! The pictures of the README, taken of the real thing.

use std::time::Duration;

use anyhow::{Result, ensure};

use super::code_server::{CodeServer, Mode, browser_env};
use super::install::{Neovim, VsCode};
use super::session::{Folder, Input};
use super::{neovim, process};

/// `vscode.png`: the workbench with a data source and its downstream.
pub(super) fn vscode(input: &Input<'_>) -> Result<()> {
    let vscode = VsCode::get()?;
    let logs = Folder::new()?;
    let quiet = Input { out: &logs.path, ..*input };
    let code = CodeServer::start(&vscode, Mode::Ui, &quiet, "picture")?;
    let said =
        code.run("vscode/picture.mjs", &quiet, &[("HEADWATER_PICTURE", &input.out.join("vscode.png"))])?;
    ensure!(said.trim().ends_with("end"), "the picture was not taken: {said}");
    Ok(())
}

/// `nvim.png`: a terminal's contents, drawn by the browser.
pub(super) fn nvim(input: &Input<'_>) -> Result<()> {
    let vscode = VsCode::get()?;
    let logs = Folder::new()?;
    let quiet = Input { out: &logs.path, ..*input };
    let screen = neovim::screen(&Neovim::current()?, &quiet, "picture")?;
    let ansi = logs.path.join("screen.ansi");
    std::fs::write(&ansi, screen)?;
    let mut command = vscode.node.node();
    browser_env(&mut command, &vscode);
    command
        .arg(super::root()?.join("tests/editors/nvim/picture.mjs"))
        .env("HEADWATER_EXPECTATIONS", super::root()?.join("tests/editors/expectations.json"))
        .arg(&ansi)
        .arg(input.out.join("nvim.png"));
    let said = process::output(&mut command, &logs.path.join("picture.log"), Duration::from_secs(60))?;
    ensure!(said.trim().ends_with("end"), "the picture was not drawn: {said}");
    Ok(())
}
