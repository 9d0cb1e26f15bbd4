//! What lies between the client's bytes and tower-lsp.
//!
//! Two things the transport does not do for itself (tower-lsp-server 0.24.0-rc.1):
//!
//! - A frame it cannot decode ends its input stream, and with it the server. Here frames are checked first; a bad one is
//!   replaced by a request for [`MALFORMED`], which is answered with the protocol's error, and reading goes on behind it.
//! - After the end of input it waits for every handler, and a long-polled request never ends by itself. So the owner is
//!   told.

use std::pin::Pin;
use std::task::{Context, Poll};

use crossbeam_channel::Sender;
use tokio::io::{AsyncRead, ReadBuf};
use tower_lsp::jsonrpc::{Request, Response};

use crate::owner::Event;

/// The method a frame that is no message is replaced by. Its parameter says whether it was JSON at all.
pub(crate) const MALFORMED: &str = "headwater/malformed";

/// A header longer than this is none.
const MAX_HEADER: usize = 8 * 1024;

/// A message longer than this is an attack or a bug; it is not waited for.
const MAX_BODY: usize = 1 << 30;

const LENGTH: &[u8] = b"content-length:";

pub(crate) struct Frames<I> {
    inner: I,
    owner: Sender<Event>,
    scratch: Box<[u8]>,
    /// Bytes of the client not yet looked at.
    raw: Vec<u8>,
    /// Checked bytes, and how many of them are read.
    out: Vec<u8>,
    read: usize,
}

impl<I> Frames<I> {
    pub(crate) fn new(inner: I, owner: Sender<Event>) -> Self {
        let scratch = vec![0; 64 * 1024].into_boxed_slice();
        Self { inner, owner, scratch, raw: Vec::new(), out: Vec::new(), read: 0 }
    }

    /// Moves every complete frame over.
    fn check(&mut self) {
        let mut at = 0;
        loop {
            let rest = &self.raw[at..];
            let Some(end) = find(rest, b"\r\n\r\n") else {
                if rest.len() > MAX_HEADER {
                    // Garbage. Keep what could be the beginning of a header.
                    at += rest.len() - LENGTH.len();
                    malformed(&mut self.out, false);
                }
                break;
            };
            let header = &rest[..end];
            let body_at = end + 4;
            let Some(length) = content_length(header).filter(|length| *length <= MAX_BODY) else {
                malformed(&mut self.out, false);
                at += body_at;
                continue;
            };
            let Some(body) = rest.get(body_at..body_at + length) else { break };
            if is_message(body) {
                self.out.extend_from_slice(format!("Content-Length: {length}\r\n\r\n").as_bytes());
                self.out.extend_from_slice(body);
                at += body_at + length;
            } else {
                malformed(&mut self.out, serde_json::from_slice::<serde_json::Value>(body).is_ok());
                // With a wrong length the next frame may lie inside what was taken for this one.
                let lower = body.to_ascii_lowercase();
                at += body_at + find(&lower, LENGTH).unwrap_or(length);
            }
        }
        self.raw.drain(..at);
    }
}

impl<I: AsyncRead + Unpin> AsyncRead for Frames<I> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<std::io::Result<()>> {
        let this = &mut *self;
        loop {
            if this.read < this.out.len() {
                let part = &this.out[this.read..];
                let part = &part[..part.len().min(buf.remaining())];
                buf.put_slice(part);
                this.read += part.len();
                return Poll::Ready(Ok(()));
            }
            this.out.clear();
            this.read = 0;
            let mut scratch = ReadBuf::new(&mut this.scratch);
            match Pin::new(&mut this.inner).poll_read(cx, &mut scratch) {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(Ok(())) if !scratch.filled().is_empty() => {
                    this.raw.extend_from_slice(scratch.filled());
                    this.check();
                }
                // A client that broke the pipe is as gone as one that closed it.
                Poll::Ready(_) => {
                    let _ = this.owner.send(Event::Exit);
                    return Poll::Ready(Ok(()));
                }
            }
        }
    }
}

pub(crate) fn content_length(header: &[u8]) -> Option<usize> {
    let lower = header.to_ascii_lowercase();
    let value = &lower[find(&lower, LENGTH)? + LENGTH.len()..];
    std::str::from_utf8(value).ok()?.lines().next()?.trim().parse().ok()
}

/// Whether tower-lsp will take it: by its own types, as nothing less is exact.
fn is_message(body: &[u8]) -> bool {
    serde_json::from_slice::<Request>(body).is_ok_and(|request| !request.method().is_empty())
        || serde_json::from_slice::<Response>(body).is_ok()
}

fn malformed(out: &mut Vec<u8>, is_json: bool) {
    let body = format!(r#"{{"jsonrpc":"2.0","id":null,"method":"{MALFORMED}","params":{is_json}}}"#);
    out.extend_from_slice(format!("Content-Length: {}\r\n\r\n{body}", body.len()).as_bytes());
}

pub(crate) fn find(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    haystack.windows(needle.len()).position(|window| window == needle)
}
