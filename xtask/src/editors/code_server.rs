//! One running code-server: VS Code's workbench behind an HTTP port of this machine.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result};

use super::install::VsCode;
use super::process::{self, Group};
use super::session::{self, Folder, Input};
use crate::fetch;

/// How the workbench is driven.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    /// By tests inside the extension host. A built product honours the address of such tests only with the smoke test
    /// driver on, which in turn suppresses notifications.
    Api,
    /// By keys and clicks.
    Ui,
}

pub(super) struct CodeServer<'a> {
    vscode: &'a VsCode,
    // Before the folder it writes to: fields are dropped in this order.
    _group: Group,
    folder: Folder,
    project: PathBuf,
    url: String,
}

impl<'a> CodeServer<'a> {
    /// A fresh one, our extension installed, the server tapped into `NAME.jsonl`. All of its state is in its own
    /// folder: the workbench keeps dirty buffers on the server's side and would reopen them in the next session.
    pub(super) fn start(vscode: &'a VsCode, mode: Mode, input: &Input<'_>, name: &str) -> Result<Self> {
        let vsix = super::build_vsix(None)?;
        let folder = Folder::new()?;
        let project = folder.project(input.project)?;
        let tapped = folder.tapped(input.server, &input.out.join(format!("{name}.jsonl")))?;
        let settings = SETTINGS.replace("SERVER", &tapped.to_string_lossy());
        // What is scoped to the machine is read from the second, the rest from the first.
        for of in ["User", "Machine"] {
            let dir = folder.path.join("data").join(of);
            std::fs::create_dir_all(&dir)?;
            std::fs::write(dir.join("settings.json"), &settings)?;
        }
        std::fs::write(folder.path.join("config.yaml"), "")?;

        fetch::run(base(vscode, &folder).arg("--install-extension").arg(&vsix).arg("--force"))?;
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let mut command = base(vscode, &folder);
        command.args(QUIET).args(["--auth", "none", "--bind-addr"]).arg(format!("127.0.0.1:{port}"));
        // A closed page would leave its language server running for three hours.
        command.args(["--reconnection-grace-time", "2"]);
        if mode == Mode::Api {
            command.args(["--vscode-option", "enable-smoke-test-driver"]);
        }
        session_env(&mut command, &folder, &project)?;
        // Nothing of the user's, and paths that read `~/project/…` in pictures.
        command.env("HOME", &folder.path);
        let mut group = Group::start(&mut command, &input.out.join(format!("{name}-code-server.log")))?;
        process::wait(Duration::from_secs(30), || {
            anyhow::ensure!(!group.ended()?, "code-server ended; see {name}-code-server.log");
            Ok(healthy(port))
        })
        .context("code-server did not come up")?;
        Ok(Self { vscode, url: format!("http://127.0.0.1:{port}"), folder, project, _group: group })
    }

    /// A script of `tests/editors/vscode` that drives this workbench; returns what it printed.
    pub(super) fn run(&self, script: &str, input: &Input<'_>, env: &[(&str, &Path)]) -> Result<String> {
        let path = super::root()?.join("tests/editors").join(script);
        let mut command = self.vscode.node.node();
        command.arg(path).env("HEADWATER_CODE", &self.url).env("HEADWATER_OUT", input.out);
        browser_env(&mut command, self.vscode);
        session_env(&mut command, &self.folder, &self.project)?;
        command.env("HEADWATER_EXTENSION", self.extension()?);
        command.envs(env.iter().copied());
        let name = script.replace('/', "-");
        process::output(&mut command, &input.out.join(format!("{name}.log")), Duration::from_secs(180))
    }

    /// Our extension as it was installed.
    fn extension(&self) -> Result<PathBuf> {
        let ours = |name: &str| name.starts_with("headwater.headwater-");
        let all = std::fs::read_dir(self.folder.path.join("ext"))?.collect::<Result<Vec<_>, _>>()?;
        let found = all.iter().find(|e| ours(&e.file_name().to_string_lossy()));
        Ok(found.context("the extension was not installed")?.path())
    }

    /// Keeps our extension's log beside the others.
    pub(super) fn keep_log(&self, to: &Path) {
        let mut open = vec![self.folder.path.join("data/logs")];
        while let Some(dir) = open.pop() {
            for path in std::fs::read_dir(dir).into_iter().flatten().flatten().map(|e| e.path()) {
                if path.is_dir() {
                    open.push(path);
                } else if path.ends_with("headwater.headwater/Headwater.log") {
                    let _ = std::fs::copy(path, to);
                }
            }
        }
    }
}

/// What a script needs to drive Chromium.
pub(super) fn browser_env(command: &mut Command, vscode: &VsCode) {
    command.env("HEADWATER_PLAYWRIGHT", &vscode.browser.playwright);
    command.env("HEADWATER_CHROMIUM", &vscode.browser.chromium);
}

fn session_env(command: &mut Command, folder: &Folder, project: &Path) -> Result<()> {
    session::engine(command);
    command
        .env("HEADWATER_PROJECT", project)
        .env("HEADWATER_EXPECTATIONS", super::root()?.join("tests/editors/expectations.json"))
        .env("HEADWATER_REPORT", folder.path.join("report"));
    Ok(())
}

fn base(vscode: &VsCode, folder: &Folder) -> Command {
    let mut command = vscode.node.node();
    command.arg(&vscode.entry);
    for (option, file) in
        [("--config", "config.yaml"), ("--user-data-dir", "data"), ("--extensions-dir", "ext")]
    {
        command.arg(option).arg(folder.path.join(file));
    }
    // Set inside an editor's own terminal; code-server would talk to that editor.
    command.env_remove("VSCODE_IPC_HOOK_CLI");
    command
}

/// Does it answer? Without an HTTP client: one request, one status line.
fn healthy(port: u16) -> bool {
    let ask = || -> std::io::Result<bool> {
        let mut stream = TcpStream::connect(("127.0.0.1", port))?;
        stream.set_read_timeout(Some(Duration::from_secs(1)))?;
        stream.write_all(b"GET /healthz HTTP/1.0\r\nHost: 127.0.0.1\r\n\r\n")?;
        let mut answer = [0; 12];
        stream.read_exact(&mut answer)?;
        Ok(answer.ends_with(b"200"))
    };
    ask().unwrap_or(false)
}

const QUIET: [&str; 7] = [
    "--disable-telemetry",
    "--disable-update-check",
    "--disable-workspace-trust",
    "--disable-getting-started-override",
    "--disable-file-downloads",
    "--disable-proxy",
    "--ignore-last-opened",
];

/// Everything that opens, moves or blinks by itself is off.
const SETTINGS: &str = r#"{
  "headwater.server.path": "SERVER",
  "workbench.startupEditor": "none",
  "workbench.tips.enabled": false,
  "workbench.enableExperiments": false,
  "workbench.secondarySideBar.defaultVisibility": "hidden",
  "workbench.colorTheme": "Default Dark Modern",
  "chat.disableAIFeatures": true,
  "telemetry.telemetryLevel": "off",
  "extensions.autoUpdate": false,
  "extensions.autoCheckUpdates": false,
  "extensions.ignoreRecommendations": true,
  "git.enabled": false,
  "files.autoSave": "off",
  "files.hotExit": "off",
  "editor.minimap.enabled": false,
  "editor.cursorBlinking": "solid",
  "editor.quickSuggestions": { "other": "off", "comments": "off", "strings": "off" }
}"#;
