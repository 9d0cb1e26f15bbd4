//! JSONPaths against what their columns hold (specification §4.3).

use headwater_catalog::Type;
use headwater_syntax::MappedText;
use headwater_syntax::datafile::SourcedEntry;
use headwater_syntax::schema::{Column, Schema};

use super::{Remedy, Sink};
use crate::codes;
use crate::query::is_scalar;

pub(super) fn check(schema: &Schema, entry: &SourcedEntry, body: &MappedText, sink: &mut Sink<'_>) {
    for column in &schema.columns {
        let Some(path) = &column.jsonpath else { continue };
        if let Some((message, remedy)) = misfit(column, &path.value) {
            sink.in_body(entry, body, &codes::JSONPATH_TYPE, path.range, message).remedy(remedy);
        }
    }
    missing(schema, entry, body, sink);
}

fn misfit(column: &Column, path: &str) -> Option<(String, Option<Remedy>)> {
    let written = &column.ty.as_ref()?.value;
    let ty = Type::parse(written).ok()?;
    if path.contains("{{") || !path.starts_with('$') {
        return None;
    }
    match ty.bare() {
        Type::Array(_) if path == "$" => {
            let message = format!(
                "`$` is the whole row, and the column is {written}; name the array, as in `json:$.items[:]`"
            );
            Some((message, None))
        }
        Type::Array(_) if !path.contains("[:]") => {
            let message =
                format!("the column is {written}, and arrays are read with `[:]`; write `json:{path}[:]`");
            Some((message, Some(Remedy::Replace(format!("{path}[:]")))))
        }
        // The row as its JSON text.
        ty if path == "$" && is_scalar(ty) => {
            let message =
                format!("`$` is the whole row, and the column is {written}; make it a String, or name a key");
            Some((message, Some(Remedy::ColumnType("String".to_owned()))))
        }
        _ => None,
    }
}

/// What ingestion leaves empty: the product fills it with the type's empty value.
fn missing(schema: &Schema, entry: &SourcedEntry, body: &MappedText, sink: &mut Sink<'_>) {
    let is_fed = |c: &Column| c.jsonpath.is_some();
    if !schema.columns.iter().any(is_fed) {
        return;
    }
    for column in schema.columns.iter().filter(|c| !is_fed(c) && c.default.is_none()) {
        let name = &column.name.value;
        let ty = column.ty.as_ref().map_or("", |t| t.value.as_str());
        // Columns of messages have no path; states come from views.
        if name.starts_with("__") || ty.contains("AggregateFunction") || ty.contains("{{") {
            continue;
        }
        let message = format!(
            "other columns have a JSONPath, and `{name}` has neither that nor a DEFAULT: ingested rows hold an empty value there; add `json:$.{name}`, or a DEFAULT"
        );
        sink.in_body(entry, body, &codes::JSONPATH_MISSING, column.name.range, message);
    }
}
