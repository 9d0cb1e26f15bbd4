//! What hovers say about things inside of queries and values.

use headwater_analysis::lineage::{ColumnVertex, consumers, producers};
use headwater_analysis::{Db, File, TextRange, TextSize, interface, semantics};
use headwater_catalog::{Topic, documentation, find};

use crate::columns::{relation, type_of};
use crate::cron::{Cron, Moment, in_words};
use crate::locate::{label, noun};
use crate::place::query_at;

/// Documentation is cut behind this many bytes, at a paragraph: a hover is a glance.
const MAX_TEXT: usize = 4_000;

/// More neighbours than this are counted.
const MAX_NEIGHBOURS: usize = 8;

/// A column: type, how it is declared, what it is made of, what becomes of it.
pub(super) fn column(db: &dyn Db, column: &ColumnVertex) -> String {
    let ty = type_of(db, column).map(|ty| format!(" {ty}")).unwrap_or_default();
    let mut out = format!(
        "```sql\n{}{ty}\n```\n\ncolumn of {} `{}`\n",
        column.column,
        noun(db, column.vertex),
        label(db, column.vertex)
    );
    let face = interface(db, column.vertex.file).as_ref();
    let declared = face.filter(|_| column.vertex.node.is_none());
    if let Some(face) = declared {
        if let Some(fact) = face.columns.iter().find(|c| c.name == column.column) {
            if let Some(default) = &fact.default {
                out += &format!("\nDEFAULT `{default}`\n");
            }
            if let Some(path) = &fact.jsonpath {
                out += &format!("\nFrom `{path}` of ingested JSON\n");
            }
        }
        if let Some(engine) = &face.engine {
            for (key, word) in
                [(&engine.sorting_key, "sorting key"), (&engine.partition_key, "partition key")]
            {
                let names =
                    key.as_ref().map(|k| headwater_analysis::query::columns_of_key(k)).unwrap_or_default();
                if names.contains(&column.column) {
                    out += &format!("\nIn the {word}\n");
                }
            }
        }
    }
    let name = |c: &ColumnVertex| format!("`{}.{}`", label(db, c.vertex), c.column);
    let made_of = producers(db, column).into_iter().filter(|s| s.flow.carries_value()).map(|s| name(&s.from));
    if let Some(list) = listed(made_of.collect()) {
        out += &format!("\nFrom {list}\n");
    }
    let becomes = consumers(db, column).into_iter().map(|s| match s.column {
        Some(to) => name(&ColumnVertex { vertex: s.to, column: to }),
        None => format!("`{}` ({})", label(db, s.to), s.flow.name()),
    });
    if let Some(list) = listed(becomes.collect()) {
        out += &format!("\nUsed by {list}\n");
    }
    if let Some(summary) = headwater_analysis::lineage::impact(db, column).summary() {
        out += &format!("\nDownstream: {}\n", summary.trim_start_matches("→ "));
    }
    out
}

fn listed(mut names: Vec<String>) -> Option<String> {
    let mut seen = rustc_hash::FxHashSet::default();
    names.retain(|n| seen.insert(n.clone()));
    let hidden = names.len().saturating_sub(MAX_NEIGHBOURS);
    names.truncate(MAX_NEIGHBOURS);
    let more = if hidden > 0 { format!(" and {hidden} more") } else { String::new() };
    (!names.is_empty()).then(|| names.join(", ") + &more)
}

/// A name that the query gives.
pub(super) fn local(
    db: &dyn Db,
    file: File,
    (name, _, is_query): (&str, TextRange, bool),
    offset: TextSize,
) -> String {
    let Some((node, body, at)) = query_at(db, file, offset) else { return format!("`{name}`\n") };
    let around = semantics::around(db, file, node, &body.text, at);
    if is_query {
        let columns = around.queries.iter().rev().find(|(n, _)| n == name).and_then(|(_, r)| r.clone());
        let mut out = format!("**{name}** · query of WITH\n");
        if let Some(relation) = columns {
            out += &columns_of(&relation);
        }
        return out;
    }
    if let Some(table) = around.tables.iter().find(|t| t.name.as_deref() == Some(name)) {
        let of = table.base.as_ref().map_or_else(|| "subquery".to_owned(), |(_, name)| format!("`{name}`"));
        return format!("**{name}** · {of} here\n{}", columns_of(&table.relation));
    }
    let ty = around.aliases.iter().find(|(n, _)| n == name).and_then(|(_, ty)| ty.clone());
    let ty = ty.or_else(|| around.values.first().and_then(|(_, ty)| ty.clone()));
    match ty {
        Some(ty) => format!("```sql\n{name} {ty}\n```\n\nname of this query\n"),
        None => format!("**{name}** · name of this query\n"),
    }
}

fn columns_of(relation: &headwater_analysis::semantics::Relation) -> String {
    let lines: Vec<String> = relation
        .columns
        .iter()
        .take(super::MAX_COLUMNS)
        .filter_map(|c| {
            Some(format!(
                "{}{}",
                c.name.as_ref()?,
                c.ty.as_ref().map(|t| format!(" {t}")).unwrap_or_default()
            ))
        })
        .collect();
    if lines.is_empty() { String::new() } else { format!("\n```sql\n{}\n```\n", lines.join("\n")) }
}

/// The columns of a node or data source, for hovers of resources.
pub(super) fn columns_of_vertex(db: &dyn Db, vertex: headwater_analysis::Vertex) -> String {
    columns_of(relation(db, vertex))
}

