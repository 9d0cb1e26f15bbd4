//! Call hierarchy (lineage of resources) and type hierarchy (lineage of columns).

use headwater_analysis::{File, Vertex};
use headwater_ide::{ColumnItem, FlowCall, FlowItem};
use serde::Deserialize;
use serde_json::{Value, json};
use tower_lsp::gen_lsp_types::TextDocumentPositionParams;

use crate::convert::symbol_kind;
use crate::snapshot::Snapshot;

#[derive(Deserialize)]
pub(crate) struct Item {
    item: Inner,
}

#[derive(Deserialize)]
struct Inner {
    uri: String,
    data: Option<Data>,
}

#[derive(Deserialize)]
struct Data {
    node: Option<usize>,
    column: Option<String>,
}

/// What a client's item stands for now.
fn vertex(snapshot: &Snapshot, item: &Item) -> Option<Vertex> {
    let file = snapshot.file(&item.item.uri)?;
    let node = item.item.data.as_ref().and_then(|d| d.node);
    let count = headwater_analysis::interface(&snapshot.db, file).as_ref().map_or(0, |f| f.nodes.len());
    // The text may have changed since.
    node.is_none_or(|n| n < count).then_some(Vertex { file, node })
}

fn ranges(snapshot: &Snapshot, file: File, target: &headwater_ide::Target) -> (Value, Value) {
    let whole = target.range.cover(target.focus);
    (json!(snapshot.range(file, whole)), json!(snapshot.range(file, target.focus)))
}

fn flow(snapshot: &Snapshot, item: &FlowItem) -> Value {
    let (range, selection) = ranges(snapshot, item.target.file, &item.target);
    json!({
        "name": item.name, "kind": symbol_kind(item.kind), "detail": item.detail,
        "uri": snapshot.file_uri(item.target.file), "range": range, "selectionRange": selection,
        "data": { "node": item.vertex.node },
    })
}

pub(crate) fn prepare_calls(snapshot: &Snapshot, params: &TextDocumentPositionParams) -> Option<Vec<Value>> {
    let (file, offset) = snapshot.place(params)?;
    let item = headwater_ide::flow_item(&snapshot.db, file, offset)?;
    Some(vec![flow(snapshot, &item)])
}

pub(crate) fn incoming(snapshot: &Snapshot, item: &Item) -> Option<Vec<Value>> {
    let vertex = vertex(snapshot, item)?;
    let calls = headwater_ide::readers(&snapshot.db, vertex);
    Some(calls.iter().map(|c| call(snapshot, c, c.item.target.file, "from")).collect())
}

pub(crate) fn outgoing(snapshot: &Snapshot, item: &Item) -> Option<Vec<Value>> {
    let vertex = vertex(snapshot, item)?;
    let calls = headwater_ide::sources(&snapshot.db, vertex);
    Some(calls.iter().map(|c| call(snapshot, c, vertex.file, "to")).collect())
}

fn call(snapshot: &Snapshot, call: &FlowCall, places_in: File, side: &str) -> Value {
    let places: Vec<_> = call.places.iter().map(|range| json!(snapshot.range(places_in, *range))).collect();
    json!({ side: flow(snapshot, &call.item), "fromRanges": places })
}

fn column(snapshot: &Snapshot, item: &ColumnItem) -> Value {
    let (range, selection) = ranges(snapshot, item.target.file, &item.target);
    json!({
        // A field.
        "name": item.name, "kind": 8, "detail": item.detail,
        "uri": snapshot.file_uri(item.column.vertex.file), "range": range, "selectionRange": selection,
        "data": { "node": item.column.vertex.node, "column": item.column.column },
    })
}

pub(crate) fn prepare_types(snapshot: &Snapshot, params: &TextDocumentPositionParams) -> Option<Vec<Value>> {
    let (file, offset) = snapshot.place(params)?;
    let item = headwater_ide::column_item(&snapshot.db, file, offset)?;
    Some(vec![column(snapshot, &item)])
}

pub(crate) fn supertypes(snapshot: &Snapshot, item: &Item) -> Option<Vec<Value>> {
    let start = headwater_ide::column_of(
        &snapshot.db,
        vertex(snapshot, item)?,
        item.item.data.as_ref()?.column.as_ref()?,
    )?;
    Some(headwater_ide::made_of(&snapshot.db, &start).iter().map(|c| column(snapshot, c)).collect())
}

pub(crate) fn subtypes(snapshot: &Snapshot, item: &Item) -> Option<Vec<Value>> {
    let start = headwater_ide::column_of(
        &snapshot.db,
        vertex(snapshot, item)?,
        item.item.data.as_ref()?.column.as_ref()?,
    )?;
    Some(headwater_ide::goes_into(&snapshot.db, &start).iter().map(|c| column(snapshot, c)).collect())
}
