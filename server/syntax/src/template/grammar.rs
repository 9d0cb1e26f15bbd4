//! The grammar of expressions, top down.

use text_size::TextRange;

use super::expr::{Brackets, Clause, Expr, ExprError, ExprKind};
use super::tokens::{Kind, Token, tokenize, unescape};
use crate::{Spanned, range};

/// Deeper nesting than any person writes; beyond it the expression is an error rather than a stack overflow.
const MAX_DEPTH: usize = 100;

/// More operators, calls and subscripts than one expression ever has. Each can nest the tree by one, and trees are
/// walked and dropped by recursion.
const MAX_LINKS: usize = 1000;

/// Parses `text[at]` as one expression (a bare comma list is a tuple). Linear in its length.
pub fn parse(text: &str, at: TextRange) -> (Expr, Vec<ExprError>) {
    let tokens = tokenize(text, at);
    let mut parser = Parser {
        text,
        tokens,
        pos: 0,
        end: at.end().into(),
        errors: Vec::new(),
        depth: 0,
        links: 0,
        missing: 0,
    };
    let start = parser.here();
    let first = parser.conditional();
    let expr = if parser.is(",") {
        let mut items = vec![first];
        while parser.eat(",") && parser.pos < parser.tokens.len() {
            items.push(parser.conditional());
        }
        Expr { range: range(start, parser.behind()), kind: ExprKind::Sequence(Brackets::Tuple, items) }
    } else {
        first
    };
    if let Some(token) = parser.tokens.get(parser.pos) {
        parser.errors.push(ExprError { range: TextRange::new(token.range.start(), at.end()) });
    }
    (expr, parser.errors)
}

