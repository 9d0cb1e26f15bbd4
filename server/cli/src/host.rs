//! Which host a command speaks to: the project's own on this machine, or one elsewhere.

use std::path::PathBuf;
use std::time::Duration;

use camino::Utf8Path;
use headwater_analysis::Config;
use headwater_host::client::{HostClient, Local, TOKEN_VARIABLE, remote};
use headwater_host::places::Places;
use headwater_project::{OsFileSystem, discover};

use crate::CannotRun;
use crate::args::HostArgs;
use crate::project::current_dir;

/// How long a command waits for a host to start, one that ends before included.
const PATIENCE: Duration = Duration::from_secs(40);

/// Silence after which a host that a command started ends. `HEADWATER_IDLE` overrides it, in seconds.
const SILENCE: Duration = Duration::from_secs(900);

/// What `--host` says when the project's own is meant.
const LOCAL: &str = "local";

/// What a command speaks to.
pub(crate) enum Target {
    /// Here; it may not run.
    Here(Local),
    /// Elsewhere; the handshake is done.
    Elsewhere(HostClient),
}

/// The host that the arguments mean.
pub(crate) fn target(args: &HostArgs) -> Result<Target, CannotRun> {
    match &args.host {
        Some(host) if host != LOCAL => elsewhere(host, args.project.as_deref()).map(Target::Elsewhere),
        _ => here(args.data.as_deref(), args.project.as_deref()).map(Target::Here),
    }
}

/// The host of a data folder on this machine.
pub(crate) fn here(data: Option<&Utf8Path>, project: Option<&Utf8Path>) -> Result<Local, CannotRun> {
    let data = data_folder(data, project)?;
    let program = std::env::current_exe()
        .map_err(|e| CannotRun(format!("the path of this program is not known: {e}")))?;
    let silence = std::env::var("HEADWATER_IDLE").ok().and_then(|s| s.parse().ok());
    let silence: f64 = silence.filter(|s: &f64| *s > 0.0).unwrap_or(SILENCE.as_secs_f64());
    let args = [
        "serve".to_owned(),
        "--data".to_owned(),
        text(&data)?,
        "--on-demand".to_owned(),
        silence.to_string(),
    ];
    Ok(Local { data, program: (program, args.to_vec()), patience: PATIENCE })
}

/// The data folder that is named, or the project's own, in full.
pub(crate) fn data_folder(data: Option<&Utf8Path>, project: Option<&Utf8Path>) -> Result<PathBuf, CannotRun> {
    let here = current_dir()?;
    if let Some(data) = data {
        return Ok(here.join(data).into_std_path_buf());
    }
    let dir = project.map_or_else(|| here.clone(), |p| here.join(p));
    let root = discover(&OsFileSystem, &dir).ok_or_else(|| {
        CannotRun(format!(
            "no data project at {dir} or above it, so it is not clear which host is meant; name the project with --project, or a data folder with --data"
        ))
    })?;
    Places::from_env().of_project(root.path.as_std_path()).map_err(CannotRun)
}

fn text(path: &std::path::Path) -> Result<String, CannotRun> {
    let text = path.to_str().ok_or_else(|| {
        CannotRun(format!(
            "the path of the data folder is not UTF-8: {}; name another with --data",
            path.display()
        ))
    });
    text.map(str::to_owned)
}

fn elsewhere(host: &str, project: Option<&Utf8Path>) -> Result<HostClient, CannotRun> {
    let url = if host.contains("://") { host.to_owned() } else { named(host, project)? };
    let token = std::env::var(TOKEN_VARIABLE).ok();
    let plain_is_fine = std::env::var("HEADWATER_ALLOW_HTTP").is_ok_and(|v| v == "1");
    remote(host, &url, token.as_deref(), plain_is_fine).map_err(CannotRun)
}

/// The URL of `[hosts.NAME]` in the project's `headwater.toml`.
fn named(name: &str, project: Option<&Utf8Path>) -> Result<String, CannotRun> {
    let here = current_dir()?;
    let dir = project.map_or_else(|| here.clone(), |p| here.join(p));
    let root = discover(&OsFileSystem, &dir);
    let path = root.map_or_else(|| dir.join("headwater.toml"), |root| root.path.join("headwater.toml"));
    let text = match std::fs::read_to_string(&path) {
        Ok(text) => text,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => String::new(),
        Err(e) => return Err(CannotRun(format!("{path} cannot be read: {e}"))),
    };
    let (config, problems) = Config::parse(&text);
    if let Some(url) = config.hosts.get(name) {
        return Ok(url.clone());
    }
    let known: Vec<&str> = config.hosts.keys().map(String::as_str).collect();
    let known = match known.as_slice() {
        [] => "it names none".to_owned(),
        names => format!("it names {}", names.join(", ")),
    };
    let fault = problems.first().map(|p| format!(" ({})", p.message)).unwrap_or_default();
    Err(CannotRun(format!(
        "{path} names no host `{name}`; {known}{fault}. Write `[hosts.{name}]` and `url = \"https://HOST\"` into it, or give a URL"
    )))
}
