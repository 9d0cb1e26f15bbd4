//! Every kind of place, with the cursor in broken text.

use headwater_analysis::{Content, FileKind, Setter};
use headwater_test_fixture::Fixture;

use super::*;

const PROJECT: &str = "\
//- datasources/events.datasource
SCHEMA >
    `ts` DateTime `json:$.ts`,
    `user_id` String `json:$.user_id`,
    `amount` Float64 `json:$.amount`,
    `kind` LowCardinality(String) `json:$.kind`

ENGINE MergeTree
ENGINE_SORTING_KEY ts
//- datasources/daily.datasource
SCHEMA >
    day Date,
    users AggregateFunction(uniq, String)
//- pipes/daily_mv.pipe
NODE n
SQL >
    SELECT toDate(ts) AS day, uniqState(user_id) AS users FROM events GROUP BY day
TYPE materialized
DATASOURCE daily
//- connections/bus.connection
TYPE kafka
";

/// The labels at the cursor of `text`, which is put beside [`PROJECT`].
fn labels(text: &str) -> Vec<String> {
    complete(text).items.into_iter().map(|item| item.label).collect()
}

fn complete(text: &str) -> Completions {
    let fixture = Fixture::parse(&format!("{PROJECT}{text}"));
    let (db, _, files) = fixture.load();
    let (index, offset) = fixture.cursor.expect("a cursor");
    let found = completion(&db, files[index], offset);
    for item in &found.items {
        assert!(item.replace.end() <= offset.max(item.replace.end()), "{item:?}");
    }
    found
}

/// A node over `events` whose query has the cursor.
fn query(sql: &str) -> Vec<String> {
    labels(&format!(
        "//- pipes/p.pipe\nNODE first\nSQL >\n    SELECT 1 AS one\nNODE second\nSQL >\n    {sql}\n"
    ))
}

#[track_caller]
fn starts(found: &[String], expected: &[&str]) {
    let first: Vec<_> = found.iter().take(expected.len()).collect();
    assert_eq!(first, expected, "of {found:?}");
}

#[track_caller]
fn has(found: &[String], wanted: &str) {
    assert!(found.iter().any(|l| l == wanted), "{wanted} in {found:?}");
}

#[track_caller]
fn lacks(found: &[String], unwanted: &str) {
    assert!(!found.iter().any(|l| l == unwanted), "{unwanted} in {found:?}");
}

#[test]
fn directives_are_those_that_are_valid_and_not_given() {
    let found = labels("//- a.datasource\nSCHEMA >\n    x String\n\n$0");
    starts(&found, &["ENGINE", "ENGINE_SORTING_KEY", "ENGINE_PARTITION_KEY"]);
    lacks(&found, "SCHEMA");
    lacks(&found, "SQL");
    lacks(&found, "VERSION");
    let found = labels("//- a.pipe\nNODE n\nSQL >\n    SELECT 1\nTY$0\n");
    starts(&found, &["TYPE"]);
    let found = labels("//- a.pipe\nNODE n\nSQL >\n    SELECT 1\nTYPE materialized\n$0");
    starts(&found, &["DATASOURCE"]);
    lacks(&found, "COPY_MODE");
    starts(&labels("//- a.pipe\n$0"), &["NODE"]);
    starts(&labels("//- a.connection\nTYPE kafka\nKAFKA_B$0"), &["KAFKA_BOOTSTRAP_SERVERS"]);
    lacks(&labels("//- a.connection\nTYPE kafka\n$0"), "S3_REGION");
}

