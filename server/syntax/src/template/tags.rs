//! Finds `{{ }}`, `{% %}` and `{# #}` in text.

use text_size::TextRange;

use crate::range;

/// What a tag is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TagKind {
    /// `{{ }}`
    Output,
    /// `{% %}`
    Statement,
    /// `{# #}`
    Comment,
    /// `{{!` and its siblings write the delimiter itself.
    Escape,
}

/// A tag in a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tag {
    /// What it is.
    pub kind: TagKind,
    /// With delimiters.
    pub range: TextRange,
    /// Between the delimiters.
    pub inner: TextRange,
    /// Whether its end was found; without one it reaches to the end of the text.
    pub closed: bool,
}

/// All tags in order. Linear: each `{` is looked at once, and each search for a closing delimiter starts behind the
/// last tag.
pub fn tags(text: &str) -> Vec<Tag> {
    let bytes = text.as_bytes();
    let mut tags = Vec::new();
    let mut at = 0;
    while let Some(open) = text[at..].find('{').map(|n| at + n) {
        let kind = match bytes.get(open + 1) {
            // Of three or more braces the innermost pair is the delimiter.
            Some(b'{') if bytes.get(open + 2) == Some(&b'{') => {
                at = open + 1;
                continue;
            }
            Some(b'{') => TagKind::Output,
            Some(b'%') => TagKind::Statement,
            Some(b'#') => TagKind::Comment,
            _ => {
                at = open + 1;
                continue;
            }
        };
        if bytes.get(open + 2) == Some(&b'!') {
            at = open + 3;
            let inner = range(open, open + 2);
            tags.push(Tag { kind: TagKind::Escape, range: range(open, at), inner, closed: true });
            continue;
        }
        let close = match kind {
            TagKind::Output => "}}",
            TagKind::Statement => "%}",
            TagKind::Comment | TagKind::Escape => "#}",
        };
        let (inner_end, end, closed) = match text[open + 2..].find(close) {
            Some(n) => (open + 2 + n, open + 2 + n + 2, true),
            None => (text.len(), text.len(), false),
        };
        tags.push(Tag { kind, range: range(open, end), inner: range(open + 2, inner_end), closed });
        at = end;
    }
    tags
}
