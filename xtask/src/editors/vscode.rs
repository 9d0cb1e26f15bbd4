//! Sessions in VS Code: the exact answers through its API, and a user's hands and eyes through its DOM.

use anyhow::Result;

use super::SessionResult;
use super::code_server::{CodeServer, Mode};
use super::install::VsCode;
use super::session::{Input, read};

pub(super) fn sessions(input: &Input<'_>) -> Vec<SessionResult> {
    let mut results = Vec::new();
    for (name, mode, script) in
        [("vscode-api", Mode::Api, "vscode/api.mjs"), ("vscode-ui", Mode::Ui, "vscode/ui.mjs")]
    {
        results.extend(read(name, session(input, name, mode, script)));
    }
    results
}

fn session(input: &Input<'_>, name: &str, mode: Mode, script: &str) -> Result<String> {
    let vscode = VsCode::get()?;
    let code = CodeServer::start(&vscode, mode, input, name)?;
    let said = code.run(script, input, &[]);
    code.keep_log(&input.out.join(format!("{name}-extension.log")));
    said
}
