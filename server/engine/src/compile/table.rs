//! Data sources as the engine's tables.

use std::collections::BTreeMap;
use std::sync::Arc;

use headwater_analysis::{Database, File, FileKind, resource_name, semantics};
use headwater_plan::{Table, ddl, definition};
use headwater_warehouse::DATABASE;

use super::settings::TABLE_SETTINGS;
use super::{CompileError, Compiler, TableId, service};

/// What tables are called on the engine.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Layout {
    /// The database of all of them.
    pub database: String,
    /// What stands before each name: copies of a project's tables live beside each other.
    pub prefix: String,
    /// Whether rows expire. In a test they must not: what is old on the day of the run was not old when it was written.
    pub expires: bool,
    /// Tables with other names than those of the project, by theirs: the physical tables of a release.
    pub renamed: Arc<BTreeMap<String, String>>,
    /// Settings of every table of the `MergeTree` family, over those that a data source asks for.
    pub settings: Arc<BTreeMap<String, String>>,
}

impl Default for Layout {
    /// The worker's database, names as they are, rows that stay.
    fn default() -> Self {
        Self {
            database: DATABASE.to_owned(),
            prefix: String::new(),
            expires: false,
            renamed: Arc::default(),
            settings: Arc::default(),
        }
    }
}

impl Layout {
    /// The same with something before each name.
    pub fn prefixed(prefix: impl Into<String>) -> Self {
        Self { prefix: prefix.into(), ..Self::default() }
    }

    /// A table's name without its database.
    pub fn bare(&self, db: &Database, id: &TableId) -> String {
        let name = |file: File| {
            let mut parts = file.path(db).components().map(|c| c.as_str());
            let workspace = parts.by_ref().find(|p| *p == "vendor").and_then(|_| parts.next());
            let name = resource_name(db, file);
            match workspace {
                Some(workspace) => format!("{workspace}.{name}"),
                None => name.clone(),
            }
        };
        let name = match id {
            TableId::Source(file) => name(*file),
            TableId::Quarantine(file) => format!("{}_quarantine", name(*file)),
            TableId::Service(database, name) => format!("{database}.{name}"),
        };
        match self.renamed.get(&name) {
            Some(physical) => format!("{}{physical}", self.prefix),
            None => format!("{}{name}", self.prefix),
        }
    }

    /// A table's name as a string function takes it.
    pub fn plain(&self, db: &Database, id: &TableId) -> String {
        format!("{}.{}", self.database, self.bare(db, id))
    }

    /// A table's name in a query.
    pub fn quoted(&self, db: &Database, id: &TableId) -> String {
        format!("{}.{}", quoted(&self.database), quoted(&self.bare(db, id)))
    }
}

/// A table to be made.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Create {
    /// Which table.
    pub id: TableId,
    /// Its quoted name.
    pub name: String,
    /// The statement.
    pub sql: String,
}

/// A name as the engine reads it back.
pub(super) fn quoted(name: &str) -> String {
    ddl::identifier(name)
}

