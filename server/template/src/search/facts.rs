//! What a template says about its parameters and conditions, collected once.

use headwater_syntax::template::{Expr, ExprKind, Parameter, Piece, Template, parameters};
use rustc_hash::{FxHashMap, FxHashSet};
use text_size::TextRange;

use super::asked::Names;
use super::witness::{Given, is_number};

/// Candidates for one parameter and one condition.
const MAX_CANDIDATES: usize = 48;

/// What a template says about its names, found once.
pub(super) struct Facts<'t> {
    pub(super) text: &'t str,
    pub(super) names: Names<'t>,
    pub(super) parameters: Vec<Parameter>,
    /// Conditions without `and`, `or` and `not`, by where they stand.
    atoms: FxHashMap<TextRange, Atom<'t>>,
    /// Names of the atoms, by number.
    pub(super) atom_names: Vec<String>,
    /// The atoms that depend on a parameter.
    mentioning: FxHashMap<&'t str, Vec<&'t Expr>>,
    /// Values of each parameter's type, and those that its calls name; and whether there are any of the latter.
    examples: FxHashMap<String, (Vec<Given>, bool)>,
}

/// A condition without `and`, `or` and `not`.
#[derive(Default)]
pub(super) struct Atom<'t> {
    /// Atoms of the same words have the same number.
    pub(super) number: usize,
    /// Whether it is what its name says, or the negation of that.
    pub(super) positive: bool,
    /// What it depends on.
    pub(super) parameters: Vec<&'t str>,
}

impl<'t> Facts<'t> {
    pub(super) fn new(text: &'t str, template: &'t Template) -> Self {
        let mut sets: FxHashMap<&str, Option<&Expr>> = FxHashMap::default();
        // A value is the same everywhere when it is set once, and outside of every block.
        for piece in &template.pieces {
            if let Piece::Set { names, operator: None, target, value, .. } = piece
                && let [name] = names.as_slice()
                && target.as_ref().is_some_and(|t| matches!(t.kind, ExprKind::Name(_)))
            {
                sets.entry(&name.value).and_modify(|known| *known = None).or_insert(Some(value));
            }
        }
        template.walk(&mut |piece| {
            let (Piece::Set { names, range, .. } | Piece::Loop { names, range, .. }) = piece else { return };
            let once = |value: &Expr| range.contains_range(value.range) && matches!(piece, Piece::Set { .. });
            for name in names {
                let known = sets.entry(&name.value).or_insert(None);
                *known = known.filter(|value| once(value));
            }
        });
        let names = Names::new(sets);
        let mut facts = Self {
            text,
            names,
            parameters: parameters(text, template),
            atoms: FxHashMap::default(),
            atom_names: Vec::new(),
            mentioning: FxHashMap::default(),
            examples: FxHashMap::default(),
        };
        facts.examples = examples(&facts.parameters);
        let mut numbers = FxHashMap::default();
        for condition in conditions(template) {
            let mut todo = vec![condition];
            while let Some(expr) = todo.pop() {
                match &expr.kind {
                    ExprKind::Not(inner) => todo.push(inner),
                    ExprKind::Bool { operands, .. } => todo.extend(operands),
                    _ => {
                        let (name, positive) = key(text, expr);
                        let next = facts.atom_names.len();
                        let number = *numbers.entry(name.clone()).or_insert(next);
                        if number == next {
                            facts.atom_names.push(name);
                        }
                        let parameters = facts.names.parameters(expr);
                        for parameter in &parameters {
                            facts.mentioning.entry(*parameter).or_default().push(expr);
                        }
                        facts.atoms.insert(expr.range, Atom { number, positive, parameters });
                    }
                }
            }
        }
        facts
    }

    /// What is known about a condition without `and`, `or` and `not`.
    pub(super) fn atom(&self, expr: &Expr) -> Option<&Atom<'t>> {
        self.atoms.get(&expr.range)
    }

    /// The atoms that depend on a parameter.
    pub(super) fn mentioning(&self, parameter: &str) -> &[&'t Expr] {
        self.mentioning.get(parameter).map_or(&[], Vec::as_slice)
    }

    /// Whether there are steps left, and one less of them.
    pub(super) fn step(&self) -> bool {
        self.names.meter.step().is_ok()
    }

    /// Values to try for a parameter, likely ones first.
    pub(super) fn candidates<'a>(
        &self,
        parameter: &str,
        conditions: impl Iterator<Item = &'a Expr>,
    ) -> Vec<Given>
    where
        't: 'a,
    {
        let mut out = Vec::new();
        for condition in conditions {
            if out.len() >= MAX_CANDIDATES {
                break;
            }
            literals(condition, &self.names, &mut out);
        }
        out.truncate(MAX_CANDIDATES);
        // What a query string can pass is the better request.
        out.sort_by_key(|given| matches!(given, Given::Number(_)));
        let (own, stated) = self.examples.get(parameter).map_or((&[][..], false), |(own, s)| (own, *s));
        // What people wrote as an example is the best value where any will do.
        let mut all = if stated { own.iter().cloned().chain(out).collect() } else { out };
        all.extend(own.iter().cloned());
        all.extend(["value", "1", "0", ""].map(|text| Given::Text(text.to_owned())));
        let mut seen = FxHashSet::default();
        all.retain(|value| seen.insert(value.clone()));
        all
    }

    /// Values of the parameter's type, and those that its calls name.
    pub(super) fn examples(&self, parameter: &str) -> &[Given] {
        self.examples.get(parameter).map_or(&[], |(examples, _)| examples)
    }
}

