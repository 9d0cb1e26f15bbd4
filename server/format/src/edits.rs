//! The difference of a text and its layout as few small edits, so that cursors and folds stay where they are.

use headwater_syntax::TextRange;

use crate::glue::is_space;

/// A replacement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edit {
    /// What goes.
    pub range: TextRange,
    /// What comes.
    pub text: String,
}

/// Edits that make `new` of `old`, in order, none overlapping another. Linear.
///
/// Both are almost the same but for blanks, so the texts are walked in step: where blanks differ they are replaced, and
/// where a word differs (a directive's case) the word is. Texts that part ways otherwise are replaced from there to where
/// they end alike.
pub fn edits(old: &str, new: &str) -> Vec<Edit> {
    let mut out: Vec<Edit> = Vec::new();
    let (mut at, mut to) = (0, 0);
    loop {
        let (blanks, new_blanks) = (blank_len(&old[at..]), blank_len(&new[to..]));
        replace(&mut out, old, at, at + blanks, &new[to..to + new_blanks]);
        at += blanks;
        to += new_blanks;
        let (word, new_word) = (word_len(&old[at..]), word_len(&new[to..]));
        if word == 0 && new_word == 0 {
            return out;
        }
        let (mut word, mut new_word) = (word, new_word);
        let (text, new_text) = (&old[at..at + word], &new[to..to + new_word]);
        // `a,b` becomes `a, b`: one text has a blank where the other goes on.
        let same = text.bytes().zip(new_text.bytes()).take_while(|(a, b)| a.eq_ignore_ascii_case(b)).count();
        if same == 0 || same < word.min(new_word) {
            let same = floor(text, new_text, same);
            let (at, to) = (at + same, to + same);
            let tail = common_end(&old[at..], &new[to..]);
            replace(&mut out, old, at, old.len() - tail, &new[to..new.len() - tail]);
            return out;
        }
        word = same;
        new_word = same;
        replace(&mut out, old, at, at + word, &new[to..to + new_word]);
        at += word;
        to += new_word;
    }
}

/// The longest common start that is no longer than `same` and ends between characters of both.
fn floor(one: &str, other: &str, mut same: usize) -> usize {
    while !(one.is_char_boundary(same) && other.is_char_boundary(same)) {
        same -= 1;
    }
    same
}

fn common_end(one: &str, other: &str) -> usize {
    let same = one.chars().rev().zip(other.chars().rev()).take_while(|(a, b)| a == b);
    same.map(|(c, _)| c.len_utf8()).sum()
}

fn replace(out: &mut Vec<Edit>, old: &str, start: usize, end: usize, new: &str) {
    let text = &old[start..end];
    if text == new {
        return;
    }
    // Only what differs: a line break that stays keeps what hangs on it.
    let first = text.bytes().zip(new.bytes()).take_while(|(a, b)| a == b).count();
    let first = floor(text, new, first);
    let last = common_end(&text[first..], &new[first..]);
    out.push(Edit {
        range: headwater_syntax::range(start + first, end - last),
        text: new[first..new.len() - last].to_owned(),
    });
}

fn blank_len(text: &str) -> usize {
    text.find(|c: char| !is_space(c)).unwrap_or(text.len())
}

fn word_len(text: &str) -> usize {
    text.find(is_space).unwrap_or(text.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(old: &str, new: &str, count: usize) {
        let edits = edits(old, new);
        let mut text = old.to_owned();
        for edit in edits.iter().rev() {
            text.replace_range(std::ops::Range::<usize>::from(edit.range), &edit.text);
        }
        assert_eq!(text, new, "{edits:?}");
        assert_eq!(edits.len(), count, "{edits:?}");
        let apart = edits.windows(2).all(|pair| pair[0].range.end() <= pair[1].range.start());
        assert!(apart, "{edits:?}");
    }

    #[test]
    fn edits_are_small_and_exact() {
        check("SELECT a,b\nFROM  t", "SELECT a, b\nFROM t", 2);
        check("type endpoint\n\n", "TYPE endpoint\n", 2);
        check("a\n\n\n  b", "a\n\n    b", 1);
        check("f( a )", "f(a)", 2);
        check("é  ü", "é ü", 1);
        check("same", "same", 0);
        check("", "", 0);
        check("abc def x", "abc dxf x", 1);
        check("a", "", 1);
    }
}
