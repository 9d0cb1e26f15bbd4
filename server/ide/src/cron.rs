//! Cron expressions for people: what they say in words, and when they are due. Five fields, as the format has them.

/// A moment, in UTC. Passed in: nothing here looks at a clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Moment {
    /// Year.
    pub year: i32,
    /// From 1.
    pub month: u32,
    /// From 1.
    pub day: u32,
    /// From 0.
    pub hour: u32,
    /// From 0.
    pub minute: u32,
}

impl std::fmt::Display for Moment {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { year, month, day, hour, minute } = self;
        write!(f, "{year:04}-{month:02}-{day:02} {hour:02}:{minute:02} UTC")
    }
}

/// A cron expression: which values each field allows, as bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Cron {
    minutes: u64,
    hours: u64,
    days: u64,
    months: u64,
    weekdays: u64,
    /// Whether the field restricts nothing: then the other one of the two kinds of days decides alone.
    any_day: bool,
    any_weekday: bool,
}

const MONTHS: &[&str] = &["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"];
const WEEKDAYS: &[&str] = &["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"];
const DAY_NAMES: &[&str] = &["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];

/// Years that are searched for the next time: `0 0 29 2 *` needs up to eight.
const YEARS: i32 = 9;

impl Cron {
    /// Reads five fields or an alias. `None` for anything else.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let text = match text.trim().to_lowercase().as_str() {
            "@hourly" => "0 * * * *".to_owned(),
            "@daily" | "@midnight" => "0 0 * * *".to_owned(),
            "@weekly" => "0 0 * * 0".to_owned(),
            "@monthly" => "0 0 1 * *".to_owned(),
            "@yearly" | "@annually" => "0 0 1 1 *".to_owned(),
            _ => text.trim().to_owned(),
        };
        let fields: Vec<&str> = text.split_whitespace().collect();
        let [minutes, hours, days, months, weekdays] = fields.as_slice() else { return None };
        let week = field(weekdays, 0, 7, WEEKDAYS, 0)?;
        Some(Self {
            minutes: field(minutes, 0, 59, &[], 0)?,
            hours: field(hours, 0, 23, &[], 0)?,
            days: field(days, 1, 31, &[], 0)?,
            months: field(months, 1, 12, MONTHS, 1)?,
            // Seven is Sunday as well.
            weekdays: week & 0x7f | (week >> 7 & 1),
            any_day: days.starts_with('*') || *days == "?",
            any_weekday: weekdays.starts_with('*') || *weekdays == "?",
        })
    }

    /// The next times after `now`, soonest first.
    pub(crate) fn next(&self, now: Moment, count: usize) -> Vec<Moment> {
        let mut out = Vec::new();
        for year in now.year..=now.year + YEARS {
            for month in (1..=12).filter(|m| has(self.months, *m)) {
                for day in (1..=days_in(year, month)).filter(|d| self.is_due(year, month, *d)) {
                    for hour in (0..24).filter(|h| has(self.hours, *h)) {
                        for minute in (0..60).filter(|m| has(self.minutes, *m)) {
                            let moment = Moment { year, month, day, hour, minute };
                            if moment > now {
                                out.push(moment);
                                if out.len() == count {
                                    return out;
                                }
                            }
                        }
                    }
                }
            }
        }
        out
    }

    fn is_due(&self, year: i32, month: u32, day: u32) -> bool {
        let by_day = has(self.days, day);
        let by_weekday = has(self.weekdays, weekday(year, month, day));
        match (self.any_day, self.any_weekday) {
            (false, false) => by_day || by_weekday,
            _ => by_day && by_weekday,
        }
    }
}

fn has(bits: u64, n: u32) -> bool {
    bits >> n & 1 == 1
}

