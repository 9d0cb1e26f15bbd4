//! Expressions as the function calls that the engine makes of them.

use std::borrow::Cow;

use super::operators::{Form, function, functions};
use super::support::{AstNode, Children, words};
use super::{
    BinaryExpression, Case, Expression, FunctionCall, Interval, Kind, Literal, Node, Query, Token, place,
    text,
};
use crate::TextRange;

/// A function call: one that stands in the text, or what an operator or a special form means.
#[derive(Debug, Clone, PartialEq)]
pub struct Call<'t> {
    /// The function, as the engine calls it for an operator and as written for a call.
    pub function: Cow<'static, str>,
    /// The first list of `quantile(0.9)(x)`.
    pub parameters: Vec<Expression<'t>>,
    /// The arguments in the engine's order.
    pub arguments: Vec<Argument<'t>>,
    /// Where the function or the operator is named; the whole expression where it is nowhere.
    pub name_range: TextRange,
}

/// An argument of a [`Call`].
#[derive(Debug, Clone, PartialEq)]
pub enum Argument<'t> {
    /// An expression of the text.
    Expression(Expression<'t>),
    /// A query in place of arguments: `exists(SELECT …)`.
    Query(Query<'t>),
    /// A call that the syntax implies: the comparisons of `BETWEEN`.
    Call(Box<Call<'t>>),
    /// A value that the syntax implies: the type of a cast, the index of a tuple, `NULL` for no `ELSE`.
    Value(Literal),
}

impl<'t> Expression<'t> {
    /// The call that this is to the engine, parentheses and aliases aside; `None` for columns, literals, subqueries,
    /// lambdas, templates, and where the tree is broken. Chains of `AND`, `OR` and `||` are one call.
    pub fn call(self, source: &str) -> Option<Call<'t>> {
        let this = self.peeled();
        let node = this.node();
        let whole = |function: &'static str, arguments| Call::new(function, arguments, place(node));
        match this {
            Self::BinaryExpression(binary) => binary.call(source),
            Self::FunctionCall(call) => call.call(source),
            Self::WindowFunction(window) => window.function()?.call(source),
            Self::Case(case) => case.call(),
            Self::Interval(interval) => interval.call(source),
            Self::InExpression(e) => {
                let (name, at) = operator(e.operators(), source);
                let arguments = vec![e.left()?.into(), e.right()?.into()];
                Some(Call::new(function(Form::Binary, &name)?, arguments, at?))
            }
            // A number with its sign is a literal, a sign before anything else a call.
            Self::UnaryExpression(e) if this.literal(source).is_none() => {
                let (name, at) = operator(e.operator().into_iter(), source);
                Some(Call::new(function(Form::Unary, &name)?, vec![e.operand()?.into()], at?))
            }
            Self::IsExpression(e) => {
                let name = joined(node, source);
                Some(whole(function(Form::Is, &name)?, vec![e.value()?.into()]))
            }
            Self::BetweenExpression(e) => {
                let negated = words(node, source).next().as_deref() == Some("NOT");
                let names = functions(Form::Between, if negated { "NOT BETWEEN" } else { "BETWEEN" })?;
                let [both, low, high] = names else { return None };
                let value = Argument::Expression(e.value()?);
                let low = whole(low, vec![value.clone(), e.low()?.into()]);
                let high = whole(high, vec![value, e.high()?.into()]);
                Some(whole(both, vec![Argument::Call(low.into()), Argument::Call(high.into())]))
            }
            Self::TernaryExpression(e) => {
                let arguments = vec![e.condition()?.into(), e.then()?.into(), e.otherwise()?.into()];
                Some(whole(function(Form::Node, "ternary_expression")?, arguments))
            }
            Self::Subscript(e) => {
                Some(whole(function(Form::Node, "subscript")?, vec![e.value()?.into(), e.index()?.into()]))
            }
            Self::TupleAccess(e) => {
                let index = match (e.index(), e.name()) {
                    (Some(index), _) => Literal::Integer(index.value(source)?.into()),
                    (None, Some(name)) => {
                        Literal::String(super::Name::cast(name.node())?.plain(source)?.into_owned())
                    }
                    (None, None) => return None,
                };
                Some(whole(
                    function(Form::Node, "tuple_access")?,
                    vec![e.value()?.into(), Argument::Value(index)],
                ))
            }
            Self::Cast(e) => {
                let ty = match (e.ty(), e.type_name()) {
                    (Some(ty), _) => Argument::Value(Literal::String(ty.text(source).to_owned())),
                    (None, name) => name?.into(),
                };
                Some(whole(function(Form::Node, "cast")?, vec![e.value()?.into(), ty]))
            }
            Self::TypedLiteral(e) => {
                let name = words(node, source).next()?;
                let value = Argument::Value(e.value()?.value(source));
                Some(whole(function(Form::Typed, &name)?, vec![value]))
            }
            Self::Exists(e) => {
                let query = e.query()?.into();
                Some(whole(function(Form::Node, "exists")?, vec![Argument::Query(query)]))
            }
            Self::Tuple(e) => Some(whole(function(Form::Node, "tuple")?, arguments(e.expressions()))),
            Self::ArrayLiteral(e) => Some(whole(function(Form::Node, "array")?, arguments(e.expressions()))),
            Self::MapLiteral(e) => {
                let pairs = e.map_entries().map(|pair| Some([pair.key()?.into(), pair.value()?.into()]));
                let pairs = pairs.collect::<Option<Vec<[Argument<'t>; 2]>>>()?;
                Some(whole(function(Form::Node, "map")?, pairs.concat()))
            }
            // Kinds that grammars may have or not are known by name.
            _ => match Kind::of(node).name() {
                "extract" | "trim" | "substring" => {
                    special(node, Kind::of(node).name(), all_expressions(node).collect(), source)
                }
                other => Some(whole(function(Form::Node, other)?, arguments(all_expressions(node)))),
            },
        }
    }
}

impl<'t> Call<'t> {
    fn new(
        function: impl Into<Cow<'static, str>>,
        arguments: Vec<Argument<'t>>,
        name_range: TextRange,
    ) -> Self {
        Self { function: function.into(), parameters: Vec::new(), arguments, name_range }
    }
}

impl<'t> From<Expression<'t>> for Argument<'t> {
    fn from(expression: Expression<'t>) -> Self {
        Self::Expression(expression)
    }
}

fn arguments<'t>(expressions: impl Iterator<Item = Expression<'t>>) -> Vec<Argument<'t>> {
    expressions.map(Argument::Expression).collect()
}

