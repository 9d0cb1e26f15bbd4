//! The `SCHEMA` block: columns, their types, JSONPaths, defaults and codecs (specification §4.2, §4.3).
//!
//! Ranges are offsets into the block's text; map them with [`crate::MappedText::to_source`].

mod comments;
mod types;

use text_size::TextRange;

use comments::blank_comments;
use types::check_type;
pub use types::{TYPE_FAMILIES, split_arguments};

use crate::{Spanned, range};

/// One column definition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    /// Name without backticks.
    pub name: Spanned<String>,
    /// Type as written, if given. A column with only a DEFAULT is legal: ClickHouse infers its type.
    pub ty: Option<Spanned<String>>,
    /// Path inside `` `json:…` ``, without the prefix.
    pub jsonpath: Option<Spanned<String>>,
    /// Expression behind DEFAULT.
    pub default: Option<Spanned<String>>,
    /// Text between CODEC's parentheses.
    pub codec: Option<Spanned<String>>,
    /// The whole definition.
    pub range: TextRange,
}

/// What is wrong in a schema, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SchemaError {
    /// Place in the block's text.
    pub range: TextRange,
    /// What.
    pub kind: SchemaErrorKind,
}

/// The faults that the format's own parser reports, and the two that only trouble its portability.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SchemaErrorKind {
    /// A name with neither type nor DEFAULT.
    MissingType,
    /// A column starts with something that is no name.
    MissingName,
    /// A backtick without its partner.
    UnclosedBacktick,
    /// A quote without its partner.
    UnclosedQuote(char),
    /// A parenthesis without its partner.
    UnclosedParenthesis,
    /// A character the format does not allow outside quotes.
    InvalidCharacter(char),
    /// A second type, or text where a keyword was expected.
    UnexpectedItem(String),
    /// A column starts on a new line, and the one before it did not end.
    MissingComma,
    /// `#` behind text: a comment only when it starts the line.
    HashComment,
    /// `--` between quotes or backticks, where the format sees a comment all the same.
    CommentInQuotes(char),
    /// DEFAULT or CODEC with nothing behind it.
    MissingValue(&'static str),
    /// A second DEFAULT.
    RepeatedDefault,
    /// CODEC before DEFAULT.
    CodecBeforeDefault,
    /// `NULL` or `NOT NULL` behind a type.
    NullModifier {
        /// True for `NOT NULL`.
        not: bool,
    },
    /// MATERIALIZED, ALIAS or TTL on a column.
    UnsupportedModifier(String),
    /// A column called INDEX: indexes have their own block.
    IndexColumn,
    /// `Boolean` is not a type name here.
    BooleanType,
    /// `DateTime64` without a precision.
    DateTime64Precision,
    /// `Int` or `UInt` without a width.
    IntWidth(String),
    /// Not a ClickHouse type family.
    UnknownType(String),
    /// Valid ClickHouse that the vendor's schema parser refuses or misreads.
    NotPortable(&'static str),
    /// Too many columns or faults for a schema; what follows was not read.
    NotRead,
}

/// A parsed schema: everything understood, and everything that was not.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Schema {
    /// Columns in order.
    pub columns: Vec<Column>,
    /// Faults in order of position.
    pub errors: Vec<SchemaError>,
}

/// Parses a schema block's text. Linear; reads [`MAX_COLUMNS`] columns and reports [`MAX_ERRORS`] faults at most.
pub fn parse(text: &str) -> Schema {
    let mut out = Schema::default();
    let text = blank_comments(text, &mut out.errors);
    let mut parser = Parser { text, at: 0, spanning_quote: None, line: (1, 0), unclosed: 0, out };
    parser.schema();
    parser.out.errors.sort_by_key(|e| e.range.start());
    parser.out
}

/// Characters that the format refuses in expressions outside quotes.
const INVALID: [char; 9] = ['{', '}', ';', '&', '$', '@', '~', '^', '\\'];

/// After so many columns the rest is not read. Tables of real projects have hundreds; ClickHouse grows slow with thousands.
pub const MAX_COLUMNS: usize = 20_000;

/// After so many faults the text is no schema, and the rest is not read.
pub const MAX_ERRORS: usize = 1_000;

/// How far a parenthesis' partner is looked for, in bytes. The longest types are enumerations of some kilobytes.
const MAX_LOOKAHEAD: usize = 64 * 1024;

/// After so many parentheses without a partner, none is looked for beyond its line.
const MAX_UNCLOSED: usize = 8;

struct Parser {
    text: String,
    at: usize,
    /// The first quote whose partner is on a later line.
    spanning_quote: Option<usize>,
    /// From where to where the parser's line is known to go; empty at first.
    line: (usize, usize),
    /// How many parentheses had no partner.
    unclosed: usize,
    out: Schema,
}

