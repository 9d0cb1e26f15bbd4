//! `textDocument/definition` and its relatives.

use headwater_analysis::{Db, File, TextSize};
use headwater_ide::Target;
use serde::Serialize;
use tower_lsp::gen_lsp_types::{Location, LocationLink, TextDocumentPositionParams};

use crate::snapshot::Snapshot;

#[derive(Serialize)]
#[serde(untagged)]
pub(crate) enum Definition {
    Links(Vec<LocationLink>),
    Locations(Vec<Location>),
}

type Params = TextDocumentPositionParams;

pub(crate) fn run(snapshot: &Snapshot, params: &Params) -> Option<Definition> {
    answer(snapshot, params, headwater_ide::definition)
}

pub(crate) fn declaration(snapshot: &Snapshot, params: &Params) -> Option<Definition> {
    answer(snapshot, params, headwater_ide::declaration)
}

pub(crate) fn type_definition(snapshot: &Snapshot, params: &Params) -> Option<Definition> {
    answer(snapshot, params, headwater_ide::type_definition)
}

pub(crate) fn implementation(snapshot: &Snapshot, params: &Params) -> Option<Definition> {
    answer(snapshot, params, headwater_ide::implementation)
}

fn answer(
    snapshot: &Snapshot,
    params: &Params,
    ask: fn(&dyn Db, File, TextSize) -> Vec<Target>,
) -> Option<Definition> {
    let (file, offset) = snapshot.place(params)?;
    let targets = ask(&snapshot.db, file, offset);
    Some(if snapshot.profile.definition_links {
        Definition::Links(targets.iter().map(|target| snapshot.link(target)).collect())
    } else {
        Definition::Locations(targets.iter().map(|target| snapshot.location(target)).collect())
    })
}
