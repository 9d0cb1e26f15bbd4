//! One request.

use std::collections::BTreeMap;
use std::io::Read;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::body::Body;
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::Response;
use flate2::read::MultiGzDecoder;
use headwater_warehouse::{Allow, EngineError, Format, Limits, Request, Session, Stats, identifier, literal};

use crate::{Server, insert, lock, wire};

/// Parts of an address that are no settings.
const NO_SETTINGS: [&str; 15] = [
    "query",
    "query_id",
    "session_id",
    "session_timeout",
    "session_check",
    "database",
    "default_format",
    "user",
    "password",
    "wait_end_of_query",
    "buffer_size",
    "compress",
    "decompress",
    "readonly",
    "role",
];

/// Settings that the engine is given as limits of the statement.
const LIMITS: [&str; 6] = [
    "max_execution_time",
    "max_memory_usage",
    "max_result_rows",
    "max_result_bytes",
    "result_overflow_mode",
    "timeout_overflow_mode",
];

pub(super) fn run(server: &Arc<Server>, parts: &Parts, body: &[u8]) -> Response {
    // Bytes of any kind: a password may have them.
    let header =
        |name: &str| parts.headers.get(name).map_or("".into(), |v| String::from_utf8_lossy(v.as_bytes()));
    let user = header("x-clickhouse-user");
    let user = if user.is_empty() { "default" } else { &*user };
    if user != server.user.name || header("x-clickhouse-key") != server.user.password {
        let why = format!(
            "{user}: Authentication failed: password is incorrect, or there is no user with such name."
        );
        return wire::refusal(StatusCode::FORBIDDEN, 516, "AUTHENTICATION_FAILED", &why);
    }
    let params: BTreeMap<String, String> =
        form_urlencoded::parse(parts.uri.query().unwrap_or_default().as_bytes()).into_owned().collect();
    let param = |name: &str| params.get(name).map_or("", String::as_str);
    let mut unpacked = Vec::new();
    let body = if header("content-encoding") == "gzip" {
        if MultiGzDecoder::new(body).read_to_end(&mut unpacked).is_err() {
            return wire::refusal(StatusCode::BAD_REQUEST, 271, "CANNOT_DECOMPRESS", "the body is no gzip");
        }
        unpacked
    } else {
        body.to_vec()
    };
    let is_packed = param("enable_http_compression") == "1" && header("accept-encoding").contains("gzip");

    let into = insert::parse(param("query"));
    let sql = if param("query").is_empty() {
        String::from_utf8_lossy(&body).into_owned()
    } else {
        param("query").to_owned()
    };
    if let Some(id) = sql.strip_prefix("KILL QUERY WHERE query_id = '").and_then(|r| r.split_once('\'')) {
        if let Some(canceller) = lock(&server.running).get(id.0) {
            canceller.cancel();
        }
        return wire::answer(Body::empty(), &Stats::default(), param("query_id"), "TSV");
    }
    let Some(format) = Format::ALL
        .into_iter()
        .find(|f| f.name() == param("default_format") || param("default_format").is_empty())
    else {
        return wire::refusal(StatusCode::BAD_REQUEST, 73, "UNKNOWN_FORMAT", "Unknown format");
    };

    let session = match session(server, param("session_id"), param("session_check") == "1") {
        Ok(session) => session,
        Err(refused) => return *refused,
    };
    if param("session_timeout") == "1" {
        // Its last statement: it is forgotten a moment later, which is now.
        lock(&server.sessions).remove(param("session_id"));
    }
    // A session does one statement at a time, as a server's does.
    let held = lock(&session);
    if let Err(error) = prepare(&held, &params) {
        return wire::error(&error);
    }
    let id = param("query_id");
    let limits = limits(&params);
    if let Some(mut insert) = into {
        insert.data = Arc::new(body);
        insert.limits = limits;
        // Of an insert they hold for it alone: they are given with it once more.
        let own = params.iter().filter(|(name, _)| is_setting(name));
        insert.settings = own.map(|(n, v)| (n.clone(), v.clone())).collect();
        let ticket = held.submit_insert(insert);
        let _running = Running::new(server, id, ticket.canceller());
        return match ticket.wait() {
            Ok(answer) => wire::answer(Body::empty(), &answer.stats, id, "TSV"),
            Err(error) => wire::error(&error),
        };
    }
    let is_readonly = !matches!(param("readonly"), "" | "0");
    let allow = if is_readonly { Allow::Reads } else { Allow::Anything };
    let mut request = Request::new(sql).format(format).limits(limits).allow(allow);
    for (name, value) in &params {
        if let Some(name) = name.strip_prefix("param_") {
            request = request.param(name, value);
        }
    }
    if param("wait_end_of_query") != "1" && format.is_streamable() && is_readonly {
        let rows = held.stream(request);
        drop(held);
        return stream(server, id, rows, session, format, is_packed);
    }
    let ticket = held.submit(request);
    let _running = Running::new(server, id, ticket.canceller());
    match ticket.wait() {
        Ok(answer) => {
            let body = Body::from(wire::pack(answer.body, is_packed));
            let mut response = wire::answer(body, &answer.stats, id, format.name());
            if is_packed {
                wire::put(&mut response, "content-encoding", "gzip");
            }
            response
        }
        Err(error) => wire::error(&error),
    }
}

