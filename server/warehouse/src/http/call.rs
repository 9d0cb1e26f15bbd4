//! One statement as one HTTP request.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, Sender, bounded};
use flate2::Compression;
use flate2::read::MultiGzDecoder;
use flate2::write::GzEncoder;
use ureq::Agent;
use ureq::tls::{RootCerts, TlsConfig};

use super::ClickHouseConfig;
use super::answer::{self, Cutter};
use super::kind;
use crate::driver::Piece;
use crate::error::EngineError;
use crate::insert::{Insert, ONE_BLOCK, Work, is_setting};
use crate::request::{Allow, Class, Limits, Request, Stats};
use crate::wire::{Outcome, WINDOW};

/// Settings that answers depend on, given with every statement: those of the pool's that servers of the last years know.
const PINNED: [(&str, &str); 11] = [
    ("enable_analyzer", "1"),
    ("session_timezone", "UTC"),
    ("max_query_size", "4194304"),
    ("date_time_input_format", "best_effort"),
    ("output_format_json_quote_64bit_integers", "0"),
    ("output_format_json_quote_denormals", "0"),
    ("async_insert", "0"),
    ("mutations_sync", "2"),
    ("deduplicate_blocks_in_dependent_materialized_views", "1"),
    ("http_write_exception_in_output_format", "0"),
    ("cancel_http_readonly_queries_on_client_close", "1"),
];

/// What is sent to a server, and how.
pub(super) struct Client {
    agent: Agent,
    config: ClickHouseConfig,
    /// In front of the numbers of statements, so that those of two programs differ.
    prefix: String,
    next: AtomicU64,
}

impl Client {
    pub(super) fn new(config: ClickHouseConfig) -> Result<Self, EngineError> {
        let bad =
            |why: &str| EngineError::Invalid(format!("`{}` is no address of a server: {why}", config.url));
        let uri: ureq::http::Uri = config.url.parse().map_err(|_| bad("it is no URL"))?;
        if !matches!(uri.scheme_str(), Some("http" | "https")) || uri.host().is_none() {
            return Err(bad("it must begin with http:// or https:// and a host"));
        }
        if uri.query().is_some() || uri.authority().is_some_and(|a| a.as_str().contains('@')) {
            return Err(bad("user, password and settings have places of their own"));
        }
        let agent = Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .timeout_connect(Some(config.connect_limit))
            .max_idle_connections_per_host(config.connections.max(1))
            // Servers close what is idle for some seconds; what they may have closed is not used.
            .max_idle_age(Duration::from_secs(2))
            .tls_config(TlsConfig::builder().root_certs(RootCerts::PlatformVerifier).build())
            .user_agent(concat!("headwater/", env!("CARGO_PKG_VERSION")))
            .build()
            .into();
        Ok(Self { agent, config, prefix: unique(), next: AtomicU64::new(0) })
    }

    pub(super) fn grace(&self) -> Duration {
        self.config.grace
    }

    /// A name for a statement or a session that nobody else has.
    pub(super) fn name(&self) -> String {
        format!("headwater-{}-{}", self.prefix, self.next.fetch_add(1, Ordering::Relaxed))
    }

    /// Whether the server is there.
    pub(super) fn ping(&self) -> Result<(), EngineError> {
        let url = format!("{}/ping", self.config.url.trim_end_matches('/'));
        let call =
            self.agent.get(url).config().timeout_global(Some(self.config.connect_limit)).build().call();
        match call {
            Ok(response) if response.status() == 200 => Ok(()),
            Ok(response) => Err(self.unavailable(&format!("it answers {}", response.status()))),
            Err(error) => Err(self.unavailable(&error.to_string())),
        }
    }

    /// Does `work` under the name `id`. Pieces of an answer go to `pieces`.
    pub(super) fn call(
        &self,
        work: &Work,
        id: &str,
        session: Option<(&str, bool)>,
        pieces: Option<&Sender<Piece>>,
    ) -> Result<Outcome, EngineError> {
        const TRIES: u32 = 3;
        let mut tries = 0;
        loop {
            tries += 1;
            let tried = match work {
                Work::Query(request) => self.query(request, id, session),
                Work::Stream(request) => self.stream(request, id, session, pieces),
                Work::Insert(insert) => self.insert(insert, id, session),
                Work::Reset => {
                    Ok(Outcome { class: Class::Control, body: Vec::new(), stats: Stats::default() })
                }
            };
            match tried {
                Err(Failed { error, is_safe: true }) if tries < TRIES => {
                    drop(error);
                    std::thread::sleep(Duration::from_millis(100) * tries);
                }
                Err(Failed { error, .. }) => return Err(error),
                Ok(outcome) => return Ok(outcome),
            }
        }
    }

