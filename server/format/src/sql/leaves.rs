//! The words of a query, each with what stands around it and is no part of the tree: comments and control tags.
//!
//! They hang on words, not on nodes: a layout prints every word once, so it cannot lose any of them.

use std::borrow::Cow;
use std::ops::Range;

use headwater_syntax::sql::ast::{Event, Kind, Node, Walk};

use crate::doc::TagRole;
use crate::options::KeywordCase;
use crate::{Options, Reason};

/// A word of a query.
#[derive(Debug)]
pub(super) struct Leaf<'s> {
    pub(super) range: Range<usize>,
    /// As it will be printed.
    pub(super) text: Cow<'s, str>,
    /// Something stands between it and the word before.
    pub(super) space_before: bool,
    /// It starts a line.
    pub(super) newline_before: bool,
    /// An empty line stands before it.
    pub(super) blank_before: bool,
    pub(super) leading: Vec<Trivia<'s>>,
    pub(super) trailing: Vec<Trivia<'s>>,
}

/// Something that stands between words.
#[derive(Debug)]
pub(super) struct Trivia<'s> {
    pub(super) text: Cow<'s, str>,
    pub(super) kind: TriviaKind,
    /// It has a line of its own.
    pub(super) own_line: bool,
    pub(super) blank_before: bool,
    pub(super) space_before: bool,
    pub(super) space_after: bool,
}

/// What it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TriviaKind {
    /// `-- …` or `# …`: ends its line.
    LineComment,
    /// `/* … */` or `{# … #}`.
    BlockComment,
    /// A tag of a block.
    Tag(TagRole),
    /// A tag alone: `{% set … %}`.
    Statement,
}

/// All words of a query.
#[derive(Debug)]
pub(super) struct Leaves<'s> {
    pub(super) all: Vec<Leaf<'s>>,
    /// What stands behind the last word on lines of its own.
    pub(super) rest: Vec<Trivia<'s>>,
}

/// Nodes nested deeper than this are not followed. People reach thirty.
const MAX_DEPTH: usize = 250;

enum Item {
    Leaf { keyword: bool },
    Trivia(TriviaKind),
}

struct Found {
    range: Range<usize>,
    item: Item,
}

impl<'s> Leaves<'s> {
    /// Takes the words of `tree` from `source`, the text that `masked` was before its `#` lines were blanked.
    pub(super) fn collect(root: Node<'_>, source: &'s str, options: &Options) -> Result<Self, Reason> {
        let mut found = walk(root)?;
        insert_hash_lines(&mut found, source);
        let own_line = tag_lines(&found, source, options)?;
        Ok(attach(&found, &own_line, source, options))
    }

    /// The number of the word that starts at `at`, or behind it.
    pub(super) fn at(&self, at: usize) -> usize {
        self.all.partition_point(|leaf| leaf.range.start < at)
    }
}

/// Whether a node is one word to the layout, whatever is in it.
pub(super) fn is_word(kind: Kind, node: Node<'_>) -> bool {
    node.children().next().is_none()
        || matches!(
            kind,
            Kind::StringLiteral
                | Kind::QueryParameter
                | Kind::TemplatedName
                | Kind::TemplateOutput
                | Kind::JsonPath
        )
}

fn walk(root: Node<'_>) -> Result<Vec<Found>, Reason> {
    let mut found = Vec::new();
    let mut walk = Walk::new(root);
    // Left-deep chains are flattened, so only nodes that are not the first of their kind count.
    let mut depth = 0usize;
    let mut kinds: Vec<bool> = Vec::new();
    while let Some(event) = walk.next() {
        let node = match event {
            Event::Enter(node) => node,
            Event::Leave(_) => {
                depth -= usize::from(kinds.pop().unwrap_or(false));
                continue;
            }
        };
        let kind = Kind::of(node);
        let chained = is_chain(kind)
            && node.parent().is_some_and(|p| Kind::of(p) == kind && p.start_byte() == node.start_byte());
        kinds.push(!chained);
        depth += usize::from(!chained);
        if depth > MAX_DEPTH {
            return Err(Reason::TooDeep);
        }
        if node.is_error() || node.is_missing() {
            return Err(Reason::SyntaxError);
        }
        let range = node.byte_range();
        let item = match kind {
            Kind::Comment => Item::Trivia(TriviaKind::LineComment),
            Kind::TemplateComment => Item::Trivia(TriviaKind::BlockComment),
            Kind::TemplateStatement | Kind::TemplateHole => Item::Trivia(TriviaKind::Statement),
            Kind::UnclosedComment
            | Kind::UnclosedStatement
            | Kind::UnclosedString
            | Kind::UnclosedTemplate
            | Kind::MissingName
            | Kind::MissingOperand
            | Kind::MissingParenthesis => return Err(Reason::SyntaxError),
            Kind::OtherStatement | Kind::InsertTarget => return Err(Reason::NoQuery),
            kind if is_word(kind, node) && !range.is_empty() => Item::Leaf {
                keyword: kind == Kind::Token && node.kind().starts_with(|c: char| c.is_ascii_alphabetic())
                    || matches!(
                        kind,
                        Kind::JoinKind | Kind::Direction | Kind::NullLiteral | Kind::FinalModifier
                    ),
            },
            _ => continue,
        };
        walk.skip_inside();
        found.push(Found { range, item });
    }
    Ok(found)
}

