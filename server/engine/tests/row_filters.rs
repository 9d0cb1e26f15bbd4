//! Row filters against the real engine: what is hidden must not show in any answer, whatever the query.
//!
//! Every query runs over two worlds that differ in hidden rows alone: in their number and in their values. An answer that
//! differs, or that is refused in one world and not in the other, knows something about hidden rows. `HEADWATER_FILTER_CASES`
//! sets how many random queries are tried, `HEADWATER_FILTER_SEED` which.

use std::process::ExitCode;

use headwater_analysis::{Database, Project};
use headwater_engine::compile::{Compiler, Layout, Options, RowFilter, RowFilters, session_statement};
use headwater_gate::{Gate, Tables};
use headwater_template::Parameters;
use headwater_test_fixture::Fixture;
use headwater_warehouse::{Allow, EngineError, Format, Places, Pool, PoolConfig, Program, Request, Session};

const PROJECT: &str = "
//- datasources/events.datasource
SCHEMA >
    org String,
    n UInt32,
    secret String,
    ver UInt32
ENGINE ReplacingMergeTree
ENGINE_SORTING_KEY org, n
ENGINE_VER ver
ENGINE_SAMPLING_KEY n
//- datasources/orgs.datasource
SCHEMA >
    org String,
    n UInt32
//- pipes/all_events.pipe
NODE first
SQL >
    SELECT * FROM events FINAL
NODE last
SQL >
    %
    SELECT org, n, secret FROM first WHERE n > {{UInt32(least, 0)}}
TYPE endpoint
//- pipes/joined.pipe
NODE only
SQL >
    SELECT o.org AS name, count() AS c, max(e.secret) AS top FROM orgs o LEFT JOIN events e ON e.org = o.org GROUP BY name ORDER BY name
TYPE endpoint
";

