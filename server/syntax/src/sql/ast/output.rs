//! How the engine calls the columns of a result.

use std::fmt::Write as _;

use super::call::Argument;
use super::support::AstNode;
use super::{Call, ColumnRef, Expression, Literal, SelectItem, TupleIndex, WindowFunction};

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
    /// The same where `called` knows how the engine calls columns with dots, which depends on the tables. `None` where a
    /// star, a template or the engine decides.
    pub fn output_name_with(
        self,
        source: &str,
        called: &dyn Fn(ColumnRef<'_>) -> Option<String>,
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
    /// How columns are called where the text does not say it.
    called: &'s dyn Fn(ColumnRef<'_>) -> Option<String>,
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
    match value {
        Expression::AliasedExpression(aliased) => out.push_str(&aliased.plain_name(source)?.value),
        Expression::ColumnRef(column) => match (naming.called)(column) {
            Some(called) => out.push_str(&called),
            None => out.push_str(&column.single(source)?),
        },
        // The engine writes types its own way.
        Expression::Cast(cast) if cast.ty().is_some_and(|ty| ty.text(source).contains([',', ' ', '\n'])) => {
            return None;
        }
        Expression::TupleAccess(access) if access.index().is_none() => return None,
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
        Expression::Exists(_) | Expression::Subquery(_) => return None,
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
    // The engine casts literals of numbers as strings.
    let arguments = call.arguments.iter().enumerate().map(|(n, argument)| match argument {
        Argument::Expression(e) if n == 0 && call.function == "CAST" => match e.literal(source) {
            Some(Literal::Integer(i)) => Argument::Value(Literal::String(i.to_string())),
            _ => argument.clone(),
        },
        _ => argument.clone(),
    });
    list(arguments, naming, depth, out)?;
    out.push_str(close);
    Some(())
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
            Argument::Query(_) => return None,
        }
    }
    Some(())
}

/// `f(x) OVER w` only: what stands in brackets behind `OVER` is written anew by the engine.
fn over(window: WindowFunction<'_>, naming: &Naming<'_>, depth: usize, out: &mut String) -> Option<()> {
    let name = window.over()?.name()?.name(naming.source);
    call(&window.function()?.call(naming.source)?, naming, depth, out)?;
    let _ = write!(out, " OVER {name}");
    Some(())
}

fn literal(value: &Literal, out: &mut String) -> Option<()> {
    match value {
        Literal::Null => out.push_str("NULL"),
        Literal::Boolean(b) => out.push_str(if *b { "true" } else { "false" }),
        Literal::Integer(n) => {
            let _ = write!(out, "{n}");
        }
        // The engine writes `1.` for a whole one, and has rules of its own for large ones.
        Literal::Float(x) if x.is_finite() && x.fract() != 0.0 && x.abs() > 1e-4 && x.abs() < 1e15 => {
            let _ = write!(out, "{x}");
        }
        Literal::Float(_) | Literal::Bytes(_) => return None,
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