    /// Lets a session go. The server would forget it by itself, an hour later.
    pub(super) fn leave(&self, session: &str) {
        let request = self.request(&self.name(), None, Duration::from_secs(5));
        // Not with `session_check`: what is not there needs no goodbye. One second is the least that a server takes.
        let request = request.query("session_id", session).query("session_timeout", "1");
        let _ = request.send("SELECT 1".as_bytes());
    }

    /// Takes a statement back. That it did not arrive is nothing that anybody could do something about.
    pub(super) fn kill(&self, id: &str) {
        let sql = format!("KILL QUERY WHERE query_id = {} ASYNC", crate::insert::literal(id));
        let request = self.request(&self.name(), None, Duration::from_secs(5));
        let _ = request.send(sql.as_bytes());
    }

    fn query(&self, request: &Request, id: &str, session: Option<(&str, bool)>) -> Result<Outcome, Failed> {
        let class = check(request)?;
        if request.allow == Allow::Parse {
            let sql = "SELECT formatQuerySingleLine({sql:String}) FORMAT Null";
            let escaped = request.sql.replace('\\', "\\\\").replace('\t', "\\t").replace('\n', "\\n");
            let parse = Request::new(sql).param("sql", escaped).limits(request.limits);
            self.query(&parse, id, session)?;
            return Ok(Outcome { class, body: Vec::new(), stats: Stats::default() });
        }
        let call = self.reading(request, id, session).query("wait_end_of_query", "1");
        let start = Instant::now();
        let response =
            call.send(request.sql.as_bytes()).map_err(|e| self.failed(&e, class == Class::Reads))?;
        let summary = header(&response, "x-clickhouse-summary").unwrap_or_default();
        let mut body = self.body(response, class == Class::Reads)?;
        let limit = request.limits.result_bytes;
        let mut bytes = Vec::new();
        (&mut body).take(limit + 1).read_to_end(&mut bytes).map_err(|e| self.broken(&e))?;
        if bytes.len() as u64 > limit {
            return Err(EngineError::TooLarge { bytes: bytes.len() as u64, limit }.into());
        }
        Ok(Outcome { class, body: bytes, stats: answer::summary(&summary, start.elapsed()) })
    }

    fn stream(
        &self,
        request: &Request,
        id: &str,
        session: Option<(&str, bool)>,
        pieces: Option<&Sender<Piece>>,
    ) -> Result<Outcome, Failed> {
        let class = check(request)?;
        if class != Class::Reads || request.allow == Allow::Parse {
            return Err(EngineError::NotAllowed { class, allow: Allow::Reads }.into());
        }
        let start = Instant::now();
        let call = self.reading(request, id, session);
        let response = call.send(request.sql.as_bytes()).map_err(|e| self.failed(&e, true))?;
        let summary = header(&response, "x-clickhouse-summary").unwrap_or_default();
        let mut cutter = Cutter::new(header(&response, "x-clickhouse-exception-tag"));
        let mut body = self.body(response, true)?;
        // Whoever takes pieces says so, and only then more are sent.
        let (taken, room) = bounded(usize::try_from(WINDOW).unwrap_or(4));
        let (mut total, mut rows, limit) = (0, 0, request.limits.result_bytes);
        let mut send = |bytes: Vec<u8>| -> Result<(), EngineError> {
            rows += bytes.iter().filter(|b| **b == b'\n').count() as u64;
            // Full when as many are under way as may be.
            taken.send(()).map_err(|_| EngineError::Cancelled)?;
            let room = Room(room.clone());
            let taken: Box<dyn FnOnce() + Send> = Box::new(move || drop(room));
            let piece = Piece { bytes, taken: Some(taken) };
            pieces.is_some_and(|p| p.send(piece).is_ok()).then_some(()).ok_or(EngineError::Cancelled)
        };
        let mut buffer = vec![0; 1 << 16];
        loop {
            let length = match body.read(&mut buffer) {
                Ok(0) => break,
                Ok(length) => length,
                // Newer servers break the connection off behind an error that they have written.
                Err(error) => {
                    cutter.finish()?;
                    return Err(self.broken(&error).into());
                }
            };
            total += length as u64;
            if total > limit {
                return Err(EngineError::TooLarge { bytes: total, limit }.into());
            }
            if let Some(piece) = cutter.take(&buffer[..length]) {
                send(piece)?;
            }
        }
        let rest = cutter.finish()?;
        if !rest.is_empty() {
            send(rest)?;
        }
        let stats = Stats {
            result_rows: rows,
            elapsed: start.elapsed(),
            ..answer::summary(&summary, Duration::ZERO)
        };
        Ok(Outcome { class, body: Vec::new(), stats })
    }

