//! Documents and ranges laid out.

use headwater_lsp::testing::{document, opened};
use serde_json::{Value, json};

use crate::{EVENTS, Fixture, pull, uri};

/// What a client makes of `text` with these edits: UTF-16, all counted in the text before.
fn apply(text: &str, edits: &Value) -> String {
    let lines: Vec<&str> = text.split_inclusive('\n').collect();
    let offset = |place: &Value| {
        let line = place["line"].as_u64().unwrap() as usize;
        let units = place["character"].as_u64().unwrap() as usize;
        let start: usize = lines.iter().take(line).map(|l| l.len()).sum();
        let mut left = units;
        let mut at = start;
        for c in text[start..].chars() {
            if left == 0 {
                break;
            }
            left -= c.len_utf16();
            at += c.len_utf8();
        }
        at
    };
    let mut out = text.to_owned();
    let mut last = usize::MAX;
    for edit in edits.as_array().unwrap().iter().rev() {
        let (start, end) = (offset(&edit["range"]["start"]), offset(&edit["range"]["end"]));
        assert!(end <= last, "edits overlap: {edits}");
        last = start;
        out.replace_range(start..end, edit["newText"].as_str().unwrap());
    }
    out
}

const LOOSE: &str =
    "NODE  a\nSQL >\n  SELECT '😀',b  FROM t\nNODE b\nSQL >\n  SELECT  (\nNODE c\nSQL >\n select  1\n";

#[tokio::test]
async fn a_document_and_a_range_of_it() {
    let files = [("events.datasource", EVENTS), ("headwater.toml", "[format]\nindent = 2\n")];
    let mut fixture = Fixture::new(&files, pull()).await;
    assert_eq!(fixture.hello["capabilities"]["documentFormattingProvider"], true);
    assert_eq!(fixture.hello["capabilities"]["documentRangeFormattingProvider"], true);
    let client = &mut fixture.client;
    client.notify("textDocument/didOpen", opened(&uri("a.pipe"), 1, LOOSE)).await;
    let mut params = document(&uri("a.pipe"));
    // The project chooses, not the editor.
    params["options"] = json!({ "tabSize": 8, "insertSpaces": false });
    let edits = client.call("textDocument/formatting", params.clone()).await;
    let neat =
        "NODE a\nSQL >\n  SELECT '😀', b FROM t\n\nNODE b\nSQL >\n  SELECT  (\n\nNODE c\nSQL >\n  select 1\n";
    assert_eq!(apply(LOOSE, &edits), neat);
    assert!(edits.as_array().unwrap().len() > 4, "{edits}");

    let at = json!({ "line": 8, "character": 2 });
    params["range"] = json!({ "start": at, "end": at });
    let edits = client.call("textDocument/rangeFormatting", params).await;
    assert_eq!(apply(LOOSE, &edits), LOOSE.replace("\n select  1", "\n  select 1"));
    assert_eq!(edits.as_array().unwrap().len(), 2);
    fixture.client.shut_down().await;
}
