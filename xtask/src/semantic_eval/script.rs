//! A file of queries over tables that its first lines declare, as `server/analysis/tests/queries.sql`.

use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, Result};
use headwater_analysis::query::{Column, Relation, Tables, analyze};
use headwater_analysis::syntax::{schema, sql};

use headwater_oracle::{Table, Verdict};

use super::engine::Engine;
use super::tally::Tally;
use super::texts::Texts;

/// Tables by name.
struct Declared(Vec<(String, Arc<Relation>)>);

impl Tables for Declared {
    fn relation(&self, _: Option<&str>, name: &str) -> Option<Arc<Relation>> {
        self.0.iter().find(|(own, _)| own == name).map(|(_, relation)| relation.clone())
    }
}

/// Judges every query of a file.
pub(super) fn run(path: &Path, library: &Path) -> Result<Tally> {
    let text = std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    let mut declared = Declared(Vec::new());
    let mut tables = Vec::new();
    for (name, columns) in text.lines().filter_map(|line| line.strip_prefix("-- table ")?.split_once(": ")) {
        let columns: Vec<(&str, &str)> = schema::split_arguments(columns)
            .into_iter()
            .filter_map(|(_, column)| column.trim().split_once(' '))
            .collect();
        let written: Vec<_> = columns.iter().map(|(name, ty)| format!("`{name}` {ty}")).collect();
        let create =
            format!("CREATE TABLE {name} ({}) ENGINE = MergeTree ORDER BY tuple()", written.join(", "));
        tables.push(Table { name: name.to_owned(), statements: vec![create] });
        let columns = columns
            .into_iter()
            .map(|(name, ty)| Column::new(name, headwater_catalog::Type::parse(ty).ok()))
            .collect();
        declared.0.push((name.to_owned(), Arc::new(Relation::of(columns))));
    }
    let mut cases = Vec::new();
    for (n, query) in text.lines().enumerate().filter(|(_, l)| !l.is_empty() && !l.starts_with("--")) {
        let tree = sql::parse(query).context("a query is too long")?;
        cases.push(Texts {
            place: format!("line {}: {query}", n + 1),
            expanded: Ok(query.to_owned()),
            facts: analyze(query, &tree, &declared),
            text: query.to_owned(),
            reads_refused: false,
        });
    }
    let mut engine = Engine::with_tables(tables, library)?;
    let statements: Vec<String> = cases.iter().map(|case| case.text.clone()).collect();
    let mut tally = Tally::default();
    for (case, verdict) in cases.iter().zip(engine.describe(&statements)) {
        match verdict {
            Verdict::Broken(reason) => tally.unjudged(&case.place, &reason),
            verdict => tally.judge(case, &verdict),
        }
    }
    Ok(tally)
}
