//! Projects on the real engine: settings, samples of every kind, views in chains, copies, quarantine, and an engine that
//! dies.
//!
//! The test is its own worker of the engine; `cargo xtask test` brings the library, and without it this fails and says so.

#[path = "on_engine/made_up.rs"]
mod made_up;

use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use headwater_analysis::{Database, Project};
use headwater_engine::compile::{SESSION_SETTINGS, TABLE_SETTINGS, session_statement};
use headwater_engine::fixtures::Raw;
use headwater_engine::run::{Bench, Outcome, RunOptions, Status};
use headwater_engine::suite::{Case, read};
use headwater_test_fixture::Fixture;
use headwater_warehouse::{Allow, Limits, Places, Pool, PoolConfig, Program, Request};

const TESTS: &[(&str, fn(&Pool))] = &[
    ("settings are known to the engine, and do what their reasons say", settings),
    ("samples of every kind are read", samples),
    ("views are block consumers, in chains and beside each other", views),
    ("copies go on through views", copies),
    ("what only the engine refuses goes to quarantine, row by row", quarantine),
    ("the product's own data sources, Kafka's columns and secrets are there", surroundings),
    ("command lines and data quality of Classic", classic),
    ("made-up rows of all types fit", made_up::all_types),
    ("a broken table fails its tests and no others", broken),
];

fn main() -> ExitCode {
    if std::env::args().nth(1).as_deref() == Some("engine-worker") {
        return headwater_warehouse::worker_main();
    }
    // What the test runner asks of every test program.
    if std::env::args().any(|a| a == "--list") {
        println!("engine: test");
        return ExitCode::SUCCESS;
    }
    let pool = Pool::new(config());
    for (name, test) in TESTS {
        println!("{name}");
        test(&pool);
    }
    println!("an engine that dies loses the test in it and no other");
    crash();
    println!("test result: ok. {} passed; 0 failed", TESTS.len() + 1);
    ExitCode::SUCCESS
}

fn config() -> PoolConfig {
    let library = match Places::from_env().library() {
        Ok(library) => library.path().to_owned(),
        Err(why) => panic!("this test needs the SQL engine; `cargo xtask test` brings it. {why}"),
    };
    let mut config = PoolConfig::new(Program::current().expect("a path"), library);
    config.workers = 2;
    config.prelude = vec![session_statement()];
    config
}

/// A project and the files beside it, by paths.
struct Given {
    db: Database,
    project: Project,
    files: Vec<Raw>,
    cases: Vec<Case>,
}

impl Given {
    /// Files in `tests/` are tests, those in `fixtures/` samples.
    fn new(text: &str) -> Self {
        let fixture = Fixture::parse(text);
        let (db, project, _) = fixture.load();
        let mut files = Vec::new();
        let mut cases = Vec::new();
        for (path, text) in &fixture.files {
            if path.starts_with("tests/") && (path.ends_with(".yaml") || path.ends_with(".test")) {
                let result = fixture.files.iter().find(|(p, _)| *p == format!("{path}.result"));
                let read = read(path.as_str().into(), text, result.map(|(_, text)| text.as_str()));
                cases.extend(read.into_iter().map(|c| c.expect("a case")));
            } else {
                files.push(Raw::new(path, Arc::new(text.clone().into_bytes())));
            }
        }
        Self { db, project, files, cases }
    }

    fn run(&self, pool: &Pool) -> Vec<Outcome> {
        let bench = Bench::new(&self.db, self.project, self.files.clone(), RunOptions::default());
        bench.run(pool, 2, &self.cases, &|_| {})
    }

    fn passes(&self, pool: &Pool) -> Vec<Outcome> {
        let outcomes = self.run(pool);
        assert!(!outcomes.is_empty());
        for outcome in &outcomes {
            assert_eq!(outcome.status, Status::Passed, "{}: {}", outcome.name, outcome.detail);
        }
        outcomes
    }
}

