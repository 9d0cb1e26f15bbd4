//! Expressions inside tags: the part of Python that templates use, with spans.
//!
//! The parser reads the wider subset of control tags everywhere; which operators an output tag may use is a
//! question for diagnostics, not for parsing.

use text_size::TextRange;

use crate::{Spanned, range};

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

impl Expr {
    /// The called function's name and arguments, when this is a call of a plain name.
    pub fn as_call(&self) -> Option<(&str, &[Expr], &[(Spanned<String>, Expr)])> {
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
            ExprKind::Name(_) | ExprKind::Str(_) | ExprKind::Number(_) | ExprKind::Constant(_) | ExprKind::Error => {
                Vec::new()
            }
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

/// Deeper nesting than any person writes; beyond it the expression is an error rather than a stack overflow.
const MAX_DEPTH: usize = 100;

/// More operators, calls and subscripts than one expression ever has. Each can nest the tree by one, and trees are
/// walked and dropped by recursion.
const MAX_LINKS: usize = 1000;

/// Parses `text[at]` as one expression (a bare comma list is a tuple). Linear in its length.
pub fn parse(text: &str, at: TextRange) -> (Expr, Vec<ExprError>) {
    let tokens = tokenize(text, at);
    let mut parser = Parser { text, tokens, pos: 0, end: at.end().into(), errors: Vec::new(), depth: 0, links: 0 };
    let start = parser.here();
    let first = parser.conditional();
    let expr = if parser.is(",") {
        let mut items = vec![first];
        while parser.eat(",") && parser.pos < parser.tokens.len() {
            items.push(parser.conditional());
        }
        Expr { range: range(start, parser.behind()), kind: ExprKind::Sequence(items) }
    } else {
        first
    };
    if let Some(token) = parser.tokens.get(parser.pos) {
        parser.errors.push(ExprError { range: TextRange::new(token.range.start(), at.end()) });
    }
    (expr, parser.errors)
}

/// Where the word or operator `word` stands in `text[at]` outside brackets and strings. Linear.
pub(super) fn find_word(text: &str, at: TextRange, word: &str) -> Option<TextRange> {
    let mut depth = 0usize;
    for token in tokenize(text, at) {
        match &text[token.range] {
            "(" | "[" | "{" => depth += 1,
            ")" | "]" | "}" => depth = depth.saturating_sub(1),
            found if depth == 0 && found == word && token.kind != Kind::Str => return Some(token.range),
            _ => {}
        }
    }
    None
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Name,
    Number,
    Str,
    Op,
    Bad,
}

#[derive(Debug, Clone, Copy)]
struct Token {
    kind: Kind,
    range: TextRange,
}

const OPERATORS: &[&str] = &[
    "**", "//", "==", "!=", "<=", ">=", "<<", ">>", "(", ")", "[", "]", "{", "}", ",", ":", ".", "+", "-", "*", "/",
    "%", "<", ">", "=", "|", "&", "^", "~", "@",
];

fn tokenize(text: &str, at: TextRange) -> Vec<Token> {
    let (start, end) = (usize::from(at.start()), usize::from(at.end()));
    let mut tokens = Vec::new();
    let mut pos = start;
    while let Some(c) = text[pos..end].chars().next() {
        let rest = &text[pos..end];
        let (kind, len) = if c.is_whitespace() {
            pos += c.len_utf8();
            continue;
        } else if c == '\'' || c == '"' {
            (Kind::Str, string_len(rest))
        } else if let Some(prefix) = string_prefix(rest) {
            (Kind::Str, prefix + string_len(&rest[prefix..]))
        } else if c.is_ascii_digit() {
            (Kind::Number, rest.find(|c: char| !(c.is_alphanumeric() || c == '.' || c == '_')).unwrap_or(rest.len()))
        } else if c.is_alphabetic() || c == '_' {
            (Kind::Name, rest.find(|c: char| !(c.is_alphanumeric() || c == '_')).unwrap_or(rest.len()))
        } else if let Some(op) = OPERATORS.iter().find(|op| rest.starts_with(**op)) {
            (Kind::Op, op.len())
        } else {
            (Kind::Bad, c.len_utf8())
        };
        tokens.push(Token { kind, range: range(pos, pos + len) });
        pos += len;
    }
    tokens
}

/// Length of the letters of `r'…'`, `f"…"` and the like.
fn string_prefix(rest: &str) -> Option<usize> {
    let len = rest.find(['\'', '"']).filter(|n| (1..=2).contains(n))?;
    rest[..len].chars().all(|c| matches!(c.to_ascii_lowercase(), 'r' | 'b' | 'u' | 'f')).then_some(len)
}

fn string_len(rest: &str) -> usize {
    let quote = &rest[..1];
    let triple = quote.repeat(3);
    let (close, open_len) = if rest.starts_with(&triple) { (triple.as_str(), 3) } else { (quote, 1) };
    let mut at = open_len;
    while at < rest.len() {
        if rest[at..].starts_with(close) {
            return at + close.len();
        }
        let mut chars = rest[at..].chars();
        let c = chars.next().unwrap_or(' ');
        at += c.len_utf8();
        if c == '\\' {
            at += chars.next().map_or(0, char::len_utf8);
        }
    }
    rest.len()
}

fn unescape(literal: &str) -> String {
    let literal = &literal[literal.find(['\'', '"']).unwrap_or(0)..];
    let quotes = if literal.len() >= 6 && (literal.starts_with("'''") || literal.starts_with("\"\"\"")) { 3 } else { 1 };
    let inner = literal.get(quotes..literal.len().saturating_sub(quotes)).unwrap_or_default();
    let mut out = String::with_capacity(inner.len());
    let mut chars = inner.chars();
    while let Some(c) = chars.next() {
        match (c, c == '\\') {
            (_, true) => match chars.next() {
                Some('n') => out.push('\n'),
                Some('t') => out.push('\t'),
                Some('r') => out.push('\r'),
                Some(c @ ('\\' | '\'' | '"')) => out.push(c),
                Some(c) => out.extend(['\\', c]),
                None => out.push('\\'),
            },
            (c, false) => out.push(c),
        }
    }
    out
}

struct Parser<'a> {
    text: &'a str,
    tokens: Vec<Token>,
    pos: usize,
    end: usize,
    errors: Vec<ExprError>,
    depth: usize,
    links: usize,
}

impl Parser<'_> {
    fn word(&self) -> Option<&str> {
        self.tokens.get(self.pos).filter(|t| t.kind != Kind::Str).map(|t| &self.text[t.range])
    }

