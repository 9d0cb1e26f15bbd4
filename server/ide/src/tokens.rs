//! Words of SQL in the order of the text, for questions about text that is being typed. A tree of broken text may put a
//! word anywhere; what stands before the cursor does not change.

use headwater_analysis::{TextRange, TextSize, syntax};

/// What a token is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum TokenKind {
    /// A keyword or a bare name: only the place tells which.
    Word,
    /// A name in backticks or double quotes.
    Quoted,
    /// A text in single quotes.
    Text,
    /// A number.
    Number,
    /// `(`, `,`, `::` and so on.
    Sign,
    /// `{{ … }}`.
    Output,
    /// `{% … %}`.
    Control,
    /// A comment of SQL or of the template.
    Comment,
}

/// A token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Token {
    pub(crate) kind: TokenKind,
    pub(crate) range: TextRange,
    /// Whether it has its end: of texts, comments and tags.
    pub(crate) closed: bool,
}

impl Token {
    pub(crate) fn text(self, source: &str) -> &str {
        &source[self.range]
    }

    /// Whether it is this keyword, in any case.
    pub(crate) fn is(self, source: &str, word: &str) -> bool {
        self.kind == TokenKind::Word && self.text(source).eq_ignore_ascii_case(word)
    }

    pub(crate) fn is_sign(self, source: &str, sign: &str) -> bool {
        self.kind == TokenKind::Sign && self.text(source) == sign
    }

    /// Whether a value or a name may end with it.
    pub(crate) fn ends_operand(self, source: &str) -> bool {
        match self.kind {
            TokenKind::Word | TokenKind::Quoted | TokenKind::Text | TokenKind::Number | TokenKind::Output => {
                true
            }
            TokenKind::Sign => matches!(self.text(source), ")" | "]"),
            TokenKind::Control | TokenKind::Comment => false,
        }
    }
}

/// Signs of more than one character, the longer first.
const LONG_SIGNS: &[&str] = &["<=>", "::", "->", "||", "<=", ">=", "<>", "!=", "=="];

/// Splits SQL, or the SQL of a template, into tokens. Linear; every byte that is not blank is part of one.
pub(crate) fn tokens(text: &str) -> Vec<Token> {
    let bytes = text.as_bytes();
    let mut out = Vec::new();
    let mut at = 0;
    while let Some(byte) = bytes.get(at).copied() {
        let rest = &text[at..];
        if byte.is_ascii_whitespace() {
            at += 1;
            continue;
        }
        let until = |close: &str, skip: usize| match rest[skip..].find(close) {
            Some(n) => (skip + n + close.len(), true),
            None => (rest.len(), false),
        };
        let (kind, (len, closed)) = match byte {
            b'-' if rest.starts_with("--") => (TokenKind::Comment, (line_end(rest), true)),
            b'/' if rest.starts_with("/*") => (TokenKind::Comment, until("*/", 2)),
            b'{' if rest.starts_with("{{") => (TokenKind::Output, until("}}", 2)),
            b'{' if rest.starts_with("{%") => (TokenKind::Control, until("%}", 2)),
            b'{' if rest.starts_with("{#") => (TokenKind::Comment, until("#}", 2)),
            b'\'' => (TokenKind::Text, quoted(rest, b'\'')),
            b'`' => (TokenKind::Quoted, quoted(rest, b'`')),
            b'"' => (TokenKind::Quoted, quoted(rest, b'"')),
            b'0'..=b'9' => (TokenKind::Number, (number(rest), true)),
            _ if rest.starts_with(is_word_char) => {
                let len = rest.find(|c: char| !is_word_char(c)).unwrap_or(rest.len());
                (TokenKind::Word, (len, true))
            }
            _ => {
                let long = LONG_SIGNS.iter().find(|sign| rest.starts_with(**sign));
                let len =
                    long.map_or_else(|| rest.chars().next().map_or(1, char::len_utf8), |sign| sign.len());
                (TokenKind::Sign, (len, true))
            }
        };
        out.push(Token { kind, range: syntax::range(at, at + len), closed });
        at += len;
    }
    out
}

fn line_end(text: &str) -> usize {
    text.find(['\n', '\r']).unwrap_or(text.len())
}

/// A quoted piece, with the quote doubled or behind a backslash inside.
fn quoted(text: &str, quote: u8) -> (usize, bool) {
    let bytes = text.as_bytes();
    let mut at = 1;
    while let Some(byte) = bytes.get(at) {
        match *byte {
            b'\\' => at += 2,
            b if b == quote && bytes.get(at + 1) == Some(&quote) => at += 2,
            b if b == quote => return (at + 1, true),
            _ => at += 1,
        }
    }
    (text.len(), false)
}

fn number(text: &str) -> usize {
    let bytes = text.as_bytes();
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        let is_sign =
            matches!(byte, b'+' | b'-') && matches!(bytes[at - 1], b'e' | b'E') && !text.starts_with("0x");
        // `1.` in front of a name is a part of a tuple, not of the number; `1..2` nothing at all.
        let is_point = *byte == b'.' && bytes.get(at + 1).is_some_and(u8::is_ascii_digit);
        if !(byte.is_ascii_alphanumeric() || *byte == b'_' || is_point || is_sign && at > 0) {
            break;
        }
        at += 1;
    }
    at.max(1)
}

/// Whether a bare name may hold this character.
pub(crate) fn is_word_char(c: char) -> bool {
    c.is_alphanumeric() || c == '_' || c == '$'
}

/// Where the word begins that ends at `offset`.
pub(crate) fn word_start(text: &str, offset: TextSize) -> TextSize {
    let before = &text[..usize::from(offset)];
    let word = before.chars().rev().take_while(|c| is_word_char(*c)).map(char::len_utf8).sum::<usize>();
    offset - TextSize::try_from(word).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_of_token_is_seen() {
        let text = "SELECT a.`b c`, 'it''s \\' x' -- note\n, 1.5e-3 + t.1::UInt8 /* x */ {{Int32(p)}} {% if x %} {# c #} é->1";
        let got: Vec<_> = tokens(text).iter().map(|t| t.text(text)).collect();
        let expected = [
            "SELECT",
            "a",
            ".",
            "`b c`",
            ",",
            "'it''s \\' x'",
            "-- note",
            ",",
            "1.5e-3",
            "+",
            "t",
            ".",
            "1",
            "::",
            "UInt8",
            "/* x */",
            "{{Int32(p)}}",
            "{% if x %}",
            "{# c #}",
            "é",
            "->",
            "1",
        ];
        assert_eq!(got, expected);
    }

    #[test]
    fn what_is_not_closed_reaches_to_the_end() {
        for text in ["'abc", "`a", "/* a", "{{ a", "{% a", "'\\", "\u{1F600}"] {
            let found = tokens(text);
            assert_eq!(found.len(), 1, "{text}");
            assert!(usize::from(found[0].range.end()) >= text.len() || found[0].closed, "{text}");
        }
    }
}
