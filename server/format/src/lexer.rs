//! SQL with tags as tokens, as the engine's lexer would see it behind the template engine: what must stay the same.
//!
//! A template is rendered as text before anything else, so a tag is opaque wherever it stands: in strings, in comments.
//! The grammar, which sees raw text, does not know that; where both disagree, the text is left alone.

use std::ops::Range;

use headwater_syntax::template::{is_template, tags};

use crate::glue::{is_apart, is_space};

/// What a token is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TokenKind {
    /// Anything else.
    Other,
    /// Punctuation and operators: tokens of their own whatever stands beside them.
    Bracket,
    /// `{{ }}`, outside of strings and comments.
    Output,
    /// `{% %}`, outside of strings and comments.
    Tag,
    /// A comment of SQL, of the template, or of the file.
    Comment,
}

/// A token of a query.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Token {
    pub(crate) kind: TokenKind,
    pub(crate) range: Range<usize>,
}

/// All tokens of `text`, which has line feeds for line ends. Only a template has tags. Linear.
pub(crate) fn tokens(text: &str) -> Vec<Token> {
    let tags = if is_template(text) { tags(text) } else { Vec::new() };
    let tags: Vec<_> = tags.into_iter().map(|tag| Range::<usize>::from(tag.range)).collect();
    let mut lexer = Lexer { text, tags: &tags, next_tag: 0, at: 0 };
    let mut out = Vec::new();
    while let Some(token) = lexer.token() {
        out.push(token);
    }
    out
}

struct Lexer<'t> {
    text: &'t str,
    tags: &'t [Range<usize>],
    next_tag: usize,
    at: usize,
}

impl Lexer<'_> {
    fn token(&mut self) -> Option<Token> {
        loop {
            let c = self.text[self.at..].chars().next()?;
            if !is_space(c) {
                break;
            }
            self.at += c.len_utf8();
        }
        let start = self.at;
        let kind = self.kind();
        self.at = self.at.max(start + self.text[start..].chars().next().map_or(1, char::len_utf8));
        Some(Token { kind, range: start..self.at })
    }

    /// The tag that starts here.
    fn tag_here(&mut self) -> Option<Range<usize>> {
        while self.tags.get(self.next_tag).is_some_and(|tag| tag.start < self.at) {
            self.next_tag += 1;
        }
        self.tags.get(self.next_tag).filter(|tag| tag.start == self.at).cloned()
    }

    fn kind(&mut self) -> TokenKind {
        if let Some(tag) = self.tag_here() {
            let kind = match self.text[tag.clone()].as_bytes().get(1) {
                Some(b'#') => TokenKind::Comment,
                Some(b'%') => TokenKind::Tag,
                _ => TokenKind::Output,
            };
            self.at = tag.end;
            return kind;
        }
        let rest = &self.text[self.at..];
        let first = rest.chars().next().unwrap_or(' ');
        let line_start = self.text[..self.at].trim_end_matches([' ', '\t']);
        if rest.starts_with("--")
            || first == '#'
                && (rest[1..].starts_with([' ', '!']) || line_start.is_empty() || line_start.ends_with('\n'))
        {
            self.line();
            return TokenKind::Comment;
        }
        if rest.starts_with("/*") {
            self.at += 2;
            self.until("*/");
            return TokenKind::Comment;
        }
        match first {
            '\'' | '"' | '`' => self.quoted(first),
            'x' | 'X' | 'b' | 'B' if rest[1..].starts_with('\'') => {
                self.at += 1;
                self.quoted('\'');
            }
            '‘' => self.until("’"),
            '“' => self.until("”"),
            '$' => match heredoc(rest) {
                Some(len) => self.at += len,
                None => self.word(),
            },
            c if c.is_ascii_digit() => {
                self.word();
                // A fraction, and the sign of an exponent.
                if self.text[self.at..].starts_with('.') {
                    self.at += 1;
                    self.word();
                }
                if self.text[..self.at].ends_with(['e', 'E']) && self.text[self.at..].starts_with(['+', '-'])
                {
                    self.at += 1;
                    self.word();
                }
            }
            c if is_word(c) => self.word(),
            c => {
                const OPERATORS: [&str; 13] =
                    ["<=>", "->", "::", "==", "!=", "<>", "<=", ">=", "||", ".:", ".^", ".@", "@@"];
                let operator = OPERATORS.iter().find(|o| rest.starts_with(**o));
                self.at += operator.map_or(c.len_utf8(), |o| o.len());
                if is_apart(c) {
                    return TokenKind::Bracket;
                }
            }
        }
        TokenKind::Other
    }

    fn word(&mut self) {
        let rest = &self.text[self.at..];
        self.at += rest.find(|c: char| !is_word(c)).unwrap_or(rest.len());
    }

    /// To the end of the line, past tags.
    fn line(&mut self) {
        self.skip(|rest| rest.starts_with('\n').then_some(0));
    }

    /// Behind `end`, past tags.
    fn until(&mut self, end: &str) {
        self.skip(|rest| rest.starts_with(end).then_some(end.len()));
    }

    fn quoted(&mut self, quote: char) {
        self.at += 1;
        let mut escaped = false;
        self.skip(|rest| {
            let first = rest.chars().next();
            if std::mem::take(&mut escaped) {
                return None;
            }
            if first == Some('\\') {
                escaped = true;
                return None;
            }
            if first != Some(quote) {
                return None;
            }
            // Twice is the quote itself.
            if rest[1..].starts_with(quote) {
                escaped = true;
                return None;
            }
            Some(1)
        });
    }

    /// Goes on until `end` says how much more there is.
    fn skip(&mut self, mut end: impl FnMut(&str) -> Option<usize>) {
        while self.at < self.text.len() {
            if let Some(tag) = self.tag_here() {
                self.at = tag.end;
                continue;
            }
            let rest = &self.text[self.at..];
            if let Some(more) = end(rest) {
                self.at += more;
                return;
            }
            self.at += rest.chars().next().map_or(1, char::len_utf8);
        }
    }
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_' || c == '$'
}

