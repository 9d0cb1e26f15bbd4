//! `cargo xtask plan-eval DIR…`: plans of real projects, judged by the engine.
//!
//! The histories of the projects give pairs of states: parent and commit; with options also commits that lie far apart, the
//! way back, single files of another time, and random changes of single data sources. Each changed definition must get a
//! class and a reason, and nothing may panic. With `--engine`, what a plan says is then done: statements run over rows, each
//! `FORWARD_QUERY` that is offered runs, victims are refused, and who is no victim is not.

mod history;
mod mutate;
#[path = "../../../server/plan/tests/on_engine/mod.rs"]
mod on_engine;
mod places;
mod readers;

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use camino::Utf8PathBuf;
use headwater_analysis::{Database, Dialect, Project};
use headwater_oracle::Session;
use headwater_plan::{Class, Plan, compile, ddl};
use headwater_project::{Loaded, OsFileSystem, scan, workspace_roots};
use headwater_warehouse::{PoolConfig, Program};

use crate::catalog::Random;
use history::{Pair, adjacent, distant, history, transplanted, with_text};

/// What to plan.
#[derive(Default)]
struct Options {
    dirs: Vec<Utf8PathBuf>,
    shown: usize,
    seed: u64,
    /// Random pairs of commits, for each history.
    distant: usize,
    reverse: bool,
    /// Files of another time, for each history.
    transplanted: usize,
    /// Random changes, over all projects.
    mutated: usize,
    engine: bool,
    /// Leaves the histories' own steps out.
    no_steps: bool,
}

impl Options {
    fn parse(args: &[String]) -> Result<Self> {
        let mut options = Self { shown: 20, seed: 1, ..Self::default() };
        let mut rest = args.iter();
        while let Some(arg) = rest.next() {
            let mut number = || -> Result<usize> {
                Ok(rest.next().with_context(|| format!("{arg} takes a number"))?.parse()?)
            };
            match arg.as_str() {
                "--worst" => options.shown = number()?,
                "--seed" => options.seed = number()? as u64,
                "--distant" => options.distant = number()?,
                "--transplant" => options.transplanted = number()?,
                "--mutate" => options.mutated = number()?,
                "--reverse" => options.reverse = true,
                "--engine" => options.engine = true,
                "--no-steps" => options.no_steps = true,
                dir => {
                    let dir = Path::new(dir).canonicalize().with_context(|| dir.to_owned())?;
                    options.dirs.push(Utf8PathBuf::from_path_buf(dir).ok().context("not UTF-8")?);
                }
            }
        }
        ensure!(!options.dirs.is_empty(), "name folders with projects in git repositories");
        Ok(options)
    }
}

/// The engine, twice: with empty tables for queries, and with rows.
struct Judge {
    session: Session,
    engine: on_engine::Engine,
}

/// Plans what the options say.
pub(crate) fn run(args: &[String]) -> Result<()> {
    let options = Options::parse(args)?;
    let mut judge = match options.engine {
        true => {
            let library = crate::engine::library()?;
            let config = PoolConfig::new(Program::current()?, library.clone());
            Some(Judge {
                session: Session::new(config),
                engine: on_engine::Engine::new(Program::current()?, library),
            })
        }
        false => None,
    };
    let mut tally = Tally::default();
    let mut random = Random::new(options.seed);
    for dir in &options.dirs {
        let steps = history(dir).with_context(|| dir.to_string())?;
        let count = tally.plans;
        let own = if options.no_steps { &[][..] } else { &steps[..] };
        tally.commits += own.len();
        for step in own {
            for reverse in [false, true] {
                if !reverse || options.reverse {
                    adjacent(dir, step, reverse).iter().for_each(|p| planned(p, &mut judge, &mut tally));
                }
            }
        }
        for _ in 0..options.distant {
            distant(dir, &steps, &mut random).iter().for_each(|p| planned(p, &mut judge, &mut tally));
        }
        for _ in 0..if steps.is_empty() { 0 } else { options.transplanted } {
            let pair = transplanted(dir, &steps, &mut random);
            pair.iter().for_each(|p| planned(p, &mut judge, &mut tally));
        }
        tally.histories += usize::from(tally.plans > count);
    }
    if options.mutated > 0 {
        mutations(&options, &mut random, &mut judge, &mut tally);
    }
    tally.print(options.shown);
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
    mutations: BTreeMap<&'static str, usize>,
    judged: usize,
    named: usize,
    covered: usize,
    edited: usize,
    victims: usize,
    missed: Vec<String>,
    false_victims: Vec<String>,
    /// What the engine did with statements and rows.
    done: on_engine::Counts,
    failures: Vec<String>,
    /// Fixes that mend nothing.
    useless: Vec<String>,
}

