//! A project as the engine's statements: tables, queries over tables only, views over a block of rows.
//!
//! A node's query names nodes, pipes and data sources. The engine knows tables: everything else is put in its place as a
//! subquery, rendered for the same request. Names that `WITH` defines are left alone, and tables are named with their
//! database, so that no such name catches them.

mod approve;
mod clock;
mod endpoint;
mod error;
mod expand;
mod filter;
mod request;
mod service;
mod settings;
mod table;
#[cfg(test)]
mod tests;
mod view;

use std::cell::RefCell;
use std::sync::Arc;

use headwater_analysis::scope::Names;
use headwater_analysis::{
    Database, File, FileKind, NodeType, Project, ReadFact, flow, interface, names, resource_name,
};
use headwater_template::{Parameters, Secrets, Settings as TemplateSettings, SourceMap};
use rustc_hash::FxHashMap;

pub use approve::approve_expression;
pub use clock::{Clock, ClockError};
pub use endpoint::Endpoint;
pub use error::{CompileError, ErrorOrigin};
pub use filter::{MayRead, Mention, RowFilter, RowFilters};
pub use request::{Pairs, form, form_text, secret_pairs, secrets};
pub use settings::{SESSION_SETTINGS, Setting, TABLE_SETTINGS, session_statement};
pub use table::{Create, Layout};
pub use view::{Copy, View};

use expand::{Expansion, Piece};

/// How a project is put on an engine.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// What the clock shows; the engine's own when there is none.
    pub clock: Option<Clock>,
    /// Secrets that templates may use.
    pub secrets: Secrets,
    /// What tables are called.
    pub layout: Layout,
    /// Which rows of data sources are read; all of those that are not named.
    pub filters: RowFilters,
}

/// A node's query for a request.
#[derive(Debug, Clone)]
pub struct Rendering {
    /// The query.
    pub sql: String,
    /// Where each byte of it comes from in the node's text; `None` when they are the same.
    pub map: Option<SourceMap>,
}

/// A query over tables only.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Statement {
    /// The query.
    pub sql: String,
    /// Values of its `{name: String}` placeholders: secrets.
    pub params: Vec<(String, String)>,
    /// Tables that it reads, each once.
    pub tables: Vec<TableId>,
    /// How often its text names one of them.
    pub named: usize,
    /// What the query itself says of the order of its rows: nothing, or by which columns of the answer; no column when it orders
    /// by something else.
    pub order: Option<Vec<String>>,
    /// `max_threads(n)` of its templates, the smallest.
    pub max_threads: Option<u32>,
}

/// A table that a project needs.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum TableId {
    /// A data source's rows.
    Source(File),
    /// A data source's rows that did not fit.
    Quarantine(File),
    /// A data source of the product: `tinybird.pipe_stats`. Always empty here.
    Service(String, String),
}

/// What a query is over, besides the project's own names.
#[derive(Debug, Clone, Copy, Default)]
pub struct Around<'a> {
    /// The pipe whose nodes may be named.
    pub pipe: Option<File>,
    /// Further names, each for a whole pipe: `_` in the format's tests.
    pub aliases: &'a [(&'a str, File)],
}

/// Compiles the resources of one project. Cheap to make; remembers the texts it has read, so keep it for many requests.
pub struct Compiler<'db> {
    db: &'db Database,
    project: Project,
    names: &'db Names,
    options: Options,
    pieces: RefCell<FxHashMap<String, Arc<Piece>>>,
}

impl<'db> Compiler<'db> {
    /// A compiler for a project.
    pub fn new(db: &'db Database, project: Project, options: Options) -> Self {
        Self { db, project, names: names(db, project), options, pieces: RefCell::default() }
    }

    /// The same project under other names of tables.
    #[must_use]
    pub fn with_layout(&self, layout: Layout) -> Self {
        let options = Options { layout, ..self.options.clone() };
        Self {
            db: self.db,
            project: self.project,
            names: self.names,
            options,
            pieces: RefCell::new(self.pieces.borrow().clone()),
        }
    }

