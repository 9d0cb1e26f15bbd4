//! One request that is being looked for: which parameters it passes, so that given conditions hold.
//!
//! Values are tried, not derived: a parameter's candidates are the values that the template's own conditions mention
//! and their neighbours, and what its type takes. A candidate is taken when everything decided before still holds.

use headwater_syntax::template::{Expr, ExprKind, Parameter, TYPE_FUNCTIONS};
use rustc_hash::{FxHashMap, FxHashSet};

use super::asked::Halt;
use super::facts::{Facts, squeeze};
use super::witness::{Given, ParameterChoice, Witness};

/// What must hold for an arm to be taken.
#[derive(Clone, Copy)]
pub(super) enum Constraint<'t> {
    /// A condition has this truth.
    Holds(&'t Expr, bool),
    /// The `try` that starts at this offset runs this part: 0 is what is tried.
    Part(u32, usize),
}

pub(super) type Constraints<'t> = Vec<Constraint<'t>>;

/// What is decided so far. Everything that grows does so at its end, so that a failed attempt is undone without a copy.
pub(super) struct World<'t, 'f> {
    facts: &'f Facts<'t>,
    /// Parameters that are decided, in order, with the value passed or `None`, and the entry that this one replaces.
    values: Vec<(&'t str, Option<Given>, Option<usize>)>,
    /// The entry that counts for a parameter.
    latest: FxHashMap<&'t str, usize>,
    /// Conditions that the values make true or false.
    held: Vec<(&'t Expr, bool)>,
    /// Those that depend on a parameter, by number.
    held_by: FxHashMap<&'t str, Vec<usize>>,
    /// Every decision, in order: the condition's number and truth, and whether no value decides it.
    decided: Vec<(usize, bool, bool)>,
    /// The same by number.
    truth: FxHashMap<usize, bool>,
    /// `left == literal` assumed true without values.
    equal: FxHashMap<String, String>,
    /// Keys of `equal`, in order.
    equated: Vec<String>,
    /// Which part each `try` runs, by its offset.
    parts: FxHashMap<u32, usize>,
    /// Keys of `parts`, in order.
    chosen: Vec<u32>,
}

impl<'t, 'f> World<'t, 'f> {
    pub(super) fn new(facts: &'f Facts<'t>) -> Self {
        Self {
            facts,
            values: Vec::new(),
            latest: FxHashMap::default(),
            held: Vec::new(),
            held_by: FxHashMap::default(),
            decided: Vec::new(),
            truth: FxHashMap::default(),
            equal: FxHashMap::default(),
            equated: Vec::new(),
            parts: FxHashMap::default(),
            chosen: Vec::new(),
        }
    }

    /// Extends the request so that all constraints hold; leaves it unchanged when that is impossible.
    pub(super) fn satisfy(&mut self, constraints: &[Constraint<'t>]) -> bool {
        let before =
            [self.values.len(), self.held.len(), self.decided.len(), self.equated.len(), self.chosen.len()];
        let satisfied = constraints.iter().all(|constraint| match constraint {
            Constraint::Holds(expr, want) => self.force(expr, *want),
            Constraint::Part(offset, part) => match self.parts.get(offset) {
                Some(known) => known == part,
                None => {
                    self.parts.insert(*offset, *part);
                    self.chosen.push(*offset);
                    true
                }
            },
        });
        if !satisfied {
            self.undo(before);
        }
        satisfied
    }

    fn undo(&mut self, [values, held, decided, equated, chosen]: [usize; 5]) {
        for (name, _, replaced) in self.values.drain(values..).rev() {
            match replaced {
                Some(entry) => self.latest.insert(name, entry),
                None => self.latest.remove(name),
            };
        }
        for (expr, _) in self.held.drain(held..) {
            for name in self.facts.atom(expr).into_iter().flat_map(|atom| &atom.parameters) {
                self.held_by.entry(name).or_default().pop();
            }
        }
        for (number, ..) in self.decided.drain(decided..) {
            self.truth.remove(&number);
        }
        for left in self.equated.drain(equated..) {
            self.equal.remove(&left);
        }
        for offset in self.chosen.drain(chosen..) {
            self.parts.remove(&offset);
        }
    }

    fn force(&mut self, expr: &'t Expr, want: bool) -> bool {
        match &expr.kind {
            ExprKind::Not(inner) => self.force(inner, !want),
            ExprKind::Bool { and, operands } if *and == want => operands.iter().all(|e| self.force(e, want)),
            ExprKind::Bool { operands, .. } => {
                operands.iter().any(|e| self.known(e) == Some(want))
                    || operands.iter().any(|e| self.satisfy(&[Constraint::Holds(e, want)]))
            }
            _ => match constant(expr) {
                Some(value) => value == want,
                None => self.decide(expr, want),
            },
        }
    }

    /// Makes a condition without `and`, `or` and `not` true or false.
    fn decide(&mut self, expr: &'t Expr, want: bool) -> bool {
        let facts = self.facts;
        let Some(atom) = facts.atom(expr) else { return false };
        let (number, positive) = (atom.number, atom.positive);
        if let Some(known) = self.truth.get(&number) {
            return (*known == positive) == want;
        }
        match self.search(expr, want, &atom.parameters) {
            Search::Found(values) => {
                for (name, value) in values {
                    if self.value_of(name) != Some(&value) {
                        let replaced = self.latest.insert(name, self.values.len());
                        self.values.push((name, value, replaced));
                    }
                }
                for name in &atom.parameters {
                    self.held_by.entry(name).or_default().push(self.held.len());
                }
                self.held.push((expr, want));
                self.note(number, want == positive, false);
                true
            }
            Search::Contradiction => false,
            Search::Unknown => self.assume(expr, number, want == positive),
        }
    }

    fn note(&mut self, number: usize, truth: bool, is_assumption: bool) {
        self.decided.push((number, truth, is_assumption));
        self.truth.insert(number, truth);
    }

    /// Decides a condition that no value decides: one truth for the same words.
    fn assume(&mut self, expr: &Expr, number: usize, value: bool) -> bool {
        if let (true, Some((left, literal))) = (value, equality(self.facts.text, expr)) {
            match self.equal.get(&left) {
                Some(other) if *other != literal => return false,
                Some(_) => {}
                None => {
                    self.equated.push(left.clone());
                    self.equal.insert(left, literal);
                }
            }
        }
        self.note(number, value, true);
        true
    }

    /// The value of `expr` when `changed` is passed instead of what is decided.
    fn try_value(&self, expr: &Expr, changed: &[(&str, Option<&Given>)]) -> Result<bool, Halt> {
        let request = |name: &str| match changed.iter().find(|(n, _)| *n == name) {
            Some((_, value)) => value.cloned(),
            None => self.value_of(name).cloned().flatten(),
        };
        self.facts.names.truth(expr, &request)
    }

    fn value_of(&self, name: &str) -> Option<&Option<Given>> {
        let entry = self.latest.get(name).and_then(|entry| self.values.get(*entry));
        entry.map(|(_, value, _)| value)
    }

    /// The conditions so far that depend on a parameter, with their truth.
    fn held_by(&self, name: &str) -> impl Iterator<Item = (&'t Expr, bool)> {
        self.held_by.get(name).into_iter().flatten().filter_map(|number| self.held.get(*number).copied())
    }

    fn search(&self, expr: &'t Expr, want: bool, parameters: &[&'t str]) -> Search<'t> {
        if self.facts.names.meter.left() == 0 {
            return Search::Unknown;
        }
        let now = self.try_value(expr, &[]);
        if now == Ok(want) {
            let values = parameters.iter().map(|name| (*name, self.value_of(name).cloned().flatten()));
            return Search::Found(values.collect());
        }
        let mut certain = now != Err(Halt::Unknown) && parameters.len() == 1 && is_simple(expr);
        for (n, name) in parameters.iter().enumerate() {
            // What the others are, they stay.
            let others = parameters.iter().enumerate().filter(|(m, _)| *m != n);
            let others: Vec<_> =
                others.map(|(_, name)| (*name, self.value_of(name).cloned().flatten())).collect();
            let held: Vec<_> = self.held_by(name).collect();
            certain &= held.iter().all(|(e, _)| is_simple(e));
            let conditions = std::iter::once(expr).chain(held.iter().map(|(e, _)| *e));
            let candidates = self.facts.candidates(name, conditions);
            let all = std::iter::once(None).chain(candidates.iter().map(Some));
            for candidate in all {
                let changed = [(*name, candidate)];
                let fits = |(e, want): (&Expr, bool)| self.try_value(e, &changed) == Ok(want);
                if fits((expr, want)) && held.iter().copied().all(fits) {
                    let mut values = others;
                    values.push((*name, candidate.cloned()));
                    return Search::Found(values);
                }
            }
        }
        if let Some(values) = self.search_pair(expr, want, parameters) {
            return Search::Found(values);
        }
        if certain && self.facts.names.meter.left() > 0 { Search::Contradiction } else { Search::Unknown }
    }

    /// Changes two parameters at once, where one condition compares them.
    fn search_pair(
        &self,
        expr: &'t Expr,
        want: bool,
        parameters: &[&'t str],
    ) -> Option<Vec<(&'t str, Option<Given>)>> {
        const TRIED: usize = 12;
        let mut linked = parameters.to_vec();
        for (e, _) in parameters.iter().flat_map(|name| self.held_by(name)) {
            for name in self.facts.atom(e).into_iter().flat_map(|atom| &atom.parameters) {
                if !linked.contains(name) {
                    linked.push(name);
                }
            }
            if linked.len() > 2 {
                return None;
            }
        }
        let [first, second] = linked.as_slice() else { return None };
        let held: Vec<_> = self.held_by(first).chain(self.held_by(second)).collect();
        let conditions = || std::iter::once(expr).chain(held.iter().map(|(e, _)| *e));
        let firsts = self.facts.candidates(first, conditions());
        let seconds = self.facts.candidates(second, conditions());
        let tried = |all: &[Given]| {
            std::iter::once(None).chain(all.iter().take(TRIED).cloned().map(Some)).collect::<Vec<_>>()
        };
        let seconds = tried(&seconds);
        for a in tried(&firsts) {
            for b in std::iter::once(&a).chain(&seconds) {
                let changed = [(*first, a.as_ref()), (*second, b.as_ref())];
                let fits = |(e, want): (&Expr, bool)| self.try_value(e, &changed) == Ok(want);
                if fits((expr, want)) && held.iter().copied().all(fits) {
                    return Some(vec![(*first, a.clone()), (*second, b.clone())]);
                }
            }
        }
        None
    }

    /// The truth of a condition, if everything that it depends on is decided.
    fn known(&self, expr: &'t Expr) -> Option<bool> {
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
                let atom = self.facts.atom(expr)?;
                self.truth.get(&atom.number).map(|b| *b == atom.positive)
            }),
        }
    }

    /// Truth for this request; what fails or is not known is false.
    pub(super) fn holds(&self, expr: &'t Expr) -> bool {
        match &expr.kind {
            ExprKind::Not(inner) => !self.holds(inner),
            ExprKind::Bool { and: true, operands } => operands.iter().all(|e| self.holds(e)),
            ExprKind::Bool { and: false, operands } => operands.iter().any(|e| self.holds(e)),
            _ => constant(expr).unwrap_or_else(|| {
                let Some(atom) = self.facts.atom(expr) else { return false };
                match self.truth.get(&atom.number) {
                    Some(truth) => *truth == atom.positive,
                    None => self.try_value(expr, &[]).unwrap_or(!atom.positive),
                }
            }),
        }
    }

    /// The part that a `try` runs.
    pub(super) fn part(&self, offset: u32) -> usize {
        self.parts.get(&offset).copied().unwrap_or(0)
    }

    /// What was decided, in order.
    pub(super) fn decided(&self) -> Vec<(String, bool)> {
        self.decided.iter().map(|(number, truth, _)| (self.name_of(*number), *truth)).collect()
    }

    fn name_of(&self, number: usize) -> String {
        self.facts.atom_names.get(number).cloned().unwrap_or_default()
    }

    /// The request, with what the query needs besides. `is_printed` says whether a use of a parameter is part of the
    /// query.
    pub(super) fn witness(&self, is_printed: impl Fn(&Parameter) -> bool) -> Witness {
        let mut required: Vec<(String, Given)> = Vec::new();
        let mut seen = FxHashSet::default();
        for p in self.facts.parameters.iter().filter(|p| p.required && (!p.in_output || is_printed(p))) {
            let known = self.value_of(&p.name).is_some_and(|value| value.is_some());
            if !known && seen.insert(p.name.as_str()) {
                required.extend(self.harmless(&p.name).map(|value| (p.name.clone(), value)));
            }
        }
        let filled: FxHashMap<_, _> = required.iter().cloned().collect();
        let mut parameters: Vec<(String, ParameterChoice)> = Vec::new();
        for (name, _, replaced) in &self.values {
            // Each parameter once, where it was decided first.
            if replaced.is_none() {
                let decided = self.value_of(name).cloned().flatten();
                let value = decided.or_else(|| filled.get(*name).cloned());
                parameters.push(((*name).to_owned(), self.choice(name, value)));
            }
        }
        required.retain(|(name, _)| !self.latest.contains_key(name.as_str()));
        let assumed = self.decided.iter().filter(|(.., is_assumption)| *is_assumption);
        let undecided = assumed.map(|(number, truth, _)| (self.name_of(*number), *truth)).collect();
        Witness { parameters, required, undecided }
    }

    /// A value that can be passed without changing any condition.
    fn harmless(&self, parameter: &str) -> Option<Given> {
        let mentioning = self.facts.mentioning(parameter);
        let before: Vec<_> = mentioning.iter().map(|c| self.try_value(c, &[]).unwrap_or(false)).collect();
        let candidates = self.facts.candidates(parameter, mentioning.iter().copied());
        self.facts.examples(parameter).iter().cloned().chain(candidates).find(|candidate| {
            mentioning.iter().zip(&before).all(|(c, truth)| {
                let with = self.try_value(c, &[(parameter, Some(candidate))]);
                with == Err(Halt::Unknown) || with == Ok(*truth)
            })
        })
    }

    /// A decided value with what decided it.
    fn choice(&self, name: &str, value: Option<Given>) -> ParameterChoice {
        let held: Vec<_> = self.held_by(name).collect();
        let is_defined = |e: &Expr| {
            e.as_call().is_some_and(|(f, args, _)| {
                f == "defined" && args.first().and_then(Expr::as_parameter) == Some(name)
            })
        };
        let excluded: Vec<_> = held.iter().filter_map(|(e, holds)| excluded(e, *holds)).flatten().collect();
        let others = held.iter().filter(|(e, holds)| !is_defined(e) && excluded_by(e, *holds).is_none());
        let others: Vec<_> = others.collect();
        match value {
            None if held.iter().any(|(e, _)| is_defined(e)) || !others.is_empty() => ParameterChoice::Absent,
            example if others.is_empty() && !excluded.is_empty() => {
                ParameterChoice::IsNot { excluded, example }
            }
            None => ParameterChoice::Absent,
            Some(example) if others.is_empty() => ParameterChoice::Passed { example },
            Some(value) => {
                let exact = others.iter().any(|(e, holds)| is_exact(e, *holds));
                ParameterChoice::Is { value, exact }
            }
        }
    }
}