/// The words of an operator as one text in capitals, and where they stand.
fn operator<'t>(tokens: impl Iterator<Item = Token<'t>>, source: &str) -> (String, Option<TextRange>) {
    let mut name = String::new();
    let mut at: Option<TextRange> = None;
    for token in tokens {
        if !name.is_empty() {
            name.push(' ');
        }
        name += &text(token.node(), source).to_ascii_uppercase();
        at = Some(at.map_or_else(|| token.range(), |range| range.cover(token.range())));
    }
    // `NOT   LIKE` may be one token.
    if name.contains(char::is_whitespace) {
        name = name.split_whitespace().collect::<Vec<_>>().join(" ");
    }
    (name, at)
}

fn joined(node: Node<'_>, source: &str) -> String {
    words(node, source).collect::<Vec<_>>().join(" ")
}

/// Every expression directly in a node, in fields or not.
fn all_expressions(node: Node<'_>) -> impl Iterator<Item = Expression<'_>> {
    Children::all(node)
}

impl<'t> BinaryExpression<'t> {
    fn call(self, source: &str) -> Option<Call<'t>> {
        let (name, at) = operator(self.operators(), source);
        let function = function(Form::Binary, &name)?;
        let mut arguments = vec![Argument::Expression(self.right()?)];
        let mut left = self.left()?;
        // The engine makes one call of a chain.
        if matches!(function, "and" | "or" | "concat") {
            while let Expression::BinaryExpression(inner) = left
                && operator(inner.operators(), source).0 == name
            {
                arguments.push(inner.right()?.into());
                left = inner.left()?;
            }
        }
        arguments.push(left.into());
        arguments.reverse();
        Some(Call::new(function, arguments, at?))
    }
}

impl<'t> Case<'t> {
    fn call(self) -> Option<Call<'t>> {
        let value = self.value();
        let function = function(Form::Case, if value.is_some() { "value" } else { "" })?;
        let mut arguments: Vec<Argument<'t>> = value.into_iter().map(Argument::Expression).collect();
        for when in self.whens() {
            arguments.extend([when.condition()?.into(), when.result()?.into()]);
        }
        arguments.push(self.otherwise().map_or(Argument::Value(Literal::Null), Argument::Expression));
        Some(Call::new(function, arguments, self.range()))
    }
}

impl<'t> Interval<'t> {
    fn call(self, source: &str) -> Option<Call<'t>> {
        let value = Expression::cast(self.value()?.node())?;
        // `INTERVAL '1 day'` has its unit in the string.
        let (unit, argument) = match (self.unit(), value.literal(source)) {
            (Some(unit), _) => (unit.text(source).to_owned(), value.into()),
            (None, Some(Literal::String(both))) => {
                let (number, unit) = both.trim().split_once(' ')?;
                (unit.trim().to_owned(), Argument::Value(Literal::Integer(number.parse().ok()?)))
            }
            _ => return None,
        };
        Some(Call::new(function(Form::Interval, &singular(&unit))?, vec![argument], self.range()))
    }
}

