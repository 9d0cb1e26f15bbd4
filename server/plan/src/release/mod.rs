//! A project, compiled: what every resource is, who reads whom, and fingerprints.

mod canonical;
mod compiled;
pub mod ddl;
mod define;
mod fingerprint;

use std::collections::{BTreeMap, BTreeSet};
use std::hash::BuildHasher as _;
use std::sync::Arc;

use headwater_analysis::scope::Names;
use headwater_analysis::{
    Content, Db, Dialect, File, FileKind, NodeType, Project, ReadFact, datafile, names,
};
use rustc_hash::{FxBuildHasher, FxHashMap};

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

/// A resource: where it is defined, and as what. What it defines is read when it is asked for.
#[derive(Clone, Copy)]
pub struct Entry<'db> {
    db: &'db dyn Db,
    /// The file.
    pub file: File,
    /// The file that is read: one with the same text, if there is such a one in the other project.
    read: File,
}

impl<'db> Entry<'db> {
    /// What it defines.
    pub fn definition(self) -> Option<&'db Definition> {
        definition(self.db, self.read).as_deref()
    }

    /// Whether both define the same. Texts that are the same are not read for that.
    pub(crate) fn is_same(self, other: Entry<'_>) -> bool {
        self.read == other.read || self.definition() == other.definition()
    }

    /// Whether one of these names may stand in the text. None of those that do is missed.
    fn may_name(self, names: &Mentioned<'_>) -> bool {
        let words = words(self.db, self.read);
        names.words.iter().any(|word| words.binary_search(word).is_ok())
            || !names.odd.is_empty()
                && texts(self.db, self.read).iter().any(|t| names.odd.iter().any(|name| t.contains(*name)))
    }
}

/// Names that texts are searched for.
#[derive(Default)]
struct Mentioned<'n> {
    /// Hashes of words.
    words: Vec<u64>,
    /// Names that are no single word.
    odd: Vec<&'n str>,
}

impl<'n> Mentioned<'n> {
    fn of(keys: impl IntoIterator<Item = &'n Key>) -> Self {
        let mut out = Self::default();
        for key in keys {
            // A name without Classic's version means the latest one.
            let base = headwater_analysis::scope::split_version(&key.name).map(|(base, _)| base);
            for name in base.into_iter().chain([key.name.as_str()]) {
                if name.chars().all(is_word) { out.words.push(hash(name)) } else { out.odd.push(name) }
            }
        }
        out
    }
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

fn hash(word: &str) -> u64 {
    FxBuildHasher.hash_one(word)
}

/// Hashes of the words of a file and of what it includes, sorted. Parses nothing else: whoever looks for those who name
/// something asks this first.
#[salsa::tracked]
fn words(db: &dyn Db, file: File) -> Box<[u64]> {
    let mut out: Vec<u64> = Vec::new();
    for text in texts(db, file) {
        out.extend(text.split(|c: char| !is_word(c)).filter(|word| !word.is_empty()).map(hash));
    }
    out.sort_unstable();
    out.dedup();
    out.into()
}

/// What a file says, and what it includes.
fn texts(db: &dyn Db, file: File) -> Vec<Arc<str>> {
    let text = file.text(db);
    if includes(db, file.project(db), &text) {
        datafile(db, file).datafile.sources.to_vec()
    } else {
        vec![text]
    }
}

/// Whether a text may be completed by others. Only Classic has that.
fn includes(db: &dyn Db, project: Project, text: &str) -> bool {
    headwater_analysis::dialect(db, project).dialect == Dialect::Classic
        && text.to_ascii_uppercase().contains("INCLUDE")
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
#[derive(Clone)]
pub struct Release<'db> {
    db: &'db dyn Db,
    /// The project.
    pub project: Project,
    /// Resources by name; of several with one name the first by path, as everywhere.
    pub entries: BTreeMap<Key, Entry<'db>>,
}

impl Key {
    /// A data source or pipe.
    pub fn table(name: impl Into<String>) -> Self {
        Self { space: Space::Table, name: name.into() }
    }
}

/// The release of a project.
pub fn compile(db: &dyn Db, project: Project) -> Release<'_> {
    Release::new(db, project, None)
}

impl<'db> Release<'db> {
    /// Compiles a project. Files with the same text as in `twin` are not read again: a definition depends on its text
    /// alone, unless it includes others.
    pub(crate) fn new(db: &'db dyn Db, project: Project, twin: Option<Project>) -> Self {
        let names = names(db, project);
        let dialect = headwater_analysis::dialect(db, project).dialect;
        let twin = twin.filter(|twin| headwater_analysis::dialect(db, *twin).dialect == dialect);
        let one = |space, name: &String, files: &Vec<File>| {
            let file = *files.first()?;
            let read = twin.and_then(|twin| same_text(db, file, twin)).unwrap_or(file);
            Some((Key { space, name: name.clone() }, Entry { db, file, read }))
        };
        let tables = names.tables.iter().filter_map(|(name, files)| one(Space::Table, name, files));
        let connections =
            names.connections.iter().filter_map(|(name, files)| one(Space::Connection, name, files));
        Self { db, project, entries: tables.chain(connections).collect() }
    }

