//! Nodes of pipes: types, names, and nodes that are taken out of others or put back.

use headwater_analysis::syntax::sql::ast::{self, AstNode};
use headwater_analysis::{
    Db, Diagnostic, Directive, File, FileKind, NodeType, Remedy, Severity, TextRange, TextSize, interface,
    node_reads, semantics,
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
            let Some(Remedy::Directives(needed)) = &diagnostic.remedy else { return };
            missing(cx, range, needed, actions);
        }
        "no-nodes" => {
            actions.fix("node", "Add a node", || {
                let newline = cx.newline();
                let name = free_name(cx.db, file, &format!("{}_node", file.stem(cx.db)));
                let lead = match &*cx.text {
                    "" => "",
                    text if text.ends_with('\n') => newline,
                    _ => &format!("{newline}{newline}"),
                };
                let text = format!(
                    "{lead}NODE {name}{newline}SQL >{newline}    SELECT 1{newline}{newline}TYPE endpoint{newline}"
                );
                Some(Change::insert(file, TextSize::of(&*cx.text), text))
            });
        }
        "directive-before-node" => before_node(cx, range, actions),
        "several-typed-nodes" => {
            actions.fix("plain", "Make this a plain node", || {
                let nodes = cx.parsed.datafile.nodes();
                let node = nodes.iter().find(|n| n.range().contains_range(range))?;
                let mut change = Change::default();
                let stays = |d| {
                    matches!(d, Directive::Node | Directive::Sql | Directive::Description | Directive::Tags)
                };
                for entry in node.entries.iter().filter(|e| e.source == 0) {
                    if entry.entry.directive.is_some_and(|d| !stays(d)) {
                        change.push(file, cx.whole_line(entry.entry.full_range()), "", None);
                    }
                }
                Some(change)
            });
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

/// The lines that a node's type needs. A view or a copy comes with the data source that its query fills: a name alone would be
/// the next error.
fn missing(cx: &Context<'_>, range: TextRange, needed: &[Directive], actions: &mut Actions<'_>) {
    let dialect = cx.parsed.datafile.dialect;
    let fits = |d: &&Directive| d.is_valid_in(FileKind::Pipe, dialect);
    if let Some(directive) =
        needed.iter().find(|d| matches!(d, Directive::Datasource | Directive::TargetDatasource))
    {
        let name = free_name(cx.db, cx.file, &format!("{}_rows", cx.file.stem(cx.db)));
        let title = format!("Add `{} {name}` and create the data source", directive.name());
        actions.fix("attribute", title, || {
            let entry = cx.entry(range)?;
            let mut change = append(cx, entry.full_range(), &format!("{} {name}", directive.name()))?;
            let node = super::create::node_around(cx, range)?;
            change.created.push(super::create::target(cx, (cx.file, node), &name));
            Some(change)
        });
        return;
    }
    let value = |directive: Directive| match directive {
        Directive::ExportSchedule => "@on-demand".to_owned(),
        Directive::ExportBucketUri => format!("s3://bucket/{}", cx.file.stem(cx.db)),
        Directive::ExportFileTemplate => cx.file.stem(cx.db).to_owned(),
        _ => "name".to_owned(),
    };
    let lines: Vec<String> =
        needed.iter().filter(fits).map(|d| format!("{} {}", d.name(), value(*d))).collect();
    if lines.is_empty() {
        return;
    }
    let title = format!("Add {}", lines.iter().map(|l| format!("`{l}`")).collect::<Vec<_>>().join(" and "));
    actions.fix("attribute", title, || {
        let entry = cx.entry(range)?;
        append(cx, entry.full_range(), &lines.join(cx.newline()))
    });
}

/// What belongs to a node and stands before the first: a node's line above it, or the line below the node's query.
fn before_node(cx: &Context<'_>, range: TextRange, actions: &mut Actions<'_>) {
    let nodes = cx.parsed.datafile.nodes();
    let Some(first) = nodes.iter().find(|n| n.header().source == 0) else {
        actions.fix("node", "Write a NODE above it", || {
            let newline = cx.newline();
            let name = free_name(cx.db, cx.file, &format!("{}_node", cx.file.stem(cx.db)));
            let of_node = |d: Directive| matches!(d, Directive::Sql | Directive::Type);
            let entries = cx.parsed.datafile.entries.iter();
            let first = entries.filter(|e| e.source == 0).find(|e| e.entry.directive.is_some_and(of_node))?;
            let at = first.entry.line.start().min(range.start());
            Some(Change::insert(cx.file, at, format!("NODE {name}{newline}")))
        });
        return;
    };
    let Some(entry) = cx.entry(range) else { return };
    let Some(directive) = entry.directive else { return };
    let whole = cx.whole_line(entry.full_range());
    if first.last(directive).is_some() {
        actions.fix("remove-line", format!("Remove {}", directive.name()), || {
            Some(Change::replace(cx.file, whole, ""))
        });
        return;
    }
    actions.fix("into-node", format!("Move {} into the node", directive.name()), || {
        let line = cx.text[whole].trim_end();
        let mut change = append(cx, first.range(), line)?;
        change.push(cx.file, whole, "", None);
        Some(change)
    });
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
pub(super) fn free_name(db: &dyn Db, file: File, base: &str) -> String {
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
    // What is wrong in it would be wrong wherever it is read.
    let is_wrong = |d: &Diagnostic| d.severity == Severity::Error && node.range().contains_range(d.range);
    if headwater_analysis::diagnostics(cx.db, cx.file).iter().any(is_wrong) {
        return;
    }
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
