//! What is asked and what comes back.

use std::time::Duration;

/// One statement, and how it may run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// The statement. A `;` behind it is fine, a second statement is refused.
    pub sql: String,
    /// Values of `{name:Type}` placeholders: never spliced into the text.
    pub params: Vec<(String, String)>,
    /// How the answer is written, unless the statement itself has a `FORMAT` clause.
    pub format: Format,
    /// What it may cost.
    pub limits: Limits,
    /// What it may do.
    pub allow: Allow,
}

impl Request {
    /// A statement that only reads, answered as tab-separated values within the default limits.
    pub fn new(sql: impl Into<String>) -> Self {
        Self {
            sql: sql.into(),
            params: Vec::new(),
            format: Format::Tsv,
            limits: Limits::default(),
            allow: Allow::Reads,
        }
    }

    /// The same with another output format.
    #[must_use]
    pub fn format(mut self, format: Format) -> Self {
        self.format = format;
        self
    }

    /// The same with other limits.
    #[must_use]
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// The same with other rights.
    #[must_use]
    pub fn allow(mut self, allow: Allow) -> Self {
        self.allow = allow;
        self
    }

    /// The same with a value for the placeholder `{name:Type}`.
    #[must_use]
    pub fn param(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.params.push((name.into(), value.into()));
        self
    }
}

/// What a statement may do; the engine's own parser says what it does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Allow {
    /// Nothing at all: it is parsed, counted and classified, and not run. The answer's body is empty.
    Parse,
    /// `SELECT`, `SHOW`, `DESCRIBE`, `EXPLAIN`, `EXISTS`, without `INTO OUTFILE`.
    Reads,
    /// Also what changes tables: `CREATE`, `ALTER`, `INSERT`, `DROP`.
    Changes,
    /// Also `SET`, `USE`, `KILL`, and whatever else the grants leave. For statements that we wrote ourselves: settings
    /// that they change stay changed for the worker's next ones.
    Anything,
}

/// Output formats that callers here understand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// Tab-separated, escaped, no header.
    Tsv,
    /// Tab-separated, not escaped, no header: for answers of one text column, such as `EXPLAIN`.
    TsvRaw,
    /// Tab-separated with a line of names and a line of types.
    TsvWithNamesAndTypes,
    /// One object with `meta`, `data` (objects), `rows` and `statistics`.
    Json,
    /// One object with `meta`, `data` (arrays) and `statistics`.
    JsonCompact,
    /// One object per line.
    JsonEachRow,
    /// One array per line, names and types first.
    JsonCompactEachRowWithNamesAndTypes,
    /// Comma-separated, a line of names first.
    CsvWithNames,
    /// Apache Parquet.
    Parquet,
    /// What Prometheus collects; of answers with the columns that the engine wants for it.
    Prometheus,
}

impl Format {
    /// All of them.
    pub const ALL: [Self; 10] = [
        Self::Tsv,
        Self::TsvRaw,
        Self::TsvWithNamesAndTypes,
        Self::Json,
        Self::JsonCompact,
        Self::JsonEachRow,
        Self::JsonCompactEachRowWithNamesAndTypes,
        Self::CsvWithNames,
        Self::Parquet,
        Self::Prometheus,
    ];

    /// Whether pieces of an answer, written one by one, are the answer: there is no head and no end.
    pub fn is_streamable(self) -> bool {
        matches!(self, Self::Tsv | Self::TsvRaw | Self::JsonEachRow)
    }

    /// The engine's name for it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Tsv => "TSV",
            Self::TsvRaw => "TSVRaw",
            Self::TsvWithNamesAndTypes => "TSVWithNamesAndTypes",
            Self::Json => "JSON",
            Self::JsonCompact => "JSONCompact",
            Self::JsonEachRow => "JSONEachRow",
            Self::JsonCompactEachRowWithNamesAndTypes => "JSONCompactEachRowWithNamesAndTypes",
            Self::CsvWithNames => "CSVWithNames",
            Self::Parquet => "Parquet",
            Self::Prometheus => "Prometheus",
        }
    }
}

/// What one statement may cost. The engine enforces all four; the pool's own clock stands behind `time`, and the
/// worker's own count behind `result_bytes`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Wall time.
    pub time: Duration,
    /// Memory of the statement, in bytes.
    pub memory: u64,
    /// Rows of the answer.
    pub result_rows: u64,
    /// Bytes of the answer: of its columns in memory, and of the text that is sent back.
    pub result_bytes: u64,
}

impl Default for Limits {
    /// 5 s, 1 GB, 100,000 rows, 32 MB.
    fn default() -> Self {
        Self {
            time: Duration::from_secs(5),
            memory: 1_000_000_000,
            result_rows: 100_000,
            result_bytes: 32_000_000,
        }
    }
}

/// What a statement answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The result in the format that was asked for.
    pub body: Vec<u8>,
    /// What the statement does, by the engine's own parser.
    pub class: Class,
    /// What it cost, by the engine's own count.
    pub stats: Stats,
    /// Which life of which worker answered. When it differs from an earlier answer's, tables made in between by
    /// anything but the prelude are gone.
    pub worker: WorkerId,
}

impl Answer {
    /// Of work that says nothing.
    pub(crate) fn empty(worker: WorkerId) -> Self {
        Self { body: Vec::new(), class: Class::Control, stats: Stats::default(), worker }
    }

    /// The body as text; what is not UTF-8 is replaced.
    pub fn text(&self) -> std::borrow::Cow<'_, str> {
        String::from_utf8_lossy(&self.body)
    }
}

/// What a statement cost, as the engine counts it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Stats {
    /// Time in the engine.
    pub elapsed: Duration,
    /// Rows of the answer.
    pub result_rows: u64,
    /// Rows read from tables.
    pub read_rows: u64,
    /// Bytes read from tables, uncompressed.
    pub read_bytes: u64,
    /// Rows written, those of materialized views behind the table included: what was sent is at most this.
    pub written_rows: u64,
    /// Bytes written, likewise.
    pub written_bytes: u64,
}

/// One process of the pool.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct WorkerId {
    /// Its place in the pool.
    pub slot: usize,
    /// How many processes this place had, this one included.
    pub life: u64,
}

/// What a statement does, as the engine's parser tells it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// It leaves no trace.
    Reads,
    /// It changes a database.
    Changes,
    /// It changes what lives beside the databases: functions, users, named collections.
    ChangesGlobals,
    /// It changes the session, or writes outside the engine: `SET`, `USE`, `SYSTEM`, `INTO OUTFILE`.
    Control,
    /// The parser of this version does not say.
    Unknown,
}

impl Class {
    /// Whether `allow` covers it. What is unknown is covered by nothing.
    pub(crate) fn is_allowed(self, allow: Allow) -> bool {
        let needed = match self {
            Self::Reads => Allow::Reads,
            Self::Changes => Allow::Changes,
            Self::ChangesGlobals | Self::Control => Allow::Anything,
            Self::Unknown => return false,
        };
        allow >= needed
    }
}
