//! Request parameters of a template: who is asked for, with which type and default (specification §8.8).

use rustc_hash::FxHashSet;
use text_size::TextRange;

use super::expr::{Expr, ExprKind};
use super::tree::{Piece, Template};
use super::{HELPER_FUNCTIONS, TYPE_FUNCTIONS};

/// One use of a request parameter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parameter {
    /// Name in the request.
    pub name: String,
    /// The type function around it (`Int32`, `Array`…); `None` for a bare name or `defined(name)`.
    pub ty: Option<String>,
    /// Source text of the default.
    pub default: Option<String>,
    /// The `description` keyword.
    pub description: Option<String>,
    /// Where the name stands.
    pub range: TextRange,
    /// In `{{ }}` (true) or in a control tag.
    pub in_output: bool,
}

/// Every use of a parameter, in order of position. Names that the template binds itself (`set`, `for`) are no
/// parameters. Linear in the template's size.
pub fn parameters(text: &str, template: &Template) -> Vec<Parameter> {
    let mut bound = FxHashSet::default();
    template.walk(&mut |piece| match piece {
        Piece::Set { names, .. } | Piece::Loop { names, .. } => {
            bound.extend(names.iter().map(|n| n.value.as_str()));
        }
        _ => {}
    });
    let mut out = Vec::new();
    template.walk(&mut |piece| match piece {
        Piece::Output { expr, .. } => collect(text, expr, true, &mut out),
        Piece::Set { value, .. } => collect(text, value, false, &mut out),
        Piece::Loop { subject, .. } => collect(text, subject, false, &mut out),
        Piece::If { arms, .. } => {
            for condition in arms.iter().filter_map(|a| a.condition.as_ref()) {
                collect(text, condition, false, &mut out);
            }
        }
        Piece::Try { .. } | Piece::Silent(_) => {}
    });
    out.retain(|p: &Parameter| !bound.contains(p.name.as_str()));
    out.sort_by_key(|p| p.range.start());
    out
}

fn collect(text: &str, expr: &Expr, in_output: bool, out: &mut Vec<Parameter>) {
    let mut push =
        |name: &str, range, ty: Option<&str>, default: Option<&Expr>, description: Option<&Expr>| {
            out.push(Parameter {
                name: name.to_owned(),
                ty: ty.map(str::to_owned),
                default: default
                    .filter(|d| d.kind != ExprKind::Constant("None"))
                    .map(|d| text[d.range].to_owned()),
                description: description.and_then(|d| match &d.kind {
                    ExprKind::Str(s) => Some(s.clone()),
                    _ => None,
                }),
                range,
                in_output,
            });
        };
    if let ExprKind::Name(name) = &expr.kind {
        return push(name, expr.range, None, None, None);
    }
    if let Some((function, args, keywords)) = expr.as_call() {
        let keyword = |name: &str| keywords.iter().find(|(k, _)| k.value == name).map(|(_, e)| e);
        if let Some((name, range)) = args.first().and_then(parameter_name) {
            let typed = TYPE_FUNCTIONS.contains(&function)
                || matches!(
                    function,
                    "column" | "columns" | "JSON" | "symbol" | "table" | "TABLE" | "split_to_array"
                );
            let is_plain_name = matches!(args[0].kind, ExprKind::Name(_));
            if typed && is_plain_name {
                let default_at = if function == "Array" { 2 } else { 1 };
                let default = keyword("default").or_else(|| args.get(default_at));
                push(name, range, Some(function), default, keyword("description"));
            } else if function == "defined" || is_plain_name {
                push(name, range, None, None, None);
            }
        }
        let named_first = args.first().is_some_and(|a| parameter_name(a).is_some());
        for arg in args.iter().skip(usize::from(named_first)) {
            collect(text, arg, in_output, out);
        }
        for (_, value) in keywords {
            collect(text, value, in_output, out);
        }
        return;
    }
    let outer = out.len();
    for child in expr.children() {
        let is_function = matches!(&child.kind, ExprKind::Name(n)
            if TYPE_FUNCTIONS.contains(&n.as_str()) || HELPER_FUNCTIONS.contains(&n.as_str()));
        if !is_function {
            collect(text, child, in_output, out);
        }
    }
    if let ExprKind::Comprehension { names, .. } | ExprKind::Lambda { names, .. } = &expr.kind {
        let inner = out.split_off(outer);
        out.extend(inner.into_iter().filter(|p| names.iter().all(|n| n.value != p.name)));
    }
}

fn parameter_name(expr: &Expr) -> Option<(&str, TextRange)> {
    match &expr.kind {
        ExprKind::Name(name) | ExprKind::Str(name) => Some((name, expr.range)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn uses_carry_type_default_and_description() {
        let text = "{% if defined(c) %}{{Date(start, '2026-01-01', description='first day')}}{% end %}\
                    {% for x in split_to_array(ids, '') %}{{x}}{% end %}{% set l = [y for y in list(x)] %}{{Array(a, 'Int32')}}{{limit}}";
        let got: Vec<_> = parameters(text, &super::super::parse(text))
            .into_iter()
            .map(|p| format!("{}:{}={}", p.name, p.ty.unwrap_or_default(), p.default.unwrap_or_default()))
            .collect();
        assert_eq!(got, ["c:=", "start:Date='2026-01-01'", "ids:split_to_array=''", "a:Array=", "limit:="]);
    }
}
