//! A plan, carried out on the engine: every statement on tables with rows, every `FORWARD_QUERY` that a fix offers, and what
//! is refused asked for. Used by the test of the rules' pages and by `cargo xtask plan-eval`, over real projects.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::time::Duration;

use headwater_analysis::{Database, Project};
use headwater_plan::{Change, Class, Key, Plan, Release, ResourceKind, Table, compile, ddl};
use headwater_warehouse::{Allow, EngineError, Limits, Pool, PoolConfig, Program, Request};

const ROWS: u32 = 300;

/// What was judged.
#[derive(Debug, Default)]
pub(crate) struct Counts {
    pub(crate) altered: usize,
    pub(crate) rewritten: usize,
    pub(crate) mutated: usize,
    pub(crate) recomputed: usize,
    /// Plans that were carried out from the first statement to the last.
    pub(crate) whole: usize,
    pub(crate) rejected: usize,
    pub(crate) fixes: usize,
    pub(crate) incomplete: usize,
    /// Tables that the engine does not make or fill as they were, so nothing is asked of them: how many, by reason.
    pub(crate) unmade: BTreeMap<String, usize>,
}

/// The engine in a worker of its own.
pub(crate) struct Engine {
    pool: Pool,
}

impl Engine {
    /// Starts at the first statement. `program` is what becomes the worker.
    pub(crate) fn new(program: Program, library: PathBuf) -> Self {
        let mut config = PoolConfig::new(program, library);
        config.workers = 1;
        Self { pool: Pool::new(config) }
    }

    pub(crate) fn run(&self, sql: &str) -> Result<String, String> {
        // Random moments lie in many partitions.
        let is_insert = sql.trim_start().starts_with("INSERT INTO");
        let settings = if is_insert { " SETTINGS max_partitions_per_insert_block = 0" } else { "" };
        // A busy machine is no verdict.
        let limits = Limits { time: Duration::from_secs(120), ..Limits::default() };
        let request = Request::new(format!("{sql}{settings}")).allow(Allow::Changes).limits(limits);
        match self.pool.query(request) {
            Ok(answer) => Ok(answer.text().trim_end().to_owned()),
            Err(EngineError::Statement(e)) => Err(e.message),
            Err(other) => panic!("the engine is not there: {other}\n{sql}"),
        }
    }
}

/// One plan on the engine.
pub(crate) struct Run<'a> {
    pub(crate) engine: &'a Engine,
    /// For messages.
    pub(crate) name: &'a str,
    /// Whether a table that cannot be made as it was, or queries that cannot run, are a fault: they are in a page, and not
    /// in a project that somebody else wrote.
    pub(crate) is_strict: bool,
    pub(crate) failures: &'a mut Vec<String>,
    pub(crate) counts: &'a mut Counts,
}

