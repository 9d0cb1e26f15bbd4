//! `cargo xtask semantic-eval DIR…`: what we say of queries, judged by the engine.
//!
//! Every node of every project is rendered for a few requests: none of its parameters, all of them, and the witness of
//! each arm of its template. The engine describes each rendering over empty tables ([`engine`]); what it refuses we must
//! have refused, what it takes we must not, and names and types of the columns must be equal. What the engine takes the gate for
//! queries of users has to let through.
//!
//! With `--examples` the queries are those of the engine's own documentation, with `--sql` those of scripts ([`scripts`]).

mod engine;
mod script;
mod scripts;
mod tally;
mod texts;

use std::path::PathBuf;

use anyhow::{Context, Result, ensure};
use camino::Utf8PathBuf;
use headwater_analysis::{Database, FileKind, interface};
use headwater_project::{OsFileSystem, load, workspace_roots};

use engine::Engine;
use headwater_oracle::Verdict;
use tally::Tally;
use texts::Texts;

/// What to do.
pub(crate) struct Options {
    folders: Vec<PathBuf>,
    worst: usize,
    /// Whether the engine's own examples are judged.
    examples: bool,
    /// Whether the folders hold scripts, not projects.
    are_scripts: bool,
}

impl Options {
    /// Reads `DIR… [--worst N] [--sql] [--examples]`.
    pub(crate) fn parse(args: &[String]) -> Result<Self> {
        let mut options = Self { folders: Vec::new(), worst: 20, examples: false, are_scripts: false };
        let mut args = args.iter();
        while let Some(arg) = args.next() {
            match arg.as_str() {
                "--worst" => options.worst = args.next().context("--worst needs a number")?.parse()?,
                "--examples" => options.examples = true,
                "--sql" => options.are_scripts = true,
                folder => options.folders.push(folder.into()),
            }
        }
        ensure!(
            options.examples || !options.folders.is_empty(),
            "semantic-eval needs a folder with projects"
        );
        Ok(options)
    }
}

/// Judges the repository's own queries and projects; an error when we refuse what the engine takes.
pub(crate) fn gate() -> Result<()> {
    let root = crate::root();
    let folders = vec![root.join("server/analysis/tests/queries.sql"), root.join("tests/projects")];
    let total = judge(&Options { folders, worst: 5, examples: false, are_scripts: false })?;
    ensure!(!total.has_false_alarms(), "we report faults that the engine does not have");
    ensure!(!total.is_stopped_by_gate(), "the gate stops queries of projects that the engine takes");
    Ok(())
}

/// Judges every project in the folders, and prints what came of it.
pub(crate) fn run(options: &Options) -> Result<()> {
    judge(options).map(drop)
}

fn judge(options: &Options) -> Result<Tally> {
    let library = crate::engine::library()?;
    let mut total = Tally::default();
    if options.examples {
        let tally = scripts::judge(&scripts::examples(), &library)?;
        println!("examples of the documentation: {}", tally.line());
        total.add("examples", tally);
    }
    for folder in &options.folders {
        if options.are_scripts {
            let tally = scripts::judge(&[scripts::of_folder(folder)?], &library)?;
            println!("{}: {}", folder.display(), tally.line());
            total.add(&folder.display().to_string(), tally);
            continue;
        }
        if folder.is_file() {
            let tally = script::run(folder, &library)?;
            println!("{}: {}", folder.display(), tally.line());
            total.add(&folder.display().to_string(), tally);
            continue;
        }
        let folder = Utf8PathBuf::from_path_buf(std::path::absolute(folder)?)
            .map_err(|p| anyhow::anyhow!("{} is not UTF-8", p.display()))?;
        for root in workspace_roots(&OsFileSystem, &folder) {
            let mut db = Database::default();
            let loaded = load(&mut db, &OsFileSystem, &root);
            let name = root.path.strip_prefix(&folder).unwrap_or(&root.path).to_string();
            let mut tally = Tally::default();
            project(&db, loaded.project, &mut Engine::new(&db, loaded.project, &library)?, &mut tally);
            println!("{name}: {}", tally.line());
            total.add(name.as_str(), tally);
        }
    }
    println!("\n{}", total.report(options.worst));
    Ok(total)
}

fn project(db: &Database, project: headwater_analysis::Project, engine: &mut Engine, tally: &mut Tally) {
    let mut cases = Vec::new();
    for file in project.files(db).iter().filter(|f| f.kind(db) == Some(FileKind::Pipe)) {
        let Some(face) = interface(db, *file) else { continue };
        for node in 0..face.nodes.len() {
            cases.extend(Texts::of(db, *file, node));
        }
    }
    let statements: Vec<String> =
        cases.iter().map(|case| case.expanded.clone().unwrap_or_default()).collect();
    let own = headwater_gate::Listed::new(headwater_oracle::tables(db, project).into_iter().map(|t| t.name));
    for (case, verdict) in cases.iter().zip(engine.describe(&statements)) {
        if let Ok(expanded) = &case.expanded {
            tally.gate(case, expanded, &own, &verdict);
        }
        match (&case.expanded, verdict) {
            (Err(reason), _) => tally.unjudged(&case.place, reason),
            (Ok(_), Verdict::Broken(reason)) => tally.unjudged(&case.place, &reason),
            (Ok(_), verdict) => tally.judge(case, &verdict),
        }
    }
}
