//! Source excerpts for people.

use annotate_snippets::renderer::DecorStyle;
use annotate_snippets::{AnnotationKind, Level, Renderer, Snippet};
use headwater_analysis::{Severity, TextRange};

use crate::check::{Finding, Report, Summary};
use crate::engine::Engine;

/// A line longer than this is not shown: excerpts of minified or binary text help nobody.
const MAX_LINE: usize = 400;

pub(crate) fn human(reports: &[Report], summary: &Summary) -> String {
    let colour = crate::terminal::is_coloured();
    let renderer = if colour { Renderer::styled() } else { Renderer::plain() };
    let renderer = renderer.decor_style(if colour { DecorStyle::Unicode } else { DecorStyle::Ascii });
    let mut out = String::new();
    for report in reports {
        for finding in &report.findings {
            out += &one(&renderer, report, finding);
            out += "\n\n";
        }
    }
    out + &footer(summary) + "\n"
}

fn one(renderer: &Renderer, report: &Report, finding: &Finding) -> String {
    let d = &finding.diagnostic;
    let level = match d.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
        Severity::Info => Level::INFO,
        Severity::Hint | Severity::Off => Level::HELP,
    };
    let title = level.primary_title(d.message.as_str()).id(d.code.name);
    let group = match excerpt(&report.text, d.range) {
        Some((source, line, span)) => title.element(
            Snippet::source(source)
                .path(report.path.as_str())
                .line_start(line)
                .annotation(AnnotationKind::Primary.span(span)),
        ),
        None => title.element(annotate_snippets::Origin::path(report.path.as_str())),
    };
    let notes: Vec<_> = finding
        .related
        .iter()
        .map(|r| {
            let (line, column) = crate::lines::Lines::new(&r.text).position(r.range.start());
            Level::NOTE.message(format!("{} ({}:{}:{})", r.message, r.path, line + 1, column + 1))
        })
        .collect();
    renderer.render(&[group.elements(notes)])
}

/// The lines around a range, the number of the first, and the range in them.
fn excerpt(text: &str, range: TextRange) -> Option<(&str, usize, std::ops::Range<usize>)> {
    let (start, end) = (usize::from(range.start()), usize::from(range.end()));
    if text.is_empty() || start > text.len() {
        return None;
    }
    let from = text[..start].rfind('\n').map_or(0, |n| n + 1);
    let to = text[end.min(text.len())..].find('\n').map_or(text.len(), |n| end + n);
    let line = text[..from].matches('\n').count() + 1;
    let source = &text[from..to];
    if source.lines().any(|l| l.len() > MAX_LINE) {
        return None;
    }
    Some((source, line, start - from..end - from))
}

fn footer(summary: &Summary) -> String {
    let count = |n: usize, word: &str| format!("{n} {word}{}", if n == 1 { "" } else { "s" });
    let scope = format!("{} in {}", count(summary.files, "file"), count(summary.projects, "project"));
    let scope = match summary.engine {
        Engine::Offline => scope,
        Engine::Missing => format!("{scope} without the engine (`headwater setup` installs it)"),
        Engine::Asked(n) => format!("{scope}, {} with the engine", count(n, "query text")),
    };
    if summary.errors + summary.warnings + summary.infos + summary.hints == 0 {
        return format!("Checked {scope}: nothing to report.");
    }
    let mut parts = vec![count(summary.errors, "error"), count(summary.warnings, "warning")];
    if summary.infos + summary.hints > 0 {
        parts.push(count(summary.infos + summary.hints, "remark"));
    }
    format!("Checked {scope}: {}.", parts.join(", "))
}
