//! Nodes, and resources with their files.

use camino::{Utf8Path, Utf8PathBuf};
use headwater_analysis::flow::output;
use headwater_analysis::query::{BaseColumn, Tables};
use headwater_analysis::syntax::template::{self, ExprKind};
use headwater_analysis::{
    Db, File, FileKind, TextRange, TextSize, Vertex, access, graph, interface, is_reserved_name, names,
    node_reads,
};

use super::verify::{self, Renames};
use super::{Refusal, Renamed, check_name, name_in, node_name, refuse};
use crate::change::{Annotation, Change};
use crate::locate::{What, all, definition_of, label};
use crate::place::mentions;
use crate::tokens::tokens;

/// A node, in its pipe.
pub(super) fn node(db: &dyn Db, vertex: Vertex, to: &str) -> Renamed {
    check_name(to)?;
    super::words::check_table(to)?;
    let file = vertex.file;
    let Some(name) = node_name(db, vertex) else { return refuse("this node has no name yet") };
    if let Some(face) = interface(db, file) {
        if face.nodes.iter().any(|n| n.name == to) {
            return refuse(format!("this pipe has a node `{to}` already"));
        }
        if face.name == to {
            return refuse(format!("a node cannot have its pipe's name `{to}`"));
        }
        // A read of that table would mean the node from now on.
        let reads =
            |n: &headwater_analysis::NodeFact| n.reads.iter().any(|r| r.database.is_none() && r.name == to);
        if face.nodes.iter().any(reads) {
            return refuse(format!(
                "a node of this pipe reads the table `{to}`, which would mean this node then"
            ));
        }
    }
    let mut change = Change::default();
    let definition = definition_of(db, vertex);
    let text = file.text(db);
    let Some(range) = name_in(&text, definition.focus, &name) else {
        return refuse("the node's name cannot be changed");
    };
    change.push(file, range, to, None);
    uses_in(db, file, vertex, &name, to, &mut change)?;
    verified(db, file, vertex, (&name, to), &change)?;
    Ok(change)
}

/// A resource, with its file, tests and samples.
pub(super) fn resource(db: &dyn Db, file: File, to: &str) -> Renamed {
    check_name(to)?;
    let path = file.path(db);
    let extension = path.extension().unwrap_or_default();
    let target = path.with_file_name(format!("{to}.{extension}"));
    let mut change = references(db, file, to)?;
    change.renamed.push((path.clone(), target));
    change.annotations.push(Annotation {
        label: "Files".to_owned(),
        description: Some("tests and samples are found by the resource's name".to_owned()),
        needs_confirmation: false,
    });
    for test in access::test_files(db, file.project(db)).get(&file).into_iter().flatten() {
        let path = test.path(db);
        change.renamed.push((path.clone(), with_stem(path, to)));
    }
    if file.kind(db) == Some(FileKind::Datasource)
        && let Some(sample) = file.project(db).surroundings(db).sample_of(file.stem(db))
    {
        change.renamed.push((sample.path.clone(), with_stem(&sample.path, to)));
    }
    Ok(change)
}

fn with_stem(path: &Utf8Path, stem: &str) -> Utf8PathBuf {
    path.with_file_name(format!("{stem}.{}", path.extension().unwrap_or_default()))
}

