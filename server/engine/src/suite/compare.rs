//! Two answers compared by what they say.

use std::borrow::Cow;

use crate::json::Json;

/// How answers are compared.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rules {
    /// Text for text.
    pub exact: bool,
    /// How far apart two numbers may be, as a part of the larger one. Whole numbers are equal or not.
    pub tolerance: f64,
}

impl Default for Rules {
    /// By value; numbers within a billionth, since sums of floating-point numbers depend on the order of rows.
    fn default() -> Self {
        Self { exact: false, tolerance: 1e-9 }
    }
}

/// What a query says of the order of its rows.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Order {
    /// Nothing.
    #[default]
    None,
    /// It orders by these columns of the answer: rows with equal values there come in any order.
    By(Vec<String>),
    /// It orders by something that is not in the answer.
    Some,
}

/// What came of a comparison.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Comparison {
    /// They say the same.
    Equal,
    /// They have the same rows in another order, which the query leaves open.
    OtherOrder,
    /// They differ; what a person needs to see.
    Different(String),
}

/// Differences that are shown.
const SHOWN: usize = 12;

/// Rows that are looked for one by one in another order.
const MAX_MATCHED: usize = 5_000;

/// Compares the body of an answer with what was expected: lines of JSON by value, anything else as text.
pub fn compare(expected: &str, actual: &str, order: &Order, rules: Rules) -> Comparison {
    if expected == actual {
        return Comparison::Equal;
    }
    if rules.exact {
        return Comparison::Different(lines_diff(expected, actual));
    }
    match (rows(expected), rows(actual)) {
        (Some(expected), Some(actual)) => compare_rows(&expected, &actual, order, rules),
        _ if words(expected) == words(actual) => Comparison::Equal,
        _ => Comparison::Different(lines_diff(expected, actual)),
    }
}

/// White space at the ends of texts and between lines says nothing.
fn words(text: &str) -> String {
    text.lines().map(str::trim_end).filter(|l| !l.is_empty()).collect::<Vec<_>>().join("\n")
}

fn rows(text: &str) -> Option<Vec<Json<'_>>> {
    text.lines().filter(|l| !l.trim().is_empty()).map(|l| Json::parse(l).ok()).collect()
}

/// Whether two values say the same.
pub fn equal(a: &Json<'_>, b: &Json<'_>, tolerance: f64) -> bool {
    match (a, b) {
        (Json::Number(a), Json::Number(b)) => equal_numbers(a, b, tolerance),
        (Json::Text(_), Json::Text(_)) => a.text() == b.text(),
        (Json::Array(_, a), Json::Array(_, b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| equal(a, b, tolerance))
        }
        (Json::Object(_, a), Json::Object(_, b)) => {
            a.len() == b.len()
                && a.iter().all(|(key, value)| {
                    let other = b.iter().find(|(k, _)| k == key);
                    other.is_some_and(|(_, other)| equal(value, other, tolerance))
                })
        }
        _ => a == b,
    }
}

/// Whether two numbers are equal: `1`, `1.0` and `1e0` are.
pub fn equal_numbers(a: &str, b: &str, tolerance: f64) -> bool {
    if a == b {
        return true;
    }
    let is_whole = |text: &str| text.bytes().all(|b| b.is_ascii_digit() || b == b'-');
    if is_whole(a) && is_whole(b) {
        let value = |text: &str| {
            let digits = text.trim_start_matches('-').trim_start_matches('0');
            (text.starts_with('-') && !digits.is_empty(), digits.to_owned())
        };
        return value(a) == value(b);
    }
    let (Ok(a), Ok(b)) = (a.parse::<f64>(), b.parse::<f64>()) else { return false };
    a == b || (a - b).abs() <= tolerance * a.abs().max(b.abs())
}