fn heredoc(rest: &str) -> Option<usize> {
    let name = rest[1..].find('$')?;
    if !rest[1..=name].chars().all(|c| c.is_alphanumeric() || c == '_') {
        return None;
    }
    let tag = &rest[..name + 2];
    rest[tag.len()..].find(tag).map(|n| n + 2 * tag.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split(text: &str) -> Vec<&str> {
        tokens(text).into_iter().map(|t| &text[t.range]).collect()
    }

    #[test]
    fn tags_are_opaque_wherever_they_stand() {
        assert_eq!(split("%a={{ f('x') }}"), ["%", "a", "=", "{{ f('x') }}"]);
        assert_eq!(split("%'{{ f('x') }}' b"), ["%", "'{{ f('x') }}'", "b"]);
        assert_eq!(split("'{{ f('y') }}'"), ["'{{ f('", "y", "') }}'"]);
        assert_eq!(split("%-- {{ f(\n) }} c\nd"), ["%", "-- {{ f(\n) }} c", "d"]);
        assert_eq!(split("%{# a\nb #}/* x {{ '*/' }} */"), ["%", "{# a\nb #}", "/* x {{ '*/' }} */"]);
    }

    #[test]
    fn words_numbers_and_strings() {
        assert_eq!(split("1.5e-3+0xFF x'0A' b"), ["1.5e-3", "+", "0xFF", "x'0A'", "b"]);
        assert_eq!(split("'a''b\\'' $$ x' $$"), ["'a''b\\''", "$$ x' $$"]);
        assert_eq!(split("a::T<=>b"), ["a", "::", "T", "<=>", "b"]);
        assert_eq!(split("a #b\n  #c\nd # e"), ["a", "#", "b", "#c", "d", "# e"]);
        assert_eq!(split("'open"), ["'open"]);
    }
}
