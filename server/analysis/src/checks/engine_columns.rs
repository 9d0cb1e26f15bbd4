//! Columns that an engine works with: the version, the sign, the mark of deletion, what is summed, and the primary key
//! (specification §4.5). The engine (26.7) makes no table that breaks these rules.

use headwater_catalog::{Kind, Type, find};
use headwater_syntax::datafile::SourcedEntry;
use headwater_syntax::{Directive, schema};

use super::Sink;
use crate::codes;
use crate::parse::Parsed;
use crate::query::Relation;

/// Checks them. The columns of the data source must be known.
pub(super) fn check(parsed: &Parsed, shape: &Relation, sink: &mut Sink<'_>) {
    let entry = |directive| parsed.datafile.last(directive).filter(|e: &&SourcedEntry| e.entry.valid_here);
    let engine = parsed.datafile.value(Directive::Engine).unwrap_or_default();
    for (directive, wanted, fits) in ROLES {
        if let Some(entry) = entry(*directive).filter(|_| engine.ends_with("MergeTree")) {
            role(parsed, entry, shape, *directive, wanted, *fits, sink);
        }
    }
    if let Some(entry) = entry(Directive::EngineColumns).filter(|_| engine == "SummingMergeTree") {
        summed(parsed, entry, shape, sink);
    }
    if let (Some(primary), Some(sorting)) =
        (entry(Directive::EnginePrimaryKey), entry(Directive::EngineSortingKey))
    {
        prefix(parsed, primary, sorting, sink);
    }
    for directive in [Directive::EngineSortingKey, Directive::EnginePartitionKey, Directive::EnginePrimaryKey]
    {
        if let Some(entry) = entry(directive) {
            changing(parsed, entry, directive, sink);
        }
    }
}

type Role = (Directive, &'static str, fn(&Type) -> bool);

/// Which types a column may have for what it does.
const ROLES: &[Role] = &[
    (Directive::EngineVer, "an unsigned number, a date or a time", is_version),
    (Directive::EngineVersion, "an unsigned number, a date or a time", is_version),
    (Directive::EngineSign, "Int8", |ty| *ty == Type::Int8),
    (Directive::EngineIsDeleted, "UInt8", |ty| *ty == Type::UInt8),
];

/// False for types that surely have no order of versions to the engine.
fn is_version(ty: &Type) -> bool {
    !matches!(
        ty,
        Type::String
            | Type::FixedString(_)
            | Type::Uuid
            | Type::Array(_)
            | Type::Map(_)
            | Type::Tuple(_)
            | Type::Json(_)
            | Type::AggregateFunction(_)
    )
}

fn role(
    parsed: &Parsed,
    entry: &SourcedEntry,
    shape: &Relation,
    directive: Directive,
    wanted: &str,
    fits: fn(&Type) -> bool,
    sink: &mut Sink<'_>,
) {
    let Some(value) = entry.entry.value(parsed.datafile.source_of(entry)) else { return };
    let name = value.trim().trim_matches('`');
    let Some(ty) = shape.column(name).and_then(|column| column.ty.as_ref()) else { return };
    if !fits(ty) {
        let message = format!(
            "{} needs {wanted}, and `{name}` is {ty}; change its type, or name another column",
            directive.name()
        );
        sink.at(entry, &codes::KEY_COLUMN, entry.entry.args_range(), message);
    }
}

fn summed(parsed: &Parsed, entry: &SourcedEntry, shape: &Relation, sink: &mut Sink<'_>) {
    let Some(value) = entry.entry.value(parsed.datafile.source_of(entry)) else { return };
    for name in value.trim_matches(['(', ')']).split(',').map(|name| name.trim().trim_matches('`')) {
        let is_name = !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || c == '_');
        if is_name && shape.column(name).is_none() {
            let near = super::nearest(name, shape.columns.iter().filter_map(|c| c.name.as_deref()));
            let hint = near.map_or_else(
                || "name columns of its SCHEMA".to_owned(),
                |near| format!("did you mean `{near}`?"),
            );
            let message =
                format!("ENGINE_COLUMNS names `{name}`, which is no column of this data source; {hint}");
            sink.at(entry, &codes::KEY_COLUMN, entry.entry.args_range(), message).meant(near);
            return;
        }
    }
}

