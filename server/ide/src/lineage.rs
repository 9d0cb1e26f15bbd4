//! Resource lineage as data, for the command line and for editors that draw it.

use headwater_analysis::lineage::{ColumnVertex, Flow, Step, downstream, upstream};
use headwater_analysis::{Db, EdgeKind, Project, Vertex, graph, interface, names, semantics};

use crate::locate::{label, noun};

/// What lineage is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Subject {
    /// A data source, pipe or connection by name.
    Resource(String),
    /// One node of a pipe.
    Node(String, String),
    /// A column of what another subject names.
    Column(Box<Subject>, String),
}

impl Subject {
    /// Reads `NAME[.COLUMN]` or `PIPE:NODE[.COLUMN]`. A name may have dots of its own: the longest one that the project
    /// has is meant, and what is behind it is the column.
    pub fn parse(db: &dyn Db, project: Project, text: &str) -> Self {
        let whole = |text: &str| match text.split_once(':') {
            Some((pipe, node)) => Self::Node(pipe.to_owned(), node.to_owned()),
            None => Self::Resource(text.to_owned()),
        };
        let dots = text.match_indices('.').map(|(at, _)| at).rev();
        if starts(db, project, &whole(text)).is_some() {
            return whole(text);
        }
        for at in dots {
            let (name, column) = (&text[..at], &text[at + 1..]);
            let subject = whole(name);
            if starts(db, project, &subject).is_some() {
                return Self::Column(Box::new(subject), column.to_owned());
            }
        }
        whole(text)
    }
}

/// Why one thing follows from another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum LineageLink {
    /// Between resources and nodes.
    Resource(EdgeKind),
    /// Between columns, or from a column into a query.
    Column(Flow),
}

impl LineageLink {
    /// The word for it in output.
    pub fn name(self) -> &'static str {
        match self {
            Self::Resource(EdgeKind::Read) => "read",
            Self::Resource(EdgeKind::Materialize) => "materialize",
            Self::Resource(EdgeKind::Copy) => "copy",
            Self::Resource(EdgeKind::Connect) => "connect",
            Self::Column(flow) => flow.name(),
        }
    }
}

/// The neighbourhood of one resource, transitively, in both directions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lineage {
    /// Everything reached; the first is the subject.
    pub nodes: Vec<LineageNode>,
    /// `(from, to, why)` as indexes into `nodes`, in the direction of data flow.
    pub edges: Vec<(usize, usize, LineageLink)>,
    /// Indexes of what is upstream, nearest first.
    pub upstream: Vec<usize>,
    /// Indexes of what is downstream, nearest first.
    pub downstream: Vec<usize>,
    /// "2 nodes · 1 endpoint", or nothing.
    pub impact: Option<String>,
}

/// A vertex for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LineageNode {
    /// `events`, `top_pages:filtered`.
    pub name: String,
    /// "data source", "endpoint"…; of a column, what has it.
    pub kind: &'static str,
    /// Type of a column, when it is known.
    pub ty: Option<String>,
    /// Path from the project's root.
    pub path: String,
}

/// Where the lineage of a subject starts.
fn starts(db: &dyn Db, project: Project, subject: &Subject) -> Option<Vec<Vertex>> {
    let names = names(db, project);
    match subject {
        Subject::Resource(name) => {
            let file = names.table(name).or_else(|| headwater_analysis::resolve_connection(names, name))?;
            // A pipe as a whole: all its nodes feed what it publishes, so its last result comes first.
            let main = headwater_analysis::flow::output(db, file);
            let count = interface(db, file).as_ref().map_or(0, |f| f.nodes.len());
            let others = (0..count).map(|n| Vertex { file, node: Some(n) }).filter(|v| *v != main);
            Some(std::iter::once(main).chain(others).collect())
        }
        Subject::Node(pipe, node) => {
            let file = names.table(pipe)?;
            let index = interface(db, file).as_ref()?.nodes.iter().position(|n| n.name == *node)?;
            Some(vec![Vertex { file, node: Some(index) }])
        }
        Subject::Column(of, _) => starts(db, project, of),
    }
}

