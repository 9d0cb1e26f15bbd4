//! What a plan offers: to write a `FORWARD_QUERY` or drop it, to bring a column back, to make a view and its target match, and to
//! explain itself.

use headwater_analysis::Diagnostic;

use super::{ActionKind, Actions, Context};
use crate::View;
use crate::change::Change;
use crate::plan_fixes::{PlanEdit, PlanFix, plan_fixes};
use crate::plans::deployments;

/// Mends what a plan says of a line.
pub(super) fn fix(cx: &Context<'_>, diagnostic: &Diagnostic, actions: &mut Actions<'_>) {
    let here = |d: &Diagnostic| d.range == diagnostic.range && d.code == diagnostic.code;
    let rules: Vec<_> = cx.troubles.iter().filter(|(d, _)| here(d)).map(|(_, rule)| *rule).collect();
    let rules = match diagnostic.code.name {
        "breaks-downstream" => vec!["drop-column-read"],
        _ if rules.is_empty() => return,
        _ => rules,
    };
    let fixes = plan_fixes(cx.db, cx.file).into_iter().enumerate();
    for (n, fix) in fixes.filter(|(_, fix)| rules.iter().any(|rule| fix.rules.contains(rule))) {
        let id = id(n, &fix);
        actions.fix(&id, fix.title, || Some(change(fix.edit)));
    }
}

/// The same wherever the cursor is in the file: what mends a change need not be written where it was made.
pub(super) fn assist(cx: &Context<'_>, actions: &mut Actions<'_>) {
    for (n, fix) in plan_fixes(cx.db, cx.file).into_iter().enumerate() {
        if actions.list.iter().all(|a| a.title != fix.title) {
            actions.add(id(n, &fix), fix.title, ActionKind::Rewrite, || Some(change(fix.edit)));
        }
    }
    if !deployments(cx.db, cx.file).is_empty() {
        actions.show("explain-plan", "Explain what deploying this does", View::Plan);
    }
}

fn id(n: usize, fix: &PlanFix) -> String {
    format!("plan-{}-{n}", fix.rules.first().copied().unwrap_or_default())
}

