//! One engine and the empty tables in it.

use std::time::Duration;

use headwater_warehouse::{Allow, EngineError, Format, Limits, Pool, PoolConfig, Request, WorkerId};
use rustc_hash::{FxHashMap, FxHashSet};

use crate::table::{Table, quoted};
use crate::verdict::Verdict;

/// A worker with empty tables. It survives the death of its process: the next question finds the tables again.
pub struct Session {
    pool: Pool,
    /// The process that the tables are in.
    life: Option<WorkerId>,
    /// Tables that were asked for, and whether the engine has them.
    made: FxHashMap<String, (Table, bool)>,
    /// Statements that a process died of; they are not tried again.
    deadly: FxHashSet<String>,
}

/// How often a batch is begun again after its process died.
const ATTEMPTS: usize = 3;

/// What one question may cost: an empty table is described in a millisecond or two.
const LIMITS: Limits = Limits {
    time: Duration::from_secs(5),
    memory: 1_000_000_000,
    result_rows: 100_000,
    result_bytes: 32_000_000,
};

impl Session {
    /// A session whose process starts at the first question. It has one worker, whatever `config` says.
    pub fn new(mut config: PoolConfig) -> Self {
        config.workers = 1;
        let made = FxHashMap::default();
        Self { pool: Pool::new(config), life: None, made, deadly: FxHashSet::default() }
    }

    /// The engine's process, while it runs.
    pub fn pid(&self) -> Option<u32> {
        self.pool.pids().first().copied()
    }

    /// Makes these tables, as far as the engine takes them: what is there already stays, and one of the same name that is
    /// not equal goes.
    ///
    /// # Errors
    /// Why there is no engine.
    pub fn provide(&mut self, tables: &[Table]) -> Result<(), String> {
        for _ in 0..ATTEMPTS {
            let life = self.alive()?;
            if self.life != Some(life) {
                self.life = Some(life);
                self.made.clear();
            }
            self.make(tables);
            if self.alive()? == life {
                return Ok(());
            }
        }
        Err("the engine dies of this project's tables".to_owned())
    }

    /// Whether the engine has the table of that name.
    pub fn has(&self, name: &str) -> bool {
        self.made.get(name).is_some_and(|(_, is_made)| *is_made)
    }

    /// What the engine says to each query over these tables, in order.
    pub fn describe(&mut self, tables: &[Table], queries: &[&str]) -> Vec<Verdict> {
        let wrapped = queries.iter().map(|sql| {
            let sql = sql.trim().trim_end_matches(';');
            let mut request = Request::new(format!("DESCRIBE TABLE (\n{sql}\n)"))
                .format(Format::JsonCompact)
                .limits(LIMITS);
            for name in placeholders(sql) {
                request = request.param(name, "");
            }
            request
        });
        self.ask(tables, &wrapped.collect::<Vec<_>>(), columns)
    }

    /// Whether the engine would take these statements, which write nothing: they are run on empty tables.
    pub fn run(&mut self, tables: &[Table], statements: &[String]) -> Vec<Verdict> {
        let requests: Vec<_> = statements
            .iter()
            .map(|sql| {
                let request = Request::new(sql.as_str()).allow(Allow::Changes).limits(LIMITS);
                placeholders(sql).into_iter().fold(request, |request, name| request.param(name, ""))
            })
            .collect();
        self.ask(tables, &requests, |_| Verdict::Columns(Vec::new()))
    }

