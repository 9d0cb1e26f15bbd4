//! Where statements go, whatever runs them: a pool of private engines, stored data, a server.

use std::sync::{Arc, Mutex, PoisonError};

use crossbeam_channel::{Receiver, Sender, TryRecvError, bounded, select, unbounded};

use crate::config;
use crate::driver::{Job, Piece, Task};
use crate::error::EngineError;
use crate::insert::{Insert, Work};
use crate::pool::PoolConfig;
use crate::request::{Answer, Limits, Request, Stats};
use crate::session::Session;

/// A queue of statements with engines behind it. Cheap to clone; it outlives what is behind it, and then answers nothing but
/// [`EngineError::Cancelled`].
#[derive(Clone)]
pub struct Warehouse {
    tasks: Sender<Task>,
    most: Most,
    /// How much can be done at a time.
    width: usize,
}

impl Warehouse {
    /// Requests of a batch travel in groups of this many.
    const GROUP: usize = 64;

    /// A queue, and its other end.
    pub(crate) fn new(most: Most, width: usize) -> (Self, Receiver<Task>) {
        let (tasks, queue) = unbounded();
        (Self { tasks, most, width: width.max(1) }, queue)
    }

    /// Runs one statement and waits for its answer.
    ///
    /// # Errors
    ///
    /// See [`EngineError`].
    pub fn query(&self, request: Request) -> Result<Answer, EngineError> {
        self.submit(request).wait()
    }

    /// Runs independent statements and waits for all answers, in order. They spread over what is free and travel in
    /// groups, so that many cheap statements cost little more than the engine's own time.
    pub fn query_batch(&self, requests: Vec<Request>) -> Vec<Result<Answer, EngineError>> {
        let total = requests.len();
        // Small batches spread too.
        let group = Self::GROUP.min(total.div_ceil(self.width)).max(1);
        let mut requests = requests.into_iter();
        let tickets: Vec<_> = std::iter::from_fn(|| {
            let group: Vec<_> = requests.by_ref().take(group).map(Work::from).collect();
            let length = group.len();
            (length > 0).then(|| (self.send(group), length))
        })
        .collect();
        let mut answers = Vec::with_capacity(total);
        for (ticket, length) in tickets {
            answers.extend((0..length).map(|_| ticket.next()));
        }
        answers
    }

    /// Inserts rows and waits until they are written.
    ///
    /// # Errors
    ///
    /// See [`EngineError`].
    pub fn insert(&self, insert: Insert) -> Result<Answer, EngineError> {
        self.submit_insert(insert).wait()
    }

    /// Queues one statement.
    pub fn submit(&self, request: Request) -> Ticket {
        self.send(vec![request.into()])
    }

    /// Queues rows. Cancelled before they are written, they are not written.
    pub fn submit_insert(&self, insert: Insert) -> Ticket {
        self.send(vec![insert.into()])
    }

    /// Runs one statement that reads, and gives its answer piece by piece, while it is being computed.
    pub fn stream(&self, request: Request) -> Rows {
        stream(request, self.most, |job| drop(self.tasks.send(Task::Job(job))))
    }

    /// A connection for one caller alone: as soon as one is free, and until it is dropped.
    pub fn session(&self) -> Session {
        let (jobs, queue) = unbounded();
        let _ = self.tasks.send(Task::Session(queue));
        Session::new(jobs, self.most)
    }

    fn send(&self, work: Vec<Work>) -> Ticket {
        submit(work, self.most, |job| drop(self.tasks.send(Task::Job(job))))
    }
}

/// What no work may exceed.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Most {
    pub(crate) limits: Limits,
    /// Bytes of rows.
    pub(crate) insert: u64,
}

impl Most {
    pub(crate) fn of(config: &PoolConfig) -> Self {
        Self { limits: config.most, insert: config.most_insert }
    }
}

/// Clamps and queues `work`. What is too large is refused here, before it is sent anywhere.
pub(crate) fn submit(mut work: Vec<Work>, most: Most, queue: impl FnOnce(Job)) -> Ticket {
    let (reply, answers) = bounded(work.len());
    let (cancel, cancelled) = bounded(0);
    let canceller = Canceller(Arc::new(Mutex::new(Some(cancel))));
    let ticket = Ticket { answers, cancelled: cancelled.clone(), canceller };
    for one in &mut work {
        if let Some(limits) = one.limits_mut() {
            *limits = config::clamp(*limits, most.limits);
        }
        if let Work::Insert(insert) = one
            && insert.data.len() as u64 > most.insert
        {
            let too_large =
                EngineError::InsertTooLarge { bytes: insert.data.len() as u64, limit: most.insert };
            let _ = reply.send(Err(too_large));
            return ticket;
        }
    }
    queue(Job { work, reply, pieces: None, cancelled });
    ticket
}

