//! What a client may do, as data: made from a seed, kept as JSON, shrunk step by step.

use std::sync::LazyLock;

use fastrand::Rng;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::dictionary::PIECES;
use crate::{corpus, mutate};

/// A project on disk, and what a client does with it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Session {
    /// What columns count: `utf-8`, `utf-16` or `utf-32`.
    pub encoding: String,
    /// Files on disk before the server starts: path and text.
    pub disk: Vec<(String, String)>,
    /// What happens, in order.
    pub steps: Vec<Step>,
}

/// One thing that happens.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Step {
    /// A document is opened, or opened again.
    Open {
        /// Path of the file.
        file: String,
        /// The editor's text.
        text: String,
    },
    /// A document is edited. One that is not open must be left alone.
    Change {
        /// Path of the file.
        file: String,
        /// Edits, each to the text that the one before left.
        edits: Vec<Edit>,
    },
    /// A document is closed.
    Close {
        /// Path of the file.
        file: String,
    },
    /// A file is saved.
    Save {
        /// Path of the file.
        file: String,
    },
    /// A file on disk is written, or removed.
    Disk {
        /// Path of the file.
        file: String,
        /// The new text; `None` removes the file.
        text: Option<String>,
        /// Whether the client tells the server at once.
        told: bool,
    },
    /// A request.
    Ask {
        /// Its method.
        method: String,
        /// Path of the file it is about.
        file: String,
        /// A line, not necessarily of the text.
        line: u32,
        /// A column, not necessarily of the line.
        character: u32,
    },
    /// An earlier request is cancelled, whether or not it was answered.
    Cancel {
        /// How many requests ago.
        back: usize,
    },
    /// The client waits for all its answers.
    Await,
}

/// One edit: of a range `[line, character, line, character]`, or of the whole text.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Edit {
    /// What is replaced; `None` for everything. Any numbers.
    pub range: Option<[u32; 4]>,
    /// By what.
    pub text: String,
}

impl Session {
    /// The session as JSON, a step a line.
    pub fn to_json(&self) -> String {
        let list = |items: Vec<String>| items.join(",\n  ");
        let disk = self.disk.iter().map(|file| json!(file).to_string()).collect();
        let steps = self.steps.iter().map(|step| json!(step).to_string()).collect();
        let (encoding, disk, steps) = (&self.encoding, list(disk), list(steps));
        format!("{{\"encoding\": \"{encoding}\",\n\"disk\": [\n  {disk}],\n\"steps\": [\n  {steps}]}}")
    }

    /// The session of a text.
    ///
    /// # Panics
    /// When it is none.
    pub fn from_json(text: &str) -> Self {
        serde_json::from_str(text).expect("a session as JSON")
    }
}

/// Paths of the project's files. Two have one name; one is vendored; one is hard to spell.
pub const FILES: &[&str] = &[
    "datasources/events.datasource",
    "datasources/daily.datasource",
    "vendor/ws/shared.datasource",
    "connections/lake.connection",
    "pipes/a.pipe",
    "pipes/b.pipe",
    "endpoints/b.pipe",
    "materializations/daily_mv.pipe",
    "copies/é 😀.pipe",
    "z.pipe",
    "includes/part.incl",
];

/// Files that say something about the whole project. They are never opened.
const FACTS: &[(&str, &str)] = &[
    (".tinyenv", "VERSION=1\n"),
    ("headwater.toml", "[diagnostics]\nunknown-resource = \"warning\"\n"),
    ("tinybird.config.json", "{}"),
];

/// A file that always is on disk, so that the project's root never moves.
pub const ANCHOR: (&str, &str) =
    ("datasources/anchor.datasource", "SCHEMA >\n    `id` String `json:$.id`\n\nENGINE \"MergeTree\"\n");

/// Requests about one document, or about everything.
pub const METHODS: &[&str] = &[
    "textDocument/hover",
    "textDocument/definition",
    "textDocument/completion",
    "textDocument/signatureHelp",
    "textDocument/documentHighlight",
    "textDocument/prepareCallHierarchy",
    "textDocument/prepareTypeHierarchy",
    "textDocument/prepareRename",
    "textDocument/selectionRange",
    "textDocument/codeAction",
    "textDocument/semanticTokens/full",
    "textDocument/inlayHint",
    "textDocument/references",
    "textDocument/documentSymbol",
    "textDocument/codeLens",
    "textDocument/foldingRange",
    "textDocument/documentLink",
    "textDocument/diagnostic",
    "workspace/symbol",
    "workspace/diagnostic",
    "headwater/status",
];

/// A session.
pub fn random(rng: &mut Rng) -> Session {
    let encoding =
        (*rng.choice(["utf-8", "utf-16", "utf-16", "utf-32"].iter()).unwrap_or(&"utf-16")).to_owned();
    let mut disk = Vec::new();
    for path in FILES {
        if rng.u8(..4) > 0 {
            disk.push(((*path).to_owned(), text(rng, path)));
        }
    }
    for (path, text) in FACTS {
        if rng.u8(..10) == 0 {
            disk.push(((*path).to_owned(), (*text).to_owned()));
        }
    }
    let steps = (0..rng.usize(3..60)).map(|_| step(rng)).collect();
    Session { encoding, disk, steps }
}

