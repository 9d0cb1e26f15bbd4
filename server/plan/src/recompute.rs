//! Whether running a view's query over all that its source holds gives what the view would have gathered, insert by
//! insert.
//!
//! It does when the query is the same for any cut of the rows into blocks, when nothing but the rows decides its result,
//! and when the source still has every row that it ever got.

use headwater_analysis::NodeType;
use headwater_catalog::Kind as FunctionKind;
use headwater_syntax::sql::ast::{self, AstNode, FunctionCall, Kind, SelectQuery, SetKind, SetOperation};
use headwater_syntax::sql::{self, TableUse};

use crate::compare::Cx;
use crate::release::{Key, NodeRef, Table};

/// The first reason against it, as the end of a sentence with `because`; `None` when history can be made again.
pub(crate) fn obstacle(cx: &Cx<'_>, view: &NodeRef, target: &Key, table: &Table) -> Option<String> {
    let chain = cx.new.chain(view);
    if let Some(foreign) = chain.foreign.first() {
        return Some(format!("it reads `{foreign}`, which the project does not define"));
    }
    if chain.tables.contains(target) {
        return Some("it reads its own target".to_owned());
    }
    for node in &chain.nodes {
        let Some(own) = cx.after.node(node) else { continue };
        if own.is_template() {
            return Some("a template makes its query".to_owned());
        }
        if let Some(read) = own.reads.iter().find(|r| r.usage != TableUse::From) {
            return Some(format!("it looks rows up in `{}`, which held other rows then", read.name));
        }
        let Some(tree) = sql::parse(&own.sql).filter(|t| !t.has_error()) else {
            return Some("its query does not parse".to_owned());
        };
        let is_last = node == view;
        if let Some(reason) = in_query(tree.root_node(), &own.sql, is_last.then_some(table)) {
            return Some(reason);
        }
    }
    chain.tables.iter().find_map(|source| in_source(cx, source))
}

fn in_query(root: ast::Node<'_>, text: &str, target: Option<&Table>) -> Option<String> {
    let mut is_aggregated = false;
    for node in ast::nodes(root) {
        let kind = Kind::of(node).name();
        let reason = match kind {
            "join" => "it joins: the other table held other rows then",
            "window_function" | "over" => "a window sees other rows in a block than in all rows",
            "limit_clause" | "limit_by_clause" | "offset_clause" | "top_clause" => {
                "LIMIT keeps other rows of a block than of all rows"
            }
            "distinct_clause" => "DISTINCT is about the rows of a block",
            "having_clause" | "qualify_clause" => "HAVING judges the groups of a block",
            "final" => "FINAL merges what blocks do not see",
            "sample_clause" => "SAMPLE takes other rows of a block",
            "group_by_clause" => {
                is_aggregated = true;
                continue;
            }
            _ => {
                if let Some(call) = FunctionCall::cast(node)
                    && let Some(reason) = in_call(call, text, &mut is_aggregated)
                {
                    return Some(reason);
                }
                if let Some(set) = SetOperation::cast(node)
                    && (set.kind(text) != Some(SetKind::Union) || set.keeps_duplicates(text) != Some(true))
                {
                    return Some("only UNION ALL is the same for any cut into blocks".to_owned());
                }
                continue;
            }
        };
        return Some(reason.to_owned());
    }
    let selects: Vec<SelectQuery<'_>> = ast::descendants(root).collect();
    if selects.iter().any(|s| s.sources().len() > 1) {
        return Some("it joins: the other table held other rows then".to_owned());
    }
    if !is_aggregated {
        return None;
    }
    let inner =
        |s: &SelectQuery<'_>| s.node().parent().is_some_and(|_| s.ancestor::<SelectQuery<'_>>().is_some());
    let aggregates_inside = selects.iter().filter(|s| inner(s)).any(|s| {
        ast::nodes(s.node()).any(|n| Kind::of(n).name() == "group_by_clause" || is_aggregate(n, text))
    });
    match target {
        None => Some("a node before it aggregates: what it aggregates of a block is not merged".to_owned()),
        Some(_) if aggregates_inside => {
            Some("a subquery aggregates: what it aggregates of a block is not merged".to_owned())
        }
        Some(target) => not_mergeable(target),
    }
}

fn is_aggregate(node: ast::Node<'_>, text: &str) -> bool {
    let call = FunctionCall::cast(node).and_then(|c| c.plain_name(text));
    call.and_then(|name| headwater_catalog::find(&name.value))
        .is_some_and(|f| f.kind() == FunctionKind::Aggregate)
}

fn in_call(call: FunctionCall<'_>, text: &str, is_aggregated: &mut bool) -> Option<String> {
    let name = call.plain_name(text)?.value;
    let lower = name.to_ascii_lowercase();
    if lower.starts_with("dictget") || lower.starts_with("joinget") || lower.starts_with("dicthas") {
        return Some(format!("`{name}` looks up what was another value then"));
    }
    let function = headwater_catalog::find(&name)?;
    *is_aggregated |= function.kind() == FunctionKind::Aggregate;
    // Not every function that the engine calls deterministic is the same tomorrow.
    let is_clock = ["now", "now64", "today", "yesterday", "rand", "rand32", "rand64", "generateuuidv4"];
    (function.is_deterministic() == Some(false) || is_clock.contains(&lower.as_str()))
        .then(|| format!("`{name}` gives another value at each run"))
}

/// Groups of blocks are merged where keys are the sorting key and all else are states.
fn not_mergeable(target: &Table) -> Option<String> {
    if !target.engine.name.ends_with("AggregatingMergeTree") {
        return Some(format!(
            "it aggregates into {}, which does not merge the groups of several inserts",
            target.engine.name
        ));
    }
    let is_state =
        |ty: &str| ty.starts_with("AggregateFunction") || ty.starts_with("SimpleAggregateFunction");
    let loose =
        target.columns.iter().find(|c| !is_state(&c.ty) && !target.engine.sorting_key.contains(&c.name));
    loose.map(|c| {
        format!(
            "`{}` is neither a part of the sorting key nor a state, so merges keep one of its values",
            c.name
        )
    })
}

/// Whether a source still has every row.
fn in_source(cx: &Cx<'_>, source: &Key) -> Option<String> {
    let table = cx.after.table(source)?;
    let name = &source.name;
    if cx.before.table(source).is_none() {
        return Some(format!("`{name}` is new and holds nothing"));
    }
    // What the rows are read from is what is live: a new engine or TTL has not acted yet, an old one has.
    let live = cx.before.table(source).unwrap_or(table);
    match live.engine.name.as_str() {
        "MergeTree" => {}
        "Null" => return Some(format!("`{name}` stores nothing")),
        engine => {
            return Some(format!(
                "`{name}` is a {engine}: rows that were merged away are not there any more"
            ));
        }
    }
    if live.engine.ttl.is_some() {
        return Some(format!("`{name}` has a TTL: rows that went are not there any more"));
    }
    let replaces = |node: &NodeRef| {
        cx.after
            .node(node)
            .is_some_and(|n| n.ty == NodeType::Copy && n.job.get("COPY_MODE").is_some_and(|m| m == "replace"))
    };
    cx.new.writers(source).iter().any(replaces).then(|| format!("a copy replaces the rows of `{name}`"))
}
