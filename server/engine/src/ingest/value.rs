//! One value into one column: what the engine would read, as the JSON to send, or why it does not fit.

use std::borrow::Cow;
use std::net::{Ipv4Addr, Ipv6Addr};

use headwater_catalog::Type;
use jiff::civil::{Date, DateTime};

use super::Reason;
use crate::json::{Json, push_quoted, quote};

type Converted<'v> = Result<Cow<'v, str>, Reason>;

/// The type that values are read as: what an aggregate's simple state stores, without the encoding.
fn bare(ty: &Type) -> &Type {
    match ty {
        Type::Nullable(inner) | Type::LowCardinality(inner) => bare(inner),
        Type::SimpleAggregateFunction(aggregate) => aggregate.arguments.first().map_or(ty, bare),
        _ => ty,
    }
}

/// Whether NULL is a value of a type.
pub(super) fn takes_null(ty: &Type) -> bool {
    match ty {
        Type::Nullable(_) | Type::Variant(_) | Type::Dynamic(_) => true,
        Type::LowCardinality(inner) => takes_null(inner),
        Type::SimpleAggregateFunction(aggregate) => aggregate.arguments.first().is_some_and(takes_null),
        _ => false,
    }
}

/// Whether the empty text is a value of a type.
pub(super) fn holds_texts(ty: &Type) -> bool {
    matches!(bare(ty), Type::String | Type::FixedString(_))
}

/// A value of a column. What only the engine can judge passes.
pub(super) fn convert<'v>(ty: &Type, json: &Json<'v>) -> Converted<'v> {
    if *json == Json::Null {
        return if takes_null(ty) { Ok(Cow::Borrowed("null")) } else { Err(format!("null is no {ty}")) };
    }
    let ty = bare(ty);
    match ty {
        Type::String => Ok(string(json)),
        Type::FixedString(length) => {
            let said = json.said();
            if said.len() as u64 > *length {
                return Err(format!("{} has {} bytes, {ty} holds {length}", shown(json), said.len()));
            }
            Ok(string(json))
        }
        Type::Bool => boolean(json),
        Type::Float32 | Type::Float64 | Type::BFloat16 => float(ty, json),
        Type::Decimal(digits, scale) => decimal(ty, *digits, *scale, json),
        Type::Date => date(ty, json, (1970, 2149)),
        Type::Date32 => date(ty, json, (1900, 2299)),
        Type::DateTime(_) => date_time(ty, json, (1970, 2106)),
        Type::DateTime64(..) => date_time(ty, json, (1900, 2299)),
        Type::Uuid => text(ty, json, |text| {
            let digits: Vec<char> = text.chars().filter(|c| *c != '-').collect();
            digits.len() == 32 && digits.iter().all(char::is_ascii_hexdigit) && matches!(text.len(), 32 | 36)
        }),
        Type::Ipv4 => text(ty, json, |text| text.parse::<Ipv4Addr>().is_ok()),
        Type::Ipv6 => {
            text(ty, json, |text| text.parse::<Ipv6Addr>().is_ok() || text.parse::<Ipv4Addr>().is_ok())
        }
        Type::Enum8(names) | Type::Enum16(names) => enumeration(ty, names, json),
        Type::Array(element) => array(ty, element, json),
        Type::Map(pair) => map(ty, &pair.0, &pair.1, json),
        Type::Json(_) => object(ty, json),
        Type::AggregateFunction(_) => {
            Err("the column holds a state of an aggregate, which only a view or a copy can fill".to_owned())
        }
        _ if ty.is_integer() => integer(ty, json),
        _ => Ok(Cow::Owned(json.raw().to_owned())),
    }
}

/// The values of `[:]`.
pub(super) fn convert_list<'v>(ty: &Type, items: &[Option<&Json<'v>>]) -> Converted<'v> {
    let bare = bare(ty);
    let Type::Array(element) = bare else {
        let items: Vec<&str> = items.iter().map(|item| item.map_or("null", |json| json.raw())).collect();
        let list = format!("[{}]", items.join(","));
        return if matches!(bare, Type::String) {
            Ok(Cow::Owned(quote(&list)))
        } else {
            Err(no(bare, &list))
        };
    };
    let null = Json::Null;
    list(element, items.iter().map(|item| item.unwrap_or(&null)))
}

