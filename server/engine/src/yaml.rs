//! YAML with places: what test files say, and where, so that a new expectation replaces the old one and nothing else.

use std::fmt;
use std::ops::Range;

use rustc_hash::FxHashMap;
use saphyr_parser::{Event, Parser, ScalarStyle, Span};

use crate::json;

/// A value and its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node {
    /// The value.
    pub value: Value,
    /// Its bytes in the text. Of a block text the first line is its `|`.
    pub range: Range<usize>,
    /// Its line, from 1.
    pub line: usize,
    /// Its column, from 0, in characters.
    pub column: usize,
}

/// A value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// A text; whether it stands there without quotes.
    Scalar {
        /// What it says.
        text: String,
        /// It has no quotes and is no block.
        is_plain: bool,
    },
    /// A list.
    List(Vec<Node>),
    /// Keys and values, in order.
    Map(Vec<(Node, Node)>),
}

/// Why a text is no YAML.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct YamlError {
    /// Line, from 1.
    pub line: usize,
    /// What is wrong.
    pub message: String,
}

impl fmt::Display for YamlError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}", self.line, self.message)
    }
}

impl std::error::Error for YamlError {}

/// Values of one text, those that aliases repeat included.
const MAX_NODES: usize = 200_000;

/// Lists and maps inside each other.
const MAX_DEPTH: usize = 100;

/// The first document of a text; `None` when there is none. Linear, aliases aside.
///
/// # Errors
/// Where it is no YAML, or holds more than anybody wrote by hand.
pub fn parse(text: &str) -> Result<Option<Node>, YamlError> {
    let offsets = (!text.is_ascii()).then(|| text.char_indices().map(|(at, _)| at).collect::<Vec<_>>());
    let byte = |index: usize| match &offsets {
        Some(offsets) => offsets.get(index).copied().unwrap_or(text.len()),
        None => index.min(text.len()),
    };
    let mut builder =
        Builder { text, stack: Vec::new(), anchors: FxHashMap::default(), count: 0, root: None };
    for event in Parser::new_from_str(text) {
        let (event, span) = event
            .map_err(|error| YamlError { line: error.marker().line(), message: error.info().to_owned() })?;
        if matches!(event, Event::DocumentEnd) && builder.root.is_some() {
            break;
        }
        builder.event(event, span, byte(span.start.index())..byte(span.end.index()))?;
    }
    Ok(builder.root)
}

struct Builder<'t> {
    text: &'t str,
    stack: Vec<Open>,
    anchors: FxHashMap<usize, Node>,
    count: usize,
    root: Option<Node>,
}

/// A list or map that is not closed yet.
struct Open {
    is_map: bool,
    anchor: usize,
    start: usize,
    line: usize,
    column: usize,
    items: Vec<Node>,
}

impl Builder<'_> {
    fn event(&mut self, event: Event<'_>, span: Span, range: Range<usize>) -> Result<(), YamlError> {
        let (line, column) = (span.start.line(), span.start.col());
        let fail = |message: &str| Err(YamlError { line, message: message.to_owned() });
        match event {
            Event::Scalar(text, style, anchor, _) => {
                let is_plain = style == ScalarStyle::Plain;
                let range = match style {
                    ScalarStyle::SingleQuoted => quoted(self.text, range.start, b'\''),
                    ScalarStyle::DoubleQuoted => quoted(self.text, range.start, b'"'),
                    _ => range.start..range.start + self.text[range.clone()].trim_end().len(),
                };
                let value = Value::Scalar { text: text.into_owned(), is_plain };
                self.push(Node { value, range, line, column }, anchor)
            }
            Event::SequenceStart(anchor, _) | Event::MappingStart(anchor, _) => {
                if self.stack.len() >= MAX_DEPTH {
                    return fail("lists and maps are nested too deeply");
                }
                let is_map = matches!(event, Event::MappingStart(..));
                self.stack.push(Open { is_map, anchor, start: range.start, line, column, items: Vec::new() });
                Ok(())
            }
            Event::SequenceEnd | Event::MappingEnd => {
                let Some(open) = self.stack.pop() else { return Ok(()) };
                let end = open
                    .items
                    .last()
                    .map_or(range.end, |last| last.range.end.max(range.end.min(self.text.len())));
                let value = if open.is_map {
                    let mut items = open.items.into_iter();
                    let mut pairs = Vec::new();
                    while let (Some(key), Some(value)) = (items.next(), items.next()) {
                        pairs.push((key, value));
                    }
                    Value::Map(pairs)
                } else {
                    Value::List(open.items)
                };
                let (line, column) = (open.line, open.column);
                self.push(Node { value, range: open.start..end, line, column }, open.anchor)
            }
            Event::Alias(anchor) => match self.anchors.get(&anchor).cloned() {
                Some(node) => {
                    self.count += size(&node);
                    self.push(Node { range, line, column, ..node }, 0)
                }
                None => fail("an alias of nothing"),
            },
            _ => Ok(()),
        }
    }

    fn push(&mut self, node: Node, anchor: usize) -> Result<(), YamlError> {
        self.count += 1;
        if self.count > MAX_NODES {
            return Err(YamlError {
                line: node.line,
                message: "more values than a test file has".to_owned(),
            });
        }
        if anchor > 0 {
            self.anchors.insert(anchor, node.clone());
        }
        match self.stack.last_mut() {
            Some(open) => open.items.push(node),
            None => self.root = Some(node),
        }
        Ok(())
    }
}

