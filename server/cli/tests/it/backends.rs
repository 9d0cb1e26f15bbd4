//! What stands before and behind a host: a server that speaks TLS in front, a ClickHouse server in the engine's place.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::Output;
use std::sync::Arc;

use headwater_clickhouse_shim::{Shim, User};
use headwater_warehouse::{Places, PoolConfig, Program, Store, StoreConfig};
use rustls::pki_types::PrivateKeyDer;

use crate::host::{Home, Serving};
use crate::json;

fn engine() -> PoolConfig {
    let library = match Places::from_env().library() {
        Ok(library) => library.path().to_owned(),
        Err(why) => panic!("this test needs the SQL engine; `cargo xtask test` brings it. {why}"),
    };
    let path = env!("CARGO_BIN_EXE_headwater").into();
    PoolConfig::new(Program { path, args: vec!["engine-worker".to_owned()] }, library)
}

/// Speaks TLS for `localhost` on a port of its own and passes on what it hears to `to`, a connection at a time.
fn speak_tls(to: String, certificate: &Path) -> u16 {
    let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).expect("a certificate");
    std::fs::write(certificate, made.cert.pem()).expect("a file");
    let key = PrivateKeyDer::try_from(made.signing_key.serialize_der()).expect("a key");
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_no_client_auth()
        .with_single_cert(vec![made.cert.der().clone()], key)
        .expect("a certificate and its key");
    let config = Arc::new(config);
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("an address").port();
    std::thread::spawn(move || {
        for client in listener.incoming() {
            let Ok(client) = client else { return };
            let _ = pass_on(client, &to, config.clone());
        }
    });
    port
}

/// One request and its answer.
fn pass_on(client: TcpStream, to: &str, config: Arc<rustls::ServerConfig>) -> std::io::Result<()> {
    let connection = rustls::ServerConnection::new(config).map_err(std::io::Error::other)?;
    let mut client = rustls::StreamOwned::new(connection, client);
    let mut request = Vec::new();
    let mut buffer = [0; 4096];
    let whole = |request: &[u8]| {
        let text = String::from_utf8_lossy(request).to_ascii_lowercase();
        let (head, body) = text.split_once("\r\n\r\n")?;
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")?.trim().parse().ok());
        (body.len() >= length.unwrap_or(0)).then_some(())
    };
    while whole(&request).is_none() {
        match client.read(&mut buffer)? {
            0 => return Ok(()),
            n => request.extend_from_slice(&buffer[..n]),
        }
    }
    let text = String::from_utf8_lossy(&request).replacen("\r\n", "\r\nConnection: close\r\n", 1);
    let mut host = TcpStream::connect(to)?;
    host.write_all(text.as_bytes())?;
    std::io::copy(&mut host, &mut client)?;
    client.conn.send_close_notify();
    client.flush()
}

#[test]
fn a_host_behind_tls_is_asked_when_its_certificate_is_known() {
    let home = Home::new("tls");
    let serving = Serving::start(&home, &["--listen", "0"]);
    let certificate = home.folder.0.join("certificate.pem");
    let port = speak_tls(serving.url().trim_start_matches("http://").to_owned(), &certificate);
    let ask = |url: &str, trusted: bool| -> Output {
        let mut command = home.command(&["status", "--format", "json", "--host", url]);
        command.env("HEADWATER_TOKEN", serving.token());
        if trusted {
            command.env("SSL_CERT_FILE", &certificate);
        } else {
            command.env_remove("SSL_CERT_FILE");
        }
        command.output().expect("the binary runs")
    };
    let url = format!("https://localhost:{port}");
    let known = ask(&url, true);
    assert_eq!(known.status.code(), Some(0), "{known:?}");
    assert_eq!(json(&known)["running"], true);
    // Nobody vouches for it; and it is vouched for under another name.
    for (url, trusted) in [(url.as_str(), false), (&format!("https://127.0.0.1:{port}"), true)] {
        let refused = ask(url, trusted);
        let words = String::from_utf8_lossy(&refused.stderr).to_lowercase();
        assert_eq!(refused.status.code(), Some(3), "{words}");
        assert!(words.contains("certificate"), "{url}: {words}");
    }
}

#[test]
fn a_clickhouse_server_answers_through_a_host() {
    let home = Home::new("clickhouse");
    let data = home.folder.0.join("server");
    let store = Store::open(StoreConfig::new(engine(), &data)).unwrap_or_else(|e| panic!("{e}"));
    let user = User { name: "reader".to_owned(), password: "pass word".to_owned() };
    let shim = Shim::start(store.writers().clone(), user).expect("it starts");
    let url = shim.url();
    let start = |password: &str| {
        let mut command = home.command(&["serve", "--clickhouse", &url]);
        command.env("HEADWATER_CLICKHOUSE_USER", "reader").env("HEADWATER_CLICKHOUSE_PASSWORD", password);
        Serving::of(command)
    };
    {
        let _serving = start("pass word");
        let rows = home.run(&[
            "sql",
            "--host",
            "local",
            "--format",
            "ndjson",
            "SELECT sum(number) AS s FROM numbers(5)",
        ]);
        assert_eq!((rows.status.code(), rows.stdout.as_slice()), (Some(0), &b"{\"s\":10}\n"[..]), "{rows:?}");
        let refused =
            home.run(&["sql", "--host", "local", "SELECT * FROM url('http://127.0.0.1:9/', 'CSV')"]);
        assert_eq!(refused.status.code(), Some(3));
        let wrong = home.run(&["sql", "--host", "local", "SELECT throwIf(number = 3, 'no') FROM numbers(9)"]);
        assert!(String::from_utf8_lossy(&wrong.stderr).contains("no"), "{wrong:?}");
        let status = home.status(&[]);
        assert_eq!(
            (&status["engine"]["kind"], &status["engine"]["state"]),
            (&"clickhouse".into(), &"running".into())
        );
        assert_eq!(status["engine_pid"], serde_json::Value::Null, "the host starts no engine of its own");
    }
    let _serving = start("wrong");
    let refused = home.run(&["sql", "--host", "local", "SELECT 1"]);
    assert_eq!(refused.status.code(), Some(3), "{refused:?}");
    assert!(!String::from_utf8_lossy(&refused.stderr).contains("wrong"), "no password is told: {refused:?}");
    drop(shim);
    let gone = home.run(&["sql", "--host", "local", "SELECT 1"]);
    assert_eq!(gone.status.code(), Some(3), "{gone:?}");
}
