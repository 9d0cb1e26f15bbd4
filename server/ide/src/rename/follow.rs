//! A rename that somebody made by hand, in one schema: what it would have done elsewhere.
//!
//! The baseline still has the old name. The rename is worked out there, where every query means what it meant, and its edits
//! are made on the files as they are now, wherever the text around them is the same.

use headwater_analysis::{Db, Directive, File, TextRange, TextSize, datafile};

use crate::change::Change;

/// What is left to do when the column `old` of a data source is called `new` already. `None` without a baseline, where that
/// rename would be refused, and where a text has changed that it would edit.
pub(crate) fn follow(db: &dyn Db, file: File, old: &str, new: &str) -> Option<Change> {
    let project = file.project(db);
    let before = project.baseline(db)?;
    let origin = *before.files(db).iter().find(|f| f.path(db) == file.path(db))?;
    let columns = crate::place::schema_columns(db, origin);
    let (name, ..) = columns.into_iter().find(|(name, ..)| name.value == old)?;
    let quote = TextSize::from(u32::from(origin.text(db)[name.range].starts_with('`')));
    let made = super::rename(db, origin, name.range.start() + quote, new).ok()?;
    let mut change =
        Change { annotations: made.annotations.clone(), outside: made.outside, ..Change::default() };
    for (then, edits) in made.edits {
        let now = *project.files(db).iter().find(|f| f.path(db) == then.path(db))?;
        for edit in edits {
            let waits = |n: usize| made.annotations.get(n).is_some_and(|a| a.needs_confirmation);
            // What keeps live rows is a plan's to offer. The schema says the new name.
            if edit.annotation.is_some_and(waits) || then == origin && is_in_schema(db, then, edit.range) {
                continue;
            }
            let range = moved(db, then, now, edit.range)?;
            change.push(now, range, edit.text, edit.annotation);
        }
    }
    (!change.is_empty() && !change.overlaps()).then_some(change)
}

fn is_in_schema(db: &dyn Db, file: File, range: TextRange) -> bool {
    let parsed = datafile(db, file);
    let entry = parsed.datafile.last(Directive::Schema).filter(|e| e.source == 0);
    entry.is_some_and(|e| e.entry.full_range().contains_range(range))
}

/// A place of one file in another one: in the directive that has the same text there.
fn moved(db: &dyn Db, from: File, to: File, range: TextRange) -> Option<TextRange> {
    let (old, new) = (from.text(db), to.text(db));
    if old == new {
        return Some(range);
    }
    let (before, after) = (datafile(db, from), datafile(db, to));
    let own = |parsed: &headwater_analysis::Parsed| {
        let entries = parsed.datafile.entries.iter().filter(|e| e.source == 0);
        entries.map(|e| (e.entry.directive, e.entry.full_range())).collect::<Vec<_>>()
    };
    let all = own(before);
    let (directive, whole) = *all.iter().find(|(_, whole)| whole.contains_range(range))?;
    let is_it = |text: &str, (d, place): &(Option<Directive>, TextRange)| {
        *d == directive && text[*place] == old[whole]
    };
    // Of several that are alike, the one with the same number.
    let number = all.iter().filter(|e| is_it(&old, e)).position(|(_, place)| *place == whole)?;
    let there = own(after);
    let (_, place) = *there.iter().filter(|e| is_it(&new, e)).nth(number)?;
    Some(range - whole.start() + place.start())
}

#[cfg(test)]
mod tests {
    use headwater_analysis::diagnostics;
    use headwater_test_fixture::Fixture;

    use super::*;
    use crate::change::apply;

    const WAS: &str = "//- was events.datasource\nSCHEMA >\n    `ts` DateTime,\n    `user` String\n\nENGINE MergeTree\nENGINE_SORTING_KEY user\n\
                       //- events.datasource\nSCHEMA >\n    `ts` DateTime,\n    `user_id` String\n\nENGINE MergeTree\nENGINE_SORTING_KEY user\n";

    fn followed(text: &str) -> Option<Vec<String>> {
        let (db, project, _) = Fixture::parse(text).load();
        let files = project.files(&db);
        let change = follow(&db, files[0], "user", "user_id")?;
        let texts = files.iter().map(|f| {
            let edits = change.edits.iter().find(|(file, _)| file == f).map(|(_, e)| e.clone());
            apply(&f.text(&db), &edits.unwrap_or_default())
        });
        Some(texts.collect())
    }

    #[test]
    fn readers_and_keys_follow() {
        let text = format!(
            "{WAS}//- p.pipe\nNODE a\nSQL >\n    SELECT user, count() AS hits FROM events GROUP BY user\nNODE b\nSQL >\n    SELECT user FROM a\nTYPE endpoint\n"
        );
        let (db, project, _) = Fixture::parse(&text).load();
        assert!(diagnostics(&db, project.files(&db)[1]).iter().any(|d| d.code.name == "unknown-column"));
        let now = followed(&text).expect("it can be followed");
        assert!(
            now[0].ends_with("`user_id` String\n\nENGINE MergeTree\nENGINE_SORTING_KEY user_id\n"),
            "{}",
            now[0]
        );
        assert!(
            now[1].contains("SELECT user_id, count() AS hits FROM events GROUP BY user_id"),
            "{}",
            now[1]
        );
        assert!(now[1].contains("SELECT user_id FROM a"), "{}", now[1]);
    }

    #[test]
    fn what_changed_besides_is_left_to_people() {
        let text = format!(
            "{WAS}//- was p.pipe\nNODE a\nSQL >\n    SELECT user FROM events\nTYPE endpoint\n\
             //- p.pipe\nNODE a\nSQL >\n    SELECT user, ts FROM events\nTYPE endpoint\n"
        );
        assert_eq!(followed(&text), None);
        let text = format!(
            "{WAS}//- was p.pipe\nNODE a\nSQL >\n    SELECT user FROM events\nTYPE endpoint\n\
             //- p.pipe\nDESCRIPTION new\nNODE a\nSQL >\n    SELECT user FROM events\nTYPE endpoint\n"
        );
        assert!(followed(&text).is_some_and(|now| now[1].contains("SELECT user_id FROM events")));
    }
}