fn step(rng: &mut Rng) -> Step {
    let file = FILES[rng.usize(..FILES.len())].to_owned();
    match rng.u8(..20) {
        0..3 => Step::Open { text: text(rng, &file), file },
        3..9 => Step::Change { file, edits: (0..rng.usize(1..4)).map(|_| edit(rng)).collect() },
        9 => Step::Close { file },
        10 => match rng.u8(..6) {
            0 => Step::Save { file },
            1 => {
                let (path, text) = FACTS[rng.usize(..FACTS.len())];
                Step::Disk { file: path.to_owned(), text: rng.bool().then(|| text.to_owned()), told: true }
            }
            _ => {
                Step::Disk { text: (rng.u8(..3) > 0).then(|| text(rng, &file)), file, told: rng.u8(..4) > 0 }
            }
        },
        11..17 => {
            let method = METHODS[rng.usize(..METHODS.len())].to_owned();
            Step::Ask { method, file, line: number(rng, 12), character: number(rng, 40) }
        }
        17..19 => Step::Cancel { back: rng.usize(1..5) },
        _ => Step::Await,
    }
}

fn edit(rng: &mut Rng) -> Edit {
    let piece = match rng.u8(..4) {
        0 => NAMES[rng.usize(..NAMES.len())],
        1 => "",
        _ => PIECES[rng.usize(..PIECES.len())],
    };
    let (line, character) = (number(rng, 12), number(rng, 40));
    let range = match rng.u8(..8) {
        0 => None,
        1..5 => Some([line, character, line, character.saturating_add(rng.u32(..8))]),
        // Possibly backwards, possibly nowhere.
        _ => Some([line, character, number(rng, 14), number(rng, 40)]),
    };
    let text = match range {
        None => text(rng, "pipes/a.pipe"),
        Some(_) => piece.to_owned(),
    };
    Edit { range, text }
}

/// A small number, or now and then one that no text has.
fn number(rng: &mut Rng, usual: u32) -> u32 {
    match rng.u8(..24) {
        0 => u32::MAX - rng.u32(..2),
        1 => rng.u32(..100_000),
        _ => rng.u32(..usual),
    }
}

/// Names that the project's files have, or nearly.
const NAMES: &[&str] = &[
    "events",
    "daily",
    "a",
    "b",
    "z",
    "daily_mv",
    "ws.shared",
    "lake",
    "part",
    "first",
    "second",
    "evnets",
    "events_quarantine",
    "b__v1",
];

static CORPUS: LazyLock<Vec<String>> = LazyLock::new(|| corpus::load().unwrap_or_default());

/// A text for a file: mostly one that knows the other files, sometimes any text of the corpus, mutated or not.
fn text(rng: &mut Rng, path: &str) -> String {
    let base = match rng.u8(..8) {
        0 if !CORPUS.is_empty() => CORPUS[rng.usize(..CORPUS.len())].clone(),
        _ if path.ends_with(".datasource") => datasource(rng),
        _ if path.ends_with(".connection") => "TYPE s3\nS3_REGION \"eu\"\nS3_ARN \"arn\"\n".to_owned(),
        _ if path.ends_with(".incl") => "NODE included\nSQL >\n    SELECT * FROM events\n".to_owned(),
        _ => pipe(rng),
    };
    match rng.u8(..4) {
        0 => mutate::mutated(rng, &base, std::slice::from_ref(&base)),
        _ => base,
    }
}

fn name(rng: &mut Rng) -> &'static str {
    NAMES[rng.usize(..NAMES.len())]
}

fn datasource(rng: &mut Rng) -> String {
    let ending = if rng.u8(..4) == 0 { "\r\n" } else { "\n" };
    let mut text = "SCHEMA >\n    `id` String `json:$.id`,\n    `ts` DateTime `json:$.ts`\n\n".to_owned();
    text += "ENGINE \"MergeTree\"\nENGINE_SORTING_KEY \"ts, id\"\n";
    if rng.u8(..3) == 0 {
        text += "IMPORT_CONNECTION_NAME lake\n";
    }
    if rng.u8(..4) == 0 {
        text += "FORWARD_QUERY >\n    SELECT *\n";
    }
    text.replace('\n', ending)
}

fn pipe(rng: &mut Rng) -> String {
    let mut text = String::new();
    if rng.u8(..8) == 0 {
        text += "INCLUDE \"includes/part.incl\"\n\n";
    }
    for node in ["first", "second", "a", "third"].iter().take(rng.usize(1..4)) {
        let (from, join) = (name(rng), name(rng));
        text += &match rng.u8(..5) {
            0 => format!("NODE {node}\nSQL >\n    SELECT x.id FROM {from} x JOIN {join} y USING id\n\n"),
            1 => format!(
                "NODE {node}\nDESCRIPTION >\n    é 😀\nSQL >\n    %\n    SELECT * FROM {from}\n    {{% if defined(p) %}}\n    WHERE id = {{{{String(p)}}}}\n    {{% end %}}\n\n"
            ),
            _ => format!("NODE {node}\nSQL >\n    SELECT id FROM {from}\n\n"),
        };
    }
    text += &match rng.u8(..6) {
        0 => format!("TYPE materialized\nDATASOURCE {}\n", name(rng)),
        1 => format!("TYPE copy\nTARGET_DATASOURCE {}\n", name(rng)),
        2 => "TYPE sink\nEXPORT_CONNECTION_NAME lake\n".to_owned(),
        3 => String::new(),
        _ => "TYPE endpoint\n".to_owned(),
    };
    text
}
