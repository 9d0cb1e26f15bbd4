//! A clock that stands still: calls that ask the engine what time it is become the time.

use std::fmt;

use headwater_syntax::sql::ast::{self, AstNode, FunctionCall, OutputName, SelectItem};
use headwater_syntax::sql::{self};
use jiff::Timestamp;
use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;

use super::table::quoted;

/// A moment that every query takes for now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Clock {
    moment: Timestamp,
}

/// Why a text is no moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClockError(String);

impl fmt::Display for ClockError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "`{}` is no moment; write 2025-07-15, 2025-07-15 10:00:00, 2025-07-15T10:00:00Z or seconds since 1970",
            self.0
        )
    }
}

impl std::error::Error for ClockError {}

impl std::str::FromStr for Clock {
    type Err = ClockError;

    /// A day means its first second, a time without a zone is UTC.
    fn from_str(text: &str) -> Result<Self, ClockError> {
        let text = text.trim();
        let wrong = || ClockError(text.to_owned());
        if let Ok(moment) = text.parse::<Timestamp>() {
            return Ok(Self { moment });
        }
        let date_time = match text.parse::<i64>() {
            Ok(seconds) => {
                let moment = Timestamp::from_second(seconds).map_err(|_| wrong())?;
                return Ok(Self { moment });
            }
            Err(_) => text
                .parse::<DateTime>()
                .or_else(|_| text.parse::<Date>().map(|date| date.at(0, 0, 0, 0)))
                .map_err(|_| wrong())?,
        };
        let moment = date_time.to_zoned(TimeZone::UTC).map_err(|_| wrong())?.timestamp();
        Ok(Self { moment })
    }
}

/// Functions that ask for the time; the engine takes their names in any case. `nowInBlock` differs from `now` only while
/// time goes on.
const NOW: &[&str] =
    &["now", "nowinblock", "current_timestamp", "localtimestamp", "utctimestamp", "utc_timestamp"];
const NOW64: &[&str] = &["now64", "nowinblock64"];
const TODAY: &[&str] = &["today", "curdate", "current_date"];

impl Clock {
    /// The moment in UTC, as the engine reads it: `2025-07-15 10:00:00`.
    pub fn text(&self) -> String {
        let time = self.moment.to_zoned(TimeZone::UTC).datetime();
        format!(
            "{:04}-{:02}-{:02} {:02}:{:02}:{:02}",
            time.year(),
            time.month(),
            time.day(),
            time.hour(),
            time.minute(),
            time.second()
        )
    }

    /// Seconds since 1970.
    pub fn seconds(&self) -> i64 {
        self.moment.as_second()
    }

    fn day(&self, back: i64) -> String {
        let moment = Timestamp::from_second(self.moment.as_second() - back * 86_400).unwrap_or(self.moment);
        let day = moment.to_zoned(TimeZone::UTC).date();
        format!("{:04}-{:02}-{:02}", day.year(), day.month(), day.day())
    }

    /// What a call is worth: an expression of the same type.
    fn value(&self, name: &str, arguments: &[&str]) -> Option<String> {
        let is = |names: &[&str]| names.iter().any(|n| n.eq_ignore_ascii_case(name));
        let seconds = self.moment.as_second();
        if is(NOW) {
            return match arguments {
                [] => Some(format!("toDateTime('{}')", self.text())),
                [zone] => Some(format!("toDateTime({seconds}, {zone})")),
                _ => None,
            };
        }
        if is(NOW64) {
            let fraction = format!("{:09}", self.moment.subsec_nanosecond());
            let moment = format!("'{}.{fraction}'", self.text());
            return match arguments {
                [] => Some(format!("toDateTime64({moment}, 3, 'UTC')")),
                [scale] => Some(format!("toDateTime64({moment}, {scale}, 'UTC')")),
                [scale, zone] => Some(format!("toTimeZone(toDateTime64({moment}, {scale}, 'UTC'), {zone})")),
                _ => None,
            };
        }
        if is(TODAY) && arguments.is_empty() {
            return Some(format!("toDate('{}')", self.day(0)));
        }
        if is(&["yesterday"]) && arguments.is_empty() {
            return Some(format!("toDate('{}')", self.day(1)));
        }
        None
    }

