//! From two compiled projects to a plan: which resources changed, in which order they are looked at, and what each rule
//! needs to know.

use std::collections::{BTreeMap, BTreeSet};

use headwater_analysis::{Db, File, NodeType, Project};

use crate::change::{Change, Class, Dependent, Estimate, Plan, ResourceKind, Rule};
use crate::release::{Body, Definition, Fingerprint, Key, NodeRef, Release, Space, Wiring, fingerprint_of};
use crate::stats::Stats;
use crate::{connection, meta, pipe, rename, table, view, whole};

/// What the rules look at.
pub(crate) struct Cx<'a> {
    pub(crate) db: &'a dyn Db,
    pub(crate) before: &'a Release<'a>,
    pub(crate) after: &'a Release<'a>,
    /// Who reads whom before.
    pub(crate) old: Wiring,
    /// Who reads whom after.
    pub(crate) new: Wiring,
    pub(crate) stats: Option<&'a Stats>,
    /// Resources of which nothing changed but perhaps what they read.
    pub(crate) touched: BTreeSet<Key>,
    /// Resources that got another name: the old one by the new one.
    pub(crate) renamed: BTreeMap<Key, Key>,
    /// Columns of data sources whose stored values change.
    pub(crate) recast: BTreeMap<Key, Recast>,
    /// Data sources that get a new physical table: what is made of their rows is made of those in it.
    pub(crate) replaced: BTreeSet<Key>,
    pub(crate) changes: Vec<Change>,
}

/// Which stored values of a data source change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Recast {
    /// Those of these columns.
    Columns(BTreeSet<String>),
    /// All: it is filled anew.
    All,
}

/// What deploying `after` over `before` does. Both are projects of one database.
///
/// Takes time with the number of resources, and with the queries downstream of what changed.
pub fn plan(db: &dyn Db, before: Project, after: Project, stats: Option<&Stats>) -> Plan {
    let new = Release::new(db, after, None);
    let old = Release::new(db, before, Some(after));
    let hash = hash(db, &old, &new);
    Plan { hash, changes: compare(db, &old, &new, stats, None) }
}

/// The changes of one file's resource in the [plan], in the plan's order. Pipes that are only behind it are not looked at:
/// what they say is theirs.
pub(crate) fn changes_of(db: &dyn Db, before: Project, file: File) -> Vec<Change> {
    let new = Release::new(db, file.project(db), None);
    let old = Release::new(db, before, Some(new.project));
    let path = file.path(db).as_str();
    let mut changes = compare(db, &old, &new, None, Some(path));
    changes.retain(|change| change.path == path);
    changes
}

/// The changes; with `only`, those of the resources that a file defines, before or after. With these come those of data
/// sources, since what becomes of their rows decides about others.
fn compare(
    db: &dyn Db,
    before: &Release<'_>,
    after: &Release<'_>,
    stats: Option<&Stats>,
    only: Option<&str>,
) -> Vec<Change> {
    let is_wanted = |key: &&Key| {
        let is_in = |release: &Release<'_>, path: &str| {
            release.entries.get(*key).is_some_and(|entry| entry.file.path(db) == path)
        };
        only.is_none_or(|path| is_in(before, path) || is_in(after, path))
    };
    let keys: BTreeSet<&Key> = before.entries.keys().chain(after.entries.keys()).collect();
    let changed: BTreeSet<Key> = keys.into_iter().filter(|k| !is_same(before, after, k)).cloned().collect();
    if changed.is_empty() {
        return Vec::new();
    }
    let [old, new] = Wiring::around(before, after, &changed);
    let mut touched = changed.clone();
    for key in &changed {
        touched.extend(reached(&new, after, key));
        touched.extend(reached(&old, before, key));
        touched.extend(new.writers(key).iter().map(|n| n.pipe.clone()));
    }
    let renamed = rename::renamed(before, after, &changed);
    let mut cx = Cx {
        db,
        before,
        after,
        old,
        new,
        stats,
        touched,
        renamed,
        recast: BTreeMap::new(),
        replaced: BTreeSet::new(),
        changes: Vec::new(),
    };
    for key in changed.iter().filter(|k| k.space == Space::Connection).filter(is_wanted) {
        connection::classify(&mut cx, key);
    }
    for key in cx.tables_in_order() {
        data_source(&mut cx, &key, changed.contains(&key));
    }
    let pipes: Vec<Key> = cx.touched.iter().filter(is_wanted).filter(|k| cx.is_pipe(k)).cloned().collect();
    for key in pipes {
        pipe::classify(&mut cx, &key, changed.contains(&key));
    }
    for key in changed.iter().filter(is_wanted) {
        meta::classify(&mut cx, key);
    }
    let order = cx.order();
    let mut changes = cx.changes;
    changes.sort_by_key(|c| order.get(&key_of(c)).map(|depth| (*depth, c.resource.clone())));
    changes
}