    fn ask(&mut self, tables: &[Table], requests: &[Request], read: fn(&str) -> Verdict) -> Vec<Verdict> {
        let mut verdicts: Vec<Option<Verdict>> = vec![None; requests.len()];
        for _ in 0..ATTEMPTS {
            let open: Vec<usize> = (0..requests.len()).filter(|n| verdicts[*n].is_none()).collect();
            if open.is_empty() {
                break;
            }
            if let Err(why) = self.provide(tables) {
                return requests.iter().map(|_| Verdict::Broken(why.clone())).collect();
            }
            let answers = self.pool.query_batch(open.iter().map(|n| requests[*n].clone()).collect());
            // A process that died in between took the tables with it, and what came behind was asked of nothing.
            let whole = self.alive().is_ok_and(|life| self.life == Some(life));
            for (n, answer) in open.into_iter().zip(answers) {
                verdicts[n] = match answer {
                    Ok(answer) if whole => Some(read(&answer.text())),
                    Err(EngineError::Statement(refusal)) if whole => Some(Verdict::Refused(refusal)),
                    Ok(_) | Err(EngineError::Statement(_)) => None,
                    Err(other) => Some(Verdict::Broken(other.to_string())),
                };
            }
        }
        let unanswered = || Verdict::Broken("the engine died again and again".to_owned());
        verdicts.into_iter().map(|verdict| verdict.unwrap_or_else(unanswered)).collect()
    }

    /// The process that answers now.
    fn alive(&self) -> Result<WorkerId, String> {
        self.pool.query(Request::new("SELECT 1")).map(|answer| answer.worker).map_err(|e| e.to_string())
    }

    fn make(&mut self, tables: &[Table]) {
        // Two data sources of one name are a fault of their own; the first one counts.
        let mut seen = FxHashSet::default();
        let is_made = |table: &&Table| self.made.get(&table.name).is_some_and(|(made, _)| made == *table);
        let mut open: Vec<&Table> =
            tables.iter().filter(|t| seen.insert(t.name.as_str())).filter(|t| !is_made(t)).collect();
        let old = open.iter().filter(|t| self.has(&t.name));
        let drops = old.map(|t| format!("DROP TABLE IF EXISTS {} SYNC", quoted(&t.name)));
        self.pool.query_batch(drops.map(|sql| Request::new(sql).allow(Allow::Changes)).collect());
        for table in &open {
            self.made.remove(&table.name);
        }
        let tries = open.iter().map(|t| t.statements.len()).max().unwrap_or_default();
        for attempt in 0..tries {
            let now: Vec<(&Table, &String)> = open
                .iter()
                .filter_map(|t| Some((*t, t.statements.get(attempt)?)))
                .filter(|(_, sql)| !self.deadly.contains(*sql))
                .collect();
            let requests =
                now.iter().map(|(_, sql)| Request::new(sql.as_str()).allow(Allow::Changes)).collect();
            for ((table, sql), answer) in now.into_iter().zip(self.pool.query_batch(requests)) {
                match answer {
                    Ok(_) => {
                        self.made.insert(table.name.clone(), (table.clone(), true));
                    }
                    Err(EngineError::Crashed(_) | EngineError::TimedOut(_)) => {
                        self.deadly.insert(sql.clone());
                    }
                    Err(_) => {}
                }
            }
            open.retain(|t| !self.made.contains_key(&t.name));
        }
        for table in open {
            self.made.insert(table.name.clone(), (table.clone(), false));
        }
    }
}

/// `{name: String}` in a query.
fn placeholders(sql: &str) -> Vec<String> {
    let mut names = Vec::new();
    for (at, _) in sql.match_indices('{') {
        let Some((name, rest)) = sql[at + 1..].split_once(':') else { continue };
        let name = name.trim();
        let is_name = !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || c == '_');
        if is_name && rest.trim_start().starts_with("String") && !names.iter().any(|n| n == name) {
            names.push(name.to_owned());
        }
    }
    names
}

fn columns(answer: &str) -> Verdict {
    let parsed: Option<Vec<(String, String)>> = (|| {
        let answer: serde_json::Value = serde_json::from_str(answer).ok()?;
        let rows = answer.get("data")?.as_array()?;
        rows.iter()
            .map(|row| Some((row.get(0)?.as_str()?.to_owned(), row.get(1)?.as_str()?.to_owned())))
            .collect()
    })();
    parsed.map_or_else(|| Verdict::Broken("an answer that is none".to_owned()), Verdict::Columns)
}
