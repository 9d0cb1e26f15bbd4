//! A plan as a document: what deploying a file does, the statements, and the rules that decided.

use std::fmt::Write as _;

use headwater_analysis::{Db, File, Vertex, graph, interface, resource_name};
use headwater_plan::{Change, Class, file_changes, project_plan};

/// Everything about the deployment of one file, as Markdown. `None` for a file that defines nothing.
pub(crate) fn explained(db: &dyn Db, file: File) -> Option<String> {
    interface(db, file).as_ref()?;
    let name = resource_name(db, file);
    let mut out = format!("# Deploying `{name}`\n\n");
    let Some(plan) = project_plan(db, file.project(db)) else {
        out += "There is nothing to compare with: the project is in no git repository, or has no commit yet. A baseline is \
                git's `HEAD`, or what `headwater.toml` names.\n";
        return Some(out);
    };
    let own = file_changes(db, file);
    if own.is_empty() {
        out += "Nothing happens: it defines what the baseline defines.\n";
    }
    for change in &own {
        section(&mut out, change, None);
    }
    let behind = behind(db, file);
    let mut others = plan
        .changes
        .iter()
        .filter(|c| c.path != file.path(db).as_str() && behind.iter().any(|f| f.path(db).as_str() == c.path))
        .peekable();
    if others.peek().is_some() {
        out += "# Behind it\n\n";
    }
    for change in others {
        section(&mut out, change, Some(&change.resource));
    }
    let mut rules: Vec<_> = own.iter().map(|c| c.rule).collect();
    rules.dedup();
    if !rules.is_empty() {
        out += "# Rules\n\n";
    }
    let mut said: Vec<&str> = Vec::new();
    for rule in rules {
        if !said.contains(&rule.name) {
            said.push(rule.name);
            let _ = writeln!(out, "**{}**: when {}.\n\n{}\n", rule.name, rule.change, rule.explanation());
        }
    }
    Some(out)
}

/// The files that data flows into from this one.
fn behind(db: &dyn Db, file: File) -> Vec<File> {
    let graph = graph(db, file.project(db));
    let nodes = interface(db, file).as_ref().map_or(0, |face| face.nodes.len());
    let starts = std::iter::once(Vertex { file, node: None })
        .chain((0..nodes).map(|n| Vertex { file, node: Some(n) }));
    let mut out: Vec<File> = starts.flat_map(|v| graph.all_downstream(v)).map(|v| v.file).collect();
    out.sort_by(|a, b| a.path(db).cmp(b.path(db)));
    out.dedup();
    out
}

