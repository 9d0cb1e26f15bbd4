//! What expressions of control tags are worth when the request is known: a small, careful part of Python.
//!
//! Where it is not certain what the template engine would do, the answer is [`Stop::Unknown`].

use std::cell::Cell;

use rustc_hash::FxHashMap;

use super::TYPE_FUNCTIONS;
use super::expr::{Expr, ExprKind};
use crate::Spanned;

/// A value.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Value {
    None,
    Bool(bool),
    Int(i128),
    Float(f64),
    Str(String),
    /// What a request passed, of which only its use tells whether it is a text or a number.
    Raw(String),
    List(Vec<Value>),
}

/// Why there is no value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stop {
    /// Nobody knows here.
    Unknown,
    /// The request would fail.
    Error,
}

type Answer = Result<Value, Stop>;

/// What names mean.
pub(super) struct Names<'e> {
    /// Names that the template binds; with their value where that is the same everywhere.
    pub(super) sets: FxHashMap<&'e str, Option<&'e Expr>>,
    /// Steps left. Hostile templates get no more than their share; when it is used up, nothing is known.
    pub(super) fuel: Cell<u32>,
}

/// A request: the value of each parameter that is passed.
pub(super) type Request<'r> = &'r dyn Fn(&str) -> Option<String>;

/// Deeper than expressions that people write.
const MAX_DEPTH: usize = 60;

impl<'e> Names<'e> {
    /// The value of `expr` for a request.
    pub(super) fn value(&self, expr: &Expr, request: Request<'_>) -> Answer {
        Eval { names: self, request, inside: Vec::new(), depth: 0 }.eval(expr)
    }

    /// The parameters that the value of `expr` depends on, without repetition.
    pub(super) fn parameters(&self, expr: &'e Expr) -> Vec<&'e str> {
        let mut out = Vec::new();
        let mut inside: Vec<&str> = Vec::new();
        let mut todo = vec![expr];
        while let Some(expr) = todo.pop() {
            let Some(fuel) = self.fuel.get().checked_sub(1) else { break };
            self.fuel.set(fuel);
            if let ExprKind::Name(name) = &expr.kind {
                match self.sets.get(name.as_str()) {
                    Some(value) if !inside.contains(&name.as_str()) => {
                        inside.push(name);
                        todo.extend(*value);
                    }
                    _ if out.contains(&name.as_str()) => {}
                    _ => out.push(name),
                }
            } else if let Some((function, args, keywords)) = expr.as_call() {
                if function == "defined"
                    && let Some(name) = args.first().and_then(named)
                {
                    if !out.contains(&name) {
                        out.push(name);
                    }
                    continue;
                }
                todo.extend(args.iter().chain(keywords.iter().map(|(_, e)| e)).rev());
            } else {
                todo.extend(expr.children().into_iter().rev());
            }
        }
        out
    }
}

/// The parameter that an argument names.
pub(super) fn named(expr: &Expr) -> Option<&str> {
    match &expr.kind {
        ExprKind::Name(name) | ExprKind::Str(name) => Some(name),
        _ => None,
    }
}

struct Eval<'n, 'e> {
    names: &'n Names<'e>,
    request: Request<'n>,
    /// Bound names whose value is being computed: inside, they are the parameter of that name, as in
    /// `{% set days = Int32(days, 7) %}`.
    inside: Vec<&'n str>,
    depth: usize,
}

impl<'n> Eval<'n, '_> {
    fn eval(&mut self, expr: &'n Expr) -> Answer {
        let fuel = self.names.fuel.get().checked_sub(1).ok_or(Stop::Unknown)?;
        self.names.fuel.set(fuel);
        if self.depth >= MAX_DEPTH {
            return Err(Stop::Unknown);
        }
        self.depth += 1;
        let value = self.eval_here(expr);
        self.depth -= 1;
        value
    }

