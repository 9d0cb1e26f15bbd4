//! Habits that hurt later: accepted by the product, and rarely meant.

mod expiry;
mod reads;
mod secrets;

use std::sync::Arc;

use headwater_syntax::FileKind;

use super::{Diagnostic, Sink};
use crate::db::Db;
use crate::inputs::{Content, File};
use crate::parse::datafile;

/// The lints of a file. Those of queries depend on what is read through its columns and engine.
#[salsa::tracked]
pub(super) fn lints(db: &dyn Db, file: File) -> Arc<Vec<Diagnostic>> {
    let mut out = Vec::new();
    if matches!(file.content(db), Content::Text(_)) {
        let parsed = datafile(db, file);
        let mut sink = Sink::new(parsed, &mut out);
        match file.kind(db) {
            Some(FileKind::Datasource) => expiry::check(parsed, &mut sink),
            Some(FileKind::Pipe) => reads::check(db, file, parsed, &mut sink),
            Some(FileKind::Connection) => secrets::check(parsed, &mut sink),
            _ => {}
        }
    }
    Arc::new(out)
}
