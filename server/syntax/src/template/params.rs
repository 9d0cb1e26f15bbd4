//! Request parameters of a template: who is asked for, with which type and default (specification §8.8).

use rustc_hash::FxHashMap;
use text_size::{TextRange, TextSize};

use super::expr::{Expr, ExprKind};
use super::tree::{Piece, Template};
use super::{HELPER_FUNCTIONS, TYPE_FUNCTIONS};
use crate::Spanned;

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
    /// The `example` keyword, as it would be passed.
    pub example: Option<String>,
    /// The values that the `enum` keyword lists, as they would be passed. They bind nobody.
    pub values: Vec<String>,
    /// The `format` keyword.
    pub format: Option<String>,
    /// Element type of an `Array`, where it is given.
    pub element: Option<String>,
    /// Whether a request without it fails here, unless a condition keeps it from coming here: there is no default, and
    /// the call does not say that it may be missing.
    pub required: bool,
    /// Where the name stands.
    pub range: TextRange,
    /// In `{{ }}` (true) or in a control tag.
    pub in_output: bool,
}

/// Every use of a parameter, in order of position. Names that the template binds itself (`set`, `for`) are no
/// parameters behind the tag that binds them; in it they may be: `{% set days = Int32(days, 7) %}`. Linear in the
/// template's size.
pub fn parameters(text: &str, template: &Template) -> Vec<Parameter> {
    let mut bound: FxHashMap<&str, TextSize> = FxHashMap::default();
    template.walk(&mut |piece| {
        let (names, end) = match piece {
            Piece::Set { names, range, .. } => (names, range.end()),
            Piece::Loop { names, subject, .. } => (names, subject.range.end()),
            _ => return,
        };
        for name in names {
            bound.entry(&name.value).or_insert(end);
        }
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
        Piece::Try { .. } | Piece::Escape(_) | Piece::Jump { .. } | Piece::Silent(_) => {}
    });
    out.retain(|p: &Parameter| bound.get(p.name.as_str()).is_none_or(|end| p.range.end() <= *end));
    out.sort_by_key(|p| p.range.start());
    out
}

fn collect(text: &str, expr: &Expr, in_output: bool, out: &mut Vec<Parameter>) {
    let mut push = |name: &str, range, ty: Option<&str>, args: &[Expr], keywords: Keywords<'_>| {
        let mut found = described(text, name, range, ty, args, keywords);
        // A name alone is `None` where it is missing; printing that fails.
        found.required &= ty.is_some() || in_output;
        out.push(Parameter { in_output, ..found });
    };
    if let ExprKind::Name(name) = &expr.kind {
        return push(name, expr.range, None, &[], &[]);
    }
    if let Some((function, args, keywords)) = expr.as_call() {
        if let Some((name, range)) = args.first().and_then(parameter_name) {
            let typed = TYPE_FUNCTIONS.contains(&function)
                || matches!(
                    function,
                    "column" | "columns" | "JSON" | "symbol" | "table" | "TABLE" | "split_to_array"
                );
            let is_plain_name = matches!(args[0].kind, ExprKind::Name(_));
            if typed && is_plain_name {
                push(name, range, Some(function), args, keywords);
            } else if function == "defined" {
                let asked = described(text, name, range, None, &[], &[]);
                out.push(Parameter { in_output, required: false, ..asked });
            } else if is_plain_name {
                push(name, range, None, &[], &[]);
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
    let bound = expr.bound();
    if !bound.is_empty() {
        let inner = out.split_off(outer);
        out.extend(inner.into_iter().filter(|p| bound.iter().all(|n| n.value != p.name)));
    }
}

type Keywords<'e> = &'e [(Spanned<String>, Expr)];

/// One use, with what its function says about the parameter.
fn described(
    text: &str,
    name: &str,
    range: TextRange,
    ty: Option<&str>,
    args: &[Expr],
    keywords: Keywords<'_>,
) -> Parameter {
    let keyword = |name: &str| keywords.iter().find(|(k, _)| k.value == name).map(|(_, e)| e);
    let string = |name: &str| match keyword(name).map(|e| &e.kind) {
        Some(ExprKind::Str(string)) => Some(string.clone()),
        _ => None,
    };
    let default = keyword("default").or_else(|| args.get(if ty == Some("Array") { 2 } else { 1 }));
    let default = default.filter(|d| ty.is_some() && d.kind != ExprKind::Constant("None"));
    let optional = keyword("defined").map(|e| &e.kind) == Some(&ExprKind::Constant("False"));
    let element = match args.get(1).map(|e| &e.kind) {
        Some(ExprKind::Str(element)) if ty == Some("Array") => Some(element.clone()),
        _ => None,
    };
    let values = match keyword("enum").map(|e| &e.kind) {
        Some(ExprKind::Sequence(_, items)) => items.iter().filter_map(Expr::as_passed).collect(),
        _ => Vec::new(),
    };
    Parameter {
        name: name.to_owned(),
        ty: ty.map(str::to_owned),
        default: default.map(|d| text[d.range].to_owned()),
        description: string("description"),
        example: keyword("example").and_then(Expr::as_passed),
        values,
        format: string("format"),
        element,
        required: default.is_none() && !optional && ty != Some("split_to_array"),
        range,
        in_output: false,
    }
}

fn parameter_name(expr: &Expr) -> Option<(&str, TextRange)> {
    Some((expr.as_parameter()?, expr.range))
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

    #[test]
    fn uses_carry_what_their_function_says() {
        let text = "{% set days = Int32(days, 7) %}{{days}}{{String(a, example='x', enum=['x', 'y'], format='f')}}\
                    {{Array(b, 'Int32', defined=False)}}{% if defined(d) %}{{Date(d)}}{% end %}{{Float64(e, -1.5)}}";
        let got: Vec<_> = parameters(text, &super::super::parse(text))
            .into_iter()
            .map(|p| {
                let required = if p.required { "!" } else { "" };
                let parts = [p.example, p.format, p.element, p.default].map(Option::unwrap_or_default);
                format!("{}{required} {} {}", p.name, parts.join(","), p.values.join("|")).trim().to_owned()
            })
            .collect();
        assert_eq!(got, ["days ,,,7", "a! x,f,, x|y", "b ,,Int32,", "d ,,,", "d! ,,,", "e ,,,-1.5"]);
    }
}
