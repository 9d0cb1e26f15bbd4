//! Comparisons: a text with something else, and texts that stand for values of other types.
//!
//! The catalog knows which types `=` takes. What is here, the engine notices when it calls the function, which it does once
//! while it looks at the query: so a nullable side, or a condition that decides before, keeps it from noticing until
//! rows come.

use headwater_catalog::Type;
use headwater_syntax::TextRange;
use headwater_syntax::sql::ast::{AstNode, Call, Expression, Literal};

use super::FaultKind;
use super::convert::is_scalar;
use super::expression::{CallArgument, Seen};
use super::scope::{Analyzer, Term, TermKind, Value};

/// The functions of comparison, as the engine calls the operators.
pub(super) const COMPARISONS: &[&str] =
    &["equals", "notEquals", "less", "greater", "lessOrEquals", "greaterOrEquals"];

/// Functions whose conditions may decide before their other arguments are looked at.
const SHORT_CIRCUITS: &[&str] = &["and", "or", "if", "multiIf"];

/// Spellings of `Bool` in texts.
pub(super) const BOOLEANS: &[&str] = &[
    "true", "false", "t", "f", "y", "n", "yes", "no", "on", "off", "enable", "disable", "enabled",
    "disabled", "1", "0",
];

impl<'t> Analyzer<'t> {
    /// What is wrong with a comparison whose types the catalog takes.
    pub(super) fn compared(&mut self, call: &Call<'t>, seen: &[Seen], range: TextRange) {
        let [left, right] = seen else { return };
        // In a lambda the engine looks when rows come.
        if !COMPARISONS.contains(&&*call.function) || !self.scope().parameters.is_empty() {
            return;
        }
        let (Some(left_type), Some(right_type)) = (&left.value.ty, &right.value.ty) else { return };
        if are_never_compared(left_type, right_type) {
            let (left, right) = (left_type.clone(), right_type.clone());
            self.fault(range, FaultKind::Comparison { left, right, is_certain: true });
            return;
        }
        // Of a dictionary beside a constant the engine compares what is in it, NULL or not.
        let is_missing = |side: &Seen, other: &Seen| {
            let ty = side.value.ty.as_ref();
            let is_dictionary = ty.is_some_and(|ty| matches!(ty, Type::LowCardinality(_)));
            ty.is_some_and(Type::is_nullable) && !(is_dictionary && other.value.is_constant == Some(true))
        };
        let is_certain = !is_missing(left, right) && !is_missing(right, left);
        for (text, other) in [(left, right_type), (right, left_type)] {
            if let Some(Literal::String(value)) = text.value.literal() {
                if !is_readable(value, other) {
                    let (text_of, ty) = (value.clone(), other.clone());
                    let kind = FaultKind::UnreadableText { text: text_of, ty, is_certain, is_set: false };
                    self.fault(text.range, kind);
                }
                return;
            }
        }
        for (text, other) in [(&left.value, right_type), (&right.value, left_type)] {
            let is_text = text.ty.as_ref().is_some_and(is_text);
            // The engine reads a text that it knows as a value of the other type; which it knows, only columns tell.
            if is_text && is_no_text(other) && !text.sources.is_empty() && self.has_column(text) {
                let (left, right) = (left_type.clone(), right_type.clone());
                self.fault(range, FaultKind::Comparison { left, right, is_certain });
                return;
            }
        }
    }

    fn has_column(&self, value: &Value) -> bool {
        self.find(value.term, &|kind| matches!(kind, TermKind::Column(_))).is_some()
    }

    /// What is wrong with a call that the engine computes.
    pub(super) fn computed(&mut self, call: &Call<'t>, seen: &[Seen], range: TextRange) {
        if !self.scope().parameters.is_empty() {
            return;
        }
        if let Some(fault) = super::typing::refused_when_called(&call.function, seen) {
            let at = super::expression::place_of(&fault, call, seen, range);
            let function = call.function.to_string();
            self.fault(at, FaultKind::Called { function, fault, is_certain: true });
        }
    }

