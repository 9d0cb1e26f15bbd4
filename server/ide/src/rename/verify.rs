//! Whether queries mean the same after a rename: each is analysed as it would be, and every column that it mentions must be
//! the one it mentioned, every column that it gives the one it gave. A name that is taken, by an alias, another table of a
//! join, the parameter of a lambda, shows here, wherever it comes from.

use std::collections::BTreeMap;
use std::sync::Arc;

use headwater_analysis::query::{BaseColumn, Facts, Relation, Tables, Use, UseKind};
use headwater_analysis::{Db, File, FileKind, Vertex, datafile, semantics};

use super::{Refusal, refuse};
use crate::change::{Annotation, Change, TextEdit, apply};
use crate::columns::relation;

/// What a rename does to the names that a query says.
pub(super) struct Renames<'a> {
    /// What a name stands for then.
    pub(super) relation: &'a dyn Fn(&dyn Tables, Option<&str>, &str) -> Option<Arc<Relation>>,
    /// The column that a mention of this one is then.
    pub(super) base: &'a dyn Fn(&BaseColumn) -> BaseColumn,
    /// The name of a column that the node gives.
    pub(super) output: &'a dyn Fn(&str) -> String,
    /// Whether names that others see may change although nobody says the new one: those of a query do when they come through a
    /// star.
    pub(super) is_inside: bool,
}

/// Looks at every node of a pipe that a change touches, or that reads what it touches.
///
/// # Errors
/// When one of them would mean something else.
pub(super) fn node(
    db: &dyn Db,
    file: File,
    node: usize,
    change: &Change,
    renames: &Renames<'_>,
    to: &str,
) -> Result<(), Refusal> {
    if file.kind(db) != Some(FileKind::Pipe) {
        return Ok(());
    }
    let parsed = datafile(db, file);
    let nodes = parsed.datafile.nodes();
    let Some((_, body)) = nodes.get(node).and_then(|n| n.sql()).filter(|(e, _)| e.source == 0) else {
        return Ok(());
    };
    let edits = change.edits.iter().find(|(f, _)| *f == file).map_or(&[][..], |(_, edits)| edits.as_slice());
    let inside: Vec<TextEdit> = edits
        .iter()
        .filter(|e| is_made(e, &change.annotations))
        .filter_map(|e| {
            let start = body.offset_from_source(e.range.start())?;
            let end = body.offset_from_source(e.range.end())?;
            let range = headwater_analysis::TextRange::new(start, end);
            // Only what stands in one piece in the query is an edit of it.
            (body.to_source(range) == e.range).then(|| TextEdit { range, ..e.clone() })
        })
        .collect();
    // Where nobody says the new name, nobody can mean something else by it.
    let reads = headwater_analysis::graph(db, file.project(db)).upstream(Vertex { file, node: Some(node) });
    let is_said = body.text.contains(to) || reads.iter().any(|(v, _)| relation(db, *v).column(to).is_some());
    if !is_said && !renames.is_inside && inside.is_empty() {
        return Ok(());
    }
    let text = apply(&body.text, &inside);
    let old = &semantics::node_meaning(db, file, node).facts;
    let new = semantics::meaning_of(db, file, node, &text, renames.relation);
    let is_same = old.len() == new.len() && old.iter().zip(&new).all(|(old, new)| same(old, new, renames));
    // A text that was read to its end before must be so then, by the engine's own parser.
    if is_same && (semantics::parses(db, &text) || !semantics::parses(db, &body.text)) {
        return Ok(());
    }
    let name = nodes.get(node).and_then(|n| n.name()).map(|n| n.value).unwrap_or_default();
    refuse(format!(
        "the query of `{name}` in `{}` would mean or give something else then: `{to}` is taken, or others see the name",
        file.path(db)
    ))
}

fn is_made(edit: &TextEdit, annotations: &[Annotation]) -> bool {
    edit.annotation.is_none_or(|n| !annotations.get(n).is_some_and(|a| a.needs_confirmation))
}

fn same(old: &Facts, new: &Facts, renames: &Renames<'_>) -> bool {
    let kinds =
        |facts: &Facts| facts.faults.iter().map(|f| std::mem::discriminant(&f.kind)).collect::<Vec<_>>();
    // A mention that was one of the column itself may not be one of an alias then, which would be made of the column as well.
    // The other way around is how an alias ends that says what the column is called.
    let counts = |uses: Vec<(BaseColumn, &Use)>| {
        let mut counts: BTreeMap<(BaseColumn, UseKind), (usize, usize)> = BTreeMap::new();
        for (base, u) in uses {
            let entry = counts.entry((base, u.kind)).or_default();
            entry.0 += 1;
            entry.1 += usize::from(u.is_name);
        }
        counts
    };
    let before = counts(old.uses.iter().map(|u| ((renames.base)(&old.bases[u.base]), u)).collect());
    let after = counts(new.uses.iter().map(|u| (new.bases[u.base].clone(), u)).collect());
    let same_uses = before.len() == after.len()
        && before.iter().zip(&after).all(|((a, (all, names)), (b, (all_now, names_now)))| {
            a == b && all == all_now && names <= names_now
        });
    // What is not read to its end any more gives fewer columns than it has.
    if old.complete && !new.complete {
        return false;
    }
    if !same_uses || kinds(old) != kinds(new) || old.columns.len() != new.columns.len() {
        return false;
    }
    old.columns.iter().zip(&new.columns).all(|(before, after)| {
        let (Some(old_name), Some(new_name)) = (&before.name, &after.name) else {
            return before.name == after.name;
        };
        // What an expression without an alias is called is made of the names in it.
        let is_plain = old_name.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '.'));
        let sources: Vec<_> = before.sources.iter().map(|s| (renames.base)(&old.bases[s.base])).collect();
        let found: Vec<_> = after.sources.iter().map(|s| new.bases[s.base].clone()).collect();
        let is_sourced = sources.len() == found.len() && sources.iter().all(|s| found.contains(s));
        is_sourced && (!is_plain || (renames.output)(old_name) == *new_name)
    })
}
