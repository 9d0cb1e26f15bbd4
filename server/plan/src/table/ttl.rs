//! `ENGINE_TTL`: longer, shorter, or incomparable.

use crate::change::Class;
use crate::compare::Cx;
use crate::rules;

use super::Pair;

pub(super) fn classify(cx: &Cx<'_>, pair: &mut Pair<'_>) {
    let (old, new) = (pair.old.engine.ttl.clone(), pair.new.engine.ttl.clone());
    if old == new || pair.old.engine.name == "Null" || pair.new.engine.name == "Null" {
        return;
    }
    let modify = |ttl: &str| format!("ALTER TABLE {} MODIFY TTL {ttl}", pair.name());
    let (rule, class, reason, sql) = match (&old, &new) {
        (_, None) => (
            rules::TTL_LONGER,
            Class::Alter,
            "no row goes any more; those that went are not there again".to_owned(),
            format!("ALTER TABLE {} REMOVE TTL", pair.name()),
        ),
        (Some(was), Some(is)) => match (spread(was), spread(is)) {
            (Some((a, before)), Some((b, after))) if a == b && after >= before => (
                rules::TTL_LONGER,
                Class::Alter,
                format!("rows live {} instead of {}", days(after), days(before)),
                modify(is),
            ),
            (Some((a, before)), Some((b, after))) if a == b => (
                rules::TTL_SHORTER,
                Class::Hide,
                format!(
                    "rows live {} instead of {}: older ones are hidden, and gone when the rollback window ends",
                    days(after),
                    days(before)
                ),
                modify(is),
            ),
            _ => (
                rules::TTL_SHORTER,
                Class::Hide,
                format!("rows may go earlier: `{was}` and `{is}` cannot be compared"),
                modify(is),
            ),
        },
        (None, Some(is)) => (
            rules::TTL_SHORTER,
            Class::Hide,
            match spread(is) {
                Some((_, after)) => format!(
                    "rows older than {} are hidden, and gone when the rollback window ends",
                    days(after)
                ),
                None => {
                    format!("rows that `{is}` is past for are hidden, and gone when the rollback window ends")
                }
            },
            modify(is),
        ),
    };
    let sources = pair.push(cx, rule, class, None, reason);
    sources.sql = vec![sql];
    // From a source that forgets, its views cannot be made again.
    if class == Class::Hide {
        let views =
            cx.new.readers(pair.key).iter().filter(|n| {
                cx.after.node(n).is_some_and(|n| n.ty == headwater_analysis::NodeType::Materialized)
            });
        let dependents: Vec<_> = views.map(|v| cx.dependent(v)).collect();
        let last = pair.changes.len() - 1;
        if !dependents.is_empty() {
            let names = crate::whole::people(&dependents);
            pair.changes[last].reason += &format!("; from then on {names} cannot be filled anew from it");
        }
        pair.changes[last].dependents = dependents;
    }
}

/// A moment and an interval in seconds: `ts + INTERVAL 30 DAY`, `toDate(ts) + toIntervalDay(30)`. Months and years have
/// no fixed length; they are compared by their usual one, and only with what is measured from the same moment.
fn spread(ttl: &str) -> Option<(String, u64)> {
    let ttl = ttl.strip_suffix(" DELETE").unwrap_or(ttl);
    let (moment, interval) = ttl.rsplit_once(" + ")?;
    // A list of rules, or one with conditions, is not one interval.
    if moment.contains(" + ")
        || ttl.contains(" WHERE ")
        || ttl.contains(" TO ")
        || ttl.matches(", ").count() > moment.matches(", ").count()
    {
        return None;
    }
    let words: Vec<&str> = interval.split([' ', '(', ')']).filter(|w| !w.is_empty()).collect();
    let (count, unit) = match words.as_slice() {
        [interval, count, unit] if interval.eq_ignore_ascii_case("INTERVAL") => (*count, (*unit).to_owned()),
        [function, count] => (*count, function.strip_prefix("toInterval")?.to_owned()),
        _ => return None,
    };
    let count: u64 = count.trim_matches('\'').parse().ok()?;
    let unit = unit.to_ascii_uppercase();
    let seconds = match unit.strip_suffix('S').unwrap_or(&unit) {
        "SECOND" => 1,
        "MINUTE" => 60,
        "HOUR" => 3_600,
        "DAY" => 86_400,
        "WEEK" => 7 * 86_400,
        "MONTH" => 30 * 86_400,
        "QUARTER" => 91 * 86_400,
        "YEAR" => 365 * 86_400,
        _ => return None,
    };
    Some((moment.to_owned(), count.checked_mul(seconds)?))
}

fn days(seconds: u64) -> String {
    let (count, unit) = match seconds {
        s if s % 86_400 == 0 => (s / 86_400, "day"),
        s if s % 3_600 == 0 => (s / 3_600, "hour"),
        s => (s, "second"),
    };
    format!("{count} {unit}{}", if count == 1 { "" } else { "s" })
}
