//! `headwater lineage`: what a resource reads, and what flows downstream of it.

use headwater_analysis::{Database, EdgeKind};
use headwater_ide::{Lineage, LineageLink, Subject, lineage};
use serde_json::{Value, json};

use crate::args::{LineageArgs, LineageFormat};
use crate::project::load_one;
use crate::{CannotRun, Verdict, print};

pub(crate) fn run(args: &LineageArgs) -> Result<Verdict, CannotRun> {
    let mut db = Database::default();
    let loaded = load_one(&mut db, args.project.as_deref())?;
    let subject = Subject::parse(&db, loaded.project, &args.name);
    let Some(found) = lineage(&db, loaded.project, &subject) else {
        return Err(CannotRun(format!(
            "the project at {} has no `{}`; names are file names without extension, nodes are PIPE:NODE, columns NAME.COLUMN",
            loaded.root.path, args.name
        )));
    };
    print(&match args.format {
        LineageFormat::Human => human(&found),
        LineageFormat::Json => format!("{}\n", as_json(&found)),
        LineageFormat::Mermaid => mermaid(&found),
        LineageFormat::Dot => dot(&found),
    });
    Ok(Verdict::Fine)
}

fn human(found: &Lineage) -> String {
    let Some(subject) = found.nodes.first() else { return String::new() };
    let ty = subject.ty.as_ref().map_or_else(String::new, |ty| format!(" {ty}"));
    let mut out = format!("{}{ty} ({}, {})\n", subject.name, subject.kind, subject.path);
    for (title, downward) in [("reads from", false), ("flows into", true)] {
        let mut body = String::new();
        tree(found, 0, downward, 1, &mut vec![0], &mut body);
        if !body.is_empty() {
            out += &format!("\n{title}\n{body}");
        }
    }
    match &found.impact {
        Some(impact) => out += &format!("\ndownstream: {impact}\n"),
        None => out += "\ndownstream: nothing\n",
    }
    out
}

/// Each vertex is unfolded where it is first reached and only named after that, so the text stays linear.
fn tree(found: &Lineage, at: usize, downward: bool, depth: usize, seen: &mut Vec<usize>, out: &mut String) {
    for (from, to, kind) in &found.edges {
        let (here, next) = if downward { (*from, *to) } else { (*to, *from) };
        if here != at {
            continue;
        }
        let node = &found.nodes[next];
        let verb = match kind {
            LineageLink::Resource(EdgeKind::Read) => "",
            LineageLink::Resource(EdgeKind::Materialize) => " (materializes)",
            LineageLink::Resource(EdgeKind::Copy) => " (copies)",
            LineageLink::Resource(EdgeKind::Connect) => " (connects)",
            LineageLink::Column(flow) => &format!(" ({})", flow.name()),
        };
        let ty = node.ty.as_ref().map_or_else(String::new, |ty| format!(" {ty}"));
        let again = if seen.contains(&next) { " …" } else { "" };
        *out += &format!("{:width$}{}{ty}  {}{verb}{again}\n", "", node.name, node.kind, width = depth * 2);
        if again.is_empty() {
            seen.push(next);
            tree(found, next, downward, depth + 1, seen, out);
        }
    }
}

fn as_json(found: &Lineage) -> Value {
    let nodes: Vec<_> = found
        .nodes
        .iter()
        .map(|n| json!({ "name": n.name, "kind": n.kind, "type": n.ty, "path": n.path }))
        .collect();
    let edges: Vec<_> = found
        .edges
        .iter()
        .map(|(from, to, kind)| json!({ "from": from, "to": to, "kind": kind.name() }))
        .collect();
    json!({
        "nodes": nodes,
        "edges": edges,
        "upstream": found.upstream,
        "downstream": found.downstream,
        "summary": { "downstream": found.impact },
    })
}

fn mermaid(found: &Lineage) -> String {
    let mut out = "flowchart LR\n".to_owned();
    for (n, node) in found.nodes.iter().enumerate() {
        let (open, close) = match node.kind {
            "data source" => ("[(", ")]"),
            "endpoint" => ("([", "])"),
            _ => ("[", "]"),
        };
        out += &format!("  n{n}{open}\"{}\"{close}\n", node.name);
    }
    for (from, to, kind) in &found.edges {
        let arrow = match kind {
            LineageLink::Resource(EdgeKind::Read) => "-->".to_owned(),
            LineageLink::Resource(_) => "==>".to_owned(),
            LineageLink::Column(flow) if flow.carries_value() => "-->".to_owned(),
            LineageLink::Column(flow) => format!("-. {} .->", flow.name()),
        };
        out += &format!("  n{from} {arrow} n{to}\n");
    }
    out
}

fn dot(found: &Lineage) -> String {
    let mut out = "digraph lineage {\n  rankdir=LR;\n".to_owned();
    for (n, node) in found.nodes.iter().enumerate() {
        let shape = match node.kind {
            "data source" => "cylinder",
            "endpoint" => "oval",
            _ => "box",
        };
        out += &format!("  n{n} [label=\"{}\", shape={shape}];\n", node.name);
    }
    for (from, to, kind) in &found.edges {
        out += &format!("  n{from} -> n{to} [label=\"{}\"];\n", kind.name());
    }
    out + "}\n"
}
