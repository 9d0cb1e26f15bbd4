//! Outcomes as texts: what differs, and the test file that expects what came.

use std::fmt::Write as _;

use headwater_analysis::{File, TextRange, TextSize};
use headwater_engine::run::Status;
use headwater_engine::suite::{Expectation, updated};
use headwater_ide::TextEdit;

use super::Known;
use crate::snapshot::Snapshot;

/// The edit with which these tests of a file expect what came back; `None` when nothing did.
pub(crate) fn accepted(snapshot: &Snapshot, file: File, numbers: &[usize]) -> Option<TextEdit> {
    let tests = super::tests(&snapshot.db, file);
    let outcomes = snapshot.outcomes(file);
    let new = numbers.iter().filter_map(|n| {
        let case = tests.get(*n)?.case.as_ref().ok()?;
        let known = outcomes.get(*n)?.1.as_ref().filter(|known| known.status == Status::Failed)?;
        let (body, status) = known.actual.as_ref()?;
        Some(Expectation { index: case.index, result: body.clone(), status: *status })
    });
    let new: Vec<Expectation> = new.collect();
    if new.is_empty() {
        return None;
    }
    let text = file.text(&snapshot.db);
    changed(&text, &updated(&text, &new)?)
}

/// The lines that two texts do not share at their ends.
fn changed(old: &str, new: &str) -> Option<TextEdit> {
    if old == new {
        return None;
    }
    let common = |a: &mut dyn Iterator<Item = &str>, b: &mut dyn Iterator<Item = &str>| -> usize {
        a.zip(b).take_while(|(a, b)| a == b).map(|(a, _)| a.len()).sum()
    };
    let start = common(&mut old.split_inclusive('\n'), &mut new.split_inclusive('\n'));
    let end =
        common(&mut old[start..].split_inclusive('\n').rev(), &mut new[start..].split_inclusive('\n').rev());
    let at = |n: usize| TextSize::from(u32::try_from(n).unwrap_or(u32::MAX));
    Some(TextEdit {
        range: TextRange::new(at(start), at(old.len() - end)),
        text: new[start..new.len() - end].to_owned(),
        annotation: None,
    })
}

/// Lines around a change that a difference shows.
const AROUND: usize = 3;

/// Lines that are compared; of longer texts only the parts that the comparison named are shown.
const COMPARED: usize = 5_000;

/// What a document about an outcome says, in the language of differences.
pub(crate) fn shown(id: &str, known: &Known) -> String {
    let mut out = format!("# {id}: {}", known.status.name());
    let _ = writeln!(out, " ({:.1} ms)", known.elapsed.as_secs_f64() * 1e3);
    for line in known.detail.lines() {
        let _ = writeln!(out, "# {line}");
    }
    for note in &known.notes {
        let _ = writeln!(out, "# note: {note}");
    }
    let (Some(expected), Some((actual, _))) = (&known.expected, &known.actual) else { return out };
    if known.status != Status::Failed {
        return out;
    }
    out.push_str("--- expected\n+++ got\n");
    let (a, b): (Vec<&str>, Vec<&str>) = (expected.lines().collect(), actual.lines().collect());
    if a.len().max(b.len()) > COMPARED {
        for part in known.difference.iter().flat_map(|difference| &difference.parts) {
            for (sign, text) in [('-', &part.expected), ('+', &part.actual)] {
                for line in text.iter().flat_map(|text| text.lines()) {
                    let _ = writeln!(out, "{sign}{line}");
                }
            }
        }
        return out;
    }
    hunks(&a, &b, &mut out);
    out
}

/// Lines of two texts, those that are equal only around those that are not.
fn hunks(a: &[&str], b: &[&str], out: &mut String) {
    let pairs = aligned(a, b);
    let is_same = |n: usize| matches!(pairs[n], (Some(_), Some(_)));
    let mut n = 0;
    while n < pairs.len() {
        if is_same(n) {
            n += 1;
            continue;
        }
        let start = n.saturating_sub(AROUND);
        // The hunk goes on while changes lie close to each other.
        let mut end = n;
        let mut calm = 0;
        while end < pairs.len() && calm <= 2 * AROUND {
            calm = if is_same(end) { calm + 1 } else { 0 };
            end += 1;
        }
        let end = end - calm.saturating_sub(AROUND);
        let first = |side: &dyn Fn(&(Option<usize>, Option<usize>)) -> Option<usize>| {
            pairs[start..].iter().find_map(side).map_or(0, |n| n + 1)
        };
        let count = |side: &dyn Fn(&(Option<usize>, Option<usize>)) -> Option<usize>| {
            pairs[start..end].iter().filter_map(side).count()
        };
        let (old, new) = (|pair: &(Option<usize>, _)| pair.0, |pair: &(_, Option<usize>)| pair.1);
        let _ = writeln!(out, "@@ -{},{} +{},{} @@", first(&old), count(&old), first(&new), count(&new));
        for pair in &pairs[start..end] {
            let _ = match pair {
                (Some(n), Some(_)) => writeln!(out, " {}", a[*n]),
                (Some(n), None) => writeln!(out, "-{}", a[*n]),
                (None, Some(n)) => writeln!(out, "+{}", b[*n]),
                (None, None) => Ok(()),
            };
        }
        n = end;
    }
}

