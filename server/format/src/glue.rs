//! Whether blanks around tags count.
//!
//! Tags that print nothing may stand between two words: `events_{% if a %}daily{% end %}`. A blank put beside such a tag
//! would make two words of one. That can only happen where some rendering puts two texts together with nothing but tags
//! between them; where none does, blanks around tags are as free as blanks anywhere else.

use headwater_syntax::template::{Arm, Part, Piece, Template};
use headwater_syntax::{TextRange, TextSize};

/// What a stretch of a template may look like from outside, over all renderings.
#[derive(Debug, Clone, Copy, Default)]
struct Edges {
    /// It may begin with a word, without a blank before.
    word_first: bool,
    /// It may end with one.
    word_last: bool,
    /// It may print nothing at all.
    empty: bool,
}

/// Whether some rendering may join two words across a tag. `template` is the tree of `text`. Errs to yes. Linear.
pub(crate) fn joins_words(text: &str, template: &Template) -> bool {
    let mut check = Check { text, joined: false };
    let whole = TextRange::up_to(TextSize::of(text));
    check.sequence(&template.pieces, whole);
    check.joined
}

struct Check<'t> {
    text: &'t str,
    joined: bool,
}

impl Check<'_> {
    fn sequence(&mut self, pieces: &[Piece], range: TextRange) -> Edges {
        let nothing = Edges { empty: true, ..Edges::default() };
        let mut all = nothing;
        let mut at = range.start();
        let mut across_tag = false;
        for piece in pieces {
            let place = piece.range();
            let gap = TextRange::new(at, place.start().max(at));
            if !gap.is_empty() {
                let edges = self.words(gap);
                all = self.then(all, edges, across_tag);
                across_tag = false;
            }
            at = place.end().max(at);
            let prints = Edges { word_first: true, word_last: true, empty: false };
            match piece {
                Piece::Output { .. } | Piece::Escape(_) => {
                    all = self.then(all, prints, across_tag);
                    across_tag = false;
                }
                Piece::Set { .. } | Piece::Silent(_) => across_tag = true,
                Piece::Jump { .. } => {
                    // What follows is no longer what stands behind it.
                    self.joined = true;
                }
                Piece::If { arms, .. } => {
                    let edges = self.arms(arms, !arms.iter().any(|arm| arm.part == Part::Else));
                    all = self.then(all, edges, true);
                    across_tag = true;
                }
                Piece::Try { parts, .. } => {
                    let edges = self.arms(parts, true);
                    all = self.then(all, edges, true);
                    across_tag = true;
                }
                Piece::Loop { parts, .. } => {
                    let edges = self.arms(parts, true);
                    // Round after round.
                    let edges = self.then(edges, edges, true);
                    all = self.then(all, Edges { empty: true, ..edges }, true);
                    across_tag = true;
                }
            }
        }
        let gap = TextRange::new(at.min(range.end()), range.end());
        if !gap.is_empty() {
            let edges = self.words(gap);
            all = self.then(all, edges, across_tag);
        }
        all
    }

    fn arms(&mut self, arms: &[Arm], or_none: bool) -> Edges {
        let mut any = Edges { empty: or_none, ..Edges::default() };
        for arm in arms {
            let edges = self.sequence(&arm.body, arm.body_range);
            any.word_first |= edges.word_first;
            any.word_last |= edges.word_last;
            any.empty |= edges.empty;
        }
        any
    }

    fn then(&mut self, left: Edges, right: Edges, across_tag: bool) -> Edges {
        if left.word_last && right.word_first && across_tag {
            self.joined = true;
        }
        Edges {
            word_first: left.word_first || left.empty && right.word_first,
            word_last: right.word_last || right.empty && left.word_last,
            empty: left.empty && right.empty,
        }
    }

    /// A text between tags: a word, unless it begins or ends with what is a token whatever stands beside it.
    fn words(&self, range: TextRange) -> Edges {
        let text = &self.text[range];
        let apart = |c: char| is_space(c) || is_apart(c);
        Edges { word_first: !text.starts_with(apart), word_last: !text.ends_with(apart), empty: false }
    }
}

/// Whether this is a token, or part of an operator, whatever stands beside it: a blank there changes nothing. An operator
/// in two halves, with a tag between them, is not thought of.
pub(crate) fn is_apart(c: char) -> bool {
    matches!(
        c,
        '(' | ')' | '[' | ']' | ',' | ';' | '=' | '<' | '>' | '!' | '+' | '-' | '*' | '/' | '%' | '|' | '?'
    )
}

/// White space to the engine, or to the grammar.
pub(crate) fn is_space(c: char) -> bool {
    c.is_whitespace() || matches!(c, '\u{180E}' | '\u{200B}'..='\u{200D}' | '\u{FEFF}')
}

#[cfg(test)]
mod tests {
    use super::*;
    use headwater_syntax::template::parse;

    #[test]
    fn words_are_joined_across_tags_only() {
        for joined in [
            "a{% if x %}b{% end %}",
            "a{% if x %} b {% end %}c",
            "a{% if x %}{% end %}b",
            "{{a}}{# c #}b",
            "{% for x in y %}a{% end %}",
            "{% for x in y %}{% if a %},{% end %}{{x}}{% end %}",
            "a{% if x %} b {% end %}{% if y %} c {% end %}d",
            "a{% if x %}{% if y %} b {% end %}{% end %}c",
        ] {
            assert!(joins_words(joined, &parse(joined)), "{joined}");
        }
        for apart in [
            "a{{b}}c",
            "a{% if x %}, b{% end %} c",
            "a {% if x %}AND b = {{x}}{% end %} c",
            "a {% if x %}b{% else %}c{% end %} d",
            "({% if x %}b{% end %})",
            "{% for x in y %} {{x}}{% end %}",
        ] {
            assert!(!joins_words(apart, &parse(apart)), "{apart}");
        }
    }
}
