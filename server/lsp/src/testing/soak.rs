//! State equivalence: a server that was edited, interrupted and cancelled for thousands of steps says what a fresh one says.
//!
//! A model holds the disk, the open documents and the commit as they must be. Every now and then a fresh server is started on
//! them, and both are asked the same: diagnostics, words, hints, lenses, outlines, lineage, and what is said at places. One
//! server may be made to forget something ([`Fault`]), to see that this would be noticed.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use headwater_project::{MemoryFileSystem, MemoryRevisions};
use serde_json::{Value, json};

use super::{TestClient, document, opened, place};
use crate::hooks::Fault;
use crate::{EngineChoice, Options, TestHooks};

/// What is played.
#[derive(Debug, Clone)]
pub struct Soak {
    /// The project's files: path from its root, and text.
    pub files: BTreeMap<String, String>,
    /// Decides everything that is random.
    pub seed: u64,
    /// Edits, requests, cancels, and things that happen on the disk.
    pub steps: usize,
    /// After so many steps both servers are compared, and at the end.
    pub check_every: usize,
    /// What the server is made to forget.
    pub fault: Option<Fault>,
}

/// What was done.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Report {
    /// Edits of open documents.
    pub edits: usize,
    /// Changes on the disk, of the configuration, and commits.
    pub outside: usize,
    /// Requests whose answers were waited for.
    pub answered: usize,
    /// Requests that were cancelled.
    pub cancelled: usize,
    /// Fresh servers that were compared with.
    pub checks: usize,
    /// Answers that were compared.
    pub compared: usize,
}

/// The first answer in which the servers differ.
#[derive(Debug, Clone, PartialEq)]
pub struct Divergence {
    /// After so many steps.
    pub step: usize,
    /// What was asked.
    pub question: String,
    /// What the server says that lived through them.
    pub lived: Value,
    /// What a fresh one says.
    pub fresh: Value,
}

impl fmt::Display for Divergence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { step, question, lived, fresh } = self;
        write!(f, "after {step} steps, {question}:\n  after the edits: {lived}\n  a fresh server:  {fresh}")
    }
}

impl Soak {
    /// Plays it on a runtime of its own.
    ///
    /// # Errors
    /// Where the servers differ.
    ///
    /// # Panics
    /// When a server breaks the protocol, or the system gives no runtime.
    pub fn play_blocking(&self) -> Result<Report, Box<Divergence>> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        runtime.expect("the system gives a runtime").block_on(self.play())
    }

    /// Plays it.
    ///
    /// # Errors
    /// Where the servers differ.
    ///
    /// # Panics
    /// When a server breaks the protocol.
    pub async fn play(&self) -> Result<Report, Box<Divergence>> {
        let mut world = World::new(self).await;
        let mut outcome = Ok(());
        for step in 1..=self.steps {
            world.step().await;
            if step % self.check_every == 0 || step == self.steps {
                outcome = world.check(step).await;
                if outcome.is_err() {
                    break;
                }
            }
        }
        let report = world.report;
        world.client.ignore_all();
        world.client.shut_down().await;
        outcome.map(|()| report)
    }
}

/// xorshift64*: the same script on every machine.
struct Random(u64);

impl Random {
    fn below(&mut self, n: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33) as usize % n.max(1)
    }

    fn pick<'t, T>(&mut self, list: &'t [T]) -> &'t T {
        &list[self.below(list.len())]
    }
}

const ROOT: &str = "/p";

/// A file whose text tells that everything before it has been read.
const SENTINEL: &str = "zz_sentinel.pipe";

const CONFIG: &str = "headwater.toml";

/// What the configuration may say.
const CONFIGS: &[&str] = &[
    "",
    "[diagnostics]\nunused-node = \"off\"\n",
    "[diagnostics]\nunused-column = \"warning\"\nunknown-column = \"warning\"\n",
    "[hints]\nhide = [\"types\"]\n",
];

