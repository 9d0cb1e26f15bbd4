//! Who reads whom, for the whole project, in both directions.

use std::sync::Arc;

use headwater_syntax::FileKind;
use rustc_hash::{FxHashMap, FxHashSet};

use crate::db::Db;
use crate::facts::{CopyFact, Interface, NodeType, copies, interface, materializes};
use crate::inputs::{File, Project};
use crate::scope::{Resolution, names, resolve, resolve_connection};

/// A data source, a connection, or one node of a pipe.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Vertex {
    /// The file.
    pub file: File,
    /// The node's index in its pipe.
    pub node: Option<usize>,
}

/// Why data flows along an edge.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum EdgeKind {
    /// A query reads it.
    Read,
    /// A materialized view writes it, on every insert.
    Materialize,
    /// A copy job writes it, when it runs.
    Copy,
    /// A connection feeds a data source, or a sink feeds a connection.
    Connect,
}

/// The data flow of a project.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Graph {
    down: FxHashMap<Vertex, Vec<(Vertex, EdgeKind)>>,
    up: FxHashMap<Vertex, Vec<(Vertex, EdgeKind)>>,
    types: FxHashMap<Vertex, NodeType>,
    /// A bucket that one pipe writes and a data source reads is no flow of the project's rows: the walk does not pass
    /// through connections, it only starts or ends there.
    connections: FxHashSet<File>,
}

/// Counts of what is downstream of something.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Impact {
    /// Nodes without a type.
    pub nodes: usize,
    /// Materialized views.
    pub materialized: usize,
    /// Copy jobs.
    pub copies: usize,
    /// Exports.
    pub sinks: usize,
    /// API endpoints.
    pub endpoints: usize,
    /// Data sources written by one of those.
    pub datasources: usize,
}

/// What one file adds to the graph: its own nodes, and the edges that it says.
///
/// The graph's firewall: columns and descriptions of an interface are no part of it.
#[derive(Debug, PartialEq, Eq)]
struct Links {
    is_connection: bool,
    types: Box<[NodeType]>,
    edges: Box<[(Vertex, Vertex, EdgeKind)]>,
}

#[salsa::tracked]
fn links(db: &dyn Db, file: File) -> Option<Arc<Links>> {
    let face = interface(db, file).as_ref()?;
    let names = names(db, file.project(db));
    let mut edges = Vec::new();
    if let Some(connection) = face.connection.as_deref().and_then(|c| resolve_connection(names, c)) {
        let (from, to) = (Vertex { file: connection, node: None }, Vertex { file, node: None });
        edges.push((from, to, EdgeKind::Connect));
    }
    for (index, node) in face.nodes.iter().enumerate() {
        let here = Vertex { file, node: Some(index) };
        for read in &node.reads {
            let from = match resolve(names, Some((face, index)), read) {
                Resolution::Node(n) => Vertex { file, node: Some(n) },
                Resolution::Resource(f) | Resolution::Quarantine(f) => output(db, f),
                _ => continue,
            };
            edges.push((from, here, EdgeKind::Read));
        }
        if let Some(target) = node.writes.as_deref().and_then(|w| names.table(w)) {
            let kind = if node.ty == NodeType::Copy { EdgeKind::Copy } else { EdgeKind::Materialize };
            edges.push((here, Vertex { file: target, node: None }, kind));
        }
        if let Some(connection) = node.connection.as_deref().and_then(|c| resolve_connection(names, c)) {
            edges.push((here, Vertex { file: connection, node: None }, EdgeKind::Connect));
        }
    }
    let types = face.nodes.iter().map(|n| n.ty).collect();
    let is_connection = face.kind == FileKind::Connection;
    Some(Arc::new(Links { is_connection, types, edges: edges.into() }))
}

#[salsa::tracked]
fn part_links(db: &dyn Db, project: Project, part: usize) -> Vec<(File, Arc<Links>)> {
    let files = project.part(db, part).iter();
    files.filter_map(|file| Some((*file, links(db, *file).clone()?))).collect()
}

/// The graph of a project. Recomputed when a reference, a target or a node's type changes; linear in their number.
#[salsa::tracked]
pub fn graph(db: &dyn Db, project: Project) -> Arc<Graph> {
    let mut graph = Graph::default();
    for (file, links) in (0..project.parts(db)).flat_map(|part| part_links(db, project, part)) {
        if links.is_connection {
            graph.connections.insert(*file);
        }
        for (index, ty) in links.types.iter().enumerate() {
            graph.types.insert(Vertex { file: *file, node: Some(index) }, *ty);
        }
        for (from, to, kind) in &links.edges {
            graph.edge(*from, *to, *kind);
        }
    }
    // By path, not by file: files are numbered as they came, and an order of numbers would tell how the project grew.
    let place: FxHashMap<File, usize> = project.files(db).iter().enumerate().map(|(n, f)| (*f, n)).collect();
    for edges in graph.down.values_mut().chain(graph.up.values_mut()) {
        edges.sort_by_key(|(vertex, kind)| (place.get(&vertex.file), vertex.node, *kind));
        edges.dedup();
    }
    Arc::new(graph)
}

