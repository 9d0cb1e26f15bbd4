//! The firewall: what a file tells other files about itself.
//!
//! No positions, no bodies. Two texts with equal interfaces are the same to the rest of the project.

use std::sync::Arc;

use headwater_syntax::sql::TableUse;
use headwater_syntax::{Datafile, Dialect, Directive, FileKind, NodeView, schema, template};

use crate::db::Db;
use crate::dialects::{dialect, evidence};
use crate::inputs::File;
use crate::parse::{MAX_NODES, datafile, node_reads};

/// What a file declares.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Interface {
    /// What the file defines.
    pub kind: FileKind,
    /// The resource's name, with Classic's version suffix.
    pub name: String,
    /// First text of the file's description.
    pub description: Option<String>,
    /// Columns of a data source, in order.
    pub columns: Vec<ColumnFact>,
    /// Engine of a data source.
    pub engine: Option<EngineFact>,
    /// Nodes of a pipe, in order.
    pub nodes: Vec<NodeFact>,
    /// The connection a data source ingests from.
    pub connection: Option<String>,
    /// `TYPE` of a connection, in lower case.
    pub service: Option<String>,
    /// Static tokens: name and permission.
    pub tokens: Vec<(String, String)>,
    /// Workspaces that may read a data source.
    pub shared_with: Vec<String>,
}

/// A column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ColumnFact {
    /// Name without backticks.
    pub name: String,
    /// Type as written; empty when only a DEFAULT is given.
    pub ty: String,
    /// Path in the ingested JSON.
    pub jsonpath: Option<String>,
    /// Default expression.
    pub default: Option<String>,
}

/// An engine and its keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EngineFact {
    /// Name as written; `MergeTree` when absent.
    pub name: String,
    /// Sorting key.
    pub sorting_key: Option<String>,
    /// Partition key.
    pub partition_key: Option<String>,
    /// Expiry.
    pub ttl: Option<String>,
}

/// What a node becomes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum NodeType {
    /// A named query for other nodes.
    Standard,
    /// An API endpoint.
    Endpoint,
    /// A materialized view.
    Materialized,
    /// A copy job.
    Copy,
    /// An export.
    Sink,
}

/// A node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodeFact {
    /// Name; empty when the line has none.
    pub name: String,
    /// What it becomes.
    pub ty: NodeType,
    /// Tables it names, sorted, each once.
    pub reads: Vec<ReadFact>,
    /// The data source it writes.
    pub writes: Option<String>,
    /// The connection it exports to.
    pub connection: Option<String>,
    /// A copy that replaces its target.
    pub replaces: bool,
    /// Parameters of its template, sorted by name, typed uses before untyped.
    pub parameters: Vec<ParameterFact>,
    /// Its template makes names of columns or tables from values: which they are, the request decides.
    pub makes_names: bool,
}

/// A copy job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct CopyFact {
    /// Index of the node.
    pub(crate) node: usize,
    /// The data source that it writes.
    pub(crate) target: String,
    /// When it runs; `None` when somebody starts it.
    pub(crate) schedule: Option<String>,
    /// Whether it replaces what is there.
    pub(crate) replaces: bool,
}

/// A table in a query.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ReadFact {
    /// The part before the dot.
    pub database: Option<String>,
    /// Name.
    pub name: String,
    /// Where in the query.
    pub usage: TableUse,
}

/// A request parameter.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct ParameterFact {
    /// Name in the request.
    pub name: String,
    /// Type function.
    pub ty: Option<String>,
    /// Source text of the default.
    pub default: Option<String>,
    /// Description.
    pub description: Option<String>,
}

