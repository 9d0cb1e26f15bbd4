//! What deploying one project over another does, known before anything is done.
//!
//! **Knows**: two projects of one analysis database. It compiles them to [`Release`]s, compares these, and says of every
//! change its [`Class`], the reason, the engine's statements, what depends on it, and whether it can be undone; of what it
//! refuses, the text that mends it. The rules are `deploy-algorithm` §3 as a table of files: one for each part of a
//! definition, and a page in `docs/reference/plan` for each rule, which is its test.
//!
//! **Must not know**: the disk, the clock, engines, hosts, editors. Nothing here runs SQL or waits. Costs come from a
//! snapshot of measurements that the caller passes ([`Stats`]) and are absent without one.

mod change;
mod compare;
mod connection;
mod editor;
mod forward;
mod meta;
mod pipe;
mod recompute;
mod release;
mod rename;
pub mod render;
pub mod rules;
mod stats;
mod table;
mod view;
mod whole;

pub use change::{Change, Class, Dependent, Estimate, Fix, FixEdit, Plan, ResourceKind, Rule};
pub use compare::plan;
pub use editor::{file_changes, own_changes, project_plan, stale_forward_query};
pub use release::{
    Body, Column, Definition, Engine, Fingerprint, Index, Key, Meta, Node, Pipe, Release, Space, Table,
    compile, compiled_sql, ddl, definition, fingerprints,
};
pub use stats::{Stats, TableStats};
pub use table::{Step, step};
