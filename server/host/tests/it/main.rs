//! A door in this process, over an engine that the test writes: what it answers, to whom, and what it leaves behind.

#![cfg(unix)]

mod deploying;
mod endpoints;
mod entry;
mod events;
mod hostile;
mod life;
mod statements;
mod tokens;
mod uploads;

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use headwater_host::client::{Local, stop};
use headwater_host::door::sql::{Gate, Passed};
use headwater_host::door::{HttpLimits, Rules};
use headwater_host::gate::Readable;
use headwater_host::pipeline::{
    AcceptError, Accepted, ConsumerInfo, InstallError, Live, Pipeline, RowEffect, RowFormat,
};
use headwater_host::places::Places;
use headwater_host::project::ProjectFiles;
use headwater_host::protocol::EngineHealth;
use headwater_host::serve::{Backend, Ready, ServeConfig, serve};
use headwater_host::supervisor::{Engine, Statement};
use headwater_warehouse::{EngineError, Request};

/// Answers as told.
struct Scripted;

impl Engine for Scripted {
    fn submit(&self, request: Request) -> Statement {
        let (cancel, cancelled) = mpsc::channel::<()>();
        let wait = move || match request.sql.as_str() {
            sql if sql.starts_with("EXPLAIN AST ") => {
                statements::answer(&sql.as_bytes()["EXPLAIN AST ".len()..])
            }
            "SELECT unavailable" => Err(EngineError::Unavailable("run `headwater setup`".to_owned())),
            "SELECT late" => Err(EngineError::TimedOut(Duration::from_secs(5))),
            "SELECT crash once" if CRASHED.fetch_add(1, Ordering::SeqCst) == 0 => {
                Err(EngineError::Crashed("signal 9".to_owned()))
            }
            "SELECT crash" => Err(EngineError::Crashed("signal 11".to_owned())),
            "SELECT slow" => {
                let until = Instant::now() + Duration::from_secs(1);
                while Instant::now() < until {
                    if cancelled.try_recv().is_ok() {
                        CANCELLED.fetch_add(1, Ordering::SeqCst);
                        return Err(EngineError::Cancelled);
                    }
                    std::thread::sleep(Duration::from_millis(5));
                }
                statements::answer(b"slow\n")
            }
            "SELECT long" => statements::answer("x\n".repeat(50_000).as_bytes()),
            sql => statements::answer(format!("{sql}\n").as_bytes()),
        };
        Statement::new(wait, move || {
            let _ = cancel.send(());
        })
    }

    fn health(&self) -> EngineHealth {
        EngineHealth {
            kind: "embedded".to_owned(),
            state: "idle".to_owned(),
            message: None,
            unconfined: None,
        }
    }

    fn pids(&self) -> Vec<u32> {
        Vec::new()
    }

    fn starts(&self) -> u64 {
        0
    }

    fn stop(&self) {}
}

/// Keeps no rows, and calls each data source's table by its name with a 1 behind it.
#[derive(Default)]
struct Kept(Mutex<Option<Arc<Live>>>);

impl Pipeline for Kept {
    fn live(&self) -> Option<Arc<Live>> {
        self.0.lock().expect("not poisoned").clone()
    }

    fn install(&self, files: Arc<ProjectFiles>) -> Result<Arc<Live>, InstallError> {
        let name = |path: &str| Some(path.strip_suffix(".datasource")?.rsplit('/').next()?.to_owned());
        let tables = files.iter().filter_map(|(path, _)| name(path)).map(|n| (n.clone(), format!("{n}_1")));
        let tables = Arc::new(tables.collect());
        let table = |(path, _): &(&str, &str)| path.ends_with(".datasource");
        if let Some(live) = self.live()
            && !live.files.iter().filter(table).eq(files.iter().filter(table))
        {
            return Err(InstallError::Refused(
                "another release is live, and this one changes tables".to_owned(),
            ));
        }
        let live = Arc::new(Live { id: files.id(), files, database: "data".to_owned(), tables });
        *self.0.lock().expect("not poisoned") = Some(live.clone());
        Ok(live)
    }

