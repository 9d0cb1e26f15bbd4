//! Rows of files, and rows that go.

use std::io::{Read, Write};
use std::net::TcpStream;

use serde_json::json;

use crate::{Host, Reply};

const APPEND: &str = "/v1/datasources/events/append";

impl Host {
    fn upload(&self, path: &str, headers: &str, body: &[u8]) -> Reply {
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

#[test]
fn files_come_as_they_are_or_packed() {
    let host = Host::deployed();
    let rows = "{\"org\":\"a\"}\n".repeat(1000);
    let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packer.write_all(rows.as_bytes()).expect("in memory");
    let gzip = packer.finish().expect("in memory");
    let zstd =
        ruzstd::encoding::compress_to_vec(rows.as_bytes(), ruzstd::encoding::CompressionLevel::Fastest);
    let plain = rows.as_bytes();
    for reply in [
        host.upload(&format!("{APPEND}?format=ndjson"), "", plain),
        host.upload(APPEND, "Content-Type: application/x-ndjson\r\n", plain),
        host.upload("/v0/datasources?mode=append&name=events&format=ndjson", "", plain),
        host.upload(&format!("{APPEND}?format=ndjson"), "Content-Encoding: gzip\r\n", &gzip),
        host.upload(&format!("{APPEND}?format=ndjson&wait=true"), "Content-Encoding: zstd\r\n", &zstd),
    ] {
        let told = reply.json();
        assert_eq!(
            (reply.status, &told["successful_rows"], &told["status"]),
            (200, &1000.into(), &"done".into()),
            "{told}"
        );
    }
    // In chunks, and more than the limit of a body that is held whole.
    let mut stream = TcpStream::connect(host.address()).expect("it listens");
    let head = format!(
        "POST {APPEND}?format=ndjson HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {}\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n",
        host.token
    );
    stream.write_all(head.as_bytes()).expect("sent");
    for _ in 0..1500 {
        stream.write_all(format!("{:x}\r\n{rows}\r\n", rows.len()).as_bytes()).expect("sent");
    }
    stream.write_all(b"0\r\n\r\n").expect("sent");
    let reply = Reply::read(&mut stream);
    assert_eq!((reply.status, &reply.json()["successful_rows"]), (200, &1_500_000.into()), "{reply:?}");
    let log = std::fs::read_to_string(host.ready.data.join("log/host.log")).expect("a log");
    assert!(log.contains("\"appended\""), "{log}");
}

#[test]
fn what_is_no_file_of_rows_is_refused() {
    let host = Host::with(|config| config.limits.upload_bytes = 10_000);
    assert_eq!(host.deploy(&crate::deploying::PROJECT).status, 200);
    let append = |headers: &str, body: &[u8]| host.upload(&format!("{APPEND}?format=ndjson"), headers, body);
    for (reply, status, part) in [
        (host.upload(APPEND, "", b"{}"), 400, "csv or ndjson"),
        (host.upload(&format!("{APPEND}?format=parquet"), "", b"PAR1"), 400, "Parquet"),
        (
            host.upload(APPEND, "Content-Type: multipart/form-data; boundary=x\r\n", b"--x--"),
            400,
            "as the body",
        ),
        (
            host.upload(&format!("{APPEND}?format=csv&url=http://127.0.0.1/x"), "", b""),
            400,
            "fetches nothing",
        ),
        (host.upload("/v1/datasources/none/append?format=csv", "", b"a"), 404, "no data source `none`"),
        (
            host.upload("/v0/datasources?mode=replace&name=events&format=csv", "", b"a"),
            400,
            "truncate, then append",
        ),
        (host.upload("/v0/datasources?name=events", "", b"a"), 400, "headwater deploy"),
        (append("Content-Encoding: br\r\n", b"a"), 415, "gzip, zstd"),
        (append("Content-Encoding: gzip\r\n", b"no gzip"), 400, "cannot be read"),
        (append("Content-Encoding: zstd\r\n", b"no zstd"), 400, "cannot be read"),
        (append("", "{}\n".repeat(10_000).as_bytes()), 413, "longer than 10000"),
        (append("Idempotency-Key: \r\n", b"{}"), 400, "Idempotency-Key"),
        (host.json("/v0/datasources/events/delete", &json!({})), 400, "`delete_condition` is missing"),
        (host.json("/v0/datasources/none/truncate", &json!({})), 404, "no data source"),
        (host.json("/v1/datasources/events/replace", &json!({})), 400, "truncate, then append"),
    ] {
        let error = reply.error();
        assert_eq!((reply.status, error.contains(part)), (status, true), "{error}");
    }
    let gone = host.json("/v0/datasources/events/delete", &json!({ "delete_condition": "org = 'a'" }));
    assert_eq!((gone.status, gone.json()), (200, json!({ "status": "done" })));
    let slow = host.json("/v0/datasources/orgs/truncate", &json!({}));
    assert_eq!((slow.status, &slow.json()["status"]), (202, &"working".into()));
    let log = std::fs::read_to_string(host.ready.data.join("log/host.log")).expect("a log");
    assert!(
        log.contains("\"rows-deleted\"") && log.contains("\"truncated\"") && !log.contains("org = "),
        "{log}"
    );
}

#[test]
fn a_client_that_falls_silent_is_told_and_what_came_before_is_kept() {
    let host = Host::deployed();
    let mut stream = TcpStream::connect(host.address()).expect("it listens");
    let head = format!(
        "POST {APPEND}?format=ndjson HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {}\r\nContent-Length: 1000\r\n\r\n{{}}\n",
        host.token
    );
    stream.write_all(head.as_bytes()).expect("sent");
    let reply = Reply::read(&mut stream);
    assert_eq!((reply.status, reply.error().contains("too slowly: 3 bytes")), (408, true), "{reply:?}");
}

#[test]
fn files_that_arrive_take_no_place_of_events() {
    let host = Host::with(|config| {
        config.limits.ingesting = 1;
        config.limits.body = std::time::Duration::from_secs(20);
    });
    assert_eq!(host.deploy(&crate::deploying::PROJECT).status, 200);
    let mut stream = TcpStream::connect(host.address()).expect("it listens");
    let head = format!(
        "POST {APPEND}?format=ndjson HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {}\r\nConnection: close\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n",
        host.token
    );
    stream.write_all(head.as_bytes()).expect("sent");
    // That it may go on says that it has its place.
    let mut said = [0; 25];
    stream.read_exact(&mut said).expect("an interim answer");
    assert_eq!(&said, b"HTTP/1.1 100 Continue\r\n\r\n");
    let events = host.upload("/v0/events?name=events", "", b"{}");
    assert_eq!(events.status, 202, "{events:?}");
    stream.write_all(b"{}\n").expect("sent");
    let file = Reply::read(&mut stream);
    assert_eq!((file.status, &file.json()["successful_rows"]), (200, &1.into()), "{file:?}");
}
