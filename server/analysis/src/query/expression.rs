//! Values: the type of an expression, what it is made of, and the calls in it.

use std::hash::{Hash as _, Hasher as _};
use std::sync::Arc;

use headwater_catalog::{Fault as CallFault, Type};
use headwater_syntax::TextRange;
use headwater_syntax::sql::ast::{
    self, AstNode, Call, Expression, FunctionCall, InExpression, Lambda, Literal, Over, Query,
    WindowFunction, WindowSpecification,
};

pub(super) use headwater_syntax::sql::ast::Argument as CallArgument;
use rustc_hash::FxHasher;

use super::scope::{Analyzer, Term, TermKind, Value, computed_from, hash};
use super::typing::{self, Inferred};
use super::{FaultKind, UseKind};

/// An argument as the catalog sees it, and where it stands.
pub(super) struct Seen {
    pub(super) value: Value,
    pub(super) is_lambda: bool,
    pub(super) range: TextRange,
}

impl<'t> Analyzer<'t> {
    /// The value of an expression.
    pub(super) fn expression(&mut self, expression: Expression<'t>) -> Value {
        let value = self.deeper(|this| this.expression_here(expression)).unwrap_or_default();
        if self.probe.is_some() {
            self.probe_value(expression.range(), value.ty.as_ref());
        }
        value
    }

