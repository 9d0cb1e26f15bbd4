//! Files that are missing: the data source that a view writes, the table that a query reads, tests, fixtures. And a
//! schema from a sample.

use camino::Utf8PathBuf;
use headwater_analysis::samples::{SampleField, fields};
use headwater_analysis::{
    Diagnostic, Directive, FileKind, NodeType, TextRange, access, interface, node_reads, semantics,
};
use headwater_catalog::Type;

use super::{ActionKind, Actions, Context};
use crate::change::Change;

pub(super) fn fix(cx: &Context<'_>, diagnostic: &Diagnostic, actions: &mut Actions<'_>) {
    match diagnostic.code.name {
        "unknown-resource" => unknown(cx, diagnostic.range, actions),
        "missing-schema" => {
            let sample = sample(cx);
            if !sample.is_empty() {
                actions.fix("schema", "Add the schema of the fixture", || {
                    Some(Change::insert(cx.file, 0.into(), format!("{}\n", schema_block(&sample))))
                });
            }
        }
        _ => {}
    }
}

/// The folder that the project keeps a kind of files in.
fn folder(cx: &Context<'_>, kind: FileKind) -> Utf8PathBuf {
    let files = cx.file.project(cx.db).files(cx.db);
    let near = files.iter().find(|f| f.kind(cx.db) == Some(kind)).and_then(|f| f.path(cx.db).parent());
    near.map_or_else(
        || if kind == FileKind::Datasource { "datasources".into() } else { "pipes".into() },
        Into::into,
    )
}

fn unknown(cx: &Context<'_>, range: TextRange, actions: &mut Actions<'_>) {
    let name = cx.text[range].trim_matches(['"', '\'', '`']).to_owned();
    let is_name = !name.is_empty()
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
        && !name.starts_with(|c: char| c.is_ascii_digit());
    if !is_name {
        return;
    }
    let entry = cx.entry(range).and_then(|e| e.directive);
    let writes = matches!(entry, Some(Directive::Datasource | Directive::TargetDatasource));
    actions.fix("create-datasource", format!("Create the data source `{name}`"), || {
        if writes {
            return Some(Change { created: vec![target(cx, range, &name)], ..Change::default() });
        }
        let path = folder(cx, FileKind::Datasource).join(format!("{name}.datasource"));
        // A sample of that name knows better than the queries what there is.
        let surroundings = cx.file.project(cx.db).surroundings(cx.db);
        let sample = surroundings.sample_of(&name).map(fields).unwrap_or_default();
        let text = if sample.is_empty() {
            datasource(&read_columns(cx, &name), false)
        } else {
            from_sample(&sample)
        };
        Some(Change { created: vec![(path, text)], ..Change::default() })
    });
    if !writes {
        actions.fix("create-pipe", format!("Create the endpoint `{name}`"), || {
            let path = folder(cx, FileKind::Pipe).join(format!("{name}.pipe"));
            let columns = read_columns(cx, &name);
            let items: Vec<String> = columns
                .iter()
                .map(|(name, ty)| {
                    format!("        defaultValueOfTypeName('{ty}') AS {}", crate::completion::written(name))
                })
                .collect();
            let query = if items.is_empty() { " 1".to_owned() } else { format!("\n{}", items.join(",\n")) };
            let text = format!("NODE {name}_node\nSQL >\n    SELECT{query}\n\nTYPE endpoint\n");
            Some(Change { created: vec![(path, text)], ..Change::default() })
        });
    }
}

/// The data source that the node around a place fills: its path and its text.
pub(super) fn target(cx: &Context<'_>, range: TextRange, name: &str) -> (Utf8PathBuf, String) {
    let columns = written_columns(cx, range);
    let path = folder(cx, FileKind::Datasource).join(format!("{name}.datasource"));
    let text = datasource(&columns, is_aggregating(&columns));
    (path, text)
}

/// A data source for the rows of a sample. Its key is its first time, else nothing: a sample says nothing about how it is read.
pub(crate) fn from_sample(sample: &[SampleField]) -> String {
    let is_time = |f: &&SampleField| f.ty.starts_with("DateTime") || f.ty == "Date";
    let key = sample.iter().find(is_time).map_or("tuple()", |f| f.name.as_str());
    format!("{}\nENGINE MergeTree\nENGINE_SORTING_KEY {key}\n", schema_block(sample))
}

/// What the node around a place selects.
fn written_columns(cx: &Context<'_>, range: TextRange) -> Vec<(String, String)> {
    let nodes = cx.parsed.datafile.nodes();
    let Some(node) = nodes.iter().find(|n| n.range().contains_range(range)) else { return Vec::new() };
    let relation = semantics::node_relation(cx.db, cx.file, node.index);
    let columns = relation.columns.iter().filter_map(|c| {
        let ty = c.ty.as_ref().map_or_else(|| "String".to_owned(), ToString::to_string);
        Some((c.name.clone()?, ty))
    });
    columns.collect()
}

fn is_aggregating(columns: &[(String, String)]) -> bool {
    columns.iter().any(|(_, ty)| ty.contains("AggregateFunction("))
}

/// The names that the query asks of an unknown table; their types are nobody's guess.
fn read_columns(cx: &Context<'_>, name: &str) -> Vec<(String, String)> {
    let mut out: Vec<(String, String)> = Vec::new();
    for read in node_reads(cx.db, cx.file).iter().filter(|r| r.reference.name == name) {
        for facts in &semantics::node_meaning(cx.db, cx.file, read.node).facts {
            for base in facts.bases.iter().filter(|b| b.table == name) {
                if !out.iter().any(|(n, _)| *n == base.column) {
                    out.push((base.column.clone(), "String".to_owned()));
                }
            }
        }
    }
    out
}