fn list<'j, 'v: 'j>(element: &Type, items: impl Iterator<Item = &'j Json<'v>>) -> Converted<'v> {
    let mut out = String::from("[");
    for (n, item) in items.enumerate() {
        let value = convert(element, item).map_err(|why| format!("item {}: {why}", n + 1))?;
        if n > 0 {
            out.push(',');
        }
        out.push_str(&value);
    }
    out.push(']');
    Ok(Cow::Owned(out))
}

fn no(ty: &Type, text: &str) -> Reason {
    const SHOWN: usize = 80;
    let cut: String = text.chars().take(SHOWN).collect();
    let dots = if cut.len() < text.len() { "…" } else { "" };
    format!("{cut}{dots} is no {ty}")
}

fn shown(json: &Json<'_>) -> String {
    const SHOWN: usize = 80;
    let raw = json.raw();
    let cut: String = raw.chars().take(SHOWN).collect();
    if cut.len() < raw.len() { format!("{cut}…") } else { cut }
}

fn string<'v>(json: &Json<'v>) -> Cow<'v, str> {
    match json {
        Json::Text(raw) => Cow::Borrowed(raw),
        // A number keeps its digits, an object its text.
        other => Cow::Owned(quote(other.raw())),
    }
}

/// A text that has to look like something.
fn text<'v>(ty: &Type, json: &Json<'v>, fits: impl FnOnce(&str) -> bool) -> Converted<'v> {
    match json {
        Json::Text(raw) if json.text().is_some_and(|text| fits(&text)) => Ok(Cow::Borrowed(raw)),
        _ => Err(no(ty, &shown(json))),
    }
}

fn boolean<'v>(json: &Json<'v>) -> Converted<'v> {
    let said = json.said().to_ascii_lowercase();
    match said.as_str() {
        "true" | "1" | "t" | "yes" | "y" | "on" => Ok(Cow::Borrowed("true")),
        "false" | "0" | "f" | "no" | "n" | "off" => Ok(Cow::Borrowed("false")),
        _ => Err(no(&Type::Bool, &shown(json))),
    }
}

fn integer<'v>(ty: &Type, json: &Json<'v>) -> Converted<'v> {
    if let Json::Bool(value) = json {
        return Ok(Cow::Borrowed(if *value { "1" } else { "0" }));
    }
    let said = json.said();
    let trimmed = said.trim();
    let (negative, digits) = match trimmed.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, trimmed.strip_prefix('+').unwrap_or(trimmed)),
    };
    let is_scalar = matches!(json, Json::Number(_) | Json::Text(_));
    if !is_scalar || digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return Err(no(ty, &shown(json)));
    }
    let digits = digits.trim_start_matches('0');
    let digits = if digits.is_empty() { "0" } else { digits };
    let Some((signed, bits)) = ty.integer() else { return Err(no(ty, &shown(json))) };
    let fits = match bits {
        0..=127 => digits.parse::<i128>().is_ok_and(|value| {
            let value = if negative { -value } else { value };
            if signed {
                (-(1i128 << (bits - 1))..1i128 << (bits - 1)).contains(&value)
            } else {
                (0..1i128 << bits).contains(&value)
            }
        }),
        // By length alone: the engine judges the last digit.
        128 if signed => digits.len() <= 39,
        128 => !negative && digits.len() <= 39,
        _ => (signed || !negative || digits == "0") && digits.len() <= 78,
    };
    if !fits {
        return Err(format!("{} is out of the range of {ty}", shown(json)));
    }
    Ok(Cow::Owned(format!("{}{digits}", if negative && digits != "0" { "-" } else { "" })))
}

fn float<'v>(ty: &Type, json: &Json<'v>) -> Converted<'v> {
    match json {
        Json::Number(raw) => Ok(Cow::Borrowed(raw)),
        Json::Bool(value) => Ok(Cow::Borrowed(if *value { "1" } else { "0" })),
        Json::Text(_) => {
            let said = json.said();
            let said = said.trim();
            match said.parse::<f64>() {
                Ok(value) if value.is_finite() => Ok(Cow::Owned(said.trim_start_matches('+').to_owned())),
                Ok(_) => Ok(Cow::Owned(quote(said))),
                Err(_) => Err(no(ty, &shown(json))),
            }
        }
        _ => Err(no(ty, &shown(json))),
    }
}

