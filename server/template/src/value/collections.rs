//! Subscripts, slices, and what changes lists and dicts in place.

use std::sync::Arc;

use num_bigint::BigInt;
use num_traits::{Signed, ToPrimitive};

use super::items::{Items, list, tuple};
use super::{Value, key_of};
use crate::error::{Fault, Stop, quoted};
use crate::limits::Meter;

type Answer = Result<Value, Stop>;

/// A step on the way to a value that is changed in place: `d['key']`.
pub(crate) type Index = Value;

/// `of[index]`.
pub(crate) fn subscript(of: &Value, index: &Value, meter: &Meter<'_>) -> Answer {
    meter.step()?;
    match of {
        Value::List(items) | Value::Tuple(items) => {
            let at = place(items.len(), index, of)?;
            Ok(items[at].clone())
        }
        Value::Str(text) | Value::Sql(text) => {
            meter.bytes(text.len())?;
            let at = place(text.chars().count(), index, of)?;
            Ok(text.chars().nth(at).map_or(Value::None, |c| Value::text(c.to_string())))
        }
        Value::Dict(dict) => match dict.get(&key_of(index, meter)?) {
            Some(value) => Ok(value.clone()),
            None => Err(no_key(index)),
        },
        other => {
            let next = match other {
                Value::None => "a parameter that is not passed is None: ask `defined(name)` first",
                _ => "only lists, texts and dicts have parts",
            };
            let message = format!("`[…]` cannot look into {}; {next}", other.type_name());
            Err(Fault::python("TypeError", message))
        }
    }
}

fn no_key(index: &Value) -> Stop {
    let key = index.as_str().map_or_else(|| index.type_name().to_owned(), quoted);
    let message = format!("the dict has no key {key}; use `.get(key, default)`");
    Fault::python("KeyError", message)
}

/// The place that an index means, negative ones from the end.
fn place(len: usize, index: &Value, of: &Value) -> Result<usize, Stop> {
    let Some(n) = index.as_int() else {
        let message = format!("a place in a {} is a whole number, not {}", of.type_name(), index.type_name());
        return Err(Fault::python("TypeError", message));
    };
    let from_start = if n.is_negative() { n + len } else { n };
    from_start.to_usize().filter(|at| *at < len).ok_or_else(|| {
        let message =
            format!("the {} has {len} items, and no such place; check `len(…)` first", of.type_name());
        Fault::python("IndexError", message)
    })
}

/// `of[start:stop:step]`.
pub(crate) fn slice(of: &Value, parts: [&Value; 3], meter: &Meter<'_>) -> Answer {
    let whole = |value: &Value| match value {
        Value::None => Ok(None),
        value => value.as_int().map(Some).ok_or_else(|| {
            let message = format!("the bounds of a slice are whole numbers, not {}", value.type_name());
            Fault::python("TypeError", message)
        }),
    };
    let (start, stop, step) = (whole(parts[0])?, whole(parts[1])?, whole(parts[2])?);
    let step = step.map_or(1, |step| clamped(&step));
    if step == 0 {
        return Err(Fault::python("ValueError", "the step of a slice cannot be 0"));
    }
    let places = |len: usize| places(len, start.as_ref(), stop.as_ref(), step);
    match of {
        Value::Str(text) | Value::Sql(text) => {
            meter.text(text.len())?;
            let chars: Vec<char> = text.chars().collect();
            Ok(Value::text(places(chars.len()).map(|at| chars[at]).collect::<String>()))
        }
        Value::List(items) | Value::Tuple(items) => {
            meter.items(items.len())?;
            let taken = places(items.len()).map(|at| items[at].clone()).collect();
            if matches!(of, Value::List(_)) { list(taken, meter) } else { tuple(taken, meter) }
        }
        other => {
            let message = format!("{} cannot be sliced; only lists and texts can", other.type_name());
            Err(Fault::python("TypeError", message))
        }
    }
}

