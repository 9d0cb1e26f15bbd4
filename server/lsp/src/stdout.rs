//! Standard output behind a thread of its own.
//!
//! The runtime's own handle hands each write to a pool of threads and waits for it before the next answer is looked at: two
//! changes of threads for each of the fifty answers that an edit may cause. Here answers go into a queue, and the thread
//! writes whatever there is.

use std::io::Write;
use std::pin::Pin;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use futures::channel::mpsc;
use tokio::io::AsyncWrite;

/// Messages that wait for a client which does not read; then the transport waits too.
const WAITING: usize = 1_024;

/// Where the transport writes.
pub(crate) struct Output(mpsc::Sender<Vec<u8>>);

/// Tells when everything is written.
pub(crate) struct Written(Receiver<()>);

impl Written {
    /// Waits until everything is written, but not for ever: the client may have stopped to read.
    pub(crate) fn wait(self, longest: Duration) {
        // The thread says nothing and goes: that ends the wait, one way or the other.
        let (Ok(()) | Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected)) =
            self.0.recv_timeout(longest);
    }
}

/// Starts the thread. It ends when the output is dropped, or when nobody can be written to.
///
/// # Errors
/// When the system gives no more threads.
pub(crate) fn start() -> std::io::Result<(Output, Written)> {
    let (sender, queue) = mpsc::channel::<Vec<u8>>(WAITING);
    let (alive, written) = channel();
    std::thread::Builder::new().name("headwater-output".into()).spawn(move || {
        let _alive = alive;
        let mut output = raw();
        for message in futures::executor::block_on_stream(queue) {
            // Whoever broke the pipe is gone; the queue goes with this thread, and the transport learns of it.
            if output.write_all(&message).and_then(|()| output.flush()).is_err() {
                return;
            }
        }
    })?;
    Ok((Output(sender), Written(written)))
}

/// Without a buffer of lines: a message is written as a whole.
#[cfg(unix)]
fn raw() -> Box<dyn Write> {
    use std::os::fd::AsFd as _;
    match std::io::stdout().as_fd().try_clone_to_owned() {
        Ok(owned) => Box::new(std::fs::File::from(owned)),
        Err(_) => Box::new(std::io::stdout()),
    }
}

#[cfg(not(unix))]
fn raw() -> Box<dyn Write> {
    Box::new(std::io::stdout())
}

impl AsyncWrite for Output {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<std::io::Result<usize>> {
        let gone = |_| std::io::Error::from(std::io::ErrorKind::BrokenPipe);
        ready!(self.0.poll_ready(cx)).map_err(gone)?;
        self.0.start_send(buf.to_vec()).map_err(gone)?;
        Poll::Ready(Ok(buf.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        // The thread writes without being told.
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        self.0.close_channel();
        Poll::Ready(Ok(()))
    }
}
