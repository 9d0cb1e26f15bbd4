//! The template language inside SQL (specification §8): tags, their tree, and the Python-like expressions in them.
//!
//! A node's SQL is a template when its first character is `%`. Text outside tags is SQL. All ranges are offsets into
//! the text given to [`parse`].

pub mod expr;
mod grammar;
mod params;
mod tags;
mod tokens;
mod tree;

pub use expr::{Brackets, Clause, Expr, ExprKind};
pub use params::{Parameter, parameters};
pub use tags::{Tag, TagKind, tags};
pub use tree::{Arm, Part, Piece, Template, TemplateError, TemplateErrorKind, parse};

/// Whether `sql` is a template: its first character that is not white space is `%`.
pub fn is_template(sql: &str) -> bool {
    sql.trim_start().starts_with('%')
}

/// Where template syntax stands in a text that is no template, if it does.
pub fn stray_tag(sql: &str) -> Option<text_size::TextRange> {
    let at = sql.find("{{").into_iter().chain(sql.find("{%")).min()?;
    Some(crate::range(at, at + 2))
}

/// Functions that turn a request's value into SQL of one type (§8.5). `Array` is the one with an element type.
pub const TYPE_FUNCTIONS: &[&str] = &[
    "String",
    "Boolean",
    "Int",
    "Integer",
    "Int8",
    "Int16",
    "Int32",
    "Int64",
    "Int128",
    "Int256",
    "UInt8",
    "UInt16",
    "UInt32",
    "UInt64",
    "UInt128",
    "UInt256",
    "Float32",
    "Float64",
    "Date",
    "DateTime",
    "DateTime64",
    "Array",
];

/// The other functions a template may call (§8.4).
pub const HELPER_FUNCTIONS: &[&str] = &[
    "column",
    "columns",
    "symbol",
    "table",
    "TABLE",
    "defined",
    "error",
    "custom_error",
    "sql_and",
    "sql_unescape",
    "split_to_array",
    "enumerate_with_last",
    "JSON",
    "day_diff",
    "date_diff_in_seconds",
    "date_diff_in_minutes",
    "date_diff_in_hours",
    "date_diff_in_days",
    "tb_secret",
    "tb_var",
    "max_threads",
    "backend_hint",
    "cache_ttl",
    "activate",
    "disable",
    "len",
    "list",
    "min",
    "max",
    "int",
    "float",
];