fn session(server: &Server, id: &str, is_known: bool) -> Result<Arc<Mutex<Session>>, Box<Response>> {
    if id.is_empty() {
        return Ok(Arc::new(Mutex::new(server.warehouse.session())));
    }
    let mut sessions = lock(&server.sessions);
    if let Some(session) = sessions.get(id) {
        return Ok(session.clone());
    }
    if is_known {
        let refused = wire::refusal(StatusCode::NOT_FOUND, 372, "SESSION_NOT_FOUND", "Session not found.");
        return Err(Box::new(refused));
    }
    let session = Arc::new(Mutex::new(server.warehouse.session()));
    sessions.insert(id.to_owned(), session.clone());
    Ok(session)
}

/// Database and settings of the request, on its session.
fn prepare(session: &Session, params: &BTreeMap<String, String>) -> Result<(), EngineError> {
    if let Some(database) = params.get("database") {
        session.query(Request::new(format!("USE {}", identifier(database))).allow(Allow::Anything))?;
    }
    let settings: Vec<_> = params
        .iter()
        .filter(|(name, _)| is_setting(name))
        .map(|(name, value)| format!("{} = {}", identifier(name), literal(value)))
        .collect();
    if settings.is_empty() {
        return Ok(());
    }
    session.query(Request::new(format!("SET {}", settings.join(", "))).allow(Allow::Anything)).map(drop)
}

fn is_setting(name: &str) -> bool {
    !NO_SETTINGS.contains(&name) && !LIMITS.contains(&name) && !name.starts_with("param_")
}

fn limits(params: &BTreeMap<String, String>) -> Limits {
    let number = |name: &str| params.get(name).and_then(|v| v.parse().ok());
    let most = Limits::default();
    let time = params.get("max_execution_time").and_then(|v| v.parse::<f64>().ok());
    Limits {
        time: time.and_then(|t| Duration::try_from_secs_f64(t).ok()).unwrap_or(most.time),
        memory: number("max_memory_usage").unwrap_or(most.memory),
        result_rows: number("max_result_rows").unwrap_or(most.result_rows),
        result_bytes: number("max_result_bytes").unwrap_or(most.result_bytes),
    }
}

/// An answer that is sent while it is computed. An error before the first row is a status, as a server does it.
fn stream(
    server: &Arc<Server>,
    id: &str,
    mut rows: headwater_warehouse::Rows,
    session: Arc<Mutex<Session>>,
    format: Format,
    is_packed: bool,
) -> Response {
    const TAG: &str = "shimshimshimshim";
    let running = Running::new(server, id, rows.canceller());
    let first = match rows.next() {
        Some(Err(error)) => return wire::error(&error),
        first => first.and_then(Result::ok),
    };
    let (send, receive) = tokio::sync::mpsc::channel::<Result<Vec<u8>, std::convert::Infallible>>(2);
    let feed = move || {
        // Both live as long as the statement.
        let (_running, _session) = (running, session);
        for piece in first.map(Ok).into_iter().chain(rows) {
            let bytes = piece.unwrap_or_else(|error| wire::late(&error, TAG));
            if send.blocking_send(Ok(wire::pack(bytes, is_packed))).is_err() {
                return;
            }
        }
    };
    if std::thread::Builder::new().name("shim-rows".to_owned()).spawn(feed).is_err() {
        return wire::refusal(StatusCode::INTERNAL_SERVER_ERROR, 1001, "STD_EXCEPTION", "no thread");
    }
    let pieces = futures::stream::unfold(receive, |mut receive| async {
        let piece = receive.recv().await?;
        Some((piece, receive))
    });
    let mut response = wire::answer(Body::from_stream(pieces), &Stats::default(), id, format.name());
    wire::put(&mut response, "x-clickhouse-exception-tag", TAG);
    if is_packed {
        wire::put(&mut response, "content-encoding", "gzip");
    }
    response
}

/// A statement that can be killed by its name, as long as this lives.
struct Running {
    server: Arc<Server>,
    id: String,
}

impl Running {
    fn new(server: &Arc<Server>, id: &str, canceller: headwater_warehouse::Canceller) -> Self {
        lock(&server.running).insert(id.to_owned(), canceller);
        Self { server: server.clone(), id: id.to_owned() }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        lock(&self.server.running).remove(&self.id);
    }
}