    fn expression_here(&mut self, expression: Expression<'t>) -> Value {
        let range = expression.range();
        if let Some(literal) = expression.literal(self.text) {
            let ty = typing::literal(&literal);
            return self.constant(ty, Some(literal), range);
        }
        if let Some(value) = self.json_path(expression) {
            return value;
        }
        match expression {
            Expression::ParenthesizedExpression(inner) => {
                inner.expression().map_or_else(Value::unknown, |inner| self.expression(inner))
            }
            Expression::AliasedExpression(aliased) => {
                let Some(value) = aliased.value() else { return Value::unknown() };
                match aliased.plain_name(self.text) {
                    Some(name) => self.named_expression(&name.value, value),
                    None => self.expression(value),
                }
            }
            Expression::ColumnRef(column) => self.column_ref(column),
            Expression::Subquery(subquery) => {
                subquery.inner().map_or_else(Value::unknown, |query| self.scalar(query, range))
            }
            Expression::Exists(exists) => {
                if let Some(query) = exists.query().and_then(|q| q.inner()) {
                    // The engine makes a count of it, and counts that too.
                    self.subqueries += 2;
                    self.subquery(query, true);
                }
                let ty = typing::parse("UInt8");
                self.opaque(ty, range)
            }
            Expression::InExpression(e) => self.membership(e, range),
            Expression::WindowFunction(window) => self.window_function(window, range),
            Expression::QueryParameter(parameter) => {
                let ty = parameter.ty().and_then(|ty| typing::parse(ty.text(self.text)));
                self.constant(ty, None, range)
            }
            Expression::Lambda(lambda) => self.lambda(lambda, &[]),
            Expression::FunctionCall(call) => self.function_call(call, range),
            Expression::Star(_) => Value::unknown(),
            other if other.is_opaque() => Value::unknown(),
            other => match other.call(self.text) {
                Some(call) => self.call(&call, range),
                None => {
                    // What is not understood is still read.
                    for inner in ast::Children::<Expression<'t>>::of(other.node()) {
                        self.expression(inner);
                    }
                    Value::unknown()
                }
            },
        }
    }

    /// A value of this type that nothing else is known about.
    fn opaque(&mut self, ty: Option<Type>, range: TextRange) -> Value {
        let key = self.unique();
        let term = self.term(TermKind::Constant, key, Vec::new(), range);
        Value { ty, constant: None, either: None, is_constant: None, sources: Arc::new([]), term }
    }

    /// A query in the place of a value.
    fn scalar(&mut self, query: Query<'t>, range: TextRange) -> Value {
        self.count_query(query);
        let relation = self.subquery(query, true);
        let sources = relation.columns.iter().flat_map(|c| c.sources.iter());
        let mut sources: Vec<_> = sources.map(|s| super::Source { is_copy: false, ..*s }).collect();
        sources.sort_unstable();
        sources.dedup();
        let ty = relation.complete.then(|| typing::of_scalar_subquery(&relation)).flatten();
        // The same words are the same value.
        let key = hash(&("query", query.text(self.text)));
        let term = self.term(TermKind::Constant, key, Vec::new(), range);
        let value = Value { term, ..self.opaque(ty, range) };
        Value { sources: sources.into(), is_constant: Some(true), ..value }
    }

    /// `x IN …`.
    fn membership(&mut self, e: InExpression<'t>, range: TextRange) -> Value {
        let Some(left) = e.left() else { return Value::unknown() };
        let left = self.expression(left);
        let mut sides = vec![left.clone()];
        match e.right() {
            Some(Expression::ColumnRef(column)) => {
                let parts = column.parts(self.text).unwrap_or_default();
                let names: Vec<&str> = parts.iter().map(|p| p.value.as_str()).collect();
                if !self.is_set_by_name(&names) {
                    self.silent += 1;
                    sides.push(self.column_ref(column));
                    self.silent -= 1;
                }
            }
            Some(Expression::Subquery(subquery)) => {
                if let Some(query) = subquery.inner() {
                    self.count_query(query);
                    let relation = self.for_purpose(UseKind::Filter, |this| this.subquery(query, true));
                    let sources: Vec<_> =
                        relation.columns.iter().flat_map(|c| c.sources.iter()).copied().collect();
                    self.mention(subquery.range(), &sources, false);
                }
            }
            Some(other) => {
                sides.push(self.expression(other));
                self.members(&left, other);
            }
            None => {}
        }
        let ty = left.ty.as_ref().map(typing::of_membership);
        let terms: Vec<Term> = sides.iter().map(|v| v.term).collect();
        let key =
            hash(&("in", e.operators().count(), self.keys(&terms), e.right().map(|r| r.text(self.text))));
        let term = self.term(TermKind::Call, key, terms, range);
        let is_constant = left.is_constant;
        Value { ty, constant: None, either: None, is_constant, sources: computed_from(sides.iter()), term }
    }

    /// Whether a name on the right of `IN` is a table; its columns are then read as a filter.
    fn is_set_by_name(&mut self, names: &[&str]) -> bool {
        let (database, name) = match names {
            [name] => (None, *name),
            [database, name] => (Some(*database), *name),
            _ => return false,
        };
        let is_alias = self.scopes.iter().any(|s| {
            s.aliases.contains_key(names[0]) || s.parameters.iter().any(|(name, _)| name == names[0])
        });
        if is_alias {
            return false;
        }
        if database.is_none() && self.cte(name).is_some() {
            return true;
        }
        let Some(relation) = self.provider.relation(database, name) else {
            // A column, unless there is none of that name.
            return !self.scopes.iter().flat_map(|s| &s.tables).any(|t| t.relation.column(name).is_some());
        };
        for column in relation.columns.iter().filter_map(|c| c.name.clone()) {
            let base =
                super::BaseColumn { database: database.map(str::to_owned), table: name.to_owned(), column };
            self.base(base);
        }
        true
    }

    fn function_call(&mut self, call: FunctionCall<'t>, range: TextRange) -> Value {
        match call.call(self.text) {
            Some(as_call) => self.call(&as_call, range),
            // A template makes its name.
            None => {
                for value in call.values() {
                    self.expression(value);
                }
                Value::unknown()
            }
        }
    }

    /// A call, or what an operator means.
    pub(super) fn call(&mut self, call: &Call<'t>, range: TextRange) -> Value {
        // `f(x, y -> x + y, a, b)`: what stands before the arrow are parameters.
        let leading = self.leading_parameters(call);
        if leading > 0 {
            let mut rest = call.clone();
            rest.arguments.drain(..leading);
            self.parameters_before = call.arguments[..leading]
                .iter()
                .filter_map(|argument| match argument {
                    CallArgument::Expression(e) => Some(e.identifier()?.name(self.text).into_owned()),
                    _ => None,
                })
                .collect();
            return self.call(&rest, range);
        }
        if let Some(lambda) = self.named_lambda(&call.function) {
            return self.call_of_lambda(lambda, call);
        }
        if let Some(value) = self.quantified(call, range) {
            return value;
        }
        let faults = self.fault_count();
        let parameters: Vec<Value> = call.parameters.iter().map(|p| self.expression(*p)).collect();
        // The columns that stars stand for, with their arguments' numbers; `None` when they are not all known.
        let mut stars: Option<Vec<(usize, Vec<Value>)>> = Some(Vec::new());
        let mut seen: Vec<Option<Seen>> = Vec::with_capacity(call.arguments.len());
        for argument in &call.arguments {
            seen.push(match argument {
                CallArgument::Expression(e) if seen.is_empty() && self.is_unit(&call.function, *e) => {
                    Some(Seen { value: Value::unknown(), is_lambda: false, range: e.range() })
                }
                CallArgument::Expression(e) => match e.peeled() {
                    Expression::Lambda(_) => None,
                    Expression::Star(star) => {
                        let (columns, complete) = self.star(star);
                        let sources = computed_from(columns.iter().map(|(_, value)| value));
                        match &mut stars {
                            Some(stars) if complete || typing::is_count(&call.function) => {
                                let values = columns.into_iter().map(|(_, value)| value).collect();
                                stars.push((seen.len(), values));
                            }
                            _ => stars = None,
                        }
                        Some(Seen {
                            value: Value { sources, ..Value::unknown() },
                            is_lambda: false,
                            range: star.range(),
                        })
                    }
                    _ => Some(Seen { value: self.expression(*e), is_lambda: false, range: e.range() }),
                },
                CallArgument::Query(query) => Some(Seen {
                    value: self.scalar(*query, query.range()),
                    is_lambda: false,
                    range: query.range(),
                }),
                CallArgument::Call(inner) => {
                    let value = self.deeper(|this| this.call(inner, inner.name_range)).unwrap_or_default();
                    Some(Seen { value, is_lambda: false, range: inner.name_range })
                }
                CallArgument::Value(literal) => {
                    let value = self.constant(typing::literal(literal), Some(literal.clone()), range);
                    Some(Seen { value, is_lambda: false, range: call.name_range })
                }
            });
        }
        let seen = self.lambdas(call, seen);
        let inferred = match stars {
            Some(stars) if stars.is_empty() => typing::infer(&call.function, &parameters, &seen),
            // To `count`, with combinators too, a star is no argument.
            Some(stars) if typing::is_count(&call.function) => {
                let none = stars.into_iter().map(|(at, _)| (at, Vec::new())).collect();
                typing::infer(&call.function, &parameters, &expanded(&seen, none))
            }
            Some(stars) => match typing::infer(&call.function, &parameters, &expanded(&seen, stars)) {
                // Its numbers are not those of the arguments as written; how many there are is certain.
                fault @ Inferred::Fault(CallFault::ArgumentCount { .. }) => fault,
                Inferred::Fault(_) => Inferred::Unknown,
                other => other,
            },
            None => Inferred::Unknown,
        };
        self.short_circuit(call, &seen, faults);
        self.fold_chain(call, &seen, faults);
        if !matches!(inferred, Inferred::Fault(_)) {
            self.compared(call, &seen, range);
            self.computed(call, &seen, range);
        }
        let (ty, either) = match inferred {
            Inferred::Type(ty) => (Some(ty), None),
            Inferred::Either(types) => (None, Some(types.into())),
            // A setting of the query switches it on.
            Inferred::Fault(CallFault::SwitchedOff { setting }) if self.text.contains(setting) => {
                (None, None)
            }
            Inferred::Unknown => (None, None),
            Inferred::Fault(fault) => {
                let at = place_of(&fault, call, &seen, range);
                self.fault(at, FaultKind::Call { function: call.function.to_string(), fault });
                (None, None)
            }
        };
        let value = self.called_value(call, &parameters, &seen, ty, range);
        Value { either, ..value }
    }

    /// Whether it is the unit of `DATEADD(qq, 1, d)`, which the engine's parser reads as no name.
    fn is_unit(&self, function: &str, argument: Expression<'t>) -> bool {
        const FUNCTIONS: [&str; 8] = [
            "dateadd",
            "date_add",
            "datesub",
            "date_sub",
            "timestampadd",
            "timestamp_add",
            "timestampsub",
            "timestamp_sub",
        ];
        const UNITS: [&str; 20] = [
            "ns",
            "us",
            "ms",
            "ss",
            "s",
            "mi",
            "n",
            "hh",
            "h",
            "dd",
            "d",
            "wk",
            "ww",
            "mm",
            "m",
            "qq",
            "q",
            "yyyy",
            "yy",
            "sql_tsi_day",
        ];
        let is_in = |list: &[&str], word: &str| list.iter().any(|own| own.eq_ignore_ascii_case(word));
        is_in(&FUNCTIONS, function)
            && argument.identifier().is_some_and(|unit| is_in(&UNITS, &unit.name(self.text)))
    }

    /// The lambda that a SELECT around gives this name to: `WITH x -> x + 1 AS f SELECT f(1)`.
    fn named_lambda(&self, name: &str) -> Option<(usize, Lambda<'t>)> {
        let found = |scope: &super::scope::Scope<'t>| match scope.aliases.get(name)?.expression.peeled() {
            Expression::Lambda(lambda) => Some(lambda),
            _ => None,
        };
        self.scopes.iter().enumerate().rev().find_map(|(level, scope)| Some((level, found(scope)?)))
    }

    /// The engine puts the arguments in the places of the parameters.
    fn call_of_lambda(&mut self, (level, lambda): (usize, Lambda<'t>), call: &Call<'t>) -> Value {
        let values: Vec<Value> = call
            .arguments
            .iter()
            .map(|argument| match argument {
                CallArgument::Expression(e) => self.expression(*e),
                _ => Value::unknown(),
            })
            .collect();
        let (Some(body), names) = (lambda.body(), parameter_names(lambda, self.text)) else {
            return Value::unknown();
        };
        if names.len() != values.len() {
            return Value::unknown();
        }
        // What is in it means what it means where the lambda stands.
        let inner = self.scopes.split_off(level + 1);
        let before = self.scope().parameters.len();
        self.scope().parameters.extend(names.into_iter().zip(values));
        let value = self.deeper(|this| this.expression(body)).unwrap_or_default();
        self.scope().parameters.truncate(before);
        self.scopes.extend(inner);
        Value { constant: None, ..value }
    }

    /// `x = any(SELECT …)`, `x > all(SELECT …)`: the engine makes other queries of them.
    fn quantified(&mut self, call: &Call<'t>, range: TextRange) -> Option<Value> {
        let [left, right] = call.arguments.as_slice() else { return None };
        let CallArgument::Expression(right) = right else { return None };
        let inner = right.peeled().call(self.text)?;
        let [CallArgument::Query(query)] = inner.arguments.as_slice() else { return None };
        let is_quantifier =
            ["any", "all", "some"].iter().any(|word| word.eq_ignore_ascii_case(&inner.function));
        if !is_quantifier || !super::comparison::COMPARISONS.contains(&&*call.function) {
            return None;
        }
        let CallArgument::Expression(left) = left else { return None };
        let value = self.expression(*left);
        self.count_query(*query);
        self.for_purpose(UseKind::Filter, |this| this.subquery(*query, true));
        let key = self.unique();
        let term = self.term(TermKind::Unknown, key, vec![value.term], range);
        let sources = computed_from(std::iter::once(&value));
        Some(Value { sources, term, ..Value::unknown() })
    }

    /// How many arguments in front of a lambda are parameters of it.
    fn leading_parameters(&self, call: &Call<'t>) -> usize {
        let is_lambda = |argument: &CallArgument<'t>| match argument {
            CallArgument::Expression(e) => matches!(e, Expression::Lambda(_)),
            _ => false,
        };
        let is_name = |argument: &CallArgument<'t>| match argument {
            CallArgument::Expression(e) => e.identifier().is_some(),
            _ => false,
        };
        match call.arguments.iter().position(is_lambda) {
            Some(at) if call.arguments[..at].iter().all(is_name) => at,
            _ => 0,
        }
    }

    fn called_value(
        &mut self,
        call: &Call<'t>,
        parameters: &[Value],
        seen: &[Seen],
        ty: Option<Type>,
        range: TextRange,
    ) -> Value {
        let children: Vec<Term> = seen.iter().map(|s| s.value.term).collect();
        let function = typing::function(&call.function);
        let name = typing::canonical(&call.function, function.as_ref());
        let kind = match typing::kind(function.as_ref()) {
            typing::Kind::Aggregate => TermKind::Aggregate(call.function.to_string()),
            typing::Kind::Scalar if name == "arrayJoin" => TermKind::Unknown,
            typing::Kind::Scalar => TermKind::Call,
            typing::Kind::Unknown => TermKind::Unknown,
        };
        let mut hasher = FxHasher::default();
        ("call", &*name, parameters.len()).hash(&mut hasher);
        for term in parameters.iter().map(|p| p.term).chain(children.iter().copied()) {
            self.key(term).hash(&mut hasher);
        }
        let term = self.term(kind, hasher.finish(), children, range);
        let sources = computed_from(seen.iter().map(|s| &s.value));
        let is_constant = typing::is_constant(function.as_ref(), seen);
        Value { ty, constant: None, either: None, is_constant, sources, term }
    }

    fn keys(&self, terms: &[Term]) -> Vec<u64> {
        terms.iter().map(|t| self.key(*t)).collect()
    }

    /// The lambdas among the arguments, with the types that the others give to their parameters.
    fn lambdas(&mut self, call: &Call<'t>, seen: Vec<Option<Seen>>) -> Vec<Seen> {
        if seen.iter().all(Option::is_some) {
            return seen.into_iter().flatten().collect();
        }
        let others: Vec<Option<Type>> = seen.iter().flatten().map(|s| s.value.ty.clone()).collect();
        seen.into_iter()
            .zip(&call.arguments)
            .map(|(seen, argument)| match (seen, argument) {
                (Some(seen), _) => seen,
                (None, CallArgument::Expression(e)) => {
                    let value = match e.peeled() {
                        Expression::Lambda(lambda) => {
                            let count =
                                self.parameters_before.len() + parameter_names(lambda, self.text).len();
                            let types = typing::lambda_parameters(&call.function, &others, count);
                            self.lambda(lambda, &types)
                        }
                        _ => Value::unknown(),
                    };
                    Seen { value, is_lambda: true, range: e.range() }
                }
                (None, _) => Seen { value: Value::unknown(), is_lambda: false, range: call.name_range },
            })
            .collect()
    }

    /// The value that a lambda gives when its parameters have these types.
    fn lambda(&mut self, lambda: Lambda<'t>, types: &[Option<Type>]) -> Value {
        let Some(body) = lambda.body() else { return Value::unknown() };
        let mut names = std::mem::take(&mut self.parameters_before);
        names.extend(parameter_names(lambda, self.text));
        let before = self.scope().parameters.len();
        // Aliases in a lambda are seen in it, and nowhere else.
        let aliases: Vec<_> = ast::descendants::<ast::AliasedExpression<'t>>(body.node())
            .filter_map(|a| a.plain_name(self.text))
            .collect();
        for name in aliases {
            self.scope().parameters.push((name.value, Value::unknown()));
        }
        for (n, name) in names.into_iter().enumerate() {
            let key = hash(&("parameter", n, self.scopes.len(), before));
            let term = self.term(TermKind::Constant, key, Vec::new(), lambda.range());
            let ty = types.get(n).cloned().flatten();
            let value = Value {
                ty,
                constant: None,
                either: None,
                is_constant: Some(false),
                sources: Arc::new([]),
                term,
            };
            self.scope().parameters.push((name, value));
        }
        let value = self.expression(body);
        self.scope().parameters.truncate(before);
        value
    }

    fn window_function(&mut self, window: WindowFunction<'t>, range: TextRange) -> Value {
        let Some(function) = window.function() else { return Value::unknown() };
        let value = self.function_call(function, function.range());
        // The function itself is no aggregate of this query; what is in it may be.
        let mut children = self.terms[value.term.0].children.clone();
        let mut key = vec![self.key(value.term)];
        if let Some(over) = window.over() {
            let terms = self.over(over);
            key.extend(terms.iter().map(|t| self.key(*t)));
            children.extend(terms);
        }
        let term = self.term(TermKind::Window, hash(&("window", key)), children, range);
        Value { term, constant: None, either: None, is_constant: Some(false), ..value }
    }

    fn over(&mut self, over: Over<'t>) -> Vec<Term> {
        if let Some(name) = over.name() {
            self.check_window(name);
        }
        over.window_specification().map_or_else(Vec::new, |spec| self.window(spec))
    }

    fn check_window(&mut self, name: ast::Identifier<'t>) {
        let text = name.name(self.text).into_owned();
        if !self.scope().windows.contains(&text) {
            self.fault(name.range(), FaultKind::UnknownWindow { name: text });
        }
    }

    /// What a window's rows are put together and ordered by.
    pub(super) fn window(&mut self, specification: WindowSpecification<'t>) -> Vec<Term> {
        if let Some(base) = specification.base() {
            self.check_window(base);
        }
        let mut terms = Vec::new();
        for partition in specification.partitions() {
            let value = self.for_purpose(UseKind::Group, |this| this.expression(partition));
            self.key_type(partition.range(), value.ty, "PARTITION BY");
            terms.push(value.term);
        }
        for order in specification.order_by_clauses() {
            for expression in order.order_items().filter_map(|item| item.value()) {
                let value = self.for_purpose(UseKind::Order, |this| this.expression(expression));
                self.key_type(expression.range(), value.ty, "ORDER BY");
                terms.push(value.term);
            }
        }
        terms
    }
}

