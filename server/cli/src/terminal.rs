//! What the other end of standard output can show.

use std::io::IsTerminal;

/// Whether escape codes are wanted: a terminal reads them, and nobody said no (`NO_COLOR`, `TERM=dumb`).
pub(crate) fn is_coloured() -> bool {
    let is_set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    let is_dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
    std::io::stdout().is_terminal() && !is_set("NO_COLOR") && !is_dumb
}

/// Columns of the terminal; `None` when nobody looks at one, or it does not say.
pub(crate) fn width() -> Option<usize> {
    if !std::io::stdout().is_terminal() {
        return None;
    }
    let (_, columns) = console::Term::stdout().size_checked()?;
    // A terminal of no width is one that does not know: editors' task windows are such.
    Some(usize::from(columns)).filter(|columns| *columns > 0)
}
