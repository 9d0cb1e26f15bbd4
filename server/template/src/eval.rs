//! Computes expressions. The one evaluator of the crate: for what tags print, for what they decide, and for the search
//! for requests that make conditions true.

use headwater_syntax::template::{Brackets, Clause, Expr, ExprKind};
use headwater_syntax::{Spanned, TextRange};

use crate::error::{Fault, Stop};
use crate::functions::{self, Args};
use crate::limits::Meter;
use crate::scope::Scope;
use crate::value::{
    Value, binary, change, compare, dict, list, method, number, set, set_item, sign, slice, subscript, tuple,
};

pub(crate) type Answer = Result<Value, Stop>;

/// Methods that change what they are called on.
const CHANGING: &[&str] = &[
    "append",
    "insert",
    "extend",
    "pop",
    "remove",
    "clear",
    "reverse",
    "sort",
    "update",
    "setdefault",
    "add",
    "discard",
];

/// The value of `expr`.
pub(crate) fn eval(expr: &Expr, scope: &mut dyn Scope, meter: &Meter<'_>) -> Answer {
    meter.step()?;
    meter.deeper(|| here(expr, scope, meter)).map_err(|stop| stop.at(expr.range))
}

fn here(expr: &Expr, scope: &mut dyn Scope, meter: &Meter<'_>) -> Answer {
    match &expr.kind {
        ExprKind::Name(name) => scope.name(name, expr.range),
        ExprKind::Str(text) => {
            meter.text(text.len())?;
            Ok(Value::text(text.as_str()))
        }
        ExprKind::Number(text) => number(text, meter)?.ok_or_else(|| {
            Fault::python("ValueError", format!("`{text}` is no number that templates know; write digits"))
        }),
        ExprKind::Constant("None") => Ok(Value::None),
        ExprKind::Constant(word) => Ok(Value::Bool(*word == "True")),
        ExprKind::OddStr => {
            let message = "texts with the letters f or b before them do not exist here; join texts with `+`";
            Err(Fault::python("TypeError", message))
        }
        ExprKind::Sequence(brackets, items) => {
            if let [Expr { kind: ExprKind::Comprehension { elements, .. }, .. }] = items.as_slice()
                && *brackets != Brackets::Tuple
            {
                let made = made_by(&items[0], scope, meter)?;
                return match (brackets, elements.len()) {
                    (Brackets::List, _) => list(made, meter),
                    (_, 2) => dict(pairs(made), meter),
                    _ => set(made, meter),
                };
            }
            let items = spread(items, scope, meter)?;
            match brackets {
                Brackets::List => list(items, meter),
                Brackets::Tuple => tuple(items, meter),
                Brackets::Set => set(items, meter),
            }
        }
        ExprKind::Dict(pairs) => {
            let mut out = Vec::with_capacity(pairs.len());
            for (key, value) in pairs {
                out.push((eval(key, scope, meter)?, eval(value, scope, meter)?));
            }
            dict(out, meter)
        }
        ExprKind::Not(_) => {
            let (mut inner, mut negated) = (expr, false);
            while let ExprKind::Not(next) = &inner.kind {
                (inner, negated) = (next, !negated);
            }
            Ok(Value::Bool(eval(inner, scope, meter)?.truth() != negated))
        }
        ExprKind::Sign(..) => {
            let mut signs = Vec::new();
            let mut inner = expr;
            while let ExprKind::Sign(next, of) = &inner.kind {
                signs.push(*next);
                inner = of;
            }
            let mut value = eval(inner, scope, meter)?;
            for next in signs.into_iter().rev() {
                value = sign(next, &value)?;
            }
            Ok(value)
        }
        ExprKind::Bool { and, operands } => {
            let mut value = Value::None;
            for operand in operands {
                value = eval(operand, scope, meter)?;
                if value.truth() != *and {
                    break;
                }
            }
            Ok(value)
        }
        ExprKind::Conditional { then, condition, otherwise } => {
            let holds = eval(condition, scope, meter)?.truth();
            eval(if holds { then } else { otherwise }, scope, meter)
        }
        ExprKind::Compare(first, rest) => {
            let mut left = eval(first, scope, meter)?;
            for (op, right) in rest {
                let right = eval(right, scope, meter)?;
                if !compare(&left, op, &right, meter)? {
                    return Ok(Value::Bool(false));
                }
                left = right;
            }
            Ok(Value::Bool(true))
        }
        ExprKind::Binary(..) => {
            // A sum of a thousand parts is a tree that leans to the left.
            let mut parts = Vec::new();
            let mut first = expr;
            while let ExprKind::Binary(left, op, right) = &first.kind {
                parts.push((op, right, first.range));
                first = left;
            }
            let mut value = eval(first, scope, meter)?;
            for (op, right, range) in parts.into_iter().rev() {
                let right = eval(right, scope, meter)?;
                value = binary(&value, op, &right, meter).map_err(|stop| stop.at(range))?;
            }
            Ok(value)
        }
        ExprKind::Call { .. } | ExprKind::Subscript(..) | ExprKind::Attribute(..) => {
            chain(expr, scope, meter)
        }
        // A generator: what takes one only loops over it.
        ExprKind::Comprehension { .. } => list(made_by(expr, scope, meter)?, meter),
        ExprKind::Slice(_) => Err(Fault::python("TypeError", "a slice stands in `[…]` only")),
        ExprKind::Spread(..) => {
            Err(Fault::python("TypeError", "`*` before a value stands in calls and lists only"))
        }
        ExprKind::Lambda { .. } => {
            Err(Fault::python("TypeError", "there are no lambdas; write the call out"))
        }
        ExprKind::Error => Err(Fault::python("TypeError", "an expression is missing here")),
    }
}

