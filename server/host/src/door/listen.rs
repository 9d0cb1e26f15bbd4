//! Listening: a socket that only this user can open, and TCP.

use std::fs::Permissions;
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, UnixListener};
use tokio::sync::{Semaphore, watch};
use tower::ServiceExt;

use super::guard::Via;
use super::{Door, HttpLimits};
use crate::log::Level;

/// A place that clients can connect to.
pub(crate) enum Bound {
    Unix(UnixListener),
    Tcp(TcpListener),
}

impl Bound {
    /// Listens on a socket at `path`, in a folder of this user alone. Only the owner of the data folder may call this: a
    /// socket that is there is a dead door's, and is replaced in one step, so that a client finds one that answers or none.
    pub(crate) fn unix(path: &Path) -> Result<Self, String> {
        let new: PathBuf = path.with_extension("new");
        let bind = || {
            let _ = std::fs::remove_file(&new);
            let listener = UnixListener::bind(&new)?;
            std::fs::set_permissions(&new, Permissions::from_mode(0o600))?;
            std::fs::rename(&new, path)?;
            Ok(listener)
        };
        let listener =
            bind().map_err(|e: std::io::Error| format!("cannot listen at {}: {e}", path.display()))?;
        Ok(Self::Unix(listener))
    }

    /// Listens on TCP.
    pub(crate) async fn tcp(address: SocketAddr) -> Result<Self, String> {
        let listener = TcpListener::bind(address).await;
        listener
            .map(Self::Tcp)
            .map_err(|e| format!("cannot listen at {address}: {e}; choose another address with --listen"))
    }

    /// The address, if it is TCP.
    pub(crate) fn address(&self) -> Option<SocketAddr> {
        match self {
            Self::Unix(_) => None,
            Self::Tcp(listener) => listener.local_addr().ok(),
        }
    }
}

/// Answers whoever connects, until the host is to stop; then lets running requests end.
pub(crate) async fn accept(door: Arc<Door>, router: Router, bound: Bound, mut stop: watch::Receiver<bool>) {
    let places = Arc::new(Semaphore::new(door.limits.connections));
    let graceful = GracefulShutdown::new();
    loop {
        let place = tokio::select! {
            place = places.clone().acquire_owned() => match place {
                Ok(place) => place,
                Err(_) => break,
            },
            _ = stop.wait_for(|s| *s) => break,
        };
        let accepted = tokio::select! {
            accepted = next(&bound) => accepted,
            _ = stop.wait_for(|s| *s) => break,
        };
        let (stream, via) = match accepted {
            Ok(Some(accepted)) => accepted,
            Ok(None) => continue,
            Err(e) => {
                // No descriptors left, for example: it is no reason to spin.
                door.log.event(Level::Warning, "accept-failed", [("why", e.to_string().into())]);
                tokio::time::sleep(Duration::from_millis(100)).await;
                continue;
            }
        };
        let watcher = graceful.watcher();
        let (router, gone) = (router.clone(), door.clone());
        door.metrics.connections.inc();
        let answers = connection(door.limits, stream, router, via);
        tokio::spawn(async move {
            // How a connection ends badly is the client's affair.
            let _ = watcher.watch(answers).await;
            gone.metrics.connections.dec();
            drop(place);
        });
    }
    drop(bound);
    if tokio::time::timeout(door.limits.drain, graceful.shutdown()).await.is_err() {
        door.log.event(Level::Warning, "requests-cut-off", [("running", door.activity.running().into())]);
    }
}

trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

/// The next connection; `None` is one that is refused.
async fn next(bound: &Bound) -> std::io::Result<Option<(Box<dyn Stream>, Via)>> {
    Ok(match bound {
        Bound::Unix(listener) => {
            let (stream, _) = listener.accept().await?;
            // The folder and the file keep others out; this holds where a system ignores the rights of sockets.
            let user = stream.peer_cred()?.uid();
            let ours = user == 0 || user == rustix::process::getuid().as_raw();
            ours.then(|| (Box::new(stream) as Box<dyn Stream>, Via::Unix))
        }
        Bound::Tcp(listener) => {
            let (stream, address) = listener.accept().await?;
            stream.set_nodelay(true)?;
            Some((Box::new(stream) as Box<dyn Stream>, Via::Tcp(address)))
        }
    })
}

fn connection(
    limits: HttpLimits,
    stream: Box<dyn Stream>,
    router: Router,
    via: Via,
) -> http1::Connection<
    TokioIo<Box<dyn Stream>>,
    impl hyper::service::HttpService<Incoming, ResBody = Body, Error = std::convert::Infallible, Future: Send>,
> {
    let service = hyper::service::service_fn(move |request: hyper::Request<Incoming>| {
        let mut request = request.map(Body::new);
        request.extensions_mut().insert(via);
        router.clone().oneshot(request)
    });
    http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.head)
        .max_buf_size(limits.head_bytes.max(8192))
        .max_headers(64)
        .serve_connection(TokioIo::new(stream), service)
}
