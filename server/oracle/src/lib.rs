//! The engine's opinion of a project's queries: what a keystroke cannot wait for, asked behind its back.
//!
//! **Knows**: how a node's query becomes one query over tables only, how a data source becomes an empty table, what the
//! engine's refusals are worth, and which questions were answered already.
//!
//! **Must not know**: editors, protocols, disks, threads, where the library lies, when it is a good moment to ask. It
//! executes nothing but `CREATE TABLE` and `DESCRIBE`, in a worker of [`headwater_warehouse`] that has no data.
//!
//! A round has three parts, so that nobody waits for the engine with a snapshot of the database in hand:
//!
//! 1. [`Pass::new`] looks at the project: which nodes have changed since they were asked about, and the questions.
//! 2. [`Pass::ask`] puts them to the engine. Only this part takes long, and it needs no database.
//! 3. [`Pass::opinions`] says what each file's [opinions](headwater_analysis::Opinion) are now.
//!
//! An opinion carries the [fingerprint](headwater_analysis::fingerprint) of what it was formed on, so one that comes late
//! is not wrong: it is about a text that is gone, and nobody looks at it.

mod danger;
mod known;
mod pass;
mod question;
mod session;
mod table;
mod verdict;

pub use known::{Answers, Known};
pub use pass::{Disagreement, Pass, Tally, word};
pub use question::{Pairs, Question, render};
pub use session::Session;
pub use table::{Table, tables};
pub use verdict::{Verdict, is_about_meaning, is_about_values};
