//! `textDocument/documentSymbol`: a tree, or a flat list for clients that know only that.

use headwater_analysis::File;
use headwater_ide::Symbol;
use serde_json::{Value, json};

use super::DocumentParams;
use crate::convert::symbol_kind;
use crate::snapshot::Snapshot;

pub(crate) fn run(snapshot: &Snapshot, params: &DocumentParams) -> Option<Vec<Value>> {
    let file = snapshot.file(&params.text_document.uri.0)?;
    let symbols = headwater_ide::document_symbols(&snapshot.db, file);
    if snapshot.profile.hierarchical_symbols {
        return Some(symbols.iter().map(|symbol| nested(snapshot, file, symbol)).collect());
    }
    let mut list = Vec::new();
    flat(snapshot, file, &symbols, None, &mut list);
    Some(list)
}

fn nested(snapshot: &Snapshot, file: File, symbol: &Symbol) -> Value {
    let children: Vec<_> = symbol.children.iter().map(|child| nested(snapshot, file, child)).collect();
    // Clients refuse a tree whose name lies outside its whole.
    let range = symbol.range.cover(symbol.focus);
    let mut value = json!({
        "name": name(symbol),
        "kind": symbol_kind(symbol.kind),
        "range": snapshot.range(file, range),
        "selectionRange": snapshot.range(file, symbol.focus),
        "children": children,
    });
    if let Some(detail) = &symbol.detail {
        value["detail"] = json!(detail);
    }
    value
}

fn flat(snapshot: &Snapshot, file: File, symbols: &[Symbol], container: Option<&str>, list: &mut Vec<Value>) {
    for symbol in symbols {
        let mut value = json!({
            "name": name(symbol),
            "kind": symbol_kind(symbol.kind),
            "location": { "uri": snapshot.file_uri(file), "range": snapshot.range(file, symbol.range) },
        });
        if let Some(container) = container {
            value["containerName"] = json!(container);
        }
        list.push(value);
        flat(snapshot, file, &symbol.children, Some(&symbol.name), list);
    }
}

/// VS Code throws the whole outline away when one name is empty, which is what a name is while it is being typed.
fn name(symbol: &Symbol) -> &str {
    if symbol.name.is_empty() { "(unnamed)" } else { &symbol.name }
}
