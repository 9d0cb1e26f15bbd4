//! Code actions: fixes of diagnostics, and changes that people ask for.
//!
//! One file per family. A family adds [actions](Actions::add) with a closure for the edit; the closure runs only when that
//! action is resolved, so that a list of actions costs next to nothing.

mod classic;
mod create;
mod files;
mod keys;
mod lines;
mod names;
mod nodes;
mod plan;
mod query;
mod remedies;
mod schema;
mod template;

use std::sync::Arc;

use headwater_analysis::{Db, Diagnostic, File, Parsed, TextRange, datafile, diagnostics};

use crate::View;
use crate::change::Change;
use crate::plans::troubles;

pub use create::datasource_from_sample;

/// What an action is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ActionKind {
    /// Mends a diagnostic.
    QuickFix,
    /// Takes a part out into something of its own.
    Extract,
    /// Puts something into the place where it is used.
    Inline,
    /// Says the same in another way.
    Rewrite,
    /// About the whole file.
    Source,
    /// Mends everything in the file that can be mended without thinking.
    FixAll,
    /// Opens a document and changes nothing.
    Show,
}

/// Something that can be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CodeAction {
    /// What [`resolve_action`] knows it by.
    pub id: String,
    /// What is shown.
    pub title: String,
    /// What it is for.
    pub kind: ActionKind,
    /// The diagnostic that it mends: its code and place.
    pub mends: Option<(&'static str, TextRange)>,
    /// Whether it is the one thing to do.
    pub is_preferred: bool,
    /// The document that it opens, of an action that changes nothing.
    pub shows: Option<View>,
}

/// What families look at.
pub(crate) struct Context<'a> {
    pub(crate) db: &'a dyn Db,
    pub(crate) file: File,
    pub(crate) range: TextRange,
    pub(crate) text: Arc<str>,
    pub(crate) parsed: &'a Parsed,
    /// Diagnostics that touch the range.
    pub(crate) diagnostics: Vec<&'a Diagnostic>,
    /// What a plan says of the file, with the rule of each.
    pub(crate) troubles: &'a [(Diagnostic, &'static str)],
}

/// Where families put what they offer.
pub(crate) struct Actions<'a> {
    list: Vec<CodeAction>,
    /// The action whose edit is wanted; none while the list is made.
    wanted: Option<&'a str>,
    change: Option<Change>,
    /// The diagnostic that is being mended.
    mends: Option<(&'static str, TextRange)>,
}

impl Actions<'_> {
    /// Offers an action. `change` runs only when it is chosen, and may find that it cannot be done after all.
    pub(crate) fn add(
        &mut self,
        id: impl Into<String>,
        title: impl Into<String>,
        kind: ActionKind,
        change: impl FnOnce() -> Option<Change>,
    ) {
        let place = self.mends.map_or(0, |(_, range)| u32::from(range.start()));
        let id = format!("{}@{place}", id.into());
        if self.wanted == Some(&*id) && self.change.is_none() {
            self.change = change();
        }
        let is_preferred = kind == ActionKind::QuickFix && self.list.iter().all(|a| a.mends != self.mends);
        let title = title.into();
        self.list.push(CodeAction { id, title, kind, mends: self.mends, is_preferred, shows: None });
    }

    /// Offers to open a document.
    pub(crate) fn show(&mut self, id: &str, title: impl Into<String>, view: View) {
        self.add(id, title, ActionKind::Show, || None);
        if let Some(action) = self.list.last_mut() {
            action.shows = Some(view);
        }
    }

    /// Offers to mend the current diagnostic.
    pub(crate) fn fix(
        &mut self,
        id: &str,
        title: impl Into<String>,
        change: impl FnOnce() -> Option<Change>,
    ) {
        self.add(id, title, ActionKind::QuickFix, change);
    }
}

/// Families that mend diagnostics, each asked about one at a time.
const FIXES: &[fn(&Context<'_>, &Diagnostic, &mut Actions<'_>)] = &[
    names::fix,
    remedies::fix,
    lines::fix,
    template::fix,
    schema::fix,
    keys::fix,
    nodes::fix,
    query::fix,
    files::fix,
    create::fix,
    classic::fix,
    plan::fix,
];

/// Families that offer something at a place.
const ASSISTS: &[fn(&Context<'_>, &mut Actions<'_>)] =
    &[nodes::assist, create::assist, classic::assist, template::assist, plan::assist];

