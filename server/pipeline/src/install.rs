//! The first release: its tables are made, and its views are tried, before anything is said to be live.

use std::sync::Mutex;
use std::sync::atomic::AtomicU64;

use crate::block::given;
use crate::error::InstallError;
use crate::fault::{Fault, Planted};
use crate::release::{PLACE, Release};
use crate::sql::{BLOCKS, Sql, Trouble, list, query_settings, table};

/// What makes names of tables for trying differ.
static TRIED: AtomicU64 = AtomicU64::new(0);
/// One release is tried at a time.
static TRYING: Mutex<()> = Mutex::new(());

/// Makes the tables of a release, those that are not there.
pub(crate) fn make_tables(sql: &Sql, release: &Release, fault: Planted) -> Result<(), InstallError> {
    sql.make_blocks().map_err(|trouble| failed("the database of blocks", trouble))?;
    for (name, source) in &release.sources {
        for create in [&source.create, &source.create_quarantine] {
            let mut create = create.clone();
            if fault.is(Fault::SmallWindow) {
                create = create.replace("_deduplication_window = 10000", "_deduplication_window = 1");
            }
            sql.run(create).map_err(|trouble| failed(&format!("the table of `{name}`"), trouble))?;
        }
    }
    Ok(())
}

/// Tries every view on an empty block: what the engine refuses of it, it refuses now.
pub(crate) fn try_views(sql: &Sql, release: &Release) -> Result<(), InstallError> {
    let _one = TRYING.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    for view in &release.views {
        let what = format!("the view `{}` of the pipe `{}`", view.node, view.pipe);
        let (source, target) = (&release.sources[&view.source], &release.sources[&view.target]);
        let nth = TRIED.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let names =
            ["from", "to"].map(|end| table(BLOCKS, &format!("try_{}_{nth}_{end}", std::process::id())));
        let tried = || -> Result<(), InstallError> {
            let refused = |trouble| failed(&what, trouble);
            for (name, block) in names.iter().zip([&source.block, &target.block]) {
                sql.run(format!("CREATE TABLE {name}\n(\n    {block}\n)\nENGINE = Memory"))
                    .map_err(refused)?;
            }
            let query = view.sql.replace(PLACE, &names[0]);
            let columns = given(sql, &query).map_err(refused)?;
            if let Some(other) = columns.iter().find(|c| target.columns.iter().all(|t| t.name != **c)) {
                return Err(InstallError::Refused(format!(
                    "{what} gives a column `{other}` that its target `{}` does not have; add it to the SCHEMA, or leave it out \
                     of the query",
                    view.target
                )));
            }
            let list = list(columns.iter().map(String::as_str));
            let settings = query_settings();
            sql.run(format!(
                "INSERT INTO {} ({list}) SETTINGS {settings} SELECT {list} FROM (\n{query}\n)",
                names[1]
            ))
            .map(drop)
            .map_err(refused)
        };
        let result = tried();
        for name in &names {
            // What stays is in memory, and goes with the engine.
            let _ = sql.run(format!("DROP TABLE IF EXISTS {name}"));
        }
        result?;
    }
    Ok(())
}

fn failed(what: &str, trouble: Trouble) -> InstallError {
    match trouble {
        Trouble::Refused(said) => InstallError::Refused(format!("the engine refuses {what}: {said}")),
        other => InstallError::Engine(format!("{what} cannot be made: {other}")),
    }
}