fn is_same(before: &Release<'_>, after: &Release<'_>, key: &Key) -> bool {
    match (before.entries.get(key), after.entries.get(key)) {
        (Some(old), Some(new)) => new.is_same(*old),
        (old, new) => old.is_none() && new.is_none(),
    }
}

/// The resources that are fed by one, directly or not.
fn reached(wiring: &Wiring, release: &Release<'_>, key: &Key) -> BTreeSet<Key> {
    let mut out = BTreeSet::new();
    for node in wiring.downstream(release, key) {
        out.extend(release.target(&node));
        out.insert(node.pipe);
    }
    let nodes = release.get(key).and_then(Definition::pipe).map_or(0, |p| p.nodes.len());
    out.extend((0..nodes).filter_map(|index| release.target(&NodeRef { pipe: key.clone(), index })));
    out
}

fn data_source(cx: &mut Cx<'_>, key: &Key, is_changed: bool) {
    let (old, new) = (cx.before.get(key).map(|d| &d.body), cx.after.get(key).map(|d| &d.body));
    match (old, new) {
        (Some(Body::Table(old)), Some(Body::Table(new))) => {
            let fate = view::fate(cx, key);
            if is_changed || fate.is_some() {
                table::classify(cx, key, old, new, fate.as_ref());
            }
        }
        (old, Some(Body::Table(new))) => {
            whole::created_table(cx, key, new);
            if let Some(Body::Pipe(_)) = old {
                whole::kind_changed(cx, key);
            }
        }
        (Some(Body::Table(_)), _) => whole::deleted_table(cx, key),
        _ => {}
    }
}

/// Both sides and the engine's version. What names, tags and descriptions say is part of it: they are deployed too. White
/// space and comments are not.
fn hash(db: &dyn Db, before: &Release<'_>, after: &Release<'_>) -> String {
    let mut digest = fingerprint_of("plan");
    digest.part(headwater_catalog::engine_version());
    for release in [before, after] {
        digest.part("side");
        let files = release.project.files(db).iter().filter(|f| f.kind(db).is_some());
        for file in files {
            digest.part(file.path(db).as_str());
            digest.part(&text_fingerprint(db, *file).to_string());
        }
    }
    digest.finish().to_string()
}

/// Of what a file says, layout and comments left out. Parses nothing.
#[salsa::tracked(returns(copy))]
fn text_fingerprint(db: &dyn Db, file: File) -> Fingerprint {
    let text = file.text(db);
    let mut digest = fingerprint_of("text");
    for line in text.lines().filter(|line| !line.trim_start().starts_with('#')) {
        line.split_whitespace().for_each(|word| digest.part(word));
    }
    digest.finish()
}

