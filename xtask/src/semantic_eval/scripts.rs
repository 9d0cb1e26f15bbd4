//! Scripts: statements that make tables, and queries over them. They come from files of SQL, and from the examples in the
//! engine's own documentation, which is part of the catalog.

use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, Result};
use headwater_analysis::query::{Column, Relation, Tables, analyze};
use headwater_analysis::syntax::sql;
use headwater_catalog::Type;
use headwater_oracle::{Table, Verdict};

use super::engine::Engine;
use super::tally::Tally;
use super::texts::Texts;
use crate::grammar_eval::collect::collect;
use crate::grammar_eval::tokens::{Kind, starts_select, statements, tokens};

/// Queries that see the same tables.
#[derive(Default)]
pub(super) struct Script {
    tables: Vec<Table>,
    /// Where each is from, and what it says.
    queries: Vec<(String, String)>,
}

/// The examples of the engine's documentation. A page's tables are those of its statements so far: where one is made anew,
/// another script begins.
pub(super) fn examples() -> Vec<Script> {
    let mut out = Vec::new();
    let mut pages = headwater_catalog::documented();
    pages.sort_by_key(|(topic, name)| (format!("{topic:?}"), *name));
    for (topic, name) in pages {
        let Some(text) = headwater_catalog::documentation(topic, name) else { continue };
        let mut script = Script::default();
        for statement in fences(&text) {
            let place = format!("{topic:?} {name}");
            let Some(table) = made_table(&statement) else {
                if starts_select(&statement) {
                    script.queries.push((place, statement));
                }
                continue;
            };
            if script.tables.iter().any(|t| t.name == table.name) {
                let mut tables = script.tables.clone();
                out.push(std::mem::take(&mut script));
                tables.retain(|t| t.name != table.name);
                script.tables = tables;
            }
            script.tables.push(table);
        }
        out.push(script);
    }
    out.retain(|s| !s.queries.is_empty());
    out
}

/// The queries of a folder or file, over whatever tables its statements make. Of several statements for one table the first
/// counts that the engine takes.
pub(super) fn of_folder(path: &Path) -> Result<Script> {
    let found = collect(path).with_context(|| format!("cannot read {}", path.display()))?;
    let mut script = Script::default();
    for text in found.selects {
        let file = text.file.file_name().map(|f| f.to_string_lossy().into_owned());
        script.queries.push((file.unwrap_or_default(), text.sql));
    }
    for table in found.others.iter().filter_map(|text| made_table(&text.sql)) {
        match script.tables.iter_mut().find(|t| t.name == table.name) {
            Some(known) => known.statements.extend(table.statements),
            None => script.tables.push(table),
        }
    }
    Ok(script)
}

/// Statements of the blocks that are marked as SQL, but for those that show a form.
fn fences(text: &str) -> Vec<String> {
    let mut out = Vec::new();
    let mut is_form = false;
    let mut block: Option<String> = None;
    for line in text.lines() {
        let fence = line.trim_start().strip_prefix("```");
        match (fence, &mut block) {
            (Some(_), Some(_)) => {
                let sql = block.take().unwrap_or_default();
                if !is_form {
                    out.extend(statements(&sql).into_iter().map(str::to_owned));
                }
            }
            (Some(language), None) if language.trim_start().to_ascii_lowercase().starts_with("sql") => {
                block = Some(String::new());
            }
            (None, Some(block)) => {
                block.push_str(line);
                block.push('\n');
            }
            (None, None) if line.starts_with("**") || line.starts_with('#') => {
                is_form = line.contains("Syntax");
            }
            _ => {}
        }
    }
    out
}

/// The table that a statement makes: `CREATE [OR REPLACE] TABLE [IF NOT EXISTS] name`, or a view.
fn made_table(statement: &str) -> Option<Table> {
    let tokens: Vec<(Kind, &str)> = tokens(statement)
        .into_iter()
        .filter(|(kind, _)| *kind != Kind::Space)
        .take(16)
        .map(|(kind, range)| (kind, &statement[range]))
        .collect();
    let is = |n: usize, word: &str| tokens.get(n).is_some_and(|(_, text)| text.eq_ignore_ascii_case(word));
    if !is(0, "CREATE") {
        return None;
    }
    let mut at = 1;
    for skipped in ["OR", "REPLACE"] {
        at += usize::from(is(at, skipped));
    }
    if !is(at, "TABLE") && !is(at, "VIEW") {
        return None;
    }
    at += 1;
    for skipped in ["IF", "NOT", "EXISTS"] {
        at += usize::from(is(at, skipped));
    }
    let (Kind::Word, name) = *tokens.get(at)? else { return None };
    // One of another database is not made: that would not be there.
    if is(at + 1, ".") {
        return None;
    }
    let name = name.trim_matches(['`', '"']).to_owned();
    Some(Table { name, statements: vec![statement.to_owned()] })
}

/// Tables of a script, as the engine has them.
#[derive(Default)]
struct Made(Vec<(String, Arc<Relation>)>);