fn planned(pair: &Pair, judge: &mut Option<Judge>, tally: &mut Tally) {
    let place = &pair.place;
    let started = Instant::now();
    let result = catch_unwind(AssertUnwindSafe(|| {
        let mut db = Database::default();
        let before = Loaded::durable(&mut db, pair.root.clone(), pair.before.clone());
        let mut after = Loaded::new(&mut db, pair.root.clone(), pair.after.clone());
        after.set_baseline(&mut db, Some(before.project));
        let plan = headwater_plan::plan(&db, before.project, after.project, None);
        let time = started.elapsed();
        (time, judged(&db, before.project, after.project, &plan), plan, db, before.project, after.project)
    }));
    let Ok((time, judged, plan, db, before, after)) = result else {
        tally.panics.push(place.clone());
        return;
    };
    tally.times.push((time, place.clone()));
    tally.plans += 1;
    if tally.plans.is_multiple_of(50) {
        let trouble =
            tally.missed.len() + tally.false_victims.len() + tally.failures.len() + tally.useless.len();
        eprintln!("{} plans, {trouble} lines of trouble; now at {place}", tally.plans);
    }
    tally.definitions += judged.definitions;
    tally.silent.extend(judged.silent.into_iter().map(|s| format!("{place}: {s}")));
    tally.doubts.extend(judged.doubts.into_iter().map(|s| format!("{place}: {s}")));
    for change in &plan.changes {
        *tally.changes.entry((change.rule.name, change.class.name())).or_default() += 1;
        if change.reason.is_empty() {
            tally.silent.push(format!("{place}: {} {} without a reason", change.resource, change.rule.name));
        }
    }
    let Some(judge) = judge else { return };
    if plan.changes.is_empty() {
        return;
    }
    let verdicts = readers::judged(&db, before, after, &plan, &mut judge.session);
    tally.judged += verdicts.judged;
    tally.named += verdicts.named;
    tally.covered += verdicts.covered;
    tally.edited += verdicts.edited;
    tally.victims += verdicts.victims;
    tally.missed.extend(verdicts.missed.into_iter().map(|s| format!("{place}: {s}")));
    tally.false_victims.extend(verdicts.false_victims.into_iter().map(|s| format!("{place}: {s}")));
    let mut run = on_engine::Run {
        engine: &judge.engine,
        name: place,
        is_strict: false,
        failures: &mut tally.failures,
        counts: &mut tally.done,
    };
    run.all(&db, before, after, &plan);
}

/// Random changes of single data sources of the projects as they are on disk.
fn mutations(options: &Options, random: &mut Random, judge: &mut Option<Judge>, tally: &mut Tally) {
    let mut projects = Vec::new();
    for dir in &options.dirs {
        for root in workspace_roots(&OsFileSystem, dir) {
            let found = scan(&OsFileSystem, &root);
            let mut db = Database::default();
            let loaded = Loaded::new(&mut db, root.clone(), found.clone());
            let is_forward = headwater_analysis::dialect(&db, loaded.project).dialect == Dialect::Forward;
            let release = compile(&db, loaded.project);
            let tables: Vec<_> = on_engine::tables(&release)
                .filter_map(|(key, table)| {
                    let path = release.entries.get(key)?.file.path(&db).clone();
                    Some((path, table.clone()))
                })
                .collect();
            if !tables.is_empty() {
                projects.push((root, found, tables, is_forward));
            }
        }
    }
    for n in 0..options.mutated {
        let (root, found, tables, is_forward) = &projects[random.below(projects.len())];
        let (path, table) = &tables[random.below(tables.len())];
        let mut changed = table.clone();
        changed.forward_query = None;
        let mut kinds: Vec<&'static str> = Vec::new();
        // Every kind as often as the others, and every third change is of two kinds.
        for m in 0..if n % 3 == 2 { 2 } else { 1 } {
            let kind = mutate::KINDS[(n + m * random.below(mutate::KINDS.len())) % mutate::KINDS.len()];
            let is_known = *is_forward || !kind.contains("FORWARD_QUERY");
            if is_known && mutate::change(&mut changed, kind, random) {
                kinds.push(kind);
            }
        }
        if kinds.is_empty() {
            continue;
        }
        kinds.iter().for_each(|k| *tally.mutations.entry(k).or_default() += 1);
        let mut plain = table.clone();
        plain.forward_query = None;
        let before = with_text(found, path, &mutate::written(&plain));
        let after = with_text(&before, path, &mutate::written(&changed));
        let place = format!("{} {path} #{n} ({})", root.path, kinds.join(", "));
        let pair = Pair { place, root: root.clone(), before, after };
        planned(&pair, judge, tally);
        if *is_forward {
            mended(&pair, path, &changed, tally);
        }
    }
}

