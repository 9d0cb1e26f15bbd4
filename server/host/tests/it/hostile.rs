//! Requests that mean harm: a clear answer or a closed connection, soon, and the host goes on.

use std::io::Write;
use std::net::TcpStream;
use std::time::{Duration, Instant};

use crate::{Host, Reply};

/// As if nothing had happened.
fn is_well(host: &Host) {
    assert_eq!(host.ask("GET /health", "").status, 200);
}

#[test]
fn noise_is_no_request() {
    let host = Host::start();
    let long = "a".repeat(100_000);
    let many: String = (0..200).map(|n| format!("X-{n}: y\r\n")).collect();
    let noise: Vec<(Vec<u8>, &[u16])> = vec![
        (b"\0\x01\x02\xff\r\n\r\n".to_vec(), &[400]),
        (b"GET\r\n\r\n".to_vec(), &[400]),
        (b"GET /health\r\n\r\n".to_vec(), &[400]),
        (b"GET /health HTTP/9.9\r\n\r\n".to_vec(), &[400, 0]),
        (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec(), &[400, 0]),
        (b"\x16\x03\x01\x02\0\x01\0\x01\xfc".to_vec(), &[400, 0]),
        (format!("GET /{long} HTTP/1.1\r\nHost: localhost\r\n\r\n").into_bytes(), &[414, 431, 0]),
        (format!("GET / HTTP/1.1\r\nHost: localhost\r\nX: {long}\r\n\r\n").into_bytes(), &[431, 0]),
        (format!("GET / HTTP/1.1\r\nHost: localhost\r\n{many}\r\n").into_bytes(), &[431, 0]),
        (b"GET / HTTP/1.1\r\nHost: localhost\r\nBad Header: x\r\n\r\n".to_vec(), &[400]),
        (b"GET / HTTP/1.1\r\nHost: localhost\r\nX: a\0b\r\n\r\n".to_vec(), &[400]),
        (b"GET / HTTP/1.1\r\nHost: localhost\r\n folded: x\r\n\r\n".to_vec(), &[400]),
        (b"POST /v0/sql HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nabcdef".to_vec(), &[400]),
        (b"POST /v0/sql HTTP/1.1\r\nHost: localhost\r\nContent-Length: -1\r\n\r\n".to_vec(), &[400]),
        (b"POST /v0/sql HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99999999999999999999\r\n\r\n".to_vec(), &[400]),
        (b"POST /v0/sql HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: gzip\r\n\r\n".to_vec(), &[400]),
    ];
    for (bytes, statuses) in noise {
        let started = Instant::now();
        let reply = host.raw(&bytes);
        let shown = String::from_utf8_lossy(&bytes[..bytes.len().min(60)]).into_owned();
        assert!(statuses.contains(&reply.status), "{shown}: {reply:?}");
        assert!(started.elapsed() < Duration::from_secs(10), "{shown}");
    }
    is_well(&host);
}

#[test]
fn a_body_is_within_its_limits() {
    let host = Host::start();
    let token = &host.token;
    let head = format!(
        "POST /v0/sql HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\nConnection: close\r\n"
    );
    let large = host.post("/v0/sql", "text/plain", &"a".repeat(100_001));
    assert_eq!((large.status, large.error().contains("longer than 100000 bytes")), (413, true));
    let chunked = |chunks: &str| host.raw(format!("{head}Transfer-Encoding: chunked\r\n\r\n{chunks}"));
    assert_eq!(chunked("8\r\nSELECT 1\r\n0\r\n\r\n").body, b"SELECT 1\n");
    for bad in [
        "zz\r\nSELECT 1\r\n0\r\n\r\n",
        "ffffffffffffffffff\r\nx",
        "8\r\nSELECT 1X\r\n0\r\n\r\n",
        "-8\r\nSELECT 1\r\n",
    ] {
        let reply = chunked(bad);
        assert!([400, 0].contains(&reply.status), "{bad}: {reply:?}");
    }
    // Promised and not sent.
    let started = Instant::now();
    let short = host.raw(format!("{head}Content-Length: 50\r\n\r\nSELECT"));
    assert_eq!((short.status, short.error().contains("did not arrive")), (408, true));
    assert!(started.elapsed() < Duration::from_secs(10));
    let packed = host.ask("POST /v0/sql", "Content-Encoding: gzip\r\nContent-Length: 2\r\n\r\nxx");
    assert_eq!(packed.status, 415);
    // What a server in front takes for one request must not be two here.
    let smuggled = host.raw(format!("{head}Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /health HTTP/1.1\r\nHost: localhost\r\n\r\n"));
    assert_eq!(String::from_utf8_lossy(&smuggled.body).matches("http/1.1").count(), 0, "{smuggled:?}");
    is_well(&host);
}

#[test]
fn who_dawdles_is_cut_off_and_others_are_answered() {
    let host = Host::start();
    let mut slow: Vec<TcpStream> =
        (0..20).map(|_| TcpStream::connect(host.address()).expect("it listens")).collect();
    let started = Instant::now();
    // One byte at a time, for ever, would be a head that never ends.
    for stream in &mut slow {
        stream.write_all(b"GET / HT").expect("it listens");
    }
    is_well(&host);
    for stream in &mut slow {
        stream.set_read_timeout(Some(Duration::from_secs(15))).expect("set");
        let reply = Reply::read(stream);
        assert!([408, 0].contains(&reply.status), "{reply:?}");
    }
    assert!(started.elapsed() < Duration::from_secs(12), "{:?}", started.elapsed());
    // Said nothing at all.
    let mut silent = TcpStream::connect(host.address()).expect("it listens");
    silent.set_read_timeout(Some(Duration::from_secs(15))).expect("set");
    assert_eq!(Reply::read(&mut silent).status, 0);
    is_well(&host);
}

#[test]
fn more_connections_than_places_wait_and_are_answered() {
    let host = Host::start();
    let idle: Vec<TcpStream> =
        (0..200).map(|_| TcpStream::connect(host.address()).expect("it listens")).collect();
    // Through the socket, whose places nobody on TCP can take.
    let status = host.local().find().expect("no error").expect("it runs").status().expect("it answers");
    assert_eq!(status.version.build, "0.0.0-test");
    // And on TCP, once those that say nothing were cut off.
    is_well(&host);
    drop(idle);
}

#[test]
fn paths_lead_nowhere_but_where_they_say() {
    let host = Host::start();
    for path in [
        "//health",
        "/health/",
        "/./health",
        "/v0/../health",
        "/v0/%2e%2e/health",
        "/%68ealth",
        "/health%00",
        "/HEALTH",
        "/v0",
        "/../../../../etc/passwd",
        "/..%2f..%2fowner.token",
        "/owner.token",
        "/data/owner.token",
        "/v0/sql/x",
    ] {
        let reply = host.ask(&format!("GET {path}"), "");
        assert_eq!(reply.status, 404, "{path}: {reply:?}");
        assert!(reply.error().contains("nothing at this path"));
    }
    for (method, path) in [
        ("DELETE", "/v0/sql"),
        ("POST", "/health"),
        ("TRACE", "/health"),
        ("GET", "/v0/stop"),
        ("BREW", "/v0/sql"),
    ] {
        let reply = host.ask(&format!("{method} {path}"), "");
        assert_eq!(reply.status, 405, "{method} {path}: {reply:?}");
        assert!(!reply.error().is_empty());
    }
    is_well(&host);
}
