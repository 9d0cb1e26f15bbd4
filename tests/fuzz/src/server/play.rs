//! Plays a session, and compares the server at its end with a fresh one.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use headwater_lsp::Options;
use headwater_lsp::testing::{TestClient, document, opened};
use headwater_project::MemoryFileSystem;
use serde_json::json;

use super::answers::{self, Seen};
use super::model::Model;
use super::session::{ANCHOR, Session, Step};
use crate::minimize;
use crate::trial::{Failure, panics_elsewhere, trial};

/// Plays a session.
///
/// # Errors
/// How it went wrong.
pub fn attempt(session: &Session) -> Result<(), Failure> {
    drop(panics_elsewhere());
    let result = trial(|| {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build();
        runtime.expect("a runtime for one thread").block_on(play(session));
    });
    // The server survives its own panics; they are failures all the same, and the cause of what came after.
    if let Some(panic) = panics_elsewhere().into_iter().next() {
        return Err(panic);
    }
    result.map_err(|mut failure| {
        // Answers differ in one place of the code, but not for one reason.
        if let Some((what, _)) = failure.message.strip_prefix(DIFFERS).and_then(|m| m.split_once(' ')) {
            failure.place = format!("{} {what}", failure.place);
        }
        failure
    })
}

const DIFFERS: &str = "an edited server differs from a fresh one in ";

/// The smallest session found that fails in the same way.
pub fn shrink(session: &Session, failure: &Failure) -> Session {
    let fails = |s: &Session| attempt(s).is_err_and(|f| f.place == failure.place);
    let mut best = session.clone();
    let budget = &mut 200;
    best.steps = minimize::items(&best.steps, budget, |steps| {
        fails(&Session { steps: steps.to_vec(), ..best.clone() })
    });
    best.disk =
        minimize::items(&best.disk, budget, |disk| fails(&Session { disk: disk.to_vec(), ..best.clone() }));
    for at in 0..best.disk.len() {
        let with = |text: &str| {
            let mut shorter = best.clone();
            text.clone_into(&mut shorter.disk[at].1);
            shorter
        };
        let shorter = minimize::text(&best.disk[at].1, budget, |t| fails(&with(t)));
        best = with(&shorter);
    }
    for at in 0..best.steps.len() {
        let Some(text) = text_of(&mut best.steps[at]).cloned() else { continue };
        let with = |text: &str| {
            let mut shorter = best.clone();
            if let Some(slot) = text_of(&mut shorter.steps[at]) {
                text.clone_into(slot);
            }
            shorter
        };
        let shorter = minimize::text(&text, budget, |t| fails(&with(t)));
        best = with(&shorter);
    }
    best
}

fn text_of(step: &mut Step) -> Option<&mut String> {
    match step {
        Step::Open { text, .. } | Step::Disk { text: Some(text), .. } => Some(text),
        Step::Change { edits, .. } => edits.last_mut().map(|edit| &mut edit.text),
        _ => None,
    }
}

pub(super) fn uri(file: &str) -> String {
    format!("file:///p/{file}")
}

struct Player {
    fs: Arc<MemoryFileSystem>,
    client: TestClient,
    model: Model,
    /// Requests without an answer so far: id, method.
    waiting: Vec<(i64, String)>,
    /// Every request, for cancelling also what was answered.
    asked: Vec<i64>,
    /// Files on disk that changed.
    changed: BTreeSet<String>,
}

impl Player {
    async fn start(session: &Session) -> Self {
        let fs = Arc::new(MemoryFileSystem::new());
        let model = Model::new(session);
        for (path, text) in model.disk.iter().map(|(p, t)| (p.as_str(), t.as_str())).chain([ANCHOR]) {
            fs.write(format!("/p/{path}"), text);
        }
        let options =
            Options { fs: fs.clone(), progress_after: Duration::from_secs(600), ..Options::default() };
        let mut client = TestClient::start(options);
        let capabilities = json!({
            "general": { "positionEncodings": [session.encoding] },
            "textDocument": {
                "diagnostic": { "relatedInformation": true },
                "documentSymbol": { "hierarchicalDocumentSymbolSupport": true },
                "hover": { "contentFormat": ["markdown"] },
            },
        });
        let params = json!({
            "capabilities": capabilities,
            "workspaceFolders": [{ "uri": "file:///p", "name": "p" }],
            "initializationOptions": { "clientCommands": ["headwater.showDownstream"] },
        });
        client.initialize(params).await;
        let (waiting, asked, changed) = (Vec::new(), Vec::new(), BTreeSet::new());
        Self { fs, client, model, waiting, asked, changed }
    }