/// Calls, subscripts and methods in a row: `a.b().c[0].d()`.
fn chain(expr: &Expr, scope: &mut dyn Scope, meter: &Meter<'_>) -> Answer {
    let mut links = Vec::new();
    let mut first = expr;
    loop {
        let next = match &first.kind {
            ExprKind::Call { callee, .. } => match &callee.kind {
                ExprKind::Attribute(of, _) => of,
                _ => break,
            },
            ExprKind::Subscript(of, _) => of,
            _ => break,
        };
        links.push(first);
        first = next;
    }
    // What changes its subject needs to know where that is kept.
    let changes = |link: &Expr| {
        matches!(&link.kind, ExprKind::Call { callee, .. }
        if matches!(&callee.kind, ExprKind::Attribute(_, name) if CHANGING.contains(&name.value.as_str())))
    };
    let mut links = links.into_iter().rev().peekable();
    let subscripts = links.clone().take_while(|l| matches!(l.kind, ExprKind::Subscript(..))).count();
    let mut value = match (&first.kind, links.clone().nth(subscripts)) {
        (ExprKind::Name(name), Some(link)) if changes(link) => {
            let mut path = Vec::new();
            for _ in 0..subscripts {
                if let Some(ExprKind::Subscript(_, index)) = links.next().map(|l| &l.kind) {
                    path.push(eval(index, scope, meter)?);
                }
            }
            links.next();
            change_name(name, &path, link, scope, meter).map_err(|stop| stop.at(link.range))?
        }
        _ => match &first.kind {
            ExprKind::Call { callee, args, keywords } => match &callee.kind {
                ExprKind::Name(function) => call(function, args, keywords, first.range, scope, meter)
                    .map_err(|stop| stop.at(first.range))?,
                _ => return Err(Fault::python("TypeError", "only functions of templates can be called")),
            },
            ExprKind::Attribute(_, name) => {
                let message = format!(
                    "there are no attributes; write `['{0}']` or `.get('{0}')` for a key",
                    name.value
                );
                return Err(Fault::python("AttributeError", message));
            }
            _ => eval(first, scope, meter)?,
        },
    };
    for link in links {
        meter.step()?;
        value = linked(value, link, scope, meter).map_err(|stop| stop.at(link.range))?;
    }
    Ok(value)
}

fn linked(mut of: Value, link: &Expr, scope: &mut dyn Scope, meter: &Meter<'_>) -> Answer {
    match &link.kind {
        ExprKind::Subscript(_, index) => match &index.kind {
            ExprKind::Slice(parts) => {
                let mut bounds = [Value::None, Value::None, Value::None];
                for (bound, part) in bounds.iter_mut().zip(parts) {
                    if let Some(part) = part {
                        *bound = eval(part, scope, meter)?;
                    }
                }
                slice(&of, [&bounds[0], &bounds[1], &bounds[2]], meter)
            }
            _ => {
                let index = eval(index, scope, meter)?;
                subscript(&of, &index, meter)
            }
        },
        ExprKind::Call { callee, args, keywords } => {
            let ExprKind::Attribute(_, name) = &callee.kind else { return Err(Stop::Unknown) };
            let (args, keywords) = arguments(args, keywords, scope, meter)?;
            method(&mut of, &name.value, &args, &keywords, meter)
        }
        _ => Err(Stop::Unknown),
    }
}

