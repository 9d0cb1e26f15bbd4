//! What one file defines, without places and formatting: the unit of comparison.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use headwater_analysis::{
    Db, Directive, File, FileKind, Interface, NodeType, ParameterFact, ReadFact, datafile, interface,
};
use headwater_syntax::datafile::SourcedEntry;
use headwater_syntax::{Datafile, NodeView, indexes, schema};

use super::canonical;

/// What a file defines.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Definition {
    /// The resource's name.
    pub name: String,
    /// The part that depends on its kind.
    pub body: Body,
    /// What has no effect on data.
    pub meta: Meta,
}

/// The part of a definition that depends on its kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Body {
    /// A data source.
    Table(Box<Table>),
    /// A pipe.
    Pipe(Pipe),
    /// A connection: its settings by directive.
    Connection(BTreeMap<&'static str, String>),
}

/// What has no effect on data.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Meta {
    /// Texts of descriptions, the file's first.
    pub descriptions: Vec<String>,
    /// Tags as written, one layer of white space left out.
    pub tags: Vec<String>,
    /// Static tokens with their permission.
    pub tokens: BTreeSet<(String, String)>,
    /// Workspaces that may read it.
    pub shared_with: BTreeSet<String>,
}

/// A data source's table and how it is filled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table {
    /// Columns in order.
    pub columns: Vec<Column>,
    /// Engine, keys, expiry, settings.
    pub engine: Engine,
    /// Data-skipping indexes in order.
    pub indexes: Vec<Index>,
    /// What it ingests from, by directive.
    pub connector: BTreeMap<&'static str, String>,
    /// The SELECT list that makes rows of this schema out of live rows, as written.
    pub forward_query: Option<String>,
    /// A new target of a view is not filled from history.
    pub backfill_skip: bool,
}

/// A column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    /// Its name.
    pub name: String,
    /// Canonical type; empty when only a DEFAULT is given.
    pub ty: String,
    /// Canonical expression.
    pub default: Option<String>,
    /// Canonical list of codecs.
    pub codec: Option<String>,
    /// Path in ingested JSON.
    pub jsonpath: Option<String>,
}

/// An engine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Engine {
    /// Its name in the engine's spelling.
    pub name: String,
    /// `ENGINE_VER`, `ENGINE_SIGN` and the like, by directive.
    pub arguments: BTreeMap<&'static str, String>,
    /// Columns and expressions.
    pub sorting_key: Vec<String>,
    /// Columns and expressions.
    pub partition_key: Vec<String>,
    /// Columns and expressions; empty when it is the sorting key.
    pub primary_key: Vec<String>,
    /// Columns and expressions.
    pub sampling_key: Vec<String>,
    /// Canonical expression.
    pub ttl: Option<String>,
    /// `ENGINE_SETTINGS` by name.
    pub settings: BTreeMap<String, String>,
}

/// The engines of the format, as the engine spells them: the format compares names in any case.
const ENGINES: &[&str] = &[
    "MergeTree",
    "ReplacingMergeTree",
    "SummingMergeTree",
    "AggregatingMergeTree",
    "CollapsingMergeTree",
    "VersionedCollapsingMergeTree",
    "Null",
    "Join",
];

/// Settings that shape parts when they are written and that the engine refuses to change later, as `MODIFY SETTING`
/// answers.
pub(crate) const FIXED_SETTINGS: &[&str] = &[
    "index_granularity",
    "index_granularity_bytes",
    "enable_mixed_granularity_parts",
    "storage_policy",
    "disk",
    "allow_nullable_key",
];

/// A data-skipping index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Index {
    /// Its name.
    pub name: String,
    /// Canonical expression.
    pub expression: String,
    /// Type with arguments.
    pub ty: String,
    /// Granules per block; the engine's default is 1.
    pub granularity: String,
}

/// A pipe.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pipe {
    /// Nodes in order.
    pub nodes: Vec<Node>,
}

