//! Type functions: a request's value in, checked, a value out that knows how it is written in SQL (specification §8.5).

use num_bigint::BigInt;

use super::Args;
use crate::error::{ErrorKind, Fault, Stop};
use crate::escape;
use crate::eval::Answer;
use crate::limits::Meter;
use crate::rendered::Origin;
use crate::scope::{Scope, Use};
use crate::value::{
    Float, Int, Value, fits, float_repr, list, parse_float, parse_int, repr_for_query, str_of,
};

/// `String(name, default, …)` and the other functions of one value.
pub(super) fn scalar(args: &Args<'_>, scope: &mut dyn Scope, meter: &Meter<'_>) -> Answer {
    let [_, default, defined, ..] =
        args.bind(["name", "default", "defined", "required", "description", "enum", "example", "format"])?;
    let optional = defined.is_some_and(|d| !d.truth());
    let placeholder = placeholder(args.function);
    let (value, origin) = args.value_or(default, optional, placeholder, scope)?;
    let value = match value {
        Value::None => Value::None,
        value => check(args, args.function, &value, meter).map_err(|stop| stop.at(args.range))?,
    };
    note(args, &value, origin, scope);
    Ok(value)
}

fn note(args: &Args<'_>, value: &Value, origin: Origin, scope: &mut dyn Scope) {
    if let Some(name) = args.parameter {
        scope.used(Use { name, ty: Some(args.function), range: args.first, value, origin });
    }
}

/// What stands for a value where there is none to be had (specification §8.8).
pub(super) fn placeholder(function: &str) -> Value {
    match function {
        "Date" => Value::from("2019-01-01"),
        "DateTime" => Value::from("2019-01-01 00:00:00"),
        "DateTime64" => Value::from("2019-01-01 00:00:00.000"),
        "Float32" | "Float64" => Value::float(0.0),
        "Boolean" | "Int" | "Integer" => Value::int(0),
        ty if ty.starts_with("Int") || ty.starts_with("UInt") => Value::int(0),
        "JSON" => Value::from("{}"),
        _ => Value::from(crate::request::PLACEHOLDER),
    }
}

/// The value as one of `ty`.
fn check(args: &Args<'_>, ty: &str, value: &Value, meter: &Meter<'_>) -> Answer {
    let found = || str_of(value, meter);
    match ty {
        "String" => Ok(Value::text(found()?)),
        "Boolean" => Ok(Value::int(u8::from(match value.as_str() {
            Some(text) => !matches!(text.to_ascii_lowercase().as_str(), "" | "0" | "false"),
            None => value.truth(),
        }))),
        "Date" => {
            let text = found()?;
            if !is_date(&text) {
                return Err(args.refused(&text, "write a date as YYYY-MM-DD"));
            }
            Ok(Value::text(text))
        }
        "DateTime" | "DateTime64" => {
            let text = found()?;
            let wanted = match ty {
                "DateTime" => "write date and time as YYYY-MM-DD hh:mm:ss",
                _ => "write date and time with a fraction, as YYYY-MM-DD hh:mm:ss.sss",
            };
            match time_fraction(&text) {
                Some(has_fraction) if has_fraction || ty == "DateTime" => Ok(Value::text(text)),
                _ => Err(args.refused(&text, wanted)),
            }
        }
        "Float32" | "Float64" => {
            let number = match value {
                Value::Float(x) => Some(x.value),
                Value::Int(_) | Value::Str(_) | Value::Sql(_) => parse_float(&found()?, false),
                _ => None,
            };
            let Some(value) = number else {
                return Err(args.refused(&found()?, "write a number, as 1.5 or 1e3"));
            };
            let ty = if ty == "Float32" { "Float32" } else { "Float64" };
            Ok(Value::Float(Float { value, ty: Some(ty) }))
        }
        _ => whole(args, ty, value, meter),
    }
}

