//! A worker process as its parent sees it: frames go in, messages come out, and at its end there is a reason.

use std::collections::VecDeque;
use std::io::{BufReader, BufWriter, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, bounded, unbounded};

use crate::config::{self, Stored};
use crate::pool::PoolConfig;
use crate::scratch::Scratch;
use crate::wire::{Frame, Start, ToPool, ToWorker, lane, receive, send};

/// What a process is started with, beside the pool's configuration.
#[derive(Debug, Clone, Default)]
pub(crate) struct Role {
    /// Where data is stored, and what may be done with it; nowhere for a private engine.
    pub(crate) stored: Option<(PathBuf, Stored)>,
    /// The database that unqualified names mean.
    pub(crate) database: String,
    /// Connections that change data, at least one.
    pub(crate) writers: usize,
    /// Connections that only read stored data.
    pub(crate) readers: usize,
}

/// A running worker. Dropping it ends the process and removes its folder.
pub(crate) struct Process {
    child: Mutex<Child>,
    pid: u32,
    /// What the system does not keep it from; empty when it is confined.
    open: String,
    requests: Sender<Frame>,
    /// What is said by each connection; disconnected when the process is dead.
    messages: Vec<Receiver<ToPool>>,
    last_words: Arc<Mutex<VecDeque<u8>>>,
    /// Disconnected when all last words are there.
    silence: Receiver<()>,
    _scratch: Scratch,
}

/// Why there is no worker.
pub(crate) enum NoWorker {
    /// Trying again may help: it died while starting.
    Died(String),
    /// Trying again at once will not: no library, no program, no folder.
    Impossible(String),
}

impl Process {
    /// Starts a worker and waits until its engine runs.
    pub(crate) fn start(config: &PoolConfig, role: &Role) -> Result<Self, NoWorker> {
        let mut process = Self::spawn(config, role).map_err(NoWorker::Impossible)?;
        match process.messages[0].recv_timeout(config.start_limit) {
            Ok(ToPool::Ready(open)) => {
                process.open = open;
                Ok(process)
            }
            Ok(ToPool::NotReady(why)) => {
                // The engine's own words are on the other pipe.
                process.end();
                let words = process.words();
                let words = if words.is_empty() { words } else { format!("; {words}") };
                Err(NoWorker::Impossible(format!("the engine does not start: {why}{words}")))
            }
            Ok(ToPool::Done(..) | ToPool::Piece(..)) => {
                Err(NoWorker::Impossible("the worker answered before it was asked".to_owned()))
            }
            Err(RecvTimeoutError::Disconnected) => Err(NoWorker::Died(process.end())),
            Err(RecvTimeoutError::Timeout) => {
                let _ = process.end();
                Err(NoWorker::Died(format!("it did not start within {} s", config.start_limit.as_secs())))
            }
        }
    }

    fn spawn(config: &PoolConfig, role: &Role) -> Result<Self, String> {
        let path = match &role.stored {
            Some((path, _)) => path.to_str().ok_or("the path of the data is not UTF-8")?,
            None => "",
        };
        let library =
            config.library.to_str().ok_or("the path of the engine's library is not UTF-8")?.to_owned();
        let scratch = Scratch::new(&config.scratch)
            .map_err(|e| format!("no folder for the engine below {}: {e}", config.scratch.display()))?;
        let dir = scratch.path();
        config::write(
            dir,
            config.most,
            config.server_memory,
            &config.settings,
            role.stored.as_ref().map(|s| &s.1),
        )
        .map_err(|e| format!("cannot write the engine's configuration into {}: {e}", dir.display()))?;
        let mut child = command(config, dir)
            .spawn()
            .map_err(|e| format!("the worker {} cannot be started: {e}", config.program.path.display()))?;
        let (Some(stdin), Some(stdout), Some(stderr)) =
            (child.stdin.take(), child.stdout.take(), child.stderr.take())
        else {
            return Err("the worker has no pipes".to_owned());
        };
        let (requests, outgoing) = unbounded::<Frame>();
        let (incoming, messages): (Vec<_>, Vec<_>) =
            (0..role.writers + role.readers).map(|_| unbounded()).unzip();
        let last_words = Arc::new(Mutex::new(VecDeque::new()));
        let (words, silence) = bounded(0);
        let threads = [
            // Its own thread, so that a worker that does not read cannot block whoever watches the clock.
            spawn_thread("engine-in", move || write_all(BufWriter::new(stdin), &outgoing)),
            spawn_thread("engine-out", move || read_all(BufReader::new(stdout), &incoming)),
            spawn_thread("engine-err", {
                let last_words = last_words.clone();
                move || {
                    let _until_the_end: Sender<()> = words;
                    keep_tail(stderr, &last_words);
                }
            }),
        ];
        let pid = child.id();
        let child = Mutex::new(child);
        let open = String::new();
        let process = Self { child, pid, open, requests, messages, last_words, silence, _scratch: scratch };
        for thread in threads {
            thread.map_err(|e| format!("no thread for the worker: {e}"))?;
        }
        let start = Start {
            library,
            prelude: config.prelude.clone(),
            fault: config.fault.clone(),
            path: path.to_owned(),
            database: role.database.clone(),
            writers: role.writers as u64,
            readers: role.readers as u64,
            confine: config.confine,
        };
        process.send(Frame::to_worker(&ToWorker::Start(start)));
        Ok(process)
    }

