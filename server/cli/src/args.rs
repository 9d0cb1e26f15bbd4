//! The command line, declared.

use camino::Utf8PathBuf;
use clap::{Args, CommandFactory, Parser, Subcommand, ValueEnum};

/// Change a live data pipeline from your editor without fear.
#[derive(Debug, Parser)]
#[command(name = "headwater", version, propagate_version = true)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run the language server on standard input and output
    Lsp {
        /// Accepted for clients that insist on passing it; it is the only transport
        #[arg(long, hide = true)]
        stdio: bool,
        /// Ask no engine for its opinion
        #[arg(long)]
        offline: bool,
    },
    /// Report what is wrong with a project
    Check(CheckArgs),
    /// Show how files are read: statements, functions, tables, syntax errors
    Parse(ParseArgs),
    /// Lay datafiles out
    Fmt(FmtArgs),
    /// Show what a resource reads and what flows downstream of it
    Lineage(LineageArgs),
    /// Say what deploying a project would do: what is altered, rewritten, recomputed, refused, and who breaks
    Plan(PlanArgs),
    /// Make a project the live release of a host
    Deploy(DeployArgs),
    /// Add the rows of a file to a data source of a host
    Append(AppendArgs),
    /// Say who may do what on a host
    Token(TokenArgs),
    /// Keep what templates use and nobody should read
    Secret(SecretArgs),
    /// Say whether a host runs, and how it is
    Status(StatusArgs),
    /// Be a host: own a data folder, keep the engine running, answer over HTTP
    Serve(ServeArgs),
    /// Run a project's tests on the SQL engine
    Test(TestArgs),
    /// Make up rows for a data source
    Mock(MockArgs),
    /// Run a node on the project's samples and show what it gives
    Preview(PreviewArgs),
    /// Run a query of your own on the project's samples, or on a host
    Sql(SqlArgs),
    /// Write files that a project needs
    Init(InitArgs),
    /// Install the SQL engine, or say whether it is there
    Setup(SetupArgs),
    /// Become a worker of the engine: other commands start it
    #[command(hide = true)]
    EngineWorker,
    /// Print a completion script for a shell
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
}

