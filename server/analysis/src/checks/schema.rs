//! `SCHEMA`, `INDEXES` and `FORWARD_QUERY` of a data source (specification §4.2, §4.3, §4.6, §13.3).

use std::cell::LazyCell;
use std::collections::hash_map::Entry;

use headwater_catalog::{Type, TypeError};
use headwater_syntax::datafile::SourcedEntry;
use headwater_syntax::indexes::{self, INDEX_TYPES};
use headwater_syntax::line::lines;
use headwater_syntax::schema::{Column, Schema, SchemaError, SchemaErrorKind, TYPE_FAMILIES, parse};
use headwater_syntax::{Directive, TextRange, TextSize, range};
use rustc_hash::FxHashMap;

use super::connection::first_line;
use super::values::{has_open_include, has_slip_of, list};
use super::{Context, Remedy, Sink, nearest};
use crate::codes::{self, Code};

pub(super) fn check(cx: &Context<'_>, sink: &mut Sink<'_>) {
    match cx.file.last(Directive::Schema) {
        Some(entry) => schema(cx, sink, entry),
        None => missing(cx, sink),
    }
    let indexes = cx.file.entries.iter().rfind(|e| {
        e.entry.valid_here && matches!(e.entry.directive, Some(Directive::Indexes | Directive::Indices))
    });
    if let Some(entry) = indexes {
        index_block(cx, sink, entry);
    }
    if let Some(entry) = cx.file.last(Directive::ForwardQuery).filter(|e| e.entry.valid_here) {
        forward_query(cx, sink, entry);
    }
}

fn missing(cx: &Context<'_>, sink: &mut Sink<'_>) {
    if !has_open_include(cx) && !has_slip_of(cx, "SCHEMA") {
        let message = "a data source needs a SCHEMA; write `SCHEMA >` and one column per line below it";
        sink.push(&codes::MISSING_SCHEMA, first_line(cx.file.text()), message.to_owned());
    }
}

/// Whether a directive stands on one line in a form that does not survive the format's own splitting of words.
fn is_bare_inline(cx: &Context<'_>, entry: &SourcedEntry) -> bool {
    let e = &entry.entry;
    e.block.is_none() && !e.args.is_empty() && !cx.text(entry)[e.args_range()].starts_with(['"', '\''])
}

fn schema(cx: &Context<'_>, sink: &mut Sink<'_>, entry: &SourcedEntry) {
    if is_bare_inline(cx, entry) {
        let message = "a schema on one line must stand in quotes as a whole; better write `SCHEMA >` and the columns below";
        sink.at(entry, &codes::SCHEMA_SYNTAX, entry.entry.args_range(), message.to_owned());
        return;
    }
    let body = entry.entry.body(cx.text(entry));
    let schema = parse(&body.text);
    let templated = TemplatedLines::new(&body.text);
    for error in schema.errors.iter().filter(|e| !templated.contains(e.range)) {
        // A swallowed `INDEXES>` is reported as that.
        if body.text[usize::from(error.range.end())..].starts_with('>') {
            continue;
        }
        if let Some((code, message)) = explain(cx, &schema, error) {
            let near = match &error.kind {
                SchemaErrorKind::UnknownType(word) => nearest(word, TYPE_FAMILIES.iter().copied()),
                _ => None,
            };
            let remedy = remedy(&schema, error);
            sink.in_body(entry, &body, code, error.range, message).meant(near).remedy(remedy);
        }
    }
    let line_ends = LazyCell::new(|| lines(cx.text(entry)).map(|l| l.next).collect::<Vec<_>>());
    let mut seen: FxHashMap<&str, &Column> = FxHashMap::default();
    for column in &schema.columns {
        match seen.entry(column.name.value.as_str()) {
            Entry::Occupied(first) => {
                let first = *first.get();
                let at = u32::from(body.offset_to_source(first.name.range.start()));
                let line = line_ends.partition_point(|end| *end <= at) + 1;
                let name = &first.name.value;
                let message =
                    format!("the column `{name}` is defined in line {line} already; rename or remove one");
                sink.in_body(entry, &body, &codes::DUPLICATE_COLUMN, column.name.range, message);
            }
            Entry::Vacant(place) => {
                place.insert(column);
            }
        }
        if let Some(ty) = &column.ty
            && let Err(refused @ (TypeError::NotInside(..) | TypeError::UnknownAggregate(_))) =
                Type::parse(&ty.value)
            && !schema.errors.iter().any(|error| column.range.contains_range(error.range))
        {
            let message = format!("{refused}; write a type that the engine can make a column of");
            sink.in_body(entry, &body, &codes::SCHEMA_TYPE, ty.range, message);
        }
        if let Some((reason, remedy)) = jsonpath_fault(column) {
            let place = column.jsonpath.as_ref().map_or(column.range, |p| p.range);
            // An empty path has no width to show.
            let place = if place.is_empty() { column.range } else { place };
            sink.in_body(entry, &body, &codes::INVALID_JSONPATH, place, reason).remedy(remedy);
        }
    }
    super::jsonpath::check(&schema, entry, &body, sink);
}