/// The lineage of `subject`, or `None` when the project has no such thing. Linear in what is reached.
pub fn lineage(db: &dyn Db, project: Project, subject: &Subject) -> Option<Lineage> {
    let starts = starts(db, project, subject)?;
    if let Subject::Column(_, column) = subject {
        return of_column(db, *starts.first()?, column);
    }
    let graph = graph(db, project);
    let mut down = graph.downstream_of(&starts);
    let mut up: Vec<Vertex> = Vec::new();
    for start in &starts {
        for vertex in graph.all_upstream(*start) {
            if !up.contains(&vertex) && !starts.contains(&vertex) {
                up.push(vertex);
            }
        }
    }
    let impact = graph.impact(db, &down).summary();
    let mut order = starts;
    for vertex in up.iter().chain(&down) {
        if !order.contains(vertex) {
            order.push(*vertex);
        }
    }
    let index = |v: &Vertex| order.iter().position(|o| o == v);
    let mut edges = Vec::new();
    for (from, vertex) in order.iter().enumerate() {
        edges.extend(
            graph
                .downstream(*vertex)
                .iter()
                .filter_map(|(to, kind)| Some((from, index(to)?, LineageLink::Resource(*kind)))),
        );
    }
    let nodes = order
        .iter()
        .map(|v| LineageNode {
            name: label(db, *v),
            kind: noun(db, *v),
            ty: None,
            path: v.file.path(db).to_string(),
        })
        .collect();
    let places = |list: &mut Vec<Vertex>| list.iter().filter_map(&index).collect();
    Some(Lineage { upstream: places(&mut up), downstream: places(&mut down), nodes, edges, impact })
}

/// The lineage of one column; `None` when its table has no such column.
fn of_column(db: &dyn Db, vertex: Vertex, column: &str) -> Option<Lineage> {
    let start = ColumnVertex { vertex, column: column.to_owned() };
    relation(db, vertex).column(column)?;
    let (up, down) = (upstream(db, &start), downstream(db, &start));
    let mut found = Columns { order: vec![(vertex, Some(start.column.clone()))], edges: Vec::new() };
    // Steps lead from the subject outwards in both lists.
    let upstream = found.add(&up, |step| (step.from.vertex, Some(step.from.column.clone())));
    let downstream = found.add(&down, |step| (step.to, step.column.clone()));
    let nodes = found
        .order
        .iter()
        .map(|(v, column)| LineageNode {
            name: column.as_ref().map_or_else(|| label(db, *v), |c| format!("{}.{c}", label(db, *v))),
            kind: noun(db, *v),
            ty: column.as_ref().and_then(|c| Some(relation(db, *v).column(c)?.ty.as_ref()?.to_string())),
            path: v.file.path(db).to_string(),
        })
        .collect();
    let impact = headwater_analysis::lineage::impact(db, &start).summary();
    let impact = impact.map(|text| text.trim_start_matches("→ ").to_owned());
    Some(Lineage { nodes, edges: found.edges, upstream, downstream, impact })
}

fn relation(db: &dyn Db, vertex: Vertex) -> &semantics::Relation {
    match vertex.node {
        Some(node) => semantics::node_relation(db, vertex.file, node),
        None => semantics::relation(db, vertex.file),
    }
}

/// Columns and queries in the order in which they were met.
struct Columns {
    order: Vec<(Vertex, Option<String>)>,
    edges: Vec<(usize, usize, LineageLink)>,
}

impl Columns {
    fn index(&mut self, place: (Vertex, Option<String>)) -> usize {
        self.order.iter().position(|p| *p == place).unwrap_or_else(|| {
            self.order.push(place);
            self.order.len() - 1
        })
    }

    fn add(&mut self, steps: &[Step], far: impl Fn(&Step) -> (Vertex, Option<String>)) -> Vec<usize> {
        let mut reached = Vec::new();
        for step in steps {
            let at = self.index(far(step));
            if at != 0 && !reached.contains(&at) {
                reached.push(at);
            }
            let from = self.index((step.from.vertex, Some(step.from.column.clone())));
            let to = self.index((step.to, step.column.clone()));
            let edge = (from, to, LineageLink::Column(step.flow));
            if !self.edges.contains(&edge) {
                self.edges.push(edge);
            }
        }
        reached
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use headwater_test_fixture::Fixture;

    #[test]
    fn lineage_reaches_both_ways() {
        let (db, project, _) = Fixture::parse(
            "//- a.datasource\nSCHEMA >\n  x String\n//- p.pipe\nNODE n\nSQL >\n  SELECT * FROM a\n\
             //- q.pipe\nNODE m\nSQL >\n  SELECT * FROM p\nTYPE endpoint\n",
        )
        .load();
        let found = lineage(&db, project, &Subject::Resource("p".into())).expect("p exists");
        let name = |n: &usize| found.nodes[*n].name.as_str();
        assert_eq!(found.upstream.iter().map(name).collect::<Vec<_>>(), ["a"]);
        assert_eq!(found.downstream.iter().map(name).collect::<Vec<_>>(), ["q"]);
        assert_eq!(found.impact.as_deref(), Some("1 endpoint"));
        assert_eq!(lineage(&db, project, &Subject::Resource("zzz".into())), None);
    }
}
