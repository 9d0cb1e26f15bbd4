//! Functions, with places for their arguments, and combinators of aggregate functions.

use headwater_catalog::{Combinator, Kind, find, function_names};

use super::{CompletionItem, CompletionKind, Items};

/// Which functions have a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wanted {
    /// All.
    Any,
    /// No aggregate functions: `WHERE`, keys.
    Scalar,
}

/// Functions that queries of data projects use most, by how often they were met in public ones (in the order of that
/// count). A name that is typed in full is found without this; it decides what two letters offer.
const COMMON: &[&str] = &[
    "coalesce",
    "count",
    "toDate",
    "JSONExtractString",
    "round",
    "countMerge",
    "now",
    "toStartOfHour",
    "max",
    "countIf",
    "today",
    "sum",
    "parseDateTimeBestEffort",
    "toDateTime",
    "toStartOfDay",
    "match",
    "uniq",
    "min",
    "avg",
    "toStartOfMinute",
    "dateDiff",
    "toString",
    "countState",
    "argMaxMerge",
    "toUInt32",
    "toDateTime64",
    "multiIf",
    "concat",
    "uniqMerge",
    "toStartOfMonth",
    "range",
    "groupArray",
    "arrayJoin",
    "argMaxState",
    "arrayStringConcat",
    "arrayMap",
    "quantileExact",
    "if",
    "avgState",
    "avgMerge",
    "JSONExtract",
    "lower",
    "addHours",
    "addDays",
    "uniqState",
    "tuple",
    "toHour",
    "stddevPop",
    "formatDateTime",
    "argMax",
    "sumIf",
    "uniqIf",
    "toFloat64OrZero",
    "substring",
    "splitByChar",
    "ifNull",
    "any",
    "addMinutes",
    "JSONExtractInt",
    "JSONExtractFloat",
    "toYYYYMM",
    "toFloat64",
    "toDayOfWeek",
    "sumState",
    "sumMerge",
    "quantile",
    "arraySort",
    "toStartOfInterval",
    "toStartOfFiveMinutes",
    "toIntervalDay",
    "nullIf",
    "uniqExact",
    "length",
    "arrayFilter",
    "has",
    "toUInt64",
    "toInt64",
    "empty",
    "notEmpty",
    "replaceAll",
];

/// Calls that the engine's parser makes other calls of, so that its list of functions does not have them.
const PARSED: &[(&str, &str)] = &[
    ("dateAdd", "${1:DAY}, ${2:1}, $0"),
    ("date_add", "${1:DAY}, ${2:1}, $0"),
    ("dateSub", "${1:DAY}, ${2:1}, $0"),
    ("date_sub", "${1:DAY}, ${2:1}, $0"),
    ("timestampAdd", "$0, INTERVAL ${1:1} ${2:DAY}"),
    ("timestamp_add", "$0, INTERVAL ${1:1} ${2:DAY}"),
    ("timestampSub", "$0, INTERVAL ${1:1} ${2:DAY}"),
    ("timestamp_sub", "$0, INTERVAL ${1:1} ${2:DAY}"),
];

/// Adds the functions that fit what is typed. With nothing typed only the common ones: a list of all is no help.
pub(super) fn add(typed: &str, wanted: Wanted, out: &mut Items) {
    if typed.is_empty() {
        for (n, name) in COMMON.iter().enumerate().take(40) {
            let n = u16::try_from(n).unwrap_or(u16::MAX);
            if find(name).is_some_and(|f| wanted == Wanted::Any || f.kind() == Kind::Scalar) {
                one(name, 400 - n, out);
            }
        }
        return;
    }
    for name in function_names() {
        if name.starts_with('_') || super::fit(name, typed).is_none() {
            continue;
        }
        let Some(function) = find(name) else { continue };
        if wanted == Wanted::Scalar && function.kind() != Kind::Scalar {
            continue;
        }
        let rank = COMMON.iter().position(|c| *c == name);
        let is_alias = function.base() != name;
        let relevance = match rank {
            Some(n) => 460 - u16::try_from(n).unwrap_or(u16::MAX).min(100),
            None if is_alias => 250,
            None => 320,
        };
        one(name, relevance, out);
    }
    for (name, places) in PARSED.iter().filter(|(name, _)| super::fit(name, typed).is_some()) {
        let item = out.add(*name, CompletionKind::Function, 330);
        item.snippet(format!("{name}({places})")).detail("moves a time by an interval");
    }
    if wanted == Wanted::Any {
        combinators(typed, out);
    }
}

/// `sumI` offers `sumIf`; `sum` its usual forms.
fn combinators(typed: &str, out: &mut Items) {
    const USUAL: [Combinator; 6] = [
        Combinator::If,
        Combinator::State,
        Combinator::Merge,
        Combinator::SimpleState,
        Combinator::OrNull,
        Combinator::Distinct,
    ];
    // The longest beginning that is an aggregate function.
    let bases = (1..=typed.len()).rev().filter(|n| typed.is_char_boundary(*n)).map(|n| &typed[..n]);
    let Some((base, function)) =
        bases.filter_map(|b| Some((b, find(b)?))).find(|(_, f)| f.kind() == Kind::Aggregate)
    else {
        return;
    };
    let rest = &typed[base.len()..];
    let offered: &[Combinator] = if rest.is_empty() { &USUAL } else { &Combinator::ALL };
    for combinator in offered {
        if !combinator.name().to_lowercase().starts_with(&rest.to_lowercase()) {
            continue;
        }
        let name = format!("{}{}", function.name(), combinator.name());
        if find(&name).is_some() {
            one(&name, if rest.is_empty() { 310 } else { 455 }, out);
        }
    }
}

/// How a function is called, for the items that are shown: of all that fit it is not asked.
pub(super) fn describe(item: &mut CompletionItem) {
    let name = item.doc.as_deref().and_then(|doc| doc.strip_prefix("function:"));
    let Some((name, function)) = name.and_then(|name| Some((name, find(name)?))) else { return };
    item.detail = crate::signatures::of_function(name)
        .or_else(|| (function.kind() != Kind::Scalar).then(|| "aggregate function".to_owned()));
}

fn one(name: &str, relevance: u16, out: &mut Items) {
    let Some(function) = find(name) else { return };
    let item = out.add(name, CompletionKind::Function, relevance);
    item.doc(format!("function:{name}"));
    let takes_nothing = function.argument_count().is_some_and(|(_, max)| max == Some(0));
    if takes_nothing {
        item.insert(format!("{name}()"));
    } else {
        item.snippet(format!("{name}($0)"));
        item.continues = true;
    }
    let deprecated = function.base() != name && function.combinators().is_empty();
    if deprecated {
        item.origin(format!("alias of {}", function.name()));
    }
}
