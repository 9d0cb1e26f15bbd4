//! What a host says about itself, and how it is ended.

use std::sync::Arc;

use axum::Extension;
use axum::extract::State;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};

use super::Door;
use super::failure::{Failure, json};
use super::guard::{admin, must};
use super::metrics::Now;
use crate::clock::rfc3339;
use crate::log::Level;
use crate::protocol::{Health, Status};
use crate::tokens::Holder;

pub(super) async fn health(State(door): State<Arc<Door>>, Extension(holder): Extension<Holder>) -> Response {
    let mut engine = door.engine.health();
    let status = if engine.message.is_none() { "ok" } else { "degraded" };
    // It names folders of this machine.
    if !holder.access.may_look() {
        engine.message = None;
    }
    // 200 either way: the door is well, and restarting it would not bring an engine.
    json(StatusCode::OK, &Health { status: status.to_owned(), engine })
}

/// What is about the host itself is not for tokens that stand in web pages.
fn lookers(holder: &Holder) -> Result<(), Failure> {
    must(holder, holder.access.may_look(), "look at the host", "WORKSPACE:READ_ALL")
}

pub(super) async fn metrics(State(door): State<Arc<Door>>, Extension(holder): Extension<Holder>) -> Response {
    if let Err(failure) = lookers(&holder) {
        return failure.into_response();
    }
    let now = Now {
        running: door.activity.running().saturating_sub(1),
        engine_up: door.engine.health().message.is_none(),
        engine_starts: door.engine.starts(),
        log_lost: door.log.lost(),
        uptime: door.clock.elapsed().saturating_sub(door.about.started_elapsed),
    };
    match door.metrics.text(&now) {
        Ok(text) => {
            let kind = HeaderValue::from_static("application/openmetrics-text; version=1.0.0; charset=utf-8");
            ([(header::CONTENT_TYPE, kind)], text).into_response()
        }
        Err(e) => Failure::new(StatusCode::INTERNAL_SERVER_ERROR, "metrics", e.to_string()).into_response(),
    }
}

pub(super) async fn version(State(door): State<Arc<Door>>) -> Response {
    json(StatusCode::OK, &door.about.version)
}

pub(super) async fn status(State(door): State<Arc<Door>>, Extension(holder): Extension<Holder>) -> Response {
    if let Err(failure) = lookers(&holder) {
        return failure.into_response();
    }
    let about = &door.about;
    let status = Status {
        version: about.version.clone(),
        pid: std::process::id(),
        started: rfc3339(about.started),
        uptime_seconds: door.clock.elapsed().saturating_sub(about.started_elapsed).as_secs(),
        data: about.data.clone(),
        listen: about.listen.clone(),
        engine: door.engine.health(),
        engine_pid: door.engine.pids().first().copied(),
        engine_starts: door.engine.starts(),
        running_requests: door.activity.running().saturating_sub(1),
        holds: door.activity.holds(),
        idle_exit_seconds: about.idle_exit.map(|d| d.as_secs()),
    };
    json(StatusCode::OK, &status)
}

/// Ends the host once what runs is answered.
pub(super) async fn stop(State(door): State<Arc<Door>>, Extension(holder): Extension<Holder>) -> Response {
    if let Err(failure) = admin(&holder) {
        return failure.into_response();
    }
    door.log.event(Level::Info, "stop-requested", [("token", holder.name.into())]);
    let _ = door.stop.send(true);
    json(StatusCode::ACCEPTED, &serde_json::json!({ "stopping": true }))
}

pub(super) async fn unknown() -> Failure {
    Failure::new(StatusCode::NOT_FOUND, "routes", "there is nothing at this path")
}

pub(super) async fn wrong_method() -> Failure {
    Failure::new(StatusCode::METHOD_NOT_ALLOWED, "routes", "this path is not asked with this method")
}
