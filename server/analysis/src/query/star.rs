//! What stands for several columns: `*`, `t.*`, `COLUMNS('…')` with their modifiers, and `untuple`.

use std::sync::Arc;

use headwater_syntax::TextRange;
use headwater_syntax::sql::ast::{
    ApplyColumnsFunction, AstNode, ColumnRef, ColumnsMatcher, ExceptColumns, Expression, Lambda, Name,
    SelectItem, Star, StarPart, descendants,
};
use regex::Regex;

use super::identifier::qualified;
use super::scope::{Analyzer, MAX_EXPANSION, Scope, TermKind, Value, computed_from};
use super::typing;
use super::{FaultKind, StarColumn};

/// A column that a star stands for: how the engine calls it and its value.
type Expanded = (Option<String>, Value);

/// One of them before modifiers: its own name counts there, whatever it is called.
struct Candidate {
    own: String,
    /// How the query calls its table, where a reference must say it.
    table: Option<String>,
    called: String,
    value: Value,
}

impl<'t> Analyzer<'t> {
    /// The columns that a star stands for, and whether these are all.
    pub(super) fn star(&mut self, star: Star<'t>) -> (Vec<Expanded>, bool) {
        let (mut found, mut complete) = match star.columns_matcher() {
            Some(matcher) => self.matched(matcher),
            None => self.all_of(star.qualifier()),
        };
        // What a replaced or applied column stands for is no plain list of names.
        let mut is_list = true;
        for part in star.parts() {
            match part {
                StarPart::ExceptColumns(except) => match self.excepted(except) {
                    Some(is_excepted) => found.retain(|c| !is_excepted(&c.own)),
                    None => complete = false,
                },
                StarPart::ReplaceColumns(replace) => {
                    is_list = false;
                    for entry in replace.aliased_expressions() {
                        let Some((name, expression)) = entry.plain_name(self.text).zip(entry.value()) else {
                            complete = false;
                            continue;
                        };
                        // The engine looks at it where there is a column of that name.
                        if complete && !found.iter().any(|c| c.own == name.value) {
                            continue;
                        }
                        let value = self.expression(expression);
                        for column in found.iter_mut().filter(|c| c.own == name.value) {
                            column.value = value.clone();
                        }
                    }
                }
                StarPart::ApplyColumns(apply) => {
                    is_list = false;
                    let function = match apply.function() {
                        Some(ApplyColumnsFunction::Identifier(name)) => Some(name),
                        Some(ApplyColumnsFunction::Expression(e)) => e.identifier(),
                        None => None,
                    };
                    let lambda = match apply.function() {
                        Some(ApplyColumnsFunction::Expression(e)) => match e.peeled() {
                            Expression::Lambda(lambda) => Some(lambda),
                            _ => None,
                        },
                        _ => None,
                    };
                    if let (Some(lambda), None) = (lambda, function)
                        && apply.prefix().is_none()
                        && self.applied_lambda(lambda, &mut found)
                    {
                        continue;
                    }
                    let Some(function) = function else {
                        return (found.into_iter().map(|_| (None, Value::unknown())).collect(), complete);
                    };
                    let function = function.name(self.text).into_owned();
                    let parameters: Vec<Expression<'t>> =
                        apply.parameters().into_iter().flat_map(|list| list.expressions()).collect();
                    let values: Vec<Value> = parameters.iter().map(|e| self.expression(*e)).collect();
                    let names: Option<Vec<String>> =
                        parameters.iter().map(|e| self.output_name(*e)).collect();
                    let is_named = apply.prefix().is_none() && names.is_some();
                    let names = names
                        .filter(|n| !n.is_empty())
                        .map_or_else(String::new, |names| format!("({})", names.join(", ")));
                    for column in &mut found {
                        column.value = self.applied(&function, &values, &column.value, star.range());
                        column.called = format!("{function}{names}({})", column.called);
                    }
                    if !is_named {
                        return (found.into_iter().map(|c| (None, c.value)).collect(), complete);
                    }
                }
                _ => {}
            }
        }
        if complete && found.is_empty() && !self.scope().tables.is_empty() {
            self.fault(star.range(), FaultKind::NoColumns);
        }
        if is_list && complete {
            let columns = found.iter().map(|c| StarColumn {
                table: c.table.clone(),
                own: c.own.clone(),
                called: c.called.clone(),
            });
            self.star_expansion(star.range(), columns.collect());
        }
        (found.into_iter().map(|c| (Some(c.called), c.value)).collect(), complete)
    }

