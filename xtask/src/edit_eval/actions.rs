//! Code actions: all that are offered at diagnostics and at random places, of projects as they are and of broken ones.

use std::collections::{BTreeMap, BTreeSet};

use headwater_analysis::{Diagnostic, File, TextRange, TextSize, diagnostics};
use headwater_ide::{ActionKind, CodeAction, code_actions, resolve_action};

use super::world::{Seen, World, worse};
use super::{Options, Tally, generic};
use crate::catalog::Random;
use crate::mutation_eval::mutate::sites;

/// Random places of each file where actions are asked for.
const PLACES: usize = 6;

type Offered = (File, TextRange, CodeAction);

pub(super) fn run(world: &mut World, seen: &Seen, options: &Options, random: &mut Random, tally: &mut Tally) {
    let files = world.members();
    let mut all = Vec::new();
    for file in &files {
        let text = file.text(world.db());
        let mut ranges: Vec<TextRange> = diagnostics(world.db(), *file).iter().map(|d| d.range).collect();
        for _ in 0..PLACES {
            let at = random.below(text.len() + 1);
            let at = (0..=at).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
            ranges.extend(TextSize::try_from(at).ok().map(TextRange::empty));
        }
        offered(world, *file, &ranges, &mut all);
    }
    for offered in few(all, options.actions, random) {
        one(world, seen, &offered, "", tally);
    }
    broken(world, options, random, tally);
}

/// Every action at these ranges, once.
fn offered(world: &World, file: File, ranges: &[TextRange], out: &mut Vec<Offered>) {
    let mut known = BTreeSet::new();
    for range in ranges {
        for action in code_actions(world.db(), file, *range) {
            if known.insert((action.id.clone(), action.title.clone())) {
                out.push((file, *range, action));
            }
        }
    }
}

/// Some of the actions, of every kind as many as there are places for.
fn few(all: Vec<Offered>, count: usize, random: &mut Random) -> Vec<Offered> {
    let mut by_kind: BTreeMap<String, Vec<Offered>> = BTreeMap::new();
    for offered in all {
        by_kind.entry(kind(&offered.2)).or_default().push(offered);
    }
    let mut out = Vec::new();
    while out.len() < count && !by_kind.is_empty() {
        by_kind.retain(|_, list| {
            if out.len() < count {
                out.push(list.swap_remove(random.below(list.len())));
            }
            !list.is_empty()
        });
    }
    out
}

fn kind(action: &CodeAction) -> String {
    match action.mends {
        Some((code, _)) => format!("fix {code}"),
        None => action.id.split('@').next().unwrap_or_default().to_owned(),
    }
}

fn one(world: &mut World, seen: &Seen, (file, range, action): &Offered, what: &str, tally: &mut Tally) {
    let text = file.text(world.db());
    let line = text[..usize::from(range.start())].matches('\n').count() + 1;
    let label = format!("{} {}:{line} {}{what}", world.subject.name, file.path(world.db()), action.title);
    let counts = tally.edits.entry(kind(action)).or_default();
    let Some(change) = resolve_action(world.db(), *file, *range, &action.id) else {
        counts.1 += 1;
        tally.empty.entry(generic(&action.title)).or_insert((0, label)).0 += 1;
        return;
    };
    counts.0 += 1;
    let words = action.mends.and_then(|(code, range)| {
        let all = diagnostics(world.db(), *file);
        all.iter().find(|d| d.code.name == code && d.range == range).map(|d| d.message.clone())
    });
    let of_code = |world: &World, code: &str| {
        let is_it = |d: &&Diagnostic| d.code.name == code && Some(&d.message) == words.as_ref();
        diagnostics(world.db(), *file).iter().filter(is_it).count()
    };
    let mended = action.mends.filter(|_| action.kind == ActionKind::QuickFix);
    let was = mended.map(|(code, _)| of_code(world, code));
    let dialect = |world: &World| headwater_analysis::dialect(world.db(), world.subject.project).dialect;
    let was_dialect = dialect(world);
    let before = world.files.clone();
    match world.changed(&change, true) {
        Err(why) => tally.faults.push(format!("{label}\n      {why}")),
        Ok(new) if new == before => tally.faults.push(format!("{label}\n      changes nothing")),
        Ok(new) => {
            world.set(new);
            let after = world.look();
            let moved = BTreeMap::new();
            let mut faults = worse(seen, &after, &moved, false);
            // A project whose last mark of Classic went is judged by other rules from now on.
            if dialect(world) != was_dialect {
                tally.dialects += 1;
                faults.clear();
            }
            // Behind an error that is mended another one may come to light: as long as there are not more of them.
            if mended.is_some() && after.remarks <= seen.remarks {
                let count = faults.len();
                // So with the table of the file: a directive that nobody knew said nothing to the engine.
                let table = format!(
                    "the engine refuses {}:: ",
                    file.path(world.db()).file_name().unwrap_or_default()
                );
                faults.retain(|fault| !fault.starts_with("error[") && !fault.starts_with(&table));
                tally.revealed += count - faults.len();
            }
            tally.faults.extend(faults.into_iter().map(|w| format!("{label}\n      {w}")));
            if let (Some((code, _)), Some(was)) = (mended, was)
                && of_code(world, code) >= was
            {
                tally.faults.push(format!("{label}\n      {code} is still there"));
            }
            world.set(before);
        }
    }
}

/// Breaks the project, and mends it with what is offered.
fn broken(world: &mut World, options: &Options, random: &mut Random, tally: &mut Tally) {
    let all = sites(world.db(), world.subject.project);
    let kinds: BTreeSet<&str> = all.iter().flat_map(|s| s.kinds()).collect();
    let kinds: Vec<&str> = kinds.into_iter().collect();
    if kinds.is_empty() {
        return;
    }
    let whole = world.files.clone();
    for n in 0..options.mutations {
        let kind = kinds[n % kinds.len()];
        let of_kind: Vec<_> = all.iter().filter(|s| s.kinds().any(|k| k == kind)).collect();
        let Some(mutation) = of_kind[random.below(of_kind.len())].pick(kind, random) else { continue };
        let file = mutation.file;
        let text = file.text(world.db());
        let what = format!(" (after: {})", mutation.describe(world.db(), &text));
        let known: Vec<TextRange> = diagnostics(world.db(), file).iter().map(|d| d.range).collect();
        let mut files = whole.clone();
        files.insert(world.path(file), mutation.apply(&text).into_bytes());
        world.set(files);
        let now = world.look();
        let mut offers = Vec::new();
        let ranges: Vec<TextRange> =
            diagnostics(world.db(), file).iter().map(|d| d.range).filter(|r| !known.contains(r)).collect();
        offered(world, file, &ranges, &mut offers);
        offers.retain(|(_, _, action)| action.mends.is_some());
        for offered in few(offers, 4, random) {
            one(world, &now, &offered, &what, tally);
        }
        world.set(whole.clone());
    }
}
