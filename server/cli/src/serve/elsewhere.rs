//! `headwater serve` where there are no Unix sockets and no engine.

use crate::args::ServeArgs;
use crate::{CannotRun, Verdict, host};

pub(crate) fn run(_: &ServeArgs) -> Result<Verdict, CannotRun> {
    Err(host::no_host())
}