    fn eval_here(&mut self, expr: &'n Expr) -> Answer {
        match &expr.kind {
            ExprKind::Name(name) => self.name(name),
            ExprKind::Str(text) => Ok(Value::Str(text.clone())),
            ExprKind::Number(text) => number(text).ok_or(Stop::Unknown),
            ExprKind::Constant("None") => Ok(Value::None),
            ExprKind::Constant(word) => Ok(Value::Bool(*word == "True")),
            ExprKind::Sequence(_, items) => {
                let items = items.iter().map(|item| self.eval(item)).collect::<Result<_, _>>()?;
                Ok(Value::List(items))
            }
            ExprKind::Not(inner) => Ok(Value::Bool(!truth(&self.eval(inner)?))),
            ExprKind::Bool { and, operands } => {
                let mut value = Value::None;
                for operand in operands {
                    value = self.eval(operand)?;
                    if truth(&value) != *and {
                        break;
                    }
                }
                Ok(value)
            }
            ExprKind::Conditional { then, condition, otherwise } => {
                let holds = truth(&self.eval(condition)?);
                self.eval(if holds { then } else { otherwise })
            }
            ExprKind::Compare(first, rest) => {
                let mut left = self.eval(first)?;
                for (op, right) in rest {
                    let right = self.eval(right)?;
                    if !compare(&left, op, &right)? {
                        return Ok(Value::Bool(false));
                    }
                    left = right;
                }
                Ok(Value::Bool(true))
            }
            ExprKind::Binary(left, op, right) => {
                let (left, right) = (self.eval(left)?, self.eval(right)?);
                arithmetic(left, op, right)
            }
            ExprKind::Sign(sign, inner) => match (*sign, self.eval(inner)?) {
                ("-", Value::Int(n)) => n.checked_neg().map(Value::Int).ok_or(Stop::Unknown),
                ("-", Value::Float(x)) => Ok(Value::Float(-x)),
                ("+", value @ (Value::Int(_) | Value::Float(_))) => Ok(value),
                _ => Err(Stop::Unknown),
            },
            ExprKind::Subscript(of, index) => match (self.eval(of)?, self.eval(index)?) {
                (Value::List(items), Value::Int(n)) => {
                    let len = i128::try_from(items.len()).unwrap_or(i128::MAX);
                    let at = usize::try_from(if n < 0 { len + n } else { n });
                    at.ok().and_then(|at| items.get(at).cloned()).ok_or(Stop::Error)
                }
                _ => Err(Stop::Unknown),
            },
            ExprKind::Call { callee, args, keywords } => match &callee.kind {
                ExprKind::Name(function) => self.call(function, args, keywords),
                ExprKind::Attribute(of, method) => {
                    let of = self.eval(of)?;
                    let args = args.iter().map(|arg| self.eval(arg)).collect::<Result<Vec<_>, _>>()?;
                    self::method(&of, &method.value, &args)
                }
                _ => Err(Stop::Unknown),
            },
            _ => Err(Stop::Unknown),
        }
    }

    fn name(&mut self, name: &'n str) -> Answer {
        match self.names.sets.get(name) {
            Some(value) if !self.inside.contains(&name) => {
                self.inside.push(name);
                let value = value.map_or(Err(Stop::Unknown), |value| self.eval(value));
                self.inside.pop();
                value
            }
            _ => Ok((self.request)(name).map_or(Value::None, Value::Raw)),
        }
    }

    fn call(&mut self, function: &str, args: &'n [Expr], keywords: &'n [(Spanned<String>, Expr)]) -> Answer {
        let keyword = |name: &str| keywords.iter().find(|(k, _)| k.value == name).map(|(_, e)| e);
        if function == "defined" {
            let name = args.first().and_then(named).ok_or(Stop::Unknown)?;
            return Ok(Value::Bool((self.request)(name).is_some()));
        }
        if matches!(function, "error" | "custom_error") {
            return Err(Stop::Error);
        }
        let first = args.first().ok_or(Stop::Unknown)?;
        if TYPE_FUNCTIONS.contains(&function) && function != "Array" || function == "split_to_array" {
            // A quoted first argument may be a value or a name.
            if matches!(first.kind, ExprKind::Str(_)) {
                return Err(Stop::Unknown);
            }
            let mut value = self.eval(first)?;
            if value == Value::None {
                value = match keyword("default").or_else(|| args.get(1)) {
                    Some(default) => self.eval(default)?,
                    None if function == "split_to_array" => Value::Str(String::new()),
                    None => Value::None,
                };
            }
            if value == Value::None {
                let optional = keyword("defined").map(|e| &e.kind) == Some(&ExprKind::Constant("False"));
                return if optional { Ok(Value::None) } else { Err(Stop::Error) };
            }
            if function == "split_to_array" {
                let separator = match keyword("separator").or_else(|| args.get(2)) {
                    Some(separator) => text(&self.eval(separator)?).ok_or(Stop::Unknown)?,
                    None => ",".to_owned(),
                };
                let all = text(&value).filter(|_| !separator.is_empty()).ok_or(Stop::Unknown)?;
                return Ok(Value::List(
                    all.split(&*separator).map(|s| Value::Str(s.trim().to_owned())).collect(),
                ));
            }
            return typed(function, &value);
        }
        let value = self.eval(first)?;
        match (function, value) {
            ("int" | "float", Value::None) | ("len", Value::None | Value::Int(_)) => Err(Stop::Error),
            ("int", value) => typed("Int", &value),
            ("float", value) => typed("Float64", &value),
            ("str", value) => text(&value).map(Value::Str).ok_or(Stop::Unknown),
            ("bool", value) => Ok(Value::Bool(truth(&value))),
            ("len", Value::Str(text) | Value::Raw(text)) => Ok(count(text.chars().count())),
            ("len", Value::List(items)) => Ok(count(items.len())),
            ("list", Value::List(items)) => Ok(Value::List(items)),
            _ => Err(Stop::Unknown),
        }
    }
}

