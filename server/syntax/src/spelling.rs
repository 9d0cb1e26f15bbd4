//! Slips of the pen: which known word was meant.

/// The candidate nearest to `word`, if it is near enough to be a slip: at most one edit in three characters.
pub fn nearest<'c>(word: &str, candidates: impl IntoIterator<Item = &'c str>) -> Option<&'c str> {
    if word.len() > MAX_SLIP {
        return None;
    }
    let word = word.to_lowercase();
    let limit = word.chars().count().div_ceil(3).min(3);
    let distances = candidates.into_iter().map(|c| (edits(&word, &c.to_lowercase(), limit), c));
    distances.filter(|(d, c)| *d <= limit && *d < c.chars().count()).min().map(|(_, c)| c)
}

/// A longer word, in bytes, is no slip of a name: names end at 255 characters in most file systems.
const MAX_SLIP: usize = 256;

/// Edit distance with adjacent swaps, giving up above `limit`. O(|a|·|b|).
fn edits(a: &str, b: &str, limit: usize) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    if a.len().abs_diff(b.len()) > limit {
        return usize::MAX;
    }
    let mut rows: [Vec<usize>; 3] = [vec![0; b.len() + 1], (0..=b.len()).collect(), vec![0; b.len() + 1]];
    for i in 1..=a.len() {
        rows[2][0] = i;
        for j in 1..=b.len() {
            let cost = usize::from(a[i - 1] != b[j - 1]);
            let mut best = (rows[1][j] + 1).min(rows[2][j - 1] + 1).min(rows[1][j - 1] + cost);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                best = best.min(rows[0][j - 2] + 1);
            }
            rows[2][j] = best;
        }
        rows.rotate_left(1);
    }
    rows[1][b.len()]
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn a_slip_is_recognised_and_a_different_word_is_not() {
        assert_eq!(nearest("evnets", ["events", "events_mv"]), Some("events"));
        assert_eq!(nearest("TYP", ["TYPE", "TAGS"]), Some("TYPE"));
        assert_eq!(nearest("a", ["b"]), None);
        assert_eq!(nearest("orders", ["customers"]), None);
    }
}
