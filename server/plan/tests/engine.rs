//! The engine as the judge of plans: every statement of every case in `docs/reference/plan` is run on a table with rows,
//! and what is refused is asked for.
//!
//! The test is its own worker of the engine; `cargo xtask test` brings the library, and without it this fails and says so.

use std::fs;
use std::path::Path;
use std::process::ExitCode;

use headwater_analysis::{Database, Project};
use headwater_plan::{Class, Key, Plan, Release, Step, Table, compile, ddl, step};
use headwater_test_fixture::Fixture;
use headwater_warehouse::{Allow, EngineError, Pool, PoolConfig, Program, Request};

const ROWS: u32 = 300;

fn main() -> ExitCode {
    if std::env::args().nth(1).as_deref() == Some("engine-worker") {
        return headwater_warehouse::worker_main();
    }
    // What the test runner asks of every test program.
    if std::env::args().any(|a| a == "--list") {
        println!("engine: test");
        return ExitCode::SUCCESS;
    }
    let engine = Engine::start();
    let mut failures = Vec::new();
    let cases = cases();
    assert!(cases.len() > 100, "only {} cases were found", cases.len());
    let mut counts = Counts::default();
    for case in &cases {
        let mut run = Run { engine: &engine, case, failures: &mut failures, counts: &mut counts };
        run.all();
    }
    lossless(&engine, &mut failures, &mut counts);
    println!("{counts:?}");
    for failure in &failures {
        println!("FAILED {failure}");
    }
    let is_thorough =
        counts.altered > 10 && counts.rewritten > 10 && counts.recomputed > 3 && counts.rejected > 3;
    if failures.is_empty() && is_thorough {
        println!("test result: ok. every plan of {} cases holds on the engine", cases.len());
        ExitCode::SUCCESS
    } else {
        println!("test result: FAILED. {} failures", failures.len());
        ExitCode::FAILURE
    }
}

#[derive(Debug, Default)]
struct Counts {
    altered: usize,
    rewritten: usize,
    mutated: usize,
    recomputed: usize,
    rejected: usize,
    fixes: usize,
    pairs: usize,
    lossless: usize,
}

struct Case {
    name: String,
    fixture: String,
}

fn cases() -> Vec<Case> {
    let pages = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/reference/plan");
    let mut names: Vec<_> =
        fs::read_dir(pages).expect("the pages exist").map(|e| e.expect("readable").path()).collect();
    names.sort();
    let mut out = Vec::new();
    for path in names {
        let page = fs::read_to_string(&path).expect("readable");
        let mut rest = page.as_str();
        while let Some((_, block)) = rest.split_once("```headwater\n") {
            let (text, after) = block.split_once("\n```").expect("blocks are closed");
            let stem = path.file_stem().unwrap_or_default().to_string_lossy();
            out.push(Case { name: format!("{stem} {}", out.len()), fixture: format!("{text}\n") });
            rest = after;
        }
    }
    out
}

struct Engine {
    pool: Pool,
}

impl Engine {
    fn start() -> Self {
        let library = match headwater_warehouse::Places::from_env().library() {
            Ok(library) => library.path().to_owned(),
            Err(why) => panic!("these tests need the SQL engine; `cargo xtask test` brings it. {why}"),
        };
        let own = std::env::current_exe().expect("a program has a path");
        let program = Program { path: own, args: vec!["engine-worker".to_owned()] };
        let mut config = PoolConfig::new(program, library);
        config.workers = 1;
        Self { pool: Pool::new(config) }
    }

    fn run(&self, sql: &str) -> Result<String, String> {
        let request = Request::new(sql.to_owned()).allow(Allow::Changes);
        match self.pool.query(request) {
            Ok(answer) => Ok(answer.text().trim_end().to_owned()),
            Err(EngineError::Statement(e)) => Err(e.message),
            Err(other) => panic!("the engine is not there: {other}\n{sql}"),
        }
    }
}

struct Run<'a> {
    engine: &'a Engine,
    case: &'a Case,
    failures: &'a mut Vec<String>,
    counts: &'a mut Counts,
}

