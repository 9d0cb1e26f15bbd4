//! What is compared of two trees: the functions, tables and identifiers of a statement, as bags.

use std::collections::BTreeMap;

use super::desugar::FOLDED;

/// What something is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    Function,
    Table,
    Identifier,
}

/// A bag of names.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(super) struct Items(BTreeMap<(Kind, String), usize>);

impl Items {
    /// Adds one. Functions are compared without regard to case, as the engine finds them.
    pub(super) fn add(&mut self, kind: Kind, name: &str) {
        if kind == Kind::Function && FOLDED.iter().any(|f| f.eq_ignore_ascii_case(name)) {
            return;
        }
        let name = if kind == Kind::Function { name.to_ascii_lowercase() } else { name.to_owned() };
        *self.0.entry((kind, name)).or_default() += 1;
    }

    /// What `self` has more of than `other`, as text; empty when all of it is in `other`.
    ///
    /// With `as_sets` how often something occurs does not count.
    pub(super) fn beyond(&self, other: &Self, as_sets: bool) -> Vec<String> {
        let more = |(key, count): (&(Kind, String), &usize)| {
            let there = other.0.get(key).copied().unwrap_or(0);
            let differs = if as_sets { there == 0 } else { *count > there };
            differs.then(|| format!("{:?} {}", key.0, key.1))
        };
        self.0.iter().filter_map(more).collect()
    }
}
