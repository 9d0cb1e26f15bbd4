//! The catalogue of diagnostics. Each code has a page in `docs/reference/diagnostics/` that is also its test.

use Severity::{Error, Hint, Info, Warning};

/// How much a diagnostic matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// The product refuses this file, or does something its author cannot have meant.
    Error,
    /// Accepted, and very likely wrong.
    Warning,
    /// Worth knowing.
    Info,
    /// A suggestion.
    Hint,
    /// Not reported. Only `headwater.toml` sets it.
    Off,
}

impl Severity {
    /// The severity of that name in `headwater.toml`.
    pub fn named(name: &str) -> Option<Self> {
        Some(match name {
            "error" => Error,
            "warning" => Warning,
            "info" => Info,
            "hint" => Hint,
            "off" => Self::Off,
            _ => return None,
        })
    }

    /// Its name in output.
    pub fn name(self) -> &'static str {
        match self {
            Error => "error",
            Warning => "warning",
            Info => "info",
            Hint => "hint",
            Self::Off => "off",
        }
    }
}

/// One kind of diagnostic.
#[derive(Debug, PartialEq, Eq, Hash)]
pub struct Code {
    /// Stable name, as users write it in `headwater.toml`.
    pub name: &'static str,
    /// Severity unless `headwater.toml` says otherwise.
    pub severity: Severity,
    /// One line for lists.
    pub summary: &'static str,
}

impl Code {
    /// Path of its page from the repository's root.
    pub fn page(&self) -> String {
        format!("docs/reference/diagnostics/{}.md", self.name)
    }
}

/// What a plan refuses; reported by who compares with a baseline.
pub fn plan_refused() -> &'static Code {
    &PLAN_REFUSED
}

/// A test that was run and fails; reported by who runs tests.
pub fn test_failed() -> &'static Code {
    &TEST_FAILED
}

/// A `FORWARD_QUERY` that does nothing, or only costs; reported by who compares with a baseline.
pub fn stale_forward_query() -> &'static Code {
    &STALE_FORWARD_QUERY
}

/// The code for what `headwater.toml` gets wrong; reported by whoever reads the file, which is no datafile.
pub fn invalid_configuration() -> &'static Code {
    &INVALID_CONFIGURATION
}

/// The code of that name. O(number of codes).
pub(crate) fn find(name: &str) -> Option<&'static Code> {
    ALL.iter().copied().find(|c| c.name == name)
}

