//! What a data project means, as an incremental database.
//!
//! **Knows**: files as texts with names, what each declares ([`Interface`]), who reads whom ([`Graph`]), and what is
//! wrong ([`diagnostics`]).
//!
//! **Must not know**: the disk, the clock, threads, editors, LSP, how the engine is asked. Inputs are set from outside, what
//! the engine said of a query included; every answer is a pure function of them.
//!
//! The firewall: whatever one file asks about another goes through [`interface`], which a body edit does not change.
//! `tests/incremental.rs` asserts it by counting executed queries.

pub mod access;
mod checks;
mod codes;
mod config;
mod db;
mod dialects;
mod facts;
pub mod flow;
pub mod impact;
mod inputs;
pub mod lineage;
mod opinions;
mod parse;
pub mod query;
mod rendering;
pub mod samples;
pub mod scope;
pub mod semantics;
mod service;

pub use checks::test_file::decoded;
pub use checks::{
    Diagnostic, Related, Remedy, Tag, accepted_words, diagnostics, fault_text, is_reserved_name,
};
pub use codes::{
    ALL as ALL_CODES, Code, Severity, invalid_configuration, plan_refused, stale_forward_query, test_failed,
};
pub use config::{BaselineChoice, Config, ConfigProblem, HintKind};
pub use db::{Database, Db, EventSink};
pub use dialects::{DialectFacts, dialect, settle_dialect};
pub use facts::{
    ColumnFact, EngineFact, Interface, NodeFact, NodeType, ParameterFact, ReadFact, interface, resource_name,
    written_tables,
};
pub use flow::{EdgeKind, Graph, Vertex, graph};
pub use headwater_syntax::{self as syntax, Dialect, Directive, FileKind, TextRange, TextSize};
pub use inputs::{Content, File, Project, ProjectFacts};
pub use opinions::{Opinion, Word, fingerprint};
pub use parse::{Include, IncludeProblem, NodeRead, Parsed, datafile, node_reads};
#[doc(hidden)]
pub use rendering::Memory;
pub use salsa::Setter;
pub use scope::{Names, Resolution, names, resolve, resolve_connection};
pub use service::{service_columns, service_tables};
