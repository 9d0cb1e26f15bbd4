//! What expressions may hold. Tags that print allow much less than tags that control.

use headwater_syntax::TextRange;
use headwater_syntax::template::{Expr, ExprKind, HELPER_FUNCTIONS, Piece, TYPE_FUNCTIONS, Template};

use super::Scope;
use crate::checks::nearest;
use crate::codes;

/// Methods that `{{ }}` may call.
const METHODS: &[&str] = &["split", "get", "join", "replace"];

/// Functions of Python itself, which control tags may have; which of them is not documented.
const PYTHON: &[&str] = &[
    "abs",
    "all",
    "any",
    "ascii",
    "bin",
    "bool",
    "bytes",
    "callable",
    "chr",
    "complex",
    "dict",
    "divmod",
    "enumerate",
    "filter",
    "format",
    "frozenset",
    "getattr",
    "hasattr",
    "hash",
    "hex",
    "id",
    "isinstance",
    "issubclass",
    "iter",
    "map",
    "next",
    "object",
    "oct",
    "ord",
    "pow",
    "print",
    "range",
    "repr",
    "reversed",
    "round",
    "set",
    "setattr",
    "slice",
    "sorted",
    "str",
    "sum",
    "super",
    "tuple",
    "type",
    "vars",
    "zip",
    "datetime",
    "Exception",
    "ValueError",
];

/// Where an expression stands.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Output,
    /// The condition of `a if c else b` in an output tag: which operators it takes is not documented.
    Condition,
    Control,
}

pub(super) fn check<'t>(scope: &mut Scope<'t, '_, '_>, tree: &'t Template) {
    let mut todo: Vec<(&Expr, Place)> = Vec::new();
    tree.walk(&mut |piece| match piece {
        Piece::Output { expr, .. } => todo.push((expr, Place::Output)),
        Piece::Set { value, .. } => todo.push((value, Place::Control)),
        Piece::Loop { subject, .. } => todo.push((subject, Place::Control)),
        Piece::If { arms, .. } => {
            todo.extend(arms.iter().filter_map(|a| a.condition.as_ref()).map(|c| (c, Place::Control)));
        }
        Piece::Try { .. } | Piece::Escape(_) | Piece::Jump { .. } | Piece::Silent(_) => {}
    });
    let broken: Vec<_> = tree.errors.iter().map(|e| e.range).collect();
    for (expr, place) in todo {
        // What was guessed around a syntax error is not worth a second report.
        if !broken.iter().any(|r| r.intersect(expr.range).is_some()) {
            visit(scope, expr, place);
        }
    }
}

fn visit(scope: &mut Scope<'_, '_, '_>, expr: &Expr, place: Place) {
    if let Some((name, ..)) = expr.as_call() {
        function(scope, expr, name, place);
    }
    if place == Place::Output {
        operator(scope, expr);
    }
    inner_name(scope, expr, place);
    match &expr.kind {
        ExprKind::Conditional { then, condition, otherwise } => {
            visit(scope, then, place);
            visit(scope, condition, if place == Place::Output { Place::Condition } else { place });
            visit(scope, otherwise, place);
        }
        // One report for the whole of it.
        ExprKind::Comprehension { .. } | ExprKind::Lambda { .. } => {}
        ExprKind::Call { callee, args, keywords } => {
            method(scope, callee, place);
            inner_name(scope, callee, place);
            let inside = match &callee.kind {
                ExprKind::Attribute(subject, _) => Some(&**subject),
                ExprKind::Name(_) => None,
                _ => Some(&**callee),
            };
            for part in inside.into_iter().chain(args).chain(keywords.iter().map(|(_, e)| e)) {
                visit(scope, part, place);
            }
        }
        _ => {
            for child in expr.children() {
                visit(scope, child, place);
            }
        }
    }
}

