//! What test files say.

use std::fmt;
use std::ops::Range;

use camino::{Utf8Path, Utf8PathBuf};

use super::commands::{Command, parse_commands};
use super::compare::Rules;
use crate::compile::{Clock, Pairs, form_text};
use crate::yaml::{self, Node, Value};

/// One test.
#[derive(Debug, Clone, PartialEq)]
pub struct Case {
    /// Its file, from the project's root.
    pub path: Utf8PathBuf,
    /// Its line there, from 1.
    pub line: usize,
    /// The bytes of its name there; of a nameless one, those of its first key.
    pub place: Range<usize>,
    /// All its bytes.
    pub extent: Range<usize>,
    /// Which item of the file it is.
    pub index: usize,
    /// What it is called.
    pub name: String,
    /// The pipe it is about, or the file's name when it is about none.
    pub subject: String,
    /// What is asked, and what must come of it.
    pub check: Check,
    /// How the answer is compared.
    pub rules: Rules,
    /// The clock of this case alone.
    pub clock: Option<Clock>,
    /// Rows of data sources for this case alone, instead of those of the project's samples.
    pub fixtures: Vec<CaseFixture>,
    /// Copies that run before the question, in order.
    pub copies: Vec<String>,
    /// Why it is not run.
    pub skip: Option<String>,
}

/// What a test asks, and what must come of it.
#[derive(Debug, Clone, PartialEq)]
pub enum Check {
    /// A request to a pipe.
    Request {
        /// The pipe.
        pipe: String,
        /// Decoded names and values.
        parameters: Pairs,
        /// The body, or the error's text; `None` when the file does not say.
        expected: Option<String>,
        /// The status of an answer that is an error.
        status: Option<u16>,
    },
    /// A query that must find no row.
    Nothing {
        /// The query; the pipe's whole answer when there is none.
        sql: Option<String>,
        /// The pipe that `_` stands for, with its request.
        pipe: Option<(String, Pairs)>,
        /// Seconds that it may take; more is told and no failure.
        max_time: Option<f64>,
        /// Bytes that it may read; more is told and no failure.
        max_bytes: Option<u64>,
    },
    /// Commands, and what they print.
    Output {
        /// The commands.
        commands: Vec<Command>,
        /// What they print; `None` when there is no such file.
        expected: Option<String>,
    },
}

/// Rows of a data source for one case.
#[derive(Debug, Clone, PartialEq)]
pub enum CaseFixture {
    /// Rows as lines of JSON.
    Rows {
        /// The data source.
        source: String,
        /// The lines.
        ndjson: String,
    },
    /// A file, from the project's root or from the test file.
    File {
        /// The data source.
        source: String,
        /// The file.
        path: Utf8PathBuf,
    },
}

/// What is wrong with a test file, or with one test of it: that counts as a failed test.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileError {
    /// The file, from the project's root.
    pub path: Utf8PathBuf,
    /// Line, from 1.
    pub line: usize,
    /// The test's name, where it has one.
    pub name: Option<String>,
    /// What is wrong and what to do.
    pub message: String,
}

impl fmt::Display for FileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.path, self.line, self.message)
    }
}

impl std::error::Error for FileError {}

/// Whether the file at a path (from the project's root) holds tests in YAML. `regression.yaml` is something else
/// (specification §16.2).
pub fn is_yaml_file(path: &Utf8Path) -> bool {
    path.starts_with("tests")
        && matches!(path.extension(), Some("yaml" | "yml"))
        && path
            .file_name()
            .is_some_and(|n| !n.starts_with('.') && n != "regression.yaml" && n != "regression.yml")
}

/// Whether the file at a path holds command lines.
pub fn is_command_file(path: &Utf8Path) -> bool {
    path.starts_with("tests") && path.extension() == Some("test")
}

