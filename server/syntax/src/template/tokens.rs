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
        } else if c.is_ascii_digit() || c == '.' && rest[1..].starts_with(|c: char| c.is_ascii_digit()) {
            (Kind::Number, number_len(rest))
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

/// Length of a number, with the sign in its exponent.
fn number_len(rest: &str) -> usize {
    let mut exponent = false;
    let is_hex = rest.starts_with("0x") || rest.starts_with("0X");
    for (at, c) in rest.char_indices() {
        let sign = matches!(c, '+' | '-') && exponent;
        if !(c.is_alphanumeric() || c == '.' || c == '_' || sign) {
            return at;
        }
        exponent = !is_hex && matches!(c, 'e' | 'E');
    }
    rest.len()
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

/// The value of a string literal; `None` for f-strings and bytes, which are no text by themselves.
pub(super) fn unescape(literal: &str) -> Option<String> {
    let (prefix, literal) = literal.split_at(literal.find(['\'', '"']).unwrap_or(0));
    let has = |letter: char| prefix.chars().any(|c| c.eq_ignore_ascii_case(&letter));
    if has('f') || has('b') {
        return None;
    }
    let quotes = if literal.len() >= 6 && (literal.starts_with("'''") || literal.starts_with("\"\"\"")) {
        3
    } else {
        1
    };
    let inner = literal.get(quotes..literal.len().saturating_sub(quotes)).unwrap_or_default();
    if has('r') || !inner.contains('\\') {
        return Some(inner.to_owned());
    }
    let mut out = String::with_capacity(inner.len());
    let mut rest = inner;
    while let Some(at) = rest.find('\\') {
        out.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        rest = escape(rest, &mut out);
    }
    out.push_str(rest);
    Some(out)
}

/// Writes what the text behind a backslash stands for; returns the text behind that.
fn escape<'t>(rest: &'t str, out: &mut String) -> &'t str {
    let Some(escaped) = rest.chars().next() else {
        out.push('\\');
        return rest;
    };
    let after = &rest[escaped.len_utf8()..];
    match escaped {
        '\n' => {}
        '\\' | '\'' | '"' => out.push(escaped),
        'a' => out.push('\x07'),
        'b' => out.push('\x08'),
        'f' => out.push('\x0c'),
        'n' => out.push('\n'),
        'r' => out.push('\r'),
        't' => out.push('\t'),
        'v' => out.push('\x0b'),
        '0'..='7' => {
            let digits = rest.chars().take(3).take_while(|c| ('0'..='7').contains(c)).count();
            out.extend(u32::from_str_radix(&rest[..digits], 8).ok().and_then(char::from_u32));
            return &rest[digits..];
        }
        'x' | 'u' | 'U' => {
            let digits = match escaped {
                'x' => 2,
                'u' => 4,
                _ => 8,
            };
            let hex = after.get(..digits).filter(|hex| hex.chars().all(|c| c.is_ascii_hexdigit()));
            if let Some(c) = hex.and_then(|hex| char::from_u32(u32::from_str_radix(hex, 16).ok()?)) {
                out.push(c);
                return &after[digits..];
            }
            out.extend(['\\', escaped]);
        }
        other => out.extend(['\\', other]),
    }
    after
}
