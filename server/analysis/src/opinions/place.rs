//! Where a refusal belongs: the engine's semantic errors have no position, but they name names.

use headwater_syntax::sql::{self, ast};
use headwater_syntax::{TextRange, range};

/// How long an engine's message may be when it is shown.
const LONGEST: usize = 240;

/// The engine's words without what it repeats of the query, on one line.
pub(crate) fn short(words: &str) -> String {
    let own = own_words(words);
    let line = own.split_whitespace().collect::<Vec<_>>().join(" ");
    if line.chars().count() > LONGEST { line.chars().take(LONGEST).chain(['…']).collect() } else { line }
}

/// Up to where the engine begins to quote the query.
fn own_words(words: &str) -> &str {
    const SCOPES: &[&str] = &[
        " In scope ",
        " in scope ",
        ": In scope ",
        " In query ",
        ": while executing",
        ": While processing ",
        " while processing ",
    ];
    let end = SCOPES.iter().filter_map(|scope| words.find(scope)).min().unwrap_or(words.len());
    words[..end].trim_end_matches([':', '.', ',', ' '])
}

/// The place in `text` that the engine means: the first of the names in its words that stands there as a word of its own;
/// the longest part of a dotted name when the whole does not. `None` when no name is in its words, or none of them in the
/// text.
pub(crate) fn place(words: &str, text: &str) -> Option<TextRange> {
    let own = own_words(words);
    let named = names(own);
    let mut parts = Vec::new();
    for name in &named {
        parts.push(name.as_str());
        parts.extend(name.rsplit('.').filter(|part| part.len() < name.len()));
    }
    parts.into_iter().find_map(|name| find(text, name))
}

/// Whether the engine's words hold a name at all.
pub(crate) fn has_names(words: &str) -> bool {
    !names(own_words(words)).is_empty()
}

/// Names in quotes or behind `function`, in order: what is quoted says more than what is not.
fn names(words: &str) -> Vec<String> {
    let mut out: Vec<String> = Vec::new();
    let mut push = |name: &str| {
        let name = name.trim();
        if !name.is_empty() && !out.iter().any(|n| n == name) {
            out.push(name.to_owned());
        }
    };
    for quote in ['`', '\'', '"'] {
        let mut pieces = words.split(quote);
        pieces.next();
        while let (Some(inside), Some(_)) = (pieces.next(), pieces.next()) {
            push(inside);
        }
    }
    let plain: Vec<&str> =
        words.split(|c: char| c.is_whitespace() || matches!(c, '(' | ')' | ',' | ':' | ';')).collect();
    for pair in plain.windows(2) {
        let [before, name] = pair else { continue };
        if matches!(
            before.to_ascii_lowercase().as_str(),
            "function" | "functions" | "identifier" | "column" | "type"
        ) {
            push(name.trim_matches(['`', '\'', '"', '.']));
        }
    }
    // `Aggregate function sum(x) …`, `timezone: Mars/Olympus`.
    for name in &plain {
        if name.contains(['_', '/']) {
            push(name.trim_matches(['`', '\'', '"', '.']));
        }
    }
    out
}

/// Where a name stands as a word, outside of comments.
fn find(text: &str, name: &str) -> Option<TextRange> {
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    let whole = |at: usize| {
        let before = text[..at].chars().next_back();
        let behind = text[at + name.len()..].chars().next();
        let first = name.chars().next().is_some_and(is_word);
        let last = name.chars().next_back().is_some_and(is_word);
        !(first && before.is_some_and(is_word)) && !(last && behind.is_some_and(is_word))
    };
    let tree = sql::parse(text)?;
    let comments: Vec<TextRange> = ast::nodes(tree.root_node())
        .filter(|node| node.kind() == "comment")
        .map(|node| range(node.start_byte(), node.end_byte()))
        .collect();
    let mut hits = text.match_indices(name).map(|(at, _)| range(at, at + name.len()));
    hits.find(|hit| whole(usize::from(hit.start())) && !comments.iter().any(|c| c.contains_range(*hit)))
        .or_else(|| {
            // The engine writes its own spelling of functions.
            let (text, name) = (text.to_ascii_lowercase(), name.to_ascii_lowercase());
            let hit = text.match_indices(&name).map(|(at, _)| at).find(|at| whole(*at))?;
            Some(range(hit, hit + name.len()))
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at<'t>(words: &str, text: &'t str) -> Option<&'t str> {
        place(words, text).map(|r| &text[r])
    }

    #[test]
    fn names_in_the_engines_words_are_found_in_the_text() {
        for (words, text, wanted) in [
            (
                "Unknown expression identifier `hitz` in scope SELECT hitz FROM t",
                "SELECT hitzz, hitz FROM t",
                Some("hitz"),
            ),
            (
                "Identifier 'e.nope' cannot be resolved from table with name e. In scope SELECT e.nope",
                "SELECT e.id, e.nope FROM events AS e",
                Some("e.nope"),
            ),
            ("Identifier 'a.nope' cannot be resolved", "SELECT a . nope FROM events AS a", Some("nope")),
            (
                "Illegal type String of argument of function toStartOfDay",
                "SELECT tostartofday(url) FROM hits",
                Some("tostartofday"),
            ),
            ("Cannot load time zone Europe/Nowhere", "SELECT now('Europe/Nowhere')", Some("Europe/Nowhere")),
            ("There is no supertype for types String, UInt8", "SELECT [1, 'a']", None),
            ("Unknown expression identifier `x`", "-- x\nSELECT y, x", Some("x")),
        ] {
            assert_eq!(at(words, text), wanted, "{words}");
        }
        let place = place("Unknown expression identifier `x`", "-- x\nSELECT y, x").expect("found");
        assert_eq!(usize::from(place.start()), 15);
    }

    #[test]
    fn the_query_is_not_repeated() {
        assert_eq!(
            short("Unknown expression identifier `x` in scope SELECT x FROM t. Maybe you meant: ['y']"),
            "Unknown expression identifier `x`"
        );
        assert!(has_names("Illegal type of function foo") && !has_names("There is no supertype"));
    }
}
