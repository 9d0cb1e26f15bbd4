//! What the engine's parser makes of syntax: operators become functions, some functions become others.
//!
//! Measured with `EXPLAIN AST` on the pinned engine. Both sides of a comparison drop [`FOLDED`].

/// Functions that the engine folds into literals when their arguments are constant: `[1, 2]` is one literal, `[1, a]` a
/// call of `array`.
pub(super) const FOLDED: &[&str] = &["array", "tuple", "map"];

/// Binary operators, by their text in lower case with single blanks.
pub(super) const OPERATORS: &[(&str, &str)] = &[
    ("+", "plus"),
    ("-", "minus"),
    ("\u{2212}", "minus"),
    ("*", "multiply"),
    ("/", "divide"),
    ("%", "modulo"),
    ("mod", "modulo"),
    ("div", "intDiv"),
    ("||", "concat"),
    ("=", "equals"),
    ("==", "equals"),
    ("!=", "notEquals"),
    ("<>", "notEquals"),
    ("<", "less"),
    ("<=", "lessOrEquals"),
    (">", "greater"),
    (">=", "greaterOrEquals"),
    ("<=>", "isNotDistinctFrom"),
    ("is distinct from", "isDistinctFrom"),
    ("is not distinct from", "isNotDistinctFrom"),
    ("and", "and"),
    ("or", "or"),
    ("like", "like"),
    ("not like", "notLike"),
    ("ilike", "ilike"),
    ("not ilike", "notILike"),
    ("regexp", "match"),
    ("in", "in"),
    ("not in", "notIn"),
    ("global in", "globalIn"),
    ("global not in", "globalNotIn"),
];

/// Operators of which the engine makes one call, however many operands: `a AND b AND c` is one `and`.
pub(super) const VARIADIC: &[&str] = &["and", "or", "concat"];

/// Functions that the engine's parser knows by name and gives another, when their arguments stand between commas.
pub(super) const RENAMED: &[(&str, &str)] = &[
    ("trim", "trimBoth"),
    ("ltrim", "trimLeft"),
    ("rtrim", "trimRight"),
    ("date_diff", "dateDiff"),
    ("datediff", "dateDiff"),
    ("timestampdiff", "dateDiff"),
    ("timestamp_diff", "dateDiff"),
];

/// Functions of a unit, a number and a date, which become `plus` or `minus` of an interval.
pub(super) const DATE_ARITHMETIC: &[(&str, &str)] = &[
    ("dateadd", "plus"),
    ("date_add", "plus"),
    ("timestampadd", "plus"),
    ("timestamp_add", "plus"),
    ("datesub", "minus"),
    ("date_sub", "minus"),
    ("timestampsub", "minus"),
    ("timestamp_sub", "minus"),
];

/// The words that name a unit of time; with `S` or `SQL_TSI_` they mean the same.
pub(super) const UNITS: &[(&str, &str)] = &[
    ("nanosecond", "Nanosecond"),
    ("ns", "Nanosecond"),
    ("microsecond", "Microsecond"),
    ("us", "Microsecond"),
    ("millisecond", "Millisecond"),
    ("ms", "Millisecond"),
    ("second", "Second"),
    ("ss", "Second"),
    ("s", "Second"),
    ("minute", "Minute"),
    ("mi", "Minute"),
    ("n", "Minute"),
    ("hour", "Hour"),
    ("hh", "Hour"),
    ("h", "Hour"),
    ("day", "Day"),
    ("dd", "Day"),
    ("d", "Day"),
    ("week", "Week"),
    ("wk", "Week"),
    ("ww", "Week"),
    ("w", "Week"),
    ("month", "Month"),
    ("mm", "Month"),
    ("m", "Month"),
    ("quarter", "Quarter"),
    ("qq", "Quarter"),
    ("q", "Quarter"),
    ("year", "Year"),
    ("yyyy", "Year"),
    ("yy", "Year"),
    ("y", "Year"),
];

/// The functions that `EXTRACT(unit FROM …)` and `date_part('unit', …)` become.
pub(super) const EXTRACTS: &[(&str, &str)] = &[
    ("Nanosecond", "toNanosecond"),
    ("Microsecond", "toMicrosecond"),
    ("Millisecond", "toMillisecond"),
    ("Second", "toSecond"),
    ("Minute", "toMinute"),
    ("Hour", "toHour"),
    ("Day", "toDayOfMonth"),
    ("Week", "toISOWeek"),
    ("Month", "toMonth"),
    ("Quarter", "toQuarter"),
    ("Year", "toYear"),
];

/// What else they take, and become.
pub(super) const EXTRACT_FIELDS: &[(&str, &str)] = &[
    ("epoch", "toUnixTimestamp"),
    ("dow", "toDayOfWeek"),
    ("doy", "toDayOfYear"),
    ("isodow", "toDayOfWeek"),
    ("isoyear", "toISOYear"),
    ("century", "plus intDiv minus __toYearCalendarOnly"),
    ("decade", "intDiv __toYearCalendarOnly"),
    ("millennium", "plus intDiv minus __toYearCalendarOnly"),
    ("timezone_hour", "intDiv timezoneOffset toInt64"),
    ("timezone_minute", "intDiv modulo timezoneOffset toInt64 toInt64"),
];

/// The units from one to another, of `INTERVAL '1 2:3' DAY TO MINUTE`.
pub(super) fn units_between(first: &str, last: &str) -> &'static [&'static str] {
    const UNITS: &[&str] = &["Year", "Month", "Day", "Hour", "Minute", "Second"];
    let at = |name| UNITS.iter().position(|u| *u == name);
    match (at(first), at(last)) {
        (Some(first), Some(last)) if first <= last => &UNITS[first..=last],
        _ => &[],
    }
}

/// The right side of a table, by its left side without regard to case.
pub(super) fn look_up(table: &[(&'static str, &'static str)], key: &str) -> Option<&'static str> {
    table.iter().find(|(from, _)| from.eq_ignore_ascii_case(key)).map(|(_, to)| *to)
}

/// A unit of time by any of its names.
pub(super) fn unit(word: &str) -> Option<&'static str> {
    let lower = word.to_ascii_lowercase();
    let word = lower.strip_prefix("sql_tsi_").unwrap_or(&lower);
    look_up(UNITS, word).or_else(|| look_up(UNITS, word.strip_suffix('s')?))
}