fn decimal<'v>(ty: &Type, digits: u8, scale: u8, json: &Json<'v>) -> Converted<'v> {
    let said = json.said();
    let trimmed = said.trim();
    let number = trimmed.strip_prefix(['-', '+']).unwrap_or(trimmed);
    let (mantissa, exponent) = number.split_once(['e', 'E']).unwrap_or((number, "0"));
    let (whole, part) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let is_number = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
    let exponent = exponent.parse::<i32>().ok();
    let is_scalar = matches!(json, Json::Number(_) | Json::Text(_));
    if !is_scalar || (whole.is_empty() && part.is_empty()) || !is_number(whole) || !is_number(part) {
        return Err(no(ty, &shown(json)));
    }
    let Some(exponent) = exponent else { return Err(no(ty, &shown(json))) };
    let whole = whole.trim_start_matches('0').len();
    let length = i64::try_from(whole).unwrap_or(i64::MAX).saturating_add(exponent.into());
    if length > i64::from(digits.saturating_sub(scale)) {
        return Err(format!("{} is out of the range of {ty}", shown(json)));
    }
    Ok(Cow::Owned(quote(trimmed)))
}

/// `2025-07-15`: a day that exists, within years.
fn day(text: &str, years: (i16, i16)) -> Result<Date, bool> {
    let date = text.parse::<Date>().map_err(|_| false)?;
    if (years.0..=years.1).contains(&date.year()) { Ok(date) } else { Err(true) }
}

fn date<'v>(ty: &Type, json: &Json<'v>, years: (i16, i16)) -> Converted<'v> {
    match json {
        // Days since 1970, as the engine counts them.
        Json::Number(raw) if raw.bytes().all(|b| b.is_ascii_digit()) => Ok(Cow::Borrowed(raw)),
        Json::Text(raw) => match day(json.said().trim(), years) {
            Ok(_) => Ok(Cow::Borrowed(raw)),
            Err(true) => Err(format!("{} is out of the range of {ty}", shown(json))),
            Err(false) => Err(no(ty, &shown(json))),
        },
        _ => Err(no(ty, &shown(json))),
    }
}

/// Moments in the usual spellings are judged here, unusual ones by the engine.
fn date_time<'v>(ty: &Type, json: &Json<'v>, years: (i16, i16)) -> Converted<'v> {
    let said = json.said();
    let trimmed = said.trim();
    match json {
        Json::Number(raw) => Ok(moment_of_number(ty, raw)),
        Json::Text(raw) => {
            if !trimmed.bytes().any(|b| b.is_ascii_digit()) {
                return Err(no(ty, &shown(json)));
            }
            // `2025-07-15 10:00:00`, with `T`, a fraction and a zone that the engine looks at.
            let shape: Vec<u8> =
                trimmed.bytes().take(19).map(|b| if b.is_ascii_digit() { b'0' } else { b }).collect();
            let is_usual =
                shape.as_slice() == b"0000-00-00 00:00:00" || shape.as_slice() == b"0000-00-00T00:00:00";
            if is_usual {
                let moment = trimmed.get(..19).unwrap_or_default().replace(' ', "T");
                match moment.parse::<DateTime>() {
                    Ok(moment) if (years.0..=years.1).contains(&moment.year()) => {}
                    Ok(_) => return Err(format!("{} is out of the range of {ty}", shown(json))),
                    Err(_) => return Err(no(ty, &shown(json))),
                }
            }
            Ok(Cow::Borrowed(raw))
        }
        _ => Err(no(ty, &shown(json))),
    }
}

