//! Real editors in the cache folder. `docs/internals` tells why these versions and this way.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Result, ensure};

use crate::fetch::{self, Node};

const CODE_SERVER: &str = "4.139.1";
const PLAYWRIGHT: &str = "playwright-core@1.64.1";

/// VS Code's workbench and extension host, with a browser to show it in.
pub(super) struct VsCode {
    pub(super) node: Node,
    /// code-server's entry script.
    pub(super) entry: PathBuf,
    pub(super) browser: Browser,
}

/// Headless Chromium and the library that drives it.
pub(super) struct Browser {
    pub(super) chromium: PathBuf,
    /// The folder whose `node_modules` holds playwright-core.
    pub(super) playwright: PathBuf,
}

impl Browser {
    pub(super) fn get(node: &Node) -> Result<Self> {
        let names = ["chromium", "chromium-browser", "google-chrome"];
        // The font matters: without one the workbench draws no text and the screenshot shows nothing.
        if let Err(e) = fetch::debian(&["chromium", "fonts-dejavu-core"])
            && fetch::on_path(&names).is_none()
        {
            return Err(e);
        }
        let Some(chromium) = fetch::on_path(&names) else { return fetch::unavailable("no chromium on PATH") };
        let playwright = fetch::cache_dir()?.join("playwright");
        node.packages(&playwright, &[PLAYWRIGHT])?;
        Ok(Self { chromium, playwright })
    }
}

impl VsCode {
    pub(super) fn get() -> Result<Self> {
        let node = Node::get()?;
        let browser = Browser::get(&node)?;
        let dir = fetch::cache_dir()?.join("code-server");
        fetch::once(&dir, CODE_SERVER, |fresh| install_code_server(&node, fresh))?;
        Ok(Self { entry: dir.join("node_modules/code-server/out/node/entry.js"), node, browser })
    }
}

/// Without install scripts, since those fetch prebuilt binaries from elsewhere and compile natives we do not use; two
/// natives are then built by hand, for log files and for an extension host that dies with its parent.
fn install_code_server(node: &Node, fresh: &Path) -> Result<()> {
    std::fs::write(fresh.join("package.json"), "{\"private\":true}")?;
    let spec = format!("code-server@{CODE_SERVER}");
    let npm = |dir: &Path, args: &[&str]| {
        fetch::run(node.npm().args(args).current_dir(dir))
            .map_err(|e| fetch::Unavailable(format!("npm cannot install code-server: {e:#}")))
    };
    npm(fresh, &["install", "--no-save", "--ignore-scripts", &spec])?;
    let vscode = fresh.join("node_modules/code-server/lib/vscode");
    npm(&vscode, &["install", "--omit=dev", "--ignore-scripts"])?;
    npm(&vscode, &["rebuild", "@vscode/spdlog", "@vscode/native-watchdog"])?;
    npm(&vscode.join("extensions"), &["install", "--omit=dev", "--ignore-scripts"])?;
    for unused in ["@github", "@microsoft/mxc-sdk"] {
        let _ = std::fs::remove_dir_all(vscode.join("node_modules").join(unused));
    }
    Ok(())
}

/// One Neovim with its runtime files.
pub(super) struct Neovim {
    pub(super) program: PathBuf,
    /// `$VIMRUNTIME`; none for a Neovim of the system, which knows its own.
    pub(super) runtime: Option<PathBuf>,
    pub(super) version: (u32, u32),
    /// As it names itself: `0.12.4`.
    pub(super) label: String,
}

impl Neovim {
    /// The newest that Debian's testing suite has, or the system's when Debian cannot be had. At least 0.11.
    pub(super) fn current() -> Result<Self> {
        let nvim = match Self::from_debian("forky") {
            Err(e) => match fetch::on_path(&["nvim"]) {
                Some(program) => Self::probe(program, None)?,
                None => return Err(e),
            },
            found => found?,
        };
        ensure!(nvim.version >= (0, 11), "expected Neovim 0.11 or newer, found {}", nvim.label);
        Ok(nvim)
    }

    /// The oldest release the plugin supports, as a check that it still does.
    pub(super) fn oldest() -> Result<Self> {
        let nvim = Self::from_debian("trixie")?;
        ensure!(nvim.version == (0, 10), "expected Neovim 0.10, found {}", nvim.label);
        Ok(nvim)
    }

    fn from_debian(suite: &str) -> Result<Self> {
        let program = fetch::foreign(suite, "neovim", "usr/bin/nvim")?;
        let runtime = program.with_file_name("../share/nvim/runtime");
        Self::probe(program, Some(runtime))
    }

    fn probe(program: PathBuf, runtime: Option<PathBuf>) -> Result<Self> {
        let text = fetch::run(Command::new(&program).arg("--version"))?;
        let label =
            text.lines().next().and_then(|l| l.split_once(" v")).map_or(String::new(), |(_, v)| v.to_owned());
        let mut parts = label.split('.').map(|p| p.parse().unwrap_or(0));
        let version = (parts.next().unwrap_or(0), parts.next().unwrap_or(0));
        Ok(Self { program, runtime, version, label })
    }

    pub(super) fn command(&self) -> Command {
        let mut command = Command::new(&self.program);
        if let Some(runtime) = &self.runtime {
            command.env("VIMRUNTIME", runtime);
        }
        command
    }
}

/// Helix with its runtime files.
pub(super) struct Helix {
    pub(super) program: PathBuf,
    /// `$HELIX_RUNTIME`.
    pub(super) runtime: PathBuf,
    /// As it names itself: `25.07.1`.
    pub(super) label: String,
}

impl Helix {
    /// The one that Debian's testing suite has. At least 25.07, whose queries ours are made for.
    pub(super) fn current() -> Result<Self> {
        let program = fetch::foreign("forky", "hx", "usr/lib/hx/hx")?;
        let text = fetch::run(Command::new(&program).arg("--version"))?;
        let label = text.split_whitespace().nth(1).unwrap_or_default().to_owned();
        let mut parts = label.split('.').map(|p| p.parse::<u32>().unwrap_or(0));
        let version = (parts.next().unwrap_or(0), parts.next().unwrap_or(0));
        ensure!(version >= (25, 7), "expected Helix 25.07 or newer, found {label}");
        Ok(Self { runtime: program.with_file_name("runtime"), program, label })
    }
}

/// tmux, which holds a terminal for an editor's screen.
pub(super) fn tmux() -> Result<PathBuf> {
    if let Some(found) = fetch::on_path(&["tmux"]) {
        return Ok(found);
    }
    fetch::debian(&["tmux"])?;
    fetch::on_path(&["tmux"]).ok_or_else(|| fetch::Unavailable("no tmux on PATH".into()).into())
}
