//! The engine's settings that projects rely on, each with the reason. What answers look like is pinned by
//! [`headwater_warehouse`] for every session.

/// A setting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Setting {
    /// Its name.
    pub name: &'static str,
    /// Its value.
    pub value: &'static str,
    /// Why projects need it.
    pub reason: &'static str,
    /// Of a table's setting, the engines that have it; every one of the family when there is none.
    pub engines: &'static [&'static str],
}

const fn setting(name: &'static str, value: &'static str, reason: &'static str) -> Setting {
    Setting { name, value, reason, engines: &[] }
}

impl Setting {
    /// Whether tables of an engine have it.
    pub fn is_of(&self, engine: &str) -> bool {
        self.engines.is_empty() || self.engines.contains(&engine)
    }
}

/// Of every session that makes a project's tables or runs its queries.
pub const SESSION_SETTINGS: &[Setting] = &[
    setting(
        "joined_subquery_requires_alias",
        "0",
        "`JOIN (SELECT …) USING x` without an alias is common, and a node that stands in a join becomes such a subquery",
    ),
    setting(
        "allow_suspicious_low_cardinality_types",
        "1",
        "`LowCardinality(UInt8)` and the like are in many schemas",
    ),
    setting("allow_suspicious_fixed_string_types", "1", "a `FixedString` of more than 256 bytes is a type"),
    setting("allow_suspicious_variant_types", "1", "`Variant` of similar types is a type"),
    setting(
        "allow_suspicious_types_in_group_by",
        "1",
        "grouping by a `JSON` path is what `JSON` columns are for",
    ),
    setting("allow_suspicious_types_in_order_by", "1", "the same for `ORDER BY`"),
    setting("allow_dynamic_type_in_join_keys", "1", "and for the keys of a join"),
    setting("allow_suspicious_codecs", "1", "a codec that gains nothing is no error of the format"),
    setting("allow_suspicious_indices", "1", "nor is an index that is listed twice"),
    setting("allow_suspicious_primary_key", "1", "a state of an aggregate may be in a sorting key"),
    setting("allow_suspicious_ttl_expressions", "1", "an expiry that does not depend on a column is allowed"),
    setting("data_type_default_nullable", "0", "a type is what the schema says"),
    setting(
        "join_use_nulls",
        "0",
        "rows without a partner get default values, as the format's queries expect",
    ),
    setting(
        "optimize_on_insert",
        "1",
        "a block is merged by the table's engine as it is written, as in the product",
    ),
    setting(
        "max_partitions_per_insert_block",
        "0",
        "rows of a sample lie years apart, and a partition may be a day",
    ),
    setting("insert_null_as_default", "1", "a NULL for a column with a DEFAULT becomes the default"),
];

/// Of every table of the `MergeTree` family, unless its data source says otherwise.
pub const TABLE_SETTINGS: &[Setting] = &[
    setting("allow_nullable_key", "1", "older projects have `Nullable` columns in keys"),
    setting(
        "allow_suspicious_indices",
        "1",
        "an index over what the key already holds is no error of the format",
    ),
    setting(
        "compatibility_allow_sampling_expression_not_in_primary_key",
        "1",
        "`ENGINE_PRIMARY_KEY` may be shorter than the key that holds the sampling expression",
    ),
    Setting {
        name: "allow_dimensions_outside_sorting_key",
        value: "1",
        reason: "targets of views keep columns that are neither in the key nor aggregates; older engines took any of their values",
        engines: &["AggregatingMergeTree", "SummingMergeTree"],
    },
];

/// The statement that gives a session its settings.
pub fn session_statement() -> String {
    let all: Vec<String> = SESSION_SETTINGS.iter().map(|s| format!("{} = {}", s.name, s.value)).collect();
    format!("SET {}", all.join(", "))
}
