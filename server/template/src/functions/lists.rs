//! Lists to loop over.

use super::Args;
use crate::error::Fault;
use crate::eval::Answer;
use crate::limits::Meter;
use crate::rendered::Origin;
use crate::scope::{Scope, Use};
use crate::value::{Value, list, str_of, tuple};

/// `split_to_array(x, default, separator)`: the parts of a text, without blanks around.
pub(super) fn split_to_array(args: &Args<'_>, scope: &mut dyn Scope, meter: &Meter<'_>) -> Answer {
    let [value, default, separator, ..] = args.bind([
        "x",
        "default",
        "separator",
        "required",
        "description",
        "enum",
        "example",
        "format",
        "defined",
    ])?;
    let (value, origin) = match (args.need(value, "x")?, default) {
        (Value::None, None | Some(Value::None)) => (Value::from(""), Origin::Default),
        (Value::None, Some(default)) => (default, Origin::Default),
        (value, _) => (value, Origin::Passed),
    };
    if let Some(name) = args.parameter {
        scope.used(Use { name, ty: Some(args.function), range: args.first, value: &value, origin });
    }
    let separator = match separator {
        None | Some(Value::None) => ",".to_owned(),
        separator => args.need_text(separator, "separator")?,
    };
    if separator.is_empty() {
        return Err(Fault::python("ValueError", "split_to_array cannot split at an empty separator"));
    }
    let trimmed = |text: &str| Value::from(text.trim());
    let parts = match value.as_str() {
        Some(text) => {
            meter.text(text.len())?;
            meter.room(text.matches(&*separator).count() + 1)?;
            text.split(&*separator).map(trimmed).collect()
        }
        // A repeated key of the query string.
        None => match value.iterate(meter)? {
            Some(items) => {
                items.iter().map(|item| item.as_str().map_or_else(|| item.clone(), trimmed)).collect()
            }
            None => vec![Value::text(str_of(&value, meter)?)],
        },
    };
    list(parts, meter)
}

/// `enumerate_with_last(list)`: pairs of "is it the last" and the item.
pub(super) fn enumerate_with_last(args: &Args<'_>, meter: &Meter<'_>) -> Answer {
    let [items] = args.bind(["list"])?;
    let value = args.need(items, "list")?;
    let items = value.iterate(meter)?.ok_or_else(|| {
        Fault::python("TypeError", format!("enumerate_with_last takes a list, not {}", value.type_name()))
    })?;
    let last = items.len().saturating_sub(1);
    let pairs =
        items.into_iter().enumerate().map(|(n, item)| tuple(vec![Value::Bool(n == last), item], meter));
    list(pairs.collect::<Result<_, _>>()?, meter)
}
