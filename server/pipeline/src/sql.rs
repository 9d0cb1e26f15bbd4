//! Statements on their way to the engine.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use headwater_engine::compile::SESSION_SETTINGS;
use headwater_warehouse::{
    Allow, Answer, EngineError, Format, Insert, Limits, Request, StatementError, StoreConfig, Warehouse,
};

/// The database with the tables of releases.
pub const DATABASE: &str = "data";

/// The database with blocks of rows on their way. Its tables are in memory, and gone with the engine's process: a block that
/// was lost is an unknown table, never an empty one.
pub const BLOCKS: &str = "blocks";

/// What a statement of a consumer may cost, at most; a store's own ceilings may be lower.
pub(crate) const LIMITS: Limits = Limits {
    time: Duration::from_secs(600),
    memory: 8_000_000_000,
    result_rows: u64::MAX >> 1,
    result_bytes: 1_000_000_000,
};

/// Whatever runs statements that change tables. It may come and go.
pub trait Tables: Send + Sync {
    /// Where statements go.
    ///
    /// # Errors
    /// Why there is no engine now; it is asked again.
    fn warehouse(&self) -> Result<Warehouse, EngineError>;
}

impl Tables for Warehouse {
    fn warehouse(&self) -> Result<Warehouse, EngineError> {
        Ok(self.clone())
    }
}

/// Puts into a store's configuration what the pipeline needs of it: its databases, enough connections, and
/// [the check](crate::fsck) of what a crash left before each start of the engine.
pub fn prepare(config: &mut StoreConfig) {
    DATABASE.clone_into(&mut config.database);
    config.writable.push(BLOCKS.to_owned());
    config.writers = config.writers.max(4);
    config.engine.prelude.push(create_blocks());
    let before = config.before_start.take();
    config.before_start = Some(Arc::new(move |folder: &Path| {
        if let Some(before) = &before {
            before(folder)?;
        }
        crate::fsck::mend(folder, &|_| {}).map(drop).map_err(|error| error.to_string())
    }));
}

fn create_blocks() -> String {
    format!("CREATE DATABASE IF NOT EXISTS {BLOCKS} ENGINE = Memory")
}

/// Why a statement has no result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Trouble {
    /// The engine refuses it.
    Refused(StatementError),
    /// A block is not there any more: the engine was started anew.
    Lost,
    /// There is no answer: nobody knows what was done.
    Gone(String),
    /// Something of our own does not work.
    Own(String),
}

impl std::fmt::Display for Trouble {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Refused(error) => error.fmt(f),
            Self::Lost => f.write_str("the engine was started anew"),
            Self::Gone(why) | Self::Own(why) => f.write_str(why),
        }
    }
}

impl From<EngineError> for Trouble {
    fn from(error: EngineError) -> Self {
        match error {
            EngineError::Statement(said) => Self::Refused(said),
            other => Self::Gone(other.to_string()),
        }
    }
}

impl Trouble {
    /// Whether a row may be at fault, and not the machine: then other rows may be fine.
    pub(crate) fn may_be_a_row(&self) -> bool {
        let Self::Refused(error) = self else { return false };
        const OF_THE_MACHINE: [&str; 22] = [
            "CANNOT_ALLOCATE_MEMORY",
            "CANNOT_FSYNC",
            "CANNOT_OPEN_FILE",
            "CANNOT_SCHEDULE_TASK",
            "CANNOT_WRITE_TO_FILE_DESCRIPTOR",
            "FILE_DOESNT_EXIST",
            "LIMIT_EXCEEDED",
            "LOGICAL_ERROR",
            "MEMORY_LIMIT_EXCEEDED",
            "NOT_ENOUGH_SPACE",
            "NO_SUCH_COLUMN_IN_TABLE",
            "QUERY_WAS_CANCELLED",
            "SYNTAX_ERROR",
            "SYSTEM_ERROR",
            "TABLE_IS_DROPPED",
            "TABLE_IS_READ_ONLY",
            "TIMEOUT_EXCEEDED",
            "TOO_MANY_PARTS",
            "TOO_MANY_SIMULTANEOUS_QUERIES",
            "UNKNOWN_DATABASE",
            "UNKNOWN_IDENTIFIER",
            "UNKNOWN_TABLE",
        ];
        !OF_THE_MACHINE.contains(&error.name.as_str())
    }

    /// Whether the engine's process was the trouble, and not what was asked of it.
    pub(crate) fn is_the_process(&self) -> bool {
        matches!(self, Self::Lost | Self::Gone(_))
    }
}

/// The engine as consumers use it.
#[derive(Clone)]
pub(crate) struct Sql(Arc<dyn Tables>);

impl Sql {
    pub(crate) fn new(tables: Arc<dyn Tables>) -> Self {
        Self(tables)
    }

    /// Runs a statement that changes tables. It is one of our own: what a project wrote of it has passed the gate. The engine's
    /// parser takes one with `SETTINGS` for a change of the session, so more has to be allowed than is done.
    pub(crate) fn run(&self, sql: impl Into<String>) -> Result<Answer, Trouble> {
        self.send(Request::new(sql).allow(Allow::Anything).limits(LIMITS))
    }

    /// Asks.
    pub(crate) fn ask(&self, sql: impl Into<String>, format: Format) -> Result<Vec<u8>, Trouble> {
        Ok(self.send(Request::new(sql).allow(Allow::Anything).format(format).limits(LIMITS))?.body)
    }

    /// Puts rows into a table.
    pub(crate) fn insert(&self, insert: Insert) -> Result<Answer, Trouble> {
        Ok(self.0.warehouse()?.insert(insert.limits(LIMITS))?)
    }

    fn send(&self, request: Request) -> Result<Answer, Trouble> {
        Ok(self.0.warehouse()?.query(request)?)
    }

    /// Makes the database of blocks, if it is not there.
    pub(crate) fn make_blocks(&self) -> Result<(), Trouble> {
        self.run(create_blocks()).map(drop)
    }
}

/// What makes an insert of a block into a table one insert, whose token the table remembers. Each of these was measured.
pub(crate) fn insert_settings(token: &str) -> String {
    let token = headwater_warehouse::literal(token);
    format!(
        "insert_deduplication_token = {token}, deduplicate_insert = 'enable', \
         deduplicate_insert_select = 'force_enable', async_insert = 0, max_threads = 1, max_insert_threads = 1, \
         min_insert_block_size_rows = 100000000, min_insert_block_size_bytes = 0, max_insert_block_size = 100000000, \
         max_partitions_per_insert_block = 0, insert_null_as_default = 0, insert_allow_materialized_columns = 1"
    )
}

/// What a project's query runs with: the settings that projects rely on, one thread, and one block.
pub(crate) fn query_settings() -> String {
    let mut settings: Vec<String> =
        SESSION_SETTINGS.iter().map(|s| format!("{} = {}", s.name, s.value)).collect();
    settings.extend(
        [
            "max_threads = 1",
            "max_insert_threads = 1",
            "min_insert_block_size_rows = 100000000",
            "min_insert_block_size_bytes = 0",
            "max_insert_block_size = 100000000",
        ]
        .map(str::to_owned),
    );
    settings.join(", ")
}

/// A table's name in a statement.
pub(crate) fn table(database: &str, name: &str) -> String {
    format!("{}.{}", headwater_warehouse::identifier(database), headwater_warehouse::identifier(name))
}

/// Names in a list.
pub(crate) fn list<'n>(names: impl IntoIterator<Item = &'n str>) -> String {
    names.into_iter().map(headwater_warehouse::identifier).collect::<Vec<_>>().join(", ")
}