/// Calls a method that changes what a variable holds.
fn change_name(name: &str, path: &[Value], call: &Expr, scope: &mut dyn Scope, meter: &Meter<'_>) -> Answer {
    let ExprKind::Call { callee, args, keywords } = &call.kind else { return Err(Stop::Unknown) };
    let ExprKind::Attribute(_, method_name) = &callee.kind else { return Err(Stop::Unknown) };
    let (args, keywords) = arguments(args, keywords, scope, meter)?;
    let mut root = scope.take(name)?;
    let answer =
        change(&mut root, path, meter, &mut |of| method(of, &method_name.value, &args, &keywords, meter));
    scope.put(name, root)?;
    answer
}

/// Positional and keyword arguments of a call, with `*list` and `**dict` spread.
fn arguments(
    args: &[Expr],
    keywords: &[(Spanned<String>, Expr)],
    scope: &mut dyn Scope,
    meter: &Meter<'_>,
) -> Result<(Vec<Value>, Vec<(String, Value)>), Stop> {
    let mut named = Vec::new();
    let mut positional = Vec::new();
    for arg in args {
        match &arg.kind {
            ExprKind::Spread("**", inner) => {
                let Value::Dict(dict) = eval(inner, scope, meter)? else {
                    return Err(Fault::python("TypeError", "`**` takes a dict").at(arg.range));
                };
                meter.items(dict.len())?;
                for (key, value) in dict.iter() {
                    named.push((key.as_str().unwrap_or_default().to_owned(), value.clone()));
                }
            }
            _ => positional.extend(spread(std::slice::from_ref(arg), scope, meter)?),
        }
    }
    for (name, value) in keywords {
        named.push((name.value.clone(), eval(value, scope, meter)?));
    }
    Ok((positional, named))
}

/// Values of a list's items, with `*list` spread.
fn spread(items: &[Expr], scope: &mut dyn Scope, meter: &Meter<'_>) -> Result<Vec<Value>, Stop> {
    let mut out = Vec::with_capacity(items.len());
    for item in items {
        match &item.kind {
            ExprKind::Spread("*", inner) => {
                let value = eval(inner, scope, meter)?;
                let more = value.iterate(meter)?.ok_or_else(|| {
                    let message = format!("`*` spreads lists, not {}", value.type_name());
                    Fault::python("TypeError", message).at(item.range)
                })?;
                meter.room(out.len() + more.len())?;
                out.extend(more);
            }
            _ => out.push(eval(item, scope, meter)?),
        }
    }
    Ok(out)
}

fn call(
    function: &str,
    args: &[Expr],
    keywords: &[(Spanned<String>, Expr)],
    range: TextRange,
    scope: &mut dyn Scope,
    meter: &Meter<'_>,
) -> Answer {
    // The one function that is told a name, and not what the name is worth.
    if let ("defined", [Expr { kind: ExprKind::Name(name) | ExprKind::Str(name), .. }]) = (function, args)
        && keywords.is_empty()
    {
        return scope.is_defined(name).map(Value::Bool);
    }
    let parameter = match args.first() {
        Some(Expr { kind: ExprKind::Name(name), range }) if functions::takes_parameter(function) => {
            Some((name.as_str(), *range))
        }
        _ => None,
    };
    let (mut positional, named) = match parameter {
        Some((name, _)) => {
            let first = scope.argument(name)?;
            let (rest, named) = arguments(&args[1..], keywords, scope, meter)?;
            (std::iter::once(first).chain(rest).collect(), named)
        }
        None => arguments(args, keywords, scope, meter)?,
    };
    let args = Args {
        function,
        positional: std::mem::take(&mut positional),
        keywords: named,
        parameter: parameter.map(|(name, _)| name),
        range,
        first: parameter.map(|(_, range)| range).or_else(|| args.first().map(|a| a.range)).unwrap_or(range),
    };
    functions::call(&args, scope, meter)
}

/// What a comprehension makes, keys and values of dicts in turn.
fn made_by(expr: &Expr, scope: &mut dyn Scope, meter: &Meter<'_>) -> Result<Vec<Value>, Stop> {
    let ExprKind::Comprehension { elements, clauses } = &expr.kind else { return Ok(Vec::new()) };
    let mut out = Vec::new();
    let bound: Vec<_> = expr.bound().into_iter().map(|name| name.value.as_str()).collect();
    let outer: Vec<_> = bound.iter().map(|name| scope.local(name, None)).collect();
    let result = rounds(elements, clauses, scope, meter, &mut out);
    for (name, value) in bound.into_iter().zip(outer).rev() {
        scope.local(name, value);
    }
    result.map(|()| out)
}