impl Run<'_> {
    fn all(&mut self) {
        let (db, project, _) = Fixture::parse(&self.case.fixture).load();
        let before = project.baseline(&db).expect("a case has a baseline");
        let plan = headwater_plan::plan(&db, before, project, None);
        let (old, new) = (compile(&db, before), compile(&db, project));
        self.clear();
        for (key, table) in tables(&old) {
            self.must(&ddl::create_table(&key.name, table));
            if table.engine.name != "Null" {
                self.fill(&key.name, table);
            }
        }
        for class in [Class::Alter, Class::Mutate, Class::Rewrite] {
            self.tables(&plan, &old, &new, class);
        }
        self.recomputed(&plan, &new);
        self.refused(&plan, &db, project, &new);
        self.fixes(&plan, &old, &new);
    }

    fn clear(&self) {
        for name in self.engine.run("SHOW TABLES").unwrap_or_default().lines() {
            let _ = self.engine.run(&format!("DROP TABLE {} SYNC", ddl::identifier(name)));
        }
    }

    fn must(&mut self, sql: &str) -> bool {
        match self.engine.run(sql) {
            Ok(_) => true,
            Err(why) => {
                self.failures.push(format!("{}: {why}\n    {sql}", self.case.name));
                false
            }
        }
    }

    fn fill(&mut self, name: &str, table: &Table) {
        let columns: Vec<_> =
            table.columns.iter().map(|c| format!("{} {}", ddl::identifier(&c.name), c.ty)).collect();
        let structure = columns.join(", ").replace('\\', "\\\\").replace('\'', "\\'");
        // Texts that are UUIDs convert to one, and moments of one year make few partitions.
        let replaced: Vec<_> = table
            .columns
            .iter()
            .filter_map(|c| {
                let name = ddl::identifier(&c.name);
                match c.ty.as_str() {
                    "String" => Some(format!("toString(reinterpretAsUUID({name})) AS {name}")),
                    "DateTime" => {
                        Some(format!("toDateTime(1767225600 + toUInt32({name}) % 31536000) AS {name}"))
                    }
                    _ => None,
                }
            })
            .collect();
        let replace =
            if replaced.is_empty() { String::new() } else { format!(" REPLACE({})", replaced.join(", ")) };
        let sql = format!(
            "INSERT INTO {} SELECT *{replace} FROM generateRandom('{structure}', 1, 8, 3) LIMIT {ROWS}",
            ddl::identifier(name)
        );
        self.must(&sql);
    }

    /// A number for all rows, whatever their order, by the columns that both tables have with the same values.
    fn digest(&mut self, table: &str, columns: &[String]) -> String {
        let list: Vec<_> = columns.iter().map(|c| format!("toString({})", ddl::identifier(c))).collect();
        let of = if list.is_empty() { "0".to_owned() } else { list.join(", ") };
        let sql = format!("SELECT count(), sum(cityHash64({of})) FROM {}", ddl::identifier(table));
        self.engine.run(&sql).unwrap_or_else(|why| {
            self.failures.push(format!("{}: {why}\n    {sql}", self.case.name));
            String::new()
        })
    }

    /// Runs what is planned for the data sources whose heaviest change has this class.
    fn tables(&mut self, plan: &Plan, old: &Release<'_>, new: &Release<'_>, class: Class) {
        for (key, is) in tables(new) {
            let Some(was) = old.table(key) else { continue };
            let own: Vec<_> = plan
                .changes
                .iter()
                .filter(|c| c.resource == key.name && c.path.ends_with(".datasource"))
                .collect();
            if own.iter().map(|c| c.class).filter(|c| *c != Class::Hide).max() != Some(class) {
                continue;
            }
            let statements: Vec<String> = own
                .iter()
                .filter(|c| c.class == class || c.class == Class::Alter)
                .flat_map(|c| c.sql.clone())
                .collect();
            if statements.is_empty() {
                continue;
            }
            let same: Vec<String> = was
                .columns
                .iter()
                .filter(|c| is.column(&c.name).is_some_and(|n| class != Class::Rewrite || n.ty == c.ty))
                .map(|c| c.name.clone())
                .collect();
            let uses_forward = own.iter().any(|c| c.rule.name == "forward-query");
            let same = if uses_forward { Vec::new() } else { same };
            let live =
                if was.engine.name == "Null" { key.name.clone() } else { format!("{}_clone", key.name) };
            if was.engine.name != "Null" {
                self.must(&format!(
                    "CREATE TABLE {} CLONE AS {}",
                    ddl::identifier(&live),
                    ddl::identifier(&key.name)
                ));
            }
            // Rows that get lost in a merge are no fault of the plan: the new engine says so.
            let merges = is.engine.name != was.engine.name || is.engine.name != "MergeTree";
            let before = self.digest(&key.name, &same);
            let mut target = live.clone();
            for statement in &statements {
                // In-place statements go to the clone; a new table is made from the live one.
                let sql = match class {
                    Class::Alter => {
                        statement.replacen(&ddl::identifier(&key.name), &ddl::identifier(&live), 1)
                    }
                    _ => statement.clone(),
                };
                if let Some(name) = sql.strip_prefix("CREATE TABLE `").and_then(|s| s.split('`').next()) {
                    target = name.to_owned();
                }
                self.must(&sql);
            }
            let after = self.digest(&target, &same);
            if before != after && !(class == Class::Rewrite && merges) {
                self.failures.push(format!(
                    "{}: {} of `{}` lost rows or values: {before} and then {after}\n    {}",
                    self.case.name,
                    class.name(),
                    key.name,
                    statements.join("\n    ")
                ));
            }
            match class {
                Class::Alter => self.counts.altered += 1,
                Class::Mutate => self.counts.mutated += 1,
                _ => self.counts.rewritten += 1,
            }
            let _ = self.engine.run(&format!("DROP TABLE {} SYNC", ddl::identifier(&target)));
            if target != live {
                let _ = self.engine.run(&format!("DROP TABLE {} SYNC", ddl::identifier(&live)));
            }
        }
    }

    fn recomputed(&mut self, plan: &Plan, new: &Release<'_>) {
        for change in plan.changes.iter().filter(|c| c.class == Class::Recompute || c.class == Class::Create)
        {
            let is_view = change.kind == headwater_plan::ResourceKind::Materialized;
            if !is_view || change.sql.is_empty() {
                continue;
            }
            if let Some(target) = change.subject.as_deref() {
                let key = Key::table(target);
                if let Some(table) = new.table(&key) {
                    let _ = self.engine.run(&ddl::create_table(target, table));
                }
            }
            for statement in &change.sql {
                self.must(statement);
            }
            self.counts.recomputed += 1;
        }
    }

    /// What is refused because of its readers is refused by the engine in each of them, over the new tables.
    fn refused(&mut self, plan: &Plan, _: &Database, _: Project, new: &Release<'_>) {
        let refused = plan.changes.iter().filter(|c| {
            c.class == Class::Refuse
                && matches!(c.rule.name, "drop-column-read" | "rename-column" | "delete-read")
        });
        let refused: Vec<_> = refused.filter(|c| !c.dependents.is_empty()).collect();
        if refused.is_empty() {
            return;
        }
        self.clear();
        for (key, table) in tables(new) {
            self.must(&ddl::create_table(&key.name, table));
        }
        for entry in new.entries.values() {
            let Some(pipe) = entry.definition().and_then(|d| d.pipe()) else { continue };
            for node in &pipe.nodes {
                // A view of a broken query is refused already, which the reader's own query will be too.
                let _ =
                    self.engine.run(&format!("CREATE VIEW {} AS {}", ddl::identifier(&node.name), node.sql));
            }
        }
        for change in refused {
            for reader in &change.dependents {
                let node = new
                    .get(&Key::table(reader.resource.as_str()))
                    .and_then(|d| d.pipe())
                    .and_then(|p| p.nodes.iter().find(|n| Some(&n.name) == reader.node.as_ref()));
                let Some(node) = node else { continue };
                // A view whose target is gone reads what is there.
                if node.writes.as_ref().is_some_and(|w| *w == change.resource) {
                    continue;
                }
                if self.engine.run(&format!("DESCRIBE TABLE ({})", node.sql)).is_ok() {
                    self.failures.push(format!(
                        "{}: the engine takes what is refused: {}:{}\n    {}",
                        self.case.name, reader.resource, node.name, node.sql
                    ));
                }
                self.counts.rejected += 1;
            }
        }
    }

    /// A FORWARD_QUERY that a fix writes runs over rows, where their values allow it.
    fn fixes(&mut self, plan: &Plan, old: &Release<'_>, new: &Release<'_>) {
        for change in &plan.changes {
            let Some(fix) = change.fix.as_ref().filter(|f| f.text.starts_with("FORWARD_QUERY >")) else {
                continue;
            };
            let key = Key::table(change.resource.as_str());
            let (Some(was), Some(is)) = (old.table(&key), new.table(&key)) else { continue };
            let query = fix.text.trim_start_matches("FORWARD_QUERY >");
            self.clear();
            self.must(&ddl::create_table(&key.name, was));
            self.must(&ddl::create_table("next", is));
            let columns: Vec<_> = is.columns.iter().map(|c| ddl::identifier(&c.name)).collect();
            let columns = columns.join(", ");
            // Without rows: what random text becomes as a number is not the fix's business.
            self.must(&format!(
                "INSERT INTO `next` ({columns}) SELECT {columns} FROM ({query} FROM {})",
                ddl::identifier(&key.name)
            ));
            self.counts.fixes += 1;
        }
    }
}

