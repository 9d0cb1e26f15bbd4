//! Rows of whole files, and rows that go: the Data Sources API.
//!
//! A file is read as it comes, and kept in pieces that end where a row ends: it may be larger than memory. Each piece is
//! durable before the next one is read, so a client that sends faster than the disk writes is slowed down.

use std::io::{self, BufReader, Read};
use std::sync::Arc;
use std::time::Duration;

use axum::Extension;
use axum::body::{Body, Bytes};
use axum::extract::{Path, Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::Response;
use headwater_engine::ingest::{LineEnds, MARK, csv_lines};
use http_body_util::BodyExt;
use serde_json::json;
use tokio::sync::mpsc;
use tokio::time::Instant;

use super::Door;
use super::answer::compile;
use super::body::{Frames, Packing, packing};
use super::datasources::no_source;
use super::events::{appenders, failure, key, place, shown_waiting, until_seen};
use super::failure::{Failure, json as answer};
use super::guard::must;
use super::input::{self, Fields};
use crate::pipeline::{AcceptError, Accepted, RowEffect, RowFormat};
use crate::tokens::Holder;

const SECTION: &str = "datasources";

/// Bytes of a piece, about.
const PIECE: usize = 8 << 20;

/// A row may be so long; what has no end until then is no file of rows.
const LONGEST_ROW: usize = 16 << 20;

/// Bytes of a file that have to come in as much time as a whole body of another request has.
const PROGRESS: usize = 64 << 10;

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
        let arriving = Arriving { receiver, rest: Bytes::new(), ended: false };
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

/// Hands the body on as it arrives. Of the time that it is waited for, each `window` has to bring [`PROGRESS`] bytes: a
/// client that sends a byte now and then would keep its place for ever. Time for which the disk is waited for does not count.
async fn pump(
    mut content: Body,
    sender: mpsc::Sender<io::Result<Option<Bytes>>>,
    window: Duration,
) -> Result<(), Failure> {
    let (mut left, mut got) = (window, 0);
    loop {
        let before = Instant::now();
        let frame = tokio::time::timeout(left, content.frame()).await;
        left = left.saturating_sub(before.elapsed());
        match frame {
            Ok(None) => {
                let _ = sender.send(Ok(None)).await;
                return Ok(());
            }
            Ok(Some(Ok(frame))) => {
                let Ok(bytes) = frame.into_data() else { continue };
                got += bytes.len();
                if got >= PROGRESS {
                    (left, got) = (window, 0);
                }
                if sender.send(Ok(Some(bytes))).await.is_err() {
                    // Whoever keeps the rows has given up, and says why.
                    return Ok(());
                }
            }
            Ok(Some(Err(e))) => {
                let _ = sender.send(Err(io::Error::other("the connection broke off"))).await;
                return Err(bad(&format!("the body cannot be read: {e}")));
            }
            Err(_) => {
                let _ = sender.send(Err(io::Error::other("the client is too slow"))).await;
                let message = format!(
                    "the file comes too slowly: {got} bytes in {} s, of {PROGRESS} at least",
                    window.as_secs_f64()
                );
                return Err(Failure::new(StatusCode::REQUEST_TIMEOUT, "limits", message));
            }
        }
    }
}

/// A body that arrives, for who reads it elsewhere. `None` is its end; a sender that is gone without it is a client that is
/// gone, with whom the request was dropped: what came is cut anywhere.
struct Arriving {
    receiver: mpsc::Receiver<io::Result<Option<Bytes>>>,
    rest: Bytes,
    ended: bool,
}

impl Read for Arriving {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.rest.is_empty() && !self.ended {
            match self.receiver.blocking_recv() {
                Some(Ok(Some(bytes))) => self.rest = bytes,
                Some(Ok(None)) => self.ended = true,
                Some(Err(e)) => return Err(e),
                None => return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the connection broke off")),
            }
        }
        let length = buffer.len().min(self.rest.len());
        buffer[..length].copy_from_slice(&self.rest.split_to(length));
        Ok(length)
    }
}

/// Why a file was not kept to its end, and what of it was.
struct Broken {
    kept: Accepted,
    why: Why,
}

enum Why {
    Refused(AcceptError),
    TooLong(String),
    Unreadable(String),
}

/// Cuts a file where rows end.
struct Pieces {
    format: RowFormat,
    columns: Vec<String>,
    limit: u64,
    piece: usize,
}

impl Pieces {
    fn new(format: RowFormat, columns: Vec<String>, limit: u64) -> Self {
        Self { format, columns, limit, piece: PIECE }
    }

