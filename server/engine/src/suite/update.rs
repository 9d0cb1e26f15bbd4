//! New expectations in test files, and nothing else changed there: comments, order and spelling of the rest stay.

use std::ops::Range;

use crate::yaml::{self, Node, Value};

/// What a test should expect from now on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expectation {
    /// Which item of the file.
    pub index: usize,
    /// The body of the answer; the error's text when it is one.
    pub result: String,
    /// The status, when the answer is an error.
    pub status: Option<u16>,
}

/// The text of a test file with new expectations. `None` when it cannot be read any more, or an item is not there.
pub fn updated(text: &str, expectations: &[Expectation]) -> Option<String> {
    let root = yaml::parse(text).ok()??;
    let Value::List(items) = &root.value else { return None };
    let break_ = if text.contains("\r\n") { "\r\n" } else { "\n" };
    let mut edits: Vec<(Range<usize>, String)> = Vec::new();
    for expectation in expectations {
        let Value::Map(pairs) = &items.get(expectation.index)?.value else { return None };
        let indent = pairs.first()?.0.column;
        let find = |key: &str| pairs.iter().find(|(k, _)| k.text() == Some(key));
        let end = pairs.iter().map(|(key, value)| extent(text, key, value).end).max()?;
        let result = written(&expectation.result, indent, break_);
        let mut added = String::new();
        match find("expected_result") {
            Some((key, value)) => edits.push((extent(text, key, value), format!(" {result}"))),
            None => added += &format!("{break_}{}expected_result: {result}", " ".repeat(indent)),
        }
        match (find("expected_http_status"), expectation.status) {
            (Some((key, value)), Some(status)) => {
                edits.push((extent(text, key, value), format!(" {status}")));
            }
            (Some((key, value)), None) => {
                let start = text[..key.range.start].rfind('\n').map_or(0, |at| at + 1);
                let end = extent(text, key, value).end;
                let end = text[end..].find('\n').map_or(text.len(), |at| end + at + 1);
                // The first key of an item shares its line with the dash.
                if text[start..key.range.start].trim().is_empty() {
                    edits.push((start..end, String::new()));
                }
            }
            (None, Some(status)) => {
                added += &format!("{break_}{}expected_http_status: {status}", " ".repeat(indent));
            }
            (None, None) => {}
        }
        if !added.is_empty() {
            edits.push((end..end, added));
        }
    }
    edits.sort_by_key(|(range, _)| (range.start, range.end));
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    for (range, with) in edits {
        // What is taken out may hold a place where something is added.
        let start = range.start.max(at);
        out.push_str(text.get(at..start)?);
        out.push_str(&with);
        at = range.end.max(start);
    }
    out.push_str(text.get(at..)?);
    Some(out)
}

/// From behind a key's colon to the end of its value, line break not included.
fn extent(text: &str, key: &Node, value: &Node) -> Range<usize> {
    let colon = text[key.range.end..].find(':').map_or(key.range.end, |at| key.range.end + at + 1);
    if !is_block(text, value) {
        return colon..value.range.end.max(colon);
    }
    // A block goes on while lines are indented deeper than its key; blank lines at its end are not its own.
    let mut end = text[value.range.start..].find('\n').map_or(text.len(), |at| value.range.start + at);
    let mut at = end;
    while at < text.len() {
        let line_start = at + 1;
        let line_end = text[line_start..].find('\n').map_or(text.len(), |n| line_start + n);
        let line = &text[line_start.min(text.len())..line_end];
        let depth = line.chars().take_while(|c| *c == ' ').count();
        if !line.trim().is_empty() && depth <= key.column {
            break;
        }
        if !line.trim().is_empty() {
            end = line_start + line.trim_end_matches('\r').len();
        }
        at = line_end;
    }
    colon..end
}

fn is_block(text: &str, value: &Node) -> bool {
    matches!(value.value, Value::Scalar { is_plain: false, .. })
        && text[value.range.clone()].starts_with(['|', '>'])
}

/// A text as YAML: a block where it has lines, quotes where it must.
fn written(result: &str, indent: usize, break_: &str) -> String {
    let is_plain_block = !result.is_empty()
        && !result.starts_with([' ', '\n', '\t'])
        && result.chars().all(|c| c == '\n' || c == '\t' || !c.is_control())
        && !result.lines().any(|line| line.ends_with(' '))
        && !result.trim_end_matches('\n').is_empty();
    if result.is_empty() {
        return "''".to_owned();
    }
    if !is_plain_block {
        return crate::json::quote(result);
    }
    if !result.contains('\n') {
        return format!("'{}'", result.replace('\'', "''"));
    }
    let body = result.trim_end_matches('\n');
    let chomp = match result.len() - body.len() {
        0 => "-",
        1 => "",
        _ => return crate::json::quote(result),
    };
    let pad = " ".repeat(indent + 2);
    let lines: Vec<String> =
        body.lines().map(|l| if l.is_empty() { String::new() } else { format!("{pad}{l}") }).collect();
    format!("|{chomp}{break_}{}", lines.join(break_))
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::*;
    use crate::suite::{Check, read};

    #[test]
    fn only_expectations_change() {
        let text = "\
# what this is about

- name: a   # first
  expected_result: |
    {\"old\":1}

    {\"old\":2}
  # a comment between
  parameters: x=1

- name: b
  parameters: \"\"
  expected_result: 'old' # kept
  expected_http_status: 400

- name: c
  parameters: y=2
- {name: d}
";
        let new = [
            Expectation { index: 0, result: "{\"a\":1}\n{\"a\":2}\n".to_owned(), status: None },
            Expectation { index: 1, result: "".to_owned(), status: None },
            Expectation { index: 2, result: "it's wrong".to_owned(), status: Some(400) },
        ];
        let out = updated(text, &new).expect("a text");
        expect![[r#"
            # what this is about

            - name: a   # first
              expected_result: |
                {"a":1}
                {"a":2}
              # a comment between
              parameters: x=1

            - name: b
              parameters: ""
              expected_result: '' # kept

            - name: c
              parameters: y=2
              expected_result: 'it''s wrong'
              expected_http_status: 400
            - {name: d}
        "#]]
        .assert_eq(&out);
        assert_eq!(updated(&out, &new[..1]).as_deref(), Some(out.as_str()));
    }

    #[test]
    fn what_is_written_is_read_back() {
        for result in
            ["", "a", "{\"a\":1}\n", "a\nb", " a\n", "a \nb\n", "\u{1}", "a\n\n", "é: 'x'\n# no\n", "\n"]
        {
            let text = "- name: a\n  parameters: ''\n  expected_result: old\n# end\n";
            let new = Expectation { index: 0, result: result.to_owned(), status: None };
            let out = updated(text, &[new]).expect("a text");
            let case = read("tests/a.yaml".into(), &out, None).remove(0).expect("a case");
            let Check::Request { expected, .. } = case.check else { panic!("a request") };
            assert_eq!(expected.as_deref(), Some(result), "{out}");
            assert!(out.ends_with("# end\n"), "{out}");
        }
    }
}