    /// Takes back what was found since, where a condition is the same for every row and decides: the engine stops there.
    pub(super) fn short_circuit(&mut self, call: &Call<'t>, seen: &[Seen], since: usize) {
        if !SHORT_CIRCUITS.contains(&&*call.function) || self.fault_count() == since {
            return;
        }
        let is_condition = |n: usize| match &*call.function {
            "if" => n == 0,
            "multiIf" => n.is_multiple_of(2) && n + 1 < seen.len(),
            _ => true,
        };
        // A condition that is known, and does not decide, is passed over.
        let goes_on = |n: usize| {
            let truth = match call.arguments.get(n) {
                Some(CallArgument::Expression(e)) => self.truth(*e, 0),
                _ => None,
            };
            match &*call.function {
                "and" => truth == Some(true),
                "or" => truth == Some(false),
                _ => false,
            }
        };
        let is_fixed = |value: &Value| value.sources.is_empty();
        if seen.iter().enumerate().any(|(n, s)| is_condition(n) && is_fixed(&s.value) && !goes_on(n)) {
            self.forget_faults(since, |kind| {
                matches!(
                    kind,
                    FaultKind::Comparison { .. }
                        | FaultKind::UnreadableText { .. }
                        | FaultKind::Called { .. }
                )
            });
        }
    }

    /// Whether a condition of literals holds, as far as that is plain.
    fn truth(&self, expression: Expression<'t>, depth: usize) -> Option<bool> {
        /// What templates write is no deeper.
        const MAX_DEPTH: usize = 16;
        if depth > MAX_DEPTH {
            return None;
        }
        let expression = expression.peeled();
        match expression.literal(self.text) {
            Some(Literal::Integer(n)) => return Some(n != 0),
            Some(Literal::Boolean(b)) => return Some(b),
            Some(_) => return None,
            None => {}
        }
        let call = expression.call(self.text)?;
        let inner = |n: usize| match call.arguments.get(n) {
            Some(CallArgument::Expression(e)) => Some(*e),
            _ => None,
        };
        let truth = |n: usize| self.truth(inner(n)?, depth + 1);
        match (&*call.function, call.arguments.len()) {
            ("not", 1) => Some(!truth(0)?),
            ("and", 2) => match (truth(0), truth(1)) {
                (Some(false), _) | (_, Some(false)) => Some(false),
                (Some(true), Some(true)) => Some(true),
                _ => None,
            },
            ("or", 2) => match (truth(0), truth(1)) {
                (Some(true), _) | (_, Some(true)) => Some(true),
                (Some(false), Some(false)) => Some(false),
                _ => None,
            },
            (name @ ("equals" | "notEquals"), 2) => {
                let (left, right) = (inner(0)?.literal(self.text)?, inner(1)?.literal(self.text)?);
                let is_equal = match (left, right) {
                    (Literal::String(a), Literal::String(b)) => a == b,
                    (Literal::Integer(a), Literal::Integer(b)) => a == b,
                    _ => return None,
                };
                Some(is_equal == (name == "equals"))
            }
            _ => None,
        }
    }

