//! `textDocument/codeLens`: what flows downstream, above every resource; what deploying does, above lines that changed;
//! tests, what became of them, and previews, for clients that run them.

use std::sync::Arc;
use std::time::Duration;

use headwater_analysis::File;
use headwater_engine::run::Status;
use headwater_ide::{RunKind, View};
use serde_json::json;
use tower_lsp::gen_lsp_types::{CodeLens, Command};

use super::{DocumentParams, views};
use crate::capabilities::{PREVIEW, RUN_TEST, SHOW_DOWNSTREAM};
use crate::snapshot::Snapshot;
use crate::suite::{Known, tests};

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
    let outcomes = outcome_lenses(snapshot, file, &uri.0);
    Some(lenses.chain(deployments).chain(runs).chain(outcomes).collect())
}

/// What became of the tests of a file, beside what runs them; of a pipe's tests, how many pass.
fn outcome_lenses(snapshot: &Snapshot, file: File, uri: &str) -> Vec<CodeLens> {
    if !snapshot.profile.runs_tests || snapshot.world.ledger.results.is_empty() {
        return Vec::new();
    }
    let tests = tests(&snapshot.db, file);
    let lens = |(n, known): (usize, Option<Arc<Known>>)| {
        let (test, known) = (tests.get(n)?, known?);
        let title = match known.status {
            Status::Passed => format!("✓ passed {}", duration(known.elapsed)),
            Status::Skipped => "○ skipped".to_owned(),
            Status::Failed if snapshot.profile.shows_views => format!("✗ {} — show diff", known.brief()),
            Status::Failed => format!("✗ {}", known.brief()),
        };
        let bare =
            || Command { title: title.clone(), tooltip: None, command: String::new(), arguments: None };
        let shown = (known.status == Status::Failed)
            .then(|| views::show_outcome(snapshot, file, &test.id, &title))
            .flatten()
            .and_then(|command| serde_json::from_value(command).ok());
        // Of a case that a client does not show, the run says more.
        let again = (known.status != Status::Skipped).then(|| Command {
            arguments: Some(vec![json!(uri), json!(file.stem(&snapshot.db)), json!(test.id)]),
            command: RUN_TEST.to_owned(),
            ..bare()
        });
        let command = Some(shown.or(again).unwrap_or_else(bare));
        Some(CodeLens { range: snapshot.range(file, test.place), command, data: None })
    };
    snapshot.outcomes(file).into_iter().filter_map(lens).collect()
}

fn duration(elapsed: Duration) -> String {
    let milliseconds = elapsed.as_secs_f64() * 1e3;
    if milliseconds < 9.95 { format!("{milliseconds:.1} ms") } else { format!("{milliseconds:.0} ms") }
}
