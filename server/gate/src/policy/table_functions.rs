//! What may stand in place of a table: `data/table_functions.txt`.

use std::sync::OnceLock;

use rustc_hash::FxHashMap;

use super::families;

static TEXT: &str = include_str!("../../data/table_functions.txt");

/// Longest texts and arrays that `generateRandom` may be asked for.
pub const MOST_RANDOM_LENGTH: i128 = 10_000;

/// Whether a table function is allowed, or why not: "it …". `None` when the catalog has no such table function.
pub fn decision(name: &str) -> Option<Result<(), &'static str>> {
    static TABLE: OnceLock<FxHashMap<&'static str, Result<(), &'static str>>> = OnceLock::new();
    let table = TABLE.get_or_init(|| {
        let decide =
            |family: super::Family| if family.verdict == "allow" { Ok(()) } else { Err(family.reason) };
        families(TEXT).map(|(name, family)| (name, decide(family))).collect()
    });
    table.get(name).copied()
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn every_table_function_of_the_catalog_is_decided_once() {
        let decided: Vec<_> = families(TEXT).map(|(name, _)| name).collect();
        let names: HashSet<_> = decided.iter().copied().collect();
        assert_eq!(decided.len(), names.len());
        let known: HashSet<_> = headwater_catalog::table_functions().iter().map(|f| f.name).collect();
        let open: Vec<_> = known.difference(&names).collect();
        assert!(open.is_empty(), "nobody decided about {open:?}: put them into data/table_functions.txt");
        let gone: Vec<_> = names.difference(&known).collect();
        assert!(gone.is_empty(), "the catalog does not have {gone:?}");
    }
}
