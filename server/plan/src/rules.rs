//! Every rule by name. Their pages are generated documentation and tests.

use crate::change::Rule;

macro_rules! rules {
    ($($constant:ident $name:literal $change:literal;)*) => {
        $(#[doc = concat!("When ", $change, ".")]
        pub const $constant: &Rule = &Rule {
            name: $name,
            change: $change,
            page: include_str!(concat!(
                env!("CARGO_MANIFEST_DIR"), "/../../docs/reference/plan/", $name, ".md"
            )),
        };)*
        /// All rules, in the order of the index.
        pub const ALL: &[&Rule] = &[$($constant),*];
    };
}

rules! {
    CREATE_DATASOURCE "create-datasource" "a data source is new";
    DELETE_DATASOURCE "delete-datasource" "a data source is gone";
    RENAME_RESOURCE "rename-resource" "a file gets another name";
    KIND_CHANGE "kind-change" "a name stands for something of another kind";
    ADD_COLUMN "add-column" "a column is added";
    ADD_VOLATILE_COLUMN "add-volatile-column" "a column is added whose default differs from read to read";
    DROP_COLUMN "drop-column" "a column is gone";
    DROP_COLUMN_READ "drop-column-read" "a column is gone that somebody reads";
    RENAME_COLUMN "rename-column" "a column gets another name";
    REORDER_COLUMNS "reorder-columns" "columns change places";
    WIDEN_COLUMN "widen-column" "a column gets a type that holds all of its values";
    NULLABLE_COLUMN "nullable-column" "a column may be NULL";
    NOT_NULL_COLUMN "not-null-column" "a column may not be NULL any more";
    LOW_CARDINALITY "low-cardinality" "a column is stored with a dictionary, or without";
    RETYPE_COLUMN "retype-column" "a column gets a type that does not hold all of its values";
    CHANGE_DEFAULT "change-default" "a DEFAULT changes";
    CHANGE_CODEC "change-codec" "a CODEC changes";
    CHANGE_JSONPATH "change-jsonpath" "a JSONPath changes";
    TTL_LONGER "ttl-longer" "rows live longer";
    TTL_SHORTER "ttl-shorter" "rows live shorter";
    CHANGE_INDEX "change-index" "an index is added, changed or gone";
    CHANGE_SETTINGS "change-settings" "a setting of the engine changes";
    CHANGE_ENGINE "change-engine" "the engine changes";
    CHANGE_ENGINE_COLUMN "change-engine-column" "the version, sign or summed columns change";
    SORTING_KEY "sorting-key" "the sorting key changes";
    PARTITION_KEY "partition-key" "the partition key changes";
    PRIMARY_KEY "primary-key" "the primary key changes";
    SAMPLING_KEY "sampling-key" "the sampling key changes";
    KEY_COLUMN "key-column" "a key, an index, a TTL or a DEFAULT names a column that is not there";
    FORWARD_QUERY "forward-query" "FORWARD_QUERY makes the new rows";
    FORWARD_QUERY_INCOMPLETE "forward-query-incomplete" "FORWARD_QUERY does not fit both schemas";
    FORWARD_QUERY_STALE "forward-query-stale" "FORWARD_QUERY has nothing to do";
    CHANGE_BACKFILL "change-backfill" "BACKFILL changes";
    CHANGE_CONNECTOR "change-connector" "what a data source ingests from changes";
    CREATE_VIEW "create-view" "a materialized view is new";
    DELETE_VIEW "delete-view" "a materialized view is gone";
    VIEW_SQL "view-sql" "a materialized view's query changes";
    VIEW_SOURCE "view-source" "values that a materialized view reads change";
    VIEW_TARGET "view-target" "a materialized view writes another data source";
    VIEW_COLUMNS "view-columns" "a materialized view and its target do not have the same columns";
    SHARED_TARGET "shared-target" "one of several views on one target changes";
    DEPLOYMENT_METHOD "deployment-method" "DEPLOYMENT_METHOD changes";
    CREATE_PIPE "create-pipe" "a pipe, endpoint, copy or sink is new";
    DELETE_PIPE "delete-pipe" "a pipe, endpoint, copy or sink is gone";
    DELETE_READ "delete-read" "something is gone that somebody reads";
    PIPE_COLUMN_READ "pipe-column-read" "a pipe does not give any more what somebody reads";
    PIPE_SQL "pipe-sql" "a query changes that stores nothing";
    ENDPOINT_COMPATIBLE "endpoint-compatible" "an endpoint answers as before, or with more";
    ENDPOINT_BREAKING "endpoint-breaking" "an endpoint's callers have to change";
    COPY_MODE "copy-mode" "a copy appends or replaces";
    CHANGE_SCHEDULE "change-schedule" "a copy or sink runs at other times";
    COPY_TARGET "copy-target" "a copy writes another data source";
    CHANGE_SINK "change-sink" "a sink writes elsewhere or otherwise";
    CREATE_CONNECTION "create-connection" "a connection is new";
    CHANGE_CONNECTION "change-connection" "a connection's settings change";
    DELETE_CONNECTION "delete-connection" "a connection is gone";
    CHANGE_TOKEN "change-token" "a static token gets or loses a permission";
    CHANGE_DESCRIPTION "change-description" "a description, tag or sharing changes";
}

/// The rule of that name.
pub fn named(name: &str) -> Option<&'static Rule> {
    ALL.iter().copied().find(|rule| rule.name == name)
}
