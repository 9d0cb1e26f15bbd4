//! Projects as text, and the statements they become.

use expect_test::{Expect, expect};
use headwater_analysis::Database;
use headwater_template::Parameters;
use headwater_test_fixture::Fixture;

use super::*;

const SHOP: &str = "\
//- datasources/events.datasource
SCHEMA >
    `ts` DateTime `json:$.ts` DEFAULT now(),
    `user` String `json:$.user`,
    `price` Float64 `json:$.price`
ENGINE MergeTree
ENGINE_SORTING_KEY user, ts
ENGINE_TTL ts + toIntervalDay(60)
//- datasources/users.datasource
SCHEMA >
    `user` String,
    `country` LowCardinality(String)
ENGINE Null
//- datasources/totals.datasource
SCHEMA >
    `user` String,
    `total` AggregateFunction(sum, Float64)
ENGINE AggregatingMergeTree
ENGINE_SORTING_KEY user
//- pipes/top.pipe
NODE recent
SQL >
    % SELECT events.user, price FROM events WHERE ts > {{ DateTime(since, '2025-01-01 00:00:00') }} -- newest
NODE endpoint
SQL >
    %
    WITH events AS (SELECT 1)
    SELECT user, sum(price) AS total FROM recent JOIN users USING (user)
    WHERE user IN other AND country IN {{ Array(countries, 'String', 'de,fr') }}
    GROUP BY user ORDER BY total DESC LIMIT {{ Int32(n, 10) }};
TYPE endpoint
//- pipes/other.pipe
NODE only
SQL >
    SELECT user FROM events_quarantine WHERE user NOT IN (SELECT token FROM tinybird.pipe_stats_rt)
//- pipes/fill.pipe
NODE cleaned
SQL >
    WITH e AS (SELECT * FROM events) SELECT e.user AS user, price FROM e JOIN events AS all ON all.user = e.user
NODE fill
SQL >
    SELECT user, sumState(price) AS total FROM cleaned GROUP BY user
TYPE materialized
DATASOURCE totals
//- pipes/again.pipe
NODE again
SQL >
    SELECT user, sumMergeState(total) AS total FROM totals GROUP BY user
TYPE copy
TARGET_DATASOURCE totals
COPY_MODE replace
//- pipes/loop.pipe
NODE a
SQL >
    SELECT * FROM b
NODE b
SQL >
    SELECT * FROM a
";

