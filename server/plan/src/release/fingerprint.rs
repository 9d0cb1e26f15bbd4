//! Fingerprints: which physical table holds a definition's data.

use std::collections::BTreeMap;
use std::fmt;

use headwater_analysis::{Db, NodeType};
use sha2::{Digest, Sha256};

use super::{Body, FIXED_SETTINGS, Key, NodeRef, Release, Space, Table, Wiring, compiled_sql};

/// The identity of what a resource holds: equal fingerprints, equal data.
///
/// Made of columns, types, defaults, codecs, engine and keys of a table; of the queries of the views that fill it, stars
/// written out; and of the fingerprints of what those read. Not of descriptions, tags, tokens, formatting, the order of
/// columns, JSONPaths, connectors, expiry, indexes, settings that change in place, `FORWARD_QUERY`, or the engine's version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Fingerprint(pub u64);

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

/// The fingerprints of a release's data sources and pipes. Linear, but for stars, of which each is analysed.
pub fn fingerprints(db: &dyn Db, release: &Release<'_>) -> BTreeMap<Key, Fingerprint> {
    let wiring = Wiring::new(release);
    let mut maker = Maker { db, release, wiring: &wiring, done: BTreeMap::new(), open: Vec::new() };
    let keys: Vec<Key> = release.entries.keys().filter(|k| k.space != Space::Connection).cloned().collect();
    keys.into_iter()
        .map(|key| {
            let print = maker.resource(&key);
            (key, print)
        })
        .collect()
}

/// A digest of parts that none of can be mistaken for another.
pub(crate) struct Digester(Sha256);

impl Digester {
    pub(crate) fn new(what: &str) -> Self {
        let mut digester = Self(Sha256::new());
        digester.part(what);
        digester
    }

    pub(crate) fn part(&mut self, text: &str) {
        self.0.update((text.len() as u64).to_le_bytes());
        self.0.update(text.as_bytes());
    }

    pub(crate) fn finish(self) -> Fingerprint {
        let bytes = self.0.finalize();
        Fingerprint(bytes.iter().take(8).fold(0, |n, b| n << 8 | u64::from(*b)))
    }
}

/// Of a table alone, whoever fills it.
pub(crate) fn of_table(table: &Table) -> Fingerprint {
    let mut digest = Digester::new("table");
    let mut columns: Vec<_> = table.columns.iter().collect();
    columns.sort_by(|a, b| a.name.cmp(&b.name));
    for column in columns {
        digest.part(&column.name);
        digest.part(&column.ty);
        digest.part(column.default.as_deref().unwrap_or_default());
        digest.part(column.codec.as_deref().unwrap_or_default());
    }
    let engine = &table.engine;
    digest.part(&engine.name);
    for (name, value) in &engine.arguments {
        digest.part(name);
        digest.part(value);
    }
    for (what, key) in [
        ("sorting", &engine.sorting_key),
        ("partition", &engine.partition_key),
        ("primary", &engine.primary_key),
        ("sampling", &engine.sampling_key),
    ] {
        digest.part(what);
        key.iter().for_each(|part| digest.part(part));
    }
    for (name, value) in engine.settings.iter().filter(|(n, _)| FIXED_SETTINGS.contains(&n.as_str())) {
        digest.part(name);
        digest.part(value);
    }
    digest.finish()
}

struct Maker<'a> {
    db: &'a dyn Db,
    release: &'a Release<'a>,
    wiring: &'a Wiring,
    done: BTreeMap<Key, Fingerprint>,
    open: Vec<Key>,
}

impl Maker<'_> {
    fn resource(&mut self, key: &Key) -> Fingerprint {
        if let Some(known) = self.done.get(key) {
            return *known;
        }
        if self.open.contains(key) {
            // Views in a loop are refused elsewhere; here they only must end.
            let mut digest = Digester::new("loop");
            digest.part(&key.name);
            return digest.finish();
        }
        self.open.push(key.clone());
        let mut digest = Digester::new("resource");
        match self.release.get(key).map(|d| &d.body) {
            Some(Body::Table(table)) => {
                digest.part(&of_table(table).to_string());
                for view in self.wiring.views(self.release, key) {
                    let print = self.node(&view);
                    digest.part(&print.to_string());
                }
            }
            Some(Body::Pipe(pipe)) => {
                for index in 0..pipe.nodes.len() {
                    let print = self.node(&NodeRef { pipe: key.clone(), index });
                    digest.part(&print.to_string());
                }
            }
            _ => {}
        }
        self.open.pop();
        let print = digest.finish();
        self.done.insert(key.clone(), print);
        print
    }

    /// A query: its text, and what the nodes and tables that it is made of hold.
    fn node(&mut self, node: &NodeRef) -> Fingerprint {
        let chain = self.wiring.chain(node);
        let mut digest = Digester::new("node");
        for part in &chain.nodes {
            let Some(entry) = self.release.entries.get(&part.pipe) else { continue };
            digest.part(compiled_sql(self.db, entry.file, part.index));
        }
        for table in &chain.tables {
            digest.part(&table.name);
            let print = self.resource(table);
            digest.part(&print.to_string());
        }
        for foreign in &chain.foreign {
            digest.part(foreign);
        }
        if let Some(own) = self.release.node(node) {
            let kind = match own.ty {
                NodeType::Standard => "",
                NodeType::Endpoint => "endpoint",
                NodeType::Materialized => "materialized",
                NodeType::Copy => "copy",
                NodeType::Sink => "sink",
            };
            digest.part(kind);
            digest.part(own.writes.as_deref().unwrap_or_default());
        }
        digest.finish()
    }
}
