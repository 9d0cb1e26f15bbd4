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

/// Runs until the program is ended.
pub(super) fn run(args: &TestArgs, options: &RunOptions, pool: &Pool) -> Result<Verdict, CannotRun> {
    let mut seen: Option<FxHashMap<Utf8PathBuf, (SystemTime, u64)>> = None;
    loop {
        let mut db = Database::default();
        let loaded = load_one(&mut db, args.project.as_deref())?;
        let now = state(&loaded.root.path);
        let changed: Option<FxHashSet<Utf8PathBuf>> = seen.as_ref().map(|before| {
            let paths = before.keys().chain(now.keys());
            paths.filter(|p| before.get(*p) != now.get(*p)).cloned().collect()
        });
        if changed.as_ref().is_none_or(|changed| !changed.is_empty()) {
            match Suite::read(&OsFileSystem, &loaded) {
                Ok(mut suite) => {
                    match suite.select(&args.names) {
                        // A name may come to mean something with the next edit.
                        Err(CannotRun(why)) => eprintln!("headwater: {why}"),
                        Ok(()) => {
                            if let Some(changed) = &changed {
                                affected::retain(&db, &loaded, &mut suite, changed);
                            }
                            let outcomes = suite.run(&db, &loaded, options, pool, &|_| {});
                            print(&report::render(args.format, &suite, &outcomes, &[]));
                        }
                    }
                }
                Err(CannotRun(why)) => eprintln!("headwater: {why}"),
            }
            seen = Some(now);
        }
        let root = loaded.root.path.clone();
        while seen.as_ref() == Some(&state(&root)) {
            std::thread::sleep(PAUSE);
        }
    }
}

/// When each file of a project was written last, and how long it is.
fn state(root: &Utf8Path) -> FxHashMap<Utf8PathBuf, (SystemTime, u64)> {
    let mut paths = Vec::new();
    walk(&OsFileSystem, root, Utf8Path::new(""), 0, &mut paths);
    paths.extend([".env", ".env.local"].map(Utf8PathBuf::from));
    let of = |path: Utf8PathBuf| {
        let metadata = std::fs::metadata(root.join(&path)).ok()?;
        Some((path, (metadata.modified().ok()?, metadata.len())))
    };
    paths.into_iter().filter_map(of).collect()
}
