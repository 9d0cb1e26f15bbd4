//! Where a text does not parse, and whether the engine would say so too.
//!
//! The grammar keeps the shape of half-typed queries: behind `a +` it reads `FROM t` as a clause and notes that an
//! operand is missing. The engine reads a column `FROM` with the alias `t`. To be an error, a fault has to stay one when
//! such words are read as names.

use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};

use text_size::TextRange;
use tree_sitter::{Language, LogType};

use super::ast::{Event, Kind, Node, Walk, place, text as text_of};
use super::{Tree, parse, parse_logged, strict};
use crate::range;

/// Text that does not parse.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SyntaxError {
    /// The text, or the place where something is missing.
    pub range: TextRange,
    /// What is wrong.
    pub message: String,
}

/// How the engine reads a text.
#[derive(Debug)]
pub struct Reading {
    /// The tree. Where only that makes a query of the text, a keyword is a name in it; all places are the text's.
    pub tree: Tree,
    /// Where the engine's parser refuses it, in order of place. In a template only what no parameter can mend.
    pub errors: Vec<SyntaxError>,
}

/// How many words of one text may turn out to be names. Each costs up to three parses.
const MAX_NAMES: usize = 4;

/// Longer texts, and those with more faults, are not parsed again: hostile ones take a second each time.
const MAX_BYTES: usize = 1 << 15;
const MAX_FAULTS: usize = 32;

/// Parses `text` as the engine does; `None` where [`parse`] gives up. As fast as that when nothing is wrong, and some ten
/// times slower otherwise.
pub fn read(text: &str) -> Option<Reading> {
    let tree = parse(text)?;
    let found = faults(text, &tree);
    if found.is_empty() {
        return Some(Reading { tree, errors: Vec::new() });
    }
    Some(match with_names(text, &found) {
        Some(named) => Reading { tree: parse(&named)?, errors: Vec::new() },
        None => Reading { errors: with_first_token(text, found), tree },
    })
}

/// The text with names in place of the keywords that the engine reads as names, as [`read`] does; all places are the same.
pub fn as_read(text: &str) -> Option<String> {
    let found = faults(text, &parse(text)?);
    Some(with_names(text, &found).unwrap_or_else(|| text.to_owned()))
}

/// The errors of a text whose tree is at hand, as [`read`] has them; none where it would take too long to tell whether
/// the engine has them too.
pub fn errors(text: &str, tree: &Tree) -> Vec<SyntaxError> {
    let found = faults(text, tree);
    if !is_read_again(text, &found) || found.is_empty() || with_names(text, &found).is_some() {
        return Vec::new();
    }
    with_first_token(text, found)
}

/// Something wrong with a tree.
struct Fault {
    range: TextRange,
    message: String,
    /// Found by the parser's recovery, which skips what costs least: the parser stopped somewhere else.
    is_recovered: bool,
}

impl Fault {
    fn start(&self) -> usize {
        self.range.start().into()
    }
}

/// All faults of a tree, in order.
fn faults(text: &str, tree: &Tree) -> Vec<Fault> {
    // Branches of a template stand side by side, and what an output becomes is not known.
    let is_template = ["{{", "{%"].iter().any(|open| text.contains(open));
    let mut out = Vec::new();
    let mut around = strict::Around::default();
    let mut walk = Walk::new(tree.root_node());
    while let Some(event) = walk.next() {
        let node = match event {
            Event::Enter(node) => node,
            Event::Leave(node) => {
                around.leave(Kind::of(node));
                continue;
            }
        };
        let kind = Kind::of(node);
        if let Some(message) = fault(text, kind, node) {
            let is_recovered = kind == Kind::Error || node.is_missing();
            out.push(Fault { range: place(node), message, is_recovered });
        } else if !is_template && let Some((node, message)) = strict::fault(text, kind, node, &around) {
            out.push(Fault { range: place(node), message, is_recovered: false });
        }
        around.enter(kind);
        // What is inside an error is guesswork.
        if kind == Kind::Error {
            walk.skip_inside();
        }
    }
    out.sort_by_key(|fault| fault.range.start());
    out
}

