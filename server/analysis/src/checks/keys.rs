//! Keys, expiry and defaults of a data source: what they name must be there, and what they compute must fit (specification
//! §4.2, §4.5).

use std::sync::Arc;

use headwater_catalog::Type;
use headwater_syntax::datafile::SourcedEntry;
use headwater_syntax::{Directive, FileKind, schema};

use super::{Diagnostic, Sink, query};
use crate::codes;
use crate::db::Db;
use crate::inputs::{Content, File};
use crate::parse::{Parsed, datafile};
use crate::query::{Facts, FaultKind, Relation, analyze_expressions, insertable, may_be_read_as};
use crate::semantics::relation;

/// Directives that hold expressions over the data source's columns.
const EXPRESSIONS: &[Directive] = &[
    Directive::EngineSortingKey,
    Directive::EnginePartitionKey,
    Directive::EnginePrimaryKey,
    Directive::EngineSamplingKey,
    Directive::EngineTtl,
];

/// Directives that hold names of columns.
const COLUMNS: &[Directive] =
    &[Directive::EngineVer, Directive::EngineVersion, Directive::EngineSign, Directive::EngineIsDeleted];

/// The faults of a data source's expressions.
#[salsa::tracked]
pub(super) fn key_faults(db: &dyn Db, file: File) -> Arc<Vec<Diagnostic>> {
    let mut out = Vec::new();
    if file.kind(db) == Some(FileKind::Datasource) && matches!(file.content(db), Content::Text(_)) {
        let parsed = datafile(db, file);
        let shape = relation(db, file);
        let mut sink = Sink::new(parsed, &mut out);
        if shape.complete {
            for directive in EXPRESSIONS {
                let entry = parsed.datafile.last(*directive).filter(|e| e.entry.valid_here);
                if let Some(entry) = entry {
                    key(parsed, entry, shape, *directive, &mut sink);
                }
            }
            for directive in COLUMNS {
                let entry = parsed.datafile.last(*directive).filter(|e| e.entry.valid_here);
                if let Some(entry) = entry {
                    column(parsed, entry, shape, *directive, &mut sink);
                }
            }
            super::engine_columns::check(parsed, shape, &mut sink);
        }
        defaults(parsed, shape, &mut sink);
    }
    Arc::new(out)
}

fn key(
    parsed: &Parsed,
    entry: &SourcedEntry,
    shape: &Arc<Relation>,
    directive: Directive,
    sink: &mut Sink<'_>,
) {
    let body = entry.entry.body(parsed.datafile.source_of(entry));
    let Some((text, facts)) = facts_of(&body.text, shape) else { return };
    for fault in &facts.faults {
        let meant = query::meant_by(&fault.kind).map(str::to_owned);
        let message = match &fault.kind {
            FaultKind::UnknownColumn { name, suggestion, .. } => {
                let hint = suggestion.as_ref().map_or_else(
                    || "name a column of its SCHEMA".to_owned(),
                    |near| format!("did you mean `{near}`?"),
                );
                format!("{} names `{name}`, which is no column of this data source; {hint}", directive.name())
            }
            // The product has a check of its own for these.
            FaultKind::MisplacedAggregate { .. } => continue,
            other => query::describe(other).1.replacen("{when}", "", 1),
        };
        sink.in_body(entry, &body, &codes::KEY_COLUMN, fault.range, message).meant(meant);
    }
    if directive == Directive::EngineTtl && facts.faults.is_empty() {
        for column in &facts.columns {
            let is_date = column.ty.as_ref().is_none_or(|ty| {
                matches!(ty.bare(), Type::Date | Type::Date32 | Type::DateTime(_) | Type::DateTime64(..))
            });
            if !is_date {
                let ty = column.ty.as_ref().map_or_else(String::new, Type::to_string);
                let message = format!(
                    "ENGINE_TTL needs a date, and `{}` is {ty}; add an interval to a column of type Date or DateTime",
                    &text[column.range]
                );
                sink.in_body(entry, &body, &codes::KEY_COLUMN, column.range, message);
            }
        }
    }
}

