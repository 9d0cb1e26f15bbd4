//! Questions to a server, and what must hold for any answer.

use headwater_lsp::testing::{TestClient, document, place};
use serde_json::{Value, json};

use super::model::{Model, Units, lines};
use super::play::uri;
use super::session::{ANCHOR, FILES, METHODS};
use crate::mutate::floor;

/// Answers: the method, the file, the result.
pub(super) type Seen = Vec<(String, String, Value)>;

/// Parameters of a request.
pub(super) fn parameters(method: &str, uri: &str, line: u32, character: u32) -> Value {
    match method {
        method if is_about_a_place(method) => match method {
            "textDocument/selectionRange" => {
                json!({ "textDocument": { "uri": uri }, "positions": [{ "line": line, "character": character }] })
            }
            "textDocument/codeAction" => {
                let here = json!({ "line": line, "character": character });
                json!({ "textDocument": { "uri": uri }, "range": { "start": here, "end": here }, "context": { "diagnostics": [] } })
            }
            _ => place(uri, line, character),
        },
        "textDocument/inlayHint" => {
            let whole = json!({ "start": { "line": 0, "character": 0 }, "end": { "line": 1_000_000, "character": 0 } });
            json!({ "textDocument": { "uri": uri }, "range": whole })
        }
        "textDocument/references" => {
            let mut params = place(uri, line, character);
            params["context"] = json!({ "includeDeclaration": line.is_multiple_of(2) });
            params
        }
        "workspace/symbol" => json!({ "query": if line.is_multiple_of(2) { "" } else { "e" } }),
        // With a file remembered that never was, there is something to answer; without, the server may wait for a change.
        "workspace/diagnostic" => {
            json!({ "previousResultIds": [{ "uri": "file:///p/none.pipe", "value": "none" }] })
        }
        _ => document(uri),
    }
}

/// Requests whose answer depends on where the cursor is.
fn is_about_a_place(method: &str) -> bool {
    matches!(
        method,
        "textDocument/hover"
            | "textDocument/definition"
            | "textDocument/completion"
            | "textDocument/signatureHelp"
            | "textDocument/documentHighlight"
            | "textDocument/prepareCallHierarchy"
            | "textDocument/prepareTypeHierarchy"
            | "textDocument/prepareRename"
            | "textDocument/selectionRange"
            | "textDocument/codeAction"
    )
}

/// Asks everything about every file.
pub(super) async fn everything(client: &mut TestClient, model: &Model) -> Seen {
    let mut seen = Vec::new();
    let mut asked = Vec::new();
    for method in METHODS.iter().filter(|m| **m != "headwater/status") {
        if method.starts_with("workspace/") {
            asked.push((*method, "", client.send(method, parameters(method, "", 0, 0)).await));
            continue;
        }
        for file in FILES.iter().chain([&ANCHOR.0]) {
            let about_places = is_about_a_place(method);
            let places = match model.text(file) {
                Some(text) if about_places => words(text, model.units),
                _ => vec![(0, 0)],
            };
            for (line, character) in places {
                let params = parameters(method, &uri(file), line, character);
                asked.push((*method, *file, client.send(method, params).await));
            }
        }
    }
    for (method, file, id) in asked {
        match client.answer(id).await {
            Ok(value) => seen.push((method.to_owned(), file.to_owned(), value)),
            // The reason is part of what is seen: an edited server must give the one that a fresh one gives.
            Err(error) if refuses(method, &error) => seen.push((method.to_owned(), file.to_owned(), error)),
            Err(error) => panic!("{method} of {file:?}, with nothing going on, is answered with {error}"),
        }
    }
    seen
}

/// Whether an error is the answer to a right request: what cannot be renamed is refused with a reason, which clients show.
pub(super) fn refuses(method: &str, error: &Value) -> bool {
    const REQUEST_FAILED: i64 = -32803;
    matches!(method, "textDocument/prepareRename" | "textDocument/rename")
        && error["code"].as_i64() == Some(REQUEST_FAILED)
        && error["message"].as_str().is_some_and(|m| !m.is_empty())
}

/// Some places worth asking about: behind the words of a text that often are names.
fn words(text: &str, units: Units) -> Vec<(u32, u32)> {
    let mut places = Vec::new();
    for (line, (_, content)) in lines(text).into_iter().enumerate() {
        for (at, _) in content.match_indices("FROM ").chain(content.match_indices("DATASOURCE ")) {
            let end = content[at..].find(' ').map_or(at, |n| at + n + 2).min(content.len());
            let column = units.len(&content[..floor(content, end)]);
            places.push((u32::try_from(line).unwrap_or(0), u32::try_from(column).unwrap_or(0)));
        }
    }
    places.truncate(6);
    places
}

/// Every range in an answer lies in the text it is about.
pub(super) fn valid(seen: &Seen, model: &Model) {
    for (method, file, value) in seen.iter().filter(|(_, file, _)| !file.is_empty()) {
        let text = if file == ANCHOR.0 { Some(ANCHOR.1) } else { model.text(file) };
        let Some(text) = text else { continue };
        let lines: Vec<u64> = lines(text).iter().map(|(_, line)| model.units.len(line)).collect();
        match method.as_str() {
            "textDocument/diagnostic" => own_ranges(method, &value["items"], &lines),
            "textDocument/documentSymbol" => {
                own_ranges(method, value, &lines);
                value.as_array().into_iter().flatten().for_each(nested);
            }
            "textDocument/codeLens" | "textDocument/documentLink" => own_ranges(method, value, &lines),
            "textDocument/foldingRange" => {
                for fold in value.as_array().into_iter().flatten() {
                    let (start, end) = (&fold["startLine"], &fold["endLine"]);
                    let ok = start.as_u64() <= end.as_u64() && end.as_u64() < Some(lines.len() as u64);
                    assert!(ok, "{file} has no fold {fold}");
                }
            }
            _ => {}
        }
    }
}

fn own_ranges(method: &str, list: &Value, lines: &[u64]) {
    for item in list.as_array().into_iter().flatten() {
        for key in ["range", "selectionRange"] {
            let Some(range) = item.get(key) else { continue };
            let (start, end) = (position(&range["start"]), position(&range["end"]));
            assert!(start <= end, "{method}: {range} ends before it starts");
            for (line, character) in [start, end] {
                let length = lines.get(usize::try_from(line).unwrap_or(usize::MAX));
                assert!(
                    length.is_some_and(|l| character <= *l),
                    "{method}: {range} is not in the text: {item}"
                );
            }
        }
        own_ranges(method, &item["children"], lines);
    }
}

/// A symbol's name lies in the symbol, its children too.
fn nested(symbol: &Value) {
    let range = |v: &Value| (position(&v["start"]), position(&v["end"]));
    let within = |inner: &Value, outer: &Value| {
        let (inner, outer) = (range(inner), range(outer));
        outer.0 <= inner.0 && inner.1 <= outer.1
    };
    assert!(within(&symbol["selectionRange"], &symbol["range"]), "a name outside of its symbol: {symbol}");
    for child in symbol["children"].as_array().into_iter().flatten() {
        assert!(within(&child["range"], &symbol["range"]), "a symbol outside of its parent: {symbol}");
        nested(child);
    }
}

fn position(value: &Value) -> (u64, u64) {
    let number = |key: &str| value[key].as_u64().unwrap_or(u64::MAX);
    (number("line"), number("character"))
}
