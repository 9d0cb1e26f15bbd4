//! Python's own functions, as far as templates have them. Those in tags that print are few (specification §8.4).

use num_bigint::BigInt;
use num_traits::{Signed, ToPrimitive};

use super::Args;
use crate::error::{ErrorKind, Fault, Stop, quoted};
use crate::eval::Answer;
use crate::limits::Meter;
use crate::value::{
    Value, as_float, binary, compare, dict, list, parse_int, power, repr, set, sorted, str_of,
    truncate_to_int, tuple,
};

/// The functions that control tags have besides those of every tag.
pub(crate) const FUNCTIONS: &[&str] = &[
    "abs",
    "all",
    "any",
    "bin",
    "bool",
    "chr",
    "dict",
    "divmod",
    "enumerate",
    "hex",
    "oct",
    "ord",
    "pow",
    "range",
    "repr",
    "reversed",
    "round",
    "set",
    "sorted",
    "str",
    "sum",
    "tuple",
    "zip",
];

pub(super) fn call(args: &Args<'_>, meter: &Meter<'_>) -> Answer {
    let wrong = |what: &str| Err(Fault::python("TypeError", format!("{} {what}", args.function)));
    let whole = |value: &Value| {
        value.as_int().ok_or_else(|| {
            let message = format!("{} takes a whole number, not {}", args.function, value.type_name());
            Fault::python("TypeError", message)
        })
    };
    match args.function {
        "len" => {
            let [value] = args.bind(["x"])?;
            let value = args.need(value, "x")?;
            Ok(Value::count(match &value {
                Value::Str(text) | Value::Sql(text) => {
                    meter.bytes(text.len())?;
                    text.chars().count()
                }
                Value::List(items) | Value::Tuple(items) => items.len(),
                Value::Set(dict) | Value::Dict(dict) => dict.len(),
                Value::None => {
                    return wrong(
                        "cannot count None: a parameter that is not passed; ask `defined(name)` first",
                    );
                }
                _ => return wrong("counts the items of lists and the characters of texts, not numbers"),
            }))
        }
        "list" => list(first_items(args, meter)?, meter),
        "tuple" => tuple(first_items(args, meter)?, meter),
        "set" => set(first_items(args, meter)?, meter),
        "dict" => {
            let mut pairs = Vec::new();
            if let Some(Value::Dict(own)) = args.positional.first() {
                meter.items(own.len())?;
                pairs.extend(own.iter().map(|(k, v)| (k.clone(), v.clone())));
            } else if !args.positional.is_empty() {
                for item in first_items(args, meter)? {
                    match item.iterate(meter)?.as_deref() {
                        Some([key, value]) => pairs.push((key.clone(), value.clone())),
                        _ => return wrong("takes pairs of key and value"),
                    }
                }
            }
            pairs.extend(args.keywords.iter().map(|(k, v)| (Value::from(k.as_str()), v.clone())));
            dict(pairs, meter)
        }
        "min" | "max" => extreme(args, meter),
        "sum" => {
            let [items, start] = args.bind(["x", "start"])?;
            let mut total = start.unwrap_or_else(|| Value::int(0));
            for item in items_of(args, &args.need(items, "x")?, meter)? {
                total = binary(&total, "+", &item, meter)?;
            }
            Ok(total)
        }
        "any" => Ok(Value::Bool(first_items(args, meter)?.iter().any(Value::truth))),
        "all" => Ok(Value::Bool(first_items(args, meter)?.iter().all(Value::truth))),
        "sorted" => {
            let [items, reverse] = args.bind(["x", "reverse"])?;
            let items = items_of(args, &args.need(items, "x")?, meter)?;
            list(sorted(items, reverse.is_some_and(|r| r.truth()), meter)?, meter)
        }
        "reversed" => {
            let mut items = first_items(args, meter)?;
            items.reverse();
            list(items, meter)
        }
        "enumerate" => {
            let [items, start] = args.bind(["x", "start"])?;
            let start = start.map_or(Ok(BigInt::ZERO), |s| whole(&s))?;
            let items = items_of(args, &args.need(items, "x")?, meter)?.into_iter().enumerate();
            let pairs = items.map(|(n, item)| tuple(vec![Value::int(&start + n), item], meter));
            list(pairs.collect::<Result<_, _>>()?, meter)
        }
        "zip" => {
            let lists =
                args.positional.iter().map(|v| items_of(args, v, meter)).collect::<Result<Vec<_>, _>>()?;
            let length = lists.iter().map(Vec::len).min().unwrap_or(0);
            let rows = (0..length).map(|n| tuple(lists.iter().map(|l| l[n].clone()).collect(), meter));
            list(rows.collect::<Result<_, _>>()?, meter)
        }
        "range" => range(args, meter),
        "str" => {
            let [value] = args.bind(["x"])?;
            value.map_or(Ok(Value::from("")), |value| str_of(&value, meter).map(Value::text))
        }
        "repr" => {
            let [value] = args.bind(["x"])?;
            repr(&args.need(value, "x")?, meter).map(Value::text)
        }
        "bool" => {
            let [value] = args.bind(["x"])?;
            Ok(Value::Bool(value.is_some_and(|v| v.truth())))
        }
        "int" => int(args, meter),
        "float" => float(args),
        "abs" => {
            let [value] = args.bind(["x"])?;
            match args.need(value, "x")? {
                Value::Float(x) => Ok(Value::float(x.value.abs())),
                other => Ok(Value::int(whole(&other)?.abs())),
            }
        }
        "round" => round(args, meter),
        "divmod" => {
            let [a, b] = args.bind(["a", "b"])?;
            let (a, b) = (args.need(a, "a")?, args.need(b, "b")?);
            tuple(vec![binary(&a, "//", &b, meter)?, binary(&a, "%", &b, meter)?], meter)
        }
        "pow" => {
            let [a, b] = args.bind(["a", "b"])?;
            let (a, b) = (args.need(a, "a")?, args.need(b, "b")?);
            match (a.as_int(), b.as_int()) {
                (Some(a), Some(b)) => power(&a, &b, meter),
                _ => binary(&a, "**", &b, meter),
            }
        }
        "bin" | "oct" | "hex" => {
            let [value] = args.bind(["x"])?;
            let n = whole(&args.need(value, "x")?)?;
            let (prefix, radix) = match args.function {
                "bin" => ("0b", 2),
                "oct" => ("0o", 8),
                _ => ("0x", 16),
            };
            let sign = if n.is_negative() { "-" } else { "" };
            Ok(Value::text(format!("{sign}{prefix}{}", n.magnitude().to_str_radix(radix))))
        }
        "chr" => {
            let [value] = args.bind(["x"])?;
            let c = whole(&args.need(value, "x")?)?.to_u32().and_then(char::from_u32);
            c.map(|c| Value::text(c.to_string()))
                .ok_or_else(|| Fault::python("ValueError", "that number is no character"))
        }
        "ord" => {
            let [value] = args.bind(["x"])?;
            let text = args.need_text(value, "x")?;
            let mut chars = text.chars();
            match (chars.next(), chars.next()) {
                (Some(c), None) => Ok(Value::int(u32::from(c))),
                _ => wrong("takes one character"),
            }
        }
        other => {
            let message =
                format!("templates have no function `{other}`; see the list of functions in the guide");
            Err(Fault::new(ErrorKind::Forbidden, "", message))
        }
    }
}

