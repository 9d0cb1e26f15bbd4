//! Rows of whole files, and rows that go: the Data Sources API.
//!
//! A file is read as it comes, and kept in pieces that end where a row ends: it may be larger than memory. Each piece is
//! durable before the next one is read, so a client that sends faster than the disk writes is slowed down.

use std::io::BufReader;
use std::sync::Arc;

use axum::Extension;
use axum::body::Body;
use axum::extract::{Path, Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::Response;
use serde_json::json;
use tokio::sync::mpsc;

use super::Door;
use super::answer::compile;
use super::arriving::{Arriving, pump};
use super::body::{Frames, Packing, packing};
use super::datasources::no_source;
use super::events::{appenders, failure, key, place, shown_waiting, until_seen};
use super::failure::{Failure, json as answer};
use super::guard::must;
use super::input::{self, Fields};
use super::pieces::{Broken, Pieces, Why};
use crate::pipeline::{AcceptError, Accepted, RowEffect, RowFormat};
use crate::tokens::Holder;

const SECTION: &str = "datasources";

/// `POST /v0/datasources?mode=…&name=…`.
pub(super) async fn by_mode(
    State(door): State<Arc<Door>>,
    Extension(holder): Extension<Holder>,
    request: Request,
) -> Result<Response, Failure> {
    let (head, content) = request.into_parts();
    let fields = Fields::of_query(&head);
    let name = fields.required("name", SECTION)?.to_owned();
    match fields.get("mode") {
        Some("append") => append(&door, &holder, &name, &fields, &head.headers, content).await,
        Some("replace") => Err(replaces()),
        Some("create") | None => Err(bad(
            "data sources come with deployments: write its datafile, `headwater deploy`, then append",
        )),
        Some(_) => Err(bad("`mode` is append")),
    }
}

/// `POST /v1/datasources/NAME/append`.
pub(super) async fn by_name(
    State(door): State<Arc<Door>>,
    Extension(holder): Extension<Holder>,
    Path(name): Path<String>,
    request: Request,
) -> Result<Response, Failure> {
    let (head, content) = request.into_parts();
    let fields = Fields::of_query(&head);
    append(&door, &holder, &name, &fields, &head.headers, content).await
}

/// `POST /v1/datasources/NAME/replace`.
pub(super) async fn replace(
    Extension(holder): Extension<Holder>,
    Path(name): Path<String>,
) -> Result<Response, Failure> {
    must(&holder, holder.access.may_drop(&name), "take rows away", "DATASOURCES:DROP:NAME")?;
    Err(replaces())
}

/// `POST /v0/datasources/NAME/truncate`.
pub(super) async fn truncate(
    State(door): State<Arc<Door>>,
    Extension(holder): Extension<Holder>,
    Path(name): Path<String>,
    request: Request,
) -> Result<Response, Failure> {
    droppers(&holder, &name)?;
    let (head, content) = request.into_parts();
    let (fields, _) = input::read(&door, &head, content, SECTION).await?;
    take_away(&door, &holder, &name, RowEffect::Truncate, &fields).await
}

/// `POST /v0/datasources/NAME/delete`.
pub(super) async fn delete(
    State(door): State<Arc<Door>>,
    Extension(holder): Extension<Holder>,
    Path(name): Path<String>,
    request: Request,
) -> Result<Response, Failure> {
    droppers(&holder, &name)?;
    let (head, content) = request.into_parts();
    let (fields, _) = input::read(&door, &head, content, SECTION).await?;
    let condition = fields.required("delete_condition", SECTION)?.to_owned();
    if fields.is_set("dry_run") {
        return Err(bad("ask how many rows it would be with a query: SELECT count() FROM … WHERE …"));
    }
    take_away(&door, &holder, &name, RowEffect::Delete(condition), &fields).await
}

async fn take_away(
    door: &Arc<Door>,
    holder: &Holder,
    name: &str,
    effect: RowEffect,
    fields: &Fields,
) -> Result<Response, Failure> {
    let action = match effect {
        RowEffect::Truncate => "truncated",
        RowEffect::Delete(_) => "rows-deleted",
    };
    let (worker, source) = (door.clone(), name.to_owned());
    let done = tokio::task::spawn_blocking(move || worker.pipeline.effect(&source, effect)).await;
    let done = done.unwrap_or_else(|_| Err(AcceptError::Unsure("whoever noted it broke off".to_owned())));
    let accepted = done.map_err(|error| failure(&error, name))?;
    door.audit(holder, action, name);
    let waiting = if fields.get("wait") == Some("false") {
        Vec::new()
    } else {
        until_seen(door, name, accepted.position).await?
    };
    let status = if waiting.is_empty() { StatusCode::OK } else { StatusCode::ACCEPTED };
    let mut told = json!({ "status": if waiting.is_empty() { "done" } else { "working" } });
    if !waiting.is_empty() {
        told["waiting_for"] = shown_waiting(&waiting, holder.access.may_look());
    }
    Ok(answer(status, &told))
}

async fn append(
    door: &Arc<Door>,
    holder: &Holder,
    name: &str,
    fields: &Fields,
    headers: &HeaderMap,
    content: Body,
) -> Result<Response, Failure> {
    appenders(holder, name)?;
    if fields.get("url").is_some() {
        return Err(bad("this host fetches nothing: download the file and send it"));
    }
    let format = format(fields, headers)?;
    let key = key(headers)?;
    let Some(packing) = packing(headers) else {
        let message = "this Content-Encoding is not read here: send gzip, zstd, or the file as it is";
        return Err(Failure::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, SECTION, message));
    };
    let columns = columns(door, holder, name).await?;
    let place = place(&door.uploading).await?;
    let (sender, receiver) = mpsc::channel(4);
    let (worker, source) = (door.clone(), name.to_owned());
    let limit = door.limits.upload_bytes;
    let keeper = tokio::task::spawn_blocking(move || {
        let _place = place;
        let arriving = Arriving::new(receiver);
        let keep = |bytes: Vec<u8>, nth: usize| {
            let key = key.as_ref().map(|key| format!("{key}:{nth}"));
            worker.pipeline.accept(&source, bytes, format, key.as_deref())
        };
        let pieces = Pieces::new(format, columns, limit);
        match packing {
            Packing::None => pieces.keep(arriving, keep),
            Packing::Gzip => pieces.keep(flate2::read::MultiGzDecoder::new(arriving), keep),
            Packing::Zstd => pieces.keep(Frames::new(BufReader::new(arriving)), keep),
        }
    });
    let pumped = pump(content, sender, door.limits.body).await;
    let kept = keeper.await.unwrap_or_else(|_| {
        let why = Why::Refused(AcceptError::Unsure("whoever kept the rows broke off".to_owned()));
        Err(Broken { kept: Accepted::default(), why })
    });
    let (kept, broken) = match (kept, pumped) {
        (Ok(kept), Ok(())) => (kept, None),
        (Ok(kept), Err(failure)) => (kept, Some(failure)),
        (Err(broken), pumped) => {
            let failure = match broken.why {
                Why::Refused(error) => failure(&error, name),
                Why::TooLong(what) => Failure::new(StatusCode::PAYLOAD_TOO_LARGE, SECTION, what),
                // Of a body that broke off, the reason is the connection's.
                Why::Unreadable(why) => match pumped {
                    Err(failure) => failure,
                    Ok(()) => bad(&format!("the file cannot be read: {why}")),
                },
            };
            (broken.kept, Some(failure))
        }
    };
    door.metrics.ingested(name, kept.rows, kept.quarantined);
    if let Some(failure) = broken {
        let (rows, quarantined) = (kept.rows, kept.quarantined);
        if rows + quarantined == 0 {
            return Err(failure);
        }
        return Err(failure.after(&format!(
            "{rows} rows of the file were kept before, and {quarantined} put aside. Sent again under the same Idempotency-Key they are kept once"
        )));
    }
    door.audit(holder, "appended", name);
    let mut told = super::events::told(&kept);
    let rows = told["quarantined_rows"].clone();
    told["quarantine_rows"] = rows;
    told["status"] = "done".into();
    let mut status = StatusCode::OK;
    if fields.is_set("wait") {
        let waiting = until_seen(door, name, kept.position).await?;
        if !waiting.is_empty() {
            status = StatusCode::ACCEPTED;
            told["waiting_for"] = shown_waiting(&waiting, holder.access.may_look());
        }
    }
    Ok(answer(status, &told))
}

