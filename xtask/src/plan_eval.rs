//! Plans every change of datafiles in the histories of real projects, parent to commit: what no fixture thinks of.
//!
//! Each changed definition must get a class and a reason, nothing may panic, and a column that is hidden although a query
//! that reads its table still says its name is listed for people to look at.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use camino::{Utf8Path, Utf8PathBuf};
use headwater_analysis::{Database, Project};
use headwater_plan::{Class, Plan, compile};
use headwater_project::{
    CommitId, GitRevisions, Loaded, ProjectRoot, Revisions, Texts, is_datafile, scan_at, workspace_roots,
};

/// Plans the histories below these folders.
pub(crate) fn run(args: &[String]) -> Result<()> {
    let mut shown = 20;
    let mut dirs = Vec::new();
    let mut rest = args.iter();
    while let Some(arg) = rest.next() {
        match arg.as_str() {
            "--worst" => shown = rest.next().context("--worst takes a number")?.parse()?,
            dir => dirs
                .push(Utf8PathBuf::from_path_buf(Path::new(dir).canonicalize()?).ok().context("not UTF-8")?),
        }
    }
    ensure!(!dirs.is_empty(), "name folders with git repositories");
    let mut tally = Tally::default();
    for dir in &dirs {
        repository(dir, &mut tally).with_context(|| dir.to_string())?;
    }
    tally.print(shown);
    if tally.panics.is_empty() && tally.silent.is_empty() { Ok(()) } else { bail!("see above") }
}

#[derive(Default)]
struct Tally {
    histories: usize,
    commits: usize,
    plans: usize,
    definitions: usize,
    changes: BTreeMap<(&'static str, &'static str), usize>,
    panics: Vec<String>,
    /// Definitions that changed and of which the plan says nothing.
    silent: Vec<String>,
    /// Hidden columns whose name a reader still says.
    doubts: Vec<String>,
    times: Vec<(Duration, String)>,
}

/// A commit, its first parent, and the datafiles that differ.
struct Step {
    commit: String,
    parent: String,
    files: Vec<Utf8PathBuf>,
}

fn repository(dir: &Utf8Path, tally: &mut Tally) -> Result<()> {
    let steps = history(dir)?;
    let revisions = GitRevisions;
    let mut any = false;
    for step in steps {
        tally.commits += 1;
        let (parent, commit) = (CommitId::new(step.parent.as_str()), CommitId::new(step.commit.as_str()));
        let mut roots: Vec<ProjectRoot> = Vec::new();
        for side in [&commit, &parent] {
            let Ok(files) = revisions.open(dir, side) else { continue };
            for root in workspace_roots(&*files, dir) {
                let holds = step.files.iter().any(|f| dir.join(f).starts_with(&root.path));
                if holds && roots.iter().all(|r| r.path != root.path) {
                    roots.push(root);
                }
            }
        }
        for root in roots {
            any |= planned(&revisions, &root, &parent, &commit, tally);
        }
    }
    tally.histories += usize::from(any);
    Ok(())
}

fn history(dir: &Utf8Path) -> Result<Vec<Step>> {
    let output = Command::new("git")
        .args([
            "log",
            "--first-parent",
            "-m",
            "--name-only",
            "--format=@%H %P",
            "--",
            "*.datasource",
            "*.pipe",
            "*.connection",
            "*.incl",
        ])
        .current_dir(dir)
        .output()
        .context("git cannot be started")?;
    ensure!(output.status.success(), "git log failed: {}", String::from_utf8_lossy(&output.stderr));
    let mut steps: Vec<Step> = Vec::new();
    for line in String::from_utf8_lossy(&output.stdout).lines() {
        if let Some(hashes) = line.strip_prefix('@') {
            let mut hashes = hashes.split(' ');
            let (commit, parent) = (hashes.next().unwrap_or_default(), hashes.next().unwrap_or_default());
            steps.push(Step { commit: commit.to_owned(), parent: parent.to_owned(), files: Vec::new() });
        } else if let Some(step) = steps.last_mut()
            && is_datafile(Utf8Path::new(line))
        {
            step.files.push(line.into());
        }
    }
    // The first commit of all has nothing before it.
    steps.retain(|s| !s.parent.is_empty() && !s.files.is_empty());
    Ok(steps)
}