fn whole(args: &Args<'_>, ty: &str, value: &Value, meter: &Meter<'_>) -> Answer {
    let number = match value {
        Value::Int(n) => Some(n.value.clone()),
        Value::Str(text) | Value::Sql(text) => {
            let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
            let plain = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
            if plain { parse_int(text, 10, meter)? } else { None }
        }
        _ => None,
    };
    let Some(value) = number else {
        return Err(args.refused(&str_of(value, meter)?, "write a whole number in digits"));
    };
    // `Int` and `Integer` are numbers without a type, and are printed bare.
    let ty = headwater_syntax::template::TYPE_FUNCTIONS.iter().copied().find(|t| *t == ty);
    let ty = ty.filter(|ty| ty.ends_with(|c: char| c.is_ascii_digit()));
    if ty.is_some_and(|ty| !fits(ty, &value)) {
        return Err(args.refused(&value.to_string(), &range_of(ty.unwrap_or_default())));
    }
    Ok(Value::Int(Int { value, ty }))
}

fn range_of(ty: &str) -> String {
    let bits: u32 = ty.trim_start_matches(|c: char| !c.is_ascii_digit()).parse().unwrap_or(0);
    let (low, high) = if ty.starts_with('U') {
        (BigInt::ZERO, (BigInt::from(1) << bits) - 1)
    } else {
        (-(BigInt::from(1) << (bits - 1)), (BigInt::from(1) << (bits - 1)) - 1)
    };
    format!("it is out of range, which is {low} to {high}")
}

/// `YYYY-MM-DD` by its shape.
fn is_date(text: &str) -> bool {
    shaped(text, "0000-00-00")
}

/// Whether date and time have a fraction of seconds; `None` when the text is no date and time.
fn time_fraction(text: &str) -> Option<bool> {
    let (date, rest) = text.split_at_checked(10)?;
    let rest = rest.strip_prefix([' ', 'T'])?;
    let rest = rest.strip_suffix('Z').unwrap_or(rest);
    let (time, fraction) = match rest.split_once('.') {
        Some((time, fraction)) => (time, Some(fraction)),
        None => (rest, None),
    };
    let digits = |f: &str| !f.is_empty() && f.bytes().all(|b| b.is_ascii_digit());
    let well_formed = is_date(date) && shaped(time, "00:00:00") && fraction.is_none_or(digits);
    well_formed.then_some(fraction.is_some())
}

/// Whether `text` is `shape` with other digits.
fn shaped(text: &str, shape: &str) -> bool {
    text.len() == shape.len()
        && text.bytes().zip(shape.bytes()).all(|(t, s)| if s == b'0' { t.is_ascii_digit() } else { t == s })
}

/// `Array(name, 'Type', default, …)`: prints `[…]`, and makes the parameter a list from here on.
pub(super) fn array(args: &Args<'_>, scope: &mut dyn Scope, meter: &Meter<'_>) -> Answer {
    let [_, element, default, defined, ..] = args.bind([
        "name",
        "type",
        "default",
        "defined",
        "required",
        "description",
        "enum",
        "example",
        "format",
    ])?;
    let element = match element {
        None | Some(Value::None) => "String".to_owned(),
        Some(other) => args.need_text(Some(other), "type")?,
    };
    // Elements of a type that is none are texts: published projects write a default in this place, and answer.
    let known = headwater_syntax::template::TYPE_FUNCTIONS.iter().find(|t| **t == element && **t != "Array");
    let element = known.copied().unwrap_or("String");
    let optional = defined.is_some_and(|d| !d.truth());
    let placeholder = Value::list(vec![placeholder(element)]);
    let (value, origin) = args.value_or(default, optional, placeholder, scope)?;
    let items = match &value {
        Value::None => return Ok(Value::None),
        Value::Str(text) | Value::Sql(text) => {
            meter.room(text.matches(',').count() + 1)?;
            text.split(',').map(Value::from).collect()
        }
        Value::List(_) | Value::Tuple(_) | Value::Set(_) => value.iterate(meter)?.unwrap_or_default(),
        // One number is a list of one.
        other => vec![other.clone()],
    };
    let mut checked = Vec::with_capacity(items.len());
    for (n, item) in items.iter().enumerate() {
        let of_array = Args { function: element, parameter: args.parameter, ..empty(args) };
        let value = check(&of_array, element, item, meter).map_err(|stop| at_element(stop, args, n))?;
        checked.push(value);
    }
    let value = list(checked, meter)?;
    note(args, &value, origin, scope);
    let sql = match &value {
        Value::List(items) => written(items, meter)?,
        _ => String::new(),
    };
    if let Some(name) = args.parameter.filter(|_| origin != Origin::Placeholder) {
        scope.put(name, value)?;
    }
    Ok(Value::sql(sql))
}

