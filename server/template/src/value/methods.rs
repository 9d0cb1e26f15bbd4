//! Methods of lists, sets and dicts, and the way to those of texts.

use std::cmp::Ordering;
use std::sync::Arc;

use super::collections::owned;
use super::items::{dict, key_of, list, tuple};
use super::strings::{self, Args};
use super::{Value, equal, order};
use crate::error::{Fault, Stop};
use crate::limits::Meter;

type Answer = Result<Value, Stop>;

/// Calls a method. Those that change their list or dict change `of`.
pub(crate) fn method(
    of: &mut Value,
    method: &str,
    args: &[Value],
    keywords: &[(String, Value)],
    meter: &Meter<'_>,
) -> Answer {
    meter.step()?;
    let args = Args { method, args, keywords };
    let answer = match of {
        Value::Str(text) | Value::Sql(text) => strings::method(&text.clone(), &args, meter)?,
        Value::List(_) => of_list(of, &args, meter)?,
        Value::Tuple(items) => match method {
            "index" => Some(index_of(items, &args, meter)?),
            "count" => Some(count_of(items, &args, meter)?),
            _ => None,
        },
        Value::Dict(_) => of_dict(of, &args, meter)?,
        Value::Set(_) => of_set(of, &args, meter)?,
        _ => None,
    };
    answer.ok_or_else(|| {
        let next = match of {
            Value::None => {
                "; a parameter that is not passed is None: ask `defined(name)` first, or give a default"
            }
            Value::Int(_) | Value::Float(_) => "; make it a text with `str(…)` first",
            _ => "",
        };
        Fault::python("AttributeError", format!("{} has no method .{method}(){next}", of.type_name()))
    })
}

fn index_of(items: &[Value], args: &Args<'_>, meter: &Meter<'_>) -> Answer {
    let wanted = args.need(0)?;
    for (n, item) in items.iter().enumerate() {
        if equal(item, wanted, meter)? {
            return Ok(Value::count(n));
        }
    }
    Err(Fault::python("ValueError", "the list does not hold that item; ask with `in` first"))
}

fn count_of(items: &[Value], args: &Args<'_>, meter: &Meter<'_>) -> Answer {
    let wanted = args.need(0)?;
    let mut count = 0;
    for item in items {
        count += usize::from(equal(item, wanted, meter)?);
    }
    Ok(Value::count(count))
}

fn of_list(of: &mut Value, args: &Args<'_>, meter: &Meter<'_>) -> Result<Option<Value>, Stop> {
    let Value::List(items) = of else { return Ok(None) };
    let len = items.len();
    let at = |n: i64| usize::try_from(if n < 0 { n + len as i64 } else { n }).ok();
    match args.method {
        "index" => return index_of(items, args, meter).map(Some),
        "count" => return count_of(items, args, meter).map(Some),
        "copy" => return Ok(Some(Value::List(items.clone()))),
        "append" => {
            let value = args.need(0)?.clone();
            meter.room(len + 1)?;
            meter.nesting(value.depth() + 1)?;
            owned(items, meter)?.push(value);
        }
        "insert" => {
            let place = at(args.int(0, "index")?.unwrap_or(0)).unwrap_or(0).min(len);
            let value = args.need(1)?.clone();
            meter.room(len + 1)?;
            meter.nesting(value.depth() + 1)?;
            meter.steps((len - place) as u64)?;
            let depth = value.depth();
            owned(items, meter)?.edit(depth).insert(place, value);
        }
        "extend" => {
            let more = iterable(args.need(0)?, meter)?;
            meter.room(len + more.len())?;
            let depth = more.iter().map(Value::depth).max().unwrap_or(0);
            meter.nesting(depth + 1)?;
            owned(items, meter)?.edit(depth).extend(more);
        }
        "pop" => {
            let place = at(args.int(0, "index")?.unwrap_or(-1)).filter(|place| *place < len);
            let place =
                place.ok_or_else(|| Fault::python("IndexError", "the list has no such item to .pop()"))?;
            meter.steps((len - place) as u64)?;
            return Ok(Some(owned(items, meter)?.edit(0).remove(place)));
        }
        "remove" => {
            let place = index_of(items, args, meter)?.as_int().and_then(|n| usize::try_from(n).ok());
            owned(items, meter)?.edit(0).remove(place.unwrap_or(0));
        }
        "clear" => *of = list(Vec::new(), meter)?,
        "reverse" => {
            meter.items(len)?;
            owned(items, meter)?.edit(0).reverse();
        }
        "sort" => {
            let reverse = args.get(usize::MAX, "reverse").is_some_and(Value::truth);
            *of = list(sorted(items.to_vec(), reverse, meter)?, meter)?;
        }
        _ => return Ok(None),
    }
    Ok(Some(Value::None))
}

