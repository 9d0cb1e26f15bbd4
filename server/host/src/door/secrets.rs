//! `/v0/variables`: the secrets that templates use. Values go in and never come out.

use std::sync::Arc;

use axum::Extension;
use axum::extract::{Path, Request, State};
use axum::http::StatusCode;
use axum::response::Response;
use serde_json::json;

use super::Door;
use super::failure::{Failure, json as answer};
use super::guard::must;
use super::input;
use crate::secrets::SecretError;
use crate::tokens::Holder;

const SECTION: &str = "secrets";

pub(super) async fn list(
    State(door): State<Arc<Door>>,
    Extension(holder): Extension<Holder>,
) -> Result<Response, Failure> {
    deployers(&holder)?;
    let listed: Vec<_> =
        door.secrets.list().into_iter().map(|s| json!({ "name": s.name, "updated_at": s.changed })).collect();
    Ok(answer(StatusCode::OK, &json!({ "variables": listed })))
}

pub(super) async fn create(
    State(door): State<Arc<Door>>,
    Extension(holder): Extension<Holder>,
    request: Request,
) -> Result<Response, Failure> {
    set(&door, &holder, None, request).await
}

pub(super) async fn update(
    State(door): State<Arc<Door>>,
    Extension(holder): Extension<Holder>,
    Path(name): Path<String>,
    request: Request,
) -> Result<Response, Failure> {
    set(&door, &holder, Some(name), request).await
}

pub(super) async fn remove(
    State(door): State<Arc<Door>>,
    Extension(holder): Extension<Holder>,
    Path(name): Path<String>,
) -> Result<Response, Failure> {
    deployers(&holder)?;
    door.secrets.remove(&name).map_err(|e| failure(&e))?;
    door.audit(&holder, "secret-removed", &name);
    Ok(answer(StatusCode::OK, &json!({ "ok": true })))
}

async fn set(
    door: &Door,
    holder: &Holder,
    name: Option<String>,
    request: Request,
) -> Result<Response, Failure> {
    deployers(holder)?;
    let (head, content) = request.into_parts();
    let (fields, _) = input::read(door, &head, content, SECTION).await?;
    let name = match name {
        Some(name) => name,
        None => fields.required("name", SECTION)?.to_owned(),
    };
    let value = fields.required("value", SECTION)?;
    door.secrets.set(&name, value, door.clock.as_ref(), door.entropy.as_ref()).map_err(|e| failure(&e))?;
    door.audit(holder, "secret-set", &name);
    Ok(answer(StatusCode::OK, &json!({ "name": name, "type": "secret" })))
}

fn deployers(holder: &Holder) -> Result<(), Failure> {
    must(holder, holder.access.may_deploy(), "set secrets", "WORKSPACE:DEPLOY")
}

fn failure(error: &SecretError) -> Failure {
    let status = match error {
        SecretError::Missing(_) => StatusCode::NOT_FOUND,
        SecretError::Refused(_) => StatusCode::BAD_REQUEST,
        SecretError::Storage(_) => StatusCode::INTERNAL_SERVER_ERROR,
    };
    Failure::new(status, SECTION, error.to_string())
}