impl Tables for Made {
    fn relation(&self, database: Option<&str>, name: &str) -> Option<Arc<Relation>> {
        if database.is_some_and(|d| d != "default") {
            return None;
        }
        self.0.iter().find(|(own, _)| own == name).map(|(_, relation)| relation.clone())
    }
}

impl Made {
    /// The tables that the engine has now. Columns of views and of `CREATE … AS` are what it says.
    fn of(tables: &[Table], engine: &mut Engine) -> Self {
        let queries: Vec<String> = tables.iter().map(|t| format!("SELECT * FROM `{}`", t.name)).collect();
        let mut made = Self::default();
        for (table, verdict) in tables.iter().zip(engine.describe(&queries)) {
            let Verdict::Columns(columns) = verdict else { continue };
            let columns = columns.into_iter().map(|(name, ty)| Column::new(name, Type::parse(&ty).ok()));
            // What a star does not show may be asked for all the same.
            let hides = |statement: &String| {
                let upper = statement.to_ascii_uppercase();
                ["ALIAS", "MATERIALIZED", "EPHEMERAL"].iter().any(|word| upper.contains(word))
            };
            let mut relation = Relation::of(columns.collect());
            let hides = table.statements.iter().any(hides);
            relation.complete = !hides;
            let stored = ["_part", "_part_offset", "_partition_id", "_table", "_database"];
            relation.virtuals = stored.iter().map(|name| Column::new(*name, None)).collect();
            made.0.push((table.name.clone(), Arc::new(relation)));
        }
        made
    }
}

/// Judges every query of the scripts.
pub(super) fn judge(scripts: &[Script], library: &Path) -> Result<Tally> {
    let mut engine = Engine::with_tables(Vec::new(), library)?;
    let mut tally = Tally::default();
    // Those that need no table are asked at once.
    let (with_tables, without): (Vec<&Script>, Vec<&Script>) =
        scripts.iter().partition(|s| !s.tables.is_empty());
    let all: Vec<&(String, String)> = without.iter().flat_map(|s| &s.queries).collect();
    ask(&all, &Made::default(), &mut engine, &mut tally);
    for script in with_tables {
        engine.provide(script.tables.clone());
        let made = Made::of(&script.tables, &mut engine);
        ask(&script.queries.iter().collect::<Vec<_>>(), &made, &mut engine, &mut tally);
    }
    Ok(tally)
}

fn ask(queries: &[&(String, String)], tables: &Made, engine: &mut Engine, tally: &mut Tally) {
    let texts: Vec<String> = queries.iter().map(|(_, sql)| without_format(sql).to_owned()).collect();
    let verdicts = engine.describe(&texts);
    for (((place, _), text), verdict) in queries.iter().zip(texts).zip(verdicts) {
        let Some(tree) = sql::parse(&text) else {
            tally.unjudged(place, "too long to be parsed");
            continue;
        };
        match verdict {
            Verdict::Broken(reason) => tally.unjudged(place, &reason),
            Verdict::Refused(e) if !headwater_oracle::is_about_meaning(&e) => {
                tally.unjudged(place, &e.name);
            }
            verdict => {
                let short = text.split_whitespace().collect::<Vec<_>>().join(" ");
                let place = format!("{place}: {}", short.chars().take(300).collect::<String>());
                let facts = analyze(&text, &tree, tables);
                let case = Texts { place, expanded: Ok(text.clone()), facts, text, reads_refused: false };
                tally.judge(&case, &verdict);
            }
        }
    }
}

/// The query without a `FORMAT` behind it, which no subquery has.
fn without_format(sql: &str) -> &str {
    let tokens: Vec<_> = tokens(sql).into_iter().filter(|(kind, _)| *kind != Kind::Space).collect();
    match tokens.as_slice() {
        [.., (Kind::Word, word), (Kind::Word, _)] if sql[word.clone()].eq_ignore_ascii_case("FORMAT") => {
            &sql[..word.start]
        }
        _ => sql,
    }
}

#[cfg(test)]
mod tests {
    use super::{fences, made_table, without_format};

    #[test]
    fn tables_are_found_by_their_statements() {
        let name = |sql| made_table(sql).map(|t| t.name);
        assert_eq!(name("CREATE TABLE IF NOT EXISTS `a b` (x Int8)").as_deref(), Some("a b"));
        assert_eq!(name("create or replace table t /* c */ (x Int8)").as_deref(), Some("t"));
        assert_eq!(name("CREATE VIEW v AS SELECT 1").as_deref(), Some("v"));
        assert_eq!(name("CREATE TABLE db.t (x Int8)"), None);
        assert_eq!(name("SELECT 1"), None);
    }

    #[test]
    fn examples_are_the_blocks_of_sql_that_show_no_form() {
        let text = "**Syntax**\n```sql\nf(x)\n```\n**Examples**\n```sql title=Query\nSELECT 1;\nSELECT 2\n```\n```response\n1\n```\n";
        assert_eq!(fences(text), ["SELECT 1", "SELECT 2"]);
        assert_eq!(without_format("SELECT 1 FORMAT Vertical"), "SELECT 1 ");
    }
}
