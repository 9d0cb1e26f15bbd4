//! Tokens of the expressions inside tags.

use text_size::TextRange;

use crate::range;

/// Where the word or operator `word` stands in `text[at]` outside brackets and strings. Linear.
pub(super) fn find_word(text: &str, at: TextRange, word: &str) -> Option<TextRange> {
    let mut depth = 0usize;
    for token in tokenize(text, at) {
        match &text[token.range] {
            "(" | "[" | "{" => depth += 1,
            ")" | "]" | "}" => depth = depth.saturating_sub(1),
            found if depth == 0 && found == word && token.kind != Kind::Str => return Some(token.range),
            _ => {}
        }
    }
    None
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Name,
    Number,
    Str,
    Op,
    Bad,
}

#[derive(Debug, Clone, Copy)]
pub(super) struct Token {
    pub(super) kind: Kind,
    pub(super) range: TextRange,
}

const OPERATORS: &[&str] = &[
    "**", "//", "==", "!=", "<=", ">=", "<<", ">>", "(", ")", "[", "]", "{", "}", ",", ":", ".", "+", "-",
    "*", "/", "%", "<", ">", "=", "|", "&", "^", "~", "@",
];

pub(super) fn tokenize(text: &str, at: TextRange) -> Vec<Token> {
    let (start, end) = (usize::from(at.start()), usize::from(at.end()));
    let mut tokens = Vec::new();
    let mut pos = start;
    while let Some(c) = text[pos..end].chars().next() {
        let rest = &text[pos..end];
        let (kind, len) = if c.is_whitespace() {
            pos += c.len_utf8();
            continue;
        } else if c == '\'' || c == '"' {
            (Kind::Str, string_len(rest))
        } else if let Some(prefix) = string_prefix(rest) {
            (Kind::Str, prefix + string_len(&rest[prefix..]))
        } else if c.is_ascii_digit() {
            (
                Kind::Number,
                rest.find(|c: char| !(c.is_alphanumeric() || c == '.' || c == '_')).unwrap_or(rest.len()),
            )
        } else if c.is_alphabetic() || c == '_' {
            (Kind::Name, rest.find(|c: char| !(c.is_alphanumeric() || c == '_')).unwrap_or(rest.len()))
        } else if let Some(op) = OPERATORS.iter().find(|op| rest.starts_with(**op)) {
            (Kind::Op, op.len())
        } else {
            (Kind::Bad, c.len_utf8())
        };
        tokens.push(Token { kind, range: range(pos, pos + len) });
        pos += len;
    }
    tokens
}

/// Length of the letters of `r'…'`, `f"…"` and the like.
fn string_prefix(rest: &str) -> Option<usize> {
    let letters =
        rest.chars().take_while(|c| matches!(c.to_ascii_lowercase(), 'r' | 'b' | 'u' | 'f')).take(3).count();
    ((1..=2).contains(&letters) && rest[letters..].starts_with(['\'', '"'])).then_some(letters)
}

fn string_len(rest: &str) -> usize {
    let quote = &rest[..1];
    let triple = quote.repeat(3);
    let (close, open_len) = if rest.starts_with(&triple) { (triple.as_str(), 3) } else { (quote, 1) };
    let mut at = open_len;
    while at < rest.len() {
        if rest[at..].starts_with(close) {
            return at + close.len();
        }
        let mut chars = rest[at..].chars();
        let c = chars.next().unwrap_or(' ');
        at += c.len_utf8();
        if c == '\\' {
            at += chars.next().map_or(0, char::len_utf8);
        }
    }
    rest.len()
}

pub(super) fn unescape(literal: &str) -> String {
    let literal = &literal[literal.find(['\'', '"']).unwrap_or(0)..];
    let quotes = if literal.len() >= 6 && (literal.starts_with("'''") || literal.starts_with("\"\"\"")) {
        3
    } else {
        1
    };
    let inner = literal.get(quotes..literal.len().saturating_sub(quotes)).unwrap_or_default();
    let mut out = String::with_capacity(inner.len());
    let mut chars = inner.chars();
    while let Some(c) = chars.next() {
        match (c, c == '\\') {
            (_, true) => match chars.next() {
                Some('n') => out.push('\n'),
                Some('t') => out.push('\t'),
                Some('r') => out.push('\r'),
                Some(c @ ('\\' | '\'' | '"')) => out.push(c),
                Some(c) => out.extend(['\\', c]),
                None => out.push('\\'),
            },
            (c, false) => out.push(c),
        }
    }
    out
}