/// What is wrong with a node. The grammar gives common slips nodes of their own, so that a half-typed query keeps the
/// rest of its tree.
fn fault(text: &str, kind: Kind, node: Node<'_>) -> Option<String> {
    Some(match kind {
        Kind::MissingOperand => "an expression is missing here".to_owned(),
        Kind::MissingName => "a name is missing behind the dot".to_owned(),
        Kind::MissingParenthesis => "the closing parenthesis of these arguments is missing".to_owned(),
        Kind::UnclosedComment => "this comment is never closed".to_owned(),
        Kind::UnclosedString => "this string is never closed".to_owned(),
        Kind::UnclosedTemplate | Kind::UnclosedStatement => "this template tag is never closed".to_owned(),
        _ if node.is_missing() => format!("{} is missing here", missing(node)),
        Kind::Error => unexpected(text_of(node, text)),
        _ => return None,
    })
}

/// How what is missing is called to people.
fn missing(node: Node<'_>) -> String {
    match node.kind() {
        "identifier" => "a name".to_owned(),
        sign if !sign.starts_with(|c: char| c.is_ascii_alphabetic()) => format!("`{sign}`"),
        other => other.replace('_', " "),
    }
}

fn unexpected(found: &str) -> String {
    let found: String = found.chars().take(40).collect();
    format!("`{}` is not expected here", found.trim())
}

fn is_read_again(text: &str, found: &[Fault]) -> bool {
    text.len() <= MAX_BYTES && found.len() <= MAX_FAULTS
}

/// The text without a fault that `text` is once words at its faults are names.
fn with_names(text: &str, found: &[Fault]) -> Option<String> {
    let first = found.first().filter(|_| is_read_again(text, found))?;
    let mut text = text.to_owned();
    let (mut at, mut is_recovered) = (first.start(), first.is_recovered);
    for _ in 0..MAX_NAMES {
        let mut next = None;
        for word in candidates(&text, at, is_recovered) {
            let renamed = as_name(&text, &word);
            let tree = parse(&renamed)?;
            if !may_be_name(&text, &word, &tree) {
                continue;
            }
            match faults(&renamed, &tree).first() {
                None => return Some(renamed),
                Some(fault) if fault.start() > at && next.is_none() => {
                    next = Some((renamed, fault.start(), fault.is_recovered));
                }
                Some(_) => {}
            }
        }
        (text, at, is_recovered) = next?;
    }
    None
}

/// Keywords that a fault at `at` may be due to: the next one, and when the parser skipped text those around it.
fn candidates(text: &str, at: usize, is_recovered: bool) -> Vec<Range<usize>> {
    let this = word_at(text, first_token(text, at));
    let mut out = vec![this.clone()];
    if is_recovered {
        let before = text[..at].trim_end().len();
        let start = text[..before].trim_end_matches(is_word_char).len();
        out.push(start..before);
        out.push(word_at(text, first_token(text, this.end)));
    }
    out.retain(|word| is_keyword(&text[word.clone()]));
    out
}

fn is_word_char(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_' || c == '$'
}

fn word_at(text: &str, at: usize) -> Range<usize> {
    let rest = &text[at..];
    at..at + rest.find(|c| !is_word_char(c)).unwrap_or(rest.len())
}

/// Whether the grammar has a word of that text. `NOT` is none that could be a name: wherever an operand may stand the
/// engine reads the operator.
fn is_keyword(word: &str) -> bool {
    let upper = word.to_ascii_uppercase();
    let language: Language = headwater_grammar::SQL.into();
    !word.is_empty() && upper != "NOT" && language.id_for_node_kind(&upper, false) != 0
}

/// The text with a name of the same length in place of `word`.
fn as_name(text: &str, word: &Range<usize>) -> String {
    let name: String = std::iter::once('z').chain(std::iter::repeat('_')).take(word.len()).collect();
    format!("{}{name}{}", &text[..word.start], &text[word.end..])
}

/// Whether the engine, too, reads the word as a name where `tree` has one in its place.
fn may_be_name(text: &str, word: &Range<usize>, tree: &Tree) -> bool {
    let keyword = &text[word.clone()];
    // `SELECT FROM t` selects nothing; `SELECT FROM (t)` is a call.
    let before = text[..word.start].trim_end();
    let start = before.trim_end_matches(is_word_char).len();
    if keyword.eq_ignore_ascii_case("FROM") && before[start..].eq_ignore_ascii_case("SELECT") {
        return text[first_token(text, word.end)..].starts_with('(');
    }
    let is_it = |node: &Node<'_>| Kind::of(*node) == Kind::Identifier && node.byte_range() == *word;
    let Some(node) = tree.root_node().descendants().find(is_it) else { return false };
    let Some(parent) = node.parent() else { return false };
    let is_alias = strict::part(parent, "alias") == Some(node);
    let has_as = node.prev_sibling().is_some_and(|n| n.kind() == "AS");
    !is_alias || has_as || strict::is_alias(keyword, Kind::of(parent) != Kind::TableRef)
}