/// Every mention of a resource by name.
fn references(db: &dyn Db, file: File, to: &str) -> Renamed {
    let project = file.project(db);
    let names = names(db, project);
    let kind = file.kind(db);
    let Some(face) = interface(db, file) else { return refuse("this file defines nothing that has a name") };
    let old = face.name.clone();
    if old != file.stem(db) {
        return refuse(format!("`{old}` has its version in its name; rename it by hand"));
    }
    let is_taken = if kind == Some(FileKind::Connection) {
        names.connections.contains_key(to)
    } else {
        names.table(to).is_some()
    };
    if is_taken {
        return refuse(format!("there is a resource `{to}` already"));
    }
    if is_reserved_name(to) {
        return refuse(format!("`{to}` is reserved: no resource can have that name"));
    }
    if face.nodes.iter().any(|node| node.name == to) {
        return refuse(format!(
            "a node of this pipe is called `{to}`, and a pipe cannot have the name of its node"
        ));
    }
    if kind != Some(FileKind::Connection) {
        super::words::check_table(to)?;
        if to.strip_suffix("_quarantine").is_some_and(|base| names.table(base).is_some()) {
            return refuse(format!("`{to}` is the quarantine table of another data source"));
        }
        if names.table(&format!("{to}_quarantine")).is_some() {
            return refuse(format!(
                "there is a `{to}_quarantine`, which would be this one's quarantine table then"
            ));
        }
    }
    let same =
        if kind == Some(FileKind::Connection) { names.connections.get(&old) } else { names.tables.get(&old) };
    if same.is_some_and(|files| files.len() > 1) {
        return refuse(format!(
            "several files define `{old}`, and nobody can tell which one is meant; rename one file by hand"
        ));
    }
    if names.vendored.values().any(|v| *v == file) {
        return refuse(format!("`{old}` belongs to another workspace"));
    }
    let vertex = output(db, file);
    let graph = graph(db, project);
    let mut users: Vec<File> =
        graph.downstream(vertex).iter().chain(graph.upstream(vertex)).map(|(v, _)| v.file).collect();
    // A pipe is written by nobody, and named by whoever reads it.
    let count = face.nodes.len();
    for node in 0..count {
        users.extend(graph.downstream(Vertex { file, node: Some(node) }).iter().map(|(v, _)| v.file));
    }
    users.push(file);
    users.sort_by_key(|f| f.path(db).clone());
    users.dedup();
    let mut change = Change::default();
    for user in users.iter().copied() {
        if let Some(face) = interface(db, user)
            && kind != Some(FileKind::Connection)
            && face.nodes.iter().any(|n| n.name == to)
            && user != file
        {
            return refuse(format!("`{}` has a node `{to}`, which would hide the resource", user.path(db)));
        }
        uses_in(db, user, vertex, &old, to, &mut change)?;
    }
    if kind != Some(FileKind::Connection) {
        for pipe in project.files(db).iter().filter(|f| f.kind(db) == Some(FileKind::Pipe)) {
            made_names(db, *pipe, &old, to, &mut change)?;
        }
        for user in users {
            verified(db, user, vertex, (&old, to), &change)?;
        }
    }
    Ok(change)
}

/// Names that templates make: `{{table(source, 'events')}}`. The default is the name of a table as it stands; another text of
/// the same letters in such a template may become one, and nobody can tell.
fn made_names(db: &dyn Db, pipe: File, old: &str, to: &str, change: &mut Change) -> Result<(), Refusal> {
    let parsed = headwater_analysis::datafile(db, pipe);
    for node in parsed.datafile.nodes() {
        let Some((entry, body)) = node.sql() else { continue };
        if !template::is_template(&body.text) || !body.text.contains(old) {
            continue;
        }
        let tree = template::parse(&body.text);
        let mut makes_tables = false;
        let mut defaults: Vec<TextRange> = Vec::new();
        let mut texts: Vec<TextRange> = Vec::new();
        tree.walk_expressions(&mut |expr| {
            if matches!(&expr.kind, ExprKind::Str(text) if text == old) {
                texts.push(expr.range);
            }
            let Some((name, args, keywords)) = expr.as_call() else { return };
            if matches!(name, "table" | "TABLE") {
                makes_tables = true;
                let named = keywords.iter().find(|k| k.0.value == "default").map(|k| &k.1);
                let default = args.get(1).or(named);
                let is_name = |e: &&template::Expr| matches!(&e.kind, ExprKind::Str(text) if text == old);
                defaults.extend(default.filter(is_name).map(|e| e.range));
            }
        });
        if !makes_tables {
            continue;
        }
        let is_written = |range: &TextRange| body.text[*range].len() == old.len() + 2;
        if entry.source != 0 || texts.iter().any(|t| !defaults.contains(t) || !is_written(t)) {
            return refuse(format!(
                "a template of `{}` makes names of tables and holds the text `{old}`; rename it by hand",
                pipe.path(db)
            ));
        }
        for range in defaults {
            let one = TextSize::from(1);
            let inner = TextRange::new(range.start() + one, range.end() - one);
            change.push(pipe, body.to_source(inner), to, None);
        }
    }
    Ok(())
}

