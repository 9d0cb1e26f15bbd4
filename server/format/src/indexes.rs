//! `INDEXES`: an index a line, its parts below those of the other indexes.

use headwater_syntax::indexes::parse;
use headwater_syntax::sql::ast::{AstNode, IndexDefinition, Kind};

use crate::text::is_dropped;
use crate::{Options, Reason, sql, table};

pub(crate) fn format(body: &str, options: &Options) -> Result<String, Reason> {
    let before = read(body)?;
    let out = sql::rows(body, options, |builder, root| {
        let list = sql::kids(root).into_iter().find(|n| Kind::of(*n) == Kind::IndexDefinitions)?;
        let rows = table::rows_of(list, Kind::IndexDefinition, |part| {
            let index = part.parent().and_then(IndexDefinition::cast);
            let expression = index.and_then(IndexDefinition::expression).map(AstNode::node);
            match part.kind() {
                "TYPE" => 2,
                "GRANULARITY" => 3,
                _ if expression == Some(part) => 1,
                _ => 0,
            }
        })?;
        // The format reads an index a line, so none is broken.
        Some(table::lay_out(builder, &rows, options, options.indent, false))
    })?;
    sql::accept(body, &out, options, true)?;
    if read(&out)? != before {
        return Err(Reason::NotSame);
    }
    Ok(out)
}

/// What the format reads, without blanks.
fn read(body: &str) -> Result<Vec<Vec<String>>, Reason> {
    let kept: Vec<&str> = body.split('\n').filter(|line| !is_dropped(line)).collect();
    let (indexes, errors) = parse(&kept.join("\n"));
    if !errors.is_empty() {
        return Err(Reason::SyntaxError);
    }
    let bare = |text: &str| text.split_whitespace().collect::<String>();
    Ok(indexes
        .iter()
        .map(|index| {
            let granularity = index.granularity.as_ref().map_or("", |g| &*g.value);
            vec![
                bare(&index.name.value),
                bare(&index.expression.value),
                bare(&index.ty.value),
                bare(granularity),
            ]
        })
        .collect())
}
