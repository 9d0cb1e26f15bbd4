//! Renames: of anything that has a name, to names that are new, taken, or words of SQL.

use std::collections::BTreeMap;

use camino::Utf8PathBuf;
use headwater_analysis::{File, TextRange, TextSize};
use headwater_ide::{Change, NameKind, Refusal, Renamable, prepare_rename, rename};

use super::world::{Seen, World, is_made, worse};
use super::{Options, Tally, generic};
use crate::catalog::Random;

const KINDS: [NameKind; 6] = [
    NameKind::Column,
    NameKind::Node,
    NameKind::Parameter,
    NameKind::Resource,
    NameKind::Local,
    NameKind::Column,
];

/// Names that mean something in SQL or in templates.
const HARD: &[&str] = &[
    "from",
    "order",
    "select",
    "limit",
    "date",
    "timestamp",
    "interval",
    "key",
    "value",
    "count",
    "sum",
    "end",
    "if",
    "format",
    "final",
    "left",
    "array",
    "null",
    "true",
    "in",
    "as",
    "table",
    "default",
    "group",
    "values",
    "set",
    "not",
    "is",
    "distinct",
    "case",
    "with",
    "String",
    "defined",
    "column",
    "NODE",
    "TYPE",
    "_part",
    "x1",
];

/// How often a place of the wanted kind is looked for.
const TRIES: usize = 60;

pub(super) fn run(world: &mut World, seen: &Seen, options: &Options, random: &mut Random, tally: &mut Tally) {
    let files = world.members();
    if files.is_empty() {
        return;
    }
    let words = words(world, &files);
    for n in 0..options.renames {
        let kind = KINDS[n % KINDS.len()];
        let Some((file, found)) = pick(world, &files, kind, random) else { continue };
        let to = match random.below(10) {
            0..=3 => format!("zz_{n}"),
            4 | 5 => format!("{}_{n}", found.name),
            6 | 7 if !words.is_empty() => words[random.below(words.len())].clone(),
            _ => HARD[random.below(HARD.len())].to_owned(),
        };
        if to != found.name {
            one(world, seen, file, &found, &to, options.proves.then_some(&mut *random), tally);
        }
    }
}

/// Every word of the project's files that could be a name.
fn words(world: &World, files: &[File]) -> Vec<String> {
    let mut out: Vec<String> = files
        .iter()
        .flat_map(|file| {
            let text = file.text(world.db());
            let parts = text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_'));
            parts
                .filter(|w| w.starts_with(|c: char| c.is_ascii_alphabetic()))
                .map(str::to_owned)
                .collect::<Vec<_>>()
        })
        .collect();
    out.sort();
    out.dedup();
    out
}

/// A place of that kind.
fn pick(world: &World, files: &[File], kind: NameKind, random: &mut Random) -> Option<(File, Renamable)> {
    for _ in 0..TRIES {
        let file = files[random.below(files.len())];
        let text = file.text(world.db());
        if text.is_empty() {
            continue;
        }
        let at = random.below(text.len());
        let is_word = |b: &u8| b.is_ascii_alphanumeric() || *b == b'_';
        let start = text.as_bytes()[..at].iter().rposition(|b| !is_word(b)).map_or(0, |n| n + 1);
        if !text.as_bytes().get(start).is_some_and(is_word) {
            continue;
        }
        let offset = TextSize::try_from(start).ok()?;
        if let Ok(found) = prepare_rename(world.db(), file, offset)
            && found.kind == kind
        {
            return Some((file, found));
        }
    }
    None
}

