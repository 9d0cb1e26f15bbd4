//! What must not happen, and how it shows: a file with a secret, a file that must not appear, a port that nobody may connect to,
//! tables of others, and the engine's process.

use std::net::TcpListener;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use headwater_gate::Tables;
use headwater_warehouse::{Allow, Answer, EngineError, Places, Pool, PoolConfig, Program, Request};

use crate::Failures;
use crate::statements::Statements;

/// What stands in everything that must not be read.
pub(crate) const SECRET: &str = "CANARY7f3aSECRET";

/// What stands in the file beside it.
const OF_A_FILE: &str = "CANARY7f3aSECRET of a file";

/// The tables that queries may read here.
pub(crate) struct Project;

impl Tables for Project {
    fn may_read(&self, database: Option<&str>, name: &str) -> bool {
        database.is_none() && ["events", "users", "lookup"].contains(&name)
    }
}

/// An engine with canaries around it.
pub(crate) struct Canary {
    /// An engine with the gate and its grants in front of it, and nothing of the system's: the canaries can be harmed.
    pool: Pool,
    /// The same engine as it runs everywhere else.
    confined: Pool,
    folder: tempfile::TempDir,
    port: u16,
    connections: Arc<AtomicUsize>,
}

impl Canary {
    pub(crate) fn new() -> Self {
        let library = match Places::from_env().library() {
            Ok(library) => library,
            Err(why) => panic!("this test needs the SQL engine; `cargo xtask test` brings it. {why}"),
        };
        let program =
            Program { path: std::env::current_exe().expect("a program"), args: vec!["engine-worker".into()] };
        let mut config = PoolConfig::new(program, library.path());
        config.prelude = prelude();
        let confined = Pool::new(config.clone());
        config.confine = false;
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::write(folder.path().join("secret.txt"), OF_A_FILE).expect("a file");
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let connections = Arc::new(AtomicUsize::new(0));
        let counter = connections.clone();
        std::thread::spawn(move || {
            for connection in listener.incoming() {
                counter.fetch_add(1, Ordering::SeqCst);
                drop(connection);
            }
        });
        Self { pool: Pool::new(config), confined, folder, port, connections }
    }

    /// The text with this run's file, port and line breaks in it.
    pub(crate) fn fill(&self, text: &str) -> String {
        let path = |name: &str| self.folder.path().join(name).display().to_string();
        text.replace("@FILE", &path("secret.txt"))
            .replace("@OUT", &path("out.txt"))
            .replace("@PORT", &self.port.to_string())
            .replace('⏎', "\n")
    }

    fn out(&self) -> PathBuf {
        self.folder.path().join("out.txt")
    }

    /// A request with values for the placeholders that the statements have.
    pub(crate) fn request(sql: &str) -> Request {
        let mut request = Request::new(sql);
        request.limits.time = std::time::Duration::from_secs(2);
        request.limits.result_bytes = 4_000_000;
        request.param("p", "1").param("name", "hidden")
    }

    pub(crate) fn ask(&self, requests: Vec<Request>) -> Vec<Result<Answer, EngineError>> {
        self.pool.query_batch(requests)
    }

    /// What the answer shows that it must not.
    pub(crate) fn leak(answer: &Result<Answer, EngineError>) -> Option<String> {
        match answer {
            Ok(answer) if answer.text().contains(SECRET) => Some("the secret was read".to_owned()),
            Ok(_) => None,
            Err(EngineError::Statement(e)) if e.message.contains(SECRET) => {
                Some("the secret stands in an error".to_owned())
            }
            Err(EngineError::Statement(_) | EngineError::TooLarge { .. } | EngineError::TimedOut(_)) => None,
            Err(other) => Some(format!("the engine did not answer: {other}")),
        }
    }

    /// Canaries outside of answers that something was done to since they were last looked at.
    pub(crate) fn alarms(&self) -> Failures {
        let mut out = Failures::new();
        let connections = self.connections.swap(0, Ordering::SeqCst);
        if connections > 0 {
            out.push(format!("{connections} connections were made"));
        }
        if self.out().exists() {
            out.push("a file was written".to_owned());
            let _ = std::fs::remove_file(self.out());
        }
        let secret = std::fs::read_to_string(self.folder.path().join("secret.txt"));
        if secret.ok().as_deref() != Some(OF_A_FILE) {
            out.push("the file was changed".to_owned());
        }
        if std::fs::read_dir(self.folder.path()).map_or(0, Iterator::count) != 1 {
            out.push("there are other files".to_owned());
        }
        out
    }

