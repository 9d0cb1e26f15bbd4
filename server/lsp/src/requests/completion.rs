//! `textDocument/completion` and `completionItem/resolve`.

use headwater_ide::{CompletionItem, CompletionKind};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tower_lsp::gen_lsp_types::{Range, TextDocumentPositionParams, TextEdit};

use crate::position::line_index;
use crate::snapshot::Snapshot;

/// What brings up completion besides letters.
pub(crate) const TRIGGERS: &[&str] = &[".", " ", "(", "{", "%", "$", "@", ":", "`", "'", "\"", "=", "&"];

#[derive(Deserialize)]
pub(crate) struct Params {
    #[serde(flatten)]
    place: TextDocumentPositionParams,
    context: Option<Context>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Context {
    trigger_character: Option<String>,
}

/// The answer.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct List {
    is_incomplete: bool,
    items: Vec<Item>,
}

/// An item as the protocol has it.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Item {
    label: String,
    kind: u32,
    sort_text: String,
    text_edit: TextEdit,
    #[serde(skip_serializing_if = "Option::is_none")]
    insert_text_format: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    filter_text: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    label_details: Option<LabelDetails>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tags: Option<[u32; 1]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    data: Option<Data>,
}

#[derive(Serialize)]
struct LabelDetails {
    description: String,
}

/// What comes back with an item that is resolved.
#[derive(Serialize)]
struct Data {
    doc: String,
    uri: String,
}

pub(crate) fn run(snapshot: &Snapshot, params: &Params) -> Option<List> {
    let uri = &params.place.text_document.uri.0;
    let trigger = params.context.as_ref().and_then(|c| c.trigger_character.as_deref());
    let Some((file, offset)) = snapshot.place(&params.place) else {
        return Some(in_config(snapshot, snapshot.config_text(uri)?, params));
    };
    let found = headwater_ide::completion(&snapshot.db, file, offset);
    // A blank in the middle of a sentence must not open a list, only one behind a word that wants a name.
    let wants_name = found.items.first().is_some_and(|item| {
        use CompletionKind::{Connection, Node, Setting, Table, Token, Type, Value};
        matches!(item.kind, Connection | Node | Setting | Table | Token | Type | Value)
    });
    if trigger == Some(" ") && !wants_name {
        return None;
    }
    let index = line_index(&snapshot.db, file, snapshot.profile.encoding);
    let items = found.items.into_iter().enumerate().map(|(n, item)| {
        let range = index.range(item.replace);
        to_lsp(snapshot, item, n, range, uri)
    });
    Some(List { is_incomplete: found.is_incomplete, items: items.collect() })
}

fn in_config(snapshot: &Snapshot, text: &str, params: &Params) -> List {
    let index = crate::position::LineIndex::new(text.into(), snapshot.profile.encoding);
    let items = headwater_ide::config_completion(text, index.offset(params.place.position));
    let items = items.into_iter().enumerate().map(|(n, item)| {
        let range = index.range(item.replace);
        to_lsp(snapshot, item, n, range, &params.place.text_document.uri.0)
    });
    List { is_incomplete: false, items: items.collect() }
}

fn to_lsp(snapshot: &Snapshot, item: CompletionItem, rank: usize, range: Range, uri: &str) -> Item {
    let profile = &snapshot.profile;
    let is_snippet = item.is_snippet && profile.snippets;
    let new_text = if item.is_snippet && !is_snippet { plain(&item.insert) } else { item.insert };
    Item {
        label: item.label,
        kind: kind(item.kind),
        sort_text: format!("{rank:04}"),
        text_edit: TextEdit { range, new_text },
        insert_text_format: is_snippet.then_some(2),
        filter_text: item.filter,
        detail: item.detail,
        label_details: item
            .origin
            .filter(|_| profile.label_details)
            .map(|description| LabelDetails { description }),
        tags: (item.is_deprecated && profile.completion_tags).then_some([1]),
        data: item.doc.map(|doc| Data { doc, uri: uri.to_owned() }),
    }
}

/// `sum(${1:x})` without places.
fn plain(snippet: &str) -> String {
    let mut out = String::new();
    let mut rest = snippet;
    while let Some(at) = rest.find(['$', '\\', '}']) {
        out.push_str(&rest[..at]);
        let c = &rest[at..=at];
        rest = &rest[at + 1..];
        match c {
            "\\" => {
                let escaped = rest.chars().next();
                out.extend(escaped);
                rest = &rest[escaped.map_or(0, char::len_utf8)..];
            }
            "$" => match rest.strip_prefix('{') {
                // A choice is worth its first word.
                Some(inner) => {
                    let digits = inner.trim_start_matches(|c: char| c.is_ascii_digit());
                    rest = match digits.strip_prefix('|') {
                        Some(choices) => {
                            let end = choices.find("|}").unwrap_or(choices.len());
                            out.push_str(choices[..end].split(',').next().unwrap_or_default());
                            choices.get(end + 2..).unwrap_or_default()
                        }
                        None => digits.strip_prefix(':').unwrap_or(digits),
                    };
                }
                None => rest = rest.trim_start_matches(|c: char| c.is_ascii_digit()),
            },
            _ => {}
        }
    }
    out + rest
}

fn kind(kind: CompletionKind) -> u32 {
    match kind {
        CompletionKind::Directive | CompletionKind::Keyword => 14,
        CompletionKind::Value => 12,
        CompletionKind::Column => 5,
        CompletionKind::Alias | CompletionKind::Variable | CompletionKind::Parameter => 6,
        CompletionKind::Table => 7,
        CompletionKind::Node => 18,
        CompletionKind::Function => 3,
        CompletionKind::Type => 25,
        CompletionKind::Setting | CompletionKind::Key => 10,
        CompletionKind::Secret | CompletionKind::Token => 21,
        CompletionKind::Connection => 8,
        CompletionKind::Path => 17,
        CompletionKind::Snippet => 15,
    }
}

/// `completionItem/resolve`: the item comes back with its documentation.
pub(crate) fn resolve(snapshot: &Snapshot, item: &Value) -> Value {
    let mut item = item.clone();
    let doc = item.pointer("/data/doc").and_then(Value::as_str);
    let uri = item.pointer("/data/uri").and_then(Value::as_str).unwrap_or_default();
    let project = snapshot.file(uri).map(|file| file.project(&snapshot.db));
    let project = project.or_else(|| snapshot.world.projects.first().map(|(_, project)| *project));
    if let (Some(doc), Some(project)) = (doc, project)
        && let Some(text) = headwater_ide::documentation(&snapshot.db, project, doc)
    {
        let kind = if snapshot.profile.completion_markdown { "markdown" } else { "plaintext" };
        item["documentation"] = json!({ "kind": kind, "value": text });
    }
    item
}

#[cfg(test)]
mod tests {
    use super::plain;

    #[test]
    fn a_snippet_without_places_is_what_it_would_write() {
        for (snippet, text) in [
            ("sum($0)", "sum()"),
            ("f(${1:a}, ${2:'b'})", "f(a, 'b')"),
            ("x=${1|False,True|}", "x=False"),
            ("JSON(${1:n}, '${2:{\\}}')", "JSON(n, '{}')"),
            ("plain", "plain"),
        ] {
            assert_eq!(plain(snippet), text, "{snippet}");
        }
    }
}
