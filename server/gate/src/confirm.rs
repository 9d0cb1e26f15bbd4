//! The engine's own reading of a query, compared with what was approved.
//!
//! `EXPLAIN AST` prints the tree of the engine's parser. Were our grammar to read a text in another way, for a quote or a comment
//! that only one of the two knows, the function or the table that hides there stands in that tree. What it does not show: settings,
//! arguments of `APPLY`, options of `EXPLAIN`; for those the first reading is the only one.

use headwater_catalog::find;

use crate::policy::functions::{Decision, of_name};
use crate::policy::table_functions;
use crate::{Approved, Tables};

/// Nodes of the engine's trees that queries are made of. Another one is refused until somebody looked at it.
const NODES: [&str; 44] = [
    "ArrayJoin",
    "Asterisk",
    "ColumnsApplyTransformer",
    "ColumnsExceptTransformer",
    "ColumnsListMatcher",
    "ColumnsRegexpMatcher",
    "ColumnsReplaceTransformer",
    "ColumnsReplaceTransformer::Replacement",
    "ColumnsTransformerList",
    "DataType",
    "DescribeQuery",
    "EnumDataType",
    "Explain",
    "ExpressionList",
    "Function",
    "Identifier",
    "InterpolateElement",
    "Literal",
    "NameTypePair",
    "ObjectTypeArgument",
    "OrderByElement",
    "Pair",
    "QualifiedAsterisk",
    "QualifiedColumnsListMatcher",
    "QualifiedColumnsRegexpMatcher",
    "QueryParameter",
    "SampleRatio",
    "SelectIntersectExceptQuery",
    "SelectQuery",
    "SelectWithUnionQuery",
    "Set",
    "StorageOrderByElement",
    "Subquery",
    "TableExpression",
    "TableIdentifier",
    "TableJoin",
    "TablesInSelectQuery",
    "TablesInSelectQueryElement",
    "TupleDataType",
    "WindowDefinition",
    "WindowListElement",
    "WithElement",
    "WithFill",
    "expression",
];

/// Functions that the engine's parser makes itself: of lambdas, of `EXISTS`, of a parameter and its type.
const OF_THE_PARSER: [&str; 5] = ["_CAST", "exists", "lambda", "notExists", "tuple"];

/// Whether the engine reads the query as it was approved: `tree` is its answer to `EXPLAIN AST` before the same text.
///
/// # Errors
///
/// What the engine reads there that was not approved.
pub fn confirm(approved: &Approved, tables: &dyn Tables, tree: &str) -> Result<(), String> {
    // Nodes on the way to the current one, by depth: head, rest, children so far.
    let mut way: Vec<(&str, &str, usize)> = Vec::new();
    for line in tree.lines().filter(|line| !line.is_empty()) {
        let text = line.trim_start_matches(' ');
        let depth = line.len() - text.len();
        if depth > way.len() {
            return Err("a tree that is not understood".to_owned());
        }
        way.truncate(depth);
        let (head, rest) = text.split_once(' ').unwrap_or((text, ""));
        if !NODES.contains(&head) {
            return Err(format!("a node `{head}`"));
        }
        let name = name(rest);
        let place = way.last().map_or(0, |(.., children)| *children);
        if let Some((.., children)) = way.last_mut() {
            *children += 1;
        }
        let reading = Reading { approved, tables, way: &way, place };
        match head {
            "Function" => reading.function(name)?,
            "TableIdentifier" => reading.table(name)?,
            "Identifier" => reading.identifier(name)?,
            "ColumnsApplyTransformer" if approved.applies == 0 => return Err("APPLY".to_owned()),
            // Of the whole query there are its SELECTs and its format.
            "Literal" if depth == 1 => return Err("INTO OUTFILE".to_owned()),
            _ => {}
        }
        way.push((head, name, 0));
    }
    if way.is_empty() { Err("no tree".to_owned()) } else { Ok(()) }
}

/// The name on a line, without `(alias x)` and `(children 2)`.
fn name(rest: &str) -> &str {
    let end = [" (alias ", " (children "].iter().filter_map(|mark| rest.find(mark)).min();
    &rest[..end.unwrap_or(rest.len())]
}

struct Reading<'a> {
    approved: &'a Approved,
    tables: &'a dyn Tables,
    way: &'a [(&'a str, &'a str, usize)],
    /// How many brothers stand before.
    place: usize,
}