fn change(edit: PlanEdit) -> Change {
    let mut change = Change::default();
    match edit {
        PlanEdit::Replace(file, edits) => {
            for (range, text) in edits {
                change.push(file, range, text, None);
            }
        }
        PlanEdit::Create(files) => change.created = files,
    }
    change
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use expect_test::{Expect, expect};
    use headwater_analysis::{Content, Database, File, Project, Setter, TextRange};
    use headwater_plan::project_plan;
    use headwater_test_fixture::Fixture;

    use crate::change::apply;
    use crate::{View, code_actions, plan_diagnostics, resolve_action};

    /// `rule class` of every change, heaviest class first.
    fn plan(db: &Database, project: Project) -> String {
        let Some(plan) = project_plan(db, project) else { return "no baseline\n".to_owned() };
        let mut changes: Vec<_> = plan.changes.iter().collect();
        changes.sort_by_key(|c| std::cmp::Reverse(c.class));
        if changes.is_empty() {
            return "  nothing\n".to_owned();
        }
        let line = |c: &&headwater_plan::Change| {
            let subject = c.subject.as_ref().map(|s| format!(" {s}")).unwrap_or_default();
            format!("  {} {}{subject}: {}\n", c.resource, c.rule.name, c.class.name())
        };
        changes.iter().map(line).collect()
    }

    /// The plan before the action, what the action writes, and the plan after it.
    fn check(fixture: &str, title: &str, expected: &Expect) {
        let parsed = Fixture::parse(fixture);
        let (mut db, project, files) = parsed.load();
        let (index, offset) = parsed.cursor.expect("a cursor");
        let (file, range) = (files[index], TextRange::empty(offset));
        let offered = code_actions(&db, file, range);
        let action = offered.iter().find(|a| a.title == title);
        let titles: Vec<_> = offered.iter().map(|a| &a.title).collect();
        let action = action.unwrap_or_else(|| panic!("{title} in {titles:?}"));
        let mut out = format!("before\n{}", plan(&db, project));
        let said = plan_diagnostics(&db, file).len();
        let change = resolve_action(&db, file, range, &action.id).expect("it can be done");
        for (path, text) in &change.created {
            out += &format!("{path}\n{text}");
            let new = File::new(&db, project, path.clone(), Content::Text(Arc::from(text.as_str())));
            let mut all = project.files(&db).to_vec();
            all.push(new);
            all.sort_by(|a, b| a.path(&db).cmp(b.path(&db)));
            project.set_files(&mut db).to(all.into());
        }
        for (file, edits) in &change.edits {
            let now = apply(&file.text(&db), edits);
            out += &format!("{}\n{now}", file.path(&db));
            file.set_content(&mut db).to(Content::Text(now.as_str().into()));
        }
        out += &format!("after\n{}", plan(&db, project));
        expected.assert_eq(&out);
        if action.mends.is_some() {
            assert!(plan_diagnostics(&db, file).len() < said, "what it mends is not said any more");
        }
    }

    const WAS: &str = "//- was events.datasource\nSCHEMA >\n    `ts` DateTime,\n    `amount` Nullable(UInt32),\n    `note` String\n\n\
                       ENGINE MergeTree\nENGINE_SORTING_KEY ts\n";

    #[test]
    fn write_forward_query() {
        check(
            &format!(
                "{WAS}//- events.datasource\nSCHEMA >\n    `ts` DateTime,\n    `amount$0` UInt32,\n    `note` String\n\nENGINE MergeTree\nENGINE_SORTING_KEY ts\n"
            ),
            "Write FORWARD_QUERY",
            &expect![[r#"
                before
                  events not-null-column amount: refuse
                events.datasource
                SCHEMA >
                    `ts` DateTime,
                    `amount` UInt32,
                    `note` String

                ENGINE MergeTree
                ENGINE_SORTING_KEY ts

                FORWARD_QUERY >
                    SELECT
                        `ts`,
                        CAST(if(isNull(`amount`), defaultValueOfTypeName('UInt32'), CAST(assumeNotNull(`amount`), 'UInt32')), 'UInt32') AS `amount`,
                        `note`
                after
                  events not-null-column amount: rewrite
                  events forward-query: rewrite
            "#]],
        );
    }

    #[test]
    fn write_a_forward_query_that_is_complete() {
        check(
            &format!(
                "{WAS}//- events.datasource\nSCHEMA >\n    `ts` DateTime,\n    `amount` UInt32,\n    `note` String\n\nENGINE MergeTree\nENGINE_SORTING_KEY ts\n\n\
                      FORWARD_QUERY >\n    SELECT ts, $0assumeNotNull(amount) AS amount\n"
            ),
            "Write FORWARD_QUERY",
            &expect![[r#"
                before
                  events not-null-column amount: refuse
                  events forward-query-incomplete: refuse
                events.datasource
                SCHEMA >
                    `ts` DateTime,
                    `amount` UInt32,
                    `note` String

                ENGINE MergeTree
                ENGINE_SORTING_KEY ts

                FORWARD_QUERY >
                    SELECT
                        `ts`,
                        CAST(if(isNull(`amount`), defaultValueOfTypeName('UInt32'), CAST(assumeNotNull(`amount`), 'UInt32')), 'UInt32') AS `amount`,
                        `note`
                after
                  events not-null-column amount: rewrite
                  events forward-query: rewrite
            "#]],
        );
    }

    #[test]
    fn a_renamed_column_keeps_its_values() {
        check(
            &format!(
                "{WAS}//- events.datasource\nSCHEMA >\n    `ts` DateTime,\n    `amount` Nullable(UInt32),\n    `re$0mark` String\n\nENGINE MergeTree\nENGINE_SORTING_KEY ts\n"
            ),
            "Write FORWARD_QUERY",
            &expect![[r#"
                before
                  events rename-column note: refuse
                events.datasource
                SCHEMA >
                    `ts` DateTime,
                    `amount` Nullable(UInt32),
                    `remark` String

                ENGINE MergeTree
                ENGINE_SORTING_KEY ts

                FORWARD_QUERY >
                    SELECT
                        `ts`,
                        `amount`,
                        `note` AS `remark`
                after
                  events rename-column note: rewrite
                  events forward-query: rewrite
            "#]],
        );
    }

    #[test]
    fn drop_a_needless_forward_query() {
        check(
            &format!(
                "{WAS}//- events.datasource\nSCHEMA >\n    `ts` DateTime,\n    `amount` Nullable(UInt32),\n    `note` String,\n    `new` String\n\n\
                      ENGINE MergeTree\nENGINE_SORTING_KEY ts\n\nFORWARD_QUERY >\n    SELECT ts, $0amount, note, defaultValueOfTypeName('String') AS new\n"
            ),
            "Drop stale FORWARD_QUERY",
            &expect![[r#"
                before
                  events add-column new: rewrite
                  events forward-query: rewrite
                events.datasource
                SCHEMA >
                    `ts` DateTime,
                    `amount` Nullable(UInt32),
                    `note` String,
                    `new` String

                ENGINE MergeTree
                ENGINE_SORTING_KEY ts
                after
                  events add-column new: alter
            "#]],
        );
    }

    #[test]
    fn drop_a_forward_query_that_the_baseline_has() {
        check(
            "//- was report.pipe\nNODE a\nSQL >\n    SELECT 1\n\nTYPE endpoint\n\
             //- report.pipe\nNODE a\nSQL >\n    SELECT 1\n\nTYPE endpoint\n\
             //- events.datasource\nSCHEMA >\n    `ts` DateTime\n\nENGINE MergeTree\n\nFORWARD_QUERY >\n    SELECT $0ts\n",
            "Drop stale FORWARD_QUERY",
            &expect![[r#"
                before
                  nothing
                events.datasource
                SCHEMA >
                    `ts` DateTime

                ENGINE MergeTree
                after
                  events forward-query-stale: none
            "#]],
        );
    }

    #[test]
    fn keep_the_old_column() {
        check(
            &format!(
                "{WAS}//- events.datasource\nSCHEMA >\n    `ts` DateTime,$0\n    `amount` Nullable(UInt32)\n\nENGINE MergeTree\nENGINE_SORTING_KEY ts\n\
                      //- report.pipe\nNODE rows\nSQL >\n    SELECT note FROM events\n\nTYPE endpoint\n"
            ),
            "Keep the old column `note`",
            &expect![[r#"
                before
                  events drop-column-read note: refuse
                events.datasource
                SCHEMA >
                    `ts` DateTime,
                    `amount` Nullable(UInt32),
                    `note` String

                ENGINE MergeTree
                ENGINE_SORTING_KEY ts
                after
                  nothing
            "#]],
        );
    }

    const VIEW: &str = "//- was fill.pipe\nNODE rows\nSQL >\n    SELECT ts FROM events\n\nTYPE materialized\nDATASOURCE kept\n\
                        //- events.datasource\nSCHEMA >\n    `ts` DateTime,\n    `amount` UInt32\n\nENGINE MergeTree\nENGINE_SORTING_KEY ts\n\
                        //- kept.datasource\nSCHEMA >\n    `ts` DateTime\n\nENGINE MergeTree\nENGINE_SORTING_KEY ts\n";

    #[test]
    fn make_the_target_match_the_view() {
        check(
            &format!(
                "{VIEW}//- fill.pipe\nNODE rows\nSQL >\n    SELECT ts, $0amount FROM events\n\nTYPE materialized\nDATASOURCE kept\n"
            ),
            "Make `kept` match the view",
            &expect![[r#"
                before
                  fill view-columns kept: refuse
                  fill view-sql kept: recompute
                kept.datasource
                SCHEMA >
                    `ts` DateTime,
                    `amount` UInt32

                ENGINE MergeTree
                ENGINE_SORTING_KEY ts
                after
                  fill view-sql kept: recompute
                  kept add-column amount: recompute
            "#]],
        );
    }

    #[test]
    fn make_the_view_match_its_target() {
        check(
            &format!(
                "{VIEW}//- fill.pipe\nNODE rows\nSQL >\n    SELECT ts, $0amount FROM events\n\nTYPE materialized\nDATASOURCE kept\n"
            ),
            "Make the view match `kept`",
            &expect![[r#"
                before
                  fill view-columns kept: refuse
                  fill view-sql kept: recompute
                fill.pipe
                NODE rows
                SQL >
                    SELECT
                        `ts`
                    FROM
                    (
                    SELECT ts, amount FROM events
                    )

                TYPE materialized
                DATASOURCE kept
                after
                  fill view-sql kept: recompute
            "#]],
        );
    }

    #[test]
    fn keep_the_rows_of_a_shared_target() {
        let view = |name: &str, sql: &str| {
            format!("{name}\nNODE rows\nSQL >\n    {sql}\n\nTYPE materialized\nDATASOURCE kept\n")
        };
        check(
            &format!(
                "//- was {}//- {}//- {}//- events.datasource\nSCHEMA >\n    `ts` DateTime\n\nENGINE MergeTree\nENGINE_SORTING_KEY ts\nENGINE_TTL ts + INTERVAL 1 DAY\n\
                 //- kept.datasource\nSCHEMA >\n    `ts` DateTime\n\nENGINE MergeTree\nENGINE_SORTING_KEY ts\n",
                view("one.pipe", "SELECT ts FROM events"),
                view("one.pipe", "SELECT ts FROM events WHERE $0ts > 0"),
                view("two.pipe", "SELECT ts FROM events"),
            ),
            "Keep the rows of `kept` and use the new query from now on",
            &expect![[r#"
                before
                  one shared-target kept: refuse
                one.pipe
                NODE rows
                SQL >
                    SELECT ts FROM events WHERE ts > 0

                TYPE materialized
                DATASOURCE kept
                DEPLOYMENT_METHOD alter
                after
                  one view-sql kept: carry
            "#]],
        );
    }

    #[test]
    fn copy_the_rows_of_a_data_source_that_got_another_name() {
        check(
            "//- was events.datasource\nSCHEMA >\n    `ts` DateTime,\n    `a` String\n\nENGINE MergeTree\nENGINE_SORTING_KEY ts\n\
             //- new hits.datasource\nSCHEMA >\n    `t$0s` DateTime,\n    `a` String\n\nENGINE MergeTree\nENGINE_SORTING_KEY ts\n",
            "Keep `events` for one deployment and copy its rows",
            &expect![[r#"
                before
                  events rename-resource: delete
                  hits create-datasource: create
                events.datasource
                SCHEMA >
                    `ts` DateTime,
                    `a` String

                ENGINE MergeTree
                ENGINE_SORTING_KEY ts
                copies/hits_from_events.pipe
                NODE rows
                SQL >
                    SELECT * FROM events

                TYPE copy
                TARGET_DATASOURCE hits
                COPY_SCHEDULE @on-demand
                after
                  hits create-datasource: create
                  hits_from_events create-pipe: create
            "#]],
        );
    }

    #[test]
    fn a_plan_explains_itself() {
        let parsed = Fixture::parse(&format!(
            "{WAS}//- events.datasource\nSCHEMA >\n    `ts` DateTime,\n    `amount$0` UInt32,\n    `note` String\n\nENGINE MergeTree\nENGINE_SORTING_KEY ts\n"
        ));
        let (db, _, files) = parsed.load();
        let (index, offset) = parsed.cursor.expect("a cursor");
        let actions = code_actions(&db, files[index], TextRange::empty(offset));
        let shown: Vec<_> =
            actions.iter().filter(|a| a.shows == Some(View::Plan)).map(|a| &*a.title).collect();
        assert_eq!(shown, ["Explain what deploying this does"]);
        let quick: Vec<_> = actions.iter().filter(|a| a.mends.is_some()).map(|a| &*a.title).collect();
        assert_eq!(quick, ["Write FORWARD_QUERY"]);
    }
}