fn settings(pool: &Pool) {
    let ask =
        |sql: String| pool.query(Request::new(sql).allow(Allow::Changes)).map(|a| a.text().trim().to_owned());
    for setting in SESSION_SETTINGS {
        assert_eq!(
            ask(format!("SELECT toUInt64(getSetting('{}'))", setting.name)).as_deref(),
            Ok(setting.value)
        );
    }
    let session = pool.session();
    let limits = Limits { time: Duration::from_secs(60), ..Limits::default() };
    let run = |sql: &str| session.query(Request::new(sql).allow(Allow::Changes).limits(limits));
    for (n, setting) in TABLE_SETTINGS.iter().enumerate() {
        let engine = if setting.engines.is_empty() { "MergeTree" } else { setting.engines[0] };
        let sql = format!(
            "CREATE TABLE s{n} (a Int8) ENGINE = {engine} ORDER BY a SETTINGS {} = {}",
            setting.name, setting.value
        );
        run(&sql).unwrap_or_else(|e| panic!("{}: {e}", setting.name));
    }
    // What each is for.
    for sql in [
        "CREATE TABLE l (a LowCardinality(UInt8), f FixedString(300)) ENGINE = MergeTree ORDER BY a",
        "CREATE TABLE n (a Nullable(Int8)) ENGINE = MergeTree ORDER BY a SETTINGS allow_nullable_key = 1",
        "SELECT * FROM (SELECT 1 AS x) JOIN (SELECT 1 AS x) USING x",
        "CREATE TABLE p (d Date) ENGINE = MergeTree PARTITION BY d ORDER BY d",
        "INSERT INTO p SELECT toDate('2020-01-01') + number FROM numbers(110)",
    ] {
        run(sql).unwrap_or_else(|e| panic!("{sql}: {e}"));
    }
}