/// What people and accidents write.
const PIECES: &[&str] = &[
    "(",
    ")",
    "'",
    "`",
    ",",
    "\n",
    "\r\n",
    "\t",
    "#",
    "%\n",
    "😀",
    "é",
    "{% if x %}",
    "{% end %}",
    "{{String(p)}}",
    "NODE x\nSQL >\n    SELECT 1\n",
    "TYPE endpoint\n",
    " FROM ",
    " WHERE 1",
    "count(), ",
    "AS n",
    "    `added` String,\n",
    "SCHEMA >\n",
    "",
];

/// Requests about a place.
const PLACES: &[&str] = &[
    "textDocument/hover",
    "textDocument/completion",
    "textDocument/signatureHelp",
    "textDocument/definition",
    "textDocument/documentHighlight",
    "textDocument/prepareRename",
    "textDocument/prepareCallHierarchy",
    "textDocument/prepareTypeHierarchy",
];

/// Requests about a document.
const DOCUMENTS: &[&str] = &[
    "textDocument/diagnostic",
    "textDocument/documentSymbol",
    "textDocument/foldingRange",
    "textDocument/codeLens",
    "textDocument/semanticTokens/full",
    "textDocument/documentLink",
];

/// Documents that are looked at closely in a comparison, and places in each.
const CLOSELY: usize = 8;
const POINTS: usize = 5;

fn uri(path: &str) -> String {
    crate::uri::from_path(camino::Utf8Path::new(&format!("{ROOT}/{path}")))
}

fn is_datafile(path: &str) -> bool {
    headwater_project::is_datafile(camino::Utf8Path::new(path))
}

/// Where a byte of a text is, in lines and UTF-16.
pub fn position(text: &str, at: usize) -> Value {
    let before = &text[..at];
    let mut line = 0;
    let mut start = 0;
    for (i, byte) in before.bytes().enumerate() {
        if byte == b'\n' || byte == b'\r' && text.as_bytes().get(i + 1) != Some(&b'\n') {
            line += 1;
            start = i + 1;
        }
    }
    json!({ "line": line, "character": before[start..].encode_utf16().count() })
}

/// The nearest place before that a range may begin or end at: no character and no line break is cut.
fn place_before(text: &str, at: usize) -> usize {
    let cuts = |at: usize| {
        !text.is_char_boundary(at)
            || at > 0 && text.as_bytes().get(at - 1..=at).is_some_and(|pair| pair == b"\r\n")
    };
    (0..=at.min(text.len())).rev().find(|at| !cuts(*at)).unwrap_or(0)
}

struct World {
    random: Random,
    client: TestClient,
    fs: Arc<MemoryFileSystem>,
    revisions: Arc<MemoryRevisions>,
    /// The files as they were in the beginning, and every word of them.
    original: BTreeMap<String, String>,
    words: Vec<String>,
    disk: BTreeMap<String, String>,
    /// Texts of open documents.
    open: BTreeMap<String, String>,
    /// Words that the client has of each document: the id of the list, and the list.
    tokens: BTreeMap<String, (String, Vec<Value>)>,
    version: i64,
    commit: String,
    waiting: Vec<i64>,
    report: Report,
}

async fn start(
    fs: &Arc<MemoryFileSystem>,
    revisions: &Arc<MemoryRevisions>,
    fault: Option<Fault>,
) -> TestClient {
    let hooks = TestHooks::new();
    if let Some(fault) = fault {
        hooks.plant(fault);
    }
    let options = Options {
        fs: fs.clone(),
        revisions: revisions.clone(),
        calm: Duration::ZERO,
        engine: EngineChoice::default(),
        hooks,
        progress_after: Duration::from_secs(600),
        now: || Some(headwater_ide::Moment { year: 2024, month: 2, day: 29, hour: 3, minute: 0 }),
    };
    let mut client = TestClient::start(options);
    let capabilities = json!({
        "textDocument": {
            "diagnostic": {}, "callHierarchy": {}, "typeHierarchy": {},
            "semanticTokens": {
                "requests": { "full": { "delta": true } },
                "tokenTypes": [], "tokenModifiers": [], "formats": ["relative"],
            },
            "documentSymbol": { "hierarchicalDocumentSymbolSupport": true },
            "hover": { "contentFormat": ["markdown"] },
            "rename": { "prepareSupport": true },
        },
    });
    let folders = json!([{ "uri": format!("file://{ROOT}"), "name": "p" }]);
    client.initialize(json!({ "capabilities": capabilities, "workspaceFolders": folders })).await;
    client
}

