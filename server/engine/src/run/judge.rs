//! One test: what is asked, what came back, whether that is what was expected.

use super::answer::{Actual, Ask, NoAnswer, Source, answer, as_rows, is_endpoint, pipe};
use super::parameters;
use crate::compile::{Around, Pairs};
use crate::suite::compare::{Comparison, Difference, Rules, compare};
use crate::suite::{Case, Check, Command, OutputFormat};
use crate::world::{Trouble, World};

/// What became of a test.
#[derive(Debug, Default)]
pub(super) struct Verdict {
    /// What differs, or why there is no answer.
    pub(super) failure: Option<String>,
    /// The same part by part, where an answer was compared.
    pub(super) difference: Option<Difference>,
    pub(super) notes: Vec<String>,
    pub(super) actual: Option<Actual>,
    /// The engine's process is gone, and all tables with it.
    pub(super) lost: bool,
}

impl Verdict {
    pub(super) fn failed(why: impl Into<String>) -> Self {
        Self { failure: Some(why.into()), ..Self::default() }
    }

    pub(super) fn trouble(before: &str, trouble: &Trouble) -> Self {
        let lost = matches!(trouble, Trouble::Lost(_));
        Self { lost, ..Self::failed(format!("{before}{trouble}")) }
    }

    /// Compares rows; says what differs.
    fn rows(&mut self, actual: &Actual, expected: &str, rules: Rules) -> Option<String> {
        match compare(expected, &actual.body, &actual.order, rules) {
            Comparison::Equal => None,
            Comparison::OtherOrder => {
                self.notes.push(
                    "the rows came in another order, which the query leaves open; an ORDER BY would settle it"
                        .to_owned(),
                );
                None
            }
            Comparison::Different(difference) => {
                let text = difference.to_string();
                self.difference = Some(difference);
                Some(text)
            }
        }
    }

    fn no_answer(none: NoAnswer) -> Self {
        match none {
            NoAnswer::Fault(why) => Self::failed(why),
            NoAnswer::Lost(why) => Self { lost: true, ..Self::failed(why) },
        }
    }
}

pub(super) fn judge(world: &mut World<'_>, case: &Case, exact: bool) -> Verdict {
    let rules = Rules { exact: exact || case.rules.exact, ..case.rules };
    match &case.check {
        Check::Request { pipe: name, parameters, expected, status } => {
            let Some(file) = world.compiler().pipe(name) else {
                return Verdict::failed(no_pipe(name));
            };
            let ask = Ask { pipe: file, name, pairs: parameters, query: None, format: OutputFormat::Ndjson };
            let mut verdict = match pipe(world, &ask) {
                Ok(actual) => request(actual, expected.as_deref(), *status, rules),
                Err(none) => Verdict::no_answer(none),
            };
            if !is_endpoint(world, file) {
                verdict.notes.push(format!("`{name}` is no endpoint: its typed or last node was run"));
            }
            verdict
        }
        Check::Nothing { sql, pipe, max_time, max_bytes } => {
            let limits = (*max_time, *max_bytes);
            nothing(world, sql.as_deref(), pipe.as_ref().map(|(name, pairs)| (name.as_str(), pairs)), limits)
        }
        Check::Output { commands, expected } => output(world, commands, expected.as_deref(), rules),
    }
}

fn no_pipe(name: &str) -> String {
    format!(
        "the project has no pipe `{name}`: name the test file after a pipe, or add `pipe: NAME` to the test"
    )
}

fn request(actual: Actual, expected: Option<&str>, status: Option<u16>, rules: Rules) -> Verdict {
    let mut verdict = Verdict::default();
    let is_error = actual.status >= 400;
    verdict.failure = if let Some(expected) = expected {
        match status {
            Some(status) if status != actual.status && (is_error || status >= 400) => {
                Some(format!("expected status {status}, got {}: {}", actual.status, shown(&actual.body)))
            }
            None if is_error => Some(format!(
                "the answer is an error with status {}: {}\nif that is right, add `expected_http_status: {}`",
                actual.status,
                shown(&actual.body),
                actual.status
            )),
            _ if is_error => error(&actual, expected, rules, &mut verdict.notes),
            _ => verdict.rows(&actual, expected, rules),
        }
    } else {
        Some("the test has no `expected_result`: write it, or let --update do it".to_owned())
    };
    verdict.actual = Some(actual);
    verdict
}

/// Texts of errors are equal, or say the same thing of the same names where they are not the project's own.
fn error(actual: &Actual, expected: &str, rules: Rules, notes: &mut Vec<String>) -> Option<String> {
    let plain = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    let expected = expected.trim();
    // Some files hold the whole object.
    let inner =
        crate::json::Json::parse(expected).ok().and_then(|j| Some(j.get("error")?.text()?.into_owned()));
    let expected = inner.as_deref().unwrap_or(expected);
    if plain(expected) == plain(&actual.body) {
        return None;
    }
    if let (false, Source::Platform(words)) = (rules.exact, &actual.source)
        && !words.is_empty()
        && words.iter().all(|any| any.iter().any(|word| expected.contains(word.as_str())))
    {
        notes.push(format!("the error is the same in other words: {}", shown(&actual.body)));
        return None;
    }
    Some(format!("expected error: {}\n     got error: {}", shown(expected), shown(&actual.body)))
}