#[test]
fn values_are_words_and_names() {
    starts(
        &labels("//- a.datasource\nSCHEMA >\n    x String\nENGINE $0\n"),
        &["MergeTree", "ReplacingMergeTree"],
    );
    starts(&labels("//- a.pipe\nNODE n\nSQL >\n    SELECT 1\nTYPE e$0\n"), &["endpoint"]);
    starts(
        &labels("//- a.pipe\nNODE n\nSQL >\n    SELECT 1\nTYPE copy\nCOPY_MODE $0"),
        &["append", "replace"],
    );
    has(&labels("//- a.pipe\nNODE n\nSQL >\n    SELECT 1\nTYPE copy\nCOPY_SCHEDULE @$0"), "@on-demand");
    let targets =
        labels("//- a.pipe\nNODE n\nSQL >\n    SELECT * FROM events\nTYPE materialized\nDATASOURCE $0\n");
    starts(&targets, &["daily"]);
    lacks(&targets, "events");
    starts(&labels("//- a.datasource\nSCHEMA >\n    x String\nKAFKA_CONNECTION_NAME b$0"), &["bus"]);
    starts(
        &labels("//- a.datasource\nSCHEMA >\n    x String\nIMPORT_FORMAT $0"),
        &["csv", "ndjson", "parquet"],
    );
    has(&labels("//- a.datasource\nTOKEN app READ\n//- b.datasource\nTOKEN $0"), "app");
    starts(&labels("//- a.datasource\nTOKEN app $0"), &["APPEND", "READ"]);
}

#[test]
fn keys_are_columns_that_suit() {
    let text = "//- a.datasource\nSCHEMA >\n    id String,\n    at DateTime,\n    gone Nullable(String)\nENGINE_SORTING_KEY id, $0\n";
    starts(&labels(text), &["at"]);
    let text = "//- a.datasource\nSCHEMA >\n    id String,\n    at DateTime\nENGINE_PARTITION_KEY $0\n";
    starts(&labels(text), &["at"]);
    has(&labels(text), "toYYYYMM(…)");
}

#[test]
fn schemas_have_types_paths_and_defaults() {
    starts(&labels("//- a.datasource\nSCHEMA >\n    id $0"), &["String"]);
    starts(&labels("//- a.datasource\nSCHEMA >\n    id UIn$0"), &["UInt64"]);
    starts(&labels("//- a.datasource\nSCHEMA >\n    id String $0"), &["`json:$.id`", "DEFAULT", "CODEC"]);
    starts(&labels("//- a.datasource\nSCHEMA >\n    id String `json:$$0"), &["$.id"]);
    starts(&labels("//- a.datasource\nSCHEMA >\n    at DateTime DEFAULT $0"), &["now()"]);
    starts(&labels("//- a.datasource\nSCHEMA >\n    id String CODEC(Z$0"), &["ZSTD"]);
    has(&labels("//- a.datasource\nSCHEMA >\n    id Nullable($0"), "String");
}

#[test]
fn tables_make_no_cycle() {
    let found = query("SELECT * FROM $0");
    starts(&found, &["first", "daily", "events"]);
    lacks(&found, "second");
    lacks(&found, "daily_mv");
    // What a materialized view writes is no source for it.
    let found =
        labels("//- pipes/x.pipe\nNODE a\nSQL >\n    SELECT * FROM b\nNODE b\nSQL >\n    SELECT * FROM $0\n");
    lacks(&found, "a");
    starts(&query("WITH recent AS (SELECT * FROM events) SELECT * FROM r$0"), &["recent"]);
    has(&query("SELECT * FROM tinybird.$0"), "pipe_stats_rt");
}

#[test]
fn columns_in_scope_come_first() {
    starts(&query("SELECT $0 FROM events"), &["ts", "user_id", "amount", "kind"]);
    starts(&query("SELECT ts, $0 FROM events"), &["user_id", "amount", "kind"]);
    starts(&query("SELECT e.$0 FROM events e"), &["ts", "user_id", "amount", "kind"]);
    starts(&query("SELECT * FROM events WHERE us$0"), &["user_id"]);
    starts(&query("SELECT on$0 FROM first"), &["one"]);
    starts(&query("SELECT * FROM (SELECT ts AS moment FROM events) WHERE m$0"), &["moment"]);
    starts(&query("WITH x AS (SELECT ts AS moment FROM events) SELECT m$0 FROM x"), &["moment"]);
    starts(&query("WITH x AS (SELECT us$0 FROM events) SELECT 1"), &["user_id"]);
    has(&query("SELECT $0 FROM events a JOIN events b ON a.ts = b.ts"), "a.ts");
    starts(&query("SELECT * FROM events a JOIN daily b USING $0"), &[]);
    starts(&query("SELECT kind AS what, count() FROM events GROUP BY $0"), &["what"]);
    starts(&query("SELECT arrayMap(part -> pa$0, splitByChar('-', user_id)) FROM events"), &["part"]);
}

