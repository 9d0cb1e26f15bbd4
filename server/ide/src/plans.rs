//! What deploying a file would do, on the line that changed.

use headwater_analysis::syntax::{self, schema};
use headwater_analysis::{
    BaselineChoice, Db, Diagnostic, Directive, File, FileKind, NodeType, Severity, Tag, TextRange, TextSize,
    datafile, plan_refused, stale_forward_query as stale_code,
};
use headwater_plan::{
    Change, Class, FixEdit, ResourceKind, definition, file_changes, own_changes, project_plan,
    stale_forward_query,
};

/// What a deployment would do to one resource.
#[derive(Debug, Clone, PartialEq)]
pub struct Deployment {
    /// The line that changed, or that stands for the resource.
    pub range: TextRange,
    /// "deploying this: rewrite · 2 views recomputed · reversible".
    pub title: String,
    /// All of it, as Markdown.
    pub markdown: String,
    /// The heaviest class.
    pub class: Class,
    /// The rules that decided, heaviest first.
    pub rules: Vec<&'static str>,
}

/// What deploying a file does, by the lines that changed; nothing without a baseline or a difference.
pub fn deployments(db: &dyn Db, file: File) -> Vec<Deployment> {
    let changes = file_changes(db, file);
    let mut groups: Vec<(TextRange, Vec<&Change>)> = Vec::new();
    for change in &changes {
        // What only stands in a file is no work, and no line of it is news.
        if matches!(change.class, Class::None) && change.fix.is_none() {
            continue;
        }
        let Some(range) = place(db, file, change) else { continue };
        match groups.iter_mut().find(|(at, _)| *at == range) {
            Some((_, group)) => group.push(change),
            None => groups.push((range, vec![change])),
        }
    }
    groups.sort_by_key(|(range, _)| range.start());
    groups.into_iter().map(|(range, group)| deployment(db, file, range, &group)).collect()
}

/// The deployment at `offset`, for a hover: of the line that it stands in.
pub fn deployment_at(db: &dyn Db, file: File, offset: TextSize) -> Option<Deployment> {
    deployments(db, file).into_iter().find(|d| d.range.contains_inclusive(offset))
}

fn deployment(db: &dyn Db, file: File, range: TextRange, changes: &[&Change]) -> Deployment {
    let class = changes.iter().map(|c| c.class).max().unwrap_or(Class::None);
    let with = changes.iter().find(|c| c.class == class).and_then(|c| c.part_of);
    let mut parts = vec![match with {
        Some(rule) => format!("{} with {rule}", class.name()),
        None => class.name().to_owned(),
    }];
    if class == Class::Refuse {
        let victims: usize = changes.iter().map(|c| c.dependents.len()).sum();
        if victims > 0 {
            parts.push(format!("breaks {victims}"));
        }
    } else {
        parts.extend(recomputed(db, file, changes));
        let is_reversible = changes.iter().all(|c| c.is_reversible);
        parts.push(if is_reversible { "reversible" } else { "not reversible" }.to_owned());
    }
    if changes.iter().any(|c| c.is_breaking) {
        parts.push("breaking".to_owned());
    }
    let mut sorted = changes.to_vec();
    sorted.sort_by_key(|c| std::cmp::Reverse(c.class));
    let mut rules: Vec<&'static str> = sorted.iter().map(|c| c.rule.name).collect();
    rules.dedup();
    Deployment {
        range,
        title: format!("deploying this: {}", parts.join(" · ")),
        markdown: sorted.iter().map(|c| markdown(c)).collect::<Vec<_>>().join("\n---\n\n"),
        class,
        rules,
    }
}

/// What a plan says of a file's edit that somebody has to do something about, and no other diagnostic says. Asks for the plan
/// only when the file defines something else than its baseline, so that most keystrokes cost a comparison.
pub fn plan_diagnostics(db: &dyn Db, file: File) -> Vec<Diagnostic> {
    troubles(db, file).into_iter().map(|(diagnostic, _)| diagnostic).collect()
}

/// The diagnostics of a plan, each with the rule that it is of.
pub(crate) fn troubles(db: &dyn Db, file: File) -> Vec<(Diagnostic, &'static str)> {
    let Some(before) = headwater_analysis::impact::baseline_of(db, file) else { return Vec::new() };
    if definition(db, before) == definition(db, file) {
        return deployed_forward_query(db, file).into_iter().collect();
    }
    // Nothing else stores rows, so nothing else is refused; and pipes are what is typed in most.
    let stores = definition(db, file).as_ref().is_some_and(|d| match d.pipe() {
        Some(pipe) => pipe.nodes.iter().any(|n| n.ty == NodeType::Materialized),
        None => d.table().is_some(),
    });
    if !stores {
        return Vec::new();
    }
    own_changes(db, file).iter().filter_map(|change| trouble(db, file, change)).collect()
}

