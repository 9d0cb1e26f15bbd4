//! `/v0/consumers`: who fills tables from the log, how far they are, and how one gets past what it cannot take.

use std::sync::Arc;

use axum::Extension;
use axum::extract::{Path, Request, State};
use axum::http::StatusCode;
use axum::response::Response;
use serde_json::json;

use super::failure::{Failure, json as answer};
use super::guard::{admin, must};
use super::{Door, input};
use crate::tokens::Holder;

const SECTION: &str = "consumers";

pub(super) async fn list(
    State(door): State<Arc<Door>>,
    Extension(holder): Extension<Holder>,
) -> Result<Response, Failure> {
    must(&holder, holder.access.may_look(), "look at the host", "WORKSPACE:READ_ALL")?;
    let worker = door.clone();
    let all = tokio::task::spawn_blocking(move || worker.pipeline.consumers()).await.unwrap_or_default();
    Ok(answer(StatusCode::OK, &json!({ "consumers": all })))
}

/// Has a consumer leave out the range that it stands before: `from`, `to` and `reason`.
pub(super) async fn skip(
    State(door): State<Arc<Door>>,
    Extension(holder): Extension<Holder>,
    Path(name): Path<String>,
    request: Request,
) -> Result<Response, Failure> {
    admin(&holder)?;
    let (head, content) = request.into_parts();
    let (fields, _) = input::read(&door, &head, content, SECTION).await?;
    let number = |field: &'static str| {
        fields
            .number(field, SECTION)?
            .ok_or_else(|| bad(format!("`{field}` is missing: `next` of the consumer says it")))
    };
    let range = (number("from")?, number("to")?);
    let reason = fields.required("reason", SECTION)?.chars().take(500).collect::<String>();
    let (worker, consumer) = (door.clone(), name.clone());
    let done = tokio::task::spawn_blocking(move || worker.pipeline.skip(&consumer, range, &reason)).await;
    match done {
        Ok(Ok(())) => {
            door.audit(&holder, "range-skipped", &format!("{name} {}-{}", range.0, range.1));
            Ok(answer(StatusCode::OK, &json!({ "ok": true })))
        }
        Ok(Err(why)) => Err(Failure::new(StatusCode::CONFLICT, SECTION, why)),
        Err(_) => Err(Failure::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            SECTION,
            "it broke off; look at the consumer again",
        )),
    }
}

fn bad(why: String) -> Failure {
    Failure::new(StatusCode::BAD_REQUEST, SECTION, why)
}
