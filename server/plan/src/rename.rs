//! Which of the resources that are gone came back under another name.

use std::collections::{BTreeMap, BTreeSet};

use crate::release::{Body, Definition, Key, Pipe, Release, Table};

/// The old name by the new one. A pair is made only where each is the other's only match.
pub(crate) fn renamed(
    before: &Release<'_>,
    after: &Release<'_>,
    changed: &BTreeSet<Key>,
) -> BTreeMap<Key, Key> {
    let gone: Vec<&Key> = changed.iter().filter(|k| after.get(k).is_none()).collect();
    let came: Vec<&Key> = changed.iter().filter(|k| before.get(k).is_none()).collect();
    let mut pairs: Vec<(&Key, &Key)> = Vec::new();
    for old in &gone {
        let matches =
            came.iter().filter(|new| new.space == old.space && is_same(before.get(old), after.get(new)));
        pairs.extend(matches.map(|new| (*old, *new)));
    }
    let count = |is: &dyn Fn(&(&Key, &Key)) -> bool| pairs.iter().filter(|p| is(p)).count();
    pairs
        .iter()
        .filter(|(old, new)| count(&|p| p.0 == *old) == 1 && count(&|p| p.1 == *new) == 1)
        .map(|(old, new)| ((*new).clone(), (*old).clone()))
        .collect()
}

fn is_same(old: Option<&Definition>, new: Option<&Definition>) -> bool {
    match (old.map(|d| &d.body), new.map(|d| &d.body)) {
        (Some(Body::Table(old)), Some(Body::Table(new))) => is_same_table(old, new),
        (Some(Body::Pipe(old)), Some(Body::Pipe(new))) => is_same_pipe(old, new),
        (Some(Body::Connection(old)), Some(Body::Connection(new))) => old == new,
        _ => false,
    }
}

/// Most columns are the same, by name and type.
fn is_same_table(old: &Table, new: &Table) -> bool {
    let shared = old.columns.iter().filter(|c| new.column(&c.name).is_some_and(|n| n.ty == c.ty)).count();
    let all = old.columns.len() + new.columns.len() - shared;
    shared > 0 && shared * 5 >= all * 4
}

/// The published query is the same.
fn is_same_pipe(old: &Pipe, new: &Pipe) -> bool {
    let last = |pipe: &Pipe| pipe.output().map(|n| (pipe.nodes[n].sql.clone(), pipe.nodes[n].ty));
    last(old).is_some_and(|l| !l.0.is_empty()) && last(old) == last(new) && old.nodes.len() == new.nodes.len()
}
