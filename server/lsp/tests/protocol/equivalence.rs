//! A server that was edited, interrupted and cancelled a thousand times knows what a fresh one knows.

use std::collections::BTreeMap;

use headwater_lsp::testing::soak::position;
use headwater_lsp::testing::{document, opened, place, replaced};
use serde_json::{Value, json};

use crate::{EVENTS, Fixture, pipe, pull, uri};

/// xorshift64*: the same edits on every machine.
struct Random(u64);

impl Random {
    fn below(&mut self, n: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33) as usize % n
    }
}

const FILES: &[&str] = &["events.datasource", "a.pipe", "b.pipe", "pipes/c.pipe", "pipes/é 😀.pipe"];

const PIECES: &[&str] = &[
    "FROM events",
    "FROM a",
    "FROM nowhere ",
    "NODE x\nSQL >\n    SELECT 1\n",
    "TYPE endpoint\n",
    "\r\n",
    "\r",
    "\n",
    "😀",
    "é",
    "{% if x %}",
    "{{String(p)}}",
    "(",
    ")",
    "'",
    "`",
    "\t",
    "SCHEMA >\n    `id` String\n",
    "#",
    "%\n",
    "",
];

/// Places that are looked at: lines and columns of ordinary pipes, and beyond.
const POINTS: &[(u32, u32)] = &[(0, 0), (0, 6), (2, 9), (2, 13), (2, 21), (3, 2), (5, 4), (40, 7)];

/// Requests about a place.
const PLACES: &[&str] = &[
    "textDocument/hover",
    "textDocument/completion",
    "textDocument/signatureHelp",
    "textDocument/definition",
    "textDocument/documentHighlight",
    "textDocument/prepareCallHierarchy",
    "textDocument/prepareTypeHierarchy",
    "textDocument/prepareRename",
];

/// What a client sees: every file's diagnostics, outline, words, hints, and what is said about places in it.
async fn seen(fixture: &mut Fixture) -> Vec<Value> {
    let mut all = Vec::new();
    for path in FILES {
        let answer = fixture.client.call("textDocument/diagnostic", document(&uri(path))).await;
        all.push(answer["items"].clone());
        for method in ["textDocument/documentSymbol", "textDocument/foldingRange", "textDocument/codeLens"] {
            all.push(fixture.client.call(method, document(&uri(path))).await);
        }
        let tokens = fixture.client.call("textDocument/semanticTokens/full", document(&uri(path))).await;
        all.push(tokens["data"].clone());
        let whole =
            json!({ "start": { "line": 0, "character": 0 }, "end": { "line": 9999, "character": 0 } });
        let hints = json!({ "textDocument": { "uri": uri(path) }, "range": whole });
        all.push(fixture.client.call("textDocument/inlayHint", hints).await);
        for (line, character) in POINTS {
            let here = place(&uri(path), *line, *character);
            for method in PLACES {
                let id = fixture.client.send(method, here.clone()).await;
                // A reason to refuse is an answer as well.
                all.push(fixture.client.answer(id).await.unwrap_or_else(|error| error["message"].clone()));
            }
        }
    }
    all
}

