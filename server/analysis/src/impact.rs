//! What an edit does downstream: columns that are gone, called otherwise or of another type since the baseline, and who
//! named them.

use std::sync::Arc;

use headwater_syntax::{FileKind, TextRange};
use rustc_hash::FxHashSet;

use crate::db::Db;
use crate::facts::{ReadFact, interface};
use crate::flow::{EdgeKind, Vertex, graph, output};
use crate::inputs::File;
use crate::parse::datafile;
use crate::query::{Facts, FaultKind, Relation, insertable};
use crate::scope::{Resolution, names, resolve};
use crate::semantics::{node_meaning, node_relation, node_renderings, relation};

/// A column that is not what it was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ColumnChange {
    /// The data source, or the node.
    pub vertex: Vertex,
    /// The column's old name.
    pub column: String,
    /// What happened.
    pub kind: ChangeKind,
}

/// What happened to a column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ChangeKind {
    /// There is none of that name.
    Removed,
    /// Another name stands in its place, with its type.
    Renamed {
        /// The new one.
        to: String,
    },
    /// It has another type.
    Retyped {
        /// Before.
        from: String,
        /// Now.
        to: String,
    },
}

/// A place that a change breaks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Victim {
    /// The node.
    pub vertex: Vertex,
    /// Place in its file.
    pub range: TextRange,
}

/// The same file in the baseline.
pub fn baseline_of(db: &dyn Db, file: File) -> Option<File> {
    let files = file.project(db).baseline(db)?.files(db);
    let path = file.path(db);
    files.binary_search_by(|f| f.path(db).cmp(path)).ok().map(|n| files[n])
}

/// The columns of a file that changed since the baseline; nothing without one. Depends on the file and its baseline.
#[salsa::tracked]
pub fn column_changes(db: &dyn Db, file: File) -> Arc<Vec<ColumnChange>> {
    let Some(before) = baseline_of(db, file) else { return Arc::default() };
    let mut out = Vec::new();
    match file.kind(db) {
        Some(FileKind::Datasource) => {
            let vertex = Vertex { file, node: None };
            compare(vertex, relation(db, before), relation(db, file), &mut out);
        }
        Some(FileKind::Pipe) => {
            let (Some(old), Some(new)) = (interface(db, before), interface(db, file)) else {
                return Arc::default();
            };
            for (index, node) in new.nodes.iter().enumerate() {
                let Some(then) = old.nodes.iter().position(|n| n.name == node.name) else { continue };
                let vertex = Vertex { file, node: Some(index) };
                compare(vertex, node_relation(db, before, then), node_relation(db, file, index), &mut out);
            }
        }
        _ => {}
    }
    Arc::new(out)
}

fn compare(vertex: Vertex, old: &Relation, new: &Relation, out: &mut Vec<ColumnChange>) {
    if !old.complete || !new.complete {
        return;
    }
    for (place, column) in old.columns.iter().enumerate() {
        let Some(name) = &column.name else { continue };
        let kind = match new.column(name) {
            Some(now) => match (&column.ty, &now.ty) {
                (Some(from), Some(to)) if from != to => {
                    ChangeKind::Retyped { from: from.to_string(), to: to.to_string() }
                }
                _ => continue,
            },
            None => {
                // A new name in the same place, with the same type, is the same column.
                let there = new.columns.get(place).filter(|c| c.ty == column.ty);
                let name = there.and_then(|c| c.name.clone());
                match name.filter(|name| old.column(name).is_none()) {
                    Some(to) => ChangeKind::Renamed { to },
                    None => ChangeKind::Removed,
                }
            }
        };
        out.push(ColumnChange { vertex, column: name.clone(), kind });
    }
}

/// Who is broken by a change, in order of the files' paths. Linear in what is downstream.
pub fn victims(db: &dyn Db, change: &ColumnChange) -> Vec<Victim> {
    let graph = graph(db, change.vertex.file.project(db));
    // What shows the column through a star lost it too.
    let mut lost: FxHashSet<Vertex> = FxHashSet::from_iter([change.vertex]);
    if change.vertex.node.is_some() {
        // Readers name the pipe, not the node.
        lost.insert(output(db, change.vertex.file));
    }
    let mut queue = vec![change.vertex];
    let mut out = Vec::new();
    while let Some(at) = queue.pop() {
        for (next, _) in graph.downstream(at) {
            let Some(node) = next.node else { continue };
            if !lost.insert(*next) {
                continue;
            }
            queue.push(*next);
            let meaning = node_meaning(db, next.file, node);
            for (facts, rendering) in meaning.facts.iter().zip(node_renderings(db, next.file, node).iter()) {
                for range in broken(db, *next, node, facts, change, &lost) {
                    let range = rendering.to_node(range).range;
                    let Some(range) = in_file(db, *next, node, range) else { continue };
                    let victim = Victim { vertex: *next, range };
                    if !out.contains(&victim) {
                        out.push(victim);
                    }
                }
            }
        }
    }
    if change.vertex.node.is_none() {
        writers(db, change, &mut out);
    }
    out.sort_by(|a, b| {
        let key = |v: &Victim| (v.vertex.file.path(db).clone(), v.range.start());
        key(a).cmp(&key(b))
    });
    out
}

