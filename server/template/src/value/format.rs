//! `'%05.2f' % x` and `'{:>8}'.format(x)`.

use super::{Value, parse_float, repr, str_of, truncate_to_int};
use crate::error::{Fault, Stop, quoted};
use crate::limits::Meter;
use num_bigint::BigInt;
use num_traits::Signed;
use num_traits::ToPrimitive;

/// How a value is to be written.
#[derive(Debug, Clone)]
struct Spec {
    fill: char,
    /// `<`, `>`, `^`, or `=` for padding between sign and digits.
    align: Option<char>,
    /// `+` or a blank.
    sign: Option<char>,
    alternate: bool,
    width: usize,
    /// A separator of thousands.
    group: Option<char>,
    precision: Option<usize>,
    /// The letter; `None` for the value's own form.
    kind: Option<char>,
}

const NO_SPEC: Spec = Spec {
    fill: ' ',
    align: None,
    sign: None,
    alternate: false,
    width: 0,
    group: None,
    precision: None,
    kind: None,
};

/// Digits behind the point that anybody asks for.
const MAX_PRECISION: usize = 400;

fn bad(message: impl Into<String>) -> Stop {
    Fault::python("ValueError", message)
}

/// `format % args`.
pub(crate) fn percent(format: &str, args: &Value, meter: &Meter<'_>) -> Result<String, Stop> {
    meter.bytes(format.len())?;
    let mut positional = match args {
        Value::Tuple(items) => items.to_vec(),
        other => vec![other.clone()],
    }
    .into_iter();
    let mut used = false;
    let mut out = String::new();
    let mut rest = format;
    while let Some(at) = rest.find('%') {
        out.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        let mut spec = NO_SPEC;
        let mut key = None;
        if let Some(inner) = rest.strip_prefix('(') {
            let end = inner.find(')').ok_or_else(|| bad("`%(` in a format lacks its `)`"))?;
            key = Some(&inner[..end]);
            rest = &inner[end + 1..];
        }
        let flags = rest.len() - rest.trim_start_matches(['-', '+', ' ', '#', '0']).len();
        for flag in rest[..flags].chars() {
            match flag {
                '-' => spec.align = Some('<'),
                '+' => spec.sign = Some('+'),
                ' ' => spec.sign = spec.sign.or(Some(' ')),
                '#' => spec.alternate = true,
                _ if spec.align.is_none() => (spec.fill, spec.align) = ('0', Some('=')),
                _ => {}
            }
        }
        if spec.align == Some('<') {
            spec.fill = ' ';
        }
        rest = &rest[flags..];
        let mut next = || positional.next().ok_or_else(too_few);
        if let Some(after) = rest.strip_prefix('*') {
            spec.width = next()?
                .as_int()
                .and_then(|n| n.to_usize())
                .ok_or_else(|| bad("`*` in a format needs a width"))?;
            rest = after;
        } else {
            spec.width = leading_number(&mut rest)?;
        }
        if let Some(after) = rest.strip_prefix('.') {
            rest = after;
            spec.precision = Some(leading_number(&mut rest)?);
        }
        rest = rest.trim_start_matches(['h', 'l', 'L']);
        let kind = rest
            .chars()
            .next()
            .ok_or_else(|| bad("a format ends behind `%`; write `%%` for the sign itself"))?;
        rest = &rest[kind.len_utf8()..];
        if kind == '%' {
            out.push('%');
            continue;
        }
        let value = match key {
            Some(key) => {
                used = true;
                let Value::Dict(dict) = args else { return Err(bad("`%(name)s` needs a dict behind `%`")) };
                let found = dict.get(&super::items::Key::Str(key.into()));
                found
                    .cloned()
                    .ok_or_else(|| Fault::python("KeyError", format!("the dict has no {}", quoted(key))))?
            }
            None => next()?,
        };
        spec.align = spec.align.or(Some('>'));
        let text = match kind {
            's' => Some(str_of(&value, meter)?),
            'r' | 'a' => Some(repr(&value, meter)?),
            'c' => Some(match &value {
                Value::Str(text) | Value::Sql(text) if text.chars().count() == 1 => text.to_string(),
                other => char_of(other)?.to_string(),
            }),
            _ => None,
        };
        let written = match text {
            Some(text) => {
                if spec.fill == '0' {
                    (spec.fill, spec.align) = (' ', Some('>'));
                }
                pad(&shortened(text, spec.precision), "", &spec, meter)?
            }
            None => {
                let kind = match kind {
                    'i' | 'u' => 'd',
                    kind @ ('d' | 'o' | 'x' | 'X' | 'e' | 'E' | 'f' | 'F' | 'g' | 'G') => kind,
                    other => return Err(bad(format!("`%{other}` is no format; use %s, %d or %f"))),
                };
                // `%d` rounds towards zero, other than `{:d}`.
                let value = match (&value, kind) {
                    (Value::Float(x), 'd') => Value::int(truncate_to_int(x.value)?),
                    _ => value,
                };
                if matches!(kind, 'd' | 'o' | 'x' | 'X') && spec.precision.is_some() {
                    (spec.fill, spec.align) = (' ', spec.align.filter(|a| *a == '<').or(Some('>')));
                }
                spec.kind = Some(kind);
                numeric(&value, &spec, meter)?
            }
        };
        out.push_str(&written);
        meter.text_so_far(out.len())?;
    }
    out.push_str(rest);
    meter.text_so_far(out.len())?;
    if !used && !matches!(args, Value::Dict(_) | Value::List(_)) && positional.next().is_some() {
        return Err(Fault::python("TypeError", "there are more values behind `%` than the format takes"));
    }
    Ok(out)
}