    /// The call of a function that is applied to a column.
    fn applied(&mut self, function: &str, parameters: &[Value], column: &Value, range: TextRange) -> Value {
        let ty = typing::applied(function, parameters, column);
        let sources = computed_from(std::iter::once(column));
        let kind = match typing::kind(typing::function(function).as_ref()) {
            typing::Kind::Aggregate => TermKind::Aggregate(function.to_owned()),
            typing::Kind::Scalar => TermKind::Call,
            typing::Kind::Unknown => TermKind::Unknown,
        };
        let key = self.unique();
        let term = self.term(kind, key, vec![column.term], range);
        Value { ty, sources, term, ..Value::unknown() }
    }

    /// What a lambda of one parameter makes of each column: the engine puts the column in the parameter's place. False when
    /// it has more parameters.
    fn applied_lambda(&mut self, lambda: Lambda<'t>, columns: &mut [Candidate]) -> bool {
        let names = super::expression::parameter_names(lambda, self.text);
        let (Some(body), [parameter]) = (lambda.body(), names.as_slice()) else { return false };
        let is_it = |inner: &ColumnRef<'t>| inner.single(self.text).is_some_and(|name| name == *parameter);
        let places = descendants::<ColumnRef<'t>>(body.node()).filter(is_it);
        let places: Vec<usize> = places.map(|inner| inner.range().start().into()).collect();
        for column in columns {
            self.scope().parameters.push((parameter.clone(), column.value.clone()));
            for place in &places {
                self.column_names.insert(*place, column.called.clone());
            }
            let value = self.expression(body);
            let called = self.output_name(body);
            self.scope().parameters.pop();
            for place in &places {
                self.column_names.remove(place);
            }
            column.value = Value { constant: None, ..value };
            match called {
                Some(called) => column.called = called,
                None => return false,
            }
        }
        true
    }

    fn all_of(&mut self, qualifier: Option<Expression<'t>>) -> (Vec<Candidate>, bool) {
        let level = self.scopes.len() - 1;
        let Some(qualifier) = qualifier else {
            let tables = 0..self.scopes[level].tables.len();
            let mut all = Vec::new();
            let mut complete = true;
            for table in tables {
                complete &= self.columns_of(level, table, true, &mut all);
            }
            // Columns of USING come first, in its order.
            let order = &self.scopes[level].using_order;
            let place = |c: &Candidate| order.iter().position(|name| *name == c.own).unwrap_or(order.len());
            all.sort_by_key(place);
            return (all, complete);
        };
        let parts = match qualifier {
            Expression::ColumnRef(column) => column.parts(self.text),
            _ => None,
        };
        let Some(parts) = parts else { return (Vec::new(), false) };
        let names: Vec<&str> = parts.iter().map(|p| p.value.as_str()).collect();
        let mut all = Vec::new();
        if let Some(table) = table_of(&self.scopes[level], &names) {
            let complete = self.columns_of(level, table, false, &mut all);
            return (all, complete);
        }
        let is_unknown = self.scopes[level].tables.iter().any(|t| t.relation.may_have_more());
        let is_column = self.scopes[level].aliases.contains_key(names[0])
            || self.scopes[level].tables.iter().any(|t| t.relation.column(names[0]).is_some());
        if !is_column && !is_unknown && self.scopes.len() == 1 {
            let kind = FaultKind::UnknownQualifier { name: names.join(".") };
            self.fault(qualifier.range(), kind);
        }
        // A tuple's elements.
        if is_column {
            let value = self.expression(qualifier);
            let elements = value.ty.as_ref().and_then(typing::named_elements);
            if let Some(elements) = elements {
                let path = names.join(".");
                let sources = computed_from(std::iter::once(&value));
                all.extend(elements.into_iter().map(|(name, ty)| Candidate {
                    table: Some(path.clone()),
                    called: format!("{path}.{name}"),
                    own: name,
                    value: Value { ty: Some(ty), sources: sources.clone(), ..Value::unknown() },
                }));
                return (all, true);
            }
        }
        (all, false)
    }

    /// The columns of a table of the scope, as a star shows them; false when there are others.
    fn columns_of(&mut self, level: usize, table: usize, once: bool, out: &mut Vec<Candidate>) -> bool {
        let relation = self.scopes[level].tables[table].relation.clone();
        self.expanded += relation.columns.len();
        if self.expanded > MAX_EXPANSION {
            return false;
        }
        for column in &relation.columns {
            let Some(own) = &column.name else { return false };
            // A column of USING is shown once, with the first table.
            let joined = self.scopes[level].using.get(own).cloned();
            if once && joined.is_some() && table > 0 && out.iter().any(|c| c.own == *own) {
                continue;
            }
            let unfolded = self.scopes[level].unfolded.get(own).cloned();
            let value = match unfolded {
                Some(element) => element,
                None => {
                    let own_value =
                        self.column_of(level, table, column, headwater_syntax::TextRange::default());
                    match joined {
                        Some(joined) => Value { ty: joined.ty, ..own_value },
                        None => own_value,
                    }
                }
            };
            let called = self.called(level, table, column, &[], false);
            let is_alone = self.scopes[level].tables.len() == 1 || self.scopes[level].using.contains_key(own);
            let of = self.scopes[level].tables[table].name.clone().filter(|_| !is_alone);
            out.push(Candidate { own: own.clone(), table: of, called, value });
        }
        relation.complete && !relation.star_may_show_more
    }

