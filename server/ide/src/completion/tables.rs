//! Tables and nodes that a node may read, and data sources that it may write.

use headwater_analysis::flow::{Vertex, output};
use headwater_analysis::scope::Names;
use headwater_analysis::syntax::sql::TableUse;
use headwater_analysis::{
    Db, File, FileKind, NodeType, ReadFact, Resolution, graph, interface, names, resolve,
};
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
    for (name, target) in tables_of(names(db, project)) {
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
        let item = out.add(name, CompletionKind::Table, if is_pipe { 600 } else { 700 });
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
    for (name, target) in tables_of(names(db, project)) {
        if target.kind(db) != Some(FileKind::Datasource) {
            continue;
        }
        let face = interface(db, target).as_ref();
        let is_fed = face.is_some_and(|f| f.connection.is_some());
        let feeds = before.contains(&Vertex { file: target, node: None });
        let named_like = file.stem(db).contains(name) || name.contains(file.stem(db));
        let relevance = match (feeds, is_fed, named_like) {
            (true, ..) => continue,
            (_, true, _) => 300,
            (.., true) => 700,
            _ => 600,
        };
        let item = out.add(name, CompletionKind::Table, relevance);
        item.doc(format!("table:{name}"));
        item.detail(face.and_then(|f| f.engine.as_ref()).map_or("data source", |e| e.name.as_str()));
    }
}

/// Every table in the order of names; Classic names also without their version, as they are usually said.
fn tables_of(names: &Names) -> Vec<(&str, File)> {
    let own = names.tables.iter().filter_map(|(name, files)| Some((name.as_str(), *files.first()?)));
    let mut all: Vec<(&str, File)> = own.chain(names.without_version()).collect();
    all.sort_by_key(|(name, _)| *name);
    all
}

/// Names of tables that the project reads and that nothing defines yet: whoever writes one is likely to be in the middle of it.
pub(super) fn missing(db: &dyn Db, file: File, out: &mut Items) {
    let project = file.project(db);
    let names = names(db, project);
    let mut found: Vec<&str> = Vec::new();
    for other in project.files(db).iter() {
        let Some(face) = interface(db, *other) else { continue };
        for (n, node) in face.nodes.iter().enumerate() {
            let unknown = |r: &&ReadFact| {
                matches!(r.usage, TableUse::From | TableUse::Join)
                    && resolve(names, Some((face, n)), r) == Resolution::Unknown
            };
            found.extend(node.reads.iter().filter(unknown).map(|r| r.name.as_str()));
        }
    }
    found.sort_unstable();
    found.dedup();
    for name in found.into_iter().filter(|n| !n.contains(MARKER)) {
        out.add(name, CompletionKind::Table, 560).origin("read, and not defined yet");
    }
}
