//! What the real engine said of queries: an input, like texts are.
//!
//! An opinion is about one text of a node's query over certain tables. It names the [`fingerprint`] of what it was formed
//! on, and counts as long as that is the node's: nobody has to take it back when something is edited, and one that
//! arrives late does no harm.

mod place;

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use headwater_syntax::FileKind;

use crate::db::Db;
use crate::facts::interface;
use crate::flow::output_node;
use crate::inputs::File;
use crate::parse::node_sqls;
use crate::scope::{Resolution, names, resolve};

pub(crate) use place::{has_names, place, short};

/// What the engine said of one text of one node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Opinion {
    /// Of the node when it was asked about.
    pub fingerprint: u64,
    /// Which of the node's [renderings](crate::semantics::node_renderings).
    pub rendering: usize,
    /// What it said.
    pub word: Word,
}

/// The engine's word.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Word {
    /// It takes the query.
    Takes,
    /// It refuses it, in these words.
    Refuses(Arc<str>),
}

/// A number that is another one when anything is that the engine's opinion of the node may depend on: its own text, the
/// texts of the nodes it reads, the schemas of the data sources behind them. 0 for a node that reads itself.
///
/// Depends on everything upstream, so nothing that a keystroke waits for asks for it where there are no opinions.
#[salsa::tracked(returns(copy), cycle_result = no_fingerprint)]
pub fn fingerprint(db: &dyn Db, file: File, node: usize) -> u64 {
    let mut hasher = DefaultHasher::new();
    let (Some(face), Some(sql)) = (interface(db, file), node_sqls(db, file).get(node)) else { return 0 };
    sql.text(db).hash(&mut hasher);
    let names = names(db, file.project(db));
    let reads = face.nodes.get(node).map_or(&[][..], |n| n.reads.as_slice());
    for read in reads {
        read.hash(&mut hasher);
        let upstream = match resolve(names, Some((face, node)), read) {
            Resolution::Node(n) => fingerprint(db, file, n),
            Resolution::Resource(f) => resource_fingerprint(db, f),
            _ => 1,
        };
        // Whoever reads in circles is in no order of its own.
        if upstream == 0 {
            return 0;
        }
        upstream.hash(&mut hasher);
    }
    hasher.finish().max(2)
}

fn no_fingerprint(_: &dyn Db, _: salsa::Id, _: File, _: usize) -> u64 {
    0
}

#[salsa::tracked(returns(copy), cycle_result = no_resource_fingerprint)]
fn resource_fingerprint(db: &dyn Db, file: File) -> u64 {
    let Some(face) = interface(db, file) else { return 0 };
    if face.kind == FileKind::Pipe {
        return output_node(face).map_or(0, |node| fingerprint(db, file, node));
    }
    let mut hasher = DefaultHasher::new();
    face.name.hash(&mut hasher);
    for column in &face.columns {
        (&column.name, &column.ty, &column.default).hash(&mut hasher);
    }
    if let Some(engine) = &face.engine {
        (&engine.name, &engine.sorting_key).hash(&mut hasher);
    }
    face.connection.is_some().hash(&mut hasher);
    hasher.finish().max(2)
}

fn no_resource_fingerprint(_: &dyn Db, _: salsa::Id, _: File) -> u64 {
    0
}

/// What the engine says of a node's texts, where it was asked about them as they are.
pub(crate) struct Heard<'db> {
    opinions: Vec<&'db Opinion>,
}

impl<'db> Heard<'db> {
    /// Of the node with this index. Costs nothing for a file without opinions.
    pub(crate) fn of(db: &'db dyn Db, file: File, node: usize) -> Self {
        let all = file.opinions(db);
        if all.is_empty() {
            return Self { opinions: Vec::new() };
        }
        let own = fingerprint(db, file, node);
        Self { opinions: all.iter().filter(|o| own != 0 && o.fingerprint == own).collect() }
    }

    /// Of the text with this number.
    pub(crate) fn word(&self, rendering: usize) -> Option<&'db Word> {
        self.opinions.iter().find(|o| o.rendering == rendering).map(|o| &o.word)
    }

    /// Every refusal.
    pub(crate) fn refusals(&self) -> impl Iterator<Item = (usize, &'db str)> {
        self.opinions.iter().filter_map(|o| match &o.word {
            Word::Refuses(words) => Some((o.rendering, words.as_ref())),
            Word::Takes => None,
        })
    }
}