/// A node of a pipe.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node {
    /// Its name.
    pub name: String,
    /// What it becomes.
    pub ty: NodeType,
    /// Canonical query or template.
    pub sql: String,
    /// Tables it names.
    pub reads: Vec<ReadFact>,
    /// Parameters of its template.
    pub parameters: Vec<ParameterFact>,
    /// The data source it writes.
    pub writes: Option<String>,
    /// `DEPLOYMENT_METHOD alter`: changed in place, history stays.
    pub keeps_history: bool,
    /// `COPY_*` and `EXPORT_*` by directive.
    pub job: BTreeMap<&'static str, String>,
}

/// What a file defines; `None` for files that define nothing. Depends on the file's text and what it includes.
#[salsa::tracked]
pub fn definition(db: &dyn Db, file: File) -> Option<Arc<Definition>> {
    let face = interface(db, file).as_ref()?;
    let parsed = &datafile(db, file).datafile;
    let body = match face.kind {
        FileKind::Datasource => Body::Table(Box::new(table(parsed))),
        FileKind::Pipe => Body::Pipe(pipe(parsed, face)),
        FileKind::Connection => Body::Connection(settings(parsed, |d| !is_meta(d))),
        FileKind::Include | FileKind::Token => return None,
    };
    let mut descriptions: Vec<String> = parsed.description().into_iter().collect();
    descriptions.extend(parsed.nodes().iter().filter_map(NodeView::description));
    let tags = parsed.all(Directive::Tags);
    let meta = Meta {
        descriptions,
        tags: tags.flat_map(|e| canonical_list(&text_of(parsed, e))).collect(),
        tokens: face.tokens.iter().cloned().collect(),
        shared_with: face.shared_with.iter().cloned().collect(),
    };
    Some(Arc::new(Definition { name: face.name.clone(), body, meta }))
}

fn canonical_list(text: &str) -> Vec<String> {
    text.split([',', '\n']).map(|t| t.trim().to_owned()).filter(|t| !t.is_empty()).collect()
}

fn text_of(parsed: &Datafile, entry: &SourcedEntry) -> String {
    entry.entry.body(parsed.source_of(entry)).text.trim().to_owned()
}

fn is_meta(directive: Directive) -> bool {
    matches!(
        directive,
        Directive::Description
            | Directive::Tags
            | Directive::Token
            | Directive::SharedWith
            | Directive::Maintainer
    )
}

/// Values of directives, the last of each.
fn settings(parsed: &Datafile, is_meant: impl Fn(Directive) -> bool) -> BTreeMap<&'static str, String> {
    let entries = parsed.entries.iter().filter(|e| e.entry.valid_here);
    let meant = entries.filter_map(|e| Some((e.entry.directive.filter(|d| is_meant(*d))?, e)));
    meant.map(|(d, e)| (d.name(), text_of(parsed, e))).collect()
}

fn is_connector(directive: Directive) -> bool {
    let name = directive.name();
    ["KAFKA_", "IMPORT_", "PG_"].iter().any(|prefix| name.starts_with(prefix))
}