    fn insert(&self, insert: &Insert, id: &str, session: Option<(&str, bool)>) -> Result<Outcome, Failed> {
        let sql = format!("{} FORMAT {}", insert.head()?, insert.format.name());
        let limit = insert.limits.time + Duration::from_micros(insert.data.len() as u64 / 2);
        let mut call = self.request(id, session, limit + self.config.grace);
        call = limits(call, insert.limits).query("query", sql).query("wait_end_of_query", "1");
        for (name, value) in ONE_BLOCK.iter().filter(|(n, _)| insert.settings.iter().all(|(own, _)| own != n))
        {
            call = call.query(*name, *value);
        }
        for (name, value) in &insert.settings {
            if !is_setting(name) {
                return Err(EngineError::Invalid(format!("`{name}` is no name of a setting")).into());
            }
            call = call.query(name, value);
        }
        let start = Instant::now();
        let response = if self.config.compress {
            let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
            let packed = encoder.write_all(&insert.data).and_then(|()| encoder.finish());
            let packed =
                packed.map_err(|e| EngineError::Invalid(format!("rows cannot be compressed: {e}")))?;
            call.header("content-encoding", "gzip").send(&packed[..])
        } else {
            call.send(&insert.data[..])
        };
        let response = response.map_err(|e| self.failed(&e, false))?;
        let summary = header(&response, "x-clickhouse-summary").unwrap_or_default();
        let mut body = self.body(response, false)?;
        io::copy(&mut body, &mut io::sink()).map_err(|e| self.broken(&e))?;
        let stats = answer::summary(&summary, start.elapsed());
        Ok(Outcome { class: Class::Changes, body: Vec::new(), stats })
    }

    fn reading(&self, request: &Request, id: &str, session: Option<(&str, bool)>) -> Builder {
        let limit = request.limits.time + self.config.grace + Duration::from_secs(1);
        let mut call = limits(self.request(id, session, limit), request.limits);
        call = call.query("default_format", request.format.name());
        if request.allow <= Allow::Reads {
            call = call.query("readonly", "2");
        }
        for (name, value) in &request.params {
            call = call.query(format!("param_{name}"), value);
        }
        call
    }

    fn request(&self, id: &str, session: Option<(&str, bool)>, limit: Duration) -> Builder {
        let config = &self.config;
        let url = format!("{}/", config.url.trim_end_matches('/'));
        let mut call = self.agent.post(url).config().timeout_global(Some(limit)).build();
        call = call
            .header("x-clickhouse-user", &config.user)
            .header("content-type", "text/plain; charset=UTF-8")
            .query("query_id", id);
        if !config.password.is_empty() {
            call = call.header("x-clickhouse-key", &config.password);
        }
        if !config.database.is_empty() {
            call = call.query("database", &config.database);
        }
        if config.compress {
            call = call.header("accept-encoding", "gzip").query("enable_http_compression", "1");
        }
        if let Some((session, is_known)) = session {
            call = call.query("session_id", session).query("session_timeout", "3600");
            if is_known {
                call = call.query("session_check", "1");
            }
        }
        let own = |name: &str| config.settings.iter().any(|(n, _)| n == name);
        for (name, value) in PINNED.iter().filter(|(n, _)| !own(n)) {
            call = call.query(*name, *value);
        }
        for (name, value) in &config.settings {
            call = call.query(name, value);
        }
        call
    }