/// Both texts line by line: equal lines together, in order. What lies between the ends that are equal is aligned by the longest
/// common subsequence while that is small, and taken as a whole otherwise.
fn aligned(a: &[&str], b: &[&str]) -> Vec<(Option<usize>, Option<usize>)> {
    /// Cells of the table.
    const MOST: usize = 1_000_000;
    let start = a.iter().zip(b).take_while(|(a, b)| a == b).count();
    let end = a[start..].iter().rev().zip(b[start..].iter().rev()).take_while(|(a, b)| a == b).count();
    let (rows, columns) = (a.len() - start - end, b.len() - start - end);
    let mut out: Vec<_> = (0..start).map(|n| (Some(n), Some(n))).collect();
    if rows * columns > MOST {
        out.extend((start..start + rows).map(|n| (Some(n), None)));
        out.extend((start..start + columns).map(|n| (None, Some(n))));
    } else {
        // longest[i][j]: of what lies behind row i and column j.
        let mut longest = vec![vec![0_u32; columns + 1]; rows + 1];
        for i in (0..rows).rev() {
            for j in (0..columns).rev() {
                longest[i][j] = if a[start + i] == b[start + j] {
                    longest[i + 1][j + 1] + 1
                } else {
                    longest[i + 1][j].max(longest[i][j + 1])
                };
            }
        }
        let (mut i, mut j) = (0, 0);
        while i < rows || j < columns {
            if i < rows && j < columns && a[start + i] == b[start + j] {
                out.push((Some(start + i), Some(start + j)));
                (i, j) = (i + 1, j + 1);
            } else if j >= columns || i < rows && longest[i + 1][j] >= longest[i][j + 1] {
                out.push((Some(start + i), None));
                i += 1;
            } else {
                out.push((None, Some(start + j)));
                j += 1;
            }
        }
    }
    out.extend((0..end).map(|n| (Some(a.len() - end + n), Some(b.len() - end + n))));
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn diff(a: &str, b: &str) -> String {
        let mut out = String::new();
        let (a, b): (Vec<&str>, Vec<&str>) = (a.lines().collect(), b.lines().collect());
        hunks(&a, &b, &mut out);
        out
    }

    #[test]
    fn differences_show_what_is_around_them() {
        assert_eq!(diff("1\n2\n3", "1\nx\n3"), "@@ -1,3 +1,3 @@\n 1\n-2\n+x\n 3\n");
        assert_eq!(diff("1\n2", "1\n2"), "");
        assert_eq!(diff("", "a"), "@@ -0,0 +1,1 @@\n+a\n");
        let long: Vec<String> = (0..30).map(|n| n.to_string()).collect();
        let mut other = long.clone();
        other[2] = "x".to_owned();
        other.remove(20);
        assert_eq!(
            diff(&long.join("\n"), &other.join("\n")),
            "@@ -1,6 +1,6 @@\n 0\n 1\n-2\n+x\n 3\n 4\n 5\n@@ -18,7 +18,6 @@\n 17\n 18\n 19\n-20\n 21\n 22\n 23\n"
        );
    }

    #[test]
    fn an_edit_holds_the_lines_that_change() {
        let edit = changed("a\nb\nc\n", "a\nx\ny\nc\n").expect("a change");
        assert_eq!((u32::from(edit.range.start()), u32::from(edit.range.end())), (2, 4));
        assert_eq!(edit.text, "x\ny\n");
        assert_eq!(changed("a\n", "a\n"), None);
        let edit = changed("a\na\n", "a\na\na\n").expect("a change");
        assert_eq!((edit.range.is_empty(), edit.text.as_str()), (true, "a\n"));
    }
}