    /// The database that the project is in.
    pub fn db(&self) -> &'db Database {
        self.db
    }

    /// The project.
    pub fn project(&self) -> Project {
        self.project
    }

    /// How it is put on an engine.
    pub fn options(&self) -> &Options {
        &self.options
    }

    /// The pipe of that name; Classic names may leave the version out.
    pub fn pipe(&self, name: &str) -> Option<File> {
        self.names.table(name).filter(|f| f.kind(self.db) == Some(FileKind::Pipe))
    }

    /// The data source of that name.
    pub fn source(&self, name: &str) -> Option<File> {
        self.names.table(name).filter(|f| f.kind(self.db) == Some(FileKind::Datasource))
    }

    /// The node that stands for a pipe, and what it is.
    pub fn output(&self, pipe: File) -> Option<(usize, NodeType)> {
        let face = interface(self.db, pipe).as_ref()?;
        let node = flow::output_node(face)?;
        Some((node, face.nodes[node].ty))
    }

    /// The query of a whole pipe for a request.
    ///
    /// # Errors
    /// What the request lacks or gets wrong, with the status an endpoint answers with; what the project gets wrong.
    pub fn pipe_query(&self, pipe: File, parameters: &Parameters) -> Result<Statement, CompileError> {
        let Some((node, _)) = self.output(pipe) else {
            return Err(CompileError::project(format!(
                "`{}` has no node; add `NODE name` with a query",
                resource_name(self.db, pipe)
            )));
        };
        self.node_query(pipe, node, parameters)
    }

    /// The query of one node for a request.
    ///
    /// # Errors
    /// Those of [`Self::pipe_query`].
    pub fn node_query(
        &self,
        pipe: File,
        node: usize,
        parameters: &Parameters,
    ) -> Result<Statement, CompileError> {
        let mut expansion = Expansion::new(self, parameters, &[]);
        let text = expansion.render(pipe, node)?;
        expansion.finish(Some((pipe, node)), &text)
    }

    /// A query made of a node's rendered text, in the node's place: what it may name, the query may name.
    ///
    /// # Errors
    /// Those of [`Self::pipe_query`], and what `part` says.
    pub fn part_query(
        &self,
        pipe: File,
        node: usize,
        parameters: &Parameters,
        part: impl FnOnce(&Rendering) -> Result<String, String>,
    ) -> Result<Statement, CompileError> {
        let mut expansion = Expansion::new(self, parameters, &[]);
        let rendering = expansion.rendering(pipe, node)?;
        let text = part(&rendering).map_err(CompileError::project)?;
        expansion.finish(Some((pipe, node)), &text)
    }

    /// Whether a query beside the project, or beside the nodes of a pipe, may read the table of that name.
    pub fn knows(&self, pipe: Option<File>, database: Option<&str>, name: &str) -> bool {
        let fact = ReadFact {
            database: database.map(str::to_owned),
            name: name.to_owned(),
            usage: headwater_syntax::sql::TableUse::From,
        };
        let face = pipe.and_then(|pipe| Some((&**interface(self.db, pipe).as_ref()?, usize::MAX)));
        use headwater_analysis::scope::Resolution as R;
        matches!(
            headwater_analysis::scope::resolve(self.names, face, &fact),
            R::Node(_) | R::Resource(_) | R::Quarantine(_) | R::Service | R::System
        )
    }

    /// What a table is called, without quotes: `database.name`.
    pub fn plain_name(&self, id: &TableId) -> String {
        self.options.layout.plain(self.db, id)
    }

    /// A query that somebody wrote beside the project: names are the project's, a leading `%` makes it a template.
    ///
    /// # Errors
    /// Those of [`Self::pipe_query`].
    pub fn query(
        &self,
        sql: &str,
        around: Around<'_>,
        parameters: &Parameters,
    ) -> Result<Statement, CompileError> {
        self.query_for(sql, around, parameters, None)
    }

    /// The same for somebody who may not read everything. Asked about the names in the query itself: who may ask a pipe
    /// need not be able to read what it reads. The query itself has no secrets: it could print them.
    ///
    /// # Errors
    /// Those of [`Self::pipe_query`]; status 403 for what may not be read.
    pub fn query_for(
        &self,
        sql: &str,
        around: Around<'_>,
        parameters: &Parameters,
        may_read: Option<MayRead<'_>>,
    ) -> Result<Statement, CompileError> {
        let mut expansion = Expansion::new(self, parameters, around.aliases).asking(may_read);
        let text = expansion.render_text(sql, None)?;
        // Secrets of the pipes that it reads are bound under their names for the whole statement.
        if may_read.is_some() && self.piece(&text)?.has_parameters {
            let why =
                "a query beside the project cannot name parameters like `{name: Type}`: write the value";
            return Err(CompileError::forbidden(why.to_owned()));
        }
        // An index that no node has: the text is none of the pipe's nodes, and sees all of them.
        expansion.finish(around.pipe.map(|pipe| (pipe, usize::MAX)), &text)
    }

    /// What a table is called, quoted, with its database.
    pub fn table_name(&self, id: &TableId) -> String {
        self.options.layout.quoted(self.db, id)
    }

    /// Which rows of a data source are read, if not all.
    fn filter(&self, file: File) -> Option<&RowFilter> {
        self.options
            .filters
            .iter()
            .find(|(name, _)| self.source(name) == Some(file))
            .map(|(_, filter)| filter)
    }

    fn piece(&self, text: &str) -> Result<Arc<Piece>, CompileError> {
        if let Some(known) = self.pieces.borrow().get(text) {
            return Ok(known.clone());
        }
        let made = Arc::new(Piece::new(text, self.options.clock.as_ref())?);
        self.pieces.borrow_mut().insert(text.to_owned(), made.clone());
        Ok(made)
    }
}

impl Statement {
    fn take_settings(&mut self, settings: &TemplateSettings) {
        self.max_threads = match (self.max_threads, settings.max_threads) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        };
    }
}