    /// Softens what was found since, where a chain of `AND` compares the same thing twice: of `a = 'x' AND a >= now()` the
    /// engine makes what follows from both, and may never call the second one.
    pub(super) fn fold_chain(&mut self, call: &Call<'t>, seen: &[Seen], since: usize) {
        let is_meant = |kind: &FaultKind| matches!(kind, FaultKind::Comparison { is_certain: true, .. });
        if call.function != "and" || !self.faults_since(since).any(|f| is_meant(&f.kind)) {
            return;
        }
        let mut compared: Vec<(TextRange, Vec<u64>)> = Vec::new();
        let mut todo: Vec<(Term, Expression<'t>)> = call
            .arguments
            .iter()
            .zip(seen)
            .filter_map(|(argument, seen)| match argument {
                CallArgument::Expression(e) => Some((seen.value.term, *e)),
                _ => None,
            })
            .collect();
        while let Some((term, expression)) = todo.pop() {
            let Some(inner) = expression.peeled().call(self.text) else { continue };
            let children = self.terms[term.0].children.clone();
            if inner.function == "and" {
                let parts = inner.arguments.iter().zip(children);
                todo.extend(parts.filter_map(|(argument, term)| match argument {
                    CallArgument::Expression(e) => Some((term, *e)),
                    _ => None,
                }));
            } else if COMPARISONS.contains(&&*inner.function) {
                let is_fixed = |t: &Term| self.terms[t.0].kind == TermKind::Constant;
                let sides = children.iter().filter(|t| !is_fixed(t)).map(|t| self.key(*t)).collect();
                compared.push((self.terms[term.0].range, sides));
            }
        }
        let folded = |range: TextRange| {
            let own = compared.iter().find(|(at, _)| *at == range);
            own.is_some_and(|(_, sides)| {
                compared
                    .iter()
                    .any(|(at, others)| *at != range && others.iter().any(|key| sides.contains(key)))
            })
        };
        for fault in self.faults_since_mut(since) {
            if folded(fault.range)
                && let FaultKind::Comparison { is_certain, .. } = &mut fault.kind
            {
                *is_certain = false;
            }
        }
    }

    /// `x IN (…)`: texts of the list that are no values of the type of `x`.
    pub(super) fn members(&mut self, left: &Value, right: Expression<'t>) {
        let Some(ty) = &left.ty else { return };
        let elements: Vec<Expression<'t>> = match right.peeled() {
            Expression::Tuple(tuple) => tuple.expressions().collect(),
            // An array among arrays is one of them.
            Expression::ArrayLiteral(_) if matches!(ty.bare(), Type::Array(_)) => return,
            Expression::ArrayLiteral(array) => array.expressions().collect(),
            other => vec![other],
        };
        // `(a, b) IN (1, 2)` has one row.
        let is_row = |e: &Expression<'t>| matches!(e.peeled(), Expression::Tuple(_));
        let elements = match ty.bare() {
            Type::Tuple(_) if !elements.iter().any(is_row) => vec![right],
            _ => elements,
        };
        for element in elements {
            let parts: Vec<Expression<'t>> = match (ty.bare(), element.peeled()) {
                (Type::Tuple(_), Expression::Tuple(tuple)) => tuple.expressions().collect(),
                (Type::Tuple(_), _) => continue,
                (_, other) => vec![other],
            };
            let types: Vec<&Type> = match ty.bare() {
                Type::Tuple(elements) => elements.iter().map(|e| &e.ty).collect(),
                _ => vec![ty],
            };
            for (part, ty) in parts.into_iter().zip(types) {
                let Some(literal) = part.literal(self.text) else { continue };
                if is_no_member(&literal, ty) {
                    let Some(right) = super::typing::literal(&literal) else { continue };
                    let kind = FaultKind::Comparison { left: ty.clone(), right, is_certain: true };
                    self.fault(part.range(), kind);
                } else if let Literal::String(text) = literal
                    && !is_readable(&text, ty)
                {
                    let kind =
                        FaultKind::UnreadableText { text, ty: ty.clone(), is_certain: true, is_set: true };
                    self.fault(part.range(), kind);
                }
            }
        }
    }
}

fn is_text(ty: &Type) -> bool {
    matches!(ty.bare(), Type::String | Type::FixedString(_))
}

/// Types that no text is compared with, unless it is a literal. What rows decide about is not among them.
fn is_no_text(ty: &Type) -> bool {
    is_scalar(ty) || matches!(ty.bare(), Type::Array(_) | Type::Tuple(_) | Type::Map(_))
}

/// Pairs that `=` does not take, and that the catalog has no rule for.
fn are_never_compared(one: &Type, other: &Type) -> bool {
    let is_number = |ty: &Type| {
        let ty = ty.bare();
        ty.is_integer() || ty.is_float() || matches!(ty, Type::Bool | Type::Decimal(..))
    };
    let is_it = |a: &Type, b: &Type| match a.bare() {
        Type::Date32 => is_number(b),
        Type::Json(_) => is_no_text(b),
        _ => false,
    };
    is_it(one, other) || is_it(other, one)
}

/// Whether a list of `IN` cannot hold a literal for the sake of its type.
fn is_no_member(literal: &Literal, ty: &Type) -> bool {
    match ty.bare() {
        Type::Uuid | Type::Ipv6 => {
            matches!(literal, Literal::Integer(_) | Literal::Float(_) | Literal::Boolean(_))
        }
        Type::Array(_) => !matches!(literal, Literal::Null),
        _ => false,
    }
}

