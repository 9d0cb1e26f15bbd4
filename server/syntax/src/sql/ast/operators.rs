//! Which function the engine calls for which syntax. One table; the names were read off the engine, as the columns of
//! `SELECT a + b, a LIKE b, …` are called.

use std::sync::OnceLock;

use rustc_hash::FxHashMap;

/// The syntaxes that are function calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Form {
    /// `a + b`, `a IN b`: the operator as written.
    Binary,
    /// `-a`, `NOT a`.
    Unary,
    /// `a IS …`, by the words behind.
    Is,
    /// `CASE`, without (empty) or with (`value`) a value behind it.
    Case,
    /// `BETWEEN` and `NOT BETWEEN`: the function of both comparisons, then the two.
    Between,
    /// `INTERVAL … unit`.
    Interval,
    /// `EXTRACT(unit FROM …)`.
    Extract,
    /// `TRIM(side …)`.
    Trim,
    /// `DATE '…'`.
    Typed,
    /// A kind of node that is always the same call.
    Node,
    /// A function with words between its arguments, or with a name of its own for them.
    Words,
    /// A function that the parser calls otherwise.
    Name,
    /// A function whose first argument is a unit: `DATE_ADD(DAY, 1, d)`.
    Unit,
}

/// Syntax and the engine's function. Several names: the first is called with the results of the others.
pub(super) const OPERATORS: &[(Form, &str, &[&str])] = &[
    (Form::Binary, "+", &["plus"]),
    (Form::Binary, "-", &["minus"]),
    (Form::Binary, "*", &["multiply"]),
    (Form::Binary, "/", &["divide"]),
    (Form::Binary, "%", &["modulo"]),
    (Form::Binary, "MOD", &["modulo"]),
    (Form::Binary, "DIV", &["intDiv"]),
    (Form::Binary, "=", &["equals"]),
    (Form::Binary, "==", &["equals"]),
    (Form::Binary, "!=", &["notEquals"]),
    (Form::Binary, "<>", &["notEquals"]),
    (Form::Binary, "<", &["less"]),
    (Form::Binary, "<=", &["lessOrEquals"]),
    (Form::Binary, ">", &["greater"]),
    (Form::Binary, ">=", &["greaterOrEquals"]),
    (Form::Binary, "<=>", &["isNotDistinctFrom"]),
    (Form::Binary, "IS DISTINCT FROM", &["isDistinctFrom"]),
    (Form::Binary, "IS NOT DISTINCT FROM", &["isNotDistinctFrom"]),
    (Form::Binary, "AND", &["and"]),
    (Form::Binary, "OR", &["or"]),
    (Form::Binary, "||", &["concat"]),
    (Form::Binary, "LIKE", &["like"]),
    (Form::Binary, "NOT LIKE", &["notLike"]),
    (Form::Binary, "ILIKE", &["ilike"]),
    (Form::Binary, "NOT ILIKE", &["notILike"]),
    (Form::Binary, "REGEXP", &["match"]),
    (Form::Binary, "IN", &["in"]),
    (Form::Binary, "NOT IN", &["notIn"]),
    (Form::Binary, "GLOBAL IN", &["globalIn"]),
    (Form::Binary, "GLOBAL NOT IN", &["globalNotIn"]),
    (Form::Unary, "-", &["negate"]),
    (Form::Unary, "NOT", &["not"]),
    (Form::Is, "IS NULL", &["isNull"]),
    (Form::Is, "IS NOT NULL", &["isNotNull"]),
    (Form::Case, "", &["multiIf"]),
    (Form::Case, "value", &["caseWithExpression"]),
    (Form::Between, "BETWEEN", &["and", "greaterOrEquals", "lessOrEquals"]),
    (Form::Between, "NOT BETWEEN", &["or", "less", "greater"]),
    (Form::Interval, "NANOSECOND", &["toIntervalNanosecond"]),
    (Form::Interval, "MICROSECOND", &["toIntervalMicrosecond"]),
    (Form::Interval, "MILLISECOND", &["toIntervalMillisecond"]),
    (Form::Interval, "SECOND", &["toIntervalSecond"]),
    (Form::Interval, "MINUTE", &["toIntervalMinute"]),
    (Form::Interval, "HOUR", &["toIntervalHour"]),
    (Form::Interval, "DAY", &["toIntervalDay"]),
    (Form::Interval, "WEEK", &["toIntervalWeek"]),
    (Form::Interval, "MONTH", &["toIntervalMonth"]),
    (Form::Interval, "QUARTER", &["toIntervalQuarter"]),
    (Form::Interval, "YEAR", &["toIntervalYear"]),
    (Form::Extract, "NANOSECOND", &["toNanosecond"]),
    (Form::Extract, "MICROSECOND", &["toMicrosecond"]),
    (Form::Extract, "MILLISECOND", &["toMillisecond"]),
    (Form::Extract, "SECOND", &["toSecond"]),
    (Form::Extract, "MINUTE", &["toMinute"]),
    (Form::Extract, "HOUR", &["toHour"]),
    (Form::Extract, "DAY", &["toDayOfMonth"]),
    (Form::Extract, "WEEK", &["toISOWeek"]),
    (Form::Extract, "MONTH", &["toMonth"]),
    (Form::Extract, "QUARTER", &["toQuarter"]),
    (Form::Extract, "YEAR", &["toYear"]),
    (Form::Extract, "EPOCH", &["toUnixTimestamp"]),
    (Form::Extract, "DOY", &["toDayOfYear"]),
    (Form::Extract, "ISODOW", &["toDayOfWeek"]),
    (Form::Extract, "ISOYEAR", &["toISOYear"]),
    (Form::Trim, "BOTH", &["trimBoth"]),
    (Form::Trim, "LEADING", &["trimLeft"]),
    (Form::Trim, "TRAILING", &["trimRight"]),
    (Form::Typed, "DATE", &["toDate"]),
    (Form::Typed, "TIMESTAMP", &["toDateTime"]),
    (Form::Node, "array", &["array"]),
    (Form::Node, "cast", &["CAST"]),
    (Form::Node, "exists", &["exists"]),
    (Form::Node, "map", &["map"]),
    (Form::Node, "subscript", &["arrayElement"]),
    (Form::Node, "ternary_expression", &["if"]),
    (Form::Node, "time_zone_expression", &["toTimeZone"]),
    (Form::Node, "tuple", &["tuple"]),
    (Form::Node, "tuple_access", &["tupleElement"]),
    (Form::Words, "substring", &["substring"]),
    (Form::Words, "overlay", &["overlay"]),
    (Form::Name, "date_diff", &["dateDiff"]),
    (Form::Name, "datediff", &["dateDiff"]),
    (Form::Name, "timestamp_diff", &["dateDiff"]),
    (Form::Name, "timestampdiff", &["dateDiff"]),
    (Form::Name, "ltrim", &["trimLeft"]),
    (Form::Name, "rtrim", &["trimRight"]),
    (Form::Name, "trim", &["trimBoth"]),
    (Form::Unit, "date_add", &["plus"]),
    (Form::Unit, "dateadd", &["plus"]),
    (Form::Unit, "timestamp_add", &["plus"]),
    (Form::Unit, "timestampadd", &["plus"]),
    (Form::Unit, "date_sub", &["minus"]),
    (Form::Unit, "datesub", &["minus"]),
    (Form::Unit, "timestamp_sub", &["minus"]),
    (Form::Unit, "timestampsub", &["minus"]),
    (Form::Unit, "date_diff", &["dateDiff"]),
    (Form::Unit, "datediff", &["dateDiff"]),
    (Form::Unit, "timestamp_diff", &["dateDiff"]),
    (Form::Unit, "timestampdiff", &["dateDiff"]),
];

/// The functions for a syntax; words in capitals, functions in small letters.
pub(super) fn functions(form: Form, syntax: &str) -> Option<&'static [&'static str]> {
    type Table = FxHashMap<(Form, &'static str), &'static [&'static str]>;
    // Every call of every query is looked up.
    static TABLE: OnceLock<Table> = OnceLock::new();
    let table = TABLE
        .get_or_init(|| OPERATORS.iter().map(|(form, syntax, names)| ((*form, *syntax), *names)).collect());
    table.get(&(form, syntax)).copied()
}

/// The first function for a syntax.
pub(super) fn function(form: Form, syntax: &str) -> Option<&'static str> {
    functions(form, syntax).and_then(|names| names.first().copied())
}