fn table(parsed: &Datafile) -> Table {
    let value = |d| {
        let text = text_of(parsed, parsed.last(d)?);
        Some(text).filter(|t| !t.is_empty())
    };
    let key = |d| value(d).map(|text| canonical::key(&text)).unwrap_or_default();
    let columns = value(Directive::Schema).map(|text| schema::parse(&text).columns).unwrap_or_default();
    let argument = |d: Directive| {
        let text = value(d)?;
        Some((d.name(), canonical::key(&text).join(", ")))
    };
    let name = value(Directive::Engine).unwrap_or_else(|| "MergeTree".to_owned());
    let spelled = ENGINES.iter().find(|e| e.eq_ignore_ascii_case(&name));
    let arguments = [
        Directive::EngineVer,
        Directive::EngineIsDeleted,
        Directive::EngineColumns,
        Directive::EngineSign,
        Directive::EngineVersion,
    ];
    let index_texts = [Directive::Indexes, Directive::Indices].into_iter().filter_map(value);
    let settings_text = value(Directive::EngineSettings).unwrap_or_default();
    Table {
        columns: columns
            .into_iter()
            .map(|c| Column {
                name: c.name.value,
                ty: c.ty.map(|t| canonical::ty(&t.value)).unwrap_or_default(),
                default: c.default.map(|d| canonical::expression(&d.value)),
                codec: c.codec.map(|c| canonical::expression(&c.value)),
                jsonpath: c.jsonpath.map(|p| p.value),
            })
            .collect(),
        engine: Engine {
            name: spelled.map_or(name, |e| (*e).to_owned()),
            arguments: arguments.into_iter().filter_map(argument).collect(),
            sorting_key: key(Directive::EngineSortingKey),
            partition_key: key(Directive::EnginePartitionKey),
            primary_key: key(Directive::EnginePrimaryKey),
            sampling_key: key(Directive::EngineSamplingKey),
            ttl: value(Directive::EngineTtl).map(|t| canonical::expression(t.trim_matches(['"', '\'']))),
            settings: canonical::split(settings_text.trim_matches(['"', '\'']))
                .into_iter()
                .filter_map(|s| s.split_once('='))
                .map(|(name, value)| (name.trim().to_owned(), value.trim().to_owned()))
                .collect(),
        },
        indexes: index_texts
            .flat_map(|text| indexes::parse(&text).0)
            .map(|index| Index {
                name: index.name.value,
                expression: canonical::expression(&index.expression.value),
                ty: canonical::expression(&index.ty.value),
                granularity: index.granularity.map_or_else(|| "1".to_owned(), |g| g.value),
            })
            .collect(),
        connector: settings(parsed, is_connector),
        forward_query: value(Directive::ForwardQuery),
        backfill_skip: value(Directive::Backfill).is_some_and(|v| v.eq_ignore_ascii_case("skip")),
    }
}

fn pipe(parsed: &Datafile, face: &Interface) -> Pipe {
    let views = parsed.nodes();
    let nodes = face.nodes.iter().zip(&views).map(|(fact, view)| Node {
        name: fact.name.clone(),
        ty: fact.ty,
        sql: view.sql().map(|(_, text)| canonical::query(&text.text)).unwrap_or_default(),
        reads: fact.reads.clone(),
        parameters: fact.parameters.clone(),
        writes: fact.writes.clone(),
        keeps_history: view
            .value(Directive::DeploymentMethod)
            .is_some_and(|m| m.eq_ignore_ascii_case("alter")),
        job: job(view),
    });
    Pipe { nodes: nodes.collect() }
}

fn job(view: &NodeView<'_>) -> BTreeMap<&'static str, String> {
    let is_job = |d: Directive| {
        d.name().starts_with("COPY_") || d.name().starts_with("EXPORT_") || d == Directive::OnDemandCompute
    };
    let directives = view.entries.iter().filter_map(|e| e.entry.directive);
    let mut job: BTreeMap<_, _> =
        directives.filter(|d| is_job(*d)).filter_map(|d| Some((d.name(), view.value(d)?))).collect();
    if let Some(mode) = view.value(Directive::Mode) {
        job.entry(Directive::CopyMode.name()).or_insert(mode);
    }
    job
}

impl Definition {
    /// The table of a data source.
    pub fn table(&self) -> Option<&Table> {
        match &self.body {
            Body::Table(table) => Some(table),
            _ => None,
        }
    }

    /// The pipe.
    pub fn pipe(&self) -> Option<&Pipe> {
        match &self.body {
            Body::Pipe(pipe) => Some(pipe),
            _ => None,
        }
    }
}

impl Table {
    /// The column of that name. Linear.
    pub fn column(&self, name: &str) -> Option<&Column> {
        self.columns.iter().find(|c| c.name == name)
    }
}

impl Node {
    /// Whether a request makes its query.
    pub fn is_template(&self) -> bool {
        self.sql.starts_with('%')
    }
}