/// A text in quotes: the parser's own end may lie behind a comment.
fn quoted(text: &str, start: usize, quote: u8) -> Range<usize> {
    let bytes = text.as_bytes();
    let mut at = start + 1;
    while let Some(byte) = bytes.get(at) {
        match *byte {
            b'\\' if quote == b'"' => at += 2,
            byte if byte == quote && quote == b'\'' && bytes.get(at + 1) == Some(&quote) => at += 2,
            byte if byte == quote => return start..at + 1,
            _ => at += 1,
        }
    }
    start..text.len()
}

fn size(node: &Node) -> usize {
    match &node.value {
        Value::Scalar { .. } => 1,
        Value::List(items) => 1 + items.iter().map(size).sum::<usize>(),
        Value::Map(pairs) => 1 + pairs.iter().map(|(k, v)| size(k) + size(v)).sum::<usize>(),
    }
}

impl Node {
    /// The value of a key.
    pub fn get(&self, key: &str) -> Option<&Self> {
        match &self.value {
            Value::Map(pairs) => pairs.iter().find(|(k, _)| k.text() == Some(key)).map(|(_, v)| v),
            _ => None,
        }
    }

    /// What a text says; `None` for lists and maps.
    pub fn text(&self) -> Option<&str> {
        match &self.value {
            Value::Scalar { text, .. } => Some(text),
            _ => None,
        }
    }

    /// Whether it is `null`, `~`, or nothing at all.
    pub fn is_null(&self) -> bool {
        matches!(&self.value, Value::Scalar { text, is_plain: true } if matches!(text.as_str(), "" | "~" | "null" | "Null" | "NULL"))
    }

    /// `true` and `false`, in YAML's spellings.
    pub fn truth(&self) -> Option<bool> {
        match self.text()?.to_ascii_lowercase().as_str() {
            "true" | "yes" | "on" => Some(true),
            "false" | "no" | "off" => Some(false),
            _ => None,
        }
    }

    /// The items of a list; of any other value that one.
    pub fn items(&self) -> Vec<&Self> {
        match &self.value {
            Value::List(items) => items.iter().collect(),
            _ => vec![self],
        }
    }

    /// The value as JSON: texts without quotes are null, truths and numbers where they look so.
    pub fn to_json(&self) -> String {
        match &self.value {
            Value::Scalar { text, is_plain } => {
                if self.is_null() {
                    "null".to_owned()
                } else if *is_plain
                    && matches!(json::Json::parse(text), Ok(json::Json::Number(_) | json::Json::Bool(_)))
                {
                    text.clone()
                } else {
                    json::quote(text)
                }
            }
            Value::List(items) => {
                let items: Vec<String> = items.iter().map(Self::to_json).collect();
                format!("[{}]", items.join(","))
            }
            Value::Map(pairs) => {
                let fields: Vec<String> = pairs
                    .iter()
                    .map(|(k, v)| format!("{}:{}", json::quote(k.text().unwrap_or_default()), v.to_json()))
                    .collect();
                format!("{{{}}}", fields.join(","))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_have_places() {
        let text = "# é\n- name: ä b # why\n  parameters: a=1\n  expected_result: |\n    {\"x\":1}\n\n    {\"y\":2}\n\n- name: 'q'\n  other: [1, \"2\", null, {a: true}]\n";
        let root = parse(text).expect("YAML").expect("a document");
        let cases = root.items();
        assert_eq!(cases.len(), 2);
        let name = cases[0].get("name").expect("a name");
        assert_eq!((&text[name.range.clone()], name.line, name.column), ("ä b", 2, 8));
        assert_eq!(cases[0].get("expected_result").and_then(Node::text), Some("{\"x\":1}\n\n{\"y\":2}\n"));
        assert_eq!(cases[1].get("other").map(Node::to_json).as_deref(), Some("[1,\"2\",null,{\"a\":true}]"));
        assert!(parse("").expect("YAML").is_none());
    }

    #[test]
    fn what_is_no_yaml_says_where() {
        assert_eq!(parse("- a: 1\n- b: 'x\n").expect_err("open").line, 2);
        assert!(parse(&"[".repeat(10_000)).is_err());
        let bomb = "a: &a [x,x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b,*b]\nd: &d [*c,*c,*c,*c,*c,*c,*c,*c,*c,*c]\ne: &e [*d,*d,*d,*d,*d,*d,*d,*d,*d,*d]\nf: [*e,*e,*e,*e,*e,*e]\n";
        assert!(parse(bomb).is_err());
    }
}
