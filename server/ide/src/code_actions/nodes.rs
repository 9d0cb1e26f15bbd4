//! Nodes of pipes: types, names, and nodes that are taken out of others or put back.

use headwater_analysis::syntax::sql::ast::{self, AstNode};
use headwater_analysis::{
    Db, Diagnostic, Directive, File, FileKind, NodeType, TextRange, TextSize, interface, node_reads,
    semantics,
};

use super::{ActionKind, Actions, Context};
use crate::change::Change;
use crate::place::query_at;

pub(super) fn fix(cx: &Context<'_>, diagnostic: &Diagnostic, actions: &mut Actions<'_>) {
    let (file, range) = (cx.file, diagnostic.range);
    match diagnostic.code.name {
        "implicit-endpoint" => {
            actions.fix("endpoint", "Publish the last node: add `TYPE endpoint`", || {
                let nodes = cx.parsed.datafile.nodes();
                let node = nodes.iter().rfind(|n| n.header().source == 0)?;
                append(cx, node.range(), "TYPE endpoint")
            });
        }
        "missing-node-name" => {
            actions.fix("name", "Give the node a name", || {
                Some(Change::insert(file, range.end(), format!(" {}", free_name(cx.db, file, "node"))))
            });
        }
        "duplicate-node" | "node-named-like-pipe" => {
            let name = cx.text[range].trim_matches(['"', '\'']).to_owned();
            let free = free_name(cx.db, file, &name);
            actions.fix("name", format!("Rename this node to `{free}`"), || {
                Some(Change::replace(file, range, free))
            });
        }
        "unused-node" => {
            actions.fix("remove-node", "Remove the node", || {
                let nodes = cx.parsed.datafile.nodes();
                let node = nodes.iter().find(|n| n.range().contains_range(range))?;
                Some(Change::replace(file, cx.whole_line(node.range()), ""))
            });
        }
        "missing-attribute" => {
            let needed = diagnostic.message.split(|c: char| !(c.is_ascii_uppercase() || c == '_'));
            let directive = needed.filter(|w| w.len() > 3).find_map(Directive::named);
            if let Some(directive) =
                directive.filter(|d| d.is_valid_in(FileKind::Pipe, cx.parsed.datafile.dialect))
            {
                let value = match directive {
                    Directive::CopySchedule | Directive::ExportSchedule => "@on-demand",
                    Directive::ExportFormat => "csv",
                    _ => "name",
                };
                if matches!(directive, Directive::Datasource | Directive::TargetDatasource) {
                    // With the data source that the query fills: a name alone would be the next error.
                    let name = format!("{}_rows", cx.file.stem(cx.db));
                    let name = free_name(cx.db, file, &name);
                    let title = format!("Add `{} {name}` and create the data source", directive.name());
                    actions.fix("attribute", title, || {
                        let entry = cx.entry(range)?;
                        let mut change =
                            append(cx, entry.full_range(), &format!("{} {name}", directive.name()))?;
                        let node = super::create::node_around(cx, range)?;
                        change.created.push(super::create::target(cx, (file, node), &name));
                        Some(change)
                    });
                    return;
                }
                let line = format!("{} {value}", directive.name());
                actions.fix("attribute", format!("Add `{line}`"), || {
                    let entry = cx.entry(range)?;
                    append(cx, entry.full_range(), &line)
                });
            }
        }
        "missing-sql" => {
            actions.fix("sql", "Add a query", || {
                let entry = cx.entry(range)?;
                let newline = cx.newline();
                let is_block = entry.directive == Some(Directive::Sql);
                let text =
                    if is_block { "    SELECT 1".to_owned() } else { format!("SQL >{newline}    SELECT 1") };
                append(cx, entry.full_range(), &text)
            });
        }
        _ => {}
    }
}

/// A line behind a range.
fn append(cx: &Context<'_>, range: TextRange, line: &str) -> Option<Change> {
    let whole = cx.whole_line(range);
    let newline = cx.newline();
    let has_end = cx.text[whole].ends_with('\n');
    let text = if has_end { format!("{line}{newline}") } else { format!("{newline}{line}{newline}") };
    Some(Change::insert(cx.file, whole.end(), text))
}

