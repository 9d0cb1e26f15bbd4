//! A project's tables on an engine, with rows in them: made and filled as far as somebody asks.
//!
//! Rows come the way they come in production. A sample becomes a block of rows by the rules of ingestion
//! ([`crate::ingest`]); the block goes into its data source, and through each view that starts from it into the next, whose
//! rows are a block again. What a view joins is there before. Copies run when asked to.

mod load;
mod parquet;

use std::sync::Arc;

use headwater_analysis::{File, resource_name};
use headwater_template::Parameters;
use headwater_warehouse::{Allow, Answer, EngineError, Format, Limits, Request, Session};
use rustc_hash::FxHashMap;

use crate::Cancel;
use crate::compile::{Compiler, Copy, Statement, TableId, View};
use crate::fixtures::SampleFormat;
use crate::ingest::Quarantined;
use crate::json::Json;

/// Rows of a data source, where they come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rows {
    /// For messages: a file's path.
    pub origin: String,
    /// How they are written.
    pub format: SampleFormat,
    /// The bytes, as they are stored.
    pub bytes: Arc<Vec<u8>>,
    /// They are packed with gzip.
    pub packed: bool,
    /// Equal for equal bytes.
    pub hash: u64,
    /// They go in although views have filled the table already.
    pub always: bool,
}

/// Something that a person should know and that is no failure.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Note(pub String);

/// Why something has no rows, or no answer.
#[derive(Debug, Clone, PartialEq)]
pub enum Trouble {
    /// The engine refuses a statement of the project's: its words, and its name for the error.
    Refused {
        /// What it says.
        message: String,
        /// `UNKNOWN_IDENTIFIER` and the like.
        name: String,
        /// It was stopped at a limit of time.
        timed_out: bool,
    },
    /// The tables that a query needs are not there.
    Tables(String),
    /// The engine is gone, and with it all tables.
    Lost(String),
}

/// What making and filling tables may cost.
const LOADING: Limits = Limits {
    time: std::time::Duration::from_secs(60),
    memory: 2_000_000_000,
    result_rows: 10_000_000,
    result_bytes: 256_000_000,
};

/// What a question may cost: more than any endpoint is given.
const ASKING: Limits = Limits {
    time: std::time::Duration::from_secs(30),
    memory: 2_000_000_000,
    result_rows: 1_000_000,
    result_bytes: 128_000_000,
};

enum State {
    /// Being filled: a loop comes back to it.
    Busy,
    Ready,
    Failed(String),
}

/// What is on a session, apart from whoever fills it. Worth nothing on another session, or after a reset of it.
pub struct Kept {
    states: FxHashMap<TableId, State>,
    blocks: FxHashMap<File, Vec<String>>,
    quarantined: FxHashMap<File, Vec<Quarantined>>,
    made: Vec<String>,
}

/// Tables of one project on one session.
pub struct World<'w> {
    compiler: Compiler<'w>,
    session: &'w Session,
    views: Arc<Vec<View>>,
    rows: FxHashMap<File, Rows>,
    states: FxHashMap<TableId, State>,
    /// Tables with the blocks of rows that went into a data source from which views start.
    blocks: FxHashMap<File, Vec<String>>,
    quarantined: FxHashMap<File, Vec<Quarantined>>,
    /// Every table that was made, quoted.
    made: Vec<String>,
    notes: Vec<Note>,
    /// Rows that statements have written.
    written: u64,
    cancel: Cancel,
}

impl<'w> World<'w> {
    /// No table yet. `rows` are those of each data source that has some.
    pub fn new(
        compiler: Compiler<'w>,
        session: &'w Session,
        views: Arc<Vec<View>>,
        rows: FxHashMap<File, Rows>,
    ) -> Self {
        Self {
            compiler,
            session,
            views,
            rows,
            states: FxHashMap::default(),
            blocks: FxHashMap::default(),
            quarantined: FxHashMap::default(),
            made: Vec::new(),
            notes: Vec::new(),
            written: 0,
            cancel: Cancel::new(),
        }
    }

    /// From here on somebody may take back what runs; to the callers that is an engine which is gone.
    #[must_use]
    pub fn cancelled_by(mut self, cancel: Cancel) -> Self {
        self.cancel = cancel;
        self
    }

