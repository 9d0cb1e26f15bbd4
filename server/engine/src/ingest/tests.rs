//! Rows as text, and what becomes of them.

use expect_test::{Expect, expect};
use headwater_analysis::FileKind;
use headwater_plan::definition;
use headwater_test_fixture::Fixture;

use super::*;

fn schema(columns: &str) -> Schema {
    let text =
        format!("//- datasources/t.datasource\nSCHEMA >\n    {}\n", columns.trim().replace('\n', "\n    "));
    let (db, project, _) = Fixture::parse(&text).load();
    let file = project.files(&db).iter().find(|f| f.kind(&db) == Some(FileKind::Datasource)).expect("a file");
    let definition = definition(&db, *file).clone().expect("a definition");
    Schema::new(definition.table().expect("a table")).expect("paths")
}

fn check(batch: &Batch, expected: &Expect) {
    let mut out = String::from_utf8(batch.rows.clone()).expect("UTF-8");
    for row in &batch.quarantined {
        let values: Vec<&str> = row.values.iter().map(|v| v.as_deref().unwrap_or("-")).collect();
        out += &format!("! line {} ({}): {:?} {:?}\n", row.line, values.join("|"), row.columns, row.reasons);
    }
    assert_eq!(batch.starts.len(), batch.rows.iter().filter(|b| **b == b'\n').count());
    expected.assert_eq(&out);
}

