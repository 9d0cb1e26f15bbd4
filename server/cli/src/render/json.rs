//! The stable JSON form; see `docs/reference/cli.md`.

use serde_json::{Value, json};

use crate::check::{Finding, Report, Summary};
use crate::engine::Engine;
use crate::lines::Lines;

pub(crate) fn json(reports: &[Report], summary: &Summary) -> String {
    let diagnostics: Vec<Value> = reports
        .iter()
        .flat_map(|report| {
            let lines = Lines::new(&report.text);
            report.findings.iter().map(move |f| diagnostic(report, &lines, f)).collect::<Vec<_>>()
        })
        .collect();
    let value = json!({
        "diagnostics": diagnostics,
        "summary": {
            "projects": summary.projects,
            "files": summary.files,
            "errors": summary.errors,
            "warnings": summary.warnings,
            "infos": summary.infos,
            "hints": summary.hints,
            "engine": match summary.engine {
                Engine::Offline => "offline",
                Engine::Missing => "missing",
                Engine::Asked(_) => "asked",
            },
        },
    });
    format!("{value}\n")
}

fn diagnostic(report: &Report, lines: &Lines<'_>, finding: &Finding) -> Value {
    let d = &finding.diagnostic;
    let related: Vec<_> = finding
        .related
        .iter()
        .map(|r| {
            let range = Lines::new(&r.text).json_range(r.range);
            json!({ "path": r.path, "range": range, "message": r.message })
        })
        .collect();
    json!({
        "path": report.path,
        "range": lines.json_range(d.range),
        "severity": d.severity.name(),
        "code": d.code.name,
        "message": d.message,
        "related": related,
    })
}