fn planned(
    revisions: &GitRevisions,
    root: &ProjectRoot,
    parent: &CommitId,
    commit: &CommitId,
    tally: &mut Tally,
) -> bool {
    let place = format!("{} {}", root.path, commit.short());
    let (Ok(before), Ok(after)) = (
        scan_at(revisions, root, parent, &Texts::default()),
        scan_at(revisions, root, commit, &Texts::default()),
    ) else {
        return false;
    };
    let started = Instant::now();
    let result = catch_unwind(AssertUnwindSafe(|| {
        let mut db = Database::default();
        let before = Loaded::durable(&mut db, root.clone(), before);
        let mut after = Loaded::new(&mut db, root.clone(), after);
        after.set_baseline(&mut db, Some(before.project));
        let plan = headwater_plan::plan(&db, before.project, after.project, None);
        let time = started.elapsed();
        (time, judged(&db, before.project, after.project, &plan), plan)
    }));
    let Ok((time, judged, plan)) = result else {
        tally.panics.push(place);
        return true;
    };
    tally.times.push((time, place.clone()));
    tally.plans += 1;
    tally.definitions += judged.definitions;
    tally.silent.extend(judged.silent.into_iter().map(|s| format!("{place}: {s}")));
    tally.doubts.extend(judged.doubts.into_iter().map(|s| format!("{place}: {s}")));
    for change in &plan.changes {
        *tally.changes.entry((change.rule.name, change.class.name())).or_default() += 1;
        if change.reason.is_empty() {
            tally.silent.push(format!("{place}: {} {} without a reason", change.resource, change.rule.name));
        }
    }
    true
}

#[derive(Default)]
struct Judged {
    definitions: usize,
    silent: Vec<String>,
    doubts: Vec<String>,
}

fn judged(db: &Database, before: Project, after: Project, plan: &Plan) -> Judged {
    let (old, new) = (compile(db, before), compile(db, after));
    let mut out = Judged::default();
    let keys: std::collections::BTreeSet<_> = old.entries.keys().chain(new.entries.keys()).collect();
    for key in keys.into_iter().filter(|k| old.get(k) != new.get(k)) {
        out.definitions += 1;
        if !plan.changes.iter().any(|c| c.resource == key.name) {
            out.silent.push(format!("nothing is said of `{}`", key.name));
        }
    }
    for change in plan.changes.iter().filter(|c| c.class == Class::Hide && c.rule.name == "drop-column") {
        let Some(column) = &change.subject else { continue };
        for entry in new.entries.values() {
            let Some(definition) = entry.definition() else { continue };
            let Some(pipe) = definition.pipe() else { continue };
            for node in &pipe.nodes {
                let reads = node.reads.iter().any(|r| r.name == change.resource);
                let says = node.sql.split(|c: char| !c.is_alphanumeric() && c != '_').any(|w| w == column);
                if reads && says {
                    out.doubts.push(format!(
                        "`{}.{column}` is hidden, and {}:{} says its name",
                        change.resource, definition.name, node.name
                    ));
                }
            }
        }
    }
    out
}

impl Tally {
    fn print(&mut self, shown: usize) {
        println!(
            "{} histories, {} commits, {} plans, {} changed definitions, {} changes",
            self.histories,
            self.commits,
            self.plans,
            self.definitions,
            self.changes.values().sum::<usize>()
        );
        let mut rows: Vec<_> = self.changes.iter().collect();
        rows.sort_by_key(|(_, n)| std::cmp::Reverse(**n));
        for ((rule, class), count) in rows {
            println!("{count:6}  {rule:26} {class}");
        }
        self.times.sort_by_key(|(time, _)| std::cmp::Reverse(*time));
        let sum: Duration = self.times.iter().map(|(t, _)| *t).sum();
        println!("plans took {sum:.1?}; slowest:");
        for (time, place) in self.times.iter().take(5) {
            println!("  {time:8.1?}  {place}");
        }
        for (title, list) in
            [("panics", &self.panics), ("said nothing of", &self.silent), ("to be looked at", &self.doubts)]
        {
            println!("{title}: {}", list.len());
            list.iter().take(shown).for_each(|line| println!("  {line}"));
        }
    }
}
