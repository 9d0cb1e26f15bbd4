//! Variants: the SQL texts that a template can become, as far as structure goes.
//!
//! A variant is a *consistent* assignment of truth to conditions: `defined(a)` has one truth in it, and `x == 'a'`
//! excludes `x == 'b'`. Enough variants are made that every reachable arm is taken at least once. Their number is
//! at most the number of arms plus one, never the cross product, and in practice two or three, because arms that
//! can be taken together are.

use rustc_hash::FxHashMap;
use text_size::TextRange;

use super::expr::{Expr, ExprKind};
use super::tree::{Piece, Template};

/// One consistent choice of arms.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Variant {
    /// The template's text with everything that is not chosen, and every control tag, replaced by spaces: offsets
    /// stay. Output tags stay as they are.
    pub text: String,
    /// The conditions that were decided, with their truth, in order of decision.
    pub witness: Vec<(String, bool)>,
}

/// What must hold for an arm to be taken.
#[derive(Clone, Copy)]
enum Constraint<'t> {
    /// A condition has this truth.
    Holds(&'t Expr, bool),
    /// The `try` that starts at this offset runs this part: 0 is what is tried.
    Part(u32, usize),
}

type Constraints<'t> = Vec<Constraint<'t>>;

/// All variants of a template. At most `arms + 1` texts, each as long as the template.
pub fn variants(text: &str, template: &Template) -> Vec<Variant> {
    let mut arms = Vec::new();
    collect_arms(&template.pieces, &mut Vec::new(), &mut arms);
    let mut pending: Vec<usize> = (0..arms.len()).collect();
    let mut out = Vec::new();
    let mut world = World::new(text);
    loop {
        let mut taken = Vec::new();
        let mut bytes = text.as_bytes().to_vec();
        blank_marker(text, &mut bytes);
        blank_escapes(text, &mut bytes);
        render(&template.pieces, &world, &mut bytes, &mut taken);
        // Blanked ranges start and end at tag delimiters, so the text stays valid UTF-8.
        let masked = String::from_utf8(bytes).unwrap_or_default();
        out.push(Variant { text: masked, witness: world.decided.clone() });
        pending.retain(|n| !taken.contains(&arms[*n].0));
        // The first variant decides nothing: no parameter is passed. Each later one takes as many of the arms
        // still missing as go together; arms that contradict themselves are unreachable and dropped.
        loop {
            let Some(first) = pending.first().copied() else { return out };
            world = World::new(text);
            pending.remove(0);
            if world.satisfy(&arms[first].1) {
                break;
            }
        }
        for n in &pending {
            world.satisfy(&arms[*n].1);
        }
    }
}

/// The template with every arm in it and every tag blanked, when that reads as one query: each arm is empty or
/// continues what stands before it (`AND …`, `JOIN …`, `UNION ALL …`, `LIMIT …`). Most templates are so, and one parse
/// then finds what all variants name. `None` where arms exclude each other in the query's text.
pub fn all_arms(text: &str, template: &Template) -> Option<String> {
    let mut bytes = text.as_bytes().to_vec();
    blank_marker(text, &mut bytes);
    blank_escapes(text, &mut bytes);
    let mut whole = true;
    template.walk(&mut |piece| match piece {
        Piece::If { range, arms } | Piece::Try { range, parts: arms } => {
            whole &= arms.iter().all(|arm| continues(&text[arm.body_range]));
            let mut at = range.start();
            for arm in arms {
                blank(&mut bytes, TextRange::new(at, arm.body_range.start()));
                at = arm.body_range.end();
            }
            blank(&mut bytes, TextRange::new(at, range.end()));
        }
        Piece::Output { range, expr } if prints_nothing(expr) => blank(&mut bytes, *range),
        Piece::Set { range, .. } | Piece::Silent(range) => blank(&mut bytes, *range),
        Piece::Loop { .. } => whole = false,
        Piece::Output { .. } => {}
    });
    String::from_utf8(bytes).ok().filter(|_| whole)
}

fn continues(arm: &str) -> bool {
    const OPENERS: &[&str] = &[
        "AND", "ANY", "ARRAY", "ASOF", "CROSS", "FULL", "GLOBAL", "GROUP", "HAVING", "INNER", "JOIN", "LEFT",
        "LIMIT", "OFFSET", "OR", "ORDER", "PREWHERE", "RIGHT", "SETTINGS", "UNION", "WHERE",
    ];
    let arm = arm.trim_start();
    let word = &arm[..arm.find(|c: char| !(c.is_alphanumeric() || c == '_')).unwrap_or(arm.len())];
    arm.is_empty() || OPENERS.iter().any(|o| o.eq_ignore_ascii_case(word))
}

