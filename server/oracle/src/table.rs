//! Data sources as empty tables.

use std::fmt::Write as _;

use headwater_analysis::{
    Database, Directive, File, FileKind, Interface, Project, datafile, interface, resource_name, semantics,
};

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
    let statements = [Likeness::Whole, Likeness::Keys, Likeness::Columns];
    let mut statements = statements.map(|likeness| create(db, file, &name, face, likeness)).to_vec();
    statements.dedup();
    Some(Table { name, statements })
}

/// What an engine is told about columns, in parentheses.
fn arguments(db: &Database, file: File, engine: &str) -> String {
    let directives: &[Directive] = match engine {
        "ReplacingMergeTree" => &[Directive::EngineVer, Directive::EngineIsDeleted],
        "CollapsingMergeTree" => &[Directive::EngineSign],
        "VersionedCollapsingMergeTree" => &[Directive::EngineSign, Directive::EngineVersion],
        "SummingMergeTree" => &[Directive::EngineColumns],
        _ => return String::new(),
    };
    let parsed = datafile(db, file);
    let given = directives.iter().map_while(|directive| {
        let value = parsed.datafile.value(*directive)?;
        let value = value.trim().trim_matches(['(', ')']).to_owned();
        (!value.is_empty()).then_some(value)
    });
    let given: Vec<String> = given.collect();
    match (given.as_slice(), engine) {
        ([], _) => String::new(),
        ([columns], "SummingMergeTree") => format!("(({columns}))"),
        (columns, _) => format!("({})", columns.join(", ")),
    }
}

/// How much of a data source its table has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Likeness {
    /// All that says which rows and queries it takes.
    Whole,
    /// Its engine, sorting and partition key, expiry and defaults.
    Keys,
    /// Its columns, in the plainest engine.
    Columns,
}

/// The statement that makes it.
fn create(db: &Database, file: File, name: &str, face: &Interface, likeness: Likeness) -> String {
    let faithful = likeness != Likeness::Columns;
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
            let is_whole = likeness == Likeness::Whole;
            let arguments = if is_whole { arguments(db, file, name) } else { String::new() };
            let value = |directive| {
                let value = datafile(db, file).datafile.value(directive);
                value.filter(|v| is_whole && !v.trim().is_empty())
            };
            let primary = value(Directive::EnginePrimaryKey);
            let primary = primary.map_or_else(String::new, |key| format!(" PRIMARY KEY ({key})"));
            let sample = value(Directive::EngineSamplingKey);
            let sample = sample.map_or_else(String::new, |key| format!(" SAMPLE BY {key}"));
            if is_stored {
                format!("{name}{arguments}{partition}{primary} ORDER BY ({key}){sample}{ttl}")
            } else {
                name.to_owned()
            }
        }
        _ => "MergeTree ORDER BY tuple()".to_owned(),
    };
    format!("CREATE TABLE {} ({columns}) ENGINE = {engine}", quoted(name))
}

/// A name as the engine reads it back.
pub(crate) fn quoted(name: &str) -> String {
    format!("`{}`", name.replace('\\', "\\\\").replace('`', "\\`"))
}