#[test]
fn arguments_are_ranked_by_type() {
    starts(&query("SELECT toStartOfHour($0 FROM events"), &["ts"]);
    starts(&query("SELECT lower($0) FROM events"), &["user_id", "kind"]);
}

#[test]
fn states_are_merged() {
    has(&query("SELECT day, us$0 FROM daily"), "uniqMerge(users)");
}

#[test]
fn functions_fit_by_prefix_hump_and_combinator() {
    has(&query("SELECT tsoh$0 FROM events"), "toStartOfHour");
    starts(&query("SELECT countI$0 FROM events"), &["countIf"]);
    starts(&query("SELECT quantileSta$0 FROM events"), &["quantileState"]);
    lacks(&query("SELECT 1 FROM events WHERE coun$0"), "count");
}

#[test]
fn what_follows_is_what_may_follow() {
    starts(&query("SELECT ts $0 "), &["AS", "FROM"]);
    starts(&query("SELECT ts FROM events $0"), &["WHERE"]);
    starts(&query("SELECT ts FROM events JOIN daily $0"), &["ON", "USING"]);
    starts(&query("SELECT ts FROM events GROUP $0"), &["BY"]);
    starts(&query("SELECT ts FROM events ORDER BY ts $0"), &["DESC"]);
    starts(&query("SELECT ts::$0 FROM events"), &["String"]);
    starts(&query("SELECT ts FROM events SETTINGS max_thr$0"), &["max_threads"]);
    starts(&query("SELECT dateDiff('$0"), &["second", "minute"]);
    assert_eq!(query("SELECT ts AS $0 FROM events"), [""; 0]);
    assert_eq!(query("SELECT ts -- $0"), [""; 0]);
    starts(&query("$0"), &["SELECT", "WITH"]);
}

#[test]
fn templates_have_functions_arguments_and_parameters() {
    starts(&query("%\n    SELECT {{Int$0}} FROM events"), &["Int32"]);
    starts(&query("%\n    SELECT {{Int32(days, $0)}} FROM events"), &["default=", "defined="]);
    has(&query("%\n    SELECT {{Int32(days, 1)}} FROM events WHERE 1 {% if defined($0) %}{% end %}"), "days");
    starts(&query("%\n    SELECT 1 {% $0"), &["if"]);
    has(&query("%\n    SELECT 1 {% set limit = 3 %} LIMIT {{li$0"), "limit");
    has(&query("%\n    SELECT {{Array(x, '$0"), "Int32");
    // Between the tags it is SQL.
    starts(&query("%\n    SELECT {% if defined(a) %}us$0{% else %}ts{% end %} FROM events"), &["user_id"]);
    starts(&query("%\n    SELECT * FROM events WHERE ts > {{DateTime(since)}} AND us$0"), &["user_id"]);
}

#[test]
fn tests_have_keys_and_parameters() {
    let pipe = "//- pipes/top.pipe\nNODE n\nSQL >\n    %\n    SELECT {{Int32(days, 7)}}, {{String(who)}}\nTYPE endpoint\n";
    let found = labels(&format!("{pipe}//- tests/top.yaml\n- name: a\n  $0\n"));
    starts(&found, &["description", "parameters", "expected_result"]);
    lacks(&found, "name");
    starts(&labels(&format!("{pipe}//- tests/top.yaml\n- name: a\n  parameters: $0\n")), &["who", "days"]);
    starts(&labels(&format!("{pipe}//- tests/top.yaml\n- name: a\n  parameters: who=x&$0\n")), &["days"]);
}

#[test]
fn a_blank_line_in_a_query_belongs_to_it() {
    let found = labels("//- pipes/p.pipe\nNODE n\nSQL >\n    SELECT\n        $0\n    FROM events\n");
    starts(&found, &["ts", "user_id"]);
}

#[test]
fn every_place_of_broken_text_is_answered() {
    let text = "NODE n\nSQL >\n    %\n    SELECT a.b, f(x, 'y') FROM t JOIN (SELECT {{Int32(p, 1)}}) u USING (z) {% if x %}W{% end %}\n\
                TYPE copy\nCOPY_SCHEDULE */5 * * * *\nTARGET_DATASOURCE \"x\"\n";
    for path in ["a.pipe", "a.datasource", "a.connection", "tests/a.yaml"] {
        let (mut db, _, files) = Fixture::parse(&format!("{PROJECT}//- {path}\n")).load();
        let file = files[files.len() - 1];
        for end in (0..=text.len()).step_by(3) {
            let (before, after) = text.split_at(end);
            for text in [before.to_owned(), format!("{before}{after}")] {
                file.set_content(&mut db).to(Content::Text(text.into()));
                completion(&db, file, TextSize::of(before));
            }
        }
    }
}