/// The arguments with columns in the place of stars.
fn expanded(seen: &[Seen], stars: Vec<(usize, Vec<Value>)>) -> Vec<Seen> {
    let mut stars = stars.into_iter().peekable();
    let mut out = Vec::new();
    for (n, argument) in seen.iter().enumerate() {
        match stars.next_if(|(at, _)| *at == n) {
            Some((_, values)) => out.extend(values.into_iter().map(|value| Seen { value, ..*argument })),
            None => out.push(Seen { value: argument.value.clone(), ..*argument }),
        }
    }
    out
}

pub(super) fn parameter_names(lambda: Lambda<'_>, text: &str) -> Vec<String> {
    let Some(parameters) = lambda.parameters() else { return Vec::new() };
    ast::descendants::<ast::Identifier<'_>>(parameters.node()).map(|n| n.name(text).into_owned()).collect()
}

/// Where a fault of a call is shown: at the argument that is meant, or at the name.
pub(super) fn place_of(fault: &CallFault, call: &Call<'_>, seen: &[Seen], range: TextRange) -> TextRange {
    match typing::argument_of(fault) {
        Some(n) => seen.get(n).map_or(range, |s| s.range),
        None => call.name_range,
    }
}

/// The constant of a value, for parameters and arguments that decide about types.
impl Value {
    pub(super) fn literal(&self) -> Option<&Literal> {
        self.constant.as_ref()
    }
}