/// Queues a statement whose answer comes in pieces.
pub(crate) fn stream(request: Request, most: Most, queue: impl FnOnce(Job)) -> Rows {
    // Whoever sends pieces counts them: the queue does not grow.
    let (send, pieces) = unbounded();
    let format = request.format;
    let ticket = if format.is_streamable() {
        submit(vec![Work::Stream(request)], most, |job| queue(Job { pieces: Some(send), ..job }))
    } else {
        submit(Vec::new(), most, |_| drop(send))
    };
    let refused = (!format.is_streamable()).then(|| {
        EngineError::Invalid(format!(
            "{} has a head or an end, so an answer in pieces is none; use TSV or JSONEachRow",
            format.name()
        ))
    });
    Rows { pieces, ticket, end: refused.map(Err), stats: None, is_over: false }
}

/// A statement under way. Dropping it cancels the statement.
pub struct Ticket {
    answers: Receiver<Result<Answer, EngineError>>,
    /// Never carries anything; its end is the signal.
    cancelled: Receiver<()>,
    canceller: Canceller,
}

impl Ticket {
    /// Waits for the answer. A cancelled statement is not waited for.
    ///
    /// # Errors
    ///
    /// See [`EngineError`].
    pub fn wait(self) -> Result<Answer, EngineError> {
        self.next()
    }

    /// What cancels this statement from another thread.
    pub fn canceller(&self) -> Canceller {
        self.canceller.clone()
    }

    pub(crate) fn next(&self) -> Result<Answer, EngineError> {
        let gone = || Err(EngineError::Cancelled);
        match self.answers.try_recv() {
            Ok(answer) => return answer,
            Err(TryRecvError::Disconnected) => return gone(),
            Err(TryRecvError::Empty) => {}
        }
        select! {
            recv(self.answers) -> answer => answer.unwrap_or_else(|_| gone()),
            recv(self.cancelled) -> _ => self.answers.try_recv().unwrap_or_else(|_| gone()),
        }
    }
}

/// Cancels a statement.
#[derive(Clone)]
pub struct Canceller(Arc<Mutex<Option<Sender<()>>>>);

impl Canceller {
    /// Takes the statement back, wherever it is: whoever waits for it is told at once, and its worker is free within the
    /// pool's grace.
    pub fn cancel(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }
}

/// An answer that comes piece by piece, each of whole rows. A few pieces at most are under way, so an answer of any size
/// takes little memory, and the statement waits for whoever reads it: its time limit counts that too. Dropping it
/// cancels the statement.
///
/// An error is the last item; what came before it is not the whole answer.
pub struct Rows {
    pieces: Receiver<Piece>,
    ticket: Ticket,
    /// What the statement ended with. All pieces were sent before it.
    end: Option<Result<Answer, EngineError>>,
    stats: Option<Stats>,
    is_over: bool,
}

impl Rows {
    /// What the statement cost, once all pieces are taken and there was no error.
    pub fn stats(&self) -> Option<Stats> {
        self.stats
    }

    /// What cancels this statement from another thread.
    pub fn canceller(&self) -> Canceller {
        self.ticket.canceller()
    }
}

impl Iterator for Rows {
    type Item = Result<Vec<u8>, EngineError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.is_over {
            return None;
        }
        let piece = if self.end.is_some() {
            self.pieces.try_recv().ok()
        } else {
            select! {
                recv(self.pieces) -> piece => piece.ok(),
                recv(self.ticket.cancelled) -> _ => None,
                recv(self.ticket.answers) -> end => {
                    self.end = Some(end.unwrap_or(Err(EngineError::Cancelled)));
                    self.pieces.try_recv().ok()
                }
            }
        };
        if let Some(piece) = piece {
            if let Some(taken) = piece.taken {
                taken();
            }
            return Some(Ok(piece.bytes));
        }
        self.is_over = true;
        match self.end.take().unwrap_or_else(|| self.ticket.next()) {
            Ok(answer) => {
                self.stats = Some(answer.stats);
                None
            }
            Err(error) => Some(Err(error)),
        }
    }
}
