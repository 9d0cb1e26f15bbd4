//! Values as Python prints them.

use super::Value;
use crate::error::Stop;
use crate::limits::Meter;

/// `str(value)`.
pub(crate) fn str_of(value: &Value, meter: &Meter<'_>) -> Result<String, Stop> {
    match value.as_str() {
        Some(text) => {
            meter.text(text.len())?;
            Ok(text.to_owned())
        }
        None => repr(value, meter),
    }
}

/// `repr(value)`.
pub(crate) fn repr(value: &Value, meter: &Meter<'_>) -> Result<String, Stop> {
    let mut out = String::new();
    write(value, Quotes::Fewest, &mut out, meter)?;
    Ok(out)
}

/// The same for a query, where double quotes make a name of a text: `['it\'s']` for a list that Python prints as `["it's"]`.
pub(crate) fn repr_for_query(value: &Value, meter: &Meter<'_>) -> Result<String, Stop> {
    let mut out = String::new();
    write(value, Quotes::Single, &mut out, meter)?;
    Ok(out)
}

/// Which quotes stand around a text.
#[derive(Clone, Copy, PartialEq)]
enum Quotes {
    /// Those that need fewer backslashes.
    Fewest,
    /// Always `'`.
    Single,
}

fn write(value: &Value, quotes: Quotes, out: &mut String, meter: &Meter<'_>) -> Result<(), Stop> {
    let before = out.len();
    match value {
        Value::None => out.push_str("None"),
        Value::Bool(b) => out.push_str(if *b { "True" } else { "False" }),
        Value::Int(n) => {
            meter.integer(n.value.bits())?;
            out.push_str(&n.value.to_string());
        }
        Value::Float(x) => out.push_str(&float_repr(x.value)),
        Value::Str(text) | Value::Sql(text) => {
            meter.text(text.len())?;
            quote(text, quotes, out);
        }
        Value::List(items) => {
            sequence(items.iter(), ["[", "]"], quotes, out, meter)?;
        }
        Value::Tuple(items) => {
            sequence(items.iter(), ["(", if items.len() == 1 { ",)" } else { ")" }], quotes, out, meter)?;
        }
        Value::Set(dict) if dict.is_empty() => out.push_str("set()"),
        Value::Set(dict) => sequence(dict.iter().map(|(key, _)| key), ["{", "}"], quotes, out, meter)?,
        Value::Dict(dict) => {
            out.push('{');
            for (n, (key, value)) in dict.iter().enumerate() {
                out.push_str(if n > 0 { ", " } else { "" });
                write(key, quotes, out, meter)?;
                out.push_str(": ");
                write(value, quotes, out, meter)?;
            }
            out.push('}');
        }
    }
    // Values share parts: what is small in memory may be long when printed.
    if !matches!(value, Value::List(_) | Value::Tuple(_) | Value::Set(_) | Value::Dict(_)) {
        meter.text(out.len() - before)?;
    }
    meter.step()?;
    meter.text_so_far(out.len())
}

fn sequence<'v>(
    items: impl Iterator<Item = &'v Value>,
    [open, close]: [&str; 2],
    quotes: Quotes,
    out: &mut String,
    meter: &Meter<'_>,
) -> Result<(), Stop> {
    out.push_str(open);
    for (n, item) in items.enumerate() {
        out.push_str(if n > 0 { ", " } else { "" });
        write(item, quotes, out, meter)?;
    }
    out.push_str(close);
    Ok(())
}

fn quote(text: &str, quotes: Quotes, out: &mut String) {
    let is_double = quotes == Quotes::Fewest && text.contains('\'') && !text.contains('"');
    let quote = if is_double { '"' } else { '\'' };
    out.push(quote);
    for c in text.chars() {
        match c {
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if c == quote => out.extend(['\\', c]),
            c if is_printable(c) => out.push(c),
            c => match u32::from(c) {
                n @ 0..=0xff => out.push_str(&format!("\\x{n:02x}")),
                n @ 0x100..=0xffff => out.push_str(&format!("\\u{n:04x}")),
                n => out.push_str(&format!("\\U{n:08x}")),
            },
        }
    }
    out.push(quote);
}

/// Python's `isprintable`, but for characters that Unicode has not assigned yet.
fn is_printable(c: char) -> bool {
    let hidden = matches!(
        c,
        '\u{ad}' | '\u{600}'..='\u{605}' | '\u{61c}' | '\u{6dd}' | '\u{70f}' | '\u{180e}' | '\u{200b}'..='\u{200f}'
            | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{e000}'..='\u{f8ff}' | '\u{feff}'
            | '\u{fff0}'..='\u{fffb}' | '\u{fffe}'..='\u{ffff}' | '\u{e0000}'..='\u{e007f}' | '\u{f0000}'..='\u{10ffff}'
    );
    c == ' ' || !(c.is_control() || c.is_whitespace() || hidden)
}

/// The shortest text that is read as the same number again, as Python writes it: `1.0`, `100000.0`, `1e+16`, `nan`.
pub(crate) fn float_repr(x: f64) -> String {
    if x.is_nan() {
        return "nan".to_owned();
    }
    let sign = if x.is_sign_negative() { "-" } else { "" };
    if x.is_infinite() {
        return format!("{sign}inf");
    }
    let scientific = format!("{:e}", x.abs());
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    if !(-4..16).contains(&exponent) {
        let exponent_sign = if exponent < 0 { '-' } else { '+' };
        return format!("{sign}{mantissa}e{exponent_sign}{:02}", exponent.abs());
    }
    let plain = x.abs().to_string();
    let fraction = if plain.contains('.') { "" } else { ".0" };
    format!("{sign}{plain}{fraction}")
}
