//! The SQL parser beside others over the same texts: `cargo xtask bench --grammar DIR…`.
//!
//! The measuring is `tests/peers`, outside of the workspace: nothing else builds its 17 MB of C.

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result, ensure};

use crate::fetch::{cache_dir, run};
use crate::{cargo, root};

/// sqlglot as Python and, with its extra, as compiled code.
const SQLGLOT: [&str; 2] = ["sqlglot==30.30.0", "sqlglot[c]==30.30.0"];

/// Builds what measures, puts sqlglot into the cache, and prints the figures of the folders and options in `args`.
pub(crate) fn measure(args: &[String]) -> Result<()> {
    let target = root().join("target/peers");
    println!("Building the parsers (the first time for minutes)");
    let manifest = root().join("tests/peers/Cargo.toml");
    let mut build = cargo();
    build.args(["build", "--release", "--quiet", "--locked", "--manifest-path"]).arg(manifest);
    build.arg("--target-dir").arg(&target);
    ensure!(build.status().context("cargo cannot be started")?.success(), "the parsers do not build");
    let mut peers = Command::new(target.join("release/headwater-peers"));
    for spec in SQLGLOT {
        let name = spec.split("==").next().unwrap_or(spec);
        match python_with(spec) {
            Ok(python) => {
                peers.arg("--python").arg(format!("{name}={}", python.display()));
            }
            Err(error) => println!("{spec}: not measured ({error:#})"),
        }
    }
    let status = peers.args(args).status().context("the parsers cannot be started")?;
    ensure!(status.success(), "the measurement ended with {status}");
    Ok(())
}

/// An interpreter in an environment of its own that holds `spec`. An environment knows its own path, so it is made where
/// it stays, and marked when it is whole.
fn python_with(spec: &str) -> Result<PathBuf> {
    let name: String = spec.chars().map(|c| if c.is_alphanumeric() { c } else { '-' }).collect();
    let venv = cache_dir()?.join(name);
    let python = venv.join("bin/python");
    let marker = venv.join(".installed");
    if std::fs::read_to_string(&marker).is_ok_and(|m| m == spec) {
        return Ok(python);
    }
    run(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&venv))?;
    run(Command::new(&python).args(["-m", "pip", "install", "--quiet", spec]))?;
    std::fs::write(marker, spec)?;
    Ok(python)
}
