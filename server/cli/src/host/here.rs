//! The host on this machine.

use std::path::PathBuf;
use std::time::Duration;

use camino::Utf8Path;
use headwater_host::client::Local;
use headwater_host::places::Places;
use headwater_project::{OsFileSystem, discover};

use crate::CannotRun;
use crate::project::current_dir;

/// How long a command waits for a host to start, one that ends before included.
const PATIENCE: Duration = Duration::from_secs(40);

/// Silence after which a host that a command started ends. `HEADWATER_IDLE` overrides it, in seconds.
const SILENCE: Duration = Duration::from_secs(900);

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
