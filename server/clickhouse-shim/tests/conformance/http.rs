//! What only a server can do wrong: not be there, not know us, be slow, break off.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use headwater_clickhouse_shim::User;
use headwater_warehouse::{
    Allow, ClickHouse, ClickHouseConfig, EngineError, InputFormat, Insert, Limits, Request,
};

use crate::{Served, cases, run};

fn client(config: ClickHouseConfig) -> ClickHouse {
    ClickHouse::new(config).expect("an address")
}

#[test]
fn statements_are_taken_back() {
    let served = Served::new(User::default());
    let server = client(served.config());
    let session = server.warehouse().session();
    for step in cases::CANCEL.steps {
        run(step, server.warehouse(), &session).unwrap_or_else(|e| panic!("{}: {e}", cases::CANCEL.name));
    }
    // They end on the server too.
    let counting = Request::new(
        "SELECT count() FROM system.processes WHERE query LIKE '%sipHash64%' AND query NOT LIKE '%processes%'",
    );
    let start = Instant::now();
    while server.warehouse().query(counting.clone()).expect("an answer").text() != "0\n" {
        assert!(start.elapsed() < Duration::from_secs(10));
    }
    // A handle that is dropped takes back what it had.
    let ticket = {
        let other = client(served.config());
        let limits = Limits { time: Duration::from_secs(50), ..Limits::default() };
        let sql = "SELECT count() FROM numbers(1000000000000) WHERE NOT ignore(sipHash64(number))";
        let ticket = other.warehouse().submit(Request::new(sql).limits(limits));
        std::thread::sleep(Duration::from_millis(300));
        ticket
    };
    assert_eq!(ticket.wait(), Err(EngineError::Cancelled));
    let start = Instant::now();
    while server.warehouse().query(counting.clone()).expect("an answer").text() != "0\n" {
        assert!(start.elapsed() < Duration::from_secs(10));
    }
}

#[test]
fn a_name_and_a_password_are_asked_for() {
    let served = Served::new(User { name: "me".to_owned(), password: "p&ss: é?".to_owned() });
    let with = |user: &str, password: &str| ClickHouseConfig {
        user: user.to_owned(),
        password: password.to_owned(),
        ..served.config()
    };
    assert_eq!(client(with("me", "p&ss: é?")).version().map(|v| v.starts_with("26.")), Ok(true));
    for (user, password) in [("me", "no"), ("you", "p&ss: é?"), ("me", "")] {
        match client(with(user, password)).version() {
            Err(EngineError::Unavailable(why)) => assert!(why.contains("does not let us in"), "{why}"),
            other => panic!("{other:?}"),
        }
    }
    assert!(!format!("{:?}", with("me", "secret")).contains("secret"));
}

#[test]
fn addresses_that_are_none_and_servers_that_are_not_there_are_said() {
    for bad in
        ["", "localhost:8123", "ftp://x", "http://", "http://user:pass@host", "http://host/?a=b", "http:// x"]
    {
        let made = ClickHouse::new(ClickHouseConfig::new(bad)).map(drop);
        assert!(matches!(made, Err(EngineError::Invalid(_))), "{bad}: {made:?}");
    }
    let free = TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("its number");
    let start = Instant::now();
    let server = client(ClickHouseConfig::new(format!("http://{free}")));
    match server.warehouse().query(Request::new("SELECT 1")) {
        Err(EngineError::Unavailable(why)) => {
            assert!(why.contains(&free.to_string()) && why.contains("Is it running"), "{why}");
        }
        other => panic!("{other:?}"),
    }
    assert!(matches!(server.version(), Err(EngineError::Unavailable(_))));
    assert!(start.elapsed() < Duration::from_secs(10));
}

/// Answers each connection with what `answer` makes of its number, and closes it.
fn canned(answer: impl Fn(u64) -> Vec<u8> + Send + 'static) -> (String, Arc<AtomicU64>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("http://{}", listener.local_addr().expect("its number"));
    let count = Arc::new(AtomicU64::new(0));
    let counted = count.clone();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { return };
            let n = counted.fetch_add(1, Ordering::SeqCst) + 1;
            let mut buffer = [0; 65536];
            let _ = stream.read(&mut buffer);
            std::thread::sleep(Duration::from_millis(20));
            let _ = stream.write_all(&answer(n));
        }
    });
    (url, count)
}

fn ok(body: &str) -> Vec<u8> {
    format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}", body.len())
        .into_bytes()
}