/// Queries that read `events` in every clause, and that try to give the filter's words another meaning.
const QUERIES: &[&str] = &[
    "SELECT * FROM events ORDER BY ALL",
    "SELECT count(), sum(n), max(secret) FROM events",
    // What throws on hidden rows, where the engine may ask it before the filter.
    "SELECT count() FROM events WHERE toUInt8(secret) = 1",
    "SELECT count() FROM events WHERE toUInt8(secret) = 1 SETTINGS short_circuit_function_evaluation = 'disable'",
    "SELECT count() FROM events WHERE intDiv(1, n - 7001) >= 0",
    "SELECT count() FROM events PREWHERE toUInt8(secret) = 1",
    "SELECT o.org FROM orgs o JOIN events e ON e.org = o.org AND toUInt8(e.secret) = 1",
    "SELECT events.org, events.secret FROM events ORDER BY ALL",
    "SELECT e.* FROM events AS e ORDER BY ALL",
    "SELECT e.secret FROM events e FINAL ORDER BY ALL",
    "SELECT secret FROM events FINAL ORDER BY ALL",
    "SELECT secret FROM events SAMPLE 1 / 2 ORDER BY ALL",
    "SELECT secret FROM events AS e FINAL SAMPLE 1 ORDER BY ALL",
    "SELECT * FROM (SELECT * FROM events) ORDER BY ALL",
    "SELECT * FROM (SELECT * FROM (SELECT secret FROM events)) ORDER BY ALL",
    "WITH events AS (SELECT * FROM events) SELECT * FROM events ORDER BY ALL",
    "WITH a AS (SELECT * FROM events), b AS (SELECT * FROM a) SELECT secret FROM b ORDER BY ALL",
    "WITH (SELECT groupArray(secret) FROM events) AS s SELECT s",
    "SELECT (SELECT count() FROM events)",
    "SELECT (SELECT max(secret) FROM events) AS m, org FROM orgs ORDER BY ALL",
    "SELECT org FROM orgs WHERE org IN (SELECT org FROM events) ORDER BY ALL",
    "SELECT org FROM orgs WHERE org NOT IN (SELECT org FROM events) ORDER BY ALL",
    "SELECT org FROM orgs WHERE (org, n, '', 0) IN events ORDER BY ALL",
    "SELECT org FROM orgs WHERE (org, n) GLOBAL IN (SELECT org, n FROM events) ORDER BY ALL",
    "SELECT org FROM orgs WHERE EXISTS (SELECT 1 FROM events WHERE n > 100) ORDER BY ALL",
    "SELECT o.org, e.secret FROM orgs o JOIN events e ON e.org = o.org ORDER BY ALL",
    "SELECT o.org, e.secret FROM orgs o LEFT JOIN events e USING org ORDER BY ALL",
    "SELECT o.org, e.secret FROM events e RIGHT JOIN orgs o USING (org) ORDER BY ALL",
    "SELECT o.org, e.secret FROM orgs o FULL JOIN events e ON e.n = o.n ORDER BY ALL",
    "SELECT a.secret, b.secret FROM events a, events b ORDER BY ALL",
    "SELECT a.secret FROM events a ANY JOIN events b ON a.n = b.n ORDER BY ALL",
    "SELECT o.org, e.secret FROM orgs o ASOF JOIN events e ON e.org = o.org AND e.n >= o.n ORDER BY ALL",
    "SELECT secret FROM events UNION ALL SELECT org FROM orgs ORDER BY ALL",
    "SELECT org FROM orgs UNION DISTINCT SELECT secret FROM events ORDER BY ALL",
    "SELECT org FROM orgs EXCEPT SELECT org FROM events ORDER BY ALL",
    "SELECT org FROM orgs INTERSECT SELECT org FROM events ORDER BY ALL",
    "SELECT org, count() FROM events GROUP BY org ORDER BY ALL",
    "SELECT org, count() FROM events GROUP BY org WITH TOTALS ORDER BY ALL",
    "SELECT org, count() FROM events GROUP BY ROLLUP(org) ORDER BY ALL",
    "SELECT count() FROM orgs HAVING count() > (SELECT count() FROM events)",
    "SELECT org FROM orgs ORDER BY (SELECT max(n) FROM events), org",
    "SELECT org FROM orgs ORDER BY org LIMIT (SELECT count() FROM events)",
    "SELECT row_number() OVER (PARTITION BY org ORDER BY n) AS r, secret FROM events ORDER BY ALL",
    "SELECT secret FROM events QUALIFY row_number() OVER (ORDER BY n) < 3 ORDER BY ALL",
    "SELECT arrayJoin(groupArray(secret)) AS s FROM events ORDER BY ALL",
    "SELECT s FROM (SELECT groupArray(secret) AS a FROM events) ARRAY JOIN a AS s ORDER BY ALL",
    "SELECT * FROM view(SELECT secret FROM events) ORDER BY ALL",
    "SELECT secret FROM events LIMIT 1 BY org ORDER BY ALL",
    "SELECT secret FROM events ORDER BY secret LIMIT 1 WITH TIES",
    "SELECT DISTINCT secret FROM events ORDER BY ALL",
    "SELECT DISTINCT ON (org) org FROM events ORDER BY ALL",
    "SELECT secret FROM events ORDER BY n WITH FILL LIMIT 20",
    "SELECT COLUMNS('sec') FROM events ORDER BY ALL",
    "SELECT * EXCEPT (n) REPLACE (upper(secret) AS secret) FROM events ORDER BY ALL",
    "SELECT * APPLY toString FROM events ORDER BY ALL",
    "EXPLAIN SELECT * FROM events",
    "DESCRIBE (SELECT * FROM events)",
    "SELECT * FROM all_events ORDER BY ALL",
    "SELECT * FROM joined ORDER BY ALL",
    "SELECT a.secret FROM all_events a JOIN all_events b USING n ORDER BY ALL",
    "SELECT org FROM orgs WHERE org IN (SELECT org FROM all_events) ORDER BY ALL",
    // Words of the filter with another meaning.
    "WITH 'a' AS org SELECT * FROM events ORDER BY ALL",
    "WITH 'a' AS org SELECT secret FROM events e ORDER BY ALL",
    "SELECT 'a' AS org, secret FROM events ORDER BY ALL",
    "SELECT secret, 'a' AS org FROM (SELECT secret FROM events) ORDER BY ALL",
    "WITH 'a' AS org SELECT (SELECT count() FROM events)",
    "WITH 'a' AS org SELECT * FROM (SELECT * FROM events) ORDER BY ALL",
    "WITH (x, y) -> 1 AS equals SELECT * FROM events ORDER BY ALL",
    "WITH x -> 'a' AS lower SELECT * FROM events ORDER BY ALL",
    "WITH x -> 'a' AS lower SELECT (SELECT groupArray(secret) FROM events)",
    "SELECT (x -> 'a') AS lower, secret FROM events ORDER BY ALL",
    "WITH events AS (SELECT 'a' AS org) SELECT * FROM events ORDER BY ALL",
    "WITH org AS (SELECT 'a') SELECT secret FROM events ORDER BY ALL",
    "SELECT secret FROM events AS org ORDER BY ALL",
    "SELECT org.secret FROM events AS org JOIN orgs AS events USING n ORDER BY ALL",
    "SELECT secret FROM events WHERE org = 'a' OR 1 ORDER BY ALL",
    "SELECT secret FROM events WHERE 1 -- ) OR (1\n ORDER BY ALL",
    "SELECT secret FROM events PREWHERE 1 ORDER BY ALL",
    "SELECT secret FROM events SETTINGS additional_table_filters = {'work.one_events': '1'}",
    "SELECT secret FROM events SETTINGS final = 1",
    "SELECT secret FROM events ORDER BY ALL SETTINGS max_threads = 1",
    "SELECT * FROM merge('work', '.*events')",
    "SELECT * FROM work.one_events",
    "SELECT * FROM `work`.`two_events`",
    "SELECT * FROM one_events",
    "SELECT _part, secret FROM events ORDER BY ALL",
    "SELECT _table, secret FROM events ORDER BY ALL",
    "SELECT joinGet('events', 'secret', 'x')",
    "SELECT * FROM events_quarantine",
    "SELECT throwIf(n > 1000) FROM events",
    "SELECT 1 / (n - 7001) FROM events ORDER BY ALL",
    "SELECT toUInt8(secret) FROM events ORDER BY ALL",
    "SELECT any(secret) OVER () FROM events ORDER BY ALL",
    "SELECT sumIf(n, org = 'b'), countIf(secret LIKE 'hidden%') FROM events",
    "SELECT uniq(secret), quantile(0.5)(n), topK(5)(org) FROM events",
    "SELECT e.secret FROM events AS e WHERE e.n > (SELECT avg(n) FROM events) ORDER BY ALL",
    "SELECT * FROM orgs CROSS JOIN (SELECT count() AS c FROM events) ORDER BY ALL",
    "%SELECT * FROM {{table('events')}} ORDER BY ALL",
    "%SELECT {{columns('secret,n')}} FROM events ORDER BY ALL",
    "WITH RECURSIVE t AS (SELECT 1 AS i UNION ALL SELECT i + 1 FROM t WHERE i < (SELECT count() FROM events)) SELECT * FROM t ORDER BY ALL",
];