    fn accept(
        &self,
        source: &str,
        bytes: Vec<u8>,
        _: RowFormat,
        key: Option<&str>,
    ) -> Result<Accepted, AcceptError> {
        events::accept(self.live().as_deref(), source, &bytes, key)
    }

    fn effect(&self, source: &str, _: RowEffect) -> Result<Accepted, AcceptError> {
        events::accept(self.live().as_deref(), source, b"", None)
    }

    fn wait(
        &self,
        source: &str,
        position: u64,
        at_most: Duration,
    ) -> Result<Vec<(String, Option<String>)>, AcceptError> {
        let slow = source == "orgs" || !events::wait(position);
        let why = if at_most.is_zero() { "nobody waited" } else { "a secret place" };
        Ok(slow.then(|| ("landing_orgs".to_owned(), Some(why.to_owned()))).into_iter().collect())
    }

    fn consumers(&self) -> Vec<ConsumerInfo> {
        Vec::new()
    }

    fn skip(&self, consumer: &str, range: (u64, u64), _: &str) -> Result<(), String> {
        let is_it = consumer == "landing_orgs" && range == (1, 2);
        if is_it { Ok(()) } else { Err(format!("there is no consumer `{consumer}`")) }
    }
}

/// Statements that were cancelled, in all tests.
static CANCELLED: AtomicUsize = AtomicUsize::new(0);

/// How often the statement ran that crashes once.
static CRASHED: AtomicUsize = AtomicUsize::new(0);

/// Lets pass what starts with `SELECT `, and confirms what reads the same.
struct Script;

impl Gate for Script {
    fn check(&self, sql: &str, _: &Readable) -> Result<Passed, String> {
        if !sql.trim_start().starts_with("SELECT ") {
            return Err("only SELECT".to_owned());
        }
        let format = sql.rsplit_once(" FORMAT ").map(|(_, f)| f.to_owned());
        Ok(Passed { format, reading: Box::new(sql.to_owned()) })
    }

    fn confirm(&self, passed: &Passed, _: &Readable, reading: &str) -> Result<(), String> {
        let same = passed.reading.downcast_ref::<String>().is_some_and(|sql| sql == reading);
        let lie = reading.contains("two faces");
        if same && !lie { Ok(()) } else { Err("the engine reads it differently".to_owned()) }
    }
}

/// A running host, ended at the end of the test.
struct Host {
    dir: tempfile::TempDir,
    ready: Ready,
    token: String,
    thread: Option<JoinHandle<Result<(), String>>>,
}

fn limits() -> HttpLimits {
    HttpLimits {
        head: Duration::from_millis(600),
        body: Duration::from_millis(600),
        head_bytes: 16_384,
        sql_bytes: 100_000,
        connections: 64,
        drain: Duration::from_secs(3),
        ..HttpLimits::default()
    }
}

fn config(dir: &std::path::Path) -> ServeConfig {
    let runtime = dir.join("run");
    ServeConfig {
        data: dir.join("data"),
        places: Places {
            data: None,
            keys: Some(dir.join("keys")),
            runtime: runtime.clone(),
            short_runtime: runtime,
        },
        secrets_key: None,
        listen: vec!["127.0.0.1:0".parse().expect("an address")],
        rules: Rules {
            hosts: vec!["data.example.com".to_owned()],
            origins: vec!["https://dash.example.com".to_owned()],
        },
        on_demand: None,
        build: "0.0.0-test".to_owned(),
        limits: limits(),
        log_to_stderr: false,
    }
}

impl Host {
    fn start() -> Self {
        Self::with(|_| ())
    }

