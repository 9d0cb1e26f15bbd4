//! What a plan offers to write: `FORWARD_QUERY`, a column that comes back, a schema that matches.

use camino::Utf8PathBuf;
use headwater_analysis::semantics::relation;
use headwater_analysis::syntax::{NodeView, schema};
use headwater_analysis::{
    Db, Directive, File, FileKind, NodeType, TextRange, TextSize, datafile, interface, names, resource_name,
};
use headwater_plan::{Change, Fix, FixEdit, ddl, project_plan, stale_forward_query};

/// Edits of one file, or a file that is new.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlanFix {
    /// For a menu.
    pub title: String,
    /// The rules whose changes it mends.
    pub rules: Vec<&'static str>,
    /// What is written.
    pub edit: PlanEdit,
}

/// What a fix writes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PlanEdit {
    /// Texts in the place of others.
    Replace(File, Vec<(TextRange, String)>),
    /// Files that are not there, from the project's root.
    Create(Vec<(Utf8PathBuf, String)>),
}

/// What can be written because of what a file changes. Nothing without a baseline.
pub fn plan_fixes(db: &dyn Db, file: File) -> Vec<PlanFix> {
    let mut out: Vec<PlanFix> = Vec::new();
    let project = file.project(db);
    if let Some(plan) = project_plan(db, project) {
        let path = file.path(db).as_str();
        let name = resource_name(db, file);
        // What is gone has no file to stand in: what it became offers to keep it.
        let is_about = |fix: &Fix| {
            fix.path == path || matches!(&fix.edit, FixEdit::CopyInto { target } if target == name)
        };
        let own = plan.changes.iter().filter(|c| c.path == path || c.fix.as_ref().is_some_and(is_about));
        for change in own {
            let fixes = change.fix.as_ref().and_then(|fix| written(db, file, change, fix)).into_iter();
            let back = view_to_target(db, file, change).into_iter();
            for fix in fixes.chain(back) {
                // Several changes of a table are mended by one text.
                match out.iter_mut().find(|known| known.edit == fix.edit) {
                    Some(known) => known.rules.extend(fix.rules),
                    None => out.push(fix),
                }
            }
        }
    }
    if out.iter().all(|f| !f.rules.contains(&"forward-query-stale"))
        && stale_forward_query(db, file)
        && let Some(edit) = without_forward_query(db, file)
    {
        out.push(PlanFix {
            title: "Drop stale FORWARD_QUERY".to_owned(),
            rules: vec!["forward-query-stale"],
            edit: PlanEdit::Replace(file, vec![edit]),
        });
    }
    out
}

fn written(db: &dyn Db, file: File, change: &Change, fix: &Fix) -> Option<PlanFix> {
    let files = file.project(db).files(db);
    let there = files.iter().find(|f| f.path(db).as_str() == fix.path).copied();
    let edit = match (&fix.edit, there) {
        (FixEdit::CopyInto { .. }, None) => {
            let gone = file.project(db).baseline(db)?.files(db);
            let gone = gone.iter().find(|f| f.path(db).as_str() == change.path)?;
            PlanEdit::Create(vec![
                (change.path.as_str().into(), gone.text(db).to_string()),
                (fix.path.as_str().into(), fix.text.clone()),
            ])
        }
        (FixEdit::Manual | FixEdit::CopyInto { .. }, _) | (_, None) => return None,
        (FixEdit::ForwardQuery, Some(to)) => PlanEdit::Replace(to, vec![forward_query(db, to, &fix.text)]),
        (FixEdit::DropForwardQuery, Some(to)) => PlanEdit::Replace(to, vec![without_forward_query(db, to)?]),
        (FixEdit::RestoreColumn { after }, Some(to)) => {
            PlanEdit::Replace(to, vec![restored(db, to, after.as_deref(), &fix.text)?])
        }
        (FixEdit::DeploymentMethod { node }, Some(to)) => PlanEdit::Replace(to, vec![method(db, to, node)?]),
        (FixEdit::Schema, Some(to)) => {
            PlanEdit::Replace(to, vec![block(db, to, Directive::Schema, &fix.text)?])
        }
    };
    let mut letters = fix.title.chars();
    let first = letters.next().map(|c| c.to_uppercase().to_string()).unwrap_or_default();
    Some(PlanFix { title: first + letters.as_str(), rules: vec![change.rule.name], edit })
}

