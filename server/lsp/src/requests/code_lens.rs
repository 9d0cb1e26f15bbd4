//! `textDocument/codeLens`: what flows downstream, above every resource; what deploying does, above lines that changed;
//! tests and previews, for clients that run them.

use headwater_ide::{RunKind, View};
use serde_json::json;
use tower_lsp::gen_lsp_types::{CodeLens, Command};

use super::{DocumentParams, views};
use crate::capabilities::{PREVIEW, RUN_TEST, SHOW_DOWNSTREAM};
use crate::snapshot::Snapshot;

pub(crate) fn run(snapshot: &Snapshot, params: &DocumentParams) -> Option<Vec<CodeLens>> {
    let uri = &params.text_document.uri;
    let file = snapshot.file(&uri.0)?;
    let lenses = headwater_ide::code_lenses(&snapshot.db, file).into_iter().map(|lens| {
        let range = snapshot.range(file, lens.range);
        // Only a client that said it runs the command gets it; to all others an empty command is a mere title.
        let runs = snapshot.profile.shows_downstream && !lens.downstream.is_empty();
        let arguments = runs.then(|| {
            let locations: Vec<_> = lens.downstream.iter().map(|target| snapshot.location(target)).collect();
            vec![json!(uri), json!(range.start), json!(locations)]
        });
        let command = if runs { SHOW_DOWNSTREAM.to_owned() } else { String::new() };
        CodeLens {
            range,
            command: Some(Command { title: lens.title, tooltip: None, command, arguments }),
            data: None,
        }
    });
    let deployments = headwater_ide::deployments(&snapshot.db, file).into_iter().map(|deployment| {
        let title = deployment.title;
        let shown = views::show(snapshot, file, View::Plan, &title);
        let command = shown.and_then(|command| serde_json::from_value(command).ok());
        let bare = Command { title, tooltip: None, command: String::new(), arguments: None };
        CodeLens {
            range: snapshot.range(file, deployment.range),
            command: Some(command.unwrap_or(bare)),
            data: None,
        }
    });
    // What runs something on the user's machine is for clients that do.
    let runs = headwater_ide::runs(&snapshot.db, file).into_iter().filter_map(|run| {
        let (offered, command) = match run.kind {
            RunKind::Test => (snapshot.profile.runs_tests, RUN_TEST),
            RunKind::Preview => (snapshot.profile.previews, PREVIEW),
        };
        let arguments = Some(vec![json!(uri), json!(run.pipe), json!(run.part)]);
        let command = Command { title: run.title, tooltip: None, command: command.to_owned(), arguments };
        offered.then(|| CodeLens {
            range: snapshot.range(file, run.range),
            command: Some(command),
            data: None,
        })
    });
    Some(lenses.chain(deployments).chain(runs).collect())
}
