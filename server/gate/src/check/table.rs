//! Tables: by name, behind `IN`, and functions in their place.

use headwater_syntax::TextRange;
use headwater_syntax::sql::ast::{
    AstNode, Expression, InExpression, Literal, Node, TableFunction, TableName, place, words,
};

use super::Check;
use crate::policy::formats;
use crate::policy::table_functions::{MOST_RANDOM_LENGTH, decision};
use crate::scope::Given;
use crate::{Refusal, Rule, TableRead, structure};

/// Tables of the engine's own that hold numbers or names of functions, and nothing of anybody.
const OF_THE_ENGINE: [&str; 4] = ["functions", "numbers", "numbers_mt", "one"];

impl Check<'_> {
    /// Whether the query may read the table; if so it is noted.
    pub(super) fn reads(
        &mut self,
        database: Option<String>,
        name: String,
        range: TextRange,
    ) -> Result<(), Refusal> {
        let of_the_engine = database.as_deref() == Some("system") && OF_THE_ENGINE.contains(&name.as_str());
        let off = self.gate.is_off_databases() && database.is_some();
        if of_the_engine || off || self.gate.tables.may_read(database.as_deref(), &name) {
            self.out.tables.push(TableRead { database, name, range });
            return Ok(());
        }
        let (reason, advice) = match database.as_deref() {
            Some("system" | "information_schema" | "INFORMATION_SCHEMA") => (
                "tables about the server are not read by queries".to_owned(),
                "leave it out; of `system` there are one, numbers, numbers_mt and functions",
            ),
            Some(database) => (
                format!("`{database}.{name}` is not one of the project's tables"),
                "name a data source, a pipe or a node of the project",
            ),
            None => (
                format!("`{name}` is not one of the project's tables"),
                "name a data source, a pipe or a node of the project",
            ),
        };
        Err(Refusal::new(Rule::Table, range, reason, advice))
    }

    pub(super) fn table_name(&mut self, node: Node<'_>) -> Result<(), Refusal> {
        let table = TableName::cast(node).and_then(|table| table.plain(self.text));
        let Some(table) = table else {
            let reason = "the name of this table does not stand in the query";
            return Err(Refusal::new(
                Rule::Table,
                place(node),
                reason,
                "write it out; texts in place of tables are files",
            ));
        };
        for name in node.named_children() {
            self.refuse_escapes(Rule::Table, name)?;
        }
        if table.database.is_none() && self.scopes.has(&table.name, Given::Table) {
            return Ok(());
        }
        self.reads(table.database, table.name, table.range)
    }

    /// `x IN name` reads a table when the name is none of a column or an alias; which of them it is, only the engine knows.
    pub(super) fn in_expression(&mut self, node: Node<'_>) -> Result<(), Refusal> {
        if self.gate.is_off_in() || is_position(node, self.text) {
            return Ok(());
        }
        let Some(right) = InExpression::cast(node).and_then(InExpression::right).map(Expression::peeled)
        else {
            return Err(Refusal::new(
                Rule::Construct,
                place(node),
                "there is nothing behind IN",
                "complete it",
            ));
        };
        let unknown = |name: &str| {
            let reason = format!("`{name}` may be a table here, and is none of the project's");
            Refusal::new(
                Rule::Table,
                right.range(),
                reason,
                "for an array write `has(array, value)`, else a list or a subquery",
            )
        };
        let column = match right {
            Expression::ColumnRef(column) => column,
            // `a.'b'` is an element of a tuple to us; it need not be to the engine.
            Expression::TupleAccess(access) if access.name().is_some() => {
                return Err(unknown(right.text(self.text)));
            }
            _ => return Ok(()),
        };
        for name in column.names() {
            self.refuse_escapes(Rule::Table, name.node())?;
        }
        let mut parts = column.parts(self.text).unwrap_or_default().into_iter().map(|part| part.value);
        let (database, name) = match (parts.next(), parts.next(), parts.next()) {
            (Some(name), None, None) => (None, name),
            (Some(database), Some(name), None) => (Some(database), name),
            _ => return Err(unknown(right.text(self.text))),
        };
        if database.is_none()
            && (self.scopes.has(&name, Given::Table) || self.scopes.has(&name, Given::Value))
        {
            return Ok(());
        }
        self.reads(database, name, right.range()).map_err(|refusal| match refusal.reason.contains("server") {
            true => refusal,
            false => unknown(right.text(self.text)),
        })
    }

    pub(super) fn table_function(&mut self, node: Node<'_>) -> Result<(), Refusal> {
        let Some(function) = TableFunction::cast(node) else { return Ok(()) };
        let name_node = function.name().map_or(node, AstNode::node);
        let refuse = |reason: String, advice: &str| {
            Refusal::new(Rule::TableFunction, place(name_node), reason, advice)
        };
        self.refuse_escapes(Rule::TableFunction, name_node)?;
        let name = function.plain_name(self.text).map(|name| name.value).unwrap_or_default();
        if self.gate.is_off_table_functions() {
            return Ok(());
        }
        if function.database().is_some() {
            return Err(refuse(
                "a table function has no database".to_owned(),
                "leave out what is before the dot",
            ));
        }
        match decision(&name) {
            None => {
                return Err(refuse(
                    format!("`{name}` is no table function of the engine"),
                    "name a table of the project",
                ));
            }
            Some(Err(why)) => {
                let reason = format!("the table function `{name}` is not allowed: {why}");
                return Err(refuse(
                    reason,
                    "name a table of the project; data from elsewhere comes through a data source",
                ));
            }
            Some(Ok(())) => {}
        }
        self.table_arguments(function, &name).map_err(|(reason, advice)| refuse(reason, advice))
    }

    /// Arguments that would let an allowed table function do more than make rows.
    fn table_arguments(&self, function: TableFunction<'_>, name: &str) -> Result<(), (String, &'static str)> {
        let values: Vec<_> = function.arguments().into_iter().flat_map(|list| list.expressions()).collect();
        let text = |e: &Expression<'_>| match e {
            Expression::StringLiteral(string) => string.string(self.text),
            _ => None,
        };
        let plain_structure = |e: &Expression<'_>| {
            if text(e).is_some_and(|text| structure::is_plain(&text)) || self.gate.is_off_defaults() {
                return Ok(());
            }
            let reason =
                format!("the columns of `{name}` have to be a text of names and types, and nothing else");
            Err((reason, "write for example 'a Int8, b String'"))
        };
        match name {
            "null" => values.iter().try_for_each(plain_structure),
            "generateRandom" => {
                let Some((first, rest)) = values.split_first() else { return Ok(()) };
                let (first_is_text, lengths) = (matches!(first, Expression::StringLiteral(_)), rest);
                let lengths = if first_is_text { lengths } else { &values[..] };
                if first_is_text {
                    plain_structure(first)?;
                }
                // The first number is a seed.
                let small = |e: &Expression<'_>| match e.literal(self.text) {
                    Some(Literal::Integer(n)) => (0..=MOST_RANDOM_LENGTH).contains(&n),
                    Some(Literal::Null) => true,
                    _ => false,
                };
                let seed = |e: &Expression<'_>| {
                    matches!(e.literal(self.text), Some(Literal::Integer(_) | Literal::Null))
                };
                if lengths.iter().enumerate().all(|(n, e)| if n == 0 { seed(e) } else { small(e) }) {
                    Ok(())
                } else {
                    Err((
                        format!(
                            "`generateRandom` takes a seed and lengths up to {MOST_RANDOM_LENGTH} as numbers"
                        ),
                        "write small numbers",
                    ))
                }
            }
            "values" | "SQLStandardValues" => {
                let first = values.first().and_then(text);
                if first.is_some_and(|text| structure::may_compute(&text)) {
                    values.first().map_or(Ok(()), plain_structure)
                } else {
                    Ok(())
                }
            }
            "format" => {
                let format = values.first().and_then(|e| match e {
                    Expression::StringLiteral(string) => string.string(self.text),
                    Expression::ColumnRef(column) => {
                        column.single(self.text).map(std::borrow::Cow::into_owned)
                    }
                    _ => None,
                });
                if !format.is_some_and(|format| formats::is_input(&format)) {
                    return Err((
                        "`format` reads no such format from a text".to_owned(),
                        "use JSONEachRow, CSV, TSV or another usual one",
                    ));
                }
                let rest = values.get(1..).unwrap_or_default();
                if rest.is_empty() || rest.len() > 2 || !rest.iter().all(|e| text(e).is_some()) {
                    return Err((
                        "`format` takes the columns and the data as texts".to_owned(),
                        "write them out in quotes",
                    ));
                }
                match rest {
                    [columns, _] if text(columns).as_deref() != Some("auto") => plain_structure(columns),
                    _ => Ok(()),
                }
            }
            "view" if function.arguments().and_then(|list| list.query()).is_none() => {
                Err(("`view` takes a query".to_owned(), "write view(SELECT …)"))
            }
            _ => Ok(()),
        }
    }
}

/// Whether this is the argument of `position('a' IN x)`, where `IN` is no operator.
fn is_position(node: Node<'_>, text: &str) -> bool {
    let Some(list) = node.parent() else { return false };
    let call = list.parent().and_then(headwater_syntax::sql::ast::FunctionCall::cast);
    let name = call.and_then(|call| call.plain_name(text));
    name.is_some_and(|name| name.value.eq_ignore_ascii_case("position"))
        && list.named_children().count() == 1
        && words(node, text).all(|word| word == "IN")
}