/// The whole of a block, from its directive to its last line.
fn block(db: &dyn Db, file: File, directive: Directive, text: &str) -> Option<(TextRange, String)> {
    let parsed = &datafile(db, file).datafile;
    let entry = parsed.last(directive).filter(|e| e.source == 0)?;
    Some((lines(parsed.text(), entry.entry.full_range()), text.to_owned()))
}

/// A range with the line break behind it.
fn lines(text: &str, range: TextRange) -> TextRange {
    let end = usize::from(range.end());
    let rest = text[end..].strip_prefix("\r\n").or_else(|| text[end..].strip_prefix('\n'));
    let len = rest.map_or(0, |rest| text.len() - end - rest.len());
    TextRange::new(range.start(), range.end() + TextSize::try_from(len).unwrap_or_default())
}

fn forward_query(db: &dyn Db, file: File, text: &str) -> (TextRange, String) {
    if let Some(edit) = block(db, file, Directive::ForwardQuery, text) {
        return edit;
    }
    let whole = file.text(db);
    let gap = match (whole.ends_with("\n\n"), whole.ends_with('\n')) {
        (true, _) => "",
        (false, true) => "\n",
        (false, false) => "\n\n",
    };
    (TextRange::empty(TextSize::of(&*whole)), format!("{gap}{text}"))
}

fn without_forward_query(db: &dyn Db, file: File) -> Option<(TextRange, String)> {
    let (range, _) = block(db, file, Directive::ForwardQuery, "")?;
    // An empty line before it goes too.
    let text = file.text(db);
    let before = &text[..usize::from(range.start())];
    let start = if before.ends_with("\n\n") { range.start() - TextSize::from(1) } else { range.start() };
    Some((TextRange::new(start, range.end()), String::new()))
}

fn restored(db: &dyn Db, file: File, after: Option<&str>, text: &str) -> Option<(TextRange, String)> {
    let parsed = &datafile(db, file).datafile;
    let entry = parsed.last(Directive::Schema).filter(|e| e.source == 0)?;
    let body = entry.entry.body(parsed.source_of(entry));
    let columns = schema::parse(&body.text).columns;
    let earlier = after.and_then(|name| columns.iter().find(|c| c.name.value == name));
    if let Some(earlier) = earlier {
        let at = body.to_source(earlier.range).end();
        return Some((TextRange::empty(at), format!(",\n    {text}")));
    }
    let first = columns.first()?;
    Some((TextRange::empty(body.to_source(first.range).start()), format!("{text},\n    ")))
}

fn node<'a>(nodes: &'a [NodeView<'a>], name: &str) -> Option<&'a NodeView<'a>> {
    nodes.iter().find(|n| n.name().is_some_and(|own| own.value == name) && n.header().source == 0)
}

fn method(db: &dyn Db, file: File, name: &str) -> Option<(TextRange, String)> {
    let nodes = datafile(db, file).datafile.nodes();
    let place = node(&nodes, name)?.last(Directive::Datasource).filter(|e| e.source == 0)?;
    Some((TextRange::empty(place.entry.line.end()), "\nDEPLOYMENT_METHOD alter".to_owned()))
}