    /// A query in which nothing asks for the time. Columns keep the names that the engine would give them. A text that is
    /// too large to be taken apart stays as it is. Linear.
    pub fn stopped(&self, text: &str) -> String {
        let lower = text.to_ascii_lowercase();
        let all = NOW.iter().chain(NOW64).chain(TODAY).chain(&["yesterday"]);
        if !all.into_iter().any(|name| lower.contains(name)) {
            return text.to_owned();
        }
        let Some(tree) = sql::parse(text) else { return text.to_owned() };
        // Place, and what stands there instead.
        let mut edits: Vec<(std::ops::Range<usize>, String)> = Vec::new();
        for call in ast::descendants::<FunctionCall<'_>>(tree.root_node()) {
            let Some(name) = call.plain_name(text) else { continue };
            let arguments: Vec<&str> = call.values().map(|value| value.text(text)).collect();
            if let Some(value) = self.value(&name.value, &arguments) {
                edits.push((call.range().into(), value));
            }
        }
        if edits.is_empty() {
            return text.to_owned();
        }
        let calls: Vec<std::ops::Range<usize>> = edits.iter().map(|(range, _)| range.clone()).collect();
        for item in ast::descendants::<SelectItem<'_>>(tree.root_node()) {
            let range = std::ops::Range::<usize>::from(item.range());
            let holds = calls.iter().any(|c| range.start <= c.start && c.end <= range.end);
            if holds
                && item.alias().is_none()
                && let OutputName::Known(name) = item.output_name(text)
            {
                edits.push((range.end..range.end, format!(" AS {}", quoted(&name))));
            }
        }
        edits.sort_by_key(|(range, _)| std::cmp::Reverse((range.start, range.end)));
        let mut out = text.to_owned();
        let mut end = text.len();
        for (range, with) in edits {
            // A call inside of another's arguments goes with that one.
            if range.end <= end {
                end = range.start;
                out.replace_range(range, &with);
            }
        }
        out
    }

    /// The same for an expression.
    pub fn stopped_expression(&self, text: &str) -> String {
        const SELECT: &str = "SELECT (";
        let stopped = self.stopped(&format!("{SELECT}{text}) AS x"));
        let inner = stopped.strip_prefix(SELECT).and_then(|rest| rest.strip_suffix(") AS x"));
        inner.map_or_else(|| text.to_owned(), str::to_owned)
    }
}

#[cfg(test)]
mod tests {
    use super::Clock;

    fn clock(text: &str) -> Clock {
        text.parse().expect("a moment")
    }

    #[test]
    fn moments_are_written_as_people_do() {
        for (text, expected) in [
            ("2025-07-15", "2025-07-15 00:00:00"),
            ("2025-07-15 10:01:02", "2025-07-15 10:01:02"),
            ("2025-07-15T10:01:02Z", "2025-07-15 10:01:02"),
            ("2025-07-15T10:01:02+02:00", "2025-07-15 08:01:02"),
            ("86400", "1970-01-02 00:00:00"),
        ] {
            assert_eq!(clock(text).text(), expected, "{text}");
        }
        assert!("soon".parse::<Clock>().is_err());
    }

    #[test]
    fn questions_for_the_time_become_the_time() {
        let clock = clock("2025-07-15 10:01:02.5Z");
        for (sql, expected) in [
            ("SELECT now() AS a", "SELECT toDateTime('2025-07-15 10:01:02') AS a"),
            ("SELECT NOW() - 1 AS a", "SELECT toDateTime('2025-07-15 10:01:02') - 1 AS a"),
            ("SELECT today()", "SELECT toDate('2025-07-15') AS `today()`"),
            (
                "SELECT a FROM t WHERE d > yesterday() GROUP BY toHour(now('Asia/Tokyo'))",
                "SELECT a FROM t WHERE d > toDate('2025-07-14') GROUP BY toHour(toDateTime(1752573662, 'Asia/Tokyo'))",
            ),
            ("SELECT now64(6) AS x", "SELECT toDateTime64('2025-07-15 10:01:02.500000000', 6, 'UTC') AS x"),
            (
                "SELECT 'now()' AS a, now AS b FROM t -- now()",
                "SELECT 'now()' AS a, now AS b FROM t -- now()",
            ),
        ] {
            assert_eq!(clock.stopped(sql), expected);
        }
        assert_eq!(clock.stopped_expression("toDate(now())"), "toDate(toDateTime('2025-07-15 10:01:02'))");
    }
}