/// A parameter's contract over the whole pipe.
pub(super) fn parameter(db: &dyn Db, file: File, name: &str) -> String {
    let mut out = String::new();
    let parsed = headwater_analysis::datafile(db, file);
    let mut nodes = Vec::new();
    let mut found: Option<headwater_analysis::syntax::template::Parameter> = None;
    let mut required = false;
    for node in parsed.datafile.nodes() {
        let Some((_, sql)) = node.sql() else { continue };
        let tree = headwater_analysis::syntax::template::parse(&sql.text);
        for parameter in headwater_analysis::syntax::template::parameters(&sql.text, &tree) {
            if parameter.name != name {
                continue;
            }
            let label = node.name().map_or_else(String::new, |n| n.value);
            if !nodes.contains(&label) {
                nodes.push(label);
            }
            required |= parameter.required;
            // A typed use in the output says more than `defined(x)`.
            let better = |p: &headwater_analysis::syntax::template::Parameter| {
                (p.ty.is_some(), p.in_output, p.description.is_some())
            };
            if found.as_ref().is_none_or(|f| better(&parameter) > better(f)) {
                found = Some(parameter);
            }
        }
    }
    let Some(parameter) = found else { return format!("**{name}** · parameter\n") };
    let ty = match (&parameter.ty, &parameter.element) {
        (Some(ty), Some(element)) => format!("{ty}({element})"),
        (Some(ty), None) => ty.clone(),
        (None, _) => "String".to_owned(),
    };
    let default = parameter.default.as_ref().map(|d| format!(" = {d}")).unwrap_or_default();
    out += &format!(
        "```python\n{name}: {ty}{default}\n```\n\nparameter · {}\n",
        if required { "required" } else { "optional" }
    );
    if let Some(description) = &parameter.description {
        out += &format!("\n{description}\n");
    }
    if let Some(example) = &parameter.example {
        out += &format!("\nExample: `{example}`\n");
    }
    if !parameter.values.is_empty() {
        let values: Vec<_> = parameter.values.iter().map(|v| format!("`{v}`")).collect();
        out += &format!("\nShown values (not enforced): {}\n", values.join(", "));
    }
    let nodes: Vec<_> = nodes.iter().filter(|n| !n.is_empty()).map(|n| format!("`{n}`")).collect();
    if !nodes.is_empty() {
        out += &format!("\nUsed in {}\n", nodes.join(", "));
    }
    out
}

/// A function: its type here, and the engine's documentation with examples.
pub(super) fn function(db: &dyn Db, file: File, name: &str, offset: TextSize) -> Option<String> {
    let function = find(name)?;
    let mut out = String::new();
    if let Some((node, body, at)) = query_at(db, file, offset) {
        let around = semantics::around(db, file, node, &body.text, at);
        let call = around.values.iter().find(|(range, _)| {
            body.text
                .get(std::ops::Range::from(*range))
                .is_some_and(|t| t.len() > name.len() && t.starts_with(name))
        });
        if let Some((_, Some(ty))) = call {
            out += &format!("```sql\n{name}(…) → {ty}\n```\n\n");
        }
    }
    if function.base() != name && function.combinators().is_empty() {
        out += &format!("Alias of `{}`\n\n", function.name());
    }
    out += &cut(&function.documentation().unwrap_or_default());
    (!out.trim().is_empty()).then_some(out)
}

/// A text without what is beyond a glance, and with links of the engine's site as plain words.
fn cut(text: &str) -> String {
    if text.len() <= MAX_TEXT {
        return text.to_owned();
    }
    let mut end = MAX_TEXT;
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    let end = text[..end].rfind("\n\n").unwrap_or(end);
    let mut out = text[..end].to_owned();
    // An open block of code would swallow the rest of the hover.
    if out.matches("```").count() % 2 == 1 {
        out.push_str("\n```");
    }
    out + "\n\n…\n"
}

pub(super) fn from_catalog(kind: &str, name: &str, topic: Topic, key: &str) -> Option<String> {
    let text = documentation(topic, key)?;
    Some(format!("**{name}** · {kind}\n\n{}", cut(&text)))
}

pub(super) fn setting(name: &str, is_merge_tree: bool) -> Option<String> {
    let (setting, topic) = if is_merge_tree {
        (headwater_catalog::merge_tree_setting(name)?, Topic::MergeTreeSetting)
    } else {
        (headwater_catalog::setting(name)?, Topic::Setting)
    };
    let text = documentation(topic, name).unwrap_or_default();
    Some(format!("```sql\n{name} {} = {}\n```\n\n{}", setting.ty, setting.default, cut(&text)))
}

/// An engine, and which of its options the format has a directive for.
pub(super) fn engine(name: &str) -> Option<String> {
    let engine = headwater_catalog::table_engines().iter().find(|e| e.name.eq_ignore_ascii_case(name))?;
    let text = documentation(Topic::TableEngine, engine.name).unwrap_or_default();
    Some(format!("**{}** · table engine\n\n{}", engine.name, cut(&text)))
}

/// A schedule in words, with its next times.
pub(super) fn schedule(text: &str, now: Option<Moment>) -> Option<String> {
    let text = text.trim_matches(['"', '\'']);
    let words = in_words(text)?;
    let mut out = format!("**{text}** · {words}\n");
    if let (Some(now), Some(cron)) = (now, Cron::parse(text)) {
        let next = cron.next(now, 3);
        if !next.is_empty() {
            let next: Vec<_> = next.iter().map(|m| format!("- {m}")).collect();
            out += &format!("\nNext:\n\n{}\n", next.join("\n"));
        }
    }
    Some(out)
}

pub(super) fn secret(db: &dyn Db, file: File, name: &str) -> String {
    let known = file.project(db).surroundings(db).secrets.iter().any(|s| s == name);
    let place = if known {
        "set in `.env.local` or `.env`"
    } else {
        "not set in `.env.local`: set it where this runs"
    };
    format!("**{name}** · secret\n\n{place}\n")
}
