//! Every rule has a page in `docs/reference/plan/`, and every page is a test: each ```` ```headwater ```` block is a project
//! before and after an edit, and the ```` ```plan ```` block behind it is what the plan says, word for word.
//!
//! `UPDATE_EXPECT=1` writes the plans, the index and the guide's table of changes.

use std::fs;
use std::path::{Path, PathBuf};

use headwater_plan::{Plan, render, rules};
use headwater_test_fixture::Fixture;

fn docs() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs")
}

fn page_path(rule: &str) -> PathBuf {
    docs().join("reference/plan").join(format!("{rule}.md"))
}

fn planned(fixture: &str) -> Plan {
    let (db, project, files) = Fixture::parse(fixture).load();
    let before = project.baseline(&db).expect("a case has a file that was other, or is new");
    for file in files {
        let (own, all) = (headwater_plan::own_changes(&db, file), headwater_plan::file_changes(&db, file));
        assert_eq!(**own, all, "asked for by itself, {} has other changes", file.path(&db));
    }
    headwater_plan::plan(&db, before, project, None)
}

fn shown(plan: &Plan) -> String {
    let text = render::text(plan, "the baseline", render::Style::PLAIN);
    // The hash is of both projects; a page is about neither.
    text.lines().filter(|l| !l.starts_with("plan ")).map(|l| format!("{}\n", l.trim_end())).collect()
}

/// A case of a page.
struct Case {
    heading: String,
    plan: Plan,
}

/// The page with its plans as they are, and the cases.
fn read(page: &str) -> (String, Vec<Case>) {
    let (mut out, mut cases) = (String::new(), Vec::new());
    let mut heading = String::new();
    let mut block: Option<String> = None;
    let mut plan: Option<Plan> = None;
    let mut skipping = false;
    for line in page.split_inclusive('\n') {
        let bare = line.trim_end();
        if skipping {
            if bare == "```" {
                skipping = false;
                out.push_str(line);
            }
            continue;
        }
        out.push_str(line);
        match (&mut block, bare) {
            (None, "```headwater") => block = Some(String::new()),
            (None, "```plan") => {
                let plan = plan.take().expect("a plan stands behind a project");
                out.push_str(&shown(&plan));
                cases.push(Case { heading: heading.clone(), plan });
                skipping = true;
            }
            (None, bare) => {
                if let Some(title) = bare.strip_prefix("## ") {
                    heading = title.to_owned();
                }
            }
            (Some(text), "```") => {
                plan = Some(planned(text));
                block = None;
            }
            (Some(text), _) => text.push_str(line),
        }
    }
    (out, cases)
}

#[test]
fn every_rule_has_a_page_that_is_its_test() {
    let mut missing = Vec::new();
    for rule in rules::ALL {
        let path = page_path(rule.name);
        let Ok(page) = fs::read_to_string(&path) else {
            missing.push(format!("{}: no page", rule.name));
            continue;
        };
        let (now, cases) = read(&page);
        if !page.starts_with(&format!("# {}\n", rule.name)) {
            missing.push(format!("{}: the page's title is not the rule", rule.name));
        }
        if !cases.iter().any(|c| c.plan.changes.iter().any(|change| change.rule == *rule)) {
            missing.push(format!("{}: no case shows the rule", rule.name));
        }
        expect_test::expect_file![path].assert_eq(&now);
    }
    assert!(missing.is_empty(), "{} problems:\n{}", missing.len(), missing.join("\n"));
}

#[test]
fn every_page_is_of_a_rule() {
    for entry in fs::read_dir(docs().join("reference/plan")).expect("the pages exist") {
        let name = entry.expect("readable").file_name().to_string_lossy().into_owned();
        let stem = name.trim_end_matches(".md");
        assert!(stem == "README" || rules::named(stem).is_some(), "{name} is the page of no rule");
    }
}

#[test]
fn the_index_lists_every_rule() {
    let mut index = "# Plan rules\n\nWhat `headwater plan` says of a change, and why. \
                     [What happens if I change …](../../guide/changes.md) has the same by resource.\n\n| rule | when |\n|---|---|\n"
        .to_owned();
    for rule in rules::ALL {
        index += &format!("| [{0}]({0}.md) | {1} |\n", rule.name, rule.change);
    }
    expect_test::expect_file![docs().join("reference/plan/README.md")].assert_eq(&index);
}

/// The table of changes is made of the pages' cases: what it says was planned.
#[test]
fn the_guide_says_what_the_pages_show() {
    let mut rows: Vec<(&str, String)> = Vec::new();
    for rule in rules::ALL {
        let Ok(page) = fs::read_to_string(page_path(rule.name)) else { continue };
        for case in read(&page).1 {
            for change in case.plan.changes.iter().filter(|c| c.rule == *rule) {
                let notes = [
                    (!change.is_reversible).then_some("not reversible after the rollback window"),
                    change.is_breaking.then_some("breaking"),
                ];
                let notes: Vec<_> = notes.into_iter().flatten().collect();
                let row = format!(
                    "| {} | **{}** | {} | [{3}](../reference/plan/{3}.md) |\n",
                    case.heading,
                    change.class.name(),
                    notes.join(", "),
                    rule.name
                );
                let row = (change.kind.noun(), row);
                if !rows.contains(&row) {
                    rows.push(row);
                }
            }
        }
    }
    let mut guide = GUIDE.to_owned();
    for noun in ["data source", "materialized view", "endpoint", "copy", "sink", "pipe", "connection"] {
        guide += &format!("\n## A {noun}\n\n| change | class | | rule |\n|---|---|---|---|\n")
            .replace("A endpoint", "An endpoint");
        let own = rows.iter().filter(|(kind, _)| *kind == noun);
        own.for_each(|(_, row)| guide += row);
    }
    expect_test::expect_file![docs().join("guide/changes.md")].assert_eq(&guide);
}

const GUIDE: &str = "# What happens if I change …

`headwater plan` says it for your project before anything is done. This table is made of the cases on the pages of its
[rules](../reference/plan/README.md), which are tests: each row is a change that was planned.

| class | what is done |
|---|---|
| none, metadata | nothing is done to data; the pointer to the live release moves |
| create | something new; a view's new target is filled from history where that can be done |
| alter | `ALTER` in place: both releases read the same physical table, each its own columns |
| hide | not declared any more, and gone when the rollback window ends: has to be allowed by name. `delete` in JSON |
| mutate | a new physical table from a clone that costs nothing, of which one column is rewritten |
| carry | the rows of a view's target stay, new ones are made by the new query |
| recompute | the view runs again over all that its source holds |
| rewrite | a new physical table from a snapshot |
| delete | destructive: has to be allowed by name |
| refuse | not deployed; the plan says what to write instead |
";
