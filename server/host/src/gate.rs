//! The gate of statements: what `headwater_gate` decides, in front of the door's engine.

use headwater_gate::{Approved, Gate as Rules, Listed, confirm};

use crate::door::sql::{Gate, Passed};

/// The gate over the tables that a release declares.
#[derive(Debug, Default)]
pub struct Tables(Listed);

impl Tables {
    /// Statements may read these tables, and no others.
    pub fn new(names: impl IntoIterator<Item = String>) -> Self {
        Self(Listed::new(names))
    }
}

impl Gate for Tables {
    fn check(&self, sql: &str) -> Result<Passed, String> {
        let approved = Rules::new(&self.0).check(sql).map_err(|refusal| refusal.to_string())?;
        Ok(Passed { format: approved.format.clone(), reading: Box::new(approved) })
    }

    fn confirm(&self, passed: &Passed, reading: &str) -> Result<(), String> {
        let Some(approved) = passed.reading.downcast_ref::<Approved>() else {
            return Err("another gate let this statement pass".to_owned());
        };
        confirm(approved, &self.0, reading).map_err(|what| {
            format!("the engine reads {what} in this statement, which was not seen when it was checked; write it more plainly")
        })
    }
}