fn blank(bytes: &mut [u8], range: TextRange) {
    for byte in &mut bytes[usize::from(range.start())..usize::from(range.end())] {
        if *byte != b'\n' {
            *byte = b' ';
        }
    }
}

/// `{{!`, `{%!` and `{#!` write a tag's opening; in a query they stand in strings and mean nothing.
fn blank_escapes(text: &str, bytes: &mut [u8]) {
    for escape in ["{{!", "{%!", "{#!"] {
        for (at, _) in text.match_indices(escape) {
            blank(bytes, crate::range(at, at + escape.len()));
        }
    }
}

fn blank_marker(text: &str, bytes: &mut [u8]) {
    let at = text.len() - text.trim_start().len();
    if bytes.get(at) == Some(&b'%') {
        bytes[at] = b' ';
    }
}

/// Every arm's body with what must hold for it to be taken.
fn collect_arms<'t>(
    pieces: &'t [Piece],
    path: &mut Constraints<'t>,
    out: &mut Vec<(TextRange, Constraints<'t>)>,
) {
    for piece in pieces {
        match piece {
            Piece::If { arms, .. } => {
                let depth = path.len();
                for arm in arms {
                    let before = path.len();
                    if let Some(condition) = &arm.condition {
                        path.push(Constraint::Holds(condition, true));
                    }
                    out.push((arm.body_range, path.clone()));
                    collect_arms(&arm.body, path, out);
                    path.truncate(before);
                    if let Some(condition) = &arm.condition {
                        path.push(Constraint::Holds(condition, false));
                    }
                }
                path.truncate(depth);
            }
            Piece::Try { range, parts } => {
                for (n, part) in parts.iter().enumerate() {
                    path.push(Constraint::Part(range.start().into(), n));
                    out.push((part.body_range, path.clone()));
                    collect_arms(&part.body, path, out);
                    path.pop();
                }
            }
            Piece::Loop { body, .. } => collect_arms(body, path, out),
            Piece::Output { .. } | Piece::Set { .. } | Piece::Silent(_) => {}
        }
    }
}

fn render(pieces: &[Piece], world: &World<'_>, bytes: &mut [u8], taken: &mut Vec<TextRange>) {
    for piece in pieces {
        match piece {
            Piece::Output { range, expr } => {
                if prints_nothing(expr) {
                    blank(bytes, *range);
                }
            }
            Piece::Set { range, .. } | Piece::Silent(range) => blank(bytes, *range),
            Piece::Loop { range, body, .. } => {
                blank_around(bytes, *range, body, world, taken);
            }
            Piece::If { range, arms } => {
                let chosen = arms.iter().find(|a| a.condition.as_ref().is_none_or(|c| world.holds(c)));
                match chosen {
                    Some(arm) => {
                        taken.push(arm.body_range);
                        blank(bytes, TextRange::new(range.start(), arm.body_range.start()));
                        render(&arm.body, world, bytes, taken);
                        blank(bytes, TextRange::new(arm.body_range.end(), range.end()));
                    }
                    None => blank(bytes, *range),
                }
            }
            Piece::Try { range, parts } => {
                let chosen = world.parts.get(&range.start().into()).copied().unwrap_or(0);
                if let Some(part) = parts.get(chosen) {
                    taken.push(part.body_range);
                    blank(bytes, TextRange::new(range.start(), part.body_range.start()));
                    render(&part.body, world, bytes, taken);
                    blank(bytes, TextRange::new(part.body_range.end(), range.end()));
                }
            }
        }
    }
}

/// A loop's text is its body once: blank its own tags, which are what the body does not contain.
fn blank_around(
    bytes: &mut [u8],
    range: TextRange,
    body: &[Piece],
    world: &World<'_>,
    taken: &mut Vec<TextRange>,
) {
    let text = &bytes[usize::from(range.start())..usize::from(range.end())];
    let head = text.windows(2).position(|w| w == b"%}").map_or(text.len(), |n| n + 2);
    let tail = text.windows(2).rposition(|w| w == b"{%").unwrap_or(0).max(head);
    let base = usize::from(range.start());
    blank(bytes, crate::range(base, base + head));
    blank(bytes, crate::range(base + tail, usize::from(range.end())));
    render(body, world, bytes, taken);
}

/// Calls that only have an effect: they abort, or print a comment line.
fn prints_nothing(expr: &Expr) -> bool {
    expr.as_call().is_some_and(|(name, ..)| {
        matches!(
            name,
            "error" | "custom_error" | "max_threads" | "backend_hint" | "cache_ttl" | "activate" | "disable"
        )
    })
}

