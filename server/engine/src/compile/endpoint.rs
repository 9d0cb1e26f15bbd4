//! Endpoints as those who call them see them: what they take and what they answer.

use headwater_analysis::syntax::template::{self, Parameter};
use headwater_analysis::{
    Dialect, File, FileKind, NodeType, Vertex, datafile, dialect, graph, interface, resource_name, semantics,
};

use super::Compiler;

/// An endpoint.
#[derive(Debug, Clone)]
pub struct Endpoint {
    /// The pipe.
    pub pipe: File,
    /// Its name.
    pub name: String,
    /// Index of the node that answers.
    pub node: usize,
    /// What it is for.
    pub description: Option<String>,
    /// What it takes, each name once, over all nodes and pipes that it reads.
    pub parameters: Vec<Parameter>,
    /// What it answers: names, and types where they are known.
    pub columns: Vec<(String, Option<String>)>,
}

impl Compiler<'_> {
    /// The endpoint of a pipe. In Classic a pipe without a typed node has one: its last node.
    pub fn endpoint(&self, pipe: File) -> Option<Endpoint> {
        let (node, ty) = self.output(pipe)?;
        let is_classic = dialect(self.db, self.project).dialect == Dialect::Classic;
        if ty != NodeType::Endpoint && !(is_classic && ty == NodeType::Standard) {
            return None;
        }
        let relation = semantics::node_relation(self.db, pipe, node);
        let columns = relation.columns.iter().filter_map(|c| {
            let ty = c.ty.as_ref().map(ToString::to_string).filter(|ty| !ty.is_empty());
            Some((c.name.clone()?, ty))
        });
        Some(Endpoint {
            pipe,
            name: resource_name(self.db, pipe).clone(),
            node,
            description: interface(self.db, pipe).as_ref().and_then(|face| face.description.clone()),
            parameters: self.parameters(pipe, node),
            columns: columns.collect(),
        })
    }

    /// Every endpoint, by name.
    pub fn endpoints(&self) -> Vec<Endpoint> {
        let files = self.project.files(self.db);
        let pipes = files.iter().filter(|f| f.kind(self.db) == Some(FileKind::Pipe));
        let mut all: Vec<Endpoint> = pipes.filter_map(|pipe| self.endpoint(*pipe)).collect();
        all.sort_by(|a, b| a.name.cmp(&b.name));
        all
    }

    /// The parameters of a node and of every node that it reads, each name once: with its type where one says it.
    pub fn parameters(&self, pipe: File, node: usize) -> Vec<Parameter> {
        let graph = graph(self.db, self.project);
        let mut open = vec![Vertex { file: pipe, node: Some(node) }];
        let mut seen = Vec::new();
        let mut out: Vec<Parameter> = Vec::new();
        while let Some(vertex) = open.pop() {
            if seen.contains(&vertex) {
                continue;
            }
            seen.push(vertex);
            // A data source is filled by nodes that run at other times.
            let Some(node) = vertex.node else { continue };
            let parsed = datafile(self.db, vertex.file);
            let nodes = parsed.datafile.nodes();
            if let Some((_, sql)) = nodes.get(node).and_then(|n| n.sql())
                && template::is_template(&sql.text)
            {
                for parameter in template::parameters(&sql.text, &template::parse(&sql.text)) {
                    match out.iter_mut().find(|p| p.name == parameter.name) {
                        Some(known) if known.ty.is_none() && parameter.ty.is_some() => *known = parameter,
                        Some(_) => {}
                        None => out.push(parameter),
                    }
                }
            }
            open.extend(graph.upstream(vertex).iter().map(|(source, _)| *source));
        }
        out
    }
}
