//! When a cron expression of five fields runs, for the question whether two of them run at the same minute.

/// The minutes at which a job starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Cron {
    minutes: u64,
    hours: u64,
    days: u64,
    months: u64,
    weekdays: u64,
}

const ALL_DAYS: u64 = bits(1, 31);
const ALL_WEEKDAYS: u64 = bits(0, 6);

const fn bits(low: u32, high: u32) -> u64 {
    (u64::MAX >> (63 - high)) & (u64::MAX << low)
}

impl Cron {
    /// Reads an expression or an alias; `None` where it has marks whose days depend on the calendar (`L`, `W`, `#`), or is
    /// none.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let text = match text.trim().to_ascii_lowercase().as_str() {
            "@hourly" => "0 * * * *".to_owned(),
            "@daily" | "@midnight" => "0 0 * * *".to_owned(),
            "@weekly" => "0 0 * * 0".to_owned(),
            "@monthly" => "0 0 1 * *".to_owned(),
            "@yearly" | "@annually" => "0 0 1 1 *".to_owned(),
            other => other.to_owned(),
        };
        let fields: Vec<&str> = text.split_whitespace().collect();
        let [minutes, hours, days, months, weekdays] = fields.as_slice() else { return None };
        let weekdays = field(weekdays, 0, 7, "sun mon tue wed thu fri sat")?;
        Some(Self {
            minutes: field(minutes, 0, 59, "")?,
            hours: field(hours, 0, 23, "")?,
            days: field(days, 1, 31, "")?,
            months: field(months, 1, 12, "jan feb mar apr may jun jul aug sep oct nov dec")?,
            // Sunday is 0 and 7.
            weekdays: (weekdays | weekdays >> 7) & ALL_WEEKDAYS,
        })
    }

    /// Whether there is a minute at which both start.
    pub(super) fn meets(self, other: Self) -> bool {
        let share = |a: u64, b: u64| a & b != 0;
        // A day of the month falls on every day of the week at some time.
        let by_weekday = |c: Self| c.days == ALL_DAYS;
        let days = match (by_weekday(self), by_weekday(other)) {
            (true, true) => share(self.weekdays, other.weekdays),
            (false, false) => {
                let only_days = |c: Self| c.weekdays == ALL_WEEKDAYS;
                !(only_days(self) && only_days(other)) || share(self.days, other.days)
            }
            _ => true,
        };
        share(self.minutes, other.minutes)
            && share(self.hours, other.hours)
            && share(self.months, other.months)
            && days
    }
}

fn field(text: &str, low: u32, high: u32, names: &str) -> Option<u64> {
    let value = |word: &str| {
        let named = || {
            let n = names.split(' ').position(|name| !name.is_empty() && name == word)?;
            Some(u32::try_from(n).ok()? + low)
        };
        word.parse::<u32>().ok().or_else(named).filter(|n| (low..=high).contains(n))
    };
    let mut out = 0;
    for part in text.split(',') {
        let (base, step) = match part.split_once('/') {
            Some((base, step)) => (base, Some(step.parse::<u32>().ok().filter(|n| *n > 0)?)),
            None => (part, None),
        };
        let (first, last) = match base.split_once('-') {
            _ if matches!(base, "*" | "?") => (low, high),
            Some((first, last)) => (value(first)?, value(last)?),
            // `5/10` goes on to the end.
            None => (value(base)?, if step.is_some() { high } else { value(base)? }),
        };
        let step = usize::try_from(step.unwrap_or(1)).ok()?;
        // `FRI-MON` goes over the end.
        let range: Vec<u32> = if first <= last {
            (first..=last).step_by(step).collect()
        } else {
            (first..=high).chain(low..=last).step_by(step).collect()
        };
        out |= range.into_iter().fold(0, |all, n| all | 1 << n);
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::Cron;

    #[test]
    fn schedules_that_meet() {
        for (one, other, expected) in [
            ("0 * * * *", "@hourly", true),
            ("0 * * * *", "30 * * * *", false),
            ("*/15 * * * *", "45 3 * * *", true),
            ("*/15 * * * *", "50 3 * * *", false),
            ("0 3 * * *", "0 4 * * *", false),
            ("0 22-2 * * *", "0 1 * * *", true),
            ("0 3 * * MON", "0 3 * * TUE", false),
            ("0 3 * * MON-WED", "0 3 * * 2", true),
            ("0 3 * * 0", "0 3 * * 7", true),
            ("0 3 1 * *", "0 3 2 * *", false),
            ("0 3 1 * *", "0 3 * * MON", true),
            ("0 3 * JAN *", "0 3 * FEB *", false),
            ("5/10 * * * *", "15 * * * *", true),
            ("@daily", "@monthly", true),
        ] {
            let parse = |text| Cron::parse(text).expect("a schedule");
            assert_eq!(parse(one).meets(parse(other)), expected, "{one} and {other}");
            assert_eq!(parse(other).meets(parse(one)), expected, "{other} and {one}");
        }
        for text in ["@on-demand", "0 3 L * *", "0 3 * *", "0 0 3 * * *", "x * * * *", "*/0 * * * *"] {
            assert_eq!(Cron::parse(text), None, "{text}");
        }
    }
}