/// The lines into which something is substituted before the product parses them.
struct TemplatedLines(Vec<TextRange>);

impl TemplatedLines {
    fn new(text: &str) -> Self {
        let mut start = 0;
        let lines = text.split_inclusive('\n').map(|line| {
            start += line.len();
            (range(start - line.len(), start), line)
        });
        Self(lines.filter(|(_, line)| line.contains("{{")).map(|(place, _)| place).collect())
    }

    /// O(log lines).
    fn contains(&self, place: TextRange) -> bool {
        let n = self.0.partition_point(|line| line.end() <= place.start());
        self.0.get(n).is_some_and(|line| line.start() <= place.start())
    }
}

/// The column that a fault stands in.
fn column_of<'a>(schema: &'a Schema, error: &SchemaError) -> Option<&'a Column> {
    let after = schema.columns.partition_point(|c| c.range.start() <= error.range.start());
    schema.columns[..after].last().filter(|c| c.range.contains_range(error.range))
}

fn remedy(schema: &Schema, error: &SchemaError) -> Option<Remedy> {
    match &error.kind {
        SchemaErrorKind::MissingComma => Some(Remedy::Comma),
        SchemaErrorKind::NullModifier { not: false } => {
            let ty = &column_of(schema, error)?.ty.as_ref()?.value;
            Some(Remedy::ColumnType(format!("Nullable({ty})")))
        }
        _ => None,
    }
}

fn explain(cx: &Context<'_>, schema: &Schema, error: &SchemaError) -> Option<(&'static Code, String)> {
    use SchemaErrorKind as K;
    let column = column_of(schema, error);
    let name = column.map_or("x", |c| c.name.value.as_str());
    let ty = column.and_then(|c| c.ty.as_ref()).map_or("String", |t| t.value.as_str());
    Some(match &error.kind {
        K::NullModifier { not: false } => (
            &codes::SCHEMA_MODIFIER,
            format!("NULL behind a type is not accepted; write `{name} Nullable({ty})`"),
        ),
        K::NullModifier { not: true } => {
            let message =
                "NOT NULL is not accepted, and not needed: only Nullable columns hold NULL; remove it";
            (&codes::SCHEMA_MODIFIER, message.to_owned())
        }
        K::UnsupportedModifier(word) if word == "MATERIALIZED" && !cx.is_forward() => return None,
        K::UnsupportedModifier(word) => {
            let instead = match word.as_str() {
                "TTL" => "rows expire together: use ENGINE_TTL",
                "MATERIALIZED" => "use DEFAULT, or compute the column in a materialized pipe",
                _ => "compute the column in a pipe",
            };
            (&codes::SCHEMA_MODIFIER, format!("columns cannot have {word}; {instead}"))
        }
        K::BooleanType => (&codes::SCHEMA_TYPE, "`Boolean` is not accepted; write `Bool`".to_owned()),
        K::DateTime64Precision => {
            let message = "`DateTime64` needs a precision; write `DateTime64(3)` for milliseconds";
            (&codes::SCHEMA_TYPE, message.to_owned())
        }
        K::IntWidth(word) => {
            (&codes::SCHEMA_TYPE, format!("`{word}` needs a width; write `{word}32` or `{word}64`"))
        }
        K::UnknownType(word) => {
            let hint = nearest(word, TYPE_FAMILIES.iter().copied());
            let hint = hint.map_or_else(
                || "see the ClickHouse data types; a comma may be missing before it".to_owned(),
                |t| format!("did you mean `{t}`?"),
            );
            (&codes::SCHEMA_TYPE, format!("`{word}` is no data type; {hint}"))
        }
        K::NotPortable(why) => (&codes::SCHEMA_NOT_PORTABLE, (*why).to_owned()),
        K::HashComment => {
            let message =
                "`#` starts a comment only at the start of a line; here it breaks the schema: use `--`";
            (&codes::SCHEMA_COMMENT, message.to_owned())
        }
        K::CommentInQuotes(quote) => {
            let message =
                format!("`--` cuts the line even between {quote} and {quote}; write the value without it");
            (&codes::SCHEMA_COMMENT, message)
        }
        kind => (&codes::SCHEMA_SYNTAX, syntax_message(kind, name)),
    })
}