/// A file's interface; `None` for files that declare no resource (fragments, foreign or deleted files).
#[salsa::tracked]
pub fn interface(db: &dyn Db, file: File) -> Option<Arc<Interface>> {
    let kind = file.kind(db).filter(|k| !matches!(k, FileKind::Include))?;
    if *file.content(db) == crate::inputs::Content::Deleted {
        return None;
    }
    let parsed = datafile(db, file);
    let datafile = &parsed.datafile;
    let is_datasource = kind == FileKind::Datasource;
    let connection =
        [Directive::KafkaConnectionName, Directive::ImportConnectionName, Directive::PgConnectionName]
            .into_iter()
            .find_map(|d| datafile.value(d));
    Some(Arc::new(Interface {
        kind,
        name: resource_name(db, file).clone(),
        description: datafile.description(),
        columns: if is_datasource { columns(datafile) } else { Vec::new() },
        engine: is_datasource.then(|| engine(datafile)),
        nodes: if kind == FileKind::Pipe { nodes(db, file, datafile) } else { Vec::new() },
        connection: connection.filter(|_| is_datasource),
        service: datafile
            .value(Directive::Type)
            .filter(|_| kind == FileKind::Connection)
            .map(|t| t.to_lowercase()),
        tokens: tokens(datafile),
        shared_with: shared_with(datafile),
    }))
}

/// A resource's name: the file's stem, with `__vN` in Classic when `VERSION N` is given.
///
/// Parses nothing unless there is a version: a cold start needs the names of all files to answer for one.
#[salsa::tracked]
pub fn resource_name(db: &dyn Db, file: File) -> String {
    let stem = file.stem(db).to_owned();
    if dialect(db, file.project(db)).dialect == Dialect::Forward || !evidence(db, file).version {
        return stem;
    }
    let version = datafile(db, file).datafile.value(Directive::Version);
    match version.and_then(|v| v.parse::<u32>().ok()) {
        Some(version) => format!("{stem}__v{version}"),
        None => stem,
    }
}

/// The materialized nodes of a pipe and the data sources they write. Parses no SQL.
#[salsa::tracked]
pub(crate) fn materializes(db: &dyn Db, file: File) -> Vec<(usize, String)> {
    if file.kind(db) != Some(FileKind::Pipe) || !evidence(db, file).materialized {
        return Vec::new();
    }
    let parsed = datafile(db, file);
    let nodes = parsed.datafile.nodes();
    let views = nodes.iter().filter(|n| n.node_type().as_deref() == Some("materialized"));
    views.filter_map(|n| Some((n.index, n.value(Directive::Datasource)?))).collect()
}

/// The nodes of a pipe that write data sources, with the names of these, in order of the nodes. Parses no SQL.
pub fn written_tables(db: &dyn Db, file: File) -> Vec<(usize, String)> {
    let mut out = materializes(db, file).clone();
    out.extend(copies(db, file).iter().map(|copy| (copy.node, copy.target.clone())));
    out.sort_by_key(|(node, _)| *node);
    out
}

/// The copy nodes of a pipe. Parses no SQL.
#[salsa::tracked]
pub(crate) fn copies(db: &dyn Db, file: File) -> Vec<CopyFact> {
    if file.kind(db) != Some(FileKind::Pipe) || !evidence(db, file).copy {
        return Vec::new();
    }
    let nodes = datafile(db, file).datafile.nodes();
    let copies = nodes.iter().filter(|n| n.node_type().as_deref() == Some("copy"));
    copies
        .filter_map(|n| {
            let schedule = n.value(Directive::CopySchedule).filter(|s| !s.eq_ignore_ascii_case("@on-demand"));
            Some(CopyFact {
                node: n.index,
                target: n.value(Directive::TargetDatasource)?,
                schedule,
                replaces: replaces(n),
            })
        })
        .collect()
}

fn replaces(node: &NodeView<'_>) -> bool {
    let mode = node.value(Directive::CopyMode).or_else(|| node.value(Directive::Mode));
    mode.is_some_and(|m| m == "replace")
}

fn columns(datafile: &Datafile) -> Vec<ColumnFact> {
    let Some(entry) = datafile.last(Directive::Schema) else { return Vec::new() };
    let text = entry.entry.body(datafile.source_of(entry)).text;
    schema::parse(&text)
        .columns
        .into_iter()
        .map(|c| ColumnFact {
            name: c.name.value,
            ty: c.ty.map(|t| t.value).unwrap_or_default(),
            jsonpath: c.jsonpath.map(|p| p.value),
            default: c.default.map(|d| d.value),
        })
        .collect()
}

