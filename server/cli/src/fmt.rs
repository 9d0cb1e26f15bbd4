//! `headwater fmt`: lays datafiles out.

use std::io::Read;
use std::sync::Arc;

use camino::{Utf8Path, Utf8PathBuf};
use headwater_analysis::{Content, Database, Dialect, FileKind, dialect};
use headwater_format::{Formatted, Options, format};
use headwater_project::{Loaded, OsFileSystem, discover, load, read_content};
use serde_json::{Value, json};

use crate::args::{FmtArgs, TextFormat};
use crate::lines::Lines;
use crate::project::{current_dir, display_path, load_all};
use crate::{CannotRun, Verdict, print};

/// A file to lay out.
struct Input {
    /// As shown.
    name: String,
    path: Utf8PathBuf,
    text: Arc<str>,
    kind: FileKind,
    dialect: Dialect,
    options: Options,
}

/// Everything that was asked for.
#[derive(Default)]
struct Inputs {
    files: Vec<Input>,
    /// Files without text, and why.
    unreadable: Vec<(String, String)>,
}

pub(crate) fn run(args: &FmtArgs) -> Result<Verdict, CannotRun> {
    if args.reads_stdin() {
        return filter(args);
    }
    let here = current_dir()?;
    let mut inputs = Inputs::default();
    if args.paths.is_empty() {
        inputs.folder(&here, args.project.as_deref(), None)?;
    }
    for path in &args.paths {
        let path = headwater_project::path_of(&here.join(path));
        if path.is_dir() {
            inputs.folder(&here, Some(&path), Some(&path))?;
        } else {
            inputs.file(&here, &path)?;
        }
    }
    inputs.files.sort_by(|a, b| a.path.cmp(&b.path));
    inputs.files.dedup_by(|a, b| a.path == b.path);
    finish(args, &inputs)
}

/// Lays standard input out, to standard output.
fn filter(args: &FmtArgs) -> Result<Verdict, CannotRun> {
    let here = current_dir()?;
    let name = args.stdin_filename.clone().unwrap_or_default();
    let path = headwater_project::path_of(&here.join(&name));
    let kind = kind_of(&path)?;
    let mut text = String::new();
    let read = std::io::stdin().read_to_string(&mut text);
    read.map_err(|error| CannotRun(format!("standard input cannot be read: {error}")))?;
    let mut db = Database::default();
    let loaded = project_of(&mut db, &path);
    let (dialect, options) = choices(&db, loaded.as_ref());
    let input = Input { name: name.into_string(), path, text: text.into(), kind, dialect, options };
    if args.check || args.diff {
        return finish(args, &Inputs { files: vec![input], unreadable: Vec::new() });
    }
    let formatted = lay_out(&input);
    for note in notes(&input, &formatted) {
        eprint!("{note}");
    }
    print(&formatted.text);
    Ok(Verdict::Fine)
}

impl Inputs {
    /// The files of every project at, above or below `dir`, of those that lie below `only`.
    fn folder(
        &mut self,
        here: &Utf8Path,
        dir: Option<&Utf8Path>,
        only: Option<&Utf8Path>,
    ) -> Result<(), CannotRun> {
        let mut db = Database::default();
        for loaded in load_all(&mut db, dir)? {
            let (dialect, options) = choices(&db, Some(&loaded));
            for file in loaded.project.files(&db).iter() {
                let Some(kind) = file.kind(&db) else { continue };
                let path = loaded.root.path.join(file.path(&db));
                // What other workspaces share belongs to them.
                let vendored = file.path(&db).starts_with("vendor");
                let below = only.is_none_or(|only| path.starts_with(only));
                if !below || vendored && only.is_none_or(|only| only == loaded.root.path) {
                    continue;
                }
                let name = display_path(here, &path);
                self.add(name, path, file.content(&db), kind, dialect, options);
            }
        }
        Ok(())
    }

    /// One file, by the rules of the project that it lies in.
    fn file(&mut self, here: &Utf8Path, path: &Utf8Path) -> Result<(), CannotRun> {
        let kind = kind_of(path)?;
        let mut db = Database::default();
        let loaded = project_of(&mut db, path);
        let (dialect, options) = choices(&db, loaded.as_ref());
        let content = read_content(&OsFileSystem, path);
        if content == Content::Deleted {
            return Err(CannotRun(format!("there is no file {path}")));
        }
        self.add(display_path(here, path), path.to_owned(), &content, kind, dialect, options);
        Ok(())
    }