/// A name that no node of the pipe and no table has.
fn free_name(db: &dyn Db, file: File, base: &str) -> String {
    let nodes: Vec<&str> =
        interface(db, file).iter().flat_map(|f| f.nodes.iter().map(|n| n.name.as_str())).collect();
    let tables = headwater_analysis::names(db, file.project(db));
    let is_free = |name: &str| !nodes.contains(&name) && tables.table(name).is_none();
    (1..)
        .map(|n| if n == 1 { base.to_owned() } else { format!("{base}_{n}") })
        .find(|name| is_free(name))
        .unwrap_or_else(|| base.to_owned())
}

/// Extract a subquery or a query of WITH into a node; put a node into the places that read it.
pub(super) fn assist(cx: &Context<'_>, actions: &mut Actions<'_>) {
    if cx.file.kind(cx.db) != Some(FileKind::Pipe) {
        return;
    }
    extract(cx, actions);
    inline(cx, actions);
}

fn extract(cx: &Context<'_>, actions: &mut Actions<'_>) {
    let Some((node, body, at)) = query_at(cx.db, cx.file, cx.range.start()) else { return };
    let Some(variant) = semantics::variant_at(&body.text, at) else { return };
    let Some(tree) = headwater_analysis::syntax::sql::parse(&variant) else { return };
    let holds = |r: TextRange| r.contains_inclusive(at);
    // The innermost one.
    let found = ast::descendants::<ast::Subquery<'_>>(tree.root_node()).filter(|s| holds(s.range())).last();
    let Some(subquery) = found else { return };
    let Some(parent) = subquery.node().parent() else { return };
    let cte = ast::Cte::cast(parent);
    let is_source = ast::TableRef::cast(parent).is_some();
    if cte.is_none() && !is_source {
        return;
    }
    let range = subquery.range();
    let inner = TextRange::new(range.start() + TextSize::from(1), range.end() - TextSize::from(1));
    // A query that reads names of the one around it means nothing elsewhere.
    let reads_ctes = !ast::definitions_at(tree.root_node(), range.start(), &variant).is_empty();
    if reads_ctes && is_source {
        return;
    }
    // So does one that reads what the template around it binds.
    if reads_variables(&body.text, inner) {
        return;
    }
    let name = cte.and_then(|c| c.plain_name(&variant)).map(|n| n.value);
    actions.add("extract-node", "Extract into a node", ActionKind::Extract, || {
        let name = free_name(cx.db, cx.file, name.as_deref().unwrap_or("extracted"));
        let nodes = cx.parsed.datafile.nodes();
        let own = nodes.get(node)?;
        let newline = cx.newline();
        let text = body.text.get(std::ops::Range::from(inner))?;
        let is_template = headwater_analysis::syntax::template::is_template(&body.text);
        let marker =
            if is_template && text.contains('{') { format!("    %{newline}") } else { String::new() };
        let lines: Vec<String> = dedented(text).lines().map(|l| format!("    {l}")).collect();
        let before =
            format!("NODE {name}{newline}SQL >{newline}{marker}{}{newline}{newline}", lines.join(newline));
        let mut change = Change::insert(cx.file, own.header().entry.line.start(), before);
        match cte {
            Some(_) => {
                // The name in the query stays, for those who say it.
                change.push(cx.file, body.to_source(range), format!("(SELECT * FROM {name})"), None);
            }
            None => {
                change.push(cx.file, body.to_source(range), name, None);
            }
        }
        Some(change)
    });
}

/// Whether a part of a template names what `set` and `for` bind outside of it.
fn reads_variables(text: &str, part: TextRange) -> bool {
    use headwater_analysis::syntax::template::{self, ExprKind, Piece};
    if !template::is_template(text) {
        return false;
    }
    let tree = template::parse(text);
    let mut bound: Vec<String> = Vec::new();
    tree.walk(&mut |piece| {
        if let Piece::Set { names, range, .. } | Piece::Loop { names, range, .. } = piece
            && !part.contains_range(*range)
        {
            bound.extend(names.iter().map(|n| n.value.clone()));
        }
    });
    let mut found = false;
    tree.walk_expressions(&mut |expr| {
        if let ExprKind::Name(name) = &expr.kind {
            found |= part.contains_range(expr.range) && bound.contains(name);
        }
    });
    found
}