/// Names of the columns, for the first line of a file.
async fn columns(door: &Arc<Door>, holder: &Holder, name: &str) -> Result<Vec<String>, Failure> {
    let source = name.to_owned();
    compile(door, &holder.access, move |compiler, _| {
        let file = compiler.source(&source).ok_or_else(|| no_source(&source))?;
        let table = compiler.table(file).map_err(|_| no_source(&source))?;
        Ok(table.columns.into_iter().map(|c| c.name).collect())
    })
    .await
}

/// How the file is written: as it says, else by its media type.
fn format(fields: &Fields, headers: &HeaderMap) -> Result<RowFormat, Failure> {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|v| v.to_str().ok()).unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    match (fields.get("format"), kind.as_str()) {
        (Some("csv"), _) | (None, "text/csv") => Ok(RowFormat::Csv),
        (Some("ndjson" | "json"), _) | (None, "application/x-ndjson" | "application/ndjson") => {
            Ok(RowFormat::Ndjson)
        }
        (Some("parquet"), _) | (None, "application/vnd.apache.parquet") => {
            Err(bad("Parquet is not read here yet: send CSV or NDJSON"))
        }
        (_, "multipart/form-data") => Err(bad(
            "send the file itself as the body (curl --data-binary @FILE), with `format`, not as a form",
        )),
        _ => Err(bad("`format` is csv or ndjson")),
    }
}

fn droppers(holder: &Holder, name: &str) -> Result<(), Failure> {
    must(holder, holder.access.may_drop(name), "take rows away", "DATASOURCES:DROP:NAME")
}

fn replaces() -> Failure {
    bad(
        "replacing rows in one step is not done here yet: truncate, then append, when nobody reads in between",
    )
}

fn bad(why: &str) -> Failure {
    Failure::new(StatusCode::BAD_REQUEST, SECTION, why)
}
