//! Equality, order and membership.

use std::cmp::Ordering;

use num_bigint::BigInt;
use num_traits::FromPrimitive;

use super::{Value, key_of};
use crate::error::{Fault, Stop};
use crate::limits::Meter;

/// `left op right` for an operator of comparison.
pub(crate) fn compare(left: &Value, op: &str, right: &Value, meter: &Meter<'_>) -> Result<bool, Stop> {
    match op {
        "==" => equal(left, right, meter),
        "!=" => equal(left, right, meter).map(|same| !same),
        "in" => contains(right, left, meter),
        "not in" => contains(right, left, meter).map(|found| !found),
        "is" => is(left, right, meter),
        "is not" => is(left, right, meter).map(|same| !same),
        _ => {
            let order = order(left, op, right, meter)?;
            Ok(match op {
                "<" => order == Some(Ordering::Less),
                ">" => order == Some(Ordering::Greater),
                "<=" => order.is_some_and(Ordering::is_le),
                _ => order.is_some_and(Ordering::is_ge),
            })
        }
    }
}

/// Identity. Python keeps one object for equal short texts and small numbers, so that equal values of a type count.
fn is(left: &Value, right: &Value, meter: &Meter<'_>) -> Result<bool, Stop> {
    Ok(left.type_name() == right.type_name() && equal(left, right, meter)?)
}

pub(crate) fn equal(left: &Value, right: &Value, meter: &Meter<'_>) -> Result<bool, Stop> {
    use Value as V;
    meter.step()?;
    Ok(match (left, right) {
        (V::None, V::None) => true,
        (V::Str(a) | V::Sql(a), V::Str(b) | V::Sql(b)) => {
            meter.bytes(a.len().min(b.len()))?;
            a == b
        }
        (V::List(a), V::List(b)) | (V::Tuple(a), V::Tuple(b)) => {
            if a.len() != b.len() {
                return Ok(false);
            }
            for (a, b) in a.iter().zip(b.iter()) {
                if !equal(a, b, meter)? {
                    return Ok(false);
                }
            }
            true
        }
        (V::Dict(a), V::Dict(b)) | (V::Set(a), V::Set(b)) => {
            if a.len() != b.len() {
                return Ok(false);
            }
            for (key, a) in a.iter() {
                match b.get(&key_of(key, meter)?) {
                    Some(b) if equal(a, b, meter)? => {}
                    _ => return Ok(false),
                }
            }
            true
        }
        (a, b) => numeric_order(a, b) == Some(Some(Ordering::Equal)),
    })
}

/// The order of two values; `None` where there is a NaN. `op` is for the message.
pub(crate) fn order(
    left: &Value,
    op: &str,
    right: &Value,
    meter: &Meter<'_>,
) -> Result<Option<Ordering>, Stop> {
    use Value as V;
    meter.step()?;
    match (left, right) {
        (V::Str(a) | V::Sql(a), V::Str(b) | V::Sql(b)) => {
            meter.bytes(a.len().min(b.len()))?;
            Ok(Some(a.cmp(b)))
        }
        (V::List(a), V::List(b)) | (V::Tuple(a), V::Tuple(b)) => {
            for (a, b) in a.iter().zip(b.iter()) {
                if !equal(a, b, meter)? {
                    return order(a, op, b, meter);
                }
            }
            Ok(Some(a.len().cmp(&b.len())))
        }
        (a, b) => numeric_order(a, b).ok_or_else(|| {
            let next = match (a, b) {
                (V::None, _) | (_, V::None) => {
                    "a parameter that is not passed is None: ask `defined(name)` first"
                }
                (V::Str(_), _) | (_, V::Str(_)) => {
                    "a text is made a number by `Int32(name)` or `Float64(name)`"
                }
                _ => "compare values of one type",
            };
            let message = format!("`{op}` does not compare {} with {}; {next}", a.type_name(), b.type_name());
            Fault::python("TypeError", message)
        }),
    }
}

/// `None` when one of them is no number.
fn numeric_order(left: &Value, right: &Value) -> Option<Option<Ordering>> {
    match (left, right) {
        (Value::Float(a), Value::Float(b)) => Some(a.value.partial_cmp(&b.value)),
        (Value::Float(a), b) => Some(against(&b.as_int()?, a.value).map(Ordering::reverse)),
        (a, Value::Float(b)) => Some(against(&a.as_int()?, b.value)),
        (a, b) => Some(Some(a.as_int()?.cmp(&b.as_int()?))),
    }
}

/// Exact, also where the number has more digits than a float.
fn against(n: &BigInt, x: f64) -> Option<Ordering> {
    match BigInt::from_f64(x.trunc()) {
        Some(whole) => {
            Some(n.cmp(&whole).then_with(|| 0.0_f64.partial_cmp(&x.fract()).unwrap_or(Ordering::Equal)))
        }
        None if x.is_nan() => None,
        None if x.is_sign_positive() => Some(Ordering::Less),
        None => Some(Ordering::Greater),
    }
}

/// `item in container`.
pub(crate) fn contains(container: &Value, item: &Value, meter: &Meter<'_>) -> Result<bool, Stop> {
    match container {
        Value::Str(whole) | Value::Sql(whole) => {
            let part = item.as_str().ok_or_else(|| {
                let message = format!("`in` looks for a text in a text, not for {}", item.type_name());
                Fault::python("TypeError", message)
            })?;
            meter.bytes(whole.len())?;
            Ok(whole.contains(part))
        }
        Value::List(items) | Value::Tuple(items) => {
            for other in items.iter() {
                if equal(other, item, meter)? {
                    return Ok(true);
                }
            }
            Ok(false)
        }
        Value::Dict(dict) | Value::Set(dict) => Ok(dict.get(&key_of(item, meter)?).is_some()),
        other => {
            let next = match other {
                Value::None => "a parameter that is not passed is None: ask `defined(name)` first",
                _ => "look into a list or text",
            };
            let message = format!("`in` cannot look into {}; {next}", other.type_name());
            Err(Fault::python("TypeError", message))
        }
    }
}
