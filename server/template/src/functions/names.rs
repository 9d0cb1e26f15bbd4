//! Names in SQL, and conditions on them.

use super::Args;
use super::typed::{print, written};
use crate::error::{Fault, Stop};
use crate::escape;
use crate::eval::Answer;
use crate::limits::Meter;
use crate::scope::{Scope, Use};
use crate::value::{Value, str_of};

/// `column`, `columns`, `symbol`, `table`, `TABLE`.
pub(super) fn call(args: &Args<'_>, scope: &mut dyn Scope, meter: &Meter<'_>) -> Answer {
    const METADATA: [&str; 6] = ["defined", "required", "description", "enum", "example", "format"];
    let [m0, m1, m2, m3, m4, m5] = METADATA;
    // `symbol` has its quote where the others have a default.
    let (default, defined, extra) = match args.function {
        "columns" => {
            let [_, default, extra, defined, ..] =
                args.bind(["name", "default", "fn", m0, m1, m2, m3, m4, m5])?;
            (default, defined, extra)
        }
        "symbol" => {
            let [_, extra] = args.bind(["x", "quote"])?;
            (None, None, extra)
        }
        _ => {
            let [_, default, defined, ..] = args.bind(["name", "default", m0, m1, m2, m3, m4, m5])?;
            (default, defined, None)
        }
    };
    let optional = defined.is_some_and(|d| !d.truth());
    let placeholder = Value::from(crate::request::PLACEHOLDER);
    let (value, origin) = args.value_or(default, optional, placeholder, scope)?;
    if let Some(name) = args.parameter {
        scope.used(Use { name, ty: Some(args.function), range: args.first, value: &value, origin });
    }
    if matches!(value, Value::None) {
        return Ok(Value::None);
    }
    let extra = match extra {
        None | Some(Value::None) => None,
        Some(value) => {
            Some(args.need_text(Some(value), if args.function == "symbol" { "quote" } else { "fn" })?)
        }
    };
    let sql = match args.function {
        "columns" => columns(&value, extra.as_deref(), meter)?,
        "symbol" => {
            let quote = match extra.as_deref() {
                None | Some("`") => '`',
                Some("\"") => '"',
                Some(_) => return Err(Fault::python("ValueError", "symbol is quoted with ` or \"")),
            };
            escape::identifier(&str_of(&value, meter)?, quote)
        }
        "column" => {
            let name = str_of(&value, meter)?;
            let parts: Vec<_> = name.split('.').map(|part| escape::identifier(part, '`')).collect();
            parts.join(".")
        }
        _ => escape::escaped(&str_of(&value, meter)?),
    };
    meter.text(sql.len())?;
    Ok(Value::sql(sql))
}

/// A comma-separated text or list of columns, each inside of a function if one is given.
fn columns(value: &Value, function: Option<&str>, meter: &Meter<'_>) -> Result<String, Stop> {
    let names: Vec<String> = match value.as_str() {
        Some(text) => {
            meter.room(text.matches(',').count() + 1)?;
            text.split(',').map(|name| name.trim().to_owned()).collect()
        }
        None => match value.iterate(meter)? {
            Some(items) => items.iter().map(|item| str_of(item, meter)).collect::<Result<_, _>>()?,
            None => vec![str_of(value, meter)?],
        },
    };
    if let Some(function) = function
        && !escape::is_plain(function)
    {
        return Err(Fault::python("ValueError", "`fn` of columns is the name of a function, as in fn='sum'"));
    }
    let mut out = String::new();
    for (n, name) in names.iter().enumerate() {
        out.push_str(if n > 0 { "," } else { "" });
        let quoted = escape::identifier(name, '`');
        match function {
            None => out.push_str(&quoted),
            Some(function) if escape::is_plain(name) => {
                out.push_str(&format!("{function}({quoted}) as {name}"));
            }
            Some(function) => out.push_str(&format!("{function}({quoted}) as {quoted}")),
        }
        meter.text_so_far(out.len())?;
    }
    Ok(out)
}

/// `sql_and(a=…, b__in=…)`: conditions joined by `and`, without those that are `None`.
pub(super) fn sql_and(args: &Args<'_>, meter: &Meter<'_>) -> Answer {
    if !args.positional.is_empty() {
        let message = "sql_and takes conditions by name only, as in `sql_and(country=String(country))`";
        return Err(Fault::python("TypeError", message));
    }
    let mut out = String::new();
    for (name, value) in &args.keywords {
        let (column, suffix) =
            name.rsplit_once("__").filter(|(column, _)| !column.is_empty()).unwrap_or((name, ""));
        let operator = match suffix {
            "" => "=",
            "in" => "in",
            "not_in" => "not in",
            "gt" => ">",
            "lt" => "<",
            "gte" => ">=",
            "lte" => "<=",
            other => {
                let message = format!(
                    "sql_and knows no `__{other}`; there are __in, __not_in, __gt, __lt, __gte, __lte, and none for `=`"
                );
                return Err(Fault::python("ValueError", message));
            }
        };
        if matches!(value, Value::None) {
            continue;
        }
        let printed = match value {
            Value::List(items) | Value::Tuple(items) => written(items, meter)?,
            other => print(other, meter)?,
        };
        out.push_str(if out.is_empty() { "" } else { " and " });
        out.push_str(&format!("{column} {operator} {printed}"));
        meter.text_so_far(out.len())?;
    }
    meter.text(out.len())?;
    Ok(Value::sql(out))
}

/// `sql_unescape(x, what)`: a literal in which `what` is not escaped.
pub(super) fn sql_unescape(args: &Args<'_>, meter: &Meter<'_>) -> Answer {
    let [value, what] = args.bind(["x", "what"])?;
    let value = args.need(value, "x")?;
    if matches!(value, Value::None) {
        return Ok(Value::None);
    }
    let what = match what {
        None | Some(Value::None) => String::new(),
        what => args.need_text(what, "what")?,
    };
    let literal = escape::literal(&str_of(&value, meter)?);
    meter.text(literal.len())?;
    // A quote or backslash given back would end the literal.
    let kept = what.is_empty() || what.contains(['\'', '"', '\\']);
    if kept {
        return Ok(Value::sql(literal));
    }
    Ok(Value::sql(restored(&literal, &escape::escaped(&what), &what)))
}

/// `literal` with the escaped form of a text turned back. Escapes are read one by one, so that half of one is never taken
/// for the start of another.
fn restored(literal: &str, escaped: &str, what: &str) -> String {
    let mut out = String::with_capacity(literal.len());
    let mut rest = literal;
    while let Some(c) = rest.chars().next() {
        if let Some(after) = rest.strip_prefix(escaped) {
            out.push_str(what);
            rest = after;
            continue;
        }
        let escape = if c == '\\' { rest.chars().nth(1).map_or(0, char::len_utf8) } else { 0 };
        let (taken, after) = rest.split_at(c.len_utf8() + escape);
        out.push_str(taken);
        rest = after;
    }
    out
}
