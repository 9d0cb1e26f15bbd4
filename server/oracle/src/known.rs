//! What was asked already.

use std::sync::Arc;

use headwater_analysis::Word;
use rustc_hash::{FxHashMap, FxHashSet};

/// The engine's words by the [fingerprint](headwater_analysis::fingerprint) of the node: for each of its texts one, or none
/// where it has no opinion that counts. A clone is cheap enough for a message.
#[derive(Debug, Clone, Default)]
pub struct Known(FxHashMap<u64, Words>);

/// Of one node.
pub(crate) type Words = Arc<[Option<Word>]>;

impl Known {
    /// How many nodes were asked about.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether none was.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn get(&self, fingerprint: u64) -> Option<&Words> {
        self.0.get(&fingerprint)
    }

    /// Adds what was answered.
    pub fn learn(&mut self, answers: Answers) {
        self.0.extend(answers.0);
    }

    /// Forgets what is about none of these nodes: texts that are gone.
    pub fn keep(&mut self, fingerprints: &FxHashSet<u64>) {
        self.0.retain(|fingerprint, _| fingerprints.contains(fingerprint));
    }
}

/// What came back from one round.
#[derive(Debug, Clone, Default)]
pub struct Answers(pub(crate) FxHashMap<u64, Words>);