fn samples(pool: &Pool) {
    let mut given = Given::new(
        r#"
//- datasources/p.datasource
SCHEMA >
    `n` UInt32 `json:$.n`,
    `text` String `json:$.words`,
    `list` Array(String) `json:$.list[:]`,
    `at` DateTime64(3) `json:$.at`,
    `maybe` Nullable(Float64) `json:$.maybe`,
    `not_there` String `json:$.not_there` DEFAULT 'default'
//- datasources/z.datasource
SCHEMA >
    `n` UInt32 `json:$.n`
//- datasources/q.datasource
SCHEMA >
    `n` UInt32 `json:$.n`,
    `m` UInt32 `json:$.m` DEFAULT n * 10
//- fixtures/q.sql
SELECT n + 1 AS n FROM z
//- pipes/p_all.pipe
NODE e
SQL >
    SELECT * FROM p ORDER BY n
TYPE endpoint
//- pipes/q_all.pipe
NODE e
SQL >
    SELECT n, m FROM q ORDER BY n
TYPE endpoint
//- tests/p_all.yaml
- name: columns of Parquet
  parameters: ''
  expected_result: |
    {"n":1,"text":"a'b","list":["x","y z"],"at":"2025-01-02 03:04:05.678","maybe":1.5,"not_there":"default"}
    {"n":2,"text":"","list":[],"at":"2025-01-02 03:04:05.678","maybe":null,"not_there":"default"}
//- datasources/nested.datasource
SCHEMA >
    `id` UInt32 `json:$.id`,
    `city` String `json:$.user.address.city`,
    `age` Nullable(UInt8) `json:$.user.age`,
    `names` Array(String) `json:$.items[:].name`,
    `prices` Array(Float64) `json:$.items[:].price.amount`
//- pipes/nested_all.pipe
NODE e
SQL >
    SELECT * FROM nested ORDER BY id
TYPE endpoint
//- tests/nested_all.yaml
- name: paths into structures of Parquet
  parameters: ''
  expected_result: |
    {"id":0,"city":"Graz","age":0,"names":["a","b"],"prices":[1.5,2]}
    {"id":1,"city":"Linz","age":7,"names":[],"prices":[]}
- name: large numbers in quotes, as the request wants
  parameters: output_format_json_quote_64bit_integers=1&q=SELECT%20count()%20AS%20c,0/0%20AS%20n%20FROM%20_
  expected_result: |
    {"c":"2","n":null}
- name: and what is no number
  parameters: output_format_json_quote_denormals=true&q=SELECT%20count()%20AS%20c,1/0%20AS%20n%20FROM%20_
  expected_result: |
    {"c":2,"n":"inf"}
- name: of one request alone
  parameters: q=SELECT%20count()%20AS%20c,0/0%20AS%20n%20FROM%20_
  expected_result: |
    {"c":2,"n":null}
//- datasources/cells.datasource
SCHEMA >
    `a` String,
    `b` LowCardinality(String) DEFAULT 'none',
    `c` Int32 DEFAULT 7,
    `d` Nullable(String)
//- fixtures/cells.csv
a,b,c,d
1,,,
"","","","x"
//- pipes/cells_all.pipe
NODE e
SQL >
    SELECT * FROM cells ORDER BY c DESC
TYPE endpoint
//- tests/cells_all.yaml
- name: nothing between separators is the default, and quotes are a text
  parameters: ''
  exact: true
  expected_result: |
    {"a":"1","b":"none","c":7,"d":null}
    {"a":"","b":"","c":7,"d":"x"}
//- tests/q_all.yaml
- name: a query over another sample, which is packed
  parameters: ''
  expected_result: |
    {"n":2,"m":20}
    {"n":3,"m":30}
"#,
    );
    let parquet = pool
        .query(Request::new(
            "SELECT toUInt32(number + 1) AS n, ['a\\'b', ''][number + 1] AS words, [['x', 'y z'], []][number + 1] AS list, \
             toDateTime64('2025-01-02 03:04:05.678', 3) AS at, if(number = 0, 1.5, NULL) AS maybe FROM numbers(2) FORMAT Parquet",
        ))
        .expect("Parquet");
    given.files.push(Raw::new("fixtures/p.parquet", Arc::new(parquet.body)));
    let nested = pool
        .query(Request::new(
            "SELECT toUInt32(number) AS id, \
             CAST((toUInt8(number * 7), tuple(['Graz', 'Linz'][number + 1])) AS Tuple(age UInt8, address Tuple(city String))) AS user, \
             CAST(if(number = 0, [('a', tuple(1.5)), ('b', tuple(2.0))], []) AS Array(Tuple(name String, price Tuple(amount Float64)))) AS items \
             FROM numbers(2) FORMAT Parquet",
        ))
        .expect("Parquet");
    given.files.push(Raw::new("fixtures/nested.parquet", Arc::new(nested.body)));
    let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    std::io::Write::write_all(&mut packer, b"{\"n\": 1}\n{\"n\": 2}\n").expect("memory");
    let packed = packer.finish().expect("memory");
    given.files.push(Raw::new("fixtures/z.ndjson.gz", Arc::new(packed)));
    given.passes(pool);
}

fn views(pool: &Pool) {
    let given = Given::new(
        r#"
//- datasources/raw.datasource
SCHEMA >
    `k` String `json:$.k`,
    `v` Int64 `json:$.v`
ENGINE Null
//- datasources/names.datasource
SCHEMA >
    `k` String,
    `name` String
//- datasources/per_key.datasource
SCHEMA >
    `k` String,
    `name` String,
    `total` Int64
ENGINE SummingMergeTree
ENGINE_SORTING_KEY k, name
//- datasources/sizes.datasource
SCHEMA >
    `rows` UInt64,
    `total` Int64
//- fixtures/raw.ndjson
{"k": "a", "v": 1}
{"k": "b", "v": 2}
{"k": "a", "v": 3}
//- fixtures/names.csv
a,first
b,second
//- pipes/first.pipe
NODE joined
SQL >
    SELECT raw.k AS k, names.name AS name, v FROM raw LEFT JOIN names ON raw.k = names.k
NODE summed
SQL >
    SELECT k, name, sum(v) AS total FROM joined GROUP BY k, name
TYPE materialized
DATASOURCE per_key
//- pipes/second.pipe
NODE sizes_of_blocks
SQL >
    SELECT count() AS rows, sum(total) AS total FROM per_key
TYPE materialized
DATASOURCE sizes
//- pipes/keys.pipe
NODE e
SQL >
    SELECT k, name, total FROM per_key ORDER BY k
TYPE endpoint
//- pipes/blocks.pipe
NODE e
SQL >
    SELECT rows, total, (SELECT count() FROM raw) AS kept FROM sizes
TYPE endpoint
//- tests/blocks.yaml
- name: the last of a chain, asked first
  parameters: ''
  expected_result: |
    {"rows":2,"total":6,"kept":0}
//- tests/keys.yaml
- name: what is joined is there before
  parameters: ''
  expected_result: |
    {"k":"a","name":"first","total":4}
    {"k":"b","name":"second","total":2}
- name: rows of its own replace the sample
  parameters: ''
  fixtures:
    raw:
      - {k: b, v: 5}
  expected_result: |
    {"k":"b","name":"second","total":5}
"#,
    );
    given.passes(pool);
}

