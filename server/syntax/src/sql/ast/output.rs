//! How the engine calls the columns of a result.

use std::fmt::Write as _;

use super::call::Argument;
use super::support::AstNode;
use super::{
    Call, ColumnRef, Expression, FrameBound, Literal, OrderItem, Query, SelectItem, TupleIndex,
    WindowFunction,
};

/// The name of a column in a query's result.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum OutputName {
    /// This one, whatever the tables are: an alias, a column without a dot, or what is computed from such.
    Known(String),
    /// A path. It is called by its last part where the parts before are a table, and in full where they are a column
    /// with parts of its own.
    Path(Vec<String>),
    /// As many columns as `*` or `COLUMNS(…)` stands for.
    Many,
    /// Only the engine, or a template, knows.
    Unknown,
}

/// More levels than a name that anyone reads.
const MAX_DEPTH: usize = 32;

/// Longer names are nobody's.
const MAX_LEN: usize = 4096;

/// What only the query around an expression has a name for.
#[derive(Debug, Clone, Copy)]
pub enum Unnamed<'t> {
    /// A column whose table decides how much of its path is said.
    Column(ColumnRef<'t>),
    /// A query in the place of a value, which the engine counts.
    Query(Query<'t>),
    /// `a.b` and `a.:T` of something that is no plain column, and `a[]`: a path into JSON, or an element of a tuple.
    Path(Expression<'t>),
}

impl SelectItem<'_> {
    /// How the engine calls the column.
    pub fn output_name(self, source: &str) -> OutputName {
        if self.alias().is_some() {
            return self.plain_name(source).map_or(OutputName::Unknown, |name| OutputName::Known(name.value));
        }
        self.value().map_or(OutputName::Unknown, |value| value.output_name(source))
    }
}

impl Expression<'_> {
    /// The same where `called` knows how the engine calls columns with dots, which depends on the tables, and queries in the
    /// place of values. `None` where a star, a template or the engine decides.
    pub fn output_name_with(
        self,
        source: &str,
        called: &dyn Fn(Unnamed<'_>) -> Option<String>,
    ) -> Option<String> {
        let mut out = String::new();
        write(self, &Naming { source, called }, MAX_DEPTH, &mut out)?;
        Some(out)
    }

    /// How the engine calls a column that is computed so and has no alias.
    pub fn output_name(self, source: &str) -> OutputName {
        let mut value = self;
        // The innermost alias counts; parentheses are nothing.
        while let Self::ParenthesizedExpression(parens) = value {
            match parens.expression() {
                Some(inner) => value = inner,
                None => return OutputName::Unknown,
            }
        }
        match value {
            Self::Star(_) => return OutputName::Many,
            Self::ColumnRef(column) => {
                let Some(mut parts) = column.parts(source) else { return OutputName::Unknown };
                return if parts.len() == 1 {
                    OutputName::Known(parts.remove(0).value)
                } else {
                    OutputName::Path(parts.into_iter().map(|part| part.value).collect())
                };
            }
            _ => {}
        }
        let mut out = String::new();
        match write(value, &Naming { source, called: &|_| None }, MAX_DEPTH, &mut out) {
            Some(()) => OutputName::Known(out),
            None => OutputName::Unknown,
        }
    }
}

/// What names are made from.
struct Naming<'s> {
    source: &'s str,
    /// How columns and queries are called where the text does not say it.
    called: &'s dyn Fn(Unnamed<'_>) -> Option<String>,
}

fn write(expression: Expression<'_>, naming: &Naming<'_>, depth: usize, out: &mut String) -> Option<()> {
    let source = naming.source;
    if depth == 0 || out.len() > MAX_LEN {
        return None;
    }
    let mut value = expression;
    while let Expression::ParenthesizedExpression(parens) = value {
        value = parens.expression()?;
    }
    if let Some(found) = value.literal(source) {
        return literal(&found, out);
    }
    let may_be_path = match value {
        Expression::TupleAccess(access) => access.index().is_none(),
        Expression::Subscript(subscript) => subscript.index().is_none(),
        _ => false,
    };
    if may_be_path && let Some(called) = (naming.called)(Unnamed::Path(value)) {
        out.push_str(&called);
        return Some(());
    }
    match value {
        Expression::AliasedExpression(aliased) => out.push_str(&aliased.plain_name(source)?.value),
        Expression::ColumnRef(column) => match (naming.called)(Unnamed::Column(column)) {
            Some(called) => out.push_str(&called),
            None => out.push_str(&column.single(source)?),
        },
        // The engine writes types its own way.
        Expression::Cast(cast) if cast.ty().is_some() => {
            out.push_str("CAST(");
            let value = cast.value()?;
            // Behind `::` a literal of numbers is a text as it is written.
            let is_word = cast.text(source).get(..4).is_some_and(|word| word.eq_ignore_ascii_case("CAST"));
            if !is_word && of_numbers(value, source, depth) {
                literal(&Literal::String(value.text(source).to_owned()), out)?;
            } else {
                write(value, naming, depth - 1, out)?;
            }
            out.push_str(", ");
            literal(&Literal::String(spaced(cast.ty()?.text(source))?), out)?;
            out.push(')');
        }
        Expression::TupleAccess(access) if access.ty().is_some() => return None,
        Expression::Lambda(lambda) => {
            out.push_str("lambda(tuple(");
            let parameters = lambda.parameters()?;
            let names = super::descendants::<super::Identifier<'_>>(parameters.node());
            let names: Vec<_> = names.map(|n| n.name(source)).collect();
            out.push_str(&names.join(", "));
            out.push_str("), ");
            write(lambda.body()?, naming, depth - 1, out)?;
            out.push(')');
        }
        Expression::WindowFunction(window) => over(window, naming, depth, out)?,
        Expression::Subquery(subquery) => out.push_str(&(naming.called)(Unnamed::Query(subquery.inner()?))?),
        // It is replaced by what it gives.
        Expression::Exists(_) => return None,
        _ => call(&value.call(source)?, naming, depth, out)?,
    }
    Some(())
}

