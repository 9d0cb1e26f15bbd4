//! `/v0/sql`.

use std::io::Write;
use std::net::TcpStream;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use headwater_warehouse::{Answer, Class, EngineError, Stats, WorkerId};

use crate::{CANCELLED, Host};

pub(crate) fn answer(body: &[u8]) -> Result<Answer, EngineError> {
    Ok(Answer {
        body: body.to_vec(),
        class: Class::Reads,
        stats: Stats::default(),
        worker: WorkerId { slot: 0, life: 1 },
    })
}

#[test]
fn a_statement_comes_as_a_parameter_a_field_or_a_body() {
    let host = Host::start();
    for reply in [
        host.ask("GET /v0/sql?q=SELECT+1", ""),
        host.post("/v0/sql", "application/x-www-form-urlencoded", "q=SELECT%201"),
        host.post("/v0/sql", "application/x-www-form-urlencoded; charset=utf-8", "a=b&q=SELECT+1"),
        host.post("/v0/sql", "text/plain", "SELECT 1"),
        host.post("/v0/sql?q=SELECT+1", "text/plain", ""),
        host.post("/v0/sql", "application/json", "{\"q\": \"SELECT 1\"}"),
        host.ask("GET /v0/sql?q=%25SELECT+{{Int(n)}}&n=1", ""),
    ] {
        assert_eq!((reply.status, reply.body.as_slice()), (200, &b"SELECT 1\n"[..]), "{reply:?}");
        assert_eq!(reply.header("content-type"), Some("text/tab-separated-values; charset=utf-8"));
    }
    let json = host.ask("GET /v0/sql?q=SELECT+1+FORMAT+JSON", "");
    assert_eq!(json.header("content-type"), Some("application/json"));
    let lines = host.post("/v0/sql?default_format=JSONEachRow", "text/plain", "SELECT 1");
    assert_eq!(lines.header("content-type"), Some("application/x-ndjson"));
}

#[test]
fn what_is_no_single_statement_is_refused_with_the_reason() {
    let host = Host::start();
    for (reply, status, part) in [
        (host.ask("GET /v0/sql", ""), 400, "there is no statement"),
        (host.ask("GET /v0/sql?q=SELECT+1&q=SELECT+2", ""), 400, "several statements"),
        (host.post("/v0/sql?q=SELECT+1", "text/plain", "SELECT 2"), 400, "several statements"),
        (host.ask("GET /v0/sql?q=%25SELECT+{{Int32(n)}}", ""), 400, "`n`"),
        (host.ask("GET /v0/sql?q=SELECT+1&pipeline=p", ""), 404, "no pipe `p`"),
        (host.ask("GET /v0/sql?q=SELECT+*+FROM+t", ""), 400, "reads `t`"),
        (host.ask("GET /v0/sql?q=SELECT+1&default_format=Null", ""), 400, "is one of TSV"),
        (host.post("/v0/sql", "application/xml", "{}"), 415, "text/plain"),
        (host.ask("GET /v0/sql?q=DROP+TABLE+x", ""), 400, "only SELECT"),
        (host.ask("GET /v0/sql?q=SELECT+two+faces", ""), 400, "reads it differently"),
        (host.ask("GET /v0/sql?q=SELECT+unavailable", ""), 503, "headwater setup"),
        (host.ask("GET /v0/sql?q=SELECT+late", ""), 408, "did not stop by itself"),
        (host.ask("GET /v0/sql?q=SELECT+crash", ""), 500, "died under this statement"),
    ] {
        let error = reply.error();
        assert_eq!((reply.status, error.contains(part)), (status, true), "{error}");
    }
    let raw = host.ask("POST /v0/sql", "Content-Length: 2\r\n\r\n\u{00ff}");
    assert_eq!(raw.status, 400, "{raw:?}");
}

#[test]
fn an_engine_that_died_is_asked_again_once() {
    let host = Host::start();
    let reply = host.ask("GET /v0/sql?q=SELECT+crash+once", "");
    assert_eq!((reply.status, reply.body.as_slice()), (200, &b"SELECT crash once\n"[..]));
    assert_eq!(host.ask("GET /v0/sql?q=SELECT+crash", "").status, 500);
}

#[test]
fn a_statement_that_nobody_waits_for_is_cancelled() {
    let host = Host::start();
    let before = CANCELLED.load(Ordering::SeqCst);
    let mut stream = TcpStream::connect(host.address()).expect("it listens");
    let request = format!(
        "GET /v0/sql?q=SELECT+slow HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {}\r\n\r\n",
        host.token
    );
    stream.write_all(request.as_bytes()).expect("it listens");
    std::thread::sleep(Duration::from_millis(200));
    drop(stream);
    let deadline = Instant::now() + Duration::from_secs(10);
    while CANCELLED.load(Ordering::SeqCst) == before {
        assert!(Instant::now() < deadline, "it runs on");
        std::thread::sleep(Duration::from_millis(5));
    }
}