fn one(
    world: &mut World,
    seen: &Seen,
    file: File,
    found: &Renamable,
    to: &str,
    planting: Option<&mut Random>,
    tally: &mut Tally,
) {
    let Renamable { range, name, kind } = found;
    let path = world.path(file);
    let line = file.text(world.db())[..usize::from(range.start())].matches('\n').count() + 1;
    let label = format!("{} {}:{line} {kind:?} `{name}` → `{to}`", world.subject.name, file.path(world.db()));
    let counts = tally.edits.entry(format!("rename {kind:?}")).or_default();
    let change = match rename(world.db(), file, range.start(), to) {
        Ok(change) => change,
        Err(Refusal(why)) => {
            counts.1 += 1;
            tally.refusals.entry(generic(&why)).or_insert((0, label)).0 += 1;
            return;
        }
    };
    counts.0 += 1;
    let before = world.files.clone();
    let new = match world.changed(&change, false) {
        Ok(new) => new,
        Err(why) => return tally.faults.push(format!("{label}\n      {why}")),
    };
    if new == before {
        return tally.faults.push(format!("{label}\n      changes nothing"));
    }
    let moved = moved(world, &change);
    world.set(new);
    let after = world.look();
    tally.faults.extend(worse(seen, &after, &moved, true).into_iter().map(|w| format!("{label}\n      {w}")));
    // The place where the new name stands now.
    let shift: i64 = change
        .edits
        .iter()
        .filter(|(f, _)| *f == file)
        .flat_map(|(_, edits)| edits)
        .filter(|e| e.range.end() <= range.start() && is_made(e, &change))
        .map(|e| e.text.len() as i64 - i64::from(u32::from(e.range.len())))
        .sum();
    let at = i64::from(u32::from(range.start())) + shift;
    let at = TextSize::from(u32::try_from(at).unwrap_or_default());
    let now = world.file(moved.get(&path).unwrap_or(&path));
    let stands = now.is_some_and(|f| {
        let text = f.text(world.db());
        text.get(std::ops::Range::from(TextRange::at(at, TextSize::of(to)))) == Some(to)
    });
    match now.filter(|_| stands) {
        // The name went where the text said it already.
        None => {}
        Some(now) => match rename(world.db(), now, at, name) {
            Err(Refusal(why)) => tally.faults.push(format!("{label}\n      back: {why}")),
            Ok(back) => match world.changed(&back, false) {
                Err(why) => tally.faults.push(format!("{label}\n      back: {why}")),
                Ok(undone) => {
                    tally.undone += 1;
                    if let Some(path) = difference(&before, &undone, name) {
                        tally.faults.push(format!("{label}\n      there and back is not the same: {path}"));
                    }
                }
            },
        },
    }
    world.set(before.clone());
    // With what somebody has to agree to.
    if change.edits.iter().flat_map(|(_, e)| e).any(|e| !is_made(e, &change))
        && let Ok(agreed) = world.changed(&change, true)
    {
        world.set(agreed);
        let after = world.look();
        tally.faults.extend(
            worse(seen, &after, &moved, true).into_iter().map(|w| format!("{label} (agreed)\n      {w}")),
        );
        world.set(before.clone());
    }
    // A parameter that is left out is another parameter, which nobody can refuse.
    if let Some(random) = planting.filter(|_| *kind != NameKind::Parameter) {
        plant(world, seen, &change, &label, random, tally);
        world.set(before);
    }
}

/// Leaves out one edit, and sees whether that is noticed.
fn plant(
    world: &mut World,
    seen: &Seen,
    change: &Change,
    label: &str,
    random: &mut Random,
    tally: &mut Tally,
) {
    let all: Vec<(usize, usize)> = change
        .edits
        .iter()
        .enumerate()
        .flat_map(|(f, (_, edits))| (0..edits.len()).map(move |e| (f, e)))
        // What is annotated is beside the queries.
        .filter(|(f, e)| change.edits[*f].1[*e].annotation.is_none())
        .collect();
    if all.len() < 2 {
        return;
    }
    let (f, e) = all[random.below(all.len())];
    let mut worsened = change.clone();
    let left_out = worsened.edits[f].1.remove(e);
    let Ok(new) = world.changed(&worsened, false) else { return };
    let moved = moved(world, change);
    let place = world.path(change.edits[f].0);
    world.set(new);
    let after = world.look();
    tally.planted.1 += 1;
    if worse(seen, &after, &moved, true).is_empty() {
        let at = u32::from(left_out.range.start());
        tally.unnoticed.push(format!("{label}, without the edit at {at} of {place}"));
    } else {
        tally.planted.0 += 1;
    }
}

fn moved(world: &World, change: &Change) -> BTreeMap<Utf8PathBuf, Utf8PathBuf> {
    let root = &world.loaded.root.path;
    change.renamed.iter().map(|(from, to)| (root.join(from), root.join(to))).collect()
}

/// The first file that differs, and how.
///
/// `t.x AS x` says no more than `t.x`: once the alias says something else, nobody can tell whether there was one.
fn difference(before: &super::world::Texts, after: &super::world::Texts, name: &str) -> Option<String> {
    let paths = before.keys().chain(after.keys());
    for path in paths {
        let (old, new) = (before.get(path), after.get(path));
        if old == new {
            continue;
        }
        let text = |bytes: Option<&Vec<u8>>| {
            bytes.map(|b| String::from_utf8_lossy(b).into_owned()).unwrap_or_default()
        };
        let (old, new) = (text(old), text(new));
        let without = |text: &str| text.replace(&format!(".{name} AS {name}"), &format!(".{name}"));
        if without(&old) == without(&new) {
            continue;
        }
        let line = old.lines().zip(new.lines()).find(|(a, b)| a != b);
        let (a, b) = line.unwrap_or(("(all)", "(nothing)"));
        return Some(format!(
            "{}: `{}` became `{}`",
            path.file_name().unwrap_or_default(),
            a.trim(),
            b.trim()
        ));
    }
    None
}