/// What a query shows, and what is hidden, in two worlds.
const VISIBLE: &str =
    "('a', 1, 'seen 1', 1), ('a', 2, 'seen 2', 1), ('a', 2, 'seen 2 again', 2), ('A', 3, 'seen 3', 1)";
const HIDDEN: [&str; 2] = [
    "('b', 2, 'hidden 2', 9), ('b', 7001, 'hidden x', 1), ('c', 11, 'hidden y', 1)",
    "('b', 5, 'hidden other', 1), ('d', 7002, 'hidden z', 1), ('d', 7003, '255', 1), ('b', 1, 'hidden 1', 7), ('z', 90, '', 1)",
];
const WORLDS: [&str; 2] = ["one_", "two_"];

fn main() -> ExitCode {
    if std::env::args().nth(1).as_deref() == Some("engine-worker") {
        return headwater_warehouse::worker_main();
    }
    // What the test runner asks of every test program.
    if std::env::args().any(|a| a == "--list") {
        println!("row_filters: test");
        return ExitCode::SUCCESS;
    }
    let pool = Pool::new(config());
    let worlds = Worlds::new(&pool);
    let mut failures = Vec::new();

    println!("the worlds differ, and without filters that shows");
    let seen = QUERIES.iter().filter(|sql| worlds.ask(sql, None).is_some_and(|[a, b]| a != b)).count();
    if seen < QUERIES.len() / 2 {
        failures.push(format!("only {seen} of {} queries see that the worlds differ", QUERIES.len()));
    }

    println!("hidden rows show in no answer");
    let mut answered = 0;
    for filter in FILTERS {
        for sql in QUERIES {
            answered += usize::from(worlds.judge(sql, filter, &mut failures));
        }
    }
    if answered < FILTERS.len() * QUERIES.len() / 2 {
        failures.push(format!("only {answered} queries were answered at all"));
    }

    let number = |name: &str, default: u64| {
        std::env::var(name).ok().and_then(|v| v.parse::<u64>().ok()).unwrap_or(default)
    };
    let (cases, seed) = (number("HEADWATER_FILTER_CASES", 1_500), number("HEADWATER_FILTER_SEED", 1));
    let mut dice = fastrand::Rng::with_seed(seed);
    let mut passed = 0;
    for _ in 0..cases {
        let sql = mixture(&mut dice);
        let filter = FILTERS[dice.usize(..FILTERS.len())];
        passed += usize::from(worlds.judge(&sql, filter, &mut failures));
    }
    println!("random queries: {passed} of {cases} answered, {answered} of the list");

    for failure in failures.iter().take(40) {
        println!("FAILED {failure}");
    }
    if failures.is_empty() {
        println!("test result: ok. 3 passed; 0 failed;");
        ExitCode::SUCCESS
    } else {
        println!("test result: FAILED. 0 passed; {} failed;", failures.len());
        ExitCode::FAILURE
    }
}