fn tables<'a>(release: &'a Release<'_>) -> impl Iterator<Item = (&'a Key, &'a Table)> {
    release.entries.iter().filter_map(|(key, entry)| Some((key, entry.definition()?.table()?)))
}

/// Types whose order the engine and the plan are asked about, each with each.
const TYPES: &[&str] = &[
    "UInt8",
    "UInt16",
    "UInt32",
    "UInt64",
    "UInt128",
    "UInt256",
    "Int8",
    "Int16",
    "Int32",
    "Int64",
    "Int128",
    "Int256",
    "Float32",
    "Float64",
    "String",
    "FixedString(8)",
    "FixedString(16)",
    "UUID",
    "Bool",
    "Date",
    "Date32",
    "DateTime",
    "DateTime('UTC')",
    "DateTime64(3)",
    "DateTime64(6)",
    "Decimal(9, 2)",
    "Decimal(18, 2)",
    "Decimal(18, 4)",
    "Decimal(38, 4)",
    "IPv4",
    "IPv6",
    "Enum8('a' = 1)",
    "Enum8('a' = 1, 'b' = 2)",
    "Array(UInt8)",
    "Array(UInt32)",
    "Array(String)",
    "Array(Nullable(String))",
    "Map(String, UInt8)",
    "Map(String, UInt64)",
    "Tuple(UInt8, String)",
    "Tuple(UInt64, String)",
    "Nullable(UInt8)",
    "Nullable(UInt64)",
    "Nullable(String)",
    "LowCardinality(String)",
    "LowCardinality(Nullable(String))",
    "Nullable(DateTime)",
    "Nullable(DateTime64(3))",
];

