//! The tree of tags: which text stands under which condition.

use text_size::TextRange;

use super::expr::{self, Expr, ExprKind};
use super::tags::{Tag, TagKind, tags};
use super::tokens::find_word;
use crate::Spanned;

/// A parsed template.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Template {
    /// Contents in order.
    pub pieces: Vec<Piece>,
    /// What is wrong, in order of position.
    pub errors: Vec<TemplateError>,
}

/// One piece of a template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Piece {
    /// `{{ expression }}`.
    Output {
        /// The tag with its delimiters.
        range: TextRange,
        /// What it prints.
        expr: Expr,
    },
    /// `{% if %} … {% elif %} … {% else %} … {% end %}`.
    If {
        /// From the first tag to the last.
        range: TextRange,
        /// Arms in order; `else` has no condition.
        arms: Vec<Arm>,
    },
    /// `{% for x in y %}` or `{% while c %}`.
    Loop {
        /// From the first tag to the last.
        range: TextRange,
        /// Names that a `for` binds; none for `while`.
        names: Vec<Spanned<String>>,
        /// What is looped over, or the condition.
        subject: Expr,
        /// The body, then the `else` part, which runs when nothing broke the loop.
        parts: Vec<Arm>,
    },
    /// `{% try %}` with its handlers, each an alternative.
    Try {
        /// From the first tag to the last.
        range: TextRange,
        /// The tried part, then each handler.
        parts: Vec<Arm>,
    },
    /// `{% set name = expression %}`, `{% set name += expression %}`, or an expression alone.
    Set {
        /// The tag.
        range: TextRange,
        /// The names bound, if this is an assignment.
        names: Vec<Spanned<String>>,
        /// What is assigned to: a name, several, or `d['key']`.
        target: Option<Expr>,
        /// The operator before `=`: `+` of `+=`.
        operator: Option<String>,
        /// The value.
        value: Expr,
    },
    /// `{{!`, `{%!` and `{#!`: the delimiter itself.
    Escape(TextRange),
    /// `{% break %}` or `{% continue %}`.
    Jump {
        /// The tag.
        range: TextRange,
        /// Whether it ends the loop, rather than the round.
        breaks: bool,
    },
    /// A comment, a statement without effect on the text (`whitespace`), or a tag that is none.
    Silent(TextRange),
}

/// Which part of a block an arm is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Part {
    /// What the block begins with: `if`, `for`, `while`, `try`.
    First,
    /// `elif`
    Elif,
    /// `else`
    Else,
    /// `except`, with the exceptions it names or without.
    Except,
    /// `finally`
    Finally,
    /// A tag that does not belong into the block.
    Stray,
}

/// One part of a block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Arm {
    /// Which part it is.
    pub part: Part,
    /// The tag that opens it.
    pub tag: TextRange,
    /// Its condition; `None` for `else` and for the parts of a `try`.
    pub condition: Option<Expr>,
    /// The text under it, without tags around.
    pub body_range: TextRange,
    /// What stands in it.
    pub body: Vec<Piece>,
}

/// Something wrong with a tag.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TemplateError {
    /// The tag, or the part of it.
    pub range: TextRange,
    /// What.
    pub kind: TemplateErrorKind,
}

/// The ways a template is malformed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TemplateErrorKind {
    /// `{{`, `{%` or `{#` without its end.
    UnclosedTag(&'static str),
    /// `{% if %}` and the like without `{% end %}`.
    UnclosedBlock(String),
    /// `{% end %}` with nothing open.
    ExtraEnd,
    /// `{% endif %}`, `{% endfor %}`: Jinja's spelling.
    JinjaEnd(String),
    /// `{% else if … %}`.
    ElseIf,
    /// `elif`, `else`, `except`, `finally` outside their block.
    Misplaced(String),
    /// A statement of the underlying engine that is switched off.
    ForbiddenStatement(String),
    /// No such statement.
    UnknownStatement(String),
    /// `{% %}` or `{{ }}`.
    Empty,
    /// Text in a tag that is no expression.
    BadExpression,
    /// `{% set %}` without a name, or with two `=`.
    BadSet,
    /// More nested blocks than this parser follows.
    TooDeep,
}

