//! Column lineage over the project: which columns a column is made of, and what becomes of it.
//!
//! Every node has a summary without places ([`summary`]); walks look at the summaries of the nodes that they reach, and at
//! no others. Nothing is indexed for the whole project, so that an edit costs what it touches.

use std::collections::VecDeque;
use std::sync::Arc;

use rustc_hash::FxHashSet;

use crate::db::Db;
use crate::facts::{NodeType, interface};
use crate::flow::{Vertex, graph, output};
use crate::inputs::File;
use crate::query::{BaseColumn, UseKind};
use crate::scope::{Resolution, names, resolve_name};
use crate::semantics::node_meaning;

/// A column of a data source or of a node.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ColumnVertex {
    /// What has the column.
    pub vertex: Vertex,
    /// Its name.
    pub column: String,
}

/// How a column comes into another, or into a query.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Flow {
    /// The value itself.
    Copy,
    /// The value, computed with.
    Computed,
    /// It decides which rows count.
    Filter,
    /// It decides which rows meet.
    Join,
    /// It decides which rows are put together.
    Group,
    /// It decides about order.
    Order,
}

impl Flow {
    /// The word for it in output.
    pub fn name(self) -> &'static str {
        match self {
            Self::Copy => "value",
            Self::Computed => "computed",
            Self::Filter => "filter",
            Self::Join => "join",
            Self::Group => "group",
            Self::Order => "order",
        }
    }

    /// Whether values flow, so that the walk goes on.
    pub fn carries_value(self) -> bool {
        matches!(self, Self::Copy | Self::Computed)
    }
}

/// What one node does with columns, without places.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Summary {
    /// `(source, its column, flow, own column)`, sorted; the own column is `None` where the flow is into the query as a
    /// whole.
    pub flows: Vec<(Vertex, String, Flow, Option<String>)>,
}

/// What a node does with columns.
#[salsa::tracked]
pub fn summary(db: &dyn Db, file: File, node: usize) -> Arc<Summary> {
    let Some(face) = interface(db, file) else { return Arc::default() };
    let names = names(db, file.project(db));
    let source = |base: &BaseColumn| {
        let vertex = match resolve_name(names, Some((face, node)), base.database.as_deref(), &base.table) {
            Resolution::Node(n) => Vertex { file, node: Some(n) },
            Resolution::Resource(f) => output(db, f),
            _ => return None,
        };
        Some((place(db, vertex), vertex))
    };
    let mut flows = Vec::new();
    for facts in &node_meaning(db, file, node).facts {
        let sources: Vec<_> = facts.bases.iter().map(source).collect();
        for column in &facts.columns {
            for from in &column.sources {
                let (Some(vertex), Some(name)) = (sources[from.base], &column.name) else { continue };
                let flow = if from.is_copy { Flow::Copy } else { Flow::Computed };
                flows.push((vertex, facts.bases[from.base].column.clone(), flow, Some(name.clone())));
            }
        }
        for usage in &facts.uses {
            let flow = match usage.kind {
                UseKind::Value => continue,
                UseKind::Filter => Flow::Filter,
                UseKind::Join => Flow::Join,
                UseKind::Group => Flow::Group,
                UseKind::Order => Flow::Order,
            };
            let Some(vertex) = sources[usage.base] else { continue };
            flows.push((vertex, facts.bases[usage.base].column.clone(), flow, None));
        }
    }
    // By path and node: numbers of files tell how the project was loaded.
    flows.sort_by(|((a, _), column, flow, own), ((b, _), other_column, other_flow, other)| {
        (a, column, flow, own).cmp(&(b, other_column, other_flow, other))
    });
    flows.dedup();
    let flows = flows.into_iter().map(|((_, vertex), column, flow, own)| (vertex, column, flow, own));
    Arc::new(Summary { flows: flows.collect() })
}

/// Where a source stands among others.
fn place(db: &dyn Db, vertex: Vertex) -> (&str, Option<usize>) {
    (vertex.file.path(db).as_str(), vertex.node)
}

/// A step of a walk: from one column to another, or into a node's query.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Step {
    /// Where the value is from, in the direction of data flow.
    pub from: ColumnVertex,
    /// Where it goes.
    pub to: Vertex,
    /// The column there; `None` where it decides about rows.
    pub column: Option<String>,
    /// How.
    pub flow: Flow,
}

/// What becomes of a column: steps, nearest first. Linear in what is reached.
pub fn downstream(db: &dyn Db, start: &ColumnVertex) -> Vec<Step> {
    walk(start, |at| consumers(db, at))
}

/// What a column is made of: steps, nearest first, each in the direction of data flow.
pub fn upstream(db: &dyn Db, start: &ColumnVertex) -> Vec<Step> {
    let mut steps = Vec::new();
    let mut seen = FxHashSet::from_iter([start.clone()]);
    let mut queue = VecDeque::from([start.clone()]);
    while let Some(at) = queue.pop_front() {
        for step in producers(db, &at) {
            if step.flow.carries_value() && seen.insert(step.from.clone()) {
                queue.push_back(step.from.clone());
            }
            steps.push(step);
        }
    }
    steps
}