/// Whatever is called lossless is so to the engine: the common type of both is the new one, dictionaries aside.
fn lossless(engine: &Engine, failures: &mut Vec<String>, counts: &mut Counts) {
    let plain = |ty: &str| -> String {
        let mut ty = ty.to_owned();
        while let Some(at) = ty.find("LowCardinality(") {
            let inner = &ty[at + "LowCardinality(".len()..];
            let mut depth = 1;
            let end = inner.find(|c| {
                depth += match c {
                    '(' => 1,
                    ')' => -1,
                    _ => 0,
                };
                depth == 0
            });
            let Some(end) = end else { break };
            ty = format!("{}{}{}", &ty[..at], &inner[..end], &inner[end + 1..]);
        }
        ty
    };
    for from in TYPES {
        for to in TYPES.iter().filter(|to| *to != from) {
            counts.pairs += 1;
            if !matches!(step(from, to), Step::Encoding | Step::Nullable | Step::Widening) {
                continue;
            }
            counts.lossless += 1;
            let quoted = |ty: &str| ty.replace('\'', "\\'");
            let sql = format!(
                "SELECT toTypeName([CAST(defaultValueOfTypeName('{0}'), '{0}'), CAST(defaultValueOfTypeName('{1}'), '{1}')])",
                quoted(&plain(from)),
                quoted(&plain(to))
            );
            let expected = format!("Array({})", plain(to));
            match engine.run(&sql) {
                Ok(found) if found.replace("\\'", "'") == expected => {}
                found => {
                    failures.push(format!("{from} to {to} is called lossless, the engine says {found:?}"));
                }
            }
        }
    }
}
