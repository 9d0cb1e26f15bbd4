//! What the engine refuses and our own rules let pass.

use std::sync::Arc;

use headwater_syntax::{FileKind, TextRange, TextSize, sql};

use super::query::when;
use super::{Diagnostic, Sink};
use crate::codes;
use crate::db::Db;
use crate::inputs::{Content, File};
use crate::opinions::{Heard, has_names, place, short};
use crate::parse::datafile;
use crate::semantics::{Rendering, node_meaning, node_renderings};

/// The engine's refusals of a pipe's queries that no fault of ours explains. Looks at nothing where there is no opinion.
#[salsa::tracked]
pub(super) fn refusals(db: &dyn Db, file: File) -> Arc<Vec<Diagnostic>> {
    let mut out = Vec::new();
    let is_pipe = file.kind(db) == Some(FileKind::Pipe) && matches!(file.content(db), Content::Text(_));
    if !is_pipe || file.opinions(db).is_empty() {
        return Arc::new(out);
    }
    let parsed = datafile(db, file);
    let mut sink = Sink::new(parsed, &mut out);
    for node in parsed.datafile.nodes() {
        let Some((entry, sql)) = node.sql() else { continue };
        let heard = Heard::of(db, file, node.index);
        let renderings = node_renderings(db, file, node.index);
        let facts = &node_meaning(db, file, node.index).facts;
        let mut shown: Vec<(TextRange, String)> = Vec::new();
        for (number, words) in heard.refusals() {
            let (Some(rendering), Some(facts)) = (renderings.get(number), facts.get(number)) else {
                continue;
            };
            let is_explained = facts.faults.iter().any(|f| f.kind.refuses_query());
            if is_explained || !rendering.syntax_errors().is_empty() {
                continue;
            }
            let Some(range) = place_in_node(rendering, words) else { continue };
            let said = short(words);
            // One fault that several requests show is one fault.
            if shown.iter().any(|(at, text)| *at == range && *text == said) {
                continue;
            }
            let when = when(&rendering.witness);
            let message = format!("the engine refuses this query{when}: {said}");
            shown.push((range, said));
            sink.in_body(entry, &sql, &codes::REFUSED_BY_ENGINE, range, message);
        }
    }
    Arc::new(out)
}

/// Where a refusal is shown, in offsets of the node's text: at what its words name, else at the word that opens the query.
/// `None` when the engine speaks of a value that was made up for the question.
fn place_in_node(rendering: &Rendering, words: &str) -> Option<TextRange> {
    if let Some(at) = place(words, &rendering.text) {
        let place = rendering.to_node(at);
        return (!place.is_made_up).then_some(place.range);
    }
    if has_names(words) && rendering.has_made_up() {
        return None;
    }
    let tree = sql::parse(&rendering.text)?;
    let first = sql::ast::nodes(tree.root_node()).find(|n| n.kind() == "select_query");
    let start = first.map_or(0, |n| n.start_byte());
    let text = &rendering.text[start..];
    let word = text.find(|c: char| !c.is_alphanumeric()).unwrap_or(text.len());
    let start = TextSize::try_from(start).ok()?;
    let range = TextRange::at(start, TextSize::try_from(word).ok()?);
    Some(rendering.to_node(range).range)
}