fn datasource(columns: &[(String, String)], aggregating: bool) -> String {
    let lines: Vec<String> = match columns {
        [] => vec!["    `id` String".to_owned()],
        columns => columns.iter().map(|(name, ty)| format!("    `{name}` {ty}")).collect(),
    };
    let keys: Vec<&str> = columns
        .iter()
        .filter(|(_, ty)| {
            !ty.contains("AggregateFunction(") && !ty.starts_with("Nullable") && !ty.starts_with("Array")
        })
        .map(|(name, _)| name.as_str())
        .take(if aggregating { usize::MAX } else { 1 })
        .collect();
    let key = if keys.is_empty() { "tuple()".to_owned() } else { keys.join(", ") };
    let engine = if aggregating { "AggregatingMergeTree" } else { "MergeTree" };
    format!("SCHEMA >\n{}\n\nENGINE {engine}\nENGINE_SORTING_KEY {key}\n", lines.join(",\n"))
}

fn sample(cx: &Context<'_>) -> Vec<SampleField> {
    let surroundings = cx.file.project(cx.db).surroundings(cx.db);
    surroundings.sample_of(cx.file.stem(cx.db)).map(fields).unwrap_or_default()
}

fn schema_block(fields: &[SampleField]) -> String {
    let lines: Vec<String> = fields
        .iter()
        .map(|f| match &f.path {
            Some(path) => format!("    `{}` {} `json:{path}`", f.name, f.ty),
            None => format!("    `{}` {}", f.name, f.ty),
        })
        .collect();
    format!("SCHEMA >\n{}\n", lines.join(",\n"))
}

/// A test for an endpoint, a fixture for a data source, columns that a fixture has and the schema has not.
pub(super) fn assist(cx: &Context<'_>, actions: &mut Actions<'_>) {
    let project = cx.file.project(cx.db);
    let Some(face) = interface(cx.db, cx.file) else { return };
    match face.kind {
        FileKind::Pipe if face.nodes.iter().any(|n| n.ty == NodeType::Endpoint) => {
            let has_test = access::test_files(cx.db, project).get(&cx.file).is_some_and(|t| !t.is_empty());
            let path = Utf8PathBuf::from(format!("tests/{}.yaml", cx.file.stem(cx.db)));
            if !has_test {
                actions.add("create-test", format!("Create `{path}`"), ActionKind::Source, || {
                    let mut parameters: Vec<_> = face.nodes.iter().flat_map(|n| &n.parameters).collect();
                    parameters.sort_by_key(|p| (p.name.clone(), p.ty.is_none()));
                    parameters.dedup_by_key(|p| p.name.clone());
                    let query: Vec<String> = parameters
                        .iter()
                        .map(|p| {
                            let value = p.default.as_deref().unwrap_or_default().trim_matches(['\'', '"']);
                            format!("{}={value}", p.name)
                        })
                        .collect();
                    let query = query.join("&");
                    let text = format!("- name: defaults\n  description: what the endpoint answers by default\n  parameters: '{query}'\n  expected_result: ''\n");
                    Some(Change { created: vec![(path.clone(), text)], ..Change::default() })
                });
            }
        }
        FileKind::Datasource => {
            let fields = sample(cx);
            let missing: Vec<SampleField> =
                fields.iter().filter(|f| !face.columns.iter().any(|c| c.name == f.name)).cloned().collect();
            let on_schema = cx
                .entry(TextRange::empty(cx.range.start()))
                .is_some_and(|e| e.directive == Some(Directive::Schema));
            if on_schema && !missing.is_empty() && !face.columns.is_empty() {
                actions.add("fixture-columns", "Add the columns of the fixture", ActionKind::Rewrite, || {
                    let (_, _, last) = crate::place::schema_columns(cx.db, cx.file).into_iter().last()?;
                    let lines = schema_block(&missing);
                    let body = lines.trim_start_matches("SCHEMA >\n").trim_end();
                    Some(Change::insert(cx.file, last.end(), format!(",\n{body}")))
                });
            }
            let has_fixture = project.surroundings(cx.db).sample_of(cx.file.stem(cx.db)).is_some();
            if !has_fixture && !face.columns.is_empty() && face.connection.is_none() && on_schema {
                let path = Utf8PathBuf::from(format!("fixtures/{}.ndjson", cx.file.stem(cx.db)));
                actions.add("create-fixture", format!("Create `{path}`"), ActionKind::Source, || {
                    let row: Vec<String> = face
                        .columns
                        .iter()
                        .filter(|c| !c.ty.contains("AggregateFunction"))
                        .map(|c| format!("\"{}\": {}", c.name, example(&c.ty)))
                        .collect();
                    let text = format!("{{{}}}\n", row.join(", "));
                    Some(Change { created: vec![(path.clone(), text)], ..Change::default() })
                });
            }
        }
        _ => {}
    }
}

/// A value of a type, as JSON.
fn example(ty: &str) -> &'static str {
    match Type::parse(ty) {
        Ok(Type::Date | Type::Date32) => "\"2024-01-01\"",
        Ok(Type::DateTime(_)) => "\"2024-01-01 00:00:00\"",
        Ok(Type::DateTime64(..)) => "\"2024-01-01 00:00:00.000\"",
        Ok(Type::Bool) => "true",
        Ok(Type::Uuid) => "\"00000000-0000-0000-0000-000000000000\"",
        Ok(Type::Array(_)) => "[]",
        Ok(Type::Map(..)) => "{}",
        Ok(ty)
            if ty.to_string().contains("Int")
                || ty.to_string().contains("Float")
                || ty.to_string().contains("Decimal") =>
        {
            "1"
        }
        _ => "\"a\"",
    }
}
