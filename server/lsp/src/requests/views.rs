//! Documents that are on no disk: `workspace/textDocumentContent` for clients that know it (3.18), and commands for all
//! others. Both give the same texts.

use headwater_ide::View;
use serde::Deserialize;
use serde_json::{Value, json};
use tower_lsp::jsonrpc::Error;

use super::preview;
use super::tests::{AcceptParams, Chosen};
use crate::capabilities::SHOW_VIEW;
use crate::dispatch::Answer;
use crate::snapshot::Snapshot;
use crate::suite::{tests, text};

/// The scheme of their addresses: `headwater:/rendered/<path>?project=<path>&node=<name>&<parameter>=<value>`.
pub(crate) const SCHEME: &str = "headwater";

/// Parameters of the address itself are told from those of a request by this mark.
const OWN: [&str; 2] = ["project", "node"];

/// Which test an outcome is of.
const TEST: &str = "test";

/// The commands, by view.
pub(crate) fn commands() -> Vec<String> {
    let views = View::ALL.iter().map(|(_, name)| command(name));
    views.chain([command(OUTCOME), command(PREVIEW), FROM_SAMPLE.to_owned(), ACCEPT.to_owned()]).collect()
}

/// The view of what became of a test: of a file with tests, `test` names it.
const OUTCOME: &str = "outcome";

/// What a node gives, as a text: for clients that show no rows.
const PREVIEW: &str = "preview";

/// Makes a test expect what came back: answers with the edit, which the client makes.
const ACCEPT: &str = "headwater.acceptResult";

/// Makes a data source from a sample in `fixtures/`: answers with the edit, which the client makes.
const FROM_SAMPLE: &str = "headwater.datasourceFromSample";

fn command(view: &str) -> String {
    format!("headwater.view.{view}")
}

/// The command with which the client shows a view of a file: its address, for clients that open those, and the server's
/// command that gives the same text, for all others. `None` when the client did not say that it runs it.
pub(crate) fn show(
    snapshot: &Snapshot,
    file: headwater_analysis::File,
    view: View,
    title: &str,
) -> Option<Value> {
    let uri = snapshot.uri(&snapshot.path(file));
    let argument = json!({
        "uri": address(snapshot, file, view.name(), None, &[]),
        "language": view.language(),
        "command": command(view.name()),
        "argument": { "uri": uri },
    });
    let command = json!({ "title": title, "command": SHOW_VIEW, "arguments": [argument] });
    snapshot.profile.shows_views.then_some(command)
}

/// The command with which the client shows what became of a test.
pub(crate) fn show_outcome(
    snapshot: &Snapshot,
    file: headwater_analysis::File,
    id: &str,
    title: &str,
) -> Option<Value> {
    let argument = json!({
        "uri": address(snapshot, file, OUTCOME, None, &[(TEST.to_owned(), id.to_owned())]),
        "language": "diff",
        "command": command(OUTCOME),
        "argument": { "uri": snapshot.uri(&snapshot.path(file)), "test": id },
    });
    let command = json!({ "title": title, "command": SHOW_VIEW, "arguments": [argument] });
    snapshot.profile.shows_views.then_some(command)
}

/// What became of a test, as everything stands.
fn outcome(snapshot: &Snapshot, file: headwater_analysis::File, id: &str) -> Option<String> {
    let tests = tests(&snapshot.db, file);
    let n = tests.iter().position(|test| test.id == id)?;
    let known = snapshot.outcomes(file).into_iter().nth(n)?.1;
    Some(match known {
        Some(known) => text::shown(id, &known),
        None => format!("# {id}: not run since the last edit\n"),
    })
}

#[derive(Deserialize)]
pub(crate) struct ContentParams {
    uri: String,
}

