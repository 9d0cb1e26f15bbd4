//! Texts without what means nothing: white space, comments, the case of keywords, needless quotes.
//!
//! Two texts with one canonical form mean the same; two with different forms may. The forms are stable across runs and
//! versions of the grammar as far as its words are, since fingerprints are made of them.

use headwater_analysis::TextRange;
use headwater_catalog::Type;
use headwater_syntax::sql;
use headwater_syntax::sql::ast::{Event, Kind, Walk, place};

/// The canonical form of a query, or of a template that makes one. Linear.
pub(crate) fn query(text: &str) -> String {
    canonical(text, 0)
}

/// The canonical form of an expression or of a list of them.
pub(crate) fn expression(text: &str) -> String {
    let text = text.trim();
    if text.is_empty() {
        return String::new();
    }
    const SELECT: &str = "SELECT ";
    canonical(&format!("{SELECT}{text}"), SELECT.len())
}

/// The canonical spelling of a type; what is no type keeps its text.
pub(crate) fn ty(text: &str) -> String {
    match Type::parse(text) {
        Ok(ty) => ty.to_string(),
        Err(_) => joined(&words(text)),
    }
}

/// A key as the columns and expressions that it consists of: `tuple()`, parentheses and quotes around it taken off.
pub(crate) fn key(text: &str) -> Vec<String> {
    let mut text = text.trim().trim_matches(['"', '\'']).trim();
    loop {
        let inner = text.strip_prefix("tuple").unwrap_or(text).trim_start();
        match inner.strip_prefix('(').and_then(|t| t.strip_suffix(')')) {
            Some(inner) if closes_last(inner) => text = inner.trim(),
            _ => break,
        }
    }
    if text.is_empty() { Vec::new() } else { split(text).iter().map(|part| expression(part)).collect() }
}

/// Whether parentheses in `text` are balanced without the pair around it.
fn closes_last(text: &str) -> bool {
    let mut depth = 0i32;
    for c in text.chars() {
        match c {
            '(' => depth += 1,
            ')' => depth -= 1,
            _ => {}
        }
        if depth < 0 {
            return false;
        }
    }
    depth == 0
}

/// Splits a list at its outer commas. Quotes and brackets are heeded.
pub(crate) fn split(text: &str) -> Vec<&str> {
    let (mut out, mut start, mut depth, mut quote) = (Vec::new(), 0, 0i32, None);
    for (at, c) in text.char_indices() {
        match (quote, c) {
            (Some(q), c) if q == c => quote = None,
            (Some(_), _) => {}
            (None, '\'' | '"' | '`') => quote = Some(c),
            (None, '(' | '[' | '{') => depth += 1,
            (None, ')' | ']' | '}') => depth -= 1,
            (None, ',') if depth == 0 => {
                out.push(text[start..at].trim());
                start = at + 1;
            }
            _ => {}
        }
    }
    out.push(text[start..].trim());
    out.retain(|part| !part.is_empty());
    out
}

/// From `skip` on; what stands before only makes the rest parse.
fn canonical(text: &str, skip: usize) -> String {
    let tokens = tree_tokens(text, skip).unwrap_or_else(|| words(&text[skip..]));
    joined(&tokens).trim_end_matches([';', ' ']).to_owned()
}

/// Tokens as one would write them: calls without a gap, lists with one behind commas.
fn joined(tokens: &[String]) -> String {
    let mut out = String::new();
    let mut last = "";
    for token in tokens {
        let token = token.as_str();
        let is_word = |t: &str| t.chars().all(|c| c.is_alphanumeric() || c == '_') && !t.is_empty();
        // Keywords are in capitals here, and names seldom are.
        let is_call = token == "(" && is_word(last) && last.chars().any(char::is_lowercase);
        let is_tight = matches!(token, ")" | "," | "." | "]" | ";" | "::")
            || matches!(last, "(" | "." | "[" | "::")
            || token == "[" && is_word(last)
            || is_call;
        if !out.is_empty() && !is_tight {
            out.push(' ');
        }
        out.push_str(token);
        last = token;
    }
    out
}