    /// Queues a frame. That it did not arrive shows as the end of `messages`.
    pub(crate) fn send(&self, frame: Frame) {
        let _ = self.requests.send(frame);
    }

    /// What queues frames, for whoever takes pieces of an answer.
    pub(crate) fn sender(&self) -> Sender<Frame> {
        self.requests.clone()
    }

    /// What the connection `lane` says.
    pub(crate) fn messages(&self, lane: usize) -> Receiver<ToPool> {
        self.messages[lane].clone()
    }

    pub(crate) fn pid(&self) -> u32 {
        self.pid
    }

    /// What the system does not keep it from; empty when it is confined.
    pub(crate) fn open(&self) -> &str {
        &self.open
    }

    /// Ends the process, if it still runs, and says how it ended.
    pub(crate) fn end(&self) -> String {
        // One that closed its pipe is about to say why.
        self.end_within(Duration::from_millis(if self.is_silent() { 200 } else { 0 }))
    }

    /// Asks it to close what it has open, and ends it when it takes longer than `patience`.
    pub(crate) fn close(&self, patience: Duration) {
        self.send(Frame::to_worker(&ToWorker::Close));
        let _ = self.end_within(patience);
    }

    fn end_within(&self, patience: Duration) -> String {
        let deadline = Instant::now() + patience;
        let mut child = self.child.lock().unwrap_or_else(PoisonError::into_inner);
        let status = loop {
            match child.try_wait() {
                Ok(Some(status)) => break status.to_string(),
                Ok(None) if Instant::now() < deadline => std::thread::sleep(Duration::from_millis(2)),
                _ => {
                    let _ = child.kill();
                    break child.wait().map_or_else(|e| e.to_string(), |s| s.to_string());
                }
            }
        };
        match self.words() {
            words if words.is_empty() => status,
            words => format!("{status}; its last words: {words}"),
        }
    }

    /// The last line on standard error, of a process that has ended.
    fn words(&self) -> String {
        let _ = self.silence.recv_timeout(Duration::from_millis(100));
        let words = self.last_words.lock().unwrap_or_else(PoisonError::into_inner);
        let words: Vec<u8> = words.iter().copied().collect();
        let words = String::from_utf8_lossy(&words);
        words.lines().rev().find(|l| !l.trim().is_empty()).unwrap_or_default().trim().to_owned()
    }

    fn is_silent(&self) -> bool {
        matches!(self.messages[0].try_recv(), Err(crossbeam_channel::TryRecvError::Disconnected))
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let child = self.child.get_mut().unwrap_or_else(PoisonError::into_inner);
        let _ = child.kill();
        let _ = child.wait();
    }
}

/// Nothing of this process's environment reaches the engine, and it finds itself in a folder of its own.
fn command(config: &PoolConfig, dir: &Path) -> Command {
    let mut command = Command::new(&config.program.path);
    command
        .args(&config.program.args)
        .current_dir(dir)
        .env_clear()
        .env("TMPDIR", dir.join("tmp"))
        .env("HOME", dir)
        .env("TZ", "UTC")
        .env("LANG", "C.UTF-8")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

fn spawn_thread(name: &str, run: impl FnOnce() + Send + 'static) -> std::io::Result<()> {
    std::thread::Builder::new().name(name.to_owned()).spawn(run).map(drop)
}

fn write_all(mut out: impl Write, frames: &Receiver<Frame>) {
    while let Ok(frame) = frames.recv() {
        let mut result = send(&mut out, &frame);
        while let Ok(frame) = frames.try_recv() {
            result = result.and_then(|()| send(&mut out, &frame));
        }
        if result.and_then(|()| out.flush()).is_err() {
            return;
        }
    }
}

/// Until the process ends, or says what makes no sense.
fn read_all(mut input: impl Read, lanes: &[Sender<ToPool>]) {
    while let Ok(Some(frame)) = receive(&mut input) {
        let Ok(message) = frame.read_to_pool() else { return };
        let lane = match &message {
            ToPool::Ready(_) | ToPool::NotReady(_) => 0,
            ToPool::Piece(id, _) | ToPool::Done(id, _) => lane(*id),
        };
        let Some(messages) = lanes.get(lane) else { return };
        if messages.send(message).is_err() {
            return;
        }
    }
}

fn keep_tail(mut input: impl Read, tail: &Mutex<VecDeque<u8>>) {
    let mut buffer = [0; 4096];
    while let Ok(length @ 1..) = input.read(&mut buffer) {
        let mut tail = tail.lock().unwrap_or_else(PoisonError::into_inner);
        tail.extend(&buffer[..length]);
        let excess = tail.len().saturating_sub(4096);
        tail.drain(..excess);
    }
}
