//! Functions: by name, by a name in a text, and where a name alone is taken for one.

use headwater_catalog::find;
use headwater_syntax::sql::ast::{
    ApplyColumns, ApplyColumnsFunction, AstNode, Expression, FunctionCall, FunctionCallName, Identifier,
    Name, Node, place,
};

use super::Check;
use crate::policy::formats;
use crate::policy::functions::{Decision, of_name};
use crate::scope::Given;
use crate::{Refusal, Rule};

impl Check<'_> {
    pub(super) fn function_call(&mut self, node: Node<'_>) -> Result<(), Refusal> {
        let Some(call) = FunctionCall::cast(node) else { return Ok(()) };
        let Some(FunctionCallName::Identifier(name)) = call.name() else {
            let reason = "the name of this function does not stand in the query by itself";
            return Err(Refusal::new(Rule::Function, place(node), reason, "write it out, without a dot"));
        };
        self.refuse_escapes(Rule::Function, name.node())?;
        let written = name.name(self.text).into_owned();
        let is_own = self.scopes.has(&written, Given::Value);
        if self.gate.is_off_functions() || self.gate.is_off_quoted() && self.has_escapes(name.node()) {
            return Ok(());
        }
        // The parser has names of its own for some: what they become is the engine's.
        let found = of_name(&written).or_else(|| of_name(&call.call(self.text)?.function));
        // `a = ANY(SELECT …)`: the walk comes to the query.
        let compares = || call.arguments().is_some_and(|list| list.query().is_some());
        let Some((base, decision)) = found else {
            if ["all", "any", "some"].iter().any(|word| written.eq_ignore_ascii_case(word)) && compares() {
                return Ok(());
            }
            if is_own {
                return self.values(call, true);
            }
            return Err(self.unknown(name, &written));
        };
        self.out.functions.insert(base);
        let takes_parameters = find(&written).is_none_or(|f| f.kind() != headwater_catalog::Kind::Scalar);
        if call.parameters().is_some() && !takes_parameters {
            let reason =
                format!("`{written}` takes one list of arguments; only aggregate functions take two");
            return Err(Refusal::new(Rule::Function, name.range(), reason, "leave one out"));
        }
        self.decide(call, name, &written, decision)?;
        self.values(call, is_own || find(&written).is_some_and(|f| f.is_higher_order()))
    }

    fn unknown(&self, name: Identifier<'_>, written: &str) -> Refusal {
        let reason = format!("`{written}` is no function of the engine");
        let near = headwater_catalog::suggestions(written);
        let advice = near.first().map_or("use another".to_owned(), |near| format!("`{near}` is one"));
        Refusal::new(Rule::Function, name.range(), reason, advice)
    }

    fn decide(
        &mut self,
        call: FunctionCall<'_>,
        name: Identifier<'_>,
        written: &str,
        decision: Decision,
    ) -> Result<(), Refusal> {
        let refuse =
            |reason: String, advice: &str| Refusal::new(Rule::Function, name.range(), reason, advice);
        let literal =
            || call.first_string().and_then(|string| Some((string.string(self.text)?, string.range())));
        match decision {
            Decision::Allow => Ok(()),
            Decision::Deny(why) => Err(refuse(format!("`{written}` is not allowed: {why}"), "leave it out")),
            Decision::Operator => Err(refuse(
                format!("`{written}(…)` hides whether a table is read"),
                "write it as an operator: `a IN (b, c)`",
            )),
            Decision::Names if self.gate.is_off_strings() => Ok(()),
            Decision::Names => {
                let Some((named, range)) = literal() else {
                    return Err(refuse(
                        format!("`{written}` takes its table from a value that only running it tells"),
                        "name the table in a text",
                    ));
                };
                let (database, table) = match named.split_once('.') {
                    Some((database, table)) => (Some(database.to_owned()), table.to_owned()),
                    None => (None, named),
                };
                self.reads(database, table, range)
            }
            Decision::Formats => match literal() {
                Some((format, _)) if formats::is_output(&format) => Ok(()),
                _ => Err(refuse(
                    format!("`{written}` needs a usual format in a text as its first argument"),
                    "write 'CSV', 'JSONEachRow' or another",
                )),
            },
            Decision::Aggregates if self.gate.is_off_aggregates() => Ok(()),
            Decision::Aggregates => match literal() {
                Some((inner, _)) if is_harmless_aggregate(&inner) => Ok(()),
                _ => Err(refuse(
                    format!(
                        "`{written}` needs an aggregate function that is allowed, in a text as its first argument"
                    ),
                    "write for example 'sum'",
                )),
            },
        }
    }

    /// The engine takes a function's name alone for the function: `arrayMap(file, paths)`.
    fn values(&self, call: FunctionCall<'_>, takes_functions: bool) -> Result<(), Refusal> {
        if !takes_functions || self.gate.is_off_values() {
            return Ok(());
        }
        let parameters = call.parameters().into_iter().flat_map(|list| list.expressions());
        let bare = call.values().chain(parameters).filter_map(|value| value.peeled().identifier());
        bare.into_iter().try_for_each(|name| self.value(name))
    }

    fn value(&self, name: Identifier<'_>) -> Result<(), Refusal> {
        self.refuse_escapes(Rule::Function, name.node())?;
        let written = name.name(self.text);
        match of_name(&written) {
            None | Some((_, Decision::Allow)) => Ok(()),
            Some(_) => {
                let reason =
                    format!("`{written}` is a function here unless it is a column, and not an allowed one");
                let advice = "for a column, put its table before it: `t.column`";
                Err(Refusal::new(Rule::Function, name.range(), reason, advice))
            }
        }
    }

    /// `* APPLY toString`, `COLUMNS('x') APPLY(x -> x + 1)`.
    pub(super) fn apply(&mut self, node: Node<'_>) -> Result<(), Refusal> {
        self.out.applies += 1;
        if self.gate.is_off_apply() {
            return Ok(());
        }
        let function = ApplyColumns::cast(node).and_then(ApplyColumns::function);
        let name = match function {
            Some(ApplyColumnsFunction::Identifier(name)) => name,
            Some(ApplyColumnsFunction::Expression(expression)) => match expression.peeled() {
                // Both are looked at where the walk comes to them.
                Expression::Lambda(_) | Expression::FunctionCall(_) => return Ok(()),
                inner => match inner.identifier() {
                    Some(name) => name,
                    None => return Err(unclear(node)),
                },
            },
            None => return Err(unclear(node)),
        };
        self.refuse_escapes(Rule::Function, name.node())?;
        let written = Name::Identifier(name).plain(self.text).unwrap_or_default().into_owned();
        match of_name(&written) {
            Some((base, Decision::Allow)) => {
                self.out.functions.insert(base);
                Ok(())
            }
            None if self.scopes.has(&written, Given::Value) => Ok(()),
            None => Err(self.unknown(name, &written)),
            Some((_, Decision::Deny(why))) => {
                let reason = format!("`{written}` is not allowed: {why}");
                Err(Refusal::new(Rule::Function, name.range(), reason, "leave it out"))
            }
            Some(_) => {
                let reason = format!("`{written}` is not applied to columns");
                Err(Refusal::new(Rule::Function, name.range(), reason, "write the calls out"))
            }
        }
    }
}

fn unclear(node: Node<'_>) -> Refusal {
    let reason = "what is applied is neither a function's name nor a lambda";
    Refusal::new(Rule::Function, place(node), reason, "write the calls out")
}

/// `sum`, `quantiles(0.5, 0.9)`: an allowed aggregate function, with numbers for parameters.
fn is_harmless_aggregate(text: &str) -> bool {
    let (name, parameters) = match text.split_once('(') {
        Some((name, rest)) => match rest.strip_suffix(')') {
            Some(parameters) => (name, parameters),
            None => return false,
        },
        None => (text, ""),
    };
    let numbers = parameters.chars().all(|c| c.is_ascii_digit() || matches!(c, '.' | ',' | ' ' | '-'));
    numbers
        && matches!(of_name(name), Some((_, Decision::Allow)))
        && find(name).is_some_and(|f| f.kind() == headwater_catalog::Kind::Aggregate)
}
