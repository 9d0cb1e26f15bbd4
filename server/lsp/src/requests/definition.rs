//! `textDocument/definition`.

use serde::Serialize;
use tower_lsp::gen_lsp_types::{Location, LocationLink, TextDocumentPositionParams};

use crate::snapshot::Snapshot;

#[derive(Serialize)]
#[serde(untagged)]
pub(crate) enum Definition {
    Links(Vec<LocationLink>),
    Locations(Vec<Location>),
}

pub(crate) fn run(snapshot: &Snapshot, params: &TextDocumentPositionParams) -> Option<Definition> {
    let (file, offset) = snapshot.place(params)?;
    let targets = headwater_ide::definition(&snapshot.db, file, offset);
    Some(if snapshot.profile.definition_links {
        Definition::Links(targets.iter().map(|target| snapshot.link(target)).collect())
    } else {
        Definition::Locations(targets.iter().map(|target| snapshot.location(target)).collect())
    })
}
