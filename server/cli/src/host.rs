//! Which host a command speaks to: the project's own on this machine, or one elsewhere.

use std::path::PathBuf;

use camino::Utf8Path;
use headwater_analysis::Config;
use headwater_host::client::{HostClient, HostError, TOKEN_VARIABLE, remote};
use headwater_project::{OsFileSystem, discover};

#[cfg(unix)]
mod here;

#[cfg(unix)]
pub(crate) use here::{data_folder, here};

use crate::CannotRun;
use crate::args::HostArgs;
use crate::project::current_dir;

/// What `--host` says when the project's own is meant.
pub(crate) const LOCAL: &str = "local";

/// What the arguments lead to.
pub(crate) enum Found {
    /// A host; the handshake is done.
    Host(HostClient),
    /// None runs on this machine for this data folder.
    #[cfg_attr(not(unix), expect(dead_code, reason = "there is none at all"))]
    Nowhere(PathBuf),
}

/// The host that the arguments mean. `start` starts the one on this machine where none runs.
pub(crate) fn find(args: &HostArgs, start: bool) -> Result<Found, CannotRun> {
    match &args.host {
        Some(host) if host != LOCAL => elsewhere(host, args.project.as_deref()).map(Found::Host),
        _ => find_here(args, start),
    }
}

/// The host that the arguments mean, started where that helps.
pub(crate) fn require(args: &HostArgs) -> Result<HostClient, CannotRun> {
    match find(args, true)? {
        Found::Host(client) => Ok(client),
        Found::Nowhere(data) => Err(CannotRun(format!("no host runs for {}", data.display()))),
    }
}

/// What a host says no with.
#[allow(clippy::needless_pass_by_value)] // for map_err
pub(crate) fn refused(error: HostError) -> CannotRun {
    CannotRun(error.to_string())
}

#[cfg(unix)]
fn find_here(args: &HostArgs, start: bool) -> Result<Found, CannotRun> {
    let local = here(args.data.as_deref(), args.project.as_deref())?;
    if start {
        return local.require().map(Found::Host).map_err(CannotRun);
    }
    let found = local.find().map_err(CannotRun)?;
    Ok(found.map_or(Found::Nowhere(local.data), Found::Host))
}

#[cfg(not(unix))]
fn find_here(_: &HostArgs, _: bool) -> Result<Found, CannotRun> {
    Err(no_host())
}

/// Why there is no host on this machine.
#[cfg(not(unix))]
pub(crate) fn no_host() -> CannotRun {
    let why = "there is no host on this system: use WSL, or name a host elsewhere with --host";
    CannotRun(why.to_owned())
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