struct Parser<'a> {
    text: &'a str,
    tokens: Vec<Token>,
    pos: usize,
    end: usize,
    errors: Vec<ExprError>,
    depth: usize,
    links: usize,
    /// Where the last missing operand would stand. What it belongs to reaches that far, and not only to the last token.
    missing: usize,
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

    /// Start of the next token; behind the last one its end, not that of the tag: blanks belong to no expression.
    fn here(&self) -> usize {
        match (self.tokens.get(self.pos), self.tokens.last()) {
            (Some(token), _) => token.range.start().into(),
            (None, Some(last)) => last.range.end().into(),
            (None, None) => self.end,
        }
    }

    /// End of what was read so far.
    fn behind(&self) -> usize {
        let last = self.pos.checked_sub(1).and_then(|n| self.tokens.get(n));
        last.map_or_else(|| self.here(), |t| t.range.end().into()).max(self.missing)
    }

    /// An operand that is not there.
    fn missing(&mut self) -> Expr {
        self.missing = self.here();
        Expr { range: range(self.missing, self.missing), kind: ExprKind::Error }
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

    /// Runs `inner` one level deeper, or gives the rest of the tag up.
    fn deeper(&mut self, inner: impl FnOnce(&mut Self) -> Expr) -> Expr {
        if self.depth >= MAX_DEPTH {
            let start = self.here();
            self.error_here();
            self.pos = self.tokens.len();
            return self.make(start, ExprKind::Error);
        }
        self.depth += 1;
        let expr = inner(self);
        self.depth -= 1;
        expr
    }

    fn conditional(&mut self) -> Expr {
        self.deeper(Self::conditional_here)
    }

    fn conditional_here(&mut self) -> Expr {
        let start = self.here();
        let mut expr = if self.is("lambda") { self.lambda() } else { self.boolean(false) };
        if self.eat("if") {
            let condition = Box::new(self.boolean(false));
            self.expect("else");
            let otherwise = Box::new(self.conditional());
            expr = self.make(start, ExprKind::Conditional { then: Box::new(expr), condition, otherwise });
        }
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
        let mut clauses = Vec::new();
        loop {
            if self.eat("for") {
                let names = self.bound_names("in");
                self.expect("in");
                clauses.push(Clause::For(names, self.deeper(|p| p.boolean(false))));
            } else if self.eat("if") {
                clauses.push(Clause::If(self.deeper(|p| p.boolean(false))));
            } else {
                return Ok(self.make(start, ExprKind::Comprehension { elements, clauses }));
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
        while self.eat("not") && self.link() {
            count += 1;
        }
        let mut expr = self.comparison();
        for _ in 0..count {
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
        const LEVELS: [&[&str]; 6] =
            [&["|"], &["^"], &["&"], &["<<", ">>"], &["+", "-"], &["*", "/", "//", "%", "@"]];
        let start = self.here();
        let operand =
            |p: &mut Self| if level + 1 < LEVELS.len() { p.arithmetic(level + 1) } else { p.unary() };
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
        let mut signs = Vec::new();
        while let Some(sign) = ["-", "+", "~"].into_iter().find(|sign| self.is(sign)) {
            signs.push((self.here(), sign));
            self.pos += 1;
            if !self.link() {
                break;
            }
        }
        let start = self.here();
        let mut expr = self.postfix();
        // A power binds tighter than the sign before it, and less than the one behind.
        if self.eat("**") {
            let right = self.deeper(Self::unary);
            expr = self.make(start, ExprKind::Binary(Box::new(expr), "**".to_owned(), Box::new(right)));
        }
        for (start, sign) in signs.into_iter().rev() {
            expr = self.make(start, ExprKind::Sign(sign, Box::new(expr)));
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
                let index = self.index();
                self.expect("]");
                expr = self.make(start, ExprKind::Subscript(Box::new(expr), Box::new(index)));
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

    /// What stands between the brackets of a subscript.
    fn index(&mut self) -> Expr {
        let start = self.here();
        let first = self.index_part();
        if !self.is(",") {
            return first;
        }
        let mut items = vec![first];
        while self.eat(",") && !self.is("]") && self.pos < self.tokens.len() {
            items.push(self.index_part());
        }
        self.make(start, ExprKind::Sequence(Brackets::Tuple, items))
    }

    /// An expression, or a slice.
    fn index_part(&mut self) -> Expr {
        let start = self.here();
        let mut parts = [None, None, None];
        let mut colons = 0;
        loop {
            if self.is(":") && colons < 2 {
                self.pos += 1;
                colons += 1;
            } else if parts[colons].is_none()
                && !self.is("]")
                && !self.is(",")
                && self.pos < self.tokens.len()
            {
                parts[colons] = Some(Box::new(self.conditional()));
            } else {
                break;
            }
        }
        match parts {
            [Some(only), None, None] if colons == 0 => *only,
            [None, None, None] if colons == 0 => {
                self.error_here();
                self.make(start, ExprKind::Error)
            }
            parts => self.make(start, ExprKind::Slice(parts)),
        }
    }

    /// An item that may be spread: `*list`, `**dict`.
    fn item(&mut self) -> Expr {
        let start = self.here();
        let Some(stars) = ["*", "**"].into_iter().find(|stars| self.is(stars)) else {
            return self.conditional();
        };
        self.pos += 1;
        let inner = self.conditional();
        self.make(start, ExprKind::Spread(stars, Box::new(inner)))
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
                let start = self.here();
                let arg = self.item();
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
            let start = self.here();
            let item = self.item();
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
            let start = self.here();
            let mut parts = vec![self.item()];
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
        if items.is_empty() { ExprKind::Dict(pairs) } else { ExprKind::Sequence(Brackets::Set, items) }
    }

    fn atom(&mut self) -> Expr {
        let start = self.here();
        let Some(token) = self.tokens.get(self.pos).copied() else {
            self.error_here();
            return self.missing();
        };
        let word = &self.text[token.range];
        self.pos += 1;
        let kind = match token.kind {
            Kind::Str => {
                let mut value = unescape(word);
                while let Some(next) = self.tokens.get(self.pos).filter(|t| t.kind == Kind::Str) {
                    let next = unescape(&self.text[next.range]);
                    value = value.zip(next).map(|(value, next)| value + &next);
                    self.pos += 1;
                }
                value.map_or(ExprKind::OddStr, ExprKind::Str)
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
                    return self.make(start, ExprKind::Sequence(Brackets::Tuple, Vec::new()));
                }
                let inner = self.here();
                let first = self.conditional();
                let first = self.comprehension(inner, vec![first]).unwrap_or_else(|mut e| e.remove(0));
                if self.eat(",") {
                    let mut items = vec![first];
                    items.extend(self.sequence(")"));
                    ExprKind::Sequence(Brackets::Tuple, items)
                } else {
                    self.expect(")");
                    return Expr { range: range(start, self.behind()), kind: first.kind };
                }
            }
            Kind::Op if word == "[" => ExprKind::Sequence(Brackets::List, self.sequence("]")),
            Kind::Op if word == "{" => self.braces(),
            Kind::Op | Kind::Bad => {
                self.pos -= 1;
                self.errors.push(ExprError { range: token.range });
                return self.missing();
            }
        };
        self.make(start, kind)
    }
}