impl Reading<'_> {
    fn around(&self, levels: usize) -> Option<(&str, &str)> {
        let at = self.way.len().checked_sub(levels)?;
        self.way.get(at).map(|(head, name, _)| (*head, *name))
    }

    fn function(&self, name: &str) -> Result<(), String> {
        if self.around(1).is_some_and(|(head, _)| head == "TableExpression") {
            return match table_functions::decision(name) {
                Some(Ok(())) => Ok(()),
                _ => Err(format!("the table function `{name}`")),
            };
        }
        let is_ours = match of_name(name) {
            _ if OF_THE_PARSER.contains(&name) => true,
            Some((_, Decision::Allow | Decision::Operator)) => true,
            Some((_, Decision::Deny(_))) => false,
            // Those that name something in a text: only the first reading looked at the text.
            Some((base, _)) => self.approved.functions.contains(base),
            None => self.approved.defined.contains(name) || table_functions::decision(name) == Some(Ok(())),
        };
        if is_ours { Ok(()) } else { Err(format!("the function `{name}`")) }
    }

    fn table(&self, name: &str) -> Result<(), String> {
        let (database, table) = match name.split_once('.') {
            Some((database, table)) => (Some(database), table),
            None => (None, name),
        };
        let is_ours = self.approved.tables.iter().any(|t| t.database.as_deref() == database && t.name == table)
            || database.is_none() && self.approved.defined.contains(name)
            || self.tables.may_read(database, table)
            // A name with a dot in it.
            || self.tables.may_read(None, name);
        if is_ours { Ok(()) } else { Err(format!("the table `{name}`")) }
    }

    fn identifier(&self, name: &str) -> Result<(), String> {
        let Some(("Function", function)) = self.around(2) else { return Ok(()) };
        // `x IN name`
        if self.place == 1 && matches!(of_name(function), Some((_, Decision::Operator))) {
            return self.table(name);
        }
        let takes_functions = find(function).is_some_and(|f| f.is_higher_order());
        match of_name(name) {
            Some((_, decision)) if takes_functions && decision != Decision::Allow => {
                Err(format!("`{name}`, which may be a function there"))
            }
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Gate, Listed};

    fn confirmed(sql: &str, tree: &str) -> Result<(), String> {
        let tables = Listed::new(["t"]);
        let approved = Gate::new(&tables).check(sql).expect("passes");
        confirm(&approved, &tables, tree)
    }

    #[test]
    fn what_the_engine_reads_besides_is_found() {
        let head = "SelectWithUnionQuery (children 1)\n ExpressionList (children 1)\n  SelectQuery (children 1)\n   ExpressionList (children 1)\n";
        let with = |rest: &str| format!("{head}{rest}");
        assert_eq!(
            confirmed("SELECT a FROM t", &with("    Identifier a\n    TableIdentifier t (alias u)\n")),
            Ok(())
        );
        for (rest, why) in [
            ("    Function file (children 1)\n", "the function `file`"),
            ("    TableIdentifier system.tables\n", "the table `system.tables`"),
            ("    TableIdentifier hidden (alias t)\n", "the table `hidden`"),
            ("    InsertQuery\n", "a node `InsertQuery`"),
            (
                "    Function in (children 1)\n     ExpressionList (children 2)\n      Identifier a\n      Identifier hidden\n",
                "the table `hidden`",
            ),
            (
                "    Function arrayMap (children 1)\n     ExpressionList (children 2)\n      Identifier file\n      Identifier b\n",
                "`file`, which may be a function there",
            ),
            ("    Function joinGet (children 1)\n", "the function `joinGet`"),
            ("    Asterisk (children 1)\n     ColumnsApplyTransformer\n", "APPLY"),
            ("   TableExpression (children 1)\n    Function url (children 1)\n", "the table function `url`"),
        ] {
            assert_eq!(confirmed("SELECT a FROM t", &with(rest)), Err(why.to_owned()), "{rest}");
        }
        assert_eq!(
            confirmed("SELECT 1", "SelectWithUnionQuery (children 3)\n Literal 'x'\n"),
            Err("INTO OUTFILE".to_owned())
        );
        assert!(confirmed("SELECT 1", "").is_err());
    }
}
