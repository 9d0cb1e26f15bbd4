//! What each function may do: `data/functions.txt`.

use std::sync::OnceLock;

use rustc_hash::FxHashMap;

use super::families;

/// What is decided about a function.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// It makes values from values.
    Allow,
    /// Never, for this reason: "it …".
    Deny(&'static str),
    /// Its first argument has to be a text that names a table which may be read.
    Names,
    /// Its first argument has to be a text that names a format.
    Formats,
    /// Its first argument has to be a text that names an aggregate function which is allowed.
    Aggregates,
    /// Only as an operator.
    Operator,
}

static TEXT: &str = include_str!("../../data/functions.txt");

fn table() -> &'static FxHashMap<&'static str, Decision> {
    static TABLE: OnceLock<FxHashMap<&'static str, Decision>> = OnceLock::new();
    TABLE.get_or_init(|| {
        let decide = |verdict: &str, reason| match verdict {
            "allow" => Decision::Allow,
            "names" => Decision::Names,
            "formats" => Decision::Formats,
            "aggregates" => Decision::Aggregates,
            "operators" => Decision::Operator,
            _ => Decision::Deny(reason),
        };
        families(TEXT).map(|(name, family)| (name, decide(family.verdict, family.reason))).collect()
    })
}

/// What is decided about a function of the catalog, by its canonical name without combinators; `None` where nobody decided yet.
pub fn decision(canonical: &str) -> Option<Decision> {
    table().get(canonical).copied()
}

/// The canonical name of a function as written, and what is decided about it; `None` when the catalog has no such function.
pub fn of_name(written: &str) -> Option<(&'static str, Decision)> {
    // The analyzer makes it from GROUP BY, so the engine's list of functions, and with it the catalog, has no such entry.
    if written.eq_ignore_ascii_case("grouping") {
        return Some(("grouping", Decision::Allow));
    }
    let function = headwater_catalog::find(written)?;
    let base = function.base();
    Some((base, decision(base).unwrap_or(Decision::Deny("nobody has looked at it yet"))))
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn every_function_of_the_catalog_is_decided_once() {
        let decided: Vec<_> = families(TEXT).map(|(name, _)| name).collect();
        let names: HashSet<_> = decided.iter().copied().collect();
        assert_eq!(decided.len(), names.len(), "a function stands in two families");
        let known: HashSet<_> = headwater_catalog::function_names()
            .filter_map(|name| headwater_catalog::find(name).map(|f| f.base()))
            .collect();
        let open: Vec<_> = known.difference(&names).collect();
        assert!(
            open.is_empty(),
            "nobody decided about {open:?}: put them into a family of data/functions.txt"
        );
        let gone: Vec<_> = names.difference(&known).collect();
        assert!(gone.is_empty(), "the catalog does not have {gone:?}");
    }

    #[test]
    fn families_have_reasons_and_known_verdicts() {
        for (name, family) in families(TEXT) {
            assert!(!family.reason.is_empty(), "{name}");
            assert!(
                ["allow", "deny", "names", "formats", "aggregates", "operators"].contains(&family.verdict),
                "{name}: {}",
                family.verdict
            );
        }
    }

    #[test]
    fn combinators_and_aliases_follow_their_function() {
        assert_eq!(of_name("sumIfState"), Some(("sum", Decision::Allow)));
        assert_eq!(of_name("hostname").map(|(name, _)| name), Some("hostName"));
        assert!(matches!(of_name("aggThrowIf"), Some((_, Decision::Deny(_)))));
        assert_eq!(of_name("noSuchFunction"), None);
    }
}
