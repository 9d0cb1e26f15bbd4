//! `headwater parse`: how files are read.

use std::io::Read;
use std::sync::Arc;

use camino::Utf8Path;
use headwater_analysis::syntax::sql::{self, Statement};
use headwater_analysis::syntax::{Datafile, template};
use headwater_analysis::{Dialect, FileKind, TextRange};
use serde_json::{Value, json};

use crate::args::{ParseArgs, TextFormat};
use crate::{CannotRun, Verdict, print};

pub(crate) fn run(args: &ParseArgs) -> Result<Verdict, CannotRun> {
    let mut files = Vec::new();
    let (mut statements, mut errors) = (0, 0);
    for path in &args.files {
        let text = read(path)?;
        let found = if args.language.sql { of_sql(&text) } else { of_datafile(path, &text) };
        statements += found.len();
        errors += found.iter().map(|s| s.errors.len()).sum::<usize>();
        files.push((path, text, found));
    }
    match args.format {
        TextFormat::Json => {
            let files: Vec<_> = files
                .iter()
                .map(|(path, _, found)| json!({ "path": path.as_str(), "statements": found.iter().map(as_json).collect::<Vec<_>>() }))
                .collect();
            let summary = json!({ "files": files.len(), "statements": statements, "errors": errors });
            print(&format!("{}\n", json!({ "files": files, "summary": summary })));
        }
        TextFormat::Human => {
            let mut out = String::new();
            for (path, text, found) in &files {
                let lines = crate::lines::Lines::new(text);
                for statement in found {
                    let (line, _) = lines.position(statement.range.start());
                    out += &format!("{path}:{}: {}", line + 1, statement.kind);
                    if !statement.tables.is_empty() {
                        out += &format!(" of {}", statement.tables.join(", "));
                    }
                    out.push('\n');
                    for error in &statement.errors {
                        let (line, column) = lines.position(error.range.start());
                        out += &format!("{path}:{}:{}: {}\n", line + 1, column + 1, error.message);
                    }
                }
            }
            print(&format!("{out}{statements} statements, {errors} errors\n"));
        }
    }
    Ok(if errors > 0 { Verdict::Faults } else { Verdict::Fine })
}

fn read(path: &Utf8Path) -> Result<Arc<str>, CannotRun> {
    let mut bytes = Vec::new();
    let result = if path == "-" {
        std::io::stdin().read_to_end(&mut bytes).map(|_| ())
    } else {
        std::fs::read(path).map(|read| bytes = read)
    };
    result.map_err(|e| CannotRun(format!("{path} cannot be read: {e}")))?;
    let text = String::from_utf8(bytes);
    let text = text.map_err(|e| {
        CannotRun(format!("{path} is not UTF-8 (byte {}); save it as UTF-8", e.utf8_error().valid_up_to()))
    })?;
    Ok(text.into())
}

fn of_sql(text: &str) -> Vec<Statement> {
    if !template::is_template(text) {
        return sql::statements(text);
    }
    let tree = template::parse(text);
    let variants = headwater_template::variants(text, &tree).unwrap_or_default();
    variants.first().map(|v| sql::statements(&v.text)).unwrap_or_default()
}

/// Directives in order; those with SQL carry what their query holds, in offsets of the file.
fn of_datafile(path: &Utf8Path, text: &Arc<str>) -> Vec<Statement> {
    let kind = path.extension().and_then(FileKind::from_extension).unwrap_or(FileKind::Pipe);
    let datafile = Datafile::parse(text.clone(), kind, Dialect::Forward);
    let mut out = Vec::new();
    for entry in &datafile.entries {
        let name = entry.entry.directive.map_or(&text[entry.entry.keyword], |d| d.name());
        let mut statement = Statement::empty(name.to_owned(), entry.entry.full_range());
        if !entry.entry.valid_here {
            let message = format!("{name} is no directive of {} files", kind.noun());
            statement.errors.push(sql::SyntaxError { range: entry.entry.keyword, message });
        }
        if entry.entry.directive == Some(headwater_analysis::Directive::Sql)
            && let Some(block) = &entry.entry.block
        {
            let body = block.text(text);
            for inner in of_sql(&body.text) {
                let place = |range: TextRange| body.to_source(range);
                statement.errors.extend(
                    inner
                        .errors
                        .into_iter()
                        .map(|e| sql::SyntaxError { range: place(e.range), message: e.message }),
                );
                statement.functions.extend(inner.functions);
                statement.tables.extend(inner.tables);
                statement.identifiers.extend(inner.identifiers);
            }
        }
        out.push(statement);
    }
    out
}

fn as_json(statement: &Statement) -> Value {
    let errors: Vec<_> = statement
        .errors
        .iter()
        .map(|e| json!({ "start": usize::from(e.range.start()), "end": usize::from(e.range.end()), "message": e.message }))
        .collect();
    json!({
        "start": usize::from(statement.range.start()),
        "end": usize::from(statement.range.end()),
        "kind": statement.kind,
        "errors": errors,
        "functions": statement.functions,
        "tables": statement.tables,
        "identifiers": statement.identifiers,
    })
}