/// Kinds that nest to the left as often as an operator is repeated.
fn is_chain(kind: Kind) -> bool {
    matches!(
        kind,
        Kind::BinaryExpression
            | Kind::SetOperation
            | Kind::QueryAlternatives
            | Kind::TemplateAlternative
            | Kind::TemplateJuxtaposition
    )
}

/// Adds the lines that are comments of the file and never reach the query. The parser saw blanks in their place.
fn insert_hash_lines(found: &mut Vec<Found>, source: &str) {
    let mut hashes = Vec::new();
    let mut start = 0;
    let mut next = 0;
    for line in source.split_inclusive('\n') {
        let trimmed = line.trim_start();
        if trimmed.starts_with('#') {
            let at = start + line.len() - trimmed.len();
            // Inside of a text or a comment of several lines it is part of that, to the layout.
            while found.get(next).is_some_and(|f| f.range.end <= at) {
                next += 1;
            }
            if found.get(next).is_none_or(|f| f.range.start > at) {
                let range = at..at + trimmed.trim_end().len();
                hashes.push(Found { range, item: Item::Trivia(TriviaKind::LineComment) });
            }
        }
        start += line.len();
    }
    if !hashes.is_empty() {
        found.append(&mut hashes);
        found.sort_by_key(|f| f.range.start);
    }
}

/// Of every tag: what it does, and whether it has a line of its own.
///
/// A block that its author wrote on one line stays on one, if it is short. Lengths are counted in words, not in blanks, so
/// that the answer is the same for the text laid out.
fn tag_lines(found: &[Found], source: &str, options: &Options) -> Result<Vec<(TriviaKind, bool)>, Reason> {
    let mut out: Vec<(TriviaKind, bool)> = Vec::with_capacity(found.len());
    let mut open: Vec<usize> = Vec::new();
    let mut lengths = Vec::with_capacity(found.len() + 1);
    let mut total = 0usize;
    for (n, one) in found.iter().enumerate() {
        lengths.push(total);
        let text = &source[one.range.clone()];
        total += tag_text(text).len() + 1;
        let Item::Trivia(kind) = one.item else {
            out.push((TriviaKind::Statement, false));
            continue;
        };
        if kind != TriviaKind::Statement {
            let block = kind == TriviaKind::LineComment && text.starts_with("/*");
            out.push((if block { TriviaKind::BlockComment } else { kind }, false));
            continue;
        }
        match tag_role(text) {
            Some(TagRole::Open) => {
                open.push(n);
                out.push((TriviaKind::Tag(TagRole::Open), true));
            }
            Some(TagRole::Middle) if !open.is_empty() => out.push((TriviaKind::Tag(TagRole::Middle), true)),
            Some(TagRole::Close) => {
                out.push((TriviaKind::Tag(TagRole::Close), true));
                let Some(first) = open.pop() else { return Err(Reason::GluedTag) };
                let whole = &source[found[first].range.start..one.range.end];
                let comments = found[first..n].iter().any(|f| {
                    matches!(f.item, Item::Trivia(TriviaKind::LineComment))
                        && !source[f.range.clone()].starts_with("/*")
                });
                let short = total - lengths[first] <= options.width * 3 / 4;
                if !whole.contains('\n') && !comments && short {
                    for one in &mut out[first..=n] {
                        if matches!(one.0, TriviaKind::Tag(_)) {
                            one.1 = false;
                        }
                    }
                }
            }
            Some(TagRole::Middle) => return Err(Reason::GluedTag),
            None => {
                // Alone on its line it stays there.
                let before = n.checked_sub(1).map_or(0, |n| found[n].range.end);
                let after = found.get(n + 1).map_or(source.len(), |f| f.range.start);
                let starts = n == 0 || source[before..one.range.start].contains('\n');
                let comment = found.get(n + 1).is_some_and(|next| {
                    matches!(next.item, Item::Trivia(TriviaKind::LineComment))
                        && !source[next.range.clone()].starts_with("/*")
                });
                let ends = comment || after == source.len() || source[one.range.end..after].contains('\n');
                out.push((TriviaKind::Statement, starts && ends));
            }
        }
    }
    if open.is_empty() { Ok(out) } else { Err(Reason::GluedTag) }
}