async fn run(seed: u64) {
    let mut random = Random(seed);
    let mut texts: BTreeMap<&str, String> = BTreeMap::new();
    for path in FILES {
        texts.insert(path, if path.ends_with("source") { EVENTS.to_owned() } else { pipe("events") });
    }
    let on_disk: Vec<(&str, &str)> = texts.iter().map(|(path, text)| (*path, text.as_str())).collect();
    let mut fixture = Fixture::new(&on_disk, pull()).await;
    for (path, text) in &texts {
        fixture.client.notify("textDocument/didOpen", opened(&uri(path), 0, text)).await;
    }
    let mut waiting = Vec::new();
    for version in 1..=1000 {
        let path = FILES[random.below(FILES.len())];
        let text = texts.get_mut(path).unwrap();
        let piece = PIECES[random.below(PIECES.len())];
        if text.len() > 2000 {
            *text = pipe("a");
            fixture.client.notify("textDocument/didChange", replaced(&uri(path), version, text)).await;
        } else {
            let mut at = || loop {
                let at = random.below(text.len() + 1);
                // A range may not begin or end inside a line break: the protocol has no name for that place.
                let splits = at > 0 && text.as_bytes().get(at - 1..=at).is_some_and(|pair| pair == b"\r\n");
                if text.is_char_boundary(at) && !splits {
                    return at;
                }
            };
            let (a, b) = (at(), at());
            let (from, to) = (a.min(b), a.max(b).min(a.min(b) + 12));
            let to = (from..=to).rev().find(|at| {
                let splits = *at > 0 && text.as_bytes().get(at - 1..=*at).is_some_and(|pair| pair == b"\r\n");
                text.is_char_boundary(*at) && !splits
            });
            let to = to.unwrap_or(from);
            let change = json!({
                "range": { "start": position(text, from), "end": position(text, to) }, "text": piece,
            });
            text.replace_range(from..to, piece);
            let params = json!({ "textDocument": { "uri": uri(path), "version": version }, "contentChanges": [change] });
            fixture.client.notify("textDocument/didChange", params).await;
        }
        match random.below(4) {
            0 => waiting.push(fixture.client.send("textDocument/hover", place(&uri(path), 2, 9)).await),
            1 => waiting.push(fixture.client.send("textDocument/diagnostic", document(&uri(path))).await),
            2 => {
                let id = fixture.client.send("workspace/symbol", json!({ "query": "e" })).await;
                fixture.client.cancel(id).await;
            }
            _ => {}
        }
        if waiting.len() > 20 {
            for id in waiting.drain(..) {
                // An answer or the honest reason why there is none.
                if let Err(error) = fixture.client.answer(id).await {
                    assert_eq!(error["code"], -32801, "{error}");
                }
            }
        }
    }
    for id in waiting {
        let _ = fixture.client.answer(id).await;
    }
    let edited = seen(&mut fixture).await;
    fixture.client.shut_down().await;

    let mut fresh = Fixture::new(&[], pull()).await;
    for (path, text) in &texts {
        fresh.client.notify("textDocument/didOpen", opened(&uri(path), 1, text)).await;
    }
    let expected = seen(&mut fresh).await;
    fresh.client.shut_down().await;
    let per_file = expected.len() / FILES.len();
    for (i, (edited, expected)) in edited.iter().zip(&expected).enumerate() {
        assert_eq!(edited, expected, "seed {seed}, {}, answer {}", FILES[i / per_file], i % per_file);
    }
}

#[tokio::test]
async fn a_thousand_edits_with_cancellations_end_where_a_fresh_server_begins() {
    run(0x9E37_79B9_7F4A_7C15).await;
}

#[tokio::test]
async fn and_so_do_a_thousand_others() {
    run(42).await;
}

/// Files are numbered as they come. Neither the order of a report nor its result ids may show it: a client keeps the ids
/// for the next process.
#[tokio::test]
async fn reports_do_not_tell_in_which_order_files_came() {
    let mut paths: Vec<_> = (0..20).map(|n| format!("pipes/p{n}.pipe")).collect();
    paths.extend(["a/twice.pipe".to_owned(), "b/twice.pipe".to_owned()]);
    let mut reports = Vec::new();
    for _ in 0..2 {
        let mut fixture = Fixture::new(&[("events.datasource", EVENTS)], pull()).await;
        for path in &paths {
            fixture.client.notify("textDocument/didOpen", opened(&uri(path), 1, &pipe("nowhere"))).await;
            fixture.client.call("textDocument/diagnostic", document(&uri(path))).await;
        }
        reports.push(fixture.client.call("workspace/diagnostic", json!({})).await);
        fixture.client.shut_down().await;
        paths.reverse();
    }
    assert_eq!(reports[0], reports[1]);
    let uris = |report: &Value| -> Vec<String> {
        let items = report["items"].as_array().into_iter().flatten();
        items.map(|item| item["uri"].as_str().unwrap_or_default().to_owned()).collect()
    };
    let listed = uris(&reports[0]);
    assert!(listed.len() == paths.len() && listed.is_sorted(), "{listed:?}");
}
