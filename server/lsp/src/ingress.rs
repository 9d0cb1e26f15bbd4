//! The wire, in order.
//!
//! tower-lsp calls its service once per message, in the order they arrived, before anything runs concurrently. That is
//! the only point where the order is known, so here every message is handed to the owner, and nothing is awaited.
//! tower-lsp keeps what it does well: framing, the lifecycle, request ids, and the prompt answer to a cancelled request.
//!
//! A request's parameters go to the owner; what goes on to tower-lsp is a numbered ticket, which its handler redeems
//! for the answer.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::task::{Context, Poll};

use crossbeam_channel::Sender;
use dashmap::DashMap;
use futures::FutureExt;
use futures::future::BoxFuture;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::sync::oneshot;
use tower::Service;
use tower_lsp::gen_lsp_types::{InitializeParams, InitializeResult, ServerInfo};
use tower_lsp::jsonrpc::{self, Error, Id, Request, Response};
use tower_lsp::{ExitedError, LanguageServer, LspService};

use crate::capabilities::Profile;
use crate::client::{Body, Reply};
use crate::dispatch::Table;
use crate::frames::MALFORMED;
use crate::owner::{Arrival, Event};
use crate::texts::Texts;

/// What the two ends of the ticket counter share.
#[derive(Default)]
struct Tickets {
    open: DashMap<u64, oneshot::Receiver<Reply>>,
    next: AtomicU64,
}

#[derive(Clone, Copy, Deserialize)]
struct Ticket {
    ticket: u64,
    /// The request has an id with which no ticket of a text is found.
    is_long: bool,
}

/// An id that takes more as JSON makes the message of a ticket too long to be looked at (see [`crate::texts`]).
const LONGEST_ID: usize = 128;

/// The tower-lsp side: everything but the lifecycle is "wait for the owner's answer".
pub(crate) struct Backend {
    tickets: Arc<Tickets>,
    profile: Arc<std::sync::Mutex<Option<Profile>>>,
    texts: Arc<Texts>,
}

impl LanguageServer for Backend {
    async fn initialize(&self, _: InitializeParams) -> jsonrpc::Result<InitializeResult> {
        let profile = self.profile.lock().unwrap_or_else(std::sync::PoisonError::into_inner).clone();
        let capabilities = profile.as_ref().map(Profile::server_capabilities).unwrap_or_default();
        let server_info =
            Some(ServerInfo { name: "headwater".into(), version: Some(env!("CARGO_PKG_VERSION").into()) });
        Ok(InitializeResult { capabilities, server_info })
    }

    async fn shutdown(&self) -> jsonrpc::Result<()> {
        Ok(())
    }
}

fn redeem(backend: &Backend, ticket: Ticket) -> BoxFuture<'static, jsonrpc::Result<Value>> {
    let answer = backend.tickets.open.remove(&ticket.ticket);
    let texts = backend.texts.clone();
    async move {
        let Some((_, answer)) = answer else { return Err(Error::internal_error()) };
        // The owner drops what it will never answer only when the server ends.
        Ok(match answer.await.unwrap_or_else(|_| Err(Error::request_cancelled()))? {
            Body::Value(value) => value,
            Body::Text(text) if ticket.is_long => {
                serde_json::from_str(&text).map_err(|_| Error::internal_error())?
            }
            // Nothing is awaited behind this: the ticket is sent.
            Body::Text(text) => texts.ticket(text),
        })
    }
    .boxed()
}

/// The service that sees every message first.
pub(crate) struct Ingress {
    inner: LspService<Backend>,
    owner: Sender<Event>,
    table: Arc<Table>,
    tickets: Arc<Tickets>,
    profile: Arc<std::sync::Mutex<Option<Profile>>>,
    initialized: bool,
    /// `shutdown` was said.
    orderly: Arc<AtomicBool>,
}