    /// Tables that are there already, of the same project on the same session: none when `kept` is `None`.
    pub fn resume(
        compiler: Compiler<'w>,
        session: &'w Session,
        views: Arc<Vec<View>>,
        rows: FxHashMap<File, Rows>,
        kept: Option<Kept>,
    ) -> Self {
        let mut world = Self::new(compiler, session, views, rows);
        if let Some(Kept { states, blocks, quarantined, made }) = kept {
            world.states = states;
            world.blocks = blocks;
            world.quarantined = quarantined;
            world.made = made;
        }
        world
    }

    /// What there is on the session, for [`Self::resume`].
    pub fn suspend(self) -> Kept {
        let Self { states, blocks, quarantined, made, .. } = self;
        Kept { states, blocks, quarantined, made }
    }

    /// Makes and fills the tables of a query that somebody else puts to the session.
    ///
    /// # Errors
    /// See [`Trouble`].
    pub fn prepare(&mut self, statement: &Statement) -> Result<(), Trouble> {
        self.approve(statement)?;
        self.provide(statement)
    }

    /// What compiles its queries.
    pub fn compiler(&self) -> &Compiler<'w> {
        &self.compiler
    }

    /// What there is to know so far.
    pub fn take_notes(&mut self) -> Vec<Note> {
        std::mem::take(&mut self.notes)
    }

    /// The answer to a query, with its tables made and filled first.
    ///
    /// # Errors
    /// See [`Trouble`].
    pub fn ask(&mut self, statement: &Statement, format: Format) -> Result<Answer, Trouble> {
        self.ask_with(statement, format, &[])
    }

    /// The same with settings of the session that hold for this question alone: switches, by name.
    ///
    /// # Errors
    /// See [`Trouble`].
    pub fn ask_with(
        &mut self,
        statement: &Statement,
        format: Format,
        switched_on: &[&str],
    ) -> Result<Answer, Trouble> {
        self.prepare(statement)?;
        self.switch(switched_on, true)?;
        let answer = self.send(&statement.sql, &statement.params, format, ASKING, Allow::Reads);
        self.switch(switched_on, false)?;
        answer
    }

    fn switch(&self, names: &[&str], on: bool) -> Result<(), Trouble> {
        if names.is_empty() {
            return Ok(());
        }
        let all: Vec<String> = names.iter().map(|name| format!("{name} = {}", u8::from(on))).collect();
        let sql = format!("SET {}", all.join(", "));
        self.send(&sql, &[], Format::Tsv, LOADING, Allow::Anything).map(drop)
    }

    /// Runs a copy into its target, and through the views that start from there.
    ///
    /// # Errors
    /// See [`Trouble`].
    pub fn copy(&mut self, copy: &Copy) -> Result<(), Trouble> {
        let statement = self
            .compiler
            .copy_query(copy, &Parameters::new())
            .map_err(|error| Trouble::Tables(error.to_string()))?;
        self.provide(&statement)?;
        self.ensure(&TableId::Source(copy.target))?;
        if copy.replaces {
            let name = self.compiler.table_name(&TableId::Source(copy.target));
            self.run(&format!("TRUNCATE TABLE {name}"))?;
        }
        let block = self.fill(copy.target, &statement)?;
        match block {
            Some(block) => self.push_on(copy.target, &block),
            None => Ok(()),
        }
    }

    /// Drops everything that was made.
    pub fn drop_tables(&mut self) {
        let drops = self.made.drain(..).map(|name| {
            Request::new(format!("DROP TABLE IF EXISTS {name} SYNC")).allow(Allow::Changes).limits(LOADING)
        });
        let _ = self.session.query_batch(drops.collect());
        self.states.clear();
        self.blocks.clear();
    }

    /// Whether the query may be run.
    fn approve(&self, statement: &Statement) -> Result<(), Trouble> {
        let database = &self.compiler.options().layout.database;
        self.compiler.approve(statement, &[database]).map_err(Trouble::Tables)
    }

    fn provide(&mut self, statement: &Statement) -> Result<(), Trouble> {
        statement.tables.iter().try_for_each(|id| self.ensure(id))
    }

    /// Makes a table and fills it, with all that flows into it.
    fn ensure(&mut self, id: &TableId) -> Result<(), Trouble> {
        match self.states.get(id) {
            Some(State::Busy | State::Ready) => return Ok(()),
            Some(State::Failed(why)) => return Err(Trouble::Tables(why.clone())),
            None => {}
        }
        self.states.insert(id.clone(), State::Busy);
        let made = match id {
            TableId::Source(file) => self.make_source(*file),
            TableId::Quarantine(file) => self.make_quarantine(*file),
            TableId::Service(..) => self.create(id),
        };
        let state = match &made {
            Ok(()) => State::Ready,
            Err(Trouble::Lost(_)) => return made,
            Err(trouble) => State::Failed(trouble.to_string()),
        };
        self.states.insert(id.clone(), state);
        made.map_err(|trouble| match trouble {
            Trouble::Lost(why) => Trouble::Lost(why),
            other => Trouble::Tables(other.to_string()),
        })
    }

    fn create(&mut self, id: &TableId) -> Result<(), Trouble> {
        if let TableId::Source(file) = id {
            self.compiler.approve_table(*file).map_err(Trouble::Tables)?;
        }
        let create = self.compiler.create(id).map_err(|error| Trouble::Tables(error.to_string()))?;
        self.run(&create.sql).map_err(|trouble| self.about(id, "table of", trouble))?;
        self.made.push(create.name);
        Ok(())
    }

    fn about(&self, id: &TableId, what: &str, trouble: Trouble) -> Trouble {
        match (id, trouble) {
            (_, Trouble::Lost(why)) => Trouble::Lost(why),
            (TableId::Source(file) | TableId::Quarantine(file), trouble) => {
                let name = resource_name(self.compiler.db(), *file);
                Trouble::Tables(format!("the {what} `{name}` cannot be made: {trouble}"))
            }
            (TableId::Service(..), trouble) => trouble,
        }
    }

    fn make_source(&mut self, file: File) -> Result<(), Trouble> {
        self.create(&TableId::Source(file))?;
        let before = self.blocks.get(&file).map_or(0, Vec::len);
        let mut filled = false;
        for view in self.views.clone().iter().filter(|v| v.target == file) {
            self.ensure(&TableId::Source(view.source))?;
            for block in self.blocks.get(&view.source).cloned().unwrap_or_default() {
                filled |= self.run_view(view, &block)?;
            }
        }
        if let Some(rows) = self.rows.get(&file).cloned() {
            if filled && !rows.always {
                let name = resource_name(self.compiler.db(), file);
                self.notes.push(Note(format!(
                    "{} is not read: views have filled `{name}` already, and samples go into empty tables",
                    rows.origin
                )));
            } else {
                self.load(file, &rows)?;
            }
        }
        // A view that came back here through a loop has seen none of these blocks yet.
        let new: Vec<String> = self.blocks.get(&file).map(|b| b[before..].to_vec()).unwrap_or_default();
        for block in new {
            self.push_on(file, &block)?;
        }
        Ok(())
    }

    /// Runs a block through the views whose targets are filled already: all others will find it.
    fn push_on(&mut self, source: File, block: &str) -> Result<(), Trouble> {
        for view in self.views.clone().iter().filter(|v| v.source == source) {
            let target = TableId::Source(view.target);
            if !matches!(self.states.get(&target), Some(State::Ready)) {
                continue;
            }
            let before = self.blocks.get(&view.target).map_or(0, Vec::len);
            self.run_view(view, block)?;
            let new: Vec<String> =
                self.blocks.get(&view.target).map(|b| b[before..].to_vec()).unwrap_or_default();
            for block in new {
                self.push_on(view.target, &block)?;
            }
        }
        Ok(())
    }

    /// Runs one block through a view into its target; says whether rows came of it.
    fn run_view(&mut self, view: &View, block: &str) -> Result<bool, Trouble> {
        let db = self.compiler.db();
        let pipe = view.pipe.path(db).clone();
        let about = |trouble: Trouble| match trouble {
            Trouble::Lost(why) => Trouble::Lost(why),
            other => Trouble::Tables(format!("the view in {pipe} does not run: {other}")),
        };
        let statement =
            self.compiler.view_query(view, block).map_err(|e| about(Trouble::Tables(e.to_string())))?;
        self.provide(&statement).map_err(&about)?;
        let before = self.written;
        self.fill(view.target, &statement).map_err(about)?;
        Ok(self.written > before)
    }

    /// Puts a query's rows into a data source, columns by name; the block that they are, where views start from there.
    fn fill(&mut self, target: File, statement: &Statement) -> Result<Option<String>, Trouble> {
        self.approve(statement)?;
        let columns = self.columns_of(statement)?;
        let table = self.compiler.table(target).map_err(|error| Trouble::Tables(error.to_string()))?;
        let (shared, others): (Vec<String>, Vec<String>) =
            columns.into_iter().partition(|name| table.column(name).is_some());
        if !others.is_empty() {
            let name = resource_name(self.compiler.db(), target);
            self.notes.push(Note(format!("`{name}` has no column for {}", others.join(", "))));
        }
        if shared.is_empty() {
            return Err(Trouble::Tables("its query gives no column of its target".to_owned()));
        }
        let list: Vec<String> = shared.iter().map(|name| quoted(name)).collect();
        let list = list.join(", ");
        let select = format!("SELECT {list} FROM (\n{}\n)", statement.sql);
        let name = self.compiler.table_name(&TableId::Source(target));
        if !self.starts_views(target) {
            self.insert_select(&name, &list, &select, &statement.params)?;
            return Ok(None);
        }
        let block = self.new_block(target)?;
        self.insert_select(&block, &list, &select, &statement.params)?;
        self.insert_select(&name, &list, &format!("SELECT {list} FROM {block}"), &[])?;
        self.blocks.entry(target).or_default().push(block.clone());
        Ok(Some(block))
    }

    fn insert_select(
        &mut self,
        table: &str,
        columns: &str,
        select: &str,
        params: &[(String, String)],
    ) -> Result<(), Trouble> {
        let sql = format!("INSERT INTO {table} ({columns}) {select}");
        let answer = self.send(&sql, params, Format::Tsv, LOADING, Allow::Changes)?;
        self.written += answer.stats.written_rows;
        Ok(())
    }

    fn starts_views(&self, file: File) -> bool {
        self.views.iter().any(|view| view.source == file)
    }

    fn new_block(&mut self, file: File) -> Result<String, Trouble> {
        let layout = &self.compiler.options().layout;
        let bare = format!("{}block {}", layout.prefix, self.made.len());
        let name = format!("{}.{}", quoted(&layout.database), quoted(&bare));
        let sql =
            self.compiler.create_block(file, &name).map_err(|error| Trouble::Tables(error.to_string()))?;
        self.run(&sql)?;
        self.made.push(name.clone());
        Ok(name)
    }

    /// The columns of a query, in order.
    fn columns_of(&self, statement: &Statement) -> Result<Vec<String>, Trouble> {
        let sql = format!("DESCRIBE TABLE (\n{}\n)", statement.sql);
        let answer = self.send(&sql, &statement.params, Format::JsonEachRow, LOADING, Allow::Reads)?;
        let text = answer.text();
        let rows = Json::parse_many(&text).unwrap_or_default();
        Ok(rows.iter().filter_map(|row| Some(row.get("name")?.said().into_owned())).collect())
    }

    fn run(&self, sql: &str) -> Result<(), Trouble> {
        self.send(sql, &[], Format::Tsv, LOADING, Allow::Changes).map(drop)
    }

    fn send(
        &self,
        sql: &str,
        params: &[(String, String)],
        format: Format,
        limits: Limits,
        allow: Allow,
    ) -> Result<Answer, Trouble> {
        let mut request = Request::new(sql).format(format).limits(limits).allow(allow);
        for (name, value) in params {
            request = request.param(name, value);
        }
        self.cancel.wait(|| self.session.submit(request)).map_err(Trouble::of)
    }
}

fn quoted(name: &str) -> String {
    headwater_warehouse::identifier(name)
}

impl Trouble {
    fn of(error: EngineError) -> Self {
        match error {
            EngineError::Statement(said) => Self::Refused {
                timed_out: said.name == "TIMEOUT_EXCEEDED",
                message: said.message,
                name: said.name,
            },
            EngineError::SessionLost(_)
            | EngineError::Crashed(_)
            | EngineError::TimedOut(_)
            | EngineError::Cancelled
            | EngineError::Unavailable(_) => Self::Lost(error.to_string()),
            other => Self::Refused { message: other.to_string(), name: String::new(), timed_out: false },
        }
    }
}

impl std::fmt::Display for Trouble {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Refused { message, name, .. } if name.is_empty() => f.write_str(message),
            Self::Refused { message, name, .. } => write!(f, "{message} ({name})"),
            Self::Tables(why) | Self::Lost(why) => f.write_str(why),
        }
    }
}
