//! Whether two texts of a query say the same: the promise that every block is held to before it is handed out.

use headwater_syntax::template::is_template;

use crate::lexer::{Token, TokenKind, tokens};
use crate::text::has_text_over_lines;

/// Whether `after` has the words, tags and comments of `before`, in their order. Linear.
///
/// A comment may end up behind a comma that it stood before, but never on the other side of a tag: what is between tags is
/// not always rendered. Beside `{{ }}` a blank counts, unless a bracket or a comma is on the other side of it; around other
/// tags none does, or the text was not to be laid out ([`joins_words`](crate::glue::joins_words)). Words differ in
/// case only if `any_case`.
pub(crate) fn same_sql(before: &str, after: &str, any_case: bool) -> bool {
    let (old, new) = (tokens(before), tokens(after));
    let words = |tokens: &[Token]| -> Vec<usize> {
        tokens.iter().enumerate().filter(|(_, t)| t.kind != TokenKind::Comment).map(|(n, _)| n).collect()
    };
    let (old_words, new_words) = (words(&old), words(&new));
    let same_words = old_words.len() == new_words.len()
        && old_words.iter().zip(&new_words).all(|(o, n)| {
            same_text(&before[old[*o].range.clone()], &after[new[*n].range.clone()], old[*o].kind, any_case)
                && glue(&old, *o) == glue(&new, *n)
        });
    let aside = |tokens: &[Token]| -> Vec<usize> {
        let aside = |t: &Token| matches!(t.kind, TokenKind::Comment | TokenKind::Tag | TokenKind::Output);
        tokens.iter().enumerate().filter(|(_, t)| aside(t)).map(|(n, _)| n).collect()
    };
    let (old_aside, new_aside) = (aside(&old), aside(&new));
    same_words
        && old_aside.len() == new_aside.len()
        && old_aside.iter().zip(&new_aside).all(|(o, n)| {
            old[*o].kind == new[*n].kind
                && same_text(
                    &before[old[*o].range.clone()],
                    &after[new[*n].range.clone()],
                    old[*o].kind,
                    false,
                )
        })
        && is_template(before) == is_template(after)
}

/// Whether the token hangs together with the one before it, where that means something.
fn glue(tokens: &[Token], n: usize) -> bool {
    let Some(before) = n.checked_sub(1).map(|n| &tokens[n]) else { return false };
    let token = &tokens[n];
    let both = [before.kind, token.kind];
    let free = |kind: &TokenKind| matches!(kind, TokenKind::Bracket | TokenKind::Comment | TokenKind::Tag);
    both.contains(&TokenKind::Output) && !both.iter().any(free) && before.range.end == token.range.start
}

fn same_text(before: &str, after: &str, kind: TokenKind, any_case: bool) -> bool {
    match kind {
        TokenKind::Comment => before.split('\n').map(str::trim_end).eq(after.split('\n').map(str::trim_end)),
        // A value's tag over several lines may be indented otherwise, where that is no part of a text.
        TokenKind::Output if before.contains('\n') && !has_text_over_lines(before) => {
            let lines = |tag: &'_ str| -> Vec<String> {
                tag.split('\n').map(|l| l.trim_start().to_owned()).collect()
            };
            lines(before) == lines(after)
        }
        TokenKind::Tag | TokenKind::Output => inner(before) == inner(after),
        _ => before == after || any_case && before.eq_ignore_ascii_case(after),
    }
}

/// A tag without the blanks inside its delimiters.
fn inner(tag: &str) -> (&str, &str) {
    let body = tag.get(2..tag.len().saturating_sub(2)).unwrap_or_default();
    (tag.get(..2).unwrap_or_default(), body.trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blanks_do_not_count_except_beside_tags() {
        assert!(same_sql("SELECT a,b -- c\nFROM t", "SELECT a, b\n-- c\n  FROM t", false));
        assert!(same_sql("%f({{a}},{{ b }})", "%f( {{ a }}, {{b}} )", false));
        assert!(same_sql("%a {{\n  b\n}}", "%a {{\n      b\n    }}", false));
        assert!(!same_sql("%a {{\n  'b\n  c'}}", "%a {{\n  'b\n c'}}", false));
        assert!(!same_sql("%a{{b}}", "%a {{b}}", false));
        assert!(same_sql("%{% if a %}y{% end %}", "%{% if a %} y\n{% end %}", false));
        assert!(!same_sql("'a  b'", "'a b'", false));
        assert!(!same_sql("a - -b", "a --b", false));
        assert!(!same_sql("SELECT a", "select a", false));
        assert!(same_sql("SELECT a", "select a", true));
    }

    #[test]
    fn comments_do_not_cross_tags() {
        assert!(same_sql("a -- x\n, b", "a, -- x\nb", false));
        assert!(!same_sql("%{% if a %} -- {{x}}\n{% end %} b", "%{% if a %} {% end %} -- {{x}}\nb", false));
        assert!(!same_sql("a -- x", "a", false));
    }
}
