//! How a host lives and ends, and what it leaves behind.

use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use headwater_host::client::stop;
use headwater_host::pipeline::NoPipeline;
use headwater_host::serve::Backend;
use headwater_host::supervisor::Engine;

use crate::{Host, Script, Scripted, config};

fn names(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let mut names: Vec<String> = entries.map(|e| e.file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

#[test]
fn the_socket_is_its_owners_and_goes_with_the_host() {
    let host = Host::start();
    let socket = std::fs::metadata(&host.ready.socket).expect("there");
    assert!(socket.file_type().is_socket());
    assert_eq!(socket.mode() & 0o777, 0o600);
    assert_eq!(
        std::fs::metadata(host.ready.socket.parent().expect("a folder")).expect("there").mode() & 0o777,
        0o700
    );
    let client = host.local().find().expect("no error").expect("it runs");
    let status = client.status().expect("it answers");
    assert_eq!(
        (status.pid, status.holds, status.idle_exit_seconds),
        (std::process::id(), vec!["listener".to_owned()], None)
    );
    assert_eq!(client.health().expect("it answers").status, "ok");
    assert!(stop(&host.local()).expect("it ends"));
    let dir = host.wait();
    assert_eq!(names(&dir.path().join("run")), Vec::<String>::new());
    assert_eq!(names(&dir.path().join("data")), ["door.lock", "log", "owner.token", "tokens.json"]);
}

#[test]
fn the_log_and_the_metrics_hold_no_secrets() {
    let host = Host::start();
    let token = host.token.clone();
    host.raw(format!("GET /v0/sql?q=SELECT+secret_word&token={token} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"));
    host.raw("GET /v0/sql?token=wrong_token HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    host.post("/v0/sql", "text/plain", "SELECT secret_word");
    host.ask("GET /strange_path", "");
    let metrics = String::from_utf8(host.ask("GET /metrics", "").body).expect("text");
    for line in [
        "headwater_build_info{version=\"0.0.0-test\",protocol=\"1\"} 1",
        "headwater_http_requests_total{method=\"GET\",route=\"/v0/sql\",status=\"200\"} 1",
        "headwater_http_requests_total{method=\"GET\",route=\"/v0/sql\",status=\"403\"} 1",
        "headwater_http_requests_total{method=\"POST\",route=\"/v0/sql\",status=\"200\"} 1",
        "headwater_http_requests_total{method=\"GET\",route=\"unknown\",status=\"404\"} 1",
        "headwater_engine_up 1",
        "# EOF",
    ] {
        assert!(metrics.contains(line), "{line} is not in\n{metrics}");
    }
    let log = std::fs::read_to_string(host.ready.data.join("log/host.log")).expect("a log");
    for text in [&metrics, &log] {
        for secret in [&token[..], &token[3..30], "secret_word", "wrong_token", "strange_path"] {
            assert!(!text.contains(secret), "{secret} is in\n{text}");
        }
    }
    let requests: Vec<serde_json::Value> = log
        .lines()
        .map(|l| serde_json::from_str(l).expect("JSON"))
        .filter(|l: &serde_json::Value| l["event"] == "request")
        .collect();
    assert_eq!(requests.len(), 5, "{log}");
    assert_eq!(
        (&requests[0]["route"], &requests[0]["token"], &requests[0]["from"]),
        (&"/v0/sql".into(), &"owner".into(), &"127.0.0.1".into())
    );
}

#[test]
fn a_host_that_is_told_to_stop_answers_what_runs() {
    let host = Host::start();
    let reply = std::thread::scope(|scope| {
        let slow = scope.spawn(|| host.ask("GET /v0/sql?q=SELECT+slow", ""));
        std::thread::sleep(Duration::from_millis(300));
        assert!(stop(&host.local()).expect("it ends"));
        slow.join().expect("an answer")
    });
    assert_eq!((reply.status, reply.body.as_slice()), (200, &b"slow\n"[..]));
    host.wait();
}

#[test]
fn one_that_was_started_on_demand_ends_when_it_is_idle() {
    let host = Host::with(|config| {
        config.on_demand = Some(Duration::from_millis(600));
        config.listen.clear();
    });
    let started = Instant::now();
    let client = host.local().find().expect("no error").expect("it runs");
    while started.elapsed() < Duration::from_millis(1500) {
        assert!(client.version().expect("busy hosts stay").on_demand);
        std::thread::sleep(Duration::from_millis(50));
    }
    let dir = host.wait();
    assert_eq!(names(&dir.path().join("run")), Vec::<String>::new());
}

#[test]
fn a_listener_keeps_it() {
    let host = Host::with(|config| config.on_demand = Some(Duration::from_millis(200)));
    std::thread::sleep(Duration::from_millis(1200));
    assert_eq!(host.ask("GET /health", "").status, 200);
}

#[test]
fn one_whose_folder_is_removed_ends() {
    let host = Host::with(|config| config.on_demand = Some(Duration::from_millis(800)));
    std::fs::remove_dir_all(&host.ready.data).expect("removed");
    host.wait();
}

#[test]
fn a_second_host_of_a_folder_is_refused_and_the_first_one_lives() {
    let host = Host::start();
    let mut second = config(host.dir.path());
    second.listen.clear();
    let engine = |_: &_, _| {
        Ok(Backend { engine: Arc::new(Scripted) as Arc<dyn Engine>, pipeline: Arc::new(NoPipeline) })
    };
    let why = headwater_host::serve::serve(&second, engine, Arc::new(Script), |_| ()).expect_err("taken");
    assert!(why.contains("owns the data folder") && why.contains("--stop"), "{why}");
    assert_eq!(host.ask("GET /health", "").status, 200);
}

#[test]
fn what_a_killed_host_left_is_in_nobodys_way() {
    let dir = tempfile::tempdir().expect("a folder");
    let place = dir.path().to_owned();
    // As after a kill: a socket that nobody listens at, and a file that says somebody does.
    let first = config(&place);
    std::fs::create_dir_all(&first.data).expect("a folder");
    let socket = first.places.socket(&first.data.canonicalize().expect("there")).expect("a path");
    drop(std::os::unix::net::UnixListener::bind(&socket).expect("a socket"));
    let said = serde_json::json!({ "pid": 1, "socket": socket });
    std::fs::write(first.data.join("door.json"), said.to_string()).expect("written");
    let host = Host::with(|config| {
        config.data = first.data.clone();
        config.places = first.places.clone();
    });
    assert_eq!(host.ready.socket, socket);
    assert!(host.local().find().expect("no error").is_some());
    drop(host);
}