    fn is(&self, word: &str) -> bool {
        self.word() == Some(word)
    }

    fn eat(&mut self, word: &str) -> bool {
        let found = self.is(word);
        self.pos += usize::from(found);
        found
    }

    fn expect(&mut self, word: &str) {
        if !self.eat(word) {
            self.error_here();
        }
    }

    fn here(&self) -> usize {
        self.tokens.get(self.pos).map_or(self.end, |t| t.range.start().into())
    }

    fn behind(&self) -> usize {
        self.pos.checked_sub(1).and_then(|n| self.tokens.get(n)).map_or_else(|| self.here(), |t| t.range.end().into())
    }

    fn error_here(&mut self) {
        let token = self.tokens.get(self.pos).map(|t| t.range);
        self.errors.push(ExprError { range: token.unwrap_or_else(|| range(self.end, self.end)) });
    }

    fn make(&self, start: usize, kind: ExprKind) -> Expr {
        Expr { range: range(start, self.behind().max(start)), kind }
    }

    /// Counts an operator; false, with the rest of the tag given up, when there are too many.
    fn link(&mut self) -> bool {
        self.links += 1;
        if self.links == MAX_LINKS {
            self.error_here();
            self.pos = self.tokens.len();
        }
        self.links < MAX_LINKS
    }

    fn conditional(&mut self) -> Expr {
        let start = self.here();
        if self.depth >= MAX_DEPTH {
            self.error_here();
            self.pos = self.tokens.len();
            return self.make(start, ExprKind::Error);
        }
        self.depth += 1;
        let mut expr = if self.is("lambda") { self.lambda() } else { self.boolean(false) };
        if self.eat("if") {
            let condition = Box::new(self.boolean(false));
            self.expect("else");
            let otherwise = Box::new(self.conditional());
            expr = self.make(start, ExprKind::Conditional { then: Box::new(expr), condition, otherwise });
        }
        self.depth -= 1;
        expr
    }

    fn lambda(&mut self) -> Expr {
        let start = self.here();
        self.pos += 1;
        let names = self.bound_names(":");
        self.expect(":");
        let body = Box::new(self.conditional());
        self.make(start, ExprKind::Lambda { body, names })
    }

    /// Names up to the word `stop`, which is not consumed.
    fn bound_names(&mut self, stop: &str) -> Vec<Spanned<String>> {
        let mut names = Vec::new();
        while self.pos < self.tokens.len() && !self.is(stop) {
            let token = self.tokens[self.pos];
            if token.kind == Kind::Name {
                names.push(Spanned::new(self.text[token.range].to_owned(), token.range));
            }
            self.pos += 1;
        }
        names
    }

