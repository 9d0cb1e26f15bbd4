//! The pages of diagnostics as projects to mend: every fix that is offered there is made, its diagnostic goes, and no other
//! error comes. What is offered for which code is a list in the docs.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;
use std::sync::Arc;

use headwater_analysis::{ALL_CODES, Content, Database, File, Project, Setter, Severity};
use headwater_test_fixture::Fixture;

use super::*;
use crate::change::apply;

fn blocks(page: &str) -> Vec<String> {
    let parts = page.split("```headwater\n").skip(1);
    parts.filter_map(|part| part.split_once("\n```")).map(|(block, _)| format!("{block}\n")).collect()
}

/// How often each fault is in the project: code, severity and message.
type Faults = BTreeMap<(&'static str, Severity, String), usize>;

fn faults(db: &Database, project: Project) -> Faults {
    let mut out = Faults::new();
    for file in project.files(db).iter() {
        for d in diagnostics(db, *file).iter() {
            *out.entry((d.code.name, d.severity, d.message.clone())).or_default() += 1;
        }
    }
    out
}

fn count(all: &Faults, is: impl Fn(&str, Severity) -> bool) -> usize {
    all.iter().filter(|((code, severity, _), _)| is(code, *severity)).map(|(_, n)| n).sum()
}

/// Makes a change, as far as it is about texts and files of the project.
fn make(db: &mut Database, project: Project, change: &Change) {
    for (file, edits) in &change.edits {
        let now = apply(&file.text(db), edits);
        file.set_content(db).to(Content::Text(now.as_str().into()));
    }
    let mut all = project.files(db).to_vec();
    for (from, to) in &change.renamed {
        let Some(n) = all.iter().position(|f| f.path(db) == from) else { continue };
        let text = all[n].text(db);
        all[n] = File::new(db, project, to.clone(), Content::Text(text));
    }
    for (path, text) in &change.created {
        all.push(File::new(db, project, path.clone(), Content::Text(Arc::from(text.as_str()))));
    }
    all.sort_by(|a, b| a.path(db).cmp(b.path(db)));
    project.set_files(db).to(all.into());
}

/// A title without what is a page's own.
fn generic(title: &str) -> String {
    let parts = title.split('`').enumerate();
    parts.map(|(n, part)| if n % 2 == 0 { part } else { "`…`" }).collect()
}

/// Why a code has no fix on its page.
const WITHOUT: &[(&str, &str)] = &[
    ("invalid-configuration", "`headwater.toml` has completion instead; what was meant is not known"),
    ("unreadable-file", "there is no text to change"),
    ("include-cycle", "which of the files should not include the other is not known"),
    ("missing-schema", "the schema of a fixture, or of the view or copy that fills it, where there is one"),
    ("invalid-index", "what should be indexed, and how, is not known"),
    ("version-key-substring", "the file is right; a rename of the column helps the vendor's check"),
    ("column-default", "the value that was meant is not known"),
    ("mixed-connectors", "which rows belong into which data source is not known"),
    ("template-syntax", "the expression that was meant is not known"),
    ("template-expression", "it has to be computed elsewhere: in SQL, or in a `set`"),
    ("template-arguments", "the arguments that were meant are not known"),
    ("endpoint-contract", "the change may be wanted: callers must know"),
    (
        "plan-refused",
        "what the plan offers: write a FORWARD_QUERY, keep a column, make a view and its target match",
    ),
    ("stale-forward-query", "the plan offers to drop it"),
    ("join-in-view", "whether the join is small enough is not known"),
    ("sorting-key-unused", "another sorting key is a decision about all queries"),
    ("table-modifier", "whether the query or the data source's engine is wrong is not known"),
    ("function-disabled", "what should take its place is another query"),
    ("primary-key", "which columns it should begin with is a decision about all queries"),
    ("query-not-read", "the data has to move out of the query"),
    ("sql-syntax", "the query that was meant is not known"),
    ("function-arguments", "the arguments that were meant are not known"),
    ("misplaced-aggregate", "another name and HAVING are different queries"),
    ("unknown-window", "the window that was meant is not known"),
    ("unequal-columns", "which column is missing is not known"),
    ("literal-type", "the value that was meant is not known"),
    ("union-types", "which side should be converted is not known"),
    ("key-type", "what the values should become is not known"),
    ("unknown-position", "the column that was meant is not known"),
    ("no-columns", "the columns that were meant are not known"),
    ("refused-by-engine", "the engine says in words what is wrong"),
    ("unfilled-columns", "the values that belong there are not known"),
    ("test-failed", "the runner accepts an answer: `headwater test --update`, or the editor's own fix"),
    ("system-table", "there is no other table of that kind"),
    ("cycle", "which read should go is not known"),
    ("self-copy", "appending would keep old rows beside new ones"),
];

/// Codes on whose pages a fault of another kind comes to light behind the one that is mended.
const REVEALS: &[&str] = &["missing-include", "template-statement", "ambiguous-column"];

#[test]
fn every_fix_on_the_pages_mends_and_breaks_nothing() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/reference");
    let mut offered: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    let mut problems = Vec::new();
    for code in ALL_CODES {
        let page =
            std::fs::read_to_string(root.join(format!("diagnostics/{}.md", code.name))).expect("a page");
        for block in blocks(&page) {
            let fixture = Fixture::parse(&block);
            let (db, _, files) = fixture.load();
            let mut places: Vec<(usize, TextRange, Severity)> = Vec::new();
            for (n, file) in files.iter().enumerate() {
                let all = diagnostics(&db, *file);
                places.extend(all.iter().filter(|d| d.code == *code).map(|d| (n, d.range, d.severity)));
            }
            for (n, range, severity) in places {
                let mends = Some((code.name, range));
                for action in code_actions(&db, files[n], range).iter().filter(|a| a.mends == mends) {
                    let title = generic(&action.title);
                    let list = offered.entry(code.name).or_default();
                    if !list.contains(&title) {
                        list.push(title);
                    }
                    // Each in a project of its own.
                    let (mut db, project, files) = fixture.load();
                    let label = format!("{}: {}", code.name, action.title);
                    let Some(change) = resolve_action(&db, files[n], range, &action.id) else {
                        problems.push(format!("{label} does nothing"));
                        continue;
                    };
                    let before = faults(&db, project);
                    make(&mut db, project, &change);
                    let after = faults(&db, project);
                    let own = |all: &Faults| count(all, |name, _| name == code.name);
                    let errors = |all: &Faults| count(all, |_, severity| severity == Severity::Error);
                    if own(&after) >= own(&before) {
                        problems.push(format!("{label} does not mend it"));
                    }
                    let mended = severity == Severity::Error && !REVEALS.contains(&code.name);
                    if errors(&after) + usize::from(mended) > errors(&before) {
                        let new: Vec<_> = after.keys().filter(|k| !before.contains_key(k)).collect();
                        problems.push(format!("{label} leads to {new:?}"));
                    }
                }
            }
        }
    }
    assert!(problems.is_empty(), "{} problems:\n{}", problems.len(), problems.join("\n"));
    let mut out = "# Fixes\n\nWhat editors offer at each diagnostic. Generated from the pages of the diagnostics: there every fix is made, and must mend\n\
                   its diagnostic without leaving an error more.\n\n| Diagnostic | Fixes |\n|---|---|\n"
        .to_owned();
    for code in ALL_CODES {
        let fixes = offered.get(code.name).map(|list| list.join("; "));
        let cell = fixes.or_else(|| {
            let (_, why) = WITHOUT.iter().find(|(name, _)| *name == code.name)?;
            Some(format!("– {why}"))
        });
        let cell = cell.unwrap_or_else(|| panic!("{}: no fix on its page, and no reason", code.name));
        let _ = writeln!(out, "| [{0}](diagnostics/{0}.md) | {cell} |", code.name);
    }
    expect_test::expect_file![root.join("fixes.md")].assert_eq(&out);
}
