//! Statements with one token wrong, to see whether we find the same faults as the engine.

use super::tokens::{Kind, tokens};

/// A broken statement.
pub(super) struct Mutant {
    pub(super) sql: String,
    /// Byte where it was broken.
    pub(super) at: usize,
    /// What was done.
    pub(super) operation: &'static str,
}

/// A small generator of numbers (SplitMix64): the same seed gives the same mutants everywhere.
pub(super) struct Random(pub(super) u64);

impl Random {
    /// A number below `n`, which must not be 0.
    pub(super) fn below(&mut self, n: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (usize::try_from(z >> 33).unwrap_or(0)) % n
    }
}

/// Deletes, duplicates, swaps or replaces one token. `None` for a statement without tokens.
pub(super) fn mutate(sql: &str, random: &mut Random) -> Option<Mutant> {
    const REPLACEMENTS: [&str; 16] =
        ["(", ")", ",", "[", "]", ".", "=", "SELECT", "FROM", "WHERE", "AS", "AND", "x", "1", "'s'", "::"];
    let all = tokens(sql);
    let solid: Vec<_> = all.iter().filter(|(kind, _)| *kind != Kind::Space).map(|(_, r)| r.clone()).collect();
    if solid.is_empty() {
        return None;
    }
    let n = random.below(solid.len());
    let token = solid[n].clone();
    let (head, text, tail) = (&sql[..token.start], &sql[token.clone()], &sql[token.end..]);
    let (operation, sql) = match random.below(4) {
        0 => ("delete", format!("{head} {tail}")),
        1 => ("duplicate", format!("{head}{text} {text}{tail}")),
        2 => {
            let next = solid.get(n + 1)?.clone();
            let between = &sql[token.end..next.start];
            ("swap", format!("{head}{}{between} {text}{}", &sql[next.clone()], &sql[next.end..]))
        }
        _ => {
            let other = REPLACEMENTS[random.below(REPLACEMENTS.len())];
            ("replace", format!("{head} {other} {tail}"))
        }
    };
    Some(Mutant { sql, at: token.start, operation })
}

/// How many tokens lie between two bytes of a statement.
pub(super) fn distance(sql: &str, a: usize, b: usize) -> usize {
    let (from, to) = (a.min(b), a.max(b));
    tokens(sql).iter().filter(|(kind, r)| *kind != Kind::Space && r.start >= from && r.start < to).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mutants_repeat_with_their_seed_and_know_their_place() {
        let sql = "SELECT a, b FROM t";
        let some = |seed| {
            let mut random = Random(seed);
            (0..50).filter_map(|_| mutate(sql, &mut random)).map(|m| m.sql).collect::<Vec<_>>()
        };
        assert_eq!(some(1), some(1));
        assert_ne!(some(1), some(2));
        assert_eq!(distance(sql, 0, sql.len()), 6);
        assert_eq!(distance(sql, 9, 7), 2);
        assert!(mutate(" -- nothing", &mut Random(1)).is_none());
    }
}
