//! A project on an engine: what its files become as tables and queries, how rows enter them, and how its tests run.
//!
//! **Knows**: how data sources, nodes, endpoints, views and copies become the engine's statements ([`compile`]); which rows fit
//! a data source and why others do not ([`ingest`]); how tables are filled ([`world`]), of SQL that passed the gate; what tests say
//! ([`suite`]) and how they are run ([`run`]); how rows are made up ([`mock`]); what a node or a query gives ([`preview`]).
//!
//! **Must not know**: disks, editors, protocols, command lines, where an engine lies or how its process is kept alive. Texts
//! and bytes come in; statements go to whoever runs them.

mod cancel;
pub mod compile;
pub mod fixtures;
pub mod ingest;
pub mod json;
pub mod mock;
pub mod preview;
pub mod run;
pub mod suite;
pub mod world;
pub mod yaml;

pub use cancel::Cancel;
