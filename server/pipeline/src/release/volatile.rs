//! Expressions that give another value at each run, made to give the one of the moment when a row was accepted.
//!
//! A record keeps when it was accepted and a random number. Every row has its own place. So the same record gives the same
//! values whenever and however often it becomes rows: the clock's from the first, those of chance from all three.

use headwater_syntax::sql;
use headwater_syntax::sql::ast::{self, AstNode, FunctionCall};

/// The hidden column of a block with the moment of acceptance, in milliseconds since 1970.
pub(crate) const AT: &str = "__headwater_at";
/// The hidden column of a block with the record's random number.
pub(crate) const SEED: &str = "__headwater_seed";
/// The hidden column with a row's place: the record's position and the row's in it.
pub(crate) const POSITION: &str = "__headwater_position";

/// How many bits of a place are the row's in its record.
pub(crate) const ROW_BITS: u32 = 24;

/// An expression whose value is the row's, when it was not before.
///
/// # Errors
/// The name of a function whose values cannot be kept.
pub(crate) fn fixed(expression: &str) -> Result<Option<String>, String> {
    const SELECT: &str = "SELECT (";
    let text = format!("{SELECT}{expression})");
    let Some(tree) = sql::parse(&text) else { return Ok(None) };
    let mut edits: Vec<(std::ops::Range<usize>, String)> = Vec::new();
    for (nth, call) in ast::descendants::<FunctionCall<'_>>(tree.root_node()).enumerate() {
        let Some(name) = call.plain_name(&text) else { continue };
        let arguments: Vec<&str> = call.values().map(|value| value.text(&text)).collect();
        if let Some(value) = value(&name.value, &arguments, nth) {
            edits.push((call.range().into(), value));
        } else if is_volatile(&name.value) {
            return Err(name.value);
        }
    }
    if edits.is_empty() {
        return Ok(None);
    }
    // From the end; a call inside of another's arguments goes with that one.
    edits.sort_by_key(|(range, _)| std::cmp::Reverse((range.start, range.end)));
    let mut out = text;
    for n in 0..edits.len() {
        let (range, with) = &edits[n];
        let is_inside = edits
            .iter()
            .any(|(other, _)| other != range && other.start <= range.start && range.end <= other.end);
        if !is_inside {
            out.replace_range(range.clone(), with);
        }
    }
    Ok(Some(out[SELECT.len()..out.len() - 1].to_owned()))
}

/// Whether a function gives another value at each run.
pub(crate) fn is_volatile(name: &str) -> bool {
    const ASK: [&str; 14] = [
        "now",
        "nowinblock",
        "now64",
        "nowinblock64",
        "today",
        "curdate",
        "current_date",
        "yesterday",
        "current_timestamp",
        "localtimestamp",
        "utctimestamp",
        "utc_timestamp",
        "rand",
        "rand64",
    ];
    let lower = name.to_ascii_lowercase();
    ASK.contains(&lower.as_str())
        || ["dictget", "dicthas", "joinget"].iter().any(|start| lower.starts_with(start))
        || headwater_catalog::find(name).is_some_and(|function| function.is_deterministic() == Some(false))
}

fn value(name: &str, arguments: &[&str], nth: usize) -> Option<String> {
    let at = format!("fromUnixTimestamp64Milli({AT}, 'UTC')");
    let chance = format!("{SEED}, {POSITION}, {nth}");
    Some(match (name.to_ascii_lowercase().as_str(), arguments) {
        (
            "now" | "nowinblock" | "current_timestamp" | "localtimestamp" | "utctimestamp" | "utc_timestamp",
            [],
        ) => {
            format!("toDateTime({at})")
        }
        ("now" | "nowinblock", [zone]) => format!("toDateTime({at}, {zone})"),
        ("now64" | "nowinblock64", []) => format!("toDateTime64({at}, 3)"),
        ("now64" | "nowinblock64", [scale]) => format!("toDateTime64({at}, {scale})"),
        ("now64" | "nowinblock64", [scale, zone]) => format!("toDateTime64({at}, {scale}, {zone})"),
        ("today" | "curdate" | "current_date", []) => format!("toDate({at})"),
        ("yesterday", []) => format!("(toDate({at}) - 1)"),
        ("rand" | "rand32", _) => format!("toUInt32(bitAnd(sipHash64({chance}), 4294967295))"),
        ("rand64", _) => format!("sipHash64({chance})"),
        ("randcanonical", _) => format!("(bitShiftRight(sipHash64({chance}), 11) / 9007199254740992)"),
        ("generateuuidv4", _) => uuid(&format!("lower(hex(sipHash128({chance})))"), '4'),
        ("generateuuidv7", _) => uuid(
            &format!(
                "concat(leftPad(lower(hex({AT})), 12, '0'), substring(lower(hex(sipHash128({chance}))), 1, 20))"
            ),
            '7',
        ),
        _ => return None,
    })
}

/// A UUID of 32 digits, with the marks of its version.
fn uuid(digits: &str, version: char) -> String {
    format!(
        "arrayMap(h -> toUUID(concat(substring(h, 1, 8), '-', substring(h, 9, 4), '-{version}', substring(h, 14, 3), \
         '-a', substring(h, 18, 3), '-', substring(h, 21, 12))), [{digits}])[1]"
    )
}

#[cfg(test)]
mod tests {
    use super::{fixed, is_volatile};

    #[test]
    fn what_asks_for_time_or_chance_asks_the_row() {
        let now = "toDateTime(fromUnixTimestamp64Milli(__headwater_at, 'UTC'))";
        assert_eq!(fixed("now()"), Ok(Some(now.to_owned())));
        assert_eq!(fixed("toStartOfHour(now()) - a"), Ok(Some(format!("toStartOfHour({now}) - a"))));
        assert_eq!(fixed("lower(name)"), Ok(None));
        assert_eq!(fixed("'now()'"), Ok(None));
        let two = fixed("rand64() + rand64()").expect("kept").expect("changed");
        assert!(
            two.contains("__headwater_position, 0)") && two.contains("__headwater_position, 1)"),
            "{two}"
        );
        assert!(fixed("generateUUIDv4()").expect("kept").expect("changed").contains("'-4'"));
        assert_eq!(fixed("randomString(3)"), Err("randomString".to_owned()));
    }

    #[test]
    fn looking_things_up_is_volatile() {
        for name in ["now", "RAND", "dictGetOrDefault", "joinGet", "generateUUIDv4", "randomString"] {
            assert!(is_volatile(name), "{name}");
        }
        for name in ["lower", "sum", "uniqState", "toStartOfHour"] {
            assert!(!is_volatile(name), "{name}");
        }
    }
}