    fn keep(
        &self,
        mut file: impl Read,
        mut keep: impl FnMut(Vec<u8>, usize) -> Result<Accepted, AcceptError>,
    ) -> Result<Accepted, Broken> {
        let mut total = Accepted::default();
        let mut held: Vec<u8> = Vec::new();
        let mut head = Head::default();
        let mut ends = Ends::default();
        let (mut nth, mut read, mut lines) = (0, 0u64, 0);
        let mut at_end = false;
        while !at_end {
            let wanted = (self.piece + 1).saturating_sub(held.len()).max(64 << 10);
            let got = match (&mut file).take(wanted as u64).read_to_end(&mut held) {
                Ok(got) => got,
                Err(e) => return Err(Broken { kept: total, why: Why::Unreadable(e.to_string()) }),
            };
            at_end = got < wanted;
            read += got as u64;
            if read > self.limit {
                let what = format!(
                    "the file is longer than {} bytes when it is unpacked; send it in parts",
                    self.limit
                );
                return Err(Broken { kept: total, why: Why::TooLong(what) });
            }
            let cut = if at_end { held.len() } else { ends.last(self.format, &held) };
            if cut == 0 {
                if at_end {
                    break;
                }
                if held.len() > LONGEST_ROW {
                    let what =
                        format!("a row is longer than {LONGEST_ROW} bytes, or its quotes do not close");
                    return Err(Broken { kept: total, why: Why::TooLong(what) });
                }
                continue;
            }
            let rest = held.split_off(cut);
            let rows = std::mem::replace(&mut held, rest);
            ends.cut(cut);
            if nth == 0 {
                head = self.head(&rows);
            }
            let skipped = if nth > 0 { head.lines } else { 0 };
            let first_line = lines;
            lines += rows.iter().filter(|b| **b == b'\n').count();
            let piece = if nth > 0 { [head.bytes.as_slice(), &rows].concat() } else { rows };
            match keep(piece, nth) {
                Ok(one) => add(&mut total, one, first_line, skipped),
                Err(error) => return Err(Broken { kept: total, why: Why::Refused(error) }),
            }
            nth += 1;
        }
        Ok(total)
    }

    /// What each piece needs before it, to be read as the file is: the lines until the one that says what the columns are,
    /// by the rule that rows are read by. Where there is none, a line that says the columns as they go by position: a row of
    /// data that comes first in a piece decides about nothing then.
    fn head(&self, rows: &[u8]) -> Head {
        if self.format != RowFormat::Csv {
            return Head::default();
        }
        let mut ends = LineEnds::of(rows);
        let separator = ends.separator();
        let mut end = if rows.starts_with(MARK) { MARK.len() } else { 0 };
        loop {
            let start = end;
            end = ends.next(&rows[start..]).map_or(rows.len(), |at| start + at);
            if end == rows.len() || !csv_lines(&rows[start..end]).is_empty() {
                break;
            }
        }
        let cells = csv_lines(&rows[..end]).into_iter().next().unwrap_or_default();
        let known = cells.iter().filter(|cell| self.columns.iter().any(|c| c == cell.trim())).count();
        let mut bytes = if known > 0 && known * 2 >= cells.len() {
            rows[..end].to_vec()
        } else {
            let quoted = self.columns.iter().map(|name| format!("\"{}\"", name.replace('"', "\"\"")));
            quoted.collect::<Vec<_>>().join(char::from(separator).encode_utf8(&mut [0; 4])).into_bytes()
        };
        if !bytes.ends_with(b"\n") {
            bytes.push(b'\n');
        }
        Head { lines: bytes.iter().filter(|b| **b == b'\n').count(), bytes }
    }
}

/// What stands before the rows of each piece but the first.
#[derive(Default)]
struct Head {
    bytes: Vec<u8>,
    lines: usize,
}

/// Where rows end in what is held of a file, each byte looked at once.
#[derive(Default)]
struct Ends {
    csv: Option<LineEnds>,
    seen: usize,
    last: usize,
}

impl Ends {
    /// Where the last row ends: behind a line end, which in CSV is no part of a quoted text; 0 where none does.
    fn last(&mut self, format: RowFormat, held: &[u8]) -> usize {
        match format {
            RowFormat::Ndjson => {
                if let Some(at) = held[self.seen..].iter().rposition(|b| *b == b'\n') {
                    self.last = self.seen + at + 1;
                }
            }
            RowFormat::Csv => {
                if self.csv.is_none() && held.starts_with(MARK) {
                    self.seen = MARK.len();
                }
                let ends = self.csv.get_or_insert_with(|| LineEnds::of(held));
                while let Some(end) = ends.next(&held[self.seen..]) {
                    self.seen += end;
                    self.last = self.seen;
                }
            }
        }
        self.seen = held.len();
        self.last
    }

