//! The SQL engine for tests and figures: named by the user, or installed once into the cache folder, unpacked and
//! checked by the same code as `headwater setup`.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};
use headwater_warehouse::setup::{Package, Source, install};
use headwater_warehouse::{LIBRARY_VARIABLE, Places};

use crate::fetch::{self, Node, Unavailable, cache_dir, unavailable};

/// The engine's library. The error is an [`Unavailable`] when this machine cannot have it.
pub(crate) fn library() -> Result<PathBuf> {
    let places = Places::from_env();
    if places.named.is_some() {
        return places.library().map(|l| l.path().to_owned()).map_err(|e| Unavailable(e).into());
    }
    let Some(package) = Package::here() else { return unavailable("there is no engine for this platform") };
    let engines = cache_dir()?.join("engine");
    if package.library_below(&engines).is_file() {
        return Ok(package.library_below(&engines));
    }
    println!("Fetching the SQL engine ({}, once) into {}", package.spec(), engines.display());
    let archive = pack(package, &cache_dir()?.join("engine-archive"))?;
    let installed = install(package, &engines, &Source::File(archive.clone()), &mut |_| {});
    // Not kept: it is a third of the library's size and can be had again.
    let _ = std::fs::remove_file(archive);
    installed.map_err(|e| Unavailable(e.to_string()).into())
}

/// The package's archive, fetched by npm itself: the machine's own, else the cache's.
fn pack(package: &Package, folder: &Path) -> Result<PathBuf> {
    std::fs::create_dir_all(folder)?;
    let mut npm = match fetch::on_path(&["npm"]) {
        Some(npm) => Command::new(npm),
        None => Node::get()?.npm(),
    };
    npm.args(["pack", "--silent", "--pack-destination"]).arg(folder).arg(package.spec()).current_dir(folder);
    let name = fetch::run(&mut npm)
        .map_err(|e| Unavailable(format!("npm cannot fetch {}: {e:#}", package.spec())))?;
    let name = name.lines().rev().find(|l| l.ends_with(".tgz")).context("npm names no archive")?;
    Ok(folder.join(name.trim()))
}

/// The environment variable that hands the library to tests.
pub(crate) const VARIABLE: &str = LIBRARY_VARIABLE;