/// Who materializes into each data source.
#[salsa::tracked]
fn writers(db: &dyn Db, project: Project) -> Arc<FxHashMap<File, Vec<Vertex>>> {
    let mut writers: FxHashMap<File, Vec<Vertex>> = FxHashMap::default();
    for (target, writer) in (0..project.parts(db)).flat_map(|part| part_writers(db, project, part)) {
        writers.entry(*target).or_default().push(*writer);
    }
    Arc::new(writers)
}

#[salsa::tracked]
fn part_writers(db: &dyn Db, project: Project, part: usize) -> Vec<(File, Vertex)> {
    let names = names(db, project);
    let files = project.part(db, part).iter();
    let written = |file: &File| {
        let (file, views) = (*file, materializes(db, *file));
        views.iter().filter_map(move |(node, target)| {
            Some((names.table(target)?, Vertex { file, node: Some(*node) }))
        })
    };
    files.flat_map(written).collect()
}

/// Every copy of the project that runs by itself, by path.
#[salsa::tracked]
pub(crate) fn scheduled_copies(db: &dyn Db, project: Project) -> Arc<Vec<(File, CopyFact)>> {
    Arc::new((0..project.parts(db)).flat_map(|part| part_copies(db, project, part).iter().cloned()).collect())
}

#[salsa::tracked]
fn part_copies(db: &dyn Db, project: Project, part: usize) -> Vec<(File, CopyFact)> {
    let files = project.part(db, part).iter();
    let all = files.flat_map(|file| copies(db, *file).iter().map(|copy| (*file, copy.clone())));
    all.filter(|(_, copy)| copy.schedule.is_some()).collect()
}

/// The pipes whose text has the name of a data source in it, by data source: no other pipe can read it by that name.
#[salsa::tracked]
pub(crate) fn mentions(db: &dyn Db, project: Project) -> Arc<FxHashMap<File, Vec<File>>> {
    let mut out: FxHashMap<File, Vec<File>> = FxHashMap::default();
    for (table, file) in (0..project.parts(db)).flat_map(|part| part_mentions(db, project, part)) {
        out.entry(*table).or_default().push(*file);
    }
    Arc::new(out)
}

#[salsa::tracked]
fn part_mentions(db: &dyn Db, project: Project, part: usize) -> Vec<(File, File)> {
    let files = project.part(db, part).iter();
    files.flat_map(|file| mentioned(db, *file).iter().map(|table| (*table, *file))).collect()
}

/// The data sources whose names stand in a pipe's text. Parses nothing: a cold start asks it of every file. Linear.
#[salsa::tracked]
fn mentioned(db: &dyn Db, file: File) -> Arc<Vec<File>> {
    if file.kind(db) != Some(FileKind::Pipe) {
        return Arc::default();
    }
    let names = names(db, file.project(db));
    let text = file.text(db);
    let words = text.split(|c: char| !c.is_alphanumeric() && c != '_');
    let found = words.filter_map(|word| {
        let table = names.table(word).or_else(|| names.table(word.strip_suffix("_quarantine")?));
        table.filter(|f| f.kind(db) == Some(FileKind::Datasource))
    });
    let mut seen = FxHashSet::default();
    Arc::new(found.filter(|f| seen.insert(*f)).collect())
}

/// For each node of a pipe that depends on itself through reads and materializations, one shortest loop in the
/// direction of data flow, starting at its first member by path. Copies may loop: they run when asked to.
///
/// Looks at what is upstream of the file only, so that a cold start does not need the whole project's graph.
#[salsa::tracked]
pub fn cycles(db: &dyn Db, file: File) -> Arc<Vec<Vec<Vertex>>> {
    let Some(face) = interface(db, file) else { return Arc::default() };
    let mut loops: Vec<Vec<Vertex>> = Vec::new();
    for node in 0..face.nodes.len() {
        let start = Vertex { file, node: Some(node) };
        if let Some(found) = shortest_loop(db, start)
            && !loops.contains(&found)
        {
            loops.push(found);
        }
    }
    Arc::new(loops)
}

fn shortest_loop(db: &dyn Db, start: Vertex) -> Option<Vec<Vertex>> {
    let mut child: FxHashMap<Vertex, Vertex> = FxHashMap::default();
    let mut queue = std::collections::VecDeque::from([start]);
    while let Some(at) = queue.pop_front() {
        for from in sources(db, at) {
            if from == start {
                // `at` reads `start`; following `child` leads back down to it.
                let mut path = vec![start, at];
                while let Some(next) = child.get(&path[path.len() - 1]).filter(|n| **n != start) {
                    path.push(*next);
                }
                path.dedup();
                let first = (0..path.len()).min_by_key(|n| (path[*n].file.path(db), path[*n].node))?;
                path.rotate_left(first);
                return Some(path);
            }
            if let std::collections::hash_map::Entry::Vacant(e) = child.entry(from) {
                e.insert(at);
                queue.push_back(from);
            }
        }
    }
    None
}

