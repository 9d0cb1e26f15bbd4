//! Who reads what: rows that a reader may see, and names that a reader may say.
//!
//! A filter is put around the table itself, wherever a query reads it, in a `view(…)`: the engine takes that for a query of its
//! own, so that no alias, lambda or `WITH` around it can mean something in the filter. Settings that filter tables from outside
//! can be undone by the query, and are not used.

use std::collections::BTreeMap;
use std::fmt;

use headwater_gate::{Gate, Listed};
use headwater_syntax::sql::ast::{self, AstNode, QueryParameter, SelectQuery};
use headwater_syntax::sql::{self, TableUse};

/// An expression over the columns of one table: which of its rows are shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RowFilter(String);

impl RowFilter {
    /// Reads a filter.
    ///
    /// # Errors
    /// Why it is none: it is no single expression, reads tables, or calls what the [gate](headwater_gate) does not let pass.
    pub fn parse(text: &str) -> Result<Self, String> {
        let text = text.trim();
        let one =
            || "it is one expression over the columns of the data source, such as `org = 'a'`".to_owned();
        if text.is_empty() {
            return Err(one());
        }
        let probe = format!("SELECT ({text}\n)");
        Gate::new(&Listed::default()).check(&probe).map_err(|refusal| refusal.to_string())?;
        let tree = sql::parse(&probe).ok_or_else(one)?;
        let selects: Vec<SelectQuery<'_>> = ast::descendants(tree.root_node()).collect();
        let [select] = selects.as_slice() else {
            return Err("a filter has no subquery".to_owned());
        };
        let mut items = select.items();
        // The parentheses are ours from the first to the last: nothing closes them before.
        let item = items.next().ok_or_else(one)?;
        let range = std::ops::Range::<usize>::from(item.range());
        let inside = matches!(item.value(), Some(ast::Expression::ParenthesizedExpression(_)));
        if items.next().is_some() || !inside || range != ("SELECT ".len()..probe.len()) {
            return Err(one());
        }
        if ast::descendants::<QueryParameter<'_>>(tree.root_node()).next().is_some() {
            return Err("a filter has no parameters: write the value itself".to_owned());
        }
        Ok(Self(text.to_owned()))
    }

    /// A filter that shows what one of these shows.
    pub fn any(filters: &[Self]) -> Option<Self> {
        let all: Vec<String> = filters.iter().map(|f| format!("({}\n)", f.0)).collect();
        (!all.is_empty()).then(|| Self(all.join(" OR ")))
    }
}

/// Of data sources, by name, the rows that may be read; of others all.
pub type RowFilters = BTreeMap<String, RowFilter>;

/// A name that a query says which somebody wrote beside the project.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mention<'a> {
    /// A data source.
    Source(&'a str),
    /// A pipe: what its node for others gives.
    Pipe(&'a str),
    /// Rows of a data source that did not fit.
    Quarantine(&'a str),
    /// A data source of the product: database and name.
    Service(&'a str, &'a str),
    /// A node of the pipe that the query is beside.
    Node(&'a str),
}

impl fmt::Display for Mention<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Source(name) | Self::Pipe(name) => f.write_str(name),
            Self::Quarantine(name) => write!(f, "{name}_quarantine"),
            Self::Service(database, name) => write!(f, "{database}.{name}"),
            Self::Node(pipe) => write!(f, "a node of {pipe}"),
        }
    }
}

/// Says no to names, with the reason.
pub type MayRead<'a> = &'a dyn Fn(Mention<'_>) -> Result<(), String>;

/// The rows of `table` for which the filter holds, where a query has the table with these modifiers (`FINAL`, `SAMPLE`).
pub(super) fn rows(
    table: &str,
    modifiers: &str,
    filter: &RowFilter,
    usage: TableUse,
) -> Result<String, String> {
    let view = format!("view(SELECT * FROM {table}{modifiers} WHERE ({}\n))", filter.0);
    match usage {
        TableUse::From | TableUse::Join => Ok(view),
        TableUse::In => Ok(format!("(SELECT * FROM {view})")),
        TableUse::Argument => {
            Err("this function reads a whole table, of which this token may read some rows; write a join"
                .to_owned())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_filter_is_one_expression() {
        for fine in [
            "org = 'a'",
            "a > 1 OR b IN (1, 2)",
            "x = 1 -- why",
            "lower(org) = 'a)'",
            "(a) OR (b)",
            "has(['a'], org)",
        ] {
            assert!(RowFilter::parse(fine).is_ok(), "{fine}: {:?}", RowFilter::parse(fine));
        }
        for wrong in [
            "",
            "1) OR (1",
            "1), (2",
            "1) FROM t WHERE (1",
            "1) WHERE (1",
            "1) SETTINGS max_threads = 1 --",
            "1)) UNION ALL SELECT ((1",
            "org IN (SELECT 1)",
            "org IN (SELECT org FROM orgs)",
            "org IN orgs",
            "org = {org:String}",
            "file('/etc/passwd') = ''",
            "dictGet('d', 'a', 1) = 1",
            "1; SELECT 1",
            "1 /*",
            "a =",
        ] {
            assert!(RowFilter::parse(wrong).is_err(), "{wrong}");
        }
    }
}
