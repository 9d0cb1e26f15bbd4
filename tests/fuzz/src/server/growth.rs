//! Time of what the server computes about one file.

use camino::Utf8PathBuf;
use headwater_analysis::{Content, Database, File, Project, Setter, TextSize, diagnostics, graph};
use headwater_ide::{code_lenses, document_links, document_symbols, folding_ranges, hover};

use crate::growth::Function;

/// Functions of the server target: everything a client asks about a document.
pub const FUNCTIONS: &[Function] = &[
    ("diagnostics of a pipe", |text| pipe(text, |db, f| drop(diagnostics(db, f).clone()))),
    ("diagnostics of a data source", |text| {
        with("a.datasource", text, |db, f| drop(diagnostics(db, f).clone()));
    }),
    ("graph", |text| pipe(text, |db, f| drop(graph(db, f.project(db)).clone()))),
    ("document symbols", |text| pipe(text, |db, f| drop(document_symbols(db, f)))),
    ("folding ranges", |text| pipe(text, |db, f| drop(folding_ranges(db, f)))),
    ("code lenses", |text| pipe(text, |db, f| drop(code_lenses(db, f)))),
    ("document links", |text| pipe(text, |db, f| drop(document_links(db, f)))),
    ("hover", |text| pipe(text, |db, f| drop(hover(db, f, TextSize::from(6), None)))),
];

fn pipe(text: &str, ask: fn(&Database, File)) {
    with("a.pipe", text, ask);
}

fn with(path: &str, text: &str, ask: fn(&Database, File)) {
    let mut db = Database::default();
    let project = Project::empty(&db, Utf8PathBuf::from("/p"));
    let file = File::new(&db, project, path.into(), Content::Text(text.into()));
    project.set_files(&mut db).to(vec![file].into());
    ask(&db, file);
}
