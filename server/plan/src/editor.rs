//! The plan of a project against its baseline, remembered.

use std::sync::Arc;

use headwater_analysis::{Db, File, Project};

use crate::change::{Change, Plan};
use crate::release::definition;

/// What deploying the project over its baseline does; `None` without a baseline. Runs again when a definition changes,
/// not when only places or formatting do.
#[salsa::tracked]
pub fn project_plan(db: &dyn Db, project: Project) -> Option<Arc<Plan>> {
    let before = project.baseline(db)?;
    Some(Arc::new(crate::compare::plan(db, before, project, None)))
}

/// The changes of a file's resource.
pub fn file_changes(db: &dyn Db, file: File) -> Vec<Change> {
    let path = file.path(db).as_str();
    match project_plan(db, file.project(db)) {
        Some(plan) => plan.changes.iter().filter(|c| c.path == path).cloned().collect(),
        None => Vec::new(),
    }
}

/// The same, where nobody wants the rest of the plan: of what an edit reaches only what decides about the file is looked at.
#[salsa::tracked]
pub fn own_changes(db: &dyn Db, file: File) -> Arc<Vec<Change>> {
    let before = file.project(db).baseline(db);
    Arc::new(before.map_or_else(Vec::new, |before| crate::compare::changes_of(db, before, file)))
}

/// Whether a file has a `FORWARD_QUERY` that the baseline has too, while its data source is the same: it was deployed, and
/// will not fit the next schema.
pub fn stale_forward_query(db: &dyn Db, file: File) -> bool {
    let Some(before) = headwater_analysis::impact::baseline_of(db, file) else { return false };
    let table = |file| definition(db, file).as_ref().and_then(|d| d.table()).cloned();
    match (table(before), table(file)) {
        (Some(old), Some(new)) => new.forward_query.is_some() && old == new,
        _ => false,
    }
}
