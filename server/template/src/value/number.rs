//! Arithmetic, as Python does it: whole numbers of any size, division that rounds down.

use num_bigint::{BigInt, Sign};
use num_traits::{FromPrimitive, Signed, ToPrimitive, Zero};

use super::items::{list, tuple};
use super::{Value, percent};
use crate::error::{ErrorKind, Fault, LimitKind, Stop, quoted};
use crate::limits::Meter;

type Answer = Result<Value, Stop>;

/// `left op right` for an operator of arithmetic.
pub(crate) fn binary(left: &Value, op: &str, right: &Value, meter: &Meter<'_>) -> Answer {
    use Value as V;
    match (left, op, right) {
        (V::Str(a) | V::Sql(a), "+", V::Str(b) | V::Sql(b)) => {
            meter.text(a.len() + b.len())?;
            Ok(V::text([&**a, &**b].concat()))
        }
        (V::Str(a) | V::Sql(a), "%", b) => percent(a, b, meter).map(V::text),
        (V::List(a), "+", V::List(b)) => list([&a[..], &b[..]].concat(), meter),
        (V::Tuple(a), "+", V::Tuple(b)) => tuple([&a[..], &b[..]].concat(), meter),
        (V::Str(_) | V::Sql(_) | V::List(_) | V::Tuple(_), "*", n) if n.as_int().is_some() => {
            repeat(left, n, meter)
        }
        (n, "*", V::Str(_) | V::Sql(_) | V::List(_) | V::Tuple(_)) if n.as_int().is_some() => {
            repeat(right, n, meter)
        }
        _ => match (left.as_int(), right.as_int()) {
            (Some(a), Some(b)) => whole(&a, op, &b, meter),
            _ => match (as_float(left)?, as_float(right)?) {
                (Some(a), Some(b)) => floating(a, op, b),
                _ => Err(unsupported(left, op, right)),
            },
        },
    }
}

fn unsupported(left: &Value, op: &str, right: &Value) -> Stop {
    let next = match (left, right) {
        (Value::None, _) | (_, Value::None) => {
            "a parameter that is not passed is None: give it a default, as in `Int32(name, 0)`"
        }
        (Value::Str(_), _) | (_, Value::Str(_)) if op != "+" => {
            "a text is made a number by `Int32(name)` or `Float64(name)`"
        }
        (Value::Str(_), _) | (_, Value::Str(_)) => {
            "make both texts with `str(…)`, or both numbers with `Int32(…)`"
        }
        _ => "use numbers",
    };
    let message = format!("`{op}` does not work on {} and {}; {next}", left.type_name(), right.type_name());
    Fault::python("TypeError", message)
}

fn repeat(of: &Value, times: &Value, meter: &Meter<'_>) -> Answer {
    let times = times.as_int().filter(Signed::is_positive).unwrap_or_default();
    // More than any limit allows is as good as all of it.
    let times = times.to_usize().unwrap_or(usize::MAX);
    match of {
        Value::Str(text) | Value::Sql(text) => {
            meter.text(text.len().saturating_mul(times))?;
            // Nothing stays nothing, however often.
            Ok(Value::text(if text.is_empty() { String::new() } else { text.repeat(times) }))
        }
        Value::List(items) | Value::Tuple(items) => {
            meter.items(items.len().saturating_mul(times))?;
            let count = items.len().saturating_mul(times);
            let repeated = items.iter().cycle().take(count).cloned().collect();
            if matches!(of, Value::List(_)) { list(repeated, meter) } else { tuple(repeated, meter) }
        }
        _ => Err(Stop::Unknown),
    }
}

fn by_zero() -> Stop {
    Fault::python("ZeroDivisionError", "division by zero; check the divisor with `{% if … %}` first")
}

fn whole(a: &BigInt, op: &str, b: &BigInt, meter: &Meter<'_>) -> Answer {
    meter.integer(a.bits().max(b.bits()))?;
    Ok(Value::int(match op {
        "+" => a + b,
        "-" => a - b,
        "*" => {
            meter.integer(a.bits() + b.bits())?;
            a * b
        }
        "/" => return quotient(a, b),
        "//" | "%" if b.is_zero() => return Err(by_zero()),
        "//" => divide(a, b).0,
        "%" => divide(a, b).1,
        "&" => a & b,
        "|" => a | b,
        "^" => a ^ b,
        "<<" | ">>" if b.is_negative() => {
            return Err(Fault::python("ValueError", format!("`{op}` needs a count that is not negative")));
        }
        "<<" => {
            let bits = b.to_u64().unwrap_or(u64::MAX);
            meter.integer(if a.is_zero() { 0 } else { a.bits().saturating_add(bits) })?;
            if a.is_zero() { BigInt::zero() } else { a << bits }
        }
        ">>" => match b.to_u64() {
            Some(bits) if bits <= a.bits() => a >> bits,
            _ if a.is_negative() => BigInt::from(-1),
            _ => BigInt::zero(),
        },
        "**" => return power(a, b, meter),
        _ => return Err(unsupported(&Value::int(a.clone()), op, &Value::int(b.clone()))),
    }))
}