enum Search<'t> {
    /// Values with which the condition, and all before it, are as wanted.
    Found(Vec<(&'t str, Option<Given>)>),
    /// There are none.
    Contradiction,
    /// None were found.
    Unknown,
}

/// `x == 'a'` that is false, `x != 'a'` that is true, and `in` alike: the values.
fn excluded(expr: &Expr, holds: bool) -> Option<Vec<String>> {
    let ExprKind::Compare(left, rest) = &expr.kind else { return None };
    let [(op, right)] = rest.as_slice() else { return None };
    let denies = match op.as_str() {
        "==" | "in" => !holds,
        "!=" | "not in" => holds,
        _ => false,
    };
    match (&right.kind, op.as_str()) {
        _ if !denies || left.as_passed().is_some() => None,
        (ExprKind::Sequence(_, items), "in" | "not in") => items.iter().map(Expr::as_passed).collect(),
        (_, "==" | "!=") => right.as_passed().map(|value| vec![value]),
        _ => None,
    }
}

fn excluded_by(expr: &Expr, holds: bool) -> Option<()> {
    excluded(expr, holds).map(|_| ())
}

/// `x == 'a'` that is true, or `x in ['a']`.
fn is_exact(expr: &Expr, holds: bool) -> bool {
    let ExprKind::Compare(_, rest) = &expr.kind else { return false };
    match rest.as_slice() {
        [(op, _)] => matches!((op.as_str(), holds), ("==", true) | ("!=", false)),
        _ => false,
    }
}

/// Whether the candidates are all that there is to try for a condition.
fn is_simple(expr: &Expr) -> bool {
    let literal = |e: &Expr| match &e.kind {
        ExprKind::Sequence(_, items) => items.iter().all(|item| item.as_passed().is_some()),
        ExprKind::Constant("None") => true,
        _ => e.as_passed().is_some(),
    };
    let term = |e: &Expr| match &e.kind {
        ExprKind::Name(_) => true,
        _ => e.as_call().is_some_and(|(function, args, keywords)| {
            (TYPE_FUNCTIONS.contains(&function) || matches!(function, "int" | "float" | "str" | "defined"))
                && args.split_first().is_some_and(|(first, rest)| {
                    first.as_parameter().is_some()
                        && rest.iter().chain(keywords.iter().map(|(_, e)| e)).all(literal)
                })
        }),
    };
    match &expr.kind {
        ExprKind::Compare(left, rest) => match rest.as_slice() {
            [(_, right)] => term(left) && literal(right) || literal(left) && term(right),
            _ => false,
        },
        _ => term(expr),
    }
}

fn equality(text: &str, expr: &Expr) -> Option<(String, String)> {
    match &expr.kind {
        ExprKind::Compare(left, rest) if rest.len() == 1 && matches!(rest[0].0.as_str(), "==" | "!=") => {
            let literal = &rest[0].1;
            matches!(literal.kind, ExprKind::Str(_) | ExprKind::Number(_))
                .then(|| (squeeze(&text[left.range]), squeeze(&text[literal.range])))
        }
        _ => None,
    }
}

fn constant(expr: &Expr) -> Option<bool> {
    match &expr.kind {
        ExprKind::Constant(c) => Some(*c == "True"),
        ExprKind::Number(n) => Some(n.chars().any(|c| c.is_ascii_digit() && c != '0')),
        ExprKind::Str(s) => Some(!s.is_empty()),
        _ => None,
    }
}
