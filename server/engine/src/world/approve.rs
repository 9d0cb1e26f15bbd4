//! Whose SQL it is: a project may come from anybody, so what it has an engine run passes [the gate](headwater_gate) first.

use headwater_analysis::{File, resource_name};
use headwater_gate::{Gate, Listed, Refusal, Tables};

use super::{Trouble, World};
use crate::compile::Statement;

/// The session's database, in which there are the project's tables and no others.
struct Own<'a>(&'a str);

impl Tables for Own<'_> {
    fn may_read(&self, database: Option<&str>, _: &str) -> bool {
        database == Some(self.0)
    }
}

impl World<'_> {
    /// Whether the query may be run.
    pub(super) fn approve(&self, statement: &Statement) -> Result<(), Trouble> {
        let own = Own(&self.compiler.options().layout.database);
        Gate::new(&own).check(&statement.sql).map(drop).map_err(|refusal| not_run(&refusal))
    }

    /// Whether the table's own expressions may be computed: the engine does so with every row.
    pub(super) fn approve_table(&self, file: File) -> Result<(), Trouble> {
        let table = self.compiler.table(file).map_err(|error| Trouble::Tables(error.to_string()))?;
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
        // No table is named in them.
        let none = Listed::default();
        for (what, expression) in defaults.chain(keys).chain(indexes) {
            Gate::new(&none).check(&format!("SELECT ({expression}\n)")).map_err(|refusal| {
                let name = resource_name(self.compiler.db(), file);
                Trouble::Tables(format!("`{what}` of {name} is not computed: {refusal}"))
            })?;
        }
        Ok(())
    }
}

fn not_run(refusal: &Refusal) -> Trouble {
    Trouble::Tables(format!("a query of the project is not run: {refusal}"))
}