    /// The body of an answer that is none of an error.
    fn body(&self, response: Response, is_read: bool) -> Result<Box<dyn Read>, Failed> {
        let status = response.status().as_u16();
        let code = header(&response, "x-clickhouse-exception-code").and_then(|c| c.parse::<i32>().ok());
        let is_gzip = header(&response, "content-encoding").is_some_and(|e| e.eq_ignore_ascii_case("gzip"));
        let mut body = BufReader::new(response.into_body().into_reader());
        // Nothing at all is no error, though it is no gzip either.
        let is_gzip = is_gzip && body.fill_buf().is_ok_and(|bytes| !bytes.is_empty());
        let mut body: Box<dyn Read> =
            if is_gzip { Box::new(MultiGzDecoder::new(body)) } else { Box::new(body) };
        if status == 200 && code.is_none() {
            return Ok(body);
        }
        let mut text = Vec::new();
        // Errors are short, but for the statement that they quote.
        let _ = (&mut body).take(1 << 20).read_to_end(&mut text);
        let text = String::from_utf8_lossy(&text);
        if code.is_none() && !text.trim_start().starts_with("Code: ") {
            // Not the server itself, but somebody on the way.
            let is_safe = status == 503 || status == 429 || (is_read && matches!(status, 502 | 504));
            let first = text.lines().next().unwrap_or_default().trim();
            let first: String = first.chars().take(200).collect();
            return Err(Failed {
                error: self.unavailable(&format!("it answers {status}: {first}")),
                is_safe,
            });
        }
        let error = answer::error(&text, code);
        let is_safe = answer::is_not_begun(&error);
        Err(Failed { error, is_safe })
    }

    /// A request that got no answer. What never reached the server can be sent again; and so can what only reads.
    fn failed(&self, error: &ureq::Error, is_read: bool) -> Failed {
        use io::ErrorKind::{AddrNotAvailable, ConnectionRefused, HostUnreachable, NetworkUnreachable};
        let never_sent = match error {
            ureq::Error::ConnectionFailed | ureq::Error::Timeout(ureq::Timeout::Connect) => true,
            ureq::Error::Io(e) => {
                matches!(
                    e.kind(),
                    ConnectionRefused | HostUnreachable | NetworkUnreachable | AddrNotAvailable
                )
            }
            _ => false,
        };
        let is_late = matches!(error, ureq::Error::Timeout(t) if *t != ureq::Timeout::Connect);
        let cut_off = is_read && matches!(error, ureq::Error::Io(_) | ureq::Error::Protocol(_)) && !is_late;
        let error = match error {
            ureq::Error::Timeout(_) if is_late => EngineError::TimedOut(self.config.grace),
            other => self.unavailable(&other.to_string()),
        };
        Failed { error, is_safe: never_sent || cut_off }
    }

    /// An answer that broke off.
    fn broken(&self, error: &io::Error) -> EngineError {
        EngineError::Crashed(format!("the answer of {} broke off: {error}", self.config.url))
    }

    fn unavailable(&self, why: &str) -> EngineError {
        EngineError::Unavailable(format!(
            "the ClickHouse server at {} cannot be asked: {why}. Is it running, and is the address right?",
            self.config.url
        ))
    }
}

/// Room for one more piece, given back when the piece is taken, or dropped with whoever would have taken it.
struct Room(Receiver<()>);

impl Drop for Room {
    fn drop(&mut self) {
        let _ = self.0.try_recv();
    }
}

type Builder = ureq::RequestBuilder<ureq::typestate::WithBody>;
type Response = ureq::http::Response<ureq::Body>;

/// Why a try failed, and whether another one could do no harm.
struct Failed {
    error: EngineError,
    is_safe: bool,
}

impl From<EngineError> for Failed {
    fn from(error: EngineError) -> Self {
        Self { error, is_safe: false }
    }
}

fn check(request: &Request) -> Result<Class, EngineError> {
    let class = kind::class(&request.sql).ok_or(EngineError::NoStatement)?;
    // What we do not know, the server may call a syntax error; what it knows, `readonly` bounds.
    let is_fine = request.allow == Allow::Parse || class == Class::Unknown || class.is_allowed(request.allow);
    is_fine.then_some(class).ok_or(EngineError::NotAllowed { class, allow: request.allow })
}

fn limits(call: Builder, limits: Limits) -> Builder {
    call.query("max_execution_time", format!("{:.3}", limits.time.as_secs_f64()))
        .query("max_memory_usage", limits.memory.to_string())
        .query("max_result_rows", limits.result_rows.to_string())
        .query("max_result_bytes", limits.result_bytes.to_string())
        .query("result_overflow_mode", "throw")
        .query("timeout_overflow_mode", "throw")
}

fn header(response: &Response, name: &str) -> Option<String> {
    Some(response.headers().get(name)?.to_str().ok()?.to_owned())
}

/// A text that differs from process to process and from client to client.
fn unique() -> String {
    use std::hash::{BuildHasher, Hasher, RandomState};
    // Seeded by the system's random numbers.
    format!("{:016x}", RandomState::new().build_hasher().finish())
}
