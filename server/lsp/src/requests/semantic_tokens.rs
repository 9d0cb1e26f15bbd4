//! `textDocument/semanticTokens/*`: full, range, delta.
//!
//! A delta is against what this client was sent last for the document; that is kept beside the database and is never
//! part of an answer: when it is not there, or is another one than the client means, the answer is full.

use std::hash::{Hash, Hasher};
use std::sync::Arc;

use headwater_analysis::{Db, File};
use headwater_ide::TokenClass;
use rustc_hash::FxHasher;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tower_lsp::gen_lsp_types::{Range, TextDocumentIdentifier};

use super::DocumentParams;
use crate::hooks::Fault;
use crate::position::{Encoding, line_index};
use crate::snapshot::Snapshot;

/// Names of modifiers, in the order of their bits.
const MODIFIERS: &[&str] = &["declaration", "defaultLibrary"];

/// Numbers of one token.
const WIDTH: usize = 5;

/// What the numbers mean.
pub(crate) fn legend() -> Value {
    let types: Vec<_> = TokenClass::ALL.iter().map(|(_, name)| *name).collect();
    json!({ "tokenTypes": types, "tokenModifiers": MODIFIERS })
}

/// A file's tokens as the protocol writes them: five numbers each, relative to the one before.
#[salsa::tracked]
fn encoded(db: &dyn Db, file: File, encoding: Encoding) -> Arc<Vec<u32>> {
    let index = line_index(db, file, encoding);
    let tokens = headwater_ide::semantic_tokens(db, file);
    let mut out = Vec::with_capacity(tokens.len() * WIDTH);
    let (mut line, mut character) = (0, 0);
    for token in tokens {
        let range = index.range(token.range);
        let same = range.start.line == line;
        let class = TokenClass::ALL.iter().position(|(class, _)| *class == token.class).unwrap_or(0);
        out.extend([
            range.start.line - line,
            if same { range.start.character - character } else { range.start.character },
            range.end.character.saturating_sub(range.start.character),
            u32::try_from(class).unwrap_or(0),
            u32::from(token.is_declaration) | u32::from(token.is_library) << 1,
        ]);
        (line, character) = (range.start.line, range.start.character);
    }
    Arc::new(out)
}

fn id(data: &[u32]) -> u64 {
    let mut hasher = FxHasher::default();
    data.hash(&mut hasher);
    hasher.finish()
}

/// All tokens, or what is new since the answer with an id.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Answer {
    result_id: String,
    #[serde(flatten)]
    tokens: Tokens,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
enum Tokens {
    Data(Numbers),
    Edits(Vec<Edit>),
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Edit {
    start: usize,
    delete_count: usize,
    data: Vec<u32>,
}

/// Thousands of numbers that the database remembers.
struct Numbers(Arc<Vec<u32>>);

impl Serialize for Numbers {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.as_slice().serialize(serializer)
    }
}

fn full_answer(snapshot: &Snapshot, uri: &str, data: Arc<Vec<u32>>) -> Answer {
    let id = id(&data);
    snapshot.tokens.insert(uri.to_owned(), (id, data.clone()));
    Answer { result_id: format!("{id:x}"), tokens: Tokens::Data(Numbers(data)) }
}

pub(crate) fn full(snapshot: &Snapshot, params: &DocumentParams) -> Option<Answer> {
    let uri = &params.text_document.uri.0;
    let file = snapshot.file(uri)?;
    let data = encoded(&snapshot.db, file, snapshot.profile.encoding).clone();
    Some(full_answer(snapshot, uri, data))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct DeltaParams {
    text_document: TextDocumentIdentifier,
    previous_result_id: String,
}

pub(crate) fn delta(snapshot: &Snapshot, params: &DeltaParams) -> Option<Answer> {
    let uri = &params.text_document.uri.0;
    let file = snapshot.file(uri)?;
    let data = encoded(&snapshot.db, file, snapshot.profile.encoding).clone();
    let known = snapshot.tokens.get(uri).map(|entry| entry.value().clone());
    let Some((_, old)) = known.filter(|(id, _)| format!("{id:x}") == params.previous_result_id) else {
        return Some(full_answer(snapshot, uri, data));
    };
    let edits: Vec<_> = difference(&old, &data)
        .map(|(start, removed, inserted)| Edit { start, delete_count: removed, data: inserted.to_vec() })
        .into_iter()
        .collect();
    let id = id(&data);
    let kept = if snapshot.hooks.has(Fault::OldWords) { old } else { data };
    snapshot.tokens.insert(uri.clone(), (id, kept));
    Some(Answer { result_id: format!("{id:x}"), tokens: Tokens::Edits(edits) })
}

/// The one stretch of whole tokens in which two lists differ: start, how many numbers go, which come.
fn difference<'n>(old: &[u32], new: &'n [u32]) -> Option<(usize, usize, &'n [u32])> {
    let (a, b) = (old.chunks(WIDTH), new.chunks(WIDTH));
    let front = a.zip(b).take_while(|(x, y)| x == y).count() * WIDTH;
    let (old, new) = (&old[front.min(old.len())..], &new[front.min(new.len())..]);
    let back = old.rchunks(WIDTH).zip(new.rchunks(WIDTH)).take_while(|(x, y)| x == y).count() * WIDTH;
    let (old, new) = (&old[..old.len() - back], &new[..new.len() - back]);
    (!(old.is_empty() && new.is_empty())).then_some((front, old.len(), new))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct RangeParams {
    text_document: TextDocumentIdentifier,
    range: Range,
}

pub(crate) fn range(snapshot: &Snapshot, params: &RangeParams) -> Value {
    let Some(file) = snapshot.file(&params.text_document.uri.0) else { return Value::Null };
    let all = encoded(&snapshot.db, file, snapshot.profile.encoding);
    let mut out: Vec<u32> = Vec::new();
    let (mut line, mut last) = (0, None);
    let mut character = 0;
    let mut last_character = 0;
    for token in all.chunks_exact(WIDTH) {
        character = if token[0] == 0 { character + token[1] } else { token[1] };
        line += token[0];
        if line < params.range.start.line || line > params.range.end.line {
            continue;
        }
        let same = last == Some(line);
        let by = line - last.unwrap_or(0);
        out.extend([
            by,
            if same { character - last_character } else { character },
            token[2],
            token[3],
            token[4],
        ]);
        (last, last_character) = (Some(line), character);
    }
    json!({ "data": out })
}

#[cfg(test)]
mod tests {
    use super::difference;

    #[test]
    fn a_difference_makes_the_new_list_of_the_old() {
        let token = |n: u32| [0, n, 1, 0, 0];
        let list = |numbers: &[u32]| numbers.iter().flat_map(|n| token(*n)).collect::<Vec<_>>();
        for (old, new) in [
            (list(&[]), list(&[])),
            (list(&[1, 2, 3]), list(&[1, 2, 3])),
            (list(&[1, 2, 3]), list(&[1, 9, 3])),
            (list(&[1, 2, 3]), list(&[1, 3])),
            (list(&[1, 1]), list(&[1, 1, 1])),
            (list(&[]), list(&[4])),
            (list(&[4]), list(&[])),
        ] {
            let mut made = old.clone();
            if let Some((start, removed, inserted)) = difference(&old, &new) {
                made.splice(start..start + removed, inserted.iter().copied());
            }
            assert_eq!(made, new);
        }
    }
}
