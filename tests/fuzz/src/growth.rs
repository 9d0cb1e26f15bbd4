//! Time: twice the text must not take four times as long.
//!
//! A unit is repeated behind a prefix until a function takes long enough to be measured, then twice and four times as
//! often. Only what grows like a square in both steps, and again when measured again, is reported. What is measured is
//! the time the thread has worked, so that other processes do not matter much.

use std::time::Duration;

use fastrand::Rng;
use headwater_syntax::line::{lines, words};
use headwater_syntax::{Datafile, Dialect, FileKind, indexes, range, scan, schema, sql, template};

use crate::dictionary::{PIECES, PREFIXES, UNITS};

/// A function whose time should be linear, by name.
pub type Function = (&'static str, fn(&str));

/// Functions of the scanner target.
pub const SCANNER: &[Function] = &[
    ("line::words", |text| lines(text).for_each(|line| drop(words(text, line.range)))),
    ("scan::scan", |text| drop(scan::scan(text, FileKind::Pipe, Dialect::Forward))),
    ("scan::scan of Classic", |text| drop(scan::scan(text, FileKind::Datasource, Dialect::Classic))),
    ("Datafile", |text| {
        let file = Datafile::parse(text.into(), FileKind::Pipe, Dialect::Forward);
        for node in file.nodes() {
            std::hint::black_box((node.name(), node.node_type(), node.sql(), node.range()));
        }
        file.description();
    }),
];

/// Functions of the AST target.
pub const AST: &[Function] = &[
    ("schema::parse", |text| drop(schema::parse(text))),
    ("indexes::parse", |text| drop(indexes::parse(text))),
    ("template::parse", |text| drop(template::parse(text))),
    ("template::parameters", |text| drop(template::parameters(text, &template::parse(text)))),
    ("template::all_arms", |text| drop(headwater_template::all_arms(text, &template::parse(text)))),
    ("template::variants", |text| drop(headwater_template::variants(text, &template::parse(text)))),
    ("template::witness_at", |text| {
        let end = u32::try_from(text.len() / 2).unwrap_or_default();
        drop(headwater_template::witness_at(text, &template::parse(text), end.into()));
    }),
    ("expr::parse", |text| drop(template::expr::parse(text, range(0, text.len())))),
    ("sql::parse", |text| drop(sql::parse(text))),
    ("sql::table_references", |text| drop(sql::table_references(text))),
    ("sql::statements", |text| drop(sql::statements(text))),
    ("schema::split_arguments", |text| drop(schema::split_arguments(text))),
];

/// Long enough for the clock, short enough for a table of a thousand.
const MEASURABLE: Duration = Duration::from_millis(2);

/// Texts longer than this are not tried: what takes no time until here takes none.
const LONGEST: usize = 128 * 1024;

/// A square makes it 4, sorting makes it 2.2.
const TOO_MUCH: f64 = 3.1;

/// A unit whose repetition takes more than linear time.
#[derive(Debug, Clone, PartialEq)]
pub struct Growth {
    /// The function's name.
    pub function: &'static str,
    /// What stood before.
    pub prefix: String,
    /// What was repeated, with `@` for the number.
    pub unit: String,
    /// Bytes and seconds of three texts, each about twice as long as the one before.
    pub times: [(usize, f64); 3],
}

impl std::fmt::Display for Growth {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { function, prefix, unit, times } = self;
        write!(f, "{function} of {prefix:?} + {unit:?} * n:")?;
        for (bytes, seconds) in times {
            write!(f, " {} KB {:.0} ms", bytes / 1024, seconds * 1000.0)?;
        }
        Ok(())
    }
}

/// `prefix`, then `unit` as often as fits in `bytes`; `@` becomes the number of the repetition.
pub fn repeated(prefix: &str, unit: &str, bytes: usize) -> String {
    let mut text = prefix.to_owned();
    let numbered = unit.contains('@');
    for n in 0.. {
        if text.len() >= bytes || unit.is_empty() {
            break;
        }
        match numbered {
            true => text.push_str(&unit.replace('@', &n.to_string())),
            false => text.push_str(unit),
        }
    }
    text
}

