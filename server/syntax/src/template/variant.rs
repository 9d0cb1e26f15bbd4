//! Variants: the SQL texts that a template can become, as far as structure goes.
//!
//! A variant is a *consistent* assignment of truth to conditions: `defined(a)` has one truth in it, and `x == 'a'`
//! excludes `x == 'b'`. Enough variants are made that every reachable arm is taken at least once. Their number is
//! at most the number of arms plus one, never the cross product, and in practice two or three, because arms that
//! can be taken together are.

use std::collections::VecDeque;

use rustc_hash::FxHashSet;
use text_size::TextRange;

use super::expr::Expr;
use super::tree::{Piece, Template};
use super::world::{Constraint, World};

/// One consistent choice of arms.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Variant {
    /// The template's text with everything that is not chosen, and every control tag, replaced by spaces: offsets
    /// stay. Output tags stay as they are.
    pub text: String,
    /// The conditions that were decided, with their truth, in order of decision.
    pub witness: Vec<(String, bool)>,
}

type Constraints<'t> = Vec<Constraint<'t>>;

/// Bytes of all variants together. A template that anybody reads has a hundred kilobytes of them; each is parsed as SQL,
/// so this is what bounds the time that a query may take. Two variants of the longest query fit.
const MAX_BYTES: usize = 2 * crate::sql::MAX_BYTES;

/// How many conditions may be looked at in all. A chain of a hundred `elif` needs a third of it; the number grows with
/// the cube of the chain's length.
const MAX_CONDITIONS: usize = 1_000_000;

/// What is left of [`MAX_CONDITIONS`].
struct Budget(usize);

impl Budget {
    fn spend(&mut self, conditions: usize) -> Option<()> {
        self.0 = self.0.checked_sub(conditions)?;
        Some(())
    }
}

/// All variants of a template. At most `arms + 1` texts, each as long as the template. `None` when the arms exclude each
/// other so often that this would take more work than any query justifies.
pub fn variants(text: &str, template: &Template) -> Option<Vec<Variant>> {
    let mut budget = Budget(MAX_CONDITIONS);
    let mut arms = Vec::new();
    collect_arms(&template.pieces, &mut Vec::new(), &mut arms, &mut budget)?;
    let mut pending: VecDeque<usize> = (0..arms.len()).collect();
    let mut out = Vec::new();
    let mut world = World::new(text);
    loop {
        if !out.is_empty() && (out.len() + 1) * text.len() > MAX_BYTES {
            return None;
        }
        let mut taken = FxHashSet::default();
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
            let Some(first) = pending.pop_front() else { return Some(out) };
            world = World::new(text);
            budget.spend(1 + arms[first].1.len())?;
            if world.satisfy(&arms[first].1) {
                break;
            }
        }
        for n in &pending {
            budget.spend(1 + arms[*n].1.len())?;
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
    budget: &mut Budget,
) -> Option<()> {
    for piece in pieces {
        match piece {
            Piece::If { arms, .. } => {
                let depth = path.len();
                for arm in arms {
                    let before = path.len();
                    if let Some(condition) = &arm.condition {
                        path.push(Constraint::Holds(condition, true));
                    }
                    budget.spend(path.len())?;
                    out.push((arm.body_range, path.clone()));
                    collect_arms(&arm.body, path, out, budget)?;
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
                    budget.spend(path.len())?;
                    out.push((part.body_range, path.clone()));
                    collect_arms(&part.body, path, out, budget)?;
                    path.pop();
                }
            }
            Piece::Loop { body, .. } => collect_arms(body, path, out, budget)?,
            Piece::Output { .. } | Piece::Set { .. } | Piece::Silent(_) => {}
        }
    }
    Some(())
}

fn render(pieces: &[Piece], world: &World<'_>, bytes: &mut [u8], taken: &mut FxHashSet<TextRange>) {
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
                        taken.insert(arm.body_range);
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
                    taken.insert(part.body_range);
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
    taken: &mut FxHashSet<TextRange>,
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

#[cfg(test)]
mod tests {
    use super::super::world::squeeze;
    use super::*;
    use expect_test::{Expect, expect};

    fn check(text: &str, expected: &Expect) {
        let template = super::super::parse(text);
        let mut out = String::new();
        for v in variants(text, &template).expect("few arms") {
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
    fn tags_out_of_place_are_no_sql() {
        let text = "{% end %}a{% else %}b{% elif c %}d{% except %}e";
        check(
            text,
            &expect![[r#"
            a b d e []
        "#]],
        );
        assert_eq!(
            all_arms(text, &super::super::parse(text)).map(|t| squeeze(&t)).as_deref(),
            Some("a b d e")
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
        assert_eq!(variants(&text, &super::super::parse(&text)).map(|v| v.len()), Some(2));
    }

    #[test]
    fn arms_without_number_are_given_up() {
        let of = |text: &str| variants(text, &super::super::parse(text)).map(|v| v.len());
        let chain = |n: usize| -> String {
            let arms: String = (0..n).map(|n| format!("{{% elif m == {n} %}}x")).collect();
            format!("{{% if m == 'a' %}}{arms}{{% end %}}")
        };
        assert_eq!(of(&chain(80)), Some(82));
        assert_eq!(of(&chain(2_000)), None);
        let exclusive: String = (0..20_000).map(|n| format!("{{% if m == {n} %}}x{{% end %}}")).collect();
        assert_eq!(of(&exclusive), None);
        let unreachable = "{% if False %}x{% end %}".repeat(20_000);
        assert_eq!(of(&unreachable), Some(1));
        let elses = format!("{{% if a %}}{}", "{% else %}".repeat(20_000));
        assert_eq!(of(&elses), None);
    }
}
