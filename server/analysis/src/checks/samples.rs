//! Sample rows against the schema that they are for: rows that the product puts into quarantine (specification §4.3, §16.4,
//! §19.5).

use std::sync::Arc;

use headwater_catalog::Type;
use headwater_syntax::schema::{Column, parse};
use headwater_syntax::{Directive, FileKind, TextRange, range};
use headwater_template::Value;

use super::{Diagnostic, Related, Remedy, Sink};
use crate::codes;
use crate::db::Db;
use crate::facts::resource_name;
use crate::inputs::{Content, File};
use crate::parse::datafile;
use crate::query::is_scalar;

/// Rows of a sample that are looked at.
const MAX_ROWS: usize = 1_000;

/// Columns of a schema that are looked at.
const MAX_COLUMNS: usize = 1_000;

/// The columns of a data source that rows of `fixtures/<name>.ndjson` do not fit. Depends on no other file.
#[salsa::tracked]
pub(super) fn sample_faults(db: &dyn Db, file: File) -> Arc<Vec<Diagnostic>> {
    let mut out = Vec::new();
    let is_datasource = file.kind(db) == Some(FileKind::Datasource);
    let Some(sample) = sample_of(db, file).filter(|_| is_datasource) else { return Arc::new(out) };
    let (Content::Text(_), Content::Text(rows)) = (file.content(db), sample.content(db)) else {
        return Arc::new(out);
    };
    let parsed = datafile(db, file);
    let Some(entry) = parsed.datafile.last(Directive::Schema).filter(|e| e.entry.valid_here) else {
        return Arc::new(out);
    };
    let body = entry.entry.body(parsed.datafile.source_of(entry));
    let schema = parse(&body.text);
    let rows = read(rows);
    let mut sink = Sink::new(parsed, &mut out);
    for column in schema.columns.iter().take(MAX_COLUMNS) {
        let Some((path, ty)) = fed(column) else { continue };
        let bad: Vec<(&Row, String, Misfit)> = rows
            .iter()
            .filter_map(|row| {
                let (why, kind) = misfit(column, &path, &ty, &row.value)?;
                Some((row, why, kind))
            })
            .collect();
        let Some((first, why, _)) = bad.first() else { continue };
        let message = format!(
            "row {} of {} {why}: such rows go to quarantine ({} of {} sample rows)",
            first.number,
            sample.path(db),
            bad.len(),
            rows.len()
        );
        let place = column.name.range;
        let diagnostic = sink.in_body(entry, &body, &codes::QUARANTINED_ROWS, place, message);
        diagnostic.related.push(Related { file: sample, range: first.range, message: "this row".to_owned() });
        diagnostic.remedy(fitting(&ty, bad.iter().map(|(_, _, kind)| *kind)).map(Remedy::ColumnType));
    }
    Arc::new(out)
}

/// What keeps a row's value out of a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Misfit {
    /// There is none.
    Missing,
    /// A text that is no value of the type.
    Text,
    /// An integer beyond the type.
    Beyond(i128),
    /// A list or an object.
    Several,
}

/// The type that takes all these rows as well; `None` where they do not agree on one.
fn fitting(ty: &Type, kinds: impl Iterator<Item = Misfit>) -> Option<String> {
    let kinds: Vec<Misfit> = kinds.collect();
    if kinds.iter().all(|k| *k == Misfit::Missing) {
        return Some(match ty {
            Type::LowCardinality(inner) => format!("LowCardinality(Nullable({inner}))"),
            ty => format!("Nullable({ty})"),
        });
    }
    if kinds.iter().all(|k| *k == Misfit::Text) {
        return Some(if ty.is_nullable() { "Nullable(String)" } else { "String" }.to_owned());
    }
    let numbers: Option<Vec<i128>> = kinds
        .iter()
        .map(|kind| match kind {
            Misfit::Beyond(number) => Some(*number),
            _ => None,
        })
        .collect();
    let numbers = numbers?;
    let (was_signed, was_bits) = ty.integer()?;
    let widths = [8, 16, 32, 64];
    let is_signed = was_signed || numbers.iter().any(|n| *n < 0);
    // A signed type of the same width has no room for the upper half.
    let least = if is_signed == was_signed { was_bits } else { was_bits + 1 };
    let takes = |bits: u16| numbers.iter().all(|n| fits((is_signed, bits), &n.to_string()));
    let bits = widths.into_iter().find(|bits| *bits >= least && takes(*bits))?;
    let name = format!("{}Int{bits}", if is_signed { "" } else { "U" });
    Some(if ty.is_nullable() { format!("Nullable({name})") } else { name })
}

