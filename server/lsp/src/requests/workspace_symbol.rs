//! `workspace/symbol`.

use serde_json::{Value, json};
use tower_lsp::gen_lsp_types::WorkspaceSymbolParams;

use crate::convert::symbol_kind;
use crate::snapshot::Snapshot;

pub(crate) fn run(snapshot: &Snapshot, params: &WorkspaceSymbolParams) -> Vec<Value> {
    let mut list = Vec::new();
    for (_, project) in &snapshot.world.projects {
        for symbol in headwater_ide::workspace_symbols(&snapshot.db, *project, &params.query) {
            let mut value = json!({
                "name": symbol.name,
                "kind": symbol_kind(symbol.kind),
                "location": snapshot.location(&symbol.target),
            });
            if let Some(container) = symbol.container {
                value["containerName"] = json!(container);
            }
            list.push(value);
        }
    }
    list
}
