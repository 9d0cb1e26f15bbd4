//! Classic projects: names without a version mean the latest one, for those that write as for those that read.

use expect_test::{Expect, expect};
use headwater_test_fixture::Fixture;

fn check(fixture: &str, expected: &Expect) {
    let (db, project, _) = Fixture::parse(fixture).load();
    let before = project.baseline(&db).expect("a file was other");
    let plan = headwater_plan::plan(&db, before, project, None);
    let line = |c: &headwater_plan::Change| {
        format!("{} {} {}: {}\n", c.resource, c.rule.name, c.class.name(), c.reason)
    };
    expected.assert_eq(&plan.changes.iter().map(line).collect::<String>());
}

const DAILY: &str = "//- .tinyenv\nVERSION=0.0.0\n//- datasources/daily.datasource\nVERSION 1\nSCHEMA >\n    `day` Date,\n    `mean` AggregateFunction(avg, Int8)\n\n\
                     ENGINE \"AggregatingMergeTree\"\nENGINE_SORTING_KEY \"day\"\n";

fn fill(filter: &str) -> String {
    format!(
        "NODE rows\nSQL >\n    SELECT toDate(ts) AS day, avgState(toInt8(val)) AS mean FROM events{filter} GROUP BY day\n\n\
         TYPE materialized\nDATASOURCE daily\n"
    )
}

fn events(ty: &str) -> String {
    format!(
        "SCHEMA >\n    `ts` DateTime,\n    `val` {ty}\n\nENGINE \"MergeTree\"\nENGINE_SORTING_KEY \"ts\"\n"
    )
}

#[test]
fn a_view_writes_the_latest_version_of_its_target() {
    check(
        &format!(
            "{DAILY}//- datasources/events.datasource\n{}//- was pipes/fill.pipe\n{}//- pipes/fill.pipe\n{}",
            events("String"),
            fill(""),
            fill(" WHERE val != ''")
        ),
        &expect![[r#"
            fill view-sql recompute: its query changed; `daily__v1` is filled anew from all that `events` holds
        "#]],
    );
}

#[test]
fn a_target_that_does_not_take_the_new_type_refuses() {
    check(
        &format!(
            "{DAILY}//- was datasources/events.datasource\n{}//- datasources/events.datasource\n{}//- pipes/fill.pipe\n{}",
            events("String"),
            events("Nullable(String)"),
            fill("")
        ),
        &expect![[r#"
            events nullable-column mutate: every value stays, and NULL may come; this one column is rewritten
            fill view-columns refuse: the type of `mean` does not convert: a view and its target have the same columns
        "#]],
    );
}

#[test]
fn the_last_version_is_gone_and_still_named() {
    check(
        &format!(
            "//- .tinyenv\nVERSION=0.0.0\n//- was datasources/events.datasource\nVERSION 3\n{}//- pipes/top.pipe\nNODE rows\nSQL >\n    SELECT count() AS n FROM events\n\nTYPE endpoint\n",
            events("String")
        ),
        &expect![[r#"
            events__v3 delete-read refuse: `top` still names it: the engine refuses a query on a table that is not there
        "#]],
    );
}
