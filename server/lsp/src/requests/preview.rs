//! `headwater/preview`: what a node, a part of it, or a query gives on the project's samples. A worker says what is to be shown;
//! a thread of its own ([`crate::preview`]) asks the engine, so that nothing waits for it but the client.

use std::fmt::Write as _;

use camino::Utf8PathBuf;
use headwater_analysis::{File, FileKind, TextRange, datafile, interface};
use headwater_engine::preview::{Column, Rows, layout};
use rustc_hash::FxHashMap;
use serde::{Deserialize, Serialize};
use tower_lsp::gen_lsp_types::{Range, TextDocumentIdentifier};
use tower_lsp::jsonrpc::{Error, ErrorCode};

use super::views;
use crate::preview::{Form, Job, Wanted};
use crate::snapshot::Snapshot;

/// Rows when the client does not say how many, and the most that it gets.
const LIMIT: usize = 100;
const MOST: usize = 10_000;

// protocol: begin
/// Parameters of `headwater/preview`.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct PreviewParams {
    /// A file of the project: the pipe, or any file when there is `sql`.
    pub(crate) text_document: TextDocumentIdentifier,
    /// The node; the one that the pipe gives when there is none.
    pub(crate) node: Option<String>,
    /// A table that the node's `WITH` defines.
    pub(crate) cte: Option<String>,
    /// A selected expression or subquery of a node.
    pub(crate) range: Option<Range>,
    /// A query beside the project; in a pipe's file it may name the nodes.
    pub(crate) sql: Option<String>,
    /// Values of parameters; a list is the value repeated.
    #[serde(default)]
    pub(crate) parameters: FxHashMap<String, ParameterValue>,
    /// Rows at most.
    pub(crate) limit: Option<usize>,
    /// Measure each node of the chain as well.
    #[serde(default)]
    pub(crate) profile: bool,
    /// Say what would be read, and read nothing.
    #[serde(default)]
    pub(crate) estimate: bool,
}

/// The value of a parameter.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
pub(crate) enum ParameterValue {
    One(String),
    Many(Vec<String>),
}

/// Result of `headwater/preview`.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct PreviewResult {
    /// `pipe:node`
    pub(crate) title: String,
    pub(crate) columns: Vec<PreviewColumn>,
    /// Cells as the engine writes them; `null` is NULL.
    pub(crate) rows: Vec<Vec<Option<String>>>,
    /// The row of `WITH TOTALS`.
    pub(crate) totals: Option<Vec<Option<String>>>,
    /// There are more rows than `limit`.
    pub(crate) more: bool,
    pub(crate) cost: PreviewCost,
    /// Empty unless it was asked for.
    pub(crate) profile: Vec<PreviewStep>,
    /// What a person should know: samples that were not read, rows in quarantine.
    pub(crate) notes: Vec<String>,
}

#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct PreviewColumn {
    pub(crate) name: String,
    #[serde(rename = "type")]
    pub(crate) ty: String,
}

#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct PreviewCost {
    /// Seconds in the engine.
    pub(crate) elapsed: f64,
    pub(crate) rows_read: u64,
    pub(crate) bytes_read: u64,
}

#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct PreviewStep {
    /// `pipe:node`
    pub(crate) name: String,
    /// Rows that it gives.
    pub(crate) rows: u64,
    /// Seconds beyond the nodes that it reads.
    pub(crate) own: f64,
    /// The whole query up to here.
    pub(crate) cost: PreviewCost,
}

/// Parameters of `headwater/preview/parameters`.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ParametersParams {
    pub(crate) text_document: TextDocumentIdentifier,
    /// The node; the one that the pipe gives when there is none.
    pub(crate) node: Option<String>,
}

/// Result of `headwater/preview/parameters`.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct ParametersResult {
    pub(crate) parameters: Vec<PreviewParameter>,
}

#[derive(Debug, Clone, Serialize)]
pub(crate) struct PreviewParameter {
    pub(crate) name: String,
    /// `Int32`, `Array`…
    #[serde(rename = "type")]
    pub(crate) ty: Option<String>,
    /// A request without it fails.
    pub(crate) required: bool,
    /// As the template writes it.
    pub(crate) default: Option<String>,
    pub(crate) description: Option<String>,
    /// Values that the template lists.
    pub(crate) values: Vec<String>,
    /// What the pipe was asked with last in this session.
    pub(crate) value: Option<Vec<String>>,
}
// protocol: end