/// The leaves of the tree; `None` where the text does not parse, since what a broken tree leaves out is not known.
fn tree_tokens(text: &str, skip: usize) -> Option<Vec<String>> {
    let tree = sql::parse(text).filter(|tree| !tree.has_error())?;
    let mut out = Vec::new();
    let mut end = 0;
    for event in Walk::new(tree.root_node()) {
        let Event::Enter(node) = event else { continue };
        if node.start_byte() < end || node.end_byte() <= skip {
            continue;
        }
        let whole = matches!(
            Kind::of(node).name(),
            "string"
                | "template_output"
                | "template_statement"
                | "template_comment"
                | "comment"
                | "identifier"
        );
        if node.children().next().is_some() && !whole {
            continue;
        }
        let range = place(node);
        if range.is_empty() {
            continue;
        }
        // Between leaves there is white space only; anything else means that this walk does not see all.
        if !text[end.max(skip)..node.start_byte().max(skip)].trim().is_empty() {
            return None;
        }
        end = node.end_byte();
        out.extend(leaf(text, range, Kind::of(node) != Kind::Token, Kind::of(node).name()));
    }
    if !text[end.max(skip)..].trim().is_empty() {
        return None;
    }
    Some(out)
}

fn leaf(text: &str, range: TextRange, is_named: bool, kind: &str) -> Option<String> {
    let word = &text[range];
    match kind {
        "template_comment" => None,
        // A template tag in a comment is evaluated all the same.
        "comment" => (word.contains("{{") || word.contains("{%")).then(|| joined(&words(word))),
        "string" => Some(word.to_owned()),
        "template_output" | "template_statement" => Some(joined(&words(word))),
        _ if word.starts_with('`') => Some(unquoted(word)),
        _ if is_named => Some(word.to_owned()),
        _ => Some(word.to_ascii_uppercase()),
    }
}

/// `` `x` `` as `x` where that is the same.
fn unquoted(word: &str) -> String {
    let inner = word.trim_matches('`');
    let is_simple = inner.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && inner.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    if is_simple && word.len() == inner.len() + 2 { inner.to_owned() } else { word.to_owned() }
}

/// The tokens of a text that need not be SQL: words, quoted text, signs; comments left out.
fn words(text: &str) -> Vec<String> {
    let (mut out, mut at) = (Vec::new(), 0);
    while let Some(c) = text[at..].chars().next() {
        let rest = &text[at..];
        let is_word = |c: char| c.is_alphanumeric() || c == '_';
        let len = match c {
            '-' if rest.starts_with("--") => {
                let line = rest.find('\n').unwrap_or(rest.len());
                if !rest[..line].contains("{{") && !rest[..line].contains("{%") {
                    at += line;
                    continue;
                }
                2
            }
            '/' if rest.starts_with("/*") => {
                at += rest.find("*/").map_or(rest.len(), |n| n + 2);
                continue;
            }
            '\'' | '"' | '`' => quoted(rest, c),
            c if is_word(c) => rest.find(|c| !is_word(c)).unwrap_or(rest.len()),
            c => c.len_utf8(),
        };
        if c == '`' {
            out.push(unquoted(&rest[..len]));
        } else if !c.is_whitespace() {
            out.push(rest[..len].to_owned());
        }
        at += len;
    }
    out
}

/// Length of the quoted text that `rest` starts with; of all of it when the quote never ends.
fn quoted(rest: &str, quote: char) -> usize {
    let mut escaped = false;
    for (at, c) in rest.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            c if c == quote => return at + c.len_utf8(),
            _ => {}
        }
    }
    rest.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formatting_and_comments_mean_nothing() {
        let long = "select  a, -- note\n  `b`\nfrom t  where x = 'A  b' /* c */ ;";
        assert_eq!(query(long), query("SELECT a, b FROM t WHERE x = 'A  b'"));
        assert_ne!(query("SELECT a FROM t"), query("SELECT A FROM t"));
        assert_ne!(query("SELECT 'a b'"), query("SELECT 'a  b'"));
        assert_eq!(query("%\nSELECT {{ Int32(x,1) }}"), query("%  SELECT\n{{Int32(x, 1)}}"));
        assert_ne!(query("% SELECT 1 -- {{ x }}"), query("% SELECT 1"));
        assert_eq!(expression("toStartOfDay( ts )"), expression("toStartOfDay(`ts`)"));
    }

    #[test]
    fn keys_are_lists() {
        assert_eq!(key("tuple()"), Vec::<String>::new());
        assert_eq!(key("\"a, b\""), ["a", "b"]);
        assert_eq!(key("(a, toDate(b))"), key("tuple(a,toDate( b ))"));
        assert_eq!(key("(a) , (b)").len(), 2);
    }

    #[test]
    fn types_are_spelled_one_way() {
        assert_eq!(ty("Decimal(10,2)"), ty("Decimal(10, 2)"));
        assert_eq!(ty("Nullable( String )"), "Nullable(String)");
    }
}
