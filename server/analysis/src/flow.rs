//! Who reads whom, for the whole project, in both directions.

use std::sync::Arc;

use rustc_hash::FxHashMap;

use crate::db::Db;
use crate::inputs::{File, Project};
use crate::facts::{Interface, NodeType, interface};
use crate::scope::{Resolution, names, resolve, resolve_connection};

/// A data source, a connection, or one node of a pipe.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
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
    /// For each group of vertices that depend on each other through reads and materializations, one shortest loop
    /// in the direction of data flow.
    pub cycles: Vec<Vec<Vertex>>,
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

/// The graph of a project. Recomputed when an interface changes; linear in the number of references.
#[salsa::tracked]
pub fn graph(db: &dyn Db, project: Project) -> Arc<Graph> {
    let names = names(db, project);
    let mut graph = Graph::default();
    for file in project.files(db).iter() {
        let Some(face) = interface(db, *file) else { continue };
        if let Some(connection) = face.connection.as_deref().and_then(|c| resolve_connection(names, c)) {
            let from = Vertex { file: connection, node: None };
            graph.edge(from, Vertex { file: *file, node: None }, EdgeKind::Connect);
        }
        for (index, node) in face.nodes.iter().enumerate() {
            let here = Vertex { file: *file, node: Some(index) };
            graph.types.insert(here, node.ty);
            for read in &node.reads {
                let from = match resolve(names, Some((face, index)), read) {
                    Resolution::Node(n) => Vertex { file: *file, node: Some(n) },
                    Resolution::Resource(f) | Resolution::Quarantine(f) => output(db, f),
                    _ => continue,
                };
                graph.edge(from, here, EdgeKind::Read);
            }
            let target = node.writes.as_deref().and_then(|w| names.table(w));
            if let Some(target) = target {
                let kind = if node.ty == NodeType::Copy { EdgeKind::Copy } else { EdgeKind::Materialize };
                graph.edge(here, Vertex { file: target, node: None }, kind);
            }
            if let Some(connection) = node.connection.as_deref().and_then(|c| resolve_connection(names, c)) {
                graph.edge(here, Vertex { file: connection, node: None }, EdgeKind::Connect);
            }
        }
    }
    for edges in graph.down.values_mut().chain(graph.up.values_mut()) {
        edges.sort();
        edges.dedup();
    }
    graph.cycles = graph.components().into_iter().filter_map(|group| graph.shortest_loop(db, &group)).collect();
    Arc::new(graph)
}

/// Whether anything outside the pipe or data source reads it. A query of its own because its answer rarely changes.
#[salsa::tracked(returns(copy))]
pub fn is_read(db: &dyn Db, file: File) -> bool {
    let graph = graph(db, file.project(db));
    graph.downstream(output(db, file)).iter().any(|(to, _)| to.file != file)
}

/// The cycles alone: they change far less often than the graph does.
#[salsa::tracked]
pub fn cycles(db: &dyn Db, project: Project) -> Arc<Vec<Vec<Vertex>>> {
    Arc::new(graph(db, project).cycles.clone())
}

/// Where reading `file` by name gets its rows: the data source, or the pipe's published node (the last when none is).
pub fn output(db: &dyn Db, file: File) -> Vertex {
    let node = interface(db, file).as_ref().and_then(|face| output_node(face));
    Vertex { file, node }
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

    /// Direct consumers, ordered.
    pub fn downstream(&self, vertex: Vertex) -> &[(Vertex, EdgeKind)] {
        self.down.get(&vertex).map_or(&[], Vec::as_slice)
    }

    /// Direct sources, ordered.
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

    fn reach<'g>(&'g self, starts: &[Vertex], next: impl Fn(Vertex) -> &'g [(Vertex, EdgeKind)]) -> Vec<Vertex> {
        let mut seen: rustc_hash::FxHashSet<Vertex> = starts.iter().copied().collect();
        let mut order = starts.to_vec();
        let mut at = 0;
        while at < order.len() {
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
                None if vertex.file.kind(db) == Some(headwater_syntax::FileKind::Datasource) => {
                    impact.datasources += 1;
                }
                None => {}
            }
        }
        impact
    }

    /// Edges that make a cycle an error. Copies may loop: they run when asked to.
    fn hard_edges(&self, from: Vertex) -> impl Iterator<Item = Vertex> + '_ {
        let hard = |kind: &EdgeKind| matches!(kind, EdgeKind::Read | EdgeKind::Materialize);
        self.downstream(from).iter().filter(move |(_, kind)| hard(kind)).map(|(to, _)| *to)
    }

    /// A shortest way from the group's first vertex (by path) back to itself.
    fn shortest_loop(&self, db: &dyn Db, group: &[Vertex]) -> Option<Vec<Vertex>> {
        let start = *group.iter().min_by_key(|v| (v.file.path(db), v.node))?;
        let mut parent: FxHashMap<Vertex, Vertex> = FxHashMap::default();
        let mut queue = std::collections::VecDeque::from([start]);
        while let Some(at) = queue.pop_front() {
            for to in self.hard_edges(at).filter(|to| group.contains(to)) {
                if to == start {
                    let mut path = vec![at];
                    while let Some(before) = parent.get(&path[path.len() - 1]) {
                        path.push(*before);
                    }
                    path.reverse();
                    return Some(path);
                }
                if !parent.contains_key(&to) {
                    parent.insert(to, at);
                    queue.push_back(to);
                }
            }
        }
        None
    }

    /// Strongly connected groups over reads and materializations, found iteratively (Tarjan).
    fn components(&self) -> Vec<Vec<Vertex>> {
        let mut vertices: Vec<_> = self.down.keys().copied().collect();
        vertices.sort();
        let edges = |v: Vertex| self.hard_edges(v);
        let mut state: FxHashMap<Vertex, (usize, usize, bool)> = FxHashMap::default();
        let (mut stack, mut groups) = (Vec::new(), Vec::new());
        for root in vertices {
            if state.contains_key(&root) {
                continue;
            }
            let mut calls = vec![(root, edges(root).collect::<Vec<_>>(), 0usize)];
            let index = state.len();
            state.insert(root, (index, index, true));
            stack.push(root);
            while let Some((vertex, next, at)) = calls.last_mut() {
                let vertex = *vertex;
                if let Some(to) = next.get(*at).copied() {
                    *at += 1;
                    match state.get(&to) {
                        None => {
                            let index = state.len();
                            state.insert(to, (index, index, true));
                            stack.push(to);
                            calls.push((to, edges(to).collect(), 0));
                        }
                        Some((index, _, true)) => {
                            let index = *index;
                            if let Some(s) = state.get_mut(&vertex) {
                                s.1 = s.1.min(index);
                            }
                        }
                        Some(_) => {}
                    }
                    continue;
                }
                calls.pop();
                let (index, low, _) = state[&vertex];
                if let Some((parent, ..)) = calls.last()
                    && let Some(s) = state.get_mut(parent)
                {
                    s.1 = s.1.min(low);
                }
                if index == low {
                    let at = stack.iter().rposition(|v| *v == vertex).unwrap_or(0);
                    let group = stack.split_off(at);
                    for v in &group {
                        if let Some(s) = state.get_mut(v) {
                            s.2 = false;
                        }
                    }
                    let loops_on_itself = edges(vertex).any(|to| to == vertex);
                    if group.len() > 1 || loops_on_itself {
                        groups.push(group);
                    }
                }
            }
        }
        groups
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