    /// The definition of a resource.
    pub fn get(&self, key: &Key) -> Option<&'db Definition> {
        self.entries.get(key).and_then(|e| e.definition())
    }

    /// The table of a data source.
    pub fn table(&self, key: &Key) -> Option<&'db Table> {
        self.get(key)?.table()
    }

    /// A node.
    pub fn node(&self, node: &NodeRef) -> Option<&'db Node> {
        self.get(&node.pipe)?.pipe()?.nodes.get(node.index)
    }

    /// What a node writes: the data source of that name, or the latest version of it; else what it names.
    pub(crate) fn target(&self, node: &NodeRef) -> Option<Key> {
        let name = self.node(node)?.writes.as_deref()?;
        Some(resource(self, names(self.db, self.project), name).unwrap_or_else(|| Key::table(name)))
    }

    /// The pipes, in order.
    fn pipes(&self) -> impl Iterator<Item = (&Key, Entry<'db>)> {
        let is_pipe = |e: &Entry<'_>| e.file.kind(self.db) == Some(FileKind::Pipe);
        self.entries.iter().filter(move |(_, e)| is_pipe(e)).map(|(key, e)| (key, *e))
    }

    /// The resource that a file of the project defines, unless another one has its name.
    pub(crate) fn key_of(&self, file: File) -> Option<Key> {
        let name = headwater_analysis::resource_name(self.db, file).clone();
        let key = Key { space: space_of(self.db, file)?, name };
        self.entries.get(&key).is_some_and(|e| e.file == file).then_some(key)
    }

    /// The resources whose text may say the name of this one, in order: among them is everyone who names it.
    pub(crate) fn who_may_name(&self, key: &Key) -> Vec<(&Key, Entry<'db>)> {
        let names = Mentioned::of([key]);
        self.entries.iter().filter(|(_, e)| e.may_name(&names)).map(|(key, e)| (key, *e)).collect()
    }
}

fn space_of(db: &dyn Db, file: File) -> Option<Space> {
    match file.kind(db)? {
        FileKind::Connection => Some(Space::Connection),
        FileKind::Datasource | FileKind::Pipe => Some(Space::Table),
        _ => None,
    }
}

