//! Time of what the server computes about one file.

use camino::Utf8PathBuf;
use headwater_analysis::{Content, Database, File, Project, Setter, TextSize};

use crate::growth::Function;

/// Functions of the server target: everything a client asks about a document.
pub const FUNCTIONS: &[Function] = &[
    ("diagnostics of a pipe", |text| {
        with_file("pipes/a.pipe", text, |db, f| drop(headwater_analysis::diagnostics(db, f).clone()))
    }),
    ("diagnostics of a data source", |text| {
        with_file("datasources/a.datasource", text, |db, f| {
            drop(headwater_analysis::diagnostics(db, f).clone())
        });
    }),
    ("graph", |text| {
        with_file("pipes/a.pipe", text, |db, f| {
            headwater_analysis::graph(db, f.project(db));
        })
    }),
    ("document symbols", |text| {
        with_file("pipes/a.pipe", text, |db, f| drop(headwater_ide::document_symbols(db, f)))
    }),
    ("folding ranges", |text| {
        with_file("pipes/a.pipe", text, |db, f| drop(headwater_ide::folding_ranges(db, f)))
    }),
    ("code lenses", |text| with_file("pipes/a.pipe", text, |db, f| drop(headwater_ide::code_lenses(db, f)))),
    ("document links", |text| {
        with_file("pipes/a.pipe", text, |db, f| drop(headwater_ide::document_links(db, f)))
    }),
    ("hover", |text| {
        with_file("pipes/a.pipe", text, |db, f| drop(headwater_ide::hover(db, f, TextSize::from(6))))
    }),
];

fn with_file(path: &str, text: &str, ask: fn(&Database, File)) {
    let mut db = Database::default();
    let project = Project::empty(&db, Utf8PathBuf::from("/p"));
    let file = File::new(&db, project, path.into(), Content::Text(text.into()));
    project.set_files(&mut db).to(vec![file].into());
    ask(&db, file);
}
