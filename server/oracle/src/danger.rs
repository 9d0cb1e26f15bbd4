//! Queries that are not put to the engine, because looking at them may already do something.

/// Functions that the engine computes while it analyses a query, and that reach outside of it. Grants keep table functions,
/// dictionaries and foreign tables away; this one they do not ([`headwater_warehouse`] says so).
const READERS: &[&str] = &["file"];

/// The function of `sql` that must not be computed, if there is one. It reads tokens, not trees: what our grammar takes
/// for a text may be a call to the engine, so whatever looks like a call counts.
pub(crate) fn danger(sql: &str) -> Option<&'static str> {
    if has_escaped_call(sql) {
        return Some("a name with escapes");
    }
    let lower = sql.to_ascii_lowercase();
    READERS.iter().copied().find(|name| {
        lower.match_indices(name).any(|(at, _)| {
            let is_word = |c: char| c.is_alphanumeric() || c == '_';
            let before = lower[..at].chars().next_back();
            let behind = &lower[at + name.len()..];
            !before.is_some_and(is_word) && !behind.starts_with(is_word) && opens_call(behind)
        })
    })
}

/// Whether something is called by a quoted name with a backslash in it, which may spell anything.
fn has_escaped_call(sql: &str) -> bool {
    // Four letters, each written as `\\x66`, and room.
    const LONGEST: usize = 40;
    let quotes = sql.match_indices(['`', '"']);
    quotes.into_iter().any(|(start, quote)| {
        let inside = &sql[start + 1..];
        let ends = inside.match_indices(quote).take_while(|(end, _)| *end <= LONGEST);
        ends.into_iter().any(|(end, _)| inside[..end].contains('\\') && opens_call(&inside[end + 1..]))
    })
}

/// Whether the text goes on with an opening parenthesis, but for blanks, comments and the quote that ends a name.
fn opens_call(text: &str) -> bool {
    let mut rest = text.trim_start_matches(['`', '"']).trim_start();
    loop {
        let behind = if rest.starts_with("--") || rest.starts_with('#') {
            rest.split_once('\n').map(|(_, behind)| behind)
        } else if let Some(comment) = rest.strip_prefix("/*") {
            comment.split_once("*/").map(|(_, behind)| behind)
        } else {
            return rest.starts_with('(');
        };
        let Some(behind) = behind else { return false };
        rest = behind.trim_start();
    }
}

#[cfg(test)]
mod tests {
    use super::danger;

    #[test]
    fn whatever_looks_like_a_call_counts() {
        for sql in [
            "SELECT file('/etc/passwd')",
            "SELECT FILE ( 'x')",
            "SELECT `file`('x')",
            "SELECT \"file\" ('x')",
            "SELECT file/* ( */('x')",
            "SELECT file -- no\n /* no */ # no\n ('x')",
            "SELECT 1 AS x, toString(file('y'))",
        ] {
            assert_eq!(danger(sql), Some("file"), "{sql}");
        }
        assert!(danger(r"SELECT `f\x69le`('/etc/passwd')").is_some());
        assert!(danger(r#"SELECT "\x66ile" ('/etc/passwd')"#).is_some());
        assert_eq!(danger(r"SELECT `a b`, match(x, '\d'), `c` FROM t"), None);
        for sql in
            ["SELECT file, size FROM t", "SELECT profile(x)", "SELECT file_name(x)", "SELECT a.file = (1)"]
        {
            assert_eq!(danger(sql), None, "{sql}");
        }
    }
}
