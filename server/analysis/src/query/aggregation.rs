//! `GROUP BY`: which columns may stand outside of aggregate functions, and where these may stand.

use rustc_hash::FxHashSet;

use super::FaultKind;
use super::scope::{Analyzer, Term, TermKind};

/// What decides about it, gathered from the clauses.
#[derive(Debug, Default)]
pub(super) struct Grouping {
    /// Whether there is a `GROUP BY`.
    pub(super) is_grouped: bool,
    /// `GROUP BY ALL`: what is no aggregate is a key.
    pub(super) is_all: bool,
    pub(super) keys: Vec<Term>,
    pub(super) selected: Vec<Term>,
    /// Of `HAVING`, `ORDER BY` and the like.
    pub(super) others: Vec<Term>,
    /// Conditions that see rows before they are grouped, with their clause.
    pub(super) before: Vec<(Term, &'static str)>,
}

impl Analyzer<'_> {
    pub(super) fn check_grouping(&mut self, grouping: &Grouping) {
        for (condition, clause) in &grouping.before {
            self.no_aggregates(*condition, clause);
        }
        for key in &grouping.keys {
            self.no_aggregates(*key, "GROUP BY");
        }
        let roots = || grouping.selected.iter().chain(&grouping.others).copied();
        for root in roots() {
            self.no_nested_aggregates(root);
        }
        let is_aggregated = grouping.is_grouped
            || roots().any(|root| self.find(root, &|t| matches!(t, TermKind::Aggregate(_))).is_some());
        if !is_aggregated || grouping.is_all {
            return;
        }
        // A key of which nothing is known may be anything that is selected.
        if grouping.keys.iter().any(|key| self.find(*key, &|t| *t == TermKind::Unknown).is_some()) {
            return;
        }
        let keys: FxHashSet<u64> = grouping.keys.iter().map(|key| self.key(*key)).collect();
        for root in roots() {
            self.check_grouped(root, &keys);
        }
    }

    /// Reports the first column that is neither a key nor in an aggregate.
    fn check_grouped(&mut self, root: Term, keys: &FxHashSet<u64>) {
        let mut todo = vec![root];
        let mut seen = FxHashSet::default();
        while let Some(term) = todo.pop() {
            let data = &self.terms[term.0];
            if !seen.insert(term) || keys.contains(&data.key) {
                continue;
            }
            match &data.kind {
                TermKind::Unknown | TermKind::Constant | TermKind::Aggregate(_) => {}
                TermKind::Column(name) => {
                    let kind = FaultKind::NotGrouped { name: name.clone() };
                    let range = data.range;
                    self.fault(range, kind);
                    return;
                }
                TermKind::Call | TermKind::Window => todo.extend(data.children.iter().rev()),
            }
        }
    }

    fn no_aggregates(&mut self, root: Term, place: &str) {
        if let Some(term) = self.find(root, &|t| matches!(t, TermKind::Aggregate(_))) {
            self.misplaced(term, place);
        }
    }

    fn no_nested_aggregates(&mut self, root: Term) {
        if self.terms[root.0].children.is_empty() {
            return;
        }
        let mut todo = vec![root];
        let mut seen = FxHashSet::default();
        while let Some(term) = todo.pop() {
            let data = &self.terms[term.0];
            if data.children.is_empty() || !seen.insert(term) {
                continue;
            }
            if let TermKind::Aggregate(outer) = &data.kind {
                let outer = outer.clone();
                for child in data.children.clone() {
                    self.no_aggregates(child, &outer);
                }
            } else {
                todo.extend(&data.children);
            }
        }
    }

    fn misplaced(&mut self, term: Term, place: &str) {
        let data = &self.terms[term.0];
        if let TermKind::Aggregate(function) = &data.kind {
            let kind = FaultKind::MisplacedAggregate { function: function.clone(), place: place.to_owned() };
            self.fault(data.range, kind);
        }
    }

    /// The first term of a kind, not looking into windows' own calls.
    pub(super) fn find(&self, root: Term, is_it: &dyn Fn(&TermKind) -> bool) -> Option<Term> {
        // Most are a column or a value.
        if self.terms[root.0].children.is_empty() {
            return is_it(&self.terms[root.0].kind).then_some(root);
        }
        let mut todo = vec![root];
        let mut seen = FxHashSet::default();
        while let Some(term) = todo.pop() {
            let data = &self.terms[term.0];
            // One without parts costs no more the second time than to know that it was there.
            if !data.children.is_empty() && !seen.insert(term) {
                continue;
            }
            if is_it(&data.kind) {
                return Some(term);
            }
            todo.extend(data.children.iter().rev());
        }
        None
    }
}