fn call(call: &Call<'_>, naming: &Naming<'_>, depth: usize, out: &mut String) -> Option<()> {
    let source = naming.source;
    // Both have brackets of their own.
    let (open, close) = match &*call.function {
        "tuple" => ("(", ")"),
        "array" => ("[", "]"),
        name => {
            out.push_str(name);
            if !call.parameters.is_empty() {
                out.push('(');
                list(call.parameters.iter().map(|p| Argument::Expression(*p)), naming, depth, out)?;
                out.push(')');
            }
            ("(", ")")
        }
    };
    out.push_str(open);
    // In an array of numbers all are of one type.
    let literals: Vec<Literal> = match &*call.function {
        "array" => call.arguments.iter().filter_map(|a| number(a, source)).collect(),
        _ => Vec::new(),
    };
    let is_whole = literals.len() == call.arguments.len();
    if is_whole && literals.iter().any(|l| matches!(l, Literal::Float(_))) {
        let floats = literals.into_iter().map(|l| match l {
            #[allow(clippy::cast_precision_loss, reason = "the engine loses it too")]
            Literal::Integer(i) => Argument::Value(Literal::Float(i as f64)),
            other => Argument::Value(other),
        });
        list(floats, naming, depth, out)?;
    } else {
        list(call.arguments.iter().cloned(), naming, depth, out)?;
    }
    out.push_str(close);
    Some(())
}

fn number(argument: &Argument<'_>, source: &str) -> Option<Literal> {
    let Argument::Expression(e) = argument else { return None };
    e.literal(source).filter(|l| matches!(l, Literal::Integer(_) | Literal::Float(_)))
}

/// Whether it is a literal number, or an array or tuple of such.
fn of_numbers(value: Expression<'_>, source: &str, depth: usize) -> bool {
    if depth == 0 {
        return false;
    }
    match value {
        Expression::ArrayLiteral(array) => array.expressions().all(|e| of_numbers(e, source, depth - 1)),
        Expression::Tuple(tuple) => tuple.expressions().all(|e| of_numbers(e, source, depth - 1)),
        other => matches!(other.literal(source), Some(Literal::Integer(_) | Literal::Float(_))),
    }
}

fn list<'t>(
    arguments: impl Iterator<Item = Argument<'t>>,
    naming: &Naming<'_>,
    depth: usize,
    out: &mut String,
) -> Option<()> {
    for (n, argument) in arguments.enumerate() {
        if n > 0 {
            out.push_str(", ");
        }
        match argument {
            Argument::Expression(e) => write(e, naming, depth - 1, out)?,
            Argument::Call(inner) => {
                if depth == 1 {
                    return None;
                }
                call(&inner, naming, depth - 1, out)?;
            }
            Argument::Value(value) => literal(&value, out)?,
            Argument::Query(query) => out.push_str(&(naming.called)(Unnamed::Query(query))?),
        }
    }
    Some(())
}

