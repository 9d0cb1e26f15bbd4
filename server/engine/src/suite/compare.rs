//! Two answers compared by what they say.

use std::borrow::Cow;
use std::fmt;

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
    Different(Difference),
}

/// How an answer differs from what was expected. Its text is what a person reads.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Difference {
    /// What is to be said before the parts: another number of rows, another order.
    pub summary: Option<String>,
    /// What differs part by part, at most a dozen of them.
    pub parts: Vec<Part>,
    /// How many parts differ; more than there are in `parts` when there are many.
    pub count: usize,
    /// Parts are rows, else lines.
    pub is_rows: bool,
}

/// One row, or one line, that differs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// Which one, from 1.
    pub number: usize,
    /// As it was expected; `None` where there should be none.
    pub expected: Option<String>,
    /// As it came; `None` where there is none.
    pub actual: Option<String>,
    /// Where the two are about the same columns: those that differ.
    pub cells: Vec<Cell>,
}

/// A column of a row that differs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cell {
    /// The column.
    pub name: String,
    /// Its value as JSON; `None` where the column was not expected.
    pub expected: Option<String>,
    /// Its value as JSON; `None` where there is no such column.
    pub actual: Option<String>,
}

impl Difference {
    /// In a few words, for a place with little room: "2 rows differ".
    pub fn brief(&self) -> String {
        match (self.count, self.is_rows) {
            (0, _) => "line breaks differ".to_owned(),
            (1, true) => "1 row differs".to_owned(),
            (count, true) => format!("{count} rows differ"),
            (1, false) => "1 line differs".to_owned(),
            (count, false) => format!("{count} lines differ"),
        }
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut lines: Vec<String> = self.summary.iter().cloned().collect();
        for Part { number, expected, actual, cells } in &self.parts {
            if cells.is_empty() {
                let what = if self.is_rows { "row" } else { "line" };
                for (sign, text) in [('-', expected), ('+', actual)] {
                    lines.extend(text.iter().map(|text| format!("{what} {number}: {sign} {}", short(text))));
                }
                continue;
            }
            lines.push(format!("row {number}:"));
            lines.extend(cells.iter().map(|Cell { name, expected, actual }| match (expected, actual) {
                (Some(a), Some(b)) => format!("  {name}: expected {}, got {}", short(a), short(b)),
                (Some(a), None) => format!("  {name}: expected {}, got nothing", short(a)),
                (None, b) => {
                    format!("  {name}: not expected, got {}", short(b.as_deref().unwrap_or_default()))
                }
            }));
        }
        if self.count > self.parts.len() {
            lines.push("… and more".to_owned());
        }
        if lines.is_empty() {
            lines.push("they differ in line breaks at the end alone".to_owned());
        }
        f.write_str(&lines.join("\n"))
    }
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
    let summary = if is_permutation {
        Some("the rows are the same, in another order, and the query orders them".to_owned())
    } else if expected.len() != actual.len() {
        Some(format!("expected {}, got {}", count(expected.len()), count(actual.len())))
    } else {
        None
    };
    Comparison::Different(Difference { summary, ..rows_diff(expected, actual, &same) })
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
) -> Difference {
    let mut out = Difference { is_rows: true, ..Difference::default() };
    for n in 0..expected.len().max(actual.len()) {
        let (a, b) = (expected.get(n), actual.get(n));
        if matches!((a, b), (Some(a), Some(b)) if same(a, b)) {
            continue;
        }
        out.count += 1;
        if out.parts.len() == SHOWN {
            continue;
        }
        let raw = |row: &Json<'_>| row.raw().to_owned();
        let cells = match (a, b) {
            (Some(Json::Object(_, a)), Some(Json::Object(_, b))) if shares_keys(a, b) => cells(a, b, same),
            _ => Vec::new(),
        };
        out.parts.push(Part { number: n + 1, expected: a.map(raw), actual: b.map(raw), cells });
    }
    out
}

/// The columns of two rows that differ.
fn cells(a: &Fields<'_>, b: &Fields<'_>, same: &dyn Fn(&Json<'_>, &Json<'_>) -> bool) -> Vec<Cell> {
    let mut out = Vec::new();
    for (key, value) in a {
        let other = b.iter().find(|(k, _)| k == key).map(|(_, v)| v);
        if !other.is_some_and(|other| same(value, other)) {
            out.push(Cell {
                name: key.to_string(),
                expected: Some(value.raw().to_owned()),
                actual: other.map(|other| other.raw().to_owned()),
            });
        }
    }
    for (key, value) in b.iter().filter(|(key, _)| a.iter().all(|(k, _)| k != key)) {
        out.push(Cell { name: key.to_string(), expected: None, actual: Some(value.raw().to_owned()) });
    }
    out
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
fn lines_diff(expected: &str, actual: &str) -> Difference {
    let (a, b): (Vec<&str>, Vec<&str>) = (expected.lines().collect(), actual.lines().collect());
    let mut out = Difference::default();
    for n in 0..a.len().max(b.len()) {
        let (a, b) = (a.get(n), b.get(n));
        if a == b {
            continue;
        }
        out.count += 1;
        if out.parts.len() < SHOWN {
            let text = |line: &&str| (*line).to_owned();
            out.parts.push(Part {
                number: n + 1,
                expected: a.map(text),
                actual: b.map(text),
                cells: Vec::new(),
            });
        }
    }
    out
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
            let Comparison::Different(difference) = run(a, b, &order) else { panic!("it orders") };
            let text = difference.to_string();
            assert!(text.starts_with("the rows are the same, in another order"), "{text}");
        }
    }

    #[test]
    fn differences_are_shown_column_by_column() {
        let Comparison::Different(difference) = run(
            "{\"a\":1,\"b\":2}\n{\"a\":2}",
            "{\"a\":1,\"b\":3,\"c\":4}\n{\"x\":2}\n{\"a\":5}",
            &Order::None,
        ) else {
            panic!("they differ")
        };
        assert_eq!(difference.brief(), "3 rows differ");
        assert_eq!(
            difference.to_string(),
            "expected 2 rows, got 3 rows\nrow 1:\n  b: expected 2, got 3\n  c: not expected, got 4\nrow 2: - {\"a\":2}\nrow 2: + {\"x\":2}\nrow 3: + {\"a\":5}"
        );
    }
}
