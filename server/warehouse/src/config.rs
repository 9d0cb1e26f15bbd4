//! The two files that configure an engine: always ours, so that no `config.xml` of a working directory or home is read.

use std::fmt::Write as _;
use std::path::Path;

use crate::request::Limits;

/// The database that a worker's statements live in.
pub const DATABASE: &str = "work";

/// The configuration's name inside a worker's folder.
pub(crate) const FILE: &str = "headwater-engine.xml";
const USERS: &str = "headwater-users.xml";

/// What statements may do with [`DATABASE`].
const RIGHTS: &str =
    "SELECT, INSERT, CREATE DATABASE, CREATE TABLE, CREATE VIEW, ALTER, DROP, TRUNCATE, OPTIMIZE, SHOW";

/// Table engines that hold their data here and reach nothing outside. Every other one is refused by the grants.
const TABLE_ENGINES: [&str; 15] = [
    "MergeTree",
    "ReplacingMergeTree",
    "SummingMergeTree",
    "AggregatingMergeTree",
    "CollapsingMergeTree",
    "VersionedCollapsingMergeTree",
    "CoalescingMergeTree",
    "Null",
    "Memory",
    "Log",
    "TinyLog",
    "StripeLog",
    "Join",
    "Set",
    "GenerateRandom",
];

/// Settings that answers depend on, pinned so that neither an engine's defaults nor its embedding decide.
pub(crate) const PINNED: [(&str, &str); 15] = [
    // The command-line flavour of the engine takes a bare expression for a statement.
    ("implicit_select", "0"),
    ("enable_analyzer", "1"),
    ("session_timezone", "UTC"),
    ("max_query_size", "4194304"),
    ("date_time_input_format", "best_effort"),
    ("output_format_json_quote_64bit_integers", "0"),
    ("output_format_json_quote_denormals", "0"),
    ("async_insert", "0"),
    ("mutations_sync", "2"),
    ("deduplicate_insert", "enable"),
    ("deduplicate_insert_select", "enable_when_possible"),
    ("deduplicate_blocks_in_dependent_materialized_views", "1"),
    ("allow_introspection_functions", "0"),
    ("log_queries", "0"),
    ("max_threads", "2"),
];

/// The setting that says which connection a statement runs on, so that it can be killed. Connections get it as they are
/// opened; no statement can change it.
pub(crate) const LANE: &str = "log_comment";

/// What stored data is opened with.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Stored {
    /// Databases that may be changed, as patterns of a grant: `name` or `prefix*`.
    pub(crate) writable: Vec<String>,
    /// Databases that readers see, likewise.
    pub(crate) readable: Vec<String>,
}

/// Roles of the connections to stored data: each connection takes one when it is opened.
pub(crate) const WRITER: &str = "writer";
pub(crate) const READER: &str = "reader";

/// What the owner of stored data needs besides [`RIGHTS`].
const OWNER_RIGHTS: &str = "SYSTEM MERGES, SYSTEM TTL MERGES, SYSTEM VIEWS, SYSTEM MOVES";

/// What readers may ask of the engine's own tables: rows out of nothing, and what `SHOW` and `DESCRIBE` read. Each shows only
/// what the reader may see.
const READABLE_SYSTEM_TABLES: [&str; 7] =
    ["one", "numbers", "numbers_mt", "zeros", "columns", "tables", "functions"];

/// Defaults of tables that differ between an embedded engine, a server, and their versions.
const PINNED_TABLE_SETTINGS: [(&str, &str); 4] = [
    ("non_replicated_deduplication_window", "0"),
    ("fsync_after_insert", "0"),
    ("fsync_part_directory", "0"),
    ("old_parts_lifetime", "0"),
];

/// Writes the files into `dir`, which must be absolute. `most` is what no statement may exceed, whatever its own
/// `SETTINGS` say; `server_memory` (bytes) is what the whole process may use.
pub(crate) fn write(
    dir: &Path,
    most: Limits,
    server_memory: u64,
    settings: &[(String, String)],
    stored: Option<&Stored>,
) -> std::io::Result<()> {
    std::fs::write(dir.join(FILE), server(dir, server_memory, stored.is_some()))?;
    std::fs::write(dir.join(USERS), users(most, settings, stored))
}