/// `f(x) OVER w`, `f(x) OVER (PARTITION BY a ORDER BY b ASC)`.
fn over(window: WindowFunction<'_>, naming: &Naming<'_>, depth: usize, out: &mut String) -> Option<()> {
    call(&window.function()?.call(naming.source)?, naming, depth, out)?;
    out.push_str(" OVER ");
    let over = window.over()?;
    if let Some(name) = over.name() {
        out.push_str(&name.name(naming.source));
        return Some(());
    }
    let specification = over.window_specification()?;
    let mut parts: Vec<String> = Vec::new();
    parts.extend(specification.base().map(|base| base.name(naming.source).into_owned()));
    let written = |expression: Expression<'_>| {
        let mut name = String::new();
        write(expression, naming, depth - 1, &mut name)?;
        Some(name)
    };
    let partitions = specification.partitions().map(written).collect::<Option<Vec<_>>>()?;
    if !partitions.is_empty() {
        parts.push(format!("PARTITION BY {}", partitions.join(", ")));
    }
    let items = specification.order_by_clauses().flat_map(|clause| clause.order_items());
    let order = items.map(|item| ordered(item, naming, depth)).collect::<Option<Vec<_>>>()?;
    if !order.is_empty() {
        parts.push(format!("ORDER BY {}", order.join(", ")));
    }
    if let Some(frame) = specification.window_frame() {
        let unit = super::words(frame.node(), naming.source)
            .find(|word| matches!(word.as_str(), "ROWS" | "RANGE" | "GROUPS"))?;
        let bound = |bound: FrameBound<'_>| {
            let text = bound.text(naming.source);
            let last = text.split_whitespace().next_back()?.to_ascii_uppercase();
            match bound.expression() {
                Some(offset) => Some(format!("{} {last}", written(offset)?)),
                None => {
                    let words: Vec<_> = text.split_whitespace().map(str::to_ascii_uppercase).collect();
                    Some(words.join(" "))
                }
            }
        };
        let mut bounds = frame.frame_bounds();
        let begin = bound(bounds.next()?)?;
        let end = match bounds.next() {
            Some(end) => bound(end)?,
            None => "CURRENT ROW".to_owned(),
        };
        parts.push(format!("{unit} BETWEEN {begin} AND {end}"));
    }
    let _ = write!(out, "({})", parts.join(" "));
    Some(())
}

/// `a DESC NULLS LAST COLLATE en`
fn ordered(item: OrderItem<'_>, naming: &Naming<'_>, depth: usize) -> Option<String> {
    let mut out = String::new();
    write(item.value()?, naming, depth - 1, &mut out)?;
    let words: Vec<String> = super::words(item.node(), naming.source).collect();
    let is_descending = words.iter().any(|word| word.starts_with("DESC"));
    out.push_str(if is_descending { " DESC" } else { " ASC" });
    for place in ["FIRST", "LAST"] {
        if words.iter().any(|word| word == place) {
            let _ = write!(out, " NULLS {place}");
        }
    }
    if let Some(collation) = item.collation() {
        let _ = write!(out, " COLLATE {}", collation.string(naming.source)?);
    }
    Some(out)
}

/// A type as the engine writes it: `Map(String, UInt8)`, whatever blanks there are. `None` where a comment is in it.
fn spaced(ty: &str) -> Option<String> {
    let mut out = String::with_capacity(ty.len());
    let mut chars = ty.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\'' | '`' | '"' => {
                out.push(c);
                while let Some(inner) = chars.next() {
                    out.push(inner);
                    match inner {
                        '\\' => out.extend(chars.next()),
                        end if end == c => break,
                        _ => {}
                    }
                }
            }
            '/' | '#' => return None,
            '-' if chars.peek() == Some(&'-') => return None,
            c if c.is_whitespace() => {
                if !out.ends_with([' ', '(']) && !matches!(chars.peek(), Some('(' | ')' | ',' | '=')) {
                    out.push(' ');
                }
            }
            ',' => out.push_str(", "),
            '=' => out.push_str(" = "),
            c => out.push(c),
        }
    }
    Some(out.trim_end().to_owned())
}

fn literal(value: &Literal, out: &mut String) -> Option<()> {
    match value {
        Literal::Null => out.push_str("NULL"),
        Literal::Boolean(b) => out.push_str(if *b { "true" } else { "false" }),
        Literal::Integer(n) => {
            let _ = write!(out, "{n}");
        }
        Literal::Float(x) if x.is_nan() => out.push_str("nan"),
        Literal::Float(x) if x.is_infinite() => out.push_str(if *x > 0.0 { "inf" } else { "-inf" }),
        // A whole one is `1.`; beyond 21 digits there is an exponent.
        Literal::Float(x) if *x == 0.0 || (1e-6..1e21).contains(&x.abs()) => {
            let _ = write!(out, "{x}{}", if x.fract() == 0.0 { "." } else { "" });
        }
        Literal::Float(x) => {
            let _ = write!(out, "{x:e}");
        }
        Literal::Bytes(_) => return None,
        Literal::String(text) => {
            out.push('\'');
            for c in text.chars() {
                match c {
                    '\'' => out.push_str("\\'"),
                    '\\' => out.push_str("\\\\"),
                    '\n' => out.push_str("\\n"),
                    '\t' => out.push_str("\\t"),
                    '\r' => out.push_str("\\r"),
                    '\0' => out.push_str("\\0"),
                    '\u{8}' => out.push_str("\\b"),
                    '\u{c}' => out.push_str("\\f"),
                    c => out.push(c),
                }
            }
            out.push('\'');
        }
    }
    Some(())
}

impl TupleIndex<'_> {
    /// Which element, from 1; negative from the end.
    pub fn value(self, source: &str) -> Option<i64> {
        self.text(source).trim_start_matches('.').trim().parse().ok()
    }
}
