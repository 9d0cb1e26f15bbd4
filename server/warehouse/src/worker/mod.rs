//! The worker process: an engine without a path behind two pipes.
//!
//! It owns its life: nothing it prints reaches the pipe of answers, and it ends when its input ends, so it cannot
//! outlive its parent. (`PR_SET_PDEATHSIG` would not do: it fires when the *thread* that spawned the worker ends.)

mod fault;
mod session;

use std::collections::HashSet;
use std::fs::File;
use std::io::{self, BufReader, BufWriter, Write};
use std::path::Path;
use std::process::ExitCode;
use std::sync::{Arc, Mutex, PoisonError};

use crossbeam_channel::{Sender, unbounded};

use crate::config;
use crate::error::EngineError;
use crate::ffi::{Connection, Library};
use crate::insert::Work;
use crate::wire::{Frame, Start, ToPool, ToWorker, receive, send};
use fault::Fault;
use session::{Opening, Session};

/// Runs this process as a worker until its input ends. The program that calls it must have no other threads and must
/// not have used standard input or output.
pub fn worker_main() -> ExitCode {
    // The program's allocator does without huge pages, for the sake of what a language server holds, and the engine should
    // not. Where the system has no such switch there is nothing to undo.
    #[cfg(target_os = "linux")]
    let _ = rustix::thread::disable_transparent_huge_pages(false);
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("engine worker: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> io::Result<()> {
    let mut out = BufWriter::new(take_stdout()?);
    let mut input = BufReader::new(io::stdin());
    let Some(first) = receive(&mut input)? else { return Ok(()) };
    let ToWorker::Start(start) = first.read_to_worker()? else {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "it is started by headwater, not by hand"));
    };
    let fault = Fault::parse(&start.fault);
    fault.at("start", 1);
    let opened = open(&start);
    let (mut session, killer) = match opened {
        Ok(opened) => opened,
        Err(why) => return answer(&mut out, &ToPool::NotReady(why)),
    };
    match session.version() {
        Ok(version) => answer(&mut out, &ToPool::Ready(version))?,
        Err(why) => return answer(&mut out, &ToPool::NotReady(why)),
    }

    let state = Arc::new(Mutex::new(State::default()));
    let (requests, queue) = unbounded();
    let reader_state = state.clone();
    std::thread::Builder::new().name("requests".into()).spawn(move || {
        if let Err(error) = read_requests(&mut input, &requests, &reader_state, killer) {
            eprintln!("engine worker: {error}");
        }
        // Also while a statement runs: nobody is left to hear its answer.
        end();
    })?;

    let lock = || state.lock().unwrap_or_else(PoisonError::into_inner);
    for (nth, (id, work)) in (1..).zip(queue) {
        {
            let mut state = lock();
            if state.cancelled.remove(&id) {
                state.answered = id + 1;
                drop(state);
                answer(&mut out, &ToPool::Done(id, Err(EngineError::Cancelled)))?;
                continue;
            }
            state.running = Some(id);
        }
        fault.at("query", nth);
        let mut result = session.run(&work, || !lock().cancelled.contains(&id));
        fault.at("answer", nth);
        {
            // Waits while a cancellation is under way, so that it cannot hit the next statement.
            let mut state = lock();
            state.running = None;
            state.answered = id + 1;
            if state.cancelled.remove(&id)
                && matches!(&result, Err(EngineError::Statement(e)) if e.code == 394)
            {
                result = Err(EngineError::Cancelled);
            }
        }
        answer(&mut out, &ToPool::Done(id, result))?;
    }
    Ok(())
}

/// What runs, and what shall not.
#[derive(Default)]
struct State {
    running: Option<u64>,
    cancelled: HashSet<u64>,
    /// Requests below this number are answered.
    answered: u64,
}

fn read_requests(
    input: &mut impl io::Read,
    queue: &Sender<(u64, Work)>,
    state: &Mutex<State>,
    mut killer: Connection,
) -> io::Result<()> {
    while let Some(frame) = receive(input)? {
        match frame.read_to_worker()? {
            ToWorker::Run(id, work) => drop(queue.send((id, work))),
            ToWorker::Cancel(id) => {
                let mut state = state.lock().unwrap_or_else(PoisonError::into_inner);
                if id >= state.answered {
                    state.cancelled.insert(id);
                }
                if state.running == Some(id) {
                    // Nothing else runs in this process. Never `SYNC`: that form was seen to hang.
                    let kill = "KILL QUERY WHERE query_id != queryID() ASYNC FORMAT Null";
                    if let Err(error) = killer.query(kill, &[], "Null") {
                        eprintln!("engine worker: cannot cancel: {error}");
                    }
                }
            }
            ToWorker::Start(_) => return Err(io::Error::new(io::ErrorKind::InvalidData, "started twice")),
        }
    }
    Ok(())
}

/// Loads the engine and makes it ours: the first connection starts it, the second one cancels.
fn open(start: &Start) -> Result<(Session, Connection), String> {
    let here = std::env::current_dir().map_err(|e| format!("the worker's folder is gone: {e}"))?;
    let library = Library::load(Path::new(&start.library))?;
    let args = vec![format!("--config-file={}", here.join(config::FILE).display())];
    let session = Session::open(Opening { library, args: args.clone(), prelude: start.prelude.clone() })?;
    let killer = library.connect(&args)?;
    Ok((session, killer))
}

fn answer(out: &mut impl Write, message: &ToPool) -> io::Result<()> {
    send(out, &Frame::to_pool(message))?;
    // Answers are not held back: what was answered is not lost when the next statement kills the engine.
    out.flush()
}

/// The pipe of answers, taken away from everybody who prints: file descriptor 1 is standard error from here on.
#[cfg(unix)]
fn take_stdout() -> io::Result<File> {
    let pipe = rustix::io::fcntl_dupfd_cloexec(rustix::stdio::stdout(), 3)?;
    rustix::stdio::dup2_stdout(rustix::stdio::stderr())?;
    Ok(File::from(pipe))
}

/// Ends this process without running the engine's destructors, which its threads would race.
#[cfg(unix)]
fn end() {
    let _ = rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::KILL);
}

#[cfg(not(unix))]
fn take_stdout() -> io::Result<File> {
    Err(io::Error::new(io::ErrorKind::Unsupported, "there is no engine for this platform; use WSL"))
}

#[cfg(not(unix))]
fn end() {
    std::process::abort();
}