fn busy() -> Vec<u8> {
    let body = "Code: 202. DB::Exception: Too many simultaneous queries. (TOO_MANY_SIMULTANEOUS_QUERIES) (version 25.8.1.1 (official build))";
    format!(
        "HTTP/1.1 500 Internal Server Error\r\nX-ClickHouse-Exception-Code: 202\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}

#[test]
fn only_what_is_safe_is_tried_again() {
    let insert = || Insert::new("t", ["a"], InputFormat::Csv, "1\n");
    let change = || Request::new("DROP TABLE t").allow(Allow::Changes);
    let plain = |url: &str| client(ClickHouseConfig { compress: false, ..ClickHouseConfig::new(url) });
    // The connection breaks before an answer: reading is tried again, changing is not.
    let (url, count) = canned(|n| if n == 1 { Vec::new() } else { ok("1\n") });
    assert_eq!(plain(&url).warehouse().query(Request::new("SELECT 1")).expect("an answer").text(), "1\n");
    assert_eq!(count.load(Ordering::SeqCst), 2);
    let (url, count) = canned(|_| Vec::new());
    assert!(matches!(plain(&url).warehouse().insert(insert()), Err(EngineError::Unavailable(_))));
    assert_eq!(count.load(Ordering::SeqCst), 1, "the rows may be there");
    assert!(matches!(plain(&url).warehouse().query(change()), Err(EngineError::Unavailable(_))));
    assert_eq!(count.load(Ordering::SeqCst), 2);
    // The server says itself that it has not begun: everything is tried again.
    let (url, count) = canned(|n| if n == 1 { busy() } else { ok("") });
    plain(&url).warehouse().insert(insert()).expect("written");
    assert_eq!(count.load(Ordering::SeqCst), 2);
    let (url, count) = canned(|_| busy());
    assert!(
        matches!(plain(&url).warehouse().insert(insert()), Err(EngineError::Statement(e)) if e.code == 202)
    );
    assert_eq!(count.load(Ordering::SeqCst), 3);
    // An answer that breaks off is not an answer.
    let (url, _) = canned(|_| b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n1\n".to_vec());
    let broken = plain(&url).warehouse().query(Request::new("SELECT 1"));
    assert!(matches!(&broken, Err(EngineError::Crashed(why)) if why.contains("broke off")), "{broken:?}");
    let broken = plain(&url).warehouse().stream(Request::new("SELECT 1")).last();
    assert!(
        matches!(&broken, Some(Err(EngineError::Crashed(why))) if why.contains("broke off")),
        "{broken:?}"
    );
    // Somebody on the way who is no ClickHouse.
    let (url, _) = canned(|_| {
        b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 14\r\nConnection: close\r\n\r\n<html>no</html".to_vec()
    });
    match plain(&url).warehouse().query(change()) {
        Err(EngineError::Unavailable(why)) => assert!(why.contains("502") && why.contains("<html>"), "{why}"),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_server_that_does_not_answer_is_not_waited_for() {
    let (url, _) = canned(|_| {
        std::thread::sleep(Duration::from_secs(30));
        Vec::new()
    });
    let mut config = ClickHouseConfig::new(url);
    config.grace = Duration::from_millis(200);
    let server = client(config);
    let limits = Limits { time: Duration::from_millis(300), ..Limits::default() };
    let start = Instant::now();
    let result = server.warehouse().query(Request::new("SELECT 1").limits(limits));
    assert!(matches!(result, Err(EngineError::TimedOut(_))), "{result:?}");
    assert!(start.elapsed() < Duration::from_secs(15), "{:?}", start.elapsed());
}

#[test]
fn a_session_that_the_server_forgot_is_lost_until_it_is_reset() {
    let gone = "Code: 372. DB::Exception: Session not found. (SESSION_NOT_FOUND) (version 25.8.1.1 (official build))";
    let gone = format!(
        "HTTP/1.1 404 Not Found\r\nX-ClickHouse-Exception-Code: 372\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{gone}",
        gone.len()
    );
    let (url, _) = canned(move |n| if n == 2 { gone.clone().into_bytes() } else { ok("1\n") });
    let server = client(ClickHouseConfig { compress: false, ..ClickHouseConfig::new(url) });
    let session = server.warehouse().session();
    let ask = || session.query(Request::new("SELECT 1"));
    assert!(ask().is_ok());
    assert!(matches!(ask(), Err(EngineError::SessionLost(_))));
    session.reset().expect("reset");
    assert!(ask().is_ok());
}