fn sample_of(db: &dyn Db, file: File) -> Option<File> {
    let path = format!("fixtures/{}.ndjson", resource_name(db, file));
    let files = file.project(db).files(db);
    files.binary_search_by(|f| f.path(db).as_str().cmp(&path)).ok().map(|n| files[n])
}

struct Row {
    /// From 1, as editors count lines.
    number: usize,
    range: TextRange,
    value: Value,
}

/// The rows that are objects. What is no JSON is no row.
fn read(text: &str) -> Vec<Row> {
    let mut start = 0;
    let mut out = Vec::new();
    for (n, line) in text.split_inclusive('\n').enumerate() {
        let end = start + line.trim_end().len();
        if out.len() < MAX_ROWS
            && let Ok(value @ Value::Dict(_)) = Value::from_json(line)
        {
            out.push(Row { number: n + 1, range: range(start, end), value });
        }
        start += line.len();
    }
    out
}

/// The keys that lead to a column's value, and its type, where both are plain enough to be certain about.
fn fed(column: &Column) -> Option<(Vec<&str>, Type)> {
    let path = column.jsonpath.as_ref()?.value.strip_prefix("$.")?;
    let keys: Vec<&str> = path.split('.').collect();
    let is_plain =
        |key: &&str| !key.is_empty() && key.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    let ty = Type::parse(&column.ty.as_ref()?.value).ok()?;
    let holds_others = matches!(
        ty.bare(),
        Type::Array(_)
            | Type::Map(_)
            | Type::Tuple(_)
            | Type::Nested(_)
            | Type::Json(_)
            | Type::Dynamic(_)
            | Type::Variant(_)
            | Type::AggregateFunction(_)
            | Type::SimpleAggregateFunction(_)
    );
    (keys.iter().all(is_plain) && !holds_others).then_some((keys, ty))
}

/// Why a row goes to quarantine for the sake of a column.
fn misfit(column: &Column, path: &[&str], ty: &Type, row: &Value) -> Option<(String, Misfit)> {
    let name = &column.name.value;
    let key = path.join(".");
    let is_filled = ty.is_nullable() || column.default.is_some();
    let value = path.iter().try_fold(row, |value, key| match value {
        Value::Dict(entries) => {
            let is_it = |k: &Value| matches!(k, Value::Str(k) if **k == **key);
            entries.iter().find(|(k, _)| is_it(k)).map(|(_, value)| value)
        }
        _ => None,
    });
    match value {
        None if !is_filled => {
            let why = format!("has no `{key}`, and `{name}` is neither Nullable nor has a DEFAULT");
            Some((why, Misfit::Missing))
        }
        Some(Value::None) if !is_filled => {
            let why = format!("has null for `{key}`, and `{name}` is neither Nullable nor has a DEFAULT");
            Some((why, Misfit::Missing))
        }
        Some(Value::Str(text)) if is_word(text) && takes_no_words(ty.bare()) => {
            let shown: String = text.chars().take(40).collect();
            Some((format!("has \"{shown}\" for `{key}`, which is no {ty}"), Misfit::Text))
        }
        Some(Value::Int(number))
            if ty.integer().is_some_and(|width| !fits(width, &number.value.to_string())) =>
        {
            let beyond = number.value.to_string().parse().ok()?;
            Some((format!("has {} for `{key}`, which is beyond {ty}", number.value), Misfit::Beyond(beyond)))
        }
        Some(Value::List(_) | Value::Dict(_)) if !ty.bare().is_string() && !ty.bare().is_enum() => {
            Some((format!("has no single value for `{key}`, and `{name}` is {ty}"), Misfit::Several))
        }
        _ => None,
    }
}

/// Whether a text is certain to be no number, no date and no identifier, however leniently it is read.
fn is_word(text: &str) -> bool {
    const SPOKEN: &[&str] = &["true", "false", "null", "none", "nan", "inf", "infinity"];
    let is_spoken = SPOKEN.iter().any(|word| text.trim_start_matches(['-', '+']).eq_ignore_ascii_case(word));
    !is_spoken && text.chars().any(char::is_alphabetic) && !text.bytes().any(|b| b.is_ascii_digit())
}

fn takes_no_words(ty: &Type) -> bool {
    is_scalar(ty) && !matches!(ty, Type::Bool | Type::Ipv4 | Type::Ipv6)
}

/// Whether a number has room in so many bits. A JSON number of a sample has at most 64.
fn fits((is_signed, bits): (bool, u16), number: &str) -> bool {
    let Ok(number) = number.parse::<i128>() else { return true };
    let (low, high) = match (is_signed, bits) {
        (_, 128..) => return is_signed || number >= 0,
        (true, bits) => (-(1i128 << (bits - 1)), (1i128 << (bits - 1)) - 1),
        (false, bits) => (0, (1i128 << bits) - 1),
    };
    (low..=high).contains(&number)
}
