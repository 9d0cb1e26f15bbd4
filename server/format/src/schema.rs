//! `SCHEMA`: a column a line, its parts below those of the other columns.

use headwater_syntax::schema::{SchemaErrorKind, parse};
use headwater_syntax::sql::ast::Kind;

use crate::text::is_dropped;
use crate::{Options, Reason, sql, table};

pub(crate) fn format(body: &str, options: &Options) -> Result<String, Reason> {
    let before = read(body)?;
    let out = sql::rows(body, options, |builder, root| {
        let list = sql::kids(root).into_iter().find(|n| Kind::of(*n) == Kind::ColumnDefinitions)?;
        let rows = table::rows_of(list, Kind::ColumnDefinition, |part| match Kind::of(part) {
            Kind::JsonPath => 2,
            Kind::DataType => 1,
            Kind::Token => match part.kind() {
                "CODEC" => 4,
                _ => 3,
            },
            // The name, and values behind their words: they go on with the column before.
            _ => 0,
        })?;
        Some(table::lay_out(builder, &rows, options, options.indent, true))
    })?;
    sql::accept(body, &out, options, true)?;
    if read(&out)? != before {
        return Err(Reason::NotSame);
    }
    Ok(out)
}

/// What the format reads, without blanks, and how much of it is wrong.
fn read(body: &str) -> Result<(Vec<Vec<String>>, usize), Reason> {
    let kept: Vec<&str> = body.split('\n').filter(|line| !is_dropped(line)).collect();
    let schema = parse(&kept.join("\n"));
    let unreadable = |kind: &SchemaErrorKind| {
        matches!(
            kind,
            SchemaErrorKind::CommentInQuotes(_)
                | SchemaErrorKind::HashComment
                | SchemaErrorKind::MissingComma
                | SchemaErrorKind::UnclosedBacktick
                | SchemaErrorKind::UnclosedQuote(_)
                | SchemaErrorKind::UnclosedParenthesis
                | SchemaErrorKind::NotRead
                | SchemaErrorKind::IndexColumn
        )
    };
    if schema.errors.iter().any(|error| unreadable(&error.kind)) {
        return Err(Reason::SyntaxError);
    }
    let bare = |text: &str| text.split_whitespace().collect::<String>();
    let columns = schema
        .columns
        .iter()
        .map(|column| {
            let parts = [&column.ty, &column.jsonpath, &column.default, &column.codec];
            let parts =
                parts.into_iter().map(|part| part.as_ref().map_or(String::new(), |part| bare(&part.value)));
            std::iter::once(bare(&column.name.value)).chain(parts).collect()
        })
        .collect();
    Ok((columns, schema.errors.len()))
}