fn count(n: usize) -> Value {
    Value::Int(i128::try_from(n).unwrap_or(i128::MAX))
}

/// The number that a text is; not those that are words.
pub(super) fn number(text: &str) -> Option<Value> {
    text.trim_start_matches('-').strip_prefix(|c: char| c.is_ascii_digit() || c == '.')?;
    let plain = text.replace('_', "");
    plain.parse().map(Value::Int).ok().or_else(|| plain.parse().map(Value::Float).ok())
}

fn text(value: &Value) -> Option<String> {
    match value {
        Value::Str(text) | Value::Raw(text) => Some(text.clone()),
        Value::Int(n) => Some(n.to_string()),
        _ => None,
    }
}

/// What Python takes for true.
pub(super) fn truth(value: &Value) -> bool {
    match value {
        Value::None => false,
        Value::Bool(b) => *b,
        Value::Int(n) => *n != 0,
        Value::Float(x) => *x != 0.0,
        Value::Str(text) | Value::Raw(text) => !text.is_empty(),
        Value::List(items) => !items.is_empty(),
    }
}

/// A value behind a type function; one that does not fit fails the request.
fn typed(function: &str, value: &Value) -> Answer {
    if matches!(value, Value::List(_)) {
        return Err(Stop::Unknown);
    }
    match function {
        "Boolean" => match value {
            Value::Str(text) | Value::Raw(text) => {
                Ok(Value::Bool(!matches!(text.to_ascii_lowercase().as_str(), "" | "0" | "false")))
            }
            other => Ok(Value::Bool(truth(other))),
        },
        "String" | "Date" | "DateTime" | "DateTime64" => text(value).map(Value::Str).ok_or(Stop::Unknown),
        "Float32" | "Float64" => match value {
            Value::Float(x) => Ok(Value::Float(*x)),
            Value::Bool(_) | Value::None => Err(Stop::Unknown),
            other => text(other).and_then(|t| t.trim().parse().ok()).map(Value::Float).ok_or(Stop::Error),
        },
        _ => match value {
            Value::Float(_) | Value::Bool(_) | Value::None => Err(Stop::Unknown),
            other => {
                let n = text(other).and_then(|t| t.trim().parse::<i128>().ok()).ok_or(Stop::Error)?;
                if fits(function, n) { Ok(Value::Int(n)) } else { Err(Stop::Error) }
            }
        },
    }
}

/// Whether a whole number is in the range of `Int8`, `UInt64`…
fn fits(function: &str, n: i128) -> bool {
    let (signed, bits) = match (function.strip_prefix("UInt"), function.strip_prefix("Int")) {
        (Some(bits), _) => (false, bits),
        (None, Some(bits)) => (true, bits),
        (None, None) => return true,
    };
    match (signed, bits.parse::<u32>()) {
        (true, Ok(bits @ 8..=64)) => (-(1i128 << (bits - 1))..1i128 << (bits - 1)).contains(&n),
        (false, Ok(bits @ 8..=64)) => (0..1i128 << bits).contains(&n),
        (signed, _) => signed || n >= 0,
    }
}

fn as_number(value: &Value) -> Option<f64> {
    match value {
        Value::Int(n) => Some(*n as f64),
        Value::Float(x) => Some(*x),
        Value::Bool(b) => Some(f64::from(u8::from(*b))),
        Value::Raw(text) => text.trim().parse().ok(),
        _ => None,
    }
}

fn equal(left: &Value, right: &Value) -> Result<bool, Stop> {
    use Value as V;
    Ok(match (left, right) {
        (V::Str(a) | V::Raw(a), V::Str(b) | V::Raw(b)) => a == b,
        (V::List(a), V::List(b)) => {
            let mut same = a.len() == b.len();
            for (a, b) in a.iter().zip(b) {
                same &= equal(a, b)?;
            }
            same
        }
        (V::Raw(_), V::Bool(_)) | (V::Bool(_), V::Raw(_)) => return Err(Stop::Unknown),
        (V::None, V::None) => true,
        (V::Int(a), V::Int(b)) => a == b,
        (V::None | V::List(_), _) | (_, V::None | V::List(_)) => false,
        (V::Str(_), _) | (_, V::Str(_)) => false,
        (a, b) => as_number(a).zip(as_number(b)).is_some_and(|(a, b)| a == b),
    })
}

