//! SQL into tokens, as far as splitting statements and mutating them needs it.

use std::ops::Range;

/// What a token is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A bare or quoted name, or a keyword.
    Word,
    Number,
    /// A string or heredoc.
    String,
    /// Operators and punctuation.
    Symbol,
    /// Blanks and comments.
    Space,
}

/// Tokens of `text` in order, without gaps. Linear; unclosed strings and comments reach to the end.
pub(crate) fn tokens(text: &str) -> Vec<(Kind, Range<usize>)> {
    let mut out = Vec::new();
    let mut at = 0;
    while at < text.len() {
        let (kind, len) = token(&text[at..]);
        out.push((kind, at..at + len));
        at += len;
    }
    out
}

fn token(rest: &str) -> (Kind, usize) {
    const OPERATORS: [&str; 12] = ["<=>", "->", "::", "==", "!=", "<>", "<=", ">=", "||", ".:", ".^", "@@"];
    let first = rest.chars().next().unwrap_or(' ');
    let up_to = |end: &str, skip: usize| rest[skip..].find(end).map_or(rest.len(), |n| skip + n + end.len());
    let while_ = |test: fn(char) -> bool| rest.find(|c: char| !test(c)).unwrap_or(rest.len());
    let line = || rest.find('\n').unwrap_or(rest.len());
    match first {
        c if c.is_whitespace() => (Kind::Space, while_(char::is_whitespace)),
        '-' if rest.starts_with("--") => (Kind::Space, line()),
        '#' if rest[1..].starts_with([' ', '!']) => (Kind::Space, line()),
        '/' if rest.starts_with("/*") => (Kind::Space, up_to("*/", 2)),
        '\'' => (Kind::String, quoted(rest, '\'')),
        '"' | '`' => (Kind::Word, quoted(rest, first)),
        '$' => match heredoc(rest) {
            Some(len) => (Kind::String, len),
            None => (Kind::Symbol, 1),
        },
        c if c.is_ascii_digit() => {
            let len = rest.find(|c: char| !(c.is_ascii_alphanumeric() || c == '.' || c == '_'));
            (Kind::Number, len.unwrap_or(rest.len()))
        }
        c if c.is_alphabetic() || c == '_' => {
            (Kind::Word, while_(|c| c.is_alphanumeric() || c == '_' || c == '$'))
        }
        c => {
            let operator = OPERATORS.iter().find(|o| rest.starts_with(**o));
            (Kind::Symbol, operator.map_or(c.len_utf8(), |o| o.len()))
        }
    }
}

fn quoted(rest: &str, quote: char) -> usize {
    let mut chars = rest.char_indices().skip(1).peekable();
    while let Some((at, c)) = chars.next() {
        match c {
            '\\' => {
                chars.next();
            }
            c if c == quote && chars.next_if(|(_, next)| *next == quote).is_none() => return at + 1,
            _ => {}
        }
    }
    rest.len()
}

fn heredoc(rest: &str) -> Option<usize> {
    let name = rest[1..].find('$')?;
    if !rest[1..=name].chars().all(|c| c.is_alphanumeric() || c == '_') {
        return None;
    }
    let tag = &rest[..name + 2];
    rest[tag.len()..].find(tag).map(|n| n + 2 * tag.len())
}

/// The statements of a script, without their `;` and the blanks and comments around them.
pub(crate) fn statements(text: &str) -> Vec<&str> {
    let mut out = Vec::new();
    let mut open: Option<Range<usize>> = None;
    for (kind, range) in tokens(text) {
        if kind == Kind::Symbol && &text[range.clone()] == ";" {
            out.extend(open.take().map(|r| &text[r]));
        } else if kind != Kind::Space {
            open = Some(open.map_or(range.start, |r| r.start)..range.end);
        }
    }
    out.extend(open.map(|r| &text[r]));
    out
}

/// Whether a statement starts a SELECT: `SELECT`, `WITH` or `FROM`, in parentheses or not.
pub(crate) fn starts_select(statement: &str) -> bool {
    let mut words = tokens(statement).into_iter().filter(|(kind, _)| *kind != Kind::Space);
    let first = words.find(|(_, range)| &statement[range.clone()] != "(");
    first.is_some_and(|(_, range)| {
        ["SELECT", "WITH", "FROM"].iter().any(|w| w.eq_ignore_ascii_case(&statement[range.clone()]))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scripts_split_at_semicolons_that_are_code() {
        let text =
            "-- a; b\nSELECT ';', `;`, $x$;$x$ /* ; */;\n\n(SELECT 1) ; INSERT INTO t VALUES ('it''s \\';');";
        assert_eq!(
            statements(text),
            ["SELECT ';', `;`, $x$;$x$", "(SELECT 1)", "INSERT INTO t VALUES ('it''s \\';')"]
        );
        let select: Vec<_> = statements(text).into_iter().map(starts_select).collect();
        assert_eq!(select, [true, true, false]);
    }

    #[test]
    fn tokens_leave_no_gap() {
        for text in ["", "a.b::Int8 <=> 'x", "$ $a$ é=1e5 /* x", "\\ \u{a0}# x"] {
            let joined: String = tokens(text).into_iter().map(|(_, r)| &text[r]).collect();
            assert_eq!(joined, text);
        }
    }
}
