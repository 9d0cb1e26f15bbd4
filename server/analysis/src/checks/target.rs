//! What a view or a copy writes must fit the data source that it writes to (specification §5.4, §5.5).

use std::sync::Arc;

use headwater_catalog::Type;
use headwater_syntax::{Directive, FileKind, TextRange, TextSize};

use super::{Diagnostic, Related, Sink};
use crate::codes;
use crate::db::Db;
use crate::facts::{NodeType, interface};
use crate::inputs::{Content, File};
use crate::parse::datafile;
use crate::query::{OutputColumn, Relation, insertable, state_of};
use crate::scope::names;
use crate::semantics::{node_meaning, node_renderings, relation};

/// The faults of a pipe's writing node. Depends on the target through its columns.
#[salsa::tracked]
pub(super) fn target_faults(db: &dyn Db, file: File) -> Arc<Vec<Diagnostic>> {
    let mut out = Vec::new();
    let is_pipe = file.kind(db) == Some(FileKind::Pipe) && matches!(file.content(db), Content::Text(_));
    let Some(face) = interface(db, file).as_ref().filter(|_| is_pipe) else { return Arc::new(out) };
    let parsed = datafile(db, file);
    let mut sink = Sink::new(parsed, &mut out);
    for (view, node) in parsed.datafile.nodes().iter().zip(&face.nodes) {
        let directive = match node.ty {
            NodeType::Materialized => Directive::Datasource,
            NodeType::Copy => Directive::TargetDatasource,
            _ => continue,
        };
        let target = node.writes.as_deref().and_then(|name| names(db, file.project(db)).table(name));
        let Some(target) = target.filter(|t| t.kind(db) == Some(FileKind::Datasource)) else { continue };
        let (Some((entry, sql)), Some(place)) = (view.sql(), view.last(directive)) else { continue };
        let shape = relation(db, target);
        if !shape.complete {
            continue;
        }
        let name = node.writes.as_deref().unwrap_or_default();
        let facts = &node_meaning(db, file, view.index).facts;
        let mut reported = Vec::new();
        for (facts, rendering) in facts.iter().zip(node_renderings(db, file, view.index).iter()) {
            if !facts.complete || facts.columns.iter().any(|c| c.name.is_none()) {
                continue;
            }
            for column in &facts.columns {
                let place = rendering.to_node(column.range);
                let range = place.range;
                if place.is_made_up {
                    continue;
                }
                let Some((message, near)) = misfit(column, shape, name) else { continue };
                if reported.contains(&(range, message.clone())) {
                    continue;
                }
                reported.push((range, message.clone()));
                let diagnostic =
                    sink.in_body(entry, &sql, &codes::TARGET_COLUMNS, range, message).meant(near);
                diagnostic.related.push(there(target, name));
            }
            let missing = unfilled(&facts.columns, db, target);
            if !missing.is_empty() && rendering.names_columns(facts) {
                let message = format!(
                    "`{name}` has columns that this query does not give: {}; select them, or remove them from the data source",
                    list(&missing)
                );
                let range = place.entry.args_range();
                if !reported.contains(&(range, message.clone())) {
                    reported.push((range, message.clone()));
                    let code = match node.ty {
                        NodeType::Materialized => &codes::TARGET_COLUMNS,
                        _ => &codes::UNFILLED_COLUMNS,
                    };
                    let diagnostic = sink.at(place, code, range, message);
                    diagnostic.related.push(there(target, name));
                }
            }
        }
    }
    Arc::new(out)
}

fn there(target: File, name: &str) -> Related {
    Related {
        file: target,
        range: TextRange::empty(TextSize::from(0)),
        message: format!("the columns of `{name}`"),
    }
}

/// Why a column cannot be written to the target, and the one that was meant.
fn misfit(column: &OutputColumn, shape: &Relation, target: &str) -> Option<(String, Option<String>)> {
    let own = column.name.as_deref()?;
    let Some(there) = shape.columns.iter().find(|c| c.name.as_deref() == Some(own)) else {
        let names = shape.columns.iter().filter_map(|c| c.name.as_deref());
        let near = super::nearest(own, names);
        let hint = near.map_or_else(
            || "add it there, or give this another name with AS".to_owned(),
            |near| format!("did you mean `{near}`?"),
        );
        return Some((format!("`{target}` has no column `{own}`; {hint}"), near.map(str::to_owned)));
    };
    let (from, to) = (column.ty.as_ref()?, there.ty.as_ref()?);
    if insertable(from, to) != Some(false) {
        return None;
    }
    let next = match (state_of(from), state_of(to)) {
        (None, Some(function)) => format!("write the state: {function}State(…)"),
        (Some(function), None) => {
            format!("finish the state with {function}Merge(…), or store it in a column of its type")
        }
        (Some(one), Some(other)) if one != other => {
            format!("a state of {one} cannot be kept as one of {other}")
        }
        _ => convert(to),
    };
    Some((format!("`{own}` is {from} here and {to} in `{target}`; {next}"), None))
}

fn convert(to: &Type) -> String {
    format!("convert it, as in CAST(… AS {to}), or change the column's type")
}

/// Columns of the target that a query leaves out and that no DEFAULT fills.
fn unfilled(columns: &[OutputColumn], db: &dyn Db, target: File) -> Vec<String> {
    let Some(face) = interface(db, target) else { return Vec::new() };
    let given = |name: &str| columns.iter().any(|c| c.name.as_deref() == Some(name));
    let nested = |name: &str| {
        let prefix = format!("{name}.");
        columns.iter().any(|c| c.name.as_deref().is_some_and(|n| n.starts_with(&prefix)))
    };
    let open = face.columns.iter().filter(|c| c.default.is_none() && !given(&c.name) && !nested(&c.name));
    open.map(|c| c.name.clone()).collect()
}

fn list(names: &[String]) -> String {
    const SHOWN: usize = 6;
    let shown: Vec<_> = names.iter().take(SHOWN).map(|n| format!("`{n}`")).collect();
    let more = names.len().saturating_sub(SHOWN);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    format!("{}{more}", shown.join(", "))
}
