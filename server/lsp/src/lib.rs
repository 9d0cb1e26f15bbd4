//! The protocol rim: the language server.
//!
//! **Knows**: LSP, JSON, positions, clients and their habits, threads, when to compute what.
//!
//! **Must not know**: what a datafile means. Every answer is a call into `ide` or `analysis`, converted.
//!
//! How a message travels: the transport reads it and calls [`ingress`], which hands it to the [`owner`] in wire order;
//! the owner applies edits and gives requests to [`worker`]s with a snapshot; answers go back the same way. The policy
//! (where a request runs, what happens when a write makes it stale) is the one table in [`dispatch`]. No handler awaits
//! a lock, the client or the database.

mod ahead;
mod capabilities;
mod client;
mod clock;
mod convert;
mod diagnostics;
mod disk;
mod dispatch;
mod documents;
mod edit;
mod frames;
mod history;
mod hooks;
mod ingress;
mod inputs;
mod oracle;
mod owner;
mod position;
mod preview;
#[cfg(test)]
mod protocol;
mod requests;
mod snapshot;
mod stdout;
mod suite;
#[cfg(feature = "testing")]
pub mod testing;
mod texts;
mod uri;
mod worker;

use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use headwater_project::{FileSystem, GitRevisions, OsFileSystem, Revisions};
use tokio::io::{AsyncRead, AsyncWrite};

pub use hooks::{Fault, TestHooks};
pub use oracle::EngineChoice;
pub use position::Encoding;

/// The version of what client and server agree on beside LSP: custom requests, commands, initialization options.
/// Sent as `experimental.headwaterProtocol`.
pub const PROTOCOL: u32 = 1;

/// More requests in flight than any client sends. tower-lsp's default of 4 would let four slow requests hold up edits
/// and cancellations.
const CONCURRENCY: usize = 4096;

/// What a server is started with.
#[derive(Clone)]
pub struct Options {
    /// Where projects are read.
    pub fs: Arc<dyn FileSystem>,
    /// Where their history is read.
    pub revisions: Arc<dyn Revisions>,
    /// How long what is done in the background waits for calm.
    pub calm: Duration,
    /// Whether the engine is asked for its opinion, in trusted folders.
    pub engine: EngineChoice,
    /// Where a test may stop it.
    pub hooks: TestHooks,
    /// How long reading projects may take before a progress bar is asked for.
    pub progress_after: Duration,
    /// What time it is, for what is said about schedules.
    pub now: fn() -> Option<headwater_ide::Moment>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            fs: Arc::new(OsFileSystem),
            revisions: Arc::new(GitRevisions),
            calm: Duration::from_millis(500),
            engine: EngineChoice::default(),
            hooks: TestHooks::default(),
            progress_after: Duration::from_millis(300),
            now: clock::now,
        }
    }
}

/// How a session ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ended {
    /// The client said `shutdown` first, as the protocol wants.
    pub orderly: bool,
}

/// Serves one client until it says `exit` or closes its end.
///
/// # Errors
/// When the system gives no threads. Nothing a client sends is an error here.
pub async fn serve<I, O>(stdin: I, stdout: O) -> std::io::Result<Ended>
where
    I: AsyncRead + Unpin,
    O: AsyncWrite + Unpin,
{
    serve_with(stdin, stdout, Options::default()).await
}

/// [`serve`], with everything from outside given.
///
/// # Errors
/// As [`serve`].
pub async fn serve_with<I, O>(stdin: I, stdout: O, options: Options) -> std::io::Result<Ended>
where
    I: AsyncRead + Unpin,
    O: AsyncWrite + Unpin,
{
    let (events, queue) = crossbeam_channel::unbounded();
    let (client, loopback) = client::channel(events.clone());
    let table = Arc::new(dispatch::Table::new());
    let orderly = Arc::new(AtomicBool::new(false));
    let owner_ended = owner::start(queue, &events, client, table.clone(), options)?;
    let texts = Arc::<texts::Texts>::default();
    let service = ingress::Ingress::new(events.clone(), table, orderly.clone(), texts.clone());
    let stdout = texts::Output::new(stdout, texts);
    let stdin = frames::Frames::new(stdin, events.clone());
    let server = tower_lsp::Server::new(stdin, stdout, loopback).concurrency_level(CONCURRENCY);
    let mut transport = std::pin::pin!(server.serve(service));
    tokio::select! {
        // On `exit`, at the end of input, or on a broken pipe.
        () = &mut transport => {
            let _ = events.send(owner::Event::Exit);
        }
        // Because the client's process is gone, or by a bug. Without an owner there is nothing to serve; input that
        // somebody else keeps open must not keep this process alive.
        _ = owner_ended => {
            let _ = tokio::time::timeout(Duration::from_secs(1), transport).await;
        }
    }
    Ok(Ended { orderly: orderly.load(Ordering::Relaxed) })
}

/// Serves the client on standard input and output: the command `headwater lsp`. The exit code is 0 only after an orderly
/// shutdown. `engine` is asked for its opinion in folders that the user trusts.
pub fn run_stdio(engine: EngineChoice) -> ExitCode {
    let runtime = match tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("headwater: the language server cannot start: {error}");
            return ExitCode::from(3);
        }
    };
    let options = Options { engine, ..Options::default() };
    let ended = stdout::start().and_then(|(output, written)| {
        let ended = runtime.block_on(serve_with(tokio::io::stdin(), output, options));
        written.wait(Duration::from_secs(1));
        ended
    });
    // A read of standard input may be pending for ever in a client that keeps it open.
    runtime.shutdown_background();
    match ended {
        Ok(Ended { orderly: true }) => ExitCode::SUCCESS,
        Ok(Ended { orderly: false }) => ExitCode::from(1),
        Err(error) => {
            eprintln!("headwater: the language server cannot start: {error}");
            ExitCode::from(3)
        }
    }
}