fn engine(datafile: &Datafile) -> EngineFact {
    let value = |d| {
        let entry = datafile.last(d)?;
        let text = entry.entry.body(datafile.source_of(entry)).text.trim().to_owned();
        (!text.is_empty()).then_some(text)
    };
    EngineFact {
        name: value(Directive::Engine).unwrap_or_else(|| "MergeTree".to_owned()),
        sorting_key: value(Directive::EngineSortingKey),
        partition_key: value(Directive::EnginePartitionKey),
        ttl: value(Directive::EngineTtl),
    }
}

fn nodes(db: &dyn Db, file: File, datafile: &Datafile) -> Vec<NodeFact> {
    let views = datafile.nodes();
    let mut facts: Vec<_> = views
        .iter()
        .take(MAX_NODES)
        .map(|node| {
            let ty = match node.node_type().as_deref() {
                Some("endpoint") => NodeType::Endpoint,
                Some("materialized") => NodeType::Materialized,
                Some("copy") => NodeType::Copy,
                Some("sink") => NodeType::Sink,
                _ => NodeType::Standard,
            };
            let writes = match ty {
                NodeType::Materialized => node.value(Directive::Datasource),
                NodeType::Copy => node.value(Directive::TargetDatasource),
                _ => None,
            };
            let (parameters, makes_names) = parameters(db, node);
            NodeFact {
                name: node.name().map(|n| n.value).unwrap_or_default(),
                ty,
                reads: Vec::new(),
                writes,
                connection: node.value(Directive::ExportConnectionName),
                replaces: replaces(node),
                parameters,
                makes_names,
            }
        })
        .collect();
    for read in node_reads(db, file) {
        let r = read.reference;
        facts[read.node].reads.push(ReadFact { database: r.database, name: r.name, usage: r.usage });
    }
    for fact in &mut facts {
        fact.reads.sort();
        fact.reads.dedup();
    }
    // Classic publishes the last node of a pipe in which no node has a type.
    if datafile.dialect == Dialect::Classic
        && facts.iter().all(|f| f.ty == NodeType::Standard)
        && let Some(last) = facts.last_mut()
    {
        last.ty = NodeType::Endpoint;
    }
    facts
}

/// The parameters of a node, and whether its template makes names.
fn parameters(db: &dyn Db, node: &NodeView<'_>) -> (Vec<ParameterFact>, bool) {
    let Some((_, sql)) = node.sql().filter(|(_, sql)| template::is_template(&sql.text)) else {
        return (Vec::new(), false);
    };
    let tree = db.memory().template(&sql.text);
    let mut makes_names = false;
    tree.walk_expressions(&mut |e| {
        makes_names |= e.as_call().is_some_and(|(name, ..)| NAME_FUNCTIONS.contains(&name));
    });
    // A type in `{{ }}` wins over one in a control tag, and both over a use without (specification §8.8).
    let mut uses = template::parameters(&sql.text, &tree);
    let key = |p: &template::Parameter| (p.ty.is_none(), !p.in_output);
    uses.sort_by(|a, b| a.name.cmp(&b.name).then(key(a).cmp(&key(b))));
    let fact = |p: template::Parameter| ParameterFact {
        name: p.name,
        ty: p.ty,
        default: p.default,
        description: p.description,
    };
    let mut facts: Vec<_> = uses.into_iter().map(fact).collect();
    facts.dedup();
    (facts, makes_names)
}

/// Functions of templates that print names.
const NAME_FUNCTIONS: &[&str] = &["column", "columns", "symbol", "table", "TABLE"];

fn tokens(datafile: &Datafile) -> Vec<(String, String)> {
    datafile
        .all(Directive::Token)
        .filter_map(|e| {
            let text = datafile.source_of(e);
            let [name, permission] = e.entry.args.as_slice() else { return None };
            let name = text[*name].trim_matches(['"', '\'']).to_owned();
            Some((name, text[*permission].to_ascii_uppercase()))
        })
        .collect()
}

fn shared_with(datafile: &Datafile) -> Vec<String> {
    datafile
        .all(Directive::SharedWith)
        .flat_map(|e| {
            let text = e.entry.body(datafile.source_of(e)).text;
            text.split([',', '\n']).map(|w| w.trim().to_owned()).filter(|w| !w.is_empty()).collect::<Vec<_>>()
        })
        .collect()
}