/// All show the rows of `a` and `A`, and no others.
const FILTERS: [&str; 3] = ["lower(org) = 'a'", "org IN ('a', 'A')", "org = 'a' OR org = 'A' -- these"];

fn config() -> PoolConfig {
    let library = match Places::from_env().library() {
        Ok(library) => library.path().to_owned(),
        Err(why) => panic!("this test needs the SQL engine; `cargo xtask test` brings it. {why}"),
    };
    let mut config = PoolConfig::new(Program::current().expect("a path"), library);
    config.prelude = vec![session_statement()];
    for (world, hidden) in WORLDS.iter().zip(HIDDEN) {
        let events = format!("work.`{world}events`");
        config.prelude.push(format!(
            "CREATE TABLE {events} (org String, n UInt32, secret String, ver UInt32) ENGINE = ReplacingMergeTree(ver) ORDER BY (org, n) SAMPLE BY n"
        ));
        config.prelude.push(format!("INSERT INTO {events} SELECT * FROM VALUES('org String, n UInt32, secret String, ver UInt32', {VISIBLE})"));
        config.prelude.push(format!("INSERT INTO {events} SELECT * FROM VALUES('org String, n UInt32, secret String, ver UInt32', {hidden})"));
        config.prelude.push(format!(
            "CREATE TABLE work.`{world}orgs` (org String, n UInt32) ENGINE = MergeTree ORDER BY n"
        ));
        config
            .prelude
            .push(format!("INSERT INTO work.`{world}orgs` VALUES ('a', 1), ('b', 2), ('c', 7001), ('d', 3)"));
    }
    config
}

struct Worlds {
    db: Database,
    project: Project,
    session: Session,
}

/// The session's database, as far as a statement names it.
struct Named<'a>(&'a [String]);

impl Tables for Named<'_> {
    fn may_read(&self, database: Option<&str>, name: &str) -> bool {
        database == Some("work") && self.0.iter().any(|n| n == name)
    }
}

impl Worlds {
    fn new(pool: &Pool) -> Self {
        let (db, project, _) = Fixture::parse(PROJECT).load();
        Self { db, project, session: pool.session() }
    }

