//! Templates in SQL: the marker, the tags, and what stands in them (specification §8).

mod asked;
mod parameters;

pub(crate) use parameters::RESERVED as RESERVED_PARAMETERS;

use headwater_syntax::datafile::SourcedEntry;
use headwater_syntax::template::{self, Piece, Template, TemplateError, TemplateErrorKind};
use headwater_syntax::{MappedText, TextRange};
use headwater_template::Rule;
use rustc_hash::FxHashSet;

use super::{Context, Diagnostic, Remedy, Sink};
use crate::codes::{self, Code};

pub(super) fn check(cx: &Context<'_>, sink: &mut Sink<'_>) {
    for node in cx.file.nodes() {
        let Some((entry, sql)) = node.sql() else { continue };
        if !template::is_template(&sql.text) {
            marker(sink, entry, &sql);
            continue;
        }
        let tree = cx.memory.template(&sql.text);
        let mut scope = Scope { text: &sql.text, bound: bound_names(&tree), entry, sql: &sql, sink };
        for error in &tree.errors {
            let (range, message) = headwater_template::explained(&sql.text, error);
            scope.push(code_of(&error.kind), range, message).remedy(respelled(&sql.text, error));
        }
        let failing = if tree.errors.is_empty() {
            headwater_template::failing_calls(&sql.text, &tree)
        } else {
            Vec::new()
        };
        for found in headwater_template::violations(&tree).into_iter().chain(failing) {
            let code = match found.rule {
                Rule::Function => &codes::TEMPLATE_FUNCTION,
                Rule::Expression => &codes::TEMPLATE_EXPRESSION,
                Rule::Jump => &codes::TEMPLATE_SYNTAX,
                Rule::Arguments => &codes::TEMPLATE_ARGUMENTS,
                Rule::Default => &codes::PARAMETER_DEFAULT,
            };
            scope.push(code, found.range, found.message).meant(found.meant);
        }
        parameters::check(&mut scope, &tree);
    }
    asked::check(cx, sink);
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
    fn push(&mut self, code: &'static Code, range: TextRange, message: String) -> &mut Diagnostic {
        self.sink.in_body(self.entry, self.sql, code, range, message)
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

/// The tag as it was meant, of a statement that is spelt wrongly.
fn respelled(text: &str, error: &TemplateError) -> Option<Remedy> {
    let TemplateErrorKind::UnknownStatement(word) = &error.kind else { return None };
    let tag = &text[error.range];
    if matches!(word.as_str(), "-" | "+") {
        let inside = tag.strip_prefix("{%")?.strip_suffix("%}")?.trim_matches(['-', '+']).trim();
        return Some(Remedy::Replace(format!("{{% {inside} %}}")));
    }
    let meant = headwater_template::close_statement(word)?;
    Some(Remedy::Replace(tag.replacen(word.as_str(), meant, 1)))
}

fn code_of(kind: &TemplateErrorKind) -> &'static Code {
    use TemplateErrorKind as K;
    match kind {
        K::UnclosedBlock(_) => &codes::UNCLOSED_TEMPLATE_BLOCK,
        K::JinjaEnd(_) => &codes::JINJA_END,
        K::ForbiddenStatement(_) | K::UnknownStatement(_) => &codes::TEMPLATE_STATEMENT,
        _ => &codes::TEMPLATE_SYNTAX,
    }
}
