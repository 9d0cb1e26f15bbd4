//! Linked editing in templates: a parameter or a variable is one name in all tags of a node, and is typed once.

use headwater_analysis::syntax::template::{Piece, parameters, parse};
use headwater_analysis::{Db, File, TextRange, TextSize};

use crate::place::query_at;
use crate::tokens::{TokenKind, is_word_char, tokens};

/// The places that are typed together with the one at `offset`; empty when there is only one.
pub fn linked_ranges(db: &dyn Db, file: File, offset: TextSize) -> Vec<TextRange> {
    let Some((_, body, at)) = query_at(db, file, offset) else { return Vec::new() };
    let text: &str = &body.text;
    let names = names(text);
    let places = places(text);
    let Some((name, _)) = places.iter().find(|(_, r)| r.contains_inclusive(at)) else { return Vec::new() };
    if !names.contains(&(*name).to_owned()) {
        return Vec::new();
    }
    let all: Vec<_> = places.iter().filter(|(n, _)| n == name).map(|(_, r)| body.to_source(*r)).collect();
    if all.len() > 1 { all } else { Vec::new() }
}

/// Parameters and variables of a template.
fn names(text: &str) -> Vec<String> {
    let tree = parse(text);
    let mut names: Vec<String> = parameters(text, &tree).into_iter().map(|p| p.name).collect();
    tree.walk(&mut |piece| {
        if let Piece::Set { names: bound, .. } | Piece::Loop { names: bound, .. } = piece {
            names.extend(bound.iter().map(|n| n.value.clone()));
        }
    });
    names
}

/// Words inside of tags that are no texts, no keywords of calls, no functions, no attributes.
fn places(text: &str) -> Vec<(&str, TextRange)> {
    let mut out = Vec::new();
    for tag in tokens(text).into_iter().filter(|t| matches!(t.kind, TokenKind::Output | TokenKind::Control)) {
        let inner = tag.text(text);
        let mut at = 0;
        while at < inner.len() {
            let rest = &inner[at..];
            let Some(c) = rest.chars().next() else { break };
            let len = if matches!(c, '\'' | '"') {
                rest[1..].find(c).map_or(rest.len(), |n| n + 2)
            } else if is_word_char(c) {
                let len = rest.find(|c| !is_word_char(c)).unwrap_or(rest.len());
                let behind = rest[len..].trim_start();
                let is_keyword =
                    behind.starts_with('=') && !behind.starts_with("==") && tag.kind == TokenKind::Output;
                let is_other = behind.starts_with('(') || inner[..at].ends_with('.') || c.is_ascii_digit();
                if !is_keyword && !is_other {
                    let start = tag.range.start() + TextSize::of(&inner[..at]);
                    out.push((&rest[..len], TextRange::at(start, TextSize::of(&rest[..len]))));
                }
                len
            } else {
                c.len_utf8()
            };
            at += len;
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use headwater_test_fixture::Fixture;

    fn count(sql: &str) -> usize {
        let fixture = Fixture::parse(&format!("//- p.pipe\nNODE n\nSQL >\n    %\n    {sql}\n"));
        let (db, _, files) = fixture.load();
        let (index, offset) = fixture.cursor.expect("a cursor");
        linked_ranges(&db, files[index], offset).len()
    }

    #[test]
    fn names_of_tags_are_typed_together() {
        assert_eq!(
            count("SELECT {{Int32(da$0ys, 7, description='days')}} {% if defined(days) %}1{% end %}"),
            2
        );
        assert_eq!(count("{% for x in [1] %}{{x$0}}{% end %}"), 2);
        assert_eq!(count("SELECT day$0s, {{Int32(days)}}"), 0);
        assert_eq!(count("SELECT {{Int$032(days)}}"), 0);
    }
}
