//! Tests again after each edit, those that it may touch.

use std::time::{Duration, SystemTime};

use camino::{Utf8Path, Utf8PathBuf};
use headwater_analysis::Database;
use headwater_engine::run::RunOptions;
use headwater_project::OsFileSystem;
use headwater_warehouse::Pool;
use rustc_hash::{FxHashMap, FxHashSet};

use super::{Suite, affected, report, walk};
use crate::args::TestArgs;
use crate::project::load_one;
use crate::{CannotRun, Verdict, print};

/// How often the files are looked at.
const PAUSE: Duration = Duration::from_millis(200);

/// How long nothing may be written before the tests run.
const CALM: Duration = Duration::from_millis(60);

/// Runs until the program is ended.
pub(super) fn run(args: &TestArgs, options: &RunOptions, pool: &Pool) -> Result<Verdict, CannotRun> {
    let mut db = Database::default();
    let root = load_one(&mut db, args.project.as_deref())?.root.path;
    let mut seen: Option<State> = None;
    loop {
        // Looked at before the files are read: what is written in between is noticed afterwards.
        let mut now = state(&root);
        if seen.as_ref() == Some(&now) {
            std::thread::sleep(PAUSE);
            continue;
        }
        if seen.is_some() {
            now = settled(&root, now);
        }
        let changed = seen.as_ref().map(|before| different(before, &now));
        seen = Some(now);
        let mut db = Database::default();
        // What keeps the tests from being run may be mended with the next edit.
        if let Err(CannotRun(why)) = once(&mut db, args, options, pool, changed.as_ref()) {
            eprintln!("headwater: {why}");
        }
    }
}

/// Runs the tests that the changes may touch; all of them when there are none to go by.
fn once(
    db: &mut Database,
    args: &TestArgs,
    options: &RunOptions,
    pool: &Pool,
    changed: Option<&FxHashSet<Utf8PathBuf>>,
) -> Result<(), CannotRun> {
    let loaded = load_one(db, args.project.as_deref())?;
    let mut suite = Suite::read(&OsFileSystem, &loaded)?;
    suite.select(&args.names)?;
    if let Some(changed) = changed {
        affected::retain(db, &loaded, &mut suite, changed);
    }
    if changed.is_some() && suite.cases.is_empty() && suite.faults.is_empty() {
        print("no test is touched by this change\n");
        return Ok(());
    }
    let outcomes = suite.run(db, &loaded, options, pool, &|_| {});
    print(&report::render(args.format, &suite, &outcomes, &[]));
    Ok(())
}

type State = FxHashMap<Utf8PathBuf, (SystemTime, u64)>;

/// Paths that only one of the two has, or that they have differently.
fn different(before: &State, now: &State) -> FxHashSet<Utf8PathBuf> {
    before.keys().chain(now.keys()).filter(|p| before.get(*p) != now.get(*p)).cloned().collect()
}

/// How the project looks once nothing is written for a moment: a file may be half written, and editors save several at once.
fn settled(root: &Utf8Path, mut seen: State) -> State {
    loop {
        std::thread::sleep(CALM);
        let now = state(root);
        if now == seen {
            return now;
        }
        seen = now;
    }
}

/// When each file of a project was written last, and how long it is.
fn state(root: &Utf8Path) -> State {
    let mut paths = Vec::new();
    walk(&OsFileSystem, root, Utf8Path::new(""), 0, &mut paths);
    paths.extend([".env", ".env.local"].map(Utf8PathBuf::from));
    let of = |path: Utf8PathBuf| {
        let metadata = std::fs::metadata(root.join(&path)).ok()?;
        Some((path, (metadata.modified().ok()?, metadata.len())))
    };
    paths.into_iter().filter_map(of).collect()
}