impl Ingress {
    pub(crate) fn new(
        owner: Sender<Event>,
        table: Arc<Table>,
        orderly: Arc<AtomicBool>,
        texts: Arc<Texts>,
    ) -> Self {
        let tickets: Arc<Tickets> = Arc::default();
        let profile: Arc<std::sync::Mutex<Option<Profile>>> = Arc::default();
        let backend = Backend { tickets: tickets.clone(), profile: profile.clone(), texts };
        let mut service = LspService::build_with_lifecycle_methods(|_| backend);
        for method in table.methods() {
            service = service.custom_method(method, redeem);
        }
        // Its own socket is not connected: see `client`.
        let (inner, _) = service.finish();
        Self { inner, owner, table, tickets, profile, initialized: false, orderly }
    }

    fn tell(&self, event: Event) {
        // Fails only when the owner has ended, and then the process is about to.
        let _ = self.owner.send(event);
    }
}

impl Service<Request> for Ingress {
    type Response = Option<Response>;
    type Error = ExitedError;
    type Future = BoxFuture<'static, Result<Option<Response>, ExitedError>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), ExitedError>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request) -> Self::Future {
        match (request.method(), request.id()) {
            ("initialize", Some(_)) => {
                let params = request.params().cloned().unwrap_or_default();
                // Exactly what tower-lsp will accept: a refused one may be tried again.
                if !self.initialized && InitializeParams::deserialize(&params).is_ok() {
                    self.initialized = true;
                    let profile = Profile::read(&params);
                    *self.profile.lock().unwrap_or_else(std::sync::PoisonError::into_inner) =
                        Some(profile.clone());
                    self.tell(Event::Initialize(Box::new(profile)));
                }
                self.inner.call(request)
            }
            ("initialized", None) => {
                self.tell(Event::Initialized);
                self.inner.call(request)
            }
            ("$/cancelRequest", None) => {
                let id = request.params().and_then(|params| Id::deserialize(params.get("id")?).ok());
                if let Some(id) = id {
                    self.tell(Event::Cancel(id));
                }
                self.inner.call(request)
            }
            ("shutdown", Some(_)) => {
                if self.initialized {
                    self.orderly.store(true, Ordering::Relaxed);
                }
                self.tell(Event::Shutdown);
                self.inner.call(request)
            }
            ("exit", _) => {
                self.tell(Event::Exit);
                self.inner.call(request)
            }
            (MALFORMED, Some(Id::Null)) => {
                let is_json = request.params().and_then(Value::as_bool).unwrap_or(false);
                let error = if is_json { Error::invalid_request() } else { Error::parse_error() };
                futures::future::ok(Some(Response::from_error(Id::Null, error))).boxed()
            }
            (_, None) => {
                let (method, _, params) = request.into_parts();
                self.tell(Event::Notification(method.into_owned(), params.unwrap_or_default()));
                futures::future::ok(None).boxed()
            }
            (method, Some(id)) => {
                let (Some(route), true) = (self.table.find(method), self.initialized) else {
                    return self.inner.call(request);
                };
                let id = id.clone();
                let (method, _, params) = request.into_parts();
                let (reply, answer) = oneshot::channel();
                let ticket = self.tickets.next.fetch_add(1, Ordering::Relaxed);
                self.tickets.open.insert(ticket, answer);
                let params = params.unwrap_or_default();
                self.tell(Event::Request(Arrival { id: id.clone(), route, params, reply }));
                let is_long = matches!(&id, Id::String(name) if json!(name).to_string().len() > LONGEST_ID);
                let params = json!({ "ticket": ticket, "is_long": is_long });
                let stub = Request::build(method).id(id).params(params).finish();
                let answered = self.inner.call(stub);
                let tickets = self.tickets.clone();
                async move {
                    let response = answered.await;
                    // Still there when the request was refused (after shutdown, a repeated id) or cancelled unseen.
                    tickets.open.remove(&ticket);
                    response
                }
                .boxed()
            }
        }
    }
}