    fn with(change: impl FnOnce(&mut ServeConfig)) -> Self {
        let dir = tempfile::tempdir().expect("a folder");
        let mut config = config(dir.path());
        change(&mut config);
        let (said, ready) = mpsc::channel();
        let thread = std::thread::spawn(move || {
            let engine = |_: &_, _| {
                Ok(Backend {
                    engine: Arc::new(Scripted) as Arc<dyn Engine>,
                    pipeline: Arc::new(Kept::default()),
                })
            };
            serve(&config, engine, Arc::new(Script), |r: &Ready| drop(said.send(r.clone())))
        });
        let Ok(ready) = ready.recv_timeout(Duration::from_secs(20)) else {
            panic!("no host: {:?}", thread.join());
        };
        let token = std::fs::read_to_string(&ready.token).expect("a token");
        Self { dir, ready, token, thread: Some(thread) }
    }

    fn local(&self) -> Local {
        Local {
            data: self.ready.data.clone(),
            program: (PathBuf::new(), Vec::new()),
            patience: Duration::from_secs(20),
        }
    }

    fn address(&self) -> SocketAddr {
        self.ready.listen[0]
    }

    /// Sends a head with the token and a fitting Host, and what stands in `more`.
    fn ask(&self, line: &str, more: &str) -> Reply {
        let token = &self.token;
        self.raw(format!("{line} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\nConnection: close\r\n{more}\r\n"))
    }

    fn post(&self, path: &str, kind: &str, body: &str) -> Reply {
        let length = body.len();
        self.ask(
            &format!("POST {path}"),
            &format!("Content-Type: {kind}\r\nContent-Length: {length}\r\n\r\n{body}"),
        )
    }

    /// Sends bytes as they are and reads until the host closes.
    fn raw(&self, bytes: impl AsRef<[u8]>) -> Reply {
        let mut stream = TcpStream::connect(self.address()).expect("it listens");
        stream.set_read_timeout(Some(Duration::from_secs(15))).expect("set");
        // The host may answer and close before it has heard everything.
        let _ = stream.write_all(bytes.as_ref());
        Reply::read(&mut stream)
    }

    fn wait(mut self) -> tempfile::TempDir {
        let thread = self.thread.take().expect("it ran");
        let deadline = Instant::now() + Duration::from_secs(20);
        while !thread.is_finished() {
            assert!(Instant::now() < deadline, "the host does not end");
            std::thread::sleep(Duration::from_millis(10));
        }
        thread.join().expect("no panic").expect("it ended well");
        std::mem::replace(&mut self.dir, tempfile::tempdir().expect("a folder"))
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        if self.thread.is_some() {
            let _ = stop(&self.local());
        }
    }
}

/// What came back.
#[derive(Debug)]
struct Reply {
    /// 0 when nothing did.
    status: u16,
    head: String,
    body: Vec<u8>,
}

impl Reply {
    fn read(stream: &mut impl Read) -> Self {
        let mut bytes = Vec::new();
        // Closed hard is as good an end as any, time-out is not.
        if let Err(e) = stream.read_to_end(&mut bytes) {
            assert_ne!(
                e.kind(),
                std::io::ErrorKind::WouldBlock,
                "it hangs after {:?}",
                String::from_utf8_lossy(&bytes)
            );
        }
        let end = bytes.windows(4).position(|w| w == b"\r\n\r\n").unwrap_or(bytes.len());
        let head = String::from_utf8_lossy(&bytes[..end]).to_ascii_lowercase();
        let status = head.split(' ').nth(1).and_then(|s| s.parse().ok()).unwrap_or(0);
        let body = bytes.get(end + 4..).unwrap_or_default().to_vec();
        Self { status, head, body }
    }

    fn json(&self) -> serde_json::Value {
        match serde_json::from_slice(&self.body) {
            Ok(value) => value,
            Err(_) => panic!("no JSON: {self:?}"),
        }
    }

    /// The text of an error, which must have the format's shape.
    fn error(&self) -> String {
        let json = self.json();
        let page = json["documentation"].as_str().unwrap_or_default();
        assert!(page.starts_with("docs/reference/http.md#"), "{json}");
        json["error"].as_str().expect("a text").to_owned()
    }

    fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|l| l.strip_prefix(&format!("{name}: ")))
    }
}
