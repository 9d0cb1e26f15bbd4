//! Tree-sitter grammars for Tinybird-format data projects: `.datasource`, `.pipe` and `.connection`
//! files, and ClickHouse SQL with template tags.
//!
//! The crate holds generated parsers and queries, nothing else. See its README for the node types.

// The generated parsers are C; each `extern` below is one function pointer without side effects.
#![allow(unsafe_code)]

use tree_sitter_language::LanguageFn;

unsafe extern "C" {
    fn tree_sitter_headwater_datasource() -> *const ();
    fn tree_sitter_headwater_pipe() -> *const ();
    fn tree_sitter_headwater_connection() -> *const ();
    fn tree_sitter_headwater_sql() -> *const ();
}

// SAFETY (all four): the generated function takes nothing, returns a pointer to a static table and
// matches the ABI that `LanguageFn` documents.

/// The grammar of `.datasource` files.
pub const DATASOURCE: LanguageFn = unsafe { LanguageFn::from_raw(tree_sitter_headwater_datasource) };
/// The grammar of `.pipe` files.
pub const PIPE: LanguageFn = unsafe { LanguageFn::from_raw(tree_sitter_headwater_pipe) };
/// The grammar of `.connection` files.
pub const CONNECTION: LanguageFn = unsafe { LanguageFn::from_raw(tree_sitter_headwater_connection) };
/// The grammar of node SQL: a ClickHouse query with template tags.
pub const SQL: LanguageFn = unsafe { LanguageFn::from_raw(tree_sitter_headwater_sql) };

/// One language with everything an editor or a tool needs to use it.
#[derive(Clone, Copy)]
pub struct Grammar {
    /// The tree-sitter name, which injections refer to.
    pub name: &'static str,
    /// The file extension, without a dot; none for SQL, which lives inside other files.
    pub extension: Option<&'static str>,
    /// The parser.
    pub language: LanguageFn,
    /// `highlights.scm`
    pub highlights: &'static str,
    /// `injections.scm`
    pub injections: &'static str,
    /// `folds.scm`
    pub folds: &'static str,
    /// `indents.scm`
    pub indents: &'static str,
    /// `locals.scm`; empty where the language has no local names.
    pub locals: &'static str,
    /// `node-types.json`, as generated.
    pub node_types: &'static str,
}

/// All grammars of this crate.
pub const GRAMMARS: [Grammar; 4] = [
    Grammar {
        name: "headwater_datasource",
        extension: Some("datasource"),
        language: DATASOURCE,
        highlights: include_str!("../queries/datasource/highlights.scm"),
        injections: include_str!("../queries/datasource/injections.scm"),
        folds: include_str!("../queries/datasource/folds.scm"),
        indents: include_str!("../queries/datasource/indents.scm"),
        locals: "",
        node_types: include_str!("../datafile/datasource/src/node-types.json"),
    },
    Grammar {
        name: "headwater_pipe",
        extension: Some("pipe"),
        language: PIPE,
        highlights: include_str!("../queries/pipe/highlights.scm"),
        injections: include_str!("../queries/pipe/injections.scm"),
        folds: include_str!("../queries/pipe/folds.scm"),
        indents: include_str!("../queries/pipe/indents.scm"),
        locals: include_str!("../queries/pipe/locals.scm"),
        node_types: include_str!("../datafile/pipe/src/node-types.json"),
    },
    Grammar {
        name: "headwater_connection",
        extension: Some("connection"),
        language: CONNECTION,
        highlights: include_str!("../queries/connection/highlights.scm"),
        injections: include_str!("../queries/connection/injections.scm"),
        folds: include_str!("../queries/connection/folds.scm"),
        indents: include_str!("../queries/connection/indents.scm"),
        locals: "",
        node_types: include_str!("../datafile/connection/src/node-types.json"),
    },
    Grammar {
        name: "headwater_sql",
        extension: None,
        language: SQL,
        highlights: include_str!("../queries/sql/highlights.scm"),
        injections: include_str!("../queries/sql/injections.scm"),
        folds: include_str!("../queries/sql/folds.scm"),
        indents: include_str!("../queries/sql/indents.scm"),
        locals: include_str!("../queries/sql/locals.scm"),
        node_types: include_str!("../sql/src/node-types.json"),
    },
];