fn compare_rows(expected: &[Json<'_>], actual: &[Json<'_>], order: &Order, rules: Rules) -> Comparison {
    let same = |a: &Json<'_>, b: &Json<'_>| equal(a, b, rules.tolerance);
    if expected.len() == actual.len() && expected.iter().zip(actual).all(|(a, b)| same(a, b)) {
        return Comparison::Equal;
    }
    let is_permutation = expected.len() == actual.len() && is_permutation(expected, actual, &same);
    if is_permutation {
        let keeps_keys = |columns: &[String]| {
            expected.iter().zip(actual).all(|(a, b)| {
                columns.iter().all(|c| match (a.get(c), b.get(c)) {
                    (Some(a), Some(b)) => same(a, b),
                    _ => false,
                })
            })
        };
        let is_open = match order {
            Order::None => true,
            Order::By(columns) => keeps_keys(columns),
            Order::Some => false,
        };
        if is_open {
            return Comparison::OtherOrder;
        }
    }
    let mut out = String::new();
    if is_permutation {
        out.push_str("the rows are the same, in another order, and the query orders them\n");
    } else if expected.len() != actual.len() {
        out.push_str(&format!("expected {}, got {}\n", count(expected.len()), count(actual.len())));
    }
    rows_diff(expected, actual, &same, &mut out);
    Comparison::Different(out.trim_end().to_owned())
}

fn count(rows: usize) -> String {
    if rows == 1 { "1 row".to_owned() } else { format!("{rows} rows") }
}