/// Codes whose first fix changes nothing but the spelling of what is meant: these are mended all at once.
pub const SAFE: &[&str] = &[
    "byte-order-mark",
    "block-opener-space",
    "settings-directive",
    "jinja-end",
    "index-word",
    "missing-template-marker",
    "ignored-directive",
    "legacy-key",
    "text-after-opener",
    "block-ended-early",
    "block-not-allowed",
    "schema-comment",
];

/// What can be done at `range`. Costs the diagnostics of the file, which are known while it is open.
pub fn code_actions(db: &dyn Db, file: File, range: TextRange) -> Vec<CodeAction> {
    run(db, file, range, None).list
}

/// The edit of an action that was offered for the same range.
pub fn resolve_action(db: &dyn Db, file: File, range: TextRange, id: &str) -> Option<Change> {
    if id.starts_with(FIX_ALL) {
        return fix_all(db, file);
    }
    run(db, file, range, Some(id)).change.filter(|change| !change.is_empty() && !change.overlaps())
}

const FIX_ALL: &str = "fix-all";

fn run<'a>(db: &dyn Db, file: File, range: TextRange, wanted: Option<&'a str>) -> Actions<'a> {
    let mut actions = Actions { list: Vec::new(), wanted, change: None, mends: None };
    let all = diagnostics(db, file);
    let troubles = troubles(db, file);
    let touches =
        |d: &&Diagnostic| d.range.intersect(range).is_some() || d.range.contains_inclusive(range.start());
    let cx = Context {
        db,
        file,
        range,
        text: file.text(db),
        parsed: datafile(db, file),
        diagnostics: all.iter().chain(troubles.iter().map(|(d, _)| d)).filter(touches).collect(),
        troubles: &troubles,
    };
    for diagnostic in &cx.diagnostics {
        actions.mends = Some((diagnostic.code.name, diagnostic.range));
        for family in FIXES {
            family(&cx, diagnostic, &mut actions);
        }
    }
    actions.mends = None;
    for family in ASSISTS {
        family(&cx, &mut actions);
    }
    if all.iter().any(|d| SAFE.contains(&d.code.name)) {
        actions.list.push(CodeAction {
            id: FIX_ALL.to_owned(),
            title: "Fix everything that is only spelt wrongly".to_owned(),
            kind: ActionKind::FixAll,
            mends: None,
            is_preferred: false,
            shows: None,
        });
    }
    actions
}

/// The first fix of every safe diagnostic that does not touch another one's text.
fn fix_all(db: &dyn Db, file: File) -> Option<Change> {
    let mut change = Change::default();
    for diagnostic in diagnostics(db, file).iter().filter(|d| SAFE.contains(&d.code.name)) {
        let offered = code_actions(db, file, diagnostic.range);
        let mends = Some((diagnostic.code.name, diagnostic.range));
        let Some(first) = offered.iter().find(|a| a.mends == mends) else { continue };
        let Some(one) = run(db, file, diagnostic.range, Some(&first.id)).change else { continue };
        let before = change.clone();
        for (file, edits) in one.edits {
            for edit in edits {
                change.push(file, edit.range, edit.text, None);
            }
        }
        if change.overlaps() {
            change = before;
        }
    }
    (!change.is_empty()).then_some(change)
}

impl Context<'_> {
    /// The line that holds a place, with its line break.
    pub(crate) fn whole_line(&self, range: TextRange) -> TextRange {
        let start = self.text[..usize::from(range.start())].rfind('\n').map_or(0, |n| n + 1);
        let end = self.text[usize::from(range.end())..].find('\n');
        let end = end.map_or(self.text.len(), |n| usize::from(range.end()) + n + 1);
        headwater_analysis::syntax::range(start, end)
    }

    /// The entry whose line or block holds a place of the file.
    pub(crate) fn entry(&self, range: TextRange) -> Option<&headwater_analysis::syntax::scan::Entry> {
        let own = self.parsed.datafile.entries.iter().filter(|e| e.source == 0);
        own.map(|e| &e.entry).find(|e| e.full_range().contains_range(range))
    }

    /// How lines end here.
    pub(crate) fn newline(&self) -> &'static str {
        if self.text.contains("\r\n") { "\r\n" } else { "\n" }
    }
}

#[cfg(test)]
mod pages;
#[cfg(test)]
mod tests;