fn compare(left: &Value, op: &str, right: &Value) -> Result<bool, Stop> {
    use Value as V;
    match op {
        "==" => equal(left, right),
        "!=" => equal(left, right).map(|same| !same),
        "in" | "not in" => {
            let found = match (left, right) {
                (left, V::List(items)) => {
                    let mut found = false;
                    for item in items {
                        found |= equal(left, item)?;
                    }
                    found
                }
                (V::Str(part) | V::Raw(part), V::Str(whole) | V::Raw(whole)) => whole.contains(part.as_str()),
                (_, V::None) => return Err(Stop::Error),
                _ => return Err(Stop::Unknown),
            };
            Ok(found == (op == "in"))
        }
        "is" | "is not" => match (left, right) {
            (left, V::None) => Ok((*left == V::None) == (op == "is")),
            (V::Bool(a), V::Bool(b)) => Ok((a == b) == (op == "is")),
            _ => Err(Stop::Unknown),
        },
        _ => {
            let order = match (left, right) {
                (V::None, _) | (_, V::None) => return Err(Stop::Error),
                (V::Str(a) | V::Raw(a), V::Str(b) | V::Raw(b)) => a.partial_cmp(b),
                (V::List(_), _) | (_, V::List(_)) => return Err(Stop::Unknown),
                (V::Str(_), _) | (_, V::Str(_)) => return Err(Stop::Error),
                (V::Int(a), V::Int(b)) => a.partial_cmp(b),
                (a, b) => as_number(a).ok_or(Stop::Error)?.partial_cmp(&as_number(b).ok_or(Stop::Error)?),
            };
            let Some(order) = order else { return Ok(false) };
            match op {
                "<" => Ok(order.is_lt()),
                ">" => Ok(order.is_gt()),
                "<=" => Ok(order.is_le()),
                ">=" => Ok(order.is_ge()),
                _ => Err(Stop::Unknown),
            }
        }
    }
}

fn arithmetic(left: Value, op: &str, right: Value) -> Answer {
    use Value as V;
    let whole = |n: Option<i128>| n.map(V::Int).ok_or(Stop::Unknown);
    match (left, op, right) {
        (V::None, _, _) | (_, _, V::None) => Err(Stop::Error),
        (V::Str(a) | V::Raw(a), "+", V::Str(b) | V::Raw(b)) => Ok(V::Str(a + &b)),
        (V::Int(a), "+", V::Int(b)) => whole(a.checked_add(b)),
        (V::Int(a), "-", V::Int(b)) => whole(a.checked_sub(b)),
        (V::Int(a), "*", V::Int(b)) => whole(a.checked_mul(b)),
        (V::Int(_), "//" | "%" | "/", V::Int(0)) => Err(Stop::Error),
        (V::Int(a), "//", V::Int(b)) => whole(a.checked_div_euclid(b).filter(|_| b > 0)),
        (V::Int(a), "%", V::Int(b)) => whole(a.checked_rem_euclid(b).filter(|_| b > 0)),
        (a @ (V::Int(_) | V::Float(_)), op, b @ (V::Int(_) | V::Float(_))) => {
            let (a, b) = (as_number(&a).ok_or(Stop::Unknown)?, as_number(&b).ok_or(Stop::Unknown)?);
            match op {
                "+" => Ok(V::Float(a + b)),
                "-" => Ok(V::Float(a - b)),
                "*" => Ok(V::Float(a * b)),
                "/" => Ok(V::Float(a / b)),
                _ => Err(Stop::Unknown),
            }
        }
        _ => Err(Stop::Unknown),
    }
}

fn method(of: &Value, method: &str, args: &[Value]) -> Answer {
    let own = match of {
        Value::None => return Err(Stop::Error),
        Value::Str(text) | Value::Raw(text) => text,
        _ => return Err(Stop::Unknown),
    };
    let arg = |n: usize| args.get(n).and_then(text);
    match (method, args.len()) {
        ("lower", 0) => Ok(Value::Str(own.to_lowercase())),
        ("upper", 0) => Ok(Value::Str(own.to_uppercase())),
        ("strip", 0) => Ok(Value::Str(own.trim().to_owned())),
        ("isdigit", 0) => Ok(Value::Bool(!own.is_empty() && own.chars().all(|c| c.is_ascii_digit()))),
        ("startswith", 1) => arg(0).map(|a| Value::Bool(own.starts_with(&a))).ok_or(Stop::Unknown),
        ("endswith", 1) => arg(0).map(|a| Value::Bool(own.ends_with(&a))).ok_or(Stop::Unknown),
        ("split", 1) => {
            let separator = arg(0).filter(|s| !s.is_empty()).ok_or(Stop::Unknown)?;
            Ok(Value::List(own.split(&separator).map(|part| Value::Str(part.to_owned())).collect()))
        }
        ("replace", 2) => {
            arg(0).zip(arg(1)).map(|(a, b)| Value::Str(own.replace(&a, &b))).ok_or(Stop::Unknown)
        }
        _ => Err(Stop::Unknown),
    }
}

#[cfg(test)]
mod tests;