#[test]
fn missing_and_null_follow_the_rules_of_the_format() {
    let schema = schema(
        "`id` UInt8 `json:$.id`,
`name` String `json:$.user.name` DEFAULT 'nobody',
`note` Nullable(String) `json:$.note`,
`tags` Array(String) `json:$.tags[:].t` DEFAULT [],
`at` DateTime DEFAULT now()",
    );
    let batch = schema.ndjson(
        br#"{"id": 1, "user": {"name": "a"}, "note": "x", "tags": [{"t": "p"}, {"t": "q"}]}
{"id": "2"}

{"id": 3, "user": null, "note": null}
{"user": {}}
{"id": null}
{"id": 300, "tags": [{"t": null}]}
{"id": 1.5, "note": {"b": [1, 2]}}
{"id": true, "note": 12345678901234567890.10}
nonsense
[1]
"#,
    );
    check(
        &batch,
        &expect![[r#"
            {"id":1,"name":"a","note":"x","tags":["p","q"]}
            {"id":2}
            {"id":3,"note":null}
            {"id":1,"note":"12345678901234567890.10"}
            ! line 5 (-|-|-|-|-): ["id"] ["the value is missing, and the column has no DEFAULT and is not Nullable"]
            ! line 6 (-|-|-|-|-): ["id"] ["the value is null, and the column has no DEFAULT and is not Nullable"]
            ! line 7 (300|-|-|[null]|-): ["id", "tags"] ["300 is out of the range of UInt8", "item 1: null is no String"]
            ! line 8 (1.5|-|{"b": [1, 2]}|-|-): ["id"] ["1.5 is no UInt8"]
            ! line 10 (-|-|-|-|-): [] ["the line is no JSON: expected a value at character 1", "the line: nonsense"]
            ! line 11 (-|-|-|-|-): [] ["the line is JSON, but no object", "the line: [1]"]
        "#]],
    );
}

#[test]
fn values_are_read_as_the_engine_reads_them() {
    let schema = schema(
        "`d` Date, `t` DateTime, `m` DateTime64(3), `f` Float32, `n` Decimal(5, 2), `b` Bool, `u` UUID,
`e` Enum8('a' = 1, 'b' = 2), `l` LowCardinality(Nullable(String)), `k` Map(String, Int8), `x` FixedString(2),
`i` IPv4, `s` SimpleAggregateFunction(max, UInt16), `big` Int256",
    );
    let good = r#"{"d":"2025-01-31","t":"2025-01-31T10:00:00.5Z","m":1700000000123,"f":"1e5","n":"123.456","b":"yes",
"u":"61f0c404-5cb3-11e7-907b-a6006ad3dba0","e":"b","l":null,"k":{"a":"5"},"x":"ab","i":"10.0.0.1","s":7,
"big":-115792089237316195423570985008687907853269984665640564039457584007913129639935}"#
        .replace('\n', "");
    let bad = r#"{"d":"2025-02-30","t":"1960-01-01 00:00:00","m":"never","f":"abc","n":1234.5,"b":"maybe","u":"x","e":"c",
"l":5,"k":{"a":500},"x":"abc","i":"10.0.0.256","s":-1,"big":"1x"}"#
        .replace('\n', "");
    check(
        &schema.ndjson(format!("{good}\n{bad}\n").as_bytes()),
        &expect![[r#"
            {"d":"2025-01-31","t":"2025-01-31T10:00:00.5Z","m":"1700000000.123","f":1e5,"n":"123.456","b":true,"u":"61f0c404-5cb3-11e7-907b-a6006ad3dba0","e":"b","l":null,"k":{"a":5},"x":"ab","i":"10.0.0.1","s":7,"big":-115792089237316195423570985008687907853269984665640564039457584007913129639935}
            ! line 2 (2025-02-30|1960-01-01 00:00:00|never|abc|1234.5|maybe|x|c|5|{"a":500}|abc|10.0.0.256|-1|1x): ["d", "t", "m", "f", "n", "b", "u", "e", "k", "x", "i", "s", "big"] ["\"2025-02-30\" is no Date", "\"1960-01-01 00:00:00\" is out of the range of DateTime", "\"never\" is no DateTime64(3)", "\"abc\" is no Float32", "1234.5 is out of the range of Decimal(5, 2)", "\"maybe\" is no Bool", "\"x\" is no UUID", "\"c\" is no Enum8('a' = 1, 'b' = 2)", "key \"a\": 500 is out of the range of Int8", "\"abc\" has 3 bytes, FixedString(2) holds 2", "\"10.0.0.256\" is no IPv4", "-1 is out of the range of UInt16", "\"1x\" is no Int256"]
        "#]],
    );
}

#[test]
fn cells_go_by_name_or_by_position() {
    let schema = schema(
        "`id` UInt8, `name` String, `tags` Array(String), `n` Nullable(Int32), `d` Date DEFAULT today()",
    );
    check(
        &schema.csv(b"name,id,tags,extra\n\"a, b\",1,\"['x','it''s']\",?\n,2,\"[\"\"y\"\"]\",\n"),
        &expect![[r#"
            {"id":1,"name":"a, b","tags":["x","it's"]}
            {"id":2,"name":"","tags":["y"]}
        "#]],
    );
    check(
        &schema.csv(b"1,a,[],5,2025-01-01\n2,b,[],\\N\n,c,[],x,\n1,a,[],5,2025-01-01,6\n"),
        &expect![[r#"
            {"id":1,"name":"a","tags":[],"n":5,"d":"2025-01-01"}
            {"id":2,"name":"b","tags":[]}
            ! line 3 (|c|[]|x|): ["id", "n"] ["the value is missing, and the column has no DEFAULT and is not Nullable", "\"x\" is no Int32"]
            ! line 4 (-|-|-|-|-): [] ["the line has 6 cells, the table has 5 columns", "the line: 1,a,[],5,2025-01-01,6"]
        "#]],
    );
}

#[test]
fn a_list_of_rows_is_rows() {
    let schema = schema("`id` UInt8 `json:$.id`");
    let expected = expect![[r#"
        {"id":1}
        {"id":2}
    "#]];
    check(&schema.ndjson(b"[{\"id\": 1},\n {\"id\": 2}]"), &expected);
    check(&schema.ndjson(b"{\n \"id\": 1\n}\n{\n \"id\": 2\n}\n"), &expected);
}