fn field(text: &str, low: u32, high: u32, names: &[&str], first: u32) -> Option<u64> {
    let value = |word: &str| -> Option<u32> {
        let named = names.iter().position(|n| n.eq_ignore_ascii_case(word));
        match named {
            Some(n) => Some(u32::try_from(n).ok()? + first),
            None => word.parse().ok().filter(|n| (low..=high).contains(n)),
        }
    };
    let mut bits = 0;
    for part in text.split(',') {
        let (range, step) = match part.split_once('/') {
            Some((range, step)) => (range, Some(step.parse::<u32>().ok().filter(|s| *s > 0)?)),
            None => (part, None),
        };
        let (from, to) = match range.split_once('-') {
            _ if range == "*" || range == "?" => (low, high),
            Some((from, to)) => (value(from)?, value(to)?),
            None => {
                let from = value(range)?;
                (from, if step.is_some() { high } else { from })
            }
        };
        for n in (from..=to).step_by(usize::try_from(step.unwrap_or(1)).ok()?) {
            bits |= 1 << n;
        }
    }
    Some(bits)
}

fn is_leap(year: i32) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

fn days_in(year: i32, month: u32) -> u32 {
    match month {
        4 | 6 | 9 | 11 => 30,
        2 => 28 + u32::from(is_leap(year)),
        _ => 31,
    }
}

/// 0 is Sunday (Sakamoto's method).
fn weekday(year: i32, month: u32, day: u32) -> u32 {
    const SHIFT: [i32; 12] = [0, 3, 2, 5, 0, 3, 5, 1, 4, 6, 2, 4];
    let y = if month < 3 { year - 1 } else { year };
    let shift = usize::try_from(month).ok().and_then(|m| SHIFT.get(m.wrapping_sub(1))).copied().unwrap_or(0);
    let day = i32::try_from(day).unwrap_or(1);
    u32::try_from((y + y / 4 - y / 100 + y / 400 + shift + day).rem_euclid(7)).unwrap_or(0)
}

/// `0 3 * * 1-5` as "at 03:00, Monday to Friday".
pub(crate) fn in_words(text: &str) -> Option<String> {
    match text.trim().to_lowercase().as_str() {
        "@on-demand" => return Some("only when somebody asks for it".to_owned()),
        "@once" => return Some("once".to_owned()),
        "@auto" => return Some("as soon as there is something new".to_owned()),
        _ => {}
    }
    let cron = Cron::parse(text)?;
    let list = |bits: u64, high: u32| (0..=high).filter(|n| has(bits, *n)).collect::<Vec<_>>();
    let (minutes, hours) = (list(cron.minutes, 59), list(cron.hours, 23));
    let time = match (minutes.as_slice(), hours.as_slice()) {
        ([minute], [hour]) => format!("at {hour:02}:{minute:02}"),
        (all, every) if all.len() == 60 && every.len() == 24 => "every minute".to_owned(),
        (all, _) if all.len() == 60 => format!("every minute of {}", hours_of(&hours)),
        (minutes, every) if step(minutes, 60).is_some_and(|s| s > 1) && every.len() == 24 => {
            format!("every {} minutes", step(minutes, 60)?)
        }
        ([minute], every) if every.len() == 24 => match minute {
            0 => "every hour, on the hour".to_owned(),
            n => format!("every hour, {n} minutes past"),
        },
        ([minute], hours) if step(hours, 24).is_some() => {
            format!("every {} hours, {minute:02} minutes past", step(hours, 24)?)
        }
        ([minute], hours) => {
            let times: Vec<_> = hours.iter().map(|h| format!("{h:02}:{minute:02}")).collect();
            format!("at {}", listed(&times))
        }
        (minutes, hours) => {
            let minutes: Vec<_> = minutes.iter().map(|m| format!("{m:02}")).collect();
            format!("at minutes {} of {}", listed(&minutes), hours_of(hours))
        }
    };
    let mut days = Vec::new();
    if !cron.any_weekday {
        let names: Vec<String> =
            (0..7).filter(|d| has(cron.weekdays, *d)).map(|d| DAY_NAMES[d as usize].to_owned()).collect();
        days.push(match cron.weekdays {
            0b011_1110 => "Monday to Friday".to_owned(),
            0b100_0001 => "on weekends".to_owned(),
            _ => format!("on {}", listed(&names)),
        });
    }
    if !cron.any_day {
        let numbers: Vec<_> = (1..=31).filter(|d| has(cron.days, *d)).map(|d| d.to_string()).collect();
        days.push(format!("on day {} of the month", listed(&numbers)));
    }
    let mut out = time;
    if !days.is_empty() {
        out += &format!(", {}", days.join(" or "));
    } else if minutes.len() == 1 && hours.len() == 1 {
        out += ", every day";
    }
    if cron.months & 0x1ffe != 0x1ffe {
        let names: Vec<_> =
            (1..=12).filter(|m| has(cron.months, *m)).map(|m| capital(MONTHS[m as usize - 1])).collect();
        out += &format!(", in {}", listed(&names));
    }
    Some(out)
}