fn copies(pool: &Pool) {
    let given = Given::new(
        r#"
//- datasources/a.datasource
SCHEMA >
    `n` UInt32 `json:$.n`
//- datasources/b.datasource
SCHEMA >
    `n` UInt32
//- datasources/c.datasource
SCHEMA >
    `rows` UInt64
//- fixtures/a.ndjson
{"n": 1}
{"n": 2}
//- pipes/to_b.pipe
NODE e
SQL >
    SELECT n FROM a
TYPE copy
TARGET_DATASOURCE b
//- pipes/to_c.pipe
NODE e
SQL >
    SELECT count() AS rows FROM b
TYPE materialized
DATASOURCE c
//- pipes/read_c.pipe
NODE e
SQL >
    SELECT rows, (SELECT count() FROM b) AS all FROM c
TYPE endpoint
//- tests/read_c.yaml
- name: none
  parameters: ''
  expected_result: ''
- name: twice
  parameters: ''
  copies: [to_b, to_b]
  expected_result: |
    {"rows":2,"all":4}
    {"rows":2,"all":4}
"#,
    );
    given.passes(pool);
}

fn quarantine(pool: &Pool) {
    let mut rows = String::new();
    for n in 0..300 {
        let time = if n % 50 == 7 { "2025-01-01 00:00:00 or so" } else { "2025-01-01 00:00:00" };
        rows += &format!("{{\"n\": {n}, \"at\": \"{time}\"}}\n");
    }
    let given = Given::new(&format!(
        r#"
//- datasources/t.datasource
SCHEMA >
    `n` UInt32 `json:$.n`,
    `at` DateTime `json:$.at`
//- fixtures/t.ndjson
{rows}//- pipes/counts.pipe
NODE e
SQL >
    SELECT (SELECT count() FROM t) AS good, count() AS bad, groupUniqArray(c__error_column[1]) AS columns,
        sum(toUInt32(n)) AS numbers FROM t_quarantine
TYPE endpoint
//- tests/counts.yaml
- name: six of three hundred
  parameters: ''
  expected_result: |
    {{"good":294,"bad":6,"columns":["at"],"numbers":792}}
"#
    ));
    let outcomes = given.passes(pool);
    assert!(outcomes[0].notes[0].contains("6 of 300 rows went to `t_quarantine`"), "{:?}", outcomes[0].notes);
}

fn surroundings(pool: &Pool) {
    let given = Given::new(
        r#"
//- .env
KEY=plain
//- .env.local
KEY=local
//- datasources/k.datasource
SCHEMA >
    `x` Int32 `json:$.x`
KAFKA_CONNECTION_NAME c
KAFKA_TOPIC t
KAFKA_GROUP_ID g
//- connections/c.connection
TYPE kafka
//- fixtures/k.ndjson
{"x": 1}
//- pipes/all.pipe
NODE e
SQL >
    %
    SELECT *, __topic, {{ tb_secret('KEY') }} AS secret,
        (SELECT count() FROM tinybird.pipe_stats_rt WHERE duration > 1) AS calls
    FROM k
TYPE endpoint
//- tests/all.yaml
- name: all
  parameters: ''
  expected_result: |
    {"x":1,"__topic":"","secret":"local","calls":0}
"#,
    );
    given.passes(pool);
}