    fn add(
        &mut self,
        name: String,
        path: Utf8PathBuf,
        content: &Content,
        kind: FileKind,
        dialect: Dialect,
        options: Options,
    ) {
        match content {
            Content::Text(text) => {
                self.files.push(Input { name, path, text: text.clone(), kind, dialect, options });
            }
            Content::Unreadable(reason) => self.unreadable.push((name, reason.to_string())),
            Content::Deleted => {}
        }
    }
}

fn project_of(db: &mut Database, path: &Utf8Path) -> Option<Loaded> {
    let root = discover(&OsFileSystem, path.parent()?)?;
    Some(load(db, &OsFileSystem, &root))
}

fn choices(db: &Database, loaded: Option<&Loaded>) -> (Dialect, Options) {
    loaded.map_or((Dialect::default(), Options::default()), |loaded| {
        (dialect(db, loaded.project).dialect, loaded.project.config(db).format)
    })
}

fn kind_of(path: &Utf8Path) -> Result<FileKind, CannotRun> {
    path.extension().and_then(FileKind::from_extension).ok_or_else(|| {
        CannotRun(format!(
            "{path} is no datafile: name a .datasource, .pipe, .connection, .incl or .token file"
        ))
    })
}

fn lay_out(input: &Input) -> Formatted {
    format(&input.text, input.kind, input.dialect, &input.options)
}

fn finish(args: &FmtArgs, inputs: &Inputs) -> Result<Verdict, CannotRun> {
    let mut out = String::new();
    let mut files = Vec::new();
    let (mut changed, mut skipped) = (0, 0);
    for input in &inputs.files {
        let formatted = lay_out(input);
        let differs = formatted.text != *input.text;
        changed += usize::from(differs);
        skipped += formatted.skipped.len();
        if differs && args.diff {
            out += &unified(input, &formatted.text);
        } else if differs {
            out += &format!("{}\n", input.name);
        }
        if differs && !args.check && !args.diff {
            std::fs::write(&input.path, &formatted.text)
                .map_err(|error| CannotRun(format!("{} cannot be written: {error}", input.path)))?;
        }
        if args.format == TextFormat::Json {
            files.push(as_json(input, &formatted, differs));
        } else if !args.diff {
            out.extend(notes(input, &formatted));
        }
    }
    for (name, reason) in &inputs.unreadable {
        eprintln!("{name}: {reason}");
    }
    let total = inputs.files.len();
    match args.format {
        TextFormat::Json => {
            let summary = json!({
                "files": total, "changed": changed, "skipped": skipped, "unreadable": inputs.unreadable.len(),
            });
            print(&format!("{}\n", json!({ "files": files, "summary": summary })));
        }
        TextFormat::Human if args.diff => print(&out),
        TextFormat::Human => {
            let of = |count: usize| format!("{count} of {total} files");
            let verb = if args.check { "would be laid out anew" } else { "laid out anew" };
            let left = if skipped > 0 { format!("; {skipped} blocks left alone") } else { String::new() };
            print(&format!("{out}{} {verb}{left}\n", of(changed)));
        }
    }
    let faults = !inputs.unreadable.is_empty() || (args.check || args.diff) && changed > 0;
    Ok(if faults { Verdict::Faults } else { Verdict::Fine })
}

/// A line for each block that was left alone.
fn notes(input: &Input, formatted: &Formatted) -> Vec<String> {
    let lines = Lines::new(&input.text);
    let note = |skipped: &headwater_format::Skipped| {
        let (line, _) = lines.position(skipped.range.start());
        format!("{}:{}: left alone: {}\n", input.name, line + 1, skipped.reason)
    };
    formatted.skipped.iter().map(note).collect()
}

fn as_json(input: &Input, formatted: &Formatted, changed: bool) -> Value {
    let lines = Lines::new(&input.text);
    let skipped: Vec<_> = formatted
        .skipped
        .iter()
        .map(|s| json!({ "range": lines.json_range(s.range), "reason": s.reason.to_string() }))
        .collect();
    json!({ "path": input.name, "changed": changed, "skipped": skipped })
}

fn unified(input: &Input, after: &str) -> String {
    let diff = similar::TextDiff::from_lines(&*input.text, after);
    let (old, new) = (format!("a/{}", input.name), format!("b/{}", input.name));
    diff.unified_diff().header(&old, &new).to_string()
}
