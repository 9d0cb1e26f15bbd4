//! `cargo xtask format-eval DIR…`: what the formatter promises, over every datafile below some folders.
//!
//! Every file is laid out with several options and twice. The second time nothing may change; the tree of every query
//! must be what it was, and so must what a template renders to, for requests that reach each of its arms; comments,
//! directives and values must be the same; the edits must make the new text of the old.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use headwater_format::testing::{Counts, compare, difference};
use headwater_format::{Options, Reason, format, format_edits};
use headwater_syntax::{Dialect, FileKind};

/// What to do.
pub(crate) struct Arguments {
    folders: Vec<PathBuf>,
    worst: usize,
    /// Print every file laid out.
    show: bool,
    width: Option<usize>,
}

impl Arguments {
    /// Reads `DIR… [--worst N] [--show] [--width N]`.
    pub(crate) fn parse(args: &[String]) -> Result<Self> {
        let mut out = Self { folders: Vec::new(), worst: 20, show: false, width: None };
        let mut args = args.iter();
        while let Some(arg) = args.next() {
            match arg.as_str() {
                "--worst" => out.worst = args.next().context("--worst needs a number")?.parse()?,
                "--width" => out.width = Some(args.next().context("--width needs a number")?.parse()?),
                "--show" => out.show = true,
                folder => out.folders.push(folder.into()),
            }
        }
        ensure!(!out.folders.is_empty(), "format-eval needs a folder with datafiles");
        Ok(out)
    }
}

#[derive(Default)]
struct Tally {
    files: usize,
    bytes: usize,
    changed: usize,
    long_lines: usize,
    lines: usize,
    blocks: usize,
    counts: Counts,
    skipped: BTreeMap<Reason, Vec<String>>,
    faults: Vec<String>,
    time: Duration,
}

/// Lays everything out and prints what came of it; an error when a promise is broken.
pub(crate) fn run(arguments: &Arguments) -> Result<()> {
    let mut tally = Tally::default();
    let mut files = Vec::new();
    for folder in &arguments.folders {
        collect(folder, &mut files)?;
    }
    files.sort();
    for path in &files {
        let Ok(bytes) = std::fs::read(path) else { continue };
        let Ok(text) = String::from_utf8(bytes) else { continue };
        let Some(kind) = path.extension().and_then(|e| e.to_str()).and_then(FileKind::from_extension) else {
            continue;
        };
        let dialect =
            if kind == FileKind::Include || text.contains("\nVERSION ") || text.starts_with("VERSION ") {
                Dialect::Classic
            } else {
                Dialect::Forward
            };
        file(path, &text, kind, dialect, arguments, &mut tally);
    }
    report(&tally, arguments.worst);
    ensure!(tally.files > 0, "there are no datafiles");
    ensure!(tally.faults.is_empty(), "{} promises are broken", tally.faults.len());
    Ok(())
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) -> Result<()> {
    for entry in std::fs::read_dir(folder).with_context(|| format!("{} cannot be read", folder.display()))? {
        let entry = entry?;
        let (path, kind) = (entry.path(), entry.file_type()?);
        if kind.is_dir() && entry.file_name() != ".git" {
            collect(&path, files)?;
        } else if kind.is_file()
            && path.extension().and_then(|e| e.to_str()).and_then(FileKind::from_extension).is_some()
        {
            files.push(path);
        }
    }
    Ok(())
}

fn file(path: &Path, text: &str, kind: FileKind, dialect: Dialect, arguments: &Arguments, tally: &mut Tally) {
    let name = path.display().to_string();
    tally.files += 1;
    tally.bytes += text.len();
    let plain = Options { width: arguments.width.unwrap_or(Options::default().width), ..Options::default() };
    let narrow = Options { width: 40, indent: 2, ..plain };
    let wide = Options { width: 1000, align: false, ..plain };
    for options in [plain, narrow, wide] {
        let begin = Instant::now();
        let once = format(text, kind, dialect, &options);
        let first = options == plain;
        if first {
            tally.time += begin.elapsed();
            tally.changed += usize::from(once.text != text);
            tally.blocks += text.matches(" >\n").count();
            let long = |line: &&str| line.chars().count() > options.width;
            tally.long_lines += once.text.lines().filter(long).count();
            tally.lines += once.text.lines().count();
            for skipped in &once.skipped {
                let line = text[..usize::from(skipped.range.start())].matches('\n').count() + 1;
                tally.skipped.entry(skipped.reason).or_default().push(format!("{name}:{line}"));
            }
            if arguments.show {
                println!("==== {name}\n{}", once.text);
            }
        }
        let twice = format(&once.text, kind, dialect, &options);
        if twice.text != once.text {
            tally.faults.push(format!(
                "{name}: not idempotent ({}): {}",
                options.width,
                difference(&once.text, &twice.text)
            ));
        }
        let mut edited = text.to_owned();
        for edit in format_edits(text, kind, dialect, &options, None).iter().rev() {
            edited.replace_range(std::ops::Range::<usize>::from(edit.range), &edit.text);
        }
        if edited != once.text {
            tally.faults.push(format!("{name}: the edits do not make the layout"));
        }
        if let Err(fault) = compare(text, &once.text, kind, dialect, &mut tally.counts) {
            tally.faults.push(format!("{name} ({}): {fault}", options.width));
        }
    }
}

fn report(tally: &Tally, worst: usize) {
    println!(
        "{} files, {} bytes: {} change; {} blocks; {} lines, {} of them too long; {} queries and {} renderings compared; {:.1} MB/s",
        tally.files,
        tally.bytes,
        tally.changed,
        tally.blocks,
        tally.lines,
        tally.long_lines,
        tally.counts.queries,
        tally.counts.renderings,
        tally.bytes as f64 / tally.time.as_secs_f64() / 1e6,
    );
    for (reason, places) in &tally.skipped {
        println!("{} blocks left alone: {reason}", places.len());
        for place in places.iter().take(worst) {
            println!("    {place}");
        }
    }
    println!("{} broken promises", tally.faults.len());
    for fault in tally.faults.iter().take(worst) {
        println!("    {fault}");
    }
}
