//! What a plan offers to write: `FORWARD_QUERY`, a column that comes back, a schema that matches its view.

use super::{ActionKind, Actions, Context};
use crate::change::Change;
use crate::plan_fixes::{PlanEdit, plan_fixes};

pub(super) fn assist(cx: &Context<'_>, actions: &mut Actions<'_>) {
    for (n, fix) in plan_fixes(cx.db, cx.file).into_iter().enumerate() {
        let id = format!("plan-{}-{n}", fix.rule);
        actions.add(id, fix.title, ActionKind::Rewrite, || Some(change(fix.edit)));
    }
}

fn change(edit: PlanEdit) -> Change {
    let mut change = Change::default();
    match edit {
        PlanEdit::Replace(file, edits) => {
            for (range, text) in edits {
                change.push(file, range, text, None);
            }
        }
        PlanEdit::Create(path, text) => change.created.push((path, text)),
    }
    change
}