/// Blocks nested deeper than this are reported and not entered; people write three.
const MAX_DEPTH: usize = 200;

/// Parses a template's text. Linear; never fails.
pub fn parse(text: &str) -> Template {
    let tags = tags(text);
    let mut parser = Parser { text, tags: &tags, at: 0, errors: Vec::new(), depth: 0 };
    let mut pieces = Vec::new();
    loop {
        pieces.append(&mut parser.pieces());
        let Some(tag) = parser.take() else { break };
        // Only a closing or continuing statement stops `pieces` at the top level.
        let (word, _) = parser.statement(tag);
        let kind = match word {
            "end" => TemplateErrorKind::ExtraEnd,
            other => TemplateErrorKind::Misplaced(other.to_owned()),
        };
        parser.error(tag.range, kind);
        // No part of the query, like every control tag.
        pieces.push(Piece::Silent(tag.range));
    }
    let mut errors = parser.errors;
    errors.sort_by_key(|e| e.range.start());
    Template { pieces, errors }
}

/// Jinja's words for the end of a block. They close it here too, so that one slip is one error.
fn closes_in_jinja(word: &str) -> bool {
    matches!(word, "endif" | "endfor" | "endwhile" | "endtry")
}

struct Parser<'a> {
    text: &'a str,
    tags: &'a [Tag],
    at: usize,
    errors: Vec<TemplateError>,
    depth: usize,
}

impl<'a> Parser<'a> {
    fn take(&mut self) -> Option<Tag> {
        let tag = self.tags.get(self.at).copied();
        self.at += 1;
        tag
    }

    fn error(&mut self, range: TextRange, kind: TemplateErrorKind) {
        self.errors.push(TemplateError { range, kind });
    }

    /// First word of a statement and the place of the rest.
    fn statement(&self, tag: Tag) -> (&'a str, TextRange) {
        let inner = &self.text[tag.inner];
        let lead = inner.len() - inner.trim_start().len();
        let body = inner.trim();
        let len = body.find(|c: char| !(c.is_alphanumeric() || c == '_')).unwrap_or(body.len());
        let start = usize::from(tag.inner.start()) + lead;
        (&body[..len], crate::range(start + len, start + body.len()))
    }

    fn expression(&mut self, tag: Tag, at: TextRange) -> Expr {
        let (expr, errors) = expr::parse(self.text, at);
        if self.text[at].trim().is_empty() {
            self.error(tag.range, TemplateErrorKind::Empty);
        } else if let Some(first) = errors.first() {
            let range = if first.range.is_empty() { tag.range } else { first.range };
            self.error(range, TemplateErrorKind::BadExpression);
        }
        expr
    }

    /// Pieces up to `end`, a continuation (`elif`, `else`, …) or the end of the text; that tag is not consumed.
    fn pieces(&mut self) -> Vec<Piece> {
        let mut pieces = Vec::new();
        while let Some(tag) = self.tags.get(self.at).copied() {
            if !tag.closed {
                let opener = match tag.kind {
                    TagKind::Output => "{{",
                    TagKind::Statement => "{%",
                    TagKind::Comment | TagKind::Escape => "{#",
                };
                let start = usize::from(tag.range.start());
                self.error(crate::range(start, start + 2), TemplateErrorKind::UnclosedTag(opener));
                self.at += 1;
                pieces.push(Piece::Silent(tag.range));
                continue;
            }
            match tag.kind {
                TagKind::Comment => {
                    self.at += 1;
                    pieces.push(Piece::Silent(tag.range));
                }
                TagKind::Escape => {
                    self.at += 1;
                    pieces.push(Piece::Escape(tag.range));
                }
                TagKind::Output => {
                    self.at += 1;
                    let expr = self.expression(tag, tag.inner);
                    pieces.push(Piece::Output { range: tag.range, expr });
                }
                TagKind::Statement => {
                    let (word, rest) = self.statement(tag);
                    let continues = matches!(word, "end" | "elif" | "else" | "except" | "finally");
                    if continues || self.depth > 0 && closes_in_jinja(word) {
                        return pieces;
                    }
                    self.at += 1;
                    let piece = self.statement_piece(tag, word, rest);
                    pieces.push(piece);
                }
            }
        }
        pieces
    }

