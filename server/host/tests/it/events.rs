//! `/v0/events`.

use std::io::Write;
use std::sync::{Condvar, Mutex};
use std::time::Duration;

use headwater_host::pipeline::{AcceptError, Accepted, Live, RowVerdict};
use serde_json::json;

use crate::{Host, Reply};

/// Keeps nothing: every line is a row, those that are no objects are put aside. Its answer depends on the request alone.
pub(crate) fn accept(
    live: Option<&Live>,
    source: &str,
    bytes: &[u8],
    key: Option<&str>,
) -> Result<Accepted, AcceptError> {
    let known = live.is_some_and(|live| live.tables.contains_key(source));
    if !known {
        return Err(AcceptError::Missing("no such data source".to_owned()));
    }
    match key {
        Some("full") => return Err(AcceptError::Busy("the disk is full".to_owned())),
        Some("torn") => return Err(AcceptError::Unsure("the disk went away".to_owned())),
        _ => {}
    }
    let text = String::from_utf8_lossy(bytes);
    let lines: Vec<&str> = text.lines().filter(|l| !l.trim().is_empty()).collect();
    let wrong = lines
        .iter()
        .enumerate()
        .filter(|(_, l)| !l.trim_start().starts_with(['{', '[']))
        .map(|(n, _)| RowVerdict { line: n + 1, column: None, reason: "the line is no JSON".to_owned() });
    let verdicts: Vec<RowVerdict> = wrong.collect();
    let quarantined = verdicts.len() as u64;
    let rows = lines.len() as u64 - quarantined;
    let mut position = 1;
    match key.and_then(|key| key.split(':').next()) {
        Some("watched") => position = WATCHED,
        Some("followed") => {
            *FOLLOWED.0.lock().expect("not poisoned") += 1;
            FOLLOWED.1.notify_all();
        }
        _ => {}
    }
    Ok(Accepted { position, rows, quarantined, verdicts, repeated: key == Some("again") })
}

/// Where rows are that show when others came behind them.
const WATCHED: u64 = 2;

/// How many came, less those that were waited for.
static FOLLOWED: (Mutex<usize>, Condvar) = (Mutex::new(0), Condvar::new());

/// How many wait for them.
static WAITING: (Mutex<usize>, Condvar) = (Mutex::new(0), Condvar::new());

/// Waits until rows show; `false`: they do not.
pub(crate) fn wait(position: u64) -> bool {
    if position != WATCHED {
        return true;
    }
    *WAITING.0.lock().expect("not poisoned") += 1;
    WAITING.1.notify_all();
    let followed = FOLLOWED.0.lock().expect("not poisoned");
    let (mut followed, late) =
        FOLLOWED.1.wait_timeout_while(followed, Duration::from_secs(20), |n| *n == 0).expect("not poisoned");
    if !late.timed_out() {
        *followed -= 1;
    }
    !late.timed_out()
}

impl Host {
    /// Sends a body with headers.
    fn send(&self, path: &str, headers: &str, body: &[u8]) -> Reply {
        let mut bytes = format!(
            "POST {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {}\r\nConnection: close\r\n{headers}Content-Length: {}\r\n\r\n",
            self.token,
            body.len()
        )
        .into_bytes();
        bytes.extend_from_slice(body);
        self.raw(bytes)
    }
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packer.write_all(bytes).expect("in memory");
    packer.finish().expect("in memory")
}

#[test]
fn rows_come_plain_or_packed_and_are_counted() {
    let host = Host::deployed();
    let rows = b"{\"org\": \"a\"}\n\n{\"org\": \"b\"}\n";
    let zstd = ruzstd::encoding::compress_to_vec(&rows[..], ruzstd::encoding::CompressionLevel::Fastest);
    for reply in [
        host.send("/v0/events?name=events", "", rows),
        host.send("/v0/events?name=events&format=ndjson", "Content-Type: application/x-ndjson\r\n", rows),
        host.send("/v0/events?name=events", "Content-Encoding: gzip\r\n", &gzip(rows)),
        host.send("/v0/events?name=events", "Content-Encoding: zstd\r\n", &zstd),
    ] {
        assert_eq!(reply.status, 202, "{reply:?}");
        assert_eq!(reply.json(), json!({ "successful_rows": 2, "quarantined_rows": 0 }));
        assert!(reply.header("x-ratelimit-remaining").is_some(), "{reply:?}");
    }
    let waited = host.send("/v0/events?name=events&wait=true", "", rows);
    assert_eq!((waited.status, &waited.json()["successful_rows"]), (200, &2.into()));
    let slow = host.send("/v0/events?name=orgs&wait=true", "", rows);
    assert_eq!((slow.status, &slow.json()["waiting_for"][0]["error"]), (202, &"a secret place".into()));
    let tracker = host.token("tracker", &["DATASOURCES:APPEND:orgs"]);
    let public = host.post_as(&tracker, "/v0/events?name=orgs&wait=true", "text/plain", "{}");
    assert!(!public.json().to_string().contains("secret"), "{public:?}");
    let mixed = host.send("/v0/events?name=events", "", b"{}\nno\n");
    assert_eq!(
        mixed.json(),
        json!({ "successful_rows": 1, "quarantined_rows": 1, "quarantine": [{ "line": 2, "column": null, "reason": "the line is no JSON" }] })
    );
    let document = host.send("/v0/events?name=events&format=json", "", b"[{\"org\": 1}]");
    assert_eq!(document.status, 202, "{document:?}");
    let again = host.send("/v0/events?name=events", "Idempotency-Key: again\r\n", rows);
    assert_eq!(again.json()["repeated"], true);
    let metrics = String::from_utf8(host.ask("GET /metrics", "").body).expect("text");
    assert!(
        metrics.contains("headwater_ingested_rows_total{datasource=\"events\",outcome=\"quarantined\"} 1"),
        "{metrics}"
    );
}