/// The errors, in place of what recovery skipped the first token that fits nothing.
fn with_first_token(text: &str, mut found: Vec<Fault>) -> Vec<SyntaxError> {
    if is_read_again(text, &found)
        && let Some(index) = found.iter().position(|fault| fault.is_recovered)
        && let Some(at) = first_unexpected(text)
    {
        let token = token_at(text, at);
        let message = if !token.is_empty() {
            unexpected(&text[token.clone()])
        } else if found[index].message.ends_with("is missing here") {
            found[index].message.clone()
        } else {
            "the query ends here before it is complete".to_owned()
        };
        let range = range(token.start, token.end);
        found.retain(|fault| !fault.is_recovered || fault.range.start() > range.end());
        found.push(Fault { range, message, is_recovered: true });
        found.sort_by_key(|fault| fault.range.start());
    }
    found.into_iter().map(|Fault { range, message, .. }| SyntaxError { range, message }).collect()
}

/// Where the first token stands that no query continues with after what is before it.
///
/// The tree does not tell, but the parser's log does: it names the place of each step, and each way of reading the text
/// that ends. When the last one ends, recovery begins.
fn first_unexpected(text: &str) -> Option<usize> {
    let furthest = Arc::new(AtomicUsize::new(0));
    let stopped = Arc::new(AtomicBool::new(false));
    let (far, stop) = (Arc::clone(&furthest), Arc::clone(&stopped));
    let line_starts = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n').map(|(at, _)| at + 1);
    let lines: Vec<usize> = std::iter::once(0).chain(line_starts).collect();
    let mut at = 0;
    let log = move |kind: LogType, message: &str| {
        if kind == LogType::Lex || stop.load(Relaxed) {
            return;
        }
        if message.starts_with("process ") {
            let place = number(message, "row:").zip(number(message, "col:"));
            at = place.and_then(|(row, column)| Some(lines.get(row)? + column)).unwrap_or(0);
        } else if message.starts_with("detect_error") {
            far.fetch_max(at, Relaxed);
        } else if message.starts_with("resume version") {
            stop.store(true, Relaxed);
        }
    };
    parse_logged(text, Box::new(log), &stopped);
    let at = furthest.load(Relaxed);
    (stopped.load(Relaxed) && text.is_char_boundary(at)).then(|| first_token(text, at))
}

fn number(message: &str, name: &str) -> Option<usize> {
    let rest = message.split_once(name)?.1;
    rest[..rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len())].parse().ok()
}

/// The first token at or behind `at`: blanks and comments are none.
fn first_token(text: &str, mut at: usize) -> usize {
    loop {
        at = text.len() - text[at..].trim_start().len();
        let rest = &text[at..];
        let comment = if rest.starts_with("--") {
            rest.find('\n')
        } else if rest.starts_with("/*") {
            rest.find("*/").map(|length| length + 2)
        } else {
            return at;
        };
        at = comment.map_or(text.len(), |length| at + length);
    }
}

