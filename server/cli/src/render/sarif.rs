//! SARIF 2.1.0, for code-scanning services.

use headwater_analysis::{ALL_CODES, Severity};
use serde_json::{Value, json};

use crate::check::Report;
use crate::lines::Lines;

pub(crate) fn sarif(reports: &[Report]) -> String {
    let rules: Vec<_> = ALL_CODES
        .iter()
        .map(|code| {
            json!({
                "id": code.name,
                "shortDescription": { "text": code.summary },
                "defaultConfiguration": { "level": level(code.severity) },
            })
        })
        .collect();
    let results: Vec<_> = reports.iter().flat_map(results).collect();
    let value = json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": {
                "name": "headwater",
                "version": env!("CARGO_PKG_VERSION"),
                "rules": rules,
            }},
            "columnKind": "utf16CodeUnits",
            "results": results,
        }],
    });
    format!("{value}\n")
}

fn results(report: &Report) -> Vec<Value> {
    let lines = Lines::new(&report.text);
    report
        .findings
        .iter()
        .map(|finding| {
            let d = &finding.diagnostic;
            let related: Vec<_> = finding
                .related
                .iter()
                .map(|r| {
                    let mut location = location(&r.path, &Lines::new(&r.text), r.range);
                    location["message"] = json!({ "text": r.message });
                    location
                })
                .collect();
            let mut result = json!({
                "ruleId": d.code.name,
                "ruleIndex": ALL_CODES.iter().position(|c| c.name == d.code.name),
                "level": level(d.severity),
                "message": { "text": d.message },
                "locations": [location(&report.path, &lines, d.range)],
            });
            if !related.is_empty() {
                result["relatedLocations"] = Value::Array(related);
            }
            result
        })
        .collect()
}

fn location(path: &str, lines: &Lines<'_>, range: headwater_analysis::TextRange) -> Value {
    let ((line, column), (end_line, end_column)) =
        (lines.position(range.start()), lines.position(range.end()));
    json!({
        "physicalLocation": {
            "artifactLocation": { "uri": uri(path) },
            "region": {
                "startLine": line + 1,
                "startColumn": column + 1,
                "endLine": end_line + 1,
                "endColumn": end_column + 1,
            },
        },
    })
}

/// A relative path as a URI reference.
fn uri(path: &str) -> String {
    let mut out = String::new();
    for byte in path.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'/' | b'-' | b'.' | b'_' | b'~' => {
                out.push(byte as char);
            }
            other => out += &format!("%{other:02X}"),
        }
    }
    out
}

fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Info | Severity::Hint => "note",
        Severity::Off => "none",
    }
}