fn singular(unit: &str) -> String {
    let unit = unit.to_ascii_uppercase();
    unit.strip_suffix('S').unwrap_or(&unit).to_owned()
}

impl<'t> FunctionCall<'t> {
    /// The call as the engine makes it: `count(DISTINCT x)` is `countDistinct(x)`, `sum(x) FILTER (WHERE c)` is
    /// `sumIf(x, c)`. `None` when a template makes the function's name.
    pub fn call(self, source: &str) -> Option<Call<'t>> {
        let name = self.plain_name(source)?;
        let list = self.arguments()?;
        let lower = name.value.to_ascii_lowercase();
        let values: Vec<_> = self.values().collect();
        if let Some(call) = self.with_unit(&lower, &values, source) {
            return Some(call);
        }
        // `position('a' IN x)`
        if let ("position", [Expression::InExpression(e)]) = (lower.as_str(), values.as_slice()) {
            let arguments = vec![e.right()?.into(), e.left()?.into()];
            return Some(Call::new(name.value, arguments, name.range));
        }
        let separated = words(list.node(), source).any(|w| matches!(w.as_str(), "FROM" | "FOR" | "PLACING"));
        if separated && let Some(call) = special(list.node(), &lower, values.clone(), source) {
            return Some(call);
        }
        // The parser has names of its own for these.
        let own = function(Form::Name, &lower).map(str::to_owned).unwrap_or(name.value);
        let mut call = Call::new(own, arguments(values.into_iter()), name.range);
        if let Some(query) = list.query() {
            call.arguments.push(Argument::Query(query));
        }
        // `count(*)` counts rows: it has no argument.
        let is_star = matches!(call.arguments[..], [Argument::Expression(Expression::Star(_))]);
        if self.is_distinct(source) {
            call.function += "Distinct";
        } else if lower == "count" && is_star {
            call.arguments.clear();
        }
        if let Some(condition) = self.filter_clause().and_then(|filter| filter.condition()) {
            call.function += "If";
            call.arguments.push(condition.into());
        }
        call.parameters = self.parameters().into_iter().flat_map(|list| list.expressions()).collect();
        Some(call)
    }

    /// `DATE_ADD(DAY, 1, d)`, `DATE_DIFF(DAY, a, b)`.
    fn with_unit(self, lower: &str, values: &[Expression<'t>], source: &str) -> Option<Call<'t>> {
        let function = function(Form::Unit, lower)?;
        // `DATE_ADD(d, INTERVAL 1 DAY)` is the same.
        if let ([date, interval @ Expression::Interval(_)], true) = (values, function != "dateDiff") {
            let at = self.name().map(AstNode::range)?;
            return Some(Call::new(function, vec![(*date).into(), (*interval).into()], at));
        }
        let [unit, first, second] = values else { return None };
        let unit = singular(&unit.identifier()?.name(source));
        let interval = super::operators::function(Form::Interval, &unit)?;
        let at = self.name().map(AstNode::range)?;
        let arguments = if function == "dateDiff" {
            let unit = Argument::Value(Literal::String(unit.to_ascii_lowercase()));
            vec![unit, (*first).into(), (*second).into()]
        } else {
            let interval = Call::new(interval, vec![(*first).into()], first.range());
            vec![(*second).into(), Argument::Call(interval.into())]
        };
        Some(Call::new(function, arguments, at))
    }
}

/// `EXTRACT(DAY FROM x)`, `TRIM(BOTH 'a' FROM x)`, `SUBSTRING(x FROM 1 FOR 2)`.
fn special<'t>(node: Node<'t>, name: &str, values: Vec<Expression<'t>>, source: &str) -> Option<Call<'t>> {
    let at = place(node);
    match name {
        "extract" => {
            let unit = node.named_children().next()?;
            let value = values.into_iter().next_back()?;
            let function = function(Form::Extract, &singular(text(unit, source)))?;
            Some(Call::new(function, vec![value.into()], at))
        }
        "trim" => {
            let side = words(node, source).find(|w| matches!(w.as_str(), "BOTH" | "LEADING" | "TRAILING"));
            // Characters stand before the text, and behind it in the call.
            let arguments = values.into_iter().rev().map(Argument::Expression).collect();
            Some(Call::new(function(Form::Trim, &side?)?, arguments, at))
        }
        other => Some(Call::new(function(Form::Words, other)?, arguments(values.into_iter()), at)),
    }
}