    async fn step(&mut self, step: &Step) {
        match step {
            Step::Open { file, text } => {
                let version = self.model.next_version();
                self.model.open(file, version, text);
                self.client.notify("textDocument/didOpen", opened(&uri(file), version, text)).await;
            }
            Step::Change { file, edits } => {
                let version = self.model.next_version();
                self.model.change(file, version, edits);
                let changes = edits.iter().map(|edit| match edit.range {
                    Some([line, character, end, to]) => json!({ "text": edit.text, "range": {
                        "start": { "line": line, "character": character },
                        "end": { "line": end, "character": to } } }),
                    None => json!({ "text": edit.text }),
                });
                let params = json!({ "contentChanges": changes.collect::<Vec<_>>(),
                    "textDocument": { "uri": uri(file), "version": version } });
                self.client.notify("textDocument/didChange", params).await;
            }
            Step::Close { file } => {
                self.model.open.remove(file);
                self.client.notify("textDocument/didClose", document(&uri(file))).await;
            }
            Step::Save { file } => self.client.notify("textDocument/didSave", document(&uri(file))).await,
            Step::Disk { file, text, told } => {
                match text {
                    Some(text) => {
                        self.model.disk.insert(file.clone(), text.clone());
                        self.fs.write(format!("/p/{file}"), text.as_str());
                    }
                    None => {
                        self.model.disk.remove(file);
                        self.fs.remove(format!("/p/{file}"));
                    }
                }
                self.changed.insert(file.clone());
                if *told {
                    self.tell(std::slice::from_ref(file)).await;
                }
            }
            Step::Ask { method, file, line, character } => {
                let params = answers::parameters(method, &uri(file), *line, *character);
                let id = self.client.send(method, params).await;
                self.waiting.push((id, method.clone()));
                self.asked.push(id);
            }
            Step::Cancel { back } => {
                if let Some(at) = self.asked.len().checked_sub(*back) {
                    let params = json!({ "id": self.asked[at] });
                    self.client.notify("$/cancelRequest", params).await;
                }
            }
            Step::Await => self.answers().await,
        }
    }

    async fn tell(&mut self, files: &[String]) {
        let changes: Vec<_> = files.iter().map(|file| json!({ "uri": uri(file), "type": 2 })).collect();
        self.client.notify("workspace/didChangeWatchedFiles", json!({ "changes": changes })).await;
    }

    /// Every request is answered: with a result or a refusal, or because it was cancelled, or because its text is gone.
    async fn answers(&mut self) {
        for (id, method) in std::mem::take(&mut self.waiting) {
            if let Err(error) = self.client.answer(id).await {
                let code = error["code"].as_i64();
                let gone = matches!(code, Some(-32800 | -32801));
                assert!(gone || answers::refuses(&method, &error), "{method} is answered with {error}");
            }
        }
    }

    /// What a client sees in the end.
    async fn seen(&mut self) -> Seen {
        answers::everything(&mut self.client, &self.model).await
    }

    async fn end(self) {
        // Dropping the client fails when a message was sent that nobody waited for: a second answer, for example.
        self.client.shut_down().await;
    }
}

async fn play(session: &Session) {
    let mut edited = Player::start(session).await;
    for step in &session.steps {
        edited.step(step).await;
    }
    edited.answers().await;
    let changed: Vec<_> = edited.changed.iter().cloned().collect();
    edited.tell(&changed).await;

    let last = Session {
        encoding: session.encoding.clone(),
        disk: edited.model.disk.iter().map(|(p, t)| (p.clone(), t.clone())).collect(),
        steps: Vec::new(),
    };
    let mut fresh = Player::start(&last).await;
    for (file, (version, text)) in &edited.model.open {
        fresh.model.open(file, *version, text);
        fresh.client.notify("textDocument/didOpen", opened(&uri(file), *version, text)).await;
    }
    let expected = fresh.seen().await;
    assert_eq!(expected, fresh.seen().await, "the same question has the same answer");
    answers::valid(&expected, &fresh.model);
    fresh.end().await;

    // The disk is read behind the server's back: it may take a moment until it knows.
    let mut found = edited.seen().await;
    for _ in 0..20 {
        if found == expected {
            break;
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
        found = edited.seen().await;
    }
    let differing: Vec<_> =
        found.iter().zip(&expected).filter(|(found, expected)| found != expected).collect();
    if let Some(((what, file, found), (_, _, expected))) = differing.first() {
        let all: Vec<_> = differing.iter().map(|((what, file, _), _)| format!("{what} of {file}")).collect();
        let status = edited.client.call("headwater/status", json!({})).await;
        panic!(
            "{DIFFERS}{what} of {file}\nfound:    {found}\nexpected: {expected}\nall that differ: {}\n{}",
            all.join(", "),
            status["text"].as_str().unwrap_or_default()
        );
    }
    edited.end().await;
}