/// Numbers of seconds since 1970, or of their thousandths and less, by how many digits they have: the engine would take
/// seconds for thousandths where the type has thousandths.
fn moment_of_number<'v>(ty: &Type, raw: &'v str) -> Cow<'v, str> {
    let (whole, part) = raw.split_once('.').unwrap_or((raw, ""));
    let is_plain = [whole, part].iter().all(|t| t.bytes().all(|b| b.is_ascii_digit()));
    let power = match whole.len() {
        9..=11 => 0,
        12..=14 => 3,
        15..=17 => 6,
        18..=20 => 9,
        _ => return Cow::Borrowed(raw),
    };
    if !is_plain {
        return Cow::Borrowed(raw);
    }
    let (seconds, rest) = whole.split_at(whole.len() - power);
    let fraction = format!("{rest}{part}");
    if matches!(ty, Type::DateTime(_)) || fraction.is_empty() {
        // A text of digits is a moment to the engine, whatever the type.
        return Cow::Owned(format!("\"{seconds}\""));
    }
    Cow::Owned(format!("\"{seconds}.{fraction}\""))
}

fn enumeration<'v>(ty: &Type, names: &[(std::sync::Arc<str>, i16)], json: &Json<'v>) -> Converted<'v> {
    let fits = match json {
        Json::Text(_) => names.iter().any(|(name, _)| **name == *json.said()),
        Json::Number(raw) => raw.parse::<i16>().is_ok_and(|n| names.iter().any(|(_, value)| *value == n)),
        _ => false,
    };
    if fits { Ok(Cow::Owned(json.raw().to_owned())) } else { Err(no(ty, &shown(json))) }
}

fn array<'v>(ty: &Type, element: &Type, json: &Json<'v>) -> Converted<'v> {
    match json {
        Json::Array(_, items) => list(element, items.iter()),
        // A list in the words of a text, as CSV has it: in JSON's or in the engine's spelling.
        Json::Text(_) => {
            let said = json.said();
            let spelled = with_double_quotes(said.trim());
            match Json::parse(&spelled) {
                Ok(Json::Array(_, items)) => {
                    list(element, items.iter()).map(|value| Cow::Owned(value.into_owned()))
                }
                _ => Err(no(ty, &shown(json))),
            }
        }
        _ => Err(no(ty, &shown(json))),
    }
}

/// `['a', 'b']` as JSON; what is JSON already stays.
fn with_double_quotes(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\'' => {
                let mut inner = String::new();
                while let Some(c) = chars.next() {
                    match c {
                        '\\' => inner.extend(chars.next()),
                        '\'' if chars.next_if_eq(&'\'').is_some() => inner.push('\''),
                        '\'' => break,
                        c => inner.push(c),
                    }
                }
                push_quoted(&inner, &mut out);
            }
            '"' => {
                out.push('"');
                let mut escaped = false;
                for c in chars.by_ref() {
                    out.push(c);
                    match c {
                        _ if escaped => escaped = false,
                        '\\' => escaped = true,
                        '"' => break,
                        _ => {}
                    }
                }
            }
            c => out.push(c),
        }
    }
    out
}

fn map<'v>(ty: &Type, key: &Type, value: &Type, json: &Json<'v>) -> Converted<'v> {
    let write = |fields: &[(Cow<'_, str>, Json<'_>)]| {
        let mut out = String::from("{");
        for (name, item) in fields {
            let quoted = quote(name);
            convert(key, &Json::Text(&quoted)).map_err(|why| format!("key: {why}"))?;
            let value = convert(value, item).map_err(|why| format!("key {quoted}: {why}"))?;
            if out.len() > 1 {
                out.push(',');
            }
            out.push_str(&quoted);
            out.push(':');
            out.push_str(&value);
        }
        out.push('}');
        Ok(Cow::Owned(out))
    };
    match json {
        Json::Object(_, fields) => write(fields),
        Json::Text(_) => {
            let said = json.said();
            let spelled = with_double_quotes(said.trim());
            match Json::parse(&spelled) {
                Ok(Json::Object(_, fields)) => write(&fields),
                _ => Err(no(ty, &shown(json))),
            }
        }
        _ => Err(no(ty, &shown(json))),
    }
}

fn object<'v>(ty: &Type, json: &Json<'v>) -> Converted<'v> {
    match json {
        Json::Object(raw, _) => Ok(Cow::Borrowed(raw)),
        Json::Text(_) => {
            let said = json.said();
            match Json::parse(&said) {
                Ok(Json::Object(raw, _)) => Ok(Cow::Owned(raw.to_owned())),
                _ => Err(no(ty, &shown(json))),
            }
        }
        _ => Err(no(ty, &shown(json))),
    }
}
