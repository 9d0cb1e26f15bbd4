//! What the engine says, and what that is worth.

use headwater_warehouse::StatementError;

/// What the engine says to a query.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// It takes it: names and types of its columns.
    Columns(Vec<(String, String)>),
    /// It refuses it.
    Refused(StatementError),
    /// It gave no opinion, for this reason.
    Broken(String),
}

/// Refusals that are about what a query says, by the engine's names. Everything else may be about limits, rights, settings,
/// the embedding, or a table that stands in for another, and says nothing about the query in production.
const ABOUT_MEANING: &[&str] = &[
    "AMBIGUOUS_COLUMN_NAME",
    "AMBIGUOUS_IDENTIFIER",
    "ARGUMENT_OUT_OF_BOUND",
    "BAD_ARGUMENTS",
    "BAD_LAMBDA",
    "BAD_TYPE_OF_FIELD",
    "CANNOT_CONVERT_TYPE",
    "EMPTY_LIST_OF_COLUMNS_QUERIED",
    "EXPECTED_ALL_OR_ANY",
    "ILLEGAL_AGGREGATION",
    "ILLEGAL_COLUMN",
    "ILLEGAL_TYPE_OF_ARGUMENT",
    "INVALID_JOIN_ON_EXPRESSION",
    "INVALID_LIMIT_EXPRESSION",
    "MULTIPLE_EXPRESSIONS_FOR_ALIAS",
    "NOT_AN_AGGREGATE",
    "NOT_FOUND_COLUMN_IN_BLOCK",
    "NO_COMMON_TYPE",
    "NO_SUCH_COLUMN_IN_TABLE",
    "NUMBER_OF_ARGUMENTS_DOESNT_MATCH",
    "NUMBER_OF_COLUMNS_DOESNT_MATCH",
    "PARAMETER_OUT_OF_BOUND",
    "SIZES_OF_ARRAYS_DONT_MATCH",
    "TYPE_MISMATCH",
    "UNION_ALL_RESULT_STRUCTURES_MISMATCH",
    "UNKNOWN_AGGREGATE_FUNCTION",
    "UNKNOWN_FUNCTION",
    "UNKNOWN_IDENTIFIER",
    "UNKNOWN_TYPE",
    "UNSUPPORTED_JOIN_KEYS",
];

/// Refusals of a value that stands in the query: worth something when the query's author wrote it.
const ABOUT_VALUES: &[&str] = &[
    "CANNOT_PARSE_DATE",
    "CANNOT_PARSE_DATETIME",
    "CANNOT_PARSE_DOMAIN_VALUE_FROM_STRING",
    "CANNOT_PARSE_INPUT_ASSERTION_FAILED",
    "CANNOT_PARSE_IPV4",
    "CANNOT_PARSE_IPV6",
    "CANNOT_PARSE_NUMBER",
    "CANNOT_PARSE_TEXT",
    "CANNOT_PARSE_UUID",
    "BAD_ARGUMENTS",
    "ARGUMENT_OUT_OF_BOUND",
    "PARAMETER_OUT_OF_BOUND",
    "CANNOT_COMPILE_REGEXP",
];

/// Whether a refusal is about names, types and numbers of things in the query.
pub fn is_about_meaning(refusal: &StatementError) -> bool {
    // Which dictionaries there are is no business of a project.
    ABOUT_MEANING.contains(&refusal.name.as_str()) && !refusal.message.starts_with("Dictionary (")
}

/// Whether a refusal may be about a value: when the value was made up for the question, it says nothing about others.
pub fn is_about_values(refusal: &StatementError) -> bool {
    ABOUT_VALUES.contains(&refusal.name.as_str()) && !refusal.message.starts_with("Dictionary (")
}
