//! What expressions may hold. Tags that print allow much less than tags that control (specification §8.4).
//!
//! These rules need no request: a template that breaks one never renders. Diagnostics and renders share them.

use headwater_syntax::spelling::nearest;
use headwater_syntax::template::{Arm, Expr, ExprKind, HELPER_FUNCTIONS, Piece, TYPE_FUNCTIONS, Template};
use headwater_syntax::{TextRange, TextSize};
use rustc_hash::FxHashSet;

use crate::functions::PYTHON_FUNCTIONS;

/// What kind of rule is broken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Rule {
    /// No such function.
    Function,
    /// An operator, method, attribute or name that this tag may not use.
    Expression,
    /// `break` or `continue` outside of a loop.
    Jump,
    /// Arguments that a function does not take.
    Arguments,
    /// A default that is no value of its type.
    Default,
}

/// A broken rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// Which kind.
    pub rule: Rule,
    /// Where.
    pub range: TextRange,
    /// What is wrong, and what to do.
    pub message: String,
    /// A close name in the marked one's place.
    pub meant: Option<&'static str>,
}

/// A template's names, and what was found.
struct Scope<'t> {
    /// Names that the template binds itself: no parameters, and possibly functions.
    bound: FxHashSet<&'t str>,
    found: Vec<Violation>,
}

impl Scope<'_> {
    fn push(&mut self, rule: Rule, range: TextRange, message: String) {
        self.found.push(Violation { rule, range, message, meant: None });
    }
}

/// Methods that `{{ }}` may call.
const METHODS: &[&str] = &["split", "get", "join", "replace"];

/// Functions of Python that control tags of the product may have, and this renderer has not: which of them exist is not
/// documented, so nothing is said about them before they are called.
const UNDOCUMENTED: &[&str] = &[
    "ascii",
    "bytes",
    "callable",
    "complex",
    "datetime",
    "filter",
    "format",
    "frozenset",
    "getattr",
    "hasattr",
    "hash",
    "id",
    "isinstance",
    "issubclass",
    "iter",
    "map",
    "next",
    "object",
    "print",
    "setattr",
    "slice",
    "super",
    "type",
    "vars",
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

/// Every broken rule of a template, in order of position. Linear in its size.
pub fn violations(tree: &Template) -> Vec<Violation> {
    let mut bound = FxHashSet::default();
    tree.walk(&mut |piece| {
        if let Piece::Set { names, .. } | Piece::Loop { names, .. } = piece {
            bound.extend(names.iter().map(|n| n.value.as_str()));
        }
    });
    let mut scope = Scope { bound, found: Vec::new() };
    jumps(&mut scope, &tree.pieces, false);
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
            visit(&mut scope, expr, place);
        }
    }
    scope.found.sort_by_key(|v| v.range.start());
    scope.found
}

fn jumps(scope: &mut Scope<'_>, pieces: &[Piece], in_loop: bool) {
    for piece in pieces {
        let (arms, in_loop): (&[Arm], bool) = match piece {
            Piece::Jump { range, breaks } if !in_loop => {
                let word = if *breaks { "break" } else { "continue" };
                let message =
                    format!("`{word}` stands in no loop; remove it, or put it into a `for` or `while`");
                scope.push(Rule::Jump, *range, message);
                continue;
            }
            Piece::If { arms, .. } | Piece::Try { parts: arms, .. } => (arms, in_loop),
            // What stands in the `else` of a loop belongs to the loop around.
            Piece::Loop { parts, .. } => {
                if let Some((body, others)) = parts.split_first() {
                    jumps(scope, &body.body, true);
                    (others, in_loop)
                } else {
                    continue;
                }
            }
            _ => continue,
        };
        for arm in arms {
            jumps(scope, &arm.body, in_loop);
        }
    }
}

fn visit(scope: &mut Scope<'_>, expr: &Expr, place: Place) {
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

fn function(scope: &mut Scope<'_>, call: &Expr, name: &str, place: Place) {
    let known = TYPE_FUNCTIONS.contains(&name) || HELPER_FUNCTIONS.contains(&name);
    let is_python =
        place != Place::Output && (PYTHON_FUNCTIONS.contains(&name) || UNDOCUMENTED.contains(&name));
    if known || is_python || scope.bound.contains(name) {
        return;
    }
    let at = TextRange::at(call.range.start(), TextSize::of(name));
    let near = nearest(name, TYPE_FUNCTIONS.iter().chain(HELPER_FUNCTIONS).copied());
    let next = if name == "UUID" {
        "use `String(name)` and cast it in SQL: `toUUID({{String(name)}})`".to_owned()
    } else {
        match near {
            Some(function) => format!("did you mean `{function}`?"),
            None if place == Place::Output => "functions of SQL stand outside the braces".to_owned(),
            None => "only the functions of templates and Python's own can be called".to_owned(),
        }
    };
    scope.push(Rule::Function, at, format!("templates have no function `{name}`; {next}"));
    if let Some(last) = scope.found.last_mut() {
        last.meant = near.filter(|_| name != "UUID");
    }
}

fn method(scope: &mut Scope<'_>, callee: &Expr, place: Place) {
    let ExprKind::Attribute(_, name) = &callee.kind else { return };
    if place == Place::Output && !METHODS.contains(&name.value.as_str()) {
        let message = format!(
            "`{{{{ }}}}` allows the methods .split, .get, .join and .replace, not .{0}; call it in `{{% set x = ….{0}() %}}` and print x",
            name.value
        );
        scope.push(Rule::Expression, name.range, message);
    }
}

/// Python's own names, `__class__` and the like, are refused everywhere.
fn inner_name(scope: &mut Scope<'_>, expr: &Expr, place: Place) {
    let (name, range) = match &expr.kind {
        ExprKind::Name(name) => (name, expr.range),
        // Where output is printed, every attribute was reported.
        ExprKind::Attribute(_, name) if place != Place::Output => (&name.value, name.range),
        _ => return,
    };
    if name.len() > 4 && name.starts_with("__") && name.ends_with("__") {
        let message = format!("`{name}` is a name of Python's own, and templates refuse those; remove it");
        scope.push(Rule::Expression, range, message);
    }
}

fn operator(scope: &mut Scope<'_>, expr: &Expr) {
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
    scope.push(Rule::Expression, expr.range, message);
}
