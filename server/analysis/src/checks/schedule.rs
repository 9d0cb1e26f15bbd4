//! Schedules of copies and sinks: `@on-demand`, an alias, or a cron expression of five or six fields.

use headwater_syntax::Directive;
use headwater_syntax::datafile::SourcedEntry;

use super::{Context, Sink, nearest};
use crate::codes;

pub(super) const ALIASES: &[&str] =
    &["@on-demand", "@hourly", "@daily", "@midnight", "@weekly", "@monthly", "@yearly", "@annually"];

pub(super) fn check(
    cx: &Context<'_>,
    sink: &mut Sink<'_>,
    entry: &SourcedEntry,
    directive: Directive,
    value: &str,
) {
    let name = directive.name();
    if value.contains("tb_secret") {
        let message = format!("{name} cannot hold a secret; write the cron expression itself");
        sink.at(entry, &codes::SECRET_IN_SCHEDULE, entry.entry.args_range(), message);
        return;
    }
    let Some(problem) = problem(value) else { return };
    // What the older product took besides cron is not known.
    let looks_like_cron = value.chars().all(|c| c.is_ascii_digit() || "*/,- ".contains(c));
    if cx.is_forward() || looks_like_cron {
        let message = format!("{name} is `@on-demand` or a cron expression such as `0 3 * * *`: {problem}");
        let near = nearest(value, ALIASES.iter().copied());
        let near = near.filter(|_| value.starts_with('@') && !value.eq_ignore_ascii_case("@once"));
        sink.at(entry, &codes::INVALID_SCHEDULE, entry.entry.args_range(), message).meant(near);
    }
}

/// What keeps `value` from being a schedule.
fn problem(value: &str) -> Option<String> {
    if value.starts_with('@') {
        if ALIASES.contains(&value.to_lowercase().as_str()) {
            return None;
        }
        let hint = match nearest(value, ALIASES.iter().copied()) {
            _ if value.eq_ignore_ascii_case("@once") => "run it by hand with `@on-demand`".to_owned(),
            Some(alias) => format!("did you mean `{alias}`?"),
            None => "use a cron expression".to_owned(),
        };
        return Some(format!("`{value}` is not accepted; {hint}"));
    }
    let fields: Vec<_> = value.split_whitespace().collect();
    if !matches!(fields.len(), 5 | 6) {
        let s = if fields.len() == 1 { "" } else { "s" };
        return Some(format!(
            "cron has 5 fields (or 6), this value has {}",
            format_args!("{} word{s}", fields.len())
        ));
    }
    // Which end of six fields holds the seconds differs between crons, so only shape counts there.
    let ranges: &[(u32, u32, &str)] = match fields.len() {
        5 => &[
            (0, 59, "minute"),
            (0, 23, "hour"),
            (1, 31, "day of month"),
            (1, 12, "month"),
            (0, 7, "day of week"),
        ],
        _ => &[(0, 9999, "field"); 6],
    };
    fields.iter().zip(ranges).find_map(|(field, (low, high, what))| {
        let bad = field.split(',').find(|part| !is_part(part, *low, *high))?;
        let limits = if *high == 9999 { String::new() } else { format!(" ({what}: {low} to {high})") };
        Some(format!("`{bad}` is no cron field{limits}"))
    })
}

/// `*`, `5`, `1-5`, `MON-FRI`, each with an optional step, and the marks `?`, `L`, `W`, `#` of wider crons.
fn is_part(part: &str, low: u32, high: u32) -> bool {
    let (base, step) = match part.split_once('/') {
        Some((base, step)) => (base, Some(step)),
        None => (part, None),
    };
    if step.is_some_and(|s| s.parse::<u32>().map_or(true, |n| n == 0)) {
        return false;
    }
    if matches!(base, "*" | "?") {
        return true;
    }
    let mut ends = base.split('-');
    let (first, last) = (ends.next().unwrap_or_default(), ends.next());
    ends.next().is_none() && is_value(first, low, high) && last.is_none_or(|l| is_value(l, low, high))
}

fn is_value(word: &str, low: u32, high: u32) -> bool {
    const NAMES: &str = "jan feb mar apr may jun jul aug sep oct nov dec sun mon tue wed thu fri sat";
    if let Ok(n) = word.parse::<u32>() {
        return (low..=high).contains(&n);
    }
    let lower = word.to_ascii_lowercase();
    let marked =
        lower.contains(['l', 'w', '#']) && lower.chars().all(|c| c.is_ascii_digit() || "lw#".contains(c));
    marked || lower.len() == 3 && NAMES.split(' ').any(|n| n == lower)
}

#[cfg(test)]
mod tests {
    use super::problem;

    #[test]
    fn crons_and_aliases_pass() {
        let good = [
            "@on-demand",
            "@hourly",
            "@Daily",
            "0 3 * * *",
            "*/5 * * * *",
            "0 0 1,15 JAN-MAR MON-FRI",
            "0-30/5 22-2 L * 5#3",
            "0 0 12 * * ?",
            "* * * * * */10",
        ];
        for value in good {
            assert_eq!(problem(value), None, "{value}");
        }
        for value in [
            "@once",
            "@evry",
            "0 3 * *",
            "60 * * * *",
            "* 24 * * *",
            "*/0 * * * *",
            "a b c d e",
            "1-2-3 * * * *",
            "daily",
        ] {
            assert!(problem(value).is_some(), "{value}");
        }
    }
}
