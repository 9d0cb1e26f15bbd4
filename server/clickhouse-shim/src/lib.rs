//! A ClickHouse server's HTTP interface over an engine of our own, for tests: what speaks to a server can be tried where there
//! is none.
//!
//! **Knows**: the part of the interface that `headwater-warehouse` uses, as a server speaks it: statements and rows by POST,
//! settings and parameters in the address, sessions, names of statements and `KILL QUERY` by them, compression, exceptions
//! in status, header and body, also behind rows that were sent already.
//!
//! **Must not know**: projects, releases. It is no server for people: one user, no TLS, no other interface.

mod insert;
mod run;
mod wire;

use std::collections::HashMap;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::Response;
use headwater_warehouse::{Canceller, Session, Warehouse};
use tokio::sync::oneshot;

/// A running server. Dropping it ends it.
pub struct Shim {
    address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

/// Who may ask.
#[derive(Debug, Clone)]
pub struct User {
    /// The only user.
    pub name: String,
    /// May be empty.
    pub password: String,
}

impl Default for User {
    /// `default` without a password.
    fn default() -> Self {
        Self { name: "default".to_owned(), password: String::new() }
    }
}

impl Shim {
    /// Serves `warehouse` on a free port of this machine.
    ///
    /// # Errors
    ///
    /// When there is no port or no thread.
    pub fn start(warehouse: Warehouse, user: User) -> io::Result<Self> {
        let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let (stop, stopped) = oneshot::channel::<()>();
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
        let state =
            Arc::new(Server { warehouse, user, sessions: Mutex::default(), running: Mutex::default() });
        let thread = std::thread::Builder::new().name("clickhouse-shim".to_owned()).spawn(move || {
            runtime.block_on(async move {
                let Ok(listener) = tokio::net::TcpListener::from_std(listener) else { return };
                let router = Router::new().fallback(handle).with_state(state);
                tokio::select! {
                    _ = axum::serve(listener, router) => {}
                    _ = stopped => {}
                }
            });
            // Statements that nobody waits for any more do not hold up its end.
            runtime.shutdown_background();
        })?;
        Ok(Self { address, stop: Some(stop), thread: Some(thread) })
    }

    /// Where it is, as an address for clients.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }
}

impl Drop for Shim {
    fn drop(&mut self) {
        self.stop = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// What requests share.
struct Server {
    warehouse: Warehouse,
    user: User,
    sessions: Mutex<HashMap<String, Arc<Mutex<Session>>>>,
    /// Statements by their names.
    running: Mutex<HashMap<String, Canceller>>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// No body is longer, bytes.
const MOST: usize = 1 << 30;

async fn handle(State(server): State<Arc<Server>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    if parts.uri.path() == "/ping" {
        return Response::new(Body::from("Ok.\n"));
    }
    let Ok(body) = to_bytes(body, MOST).await else {
        return wire::refusal(StatusCode::BAD_REQUEST, 33, "CANNOT_READ_ALL_DATA", "the body broke off");
    };
    let done = tokio::task::spawn_blocking(move || run::run(&server, &parts, &body)).await;
    done.unwrap_or_else(|e| {
        wire::refusal(StatusCode::INTERNAL_SERVER_ERROR, 1001, "STD_EXCEPTION", &e.to_string())
    })
}
