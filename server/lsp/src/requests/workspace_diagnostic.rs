//! `workspace/diagnostic`: pull for everything.
//!
//! Three things make it bearable for large projects:
//!
//! - **Result ids**: a file is reported only if what the client has differs.
//! - **Partial results**: with a token, changed files stream in while the rest is still being checked. VS Code visibly
//!   lags when thousands of diagnostics arrive at once.
//! - **Long polling**: VS Code asks again two seconds after every answer, for ever, because the protocol gives it no
//!   other way to know (languageserver-node #1261; still so in November 2026). When nothing differs there is no answer:
//!   the request is parked, as data and without a snapshot, and runs again after the next change. The first request of
//!   a session is always answered: a client that asks once, to learn that all is well, must not wait for ever.

use std::time::{Duration, Instant};

use camino::Utf8PathBuf;
use headwater_analysis::{File, FileKind};
use rustc_hash::FxHashMap;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tower_lsp::gen_lsp_types::{Diagnostic, PreviousResultId};

use crate::client::Body;
use crate::dispatch::Answer;
use crate::snapshot::Snapshot;

/// How long changed files are collected before they are sent ahead. Long enough for a client to paint in between.
const FLUSH_AFTER: Duration = Duration::from_millis(50);

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Params {
    #[serde(default)]
    previous_result_ids: Vec<PreviousResultId>,
    partial_result_token: Option<Value>,
}

pub(crate) fn run(snapshot: &Snapshot, params: &Params) -> Answer {
    let token = params.partial_result_token.as_ref();
    let mut known: FxHashMap<Utf8PathBuf, (String, String)> = FxHashMap::default();
    for previous in &params.previous_result_ids {
        if let Some(path) = crate::uri::to_path(&previous.uri.0) {
            known.insert(path, (previous.value.clone(), previous.uri.0.clone()));
        }
    }
    // What somebody looks at comes first; then pipes, and what they read, each in order of path: a data source's faults need
    // the meaning of its readers, whose trees are parsed once when they are asked first.
    let mut open: Vec<_> = snapshot.world.open.iter().map(|(path, open)| (path, open.file)).collect();
    open.sort_unstable_by_key(|(path, _)| *path);
    let open = open.into_iter().map(|(_, file)| file);
    let is_closed =
        |file: &File| !snapshot.world.open_only && !snapshot.world.open.contains_key(&snapshot.path(*file));
    let mut closed: Vec<_> = snapshot.files().filter(is_closed).collect();
    closed.sort_by_key(|file| file.kind(&snapshot.db) != Some(FileKind::Pipe));
    let files: Vec<_> = open.chain(closed).collect();
    let one = |snapshot: &Snapshot, file: File| {
        let path = snapshot.path(file);
        let before = known.get(&path).map(|(value, _)| value.as_str());
        look(snapshot, file, path, before, token.is_none())
    };
    let mut items: Vec<(usize, Item)> = Vec::new();
    let mut last_flush = Instant::now();
    crate::ahead::each(snapshot, &files, one, |mut found| {
        items.append(&mut found);
        if token.is_some() && last_flush.elapsed() >= FLUSH_AFTER {
            flush(snapshot, token, &mut items);
            last_flush = Instant::now();
        }
    });
    items.sort_unstable_by_key(|(n, _)| *n);
    // Files the client remembers and no project has any more. Without a result id it forgets them.
    for file in &files {
        known.remove(&snapshot.path(*file));
    }
    for (path, (_, uri)) in known {
        let sent = snapshot.memory.sent.lock().is_ok_and(|sent| sent.contains_key(&path));
        if !sent {
            let gone = Full { kind: "full", items: Vec::new(), uri, version: None, result_id: None };
            items.push((items.len(), Item::Full(path, 0, gone.body(token.is_none()))));
        }
    }
    let streamed = snapshot.memory.sent.lock().is_ok_and(|sent| !sent.is_empty());
    if !streamed && !items.iter().any(|(_, item)| matches!(item, Item::Full(..))) {
        return Answer::Park;
    }
    if token.is_some() {
        flush(snapshot, token, &mut items);
        return Answer::Result(json!({ "items": [] }));
    }
    let full = items.iter().filter_map(|(_, item)| match item {
        Item::Full(_, _, Body::Text(text)) => Some(text.as_str()),
        _ => None,
    });
    let unchanged = items.iter().filter_map(|(_, item)| match item {
        Item::Unchanged(text) => Some(text.as_str()),
        _ => None,
    });
    let size = full.clone().chain(unchanged.clone()).map(|text| text.len() + 1).sum::<usize>();
    let mut out = String::with_capacity(size + "{\"items\":[]}".len());
    out.push_str("{\"items\":[");
    for (n, text) in full.chain(unchanged).enumerate() {
        out.push_str(if n == 0 { "" } else { "," });
        out.push_str(text);
    }
    out.push_str("]}");
    Answer::Text(out)
}

/// What is said of one file.
enum Item {
    /// The client has it.
    Known,
    /// The client has it and wants to hear so; JSON.
    Unchanged(String),
    /// The path, the report's id, and the report.
    Full(Utf8PathBuf, u64, Body),
}

/// What is said of a file of which the client has the report `before`.
fn look(snapshot: &Snapshot, file: File, path: Utf8PathBuf, before: Option<&str>, as_text: bool) -> Item {
    let report = snapshot.report(file);
    let sent = snapshot.memory.sent.lock().ok().and_then(|sent| sent.get(&path).copied());
    let current = match (sent, before) {
        (Some(sent), _) => sent == report.id,
        (None, Some(value)) => value == report.result_id(),
        (None, None) => report.id == 0,
    };
    let version = snapshot.world.open.get(&path).map(|open| open.version);
    if !current {
        let full = Full {
            kind: "full",
            items: report.to_lsp(snapshot),
            uri: snapshot.uri(&path),
            version,
            result_id: (report.id != 0).then(|| report.result_id()),
        };
        return Item::Full(path, report.id, full.body(as_text));
    }
    if report.id == 0 || sent.is_some() {
        return Item::Known;
    }
    let same = json!({ "kind": "unchanged", "resultId": report.result_id(), "uri": snapshot.uri(&path), "version": version });
    Item::Unchanged(same.to_string())
}

fn flush(snapshot: &Snapshot, token: Option<&Value>, items: &mut Vec<(usize, Item)>) {
    let Some(token) = token else { return };
    let full = items.drain(..).filter_map(|(_, item)| match item {
        Item::Full(path, id, Body::Value(value)) => Some((path, id, value)),
        _ => None,
    });
    let full: Vec<_> = full.collect();
    if full.is_empty() {
        return;
    }
    // Remembered before anything can unwind: a retried attempt must not send them again.
    if let Ok(mut sent) = snapshot.memory.sent.lock() {
        sent.extend(full.iter().map(|(path, id, _)| (path.clone(), *id)));
    }
    let values: Vec<_> = full.into_iter().map(|(_, _, value)| value).collect();
    snapshot.partial(token, &json!({ "items": values }));
}

/// A full report, as the protocol has it.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Full {
    kind: &'static str,
    items: Vec<Diagnostic>,
    uri: String,
    version: Option<i32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    result_id: Option<String>,
}

impl Full {
    fn body(&self, as_text: bool) -> Body {
        if as_text {
            Body::Text(serde_json::to_string(self).unwrap_or_default())
        } else {
            Body::Value(serde_json::to_value(self).unwrap_or_default())
        }
    }
}
