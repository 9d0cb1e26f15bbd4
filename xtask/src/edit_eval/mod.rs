//! `cargo xtask edit-eval DIR…`: renames and code actions on real projects, judged by us and by the engine.
//!
//! Each edit is made on the project in memory and taken back. It must add no error of ours, and what the engine took
//! before it must take after it. A rename there and back must give the same bytes. What is refused is counted, with the
//! reason: a rename is exact or refused. `--prove` leaves out one edit of each rename and sees that this is noticed.

mod actions;
mod renames;
mod world;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::PathBuf;

use anyhow::{Context, Result, ensure};
use camino::Utf8PathBuf;
use headwater_project::{OsFileSystem, workspace_roots};
use headwater_warehouse::{PoolConfig, Program};

use crate::catalog::Random;
use world::World;

/// What to do.
pub(crate) struct Options {
    folders: Vec<PathBuf>,
    /// Renames, actions and broken states of each project.
    renames: usize,
    actions: usize,
    mutations: usize,
    seed: u64,
    worst: usize,
    proves: bool,
}

impl Options {
    /// Reads `DIR… [--renames N] [--actions N] [--mutations N] [--seed N] [--worst N] [--prove]`.
    pub(crate) fn parse(args: &[String]) -> Result<Self> {
        let mut options = Self {
            folders: Vec::new(),
            renames: 60,
            actions: 60,
            mutations: 30,
            seed: 1,
            worst: 40,
            proves: false,
        };
        let mut args = args.iter();
        while let Some(arg) = args.next() {
            let mut number = || -> Result<usize> { Ok(args.next().context("a number is missing")?.parse()?) };
            match arg.as_str() {
                "--renames" => options.renames = number()?,
                "--actions" => options.actions = number()?,
                "--mutations" => options.mutations = number()?,
                "--seed" => options.seed = number()? as u64,
                "--worst" => options.worst = number()?,
                "--prove" => options.proves = true,
                folder => options.folders.push(folder.into()),
            }
        }
        ensure!(!options.folders.is_empty(), "edit-eval needs a folder with projects");
        Ok(options)
    }
}

/// Of edits that are left out, so many must be noticed, in percent. The others stand in test expectations and samples, which
/// nobody runs here.
const NOTICED: usize = 75;

/// The repository's own projects, with a fixed seed.
pub(crate) fn gate() -> Result<()> {
    let folders = vec![crate::root().join("tests/projects")];
    run(&Options { folders, renames: 30, actions: 40, mutations: 12, seed: 1, worst: 10, proves: true })
}

/// Edits every project in the folders, and prints what came of it.
///
/// # Errors
/// When an edit made something worse, a rename back did not undo one, or a planted fault went unnoticed.
pub(crate) fn run(options: &Options) -> Result<()> {
    let library = crate::engine::library()?;
    let mut tally = Tally::default();
    for folder in &options.folders {
        let folder = Utf8PathBuf::from_path_buf(std::path::absolute(folder)?)
            .map_err(|p| anyhow::anyhow!("{} is not UTF-8", p.display()))?;
        for root in workspace_roots(&OsFileSystem, &folder) {
            let name =
                root.path.strip_prefix(folder.parent().unwrap_or(&folder)).unwrap_or(&root.path).to_string();
            let config = PoolConfig::new(Program::current()?, library.clone());
            let mut world = World::read(&root, name.clone(), config)?;
            // The same edits of a project, whatever else is looked at.
            let mut random = Random::new(options.seed ^ hash(&name));
            let begin = std::time::Instant::now();
            let before = tally.faults.len();
            let seen = world.look();
            renames::run(&mut world, &seen, options, &mut random, &mut tally);
            actions::run(&mut world, &seen, options, &mut random, &mut tally);
            tally.projects += 1;
            let faults = tally.faults.len() - before;
            let name = if name.is_empty() { root.path.as_str() } else { &name };
            println!("{name}: {faults} faults, {:.1} s", begin.elapsed().as_secs_f64());
            for fault in tally.faults[before..].iter().take(options.worst) {
                println!("  {fault}");
            }
        }
    }
    println!("{}", tally.report(options.worst));
    ensure!(tally.projects > 0, "there are no projects");
    ensure!(tally.faults.is_empty(), "{} edits did not keep what they promise", tally.faults.len());
    if options.proves {
        let (noticed, planted) = tally.planted;
        ensure!(planted > 0, "no fault could be planted");
        ensure!(noticed * 100 >= planted * NOTICED, "of {planted} planted faults {noticed} are noticed");
    }
    Ok(())
}

fn hash(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |h, b| (h ^ u64::from(b)).wrapping_mul(0x0100_0000_01b3))
}

/// Counts.
#[derive(Default)]
struct Tally {
    projects: usize,
    /// By what was edited: made, refused.
    edits: BTreeMap<String, (usize, usize)>,
    /// Reasons, without the names in them.
    refusals: BTreeMap<String, (usize, String)>,
    /// Renames that were taken back.
    undone: usize,
    /// Actions that are offered and do nothing.
    empty: BTreeMap<String, (usize, String)>,
    /// Errors that showed behind others that were mended.
    revealed: usize,
    /// Conversions that took the last mark of Classic.
    dialects: usize,
    faults: Vec<String>,
    /// Noticed, planted.
    planted: (usize, usize),
    unnoticed: Vec<String>,
}

impl Tally {
    fn report(&self, worst: usize) -> String {
        let mut out = String::new();
        let made: usize = self.edits.values().map(|(made, _)| made).sum();
        let refused: usize = self.edits.values().map(|(_, refused)| refused).sum();
        let _ = writeln!(
            out,
            "\n{} projects: {made} edits, {} renames taken back, {refused} refused; {} errors behind mended ones, {} changes of the project's dialect",
            self.projects, self.undone, self.revealed, self.dialects
        );
        for (kind, (made, refused)) in &self.edits {
            let _ = writeln!(out, "    {kind:<48} {made} made, {refused} refused");
        }
        let list = |out: &mut String, title: &str, entries: &BTreeMap<String, (usize, String)>| {
            if !entries.is_empty() {
                let _ = writeln!(out, "\n{title}");
            }
            let mut entries: Vec<_> = entries.iter().collect();
            entries.sort_by_key(|(_, (count, _))| std::cmp::Reverse(*count));
            for (reason, (count, example)) in entries.into_iter().take(worst) {
                let _ = writeln!(out, "    {count:>4} {reason}\n         {example}");
            }
        };
        list(&mut out, "Refused", &self.refusals);
        list(&mut out, "Offered, and nothing to do", &self.empty);
        let (noticed, planted) = self.planted;
        if planted > 0 {
            let _ = writeln!(out, "\nedits left out: {planted}, noticed {noticed}");
            for line in self.unnoticed.iter().take(worst.min(10)) {
                let _ = writeln!(out, "    not noticed: {line}");
            }
        }
        let _ = writeln!(out, "\n{} faults", self.faults.len());
        out
    }
}

/// A reason without the names that stand between backticks.
fn generic(reason: &str) -> String {
    let mut out = String::new();
    for (n, part) in reason.split('`').enumerate() {
        out += if n % 2 == 0 { part } else { "…" };
    }
    out
}
