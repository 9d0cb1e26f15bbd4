//! Whose SQL it is: a project may come from anybody, so what it has an engine run passes [the gate](headwater_gate) first.

use headwater_analysis::{File, resource_name};
use headwater_gate::{Gate, Listed, Tables};

use super::{Compiler, Statement};

/// Databases in which there are tables of the project and no others.
struct Own<'a>(&'a [&'a str]);

impl Tables for Own<'_> {
    fn may_read(&self, database: Option<&str>, _: &str) -> bool {
        database.is_some_and(|database| self.0.contains(&database))
    }
}

impl Compiler<'_> {
    /// Whether a query of the project may be run over tables of these databases.
    ///
    /// # Errors
    /// What the gate refuses it for, for people.
    pub fn approve(&self, statement: &Statement, databases: &[&str]) -> Result<(), String> {
        let own = Own(databases);
        let refused = |refusal| format!("a query of the project is not run: {refusal}");
        Gate::new(&own).check(&statement.sql).map(drop).map_err(refused)
    }

    /// Whether a table's own expressions may be computed: the engine does so with every row.
    ///
    /// # Errors
    /// A file that defines no table, and what the gate refuses, for people.
    pub fn approve_table(&self, file: File) -> Result<(), String> {
        let table = self.table(file).map_err(|error| error.to_string())?;
        let engine = &table.engine;
        let defaults = table.columns.iter().filter_map(|c| Some((c.name.as_str(), c.default.as_deref()?)));
        let keys = [
            ("the sorting key", &engine.sorting_key),
            ("the partition key", &engine.partition_key),
            ("the primary key", &engine.primary_key),
            ("the sampling key", &engine.sampling_key),
        ];
        let keys = keys.into_iter().flat_map(|(name, keys)| keys.iter().map(move |key| (name, key.as_str())));
        let indexes = table.indexes.iter().map(|index| (index.name.as_str(), index.expression.as_str()));
        for (what, expression) in defaults.chain(keys).chain(indexes) {
            approve_expression(expression).map_err(|refusal| {
                let name = resource_name(self.db(), file);
                format!("`{what}` of {name} is not computed: {refusal}")
            })?;
        }
        Ok(())
    }
}

/// Whether an expression may be computed with a row: one that names no table.
///
/// # Errors
/// What the gate refuses it for, for people.
pub fn approve_expression(expression: &str) -> Result<(), String> {
    let none = Listed::default();
    Gate::new(&none)
        .check(&format!("SELECT ({expression}\n)"))
        .map(drop)
        .map_err(|refusal| refusal.to_string())
}