fn dedented(text: &str) -> String {
    let trimmed = text.trim_matches(['\n', '\r']);
    let mut lines = trimmed.lines();
    let first = lines.next().unwrap_or_default().trim_start();
    let rest: Vec<&str> = lines.collect();
    let indent = rest
        .iter()
        .filter(|l| !l.trim().is_empty())
        .map(|l| l.len() - l.trim_start().len())
        .min()
        .unwrap_or(0);
    let mut out = first.to_owned();
    for line in rest {
        out.push('\n');
        out.push_str(line.get(indent..).unwrap_or("").trim_end());
    }
    out.trim_end().to_owned()
}

fn inline(cx: &Context<'_>, actions: &mut Actions<'_>) {
    let nodes = cx.parsed.datafile.nodes();
    let on_name = |n: &&headwater_analysis::syntax::NodeView<'_>| {
        n.header().source == 0 && n.header().entry.line.contains_inclusive(cx.range.start())
    };
    let Some(node) = nodes.iter().find(on_name) else { return };
    let Some(face) = interface(cx.db, cx.file) else { return };
    let Some(fact) = face.nodes.get(node.index).filter(|f| f.ty == NodeType::Standard && !f.name.is_empty())
    else {
        return;
    };
    let reads: Vec<_> = node_reads(cx.db, cx.file)
        .into_iter()
        .filter(|r| {
            r.source == 0
                && r.node != node.index
                && r.reference.database.is_none()
                && r.reference.name == fact.name
        })
        .collect();
    let Some((_, sql)) = node.sql() else { return };
    if reads.is_empty() || reads.iter().any(|r| r.usage_is_name_only()) {
        return;
    }
    // A template cannot go into a text that is none.
    let is_template = headwater_analysis::syntax::template::is_template(&sql.text);
    let is_marked = |read: &headwater_analysis::NodeRead| {
        let body = nodes.get(read.node).and_then(|n| n.sql()).map(|(_, body)| body);
        body.is_some_and(|body| headwater_analysis::syntax::template::is_template(&body.text))
    };
    if is_template && !reads.iter().all(is_marked) {
        return;
    }
    let name = fact.name.clone();
    actions.add("inline-node", format!("Inline `{name}` where it is read"), ActionKind::Inline, || {
        let mut text = sql.text.trim().to_owned();
        if is_template {
            text = text.trim_start_matches('%').trim().to_owned();
        }
        // The last node's settings and formats are of no use inside of another query.
        let mut change = Change::replace(cx.file, cx.whole_line(node.range()), "");
        for read in &reads {
            let reader = nodes.get(read.node)?;
            let (_, body) = reader.sql()?;
            let has_alias = has_alias(&body.text, read.reference.range);
            let alias = if has_alias { String::new() } else { format!(" AS {name}") };
            change.push(cx.file, read.range, format!("({text}){alias}"), None);
        }
        Some(change)
    });
}

/// Whether a table has a name of its own behind it.
fn has_alias(text: &str, range: TextRange) -> bool {
    let Some(variant) = semantics::variant_at(text, range.start()) else { return true };
    let Some(tree) = headwater_analysis::syntax::sql::parse(&variant) else { return true };
    let tables = ast::descendants::<ast::TableRef<'_>>(tree.root_node());
    tables.filter(|t| t.source().is_some_and(|s| s.range() == range)).any(|t| t.alias().is_some())
}

/// Uses of a table that a subquery cannot stand for.
trait NameOnly {
    fn usage_is_name_only(&self) -> bool;
}

impl NameOnly for headwater_analysis::NodeRead {
    fn usage_is_name_only(&self) -> bool {
        use headwater_analysis::syntax::sql::TableUse;
        matches!(self.reference.usage, TableUse::Argument | TableUse::In)
    }
}