fn tag_role(tag: &str) -> Option<TagRole> {
    let inner = tag.strip_prefix("{%")?.trim_start();
    let word = &inner[..inner.find(|c: char| !(c.is_alphanumeric() || c == '_')).unwrap_or(inner.len())];
    match word {
        "if" | "for" | "while" | "try" => Some(TagRole::Open),
        "elif" | "else" | "except" | "finally" => Some(TagRole::Middle),
        "end" => Some(TagRole::Close),
        _ => None,
    }
}

fn attach<'s>(
    found: &[Found],
    own_line: &[(TriviaKind, bool)],
    source: &'s str,
    options: &Options,
) -> Leaves<'s> {
    let mut all: Vec<Leaf<'s>> = Vec::new();
    let mut leading: Vec<Trivia<'s>> = Vec::new();
    let mut newline = false;
    for (n, one) in found.iter().enumerate() {
        let before = n.checked_sub(1).map_or(0, |n| found[n].range.end);
        let after = found.get(n + 1).map_or(source.len(), |f| f.range.start);
        let gap = &source[before.min(one.range.start)..one.range.start];
        let text = &source[one.range.clone()];
        let breaks = gap.matches('\n').count();
        let space_before = !gap.is_empty();
        newline |= breaks > 0;
        let blank = breaks > 1;
        match one.item {
            Item::Leaf { keyword } => {
                all.push(Leaf {
                    range: one.range.clone(),
                    text: leaf_text(text, keyword, options.keywords),
                    space_before: space_before || n > 0 && matches!(found[n - 1].item, Item::Trivia(_)),
                    newline_before: newline,
                    blank_before: blank,
                    leading: std::mem::take(&mut leading),
                    trailing: Vec::new(),
                });
                newline = false;
            }
            Item::Trivia(_) => {
                let (kind, own) = own_line[n];
                let next_gap = &source[one.range.end..after];
                let next_line = next_gap.contains('\n') || after == source.len();
                let next_is_leaf = matches!(found.get(n + 1), Some(Found { item: Item::Leaf { .. }, .. }));
                let starts_line = breaks > 0 || n == 0;
                let own = match kind {
                    TriviaKind::LineComment => starts_line,
                    TriviaKind::BlockComment => starts_line && next_line,
                    _ => own,
                };
                let trails = match kind {
                    _ if own => false,
                    TriviaKind::LineComment | TriviaKind::Tag(TagRole::Middle | TagRole::Close) => true,
                    TriviaKind::BlockComment | TriviaKind::Statement => next_line || !next_is_leaf,
                    TriviaKind::Tag(TagRole::Open) => false,
                };
                let trivia = Trivia {
                    text: tag_text(text),
                    kind,
                    own_line: own,
                    blank_before: blank,
                    space_before,
                    space_after: !next_gap.is_empty(),
                };
                match all.last_mut() {
                    Some(leaf) if trails && leading.is_empty() => leaf.trailing.push(trivia),
                    _ => leading.push(trivia),
                }
            }
        }
    }
    Leaves { all, rest: leading }
}

fn leaf_text(text: &str, keyword: bool, case: KeywordCase) -> Cow<'_, str> {
    match case {
        _ if text.starts_with("{{") => tag_text(text),
        KeywordCase::Upper if keyword => text.to_ascii_uppercase().into(),
        KeywordCase::Lower if keyword => text.to_ascii_lowercase().into(),
        _ => text.into(),
    }
}

/// What may be put and taken inside of a tag's delimiters.
const BLANKS: [char; 2] = [' ', '\t'];

/// A tag of one line with one blank inside its delimiters; anything else as it is.
fn tag_text(text: &str) -> Cow<'_, str> {
    if text.contains('\n') {
        return text.into();
    }
    for (open, close) in [("{{", "}}"), ("{%", "%}")] {
        let inner = text.strip_prefix(open).and_then(|text| text.strip_suffix(close));
        if let Some(inner) = inner {
            // `{{!` is no tag, and a brace more is part of the expression or not, depending on the blank.
            if inner.starts_with(['!', '{', '%', '#'])
                || inner.ends_with(['{', '}', '%'])
                || inner.trim_matches(BLANKS).is_empty()
            {
                return text.into();
            }
            return format!("{open} {} {close}", inner.trim_matches(BLANKS)).into();
        }
    }
    text.trim_end().into()
}