fn empty<'a>(args: &Args<'a>) -> Args<'a> {
    Args {
        function: args.function,
        positional: Vec::new(),
        keywords: Vec::new(),
        parameter: args.parameter,
        range: args.range,
        first: args.first,
    }
}

fn at_element(stop: Stop, args: &Args<'_>, n: usize) -> Stop {
    match stop {
        Stop::Fault(mut fault) => {
            if matches!(fault.kind, ErrorKind::Validation { .. }) {
                fault.message = format!("element {n} of the array does not fit: {}", fault.message);
                fault.range = Some(args.range);
            }
            Stop::Fault(fault)
        }
        other => other,
    }
}

/// `[1,2]` and `['a','b']`: numbers bare, texts quoted.
pub(super) fn written(items: &[Value], meter: &Meter<'_>) -> Result<String, Stop> {
    let mut out = "[".to_owned();
    for (n, item) in items.iter().enumerate() {
        meter.step()?;
        out.push_str(if n > 0 { "," } else { "" });
        match item {
            Value::Str(text) => out.push_str(&escape::literal(text)),
            other => out.push_str(&str_of(other, meter)?),
        }
        meter.text_so_far(out.len())?;
    }
    out.push(']');
    meter.text(out.len())?;
    Ok(out)
}

/// `JSON(name, default)`: the object that a JSON text is.
pub(super) fn json(args: &Args<'_>, scope: &mut dyn Scope, meter: &Meter<'_>) -> Answer {
    let [_, default, defined, ..] =
        args.bind(["name", "default", "defined", "required", "description", "enum", "example", "format"])?;
    let optional = defined.is_some_and(|d| !d.truth());
    let (value, origin) = args.value_or(default, optional, placeholder("JSON"), scope)?;
    let value = match value.as_str() {
        Some(text) => {
            // Reading makes an item of at most every second byte.
            meter.text(text.len())?;
            meter.steps(text.len() as u64 / 2)?;
            let parsed = Value::from_json(text)
                .map_err(|error| args.refused(text, &format!("write JSON ({error})")))?;
            meter.nesting(parsed.depth())?;
            parsed
        }
        None => value,
    };
    note(args, &value, origin, scope);
    Ok(value)
}

/// A value as `{{ }}` writes it.
pub(crate) fn print(value: &Value, meter: &Meter<'_>) -> Result<String, Stop> {
    Ok(match value {
        Value::None => {
            let message = "this is None, which cannot be printed: the parameter is not passed; give it a default, as in \
                           `String(name, '')`, or print it inside of `{% if defined(name) %}`";
            return Err(Fault::new(ErrorKind::Null, "ValueError", message));
        }
        Value::Sql(text) => {
            meter.text(text.len())?;
            text.to_string()
        }
        Value::Str(text) => {
            meter.text(text.len())?;
            escape::literal(text)
        }
        Value::Int(Int { value, ty: Some(ty) }) => {
            meter.integer(value.bits())?;
            format!("to{ty}('{value}')")
        }
        Value::Float(Float { value, ty: Some(ty) }) => format!("to{ty}('{}')", float_repr(*value)),
        other => repr_for_query(other, meter)?,
    })
}
