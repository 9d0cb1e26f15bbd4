//! What the engine lists besides functions and types.

use std::sync::OnceLock;

use crate::data::{cells, section, unescape};

/// How far the engine's makers stand by something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tier {
    /// In general use.
    Production,
    /// Stable by itself.
    Beta,
    /// It may go.
    Experimental,
    /// It has no effect any more.
    Obsolete,
}

impl Tier {
    fn parse(text: &str) -> Self {
        match text {
            "Beta" => Self::Beta,
            "Experimental" => Self::Experimental,
            "Obsolete" => Self::Obsolete,
            _ => Self::Production,
        }
    }
}

/// A setting of a query or of a MergeTree table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Setting {
    /// Its name.
    pub name: &'static str,
    /// The engine's word for the type of its value: `UInt64`, `Bool`, `MaxThreads`.
    pub ty: &'static str,
    /// Its value when nobody sets it.
    pub default: String,
    /// How far one may rely on it.
    pub tier: Tier,
    /// The setting that this one is another name of.
    pub alias_for: Option<&'static str>,
}

/// Settings of queries, by name.
pub fn settings() -> &'static [Setting] {
    static ALL: OnceLock<Vec<Setting>> = OnceLock::new();
    ALL.get_or_init(|| read_settings("settings"))
}

/// Settings of MergeTree tables, by name.
pub fn merge_tree_settings() -> &'static [Setting] {
    static ALL: OnceLock<Vec<Setting>> = OnceLock::new();
    ALL.get_or_init(|| read_settings("merge_tree_settings"))
}

fn read_settings(name: &str) -> Vec<Setting> {
    section(name)
        .map(|line| {
            let [name, ty, default, tier, alias] = cells(line);
            let alias_for = (!alias.is_empty()).then_some(alias);
            Setting { name, ty, default: unescape(default), tier: Tier::parse(tier), alias_for }
        })
        .collect()
}

/// A setting of queries by its name, which is written in one way only.
pub fn setting(name: &str) -> Option<&'static Setting> {
    let all = settings();
    all.binary_search_by(|s| s.name.cmp(name)).ok().map(|n| &all[n])
}

/// A setting of MergeTree tables by its name.
pub fn merge_tree_setting(name: &str) -> Option<&'static Setting> {
    let all = merge_tree_settings();
    all.binary_search_by(|s| s.name.cmp(name)).ok().map(|n| &all[n])
}

/// A format of data.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Format {
    /// Its name.
    pub name: &'static str,
    /// Whether data can be read in it.
    pub is_input: bool,
    /// Whether answers can be written in it.
    pub is_output: bool,
    /// What HTTP calls it.
    pub content_type: &'static str,
}

/// Formats, by name.
pub fn formats() -> &'static [Format] {
    static ALL: OnceLock<Vec<Format>> = OnceLock::new();
    ALL.get_or_init(|| {
        let format = |line| {
            let [name, input, output, content_type] = cells(line);
            Format { name, is_input: input == "1", is_output: output == "1", content_type }
        };
        section("formats").map(format).collect()
    })
}

/// A codec of a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Codec {
    /// Its name.
    pub name: &'static str,
    /// Whether it makes data smaller by itself; others prepare it for those.
    pub is_compression: bool,
    /// Whether a setting must allow it.
    pub is_experimental: bool,
}

/// Codecs, by name.
pub fn codecs() -> &'static [Codec] {
    static ALL: OnceLock<Vec<Codec>> = OnceLock::new();
    ALL.get_or_init(|| {
        let codec = |line| {
            let [name, compression, experimental] = cells(line);
            Codec { name, is_compression: compression == "1", is_experimental: experimental == "1" }
        };
        section("codecs").map(codec).collect()
    })
}

/// A function that stands where a table does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TableFunction {
    /// Its name, written in one way only.
    pub name: &'static str,
    /// Whether sessions that only read may use it.
    pub for_readers: bool,
}

/// Table functions, by name.
pub fn table_functions() -> &'static [TableFunction] {
    static ALL: OnceLock<Vec<TableFunction>> = OnceLock::new();
    ALL.get_or_init(|| {
        let function = |line| {
            let [name, readers] = cells(line);
            TableFunction { name, for_readers: readers == "1" }
        };
        section("table_functions").map(function).collect()
    })
}

/// An engine of tables, and which clauses it takes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableEngine {
    /// Its name, written in one way only.
    pub name: &'static str,
    /// `SETTINGS`.
    pub settings: bool,
    /// `INDEX`.
    pub skipping_indices: bool,
    /// `PROJECTION`.
    pub projections: bool,
    /// `ORDER BY`, `PARTITION BY`, `PRIMARY KEY`, `SAMPLE BY`.
    pub sort_order: bool,
    /// `TTL`.
    pub ttl: bool,
    /// Whether it is kept on several servers.
    pub replication: bool,
    /// How it is written, with its arguments.
    pub syntax: String,
}

/// Table engines, by name.
pub fn table_engines() -> &'static [TableEngine] {
    static ALL: OnceLock<Vec<TableEngine>> = OnceLock::new();
    ALL.get_or_init(|| {
        let engine = |line| {
            let [name, settings, indices, projections, order, ttl, replication, syntax] = cells(line);
            let yes = |cell: &str| cell == "1";
            TableEngine {
                name,
                settings: yes(settings),
                skipping_indices: yes(indices),
                projections: yes(projections),
                sort_order: yes(order),
                ttl: yes(ttl),
                replication: yes(replication),
                syntax: unescape(syntax),
            }
        };
        section("table_engines").map(engine).collect()
    })
}

/// A family of types.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TypeFamily {
    /// Its name.
    pub name: &'static str,
    /// Whether it is read in any case.
    pub any_case: bool,
    /// The family that this one is another name of.
    pub alias_for: Option<&'static str>,
}

/// Families of types with their aliases, by name.
pub fn type_families() -> &'static [TypeFamily] {
    static ALL: OnceLock<Vec<TypeFamily>> = OnceLock::new();
    ALL.get_or_init(|| {
        let family = |line| {
            let [name, any_case, alias] = cells(line);
            TypeFamily { name, any_case: any_case == "1", alias_for: (!alias.is_empty()).then_some(alias) }
        };
        section("types").map(family).collect()
    })
}

/// Words of the language, some of them several words, in upper case.
pub fn keywords() -> &'static [&'static str] {
    static ALL: OnceLock<Vec<&str>> = OnceLock::new();
    ALL.get_or_init(|| section("keywords").collect())
}

/// Time zones, by name.
pub fn time_zones() -> &'static [&'static str] {
    static ALL: OnceLock<Vec<&str>> = OnceLock::new();
    ALL.get_or_init(|| section("time_zones").collect())
}

/// Data skipping indices, by name.
pub fn skipping_indices() -> &'static [&'static str] {
    static ALL: OnceLock<Vec<&str>> = OnceLock::new();
    ALL.get_or_init(|| section("skipping_indices").collect())
}

/// The version of the engine that all this was asked of.
pub fn engine_version() -> &'static str {
    section("engine").next().unwrap_or_default()
}
