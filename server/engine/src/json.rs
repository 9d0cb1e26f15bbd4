//! JSON that keeps its text: numbers to the last digit, strings as they were sent.
//!
//! Rows go to the engine in the words they came in, and answers are compared by value; a parser that makes floating-point
//! numbers of both would lose what neither side lost.

use std::borrow::Cow;
use std::fmt;

/// A JSON value that borrows the text it was read from.
#[derive(Debug, Clone, PartialEq)]
pub enum Json<'t> {
    /// `null`
    Null,
    /// `true` and `false`
    Bool(bool),
    /// A number's text.
    Number(&'t str),
    /// A string's text, quotes and escapes included.
    Text(&'t str),
    /// A list, and its text.
    Array(&'t str, Vec<Json<'t>>),
    /// An object, and its text. Fields in order; of a name that repeats all are here.
    Object(&'t str, Vec<(Cow<'t, str>, Json<'t>)>),
}

/// Why a text is no JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct JsonError {
    /// Byte offset.
    pub at: usize,
    /// What was expected there.
    pub expected: &'static str,
}

impl fmt::Display for JsonError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "expected {} at character {}", self.expected, self.at + 1)
    }
}

impl std::error::Error for JsonError {}

/// Values inside values: deeper ones are an attack on the stack.
const MAX_DEPTH: usize = 128;

impl<'t> Json<'t> {
    /// Reads one value; white space around it is fine. Linear.
    ///
    /// # Errors
    /// When the text is no JSON value, or nests more than 128 deep.
    pub fn parse(text: &'t str) -> Result<Self, JsonError> {
        let mut reader = Reader { text, at: 0 };
        reader.blank();
        let value = reader.value(MAX_DEPTH)?;
        reader.blank();
        if reader.at < text.len() { Err(reader.error("the end of the line")) } else { Ok(value) }
    }

    /// Reads values that stand one behind another. What is no JSON ends it with an error.
    pub fn parse_many(text: &'t str) -> Result<Vec<Self>, JsonError> {
        let mut reader = Reader { text, at: 0 };
        let mut out = Vec::new();
        loop {
            reader.blank();
            if reader.at >= text.len() {
                return Ok(out);
            }
            out.push(reader.value(MAX_DEPTH)?);
        }
    }

    /// The text it was read from.
    pub fn raw(&self) -> &'t str {
        match self {
            Self::Null => "null",
            Self::Bool(true) => "true",
            Self::Bool(false) => "false",
            Self::Number(raw) | Self::Text(raw) | Self::Array(raw, _) | Self::Object(raw, _) => raw,
        }
    }

    /// What a string says; `None` for other values.
    pub fn text(&self) -> Option<Cow<'t, str>> {
        match self {
            Self::Text(raw) => Some(unescaped(&raw[1..raw.len() - 1])),
            _ => None,
        }
    }

    /// What a string says, and the text of any other value.
    pub fn said(&self) -> Cow<'t, str> {
        self.text().unwrap_or(Cow::Borrowed(self.raw()))
    }

    /// The first field of that name.
    pub fn get(&self, name: &str) -> Option<&Self> {
        match self {
            Self::Object(_, fields) => fields.iter().find(|(key, _)| key == name).map(|(_, value)| value),
            _ => None,
        }
    }
}

/// A text as a JSON string.
pub fn quote(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    push_quoted(text, &mut out);
    out
}

/// Appends a text as a JSON string.
pub fn push_quoted(text: &str, out: &mut String) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if u32::from(c) < 0x20 => out.push_str(&format!("\\u{:04x}", u32::from(c))),
            c => out.push(c),
        }
    }
    out.push('"');
}

fn unescaped(raw: &str) -> Cow<'_, str> {
    if !raw.contains('\\') {
        return Cow::Borrowed(raw);
    }
    let mut out = String::with_capacity(raw.len());
    let mut chars = raw.chars();
    while let Some(c) = chars.next() {
        if c != '\\' {
            out.push(c);
            continue;
        }
        match chars.next() {
            Some('n') => out.push('\n'),
            Some('t') => out.push('\t'),
            Some('r') => out.push('\r'),
            Some('b') => out.push('\u{8}'),
            Some('f') => out.push('\u{c}'),
            Some('u') => out.push(code_point(&mut chars)),
            Some(c) => out.push(c),
            None => {}
        }
    }
    Cow::Owned(out)
}

/// The character behind `\u`; half of a pair alone is none.
fn code_point(chars: &mut std::str::Chars<'_>) -> char {
    let four = |chars: &mut std::str::Chars<'_>| {
        let digits: String = chars.by_ref().take(4).collect();
        u32::from_str_radix(&digits, 16).unwrap_or(0xfffd)
    };
    let first = four(chars);
    if !(0xd800..0xdc00).contains(&first) {
        return char::from_u32(first).unwrap_or(char::REPLACEMENT_CHARACTER);
    }
    let mut ahead = chars.clone();
    if ahead.next() == Some('\\') && ahead.next() == Some('u') {
        let second = four(&mut ahead);
        if (0xdc00..0xe000).contains(&second) {
            *chars = ahead;
            let code = 0x10000 + ((first - 0xd800) << 10) + (second - 0xdc00);
            return char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER);
        }
    }
    char::REPLACEMENT_CHARACTER
}

struct Reader<'t> {
    text: &'t str,
    at: usize,
}

