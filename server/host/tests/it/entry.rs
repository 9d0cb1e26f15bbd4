//! Who is let in.

use crate::{Host, Reply};

impl Host {
    fn head(&self, head: &str) -> Reply {
        self.raw(format!("GET /health HTTP/1.1\r\nConnection: close\r\n{head}\r\n"))
    }
}

#[test]
fn nothing_is_answered_without_a_token() {
    let host = Host::start();
    let token = host.token.clone();
    for path in ["/health", "/metrics", "/v0/version", "/v0/status", "/v0/sql?q=SELECT+1", "/", "/nowhere"] {
        let reply = host.raw(format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"));
        assert_eq!(reply.status, 401, "{path}");
        assert_eq!(reply.header("www-authenticate"), Some("bearer"));
        assert!(reply.error().contains("a token is needed"));
    }
    let stop = host
        .raw("POST /v0/stop HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
    assert_eq!(stop.status, 401);
    let with = |value: &str| host.head(&format!("Host: localhost\r\nAuthorization: {value}\r\n")).status;
    assert_eq!(with(&format!("Bearer {token}")), 200);
    assert_eq!(with(&format!("bearer  {token} ")), 200);
    assert_eq!(with(&format!("Bearer {token}x")), 403);
    assert_eq!(with(&format!("Bearer {}", &token[..token.len() - 1])), 403);
    assert_eq!(with("Bearer "), 400);
    assert_eq!(with(&format!("Basic {token}")), 400);
    let twice = format!("Host: localhost\r\nAuthorization: Bearer {token}\r\nAuthorization: Bearer x\r\n");
    assert_eq!(host.head(&twice).status, 400);
    let query = |query: &str| {
        host.raw(format!("GET /health?{query} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"))
            .status
    };
    assert_eq!(query(&format!("token={token}")), 200);
    assert_eq!(query("token="), 401);
    assert_eq!(query("token=x"), 403);
    assert_eq!(query(&format!("token={token}&token={token}")), 400);
    // A wrong header is not made good by a right parameter.
    let both = format!(
        "GET /health?token={token} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer x\r\nConnection: close\r\n\r\n"
    );
    assert_eq!(host.raw(both).status, 403);
}

#[test]
fn names_and_pages_that_are_not_ours_are_refused() {
    let host = Host::start();
    let bearer = format!("Authorization: Bearer {}\r\n", host.token);
    let port = host.address().port();
    let with = |more: &str| host.head(&format!("{bearer}{more}"));
    for name in ["localhost", "127.0.0.1", "[::1]", "10.0.0.7", "data.example.com", "DATA.example.com"] {
        assert_eq!(with(&format!("Host: {name}\r\n")).status, 200, "{name}");
        assert_eq!(with(&format!("Host: {name}:{port}\r\n")).status, 200, "{name}");
    }
    for name in [
        "evil.example.com",
        "localhost.evil.com",
        "data.example.com.evil.com",
        "127.0.0.1.nip.io",
        "",
        "a b",
        "localhost:x",
    ] {
        let reply = with(&format!("Host: {name}\r\n"));
        assert_eq!(reply.status, 421, "{name}: {reply:?}");
        assert!(!reply.error().is_empty());
    }
    assert_eq!(with("").status, 400);
    assert_eq!(with("Host: localhost\r\nHost: localhost\r\n").status, 400);
    let absolute = format!(
        "GET http://evil.com/health HTTP/1.1\r\nHost: localhost\r\n{bearer}Connection: close\r\n\r\n"
    );
    assert_eq!(host.raw(absolute).status, 421);

    for origin in [
        "https://evil.com",
        "http://localhost",
        "null",
        "https://dash.example.com.evil.com",
        "https://dash.example.com:1",
    ] {
        let reply = with(&format!("Host: localhost\r\nOrigin: {origin}\r\n"));
        assert_eq!(reply.status, 403, "{origin}");
        assert_eq!(reply.header("access-control-allow-origin"), None);
    }
    let ours = with("Host: localhost\r\nOrigin: https://dash.example.com\r\n");
    assert_eq!(ours.status, 200);
    assert_eq!(ours.header("access-control-allow-origin"), Some("https://dash.example.com"));
    // A browser asks first, without a token; what it then asks needs one.
    let ask = |origin: &str| {
        host.raw(format!(
            "OPTIONS /v0/sql HTTP/1.1\r\nHost: localhost\r\nOrigin: {origin}\r\nAccess-Control-Request-Method: POST\r\nConnection: close\r\n\r\n"
        ))
    };
    assert_eq!(ask("https://dash.example.com").status, 204);
    assert_eq!(ask("https://evil.com").status, 403);
    let bare = host.raw("OPTIONS /v0/sql HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    assert_eq!(bare.status, 401);
}

#[test]
fn answers_have_ids_and_are_kept_by_nobody() {
    let host = Host::start();
    let reply = host.ask("GET /v0/version", "X-Request-Id: my-id.7\r\n");
    assert_eq!(reply.header("x-request-id"), Some("my-id.7"));
    assert_eq!(reply.header("cache-control"), Some("no-store"));
    let made = host.ask("GET /v0/version", "X-Request-Id: a b\r\n");
    assert_eq!(made.header("x-request-id").map(str::len), Some(16));
    let long = host.ask("GET /v0/sql?q=SELECT+long", "Accept-Encoding: gzip\r\n");
    assert_eq!((long.status, long.header("content-encoding")), (200, Some("gzip")));
    assert!(long.body.len() < 5_000, "{}", long.body.len());
}
