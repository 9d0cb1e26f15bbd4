//! `/v0/events`: rows as they happen, kept before they are acknowledged.

use std::sync::Arc;
use std::time::Duration;

use axum::Extension;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::Response;
use serde_json::{Value, json};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::Door;
use super::failure::{Failure, json as answer};
use super::guard::must;
use super::input::Fields;
use super::{body, datasources};
use crate::pipeline::{AcceptError, Accepted, RowFormat};
use crate::tokens::Holder;

const SECTION: &str = "events";

/// The header with the sender's own name for what it sends.
const KEY: &str = "idempotency-key";

/// How long a request waits until its rows show.
const PATIENCE: Duration = Duration::from_secs(10);

pub(super) async fn events(
    State(door): State<Arc<Door>>,
    Extension(holder): Extension<Holder>,
    request: Request,
) -> Result<Response, Failure> {
    let (head, content) = request.into_parts();
    let fields = Fields::of_query(&head);
    let name = fields.required("name", SECTION)?.to_owned();
    appenders(&holder, &name)?;
    let is_document = match fields.get("format") {
        None | Some("ndjson") => false,
        Some("json") => true,
        Some(_) => return Err(bad("`format` is ndjson or json")),
    };
    let key = key(&head.headers)?;
    let taken = door
        .limits
        .events_rate
        .map(|rate| door.rates.take(&format!("events {name}"), rate, door.clock.elapsed()));
    if let Some(taken) = taken {
        taken.check(SECTION, &format!("`{name}`"))?;
    }
    let limits = door.limits;
    let place = place(&door.ingesting).await?;
    let unpacked = limits.events_bytes.saturating_mul(UNPACKED);
    let (bytes, place) =
        body::read_packed(&head.headers, content, limits.events_bytes, unpacked, limits.body, place).await?;
    if bytes.trim_ascii().is_empty() {
        return Err(bad("there are no rows: send JSON objects, one a line"));
    }
    if is_document && serde_json::from_slice::<serde::de::IgnoredAny>(&bytes).is_err() {
        return Err(bad(
            "the body is no JSON document; with several objects, one a line, leave `format` out",
        ));
    }
    let wait = fields.is_set("wait");
    let source = name.clone();
    let accepted = accept(&door, &name, move |door| {
        let _place = place;
        door.pipeline.accept(&source, bytes, RowFormat::Ndjson, key.as_deref())
    });
    let accepted = accepted.await?;
    let mut told = told(&accepted);
    let mut status = StatusCode::ACCEPTED;
    if wait {
        let waiting = until_seen(&door, &name, accepted.position).await?;
        if waiting.is_empty() {
            status = StatusCode::OK;
        } else {
            told["waiting_for"] = shown_waiting(&waiting, holder.access.may_look());
        }
    }
    let mut response = answer(status, &told);
    if let Some(taken) = taken {
        taken.write(response.headers_mut());
    }
    Ok(response)
}

/// A packed body may become so many times as long as it is allowed to be.
const UNPACKED: usize = 10;

/// Who may add rows.
pub(super) fn appenders(holder: &Holder, name: &str) -> Result<(), Failure> {
    must(holder, holder.access.may_append(name), "add rows to this data source", "DATASOURCES:APPEND:NAME")
}

/// A place among those whose rows are held in memory; nobody waits for one for long. It goes to the thread that has the rows,
/// which goes on when the client is gone, and is free when they are on the disk.
pub(super) async fn place(places: &Arc<Semaphore>) -> Result<OwnedSemaphorePermit, Failure> {
    let wait = places.clone().acquire_owned();
    match tokio::time::timeout(Duration::from_secs(5), wait).await {
        Ok(Ok(place)) => Ok(place),
        _ => {
            let message = "too many rows are on their way in at the moment; send them again in a second";
            Err(Failure::new(StatusCode::SERVICE_UNAVAILABLE, SECTION, message)
                .header(header::RETRY_AFTER, HeaderValue::from_static("1")))
        }
    }
}

