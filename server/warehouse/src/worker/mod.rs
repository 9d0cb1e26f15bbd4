//! The worker process: an engine behind two pipes, with one connection or several.
//!
//! It owns its life: nothing it prints reaches the pipe of answers, and it ends when its input ends, so it cannot
//! outlive its parent. (`PR_SET_PDEATHSIG` would not do: it fires when the *thread* that spawned the worker ends.)

mod confine;
mod fault;
mod lane;
mod session;

use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, BufReader};
use std::path::Path;
use std::process::ExitCode;

use crate::config;
use crate::ffi::{Connection, Library};
use crate::wire::{self, Start, ToPool, ToWorker, receive};
use fault::Fault;
use lane::{Answers, Lane};
use session::{Kind, Opening, Session};

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
    let answers = Answers::new(take_stdout()?);
    let mut input = BufReader::new(io::stdin());
    let Some(first) = receive(&mut input)? else { return Ok(()) };
    let ToWorker::Start(start) = first.read_to_worker()? else {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "it is started by headwater, not by hand"));
    };
    let fault = Fault::parse(&start.fault);
    fault.at("start", 1);
    let open_ends = if start.confine { confine::confine(&start) } else { Vec::new() };
    let Opened { mut sessions, killer } = match open(&start) {
        Ok(opened) => opened,
        Err(why) => return answers.send(&ToPool::NotReady(why)),
    };
    let Some((first_name, mut first)) = sessions.pop_front() else {
        return answers.send(&ToPool::NotReady("no connection was asked for".to_owned()));
    };
    match first.warm() {
        Ok(()) => answers.send(&ToPool::Ready(open_ends.join("; ")))?,
        Err(why) => return answers.send(&ToPool::NotReady(why)),
    }

    let (lane, todo) = Lane::new(first_name);
    let mut lanes = vec![lane];
    let mut threads = Vec::new();
    for (name, mut session) in sessions {
        let (lane, todo) = Lane::new(name.clone());
        lanes.push(lane);
        let (answers, fault) = (answers.clone(), fault.clone());
        threads.push(std::thread::Builder::new().name(name).spawn(move || {
            let result = lane::run(&todo, &mut session, &answers, &fault);
            if let Err(error) = result {
                eprintln!("engine worker: {error}");
            }
        })?);
    }
    std::thread::Builder::new().name("requests".into()).spawn(move || {
        match read_requests(&mut input, &lanes, killer) {
            // With the lanes go their queues: the connections do what they have and are closed by their own threads.
            Ok(End::Closed) => return,
            Ok(End::Alone) => {}
            Err(error) => eprintln!("engine worker: {error}"),
        }
        // Also while a statement runs: nobody is left to hear its answer.
        end();
    })?;
    lane::run(&todo, &mut first, &answers, &fault)?;
    drop(first);
    for thread in threads {
        let _ = thread.join();
    }
    // Asked to close, and closed. What else the engine has for the end of a process is not waited for.
    end();
    Ok(())
}

/// Why no more requests come.
enum End {
    /// The parent is gone.
    Alone,
    /// It says so.
    Closed,
}

fn read_requests(input: &mut impl io::Read, lanes: &[Lane], mut killer: Connection) -> io::Result<End> {
    let lane = |id| {
        let unknown = || io::Error::new(io::ErrorKind::InvalidData, "no such connection");
        lanes.get(wire::lane(id)).ok_or_else(unknown)
    };
    while let Some(frame) = receive(input)? {
        match frame.read_to_worker()? {
            ToWorker::Run(id, work) => lane(id)?.queue(id, work),
            ToWorker::More(id) => lane(id)?.more(id),
            ToWorker::Cancel(id) => lane(id)?.cancel(id, &mut killer),
            ToWorker::Close => return Ok(End::Closed),
            ToWorker::Start(_) => return Err(io::Error::new(io::ErrorKind::InvalidData, "started twice")),
        }
    }
    Ok(End::Alone)
}

struct Opened {
    /// With their names.
    sessions: VecDeque<(String, Session)>,
    killer: Connection,
}

/// Loads the engine and makes it ours: the first connection starts it, the last one cancels.
fn open(start: &Start) -> Result<Opened, String> {
    let here = std::env::current_dir().map_err(|e| format!("the worker's folder is gone: {e}"))?;
    let library = Library::load(Path::new(&start.library))?;
    let args = |name: &str| {
        let mut args = vec![
            format!("--config-file={}", here.join(config::FILE).display()),
            format!("--{}={name}", config::LANE),
        ];
        if !start.path.is_empty() {
            args.push(format!("--path={}", start.path));
        }
        args
    };
    let is_stored = !start.path.is_empty();
    let mut sessions = VecDeque::new();
    for n in 0..start.writers + start.readers {
        let name = format!("lane-{n}");
        let kind = match (is_stored, n < start.writers) {
            (false, _) => Kind::Scratch,
            (true, true) => Kind::Writer,
            (true, false) => Kind::Reader,
        };
        let opening = Opening {
            library,
            args: args(&name),
            kind,
            database: start.database.clone(),
            prelude: if n == 0 { start.prelude.clone() } else { Vec::new() },
        };
        sessions.push_back((name, Session::open(opening)?));
    }
    Ok(Opened { sessions, killer: library.connect(&args("killer"))? })
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
