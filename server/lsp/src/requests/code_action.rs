//! `textDocument/codeAction` and `codeAction/resolve`.

use headwater_analysis::{File, TextRange, test_failed};
use headwater_ide::{ActionKind, Change, RunKind};
use serde::Deserialize;
use serde_json::{Value, json};
use tower_lsp::gen_lsp_types::{Range, TextDocumentIdentifier};

use super::views;
use crate::capabilities::{OPEN_BRANCH, PREVIEW, RUN_TEST};
use crate::position::line_index;
use crate::snapshot::Snapshot;
use crate::suite::{Test, tests, text};

/// Kinds of actions that the server has.
pub(crate) const KINDS: &[&str] =
    &["quickfix", "refactor.extract", "refactor.inline", "refactor.rewrite", "source", "source.fixAll"];

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Params {
    text_document: TextDocumentIdentifier,
    range: Range,
    context: Context,
}

#[derive(Deserialize)]
struct Context {
    #[serde(default)]
    diagnostics: Vec<Value>,
    only: Option<Vec<String>>,
}

fn kind(kind: ActionKind) -> &'static str {
    match kind {
        ActionKind::QuickFix => "quickfix",
        ActionKind::Extract => "refactor.extract",
        ActionKind::Inline => "refactor.inline",
        ActionKind::Rewrite => "refactor.rewrite",
        ActionKind::Source => "source",
        ActionKind::FixAll => "source.fixAll",
        // None of the protocol's: it changes nothing.
        ActionKind::Show => "",
    }
}

pub(crate) fn run(snapshot: &Snapshot, params: &Params) -> Option<Vec<Value>> {
    let uri = &params.text_document.uri.0;
    let file = snapshot.file(uri)?;
    let index = line_index(&snapshot.db, file, snapshot.profile.encoding);
    let (start, end) = (index.offset(params.range.start), index.offset(params.range.end));
    let range = TextRange::new(start.min(end), end.max(start));
    let wanted = |kind: &str| {
        let only = params.context.only.as_ref();
        // A wanted kind stands for everything below it.
        only.is_none_or(|only| {
            only.iter().any(|o| {
                kind == o
                    || kind.strip_prefix(o.as_str()).is_some_and(|rest| rest.starts_with('.') || o.is_empty())
            })
        })
    };
    let mut out = Vec::new();
    for action in headwater_ide::code_actions(&snapshot.db, file, range) {
        let kind = kind(action.kind);
        // Fixing a whole file is nothing to offer at every place: only when it is asked for.
        let is_asked = kind != "source.fixAll" || params.context.only.is_some();
        if !wanted(kind) || !is_asked {
            continue;
        }
        if let Some(view) = action.shows {
            if let Some(command) = views::show(snapshot, file, view, &action.title) {
                out.push(json!({ "title": action.title, "command": command }));
            }
            continue;
        }
        let mut value = json!({ "title": action.title, "kind": kind });
        if action.is_preferred {
            value["isPreferred"] = json!(true);
        }
        if let Some((code, place)) = action.mends {
            let place = json!(index.range(place));
            let mended = params.context.diagnostics.iter().find(|d| d["code"] == code && d["range"] == place);
            if let Some(diagnostic) = mended {
                value["diagnostics"] = json!([diagnostic]);
            }
        }
        if snapshot.profile.action_resolve {
            value["data"] = json!({ "uri": uri, "start": u32::from(range.start()), "end": u32::from(range.end()), "id": action.id });
        } else {
            match edit(snapshot, file, range, &action.id) {
                Some(edit) => value["edit"] = edit,
                None => continue,
            }
        }
        out.push(value);
    }
    if wanted("quickfix") {
        out.extend(accept(snapshot, file, range, &params.context.diagnostics));
    }
    // The same that lenses offer, for editors without them, and the data branch that a change is tried in.
    for (title, command, arguments) in commands(snapshot, file, range, uri) {
        if wanted("source") {
            out.push(json!({
                "title": title,
                "kind": "source",
                "command": { "title": title, "command": command, "arguments": arguments },
            }));
        }
    }
    Some(out)
}

/// What a client that runs commands is offered at a place.
fn commands(
    snapshot: &Snapshot,
    file: File,
    range: TextRange,
    uri: &str,
) -> Vec<(String, &'static str, Value)> {
    let profile = &snapshot.profile;
    let mut out = Vec::new();
    for run in headwater_ide::runs(&snapshot.db, file) {
        let (offered, command, verb) = match run.kind {
            RunKind::Test => (profile.runs_tests, RUN_TEST, "Run the tests of"),
            RunKind::Preview => (profile.previews, PREVIEW, "Preview"),
        };
        if offered && run.range.contains_inclusive(range.start()) {
            let part = run.part.as_ref().map_or_else(String::new, |part| format!(":{part}"));
            let title = format!("{verb} {}{part}", run.pipe);
            out.push((title, command, json!([uri, run.pipe, run.part])));
        }
    }
    if profile.opens_branches && file.kind(&snapshot.db).is_some() {
        out.push(("Try this in a data branch".to_owned(), OPEN_BRANCH, json!([uri])));
    }
    out
}

/// The failed tests at a place may be right from now on.
fn accept(snapshot: &Snapshot, file: File, range: TextRange, diagnostics: &[Value]) -> Vec<Value> {
    let tests = tests(&snapshot.db, file);
    let here = tests.iter().enumerate().filter(|(_, test)| test.extent.intersect(range).is_some());
    let action = |(n, test): (usize, &Test)| {
        let edit = text::accepted(snapshot, file, &[n])?;
        let change = Change::replace(file, edit.range, edit.text);
        let place = json!(snapshot.range(file, test.place));
        let mended = diagnostics.iter().find(|d| d["code"] == test_failed().name && d["range"] == place);
        let mut value = json!({
            "title": format!("Accept the new result of `{}`", test.id),
            "kind": "quickfix",
            "edit": snapshot.workspace_edit(file.project(&snapshot.db), &change)?,
        });
        if let Some(diagnostic) = mended {
            value["diagnostics"] = json!([diagnostic]);
        }
        Some(value)
    };
    here.filter_map(action).collect()
}

fn edit(snapshot: &Snapshot, file: File, range: TextRange, id: &str) -> Option<Value> {
    let change = headwater_ide::resolve_action(&snapshot.db, file, range, id)?;
    snapshot.workspace_edit(file.project(&snapshot.db), &change)
}

#[derive(Deserialize)]
struct Data {
    uri: String,
    start: u32,
    end: u32,
    id: String,
}

pub(crate) fn resolve(snapshot: &Snapshot, action: &Value) -> Value {
    let mut action = action.clone();
    let Ok(data) = Data::deserialize(&action["data"]) else { return action };
    if let Some(file) = snapshot.file(&data.uri) {
        let length = u32::try_from(file.text(&snapshot.db).len()).unwrap_or(u32::MAX);
        let range = TextRange::new(
            data.start.min(data.end).min(length).into(),
            data.end.max(data.start).min(length).into(),
        );
        // Without an edit the client does nothing, which is right when the text has changed since.
        if let Some(edit) = edit(snapshot, file, range, &data.id) {
            action["edit"] = edit;
        }
    }
    action
}