/// `a // b` and `a % b`: the quotient rounds down, and the rest has the divisor's sign.
fn divide(a: &BigInt, b: &BigInt) -> (BigInt, BigInt) {
    let (quotient, rest) = (a / b, a % b);
    if rest.is_zero() || rest.sign() == b.sign() { (quotient, rest) } else { (quotient - 1, rest + b) }
}

fn quotient(a: &BigInt, b: &BigInt) -> Answer {
    if b.is_zero() {
        return Err(by_zero());
    }
    const EXACT: u64 = 53;
    if a.bits() <= EXACT && b.bits() <= EXACT {
        return Ok(Value::float(a.to_f64().unwrap_or(0.0) / b.to_f64().unwrap_or(1.0)));
    }
    // More bits than a float has, and one that says whether there are others, so that the result is rounded once.
    let wanted = 66 + i64::try_from(b.bits()).unwrap_or(0) - i64::try_from(a.bits()).unwrap_or(0);
    let (up, down) = (wanted.max(0).unsigned_abs(), wanted.min(0).unsigned_abs());
    let (over, under) = (a.magnitude() << up, b.magnitude() << down);
    let (quotient, rest) = (&over / &under, &over % &under);
    let sticky = (quotient << 1u8) | num_bigint::BigUint::from(u8::from(!rest.is_zero()));
    let exponent = i32::try_from(-wanted - 1).unwrap_or(i32::MAX);
    // In two steps, since half of it may be beyond all floats.
    let half = exponent / 2;
    let value = sticky.to_f64().unwrap_or(f64::INFINITY) * 2f64.powi(half) * 2f64.powi(exponent - half);
    let signed = if a.sign() == b.sign() { value } else { -value };
    if value.is_finite() { Ok(Value::float(signed)) } else { Err(overflow()) }
}

fn overflow() -> Stop {
    Fault::python(
        "OverflowError",
        "the result is too large for a floating-point number; use `//` or smaller numbers",
    )
}

pub(crate) fn power(a: &BigInt, b: &BigInt, meter: &Meter<'_>) -> Answer {
    if b.is_negative() {
        if a.is_zero() {
            return Err(by_zero());
        }
        let x = a.to_f64().unwrap_or(f64::INFINITY);
        return Ok(Value::float(x.powf(b.to_f64().unwrap_or(f64::NEG_INFINITY))));
    }
    if a.bits() <= 1 {
        // 0, 1 and -1 never grow.
        let even = !b.bit(0);
        return Ok(Value::int(match a.sign() {
            Sign::NoSign => BigInt::from(u8::from(b.is_zero())),
            Sign::Minus if !even => BigInt::from(-1),
            _ => BigInt::from(1),
        }));
    }
    let exponent = b.to_u32().unwrap_or(u32::MAX);
    meter.integer((a.bits() - 1).saturating_mul(u64::from(exponent)))?;
    Ok(Value::int(a.pow(exponent)))
}

/// The number as a float; `None` for what is no number.
fn as_float(value: &Value) -> Result<Option<f64>, Stop> {
    match value {
        Value::Float(x) => Ok(Some(x.value)),
        _ => match value.as_int() {
            Some(n) => match n.to_f64().filter(|x| x.is_finite()) {
                Some(x) => Ok(Some(x)),
                None => Err(overflow()),
            },
            None => Ok(None),
        },
    }
}

fn floating(a: f64, op: &str, b: f64) -> Answer {
    Ok(Value::float(match op {
        "+" => a + b,
        "-" => a - b,
        "*" => a * b,
        "/" | "//" | "%" if b == 0.0 => return Err(by_zero()),
        "/" => a / b,
        "//" => floor_divide(a, b).0,
        "%" => floor_divide(a, b).1,
        "**" if a == 0.0 && b < 0.0 => return Err(by_zero()),
        "**" => {
            let value = a.powf(b);
            if value.is_nan() && !a.is_nan() && !b.is_nan() {
                return Err(Fault::python(
                    "ValueError",
                    "a negative number has no power with a fraction; use whole exponents",
                ));
            }
            if value.is_infinite() && a.is_finite() && b.is_finite() {
                return Err(overflow());
            }
            value
        }
        _ => return Err(unsupported(&Value::float(a), op, &Value::float(b))),
    }))
}

fn floor_divide(a: f64, b: f64) -> (f64, f64) {
    let mut rest = a % b;
    if rest != 0.0 && (rest < 0.0) != (b < 0.0) {
        rest += b;
    }
    // A rest of zero has the divisor's sign.
    if rest == 0.0 {
        rest = 0.0_f64.copysign(b);
    }
    let exact = (a - rest) / b;
    let floor = exact.floor();
    (if exact - floor > 0.5 { floor + 1.0 } else { floor }, rest)
}

