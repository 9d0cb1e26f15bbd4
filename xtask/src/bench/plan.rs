//! What a plan costs: from files read to the plan, and again after an edit in the same database.

use std::path::Path;
use std::time::Instant;

use anyhow::{Context, Result};
use camino::Utf8PathBuf;
use headwater_analysis::{Content, Database, Setter};
use headwater_project::{Loaded, OsFileSystem, ProjectRoot, scan};

use super::{Times, generate};

/// How often each thing is measured.
const ROUNDS: usize = 30;

/// Measures a generated project of 500 files against itself before an edit: a column renamed in the data source that most
/// files read.
pub(crate) fn run(project: &Path) -> Result<()> {
    let root =
        ProjectRoot::at(Utf8PathBuf::from_path_buf(project.to_owned()).ok().context("a path in UTF-8")?);
    let scanned = || scan(&OsFileSystem, &root);
    let edited = generate::ROOT;
    let mut cold = Vec::new();
    let mut warm = Vec::new();
    let mut same = Vec::new();
    for round in 0..ROUNDS {
        let (before, after) = (scanned(), scanned());
        let mut db = Database::default();
        let before = Loaded::durable(&mut db, root.clone(), before);
        let mut after = Loaded::new(&mut db, root.clone(), after);
        after.set_baseline(&mut db, Some(before.project));
        let file = after.file(&db, edited.as_ref()).context("the edited file is there")?;
        let text = file.text(&db);
        let edit = |n: usize| text.replacen("SCHEMA >", &format!("SCHEMA >\n    `bench_{n}` String,"), 1);
        file.set_content(&mut db).to(Content::Text(edit(round).into()));
        let begin = Instant::now();
        let plan = headwater_plan::plan(&db, before.project, after.project, None);
        cold.push(begin.elapsed());
        anyhow::ensure!(!plan.changes.is_empty(), "the edit is no change of {edited}");
        headwater_plan::project_plan(&db, after.project);
        for n in 0..5 {
            file.set_content(&mut db).to(Content::Text(edit(1_000 + n).into()));
            let begin = Instant::now();
            headwater_plan::project_plan(&db, after.project);
            warm.push(begin.elapsed());
            let commented = format!("# {n}\n{}", edit(1_000 + n));
            file.set_content(&mut db).to(Content::Text(commented.into()));
            let begin = Instant::now();
            headwater_plan::project_plan(&db, after.project);
            same.push(begin.elapsed());
        }
    }
    Times::new(cold).print("two projects of 500 files → plan, nothing known", "≤ 100 ms");
    Times::new(warm).print("another column → plan, in the same database", "≤ 5 ms");
    Times::new(same).print("a comment → plan, in the same database", "≤ 5 ms");
    Ok(())
}