fn walk(start: &ColumnVertex, next: impl Fn(&ColumnVertex) -> Vec<Step>) -> Vec<Step> {
    let mut steps = Vec::new();
    let mut seen = FxHashSet::from_iter([start.clone()]);
    let mut queue = VecDeque::from([start.clone()]);
    while let Some(at) = queue.pop_front() {
        for step in next(&at) {
            if let Some(column) = &step.column {
                let to = ColumnVertex { vertex: step.to, column: column.clone() };
                if step.flow.carries_value() && seen.insert(to.clone()) {
                    queue.push_back(to);
                }
            }
            steps.push(step);
        }
    }
    steps
}

/// Direct uses of a column.
pub fn consumers(db: &dyn Db, at: &ColumnVertex) -> Vec<Step> {
    let graph = graph(db, at.vertex.file.project(db));
    let mut steps = Vec::new();
    for (next, _) in graph.downstream(at.vertex) {
        match next.node {
            Some(node) => {
                let flows = &summary(db, next.file, node).flows;
                let wanted = (place(db, at.vertex), &at.column);
                let first = flows.partition_point(|(v, c, ..)| (place(db, *v), c) < wanted);
                let own = flows[first..].iter().take_while(|(v, c, ..)| *v == at.vertex && *c == at.column);
                steps.extend(own.map(|(_, _, flow, column)| Step {
                    from: at.clone(),
                    to: *next,
                    column: column.clone(),
                    flow: *flow,
                }));
            }
            // A view or copy writes columns of the same name.
            None if has_column(db, next.file, &at.column) => steps.push(Step {
                from: at.clone(),
                to: *next,
                column: Some(at.column.clone()),
                flow: Flow::Copy,
            }),
            None => {}
        }
    }
    steps
}

fn has_column(db: &dyn Db, file: File, column: &str) -> bool {
    interface(db, file).as_ref().is_some_and(|face| face.columns.iter().any(|c| c.name == column))
}

/// What a column is made of directly.
pub fn producers(db: &dyn Db, at: &ColumnVertex) -> Vec<Step> {
    let Some(node) = at.vertex.node else {
        let graph = graph(db, at.vertex.file.project(db));
        let writers = graph.upstream(at.vertex).iter().filter(|(v, _)| v.node.is_some());
        return writers
            .map(|(writer, _)| Step {
                from: ColumnVertex { vertex: *writer, column: at.column.clone() },
                to: at.vertex,
                column: Some(at.column.clone()),
                flow: Flow::Copy,
            })
            .collect();
    };
    let flows = &summary(db, at.vertex.file, node).flows;
    let own = flows.iter().filter(|(_, _, _, column)| column.as_deref() == Some(at.column.as_str()));
    own.map(|(vertex, column, flow, _)| Step {
        from: ColumnVertex { vertex: *vertex, column: column.clone() },
        to: at.vertex,
        column: Some(at.column.clone()),
        flow: *flow,
    })
    .collect()
}

/// Who is hurt when a column goes away: counts of what uses it, directly or through others.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ColumnImpact {
    /// Published results.
    pub endpoints: usize,
    /// Materialized views.
    pub views: usize,
    /// Copy jobs.
    pub copies: usize,
    /// Exports.
    pub sinks: usize,
    /// Other nodes.
    pub nodes: usize,
}

impl ColumnImpact {
    /// Whether nothing uses the column.
    pub fn is_empty(self) -> bool {
        self == Self::default()
    }

    /// `→ 3 endpoints, 1 view`; `None` when nothing uses it.
    pub fn summary(self) -> Option<String> {
        let part = |count: usize, one: &str, many: &str| match count {
            0 => None,
            1 => Some(format!("1 {one}")),
            n => Some(format!("{n} {many}")),
        };
        let parts: Vec<_> = [
            part(self.endpoints, "endpoint", "endpoints"),
            part(self.views, "view", "views"),
            part(self.copies, "copy", "copies"),
            part(self.sinks, "sink", "sinks"),
        ]
        .into_iter()
        .flatten()
        .collect();
        let nodes = || part(self.nodes, "node", "nodes").into_iter().collect();
        let parts: Vec<String> = if parts.is_empty() { nodes() } else { parts };
        (!parts.is_empty()).then(|| format!("→ {}", parts.join(", ")))
    }
}

/// What depends on a column, each node once: what uses it or what is made of it, and all that reads those.
pub fn impact(db: &dyn Db, start: &ColumnVertex) -> ColumnImpact {
    let graph = graph(db, start.vertex.file.project(db));
    let users: FxHashSet<Vertex> = downstream(db, start).into_iter().map(|step| step.to).collect();
    let users: Vec<Vertex> = users.into_iter().collect();
    let mut reached = graph.downstream_of(&users);
    reached.extend(&users);
    let mut out = ColumnImpact::default();
    for vertex in reached {
        match graph.node_type(vertex) {
            Some(NodeType::Endpoint) => out.endpoints += 1,
            Some(NodeType::Materialized) => out.views += 1,
            Some(NodeType::Copy) => out.copies += 1,
            Some(NodeType::Sink) => out.sinks += 1,
            Some(NodeType::Standard) => out.nodes += 1,
            None => {}
        }
    }
    out
}
