//! Finding and loading projects for a command.

use camino::{Utf8Path, Utf8PathBuf};
use headwater_analysis::Database;
use headwater_project::{Loaded, OsFileSystem, ProjectRoot, discover, load, workspace_roots};

use crate::CannotRun;

/// The folder that paths in output are relative to.
pub(crate) fn current_dir() -> Result<Utf8PathBuf, CannotRun> {
    let dir =
        std::env::current_dir().map_err(|e| CannotRun(format!("the current folder cannot be read: {e}")))?;
    Utf8PathBuf::from_path_buf(dir)
        .map_err(|dir| CannotRun(format!("the current folder's name is not UTF-8: {}", dir.display())))
}

/// Every project at, above or below `dir`.
pub(crate) fn load_all(db: &mut Database, dir: Option<&Utf8Path>) -> Result<Vec<Loaded>, CannotRun> {
    let fs = OsFileSystem;
    let dir = absolute(dir)?;
    let roots = workspace_roots(&fs, &dir);
    if roots.is_empty() {
        return Err(nothing_at(&dir));
    }
    Ok(roots.iter().map(|root| load(db, &fs, root)).collect())
}

/// The one project that `dir` belongs to, or the only one below it.
pub(crate) fn load_one(db: &mut Database, dir: Option<&Utf8Path>) -> Result<Loaded, CannotRun> {
    let fs = OsFileSystem;
    let dir = absolute(dir)?;
    let root: ProjectRoot = match discover(&fs, &dir) {
        Some(root) => root,
        None => match workspace_roots(&fs, &dir).as_slice() {
            [] => return Err(nothing_at(&dir)),
            [one] => one.clone(),
            several => {
                let list: Vec<_> = several.iter().map(|r| format!("  {}", r.path)).collect();
                let message = format!(
                    "several projects lie below {dir}; name one with --project:\n{}",
                    list.join("\n")
                );
                return Err(CannotRun(message));
            }
        },
    };
    Ok(load(db, &fs, &root))
}

fn absolute(dir: Option<&Utf8Path>) -> Result<Utf8PathBuf, CannotRun> {
    let here = current_dir()?;
    let dir = dir.map_or_else(|| here.clone(), |d| here.join(d));
    if !dir.is_dir() {
        return Err(CannotRun(format!("{dir} is no folder; name the folder that holds the datafiles")));
    }
    Ok(dir)
}

fn nothing_at(dir: &Utf8Path) -> CannotRun {
    CannotRun(format!(
        "no data project at or below {dir}: looked for .datasource, .pipe and .connection files, headwater.toml, tinybird.config.json and .tinyenv"
    ))
}

/// `path` as people would type it from `here`.
pub(crate) fn display_path(here: &Utf8Path, path: &Utf8Path) -> String {
    path.strip_prefix(here).unwrap_or(path).to_string()
}