impl Parser {
    fn peek(&self) -> Option<char> {
        self.text[self.at..].chars().next()
    }

    fn error(&mut self, start: usize, end: usize, kind: SchemaErrorKind) {
        self.out.errors.push(SchemaError { range: range(start, end), kind });
    }

    fn skip_space(&mut self) {
        let rest = &self.text[self.at..];
        self.at += rest.len() - rest.trim_start().len();
    }

    /// Reports text that cannot stand here. The rest of its line would only echo the fault.
    fn stray(&mut self, end: usize, kind: SchemaErrorKind) {
        let start = self.at;
        let line_end = self.line_end();
        if self.peek() == Some('#') {
            self.error(start, line_end, SchemaErrorKind::HashComment);
            self.at = line_end;
            return;
        }
        self.error(start, end, kind);
        self.at = end;
        // Openers without a partner from here to the end of the line: each is looked for once, not at every repetition.
        let mut alone = Vec::new();
        while let Some(c) = self.peek().filter(|c| *c != ',' && self.at < line_end) {
            let partner = if c == '(' { ')' } else { c };
            self.at += c.len_utf8();
            if matches!(c, '(' | '\'' | '"' | '`') && !alone.contains(&c) {
                match self.text[self.at..line_end].find(partner) {
                    Some(len) => self.at += len + 1,
                    None => alone.push(c),
                }
            }
        }
    }

    /// End of the line that the parser is in. Kept until the parser leaves the line: a line of ten megabytes is not to be
    /// searched for its end at every character.
    fn line_end(&mut self) -> usize {
        if !(self.line.0..=self.line.1).contains(&self.at) {
            let end = self.text[self.at..].find('\n').map_or(self.text.len(), |n| self.at + n);
            self.line = (self.at, end);
        }
        self.line.1
    }

    fn word_len(&self) -> usize {
        let rest = &self.text[self.at..];
        rest.find(|c: char| !(c.is_alphanumeric() || c == '_')).unwrap_or(rest.len())
    }

    fn schema(&mut self) {
        loop {
            self.skip_space();
            if self.at >= self.text.len() {
                return;
            }
            if self.out.columns.len() >= MAX_COLUMNS || self.out.errors.len() >= MAX_ERRORS {
                let end = self.at + self.peek().map_or(0, char::len_utf8);
                return self.error(self.at, end, SchemaErrorKind::NotRead);
            }
            let before = self.at;
            if let Some(column) = self.column() {
                self.out.columns.push(column);
            }
            self.skip_space();
            if self.peek() == Some(',') {
                self.at += 1;
            } else if self.at == before {
                self.at += self.peek().map_or(1, char::len_utf8);
            }
        }
    }

    fn column(&mut self) -> Option<Column> {
        let start = self.at;
        let name = self.name()?;
        let mut column =
            Column { name, ty: None, jsonpath: None, default: None, codec: None, range: range(start, start) };
        if column.name.value.eq_ignore_ascii_case("INDEX") && self.text.as_bytes().get(start) != Some(&b'`') {
            self.error(start, self.at, SchemaErrorKind::IndexColumn);
            self.at = self.line_end();
            return None;
        }
        loop {
            let gap = self.at;
            self.skip_space();
            let new_line = self.text[gap..self.at].contains('\n');
            match self.peek() {
                None | Some(',') => break,
                Some(_) if new_line && self.is_next_column(&column) => break,
                Some('`') => self.jsonpath(&mut column),
                Some(_) => self.item(&mut column),
            }
        }
        let end = self.text[..self.at].trim_end().len().max(start);
        column.range = range(start, end);
        if column.ty.is_none() && column.default.is_none() {
            let name = column.name.range;
            self.error(name.start().into(), name.end().into(), SchemaErrorKind::MissingType);
        }
        Some(column)
    }

    /// Whether what starts a new line is another column, behind a comma that was forgotten; reports it if so.
    fn is_next_column(&mut self, column: &Column) -> bool {
        const ITEMS: [&str; 9] =
            ["DEFAULT", "CODEC", "NULL", "NOT", "MATERIALIZED", "ALIAS", "TTL", "EPHEMERAL", "COMMENT"];
        let start = self.at;
        let word = &self.text[start..start + self.word_len()];
        let is_name = match word {
            "" => self.peek() == Some('`') && !self.text[start..].starts_with("`json:"),
            word => !ITEMS.iter().any(|i| i.eq_ignore_ascii_case(word)),
        };
        if !is_name || column.ty.is_none() && column.default.is_none() {
            return false;
        }
        let at_column_0 = self.text[..start].ends_with('\n');
        if at_column_0 && word.len() > 2 && word.chars().all(|c| c.is_ascii_uppercase() || c == '_') {
            // A directive that the block swallowed: from here on the text is no schema.
            self.error(start, start + word.len(), SchemaErrorKind::UnexpectedItem(word.to_owned()));
            self.at = self.text.len();
            return true;
        }
        let word_len = word.len();
        let line_end = self.line_end();
        let len = match word_len {
            0 if self.text.as_bytes()[start] != b'`' => self.peek().map_or(1, char::len_utf8),
            0 => self.text[start + 1..line_end.max(start + 1)].find('`').map_or(1, |n| n + 2),
            len => len,
        };
        self.error(start, start + len, SchemaErrorKind::MissingComma);
        true
    }