#[test]
fn what_is_wrong_has_the_status_of_the_format() {
    let host = Host::with(|config| {
        config.limits.events_bytes = 1_000;
        config.limits.events_rate = Some(headwater_host::door::Rate { per_second: 1, burst: 40 });
    });
    let before = host.send("/v0/events?name=events", "", b"{}");
    assert_eq!((before.status, before.error().contains("no data source")), (404, true));
    assert_eq!(host.deploy(&crate::deploying::PROJECT).status, 200);
    let bomb = gzip(&vec![b' '; 100_000]);
    for (reply, status, part) in [
        (host.send("/v0/events", "", b"{}"), 400, "`name` is missing"),
        (host.send("/v0/events?name=", "", b"{}"), 400, "`name` is missing"),
        (host.send("/v0/events?name=events", "", b""), 400, "no rows"),
        (host.send("/v0/events?name=events", "", b"\n \n"), 400, "no rows"),
        (host.send("/v0/events?name=events&format=csv", "", b"a"), 400, "ndjson or json"),
        (host.send("/v0/events?name=events&format=json", "", b"{}\n{}"), 400, "no JSON document"),
        (host.send("/v0/events?name=none", "", b"{}"), 404, "no data source `none`"),
        (host.send("/v0/events?name=events", "", &[b' '; 1_001]), 413, "longer than 1000"),
        (host.send("/v0/events?name=events", "Content-Encoding: gzip\r\n", &bomb), 413, "unpacked"),
        (host.send("/v0/events?name=events", "Content-Encoding: gzip\r\n", b"{}"), 400, "cannot be unpacked"),
        (host.send("/v0/events?name=events", "Content-Encoding: zstd\r\n", b"{}"), 400, "cannot be unpacked"),
        (host.send("/v0/events?name=events", "Content-Encoding: br\r\n", b"{}"), 415, "gzip, zstd"),
        (host.send("/v0/events?name=events", "Idempotency-Key: \r\n", b"{}"), 400, "Idempotency-Key"),
        (
            host.send("/v0/events?name=events", "Idempotency-Key: a\r\nIdempotency-Key: b\r\n", b"{}"),
            400,
            "one Idempotency-Key",
        ),
        (host.send("/v0/events?name=events", "Idempotency-Key: full\r\n", b"{}"), 503, "nothing was kept"),
        (
            host.send("/v0/events?name=events", "Idempotency-Key: torn\r\n", b"{}"),
            500,
            "same Idempotency-Key",
        ),
    ] {
        let error = reply.error();
        assert_eq!((reply.status, error.contains(part)), (status, true), "{error}");
        if status >= 500 {
            assert_eq!(reply.header("retry-after"), Some("5"));
        }
    }
    assert_eq!(host.ask("GET /v0/events?name=events", "").status, 405);
    let last = (0..60)
        .map(|_| host.send("/v0/events?name=events", "", b"{}"))
        .find(|r| r.status != 202)
        .expect("a limit");
    assert_eq!((last.status, last.header("retry-after").is_some()), (429, true));
    let shown = last.error();
    assert!(shown.contains("`events`"), "{shown}");
}

#[test]
fn who_waits_until_rows_show_holds_no_place_of_others() {
    let host = Host::with(|config| config.limits.ingesting = 1);
    assert_eq!(host.deploy(&crate::deploying::PROJECT).status, 200);
    for (path, kept) in
        [("/v0/events?name=events", 202), ("/v1/datasources/events/append?format=ndjson", 200)]
    {
        std::thread::scope(|scope| {
            let first = scope
                .spawn(|| host.send(&format!("{path}&wait=true"), "Idempotency-Key: watched\r\n", b"{}"));
            let waiting = WAITING.0.lock().expect("not poisoned");
            let (mut waiting, _) = WAITING
                .1
                .wait_timeout_while(waiting, Duration::from_secs(20), |n| *n == 0)
                .expect("not poisoned");
            assert_eq!(*waiting, 1);
            *waiting = 0;
            drop(waiting);
            let second = host.send(path, "Idempotency-Key: followed\r\n", b"{}");
            let first = first.join().expect("an answer");
            assert_eq!((second.status, first.status), (kept, 200), "{second:?} {first:?}");
        });
    }
}

#[test]
fn where_too_many_wait_who_lags_is_said_at_once() {
    let host = Host::with(|config| config.limits.waiting = 0);
    assert_eq!(host.deploy(&crate::deploying::PROJECT).status, 200);
    let slow = host.send("/v0/events?name=orgs&wait=true", "", b"{}");
    assert_eq!((slow.status, &slow.json()["waiting_for"][0]["error"]), (202, &"nobody waited".into()));
    assert_eq!(host.send("/v0/events?name=events&wait=true", "", b"{}").status, 200);
}
