//! Slips of the pen: which known word was meant.

/// The candidate nearest to `word`, if it is near enough to be a slip: at most one edit in three characters. Candidates may
/// be all names of a large project: what is far away is put aside after a few characters.
pub fn nearest<'c>(word: &str, candidates: impl IntoIterator<Item = &'c str>) -> Option<&'c str> {
    if word.len() > MAX_SLIP {
        return None;
    }
    let set = letters(word);
    let word: Vec<char> = word.chars().flat_map(char::to_lowercase).collect();
    let mut limit = word.len().div_ceil(3).min(MAX_EDITS);
    let mut edits = Edits::default();
    let mut best: Option<(usize, &str)> = None;
    for candidate in candidates {
        // An edit removes or adds one character at most: most words are put aside by the characters that they do not share.
        let theirs = letters(candidate);
        if (set & !theirs).count_ones().max((theirs & !set).count_ones()) as usize > limit {
            continue;
        }
        let Some(distance) = edits.within(limit, &word, candidate) else { continue };
        if distance < candidate.chars().count() && best.is_none_or(|found| (distance, candidate) < found) {
            best = Some((distance, candidate));
            limit = distance;
        }
    }
    best.map(|(_, candidate)| candidate)
}

/// Whether two words differ by one edit: a letter more, less, another, or two swapped.
pub fn is_slip(one: &str, other: &str) -> bool {
    let word: Vec<char> = one.chars().flat_map(char::to_lowercase).collect();
    one.len().max(other.len()) <= MAX_SLIP && Edits::default().within(1, &word, other) == Some(1)
}

/// A longer word, in bytes, is no slip of a name: names end at 255 characters in most file systems.
const MAX_SLIP: usize = 256;

/// More edits than this are another word.
const MAX_EDITS: usize = 3;

/// The characters of a word as a set of 64 bits, upper and lower case alike. Several may share a bit.
fn letters(word: &str) -> u64 {
    if word.is_ascii() {
        return word.bytes().fold(0, |set, b| set | 1 << (b.to_ascii_lowercase() % 64));
    }
    word.chars().flat_map(char::to_lowercase).fold(0, |set, c| set | 1 << (u32::from(c) % 64))
}

/// The memory of a comparison, kept from one to the next.
#[derive(Default)]
struct Edits {
    other: Vec<char>,
    rows: [Vec<usize>; 3],
}

impl Edits {
    /// Edit distance with adjacent swaps, upper and lower case alike, if it is at most `limit`. O(limit·|word|).
    fn within(&mut self, limit: usize, word: &[char], other: &str) -> Option<usize> {
        self.other.clear();
        self.other.extend(other.chars().flat_map(char::to_lowercase).take(word.len() + limit + 1));
        let (a, b) = (word, self.other.as_slice());
        if a.len().abs_diff(b.len()) > limit {
            return None;
        }
        let far = limit + 1;
        for row in &mut self.rows {
            row.clear();
            row.resize(b.len() + 1, far);
        }
        let [before, last, row] = &mut self.rows;
        for (j, cell) in last.iter_mut().enumerate().take(far) {
            *cell = j;
        }
        for i in 1..=a.len() {
            // Cells further from the diagonal than the limit are above it.
            let (from, to) = (i.saturating_sub(limit).max(1), (i + limit).min(b.len()));
            row.fill(far);
            row[0] = i.min(far);
            let mut least = row[0];
            for j in from..=to {
                let cost = usize::from(a[i - 1] != b[j - 1]);
                let mut cell = (last[j] + 1).min(row[j - 1] + 1).min(last[j - 1] + cost);
                if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                    cell = cell.min(before[j - 2] + 1);
                }
                row[j] = cell.min(far);
                least = least.min(row[j]);
            }
            // A swap reaches back two rows.
            if least > limit && last.iter().all(|cell| *cell > limit) {
                return None;
            }
            std::mem::swap(before, last);
            std::mem::swap(last, row);
        }
        Some(last[b.len()]).filter(|distance| *distance <= limit)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_slip_is_recognised_and_a_different_word_is_not() {
        assert_eq!(nearest("evnets", ["events", "events_mv"]), Some("events"));
        assert_eq!(nearest("TYP", ["TYPE", "TAGS"]), Some("TYPE"));
        assert_eq!(nearest("a", ["b"]), None);
        assert_eq!(nearest("orders", ["customers"]), None);
    }

    /// The distance by its definition, over whole tables.
    fn distance(a: &[char], b: &[char]) -> usize {
        let mut rows = vec![vec![0; b.len() + 1]; a.len() + 1];
        for i in 0..=a.len() {
            for j in 0..=b.len() {
                rows[i][j] = if i == 0 || j == 0 {
                    i + j
                } else {
                    let cost = usize::from(a[i - 1] != b[j - 1]);
                    let mut best =
                        (rows[i - 1][j] + 1).min(rows[i][j - 1] + 1).min(rows[i - 1][j - 1] + cost);
                    if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                        best = best.min(rows[i - 2][j - 2] + 1);
                    }
                    best
                };
            }
        }
        rows[a.len()][b.len()]
    }

    proptest! {
        #[test]
        fn near_the_diagonal_is_near_enough(a in "[abc]{0,8}", b in "[abC]{0,8}", limit in 0..=3usize) {
            let word: Vec<char> = a.chars().collect();
            let other: Vec<char> = b.to_lowercase().chars().collect();
            let exact = distance(&word, &other);
            prop_assert_eq!(Edits::default().within(limit, &word, &b), (exact <= limit).then_some(exact));
            let (ours, theirs) = (letters(&a), letters(&b));
            prop_assert!((ours & !theirs).count_ones().max((theirs & !ours).count_ones()) as usize <= exact);
        }
    }
}