/// The scheme of documents with rows: `headwater-preview:/<path>?project=<path>&node=<name>&<parameter>=<value>`.
pub(crate) const SCHEME: &str = "headwater-preview";

/// What pipes were asked with last, by the project's folder and the path from there.
pub(crate) type Remembered = FxHashMap<(Utf8PathBuf, Utf8PathBuf), Vec<(String, String)>>;

/// `headwater/preview/parameters`
pub(crate) fn parameters(snapshot: &Snapshot, params: &ParametersParams) -> Result<serde_json::Value, Error> {
    let db = &snapshot.db;
    let file = snapshot
        .file(&params.text_document.uri.0)
        .ok_or_else(|| failed("request", "the file belongs to no project"))?;
    let found = headwater_ide::request_parameters(db, file, params.node.as_deref())
        .ok_or_else(|| failed("request", "there is no such node"))?;
    let key = (file.project(db).root(db).clone(), file.path(db).clone());
    let last = snapshot.world.remembered.get(&key).map_or(&[][..], Vec::as_slice);
    let parameter = |parameter: headwater_analysis::syntax::template::Parameter| {
        let values: Vec<String> =
            last.iter().filter(|(name, _)| *name == parameter.name).map(|(_, value)| value.clone()).collect();
        PreviewParameter {
            value: (!values.is_empty()).then_some(values),
            name: parameter.name,
            ty: parameter.ty,
            required: parameter.required,
            default: parameter.default,
            description: parameter.description,
            values: parameter.values,
        }
    };
    let result = ParametersResult { parameters: found.into_iter().map(parameter).collect() };
    serde_json::to_value(result).map_err(|_| Error::internal_error())
}

/// A preview as a text, for clients that show no rows themselves: the argument of a command has the parameters of
/// `headwater/preview` with the document as `uri`.
pub(crate) fn prepare_text(snapshot: &Snapshot, mut argument: serde_json::Value) -> Result<Job, Error> {
    argument["textDocument"] = serde_json::json!({ "uri": argument["uri"] });
    let params: PreviewParams =
        serde_json::from_value(argument).map_err(|error| Error::invalid_params(error.to_string()))?;
    let job = prepare(snapshot, &params)?;
    let address = match snapshot.file(&params.text_document.uri.0) {
        Some(file) => views::preview_address(snapshot, file, params.node.as_deref(), &job.parameters),
        None => String::new(),
    };
    Ok(Job { form: Form::Text(address), ..job })
}

/// The document at an address of [`SCHEME`].
pub(crate) fn prepare_document(
    snapshot: &Snapshot,
    file: File,
    node: Option<&str>,
    pairs: Vec<(String, String)>,
) -> Result<Job, Error> {
    let uri = snapshot.file_uri(file);
    let params: PreviewParams =
        serde_json::from_value(serde_json::json!({ "textDocument": { "uri": uri }, "node": node }))
            .map_err(|error| Error::invalid_params(error.to_string()))?;
    Ok(Job { form: Form::Document, parameters: pairs, ..prepare(snapshot, &params)? })
}

impl PreviewResult {
    /// As a text for people.
    pub(crate) fn text(&self) -> String {
        let column = |name: &str, ty: &str| Column { name: name.to_owned(), ty: ty.to_owned() };
        let rows = Rows {
            columns: self.columns.iter().map(|c| column(&c.name, &c.ty)).collect(),
            rows: self.rows.clone(),
            totals: self.totals.clone(),
            more: self.more,
        };
        let count = self.rows.len() as u64;
        let mut out = format!("{}\n\n{}", self.title, layout::table(&rows, WIDTH));
        let _ = writeln!(
            out,
            "\n{} {}{}; {} in the engine, read {} rows, {}",
            layout::count(count),
            if count == 1 { "row" } else { "rows" },
            if self.more { ", and more" } else { "" },
            layout::time(std::time::Duration::from_secs_f64(self.cost.elapsed.max(0.0))),
            layout::count(self.cost.rows_read),
            layout::bytes(self.cost.bytes_read)
        );
        if !self.profile.is_empty() {
            let step = |step: &PreviewStep| {
                let own = std::time::Duration::from_secs_f64(step.own.max(0.0));
                vec![
                    Some(step.name.clone()),
                    Some(layout::count(step.rows)),
                    Some(layout::time(own)),
                    Some(layout::count(step.cost.rows_read)),
                ]
            };
            let profile = Rows {
                columns: vec![
                    column("node", "String"),
                    column("rows", "UInt64"),
                    column("own time", "UInt64"),
                    column("rows read", "UInt64"),
                ],
                rows: self.profile.iter().map(step).collect(),
                ..Rows::default()
            };
            let _ = write!(out, "\n{}", layout::plain_table(&profile, WIDTH));
        }
        for note in &self.notes {
            let _ = writeln!(out, "note: {note}");
        }
        out
    }
}