fn too_few() -> Stop {
    Fault::python("TypeError", "the format takes more values than stand behind `%`; pass several as `(a, b)`")
}

/// The digits at the start, taken off; 0 for none.
fn leading_number(rest: &mut &str) -> Result<usize, Stop> {
    let end = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
    let digits = &rest[..end];
    *rest = &rest[end..];
    if digits.is_empty() {
        Ok(0)
    } else {
        digits.parse().map_err(|_| bad("a width in a format is too large"))
    }
}

fn char_of(value: &Value) -> Result<char, Stop> {
    let code = value.as_int().and_then(|n| n.to_u32()).and_then(char::from_u32);
    code.ok_or_else(|| bad("that number is no character"))
}

fn shortened(text: String, precision: Option<usize>) -> String {
    match precision {
        Some(most) => text.chars().take(most).collect(),
        None => text,
    }
}

/// `format.format(*args, **keywords)`; fields are names and numbers, without attributes and indexes.
pub(super) fn braces(
    format: &str,
    args: &[Value],
    keywords: &[(String, Value)],
    meter: &Meter<'_>,
) -> Result<String, Stop> {
    meter.bytes(format.len())?;
    let mut out = String::new();
    let mut rest = format;
    let mut automatic = 0;
    while let Some(at) = rest.find(['{', '}']) {
        out.push_str(&rest[..at]);
        let brace = &rest[at..=at];
        rest = &rest[at + 1..];
        if let Some(after) = rest.strip_prefix(brace) {
            out.push_str(brace);
            rest = after;
            continue;
        }
        let end = rest.find('}').filter(|_| brace == "{");
        let end =
            end.ok_or_else(|| bad("a single brace in a format; write `{{` or `}}` for the brace itself"))?;
        let (field, spec) = rest[..end].split_once(':').unwrap_or((&rest[..end], ""));
        rest = &rest[end + 1..];
        let (field, as_repr) = match field.split_once('!') {
            Some((field, conversion)) => (field, conversion == "r"),
            None => (field, false),
        };
        let value = if field.is_empty() {
            automatic += 1;
            args.get(automatic - 1)
        } else {
            match field.parse::<usize>() {
                Ok(n) => args.get(n),
                Err(_) => keywords.iter().find(|(name, _)| name == field).map(|(_, value)| value),
            }
        };
        let missing = || Fault::python("IndexError", format!("the format has no value for `{{{field}}}`"));
        let value = value.ok_or_else(missing)?;
        let value = if as_repr { Value::text(repr(value, meter)?) } else { value.clone() };
        out.push_str(&with_spec(&value, spec, meter)?);
        meter.text_so_far(out.len())?;
    }
    out.push_str(rest);
    meter.text_so_far(out.len())?;
    Ok(out)
}

