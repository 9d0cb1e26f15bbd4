//! Data sources as empty tables.

use std::fmt::Write as _;

use headwater_analysis::{Database, File, FileKind, Interface, Project, interface, resource_name, semantics};

/// A table that questions may read.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Table {
    /// What it is called.
    pub name: String,
    /// Statements that make it, the most faithful first: what an engine's own options forbid need not keep queries from
    /// being understood.
    pub statements: Vec<String>,
}

/// The tables of a project, in order of its files. Linear in the number of data sources.
pub fn tables(db: &Database, project: Project) -> Vec<Table> {
    let sources = project.files(db).iter().filter(|f| f.kind(db) == Some(FileKind::Datasource));
    sources.filter_map(|file| table(db, *file)).collect()
}

/// The table of a data source.
pub(crate) fn table(db: &Database, file: File) -> Option<Table> {
    let face = interface(db, file).as_ref()?;
    let name = resource_name(db, file).clone();
    let statements = [true, false].map(|faithful| create(db, file, &name, face, faithful));
    Some(Table { name, statements: statements.into() })
}

/// The statement that makes it: with its own engine, key and defaults, or with the plainest.
fn create(db: &Database, file: File, name: &str, face: &Interface, faithful: bool) -> String {
    let mut columns = String::new();
    for column in &face.columns {
        let comma = if columns.is_empty() { "" } else { ", " };
        let _ = write!(columns, "{comma}{} {}", quoted(&column.name), column.ty);
        if let Some(default) = column.default.as_ref().filter(|_| faithful) {
            let _ = write!(columns, " DEFAULT {default}");
        }
    }
    // Columns that the product adds to messages of Kafka: a query may name them, and a star may not show them.
    let added = semantics::relation(db, file).virtuals.iter();
    for column in added.filter(|c| c.name.as_deref().is_some_and(|n| n.starts_with("__"))) {
        let (Some(name), Some(ty)) = (&column.name, &column.ty) else { continue };
        let _ = write!(columns, ", {} {ty} MATERIALIZED defaultValueOfTypeName('{ty}')", quoted(name));
    }
    let engine = match &face.engine {
        Some(engine) if faithful => {
            let name = if engine.name.contains('(') { "MergeTree" } else { engine.name.as_str() };
            let key = engine.sorting_key.as_deref().unwrap_or("tuple()");
            let is_stored = !name.eq_ignore_ascii_case("Null");
            let partition = engine.partition_key.as_ref();
            let partition = partition.map_or_else(String::new, |key| format!(" PARTITION BY ({key})"));
            let ttl = engine.ttl.as_deref().filter(|ttl| !ttl.trim().is_empty());
            let ttl = ttl.map_or_else(String::new, |ttl| format!(" TTL {ttl}"));
            if is_stored { format!("{name}{partition} ORDER BY ({key}){ttl}") } else { name.to_owned() }
        }
        _ => "MergeTree ORDER BY tuple()".to_owned(),
    };
    format!("CREATE TABLE {} ({columns}) ENGINE = {engine}", quoted(name))
}

/// A name as the engine reads it back.
pub(crate) fn quoted(name: &str) -> String {
    format!("`{}`", name.replace('\\', "\\\\").replace('`', "\\`"))
}