    /// What both worlds answer; `None` when the query does not get so far.
    fn ask(&self, sql: &str, filter: Option<&str>) -> Option<[Result<String, String>; 2]> {
        let one = |world: &str| -> Option<Result<String, String>> {
            let mut filters = RowFilters::new();
            if let Some(filter) = filter {
                filters.insert("events".to_owned(), RowFilter::parse(filter).expect("a filter"));
            }
            let options = Options { layout: Layout::prefixed(world), filters, ..Options::default() };
            let compiler = Compiler::new(&self.db, self.project, options);
            let statement = compiler.query(sql, Default::default(), &Parameters::new()).ok()?;
            let names: Vec<String> = ["events", "orgs"].iter().map(|n| format!("{world}{n}")).collect();
            Gate::new(&Named(&names)).check(&statement.sql).ok()?;
            let request = Request::new(&statement.sql).format(Format::JsonEachRow).allow(Allow::Reads);
            Some(match self.session.query(request) {
                Ok(answer) => Ok(nameless(&answer.text())),
                Err(EngineError::Crashed(why)) => panic!("the engine died of {sql}: {why}"),
                Err(EngineError::SessionLost(why)) => panic!("the engine is gone before {sql}: {why}"),
                Err(error) => Err(nameless(&error.to_string())),
            })
        };
        Some([one(WORLDS[0])?, one(WORLDS[1])?])
    }

    /// Whether the query was answered; what it gave away is noted.
    fn judge(&self, sql: &str, filter: &str, failures: &mut Vec<String>) -> bool {
        let Some([one, two]) = self.ask(sql, Some(filter)) else { return false };
        if one != two {
            failures.push(format!("{sql:?} under {filter:?} tells the worlds apart:\n  {one:?}\n  {two:?}"));
        }
        for said in [&one, &two] {
            let (Ok(text) | Err(text)) = said;
            if text.contains("hidden") && !sql.contains("hidden") {
                failures.push(format!("{sql:?} under {filter:?} shows {text:?}"));
            }
        }
        one.is_ok()
    }
}

/// A text without the names of the worlds, and without numbers that the engine makes of names.
fn nameless(text: &str) -> String {
    let mut parts = text.split("__set_");
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        out.push_str(part.trim_start_matches(|c: char| c.is_ascii_digit() || c == '_'));
    }
    WORLDS.iter().fold(out, |out, world| out.replace(world, ""))
}

/// A piece of one query in another one.
fn mixture(dice: &mut fastrand::Rng) -> String {
    let pick = |dice: &mut fastrand::Rng| words(QUERIES[dice.usize(..QUERIES.len())]);
    let mut text = pick(dice);
    for _ in 0..dice.usize(1..4) {
        let other = pick(dice);
        let from = dice.usize(..other.len());
        let to = (from + dice.usize(1..12)).min(other.len());
        let at = dice.usize(..=text.len());
        let over = (at + dice.usize(..5)).min(text.len());
        text.splice(at..over, other[from..to].iter().cloned());
    }
    // A whole query in a place where one may stand.
    if dice.u8(..3) == 0 {
        let inner = QUERIES[dice.usize(..QUERIES.len())].trim_end_matches(" ORDER BY ALL");
        let places = [
            format!("SELECT * FROM ({inner}) ORDER BY ALL"),
            format!("SELECT org FROM orgs WHERE n IN ({inner}) ORDER BY ALL"),
            format!("WITH x AS ({inner}) SELECT * FROM x ORDER BY ALL"),
            format!("SELECT ({inner}) AS x"),
            format!("WITH 'a' AS org, x -> 'a' AS lower SELECT * FROM ({inner}) ORDER BY ALL"),
            format!("SELECT * FROM view({inner}) ORDER BY ALL"),
        ];
        return places[dice.usize(..places.len())].clone();
    }
    text.concat()
}

/// Words, quoted texts, blanks and signs.
fn words(text: &str) -> Vec<String> {
    let mut out = Vec::new();
    let mut rest = text;
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    while let Some(first) = rest.chars().next() {
        let end = match first {
            c if is_word(c) => rest.find(|c| !is_word(c)).unwrap_or(rest.len()),
            '\'' | '`' => rest[1..].find(first).map_or(rest.len(), |n| n + 2),
            c => c.len_utf8(),
        };
        out.push(rest[..end].to_owned());
        rest = &rest[end..];
    }
    out
}
