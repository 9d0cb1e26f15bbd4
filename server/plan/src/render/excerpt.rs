//! The part of the data flow that a plan is about.

use std::collections::BTreeSet;

use headwater_analysis::flow::output;
use headwater_analysis::{Db, File, Project, Vertex, graph, names, resource_name};

use crate::change::Plan;

use super::Lineage;

/// What feeds the changed resources, and everything that they feed, resource by resource.
pub fn excerpt(db: &dyn Db, project: Project, plan: &Plan) -> Lineage {
    let (graph, names) = (graph(db, project), names(db, project));
    let mut files: Vec<File> = plan.changes.iter().filter_map(|c| names.table(&c.resource)).collect();
    files.sort_by_key(|f| f.path(db).clone());
    files.dedup();
    let vertices = |file: File| -> Vec<Vertex> {
        let nodes = headwater_analysis::interface(db, file).as_ref().map_or(0, |face| face.nodes.len());
        let own = (0..nodes).map(move |n| Vertex { file, node: Some(n) });
        std::iter::once(output(db, file)).chain(own).collect()
    };
    let starts: Vec<Vertex> = files.iter().flat_map(|f| vertices(*f)).collect();
    let mut all = graph.downstream_of(&starts);
    all.extend(&starts);
    let mut edges = BTreeSet::new();
    let mut edge = |from: Vertex, to: Vertex| {
        if from.file != to.file {
            edges.insert((resource_name(db, from.file).clone(), resource_name(db, to.file).clone()));
        }
    };
    for vertex in all {
        graph.downstream(vertex).iter().for_each(|(to, _)| edge(vertex, *to));
        if files.contains(&vertex.file) {
            graph.upstream(vertex).iter().for_each(|(from, _)| edge(*from, vertex));
        }
    }
    Lineage { edges: edges.into_iter().collect() }
}