    fn name(&mut self) -> Option<Spanned<String>> {
        let start = self.at;
        if self.peek() == Some('`') {
            let rest = &self.text[start + 1..];
            let stop = rest.find(|c: char| c == '`' || c.is_whitespace()).unwrap_or(rest.len());
            let name = rest[..stop].to_owned();
            let end = start + 1 + stop;
            if rest[stop..].starts_with('`') {
                self.at = end + 1;
            } else {
                self.at = end;
                self.error(start, end, SchemaErrorKind::UnclosedBacktick);
            }
            return Some(Spanned::new(name, range(start, self.at)));
        }
        let bare = |c: char| c.is_alphanumeric() || "._*<>+-'".contains(c);
        let rest = &self.text[start..];
        let len = rest.find(|c: char| !bare(c)).unwrap_or(rest.len());
        if len == 0 {
            match self.peek()? {
                ',' => self.error(start, start + 1, SchemaErrorKind::MissingName),
                c => self.stray(start + c.len_utf8(), SchemaErrorKind::InvalidCharacter(c)),
            }
            return None;
        }
        self.at = start + len;
        Some(Spanned::new(rest[..len].to_owned(), range(start, self.at)))
    }

    fn jsonpath(&mut self, column: &mut Column) {
        let start = self.at;
        let rest = &self.text[start + 1..];
        let stop = rest.find(['`', '\n']).unwrap_or(rest.len());
        let body = rest[..stop].to_owned();
        let closed = rest[stop..].starts_with('`');
        self.at = start + 1 + stop + usize::from(closed);
        if !closed {
            return self.error(start, self.at, SchemaErrorKind::UnclosedBacktick);
        }
        match body.strip_prefix("json:") {
            Some(path) => {
                column.jsonpath = Some(Spanned::new(path.to_owned(), range(start + 6, start + 1 + stop)));
            }
            None => {
                let end = self.at;
                self.at = start;
                self.stray(end, SchemaErrorKind::UnexpectedItem(format!("`{body}`")));
            }
        }
    }

    fn item(&mut self, column: &mut Column) {
        let start = self.at;
        let len = self.word_len();
        if len == 0 {
            let c = self.peek().unwrap_or(' ');
            let kind = match c {
                '(' | ')' | '\'' | '"' | '[' | ']' => SchemaErrorKind::UnexpectedItem(c.to_string()),
                c => SchemaErrorKind::InvalidCharacter(c),
            };
            return self.stray(start + c.len_utf8(), kind);
        }
        let word = self.text[start..start + len].to_ascii_uppercase();
        let after = start + len;
        match word.as_str() {
            "DEFAULT" => {
                self.at = after;
                let value = self.expression();
                match value {
                    Some(_) if column.default.is_some() => {
                        self.error(start, after, SchemaErrorKind::RepeatedDefault);
                    }
                    Some(value) => {
                        if column.codec.is_some() {
                            self.error(start, after, SchemaErrorKind::CodecBeforeDefault);
                        }
                        column.default = Some(value);
                    }
                    None => self.error(start, after, SchemaErrorKind::MissingValue("DEFAULT")),
                }
            }
            "CODEC" => {
                self.at = after;
                self.skip_space();
                if self.peek() != Some('(') {
                    return self.error(start, after, SchemaErrorKind::MissingValue("CODEC"));
                }
                let open = self.at;
                self.balanced();
                let inner = range(open + 1, self.at.saturating_sub(1).max(open + 1));
                column.codec = Some(Spanned::new(self.text[inner].to_owned(), inner));
            }
            "NULL" => {
                self.at = after;
                self.error(start, after, SchemaErrorKind::NullModifier { not: false });
            }
            "NOT"
                if self.text[after..]
                    .trim_start()
                    .get(..4)
                    .is_some_and(|w| w.eq_ignore_ascii_case("null")) =>
            {
                let end = self.text.len() - self.text[after..].trim_start().len() + 4;
                self.at = end;
                self.error(start, end, SchemaErrorKind::NullModifier { not: true });
            }
            "MATERIALIZED" | "ALIAS" | "TTL" | "EPHEMERAL"
                if column.ty.is_some() || word == "MATERIALIZED" =>
            {
                self.at = after;
                self.error(start, after, SchemaErrorKind::UnsupportedModifier(word));
                self.expression();
            }
            _ => self.type_or_stray(column, start, after),
        }
    }

