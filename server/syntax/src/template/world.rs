//! A world: a consistent assignment of truth to the conditions of a template.

use rustc_hash::FxHashMap;

use super::expr::{Expr, ExprKind};

/// What must hold for an arm to be taken.
#[derive(Clone, Copy)]
pub(super) enum Constraint<'t> {
    /// A condition has this truth.
    Holds(&'t Expr, bool),
    /// The `try` that starts at this offset runs this part: 0 is what is tried.
    Part(u32, usize),
}

/// What is decided so far about conditions.
pub(super) struct World<'t> {
    text: &'t str,
    truth: FxHashMap<String, bool>,
    /// `lhs == literal` decided true: lhs to literal.
    equal: FxHashMap<String, String>,
    /// Which part each `try` runs, by its offset.
    pub(super) parts: FxHashMap<u32, usize>,
    /// Keys of `truth`, in order, with their truth.
    pub(super) decided: Vec<(String, bool)>,
    /// Keys of `equal`, in order.
    equated: Vec<String>,
    /// Keys of `parts`, in order.
    chosen: Vec<u32>,
}

impl<'t> World<'t> {
    pub(super) fn new(text: &'t str) -> Self {
        Self {
            text,
            truth: FxHashMap::default(),
            equal: FxHashMap::default(),
            parts: FxHashMap::default(),
            decided: Vec::new(),
            equated: Vec::new(),
            chosen: Vec::new(),
        }
    }

    /// Extends the assignment so that all constraints hold; leaves it unchanged when that is impossible. What was
    /// decided is undone one by one: a copy of the assignment for each attempt would cost more than the attempt.
    pub(super) fn satisfy(&mut self, constraints: &[Constraint<'_>]) -> bool {
        let (decided, equated, chosen) = (self.decided.len(), self.equated.len(), self.chosen.len());
        let satisfied = constraints.iter().all(|constraint| match constraint {
            Constraint::Holds(expr, want) => self.force(expr, *want),
            Constraint::Part(offset, part) => self.choose(*offset, *part),
        });
        if !satisfied {
            for (key, _) in self.decided.drain(decided..) {
                self.truth.remove(&key);
            }
            for left in self.equated.drain(equated..) {
                self.equal.remove(&left);
            }
            for offset in self.chosen.drain(chosen..) {
                self.parts.remove(&offset);
            }
        }
        satisfied
    }

    fn choose(&mut self, offset: u32, part: usize) -> bool {
        match self.parts.get(&offset) {
            Some(chosen) => *chosen == part,
            None => {
                self.parts.insert(offset, part);
                self.chosen.push(offset);
                true
            }
        }
    }

    fn force(&mut self, expr: &Expr, want: bool) -> bool {
        match &expr.kind {
            ExprKind::Not(inner) => self.force(inner, !want),
            ExprKind::Bool { and, operands } if *and == want => operands.iter().all(|e| self.force(e, want)),
            ExprKind::Bool { operands, .. } => {
                operands.iter().any(|e| self.known(e) == Some(want))
                    || operands.iter().any(|e| self.satisfy(&[Constraint::Holds(e, want)]))
            }
            _ => match constant(expr) {
                Some(value) => value == want,
                None => {
                    let (key, positive) = self.key(expr);
                    self.decide(key, expr, want == positive)
                }
            },
        }
    }

    fn decide(&mut self, key: String, expr: &Expr, value: bool) -> bool {
        if let Some(known) = self.truth.get(&key) {
            return *known == value;
        }
        if let (true, Some((left, literal))) = (value, self.equality(expr)) {
            match self.equal.get(&left) {
                Some(other) if *other != literal => return false,
                Some(_) => {}
                None => {
                    self.equated.push(left.clone());
                    self.equal.insert(left, literal);
                }
            }
        }
        self.decided.push((key.clone(), value));
        self.truth.insert(key, value);
        true
    }

    fn known(&self, expr: &Expr) -> Option<bool> {
        match &expr.kind {
            ExprKind::Not(inner) => self.known(inner).map(|b| !b),
            ExprKind::Bool { and, operands } => {
                let all: Vec<_> = operands.iter().map(|e| self.known(e)).collect();
                if all.contains(&Some(!and)) {
                    Some(!and)
                } else {
                    all.iter().all(|k| *k == Some(*and)).then_some(*and)
                }
            }
            _ => constant(expr).or_else(|| {
                let (key, positive) = self.key(expr);
                self.truth.get(&key).map(|b| *b == positive)
            }),
        }
    }

    /// Truth in this variant; what nobody decided is false, as for a parameter that is not passed.
    pub(super) fn holds(&self, expr: &Expr) -> bool {
        match &expr.kind {
            ExprKind::Not(inner) => !self.holds(inner),
            ExprKind::Bool { and: true, operands } => operands.iter().all(|e| self.holds(e)),
            ExprKind::Bool { and: false, operands } => operands.iter().any(|e| self.holds(e)),
            _ => constant(expr).unwrap_or_else(|| {
                let (key, positive) = self.key(expr);
                self.truth.get(&key).copied().unwrap_or(false) == positive
            }),
        }
    }

    fn equality(&self, expr: &Expr) -> Option<(String, String)> {
        match &expr.kind {
            ExprKind::Compare(left, rest) if rest.len() == 1 && matches!(rest[0].0.as_str(), "==" | "!=") => {
                let literal = &rest[0].1;
                matches!(literal.kind, ExprKind::Str(_) | ExprKind::Number(_))
                    .then(|| (squeeze(&self.text[left.range]), squeeze(&self.text[literal.range])))
            }
            _ => None,
        }
    }

    /// A name for an atomic condition, and whether the expression is it (true) or its negation.
    fn key(&self, expr: &Expr) -> (String, bool) {
        if let ExprKind::Compare(left, rest) = &expr.kind
            && let [(op, right)] = rest.as_slice()
        {
            let (op, positive) = match op.as_str() {
                "!=" => ("==", false),
                "not in" => ("in", false),
                "is not" => ("is", false),
                op => (op, true),
            };
            let key =
                format!("{} {op} {}", squeeze(&self.text[left.range]), squeeze(&self.text[right.range]));
            return (key, positive);
        }
        if let Some(("defined", [arg], _)) = expr.as_call()
            && let ExprKind::Name(name) | ExprKind::Str(name) = &arg.kind
        {
            return (format!("defined({name})"), true);
        }
        (squeeze(&self.text[expr.range]), true)
    }
}

pub(super) fn squeeze(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ").replace('"', "'")
}

fn constant(expr: &Expr) -> Option<bool> {
    match &expr.kind {
        ExprKind::Constant(c) => Some(*c == "True"),
        ExprKind::Number(n) => Some(n.chars().any(|c| c.is_ascii_digit() && c != '0')),
        ExprKind::Str(s) => Some(!s.is_empty()),
        _ => None,
    }
}