impl Compiler<'_> {
    /// The tables of all data sources, in order of files, each followed by that of its rows that did not fit.
    ///
    /// # Errors
    /// The first file that defines no table.
    pub fn tables(&self) -> Result<Vec<Create>, CompileError> {
        let mut out = Vec::new();
        for file in self.project.files(self.db).iter() {
            if file.kind(self.db) == Some(FileKind::Datasource) {
                out.push(self.create(&TableId::Source(*file))?);
                out.push(self.create(&TableId::Quarantine(*file))?);
            }
        }
        Ok(out)
    }

    /// The statement that makes one table.
    ///
    /// # Errors
    /// A file that defines no table.
    pub fn create(&self, id: &TableId) -> Result<Create, CompileError> {
        let name = self.table_name(id);
        let sql = match id {
            TableId::Source(file) => self.create_source(*file, id)?,
            TableId::Quarantine(file) => quarantine(&name, &self.table(*file)?),
            TableId::Service(database, table) => service::create(&name, database, table),
        };
        Ok(Create { id: id.clone(), name, sql })
    }

    /// The statement that makes a table with the columns and defaults of a data source that holds rows in memory, in the
    /// order in which they come: a block of rows on its way to the table and its views.
    ///
    /// # Errors
    /// A file that defines no table.
    pub fn create_block(&self, file: File, name: &str) -> Result<String, CompileError> {
        let table = self.table(file)?;
        let columns: Vec<String> = table.columns.iter().map(column).collect();
        Ok(format!("CREATE TABLE {name}\n(\n    {}\n)\nENGINE = Memory", columns.join(",\n    ")))
    }

    /// What a data source defines, with the clock stopped in its defaults.
    ///
    /// # Errors
    /// A file that defines no table.
    pub fn table(&self, file: File) -> Result<Table, CompileError> {
        let definition = definition(self.db, file).clone();
        let table = definition.as_ref().and_then(|d| d.table()).filter(|t| !t.columns.is_empty());
        let Some(mut table) = table.cloned() else {
            return Err(CompileError::project(format!(
                "{} defines no table: it has no SCHEMA with columns",
                file.path(self.db)
            )));
        };
        if let Some(clock) = &self.options.clock {
            for default in table.columns.iter_mut().filter_map(|c| c.default.as_mut()) {
                *default = clock.stopped_expression(default);
            }
        }
        Ok(table)
    }

    fn create_source(&self, file: File, id: &TableId) -> Result<String, CompileError> {
        let layout = &self.options.layout;
        let mut table = self.table(file)?;
        if !layout.expires {
            table.engine.ttl = None;
            // The setting is about expiry alone, and is refused without.
            table.engine.settings.remove("ttl_only_drop_parts");
        }
        if table.engine.name.ends_with("MergeTree") {
            for setting in TABLE_SETTINGS.iter().filter(|s| s.is_of(&table.engine.name)) {
                table
                    .engine
                    .settings
                    .entry(setting.name.to_owned())
                    .or_insert_with(|| setting.value.to_owned());
            }
            let own = layout.settings.iter().map(|(name, value)| (name.clone(), value.clone()));
            table.engine.settings.extend(own);
        }
        // `storage_policy` and `disk` name what a server has and this engine has not.
        table.engine.settings.retain(|name, _| !matches!(name.as_str(), "storage_policy" | "disk"));
        let bare = layout.bare(self.db, id);
        let sql = ddl::create_table(&bare, &table);
        let sql = sql.replacen(&quoted(&bare), &layout.quoted(self.db, id), 1);
        // Columns that the product adds to messages of Kafka: a query may name them, and a star may not show them.
        let added = semantics::relation(self.db, file).virtuals.iter();
        let added: String = added
            .filter(|c| c.name.as_deref().is_some_and(|n| n.starts_with("__")))
            .filter_map(|c| Some((quoted(c.name.as_deref()?), c.ty.as_ref()?)))
            .map(|(name, ty)| format!(",\n    {name} {ty} MATERIALIZED defaultValueOfTypeName('{ty}')"))
            .collect();
        Ok(sql.replacen("\n)\nENGINE", &format!("{added}\n)\nENGINE"), 1))
    }
}

/// A column without its codec: a block of rows is not compressed.
fn column(column: &headwater_plan::Column) -> String {
    let plain = headwater_plan::Column { codec: None, ..column.clone() };
    ddl::column(&plain)
}

/// Every column as a text that may be missing, and why the row is here (specification §19.5).
fn quarantine(name: &str, table: &Table) -> String {
    let columns = table.columns.iter().map(|c| format!("{} Nullable(String)", quoted(&c.name)));
    let reasons = [
        "`c__error_column` Array(String)",
        "`c__error` Array(String)",
        "`c__import_id` Nullable(String)",
        "`insertion_date` DateTime DEFAULT now()",
    ];
    let columns: Vec<String> = columns.chain(reasons.map(str::to_owned)).collect();
    format!(
        "CREATE TABLE {name}\n(\n    {}\n)\nENGINE = MergeTree\nORDER BY tuple()",
        columns.join(",\n    ")
    )
}