/// `-x`, `+x`, `~x`.
pub(crate) fn sign(sign: &str, value: &Value) -> Answer {
    match (sign, value, value.as_int()) {
        ("-", _, Some(n)) => Ok(Value::int(-n)),
        ("+", _, Some(n)) => Ok(Value::int(n)),
        ("~", _, Some(n)) => Ok(Value::int(-(n + BigInt::from(1)))),
        ("-", Value::Float(x), _) => Ok(Value::float(-x.value)),
        ("+", Value::Float(x), _) => Ok(Value::float(x.value)),
        _ => {
            let message = format!("`{sign}` needs a number, not {}", value.type_name());
            Err(Fault::python("TypeError", message))
        }
    }
}

/// The number that a literal of the template is; `None` for what is none, or not exact (`1j`).
pub(crate) fn number(literal: &str, meter: &Meter<'_>) -> Result<Option<Value>, Stop> {
    let plain = literal.replace('_', "");
    for (prefix, radix) in [("0x", 16), ("0o", 8), ("0b", 2)] {
        let digits = plain.get(..2).filter(|p| p.eq_ignore_ascii_case(prefix)).and(plain.get(2..));
        if let Some(digits) = digits {
            return Ok(digits_of(digits, radix, meter)?.map(Value::int));
        }
    }
    if plain.bytes().all(|b| b.is_ascii_digit()) {
        return Ok(digits_of(&plain, 10, meter)?.map(Value::int));
    }
    let is_float = plain.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'.' | b'e' | b'E' | b'+' | b'-'));
    Ok(plain.parse().ok().filter(|_| is_float).map(Value::float))
}

fn digits_of(digits: &str, radix: u32, meter: &Meter<'_>) -> Result<Option<BigInt>, Stop> {
    if digits.is_empty() || !digits.chars().all(|c| c.is_digit(radix)) {
        return Ok(None);
    }
    let digits = match digits.trim_start_matches('0') {
        "" => "0",
        digits => digits,
    };
    if digits.len() > meter.digits() {
        let message = "a number has more digits than the template may compute with; the limit can be raised";
        return Err(Fault::new(ErrorKind::Limit(LimitKind::Integer), "", message));
    }
    let n = BigInt::parse_bytes(digits.as_bytes(), radix);
    meter.integer(n.as_ref().map_or(0, BigInt::bits))?;
    Ok(n)
}

/// `int(text, radix)` of Python: blanks around, a sign, and `_` between digits are fine.
pub(crate) fn parse_int(text: &str, radix: u32, meter: &Meter<'_>) -> Result<Option<BigInt>, Stop> {
    meter.bytes(text.len())?;
    let text = text.trim();
    let (negative, digits) = match text.strip_prefix(['-', '+']) {
        Some(digits) => (text.starts_with('-'), digits),
        None => (false, text),
    };
    let prefix = match radix {
        16 => "0x",
        8 => "0o",
        2 => "0b",
        _ => "",
    };
    let has_prefix = !prefix.is_empty() && digits.get(..2).is_some_and(|p| p.eq_ignore_ascii_case(prefix));
    let Some(digits) = without_separators(if has_prefix { &digits[2..] } else { digits }) else {
        return Ok(None);
    };
    Ok(digits_of(&digits, radix, meter)?.map(|n| if negative { -n } else { n }))
}

/// `float(text)` of Python, without blanks around and `_` unless `lenient`.
pub(crate) fn parse_float(text: &str, lenient: bool) -> Option<f64> {
    // Longer texts are no numbers that anybody means.
    if text.len() > 1024 {
        return None;
    }
    if lenient { without_separators(text.trim())?.parse().ok() } else { text.parse().ok() }
}

fn without_separators(text: &str) -> Option<String> {
    let well_placed = !text.starts_with('_') && !text.ends_with('_') && !text.contains("__");
    well_placed.then(|| text.replace('_', ""))
}

/// Whether a whole number is in the range of `Int8`, `UInt256`…; other names have no range.
pub(crate) fn fits(ty: &str, n: &BigInt) -> bool {
    let (signed, bits) = match (ty.strip_prefix("UInt"), ty.strip_prefix("Int")) {
        (Some(bits), _) => (false, bits),
        (None, Some(bits)) => (true, bits),
        (None, None) => return true,
    };
    let Ok(bits) = bits.parse::<u64>() else { return true };
    if !signed {
        return !n.is_negative() && n.bits() <= bits;
    }
    // -2^(bits-1) is the one negative number of so many bits.
    if n.is_negative() { (n + 1u8).bits() < bits } else { n.bits() < bits }
}

/// The whole number that a float without a fraction is.
pub(crate) fn truncate_to_int(x: f64) -> Result<BigInt, Stop> {
    BigInt::from_f64(x.trunc()).ok_or_else(|| {
        let class = if x.is_nan() { "ValueError" } else { "OverflowError" };
        Fault::python(class, format!("{} is no whole number", quoted(&x.to_string())))
    })
}