/// Every query of a file must mean what it meant, with a table under another name.
fn verified(
    db: &dyn Db,
    user: File,
    vertex: Vertex,
    (old, to): (&str, &str),
    change: &Change,
) -> Result<(), Refusal> {
    let count = interface(db, user).as_ref().map_or(0, |face| face.nodes.len());
    for node in 0..count {
        let is_ours = |base: &BaseColumn| {
            base.table == old && crate::place::vertex_of(db, user, node, base) == Some(vertex)
        };
        let relation = |now: &dyn Tables, database: Option<&str>, name: &str| {
            let name = if name == to && database.is_none() { old } else { name };
            now.relation(database, name)
        };
        let base = |base: &BaseColumn| BaseColumn {
            table: if is_ours(base) { to.to_owned() } else { base.table.clone() },
            ..base.clone()
        };
        let renames =
            Renames { relation: &relation, base: &base, output: &|name| name.to_owned(), is_inside: false };
        verify::node(db, user, node, change, &renames, to)?;
    }
    Ok(())
}

/// Mentions of a vertex in one file: tables of queries, targets, connections, and names before a column's dot.
fn uses_in(
    db: &dyn Db,
    user: File,
    vertex: Vertex,
    old: &str,
    to: &str,
    change: &mut Change,
) -> Result<(), Refusal> {
    let text = user.text(db);
    if node_reads(db, user).iter().any(|r| r.source != 0 && r.reference.name == old) {
        return refuse(format!("a file that `{}` includes names `{old}`; rename it by hand", user.path(db)));
    }
    let definition = definition_of(db, vertex);
    for located in all(db, user) {
        let is_own_name = user == definition.file && located.range == definition.focus;
        if located.what != What::Vertex(vertex) || is_own_name {
            continue;
        }
        let written = text[located.range].trim_matches(['"', '\'', '`']);
        let (name, new) = if written == format!("{old}_quarantine") {
            (format!("{old}_quarantine"), format!("{to}_quarantine"))
        } else {
            (old.to_owned(), to.to_owned())
        };
        match name_in(&text, located.range, &name) {
            Some(range) => change.push(user, range, new, None),
            None => {
                return refuse(format!(
                    "`{written}` in `{}` means `{}` by another name",
                    user.path(db),
                    label(db, vertex)
                ));
            }
        }
    }
    if user.kind(db) != Some(FileKind::Pipe) {
        return Ok(());
    }
    // `events.ts`
    for mention in mentions(db, user).into_iter().filter(|m| m.column.vertex == vertex) {
        let Some(name) = mention.name else { continue };
        let before = &text[TextRange::new(mention.range.start(), name.start())];
        let qualifier = before.trim_end_matches('`').trim_end_matches('.');
        if qualifier.trim_matches('`') == old && !before.is_empty() {
            let quote = TextSize::from(u32::from(qualifier.starts_with('`')));
            let start = mention.range.start() + quote;
            change.push(user, TextRange::at(start, TextSize::of(old)), to, None);
        }
    }
    stars(db, user, old, to, vertex, change);
    Ok(())
}

/// `events.*`
fn stars(db: &dyn Db, user: File, old: &str, to: &str, vertex: Vertex, change: &mut Change) {
    let parsed = headwater_analysis::datafile(db, user);
    let reads: Vec<usize> = all(db, user)
        .into_iter()
        .filter(|l| l.what == What::Vertex(vertex))
        .filter_map(|l| parsed.datafile.nodes().iter().position(|n| n.range().contains_range(l.range)))
        .collect();
    for node in parsed.datafile.nodes().iter().filter(|n| reads.contains(&n.index)) {
        let Some((_, body)) = node.sql().filter(|(e, _)| e.source == 0) else { continue };
        let all = tokens(&body.text);
        for window in all.windows(3) {
            let is_star = window[1].is_sign(&body.text, ".") && window[2].is_sign(&body.text, "*");
            if is_star && window[0].text(&body.text) == old {
                change.push(user, body.to_source(window[0].range), to, None);
            }
        }
    }
}

/// What should change when files get other names: `(file, new path from the root)` for each.
pub fn will_rename(db: &dyn Db, files: &[(File, Utf8PathBuf)]) -> Change {
    let mut change = Change::default();
    for (file, to) in files {
        let (Some(stem), false) = (to.file_stem(), to.extension() != file.path(db).extension()) else {
            continue;
        };
        if stem == file.stem(db) {
            continue;
        }
        // What cannot be renamed exactly is left as it is: the file moves all the same.
        let Ok(one) = check_name(stem).and_then(|()| references(db, *file, stem)) else { continue };
        for (file, edits) in one.edits {
            for edit in edits {
                change.push(file, edit.range, edit.text, None);
            }
        }
    }
    change
}
