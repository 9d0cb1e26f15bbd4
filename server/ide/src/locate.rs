//! What stands at a place: the question that hover, definition and references share.

use headwater_analysis::flow::{Vertex, output};
use headwater_analysis::lineage::ColumnVertex;
use headwater_analysis::scope::{self, Resolution};
use headwater_analysis::{
    Db, Directive, File, FileKind, ReadFact, TextRange, TextSize, datafile, interface, names, node_reads,
};

use crate::Target;

/// Something with a meaning, and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Located {
    pub(crate) range: TextRange,
    pub(crate) what: What,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum What {
    /// A data source, connection or node, by use or by definition.
    Vertex(Vertex),
    /// A data source of the product itself.
    Service { database: String, name: String },
    /// A directive's first word.
    Directive(Directive),
    /// A static token's name.
    Token(String),
    /// The path of an `INCLUDE`.
    Include(File),
    /// A column, by mention or by definition.
    Column(ColumnVertex),
    /// A name that the query itself gives: an alias, a query of `WITH`.
    Local {
        name: String,
        /// Where it is given.
        definition: TextRange,
        /// Whether it names a query.
        is_query: bool,
    },
    /// A parameter of the pipe's templates.
    Parameter(String),
    /// A function of SQL.
    Function(String),
    /// A function of templates.
    TemplateFunction(String),
    /// A family of types.
    Type(String),
    /// A setting of queries or tables.
    Setting { name: String, is_merge_tree: bool },
    /// A format.
    Format(String),
    /// A table engine.
    Engine(String),
    /// A schedule.
    Schedule(String),
    /// A secret's name.
    Secret(String),
    /// An expression of this type, when nothing else stands there.
    Expression(String),
}

/// What stands at `offset` of the file's own text.
pub(crate) fn locate(db: &dyn Db, file: File, offset: TextSize) -> Option<Located> {
    let hit = |range: TextRange| range.contains_inclusive(offset);
    let found = all(db, file).into_iter().find(|l| hit(l.range));
    found.or_else(|| crate::place::inside(db, file, offset)).or_else(|| {
        let parsed = datafile(db, file);
        let entry = parsed.datafile.entries.iter().find(|e| e.source == 0 && hit(e.entry.keyword))?;
        let what = What::Directive(entry.entry.directive?);
        Some(Located { range: entry.entry.keyword, what })
    })
}

/// Every use and definition in a file, tables of queries first.
pub(crate) fn all(db: &dyn Db, file: File) -> Vec<Located> {
    let mut out = Vec::new();
    let names = names(db, file.project(db));
    let face = interface(db, file).as_ref();
    for read in node_reads(db, file).into_iter().filter(|r| r.source == 0) {
        let r = read.reference;
        let fact = ReadFact { database: r.database, name: r.name, usage: r.usage };
        let pipe = face.map(|f| (&**f, read.node));
        let what = match scope::resolve(names, pipe, &fact) {
            Resolution::Node(n) => What::Vertex(Vertex { file, node: Some(n) }),
            Resolution::Resource(f) | Resolution::Quarantine(f) => What::Vertex(output(db, f)),
            Resolution::Service => {
                What::Service { database: fact.database.unwrap_or_default(), name: fact.name }
            }
            _ => continue,
        };
        out.push(Located { range: read.range, what });
    }
    let parsed = datafile(db, file);
    for entry in parsed.datafile.entries.iter().filter(|e| e.source == 0) {
        let Some(directive) = entry.entry.directive else { continue };
        if directive == Directive::Token {
            if let Some(range) = entry.entry.args.first() {
                let name = parsed.datafile.source_of(entry)[*range].trim_matches(['"', '\'']).to_owned();
                out.push(Located { range: *range, what: What::Token(name) });
            }
            continue;
        }
        let name = || entry.entry.value(parsed.datafile.source_of(entry));
        let target = match directive {
            Directive::Datasource | Directive::TargetDatasource => name().and_then(|n| names.table(&n)),
            Directive::KafkaConnectionName
            | Directive::ImportConnectionName
            | Directive::PgConnectionName
            | Directive::ExportConnectionName => name().and_then(|n| scope::resolve_connection(names, &n)),
            _ => None,
        };
        if let Some(target) = target {
            out.push(Located { range: entry.entry.args_range(), what: What::Vertex(output(db, target)) });
        }
    }
    for node in parsed.datafile.nodes().iter().filter(|n| n.header().source == 0) {
        if let Some(name) = node.name() {
            out.push(Located {
                range: name.range,
                what: What::Vertex(Vertex { file, node: Some(node.index) }),
            });
        }
    }
    for include in parsed.includes.iter().filter(|i| i.source == 0) {
        if let Some(target) = include.target {
            out.push(Located { range: include.range, what: What::Include(target) });
        }
    }
    out
}

/// Where a vertex is defined. Data sources and connections are their whole file, shown at its first line.
pub(crate) fn definition_of(db: &dyn Db, vertex: Vertex) -> Target {
    let start = TextRange::empty(TextSize::from(0));
    let file = vertex.file;
    let parsed = datafile(db, file);
    let nodes = parsed.datafile.nodes();
    let node = vertex.node.and_then(|n| nodes.get(n)).filter(|n| n.header().source == 0);
    match node {
        Some(node) => {
            let focus = node.name().map_or(node.header().entry.keyword, |n| n.range);
            Target { file, range: node.range(), focus }
        }
        None => {
            let whole = TextRange::up_to(TextSize::of(parsed.datafile.text()));
            Target { file, range: if file.kind(db).is_some() { whole } else { start }, focus: start }
        }
    }
}

/// A vertex's name for people: `events`, or `top_pages:filtered` for a node that is not its pipe's result.
pub(crate) fn label(db: &dyn Db, vertex: Vertex) -> String {
    let Some(face) = interface(db, vertex.file) else { return vertex.file.stem(db).to_owned() };
    match vertex.node.and_then(|n| face.nodes.get(n)) {
        Some(node) if output(db, vertex.file) != vertex => format!("{}:{}", face.name, node.name),
        _ => face.name.clone(),
    }
}

/// "data source", "endpoint", "node"…
pub(crate) fn noun(db: &dyn Db, vertex: Vertex) -> &'static str {
    use headwater_analysis::NodeType::{Copy, Endpoint, Materialized, Sink, Standard};
    let face = interface(db, vertex.file).as_ref();
    match (vertex.file.kind(db), vertex.node.and_then(|n| face?.nodes.get(n))) {
        (Some(FileKind::Pipe), Some(node)) => match node.ty {
            Standard => "node",
            Endpoint => "endpoint",
            Materialized => "materialized view",
            Copy => "copy",
            Sink => "sink",
        },
        (Some(kind), _) => kind.noun(),
        (None, _) => "file",
    }
}
