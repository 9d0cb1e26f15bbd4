//! A file that arrives: handed on by whoever talks to its client, to a thread that reads it.

use std::io::{self, Read};
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::StatusCode;
use http_body_util::BodyExt;
use tokio::sync::mpsc;
use tokio::time::Instant;

use super::failure::Failure;

/// Bytes of a file that have to come in as much time as a whole body of another request has.
const PROGRESS: usize = 64 << 10;

/// Hands the body on as it arrives. Of the time that it is waited for, each `window` has to bring [`PROGRESS`] bytes: a
/// client that sends a byte now and then would keep its place for ever. Time for which the disk is waited for does not count.
pub(super) async fn pump(
    mut content: Body,
    sender: mpsc::Sender<io::Result<Option<Bytes>>>,
    window: Duration,
) -> Result<(), Failure> {
    let (mut left, mut got) = (window, 0);
    loop {
        let before = Instant::now();
        let frame = tokio::time::timeout(left, content.frame()).await;
        left = left.saturating_sub(before.elapsed());
        match frame {
            Ok(None) => {
                let _ = sender.send(Ok(None)).await;
                return Ok(());
            }
            Ok(Some(Ok(frame))) => {
                let Ok(bytes) = frame.into_data() else { continue };
                got += bytes.len();
                if got >= PROGRESS {
                    (left, got) = (window, 0);
                }
                if sender.send(Ok(Some(bytes))).await.is_err() {
                    // Whoever keeps the rows has given up, and says why.
                    return Ok(());
                }
            }
            Ok(Some(Err(e))) => {
                let _ = sender.send(Err(io::Error::other("the connection broke off"))).await;
                return Err(Failure::new(
                    StatusCode::BAD_REQUEST,
                    "limits",
                    format!("the body cannot be read: {e}"),
                ));
            }
            Err(_) => {
                let _ = sender.send(Err(io::Error::other("the client is too slow"))).await;
                let message = format!(
                    "the file comes too slowly: {got} bytes in {} s, of {PROGRESS} at least",
                    window.as_secs_f64()
                );
                return Err(Failure::new(StatusCode::REQUEST_TIMEOUT, "limits", message));
            }
        }
    }
}

/// A body that arrives, for who reads it elsewhere. `None` is its end; a sender that is gone without it is a client that is
/// gone, with whom the request was dropped: what came is cut anywhere.
pub(super) struct Arriving {
    receiver: mpsc::Receiver<io::Result<Option<Bytes>>>,
    rest: Bytes,
    ended: bool,
}

impl Arriving {
    pub(super) fn new(receiver: mpsc::Receiver<io::Result<Option<Bytes>>>) -> Self {
        Self { receiver, rest: Bytes::new(), ended: false }
    }
}

impl Read for Arriving {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.rest.is_empty() && !self.ended {
            match self.receiver.blocking_recv() {
                Some(Ok(Some(bytes))) => self.rest = bytes,
                Some(Ok(None)) => self.ended = true,
                Some(Err(e)) => return Err(e),
                None => return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the connection broke off")),
            }
        }
        let length = buffer.len().min(self.rest.len());
        buffer[..length].copy_from_slice(&self.rest.split_to(length));
        Ok(length)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A body of `frames` equal parts, each a while after the last.
    struct Trickle {
        frames: usize,
        part: Bytes,
        pulse: tokio::time::Interval,
    }

    impl axum::body::HttpBody for Trickle {
        type Data = Bytes;
        type Error = std::convert::Infallible;

        fn poll_frame(
            mut self: std::pin::Pin<&mut Self>,
            context: &mut std::task::Context<'_>,
        ) -> std::task::Poll<Option<Result<hyper::body::Frame<Bytes>, Self::Error>>> {
            self.pulse.poll_tick(context).map(|_| {
                self.frames = self.frames.checked_sub(1)?;
                Some(Ok(hyper::body::Frame::data(self.part.clone())))
            })
        }
    }

    /// What becomes of a body when each part takes `pulse` to come and `keeping` to be kept.
    fn pumped(part: usize, frames: usize, pulse: u64, keeping: u64, window: u64) -> Result<(), StatusCode> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime");
        let (sender, mut receiver) = mpsc::channel(1);
        let keeper = std::thread::spawn(move || {
            let mut last = None;
            while let Some(one) = receiver.blocking_recv() {
                std::thread::sleep(Duration::from_millis(keeping));
                last = Some(one);
            }
            matches!(last, Some(Ok(None)))
        });
        let done = runtime.block_on(async {
            let pulse = tokio::time::interval(Duration::from_millis(pulse));
            let body = Trickle { frames, part: vec![b'x'; part].into(), pulse };
            pump(Body::new(body), sender, Duration::from_millis(window)).await
        });
        assert_eq!(keeper.join().expect("no panic"), done.is_ok());
        done.map_err(|failure| axum::response::IntoResponse::into_response(failure).status())
    }

    #[test]
    fn a_client_has_to_get_on_and_a_slow_disk_is_not_its_fault() {
        // Bytes come more often than the window is long, and would do so for ever.
        assert_eq!(pumped(1, usize::MAX, 5, 0, 100), Err(StatusCode::REQUEST_TIMEOUT));
        // Longer than a window, with enough in each.
        assert_eq!(pumped(PROGRESS, 30, 40, 0, 1000), Ok(()));
        // Ready at once, and kept for longer than the window.
        assert_eq!(pumped(1, 24, 1, 50, 1000), Ok(()));
    }
}