/// The other way round: the view's query gives the target's columns, what it lacks as the type's default.
fn view_to_target(db: &dyn Db, file: File, change: &Change) -> Option<PlanFix> {
    if change.rule.name != "view-columns" || change.path != file.path(db).as_str() {
        return None;
    }
    let target = change.subject.as_deref()?;
    let table = names(db, file.project(db)).table(target)?;
    let face = interface(db, file).as_ref().filter(|f| f.kind == FileKind::Pipe)?;
    let is_it = |n: &headwater_analysis::NodeFact| {
        n.ty == NodeType::Materialized && n.writes.as_deref() == Some(target)
    };
    let index = face.nodes.iter().position(is_it)?;
    let own = headwater_analysis::semantics::node_relation(db, file, index);
    let columns: Vec<String> = relation(db, table)
        .columns
        .iter()
        .map(|c| {
            let name = c.name.as_deref().unwrap_or_default();
            let quoted = ddl::identifier(name);
            match (own.column(name), &c.ty) {
                (None, Some(ty)) => {
                    let ty = ty.to_string().replace('\'', "\\'");
                    format!("        defaultValueOfTypeName('{ty}') AS {quoted}")
                }
                _ => format!("        {quoted}"),
            }
        })
        .collect();
    let parsed = &datafile(db, file).datafile;
    let nodes = parsed.nodes();
    let (entry, _) = nodes.get(index)?.sql().filter(|(e, _)| e.source == 0)?;
    let body = entry.entry.block.as_ref()?;
    let query = parsed.text()[body.range].trim_end().trim_end_matches(';');
    let text = format!("    SELECT\n{}\n    FROM\n    (\n{query}\n    )", columns.join(",\n"));
    Some(PlanFix {
        title: format!("Make the view match `{target}`"),
        rules: vec![change.rule.name],
        edit: PlanEdit::Replace(file, vec![(body.range, text)]),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::{Expect, expect};
    use headwater_test_fixture::Fixture;

    fn check(fixture: &str, path: &str, expected: &Expect) {
        let (db, project, _) = Fixture::parse(fixture).load();
        let file =
            project.files(&db).iter().find(|f| f.path(&db) == path).copied().expect("the file is there");
        let mut out = String::new();
        for fix in plan_fixes(&db, file) {
            out += &format!("# {} ({})\n", fix.title, fix.rules.join(", "));
            match fix.edit {
                PlanEdit::Create(files) => {
                    files.iter().for_each(|(path, text)| out += &format!("{path}:\n{text}"));
                }
                PlanEdit::Replace(file, mut edits) => {
                    let mut text = file.text(&db).to_string();
                    edits.sort_by_key(|(range, _)| std::cmp::Reverse(range.start()));
                    for (range, new) in edits {
                        text.replace_range(usize::from(range.start())..usize::from(range.end()), &new);
                    }
                    out += &format!("{}:\n{text}", file.path(&db));
                }
            }
        }
        expected.assert_eq(&out);
    }

    #[test]
    fn a_forward_query_is_written_and_a_column_kept() {
        check(
            "//- was events.datasource\nSCHEMA >\n    `ts` DateTime,\n    `amount` UInt32,\n    `note` String `json:$.note`\n\
             //- events.datasource\nSCHEMA >\n    `ts` DateTime,\n    `amount` UInt16\n\
             //- report.pipe\nNODE rows\nSQL >\n    SELECT note FROM events\n\nTYPE endpoint\n",
            "events.datasource",
            &expect![[r#"
                # Keep the old column `note` (drop-column-read)
                events.datasource:
                SCHEMA >
                    `ts` DateTime,
                    `amount` UInt16,
                    `note` String `json:$.note`
                # Write FORWARD_QUERY (retype-column)
                events.datasource:
                SCHEMA >
                    `ts` DateTime,
                    `amount` UInt16

                FORWARD_QUERY >
                    SELECT
                        `ts`,
                        accurateCast(`amount`, 'UInt16') AS `amount`
            "#]],
        );
    }

    #[test]
    fn a_stale_forward_query_goes() {
        check(
            "//- was report.pipe\nNODE a\nSQL >\n    SELECT 1\n\nTYPE endpoint\n\
             //- report.pipe\nNODE a\nSQL >\n    SELECT 2\n\nTYPE endpoint\n\
             //- events.datasource\nSCHEMA >\n    `ts` DateTime\n\nFORWARD_QUERY >\n    SELECT ts\n\nENGINE MergeTree\n",
            "events.datasource",
            &expect![[r#"
                # Drop stale FORWARD_QUERY (forward-query-stale)
                events.datasource:
                SCHEMA >
                    `ts` DateTime

                ENGINE MergeTree
            "#]],
        );
    }

    #[test]
    fn a_view_and_its_target_are_made_to_match_both_ways() {
        check(
            "//- was fill.pipe\nNODE rows\nSQL >\n    SELECT ts FROM events\n\nTYPE materialized\nDATASOURCE copy\n\
             //- fill.pipe\nNODE rows\nSQL >\n    SELECT ts, amount FROM events\n\nTYPE materialized\nDATASOURCE copy\n\
             //- events.datasource\nSCHEMA >\n    `ts` DateTime,\n    `amount` UInt32\n\
             //- copy.datasource\nSCHEMA >\n    `ts` DateTime\n",
            "fill.pipe",
            &expect![[r#"
                # Make `copy` match the view (view-columns)
                copy.datasource:
                SCHEMA >
                    `ts` DateTime,
                    `amount` UInt32
                # Make the view match `copy` (view-columns)
                fill.pipe:
                NODE rows
                SQL >
                    SELECT
                        `ts`
                    FROM
                    (
                    SELECT ts, amount FROM events
                    )

                TYPE materialized
                DATASOURCE copy
            "#]],
        );
    }
}
