//! Files that are missing: the data source that a view writes, the table that a query reads, tests, fixtures. And a
//! schema from a sample.

use std::sync::Arc;

use camino::{Utf8Path, Utf8PathBuf};
use headwater_analysis::query::{FaultKind, Relation, Tables};
use headwater_analysis::samples::{SampleField, fields};
use headwater_analysis::{
    Db, Diagnostic, Directive, EdgeKind, File, FileKind, NodeType, Project, TextRange, Vertex, access,
    datafile, interface, node_reads, semantics,
};
use headwater_catalog::Type;

use super::{ActionKind, Actions, Context};
use crate::change::Change;
use crate::tokens::{TokenKind, tokens};

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
            // Whoever fills it says what it holds.
            let name = cx.file.stem(cx.db).to_owned();
            let columns = writer_of(cx, &name).map(|(file, node)| written_columns(cx, file, node));
            if let Some(columns) = columns.filter(|c| !c.is_empty()) {
                actions.fix("schema-of-writer", "Add the schema of what fills it", || {
                    let text = datasource(&columns, false);
                    let schema = text.split("\n\nENGINE").next().unwrap_or_default();
                    Some(Change::insert(cx.file, 0.into(), format!("{schema}\n\n")))
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
    // A pipe where a data source is wanted: a data source of that name would be the next fault.
    let is_taken = headwater_analysis::names(cx.db, cx.file.project(cx.db)).table(&name).is_some();
    if !is_name || is_taken {
        return;
    }
    let entry = cx.entry(range).and_then(|e| e.directive);
    let writes = matches!(entry, Some(Directive::Datasource | Directive::TargetDatasource));
    // Whoever fills it says what it holds, wherever it is missed.
    let writer =
        if writes { node_around(cx, range).map(|node| (cx.file, node)) } else { writer_of(cx, &name) };
    actions.fix("create-datasource", format!("Create the data source `{name}`"), || {
        if let Some(writer) = writer {
            return Some(Change { created: vec![target(cx, writer, &name)], ..Change::default() });
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
    if writer.is_none() && !writes {
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

/// The data source that a node fills: its path and its text. Classic nodes say the engine themselves.
pub(super) fn target(cx: &Context<'_>, writer: (File, usize), name: &str) -> (Utf8PathBuf, String) {
    let (file, node) = writer;
    let columns = written_columns(cx, file, node);
    let path = folder(cx, FileKind::Datasource).join(format!("{name}.datasource"));
    let parsed = datafile(cx.db, file);
    let nodes = parsed.datafile.nodes();
    let own = nodes.get(node).map_or(&[][..], |n| n.entries);
    let engine: String = own
        .iter()
        .filter(|e| is_engine(e.entry.directive))
        .map(|e| format!("{}\n", parsed.datafile.source_of(e)[e.entry.full_range()].trim_end()))
        .collect();
    let text = datasource(&columns, is_aggregating(&columns));
    let text = match text.split_once("\nENGINE ") {
        Some((schema, _)) if engine.contains("ENGINE ") => format!("{schema}\n{engine}"),
        _ => text,
    };
    (path, text)
}

/// Directives of a data source's engine.
pub(super) fn is_engine(directive: Option<Directive>) -> bool {
    directive.is_some_and(|d| d == Directive::Engine || d.name().starts_with("ENGINE_"))
}

/// The node that a place is in.
pub(super) fn node_around(cx: &Context<'_>, range: TextRange) -> Option<usize> {
    let nodes = cx.parsed.datafile.nodes();
    nodes.iter().find(|n| n.range().contains_range(range)).map(|n| n.index)
}

/// A column that a view or copy gives and its data source has not: in the schema, behind the last one.
pub(super) fn target_column(cx: &Context<'_>, range: TextRange, actions: &mut Actions<'_>) {
    let Some(node) = node_around(cx, range) else { return };
    let selected = crate::place::selected(cx.db, cx.file, node);
    let Some(item) = selected.into_iter().find(|s| s.item == range) else { return };
    let Some(face) = interface(cx.db, cx.file) else { return };
    let Some(target) = face.nodes.get(node).and_then(|n| n.writes.as_deref()) else { return };
    let Some(file) = headwater_analysis::names(cx.db, cx.file.project(cx.db)).table(target) else { return };
    if semantics::relation(cx.db, file).column(&item.name).is_some() {
        return;
    }
    // Another view would lack it, and a star would hand it on to where it is not expected.
    let own = Vertex { file: cx.file, node: Some(node) };
    let graph = headwater_analysis::graph(cx.db, cx.file.project(cx.db));
    let table = Vertex { file, node: None };
    let writes = |kind: &EdgeKind| matches!(kind, EdgeKind::Materialize | EdgeKind::Copy);
    let has_others = graph.upstream(table).iter().any(|(v, kind)| writes(kind) && *v != own);
    let hands_on = graph.all_downstream(table).into_iter().any(|reader| {
        let Some(node) = reader.node else { return false };
        crate::place::selected(cx.db, reader.file, node).iter().any(|s| s.focus.is_none())
    });
    if has_others || hands_on {
        return;
    }
    let ty = semantics::node_relation(cx.db, cx.file, node).column(&item.name).and_then(|c| c.ty.clone());
    let Some(ty) = ty else { return };
    actions.fix("target-column", format!("Add `{} {ty}` to `{target}`", item.name), || {
        let columns = crate::place::schema_columns(cx.db, file);
        let (_, _, last) = columns.last()?;
        let text = file.text(cx.db);
        let newline = if text.contains("\r\n") { "\r\n" } else { "\n" };
        Some(Change::insert(file, last.end(), format!(",{newline}    `{}` {ty}", item.name)))
    });
}

/// A node of the project that fills a data source of this name.
fn writer_of(cx: &Context<'_>, name: &str) -> Option<(File, usize)> {
    cx.file.project(cx.db).files(cx.db).iter().find_map(|file| {
        let face = interface(cx.db, *file).as_ref()?;
        let node = face.nodes.iter().position(|n| n.writes.as_deref() == Some(name))?;
        Some((*file, node))
    })
}

/// A data source for the rows of a sample. Its key is its first time, else nothing: a sample says nothing about how it is read.
pub(crate) fn from_sample(sample: &[SampleField]) -> String {
    let is_time = |f: &&SampleField| f.ty.starts_with("DateTime") || f.ty == "Date";
    let key = sample.iter().find(is_time).map_or("tuple()", |f| f.name.as_str());
    format!("{}\nENGINE MergeTree\nENGINE_SORTING_KEY {key}\n", schema_block(sample))
}

/// What a node selects.
fn written_columns(cx: &Context<'_>, file: File, node: usize) -> Vec<(String, String)> {
    let relation = semantics::node_relation(cx.db, file, node);
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
        for name in asked_columns(cx, read.node, name) {
            if !out.iter().any(|(n, _)| *n == name) {
                out.push((name, "String".to_owned()));
            }
        }
        for name in said_columns(cx, read.node, name) {
            if !out.iter().any(|(n, _)| *n == name) {
                out.push((name, "String".to_owned()));
            }
        }
    }
    out
}

/// Columns that a query misses when the unknown table is there and has none.
fn asked_columns(cx: &Context<'_>, node: usize, table: &str) -> Vec<String> {
    let nodes = cx.parsed.datafile.nodes();
    let Some((_, body)) = nodes.get(node).and_then(|n| n.sql()) else { return Vec::new() };
    let relation = |now: &dyn Tables, database: Option<&str>, name: &str| {
        let is_it = database.is_none() && name == table;
        if is_it { Some(Arc::new(Relation::of(Vec::new()))) } else { now.relation(database, name) }
    };
    let facts = semantics::meaning_of(cx.db, cx.file, node, &body.text, &relation);
    let faults = facts.into_iter().flat_map(|f| f.faults).filter_map(|fault| match fault.kind {
        FaultKind::UnknownColumn { name, looked_in, .. } if looked_in.iter().any(|(_, t)| t == table) => {
            name.rsplit('.').next().map(str::to_owned)
        }
        _ => None,
    });
    let mut out: Vec<String> = Vec::new();
    for name in faults {
        if !out.contains(&name) {
            out.push(name);
        }
    }
    out
}

/// Columns that a query says are an unknown table's: behind its name or alias and a dot, and in the `USING` of its join.
fn said_columns(cx: &Context<'_>, node: usize, table: &str) -> Vec<String> {
    let nodes = cx.parsed.datafile.nodes();
    let Some((_, body)) = nodes.get(node).and_then(|n| n.sql()) else { return Vec::new() };
    let all = tokens(&body.text);
    let name = |n: usize| {
        let token = all.get(n)?;
        let is_name = matches!(token.kind, TokenKind::Word | TokenKind::Quoted);
        is_name.then(|| token.text(&body.text).trim_matches(['`', '"']))
    };
    let is_sign = |n: usize, sign: &str| all.get(n).is_some_and(|t| t.is_sign(&body.text, sign));
    let is = |n: usize, word: &str| all.get(n).is_some_and(|t| t.is(&body.text, word));
    let mut owners = vec![table];
    let mut out = Vec::new();
    for n in 1..all.len() {
        if name(n) != Some(table) || !(is(n - 1, "FROM") || is(n - 1, "JOIN")) {
            continue;
        }
        let alias = if is(n + 1, "AS") { n + 2 } else { n + 1 };
        let own = name(alias).filter(|word| !crate::sql_context::is_structural(word));
        owners.extend(own);
        // The join that it is in, or the one behind it.
        let using = (n + 1..all.len().min(n + 60)).find(|at| is(*at, "USING"));
        let Some(using) = using else { continue };
        let open = usize::from(is_sign(using + 1, "("));
        let list = (using + 1 + open..all.len()).step_by(2);
        for at in list.take_while(|at| *at == using + 1 + open || is_sign(at - 1, ",")) {
            out.extend(name(at).map(str::to_owned));
        }
    }
    for n in 2..all.len() {
        let is_owned = is_sign(n - 1, ".") && name(n - 2).is_some_and(|owner| owners.contains(&owner));
        out.extend(name(n).filter(|_| is_owned).map(str::to_owned));
    }
    out.dedup();
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

/// A data source from a sample, by the sample's path from the project's root; `None` when there is no such sample, nothing can
/// be read from it, or its data source is there.
pub fn datasource_from_sample(db: &dyn Db, project: Project, path: &Utf8Path) -> Option<Change> {
    let surroundings = project.surroundings(db);
    let sample = surroundings.samples.iter().find(|s| s.path == path)?;
    let name = path.file_stem()?;
    let fields = fields(sample);
    if fields.is_empty() || headwater_analysis::names(db, project).table(name).is_some() {
        return None;
    }
    let files = project.files(db);
    let near =
        files.iter().find(|f| f.kind(db) == Some(FileKind::Datasource)).and_then(|f| f.path(db).parent());
    let folder = near.unwrap_or_else(|| Utf8Path::new("datasources"));
    let created = vec![(folder.join(format!("{name}.datasource")), from_sample(&fields))];
    Some(Change { created, ..Change::default() })
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
    if let Some(change) = datasource_from_sample(cx.db, project, cx.file.path(cx.db)) {
        let name = cx.file.stem(cx.db);
        let title = format!("Create the data source `{name}` from this sample");
        actions.add("from-sample", title, ActionKind::Source, || Some(change));
    }
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