fn server(dir: &Path, server_memory: u64, is_stored: bool) -> String {
    // What is dropped can be had back for a while where it matters, and does not pile up where it does not.
    let keep_dropped = if is_stored { 480 } else { 60 };
    let tables: String =
        PINNED_TABLE_SETTINGS.iter().map(|(name, value)| format!("<{name}>{value}</{name}>")).collect();
    let path = |name: &str| escape(&dir.join(name).to_string_lossy());
    format!(
        "<clickhouse>
  <logger><level>none</level><console>0</console></logger>
  <timezone>UTC</timezone>
  <max_server_memory_usage>{server_memory}</max_server_memory_usage>
  <mark_cache_size>67108864</mark_cache_size>
  <uncompressed_cache_size>0</uncompressed_cache_size>
  <database_atomic_delay_before_drop_table_sec>{keep_dropped}</database_atomic_delay_before_drop_table_sec>
  <merge_tree>{tables}</merge_tree>
  <user_directories><users_xml><path>{}</path></users_xml></user_directories>
  <user_files_path>{}</user_files_path>
  <user_scripts_path>{}</user_scripts_path>
</clickhouse>
",
        path(USERS),
        path("files/"),
        path("scripts/"),
    )
}

fn users(most: Limits, settings: &[(String, String)], stored: Option<&Stored>) -> String {
    let mut profile = String::new();
    for (name, value) in PINNED {
        let _ = writeln!(profile, "    <{name}>{value}</{name}>");
    }
    let is_plain = |name: &str| name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    let own = |name: &str| PINNED.iter().all(|(pinned, _)| *pinned != name);
    for (name, value) in settings.iter().filter(|(name, _)| is_plain(name) && own(name)) {
        let _ = writeln!(profile, "    <{name}>{}</{name}>", escape(value));
    }
    let mut constraints = String::new();
    let ceilings = [
        ("max_execution_time", "0.001", seconds(most)),
        ("max_memory_usage", "1", most.memory.to_string()),
        ("max_result_rows", "1", most.result_rows.to_string()),
        ("max_result_bytes", "1", most.result_bytes.to_string()),
    ];
    for (name, min, max) in ceilings {
        // A 0 means "no limit" to the engine: the floor is what forbids it.
        let _ = writeln!(constraints, "      <{name}><min>{min}</min><max>{max}</max></{name}>");
        let _ = writeln!(profile, "    <{name}>{max}</{name}>");
    }
    for (name, value) in OVERFLOW {
        let _ = writeln!(profile, "    <{name}>{value}</{name}>");
        let _ = writeln!(constraints, "      <{name}><const/></{name}>");
    }
    let _ = writeln!(constraints, "      <{LANE}><const/></{LANE}>");
    let (roles, grants) = match stored {
        None => (String::new(), queries(&writer_grants(&[format!("{DATABASE}.*")], ""))),
        Some(stored) => {
            let places = |patterns: &[String]| patterns.iter().map(|p| format!("{p}.*")).collect::<Vec<_>>();
            let writer = writer_grants(&places(&stored.writable), OWNER_RIGHTS);
            let mut reader: Vec<_> =
                places(&stored.readable).iter().map(|p| format!("GRANT SELECT, SHOW ON {p}")).collect();
            reader.extend(READABLE_SYSTEM_TABLES.iter().map(|t| format!("GRANT SELECT ON system.{t}")));
            let role = |name: &str, grants: &[String]| {
                format!("    <{name}><grants>\n{}    </grants></{name}>\n", queries(grants))
            };
            let roles = role(WRITER, &writer) + &role(READER, &reader);
            // The user itself may do nothing: what a connection may do is its role's.
            (roles, queries(&[format!("GRANT {WRITER}"), format!("GRANT {READER}")]))
        }
    };
    format!(
        "<clickhouse>
  <profiles><default>
{profile}    <constraints>
{constraints}    </constraints>
  </default></profiles>
  <quotas><default/></quotas>
  <roles>
{roles}  </roles>
  <users><default>
    <password/>
    <networks><ip>::/0</ip></networks>
    <profile>default</profile>
    <quota>default</quota>
    <grants>
{grants}    </grants>
  </default></users>
</clickhouse>
"
    )
}