fn shown(text: &str) -> String {
    const LENGTH: usize = 2_000;
    let text = text.trim_end();
    match text.char_indices().nth(LENGTH) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text.to_owned(),
    }
}

/// Rows of a query that should find none that are looked at and shown (specification §16.2).
const LOOKED_AT: usize = 20;

fn nothing(
    world: &mut World<'_>,
    sql: Option<&str>,
    pipe: Option<(&str, &Pairs)>,
    limits: (Option<f64>, Option<u64>),
) -> Verdict {
    let found = match pipe {
        Some((name, pairs)) => match world.compiler().pipe(name) {
            Some(file) => Some((name, file, pairs)),
            None => return Verdict::failed(no_pipe(name)),
        },
        None => None,
    };
    let none = Vec::new();
    let pairs = found.map_or(&none, |(_, _, pairs)| pairs);
    let values = parameters(pairs);
    let made = match (sql, found) {
        (Some(sql), Some((name, file, _))) => {
            let aliases = [("_", file), (name, file)];
            world.compiler().query(sql, Around { pipe: Some(file), aliases: &aliases }, &values)
        }
        (Some(sql), None) => world.compiler().query(sql, Around::default(), &values),
        (None, Some((_, file, _))) => world.compiler().pipe_query(file, &values),
        (None, None) => return Verdict::failed("the test has neither `sql` nor `pipe`"),
    };
    let made = made.map(|mut statement| {
        statement.sql = format!("SELECT * FROM (\n{}\n) LIMIT {LOOKED_AT}", statement.sql);
        statement
    });
    let actual = match answer(world, made.map_err(|error| (error, pairs)), OutputFormat::Ndjson, &[]) {
        Ok(actual) => actual,
        Err(none) => return Verdict::no_answer(none),
    };
    let mut verdict = Verdict::default();
    if actual.status >= 400 {
        verdict.failure = Some(shown(&actual.body));
        return verdict;
    }
    let count = actual.body.lines().count();
    if count > 0 {
        let more = if count == LOOKED_AT { "at least " } else { "" };
        let rows = if count == 1 { "row" } else { "rows" };
        verdict.failure =
            Some(format!("expected no rows, got {more}{count} {rows}:\n{}", shown(&actual.body)));
    }
    let (seconds, bytes) = actual.cost;
    if limits.0.is_some_and(|most| seconds > most) {
        verdict.notes.push(format!("it took {seconds:.3} s, more than max_time"));
    }
    if limits.1.is_some_and(|most| bytes > most) {
        verdict.notes.push(format!("it read {bytes} bytes, more than max_bytes_read"));
    }
    verdict
}

fn output(world: &mut World<'_>, commands: &[Command], expected: Option<&str>, rules: Rules) -> Verdict {
    let mut verdict = Verdict::default();
    let none = Vec::new();
    let mut printed = String::new();
    let mut last = None;
    for command in commands {
        let got = match command {
            Command::Data { pipe: name, parameters, query, format } => {
                let Some(file) = world.compiler().pipe(name) else { return Verdict::failed(no_pipe(name)) };
                let ask =
                    Ask { pipe: file, name, pairs: parameters, query: query.as_deref(), format: *format };
                pipe(world, &ask)
            }
            Command::Sql { sql, limit, format } => {
                let made = world.compiler().query(sql, Around::default(), &parameters(&[]));
                let made = made.map(|mut statement| {
                    statement.sql = format!("SELECT * FROM (\n{}\n) LIMIT {limit}", statement.sql);
                    statement
                });
                answer(world, made.map_err(|error| (error, &none)), *format, &[])
            }
        };
        match got {
            Ok(actual) => {
                printed.push_str(&actual.body);
                if actual.status >= 400 && !actual.body.ends_with('\n') {
                    printed.push('\n');
                }
                last = Some(actual);
            }
            Err(none) => return Verdict::no_answer(none),
        }
    }
    let Some(last) = last else { return Verdict::failed("there is no command") };
    let actual = Actual { body: printed, ..last };
    verdict.failure = match expected {
        None => {
            Some("there is no file of that name with `.result` behind it: let --update write it".to_owned())
        }
        Some(expected) => printed_rows(&mut verdict, &actual, expected, commands, rules),
    };
    verdict.actual = Some(actual);
    verdict
}

/// One command's output is compared as rows, that of several as text.
fn printed_rows(
    verdict: &mut Verdict,
    actual: &Actual,
    expected: &str,
    commands: &[Command],
    rules: Rules,
) -> Option<String> {
    if let ([command], true, false) = (commands, actual.status < 400, rules.exact)
        && let (Some(a), Some(b)) =
            (as_rows(command.format(), expected), as_rows(command.format(), &actual.body))
    {
        let rows_of_it = Actual { body: b, ..actual.clone() };
        return verdict.rows(&rows_of_it, &a, rules);
    }
    verdict.rows(actual, expected, rules)
}