impl<'t> Reader<'t> {
    fn error(&self, expected: &'static str) -> JsonError {
        JsonError { at: self.at, expected }
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn blank(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    fn value(&mut self, depth: usize) -> Result<Json<'t>, JsonError> {
        if depth == 0 {
            return Err(self.error("less nesting"));
        }
        let start = self.at;
        match self.peek() {
            Some(b'"') => self.string().map(Json::Text),
            Some(b'{') => {
                let mut fields = Vec::new();
                self.list(b'}', |reader| {
                    if reader.peek() != Some(b'"') {
                        return Err(reader.error("a name in double quotes"));
                    }
                    let key = reader.string()?;
                    reader.blank();
                    if reader.peek() != Some(b':') {
                        return Err(reader.error("`:`"));
                    }
                    reader.at += 1;
                    reader.blank();
                    fields.push((unescaped(&key[1..key.len() - 1]), reader.value(depth - 1)?));
                    Ok(())
                })?;
                Ok(Json::Object(&self.text[start..self.at], fields))
            }
            Some(b'[') => {
                let mut items = Vec::new();
                self.list(b']', |reader| {
                    items.push(reader.value(depth - 1)?);
                    Ok(())
                })?;
                Ok(Json::Array(&self.text[start..self.at], items))
            }
            Some(b't') => self.word("true", Json::Bool(true)),
            Some(b'f') => self.word("false", Json::Bool(false)),
            Some(b'n') => self.word("null", Json::Null),
            Some(b'-' | b'0'..=b'9') => self.number().map(Json::Number),
            _ => Err(self.error("a value")),
        }
    }

    fn list(
        &mut self,
        close: u8,
        mut item: impl FnMut(&mut Self) -> Result<(), JsonError>,
    ) -> Result<(), JsonError> {
        self.at += 1;
        self.blank();
        if self.peek() == Some(close) {
            self.at += 1;
            return Ok(());
        }
        loop {
            item(self)?;
            self.blank();
            match self.peek() {
                Some(b',') => self.at += 1,
                Some(c) if c == close => {
                    self.at += 1;
                    return Ok(());
                }
                _ => return Err(self.error("`,` or the end of the list")),
            }
            self.blank();
        }
    }

    fn word(&mut self, word: &str, value: Json<'t>) -> Result<Json<'t>, JsonError> {
        if !self.text[self.at..].starts_with(word) {
            return Err(self.error("a value"));
        }
        self.at += word.len();
        Ok(value)
    }

    fn string(&mut self) -> Result<&'t str, JsonError> {
        let start = self.at;
        self.at += 1;
        let bytes = self.text.as_bytes();
        loop {
            match bytes.get(self.at) {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(&self.text[start..self.at]);
                }
                Some(b'\\') => {
                    let escape = bytes.get(self.at + 1);
                    let hex = || {
                        let digits = bytes.get(self.at + 2..self.at + 6);
                        digits.is_some_and(|d| d.iter().all(u8::is_ascii_hexdigit))
                    };
                    match escape {
                        Some(b'u') if hex() => self.at += 6,
                        Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => self.at += 2,
                        _ => return Err(self.error("an escape that JSON has")),
                    }
                }
                Some(_) => self.at += 1,
                None => return Err(self.error("the closing quote")),
            }
        }
    }

    fn number(&mut self) -> Result<&'t str, JsonError> {
        let start = self.at;
        let digits = |reader: &mut Self| {
            let from = reader.at;
            while matches!(reader.peek(), Some(b'0'..=b'9')) {
                reader.at += 1;
            }
            if reader.at == from { Err(reader.error("a digit")) } else { Ok(()) }
        };
        if self.peek() == Some(b'-') {
            self.at += 1;
        }
        digits(self)?;
        if self.peek() == Some(b'.') {
            self.at += 1;
            digits(self)?;
        }
        if matches!(self.peek(), Some(b'e' | b'E')) {
            self.at += 1;
            if matches!(self.peek(), Some(b'+' | b'-')) {
                self.at += 1;
            }
            digits(self)?;
        }
        Ok(&self.text[start..self.at])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_keep_their_text() {
        let text = r#" {"a": 18446744073709551616.10, "b\u0041": [1, "x\/\"\ud83d\ude00", null], "c": {"d": true}} "#;
        let json = Json::parse(text).expect("JSON");
        assert_eq!(json.get("a"), Some(&Json::Number("18446744073709551616.10")));
        let Some(Json::Array(raw, items)) = json.get("bA") else { panic!("a list") };
        assert_eq!(*raw, r#"[1, "x\/\"\ud83d\ude00", null]"#);
        assert_eq!(items[1].text().as_deref(), Some("x/\"😀"));
        assert_eq!(json.get("c").and_then(|c| c.get("d")), Some(&Json::Bool(true)));
        assert_eq!(Json::parse(r#""\ud800x""#).expect("JSON").said(), "\u{fffd}x");
        assert_eq!(Json::parse_many("{} 1\n[]").map(|all| all.len()), Ok(3));
    }

    #[test]
    fn what_is_no_json_says_where() {
        for text in
            ["", "{", "{\"a\"}", "[1,]", "01x", "tru", "\"a", "\"\\x\"", "1.", "{\"a\":1} 2", "nan", "-"]
        {
            assert!(Json::parse(text).is_err(), "{text}");
        }
        let error = Json::parse("{\"a\": tru}").expect_err("no JSON");
        assert_eq!(error.to_string(), "expected a value at character 7");
        assert!(Json::parse(&"[".repeat(100_000)).is_err());
    }

    #[test]
    fn texts_come_back_as_they_were() {
        for text in ["", "a\"b\\c\nd\te\u{1}f", "é😀"] {
            assert_eq!(Json::parse(&quote(text)).expect("JSON").said(), text);
        }
    }
}