fn writer_grants(places: &[String], more: &str) -> Vec<String> {
    let mut grants: Vec<_> = places.iter().map(|p| format!("GRANT {RIGHTS} ON {p}")).collect();
    if !more.is_empty() {
        grants.extend(places.iter().map(|p| format!("GRANT {more} ON {p}")));
    }
    grants.push("GRANT SELECT ON system.*".to_owned());
    grants.push("GRANT CREATE TEMPORARY TABLE ON *.*".to_owned());
    grants.extend(TABLE_ENGINES.iter().map(|e| format!("GRANT TABLE ENGINE ON {e}")));
    grants
}

fn queries(grants: &[String]) -> String {
    grants.iter().map(|g| format!("        <query>{g}</query>\n")).collect()
}

/// What happens at a limit: an error, never a silently shorter answer. No statement may choose otherwise.
const OVERFLOW: [(&str, &str); 2] = [("result_overflow_mode", "throw"), ("timeout_overflow_mode", "throw")];

/// The statement that gives a session its limits.
pub(crate) fn limit_statement(limits: Limits) -> String {
    format!(
        "SET max_execution_time = {}, max_memory_usage = {}, max_result_rows = {}, max_result_bytes = {}",
        seconds(limits),
        limits.memory,
        limits.result_rows,
        limits.result_bytes
    )
}

fn seconds(limits: Limits) -> String {
    format!("{:.3}", limits.time.as_secs_f64().max(0.001))
}

/// No limit above `most`, and none that the engine would take for "unlimited".
pub(crate) fn clamp(limits: Limits, most: Limits) -> Limits {
    let one = std::time::Duration::from_millis(1);
    Limits {
        time: limits.time.clamp(one, most.time.max(one)),
        memory: limits.memory.clamp(1, most.memory.max(1)),
        result_rows: limits.result_rows.clamp(1, most.result_rows.max(1)),
        result_bytes: limits.result_bytes.clamp(1, most.result_bytes.max(1)),
    }
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_folder_named_like_markup_stays_text() {
        let text = server(Path::new("/tmp/a<b>&c"), 1, false);
        assert!(text.contains("<path>/tmp/a&lt;b&gt;&amp;c/headwater-users.xml</path>"), "{text}");
    }

    #[test]
    fn limits_never_mean_unlimited() {
        let zero = Limits { time: Duration::ZERO, memory: 0, result_rows: 0, result_bytes: 0 };
        let clamped = clamp(zero, Limits::default());
        assert_eq!(
            limit_statement(clamped),
            "SET max_execution_time = 0.001, max_memory_usage = 1, max_result_rows = 1, max_result_bytes = 1"
        );
        let huge =
            Limits { time: Duration::MAX, memory: u64::MAX, result_rows: u64::MAX, result_bytes: u64::MAX };
        assert_eq!(clamp(huge, Limits::default()), Limits::default());
    }

    #[test]
    fn settings_of_the_caller_stand_beside_the_pinned_ones() {
        let given = [("join_use_nulls", "1"), ("session_timezone", "Mars"), ("x/><y", "1"), ("a", "<&")];
        let given = given.map(|(n, v)| (n.to_owned(), v.to_owned()));
        let users = users(Limits::default(), &given, None);
        assert!(users.contains("<join_use_nulls>1</join_use_nulls>") && users.contains("<a>&lt;&amp;</a>"));
        assert!(!users.contains("Mars") && !users.contains("<y>") && !users.contains("x/>"), "{users}");
    }

    #[test]
    fn engines_that_reach_outside_are_not_granted() {
        let users = users(Limits::default(), &[], None);
        for engine in ["URL", "S3", "File", "Kafka", "Distributed", "MySQL", "Executable", "Merge", "*"] {
            assert!(!users.contains(&format!("TABLE ENGINE ON {engine}<")), "{engine}");
        }
    }
}
