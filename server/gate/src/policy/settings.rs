//! Which settings a query may have: `data/settings.txt`.

use std::sync::OnceLock;

use rustc_hash::FxHashMap;

/// The values that a setting may have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Range {
    /// On or off.
    Bool,
    /// From the first to the second.
    Number(i128, i128),
    /// One of these words, in any case.
    Words(Vec<&'static str>),
    /// A time zone.
    Zone,
}

impl Range {
    /// Whether `value` is in it: a number, `true`, or a text without its quotes.
    pub fn holds(&self, value: &str) -> bool {
        match self {
            Self::Bool => ["0", "1", "true", "false"].iter().any(|b| b.eq_ignore_ascii_case(value)),
            Self::Number(low, high) => {
                let number = match value {
                    "true" => Some(1),
                    "false" => Some(0),
                    text => text.parse::<i128>().ok(),
                };
                // Times may be fractions.
                let fraction = || value.parse::<f64>().ok().filter(|f| f.is_finite());
                number.is_some_and(|n| (*low..=*high).contains(&n))
                    || number.is_none()
                        && fraction().is_some_and(|f| f > 0.0 && f >= *low as f64 && f <= *high as f64)
            }
            Self::Words(words) => words.iter().any(|word| word.eq_ignore_ascii_case(value)),
            Self::Zone => headwater_catalog::time_zones().contains(&value),
        }
    }

    /// The same in words.
    pub fn describe(&self) -> String {
        match self {
            Self::Bool => "0 or 1".to_owned(),
            Self::Number(low, high) if low == high => format!("{low}"),
            Self::Number(low, high) => format!("a number from {low} to {high}"),
            Self::Words(words) => format!("one of {}", words.join(", ")),
            Self::Zone => "a time zone".to_owned(),
        }
    }
}

static TEXT: &str = include_str!("../../data/settings.txt");

fn lines() -> impl Iterator<Item = (&'static str, Range)> {
    TEXT.lines().filter(|line| !line.is_empty() && !line.starts_with(['#', '['])).filter_map(|line| {
        let (name, range) = line.split_once(' ')?;
        let range = match range {
            "bool" => Range::Bool,
            "zone" => Range::Zone,
            range => match (range.strip_prefix("one of "), range.split_once("..")) {
                (Some(words), _) => Range::Words(words.split_whitespace().collect()),
                (None, Some((low, high))) => Range::Number(low.parse().ok()?, high.parse().ok()?),
                (None, None) => return None,
            },
        };
        Some((name, range))
    })
}

/// The name that the engine knows a setting by, whatever it was called before.
fn canonical(name: &str) -> Option<&'static str> {
    let setting = headwater_catalog::setting(name)?;
    Some(setting.alias_for.unwrap_or(setting.name))
}

/// The values that a query may give a setting; `None` when it may not set it.
pub fn range(name: &str) -> Option<&'static Range> {
    static TABLE: OnceLock<FxHashMap<&'static str, Range>> = OnceLock::new();
    let table =
        TABLE.get_or_init(|| lines().filter_map(|(name, range)| Some((canonical(name)?, range))).collect());
    table.get(canonical(name)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_is_a_setting_and_stands_once() {
        let written = TEXT.lines().filter(|l| !l.is_empty() && !l.starts_with(['#', '['])).count();
        assert_eq!(lines().count(), written, "a line is not understood");
        let mut names = std::collections::HashSet::new();
        for (name, _) in lines() {
            let name = canonical(name).unwrap_or_else(|| panic!("the engine has no setting {name}"));
            assert!(names.insert(name), "{name} stands twice");
        }
    }

    #[test]
    fn values_are_held_to_ranges() {
        let threads = range("max_threads").expect("listed");
        assert!(threads.holds("8") && !threads.holds("0") && !threads.holds("65") && !threads.holds("x"));
        assert!(
            range("max_execution_time").expect("listed").holds("0.5")
                || !range("max_execution_time").expect("listed").holds("0")
        );
        assert!(range("session_timezone").expect("listed").holds("Europe/Vienna"));
        assert!(range("enable_analyzer").is_some_and(|r| r.holds("true") && !r.holds("0")));
        assert_eq!(range("additional_table_filters"), None);
        assert_eq!(range("format_schema"), None);
    }
}