/// Where a vertex gets its rows from when it is built: tables it reads, views that write it.
fn sources(db: &dyn Db, vertex: Vertex) -> Vec<Vertex> {
    if vertex.node.is_none() {
        let project = vertex.file.project(db);
        return writers(db, project).get(&vertex.file).cloned().unwrap_or_default();
    }
    let Some(links) = links(db, vertex.file) else { return Vec::new() };
    let reads = links.edges.iter().filter(|(_, to, kind)| *to == vertex && *kind == EdgeKind::Read);
    reads.map(|(from, ..)| *from).collect()
}

/// Where reading `file` by name gets its rows: the data source, or the pipe's published node (the last when none is).
pub fn output(db: &dyn Db, file: File) -> Vertex {
    let node = (file.kind(db) == Some(FileKind::Pipe)).then(|| published(db, file)).flatten();
    Vertex { file, node }
}

#[salsa::tracked(returns(copy))]
fn published(db: &dyn Db, file: File) -> Option<usize> {
    interface(db, file).as_ref().and_then(|face| output_node(face))
}

/// Index of the node that stands for the whole pipe.
pub fn output_node(pipe: &Interface) -> Option<usize> {
    let endpoint = pipe.nodes.iter().position(|n| n.ty == NodeType::Endpoint);
    let typed = || pipe.nodes.iter().position(|n| n.ty != NodeType::Standard);
    endpoint.or_else(typed).or_else(|| pipe.nodes.len().checked_sub(1))
}

impl Graph {
    fn edge(&mut self, from: Vertex, to: Vertex, kind: EdgeKind) {
        self.down.entry(from).or_default().push((to, kind));
        self.up.entry(to).or_default().push((from, kind));
    }

    /// Direct consumers, ordered by path and node.
    pub fn downstream(&self, vertex: Vertex) -> &[(Vertex, EdgeKind)] {
        self.down.get(&vertex).map_or(&[], Vec::as_slice)
    }

    /// Direct sources, ordered by path and node.
    pub fn upstream(&self, vertex: Vertex) -> &[(Vertex, EdgeKind)] {
        self.up.get(&vertex).map_or(&[], Vec::as_slice)
    }

    /// What a vertex is; `None` for data sources and connections.
    pub fn node_type(&self, vertex: Vertex) -> Option<NodeType> {
        self.types.get(&vertex).copied()
    }

    /// Everything downstream, nearest first, without `start`. Linear in what is reached.
    pub fn all_downstream(&self, start: Vertex) -> Vec<Vertex> {
        self.reach(&[start], |v| self.downstream(v))
    }

    /// Everything upstream, nearest first, without `start`. Linear in what is reached.
    pub fn all_upstream(&self, start: Vertex) -> Vec<Vertex> {
        self.reach(&[start], |v| self.upstream(v))
    }

    /// Everything downstream of any of `starts`, without them.
    pub fn downstream_of(&self, starts: &[Vertex]) -> Vec<Vertex> {
        self.reach(starts, |v| self.downstream(v))
    }

    fn reach<'g>(
        &'g self,
        starts: &[Vertex],
        next: impl Fn(Vertex) -> &'g [(Vertex, EdgeKind)],
    ) -> Vec<Vertex> {
        let mut seen: FxHashSet<Vertex> = starts.iter().copied().collect();
        let mut order = starts.to_vec();
        let mut at = 0;
        while at < order.len() {
            if at >= starts.len() && self.connections.contains(&order[at].file) {
                at += 1;
                continue;
            }
            for (vertex, _) in next(order[at]) {
                if seen.insert(*vertex) {
                    order.push(*vertex);
                }
            }
            at += 1;
        }
        order.split_off(starts.len())
    }

    /// Counts `vertices` by what they are. Connections are not counted: the sink that feeds one is.
    pub fn impact(&self, db: &dyn Db, vertices: &[Vertex]) -> Impact {
        let mut impact = Impact::default();
        for vertex in vertices {
            match self.node_type(*vertex) {
                Some(NodeType::Standard) => impact.nodes += 1,
                Some(NodeType::Materialized) => impact.materialized += 1,
                Some(NodeType::Copy) => impact.copies += 1,
                Some(NodeType::Sink) => impact.sinks += 1,
                Some(NodeType::Endpoint) => impact.endpoints += 1,
                None if vertex.file.kind(db) == Some(FileKind::Datasource) => {
                    impact.datasources += 1;
                }
                None => {}
            }
        }
        impact
    }
}

impl Impact {
    /// "2 nodes · 1 materialized view · 3 endpoints", or `None` when nothing is downstream.
    pub fn summary(&self) -> Option<String> {
        let counts = [
            (self.nodes, "node", "nodes"),
            (self.materialized, "materialized view", "materialized views"),
            (self.datasources, "data source", "data sources"),
            (self.copies, "copy", "copies"),
            (self.sinks, "sink", "sinks"),
            (self.endpoints, "endpoint", "endpoints"),
        ];
        let parts: Vec<_> = counts
            .iter()
            .filter(|(n, ..)| *n > 0)
            .map(|(n, one, many)| format!("{n} {}", if *n == 1 { one } else { many }))
            .collect();
        (!parts.is_empty()).then(|| parts.join(" · "))
    }
}