fn iterable(value: &Value, meter: &Meter<'_>) -> Result<Vec<Value>, Stop> {
    value
        .iterate(meter)?
        .ok_or_else(|| Fault::python("TypeError", format!("{} has no items; pass a list", value.type_name())))
}

/// Items in order; equal ones stay as they are. A merge sort of our own, since the standard library's may panic where
/// the order is none, which Python's NaN makes possible.
pub(crate) fn sorted(items: Vec<Value>, reverse: bool, meter: &Meter<'_>) -> Result<Vec<Value>, Stop> {
    let mut from = items;
    let mut width = 1;
    while width < from.len() {
        let mut to = Vec::with_capacity(from.len());
        for run in from.chunks(width * 2) {
            let (mut left, mut right) = run.split_at(width.min(run.len()));
            while let ([a, after_a @ ..], [b, after_b @ ..]) = (left, right) {
                let (first, second) = if reverse { (a, b) } else { (b, a) };
                let right_first = order(first, "<", second, meter)? == Some(Ordering::Less);
                if right_first {
                    to.push(b.clone());
                    right = after_b;
                } else {
                    to.push(a.clone());
                    left = after_a;
                }
            }
            to.extend(left.iter().chain(right).cloned());
        }
        meter.items(to.len())?;
        from = to;
        width *= 2;
    }
    Ok(from)
}

fn of_dict(of: &mut Value, args: &Args<'_>, meter: &Meter<'_>) -> Result<Option<Value>, Stop> {
    let Value::Dict(own) = of else { return Ok(None) };
    let pair = |(key, value): (&Value, &Value)| tuple(vec![key.clone(), value.clone()], meter);
    match args.method {
        "get" => {
            let found = own.get(&key_of(args.need(0)?, meter)?).cloned();
            return Ok(Some(found.or_else(|| args.get(1, "default").cloned()).unwrap_or(Value::None)));
        }
        "keys" => return list(own.iter().map(|(key, _)| key.clone()).collect(), meter).map(Some),
        "values" => return list(own.iter().map(|(_, value)| value.clone()).collect(), meter).map(Some),
        "items" => return list(own.iter().map(pair).collect::<Result<_, _>>()?, meter).map(Some),
        "copy" => return Ok(Some(Value::Dict(own.clone()))),
        "clear" => *of = dict([], meter)?,
        "update" => {
            let Value::Dict(more) = args.need(0)? else {
                return Err(Fault::python("TypeError", ".update() takes a dict"));
            };
            let all: Vec<_> = own.iter().chain(more.iter()).map(|(k, v)| (k.clone(), v.clone())).collect();
            *of = dict(all, meter)?;
        }
        "pop" | "setdefault" => {
            let key = key_of(args.need(0)?, meter)?;
            if let Some(found) = own.get(&key).cloned() {
                if args.method == "pop" {
                    meter.steps(own.len() as u64)?;
                    Arc::make_mut(own).remove(&key);
                }
                return Ok(Some(found));
            }
            if args.method == "pop" {
                let missing =
                    || Fault::python("KeyError", "the dict has no such key to .pop(); pass a default");
                return args.get(1, "default").cloned().map(Some).ok_or_else(missing);
            }
            let value = args.get(1, "default").cloned().unwrap_or(Value::None);
            super::set_item(of, args.need(0)?, value.clone(), meter)?;
            return Ok(Some(value));
        }
        _ => return Ok(None),
    }
    Ok(Some(Value::None))
}

fn of_set(of: &mut Value, args: &Args<'_>, meter: &Meter<'_>) -> Result<Option<Value>, Stop> {
    let Value::Set(own) = of else { return Ok(None) };
    meter.items(own.len())?;
    match args.method {
        "add" => {
            let value = args.need(0)?;
            let key = key_of(value, meter)?;
            meter.room(own.len() + 1)?;
            meter.nesting(value.depth() + 1)?;
            Arc::make_mut(own).insert(key, value.clone(), Value::None);
        }
        "discard" | "remove" => {
            let key = key_of(args.need(0)?, meter)?;
            if Arc::make_mut(own).remove(&key).is_none() && args.method == "remove" {
                return Err(Fault::python("KeyError", "the set does not hold that item; use .discard()"));
            }
        }
        _ => return Ok(None),
    }
    Ok(Some(Value::None))
}