/// A few values for each parameter, best first, and whether the template names them as examples.
fn examples(parameters: &[Parameter]) -> FxHashMap<String, (Vec<Given>, bool)> {
    let mut out: FxHashMap<String, (Vec<Given>, bool)> = FxHashMap::default();
    for p in parameters {
        let stated = p.example.iter().chain(&p.values).take(MAX_CANDIDATES);
        let stated: Vec<_> = stated.cloned().map(Given::Text).collect();
        if !stated.is_empty() {
            let (examples, is_stated) = out.entry(p.name.clone()).or_default();
            examples.extend(stated);
            *is_stated = true;
        }
    }
    for p in parameters {
        let ty = p.ty.as_deref().unwrap_or_default();
        let simple = match (ty, p.element.as_deref()) {
            ("Array", Some(element)) => example_of(element),
            _ => example_of(ty),
        };
        // A default is a value of the right kind, if it is one at all.
        let default = p.default.as_deref().map(|d| d.trim_matches(['\'', '"']));
        let default = default.filter(|d| ty == "String" && !d.is_empty());
        let (examples, _) = out.entry(p.name.clone()).or_default();
        for value in default.into_iter().chain([simple]) {
            if examples.len() < MAX_CANDIDATES && !examples.iter().any(|e| e.as_str() == value) {
                examples.push(Given::Text(value.to_owned()));
            }
        }
    }
    out
}

fn example_of(ty: &str) -> &'static str {
    match ty {
        "Boolean" => "1",
        "Date" => "2026-01-01",
        "DateTime" => "2026-01-01 00:00:00",
        "DateTime64" => "2026-01-01 00:00:00.000",
        "Float32" | "Float64" => "1.5",
        "JSON" => "{}",
        ty if ty.starts_with("Int") || ty.starts_with("UInt") => "1",
        _ => "value",
    }
}

/// The literals of a condition, as a request would pass them, with the neighbours of numbers.
fn literals(condition: &Expr, names: &Names<'_>, out: &mut Vec<Given>) {
    let mut todo = vec![(condition, 0)];
    while let Some((expr, depth)) = todo.pop() {
        if out.len() >= MAX_CANDIDATES {
            return;
        }
        if let Some(value) = expr.as_passed() {
            let whole = value.parse::<i128>().ok();
            let is_written_as_number = !matches!(expr.kind, ExprKind::Str(_)) && is_number(&value);
            out.push(Given::Text(value.clone()));
            if let Some(n) = whole {
                let neighbours = [n.saturating_add(1), n.saturating_sub(1)];
                out.extend(neighbours.map(|n| Given::Text(n.to_string())));
                out.push(Given::Text(format!("{n}.5")));
                // `len(x) > 3` wants a text.
                out.extend(
                    usize::try_from(n).ok().filter(|n| *n < 64).map(|n| Given::Text("x".repeat(n + 1))),
                );
                if is_written_as_number {
                    out.extend(neighbours.map(|n| Given::Number(n.to_string())));
                }
            }
            if is_written_as_number {
                out.push(Given::Number(value));
            }
            continue;
        }
        if let ExprKind::Name(name) = &expr.kind
            && let Some(Some(value)) = names.sets.get(name.as_str())
            && depth < 3
        {
            todo.push((value, depth + 1));
        }
        // The name in quotes is no value.
        if expr.as_call().is_some_and(|(function, ..)| function == "defined") {
            continue;
        }
        todo.extend(expr.children().into_iter().rev().map(|child| (child, depth)));
    }
}

/// Every condition of a template.
fn conditions(template: &Template) -> Vec<&Expr> {
    let mut out = Vec::new();
    template.walk(&mut |piece| {
        if let Piece::If { arms, .. } = piece {
            out.extend(arms.iter().filter_map(|arm| arm.condition.as_ref()));
        }
    });
    out
}

/// A name for an atomic condition, and whether the expression is it (true) or its negation.
fn key(text: &str, expr: &Expr) -> (String, bool) {
    if let ExprKind::Compare(left, rest) = &expr.kind
        && let [(op, right)] = rest.as_slice()
    {
        let (op, positive) = match op.as_str() {
            "!=" => ("==", false),
            "not in" => ("in", false),
            "is not" => ("is", false),
            op => (op, true),
        };
        return (format!("{} {op} {}", squeeze(&text[left.range]), squeeze(&text[right.range])), positive);
    }
    if let Some(("defined", [arg], _)) = expr.as_call()
        && let Some(name) = arg.as_parameter()
    {
        return (format!("defined({name})"), true);
    }
    (squeeze(&text[expr.range]), true)
}

pub(super) fn squeeze(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ").replace('"', "'")
}
