//! Variants: the SQL texts that a template can become, as far as structure goes.
//!
//! A variant is a *consistent* assignment of truth to conditions: `defined(a)` has one truth in it, and `x == 'a'`
//! excludes `x == 'b'`. Enough variants are made that every reachable arm is taken at least once. Their number is
//! at most the number of arms plus one, never the cross product, and in practice two or three, because arms that
//! can be taken together are.

use std::collections::VecDeque;

use headwater_syntax::template::{Expr, Parameter, Piece, Template};
use rustc_hash::FxHashSet;
use text_size::{TextRange, TextSize};

use super::facts::Facts;
use super::witness::Witness;
use super::world::{Constraint, Constraints, World};

/// One consistent choice of arms.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Variant {
    /// The template's text with everything that is not chosen, and every control tag, replaced by spaces: offsets
    /// stay. Output tags stay as they are.
    pub text: String,
    /// The conditions that were decided, with their truth, in order of decision.
    pub conditions: Vec<(String, bool)>,
    /// A request that the template becomes this text for.
    pub witness: Witness,
}

/// Bytes of all variants together. A template that anybody reads has a hundred kilobytes of them; each is parsed as SQL,
/// so this is what bounds the time that a query may take. Two variants of the longest query fit.
const MAX_BYTES: usize = 2 * headwater_syntax::sql::MAX_BYTES;

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
    Some(solve(text, template)?.0)
}

/// The bodies of the arms that no request reaches, in order of position. `None` as for [`variants`].
pub fn unreachable_arms(text: &str, template: &Template) -> Option<Vec<TextRange>> {
    Some(solve(text, template)?.1)
}

/// A request for which the text at `offset` is part of the query; `None` when there is none, or it takes too much work to
/// find.
pub fn witness_at(text: &str, template: &Template, offset: TextSize) -> Option<Witness> {
    let facts = Facts::new(text, template);
    let mut arms = Vec::new();
    collect_arms(&template.pieces, &mut Vec::new(), &mut arms, &mut Budget(MAX_CONDITIONS))?;
    let mut world = World::new(&facts);
    // The innermost arm is the last one that holds the offset, and has what those around it need.
    if let Some((_, constraints)) = arms.iter().rev().find(|(body, _)| body.contains(offset))
        && !world.satisfy(constraints)
    {
        return None;
    }
    Some(world.witness(|p| p.range.contains(offset)))
}

fn solve(text: &str, template: &Template) -> Option<(Vec<Variant>, Vec<TextRange>)> {
    let mut budget = Budget(MAX_CONDITIONS);
    let facts = Facts::new(text, template);
    let mut arms = Vec::new();
    collect_arms(&template.pieces, &mut Vec::new(), &mut arms, &mut budget)?;
    let mut pending: VecDeque<usize> = (0..arms.len()).collect();
    let (mut out, mut unreachable) = (Vec::new(), Vec::new());
    let mut world = World::new(&facts);
    loop {
        if !out.is_empty() && (out.len() + 1) * text.len() > MAX_BYTES {
            return None;
        }
        let mut taken = FxHashSet::default();
        let mut bytes = text.as_bytes().to_vec();
        blank_marker(text, &mut bytes);
        render(&template.pieces, &world, &mut bytes, &mut taken);
        // Blanked ranges start and end at tag delimiters, so the text stays valid UTF-8.
        let masked = String::from_utf8(bytes).unwrap_or_default();
        let is_printed = |p: &Parameter| !masked[p.range].bytes().all(|b| b == b' ');
        let witness = world.witness(is_printed);
        out.push(Variant { conditions: world.decided(), witness, text: masked });
        pending.retain(|n| !taken.contains(&arms[*n].0));
        // The first variant decides nothing: no parameter is passed. Each later one takes as many of the arms
        // still missing as go together; arms that contradict themselves are unreachable and dropped.
        loop {
            let Some(first) = pending.pop_front() else {
                unreachable.sort_by_key(|range: &TextRange| range.start());
                return Some((out, unreachable));
            };
            world = World::new(&facts);
            budget.spend(1 + arms[first].1.len())?;
            if world.satisfy(&arms[first].1) {
                break;
            }
            unreachable.push(arms[first].0);
        }
        // Which arms go together is worth so much work and no more; each of them is taken in the end.
        for n in pending.iter().take_while(|_| facts.step()) {
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
        Piece::Set { range, .. }
        | Piece::Jump { range, .. }
        | Piece::Escape(range)
        | Piece::Silent(range) => {
            blank(&mut bytes, *range);
        }
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
            Piece::Loop { parts, .. } => {
                for part in parts {
                    collect_arms(&part.body, path, out, budget)?;
                }
            }
            _ => {}
        }
    }
    Some(())
}

fn render<'t>(
    pieces: &'t [Piece],
    world: &World<'t, '_>,
    bytes: &mut [u8],
    taken: &mut FxHashSet<TextRange>,
) {
    for piece in pieces {
        match piece {
            Piece::Output { range, expr } => {
                if prints_nothing(expr) {
                    blank(bytes, *range);
                }
            }
            // What an escape writes stands in strings, and means nothing to a query.
            Piece::Set { range, .. }
            | Piece::Jump { range, .. }
            | Piece::Escape(range)
            | Piece::Silent(range) => {
                blank(bytes, *range);
            }
            // A loop's text is its body once.
            Piece::Loop { range, parts, .. } => {
                let mut at = range.start();
                for part in parts {
                    blank(bytes, TextRange::new(at, part.body_range.start()));
                    render(&part.body, world, bytes, taken);
                    at = part.body_range.end();
                }
                blank(bytes, TextRange::new(at, range.end()));
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
                let chosen = world.part(range.start().into());
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
mod tests;