fn syntax_message(kind: &SchemaErrorKind, name: &str) -> String {
    use SchemaErrorKind as K;
    match kind {
        K::MissingType => {
            format!("the column `{name}` has no type; write `{name} String`, or give it a DEFAULT")
        }
        K::MissingName => "there is no column before this comma; remove one of the commas".to_owned(),
        K::MissingComma => "a comma is missing before this column; end the line above with one".to_owned(),
        K::UnclosedBacktick => {
            "this backtick is never closed; close it, without white space inside".to_owned()
        }
        K::UnclosedQuote(_) => "this quote is never closed; close it".to_owned(),
        K::UnclosedParenthesis => "this parenthesis is never closed; close it".to_owned(),
        K::InvalidCharacter(c) => {
            format!("`{c}` is not accepted here; names may stand in backticks, text in single quotes")
        }
        K::RepeatedDefault => "the column has a DEFAULT already; keep one".to_owned(),
        K::CodecBeforeDefault => "DEFAULT stands before CODEC; swap them".to_owned(),
        K::MissingValue(word) => format!("nothing follows {word}; give its value or remove the word"),
        K::IndexColumn => {
            "indexes are not columns: move this line to an `INDEXES >` block, without the word INDEX"
                .to_owned()
        }
        K::UnexpectedItem(text) => format!(
            "{text} is not expected here: a column is a name, a type, a JSONPath, DEFAULT and CODEC, and ends with a comma"
        ),
        K::NotRead => "too many columns or faults for a schema; the rest of the block is not read".to_owned(),
        other => format!("{other:?}"),
    }
}

/// What the product does not read in a column's JSONPath, and what it would read.
fn jsonpath_fault(column: &Column) -> Option<(String, Option<Remedy>)> {
    let path = &column.jsonpath.as_ref()?.value;
    if path.contains("{{") {
        return None;
    }
    let Some(rest) = path.strip_prefix('$') else {
        let key = path.trim_start_matches('.');
        let key = if key.is_empty() { &column.name.value } else { key };
        // An empty path has no place that could be replaced.
        let remedy = (!path.is_empty()).then(|| Remedy::Replace(format!("$.{key}")));
        let message = format!("a JSONPath starts with `$`, which stands for the row; write `json:$.{key}`");
        return Some((message, remedy));
    };
    let plain = without_quoted_keys(rest);
    let arrays = plain.matches("[:]").count();
    let array_like = |ty: &str| ["Array(", "Nested", "JSON", "Array ("].iter().any(|t| ty.contains(t));
    if let Some(index) = array_index(&plain) {
        let message = format!(
            "`{index}` picks one element, which JSONPaths here cannot; import the whole array with `[:]`"
        );
        return Some((message, None));
    }
    if arrays > 1 {
        let message =
            "only one `[:]` is read per path; import the outer array as it is, or flatten it before";
        return Some((message.to_owned(), None));
    }
    if plain.contains(char::is_whitespace) {
        let without = path.split_whitespace().collect::<String>();
        let remedy = (!path.contains(['\'', '"'])).then_some(Remedy::Replace(without));
        return Some(("a JSONPath holds no white space; remove it".to_owned(), remedy));
    }
    let ty = &column.ty.as_ref().filter(|t| arrays == 1 && !array_like(&t.value))?.value;
    let message = format!("`[:]` reads an array, and the column is {ty}; write `Array({ty})`");
    Some((message, Some(Remedy::ColumnType(format!("Array({ty})")))))
}

/// The path with the insides of `'…'` and `"…"` taken out.
fn without_quoted_keys(path: &str) -> String {
    let mut open = None;
    let mut out = String::new();
    for c in path.chars() {
        match open {
            Some(quote) if c == quote => open = None,
            Some(_) => {}
            None if c == '\'' || c == '"' => open = Some(c),
            None => out.push(c),
        }
    }
    out
}

/// The first `[0]` of a path.
fn array_index(path: &str) -> Option<&str> {
    path.match_indices('[').find_map(|(at, _)| {
        let inner = path[at + 1..].split_once(']')?.0;
        let is_number = !inner.is_empty() && inner.chars().all(|c| c.is_ascii_digit());
        is_number.then(|| &path[at..at + inner.len() + 2])
    })
}