    /// What is held begins behind `cut` now.
    fn cut(&mut self, cut: usize) {
        self.seen = self.seen.saturating_sub(cut);
        self.last = 0;
    }
}

/// Adds what became of a piece, whose lines come behind `before`, after `skipped` that are none of its own.
fn add(total: &mut Accepted, one: Accepted, before: usize, skipped: usize) {
    total.position = one.position;
    total.rows += one.rows;
    total.quarantined += one.quarantined;
    total.repeated |= one.repeated;
    let room = 100usize.saturating_sub(total.verdicts.len());
    total.verdicts.extend(one.verdicts.into_iter().take(room).map(|mut verdict| {
        verdict.line = (verdict.line + before).saturating_sub(skipped);
        verdict
    }));
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pipeline::RowVerdict;

    fn pieces(format: RowFormat, size: usize, file: &str) -> (Vec<String>, Accepted) {
        let mut all = Vec::new();
        let cutter =
            Pieces { piece: size, ..Pieces::new(format, vec!["a".to_owned(), "b".to_owned()], 1 << 20) };
        let total = cutter.keep(file.as_bytes(), |bytes, nth| {
            assert_eq!(nth, all.len());
            all.push(String::from_utf8(bytes).expect("UTF-8"));
            let verdict = RowVerdict { line: 2, column: None, reason: String::new() };
            Ok(Accepted {
                position: nth as u64,
                rows: 1,
                quarantined: 1,
                verdicts: vec![verdict],
                repeated: false,
            })
        });
        (all, total.map_err(|_| "broken").expect("kept"))
    }

    #[test]
    fn files_are_cut_where_rows_end() {
        let row = format!("{{\"a\":\"{}\"}}\n", "x".repeat(40_000));
        let (all, total) = pieces(RowFormat::Ndjson, 1, &row.repeat(5));
        assert!(all.len() > 1 && all.iter().all(|p| p.ends_with("}\n")), "{}", all.len());
        assert_eq!((all.concat(), total.rows as usize), (row.repeat(5), all.len()));
        // Pieces of CSV repeat the head, and end in no quoted text.
        let row = format!("\"{}\n\",1\n", "y".repeat(40_000));
        let file = format!("a,b\n{}", row.repeat(4));
        let (all, total) = pieces(RowFormat::Csv, 1, &file);
        assert!(all.len() > 1 && all.iter().all(|p| p.starts_with("a,b\n\"y") && p.ends_with(",1\n")));
        assert_eq!(all.iter().map(|p| p.trim_start_matches("a,b\n")).collect::<String>(), row.repeat(4));
        // The second line of the second piece is the file's, counted through.
        let first = all[0].matches('\n').count();
        assert_eq!(total.verdicts.iter().map(|v| v.line).take(2).collect::<Vec<_>>(), [2, first + 1]);
        assert_eq!(pieces(RowFormat::Csv, 1 << 20, "1,2\n3,4").0, ["1,2\n3,4"]);
        assert!(pieces(RowFormat::Ndjson, 1 << 20, "").0.is_empty());
    }

    #[test]
    fn pieces_of_csv_are_read_as_the_file_is() {
        let long = "y".repeat(30_000);
        // A quote within a cell is a character; blank lines before the head; rows that would be a head, or have another
        // separator, at the start of a piece.
        for (head, row) in [
            ("a,b\n", format!("5\" pipe{long},\"x\n\"\"\n\"\n\"\",7'6\"\n")),
            ("\u{feff}\n\r\n\"\"\nb,a\n", format!("{long}\",\"\n\"\n")),
            ("\u{feff}\"b\",\"other\n\"\n", format!("{long},1\n")),
            ("1;2\n", format!("{long},,,\";\"\n\"\n")),
            ("1,2\n", format!("a,b\n{long},2\n")),
            ("", format!("b,{long}\n\n")),
        ] {
            let file = format!("{head}{}", row.repeat(12));
            let (all, _) = pieces(RowFormat::Csv, 1, &file);
            assert!(all.len() > 2, "{head:?}");
            let mut lines = csv_lines(all[0].as_bytes());
            for piece in &all[1..] {
                let read = csv_lines(piece.as_bytes());
                assert!(read[0].iter().any(|cell| cell == "b"), "{:?}", read[0]);
                lines.extend_from_slice(&read[1..]);
            }
            assert!(lines == csv_lines(file.as_bytes()), "{head:?}");
        }
    }

    /// Pieces that are kept of a body whose sender said `sent` and went.
    fn arrived(sent: Vec<io::Result<Option<Bytes>>>, packing: Packing) -> (Vec<Vec<u8>>, bool) {
        let (sender, receiver) = mpsc::channel(sent.len().max(1));
        sent.into_iter().for_each(|one| sender.try_send(one).expect("room"));
        drop(sender);
        let arriving = Arriving { receiver, rest: Bytes::new(), ended: false };
        let mut all = Vec::new();
        let keep = |bytes, _| {
            all.push(bytes);
            Ok(Accepted::default())
        };
        let pieces = Pieces { piece: 1, ..Pieces::new(RowFormat::Ndjson, Vec::new(), 1 << 20) };
        let kept = match packing {
            Packing::None => pieces.keep(arriving, keep),
            Packing::Gzip => pieces.keep(flate2::read::MultiGzDecoder::new(arriving), keep),
            Packing::Zstd => pieces.keep(Frames::new(BufReader::new(arriving)), keep),
        };
        (all, kept.is_ok())
    }

    #[test]
    fn of_a_client_that_goes_no_half_row_is_kept() {
        let file = b"{\"a\":1}\n{\"a\":2}\n".repeat(5000);
        let gzip = |file: &[u8]| {
            let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
            io::Write::write_all(&mut packer, file).expect("in memory");
            packer.finish().expect("in memory")
        };
        let zstd = |file: &[u8]| {
            ruzstd::encoding::compress_to_vec(file, ruzstd::encoding::CompressionLevel::Fastest)
        };
        // Packed, what was sent is whole and may still have gone on.
        for (packing, bytes) in
            [(Packing::None, file.clone()), (Packing::Gzip, gzip(&file)), (Packing::Zstd, zstd(&file))]
        {
            let bytes = || Ok(Some(Bytes::from(bytes.clone())));
            let (all, whole) = arrived(vec![bytes(), Ok(None)], packing);
            assert!(whole && all.concat() == file, "{packing:?}");
            for (n, sent) in [vec![bytes()], vec![bytes(), Err(io::Error::other("silent"))], vec![]]
                .into_iter()
                .enumerate()
            {
                let (all, whole) = arrived(sent, packing);
                assert!(!whole && all.iter().all(|piece| piece.ends_with(b"}\n")), "{packing:?} {n}");
                assert!(all.concat().len() < file.len(), "{packing:?} {n}");
            }
        }
    }

    /// A body of `frames` equal parts, each a while after the last.
    struct Trickle {
        frames: usize,
        part: Bytes,
        pulse: tokio::time::Interval,
    }

    impl axum::body::HttpBody for Trickle {
        type Data = Bytes;
        type Error = std::convert::Infallible;

        fn poll_frame(
            mut self: std::pin::Pin<&mut Self>,
            context: &mut std::task::Context<'_>,
        ) -> std::task::Poll<Option<Result<hyper::body::Frame<Bytes>, Self::Error>>> {
            self.pulse.poll_tick(context).map(|_| {
                self.frames = self.frames.checked_sub(1)?;
                Some(Ok(hyper::body::Frame::data(self.part.clone())))
            })
        }
    }

    /// What becomes of a body when each part takes `pulse` to come and `keeping` to be kept.
    fn pumped(part: usize, frames: usize, pulse: u64, keeping: u64, window: u64) -> Result<(), StatusCode> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime");
        let (sender, mut receiver) = mpsc::channel(1);
        let keeper = std::thread::spawn(move || {
            let mut last = None;
            while let Some(one) = receiver.blocking_recv() {
                std::thread::sleep(Duration::from_millis(keeping));
                last = Some(one);
            }
            matches!(last, Some(Ok(None)))
        });
        let done = runtime.block_on(async {
            let pulse = tokio::time::interval(Duration::from_millis(pulse));
            let body = Trickle { frames, part: vec![b'x'; part].into(), pulse };
            pump(Body::new(body), sender, Duration::from_millis(window)).await
        });
        assert_eq!(keeper.join().expect("no panic"), done.is_ok());
        done.map_err(|failure| axum::response::IntoResponse::into_response(failure).status())
    }

    #[test]
    fn a_client_has_to_get_on_and_a_slow_disk_is_not_its_fault() {
        // Bytes come more often than the window is long, and would do so for ever.
        assert_eq!(pumped(1, usize::MAX, 5, 0, 100), Err(StatusCode::REQUEST_TIMEOUT));
        // Longer than a window, with enough in each.
        assert_eq!(pumped(PROGRESS, 30, 40, 0, 1000), Ok(()));
        // Ready at once, and kept for longer than the window.
        assert_eq!(pumped(1, 24, 1, 50, 1000), Ok(()));
    }
}
