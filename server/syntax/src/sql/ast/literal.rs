//! Literals and quoted names, decoded as the engine does it.

use std::borrow::Cow;

use super::support::AstNode;
use super::{
    BooleanLiteral, Expression, Identifier, NullLiteral, NumberLiteral, StringLiteral, UnaryExpression,
};

/// The value of a literal.
#[derive(Debug, Clone, PartialEq)]
pub enum Literal {
    /// `NULL`
    Null,
    /// `true`, `false`
    Boolean(bool),
    /// A whole number that fits the engine's 64 bits.
    Integer(i128),
    /// Every other number.
    Float(f64),
    /// A string.
    String(String),
    /// A string that is no UTF-8: `x'ff'`.
    Bytes(Vec<u8>),
}

impl<'t> Expression<'t> {
    /// The literal's value, if this is one; a minus before a number belongs to it.
    pub fn literal(self, source: &str) -> Option<Literal> {
        match self {
            Self::StringLiteral(string) => Some(string.value(source)),
            Self::NumberLiteral(number) => number.value(source),
            Self::BooleanLiteral(boolean) => Some(Literal::Boolean(boolean.value(source))),
            Self::NullLiteral(_) => Some(Literal::Null),
            Self::UnaryExpression(unary) => unary.negative_number(source),
            _ => None,
        }
    }
}

impl UnaryExpression<'_> {
    fn negative_number(self, source: &str) -> Option<Literal> {
        let (Expression::NumberLiteral(number), true) = (self.operand()?, self.text(source).starts_with('-'))
        else {
            return None;
        };
        Some(match number.value(source)? {
            Literal::Integer(n) if n <= 1 << 63 => Literal::Integer(-n),
            Literal::Integer(n) => Literal::Float(-(n as f64)),
            Literal::Float(x) => Literal::Float(-x),
            other => other,
        })
    }
}

impl BooleanLiteral<'_> {
    /// Which of the two it is.
    pub fn value(self, source: &str) -> bool {
        self.text(source).eq_ignore_ascii_case("true")
    }
}

impl NullLiteral<'_> {
    /// Always [`Literal::Null`].
    pub fn value(self) -> Literal {
        Literal::Null
    }
}

impl NumberLiteral<'_> {
    /// The number; `None` where recovery put none.
    pub fn value(self, source: &str) -> Option<Literal> {
        number(self.text(source))
    }
}

impl StringLiteral<'_> {
    /// The string without quotes and escapes.
    pub fn value(self, source: &str) -> Literal {
        let bytes = string_bytes(self.text(source));
        match bytes {
            Cow::Borrowed(text) => Literal::String(String::from_utf8_lossy(text).into_owned()),
            Cow::Owned(bytes) => {
                String::from_utf8(bytes).map_or_else(|e| Literal::Bytes(e.into_bytes()), Literal::String)
            }
        }
    }

    /// The string, if it is UTF-8.
    pub fn string(self, source: &str) -> Option<String> {
        match self.value(source) {
            Literal::String(string) => Some(string),
            _ => None,
        }
    }
}

impl Identifier<'_> {
    /// The name without quotes and escapes.
    pub fn name(self, source: &str) -> Cow<'_, str> {
        unquote(self.text(source))
    }
}

/// A name without its quotes and escapes.
pub fn unquote(identifier: &str) -> Cow<'_, str> {
    let quoted = |q: char| identifier.strip_prefix(q).and_then(|s| s.strip_suffix(q)).map(|s| (s, q as u8));
    match quoted('`').or_else(|| quoted('"')) {
        None => Cow::Borrowed(identifier),
        Some((inner, quote)) => match unescape(inner, quote) {
            Cow::Borrowed(_) => Cow::Borrowed(inner),
            Cow::Owned(bytes) => Cow::Owned(String::from_utf8_lossy(&bytes).into_owned()),
        },
    }
}

fn number(text: &str) -> Option<Literal> {
    let plain = text.replace('_', "").to_ascii_lowercase();
    match plain.as_str() {
        "inf" | "infinity" => return Some(Literal::Float(f64::INFINITY)),
        "nan" => return Some(Literal::Float(f64::NAN)),
        _ => {}
    }
    let integer = match (plain.get(..2), plain.get(2..)) {
        (Some("0x"), Some(digits)) => {
            if digits.contains(['.', 'p']) {
                return hex_float(digits).map(Literal::Float);
            }
            i128::from_str_radix(digits, 16)
        }
        (Some("0b"), Some(digits)) => i128::from_str_radix(digits, 2),
        _ => plain.parse::<i128>(),
    };
    match integer {
        Ok(n) if u64::try_from(n).is_ok() => Some(Literal::Integer(n)),
        Ok(n) => Some(Literal::Float(n as f64)),
        Err(_) => plain.parse().ok().map(Literal::Float),
    }
}

