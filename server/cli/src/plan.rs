//! `headwater plan`: what deploying a project does, before anything is done.

use camino::Utf8Path;
use headwater_analysis::Database;
use headwater_plan::{Plan, Stats, render};
use headwater_project::{
    Against, GitRevisions, Loaded, OsFileSystem, Other, ProjectRoot, Scan, discover, workspace_roots,
};

use crate::args::{PlanArgs, PlanFormat};
use crate::project::{current_dir, load_one};
use crate::{CannotRun, Verdict, print, terminal};

/// What `--against` says when a host is meant.
const LIVE: &str = "live";

pub(crate) fn run(args: &PlanArgs) -> Result<Verdict, CannotRun> {
    if args.against == LIVE {
        return Err(CannotRun(
            "no host keeps releases yet, so there is no live one to compare with; compare with the commit that is \
             deployed (--against git:origin/main) or with another folder (--against DIR)"
                .to_owned(),
        ));
    }
    let against: Against =
        args.against.parse().map_err(|e: headwater_project::AgainstError| CannotRun(e.0))?;
    let stats = args.stats.as_deref().map(read_stats).transpose()?;
    let here = current_dir()?;
    let mut db = Database::default();
    let dir = args.project.as_deref().or(args.dir.as_deref());
    // A folder without datafiles is a project of which nothing is left, or nothing there yet; two of them are a mistake.
    let other_is_empty = matches!(&against, Against::Folder(folder) if is_empty(&here.join(folder)));
    let mut working = match dir.map(|dir| here.join(dir)) {
        Some(dir) if !other_is_empty && is_empty(&dir) => {
            Loaded::new(&mut db, ProjectRoot::at(dir), Scan::default())
        }
        _ => load_one(&mut db, dir)?,
    };
    let other = match &against {
        Against::Folder(folder) if other_is_empty => Other {
            loaded: Loaded::durable(&mut db, ProjectRoot::at(here.join(folder)), Scan::default()),
            title: format!("{folder}, which is empty"),
        },
        _ => against
            .load(&mut db, &OsFileSystem, &GitRevisions, &working, &here)
            .map_err(|error| CannotRun(error.0))?,
    };
    // Who breaks is found by comparing with the baseline: this is the one.
    working.set_baseline(&mut db, Some(other.loaded.project));
    let plan = headwater_plan::plan(&db, other.loaded.project, working.project, stats.as_ref());
    print(&match args.format {
        PlanFormat::Human => render::text(&plan, &other.title, style()),
        PlanFormat::Json => format!("{}\n", render::json(&plan)),
        PlanFormat::Markdown => {
            let lineage = render::excerpt(&db, working.project, &plan);
            render::markdown(&plan, &format!("`{}`", other.title), &lineage)
        }
    });
    Ok(verdict(&plan))
}

/// Whether a folder is there and holds no project, nor lies in one.
fn is_empty(dir: &Utf8Path) -> bool {
    dir.is_dir() && discover(&OsFileSystem, dir).is_none() && workspace_roots(&OsFileSystem, dir).is_empty()
}

fn verdict(plan: &Plan) -> Verdict {
    if plan.is_refused() { Verdict::Faults } else { Verdict::Fine }
}

fn style() -> render::Style {
    let colours = if terminal::is_coloured() { render::Colours::On } else { render::Colours::Off };
    render::Style { colours, width: terminal::width() }
}

fn read_stats(path: &Utf8Path) -> Result<Stats, CannotRun> {
    let text = std::fs::read_to_string(path).map_err(|e| CannotRun(format!("{path} cannot be read: {e}")))?;
    Stats::parse(&text).map_err(|why| CannotRun(format!("{path} is no snapshot of measurements: {why}")))
}