/// The parts of a key, without blanks and quotes.
fn parts(text: &str) -> Vec<String> {
    let text = text.trim();
    let whole = text.strip_prefix("tuple(").or_else(|| text.strip_prefix('('));
    // `(a), (b)` is no key in parentheses.
    let inner = whole.and_then(|rest| rest.strip_suffix(')')).filter(|inner| is_balanced(inner));
    schema::split_arguments(inner.unwrap_or(text))
        .into_iter()
        .map(|(_, part)| part.chars().filter(|c| !c.is_whitespace() && *c != '`').collect())
        .filter(|part: &String| !part.is_empty())
        .collect()
}

fn is_balanced(text: &str) -> bool {
    let mut depth = 0i32;
    text.bytes().all(|b| {
        depth += i32::from(b == b'(') - i32::from(b == b')');
        depth >= 0
    })
}

/// The primary key is the beginning of the sorting key.
fn prefix(parsed: &Parsed, primary: &SourcedEntry, sorting: &SourcedEntry, sink: &mut Sink<'_>) {
    let value = |entry: &SourcedEntry| entry.entry.value(parsed.datafile.source_of(entry));
    let (Some(primary_text), Some(sorting_text)) = (value(primary), value(sorting)) else { return };
    if [&primary_text, &sorting_text].iter().any(|text| text.contains("{{") || text.contains('$')) {
        return;
    }
    let (primary_parts, sorting_parts) = (parts(&primary_text), parts(&sorting_text));
    if primary_parts.is_empty() || sorting_parts.is_empty() {
        return;
    }
    // Expressions can be written in several ways; plain names cannot.
    let is_plain = |part: &String| part.chars().all(|c| c.is_alphanumeric() || c == '_');
    let differs = |(one, other): (&String, &String)| one != other && is_plain(one) && is_plain(other);
    let is_other = primary_parts.iter().zip(&sorting_parts).any(differs);
    if is_other || primary_parts.len() > sorting_parts.len() {
        let message = format!(
            "the primary key must be the beginning of the sorting key ({}); write as many of its parts as you need, in its order",
            sorting_parts.join(", ")
        );
        sink.at(primary, &codes::PRIMARY_KEY, primary.entry.args_range(), message);
    }
}

/// A key must be the same whenever it is computed.
fn changing(parsed: &Parsed, entry: &SourcedEntry, directive: Directive, sink: &mut Sink<'_>) {
    let body = entry.entry.body(parsed.datafile.source_of(entry));
    if body.text.contains("{{") {
        return;
    }
    let is_part = |c: char| c.is_alphanumeric() || c == '_';
    let mut at = 0;
    while let Some(found) = body.text[at..].find('(') {
        let open = at + found;
        at = open + 1;
        let before = body.text[..open].trim_end();
        let start = before
            .rfind(|c| !is_part(c))
            .map_or(0, |n| n + before[n..].chars().next().map_or(1, char::len_utf8));
        let name = &before[start..];
        let is_changing =
            find(name).is_some_and(|f| f.kind() == Kind::Scalar && CHANGING.contains(&f.base()));
        if is_changing {
            let message = format!(
                "{} calls `{name}`, which gives another value each time; compute keys from columns alone",
                directive.name()
            );
            let range = headwater_syntax::range(start, before.len());
            sink.in_body(entry, &body, &codes::KEY_COLUMN, range, message);
        }
    }
}

/// Functions that the engine refuses in keys.
const CHANGING: &[&str] =
    &["generateUUIDv4", "generateUUIDv7", "now", "now64", "rand", "rand32", "rand64", "today", "yesterday"];