fn hours_of(hours: &[u32]) -> String {
    match hours {
        [hour] => format!("hour {hour}"),
        all if all.len() == 24 => "every hour".to_owned(),
        hours => {
            let hours: Vec<_> = hours.iter().map(ToString::to_string).collect();
            format!("hours {}", listed(&hours))
        }
    }
}

/// The step of values that begin at 0 and fill the whole range.
fn step(values: &[u32], whole: u32) -> Option<u32> {
    let (first, second) = (values.first()?, values.get(1)?);
    let step = second - first;
    let fits =
        *first == 0 && whole.is_multiple_of(step) && values.len() == usize::try_from(whole / step).ok()?;
    (fits && values.windows(2).all(|w| w[1] - w[0] == step)).then_some(step)
}

fn listed(words: &[String]) -> String {
    match words {
        [] => String::new(),
        [one] => one.clone(),
        [init @ .., last] => format!("{} and {last}", init.join(", ")),
    }
}

fn capital(word: &str) -> String {
    let mut chars = word.chars();
    let first = chars.next().map(|c| c.to_ascii_uppercase()).into_iter();
    first.chain(chars.map(|c| c.to_ascii_lowercase())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expressions_are_said_in_words() {
        for (cron, words) in [
            ("*/5 * * * *", "every 5 minutes"),
            ("* * * * *", "every minute"),
            ("0 * * * *", "every hour, on the hour"),
            ("0 3 * * *", "at 03:00, every day"),
            ("30 4 * * 1-5", "at 04:30, Monday to Friday"),
            ("0 0,12 * * *", "every 12 hours, 00 minutes past"),
            ("0 1,12 * * *", "at 01:00 and 12:00"),
            ("0 */6 * * *", "every 6 hours, 00 minutes past"),
            ("0 0 1 1 *", "at 00:00, on day 1 of the month, in Jan"),
            ("0 0 * * SUN", "at 00:00, on Sunday"),
            ("@daily", "at 00:00, every day"),
            ("@on-demand", "only when somebody asks for it"),
        ] {
            assert_eq!(in_words(cron).as_deref(), Some(words), "{cron}");
        }
        for bad in ["", "61 * * * *", "a b c d e", "* * * *", "*/0 * * * *"] {
            assert_eq!(in_words(bad), None, "{bad}");
        }
    }

    #[test]
    fn the_next_times_are_counted_from_a_given_moment() {
        let now = Moment { year: 2024, month: 2, day: 28, hour: 23, minute: 50 };
        let next = |cron: &str| -> Vec<String> {
            Cron::parse(cron)
                .map(|c| c.next(now, 2).iter().map(ToString::to_string).collect())
                .unwrap_or_default()
        };
        assert_eq!(next("*/15 * * * *"), ["2024-02-29 00:00 UTC", "2024-02-29 00:15 UTC"]);
        assert_eq!(next("0 0 29 2 *"), ["2024-02-29 00:00 UTC", "2028-02-29 00:00 UTC"]);
        // 1 March 2024 is a Friday: one kind of day is enough when both are given.
        assert_eq!(next("0 12 1 * FRI"), ["2024-03-01 12:00 UTC", "2024-03-08 12:00 UTC"]);
        assert_eq!(next("0 0 31 2 *"), [""; 0]);
    }
}