/// The tests of a file; `result` is what `<file>.result` holds, for command lines. Whatever is wrong with one does not keep
/// the others from being read.
pub fn read(path: &Utf8Path, text: &str, result: Option<&str>) -> Vec<Result<Case, FileError>> {
    if is_command_file(path) {
        return vec![commands(path, text, result)];
    }
    let fail =
        |line, message: String| vec![Err(FileError { path: path.to_owned(), line, name: None, message })];
    let root = match yaml::parse(text) {
        Ok(Some(root)) => root,
        Ok(None) => return Vec::new(),
        Err(error) => return fail(error.line, format!("this is no YAML: {}", error.message)),
    };
    if root.is_null() {
        return Vec::new();
    }
    let Value::List(items) = &root.value else {
        return fail(root.line, "a test file is a list: begin each test with `- name: …`".to_owned());
    };
    let placed = |(index, item): (usize, &Node)| {
        let case = case(path, text, index, item)?;
        Ok(Case { place: place(item), extent: extent(text, item), ..case })
    };
    items.iter().enumerate().map(placed).collect()
}

/// Where an item says what it is called.
fn place(item: &Node) -> Range<usize> {
    let first = match &item.value {
        Value::Map(pairs) => pairs.first().map_or(item, |(key, _)| key),
        _ => item,
    };
    let name = item.get("name").filter(|name| !name.range.is_empty());
    name.unwrap_or(first).range.clone()
}

/// An item without the blank lines and comments behind it.
fn extent(text: &str, item: &Node) -> Range<usize> {
    fn last(node: &Node) -> usize {
        match &node.value {
            Value::Map(pairs) => {
                pairs.last().map_or(node.range.end, |(key, value)| last(key).max(last(value)))
            }
            Value::List(items) => items.last().map_or(node.range.end, last),
            Value::Scalar { .. } => node.range.end,
        }
    }
    // A list or map in brackets ends behind its last value.
    let is_flow = text[item.range.start..].starts_with(['{', '[']);
    let end = if is_flow { item.range.end } else { last(item) };
    let end = end.clamp(item.range.start, text.len());
    item.range.start..item.range.start + text[item.range.start..end].trim_end().len()
}

fn commands(path: &Utf8Path, text: &str, result: Option<&str>) -> Result<Case, FileError> {
    let stem = path.file_stem().unwrap_or_default();
    let commands = parse_commands(text).map_err(|error| FileError {
        path: path.to_owned(),
        line: error.line,
        name: Some(stem.to_owned()),
        message: error.message,
    })?;
    let subject = commands.iter().find_map(Command::pipe).unwrap_or(stem).to_owned();
    let check = Check::Output { commands, expected: result.map(str::to_owned) };
    let line = text.lines().next().unwrap_or_default().len();
    let case = empty(path, 1, 0, stem.to_owned(), subject);
    Ok(Case { check, place: 0..line, extent: 0..text.len(), ..case })
}

fn empty(path: &Utf8Path, line: usize, index: usize, name: String, subject: String) -> Case {
    Case {
        path: path.to_owned(),
        line,
        place: 0..0,
        extent: 0..0,
        index,
        name,
        subject,
        check: Check::Output { commands: Vec::new(), expected: None },
        rules: Rules::default(),
        clock: None,
        fixtures: Vec::new(),
        copies: Vec::new(),
        skip: None,
    }
}

/// Keys of a request's test; those below are ours ([`docs/guide/tests.md`]).
const KEYS: &[&str] = &[
    "name",
    "description",
    "parameters",
    "expected_result",
    "expected_http_status",
    "pipe",
    "fixtures",
    "copies",
    "now",
    "tolerance",
    "exact",
    "skip",
];