fn items_of(args: &Args<'_>, value: &Value, meter: &Meter<'_>) -> Result<Vec<Value>, Stop> {
    value.iterate(meter)?.ok_or_else(|| {
        let message = format!("{} takes a list or text, not {}", args.function, value.type_name());
        Fault::python("TypeError", message)
    })
}

fn first_items(args: &Args<'_>, meter: &Meter<'_>) -> Result<Vec<Value>, Stop> {
    let [items] = args.bind(["x"])?;
    items.map_or(Ok(Vec::new()), |items| items_of(args, &items, meter))
}

fn extreme(args: &Args<'_>, meter: &Meter<'_>) -> Answer {
    let default = match args.keywords.as_slice() {
        [] => None,
        [(name, value)] if name == "default" => Some(value.clone()),
        [(name, _), ..] => {
            return Err(Fault::python("TypeError", format!("{} knows no `{name}=`", args.function)));
        }
    };
    let items = match args.positional.as_slice() {
        [only] => items_of(args, only, meter)?,
        several => several.to_vec(),
    };
    let mut items = items.into_iter();
    let Some(mut best) = items.next() else {
        return default.ok_or_else(|| {
            let message =
                format!("{} of nothing; pass `default=`, or ask for the length first", args.function);
            Fault::python("ValueError", message)
        });
    };
    let op = if args.function == "min" { "<" } else { ">" };
    for item in items {
        if compare(&item, op, &best, meter)? {
            best = item;
        }
    }
    Ok(best)
}

