//! Lists of columns in a text: `'a Int8, b String'`. The engine also takes `DEFAULT file('/etc/passwd')` behind a type and
//! computes it, so nothing may stand there but a name and a type.

use headwater_catalog::Type;

/// Whether the text is names with types and nothing else.
pub(crate) fn is_plain(text: &str) -> bool {
    let columns = columns(text);
    !columns.is_empty() && columns.iter().all(|column| is_column(column.trim()))
}

/// Whether the engine could read more than names and types in the text, if it reads it as a list of columns.
pub(crate) fn may_compute(text: &str) -> bool {
    const WORDS: [&str; 8] =
        ["DEFAULT", "MATERIALIZED", "ALIAS", "EPHEMERAL", "CODEC", "TTL", "STATISTICS", "SETTINGS"];
    let upper = text.to_ascii_uppercase();
    upper.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').any(|word| WORDS.contains(&word))
}

/// The parts between the commas outside of parentheses and quotes.
fn columns(text: &str) -> Vec<&str> {
    let mut out = Vec::new();
    let (mut depth, mut start, mut quote) = (0usize, 0, None);
    let mut chars = text.char_indices();
    while let Some((at, c)) = chars.next() {
        match (quote, c) {
            (Some(_), '\\') => drop(chars.next()),
            (Some(open), c) if c == open => quote = None,
            (Some(_), _) => {}
            (None, '\'' | '"' | '`') => quote = Some(c),
            (None, '(') => depth += 1,
            (None, ')') => depth = depth.saturating_sub(1),
            (None, ',') if depth == 0 => {
                out.push(&text[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    out.push(&text[start..]);
    // The engine takes a comma at the end.
    if out.last().is_some_and(|last| last.trim().is_empty()) {
        out.pop();
    }
    out
}

/// `name Type`, the name bare or quoted without escapes.
fn is_column(column: &str) -> bool {
    let rest = match column.chars().next() {
        Some(quote @ ('`' | '"')) => {
            let inside = &column[1..];
            let Some(end) = inside.find(quote) else { return false };
            if end == 0 || inside[..end].contains('\\') {
                return false;
            }
            &inside[end + 1..]
        }
        Some(c) if c.is_ascii_alphabetic() || c == '_' => {
            let end = column.find(|c: char| !c.is_ascii_alphanumeric() && !matches!(c, '_' | '.'));
            &column[end.unwrap_or(column.len())..]
        }
        _ => return false,
    };
    rest.starts_with(char::is_whitespace) && Type::parse(rest.trim()).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_and_types_are_plain() {
        for text in [
            "a Int8",
            "a Int8, b String",
            "`a b` Array(Tuple(x UInt8, y Nullable(String))), c Enum8('x' = 1, 'y, z' = 2),",
            "n.a Decimal(10, 2), d DateTime64(3, 'UTC'), e LowCardinality(String)",
            "a AggregateFunction(sum, UInt8)",
        ] {
            assert!(is_plain(text), "{text}");
        }
        for text in [
            "",
            "a",
            "a Int8 DEFAULT 1",
            "a String default file('/etc/passwd')",
            "a String ALIAS file('x')",
            "a String DEFAULT/**/file('x')",
            "a String MATERIALIZED 'x'",
            "a String EPHEMERAL",
            "a DEFAULT file('x')",
            "a String CODEC(ZSTD)",
            "a String, INDEX i a TYPE minmax",
            "a String, CONSTRAINT c CHECK file('x') = ''",
            "a String)",
            "`a\\` String DEFAULT file('x'), `b` String",
            "a String -- DEFAULT\n DEFAULT file('x')",
        ] {
            assert!(!is_plain(text), "{text}");
        }
    }
}