/// The file of the same path in another project, if its text is the same and depends on no other.
#[salsa::tracked(returns(copy))]
fn same_text(db: &dyn Db, file: File, project: Project) -> Option<File> {
    let (files, path) = (project.files(db), file.path(db));
    let there = files.binary_search_by(|f| f.path(db).cmp(path)).ok().map(|n| files[n])?;
    let (Content::Text(a), Content::Text(b)) = (file.content(db), there.content(db)) else { return None };
    if !Arc::ptr_eq(a, b) && a != b {
        return None;
    }
    (!includes(db, project, a)).then_some(there)
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
    /// Of a whole release. Linear in the number of references, all of which are read.
    pub(crate) fn new(release: &Release<'_>) -> Self {
        let mut wiring = Self { writers: writers(release), ..Self::default() };
        let pipes: Vec<&Key> = release.pipes().map(|(key, _)| key).collect();
        wiring.connect(release, pipes);
        wiring
    }

    /// Of the parts of two releases that some resources are in: everything that they feed in either, directly or not, and
    /// everything that this is made of. Nothing else is read; of others it is known only what they write.
    pub(crate) fn around(before: &Release<'_>, after: &Release<'_>, start: &BTreeSet<Key>) -> [Self; 2] {
        let sides = [before, after];
        let mut both = sides.map(|release| Self { writers: writers(release), ..Self::default() });
        let writers = both.iter().flat_map(|w| start.iter().flat_map(|key| w.writers(key)));
        let start: BTreeSet<Key> = writers.map(|n| n.pipe.clone()).chain(start.iter().cloned()).collect();
        let fed = fed(sides, start);
        for (wiring, release) in both.iter_mut().zip(sides) {
            let all = wiring.made_of(release, &fed);
            wiring.connect(release, all);
        }
        both
    }

    /// The pipes among some resources, those that feed them, and so on.
    fn made_of<'r>(&self, release: &'r Release<'_>, resources: &BTreeSet<Key>) -> BTreeSet<&'r Key> {
        let names = names(release.db, release.project);
        let mut out: BTreeSet<&Key> = BTreeSet::new();
        let feeders = |table: &Key| self.writers(table).iter().map(|n| n.pipe.clone()).collect::<Vec<_>>();
        let mut open: Vec<Key> = resources.iter().flat_map(&feeders).collect();
        open.extend(resources.iter().cloned());
        while let Some(key) = open.pop() {
            let Some((key, _)) = release.entries.get_key_value(&key) else { continue };
            if release.get(key).and_then(Definition::pipe).is_none() || !out.insert(key) {
                continue;
            }
            for input in inputs(release, names, key).into_iter().flat_map(|(_, inputs)| inputs) {
                match input {
                    Input::Table(table) => open.extend(feeders(&table)),
                    Input::Node(node) => open.push(node.pipe),
                    Input::Foreign(_) => {}
                }
            }
        }
        out
    }

    /// Resolves every name of these resources, which stand in order.
    fn connect<'k>(&mut self, release: &Release<'_>, pipes: impl IntoIterator<Item = &'k Key>) {
        let names = names(release.db, release.project);
        for key in pipes {
            for (here, inputs) in inputs(release, names, key) {
                for input in &inputs {
                    match input {
                        Input::Table(table) => {
                            self.readers.entry(table.clone()).or_default().push(here.clone());
                        }
                        Input::Node(node) => {
                            self.node_readers.entry(node.clone()).or_default().push(here.clone());
                        }
                        Input::Foreign(_) => {}
                    }
                }
                self.inputs.insert(here, inputs);
            }
        }
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
    pub(crate) fn views(&self, release: &Release<'_>, table: &Key) -> Vec<NodeRef> {
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
    pub(crate) fn downstream(&self, release: &Release<'_>, start: &Key) -> Vec<NodeRef> {
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

    fn after(&self, release: &Release<'_>, node: &NodeRef) -> Vec<NodeRef> {
        let mut out = self.node_readers(node).to_vec();
        if let Some(target) = release.target(node) {
            out.extend_from_slice(self.readers(&target));
        }
        out
    }
}

/// Some resources and everything that they feed in either of two releases, directly or not; and some that only seem to be
/// fed. Whoever reads something says its name.
fn fed(sides: [&Release<'_>; 2], start: BTreeSet<Key>) -> BTreeSet<Key> {
    let mut open: Vec<Key> = start.iter().cloned().collect();
    let mut fed = start;
    let mut rest: BTreeMap<&Key, Vec<Entry<'_>>> = BTreeMap::new();
    for (key, entry) in sides.iter().flat_map(|release| release.pipes()) {
        let known = rest.entry(key).or_default();
        if known.iter().all(|k| k.read != entry.read) {
            known.push(entry);
        }
    }
    while !open.is_empty() {
        let names = Mentioned::of(&open);
        let is_open: BTreeSet<&Key> = open.iter().collect();
        let mut next = Vec::new();
        rest.retain(|key, entries| {
            let is_reached = is_open.contains(*key) || entries.iter().any(|entry| entry.may_name(&names));
            if is_reached {
                next.push((*key).clone());
                for entry in entries {
                    for (_, target) in headwater_analysis::written_tables(entry.db, entry.read) {
                        let meant = |r: &&Release<'_>| resource(r, names_of(r), &target);
                        next.extend(sides.iter().filter_map(meant));
                        next.push(Key::table(target));
                    }
                }
            }
            !is_reached
        });
        open = next.into_iter().filter(|key| fed.insert(key.clone())).collect();
    }
    fed
}

fn names_of<'db>(release: &Release<'db>) -> &'db Names {
    names(release.db, release.project)
}

/// The nodes that write each data source, of the whole release. No query is read for that.
fn writers(release: &Release<'_>) -> FxHashMap<Key, Vec<NodeRef>> {
    let names = names(release.db, release.project);
    let mut out: FxHashMap<Key, Vec<NodeRef>> = FxHashMap::default();
    for (key, entry) in release.pipes() {
        for (index, target) in headwater_analysis::written_tables(release.db, entry.read) {
            if let Some(target) = resource(release, names, &target) {
                out.entry(target).or_default().push(NodeRef { pipe: key.clone(), index });
            }
        }
    }
    out
}

/// What each node of a pipe reads.
fn inputs(release: &Release<'_>, names: &Names, key: &Key) -> Vec<(NodeRef, Vec<Input>)> {
    let Some(pipe) = release.get(key).and_then(Definition::pipe) else { return Vec::new() };
    let one = |(index, node): (usize, &Node)| {
        let here = NodeRef { pipe: key.clone(), index };
        let mut inputs: Vec<Input> =
            node.reads.iter().map(|read| resolve(release, names, pipe, &here, read)).collect();
        inputs.sort();
        inputs.dedup();
        (here, inputs)
    };
    pipe.nodes.iter().enumerate().map(one).collect()
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

fn resource(release: &Release<'_>, names: &Names, name: &str) -> Option<Key> {
    let direct = Key::table(name);
    if release.entries.contains_key(&direct) {
        return Some(direct);
    }
    // A name without Classic's version means the latest one.
    release.key_of(names.table(name)?)
}

fn resolve(release: &Release<'_>, names: &Names, pipe: &Pipe, here: &NodeRef, read: &ReadFact) -> Input {
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