fn with_spec(value: &Value, spec: &str, meter: &Meter<'_>) -> Result<String, Stop> {
    if spec.is_empty() {
        return str_of(value, meter);
    }
    let mut parsed = NO_SPEC;
    let mut rest = spec;
    let is_align = |c: char| matches!(c, '<' | '>' | '^' | '=');
    let mut chars = rest.chars();
    match (chars.next(), chars.next()) {
        (Some(fill), Some(align)) if is_align(align) => {
            (parsed.fill, parsed.align) = (fill, Some(align));
            rest = chars.as_str();
        }
        (Some(align), _) if is_align(align) => {
            parsed.align = Some(align);
            rest = &rest[1..];
        }
        _ => {}
    }
    if let Some(sign) = rest.chars().next().filter(|c| matches!(c, '+' | '-' | ' ')) {
        parsed.sign = Some(sign).filter(|c| *c != '-');
        rest = &rest[1..];
    }
    if let Some(after) = rest.strip_prefix('#') {
        parsed.alternate = true;
        rest = after;
    }
    if let Some(after) = rest.strip_prefix('0') {
        if parsed.align.is_none() {
            (parsed.fill, parsed.align) = ('0', Some('='));
        }
        rest = after;
    }
    parsed.width = leading_number(&mut rest)?;
    if let Some(group) = rest.chars().next().filter(|c| matches!(c, ',' | '_')) {
        parsed.group = Some(group);
        rest = &rest[1..];
    }
    if let Some(after) = rest.strip_prefix('.') {
        rest = after;
        parsed.precision = Some(leading_number(&mut rest)?);
    }
    parsed.kind = rest.chars().next();
    if rest.chars().count() > 1 {
        return Err(bad(format!("{} is no format", quoted(spec))));
    }
    match (value, parsed.kind) {
        (Value::Str(text) | Value::Sql(text), None | Some('s')) => {
            if parsed.align == Some('=') {
                return Err(bad("a text cannot be padded behind its sign; use `<`, `>` or `^`"));
            }
            parsed.align = parsed.align.or(Some('<'));
            pad(&shortened(text.to_string(), parsed.precision), "", &parsed, meter)
        }
        (Value::Str(_) | Value::Sql(_), Some(kind)) => {
            Err(bad(format!("`{kind}` is a format of numbers, and this is a text; make it a number first")))
        }
        _ => {
            parsed.align = parsed.align.or(Some('>'));
            numeric(value, &parsed, meter)
        }
    }
}

fn numeric(value: &Value, spec: &Spec, meter: &Meter<'_>) -> Result<String, Stop> {
    let precision = spec.precision.unwrap_or(6);
    if precision > MAX_PRECISION {
        return Err(bad(format!("a format has at most {MAX_PRECISION} digits behind the point")));
    }
    let whole = value.as_int();
    let float = || -> Result<f64, Stop> {
        match (value, &whole) {
            (Value::Float(x), _) => Ok(x.value),
            (_, Some(n)) => Ok(n.to_f64().unwrap_or(f64::INFINITY)),
            (other, None) => {
                let message = format!("a format for numbers got a {}; use %s for texts", other.type_name());
                Err(Fault::python("TypeError", message))
            }
        }
    };
    let (negative, digits) = match spec.kind {
        None if whole.is_none() => {
            let x = float()?;
            (x.is_sign_negative(), super::float_repr(x.abs()))
        }
        None | Some('d' | 'n' | 'b' | 'o' | 'x' | 'X') => {
            let Some(n) = &whole else {
                let found = value.type_name();
                let message =
                    format!("that format takes whole numbers, not {found}; make it one with `int(…)`");
                return Err(Fault::python("TypeError", message));
            };
            meter.integer(n.bits())?;
            (n.is_negative(), digits_in(n, spec))
        }
        Some('f' | 'F' | '%') => {
            let percent = spec.kind == Some('%');
            let x = float()? * if percent { 100.0 } else { 1.0 };
            let sign = if percent { "%" } else { "" };
            (
                x.is_sign_negative(),
                format!("{}{sign}", not_finite(x).unwrap_or_else(|| format!("{:.precision$}", x.abs()))),
            )
        }
        Some(kind @ ('e' | 'E' | 'g' | 'G')) => {
            let x = float()?;
            let text = not_finite(x).unwrap_or_else(|| match kind {
                'e' | 'E' => exponent_form(x.abs(), precision),
                _ => general_form(x.abs(), precision.max(1), spec.alternate),
            });
            (x.is_sign_negative(), if kind.is_uppercase() { text.to_uppercase() } else { text })
        }
        Some(other) => return Err(bad(format!("`{other}` is no format of numbers; use d, f or e"))),
    };
    let sign = match (negative, spec.sign) {
        (true, _) => "-",
        (false, Some('+')) => "+",
        (false, Some(_)) => " ",
        (false, None) => "",
    };
    let digits = match spec.group {
        Some(group) => grouped(&digits, group),
        None => digits,
    };
    pad(&digits, sign, spec, meter)
}