/// How wide a text may be: an editor scrolls.
const WIDTH: usize = 240;

/// What is to be asked; errors are for people.
pub(crate) fn prepare(snapshot: &Snapshot, params: &PreviewParams) -> Result<Job, Error> {
    if !snapshot.profile.trusted {
        return Err(failed(
            "untrusted",
            "the folder is not trusted, so no query of it is run; trust the workspace and ask again",
        ));
    }
    let db = &snapshot.db;
    let uri = &params.text_document.uri.0;
    let file = snapshot.file(uri).ok_or_else(|| failed("request", "the file belongs to no project"))?;
    let project = file.project(db);
    let root = project.root(db).clone();
    let of_project = snapshot.world.open.iter().filter(|(_, open)| open.file.project(db) == project);
    let open = of_project.map(|(_, open)| (open.file.path(db).clone(), open.file.text(db))).collect();
    let mut parameters: Vec<(String, String)> = Vec::new();
    for (name, value) in &params.parameters {
        match value {
            ParameterValue::One(value) => parameters.push((name.clone(), value.clone())),
            ParameterValue::Many(values) => {
                parameters.extend(values.iter().map(|v| (name.clone(), v.clone())));
            }
        }
    }
    Ok(Job {
        root,
        open,
        wanted: wanted(snapshot, file, params)?,
        parameters,
        limit: params.limit.unwrap_or(LIMIT).clamp(1, MOST),
        profile: params.profile,
        estimate: params.estimate,
        form: Form::Rows,
    })
}

fn wanted(snapshot: &Snapshot, file: File, params: &PreviewParams) -> Result<Wanted, Error> {
    let db = &snapshot.db;
    let path: Utf8PathBuf = file.path(db).clone();
    let is_pipe = file.kind(db) == Some(FileKind::Pipe);
    if let Some(sql) = &params.sql {
        return Ok(Wanted::Sql(sql.clone(), is_pipe.then_some(path)));
    }
    let face = interface(db, file).as_ref().filter(|_| is_pipe);
    let face = face.ok_or_else(|| failed("request", "only pipes have nodes to be shown"))?;
    if let Some(range) = params.range {
        let range = TextRange::new(
            snapshot.offset(file, range.start),
            snapshot.offset(file, range.end).max(snapshot.offset(file, range.start)),
        );
        let (node, range) = place(snapshot, file, range)
            .ok_or_else(|| failed("request", "the selection is not inside of one node's SQL"))?;
        return Ok(Wanted::Selection(path, node, range));
    }
    let node = match &params.node {
        None => None,
        Some(name) => Some(
            face.nodes
                .iter()
                .position(|n| n.name == *name)
                .ok_or_else(|| failed("request", &format!("the pipe has no node `{name}`")))?,
        ),
    };
    Ok(match (&params.cte, node) {
        (Some(cte), node) => Wanted::Cte(path, node, cte.clone()),
        (None, node) => Wanted::Node(path, node),
    })
}

/// The node whose SQL holds a range of the file, and the range in that text.
fn place(snapshot: &Snapshot, file: File, range: TextRange) -> Option<(usize, TextRange)> {
    let parsed = datafile(&snapshot.db, file);
    parsed.datafile.nodes().into_iter().filter(|node| node.header().source == 0).find_map(|node| {
        let text = &node.sql()?.1;
        let start = text.offset_from_source(range.start())?;
        let last = range.end().checked_sub(1.into()).filter(|last| *last >= range.start())?;
        let end = text.offset_from_source(last)? + headwater_analysis::TextSize::from(1);
        (start < end).then(|| (node.index, TextRange::new(start, end)))
    })
}

/// An error that tells clients what kind of thing went wrong: `untrusted`, `request`, `refused`, `engine`, `unavailable`.
pub(crate) fn failed(kind: &str, message: &str) -> Error {
    // `RequestFailed`
    let mut error = Error::new(ErrorCode::ServerError(-32803));
    error.message = message.to_owned().into();
    error.data = Some(serde_json::json!({ "kind": kind }));
    error
}