fn clamped(n: &BigInt) -> i64 {
    const FAR: i64 = i64::MAX / 4;
    n.to_i64().map_or(if n.is_negative() { -FAR } else { FAR }, |n| n.clamp(-FAR, FAR))
}

fn places(
    len: usize,
    start: Option<&BigInt>,
    stop: Option<&BigInt>,
    step: i64,
) -> impl Iterator<Item = usize> {
    let len = i64::try_from(len).unwrap_or(i64::MAX / 4);
    let (low, high) = if step > 0 { (0, len) } else { (-1, len - 1) };
    let bound = |n: &BigInt| {
        let n = clamped(n);
        (if n < 0 { n + len } else { n }).clamp(low, high)
    };
    let (first, last) = if step > 0 { (low, high) } else { (high, low) };
    let (mut at, stop) = (start.map_or(first, bound), stop.map_or(last, bound));
    std::iter::from_fn(move || {
        let here = at;
        let inside = if step > 0 { here < stop } else { here > stop };
        at += step;
        usize::try_from(here).ok().filter(|_| inside)
    })
}

/// What is done at the end of a path of subscripts.
pub(crate) type Change<'c> = &'c mut dyn FnMut(&mut Value) -> Answer;

/// Changes the value at `path` in `root`. What others hold of it stays as it was: values are copied when they are shared.
pub(crate) fn change(root: &mut Value, path: &[Index], meter: &Meter<'_>, apply: Change<'_>) -> Answer {
    let Some((index, path)) = path.split_first() else { return apply(root) };
    meter.step()?;
    match root {
        Value::List(items) => {
            let at = place(items.len(), index, &Value::List(items.clone()))?;
            let items = owned(items, meter)?;
            let slot = &mut items.edit(0)[at];
            let answer = change(slot, path, meter, apply)?;
            let depth = slot.depth();
            meter.nesting(depth + 1)?;
            items.edit(depth);
            Ok(answer)
        }
        Value::Dict(dict) => {
            meter.steps(if Arc::strong_count(dict) > 1 { dict.len() as u64 } else { 1 })?;
            let dict = Arc::make_mut(dict);
            let slot = dict.get_mut(&key_of(index, meter)?).ok_or_else(|| no_key(index))?;
            let answer = change(slot, path, meter, apply)?;
            let depth = slot.depth();
            meter.nesting(depth + 1)?;
            dict.deepened(depth);
            Ok(answer)
        }
        other => {
            let found = subscript(other, index, meter)?;
            change(&mut found.clone(), path, meter, apply)
        }
    }
}

/// The items to change, copied when somebody else has them too.
pub(super) fn owned<'i>(items: &'i mut Arc<Items>, meter: &Meter<'_>) -> Result<&'i mut Items, Stop> {
    if Arc::strong_count(items) > 1 {
        meter.items(items.len())?;
    }
    Ok(Arc::make_mut(items))
}

/// `of[index] = value`.
pub(crate) fn set_item(of: &mut Value, index: &Index, value: Value, meter: &Meter<'_>) -> Result<(), Stop> {
    meter.nesting(value.depth() + 1)?;
    match of {
        Value::List(items) => {
            let at = place(items.len(), index, &Value::List(items.clone()))?;
            let depth = value.depth();
            owned(items, meter)?.edit(depth)[at] = value;
            Ok(())
        }
        Value::Dict(dict) => {
            let key = key_of(index, meter)?;
            meter.steps(if Arc::strong_count(dict) > 1 { dict.len() as u64 } else { 1 })?;
            let dict = Arc::make_mut(dict);
            if dict.get(&key).is_none() {
                meter.room(dict.len() + 1)?;
            }
            dict.insert(key, index.clone(), value);
            Ok(())
        }
        other => {
            let message =
                format!("the parts of {} cannot be set; only those of lists and dicts", other.type_name());
            Err(Fault::python("TypeError", message))
        }
    }
}