fn function(scope: &mut Scope<'_, '_, '_>, call: &Expr, name: &str, place: Place) {
    let known = TYPE_FUNCTIONS.contains(&name) || HELPER_FUNCTIONS.contains(&name);
    let is_python = place != Place::Output && PYTHON.contains(&name);
    if known || is_python || scope.bound.contains(name) {
        return;
    }
    let at = TextRange::at(call.range.start(), headwater_syntax::TextSize::of(name));
    let next = if name == "UUID" {
        "use `String(name)` and cast it in SQL: `toUUID({{String(name)}})`".to_owned()
    } else {
        match nearest(name, TYPE_FUNCTIONS.iter().chain(HELPER_FUNCTIONS).copied()) {
            Some(function) => format!("did you mean `{function}`?"),
            None if place == Place::Output => "functions of SQL stand outside the braces".to_owned(),
            None => "only the functions of templates and Python's own can be called".to_owned(),
        }
    };
    scope.push(&codes::TEMPLATE_FUNCTION, at, format!("templates have no function `{name}`; {next}"));
}

fn method(scope: &mut Scope<'_, '_, '_>, callee: &Expr, place: Place) {
    let ExprKind::Attribute(_, name) = &callee.kind else { return };
    if place == Place::Output && !METHODS.contains(&name.value.as_str()) {
        let message = format!(
            "`{{{{ }}}}` allows the methods .split, .get, .join and .replace, not .{0}; call it in `{{% set x = ….{0}() %}}` and print x",
            name.value
        );
        scope.push(&codes::TEMPLATE_EXPRESSION, name.range, message);
    }
}

/// Python's own names, `__class__` and the like, are refused everywhere.
fn inner_name(scope: &mut Scope<'_, '_, '_>, expr: &Expr, place: Place) {
    let (name, range) = match &expr.kind {
        ExprKind::Name(name) => (name, expr.range),
        // Where output is printed, every attribute was reported.
        ExprKind::Attribute(_, name) if place != Place::Output => (&name.value, name.range),
        _ => return,
    };
    if name.len() > 4 && name.starts_with("__") && name.ends_with("__") {
        let message = format!("`{name}` is a name of Python's own, and templates refuse those; remove it");
        scope.push(&codes::TEMPLATE_EXPRESSION, range, message);
    }
}

fn operator(scope: &mut Scope<'_, '_, '_>, expr: &Expr) {
    let message = match &expr.kind {
        ExprKind::Compare(_, rest) => {
            let op = rest.first().map_or("==", |(op, _)| op.as_str());
            format!("`{{{{ }}}}` allows no comparison (`{op}`); put it into `{{% if … %}}`")
        }
        ExprKind::Bool { and, .. } => {
            let op = if *and { "and" } else { "or" };
            format!("`{{{{ }}}}` allows no `{op}`; decide in `{{% if … %}}` and print the result")
        }
        ExprKind::Binary(_, op, _) if op == "|" => {
            "there are no filters (`|`) in templates; call a function around the value".to_owned()
        }
        ExprKind::Binary(_, op, _) if !matches!(op.as_str(), "+" | "-" | "*") => format!(
            "`{{{{ }}}}` calculates with `+`, `-` and `*` only, not `{op}`; do it in SQL, or in `{{% set … %}}`"
        ),
        ExprKind::Attribute(_, name) if !METHODS.contains(&name.value.as_str()) => format!(
            "`{{{{ }}}}` reads no attributes (`.{0}`); use `['{0}']` or `.get('{0}')` for a key",
            name.value
        ),
        ExprKind::Sign(sign, _) if *sign != "-" => {
            format!("`{{{{ }}}}` knows no `{sign}` before a value; leave it out, or do it in SQL")
        }
        ExprKind::Comprehension { .. } => {
            "`{{ }}` allows no comprehension; loop with `{% for … %}`".to_owned()
        }
        ExprKind::Lambda { .. } => "`{{ }}` allows no lambda; write the call out".to_owned(),
        _ => return,
    };
    scope.push(&codes::TEMPLATE_EXPRESSION, expr.range, message);
}
