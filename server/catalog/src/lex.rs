//! Tokens of types: the part of the engine's lexer that a type's text needs.

/// One token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Token {
    /// A bare word.
    Word(String),
    /// A name in back-ticks or double quotes.
    Quoted(String),
    /// A string's value.
    String(String),
    /// A number as it is written, without its sign.
    Number(String),
    /// Any other character.
    Sign(char),
    /// Nothing is left, or a quote never ends.
    End,
}

/// One token ahead of the reader.
#[derive(Clone)]
pub(crate) struct Lexer<'a> {
    text: &'a str,
    /// Where the token ahead starts and ends.
    start: usize,
    end: usize,
    ahead: Token,
}

impl<'a> Lexer<'a> {
    pub(crate) fn new(text: &'a str) -> Self {
        let mut lexer = Self { text, start: 0, end: 0, ahead: Token::End };
        lexer.next();
        lexer
    }

    pub(crate) fn peek(&self) -> &Token {
        &self.ahead
    }

    /// Where the token ahead starts.
    pub(crate) fn at(&self) -> usize {
        self.start
    }

    pub(crate) fn next(&mut self) {
        self.skip_space();
        self.start = self.end;
        let rest = &self.text[self.start..];
        let Some(first) = rest.chars().next() else {
            self.ahead = Token::End;
            return;
        };
        let span = |more: fn(char) -> bool| rest.find(|c| !more(c)).unwrap_or(rest.len());
        let (token, length) = match first {
            'a'..='z' | 'A'..='Z' | '_' => {
                let length = span(|c| c.is_ascii_alphanumeric() || c == '_');
                (Token::Word(rest[..length].to_owned()), length)
            }
            c if c.is_ascii_digit() || (c == '.' && rest[1..].starts_with(|c: char| c.is_ascii_digit())) => {
                let length = number(rest);
                (Token::Number(rest[..length].to_owned()), length)
            }
            '\'' | '`' | '"' => match quoted(rest, first) {
                Some((value, length)) if first == '\'' => (Token::String(value), length),
                // An empty name is none.
                Some((value, length)) if !value.is_empty() => (Token::Quoted(value), length),
                _ => (Token::Sign(first), first.len_utf8()),
            },
            c => (Token::Sign(c), c.len_utf8()),
        };
        self.ahead = token;
        self.end = self.start + length;
    }

    fn skip_space(&mut self) {
        loop {
            let rest = &self.text[self.end..];
            let trimmed = rest.trim_start();
            self.end += rest.len() - trimmed.len();
            let comment = if let Some(inner) = trimmed.strip_prefix("/*") {
                inner.find("*/").map(|n| n + 4)
            } else if trimmed.starts_with("--") {
                Some(trimmed.find('\n').unwrap_or(trimmed.len()))
            } else {
                None
            };
            match comment {
                Some(length) => self.end += length,
                None => return,
            }
        }
    }
}

/// Bytes of the number that `text` starts with.
fn number(text: &str) -> usize {
    let bytes = text.as_bytes();
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        let sign = matches!(byte, b'+' | b'-')
            && at > 0
            && matches!(bytes[at - 1], b'e' | b'E')
            && !text.starts_with("0x");
        if byte.is_ascii_alphanumeric() || *byte == b'.' || *byte == b'_' || sign {
            at += 1;
        } else {
            break;
        }
    }
    at
}

/// The value of a quoted text and its length with quotes; `None` when it never ends.
pub(crate) fn quoted(text: &str, quote: char) -> Option<(String, usize)> {
    let mut value = String::new();
    let mut chars = text.char_indices().skip(1).peekable();
    while let Some((at, c)) = chars.next() {
        if c == quote {
            if chars.next_if(|(_, c)| *c == quote).is_none() {
                return Some((value, at + quote.len_utf8()));
            }
            value.push(quote);
        } else if c == '\\' {
            let (_, escaped) = chars.next()?;
            match escaped {
                'n' => value.push('\n'),
                't' => value.push('\t'),
                'r' => value.push('\r'),
                '0' => value.push('\0'),
                'b' => value.push('\u{8}'),
                'f' => value.push('\u{c}'),
                'a' => value.push('\u{7}'),
                'v' => value.push('\u{b}'),
                'e' => value.push('\u{1b}'),
                'x' => {
                    let code: String = (0..2).filter_map(|_| chars.next().map(|(_, c)| c)).collect();
                    value.push(char::from(u8::from_str_radix(&code, 16).ok()?));
                }
                '\\' | '\'' | '"' | '`' | '/' | '=' => value.push(escaped),
                other => {
                    value.push('\\');
                    value.push(other);
                }
            }
        } else {
            value.push(c);
        }
    }
    None
}
