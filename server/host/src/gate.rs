//! The gate of statements: what `headwater_gate` decides, in front of the door's engine.

use std::collections::BTreeSet;

use headwater_gate::{Action, Approved, Gate as Rules, Tables, confirm};

use crate::door::sql::{Gate, Passed};

/// The tables that one statement may read, as the engine calls them.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct Readable {
    /// Their database.
    pub database: String,
    /// Their names in it.
    pub names: BTreeSet<String>,
    /// How often the statement names one of them: whoever compiled it has counted. One more, and something is read that was
    /// not put there, behind the back of row filters.
    pub named: usize,
    /// Nothing is explained: it would tell of rows that a filter hides, or show the queries of pipes that may be asked and not
    /// read, with the values that are bound to them.
    pub is_opaque: bool,
}

impl Tables for Readable {
    fn may_read(&self, database: Option<&str>, name: &str) -> bool {
        database == Some(self.database.as_str()) && self.names.contains(name)
    }
}

/// The gate of this program.
#[derive(Debug, Default)]
pub struct Gated;

impl Gate for Gated {
    fn check(&self, sql: &str, tables: &Readable) -> Result<Passed, String> {
        let approved = Rules::new(tables).check(sql).map_err(|refusal| refusal.to_string())?;
        let own = Some(tables.database.as_str());
        if approved.tables.iter().filter(|t| t.database.as_deref() == own).count() > tables.named {
            return Err("this statement reads a table in a place where none was seen; write it more plainly"
                .to_owned());
        }
        if tables.is_opaque && approved.action == Action::Explain {
            return Err("EXPLAIN takes a token that may read everything: it tells of all rows, and of the queries of pipes".to_owned());
        }
        Ok(Passed { format: approved.format.clone(), reading: Box::new(approved) })
    }

    fn confirm(&self, passed: &Passed, tables: &Readable, reading: &str) -> Result<(), String> {
        let Some(approved) = passed.reading.downcast_ref::<Approved>() else {
            return Err("another gate let this statement pass".to_owned());
        };
        confirm(approved, tables, reading).map_err(|what| {
            format!("the engine reads {what} in this statement, which was not seen when it was checked; write it more plainly")
        })
    }
}