    /// The process that answers, by its number of lives.
    pub(crate) fn life(&self) -> u64 {
        self.pool.query(Request::new("SELECT 1")).map_or(0, |answer| answer.worker.life)
    }
}

fn prelude() -> Vec<String> {
    [
        "CREATE TABLE events (a UInt8, s String) ENGINE = MergeTree ORDER BY a".to_owned(),
        "INSERT INTO events SELECT number, if(number = 1, 'x', 'y') FROM numbers(4)".to_owned(),
        "CREATE TABLE users (id UInt8, name String) ENGINE = ReplacingMergeTree ORDER BY id".to_owned(),
        "INSERT INTO users SELECT number, 'x' FROM numbers(3)".to_owned(),
        "CREATE TABLE lookup (k UInt8, v String) ENGINE = Join(ANY, LEFT, k)".to_owned(),
        "INSERT INTO lookup SELECT 1, 'found'".to_owned(),
        format!(
            "CREATE TABLE hidden (secret String, {SECRET} UInt8 DEFAULT 1) ENGINE = MergeTree ORDER BY secret"
        ),
        format!("INSERT INTO hidden (secret) SELECT '{SECRET}'"),
        "CREATE TABLE hidden_lookup (k UInt8, secret String) ENGINE = Join(ANY, LEFT, k)".to_owned(),
        format!("INSERT INTO hidden_lookup SELECT 1, '{SECRET}'"),
    ]
    .into()
}

/// Canaries that nothing can kill prove nothing: without the gate, what the grants leave open shows.
pub(crate) fn prove(canary: &Canary, _: &Statements) -> (String, Failures) {
    let mut failures = Failures::new();
    let mut seen = 0;
    for sql in [
        "SELECT file('@FILE')",
        "SELECT arrayMap(file, ['@FILE'])",
        "SELECT * APPLY file FROM (SELECT '@FILE')",
        "SELECT * FROM hidden",
        "SELECT name FROM system.columns",
        "SELECT joinGet('hidden_lookup', 'secret', toUInt8(1))",
        "SELECT * FROM merge('work', 'hidden')",
        "SELECT * FROM format(JSONEachRow, 'a Int8, b String DEFAULT file(\\'@FILE\\')', '{\"a\":1}')",
    ] {
        let answers = canary.ask(vec![Canary::request(&canary.fill(sql))]);
        match Canary::leak(&answers[0]) {
            Some(_) => seen += 1,
            None => failures.push(format!("the canary does not see {sql}: {:?}", answers[0])),
        }
    }
    // The port and the file that must not appear, by our own hand.
    drop(std::net::TcpStream::connect(("127.0.0.1", canary.port)));
    let request =
        Request::new(canary.fill("SELECT 'x' INTO OUTFILE '@OUT' FORMAT CSV")).allow(Allow::Anything);
    let written = canary.ask(vec![request]);
    std::thread::sleep(std::time::Duration::from_millis(100));
    let alarms = canary.alarms();
    for alarm in ["1 connections were made", "a file was written"] {
        match alarms.iter().any(|found| found == alarm) {
            true => seen += 1,
            false => failures.push(format!("not noticed: {alarm} ({written:?})")),
        }
    }
    (format!("{seen} of 10 seen"), failures)
}

/// Every hostile statement on an engine that the system confines, past the gate and with all that the engine allows: no file is
/// read, written or changed, and no connection made. What it does to the engine's own tables is not the system's business.
pub(crate) fn confined(canary: &Canary, statements: &Statements) -> (String, Failures) {
    let mut failures = Failures::new();
    if let Err(error) = canary.confined.query(Request::new("SELECT 1")) {
        failures.push(format!("no engine: {error}"));
    }
    if let Some(open) = canary.confined.unconfined() {
        return (format!("not tested on this system: {open}"), failures);
    }
    let (mut refused, mut died) = (0, 0);
    for hostile in &statements.hostile {
        let request = Canary::request(&hostile.sql).allow(Allow::Anything);
        match canary.confined.query(request) {
            Ok(answer) if answer.text().contains(OF_A_FILE) => {
                failures.push(format!("the file was read: {}", hostile.sql));
            }
            Ok(_) => {}
            Err(EngineError::Statement(e)) if e.message.contains(OF_A_FILE) => {
                failures.push(format!("the file stands in an error: {}", hostile.sql));
            }
            Err(EngineError::Crashed(_) | EngineError::Unavailable(_)) => died += 1,
            Err(_) => refused += 1,
        }
    }
    let total = statements.hostile.len();
    (
        format!("no file of {total} statements, {refused} of them refused by the engine, {died} deadly"),
        failures,
    )
}