/// Keeps rows, on a thread that may wait for the disk.
pub(super) async fn accept(
    door: &Arc<Door>,
    name: &str,
    keep: impl FnOnce(&Door) -> Result<Accepted, AcceptError> + Send + 'static,
) -> Result<Accepted, Failure> {
    let worker = door.clone();
    let kept = tokio::task::spawn_blocking(move || keep(&worker)).await;
    let kept =
        kept.unwrap_or_else(|_| Err(AcceptError::Unsure("whoever kept the rows broke off".to_owned())));
    let accepted = kept.map_err(|error| failure(&error, name))?;
    door.metrics.ingested(name, accepted.rows, accepted.quarantined);
    Ok(accepted)
}

/// Waits until rows show everywhere; says who has not come so far. The rows are kept: where too many wait, it is said at once.
pub(super) async fn until_seen(
    door: &Arc<Door>,
    name: &str,
    position: u64,
) -> Result<Vec<(String, Option<String>)>, Failure> {
    let (worker, source) = (door.clone(), name.to_owned());
    let place = door.waiting.clone().try_acquire_owned();
    let waited = tokio::task::spawn_blocking(move || {
        let patience = if place.is_ok() { PATIENCE } else { Duration::ZERO };
        worker.pipeline.wait(&source, position, patience)
    })
    .await;
    match waited {
        Ok(Ok(waiting)) => Ok(waiting),
        Ok(Err(error)) => Err(failure(&error, name)),
        Err(_) => Ok(vec![("the host".to_owned(), None)]),
    }
}

/// What a sender is told: `quarantine` says why, when rows were put aside.
pub(super) fn told(accepted: &Accepted) -> Value {
    let mut told = json!({ "successful_rows": accepted.rows, "quarantined_rows": accepted.quarantined });
    if accepted.repeated {
        told["repeated"] = true.into();
    }
    if !accepted.verdicts.is_empty() {
        told["quarantine"] = accepted
            .verdicts
            .iter()
            .map(|v| json!({ "line": v.line, "column": v.column, "reason": v.reason }))
            .collect();
    }
    told
}

/// The engine's words are for those who may look at the host.
pub(super) fn shown_waiting(waiting: &[(String, Option<String>)], may_look: bool) -> Value {
    let shown = |(name, why): &(String, Option<String>)| json!({ "consumer": name, "error": why.as_ref().filter(|_| may_look) });
    waiting.iter().map(shown).collect()
}

/// The sender's name for what it sends.
pub(super) fn key(headers: &HeaderMap) -> Result<Option<String>, Failure> {
    let mut keys = headers.get_all(KEY).iter();
    let Some(first) = keys.next() else { return Ok(None) };
    let text = first.to_str().ok().filter(|t| (1..=200).contains(&t.len()));
    match (text, keys.next()) {
        (Some(text), None) => Ok(Some(text.to_owned())),
        _ => Err(bad("there is one Idempotency-Key, of 1 to 200 visible ASCII characters")),
    }
}

fn bad(why: &str) -> Failure {
    Failure::new(StatusCode::BAD_REQUEST, SECTION, why)
}

/// What a sender may do about it stands in the status: 4xx is not worth repeating.
pub(super) fn failure(error: &AcceptError, name: &str) -> Failure {
    let retry = |status, message: String| {
        Failure::new(status, SECTION, message).header(header::RETRY_AFTER, HeaderValue::from_static("5"))
    };
    match error {
        AcceptError::Missing(_) => datasources::no_source(name),
        AcceptError::Invalid(why) => bad(why),
        AcceptError::Busy(why) => retry(StatusCode::SERVICE_UNAVAILABLE, format!("nothing was kept: {why}")),
        AcceptError::Unsure(why) => retry(
            StatusCode::INTERNAL_SERVER_ERROR,
            format!(
                "it is not sure whether the rows were kept: {why}. Sent again under the same Idempotency-Key they are kept once"
            ),
        ),
    }
}