fn section(out: &mut String, change: &Change, of: Option<&str>) {
    let of = of.map(|name| format!("`{name}`: ")).unwrap_or_default();
    let subject = change.subject.as_ref().map(|s| format!(" (`{s}`)")).unwrap_or_default();
    let _ = writeln!(out, "## {of}{}{subject}\n", change.class.name());
    let _ = writeln!(out, "{}.\n", change.reason);
    if let Some(rule) = change.part_of {
        let _ = writeln!(out, "- carried out together with the change of `{rule}`");
    }
    if change.class != Class::Refuse {
        let undo = if change.is_reversible {
            "a rollback brings back what was"
        } else {
            "not reversible after the rollback window"
        };
        let _ = writeln!(out, "- {undo}");
    }
    if change.is_breaking {
        out.push_str("- **breaking**: somebody outside of the project notices\n");
    }
    if !change.dependents.is_empty() {
        let names = change.dependents.iter().map(|d| match &d.node {
            Some(node) => format!("{} `{}`, node `{node}`", d.kind.noun(), d.resource),
            None => format!("{} `{}`", d.kind.noun(), d.resource),
        });
        let word = if change.class == Class::Refuse { "breaks" } else { "seen by" };
        let _ = writeln!(out, "- {word} {}", names.collect::<Vec<_>>().join("; "));
    }
    let _ = writeln!(out, "- rule: {}", change.rule.name);
    out.push('\n');
    if !change.sql.is_empty() {
        let _ = writeln!(out, "```sql\n{};\n```\n", change.sql.join(";\n"));
    }
    if let Some(fix) = &change.fix {
        let place = if fix.path.is_empty() { String::new() } else { format!(" in `{}`", fix.path) };
        let _ = writeln!(
            out,
            "To mend it, {}{place}{}\n",
            fix.title,
            if fix.text.is_empty() { "." } else { ":" }
        );
        if !fix.text.is_empty() {
            let _ = writeln!(
                out,
                "```\n{}```\n",
                if fix.text.ends_with('\n') { fix.text.clone() } else { format!("{}\n", fix.text) }
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::expect;
    use headwater_test_fixture::Fixture;

    fn shown(fixture: &str, path: &str) -> String {
        let (db, project, _) = Fixture::parse(fixture).load();
        let file =
            project.files(&db).iter().find(|f| f.path(&db) == path).copied().expect("the file is there");
        explained(&db, file).unwrap_or_else(|| "none".to_owned())
    }

    const DAILY: &str = "//- daily.datasource\nSCHEMA >\n    `day` Date,\n    `total` SimpleAggregateFunction(sum, UInt64)\n\n\
                         ENGINE AggregatingMergeTree\nENGINE_SORTING_KEY day\n\
                         //- fill.pipe\nNODE rows\nSQL >\n    SELECT toDate(ts) AS day, sum(amount) AS total FROM events GROUP BY day\n\n\
                         TYPE materialized\nDATASOURCE daily\n";

    #[test]
    fn statements_rules_and_what_is_behind() {
        let text = shown(
            &format!(
                "//- was events.datasource\nSCHEMA >\n    `ts` DateTime,\n    `amount` UInt64\n\nENGINE MergeTree\nENGINE_SORTING_KEY ts\n\
                 //- events.datasource\nSCHEMA >\n    `ts` DateTime,\n    `amount` UInt32\n\nENGINE MergeTree\nENGINE_SORTING_KEY ts\n{DAILY}"
            ),
            "events.datasource",
        );
        expect![[r#"
            # Deploying `events`

            ## refuse (`amount`)

            not every UInt64 is a UInt32; FORWARD_QUERY must say what becomes of the others.

            - rule: retype-column

            To mend it, write FORWARD_QUERY in `events.datasource`:

            ```
            FORWARD_QUERY >
                SELECT
                    `ts`,
                    accurateCast(`amount`, 'UInt32') AS `amount`
            ```

            # Behind it

            ## `fill`: recompute (`daily`)

            values that it reads from `events` change; `daily` is filled anew from all that `events` holds.

            - a rollback brings back what was
            - rule: view-source

            ```sql
            CREATE TABLE `daily_7c9cd33a`
            (
                `day` Date,
                `total` SimpleAggregateFunction(sum, UInt64)
            )
            ENGINE = AggregatingMergeTree
            ORDER BY (day);
            INSERT INTO `daily_7c9cd33a` (`day`, `total`) SELECT `day`, `total` FROM (SELECT toDate(ts) AS day, sum(amount) AS total FROM events GROUP BY day);
            ```

            # Rules

            **retype-column**: when a column gets a type that does not hold all of its values.

            A column gets a type that does not hold every value of the old one. What becomes of the others is for somebody to say, in a `FORWARD_QUERY`; the fix is one that fails on the first value that does not fit.

        "#]].assert_eq(&text);
    }

    #[test]
    fn without_a_difference_it_says_so() {
        let text = shown(
            &format!("//- was other.datasource\nSCHEMA >\n    `a` String\n{DAILY}"),
            "daily.datasource",
        );
        assert!(text.contains("Nothing happens"), "{text}");
        assert!(shown(DAILY, "daily.datasource").contains("There is nothing to compare with"));
    }
}