fn with<R>(clock: Option<&str>, then: impl FnOnce(&Compiler<'_>, &Database) -> R) -> R {
    let (db, project, _) = Fixture::parse(SHOP).load();
    let clock = clock.map(|text| text.parse().expect("a moment"));
    then(&Compiler::new(&db, project, Options { clock, ..Options::default() }), &db)
}

fn check(found: &str, expected: &Expect) {
    expected.assert_eq(found);
}

/// A query without the indentation that its nodes have in their files.
fn flat(sql: &str) -> String {
    sql.trim().lines().map(str::trim).collect::<Vec<_>>().join("\n")
}

#[test]
fn an_endpoint_is_one_query_over_tables() {
    with(None, |compiler, db| {
        let pipe = compiler.pipe("top").expect("a pipe");
        let made = compiler.pipe_query(pipe, &form("countries=es&n=3")).expect("a query");
        check(
            &flat(&made.sql),
            &expect![[r#"
                WITH events AS (SELECT 1)
                SELECT user, sum(price) AS total FROM (SELECT events.user, price FROM `work`.`events` AS `events` WHERE ts > '2025-01-01 00:00:00' -- newest
                ) AS `recent` JOIN `work`.`users` AS `users` USING (user)
                WHERE user IN (SELECT user FROM `work`.`events_quarantine` AS `events_quarantine` WHERE user NOT IN (SELECT token FROM `work`.`tinybird.pipe_stats_rt` AS `pipe_stats_rt`)
                ) AND country IN ['es']
                GROUP BY user ORDER BY total DESC LIMIT toInt32('3')"#]],
        );
        assert_eq!(made.order, Some(vec!["total".to_owned()]));
        let tables: Vec<String> = made.tables.iter().map(|t| compiler.options().layout.bare(db, t)).collect();
        assert_eq!(tables, ["events", "users", "events_quarantine", "tinybird.pipe_stats_rt"]);
        let layout = Layout::prefixed("c1_");
        let made = compiler.with_layout(layout).pipe_query(pipe, &Parameters::new()).expect("a query");
        assert!(made.sql.contains("`work`.`c1_events` AS `events`"), "{}", made.sql);
    });
}

#[test]
fn tables_have_keys_and_defaults_and_do_not_expire() {
    with(Some("2025-07-15"), |compiler, _| {
        let tables = compiler.tables().expect("tables");
        let sql: Vec<&str> = tables.iter().map(|t| t.sql.as_str()).collect();
        check(
            &sql.join("\n"),
            &expect![[r#"
                CREATE TABLE `work`.`events`
                (
                    `ts` DateTime DEFAULT toDateTime('2025-07-15 00:00:00'),
                    `user` String,
                    `price` Float64
                )
                ENGINE = MergeTree
                ORDER BY (user, ts)
                SETTINGS allow_nullable_key = 1, allow_suspicious_indices = 1, compatibility_allow_sampling_expression_not_in_primary_key = 1
                CREATE TABLE `work`.`events_quarantine`
                (
                    `ts` Nullable(String),
                    `user` Nullable(String),
                    `price` Nullable(String),
                    `c__error_column` Array(String),
                    `c__error` Array(String),
                    `c__import_id` Nullable(String),
                    `insertion_date` DateTime DEFAULT now()
                )
                ENGINE = MergeTree
                ORDER BY tuple()
                CREATE TABLE `work`.`totals`
                (
                    `user` String,
                    `total` AggregateFunction(sum, Float64)
                )
                ENGINE = AggregatingMergeTree
                ORDER BY (user)
                SETTINGS allow_dimensions_outside_sorting_key = 1, allow_nullable_key = 1, allow_suspicious_indices = 1, compatibility_allow_sampling_expression_not_in_primary_key = 1
                CREATE TABLE `work`.`totals_quarantine`
                (
                    `user` Nullable(String),
                    `total` Nullable(String),
                    `c__error_column` Array(String),
                    `c__error` Array(String),
                    `c__import_id` Nullable(String),
                    `insertion_date` DateTime DEFAULT now()
                )
                ENGINE = MergeTree
                ORDER BY tuple()
                CREATE TABLE `work`.`users`
                (
                    `user` String,
                    `country` LowCardinality(String)
                )
                ENGINE = Null
                CREATE TABLE `work`.`users_quarantine`
                (
                    `user` Nullable(String),
                    `country` Nullable(String),
                    `c__error_column` Array(String),
                    `c__error` Array(String),
                    `c__import_id` Nullable(String),
                    `insertion_date` DateTime DEFAULT now()
                )
                ENGINE = MergeTree
                ORDER BY tuple()"#]],
        );
    });
}

#[test]
fn a_view_starts_from_a_block_and_joins_what_is_there() {
    with(None, |compiler, db| {
        let views = compiler.views();
        let [view] = views.as_slice() else { panic!("one view: {views:?}") };
        assert_eq!(resource_name(db, view.source), "events");
        assert_eq!(resource_name(db, view.target), "totals");
        check(
            &flat(&compiler.view_query(view, "`work`.`block`").expect("a query").sql),
            &expect![[r#"
                SELECT user, sumState(price) AS total FROM (WITH e AS (SELECT * FROM `work`.`block` AS `events`) SELECT e.user AS user, price FROM e JOIN `work`.`events` AS all ON all.user = e.user
                ) AS `cleaned` GROUP BY user"#]],
        );
        let copies = compiler.copies();
        assert_eq!(copies.len(), 1);
        assert!(copies[0].replaces);
        let made = compiler.copy_query(&copies[0], &Parameters::new()).expect("a query");
        assert_eq!(
            made.sql.trim(),
            "SELECT user, sumMergeState(total) AS total FROM `work`.`totals` AS `totals` GROUP BY user"
        );
    });
}

/// Through nodes, `WITH` and parentheses; what an arm joins is read whole.
#[test]
fn every_arm_of_a_union_starts_from_the_block() {
    let source = |name: &str| format!("//- datasources/{name}.datasource\nSCHEMA >\n    `a` Int64\n");
    let pipe = "//- pipes/p.pipe
NODE plain
SQL >
    SELECT a FROM s UNION ALL (WITH w AS (SELECT a FROM s) SELECT a FROM w UNION ALL SELECT a FROM (SELECT a FROM s))
NODE view
SQL >
    SELECT a FROM plain UNION ALL SELECT l.a AS a FROM s AS l JOIN s AS r ON l.a = r.a
TYPE materialized
DATASOURCE t
//- pipes/q.pipe
NODE mixed
SQL >
    SELECT a FROM s UNION ALL SELECT a FROM t
TYPE materialized
DATASOURCE u
";
    let fixture = Fixture::parse(&format!("{}{}{}{pipe}", source("s"), source("t"), source("u")));
    let (db, project, _) = fixture.load();
    let compiler = Compiler::new(&db, project, Options::default());
    let views = compiler.views();
    let [view, mixed] = views.as_slice() else { panic!("two views: {views:?}") };
    let sql = flat(&compiler.view_query(view, "`work`.`block`").expect("a query").sql);
    assert_eq!(sql.matches("`work`.`block`").count(), 4, "{sql}");
    assert_eq!(sql.matches("`work`.`s`").count(), 1, "what it joins: {sql}");
    assert!(compiler.origins(view).iter().all(|origin| *origin == Some(view.source)));
    let origins = compiler.origins(mixed);
    assert_eq!(origins.len(), 2);
    assert_ne!(origins[0], origins[1]);
}

#[test]
fn what_is_no_query_says_why() {
    with(None, |compiler, _| {
        let query = |sql: &str| {
            let made = compiler.query(sql, Around::default(), &Parameters::new());
            made.map(|m| m.sql).unwrap_or_else(|e| format!("{}: {e}", e.status))
        };
        check(
            &[
                query("SELECT * FROM nope"),
                query("SELECT * FROM system.users"),
                query("SELECT * FROM loop"),
                query("SELECT number FROM numbers(3) WHERE number IN alias"),
                query("% SELECT {{ Int32(n) }}"),
                query("% SELECT {{ error('no') }}"),
                query("SELECT count() FROM totals FINAL"),
            ]
            .join("\n"),
            &expect![[r#"
                400: reads `nope`, and the project has no node, pipe or data source of that name
                400: reads `system.users`, which is not part of this project
                400: nodes read each other in circles
                SELECT number FROM numbers(3) WHERE number IN alias
                400: the required parameter `n` is not defined; pass it, or give it a default in the template
                400: no
                SELECT count() FROM `work`.`totals` AS `totals` FINAL"#]],
        );
        let top = compiler.pipe("top").expect("a pipe");
        let around = Around { pipe: Some(top), aliases: &[("_", top)] };
        let made = compiler.query("SELECT count() FROM _", around, &form("n=1")).expect("a query");
        assert!(made.sql.starts_with("SELECT count() FROM ("), "{}", made.sql);
        let made = compiler.query("SELECT user FROM recent", around, &Parameters::new()).expect("a query");
        assert!(made.sql.contains("AS `recent`"), "{}", made.sql);
    });
}
