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
    /// `a[b]`; a slice keeps the parts that are there.
    Subscript(Box<Expr>, Vec<Expr>),
    /// `[…]`, `(…, …)`.
    Sequence(Vec<Expr>),
    /// `{k: v}`.
    Dict(Vec<(Expr, Expr)>),
    /// `not x`.
    Not(Box<Expr>),
    /// `-x`, `+x`.
    Sign(Box<Expr>),
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
    /// `[x for y in z if c]` and its set, dict and generator forms.
    Comprehension {
        /// Every expression inside, in order.
        parts: Vec<Expr>,
        /// The names it binds, which mean nothing outside.
        names: Vec<Spanned<String>>,
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

    /// Direct sub-expressions, in order of position where that is cheap to keep.
    pub fn children(&self) -> Vec<&Expr> {
        match &self.kind {
            ExprKind::Name(_)
            | ExprKind::Str(_)
            | ExprKind::Number(_)
            | ExprKind::Constant(_)
            | ExprKind::Error => Vec::new(),
            ExprKind::Call { callee, args, keywords } => {
                std::iter::once(&**callee).chain(args).chain(keywords.iter().map(|(_, e)| e)).collect()
            }
            ExprKind::Attribute(e, _) | ExprKind::Not(e) | ExprKind::Sign(e) => vec![e],
            ExprKind::Subscript(e, parts) => std::iter::once(&**e).chain(parts).collect(),
            ExprKind::Comprehension { parts, .. } => parts.iter().collect(),
            ExprKind::Lambda { body, .. } => vec![body],
            ExprKind::Sequence(items) | ExprKind::Bool { operands: items, .. } => items.iter().collect(),
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
mod tests {
    use super::*;
    use crate::range;

    fn errors(text: &str) -> usize {
        parse(text, range(0, text.len())).1.len()
    }

    #[test]
    fn the_python_of_templates_parses() {
        for text in [
            "String(a, 'x', description='d', required=False)",
            "a if defined(b) else 'c'",
            "x.split(',')[0]",
            "not defined(a) and b in ['x', 'y'] or c is not None",
            "{'error': 'bad', 'n': 1 + 2 * -3}",
            "l, x",
            "a not in b",
            "'one' 'two'",
            "x[-1:2]",
            "()",
            "sql_and(a=String(b), c__gt=Int32(d, 3))",
            "[x.strip() for x in a.split(',') if x != '']",
            "','.join(x for x in y)",
            "{k: v for k, v in d.items()}",
            "{'a', 'b'}",
            "sorted(a, key=lambda p: p[1])",
            "f(*a, **b)",
            "f'{a}' r'\\d'",
        ] {
            assert_eq!(errors(text), 0, "{text}");
        }
        for text in ["a b", "f(", "a.", "", "1 +", "a if b", "!x", "f(a b)"] {
            assert!(errors(text) > 0, "{text}");
        }
    }

    #[test]
    fn an_expression_reaches_to_the_operand_it_misses() {
        fn check(text: &str, expr: &Expr) {
            for child in expr.children() {
                assert!(expr.range.contains_range(child.range), "{text}: {child:?} in {expr:?}");
                check(text, child);
            }
        }
        for text in
            ["> ", "1 + ", "1 +  * 2", "a if  > b else ", "f(a,  *)", "not  ", "[ , ]", "{ : }", "-  "]
        {
            let (expr, errors) = parse(text, range(0, text.len()));
            assert!(!errors.is_empty(), "{text}");
            assert!(usize::from(expr.range.end()) <= text.trim_end().len(), "{text}: {expr:?}");
            check(text, &expr);
        }
    }

    #[test]
    fn deep_nesting_is_an_error_not_an_overflow() {
        let deep = format!("{}1{}", "(".repeat(10_000), ")".repeat(10_000));
        assert!(errors(&deep) > 0);
        assert!(errors(&"not ".repeat(10_000)) > 0);
        assert!(errors(&"-".repeat(10_000)) > 0);
        assert!(errors(&"[x for x in ".repeat(10_000)) > 0);
        assert!(errors(&format!("a{}", ".a".repeat(100_000))) > 0);
        assert!(errors(&format!("a{}", " + a".repeat(100_000))) > 0);
    }
}