fn trouble(db: &dyn Db, file: File, change: &Change) -> Option<(Diagnostic, &'static str)> {
    const REFUSALS: &[&str] =
        &["rename-column", "retype-column", "not-null-column", "forward-query-incomplete", "shared-target"];
    let rule = change.rule.name;
    let drops = change.fix.as_ref().is_some_and(|f| f.edit == FixEdit::DropForwardQuery);
    let is_refused = change.class == Class::Refuse
        && change.dependents.is_empty() | (rule == "shared-target")
        && REFUSALS.contains(&rule);
    let (code, message) = match (is_refused, drops) {
        (true, _) => (plan_refused(), format!("deploying this is refused: {}", change.reason)),
        (false, true) => (stale_code(), change.reason.clone()),
        (false, false) => return None,
    };
    let severity = severity(db, file, code.name).unwrap_or(code.severity);
    let range = place(db, file, change)?;
    let tags = Vec::new();
    (severity != Severity::Off).then(|| {
        (
            Diagnostic {
                code,
                severity,
                message,
                range,
                tags,
                related: Vec::new(),
                meant: None,
                remedy: None,
            },
            rule,
        )
    })
}

/// A `FORWARD_QUERY` that the baseline has as well: nothing of the file is to be deployed, so it is only pointed at. Only where
/// `headwater.toml` says what is deployed: what is merely committed still needs it.
fn deployed_forward_query(db: &dyn Db, file: File) -> Option<(Diagnostic, &'static str)> {
    let is_named =
        matches!(&file.project(db).config(db).baseline, BaselineChoice::Revision(name) if name != "HEAD");
    if !is_named || !stale_forward_query(db, file) {
        return None;
    }
    let code = stale_code();
    let severity = severity(db, file, code.name).unwrap_or(Severity::Hint);
    let parsed = &datafile(db, file).datafile;
    let range = parsed.last(Directive::ForwardQuery).filter(|e| e.source == 0)?.entry.full_range();
    let message =
        "the baseline has this FORWARD_QUERY and this schema: it was deployed, has nothing to do, and will not fit the next schema"
            .to_owned();
    let tags = vec![Tag::Unnecessary];
    (severity != Severity::Off).then(|| {
        (
            Diagnostic {
                code,
                severity,
                message,
                range,
                tags,
                related: Vec::new(),
                meant: None,
                remedy: None,
            },
            "forward-query-stale",
        )
    })
}

fn severity(db: &dyn Db, file: File, code: &str) -> Option<Severity> {
    file.project(db).config(db).severities.get(code).copied()
}

/// Views that are filled anew because of a data source.
fn recomputed(db: &dyn Db, file: File, changes: &[&Change]) -> Option<String> {
    let own = changes.first().filter(|c| c.kind == ResourceKind::Datasource)?;
    let plan = project_plan(db, file.project(db)).as_ref()?;
    let graph = headwater_analysis::graph(db, file.project(db));
    let downstream = graph.all_downstream(headwater_analysis::Vertex { file, node: None });
    let is_behind = |c: &&Change| {
        c.kind == ResourceKind::Materialized
            && c.class == Class::Recompute
            && c.resource != own.resource
            && downstream.iter().any(|v| v.file.path(db).as_str() == c.path)
    };
    let count = plan.changes.iter().filter(is_behind).count();
    (count > 0).then(|| format!("{count} view{} recomputed", if count == 1 { "" } else { "s" }))
}

fn markdown(change: &Change) -> String {
    let subject = change.subject.as_ref().map(|s| format!(" `{s}`")).unwrap_or_default();
    let mut out = format!("**{}**{subject}: {}\n", change.class.name(), change.reason);
    if !change.dependents.is_empty() {
        let names = change.dependents.iter().take(8).map(|d| match &d.node {
            Some(node) => format!("`{}:{node}`", d.resource),
            None => format!("`{}`", d.resource),
        });
        let word = if change.class == Class::Refuse { "Breaks" } else { "Read by" };
        out += &format!("\n{word} {}\n", names.collect::<Vec<_>>().join(", "));
    }
    if !change.sql.is_empty() {
        out += &format!("\n```sql\n{};\n```\n", change.sql.join(";\n"));
    }
    if let Some(fix) = change.fix.as_ref().filter(|f| !f.text.is_empty()) {
        out += &format!("\n{}:\n\n```\n{}```\n", fix.title, fix.text);
    }
    out += &format!("\nRule `{}`: when {}.\n", change.rule.name, change.rule.change);
    out
}

