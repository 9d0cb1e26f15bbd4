//! Differences between dates.

use jiff::civil::DateTime;
use jiff::fmt::strtime::BrokenDownTime;

use super::Args;
use crate::error::{Fault, Stop, quoted};
use crate::eval::Answer;
use crate::limits::Meter;
use crate::scope::Scope;
use crate::value::{Value, str_of};

const DATE: &str = "%Y-%m-%d";
const DATE_AND_TIME: &str = "%Y-%m-%d %H:%M:%S";

/// `day_diff(d0, d1)` and `date_diff_in_…(d0, d1, date_format, backup_date_format, none_if_error)`: whole units between
/// two dates, never negative.
pub(super) fn difference(args: &Args<'_>, scope: &mut dyn Scope, meter: &Meter<'_>) -> Answer {
    let [first, second, format, backup, quiet] =
        args.bind(["d0", "d1", "date_format", "backup_date_format", "none_if_error"])?;
    let (first, second) = (args.need(first, "d0")?, args.need(second, "d1")?);
    let format = match format {
        None | Some(Value::None) => DATE_AND_TIME.to_owned(),
        format => args.need_text(format, "date_format")?,
    };
    let backup = match backup {
        None | Some(Value::None) => (args.function == "day_diff").then(|| DATE.to_owned()),
        backup => Some(args.need_text(backup, "backup_date_format")?),
    };
    let formats: Vec<&str> = std::iter::once(&*format).chain(backup.as_deref()).collect();
    let read = |value: &Value| moment(args, value, &formats, meter);
    let seconds = match (read(&first), read(&second)) {
        (Ok(a), Ok(b)) => a.duration_since(b).as_secs().unsigned_abs(),
        // Placeholders are no dates; their difference is as good as any.
        _ if scope.is_test() => 0,
        (Err(Stop::Fault(_)), _) | (_, Err(Stop::Fault(_))) if quiet.as_ref().is_some_and(Value::truth) => {
            return Ok(Value::None);
        }
        (Err(stop), _) | (_, Err(stop)) => return Err(stop),
    };
    let unit = match args.function {
        "date_diff_in_seconds" => 1,
        "date_diff_in_minutes" => 60,
        "date_diff_in_hours" => 3600,
        _ => 86_400,
    };
    Ok(Value::int(seconds / unit))
}

/// The moment that a text means in the first format that it has.
fn moment(args: &Args<'_>, value: &Value, formats: &[&str], meter: &Meter<'_>) -> Result<DateTime, Stop> {
    if matches!(value, Value::None) {
        let message = format!(
            "{} needs two dates, and one is None: a parameter that is not passed; give it a default, as in `DateTime(name, '2026-01-01 00:00:00')`",
            args.function
        );
        return Err(Fault::python("TypeError", message));
    }
    let text = str_of(value, meter)?;
    for format in formats {
        meter.bytes(format.len() + text.len())?;
        let parsed = BrokenDownTime::parse(format, &text).ok();
        let parsed = parsed.and_then(|t| match t.to_datetime() {
            Ok(moment) => Some(moment),
            Err(_) => t.to_date().ok().map(|date| date.at(0, 0, 0, 0)),
        });
        if let Some(moment) = parsed {
            return Ok(moment);
        }
    }
    let message = format!(
        "{} cannot read {} in the format {}; name the format of your dates with date_format='…'",
        args.function,
        quoted(&text),
        formats.join(" or ")
    );
    Err(Fault::python("ValueError", message))
}
