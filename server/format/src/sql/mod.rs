//! Queries and templates.
//!
//! The tree of the raw text decides, tags and all: the grammar reads `{{ }}` as an operand and lets `{% %}` stand
//! anywhere, so one layout serves all renderings of a template.

mod expr;
mod leaves;
mod list;
mod query;

use headwater_syntax::sql::ast::{Kind, Node};
use headwater_syntax::{sql, template};

use crate::doc::{Doc, Docs, TagRole};
use crate::glue::joins_words;
use crate::lexer::{TokenKind, tokens};
use crate::text::{is_dropped, shared_indent};
use crate::verify::same_sql;
use crate::{KeywordCase, Options, Reason};

use leaves::{Leaves, Trivia, TriviaKind, is_word};

/// Lays a query out at an indentation of `base` columns; inside of a block if that is not 0. `body` has line feeds for line
/// ends. The result ends without one.
pub(crate) fn format(body: &str, options: &Options, base: usize) -> Result<String, Reason> {
    let masked = mask_dropped_lines(body);
    // Without the mark at its start a text is printed as it is, and braces are braces.
    if template::is_template(&masked) {
        let parsed = template::parse(&masked);
        if !parsed.errors.is_empty() {
            return Err(Reason::TemplateError);
        }
        if joins_words(&masked, &parsed) {
            return Err(Reason::GluedTag);
        }
    }
    let tree = sql::parse(&masked).ok_or(Reason::SyntaxError)?;
    let root = tree.root_node();
    if tree.has_error() {
        return Err(Reason::SyntaxError);
    }
    let leaves = Leaves::collect(root, body, options)?;
    if leaves.all.is_empty() {
        return Err(Reason::NoQuery);
    }
    let mut builder = Builder::new(&leaves);
    let doc = builder.source_file(root);
    let out = builder.docs.print(doc, options.width, base, options.indent);
    accept(body, &out, options, base > 0)?;
    Ok(out)
}

/// Lays the parts of a comma-separated list of definitions out (a schema, indexes): a row each.
pub(crate) fn rows<T>(
    body: &str,
    options: &Options,
    lay_out: impl FnOnce(&mut Builder<'_>, Node<'_>) -> Option<T>,
) -> Result<T, Reason> {
    let masked = mask_dropped_lines(body);
    let tree = sql::parse(&masked).ok_or(Reason::SyntaxError)?;
    let root = tree.root_node();
    if tree.has_error() {
        return Err(Reason::SyntaxError);
    }
    let leaves = Leaves::collect(root, body, options)?;
    let mut builder = Builder::new(&leaves);
    lay_out(&mut builder, root).ok_or(Reason::SyntaxError)
}

/// Whether `after` may stand for `before`.
pub(crate) fn accept(before: &str, after: &str, options: &Options, in_block: bool) -> Result<(), Reason> {
    if !same_sql(before, after, options.keywords != KeywordCase::Keep) {
        return Err(Reason::NotSame);
    }
    // The indentation that all lines of a block share is taken away before the query is read. That would move the further
    // lines of a quoted text.
    if in_block && shared_indent(before) != shared_indent(after) && has_text_of_lines(before) {
        return Err(Reason::IndentedText);
    }
    Ok(())
}

fn has_text_of_lines(body: &str) -> bool {
    tokens(body).iter().any(|token| {
        let text = &body[token.range.clone()];
        text.contains('\n')
            && match token.kind {
                TokenKind::Comment | TokenKind::Bracket => false,
                TokenKind::Other => true,
                TokenKind::Output | TokenKind::Tag => text.contains("'''") || text.contains("\"\"\""),
            }
    })
}

/// Blanks `#` lines, which never reach the query. Offsets stay.
fn mask_dropped_lines(body: &str) -> String {
    let mut out = String::with_capacity(body.len());
    for line in body.split_inclusive('\n') {
        if is_dropped(line) {
            let end = line.trim_end_matches('\n').len();
            out.extend(std::iter::repeat_n(' ', end));
            out.push_str(&line[end..]);
        } else {
            out.push_str(line);
        }
    }
    out
}

/// Makes documents of nodes.
pub(crate) struct Builder<'a> {
    leaves: &'a Leaves<'a>,
    pub(crate) docs: Docs<'a>,
    /// Words are printed without what stands around them.
    bare: bool,
}

