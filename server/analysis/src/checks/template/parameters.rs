//! Names of request parameters: what cannot be one, and what the product sets itself.

use headwater_syntax::template::{self, Expr, ExprKind, Piece, TYPE_FUNCTIONS, Template};
use headwater_template::FORBIDDEN_PARAMETERS;
use rustc_hash::FxHashSet;

use super::Scope;
use crate::checks::Remedy;
use crate::codes;

/// Names whose value comes from the request's own settings.
pub(crate) const RESERVED: &[&str] = &[
    "__tb__csv_header",
    "__tb__semver",
    "debug_source_tables",
    "debug",
    "explain",
    "finalize_aggregations",
    "output_format_json_quote_64bit_integers",
    "output_format_json_quote_denormals",
    "output_format_parquet_string_as_string",
    "pipeline",
    "playground",
    "query_id",
    "release_replacements",
    "tag",
    "template_parameters",
    "token",
];

pub(super) fn check<'t>(scope: &mut Scope<'t, '_, '_>, tree: &'t Template) {
    tree.walk(&mut |piece| match piece {
        Piece::Output { expr, .. } | Piece::Set { value: expr, .. } | Piece::Loop { subject: expr, .. } => {
            first_arguments(scope, expr);
        }
        Piece::If { arms, .. } => {
            for condition in arms.iter().filter_map(|a| a.condition.as_ref()) {
                first_arguments(scope, condition);
            }
        }
        Piece::Try { .. } | Piece::Escape(_) | Piece::Jump { .. } | Piece::Silent(_) => {}
    });
    let mut seen = FxHashSet::default();
    // Only a typed use is certain to be a parameter; a quoted first argument may be a value.
    let quoted = |p: &template::Parameter| scope.text[p.range].starts_with(['\'', '"']);
    let uses: Vec<_> = template::parameters(scope.text, tree)
        .into_iter()
        .filter(|p| p.ty.is_some() && !quoted(p) && seen.insert(p.name.clone()))
        .collect();
    for parameter in uses {
        let name = parameter.name.as_str();
        if FORBIDDEN_PARAMETERS.contains(&name) {
            let message =
                format!("the API uses `{name}` itself, so no parameter can be called that; rename it");
            scope.push(&codes::PARAMETER_NAME, parameter.range, message);
        } else if RESERVED.contains(&name) {
            let message =
                format!("the product sets `{name}` itself, and callers cannot pass it; rename the parameter");
            scope.push(&codes::RESERVED_PARAMETER, parameter.range, message);
        }
    }
}

fn first_arguments(scope: &mut Scope<'_, '_, '_>, expr: &Expr) {
    let mut stack = vec![expr];
    while let Some(expr) = stack.pop() {
        stack.extend(expr.children());
        let Some((function, [first, ..], _)) = expr.as_call() else { continue };
        if !TYPE_FUNCTIONS.contains(&function) {
            continue;
        }
        if let Some((message, name)) = not_a_name(scope, function, first) {
            scope.push(&codes::PARAMETER_NAME, first.range, message).remedy(name.map(Remedy::Replace));
        }
    }
}

fn not_a_name(scope: &Scope<'_, '_, '_>, function: &str, first: &Expr) -> Option<(String, Option<String>)> {
    let found = &scope.text[first.range];
    let parameter = |e: &Expr| matches!(&e.kind, ExprKind::Name(n) if !scope.bound.contains(n.as_str()));
    match &first.kind {
        ExprKind::Number(_) => {}
        ExprKind::Sign(_, inner) if matches!(inner.kind, ExprKind::Number(_)) => {}
        ExprKind::Binary(a, op, b) if op == "-" && parameter(a) && parameter(b) => {
            let name = found.replace(|c: char| !c.is_alphanumeric(), "_");
            let message =
                format!("`{found}` is a subtraction, not a parameter's name; call the parameter `{name}`");
            return Some((message, Some(name)));
        }
        _ => return None,
    }
    let message = format!(
        "{function} takes the name of a parameter, not the value {found}; write the value into the SQL, or use it as the default: `{function}(name, {found})`"
    );
    Some((message, None))
}
