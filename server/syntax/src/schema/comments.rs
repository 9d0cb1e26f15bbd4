//! `-- …` comments, which the format cuts off before it reads anything else.

use super::{SchemaError, SchemaErrorKind};
use crate::range;

/// Replaces `-- …` by spaces, keeping offsets.
pub(super) fn blank_comments(text: &str, errors: &mut Vec<SchemaError>) -> String {
    let mut out = String::with_capacity(text.len());
    for line in text.split_inclusive('\n') {
        let end = line.trim_end_matches('\n').len();
        let cut = comment_start(&line[..end], out.len(), errors).unwrap_or(end);
        out.push_str(&line[..cut]);
        out.extend(std::iter::repeat_n(' ', end - cut));
        out.push_str(&line[end..]);
    }
    out
}

/// Where a comment starts. The format looks for `--` in quotes too, except in a JSONPath; such a column is read as
/// its author meant it, and the fault recorded.
fn comment_start(line: &str, offset: usize, errors: &mut Vec<SchemaError>) -> Option<usize> {
    let mut open: Option<(usize, char)> = None;
    let mut at = 0;
    while let Some(c) = line[at..].chars().next() {
        match open {
            None if matches!(c, '\'' | '"' | '`') => open = Some((at, c)),
            None if line[at..].starts_with("--") => return Some(at),
            Some((_, quote)) if c == quote => open = None,
            Some((start, quote)) if line[at..].starts_with("--") && !line[start..].starts_with("`json:") => {
                let Some(len) = line[at..].find(quote) else { return Some(at) };
                let range = range(offset + at, offset + at + len);
                errors.push(SchemaError { range, kind: SchemaErrorKind::CommentInQuotes(quote) });
                at += len;
                continue;
            }
            _ => {}
        }
        at += c.len_utf8();
    }
    None
}
