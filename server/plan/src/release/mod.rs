//! A project, compiled: what every resource is, who reads whom, and fingerprints.

mod canonical;
mod compiled;
pub mod ddl;
mod define;
mod fingerprint;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use headwater_analysis::scope::Names;
use headwater_analysis::{Content, Db, File, NodeType, Project, ReadFact, names};
use rustc_hash::FxHashMap;

pub use compiled::compiled_sql;
pub(crate) use define::FIXED_SETTINGS;
pub use define::{Body, Column, Definition, Engine, Index, Meta, Node, Pipe, Table, definition};
pub(crate) use fingerprint::of_table;
pub use fingerprint::{Fingerprint, fingerprints};

/// Where a name is looked for: data sources and pipes share one space.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Space {
    /// Connections.
    Connection,
    /// Data sources and pipes.
    Table,
}

/// A resource of a release.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Key {
    /// Where its name is looked for.
    pub space: Space,
    /// Its name.
    pub name: String,
}

/// A resource: where it is defined, and as what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The file.
    pub file: File,
    /// What it defines.
    pub definition: Arc<Definition>,
}

/// A node of a pipe.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct NodeRef {
    /// The pipe.
    pub pipe: Key,
    /// The node's index.
    pub index: usize,
}

/// What a node reads.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Input {
    /// A data source of the project.
    Table(Key),
    /// A node, of the same pipe or the published one of another.
    Node(NodeRef),
    /// A table that the project does not define.
    Foreign(String),
}

/// A compiled project: the resources of its files. What other workspaces share into it is not part of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Release {
    /// The project.
    pub project: Project,
    /// Resources by name; of several with one name the first by path, as everywhere.
    pub entries: BTreeMap<Key, Entry>,
}

impl Key {
    /// A data source or pipe.
    pub fn table(name: impl Into<String>) -> Self {
        Self { space: Space::Table, name: name.into() }
    }
}

/// The release of a project, remembered.
#[salsa::tracked(no_eq)]
pub fn compile(db: &dyn Db, project: Project) -> Arc<Release> {
    Arc::new(Release::new(db, project, None))
}

impl Release {
    /// Compiles a project. Files with the same text as in `twin` are not read again: a definition depends on its text
    /// alone, unless it includes others.
    pub(crate) fn new(db: &dyn Db, project: Project, twin: Option<Project>) -> Self {
        let names = names(db, project);
        let twin = twin.filter(|twin| {
            headwater_analysis::dialect(db, *twin).dialect == headwater_analysis::dialect(db, project).dialect
        });
        let one = |space, name: &String, files: &Vec<File>| {
            let file = *files.first()?;
            let same = twin.and_then(|twin| same_text(db, file, twin)).unwrap_or(file);
            let definition = definition(db, same).clone()?;
            Some((Key { space, name: name.clone() }, Entry { file, definition }))
        };
        let tables = names.tables.iter().filter_map(|(name, files)| one(Space::Table, name, files));
        let connections =
            names.connections.iter().filter_map(|(name, files)| one(Space::Connection, name, files));
        Self { project, entries: tables.chain(connections).collect() }
    }

    /// The definition of a resource.
    pub fn get(&self, key: &Key) -> Option<&Definition> {
        self.entries.get(key).map(|e| &*e.definition)
    }

    /// The table of a data source.
    pub fn table(&self, key: &Key) -> Option<&Table> {
        self.get(key)?.table()
    }

    /// A node.
    pub fn node(&self, node: &NodeRef) -> Option<&Node> {
        self.get(&node.pipe)?.pipe()?.nodes.get(node.index)
    }
}

fn same_text(db: &dyn Db, file: File, project: Project) -> Option<File> {
    let (files, path) = (project.files(db), file.path(db));
    let there = files.binary_search_by(|f| f.path(db).cmp(path)).ok().map(|n| files[n])?;
    match (file.content(db), there.content(db)) {
        (Content::Text(a), Content::Text(b)) => {
            let is_same = (Arc::ptr_eq(a, b) || a == b) && !a.to_ascii_uppercase().contains("INCLUDE");
            is_same.then_some(there)
        }
        _ => None,
    }
}

/// Who reads and writes whom in a release, in both directions.
#[derive(Debug, Default)]
pub(crate) struct Wiring {
    /// What each node reads.
    inputs: FxHashMap<NodeRef, Vec<Input>>,
    /// Nodes that read a data source.
    readers: FxHashMap<Key, Vec<NodeRef>>,
    /// Nodes that read a node.
    node_readers: FxHashMap<NodeRef, Vec<NodeRef>>,
    /// Nodes that write a data source.
    writers: FxHashMap<Key, Vec<NodeRef>>,
}

impl Wiring {
    /// Resolves every name. Linear in the number of references.
    pub(crate) fn new(db: &dyn Db, release: &Release) -> Self {
        let names = names(db, release.project);
        let mut wiring = Self::default();
        for (key, entry) in &release.entries {
            let Some(pipe) = entry.definition.pipe() else { continue };
            for (index, node) in pipe.nodes.iter().enumerate() {
                let here = NodeRef { pipe: key.clone(), index };
                let mut inputs: Vec<Input> =
                    node.reads.iter().map(|read| resolve(release, names, pipe, &here, read)).collect();
                inputs.sort();
                inputs.dedup();
                for input in &inputs {
                    match input {
                        Input::Table(table) => {
                            wiring.readers.entry(table.clone()).or_default().push(here.clone());
                        }
                        Input::Node(node) => {
                            wiring.node_readers.entry(node.clone()).or_default().push(here.clone());
                        }
                        Input::Foreign(_) => {}
                    }
                }
                if let Some(target) = node.writes.as_deref().and_then(|w| resource(release, names, w)) {
                    wiring.writers.entry(target).or_default().push(here.clone());
                }
                wiring.inputs.insert(here, inputs);
            }
        }
        wiring
    }