/// Where a change is shown: the column, the directive, the node; else the first line.
fn place(db: &dyn Db, file: File, change: &Change) -> Option<TextRange> {
    let parsed = &datafile(db, file).datafile;
    let first = parsed.entries.iter().find(|e| e.source == 0).map(|e| e.entry.line);
    let directive = |d: Directive| parsed.last(d).filter(|e| e.source == 0).map(|e| e.entry.line);
    if file.kind(db) == Some(FileKind::Datasource) {
        let subject = change.subject.as_deref().unwrap_or_default();
        if let Some(named) = Directive::named(subject).and_then(directive) {
            return Some(named);
        }
        let by_rule = match change.rule.name {
            "sorting-key" => directive(Directive::EngineSortingKey),
            "partition-key" => directive(Directive::EnginePartitionKey),
            "primary-key" => directive(Directive::EnginePrimaryKey),
            "sampling-key" => directive(Directive::EngineSamplingKey),
            "ttl-longer" | "ttl-shorter" => directive(Directive::EngineTtl),
            "change-engine" => directive(Directive::Engine),
            "change-settings" => directive(Directive::EngineSettings),
            "change-index" => directive(Directive::Indexes),
            "change-backfill" => directive(Directive::Backfill),
            "change-description" => directive(Directive::Description),
            "forward-query" | "forward-query-incomplete" | "forward-query-stale" => {
                directive(Directive::ForwardQuery)
            }
            _ => None,
        };
        return by_rule
            .or_else(|| column(parsed, subject))
            .or_else(|| directive(Directive::Schema))
            .or(first);
    }
    let nodes = parsed.nodes();
    let typed = |n: &&syntax::NodeView<'_>| n.node_type().is_some() && n.header().source == 0;
    let node = nodes.iter().find(typed).map(|n| n.header().entry.line);
    if matches!(change.rule.name, "change-token" | "change-description") {
        return first;
    }
    node.or(first)
}

fn column(parsed: &syntax::Datafile, name: &str) -> Option<TextRange> {
    let entry = parsed.last(Directive::Schema).filter(|e| e.source == 0)?;
    let body = entry.entry.body(parsed.source_of(entry));
    let column = schema::parse(&body.text).columns.into_iter().find(|c| c.name.value == name)?;
    Some(body.to_source(column.range))
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::expect;
    use headwater_analysis::Setter;
    use headwater_test_fixture::Fixture;

    #[test]
    fn the_changed_line_says_what_deploying_it_does() {
        let (db, _, files) = Fixture::parse(
            "//- was datasources/events.datasource\nSCHEMA >\n    `ts` DateTime,\n    `amount` UInt32,\n    `old` String\n\nENGINE_SORTING_KEY ts\n\
             //- datasources/events.datasource\nSCHEMA >\n    `ts` DateTime,\n    `amount` UInt64\n\nENGINE_SORTING_KEY amount, ts\n\
             //- endpoints/report.pipe\nNODE rows\nSQL >\n    SELECT count() AS n FROM events\n\nTYPE endpoint\n",
        )
        .load();
        let mut out = String::new();
        for file in files {
            let text = file.text(&db);
            for deployment in deployments(&db, file) {
                out += &format!("{} | {} | {}\n", file.path(&db), &text[deployment.range], deployment.title);
            }
        }
        expect![[r#"
            datasources/events.datasource | SCHEMA > | deploying this: hide · not reversible
            datasources/events.datasource | `amount` UInt64 | deploying this: mutate with sorting-key · reversible
            datasources/events.datasource | ENGINE_SORTING_KEY amount, ts | deploying this: rewrite · reversible
        "#]].assert_eq(&out);
    }

    #[test]
    fn a_forward_query_with_nothing_to_do_is_pointed_at() {
        const WAS: &str = "SCHEMA >\n    `ts` DateTime\n\nENGINE MergeTree\nENGINE_SORTING_KEY ts\n";
        const QUERY: &str = "\nFORWARD_QUERY >\n    SELECT ts\n";
        let said = |was: &str, is: &str, baseline: &str| {
            let fixture = format!("//- was events.datasource\n{was}//- events.datasource\n{is}");
            let (mut db, project, files) = Fixture::parse(&fixture).load();
            let mut config = project.config(&db).as_ref().clone();
            config.baseline = BaselineChoice::Revision(baseline.to_owned());
            project.set_config(&mut db).to(config.into());
            let found = plan_diagnostics(&db, files[1]);
            found
                .iter()
                .map(|d| format!("{} {}", d.severity.name(), d.code.name))
                .collect::<Vec<_>>()
                .join(", ")
        };
        let with = format!("{WAS}{QUERY}");
        // Nothing changes: whether it was deployed is known only of a baseline that was chosen.
        assert_eq!(said(&with, &with, "HEAD"), "");
        assert_eq!(said(&with, &with, "origin/main"), "hint stale-forward-query");
        // It is new and nothing needs it.
        assert_eq!(said(WAS, &with, "HEAD"), "warning stale-forward-query");
        let described = format!("DESCRIPTION x\n{with}");
        assert_eq!(said(WAS, &described, "HEAD"), "warning stale-forward-query");
        // It is needed.
        let key = with.replace("KEY ts", "KEY tuple()");
        assert_eq!(said(WAS, &key, "HEAD"), "");
    }
}