fn column(
    parsed: &Parsed,
    entry: &SourcedEntry,
    shape: &Relation,
    directive: Directive,
    sink: &mut Sink<'_>,
) {
    let text = parsed.datafile.source_of(entry);
    let Some(value) = entry.entry.value(text) else { return };
    let name = value.trim().trim_matches('`');
    if name.is_empty() || name.contains(['{', '$']) || shape.column(name).is_some() {
        return;
    }
    let names = shape.columns.iter().filter_map(|c| c.name.as_deref());
    let near = super::nearest(name, names);
    let hint = near
        .map_or_else(|| "name a column of its SCHEMA".to_owned(), |near| format!("did you mean `{near}`?"));
    let message =
        format!("{} names `{name}`, which is no column of this data source; {hint}", directive.name());
    sink.at(entry, &codes::KEY_COLUMN, entry.entry.args_range(), message).meant(near);
}

/// A DEFAULT must be something that its column can hold.
fn defaults(parsed: &Parsed, shape: &Arc<Relation>, sink: &mut Sink<'_>) {
    let Some(entry) = parsed.datafile.last(Directive::Schema).filter(|e| e.entry.valid_here) else { return };
    let body = entry.entry.body(parsed.datafile.source_of(entry));
    for column in schema::parse(&body.text).columns {
        let Some(default) = &column.default else { continue };
        let Some((_, facts)) = facts_of(&default.value, shape) else { continue };
        for fault in &facts.faults {
            let reason = query::describe(&fault.kind).1.replacen("{when}", "", 1);
            let message = format!("this DEFAULT fails: {reason}");
            sink.in_body(entry, &body, &codes::COLUMN_DEFAULT, default.range, message);
        }
        let own = column.ty.as_ref().and_then(|ty| Type::parse(&ty.value).ok());
        let (Some(own), Some(given)) = (own, facts.columns.first().and_then(|c| c.ty.clone())) else {
            continue;
        };
        if let Some(text) = plain_text(&default.value).filter(|text| !is_default(text, &own)) {
            let message = format!(
                "`{}` is {own}, and '{text}' cannot be read as that; write a value of its type",
                column.name.value
            );
            sink.in_body(entry, &body, &codes::COLUMN_DEFAULT, default.range, message);
            continue;
        }
        // A text is read as the column's type.
        if !given.is_string() && insertable(&given, &own) == Some(false) {
            let message = format!(
                "`{}` is {own}, and its DEFAULT is {given}, which does not convert; write a value of its type",
                column.name.value
            );
            sink.in_body(entry, &body, &codes::COLUMN_DEFAULT, default.range, message);
        }
    }
}

/// The text of a default that is one literal, without escapes.
fn plain_text(default: &str) -> Option<&str> {
    let text = default.trim().strip_prefix('\'')?.strip_suffix('\'')?;
    (!text.contains(['\'', '\\'])).then_some(text)
}

/// Whether the engine may read a text as a default of the type, when it makes the table.
fn is_default(text: &str, ty: &Type) -> bool {
    match ty {
        // It is read when a row needs it.
        ty if ty.is_nullable() => true,
        // No text is cast to one.
        Type::Map(_) => false,
        // What follows the date is passed over here.
        Type::Date | Type::Date32 => may_be_read_as(text.get(..10).unwrap_or(text), ty),
        Type::Enum8(names) | Type::Enum16(names) => names.iter().any(|(name, _)| **name == *text),
        ty => may_be_read_as(text, ty),
    }
}

fn facts_of(text: &str, shape: &Arc<Relation>) -> Option<(String, Facts)> {
    if text.trim().is_empty() || text.contains("{{") || text.contains("{%") {
        return None;
    }
    Some((text.to_owned(), analyze_expressions(text, shape.clone())?))
}
