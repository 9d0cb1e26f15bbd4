//! `/v1/deploy`: a project on its way to become the live release: the first one, or one that changes no table.

use std::sync::Arc;

use axum::Extension;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::Response;
use serde::Deserialize;
use serde_json::{Value, json};

use super::failure::{Failure, json as answer};
use super::guard::must;
use super::{Door, body, input};
use crate::pipeline::{InstallError, Live};
use crate::project::ProjectFiles;
use crate::tokens::Holder;
use crate::workspace::{Fault, faults, resources};

const SECTION: &str = "deploy";

/// What is wrong is told up to this many times.
const MOST_ERRORS: usize = 200;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Sent {
    files: Vec<SentFile>,
    /// Why, in the words of whoever deploys.
    #[serde(default)]
    message: Option<String>,
    /// Where it comes from.
    #[serde(default)]
    commit: Option<String>,
    /// Whether only to say what would be done.
    #[serde(default)]
    check: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SentFile {
    path: String,
    text: String,
}

/// What is done with a project.
enum Outcome {
    Same(Arc<Live>),
    Live(Arc<Live>),
    Checked,
    Faulty(Vec<Fault>),
}

pub(super) async fn deploy(
    State(door): State<Arc<Door>>,
    Extension(holder): Extension<Holder>,
    request: Request,
) -> Result<Response, Failure> {
    deployers(&holder)?;
    let (head, content) = request.into_parts();
    if input::kind(&head.headers) != input::Kind::Json {
        let message =
            "send the project as JSON: {\"files\": [{\"path\": …, \"text\": …}]}, or use `headwater deploy`";
        return Err(Failure::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, SECTION, message));
    }
    let bytes = body::read(&head.headers, content, door.limits.deploy_bytes, door.limits.body).await?;
    let bad = |why: String| Failure::new(StatusCode::BAD_REQUEST, SECTION, why);
    let sent: Sent =
        serde_json::from_slice(&bytes).map_err(|e| bad(format!("the body is no project: {e}")))?;
    let files = ProjectFiles::new(sent.files.into_iter().map(|f| (f.path, f.text))).map_err(bad)?;
    let files = Arc::new(files);
    let (worker, project) = (door.clone(), files.clone());
    let _held = door.activity.hold("deployment");
    let outcome = tokio::task::spawn_blocking(move || install(&worker, &project, sent.check));
    let outcome =
        outcome.await.unwrap_or_else(|_| Err(InstallError::Failed("the deployment broke off".to_owned())));
    match outcome {
        Ok(Outcome::Live(live)) => {
            door.audit(&holder, "deployed", &live.id);
            door.log_deployment(&holder, &live.id, sent.message.as_deref(), sent.commit.as_deref());
            Ok(answer(StatusCode::OK, &succeeded("success", Some(&live), &files)))
        }
        Ok(Outcome::Same(live)) => Ok(answer(StatusCode::OK, &succeeded("no_changes", Some(&live), &files))),
        Ok(Outcome::Checked) => Ok(answer(StatusCode::OK, &succeeded("success", None, &files))),
        Ok(Outcome::Faulty(faults)) => {
            let errors: Vec<Value> = faults
                .iter()
                .take(MOST_ERRORS)
                .map(|f| json!({ "filename": f.path, "line": f.line, "error": f.message }))
                .collect();
            let first =
                faults.first().map(|f| format!("{}:{}: {}", f.path, f.line, f.message)).unwrap_or_default();
            let body = json!({
                "result": "failed",
                "error": format!("the project has {} errors, the first of them {first}", faults.len()),
                "documentation": "docs/reference/http.md#deploy",
                "deployment": { "status": "failed", "live": false, "errors": errors },
            });
            Ok(answer(StatusCode::BAD_REQUEST, &body))
        }
        Err(error) => {
            let status = match error {
                InstallError::Refused(_) => StatusCode::CONFLICT,
                InstallError::Failed(_) => StatusCode::BAD_REQUEST,
                InstallError::Unavailable(_) => StatusCode::SERVICE_UNAVAILABLE,
            };
            Err(Failure::new(status, SECTION, error.to_string()))
        }
    }
}

/// `GET /v1/deployments`.
pub(super) async fn list(
    State(door): State<Arc<Door>>,
    Extension(holder): Extension<Holder>,
) -> Result<Response, Failure> {
    must(&holder, holder.access.may_look(), "see deployments", "WORKSPACE:DEPLOY")?;
    let shown = |live: &Arc<Live>| json!({ "id": live.id, "status": "data_ready", "live": true });
    let all: Vec<Value> = door.pipeline.live().iter().map(shown).collect();
    Ok(answer(StatusCode::OK, &json!({ "deployments": all })))
}

fn install(door: &Door, files: &Arc<ProjectFiles>, check: bool) -> Result<Outcome, InstallError> {
    let before = door.pipeline.live();
    if let Some(live) = before.as_ref().filter(|live| live.files == *files) {
        return Ok(Outcome::Same(live.clone()));
    }
    let faults = faults(files);
    if !faults.is_empty() {
        return Ok(Outcome::Faulty(faults));
    }
    if files.iter().next().is_none() {
        return Err(InstallError::Failed("the project has no files".to_owned()));
    }
    if let Some(live) = &before {
        let after = resources(files);
        let gone = resources(&live.files).endpoints.into_iter().find(|name| !after.endpoints.contains(name));
        if let Some(name) = gone {
            let message = format!(
                "the endpoint `{name}` would be gone, and who asks it would break: this host takes no endpoint away yet; keep its pipe"
            );
            return Err(InstallError::Refused(message));
        }
    }
    if check && before.is_none() {
        return Ok(Outcome::Checked);
    }
    if check {
        let message = "a release is live: `headwater plan` says what the change would do; the host itself checks first releases";
        return Err(InstallError::Refused(message.to_owned()));
    }
    let live = door.pipeline.install(files.clone())?;
    // Tokens and endpoints are there before whoever deployed is told.
    door.workspace();
    Ok(Outcome::Live(live))
}

fn succeeded(result: &str, live: Option<&Arc<Live>>, files: &ProjectFiles) -> Value {
    let is_new = result == "success";
    let resources = resources(files);
    let named = |names: &[String]| if is_new { names.to_vec() } else { Vec::new() };
    let feedback: Vec<Value> =
        resources.idle.iter().map(|message| json!({ "level": "WARNING", "message": message })).collect();
    json!({
        "result": result,
        "deployment": {
            "id": live.map(|live| &live.id),
            "status": if live.is_some() { "data_ready" } else { "calculating" },
            "live": live.is_some(),
            "errors": [],
            "feedback": feedback,
            "new_datasource_names": named(&resources.sources),
            "new_pipe_names": named(&resources.pipes),
            "new_data_connector_names": named(&resources.connections),
        },
    })
}

fn deployers(holder: &Holder) -> Result<(), Failure> {
    must(holder, holder.access.may_deploy(), "deploy", "WORKSPACE:DEPLOY")
}
