//! Answers that are JSON already.
//!
//! tower-lsp takes an answer as a tree of values. That of thousands of diagnostics takes a dozen times the memory of its
//! text, all of it at once, and as long again to be taken apart, on the one thread that reads and writes. So workers write
//! answers as text; what tower-lsp is given is a ticket, and the text takes its place where the ticket comes out.

use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};

use rustc_hash::FxHashMap;
use serde_json::Value;
use tokio::io::AsyncWrite;

use crate::frames::{content_length, find};

/// How a message begins whose result is a ticket; its number follows.
const TICKET: &[u8] = br#"{"jsonrpc":"2.0","result":"headwater/text/"#;

/// A message of more bytes is none.
const MAX_TICKET: usize = 256;

/// Texts that are on their way.
#[derive(Default)]
pub(crate) struct Texts {
    open: Mutex<FxHashMap<u64, String>>,
    next: AtomicU64,
}

impl Texts {
    /// A result that stands for this text. It must be sent: until then the text is kept.
    pub(crate) fn ticket(&self, text: String) -> Value {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        self.open.lock().unwrap_or_else(PoisonError::into_inner).insert(number, text);
        Value::String(format!("headwater/text/{number}"))
    }

    fn take(&self, number: u64) -> Option<String> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner).remove(&number)
    }

    /// The message with the text in its place; `None` for any other message.
    fn redeemed(&self, body: &[u8]) -> Option<Vec<u8>> {
        let rest = body.strip_prefix(TICKET)?;
        let end = rest.iter().position(|b| *b == b'"')?;
        let text = self.take(std::str::from_utf8(&rest[..end]).ok()?.parse().ok()?)?;
        let (lead, tail) = (&TICKET[..TICKET.len() - b"\"headwater/text/".len()], &rest[end + 1..]);
        let length = lead.len() + text.len() + tail.len();
        let mut out = format!("Content-Length: {length}\r\n\r\n").into_bytes();
        out.reserve_exact(length);
        out.extend_from_slice(lead);
        out.extend_from_slice(text.as_bytes());
        out.extend_from_slice(tail);
        Some(out)
    }
}

/// Standard output, with texts in the place of their tickets.
pub(crate) struct Output<O> {
    inner: O,
    texts: Arc<Texts>,
    /// The beginning of a message that is not whole.
    raw: Vec<u8>,
    /// Bytes of a message that pass as they are.
    passing: usize,
    /// What is to be written, and how much of it is.
    out: Vec<u8>,
    written: usize,
}

impl<O> Output<O> {
    pub(crate) fn new(inner: O, texts: Arc<Texts>) -> Self {
        Self { inner, texts, raw: Vec::new(), passing: 0, out: Vec::new(), written: 0 }
    }

    fn take(&mut self, mut bytes: &[u8]) {
        loop {
            let passing = self.passing.min(bytes.len());
            self.out.extend_from_slice(&bytes[..passing]);
            self.passing -= passing;
            bytes = &bytes[passing..];
            if bytes.is_empty() {
                return;
            }
            // Headers are short, and so are messages that are held back until they are whole.
            let known = self.raw.len();
            self.raw.extend_from_slice(&bytes[..bytes.len().min(2 * MAX_TICKET)]);
            let Some(head) = find(&self.raw, b"\r\n\r\n").map(|end| end + 4) else {
                bytes = &bytes[self.raw.len() - known..];
                continue;
            };
            let length = content_length(&self.raw[..head]).unwrap_or(0);
            let message = if length > MAX_TICKET {
                // Its beginning may be here already.
                self.passing = (head + length).saturating_sub(known);
                self.raw[..known].to_vec()
            } else {
                let Some(body) = self.raw.get(head..head + length) else {
                    bytes = &bytes[self.raw.len() - known..];
                    continue;
                };
                let message = self.texts.redeemed(body).unwrap_or_else(|| self.raw[..head + length].to_vec());
                bytes = &bytes[(head + length).saturating_sub(known)..];
                message
            };
            self.raw.clear();
            if self.out.is_empty() { self.out = message } else { self.out.extend_from_slice(&message) }
        }
    }
}

impl<O: AsyncWrite + Unpin> Output<O> {
    fn drain(&mut self, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        while self.written < self.out.len() {
            let n = ready!(Pin::new(&mut self.inner).poll_write(cx, &self.out[self.written..]))?;
            if n == 0 {
                return Poll::Ready(Err(std::io::ErrorKind::WriteZero.into()));
            }
            self.written += n;
        }
        self.written = 0;
        self.out = Vec::new();
        Poll::Ready(Ok(()))
    }
}

impl<O: AsyncWrite + Unpin> AsyncWrite for Output<O> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<std::io::Result<usize>> {
        ready!(self.drain(cx))?;
        self.take(buf);
        // What does not go now goes with the flush that follows.
        if let Poll::Ready(Err(error)) = self.drain(cx) {
            return Poll::Ready(Err(error));
        }
        Poll::Ready(Ok(buf.len()))
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        ready!(self.drain(cx))?;
        Pin::new(&mut self.inner).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        ready!(self.drain(cx))?;
        Pin::new(&mut self.inner).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(body: &str) -> String {
        format!("Content-Length: {}\r\n\r\n{body}", body.len())
    }

    #[test]
    fn tickets_become_texts_however_the_bytes_come() {
        let long = format!("{{\"a\":\"{}\"}}", "x".repeat(1_000));
        for size in [1, 2, 3, 7, 50, 333, 100_000] {
            let texts = Arc::new(Texts::default());
            let ticket = texts.ticket("{\"items\":[]}".to_owned());
            let answer = frame(&format!("{{\"jsonrpc\":\"2.0\",\"result\":{ticket},\"id\":7}}"));
            let unknown = frame("{\"jsonrpc\":\"2.0\",\"result\":\"headwater/text/99\",\"id\":8}");
            let all = [frame("{}"), frame(&long), answer, unknown.clone(), frame("1"), frame(&long)].concat();
            let mut output = Output::new(tokio::io::sink(), texts.clone());
            for part in all.as_bytes().chunks(size) {
                output.take(part);
            }
            let redeemed = frame("{\"jsonrpc\":\"2.0\",\"result\":{\"items\":[]},\"id\":7}");
            let expected = [frame("{}"), frame(&long), redeemed, unknown, frame("1"), frame(&long)].concat();
            assert_eq!(String::from_utf8_lossy(&output.out), expected, "{size}");
            assert!(texts.open.lock().expect("nobody panicked").is_empty());
        }
    }
}
