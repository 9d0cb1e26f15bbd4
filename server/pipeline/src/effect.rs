//! What happens to rows that came before: effects have positions like rows.

use headwater_engine::compile::{Clock, approve_expression};
use serde::{Deserialize, Serialize};

use crate::release::volatile;
use crate::sql::{DATABASE, Sql, Trouble, table};

/// Something that happens to a data source's rows.
///
/// It is about the rows of the data source's own table that were accepted before it. What views have made of them stays.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Effect {
    /// All rows go.
    Truncate,
    /// The rows go for which this expression is true.
    Delete {
        /// An expression over the columns, as behind `WHERE`.
        condition: String,
    },
}

impl Effect {
    /// The effect as it is written into the log: what asks for the time asks for the moment of acceptance, so that it is the
    /// same whenever it is repeated.
    ///
    /// # Errors
    /// Why it cannot be repeated exactly, or may not be run, for people.
    pub(crate) fn fixed(self, unix_millis: u64) -> Result<Self, String> {
        let Self::Delete { condition } = self else { return Ok(self) };
        approve_expression(&condition)?;
        let seconds = i64::try_from(unix_millis / 1000).unwrap_or(i64::MAX);
        let clock: Clock = seconds.to_string().parse().map_err(|error| format!("the clock: {error}"))?;
        let condition = clock.stopped_expression(&condition);
        match volatile::fixed(&condition) {
            Ok(None) => Ok(Self::Delete { condition }),
            Ok(Some(_)) => Err("the condition is another one at each run; write values instead".to_owned()),
            Err(function) => Err(format!(
                "`{function}` gives another value at each run, and a delete may be repeated; write a value"
            )),
        }
    }

    /// Does it. Done twice it is done once: rows that come later are not there yet.
    ///
    /// A mutation, not `TRUNCATE`: that is not atomic when the process is killed, and parts that it removed come back.
    pub(crate) fn apply(&self, sql: &Sql, name: &str) -> Result<(), Trouble> {
        let condition = match self {
            Self::Truncate => "1",
            Self::Delete { condition } => condition,
        };
        let target = table(DATABASE, name);
        let done =
            sql.run(format!("ALTER TABLE {target} DELETE WHERE ({condition}\n) SETTINGS mutations_sync = 1"));
        if matches!(done, Err(Trouble::Refused(_))) {
            // The engine keeps a mutation that a row made fail, and every later one waits behind it.
            sql.run(format!(
                "KILL MUTATION WHERE database = {} AND table = {} AND NOT is_done AND latest_fail_reason != '' SYNC",
                headwater_warehouse::literal(DATABASE),
                headwater_warehouse::literal(name)
            ))?;
        }
        done?;
        let pending = sql.ask(
            format!(
                "SELECT count() FROM system.mutations WHERE database = {} AND table = {} AND NOT is_done",
                headwater_warehouse::literal(DATABASE),
                headwater_warehouse::literal(name)
            ),
            headwater_warehouse::Format::TsvRaw,
        )?;
        match pending.as_slice() {
            b"0\n" => Ok(()),
            _ => Err(Trouble::Own("a delete is not done yet; it is waited for".to_owned())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Effect;

    fn fixed(condition: &str) -> Result<String, String> {
        match (Effect::Delete { condition: condition.to_owned() }).fixed(1_752_573_662_500)? {
            Effect::Delete { condition } => Ok(condition),
            Effect::Truncate => Err("another effect".to_owned()),
        }
    }

    #[test]
    fn a_delete_is_the_same_whenever_it_is_repeated() {
        assert_eq!(fixed("id = 3").as_deref(), Ok("id = 3"));
        assert_eq!(fixed("at < now()").as_deref(), Ok("at < toDateTime('2025-07-15 10:01:02')"));
        assert!(fixed("rand() = 3").is_err());
        assert!(fixed("id IN (SELECT id FROM others)").is_err());
        assert!(fixed("1) SETTINGS x = 1 --").is_err());
    }
}