/// `1.8p3` of `0x1.8p3`.
fn hex_float(digits: &str) -> Option<f64> {
    let (mantissa, exponent) = digits.split_once('p').unwrap_or((digits, "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let mut value = 0.0;
    for c in whole.chars() {
        value = value * 16.0 + f64::from(c.to_digit(16)?);
    }
    let mut scale = 1.0;
    for c in fraction.chars() {
        scale /= 16.0;
        value += f64::from(c.to_digit(16)?) * scale;
    }
    Some(value * 2f64.powi(exponent.parse().ok()?))
}

fn string_bytes(text: &str) -> Cow<'_, [u8]> {
    let inner = |from: usize| text.get(from..text.len().saturating_sub(1).max(from)).unwrap_or_default();
    match text.as_bytes() {
        [b'$', ..] => {
            // The closing tag is the opening one.
            let tag = text[1..].find('$').map_or(0, |n| n + 2);
            Cow::Borrowed(text.get(tag..text.len().saturating_sub(tag)).unwrap_or_default().as_bytes())
        }
        [b'x' | b'X', ..] => Cow::Owned(digits(inner(2), 2, 16)),
        [b'b' | b'B', ..] => Cow::Owned(digits(inner(2), 8, 2)),
        _ => unescape(inner(1), b'\''),
    }
}

/// Bytes of `x'…'` and `b'…'`; the first one may lack digits.
fn digits(text: &str, width: usize, radix: u32) -> Vec<u8> {
    let bytes = text.as_bytes();
    let first = bytes.len() % width;
    let groups =
        std::iter::once(&bytes[..first]).filter(|g| !g.is_empty()).chain(bytes[first..].chunks(width));
    let byte = |g: &[u8]| std::str::from_utf8(g).ok().and_then(|g| u8::from_str_radix(g, radix).ok());
    groups.map(|g| byte(g).unwrap_or_default()).collect()
}

/// Quoted text without its escapes. A backslash before a character without a meaning of its own stays: `'\%'` is for
/// `LIKE`.
fn unescape(text: &str, quote: u8) -> Cow<'_, [u8]> {
    let bytes = text.as_bytes();
    if !bytes.contains(&b'\\') && !bytes.contains(&quote) {
        return Cow::Borrowed(bytes);
    }
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        at += 1;
        match (byte, bytes.get(at)) {
            (b'\\', Some(&escaped)) => {
                at += 1;
                match escaped {
                    b'x' => match text.get(at..at + 2).and_then(|hex| u8::from_str_radix(hex, 16).ok()) {
                        Some(value) => {
                            out.push(value);
                            at += 2;
                        }
                        None => out.extend(b"\\x"),
                    },
                    b'N' => {}
                    b'a' => out.push(7),
                    b'b' => out.push(8),
                    b'e' => out.push(27),
                    b'f' => out.push(12),
                    b'n' => out.push(b'\n'),
                    b'r' => out.push(b'\r'),
                    b't' => out.push(b'\t'),
                    b'v' => out.push(11),
                    b'0' => out.push(0),
                    b'\\' | b'\'' | b'"' | b'`' | b'/' | b'=' => out.push(escaped),
                    other => out.extend([b'\\', other]),
                }
            }
            (b, Some(&next)) if b == quote && next == quote => {
                out.push(quote);
                at += 1;
            }
            (b, _) => out.push(b),
        }
    }
    Cow::Owned(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn string(text: &str) -> Vec<u8> {
        string_bytes(text).into_owned()
    }

    #[test]
    fn strings_are_decoded_as_by_the_engine() {
        for (text, expected) in [
            ("'a'", &b"a"[..]),
            ("''", b""),
            ("'a''b'", b"a'b"),
            (r"'a\qb\%\_\x41\e\0\N\/\'\`\=c'", b"a\\qb\\%\\_A\x1b\0/'`=c"),
            (r#"'\"'"#, b"\""),
            (r"'\xzz'", b"\\xzz"),
            ("$$a'b$$", b"a'b"),
            ("$x$a$$b$x$", b"a$$b"),
            ("x'abc'", b"\n\xbc"),
            ("x''", b""),
            ("b'100000001'", b"\x01\x01"),
            ("'", b""),
        ] {
            assert_eq!(string(text), expected, "{text}");
        }
    }

    #[test]
    fn names_are_unquoted() {
        for (text, expected) in [
            ("a", "a"),
            ("`a b`", "a b"),
            ("\"a\"", "a"),
            ("`a``b`", "a`b"),
            (r"`a\`b`", "a`b"),
            ("`", "`"),
            ("``", ""),
        ] {
            assert_eq!(unquote(text), expected, "{text}");
        }
    }

    #[test]
    fn numbers_have_the_engine_s_size() {
        for (text, expected) in [
            ("1_000", Literal::Integer(1000)),
            ("0xff", Literal::Integer(255)),
            ("0b101", Literal::Integer(5)),
            ("18446744073709551615", Literal::Integer(u64::MAX.into())),
            ("18446744073709551616", Literal::Float(18_446_744_073_709_552_000.0)),
            ("1.5e3", Literal::Float(1500.0)),
            ("1.", Literal::Float(1.0)),
            ("0x1.8p3", Literal::Float(12.0)),
            ("inf", Literal::Float(f64::INFINITY)),
        ] {
            assert_eq!(number(text), Some(expected), "{text}");
        }
        assert_eq!(number(""), None);
    }
}