impl World {
    async fn new(soak: &Soak) -> Self {
        let fs = Arc::new(MemoryFileSystem::new());
        for (path, text) in &soak.files {
            fs.write(format!("{ROOT}/{path}"), text.clone());
        }
        let revisions = Arc::new(MemoryRevisions::new());
        let commit = "0000000001".to_owned();
        let files: Vec<(&str, &str)> = soak.files.iter().map(|(p, t)| (p.as_str(), t.as_str())).collect();
        revisions.commit(ROOT, &commit, &files);
        let mut words: Vec<String> = soak
            .files
            .values()
            .flat_map(|text| text.split(|c: char| !c.is_alphanumeric() && c != '_'))
            .filter(|w| !w.is_empty())
            .map(str::to_owned)
            .collect();
        words.sort();
        words.dedup();
        let client = start(&fs, &revisions, soak.fault).await;
        Self {
            random: Random(soak.seed.wrapping_mul(2).wrapping_add(1)),
            client,
            fs,
            revisions,
            original: soak.files.clone(),
            words,
            disk: soak.files.clone(),
            open: BTreeMap::new(),
            tokens: BTreeMap::new(),
            version: 0,
            commit,
            waiting: Vec::new(),
            report: Report::default(),
        }
    }

    async fn step(&mut self) {
        match self.random.below(100) {
            0..=49 => self.edit().await,
            50..=55 => self.open_one().await,
            56..=60 => self.close_one().await,
            61..=64 => self.save().await,
            65..=68 => self.touch_disk().await,
            69 => self.configure().await,
            70 => self.commit().await,
            71..=78 => self.ask_for_words().await,
            79..=90 => self.ask(false).await,
            _ => self.ask(true).await,
        }
        if self.waiting.len() > 16 {
            self.drain().await;
        }
    }

    async fn open_one(&mut self) {
        let closed: Vec<String> =
            self.disk.keys().filter(|p| is_datafile(p) && !self.open.contains_key(*p)).cloned().collect();
        if closed.is_empty() || self.open.len() >= CLOSELY {
            return self.close_one().await;
        }
        let path = self.random.pick(&closed).clone();
        let text = self.disk[&path].clone();
        self.version += 1;
        self.client.notify("textDocument/didOpen", opened(&uri(&path), self.version, &text)).await;
        self.open.insert(path, text);
    }

    fn open_path(&mut self) -> Option<String> {
        let paths: Vec<&String> = self.open.keys().collect();
        if paths.is_empty() { None } else { Some((*self.random.pick(&paths)).clone()) }
    }

    async fn close_one(&mut self) {
        let Some(path) = self.open_path() else { return };
        self.client.notify("textDocument/didClose", document(&uri(&path))).await;
        self.open.remove(&path);
        self.tokens.remove(&path);
    }

    /// An edit as people make them, and now and then one that nobody makes.
    async fn edit(&mut self) {
        let Some(path) = self.open_path() else { return self.open_one().await };
        let text = self.open[&path].clone();
        self.report.edits += 1;
        let original = self.original.get(&path).cloned().unwrap_or_default();
        // Texts that only get worse are soon all alike.
        if self.random.below(9) == 0 || text.len() > original.len() * 2 + 1_000 {
            return self.replace(&path, original).await;
        }
        let at = place_before(&text, self.random.below(text.len() + 1));
        let (from, to, new) = match self.random.below(8) {
            // A word becomes another one that the project has.
            0..=3 => {
                let is_word = |c: char| c.is_alphanumeric() || c == '_';
                let from = text[..at].trim_end_matches(is_word).len();
                let to = at + text[at..].find(|c| !is_word(c)).unwrap_or(text.len() - at);
                (from, to, self.random.pick(&self.words.clone()).clone())
            }
            // A line goes, or comes twice.
            4 => {
                let from = text[..at].rfind('\n').map_or(0, |n| n + 1);
                let to = text[at..].find('\n').map_or(text.len(), |n| at + n + 1);
                let twice = self.random.below(2) == 0;
                (from, to, if twice { text[from..to].repeat(2) } else { String::new() })
            }
            5 => {
                let to = place_before(&text, (at + self.random.below(12)).min(text.len()));
                (at, to.max(at), String::new())
            }
            _ => (at, at, (*self.random.pick(PIECES)).to_owned()),
        };
        let mut now = text.clone();
        now.replace_range(from..to, &new);
        self.version += 1;
        let range = json!({ "start": position(&text, from), "end": position(&text, to) });
        let params = json!({
            "textDocument": { "uri": uri(&path), "version": self.version },
            "contentChanges": [{ "range": range, "text": new }],
        });
        self.client.notify("textDocument/didChange", params).await;
        self.open.insert(path, now);
    }

