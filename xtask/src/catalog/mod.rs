//! `cargo xtask codegen --catalog`: what the pinned engine says of itself and answers to probes, as the committed data
//! of `server/catalog`.

mod engine;
pub(crate) mod eval;
mod eval_types;
mod fit;
mod instances;
mod journal;
mod lists;
mod probe;
mod returns;

use std::path::PathBuf;

use anyhow::{Context as _, Result};

/// What to do.
#[derive(Debug, Default)]
pub(crate) struct Options {
    /// Functions whose names hold this text are probed, and what came of them is printed instead of written.
    only: Option<String>,
    /// No probe is asked that was not asked before.
    known_only: bool,
    /// The functions that files in these folders use are probed before all others: a run that is cut short knows them.
    first: Vec<PathBuf>,
}

impl Options {
    /// Reads `[--known] [--first DIR]… [NAME]`.
    pub(crate) fn parse(args: &[String]) -> Result<Self> {
        let mut options = Self::default();
        let mut args = args.iter();
        while let Some(arg) = args.next() {
            match arg.as_str() {
                "--catalog" => {}
                "--known" => options.known_only = true,
                "--first" => options.first.push(args.next().context("--first needs a folder")?.into()),
                name => options.only = Some(name.to_owned()),
            }
        }
        Ok(options)
    }
}

/// Asks the engine and writes the files of `server/catalog/data`.
///
/// # Errors
///
/// When the engine is not there or answers what nobody expects.
pub(crate) fn run(options: &Options) -> Result<()> {
    let engine = engine::Engine::new(2)?;
    if options.only.is_none() {
        write("lists.bin", &lists::lists(&engine)?)?;
        write("docs.bin", &lists::docs(&engine)?)?;
    }
    let text = returns::returns(&engine, options)?;
    if options.only.is_some() {
        print!("{text}");
        return Ok(());
    }
    println!("{} bytes of rules", text.len());
    write("returns.bin", &lists::deflate(text.as_bytes())?)
}

fn data() -> PathBuf {
    crate::root().join("server/catalog/data")
}

fn write(name: &str, bytes: &[u8]) -> Result<()> {
    let path = data().join(name);
    println!("{name}: {} bytes", bytes.len());
    std::fs::write(&path, bytes).with_context(|| format!("writing {}", path.display()))
}

/// Dice that fall alike for one seed, on any machine.
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed.wrapping_add(0x9E37_79B9_7F4A_7C15))
    }

    /// A number below `limit`, which is not 0.
    pub(crate) fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((z ^ (z >> 31)) % limit as u64) as usize
    }
}