fn index_block(cx: &Context<'_>, sink: &mut Sink<'_>, entry: &SourcedEntry) {
    if is_bare_inline(cx, entry) {
        let message = "indexes on one line must stand in quotes as a whole; better write `INDEXES >` and one per line below";
        sink.at(entry, &codes::INVALID_INDEX, entry.entry.args_range(), message.to_owned());
        return;
    }
    let body = entry.entry.body(cx.text(entry));
    let (indexes, errors) = indexes::parse(&body.text);
    let templated = TemplatedLines::new(&body.text);
    for error in errors.iter().filter(|e| !templated.contains(e.range)) {
        let message = format!("{}; an index is `name expression TYPE type GRANULARITY n`", error.reason);
        sink.in_body(entry, &body, &codes::INVALID_INDEX, error.range, message);
    }
    for index in &indexes {
        let ty = index.ty.value.split('(').next().unwrap_or_default().trim();
        if !INDEX_TYPES.iter().any(|t| t.eq_ignore_ascii_case(ty)) && !ty.contains("{{") {
            let near = nearest(ty, INDEX_TYPES.iter().copied());
            let hint = match near {
                Some(t) => format!("did you mean `{t}`?"),
                None => format!("use {}", list(INDEX_TYPES)),
            };
            let place = TextRange::at(index.ty.range.start(), TextSize::of(ty));
            let message = format!("`{ty}` is no index type of the product; {hint}");
            sink.in_body(entry, &body, &codes::INDEX_TYPE, place, message).meant(near);
        }
        let name = &index.name.value;
        let eaten = name.len() - name.trim_start_matches(['I', 'N', 'D', 'E', 'X']).len();
        if let Some(word) = index.index_word.filter(|_| eaten > 0) {
            let left = match &name[eaten..] {
                "" => "nothing".to_owned(),
                rest => format!("`{rest}`"),
            };
            let message = format!(
                "with the word INDEX before it, the vendor's parser makes {left} of `{name}`; remove the word"
            );
            sink.in_body(entry, &body, &codes::INDEX_WORD, word, message);
        }
    }
}

fn forward_query(cx: &Context<'_>, sink: &mut Sink<'_>, entry: &SourcedEntry) {
    let Some(block) = &entry.entry.block else { return };
    let body = block.text(cx.text(entry));
    let text = &*body.text;
    let words = top_level_words(text);
    let Some((place, first)) = words.first().filter(|_| !text.contains("{{") && !text.contains("{%")) else {
        return;
    };
    if first.starts_with(['\'', '"', '`']) {
        let message = "the query stands in quotes, so it is text and no query; remove them";
        sink.in_body(entry, &body, &codes::FORWARD_QUERY_SHAPE, *place, message.to_owned());
        return;
    }
    let is = |word: &str, names: &[&str]| names.iter().any(|n| n.eq_ignore_ascii_case(word));
    if !is(first, &["SELECT", "WITH"]) {
        let message = format!(
            "FORWARD_QUERY starts with SELECT, not with `{first}`; list every column of the new schema"
        );
        sink.in_body(entry, &body, &codes::FORWARD_QUERY_SHAPE, *place, message);
        return;
    }
    let clause = |w: &&(TextRange, &str)| is(w.1, &["FROM", "WHERE", "PREWHERE"]);
    if let Some((place, word)) = words.iter().find(clause) {
        let upper = word.to_ascii_uppercase();
        let message = format!(
            "FORWARD_QUERY has no {upper}: the product reads the live table by itself; end the query before it"
        );
        sink.in_body(entry, &body, &codes::FORWARD_QUERY_SHAPE, *place, message);
    }
}

/// Words, and quoted text as one, outside parentheses and comments. Linear.
fn top_level_words(text: &str) -> Vec<(TextRange, &str)> {
    let (mut out, mut at, mut depth) = (Vec::new(), 0, 0i32);
    while let Some(c) = text[at..].chars().next() {
        let rest = &text[at..];
        let len = match c {
            '-' if rest.starts_with("--") => rest.find('\n').unwrap_or(rest.len()),
            '/' if rest.starts_with("/*") => rest.find("*/").map_or(rest.len(), |n| n + 2),
            '\'' | '"' | '`' => rest[1..].find(c).map_or(rest.len(), |n| n + 2),
            c if c.is_alphanumeric() || c == '_' => {
                rest.find(|c: char| !(c.is_alphanumeric() || c == '_')).unwrap_or(rest.len())
            }
            c => c.len_utf8(),
        };
        match c {
            '(' | '[' => depth += 1,
            ')' | ']' => depth -= 1,
            c if depth == 0 && (c.is_alphanumeric() || "_'\"`".contains(c)) => {
                out.push((range(at, at + len), &text[at..at + len]));
            }
            _ => {}
        }
        at += len;
    }
    out
}
