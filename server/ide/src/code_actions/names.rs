//! Names that were meant: a check that knows a close one says so in its diagnostic, and what it marks is the name.

use headwater_analysis::Diagnostic;

use super::{Actions, Context};
use crate::change::Change;

pub(super) fn fix(cx: &Context<'_>, diagnostic: &Diagnostic, actions: &mut Actions<'_>) {
    let Some(meant) = diagnostic.meant.as_deref() else { return };
    let marked = &cx.text[diagnostic.range];
    // A mark that is more than a name is not to be replaced by one.
    let is_name = !marked.is_empty() && !marked.trim().contains(char::is_whitespace);
    if !is_name || marked == meant {
        return;
    }
    let title = format!("Change to `{meant}`");
    actions.fix("name", title, || {
        let marked = &cx.text[diagnostic.range];
        // Quotes and what stands before the last dot stay.
        let inner = marked.trim_matches(['"', '\'', '`']);
        let tail = inner.rsplit('.').next().filter(|_| !meant.contains('.')).unwrap_or(inner);
        let start = marked.rfind(tail)?;
        let text = format!("{}{meant}{}", &marked[..start], &marked[start + tail.len()..]);
        Some(Change::replace(cx.file, diagnostic.range, text))
    });
}
