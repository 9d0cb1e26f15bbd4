//! `headwater check`: every diagnostic of every file, with the engine's second opinion where there is an engine.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use headwater_analysis::{
    Content, Database, Diagnostic, FileKind, Severity, TextRange, TextSize, diagnostics,
    invalid_configuration,
};
use headwater_project::Loaded;

use crate::args::{CheckArgs, CheckFormat};
use crate::engine::{self, Engine};
use crate::project::{current_dir, display_path, load_all};
use crate::{CannotRun, Verdict, print, render};

/// One file's findings, ready to show.
pub(crate) struct Report {
    /// Path as shown.
    pub(crate) path: String,
    /// The file's text.
    pub(crate) text: Arc<str>,
    /// What is wrong.
    pub(crate) findings: Vec<Finding>,
}

/// A diagnostic whose other places are resolved.
pub(crate) struct Finding {
    pub(crate) diagnostic: Diagnostic,
    pub(crate) related: Vec<RelatedPlace>,
}

/// A place in another file.
pub(crate) struct RelatedPlace {
    pub(crate) path: String,
    pub(crate) text: Arc<str>,
    pub(crate) range: TextRange,
    pub(crate) message: String,
}

/// Counts over a whole run.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Summary {
    pub(crate) projects: usize,
    pub(crate) files: usize,
    pub(crate) errors: usize,
    pub(crate) warnings: usize,
    pub(crate) infos: usize,
    pub(crate) hints: usize,
    pub(crate) engine: Engine,
}

pub(crate) fn run(args: &CheckArgs) -> Result<Verdict, CannotRun> {
    let here = current_dir()?;
    let mut db = Database::default();
    let dir = args.project.as_deref().or(args.dir.as_deref());
    let projects = load_all(&mut db, dir)?;
    compute(&db, &projects);
    let mut summary = Summary { projects: projects.len(), ..Summary::default() };
    if !args.offline {
        summary.engine = engine::ask(&mut db, &projects);
        compute(&db, &projects);
    }
    let mut reports = Vec::new();
    for loaded in &projects {
        reports.extend(configuration(&here, loaded));
        for file in loaded.project.files(&db).iter() {
            if *file.content(&db) == Content::Deleted {
                continue;
            }
            summary.files += 1;
            let path =
                |file: headwater_analysis::File| display_path(&here, &loaded.root.path.join(file.path(&db)));
            let findings: Vec<_> = diagnostics(&db, *file)
                .iter()
                .map(|d| Finding {
                    diagnostic: d.clone(),
                    related: d
                        .related
                        .iter()
                        .map(|r| RelatedPlace {
                            path: path(r.file),
                            text: r.file.text(&db),
                            range: r.range,
                            message: r.message.clone(),
                        })
                        .collect(),
                })
                .collect();
            if !findings.is_empty() {
                reports.push(Report { path: path(*file), text: file.text(&db), findings });
            }
        }
    }
    for finding in reports.iter().flat_map(|r| &r.findings) {
        match finding.diagnostic.severity {
            Severity::Error => summary.errors += 1,
            Severity::Warning => summary.warnings += 1,
            Severity::Info => summary.infos += 1,
            Severity::Hint => summary.hints += 1,
            Severity::Off => {}
        }
    }
    print(&match args.format {
        CheckFormat::Human => render::human(&reports, &summary),
        CheckFormat::Json => render::json(&reports, &summary),
        CheckFormat::Github => render::github(&reports, &summary),
        CheckFormat::Sarif => render::sarif(&reports),
    });
    let faults = summary.errors > 0 || args.deny_warnings && summary.warnings > 0;
    Ok(if faults { Verdict::Faults } else { Verdict::Fine })
}

/// Computes every diagnostic on all cores; the database remembers them. SQL nests, so threads get room for it.
fn compute(db: &Database, projects: &[Loaded]) {
    const STACK: usize = 16 * 1024 * 1024;
    let mut files: Vec<_> = projects.iter().flat_map(|p| p.project.files(db).iter().copied()).collect();
    // Whoever reads a data source is asked for its unused columns: pipes first, while their trees are at hand.
    files.sort_by_key(|file| file.kind(db) != Some(FileKind::Pipe));
    let threads = std::thread::available_parallelism().map_or(1, usize::from).min(8);
    let next = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            let (db, files, next) = (db.clone(), &files, &next);
            let work = move || {
                while let Some(file) = files.get(next.fetch_add(1, Ordering::Relaxed)) {
                    diagnostics(&db, *file);
                }
            };
            // A thread that cannot be had is made up for when the reports are collected.
            let _ = std::thread::Builder::new().stack_size(STACK).spawn_scoped(scope, work);
        }
    });
}

/// What `headwater.toml` gets wrong.
fn configuration(here: &camino::Utf8Path, loaded: &Loaded) -> Option<Report> {
    if loaded.config_problems.is_empty() {
        return None;
    }
    let code = invalid_configuration();
    let findings = loaded.config_problems.iter().map(|p| Finding {
        diagnostic: Diagnostic {
            code,
            severity: code.severity,
            message: p.message.clone(),
            range: p.range.unwrap_or(TextRange::empty(TextSize::from(0))),
            tags: Vec::new(),
            related: Vec::new(),
            meant: None,
            remedy: None,
        },
        related: Vec::new(),
    });
    Some(Report {
        path: display_path(here, &loaded.root.config_path()),
        text: loaded.config_text.clone().unwrap_or_default().into(),
        findings: findings.collect(),
    })
}
