//! What the engine knows by name: types, settings, table functions, units, time zones.

use headwater_analysis::TextSize;
use headwater_catalog::Tier;

use super::super::{CompletionKind, Items};
use super::typed;
use crate::sql_context::Context;

pub(in crate::completion) fn types(out: &mut Items) {
    const COMMON: &[&str] = &[
        "String", "DateTime", "UInt64", "Int64", "Int32", "UInt32", "Float64", "UInt8", "Date", "Float32",
        "Bool", "UInt16", "Int16", "Int8", "UUID", "JSON", "IPv4", "IPv6",
    ];
    const WITH_ARGUMENTS: &[(&str, &str)] = &[
        ("LowCardinality", "LowCardinality(${1:String})"),
        ("Nullable", "Nullable(${1:String})"),
        ("Array", "Array(${1:String})"),
        ("DateTime64", "DateTime64(${1:3})"),
        ("Map", "Map(${1:String}, ${2:String})"),
        ("Tuple", "Tuple(${1:name} ${2:String})"),
        ("Enum8", "Enum8('${1:a}' = 1)"),
        ("Enum16", "Enum16('${1:a}' = 1)"),
        ("FixedString", "FixedString(${1:16})"),
        ("Decimal", "Decimal(${1:18}, ${2:2})"),
        ("AggregateFunction", "AggregateFunction(${1:count})"),
        ("SimpleAggregateFunction", "SimpleAggregateFunction(${1:sum}, ${2:UInt64})"),
    ];
    for (n, name) in COMMON.iter().enumerate() {
        let n = u16::try_from(n).unwrap_or(0);
        out.add(*name, CompletionKind::Type, 700 - n).doc(format!("type:{name}"));
    }
    for (n, (name, snippet)) in WITH_ARGUMENTS.iter().enumerate() {
        let n = u16::try_from(n).unwrap_or(0);
        out.add(*name, CompletionKind::Type, 680 - n).snippet(*snippet).doc(format!("type:{name}"));
    }
    for family in headwater_catalog::type_families().iter().filter(|f| f.alias_for.is_none()) {
        let known = COMMON.contains(&family.name) || WITH_ARGUMENTS.iter().any(|(n, _)| *n == family.name);
        if !known {
            out.add(family.name, CompletionKind::Type, 400).doc(format!("type:{}", family.name));
        }
    }
}

pub(super) fn settings(out: &mut Items) {
    const COMMON: &[&str] = &[
        "max_threads",
        "max_execution_time",
        "join_algorithm",
        "max_memory_usage",
        "final",
        "join_use_nulls",
    ];
    for setting in headwater_catalog::settings() {
        if setting.tier == Tier::Obsolete || setting.alias_for.is_some() {
            continue;
        }
        let relevance = if COMMON.contains(&setting.name) { 600 } else { 400 };
        out.add(setting.name, CompletionKind::Setting, relevance)
            .detail(format!("{} = {}", setting.ty, setting.default))
            .doc(format!("setting:{}", setting.name))
            .insert(format!("{} = ", setting.name));
    }
}

pub(super) fn table_functions(out: &mut Items) {
    for name in ["numbers", "generateRandom", "values", "view", "generateSeries", "zeros", "mergeTreeIndex"] {
        if headwater_catalog::table_functions().iter().any(|f| f.name == name) {
            out.add(name, CompletionKind::Function, 200)
                .snippet(format!("{name}($0)"))
                .doc(format!("tablefunction:{name}"));
        }
    }
}

/// Inside a text: units, time zones, types, by the call around it.
pub(super) fn in_text(context: &Context, text: &str, out: &mut Items) {
    let Some(call) = context.calls.last() else { return };
    let function = text[call.name].to_lowercase();
    let typed = TextSize::of(typed(text, context).trim_start_matches('\''));
    let end = out.replace.end();
    out.replace = headwater_analysis::TextRange::new(end - typed.min(end), end);
    let is_unit = matches!(
        function.as_str(),
        "datediff"
            | "date_diff"
            | "datetrunc"
            | "date_trunc"
            | "dateadd"
            | "datesub"
            | "age"
            | "timestampadd"
    ) && call.argument == 0;
    if is_unit {
        for (n, unit) in
            ["second", "minute", "hour", "day", "week", "month", "quarter", "year", "millisecond"]
                .iter()
                .enumerate()
        {
            out.add(*unit, CompletionKind::Value, 600 - u16::try_from(n).unwrap_or(0));
        }
    } else if matches!(
        function.as_str(),
        "jsonextract" | "cast" | "_cast" | "accuratecast" | "accuratecastornull" | "defaultvalueoftypename"
    ) && call.argument >= 1
    {
        types(out);
        out.list.iter_mut().for_each(|item| item.is_snippet = false);
    } else if call.argument >= 1
        && [
            "todatetime",
            "totimezone",
            "todatetime64",
            "formatdatetime",
            "tostartofday",
            "todate",
            "tostartofinterval",
            "tohour",
            "tostring",
        ]
        .contains(&function.as_str())
    {
        for zone in headwater_catalog::time_zones() {
            let relevance = if matches!(*zone, "UTC" | "Europe/Madrid" | "America/New_York" | "Europe/London")
            {
                500
            } else {
                400
            };
            out.add(*zone, CompletionKind::Value, relevance).origin("time zone");
        }
    }
}
