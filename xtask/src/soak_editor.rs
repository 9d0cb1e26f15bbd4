//! `cargo xtask soak-editor DIR…`: a language server edited thousands of times on each project, compared with fresh ones.
//!
//! Before that it is made to forget something in each of the ways it can, and every one must be noticed.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Context, Result, bail, ensure};
use headwater_lsp::Fault;
use headwater_lsp::testing::soak::Soak;

/// What to do.
pub(crate) struct Options {
    folders: Vec<PathBuf>,
    steps: usize,
    check_every: usize,
    seed: u64,
    proves: bool,
}

/// How often a fault is tried with another script.
const TRIES: u64 = 6;

/// Steps of a script that is to show a fault.
const STEPS: usize = 300;

impl Options {
    /// Reads `DIR… [--steps N] [--every N] [--seed N] [--no-proof]`.
    pub(crate) fn parse(args: &[String]) -> Result<Self> {
        let mut options =
            Self { folders: Vec::new(), steps: 10_000, check_every: 250, seed: 1, proves: true };
        let mut args = args.iter();
        while let Some(arg) = args.next() {
            let mut number = || -> Result<usize> { Ok(args.next().context("a number is missing")?.parse()?) };
            match arg.as_str() {
                "--steps" => options.steps = number()?,
                "--every" => options.check_every = number()?.max(1),
                "--seed" => options.seed = number()? as u64,
                "--no-proof" => options.proves = false,
                folder => options.folders.push(folder.into()),
            }
        }
        ensure!(!options.folders.is_empty(), "soak-editor needs the folder of a project");
        Ok(options)
    }
}

/// Plays it on every project.
///
/// # Errors
/// When a server says something else than a fresh one, or a planted fault is not noticed.
pub(crate) fn run(options: &Options) -> Result<()> {
    for folder in &options.folders {
        let mut files = BTreeMap::new();
        collect(folder, folder, &mut files)?;
        ensure!(!files.is_empty(), "{} holds no texts", folder.display());
        let soak = Soak {
            files,
            seed: options.seed,
            steps: options.steps,
            check_every: options.check_every,
            fault: None,
        };
        if options.proves {
            prove(&soak)?;
        }
        let begin = Instant::now();
        match soak.play_blocking() {
            Ok(report) => {
                println!("{}: {report:?}, {:.0} s", folder.display(), begin.elapsed().as_secs_f64());
            }
            Err(divergence) => bail!("{}, seed {}: {divergence}", folder.display(), options.seed),
        }
    }
    Ok(())
}

fn prove(soak: &Soak) -> Result<()> {
    for fault in Fault::ALL {
        let found = (0..TRIES).find_map(|n| {
            let seed = soak.seed + n;
            let planted = Soak { steps: STEPS, check_every: 50, fault: Some(fault), seed, ..soak.clone() };
            planted.play_blocking().err()
        });
        match found {
            Some(divergence) => {
                println!("caught   {fault:?}: {} after {} steps", divergence.question, divergence.step);
            }
            None => bail!("{fault:?} goes unnoticed"),
        }
    }
    Ok(())
}

fn collect(root: &Path, folder: &Path, out: &mut BTreeMap<String, String>) -> Result<()> {
    for entry in std::fs::read_dir(folder).with_context(|| format!("{} cannot be read", folder.display()))? {
        let path = entry?.path();
        let name = path.file_name().and_then(|n| n.to_str()).unwrap_or_default();
        if name.starts_with('.') && name != ".tinyenv" || name == "node_modules" {
            continue;
        }
        if path.is_dir() {
            collect(root, &path, out)?;
            continue;
        }
        let counts = matches!(
            path.extension().and_then(|e| e.to_str()),
            Some("datasource" | "pipe" | "connection" | "incl" | "yaml" | "toml" | "json" | "ndjson")
        ) || name == ".tinyenv";
        let is_small = path.metadata().is_ok_and(|m| m.len() < 256 * 1024);
        if let (true, true, Some(below)) =
            (counts, is_small, path.strip_prefix(root).ok().and_then(Path::to_str))
            && let Ok(text) = std::fs::read_to_string(&path)
        {
            out.insert(below.to_owned(), text);
        }
    }
    Ok(())
}
