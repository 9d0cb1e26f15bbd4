//! Workflow commands of GitHub Actions: `::error file=…,line=…::message`.

use headwater_analysis::Severity;

use crate::check::{Report, Summary};
use crate::lines::Lines;

pub(crate) fn github(reports: &[Report], summary: &Summary) -> String {
    let mut out = String::new();
    for report in reports {
        let lines = Lines::new(&report.text);
        for finding in &report.findings {
            let d = &finding.diagnostic;
            let command = match d.severity {
                Severity::Error => "error",
                Severity::Warning => "warning",
                Severity::Info | Severity::Hint | Severity::Off => "notice",
            };
            let ((line, column), (end_line, end_column)) =
                (lines.position(d.range.start()), lines.position(d.range.end()));
            // A column range over several lines is refused by the service.
            let columns = if line == end_line {
                format!(",col={},endColumn={}", column + 1, end_column.max(column + 1))
            } else {
                String::new()
            };
            out += &format!(
                "::{command} file={},line={},endLine={}{columns},title={}::{}\n",
                property(&report.path),
                line + 1,
                end_line + 1,
                property(d.code.name),
                data(&d.message),
            );
        }
    }
    out + &format!("{} errors, {} warnings in {} files\n", summary.errors, summary.warnings, summary.files)
}

fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    #[test]
    fn separators_are_escaped() {
        assert_eq!(super::property("a,b:c%\n"), "a%2Cb%3Ac%25%0A");
    }
}