fn pairs(flat: Vec<Value>) -> Vec<(Value, Value)> {
    let mut flat = flat.into_iter();
    std::iter::from_fn(|| Some((flat.next()?, flat.next()?))).collect()
}

fn rounds(
    elements: &[Expr],
    clauses: &[Clause],
    scope: &mut dyn Scope,
    meter: &Meter<'_>,
    out: &mut Vec<Value>,
) -> Result<(), Stop> {
    let Some((clause, rest)) = clauses.split_first() else {
        for element in elements {
            out.push(eval(element, scope, meter)?);
        }
        return meter.room(out.len());
    };
    match clause {
        Clause::If(condition) => {
            if eval(condition, scope, meter)?.truth() {
                meter.deeper(|| rounds(elements, rest, scope, meter, out))?;
            }
        }
        Clause::For(names, subject) => {
            for item in items(subject, scope, meter)? {
                meter.round()?;
                bind(names, item, meter, &mut |name, value| {
                    scope.local(name, Some(value));
                    Ok(())
                })
                .map_err(|stop| stop.at(subject.range))?;
                meter.deeper(|| rounds(elements, rest, scope, meter, out))?;
            }
        }
    }
    Ok(())
}

/// The items that a loop over `subject` takes.
pub(crate) fn items(subject: &Expr, scope: &mut dyn Scope, meter: &Meter<'_>) -> Result<Vec<Value>, Stop> {
    let value = eval(subject, scope, meter)?;
    value.iterate(meter)?.ok_or_else(|| {
        let next = match value {
            Value::None => "a parameter that is not passed is None: write `split_to_array(name, '')`",
            _ => "loop over a list",
        };
        let message = format!("there is nothing to loop over in {}; {next}", value.type_name());
        Fault::python("TypeError", message).at(subject.range)
    })
}

/// Gives the names of a loop or assignment their values.
pub(crate) fn bind(
    names: &[Spanned<String>],
    value: Value,
    meter: &Meter<'_>,
    put: &mut dyn FnMut(&str, Value) -> Result<(), Stop>,
) -> Result<(), Stop> {
    if let [name] = names {
        return put(&name.value, value);
    }
    let parts = value.iterate(meter)?.filter(|parts| parts.len() == names.len()).ok_or_else(|| {
        let message = format!("{} names need a list of {} items each", names.len(), names.len());
        Fault::python("ValueError", message)
    })?;
    for (name, part) in names.iter().zip(parts) {
        put(&name.value, part)?;
    }
    Ok(())
}

/// `target = value`: of a name, several names, or a part of what a name holds.
pub(crate) fn assign(
    target: &Expr,
    names: &[Spanned<String>],
    value: Value,
    scope: &mut dyn Scope,
    meter: &Meter<'_>,
) -> Result<(), Stop> {
    let assigned = match &target.kind {
        ExprKind::Name(name) => scope.put(name, value),
        ExprKind::Sequence(..) => bind(names, value, meter, &mut |name, value| scope.put(name, value)),
        ExprKind::Subscript(..) => assign_part(target, &value, scope, meter),
        _ => Err(Fault::python(
            "TypeError",
            "only names and their parts can be set; write `{% set name = … %}`",
        )),
    };
    assigned.map_err(|stop| stop.at(target.range))
}

fn assign_part(target: &Expr, value: &Value, scope: &mut dyn Scope, meter: &Meter<'_>) -> Result<(), Stop> {
    let mut path = Vec::new();
    let mut of = target;
    while let ExprKind::Subscript(inner, index) = &of.kind {
        path.push(index);
        of = inner;
    }
    let ExprKind::Name(name) = &of.kind else {
        return Err(Fault::python("TypeError", "only parts of what a name holds can be set"));
    };
    path.reverse();
    let mut indexes = Vec::with_capacity(path.len());
    for index in path {
        indexes.push(eval(index, scope, meter)?);
    }
    let Some((last, inner)) = indexes.split_last() else { return Err(Stop::Unknown) };
    let mut root = scope.take(name)?;
    let answer = change(&mut root, inner, meter, &mut |of| {
        set_item(of, last, value.clone(), meter).map(|()| Value::None)
    });
    scope.put(name, root)?;
    answer.map(|_| ())
}