/// The token that begins at `at`: a word, a quoted text, or a sign.
fn token_at(text: &str, at: usize) -> Range<usize> {
    let word = word_at(text, at);
    if !word.is_empty() {
        return word;
    }
    let rest = &text[at..];
    let length = match rest.chars().next() {
        Some(quote @ ('\'' | '"' | '`')) => rest[1..].find(quote).map_or(rest.len(), |n| n + 2),
        Some(sign) => sign.len_utf8(),
        None => 0,
    };
    at..at + length
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is wrong first, and the text there.
    fn first(sql: &str) -> String {
        let reading = read(sql).expect("short texts are parsed");
        let found = reading.errors.first();
        found.map_or_else(String::new, |e| format!("{}: {}", &sql[e.range], e.message))
    }

    #[test]
    fn keywords_are_names_where_the_engine_reads_them_so() {
        for sql in [
            "SELECT a + FROM t",
            "SELECT * * FROM t WHERE b",
            "SELECT SELECT * FROM t",
            "SELECT a AND AND b",
            "SELECT CASE WHEN a THEN THEN b ELSE ELSE c END",
            "SELECT a IS",
            "SELECT t. FROM u",
            "SELECT sum(a) OVER (ORDER ORDER BY b)",
        ] {
            assert_eq!(first(sql), "", "{sql}");
        }
        let tree = read("SELECT a + FROM t").expect("short texts are parsed").tree;
        let from = tree.root_node().descendants().find(|n| n.kind() == "from_clause");
        assert_eq!(from, None, "FROM is a column, and `t` its alias");
    }

    #[test]
    fn an_error_is_where_the_parser_stops() {
        let sql = "SELECT a, b FROM (SELECT a a b FROM t WHERE x = (1 + 2) GROUP BY a) ORDER BY a";
        assert_eq!(first(sql), "b: `b` is not expected here");
        assert_eq!(first("SELECT f(a FROM t"), ": the closing parenthesis of these arguments is missing");
        assert_eq!(first("SELECT a FROM"), ": the query ends here before it is complete");
        assert_eq!(first("SELECT a -- x\n /* y */ ] FROM t"), "]: `]` is not expected here");
        assert_eq!(first("SELECT FROM t"), ": an expression is missing here");
    }

    #[test]
    fn what_only_the_grammar_takes_is_an_error() {
        for (sql, expected) in [
            ("SELECT a FROM t LIMIT 1 WHERE b", "WHERE: WHERE belongs before LIMIT"),
            ("SELECT a FROM t WHERE b WHERE c", "WHERE: this query has WHERE already"),
            ("SELECT f(a,)", ",: something is missing behind this comma"),
            (
                "SELECT a FROM t JOIN u",
                "JOIN: this join has no condition; add ON or USING, or write CROSS JOIN",
            ),
            ("SELECT a FROM t CROSS JOIN u ON b", "ON: this kind of join takes no condition"),
            ("SELECT a ALL, b", "ALL: `ALL` is not expected here"),
            ("SELECT f(a b)", "b: `b` is not expected here"),
            ("SELECT * AS a", "a: `*` stands for several columns and takes no alias"),
            ("a, b", "a: no statement begins so; a query begins with SELECT or WITH"),
            ("SELECT 1 SELECT 2", "SELECT: a second query begins here; put UNION ALL or `;` before it"),
            ("SELECT a ORDER BY b NULLS LAST DESC", "DESC: ASC OR DESC belongs before NULLS"),
            (
                "SELECT (SELECT 1 FORMAT JSON)",
                "FORMAT: this belongs to the whole statement and stands at its end",
            ),
            ("SELECT if(SELECT 1)", "SELECT: a query as an argument needs parentheses of its own"),
            ("SELECT {'a': 1}", "{: a map is written `map('key', value)` here"),
        ] {
            assert_eq!(first(sql), expected, "{sql}");
        }
        for sql in [
            "SELECT (a,), (a, b,)",
            "SELECT a FROM t LIMIT 1 BY b LIMIT 2 SETTINGS c = 1 FORMAT JSON SETTINGS d = 2",
            "SELECT trim(BOTH a b FROM c), CAST(a b AS Date)",
            "SELECT a FROM t CROSS JOIN u",
            "SELECT a FROM remote('x', view(SELECT 1)) WHERE b = any(SELECT 1)",
            "SELECT a SETTINGS b = {'c': 1}",
            "FROM t SELECT a GROUP BY a WITH ROLLUP WITH TOTALS",
            "(SELECT 1 SETTINGS a = 1) UNION ALL SELECT 2 FORMAT JSON",
        ] {
            assert_eq!(first(sql), "", "{sql}");
        }
        // Branches of a template stand side by side.
        assert_eq!(first("SELECT 1 {% if a %} WHERE b {% else %} WHERE c {% end %}"), "");
    }

    #[test]
    fn hostile_texts_take_no_time() {
        let n = 2_000;
        for sql in
            ["SELECT a + FROM ".repeat(n), "(((".repeat(n), "FROM FROM ".repeat(n), "é SELECT\n".repeat(n)]
        {
            read(&sql);
        }
    }
}