    async fn replace(&mut self, path: &str, text: String) {
        self.version += 1;
        self.client.notify("textDocument/didChange", super::replaced(&uri(path), self.version, &text)).await;
        self.open.insert(path.to_owned(), text);
    }

    async fn save(&mut self) {
        let Some(path) = self.open_path() else { return };
        let text = self.open[&path].clone();
        self.write(&path, Some(text)).await;
        self.client.notify("textDocument/didSave", document(&uri(&path))).await;
    }

    /// Writes or removes a file, and tells.
    async fn write(&mut self, path: &str, text: Option<String>) {
        let full = format!("{ROOT}/{path}");
        let kind = match text {
            Some(text) => {
                self.fs.write(&full, text.clone());
                self.disk.insert(path.to_owned(), text);
                2
            }
            None => {
                self.fs.remove(&full);
                self.disk.remove(path);
                3
            }
        };
        let change = json!({ "changes": [{ "uri": uri(path), "type": kind }] });
        self.client.notify("workspace/didChangeWatchedFiles", change).await;
    }

    /// Somebody else changes a file: another editor, git.
    async fn touch_disk(&mut self) {
        self.report.outside += 1;
        let gone: Vec<String> =
            self.original.keys().filter(|p| !self.disk.contains_key(*p)).cloned().collect();
        let there: Vec<String> =
            self.disk.keys().filter(|p| is_datafile(p) && *p != SENTINEL).cloned().collect();
        match self.random.below(6) {
            0 if there.len() > 3 => {
                let path = self.random.pick(&there).clone();
                self.write(&path, None).await;
            }
            1 | 2 if !gone.is_empty() => {
                let path = self.random.pick(&gone).clone();
                let text = self.original[&path].clone();
                self.write(&path, Some(text)).await;
            }
            3 => {
                let path = format!("pipes/new_{}.pipe", self.random.below(3));
                let table = self.random.pick(&self.words.clone()).clone();
                let text = format!("NODE first\nSQL >\n    SELECT * FROM {table}\n\nTYPE endpoint\n");
                self.write(&path, Some(text)).await;
            }
            _ if !there.is_empty() => {
                let path = self.random.pick(&there).clone();
                let word = self.random.pick(&self.words.clone()).clone();
                let text = self.disk[&path].replacen(&word, "changed_outside", 1);
                self.write(&path, Some(text)).await;
            }
            _ => {}
        }
    }

    async fn configure(&mut self) {
        self.report.outside += 1;
        let text = (*self.random.pick(CONFIGS)).to_owned();
        self.write(CONFIG, Some(text)).await;
    }

    /// What is on the disk becomes the baseline.
    async fn commit(&mut self) {
        self.report.outside += 1;
        let number: usize = self.commit.parse().unwrap_or(0) + 1;
        self.commit = format!("{number:010}");
        let files: Vec<(&str, &str)> = self.disk.iter().map(|(p, t)| (p.as_str(), t.as_str())).collect();
        self.revisions.commit(ROOT, &self.commit, &files);
        let change = json!({ "changes": [{ "uri": uri(".git/HEAD"), "type": 2 }] });
        self.client.notify("workspace/didChangeWatchedFiles", change).await;
    }