impl<'a> Builder<'a> {
    fn new(leaves: &'a Leaves<'a>) -> Self {
        Self { leaves, docs: Docs::default(), bare: false }
    }

    /// Everything, with what stands behind the last word.
    fn source_file(&mut self, root: Node<'_>) -> Doc {
        let mut parts = Vec::new();
        for (n, child) in kids(root).iter().enumerate() {
            let separator = Kind::of(*child) == Kind::Token;
            if n > 0 && !separator {
                parts.push(self.docs.hard());
                parts.push(self.blank_before(*child));
            }
            parts.push(self.node(*child));
        }
        for trivia in &self.leaves.rest {
            self.before(trivia, &mut parts);
        }
        self.docs.concat(&parts)
    }

    /// The document of any node.
    pub(crate) fn node(&mut self, node: Node<'_>) -> Doc {
        let kind = Kind::of(node);
        if kind == Kind::TemplateHole {
            return self.docs.nil();
        }
        if is_word(kind, node) {
            return self.leaf(node);
        }
        match kind {
            Kind::SelectQuery => self.select(node),
            Kind::SetOperation => self.set_operation(node),
            Kind::QueryAlternatives => self.alternatives(node),
            Kind::Statement | Kind::Explain | Kind::Insert | Kind::Describe => self.statement(node),
            Kind::Subquery | Kind::ParenthesizedExpression => self.parenthesized(node),
            Kind::WithClause => self.with_clause(node),
            Kind::FromClause => self.tables(node),
            Kind::Join => self.join(node),
            Kind::WhereClause | Kind::PrewhereClause | Kind::HavingClause | Kind::QualifyClause => {
                self.condition(node)
            }
            Kind::GroupByClause
            | Kind::OrderByClause
            | Kind::LimitByClause
            | Kind::WindowClause
            | Kind::SettingsClause
            | Kind::ArrayJoin => self.clause_list(node),
            Kind::WindowSpecification => self.window(node),
            Kind::ArgumentList
            | Kind::Tuple
            | Kind::ArrayLiteral
            | Kind::MapLiteral
            | Kind::TypeArguments
            | Kind::ValuesList
            | Kind::ColumnAliases => self.brackets(node),
            Kind::BinaryExpression => self.binary(node),
            Kind::TemplateAlternative => self.alternative(node),
            Kind::UnaryExpression => self.unary(node),
            Kind::TernaryExpression => self.ternary(node),
            Kind::Case => self.case(node),
            _ => self.plain(node),
        }
    }

    /// Children one after the other, with blanks where people put them.
    pub(crate) fn plain(&mut self, node: Node<'_>) -> Doc {
        let parts = self.plain_parts(Kind::of(node), &kids(node));
        self.docs.concat(&parts)
    }

