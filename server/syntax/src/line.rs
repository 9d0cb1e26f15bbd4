//! Physical lines, and the words of a directive line.
//!
//! The word rules are those of a shell-like tokenizer in non-POSIX mode (`datafile` lines look like shell lines but
//! are not): quotes open a run only at the start of a word, the closing quote ends the word, a backslash is an
//! ordinary character, and `#` outside quotes cuts the line even in the middle of a word.

use text_size::TextRange;

use crate::range;

/// One physical line without its terminator.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Line {
    /// Content, without the line break.
    pub range: TextRange,
    /// Offset just behind the line break (or the end of the text).
    pub next: u32,
}

/// Splits on LF, CRLF and CR only. U+2028 and friends are content: the language server protocol splits the same
/// way, and a position must mean one thing everywhere.
pub fn lines(text: &str) -> impl Iterator<Item = Line> + '_ {
    let bytes = text.as_bytes();
    let mut start = 0;
    std::iter::from_fn(move || {
        if start >= bytes.len() {
            return None;
        }
        let end =
            bytes[start..].iter().position(|b| matches!(b, b'\n' | b'\r')).map_or(bytes.len(), |n| start + n);
        let next = match bytes.get(end) {
            Some(b'\r') if bytes.get(end + 1) == Some(&b'\n') => end + 2,
            Some(_) => end + 1,
            None => end,
        };
        let line = Line { range: range(start, end), next: u32::from(range(0, next).end()) };
        start = next;
        Some(line)
    })
}

/// The words of one line.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Words {
    /// Words in order, quotes included, as byte ranges of the whole text.
    pub words: Vec<TextRange>,
    /// From the `#` that starts a comment to the end of the line.
    pub comment: Option<TextRange>,
    /// The line has a word-initial quote that is never closed. The format then takes the whole line as one word,
    /// so its directive is not recognised; `words` holds that one word.
    pub unclosed_quote: Option<TextRange>,
}

/// Splits `text[line]` into words. Linear in the line's length.
pub fn words(text: &str, line: TextRange) -> Words {
    let offset = usize::from(line.start());
    let content = &text[line];
    let mut out = Words::default();
    if !content.contains(['"', '\'', '\\', '#']) {
        let base = content.as_ptr() as usize;
        for word in content.split_whitespace() {
            let start = offset + (word.as_ptr() as usize - base);
            out.words.push(range(start, start + word.len()));
        }
        return out;
    }
    let mut chars = content.char_indices().peekable();
    while let Some((at, c)) = chars.next() {
        match c {
            c if c.is_whitespace() => {}
            '#' => {
                out.comment = Some(range(offset + at, offset + content.len()));
                return out;
            }
            '"' | '\'' => match content[at + 1..].find(c) {
                Some(len) => {
                    let end = at + 1 + len + 1;
                    out.words.push(range(offset + at, offset + end));
                    while chars.next_if(|(n, _)| *n < end).is_some() {}
                }
                None => {
                    out.unclosed_quote = Some(range(offset + at, offset + content.len()));
                    out.words = vec![range(offset, offset + content.len())];
                    return out;
                }
            },
            _ => {
                let mut end = at + c.len_utf8();
                while let Some((n, c)) = chars.next_if(|(_, c)| !c.is_whitespace()) {
                    if c == '#' {
                        out.words.push(range(offset + at, offset + n));
                        out.comment = Some(range(offset + n, offset + content.len()));
                        return out;
                    }
                    end = n + c.len_utf8();
                }
                out.words.push(range(offset + at, offset + end));
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split(text: &str) -> (Vec<&str>, Option<&str>) {
        let words = words(text, range(0, text.len()));
        (words.words.iter().map(|r| &text[*r]).collect(), words.comment.map(|r| &text[r]))
    }

    #[test]
    fn words_follow_the_shell_like_rules() {
        assert_eq!(split("  SQL >  "), (vec!["SQL", ">"], None));
        assert_eq!(split("KAFKA_TOPIC a#b c"), (vec!["KAFKA_TOPIC", "a"], Some("#b c")));
        assert_eq!(split("X 'a#b'"), (vec!["X", "'a#b'"], None));
        assert_eq!(split("it's plain"), (vec!["it's", "plain"], None));
        assert_eq!(split(r#""a"b c\d"#), (vec!["\"a\"", "b", "c\\d"], None));
        assert_eq!(split("# whole"), (vec![], Some("# whole")));
        assert_eq!(split("a 'b"), (vec!["a 'b"], None));
        assert_eq!(split("a 'b'c'd' é# x"), (vec!["a", "'b'", "c'd'", "é"], Some("# x")));
        assert_eq!(split("x 'y' z"), (vec!["x", "'y'", "z"], None));
    }

    #[test]
    fn lines_break_on_lf_crlf_and_cr_only() {
        let text = "a\r\nb\rc\u{2028}d\n\ne";
        let got: Vec<_> = lines(text).map(|l| &text[l.range]).collect();
        assert_eq!(got, ["a", "b", "c\u{2028}d", "", "e"]);
        assert_eq!(lines("").count(), 0);
    }
}