    /// The rest of a comprehension whose element was just read, when `for` follows it.
    fn comprehension(&mut self, start: usize, elements: Vec<Expr>) -> Result<Expr, Vec<Expr>> {
        if !self.is("for") {
            return Err(elements);
        }
        let (mut parts, mut names) = (elements, Vec::new());
        loop {
            if self.eat("for") {
                names.extend(self.bound_names("in"));
                self.expect("in");
                parts.push(self.boolean(false));
            } else if self.eat("if") {
                parts.push(self.boolean(false));
            } else {
                return Ok(self.make(start, ExprKind::Comprehension { parts, names }));
            }
        }
    }

    fn boolean(&mut self, and: bool) -> Expr {
        let start = self.here();
        let word = if and { "and" } else { "or" };
        let operand = |p: &mut Self| if and { p.not() } else { p.boolean(true) };
        let first = operand(self);
        if !self.is(word) {
            return first;
        }
        let mut operands = vec![first];
        while self.eat(word) {
            operands.push(operand(self));
        }
        self.make(start, ExprKind::Bool { and, operands })
    }

    fn not(&mut self) -> Expr {
        let start = self.here();
        let mut count = 0usize;
        while self.eat("not") {
            count += 1;
        }
        let mut expr = self.comparison();
        for _ in 0..count.min(MAX_DEPTH) {
            expr = self.make(start, ExprKind::Not(Box::new(expr)));
        }
        expr
    }

    fn comparison(&mut self) -> Expr {
        let start = self.here();
        let first = self.arithmetic(0);
        let mut rest = Vec::new();
        loop {
            let op = match self.word() {
                Some(op @ ("==" | "!=" | "<" | ">" | "<=" | ">=" | "in")) => op.to_owned(),
                Some("is") => {
                    self.pos += 1;
                    let not = self.is("not");
                    self.pos -= usize::from(!not);
                    if not { "is not".to_owned() } else { "is".to_owned() }
                }
                Some("not") if self.tokens.get(self.pos + 1).is_some_and(|t| &self.text[t.range] == "in") => {
                    self.pos += 1;
                    "not in".to_owned()
                }
                _ => break,
            };
            self.pos += 1;
            rest.push((op, self.arithmetic(0)));
        }
        if rest.is_empty() { first } else { self.make(start, ExprKind::Compare(Box::new(first), rest)) }
    }

    fn arithmetic(&mut self, level: usize) -> Expr {
        const LEVELS: [&[&str]; 3] = [&["|", "&", "^", "<<", ">>"], &["+", "-"], &["*", "/", "//", "%", "@"]];
        let start = self.here();
        let operand = |p: &mut Self| if level + 1 < LEVELS.len() { p.arithmetic(level + 1) } else { p.unary() };
        let mut left = operand(self);
        while let Some(op) = self.word().filter(|w| LEVELS[level].contains(w)).map(str::to_owned) {
            self.pos += 1;
            if !self.link() {
                break;
            }
            let right = operand(self);
            left = self.make(start, ExprKind::Binary(Box::new(left), op, Box::new(right)));
        }
        left
    }

    fn unary(&mut self) -> Expr {
        let start = self.here();
        let mut signs = 0usize;
        while self.eat("-") || self.eat("+") || self.eat("~") {
            signs += 1;
        }
        let mut expr = self.postfix();
        if self.eat("**") {
            let right = self.postfix();
            expr = self.make(start, ExprKind::Binary(Box::new(expr), "**".to_owned(), Box::new(right)));
        }
        if signs > 0 {
            expr = self.make(start, ExprKind::Sign(Box::new(expr)));
        }
        expr
    }

    fn postfix(&mut self) -> Expr {
        let start = self.here();
        let mut expr = self.atom();
        loop {
            if (self.is("(") || self.is("[") || self.is(".")) && !self.link() {
                return expr;
            }
            if self.eat("(") {
                let (args, keywords) = self.arguments();
                expr = self.make(start, ExprKind::Call { callee: Box::new(expr), args, keywords });
            } else if self.eat("[") {
                let mut parts = Vec::new();
                while !self.is("]") && self.pos < self.tokens.len() {
                    if !self.eat(":") && !self.eat(",") {
                        let before = self.pos;
                        parts.push(self.conditional());
                        if self.pos == before {
                            break;
                        }
                    }
                }
                self.expect("]");
                expr = self.make(start, ExprKind::Subscript(Box::new(expr), parts));
            } else if self.eat(".") {
                match self.tokens.get(self.pos).filter(|t| t.kind == Kind::Name).copied() {
                    Some(token) => {
                        self.pos += 1;
                        let name = Spanned::new(self.text[token.range].to_owned(), token.range);
                        expr = self.make(start, ExprKind::Attribute(Box::new(expr), name));
                    }
                    None => {
                        self.error_here();
                        return expr;
                    }
                }
            } else {
                return expr;
            }
        }
    }