/// Whether the engine may read a text as a value of the type. False only where it refuses in comparisons and in sets.
pub(crate) fn is_readable(text: &str, ty: &Type) -> bool {
    let ty = ty.bare();
    let has_digit = text.bytes().any(|b| b.is_ascii_digit());
    if let Some((is_signed, _)) = ty.integer() {
        let digits = if is_signed { text.strip_prefix('-').unwrap_or(text) } else { text };
        return !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
    }
    match ty {
        Type::Float32 | Type::Float64 => text.parse::<f64>().is_ok(),
        Type::Decimal(..) => {
            !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit() || b".eE+-".contains(&b))
        }
        Type::Bool => BOOLEANS.iter().any(|word| word.eq_ignore_ascii_case(text)),
        Type::Date | Type::Date32 => has_digit && text.len() <= "2026-01-01".len(),
        Type::DateTime(_) | Type::DateTime64(..) => {
            has_digit || !text.bytes().any(|b| b.is_ascii_alphabetic())
        }
        Type::Uuid => {
            let digits: Vec<u8> = text.bytes().filter(|b| *b != b'-').collect();
            digits.len() == 32 && digits.iter().all(u8::is_ascii_hexdigit)
        }
        Type::Ipv4 => has_digit && text.bytes().all(|b| b.is_ascii_digit() || b == b'.'),
        Type::Ipv6 => !text.is_empty() && text.bytes().all(|b| b.is_ascii_hexdigit() || b".:".contains(&b)),
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use headwater_catalog::Type;

    use super::is_readable;

    /// Each was compared with a column of the engine by `=` and by `IN`.
    #[test]
    fn texts_are_read_as_the_engine_reads_them() {
        const BAD: &[(&str, &[&str])] = &[
            ("UInt32", &["-5", "+5", " 5", "5 ", "0x10", "1e3", "1_0", "1.5", "-", "", "x", "NULL"]),
            ("Int8", &["--5", "5-", "+5", "1,5", "", "2020-01-01"]),
            ("Float64", &[" 1", "-", "1_0", "1,5", "", "x", "0x10", "1e"]),
            ("Decimal(9, 2)", &["x", "", "1,5", "1_0", "5 "]),
            ("Bool", &["ja", "", "NULL"]),
            ("Date", &["today", "", "abcdefghij", "Monday", "2020-01-01 00:00:00", "2020-01-01 "]),
            ("DateTime", &["now", "Monday", "abc def"]),
            ("UUID", &["x", "0000", "", "{00000000-0000-0000-0000-000000000000}"]),
            ("IPv4", &["x", "", "::1", "1.2.3.4 "]),
            ("LowCardinality(UInt32)", &["x"]),
        ];
        const GOOD: &[(&str, &[&str])] = &[
            ("UInt8", &["5", "300", "99999999999999999999"]),
            ("Int8", &["-5", "-0", "5"]),
            ("Float64", &["5", "-5", "+5", "1e3", "1.", ".5", "inf", "nan", "Infinity", "-inf"]),
            ("Decimal(9, 2)", &["1.5", ".5", "1e3", "+1"]),
            ("Bool", &["True", "t", "on", "1", "yes"]),
            ("Date", &["2020-01-01", "2020-1-1", "20200101", "2020/01/01"]),
            ("DateTime", &["2020-01-01T00:00:00Z", "2020-01-01", "5", "2020-01-01 00:00:00.123"]),
            ("UUID", &["ABCDEFAB-0000-0000-0000-000000000000", "00000000000000000000000000000000"]),
            ("IPv4", &["1.2.3.4"]),
            ("IPv6", &["::1", "1.2.3.4"]),
            ("Enum8('a' = 1)", &["zzz"]),
            ("String", &["x"]),
        ];
        for (is_good, table) in [(true, GOOD), (false, BAD)] {
            for (ty, texts) in table {
                let ty = Type::parse(ty).expect("a type");
                for text in *texts {
                    assert_eq!(is_readable(text, &ty), is_good, "{text:?} as {ty}");
                }
            }
        }
    }
}
