//! Tables and nodes that a node may read, and data sources that it may write.

use headwater_analysis::flow::{Vertex, output};
use headwater_analysis::{Db, File, FileKind, NodeType, graph, interface, names};
use rustc_hash::FxHashSet;

use super::{CompletionKind, Items};
use crate::cursor::MARKER;
use crate::locate::noun;

/// What the node with this index may read without a cycle: other nodes of its pipe first, then data sources and pipes.
pub(super) fn readable(db: &dyn Db, file: File, node: Option<usize>, out: &mut Items) {
    let project = file.project(db);
    let graph = graph(db, project);
    let face = interface(db, file).as_ref();
    let me = node.map(|n| Vertex { file, node: Some(n) });
    let behind: FxHashSet<Vertex> =
        me.map(|v| graph.all_downstream(v).into_iter().collect()).unwrap_or_default();
    for (n, other) in face.iter().flat_map(|f| f.nodes.iter().enumerate()) {
        let vertex = Vertex { file, node: Some(n) };
        if Some(n) == node || behind.contains(&vertex) || other.name.is_empty() || other.name.contains(MARKER)
        {
            continue;
        }
        // The node right above is the one that a new node continues.
        let near = if node.is_some_and(|own| n + 1 == own) { 760 } else { 720 };
        out.add(other.name.clone(), CompletionKind::Node, near).detail(noun(db, vertex)).origin("this pipe");
    }
    let names = names(db, project);
    let mut tables: Vec<_> = names.tables.iter().collect();
    tables.sort_by_key(|(name, _)| name.as_str());
    for (name, files) in tables {
        let Some(target) = files.first().copied() else { continue };
        let vertex = output(db, target);
        if target == file || behind.contains(&vertex) {
            continue;
        }
        let is_pipe = target.kind(db) == Some(FileKind::Pipe);
        // A pipe without a result that can be read is no table.
        let ty = is_pipe
            .then(|| interface(db, target).as_ref())
            .flatten()
            .map(|f| f.nodes.iter().any(|n| n.ty == NodeType::Materialized));
        if ty == Some(true) {
            continue;
        }
        let item = out.add(name.clone(), CompletionKind::Table, if is_pipe { 600 } else { 700 });
        item.doc(format!("table:{name}"));
        item.detail(noun(db, vertex));
        if let Some(description) = interface(db, target).as_ref().and_then(|f| f.description.as_deref()) {
            item.origin(description.lines().next().unwrap_or_default().chars().take(60).collect::<String>());
        }
    }
}

/// Data sources that the node may write: not those that it reads, and none that feeds it.
pub(super) fn targets(db: &dyn Db, file: File, node: Option<usize>, out: &mut Items) {
    let project = file.project(db);
    let graph = graph(db, project);
    let me = node.map(|n| Vertex { file, node: Some(n) });
    let before: FxHashSet<Vertex> =
        me.map(|v| graph.all_upstream(v).into_iter().collect()).unwrap_or_default();
    let names = names(db, project);
    let mut tables: Vec<_> = names.tables.iter().collect();
    tables.sort_by_key(|(name, _)| name.as_str());
    for (name, files) in tables {
        let Some(target) = files.first().copied().filter(|f| f.kind(db) == Some(FileKind::Datasource)) else {
            continue;
        };
        let face = interface(db, target).as_ref();
        let is_fed = face.is_some_and(|f| f.connection.is_some());
        let feeds = before.contains(&Vertex { file: target, node: None });
        let named_like = file.stem(db).contains(name.as_str()) || name.contains(file.stem(db));
        let relevance = match (feeds, is_fed, named_like) {
            (true, ..) => continue,
            (_, true, _) => 300,
            (.., true) => 700,
            _ => 600,
        };
        let item = out.add(name.clone(), CompletionKind::Table, relevance);
        item.doc(format!("table:{name}"));
        item.detail(face.and_then(|f| f.engine.as_ref()).map_or("data source", |e| e.name.as_str()));
    }
}
