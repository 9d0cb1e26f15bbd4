//! Documents that are on no disk: `workspace/textDocumentContent` for clients that know it (3.18), and commands for all
//! others. Both give the same texts.

use headwater_ide::View;
use serde::Deserialize;
use serde_json::{Value, json};
use tower_lsp::jsonrpc::Error;

use crate::capabilities::SHOW_VIEW;
use crate::snapshot::Snapshot;

/// The scheme of their addresses: `headwater:/rendered/<path>?project=<path>&node=<name>&<parameter>=<value>`.
pub(crate) const SCHEME: &str = "headwater";

/// Parameters of the address itself are told from those of a request by this mark.
const OWN: [&str; 2] = ["project", "node"];

/// The commands, by view.
pub(crate) fn commands() -> Vec<String> {
    View::ALL.iter().map(|(_, name)| command(name)).chain([FROM_SAMPLE.to_owned()]).collect()
}

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

#[derive(Deserialize)]
pub(crate) struct ContentParams {
    uri: String,
}

/// `workspace/textDocumentContent`
pub(crate) fn content(snapshot: &Snapshot, params: &ContentParams) -> Result<Value, Error> {
    let text = at_address(snapshot, &params.uri);
    text.map(|text| json!({ "text": text })).ok_or_else(|| Error::invalid_params("there is no such view"))
}

fn at_address(snapshot: &Snapshot, uri: &str) -> Option<String> {
    let rest = uri.strip_prefix(SCHEME)?.strip_prefix(':')?.trim_start_matches('/');
    let (path, query) = rest.split_once('?').unwrap_or((rest, ""));
    let (view, path) = path.split_once('/')?;
    let view = View::named(view)?;
    let pairs: Vec<(String, String)> = query
        .split('&')
        .filter(|p| !p.is_empty())
        .map(|p| p.split_once('=').unwrap_or((p, "")))
        .map(|(name, value)| (crate::uri::decoded(name), crate::uri::decoded(value)))
        .collect();
    let own = |name: &str| pairs.iter().find(|(n, _)| n == name).map(|(_, v)| v.as_str());
    let path = crate::uri::decoded(path);
    let wanted = own("project");
    let projects = snapshot.world.projects.iter();
    let file = projects
        .filter(|(root, _)| wanted.is_none_or(|w| root == w))
        .find_map(|(root, _)| snapshot.file_at(&root.join(&path)))?;
    let parameters: Vec<_> = pairs.iter().filter(|(n, _)| !OWN.contains(&n.as_str())).cloned().collect();
    headwater_ide::view(&snapshot.db, file, view, own("node"), &parameters)
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
    #[serde(default)]
    parameters: serde_json::Map<String, Value>,
}

/// `workspace/executeCommand`: reads, and changes nothing.
pub(crate) fn execute(snapshot: &Snapshot, params: &CommandParams) -> Result<Value, Error> {
    if params.command == FROM_SAMPLE {
        return from_sample(snapshot, params);
    }
    let view = View::ALL.iter().find(|(_, name)| command(name) == params.command);
    let Some((view, name)) = view else {
        return Err(Error::invalid_params(format!("there is no command {}", params.command)));
    };
    let argument = params.arguments.first().cloned().unwrap_or_default();
    let wanted: Wanted =
        serde_json::from_value(argument).map_err(|e| Error::invalid_params(e.to_string()))?;
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

fn address(
    snapshot: &Snapshot,
    file: headwater_analysis::File,
    view: &str,
    node: Option<&str>,
    parameters: &[(String, String)],
) -> String {
    let db = &snapshot.db;
    let project = file.project(db);
    let mut out = format!(
        "{SCHEME}:/{view}/{}?project={}",
        crate::uri::encoded(file.path(db).as_str()),
        crate::uri::encoded(project.root(db).as_str())
    );
    let node = node.map(|n| ("node".to_owned(), n.to_owned()));
    for (name, value) in node.iter().chain(parameters) {
        out += &format!("&{}={}", crate::uri::encoded(name), crate::uri::encoded(value));
    }
    out
}
