//! Expressions inside tags: the part of Python that templates use, with spans.
//!
//! The parser reads the wider subset of control tags everywhere; which operators an output tag may use is a
//! question for diagnostics, not for parsing.

use text_size::TextRange;

pub use super::grammar::parse;

use crate::Spanned;

/// An expression and its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expr {
    /// Bytes of the expression.
    pub range: TextRange,
    /// What it is.
    pub kind: ExprKind,
}

/// The shapes of an expression.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ExprKind {
    /// A variable or parameter.
    Name(String),
    /// A string literal, unescaped; adjacent literals are one.
    Str(String),
    /// A string whose value this parser does not know: an f-string, or bytes.
    OddStr,
    /// A number as written.
    Number(String),
    /// `None`, `True`, `False`.
    Constant(&'static str),
    /// A call, with positional and keyword arguments.
    Call {
        /// What is called.
        callee: Box<Expr>,
        /// Positional arguments.
        args: Vec<Expr>,
        /// Keyword arguments.
        keywords: Vec<(Spanned<String>, Expr)>,
    },
    /// `a.b`.
    Attribute(Box<Expr>, Spanned<String>),
    /// `a[b]`.
    Subscript(Box<Expr>, Box<Expr>),
    /// `a:b:c` in a subscript, each part where there is one.
    Slice([Option<Box<Expr>>; 3]),
    /// `[…]`, `(…, …)`, `{…, …}`.
    Sequence(Brackets, Vec<Expr>),
    /// `*list` or `**dict` among arguments or items.
    Spread(&'static str, Box<Expr>),
    /// `{k: v}`.
    Dict(Vec<(Expr, Expr)>),
    /// `not x`.
    Not(Box<Expr>),
    /// `-x`, `+x`, `~x`.
    Sign(&'static str, Box<Expr>),
    /// `and` (true) or `or` (false) of two or more.
    Bool {
        /// True for `and`.
        and: bool,
        /// Operands.
        operands: Vec<Expr>,
    },
    /// A comparison chain, `in`, `is`.
    Compare(Box<Expr>, Vec<(String, Expr)>),
    /// Arithmetic.
    Binary(Box<Expr>, String, Box<Expr>),
    /// `a if c else b`.
    Conditional {
        /// Value when the condition holds.
        then: Box<Expr>,
        /// Condition.
        condition: Box<Expr>,
        /// Value otherwise.
        otherwise: Box<Expr>,
    },
    /// `[x for y in z if c]` and its set, dict and generator forms; a dict has two elements.
    Comprehension {
        /// What is computed each time: one expression, or key and value.
        elements: Vec<Expr>,
        /// The loops and filters in order.
        clauses: Vec<Clause>,
    },
    /// `lambda a, b: …`.
    Lambda {
        /// What it computes.
        body: Box<Expr>,
        /// Its arguments.
        names: Vec<Spanned<String>>,
    },
    /// Text that is no expression.
    Error,
}

/// What stands around a sequence.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Brackets {
    /// `[…]`
    List,
    /// `(…)`, or nothing.
    Tuple,
    /// `{…}`
    Set,
}

/// A part of a comprehension.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Clause {
    /// `for names in subject`.
    For(Vec<Spanned<String>>, Expr),
    /// `if condition`.
    If(Expr),
}

impl Clause {
    /// The expression in it.
    pub fn expr(&self) -> &Expr {
        match self {
            Self::For(_, expr) | Self::If(expr) => expr,
        }
    }
}

/// A called name, its positional and its keyword arguments.
pub type CallParts<'e> = (&'e str, &'e [Expr], &'e [(Spanned<String>, Expr)]);

impl Expr {
    /// The called function's name and arguments, when this is a call of a plain name.
    pub fn as_call(&self) -> Option<CallParts<'_>> {
        match &self.kind {
            ExprKind::Call { callee, args, keywords } => match &callee.kind {
                ExprKind::Name(name) => Some((name, args, keywords)),
                _ => None,
            },
            _ => None,
        }
    }

    /// The parameter that an argument names: by a name, or by a text as in `defined('name')`.
    pub fn as_parameter(&self) -> Option<&str> {
        match &self.kind {
            ExprKind::Name(name) | ExprKind::Str(name) => Some(name),
            _ => None,
        }
    }

    /// A literal as a query string would pass it; `None` for what is no literal.
    pub fn as_passed(&self) -> Option<String> {
        match &self.kind {
            ExprKind::Str(text) | ExprKind::Number(text) => Some(text.clone()),
            ExprKind::Constant(word @ ("True" | "False")) => Some(word.to_ascii_lowercase()),
            ExprKind::Sign("-", inner) => inner.as_passed().map(|number| format!("-{number}")),
            _ => None,
        }
    }

    /// The names that it binds for what is in it, and which mean nothing outside.
    pub fn bound(&self) -> Vec<&Spanned<String>> {
        match &self.kind {
            ExprKind::Lambda { names, .. } => names.iter().collect(),
            ExprKind::Comprehension { clauses, .. } => clauses
                .iter()
                .flat_map(|clause| match clause {
                    Clause::For(names, _) => names.as_slice(),
                    Clause::If(_) => &[],
                })
                .collect(),
            _ => Vec::new(),
        }
    }

    /// Direct sub-expressions, in order of position where that is cheap to keep.
    pub fn children(&self) -> Vec<&Expr> {
        match &self.kind {
            ExprKind::Name(_)
            | ExprKind::Str(_)
            | ExprKind::OddStr
            | ExprKind::Number(_)
            | ExprKind::Constant(_)
            | ExprKind::Error => Vec::new(),
            ExprKind::Call { callee, args, keywords } => {
                std::iter::once(&**callee).chain(args).chain(keywords.iter().map(|(_, e)| e)).collect()
            }
            ExprKind::Attribute(e, _) | ExprKind::Not(e) | ExprKind::Sign(_, e) | ExprKind::Spread(_, e) => {
                vec![e]
            }
            ExprKind::Subscript(e, index) => vec![e, index],
            ExprKind::Slice(parts) => parts.iter().flatten().map(|part| &**part).collect(),
            ExprKind::Comprehension { elements, clauses } => {
                elements.iter().chain(clauses.iter().map(Clause::expr)).collect()
            }
            ExprKind::Lambda { body, .. } => vec![body],
            ExprKind::Sequence(_, items) | ExprKind::Bool { operands: items, .. } => items.iter().collect(),
            ExprKind::Dict(pairs) => pairs.iter().flat_map(|(k, v)| [k, v]).collect(),
            ExprKind::Compare(e, rest) => std::iter::once(&**e).chain(rest.iter().map(|(_, e)| e)).collect(),
            ExprKind::Binary(a, _, b) => vec![a, b],
            ExprKind::Conditional { then, condition, otherwise } => vec![then, condition, otherwise],
        }
    }
}

/// Where parsing stopped making sense.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExprError {
    /// Place in the whole text.
    pub range: TextRange,
}

#[cfg(test)]
mod tests;