    fn statement_piece(&mut self, tag: Tag, word: &str, rest: TextRange) -> Piece {
        match word {
            "if" | "try" | "for" | "while" if self.depth >= MAX_DEPTH => {
                self.error(tag.range, TemplateErrorKind::TooDeep);
                return Piece::Silent(tag.range.cover(self.skip_block(tag)));
            }
            "if" => {
                let condition = self.expression(tag, rest);
                let (range, arms) = self.arms(tag, Some(condition), "if", &["elif", "else"]);
                return Piece::If { range, arms };
            }
            "try" => {
                let (range, parts) = self.arms(tag, None, "try", &["except", "else", "finally"]);
                return Piece::Try { range, parts };
            }
            "for" | "while" => return self.repeated(tag, word, rest),
            "set" => return self.set(tag, rest),
            "break" | "continue" => return Piece::Jump { range: tag.range, breaks: word == "break" },
            "comment" | "whitespace" => {}
            "" => {
                let inner = self.text[tag.inner].trim();
                let kind = inner
                    .chars()
                    .next()
                    .map_or(TemplateErrorKind::Empty, |c| TemplateErrorKind::UnknownStatement(c.to_string()));
                self.error(tag.range, kind);
            }
            "extends" | "include" | "import" | "from" | "block" | "apply" | "autoescape" | "raw"
            | "module" => {
                self.error(tag.range, TemplateErrorKind::ForbiddenStatement(word.to_owned()));
            }
            "endset" | "endmacro" => self.error(tag.range, TemplateErrorKind::JinjaEnd(word.to_owned())),
            _ if closes_in_jinja(word) => {
                self.error(tag.range, TemplateErrorKind::JinjaEnd(word.to_owned()));
            }
            _ => self.error(tag.range, TemplateErrorKind::UnknownStatement(word.to_owned())),
        }
        Piece::Silent(tag.range)
    }

    /// Passes over everything up to the end of the block that `first` opens; returns where that was.
    fn skip_block(&mut self, first: Tag) -> TextRange {
        let mut open = 1usize;
        let mut last = first.range;
        while open > 0 {
            let Some(tag) = self.take() else { break };
            last = tag.range;
            match self.statement(tag).0 {
                _ if tag.kind != TagKind::Statement => {}
                "if" | "for" | "while" | "try" => open += 1,
                "end" => open -= 1,
                _ => {}
            }
        }
        last
    }

    fn arms(
        &mut self,
        first: Tag,
        condition: Option<Expr>,
        word: &str,
        next: &[&str],
    ) -> (TextRange, Vec<Arm>) {
        let mut arms = Vec::new();
        let (mut tag, mut condition, mut part) = (first, condition, Part::First);
        loop {
            self.depth += 1;
            let body = self.pieces();
            self.depth -= 1;
            let closing = self.take();
            let body_end =
                closing.map_or(text_size::TextSize::of(self.text), |c| c.range.start()).max(tag.range.end());
            let body_range = TextRange::new(tag.range.end(), body_end);
            arms.push(Arm { part, tag: tag.range, condition: condition.take(), body_range, body });
            let Some(closing) = closing else {
                self.error(first.range, TemplateErrorKind::UnclosedBlock(word.to_owned()));
                return (TextRange::new(first.range.start(), body_end), arms);
            };
            let (found, rest) = self.statement(closing);
            if closes_in_jinja(found) {
                self.error(closing.range, TemplateErrorKind::JinjaEnd(found.to_owned()));
            }
            if found == "end" || closes_in_jinja(found) {
                return (first.range.cover(closing.range), arms);
            }
            part = match found {
                _ if !next.contains(&found) => Part::Stray,
                "elif" => Part::Elif,
                "else" => Part::Else,
                "except" => Part::Except,
                _ => Part::Finally,
            };
            if part == Part::Stray {
                self.error(closing.range, TemplateErrorKind::Misplaced(found.to_owned()));
            } else if found == "elif" {
                condition = Some(self.expression(closing, rest));
            } else if found == "else" && self.text[rest].trim_start().starts_with("if") {
                self.error(closing.range, TemplateErrorKind::ElseIf);
            }
            tag = closing;
        }
    }