/// What is decided so far about conditions.
struct World<'t> {
    text: &'t str,
    truth: FxHashMap<String, bool>,
    /// `lhs == literal` decided true: lhs to literal.
    equal: FxHashMap<String, String>,
    /// Which part each `try` runs, by its offset.
    parts: FxHashMap<u32, usize>,
    decided: Vec<(String, bool)>,
}

impl<'t> World<'t> {
    fn new(text: &'t str) -> Self {
        let (truth, equal, parts) = (FxHashMap::default(), FxHashMap::default(), FxHashMap::default());
        Self { text, truth, equal, parts, decided: Vec::new() }
    }

    /// Extends the assignment so that all constraints hold; leaves it unchanged when that is impossible.
    fn satisfy(&mut self, constraints: &Constraints<'_>) -> bool {
        let (truth, equal, parts, decided) =
            (self.truth.clone(), self.equal.clone(), self.parts.clone(), self.decided.len());
        let satisfied = constraints.iter().all(|constraint| match constraint {
            Constraint::Holds(expr, want) => self.force(expr, *want),
            Constraint::Part(offset, part) => *self.parts.entry(*offset).or_insert(*part) == *part,
        });
        if !satisfied {
            (self.truth, self.equal, self.parts) = (truth, equal, parts);
            self.decided.truncate(decided);
        }
        satisfied
    }

    fn force(&mut self, expr: &Expr, want: bool) -> bool {
        match &expr.kind {
            ExprKind::Not(inner) => self.force(inner, !want),
            ExprKind::Bool { and, operands } if *and == want => operands.iter().all(|e| self.force(e, want)),
            ExprKind::Bool { operands, .. } => {
                operands.iter().any(|e| self.known(e) == Some(want))
                    || operands.iter().any(|e| self.satisfy(&vec![Constraint::Holds(e, want)]))
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
                _ => self.equal.insert(left, literal),
            };
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
    fn holds(&self, expr: &Expr) -> bool {
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

fn squeeze(text: &str) -> String {
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

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::{Expect, expect};

    fn check(text: &str, expected: &Expect) {
        let template = super::super::parse(text);
        let mut out = String::new();
        for v in variants(text, &template) {
            assert_eq!(v.text.len(), text.len());
            let witness: Vec<_> = v.witness.iter().map(|(k, b)| format!("{k}={b}")).collect();
            out += &format!("{} [{}]\n", squeeze(&v.text), witness.join(", "));
        }
        expected.assert_eq(&out);
    }

    #[test]
    fn every_arm_is_taken_once_and_defined_has_one_truth() {
        check(
            "% a {% if defined(x) %}b{% else %}c{% end %} d {% if not defined(x) %}e{% else %}f{% end %}",
            &expect![[r#"
                a c d e []
                a b d f [defined(x)=true]
            "#]],
        );
        check(
            "%{% if m == 'a' %}A{% elif m == 'b' %}B{% else %}C{% end %}{% if m == 'a' and defined(z) %}Z{% end %}",
            &expect![[r#"
                C []
                A Z [m == 'a'=true, defined(z)=true]
                B [m == 'a'=false, m == 'b'=true]
            "#]],
        );
    }

    #[test]
    fn arms_that_continue_a_query_make_one_text() {
        let all = |text: &str| all_arms(text, &super::super::parse(text)).map(|t| squeeze(&t));
        assert_eq!(
            all("% FROM a {% if x %} AND b {% if y %}AND c{% end %}{% else %} {% end %} {% if z %}LIMIT 1{% end %}")
                .as_deref(),
            Some("FROM a AND b AND c LIMIT 1")
        );
        assert_eq!(all("FROM {% if x %} a {% else %} b {% end %}"), None);
        assert_eq!(all("FROM {% if x %} group_by_a {% else %} group_by_b {% end %}"), None);
        assert_eq!(all("FROM a {% if x %}, b {% end %}"), None);
        assert_eq!(
            all("FROM a {% if x %} JOIN b USING c {% end %}").as_deref(),
            Some("FROM a JOIN b USING c")
        );
    }

    #[test]
    fn unreachable_arms_make_no_variant() {
        check(
            "{% if defined(a) %}{% if not defined(a) %}never{% end %}x{% end %}{{error('no')}}{% for i in l %}i{% end %}",
            &expect![[r#"
                i []
                x i [defined(a)=true]
            "#]],
        );
    }

    #[test]
    fn every_part_of_a_try_is_taken() {
        check(
            "FROM {% try %}{{x}} a{% except %}b{% end %}",
            &expect![[r"
                FROM {{x}} a []
                FROM b []
            "]],
        );
    }

    #[test]
    fn many_independent_arms_need_two_variants() {
        let text: String = (0..50).map(|n| format!("{{% if defined(p{n}) %}}x{{% end %}}")).collect();
        assert_eq!(variants(&text, &super::super::parse(&text)).len(), 2);
    }
}
