//! A node's query with its stars written out.

use std::sync::Arc;

use headwater_analysis::query::Expansion;
use headwater_analysis::semantics::{node_meaning, node_renderings};
use headwater_analysis::{Db, File, TextRange, datafile};

use super::canonical;

/// The canonical query of a node in which every `*` of which all columns are known is the list of those columns: what it
/// reads does not change when a table gets more. A star that a template makes, or whose columns are not known, stays.
#[salsa::tracked]
pub fn compiled_sql(db: &dyn Db, file: File, node: usize) -> Arc<str> {
    let parsed = datafile(db, file);
    let nodes = parsed.datafile.nodes();
    let Some((_, text)) = nodes.get(node).and_then(|n| n.sql()) else { return "".into() };
    let text = &*text.text;
    if !text.contains('*') && !text.to_ascii_uppercase().contains("COLUMNS") {
        return canonical::query(text).into();
    }
    let mut edits: Vec<(TextRange, Option<String>)> = Vec::new();
    let meaning = node_meaning(db, file, node);
    for (facts, rendering) in meaning.facts.iter().zip(node_renderings(db, file, node).iter()) {
        for star in facts.stars.iter().filter(|s| !s.columns.is_empty()) {
            let place = rendering.to_node(star.range);
            if place.is_made_up || usize::from(place.range.end()) > text.len() {
                continue;
            }
            let list = written(star);
            match edits.iter_mut().find(|(range, _)| *range == place.range) {
                // The same star of two requests over different tables stays.
                Some((_, known)) if known.as_ref() != Some(&list) => *known = None,
                Some(_) => {}
                None => edits.push((place.range, Some(list))),
            }
        }
    }
    edits.sort_by_key(|(range, _)| std::cmp::Reverse(range.start()));
    let mut out = text.to_owned();
    let mut end = text.len();
    for (range, list) in edits {
        let (from, to) = (usize::from(range.start()), usize::from(range.end()));
        if let Some(list) =
            list.filter(|_| to <= end && out.is_char_boundary(from) && out.is_char_boundary(to))
        {
            out.replace_range(from..to, &list);
            end = from;
        }
    }
    canonical::query(&out).into()
}

fn written(star: &Expansion) -> String {
    let columns = star.columns.iter().map(|c| match &c.table {
        Some(table) => format!("{}.{} AS {}", quote(table), quote(&c.own), quote(&c.called)),
        None => quote(&c.own),
    });
    columns.collect::<Vec<_>>().join(", ")
}

fn quote(name: &str) -> String {
    super::ddl::identifier(name)
}
