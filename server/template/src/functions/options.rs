//! Options of the query, written as a comment line and kept beside the SQL; and secrets.

use num_traits::ToPrimitive;

use super::Args;
use crate::error::{ErrorKind, Fault, Stop, quoted};
use crate::escape;
use crate::eval::Answer;
use crate::limits::Meter;
use crate::scope::{Scope, Setting};
use crate::value::{Value, str_of};

/// What `cache_ttl` takes, with seconds.
const TTLS: &[(&str, u32)] = &[("5s", 5), ("1m", 60), ("5m", 300), ("30m", 1800), ("1h", 3600)];

const ACTIVATED: &[&str] = &["analyzer", "parallel_replicas", "optimize_aggregation_in_order"];

const DISABLED: &[&str] = &["analyzer"];

pub(super) fn call(args: &Args<'_>, scope: &mut dyn Scope, meter: &Meter<'_>) -> Answer {
    let [value] = args.bind(["value"])?;
    let value = args.need(value, "value")?;
    let text = str_of(&value, meter)?;
    let one_of = |known: &'static [&'static str]| {
        known
            .iter()
            .copied()
            .find(|name| *name == text)
            .ok_or_else(|| unknown(args, &text, &known.join(", ")))
    };
    let setting = match args.function {
        "max_threads" => {
            let count = value.as_int().and_then(|n| n.to_u32()).filter(|n| *n > 0);
            let count = count.or_else(|| text.parse().ok().filter(|n| *n > 0));
            Setting::MaxThreads(count.ok_or_else(|| unknown(args, &text, "whole numbers above 0"))?)
        }
        "cache_ttl" => {
            let seconds = TTLS.iter().find(|(name, _)| *name == text).map(|(_, seconds)| *seconds);
            let names: Vec<_> = TTLS.iter().map(|(name, _)| *name).collect();
            Setting::CacheTtl(seconds.ok_or_else(|| unknown(args, &text, &names.join(", ")))?)
        }
        "activate" => Setting::Activate(one_of(ACTIVATED)?),
        "disable" => Setting::Disable(one_of(DISABLED)?),
        _ => {
            // It becomes part of a comment, and must not end it.
            if text.contains(|c: char| c.is_control()) {
                return Err(unknown(args, &text, "one line of text"));
            }
            Setting::BackendHint(text.clone())
        }
    };
    scope.set(setting)?;
    Ok(Value::sql(format!("-- {} {text}\n", args.function)))
}

fn unknown(args: &Args<'_>, found: &str, known: &str) -> Stop {
    let message = format!("{} takes {known}, not {}", args.function, quoted(found));
    Fault::python("ValueError", message)
}

/// `tb_secret(name, default)`: a query parameter that stands for the secret.
pub(super) fn secret(args: &Args<'_>, scope: &mut dyn Scope, meter: &Meter<'_>) -> Answer {
    let [name, default] = args.bind(["name", "default"])?;
    let name = args.need_text(name, "name")?;
    meter.text(name.len())?;
    match (scope.secret(&name)?, default) {
        (Some(parameter), _) => Ok(Value::sql(format!("{{{parameter}: String}}"))),
        (None, Some(default)) if !matches!(default, Value::None) => {
            Ok(Value::sql(escape::literal(&str_of(&default, meter)?)))
        }
        (None, _) if scope.is_test() => Ok(Value::sql(escape::literal(crate::request::PLACEHOLDER))),
        (None, _) => Err(unknown_secret(&name, args.function)),
    }
}

pub(crate) fn unknown_secret(name: &str, function: &str) -> Stop {
    let shown = quoted(name);
    let message = format!(
        "there is no secret {shown}, or the token may not read it; set it, or give a default: `{function}({shown}, 'default')`"
    );
    Fault::new(ErrorKind::UnknownSecret { name: name.to_owned() }, "ValueError", message)
}