impl Run<'_> {
    /// Carries the plan out and judges it.
    pub(crate) fn all(&mut self, db: &Database, before: Project, after: Project, plan: &Plan) {
        let (old, new) = (compile(db, before), compile(db, after));
        self.clear();
        let statements: String = plan.changes.iter().flat_map(|c| &c.sql).map(String::as_str).collect();
        let mut unmade: BTreeSet<String> = BTreeSet::new();
        for (key, table) in tables(&old) {
            let is_needed = self.is_strict
                || plan.changes.iter().any(|c| c.resource == key.name)
                || statements.contains(key.name.as_str());
            if is_needed && !(self.make(&ddl::create_table(&key.name, table)) && self.fill(&key.name, table))
            {
                let _ = self.engine.run(&format!("DROP TABLE IF EXISTS {} SYNC", ddl::identifier(&key.name)));
                unmade.insert(key.name.clone());
            }
        }
        for class in [Class::Alter, Class::Mutate, Class::Rewrite] {
            self.tables(plan, &old, &new, class, &unmade);
        }
        self.in_order(plan, &unmade);
        if self.is_strict {
            self.refused(plan, &new);
        }
        self.forward_queries(plan, &old, &new, &unmade);
    }

    fn clear(&self) {
        for name in self.engine.run("SHOW TABLES").unwrap_or_default().lines() {
            let _ = self.engine.run(&format!("DROP TABLE {} SYNC", ddl::identifier(name)));
        }
    }

    fn fail(&mut self, why: &str, sql: &str) {
        let short: String = why.chars().take(400).collect();
        self.failures.push(format!("{}: {short}\n    {sql}", self.name));
    }

    fn must(&mut self, sql: &str) -> bool {
        match self.engine.run(sql) {
            Ok(_) => true,
            Err(why) => {
                self.fail(&why, sql);
                false
            }
        }
    }

    /// Runs what prepares the case; a fault where the case is ours.
    fn make(&mut self, sql: &str) -> bool {
        if self.is_strict {
            return self.must(sql);
        }
        let answer = self.engine.run(sql);
        if let Err(why) = &answer {
            let short: String = why.chars().take(70).collect();
            *self.counts.unmade.entry(short).or_default() += 1;
        }
        answer.is_ok()
    }

    fn fill(&mut self, name: &str, table: &Table) -> bool {
        if table.engine.name == "Null" {
            return true;
        }
        // Nothing random is a state; columns without a type are computed.
        let can_be_random = |ty: &str| {
            !ty.is_empty()
                && !["AggregateFunction", "JSON", "Object", "Dynamic", "Variant"]
                    .iter()
                    .any(|t| ty.starts_with(t))
        };
        let random: Vec<_> = table.columns.iter().filter(|c| can_be_random(&c.ty)).collect();
        let structure: Vec<_> =
            random.iter().map(|c| format!("{} {}", ddl::identifier(&c.name), c.ty)).collect();
        let structure = structure.join(", ").replace('\\', "\\\\").replace('\'', "\\'");
        // Rows that expire are gone at the engine's next leisure, in the middle of a comparison.
        let is_near = !self.is_strict || table.engine.ttl.is_some();
        let replaced: Vec<_> = random
            .iter()
            .filter_map(|c| marked(table, &c.name).or_else(|| Self::replaced(&c.name, &c.ty, is_near)))
            .collect();
        let replace =
            if replaced.is_empty() { String::new() } else { format!(" REPLACE({})", replaced.join(", ")) };
        let list: Vec<_> = random.iter().map(|c| ddl::identifier(&c.name)).collect();
        let sql = format!(
            "INSERT INTO {} ({}) SELECT *{replace} FROM generateRandom('{structure}', 1, 8, 3) LIMIT {ROWS}",
            ddl::identifier(name),
            list.join(", ")
        );
        self.make(&sql)
    }

    /// Texts that are UUIDs convert to one, and moments that lie close together make few partitions.
    fn replaced(name: &str, ty: &str, is_near: bool) -> Option<String> {
        let name = ddl::identifier(name);
        if ty == "String" {
            return Some(format!("toString(reinterpretAsUUID({name})) AS {name}"));
        }
        if !is_near {
            let spread = format!("toDateTime(1767225600 + toUInt32({name}) % 31536000) AS {name}");
            return (ty == "DateTime").then_some(spread);
        }
        if ty == "UInt8" {
            // Many of them are marks.
            return Some(format!("{name} % 2 AS {name}"));
        }
        let bare = ty.strip_prefix("Nullable(").and_then(|t| t.strip_suffix(')')).unwrap_or(ty);
        let is_moment = bare.starts_with("Date");
        is_moment.then(|| {
            format!(
                "CAST(toDateTime(toStartOfDay(now())) + cityHash64({name}) % 80000, '{}') AS {name}",
                ty.replace('\'', "\\'")
            )
        })
    }

    /// A number for all rows, whatever their order, by the columns that both tables have with the same values.
    fn digest(&mut self, table: &str, columns: &[(String, String)]) -> String {
        let shown = |(name, ty): &(String, String)| {
            let name = ddl::identifier(name);
            if ty.starts_with("AggregateFunction") {
                format!("hex({name})")
            } else {
                format!("toString({name})")
            }
        };
        let list: Vec<_> = columns.iter().map(shown).collect();
        let of = if list.is_empty() { "0".to_owned() } else { list.join(", ") };
        let sql = format!("SELECT count(), sum(cityHash64({of})) FROM {}", ddl::identifier(table));
        self.engine.run(&sql).unwrap_or_else(|why| {
            self.fail(&why, &sql);
            String::new()
        })
    }

    /// Runs what is planned for the data sources whose heaviest change has this class.
    fn tables(
        &mut self,
        plan: &Plan,
        old: &Release<'_>,
        new: &Release<'_>,
        class: Class,
        unmade: &BTreeSet<String>,
    ) {
        for (key, is) in tables(new) {
            let Some(was) = old.table(key).filter(|_| !unmade.contains(&key.name)) else { continue };
            let own: Vec<&Change> = plan
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
            let uses_forward = own.iter().any(|c| c.rule.name == "forward-query");
            self.carried_out(key, was, is, class, &statements, uses_forward);
        }
    }

    fn carried_out(
        &mut self,
        key: &Key,
        was: &Table,
        is: &Table,
        class: Class,
        statements: &[String],
        uses_forward: bool,
    ) {
        let same: Vec<(String, String)> = was
            .columns
            .iter()
            .filter(|_| !uses_forward)
            .filter(|c| is.column(&c.name).is_some_and(|n| class != Class::Rewrite || n.ty == c.ty))
            .map(|c| (c.name.clone(), c.ty.clone()))
            .collect();
        let live = if was.engine.name == "Null" { key.name.clone() } else { format!("{}_clone", key.name) };
        if was.engine.name != "Null" {
            self.must(&format!(
                "CREATE TABLE {} CLONE AS {}",
                ddl::identifier(&live),
                ddl::identifier(&key.name)
            ));
        }
        if uses_forward && !self.is_strict {
            // Whether random values fit is not the plan's business.
            let _ = self.engine.run(&format!("TRUNCATE TABLE {} SYNC", ddl::identifier(&key.name)));
        }
        // Rows that get lost in a merge are no fault of the plan: the new engine says so.
        let merges = is.engine.name != was.engine.name || is.engine.name != "MergeTree";
        let before = self.digest(&key.name, &same);
        let mut target = live.clone();
        for statement in statements {
            // In-place statements go to the clone; a new table is made from the live one.
            let sql = match class {
                Class::Alter => statement.replacen(&ddl::identifier(&key.name), &ddl::identifier(&live), 1),
                _ => statement.clone(),
            };
            if let Some(name) = sql.strip_prefix("CREATE TABLE `").and_then(|s| s.split('`').next()) {
                target = name.to_owned();
            }
            if !self.must(&sql) && !self.is_strict {
                return;
            }
        }
        let after = self.digest(&target, &same);
        if before != after && !(class == Class::Rewrite && merges) {
            self.failures.push(format!(
                "{}: {} of `{}` lost rows or values: {before} and then {after}\n    {}",
                self.name,
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
        if was.engine.name == "Null" {
            // There was nothing to clone: the table itself was altered.
            let _ = self.engine.run(&format!("DROP TABLE IF EXISTS {} SYNC", ddl::identifier(&key.name)));
            self.make(&ddl::create_table(&key.name, was));
        }
    }

    /// Carries the whole plan out as it stands, from the first statement to the last, on the tables themselves. What takes
    /// something away is left out: that comes when nobody goes back any more.
    fn in_order(&mut self, plan: &Plan, unmade: &BTreeSet<String>) {
        let is_said = |sql: &String| unmade.iter().any(|name| sql.contains(name.as_str()));
        if plan.is_refused() || plan.changes.iter().flat_map(|c| &c.sql).any(is_said) {
            return;
        }
        for change in plan.changes.iter().filter(|c| !c.class.is_destructive()) {
            for statement in &change.sql {
                if !self.must(statement) {
                    return;
                }
            }
            if change.kind == ResourceKind::Materialized && !change.sql.is_empty() {
                self.counts.recomputed += 1;
            }
        }
        self.counts.whole += 1;
    }

    /// What is refused because of its readers is refused by the engine in each of them, over the new tables.
    fn refused(&mut self, plan: &Plan, new: &Release<'_>) {
        let refused = plan.changes.iter().filter(|c| {
            c.class == Class::Refuse
                && matches!(
                    c.rule.name,
                    "drop-column-read" | "rename-column" | "delete-read" | "pipe-column-read"
                )
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
                        self.name, reader.resource, node.name, node.sql
                    ));
                }
                self.counts.rejected += 1;
            }
        }
    }

    /// A `FORWARD_QUERY` that a fix writes runs over the old table and gives the new one; one that is called incomplete
    /// does not.
    fn forward_queries(
        &mut self,
        plan: &Plan,
        old: &Release<'_>,
        new: &Release<'_>,
        unmade: &BTreeSet<String>,
    ) {
        for change in &plan.changes {
            let key = Key::table(change.resource.as_str());
            let (Some(was), Some(is)) = (old.table(&key), new.table(&key)) else { continue };
            if unmade.contains(&key.name) {
                continue;
            }
            let fix = change.fix.as_ref().filter(|f| f.text.starts_with("FORWARD_QUERY >"));
            if let Some(fix) = fix {
                let query = fix.text.trim_start_matches("FORWARD_QUERY >");
                self.clear();
                self.must(&ddl::create_table(&key.name, was));
                if !self.make(&ddl::create_table("next", is)) {
                    continue;
                }
                // What random text becomes as a number is not the fix's business; what NULL becomes is.
                if change.rule.name == "not-null-column"
                    && plan.changes.iter().all(|c| c.rule.name != "retype-column")
                {
                    self.fill(&key.name, was);
                }
                self.must(&forwarded(&key.name, is, query));
                self.counts.fixes += 1;
            }
            // That it gives columns which the schema lacks is the format's complaint and not the engine's.
            let is_engines = !change.reason.contains("which the schema does not have");
            if let (true, true, Some(query)) =
                (change.rule.name == "forward-query-incomplete", is_engines, is.forward_query.as_ref())
            {
                self.clear();
                self.must(&ddl::create_table(&key.name, was));
                if !self.make(&ddl::create_table("next", is)) {
                    continue;
                }
                let sql = forwarded(&key.name, is, query.trim().trim_end_matches(';'));
                if self.engine.run(&sql).is_ok() {
                    self.failures
                        .push(format!("{}: the engine takes it: {}\n    {sql}", self.name, change.reason));
                }
                self.counts.incomplete += 1;
            }
        }
    }
}

/// What the engine reads as a mark has two values.
fn marked(table: &Table, name: &str) -> Option<String> {
    let quoted = ddl::identifier(name);
    let is = |directive: &str| table.engine.arguments.get(directive).is_some_and(|column| column == name);
    if is("ENGINE_IS_DELETED") {
        return Some(format!("{quoted} % 2 AS {quoted}"));
    }
    is("ENGINE_SIGN").then(|| format!("if({quoted} % 2 = 0, 1, -1) AS {quoted}"))
}

/// The rows of a live table as those of the new one.
fn forwarded(live: &str, new: &Table, query: &str) -> String {
    let columns: Vec<_> = new.columns.iter().map(|c| ddl::identifier(&c.name)).collect();
    let columns = columns.join(", ");
    format!("INSERT INTO `next` ({columns}) SELECT {columns} FROM ({query} FROM {})", ddl::identifier(live))
}

/// The data sources of a release.
pub(crate) fn tables<'a>(release: &'a Release<'_>) -> impl Iterator<Item = (&'a Key, &'a Table)> {
    release.entries.iter().filter_map(|(key, entry)| Some((key, entry.definition()?.table()?)))
}
