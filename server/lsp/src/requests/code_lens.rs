//! `textDocument/codeLens`: what flows downstream, above every resource; what deploying does, above lines that changed.

use serde_json::json;
use tower_lsp::gen_lsp_types::{CodeLens, Command};

use super::DocumentParams;
use crate::capabilities::SHOW_DOWNSTREAM;
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
    let deployments = headwater_ide::deployments(&snapshot.db, file).into_iter().map(|deployment| CodeLens {
        range: snapshot.range(file, deployment.range),
        command: Some(Command {
            title: deployment.title,
            tooltip: None,
            command: String::new(),
            arguments: None,
        }),
        data: None,
    });
    Some(lenses.chain(deployments).collect())
}