    /// `COLUMNS('regular expression')`, `COLUMNS(a, b)`.
    fn matched(&mut self, matcher: ColumnsMatcher<'t>) -> (Vec<Candidate>, bool) {
        let arguments: Vec<Expression<'t>> = match matcher.arguments() {
            Some(list) => list.expressions().collect(),
            None => matcher.expressions().skip(usize::from(matcher.qualifier().is_some())).collect(),
        };
        let (all, complete) = self.all_of(matcher.qualifier());
        if let [Expression::StringLiteral(pattern)] = arguments.as_slice() {
            let pattern = pattern.string(self.text).and_then(|p| Regex::new(&p).ok());
            return match pattern {
                Some(pattern) => (all.into_iter().filter(|c| pattern.is_match(&c.own)).collect(), complete),
                None => (Vec::new(), false),
            };
        }
        let mut found = Vec::new();
        for argument in arguments {
            let Expression::ColumnRef(column) = argument else { return (Vec::new(), false) };
            let value = self.column_ref(column);
            let Some(name) = column.single(self.text) else { return (Vec::new(), false) };
            found.push(Candidate { own: name.to_string(), table: None, called: name.to_string(), value });
        }
        (found, true)
    }

    /// Which names `EXCEPT` leaves out; `None` when a template or a query decides.
    fn excepted(&self, except: ExceptColumns<'t>) -> Option<Box<dyn Fn(&str) -> bool>> {
        if except.query().is_some() || except.template_outputs().next().is_some() {
            return None;
        }
        let mut names = Vec::new();
        let mut pattern = None;
        for name in except.names() {
            match name {
                Name::StringLiteral(text) => pattern = Some(Regex::new(&text.string(self.text)?).ok()?),
                other => names.push(other.plain(self.text)?.into_owned()),
            }
        }
        Some(Box::new(move |own| {
            names.iter().any(|n| n == own) || pattern.as_ref().is_some_and(|p| p.is_match(own))
        }))
    }

    /// The columns of `untuple(…)`; `None` when it is something else, `Some(None)` when they are not known.
    pub(super) fn untuple(
        &mut self,
        item: SelectItem<'t>,
        expression: Expression<'t>,
    ) -> Option<Option<Vec<(String, Value)>>> {
        let call = match expression.peeled() {
            Expression::FunctionCall(call) => call,
            Expression::WindowFunction(window) => window.function()?,
            _ => return None,
        };
        // Asked of every item: the call is made only where it is one.
        if call.plain_name(self.text).is_none_or(|name| name.value != "untuple") {
            return None;
        }
        let call = call.call(self.text).filter(|c| c.function == "untuple")?;
        let [super::expression::CallArgument::Expression(inner)] = call.arguments.as_slice() else {
            return Some(None);
        };
        let value = self.expression(*inner);
        let prefix = match item.alias() {
            Some(_) => item.plain_name(self.text).map(|n| n.value),
            None => None,
        };
        let written = self.output_name(*inner);
        let elements = value.ty.as_ref().and_then(typing::elements);
        let sources = computed_from(std::iter::once(&value));
        Some(elements.and_then(|elements| {
            elements
                .into_iter()
                .enumerate()
                .map(|(n, (name, ty))| {
                    let name = name.unwrap_or_else(|| (n + 1).to_string());
                    let called = match (&prefix, &written) {
                        (Some(prefix), _) => format!("{prefix}.{name}"),
                        (None, Some(written)) => format!("tupleElement({written}, '{name}')"),
                        (None, None) => return None,
                    };
                    let term = value.term;
                    Some((
                        called,
                        Value {
                            ty: Some(ty),
                            constant: None,
                            either: None,
                            is_constant: value.is_constant,
                            sources: Arc::clone(&sources),
                            term,
                        },
                    ))
                })
                .collect()
        }))
    }
}

/// The table that a path names as a whole.
fn table_of(scope: &Scope<'_>, names: &[&str]) -> Option<usize> {
    // As if a column of it were asked for.
    let path: Vec<&str> = names.iter().copied().chain(["*"]).collect();
    let (table, rest) = qualified(scope, &path)?;
    (rest.len() == 1).then_some(table)
}
