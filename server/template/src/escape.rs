//! Values as SQL literals and identifiers.

/// `text` as a literal in single quotes.
///
/// ClickHouse reads the escapes back, but for `\%`, which it leaves as two characters: that makes a percent sign plain
/// in LIKE patterns, and is what `sql_unescape` is for.
pub fn literal(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('\'');
    push_escaped(text, &mut out);
    out.push('\'');
    out
}

/// The inside of a literal.
pub(crate) fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    push_escaped(text, &mut out);
    out
}

fn push_escaped(text: &str, out: &mut String) {
    for c in text.chars() {
        match c {
            '\0' => out.push_str("\\0"),
            '\r' => out.push_str("\\r"),
            '\u{8}' => out.push_str("\\b"),
            '\t' => out.push_str("\\t"),
            // The engine reads no letter for it.
            '\u{1a}' => out.push_str("\\x1A"),
            '\n' => out.push_str("\\n"),
            '"' | '\'' | '\\' | '%' | '`' => out.extend(['\\', c]),
            c => out.push(c),
        }
    }
}

/// `name` as an identifier in `quote`s.
pub(crate) fn identifier(name: &str, quote: char) -> String {
    let mut out = String::with_capacity(name.len() + 2);
    out.push(quote);
    for c in name.chars() {
        if c == quote || c == '\\' {
            out.push('\\');
        }
        out.push(c);
    }
    out.push(quote);
    out
}

/// Whether a name needs no quotes.
pub(crate) fn is_plain(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}
