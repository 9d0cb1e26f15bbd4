//! Templates in SQL: the marker, the tags, and what stands in them (specification §8).

mod expressions;
mod parameters;

use headwater_syntax::datafile::SourcedEntry;
use headwater_syntax::template::{self, Piece, Template, TemplateError, TemplateErrorKind};
use headwater_syntax::{MappedText, TextRange};
use rustc_hash::FxHashSet;

use super::{Context, Sink, nearest};
use crate::codes::{self, Code};

pub(super) fn check(cx: &Context<'_>, sink: &mut Sink<'_>) {
    for node in cx.file.nodes() {
        let Some((entry, sql)) = node.sql() else { continue };
        if !template::is_template(&sql.text) {
            marker(sink, entry, &sql);
            continue;
        }
        let tree = template::parse(&sql.text);
        let mut scope = Scope { text: &sql.text, bound: bound_names(&tree), entry, sql: &sql, sink };
        for error in &tree.errors {
            syntax(&mut scope, error);
        }
        expressions::check(&mut scope, &tree);
        parameters::check(&mut scope, &tree);
    }
}

/// One template, and where to report about it.
struct Scope<'a, 's, 'o> {
    text: &'a str,
    /// Names that the template binds itself: no parameters, and possibly functions.
    bound: FxHashSet<&'a str>,
    entry: &'a SourcedEntry,
    sql: &'a MappedText,
    sink: &'s mut Sink<'o>,
}

impl Scope<'_, '_, '_> {
    fn push(&mut self, code: &'static Code, range: TextRange, message: String) {
        self.sink.in_body(self.entry, self.sql, code, range, message);
    }
}

fn bound_names(tree: &Template) -> FxHashSet<&str> {
    let mut bound = FxHashSet::default();
    tree.walk(&mut |piece| {
        if let Piece::Set { names, .. } | Piece::Loop { names, .. } = piece {
            bound.extend(names.iter().map(|n| n.value.as_str()));
        }
    });
    bound
}

fn marker(sink: &mut Sink<'_>, entry: &SourcedEntry, sql: &MappedText) {
    let Some(tag) = template::stray_tag(&sql.text) else { return };
    let message = format!(
        "`{}` is template syntax, and this query is plain SQL; put a line with `%` above its first line",
        &sql.text[tag]
    );
    sink.in_body(entry, sql, &codes::MISSING_TEMPLATE_MARKER, tag, message);
}

fn syntax(scope: &mut Scope<'_, '_, '_>, error: &TemplateError) {
    use TemplateErrorKind as K;
    let found = scope.text[error.range].trim().to_owned();
    let (code, message) = match &error.kind {
        K::UnclosedTag(open) => {
            let close = match *open {
                "{{" => "}}",
                "{%" => "%}",
                _ => "#}",
            };
            (
                &codes::TEMPLATE_SYNTAX,
                format!(
                    "`{open}` is never closed; add `{close}`, or write `{open}!` for the plain characters"
                ),
            )
        }
        K::UnclosedBlock(word) => (
            &codes::UNCLOSED_TEMPLATE_BLOCK,
            format!("this `{word}` is never closed; add `{{% end %}}` behind what belongs to it"),
        ),
        K::ExtraEnd => (
            &codes::TEMPLATE_SYNTAX,
            "nothing is open here that this `end` could close; remove it".to_owned(),
        ),
        K::JinjaEnd(word) => {
            (&codes::JINJA_END, format!("`{word}` is Jinja; every block closes with `{{% end %}}` here"))
        }
        K::ElseIf => (&codes::TEMPLATE_SYNTAX, "`else if` is not understood; write `elif`".to_owned()),
        K::Misplaced(word) => (&codes::TEMPLATE_SYNTAX, misplaced(word)),
        K::ForbiddenStatement(word) => (
            &codes::TEMPLATE_STATEMENT,
            format!(
                "`{word}` is switched off in templates; write the SQL out, or move it to a node or pipe of its own"
            ),
        ),
        K::UnknownStatement(word) => (&codes::TEMPLATE_STATEMENT, unknown_statement(word)),
        K::Empty if found.contains(char::is_alphabetic) => {
            (&codes::TEMPLATE_SYNTAX, format!("`{found}` lacks its expression; write one"))
        }
        K::Empty => {
            (&codes::TEMPLATE_SYNTAX, format!("`{found}` is empty; write an expression in it, or remove it"))
        }
        K::BadExpression => (&codes::TEMPLATE_SYNTAX, bad_expression(&found)),
        K::BadSet => {
            (&codes::TEMPLATE_SYNTAX, "`set` needs a name before `=`: `{% set name = value %}`".to_owned())
        }
        K::TooDeep => (
            &codes::TEMPLATE_SYNTAX,
            "these blocks are nested too deeply to follow; split the query into nodes".to_owned(),
        ),
    };
    let range = trimmed(scope.text, error.range);
    scope.push(code, range, message);
}

/// `range` without the white space around its text.
fn trimmed(text: &str, range: TextRange) -> TextRange {
    let found = &text[range];
    let start = usize::from(range.start()) + found.len() - found.trim_start().len();
    headwater_syntax::range(start, start + found.trim().len())
}

fn misplaced(word: &str) -> String {
    let home = match word {
        "elif" => "if",
        "else" => "if, for, while or try",
        _ => "try",
    };
    format!("`{word}` belongs into a block of {home}, and none is open here; remove it, or open the block")
}

fn unknown_statement(word: &str) -> String {
    const STATEMENTS: &[&str] = &[
        "if", "elif", "else", "for", "while", "try", "except", "finally", "set", "break", "continue",
        "comment", "end",
    ];
    let next = match word {
        "-" | "+" => "tags have no white-space control; write `{%` alone".to_owned(),
        "elseif" | "elsif" | "elsif_" => "write `elif`".to_owned(),
        "macro" | "call" | "filter" | "with" | "do" => {
            "that is Jinja; there are if, for, while, try and set".to_owned()
        }
        _ => match nearest(word, STATEMENTS.iter().copied()) {
            Some(statement) => format!("did you mean `{statement}`?"),
            None => "there are if, for, while, try and set; values are printed with `{{ }}`".to_owned(),
        },
    };
    format!("`{word}` is no statement of templates; {next}")
}

fn bad_expression(found: &str) -> String {
    let next = if found.starts_with("&&") || found.starts_with('&') {
        "write `and`"
    } else if found.starts_with("||") || found.starts_with('|') {
        "write `or`"
    } else if found.starts_with('!') {
        "write `not`"
    } else if found.starts_with('?') {
        "write `a if condition else b`"
    } else if found.starts_with('=') {
        "compare with `==`"
    } else {
        "expressions are written as in Python"
    };
    let first = found.lines().next().unwrap_or_default();
    format!("the expression does not parse at `{first}`; {next}")
}