fn classic(pool: &Pool) {
    let given = Given::new(
        r#"
//- .tinyenv
VERSION=0.0.0
//- datasources/sales.datasource
VERSION 2
SCHEMA >
    `day` Date,
    `shop` String,
    `amount` Float64
//- datasources/fixtures/sales.csv
day,shop,amount
2025-01-01,"north, old",10.5
2025-01-02,south,4
//- endpoints/by_shop.pipe
NODE e
SQL >
    % SELECT shop, sum(amount) AS total FROM sales WHERE day >= {{ Date(since, '2025-01-01') }} GROUP BY shop
//- tests/csv.test
tb $1 pipe data by_shop --since 2025-01-01 --format csv
//- tests/csv.test.result
"shop","total"
"south",4
"north, old",10.5

//- tests/json.test
# the newer name of the command
tb endpoint data by_shop --param since=2025-01-02
//- tests/json.test.result
{
    "meta": [{"name": "shop", "type": "String"}, {"name": "total", "type": "Float64"}],
    "data": [{"shop": "south", "total": 4.0}],
    "rows": 1,
    "statistics": {"elapsed": 0.1}
}
//- tests/sql.test
tb sql "SELECT count() AS n FROM sales" --format csv
curl -s "https://example.com/v0/pipes/by_shop.csv?q=SELECT%20count()%20AS%20n%20FROM%20_&token=$T"
//- tests/sql.test.result
"n"
2
"n"
2
//- tests/quality.yaml
- nothing_negative:
    sql: SELECT * FROM sales WHERE amount < 0
- one_shop_a_day:
    max_time: 10
    sql: |
      SELECT count() AS n FROM _ HAVING n > 1;
    pipe:
      name: by_shop
      params:
        since: '2025-01-02'
- nothing_at_all:
    pipe: {name: by_shop, params: {since: '2026-01-01'}}
"#,
    );
    given.passes(pool);
}

fn broken(pool: &Pool) {
    let given = Given::new(
        r#"
//- datasources/good.datasource
SCHEMA >
    `x` Int32
//- datasources/bad.datasource
SCHEMA >
    `x` Int32
ENGINE MergeTree
ENGINE_SORTING_KEY nobody
//- pipes/reads_good.pipe
NODE e
SQL >
    SELECT count() AS n FROM good
TYPE endpoint
//- pipes/reads_bad.pipe
NODE e
SQL >
    SELECT count() AS n FROM bad
TYPE endpoint
//- tests/reads_bad.yaml
- name: bad
  parameters: ''
  expected_result: |
    {"n":0}
//- tests/reads_good.yaml
- name: good
  parameters: ''
  expected_result: |
    {"n":0}
"#,
    );
    let outcomes = given.run(pool);
    assert!(outcomes[0].detail.starts_with("the table of `bad` cannot be made"), "{}", outcomes[0].detail);
    assert_eq!(outcomes[1].status, Status::Passed);
}

fn crash() {
    let mut config = config();
    config.workers = 1;
    // Somewhere in the middle: tables are made, some tests have passed.
    config.fault = "query:12".to_owned();
    let pool = Pool::new(config);
    let tests: String = (0..12)
        .map(|n| format!("- name: t{n}\n  parameters: ''\n  expected_result: |\n    {{\"n\":2}}\n"))
        .collect();
    let given = Given::new(&format!(
        "//- datasources/a.datasource\nSCHEMA >\n    `x` Int32 `json:$.x`\n//- fixtures/a.ndjson\n{{\"x\": 1}}\n{{\"x\": 2}}\n\
         //- pipes/n.pipe\nNODE e\nSQL >\n    SELECT count() AS n FROM a\nTYPE endpoint\n//- tests/n.yaml\n{tests}"
    ));
    let outcomes = given.run(&pool);
    let lost: Vec<&Outcome> = outcomes.iter().filter(|o| o.status == Status::Failed).collect();
    assert_eq!(lost.len(), 1, "{:?}", lost.iter().map(|o| (&o.name, &o.detail)).collect::<Vec<_>>());
    assert!(lost[0].detail.contains("died"), "{}", lost[0].detail);
}
