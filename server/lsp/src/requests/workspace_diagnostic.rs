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
use headwater_analysis::FileKind;
use rustc_hash::FxHashMap;
use serde::Deserialize;
use serde_json::{Value, json};
use tower_lsp::gen_lsp_types::PreviousResultId;

use crate::ahead::Ahead;
use crate::diagnostics::{Report, report};
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
    let mut items = Vec::new();
    let mut unchanged = Vec::new();
    let mut last_flush = Instant::now();
    // What somebody looks at comes first; then pipes, and what they read, each in order of path: a data source's faults need
    // the meaning of its readers, whose trees are parsed once when they are asked first.
    let mut open: Vec<_> = snapshot.world.open.iter().map(|(path, open)| (path, open.file)).collect();
    open.sort_unstable_by_key(|(path, _)| *path);
    let open = open.into_iter().map(|(_, file)| file);
    let is_closed = |file: &headwater_analysis::File| {
        !snapshot.world.open_only && !snapshot.world.open.contains_key(&snapshot.path(*file))
    };
    let mut closed: Vec<_> = snapshot.files().filter(is_closed).collect();
    closed.sort_by_key(|file| file.kind(&snapshot.db) != Some(FileKind::Pipe));
    let files: Vec<_> = open.chain(closed).collect();
    let ahead = Ahead::default();
    std::thread::scope(|scope| {
        let _stop = ahead.start(scope, &snapshot.db, &files);
        for file in files.iter().copied() {
            let report = report(&snapshot.db, file, snapshot.profile.encoding);
            let path = snapshot.path(file);
            let before = known.remove(&path).map(|(value, _)| value);
            let sent = snapshot.memory.sent.lock().ok().and_then(|sent| sent.get(&path).copied());
            let current = match (sent, before) {
                (Some(sent), _) => sent == report.id,
                (None, Some(value)) => value == report.result_id(),
                (None, None) => report.id == 0,
            };
            if !current {
                items.push((path, full(snapshot, file, report)));
            } else if report.id != 0 && sent.is_none() {
                let uri = snapshot.uri(&path);
                unchanged.push(json!({ "kind": "unchanged", "resultId": report.result_id(), "uri": uri,
                "version": version(snapshot, &path) }));
            }
            if token.is_some() && !items.is_empty() && last_flush.elapsed() >= FLUSH_AFTER {
                flush(snapshot, token, &mut items);
                last_flush = Instant::now();
            }
        }
    });
    // Files the client remembers and no project has any more. Without a result id it forgets them.
    for (path, (_, uri)) in known {
        let gone = json!({ "kind": "full", "items": [], "uri": uri, "version": null });
        let sent = snapshot.memory.sent.lock().is_ok_and(|sent| sent.contains_key(&path));
        if !sent {
            items.push((path, (0, gone)));
        }
    }
    let streamed = snapshot.memory.sent.lock().is_ok_and(|sent| !sent.is_empty());
    if items.is_empty() && !streamed {
        return Answer::Park;
    }
    if token.is_some() {
        flush(snapshot, token, &mut items);
        return Answer::Result(json!({ "items": [] }));
    }
    let full = items.into_iter().map(|(_, (_, item))| item);
    Answer::Result(json!({ "items": full.chain(unchanged).collect::<Vec<_>>() }))
}

type Pending = Vec<(Utf8PathBuf, (u64, Value))>;

fn flush(snapshot: &Snapshot, token: Option<&Value>, items: &mut Pending) {
    let Some(token) = token else { return };
    if items.is_empty() {
        return;
    }
    // Remembered before anything can unwind: a retried attempt must not send them again.
    if let Ok(mut sent) = snapshot.memory.sent.lock() {
        sent.extend(items.iter().map(|(path, (id, _))| (path.clone(), *id)));
    }
    let values: Vec<_> = items.drain(..).map(|(_, (_, item))| item).collect();
    snapshot.partial(token, &json!({ "items": values }));
}

fn full(snapshot: &Snapshot, file: headwater_analysis::File, report: &Report) -> (u64, Value) {
    let path = snapshot.path(file);
    let mut value = json!({
        "kind": "full",
        "items": report.to_lsp(snapshot),
        "uri": snapshot.uri(&path),
        "version": version(snapshot, &path),
    });
    if report.id != 0 {
        value["resultId"] = json!(report.result_id());
    }
    (report.id, value)
}

fn version(snapshot: &Snapshot, path: &camino::Utf8Path) -> Option<i32> {
    snapshot.world.open.get(path).map(|open| open.version)
}
