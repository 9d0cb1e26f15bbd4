//! How things look, and what is left alone.

use expect_test::{Expect, expect};
use headwater_format::{KeywordCase, Options, Reason, format, format_edits, format_sql};
use headwater_syntax::{Dialect, FileKind, range};

fn sql(text: &str, expected: &Expect) {
    expected.assert_eq(&(format_sql(text, &Options { width: 60, ..Options::default() }).unwrap() + "\n"));
}

fn file(kind: FileKind, text: &str, expected: &Expect) {
    expected.assert_eq(&format(text, kind, Dialect::Forward, &Options::default()).text);
}

#[test]
fn short_queries_stay_on_their_line() {
    sql(
        "select  a,b from t where x=1 limit 10",
        &expect![[r#"
        select a, b from t where x = 1 limit 10
    "#]],
    );
    sql(
        "select a\nfrom t where x=1",
        &expect![[r#"
        select a
        from t
        where x = 1
    "#]],
    );
}

#[test]
fn lists_and_chains_break_together() {
    sql(
        "SELECT a, b,\n c FROM t GROUP BY a, b, c",
        &expect![[r#"
        SELECT
            a,
            b,
            c
        FROM t
        GROUP BY a, b, c
    "#]],
    );
    sql(
        "SELECT x FROM t WHERE alpha = 1 AND beta = 2 AND (gamma = 3 OR delta = 4 OR epsilon = 555) AND f(zeta)",
        &expect![[r#"
            SELECT x
            FROM t
            WHERE
                alpha = 1
                AND beta = 2
                AND (gamma = 3 OR delta = 4 OR epsilon = 555)
                AND f(zeta)
        "#]],
    );
    sql(
        "SELECT aaaaaaaaaaaaaaaa + bbbbbbbbbbbbbbbbbbbb * cccccccccccccc - dddddddddddd AS total",
        &expect![[r#"
            SELECT aaaaaaaaaaaaaaaa
                + bbbbbbbbbbbbbbbbbbbb * cccccccccccccc
                - dddddddddddd AS total
        "#]],
    );
}

/// Written elsewhere and moved along, whatever the indentation was; a text in it is not touched.
#[test]
fn values_over_several_lines_go_along() {
    let with = |n: usize| {
        let i = " ".repeat(n);
        format!(
            "%\nSELECT a FROM t WHERE alpha = {{{{\n{i}    String(\n{i}        name,\n{i}        'x'\n{i}    )\n{i}}}}} AND beta = 2 AND gamma = 3"
        )
    };
    let expected = expect![[r#"
        %
        SELECT a
        FROM t
        WHERE
            alpha = {{
                String(
                    name,
                    'x'
                )
            }}
            AND beta = 2
            AND gamma = 3
    "#]];
    sql(&with(0), &expected);
    sql(&with(10), &expected);
    let text = "%\nSELECT a FROM t WHERE alpha = {{ f(\"\"\"x\n  y\"\"\") }}";
    assert!(format_sql(text, &Options::default()).unwrap().contains("\"\"\"x\n  y\"\"\""));
}

#[test]
fn comments_stay_where_they_are() {
    sql(
        "-- first\nSELECT a, -- of a\n  /* before b */ b /* behind b */\n  -- last\nFROM t # old style\n\n-- where\nWHERE x -- of x\n = 1 -- end",
        &expect![[r#"
            -- first
            SELECT
                a, -- of a
                /* before b */ b /* behind b */
            -- last
            FROM t # old style

            -- where
            WHERE x -- of x
                = 1 -- end
        "#]],
    );
    sql(
        "SELECT a -- one\n, b -- two\n, c FROM t",
        &expect![[r#"
        SELECT
            a -- one
            , b -- two
            , c
        FROM t
    "#]],
    );
    sql(
        "SELECT /* several\n   lines */ a",
        &expect![[r#"
        SELECT /* several
           lines */ a
    "#]],
    );
}

#[test]
fn everything_else_that_queries_have() {
    sql(
        "WITH RECURSIVE a AS (SELECT 1), 5 AS n, b AS (SELECT * FROM a) SELECT DISTINCT ON (x) *, t.* EXCEPT(y) REPLACE (1 AS z), CAST(a AS Array( String )), a::UInt8, m[ 'k' ], t.1, x -> x+1, (x,y)->x, - -1, not a, a ? b : c, INTERVAL 1 DAY, [1,2], {'a':1}, quantile( 0.9 )(x), count(DISTINCT y), EXTRACT(DAY FROM d) FROM a FINAL SAMPLE 1/10 AS s, b ARRAY JOIN arr AS e GLOBAL ANY LEFT JOIN c USING(k) PREWHERE p QUALIFY r = 1 ORDER BY a DESC NULLS LAST WITH FILL FROM 1 TO 9 STEP 2, b LIMIT 1, 2 BY c LIMIT 5 OFFSET 3 SETTINGS max_threads=4, x = 'y' FORMAT JSON",
        &expect![[r#"
            WITH RECURSIVE
                a AS (SELECT 1),
                5 AS n,
                b AS (SELECT * FROM a)
            SELECT DISTINCT ON (x)
                *,
                t.* EXCEPT(y) REPLACE (1 AS z),
                CAST(a AS Array(String)),
                a::UInt8,
                m['k'],
                t.1,
                x -> x + 1,
                (x, y) -> x,
                - -1,
                not a,
                a ? b : c,
                INTERVAL 1 DAY,
                [1, 2],
                {'a': 1},
                quantile(0.9)(x),
                count(DISTINCT y),
                EXTRACT(DAY FROM d)
            FROM a FINAL SAMPLE 1 / 10 AS s, b
            ARRAY JOIN arr AS e
            GLOBAL ANY LEFT JOIN c USING (k)
            PREWHERE p
            QUALIFY r = 1
            ORDER BY a DESC NULLS LAST WITH FILL FROM 1 TO 9 STEP 2, b
            LIMIT 1, 2 BY c
            LIMIT 5 OFFSET 3
            SETTINGS max_threads = 4, x = 'y'
            FORMAT JSON
        "#]],
    );
    sql(
        "SELECT 1 UNION ALL (SELECT 2) EXCEPT\nSELECT 3",
        &expect![[r#"
        SELECT 1
        UNION ALL
        (SELECT 2)
        EXCEPT
        SELECT 3
    "#]],
    );
    sql(
        "SELECT sum(x) OVER (PARTITION BY aaaaaaaaaaaaaaaaa ORDER BY bbbbbbbbbbbbbbbbbbbbb ROWS BETWEEN 1 PRECEDING AND CURRENT ROW) AS s, CASE a WHEN 1 THEN 'x'\n ELSE 'y' END FROM t",
        &expect![[r#"
            SELECT
                sum(x) OVER (
                    PARTITION BY aaaaaaaaaaaaaaaaa
                    ORDER BY bbbbbbbbbbbbbbbbbbbbb
                    ROWS BETWEEN 1 PRECEDING AND CURRENT ROW
                ) AS s,
                CASE a
                    WHEN 1 THEN 'x'
                    ELSE 'y'
                END
            FROM t
        "#]],
    );
    sql(
        "SELECT a FROM t WHERE b IN (SELECT c FROM d WHERE eeeeeeeeeeeeeeeeeeeeeeeeeeeee = 1)",
        &expect![[r#"
            SELECT a
            FROM t
            WHERE b IN (
                SELECT c FROM d WHERE eeeeeeeeeeeeeeeeeeeeeeeeeeeee = 1
            )
        "#]],
    );
    sql(
        "SELECT a FROM t WHERE b IN (1000001, 1000002, 1000003, 1000004, 1000005, 1000006, 1000007, 1000008)",
        &expect![[r#"
            SELECT a
            FROM t
            WHERE b IN (
                1000001, 1000002, 1000003, 1000004, 1000005, 1000006,
                1000007, 1000008
            )
        "#]],
    );
    sql(
        "EXPLAIN PLAN SELECT 1",
        &expect![[r#"
        EXPLAIN PLAN SELECT 1
    "#]],
    );
}

#[test]
fn tags_on_lines_of_their_own_indent() {
    sql(
        "%\nSELECT a,\n{% for x in xs %}\n{{x}} AS {{ symbol(x) }},\n{% end %}\nb FROM (SELECT * FROM t\n{% if defined(c) %}\nWHERE c = {{Int8(c)}}\nGROUP BY {% if defined(d) %} d {% else %} e {% end %}\n{% end %}\n)",
        &expect![[r#"
            %
            SELECT
                a,
                {% for x in xs %}
                    {{ x }} AS {{ symbol(x) }},
                {% end %}
                b
            FROM (
                SELECT *
                FROM t
                {% if defined(c) %}
                    WHERE c = {{ Int8(c) }}
                    GROUP BY {% if defined(d) %} d {% else %} e {% end %}
                {% end %}
            )
        "#]],
    );
    sql(
        "%\n{% if a %}\nSELECT 1\n{% else %}\nSELECT 2\n{% end %}\nFROM t",
        &expect![[r#"
        %
        {% if a %}
            SELECT 1
        {% else %}
            SELECT 2
        {% end %}
        FROM t
    "#]],
    );
    sql(
        "% SELECT events_{{ env }}.a, '{{ b }}' FROM {{table(t)}} x",
        &expect![[r#"
        %
        SELECT events_{{ env }}.a, '{{ b }}' FROM {{ table(t) }} x
    "#]],
    );
}

#[test]
fn keywords_are_as_configured() {
    let with = |keywords| {
        format_sql(
            "Select date, Count(*) From t Order By x desc",
            &Options { keywords, ..Options::default() },
        )
    };
    assert_eq!(with(KeywordCase::Upper).unwrap(), "SELECT date, Count(*) FROM t ORDER BY x DESC");
    assert_eq!(with(KeywordCase::Lower).unwrap(), "select date, Count(*) from t order by x desc");
}

#[test]
fn what_is_left_alone_says_why() {
    let reason = |sql: &str| {
        let text = format!("NODE a\nSQL >\n{sql}\n\nNODE  b\nSQL >\n  SELECT  1\n");
        let formatted = format(&text, FileKind::Pipe, Dialect::Forward, &Options::default());
        let expected = format!("NODE a\nSQL >\n{sql}\n\nNODE b\nSQL >\n    SELECT 1\n");
        assert_eq!(formatted.text, expected, "{sql}");
        formatted.skipped[0].reason
    };
    assert_eq!(reason("  SELECT  (a FROM t"), Reason::SyntaxError);
    assert_eq!(reason("  %\n SELECT  a {% if x %}"), Reason::TemplateError);
    assert_eq!(reason("  %\n SELECT  a{% if x %}b{% end %}"), Reason::GluedTag);
    assert_eq!(reason("  SELECT  'a\n      b'"), Reason::IndentedText);
    assert_eq!(reason("  CREATE TABLE  t"), Reason::NoQuery);
    let deep = format!("  SELECT {}1{}", "(".repeat(400), ")".repeat(400));
    assert_eq!(reason(&deep), Reason::TooDeep);
    // What is followed fits on the stack of a thread: no nesting ends the program.
    for (before, after) in
        [("(", ")"), ("f(", ")"), ("[", "]"), ("CASE WHEN ", " THEN 1 END"), ("(SELECT ", ")"), ("NOT ", "")]
    {
        for depth in [20, 60, 80, 120, 160, 240, 300, 5_000] {
            let nested = format!("SELECT {}1{}", before.repeat(depth), after.repeat(depth));
            let laid_out = format_sql(&nested, &Options::default());
            assert!(depth > 40 || laid_out.is_ok(), "{before} {depth}: {laid_out:?}");
        }
    }
    // A chain is not deep.
    let chain = format!("SELECT {}1", "1 + ".repeat(5_000));
    assert!(format_sql(&chain, &Options::default()).is_ok());
}

#[test]
fn directives_and_blank_lines() {
    file(
        FileKind::Pipe,
        "\n\n# of the file\n\n\nDESCRIPTION   it's \"a\"b  # why\nTOKEN \"x y\"   READ\nnode a\nDESCRIPTION >\n\n\tfirst\n\t  second\n\n\n\tthird\n# gone\nSQL > lost\nSELECT 1\n# trailing\n\n\nTYP endpoint\ntype   Endpoint\n\nFILTER x\n",
        &expect![[r##"
            # of the file

            DESCRIPTION it's "a"b # why
            TOKEN "x y" READ

            NODE a
            DESCRIPTION >
                first
                  second

                third

            # gone
            SQL > lost
            SELECT 1
            # trailing


            TYP endpoint

            TYPE Endpoint

            FILTER x
        "##]],
    );
    file(
        FileKind::Connection,
        "TYPE kafka\nKAFKA_KEY   {{ tb_secret(\"k\") }}\n\n\nKAFKA_SECRET 'x'\nKAFKA_SSL_CA_PEM >\n  -----BEGIN\n  abc\n",
        &expect![[r#"
            TYPE kafka
            KAFKA_KEY {{ tb_secret("k") }}

            KAFKA_SECRET 'x'

            KAFKA_SSL_CA_PEM >
                -----BEGIN
                abc
        "#]],
    );
}

#[test]
fn columns_stand_below_each_other() {
    file(
        FileKind::Datasource,
        "SCHEMA >\n a String `json:$.a`,\n\n # of bb\n `bb` Array( String )  DEFAULT [] CODEC(ZSTD(1)), -- behind\n c AggregateFunction(quantiles(0.5, 0.9, 0.99), Float64, DateTime64(3)) `json:$.c`,\n d DEFAULT a || 'x'\n -- end\nENGINE_SORTING_KEY   a\n\n\nENGINE MergeTree\nKAFKA_TOPIC a#b\n",
        &expect![[r#"
            SCHEMA >
                a    String        `json:$.a`,

                # of bb
                `bb` Array(String) DEFAULT [] CODEC(ZSTD(1)), -- behind
                c    AggregateFunction(quantiles(0.5, 0.9, 0.99), Float64, DateTime64(3)) `json:$.c`,
                d                  DEFAULT a || 'x'
                -- end

            ENGINE_SORTING_KEY a
            ENGINE MergeTree

            KAFKA_TOPIC a#b
        "#]],
    );
    file(
        FileKind::Datasource,
        "SCHEMA >\n kind Enum8('alpha' = 1, 'beta' = 2, 'gamma' = 3, 'delta' = 4, 'epsilon' = 5, 'zeta' = 6, 'eta' = 7, 'theta' = 8),\n n Int8\n",
        &expect![[r#"
            SCHEMA >
                kind Enum8(
                    'alpha' = 1, 'beta' = 2, 'gamma' = 3, 'delta' = 4, 'epsilon' = 5, 'zeta' = 6, 'eta' = 7,
                    'theta' = 8
                ),
                n Int8
        "#]],
    );
    file(
        FileKind::Datasource,
        "SCHEMA >\n  a String\n  b  Int8\nENGINE  Null\n",
        &expect![[r#"
        SCHEMA >
          a String
          b  Int8

        ENGINE Null
    "#]],
    );
}

#[test]
fn line_ends_tabs_and_marks_are_those_of_the_file() {
    let text = "NODE a\r\nSQL >\r\n\tSELECT a,\r\n\t\tb\r\n\tFROM t\r\n";
    let formatted = format(text, FileKind::Pipe, Dialect::Forward, &Options::default());
    assert_eq!(formatted.text, "NODE a\r\nSQL >\r\n    SELECT\r\n        a,\r\n        b\r\n    FROM t\r\n");
    // A mark breaks the first directive; it is not ours to take.
    let text = "\u{feff}NODE a\nSQL >\n SELECT  1\n";
    let formatted = format(text, FileKind::Pipe, Dialect::Forward, &Options::default());
    assert_eq!(formatted.text, "\u{feff}NODE a\nSQL >\n    SELECT 1\n");
    assert_eq!(format("", FileKind::Pipe, Dialect::Forward, &Options::default()).text, "");
}

#[test]
fn edits_touch_what_changes() {
    let text = "NODE a\nSQL >\n    SELECT a, b FROM t WHERE  x\n\nNODE b\nSQL >\n  SELECT 1\n";
    let edits = |within| format_edits(text, FileKind::Pipe, Dialect::Forward, &Options::default(), within);
    let shown: Vec<_> = edits(None).iter().map(|e| (&text[e.range], e.text.clone())).collect();
    assert_eq!(shown, [(" ", String::new()), ("", "  ".to_owned())]);
    assert_eq!(edits(Some(range(20, 20))).len(), 1);
    assert_eq!(edits(Some(range(0, 3))).len(), 0);
    assert_eq!(edits(Some(range(0, text.len()))).len(), 2);
}

/// Two threads lay a large file out; every block is where it belongs, and as it is by itself.
#[test]
fn a_large_file_is_laid_out_as_its_nodes_are() {
    let node = |n: usize| {
        let broken = if n % 7 == 3 { "SELECT (" } else { "" };
        format!(
            "NODE n{n}\nSQL >\n  %\n  SELECT  a,b{n},count( ) FROM t{n}\n  WHERE {{% if defined(x) %}}  a={{{{String(x)}}}} {{% else %}} b = {n} {{% end %}} {broken}\n"
        )
    };
    let all = |text: &str| format(text, FileKind::Pipe, Dialect::Forward, &Options::default());
    let nodes: Vec<String> = (0..200).map(node).collect();
    let whole = all(&nodes.join("\n"));
    let parts: Vec<_> = nodes.iter().map(|node| all(node)).collect();
    assert_eq!(whole.text, parts.iter().map(|part| part.text.as_str()).collect::<Vec<_>>().join("\n"));
    assert_eq!(whole.skipped.len(), parts.iter().map(|part| part.skipped.len()).sum::<usize>());
    assert!(whole.skipped.len() > 20 && whole.skipped.is_sorted_by_key(|skipped| skipped.range.start()));
}