macro_rules! codes {
    ($($id:ident $name:literal $severity:ident $summary:literal;)+) => {
        $(#[doc = $summary] pub(crate) static $id: Code = Code { name: $name, severity: $severity, summary: $summary };)+
        /// Every code, in the order of the format's own checks.
        pub static ALL: &[&Code] = &[$(&$id,)+];
    };
}

codes! {
    INVALID_CONFIGURATION "invalid-configuration" Warning "Something in headwater.toml has no effect.";
    UNREADABLE_FILE "unreadable-file" Error "The file cannot be read as text.";
    BYTE_ORDER_MARK "byte-order-mark" Error "A byte order mark breaks the first directive.";
    UNKNOWN_DIRECTIVE "unknown-directive" Error "No such directive in this kind of file.";
    SETTINGS_DIRECTIVE "settings-directive" Error "SETTINGS is called ENGINE_SETTINGS.";
    SDK_DIRECTIVE "sdk-directive" Error "A directive that generators write and the datafile parser refuses.";
    UNCLOSED_QUOTE "unclosed-quote" Error "A quote without its partner turns the line into one word.";
    BLOCK_REQUIRED "block-required" Error "The directive takes a block only.";
    BLOCK_NOT_ALLOWED "block-not-allowed" Error "The directive takes no block.";
    BLOCK_OPENER_SPACE "block-opener-space" Error "`SQL>` is one word; a block opens with `SQL >`.";
    TEXT_AFTER_OPENER "text-after-opener" Error "Text behind `>` is thrown away.";
    SWALLOWED_DIRECTIVE "swallowed-directive" Warning "A line that looks like a directive is part of the block before it.";
    BLOCK_ENDED_EARLY "block-ended-early" Warning "A content line at column 0 is read as a directive.";
    HASH_CUTS_VALUE "hash-cuts-value" Warning "`#` cuts an unquoted value, even in the middle of a word.";
    DASH_COMMENT_IN_VALUE "dash-comment-in-value" Warning "`--` is no comment here: it becomes part of the value.";
    MISMATCHED_QUOTES "mismatched-quotes" Warning "First and last quote differ, and both are stripped.";
    SPACE_AFTER_QUOTE "space-after-quote" Warning "An unquoted value with a quoted part gains a space.";
    MISSING_VALUE "missing-value" Error "The directive has no value.";
    INVALID_VALUE "invalid-value" Error "The directive accepts other values.";
    DUPLICATE_DIRECTIVE "duplicate-directive" Warning "Given twice; the last one wins silently.";
    DEPRECATED_DIRECTIVE "deprecated-directive" Error "No longer accepted.";
    IGNORED_DIRECTIVE "ignored-directive" Warning "Accepted and without effect.";
    INCLUDE_NOT_SUPPORTED "include-not-supported" Error "Forward projects have no INCLUDE.";
    MISSING_INCLUDE "missing-include" Error "The included file does not exist.";
    INCLUDE_CYCLE "include-cycle" Error "Files include each other.";
    INVALID_TOKEN "invalid-token" Error "TOKEN takes a name and a permission.";
    MISSING_SCHEMA "missing-schema" Error "A data source needs a SCHEMA.";
    SCHEMA_SYNTAX "schema-syntax" Error "The schema does not parse.";
    SCHEMA_TYPE "schema-type" Error "A type the format refuses.";
    SCHEMA_MODIFIER "schema-modifier" Error "A column modifier the format refuses.";
    SCHEMA_NOT_PORTABLE "schema-not-portable" Warning "Valid ClickHouse that the vendor's schema parser refuses.";
    SCHEMA_COMMENT "schema-comment" Error "`#` or `--` where the schema parser does not expect a comment.";
    DUPLICATE_COLUMN "duplicate-column" Error "Two columns of one name.";
    INVALID_JSONPATH "invalid-jsonpath" Error "A JSONPath the product does not read.";
    JSONPATH_TYPE "jsonpath-type" Warning "A JSONPath and a type that do not go together.";
    JSONPATH_MISSING "jsonpath-missing" Warning "A column without JSONPath and DEFAULT, beside columns with a JSONPath.";
    QUARANTINED_ROWS "quarantined-rows" Warning "Rows of the sample data do not fit the schema.";
    INVALID_INDEX "invalid-index" Error "No index definition.";
    INDEX_TYPE "index-type" Error "No such index type.";
    INDEX_WORD "index-word" Warning "The optional word INDEX makes the vendor's parser eat letters of the name.";
    UNKNOWN_ENGINE "unknown-engine" Error "No such engine.";
    ENGINE_OPTION "engine-option" Warning "The engine does not take this option.";
    ENGINE_REQUIREMENT "engine-requirement" Error "The engine needs an option that is missing.";
    UNKNOWN_SETTING "unknown-setting" Error "The engine has no setting of that name.";
    SETTING_VALUE "setting-value" Error "A setting does not take this value.";
    ENGINE_MISSING "engine-missing" Warning "Engine options without ENGINE are not used.";
    LEGACY_KEY "legacy-key" Warning "A legacy key that builds nothing.";
    SORTING_KEY "sorting-key" Error "The sorting key cannot hold this.";
    VERSION_KEY_SUBSTRING "version-key-substring" Warning "The vendor's check takes the version column for a part of the sorting key.";
    KEY_COLUMN "key-column" Error "A key names a column that the schema does not have, or computes what no key can be.";
    PRIMARY_KEY "primary-key" Error "The primary key is not the beginning of the sorting key.";
    COLUMN_DEFAULT "column-default" Error "A DEFAULT that its column cannot hold.";
    INCOMPLETE_CONNECTOR "incomplete-connector" Error "Some settings of a connector are given and others missing.";
    MIXED_CONNECTORS "mixed-connectors" Error "One data source cannot have two connectors.";
    IMPORT_SCHEDULE "import-schedule" Error "IMPORT_SCHEDULE takes a fixed set of values.";
    EMPTY_SHARED_WITH "empty-shared-with" Error "SHARED_WITH names no workspace.";
    FORWARD_QUERY_SHAPE "forward-query-shape" Error "FORWARD_QUERY is a SELECT list, without FROM and unquoted.";
    NO_NODES "no-nodes" Error "A pipe needs a node.";
    DIRECTIVE_BEFORE_NODE "directive-before-node" Error "The directive belongs to a node and stands before the first.";
    MISSING_NODE_NAME "missing-node-name" Error "NODE without a name.";
    DUPLICATE_NODE "duplicate-node" Error "Two nodes of one name.";
    NODE_NAMED_LIKE_PIPE "node-named-like-pipe" Error "A node cannot have its pipe's name.";
    MISSING_SQL "missing-sql" Error "The node has no SQL, or an empty one.";
    UNKNOWN_NODE_TYPE "unknown-node-type" Error "No such node type.";
    SEVERAL_TYPED_NODES "several-typed-nodes" Error "Only one node of a pipe can have a type.";
    ATTRIBUTE_NOT_ALLOWED "attribute-not-allowed" Error "The node's type does not take this directive.";
    MISSING_ATTRIBUTE "missing-attribute" Error "The node's type needs a directive that is missing.";
    COPY_MODE "copy-mode" Error "COPY_MODE is exactly `append` or `replace`.";
    INVALID_SCHEDULE "invalid-schedule" Error "Neither `@on-demand` nor a cron expression.";
    SECRET_IN_SCHEDULE "secret-in-schedule" Error "Schedules cannot hold secrets.";
    SINK_VARIANT "sink-variant" Error "The sink is neither Kafka nor object storage, or both.";
    MISSING_TEMPLATE_MARKER "missing-template-marker" Error "Template syntax without a first `%`.";
    TEMPLATE_SYNTAX "template-syntax" Error "The template does not parse.";
    UNCLOSED_TEMPLATE_BLOCK "unclosed-template-block" Error "A template block without `{% end %}`.";
    JINJA_END "jinja-end" Error "`{% endif %}` is Jinja; templates here close with `{% end %}`.";
    TEMPLATE_STATEMENT "template-statement" Error "No such statement in templates.";
    TEMPLATE_FUNCTION "template-function" Error "No such function in templates.";
    TEMPLATE_EXPRESSION "template-expression" Error "An operator or method that output tags do not allow.";
    TEMPLATE_ARGUMENTS "template-arguments" Error "A function of templates takes other arguments.";
    PARAMETER_DEFAULT "parameter-default" Error "A default that is no value of its parameter's type.";
    PARAMETER_NAME "parameter-name" Error "Not a possible parameter name.";
    RESERVED_PARAMETER "reserved-parameter" Warning "The product sets this parameter itself.";
    UNKNOWN_PARAMETER "unknown-parameter" Warning "A parameter that nothing reads.";
    CONNECTION_TYPE "connection-type" Error "A connection needs a TYPE the product knows.";
    CONNECTION_SETTING "connection-setting" Error "A setting of another connection type, or a value it does not accept.";
    INVALID_NAME "invalid-name" Error "Not a possible resource name.";
    DUPLICATE_RESOURCE "duplicate-resource" Error "Two resources of one name.";
    UNKNOWN_RESOURCE "unknown-resource" Error "No data source, pipe or node of that name.";
    UNKNOWN_CONNECTION "unknown-connection" Warning "No connection of that name in the project.";
    CONNECTION_MISMATCH "connection-mismatch" Error "The connection is of another type.";
    BREAKS_DOWNSTREAM "breaks-downstream" Warning "An edit takes away what others name.";
    ENDPOINT_CONTRACT "endpoint-contract" Warning "An edit changes what an endpoint answers.";
    PLAN_REFUSED "plan-refused" Warning "An edit cannot be deployed before something is written.";
    STALE_FORWARD_QUERY "stale-forward-query" Warning "A FORWARD_QUERY that has nothing to do, or nothing any more.";
    TEST_FAILED "test-failed" Error "A test was run, and its answer is not what the file expects.";
    TTL_PARTITION "ttl-partition" Warning "Rows stay longer than the TTL says, because their partition does.";
    PLAIN_SECRET "plain-secret" Warning "A credential in plain text.";
    JOIN_IN_VIEW "join-in-view" Info "A view joins a whole data source at every insert.";
    MISSING_FINAL "missing-final" Info "A read of a ReplacingMergeTree that may see replaced rows.";
    SORTING_KEY_UNUSED "sorting-key-unused" Info "Filters that the sorting key does not help.";
    QUERY_NOT_READ "query-not-read" Info "The query is too large to be looked at.";
    SQL_SYNTAX "sql-syntax" Error "The engine's parser refuses the query.";
    UNKNOWN_COLUMN "unknown-column" Error "No table of the query has a column of that name.";
    AMBIGUOUS_COLUMN "ambiguous-column" Error "Several tables of a join have a column of that name.";
    UNKNOWN_FUNCTION "unknown-function" Error "The engine has no function of that name.";
    FUNCTION_ARGUMENTS "function-arguments" Error "The function takes other arguments.";
    NOT_GROUPED "not-grouped" Error "A column outside of GROUP BY and of aggregate functions.";
    MISPLACED_AGGREGATE "misplaced-aggregate" Error "An aggregate function where there are no groups yet.";
    UNKNOWN_WINDOW "unknown-window" Error "The query defines no window of that name.";
    UNEQUAL_COLUMNS "unequal-columns" Error "The queries of a UNION give different numbers of columns.";
    JOIN_TYPES "join-types" Warning "The keys of a join have types that cannot be compared.";
    COMPARISON_TYPES "comparison-types" Error "A text is compared with something else.";
    LITERAL_TYPE "literal-type" Error "A text that cannot be read as what it is compared with.";
    UNION_TYPES "union-types" Warning "The queries of a UNION give types without a common one.";
    KEY_TYPE "key-type" Error "GROUP BY or ORDER BY something whose type each row decides.";
    UNKNOWN_POSITION "unknown-position" Error "A number in GROUP BY or ORDER BY that is no selected column.";
    TABLE_MODIFIER "table-modifier" Error "FINAL or SAMPLE on a table whose engine does not take it.";
    FUNCTION_DISABLED "function-disabled" Warning "The engine has this function switched off.";
    ALIAS_REQUIRED "alias-required" Error "A subquery in a join needs a name.";
    NO_COLUMNS "no-columns" Error "A star or COLUMNS that stands for nothing.";
    REFUSED_BY_ENGINE "refused-by-engine" Error "The engine was asked, and refuses the query.";
    TARGET_COLUMNS "target-columns" Error "What a view or copy writes does not fit its data source.";
    UNFILLED_COLUMNS "unfilled-columns" Warning "A copy leaves columns of its target empty.";
    UNMERGED_STATE "unmerged-state" Warning "An endpoint or sink gives the state of an aggregate, not its value.";
    SYSTEM_TABLE "system-table" Error "System tables cannot be read.";
    CYCLE "cycle" Error "Resources read each other.";
    SCHEDULE_COLLISION "schedule-collision" Warning "Two copies that touch one data source start at the same minute.";
    SELF_COPY "self-copy" Warning "A copy reads the data source it replaces.";
    UNTESTED_NAME "test-without-pipe" Warning "A test file is named like no pipe, so it never runs.";
    BEYOND_DEPTH "beyond-depth" Warning "The vendor's tool does not scan folders this deep.";
    IMPLICIT_ENDPOINT "implicit-endpoint" Hint "Nothing in this pipe is published.";
    UNUSED_COLUMN "unused-column" Hint "No query of the project reads this column.";
    UNUSED_NODE "unused-node" Info "No other node and no published result uses this node.";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_and_kebab_case() {
        for (n, code) in ALL.iter().enumerate() {
            assert!(code.name.chars().all(|c| c.is_ascii_lowercase() || c == '-'), "{}", code.name);
            assert!(!ALL[..n].iter().any(|c| c.name == code.name), "{}", code.name);
        }
    }
}
