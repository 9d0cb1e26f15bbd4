//! Markdown for a pull request: what breaks first, then what it costs.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use crate::change::{Change, Class, Plan, ResourceKind};

use super::{cost, summary};

/// The part of the project's data flow that a plan touches.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Lineage {
    /// From, to.
    pub edges: Vec<(String, String)>,
}

/// Beyond this a picture helps nobody.
const MAX_EDGES: usize = 60;

/// A comment holds 65,536 characters where comments are short; what is only there to be unfolded goes first.
const MAX_COMMENT: usize = 60_000;

/// The plan. `against` says what it is compared with; `lineage` is shown as a Mermaid flowchart when there is one.
pub fn markdown(plan: &Plan, against: &str, lineage: &Lineage) -> String {
    let mut out = String::new();
    let _ = writeln!(out, "## Headwater plan\n");
    if plan.changes.is_empty() {
        let _ = writeln!(out, "No changes against {against}.");
        return out;
    }
    let _ = writeln!(out, "Against {against}: **{}**.\n", summary(plan));
    refusals(&mut out, plan);
    contracts(&mut out, plan);
    table(&mut out, plan);
    destructive(&mut out, plan);
    mermaid(&mut out, plan, lineage);
    statements(&mut out, plan);
    let _ = writeln!(out, "<sub>plan {}</sub>", plan.hash);
    out
}

fn refusals(out: &mut String, plan: &Plan) {
    let refused: Vec<_> = plan.changes.iter().filter(|c| c.class == Class::Refuse).collect();
    if refused.is_empty() {
        return;
    }
    let _ = writeln!(out, "### ❌ Cannot be deployed\n");
    for change in refused {
        let _ = writeln!(out, "- **{}**{}: {}", change.resource, of(change), change.reason);
        for victim in &change.dependents {
            let node = victim.node.as_ref().map(|n| format!(", node `{n}`")).unwrap_or_default();
            let _ = writeln!(out, "  - {} `{}`{node}", victim.kind.noun(), victim.resource);
        }
        if let Some(fix) = &change.fix {
            let _ = writeln!(out, "  - fix: {}", fix.title);
            if !fix.text.is_empty() {
                let _ = writeln!(out, "\n    ```\n{}\n    ```", indented(&fix.text));
            }
        }
    }
    out.push('\n');
}

fn contracts(out: &mut String, plan: &Plan) {
    let breaking: Vec<_> =
        plan.changes.iter().filter(|c| c.is_breaking && c.class != Class::Refuse).collect();
    let compatible: Vec<_> = plan.changes.iter().filter(|c| c.rule.name == "endpoint-compatible").collect();
    if breaking.is_empty() && compatible.is_empty() {
        return;
    }
    let _ = writeln!(out, "### Contracts\n");
    for change in breaking {
        let _ = writeln!(
            out,
            "- ⚠️ **breaking** {} `{}`{}: {}",
            change.kind.noun(),
            change.resource,
            of(change),
            change.reason
        );
    }
    for change in compatible {
        let _ = writeln!(out, "- compatible {} `{}`: {}", change.kind.noun(), change.resource, change.reason);
    }
    out.push('\n');
}

fn table(out: &mut String, plan: &Plan) {
    let _ = writeln!(out, "### Changes\n\n| class | resource | what | why | undo |\n|---|---|---|---|---|");
    for change in &plan.changes {
        let cost = cost(&change.estimate).map(|c| format!(" ({c})")).unwrap_or_default();
        let _ = writeln!(
            out,
            "| {} | `{}` | {}{} | {}{cost} | {} |",
            change.class.name(),
            change.resource,
            change.rule.change,
            change.subject.as_ref().map(|s| format!(": `{}`", cell(s))).unwrap_or_default(),
            cell(&change.reason),
            match (change.class, change.is_reversible) {
                (Class::Refuse, _) => "",
                (_, true) => "yes",
                (_, false) => "no",
            }
        );
    }
    out.push('\n');
}

fn destructive(out: &mut String, plan: &Plan) {
    let names: BTreeSet<_> =
        plan.changes.iter().filter(|c| c.class.is_destructive()).map(|c| c.resource.as_str()).collect();
    if names.is_empty() {
        return;
    }
    let flags: Vec<_> = names.iter().map(|n| format!("`--allow-destructive {n}`")).collect();
    let _ = writeln!(out, "Destructive: deploying needs {}.\n", flags.join(" "));
}

fn mermaid(out: &mut String, plan: &Plan, lineage: &Lineage) {
    if lineage.edges.is_empty() {
        return;
    }
    let mut nodes: Vec<&str> = Vec::new();
    for (from, to) in lineage.edges.iter().take(MAX_EDGES) {
        for name in [from, to] {
            if !nodes.contains(&name.as_str()) {
                nodes.push(name);
            }
        }
    }
    let _ = writeln!(out, "### Data flow\n\n```mermaid\nflowchart LR");
    for (n, name) in nodes.iter().enumerate() {
        let own = plan.changes.iter().filter(|c| c.resource == *name && c.kind != ResourceKind::Connection);
        let class = own.map(|c| c.class).max();
        let label = match class {
            Some(class) => format!("{name}<br/>{}", class.name()),
            None => (*name).to_owned(),
        };
        let style = match class {
            Some(Class::Refuse) => ":::refuse",
            Some(Class::Delete | Class::Hide) => ":::gone",
            Some(_) => ":::changed",
            None => "",
        };
        let _ = writeln!(out, "  n{n}[\"{}\"]{style}", label.replace('"', "'"));
    }
    let at = |name: &String| nodes.iter().position(|n| n == name).unwrap_or_default();
    for (from, to) in lineage.edges.iter().take(MAX_EDGES) {
        let _ = writeln!(out, "  n{} --> n{}", at(from), at(to));
    }
    let _ = writeln!(
        out,
        "  classDef changed stroke:#d4a017,stroke-width:2px\n  classDef gone stroke:#999,stroke-dasharray:4\n  classDef refuse stroke:#d1242f,stroke-width:3px\n```\n"
    );
}

fn statements(out: &mut String, plan: &Plan) {
    let with_sql: Vec<_> = plan.changes.iter().filter(|c| !c.sql.is_empty()).collect();
    if with_sql.is_empty() {
        return;
    }
    let mut text = "<details><summary>Statements</summary>\n\n".to_owned();
    for change in &with_sql {
        let _ = writeln!(
            text,
            "`{}`{}, {}\n\n```sql\n{};\n```\n",
            change.resource,
            of(change),
            change.class.name(),
            change.sql.join(";\n")
        );
    }
    text += "</details>\n\n";
    if out.len() + text.len() > MAX_COMMENT {
        let count: usize = with_sql.iter().map(|c| c.sql.len()).sum();
        let what = if count == 1 { "One statement is" } else { "Statements are" };
        text = format!("{what} left out here; `headwater plan` prints all.\n\n");
    }
    out.push_str(&text);
}

fn of(change: &Change) -> String {
    change.subject.as_ref().map(|s| format!(" (`{s}`)")).unwrap_or_default()
}

fn cell(text: &str) -> String {
    text.replace('|', "\\|").replace('\n', " ")
}

fn indented(text: &str) -> String {
    text.lines().map(|l| format!("    {l}")).collect::<Vec<_>>().join("\n")
}
