//! A release: what a project is on the engine.

mod compile;
mod opened;
pub(crate) mod volatile;

use std::collections::BTreeMap;
use std::fmt;

use headwater_log::ReleaseId;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

pub use opened::Opened;
pub(crate) use opened::WINDOW;

/// The files of a project: paths from its root, with `/`, and texts.
pub type Files = BTreeMap<String, String>;

/// A project as it is on the engine: which physical table stands for which data source, how rows are read, what views do
/// with them. Made of its files alone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Release {
    id: [u8; 32],
    /// The number of the deployment that makes its tables; part of their names, so that no table of an older deployment is
    /// taken for one of this.
    pub deployment: u32,
    /// What it was compiled from.
    pub files: Files,
    /// Data sources by their names.
    pub sources: BTreeMap<String, Source>,
    /// Materialized views, in order of files.
    pub views: Vec<View>,
    /// Endpoints by the names of their pipes.
    pub endpoints: BTreeMap<String, Endpoint>,
    /// Static tokens that the files ask for.
    pub tokens: Vec<Token>,
    /// Copies that run by the clock or by hand.
    pub schedules: Vec<Schedule>,
}

/// A data source.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Source {
    /// Its file.
    pub file: String,
    /// Its physical table, in [`DATABASE`](crate::DATABASE).
    pub table: String,
    /// The physical table of rows that do not fit, likewise.
    pub quarantine: String,
    /// The columns that the release shows, in order. The table may have more.
    pub columns: Vec<Declared>,
    /// The table's engine.
    pub engine: String,
    /// The statement that makes the table.
    pub create: String,
    /// The statement that makes the quarantine.
    pub create_quarantine: String,
    /// The table has a hidden column with the place of each row in the log, for engines for which the order of rows matters.
    pub has_position: bool,
    /// What its partitions are made of; empty when it has one.
    pub(crate) partition: Vec<String>,
    /// Columns of a block of its rows, as they stand in `CREATE TABLE`.
    pub(crate) block: String,
    /// The block's defaults ask for the hidden columns of time and chance.
    pub(crate) is_volatile: bool,
}

/// A column as a release shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Declared {
    /// Its name.
    pub name: String,
    /// Its type; empty when only a DEFAULT says it.
    pub ty: String,
    /// Its DEFAULT, as written.
    pub default: Option<String>,
    /// Where its values are in a JSON row.
    pub jsonpath: Option<String>,
}

/// A materialized view: a query over each block of new rows of a data source.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct View {
    /// The pipe's file.
    pub file: String,
    /// The pipe.
    pub pipe: String,
    /// The node.
    pub node: String,
    /// The data source whose rows it sees.
    pub source: String,
    /// The data source that it fills.
    pub target: String,
    /// Why its result is kept before it goes anywhere: it depends on more than the block. `None` when it does not.
    pub kept: Option<String>,
    /// Its query, over a table that is called [`PLACE`].
    pub(crate) sql: String,
}

/// What stands in a view's query for the block. No name of a project can be this one: databases of others are refused.
pub(crate) const PLACE: &str = "`blocks`.`the block`";

/// An endpoint.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Endpoint {
    /// The pipe's file.
    pub file: String,
    /// The node that is published.
    pub node: String,
    /// Its query over physical tables; `None` when a request makes it: [`Opened::compiler`] does then.
    pub sql: Option<String>,
    /// Names of the parameters that it takes.
    pub parameters: Vec<String>,
}

/// A static token that a file asks for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Token {
    /// Its name.
    pub name: String,
    /// The data source or pipe.
    pub resource: String,
    /// `READ` or `APPEND`.
    pub permission: String,
}

/// A copy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Schedule {
    /// The pipe.
    pub pipe: String,
    /// The node.
    pub node: String,
    /// The data source that it fills.
    pub target: String,
    /// A cron expression, or `None` when somebody starts it.
    pub when: Option<String>,
    /// What is there goes first.
    pub replaces: bool,
}

/// Why a project is no release.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Faults(pub Vec<Problem>);

/// One reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The file; empty for the project as a whole.
    pub file: String,
    /// What is wrong, and what to do.
    pub message: String,
}

impl fmt::Display for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (n, fault) in self.0.iter().enumerate() {
            let end = if n == 0 { "" } else { "\n" };
            match fault.file.as_str() {
                "" => write!(f, "{end}{}", fault.message)?,
                file => write!(f, "{end}{file}: {}", fault.message)?,
            }
        }
        Ok(())
    }
}

impl std::error::Error for Faults {}

impl Source {
    /// The columns that its table stores: those that it shows, and the hidden one.
    pub(crate) fn stored(&self) -> Vec<&str> {
        let shown = self.columns.iter().map(|column| column.name.as_str());
        shown.chain(self.has_position.then_some(volatile::POSITION)).collect()
    }
}

impl Release {
    /// Compiles a project's files as the first deployment.
    ///
    /// # Errors
    /// Everything that keeps it from being one.
    pub fn compile(files: Files) -> Result<Self, Faults> {
        Self::compile_as(files, 1)
    }

    /// The content's hash: of files and the number of the deployment.
    #[must_use]
    pub fn id(&self) -> ReleaseId {
        ReleaseId(self.id)
    }

    /// The project in a database, to compile queries over this release's tables.
    #[must_use]
    pub fn open(&self) -> Opened {
        Opened::new(&self.files, self.layout())
    }

    /// A data source, by its name.
    #[must_use]
    pub fn source(&self, name: &str) -> Option<&Source> {
        self.sources.get(name)
    }

    fn hash(files: &Files, deployment: u32) -> [u8; 32] {
        let mut hash = Sha256::new();
        hash.update(deployment.to_le_bytes());
        for (path, text) in files {
            for part in [path, text] {
                hash.update((part.len() as u64).to_le_bytes());
                hash.update(part.as_bytes());
            }
        }
        hash.finalize().into()
    }
}