fn case(path: &Utf8Path, text: &str, index: usize, item: &Node) -> Result<Case, FileError> {
    let stem = path.file_stem().unwrap_or_default();
    let name = item.get("name").and_then(Node::text).map(str::to_owned);
    let fail = |line, message: String| FileError { path: path.to_owned(), line, name: name.clone(), message };
    let Value::Map(pairs) = &item.value else {
        return Err(fail(
            item.line,
            "a test is a map: `- name: …`, `parameters: …`, `expected_result: …`".to_owned(),
        ));
    };
    if let ([(key, inner)], Some(name)) = (pairs.as_slice(), pairs.first().and_then(|(k, _)| k.text()))
        && matches!(inner.value, Value::Map(_))
    {
        return quality(path, index, key.line, name, inner).map_err(|message| FileError {
            path: path.to_owned(),
            line: key.line,
            name: Some(name.to_owned()),
            message,
        });
    }
    if let Some((key, _)) = pairs.iter().find(|(k, _)| k.text().is_none_or(|k| !KEYS.contains(&k))) {
        let known = KEYS.join(", ");
        let said = key.text().unwrap_or_default();
        return Err(fail(key.line, format!("`{said}` is no key of a test; there are {known}")));
    }
    let pipe = item.get("pipe").and_then(Node::text).unwrap_or(stem).to_owned();
    let said = item.get("name").and_then(Node::text).unwrap_or_default();
    let said = if said.is_empty() { format!("#{}", index + 1) } else { said.to_owned() };
    let mut case = empty(path, item.line, index, said, pipe.clone());
    let expected = item.get("expected_result").filter(|node| !node.is_null());
    let status =
        match item.get("expected_http_status").filter(|node| !node.is_null()) {
            Some(node) => Some(node.text().and_then(|t| t.trim().parse().ok()).ok_or_else(|| {
                fail(node.line, "`expected_http_status` is a number such as 400".to_owned())
            })?),
            None => None,
        };
    case.check = Check::Request {
        parameters: item.get("parameters").map(parameters).unwrap_or_default(),
        expected: match (item.get("expected_result"), expected) {
            (_, Some(node)) => Some(expectation(node, text)),
            (Some(_), None) => Some(String::new()),
            (None, None) => None,
        },
        status,
        pipe,
    };
    options(&mut case, item).map_err(|(line, message)| fail(line, message))?;
    Ok(case)
}

/// What is expected, as a text. JSON without quotes is a map to YAML, and means its text.
fn expectation(node: &Node, text: &str) -> String {
    match &node.value {
        Value::Scalar { text, .. } => text.clone(),
        _ => text.get(Range::clone(&node.range)).unwrap_or_default().to_owned(),
    }
}

/// A query string, or a map of names and values.
fn parameters(node: &Node) -> Pairs {
    match &node.value {
        Value::Scalar { .. } if node.is_null() => Vec::new(),
        Value::Scalar { text, .. } => form_text(text),
        Value::Map(pairs) => {
            let values = |(key, value): &(Node, Node)| {
                let name = key.text().unwrap_or_default().to_owned();
                let values: Vec<_> =
                    value.items().into_iter().filter(|v| !v.is_null()).map(text_of).collect();
                values.into_iter().map(move |value| (name.clone(), value)).collect::<Vec<_>>()
            };
            pairs.iter().flat_map(values).collect()
        }
        Value::List(items) => items.iter().flat_map(parameters).collect(),
    }
}

fn text_of(node: &Node) -> String {
    node.text().map_or_else(|| node.to_json(), str::to_owned)
}

fn options(case: &mut Case, item: &Node) -> Result<(), (usize, String)> {
    if let Some(node) = item.get("exact") {
        let truth = node.truth().ok_or((node.line, "`exact` is true or false".to_owned()))?;
        case.rules.exact = truth;
    }
    if let Some(node) = item.get("tolerance") {
        let number = node.text().and_then(|t| t.parse::<f64>().ok()).filter(|n| *n >= 0.0);
        case.rules.tolerance = number.ok_or((
            node.line,
            "`tolerance` is a number such as 0.001: how far apart numbers may be, as a part of the larger one".to_owned(),
        ))?;
    }
    if let Some(node) = item.get("now").filter(|n| !n.is_null()) {
        let clock = node.text().unwrap_or_default().parse::<Clock>();
        case.clock = Some(clock.map_err(|error| (node.line, error.to_string()))?);
    }
    if let Some(node) = item.get("skip").filter(|n| !n.is_null() && n.truth() != Some(false)) {
        let why = node.text().filter(|_| node.truth().is_none()).unwrap_or("the file says so").to_owned();
        case.skip = Some(why);
    }
    if let Some(node) = item.get("copies").filter(|n| !n.is_null()) {
        for name in node.items() {
            let name = name.text().ok_or((name.line, "`copies` lists names of copy pipes".to_owned()))?;
            case.copies.push(name.to_owned());
        }
    }
    if let Some(node) = item.get("fixtures").filter(|n| !n.is_null()) {
        let Value::Map(pairs) = &node.value else {
            let message = "`fixtures` is a map: a data source's name, and its rows or a file".to_owned();
            return Err((node.line, message));
        };
        for (key, rows) in pairs {
            case.fixtures
                .push(fixture(key.text().unwrap_or_default(), rows).map_err(|why| (rows.line, why))?);
        }
    }
    Ok(())
}

