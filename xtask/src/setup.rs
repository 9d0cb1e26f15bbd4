//! `cargo xtask setup|package|screenshots`.

use anyhow::{Result, bail};

use crate::editors::{self, Editor, Outcome, SessionResult};
use crate::{build_server, root};

/// The server, the SQL engine, and the editors that the end-to-end tests drive.
pub(crate) fn run() -> Result<()> {
    println!("Building the server");
    let server = build_server(true)?;
    println!("  {}", server.display());
    let engine = crate::engine::library();
    match &engine {
        Ok(library) => println!("  {}", library.display()),
        Err(error) => println!("  FAILED   SQL engine: {error:#}"),
    }
    println!("Putting editors into {}", crate::fetch::cache_dir()?.display());
    show(&editors::install(&Editor::ALL))?;
    engine.map(drop)
}

/// The extension, the plugin and the configuration, ready to install; with `wasm` the grammars for the web as well.
pub(crate) fn package(wasm: bool) -> Result<()> {
    let server = build_server(true)?;
    println!("{}", editors::build_vsix(Some(&server))?.display());
    let nvim = root().join("target/editors/nvim");
    editors::build_nvim(&nvim)?;
    println!("{}", nvim.display());
    let helix = root().join("target/editors/helix");
    editors::build_helix(&helix)?;
    println!("{}", helix.display());
    if wasm {
        for file in editors::build_wasm(&root().join("target/editors/wasm"))? {
            println!("{}", file.display());
        }
    }
    Ok(())
}

/// The README's pictures.
pub(crate) fn screenshots() -> Result<()> {
    let server = build_server(true)?;
    let project = root().join("tests/projects/web-analytics");
    show(&editors::screenshots(&server, &project, &root().join("docs/images"))?)
}

fn show(results: &[SessionResult]) -> Result<()> {
    let mut failed = 0;
    for result in results {
        match &result.outcome {
            Outcome::Passed => println!("  ok       {}", result.name),
            Outcome::Failed(why) => {
                failed += 1;
                println!("  FAILED   {}: {why}", result.name);
            }
            Outcome::NotRun(why) => println!("  not run  {}: {why}", result.name),
        }
    }
    if failed > 0 {
        bail!("{failed} failed");
    }
    Ok(())
}