fn not_finite(x: f64) -> Option<String> {
    (!x.is_finite()).then(|| if x.is_nan() { "nan".to_owned() } else { "inf".to_owned() })
}

fn digits_in(n: &BigInt, spec: &Spec) -> String {
    let magnitude = n.magnitude();
    let (prefix, digits) = match spec.kind {
        Some('x') => ("0x", magnitude.to_str_radix(16)),
        Some('X') => ("0X", magnitude.to_str_radix(16).to_uppercase()),
        Some('o') => ("0o", magnitude.to_str_radix(8)),
        Some('b') => ("0b", magnitude.to_str_radix(2)),
        _ => ("", magnitude.to_string()),
    };
    let zeros = spec.precision.map_or(0, |most| most.saturating_sub(digits.len()));
    format!("{}{}{digits}", if spec.alternate { prefix } else { "" }, "0".repeat(zeros))
}

/// `1.50e+05`.
fn exponent_form(x: f64, precision: usize) -> String {
    let text = format!("{x:.precision$e}");
    let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let (sign, digits) = match exponent.strip_prefix('-') {
        Some(digits) => ('-', digits),
        None => ('+', exponent),
    };
    format!("{mantissa}e{sign}{digits:0>2}")
}

/// `%g`: so many digits that count, in the shorter form.
fn general_form(x: f64, digits: usize, keep_zeros: bool) -> String {
    let scientific = exponent_form(x, digits - 1);
    let exponent: i64 = scientific.split_once('e').and_then(|(_, e)| e.parse().ok()).unwrap_or(0);
    let most = i64::try_from(digits).unwrap_or(i64::MAX);
    let trimmed = |text: &str| match text.contains('.') && !keep_zeros {
        true => text.trim_end_matches('0').trim_end_matches('.').to_owned(),
        false => text.to_owned(),
    };
    if (-4..most).contains(&exponent) {
        let decimals = usize::try_from(most - 1 - exponent).unwrap_or(0);
        return trimmed(&format!("{x:.decimals$}"));
    }
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((&scientific, "+00"));
    format!("{}e{exponent}", trimmed(mantissa))
}

fn grouped(digits: &str, separator: char) -> String {
    let end = digits.find(|c: char| !c.is_ascii_digit()).unwrap_or(digits.len());
    let mut out = String::new();
    for (n, digit) in digits[..end].chars().enumerate() {
        if n > 0 && (end - n).is_multiple_of(3) {
            out.push(separator);
        }
        out.push(digit);
    }
    out + &digits[end..]
}

fn pad(body: &str, sign: &str, spec: &Spec, meter: &Meter<'_>) -> Result<String, Stop> {
    let length = body.chars().count() + sign.len();
    let missing = spec.width.saturating_sub(length);
    meter.text(body.len().saturating_add(missing.saturating_mul(spec.fill.len_utf8())))?;
    let fill = |count: usize| spec.fill.to_string().repeat(count);
    Ok(match spec.align {
        _ if missing == 0 => format!("{sign}{body}"),
        Some('<') => format!("{sign}{body}{}", fill(missing)),
        Some('^') => format!("{}{sign}{body}{}", fill(missing / 2), fill(missing - missing / 2)),
        Some('=') => format!("{sign}{}{body}", fill(missing)),
        _ => format!("{}{sign}{body}", fill(missing)),
    })
}

/// `int(…)` and `float(…)` of a value for the functions of those names; `None` for what is no number.
pub(crate) fn as_float(value: &Value) -> Option<f64> {
    match value {
        Value::Float(x) => Some(x.value),
        Value::Str(text) | Value::Sql(text) => parse_float(text, true),
        other => other.as_int().and_then(|n| n.to_f64()),
    }
}
