//! What is said about a directive in hovers and completion.

use headwater_analysis::syntax::directive::BlockRule;
use headwater_analysis::{Dialect, Directive, FileKind};

/// A directive's help: where it stands, how it is written, what it means.
pub(crate) fn markdown(directive: Directive) -> String {
    let kinds = [FileKind::Datasource, FileKind::Pipe, FileKind::Connection];
    let kinds: Vec<_> = kinds
        .iter()
        .filter(|k| directive.is_valid_in(**k, Dialect::Forward))
        .map(|k| format!("`.{}`", k.extension()))
        .collect();
    let place = if kinds.is_empty() { "Classic only".to_owned() } else { kinds.join(", ") };
    let form = match directive.block_rule() {
        BlockRule::Must => format!("{} >\n    …", directive.name()),
        BlockRule::May | BlockRule::No => format!("{} …", directive.name()),
    };
    format!("**{}** · {place}\n\n{}\n\n```text\n{form}\n```\n", directive.name(), directive.help())
}