    /// The words of a document, as a difference from what the client has.
    async fn ask_for_words(&mut self) {
        let Some(path) = self.open_path() else { return };
        self.words_of(&path).await;
    }

    /// The words that a client has of a document that it keeps up with.
    async fn words_of(&mut self, path: &str) -> Vec<Value> {
        self.report.answered += 1;
        let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
        let number = |value: &Value| value.as_u64().and_then(|n| usize::try_from(n).ok()).unwrap_or(0);
        let (answer, mut data) = match self.tokens.get(path).cloned() {
            Some((id, data)) => {
                let params = json!({ "textDocument": { "uri": uri(path) }, "previousResultId": id });
                (self.client.call("textDocument/semanticTokens/full/delta", params).await, data)
            }
            None => {
                (self.client.call("textDocument/semanticTokens/full", document(&uri(path))).await, Vec::new())
            }
        };
        match answer["edits"].as_array() {
            Some(edits) => {
                for edit in edits {
                    let start = number(&edit["start"]).min(data.len());
                    let end = (start + number(&edit["deleteCount"])).min(data.len());
                    data.splice(start..end, list(&edit["data"]));
                }
            }
            None => data = list(&answer["data"]),
        }
        let id = answer["resultId"].as_str().unwrap_or_default().to_owned();
        self.tokens.insert(path.to_owned(), (id, data.clone()));
        data
    }

    /// A request whose answer comes later, or is not wanted any more.
    async fn ask(&mut self, cancels: bool) {
        let paths: Vec<String> = self.disk.keys().filter(|p| is_datafile(p)).cloned().collect();
        if paths.is_empty() {
            return;
        }
        let path = self.open_path().filter(|_| self.random.below(4) > 0);
        let path = path.unwrap_or_else(|| self.random.pick(&paths).clone());
        let (method, params) = match self.random.below(10) {
            0 => ("workspace/symbol", json!({ "query": self.random.pick(&self.words.clone()) })),
            1..=4 => (*self.random.pick(DOCUMENTS), document(&uri(&path))),
            _ => {
                let (line, character) = (self.random.below(40) as u32, self.random.below(60) as u32);
                (*self.random.pick(PLACES), place(&uri(&path), line, character))
            }
        };
        // Whoever asks for a whole list has it.
        if method == "textDocument/semanticTokens/full" {
            self.tokens.remove(&path);
        }
        let id = self.client.send(method, params).await;
        if cancels {
            self.report.cancelled += 1;
            self.client.cancel(id).await;
        } else {
            self.waiting.push(id);
        }
    }

    async fn drain(&mut self) {
        for id in std::mem::take(&mut self.waiting) {
            self.report.answered += 1;
            // An answer or the honest reason why there is none.
            if let Err(error) = self.client.answer(id).await {
                assert!(matches!(error["code"].as_i64(), Some(-32801 | -32803)), "{error}");
            }
        }
        self.client.ignore_all();
    }

    async fn check(&mut self, step: usize) -> Result<(), Box<Divergence>> {
        self.drain().await;
        self.write(SENTINEL, Some(format!("NODE s{step}\nSQL >\n    SELECT 1\n\nTYPE endpoint\n"))).await;
        let (sentinel, commit) = (format!("s{step}"), self.commit.clone());
        settled(&mut self.client, &sentinel, &commit).await;
        let mut fresh = start(&self.fs, &self.revisions, None).await;
        for (path, text) in &self.open {
            fresh.notify("textDocument/didOpen", opened(&uri(path), 1, text)).await;
        }
        settled(&mut fresh, &sentinel, &commit).await;
        let outcome = self.compare(step, &mut fresh).await;
        fresh.ignore_all();
        fresh.shut_down().await;
        self.client.ignore_all();
        self.report.checks += 1;
        outcome
    }

