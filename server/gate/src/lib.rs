//! Decides whether a text is one harmless query over these tables.
//!
//! **Knows**: the SQL grammar, what each function, table function and setting of the engine may do ([`policy`], as tables with
//! reasons), and where names are resolved.
//!
//! **Must not know**: projects, datafiles, templates, the engine at work. It decides by the text alone, and runs nothing.
//!
//! # How it decides
//!
//! What is not known to be harmless is refused. A text passes when
//!
//! 1. it parses, and reads the same way twice: no keyword has to be taken for a name;
//! 2. it is one `SELECT`, `EXPLAIN` or `DESCRIBE`;
//! 3. every node of its tree is of a kind that was looked at ([`policy::nodes`]): a new kind of the grammar is refused;
//! 4. every function, table function, setting and format is listed as harmless, with arguments that keep it so;
//! 5. every table is one of those given, behind aliases, `WITH`, subqueries, `IN name`, `joinGet('name', …)`.
//!
//! ```
//! use headwater_gate::{Gate, Listed};
//!
//! let tables = Listed::new(["events"]);
//! let approved = Gate::new(&tables).check("SELECT count() FROM events").unwrap();
//! assert_eq!(approved.tables.len(), 1);
//!
//! let refusal = Gate::new(&tables).check("SELECT file('/etc/passwd')").unwrap_err();
//! assert_eq!(refusal.rule.code(), "function");
//! ```
//!
//! The engine reads the same text with a parser of its own. [`confirm`] compares its reading (`EXPLAIN AST`) with ours, so that a
//! text which means one thing here and another there is refused as well.

mod check;
mod confirm;
#[cfg(feature = "faults")]
mod fault;
pub mod policy;
mod refusal;
mod scope;
mod structure;

use headwater_syntax::TextRange;
use rustc_hash::FxHashSet;

pub use confirm::confirm;
#[cfg(feature = "faults")]
pub use fault::Fault;
pub use refusal::{Refusal, Rule};

/// The tables that a query may read.
pub trait Tables {
    /// Whether `database.name`, or `name` alone, may be read.
    fn may_read(&self, database: Option<&str>, name: &str) -> bool;
}

/// Tables by their names, without a database.
#[derive(Debug, Clone, Default)]
pub struct Listed(FxHashSet<String>);

impl Listed {
    /// These tables.
    pub fn new(names: impl IntoIterator<Item = impl Into<String>>) -> Self {
        Self(names.into_iter().map(Into::into).collect())
    }
}

impl Tables for Listed {
    fn may_read(&self, database: Option<&str>, name: &str) -> bool {
        database.is_none() && self.0.contains(name)
    }
}

/// What a query does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// It reads rows.
    Select,
    /// It says how rows would be read.
    Explain,
    /// It says what columns there are.
    Describe,
}

/// A table that a query names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableRead {
    /// What stands before the dot.
    pub database: Option<String>,
    /// Its name.
    pub name: String,
    /// Where.
    pub range: TextRange,
}

/// A query that passed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Approved {
    /// What it does.
    pub action: Action,
    /// The tables that it names, in order of position, as often as it names them.
    pub tables: Vec<TableRead>,
    /// The functions that it calls by name, as the catalog calls them, without combinators.
    pub functions: FxHashSet<&'static str>,
    /// The format that it asks for.
    pub format: Option<String>,
    /// Names that it defines itself, by `WITH`.
    pub(crate) defined: FxHashSet<String>,
    /// How often it has `APPLY`, whose functions the engine does not show.
    pub(crate) applies: usize,
}

impl Approved {
    /// Whether the query gives this name itself, by `WITH`.
    pub fn defines(&self, name: &str) -> bool {
        self.defined.contains(name)
    }
}

/// Decides about queries over some tables. As cheap to make as a reference.
pub struct Gate<'a> {
    tables: &'a dyn Tables,
    #[cfg(feature = "faults")]
    fault: Option<Fault>,
}

impl<'a> Gate<'a> {
    /// A gate that lets these tables be read, and the few of the engine's own that hold nothing but numbers and names of functions.
    pub fn new(tables: &'a dyn Tables) -> Self {
        Self {
            tables,
            #[cfg(feature = "faults")]
            fault: None,
        }
    }

    /// The same with a rule left out, to see that its absence is noticed.
    #[cfg(feature = "faults")]
    pub fn with_fault(tables: &'a dyn Tables, fault: Fault) -> Self {
        Self { tables, fault: Some(fault) }
    }

    /// Whether `sql` is one harmless query. Linear in its length.
    ///
    /// # Errors
    ///
    /// The first place that forbids it, why, and what to write instead.
    pub fn check(&self, sql: &str) -> Result<Approved, Refusal> {
        check::check(self, sql)
    }
}