/// Measures one function on one unit.
pub fn measure(function: Function, prefix: &str, unit: &str) -> Option<Growth> {
    judge(function.0, prefix, unit, |text| time(function.1, text))
}

/// [`measure`], with the clock given.
fn judge(
    function: &'static str,
    prefix: &str,
    unit: &str,
    mut time: impl FnMut(&str) -> Duration,
) -> Option<Growth> {
    let mut bytes = 2048;
    loop {
        let text = repeated(prefix, unit, bytes);
        if text.len() < bytes {
            return None;
        }
        if time(&text) >= MEASURABLE {
            break;
        }
        bytes *= 2;
        if bytes > LONGEST {
            return None;
        }
    }
    let mut found = None;
    for _ in 0..3 {
        let mut times = [(0, 0.0); 3];
        for n in 0..3 {
            let text = repeated(prefix, unit, bytes << n);
            let best = time(&text).min(time(&text)).as_secs_f64();
            if n > 0 && best / times[n - 1].1 < TOO_MUCH {
                return None;
            }
            times[n] = (text.len(), best);
        }
        found = Some(Growth { function, prefix: prefix.to_owned(), unit: unit.to_owned(), times });
    }
    found
}

/// Every unit behind every prefix, for each function. Calls `found` for each that grows too fast.
pub fn table(functions: &[Function], mut found: impl FnMut(Growth)) {
    for function in functions {
        for prefix in PREFIXES {
            for unit in UNITS {
                if let Some(growth) = measure(*function, prefix, unit) {
                    found(growth);
                }
            }
        }
    }
}

/// A unit that nobody thought of, behind some prefix.
pub fn random(rng: &mut Rng, functions: &[Function]) -> Option<Growth> {
    let function = functions[rng.usize(..functions.len())];
    let prefix = PREFIXES[rng.usize(..PREFIXES.len())];
    let mut unit = String::new();
    for _ in 0..rng.usize(1..5) {
        let from = if rng.bool() { PIECES } else { UNITS };
        unit.push_str(from[rng.usize(..from.len())]);
    }
    measure(function, prefix, &unit)
}

fn time(run: fn(&str), text: &str) -> Duration {
    let start = worked();
    run(text);
    worked().saturating_sub(start)
}

/// How long this thread has been at work.
#[cfg(unix)]
fn worked() -> Duration {
    let now = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    Duration::new(now.tv_sec.unsigned_abs(), u32::try_from(now.tv_nsec).unwrap_or(0))
}

/// How long this process has been at work, which is the best that the standard library has.
#[cfg(not(unix))]
fn worked() -> Duration {
    static START: std::sync::OnceLock<std::time::Instant> = std::sync::OnceLock::new();
    START.get_or_init(std::time::Instant::now).elapsed()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_are_numbered_and_repeated() {
        assert_eq!(repeated("%", "a@,", 8), "%a0,a1,a2,");
        assert_eq!(repeated("", "", 8), "");
    }

    #[test]
    fn a_square_is_seen_and_a_line_is_not() {
        let power = |n: u32| move |text: &str| Duration::from_nanos((text.len() as u64).pow(n));
        assert_eq!(judge("line", "", "a", power(1)), None);
        let square = judge("square", "", "a", power(2)).expect("it grows");
        assert_eq!(square.times.map(|(bytes, _)| bytes), [2048, 4096, 8192]);
        // Something else kept the machine busy the first time.
        let mut calls = 0;
        let busy = |text: &str| {
            calls += 1;
            Duration::from_nanos((text.len() as u64).pow(if calls < 8 { 2 } else { 1 }) * 1000)
        };
        assert_eq!(judge("busy", "", "a", busy), None);
    }
}
