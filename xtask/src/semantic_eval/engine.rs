//! The judge: an engine with the project's tables, empty.

use std::path::Path;

use anyhow::Result;
use headwater_analysis::{Database, Project};
use headwater_oracle::{Session, Table, Verdict, tables};
use headwater_warehouse::{PoolConfig, Program};

pub(super) struct Engine {
    session: Session,
    tables: Vec<Table>,
}

impl Engine {
    /// An engine with a table for every data source that it can make one of.
    pub(super) fn new(db: &Database, project: Project, library: &Path) -> Result<Self> {
        Self::with_tables(tables(db, project), library)
    }

    /// An engine with these tables.
    pub(super) fn with_tables(tables: Vec<Table>, library: &Path) -> Result<Self> {
        let config = PoolConfig::new(Program::current()?, library);
        Ok(Self { session: Session::new(config), tables })
    }

    /// Puts these tables in the place of those that there were.
    pub(super) fn provide(&mut self, tables: Vec<Table>) {
        self.tables = tables;
    }

    /// What it says to each query.
    pub(super) fn describe(&mut self, queries: &[String]) -> Vec<Verdict> {
        let queries: Vec<&str> = queries.iter().map(String::as_str).collect();
        self.session.describe(&self.tables, &queries)
    }
}