/// A `FORWARD_QUERY` that is offered makes the plan better: what it is offered for is not refused with it.
fn mended(pair: &Pair, path: &camino::Utf8Path, changed: &headwater_plan::Table, tally: &mut Tally) {
    let plan_of = |pair: &Pair| {
        let mut db = Database::default();
        let before = Loaded::durable(&mut db, pair.root.clone(), pair.before.clone());
        let mut after = Loaded::new(&mut db, pair.root.clone(), pair.after.clone());
        after.set_baseline(&mut db, Some(before.project));
        headwater_plan::plan(&db, before.project, after.project, None)
    };
    let plan = plan_of(pair);
    for change in plan.changes.iter().filter(|c| c.class == Class::Refuse && c.dependents.is_empty()) {
        let Some(query) = change.fix.as_ref().and_then(|f| f.text.strip_prefix("FORWARD_QUERY >\n")) else {
            continue;
        };
        let mut better = changed.clone();
        better.forward_query = Some(query.to_owned());
        let next = Pair {
            place: pair.place.clone(),
            root: pair.root.clone(),
            before: pair.before.clone(),
            after: with_text(&pair.after, path, &mutate::written(&better)),
        };
        let left = plan_of(&next);
        let stays = left.changes.iter().find(|c| {
            c.class == Class::Refuse
                && c.resource == change.resource
                && c.rule == change.rule
                && c.subject == change.subject
        });
        if let Some(stays) = stays {
            tally.useless.push(format!("{}: {} stays: {}", pair.place, stays.rule.name, stays.reason));
        }
    }
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
                        "{}.{} is hidden, and {}:{} says its name",
                        ddl::identifier(&change.resource),
                        ddl::identifier(column),
                        definition.name,
                        node.name
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
        for (kind, count) in &self.mutations {
            println!("{count:6}  mutated: {kind}");
        }
        self.times.sort_by_key(|(time, _)| std::cmp::Reverse(*time));
        let sum: Duration = self.times.iter().map(|(t, _)| *t).sum();
        println!("plans took {sum:.1?}; slowest:");
        for (time, place) in self.times.iter().take(5) {
            println!("  {time:8.1?}  {place}");
        }
        println!(
            "engine: {} nodes judged that were taken before; refused now: {} named by the plan, {} behind another refusal, {} by their own edit, {} missed",
            self.judged,
            self.named,
            self.covered,
            self.edited,
            self.missed.len()
        );
        println!("engine: {} victims refused, {} taken", self.victims, self.false_victims.len());
        println!("engine: {:?}", self.done);
        for (title, list) in [
            ("panics", &self.panics),
            ("said nothing of", &self.silent),
            ("to be looked at", &self.doubts),
            ("broken, and no victim of the plan", &self.missed),
            ("victims that the engine takes", &self.false_victims),
            ("statements that do not do what is said", &self.failures),
            ("fixes that mend nothing", &self.useless),
        ] {
            println!("{title}: {}", list.len());
            list.iter().take(shown).for_each(|line| println!("  {line}"));
        }
    }
}