#[test]
fn items_lead_to_documentation() {
    let fixture = Fixture::parse(PROJECT);
    let (db, project, _) = fixture.load();
    for key in [
        "function:sumIf",
        "type:String",
        "engine:MergeTree",
        "setting:max_threads",
        "directive:SCHEMA",
        "template:Int32",
        "table:events",
        "connection:bus",
        "format:JSON",
        "codec:ZSTD",
    ] {
        assert!(documentation(&db, project, key).is_some_and(|text| text.len() > 10), "{key}");
    }
    assert_eq!(documentation(&db, project, "nonsense:x"), None);
}

#[test]
fn declared_sets_are_what_the_analysis_accepts() {
    for directive in DECLARED_SETS {
        let kinds = [FileKind::Datasource, FileKind::Pipe, FileKind::Connection];
        let words = kinds.iter().map(|k| headwater_analysis::accepted_words(*directive, *k).len()).max();
        assert!(words.is_some_and(|n| n > 0), "{directive:?}");
    }
}

#[test]
fn keywords_stand_where_the_words_before_want_them() {
    starts(&query("SELECT ts FROM events UNION $0"), &["ALL", "DISTINCT"]);
    has(&query("SELECT DI$0 ts FROM events"), "DISTINCT");
    lacks(&query("SELECT ts, DIST$0 FROM events"), "DISTINCT");
    starts(&query("SELECT countIf(kind IL$0) FROM events"), &["ILIKE"]);
    has(&query("SELECT ts FROM events WHERE ts > timestampA$0"), "timestampAdd");
}

#[test]
fn what_is_open_does_not_hide_the_tables() {
    starts(&query("SELECT ts, case when match($0 FROM events"), &["ts", "user_id"]);
    starts(
        &query("SELECT ts, case when match(us$0\n then 'a' END AS x FROM events WHERE ts > now()"),
        &["user_id"],
    );
    has(&query("SELECT toString(un$0 FROM daily"), "uniqMerge(users)");
    // The query around another one is not mistaken for it.
    let inner = query("SELECT one FROM (SELECT match(us$0 FROM events) AS e, first");
    has(&inner, "user_id");
}

#[test]
fn parameters_are_called_like_columns_and_like_those_of_other_pipes() {
    let other = "//- pipes/other.pipe\nNODE o\nSQL >\n    % SELECT {{Date(date_from)}} AS d FROM events\nTYPE endpoint\n";
    let found = labels(&format!(
        "{other}//- pipes/p.pipe\nNODE n\nSQL >\n    %\n    SELECT ts FROM events WHERE 1 {{% if defined($0) %}} AND 1 {{% end %}}\n"
    ));
    has(&found, "user_id");
    has(&found, "date_from");
    let known = labels(
        "//- pipes/p.pipe\nNODE n\nSQL >\n    %\n    SELECT ts FROM events WHERE kind = {{String(what)}} {% if defined(what) and $0 %} AND 1 {% end %}\n",
    );
    starts(&known, &["defined", "what"]);
}

#[test]
fn names_that_are_read_and_not_there_are_likely_targets() {
    let found = labels(
        "//- pipes/top.pipe\nNODE t\nSQL >\n    SELECT day FROM per_day\nTYPE endpoint\n\
         //- pipes/p.pipe\nNODE n\nSQL >\n    SELECT toDate(ts) AS day FROM events\nTYPE materialized\nDATASOURCE $0\n",
    );
    has(&found, "per_day");
}

#[test]
fn classic_names_are_offered_without_their_version() {
    let found = labels(
        "//- .tinyenv\n//- datasources/hits.datasource\nVERSION 2\nSCHEMA >\n    x String\n\
         //- pipes/p.pipe\nNODE n\nSQL >\n    SELECT x FROM hi$0\n",
    );
    starts(&found, &["hits", "hits__v2"]);
}