    async fn compare(&mut self, step: usize, fresh: &mut TestClient) -> Result<(), Box<Divergence>> {
        let differ = |question: String, lived: Value, fresh: Value| {
            if lived == fresh { Ok(()) } else { Err(Box::new(Divergence { step, question, lived, fresh })) }
        };
        let all: Vec<String> =
            self.disk.keys().chain(self.open.keys()).filter(|p| is_datafile(p)).cloned().collect();
        for path in &all {
            let ask = document(&uri(path));
            let lived = self.client.call("textDocument/diagnostic", ask.clone()).await["items"].take();
            let new = fresh.call("textDocument/diagnostic", ask).await["items"].take();
            self.report.compared += 1;
            differ(format!("diagnostics of {path}"), lived, new)?;
        }
        let mut closely: Vec<String> = self.open.keys().cloned().collect();
        for _ in 0..CLOSELY / 2 {
            closely.push(self.random.pick(&all).clone());
        }
        closely.sort();
        closely.dedup();
        for path in &closely {
            if self.open.contains_key(path) {
                let lived = self.words_of(path).await;
                let new =
                    fresh.call("textDocument/semanticTokens/full", document(&uri(path))).await["data"].take();
                differ(format!("words of {path}"), Value::Array(lived), new)?;
            }
            let text = self.open.get(path).or_else(|| self.disk.get(path)).cloned().unwrap_or_default();
            for (method, params) in self.questions(path, &text) {
                let lived = said(&mut self.client, method, params.clone()).await;
                let new = said(fresh, method, params.clone()).await;
                self.report.compared += 1;
                differ(format!("{method} {params}"), lived.clone(), new)?;
                // What is around it in the flow.
                let next: &[&str] = match method {
                    "textDocument/prepareCallHierarchy" => {
                        &["callHierarchy/incomingCalls", "callHierarchy/outgoingCalls"]
                    }
                    "textDocument/prepareTypeHierarchy" => {
                        &["typeHierarchy/supertypes", "typeHierarchy/subtypes"]
                    }
                    _ => &[],
                };
                for method in next.iter().filter(|_| lived[0].is_object()) {
                    let params = json!({ "item": lived[0] });
                    let lived = said(&mut self.client, method, params.clone()).await;
                    let new = said(fresh, method, params.clone()).await;
                    self.report.compared += 1;
                    differ(format!("{method} {params}"), lived, new)?;
                }
            }
        }
        Ok(())
    }

    /// Everything that is asked about a document in a comparison.
    fn questions(&mut self, path: &str, text: &str) -> Vec<(&'static str, Value)> {
        let mut out: Vec<(&'static str, Value)> = DOCUMENTS
            .iter()
            .filter(|m| !m.ends_with("diagnostic") && !m.contains("semanticTokens"))
            .map(|method| (*method, document(&uri(path))))
            .collect();
        let whole =
            json!({ "start": { "line": 0, "character": 0 }, "end": { "line": 99_999, "character": 0 } });
        out.push(("textDocument/inlayHint", json!({ "textDocument": { "uri": uri(path) }, "range": whole })));
        let view = json!({ "command": "headwater.view.lineage", "arguments": [{ "uri": uri(path) }] });
        out.push(("workspace/executeCommand", view));
        for _ in 0..POINTS {
            let at = position(text, place_before(text, self.random.below(text.len() + 1)));
            let here = json!({ "textDocument": { "uri": uri(path) }, "position": at });
            out.extend(PLACES.iter().map(|method| (*method, here.clone())));
        }
        out
    }
}

/// An answer; a refusal is one too.
async fn said(client: &mut TestClient, method: &str, params: Value) -> Value {
    let id = client.send(method, params).await;
    client.answer(id).await.unwrap_or_else(|mut error| error["message"].take())
}

/// Waits until a server has read the disk and the history up to here.
async fn settled(client: &mut TestClient, sentinel: &str, commit: &str) {
    for _ in 0..2_000 {
        let symbols = client.call("textDocument/documentSymbol", document(&uri(SENTINEL))).await;
        let status = client.call("headwater/status", json!({})).await;
        let text = status["text"].as_str().unwrap_or_default();
        let compared = text.contains(&format!("commit {commit},")) && !text.contains("being read");
        if compared && symbols[0]["name"] == sentinel {
            return;
        }
        tokio::time::sleep(Duration::from_millis(3)).await;
    }
}