/// `workspace/textDocumentContent`
pub(crate) fn content(snapshot: &Snapshot, params: &ContentParams) -> Result<Answer, Error> {
    if let Some(rest) = params.uri.strip_prefix(preview::SCHEME).and_then(|rest| rest.strip_prefix(':')) {
        let place = place(snapshot, rest).ok_or_else(|| Error::invalid_params("there is no such pipe"))?;
        let node = place.own("node");
        let job = preview::prepare_document(snapshot, place.file, node, place.parameters())?;
        return Ok(Answer::Show(Box::new(job)));
    }
    let text = at_address(snapshot, &params.uri);
    text.map(|text| Answer::Result(json!({ "text": text })))
        .ok_or_else(|| Error::invalid_params("there is no such view"))
}

fn at_address(snapshot: &Snapshot, uri: &str) -> Option<String> {
    let rest = uri.strip_prefix(SCHEME)?.strip_prefix(':')?.trim_start_matches('/');
    let (view, rest) = rest.split_once('/')?;
    let place = place(snapshot, rest)?;
    if view == OUTCOME {
        return outcome(snapshot, place.file, place.own(TEST)?);
    }
    headwater_ide::view(&snapshot.db, place.file, View::named(view)?, place.own("node"), &place.parameters())
}

/// What an address means: a file, and what is said behind its path.
struct Place {
    file: headwater_analysis::File,
    pairs: Vec<(String, String)>,
}

impl Place {
    fn own(&self, name: &str) -> Option<&str> {
        self.pairs.iter().find(|(n, _)| n == name).map(|(_, v)| v.as_str())
    }

    /// The parameters of the request.
    fn parameters(&self) -> Vec<(String, String)> {
        self.pairs.iter().filter(|(n, _)| !OWN.contains(&n.as_str())).cloned().collect()
    }
}

/// Reads `<path>?project=<path>&<name>=<value>`.
fn place(snapshot: &Snapshot, rest: &str) -> Option<Place> {
    let (path, query) = rest.trim_start_matches('/').split_once('?').unwrap_or((rest, ""));
    // VS Code encodes a query as a whole, its marks too.
    let is_whole = !query.contains('=');
    let whole = if is_whole { crate::uri::decoded(query) } else { query.to_owned() };
    let decoded = |text: &str| if is_whole { text.to_owned() } else { crate::uri::decoded(text) };
    let pairs: Vec<(String, String)> = whole
        .split('&')
        .filter(|p| !p.is_empty())
        .map(|p| p.split_once('=').unwrap_or((p, "")))
        .map(|(name, value)| (decoded(name), decoded(value)))
        .collect();
    let path = crate::uri::decoded(path.trim_start_matches('/'));
    let wanted = pairs.iter().find(|(n, _)| n == "project").map(|(_, v)| v.as_str());
    let projects = snapshot.world.projects.iter();
    let file = projects
        .filter(|(root, _)| wanted.is_none_or(|w| root == w))
        .find_map(|(root, _)| snapshot.file_at(&root.join(&path)))?;
    Some(Place { file, pairs })
}

#[derive(Deserialize)]
pub(crate) struct CommandParams {
    command: String,
    #[serde(default)]
    arguments: Vec<Value>,
}

#[derive(Deserialize)]
struct Wanted {
    uri: String,
    node: Option<String>,
    test: Option<String>,
    #[serde(default)]
    parameters: serde_json::Map<String, Value>,
}

/// `workspace/executeCommand`: reads, and changes nothing.
pub(crate) fn execute(snapshot: &Snapshot, params: &CommandParams) -> Result<Answer, Error> {
    if params.command == command(PREVIEW) {
        let argument =
            params.arguments.first().cloned().filter(Value::is_object).unwrap_or_else(|| json!({}));
        return preview::prepare_text(snapshot, argument).map(|job| Answer::Show(Box::new(job)));
    }
    read(snapshot, params).map(Answer::Result)
}

