//! What the server says to the client.
//!
//! Messages leave through one queue, in the order they were put in, from any thread and without waiting. tower-lsp's own
//! client handle needs an `await` per message and loses the order between a request's partial results and its answer;
//! therefore the transport is given this queue as its loopback instead.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::task::{Context, Poll};

use crossbeam_channel::Sender;
use futures::channel::mpsc::{UnboundedReceiver, UnboundedSender, unbounded};
use futures::{Sink, Stream, StreamExt, future};
use serde::Serialize;
use serde_json::{Value, json};
use tokio::sync::oneshot;
use tower_lsp::jsonrpc::{Error, Request, Response};

use crate::owner::Event;

/// What a request is answered with.
pub(crate) type Reply = Result<Body, Error>;

/// A result.
#[derive(Debug)]
pub(crate) enum Body {
    /// As a value.
    Value(Value),
    /// As JSON text, which most are: no tree is made of it.
    Text(String),
}

impl From<Value> for Body {
    fn from(value: Value) -> Self {
        Self::Value(value)
    }
}

enum Outgoing {
    Message(Request),
    /// Let this answer go once everything before it is on its way.
    Release(oneshot::Sender<Reply>, Reply),
}

/// How grave a log line is; the numbers are the protocol's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Level {
    Error = 1,
    Warning = 2,
    Info = 3,
}

/// The way to the client.
#[derive(Clone)]
pub(crate) struct Client {
    queue: UnboundedSender<Outgoing>,
    next_id: Arc<AtomicI64>,
    /// What also goes to standard error: `HEADWATER_LOG=error|warning|info`, nothing by default.
    stderr: Option<Level>,
}

impl Client {
    pub(crate) fn notify(&self, method: &'static str, params: impl Serialize) {
        let params = serde_json::to_value(params).unwrap_or_default();
        self.send(Outgoing::Message(Request::build(method).params(params).finish()));
    }

    /// Asks the client something. The answer comes back to the owner as [`Event::ClientAnswer`] with this id.
    pub(crate) fn request(&self, method: &'static str, params: Value) -> i64 {
        let id = self.next_id.fetch_add(1, Ordering::Relaxed);
        let request = Request::build(method).id(id);
        let request = if params.is_null() { request } else { request.params(params) };
        self.send(Outgoing::Message(request.finish()));
        id
    }

    /// Answers a request after all that was said before, which partial results need.
    pub(crate) fn answer_in_order(&self, to: oneshot::Sender<Reply>, reply: Reply) {
        self.send(Outgoing::Release(to, reply));
    }

    pub(crate) fn log(&self, level: Level, message: &str) {
        if self.stderr.is_some_and(|most| level <= most) {
            eprintln!("headwater: {level:?}: {message}");
        }
        self.notify("window/logMessage", json!({ "type": level as u8, "message": message }));
    }

    fn send(&self, outgoing: Outgoing) {
        // The only way to fail is that the transport has ended: nobody is there to hear about it.
        let _ = self.queue.unbounded_send(outgoing);
    }
}

/// The transport's end of the queue.
pub(crate) struct Loopback {
    queue: UnboundedReceiver<Outgoing>,
    owner: Sender<Event>,
}

pub(crate) fn channel(owner: Sender<Event>) -> (Client, Loopback) {
    let (queue, receiver) = unbounded();
    let stderr = match std::env::var("HEADWATER_LOG").as_deref() {
        Ok("error") => Some(Level::Error),
        Ok("warning" | "warn") => Some(Level::Warning),
        Ok("info" | "debug" | "trace") => Some(Level::Info),
        _ => None,
    };
    (Client { queue, next_id: Arc::default(), stderr }, Loopback { queue: receiver, owner })
}

impl tower_lsp::Loopback for Loopback {
    type RequestStream = Pin<Box<dyn Stream<Item = Request> + Send>>;
    type ResponseSink = Answers;

    fn split(self) -> (Self::RequestStream, Self::ResponseSink) {
        // A later item is asked for only when the earlier ones are in the writer's hands, so a released answer cannot
        // overtake them.
        let messages = self.queue.filter_map(|outgoing| {
            future::ready(match outgoing {
                Outgoing::Message(request) => Some(request),
                Outgoing::Release(to, reply) => {
                    let _ = to.send(reply);
                    None
                }
            })
        });
        (Box::pin(messages), Answers(self.owner))
    }
}

/// Takes the client's answers to the owner.
pub(crate) struct Answers(Sender<Event>);

impl Sink<Response> for Answers {
    type Error = Infallible;

    fn poll_ready(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn start_send(self: Pin<&mut Self>, response: Response) -> Result<(), Infallible> {
        let (id, answer) = response.into_parts();
        let _ = self.0.send(Event::ClientAnswer(id, answer));
        Ok(())
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn poll_close(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }
}
