//! Who else names a resource: static tokens and test files. No rows flow along these, so they are no edges of the
//! [data flow](crate::flow).

use std::sync::Arc;

use headwater_syntax::FileKind;
use rustc_hash::FxHashMap;

use crate::db::Db;
use crate::facts::interface;
use crate::inputs::{Content, File, Project};
use crate::scope::names;

/// For each static token, the resources that grant it something: file and permission, in order of the project's files.
#[salsa::tracked]
pub fn grants(db: &dyn Db, project: Project) -> Arc<FxHashMap<String, Vec<(File, String)>>> {
    let mut grants: FxHashMap<String, Vec<(File, String)>> = FxHashMap::default();
    for file in project.files(db).iter() {
        let Some(face) = interface(db, *file) else { continue };
        for (token, permission) in &face.tokens {
            grants.entry(token.clone()).or_default().push((*file, permission.clone()));
        }
    }
    Arc::new(grants)
}

/// Whether a file is a fixture test: `tests/**/<pipe>.yaml` (specification §16.1).
pub fn is_test(db: &dyn Db, file: File) -> bool {
    let path = file.path(db);
    path.starts_with("tests") && matches!(path.extension(), Some("yaml" | "yml"))
}

/// The pipe that a test file is run against. Forward takes it from the file's name.
pub fn tested_pipe(db: &dyn Db, test: File) -> Option<File> {
    let pipe = names(db, test.project(db)).table(test.stem(db))?;
    (is_test(db, test) && pipe.kind(db) == Some(FileKind::Pipe)).then_some(pipe)
}

/// For each pipe, its test files.
#[salsa::tracked]
pub fn test_files(db: &dyn Db, project: Project) -> Arc<FxHashMap<File, Vec<File>>> {
    let mut tests: FxHashMap<File, Vec<File>> = FxHashMap::default();
    for file in project.files(db).iter().filter(|f| *f.content(db) != Content::Deleted) {
        if let Some(pipe) = tested_pipe(db, *file) {
            tests.entry(pipe).or_default().push(*file);
        }
    }
    Arc::new(tests)
}
