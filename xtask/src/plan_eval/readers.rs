//! Who breaks, by the engine: every node that it took before and refuses now has to be a victim of the plan, and every victim
//! of the plan has to be refused.

use std::collections::BTreeSet;

use headwater_analysis::{Database, Project, interface, resource_name};
use headwater_oracle::{Session, tables};
use headwater_plan::{Class, Key, Plan, Release, compile};

use super::places::{Judgement, Place, fingerprint_of, judge, places, reads_any};

/// What came of a plan.
#[derive(Debug, Default)]
pub(super) struct Verdicts {
    /// Nodes that the engine took before and whose surroundings changed.
    pub(super) judged: usize,
    /// Of those: refused now, and named by the plan.
    pub(super) named: usize,
    /// Refused now, and what they read is refused by the plan for another reason.
    pub(super) covered: usize,
    /// Refused now, not touched themselves, and the plan refuses nothing of it.
    pub(super) missed: Vec<String>,
    /// Refused now because of their own new text, which `check` reports.
    pub(super) edited: usize,
    /// Victims of the plan that the engine refuses now.
    pub(super) victims: usize,
    /// Victims of the plan that the engine takes.
    pub(super) false_victims: Vec<String>,
}

/// Rules whose dependents are those that break.
const BREAKS: &[&str] = &[
    "drop-column-read",
    "rename-column",
    "retype-column",
    "not-null-column",
    "nullable-column",
    "widen-column",
    "low-cardinality",
    "delete-read",
    "pipe-column-read",
];

pub(super) fn judged(
    db: &Database,
    before: Project,
    after: Project,
    plan: &Plan,
    session: &mut Session,
) -> Verdicts {
    let mut out = Verdicts::default();
    let (old, new) = (compile(db, before), compile(db, after));
    let (was, is) = (places(db, before), places(db, after));
    let victims: BTreeSet<(String, String)> = plan
        .changes
        .iter()
        .filter(|c| c.class == Class::Refuse && BREAKS.contains(&c.rule.name))
        .flat_map(|c| c.dependents.iter().map(move |d| (c, d)))
        .filter_map(|(c, d)| Some((c, (d.resource.clone(), d.node.clone()?))))
        // The query of a view whose target is gone is no worse for it.
        .filter(|(c, own)| c.rule.name != "delete-read" || !only_writes(&new, own, &c.resource))
        .map(|(_, own)| own)
        .collect();
    let (tables_before, tables_after) = (tables(db, before), tables(db, after));
    let mut pairs: Vec<(Place, Place)> = Vec::new();
    for place in is.iter().filter(|p| p.node.is_some()) {
        let twin = was.iter().find(|w| {
            w.file.path(db) == place.file.path(db) && w.node.is_some() && label(db, **w) == label(db, *place)
        });
        let Some(twin) = twin else { continue };
        let is_victim = victims.contains(&label(db, *place));
        if is_victim || fingerprint_of(db, &tables_before, *twin) != fingerprint_of(db, &tables_after, *place)
        {
            pairs.push((*twin, *place));
        }
    }
    let first: Vec<Place> = pairs.iter().map(|(was, _)| *was).collect();
    let then: Vec<Place> = pairs.iter().map(|(_, is)| *is).collect();
    let first = judge(db, before, session, &first);
    let now = judge(db, after, session, &then);
    let refused: Vec<Place> = then
        .iter()
        .zip(&now)
        .filter(|(_, j)| matches!(j, Judgement::Refuses(_)))
        .map(|(place, _)| *place)
        .collect();
    for ((place, judgement), before) in then.iter().zip(now).zip(first) {
        let own = label(db, *place);
        let is_victim = victims.contains(&own);
        if is_victim {
            match &judgement {
                Judgement::Refuses(_) => out.victims += 1,
                Judgement::Takes if before == Judgement::Takes => {
                    let is_it = |d: &headwater_plan::Dependent| {
                        d.resource == own.0 && d.node.as_deref() == Some(&own.1)
                    };
                    let said = plan
                        .changes
                        .iter()
                        .find(|c| c.class == Class::Refuse && c.dependents.iter().any(is_it));
                    let reason = said.map(|c| c.reason.as_str()).unwrap_or_default();
                    out.false_victims.push(format!("{}:{}: {reason}", own.0, own.1));
                }
                _ => {}
            }
        }
        if before != Judgement::Takes {
            continue;
        }
        out.judged += 1;
        let Judgement::Refuses(words) = judgement else { continue };
        if is_victim {
            out.named += 1;
        } else if reads_any(db, *place, &refused, 24) {
            // It is broken where it reads.
        } else if !is_same(&old, &new, &own) {
            out.edited += 1;
        } else if is_covered(plan, &new, &own) {
            out.covered += 1;
        } else {
            let words: String =
                words.split_whitespace().collect::<Vec<_>>().join(" ").chars().take(220).collect();
            out.missed.push(format!("{}:{}: {words}", own.0, own.1));
        }
    }
    out
}

/// Whether a node writes a resource, also by its name without a version, and does not read it.
fn only_writes(release: &Release<'_>, (pipe, node): &(String, String), resource: &str) -> bool {
    let base = resource.rsplit_once("__v").map(|(base, _)| base);
    let is_it = |name: &str| name == resource || Some(name) == base;
    let pipe = release.get(&Key::table(pipe.as_str())).and_then(|d| d.pipe());
    let node = pipe.and_then(|p| p.nodes.iter().find(|n| n.name == *node));
    node.is_some_and(|n| n.writes.as_deref().is_some_and(is_it) && !n.reads.iter().any(|r| is_it(&r.name)))
}

/// Names of a pipe and its node.
fn label(db: &Database, place: Place) -> (String, String) {
    let face = interface(db, place.file).as_ref();
    let node = place.node.and_then(|n| Some(face?.nodes.get(n)?.name.clone()));
    (resource_name(db, place.file).clone(), node.unwrap_or_default())
}

fn is_same(old: &Release<'_>, new: &Release<'_>, (pipe, node): &(String, String)) -> bool {
    let of = |release: &Release<'_>| {
        let pipe = release.get(&Key::table(pipe.as_str()))?.pipe()?;
        pipe.nodes.iter().find(|n| n.name == *node).map(|n| (n.sql.clone(), n.writes.clone()))
    };
    of(old).is_some() && of(old) == of(new)
}

/// Whether the plan refuses the pipe, or a resource that it is made of or writes.
fn is_covered(plan: &Plan, new: &Release<'_>, (pipe, _): &(String, String)) -> bool {
    let mut names: BTreeSet<String> = BTreeSet::from([pipe.clone()]);
    let mut todo = vec![pipe.clone()];
    while let Some(name) = todo.pop() {
        let Some(body) = new.get(&Key::table(name.as_str())).and_then(|d| d.pipe()) else { continue };
        let reads = body.nodes.iter().flat_map(|n| n.reads.iter().map(|r| r.name.clone()));
        let writes = body.nodes.iter().filter_map(|n| n.writes.clone());
        for next in reads.chain(writes) {
            if names.insert(next.clone()) {
                todo.push(next);
            }
        }
    }
    plan.changes.iter().any(|c| c.class == Class::Refuse && names.contains(&c.resource))
}
