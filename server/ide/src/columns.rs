//! Columns as things with a definition and uses.

use headwater_analysis::lineage::ColumnVertex;
use headwater_analysis::{Db, File, FileKind, TextRange, Vertex, graph, semantics};
use headwater_catalog::Type;

use crate::Target;
use crate::locate::definition_of;
use crate::place::{key_mentions, mentions, schema_columns, selected};

/// The type of a column, when it is known.
pub(crate) fn type_of(db: &dyn Db, column: &ColumnVertex) -> Option<Type> {
    relation(db, column.vertex).column(&column.column)?.ty.clone()
}

/// The columns of a vertex.
pub(crate) fn relation(db: &dyn Db, vertex: Vertex) -> &semantics::Relation {
    match vertex.node {
        Some(node) => semantics::node_relation(db, vertex.file, node),
        None => semantics::relation(db, vertex.file),
    }
}

/// Where a column is defined: in the schema, or where a node selects it.
pub(crate) fn definition(db: &dyn Db, column: &ColumnVertex) -> Option<Target> {
    let file = column.vertex.file;
    match column.vertex.node {
        None => schema_columns(db, file).into_iter().find_map(|(name, _, range)| {
            let nested = column.column.split('.').next() == Some(&*name.value);
            (name.value == column.column || nested).then_some(Target { file, range, focus: name.range })
        }),
        Some(node) => {
            let found = selected(db, file, node).into_iter().find(|s| s.name == column.column)?;
            let focus = found.focus.unwrap_or(found.item);
            Some(Target { file, range: found.item, focus })
        }
    }
}

/// Every mention of a column by name, without its definition, in order of file and place. Reads the nodes that read
/// the column's table, and no others.
pub(crate) fn uses(db: &dyn Db, column: &ColumnVertex) -> Vec<Target> {
    let graph = graph(db, column.vertex.file.project(db));
    let mut files: Vec<File> = graph.downstream(column.vertex).iter().map(|(v, _)| v.file).collect();
    files.push(column.vertex.file);
    files.sort_by_key(|f| f.path(db).clone());
    files.dedup();
    let definition = definition(db, column);
    let mut out = Vec::new();
    for file in files {
        if column.vertex.node.is_none() && file == column.vertex.file {
            let own = key_mentions(db, file).into_iter().filter(|(name, _)| name.value == column.column);
            out.extend(own.map(|(_, range)| Target { file, range, focus: range }));
        }
        if file.kind(db) != Some(FileKind::Pipe) {
            continue;
        }
        for mention in mentions(db, file) {
            if mention.column != *column {
                continue;
            }
            let focus = mention.name.unwrap_or(mention.range);
            let is_definition = definition.as_ref().is_some_and(|d| d.file == file && d.focus == focus);
            if !is_definition {
                out.push(Target { file, range: mention.range, focus });
            }
        }
    }
    out.dedup();
    out
}

/// Where people look for a column that has no place of its own: its table.
pub(crate) fn definition_or_table(db: &dyn Db, column: &ColumnVertex) -> Target {
    definition(db, column).unwrap_or_else(|| definition_of(db, column.vertex))
}

/// A place without a width.
pub(crate) fn start() -> TextRange {
    TextRange::default()
}