fn range(args: &Args<'_>, meter: &Meter<'_>) -> Answer {
    let [a, b, c] = args.bind(["start", "stop", "step"])?;
    let whole = |value: Option<Value>, default: i64| match value {
        None => Ok(default),
        Some(value) => value
            .as_int()
            .and_then(|n| n.to_i64())
            .ok_or_else(|| Fault::python("TypeError", "range takes whole numbers")),
    };
    let (start, stop) = match b {
        Some(b) => (whole(a, 0)?, whole(Some(b), 0)?),
        None => (0, whole(a, 0)?),
    };
    let step = whole(c, 1)?;
    if step == 0 {
        return Err(Fault::python("ValueError", "the step of range cannot be 0"));
    }
    let (low, high) = if step > 0 { (start, stop) } else { (stop, start) };
    let span = i128::from(high) - i128::from(low);
    let count = if span <= 0 { 0 } else { (span - 1) / i128::from(step.unsigned_abs()) + 1 };
    let count = usize::try_from(count).unwrap_or(usize::MAX);
    meter.room(count)?;
    let items = (0..count).map(|n| Value::int(i128::from(start) + i128::from(step) * n as i128));
    list(items.collect(), meter)
}

fn int(args: &Args<'_>, meter: &Meter<'_>) -> Answer {
    let [value, base] = args.bind(["x", "base"])?;
    let Some(value) = value else { return Ok(Value::int(0)) };
    let base = match base {
        None => 10,
        Some(base) => base
            .as_int()
            .and_then(|n| n.to_u32())
            .filter(|b| (2..=36).contains(b))
            .ok_or_else(|| Fault::python("ValueError", "the base of int is a number from 2 to 36"))?,
    };
    match &value {
        Value::Str(text) | Value::Sql(text) => {
            parse_int(text, base, meter)?.map(Value::int).ok_or_else(|| {
                Fault::python("ValueError", format!("{} is no whole number; write digits only", quoted(text)))
            })
        }
        Value::Float(x) => truncate_to_int(x.value).map(Value::int),
        other => other.as_int().map(Value::int).ok_or_else(|| not_a_number(args, other)),
    }
}

fn float(args: &Args<'_>) -> Answer {
    let [value] = args.bind(["x"])?;
    let Some(value) = value else { return Ok(Value::float(0.0)) };
    match (&value, as_float(&value)) {
        (_, Some(x)) => Ok(Value::float(x)),
        (Value::Str(text) | Value::Sql(text), None) => {
            Err(Fault::python("ValueError", format!("{} is no number; write 1.5 or 1e3", quoted(text))))
        }
        (other, None) => Err(not_a_number(args, other)),
    }
}

fn not_a_number(args: &Args<'_>, value: &Value) -> Stop {
    let next = match value {
        Value::None => ": a parameter that is not passed; ask `defined(name)` first, or give a default",
        _ => "",
    };
    let message = format!("{} cannot make a number of {}{next}", args.function, value.type_name());
    Fault::python("TypeError", message)
}

fn round(args: &Args<'_>, meter: &Meter<'_>) -> Answer {
    let [value, digits] = args.bind(["x", "digits"])?;
    let value = args.need(value, "x")?;
    let digits = match digits {
        None | Some(Value::None) => None,
        Some(digits) => Some(
            digits
                .as_int()
                .and_then(|n| n.to_i32())
                .ok_or_else(|| Fault::python("TypeError", "round takes a whole number of digits"))?,
        ),
    };
    match (&value, digits) {
        (Value::Float(x), None) => truncate_to_int(x.value.round_ties_even()).map(Value::int),
        (Value::Float(x), Some(digits)) => Ok(Value::float(match usize::try_from(digits) {
            // No float has digits behind these.
            Ok(digits) if digits <= 330 => format!("{:.digits$}", x.value).parse().unwrap_or(x.value),
            Ok(_) => x.value,
            Err(_) => {
                let unit = 10f64.powi(-digits);
                if unit.is_finite() { (x.value / unit).round_ties_even() * unit } else { 0.0 }
            }
        })),
        (other, digits) => {
            let n = other.as_int().ok_or_else(|| not_a_number(args, other))?;
            let Some(places) = digits.filter(|d| *d < 0) else { return Ok(Value::int(n)) };
            let places = places.unsigned_abs();
            meter.integer(u64::from(places) * 4)?;
            let unit = BigInt::from(10).pow(places);
            let half = &unit / 2;
            let (mut quotient, rest) = (&n / &unit, (&n % &unit).abs());
            if rest > half || rest == half && quotient.bit(0) {
                quotient += if n.is_negative() { -1 } else { 1 };
            }
            Ok(Value::int(quotient * unit))
        }
    }
}