impl Cx<'_> {
    pub(crate) fn is_pipe(&self, key: &Key) -> bool {
        let is_pipe = |release: &Release<'_>| release.get(key).is_some_and(|d| d.pipe().is_some());
        is_pipe(self.before) || is_pipe(self.after)
    }

    /// The data sources that are looked at, each behind those that the views that fill it read.
    fn tables_in_order(&self) -> Vec<Key> {
        let mut out = Vec::new();
        let mut open = BTreeSet::new();
        for key in &self.touched {
            self.visit(key, &mut out, &mut open);
        }
        let is_table = |k: &Key| self.before.table(k).is_some() || self.after.table(k).is_some();
        out.retain(|k| is_table(k) && self.touched.contains(k));
        out
    }

    fn visit(&self, key: &Key, out: &mut Vec<Key>, open: &mut BTreeSet<Key>) {
        if !open.insert(key.clone()) {
            return;
        }
        for view in self.new.views(self.after, key) {
            for table in self.new.chain(&view).tables {
                self.visit(&table, out, open);
            }
        }
        out.push(key.clone());
    }

    /// How deep in the flow of data each changed resource stands: what is upstream comes first.
    fn order(&self) -> BTreeMap<Key, usize> {
        let mut depths: BTreeMap<Key, usize> = BTreeMap::new();
        let keys: BTreeSet<Key> = self.changes.iter().map(key_of).collect();
        let is_known = |k: &&Key| self.before.entries.contains_key(k) || self.after.entries.contains_key(k);
        keys.iter().filter(is_known).map(|key| (key.clone(), self.depth(key, &mut depths, 0))).collect()
    }

    fn depth(&self, key: &Key, known: &mut BTreeMap<Key, usize>, level: usize) -> usize {
        if let Some(depth) = known.get(key) {
            return *depth;
        }
        // What is made first is made before it is filled.
        let is_created = self.before.get(key).is_none() && self.after.table(key).is_some();
        if key.space == Space::Connection || is_created || level > 64 {
            return 0;
        }
        // Loops end here: a resource that is being looked at counts as a start.
        known.insert(key.clone(), 1);
        let (wiring, release) =
            if self.after.get(key).is_some() { (&self.new, self.after) } else { (&self.old, self.before) };
        let mut nodes: Vec<NodeRef> = wiring.views(release, key);
        if let Some(pipe) = release.get(key).and_then(Definition::pipe) {
            nodes.extend((0..pipe.nodes.len()).map(|index| NodeRef { pipe: key.clone(), index }));
        }
        let mut depth = 0;
        for node in nodes {
            if node.pipe != *key {
                depth = depth.max(self.depth(&node.pipe.clone(), known, level + 1));
            }
            let chain = wiring.chain(&node);
            for table in &chain.tables {
                depth = depth.max(self.depth(table, known, level + 1));
            }
            for other in chain.nodes.iter().filter(|n| n.pipe != *key) {
                depth = depth.max(self.depth(&other.pipe, known, level + 1));
            }
        }
        known.insert(key.clone(), depth + 1);
        depth + 1
    }

    /// A change of a resource, with what every change says.
    pub(crate) fn change(
        &self,
        key: &Key,
        rule: &'static Rule,
        class: Class,
        reason: impl Into<String>,
    ) -> Change {
        let release = if self.after.get(key).is_some() { self.after } else { self.before };
        let path = release.entries.get(key).map(|e| e.file.path(self.db).to_string());
        Change {
            resource: key.name.clone(),
            kind: kind_of(release, key),
            path: path.unwrap_or_default(),
            rule,
            class,
            subject: None,
            reason: reason.into(),
            sql: Vec::new(),
            dependents: Vec::new(),
            is_reversible: !class.is_destructive(),
            is_breaking: false,
            fix: None,
            part_of: None,
            estimate: Estimate::default(),
        }
    }

    /// What is fed by a resource in the new project, each pipe once.
    pub(crate) fn dependents(&self, key: &Key) -> Vec<Dependent> {
        let mut out: Vec<Dependent> = Vec::new();
        for node in self.new.downstream(self.after, key) {
            let dependent = self.dependent(&NodeRef { pipe: node.pipe, index: usize::MAX });
            if !out.contains(&dependent) {
                out.push(dependent);
            }
        }
        out
    }

    /// A node, or a whole pipe where there is no such node.
    pub(crate) fn dependent(&self, node: &NodeRef) -> Dependent {
        let release = if self.after.get(&node.pipe).is_some() { self.after } else { self.before };
        Dependent {
            resource: node.pipe.name.clone(),
            kind: kind_of(release, &node.pipe),
            node: release.node(node).map(|n| n.name.clone()),
        }
    }
}

/// The resource that a change is of.
fn key_of(change: &Change) -> Key {
    let is_connection = change.kind == ResourceKind::Connection;
    let space = if is_connection { Space::Connection } else { Space::Table };
    Key { space, name: change.resource.clone() }
}

/// What a resource is, by what its pipe publishes.
pub(crate) fn kind_of(release: &Release<'_>, key: &Key) -> ResourceKind {
    match release.get(key).map(|d| &d.body) {
        Some(Body::Table(_)) => ResourceKind::Datasource,
        Some(Body::Connection(_)) => ResourceKind::Connection,
        Some(Body::Pipe(pipe)) => match pipe.ty() {
            NodeType::Standard => ResourceKind::Pipe,
            NodeType::Endpoint => ResourceKind::Endpoint,
            NodeType::Materialized => ResourceKind::Materialized,
            NodeType::Copy => ResourceKind::Copy,
            NodeType::Sink => ResourceKind::Sink,
        },
        None => ResourceKind::Pipe,
    }
}