    fn plain_parts(&mut self, parent: Kind, kids: &[Node<'_>]) -> Vec<Doc> {
        let mut parts = Vec::with_capacity(kids.len() * 2);
        for (n, child) in kids.iter().enumerate() {
            if n > 0 && self.is_spaced(parent, *child) {
                parts.push(self.docs.space());
            }
            let doc = self.node(*child);
            // On a line that only a comment or a tag makes it begin: what it goes on with stands further left.
            let goes_on = n > 0 && (self.begins_with_line(*child) || self.follows_comment(*child));
            parts.push(if goes_on { self.docs.indent(doc) } else { doc });
        }
        parts
    }

    /// Whether a blank stands between a child and the word before it.
    fn is_spaced(&self, parent: Kind, child: Node<'_>) -> bool {
        let at = self.leaves.at(child.start_byte());
        let (Some(before), Some(leaf)) =
            (at.checked_sub(1).and_then(|n| self.leaves.all.get(n)), self.leaves.all.get(at))
        else {
            return false;
        };
        let (left, right) = (&*before.text, &*leaf.text);
        let output = left.starts_with("{{") || right.starts_with("{{");
        match (left, right) {
            (_, "," | ")" | "]" | ";" | "}") | ("(" | "[" | "{", _) => false,
            (_, "(") => match parent {
                Kind::FunctionCall
                | Kind::TableFunction
                | Kind::ColumnsMatcher
                | Kind::Cast
                | Kind::DataType
                | Kind::ColumnDefinition => false,
                Kind::ApplyColumns | Kind::ReplaceColumns | Kind::ExceptColumns | Kind::GroupByClause => {
                    leaf.space_before
                }
                _ => true,
            },
            (_, "[") => parent != Kind::Subscript,
            (_, ":") => parent == Kind::TernaryExpression,
            ("." | "::", _) | (_, "." | "::" | ".*") if !output => false,
            _ => match parent {
                Kind::ColumnRef
                | Kind::TableName
                | Kind::TupleAccess
                | Kind::Subscript
                | Kind::NegativeNumber => false,
                Kind::Star if right.starts_with('.') => false,
                // A blank beside an output is part of what is printed.
                _ if output => {
                    leaf.space_before || before.range.end < leaf.range.start || symbol(left) || symbol(right)
                }
                _ => true,
            },
        }
    }

    /// An empty line, if the author left one before this.
    fn blank_before(&mut self, node: Node<'_>) -> Doc {
        let leaf = self.leaves.all.get(self.leaves.at(node.start_byte()));
        if leaf.is_some_and(|leaf| leaf.blank_before && leaf.leading.is_empty()) {
            self.docs.blank()
        } else {
            self.docs.nil()
        }
    }

    /// Whether the author began a line with this.
    fn starts_line(&self, node: Node<'_>) -> bool {
        self.leaves.all.get(self.leaves.at(node.start_byte())).is_some_and(|leaf| leaf.newline_before)
    }

    /// Whether this begins with something on a line of its own.
    fn begins_with_line(&self, node: Node<'_>) -> bool {
        let leaf = self.leaves.all.get(self.leaves.at(node.start_byte()));
        leaf.is_some_and(|leaf| leaf.leading.iter().any(|trivia| trivia.own_line))
    }

    /// These nodes on one line, without comments.
    pub(crate) fn flat_text(&mut self, nodes: &[Node<'_>]) -> String {
        let bare = std::mem::replace(&mut self.bare, true);
        let parent = nodes.first().and_then(|n| n.parent()).map_or(Kind::Token, Kind::of);
        let parts = self.plain_parts(parent, nodes);
        self.bare = bare;
        let doc = self.docs.concat(&parts);
        self.docs.print(doc, usize::MAX, 0, 0)
    }

    /// The comments before and behind these nodes, if there are none between their words.
    pub(crate) fn around(&self, nodes: &[Node<'_>]) -> Option<(Vec<String>, String)> {
        let (first, last) = (nodes.first()?, nodes.last()?);
        let start = self.leaves.at(first.start_byte());
        let end = self.leaves.at(last.end_byte()).checked_sub(1)?;
        let leaves = self.leaves.all.get(start..=end)?;
        let mut before = Vec::new();
        if let Some(leaf) = leaves.first() {
            for trivia in &leaf.leading {
                if trivia.kind != TriviaKind::LineComment {
                    return None;
                }
                if trivia.blank_before && start > 0 {
                    before.push(String::new());
                }
                before.push(trivia.text.to_string());
            }
            if leaf.blank_before && start > 0 {
                before.push(String::new());
            }
        }
        // A comment inside ends the line, wherever it stands in the row.
        let inside = leaves.iter().skip(1).any(|leaf| !leaf.leading.is_empty());
        let behind: Vec<_> = leaves.iter().flat_map(|leaf| &leaf.trailing).collect();
        match &*behind {
            _ if inside => None,
            [] => Some((before, String::new())),
            [one] if one.kind == TriviaKind::LineComment => Some((before, one.text.to_string())),
            _ => None,
        }
    }

    /// These nodes, on several lines if need be.
    pub(crate) fn print_row(&mut self, nodes: &[Node<'_>], options: &Options, base: usize) -> String {
        let parts = self.plain_parts(Kind::ColumnDefinitions, nodes);
        let doc = self.docs.concat(&parts);
        self.docs.print(doc, options.width, base, options.indent)
    }

    /// The comments behind the last word.
    pub(crate) fn rest_lines(&self) -> Vec<String> {
        let mut lines = Vec::new();
        for trivia in &self.leaves.rest {
            if trivia.blank_before {
                lines.push(String::new());
            }
            lines.push(trivia.text.to_string());
        }
        lines
    }

    /// Whether a comment ends the line of the word before this.
    fn follows_comment(&self, node: Node<'_>) -> bool {
        let before = self.leaves.at(node.start_byte()).checked_sub(1).and_then(|n| self.leaves.all.get(n));
        before.is_some_and(|leaf| leaf.trailing.iter().any(|trivia| trivia.kind == TriviaKind::LineComment))
    }

    /// A word with its comments and tags.
    pub(crate) fn leaf(&mut self, node: Node<'_>) -> Doc {
        let leaves = self.leaves;
        let Some(leaf) = leaves.all.get(leaves.at(node.start_byte())) else { return self.docs.nil() };
        if self.bare || leaf.leading.is_empty() && leaf.trailing.is_empty() {
            return self.docs.text(&leaf.text);
        }
        let mut parts = Vec::new();
        let ends_line = |trivia: &Trivia<'_>| trivia.own_line || trivia.kind == TriviaKind::LineComment;
        let lines = leaf.leading.iter().rposition(ends_line).map_or(0, |last| last + 1);
        let mut deeper = 0;
        for trivia in &leaf.leading[..lines] {
            self.before(trivia, &mut parts);
            deeper += match trivia.kind {
                TriviaKind::Tag(TagRole::Open) => 1,
                TriviaKind::Tag(TagRole::Close) => -1,
                _ => 0,
            };
        }
        if lines > 0 {
            if leaf.blank_before && lines == leaf.leading.len() {
                parts.push(self.docs.blank());
            }
            let before = self.docs.concat(&parts);
            parts = vec![self.docs.lead(before, deeper)];
        }
        for trivia in &leaf.leading[lines..] {
            self.before(trivia, &mut parts);
        }
        parts.push(self.docs.text(&leaf.text));
        for trivia in &leaf.trailing {
            self.behind(trivia, &mut parts);
        }
        self.docs.concat(&parts)
    }

    fn before(&mut self, trivia: &'a Trivia<'a>, parts: &mut Vec<Doc>) {
        let docs = &mut self.docs;
        if trivia.own_line || trivia.kind == TriviaKind::LineComment {
            // Behind a tag on a line of its own: it stays on that line.
            if !trivia.own_line && parts.pop().is_some() {
                parts.push(docs.space());
                parts.push(docs.text(&trivia.text));
                parts.push(docs.hard());
                return;
            }
            parts.push(docs.fresh());
            if trivia.blank_before {
                parts.push(docs.blank());
            }
            parts.push(match trivia.kind {
                TriviaKind::Tag(role) => docs.tag(&trivia.text, role),
                _ => docs.text(&trivia.text),
            });
            parts.push(docs.hard());
            return;
        }
        if trivia.space_before {
            parts.push(docs.space());
        }
        if trivia.kind == TriviaKind::Tag(TagRole::Open) {
            parts.push(docs.inline(true));
        }
        parts.push(docs.text(&trivia.text));
        if trivia.kind == TriviaKind::Tag(TagRole::Close) {
            parts.push(docs.inline(false));
        }
        if trivia.space_after || trivia.kind == TriviaKind::BlockComment {
            parts.push(docs.space());
        }
    }

    fn behind(&mut self, trivia: &'a Trivia<'a>, parts: &mut Vec<Doc>) {
        let docs = &mut self.docs;
        if trivia.kind == TriviaKind::LineComment {
            parts.push(docs.suffix(&trivia.text));
            return;
        }
        if trivia.space_before || trivia.kind == TriviaKind::BlockComment {
            parts.push(docs.space());
        }
        parts.push(docs.text(&trivia.text));
        if trivia.kind == TriviaKind::Tag(TagRole::Close) {
            parts.push(docs.inline(false));
        }
        if trivia.space_after {
            parts.push(docs.space());
        }
    }
}

fn symbol(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| "=<>!+-*/%|?".contains(c))
}

/// Children that are words or nodes of the query: no comments, no tags.
pub(crate) fn kids(node: Node<'_>) -> Vec<Node<'_>> {
    let trivia = |kind| matches!(kind, Kind::Comment | Kind::TemplateComment | Kind::TemplateStatement);
    node.children()
        .filter(|child| !trivia(Kind::of(*child)) && child.end_byte() > child.start_byte())
        .collect()
}

/// The upper-case text of a keyword, or nothing.
fn keyword<'t>(node: Node<'t>) -> &'t str {
    if Kind::of(node) == Kind::Token { node.kind() } else { "" }
}