/// Rows as a list of maps, as lines of JSON, or as the path of a file.
fn fixture(source: &str, rows: &Node) -> Result<CaseFixture, String> {
    let source = source.to_owned();
    match &rows.value {
        Value::Scalar { text, .. } if rows.is_null() || text.trim().is_empty() => {
            Ok(CaseFixture::Rows { source, ndjson: String::new() })
        }
        Value::Scalar { text, .. } if text.trim_start().starts_with('{') => {
            Ok(CaseFixture::Rows { source, ndjson: text.clone() })
        }
        Value::Scalar { text, .. } => Ok(CaseFixture::File { source, path: text.trim().into() }),
        Value::List(items) if items.iter().all(|i| matches!(i.value, Value::Map(_))) => {
            let lines: Vec<String> = items.iter().map(Node::to_json).collect();
            Ok(CaseFixture::Rows { source, ndjson: lines.join("\n") })
        }
        _ => Err("rows are a list of maps, lines of JSON, or the path of a file".to_owned()),
    }
}

/// A data-quality test (specification §16.2).
fn quality(path: &Utf8Path, index: usize, line: usize, name: &str, inner: &Node) -> Result<Case, String> {
    let sql = inner.get("sql").filter(|n| !n.is_null()).and_then(Node::text).map(str::to_owned);
    let pipe = match inner.get("pipe").filter(|n| !n.is_null()) {
        Some(node) => {
            let name = node.get("name").and_then(Node::text).ok_or("`pipe` needs a `name`")?;
            Some((name.to_owned(), node.get("params").map(parameters).unwrap_or_default()))
        }
        None => None,
    };
    if sql.is_none() && pipe.is_none() {
        return Err("a data-quality test has `sql`, `pipe`, or both".to_owned());
    }
    let number = |key: &str| inner.get(key).filter(|n| !n.is_null()).and_then(Node::text);
    let subject =
        pipe.as_ref().map_or_else(|| path.file_stem().unwrap_or_default().to_owned(), |(n, _)| n.clone());
    let check = Check::Nothing {
        max_time: number("max_time").and_then(|t| t.parse().ok()),
        max_bytes: number("max_bytes_read").and_then(|t| t.parse().ok()),
        sql,
        pipe,
    };
    let mut case = Case { check, ..empty(path, line, index, name.to_owned(), subject) };
    options(&mut case, inner).map_err(|(_, message)| message)?;
    Ok(case)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cases(text: &str) -> Vec<Result<Case, FileError>> {
        read(Utf8Path::new("tests/top.yaml"), text, None)
    }

    #[test]
    fn requests_are_read() {
        let text = "\
- name: a
  description: why
  parameters: top.ndjson?x=1&y=a%20b
  expected_result: |
    {\"a\":1}
- name: b
  parameters: {x: 1, y: [2, 3]}
  expected_result: {\"error\": \"no\"}
  expected_http_status: 400
  tolerance: 0.1
  exact: yes
  now: 2025-07-15
  copies: fill
  fixtures:
    events:
      - {id: 1, name: \"2\"}
      - id: 2
    users: fixtures/other.csv
  skip: broken since May
- name: c
  parameters: ''
  expected_result: ''
";
        let all: Vec<Case> = cases(text).into_iter().map(|c| c.expect("a case")).collect();
        let pair = |n: &str, v: &str| (n.to_owned(), v.to_owned());
        assert_eq!(
            all[0].check,
            Check::Request {
                pipe: "top".to_owned(),
                parameters: vec![pair("x", "1"), pair("y", "a b")],
                expected: Some("{\"a\":1}\n".to_owned()),
                status: None
            }
        );
        let Check::Request { parameters, expected, status, .. } = &all[1].check else { panic!("a request") };
        assert_eq!(*parameters, [pair("x", "1"), pair("y", "2"), pair("y", "3")]);
        assert_eq!((expected.as_deref(), *status), (Some("{\"error\": \"no\"}"), Some(400)));
        assert_eq!((all[1].rules.tolerance, all[1].rules.exact, all[1].line), (0.1, true, 6));
        assert_eq!(all[1].copies, ["fill"]);
        assert_eq!(all[1].skip.as_deref(), Some("broken since May"));
        let rows = CaseFixture::Rows {
            source: "events".to_owned(),
            ndjson: "{\"id\":1,\"name\":\"2\"}\n{\"id\":2}".to_owned(),
        };
        let file = CaseFixture::File { source: "users".to_owned(), path: "fixtures/other.csv".into() };
        assert_eq!(all[1].fixtures, [rows, file]);
        assert!(matches!(&all[2].check, Check::Request { expected: Some(text), .. } if text.is_empty()));
    }

    #[test]
    fn cases_have_places() {
        let text = "\
# about
- name: 'one'  # why
  parameters: ''
  expected_result: |
    {\"a\":1}

# between
- parameters: ''
  expected_result: ''
  fixtures: {events: [{a: 1}]}   # end

- {name: three, parameters: {a: 1}}
- four:
    sql: SELECT 1
";
        let all: Vec<Case> = cases(text).into_iter().map(|c| c.expect("a case")).collect();
        let places: Vec<_> = all.iter().map(|c| &text[c.place.clone()]).collect();
        assert_eq!(places, ["'one'", "parameters", "three", "four"]);
        let ends: Vec<_> = all.iter().map(|c| text[c.extent.clone()].lines().last().unwrap_or("")).collect();
        assert_eq!(ends[0], "    {\"a\":1}");
        assert!(ends[1].starts_with("  fixtures: {events: [{a: 1"), "{}", ends[1]);
        assert_eq!(ends[2], "{name: three, parameters: {a: 1}}");
        assert_eq!(ends[3], "    sql: SELECT 1");
    }

    #[test]
    fn data_quality_is_read() {
        let text = "\
- none:
    max_bytes_read: null
    max_time: 0.5
    sql: |
      SELECT 1
    pipe:
      name: top
      params:
        a: '2020-04-24'
";
        let case = cases(text).remove(0).expect("a case");
        assert_eq!((case.name.as_str(), case.subject.as_str()), ("none", "top"));
        let Check::Nothing { sql, pipe, max_time, max_bytes } = case.check else { panic!("quality") };
        assert_eq!((sql.as_deref(), max_time, max_bytes), (Some("SELECT 1\n"), Some(0.5), None));
        assert_eq!(pipe, Some(("top".to_owned(), vec![("a".to_owned(), "2020-04-24".to_owned())])));
    }

    #[test]
    fn faults_have_places_and_spare_the_others() {
        let faults: Vec<_> = cases("- name: a\n  parameter: x\n- 1\n- name: c\n- x:\n    y: 1\n")
            .into_iter()
            .map(|c| c.map(|c| c.name).map_err(|e| e.to_string()))
            .collect();
        assert!(
            faults[0].as_ref().expect_err("a fault").starts_with("tests/top.yaml:2: `parameter` is no key")
        );
        assert!(faults[1].as_ref().expect_err("a fault").starts_with("tests/top.yaml:3: a test is a map"));
        assert_eq!(faults[2].as_deref(), Ok("c"));
        assert!(faults[3].as_ref().expect_err("a fault").contains("`sql`, `pipe`, or both"));
        assert!(cases("a: 1\n")[0].is_err());
        assert!(cases("").is_empty() && cases("# nothing\n").is_empty());
    }
}
