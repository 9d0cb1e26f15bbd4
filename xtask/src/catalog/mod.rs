//! `cargo xtask codegen --catalog`: what the pinned engine says of itself, as the committed data of `server/catalog`.

mod engine;
mod lists;

use std::path::PathBuf;

use anyhow::{Context as _, Result};

/// Asks the engine and writes the files of `server/catalog/data`.
///
/// # Errors
///
/// When the engine is not there or answers what nobody expects.
pub(crate) fn run() -> Result<()> {
    let engine = engine::Engine::new(2)?;
    write("lists.bin", &lists::lists(&engine)?)?;
    write("docs.bin", &lists::docs(&engine)?)?;
    Ok(())
}

fn data() -> PathBuf {
    crate::root().join("server/catalog/data")
}

fn write(name: &str, bytes: &[u8]) -> Result<()> {
    let path = data().join(name);
    println!("{name}: {} bytes", bytes.len());
    std::fs::write(&path, bytes).with_context(|| format!("writing {}", path.display()))
}