fn read(snapshot: &Snapshot, params: &CommandParams) -> Result<Value, Error> {
    if params.command == FROM_SAMPLE {
        return from_sample(snapshot, params);
    }
    let argument = || params.arguments.first().cloned().unwrap_or_default();
    let wrong = |error: serde_json::Error| Error::invalid_params(error.to_string());
    if params.command == ACCEPT {
        let chosen: Chosen = serde_json::from_value(argument()).map_err(wrong)?;
        return super::tests::accept(snapshot, &AcceptParams { tests: vec![chosen] });
    }
    if params.command == command(OUTCOME) {
        let wanted: Wanted = serde_json::from_value(argument()).map_err(wrong)?;
        let id = wanted.test.unwrap_or_default();
        let file = snapshot.file(&wanted.uri);
        let text = file.and_then(|file| outcome(snapshot, file, &id));
        let text = text.ok_or_else(|| Error::invalid_params("there is no such test"))?;
        let address = file.map(|file| address(snapshot, file, OUTCOME, None, &[(TEST.to_owned(), id)]));
        return Ok(json!({ "text": text, "uri": address }));
    }
    let view = View::ALL.iter().find(|(_, name)| command(name) == params.command);
    let Some((view, name)) = view else {
        return Err(Error::invalid_params(format!("there is no command {}", params.command)));
    };
    let wanted: Wanted = serde_json::from_value(argument()).map_err(wrong)?;
    let parameters: Vec<(String, String)> = wanted
        .parameters
        .iter()
        .map(|(n, v)| (n.clone(), v.as_str().map_or_else(|| v.to_string(), str::to_owned)))
        .collect();
    let file = snapshot.file(&wanted.uri);
    let text =
        file.and_then(|f| headwater_ide::view(&snapshot.db, f, *view, wanted.node.as_deref(), &parameters));
    let text = text.ok_or_else(|| Error::invalid_params("there is no such view of this file"))?;
    Ok(
        json!({ "text": text, "uri": file.map(|f| address(snapshot, f, name, wanted.node.as_deref(), &parameters)) }),
    )
}

fn from_sample(snapshot: &Snapshot, params: &CommandParams) -> Result<Value, Error> {
    let uri = params.arguments.first().and_then(|a| a["uri"].as_str()).unwrap_or_default();
    let path = crate::uri::to_path(uri).ok_or_else(|| Error::invalid_params("the argument is `{ uri }`"))?;
    let found = snapshot.world.projects.iter().find_map(|(root, project)| {
        let change =
            headwater_ide::datasource_from_sample(&snapshot.db, *project, path.strip_prefix(root).ok()?)?;
        snapshot.workspace_edit(*project, &change)
    });
    found.ok_or_else(|| {
        Error::invalid_params(format!(
            "{path} is no sample in `fixtures/` that columns can be read from, or its data source is there already"
        ))
    })
}

/// Where [`preview::SCHEME`] has what a node gives.
pub(crate) fn preview_address(
    snapshot: &Snapshot,
    file: headwater_analysis::File,
    node: Option<&str>,
    parameters: &[(String, String)],
) -> String {
    at(snapshot, file, preview::SCHEME, "", node, parameters)
}

fn address(
    snapshot: &Snapshot,
    file: headwater_analysis::File,
    view: &str,
    node: Option<&str>,
    parameters: &[(String, String)],
) -> String {
    at(snapshot, file, SCHEME, &format!("/{view}"), node, parameters)
}

fn at(
    snapshot: &Snapshot,
    file: headwater_analysis::File,
    scheme: &str,
    folder: &str,
    node: Option<&str>,
    parameters: &[(String, String)],
) -> String {
    let db = &snapshot.db;
    let project = file.project(db);
    let mut out = format!(
        "{scheme}:{folder}/{}?project={}",
        crate::uri::encoded(file.path(db).as_str()),
        crate::uri::encoded(project.root(db).as_str())
    );
    let node = node.map(|n| ("node".to_owned(), n.to_owned()));
    for (name, value) in node.iter().chain(parameters) {
        out += &format!("&{}={}", crate::uri::encoded(name), crate::uri::encoded(value));
    }
    out
}
