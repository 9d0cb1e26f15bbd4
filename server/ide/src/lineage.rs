//! Resource lineage as data, for the command line and for editors that draw it.

use headwater_analysis::{Db, EdgeKind, Project, Vertex, graph, interface, names};

use crate::locate::{label, noun};

/// What lineage is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Subject {
    /// A data source, pipe or connection by name.
    Resource(String),
    /// One node of a pipe.
    Node(String, String),
}

/// The neighbourhood of one resource, transitively, in both directions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lineage {
    /// Everything reached; the first is the subject.
    pub nodes: Vec<LineageNode>,
    /// `(from, to, why)` as indexes into `nodes`, in the direction of data flow.
    pub edges: Vec<(usize, usize, EdgeKind)>,
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
    /// "data source", "endpoint"…
    pub kind: &'static str,
    /// Path from the project's root.
    pub path: String,
}

/// The lineage of `subject`, or `None` when the project has no such thing. Linear in what is reached.
pub fn lineage(db: &dyn Db, project: Project, subject: &Subject) -> Option<Lineage> {
    let names = names(db, project);
    let starts = match subject {
        Subject::Resource(name) => {
            let file = names.table(name).or_else(|| headwater_analysis::resolve_connection(names, name))?;
            // A pipe as a whole: all its nodes feed what it publishes, so its last result comes first.
            let main = headwater_analysis::flow::output(db, file);
            let count = interface(db, file).as_ref().map_or(0, |f| f.nodes.len());
            let others = (0..count).map(|n| Vertex { file, node: Some(n) }).filter(|v| *v != main);
            std::iter::once(main).chain(others).collect::<Vec<_>>()
        }
        Subject::Node(pipe, node) => {
            let file = names.table(pipe)?;
            let index = interface(db, file).as_ref()?.nodes.iter().position(|n| n.name == *node)?;
            vec![Vertex { file, node: Some(index) }]
        }
    };
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
            graph.downstream(*vertex).iter().filter_map(|(to, kind)| Some((from, index(to)?, *kind))),
        );
    }
    let nodes = order
        .iter()
        .map(|v| LineageNode { name: label(db, *v), kind: noun(db, *v), path: v.file.path(db).to_string() })
        .collect();
    let places = |list: &mut Vec<Vertex>| list.iter().filter_map(&index).collect();
    Some(Lineage { upstream: places(&mut up), downstream: places(&mut down), nodes, edges, impact })
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