    fn arguments(&mut self) -> (Vec<Expr>, Vec<(Spanned<String>, Expr)>) {
        let (mut args, mut keywords) = (Vec::new(), Vec::new());
        while !self.is(")") && self.pos < self.tokens.len() {
            let before = self.pos;
            let token = self.tokens[self.pos];
            let is_keyword = token.kind == Kind::Name
                && self.tokens.get(self.pos + 1).is_some_and(|t| &self.text[t.range] == "=");
            if is_keyword {
                self.pos += 2;
                let name = Spanned::new(self.text[token.range].to_owned(), token.range);
                keywords.push((name, self.conditional()));
            } else {
                // `*list` and `**dict` spread a value over arguments.
                let _ = self.eat("*") || self.eat("**");
                let start = self.here();
                let arg = self.conditional();
                args.push(self.comprehension(start, vec![arg]).unwrap_or_else(|mut e| e.remove(0)));
            }
            if !self.eat(",") && (!self.is(")") || self.pos == before) {
                break;
            }
        }
        self.expect(")");
        (args, keywords)
    }

    fn sequence(&mut self, close: &str) -> Vec<Expr> {
        let mut items = Vec::new();
        while !self.is(close) && self.pos < self.tokens.len() {
            let _ = self.eat("*");
            let start = self.here();
            let item = self.conditional();
            items.push(self.comprehension(start, vec![item]).unwrap_or_else(|mut e| e.remove(0)));
            if !self.eat(",") {
                break;
            }
        }
        self.expect(close);
        items
    }

    /// A dict, set or comprehension behind its `{`.
    fn braces(&mut self) -> ExprKind {
        let (mut pairs, mut items) = (Vec::new(), Vec::new());
        while !self.is("}") && self.pos < self.tokens.len() {
            let _ = self.eat("*") || self.eat("**");
            let start = self.here();
            let mut parts = vec![self.conditional()];
            if self.eat(":") {
                parts.push(self.conditional());
            }
            match self.comprehension(start, parts) {
                Ok(comprehension) => items.push(comprehension),
                Err(parts) => match <[Expr; 2]>::try_from(parts) {
                    Ok([key, value]) => pairs.push((key, value)),
                    Err(parts) => items.extend(parts),
                },
            }
            if !self.eat(",") {
                break;
            }
        }
        self.expect("}");
        if items.is_empty() { ExprKind::Dict(pairs) } else { ExprKind::Sequence(items) }
    }

    fn atom(&mut self) -> Expr {
        let start = self.here();
        let Some(token) = self.tokens.get(self.pos).copied() else {
            self.error_here();
            return Expr { range: range(start, start), kind: ExprKind::Error };
        };
        let word = &self.text[token.range];
        self.pos += 1;
        let kind = match token.kind {
            Kind::Str => {
                let mut value = unescape(word);
                while let Some(next) = self.tokens.get(self.pos).filter(|t| t.kind == Kind::Str) {
                    value.push_str(&unescape(&self.text[next.range]));
                    self.pos += 1;
                }
                ExprKind::Str(value)
            }
            Kind::Number => ExprKind::Number(word.to_owned()),
            Kind::Name => match word {
                "None" => ExprKind::Constant("None"),
                "True" => ExprKind::Constant("True"),
                "False" => ExprKind::Constant("False"),
                _ => ExprKind::Name(word.to_owned()),
            },
            Kind::Op if word == "(" => {
                if self.eat(")") {
                    return self.make(start, ExprKind::Sequence(Vec::new()));
                }
                let inner = self.here();
                let first = self.conditional();
                let first = self.comprehension(inner, vec![first]).unwrap_or_else(|mut e| e.remove(0));
                if self.eat(",") {
                    let mut items = vec![first];
                    items.extend(self.sequence(")"));
                    ExprKind::Sequence(items)
                } else {
                    self.expect(")");
                    return Expr { range: range(start, self.behind()), kind: first.kind };
                }
            }
            Kind::Op if word == "[" => ExprKind::Sequence(self.sequence("]")),
            Kind::Op if word == "{" => {
                self.braces()
            }
            Kind::Op | Kind::Bad => {
                self.pos -= 1;
                self.errors.push(ExprError { range: token.range });
                return Expr { range: range(start, start), kind: ExprKind::Error };
            }
        };
        self.make(start, kind)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
    fn deep_nesting_is_an_error_not_an_overflow() {
        let deep = format!("{}1{}", "(".repeat(10_000), ")".repeat(10_000));
        assert!(errors(&deep) > 0);
        assert!(errors(&"not ".repeat(10_000)) > 0);
        assert!(errors(&"-".repeat(10_000)) > 0);
        assert!(errors(&format!("a{}", ".a".repeat(100_000))) > 0);
        assert!(errors(&format!("a{}", " + a".repeat(100_000))) > 0);
    }
}
