//! What a run of tests says.

use std::fmt::Write as _;

use camino::Utf8PathBuf;
use headwater_engine::run::{Outcome, Status};
use serde_json::json;

use super::Suite;
use crate::args::TestFormat;

/// Failures and notes, or a machine's format. `updated` are tests that have a new expectation.
pub(super) fn render(
    format: TestFormat,
    suite: &Suite,
    outcomes: &[Outcome],
    updated: &[(Utf8PathBuf, usize)],
) -> String {
    match format {
        TestFormat::Human => human(suite, outcomes, updated),
        TestFormat::Json => to_json(outcomes, updated),
        TestFormat::Junit => junit(outcomes),
    }
}

struct Counts {
    passed: usize,
    failed: usize,
    skipped: usize,
}

fn counts(outcomes: &[Outcome]) -> Counts {
    let of = |status| outcomes.iter().filter(|o| o.status == status).count();
    Counts { passed: of(Status::Passed), failed: of(Status::Failed), skipped: of(Status::Skipped) }
}

fn is_updated(outcome: &Outcome, updated: &[(Utf8PathBuf, usize)]) -> bool {
    updated.iter().any(|(path, index)| *path == outcome.path && *index == outcome.index)
}

fn human(suite: &Suite, outcomes: &[Outcome], updated: &[(Utf8PathBuf, usize)]) -> String {
    let mut out = String::new();
    for outcome in outcomes {
        let place = format!("{}:{}", outcome.path, outcome.line);
        match outcome.status {
            Status::Failed if is_updated(outcome, updated) => {
                let _ = writeln!(out, "updated  {} ({place})", outcome.name);
            }
            Status::Failed => {
                let _ = writeln!(out, "FAILED   {} ({place})", outcome.name);
                indented(&outcome.detail, &mut out);
            }
            Status::Skipped => {
                let _ = writeln!(out, "skipped  {} ({place}): {}", outcome.name, outcome.detail);
            }
            Status::Passed => {}
        }
        for note in &outcome.notes {
            let _ = writeln!(out, "note     {} ({place}): {note}", outcome.name);
        }
    }
    if outcomes.is_empty() {
        let _ = writeln!(out, "no tests: {}/tests holds none, or none is meant", suite.root);
        return out;
    }
    let counts = counts(outcomes);
    let failed = counts.failed - updated.len();
    let mut parts = vec![format!("{} passed", counts.passed)];
    for (count, what) in [(failed, "failed"), (updated.len(), "updated"), (counts.skipped, "skipped")] {
        if count > 0 || what == "failed" {
            parts.push(format!("{count} {what}"));
        }
    }
    let _ = writeln!(out, "{}", parts.join(", "));
    out
}

fn indented(text: &str, out: &mut String) {
    for line in text.lines() {
        let _ = writeln!(out, "    {line}");
    }
}

fn to_json(outcomes: &[Outcome], updated: &[(Utf8PathBuf, usize)]) -> String {
    let cases: Vec<_> = outcomes
        .iter()
        .map(|o| {
            json!({
                "pipe": o.pipe,
                "name": o.name,
                "status": o.status.name(),
                "detail": o.detail,
                "path": o.path.as_str(),
                "line": o.line.saturating_sub(1),
                "notes": o.notes,
                "seconds": (o.elapsed.as_secs_f64() * 1e6).round() / 1e6,
                "updated": is_updated(o, updated),
            })
        })
        .collect();
    let counts = counts(outcomes);
    let summary = json!({ "passed": counts.passed, "failed": counts.failed, "skipped": counts.skipped, "updated": updated.len() });
    format!("{}\n", json!({ "cases": cases, "summary": summary }))
}

/// The format that continuous-integration services read: a suite for each file.
fn junit(outcomes: &[Outcome]) -> String {
    let mut out = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    let all = counts(outcomes);
    let seconds = |outcomes: &[&Outcome]| outcomes.iter().map(|o| o.elapsed.as_secs_f64()).sum::<f64>();
    let total = seconds(&outcomes.iter().collect::<Vec<_>>());
    let _ = writeln!(
        out,
        "<testsuites name=\"headwater\" tests=\"{}\" failures=\"{}\" skipped=\"{}\" time=\"{total:.3}\">",
        outcomes.len(),
        all.failed,
        all.skipped
    );
    let mut files: Vec<&Utf8PathBuf> = outcomes.iter().map(|o| &o.path).collect();
    files.sort();
    files.dedup();
    for file in files {
        let of_file: Vec<&Outcome> = outcomes.iter().filter(|o| o.path == *file).collect();
        let of = |status| of_file.iter().filter(|o| o.status == status).count();
        let _ = writeln!(
            out,
            "  <testsuite name=\"{}\" tests=\"{}\" failures=\"{}\" skipped=\"{}\" time=\"{:.3}\">",
            escaped(file.as_str()),
            of_file.len(),
            of(Status::Failed),
            of(Status::Skipped),
            seconds(&of_file)
        );
        for o in of_file {
            let _ = write!(
                out,
                "    <testcase classname=\"{}\" name=\"{}\" file=\"{}\" line=\"{}\" time=\"{:.3}\"",
                escaped(&o.pipe),
                escaped(&o.name),
                escaped(o.path.as_str()),
                o.line,
                o.elapsed.as_secs_f64()
            );
            let inner = match o.status {
                Status::Passed => String::new(),
                Status::Failed => {
                    let first = o.detail.lines().next().unwrap_or_default();
                    format!("<failure message=\"{}\">{}</failure>", escaped(first), escaped(&o.detail))
                }
                Status::Skipped => format!("<skipped message=\"{}\"/>", escaped(&o.detail)),
            };
            let notes = if o.notes.is_empty() {
                String::new()
            } else {
                format!("<system-out>{}</system-out>", escaped(&o.notes.join("\n")))
            };
            if inner.is_empty() && notes.is_empty() {
                out.push_str("/>\n");
            } else {
                let _ = writeln!(out, ">{inner}{notes}</testcase>");
            }
        }
        out.push_str("  </testsuite>\n");
    }
    out.push_str("</testsuites>\n");
    out
}

/// A text in XML. Control characters, which XML cannot hold, become spaces.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\n' => out.push_str("&#10;"),
            '\t' => out.push('\t'),
            c if c.is_control() => out.push(' '),
            c => out.push(c),
        }
    }
    out
}