    pub(crate) fn inputs(&self, node: &NodeRef) -> &[Input] {
        self.inputs.get(node).map_or(&[], Vec::as_slice)
    }

    pub(crate) fn readers(&self, table: &Key) -> &[NodeRef] {
        self.readers.get(table).map_or(&[], Vec::as_slice)
    }

    pub(crate) fn node_readers(&self, node: &NodeRef) -> &[NodeRef] {
        self.node_readers.get(node).map_or(&[], Vec::as_slice)
    }

    pub(crate) fn writers(&self, table: &Key) -> &[NodeRef] {
        self.writers.get(table).map_or(&[], Vec::as_slice)
    }

    /// Views that write a data source.
    pub(crate) fn views(&self, release: &Release, table: &Key) -> Vec<NodeRef> {
        let is_view = |n: &&NodeRef| release.node(n).is_some_and(|n| n.ty == NodeType::Materialized);
        self.writers(table).iter().filter(is_view).cloned().collect()
    }

    /// A node and all nodes that its query is made of, nearest first; and the tables at their ends.
    pub(crate) fn chain(&self, node: &NodeRef) -> Chain {
        let mut chain = Chain { nodes: vec![node.clone()], ..Chain::default() };
        let mut at = 0;
        while at < chain.nodes.len() {
            for input in self.inputs(&chain.nodes[at].clone()) {
                match input {
                    Input::Node(node) if !chain.nodes.contains(node) => chain.nodes.push(node.clone()),
                    Input::Node(_) => {}
                    Input::Table(table) => {
                        chain.tables.insert(table.clone());
                    }
                    Input::Foreign(name) => {
                        chain.foreign.insert(name.clone());
                    }
                }
            }
            at += 1;
        }
        chain
    }

    /// Everything that data flows into from here: nodes that read it, data sources that those write, and so on.
    pub(crate) fn downstream(&self, release: &Release, start: &Key) -> Vec<NodeRef> {
        let mut out: Vec<NodeRef> = Vec::new();
        let mut todo: Vec<NodeRef> = self.readers(start).to_vec();
        if let Some(pipe) = release.get(start).and_then(Definition::pipe) {
            let own = (0..pipe.nodes.len()).map(|index| NodeRef { pipe: start.clone(), index });
            todo.extend(own.flat_map(|n| self.after(release, &n)));
        }
        let mut at = 0;
        while at < todo.len() {
            let node = todo[at].clone();
            at += 1;
            if out.contains(&node) || node.pipe == *start {
                continue;
            }
            todo.extend(self.after(release, &node));
            out.push(node);
        }
        out
    }

    fn after(&self, release: &Release, node: &NodeRef) -> Vec<NodeRef> {
        let mut out = self.node_readers(node).to_vec();
        let writes = release.node(node).and_then(|n| n.writes.clone());
        if let Some(target) = writes {
            out.extend_from_slice(self.readers(&Key::table(target)));
        }
        out
    }
}

/// What a query is made of.
#[derive(Debug, Default)]
pub(crate) struct Chain {
    /// The node itself and those that it reads.
    pub(crate) nodes: Vec<NodeRef>,
    /// Data sources.
    pub(crate) tables: BTreeSet<Key>,
    /// Tables that the project does not define.
    pub(crate) foreign: BTreeSet<String>,
}

fn resource(release: &Release, names: &Names, name: &str) -> Option<Key> {
    let direct = Key::table(name);
    if release.entries.contains_key(&direct) {
        return Some(direct);
    }
    // A name without Classic's version means the latest one.
    let file = names.table(name)?;
    release.entries.iter().find(|(_, e)| e.file == file).map(|(key, _)| key.clone())
}

fn resolve(release: &Release, names: &Names, pipe: &Pipe, here: &NodeRef, read: &ReadFact) -> Input {
    if let Some(database) = &read.database {
        return Input::Foreign(format!("{database}.{}", read.name));
    }
    let own = pipe.nodes.iter().enumerate().position(|(n, node)| n != here.index && node.name == read.name);
    if let Some(index) = own {
        return Input::Node(NodeRef { pipe: here.pipe.clone(), index });
    }
    let Some(key) = resource(release, names, &read.name) else { return Input::Foreign(read.name.clone()) };
    match release.get(&key).map(|d| &d.body) {
        Some(Body::Pipe(pipe)) => match pipe.output() {
            Some(index) => Input::Node(NodeRef { pipe: key, index }),
            None => Input::Foreign(read.name.clone()),
        },
        _ => Input::Table(key),
    }
}

impl Pipe {
    /// Index of the node that stands for the whole pipe: the published one, else the one with a type, else the last.
    pub fn output(&self) -> Option<usize> {
        let endpoint = self.nodes.iter().position(|n| n.ty == NodeType::Endpoint);
        let typed = || self.nodes.iter().position(|n| n.ty != NodeType::Standard);
        endpoint.or_else(typed).or_else(|| self.nodes.len().checked_sub(1))
    }

    /// What the pipe as a whole is.
    pub fn ty(&self) -> NodeType {
        self.output().map_or(NodeType::Standard, |n| self.nodes[n].ty)
    }
}

/// Starts a digest of something that is no resource.
pub(crate) fn fingerprint_of(what: &str) -> fingerprint::Digester {
    fingerprint::Digester::new(what)
}