    fn repeated(&mut self, tag: Tag, word: &str, rest: TextRange) -> Piece {
        let (names, subject) = if word == "for" {
            match find_word(self.text, rest, "in") {
                Some(word) => {
                    let names = TextRange::new(rest.start(), word.start());
                    let subject = TextRange::new(word.end(), rest.end());
                    (self.names(tag, names), self.expression(tag, subject))
                }
                None => {
                    self.error(tag.range, TemplateErrorKind::BadExpression);
                    (Vec::new(), Expr { range: rest, kind: ExprKind::Error })
                }
            }
        } else {
            (Vec::new(), self.expression(tag, rest))
        };
        let (range, parts) = self.arms(tag, None, word, &["else"]);
        Piece::Loop { range, names, subject, parts }
    }

    fn names(&mut self, tag: Tag, at: TextRange) -> Vec<Spanned<String>> {
        let expr = self.expression(tag, at);
        names_in(&expr)
    }

    fn set(&mut self, tag: Tag, rest: TextRange) -> Piece {
        let Some(assign) = find_word(self.text, rest, "=") else {
            let value = self.expression(tag, rest);
            return Piece::Set { range: tag.range, names: Vec::new(), target: None, operator: None, value };
        };
        let before = self.text[TextRange::new(rest.start(), assign.start())].trim_end();
        let left = before.trim_end_matches(['+', '-', '*', '/', '%', '|', '&', '^', '<', '>', '@']);
        let operator = Some(before[left.len()..].to_owned()).filter(|operator| !operator.is_empty());
        let left = TextRange::at(rest.start(), crate::range(0, left.trim_end().len()).end());
        let target = if left.is_empty() {
            self.error(tag.range, TemplateErrorKind::BadSet);
            None
        } else {
            Some(self.expression(tag, left))
        };
        let names = target.as_ref().map(names_in).unwrap_or_default();
        let value = self.expression(tag, TextRange::new(assign.end(), rest.end()));
        Piece::Set { range: tag.range, names, target, operator, value }
    }
}

/// The names that an assignment to `target` binds.
fn names_in(target: &Expr) -> Vec<Spanned<String>> {
    let mut names = Vec::new();
    let mut stack = vec![target];
    while let Some(e) = stack.pop() {
        match &e.kind {
            ExprKind::Name(name) => names.push(Spanned::new(name.clone(), e.range)),
            ExprKind::Sequence(_, items) => stack.extend(items.iter().rev()),
            _ => {}
        }
    }
    names
}

impl Piece {
    /// Its bytes, from the first tag to the last.
    pub fn range(&self) -> TextRange {
        match self {
            Self::Output { range, .. }
            | Self::If { range, .. }
            | Self::Loop { range, .. }
            | Self::Try { range, .. }
            | Self::Set { range, .. }
            | Self::Jump { range, .. }
            | Self::Escape(range)
            | Self::Silent(range) => *range,
        }
    }
}

impl Template {
    /// Visits every piece, outer before inner.
    pub fn walk<'t>(&'t self, visit: &mut dyn FnMut(&'t Piece)) {
        walk(&self.pieces, visit);
    }

    /// Visits every expression of every tag, outer before inner.
    pub fn walk_expressions<'t>(&'t self, visit: &mut dyn FnMut(&'t Expr)) {
        self.walk(&mut |piece| {
            let mut todo: Vec<&Expr> = match piece {
                Piece::Output { expr, .. }
                | Piece::Set { value: expr, .. }
                | Piece::Loop { subject: expr, .. } => vec![expr],
                Piece::If { arms, .. } => arms.iter().filter_map(|a| a.condition.as_ref()).rev().collect(),
                Piece::Try { .. } | Piece::Escape(_) | Piece::Jump { .. } | Piece::Silent(_) => Vec::new(),
            };
            while let Some(expr) = todo.pop() {
                visit(expr);
                todo.extend(expr.children().into_iter().rev());
            }
        });
    }
}

fn walk<'t>(pieces: &'t [Piece], visit: &mut dyn FnMut(&'t Piece)) {
    for piece in pieces {
        visit(piece);
        match piece {
            Piece::If { arms, .. } | Piece::Try { parts: arms, .. } | Piece::Loop { parts: arms, .. } => {
                for arm in arms {
                    walk(&arm.body, visit);
                }
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests;