/// The views and copies that give a data source the column that is no more, or what it does not take any more.
fn writers(db: &dyn Db, change: &ColumnChange, out: &mut Vec<Victim>) {
    let graph = graph(db, change.vertex.file.project(db));
    let now = relation(db, change.vertex.file);
    for (writer, edge) in graph.upstream(change.vertex) {
        let (Some(node), EdgeKind::Materialize | EdgeKind::Copy) = (writer.node, edge) else { continue };
        let meaning = node_meaning(db, writer.file, node);
        let gives = |facts: &Facts| facts.columns.iter().any(|c| c.name.as_ref() == Some(&change.column));
        if !meaning.facts.iter().any(gives) {
            continue;
        }
        let renderings = node_renderings(db, writer.file, node);
        for (facts, rendering) in meaning.facts.iter().zip(renderings.iter()) {
            for column in facts.columns.iter().filter(|c| c.name.as_ref() == Some(&change.column)) {
                let is_refused = match now.column(&change.column) {
                    None => true,
                    Some(there) => match (&column.ty, &there.ty) {
                        (Some(from), Some(to)) => insertable(from, to) == Some(false),
                        _ => false,
                    },
                };
                let place = rendering.to_node(column.range);
                if !is_refused || place.is_made_up {
                    continue;
                }
                let Some(range) = in_file(db, *writer, node, place.range) else { continue };
                let victim = Victim { vertex: *writer, range };
                if !out.contains(&victim) {
                    out.push(victim);
                }
            }
        }
    }
}

/// The faults of a query that are about the column.
fn broken(
    db: &dyn Db,
    at: Vertex,
    node: usize,
    facts: &Facts,
    change: &ColumnChange,
    lost: &FxHashSet<Vertex>,
) -> Vec<TextRange> {
    let names = names(db, at.file.project(db));
    let face = interface(db, at.file).as_deref();
    let is_lost = |(database, table): &(Option<String>, String)| {
        let read = ReadFact {
            database: database.clone(),
            name: table.clone(),
            usage: headwater_syntax::sql::TableUse::From,
        };
        match resolve(names, face.map(|f| (f, node)), &read) {
            Resolution::Node(n) => lost.contains(&Vertex { file: at.file, node: Some(n) }),
            Resolution::Resource(f) => lost.contains(&output(db, f)),
            _ => false,
        }
    };
    let mut out = Vec::new();
    for fault in &facts.faults {
        let is_about_it = match &fault.kind {
            FaultKind::UnknownColumn { name, looked_in, .. } => {
                let named = name == &change.column
                    || name.strip_prefix(change.column.as_str()).is_some_and(|rest| rest.starts_with('.'));
                // Columns of a subquery are looked for in no table.
                named && (looked_in.is_empty() || looked_in.iter().any(is_lost))
            }
            FaultKind::Call { .. }
            | FaultKind::Called { .. }
            | FaultKind::JoinTypes { .. }
            | FaultKind::Comparison { .. }
            | FaultKind::UnreadableText { .. }
            | FaultKind::UnionTypes { .. }
            | FaultKind::KeyType { .. } => {
                let of_column = |base: usize| {
                    let base = &facts.bases[base];
                    base.column == change.column && is_lost(&(base.database.clone(), base.table.clone()))
                };
                matches!(change.kind, ChangeKind::Retyped { .. })
                    && facts.uses.iter().any(|u| {
                        of_column(u.base)
                            && (fault.range.contains_range(u.range) || u.range.contains_range(fault.range))
                    })
            }
            _ => false,
        };
        if is_about_it {
            out.push(fault.range);
        }
    }
    out
}

/// A place of a node's text in its file; `None` in an included fragment.
fn in_file(db: &dyn Db, vertex: Vertex, node: usize, range: TextRange) -> Option<TextRange> {
    let parsed = datafile(db, vertex.file);
    let view = parsed.datafile.nodes().into_iter().find(|n| n.index == node)?;
    let (entry, body) = view.sql()?;
    (entry.source == 0).then(|| body.to_source(range))
}
