//! `headwater mock`: made-up rows for a data source.

use std::io::Write as _;

use headwater_analysis::{Database, FileKind, names, scope};
use headwater_engine::compile::{Clock, Compiler, Options};
use headwater_engine::mock::{MockOptions, mock};

use crate::args::MockArgs;
use crate::project::{current_dir, display_path, load_one};
use crate::{CannotRun, Verdict, print};

pub(crate) fn run(args: &MockArgs) -> Result<Verdict, CannotRun> {
    let now = args.now.parse::<Clock>().map_err(|error| CannotRun(format!("--now: {error}")))?;
    let mut db = Database::default();
    let loaded = load_one(&mut db, args.project.as_deref())?;
    let compiler = Compiler::new(&db, loaded.project, Options::default());
    let Some(file) = compiler.source(&args.name) else {
        let names = names(&db, loaded.project);
        let is_source = |name: &&str| matches!(scope::resolve_table(names, name), scope::Resolution::Resource(f) if f.kind(&db) == Some(FileKind::Datasource));
        let mut known: Vec<&str> = names.table_names().filter(is_source).collect();
        known.sort_unstable();
        let known = known.join(", ");
        return Err(CannotRun(format!(
            "`{}` is no data source of this project; there are: {known}",
            args.name
        )));
    };
    let table = compiler.table(file).map_err(|error| CannotRun(error.to_string()))?;
    let options = MockOptions { rows: args.rows, seed: args.seed, now };
    if !args.write {
        let mut out = std::io::BufWriter::new(std::io::stdout().lock());
        // A reader that went away (`| head`) is no failure.
        mock(&args.name, &table, options, |row| drop(writeln!(out, "{row}")))
            .map_err(|error| CannotRun(error.to_string()))?;
        let _ = out.flush();
        return Ok(Verdict::Fine);
    }
    let folder = loaded.root.path.join("fixtures");
    let path = folder.join(format!("{}.ndjson", args.name));
    let fail = |e: std::io::Error| CannotRun(format!("{path} cannot be written: {e}"));
    std::fs::create_dir_all(&folder).map_err(fail)?;
    if path.exists() {
        return Err(CannotRun(format!(
            "{path} is there already; move it away, or print the rows without --write"
        )));
    }
    let mut text = String::new();
    mock(&args.name, &table, options, |row| {
        text.push_str(row);
        text.push('\n');
    })
    .map_err(|error| CannotRun(error.to_string()))?;
    std::fs::write(&path, text).map_err(fail)?;
    print(&format!("{} rows in {}\n", args.rows, display_path(&current_dir()?, &path)));
    Ok(Verdict::Fine)
}
