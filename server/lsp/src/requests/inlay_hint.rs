//! `textDocument/inlayHint`, and `inlayHint/resolve` for what is said about one.

use headwater_analysis::{HintKind, TextRange};
use serde::Deserialize;
use serde_json::{Value, json};
use tower_lsp::gen_lsp_types::{Range, TextDocumentIdentifier};

use crate::position::line_index;
use crate::snapshot::Snapshot;

/// The parameters of the request.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Params {
    text_document: TextDocumentIdentifier,
    range: Range,
}

pub(crate) fn run(snapshot: &Snapshot, params: &Params) -> Option<Vec<Value>> {
    let uri = &params.text_document.uri.0;
    let file = snapshot.file(uri)?;
    let index = line_index(&snapshot.db, file, snapshot.profile.encoding);
    let (start, end) = (index.offset(params.range.start), index.offset(params.range.end));
    let range = TextRange::new(start.min(end), end.max(start));
    let hints = headwater_ide::inlay_hints(&snapshot.db, file, range).into_iter().map(|hint| {
        let mut value = json!({
            "position": index.position(hint.offset),
            "label": hint.label,
            "paddingLeft": hint.kind == HintKind::Impact,
        });
        if hint.kind == HintKind::Type {
            value["kind"] = json!(1);
        }
        if snapshot.profile.resolves_hints {
            value["data"] = json!({ "uri": uri, "offset": u32::from(hint.offset) });
        }
        value
    });
    Some(hints.collect())
}

#[derive(Deserialize)]
struct Data {
    uri: String,
    offset: u32,
}

/// The hint comes back with a tooltip: the hover of what stands before it.
pub(crate) fn resolve(snapshot: &Snapshot, hint: &Value) -> Value {
    let mut hint = hint.clone();
    let Ok(data) = Data::deserialize(&hint["data"]) else { return hint };
    let Some(file) = snapshot.file(&data.uri) else { return hint };
    let length = u32::try_from(file.text(&snapshot.db).len()).unwrap_or(u32::MAX);
    // The hint stands behind the type of a column, or behind a value: the name is before it on the line.
    let text = file.text(&snapshot.db);
    let at = usize::try_from(data.offset.min(length)).unwrap_or(0);
    let before = text.get(..at).unwrap_or_default();
    let line = before.rfind('\n').map_or(0, |n| n + 1);
    let first = line + before[line..].find(|c: char| !c.is_whitespace() && c != '`').unwrap_or(0);
    let places = [u32::try_from(at).unwrap_or(0), u32::try_from(first).unwrap_or(0)];
    let is_type = hint["kind"] == 1;
    let place = if is_type { places[0] } else { places[1] };
    if let Some(hover) = headwater_ide::hover(&snapshot.db, file, place.into(), snapshot.now) {
        let kind = if snapshot.profile.markdown { "markdown" } else { "plaintext" };
        hint["tooltip"] = json!({ "kind": kind, "value": hover.markdown });
    }
    hint
}
