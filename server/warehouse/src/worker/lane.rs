//! One connection of the process: the thread that does its work, and what other threads know of it.

use std::collections::HashSet;
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use crossbeam_channel::{Receiver, Sender, unbounded};

use super::fault::Fault;
use super::session::{Out, Session};
use crate::error::EngineError;
use crate::ffi::Connection;
use crate::insert::Work;
use crate::wire::{Frame, ToPool, WINDOW, send};

/// The pipe of answers, shared by the connections.
#[derive(Clone)]
pub(super) struct Answers(Arc<Mutex<BufWriter<File>>>);

impl Answers {
    pub(super) fn new(pipe: File) -> Self {
        Self(Arc::new(Mutex::new(BufWriter::new(pipe))))
    }

    /// Answers are not held back: what was answered is not lost when the next statement kills the engine.
    pub(super) fn send(&self, message: &ToPool) -> io::Result<()> {
        let mut out = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        send(&mut *out, &Frame::to_pool(message))?;
        out.flush()
    }
}

/// A connection as the thread of requests sees it.
pub(super) struct Lane {
    /// What its statements are found by.
    pub(super) name: String,
    queue: Sender<(u64, Work)>,
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    /// Something changed for whoever waits to send a piece.
    changed: Condvar,
}

/// What runs, and what shall not.
#[derive(Default)]
struct State {
    running: Option<u64>,
    cancelled: HashSet<u64>,
    /// Requests below this number are answered.
    answered: u64,
    /// How many pieces may be sent.
    room: u64,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Lane {
    /// A connection with the queue of its work, which [`run`] does.
    pub(super) fn new(name: String) -> (Self, Todo) {
        let (queue, work) = unbounded();
        let shared = Arc::new(Shared::default());
        (Self { name, queue, shared: shared.clone() }, Todo { work, shared })
    }

    pub(super) fn queue(&self, id: u64, work: Work) {
        let _ = self.queue.send((id, work));
    }

    pub(super) fn more(&self, id: u64) {
        let mut state = self.shared.lock();
        if state.running == Some(id) {
            state.room += 1;
            self.shared.changed.notify_all();
        }
    }

    /// Takes `id` back. What runs is killed from another connection.
    pub(super) fn cancel(&self, id: u64, killer: &mut Connection) {
        let mut state = self.shared.lock();
        if id >= state.answered {
            state.cancelled.insert(id);
        }
        if state.running == Some(id) {
            self.shared.changed.notify_all();
            // Never `SYNC`: that form was seen to hang. Nothing else runs on this connection while the lock is held.
            let setting = crate::config::LANE;
            let kill = format!("KILL QUERY WHERE Settings['{setting}'] = '{}' ASYNC FORMAT Null", self.name);
            if let Err(error) = killer.query(&kill, &[], "Null") {
                eprintln!("engine worker: cannot cancel: {error}");
            }
        }
    }
}

/// What a connection has to do.
pub(super) struct Todo {
    work: Receiver<(u64, Work)>,
    shared: Arc<Shared>,
}

/// Does all of it, until no more can come.
pub(super) fn run(todo: &Todo, session: &mut Session, answers: &Answers, fault: &Fault) -> io::Result<()> {
    let shared = &todo.shared;
    for (nth, (id, work)) in (1..).zip(&todo.work) {
        {
            let mut state = shared.lock();
            if state.cancelled.remove(&id) {
                state.answered = id + 1;
                drop(state);
                answers.send(&ToPool::Done(id, Err(EngineError::Cancelled)))?;
                continue;
            }
            state.running = Some(id);
            state.room = WINDOW;
        }
        fault.at("query", nth);
        let mut result = session.run(&work, &mut Pieces { id, shared, answers });
        fault.at("answer", nth);
        {
            // Waits while a cancellation is under way, so that it cannot hit the next statement.
            let mut state = shared.lock();
            state.running = None;
            state.answered = id + 1;
            if state.cancelled.remove(&id)
                && matches!(&result, Err(EngineError::Statement(e)) if e.code == 394)
            {
                result = Err(EngineError::Cancelled);
            }
        }
        answers.send(&ToPool::Done(id, result))?;
    }
    Ok(())
}

struct Pieces<'l> {
    id: u64,
    shared: &'l Shared,
    answers: &'l Answers,
}

impl Out for Pieces<'_> {
    fn go_on(&self) -> bool {
        !self.shared.lock().cancelled.contains(&self.id)
    }

    fn piece(&mut self, bytes: Vec<u8>) -> bool {
        let mut state = self.shared.lock();
        while state.room == 0 && !state.cancelled.contains(&self.id) {
            state = self.shared.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        if state.cancelled.contains(&self.id) {
            return false;
        }
        state.room -= 1;
        drop(state);
        self.answers.send(&ToPool::Piece(self.id, bytes)).is_ok()
    }
}