fn is_permutation(
    expected: &[Json<'_>],
    actual: &[Json<'_>],
    same: &dyn Fn(&Json<'_>, &Json<'_>) -> bool,
) -> bool {
    if expected.len() > MAX_MATCHED {
        let sorted = |rows: &[Json<'_>]| {
            let mut texts: Vec<String> = rows.iter().map(|r| r.raw().to_owned()).collect();
            texts.sort_unstable();
            texts
        };
        return sorted(expected) == sorted(actual);
    }
    let mut taken = vec![false; actual.len()];
    expected.iter().all(|row| {
        let found = (0..actual.len()).find(|n| !taken[*n] && same(row, &actual[*n]));
        found.inspect(|n| taken[*n] = true).is_some()
    })
}

/// Rows that have no equal: side by side where they stand at the same place and have the same columns.
fn rows_diff(
    expected: &[Json<'_>],
    actual: &[Json<'_>],
    same: &dyn Fn(&Json<'_>, &Json<'_>) -> bool,
    out: &mut String,
) {
    let mut shown = 0;
    for n in 0..expected.len().max(actual.len()) {
        let pair = (expected.get(n), actual.get(n));
        if matches!(pair, (Some(a), Some(b)) if same(a, b)) {
            continue;
        }
        if shown == SHOWN {
            out.push_str("… and more\n");
            return;
        }
        shown += 1;
        match pair {
            (Some(Json::Object(_, a)), Some(Json::Object(_, b))) if shares_keys(a, b) => {
                out.push_str(&format!("row {}:\n", n + 1));
                for (key, value) in a {
                    match b.iter().find(|(k, _)| k == key).map(|(_, v)| v) {
                        Some(other) if same(value, other) => {}
                        Some(other) => out.push_str(&format!(
                            "  {key}: expected {}, got {}\n",
                            short(value.raw()),
                            short(other.raw())
                        )),
                        None => {
                            out.push_str(&format!("  {key}: expected {}, got nothing\n", short(value.raw())));
                        }
                    }
                }
                for (key, value) in b.iter().filter(|(key, _)| a.iter().all(|(k, _)| k != key)) {
                    out.push_str(&format!("  {key}: not expected, got {}\n", short(value.raw())));
                }
            }
            (a, b) => {
                if let Some(a) = a {
                    out.push_str(&format!("row {}: - {}\n", n + 1, short(a.raw())));
                }
                if let Some(b) = b {
                    out.push_str(&format!("row {}: + {}\n", n + 1, short(b.raw())));
                }
            }
        }
    }
}

type Fields<'t> = [(Cow<'t, str>, Json<'t>)];

/// Whether two rows are about the same columns, half of them at least.
fn shares_keys(a: &Fields<'_>, b: &Fields<'_>) -> bool {
    let shared = a.iter().filter(|(key, _)| b.iter().any(|(k, _)| k == key)).count();
    shared > 0 && shared * 2 >= a.len().max(b.len())
}

fn short(text: &str) -> Cow<'_, str> {
    const LENGTH: usize = 400;
    match text.char_indices().nth(LENGTH) {
        Some((at, _)) => Cow::Owned(format!("{}…", &text[..at])),
        None => Cow::Borrowed(text),
    }
}

/// Lines that differ.
fn lines_diff(expected: &str, actual: &str) -> String {
    let (a, b): (Vec<&str>, Vec<&str>) = (expected.lines().collect(), actual.lines().collect());
    let mut out = String::new();
    let mut shown = 0;
    for n in 0..a.len().max(b.len()) {
        if a.get(n) == b.get(n) {
            continue;
        }
        if shown == SHOWN {
            out.push_str("… and more\n");
            break;
        }
        shown += 1;
        for (sign, line) in [('-', a.get(n)), ('+', b.get(n))] {
            if let Some(line) = line {
                out.push_str(&format!("line {}: {sign} {}\n", n + 1, short(line)));
            }
        }
    }
    if out.is_empty() {
        out.push_str("they differ in line breaks at the end alone\n");
    }
    out.trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn by(columns: &[&str]) -> Order {
        Order::By(columns.iter().map(|c| (*c).to_owned()).collect())
    }

    fn run(expected: &str, actual: &str, order: &Order) -> Comparison {
        compare(expected, actual, order, Rules::default())
    }

    #[test]
    fn answers_are_equal_by_value() {
        for (a, b) in [
            ("{\"a\":1,\"b\":\"x\\/y\"}\n", "{\"b\":\"x/y\",\"a\":1.0}"),
            ("{\"a\":0.1}", "{\"a\":0.10000000000000001}"),
            ("{\"a\":[1e3,null]}\n\n", "{\"a\":[1000,null]}"),
            ("", "\n"),
            ("no such thing", "no such thing\n"),
        ] {
            assert_eq!(run(a, b, &Order::None), Comparison::Equal, "{a} {b}");
        }
        for (a, b) in [
            ("{\"a\":1}", "{\"a\":\"1\"}"),
            ("{\"a\":18446744073709551615}", "{\"a\":18446744073709551614}"),
            ("{\"a\":1}", "{\"a\":1,\"b\":2}"),
            ("{\"a\":1.001}", "{\"a\":1.002}"),
            ("{\"a\":1}", "{\"a\":1}\n{\"a\":1}"),
            ("{\"a\":null}", "{\"a\":0}"),
            ("one", "two"),
        ] {
            assert!(matches!(run(a, b, &Order::None), Comparison::Different(_)), "{a} {b}");
        }
        let exact = Rules { exact: true, ..Rules::default() };
        assert!(matches!(compare("{\"a\":1}", "{\"a\":1.0}", &Order::None, exact), Comparison::Different(_)));
        let loose = Rules { tolerance: 0.01, ..Rules::default() };
        assert_eq!(compare("{\"a\":1.001}", "{\"a\":1.002}", &Order::None, loose), Comparison::Equal);
    }

    #[test]
    fn order_counts_as_far_as_the_query_orders() {
        let (a, b) = ("{\"k\":1,\"v\":1}\n{\"k\":1,\"v\":2}\n", "{\"k\":1,\"v\":2}\n{\"k\":1,\"v\":1}\n");
        assert_eq!(run(a, b, &Order::None), Comparison::OtherOrder);
        assert_eq!(run(a, b, &by(&["k"])), Comparison::OtherOrder);
        for order in [by(&["v"]), Order::Some] {
            let Comparison::Different(text) = run(a, b, &order) else { panic!("it orders") };
            assert!(text.starts_with("the rows are the same, in another order"), "{text}");
        }
    }

    #[test]
    fn differences_are_shown_column_by_column() {
        let Comparison::Different(text) = run(
            "{\"a\":1,\"b\":2}\n{\"a\":2}",
            "{\"a\":1,\"b\":3,\"c\":4}\n{\"x\":2}\n{\"a\":5}",
            &Order::None,
        ) else {
            panic!("they differ")
        };
        assert_eq!(
            text,
            "expected 2 rows, got 3 rows\nrow 1:\n  b: expected 2, got 3\n  c: not expected, got 4\nrow 2: - {\"a\":2}\nrow 2: + {\"x\":2}\nrow 3: + {\"a\":5}"
        );
    }
}
