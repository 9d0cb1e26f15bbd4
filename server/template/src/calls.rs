//! Calls that fail whatever the request passes: arguments that a function does not take, and defaults that are no values of
//! their type.
//!
//! A call whose arguments stand in the template is rendered by itself, without a request. What fails then fails
//! whenever the render comes there, so this says nothing that the renderer does not say.

use headwater_syntax::template::{Expr, ExprKind, Piece, Template};
use headwater_syntax::{TextRange, TextSize};
use rustc_hash::{FxHashMap, FxHashSet};

use crate::error::ErrorKind;
use crate::functions::{is_function, takes_parameter};
use crate::request::{Mode, Parameters, Request, Secrets};
use crate::rules::{Rule, Violation};

/// What stands before a call that is rendered by itself. A value that is assigned need not be one that can be printed.
const BEFORE: &str = "%{% set hw = ";
const BEHIND: &str = " %}1";

/// Longer calls hold data, and are not looked at.
const MAX_CALL: usize = 4096;

/// Calls of one template that are looked at, and faults that are reported.
const MAX_CALLS: usize = 5_000;
const MAX_FOUND: usize = 500;

/// The calls of a template that cannot succeed, in order of position. Linear in the template's size.
pub fn failing_calls(text: &str, tree: &Template) -> Vec<Violation> {
    let mut bound = FxHashSet::default();
    tree.walk(&mut |piece| {
        if let Piece::Set { names, .. } | Piece::Loop { names, .. } = piece {
            bound.extend(names.iter().map(|n| n.value.as_str()));
        }
    });
    let mut search = Search { text, bound, guards: FxHashMap::default(), looked_at: 0, found: Vec::new() };
    search.pieces(&tree.pieces);
    search.found.sort_by_key(|v| v.range.start());
    search.found
}

struct Search<'t> {
    text: &'t str,
    /// Names that the template binds itself: what they are worth is not known here.
    bound: FxHashSet<&'t str>,
    /// Names that the conditions around ask for: their defaults may never be used.
    guards: FxHashMap<&'t str, usize>,
    looked_at: usize,
    found: Vec<Violation>,
}

impl<'t> Search<'t> {
    fn pieces(&mut self, pieces: &'t [Piece]) {
        for piece in pieces {
            match piece {
                Piece::Output { expr, .. } | Piece::Set { value: expr, .. } => self.expression(expr),
                Piece::If { arms, .. } => {
                    // What an `elif` asks, the arms behind it know too.
                    for arm in arms {
                        if let Some(condition) = &arm.condition {
                            self.expression(condition);
                            self.guarded_by(condition, true);
                        }
                        self.pieces(&arm.body);
                    }
                    for condition in arms.iter().filter_map(|arm| arm.condition.as_ref()) {
                        self.guarded_by(condition, false);
                    }
                }
                Piece::Loop { subject, parts, .. } => {
                    self.expression(subject);
                    for part in parts {
                        self.pieces(&part.body);
                    }
                }
                // Who writes `try` expects that something fails.
                Piece::Try { .. } | Piece::Escape(_) | Piece::Jump { .. } | Piece::Silent(_) => {}
            }
        }
    }

    /// Begins or ends that a condition is around what is looked at.
    fn guarded_by(&mut self, condition: &'t Expr, begins: bool) {
        if let ExprKind::Name(name) | ExprKind::Str(name) = &condition.kind {
            let count = self.guards.entry(name).or_default();
            *count = if begins { *count + 1 } else { count.saturating_sub(1) };
        }
        for child in condition.children() {
            self.guarded_by(child, begins);
        }
    }

    fn expression(&mut self, expr: &'t Expr) {
        if let ExprKind::Conditional { then, condition, otherwise } = &expr.kind {
            self.expression(condition);
            self.guarded_by(condition, true);
            self.expression(then);
            self.expression(otherwise);
            self.guarded_by(condition, false);
        } else if expr.as_call().is_some_and(|(name, ..)| is_function(name)) && self.is_closed(expr) {
            self.call(expr);
        } else {
            for child in expr.children() {
                self.expression(child);
            }
        }
    }

    /// Whether everything that a call depends on stands in it.
    fn is_closed(&self, expr: &Expr) -> bool {
        match &expr.kind {
            ExprKind::Str(_) | ExprKind::Number(_) | ExprKind::Constant(_) => true,
            ExprKind::Sign(_, inner) => self.is_closed(inner),
            ExprKind::Sequence(_, items) => items.iter().all(|item| self.is_closed(item)),
            ExprKind::Dict(entries) => entries.iter().all(|(k, v)| self.is_closed(k) && self.is_closed(v)),
            ExprKind::Call { args, keywords, .. } => {
                let Some((function, ..)) = expr.as_call() else { return false };
                let is_parameter = |e: &Expr| {
                    takes_parameter(function)
                        && matches!(&e.kind, ExprKind::Name(name) if !self.bound.contains(name.as_str()))
                };
                let (first, others) = match args.split_first() {
                    Some((first, others)) => (Some(first), others),
                    None => (None, &args[..]),
                };
                is_function(function)
                    && !self.bound.contains(function)
                    && first.is_none_or(|e| is_parameter(e) || self.is_closed(e))
                    && others.iter().chain(keywords.iter().map(|(_, e)| e)).all(|e| self.is_closed(e))
            }
            _ => false,
        }
    }

