//! `textDocument/rename` with its preparation, and `workspace/willRenameFiles`.

use serde::Deserialize;
use serde_json::{Value, json};
use tower_lsp::gen_lsp_types::TextDocumentPositionParams;
use tower_lsp::jsonrpc::{Error, ErrorCode};

use crate::snapshot::Snapshot;

/// `RequestFailed`: the request was right, and the answer is no. Clients show its message.
const REQUEST_FAILED: i64 = -32803;

fn refused(why: String) -> Error {
    Error { code: ErrorCode::ServerError(REQUEST_FAILED), message: why.into(), data: None }
}

pub(crate) fn prepare(snapshot: &Snapshot, params: &TextDocumentPositionParams) -> Result<Value, Error> {
    let Some((file, offset)) = snapshot.place(params) else { return Ok(Value::Null) };
    let found = headwater_ide::prepare_rename(&snapshot.db, file, offset).map_err(|r| refused(r.0))?;
    Ok(json!({ "range": snapshot.range(file, found.range), "placeholder": found.name }))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Params {
    #[serde(flatten)]
    place: TextDocumentPositionParams,
    new_name: String,
}

pub(crate) fn run(snapshot: &Snapshot, params: &Params) -> Result<Value, Error> {
    let Some((file, offset)) = snapshot.place(&params.place) else { return Ok(Value::Null) };
    let change =
        headwater_ide::rename(&snapshot.db, file, offset, &params.new_name).map_err(|r| refused(r.0))?;
    snapshot.workspace_edit(file.project(&snapshot.db), &change).ok_or_else(|| {
        refused("this editor cannot rename files from here; rename the file in its explorer".into())
    })
}

#[derive(Deserialize)]
pub(crate) struct RenamedFiles {
    files: Vec<RenamedFile>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RenamedFile {
    old_uri: String,
    new_uri: String,
}

pub(crate) fn will_rename_files(snapshot: &Snapshot, params: &RenamedFiles) -> Value {
    let db = &snapshot.db;
    let mut edits = Value::Null;
    for (root, project) in &snapshot.world.projects {
        let moved: Vec<_> = params
            .files
            .iter()
            .filter_map(|f| {
                let file = snapshot.file(&f.old_uri).filter(|file| file.project(db) == *project)?;
                let to = crate::uri::to_path(&f.new_uri)?;
                Some((file, to.strip_prefix(root).ok()?.to_owned()))
            })
            .collect();
        let change = headwater_ide::will_rename(db, &moved);
        if !change.is_empty() && edits.is_null() {
            edits = snapshot.workspace_edit(*project, &change).unwrap_or_default();
        }
    }
    edits
}