    fn type_or_stray(&mut self, column: &mut Column, start: usize, after: usize) {
        self.at = after;
        // `Array (String)` is one type; so is `Array(String)`.
        let mark = self.at;
        self.skip_space();
        let closed = if self.peek() == Some('(') {
            self.balanced()
        } else {
            self.at = mark;
            true
        };
        let (end, text) = (self.at, self.text[start..self.at].to_owned());
        if column.ty.is_some() {
            self.at = start;
            return self.stray(end, SchemaErrorKind::UnexpectedItem(text));
        }
        if closed {
            check_type(&text, start, &mut self.out.errors);
        }
        column.ty = Some(Spanned::new(text, range(start, end)));
    }

    /// Consumes from `(` to its partner; without one, to the comma that ends the line.
    fn balanced(&mut self) -> bool {
        let start = self.at;
        let line_end = self.line_end();
        let line_end = start + self.text[start..line_end].trim_end().trim_end_matches(',').trim_end().len();
        let mut depth = 0usize;
        // A partner stands near; when several had none, the file is broken and none is looked for beyond the line.
        let limit = if self.unclosed < MAX_UNCLOSED { start + MAX_LOOKAHEAD } else { line_end };
        while let Some(c) = self.peek().filter(|_| self.at < limit) {
            match c {
                '\'' | '"' => {
                    self.quoted(c);
                    continue;
                }
                '(' => depth += 1,
                ')' => depth = depth.saturating_sub(1),
                _ => {}
            }
            self.at += c.len_utf8();
            if depth == 0 {
                return true;
            }
        }
        self.at = line_end.max(start + 1);
        self.unclosed += 1;
        self.error(start, start + 1, SchemaErrorKind::UnclosedParenthesis);
        false
    }

    fn quoted(&mut self, quote: char) {
        let start = self.at;
        match self.text[start + 1..].find(quote) {
            Some(n) => {
                self.at = start + 1 + n + 1;
                if self.spanning_quote.is_none() && self.text[start..self.at].contains('\n') {
                    self.spanning_quote = Some(start);
                }
            }
            None => {
                self.at = self.line_end();
                // An odd number of quotes: the one that took a later one for its partner is the likely fault.
                let start = self.spanning_quote.unwrap_or(start);
                self.error(start, start + 1, SchemaErrorKind::UnclosedQuote(quote));
            }
        }
    }

    /// Consumes an expression up to a top-level comma, a JSONPath or a keyword.
    fn expression(&mut self) -> Option<Spanned<String>> {
        self.skip_space();
        let start = self.at;
        let mut brackets = 0usize;
        while let Some(c) = self.peek() {
            match c {
                ',' if brackets == 0 => break,
                ',' => {
                    let why =
                        "a comma inside [ ] splits the column in the vendor's parser; write array(1, 2)";
                    self.error(self.at, self.at + 1, SchemaErrorKind::NotPortable(why));
                    self.at += 1;
                }
                '[' | ']' => {
                    brackets = if c == '[' { brackets + 1 } else { brackets.saturating_sub(1) };
                    self.at += 1;
                }
                '`' if self.text[self.at..].starts_with("`json:") => break,
                // A backtick on a new line starts the next column; its comma is missing.
                '`' if self.text[start..self.at].trim_end_matches([' ', '\t']).ends_with('\n') => break,
                '\'' | '"' => self.quoted(c),
                '#' => self.stray(self.at, SchemaErrorKind::HashComment),
                '(' => {
                    self.balanced();
                }
                '|' => {
                    let why = "the vendor's parser refuses | outside quotes; write concat(a, b)";
                    let rest = &self.text[self.at..];
                    let len = rest.find(|c| c != '|').unwrap_or(rest.len());
                    self.error(self.at, self.at + len, SchemaErrorKind::NotPortable(why));
                    self.at += len;
                }
                c if INVALID.contains(&c) => {
                    let rest = &self.text[self.at..];
                    let len = rest.find(|c| !INVALID.contains(&c)).unwrap_or(rest.len());
                    self.error(self.at, self.at + len, SchemaErrorKind::InvalidCharacter(c));
                    self.at += len;
                }
                c if c.is_alphabetic() || c == '_' => {
                    let len = self.word_len();
                    let word = self.text[self.at..self.at + len].to_ascii_uppercase();
                    if self.at > start && matches!(&*word, "CODEC" | "DEFAULT") {
                        break;
                    }
                    self.at += len;
                }
                c => self.at += c.len_utf8(),
            }
        }
        let text = self.text[start..self.at].trim_end();
        let end = start + text.len();
        self.at = end;
        (!text.is_empty()).then(|| Spanned::new(text.to_owned(), range(start, end)))
    }
}

#[cfg(test)]
mod tests;