    fn call(&mut self, call: &Expr) {
        let source = &self.text[call.range];
        self.looked_at += 1;
        if source.len() > MAX_CALL || self.looked_at > MAX_CALLS || self.found.len() >= MAX_FOUND {
            return;
        }
        let (parameters, secrets) = (Parameters::new(), Secrets::new());
        let mut request = Request::new(&parameters, &secrets);
        request.mode = Mode::Test;
        let Err(error) = crate::render(&format!("{BEFORE}{source}{BEHIND}"), &request) else { return };
        let rule = match error.kind {
            ErrorKind::Validation { parameter } => {
                if parameter.is_some_and(|name| self.guards.get(name.as_str()).is_some_and(|n| *n > 0)) {
                    return;
                }
                Rule::Default
            }
            ErrorKind::Evaluation => Rule::Arguments,
            _ => return,
        };
        let shift = |at: TextSize| {
            let inside = at.checked_sub(TextSize::of(BEFORE)).unwrap_or_default();
            (call.range.start() + inside).min(call.range.end())
        };
        let range = TextRange::new(shift(error.range.start()), shift(error.range.end()));
        self.found.push(Violation { rule, range, message: error.message, meant: None });
    }
}

#[cfg(test)]
mod tests {
    use headwater_syntax::template::parse;

    use super::failing_calls;

    #[test]
    fn calls_that_fail_whatever_is_passed() {
        for (template, expected) in [
            ("{{Int32(a, 5)}} {{String(a, 'x', description='d', required=True)}}", ""),
            ("{{Int32(a, 'x')}}", "Int32(a, 'x'): Default"),
            ("{{Int32(a)}}", ""),
            (
                "{{UInt8(a, 300)}} {{Date(d, default='2026')}}",
                "UInt8(a, 300): Default; Date(d, default='2026'): Default",
            ),
            ("{{Array(a, 'Int32', default='1,x')}}", "Array(a, 'Int32', default='1,x'): Default"),
            ("{{Array(a, 'Nope')}}", ""),
            ("{{String(a, wrong=1)}}", "String(a, wrong=1): Arguments"),
            ("{{ Int32(a, 1) * Int32(b, 'x') }}", "Int32(b, 'x'): Default"),
            ("{{sql_and(a__like=String(b, 'x'))}}", "sql_and(a__like=String(b, 'x')): Arguments"),
            ("{{sql_and(a=Int32(b, 'x'))}}", "Int32(b, 'x'): Default"),
            ("{{cache_ttl('2m')}}{{activate('x')}}", "cache_ttl('2m'): Arguments; activate('x'): Arguments"),
            ("{{error('no')}}{{tb_secret('none')}}{{defined(a)}}{{max_threads(2)}}", ""),
            ("{% if defined(a) %}{{Int32(a, 'x')}}{% end %}", ""),
            ("{% if defined(b) %}{{Int32(a, 'x')}}{% end %}", "Int32(a, 'x'): Default"),
            ("{% if defined(a) %}{{Int32(a, wrong=1)}}{% end %}", "Int32(a, wrong=1): Arguments"),
            ("{{ Int32(a, 'x') if defined(a) else 1 }}", ""),
            ("{% try %}{{Int32(a, 'x')}}{% except %}1{% end %}", ""),
            ("{% set d = 'x' %}{{Int32(a, d)}}{{Int32(d, 'y')}}", ""),
            (
                "{% for x in split_to_array(a, separator='') %}{{x}}{% end %}",
                "split_to_array(a, separator=''): Arguments",
            ),
            ("{{day_diff('2026', 'x')}}", ""),
            ("{{columns(a, 'b', fn='sum(')}}", "columns(a, 'b', fn='sum('): Arguments"),
            ("{{max(Int32(a, 'x'), 3)}}", "Int32(a, 'x'): Default"),
            ("{{ nope(1) }}{{ Int32(a, ", ""),
        ] {
            let text = format!("%{template}");
            let found = failing_calls(&text, &parse(&text));
            let found: Vec<_> = found.iter().map(|v| format!("{}: {:?}", &text[v.range], v.rule)).collect();
            assert_eq!(found.join("; "), expected, "{template}");
        }
    }
}
