//! TTL against partitions: rows go when all rows of their partition are old enough.

use headwater_syntax::Directive;
use headwater_syntax::sql::{self, ast, ast::AstNode};

use super::super::{Remedy, Sink};
use crate::codes;
use crate::parse::Parsed;

/// Functions whose value is the same for this many days at the most.
const PERIODS: &[(&str, u64, &str)] = &[
    ("toYear", 366, "year"),
    ("toStartOfYear", 366, "year"),
    ("toStartOfQuarter", 92, "quarter"),
    ("toYYYYMM", 31, "month"),
    ("toStartOfMonth", 31, "month"),
    ("toMonday", 7, "week"),
    ("toStartOfWeek", 7, "week"),
];

pub(super) fn check(parsed: &Parsed, sink: &mut Sink<'_>) {
    let entry = |directive| parsed.datafile.last(directive).filter(|e| e.entry.valid_here);
    let (Some(ttl), Some(partition)) = (entry(Directive::EngineTtl), entry(Directive::EnginePartitionKey))
    else {
        return;
    };
    let text = |e: &headwater_syntax::datafile::SourcedEntry| {
        e.entry.body(parsed.datafile.source_of(e)).text.trim().trim_matches(['"', '\'']).to_owned()
    };
    let Some((_, period, name)) = period_of(&text(partition)) else { return };
    let Some(days) = days_of(&text(ttl)) else { return };
    if days < period {
        let message = format!(
            "rows expire after {days} days, and a partition holds a {name}: it goes only when its youngest row is old enough, so rows stay for up to {} days; partition by a shorter period, or keep them longer",
            days + period
        );
        sink.at(ttl, &codes::TTL_PARTITION, ttl.entry.args_range(), message)
            .remedy(Remedy::PartitionBy(shorter_than(days)));
    }
}

/// The longest of the usual periods that is not longer than so many days.
fn shorter_than(days: u64) -> &'static str {
    match days {
        31.. => "toYYYYMM",
        7.. => "toMonday",
        _ => "toDate",
    }
}

/// The longest of the periods that a key is made of decides; a key without one, or with others, says nothing.
fn period_of(key: &str) -> Option<(&'static str, u64, &'static str)> {
    let tree = sql::parse(key)?;
    let calls = ast::descendants::<ast::FunctionCall<'_>>(tree.root_node());
    let names: Vec<String> = calls.filter_map(|c| Some(c.plain_name(key)?.value)).collect();
    let [only] = names.as_slice() else { return None };
    PERIODS.iter().find(|(name, ..)| name.eq_ignore_ascii_case(only)).copied()
}

/// The days that are added to the column.
fn days_of(ttl: &str) -> Option<u64> {
    let tree = sql::parse(ttl)?;
    let list = ast::descendants::<ast::Expressions<'_>>(tree.root_node()).next()?;
    // Rows that move, shrink or are aggregated do not go.
    let stays =
        |kind| matches!(kind, ast::Kind::TtlMove | ast::Kind::TtlRecompress | ast::Kind::GroupByClause);
    if ast::nodes(list.node()).any(|n| stays(ast::Kind::of(n))) {
        return None;
    }
    let mut expressions = list.expressions();
    let (first, None) = (expressions.next()?, expressions.next()) else { return None };
    let call = first.call(ttl).filter(|c| c.function == "plus")?;
    let ast::Argument::Expression(interval) = call.arguments.get(1)? else { return None };
    let interval = interval.call(ttl)?;
    let number = match interval.arguments.as_slice() {
        [ast::Argument::Expression(e)] => e.literal(ttl)?,
        [ast::Argument::Value(value)] => value.clone(),
        _ => return None,
    };
    let ast::Literal::Integer(number) = number else { return None };
    let number = u64::try_from(number).ok()?;
    let days = match &*interval.function {
        "toIntervalHour" => number / 24,
        "toIntervalDay" => number,
        "toIntervalWeek" => number.checked_mul(7)?,
        "toIntervalMonth" => number.checked_mul(30)?,
        "toIntervalQuarter" => number.checked_mul(91)?,
        "toIntervalYear" => number.checked_mul(365)?,
        _ => return None,
    };
    Some(days)
}