#[derive(Debug, Args)]
pub(crate) struct CheckArgs {
    /// The project, or a folder with projects below it
    pub(crate) dir: Option<Utf8PathBuf>,
    /// The project, for commands run from elsewhere
    #[arg(long, value_name = "DIR", conflicts_with = "dir")]
    pub(crate) project: Option<Utf8PathBuf>,
    /// Output
    #[arg(long, value_enum, default_value_t = CheckFormat::Human)]
    pub(crate) format: CheckFormat,
    /// Exit with 1 when there are warnings
    #[arg(long)]
    pub(crate) deny_warnings: bool,
    /// Ask no engine for its opinion (nothing is sent over a network either way)
    #[arg(long)]
    pub(crate) offline: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum CheckFormat {
    /// Source excerpts
    Human,
    /// One JSON object
    Json,
    /// Annotations of GitHub Actions
    Github,
    /// SARIF 2.1.0
    Sarif,
}

#[derive(Debug, Args)]
#[group(id = "language", required = true, multiple = false)]
pub(crate) struct ParseLanguage {
    /// The files are SQL
    #[arg(long)]
    pub(crate) sql: bool,
    /// The files are datafiles
    #[arg(long)]
    pub(crate) datafile: bool,
}

#[derive(Debug, Args)]
pub(crate) struct ParseArgs {
    #[command(flatten)]
    pub(crate) language: ParseLanguage,
    /// The files; `-` is standard input
    #[arg(required = true, value_name = "FILE")]
    pub(crate) files: Vec<Utf8PathBuf>,
    /// Output
    #[arg(long, value_enum, default_value_t = TextFormat::Human)]
    pub(crate) format: TextFormat,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum TextFormat {
    /// For people
    Human,
    /// One JSON object
    Json,
}

#[derive(Debug, Args)]
pub(crate) struct FmtArgs {
    /// Files and folders; the project when there are none; `-` is standard input
    #[arg(value_name = "PATH")]
    pub(crate) paths: Vec<Utf8PathBuf>,
    /// The project, for commands run from elsewhere
    #[arg(long, value_name = "DIR", conflicts_with = "paths")]
    pub(crate) project: Option<Utf8PathBuf>,
    /// Write nothing; exit with 1 and list the files that are not laid out
    #[arg(long)]
    pub(crate) check: bool,
    /// Write nothing; exit with 1 and print what would change
    #[arg(long, conflicts_with = "check")]
    pub(crate) diff: bool,
    /// What standard input is: a path, for its extension and the project around it
    #[arg(long, value_name = "FILE")]
    pub(crate) stdin_filename: Option<Utf8PathBuf>,
    /// Output
    #[arg(long, value_enum, default_value_t = TextFormat::Human, conflicts_with = "diff")]
    pub(crate) format: TextFormat,
}

impl FmtArgs {
    /// Whether the text comes from standard input; ends the program when it is not said what text that is.
    pub(crate) fn reads_stdin(&self) -> bool {
        let dash = self.paths.iter().any(|path| path == "-");
        let wrong = match (dash, &self.stdin_filename) {
            (true, None) => Some("`-` needs --stdin-filename, which says what the text is"),
            (true, Some(_)) if self.paths.len() > 1 => Some("`-` stands alone"),
            (false, Some(_)) if !self.paths.is_empty() => Some("--stdin-filename goes with `-` alone"),
            _ => None,
        };
        if let Some(message) = wrong {
            Cli::command().error(clap::error::ErrorKind::ArgumentConflict, message).exit();
        }
        self.stdin_filename.is_some()
    }
}

#[derive(Debug, Args)]
pub(crate) struct PlanArgs {
    /// The project; found upward from here when not given
    pub(crate) dir: Option<Utf8PathBuf>,
    /// The project, for commands run from elsewhere
    #[arg(long, value_name = "DIR", conflicts_with = "dir")]
    pub(crate) project: Option<Utf8PathBuf>,
    /// What it would be deployed over: a folder, a commit (`git:REV`), or `live`
    #[arg(long, value_name = "DIR|git:REV|live", default_value = "live")]
    pub(crate) against: String,
    /// Output
    #[arg(long, value_enum, default_value_t = PlanFormat::Human)]
    pub(crate) format: PlanFormat,
    /// Measurements of live tables, for estimates of cost
    #[arg(long, value_name = "FILE.json")]
    pub(crate) stats: Option<Utf8PathBuf>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum PlanFormat {
    /// For people
    #[value(alias = "text")]
    Human,
    /// One JSON object
    Json,
    /// For a pull request
    Markdown,
}

/// Which host is meant.
#[derive(Debug, Args)]
pub(crate) struct HostArgs {
    /// A host elsewhere: a name from `[hosts]` in headwater.toml, or a URL; its token is taken from HEADWATER_TOKEN. Without
    /// it, or with `local`, the project's host on this machine
    #[arg(long, value_name = "NAME|URL", conflicts_with = "data")]
    pub(crate) host: Option<String>,
    /// The data folder of a host on this machine, when it is not the project's own
    #[arg(long, value_name = "DIR")]
    pub(crate) data: Option<Utf8PathBuf>,
    /// The project; found upward from here when not given
    #[arg(long, value_name = "DIR")]
    pub(crate) project: Option<Utf8PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct DeployArgs {
    /// The project; found upward from here when not given
    #[arg(conflicts_with = "project")]
    pub(crate) dir: Option<Utf8PathBuf>,
    #[command(flatten)]
    pub(crate) host: HostArgs,
    /// Why, for those who read the history
    #[arg(short, long, value_name = "WHY")]
    pub(crate) message: Option<String>,
    /// Only say whether it would be taken
    #[arg(long)]
    pub(crate) check: bool,
    /// Output
    #[arg(long, value_enum, default_value_t = TextFormat::Human)]
    pub(crate) format: TextFormat,
}

#[derive(Debug, Args)]
pub(crate) struct AppendArgs {
    /// The data source
    pub(crate) datasource: String,
    /// The file: .csv, .ndjson, .jsonl, packed with .gz or .zst or not
    pub(crate) file: Utf8PathBuf,
    /// A name for this file: sent again under it, its rows are kept once
    #[arg(long, value_name = "NAME")]
    pub(crate) key: Option<String>,
    #[command(flatten)]
    pub(crate) host: HostArgs,
    /// Output
    #[arg(long, value_enum, default_value_t = TextFormat::Human)]
    pub(crate) format: TextFormat,
}

#[derive(Debug, Args)]
pub(crate) struct TokenArgs {
    #[command(subcommand)]
    pub(crate) command: TokenCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum TokenCommand {
    /// List tokens: names and what they may do, never values
    Ls {
        #[command(flatten)]
        host: HostArgs,
        /// Output
        #[arg(long, value_enum, default_value_t = TextFormat::Human)]
        format: TextFormat,
    },
    /// Make a token and print its value, which is kept nowhere
    Create {
        /// Its name; one of a TOKEN line in what is deployed has the rights of that line
        name: String,
        /// What it may do: ADMIN, TOKENS, WORKSPACE:READ_ALL, WORKSPACE:DEPLOY, DATASOURCES:READ:NAME,
        /// DATASOURCES:READ:NAME:FILTER, DATASOURCES:APPEND:NAME, DATASOURCES:DROP:NAME, PIPES:READ:NAME
        #[arg(long, value_name = "SCOPE")]
        scope: Vec<String>,
        /// When it ends: 90d, 12h, 30m
        #[arg(long, value_name = "TIME", value_parser = seconds, conflicts_with = "refresh")]
        ttl: Option<u64>,
        /// Give a token that is there a new value
        #[arg(long, conflicts_with = "scope")]
        refresh: bool,
        /// How long the old value stays good besides the new one: at most 7d
        #[arg(long, value_name = "TIME", value_parser = seconds, requires = "refresh")]
        keep_old: Option<u64>,
        #[command(flatten)]
        host: HostArgs,
    },
    /// Take a token away
    Rm {
        /// Its name
        name: String,
        #[command(flatten)]
        host: HostArgs,
    },
}

#[derive(Debug, Args)]
pub(crate) struct SecretArgs {
    #[command(subcommand)]
    pub(crate) command: SecretCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum SecretCommand {
    /// List the names of secrets
    Ls {
        #[command(flatten)]
        host: HostArgs,
        /// Output
        #[arg(long, value_enum, default_value_t = TextFormat::Human)]
        format: TextFormat,
    },
    /// Set a secret; its value is read from standard input
    Create {
        /// Its name
        name: String,
        #[command(flatten)]
        host: HostArgs,
    },
    /// Take a secret away
    Rm {
        /// Its name
        name: String,
        #[command(flatten)]
        host: HostArgs,
    },
}

/// `90d`, `12h`, `30m`, `45s` or a number of seconds.
fn seconds(text: &str) -> Result<u64, String> {
    let wrong = || "write a number and s, m, h or d, such as 90d".to_owned();
    let (number, unit) = match text.char_indices().next_back() {
        Some((at, unit)) if unit.is_ascii_alphabetic() => (&text[..at], unit),
        _ => (text, 's'),
    };
    let factor = match unit {
        's' => 1,
        'm' => 60,
        'h' => 3600,
        'd' => 86_400,
        _ => return Err(wrong()),
    };
    let number: u64 = number.parse().map_err(|_| wrong())?;
    number.checked_mul(factor).filter(|n| *n > 0).ok_or_else(wrong)
}

#[derive(Debug, Args)]
pub(crate) struct StatusArgs {
    #[command(flatten)]
    pub(crate) host: HostArgs,
    /// Start the host on this machine if it does not run
    #[arg(long, conflicts_with = "host")]
    pub(crate) start: bool,
    /// Output
    #[arg(long, value_enum, default_value_t = TextFormat::Human)]
    pub(crate) format: TextFormat,
}

#[derive(Debug, Args)]
pub(crate) struct ServeArgs {
    /// Refuse requests with parameters that their endpoint does not have, instead of naming them in a header
    #[arg(long)]
    pub(crate) strict_parameters: bool,
    /// How often one token may ask one endpoint, in requests a second
    #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) endpoint_rate: Option<u32>,
    /// The data folder; the project's own when not given
    #[arg(long, value_name = "DIR")]
    pub(crate) data: Option<Utf8PathBuf>,
    /// The project, for its data folder
    #[arg(long, value_name = "DIR", conflicts_with = "data")]
    pub(crate) project: Option<Utf8PathBuf>,
    /// Store data in a ClickHouse server instead, at its HTTP address; user and password are taken from
    /// HEADWATER_CLICKHOUSE_USER and HEADWATER_CLICKHOUSE_PASSWORD
    #[arg(long, value_name = "URL", conflicts_with = "stop")]
    pub(crate) clickhouse: Option<String>,
    /// Listen on TCP too: a port of this machine alone, or ADDRESS:PORT
    #[arg(long, value_name = "[ADDR:]PORT")]
    pub(crate) listen: Vec<String>,
    /// A name under which the host is reached on TCP, besides addresses and localhost
    #[arg(long, value_name = "NAME")]
    pub(crate) allow_host: Vec<String>,
    /// The origin of web pages that may ask it
    #[arg(long, value_name = "https://NAME")]
    pub(crate) allow_origin: Vec<String>,
    /// The file with the key that seals secrets; made when it is not there. Among the user's keys when not given
    #[arg(long, value_name = "FILE")]
    pub(crate) secrets_key: Option<Utf8PathBuf>,
    /// End the host that owns the data folder, once what runs is answered
    #[arg(long, conflicts_with_all = ["listen", "allow_host", "allow_origin"])]
    pub(crate) stop: bool,
    /// Started by a command that needs it: end after this many seconds without requests
    #[arg(long, hide = true, value_name = "SECONDS")]
    pub(crate) on_demand: Option<f64>,
}

#[derive(Debug, Args)]
pub(crate) struct TestArgs {
    /// Test files (`top`, `tests/top.yaml`), pipes, or single tests (`top:newest`); all of them when none is given
    #[arg(value_name = "NAME")]
    pub(crate) names: Vec<String>,
    /// The project; found upward from here when not given
    #[arg(long, value_name = "DIR")]
    pub(crate) project: Option<Utf8PathBuf>,
    /// Write what came back into the files of failed tests
    #[arg(long, conflicts_with = "watch")]
    pub(crate) update: bool,
    /// Run the tests that the changes since a revision may touch
    #[arg(long, value_name = "REV", conflicts_with = "watch")]
    pub(crate) affected: Option<String>,
    /// Run again after each edit the tests that it may touch
    #[arg(long)]
    pub(crate) watch: bool,
    /// What the clock shows: 2025-07-15, 2025-07-15T10:00:00Z
    #[arg(long, value_name = "TIME")]
    pub(crate) now: Option<String>,
    /// Compare answers text for text
    #[arg(long)]
    pub(crate) exact: bool,
    /// Output
    #[arg(long, value_enum, default_value_t = TestFormat::Human)]
    pub(crate) format: TestFormat,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum TestFormat {
    /// For people
    Human,
    /// One JSON object
    Json,
    /// JUnit's XML
    Junit,
}

#[derive(Debug, Args)]
pub(crate) struct MockArgs {
    /// The data source
    #[arg(value_name = "DATASOURCE")]
    pub(crate) name: String,
    /// The project; found upward from here when not given
    #[arg(long, value_name = "DIR")]
    pub(crate) project: Option<Utf8PathBuf>,
    /// How many rows
    #[arg(long, value_name = "N", default_value_t = 100)]
    pub(crate) rows: u64,
    /// Equal seeds make equal rows
    #[arg(long, value_name = "S", default_value_t = 1)]
    pub(crate) seed: u64,
    /// The moment before which the rows' times lie
    #[arg(long, value_name = "TIME", default_value = "2025-01-31")]
    pub(crate) now: String,
    /// Write fixtures/DATASOURCE.ndjson instead of printing
    #[arg(long)]
    pub(crate) write: bool,
}

/// How a project's samples are asked.
#[derive(Debug, Args)]
pub(crate) struct SampleArgs {
    /// A parameter's value; the same name again makes a list
    #[arg(long = "param", value_name = "NAME=VALUE")]
    pub(crate) params: Vec<String>,
    /// Rows at most
    #[arg(long, value_name = "N", default_value_t = 100)]
    pub(crate) limit: usize,
    /// Stop the clock: what `now()` and the like say
    #[arg(long, value_name = "TIME")]
    pub(crate) now: Option<String>,
    /// The project; found upward from here when not given
    #[arg(long, value_name = "DIR")]
    pub(crate) project: Option<Utf8PathBuf>,
    /// Output
    #[arg(long, value_enum, default_value_t = PreviewFormat::Table)]
    pub(crate) format: PreviewFormat,
    /// Write the rows to a file instead of printing them
    #[arg(long, value_name = "FILE")]
    pub(crate) output: Option<Utf8PathBuf>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum PreviewFormat {
    /// For people
    Table,
    /// One JSON object, as an endpoint answers
    Json,
    /// Comma-separated, names first
    Csv,
    /// A JSON object on each line
    Ndjson,
    /// A table for a pull request
    Markdown,
    /// A Parquet file: for --output, or a pipe
    Parquet,
}

#[derive(Debug, Args)]
pub(crate) struct PreviewArgs {
    /// A pipe, or one of its nodes
    #[arg(value_name = "PIPE[:NODE]")]
    pub(crate) target: String,
    /// A table that the node's `WITH` defines
    #[arg(long, value_name = "NAME")]
    pub(crate) cte: Option<String>,
    /// Measure every node of the chain: its rows, and the time beyond what it reads
    #[arg(long)]
    pub(crate) profile: bool,
    /// Say what would be read of each table, and read nothing
    #[arg(long)]
    pub(crate) estimate: bool,
    #[command(flatten)]
    pub(crate) samples: SampleArgs,
}

#[derive(Debug, Args)]
pub(crate) struct SqlArgs {
    /// The query; standard input when it is not given, or `-`
    pub(crate) sql: Option<String>,
    /// A pipe whose nodes the query may name
    #[arg(long, value_name = "PIPE")]
    pub(crate) pipe: Option<String>,
    /// Run it on a host, not on samples: `local` for the project's own on this machine, a name from `[hosts]` in
    /// headwater.toml, or a URL
    #[arg(long, value_name = "NAME|URL", conflicts_with_all = ["data", "pipe", "estimate", "params", "limit", "now", "output"])]
    pub(crate) host: Option<String>,
    /// Run it on the host of this data folder, not on samples
    #[arg(long, value_name = "DIR", conflicts_with_all = ["pipe", "estimate", "params", "limit", "now", "output"])]
    pub(crate) data: Option<Utf8PathBuf>,
    /// Say what would be read of each table, and read nothing
    #[arg(long)]
    pub(crate) estimate: bool,
    #[command(flatten)]
    pub(crate) samples: SampleArgs,
}

#[derive(Debug, Args)]
pub(crate) struct InitArgs {
    /// The project; found upward from here when not given
    pub(crate) dir: Option<Utf8PathBuf>,
    /// Write a workflow that checks every change and comments its plan
    #[arg(long, value_enum, required = true)]
    pub(crate) cicd: Cicd,
    /// Overwrite what is there
    #[arg(long)]
    pub(crate) force: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Cicd {
    /// GitHub Actions
    Github,
    /// GitLab CI/CD
    Gitlab,
}

#[derive(Debug, Args)]
pub(crate) struct SetupArgs {
    /// Download without asking
    #[arg(long, short)]
    pub(crate) yes: bool,
    /// Take the engine's npm package from this file instead of the network
    #[arg(long, value_name = "FILE.tgz")]
    pub(crate) from: Option<Utf8PathBuf>,
    /// Only say whether the engine is there, where, and whether it is whole and runs
    #[arg(long, conflicts_with_all = ["yes", "from"])]
    pub(crate) check: bool,
}

#[derive(Debug, Args)]
pub(crate) struct LineageArgs {
    /// A data source, pipe or connection; `PIPE:NODE` for one node; either with `.COLUMN` for one column
    pub(crate) name: String,
    /// The project; found upward from here when not given
    #[arg(long, value_name = "DIR")]
    pub(crate) project: Option<Utf8PathBuf>,
    /// Output
    #[arg(long, value_enum, default_value_t = LineageFormat::Human)]
    pub(crate) format: LineageFormat,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum LineageFormat {
    /// Two trees
    Human,
    /// One JSON object
    Json,
    /// A Mermaid flowchart
    Mermaid,
    /// Graphviz
    Dot,
}
